/* SPDX-License-Identifier: BSD-2-Clause */
/* guest_world.h - a scenario from a text in the test, run, and looked at. Costs are zero unless the
 * test says otherwise, so that numbers are exact. */
#ifndef GUEST_WORLD_H
#define GUEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

#define HEAD "scenario: test\nsource: test\nclaim: test\nseed: 1\n"
#define TAIL "\nruns: {with: fair}\noff: fair\nverdict: [\"1 >= 1\"]\n"
#define FREE_COSTS \
	"costs: {switch: 0ns, ipi: 0ns, exit: 0ns, hypercall: 0ns, mmio-user: 0ns, vipi: 0ns, " \
	"inject: 0ns, wake: 0ns, knob: 0ns, look: 0ns, migrate: 0ns, timer-slack: 0ns}"
#define MACHINE(n) "machine: {cpus: " #n ", " FREE_COSTS "}\n"

struct guest_world {
	struct sim_scenario *scenario;
	struct sim *sim;
	struct sim_options options;
};

/* A text whose parts are HEAD, the test's, TAIL. */
static inline void world_make(struct guest_world *w, const char *policy, const char *body)
{
	char text[8192], error[256] = "", *errors = NULL;
	int length = snprintf(text, sizeof(text), "%s%s%s", HEAD, body, TAIL);

	memset(w, 0, sizeof(*w));
	assert_in_range(length, 1, sizeof(text) - 1);
	w->scenario = sim_scenario_parse("test", text, (size_t)length, NULL, 0, &errors);
	if (!w->scenario)
		fail_msg("%s", errors ? errors : "?");
	w->options.policy = policy;
	w->options.checking = 1;
	w->sim = sim_new(w->scenario, &w->options, error, sizeof(error));
	if (!w->sim)
		fail_msg("%s", error);
}

static inline void world_run(struct guest_world *w)
{
	if (sim_run(w->sim, &w->options))
		fail_msg("%s", w->sim->failure);
}

/* `look` is called at each multiple of `every_ns`. */
static inline void world_watch(struct guest_world *w, uint64_t every_ns,
			       void (*look)(void *ctx, uint64_t now_ns, uint64_t until_ns))
{
	w->options.progress = look;
	w->options.progress_ctx = w;
	w->options.progress_ns = every_ns;
	world_run(w);
}

static inline void world_end(struct guest_world *w)
{
	sim_free(w->sim);
	sim_scenario_free(w->scenario);
}

static inline void world(struct guest_world *w, const char *policy, const char *body)
{
	world_make(w, policy, body);
	world_run(w);
}

static inline uint64_t row(const struct guest_world *w, const char *name)
{
	const struct sim_row *r = sim_result_row(w->sim->result, name);

	if (!r)
		fail_msg("there is no row %s", name);
	return r->value;
}

static inline const struct sim_hist *hist(const struct guest_world *w, const char *name)
{
	const struct sim_row *r = sim_result_row(w->sim->result, name);

	if (!r || !r->hist)
		fail_msg("there is no histogram %s", name);
	return r->hist;
}

static inline struct sim_task *task(const struct guest_world *w, const char *name)
{
	uint32_t i;

	for (i = 0; i < w->sim->task_count; i++)
		if (strcmp(w->sim->tasks[i]->name, name) == 0)
			return w->sim->tasks[i];
	fail_msg("there is no task %s", name);
	return NULL;
}

#endif /* GUEST_WORLD_H */
