/* SPDX-License-Identifier: BSD-2-Clause */
/* fair_host.h - what the parts of the fair host share: sched_fair.c, fair_rt.c, fair_balance.c. */
#ifndef SIM_FAIR_HOST_H
#define SIM_FAIR_HOST_H

#include "fair_queue.h"
#include "sched_fair.h"
#include "sim.h"

enum fair_where { FAIR_AWAY, FAIR_WAITS, FAIR_RUNS, RT_WAITS, RT_RUNS };

/* A thread: t->entity. */
struct fair_thread {
	struct fair_entity e;
	struct sim_thread *t;
	struct sim_cpu *on;          /* whose queue it is or was on */
	struct fair_thread *rt_next; /* in the list of those that wait */
	uint64_t ran_at_ns;          /* it had a CPU until then */
	uint8_t where;               /* enum fair_where */
	uint8_t prio;                /* real-time priority, 0 = fair */
	uint8_t placed;              /* it has been on a CPU before */
	uint8_t woken_here;          /* its last wake-up came from the CPU that it waits on */
};

/* A CPU: cpu->rq. */
struct fair_rq {
	struct fair_queue fair;
	struct fair_thread *curr;
	struct fair_thread *rt_first; /* those that wait, highest priority first */
	uint32_t rt_count;
	uint8_t lazy;                 /* who runs is to go, at the next tick or exit */
	uint8_t switched;             /* ... has just come, and is not who ran before */
	uint64_t hrtick_at_ns;        /* the timer of its slice; not armed when that is over */
	uint64_t balance_at_ns;
	uint64_t starved_since_ns;    /* fair threads wait for real-time ones since; 0 = no */
	uint64_t serve_until_ns;      /* fair threads go first until then */
	struct sim_fair_limit limit;
};

/* The host: sim->sched_data. Times are params. */
struct fair_data {
	uint64_t base_slice_ns, migration_cost_ns, balance_ns;
	uint64_t server_runtime_ns, server_period_ns;
	uint64_t idle;                /* bit n: CPU n found nobody at its last decision */
	uint32_t fair_waiting, rt_waiting;
	uint8_t lazy, delay, hrtick, nice_boost;
};

static inline struct fair_thread *fair_of(const struct sim_thread *t)
{
	return t->entity;
}

static inline struct fair_rq *fair_rq_of(const struct sim_cpu *cpu)
{
	return cpu->rq;
}

static inline struct fair_data *fair_data_of(const struct sim *sim)
{
	return sim->sched_data;
}

/* Fair threads that wait for this CPU. */
static inline uint32_t fair_waiting(const struct fair_rq *rq)
{
	return rq->fair.count - rq->fair.delayed;
}

/* ---- fair_rt.c: SCHED_FIFO --------------------------------------------------------------------*/

/* first: before those of the same priority, for one that was only preempted. */
void fair_rt_add(struct sim *sim, struct fair_rq *rq, struct fair_thread *f, int first);
void fair_rt_remove(struct sim *sim, struct fair_rq *rq, struct fair_thread *f);
struct sim_cpu *fair_rt_select(struct sim *sim, const struct sim_thread *t);
/* A CPU that it may run on and where less urgent threads are, other than `cpu`; or NULL. */
struct sim_cpu *fair_rt_lower(struct sim *sim, const struct sim_cpu *cpu,
			      const struct fair_thread *f);
/* Takes one that waits elsewhere for a more urgent one, if it is above what waits here. */
void fair_rt_pull(struct sim *sim, struct sim_cpu *cpu);
/* Sends those that wait here to where they can run at once. */
void fair_rt_push(struct sim *sim, struct sim_cpu *cpu);

/* ---- fair_balance.c ---------------------------------------------------------------------------*/

struct sim_cpu *fair_select(struct sim *sim, const struct sim_thread *t);
/* The CPU has nobody: takes one from the busiest. */
void fair_newidle(struct sim *sim, struct sim_cpu *cpu);
/* At a tick: to idle CPUs, and now and then from the busiest one. */
void fair_balance_tick(struct sim *sim, struct sim_cpu *cpu);

#endif /* SIM_FAIR_HOST_H */
