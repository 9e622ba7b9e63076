/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The accounts of one vCPU. A boost moves time, it never adds any:
 *
 *   boost account    a part of the vCPU's entitlement, pays for boosted run time. It bounds how
 *                    much may be used out of turn.
 *   irq account      the same for boosts that interrupts opened.
 *   normal account   while boosted or paying back, time runs for this vCPU at its share of the
 *                    CPU, and its run time is taken off. Positive: it left some of its share
 *                    unused. Negative: others have yet to catch up, so it goes below baseline
 *                    until the account is level. At baseline the host's own scheduler is fair and
 *                    the account stands still.
 *
 * The first two are kept in earned time, which passes at the configured share of wall time: using
 * ns of boost moves the time at which the account is full again by ns divided by the account's
 * share. So refilling is the passing of time and costs nothing.
 *
 * The share that refills the normal account is the configured entitlement, until the host has been
 * seen to give another one: run / (run + wait) at baseline. It can be larger, when neighbours do
 * not use theirs; but then it counts for two hold periods only, since they may come back while the
 * guest sees to it that nobody looks. Without a configured entitlement, the share learned is it.
 *
 * Who is always in debt is never at baseline; below it, with a part of the weight, waiting counts
 * by that part: a vCPU of weight w among others of weight W runs w of (w + W) and would run 1 of
 * (1 + W).
 */
#include "stage.h"

/* Run and wait time from which a share is learned: some ten EEVDF slices of each of a
 * few competitors (0.7 to 2.8 ms, Linux 7.3 fair.c). */
#define LEARN_NS 64000000u
#define SHARE_ONE 65536u
/* A boost that lasted longer counts as this long: the product below stays in 64 bits. */
#define EPISODE_MAX_NS ((pvs_u64)1 << 47)

/* Time from `before` to `after`, as far as it can be believed. */
PVS_INLINE pvs_u64 elapsed(pvs_u64 before, pvs_u64 after, pvs_u64 max)
{
	pvs_u64 ns = after - before;

	if (PVS_RARE(ns > max))
		ns = after > before ? max : 0u;
	return ns;
}

static void learn_share(struct pvs_vcpu *v, const struct pvs_config *cfg,
			const struct pvs_facts *facts, pvs_u64 run)
{
	pvs_u64 wait = elapsed(v->wait_ns, facts->wait_ns, cfg->dt_max_ns);
	pvs_u64 sum;

	v->wait_ns = facts->wait_ns;
	if (pvs_boosted(v->klass) || v->reason == PVS_REASON_BELOW) {
		v->learning = 0;
		return;
	}
	if (!v->learning) {
		/* Wait from before, not asked for or not yet reported, arrives with run time. */
		v->learning = run != 0;
		return;
	}
	v->share_run_ns += run;
	v->share_wait_ns += pvs_part_q10(wait, v->weight_q10);
	sum = v->share_run_ns + v->share_wait_ns;
	if (sum < LEARN_NS)
		return;
	/* Nearly 0 would be "never pays back"; nearly 1 needs no help. */
	v->share_q16 = (pvs_u32)pvs_max64(PVS_DIV64(v->share_run_ns << 16, sum), SHARE_ONE >> 8);
	v->share_end_ns = v->clock_ns + 2u * (pvs_u64)cfg->level_hold_ns;
	v->share_run_ns = 0;
	v->share_wait_ns = 0;
}

/* Learned, or configured. */
PVS_INLINE pvs_u32 share_of(const struct pvs_vcpu *v, pvs_u32 entitled_q16)
{
	if (!v->share_q16 || (v->share_q16 > entitled_q16 && v->clock_ns >= v->share_end_ns))
		return entitled_q16;
	return v->share_q16;
}

/*
 * The share of time that ran for this vCPU since the account was last settled, less what it used of
 * it. Its level matters only to who is not boosted; so a boost is settled when it ends.
 */
PVS_STAGE void pvs_settle_normal(struct pvs_vcpu *v, const struct pvs_config *cfg,
				 const struct pvs_facts *facts)
{
	pvs_u32 entitled = pvs_entitled_q16(v, facts);
	pvs_u64 share_q16 = share_of(v, entitled);
	pvs_u64 dt = pvs_min64(v->clock_ns - v->settled_clock_ns, EPISODE_MAX_NS);
	pvs_s64 run = (pvs_s64)(v->ran_ns - v->settled_ran_ns);
	pvs_s64 left = v->normal_left_ns + (pvs_s64)((dt * share_q16) >> 16) - run;
	pvs_s64 max = cfg->credit_max_ns;
	pvs_s64 min = -(pvs_s64)cfg->debt_max_ns;

	left = left > max ? max : left;
	left = left < min ? min : left;
	v->normal_left_ns = left;
	/* A host that owns its queue has charged it already: pvs/queue.h. */
	v->paying = !(facts->caps & PVS_CAP_OWNS_QUEUE) &&
		    left < (v->paying ? 0 : -(pvs_s64)cfg->debt_start_ns);
	v->settled_clock_ns = v->clock_ns;
	v->settled_ran_ns = v->ran_ns;
}

/* Opens or closes the latch of an account. It is an overrun when a boost has emptied it; the cost
 * of looks may, too. */
static void latch(struct pvs_vcpu *v, pvs_u8 *empty, int is_empty, int paid_boost)
{
	if (is_empty && !*empty && paid_boost)
		v->overruns++;
	*empty = (pvs_u8)is_empty;
}

/* Using moves the time at which the account is full; a full one cannot pay with time it did not
 * keep. Nor is more owed than twice its capacity, so that a jump of the run clock does not close it
 * for hours. */
PVS_INLINE pvs_u64 spend(pvs_u64 full_at_ns, pvs_u64 earned_ns, pvs_u64 cost_ns, pvs_u64 span_ns)
{
	return pvs_min64(pvs_max64(full_at_ns, earned_ns) + cost_ns, earned_ns + 2u * span_ns);
}

static void charge_irq(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u64 run)
{
	v->irq_full_at_ns = spend(v->irq_full_at_ns, v->earned_ns,
				  pvs_part_q10(run, cfg->irq_cost_q10), cfg->irq_span_ns);
	if (v->reason == PVS_REASON_TICKET)
		v->storm_ns = (pvs_u32)pvs_min64(v->storm_ns + run, 0xffffffffu);
}

static void look_at_irq(struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	pvs_u64 used = pvs_used(v->irq_full_at_ns, v->earned_ns);

	latch(v, &v->irq_empty, v->irq_empty ? used > cfg->irq_open_ns : used >= cfg->irq_span_ns,
	      pvs_boosted(v->klass) && v->on_irq);
	if (!used)
		v->irq_full_at_ns = 0; /* nothing to look at until it is used again */
}

/* Boosted run time less the rest taken since; full at grant_max_ns, until all is rested off. */
static void rest(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u64 dt, pvs_u64 boosted)
{
	v->grant_used_ns = pvs_less64(v->grant_used_ns + boosted, pvs_less64(dt, boosted));
	if (v->grant_used_ns >= cfg->grant_max_ns)
		v->grant_full = 1;
	else if (!v->grant_used_ns)
		v->grant_full = 0;
}

/* The most that was missing, in this hold period and the one before. */
PVS_INLINE void keep_high_water(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u64 used)
{
	if (used > v->high_ns)
		v->high_ns = used;
	if (PVS_RARE(v->clock_ns >= v->hold_end_ns)) {
		v->high_before_ns = v->high_ns;
		v->high_ns = used;
		v->hold_end_ns = v->clock_ns + cfg->level_hold_ns;
	}
}

PVS_INLINE void pass(struct pvs_vcpu *v, const struct pvs_config *cfg,
		     const struct pvs_facts *facts, const struct pvs_now *now)
{
	pvs_u64 cost = cfg->look_earned_ns; /* done for this vCPU, and all others wait for it */
	pvs_u64 boosted = 0, full_at, earned, used;

	v->clock_ns += now->dt_ns;
	v->ran_ns += now->run_ns;
	earned = v->earned_ns + ((now->dt_ns * now->entitled_q16) >> 16);
	v->earned_ns = earned;
	if (pvs_boosted(v->klass)) {
		boosted = now->run_ns;
		v->boosted_ns += boosted;
		v->reserved_ns -= (pvs_s64)boosted;
		if (PVS_RARE(v->on_irq))
			charge_irq(v, cfg, boosted);
		else
			cost += pvs_part_q10(boosted, cfg->boost_cost_q10);
	}
	full_at = spend(v->boost_full_at_ns, earned, cost, cfg->boost_span_ns);
	v->boost_full_at_ns = full_at;
	used = full_at - earned;
	if (PVS_RARE(v->boost_empty || used >= cfg->boost_span_ns))
		latch(v, &v->boost_empty, v->boost_empty ? used > cfg->boost_open_ns : 1,
		      pvs_boosted(v->klass) && !v->on_irq);
	if (v->irq_full_at_ns | v->irq_empty)
		look_at_irq(v, cfg);
	if (v->grant_used_ns | boosted)
		rest(v, cfg, now->dt_ns, boosted);
	keep_high_water(v, cfg, used);
	if (facts->wait_known)
		learn_share(v, cfg, facts, now->run_ns);
	else
		v->learning = 0;
}

PVS_STAGE void pvs_account(struct pvs_vcpu *v, const struct pvs_config *cfg,
			   const struct pvs_facts *facts, struct pvs_now *now)
{
	now->dt_ns = elapsed(v->now_ns, facts->now_ns, cfg->dt_max_ns);
	now->run_ns = elapsed(v->run_ns, facts->run_ns, cfg->dt_max_ns);
	v->now_ns = facts->now_ns;
	v->run_ns = facts->run_ns;
	if (v->started)
		pass(v, cfg, facts, now);
}
