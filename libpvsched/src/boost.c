/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a hint asks for: the highest class among running, pending or wake urgency, critical bits,
 * interrupts and an open window. The accounts are not asked here.
 */
#include "stage.h"

#define NS_PER_US 1000u

PVS_STAGE void pvs_forget_hint(struct pvs_vcpu *v)
{
	pvs_hint_clear(&v->hint);
	v->window_end_ns = 0;
	v->stale_end_ns = 0;
	v->urgent_end_ns = 0;
	v->ticket_end_ns = 0;
	v->muted = 0;
	v->still = 0;
	v->crit_mask = PVS_CRIT_ALL;
	v->granted = 0;
}

/* Sequence, critical bits, interrupt bits and pending urgency, as one number. */
PVS_INLINE pvs_u32 said(const struct pvs_hint *hint)
{
	pvs_u32 word;

	__builtin_memcpy(&word, hint, sizeof(word));
	return word;
}

static void take_malformed(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u32 words)
{
	pvs_u32 i;

	PVS_FOR(i, 7u)
		v->malformed += (words >> i) & 1u;
	v->raise_ok_ns = pvs_max64(v->raise_ok_ns, v->clock_ns + cfg->malformed_min_ns);
	v->suspect = 1;
}

/* A window is opened once by its sequence number, whatever happens to the slot in between. */
PVS_INLINE void take_window(struct pvs_vcpu *v, const struct pvs_hint *hint)
{
	if ((v->window_seq == hint->seq && v->window_known) ||
	    (hint->malformed & PVS_WORD_INTENT) || (hint->flags & PVS_HINT_TORN))
		return;
	v->window_known = 1;
	v->window_seq = hint->seq;
	v->window_end_ns = v->ran_ns + (pvs_u64)hint->window_us * NS_PER_US;
}

/* A statement the guest made since the last look, not merely the same words again. */
PVS_INLINE void take_new(struct pvs_vcpu *v, const struct pvs_config *cfg,
			 const struct pvs_hint *hint)
{
	v->still = 0;
	v->muted = 0;
	v->crit_mask = PVS_CRIT_ALL;
	v->stale_end_ns = v->ran_ns + cfg->stale_ns;
	v->granted &= hint->crit != 0;
	take_window(v, hint);
}

/* From here on v->hint is what counts. */
PVS_INLINE void take_hint(struct pvs_vcpu *v, const struct pvs_config *cfg,
			  const struct pvs_hint *hint, struct pvs_now *now)
{
	if (PVS_RARE(hint->malformed))
		take_malformed(v, cfg, hint->malformed);
	if (PVS_RARE(!(hint->flags & PVS_HINT_ONLINE))) {
		pvs_forget_hint(v);
		return;
	}
	now->fresh = v->hint.seq != hint->seq;
	v->still = 1;
	if (said(&v->hint) != said(hint) || PVS_RARE(!(v->hint.flags & PVS_HINT_ONLINE)))
		take_new(v, cfg, hint);
	if (PVS_RARE(v->ticket_end_ns) && hint->irq_ack == v->ticket)
		v->ticket_end_ns = 0;
	if (hint->flags & PVS_HINT_IDLE) {
		v->window_end_ns = 0;
		v->urgent_end_ns = 0; /* it does sleep: it can be armed */
	}
	v->hint = *hint;
}

PVS_INLINE void raise_to(struct pvs_now *now, pvs_u32 klass, pvs_u32 reason)
{
	if (now->klass >= klass)
		return;
	now->klass = klass;
	now->reason = reason;
}

/*
 * A host that finds a running vCPU urgent merely by looking has come in the middle of it: most
 * work of this kind is over within a fraction of a look's distance, and the boost would go to
 * whatever runs next. So it must have been there at the last look too, unless the guest rang.
 */
PVS_INLINE int is_brief(const struct pvs_io *io, const struct pvs_now *now)
{
	return now->fresh && !(now->caps & PVS_CAP_SEES_WAKE) && io->event.type != PVS_EV_KICK;
}

/* An urgency class is a wish for less than baseline, baseline, or more. */
PVS_INLINE void want_urgency(struct pvs_vcpu *v, const struct pvs_config *cfg,
			     const struct pvs_io *io, struct pvs_now *now)
{
	pvs_u32 urgency = v->hint.urgency;

	if (pvs_urgent(urgency)) {
		now->klass = PVS_CLASS_TASK;
		now->reason = PVS_REASON_URGENT;
		if (pvs_boosted(v->klass)) {
			/* what an interrupt woke goes on as it: paid otherwise, not worth less */
			if (v->on_irq || v->reason == PVS_REASON_URGENT)
				now->klass = v->klass;
			return;
		}
		v->urgent_end_ns = v->clock_ns + cfg->level_hold_ns;
		if (is_brief(io, now)) {
			now->klass = PVS_CLASS_BASELINE;
			now->reason = PVS_REASON_BRIEF;
		}
	} else if (urgency - PVS_URGENCY_IDLE <= PVS_URGENCY_BACKGROUND - PVS_URGENCY_IDLE) {
		now->klass = PVS_CLASS_BELOW;
		now->reason = PVS_REASON_BELOW;
	}
}

/* What a sleeping or waking vCPU is worth: its wake urgency, as far as this host sees wake-ups. */
PVS_INLINE void want_idle(const struct pvs_vcpu *v, struct pvs_now *now)
{
	now->reason = PVS_REASON_IDLE;
	if (v->asleep || !(v->hint.flags & PVS_HINT_WAKE_VALID) ||
	    !pvs_urgent(v->hint.wake_urgency))
		return;
	now->klass = PVS_CLASS_TASK;
	now->reason = (now->caps & PVS_CAP_SEES_WAKE) ? PVS_REASON_WAKE : PVS_REASON_ARMED;
}

/* An interrupt asks for more than a task does; while its account is empty, the task's is asked. */
PVS_INLINE void want_irq(const struct pvs_vcpu *v, pvs_u32 reason, struct pvs_now *now)
{
	if (v->irq_empty && pvs_boosted(now->klass)) {
		now->denied = PVS_REASON_IRQ_EMPTY;
		return;
	}
	now->klass = PVS_CLASS_CRITICAL;
	now->reason = reason;
	now->on_irq = 1;
}

/* Critical bits, interrupt bits and what others have queued here. */
PVS_INLINE void want_bits(const struct pvs_vcpu *v, struct pvs_now *now)
{
	pvs_u32 pending = (pvs_u32)v->hint.pending >> PVS_PENDING_CLASS_SHIFT;

	if (v->hint.crit & v->crit_mask) {
		now->klass = PVS_CLASS_CRITICAL;
		now->reason = PVS_REASON_CRIT;
		return;
	}
	if (pending >= PVS_URGENCY_NORMAL)
		raise_to(now, pvs_urgent(pending) ? PVS_CLASS_TASK : PVS_CLASS_BASELINE,
			 PVS_REASON_PENDING);
	if (v->hint.irq)
		want_irq(v, PVS_REASON_IRQ, now);
}

/* A delivery boosts a vCPU that has no better reason, whatever it said and however long ago. */
static void want_ticket(const struct pvs_vcpu *v, struct pvs_now *now)
{
	if (v->ran_ns >= v->ticket_end_ns || now->klass == PVS_CLASS_CRITICAL)
		return;
	now->urgent = 1;
	if (v->storm) {
		now->denied = PVS_REASON_STORM;
		if (!pvs_boosted(now->klass)) {
			now->klass = PVS_CLASS_BASELINE;
			now->reason = PVS_REASON_STORM;
		}
		return;
	}
	now->denied = PVS_REASON_NONE; /* that what it said is old does not matter */
	want_irq(v, PVS_REASON_TICKET, now);
}

/* It has yielded, or what it said is old. */
PVS_INLINE void mute(const struct pvs_vcpu *v, struct pvs_now *now)
{
	now->klass = PVS_CLASS_BASELINE;
	now->on_irq = 0;
	now->reason = v->muted ? PVS_REASON_YIELD : PVS_REASON_STALE;
	now->denied = v->muted ? PVS_REASON_NONE : PVS_REASON_STALE;
}

PVS_INLINE void want(struct pvs_vcpu *v, const struct pvs_config *cfg, const struct pvs_io *io,
		     struct pvs_now *now)
{
	if (v->hint.flags & PVS_HINT_IDLE)
		want_idle(v, now);
	else
		want_urgency(v, cfg, io, now);
	if (v->ran_ns < v->window_end_ns)
		raise_to(now, PVS_CLASS_TASK, PVS_REASON_WINDOW);
	if (v->hint.crit | v->hint.irq | v->hint.pending)
		want_bits(v, now);
	if (pvs_boosted(now->klass)) {
		now->urgent = 1;
		if (PVS_RARE(v->muted || v->ran_ns >= v->stale_end_ns))
			mute(v, now);
	}
	if (PVS_RARE(v->ticket_end_ns))
		want_ticket(v, now);
}

PVS_STAGE void pvs_boost(struct pvs_vcpu *v, const struct pvs_config *cfg,
			 const struct pvs_io *io, struct pvs_now *now)
{
	now->klass = PVS_CLASS_BASELINE;
	now->on_irq = 0;
	now->urgent = 0;
	now->denied = PVS_REASON_NONE;
	now->fresh = 0;
	/* While it runs a nested guest, what was known stands. */
	if (!PVS_RARE(io->facts.nested))
		take_hint(v, cfg, &io->hint, now);
	now->reason = v->gate;
	if (PVS_RARE(v->gate))
		return;
	if (PVS_RARE(!(v->hint.flags & PVS_HINT_ONLINE)))
		now->reason = PVS_REASON_OFFLINE;
	else if (PVS_RARE(io->facts.dedicated))
		now->reason = PVS_REASON_DEDICATED;
	else
		want(v, cfg, io, now);
}
