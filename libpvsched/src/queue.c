/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Rank for hosts that own their run queue. Three clocks:
 *
 *   vtime   what it has run, by weight: start-time fair queueing, with its start tag as the key
 *   boost   what it has run boosted, by weight and by the part of its share that boosts may use:
 *           a virtual scheduling (GCRA) account. Full while it is not ahead of the queue's base,
 *           empty when it is a whole burst ahead. It fills because the base moves on
 *   cap_ns  what it has run, by its cap, in the host's time; the same kind of account
 *
 * None of them has to be touched while the vCPU waits, so keys stand still in the queue.
 *
 * The base moves towards the start tag of who runs unboosted, but never by more than that run is
 * worth. Moving there at once, as start-time fair queueing does, would forgive all debts whenever
 * the creditors sleep for a moment; a vCPU that boosts itself could live on that.
 */
#include "stage.h"
#include <pvs/queue.h>

#define QUEUE_SHIFT 25 /* of `inverse`: 2^31 for weight 1 */
#define QUEUE_CPU_Q16 65536u
/* No limit is shorter: time too short to be run is not worth another pick. */
#define QUEUE_LIMIT_MIN_NS 1000u
#define QUEUE_LAST_BUCKET 16u /* not boosted */
/* Distance of two buckets. 16 of them and all virtual times in use lie within half of 2^64. */
#define QUEUE_BUCKET_SHIFT 58

/* ---- virtual time --------------------------------------------------------------------------- */

/* At most PVS_QUEUE_RUN_MAX_NS. */
static pvs_u64 queue_virtual(const struct pvs_entity *e, pvs_u64 ns)
{
	return (ns * e->inverse) >> QUEUE_SHIFT;
}

/* The other way round, rounded down. */
static pvs_u64 queue_real_ns(const struct pvs_entity *e, pvs_u64 virtual_time)
{
	return (virtual_time * e->weight) / PVS_QUEUE_REFERENCE;
}

/* How far `a` is ahead of `b`, or 0. */
static pvs_u64 queue_ahead(pvs_u64 a, pvs_u64 b)
{
	return pvs_key_before(b, a) ? a - b : 0u;
}

/* What running for so long costs the boost account, rounded up. */
static pvs_u64 queue_boost_cost(const struct pvs_entity *e, pvs_u64 virtual_time)
{
	return (virtual_time * e->boost_cost_q10 + PVS_MASK(10)) >> 10;
}

static pvs_u64 queue_boost_span(const struct pvs_config *cfg, const struct pvs_entity *e)
{
	return queue_boost_cost(e, queue_virtual(e, cfg->boost_burst_ns));
}

/* Neither credit nor debt without a limit. */
static void queue_clip(const struct pvs_queue *q, const struct pvs_config *cfg,
		       struct pvs_entity *e)
{
	pvs_u64 low = q->base - queue_virtual(e, cfg->credit_max_ns);
	pvs_u64 high = q->base + queue_virtual(e, cfg->debt_max_ns);
	pvs_u64 high_boost =
		q->base + queue_boost_cost(e, queue_virtual(e, PVS_QUEUE_RUN_MAX_NS));

	if (!e->placed) {
		e->placed = 1;
		e->vtime = q->base;
		e->boost = q->base;
	}
	if (pvs_key_before(e->vtime, low))
		e->vtime = low;
	if (pvs_key_before(high, e->vtime))
		e->vtime = high;
	if (pvs_key_before(e->boost, q->base))
		e->boost = q->base;
	if (pvs_key_before(high_boost, e->boost))
		e->boost = high_boost;
}

/* ---- weight and cap ------------------------------------------------------------------------- */

static void queue_set_weight(struct pvs_entity *e)
{
	pvs_u32 weight = (e->base_weight * e->factor_q10) >> 10;

	e->weight = weight ? weight : 1u;
	e->inverse = ((PVS_QUEUE_REFERENCE << QUEUE_SHIFT) + e->weight / 2u) / e->weight;
}

/* Another weight: what it is ahead or behind keeps its worth in CPU time. */
static void queue_reweigh(const struct pvs_queue *q, const struct pvs_config *cfg,
			  struct pvs_entity *e)
{
	pvs_u64 credit;
	pvs_u64 debt;
	pvs_u64 boost;

	queue_clip(q, cfg, e);
	credit = queue_real_ns(e, queue_ahead(q->base, e->vtime));
	debt = queue_real_ns(e, queue_ahead(e->vtime, q->base));
	boost = queue_real_ns(e, queue_ahead(e->boost, q->base));
	queue_set_weight(e);
	e->vtime = q->base + queue_virtual(e, debt) - queue_virtual(e, credit);
	/* Up to 2^42 ns: in units of 1024, rounded up. */
	e->boost = q->base + ((((boost + PVS_MASK(10)) >> 10) * e->inverse) >> (QUEUE_SHIFT - 10));
}

static pvs_u32 queue_weight_in_range(pvs_u32 weight)
{
	if (weight < PVS_WEIGHT_MIN)
		return PVS_WEIGHT_MIN;
	return weight < PVS_WEIGHT_MAX ? weight : PVS_WEIGHT_MAX;
}

PVS_API void pvs_queue_init(struct pvs_queue *q)
{
	*q = (struct pvs_queue){ 0 };
}

PVS_API void pvs_entity_init(struct pvs_entity *e, const struct pvs_config *cfg, pvs_u32 weight)
{
	*e = (struct pvs_entity){ 0 };
	e->base_weight = queue_weight_in_range(weight);
	e->factor_q10 = 1024;
	e->klass = PVS_CLASS_BASELINE;
	e->bucket = QUEUE_LAST_BUCKET;
	/* Rounded up: boosts never get more than their share. */
	e->boost_cost_q10 = (1024u * 1024u + cfg->boost_share_q10 - 1u) / cfg->boost_share_q10;
	queue_set_weight(e);
}

PVS_API void pvs_entity_set_weight(const struct pvs_queue *q, const struct pvs_config *cfg,
				   struct pvs_entity *e, pvs_u32 weight)
{
	e->base_weight = queue_weight_in_range(weight);
	queue_reweigh(q, cfg, e);
}

PVS_API void pvs_entity_set_cap(struct pvs_entity *e, pvs_u32 cap_q16)
{
	e->cap_q16 = cap_q16 < QUEUE_CPU_Q16 ? cap_q16 : QUEUE_CPU_Q16;
	e->cap_ns = 0;
	e->cap_cost_q16 = 0;
	e->parked = 0;
	if (e->cap_q16)
		e->cap_cost_q16 = PVS_DIV64(PVS_U64(1, 0) + e->cap_q16 - 1u, e->cap_q16);
}

/* 1: over its cap; from a whole period ahead until it is not ahead any more. */
static int queue_over_cap(struct pvs_queue *q, struct pvs_entity *e, pvs_u64 now_ns)
{
	pvs_u64 ahead = pvs_less64(e->cap_ns, now_ns);

	if (!ahead)
		e->parked = 0;
	if (ahead < PVS_QUEUE_CAP_PERIOD_NS || e->parked)
		return e->parked;
	e->parked = 1;
	e->park_ns = e->cap_ns;
	q->parks++;
	return 1;
}

/* ---- key ------------------------------------------------------------------------------------ */

/* Opens or closes the boost account. */
static void queue_latch(struct pvs_queue *q, const struct pvs_config *cfg, struct pvs_entity *e)
{
	pvs_u64 used = queue_ahead(e->boost, q->base);
	pvs_u64 span = queue_boost_span(cfg, e);

	if (e->empty) {
		e->empty = used > span / 2u;
	} else if (used >= span) {
		e->empty = 1;
		e->overruns++;
		q->overruns++;
	}
}

/* Class, then rank, as pvs_preempts() has it; then credit, by the clock of the bucket. */
static pvs_u64 queue_key(struct pvs_entity *e)
{
	e->bucket = QUEUE_LAST_BUCKET;
	if (pvs_boosted(e->klass) && !e->empty)
		e->bucket = (pvs_u8)(PVS_RANKS - 1u - e->rank +
				     (e->klass == PVS_CLASS_TASK ? PVS_RANKS : 0u));
	return ((pvs_u64)e->bucket << QUEUE_BUCKET_SHIFT) +
	       (e->bucket == QUEUE_LAST_BUCKET ? e->vtime : e->boost);
}

/* ---- into the queue, out of it, and back ---------------------------------------------------- */

static void queue_set_state(struct pvs_queue *q, struct pvs_entity *e, pvs_u32 state)
{
	pvs_u32 weight = state == PVS_ENTITY_OUT ? 0u : e->weight;

	q->waiting -= e->state == PVS_ENTITY_QUEUED;
	q->running -= e->state == PVS_ENTITY_RUNNING;
	q->waiting += state == PVS_ENTITY_QUEUED;
	q->running += state == PVS_ENTITY_RUNNING;
	q->weight += weight;
	q->weight -= e->counted;
	e->counted = weight;
	e->state = (pvs_u8)state;
}

/* What the host knows now, and whether that lets it into the queue or on to the CPU at all. */
static int queue_admit(struct pvs_queue *q, const struct pvs_config *cfg, struct pvs_entity *e,
		       const struct pvs_queue_ask *ask)
{
	e->klass = ask->klass < PVS_CLASS_CRITICAL ? ask->klass : PVS_CLASS_CRITICAL;
	e->rank = ask->rank & (PVS_RANKS - 1u);
	queue_latch(q, cfg, e);
	if (!queue_over_cap(q, e, ask->now_ns))
		return 1;
	queue_set_state(q, e, PVS_ENTITY_OUT);
	return 0;
}

PVS_API int pvs_queue_enqueue(struct pvs_queue *q, const struct pvs_config *cfg,
			      struct pvs_entity *e, const struct pvs_queue_ask *ask)
{
	pvs_u32 factor = ask->weight_q10 && ask->weight_q10 < 1024u ? ask->weight_q10 : 1024u;

	if (factor != e->factor_q10) {
		e->factor_q10 = factor;
		queue_reweigh(q, cfg, e);
	}
	queue_clip(q, cfg, e);
	if (!queue_admit(q, cfg, e, ask))
		return PVS_QUEUE_PARK;
	e->key = queue_key(e);
	queue_set_state(q, e, PVS_ENTITY_QUEUED);
	return PVS_QUEUE_GO;
}

PVS_API int pvs_queue_pick(struct pvs_queue *q, const struct pvs_config *cfg,
			   struct pvs_entity *e, const struct pvs_queue_ask *ask)
{
	pvs_u64 before = e->key;

	if (e->state == PVS_ENTITY_OUT)
		return PVS_E_STATE;
	if (!queue_admit(q, cfg, e, ask))
		return PVS_QUEUE_PARK;
	e->key = queue_key(e);
	if (e->state == PVS_ENTITY_QUEUED && pvs_key_before(before, e->key) &&
	    q->retries < PVS_QUEUE_RETRIES) {
		q->retries++;
		q->requeues++;
		return PVS_QUEUE_AGAIN;
	}
	q->retries = 0;
	e->boosted = e->bucket != QUEUE_LAST_BUCKET;
	queue_set_state(q, e, PVS_ENTITY_RUNNING);
	return PVS_QUEUE_GO;
}

PVS_API void pvs_queue_dequeue(struct pvs_queue *q, struct pvs_entity *e)
{
	queue_set_state(q, e, PVS_ENTITY_OUT);
}

PVS_API int pvs_queue_migrate(const struct pvs_queue *from, const struct pvs_queue *to,
			      const struct pvs_config *cfg, struct pvs_entity *e)
{
	pvs_u64 shift = to->base - from->base;

	if (e->state != PVS_ENTITY_OUT)
		return PVS_E_STATE;
	queue_clip(from, cfg, e);
	e->vtime += shift;
	e->boost += shift;
	return PVS_OK;
}

/* ---- running -------------------------------------------------------------------------------- */

/* `start` is its vtime before it ran and `worth` what it ran since. Alone it moves the base twice
 * as fast: nobody is there to be paid, so debts fade. */
static void queue_move_base(struct pvs_queue *q, const struct pvs_entity *e, pvs_u64 start,
			    pvs_u64 worth)
{
	if (e->state != PVS_ENTITY_RUNNING)
		return;
	if (!q->waiting)
		q->base += pvs_min64(queue_ahead(e->vtime, q->base), 2u * worth);
	else if (!e->boosted)
		q->base += pvs_min64(queue_ahead(start, q->base), worth);
}

PVS_API void pvs_queue_charge(struct pvs_queue *q, const struct pvs_config *cfg,
			      struct pvs_entity *e, pvs_u32 run_ns, pvs_u64 now_ns)
{
	pvs_u64 exact = (pvs_u64)run_ns * e->inverse + e->rest;
	pvs_u64 worth = exact >> QUEUE_SHIFT;
	pvs_u64 start = e->vtime;

	e->rest = (pvs_u32)(exact & PVS_MASK(QUEUE_SHIFT));
	e->vtime += worth;
	if (e->boosted) {
		/* What filled up while it waited does not count beyond full. */
		if (pvs_key_before(e->boost, q->base))
			e->boost = q->base;
		e->boost += queue_boost_cost(e, worth);
		e->boosted_ns += run_ns;
	}
	if (e->cap_q16)
		e->cap_ns = pvs_max64(e->cap_ns, pvs_less64(now_ns, run_ns)) +
			    ((run_ns * e->cap_cost_q16) >> 16);
	queue_move_base(q, e, start, worth);
	queue_clip(q, cfg, e);
	queue_latch(q, cfg, e);
	if (e->empty)
		e->boosted = 0;
	if (e->state == PVS_ENTITY_RUNNING)
		e->key = queue_key(e);
}

PVS_API pvs_u64 pvs_queue_limit_ns(const struct pvs_queue *q, const struct pvs_config *cfg,
				   const struct pvs_entity *e, pvs_u64 now_ns)
{
	pvs_u64 left = PVS_NEVER;

	if (e->boosted) {
		pvs_u64 span = queue_boost_span(cfg, e);
		pvs_u64 unused = pvs_less64(span, queue_ahead(e->boost, q->base));

		left = (queue_real_ns(e, unused) * cfg->boost_share_q10) >> 10;
	}
	if (e->cap_q16) {
		pvs_u64 ahead = pvs_less64(e->cap_ns, now_ns);
		pvs_u64 wall = pvs_less64(PVS_QUEUE_CAP_PERIOD_NS, ahead);

		/* The cap fills meanwhile, so it could run a little longer: ask again then. */
		left = pvs_min64(left, (wall * e->cap_q16) >> 16);
	}
	return pvs_max64(left, QUEUE_LIMIT_MIN_NS);
}

PVS_API int pvs_queue_preempts(const struct pvs_entity *waiting, const struct pvs_entity *running)
{
	return pvs_key_before(waiting->key, running->key);
}

PVS_API pvs_u32 pvs_queue_share_q16(const struct pvs_queue *q, const struct pvs_entity *e)
{
	pvs_u64 all = q->weight - e->counted + e->weight;
	pvs_u32 share = (pvs_u32)PVS_DIV64((pvs_u64)e->weight << 16, all);

	return share ? share : 1u;
}
