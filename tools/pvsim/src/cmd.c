// SPDX-License-Identifier: BSD-2-Clause
/* cmd.c - what the commands share: options, runs, progress. */
#define _POSIX_C_SOURCE 200809L

#include "cmd.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "expr.h"
#include "report_json.h"
#include "tree.h"
#include "units.h"

#define OPTIONS_MAX 32u
#define PROGRESS_STEPS 200u /* looks at the clock in a run */

/* ---- options ----------------------------------------------------------------------------------*/

static void print_help(const struct cmd *cmd)
{
	const struct cmd_option *o;
	char left[64];

	printf("usage: pvsim %s %s\n\n%s\n\n", cmd->name, cmd->args, cmd->what);
	for (o = cmd->options; o->name; o++) {
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		printf("  %-24s %s\n", left, o->help);
	}
	printf("  %-24s %s\n", "--help", "this text");
	if (cmd->notes)
		printf("\n%s\n", cmd->notes);
}

static const struct cmd_option *find_option(const struct cmd *cmd, const char *name, size_t length)
{
	const struct cmd_option *o;

	for (o = cmd->options; o->name; o++)
		if (strlen(o->name) == length && !strncmp(o->name, name, length))
			return o;
	return NULL;
}

static int unknown_option(const struct cmd *cmd, const char *arg)
{
	const char *names[OPTIONS_MAX], *near;
	const struct cmd_option *o;
	size_t count = 0;

	for (o = cmd->options; o->name && count < OPTIONS_MAX; o++)
		names[count++] = o->name;
	near = sim_nearest(arg + 2, names, count);
	fprintf(stderr, "pvsim %s: there is no option %s%s%s%s\n", cmd->name, arg,
		near ? ", expected --" : "; see pvsim ", near ? near : cmd->name,
		near ? "?" : " --help");
	return -1;
}

static int add_item(struct cmd_list *list, char *item)
{
	char **items = realloc(list->items, (list->count + 1) * sizeof(*items));

	if (!items)
		return -1;
	list->items = items;
	items[list->count++] = item;
	return 0;
}

static int set_option(const struct cmd *cmd, const struct cmd_option *o, char *value)
{
	uint64_t n;

	switch (o->kind) {
	case CMD_FLAG:
		*(int *)o->at = 1;
		return 0;
	case CMD_TEXT:
		*(const char **)o->at = value;
		return 0;
	case CMD_LIST:
		return add_item(o->at, value);
	case CMD_NUMBER:
		if (!sim_read_number(value, &n)) {
			fprintf(stderr, "pvsim %s: --%s %s, expected a whole number\n", cmd->name,
				o->name, value);
			return -1;
		}
		*(uint64_t *)o->at = n;
		return 0;
	}
	return -1;
}

/* One argument that begins with --; *i is moved on when its value is the next one. */
static int parse_option(const struct cmd *cmd, int argc, char **argv, int *i)
{
	char *arg = argv[*i], *value = strchr(arg, '=');
	size_t length = value ? (size_t)(value - arg) - 2 : strlen(arg) - 2;
	const struct cmd_option *o = find_option(cmd, arg + 2, length);

	if (!o)
		return unknown_option(cmd, arg);
	if (o->kind == CMD_FLAG) {
		if (value) {
			fprintf(stderr, "pvsim %s: --%s has no value\n", cmd->name, o->name);
			return -1;
		}
		return set_option(cmd, o, NULL);
	}
	if (value) {
		value++;
	} else if (*i + 1 < argc) {
		value = argv[++*i];
	} else {
		fprintf(stderr, "pvsim %s: --%s without a value, expected %s\n", cmd->name,
			o->name, o->arg);
		return -1;
	}
	return set_option(cmd, o, value);
}

int cmd_parse(const struct cmd *cmd, int argc, char **argv, struct cmd_list *files)
{
	int i, only_files = 0;

	memset(files, 0, sizeof(*files));
	for (i = 1; i < argc; i++) {
		if (only_files || argv[i][0] != '-' || !argv[i][1]) {
			if (add_item(files, argv[i]) < 0)
				return -1;
		} else if (!strcmp(argv[i], "--")) {
			only_files = 1;
		} else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			print_help(cmd);
			return 1;
		} else if (argv[i][1] != '-') {
			fprintf(stderr, "pvsim %s: there is no option %s; see pvsim %s --help\n",
				cmd->name, argv[i], cmd->name);
			return -1;
		} else if (parse_option(cmd, argc, argv, &i) < 0) {
			return -1;
		}
	}
	if (files->count < cmd->files_min) {
		fprintf(stderr, "pvsim %s: no file, expected: pvsim %s %s\n", cmd->name, cmd->name,
			cmd->args);
		return -1;
	}
	return 0;
}

/* Puts one argument behind what is there; one that does not fit is left out. */
static void add_word(char *text, size_t size, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./,:=+%@";
	size_t used = strlen(text);
	int quote = word[strspn(word, plain)] != 0 && !strchr(word, '\'');

	if (used + strlen(word) + 4 < size)
		snprintf(text + used, size - used, quote ? " '%s'" : " %s", word);
}

void cmd_line(char *text, size_t size, int argc, char **argv)
{
	int i;

	snprintf(text, size, "pvsim");
	for (i = 0; i < argc; i++)
		add_word(text, size, argv[i]);
}

/* ---- runs -------------------------------------------------------------------------------------*/

struct sim_scenario *cmd_load(const char *path, const struct cmd_list *sets)
{
	char *errors = NULL;
	struct sim_scenario *s;

	s = sim_scenario_read(path, sets ? sets->items : NULL, sets ? sets->count : 0, &errors);
	if (!s)
		fputs(errors ? errors : "no memory\n", stderr);
	free(errors);
	return s;
}

const struct sim_run_spec *cmd_find_run(const struct sim_scenario *s, const char *name)
{
	uint32_t i;

	for (i = 0; i < s->run_count; i++)
		if (!strcmp(s->runs[i].name, name))
			return &s->runs[i];
	return NULL;
}

/* The run with what takes its place. */
static int merge_run(struct cmd_made *made, const struct sim_run_spec *run,
		     const struct sim_run_spec *instead)
{
	uint32_t params = run->param_count + (instead ? instead->param_count : 0), n = 0, i;

	made->run = *run;
	made->params = calloc(params + 1, sizeof(*made->params));
	if (!made->params)
		return -1;
	for (i = 0; instead && i < instead->param_count; i++)
		made->params[n++] = instead->params[i];
	for (i = 0; i < run->param_count; i++)
		made->params[n++] = run->params[i];
	made->run.params = made->params;
	made->run.param_count = n;
	if (instead) {
		memcpy(made->run.policy, instead->policy, sizeof(made->run.policy));
		made->run.defects = instead->defects;
	}
	return 0;
}

/* What a run sets is put into the file before it is read. 0, or -1 and a message. */
static int read_anew(struct cmd_made *made, const struct sim_scenario *s,
		     const struct cmd_list *sets, const struct sim_run_spec *run,
		     const struct sim_run_spec *instead, char *error, size_t error_size)
{
	uint32_t count = run->set_count + (instead ? instead->set_count : 0), n = 0, i;
	char *errors = NULL;

	if (!count)
		return 0;
	made->sets = calloc(count + (sets ? sets->count : 0), sizeof(*made->sets));
	if (!made->sets)
		return -1;
	for (i = 0; i < run->set_count; i++)
		made->sets[n++] = run->sets[i];
	for (i = 0; instead && i < instead->set_count; i++)
		made->sets[n++] = instead->sets[i];
	for (i = 0; sets && i < sets->count; i++)
		made->sets[n++] = sets->items[i];
	made->own = sim_scenario_read(s->path, made->sets, n, &errors);
	if (!made->own)
		snprintf(error, error_size, "%s", errors ? errors : "no memory");
	free(errors);
	return made->own ? 0 : -1;
}

int cmd_make(struct cmd_made *made, const struct sim_scenario *s, const struct cmd_list *sets,
	     const struct sim_run_spec *run, const struct sim_run_spec *instead,
	     const struct sim_options *options, char *error, size_t error_size)
{
	struct sim_options o = *options;

	memset(made, 0, sizeof(*made));
	if (merge_run(made, run, instead) < 0 ||
	    read_anew(made, s, sets, run, instead, error, error_size) < 0) {
		cmd_unmake(made);
		return -1;
	}
	o.run = &made->run;
	made->sim = sim_new(made->own ? made->own : s, &o, error, error_size);
	if (!made->sim) {
		cmd_unmake(made);
		return -1;
	}
	return 0;
}

void cmd_unmake(struct cmd_made *made)
{
	if (made->sim)
		sim_free(made->sim);
	sim_scenario_free(made->own);
	free(made->params);
	free(made->sets);
	memset(made, 0, sizeof(*made));
}

/* ---- progress ---------------------------------------------------------------------------------*/

static void show_progress(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct cmd_progress *p = ctx;

	fprintf(stderr, "\r%s: %3u %% of %.1f s ", p->what,
		(uint32_t)(until_ns ? now_ns / (until_ns / 100 + 1) : 100), (double)until_ns / 1e9);
	p->shown = 1;
}

void cmd_progress(struct sim_options *options, struct cmd_progress *p, const char *what, int quiet)
{
	memset(p, 0, sizeof(*p));
	if (quiet || !isatty(STDERR_FILENO))
		return;
	snprintf(p->what, sizeof(p->what), "%s", what);
	options->progress = show_progress;
	options->progress_ctx = p;
	options->progress_ns = SIM_S / PROGRESS_STEPS * 10;
}

void cmd_progress_end(struct cmd_progress *p)
{
	if (p->shown)
		fprintf(stderr, "\r\033[K");
	p->shown = 0;
}

/* ---- verdicts ---------------------------------------------------------------------------------*/

#define RUNS_MAX 64u

static uint32_t environment(struct sim_expr_run *runs, uint32_t count, const char *const *names,
			    const struct sim_result *const *results)
{
	uint32_t i;

	for (i = 0; i < count && i < RUNS_MAX; i++) {
		runs[i].name = names[i];
		runs[i].result = results[i];
	}
	return i;
}

int cmd_assert(const struct sim_scenario *s, uint32_t run_count, const char *const *names,
	       const struct sim_result *const *results, struct sim_report_assert *asserts,
	       uint32_t *falsified)
{
	struct sim_expr_run runs[RUNS_MAX];
	struct sim_expr_env env = {.runs = runs};
	struct sim_expr_value value;
	int all = 1;
	uint32_t i;

	env.run_count = environment(runs, run_count, names, results);
	*falsified = 0;
	for (i = 0; i < s->assert_count; i++) {
		struct sim_report_assert *a = &asserts[i];

		memset(a, 0, sizeof(*a));
		a->text = s->asserts[i].text;
		a->line = s->asserts[i].line;
		if (sim_expr(a->text, &env, &value, a->error, sizeof(a->error)) < 0) {
			all = 0;
			continue;
		}
		a->holds = value.value != 0;
		a->left = value.left;
		a->right = value.right;
		memcpy(a->relation, value.relation, sizeof(a->relation));
		a->time = value.time;
		a->energy = value.energy;
		all = all && a->holds;
		*falsified += !a->holds;
	}
	return all;
}

void cmd_figures(const struct sim_scenario *s, uint32_t run_count, const char *const *names,
		 const struct sim_result *const *results, struct sim_report_figure *figures)
{
	struct sim_expr_run runs[RUNS_MAX];
	struct sim_expr_env env = {.runs = runs};
	struct sim_expr_value value;
	uint32_t i;

	env.run_count = environment(runs, run_count, names, results);
	for (i = 0; i < s->figure_count; i++) {
		struct sim_report_figure *f = &figures[i];

		memset(f, 0, sizeof(*f));
		f->name = s->figures[i].name;
		f->text = s->figures[i].text;
		f->value = NAN;
		if (sim_expr(f->text, &env, &value, f->error, sizeof(f->error)) == 0)
			f->value = value.value;
	}
}

/* ---- results between processes, and for others ------------------------------------------------*/

int cmd_result_write(const struct sim_result *r, FILE *file)
{
	uint32_t i;

	if (fwrite(r, sizeof(*r), 1, file) != 1)
		return -1;
	for (i = 0; i < r->count; i++) {
		if (fwrite(&r->rows[i], sizeof(r->rows[i]), 1, file) != 1)
			return -1;
		if (r->rows[i].hist &&
		    fwrite(r->rows[i].hist, sizeof(*r->rows[i].hist), 1, file) != 1)
			return -1;
	}
	return 0;
}

int cmd_result_read(struct sim_result *r, FILE *file)
{
	uint32_t i, count;

	if (fread(r, sizeof(*r), 1, file) != 1) {
		sim_result_init(r);
		return -1;
	}
	count = r->count;
	r->count = 0;
	r->room = count;
	r->rows = calloc(count ? count : 1, sizeof(*r->rows));
	for (i = 0; r->rows && i < count; i++) {
		struct sim_row *row = &r->rows[i];

		if (fread(row, sizeof(*row), 1, file) != 1)
			return -1;
		if (row->hist) {
			row->hist = malloc(sizeof(*row->hist));
			if (!row->hist || fread(row->hist, sizeof(*row->hist), 1, file) != 1) {
				free(row->hist);
				row->hist = NULL;
				return -1;
			}
		}
		r->count++;
	}
	return r->rows ? 0 : -1;
}

void cmd_result_json(struct sim_json *j, const char *key, const struct sim_result *r)
{
	static const char *const units[] = {"count", "ns", "ppm", "nJ"};
	char hash[24];
	uint32_t i;

	sim_json_open(j, key, '{');
	sim_json_text(j, "policy", r->policy);
	sim_json_u64(j, "seed", r->seed);
	sim_json_u64(j, "until_ns", r->until_ns);
	sim_json_u64(j, "events", r->events);
	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)r->hash);
	sim_json_text(j, "trace_hash", hash);
	sim_json_open(j, "rows", '{');
	for (i = 0; i < r->count; i++) {
		const struct sim_row *row = &r->rows[i];

		sim_json_open(j, row->name, '{');
		sim_json_text(j, "unit", units[row->unit]);
		if (!row->hist) {
			sim_json_u64(j, "value", row->value);
		} else {
			sim_json_u64(j, "count", row->hist->count);
			sim_json_u64(j, "mean", sim_hist_mean(row->hist));
			sim_json_u64(j, "p50", sim_hist_quantile(row->hist, 500000));
			sim_json_u64(j, "p90", sim_hist_quantile(row->hist, 900000));
			sim_json_u64(j, "p99", sim_hist_quantile(row->hist, 990000));
			sim_json_u64(j, "p999", sim_hist_quantile(row->hist, 999000));
			sim_json_u64(j, "max", row->hist->max);
		}
		sim_json_close(j, '{');
	}
	sim_json_close(j, '{');
	sim_json_close(j, '{');
}

void cmd_print_gap(FILE *file)
{
	uint32_t gap = sim_calibration_gap_ppm();

	if (gap == SIM_CALIBRATION_GAP_NONE)
		fprintf(file, "The model of a fair host has not been held against real threads.\n");
	else
		fprintf(file, "Times are the model's: shares and waits of the fair host are within "
			      "%.1f %% of real threads (docs/pvsim.md).\n", gap / 1e4);
}

/* ---- who is boosted ---------------------------------------------------------------------------*/

int cmd_asks(const struct sim_task_spec *task)
{
	uint32_t i;

	if (task->urgency >= PVS_URGENCY_INTERACTIVE || task->window_us)
		return 1;
	for (i = 0; i < task->step_count; i++)
		if (task->steps[i].op == SIM_OP_URGENCY &&
		    task->steps[i].arg >> 4 >= PVS_URGENCY_INTERACTIVE)
			return 1;
	return 0;
}

int cmd_vm_asks(const struct sim_vm_spec *vm)
{
	uint32_t i;

	for (i = 0; i < vm->task_count; i++)
		if (cmd_asks(&vm->tasks[i]))
			return 1;
	return 0;
}

static void merge_row(const struct sim_result *r, const char *path, struct sim_hist *into)
{
	const struct sim_row *row = sim_result_row(r, path);

	if (row && row->hist)
		sim_hist_merge(into, row->hist);
}

static uint64_t row_value(const struct sim_result *r, const char *vm, const char *task,
			  const char *what)
{
	char path[128];
	const struct sim_row *row;

	snprintf(path, sizeof(path), "task.%s/%s.%s", vm, task, what);
	row = sim_result_row(r, path);
	return row ? row->value : 0;
}

static void add_task(const struct sim_result *r, const char *vm, const struct sim_task_spec *task,
		     struct cmd_summary *sum)
{
	uint64_t jobs = row_value(r, vm, task->name, "jobs");
	int asks = strcmp(vm, "host") && cmd_asks(task);
	char path[128];

	snprintf(path, sizeof(path), "task.%s/%s.%s", vm, task->name,
		 jobs ? "response" : "wakeup");
	merge_row(r, path, asks ? sum->boosted : sum->bystanders);
	if (asks) {
		sum->boosted_jobs += jobs;
		sum->boosted_misses += row_value(r, vm, task->name, "misses");
		sum->boosted_work_ns += row_value(r, vm, task->name, "work");
	} else {
		sum->jobs += jobs;
		sum->misses += row_value(r, vm, task->name, "misses");
		sum->work_ns += row_value(r, vm, task->name, "work");
	}
}

void cmd_summary(const struct sim_scenario *s, const struct sim_result *r,
		 struct cmd_summary *sum)
{
	const struct sim_row *steps = sim_result_row(r, "pvs.steps");
	const struct sim_row *measured = sim_result_row(r, "host.measured");
	char path[128];
	uint32_t i, n;

	memset(sum, 0, sizeof(*sum));
	sum->boosted = calloc(1, sizeof(*sum->boosted));
	sum->bystanders = calloc(1, sizeof(*sum->bystanders));
	sum->waits = calloc(1, sizeof(*sum->waits));
	if (!sum->boosted || !sum->bystanders || !sum->waits)
		abort();
	for (i = 0; i < s->host_task_count; i++) {
		add_task(r, "host", &s->host_tasks[i], sum);
		snprintf(path, sizeof(path), "task.host/%s.waits", s->host_tasks[i].name);
		merge_row(r, path, sum->waits);
	}
	for (i = 0; i < s->vm_count; i++) {
		for (n = 0; n < s->vms[i].task_count; n++)
			add_task(r, s->vms[i].name, &s->vms[i].tasks[n], sum);
		snprintf(path, sizeof(path), "vm.%s.waits", s->vms[i].name);
		if (!cmd_vm_asks(&s->vms[i]))
			merge_row(r, path, sum->waits);
	}
	if (steps && measured && measured->value)
		sum->decisions = (double)steps->value * 1e9 / (double)measured->value;
}

void cmd_summary_free(struct cmd_summary *sum)
{
	free(sum->boosted);
	free(sum->bystanders);
	free(sum->waits);
}
