/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - invariants: a second book of everything, kept only from what can be seen of the machine
 * after each event (who was in which state until now) and from the trace. Nothing in it is shared
 * with what it checks.
 *
 *   check.c        time, states, counters, the queue, the baseline
 *   check_boost.c  budgets: how much was boosted, and for how long
 *   check_fair.c   nobody starves; two that always want a CPU get the same
 *   check_count.c  what is reported is what was seen
 *
 * A failure is "name: details"; the name says which invariant it is.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "sim.h"

/* Pairs are compared among at most so many threads; and machines with more are looked at as a whole
 * at each 16th event only. */
#define CHECK_PAIRS_MAX 48u
#define CHECK_SPARSE 16u

/* A budget as seen from outside: what was used, less what has flowed back since; in 1/1024 ns. */
struct check_level {
	uint64_t used_q10;
};

/* Jobs of a task, by the trace. */
struct check_jobs {
	uint64_t count, sum, misses;
	uint64_t due_ns;            /* of the last one; SIM_NEVER: none */
	uint32_t *values;           /* response times, the first ones, ns */
	uint32_t value_count, value_room;
};

/* What was seen of a thread after the last event, and the sums since it was made. */
struct check_thread {
	enum sim_state state;
	const struct sim_cpu *cpu;
	uint8_t klass, reason;
	uint32_t weight;            /* its own, times that of its class */
	uint64_t run_ns, wait_ns, blocked_ns, boosted_ns;
	uint64_t begin_ns;          /* it was made */
	uint64_t preempted, wakeups, runs; /* by the trace */
	/* check_count.c */
	uint64_t due_costs_ns;      /* of getting a CPU, by the trace */
	uint32_t ran_on;            /* CPU + 1; 0 = none yet */
	uint64_t ready_ns;          /* it waits since; by the trace */
	uint64_t waits, waited_ns, wait_max_ns;
	/* check_boost.c */
	struct check_level task, all, grant;
	uint64_t restored_by_ns;    /* it should be at baseline from then on; SIM_NEVER */
	/* check_fair.c */
	uint64_t starved_ns;        /* waits since, but for the time of those that go before it */
	uint32_t starved_weight;    /* the least it had meanwhile */
	uint8_t steady;             /* always wanted this CPU, as the same, since the pair began */
};

struct check_cpu {
	const struct sim_thread *curr;
	uint8_t online;
	uint64_t busy_ns, idle_ns, offline_ns;
	uint32_t traced;            /* who runs here by the trace; SIM_NO_THREAD */
	uint64_t switches;
};

struct check {
	uint64_t last_ns;           /* sums are of then */
	uint64_t events;
	uint32_t at_once;           /* since time has passed */
	uint32_t thread_count, thread_room;
	struct check_thread *threads;
	struct check_cpu *cpus;
	uint32_t vm_count;
	struct check_level *vm_boost; /* [vm->id] */
	uint32_t *generation;       /* [vm->id], as seen last */
	uint64_t skew_ns;           /* of the host's clock, as seen last */
	/* run time of thread i when the pair (i, j) began */
	uint64_t *pair_run;         /* [CHECK_PAIRS_MAX][CHECK_PAIRS_MAX] */
	uint32_t job_room;
	struct check_jobs *jobs;    /* [task->id] */
	uint8_t full_speed;         /* each CPU has one level, and that is the highest of all */
	uint64_t late_ns;           /* how late a role's timer may be at most in this run */
	uint64_t turn_ns;           /* from a decision until its knob is turned, at most */
	uint64_t overshoot_ns;      /* of a boost beyond its account, see check_boost.c */
	uint64_t slice_ns;          /* longest of this host */
	uint8_t budgets;            /* the library decides: budgets hold */
	uint8_t looks_late;         /* it does not see each pick */
	uint64_t unused_ns;         /* a look at who waits may be the last one for so long */
};

static inline struct check *check_of(const struct sim *sim)
{
	return sim->check_data;
}

static inline int check_boosted(uint32_t klass)
{
	return klass > PVS_CLASS_BASELINE;
}

/* What it weighs on its host. */
static inline uint32_t check_weight(const struct sim_thread *t)
{
	uint64_t weight = t->idle_policy ? 3 : t->weight;

	weight = weight * t->weight_q10 / 1024;
	return weight ? (uint32_t)weight : 1;
}

/* A thread has been seen for the first time: index `i`. */
void check_fair_new(struct sim *sim, uint32_t i);

/* Time has passed (dt_ns > 0) in the states seen last. */
void check_boost_time(struct sim *sim, uint64_t dt_ns);
void check_fair_time(struct sim *sim, uint64_t dt_ns);

/* After an event: compares, before what was seen is replaced. */
void check_boost_event(struct sim *sim);
void check_fair_event(struct sim *sim);

/* A thread yielded, or somebody yielded to it: pairs with it begin anew. */
void check_fair_disturbed(struct sim *sim, uint32_t i);

void check_boost_init(struct sim *sim);
void check_fair_init(struct sim *sim);
void check_boost_end(struct sim *sim);
void check_count_end(struct sim *sim);

/* check_count.c: of each record; and what it has kept. */
void check_count_init(struct sim *sim);
void check_count_record(struct sim *sim, const struct sim_record *r);
void check_count_free(struct sim *sim);

#endif /* SIM_CHECK_H */
