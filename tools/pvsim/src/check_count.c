/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_count.c - what a run reports is what was seen of it: the rows of the result against the
 * second book, and the library's counters against each other. Only of runs that are measured from
 * their beginning.
 *
 * time-work: where all CPUs have one speed, what a thread ran is the work told to its body and the
 * costs: a switch each time it gets a CPU, a migration where that is another CPU than before (by
 * the trace), and what it was asked to pay besides, less what it still owes.
 *
 * recount: jobs, response times, misses and waits are counted again from the trace. A quantile must
 * not be below the exact one, nor above by more than the width of its bucket.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* The value of a row, 0 if there is none: nothing was counted. */
static uint64_t row(const struct sim *sim, const char *name)
{
	const struct sim_row *r = sim_result_row(sim->result, name);

	return r ? r->value : 0;
}

static void equal(struct sim *sim, const char *name, uint64_t seen)
{
	uint64_t told = row(sim, name);

	if (told != seen)
		sim_fail(sim, "counters: %s says %" PRIu64 ", seen were %" PRIu64, name, told,
			 seen);
}

static void check_host(struct sim *sim, const struct check *c)
{
	uint64_t busy_ns = 0, idle_ns = 0, switches = 0;
	char name[64];
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++) {
		busy_ns += c->cpus[i].busy_ns;
		idle_ns += c->cpus[i].idle_ns;
		switches += c->cpus[i].switches;
		snprintf(name, sizeof(name), "cpu.%" PRIu32 ".busy", i);
		equal(sim, name, c->cpus[i].busy_ns);
	}
	equal(sim, "host.busy", busy_ns);
	equal(sim, "host.idle", idle_ns);
	equal(sim, "host.switches", switches);
}

static void check_vm(struct sim *sim, const struct check *c, const struct sim_vm *vm)
{
	struct { const char *what; uint64_t seen; } rows[] = {
		{ "run", 0 }, { "wait", 0 }, { "boosted", 0 }, { "preempted", 0 }, { "wakeups", 0 },
	};
	char name[64];
	uint32_t i;

	for (i = 0; i < vm->vcpu_count; i++) {
		const struct check_thread *seen = &c->threads[vm->vcpus[i].thread->id];

		rows[0].seen += seen->run_ns;
		rows[1].seen += seen->wait_ns;
		rows[2].seen += seen->boosted_ns;
		rows[3].seen += seen->preempted;
		rows[4].seen += seen->wakeups;
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(name, sizeof(name), "vm.%s.%s", vm->name, rows[i].what);
		equal(sim, name, rows[i].seen);
	}
}

static uint64_t all_reasons(const struct sim *sim)
{
	static const char prefix[] = "pvs.reason.";
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < sim->result->count; i++)
		if (!strncmp(sim->result->rows[i].name, prefix, sizeof(prefix) - 1))
			sum += sim->result->rows[i].value;
	return sum;
}

/* Each boost and each denial has a reason, each reason a decision, and each boost its time. */
static void check_library(struct sim *sim, const struct check *c)
{
	uint64_t boosts = row(sim, "pvs.boosts"), denials = row(sim, "pvs.denials");
	uint64_t reasons = all_reasons(sim), steps = row(sim, "pvs.steps");
	uint64_t told_ns = row(sim, "pvs.boosted_ns"), seen_ns = 0, open_ns = 0;
	uint32_t i;

	if (boosts + denials > reasons || reasons > steps)
		sim_fail(sim, "counters: %" PRIu64 " boosts and %" PRIu64 " denials, %" PRIu64
			 " reasons, %" PRIu64 " decisions", boosts, denials, reasons, steps);
	if (sim->config.flags & PVS_CONFIG_MEASURE_ONLY)
		return;
	for (i = 0; i < c->thread_count; i++) {
		if (!sim->threads[i]->vcpu)
			continue;
		seen_ns += c->threads[i].boosted_ns;
		/* what nobody has looked at yet; or what was lost when it was plugged out */
		open_ns += sim->config.grant_max_ns + c->overshoot_ns;
	}
	open_ns += (boosts + 1) * c->turn_ns;
	if (told_ns > seen_ns + open_ns || seen_ns > told_ns + open_ns)
		sim_fail(sim, "counters: %" PRIu64 " ns were boosted, the accounts know of %"
			 PRIu64, seen_ns, told_ns);
}

/* ---- from the trace ---------------------------------------------------------------------------*/

/* Response times that are kept of each task. */
#define VALUES_MAX 4096u

void check_count_init(struct sim *sim)
{
	struct check *c = check_of(sim);
	uint32_t i;

	c->full_speed = 1;
	for (i = 0; i < sim->cpu_count; i++)
		if (sim->cpus[i].level_count > 1 || sim->cpus[i].levels[0].speed != 1024)
			c->full_speed = 0;
}

void check_count_free(struct sim *sim)
{
	struct check *c = check_of(sim);
	uint32_t i;

	for (i = 0; i < c->job_room; i++)
		free(c->jobs[i].values);
	free(c->jobs);
}

static struct check_jobs *jobs_of(struct sim *sim, uint32_t id)
{
	struct check *c = check_of(sim);

	if (id >= c->job_room) {
		c->jobs = realloc(c->jobs, sim->task_room * sizeof(*c->jobs));
		if (!c->jobs)
			abort();
		memset(&c->jobs[c->job_room], 0,
		       (sim->task_room - c->job_room) * sizeof(*c->jobs));
		while (c->job_room < sim->task_room)
			c->jobs[c->job_room++].due_ns = SIM_NEVER;
	}
	return &c->jobs[id];
}

static void keep_value(struct check_jobs *j, uint64_t value)
{
	if (j->value_count == VALUES_MAX)
		return;
	if (j->value_count == j->value_room) {
		j->value_room = j->value_room ? 2 * j->value_room : 64;
		j->values = realloc(j->values, j->value_room * sizeof(*j->values));
		if (!j->values)
			abort();
	}
	j->values[j->value_count++] = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* The program is one period, at its beginning: its jobs follow each other without a gap. */
static uint64_t only_period(const struct sim_task *task)
{
	const struct sim_task_spec *spec = task->spec;
	uint32_t i;

	if (!spec->step_count || spec->steps[0].op != SIM_OP_PERIOD)
		return 0;
	for (i = 1; i < spec->step_count; i++)
		if (spec->steps[i].op == SIM_OP_PERIOD || spec->steps[i].op == SIM_OP_DONE ||
		    spec->steps[i].op == SIM_OP_RECV || spec->steps[i].op == SIM_OP_REPEAT ||
		    spec->steps[i].op == SIM_OP_STOP)
			return 0;
	return spec->steps[0].dist.a;
}

/* Periods between two beginnings of jobs. */
static uint64_t skipped(const struct check_jobs *j, uint64_t due_ns, uint64_t period_ns)
{
	if (j->due_ns == SIM_NEVER || !period_ns || due_ns <= j->due_ns)
		return 0;
	return (due_ns - j->due_ns - 1) / period_ns;
}

static void traced_job(struct sim *sim, const struct sim_record *r)
{
	const struct sim_task *task = sim->tasks[r->b];
	struct check_jobs *j = jobs_of(sim, r->b);
	uint64_t period_ns = only_period(task), deadline_ns = task->spec->deadline_ns;

	if (!deadline_ns)
		deadline_ns = period_ns ? period_ns : task->period_ns;
	j->count++;
	j->sum += r->v;
	j->misses += deadline_ns && r->v > deadline_ns;
	j->misses += skipped(j, r->at_ns - r->v, period_ns);
	j->due_ns = r->at_ns - r->v;
	keep_value(j, r->v);
}

static void traced_start(struct sim *sim, struct check_thread *t, const struct sim_record *r)
{
	uint64_t waited_ns = r->at_ns - t->ready_ns;

	t->due_costs_ns += sim->costs.switch_ns;
	if (t->ran_on && t->ran_on != r->cpu + 1u)
		t->due_costs_ns += sim->costs.migrate_ns;
	t->ran_on = r->cpu + 1u;
	t->waits++;
	t->waited_ns += waited_ns;
	if (waited_ns > t->wait_max_ns)
		t->wait_max_ns = waited_ns;
}

void check_count_record(struct sim *sim, const struct sim_record *r)
{
	struct check_thread *threads = check_of(sim)->threads;

	if (r->type == SIM_T_LATENCY)
		traced_job(sim, r);
	else if (r->type == SIM_T_RUN)
		traced_start(sim, &threads[r->a], r);
	else if (r->type == SIM_T_WAKE || r->type == SIM_T_STOP)
		threads[r->a].ready_ns = r->at_ns;
}

/* ---- costs ------------------------------------------------------------------------------------*/

/* What is still to be paid of what it was asked for. */
static uint64_t owes_ns(const struct sim *sim, const struct sim_thread *t)
{
	uint64_t ns = t->overhead_ns;

	if (t->state == SIM_RUNNING && t->cpu->overhead_until_ns > sim->now_ns)
		ns += t->cpu->overhead_until_ns - sim->now_ns;
	return ns;
}

static void check_work(struct sim *sim, const struct sim_thread *t, const struct check_thread *seen)
{
	uint64_t costs_ns = seen->due_costs_ns + t->asked_ns - owes_ns(sim, t);

	if (seen->run_ns != t->work_ns + costs_ns)
		sim_fail(sim, "time-work: %s ran for %" PRIu64 " ns, did work for %" PRIu64
			 " and paid %" PRIu64, t->name, seen->run_ns, t->work_ns, costs_ns);
}

/* ---- recount ----------------------------------------------------------------------------------*/

static void recount(struct sim *sim, const char *who, const char *what, uint64_t told,
		    uint64_t seen)
{
	if (told != seen)
		sim_fail(sim, "recount: %s of %s are %" PRIu64 ", by the trace %" PRIu64, what, who,
			 told, seen);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void check_quantiles(struct sim *sim, const struct sim_task *task, struct check_jobs *j)
{
	static const uint32_t q_ppm[] = { 500000, 900000, 990000, 999000 };
	uint64_t told, exact;
	uint32_t i, rank;

	if (!j->value_count || j->value_count != j->count)
		return;
	qsort(j->values, j->value_count, sizeof(*j->values), ascending);
	for (i = 0; i < sizeof(q_ppm) / sizeof(q_ppm[0]); i++) {
		rank = (uint32_t)(((uint64_t)j->value_count * q_ppm[i] + 999999) / 1000000);
		exact = j->values[rank - 1];
		told = sim_hist_quantile(&task->stats.response, q_ppm[i]);
		if (exact < UINT32_MAX && (told < exact || told > exact + exact / SIM_HIST_SUB))
			sim_fail(sim, "recount: quantile %" PRIu32 " of %s is %" PRIu64
				 ", by the trace %" PRIu64, q_ppm[i], task->name, told, exact);
	}
}

/* A reset forgets jobs that have begun. */
static int has_resets(const struct sim *sim)
{
	uint32_t i;

	for (i = 0; i < sim->scenario->fault_count; i++)
		if (sim->scenario->faults[i].kind == SIM_FAULT_RESET)
			return 1;
	return 0;
}

static void check_jobs(struct sim *sim, const struct sim_task *task, int resets)
{
	struct check_jobs *j = jobs_of(sim, task->id);
	const struct sim_task_stats *s = &task->stats;
	uint64_t misses = j->misses, period_ns = only_period(task);

	recount(sim, task->name, "jobs", s->jobs, j->count);
	recount(sim, task->name, "response times", s->response.sum, j->sum);
	check_quantiles(sim, task, j);
	if (resets)
		return;
	if (period_ns) {
		if (task->in_job)
			misses += skipped(j, task->due_ns, period_ns);
		recount(sim, task->name, "misses", s->misses, misses);
	} else if (s->misses < misses) {
		recount(sim, task->name, "misses", s->misses, misses);
	}
}

static void check_trace(struct sim *sim, const struct check *c)
{
	int resets = has_resets(sim);
	uint32_t i;

	for (i = 0; i < sim->task_count; i++)
		check_jobs(sim, sim->tasks[i], resets);
	for (i = 0; i < c->thread_count; i++) {
		const struct sim_thread *t = sim->threads[i];

		recount(sim, t->name, "waits", t->waits->count, c->threads[i].waits);
		recount(sim, t->name, "waits (ns)", t->waits->sum, c->threads[i].waited_ns);
		recount(sim, t->name, "longest wait", t->wait_max_ns, c->threads[i].wait_max_ns);
		if (c->full_speed)
			check_work(sim, t, &c->threads[i]);
	}
}

/* ---- the end ----------------------------------------------------------------------------------*/

void check_count_end(struct sim *sim)
{
	const struct check *c = check_of(sim);
	uint32_t i;

	if (sim->scenario->warmup_ns)
		return;
	check_trace(sim, c);
	check_host(sim, c);
	for (i = 0; i < sim->vm_count; i++)
		check_vm(sim, c, &sim->vms[i]);
	if (c->budgets)
		check_library(sim, c);
}
