/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yield_pvs.c - the library's directed yield: pvs/yield.h, told of what the host sees.
 *
 * Whom a vCPU waits for, and whether it is in a critical section, is taken from the guest's words
 * and from nothing else; a guest without a region is known by its interrupts and its CPL alone.
 * What the yielder gives (`yield.transfer`: 1 nothing, 2 it pays, 3 the target is credited) has an
 * effect on a fair host; hosts that own their queue charge by key, and need none.
 */
#include <string.h>

#include <pvs/yield.h>

#include "roles.h"
#include "sched_fair.h"

static struct pvs_yield *of(const struct sim_vcpu *v)
{
	return v->vm->yielder;
}

static void pvs_vm_up(struct sim *sim, struct sim_vm *vm)
{
	struct pvs_yield_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.transfer = (pvs_u32)sim_param(sim, "yield.transfer", 0);
	if (sim_param(sim, "yield.strict", 0))
		cfg.flags = PVS_YIELD_STRICT;
	pvs_yield_config_resolve(&cfg); /* the core's default: nothing is given */
	if (pvs_yield_init(vm->yielder, &cfg, vm->vcpu_count) != PVS_OK)
		sim_fail(sim, "%s: the yield engine refuses the VM", vm->name);
}

/* What the guest says of itself counts, not what the simulator knows. */
static uint32_t flags_of(struct sim *sim, struct sim_vcpu *v, uint32_t seen)
{
	uint32_t flags = seen & (PVS_WAITS_PREEMPTED | PVS_WAITS_KERNEL | PVS_WAITS_INTERRUPT);
	struct pvs_hint hint;

	if (!roles_hint(sim, v, &hint))
		return flags;
	if (hint.crit & (PVS_CRIT_LOCK_HELD | PVS_CRIT_PREEMPT_OFF))
		flags |= PVS_WAITS_CRIT;
	if (hint.wait_kind != PVS_WAIT_NONE)
		flags |= PVS_WAITS_SPINNING;
	return flags;
}

static void pvs_note(struct sim *sim, struct sim_vcpu *v, enum sim_yield_note what, uint32_t arg)
{
	struct pvs_yield *y = of(v);

	if (!y)
		return;
	switch (what) {
	case SIM_Y_WAITS:
		pvs_yield_waits(y, v->index, flags_of(sim, v, arg));
		break;
	case SIM_Y_RUNS:
		pvs_yield_runs(y, v->index);
		break;
	case SIM_Y_BLOCKS:
		pvs_yield_blocks(y, v->index);
		break;
	case SIM_Y_INTERRUPT:
		pvs_yield_interrupt(y, v->index);
		break;
	case SIM_Y_EOI:
		pvs_yield_eoi(y, v->index, arg);
		break;
	case SIM_Y_GONE:
		pvs_yield_removed(y, v->index);
		break;
	}
}

static void pvs_ipi(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to, uint32_t vector)
{
	if (of(from))
		pvs_yield_ipi(of(from), from->index, to->index, vector, sim->now_ns);
}

static struct sim_vcpu *pvs_choose(struct sim *sim, struct sim_vcpu *from, int kernel)
{
	struct pvs_yield_choice choice;
	struct pvs_yield_ask ask;
	struct pvs_hint hint;
	struct sim_vcpu *to;

	(void)kernel;
	if (!of(from))
		return NULL;
	(void)roles_hint(sim, from, &hint);
	memset(&ask, 0, sizeof(ask));
	ask.now_ns = sim->now_ns;
	ask.target_epoch = roles_epoch(sim, from->vm, hint.wait_target);
	pvs_yield_choose(of(from), from->index, &hint, &ask, &choice);
	if (choice.target == PVS_NO_TARGET)
		return NULL;
	to = &from->vm->vcpus[choice.target];
	/* A choice is a hint: it may have lost its place since. */
	if (!to->thread->queued) {
		pvs_yield_runs(of(from), from->index);
		return NULL;
	}
	return to;
}

static void pvs_give(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to)
{
	struct pvs_transfer_facts facts;
	struct sim_fair_view view;
	struct pvs_transfer out;

	if (!of(from) || sim->policy->sched != &sim_sched_fair)
		return;
	if (!sim_fair_view(sim, from->thread, to->thread, &view))
		return;
	memset(&facts, 0, sizeof(facts));
	facts.now_ns = sim->now_ns;
	facts.gap_ns = view.same_queue ? view.gap_ns : 0;
	facts.lag_ns = view.lag_ns;
	facts.lag_max_ns = view.lag_max_ns;
	facts.granularity_ns = view.granularity_ns;
	facts.queued = view.queued;
	pvs_transfer(of(from), from->index, to->index, &facts, &out);
	if (out.penalty_ns)
		sim_fair_penalise(sim, from->thread, out.penalty_ns);
	if (out.credit_ns)
		sim_fair_credit(sim, to->thread, out.credit_ns);
	if (out.resched)
		sim_fair_force(sim, to->thread, from->thread);
}

/* ---- report -----------------------------------------------------------------------------------*/

static const char *const choices[PVS_YIELD_REASON_COUNT] = {
	"nobody", "named", "named_many", "holder", "receiver", "interrupt", "crit", "kernel",
	"user", "relaxed",
};

static const char *const transfers[PVS_TRANSFER_REASON_COUNT] = {
	"none", "nobody", "alone", "limited", "penalty", "base", "ping_pong", "credited",
	"enough",
};

static void pvs_report(struct sim *sim)
{
	uint64_t chosen[PVS_YIELD_REASON_COUNT] = { 0 }, stale = 0;
	uint64_t given[PVS_TRANSFER_REASON_COUNT] = { 0 };
	uint32_t i, k;

	for (i = 0; i < sim->vm_count; i++) {
		const struct pvs_yield *y = sim->vms[i].yielder;

		for (k = 0; k < PVS_YIELD_REASON_COUNT; k++)
			chosen[k] += y->counts[k];
		for (k = 0; k < PVS_TRANSFER_REASON_COUNT; k++)
			given[k] += y->transfers[k];
		stale += y->stale;
	}
	for (k = 0; k < PVS_YIELD_REASON_COUNT; k++)
		sim_result_add(sim->result, SIM_COUNT, chosen[k], "yield.%s", choices[k]);
	for (k = 0; k < PVS_TRANSFER_REASON_COUNT; k++)
		sim_result_add(sim->result, SIM_COUNT, given[k], "yield.transfer.%s", transfers[k]);
	sim_result_add(sim->result, SIM_COUNT, stale, "yield.stale");
}

const struct sim_yielder sim_yield_pvs = {
	.name = "pvs",
	.what = "libpvsched's ranking: whom the guest names, receivers, holders, the preempted",
	.leaves_out = "the time a choice takes (at most 280 instructions)",
	.vm_size = sizeof(struct pvs_yield),
	.vm_up = pvs_vm_up,
	.note = pvs_note,
	.ipi = pvs_ipi,
	.choose = pvs_choose,
	.transfer = pvs_give,
	.report = pvs_report,
};
