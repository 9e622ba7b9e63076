/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_fair.h - what a yielder may ask of the fair host, and do to it, beyond yield_to: look at
 * virtual times, let the yielder pay, credit the target, end a protected slice. All are harmless
 * when the host is another one: the look says 0 and the rest does nothing.
 */
#ifndef SIM_SCHED_FAIR_H
#define SIM_SCHED_FAIR_H

#include "machine.h"

/* Two threads as the fair host sees them. Times are virtual: ns of a thread of nice 0. */
struct sim_fair_view {
	int same_queue;          /* both on one CPU's queue, so that gap_ns means something */
	int64_t gap_ns;          /* the target's virtual time less the yielder's */
	int64_t lag_ns;          /* what the target is owed (> 0) or has had too much (< 0) */
	uint32_t lag_max_ns;     /* largest lag the host would keep of the target */
	uint32_t granularity_ns; /* a base slice in the virtual time of the yielder */
	uint32_t queued;         /* fair threads on the target's queue, with the one that runs */
};

/* What a yielder remembers of a queue: its last penalty or forced decision, and its last pair. */
struct sim_fair_limit {
	uint64_t last_ns, pair_at_ns; /* 0 = never */
	uint32_t from, to;            /* ids of threads */
};

/* NULL when the host is not fair. */
struct sim_fair_limit *sim_fair_limit(struct sim *sim, struct sim_cpu *cpu);
/* `from` runs and `to` waits, both in the fair class: a yield has a chance. On other hosts: whether
 * `to` waits. */
int sim_fair_can_yield(const struct sim *sim, const struct sim_thread *from,
		       const struct sim_thread *to);
/*
 * `from` runs, `to` waits: 1 and *view, or 0 if one of them is not fair now (real-time, boosted,
 * blocked, on a host that is not fair). Of a running thread, time up to now is charged before.
 */
int sim_fair_view(struct sim *sim, struct sim_thread *from, struct sim_thread *to,
		  struct sim_fair_view *view);
/* Adds to the virtual time of a thread that runs, and begins its deadline anew from there: a seed
 * 004 v2 penalty; to be called before yield_to(). */
void sim_fair_penalise(struct sim *sim, struct sim_thread *t, uint64_t virtual_ns);
/* Adds to the lag of a thread that waits, up to the largest one: seed 004 v3. */
void sim_fair_credit(struct sim *sim, struct sim_thread *t, uint64_t lag_ns);
/* Whoever runs where `t` waits is no longer protected by its slice, and that CPU decides anew. */
void sim_fair_force(struct sim *sim, struct sim_thread *t, const struct sim_thread *from);

/* The vCPU that runs has left its guest for a moment: a lazy preemption takes place now. */
void sim_fair_exits(struct sim *sim, const struct sim_thread *t);

#endif /* SIM_SCHED_FAIR_H */
