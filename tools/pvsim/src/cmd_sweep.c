// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_sweep.c - `pvsim sweep`: one scenario at every point of a grid, on all CPUs, as a table, as a
 * map and as CSV.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "expr.h"
#include "report_json.h"
#include "units.h"

#define POINTS_MAX 100000u
#define SHOWS_MAX 8u

struct sweep {
	char line[512];        /* as it was typed */
	const char *path, *csv, *json, *html;
	uint64_t jobs;
	int quiet, check;
	struct cmd_list sets, overs, show_list;
	struct sim_scenario *s;
	struct sim_sweep grid;
	char **words[SIM_SWEEP_AXES];   /* the values of each axis */
	char *texts[SIM_SWEEP_AXES];    /* what they are cut from */
	uint32_t points;
	double *columns[SHOWS_MAX];
	int8_t times[SHOWS_MAX], energies[SHOWS_MAX];
	uint32_t failed;
	char error[512];
};

/* What a child says of a point. */
struct answer {
	double value[SHOWS_MAX];
	int8_t time[SHOWS_MAX], energy[SHOWS_MAX];
	char error[512];
};

/* ---- axes -------------------------------------------------------------------------------------*/

static int count_words(const char *text, char mark)
{
	int count = 1;

	for (; *text; text++)
		count += *text == mark;
	return count;
}

/* `path=a,b,c`; values that hold commas themselves stand in a list of their own with ; between. */
static int add_axis(struct sweep *w, const char *over)
{
	uint32_t n = w->grid.axis_count, i = 0;
	struct sim_sweep_axis *axis = &w->grid.axes[n];
	const char *equals = strchr(over, '=');
	char *word, *rest, mark[2] = ",";

	if (n == SIM_SWEEP_AXES) {
		fprintf(stderr, "pvsim sweep: more than %u times --over\n", SIM_SWEEP_AXES);
		return -1;
	}
	if (!equals || equals == over || !equals[1] ||
	    (size_t)(equals - over) >= sizeof(axis->path)) {
		fprintf(stderr, "pvsim sweep: --over %s, expected path=v1,v2,...\n", over);
		return -1;
	}
	snprintf(axis->path, sizeof(axis->path), "%.*s", (int)(equals - over), over);
	mark[0] = strchr(equals, ';') ? ';' : ',';
	w->texts[n] = strdup(equals + 1);
	w->words[n] = calloc((size_t)count_words(equals + 1, mark[0]), sizeof(char *));
	if (!w->texts[n] || !w->words[n])
		return -1;
	w->grid.axis_count++;
	for (word = strtok_r(w->texts[n], mark, &rest); word; word = strtok_r(NULL, mark, &rest))
		w->words[n][i++] = word;
	axis->count = i;
	axis->values = (const char *const *)w->words[n];
	return i ? 0 : -1;
}

/* Which value of an axis a point has; the last axis is the fastest. */
static uint32_t place_of(const struct sweep *w, uint32_t point, uint32_t axis)
{
	uint32_t n;

	for (n = w->grid.axis_count - 1; n > axis; n--)
		point /= w->grid.axes[n].count;
	return point % w->grid.axes[axis].count;
}

/* ---- a point ----------------------------------------------------------------------------------*/

/* Does an expression name this run? */
static int is_named(const struct sweep *w, const char *run)
{
	size_t length = strlen(run);
	const char *at;
	uint32_t i;

	for (i = 0; i < w->show_list.count; i++)
		for (at = w->show_list.items[i]; (at = strstr(at, run)) != NULL; at++)
			if (at[length] == '.' &&
			    (at == w->show_list.items[i] || strchr(" (,-*/+<>=!&|", at[-1])))
				return 1;
	return 0;
}

static int run_named(const struct sweep *w, const struct sim_scenario *s,
		     const struct cmd_list *sets, const struct sim_run_spec *run,
		     struct cmd_made *made, char *error, size_t size)
{
	struct sim_options options = {.checking = w->check};

	if (cmd_make(made, s, sets, run, NULL, &options, error, size) < 0)
		return -1;
	if (sim_run(made->sim, &options) < 0) {
		snprintf(error, size, "%s: %s", run->name, made->sim->failure);
		return -1;
	}
	return 0;
}

static void evaluate(const struct sweep *w, const struct sim_expr_env *env, struct answer *a)
{
	struct sim_expr_value value;
	uint32_t i;

	for (i = 0; i < w->show_list.count; i++) {
		a->value[i] = NAN;
		if (sim_expr(w->show_list.items[i], env, &value, a->error, sizeof(a->error)) < 0)
			continue;
		a->value[i] = value.value;
		a->time[i] = value.truth ? 0 : value.time;
		a->energy[i] = value.truth ? 0 : value.energy;
	}
}

/* All runs that are named, with the point's values. */
static void run_point(const struct sweep *w, const struct cmd_list *sets, struct answer *a)
{
	struct sim_scenario *s;
	struct sim_expr_run *runs;
	struct sim_expr_env env = {0};
	struct cmd_made *made;
	char *errors = NULL;
	uint32_t i, n = 0;

	s = sim_scenario_read(w->path, sets->items, sets->count, &errors);
	if (!s) {
		snprintf(a->error, sizeof(a->error), "%s", errors ? errors : "no memory");
		free(errors);
		return;
	}
	runs = calloc(s->run_count, sizeof(*runs));
	made = calloc(s->run_count, sizeof(*made));
	for (i = 0; runs && made && i < s->run_count && !a->error[0]; i++) {
		if (!is_named(w, s->runs[i].name))
			continue;
		if (run_named(w, s, sets, &s->runs[i], &made[n], a->error, sizeof(a->error)) == 0) {
			runs[n].name = s->runs[i].name;
			runs[n].result = made[n].sim->result;
		}
		n++;
	}
	env.runs = runs;
	env.run_count = n;
	if (!a->error[0])
		evaluate(w, &env, a);
	for (i = 0; i < n; i++)
		cmd_unmake(&made[i]);
	free(made);
	free(runs);
	sim_scenario_free(s);
}

static void work(void *ctx, uint32_t point, FILE *out)
{
	struct sweep *w = ctx;
	uint32_t count = w->sets.count + w->grid.axis_count, i;
	struct cmd_list sets = {.items = calloc(count, sizeof(char *))};
	struct answer a;

	memset(&a, 0, sizeof(a));
	for (i = 0; i < SHOWS_MAX; i++)
		a.value[i] = NAN;
	for (i = 0; sets.items && i < w->sets.count; i++)
		sets.items[sets.count++] = w->sets.items[i];
	for (i = 0; sets.items && i < w->grid.axis_count; i++) {
		const char *value = w->grid.axes[i].values[place_of(w, point, i)];
		size_t size = strlen(w->grid.axes[i].path) + strlen(value) + 2;
		char *text = malloc(size);

		if (!text)
			abort();
		snprintf(text, size, "%s=%s", w->grid.axes[i].path, value);
		sets.items[sets.count++] = text;
	}
	if (sets.items)
		run_point(w, &sets, &a);
	for (i = w->sets.count; i < sets.count; i++)
		free(sets.items[i]);
	free(sets.items);
	fwrite(&a, sizeof(a), 1, out);
}

static void done(void *ctx, uint32_t point, FILE *in, int ok)
{
	struct sweep *w = ctx;
	struct answer a;
	uint32_t i;

	if (!ok || fread(&a, sizeof(a), 1, in) != 1) {
		memset(&a, 0, sizeof(a));
		for (i = 0; i < SHOWS_MAX; i++)
			a.value[i] = NAN;
		snprintf(a.error, sizeof(a.error), "the run ended badly");
	}
	for (i = 0; i < w->show_list.count; i++) {
		w->columns[i][point] = a.value[i];
		if (!isnan(a.value[i])) {
			w->times[i] = a.time[i];
			w->energies[i] = a.energy[i];
		}
	}
	if (a.error[0]) {
		w->failed++;
		if (!w->error[0])
			memcpy(w->error, a.error, sizeof(w->error));
	}
}

/* ---- what came of it --------------------------------------------------------------------------*/

static const char *value_text(const struct sweep *w, uint32_t show, double value, char *text)
{
	if (isnan(value))
		return strcpy(text, "-");
	return sim_expr_text(value, w->times[show], w->energies[show], text);
}

static void print_table(const struct sweep *w)
{
	char text[SIM_UNIT_TEXT];
	uint32_t point, i;

	for (i = 0; i < w->grid.axis_count; i++)
		printf("%-*s  ", 14, w->grid.axes[i].path);
	for (i = 0; i < w->show_list.count; i++)
		printf("%14s", w->show_list.count == 1 ? "" : (char[]){(char)('A' + i), '\0'});
	printf("\n");
	for (point = 0; point < w->points; point++) {
		for (i = 0; i < w->grid.axis_count; i++) {
			int width = (int)strlen(w->grid.axes[i].path);

			printf("%-*s  ", width > 14 ? width : 14,
			       w->grid.axes[i].values[place_of(w, point, i)]);
		}
		for (i = 0; i < w->show_list.count; i++)
			printf("%14s", value_text(w, i, w->columns[i][point], text));
		printf("\n");
	}
}

/* Two axes: a map, the darker the larger. */
static void print_map(const struct sweep *w, uint32_t show)
{
	static const char shades[] = " .:-=+*#%@";
	const struct sim_sweep_axis *down = &w->grid.axes[0], *right = &w->grid.axes[1];
	double low = INFINITY, high = -INFINITY;
	char text[SIM_UNIT_TEXT];
	uint32_t row, column, i;

	for (i = 0; i < w->points; i++) {
		low = fmin(low, w->columns[show][i]);
		high = fmax(high, w->columns[show][i]);
	}
	printf("\n%s  (down %s, right %s)\n%14s", w->show_list.items[show], down->path, right->path,
	       "");
	for (column = 0; column < right->count; column++)
		printf("%12s", right->values[column]);
	printf("\n");
	for (row = 0; row < down->count; row++) {
		printf("%14s", down->values[row]);
		for (column = 0; column < right->count; column++) {
			double value = w->columns[show][row * right->count + column];
			double part = high > low ? (value - low) / (high - low) : 0;
			char shade = isnan(value) ? '?' : shades[(int)(part * 9.0)];

			printf("%10s %c", value_text(w, show, value, text), shade);
		}
		printf("\n");
	}
}

static int write_csv(const struct sweep *w)
{
	FILE *file = fopen(w->csv, "w");
	uint32_t point, i;

	for (i = 0; file && i < w->grid.axis_count; i++)
		fprintf(file, "%s%s", i ? "," : "", w->grid.axes[i].path);
	for (i = 0; file && i < w->show_list.count; i++)
		fprintf(file, ",\"%s\"", w->show_list.items[i]);
	for (point = 0; file && point < w->points; point++) {
		for (i = 0; i < w->grid.axis_count; i++)
			fprintf(file, "%s%s", i ? "," : "\n",
				w->grid.axes[i].values[place_of(w, point, i)]);
		for (i = 0; i < w->show_list.count; i++)
			fprintf(file, ",%.10g", w->columns[i][point]);
	}
	if (file)
		fputc('\n', file);
	if (!file || fclose(file)) {
		fprintf(stderr, "%s: %s\n", w->csv, strerror(errno));
		return -1;
	}
	return 0;
}

static int write_json(const struct sweep *w)
{
	struct sim_json j = {.file = fopen(w->json, "w")};
	uint32_t i, n;

	if (!j.file) {
		fprintf(stderr, "%s: %s\n", w->json, strerror(errno));
		return -1;
	}
	sim_json_open(&j, NULL, '{');
	sim_json_text(&j, "scenario", w->s->name);
	sim_json_open(&j, "axes", '[');
	for (i = 0; i < w->grid.axis_count; i++) {
		sim_json_open(&j, NULL, '{');
		sim_json_text(&j, "path", w->grid.axes[i].path);
		sim_json_open(&j, "values", '[');
		for (n = 0; n < w->grid.axes[i].count; n++)
			sim_json_text(&j, NULL, w->grid.axes[i].values[n]);
		sim_json_close(&j, '[');
		sim_json_close(&j, '{');
	}
	sim_json_close(&j, '[');
	sim_json_open(&j, "shows", '{');
	for (i = 0; i < w->show_list.count; i++) {
		sim_json_open(&j, w->show_list.items[i], '[');
		for (n = 0; n < w->points; n++)
			sim_json_double(&j, NULL, w->columns[i][n]);
		sim_json_close(&j, '[');
	}
	sim_json_close(&j, '{');
	sim_json_close(&j, '{');
	fputc('\n', j.file);
	return fclose(j.file) ? -1 : 0;
}

/* The page has the map, and timelines of the subject as the file has it. */
static int write_html(const struct sweep *w)
{
	struct sim_options options = {0};
	struct cmd_made made;
	struct sim *runs[1];
	const char *names[1] = {"with"};
	struct sim_report report = {.scenario = w->s, .run_count = 1, .runs = runs, .names = names,
				    .sweep = &w->grid, .command = w->line};
	char error[512] = "no memory";
	int result;

	if (sim_report_window(w->s, &options, error, sizeof(error)) < 0 ||
	    cmd_make(&made, w->s, &w->sets, &w->s->runs[0], NULL, &options, error,
		     sizeof(error)) < 0) {
		fprintf(stderr, "pvsim sweep: %s\n", error);
		return -1;
	}
	sim_run(made.sim, &options);
	runs[0] = made.sim;
	result = sim_report_html(w->html, &report);
	if (result < 0)
		fprintf(stderr, "%s: %s\n", w->html, strerror(-result));
	cmd_unmake(&made);
	return result;
}

static int print_all(struct sweep *w)
{
	int failed = 0;
	uint32_t i;

	if (!w->quiet) {
		for (i = 0; i < w->show_list.count && w->show_list.count > 1; i++)
			printf("%c: %s\n", (char)('A' + i), w->show_list.items[i]);
		if (w->show_list.count == 1)
			printf("%s\n", w->show_list.items[0]);
		print_table(w);
		for (i = 0; i < w->show_list.count && w->grid.axis_count == 2; i++)
			print_map(w, i);
		printf("\n");
		cmd_print_gap(stdout);
	}
	if (w->csv)
		failed |= write_csv(w);
	if (w->json)
		failed |= write_json(w);
	if (w->html)
		failed |= write_html(w);
	if (w->failed) {
		fprintf(stderr, "pvsim sweep: %u of %u points failed, the first with: %s\n",
			w->failed, w->points, w->error);
		return CMD_RED;
	}
	return failed ? CMD_USAGE : CMD_GREEN;
}

static int prepare(struct sweep *w)
{
	uint64_t points = 1;
	uint32_t i;

	if (!w->overs.count || !w->show_list.count || w->show_list.count > SHOWS_MAX) {
		fprintf(stderr, "pvsim sweep: expected --over path=v1,v2,... and 1 to %u times "
				"--show EXPRESSION\n", SHOWS_MAX);
		return -1;
	}
	w->s = cmd_load(w->path, &w->sets);
	if (!w->s)
		return -1;
	for (i = 0; i < w->overs.count; i++) {
		if (add_axis(w, w->overs.items[i]) < 0)
			return -1;
		points *= w->grid.axes[i].count;
	}
	if (points > POINTS_MAX) {
		fprintf(stderr, "pvsim sweep: %" PRIu64 " points, expected at most %u\n", points,
			POINTS_MAX);
		return -1;
	}
	w->points = (uint32_t)points;
	w->grid.show_count = w->show_list.count;
	w->grid.shows = (const char *const *)w->show_list.items;
	w->grid.values = w->columns;
	for (i = 0; i < w->show_list.count; i++) {
		w->columns[i] = calloc(points, sizeof(double));
		if (!w->columns[i])
			return -1;
	}
	return 0;
}

static int sweep(struct sweep *w)
{
	struct cmd_pool pool = {.work = work, .done = done, .ctx = w, .what = "points"};
	int result = CMD_USAGE;
	uint32_t i;

	if (prepare(w) == 0) {
		pool.count = w->points;
		pool.jobs = (uint32_t)w->jobs;
		if (w->quiet)
			pool.what = NULL;
		cmd_pool(&pool);
		result = print_all(w);
	}
	for (i = 0; i < SIM_SWEEP_AXES; i++) {
		free(w->texts[i]);
		free(w->words[i]);
	}
	for (i = 0; i < SHOWS_MAX; i++)
		free(w->columns[i]);
	sim_scenario_free(w->s);
	return result;
}

int cmd_sweep(int argc, char **argv)
{
	struct sweep w = {0};
	const struct cmd_option options[] = {
		{"over", CMD_LIST, &w.overs, "PATH=A,B,C", "an axis; up to 4 of them"},
		{"show", CMD_LIST, &w.show_list, "EXPRESSION", "as in a verdict; up to 8 of them"},
		{"jobs", CMD_NUMBER, &w.jobs, "N", "so many points at once [number of CPUs]"},
		{"set", CMD_LIST, &w.sets, "PATH=VALUE", "as if the file said so; many times"},
		{"check", CMD_FLAG, &w.check, NULL, "derives all invariants after each event"},
		{"csv", CMD_TEXT, &w.csv, "FILE", "writes a line for each point"},
		{"json", CMD_TEXT, &w.json, "FILE", "writes the grid"},
		{"html", CMD_TEXT, &w.html, "FILE", "writes a page with heat maps"},
		{"quiet", CMD_FLAG, &w.quiet, NULL, "no table, no progress"},
		{.name = NULL},
	};
	const struct cmd cmd = {
		.name = "sweep",
		.args = "FILE --over PATH=A,B,C [--over ...] --show EXPRESSION [options]",
		.what = "Runs a scenario at every point of a grid and prints what EXPRESSION is "
			"there;\nthe runs that it names are made, no others.",
		.options = options,
		.files_min = 1,
		.notes = "pvsim sweep a.yaml --over config.boost_share_q10=64,128,256 \\\n"
			 "    --over vms.guest.hint-rate=0,1000 --show "
			 "with.task.guest/audio.response.p99",
	};
	struct cmd_list files;
	int parsed = cmd_parse(&cmd, argc, argv, &files), result;

	cmd_line(w.line, sizeof(w.line), argc, argv);
	result = parsed > 0 ? CMD_GREEN : CMD_USAGE;
	if (!parsed) {
		w.path = files.items[0];
		result = sweep(&w);
	}
	free(files.items);
	free(w.sets.items);
	free(w.overs.items);
	free(w.show_list.items);
	return result;
}
