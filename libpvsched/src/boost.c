/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What a hint asks for: the highest class among running, pending or wake urgency, critical bits,
 * interrupt context and an open window. The accounts are not asked here.
 */
#include "stage.h"

#define NS_PER_US 1000u

static void forget_hint(struct pvs_vcpu *v)
{
	static const struct pvs_hint nothing PVS_TAB = { .util_ceil = PVS_UTIL_MAX };

	PVS_COPY(&v->hint, nothing);
	v->window_left_ns = 0;
	v->stale_left_ns = 0;
	v->urgent_left_ns = 0;
	v->muted = 0;
}

static void attach(struct pvs_vcpu *v)
{
	v->attached = 1;
	v->foreign = 0;
	v->asleep = 0;
	v->outside = 0;
	v->window_known = 0;
	forget_hint(v);
}

PVS_STAGE void pvs_take_event(struct pvs_vcpu *v, pvs_u32 type)
{
	switch (type) {
	case PVS_EV_ATTACH:
		attach(v);
		break;
	case PVS_EV_DETACH:
		v->attached = 0;
		break;
	case PVS_EV_FOREIGN:
		v->attached = 0;
		v->foreign = 1;
		break;
	case PVS_EV_RESET:
		forget_hint(v);
		break;
	case PVS_EV_HALT:
		v->asleep = 1;
		v->window_left_ns = 0; /* a window is void after idle */
		break;
	case PVS_EV_WAKE:
		v->asleep = 0;
		v->muted = 0;
		break;
	case PVS_EV_RUN_LEAVE:
		v->outside = 1;
		break;
	case PVS_EV_RUN_ENTER:
		v->outside = 0;
		break;
	case PVS_EV_YIELD:
		v->muted = 1;
		break;
	default:
		break; /* the rest means: look again */
	}
}

/* A statement the guest made since the last look, not merely the same words again. */
static int is_new(const struct pvs_hint *old, const struct pvs_hint *new_hint)
{
	return old->seq != new_hint->seq || old->crit != new_hint->crit ||
	       old->irq != new_hint->irq || old->pending != new_hint->pending ||
	       !(old->flags & PVS_HINT_ONLINE);
}

static int is_urgent(pvs_u32 urgency)
{
	return urgency >= PVS_URGENCY_INTERACTIVE;
}

static void take_malformed(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u32 words)
{
	pvs_u32 i;

	if (!words)
		return;
	PVS_FOR(i, 7u)
		v->malformed += (words >> i) & 1u;
	v->raise_wait_ns = pvs_max64(v->raise_wait_ns, cfg->malformed_min_ns);
	v->suspect = 1;
}

/*
 * A host that finds a running vCPU urgent merely by looking has come in the middle of it: most
 * work of this kind is over within a fraction of a look's distance, and the boost would go to
 * whatever runs next. So it must have been there at the last look too, unless the guest rang.
 */
static pvs_u8 is_brief(const struct pvs_vcpu *v, const struct pvs_io *io)
{
	return !(io->facts.caps & PVS_CAP_SEES_WAKE) && io->event.type != PVS_EV_KICK &&
	       !pvs_boosted(v->klass) && v->hint.seq != io->hint.seq;
}

/* A window is opened once by its sequence number, whatever happens to the slot in between. */
static void take_window(struct pvs_vcpu *v, const struct pvs_hint *hint)
{
	if ((hint->malformed & PVS_WORD_INTENT) || (v->window_known && v->window_seq == hint->seq))
		return;
	v->window_known = 1;
	v->window_seq = hint->seq;
	v->window_left_ns = (pvs_u64)hint->window_us * NS_PER_US;
}

PVS_STAGE void pvs_take_hint(struct pvs_vcpu *v, const struct pvs_config *cfg,
			     const struct pvs_io *io)
{
	const struct pvs_hint *hint = &io->hint;

	if (io->facts.nested)
		return; /* the last snapshot of the outer guest stands */
	take_malformed(v, cfg, hint->malformed);
	if (!(hint->flags & PVS_HINT_ONLINE)) {
		forget_hint(v);
		return;
	}
	v->still = !is_new(&v->hint, hint);
	if (!v->still) {
		v->stale_left_ns = cfg->stale_ns;
		v->muted = 0;
	}
	take_window(v, hint);
	if (hint->flags & PVS_HINT_IDLE) {
		v->window_left_ns = 0;
		v->urgent_left_ns = 0; /* it does sleep: it can be armed */
	} else if (is_urgent(hint->urgency) && !pvs_boosted(v->klass)) {
		v->urgent_left_ns = cfg->level_hold_ns;
	}
	v->brief = is_brief(v, io);
	v->hint = *hint;
}

static void raise_to(struct pvs_want *want, pvs_u32 klass, pvs_u32 reason)
{
	if (want->klass >= klass)
		return;
	want->klass = (pvs_u8)klass;
	want->reason = (pvs_u8)reason;
}

/* An urgency class is a wish for less than baseline, baseline, or more. */
static void want_urgency(struct pvs_want *want, pvs_u32 urgency, pvs_u32 brief)
{
	if (is_urgent(urgency) && brief)
		raise_to(want, PVS_CLASS_BASELINE, PVS_REASON_BRIEF);
	else if (is_urgent(urgency))
		raise_to(want, PVS_CLASS_TASK, PVS_REASON_URGENT);
	else if (urgency == PVS_URGENCY_IDLE || urgency == PVS_URGENCY_BACKGROUND)
		raise_to(want, PVS_CLASS_BELOW, PVS_REASON_BELOW);
	else
		raise_to(want, PVS_CLASS_BASELINE, PVS_REASON_NONE);
}

/* What a sleeping or waking vCPU is worth: its wake urgency, as far as this host sees wake-ups. */
static void want_idle(const struct pvs_vcpu *v, pvs_u32 caps, struct pvs_want *want)
{
	pvs_u32 urgency = (v->hint.flags & PVS_HINT_WAKE_VALID) ? v->hint.wake_urgency
								: PVS_URGENCY_UNSPECIFIED;

	if (v->asleep || !is_urgent(urgency))
		raise_to(want, PVS_CLASS_BASELINE, PVS_REASON_IDLE);
	else if (caps & PVS_CAP_SEES_WAKE)
		raise_to(want, PVS_CLASS_TASK, PVS_REASON_WAKE);
	else
		raise_to(want, PVS_CLASS_TASK, PVS_REASON_ARMED);
}

/* Boosts that need the guest to be awake and its statement to be fresh. */
static void want_more(const struct pvs_vcpu *v, struct pvs_want *want)
{
	pvs_u32 pending = (pvs_u32)v->hint.pending >> PVS_PENDING_CLASS_SHIFT;

	if (v->hint.crit)
		raise_to(want, PVS_CLASS_CRITICAL, PVS_REASON_CRIT);
	if (v->hint.irq && want->klass < PVS_CLASS_CRITICAL) {
		raise_to(want, PVS_CLASS_CRITICAL, PVS_REASON_IRQ);
		want->on_irq = 1;
	}
	if (v->window_left_ns)
		raise_to(want, PVS_CLASS_TASK, PVS_REASON_WINDOW);
	if (is_urgent(pending))
		raise_to(want, PVS_CLASS_TASK, PVS_REASON_PENDING);
	else if (pending >= PVS_URGENCY_NORMAL)
		raise_to(want, PVS_CLASS_BASELINE, PVS_REASON_PENDING);
}

PVS_STAGE void pvs_boost_want(const struct pvs_vcpu *v, pvs_u32 caps, struct pvs_want *want)
{
	want->klass = PVS_CLASS_NONE;
	want->reason = PVS_REASON_NONE;
	want->on_irq = 0;
	want->urgent = 0;
	want->denied = PVS_REASON_NONE;
	want->spins = 0;
	if (!v->attached) {
		raise_to(want, PVS_CLASS_BASELINE,
			 v->foreign ? PVS_REASON_FOREIGN : PVS_REASON_DETACHED);
		return;
	}
	if (v->outside) {
		raise_to(want, PVS_CLASS_BASELINE, PVS_REASON_OUTSIDE);
		return;
	}
	if (!(v->hint.flags & PVS_HINT_ONLINE)) {
		raise_to(want, PVS_CLASS_BASELINE, PVS_REASON_OFFLINE);
		return;
	}
	if (v->hint.flags & PVS_HINT_IDLE)
		want_idle(v, caps, want);
	else
		want_urgency(want, v->hint.urgency, v->brief);
	want_more(v, want);
	want->urgent = (pvs_u8)pvs_boosted(want->klass);
	if (!want->urgent)
		return;
	if (v->muted) {
		want->klass = PVS_CLASS_BASELINE;
		want->reason = PVS_REASON_YIELD;
	} else if (!v->stale_left_ns) {
		want->klass = PVS_CLASS_BASELINE;
		want->reason = PVS_REASON_STALE;
		want->denied = PVS_REASON_STALE;
	}
}
