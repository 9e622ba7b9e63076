/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_window.c - where a picture of a scenario should look. A run is repeated exactly, so the
 * baseline is run once to find its worst moment, and all runs of the report keep what is around it.
 */
#include <stdio.h>

#include "report.h"
#include "report_lanes.h"

/* Records that are looked at in one go, and the virtual time that should not hold more. */
#define LOOK_ROOM (1ull << 18)
#define LOOK_EVERY_NS (10 * SIM_MS)
/* What comes before the window says who ran and who waited when it begins: up to a second of it,
 * and no more than a quarter of the room. */
#define LEAD_MAX_NS SIM_S
#define KEEP_ROOM (1ull << 20)

struct look {
	struct sim *sim;
	struct sim_focus focus;
	const struct sim_options *outer;
};

static void look(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct look *l = ctx;

	sim_focus_look(&l->focus, l->sim);
	l->sim->trace.count = 0; /* what has been looked at makes room */
	if (l->outer->progress)
		l->outer->progress(l->outer->progress_ctx, now_ns, until_ns);
}

static uint64_t lead_ns(const struct sim *sim)
{
	uint64_t per_ms = sim->trace.total / (sim->now_ns / SIM_MS + 1) + 1;
	uint64_t ns = KEEP_ROOM / 4 / per_ms * SIM_MS;

	return ns < LEAD_MAX_NS ? ns : LEAD_MAX_NS;
}

int sim_report_window(const struct sim_scenario *scenario, struct sim_options *options,
		      char *error, size_t error_size)
{
	struct sim_options inner = *options;
	struct look l = { .outer = options };
	uint64_t from_ns, until_ns, before_ns;
	int failed;

	inner.keep = LOOK_ROOM;
	inner.keep_from_ns = 0;
	inner.keep_until_ns = SIM_NEVER;
	inner.checking = 0;
	inner.progress = look;
	inner.progress_ctx = &l;
	inner.progress_ns = LOOK_EVERY_NS;
	l.sim = sim_new(scenario, &inner, error, error_size);
	if (!l.sim)
		return -1;
	failed = sim_run(l.sim, &inner);
	sim_focus_look(&l.focus, l.sim);
	sim_focus_window(&l.focus, l.sim, &from_ns, &until_ns);
	if (failed)
		snprintf(error, error_size, "%s", l.sim->failure);
	before_ns = lead_ns(l.sim);
	sim_free(l.sim);
	options->keep = KEEP_ROOM;
	options->keep_from_ns = from_ns > before_ns ? from_ns - before_ns : 0;
	options->keep_until_ns = until_ns;
	return failed ? -1 : 0;
}
