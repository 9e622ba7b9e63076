/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/queue.h - in which order a host that owns its run queue runs vCPUs: one 64-bit key.
 *
 * Two buckets (seed 003): boosted vCPUs, by the boost credit they have left, go before the others,
 * which go by their fair share. Boosted time is paid from both: from a boost account that fills
 * with a part of the vCPU's fair share, and from the fair share itself. So more boost means a
 * lower place afterwards, and who claims everything gets its fair share and nothing else.
 *
 *   enqueue -> key -> the host's sorted queue -> lowest key -> pick -> run -> charge -> enqueue
 *                                                  ^             |
 *                                                  +-- AGAIN ----+      PARK: aside, until park_ns
 *
 * All of it is in virtual time: what a vCPU of weight PVS_QUEUE_REFERENCE ages by when it runs;
 * others age faster or slower by their weight. The queue's `base` is the virtual time of those that
 * run by their fair share (start-time fair queueing). A key changes only by calls for that vCPU,
 * never behind the host's back.
 *
 * Compare keys with pvs_key_before() only: virtual time wraps. sched_ext's vtime order does the
 * same. The arithmetic is normative: abi/spec/policy-queue.md. Plain data, the caller's, without
 * pointers; calls for one queue are serialised by the caller (the run queue's lock).
 */
#ifndef PVS_QUEUE_H
#define PVS_QUEUE_H

#include <pvs/config.h>
#include <pvs/status.h>

/* Virtual time runs like real time for this weight. Low, so that 2^64 lasts for 9 years of the
 * lightest vCPU, and 2300 years at Xen's default weight (256). */
#define PVS_QUEUE_REFERENCE 64u

#define PVS_WEIGHT_MIN 1u
#define PVS_WEIGHT_MAX 65535u /* Xen's credit2; sched_ext: 1..10000 */

/* One charge counts at most this: 4.29 s, above every dt_max_ns. */
#define PVS_QUEUE_RUN_MAX_NS 0xffffffffu

/* A cap is enforced over this time (credit2_cap_period_ms). */
#define PVS_QUEUE_CAP_PERIOD_NS 10000000u

/* How often in a row a pick may send one back before it takes what comes. */
#define PVS_QUEUE_RETRIES 4u

/* What enqueue and pick say. */
#define PVS_QUEUE_GO    0 /* enqueue: insert it under e->key; pick: run it */
#define PVS_QUEUE_AGAIN 1 /* pick: insert it again under its new e->key, and pick again */
#define PVS_QUEUE_PARK  2 /* over its cap: out of the queue; enqueue it again at e->park_ns */

/* e->state */
#define PVS_ENTITY_OUT     0u
#define PVS_ENTITY_QUEUED  1u
#define PVS_ENTITY_RUNNING 2u

/* One run queue, of one or several CPUs. Zeroed memory is an empty one. 40 bytes. */
struct pvs_queue {
	pvs_u64 base;      /* virtual time */
	pvs_u64 weight;    /* of all that are queued or running */
	pvs_u32 waiting;   /* queued */
	pvs_u32 running;
	pvs_u32 retries;   /* sent back since the last one ran */
	pvs_u32 requeues;  /* sent back, ever */
	pvs_u32 overruns;  /* boosts ended by an empty account, ever */
	pvs_u32 parks;     /* times a cap was reached, ever */
};

/* One vCPU. Zeroed memory is not one: pvs_entity_init(). */
struct pvs_entity {
	pvs_u64 vtime;      /* virtual time up to which it has had its fair share */
	pvs_u64 boost;      /* virtual time up to which the boost account has been used */
	pvs_u64 key;        /* its place; valid while queued or running */
	pvs_u64 cap_ns;     /* host's time up to which what it has used is within its cap */
	pvs_u64 cap_cost_q16; /* wall time that one ns of running costs, 0 = no cap */
	pvs_u64 park_ns;    /* after PARK: when to enqueue it again */
	pvs_u64 boosted_ns; /* run time paid from the boost account, ever */
	pvs_u32 inverse;    /* virtual time per ns, in 1/2^25 */
	pvs_u32 rest;       /* of the last charge, in 1/2^25 */
	pvs_u32 boost_cost_q10; /* virtual time charged to the boost account per virtual time run */
	pvs_u32 base_weight;/* as set */
	pvs_u32 weight;     /* base_weight * factor */
	pvs_u32 counted;    /* what of it is in queue.weight now */
	pvs_u32 factor_q10; /* pvs_decision.weight_q10 when it was last enqueued */
	pvs_u32 cap_q16;    /* of a CPU, 0 = no cap */
	pvs_u32 overruns;   /* boosts ended by an empty account, ever */
	pvs_u8 state;       /* PVS_ENTITY_* */
	pvs_u8 klass;       /* PVS_CLASS_*, as last told */
	pvs_u8 rank;        /* 0..PVS_RANKS-1, as last told */
	pvs_u8 bucket;      /* 0..16; 16 is "not boosted" */
	pvs_u8 boosted;     /* 1: what it runs now is paid from the boost account too */
	pvs_u8 empty;       /* latch: the boost account is empty and not half full again */
	pvs_u8 parked;      /* latch: over its cap until park_ns */
	pvs_u8 placed;      /* 1: vtime and boost mean something */
};

/* What the host knows when it enqueues or picks: the decision, and the time. */
struct pvs_queue_ask {
	pvs_u64 now_ns;     /* monotonic */
	pvs_u32 weight_q10; /* pvs_decision.weight_q10, 1..1024; 0 = 1024. Used by enqueue only */
	pvs_u8 klass;       /* pvs_decision.klass */
	pvs_u8 rank;        /* pvs_decision.rank, 0..PVS_RANKS-1 */
	pvs_u8 reserved[2];
};

/* 1 when key `a` goes before key `b`. Equal keys: first in, first out. Context: any. O(1). */
PVS_INLINE int pvs_key_before(pvs_u64 a, pvs_u64 b)
{
	return (pvs_s64)(a - b) < 0;
}

/* Makes *q an empty queue. Context: any. O(1). */
PVS_API void pvs_queue_init(struct pvs_queue *q);

/*
 * Makes *e a vCPU of this weight (clamped to 1..65535) that has never run, without a cap. `cfg` is
 * resolved; of it the queue uses boost_share_q10, boost_burst_ns, credit_max_ns and debt_max_ns.
 * Context: any. O(1), two divisions.
 */
PVS_API void pvs_entity_init(struct pvs_entity *e, const struct pvs_config *cfg, pvs_u32 weight);

/*
 * Another weight (clamped to 1..65535). `q` is the queue it is in or was in last: what it is ahead
 * or behind there keeps its worth in CPU time. A queued vCPU keeps its key, and queue.weight its
 * sum, until it is enqueued again. Context: as enqueue. O(1), one division.
 */
PVS_API void pvs_entity_set_weight(const struct pvs_queue *q, const struct pvs_config *cfg,
				   struct pvs_entity *e, pvs_u32 weight);

/* At most this part of a CPU, in 1/65536 (clamped to 65536); 0 = no cap. What was used before is
 * not held against it. Context: as enqueue. O(1), one division. */
PVS_API void pvs_entity_set_cap(struct pvs_entity *e, pvs_u32 cap_q16);

/*
 * It waits for a CPU from now on: after a wake-up, after running (charge first), or again because
 * its class has changed while it waits (take it out of the sorted queue first). Returns
 * PVS_QUEUE_GO and e->key, or PVS_QUEUE_PARK and e->park_ns. What it did not use while it slept is
 * kept up to credit_max_ns. Context: under the queue's lock. O(1), a division only when
 * ask->weight_q10 differs from the last time.
 */
PVS_API int pvs_queue_enqueue(struct pvs_queue *q, const struct pvs_config *cfg,
			      struct pvs_entity *e, const struct pvs_queue_ask *ask);

/*
 * It has the lowest key and is about to run; `ask` is what is decided about it now. Returns
 * PVS_QUEUE_GO: it runs. PVS_QUEUE_AGAIN: it is worth less than when it was put there; it stays
 * queued under a new key. At most PVS_QUEUE_RETRIES times in a row, then the next one runs
 * whatever it is worth. PVS_QUEUE_PARK: over its cap. For one that runs already, the same asks
 * whether it may go on, and what as (GO or PARK). PVS_E_STATE: it is neither queued nor running.
 * Context: under the queue's lock. O(1), no division.
 */
PVS_API int pvs_queue_pick(struct pvs_queue *q, const struct pvs_config *cfg,
			   struct pvs_entity *e, const struct pvs_queue_ask *ask);

/*
 * It has run for `run_ns` up to `now_ns`. Call before enqueue or dequeue, and while it runs as
 * often as its key is to be compared; e->key is then what it would have to wait with. Context:
 * under the queue's lock. O(1), no division.
 */
PVS_API void pvs_queue_charge(struct pvs_queue *q, const struct pvs_config *cfg,
			      struct pvs_entity *e, pvs_u32 run_ns, pvs_u64 now_ns);

/* It blocks, goes offline or leaves for another queue. Nothing if it is not in. Context: under the
 * queue's lock. O(1). */
PVS_API void pvs_queue_dequeue(struct pvs_queue *q, struct pvs_entity *e);

/*
 * It will be enqueued on `to` next: what it was ahead or behind in `from` it is there too. PVS_OK,
 * or PVS_E_STATE if it has not been dequeued. Of the queues only `base` is read. Context: under
 * both locks, or wherever a 64-bit word is read whole. O(1), no division.
 */
PVS_API int pvs_queue_migrate(const struct pvs_queue *from, const struct pvs_queue *to,
			      const struct pvs_config *cfg, struct pvs_entity *e);

/*
 * How long a running vCPU may run before it must be charged and picked again, ns: until its boost
 * account or its cap is used up; 1000 or more. PVS_NEVER if neither limits it. Context: as charge.
 * O(1), no division.
 */
PVS_API pvs_u64 pvs_queue_limit_ns(const struct pvs_queue *q, const struct pvs_config *cfg,
				   const struct pvs_entity *e, pvs_u64 now_ns);

/* 1 when `waiting` (queued) goes before `running` (charged just now). Context: as charge. O(1). */
PVS_API int pvs_queue_preempts(const struct pvs_entity *waiting, const struct pvs_entity *running);

/* Its fair share of one CPU if all of the queue's vCPUs want it, in 1/65536, 1..65536: what
 * pvs_facts.entitlement_q16 asks for. Context: as charge. O(1), one division. */
PVS_API pvs_u32 pvs_queue_share_q16(const struct pvs_queue *q, const struct pvs_entity *e);

#endif /* PVS_QUEUE_H */
