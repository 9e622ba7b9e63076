// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_tune.c - `pvsim tune`: which configs of libpvsched are best for a set of scenarios?
 *
 * There is no best one: who asks for more is served sooner at the cost of others, or of more
 * decisions. So what is printed is the Pareto front: configs of which none is better than another
 * in everything. Half of the budget is random (log-uniform in each field), the other half refines
 * one field at a time of those that are on the front; all from one seed, and the same with any
 * number of processes.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "params.h"
#include "report_json.h"
#include "tree.h"
#include "units.h"

#define FIELDS_MAX 16u
#define BUDGET_DEFAULT 64u
#define BUDGET_MAX 100000u
#define BATCH 8u        /* candidates that are made before any of them is known */
#define TRIES 64u       /* to find a config that is allowed */
#define STREAM 0x74756e65u
#define SHOWN_MAX 24u

enum { BOOSTED, BYSTANDERS, WORK, DECISIONS, GOALS };

struct field {
	const struct sim_config_type *type;
	uint64_t low, high;
};

struct candidate {
	uint64_t value[FIELDS_MAX]; /* 0: the default */
	double goal[GOALS];         /* geometric mean over the scenarios, relative to the default */
	double *raw;                /* [file][goal] */
	int broken;                 /* a run failed, or an invariant */
	int front;
};

struct tune {
	uint64_t budget, seed, jobs;
	const char *json;
	int quiet;
	struct cmd_list sets, ranges, files;
	struct sim_scenario **scenarios;
	uint32_t field_count, count, from; /* candidates; those from `from` on are being run */
	struct field fields[FIELDS_MAX];
	struct candidate *all;
	struct sim_rng rng;
	char error[512];
};

/* ---- fields -----------------------------------------------------------------------------------*/

static const char *const usual_ranges[] = {
	"boost_share_q10=64..512",  "boost_burst_ns=1ms..16ms", "grant_max_ns=500us..10ms",
	"vm_share_q10=128..4096",   "poll_ns=1ms..50ms",        "urgent_poll_ns=250us..8ms",
	"kick_min_ns=1ms..50ms",    "level_hold_ns=10ms..2s",
};

static int read_bound(const char *text, uint64_t *value)
{
	return sim_read_number(text, value) || sim_read_duration(text, value);
}

static int add_field(struct tune *t, const char *range)
{
	const char *equals = strchr(range, '='), *dots = strstr(range, "..");
	struct field *f = &t->fields[t->field_count];
	const struct sim_config_type *type;
	const char *names[64], *near;
	char word[64] = "", low[64] = "";
	size_t i;

	if (equals)
		snprintf(word, sizeof(word), "%.*s", (int)(equals - range), range);
	if (equals && dots > equals)
		snprintf(low, sizeof(low), "%.*s", (int)(dots - equals - 1), equals + 1);
	for (i = 0; i < 64 && (type = sim_config_type_at(i)); i++) {
		names[i] = type->name;
		if (!strcmp(type->name, word))
			f->type = type;
	}
	if (!f->type) {
		near = sim_nearest(word, names, i);
		fprintf(stderr, "pvsim tune: the config has no field `%s`%s%s%s\n", word,
			near ? ", expected `" : "", near ? near : "", near ? "`?" : "");
		return -1;
	}
	if (!dots || !read_bound(low, &f->low) || !read_bound(dots + 2, &f->high) || !f->low ||
	    f->low > f->high || f->high > UINT32_MAX) {
		fprintf(stderr, "pvsim tune: --field %s, expected name=low..high\n", range);
		return -1;
	}
	t->field_count++;
	return 0;
}

static int add_fields(struct tune *t)
{
	uint32_t count = t->ranges.count;
	uint32_t i;

	if (count > FIELDS_MAX) {
		fprintf(stderr, "pvsim tune: more than %u times --field\n", FIELDS_MAX);
		return -1;
	}
	for (i = 0; i < count; i++)
		if (add_field(t, t->ranges.items[i]) < 0)
			return -1;
	for (i = 0; !count && i < sizeof(usual_ranges) / sizeof(usual_ranges[0]); i++)
		if (add_field(t, usual_ranges[i]) < 0)
			return -1;
	return 0;
}

/* ---- candidates -------------------------------------------------------------------------------*/

/* Is it a config that the library takes, in every scenario? */
static int is_allowed(const struct tune *t, const struct candidate *c)
{
	struct sim_param_spec specs[FIELDS_MAX];
	struct sim_scenario s;
	struct pvs_config config;
	char error[160];
	uint32_t i, n = 0;

	for (i = 0; i < t->field_count; i++) {
		if (!c->value[i])
			continue;
		snprintf(specs[n].name, sizeof(specs[n].name), "%s", t->fields[i].type->name);
		specs[n++].value = c->value[i];
	}
	memset(&s, 0, sizeof(s));
	s.config = specs;
	s.config_count = n;
	for (i = 0; i < t->files.count; i++) {
		s.config_profile = t->scenarios[i]->config_profile;
		if (sim_scenario_config(&s, &config, error, sizeof(error)) < 0)
			return 0;
	}
	return 1;
}

/* Two digits: nobody writes 27513619ns. */
static uint64_t rounded(uint64_t value)
{
	uint64_t unit = 1;

	while (value / unit >= 100)
		unit *= 10;
	return (value + unit / 2) / unit * unit;
}

/* Log-uniform: as likely to double as to halve. In integers, so that it is the same everywhere. */
static uint64_t draw(struct tune *t, const struct field *f)
{
	uint64_t octaves = 0, base;

	while (octaves < 40 && f->low << (octaves + 1) <= f->high)
		octaves++;
	base = f->low << sim_rng_below(&t->rng, octaves + 1);
	base = rounded(base + sim_rng_below(&t->rng, base));
	return base > f->high ? f->high : base < f->low ? f->low : base;
}

static void make_random(struct tune *t, struct candidate *c)
{
	uint32_t i, tries = TRIES;

	do {
		memset(c->value, 0, sizeof(c->value));
		for (i = 0; i < t->field_count; i++)
			c->value[i] = draw(t, &t->fields[i]);
	} while (!is_allowed(t, c) && --tries);
}

static uint64_t default_of(const struct tune *t, uint32_t field)
{
	struct pvs_config config;
	char error[160];

	if (sim_scenario_config(t->scenarios[0], &config, error, sizeof(error)) < 0)
		return t->fields[field].low;
	return *(const pvs_u32 *)(const void *)((const char *)&config +
						t->fields[field].type->offset);
}

/* One of the front with one field a step up or down: by half, by a quarter, by an eighth. */
static void make_refined(struct tune *t, struct candidate *c, uint32_t known)
{
	uint32_t tries = TRIES, at, field;
	uint64_t step;

	do {
		at = (uint32_t)sim_rng_below(&t->rng, known);
		while (!t->all[at].front)
			at = (at + 1) % known;
		memcpy(c->value, t->all[at].value, sizeof(c->value));
		field = (uint32_t)sim_rng_below(&t->rng, t->field_count);
		if (!c->value[field])
			c->value[field] = default_of(t, field);
		step = c->value[field] >> (1 + sim_rng_below(&t->rng, 3));
		if (sim_rng_below(&t->rng, 2))
			c->value[field] += step ? step : 1;
		else
			c->value[field] -= step;
		c->value[field] = rounded(c->value[field]);
		if (c->value[field] < t->fields[field].low)
			c->value[field] = t->fields[field].low;
		if (c->value[field] > t->fields[field].high)
			c->value[field] = t->fields[field].high;
	} while (!is_allowed(t, c) && --tries);
}

/* ---- runs -------------------------------------------------------------------------------------*/

static void work(void *ctx, uint32_t index, FILE *out)
{
	struct tune *t = ctx;
	const struct candidate *c = &t->all[t->from + index / t->files.count];
	uint32_t file = index % t->files.count, i;
	struct cmd_list sets = {.items = calloc(t->sets.count + FIELDS_MAX, sizeof(char *))};
	char texts[FIELDS_MAX][96], error[512] = "no memory";
	struct sim_options options = {0};
	struct cmd_summary sum;
	double goal[GOALS] = {0};
	struct cmd_made made;
	struct sim_scenario *s = NULL;

	for (i = 0; sets.items && i < t->sets.count; i++)
		sets.items[sets.count++] = t->sets.items[i];
	for (i = 0; sets.items && i < t->field_count; i++) {
		if (!c->value[i])
			continue;
		snprintf(texts[i], sizeof(texts[i]), "config.%s=%" PRIu64, t->fields[i].type->name,
			 c->value[i]);
		sets.items[sets.count++] = texts[i];
	}
	s = cmd_load(t->files.items[file], &sets);
	if (!s || cmd_make(&made, s, &sets, &s->runs[0], NULL, &options, error,
			   sizeof(error)) < 0)
		return; /* nothing said: the parent knows */
	if (sim_run(made.sim, &options) < 0)
		return;
	cmd_summary(s, made.sim->result, &sum);
	sim_hist_merge(sum.bystanders, sum.waits);
	goal[BOOSTED] = (double)sim_hist_quantile(sum.boosted, 990000);
	goal[BYSTANDERS] = (double)sim_hist_quantile(sum.bystanders, 990000);
	goal[WORK] = (double)sum.work_ns;
	goal[DECISIONS] = sum.decisions;
	fwrite(goal, sizeof(goal), 1, out);
	cmd_summary_free(&sum);
	cmd_unmake(&made);
	sim_scenario_free(s);
	free(sets.items);
}

static void done(void *ctx, uint32_t index, FILE *in, int ok)
{
	struct tune *t = ctx;
	struct candidate *c = &t->all[t->from + index / t->files.count];
	double *raw = &c->raw[index % t->files.count * GOALS];

	if (!ok || fread(raw, sizeof(double), GOALS, in) != GOALS)
		c->broken = 1;
}

/* Relative to the first candidate, the default; 0 is taken for 1 ns, 1 decision a second. */
static void score(struct tune *t, struct candidate *c)
{
	const struct candidate *usual = &t->all[0];
	uint32_t file, goal;

	for (goal = 0; goal < GOALS; goal++) {
		double sum = 0;

		for (file = 0; file < t->files.count; file++)
			sum += log(fmax(c->raw[file * GOALS + goal], 1) /
				   fmax(usual->raw[file * GOALS + goal], 1));
		c->goal[goal] = exp(sum / t->files.count);
	}
}

/* What is within a thousandth is the same. */
static int is_same(const struct candidate *a, const struct candidate *b)
{
	uint32_t goal;

	for (goal = 0; goal < GOALS; goal++)
		if (a->goal[goal] > b->goal[goal] * 1.001 || b->goal[goal] > a->goal[goal] * 1.001)
			return 0;
	return 1;
}

/* a is at least as good as b in everything, and better in something. */
static int dominates(const struct candidate *a, const struct candidate *b)
{
	int better = 0;
	uint32_t goal;

	for (goal = 0; goal < GOALS; goal++) {
		double x = goal == WORK ? 1 / a->goal[goal] : a->goal[goal];
		double y = goal == WORK ? 1 / b->goal[goal] : b->goal[goal];

		if (x > y * 1.001)
			return 0;
		better |= x * 1.001 < y;
	}
	return better;
}

static void find_front(struct tune *t)
{
	uint32_t i, n;

	for (i = 0; i < t->count; i++) {
		struct candidate *c = &t->all[i];

		c->front = !c->broken;
		for (n = 0; n < t->count && c->front; n++) {
			const struct candidate *other = &t->all[n];

			if (other->broken || n == i)
				continue;
			/* of two that are the same, the first */
			if (dominates(other, c) || (n < i && other->front && is_same(other, c)))
				c->front = 0;
		}
	}
}

static int run_batch(struct tune *t, uint32_t batch)
{
	struct cmd_pool pool = {.work = work, .done = done, .ctx = t};
	uint32_t i;

	t->from = t->count;
	for (i = 0; i < batch; i++) {
		struct candidate *c = &t->all[t->from + i];

		c->raw = calloc(t->files.count * GOALS, sizeof(double));
		if (!c->raw)
			return -1;
		if (t->from + i == 0)
			continue; /* the default */
		if (t->from + i < t->budget / 2 || !t->from)
			make_random(t, c);
		else
			make_refined(t, c, t->from);
	}
	pool.count = batch * t->files.count;
	pool.jobs = (uint32_t)t->jobs;
	cmd_pool(&pool);
	t->count += batch;
	if (t->all[0].broken) {
		fprintf(stderr, "pvsim tune: a scenario fails with the config as it is\n");
		return -1;
	}
	for (i = t->from; i < t->count; i++)
		score(t, &t->all[i]);
	find_front(t);
	return 0;
}

/* ---- what came of it --------------------------------------------------------------------------*/

static void print_value(const struct field *f, uint64_t value)
{
	char text[SIM_UNIT_TEXT];

	if (f->type->unit == 'n')
		printf("%s: %s", f->type->name, sim_duration_text(value, text));
	else
		printf("%s: %" PRIu64, f->type->name, value);
}

static void print_config(const struct tune *t, const struct candidate *c)
{
	uint32_t i, shown = 0;

	printf("      config: {");
	for (i = 0; i < t->field_count; i++) {
		if (!c->value[i])
			continue;
		printf("%s", shown++ ? ", " : "");
		print_value(&t->fields[i], c->value[i]);
	}
	printf("%s}\n", shown ? "" : "profile: default");
}

static int by_boosted(const void *a, const void *b)
{
	const struct candidate *x = *(const struct candidate *const *)a;
	const struct candidate *y = *(const struct candidate *const *)b;

	if (x->goal[BOOSTED] != y->goal[BOOSTED])
		return x->goal[BOOSTED] < y->goal[BOOSTED] ? -1 : 1;
	return x < y ? -1 : x > y;
}

static uint32_t sorted_front(const struct tune *t, const struct candidate **front)
{
	uint32_t i, count = 0;

	for (i = 0; i < t->count; i++)
		if (t->all[i].front)
			front[count++] = &t->all[i];
	qsort(front, count, sizeof(*front), by_boosted);
	return count;
}

static void print_front(const struct tune *t, const struct candidate *const *front, uint32_t count)
{
	uint32_t i;

	printf("%u configs, %u scenarios; relative to the config as it is; of %u on the front:\n\n"
	       "      %10s %12s %12s %12s\n      %10s %12s %12s %12s\n", t->count,
	       t->files.count, count, "boosted", "bystanders", "bystanders", "decisions", "p99",
	       "wait p99", "work", "a second");
	for (i = 0; i < count && i < SHOWN_MAX; i++) {
		printf("  %2u  %9.3fx %11.3fx %11.3fx %11.3fx%s\n", i + 1, front[i]->goal[BOOSTED],
		       front[i]->goal[BYSTANDERS], front[i]->goal[WORK],
		       front[i]->goal[DECISIONS], front[i] == t->all ? "   as it is" : "");
		print_config(t, front[i]);
	}
	if (count > SHOWN_MAX)
		printf("  ... and %u more (--json has them)\n", count - SHOWN_MAX);
	printf("\n");
	cmd_print_gap(stdout);
}

static int write_json(const struct tune *t, const struct candidate *const *front, uint32_t count)
{
	static const char *const goals[] = {"boosted_p99", "bystanders_p99", "bystanders_work",
					    "decisions"};
	struct sim_json j = {.file = fopen(t->json, "w")};
	uint32_t i, n;

	if (!j.file) {
		fprintf(stderr, "%s: %s\n", t->json, strerror(errno));
		return -1;
	}
	sim_json_open(&j, NULL, '{');
	sim_json_u64(&j, "configs", t->count);
	sim_json_u64(&j, "seed", t->seed);
	sim_json_open(&j, "front", '[');
	for (i = 0; i < count; i++) {
		sim_json_open(&j, NULL, '{');
		for (n = 0; n < GOALS; n++)
			sim_json_double(&j, goals[n], front[i]->goal[n]);
		sim_json_open(&j, "config", '{');
		for (n = 0; n < t->field_count; n++)
			if (front[i]->value[n])
				sim_json_u64(&j, t->fields[n].type->name, front[i]->value[n]);
		sim_json_close(&j, '{');
		sim_json_close(&j, '{');
	}
	sim_json_close(&j, '[');
	sim_json_close(&j, '{');
	fputc('\n', j.file);
	return fclose(j.file) ? -1 : 0;
}

static int search(struct tune *t)
{
	int terminal = !t->quiet && isatty(STDERR_FILENO);
	uint32_t batch;

	t->all = calloc(t->budget, sizeof(*t->all));
	if (!t->all)
		return -1;
	sim_rng_seed(&t->rng, t->seed, STREAM);
	while (t->count < t->budget) {
		batch = t->budget - t->count < BATCH ? (uint32_t)(t->budget - t->count) : BATCH;
		if (run_batch(t, batch) < 0)
			return -1;
		if (terminal)
			fprintf(stderr, "\r%u of %" PRIu64 " configs ", t->count, t->budget);
	}
	if (terminal)
		fprintf(stderr, "\r\033[K");
	return 0;
}

static int tune(struct tune *t)
{
	const struct candidate **front = NULL;
	int result = CMD_USAGE;
	uint32_t i, count;

	if (!t->budget || t->budget > BUDGET_MAX || add_fields(t) < 0)
		return CMD_USAGE;
	t->scenarios = calloc(t->files.count, sizeof(*t->scenarios));
	for (i = 0; t->scenarios && i < t->files.count; i++) {
		t->scenarios[i] = cmd_load(t->files.items[i], &t->sets);
		if (!t->scenarios[i])
			break;
	}
	if (t->scenarios && i == t->files.count && search(t) == 0) {
		front = calloc(t->count, sizeof(*front));
		count = front ? sorted_front(t, front) : 0;
		print_front(t, front, count);
		result = t->json && write_json(t, front, count) < 0 ? CMD_USAGE : CMD_GREEN;
	}
	for (i = 0; t->scenarios && i < t->files.count; i++)
		sim_scenario_free(t->scenarios[i]);
	for (i = 0; t->all && i < t->budget; i++)
		free(t->all[i].raw);
	free(t->scenarios);
	free(t->all);
	free(front);
	return result;
}

int cmd_tune(int argc, char **argv)
{
	struct tune t = {.budget = BUDGET_DEFAULT, .seed = 1};
	const struct cmd_option options[] = {
		{"field", CMD_LIST, &t.ranges, "NAME=LOW..HIGH", "a field to turn; many times "
		 "[eight usual ones]"},
		{"budget", CMD_NUMBER, &t.budget, "N", "so many configs [64]"},
		{"seed", CMD_NUMBER, &t.seed, "N", "of the search [1]"},
		{"jobs", CMD_NUMBER, &t.jobs, "N", "so many runs at once [number of CPUs]"},
		{"set", CMD_LIST, &t.sets, "PATH=VALUE", "as if the files said so; many times"},
		{"json", CMD_TEXT, &t.json, "FILE", "writes the front"},
		{"quiet", CMD_FLAG, &t.quiet, NULL, "no progress"},
		{.name = NULL},
	};
	const struct cmd cmd = {
		.name = "tune",
		.args = "FILE... [options]",
		.what = "Searches libpvsched's config for a set of scenarios (their subjects) and "
			"prints the\nPareto front of: p99 of those that ask for more, p99 of the "
			"bystanders' waits and\nlatencies, the work that they got done, and "
			"decisions a second. 0.5x is half of what\nit is with the config as it is.",
		.options = options,
		.files_min = 1,
	};
	int parsed = cmd_parse(&cmd, argc, argv, &t.files), result;

	result = parsed > 0 ? CMD_GREEN : CMD_USAGE;
	if (!parsed)
		result = tune(&t);
	free(t.files.items);
	free(t.sets.items);
	free(t.ranges.items);
	return result;
}
