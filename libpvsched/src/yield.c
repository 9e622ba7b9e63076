/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Directed yield: who waits for a CPU, by rank, in sets of bits; and whom a spinning vCPU yields to.
 *
 * Several CPUs change one set. Setting a bit is: the word, then the summary. Clearing one is: the
 * word; if nothing is left in it, the summary; then the word again, because somebody may have set a
 * bit between the two. So a summary bit is never missing for longer than such a moment, and a
 * summary bit too many costs one rank of one choice.
 */
#include "stage.h"

#define US 1000u
#define MS (1000u * US)
#define SEC (1000u * MS)

#define TICK_SHIFT 10u /* IPIs are timed in 1024 ns */

#define SLOT_MASK (PVS_YIELD_SLOTS - 1u)
#define WORD_SHIFT 6u /* slots in a word */
#define WORD_MASK (PVS_YIELD_WORDS - 1u)
#define PAIRS (PVS_YIELD_WORDS / 2u)
#define IPI_MASK (PVS_YIELD_IPIS - 1u)
#define ALL_BITS (~(pvs_u64)0)

/* The sets, best first; `reason` of a choice is SET_REASON + set. */
enum { SET_INTERRUPT, SET_CRIT, SET_KERNEL, SET_USER, SET_COUNT };
#define SET_REASON PVS_YIELD_INTERRUPT

/* slot.place */
#define PLACE_NOT_WAITING 0u
#define PLACE_SET(set) (1u + (pvs_u32)(set))
#define PLACE_NO_SET PLACE_SET(SET_COUNT)

/* ---- config ---------------------------------------------------------------------------------- */

struct yield_field {
	const char *name;
	pvs_u32 offset;
	pvs_u32 min;
	pvs_u32 max;
	pvs_u32 preset; /* what zero stands for */
};

#define YIELD_ROW(name, min, max, preset) \
	{ #name, (pvs_u32)__builtin_offsetof(struct pvs_yield_config, name), (min), (max), (preset) }

/* In declaration order. */
static const struct yield_field yield_fields[] = {
	YIELD_ROW(flags, 0, PVS_YIELD_STRICT, 0),
	YIELD_ROW(ipi_window_ns, 1024, SEC, 50 * MS),
	YIELD_ROW(transfer, PVS_TRANSFER_OFF, PVS_TRANSFER_CREDIT, PVS_TRANSFER_OFF),
	YIELD_ROW(transfer_min_ns, 1 * US, SEC, 6 * MS),
	YIELD_ROW(debounce_ns, 1024, 100 * MS, 600 * US),
	YIELD_ROW(reserved, 0, 0, 0),
};

#define YIELD_FIELDS (sizeof(yield_fields) / sizeof(yield_fields[0]))

static pvs_u32 *yield_value(struct pvs_yield_config *cfg, const struct yield_field *f)
{
	return (pvs_u32 *)(void *)((unsigned char *)cfg + f->offset);
}

PVS_API void pvs_yield_config_resolve(struct pvs_yield_config *cfg)
{
	pvs_u32 i;

	PVS_FOR(i, YIELD_FIELDS) {
		pvs_u32 *value = yield_value(cfg, &yield_fields[i]);

		if (!*value)
			*value = yield_fields[i].preset;
	}
}

PVS_API int pvs_yield_config_check(const struct pvs_yield_config *cfg,
				   struct pvs_config_error *err)
{
	struct pvs_yield_config copy = *cfg;
	pvs_u32 i;

	PVS_FOR(i, YIELD_FIELDS) {
		const struct yield_field *f = &yield_fields[i];
		pvs_u32 value = *yield_value(&copy, f);

		if (value >= f->min && value <= f->max)
			continue;
		if (err) {
			err->field = f->name;
			err->value = value;
			err->min = f->min;
			err->max = f->max;
		}
		return PVS_E_RANGE;
	}
	return PVS_OK;
}

PVS_API int pvs_yield_init(struct pvs_yield *y, const struct pvs_yield_config *cfg,
			   pvs_u32 slot_count)
{
	struct pvs_yield_config c = *cfg;
	pvs_u64 *word = (pvs_u64 *)(void *)y;
	pvs_u32 i;

	if (slot_count < 1u || slot_count > PVS_YIELD_SLOTS)
		return PVS_E_INVALID;
	pvs_yield_config_resolve(&c);
	if (pvs_yield_config_check(&c, (struct pvs_config_error *)PVS_NULL) != PVS_OK)
		return PVS_E_RANGE;
	PVS_FOR(i, sizeof(*y) / sizeof(*word))
		word[i] = 0;
	y->slot_count = slot_count;
	y->flags = c.flags;
	y->ipi_window = c.ipi_window_ns >> TICK_SHIFT;
	y->debounce = c.debounce_ns >> TICK_SHIFT;
	y->transfer_min_ns = c.transfer_min_ns;
	y->transfer = c.transfer;
	return PVS_OK;
}

/* ---- sets ------------------------------------------------------------------------------------ */

/* An index that the verifier believes. */
PVS_INLINE pvs_u32 slot_index(pvs_u32 slot)
{
	PVS_OPT(slot);
	return slot & SLOT_MASK;
}

PVS_INLINE pvs_u64 slot_bit(pvs_u32 slot)
{
	return (pvs_u64)1 << (slot & 63u);
}

PVS_INLINE int slot_waits(const struct pvs_yield *y, pvs_u32 slot)
{
	return (PVS_PEEK(pvs_u64, &y->waiting[slot >> WORD_SHIFT]) & slot_bit(slot)) != 0;
}

PVS_INLINE void set_join(struct pvs_yield_set *set, pvs_u32 slot)
{
	PVS_OR64(&set->word[slot >> WORD_SHIFT], slot_bit(slot));
	PVS_OR64(&set->summary, (pvs_u64)1 << (slot >> WORD_SHIFT));
}

PVS_INLINE void set_leave(struct pvs_yield_set *set, pvs_u32 slot)
{
	pvs_u64 *word = &set->word[slot >> WORD_SHIFT];
	pvs_u64 summary = (pvs_u64)1 << (slot >> WORD_SHIFT);

	PVS_AND64(word, ~slot_bit(slot));
	if (PVS_PEEK(pvs_u64, word))
		return;
	PVS_AND64(&set->summary, ~summary);
	if (PVS_PEEK(pvs_u64, word))
		PVS_OR64(&set->summary, summary);
}

/* The first of a set behind the one chosen last, wrapping around. `summary` is not 0. */
PVS_INLINE pvs_u32 set_next(const struct pvs_yield *y, struct pvs_yield_set *set, pvs_u64 summary)
{
	pvs_u32 start = slot_index(PVS_PEEK(pvs_u32, &set->cursor) + 1u);
	pvs_u32 w = start >> WORD_SHIFT;
	pvs_u64 bits = PVS_PEEK(pvs_u64, &set->word[w]) & (ALL_BITS << (start & 63u));
	pvs_u32 slot;

	if (!bits) {
		pvs_u64 above = summary & (ALL_BITS << w << 1);

		w = PVS_CTZ64(above ? above : summary);
		PVS_OPT(w);
		w &= WORD_MASK;
		bits = PVS_PEEK(pvs_u64, &set->word[w]);
	}
	/* Who has begun to run since is no candidate any more; and one look must do. */
	bits &= PVS_PEEK(pvs_u64, &y->waiting[w]);
	if (!bits)
		return PVS_NO_TARGET;
	slot = w << WORD_SHIFT | PVS_CTZ64(bits);
	PVS_POKE(pvs_u32, &set->cursor, slot);
	return slot;
}

/* ---- what the host sees ---------------------------------------------------------------------- */

/* `s`, which waits, does so no more. */
PVS_INLINE void stop_waiting(struct pvs_yield *y, struct pvs_yield_slot *s, pvs_u32 slot)
{
	struct pvs_yield_set *interrupt = &y->set[SET_INTERRUPT];
	pvs_u32 place = s->place;

	s->place = PLACE_NOT_WAITING;
	PVS_AND64(&y->waiting[slot >> WORD_SHIFT], ~slot_bit(slot));
	if (place != PLACE_NO_SET) {
		place -= PLACE_SET(0);
		PVS_OPT(place);
		set_leave(&y->set[place & (SET_COUNT - 1u)], slot);
	}
	if (PVS_PEEK(pvs_u64, &interrupt->word[slot >> WORD_SHIFT]) & slot_bit(slot))
		set_leave(interrupt, slot);
}

static pvs_u32 place_for(pvs_u32 flags)
{
	if ((flags & (PVS_WAITS_PREEMPTED | PVS_WAITS_SPINNING)) != PVS_WAITS_PREEMPTED)
		return PLACE_NO_SET;
	if (flags & PVS_WAITS_CRIT)
		return PLACE_SET(SET_CRIT);
	return flags & PVS_WAITS_KERNEL ? PLACE_SET(SET_KERNEL) : PLACE_SET(SET_USER);
}

PVS_API void pvs_yield_waits(struct pvs_yield *y, pvs_u32 slot, pvs_u32 flags)
{
	struct pvs_yield_slot *s;
	pvs_u32 place;

	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	s = &y->slot[slot];
	if (s->place != PLACE_NOT_WAITING)
		stop_waiting(y, s, slot);
	if (s->spins)
		flags |= PVS_WAITS_SPINNING;
	place = place_for(flags);
	s->place = (pvs_u8)place;
	PVS_OR64(&y->waiting[slot >> WORD_SHIFT], slot_bit(slot));
	if (place != PLACE_NO_SET)
		set_join(&y->set[place - PLACE_SET(0)], slot);
	if (flags & PVS_WAITS_INTERRUPT)
		set_join(&y->set[SET_INTERRUPT], slot);
}

PVS_API void pvs_yield_runs(struct pvs_yield *y, pvs_u32 slot)
{
	struct pvs_yield_slot *s;

	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	s = &y->slot[slot];
	s->spins = 0;
	if (s->place != PLACE_NOT_WAITING)
		stop_waiting(y, s, slot);
}

PVS_API void pvs_yield_removed(struct pvs_yield *y, pvs_u32 slot)
{
	struct pvs_yield_slot *s;
	pvs_u32 i;

	if (slot >= y->slot_count)
		return;
	pvs_yield_runs(y, slot);
	s = &y->slot[slot_index(slot)];
	PVS_FOR(i, PVS_YIELD_IPIS) {
		PVS_POKE(pvs_u64, &s->sent[i], 0);
		PVS_POKE(pvs_u16, &s->from[i], 0);
	}
	PVS_POKE(pvs_u64, &s->pair, 0);
	s->penalty_ns = 0;
	s->receiver = 0;
	s->sends = 0;
}

PVS_API void pvs_yield_interrupt(struct pvs_yield *y, pvs_u32 slot)
{
	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	if (!slot_waits(y, slot))
		return;
	set_join(&y->set[SET_INTERRUPT], slot);
	/* It may have begun to run meanwhile, and have looked for the bit before it was set. */
	if (!slot_waits(y, slot))
		set_leave(&y->set[SET_INTERRUPT], slot);
}

/* ---- IPIs ------------------------------------------------------------------------------------ */

/* What is remembered of an IPI, but for its time. Never 0. */
PVS_INLINE pvs_u32 ipi_key(pvs_u32 target, pvs_u32 vector)
{
	return (vector & 0xffu) << 16 | (target + 1u);
}

PVS_API void pvs_yield_ipi(struct pvs_yield *y, pvs_u32 sender, pvs_u32 target, pvs_u32 vector,
			   pvs_u64 now_ns)
{
	struct pvs_yield_slot *s;
	pvs_u64 tick = now_ns >> TICK_SHIFT;

	if (sender >= y->slot_count || target >= y->slot_count || sender == target)
		return;
	sender = slot_index(sender);
	target = slot_index(target);
	s = &y->slot[sender];
	PVS_POKE(pvs_u64, &s->sent[target & IPI_MASK], tick << 32 | ipi_key(target, vector));
	s->sends = 1;
	PVS_POKE(pvs_u16, &y->slot[target].from[sender & IPI_MASK], sender + 1u);
}

PVS_API void pvs_yield_eoi(struct pvs_yield *y, pvs_u32 slot, pvs_u32 vector)
{
	pvs_u32 key = ipi_key(slot, vector);
	pvs_u32 i;

	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	PVS_FOR(i, PVS_YIELD_IPIS) {
		pvs_u32 sender = PVS_PEEK(pvs_u16, &y->slot[slot].from[i]);
		pvs_u64 *sent;
		pvs_u64 seen;

		if (!sender)
			continue;
		sent = &y->slot[slot_index(sender - 1u)].sent[slot & IPI_MASK];
		seen = PVS_PEEK(pvs_u64, sent);
		/* Lost to the sender's next IPI? That one is not answered yet. */
		if ((pvs_u32)seen == key)
			(void)PVS_CAS64(sent, seen, 0);
	}
}

/* Who has an IPI of `s` that is not answered, and waits for a CPU. */
static pvs_u32 next_receiver(const struct pvs_yield *y, struct pvs_yield_slot *s, pvs_u64 now_ns)
{
	pvs_u32 now = (pvs_u32)(now_ns >> TICK_SHIFT);
	pvs_u32 first = s->receiver;
	pvs_u8 sends = 0;
	pvs_u32 i;

	PVS_FOR(i, PVS_YIELD_IPIS) {
		pvs_u32 at = (first + i) & IPI_MASK;
		pvs_u64 sent = PVS_PEEK(pvs_u64, &s->sent[at]);
		pvs_u32 target;

		if (!sent)
			continue;
		/* Clocks of two CPUs may differ a little; a time long ahead is another clock's. */
		if (now - (pvs_u32)(sent >> 32) + y->ipi_window > 2u * y->ipi_window) {
			PVS_POKE(pvs_u64, &s->sent[at], 0);
			continue;
		}
		sends = 1;
		target = slot_index((pvs_u32)(sent & 0xffffu) - 1u);
		if (slot_waits(y, target)) {
			s->receiver = (pvs_u8)((at + 1u) & IPI_MASK);
			return target;
		}
	}
	s->sends = sends;
	return PVS_NO_TARGET;
}

/* ---- the choice ------------------------------------------------------------------------------ */

static pvs_u32 named_one(struct pvs_yield *y, const struct pvs_hint *hint,
			 const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	pvs_u32 target = hint->wait_target;

	if (target >= y->slot_count)
		return PVS_NO_TARGET;
	/* If the wait began while the target ran, it has lost its CPU since, which is one more:
	 * just what a yield is for. Any other change means that it has run since. */
	if ((hint->wait_epoch ^ ask->target_epoch) & 0xfffeu) {
		out->stale = 1;
		PVS_ADD32(&y->stale, 1u);
		return PVS_NO_TARGET;
	}
	target = slot_index(target);
	return slot_waits(y, target) ? target : PVS_NO_TARGET;
}

static pvs_u32 named_many(struct pvs_yield *y, const struct pvs_hint *hint)
{
	pvs_u32 base = slot_index(hint->wait_target);
	pvs_u32 w = base >> WORD_SHIFT;
	pvs_u32 bits = hint->wait_mask;
	pvs_u32 behind;
	pvs_u32 above;

	if (hint->wait_target >= y->slot_count)
		return PVS_NO_TARGET;
	if (y->slot_count - base < 32u)
		bits &= ((pvs_u32)1 << (y->slot_count - base)) - 1u;
	/* 32 slots can lie in two words. Behind the last word comes nothing: masked above. */
	bits &= (pvs_u32)(PVS_PEEK(pvs_u64, &y->waiting[w]) >> (base & 63u) |
			  PVS_PEEK(pvs_u64, &y->waiting[(w + 1u) & WORD_MASK]) << 1
				  << (63u - (base & 63u)));
	if (!bits)
		return PVS_NO_TARGET;
	behind = PVS_PEEK(pvs_u32, &y->cursor_many) - base;
	above = behind < 31u ? bits & (~(pvs_u32)1 << behind) : 0u;
	base += PVS_CTZ64((pvs_u64)(above ? above : bits));
	PVS_POKE(pvs_u32, &y->cursor_many, base);
	return base;
}

/* The first rank: whom the guest names. */
static pvs_u32 named(struct pvs_yield *y, const struct pvs_hint *hint,
		     const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	struct pvs_yield_set *holders = &y->set[SET_CRIT];
	pvs_u64 summary;

	switch (hint->wait_kind) {
	case PVS_WAIT_LOCK:
	case PVS_WAIT_IPI:
		out->reason = PVS_YIELD_NAMED;
		return named_one(y, hint, ask, out);
	case PVS_WAIT_IPI_MANY:
		out->reason = PVS_YIELD_NAMED_MANY;
		return named_many(y, hint);
	case PVS_WAIT_ANY:
		out->reason = PVS_YIELD_HOLDER;
		summary = PVS_PEEK(pvs_u64, &holders->summary);
		return summary ? set_next(y, holders, summary) : PVS_NO_TARGET;
	default:
		return PVS_NO_TARGET;
	}
}

/* The ranks that are sets. */
static pvs_u32 ranked(struct pvs_yield *y, struct pvs_yield_choice *out)
{
	pvs_u32 i;

	PVS_FOR(i, SET_COUNT) {
		pvs_u64 summary = PVS_PEEK(pvs_u64, &y->set[i].summary);
		pvs_u32 target;

		if (!summary)
			continue;
		out->reason = (pvs_u8)(SET_REASON + i);
		target = set_next(y, &y->set[i], summary);
		if (target != PVS_NO_TARGET)
			return target;
	}
	return PVS_NO_TARGET;
}

/* The relaxed round: whoever waits. No set and no summary is asked; two words at a time. */
static pvs_u32 relaxed(struct pvs_yield *y)
{
	pvs_u32 start = slot_index(PVS_PEEK(pvs_u32, &y->cursor_relaxed) + 1u);
	pvs_u32 pair = start >> (WORD_SHIFT + 1u);
	pvs_u64 low = PVS_PEEK(pvs_u64, &y->waiting[2u * pair]);
	pvs_u64 high = PVS_PEEK(pvs_u64, &y->waiting[2u * pair + 1u]);
	pvs_u32 i;

	/* Not before `start` in its own pair, which comes again at the end. */
	if (start & 64u) {
		low = 0;
		high &= ALL_BITS << (start & 63u);
	} else {
		low &= ALL_BITS << (start & 63u);
	}
	PVS_FOR(i, PAIRS) {
		if (low | high)
			break;
		pair = (pair + 1u) & (PAIRS - 1u);
		low = PVS_PEEK(pvs_u64, &y->waiting[2u * pair]);
		high = PVS_PEEK(pvs_u64, &y->waiting[2u * pair + 1u]);
	}
	if (!(low | high))
		return PVS_NO_TARGET;
	start = 2u * pair << WORD_SHIFT | (low ? PVS_CTZ64(low) : 64u + PVS_CTZ64(high));
	PVS_POKE(pvs_u32, &y->cursor_relaxed, start);
	return start;
}

/* All ranks in their order. */
PVS_INLINE pvs_u32 first_of(struct pvs_yield *y, struct pvs_yield_slot *s,
			    const struct pvs_hint *hint, const struct pvs_yield_ask *ask,
			    struct pvs_yield_choice *out)
{
	pvs_u32 target = PVS_NO_TARGET;

	if (hint->wait_kind)
		target = named(y, hint, ask, out);
	if (target == PVS_NO_TARGET && s->sends) {
		out->reason = PVS_YIELD_RECEIVER;
		target = next_receiver(y, s, ask->now_ns);
	}
	if (target == PVS_NO_TARGET)
		target = ranked(y, out);
	if (target == PVS_NO_TARGET && !(y->flags & PVS_YIELD_STRICT)) {
		out->reason = PVS_YIELD_RELAXED;
		target = relaxed(y);
		out->relaxed = target != PVS_NO_TARGET;
	}
	return target;
}

PVS_API void pvs_yield_choose(struct pvs_yield *y, pvs_u32 yielder, const struct pvs_hint *hint,
			      const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	static const struct pvs_yield_choice nobody PVS_TAB = { .target = PVS_NO_TARGET };
	struct pvs_yield_slot *s;
	pvs_u32 target;

	*out = nobody;
	if (yielder >= y->slot_count)
		return;
	yielder = slot_index(yielder);
	s = &y->slot[yielder];
	/* Who spins runs: it is in no set, so it is never its own target. */
	if (s->place != PLACE_NOT_WAITING)
		stop_waiting(y, s, yielder);
	target = first_of(y, s, hint, ask, out);
	if (target == PVS_NO_TARGET)
		out->reason = PVS_YIELD_NOBODY;
	else
		s->spins = 1;
	out->target = target;
	PVS_ADD32(&y->counts[out->reason], 1u);
}
