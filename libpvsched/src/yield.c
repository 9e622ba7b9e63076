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
#define SET_SHIFT 4u /* words in a set */
#define SET_BITS PVS_MASK(1u << SET_SHIFT)
#define PAIRS (PVS_YIELD_WORDS / 2u)
#define IPI_MASK (PVS_YIELD_IPIS - 1u)
#define ALL_BITS (~(pvs_u64)0)

/* The sets, best first: the reason of a choice is SET_REASON + set. */
enum { SET_INTERRUPT, SET_CRIT, SET_KERNEL, SET_USER, SET_COUNT };
#define SET_REASON PVS_YIELD_INTERRUPT

/* slot.state */
#define STATE_WAITS 0x07u /* 0: it waits for no CPU; else its set, or SET_COUNT for none */
#define STATE_SENDS 0x08u /* something may be in `sent` */
#define STATE_SPINS 0x10u /* it has yielded to somebody and not run since */

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
	return (PVS_PEEK(pvs_u8, &y->slot[slot].state) & STATE_WAITS) != 0;
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
	if (PVS_PEEK(pvs_u64, &y->word[at]))
		return;
	PVS_AND64(&y->summary, ~((pvs_u64)1 << at));
	if (PVS_PEEK(pvs_u64, &y->word[at]))
		PVS_OR64(&y->summary, (pvs_u64)1 << at);
}

/* ---- what the host sees ---------------------------------------------------------------------- */

/* `slot`, which waits, does so no more. */
PVS_INLINE void stop_waiting(struct pvs_yield *y, pvs_u32 slot, pvs_u32 state)
{
	pvs_u64 bit = slot_bit(slot);
	pvs_u32 w = slot >> WORD_SHIFT;
	pvs_u32 set = state & STATE_WAITS;

	PVS_AND64(&y->waiting[w], ~bit);
	if (set != SET_COUNT) {
		PVS_OPT(set);
		set_leave(y, (set & (SET_COUNT - 1u)) << SET_SHIFT | w, bit);
	}
	if (PVS_PEEK(pvs_u64, &y->word[w]) & bit) /* SET_INTERRUPT */
		set_leave(y, w, bit);
}

PVS_API void pvs_yield_waits(struct pvs_yield *y, pvs_u32 slot, pvs_u32 flags)
{
	struct pvs_yield_slot *s;
	pvs_u32 state;
	pvs_u32 set;
	pvs_u32 w;

	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	s = &y->slot[slot];
	state = s->state;
	if (state & STATE_WAITS)
		stop_waiting(y, slot, state);
	w = slot >> WORD_SHIFT;
	set = set_for[(flags | (state & STATE_SPINS)) & PVS_WAITS_ALL];
	PVS_POKE(pvs_u8, &s->state, (state & ~STATE_WAITS) | set);
	PVS_OR64(&y->waiting[w], slot_bit(slot));
	if (set != SET_COUNT)
		set_join(y, set << SET_SHIFT | w, slot_bit(slot));
	if (flags & PVS_WAITS_INTERRUPT)
		set_join(y, w, slot_bit(slot));
}

PVS_API void pvs_yield_runs(struct pvs_yield *y, pvs_u32 slot)
{
	pvs_u32 state;

	if (slot >= y->slot_count)
		return;
	slot = slot_index(slot);
	state = y->slot[slot].state;
	PVS_POKE(pvs_u8, &y->slot[slot].state, state & STATE_SENDS);
	if (state & STATE_WAITS)
		stop_waiting(y, slot, state);
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
	PVS_POKE(pvs_u8, &s->state, 0);
	s->penalty_ns = 0;
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
		set_leave(y, slot >> WORD_SHIFT, slot_bit(slot));
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
	PVS_POKE(pvs_u8, &s->state, s->state | STATE_SENDS);
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
	pvs_u32 now = (pvs_u32)(now_ns >> TICK_SHIFT) + y->ipi_window;
	pvs_u32 first = s->receiver;
	pvs_u32 state = s->state & ~STATE_SENDS;
	pvs_u32 i;

	PVS_FOR(i, PVS_YIELD_IPIS) {
		pvs_u32 at = (first + i) & IPI_MASK;
		pvs_u64 sent = PVS_PEEK(pvs_u64, &s->sent[at]);
		pvs_u32 target;

		if (!sent)
			continue;
		/* Clocks of two CPUs may differ a little; a time long ahead is another clock's. */
		if (now - (pvs_u32)(sent >> 32) > 2u * y->ipi_window) {
			PVS_POKE(pvs_u64, &s->sent[at], 0);
			continue;
		}
		target = slot_index((pvs_u32)(sent & 0xffffu) - 1u);
		if (slot_waits(y, target)) {
			s->receiver = (pvs_u8)((at + 1u) & IPI_MASK);
			return target;
		}
		state |= STATE_SENDS;
	}
	PVS_POKE(pvs_u8, &s->state, state);
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
	above = behind < 32u ? bits & (~(pvs_u32)0 << behind) : 0u;
	base += PVS_CTZ64((pvs_u64)(above ? above : bits));
	PVS_POKE(pvs_u32, &y->cursor_many, base + 1u);
	return base;
}

/* The best of the sets in `summary`: the first one behind the set's last choice, wrapping around. */
PVS_INLINE pvs_u32 ranked(struct pvs_yield *y, pvs_u64 summary, struct pvs_yield_choice *out)
{
	pvs_u32 i;

	PVS_FOR(i, SET_COUNT) {
		pvs_u32 set;
		pvs_u32 start;
		pvs_u32 at;
		pvs_u64 bits;

		if (!summary)
			break;
		set = PVS_CTZ64(summary) >> SET_SHIFT;
		PVS_OPT(set);
		set &= SET_COUNT - 1u;
		start = slot_index(PVS_PEEK(pvs_u32, &y->cursor[set]));
		at = set << SET_SHIFT | start >> WORD_SHIFT;
		bits = PVS_PEEK(pvs_u64, &y->word[at]) & ALL_BITS << (start & 63u);
		if (!bits) {
			pvs_u64 above = summary & SET_BITS << (set << SET_SHIFT) &
					ALL_BITS << at << 1;

			at = PVS_CTZ64(above ? above : summary);
			PVS_OPT(at);
			at &= SET_COUNT * PVS_YIELD_WORDS - 1u;
			bits = PVS_PEEK(pvs_u64, &y->word[at]);
		}
		/* Who has begun to run since is no candidate any more; one look must do. */
		bits &= PVS_PEEK(pvs_u64, &y->waiting[at & WORD_MASK]);
		if (bits) {
			at = (at & WORD_MASK) << WORD_SHIFT | PVS_CTZ64(bits);
			PVS_POKE(pvs_u32, &y->cursor[set], at + 1u);
			out->reason = (pvs_u8)(SET_REASON + set);
			return at;
		}
		summary &= ~(SET_BITS << (set << SET_SHIFT));
	}
	return PVS_NO_TARGET;
}

/* The first rank: whom the guest names. */
static pvs_u32 named(struct pvs_yield *y, const struct pvs_hint *hint,
		     const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	pvs_u32 target;

	switch (hint->wait_kind) {
	case PVS_WAIT_LOCK:
	case PVS_WAIT_IPI:
		target = named_one(y, hint, ask, out);
		out->reason = PVS_YIELD_NAMED;
		return target;
	case PVS_WAIT_IPI_MANY:
		target = named_many(y, hint);
		out->reason = PVS_YIELD_NAMED_MANY;
		return target;
	case PVS_WAIT_ANY:
		target = ranked(y, PVS_PEEK(pvs_u64, &y->summary) &
				   SET_BITS << (SET_CRIT << SET_SHIFT), out);
		out->reason = PVS_YIELD_HOLDER;
		return target;
	default:
		return PVS_NO_TARGET;
	}
}

/* The relaxed round: whoever waits. No set and no summary is asked; two words at a time. */
static pvs_u32 relaxed(struct pvs_yield *y)
{
	pvs_u32 start = slot_index(PVS_PEEK(pvs_u32, &y->cursor_relaxed));
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
	PVS_POKE(pvs_u32, &y->cursor_relaxed, start + 1u);
	return start;
}

PVS_INLINE void chosen(struct pvs_yield *y, struct pvs_yield_slot *s, pvs_u32 target,
		       struct pvs_yield_choice *out)
{
	out->target = target;
	PVS_POKE(pvs_u8, &s->state, s->state | STATE_SPINS);
	PVS_ADD32(&y->counts[out->reason], 1u);
}

/* All ranks in their order. */
static void choose(struct pvs_yield *y, struct pvs_yield_slot *s, const struct pvs_hint *hint,
		   const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	pvs_u32 target = PVS_NO_TARGET;

	if (hint->wait_kind)
		target = named(y, hint, ask, out);
	if (target == PVS_NO_TARGET && (s->state & STATE_SENDS)) {
		out->reason = PVS_YIELD_RECEIVER;
		target = next_receiver(y, s, ask->now_ns);
	}
	if (target == PVS_NO_TARGET)
		target = ranked(y, PVS_PEEK(pvs_u64, &y->summary), out);
	if (target == PVS_NO_TARGET && !(y->flags & PVS_YIELD_STRICT)) {
		out->reason = PVS_YIELD_RELAXED;
		target = relaxed(y);
		out->relaxed = target != PVS_NO_TARGET;
	}
	if (target != PVS_NO_TARGET) {
		chosen(y, s, target, out);
		return;
	}
	out->reason = PVS_YIELD_NOBODY;
	PVS_ADD32(&y->counts[PVS_YIELD_NOBODY], 1u);
}

PVS_API void pvs_yield_choose(struct pvs_yield *y, pvs_u32 yielder, const struct pvs_hint *hint,
			      const struct pvs_yield_ask *ask, struct pvs_yield_choice *out)
{
	static const struct pvs_yield_choice nobody PVS_TAB = { .target = PVS_NO_TARGET };
	struct pvs_yield_slot *s;

	*out = nobody;
	if (yielder >= y->slot_count)
		return;
	s = &y->slot[slot_index(yielder)];
	/* Who spins runs: it is in no set, so it is never its own target. */
	if (s->state & STATE_WAITS)
		pvs_yield_runs(y, yielder);
	choose(y, s, hint, ask, out);
}
