/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yield_v2.c - seed 004, v2 (19 Dec 2025): the receiver of the spinner's IPI is a candidate, too,
 * and the yielder pays in virtual time, more in a short queue than in a long one.
 *
 * As it was posted, with what its text says and its code does not do: the debounce and the smaller
 * penalty for "the target is not behind" cannot be reached, an EOI of any interrupt clears an IPI,
 * and the order of ranks is a filter. `v2.fixed: 1` does what the text says.
 */
#include "sched_fair.h"
#include "yield_scan.h"

#define LIMIT_NS (6 * SIM_MS)      /* between two penalties of a queue */
#define DEBOUNCE_NS (600 * SIM_US) /* a yield back within this is a ping-pong */
#define QUEUED_MAX 13u             /* longer queues are as this one */

/* In 1/16 of a granularity, by threads in the queue: the largest penalty ... */
static const uint8_t most_q4[QUEUED_MAX + 1] = {
	40, 40, 96, 64, 40, 40, 40, 32, 32, 24, 24, 24, 24, 16,
};

/* ... and the least one, when the target is not behind. */
static const uint8_t base_q4[QUEUED_MAX + 1] = {
	16, 16, 16, 15, 10, 10, 10, 8, 8, 6, 6, 6, 6, 4,
};

static int is_fixed(const struct sim_vcpu *v)
{
	return yield_vm_of(v->vm)->fixed;
}

static void v2_note(struct sim *sim, struct sim_vcpu *v, enum sim_yield_note what, uint32_t arg)
{
	yield_note(sim, v, what, arg);
	if (what == SIM_Y_EOI)
		yield_ipi_eoi(sim, v, arg, is_fixed(v));
}

static struct sim_vcpu *v2_choose(struct sim *sim, struct sim_vcpu *from, int kernel)
{
	return yield_ipi_choose(sim, from, kernel, is_fixed(from));
}

/* Has the target yielded to the yielder a moment ago? Remembers this yield for the same question.
 */
static int ping_pong(const struct sim *sim, struct sim_fair_limit *l, const struct sim_vcpu *from,
		     const struct sim_vcpu *to)
{
	int back = l->pair_at_ns && l->from == to->thread->id && l->to == from->thread->id &&
		   sim->now_ns - l->pair_at_ns <= DEBOUNCE_NS;

	l->from = from->thread->id;
	l->to = to->thread->id;
	l->pair_at_ns = sim->now_ns;
	return back;
}

static int limited(const struct sim *sim, struct sim_fair_limit *l)
{
	if (l->last_ns && sim->now_ns - l->last_ns <= LIMIT_NS)
		return 1;
	l->last_ns = sim->now_ns;
	return 0;
}

static uint64_t penalty(const struct sim_fair_view *view, int back, int fixed)
{
	uint32_t queued = view->queued < QUEUED_MAX ? view->queued : QUEUED_MAX;
	uint64_t one = view->granularity_ns;
	uint64_t most = one * most_q4[queued] / 16u;
	uint64_t need = view->gap_ns > 0 ? (uint64_t)view->gap_ns : 0;
	uint64_t pay = need ? one + need + need / 10u : one;

	if (!need && fixed)
		return one * base_q4[queued] / 16u;
	if (back) {
		uint64_t least = need > one ? need : one;

		pay = pay < least ? pay : least;
	}
	if (pay > most)
		pay = most;
	return pay < one ? one : pay;
}

static void v2_transfer(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to)
{
	struct sim_fair_limit *limit = sim_fair_limit(sim, from->thread->cpu);
	struct sim_fair_view view;
	int fixed = is_fixed(from), back = 0;

	if (!limit)
		return;
	/* As posted, the time of a queue's last penalty is looked at before anything else is: also
	 * before a pair is remembered, which is why it never comes back in time. */
	if (fixed)
		back = ping_pong(sim, limit, from, to);
	if (!fixed && limited(sim, limit))
		return;
	if (!sim_fair_view(sim, from->thread, to->thread, &view) || !view.same_queue ||
	    view.queued < 2)
		return;
	if (fixed && limited(sim, limit))
		return;
	if (!fixed)
		back = ping_pong(sim, limit, from, to);
	sim_fair_penalise(sim, from->thread, penalty(&view, back, fixed));
}

const struct sim_yielder sim_yield_v2 = {
	.name = "v2",
	.what = "seed 004 v2: IPI receivers are candidates, a relaxed round, and the yielder pays",
	.leaves_out = "cgroups (the 7.3 host is flat), the growing PLE window, three failed tries",
	.vm_size = sizeof(struct yield_vm),
	.vm_up = yield_vm_up,
	.note = v2_note,
	.ipi = yield_ipi_sent,
	.choose = v2_choose,
	.transfer = v2_transfer,
	.report = yield_report,
};
