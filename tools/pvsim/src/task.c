/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * task.c - tasks and their jobs; the bodies of host tasks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_inner.h"

/* ---- lists ------------------------------------------------------------------------------------*/

void sim_list_add(struct sim_list *l, struct sim_task *task)
{
	task->next = NULL;
	if (l->last)
		l->last->next = task;
	else
		l->first = task;
	l->last = task;
}

struct sim_task *sim_list_take(struct sim_list *l)
{
	struct sim_task *task = l->first;

	if (task) {
		l->first = task->next;
		if (!l->first)
			l->last = NULL;
		task->next = NULL;
	}
	return task;
}

void sim_list_remove(struct sim_list *l, struct sim_task *task)
{
	struct sim_task **at = &l->first, *before = NULL;

	while (*at && *at != task) {
		before = *at;
		at = &before->next;
	}
	if (!*at)
		return;
	*at = task->next;
	if (l->last == task)
		l->last = before;
	task->next = NULL;
}

/* ---- what tasks share -------------------------------------------------------------------------*/

static void *grown(void *old, uint32_t from, uint32_t to, size_t size)
{
	unsigned char *p = realloc(old, to * size);

	if (!p)
		abort();
	memset(p + from * size, 0, (to - from) * size);
	return p;
}

static void fit_locks(struct sim_world *w, uint32_t count)
{
	if (count <= w->lock_count)
		return;
	w->locks = grown(w->locks, w->lock_count, count, sizeof(w->locks[0]));
	w->lock_count = count;
}

static void fit_step(struct sim_world *w, const struct sim_step *step)
{
	uint32_t count = step->arg + 1;

	if (step->op == SIM_OP_LOCK || step->op == SIM_OP_UNLOCK) {
		fit_locks(w, count);
	} else if (step->op == SIM_OP_SIGNAL || step->op == SIM_OP_WAIT) {
		if (count > w->sem_count) {
			w->sems = grown(w->sems, w->sem_count, count, sizeof(w->sems[0]));
			w->sem_count = count;
		}
	} else if (step->op == SIM_OP_RECV && count > w->box_count) {
		w->boxes = grown(w->boxes, w->box_count, count, sizeof(w->boxes[0]));
		w->box_count = count;
	}
}

void sim_world_fit(struct sim_world *w, const struct sim_task_spec *tasks, uint32_t count)
{
	uint32_t i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < tasks[i].step_count; j++)
			fit_step(w, &tasks[i].steps[j]);
}

void sim_world_clear(struct sim_world *w)
{
	uint32_t i;

	for (i = 0; i < w->lock_count; i++)
		w->locks[i] = (struct sim_lock){ 0 };
	for (i = 0; i < w->sem_count; i++)
		w->sems[i] = (struct sim_sem){ 0 };
	for (i = 0; i < w->box_count; i++) {
		w->boxes[i].head = w->boxes[i].count = 0;
		w->boxes[i].waiters = (struct sim_list){ 0 };
	}
}

void sim_world_free(struct sim_world *w)
{
	uint32_t i;

	for (i = 0; i < w->box_count; i++)
		free(w->boxes[i].at_ns);
	free(w->locks);
	free(w->sems);
	free(w->boxes);
	*w = (struct sim_world){ 0 };
}

static void widen(struct sim_box *box)
{
	uint32_t room = box->room ? 2 * box->room : 64, i;
	uint64_t *wider = calloc(room, sizeof(*wider));

	if (!wider)
		abort();
	for (i = 0; i < box->count; i++)
		wider[i] = box->at_ns[(box->head + i) % box->room];
	free(box->at_ns);
	box->at_ns = wider;
	box->room = room;
	box->head = 0;
}

void sim_box_put(struct sim *sim, struct sim_box *box, uint64_t at_ns)
{
	(void)sim;
	if (box->count == SIM_BOX_MAX) {
		box->lost++;
		return;
	}
	if (box->count == box->room)
		widen(box);
	box->at_ns[(box->head + box->count++) % box->room] = at_ns;
}

void sim_box_serve(struct sim *sim, struct sim_box *box, struct sim_vcpu *from)
{
	struct sim_task *task;

	while (box->count && box->waiters.first) {
		task = sim_list_take(&box->waiters);
		task->ready_ns = box->at_ns[box->head];
		box->head = (box->head + 1) % box->room;
		box->count--;
		sim_job_begin(task, task->ready_ns);
		sim_task_wake(sim, task, from);
	}
}

/* ---- jobs -------------------------------------------------------------------------------------*/

void sim_job_begin(struct sim_task *task, uint64_t due_ns)
{
	task->due_ns = due_ns;
	task->in_job = 1;
}

static uint64_t deadline_of(const struct sim_task *task)
{
	return task->spec->deadline_ns ? task->spec->deadline_ns : task->period_ns;
}

void sim_job_end(struct sim *sim, struct sim_task *task)
{
	uint64_t response_ns = sim->now_ns - task->due_ns;
	uint64_t deadline_ns = deadline_of(task);
	uint32_t cpu = sim_cpu_of(task->vcpu ? task->vcpu->thread : task->thread);
	int missed = deadline_ns && response_ns > deadline_ns;

	task->in_job = 0;
	sim_note(sim, SIM_T_LATENCY, cpu, task->vcpu ? task->vcpu->thread->id : task->thread->id,
		 task->id, response_ns);
	if (missed)
		sim_note(sim, SIM_T_MISS, cpu, 0, task->id, response_ns - deadline_ns);
	if (!sim_measured(sim))
		return;
	task->stats.jobs++;
	task->stats.misses += (uint64_t)missed;
	sim_hist_add(&task->stats.response, response_ns);
}

void sim_job_missed(struct sim *sim, struct sim_task *task, uint64_t periods)
{
	if (periods && sim_measured(sim))
		task->stats.misses += periods;
}

/* It runs when its CPU has paid for the switch, and for whatever else came before it. */
void sim_task_runs(struct sim *sim, struct sim_task *task)
{
	const struct sim_cpu *cpu = task->vm ? task->vcpu->thread->cpu : task->thread->cpu;
	uint64_t at_ns = sim->now_ns;

	if (cpu->overhead_until_ns > at_ns)
		at_ns = cpu->overhead_until_ns;
	task->woken = 0;
	if (sim_measured(sim))
		sim_hist_add(&task->stats.wakeup, at_ns - task->ready_ns);
}

/* ---- tasks ------------------------------------------------------------------------------------*/

uint64_t sim_stream(const char *vm, const char *name)
{
	const char *parts[3] = { vm, "/", name }, *p;
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	uint32_t i;

	for (i = 0; i < 3; i++)
		for (p = parts[i]; *p; p++)
			hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return hash;
}

void sim_task_wake(struct sim *sim, struct sim_task *task, struct sim_vcpu *from)
{
	if (task->state != SIM_TASK_SLEEPING)
		return;
	task->woken = 1;
	if (task->vm) {
		sim_guest_wake(sim, task, from);
		return;
	}
	task->state = SIM_TASK_READY;
	sim_wake(sim, task->thread);
}

/* Its time has come: to wake up, or to see that UNTIL is over. */
static void timer_fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_task *task = timer->owner;

	if (task->state == SIM_TASK_SLEEPING) {
		if (task->vm)
			sim_guest_expired(sim, task);
		else
			sim_task_wake(sim, task, NULL);
		return;
	}
	if (task->state == SIM_TASK_RUNNING)
		sim_poke(sim, task->vcpu ? task->vcpu->thread : task->thread);
}

void sim_task_begin(struct sim_task *task)
{
	const struct sim_task_spec *spec = task->spec;

	task->state = SIM_TASK_SLEEPING;
	task->urgency = spec->urgency;
	task->level = spec->level;
	task->spinning = task->irqs_off = task->mid = task->woken = task->in_job = 0;
	task->locks_held = task->pc = 0;
	task->left_ns = task->spin_from_ns = task->answers_left = 0;
	task->vruntime = 0;
	task->next = NULL;
	memset(task->repeated, 0, sizeof(task->repeated));
	memset(&task->util, 0, sizeof(task->util));
}

static void add(struct sim *sim, struct sim_task *task)
{
	if (sim->task_count == sim->task_room) {
		sim->task_room = sim->task_room ? 2 * sim->task_room : 64;
		sim->tasks = realloc(sim->tasks, sim->task_room * sizeof(sim->tasks[0]));
		if (!sim->tasks)
			abort();
	}
	task->id = sim->task_count;
	sim->tasks[sim->task_count++] = task;
}

struct sim_task *sim_task_new(struct sim *sim, const struct sim_task_spec *spec,
			      struct sim_vm *vm, uint32_t copy)
{
	struct sim_task *task = calloc(1, sizeof(*task));

	if (!task)
		abort();
	if (spec->count > 1)
		snprintf(task->name, sizeof(task->name), "%.*s.%u", (int)sizeof(task->name) - 12,
			 spec->name, copy);
	else
		snprintf(task->name, sizeof(task->name), "%s", spec->name);
	task->spec = spec;
	task->vm = vm;
	task->weight = spec->weight ? spec->weight : 1024;
	task->timer.owner = task;
	task->timer.fire = timer_fires;
	sim_rng_seed(&task->rng, sim->seed, sim_stream(vm ? vm->name : "host", task->name));
	sim_task_begin(task);
	add(sim, task);
	return task;
}

/* ---- host tasks -------------------------------------------------------------------------------*/

static uint64_t host_next(struct sim *sim, struct sim_thread *t)
{
	struct sim_task *task = t->ctx;

	if (task->state == SIM_TASK_SLEEPING || task->state == SIM_TASK_STOPPED)
		return SIM_WORK_BLOCK;
	task->state = SIM_TASK_RUNNING;
	if (task->woken)
		sim_task_runs(sim, task);
	return sim_program_next(sim, task);
}

static void host_did(struct sim *sim, struct sim_thread *t, uint64_t work_ns)
{
	sim_program_did(sim, t->ctx, work_ns);
}

static void host_runs(struct sim *sim, struct sim_thread *t, int on, uint32_t why)
{
	struct sim_task *task = t->ctx;

	if (!on && (why == SIM_STOP_PREEMPTED || why == SIM_STOP_SLICE) && task->locks_held &&
	    sim_measured(sim))
		task->stats.held_preempted++;
}

const struct sim_body sim_host_task_body = {
	.next = host_next,
	.did = host_did,
	.runs = host_runs,
};

static void host_task_new(struct sim *sim, const struct sim_task_spec *spec, uint32_t copy)
{
	struct sim_task *task = sim_task_new(sim, spec, NULL, copy);
	struct sim_thread *t = sim_thread_new(sim, task->name, &sim_host_task_body, task);

	task->thread = t;
	t->affinity = spec->affinity ? spec->affinity : UINT64_MAX;
	t->weight = task->weight;
	t->rt_prio = (uint8_t)spec->rt_prio;
	t->slice_ns = spec->slice_ns;
	t->idle_policy = spec->urgency == PVS_URGENCY_IDLE;
	sim_thread_start(sim, t);
	task->ready_ns = spec->start_ns;
	sim_arm(sim, &task->timer, spec->start_ns);
}

void sim_host_tasks_init(struct sim *sim)
{
	const struct sim_scenario *s = sim->scenario;
	uint32_t i, n;

	sim_world_fit(&sim_guests(sim)->host, s->host_tasks, s->host_task_count);
	for (i = 0; i < s->host_task_count; i++)
		for (n = 0; n < (s->host_tasks[i].count ? s->host_tasks[i].count : 1); n++)
			host_task_new(sim, &s->host_tasks[i], n);
}
