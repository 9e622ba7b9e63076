/* SPDX-License-Identifier: BSD-2-Clause */
/* sim.h - one run: everything there is, and the functions that make and drive it. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <pvs/pvs.h>

#include "engine.h"
#include "guest.h"
#include "machine.h"
#include "result.h"
#include "role.h"
#include "scenario.h"
#include "sched.h"

struct sim {
	uint64_t now_ns;
	struct sim_queue queue;
	struct sim_trace trace;
	struct sim_rng rng;              /* of the machine: timer lateness */

	const struct sim_scenario *scenario;
	const struct sim_policy *policy;
	const struct sim_run_spec *run;  /* whose `params` count first; may be NULL */
	uint64_t seed, until_ns;
	uint32_t defects;                /* SIM_DEFECT_* */

	uint32_t cpu_count;
	struct sim_cpu *cpus;
	uint32_t thread_count, thread_room;
	struct sim_thread **threads;     /* [id] */
	uint32_t task_count, task_room;
	struct sim_task **tasks;         /* [id] */
	uint32_t vm_count;
	struct sim_vm *vms;

	struct sim_costs costs;
	uint64_t tick_ns;                /* of the host, 0 = none */
	struct sim_cpu *acting;          /* whose event this is; NULL: no CPU's */
	struct pvs_config config;        /* of libpvsched, resolved */
	uint64_t clock_skew_ns;          /* fault: the host's clock as roles see it: now + skew */

	void *sched_data, *role_data, *guest_data, *fault_data;
	void *check_data, *measure_data, *dvfs_data; /* each module's own */

	int checking;                    /* invariants after each event */
	char failure[256];               /* the first one that did not hold; "" = none */
	uint64_t failure_ns;

	struct sim_result *result;
};

/* How to run. */
struct sim_options {
	const struct sim_run_spec *run; /* of the scenario; NULL: its subject */
	const char *policy;   /* in place of the run's; NULL: the run's */
	uint32_t defects;     /* besides the scenario's own */
	uint64_t seed;        /* 0: the scenario's */
	uint64_t duration_ns; /* 0: the scenario's */
	int checking;
	uint64_t keep;        /* records of the trace to keep, 0 = none */
	uint64_t keep_from_ns, keep_until_ns;
	void (*progress)(void *ctx, uint64_t now_ns, uint64_t until_ns);
	void *progress_ctx;
	uint64_t progress_ns; /* virtual time between two calls */
};

/*
 * Makes a run of a checked scenario, or NULL and a message. The scenario must outlive it. Run it to
 * its end with sim_run(), read sim->result, free it.
 */
struct sim *sim_new(const struct sim_scenario *scenario, const struct sim_options *options,
		    char *error, size_t error_size);
/* 0, or -1 when an invariant failed (sim->failure). Fills sim->result. */
int sim_run(struct sim *sim, const struct sim_options *options);
void sim_free(struct sim *sim);

/* A host has been up for so long when a run begins: a clock that is set back in its first seconds
 * must not go below zero. */
#define SIM_CLOCK_BASE_NS (86400 * SIM_S)

/* The host's clock as a role's host would read it: its uptime, plus what a fault did to it. */
static inline uint64_t sim_clock_ns(const struct sim *sim)
{
	return SIM_CLOCK_BASE_NS + sim->now_ns + sim->clock_skew_ns;
}

/* A time that has passed is now. */
static inline void sim_arm(struct sim *sim, struct sim_timer *t, uint64_t at_ns)
{
	sim_queue_arm(&sim->queue, t, at_ns < sim->now_ns ? sim->now_ns : at_ns);
}

static inline void sim_disarm(struct sim *sim, struct sim_timer *t)
{
	sim_queue_disarm(&sim->queue, t);
}

static inline void sim_note(struct sim *sim, enum sim_trace_type type, uint32_t cpu, uint32_t a,
			    uint32_t b, uint64_t v)
{
	sim_trace_add(&sim->trace, sim->now_ns, type, cpu, a, b, v);
}

/* A parameter of a model as the scenario sets it (`params:`), or its default. */
uint64_t sim_param(const struct sim *sim, const char *name, uint64_t otherwise);

/* An invariant does not hold: remembers the first one. */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* dvfs.c: performance levels, by the host's own utilisation or by what guests say. */
void sim_dvfs_init(struct sim *sim);
void sim_dvfs_free(struct sim *sim);

/* faults.c */
void sim_faults_init(struct sim *sim);
void sim_faults_free(struct sim *sim);

/* check.c: invariants, re-derived from scratch. */
void sim_check_init(struct sim *sim);
void sim_check_event(struct sim *sim); /* after each event */
void sim_check_end(struct sim *sim);
void sim_check_free(struct sim *sim);

#endif /* SIM_SIM_H */
