// SPDX-License-Identifier: BSD-2-Clause
/* cmd_run.c - `pvsim run`: one run, and what it measured. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "report_json.h"
#include "units.h"

#define KEEP_RECORDS 400000u /* of the trace, for pictures */

struct run_options {
	char line[512]; /* as it was typed */
	const char *policy, *run, *json, *html, *perfetto;
	uint64_t seed;
	int check, quiet, rows;
	struct cmd_list sets;
};

/* ---- tables -----------------------------------------------------------------------------------*/

static void print_hist_line(const char *name, const char *what, const struct sim_hist *h)
{
	static const uint32_t ppm[] = {500000, 900000, 990000, 999000};
	char text[SIM_UNIT_TEXT];
	size_t i;

	printf("  %-28s %-9s", name, what);
	for (i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++)
		printf(" %8s", sim_short_time((double)sim_hist_quantile(h, ppm[i]), text));
	printf(" %8s %9" PRIu64 "\n", sim_short_time((double)h->max, text), h->count);
}

/* `x.3` has a line of its own unless there is `x`, the sum of all of them. `end`: its last dot. */
static int is_part(const struct sim_result *r, const char *name, const char *end)
{
	const char *digits = end;
	char sum[sizeof(r->rows[0].name)];

	while (digits > name && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	if (digits == end || digits == name || digits[-1] != '.')
		return 0;
	snprintf(sum, sizeof(sum), "%.*s%s", (int)(digits - 1 - name), name, end);
	return sim_result_row(r, sum) != NULL;
}

static void print_latencies(const struct sim_result *r)
{
	static const char *const ends[] = {"wakeup", "response", "lock", "ipi", "waits"};
	char name[sizeof(r->rows[0].name)];
	uint32_t i, n;

	printf("\n  %-28s %-9s %8s %8s %8s %8s %8s %9s\n", "latency of", "", "p50", "p90", "p99",
	       "p99.9", "worst", "samples");
	for (i = 0; i < r->count; i++) {
		const char *dot = strrchr(r->rows[i].name, '.');

		if (!r->rows[i].hist || !dot || is_part(r, r->rows[i].name, dot))
			continue;
		for (n = 0; n < sizeof(ends) / sizeof(ends[0]); n++) {
			if (strcmp(dot + 1, ends[n]))
				continue;
			snprintf(name, sizeof(name), "%.*s", (int)(dot - r->rows[i].name),
				 r->rows[i].name);
			print_hist_line(name, ends[n], r->rows[i].hist);
		}
	}
}

static uint64_t value_of(const struct sim_result *r, const char *base, const char *what)
{
	char name[160];
	const struct sim_row *row;

	snprintf(name, sizeof(name), "%s.%s", base, what);
	row = sim_result_row(r, name);
	return row ? row->value : 0;
}

/* A line for each row that ends so: what it belongs to, and others of the same. */
static void print_shares(const struct sim_result *r)
{
	char base[sizeof(r->rows[0].name)], run[SIM_UNIT_TEXT], boosted[SIM_UNIT_TEXT];
	uint32_t i;

	printf("\n  %-28s %8s %8s %8s %10s %10s\n", "CPU time of", "of all", "CPUs", "boosted",
	       "preempted", "migrations");
	for (i = 0; i < r->count; i++) {
		size_t length = strlen(r->rows[i].name);

		if (length < 7 || strcmp(r->rows[i].name + length - 6, ".share") ||
		    is_part(r, r->rows[i].name, r->rows[i].name + length - 6))
			continue;
		snprintf(base, sizeof(base), "%.*s", (int)length - 6, r->rows[i].name);
		snprintf(run, sizeof(run), "%.2f", (double)value_of(r, base, "cpus") / 1e6);
		printf("  %-28s %7.2f%% %8s %8s %10" PRIu64 " %10" PRIu64 "\n", base,
		       (double)r->rows[i].value / 1e4, run,
		       sim_short_time((double)value_of(r, base, "boosted"), boosted),
		       value_of(r, base, "preempted"), value_of(r, base, "migrations"));
	}
}

static void print_jobs(const struct sim_result *r)
{
	char base[sizeof(r->rows[0].name)], work[SIM_UNIT_TEXT];
	uint32_t i;

	printf("\n  %-28s %10s %10s %10s %10s\n", "work of", "jobs", "missed", "loops", "work");
	for (i = 0; i < r->count; i++) {
		size_t length = strlen(r->rows[i].name);

		if (length < 6 || strcmp(r->rows[i].name + length - 5, ".jobs") ||
		    is_part(r, r->rows[i].name, r->rows[i].name + length - 5))
			continue;
		snprintf(base, sizeof(base), "%.*s", (int)length - 5, r->rows[i].name);
		printf("  %-28s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10s\n", base,
		       r->rows[i].value, value_of(r, base, "misses"), value_of(r, base, "loops"),
		       sim_short_time((double)value_of(r, base, "work"), work));
	}
}

static void print_value(const struct sim_row *row)
{
	char text[SIM_UNIT_TEXT];

	if (row->unit == SIM_NS)
		printf("%s", sim_short_time((double)row->value, text));
	else if (row->unit == SIM_PPM)
		printf("%.3f%%", (double)row->value / 1e4);
	else if (row->unit == SIM_NJ)
		printf("%.1fmJ", (double)row->value / 1e6);
	else
		printf("%" PRIu64, row->value);
}

/* Rows that belong to nobody in particular: host.x, pvs.x, yield.x. */
static void print_others(const struct sim_result *r)
{
	static const char *const begins[] = {"host.", "pvs.", "yield.", "dvfs."};
	uint32_t i, n, column;

	for (n = 0; n < sizeof(begins) / sizeof(begins[0]); n++) {
		column = 0;
		for (i = 0; i < r->count; i++) {
			const struct sim_row *row = &r->rows[i];

			if (strncmp(row->name, begins[n], strlen(begins[n])) || row->hist ||
			    (!row->value && n))
				continue;
			printf("%s%s ", !column ? "\n  " : column % 4 ? ", " : ",\n  ", row->name);
			column++;
			print_value(row);
		}
		if (column)
			printf("\n");
	}
}

static void print_rows(const struct sim_result *r)
{
	uint32_t i;

	for (i = 0; i < r->count; i++) {
		printf("%s ", r->rows[i].name);
		if (r->rows[i].hist)
			printf("(%" PRIu64 " samples, .mean .p50 .p90 .p99 .p999 .min .max .count "
			       ".sum)\n", r->rows[i].hist->count);
		else
			printf("%" PRIu64 " %s\n", r->rows[i].value,
			       (const char *const[]){"", "ns", "ppm", "nJ"}[r->rows[i].unit]);
	}
}

static void print_run(const struct sim *sim, const struct run_options *o)
{
	const struct sim_result *r = sim->result;

	printf("%s under %s, seed %" PRIu64 ": %.3f s, %" PRIu64 " events, trace %016" PRIx64 "\n",
	       r->scenario, r->policy, r->seed, (double)r->until_ns / 1e9, r->events, r->hash);
	if (sim->failure[0])
		printf("INVARIANT BROKEN at %.9f s: %s\n", (double)sim->failure_ns / 1e9,
		       sim->failure);
	if (o->rows) {
		print_rows(r);
		return;
	}
	if (o->quiet)
		return;
	print_latencies(r);
	print_shares(r);
	print_jobs(r);
	print_others(r);
	printf("\n");
	cmd_print_gap(stdout);
}

/* ---- files ------------------------------------------------------------------------------------*/

static int write_json(const char *path, const struct sim *sim)
{
	struct sim_json j = {.file = fopen(path, "w")};

	if (!j.file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	sim_json_open(&j, NULL, '{');
	sim_json_text(&j, "scenario", sim->result->scenario);
	sim_json_text(&j, "failure", sim->failure[0] ? sim->failure : NULL);
	cmd_result_json(&j, "result", sim->result);
	sim_json_close(&j, '{');
	fputc('\n', j.file);
	if (fclose(j.file)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	return 0;
}

static int write_files(const struct run_options *o, const struct cmd_made *made,
		       const struct sim_scenario *s)
{
	struct sim *runs[1] = {made->sim};
	const char *names[1] = {made->run.name};
	struct sim_report report = {.scenario = made->own ? made->own : s, .run_count = 1,
				    .runs = runs, .names = names, .command = o->line};
	int failed = 0, error;

	if (o->json)
		failed |= write_json(o->json, made->sim);
	if (o->html && (error = sim_report_html(o->html, &report)) < 0) {
		fprintf(stderr, "%s: %s\n", o->html, strerror(-error));
		failed = 1;
	}
	if (o->perfetto && (error = sim_report_perfetto(o->perfetto, made->sim)) < 0) {
		fprintf(stderr, "%s: %s\n", o->perfetto, strerror(-error));
		failed = 1;
	}
	return failed;
}

static const struct sim_run_spec *choose(const struct sim_scenario *s, const char *name)
{
	const struct sim_run_spec *run = name ? cmd_find_run(s, name) : &s->runs[0];
	uint32_t i;

	if (run)
		return run;
	if (!strcmp(name, "off") && s->off.policy[0])
		return &s->off;
	fprintf(stderr, "pvsim run: there is no run `%s`, expected one of", name);
	for (i = 0; i < s->run_count; i++)
		fprintf(stderr, " %s", s->runs[i].name);
	fprintf(stderr, "%s\n", s->off.policy[0] ? " off" : "");
	return NULL;
}

/* For pictures. A page needs the worst moment alone, a trace as much as there is room for. */
static void keep(const struct sim_scenario *s, const struct sim_run_spec *run,
		 const struct run_options *o, struct sim_options *options)
{
	struct sim_options window = *options;
	char error[512];

	options->keep = KEEP_RECORDS;
	options->keep_from_ns = s->warmup_ns;
	options->keep_until_ns = SIM_NEVER;
	if (o->perfetto)
		return;
	window.run = run;
	if (sim_report_window(s, &window, error, sizeof(error)) < 0)
		return;
	options->keep = window.keep;
	options->keep_from_ns = window.keep_from_ns;
	options->keep_until_ns = window.keep_until_ns;
}

static int run_one(const struct sim_scenario *s, const struct run_options *o)
{
	const struct sim_run_spec *run = choose(s, o->run);
	struct sim_options options = {.policy = o->policy, .seed = o->seed, .checking = o->check};
	struct cmd_progress progress;
	struct cmd_made made;
	char error[512] = "no memory";
	int result;

	if (!run)
		return CMD_USAGE;
	if (o->html || o->perfetto)
		keep(s, run, o, &options);
	if (cmd_make(&made, s, &o->sets, run == &s->off ? &s->runs[0] : run,
		     run == &s->off ? run : NULL, &options, error, sizeof(error)) < 0) {
		fprintf(stderr, "pvsim run: %s\n", error);
		return CMD_USAGE;
	}
	cmd_progress(&options, &progress, s->name, o->quiet);
	result = sim_run(made.sim, &options) < 0 ? CMD_RED : CMD_GREEN;
	cmd_progress_end(&progress);
	print_run(made.sim, o);
	if (write_files(o, &made, s))
		result = CMD_USAGE;
	cmd_unmake(&made);
	return result;
}

int cmd_run(int argc, char **argv)
{
	struct run_options o = {0};
	const struct cmd_option options[] = {
		{"policy", CMD_TEXT, &o.policy, "NAME", "in place of the run's (pvsim models)"},
		{"run", CMD_TEXT, &o.run, "NAME", "a run of the file; `off` is one, too [with]"},
		{"seed", CMD_NUMBER, &o.seed, "N", "in place of the scenario's"},
		{"set", CMD_LIST, &o.sets, "PATH=VALUE", "as if the file said so; many times"},
		{"check", CMD_FLAG, &o.check, NULL, "derives all invariants after each event"},
		{"rows", CMD_FLAG, &o.rows, NULL, "prints the rows that verdicts can name"},
		{"json", CMD_TEXT, &o.json, "FILE", "writes all rows"},
		{"html", CMD_TEXT, &o.html, "FILE", "writes a page with timelines"},
		{"perfetto", CMD_TEXT, &o.perfetto, "FILE", "writes a trace for Perfetto"},
		{"quiet", CMD_FLAG, &o.quiet, NULL, "one line, no progress"},
		{.name = NULL},
	};
	const struct cmd cmd = {
		.name = "run",
		.args = "FILE [options]",
		.what = "Runs a scenario once and prints what it measured.",
		.options = options,
		.files_min = 1,
		.notes = "PATH is made of keys and names: --set vms.guest.tasks.cyclic.count=2,\n"
			 "--set params.fair.base-slice=3ms, --set duration=5s.",
	};
	int parsed, result = CMD_USAGE;
	struct sim_scenario *s;
	struct cmd_list files;

	cmd_line(o.line, sizeof(o.line), argc, argv);
	parsed = cmd_parse(&cmd, argc, argv, &files);
	s = parsed ? NULL : cmd_load(files.items[0], &o.sets);
	if (s)
		result = run_one(s, &o);
	else if (parsed > 0)
		result = CMD_GREEN;
	sim_scenario_free(s);
	free(files.items);
	free(o.sets.items);
	return result;
}
