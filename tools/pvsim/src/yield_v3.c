/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yield_v3.c - seed 004's successor, v3 (12 Jun 2026), as its cover letter describes it: candidates
 * as in v2 but EOIs are matched by vector; nobody pays, the target's lag is filled up to a small
 * margin so that the host's buddy is eligible; and once in 6 ms the queue decides anew at once.
 */
#include "sched_fair.h"
#include "yield_scan.h"

#define LIMIT_NS (6 * SIM_MS) /* between two forced decisions of a queue */

static void v3_note(struct sim *sim, struct sim_vcpu *v, enum sim_yield_note what, uint32_t arg)
{
	yield_note(sim, v, what, arg);
	if (what == SIM_Y_EOI)
		yield_ipi_eoi(sim, v, arg, 1);
}

static struct sim_vcpu *v3_choose(struct sim *sim, struct sim_vcpu *from, int kernel)
{
	return yield_ipi_choose(sim, from, kernel, 0);
}

/* "A small positive margin scaled with queue depth": its formula is not public. A granularity over
 * the number of those that share the CPU is small, positive and scaled. */
static int64_t margin_of(const struct sim_fair_view *view)
{
	return (int64_t)(view->granularity_ns / (view->queued ? view->queued : 1u));
}

static void v3_transfer(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to)
{
	struct sim_fair_limit *limit = sim_fair_limit(sim, from->thread->cpu);
	struct sim_fair_view view;
	int64_t margin;

	if (!limit || !sim_fair_view(sim, from->thread, to->thread, &view))
		return;
	margin = margin_of(&view);
	if (view.lag_ns < margin)
		sim_fair_credit(sim, to->thread, (uint64_t)(margin - view.lag_ns));
	if (!view.same_queue || (limit->last_ns && sim->now_ns - limit->last_ns <= LIMIT_NS))
		return;
	limit->last_ns = sim->now_ns;
	sim_fair_force(sim, to->thread, from->thread);
}

const struct sim_yielder sim_yield_v3 = {
	.name = "v3",
	.what = "seed 004 v3: IPI receivers are candidates, and the target's lag is credited",
	.leaves_out = "its margin (not public: granularity / queue), cgroups, the growing window",
	.vm_size = sizeof(struct yield_vm),
	.vm_up = yield_vm_up,
	.note = v3_note,
	.ipi = yield_ipi_sent,
	.choose = v3_choose,
	.transfer = v3_transfer,
	.report = yield_report,
};
