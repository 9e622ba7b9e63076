/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched.h - a host scheduler: who is next. One file for each model; each says what it leaves out.
 *
 * Order of calls: attach once; then enqueue (wake) -> pick -> charge ... -> enqueue (preempted,
 * yielded, slice over) or block. `charge` comes before every other call for a running thread, so
 * its accounts are of now.
 */
#ifndef SIM_SCHED_H
#define SIM_SCHED_H

#include "machine.h"

#define SIM_ENQ_WAKE      0x1u
#define SIM_ENQ_PREEMPTED 0x2u
#define SIM_ENQ_YIELDED   0x4u
#define SIM_ENQ_SLICE     0x8u
#define SIM_ENQ_MIGRATED  0x10u

struct sim_sched {
	const char *name;
	const char *what;       /* one line: what it models, and its source */
	const char *leaves_out; /* one line: what it does not model */
	size_t rq_size;         /* zeroed memory for each CPU: cpu->rq */
	size_t entity_size;     /* and for each thread: t->entity */
	uint64_t tick_ns;       /* 0: no tick */

	/* Once, when CPUs are there. May be NULL. */
	void (*init)(struct sim *sim);
	void (*free)(struct sim *sim); /* may be NULL */
	void (*attach)(struct sim *sim, struct sim_thread *t);
	/* Which CPU's queue a woken thread goes to; one that it may run on. */
	struct sim_cpu *(*select)(struct sim *sim, struct sim_thread *t);
	/* It waits on this CPU's queue. */
	void (*enqueue)(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t, uint32_t flags);
	/* A waiting thread leaves the queue without running (migration, another class). */
	void (*dequeue)(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t);
	/* The next one, taken out of its queue (or another CPU's: then it calls sim_migrate()
	 * first); NULL: idle. */
	struct sim_thread *(*pick)(struct sim *sim, struct sim_cpu *cpu);
	/* It has run for so long, in wall time. */
	void (*charge)(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t, uint64_t ran_ns);
	/* The running thread blocks. May be NULL. */
	void (*block)(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t);
	/* How long the thread just picked (or asked about again) may run before the CPU decides
	 * anew; SIM_NEVER. May be NULL. */
	uint64_t (*slice)(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t);
	/* `t` was just enqueued here, or changed its class: does it take the CPU from who runs? */
	int (*preempts)(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t);
	/* The tick: 1 = decide anew. May be NULL. */
	int (*tick)(struct sim *sim, struct sim_cpu *cpu);
	/* Class, rank or weight of a thread changed (sim_set_class); it may be in any state. If
	 * it waits, the machine has dequeued it before and enqueues it after. May be NULL. */
	void (*reclass)(struct sim *sim, struct sim_thread *t);
	/* `from` runs and yields to `to`, which waits (directed yield). 1: `to` will be next on its
	 * CPU. May be NULL: cannot. */
	int (*yield_to)(struct sim *sim, struct sim_thread *from, struct sim_thread *to);
	/* For invariants: largest unfairness this model allows, in ns of weighted service between
	 * any two threads that both always wanted a CPU; SIM_NEVER = no bound. May be NULL. */
	uint64_t (*fairness_bound)(struct sim *sim);
};

extern const struct sim_sched sim_sched_fair;    /* EEVDF-like, with a real-time class above */
extern const struct sim_sched sim_sched_credit1;
extern const struct sim_sched sim_sched_credit2;
extern const struct sim_sched sim_sched_rank;    /* libpvsched owns the queue: pvs/queue.h */
/* For the comparison with formulas: first come, first served; round robin. */
extern const struct sim_sched sim_sched_fifo;
extern const struct sim_sched sim_sched_rr;

#endif /* SIM_SCHED_H */
