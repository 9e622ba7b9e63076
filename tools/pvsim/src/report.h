/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - what a person sees of one or several runs of a scenario: a page (HTML), a trace for
 * Perfetto. The commands fill a struct sim_report; the writers only read it.
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "scenario.h"
#include "sim.h"

#define SIM_SWEEP_AXES 4u

/* One assertion, evaluated. */
struct sim_report_assert {
	const char *text;
	uint32_t line;
	int holds;          /* 1: green; 0: red, or an error */
	double left, right; /* of its outermost comparison; equal to 0 and holds without one */
	char relation[4];   /* "<=", ... or "" */
	int8_t time, energy; /* exponents of ns and nJ in what is compared: 1, 0 = a time */
	char error[160];    /* "" = none; a row that is not there */
};

/* `figures:` of the scenario, evaluated. */
struct sim_report_figure {
	const char *name, *text;
	double value;
	char error[160];
};

/* A sweep: a value for each combination of what was swept over, the last axis fastest. */
struct sim_sweep_axis {
	char path[64];        /* params.fair.base-slice, machine.cpus, ... */
	uint32_t count;
	const char *const *values; /* as text, with units */
};

struct sim_sweep {
	uint32_t axis_count;
	struct sim_sweep_axis axes[SIM_SWEEP_AXES];
	uint32_t show_count;
	const char *const *shows; /* expressions */
	/* value[show][point]; NAN where the run failed */
	double *const *values;
};

struct sim_report {
	const struct sim_scenario *scenario;
	uint32_t run_count;
	struct sim **runs;            /* finished, with results and kept traces */
	const char *const *names;     /* of the runs: `with`, `base`, or the policies */
	uint32_t assert_count;
	const struct sim_report_assert *asserts; /* NULL: not a verdict */
	uint32_t figure_count;
	const struct sim_report_figure *figures;
	const struct sim_sweep *sweep; /* NULL: none */
	const char *command;          /* what the person typed, to say how to repeat it */
};

/*
 * For pictures: runs what *options say (the baseline) once, finds its worst moment, and sets
 * ->keep, ->keep_from_ns and ->keep_until_ns, with which all runs of the report are to be made.
 * 0, or -1 and a message.
 */
int sim_report_window(const struct sim_scenario *scenario, struct sim_options *options,
		      char *error, size_t error_size);

/*
 * Which of several runs the others are compared with: `base`, or the first that takes no notice of
 * hints. When all do, the last one, which has least; but beside a liar there is nothing to compare
 * with. -1: none.
 */
int sim_report_base(const struct sim_scenario *scenario, uint32_t count, const char *const *names,
		    const struct sim_policy *const *policies);

/* Both: 0, or -errno. */
int sim_report_html(const char *path, const struct sim_report *report);
int sim_report_perfetto(const char *path, struct sim *sim);

/*
 * The largest relative gap between the fair-host model and real threads in the lab, in ppm
 * (tests/sim/calibration; scripts/sim/calibrate.py sees to it that it is true). Every report says
 * it.
 */
#define SIM_CALIBRATION_GAP_NONE UINT32_MAX
uint32_t sim_calibration_gap_ppm(void);

#endif /* SIM_REPORT_H */
