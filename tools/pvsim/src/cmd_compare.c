// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_compare.c - `pvsim compare`: one scenario under several policies, side by side: for those
 * that asked for more, and for the bystanders who pay for it.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd.h"
#include "report_json.h"
#include "report_lanes.h"
#include "units.h"

#define POLICIES_MAX 16u

struct column {
	const char *name;      /* of the run or policy */
	const struct sim_run_spec *run;
	const char *policy;    /* in place of the run's, or NULL */
	char label[2 * SIM_NAME + 4]; /* the name, and the policy when it is another word */
	struct cmd_made made;
	struct cmd_summary sum;
};

struct compare {
	const char *policies, *json, *html, *perfetto;
	uint64_t seed;
	int check, quiet;
	char line[512];        /* as it was typed */
	struct cmd_list sets;
	struct sim_scenario *s;
	char *names;           /* the policies, cut into words */
	uint32_t count;
	int base;              /* the column the others are compared with */
	int wide;              /* of the longest label */
	struct column columns[POLICIES_MAX];
};

/* ---- tables -----------------------------------------------------------------------------------*/

static const struct sim_result *result_of(const struct column *c)
{
	return c->made.sim->result;
}

static const struct sim_row *row_of(const struct column *c, const char *path, const char *what)
{
	char name[160];

	snprintf(name, sizeof(name), "%s.%s", path, what);
	return sim_result_row(result_of(c), name);
}

static uint64_t value_of(const struct column *c, const char *path, const char *what)
{
	const struct sim_row *row = row_of(c, path, what);

	return row ? row->value : 0;
}

static void print_quantiles(const struct sim_hist *h)
{
	static const uint32_t ppm[] = {500000, 900000, 990000, 999000};
	char text[SIM_UNIT_TEXT];
	size_t i;

	for (i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++)
		printf(" %8s", h ? sim_short_time((double)sim_hist_quantile(h, ppm[i]), text)
				 : "-");
	printf(" %8s", h ? sim_short_time((double)h->max, text) : "-");
}

/* A table of one thing that is waited for; jobs: with how many, and how many were too late. */
static void print_latency(const struct compare *c, const char *title, const char *path,
			  const char *what, int jobs)
{
	uint32_t i;

	printf("\n  %s\n    %-*s %8s %8s %8s %8s %8s %9s%s\n", title, c->wide, "", "p50", "p90",
	       "p99", "p99.9", "worst", jobs ? "done" : "samples", jobs ? "  missed" : "");
	for (i = 0; i < c->count; i++) {
		const struct column *col = &c->columns[i];
		const struct sim_row *row = row_of(col, path, what);
		const struct sim_hist *h = row ? row->hist : NULL;

		printf("    %-*s", c->wide, col->label);
		print_quantiles(h);
		printf(" %9" PRIu64, h ? h->count : 0);
		if (jobs)
			printf(" %7" PRIu64, value_of(col, path, "misses"));
		printf("\n");
	}
}

static int any_row(const struct compare *c, const char *path, const char *what)
{
	uint32_t i;

	for (i = 0; i < c->count; i++) {
		const struct sim_row *row = row_of(&c->columns[i], path, what);

		if (row && row->hist)
			return 1;
	}
	return 0;
}

static int any_value(const struct compare *c, const char *path, const char *what)
{
	uint32_t i;

	for (i = 0; i < c->count; i++)
		if (value_of(&c->columns[i], path, what))
			return 1;
	return 0;
}

/* ", at most 10 ms", or nothing. */
static const char *deadline_words(const struct sim_task_spec *task, char words[SIM_UNIT_TEXT + 32])
{
	uint64_t deadline_ns = task->deadline_ns;
	char text[SIM_UNIT_TEXT];
	uint32_t i;

	for (i = 0; !deadline_ns && i < task->step_count; i++)
		if (task->steps[i].op == SIM_OP_PERIOD)
			deadline_ns = task->steps[i].dist.a;
	snprintf(words, SIM_UNIT_TEXT + 32, deadline_ns ? "; it has %s" : "%s",
		 deadline_ns ? sim_short_time((double)deadline_ns, text) : "");
	return words;
}

/* How soon the tasks of a VM that ask (or do not ask) get what they want. */
static void print_tasks(const struct compare *c, const struct sim_vm_spec *vm, int asks)
{
	char path[2 * SIM_NAME + 8], title[8 * SIM_NAME], words[SIM_UNIT_TEXT + 32];
	uint32_t i;

	for (i = 0; i < vm->task_count; i++) {
		const struct sim_task_spec *task = &vm->tasks[i];
		int jobs;

		if (cmd_asks(task) != asks)
			continue;
		snprintf(path, sizeof(path), "task.%s/%s", vm->name, task->name);
		jobs = any_value(c, path, "jobs");
		if (!any_row(c, path, jobs ? "response" : "wakeup"))
			continue;
		snprintf(title, sizeof(title), "%s in VM %s: %s%s", task->name, vm->name,
			 jobs ? "from the beginning of a job to its end" :
				"from when it should run to when it does",
			 jobs ? deadline_words(task, words) : "");
		print_latency(c, title, path, jobs ? "response" : "wakeup", jobs);
	}
}

static void print_waits(const struct compare *c)
{
	const struct sim_scenario *s = c->s;
	char path[SIM_NAME + 16], title[2 * SIM_NAME];
	uint32_t i;

	for (i = 0; i < s->vm_count; i++) {
		snprintf(path, sizeof(path), "vm.%s", s->vms[i].name);
		snprintf(title, sizeof(title), "VM %s: each wait of a vCPU for a CPU",
			 s->vms[i].name);
		if (!cmd_vm_asks(&s->vms[i]) && any_row(c, path, "waits"))
			print_latency(c, title, path, "waits", 0);
	}
	for (i = 0; i < s->host_task_count; i++) {
		snprintf(path, sizeof(path), "task.host/%s", s->host_tasks[i].name);
		snprintf(title, sizeof(title), "%s on the host: each wait for a CPU",
			 s->host_tasks[i].name);
		if (any_row(c, path, "waits"))
			print_latency(c, title, path, "waits", 0);
	}
}

static double per_second(const struct column *c, uint64_t value)
{
	uint64_t ns = value_of(c, "host", "measured");

	return ns ? (double)value * 1e9 / (double)ns : 0;
}

/* A share of what the baseline has. */
static double to_base(uint64_t value, uint64_t base)
{
	return base ? 100.0 * (double)value / (double)base : 100.0;
}

static int anybody_asks(const struct compare *c)
{
	uint32_t i;

	for (i = 0; i < c->count; i++)
		if (c->columns[i].sum.boosted->count)
			return 1;
	return 0;
}

static const char *p99_of(const struct sim_hist *h, char text[SIM_UNIT_TEXT])
{
	return h->count ? sim_short_time((double)sim_hist_quantile(h, 990000), text) : "-";
}

/* The answer, in a line for each: those that ask (all tasks, when nobody does), and the others. */
static void print_short(const struct compare *c)
{
	const struct cmd_summary *base = &c->columns[c->base].sum;
	char p99[SIM_UNIT_TEXT], worst[SIM_UNIT_TEXT], wait[SIM_UNIT_TEXT];
	int asked = anybody_asks(c);
	uint32_t i;

	printf("\nIN SHORT\n    %-*s  %29s  %29s\n", c->wide, "",
	       asked ? "-- those that ask for more --" : "--------- all tasks ---------",
	       "-------- the others ---------");
	printf("    %-*s  %9s %9s %9s  %9s %9s %9s\n", c->wide, "", "p99", "worst", "missed",
	       "work", "p99 wait", "unfair by");
	for (i = 0; i < c->count; i++) {
		const struct cmd_summary *sum = &c->columns[i].sum;
		const struct sim_hist *h = asked ? sum->boosted : sum->bystanders;

		printf("    %-*s  %9s %9s %9" PRIu64 "  %8.1f%% %9s %8.2f%%%s\n", c->wide,
		       c->columns[i].label, p99_of(h, p99),
		       h->count ? sim_short_time((double)h->max, worst) : "-",
		       asked ? sum->boosted_misses : sum->misses,
		       to_base(sum->work_ns, base->work_ns), p99_of(sum->waits, wait),
		       (double)value_of(&c->columns[i], "host", "fairness_error") / 1e4,
		       (int)i == c->base ? "  <- 100% of work" : "");
	}
}

/* What it costs: work done, switches, decisions, energy. */
static void print_costs(const struct compare *c)
{
	char asked[SIM_UNIT_TEXT], others[SIM_UNIT_TEXT], energy[SIM_UNIT_TEXT];
	uint32_t i;

	printf("\nWHAT IT COSTS\n    %-*s %12s %12s %9s %9s %9s\n", c->wide, "", "asked:",
	       "others:", "energy", "switches", "decisions");
	printf("    %-*s %12s %12s %9s %9s %9s\n", c->wide, "", "CPU work", "CPU work", "proxy",
	       "a second", "a second");
	for (i = 0; i < c->count; i++) {
		const struct column *col = &c->columns[i];

		/* a machine whose levels are not given has no power to speak of */
		snprintf(energy, sizeof(energy), value_of(col, "host", "energy") ? "%.0fmJ" : "-",
			 (double)value_of(col, "host", "energy") / 1e6);
		printf("    %-*s %12s %12s %9s %9.0f %9.0f\n", c->wide, col->label,
		       sim_short_time((double)col->sum.boosted_work_ns, asked),
		       sim_short_time((double)col->sum.work_ns, others), energy,
		       per_second(col, value_of(col, "host", "switches")), col->sum.decisions);
	}
}

static void print_shares(const struct compare *c)
{
	const struct sim_scenario *s = c->s;
	char path[SIM_NAME + 16];
	uint32_t i, n;

	printf("\nSHARES OF ALL CPU TIME\n    %-20s", "");
	for (n = 0; n < c->count; n++)
		printf(" %13s", c->columns[n].name);
	printf("\n");
	for (i = 0; i < s->vm_count + s->host_task_count; i++) {
		int vm = i < s->vm_count;
		const char *name = vm ? s->vms[i].name : s->host_tasks[i - s->vm_count].name;

		snprintf(path, sizeof(path), vm ? "vm.%s" : "task.host/%s", name);
		printf("    %-20s", path + (vm ? 0 : 5));
		for (n = 0; n < c->count; n++)
			printf(" %12.2f%%",
			       (double)value_of(&c->columns[n], path, "share") / 1e4);
		printf("\n");
	}
}

static void print_reasons(const struct compare *c)
{
	char path[64];
	uint32_t i, n, shown = 0;

	for (i = 0; i < PVS_REASON_COUNT; i++) {
		const struct sim_words *words = sim_reason_words(i);

		snprintf(path, sizeof(path), "pvs.reason");
		if (!any_value(c, path, words->key))
			continue;
		if (!shown++) {
			printf("\nDECISIONS OF LIBPVSCHED, BY REASON\n    %-11s %-44s", "", "");
			for (n = 0; n < c->count; n++)
				printf(" %13s", c->columns[n].name);
			printf("\n");
		}
		printf("    %-11s %-44s", words->key, words->words);
		for (n = 0; n < c->count; n++)
			printf(" %13" PRIu64, value_of(&c->columns[n], path, words->key));
		printf("\n");
	}
}

#define LINE_MAX_COLUMNS 96

/* Words, at most so many in a line, under each other. */
static void print_wrapped(const char *head, const char *text)
{
	size_t used = 4 + strlen(head), length;

	printf("    %s", head);
	while (text && *text) {
		length = strcspn(text, " \n");
		if (used + 1 + length > LINE_MAX_COLUMNS) {
			printf("\n     ");
			used = 5;
		}
		printf(" %.*s", (int)length, text);
		used += length + 1;
		text += length;
		text += strspn(text, " \n");
	}
	printf("\n");
}

static void print_all(const struct compare *c)
{
	char length[SIM_UNIT_TEXT], warmup[SIM_UNIT_TEXT];
	const struct sim_scenario *s = c->s;
	uint32_t i;

	printf("%s\n", s->name);
	print_wrapped("claim:", s->claim);
	print_wrapped("source:", s->source);
	printf("    %s of virtual time on %u CPUs, measured after %s, seed %" PRIu64 "\n",
	       sim_short_time((double)s->duration_ns, length), s->machine.cpus,
	       sim_short_time((double)s->warmup_ns, warmup), result_of(&c->columns[0])->seed);
	for (i = 0; i < c->count; i++)
		printf("    %-*s  %s\n", c->wide, c->columns[i].label,
		       c->columns[i].made.sim->policy->what);
	print_short(c);
	if (anybody_asks(c))
		printf("\nTHOSE THAT ASK FOR MORE\n");
	for (i = 0; i < s->vm_count; i++)
		print_tasks(c, &s->vms[i], 1);
	printf("\n%s\n", anybody_asks(c) ? "BYSTANDERS" : "ALL TASKS");
	for (i = 0; i < s->vm_count; i++)
		print_tasks(c, &s->vms[i], 0);
	print_waits(c);
	print_costs(c);
	print_shares(c);
	print_reasons(c);
	printf("\n");
	cmd_print_gap(stdout);
}

/* ---- files ------------------------------------------------------------------------------------*/

static int complain(const char *path, int error)
{
	fprintf(stderr, "%s: %s\n", path, strerror(error));
	return -1;
}

static int write_json(const struct compare *c)
{
	struct sim_json j = {.file = fopen(c->json, "w")};
	uint32_t i;

	if (!j.file)
		return complain(c->json, errno);
	sim_json_open(&j, NULL, '{');
	sim_json_text(&j, "scenario", c->s->name);
	sim_json_open(&j, "runs", '{');
	for (i = 0; i < c->count; i++)
		cmd_result_json(&j, c->columns[i].name, result_of(&c->columns[i]));
	sim_json_close(&j, '{');
	sim_json_close(&j, '{');
	fputc('\n', j.file);
	return fclose(j.file) ? complain(c->json, errno) : 0;
}

/* `trace.json` of several runs is `trace.fair.json` and so on. */
static void trace_path(const struct compare *c, uint32_t i, char *path, size_t size)
{
	const char *dot = strrchr(c->perfetto, '.'), *slash = strrchr(c->perfetto, '/');
	size_t stem = dot && (!slash || dot > slash) ? (size_t)(dot - c->perfetto)
						     : strlen(c->perfetto);

	if (c->count == 1)
		snprintf(path, size, "%s", c->perfetto);
	else
		snprintf(path, size, "%.*s.%s%s", (int)stem, c->perfetto, c->columns[i].name,
			 c->perfetto + stem);
}

/* Several traces need names of their own beside the one given: not in /dev. 0, or -1. */
static int check_perfetto(const struct compare *c)
{
	struct stat st;

	if (!c->perfetto || c->count == 1 || stat(c->perfetto, &st) < 0 || S_ISREG(st.st_mode))
		return 0;
	fprintf(stderr, "pvsim compare: --perfetto %s is no file, expected one: a trace of each "
			"run is written beside it\n", c->perfetto);
	return -1;
}

static int write_html(const struct compare *c)
{
	struct sim_report_assert *asserts = calloc(c->s->assert_count + 1, sizeof(*asserts));
	struct sim_report_figure *figures = calloc(c->s->figure_count + 1, sizeof(*figures));
	const struct sim_result *results[POLICIES_MAX];
	const char *names[POLICIES_MAX];
	struct sim *runs[POLICIES_MAX];
	struct sim_report report = {.scenario = c->s, .run_count = c->count, .runs = runs,
				    .names = names, .command = c->line};
	uint32_t i, falsified;
	int error;

	if (!asserts || !figures)
		abort();
	for (i = 0; i < c->count; i++) {
		runs[i] = c->columns[i].made.sim;
		results[i] = result_of(&c->columns[i]);
		names[i] = c->columns[i].name;
	}
	if (!c->policies) { /* all runs of the scenario: its verdict can be told */
		cmd_assert(c->s, c->count, names, results, asserts, &falsified);
		cmd_figures(c->s, c->count, names, results, figures);
		report.assert_count = c->s->assert_count;
		report.asserts = asserts;
		report.figure_count = c->s->figure_count;
		report.figures = figures;
	}
	error = sim_report_html(c->html, &report);
	free(asserts);
	free(figures);
	return error < 0 ? complain(c->html, -error) : 0;
}

static int write_files(const struct compare *c)
{
	char path[1024];
	int failed = 0, error;
	uint32_t i;

	if (c->json)
		failed |= write_json(c);
	if (c->html)
		failed |= write_html(c);
	for (i = 0; c->perfetto && i < c->count; i++) {
		trace_path(c, i, path, sizeof(path));
		error = sim_report_perfetto(path, c->columns[i].made.sim);
		if (error < 0)
			failed |= complain(path, -error);
	}
	return failed;
}

/* ---- runs -------------------------------------------------------------------------------------*/

static int add_column(struct compare *c, const char *name)
{
	struct column *col = &c->columns[c->count];
	uint32_t i;

	if (c->count == POLICIES_MAX) {
		fprintf(stderr, "pvsim compare: more than %u policies\n", POLICIES_MAX);
		return -1;
	}
	col->name = name;
	col->run = cmd_find_run(c->s, name);
	if (!col->run && !sim_policy_find(name)) {
		fprintf(stderr, "pvsim compare: there is no run and no policy `%s`; see pvsim "
				"models\n", name);
		return -1;
	}
	/* a run of the scenario with this policy has the parameters that it needs */
	for (i = 0; !col->run && i < c->s->run_count; i++)
		if (!strcmp(c->s->runs[i].policy, name) && !c->s->runs[i].defects)
			col->run = &c->s->runs[i];
	if (!col->run) {
		col->run = &c->s->runs[0];
		col->policy = name;
	}
	c->count++;
	return 0;
}

static int choose_columns(struct compare *c)
{
	char *word, *rest;
	uint32_t i;

	for (i = 0; !c->policies && i < c->s->run_count; i++)
		if (add_column(c, c->s->runs[i].name) < 0)
			return -1;
	if (!c->policies)
		return 0;
	c->names = strdup(c->policies);
	for (word = c->names ? strtok_r(c->names, ",", &rest) : NULL; word;
	     word = strtok_r(NULL, ",", &rest))
		if (add_column(c, word) < 0)
			return -1;
	if (c->count)
		return 0;
	fprintf(stderr, "pvsim compare: `--policy %s` names nothing, expected policies or runs "
			"such as fair,pvs-owning\n", c->policies);
	return -1;
}

static const char *policy_of(const struct column *col)
{
	return col->policy ? col->policy : col->run->policy;
}

/* Which column is the baseline; of the runs of a file it comes first. */
static void choose_base(struct compare *c)
{
	const struct sim_policy *policies[POLICIES_MAX];
	const char *names[POLICIES_MAX];
	struct column *col, first;
	uint32_t i;

	for (i = 0; i < c->count; i++) {
		names[i] = c->columns[i].name;
		policies[i] = sim_policy_find(policy_of(&c->columns[i]));
	}
	c->base = sim_report_base(c->s, c->count, names, policies);
	if (c->base < 0)
		c->base = 0;
	first = c->columns[c->base];
	if (!c->policies) {
		memmove(&c->columns[1], &c->columns[0], (size_t)c->base * sizeof(first));
		c->columns[0] = first;
		c->base = 0;
	}
	for (i = 0; i < c->count; i++) {
		col = &c->columns[i];
		snprintf(col->label, sizeof(col->label),
			 strcmp(col->name, policy_of(col)) ? "%s (%s)" : "%s", col->name,
			 policy_of(col));
		if (c->wide < (int)strlen(col->label))
			c->wide = (int)strlen(col->label);
	}
}

/* The window of the pictures: the worst moment of the baseline, or of the first. */
static int choose_window(struct compare *c, struct sim_options *options)
{
	const struct column *col = &c->columns[c->base];
	struct sim_options o = *options;
	char error[512] = "";

	o.run = col->run;
	o.policy = col->policy;
	if (sim_report_window(c->s, &o, error, sizeof(error)) < 0) {
		fprintf(stderr, "pvsim compare: %s\n", error);
		return -1;
	}
	options->keep = o.keep;
	options->keep_from_ns = o.keep_from_ns;
	options->keep_until_ns = o.keep_until_ns;
	return 0;
}

static int run_columns(struct compare *c)
{
	struct sim_options options = {.seed = c->seed, .checking = c->check};
	struct cmd_progress progress;
	char error[512] = "no memory";
	int result = CMD_GREEN;
	uint32_t i;

	if ((c->html || c->perfetto) && choose_window(c, &options) < 0)
		return CMD_USAGE;
	for (i = 0; i < c->count; i++) {
		struct column *col = &c->columns[i];
		struct sim_options o = options;

		o.policy = col->policy;
		if (cmd_make(&col->made, c->s, &c->sets, col->run, NULL, &o, error,
			     sizeof(error)) < 0) {
			fprintf(stderr, "pvsim compare: %s: %s\n", col->name, error);
			return CMD_USAGE;
		}
		cmd_progress(&o, &progress, col->name, c->quiet);
		if (sim_run(col->made.sim, &o) < 0) {
			cmd_progress_end(&progress);
			printf("%s: INVARIANT BROKEN: %s\n", col->name, col->made.sim->failure);
			result = CMD_RED;
		}
		cmd_progress_end(&progress);
		cmd_summary(c->s, result_of(col), &col->sum);
	}
	return result;
}

static int compare(struct compare *c, const char *path)
{
	int result = CMD_USAGE;
	uint32_t i;

	c->s = cmd_load(path, &c->sets);
	if (c->s && choose_columns(c) == 0 && check_perfetto(c) == 0) {
		choose_base(c);
		result = run_columns(c);
	}
	if (result != CMD_USAGE) {
		if (!c->quiet)
			print_all(c);
		if (write_files(c) < 0)
			result = CMD_USAGE;
	}
	for (i = 0; i < c->count; i++) {
		cmd_summary_free(&c->columns[i].sum);
		cmd_unmake(&c->columns[i].made);
	}
	sim_scenario_free(c->s);
	free(c->names);
	return result;
}

int cmd_compare(int argc, char **argv)
{
	struct compare c = {0};
	const struct cmd_option options[] = {
		{"policy", CMD_TEXT, &c.policies, "A,B,C", "policies or runs [all of the file]"},
		{"seed", CMD_NUMBER, &c.seed, "N", "in place of the scenario's"},
		{"set", CMD_LIST, &c.sets, "PATH=VALUE", "as if the file said so; many times"},
		{"check", CMD_FLAG, &c.check, NULL, "derives all invariants after each event"},
		{"json", CMD_TEXT, &c.json, "FILE", "writes all rows of all runs"},
		{"html", CMD_TEXT, &c.html, "FILE", "writes a page with timelines and curves"},
		{"perfetto", CMD_TEXT, &c.perfetto, "FILE", "a trace; of several, x.RUN.json"},
		{"quiet", CMD_FLAG, &c.quiet, NULL, "no table, no progress"},
		{.name = NULL},
	};
	const struct cmd cmd = {
		.name = "compare",
		.args = "FILE [--policy A,B,C] [options]",
		.what = "Runs one scenario under several policies and prints, side by side, how "
			"long those\nwaited that asked for more and how long the bystanders, what "
			"all of them got\ndone, fairness, an energy proxy, and the decisions by "
			"reason.",
		.options = options,
		.files_min = 1,
	};
	struct cmd_list files;
	int parsed = cmd_parse(&cmd, argc, argv, &files), result;

	cmd_line(c.line, sizeof(c.line), argc, argv);
	result = parsed > 0 ? CMD_GREEN : CMD_USAGE;
	if (!parsed)
		result = compare(&c, files.items[0]);
	free(files.items);
	free(c.sets.items);
	return result;
}
