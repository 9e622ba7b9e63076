// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_verify.c - `pvsim verify`: is a scenario's verdict green with the library, and red without?
 *
 * All runs of all files, and of each file the run that takes the place of the subject (`off:`), are
 * made side by side. A verdict that is green without the library could not fail, and so says
 * nothing: that is red, too.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "expr.h"
#include "report_json.h"
#include "units.h"

/* Of a file: its runs, and the one with the library off after them. */
struct verify_file {
	const char *path;
	struct sim_scenario *s;
	uint32_t run_count;         /* with that one */
	uint32_t first;             /* of all jobs */
	struct sim_result *results; /* [run_count] */
	char (*failures)[256];
	const char **names;
	int failed;                 /* a run could not be made, or an invariant broke */
	int green, red_without;
	struct sim_report_assert *with, *without;
	struct sim_report_figure *figures;
};

struct verify {
	uint32_t file_count, job_count;
	struct verify_file *files;
	struct cmd_list sets;
	uint64_t jobs;
	const char *json;
	int check, quiet;
};

/* ---- runs -------------------------------------------------------------------------------------*/

static struct verify_file *file_of(const struct verify *v, uint32_t job)
{
	uint32_t i = v->file_count;

	while (v->files[--i].first > job)
		;
	return &v->files[i];
}

/* The child: one run; what came of it goes to the parent. */
static void run_job(void *ctx, uint32_t job, FILE *out)
{
	struct verify *v = ctx;
	struct verify_file *f = file_of(v, job);
	uint32_t run = job - f->first;
	int off = f->s->off.policy[0] && run == f->run_count - 1;
	struct sim_options options = {.checking = v->check};
	char failure[256] = "no memory";
	struct cmd_made made;

	if (cmd_make(&made, f->s, &v->sets, &f->s->runs[off ? 0 : run], off ? &f->s->off : NULL,
		     &options, failure, sizeof(failure)) < 0) {
		struct sim_result none;

		memset(&none, 0, sizeof(none));
		fwrite(failure, sizeof(failure), 1, out);
		cmd_result_write(&none, out);
		return;
	}
	sim_run(made.sim, &options);
	fwrite(made.sim->failure, sizeof(failure), 1, out);
	cmd_result_write(made.sim->result, out);
	cmd_unmake(&made);
}

static void job_done(void *ctx, uint32_t job, FILE *in, int ok)
{
	struct verify *v = ctx;
	struct verify_file *f = file_of(v, job);
	uint32_t run = job - f->first;

	sim_result_init(&f->results[run]);
	if (!ok || fread(f->failures[run], sizeof(f->failures[run]), 1, in) != 1 ||
	    cmd_result_read(&f->results[run], in) < 0)
		snprintf(f->failures[run], sizeof(f->failures[run]), "the run ended badly");
	if (f->failures[run][0])
		f->failed = 1;
}

/* ---- verdicts ---------------------------------------------------------------------------------*/

static void judge(struct verify_file *f)
{
	const struct sim_result **results = calloc(f->run_count, sizeof(*results));
	uint32_t runs = f->s->run_count, falsified, i;

	f->with = calloc(f->s->assert_count + 1, sizeof(*f->with));
	f->without = calloc(f->s->assert_count + 1, sizeof(*f->without));
	f->figures = calloc(f->s->figure_count + 1, sizeof(*f->figures));
	if (!results || !f->with || !f->without || !f->figures)
		abort();
	for (i = 0; i < runs; i++)
		results[i] = &f->results[i];
	f->green = cmd_assert(f->s, runs, f->names, results, f->with, &falsified) && !f->failed &&
		   f->s->assert_count;
	cmd_figures(f->s, runs, f->names, results, f->figures);
	if (f->s->off.policy[0]) {
		results[0] = &f->results[f->run_count - 1];
		cmd_assert(f->s, runs, f->names, results, f->without, &falsified);
		f->red_without = falsified > 0;
	}
	free(results);
}

/* ---- what a verdict rests on ------------------------------------------------------------------*/

/* The next RUN.ROW in an expression, NULL at its end. */
static const char *next_row(const char *text, char *run, char *row, size_t size)
{
	size_t length;
	const char *dot;

	for (;;) {
		while (*text && !isalpha((unsigned char)*text))
			text += isdigit((unsigned char)*text) ? strspn(text, "0123456789.kMnums%")
							      : 1;
		if (!*text)
			return NULL;
		length = strcspn(text, " \t\n*+,()<>=!&|");
		dot = memchr(text, '.', length);
		if (dot) {
			snprintf(run, size, "%.*s", (int)(dot - text), text);
			snprintf(row, size, "%.*s", (int)(length - (size_t)(dot + 1 - text)),
				 dot + 1);
			return text + length;
		}
		text += length;
	}
}

/* Fewest samples of anything, and most misses of any run, that the verdict speaks of. */
struct basis {
	uint64_t samples, misses;
	int has_samples, has_misses;
};

static void add_samples(struct basis *b, uint64_t samples)
{
	if (!b->has_samples || samples < b->samples)
		b->samples = samples;
	b->has_samples = 1;
}

static uint64_t samples_of(const struct sim_result *r, const char *base, const char *end)
{
	char name[200];
	const struct sim_row *row;

	snprintf(name, sizeof(name), "%s.%s", base, end);
	row = sim_result_row(r, name);
	return !row ? 0 : row->hist ? row->hist->count : row->value;
}

/* A number is the sum of so many: jobs, rounds of a program, turns on a CPU, looks. */
static void add_sum(const struct sim_result *r, const char *base, const char *end, struct basis *b)
{
	static const char *const counts[] = {"jobs", "loops", "waits", "steps", "switches"};
	uint64_t samples = 0, n;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		/* host.switches count for all of the host, pvs.steps for the library */
		n = samples_of(r, i == 3 ? "pvs" : base, counts[i]);
		if ((i == 3) == !strncmp(base, "pvs", 3) && n > samples)
			samples = n;
	}
	if (samples)
		add_samples(b, samples);
	if (strcmp(end, "misses"))
		return;
	b->misses = samples_of(r, base, end) > b->misses ? samples_of(r, base, end) : b->misses;
	b->has_misses = 1;
}

static void add_row(const struct sim_result *r, const char *name, struct basis *b)
{
	const struct sim_row *row = sim_result_row(r, name);
	const char *dot = strrchr(name, '.');
	char base[160];

	if (!dot)
		return;
	snprintf(base, sizeof(base), "%.*s", (int)(dot - name), name);
	if (row && !row->hist) {
		add_sum(r, base, dot + 1, b);
		return;
	}
	row = sim_result_row(r, base);
	if (row && row->hist)
		add_samples(b, row->hist->count);
}

static struct basis basis_of(const struct verify_file *f)
{
	struct basis b = {0};
	char run[160], row[160];
	const char *text;
	uint32_t i, n;

	for (i = 0; i < f->s->assert_count; i++)
		for (text = f->s->asserts[i].text;
		     (text = next_row(text, run, row, sizeof(run))) != NULL;)
			for (n = 0; n < f->run_count; n++)
				if (!strcmp(f->names[n], run) ||
				    (n == f->s->run_count && !strcmp(run, "with")))
					add_row(&f->results[n], row, &b);
	return b;
}

/* ---- as text ----------------------------------------------------------------------------------*/

static void print_side(const char *what, const struct sim_report_assert *a)
{
	char left[SIM_UNIT_TEXT], right[SIM_UNIT_TEXT];

	sim_expr_text(a->left, a->time, a->energy, left);
	sim_expr_text(a->right, a->time, a->energy, right);
	if (a->error[0])
		printf("      %-8s error: %s\n", what, a->error);
	else
		printf("      %-8s %-5s %s %s %s\n", what, a->holds ? "holds" : "FALSE", left,
		       a->relation, right);
}

static void print_file(const struct verify_file *f, int quiet)
{
	const struct sim_scenario *s = f->s;
	struct basis b = basis_of(f);
	uint32_t i;

	printf("%s: %s with the library, %s without  (%s)\n", s->name,
	       f->green ? "green" : "RED", f->red_without ? "red" : "NOT RED", f->path);
	for (i = 0; i < f->run_count; i++)
		if (f->failures[i][0])
			printf("    run %s: %s\n", f->names[i], f->failures[i]);
	if (quiet && f->green && f->red_without)
		return;
	for (i = 0; i < s->assert_count; i++) {
		printf("    %u: %s\n", f->with[i].line, f->with[i].text);
		print_side("with", &f->with[i]);
		print_side("without", &f->without[i]);
	}
	for (i = 0; i < s->figure_count; i++) {
		if (f->figures[i].error[0])
			printf("    %s: error: %s\n", f->figures[i].name, f->figures[i].error);
		else
			printf("    %s = %.6g\n", f->figures[i].name, f->figures[i].value);
	}
	printf("    rests on %" PRIu64 " samples", b.samples);
	if (b.has_misses)
		printf(", %" PRIu64 " misses at most in a run", b.misses);
	printf("\n");
}

/* ---- as JSON ----------------------------------------------------------------------------------*/

static void json_asserts(struct sim_json *j, const struct verify_file *f)
{
	uint32_t i;

	sim_json_open(j, "asserts", '[');
	for (i = 0; i < f->s->assert_count; i++) {
		const struct sim_report_assert *a = &f->with[i], *b = &f->without[i];

		sim_json_open(j, NULL, '{');
		sim_json_u64(j, "line", a->line);
		sim_json_text(j, "text", a->text);
		sim_json_text(j, "relation", a->relation);
		sim_json_u64(j, "holds", (uint64_t)a->holds);
		sim_json_double(j, "left", a->left);
		sim_json_double(j, "right", a->right);
		sim_json_text(j, "error", a->error[0] ? a->error : NULL);
		sim_json_u64(j, "without_holds", (uint64_t)b->holds);
		sim_json_double(j, "without_left", b->left);
		sim_json_double(j, "without_right", b->right);
		sim_json_text(j, "without_error", b->error[0] ? b->error : NULL);
		sim_json_close(j, '{');
	}
	sim_json_close(j, '[');
}

static void json_runs(struct sim_json *j, const struct verify_file *f)
{
	char hash[24];
	uint32_t i;

	sim_json_open(j, "runs", '[');
	for (i = 0; i < f->run_count; i++) {
		sim_json_open(j, NULL, '{');
		sim_json_text(j, "name", f->names[i]);
		sim_json_text(j, "policy", f->results[i].policy);
		sim_json_u64(j, "seed", f->results[i].seed);
		sim_json_u64(j, "until_ns", f->results[i].until_ns);
		sim_json_u64(j, "events", f->results[i].events);
		snprintf(hash, sizeof(hash), "%016" PRIx64, f->results[i].hash);
		sim_json_text(j, "trace_hash", hash);
		sim_json_text(j, "failure", f->failures[i][0] ? f->failures[i] : NULL);
		sim_json_close(j, '{');
	}
	sim_json_close(j, '[');
}

static void json_file(struct sim_json *j, const struct verify_file *f)
{
	struct basis b = basis_of(f);
	uint32_t i;

	sim_json_open(j, NULL, '{');
	sim_json_text(j, "name", f->s->name);
	sim_json_text(j, "file", f->path);
	sim_json_text(j, "source", f->s->source);
	sim_json_text(j, "claim", f->s->claim);
	sim_json_u64(j, "quick", (uint64_t)f->s->quick);
	sim_json_u64(j, "green", (uint64_t)f->green);
	sim_json_u64(j, "red_without", (uint64_t)f->red_without);
	sim_json_u64(j, "samples", b.samples);
	if (b.has_misses)
		sim_json_u64(j, "baseline_misses", b.misses);
	else
		sim_json_null(j, "baseline_misses");
	json_asserts(j, f);
	sim_json_open(j, "figures", '{');
	for (i = 0; i < f->s->figure_count; i++)
		sim_json_double(j, f->figures[i].name, f->figures[i].value);
	sim_json_close(j, '{');
	json_runs(j, f);
	sim_json_close(j, '{');
}

static int write_json(const struct verify *v)
{
	struct sim_json j = {.file = fopen(v->json, "w")};
	uint32_t i;

	if (!j.file) {
		fprintf(stderr, "%s: %s\n", v->json, strerror(errno));
		return -1;
	}
	sim_json_open(&j, NULL, '{');
	sim_json_open(&j, "scenarios", '[');
	for (i = 0; i < v->file_count; i++)
		json_file(&j, &v->files[i]);
	sim_json_close(&j, '[');
	sim_json_close(&j, '{');
	fputc('\n', j.file);
	if (fclose(j.file)) {
		fprintf(stderr, "%s: %s\n", v->json, strerror(errno));
		return -1;
	}
	return 0;
}

/* ---- all of it --------------------------------------------------------------------------------*/

static int load_file(struct verify *v, struct verify_file *f, const char *path)
{
	uint32_t i;

	f->path = path;
	f->s = cmd_load(path, &v->sets);
	if (!f->s)
		return -1;
	f->run_count = f->s->run_count + (f->s->off.policy[0] != '\0');
	f->first = v->job_count;
	v->job_count += f->run_count;
	f->results = calloc(f->run_count, sizeof(*f->results));
	f->failures = calloc(f->run_count, sizeof(*f->failures));
	f->names = calloc(f->run_count, sizeof(*f->names));
	if (!f->results || !f->failures || !f->names)
		abort();
	for (i = 0; i < f->run_count; i++)
		f->names[i] = i < f->s->run_count ? f->s->runs[i].name : "off";
	return 0;
}

static void free_file(struct verify_file *f)
{
	uint32_t i;

	for (i = 0; f->results && i < f->run_count; i++)
		sim_result_free(&f->results[i]);
	free(f->results);
	free(f->failures);
	free(f->names);
	free(f->with);
	free(f->without);
	free(f->figures);
	sim_scenario_free(f->s);
}

static int verify(struct verify *v, const struct cmd_list *paths)
{
	struct cmd_pool pool = {.work = run_job, .done = job_done, .ctx = v, .what = "runs"};
	uint32_t i, green = 0, red = 0, bad = 0;

	for (i = 0; i < paths->count; i++) {
		if (load_file(v, &v->files[v->file_count], paths->items[i]) < 0)
			bad++;
		else
			v->file_count++;
	}
	if (bad)
		return CMD_USAGE;
	pool.count = v->job_count;
	pool.jobs = (uint32_t)v->jobs;
	if (v->quiet)
		pool.what = NULL;
	cmd_pool(&pool);
	for (i = 0; i < v->file_count; i++) {
		judge(&v->files[i]);
		print_file(&v->files[i], v->quiet);
		green += v->files[i].green != 0;
		red += v->files[i].red_without != 0;
	}
	printf("%u scenarios: %u green with the library, %u red without\n", v->file_count, green,
	       red);
	if (v->json && write_json(v) < 0)
		return CMD_USAGE;
	return green == v->file_count && red == v->file_count ? CMD_GREEN : CMD_RED;
}

int cmd_verify(int argc, char **argv)
{
	struct verify v = {0};
	const struct cmd_option options[] = {
		{"jobs", CMD_NUMBER, &v.jobs, "N", "so many runs at once [number of CPUs]"},
		{"json", CMD_TEXT, &v.json, "FILE", "writes verdicts and figures"},
		{"set", CMD_LIST, &v.sets, "PATH=VALUE", "as if the files said so; many times"},
		{"check", CMD_FLAG, &v.check, NULL, "derives all invariants after each event"},
		{"quiet", CMD_FLAG, &v.quiet, NULL, "a line for each file that is as it should be"},
		{.name = NULL},
	};
	const struct cmd cmd = {
		.name = "verify",
		.args = "FILE... [options]",
		.what = "Runs all runs of each scenario, and its subject with the library off, and "
			"says of\neach assertion whether it holds with the library and without. "
			"Green: all hold\nwith it, and at least one is false without.",
		.options = options,
		.files_min = 1,
		.notes = "Exit codes: 0 all as they should be, 1 not, 2 a scenario is wrong.",
	};
	struct cmd_list files;
	int parsed = cmd_parse(&cmd, argc, argv, &files), result = CMD_USAGE;
	uint32_t i;

	if (!parsed) {
		v.files = calloc(files.count, sizeof(*v.files));
		if (v.files)
			result = verify(&v, &files);
	} else if (parsed > 0) {
		result = CMD_GREEN;
	}
	for (i = 0; v.files && i < v.file_count; i++)
		free_file(&v.files[i]);
	free(v.files);
	free(files.items);
	free(v.sets.items);
	return result;
}
