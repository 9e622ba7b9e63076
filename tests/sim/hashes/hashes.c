/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hashes.c - scenarios of the swarm, and the hash of each one's trace: the same on every machine
 * and with every compiler. Needs a C library and nothing else, so that it can be built for any of
 * them.
 *
 *	hashes [FIRST [COUNT]]
 *
 * One line a seed: seed, policy, hash, events, records. Every policy is among them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "swarm.h"

#define FIRST 1u
#define COUNT 42u

static int run(uint64_t seed, const char *policy)
{
	struct sim_scenario *s = sim_swarm_scenario(seed, policy);
	struct sim_options options = { 0 };
	char error[200] = "";
	struct sim *sim = sim_new(s, &options, error, sizeof(error));

	if (!sim) {
		fprintf(stderr, "hashes: seed %" PRIu64 ": %s\n", seed, error);
		sim_swarm_free(s);
		return 1;
	}
	sim_run(sim, &options);
	printf("%" PRIu64 " %s %016" PRIx64 " %" PRIu64 " %" PRIu64 "\n", seed, policy,
	       sim->trace.hash, sim->queue.fired, sim->trace.total);
	sim_free(sim);
	sim_swarm_free(s);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : FIRST;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : COUNT;
	uint32_t policies = 0;
	uint64_t i;
	int wrong = 0;

	while (sim_policy_at(policies))
		policies++;
	for (i = 0; i < count; i++)
		wrong |= run(first + i, sim_policy_at((uint32_t)(i % policies))->name);
	return wrong;
}
