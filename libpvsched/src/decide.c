/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Stage 3, the whole of it in pvs_decide(): time, events, hint, wish, limits, decision.
 */
#include "stage.h"

/* Half its weight gives a vCPU's time back at a sixth of real time beside one other (a half less a
 * third), at an eighth beside two. */
#define PAYBACK_SLOWNESS 8u

/* What the guest is told of what denies it a boost. */
static const pvs_u8 throttle_for[PVS_REASON_COUNT] PVS_TAB = {
	[PVS_REASON_BOOST_EMPTY] = PVS_THROTTLE_BOOST_EMPTY,
	[PVS_REASON_TOO_SHORT] = PVS_THROTTLE_BOOST_EMPTY,
	[PVS_REASON_IRQ_EMPTY] = PVS_THROTTLE_IRQ_EMPTY,
	[PVS_REASON_VM_CAP] = PVS_THROTTLE_VM_CAP,
	[PVS_REASON_GRANT_MAX] = PVS_THROTTLE_GRANT_MAX,
	[PVS_REASON_STORM] = PVS_THROTTLE_STORM,
	[PVS_REASON_RATE] = PVS_THROTTLE_RATE,
	[PVS_REASON_MALFORMED] = PVS_THROTTLE_MALFORMED,
	[PVS_REASON_STALE] = PVS_THROTTLE_STALE,
};

static pvs_u32 throttle_of(pvs_u32 reason)
{
	PVS_OPT(reason);
	return throttle_for[reason & (PVS_REASON_COUNT - 1u)];
}

PVS_INLINE pvs_u32 weight_of(const struct pvs_config *cfg, const struct pvs_now *now)
{
	if (now->klass != PVS_CLASS_BELOW)
		return 1024u;
	return now->reason == PVS_REASON_PAYBACK ? cfg->pay_weight_q10 : cfg->below_weight_q10;
}

/* Armed vCPUs are mostly periodic. Looks at a steady pace would fall into step with some of them
 * and hit each wake-up for a while; so each comes up to an eighth sooner, by a hash of the time. */
PVS_INLINE pvs_u64 out_of_step(pvs_u64 ns, pvs_u64 now_ns)
{
	pvs_u32 hash = (pvs_u32)now_ns * 2654435761u; /* 2^32 / golden ratio: Knuth */

	return ns - (ns >> 9) * (hash >> 26);
}

/* A vCPU that did not run since the last look uses nothing up, and must not be looked at as if it
 * did: what is left of hint and window is run time. It may overrun them by this when it wakes. */
#define UNUSED_LOOK_NS 2000000u

/* Handlers are over within this (the longest slice extension of rseq is as much). What a vCPU does
 * then is paid from another account, and nobody tells: a task that was woken may be as urgent. */
#define IRQ_LOOK_NS 50000u

/* A boost stands until its account, its maximum, its statement or its window is over. */
PVS_INLINE pvs_u64 boost_valid_for(const struct pvs_vcpu *v, const struct pvs_config *cfg,
				   const struct pvs_now *now)
{
	pvs_u64 left = pvs_min64(cfg->poll_ns, now->left_ns);
	/* when what asks for it is over; a ticket is open, a statement fresh (boost.c) */
	pvs_u64 end_ns = v->stale_end_ns;

	/* a boost at its maximum is not boosted any more (limit.c) */
	left = pvs_min64(left, cfg->grant_max_ns - v->grant_used_ns);
	if (now->reason == PVS_REASON_TICKET)
		end_ns = v->ticket_end_ns;
	else if (now->reason == PVS_REASON_WINDOW)
		end_ns = pvs_min64(end_ns, v->window_end_ns);
	left = pvs_min64(left, end_ns - v->ran_ns);
	/* Nobody will tell when it is over: look often. */
	if (now->reason == PVS_REASON_URGENT && !(now->caps & PVS_CAP_CAN_KICK))
		left = 0;
	if (!now->run_ns && now->dt_ns && pvs_boosted(v->klass) &&
	    ((v->run_epoch & 1u) || !(now->caps & PVS_CAP_SEES_PREEMPT)))
		left = pvs_max64(left, UNUSED_LOOK_NS);
	return now->reason == PVS_REASON_ARMED ? out_of_step(left, v->now_ns) : left;
}

/*
 * A vCPU that sleeps now and then says so. One that does not may be waiting, at full speed, for
 * another one that cannot run meanwhile; a look now and then breaks the spell, on a host that sees
 * it in no other way.
 */
PVS_INLINE int may_spin(const struct pvs_vcpu *v, const struct pvs_vm *vm, pvs_u32 caps)
{
	return v->still && !(v->hint.flags & PVS_HINT_IDLE) && !v->gate &&
	       vm->terms.slot_count > 1u && !(caps & PVS_CAP_SEES_PREEMPT);
}

/* What is paid too much by looking late is kept as credit; the last looks at a small debt would
 * cost more than it. */
#define PAYBACK_LOOK_NS 2000000u

PVS_INLINE pvs_u64 payback_for(const struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	pvs_u64 owed_ns = (pvs_u64)-v->normal_left_ns;

	return pvs_min64(cfg->poll_ns, pvs_max64(owed_ns * PAYBACK_SLOWNESS, PAYBACK_LOOK_NS));
}

/* An empty account opens when enough has been earned, not before. */
static pvs_u64 closed_for(const struct pvs_vcpu *v, const struct pvs_config *cfg,
			  pvs_u32 entitled_q16)
{
	pvs_u64 missing_ns = pvs_less64(v->boost_full_at_ns - v->earned_ns, cfg->boost_open_ns);
	pvs_u64 wall_ns = PVS_DIV64(missing_ns << 16, entitled_q16);

	return pvs_min64(pvs_max64(wall_ns, cfg->poll_ns), cfg->quiet_poll_ns);
}

/* How long a decision not to boost can stand if nothing happens. */
PVS_INLINE pvs_u64 base_valid_for(const struct pvs_vcpu *v, const struct pvs_vm *vm,
				  const struct pvs_config *cfg, const struct pvs_now *now)
{
	if (now->reason == PVS_REASON_PAYBACK)
		return payback_for(v, cfg);
	if (now->urgent) {
		if (now->denied == PVS_REASON_BOOST_EMPTY)
			return closed_for(v, cfg, now->entitled_q16);
		if (now->denied == PVS_REASON_RATE || now->denied == PVS_REASON_MALFORMED)
			return pvs_min64(cfg->poll_ns, v->raise_ok_ns - v->clock_ns);
		return cfg->poll_ns;
	}
	/* A host that does not see wake-ups finds it urgent only by looking; and each look makes
	 * an advisory host's scheduler think again, which bounds how long a slice overruns. Looks
	 * are paid by all: who empties its account gets none of them. */
	if (v->clock_ns < v->urgent_end_ns && !v->gate) {
		if (!(now->caps & PVS_CAP_SEES_WAKE) && pvs_rank(v, cfg) >= PVS_RANKS / 2u)
			return pvs_min64(cfg->poll_ns, cfg->urgent_poll_ns);
		return cfg->poll_ns;
	}
	if ((now->caps & PVS_CAP_CAN_KICK) && now->klass == PVS_CLASS_BASELINE &&
	    !may_spin(v, vm, now->caps))
		return cfg->quiet_poll_ns;
	return cfg->poll_ns;
}

static void count_change(struct pvs_vcpu *v, const struct pvs_config *cfg,
			 const struct pvs_now *now)
{
	v->reasons[now->reason & (PVS_REASON_COUNT - 1u)]++;
	if (pvs_boosted(now->klass)) {
		if (pvs_boosted(v->klass))
			return;
		v->boosts++;
		v->suspect = 0; /* or it would not have been raised (limit.c) */
		v->raise_ok_ns = v->clock_ns + cfg->raise_min_ns;
	} else if (now->urgent) {
		v->denials++;
	}
}

/* Performance is wanted by who runs and says so; an old statement says nothing. */
static pvs_u32 perf_of(const struct pvs_vcpu *v)
{
	pvs_u32 util = v->hint.util;

	if ((v->hint.flags & PVS_HINT_IDLE) || v->gate || v->asleep || v->ran_ns >= v->stale_end_ns)
		return 0;
	if (util < v->hint.util_floor)
		return v->hint.util_floor;
	return util > v->hint.util_ceil ? v->hint.util_ceil : util;
}

PVS_INLINE pvs_u64 at_most_full(pvs_u32 part)
{
	return part > PVS_UTIL_MAX ? PVS_UTIL_MAX : part;
}

static void tell_perf(struct pvs_vcpu *v, const struct pvs_facts *facts)
{
	v->perf_word = (at_most_full(facts->capacity) << PVS_PERF_CAPACITY_SHIFT) |
		       (at_most_full(facts->perf) << PVS_PERF_CURRENT_SHIFT) |
		       (at_most_full(facts->contention) << PVS_PERF_CONTENTION_SHIFT) |
		       ((pvs_u64)v->cpu_gen << PVS_PERF_GEN_SHIFT);
}

/* What the host should know at the next call. */
PVS_INLINE pvs_u32 base_flags(const struct pvs_vcpu *v, const struct pvs_now *now)
{
	pvs_u32 flags = 0;

	if (PVS_RARE(v->gate && v->gate != PVS_REASON_OUTSIDE))
		flags = PVS_DECISION_RELEASE;
	if (now->klass == PVS_CLASS_BASELINE && !(now->urgent | v->paying) &&
	    v->clock_ns >= v->urgent_end_ns)
		return flags;
	if (now->caps & PVS_CAP_SEES_WAIT)
		flags |= PVS_DECISION_SAMPLE_WAIT;
	return flags | PVS_DECISION_SAMPLE;
}

PVS_INLINE pvs_u32 boost_flags(const struct pvs_vcpu *v, const struct pvs_now *now)
{
	if (PVS_RARE(v->hint.crit & v->crit_mask & PVS_CRIT_IRQS_OFF) &&
	    (now->caps & PVS_CAP_IRQ_WINDOW))
		return PVS_DECISION_SAMPLE | PVS_DECISION_ARM_IRQ_WINDOW;
	return PVS_DECISION_SAMPLE;
}

/* What is decided about the class, its order and its weight. */
struct verdict {
	pvs_u64 valid_ns; /* it stands for so long */
	pvs_u32 rank;
	pvs_u32 weight_q10;
	pvs_u32 flags; /* PVS_DECISION_* */
};

PVS_INLINE void judge(const struct pvs_vcpu *v, const struct pvs_vm *vm,
		      const struct pvs_config *cfg, const struct pvs_now *now,
		      struct verdict *out)
{
	if (pvs_boosted(now->klass)) {
		out->rank = pvs_rank(v, cfg);
		out->weight_q10 = 1024u;
		out->flags = boost_flags(v, now);
		out->valid_ns = boost_valid_for(v, cfg, now);
	} else {
		out->rank = 0;
		out->weight_q10 = weight_of(cfg, now);
		out->flags = base_flags(v, now);
		out->valid_ns = base_valid_for(v, vm, cfg, now);
	}
}

/* State and decision get the same. */
PVS_INLINE void conclude(struct pvs_vcpu *v, const struct pvs_config *cfg, struct pvs_io *io,
			 const struct pvs_now *now, const struct verdict *is)
{
	struct pvs_decision *d = &io->decision;
	pvs_u32 flags = is->flags | cfg->decision_flags;
	pvs_u64 valid_ns = pvs_max64(is->valid_ns, cfg->recheck_min_ns);
	pvs_u32 throttle = 0;

	if (now->on_irq && !(v->run_epoch & 1u))
		valid_ns = pvs_min64(valid_ns, IRQ_LOOK_NS);
	d->recheck_at_ns = io->facts.now_ns + valid_ns;
	/* Could the guest's next word change anything? Not while what denies a boost is time. */
	d->ring_at_ns = io->facts.now_ns;
	if (PVS_RARE(now->denied)) {
		throttle = throttle_of(now->denied); /* also while it pays back */
		if (throttle != PVS_THROTTLE_STALE)
			d->ring_at_ns = d->recheck_at_ns;
	}
	if (PVS_RARE(flags & PVS_DECISION_RELEASE))
		d->recheck_at_ns = PVS_NEVER;
	if (PVS_RARE(io->hint.malformed) && !io->facts.nested)
		flags |= PVS_DECISION_MALFORMED;
	if (now->reason != v->reason || now->klass != v->klass)
		count_change(v, cfg, now);
	if (now->klass != v->klass || is->rank != v->rank || is->weight_q10 != v->weight_q10)
		flags |= PVS_DECISION_CHANGED;

	d->klass = v->klass = (pvs_u8)now->klass;
	d->rank = v->rank = (pvs_u8)is->rank;
	d->reason = v->reason = (pvs_u8)now->reason;
	d->throttle = v->throttle = (pvs_u8)throttle;
	d->flags = flags;
	d->weight_q10 = v->weight_q10 = is->weight_q10;
	v->on_irq = (pvs_u8)now->on_irq;
	v->contended = io->facts.contended;
	v->dedicated = io->facts.dedicated;
	d->perf_q10 = (v->hint.flags & PVS_HINT_UTIL_VALID) ? perf_of(v) : 0u;
	d->defer = 0;
}

/* There may be a bell that this guest will not ring, and a word it does not read. */
PVS_INLINE pvs_u32 caps_for(pvs_u64 features, pvs_u32 caps)
{
	if (!(features & PVS_F_KICK))
		caps &= ~PVS_CAP_CAN_KICK;
	if (!(features & PVS_F_PERF))
		caps &= ~PVS_CAP_TELLS_PERF;
	return caps;
}

PVS_API void pvs_decide(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			struct pvs_io *io)
{
	struct verdict verdict;
	struct pvs_now now;

	now.caps = caps_for(vm->terms.features, io->facts.caps);
	now.entitled_q16 = pvs_entitled_q16(v, &io->facts);
	now.left_ns = 0;
	pvs_account(v, cfg, &io->facts, &now);
	pvs_take_events(v, vm, cfg, io);
	pvs_boost(v, cfg, io, &now);
	pvs_limit(v, vm, cfg, &io->facts, &now);
	if (PVS_RARE(io->event.type == PVS_EV_KICK) && now.reason == PVS_REASON_NONE &&
	    pvs_boosted(v->klass))
		now.reason = PVS_REASON_KICK;
	judge(v, vm, cfg, &now, &verdict);
	conclude(v, cfg, io, &now, &verdict);
	if (PVS_RARE(now.caps & PVS_CAP_TELLS_PERF))
		tell_perf(v, &io->facts);
	if (PVS_RARE(io->event.type == PVS_EV_PREEMPT))
		pvs_preempt(v, vm, cfg, io);
}

PVS_API int pvs_preempts(const struct pvs_vcpu *a, const struct pvs_vcpu *b)
{
	if (a->klass != b->klass)
		return a->klass > b->klass ? 1 : -1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? 1 : -1;
	return 0;
}
