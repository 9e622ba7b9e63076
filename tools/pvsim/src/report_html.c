/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_html.c - a page that explains runs: the template of tools/pvsim/report with the data in it
 * as JSON. docs/pvsim.md says how to read the page; tools/pvsim/report/template.js reads the data.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "report_json.h"
#include "report_lanes.h"
#include "report_page.h"

/* The page stays below 3 MB: a span is about 30 bytes of it, a mark 25, a point of a curve 14. */
#define SPANS_MAX 40000u  /* of all runs together */
#define MARKS_MAX 12000u
#define HISTS_MAX 240u
#define ROWS_MAX 600u     /* of one run */
#define THREADS_MAX 4096u
#define POINTS_STEP 0.02  /* of a curve: in powers of ten of the share that is slower */

#define RUNS_MAX 64u

/* Runs in the order in which they are shown. */
struct order {
	uint32_t at[RUNS_MAX];
	uint32_t count;
	int base, subject; /* places in `at`; -1: there is none */
};

/* ---- which run is what ------------------------------------------------------------------------*/

static int hears(const struct sim *sim)
{
	return sim->policy->role && sim->policy->role->speaks &&
	       strcmp(sim->policy->role->name, "budgets");
}

static int named(const struct sim_report *r, uint32_t i, const char *name)
{
	return r->names && r->names[i] && !strcmp(r->names[i], name);
}

static int has_liars(const struct sim_scenario *s)
{
	uint32_t i;

	for (i = 0; i < s->vm_count; i++)
		if (s->vms[i].liar > SIM_SILENT)
			return 1;
	return 0;
}

int sim_report_base(const struct sim_scenario *scenario, uint32_t count, const char *const *names,
		    const struct sim_policy *const *policies)
{
	const struct sim_policy *p;
	uint32_t i;

	for (i = 0; i < count; i++)
		if (names && names[i] && !strcmp(names[i], "base"))
			return (int)i;
	for (i = 0; i < count; i++) {
		p = policies[i];
		if (p && p->role && !p->role->speaks && !(p->flags & SIM_POLICY_STATIC_RT))
			return (int)i;
	}
	return count > 1 && !has_liars(scenario) ? (int)count - 1 : -1;
}

static int find_base(const struct sim_report *r)
{
	const struct sim_policy *policies[RUNS_MAX] = { NULL };
	uint32_t i, count = r->run_count < RUNS_MAX ? r->run_count : RUNS_MAX;

	for (i = 0; i < count; i++)
		policies[i] = r->runs[i]->policy;
	return sim_report_base(r->scenario, count, r->names, policies);
}

/* What the report is about: `with`, or the last one in which the library is at work. */
static int find_subject(const struct sim_report *r, int base)
{
	uint32_t i;

	for (i = 0; i < r->run_count; i++)
		if (named(r, i, "with"))
			return (int)i;
	for (i = r->run_count; i-- > 0;)
		if ((int)i != base && hears(r->runs[i]))
			return (int)i;
	for (i = r->run_count; i-- > 0;)
		if ((int)i != base)
			return (int)i;
	return base;
}

static void put_in_order(const struct sim_report *r, struct order *o)
{
	int base = find_base(r), subject = find_subject(r, base);
	uint32_t i;

	o->count = 0;
	o->base = -1;
	o->subject = -1;
	if (base == subject)
		base = -1;
	if (base >= 0) {
		o->base = (int)o->count;
		o->at[o->count++] = (uint32_t)base;
	}
	if (subject >= 0) {
		o->subject = (int)o->count;
		o->at[o->count++] = (uint32_t)subject;
	}
	for (i = 0; i < r->run_count && o->count < RUNS_MAX; i++)
		if ((int)i != base && (int)i != subject)
			o->at[o->count++] = i;
}

/* ---- rows -------------------------------------------------------------------------------------*/

/* After `task.VM/NAME.` or `vm.NAME.` comes one word: else it is one of several of that name. */
static int rest_is_word(const char *row, const char *prefix)
{
	size_t length = strlen(prefix);

	return !strncmp(row, prefix, length) && row[length] && !strchr(row + length, '.');
}

static int row_of_tasks(const char *row, const char *vm, const struct sim_task_spec *tasks,
			uint32_t count)
{
	char prefix[2 * SIM_NAME + 16];
	uint32_t i;

	for (i = 0; i < count; i++) {
		snprintf(prefix, sizeof(prefix), "task.%s/%s.", vm, tasks[i].name);
		if (rest_is_word(row, prefix))
			return 1;
	}
	return 0;
}

/* Of what there are several of, their sum is shown, not each. */
static int row_is_shown(const struct sim_scenario *s, const char *row)
{
	char prefix[SIM_NAME + 8];
	uint32_t i;

	if (strncmp(row, "task.", 5) && strncmp(row, "vm.", 3))
		return strncmp(row, "pvs.", 4) || rest_is_word(row, "pvs.") ||
		       rest_is_word(row, "pvs.reason.");
	if (row_of_tasks(row, "host", s->host_tasks, s->host_task_count))
		return 1;
	for (i = 0; i < s->vm_count; i++) {
		snprintf(prefix, sizeof(prefix), "vm.%s.", s->vms[i].name);
		if (rest_is_word(row, prefix) ||
		    row_of_tasks(row, s->vms[i].name, s->vms[i].tasks, s->vms[i].task_count))
			return 1;
	}
	return 0;
}

/* How far out in the tail: -log10 of the share that is larger. */
static double nines(uint64_t below, uint64_t count)
{
	return below < count ? -log10(1.0 - (double)below / (double)count) : 99.0;
}

static void write_curve(struct sim_json *j, const struct sim_hist *h)
{
	uint64_t below = 0, value;
	double last = -1.0, now;
	uint32_t i;

	sim_json_open(j, "curve", '[');
	for (i = 0; i < SIM_HIST_BUCKETS && below < h->count; i++) {
		if (!h->bucket[i])
			continue;
		below += h->bucket[i];
		now = nines(below, h->count);
		if (now < last + POINTS_STEP)
			continue;
		last = now;
		value = i + 1 < SIM_HIST_BUCKETS ? sim_hist_lower(i + 1) - 1 : h->max;
		sim_json_u64(j, NULL, value < h->max ? value : h->max);
		sim_json_u64(j, NULL, below);
	}
	sim_json_close(j, '[');
}

static void write_hist(struct sim_json *j, const char *name, const struct sim_hist *h)
{
	sim_json_open(j, name, '{');
	sim_json_u64(j, "count", h->count);
	sim_json_u64(j, "mean", sim_hist_mean(h));
	sim_json_u64(j, "min", h->count ? h->min : 0);
	sim_json_u64(j, "p50", sim_hist_quantile(h, 500000));
	sim_json_u64(j, "p90", sim_hist_quantile(h, 900000));
	sim_json_u64(j, "p99", sim_hist_quantile(h, 990000));
	sim_json_u64(j, "p999", sim_hist_quantile(h, 999000));
	sim_json_u64(j, "max", h->max);
	write_curve(j, h);
	sim_json_close(j, '{');
}

static void write_rows(struct sim_json *j, const struct sim_scenario *s,
		       const struct sim_result *result)
{
	uint32_t i, rows = 0, hists = 0;

	sim_json_open(j, "rows", '{');
	for (i = 0; result && i < result->count && rows < ROWS_MAX; i++) {
		if (result->rows[i].hist || !row_is_shown(s, result->rows[i].name))
			continue;
		sim_json_open(j, result->rows[i].name, '[');
		sim_json_u64(j, NULL, result->rows[i].value);
		sim_json_u64(j, NULL, result->rows[i].unit);
		sim_json_close(j, '[');
		rows++;
	}
	sim_json_close(j, '{');
	sim_json_open(j, "hists", '{');
	for (i = 0; result && i < result->count && hists < HISTS_MAX; i++) {
		if (!result->rows[i].hist || !result->rows[i].hist->count ||
		    !row_is_shown(s, result->rows[i].name))
			continue;
		write_hist(j, result->rows[i].name, result->rows[i].hist);
		hists++;
	}
	sim_json_close(j, '{');
}

/* ---- the window -------------------------------------------------------------------------------*/

struct window {
	struct sim_focus focus;
	uint64_t from_ns, until_ns;
	uint32_t vm;           /* of the task in focus; UINT32_MAX: none */
	uint32_t spans_max, marks_max;
};

static uint32_t vm_of(const struct sim *sim, uint32_t thread)
{
	if (thread >= sim->thread_count || !sim->threads[thread]->vcpu)
		return UINT32_MAX;
	return sim->threads[thread]->vcpu->vm->id;
}

/* Where to look: at the worst moment of the baseline, in what has been kept. */
static void find_window(const struct sim_report *r, const struct order *o, struct window *w)
{
	uint64_t kept_from, kept_until;
	const struct sim *sim;

	*w = (struct window){ .vm = UINT32_MAX };
	if (!o->count)
		return;
	sim = r->runs[o->at[0]];
	sim_focus_look(&w->focus, sim);
	sim_focus_window(&w->focus, sim, &w->from_ns, &w->until_ns);
	kept_from = sim->trace.from_ns;
	kept_until = sim->trace.until_ns < sim->now_ns ? sim->trace.until_ns : sim->now_ns;
	if (w->from_ns < kept_from)
		w->from_ns = kept_from;
	if (w->until_ns > kept_until)
		w->until_ns = kept_until;
	if (w->until_ns < w->from_ns)
		w->until_ns = w->from_ns;
	w->vm = w->focus.found ? vm_of(sim, w->focus.thread) : UINT32_MAX;
	w->spans_max = SPANS_MAX / o->count;
	w->marks_max = MARKS_MAX / o->count;
}

/* A span that is left out when there are too many: a bystander who waits. */
static int is_aside(const struct sim *sim, const struct window *w, const struct sim_span *span)
{
	return span->kind == SIM_SPAN_WAITS && vm_of(sim, span->thread) != w->vm;
}

static void write_spans(struct sim_json *j, const struct sim *sim, const struct window *w,
			const struct sim_lanes *lanes)
{
	uint64_t i, put = 0, before_ns = w->from_ns;
	int aside = lanes->count <= w->spans_max;

	sim_json_open(j, "spans", '[');
	for (i = 0; i < lanes->count && put < w->spans_max; i++) {
		const struct sim_span *s = &lanes->spans[i];

		if (!aside && is_aside(sim, w, s))
			continue;
		sim_json_u64(j, NULL, s->from_ns - before_ns);
		sim_json_u64(j, NULL, s->until_ns - s->from_ns);
		sim_json_u64(j, NULL, s->thread);
		sim_json_u64(j, NULL, s->cpu);
		sim_json_u64(j, NULL, s->kind | (uint32_t)s->spins << 1 | (uint32_t)s->stop << 2);
		sim_json_u64(j, NULL, s->klass);
		sim_json_u64(j, NULL, s->reason);
		sim_json_i64(j, NULL, s->task == SIM_NO_TASK	  ? -1 :
				      s->task == SIM_TASK_UNKNOWN ? -2 : (int64_t)s->task);
		before_ns = s->from_ns;
		put++;
	}
	sim_json_close(j, '[');
	sim_json_u64(j, "left_out", lanes->count - put);
}

/* Worth a mark: 2 always, 1 when there is room, 0 never. */
static int mark_rank(const struct sim *sim, const struct window *w, const struct sim_record *r)
{
	switch (r->type) {
	case SIM_T_MISS:
	case SIM_T_FAULT:
		return 2;
	case SIM_T_LATENCY:
		return r->b == w->focus.task ? 2 : 0;
	case SIM_T_LEVEL:
		return 1;
	case SIM_T_IRQ:
	case SIM_T_KICK:
	case SIM_T_YIELD:
	case SIM_T_DENIED:
		return vm_of(sim, r->a) == w->vm ? 1 : 0;
	default:
		return 0;
	}
}

static int in_window(const struct window *w, const struct sim_record *r)
{
	return r->at_ns >= w->from_ns && r->at_ns < w->until_ns;
}

static void write_marks(struct sim_json *j, const struct sim *sim, const struct window *w)
{
	uint64_t i, counts[3] = { 0, 0, 0 }, put = 0, before_ns = w->from_ns;
	const struct sim_record *r;
	int least;

	for (i = 0; i < sim->trace.count; i++)
		if (in_window(w, &sim->trace.kept[i]))
			counts[mark_rank(sim, w, &sim->trace.kept[i])]++;
	least = counts[1] + counts[2] <= w->marks_max ? 1 : 2;
	sim_json_open(j, "marks", '[');
	for (i = 0; i < sim->trace.count && put < w->marks_max; i++) {
		r = &sim->trace.kept[i];
		if (!in_window(w, r) || mark_rank(sim, w, r) < least)
			continue;
		sim_json_u64(j, NULL, r->at_ns - before_ns);
		sim_json_u64(j, NULL, r->type);
		sim_json_u64(j, NULL, r->type == SIM_T_LEVEL ? r->cpu : r->a);
		sim_json_i64(j, NULL, r->b == SIM_NO_TASK ? -1 : (int64_t)r->b); /* or thread */
		sim_json_u64(j, NULL, r->v);
		before_ns = r->at_ns;
		put++;
	}
	sim_json_close(j, '[');
}

/* How fast each CPU is when the window begins, in 1/1024 of the most capable. */
static void write_speeds(struct sim_json *j, const struct sim *sim, const struct window *w)
{
	const struct sim_record *r;
	uint64_t i, speed;
	uint32_t c;

	sim_json_open(j, "speeds", '[');
	for (c = 0; c < sim->cpu_count; c++) {
		speed = sim->cpus[c].level_count ? sim->cpus[c].levels[sim->cpus[c].level].speed
						 : 1024;
		for (i = 0; i < sim->trace.count; i++) {
			r = &sim->trace.kept[i];
			if (r->at_ns >= w->from_ns)
				break;
			if (r->type == SIM_T_LEVEL && r->cpu == c)
				speed = r->v;
		}
		sim_json_u64(j, NULL, speed);
	}
	sim_json_close(j, '[');
}

static int write_window(struct sim_json *j, const struct sim *sim, const struct window *w)
{
	struct sim_lanes lanes;
	int error;

	if (!sim->trace.kept || w->until_ns <= w->from_ns)
		return 0;
	error = sim_lanes_make(&lanes, sim, w->from_ns, w->until_ns);
	if (error)
		return error;
	write_spans(j, sim, w, &lanes);
	write_marks(j, sim, w);
	write_speeds(j, sim, w);
	sim_json_u64(j, "shown", lanes.until_ns - w->from_ns);
	sim_lanes_free(&lanes);
	return 0;
}

static void write_threads(struct sim_json *j, const struct sim *sim)
{
	const struct sim_thread *t;
	uint32_t i;

	sim_json_open(j, "threads", '[');
	for (i = 0; i < sim->thread_count && i < THREADS_MAX; i++) {
		t = sim->threads[i];
		sim_json_open(j, NULL, '{');
		sim_json_text(j, "name", t->name);
		if (t->vcpu) {
			sim_json_text(j, "vm", t->vcpu->vm->name);
			sim_json_u64(j, "vcpu", t->vcpu->index);
			sim_json_u64(j, "vcpus", t->vcpu->vm->vcpu_count);
		}
		sim_json_close(j, '{');
	}
	sim_json_close(j, '[');
	sim_json_open(j, "tasks", '[');
	for (i = 0; i < sim->task_count && i < THREADS_MAX; i++)
		sim_json_text(j, NULL, sim->tasks[i]->name);
	sim_json_close(j, '[');
}

static void write_focus(struct sim_json *j, const struct sim *sim, const struct window *w)
{
	const struct sim_focus *f = &w->focus;
	const struct sim_task *task = NULL;

	if (f->found && f->task < sim->task_count)
		task = sim->tasks[f->task];
	sim_json_open(j, "window", '{');
	sim_json_u64(j, "from", w->from_ns);
	sim_json_u64(j, "length", w->until_ns - w->from_ns);
	sim_json_text(j, "kind", !f->found ? "plain" : task ? "job" : "spin");
	if (f->found) {
		sim_json_u64(j, "thread", f->thread);
		sim_json_i64(j, "task", task ? (int64_t)f->task : -1);
		sim_json_u64(j, "missed", f->missed ? 1 : 0);
		sim_json_u64(j, "value", f->value_ns);
		sim_json_i64(j, "due", (int64_t)(f->due_ns - w->from_ns));
		sim_json_i64(j, "over", (int64_t)(f->at_ns - w->from_ns));
	}
	write_threads(j, sim);
	sim_json_close(j, '{');
	if (!task)
		return;
	sim_json_open(j, "focus", '{');
	sim_json_text(j, "vm", task->vm ? task->vm->spec->name : "host");
	sim_json_text(j, "task", task->spec ? task->spec->name : task->name);
	sim_json_close(j, '{');
}

/* ---- runs -------------------------------------------------------------------------------------*/

static const struct {
	uint32_t bit;
	const char *name;
} defect_names[] = {
	{ SIM_DEFECT_NO_DEBOOST, "no-deboost" },   { SIM_DEFECT_FREE_BOOST, "free-boost" },
	{ SIM_DEFECT_SAMPLED, "sampled" },	   { SIM_DEFECT_NO_STORM, "no-storm" },
	{ SIM_DEFECT_NO_VM_CAP, "no-vm-cap" },	   { SIM_DEFECT_NO_RATE, "no-rate" },
	{ SIM_DEFECT_DEAF, "deaf" },		   { SIM_DEFECT_NO_RESTORE, "no-restore" },
	{ SIM_DEFECT_NO_EPOCH, "no-epoch" },	   { SIM_DEFECT_NO_YIELD, "no-yield" },
};

static void write_run(struct sim_json *j, const struct sim_report *r, uint32_t i,
		      const struct window *w, int *error)
{
	const struct sim *sim = r->runs[i];
	const struct sim_result *result = sim->result;
	char hash[24];
	size_t d;

	sim_json_open(j, NULL, '{');
	sim_json_text(j, "name", r->names && r->names[i] ? r->names[i] : sim->policy->name);
	sim_json_text(j, "policy", sim->policy->name);
	sim_json_text(j, "what", sim->policy->what);
	sim_json_text(j, "sched", sim->policy->sched ? sim->policy->sched->name : NULL);
	sim_json_text(j, "role", sim->policy->role ? sim->policy->role->name : NULL);
	sim_json_text(j, "yielder", sim->policy->yielder ? sim->policy->yielder->name : NULL);
	sim_json_u64(j, "hears", hears(sim) ? 1 : 0);
	sim_json_open(j, "defects", '[');
	for (d = 0; d < sizeof(defect_names) / sizeof(defect_names[0]); d++)
		if (sim->defects & defect_names[d].bit)
			sim_json_text(j, NULL, defect_names[d].name);
	sim_json_close(j, '[');
	snprintf(hash, sizeof(hash), "%016" PRIx64, sim->trace.hash);
	sim_json_text(j, "hash", hash);
	sim_json_u64(j, "seed", sim->seed);
	sim_json_u64(j, "events", result ? result->events : 0);
	sim_json_u64(j, "until", result ? result->until_ns : sim->now_ns);
	sim_json_text(j, "failure", sim->failure[0] ? sim->failure : NULL);
	write_rows(j, r->scenario, result);
	if (!*error)
		*error = write_window(j, sim, w);
	sim_json_close(j, '{');
}

/* ---- the scenario -----------------------------------------------------------------------------*/

static uint64_t period_of(const struct sim_task_spec *t)
{
	uint32_t i;

	for (i = 0; i < t->step_count; i++)
		if (t->steps[i].op == SIM_OP_PERIOD)
			return t->steps[i].dist.a;
	return 0;
}

static void write_tasks(struct sim_json *j, const char *key, const struct sim_task_spec *tasks,
			uint32_t count)
{
	uint32_t i;

	sim_json_open(j, key, '[');
	for (i = 0; i < count; i++) {
		sim_json_open(j, NULL, '{');
		sim_json_text(j, "name", tasks[i].name);
		sim_json_u64(j, "count", tasks[i].count ? tasks[i].count : 1);
		sim_json_u64(j, "urgency", tasks[i].urgency);
		sim_json_u64(j, "period", period_of(&tasks[i]));
		sim_json_u64(j, "deadline",
			     tasks[i].deadline_ns ? tasks[i].deadline_ns : period_of(&tasks[i]));
		sim_json_close(j, '{');
	}
	sim_json_close(j, '[');
}

/* The file as it was understood: whoever has the page can run it again. */
static void write_file(struct sim_json *j, const struct sim_scenario *s)
{
	FILE *file = tmpfile();
	char *text = NULL;
	long size = 0;

	if (file && !sim_scenario_write(s, file) && !fseek(file, 0, SEEK_END))
		size = ftell(file);
	if (size > 0)
		text = calloc(1, (size_t)size + 1);
	if (text) {
		rewind(file);
		if (fread(text, 1, (size_t)size, file) != (size_t)size)
			text[0] = 0;
	}
	sim_json_text(j, "file", text && text[0] ? text : NULL);
	free(text);
	if (file)
		fclose(file);
}

static void write_scenario(struct sim_json *j, const struct sim_scenario *s)
{
	uint32_t i;

	sim_json_open(j, "scenario", '{');
	sim_json_text(j, "name", s->name);
	sim_json_text(j, "source", s->source);
	sim_json_text(j, "claim", s->claim);
	sim_json_text(j, "path", s->path);
	sim_json_u64(j, "seed", s->seed);
	sim_json_u64(j, "duration", s->duration_ns);
	sim_json_u64(j, "warmup", s->warmup_ns);
	sim_json_u64(j, "cpus", s->machine.cpus);
	write_tasks(j, "host", s->host_tasks, s->host_task_count);
	sim_json_open(j, "vms", '[');
	for (i = 0; i < s->vm_count; i++) {
		sim_json_open(j, NULL, '{');
		sim_json_text(j, "name", s->vms[i].name);
		sim_json_u64(j, "count", s->vms[i].count);
		sim_json_u64(j, "vcpus", s->vms[i].vcpus);
		sim_json_u64(j, "liar", s->vms[i].liar);
		write_tasks(j, "tasks", s->vms[i].tasks, s->vms[i].task_count);
		sim_json_close(j, '{');
	}
	sim_json_close(j, '[');
	write_file(j, s);
	sim_json_close(j, '{');
}

/* ---- verdict, sweep, models -------------------------------------------------------------------*/

static void write_verdict(struct sim_json *j, const struct sim_report *r)
{
	uint32_t i;

	sim_json_open(j, "asserts", '[');
	for (i = 0; r->asserts && i < r->assert_count; i++) {
		sim_json_open(j, NULL, '{');
		sim_json_text(j, "text", r->asserts[i].text);
		sim_json_u64(j, "line", r->asserts[i].line);
		sim_json_u64(j, "holds", r->asserts[i].holds ? 1 : 0);
		sim_json_double(j, "left", r->asserts[i].left);
		sim_json_double(j, "right", r->asserts[i].right);
		sim_json_text(j, "relation", r->asserts[i].relation);
		sim_json_text(j, "error", r->asserts[i].error);
		sim_json_close(j, '{');
	}
	sim_json_close(j, '[');
	sim_json_open(j, "figures", '[');
	for (i = 0; r->figures && i < r->figure_count; i++) {
		sim_json_open(j, NULL, '{');
		sim_json_text(j, "name", r->figures[i].name);
		sim_json_text(j, "text", r->figures[i].text);
		sim_json_double(j, "value", r->figures[i].value);
		sim_json_text(j, "error", r->figures[i].error);
		sim_json_close(j, '{');
	}
	sim_json_close(j, '[');
}

static void write_sweep(struct sim_json *j, const struct sim_sweep *s)
{
	uint32_t i, k, points = 1;

	sim_json_open(j, "sweep", '{');
	sim_json_open(j, "axes", '[');
	for (i = 0; i < s->axis_count; i++) {
		sim_json_open(j, NULL, '{');
		sim_json_text(j, "path", s->axes[i].path);
		sim_json_open(j, "values", '[');
		for (k = 0; k < s->axes[i].count; k++)
			sim_json_text(j, NULL, s->axes[i].values[k]);
		sim_json_close(j, '[');
		sim_json_close(j, '{');
		points *= s->axes[i].count;
	}
	sim_json_close(j, '[');
	sim_json_open(j, "shows", '[');
	for (i = 0; i < s->show_count; i++) {
		sim_json_open(j, NULL, '{');
		sim_json_text(j, "text", s->shows[i]);
		sim_json_open(j, "values", '[');
		for (k = 0; k < points; k++)
			sim_json_double(j, NULL, s->values[i][k]);
		sim_json_close(j, '[');
		sim_json_close(j, '{');
	}
	sim_json_close(j, '[');
	sim_json_close(j, '{');
}

/* A model once, though several runs have it. */
static void write_model(struct sim_json *j, const char *kind, const char *name, const char *what,
			const char *leaves_out)
{
	sim_json_open(j, NULL, '{');
	sim_json_text(j, "kind", kind);
	sim_json_text(j, "name", name);
	sim_json_text(j, "what", what);
	sim_json_text(j, "leaves_out", leaves_out);
	sim_json_close(j, '{');
}

static void write_models(struct sim_json *j, const struct sim_report *r)
{
	const struct sim_policy *p, *q;
	uint32_t i, k;

	sim_json_open(j, "models", '[');
	for (i = 0; i < r->run_count; i++) {
		int sched = 1, role = 1, yielder = 1;

		p = r->runs[i]->policy;
		for (k = 0; k < i; k++) {
			q = r->runs[k]->policy;
			sched = sched && q->sched != p->sched;
			role = role && q->role != p->role;
			yielder = yielder && q->yielder != p->yielder;
		}
		if (p->sched && sched)
			write_model(j, "scheduler", p->sched->name, p->sched->what,
				    p->sched->leaves_out);
		if (p->role && role)
			write_model(j, "role", p->role->name, p->role->what, p->role->leaves_out);
		if (p->yielder && yielder)
			write_model(j, "yield", p->yielder->name, p->yielder->what,
				    p->yielder->leaves_out);
	}
	sim_json_close(j, '[');
}

static void write_reasons(struct sim_json *j)
{
	uint32_t i;

	sim_json_open(j, "reasons", '[');
	for (i = 0; i < PVS_REASON_COUNT; i++) {
		sim_json_open(j, NULL, '[');
		sim_json_text(j, NULL, sim_reason_words(i)->key);
		sim_json_text(j, NULL, sim_reason_words(i)->words);
		sim_json_close(j, '[');
	}
	sim_json_close(j, '[');
}

/* ---- the page ---------------------------------------------------------------------------------*/

static int write_data(FILE *file, const struct sim_report *r)
{
	struct sim_json j = { .file = file };
	struct order order;
	struct window window;
	uint32_t i, gap = sim_calibration_gap_ppm();
	int error = 0;

	put_in_order(r, &order);
	find_window(r, &order, &window);
	sim_json_open(&j, NULL, '{');
	sim_json_u64(&j, "format", 1);
	sim_json_text(&j, "command", r->command);
	if (gap == SIM_CALIBRATION_GAP_NONE)
		sim_json_null(&j, "gap_ppm");
	else
		sim_json_u64(&j, "gap_ppm", gap);
	write_scenario(&j, r->scenario);
	write_verdict(&j, r);
	sim_json_i64(&j, "base", order.base);
	sim_json_i64(&j, "subject", order.subject);
	if (order.count)
		write_focus(&j, r->runs[order.at[0]], &window);
	sim_json_open(&j, "runs", '[');
	for (i = 0; i < order.count; i++)
		write_run(&j, r, order.at[i], &window, &error);
	sim_json_close(&j, '[');
	if (r->sweep)
		write_sweep(&j, r->sweep);
	write_models(&j, r);
	write_reasons(&j);
	sim_json_close(&j, '{');
	return error;
}

static void write_html_text(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (strchr("<>&\"'", *text))
			fprintf(file, "&#%d;", *text);
		else
			fputc(*text, file);
	}
}

/* The template has one mark for the title and one for the data, in this order. */
static int write_page(FILE *file, const struct sim_report *r)
{
	const char *page = (const char *)sim_report_page;
	const char *title = strstr(page, SIM_REPORT_TITLE);
	const char *data = strstr(page, SIM_REPORT_DATA);
	const char *after;
	int error;

	if (!title || !data || data < title)
		return -EINVAL;
	fwrite(page, 1, (size_t)(title - page), file);
	write_html_text(file, r->scenario->name);
	after = title + strlen(SIM_REPORT_TITLE);
	fwrite(after, 1, (size_t)(data - after), file);
	error = write_data(file, r);
	fputs(data + strlen(SIM_REPORT_DATA), file);
	return error;
}

int sim_report_html(const char *path, const struct sim_report *report)
{
	FILE *file = fopen(path, "w");
	int error;

	if (!file)
		return errno ? -errno : -EIO;
	error = write_page(file, report);
	if (ferror(file) && !error)
		error = -EIO;
	if (fclose(file) && !error)
		error = -EIO;
	return error;
}
