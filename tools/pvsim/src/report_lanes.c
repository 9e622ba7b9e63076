/* SPDX-License-Identifier: BSD-2-Clause */
/* report_lanes.c - spans out of records, and where to look. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_lanes.h"

#define NO_CPU 0xffffu

/* What is known of a thread at a record. */
struct state {
	uint64_t since_ns;
	uint32_t task;
	uint16_t cpu;
	uint8_t known;   /* 0: no record has told of it yet */
	uint8_t active;  /* it runs or waits: a span is open */
	uint8_t kind;
	uint8_t klass, reason, spins;
};

static int put(struct sim_lanes *l, uint32_t thread, const struct state *s, uint64_t until_ns,
	       uint8_t stop)
{
	uint64_t from_ns = s->since_ns < l->from_ns ? l->from_ns : s->since_ns;
	struct sim_span *grown;

	if (until_ns > l->until_ns)
		until_ns = l->until_ns;
	if (!s->active || from_ns >= until_ns)
		return 0;
	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 1024;
		grown = realloc(l->spans, l->room * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->spans = grown;
	}
	l->spans[l->count++] = (struct sim_span){
		.from_ns = from_ns, .until_ns = until_ns, .thread = thread, .task = s->task,
		.cpu = s->cpu, .kind = s->kind, .klass = s->klass, .reason = s->reason,
		.spins = s->spins, .stop = stop,
	};
	return 0;
}

/* Who gets a CPU gets it as what it is; 0: the record does not say. */
static void take_class(struct state *s, const struct sim_record *r)
{
	if (!r->b)
		return;
	s->klass = (uint8_t)r->b;
	s->reason = (uint8_t)r->v;
}

/* What the first record of a thread says of the time before it. */
static void meet(struct state *s, const struct sim_record *r, uint64_t begin_ns)
{
	if (s->known)
		return;
	s->known = 1;
	s->since_ns = begin_ns;
	s->cpu = r->cpu;
	/* Who gets a CPU and was not woken has waited for it; who loses one has had it. */
	if (r->type == SIM_T_RUN) {
		s->active = 1;
		s->kind = SIM_SPAN_WAITS;
		take_class(s, r);
	} else if (r->type != SIM_T_WAKE && r->type != SIM_T_CLASS) {
		s->active = 1;
		s->kind = SIM_SPAN_RUNS;
	} else if (r->type == SIM_T_CLASS) {
		s->known = 0; /* it may be in any state */
	}
}

static void change(struct state *s, const struct sim_record *r)
{
	s->since_ns = r->at_ns;
	switch (r->type) {
	case SIM_T_RUN:
		s->active = 1;
		s->kind = SIM_SPAN_RUNS;
		s->cpu = r->cpu;
		take_class(s, r);
		break;
	case SIM_T_STOP:
		s->active = r->b != SIM_STOP_BLOCKED;
		s->kind = SIM_SPAN_WAITS;
		s->spins = s->active && s->spins;
		break;
	case SIM_T_WAKE:
		s->active = 1;
		s->kind = SIM_SPAN_WAITS;
		s->cpu = r->cpu;
		break;
	case SIM_T_CLASS:
		s->klass = (uint8_t)(r->b & 0xff);
		s->reason = (uint8_t)(r->b >> 16 & 0xff);
		break;
	case SIM_T_TASK:
		s->task = r->b;
		break;
	case SIM_T_SPIN:
		s->spins = 1;
		break;
	default: /* SIM_T_SPUN */
		s->spins = 0;
	}
}

static int speaks_of_thread(const struct sim_record *r)
{
	switch (r->type) {
	case SIM_T_RUN:
	case SIM_T_STOP:
	case SIM_T_WAKE:
	case SIM_T_CLASS:
	case SIM_T_TASK:
	case SIM_T_SPIN:
	case SIM_T_SPUN:
		return 1;
	default:
		return 0;
	}
}

/* A change that does not end a span: nothing the picture shows is different. */
static int same(const struct state *s, const struct state *before)
{
	return s->active == before->active && s->kind == before->kind && s->cpu == before->cpu &&
	       s->klass == before->klass && s->reason == before->reason &&
	       s->task == before->task && s->spins == before->spins;
}

static int take(struct sim_lanes *l, struct state *states, const struct sim_record *r,
		uint64_t begin_ns)
{
	struct state *s = &states[r->a], before;
	int error;

	meet(s, r, begin_ns);
	before = *s;
	change(s, r);
	if (r->type != SIM_T_STOP && same(s, &before)) {
		s->since_ns = before.since_ns;
		return 0;
	}
	error = put(l, r->a, &before, r->at_ns, r->type == SIM_T_STOP ? (uint8_t)(r->b + 1) : 0);
	return error;
}

static int by_time(const void *a, const void *b)
{
	const struct sim_span *x = a, *y = b;

	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->until_ns < y->until_ns ? -1 : x->until_ns > y->until_ns;
}

/* Of who no record tells: as the machine left it, when it has been so for that long. */
static void as_left(struct state *s, const struct sim_thread *t, uint64_t until_ns)
{
	if (s->known || !t || t->state == SIM_BLOCKED || t->since_ns >= until_ns)
		return;
	s->active = 1;
	s->since_ns = t->since_ns;
	s->kind = t->state == SIM_RUNNING ? SIM_SPAN_RUNS : SIM_SPAN_WAITS;
	s->cpu = t->cpu ? (uint16_t)t->cpu->id : NO_CPU;
	s->klass = t->klass;
	s->reason = t->reason;
}

int sim_lanes_make(struct sim_lanes *l, const struct sim *sim, uint64_t from_ns, uint64_t until_ns)
{
	const struct sim_trace *trace = &sim->trace;
	struct state *states = calloc(sim->thread_count + 1u, sizeof(*states));
	uint64_t i, begin_ns = trace->from_ns;
	int error = states ? 0 : -ENOMEM;

	*l = (struct sim_lanes){ .from_ns = from_ns, .until_ns = until_ns };
	for (i = 0; !error && i < sim->thread_count; i++) {
		states[i].task = SIM_TASK_UNKNOWN;
		states[i].klass = PVS_CLASS_BASELINE;
	}
	for (i = 0; !error && i < trace->count && trace->kept[i].at_ns < until_ns; i++)
		if (speaks_of_thread(&trace->kept[i]) && trace->kept[i].a < sim->thread_count)
			error = take(l, states, &trace->kept[i], begin_ns);
	/* The records may have ended before the window does, for want of room. */
	if (trace->count == trace->room && trace->count && i == trace->count &&
	    trace->kept[i - 1].at_ns < l->until_ns)
		l->until_ns = trace->kept[i - 1].at_ns;
	for (i = 0; !error && i < sim->thread_count; i++) {
		as_left(&states[i], sim->threads[i], until_ns);
		error = put(l, (uint32_t)i, &states[i], until_ns, 0);
	}
	free(states);
	if (error)
		sim_lanes_free(l);
	else if (l->count)
		qsort(l->spans, l->count, sizeof(*l->spans), by_time);
	return error;
}

void sim_lanes_free(struct sim_lanes *l)
{
	free(l->spans);
	l->spans = NULL;
	l->count = l->room = 0;
}

/* ---- where to look ----------------------------------------------------------------------------*/

static int speaks_of(const char *text, const char *name)
{
	return text && strstr(text, name) != NULL;
}

uint32_t sim_focus_score(const struct sim_scenario *s, const struct sim_task *task)
{
	const struct sim_task_spec *spec = task->spec;
	uint32_t i, score = 0;
	char name[2 * SIM_NAME + 16];

	if (!spec)
		return 0;
	snprintf(name, sizeof(name), "task.%s/%s.",
		 task->vm && task->vm->spec ? task->vm->spec->name : "host", spec->name);
	for (i = 0; i < s->assert_count; i++)
		if (speaks_of(s->asserts[i].text, name))
			score = 8;
	for (i = 0; i < s->figure_count && !score; i++)
		if (speaks_of(s->figures[i].text, name))
			score = 8;
	/* Who is urgent is who the scenario is about, of those that its verdict names. */
	if (spec->urgency >= PVS_URGENCY_INTERACTIVE)
		score += spec->urgency - PVS_URGENCY_INTERACTIVE + 2;
	return score;
}

static uint64_t deadline_of(const struct sim_task *task)
{
	uint32_t i;

	if (!task->spec || task->spec->deadline_ns)
		return task->spec ? task->spec->deadline_ns : 0;
	for (i = 0; i < task->spec->step_count; i++)
		if (task->spec->steps[i].op == SIM_OP_PERIOD)
			return task->spec->steps[i].dist.a;
	return 0;
}

static int worse(const struct sim_focus *a, const struct sim_focus *b)
{
	if (!b->found || a->score != b->score)
		return !b->found || a->score > b->score;
	if (a->missed != b->missed)
		return a->missed > b->missed;
	return a->value_ns > b->value_ns;
}

uint32_t sim_miss_thread(const struct sim *sim, uint64_t i)
{
	const struct sim_record *r = &sim->trace.kept[i];
	const struct sim_task *task;

	/* The record of the job's end is the one before, and names it. */
	if (i && r[-1].type == SIM_T_LATENCY && r[-1].b == r->b && r[-1].at_ns == r->at_ns)
		return r[-1].a;
	task = r->b < sim->task_count ? sim->tasks[r->b] : NULL;
	if (task && task->vcpu && task->vcpu->thread)
		return task->vcpu->thread->id;
	return task && task->thread ? task->thread->id : SIM_NO_THREAD;
}

static int focus_of(struct sim_focus *f, const struct sim *sim, uint64_t i)
{
	const struct sim_record *r = &sim->trace.kept[i];
	uint64_t begin_ns = r->v;

	*f = (struct sim_focus){ .found = 1, .task = SIM_NO_TASK, .thread = r->a,
				 .value_ns = r->v, .at_ns = r->at_ns };
	if (r->type == SIM_T_MISS || r->type == SIM_T_LATENCY) {
		if (r->b >= sim->task_count)
			return 0;
		f->task = r->b;
		f->missed = r->type == SIM_T_MISS;
		f->score = sim_focus_score(sim->scenario, sim->tasks[r->b]);
		if (f->missed) {
			f->thread = sim_miss_thread(sim, i);
			begin_ns += deadline_of(sim->tasks[r->b]);
		}
	} else if (r->type != SIM_T_SPUN || r->a >= sim->thread_count) {
		return 0;
	}
	f->due_ns = r->at_ns > begin_ns ? r->at_ns - begin_ns : 0;
	return 1;
}

void sim_focus_look(struct sim_focus *focus, const struct sim *sim)
{
	struct sim_focus f;
	uint64_t i;

	for (i = 0; i < sim->trace.count; i++)
		if (sim->trace.kept[i].at_ns >= sim->scenario->warmup_ns &&
		    focus_of(&f, sim, i) && worse(&f, focus))
			*focus = f;
}

/* A picture shows 20 times the worst moment, up to 6 ms; what is longer fills it, up to 400 ms.
 * When there is none, it shows as much as are some turns of any scheduler. */
#define WINDOW_LEAST_NS (200 * SIM_US)
#define WINDOW_MIN_NS (6 * SIM_MS)
#define WINDOW_MAX_NS (400 * SIM_MS)
#define WINDOW_PLAIN_NS (100 * SIM_MS)

void sim_focus_window(const struct sim_focus *f, const struct sim *sim, uint64_t *from_ns,
		      uint64_t *until_ns)
{
	uint64_t begin = f->due_ns, end = f->at_ns, pad, least;

	if (!f->found) {
		begin = sim->scenario->warmup_ns;
		end = begin + WINDOW_PLAIN_NS;
	}
	if (end - begin > WINDOW_MAX_NS * 3 / 4)
		end = begin + WINDOW_MAX_NS * 3 / 4;
	pad = f->found ? (end - begin) / 4 : 0;
	least = 20 * (end - begin);
	if (least < WINDOW_LEAST_NS)
		least = WINDOW_LEAST_NS;
	if (least > WINDOW_MIN_NS)
		least = WINDOW_MIN_NS;
	if (end - begin + 2 * pad < least)
		pad = (least - (end - begin)) / 2;
	*from_ns = begin > pad ? begin - pad : 0;
	*until_ns = end + pad;
}
