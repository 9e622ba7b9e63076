/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swarm.h - scenarios nobody has thought of: random machines, guests, liars, devices and faults,
 * each from one number; and what is left of one that fails when all that can go has gone.
 */
#ifndef SIM_SWARM_H
#define SIM_SWARM_H

#include "sim.h"

/* The scenario of this seed. The policy is random, too, when it is NULL. Free it with
 * sim_swarm_free(). */
struct sim_scenario *sim_swarm_scenario(uint64_t seed, const char *policy);
void sim_swarm_free(struct sim_scenario *s);

/* What became of a run with invariants on. */
struct sim_swarm_result {
	uint64_t seed, hash, events, failed_ns;
	char failure[256]; /* "" = none */
};

/* Runs it here: 0, or -1 when an invariant failed or it could not be made. */
int sim_swarm_run(const struct sim_scenario *s, uint32_t defects, struct sim_swarm_result *result);
/* A process of its own for a run, so that a crash or an endless loop is a failure like others. */
struct sim_swarm_job {
	int pid, fd;
	uint64_t seed;
};

/* 0, or -1 when there can be no process. `fd` can be read from when it has ended. */
int sim_swarm_start(struct sim_swarm_job *job, const struct sim_scenario *s, uint32_t defects);
/* Waits for its end. As sim_swarm_run(). */
int sim_swarm_finish(struct sim_swarm_job *job, struct sim_swarm_result *result);
/* Both. */
int sim_swarm_fork(const struct sim_scenario *s, uint32_t defects, struct sim_swarm_result *result);
/* Whether two failures are of the same invariant. */
int sim_swarm_same(const char *failure, const char *other);

/* Takes away from a failing scenario whatever can go while it still fails the same way. Returns how
 * often it was run. */
uint32_t sim_swarm_shrink(struct sim_scenario *s, uint32_t defects,
			  struct sim_swarm_result *result);

#endif /* SIM_SWARM_H */
