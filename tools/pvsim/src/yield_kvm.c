/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yield_kvm.c - directed yield of Linux 7.3: one round over the VM's vCPUs, from behind the last
 * one that was boosted, to the first that waits for a CPU; of preempted ones, if the spinner spins
 * in its kernel, only to such as were preempted in theirs or have an interrupt pending.
 */
#include "sched_fair.h"
#include "yield_scan.h"

static enum yield_rank kvm_rank(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to,
				int kernel)
{
	const struct yield_vm *vm = yield_vm_of(to->vm);
	const struct yield_vcpu *y = &vm->vcpu[to->index];

	(void)sim;
	(void)from;
	if (to->irq_pending && vm->apicv)
		return YIELD_INTERRUPT;
	if (!y->preempted || !kernel || y->kernel)
		return YIELD_PREEMPTED;
	return YIELD_NOT;
}

static struct sim_vcpu *kvm_choose(struct sim *sim, struct sim_vcpu *from, int kernel)
{
	sim_fair_exits(sim, from->thread);
	return yield_chosen(from, yield_round(sim, from, kernel, 0, kvm_rank));
}

const struct sim_yielder sim_yield_kvm = {
	.name = "kvm",
	.what = "kvm_vcpu_on_spin() of Linux 7.3: round robin over the VM's preempted vCPUs",
	.leaves_out = "the growing PLE window, three failed tries, locks of the two queues",
	.vm_size = sizeof(struct yield_vm),
	.vm_up = yield_vm_up,
	.note = yield_note,
	.choose = kvm_choose,
	.report = yield_report,
};
