/* SPDX-License-Identifier: BSD-2-Clause */
/* sim.c - one run from beginning to end. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* Streams of random numbers: tasks have their ids, the machine has one beyond them. */
#define STREAM_MACHINE UINT64_C(0x6d616368696e65)

void sim_fail(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (sim->failure[0])
		return;
	sim->failure_ns = sim->now_ns;
	va_start(args, format);
	vsnprintf(sim->failure, sizeof(sim->failure), format, args);
	va_end(args);
}

static int find_param(const struct sim_param_spec *params, uint32_t count, const char *name,
		      uint64_t *value)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(params[i].name, name) == 0) {
			*value = params[i].value;
			return 1;
		}
	}
	return 0;
}

/* What the scenario says of the run of this policy counts more than what it says of all. */
uint64_t sim_param(const struct sim *sim, const char *name, uint64_t otherwise)
{
	const struct sim_scenario *s = sim->scenario;
	uint64_t value;

	if (sim->run && find_param(sim->run->params, sim->run->param_count, name, &value))
		return value;
	if (find_param(s->params, s->param_count, name, &value))
		return value;
	return otherwise;
}

/* Which run: a named one of the scenario, or the subject with another policy. */
static int choose_run(struct sim *sim, const struct sim_options *o, char *error, size_t size)
{
	const struct sim_scenario *s = sim->scenario;
	const char *policy = o->policy;

	sim->run = o->run ? o->run : s->run_count ? &s->runs[0] : NULL;
	sim->defects = o->defects | (sim->run ? sim->run->defects : 0);
	if (!policy && sim->run)
		policy = sim->run->policy;
	if (!policy) {
		snprintf(error, size, "neither the scenario nor you named a policy");
		return -1;
	}
	sim->policy = sim_policy_find(policy);
	if (!sim->policy) {
		snprintf(error, size, "no such policy: %s", policy);
		return -1;
	}
	return 0;
}

struct sim *sim_new(const struct sim_scenario *scenario, const struct sim_options *options,
		    char *error, size_t error_size)
{
	struct sim *sim = calloc(1, sizeof(*sim));
	struct sim_result *result = calloc(1, sizeof(*result));

	if (!sim || !result)
		abort();
	sim->scenario = scenario;
	sim->result = result;
	sim_result_init(result);
	if (choose_run(sim, options, error, error_size) ||
	    sim_scenario_config(scenario, &sim->config, error, error_size)) {
		sim_result_free(result);
		free(result);
		free(sim);
		return NULL;
	}
	sim->seed = options->seed ? options->seed : scenario->seed;
	sim->until_ns = options->duration_ns ? options->duration_ns : scenario->duration_ns;
	sim->checking = options->checking;
	sim_rng_seed(&sim->rng, sim->seed, STREAM_MACHINE);
	sim_trace_init(&sim->trace);
	if (options->keep)
		sim_trace_keep(&sim->trace, options->keep, options->keep_from_ns,
			       options->keep_until_ns);
	snprintf(result->scenario, sizeof(result->scenario), "%s", scenario->name);
	snprintf(result->policy, sizeof(result->policy), "%s", sim->policy->name);

	sim_machine_init(sim);
	if (sim->policy->sched->init)
		sim->policy->sched->init(sim);
	if (sim->policy->role->init)
		sim->policy->role->init(sim);
	sim_dvfs_init(sim);
	sim_guest_init(sim);
	sim_faults_init(sim);
	if (sim->checking)
		sim_check_init(sim);
	return sim;
}

static void settle_all(struct sim *sim)
{
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++)
		sim_settle(sim, &sim->cpus[i]);
}

/* Fires every timer before this time; 0, or -1 when an invariant failed. */
static int run_until(struct sim *sim, uint64_t until_ns)
{
	struct sim_timer *timer;

	while ((timer = sim_queue_pop_before(&sim->queue, until_ns))) {
		sim->now_ns = timer->at_ns;
		sim->acting = NULL;
		timer->fire(sim, timer);
		if (sim->checking)
			sim_check_event(sim);
		if (sim->failure[0])
			return -1;
	}
	sim->now_ns = until_ns;
	return 0;
}

int sim_run(struct sim *sim, const struct sim_options *options)
{
	uint64_t step_ns = options->progress ? options->progress_ns : SIM_NEVER;
	uint64_t begin_ns = sim->scenario->warmup_ns, next_ns;
	int begun = 0;

	if (begin_ns > sim->until_ns)
		begin_ns = sim->until_ns;
	while (sim->now_ns < sim->until_ns || !begun) {
		next_ns = begun ? sim->until_ns : begin_ns;
		if (step_ns < next_ns - sim->now_ns)
			next_ns = sim->now_ns + step_ns;
		if (run_until(sim, next_ns))
			break;
		if (!begun && sim->now_ns >= begin_ns) {
			settle_all(sim);
			sim_measure_begin(sim);
			begun = 1;
		}
		if (options->progress)
			options->progress(options->progress_ctx, sim->now_ns, sim->until_ns);
	}
	settle_all(sim);
	sim->result->seed = sim->seed;
	sim->result->until_ns = sim->now_ns;
	sim->result->hash = sim->trace.hash;
	sim->result->records = sim->trace.total;
	sim->result->events = sim->queue.fired;
	if (begun)
		sim_measure(sim);
	if (sim->checking && !sim->failure[0])
		sim_check_end(sim); /* of what was measured, too */
	return sim->failure[0] ? -1 : 0;
}

void sim_free(struct sim *sim)
{
	if (!sim)
		return;
	sim_queue_free(&sim->queue); /* first: timers are parts of what goes next */
	sim_check_free(sim);
	sim_faults_free(sim);
	if (sim->policy->role->free)
		sim->policy->role->free(sim);
	sim_guest_free(sim); /* a role's own of a VM names it */
	sim_dvfs_free(sim);
	if (sim->policy->sched->free)
		sim->policy->sched->free(sim);
	sim_machine_free(sim);
	sim_measure_free(sim);
	sim_trace_free(&sim->trace);
	sim_result_free(sim->result);
	free(sim->result);
	free(sim);
}
