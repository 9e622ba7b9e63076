/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Transfer: what a yielder gives, so that a yield lasts longer than the host's next choice.
 *
 * Seed 004 in what it meant. Its debounce could not be reached, because a limit of 6 ms came first
 * and both were kept per run queue: here each yielder has its own limit, and every yield is
 * remembered, also one that pays nothing. Its penalty for "the target is not behind" could not be
 * reached, because a whole granularity was the least penalty of all: here it is what is paid then.
 */
#include "stage.h"

#define PAIR_TICK_SHIFT 10u /* yields are timed in 1024 ns */
#define PAIR_TICK_BITS 48u

#define QUEUED_MAX 15u /* longer queues are as this one; a mask, too */

/* In 1/16 of a granularity, by vCPUs queued (seed 004, v2): the largest penalty ... */
static const pvs_u8 most_q4[QUEUED_MAX + 1u] PVS_TAB = {
	0, 0, 96, 64, 40, 40, 40, 32, 32, 24, 24, 24, 24, 16, 16, 16,
};

/* ... and what is due to a target that is not behind: a penalty, or the margin of a credit. */
static const pvs_u8 base_q4[QUEUED_MAX + 1u] PVS_TAB = {
	0, 0, 16, 15, 10, 10, 10, 8, 8, 6, 6, 6, 6, 4, 4, 4,
};

PVS_INLINE pvs_u32 granularities(pvs_u32 granularity_ns, pvs_u32 q4)
{
	return (pvs_u32)(((pvs_u64)granularity_ns * q4) >> 4);
}

/* Has `target` yielded to `yielder` a moment ago? Remembers this yield for the same question. */
static int ping_pong(struct pvs_yield *y, pvs_u32 yielder, pvs_u32 target, pvs_u64 now_ns)
{
	pvs_u64 now = now_ns >> PAIR_TICK_SHIFT;
	pvs_u64 theirs = PVS_PEEK(pvs_u64, &y->slot[target].pair);

	PVS_POKE(pvs_u64, &y->slot[yielder].pair, now << 16 | (target + 1u));
	return (theirs & 0xffffu) == yielder + 1u &&
	       ((now - (theirs >> 16)) & PVS_MASK(PAIR_TICK_BITS)) <= y->debounce;
}

/* Once in transfer_min_ns, for each yielder. */
static int limited(const struct pvs_yield *y, struct pvs_yield_slot *s, pvs_u64 now_ns)
{
	pvs_u64 last = s->limit_ns;

	now_ns++;
	if (last && now_ns >= last && now_ns - last <= y->transfer_min_ns)
		return 1;
	s->limit_ns = now_ns;
	/* A clock that steps back begins a new interval, without a penalty. */
	return now_ns < last;
}

/* What a yielder pays to a target that is `gap_ns` behind it. At most 6 * 500 ms: 32 bits do. */
static pvs_u32 penalty(pvs_u32 granularity_ns, pvs_s64 gap_ns, pvs_u32 queued, int back,
		       struct pvs_transfer *out)
{
	pvs_u32 most = granularities(granularity_ns, most_q4[queued]);
	pvs_u32 gap;
	pvs_u32 pay;

	if (gap_ns <= 0) {
		out->reason = PVS_TRANSFER_BASE;
		return granularities(granularity_ns, base_q4[queued]);
	}
	gap = gap_ns < (pvs_s64)most ? (pvs_u32)gap_ns : most;
	pay = granularity_ns + gap + gap / 10u;
	out->reason = PVS_TRANSFER_PENALTY;
	if (back) {
		out->reason = PVS_TRANSFER_PING_PONG;
		pay = gap > granularity_ns ? gap : granularity_ns;
	}
	return pay < most ? pay : most;
}

/* How far the target's lag is below its margin. */
static void credit(pvs_u32 margin_ns, const struct pvs_transfer_facts *facts,
		   struct pvs_transfer *out)
{
	pvs_s64 most = (pvs_s64)facts->lag_max_ns;
	pvs_s64 margin = (pvs_s64)margin_ns < most ? (pvs_s64)margin_ns : most;
	pvs_s64 lag = facts->lag_ns > -most ? facts->lag_ns : -most;

	out->reason = PVS_TRANSFER_ENOUGH;
	if (lag >= margin)
		return;
	out->reason = PVS_TRANSFER_CREDITED;
	out->credit_ns = (pvs_u64)(margin - lag);
}

static void transfer(struct pvs_yield *y, pvs_u32 yielder, pvs_u32 target,
		     const struct pvs_transfer_facts *facts, struct pvs_transfer *out)
{
	struct pvs_yield_slot *s = &y->slot[yielder];
	pvs_u32 granularity_ns = facts->granularity_ns;
	pvs_u32 queued = facts->queued < QUEUED_MAX ? facts->queued : QUEUED_MAX;
	int back = ping_pong(y, yielder, target, facts->now_ns);

	PVS_OPT(queued);
	queued &= QUEUED_MAX;
	if (granularity_ns > PVS_GRANULARITY_MAX_NS)
		granularity_ns = PVS_GRANULARITY_MAX_NS;
	if (queued < 2u) {
		out->reason = PVS_TRANSFER_ALONE;
		return;
	}
	if (y->transfer == PVS_TRANSFER_CREDIT) {
		credit(granularities(granularity_ns, base_q4[queued]), facts, out);
		out->resched = !limited(y, s, facts->now_ns);
		return;
	}
	if (limited(y, s, facts->now_ns)) {
		out->reason = PVS_TRANSFER_LIMITED;
		return;
	}
	out->penalty_ns = penalty(granularity_ns, facts->gap_ns, queued, back, out);
}

PVS_API void pvs_transfer(struct pvs_yield *y, pvs_u32 yielder, pvs_u32 target,
			  const struct pvs_transfer_facts *facts, struct pvs_transfer *out)
{
	__builtin_memset(out, 0, sizeof(*out)); /* PVS_TRANSFER_NONE is 0 */
	if (yielder >= y->slot_count || target >= y->slot_count || yielder == target) {
		out->reason = PVS_TRANSFER_NOBODY;
	} else if (y->transfer != PVS_TRANSFER_OFF) {
		PVS_OPT(yielder);
		PVS_OPT(target);
		transfer(y, yielder & (PVS_YIELD_SLOTS - 1u), target & (PVS_YIELD_SLOTS - 1u),
			 facts, out);
	}
	PVS_ADD32(&y->transfers[out->reason], 1u);
}
