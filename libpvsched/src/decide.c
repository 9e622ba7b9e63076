/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Stage 3, the whole of it in pvs_decide(): time, events, hint, wish, limits, decision.
 */
#include "stage.h"

PVS_API void pvs_post(struct pvs_vcpu *v, pvs_u32 event_type)
{
	pvs_u32 type = event_type < PVS_EV_COUNT ? event_type : PVS_EV_POLL;

	(void)PVS_OR32(&v->inbox, (pvs_u32)1 << type);
}

/*
 * Posted events, in the order of their numbers, then the caller's own. One word cannot tell in
 * which order they were posted; the numbers are such that the later one of a pair is the one that
 * is safe when it comes last (leave after enter, halt after wake, detach after attach).
 */
static void take_events(struct pvs_vcpu *v, pvs_u32 own)
{
	pvs_u32 posted = PVS_PEEK(pvs_u32, &v->inbox) ? PVS_XCHG32(&v->inbox, 0u) : 0u;
	pvs_u32 type;

	if (posted) {
		PVS_FOR(type, PVS_EV_COUNT) {
			if (posted & ((pvs_u32)1 << type))
				pvs_take_event(v, type);
		}
	}
	pvs_take_event(v, own);
}

/* Half its weight gives a vCPU's time back at a sixth of real time beside one other (a half less a
 * third), at an eighth beside two. What is paid too much by looking late is kept as credit. */
#define PAYBACK_SLOWNESS 8u

static pvs_u8 throttle_of(pvs_u32 reason)
{
	switch (reason) {
	case PVS_REASON_BOOST_EMPTY:
	case PVS_REASON_TOO_SHORT:
		return PVS_THROTTLE_BOOST_EMPTY;
	case PVS_REASON_IRQ_EMPTY:
		return PVS_THROTTLE_IRQ_EMPTY;
	case PVS_REASON_VM_CAP:
		return PVS_THROTTLE_VM_CAP;
	case PVS_REASON_GRANT_MAX:
		return PVS_THROTTLE_GRANT_MAX;
	case PVS_REASON_RATE:
		return PVS_THROTTLE_RATE;
	case PVS_REASON_MALFORMED:
		return PVS_THROTTLE_MALFORMED;
	case PVS_REASON_STALE:
		return PVS_THROTTLE_STALE;
	default:
		return 0;
	}
}

static pvs_u32 weight_of(const struct pvs_config *cfg, const struct pvs_want *want)
{
	if (want->klass != PVS_CLASS_BELOW)
		return 1024u;
	return want->reason == PVS_REASON_PAYBACK ? cfg->pay_weight_q10 : cfg->below_weight_q10;
}

/* Could the guest's next word change anything? Not while what denies a boost is time itself. */
static int ring_helps(const struct pvs_want *want)
{
	return want->denied == PVS_REASON_NONE || want->denied == PVS_REASON_STALE;
}

/* Armed vCPUs are mostly periodic. Looks at a steady pace would fall into step with some of them
 * and hit each wake-up for a while; so each comes up to an eighth sooner, by a hash of the time. */
static pvs_u64 out_of_step(pvs_u64 ns, pvs_u64 now_ns)
{
	pvs_u32 hash = (pvs_u32)now_ns * 2654435761u; /* 2^32 / golden ratio: Knuth */

	return ns - (ns >> 9) * (hash >> 26);
}

/* A vCPU that did not run since the last look uses nothing up, and must not be looked at as if it
 * did: what is left of hint and window is run time. It may overrun them by this when it wakes. */
#define UNUSED_LOOK_NS 2000000u

/* How long this decision can stand if nothing happens. */
static pvs_u64 valid_for(const struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u32 caps,
			 const struct pvs_want *want)
{
	pvs_u64 left = cfg->poll_ns;

	if (pvs_boosted(want->klass)) {
		pvs_s64 account = want->on_irq ? v->irq_left_ns : v->boost_left_ns;

		left = pvs_min64(left, account > 0 ? (pvs_u64)account : 0u);
		/* a boost at its maximum is not boosted any more (limit.c) */
		left = pvs_min64(left, cfg->grant_max_ns - v->grant_used_ns);
		left = pvs_min64(left, v->stale_left_ns);
		if (want->reason == PVS_REASON_WINDOW)
			left = pvs_min64(left, v->window_left_ns);
		/* Nobody will tell when it is over: look often. */
		if (want->reason == PVS_REASON_URGENT && !(caps & PVS_CAP_CAN_KICK))
			left = 0;
		if (v->unused)
			left = pvs_max64(left, UNUSED_LOOK_NS);
		if (want->reason == PVS_REASON_ARMED)
			left = out_of_step(left, v->now_ns);
	} else if (want->reason == PVS_REASON_PAYBACK) {
		left = pvs_min64(left, (pvs_u64)-v->normal_left_ns * PAYBACK_SLOWNESS);
	} else if (want->denied == PVS_REASON_RATE || want->denied == PVS_REASON_MALFORMED) {
		left = pvs_min64(left, v->raise_wait_ns);
	} else if (v->urgent_left_ns && !want->urgent && pvs_rank(v, cfg) >= PVS_RANKS / 2u &&
		   !(caps & PVS_CAP_SEES_WAKE)) {
		/* Such a host sees it urgent only by looking; and each look makes an advisory
		 * host's scheduler think again, which bounds how long a slice overruns. Looks are
		 * paid by all: who empties its account gets none of them. */
		left = pvs_min64(left, cfg->urgent_poll_ns);
	} else if ((caps & PVS_CAP_CAN_KICK) && want->klass == PVS_CLASS_BASELINE &&
		   !want->urgent && !v->urgent_left_ns && !want->spins) {
		left = cfg->quiet_poll_ns;
	}
	return pvs_max64(left, cfg->recheck_min_ns);
}

static void count(struct pvs_vcpu *v, const struct pvs_config *cfg, const struct pvs_want *want)
{
	if (want->reason == v->reason && want->klass == v->klass)
		return;
	v->reasons[want->reason & (PVS_REASON_COUNT - 1u)]++;
	if (pvs_boosted(want->klass) && !pvs_boosted(v->klass)) {
		v->boosts++;
		v->raise_wait_ns = pvs_max64(v->raise_wait_ns, cfg->raise_min_ns);
	} else if (want->urgent && !pvs_boosted(want->klass)) {
		v->denials++;
	}
}

/* Performance is wanted by who runs and says so; an old statement says nothing. */
static pvs_u32 perf_of(const struct pvs_vcpu *v)
{
	if (!v->attached || v->outside || v->asleep || !v->stale_left_ns ||
	    (v->hint.flags & (PVS_HINT_UTIL_VALID | PVS_HINT_IDLE)) != PVS_HINT_UTIL_VALID)
		return 0;
	return v->hint.util;
}

static void conclude(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u32 caps,
		     struct pvs_io *io, const struct pvs_want *want)
{
	struct pvs_decision *d = &io->decision;
	pvs_u32 weight = weight_of(cfg, want);
	pvs_u8 rank = pvs_boosted(want->klass) ? pvs_rank(v, cfg) : 0u;

	d->flags = 0;
	if (want->klass != v->klass || rank != v->rank || weight != v->weight_q10)
		d->flags |= PVS_DECISION_CHANGED;
	if (cfg->flags & PVS_CONFIG_MEASURE_ONLY)
		d->flags |= PVS_DECISION_MEASURE;
	if (!v->attached)
		d->flags |= PVS_DECISION_RELEASE;
	if (io->hint.malformed && !io->facts.nested)
		d->flags |= PVS_DECISION_MALFORMED;
	count(v, cfg, want);

	v->klass = want->klass;
	v->reason = want->reason;
	v->on_irq = want->on_irq;
	v->rank = rank;
	v->weight_q10 = weight;
	v->throttle = throttle_of(want->denied); /* also while it pays back */
	if (v->klass != PVS_CLASS_BASELINE || want->urgent || v->urgent_left_ns || v->paying)
		d->flags |= PVS_DECISION_SAMPLE;
	if ((d->flags & PVS_DECISION_SAMPLE) && !pvs_boosted(v->klass) &&
	    (caps & PVS_CAP_SEES_WAIT))
		d->flags |= PVS_DECISION_SAMPLE_WAIT;

	d->klass = v->klass;
	d->rank = rank;
	d->reason = v->reason;
	d->throttle = v->throttle;
	d->weight_q10 = weight;
	d->yield_to = PVS_NO_TARGET;
	d->perf_q10 = perf_of(v);
	d->reserved = 0;
	d->recheck_at_ns = v->attached ? io->facts.now_ns + valid_for(v, cfg, caps, want)
				       : PVS_NEVER;
	d->ring_at_ns = ring_helps(want) ? io->facts.now_ns : d->recheck_at_ns;
}

PVS_API void pvs_decide(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			struct pvs_io *io)
{
	pvs_u32 caps = io->facts.caps;
	struct pvs_want want;

	if (!(vm->terms.features & PVS_F_KICK))
		caps &= ~PVS_CAP_CAN_KICK; /* there is a bell, but this guest will not ring it */
	if (io->event.type == PVS_EV_ATTACH)
		v->started = 0; /* another thread may have come, with clocks of its own */
	pvs_account(v, cfg, &io->facts);
	take_events(v, io->event.type);
	pvs_take_hint(v, cfg, io);
	pvs_boost_want(v, caps, &want);
	/* A vCPU that sleeps now and then says so. One that does not may be waiting, at full speed,
	 * for another one that cannot run meanwhile; a look now and then breaks the spell. */
	want.spins = v->still && vm->terms.slot_count > 1u && !(caps & PVS_CAP_SEES_PREEMPT);
	pvs_limit(v, vm, cfg, &io->facts, &want);
	if (io->event.type == PVS_EV_KICK && want.reason == PVS_REASON_NONE &&
	    pvs_boosted(v->klass))
		want.reason = PVS_REASON_KICK;
	conclude(v, cfg, caps, io, &want);
}

PVS_API int pvs_preempts(const struct pvs_vcpu *a, const struct pvs_vcpu *b)
{
	if (a->klass != b->klass)
		return a->klass > b->klass ? 1 : -1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? 1 : -1;
	return 0;
}
