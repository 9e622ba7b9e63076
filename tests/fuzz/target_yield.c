/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * yield: the vCPUs of one VM wait, run, block, send IPIs and spin. Whom a spinning one yields to
 * is compared with a plain list of who waits, and why.
 */
#include "fuzz.h"

#include <string.h>

#include <pvs/pvs.h>

#define OPS_MAX 300u
#define NOWHERE 0xffu
#define CLOCK_MAX_NS ((uint64_t)1 << 60)
/* A penalty is at most six granularities, and the gap no more than that (policy-yield). */
#define PENALTY_MAX_FACTOR 6u

static struct pvs_yield yield;

struct world {
	uint64_t now_ns;
	uint32_t slots;
	uint32_t flags;                 /* of the config */
	uint32_t transfer;
	uint8_t waits[PVS_YIELD_SLOTS]; /* PVS_WAITS_*, or NOWHERE */
	uint8_t spins[PVS_YIELD_SLOTS]; /* has chosen a target and not run since */
};

/* The best rank that is a set and has somebody in it, but for IPIs, which only the engine knows. */
static unsigned int rank_of(const struct world *w, uint32_t slot)
{
	uint8_t flags = w->waits[slot];

	if (flags == NOWHERE)
		return PVS_YIELD_NOBODY;
	if (flags & PVS_WAITS_INTERRUPT)
		return PVS_YIELD_INTERRUPT;
	if ((flags & (PVS_WAITS_PREEMPTED | PVS_WAITS_SPINNING)) != PVS_WAITS_PREEMPTED)
		return PVS_YIELD_RELAXED;
	if (flags & PVS_WAITS_CRIT)
		return PVS_YIELD_CRIT;
	return flags & PVS_WAITS_KERNEL ? PVS_YIELD_KERNEL : PVS_YIELD_USER;
}

static unsigned int best_rank(const struct world *w, uint32_t yielder)
{
	unsigned int best = PVS_YIELD_REASON_COUNT;
	uint32_t i;

	for (i = 0; i < w->slots; i++) {
		unsigned int rank = rank_of(w, i);

		if (i != yielder && rank != PVS_YIELD_NOBODY && rank < best)
			best = rank;
	}
	return best;
}

static void waits(struct world *w, uint32_t slot, struct fuzz_input *in)
{
	uint32_t flags = fuzz_u8(in) & PVS_WAITS_ALL;

	pvs_yield_waits(&yield, slot, flags);
	if (slot < w->slots)
		w->waits[slot] = (uint8_t)(flags | (w->spins[slot] ? PVS_WAITS_SPINNING : 0));
}

static void runs(struct world *w, uint32_t slot, int removed)
{
	if (removed)
		pvs_yield_removed(&yield, slot);
	else
		pvs_yield_runs(&yield, slot);
	if (slot >= w->slots)
		return;
	w->waits[slot] = NOWHERE;
	w->spins[slot] = 0;
}

static void interrupt(struct world *w, uint32_t slot)
{
	pvs_yield_interrupt(&yield, slot);
	if (slot < w->slots && w->waits[slot] != NOWHERE)
		w->waits[slot] |= PVS_WAITS_INTERRUPT;
}

static void judge(const struct world *w, uint32_t yielder, const struct pvs_hint *hint,
		  const struct pvs_yield_choice *c)
{
	unsigned int best = best_rank(w, yielder);
	int named = hint->wait_kind == PVS_WAIT_LOCK || hint->wait_kind == PVS_WAIT_IPI;

	FUZZ_RULE("yield: reason", c->reason < PVS_YIELD_REASON_COUNT);
	FUZZ_RULE("yield: nobody has a name",
		  (c->reason == PVS_YIELD_NOBODY) == (c->target == PVS_NO_TARGET));
	FUZZ_RULE("yield: relaxed says so", c->relaxed == (c->reason == PVS_YIELD_RELAXED));
	if (c->target == PVS_NO_TARGET) {
		FUZZ_RULE("yield: somebody waits", best == PVS_YIELD_REASON_COUNT ||
			  ((named || hint->wait_kind == PVS_WAIT_IPI_MANY) && !c->stale) ||
			  ((w->flags & PVS_YIELD_STRICT) && best == PVS_YIELD_RELAXED));
		return;
	}
	FUZZ_RULE("yield: a slot that is not there", c->target < w->slots);
	FUZZ_RULE("yield: to itself", c->target != yielder);
	FUZZ_RULE("yield: to one that does not wait", w->waits[c->target] != NOWHERE);
	FUZZ_RULE("yield: a rank it does not have", c->reason < PVS_YIELD_INTERRUPT ||
		  c->reason == PVS_YIELD_RELAXED || rank_of(w, c->target) == c->reason ||
		  c->reason > rank_of(w, c->target));
	FUZZ_RULE("yield: not the best rank", c->reason < PVS_YIELD_INTERRUPT || c->reason == best);
	FUZZ_RULE("yield: named somebody else",
		  c->reason != PVS_YIELD_NAMED || (named && c->target == hint->wait_target));
	FUZZ_RULE("yield: not in the mask", c->reason != PVS_YIELD_NAMED_MANY ||
		  (c->target - hint->wait_target < 32u &&
		   (hint->wait_mask >> (c->target - hint->wait_target) & 1u)));
	if (named && hint->wait_target < w->slots && hint->wait_target != yielder && !c->stale)
		FUZZ_RULE("yield: not to whom the guest named",
			  w->waits[hint->wait_target] == NOWHERE || c->reason == PVS_YIELD_NAMED);
}

static void choose(struct world *w, uint32_t yielder, struct fuzz_input *in)
{
	struct pvs_yield_choice c;
	struct pvs_yield_ask ask;
	struct pvs_hint hint;

	if (yielder >= w->slots)
		return;
	memset(&hint, 0, sizeof(hint));
	memset(&ask, 0, sizeof(ask));
	memset(&c, 0xa5, sizeof(c));
	ask.now_ns = w->now_ns;
	hint.wait_kind = fuzz_u8(in) % (PVS_WAIT_KIND_MAX + 1u);
	if (hint.wait_kind) {
		hint.wait_target = fuzz_u16(in) % PVS_SLOT_COUNT_MAX;
		hint.wait_epoch = fuzz_u8(in) & 3u;
		hint.wait_mask = fuzz_u32(in);
		ask.target_epoch = fuzz_u8(in) & 3u;
	}
	pvs_yield_choose(&yield, yielder, &hint, &ask, &c);
	/* who yields runs, whatever was told before */
	if (w->waits[yielder] != NOWHERE) {
		w->waits[yielder] = NOWHERE;
		w->spins[yielder] = 0;
	}
	if (FUZZ_CANARY(c.reason == PVS_YIELD_NAMED_MANY && c.target - hint.wait_target > 23u))
		c.target = yielder;
	judge(w, yielder, &hint, &c);
	if (c.target != PVS_NO_TARGET)
		w->spins[yielder] = 1;
}

static void transfer(struct world *w, uint32_t yielder, uint32_t target, struct fuzz_input *in)
{
	struct pvs_transfer_facts facts;
	struct pvs_transfer out;
	uint64_t most;

	memset(&facts, 0, sizeof(facts));
	facts.now_ns = w->now_ns;
	facts.gap_ns = (pvs_s64)fuzz_duration_ns(in) * (fuzz_u8(in) & 1u ? -1 : 1);
	facts.lag_ns = (pvs_s64)fuzz_duration_ns(in) * (fuzz_u8(in) & 1u ? -1 : 1);
	facts.lag_max_ns = fuzz_u32(in);
	facts.granularity_ns = fuzz_u32(in);
	facts.queued = fuzz_u8(in);
	pvs_transfer(&yield, yielder, target, &facts, &out);
	most = facts.granularity_ns < PVS_GRANULARITY_MAX_NS ? facts.granularity_ns :
	       PVS_GRANULARITY_MAX_NS;
	FUZZ_RULE("transfer: both pay", !out.penalty_ns || !out.credit_ns);
	FUZZ_RULE("transfer: reason", out.reason < PVS_TRANSFER_REASON_COUNT);
	FUZZ_RULE("transfer: penalty of another config",
		  !out.penalty_ns || w->transfer == PVS_TRANSFER_PENALISE);
	FUZZ_RULE("transfer: credit of another config",
		  !out.credit_ns || w->transfer == PVS_TRANSFER_CREDIT);
	FUZZ_RULE("transfer: penalty without an end",
		  out.penalty_ns <= most * PENALTY_MAX_FACTOR);
}

static void operate(struct world *w, struct fuzz_input *in)
{
	unsigned int op = fuzz_u8(in);
	uint32_t slot = fuzz_u8(in);

	if (op & 0x80u)
		slot = slot << 2 | (op >> 5 & 3u);
	switch (op & 15u) {
	case 0:
	case 1:
		waits(w, slot, in);
		break;
	case 2:
		runs(w, slot, 0);
		break;
	case 3:
		runs(w, slot, 1);
		break;
	case 4:
		interrupt(w, slot);
		break;
	case 5:
		pvs_yield_ipi(&yield, slot, fuzz_u8(in), fuzz_u8(in), w->now_ns);
		break;
	case 6:
		pvs_yield_eoi(&yield, slot, fuzz_u8(in));
		break;
	case 7:
		transfer(w, slot, fuzz_u8(in), in);
		break;
	case 8:
		if (w->now_ns < CLOCK_MAX_NS)
			w->now_ns += fuzz_duration_ns(in);
		break;
	default:
		choose(w, slot, in);
		break;
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input_of(data, size);
	struct pvs_yield_config cfg;
	static struct world w;
	unsigned int i;

	memset(&w, 0, sizeof(w));
	memset(w.waits, NOWHERE, sizeof(w.waits));
	memset(&cfg, 0, sizeof(cfg));
	w.now_ns = 1000000000u;
	cfg.flags = fuzz_u8(&in) & PVS_YIELD_STRICT;
	cfg.transfer = fuzz_u8(&in) % 4u;
	w.slots = 1u + fuzz_u16(&in) % PVS_YIELD_SLOTS;
	w.flags = cfg.flags;
	w.transfer = cfg.transfer;
	FUZZ_RULE("yield: a good config is refused",
		  pvs_yield_init(&yield, &cfg, w.slots) == PVS_OK);
	for (i = 0; i < OPS_MAX && in.left; i++)
		operate(&w, &in);
}
