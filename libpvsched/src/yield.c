/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Directed yield: who waits for a CPU, by rank, in sets of bits; whom a spinning vCPU yields to.
 *
 * Several CPUs change one set. Setting a bit is: the word, then the summary. Clearing one is: the
 * word; if nothing is left in it, the summary; then the word again, because somebody may have set a
 * bit between the two. So a summary bit is never missing for longer than such a moment; one too
 * many costs one rank of one choice, which clears it.
 */
#include "stage.h"

#define US 1000u
#define MS (1000u * US)
#define SEC (1000u * MS)

#define TICK_SHIFT 10u /* IPIs are timed in 1024 ns */

#define SLOT_MASK (PVS_YIELD_SLOTS - 1u)
#define WORD_SHIFT 6u /* slots in a word */
#define WORD_MASK (PVS_YIELD_WORDS - 1u)
#define SET_SHIFT 4u /* words in a set */
#define SET_BITS 0xffffu
#define IPI_MASK (PVS_YIELD_IPIS - 1u)
#define ALL_BITS (~(pvs_u64)0)

/* The sets, best first: the reason of a choice is SET_REASON + set. */
enum { SET_INTERRUPT, SET_CRIT, SET_KERNEL, SET_USER, SET_COUNT };
#define SET_REASON PVS_YIELD_INTERRUPT

/* slot.place: a set but SET_INTERRUPT, which comes on top; or none */
#define PLACE_NOT_WAITING 0u
#define PLACE_NO_SET SET_COUNT

/* Which set, by PVS_WAITS_*. Who was woken has none, nor who would spin on, unless an interrupt is
 * pending: that comes on top. */
#define N SET_COUNT
#define U SET_USER
#define K SET_KERNEL
#define C SET_CRIT
static const pvs_u8 set_for[PVS_WAITS_ALL + 1u] PVS_TAB = {
	N, U, N, C, N, K, N, C, N, U, N, C, N, K, N, C, /* not spinning */
	N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
};
#undef N
#undef U
#undef K
#undef C

/* ---- config ---------------------------------------------------------------------------------- */

#define YIELD_ROW(name, min, max, preset) { #name, min, max, preset }

/* In declaration order. */
static const struct pvs_field yield_fields[] = {
	YIELD_ROW(flags, 0, PVS_YIELD_STRICT, 0),
	YIELD_ROW(ipi_window_ns, 1024, SEC, 50 * MS),
	YIELD_ROW(transfer, PVS_TRANSFER_OFF, PVS_TRANSFER_CREDIT, PVS_TRANSFER_OFF),
	YIELD_ROW(transfer_min_ns, 1 * US, SEC, 6 * MS),
	YIELD_ROW(debounce_ns, 1024, 100 * MS, 600 * US),
	YIELD_ROW(reserved, 0, 0, 0),
};

PVS_API void pvs_yield_config_resolve(struct pvs_yield_config *cfg)
{
	pvs_fields_resolve(&cfg->flags, yield_fields, PVS_FIELDS(yield_fields));
}

PVS_API int pvs_yield_config_check(const struct pvs_yield_config *cfg,
				   struct pvs_config_error *err)
{
	return pvs_fields_check(&cfg->flags, yield_fields, PVS_FIELDS(yield_fields), err);
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
	return PVS_PEEK(pvs_u8, &y->slot[slot].place) != PLACE_NOT_WAITING;
}

/* `at`: the word, of any set */
PVS_INLINE void set_join(struct pvs_yield *y, pvs_u32 at, pvs_u64 bit)
{
	PVS_OR64(&y->word[at], bit);
	PVS_OR64(&y->summary, (pvs_u64)1 << at);
}

PVS_INLINE void set_leave(struct pvs_yield *y, pvs_u32 at, pvs_u64 bit)
{
	PVS_AND64(&y->word[at], ~bit);
	if (!PVS_PEEK(pvs_u64, &y->word[at])) {
		PVS_AND64(&y->summary, ~((pvs_u64)1 << at));
		if (PVS_PEEK(pvs_u64, &y->word[at]))
			PVS_OR64(&y->summary, (pvs_u64)1 << at);
	}
}

/* ---- what the host sees ---------------------------------------------------------------------- */

PVS_APART void drop_interrupt(struct pvs_yield *y, pvs_u32 slot)
{
	set_leave(y, slot_index(slot) >> WORD_SHIFT, slot_bit(slot));
}

/* `slot`, which waits at `place`, does so no more. */
PVS_INLINE void stop_waiting(struct pvs_yield *y, pvs_u32 slot, pvs_u32 place)
{
	pvs_u64 bit = slot_bit(slot);
	pvs_u32 w = slot >> WORD_SHIFT;

	PVS_POKE(pvs_u8, &y->slot[slot].place, PLACE_NOT_WAITING);
	PVS_AND64(&y->waiting[w], ~bit);
	if (place != PLACE_NO_SET) {
		PVS_OPT(place);
		set_leave(y, (place & (SET_COUNT - 1u)) << SET_SHIFT | w, bit);
	}
	if (PVS_PEEK(pvs_u64, &y->word[w]) & bit) /* SET_INTERRUPT */
		drop_interrupt(y, slot);
}

/* `slot`, which does not wait, does so from now on. */
PVS_INLINE void start_waiting(struct pvs_yield *y, pvs_u32 slot, pvs_u32 flags)
{
	pvs_u32 place = set_for[(flags | y->slot[slot].spins) & PVS_WAITS_ALL];
	pvs_u64 bit = slot_bit(slot);
	pvs_u32 w = slot >> WORD_SHIFT;

	PVS_POKE(pvs_u8, &y->slot[slot].place, place);
	PVS_OR64(&y->waiting[w], bit);
	if (place != PLACE_NO_SET)
		set_join(y, place << SET_SHIFT | w, bit);
	if (flags & PVS_WAITS_INTERRUPT)
		set_join(y, w, bit);
}

PVS_APART void wait_anew(struct pvs_yield *y, pvs_u32 slot, pvs_u32 flags)
{
	stop_waiting(y, slot_index(slot), y->slot[slot_index(slot)].place);
	start_waiting(y, slot_index(slot), flags);
}

PVS_API void pvs_yield_waits(struct pvs_yield *y, pvs_u32 slot, pvs_u32 flags)
{
	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	if (y->slot[slot].place != PLACE_NOT_WAITING)
		wait_anew(y, slot, flags);
	else
		start_waiting(y, slot, flags);
}

PVS_API void pvs_yield_runs(struct pvs_yield *y, pvs_u32 slot)
{
	pvs_u32 place;

	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	y->slot[slot].spins = 0;
	place = y->slot[slot].place;
	if (place != PLACE_NOT_WAITING)
		stop_waiting(y, slot, place);
}

PVS_API void pvs_yield_removed(struct pvs_yield *y, pvs_u32 slot)
{
	struct pvs_yield_slot *s;
	pvs_u32 i;

	if (slot >= y->slot_count)
		return;
	pvs_yield_runs(y, slot);
	s = &y->slot[slot_index(slot)];
	PVS_FOR(i, PVS_YIELD_IPIS)
		PVS_POKE(pvs_u16, &s->from[i], 0);
	PVS_POKE(pvs_u64, &s->sent_to, 0);
	PVS_POKE(pvs_u64, &s->pair, 0);
	s->sends = 0;
	s->limit_ns = 0;
	s->receiver = 0;
}

PVS_API void pvs_yield_interrupt(struct pvs_yield *y, pvs_u32 slot)
{
	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	if (!slot_waits(y, slot))
		return;
	set_join(y, slot >> WORD_SHIFT, slot_bit(slot));
	/* It may have begun to run meanwhile, and have looked for the bit before it was set. */
	if (!slot_waits(y, slot))
		drop_interrupt(y, slot);
}

/* ---- IPIs ------------------------------------------------------------------------------------ */

#define LANE_BITS 16u /* of sent_to */
#define LANE_MASK 0xffffu

PVS_API void pvs_yield_ipi(struct pvs_yield *y, pvs_u32 sender, pvs_u32 target, pvs_u32 vector,
			   pvs_u64 now_ns)
{
	pvs_u32 tick = (pvs_u32)(now_ns >> TICK_SHIFT);
	struct pvs_yield_slot *s;
	pvs_u32 at;

	if (sender >= y->slot_count || target >= y->slot_count || sender == target)
		return;
	sender = slot_index(sender);
	target = slot_index(target);
	at = target & IPI_MASK;
	s = &y->slot[sender];
	/* Out with the old one first: an EOI of it must not end the new one. */
	PVS_AND64(&s->sent_to, ~((pvs_u64)LANE_MASK << (at * LANE_BITS)));
	PVS_POKE(pvs_u8, &s->vector[at], vector);
	s->sent[at] = tick;
	s->sent_last = tick;
	PVS_OR64(&s->sent_to, (pvs_u64)(target + 1u) << (at * LANE_BITS));
	s->sends = 1;
	PVS_POKE(pvs_u16, &y->slot[target].from[sender & IPI_MASK], sender + 1u);
}

PVS_API void pvs_yield_eoi(struct pvs_yield *y, pvs_u32 slot, pvs_u32 vector)
{
	pvs_u32 at = slot & IPI_MASK;
	pvs_u64 lane = (pvs_u64)LANE_MASK << (at * LANE_BITS);
	pvs_u64 us = (pvs_u64)(slot + 1u) << (at * LANE_BITS);
	pvs_u32 i;

	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	PVS_FOR(i, PVS_YIELD_IPIS) {
		pvs_u32 sender = PVS_PEEK(pvs_u16, &y->slot[slot].from[i]);
		struct pvs_yield_slot *s;
		pvs_u64 seen;

		if (!sender)
			continue;
		s = &y->slot[slot_index(sender - 1u)];
		seen = PVS_PEEK(pvs_u64, &s->sent_to);
		if ((seen & lane) == us && PVS_PEEK(pvs_u8, &s->vector[at]) != vector)
			continue;
		PVS_POKE(pvs_u16, &y->slot[slot].from[i], 0);
		/* Lost to the sender's next IPI: then time will end this one. */
		if ((seen & lane) == us)
			(void)PVS_CAS64(&s->sent_to, seen, seen & ~lane);
	}
}

/* Clocks of two CPUs may differ a little; a time long ahead is another clock's. */
PVS_INLINE int recent(const struct pvs_yield *y, pvs_u32 now, pvs_u32 then)
{
	return now - then + y->ipi_window <= 2u * y->ipi_window;
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
	above = behind < 32u ? bits & (~(pvs_u32)0 << behind) : 0u;
	base += PVS_CTZ64((pvs_u64)(above ? above : bits));
	PVS_POKE(pvs_u32, &y->cursor_many, base + 1u);
	return base;
}

/*
 * The first slot at or behind `start`, wrapping around, of a set: its 16 words, and bits that say
 * which of them are not empty (at least one). PVS_NO_TARGET if who was there has begun to run.
 */
PVS_INLINE pvs_u32 next_slot(const struct pvs_yield *y, const pvs_u64 *word, pvs_u64 words,
			     pvs_u64 start)
{
	pvs_u64 w = start >> WORD_SHIFT & WORD_MASK; /* 64 bits: an index as CPUs have it */
	pvs_u64 bits = ALL_BITS << (start & 63u);

	bits &= PVS_PEEK(pvs_u64, &word[w]);
	if (!bits) {
		/* Twice in a row, so that looking further wraps around. */
		words |= words << PVS_YIELD_WORDS;
		w += 1u + PVS_CTZ64(words >> (w + 1u));
		PVS_OPT(w);
		w &= WORD_MASK;
		bits = PVS_PEEK(pvs_u64, &word[w]);
	}
	bits &= PVS_PEEK(pvs_u64, &y->waiting[w]);
	return bits ? (pvs_u32)w << WORD_SHIFT | PVS_CTZ64(bits) : PVS_NO_TARGET;
}

/* One of a set that is not empty. */
PVS_INLINE pvs_u32 next_of(struct pvs_yield *y, pvs_u64 summary, pvs_u32 set)
{
	pvs_u32 slot = next_slot(y, &y->word[set << SET_SHIFT],
				 summary >> (set << SET_SHIFT) & SET_BITS,
				 PVS_PEEK(pvs_u32, &y->cursor[set]));

	if (slot != PVS_NO_TARGET)
		PVS_POKE(pvs_u32, &y->cursor[set], slot + 1u);
	return slot;
}

/* The pair of words behind word `w`; returns the number of its first. */
PVS_INLINE pvs_u64 next_pair(const struct pvs_yield *y, pvs_u64 w, pvs_u64 *low, pvs_u64 *high)
{
	w = (w + 2u) & (WORD_MASK - 1u);
	*low = PVS_PEEK(pvs_u64, &y->waiting[w]);
	*high = PVS_PEEK(pvs_u64, &y->waiting[w + 1u]);
	return w;
}

/*
 * The relaxed round: whoever waits. No summary is asked, all words are looked at: the one that
 * `start` is in, from there on, and the next one; then all of them, two at a time.
 */
PVS_INLINE pvs_u32 relaxed(struct pvs_yield *y)
{
	pvs_u64 start = slot_index(PVS_PEEK(pvs_u32, &y->cursor_relaxed));
	pvs_u64 w = start >> WORD_SHIFT;
	pvs_u64 low = PVS_PEEK(pvs_u64, &y->waiting[w]) & ALL_BITS << (start & 63u);
	pvs_u64 high = PVS_PEEK(pvs_u64, &y->waiting[(w + 1u) & WORD_MASK]);
	pvs_u32 slot;
	pvs_u32 i;

	PVS_FOR(i, PVS_YIELD_WORDS / 4u) {
		if (low | high)
			break;
		w = next_pair(y, w, &low, &high);
		if (low | high)
			break;
		w = next_pair(y, w, &low, &high);
	}
	if (!(low | high))
		return PVS_NO_TARGET;
	slot = ((pvs_u32)w << WORD_SHIFT) + (low ? PVS_CTZ64(low) : 64u + PVS_CTZ64(high));
	slot = slot_index(slot);
	PVS_POKE(pvs_u32, &y->cursor_relaxed, slot + 1u);
	return slot;
}

/* ---- the choice, one rank after the other ---------------------------------------------------- */

PVS_INLINE void chosen(struct pvs_yield *y, struct pvs_yield_slot *s, pvs_u32 target,
		       pvs_u32 reason, struct pvs_yield_choice *out)
{
	out->target = target;
	out->reason = (pvs_u8)reason;
	s->spins = PVS_WAITS_SPINNING;
	PVS_ADD32(&y->counts[reason], 1u);
}

PVS_APART void by_need(struct pvs_yield *y, struct pvs_yield_slot *s, struct pvs_yield_choice *out)
{
	pvs_u32 target = y->flags & PVS_YIELD_STRICT ? PVS_NO_TARGET : relaxed(y);

	if (target != PVS_NO_TARGET) {
		out->relaxed = 1;
		chosen(y, s, target, PVS_YIELD_RELAXED, out);
		return;
	}
	PVS_ADD32(&y->counts[PVS_YIELD_NOBODY], 1u);
}

/*
 * The summary promises somebody in a word that is empty. Mostly he has just left. But when two have
 * left one word at once, the bit may have been set again by the first, for the second's sake, after
 * the second was gone; and nobody else would ever clear it.
 */
static void mend(struct pvs_yield *y, pvs_u32 at)
{
	pvs_u64 bit = (pvs_u64)1 << (at & 63u);

	PVS_OPT(at);
	at &= (SET_COUNT << SET_SHIFT) - 1u;
	PVS_AND64(&y->summary, ~bit);
	if (PVS_PEEK(pvs_u64, &y->word[at]))
		PVS_OR64(&y->summary, bit);
}

PVS_APART void by_set(struct pvs_yield *y, struct pvs_yield_slot *s, struct pvs_yield_choice *out)
{
	pvs_u64 summary = PVS_PEEK(pvs_u64, &y->summary);
	pvs_u32 target = PVS_NO_TARGET;
	pvs_u32 set = 0;

	if (summary) {
		set = PVS_CTZ64(summary) >> SET_SHIFT;
		PVS_OPT(set);
		set &= SET_COUNT - 1u;
		target = next_of(y, summary, set);
	}
	if (target != PVS_NO_TARGET) {
		chosen(y, s, target, SET_REASON + set, out);
		return;
	}
	if (summary)
		mend(y, PVS_CTZ64(summary));
	by_need(y, s, out);
}

/* Receivers that have not answered, from the one behind the last choice on. */
PVS_APART void by_ipi(struct pvs_yield *y, struct pvs_yield_slot *s, pvs_u64 now_ns,
		      struct pvs_yield_choice *out)
{
	pvs_u32 now = (pvs_u32)(now_ns >> TICK_SHIFT);
	pvs_u32 at = s->receiver & IPI_MASK;
	pvs_u64 to = PVS_PEEK(pvs_u64, &s->sent_to);
	pvs_u32 turn;
	pvs_u32 i;

	if (!to || !recent(y, now, s->sent_last)) {
		PVS_POKE(pvs_u64, &s->sent_to, 0);
		s->sends = 0;
		by_set(y, s, out);
		return;
	}
	turn = at * LANE_BITS;
	to = to >> turn | to << ((0u - turn) & 63u);
	PVS_FOR(i, PVS_YIELD_IPIS) {
		pvs_u32 target = (pvs_u32)to & LANE_MASK;

		if (target && slot_waits(y, slot_index(target - 1u)) &&
		    recent(y, now, s->sent[at & IPI_MASK])) {
			s->receiver = (pvs_u8)(at + 1u);
			chosen(y, s, target - 1u, PVS_YIELD_RECEIVER, out);
			return;
		}
		to >>= LANE_BITS;
		at++;
	}
	by_set(y, s, out);
}

/* Whom the guest names. */
PVS_APART void by_name(struct pvs_yield *y, struct pvs_yield_slot *s, const struct pvs_hint *hint,
		       const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	pvs_u64 holders = PVS_PEEK(pvs_u64, &y->summary) & (pvs_u64)SET_BITS
							       << (SET_CRIT << SET_SHIFT);
	pvs_u32 target = PVS_NO_TARGET;
	pvs_u32 reason = PVS_YIELD_HOLDER;

	switch (hint->wait_kind) {
	case PVS_WAIT_LOCK:
	case PVS_WAIT_IPI:
		reason = PVS_YIELD_NAMED;
		target = named_one(y, hint, ask, out);
		break;
	case PVS_WAIT_IPI_MANY:
		reason = PVS_YIELD_NAMED_MANY;
		target = named_many(y, hint);
		break;
	case PVS_WAIT_ANY:
		target = holders ? next_of(y, holders, SET_CRIT) : PVS_NO_TARGET;
		break;
	default:
		break;
	}
	if (target != PVS_NO_TARGET)
		chosen(y, s, target, reason, out);
	else if (reason < PVS_YIELD_HOLDER && !out->stale)
		/* Those it waits for have a CPU: they are soonest waited for by spinning on, and
		 * the CPU of a bystander would not help them. */
		PVS_ADD32(&y->counts[PVS_YIELD_NOBODY], 1u);
	else if (s->sends)
		by_ipi(y, s, ask->now_ns, out);
	else
		by_set(y, s, out);
}

/* The caller has not said yet that it runs. It does: else it could be its own target. */
PVS_APART void by_sleeper(struct pvs_yield *y, pvs_u32 yielder, const struct pvs_hint *hint,
			  const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	pvs_yield_runs(y, yielder);
	by_name(y, &y->slot[slot_index(yielder)], hint, ask, out);
}

PVS_API void pvs_yield_choose(struct pvs_yield *y, pvs_u32 yielder, const struct pvs_hint *hint,
			      const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	struct pvs_yield_slot *s;

	__builtin_memset(out, 0, sizeof(*out));
	out->target = PVS_NO_TARGET;
	if (yielder >= y->slot_count)
		return;
	s = &y->slot[slot_index(yielder)];
	if (s->place != PLACE_NOT_WAITING)
		by_sleeper(y, yielder, hint, ask, out);
	else if (hint->wait_kind)
		by_name(y, s, hint, ask, out);
	else if (s->sends)
		by_ipi(y, s, ask->now_ns, out);
	else
		by_set(y, s, out);
}
