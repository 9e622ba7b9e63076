/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Stage 2. Words become a hint in which every field is in range. A word with a bit that its
 * features do not allow, or a field out of range, is malformed: it counts as zero, and says so.
 */
#include "stage.h"

#define FIELD(shift, bits) (PVS_MASK(bits) << (shift))

/* Bits of the word a guest with these features may set. */
static pvs_u64 intent_allowed(pvs_u64 features)
{
	pvs_u64 allowed = FIELD(PVS_INTENT_CLASS_SHIFT, PVS_INTENT_CLASS_BITS) |
			  FIELD(PVS_INTENT_LEVEL_SHIFT, PVS_INTENT_LEVEL_BITS) |
			  FIELD(PVS_INTENT_IDLE_SHIFT, 1) |
			  FIELD(PVS_INTENT_SEQ_SHIFT, PVS_INTENT_SEQ_BITS);

	if (features & PVS_F_UTIL)
		allowed |= FIELD(PVS_INTENT_UTIL_SHIFT, PVS_INTENT_UTIL_BITS) |
			   FIELD(PVS_INTENT_UTIL_VALID_SHIFT, 1);
	if (features & PVS_F_WAKE)
		allowed |= FIELD(PVS_INTENT_WAKE_CLASS_SHIFT, PVS_INTENT_WAKE_CLASS_BITS) |
			   FIELD(PVS_INTENT_WAKE_LEVEL_SHIFT, PVS_INTENT_WAKE_LEVEL_BITS) |
			   FIELD(PVS_INTENT_WAKE_VALID_SHIFT, 1);
	if (features & PVS_F_WINDOW)
		allowed |= FIELD(PVS_INTENT_WINDOW_SHIFT, PVS_INTENT_WINDOW_BITS);
	if (features & PVS_F_SPLIT_WORDS)
		allowed |= FIELD(PVS_INTENT_TAG_LO_SHIFT, PVS_TAG_BITS) |
			   FIELD(PVS_INTENT_TAG_HI_SHIFT, PVS_TAG_BITS);
	return allowed;
}

static pvs_u64 irq_allowed(pvs_u64 features)
{
	pvs_u64 allowed = 0;

	if (features & PVS_F_IRQ)
		allowed |= PVS_IRQ_BITS_ALL;
	if (features & PVS_F_IRQ_TICKET)
		allowed |= FIELD(PVS_IRQ_ACK_SHIFT, PVS_IRQ_ACK_BITS);
	return allowed;
}

/* With split words, unequal tags mean that only one half of the word has arrived. */
static int torn(pvs_u64 word, pvs_u64 features)
{
	return (features & PVS_F_SPLIT_WORDS) &&
	       PVS_GET(word, PVS_INTENT_TAG_LO_SHIFT, PVS_TAG_BITS) !=
		       PVS_GET(word, PVS_INTENT_TAG_HI_SHIFT, PVS_TAG_BITS);
}

static void keep_intent(const struct pvs_hint *previous, struct pvs_hint *out)
{
	out->flags |= PVS_HINT_TORN;
	out->flags |= previous->flags & (PVS_HINT_IDLE | PVS_HINT_UTIL_VALID | PVS_HINT_WAKE_VALID);
	out->urgency = previous->urgency;
	out->level = previous->level;
	out->wake_urgency = previous->wake_urgency;
	out->wake_level = previous->wake_level;
	out->util = previous->util;
	out->window_us = previous->window_us;
	out->seq = previous->seq;
}

static void take_intent(pvs_u64 w, pvs_u64 features, struct pvs_hint *out)
{
	pvs_u32 util = PVS_GET(w, PVS_INTENT_UTIL_SHIFT, PVS_INTENT_UTIL_BITS);
	pvs_u32 urgency = PVS_GET(w, PVS_INTENT_CLASS_SHIFT, PVS_INTENT_CLASS_BITS);
	pvs_u32 wake = PVS_GET(w, PVS_INTENT_WAKE_CLASS_SHIFT, PVS_INTENT_WAKE_CLASS_BITS);

	if ((w & ~intent_allowed(features)) || util > PVS_UTIL_MAX || urgency > PVS_URGENCY_MAX ||
	    wake > PVS_URGENCY_MAX) {
		out->malformed |= PVS_WORD_INTENT;
		return;
	}
	out->urgency = (pvs_u8)urgency;
	out->level = (pvs_u8)PVS_GET(w, PVS_INTENT_LEVEL_SHIFT, PVS_INTENT_LEVEL_BITS);
	out->wake_urgency = (pvs_u8)wake;
	out->wake_level = (pvs_u8)PVS_GET(w, PVS_INTENT_WAKE_LEVEL_SHIFT,
					  PVS_INTENT_WAKE_LEVEL_BITS);
	out->util = (pvs_u16)util;
	out->window_us = (pvs_u16)PVS_GET(w, PVS_INTENT_WINDOW_SHIFT, PVS_INTENT_WINDOW_BITS);
	out->seq = (pvs_u8)PVS_GET(w, PVS_INTENT_SEQ_SHIFT, PVS_INTENT_SEQ_BITS);
	if (PVS_GET(w, PVS_INTENT_IDLE_SHIFT, 1))
		out->flags |= PVS_HINT_IDLE;
	if (PVS_GET(w, PVS_INTENT_UTIL_VALID_SHIFT, 1))
		out->flags |= PVS_HINT_UTIL_VALID;
	if (PVS_GET(w, PVS_INTENT_WAKE_VALID_SHIFT, 1))
		out->flags |= PVS_HINT_WAKE_VALID;
}

static void keep_wait(const struct pvs_hint *previous, struct pvs_hint *out)
{
	out->wait_kind = previous->wait_kind;
	out->wait_target = previous->wait_target;
	out->wait_epoch = previous->wait_epoch;
	out->wait_mask = previous->wait_mask;
}

/* The bits of `wait` that mean something, by kind. */
static pvs_u64 wait_allowed(pvs_u32 kind, pvs_u64 features)
{
	pvs_u64 allowed = FIELD(PVS_WAIT_KIND_SHIFT, PVS_WAIT_KIND_BITS);

	if (kind == PVS_WAIT_LOCK || kind == PVS_WAIT_IPI)
		allowed |= FIELD(PVS_WAIT_TARGET_SHIFT, PVS_WAIT_TARGET_BITS) |
			   FIELD(PVS_WAIT_EPOCH_SHIFT, PVS_WAIT_EPOCH_BITS);
	else if (kind == PVS_WAIT_IPI_MANY)
		allowed |= FIELD(PVS_WAIT_TARGET_SHIFT, PVS_WAIT_TARGET_BITS) |
			   FIELD(PVS_WAIT_MASK_SHIFT, PVS_WAIT_MASK_BITS);
	if (features & PVS_F_SPLIT_WORDS)
		allowed |= FIELD(PVS_WAIT_TAG_LO_SHIFT, PVS_TAG_BITS) |
			   FIELD(PVS_WAIT_TAG_HI_SHIFT, PVS_TAG_BITS);
	return allowed;
}

/* Somebody, and nobody who does not exist: `slots` of them from the first one on. */
static int mask_names_slots(pvs_u64 mask, pvs_u32 slots)
{
	return mask && (slots >= PVS_WAIT_MASK_BITS || !(mask >> slots));
}

static void take_wait(pvs_u64 w, const struct pvs_terms *terms, struct pvs_hint *out)
{
	pvs_u32 kind = PVS_GET(w, PVS_WAIT_KIND_SHIFT, PVS_WAIT_KIND_BITS);
	pvs_u32 target = PVS_GET(w, PVS_WAIT_TARGET_SHIFT, PVS_WAIT_TARGET_BITS);
	pvs_u64 mask = w >> PVS_WAIT_MASK_SHIFT;

	if (!w)
		return;
	if (terms->features & PVS_F_SPLIT_WORDS)
		mask &= PVS_MASK(PVS_WAIT_MASK_BITS - PVS_TAG_BITS);
	if (!(terms->features & PVS_F_WAIT) || kind > PVS_WAIT_KIND_MAX ||
	    (w & ~wait_allowed(kind, terms->features)) || target >= terms->slot_count ||
	    (kind == PVS_WAIT_IPI_MANY && !mask_names_slots(mask, terms->slot_count - target))) {
		out->malformed |= PVS_WORD_WAIT;
		return;
	}
	out->wait_kind = (pvs_u8)kind;
	out->wait_target = (pvs_u16)target;
	if (kind == PVS_WAIT_IPI_MANY)
		out->wait_mask = (pvs_u32)mask;
	else
		out->wait_epoch = (pvs_u16)mask;
}

static void take_bounds(pvs_u64 w, pvs_u64 features, struct pvs_hint *out)
{
	pvs_u32 floor = PVS_GET(w, PVS_BOUNDS_FLOOR_SHIFT, PVS_BOUNDS_BITS);
	pvs_u32 ceil = PVS_GET(w, PVS_BOUNDS_CEIL_SHIFT, PVS_BOUNDS_BITS);

	out->util_ceil = PVS_UTIL_MAX;
	if (!w)
		return;
	if (!(features & PVS_F_UTIL_BOUNDS) || (w >> (2 * PVS_BOUNDS_BITS)) || floor > ceil ||
	    ceil > PVS_UTIL_MAX) {
		out->malformed |= PVS_WORD_BOUNDS;
		return;
	}
	out->util_floor = (pvs_u16)floor;
	out->util_ceil = (pvs_u16)ceil;
}

/* crit, irq and pending: bits that stand alone. */
static void take_bits(const struct pvs_snapshot *snap, pvs_u64 features, struct pvs_hint *out)
{
	pvs_u64 crit_allowed = (features & PVS_F_CRIT) ? PVS_CRIT_ALL : 0u;
	pvs_u64 pending_allowed = (features & PVS_F_PENDING) ? PVS_MASK(PVS_PENDING_BITS) : 0u;

	if (snap->crit & ~crit_allowed)
		out->malformed |= PVS_WORD_CRIT;
	else
		out->crit = (pvs_u8)snap->crit;

	if (snap->irq & ~irq_allowed(features)) {
		out->malformed |= PVS_WORD_IRQ;
	} else {
		out->irq = (pvs_u8)(snap->irq & PVS_IRQ_BITS_ALL);
		out->irq_ack = (pvs_u16)PVS_GET(snap->irq, PVS_IRQ_ACK_SHIFT, PVS_IRQ_ACK_BITS);
	}

	if ((snap->pending & ~pending_allowed) ||
	    (snap->pending >> PVS_PENDING_CLASS_SHIFT) > PVS_URGENCY_MAX)
		out->malformed |= PVS_WORD_PENDING;
	else
		out->pending = (pvs_u8)snap->pending;
}

/* 1 when the slot speaks for a running vCPU of this generation. */
static int take_life(pvs_u64 w, pvs_u32 generation, struct pvs_hint *out)
{
	pvs_u64 allowed = PVS_LIFE_ONLINE | FIELD(PVS_LIFE_GEN_SHIFT, PVS_LIFE_GEN_BITS);

	if (w & ~allowed) {
		out->malformed |= PVS_WORD_LIFE;
		return 0;
	}
	return (w & PVS_LIFE_ONLINE) &&
	       PVS_GET(w, PVS_LIFE_GEN_SHIFT, PVS_LIFE_GEN_BITS) == generation;
}

PVS_API void pvs_validate(const struct pvs_snapshot *snap, const struct pvs_terms *terms,
			  const struct pvs_hint *previous, struct pvs_hint *out)
{
	struct pvs_hint before = *previous;
	pvs_hint_clear(out);
	if (!terms->active || !take_life(snap->life, terms->generation, out))
		return;
	out->flags |= PVS_HINT_ONLINE;

	/* What is not a new statement repeats the old one's number. */
	out->seq = before.seq;
	if (torn(snap->intent, terms->features))
		keep_intent(&before, out);
	else
		take_intent(snap->intent, terms->features, out);
	if (torn(snap->wait, terms->features))
		keep_wait(&before, out);
	else
		take_wait(snap->wait, terms, out);
	take_bits(snap, terms->features, out);
	take_bounds(snap->util_bounds, terms->features, out);
}

/* Features that make no sense without another one. */
static int dependencies_met(pvs_u64 f)
{
	if ((f & PVS_F_GRANT) && !(f & PVS_F_CRIT))
		return 0;
	if ((f & PVS_F_IRQ_TICKET) && !(f & PVS_F_IRQ))
		return 0;
	if ((f & PVS_F_UTIL_BOUNDS) && !(f & PVS_F_UTIL))
		return 0;
	return 1;
}

PVS_API pvs_u32 pvs_negotiate(const struct pvs_choice *choice, pvs_u64 features_offered,
			      pvs_u32 generation)
{
	if (choice->major != PVS_ABI_MAJOR)
		return PVS_REFUSE_MAJOR;
	if (choice->minor > PVS_ABI_MINOR)
		return PVS_REFUSE_MINOR;
	if (choice->generation != generation)
		return PVS_REFUSE_GENERATION;
	if (choice->features & ~features_offered)
		return PVS_REFUSE_NOT_OFFERED;
	if (!dependencies_met(choice->features))
		return PVS_REFUSE_DEPENDENCY;
	if (choice->command != PVS_CMD_ACCEPT)
		return PVS_REFUSE_COMMAND;
	return PVS_REFUSE_NONE;
}
