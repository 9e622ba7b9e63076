/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - virtual time: a queue of timers, random numbers, histograms, the trace.
 *
 * Nothing in here knows what a CPU is. Time is integer nanoseconds from 0; there is no wall clock,
 * no thread and no floating point. One seed, one order of events, one hash of the trace, on every
 * machine.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include <stddef.h>
#include <stdint.h>

struct sim;

#define SIM_NEVER UINT64_MAX
#define SIM_US 1000ull
#define SIM_MS 1000000ull
#define SIM_S  1000000000ull

/* ---- timers ---------------------------------------------------------------------------------- */

/* Something that happens at a time. Embedded in what it belongs to; zeroed memory is not armed. */
struct sim_timer {
	uint64_t at_ns;
	uint32_t heap_at; /* its place in the queue + 1; 0 = not armed */
	uint32_t arg;     /* the owner's */
	void *owner;
	void (*fire)(struct sim *sim, struct sim_timer *timer);
};

struct sim_entry {
	uint64_t at_ns;
	uint64_t order; /* of two at the same time, the one armed first fires first */
	struct sim_timer *timer;
};

/* The queue: a heap, by time and order. */
struct sim_queue {
	struct sim_entry *heap;
	uint32_t count, room;
	uint32_t open;  /* 1: the place at the top is that of what has fired */
	uint64_t next_order;
	uint64_t fired; /* = events */
};

/* Arms or re-arms, at the time of what fired last or later; SIM_NEVER disarms. O(log n). */
void sim_queue_arm(struct sim_queue *q, struct sim_timer *t, uint64_t at_ns);
void sim_queue_disarm(struct sim_queue *q, struct sim_timer *t);
/* The next one before this time, taken out; NULL when there is none. */
struct sim_timer *sim_queue_pop_before(struct sim_queue *q, uint64_t until_ns);
/* For invariants: what is wrong with the queue, or NULL. O(n). */
const char *sim_queue_wrong(const struct sim_queue *q, uint64_t now_ns);
void sim_queue_free(struct sim_queue *q);

/* ---- random numbers ---------------------------------------------------------------------------*/

/* xoshiro256** 1.0 seeded by splitmix64 (Blackman and Vigna; public domain description). A stream
 * for each task, so that one more task does not change what the others draw. */
struct sim_rng {
	uint64_t s[4];
};

void sim_rng_seed(struct sim_rng *r, uint64_t seed, uint64_t stream);
uint64_t sim_rng_next(struct sim_rng *r);
/* Uniform in 0..n-1, n >= 1, without bias worth naming (128-bit product by 32-bit halves). */
uint64_t sim_rng_below(struct sim_rng *r, uint64_t n);

/* A duration that is drawn: all integer arithmetic. */
enum sim_dist_kind {
	SIM_DIST_CONST,   /* a */
	SIM_DIST_UNIFORM, /* a..b, both included */
	SIM_DIST_EXP,     /* mean a, cut at 64 a */
	SIM_DIST_CHOICE   /* a with probability p_q16 / 65536, else b */
};

struct sim_dist {
	uint8_t kind;
	uint32_t p_q16;
	uint64_t a, b; /* ns */
};

uint64_t sim_dist_draw(const struct sim_dist *d, struct sim_rng *r);
/* -ln(x / 2^64), Q56, to 1e-8 of itself where that is more than the last bit; 0 counts as 1. */
uint64_t sim_neg_ln_q56(uint64_t x);

/* ---- histograms -------------------------------------------------------------------------------*/

/* Log-linear: 32 buckets in each power of two, so a quantile is known to 3 %; exact count, sum,
 * min and max. Values 0 .. 2^40 - 1 ns (18 minutes); larger ones count as that. */
#define SIM_HIST_SUB 32u
#define SIM_HIST_BUCKETS (SIM_HIST_SUB * 37u)

struct sim_hist {
	uint64_t count, sum, min, max;
	uint32_t bucket[SIM_HIST_BUCKETS];
};

void sim_hist_add(struct sim_hist *h, uint64_t value);
void sim_hist_merge(struct sim_hist *h, const struct sim_hist *other);
/* The smallest value v such that at least q/1000000 of all are <= v's bucket's upper end (clamped
 * to max); 0 when empty. 500000 is the median, 999000 p99.9. */
uint64_t sim_hist_quantile(const struct sim_hist *h, uint32_t q_ppm);
uint64_t sim_hist_mean(const struct sim_hist *h);
/* Lower end of a bucket, for reports. */
uint64_t sim_hist_lower(uint32_t bucket);

/* ---- trace ------------------------------------------------------------------------------------*/

/* What is recorded. The hash of a run covers every record whether or not it is kept. Numbers are
 * part of the file format of traces: never reused. */
enum sim_trace_type {
	SIM_T_NONE = 0,
	SIM_T_RUN = 1,      /* thread a gets CPU cpu; b = class, v = reason of it */
	SIM_T_STOP = 2,     /* thread a loses CPU cpu; b = SIM_STOP_* */
	SIM_T_WAKE = 3,     /* thread a becomes runnable on CPU cpu */
	SIM_T_CLASS = 4,    /* thread a: b = class | rank << 8 | reason << 16; v = weight_q10 */
	SIM_T_TASK = 5,     /* vCPU thread a runs guest task b (SIM_NO_TASK = none) */
	SIM_T_LATENCY = 6,  /* task b of thread a began or finished a job: v = latency ns */
	SIM_T_MISS = 7,     /* task b missed its deadline by v ns */
	SIM_T_SPIN = 8,     /* thread a begins to spin for lock or IPI b */
	SIM_T_SPUN = 9,     /* ... and has it; v = ns */
	SIM_T_YIELD = 10,   /* thread a yields to thread b (SIM_NO_THREAD) */
	SIM_T_IRQ = 11,     /* interrupt b arrives for thread a */
	SIM_T_KICK = 12,    /* thread a rings its doorbell */
	SIM_T_LEVEL = 13,   /* CPU cpu: performance level b, speed v / 1024 */
	SIM_T_FAULT = 14,   /* fault a happens, b = target */
	SIM_T_DENIED = 15,  /* thread a: no boost, b = reason */
	SIM_T_TYPES = 16
};

#define SIM_STOP_BLOCKED   0u
#define SIM_STOP_PREEMPTED 1u
#define SIM_STOP_YIELDED   2u
#define SIM_STOP_SLICE     3u
#define SIM_NO_TASK   0xffffffffu
#define SIM_NO_THREAD 0xffffffffu

struct sim_record {
	uint64_t at_ns;
	uint64_t v;
	uint32_t a, b;
	uint16_t cpu;
	uint8_t type;
	uint8_t reserved[5];
};

struct sim_trace {
	uint64_t hash;            /* of all records so far, independent of endianness */
	uint64_t total;           /* records, kept or not */
	struct sim_record *kept;  /* NULL: none are kept */
	uint64_t count, room;
	uint64_t from_ns, until_ns; /* those are kept; room permitting, the first ones */
	/* Told of each record, kept or not; NULL: nobody. For the invariants. */
	void (*watch)(void *ctx, const struct sim_record *r);
	void *watch_ctx;
};

void sim_trace_init(struct sim_trace *t);
void sim_trace_keep(struct sim_trace *t, uint64_t room, uint64_t from_ns, uint64_t until_ns);
void sim_trace_add(struct sim_trace *t, uint64_t at_ns, enum sim_trace_type type, uint32_t cpu,
		   uint32_t a, uint32_t b, uint64_t v);
void sim_trace_free(struct sim_trace *t);

#endif /* SIM_ENGINE_H */
