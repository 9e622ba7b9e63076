/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The accounts of one vCPU. A boost moves time, it never adds any:
 *
 *   boost account    filled with a part of the vCPU's entitlement, pays for boosted run time. It
 *                    bounds how much may be used out of turn.
 *   irq account      the same for boosts that interrupts opened.
 *   normal account   while boosted or paying back, time runs for this vCPU at its share of the
 *                    CPU, and its run time is taken off. Positive: it left some of its share
 *                    unused. Negative: others have yet to catch up, so it goes below baseline
 *                    until the account is level. At baseline the host's own scheduler is fair and
 *                    the account stands still.
 *
 * The share is the configured entitlement, until the host has been seen to give another one:
 * run / (run + wait) at baseline. It can be larger, when neighbours do not use theirs. Who is
 * always in debt is never at baseline; below it, with a part of the weight, waiting counts by that
 * part: a vCPU of weight w among others of weight W runs w of (w + W) and would run 1 of (1 + W).
 */
#include "stage.h"

/* Run and wait time from which a share is learned: some ten EEVDF slices of each of a
 * few competitors (0.7 to 2.8 ms, Linux 7.3 fair.c). */
#define LEARN_NS 64000000u
/* An account is never overdrawn by more; keeps sums far from overflow. */
#define OVERDRAFT_MAX_NS 4000000000ll
#define SHARE_ONE 65536u

/* Time from `before` to `after`, as far as it can be believed. */
static pvs_u64 elapsed(pvs_u64 before, pvs_u64 after, pvs_u64 max)
{
	return pvs_min64(pvs_less64(after, before), max);
}

static pvs_u64 part_q16(pvs_u64 ns, pvs_u32 share_q16)
{
	return (ns * share_q16) >> 16;
}

static pvs_u64 part_q10(pvs_u64 ns, pvs_u32 share_q10)
{
	return (ns * share_q10) >> 10;
}

/* What the configuration grants of a CPU; a host that does not say grants all of it. */
static pvs_u32 entitled_q16(const struct pvs_facts *facts)
{
	if (!facts->entitlement_q16 || facts->entitlement_q16 > SHARE_ONE)
		return SHARE_ONE;
	return facts->entitlement_q16;
}

/* balance + gain, at most max, then - cost: a full account cannot pay with time it did not keep. */
static pvs_s64 settle(pvs_s64 balance, pvs_u64 gain, pvs_s64 max, pvs_u64 cost)
{
	balance += (pvs_s64)gain;
	if (balance > max)
		balance = max;
	balance -= (pvs_s64)cost;
	return balance < -OVERDRAFT_MAX_NS ? -OVERDRAFT_MAX_NS : balance;
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
	v->share_wait_ns += part_q10(wait, v->weight_q10);
	sum = v->share_run_ns + v->share_wait_ns;
	if (sum < LEARN_NS)
		return;
	/* Nearly 0 would be "never pays back"; nearly 1 needs no help. */
	v->share_q16 = (pvs_u32)pvs_max64(PVS_DIV64(v->share_run_ns << 16, sum), SHARE_ONE >> 8);
	v->share_run_ns = 0;
	v->share_wait_ns = 0;
}

static void pass_durations(struct pvs_vcpu *v, pvs_u64 dt, pvs_u64 run)
{
	pvs_u64 used = pvs_boosted(v->klass) ? run : 0u;

	v->grant_used_ns = pvs_less64(v->grant_used_ns + used, pvs_less64(dt, used));
	v->window_left_ns = pvs_less64(v->window_left_ns, run);
	v->stale_left_ns = pvs_less64(v->stale_left_ns, run);
	v->raise_wait_ns = pvs_less64(v->raise_wait_ns, dt);
	v->urgent_left_ns = pvs_less64(v->urgent_left_ns, dt);
}

/* The least that was left, in this hold period and the one before. */
static void keep_low_water(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u64 dt)
{
	if (v->boost_left_ns < v->low_ns)
		v->low_ns = v->boost_left_ns;
	v->low_age_ns += dt;
	if (v->low_age_ns >= cfg->level_hold_ns) {
		v->low_before_ns = v->low_ns;
		v->low_ns = v->boost_left_ns;
		v->low_age_ns = 0;
	}
}

static void charge(struct pvs_vcpu *v, const struct pvs_config *cfg, const struct pvs_facts *facts,
		   pvs_u64 dt, pvs_u64 run)
{
	pvs_u64 entitled = part_q16(dt, entitled_q16(facts));
	pvs_u32 share_q16 = v->share_q16 ? v->share_q16 : entitled_q16(facts);
	pvs_u64 boosted = pvs_boosted(v->klass) ? run : 0u;
	pvs_u64 by_irq = v->on_irq ? boosted : 0u;

	/* The look itself is charged too: it is done for this vCPU, and all others wait for it. */
	v->boost_left_ns = settle(v->boost_left_ns, part_q10(entitled, cfg->boost_share_q10),
				  cfg->boost_burst_ns, boosted - by_irq + cfg->look_cost_ns);
	v->irq_left_ns = settle(v->irq_left_ns, part_q10(entitled, cfg->irq_share_q10),
				cfg->irq_burst_ns, by_irq);
	v->boosted_ns += boosted;
	v->reserved_ns -= (pvs_s64)boosted;
	if (pvs_boosted(v->klass) || v->paying)
		v->normal_left_ns = settle(v->normal_left_ns, part_q16(dt, share_q16),
					   (pvs_s64)cfg->credit_max_ns + (pvs_s64)run, run);
	if (v->normal_left_ns < -(pvs_s64)cfg->debt_max_ns)
		v->normal_left_ns = -(pvs_s64)cfg->debt_max_ns;
}

PVS_STAGE void pvs_account(struct pvs_vcpu *v, const struct pvs_config *cfg,
			   const struct pvs_facts *facts)
{
	if (v->started) {
		pvs_u64 dt = elapsed(v->now_ns, facts->now_ns, cfg->dt_max_ns);
		pvs_u64 run = elapsed(v->run_ns, facts->run_ns, cfg->dt_max_ns);

		v->unused = pvs_boosted(v->klass) && dt && !run;
		charge(v, cfg, facts, dt, run);
		pass_durations(v, dt, run);
		keep_low_water(v, cfg, dt);
		if (facts->wait_known)
			learn_share(v, cfg, facts, run);
		else
			v->learning = 0;
	}
	v->started = 1;
	v->now_ns = facts->now_ns;
	v->run_ns = facts->run_ns;
}
