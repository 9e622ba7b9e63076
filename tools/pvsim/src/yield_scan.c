/* SPDX-License-Identifier: BSD-2-Clause */
/* yield_scan.c - the round over a VM's vCPUs, and who waits for whose answer to an IPI. */
#include <string.h>

#include "sched_fair.h"
#include "yield_scan.h"

#define IPI_WINDOW_NS (50 * SIM_MS) /* seed 004: ipi_window_ns */

struct yield_vm *yield_vm_of(const struct sim_vm *vm)
{
	return vm->yielder;
}

static struct yield_vcpu *of(const struct sim_vcpu *v)
{
	return &yield_vm_of(v->vm)->vcpu[v->index];
}

static void forget(struct yield_vcpu *y)
{
	memset(y, 0, sizeof(*y));
	y->ipi_to = YIELD_NO_VCPU;
	y->ipi_from = YIELD_NO_VCPU;
}

void yield_vm_up(struct sim *sim, struct sim_vm *vm)
{
	struct yield_vm *y = yield_vm_of(vm);
	uint32_t i;

	y->apicv = sim_param(sim, "kvm.apicv", 1) != 0;
	y->fixed = sim_param(sim, "v2.fixed", 0) != 0;
	y->last_boosted = 0;
	for (i = 0; i < SIM_VCPUS_MAX; i++)
		forget(&y->vcpu[i]);
}

void yield_note(struct sim *sim, struct sim_vcpu *v, enum sim_yield_note what, uint32_t arg)
{
	struct yield_vcpu *y = of(v);

	(void)sim;
	switch (what) {
	case SIM_Y_WAITS:
		y->ready = 1;
		y->preempted = (arg & PVS_WAITS_PREEMPTED) != 0;
		y->kernel = (arg & (PVS_WAITS_KERNEL | PVS_WAITS_CRIT)) != 0;
		break;
	case SIM_Y_RUNS:
	case SIM_Y_BLOCKS:
		y->ready = 0;
		y->preempted = 0;
		y->in_spin = 0;
		y->eligible = 0;
		break;
	case SIM_Y_GONE:
		forget(y);
		break;
	case SIM_Y_INTERRUPT:
	case SIM_Y_EOI:
		break;
	}
}

void yield_report(struct sim *sim)
{
	uint32_t i;

	for (i = 0; i < sim->vm_count; i++) {
		const struct yield_vm *y = yield_vm_of(&sim->vms[i]);

		sim_result_add(sim->result, SIM_COUNT, y->asked, "yield.asked");
		sim_result_add(sim->result, SIM_COUNT, y->found, "yield.found");
		sim_result_add(sim->result, SIM_COUNT, y->receivers, "yield.receiver");
		sim_result_add(sim->result, SIM_COUNT, y->interrupts, "yield.interrupt");
		sim_result_add(sim->result, SIM_COUNT, y->preempted, "yield.preempted");
		sim_result_add(sim->result, SIM_COUNT, y->relaxed, "yield.relaxed");
	}
}

/* A spinner spins for somebody else: it is taken every second time it is looked at. */
static int eligible(struct yield_vcpu *y)
{
	int taken = !y->in_spin || y->eligible;

	if (y->in_spin)
		y->eligible = !y->eligible;
	return taken;
}

static void count(struct yield_vm *y, enum yield_rank rank)
{
	y->receivers += rank == YIELD_RECEIVER;
	y->interrupts += rank == YIELD_INTERRUPT;
	y->preempted += rank == YIELD_PREEMPTED;
}

struct sim_vcpu *yield_round(struct sim *sim, struct sim_vcpu *from, int kernel, int best_first,
			     enum yield_rank (*rank)(struct sim *sim, struct sim_vcpu *from,
						     struct sim_vcpu *to, int kernel))
{
	struct sim_vm *vm = from->vm;
	struct yield_vm *y = yield_vm_of(vm);
	struct sim_vcpu *best = NULL;
	enum yield_rank best_rank = YIELD_NOT, its;
	uint32_t i, at = y->last_boosted;

	for (i = 0; i < vm->vcpu_count; i++) {
		struct sim_vcpu *to;

		at = at + 1u >= vm->vcpu_count ? 0 : at + 1u;
		to = &vm->vcpus[at];
		/* Woken and not run yet counts as blocking, unless what woke it is pending: it
		 * always is here. */
		if (to == from || !y->vcpu[at].ready)
			continue;
		its = rank(sim, from, to, kernel);
		if (its <= best_rank || !eligible(&y->vcpu[at]) ||
		    !sim_fair_can_yield(sim, from->thread, to->thread))
			continue;
		best = to;
		best_rank = its;
		if (!best_first)
			break;
	}
	count(y, best_rank);
	return best;
}

struct sim_vcpu *yield_chosen(struct sim_vcpu *from, struct sim_vcpu *to)
{
	struct yield_vm *y = yield_vm_of(from->vm);

	y->asked++;
	if (!to)
		return NULL;
	y->found++;
	y->last_boosted = to->index;
	of(from)->in_spin = 1;
	return to;
}

/* ---- seed 004: who waits for whose answer -----------------------------------------------------*/

void yield_ipi_sent(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to, uint32_t vector)
{
	if (from == to || yield_vm_of(to->vm)->apicv)
		return;
	of(from)->ipi_to = (uint16_t)to->index;
	of(from)->ipi_vector = (uint8_t)vector;
	of(from)->ipi_pending = 1;
	of(from)->ipi_at_ns = sim->now_ns;
	of(to)->ipi_from = (uint16_t)from->index;
}

int yield_ipi_waits(const struct sim *sim, const struct sim_vcpu *from, const struct sim_vcpu *to)
{
	const struct yield_vcpu *y = of(from);

	return y->ipi_pending && y->ipi_to == to->index &&
	       sim->now_ns - y->ipi_at_ns <= IPI_WINDOW_NS;
}

void yield_ipi_eoi(struct sim *sim, struct sim_vcpu *v, uint32_t vector, int matched)
{
	struct yield_vcpu *y = of(v), *sender;
	uint32_t from = y->ipi_from;

	if (yield_vm_of(v->vm)->apicv)
		return;
	sender = from == YIELD_NO_VCPU ? NULL : &yield_vm_of(v->vm)->vcpu[from];
	if (matched) {
		if (sender && sender->ipi_to == v->index && sender->ipi_vector == vector) {
			sender->ipi_pending = 0;
			y->ipi_from = YIELD_NO_VCPU;
		}
		return;
	}
	/* Whatever has ended: its own IPI is forgotten too, though nobody has answered it. */
	y->ipi_pending = 0;
	y->ipi_to = YIELD_NO_VCPU;
	y->ipi_from = YIELD_NO_VCPU;
	if (sender && sender->ipi_to == v->index &&
	    sim->now_ns - sender->ipi_at_ns <= IPI_WINDOW_NS)
		sender->ipi_pending = 0;
}

enum yield_rank yield_ipi_rank(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to,
			       int kernel)
{
	const struct yield_vcpu *y = of(to);

	if (yield_ipi_waits(sim, from, to))
		return YIELD_RECEIVER;
	if (to->irq_pending && yield_vm_of(to->vm)->apicv)
		return YIELD_INTERRUPT;
	if (y->preempted && (!kernel || y->kernel))
		return YIELD_PREEMPTED;
	return YIELD_NOT;
}

static enum yield_rank relaxed_rank(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to,
				    int kernel)
{
	(void)sim;
	(void)from;
	(void)kernel;
	return of(to)->preempted ? YIELD_PREEMPTED : YIELD_NOT;
}

struct sim_vcpu *yield_ipi_choose(struct sim *sim, struct sim_vcpu *from, int kernel,
				  int best_first)
{
	struct sim_vcpu *to;

	sim_fair_exits(sim, from->thread);
	to = yield_round(sim, from, kernel, best_first, yield_ipi_rank);
	if (!to) {
		to = yield_round(sim, from, kernel, 0, relaxed_rank);
		yield_vm_of(from->vm)->relaxed += to != NULL;
	}
	return yield_chosen(from, to);
}
