/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_world.h - a finished run without a simulation: an audio VM of mixed work beside hogs, on
 * two CPUs, as a scheduler in turns (not boosted) or one that hears (boosted) leaves it behind.
 */
#ifndef REPORT_WORLD_H
#define REPORT_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define WORLD_HOGS 12u
#define WORLD_THREADS (1u + WORLD_HOGS)
#define WORLD_TASKS (2u + WORLD_HOGS)

struct world {
	struct sim sim;
	struct sim_policy policy;
	struct sim_role role;
	struct sim_sched sched;
	struct sim_cpu cpus[2];
	struct sim_vm vms[WORLD_THREADS];
	struct sim_vcpu vcpus[WORLD_THREADS];
	struct sim_thread threads[WORLD_THREADS];
	struct sim_thread *thread_at[WORLD_THREADS];
	struct sim_task tasks[WORLD_TASKS];
	struct sim_task *task_at[WORLD_TASKS];
	struct sim_result result;
	struct sim_row rows[8];
	struct sim_hist hists[2];
};

struct world_scenario {
	struct sim_scenario scenario;
	struct sim_vm_spec vms[2];
	struct sim_task_spec audio[2], hog;
	struct sim_assert_spec asserts[1];
};

#define PERIOD_NS (16 * SIM_MS)
#define WORK_NS (800 * SIM_US)
#define QUANTUM_NS (5 * SIM_MS)
#define UNTIL_NS (2 * SIM_S)
#define PLAYER 0u
#define BURNER 1u

static void world_scenario(struct world_scenario *s)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->audio[0].name, SIM_NAME, "player");
	s->audio[0].count = 1;
	s->audio[0].urgency = PVS_URGENCY_REALTIME;
	s->audio[0].step_count = 2;
	s->audio[0].steps[0].op = SIM_OP_PERIOD;
	s->audio[0].steps[0].dist.a = PERIOD_NS;
	s->audio[0].steps[1].op = SIM_OP_RUN;
	s->audio[0].steps[1].dist.a = WORK_NS;
	snprintf(s->audio[1].name, SIM_NAME, "burner");
	s->audio[1].count = 1;
	snprintf(s->hog.name, SIM_NAME, "hog");
	s->hog.count = 1;
	snprintf(s->vms[0].name, SIM_NAME, "audio");
	s->vms[0].count = 1;
	s->vms[0].vcpus = 1;
	s->vms[0].tasks = s->audio;
	s->vms[0].task_count = 2;
	snprintf(s->vms[1].name, SIM_NAME, "busy");
	s->vms[1].count = WORLD_HOGS;
	s->vms[1].vcpus = 1;
	s->vms[1].tasks = &s->hog;
	s->vms[1].task_count = 1;
	s->asserts[0].text = (char *)"with.task.audio/player.misses == 0";
	snprintf(s->scenario.name, sizeof(s->scenario.name), "xen-mixed");
	s->scenario.claim = (char *)"a VM that plays audio and computes is served in time";
	s->scenario.source = (char *)"xen-devel";
	s->scenario.duration_ns = UNTIL_NS;
	s->scenario.seed = 1;
	s->scenario.machine.cpus = 2;
	s->scenario.vms = s->vms;
	s->scenario.vm_count = 2;
	s->scenario.asserts = s->asserts;
	s->scenario.assert_count = 1;
}

static void make_vm(struct world *w, const struct world_scenario *s, uint32_t i)
{
	struct sim_vm *vm = &w->vms[i];
	struct sim_thread *t = &w->threads[i];

	vm->id = i;
	vm->spec = &s->vms[i ? 1 : 0];
	if (i)
		snprintf(vm->name, SIM_NAME, "busy.%u", i - 1);
	else
		snprintf(vm->name, SIM_NAME, "audio");
	vm->vcpu_count = 1;
	vm->vcpus = &w->vcpus[i];
	w->vcpus[i].vm = vm;
	w->vcpus[i].thread = t;
	t->id = i;
	t->vcpu = &w->vcpus[i];
	t->klass = PVS_CLASS_BASELINE;
	snprintf(t->name, SIM_NAME, "%.30s/0", vm->name);
	w->thread_at[i] = t;
}

static void make_task(struct world *w, const struct world_scenario *s, uint32_t i)
{
	struct sim_task *task = &w->tasks[i];

	task->id = i;
	task->spec = i < 2 ? &s->audio[i] : &s->hog;
	task->vm = &w->vms[i < 2 ? 0 : i - 1];
	task->vcpu = task->vm->vcpus;
	snprintf(task->name, SIM_NAME, "%s", task->spec->name);
	w->task_at[i] = task;
}

static void note(struct world *w, uint64_t at_ns, enum sim_trace_type type, uint32_t cpu,
		 uint32_t a, uint32_t b, uint64_t v)
{
	sim_trace_add(&w->sim.trace, at_ns, type, cpu, a, b, v);
}

/* The audio vCPU has CPU 0: its player, if it is due, then its burner. */
static uint64_t run_audio(struct world *w, uint64_t now, uint64_t end, uint64_t *due, int boosted)
{
	uint64_t done;

	note(w, now, SIM_T_RUN, 0, 0, w->threads[0].klass, boosted ? PVS_REASON_URGENT : 0);
	while (*due <= now) {
		note(w, now, SIM_T_TASK, 0, 0, PLAYER, 0);
		note(w, now, SIM_T_LATENCY, 0, 0, PLAYER, now - *due);
		done = now + WORK_NS;
		note(w, done, SIM_T_LATENCY, 0, 0, PLAYER, done - *due);
		if (done > *due + PERIOD_NS) {
			note(w, done, SIM_T_MISS, 0, 0, PLAYER, done - *due - PERIOD_NS);
			w->rows[1].value++;
		}
		w->rows[0].value++;
		sim_hist_add(&w->hists[0], done - *due);
		now = done;
		*due += PERIOD_NS;
		if (*due <= now && done > *due + PERIOD_NS)
			*due = now / PERIOD_NS * PERIOD_NS;
	}
	note(w, now, SIM_T_TASK, 0, 0, BURNER, 0);
	if (boosted) {
		w->threads[0].klass = PVS_CLASS_BASELINE;
		note(w, now, SIM_T_CLASS, 0, 0, PVS_CLASS_BASELINE, 1024);
		return now;
	}
	return end > now ? end : now;
}

/* CPU 0 goes round; when it hears, the audio vCPU takes it when its player is due. */
static void run_cpu0(struct world *w, int hears)
{
	uint64_t now = 0, end, due = PERIOD_NS;
	uint32_t next = 0, half = WORLD_HOGS / 2;

	while (now < UNTIL_NS) {
		if (hears && due <= now) {
			w->threads[0].klass = PVS_CLASS_BASELINE + 1;
			note(w, now, SIM_T_CLASS, 0, 0, (PVS_CLASS_BASELINE + 1) |
			     PVS_REASON_URGENT << 16, 1024);
			end = run_audio(w, now, 0, &due, 1);
			note(w, end, SIM_T_STOP, 0, 0, SIM_STOP_PREEMPTED, 0);
			now = end;
		}
		end = now + QUANTUM_NS;
		if (!next) {
			end = run_audio(w, now, end, &due, 0);
			note(w, end, SIM_T_STOP, 0, 0, SIM_STOP_SLICE, 0);
		} else {
			if (hears && due > now && due < end)
				end = due;
			note(w, now, SIM_T_RUN, 0, next, PVS_CLASS_BASELINE, 0);
			note(w, end, SIM_T_STOP, 0, next, SIM_STOP_SLICE, 0);
			w->rows[3].value += end - now;
		}
		now = end;
		next = (next + 1) % (half + 1);
	}
}

static void run_cpu1(struct world *w)
{
	uint32_t half = WORLD_HOGS / 2, next = half + 1;
	uint64_t now;

	for (now = 0; now < UNTIL_NS; now += QUANTUM_NS) {
		note(w, now, SIM_T_RUN, 1, next, PVS_CLASS_BASELINE, 0);
		note(w, now + QUANTUM_NS, SIM_T_STOP, 1, next, SIM_STOP_SLICE, 0);
		w->rows[3].value += QUANTUM_NS;
		next = next == WORLD_HOGS ? half + 1 : next + 1;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct sim_record *x = a, *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	/* who stops does so before the next one runs */
	return (x->type != SIM_T_STOP) - (y->type != SIM_T_STOP);
}

static void make_rows(struct world *w)
{
	static const char *const names[] = { "task.audio/player.jobs", "task.audio/player.misses",
		"task.audio/player.work", "task.busy/hog.work", "pvs.reason.urgent",
		"task.audio/player.response", "vm.busy.waits", "task.busy.3/hog.work" };
	uint32_t i;

	for (i = 0; i < 8; i++)
		snprintf(w->rows[i].name, sizeof(w->rows[i].name), "%s", names[i]);
	w->rows[2].unit = w->rows[3].unit = SIM_NS;
	w->rows[5].hist = &w->hists[0];
	w->rows[6].hist = &w->hists[1];
	w->result.rows = w->rows;
	w->result.count = 8;
}

static void world_make(struct world *w, const struct world_scenario *s, int hears)
{
	uint32_t i;

	memset(w, 0, sizeof(*w));
	w->role.name = hears ? "owning" : "none";
	w->role.speaks = hears;
	w->role.leaves_out = "caches & <memory>";
	w->sched.name = hears ? "rank" : "credit2";
	w->policy.name = hears ? "pvs-owning" : "credit2";
	w->policy.what = "a policy";
	w->policy.sched = &w->sched;
	w->policy.role = &w->role;
	w->sim.policy = &w->policy;
	w->sim.scenario = &s->scenario;
	w->sim.cpu_count = 2;
	w->sim.cpus = w->cpus;
	w->sim.vm_count = w->sim.thread_count = WORLD_THREADS;
	w->sim.vms = w->vms;
	w->sim.threads = w->thread_at;
	w->sim.task_count = WORLD_TASKS;
	w->sim.tasks = w->task_at;
	w->sim.result = &w->result;
	w->sim.now_ns = w->result.until_ns = UNTIL_NS;
	for (i = 0; i < WORLD_THREADS; i++)
		make_vm(w, s, i);
	for (i = 0; i < WORLD_TASKS; i++)
		make_task(w, s, i);
	make_rows(w);
	sim_trace_init(&w->sim.trace);
	sim_trace_keep(&w->sim.trace, 1u << 16, 0, UNTIL_NS);
	run_cpu0(w, hears);
	run_cpu1(w);
	qsort(w->sim.trace.kept, w->sim.trace.count, sizeof(*w->sim.trace.kept), by_time);
}

static void world_free(struct world *w)
{
	sim_trace_free(&w->sim.trace);
}

#endif /* REPORT_WORLD_H */
