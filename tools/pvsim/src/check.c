/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - invariants of the machine, re-derived from scratch after each event: time is conserved,
 * states fit together, the trace tells the truth, counters add up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* As many events at one time as there may be; more is a loop without an end. */
#define AT_ONCE_MAX 20000u

static void *get(void *old, size_t count, size_t size)
{
	void *p = realloc(old, count * size);

	if (!p) {
		fputs("pvsim: out of memory\n", stderr);
		abort();
	}
	return p;
}

/* ---- time ------------------------------------------------------------------------------------ */

static void pass_threads(struct check *c, uint64_t dt_ns)
{
	uint32_t i;

	for (i = 0; i < c->thread_count; i++) {
		struct check_thread *seen = &c->threads[i];

		switch (seen->state) {
		case SIM_RUNNING:
			seen->run_ns += dt_ns;
			if (check_boosted(seen->klass))
				seen->boosted_ns += dt_ns;
			break;
		case SIM_READY:
			seen->wait_ns += dt_ns;
			break;
		default:
			seen->blocked_ns += dt_ns;
		}
	}
}

static void pass_cpus(const struct sim *sim, struct check *c, uint64_t dt_ns)
{
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++) {
		struct check_cpu *seen = &c->cpus[i];

		if (!seen->online)
			seen->offline_ns += dt_ns;
		else if (seen->curr)
			seen->busy_ns += dt_ns;
		else
			seen->idle_ns += dt_ns;
	}
}

static void pass(struct sim *sim, struct check *c)
{
	uint64_t dt_ns = sim->now_ns - c->last_ns;

	if (sim->now_ns < c->last_ns) {
		sim_fail(sim, "time-order: %" PRIu64 " after %" PRIu64, sim->now_ns, c->last_ns);
		return;
	}
	if (!dt_ns)
		return;
	c->at_once = 0;
	pass_threads(c, dt_ns);
	pass_cpus(sim, c, dt_ns);
	check_boost_time(sim, dt_ns);
	check_fair_time(sim, dt_ns);
	c->last_ns = sim->now_ns;
}

static void same(struct sim *sim, const char *invariant, const char *who, const char *what,
		 uint64_t told, uint64_t seen)
{
	if (told != seen)
		sim_fail(sim, "%s: %s of %s is %" PRIu64 ", seen were %" PRIu64, invariant, what,
			 who, told, seen);
}

static void check_thread_time(struct sim *sim, const struct sim_thread *t,
			      const struct check_thread *seen)
{
	uint64_t here_ns = sim->now_ns - t->since_ns;
	uint64_t blocked_ns = t->blocked_ns + (t->state == SIM_BLOCKED ? here_ns : 0);
	uint64_t boosted_ns = t->boosted_ns;

	if (t->state == SIM_RUNNING && check_boosted(t->klass))
		boosted_ns += here_ns;
	same(sim, "time-thread", t->name, "run time", sim_thread_run_ns(sim, t), seen->run_ns);
	same(sim, "time-thread", t->name, "waiting", sim_thread_wait_ns(sim, t), seen->wait_ns);
	same(sim, "time-thread", t->name, "sleep", blocked_ns, seen->blocked_ns);
	same(sim, "time-thread", t->name, "boosted time", boosted_ns, seen->boosted_ns);
	if (seen->run_ns + seen->wait_ns + seen->blocked_ns != sim->now_ns - seen->begin_ns)
		sim_fail(sim, "time-thread: %s ran, waited and slept for %" PRIu64 " of %" PRIu64,
			 t->name, seen->run_ns + seen->wait_ns + seen->blocked_ns,
			 sim->now_ns - seen->begin_ns);
}

static void check_cpu_time(struct sim *sim, const struct sim_cpu *cpu, const struct check_cpu *seen)
{
	uint64_t here_ns = sim->now_ns - cpu->since_ns;
	uint64_t busy_ns = cpu->busy_ns, idle_ns = cpu->idle_ns, offline_ns = cpu->offline_ns;
	char name[16];

	if (!cpu->online)
		offline_ns += here_ns;
	else if (cpu->curr)
		busy_ns += here_ns;
	else
		idle_ns += here_ns;
	if (busy_ns == seen->busy_ns && idle_ns == seen->idle_ns && offline_ns == seen->offline_ns)
		return;
	snprintf(name, sizeof(name), "CPU %" PRIu32, cpu->id);
	same(sim, "time-cpu", name, "busy time", busy_ns, seen->busy_ns);
	same(sim, "time-cpu", name, "idle time", idle_ns, seen->idle_ns);
	same(sim, "time-cpu", name, "time offline", offline_ns, seen->offline_ns);
}

/* What all CPUs were busy for is what all threads ran. */
static void check_sums(struct sim *sim)
{
	uint64_t ran_ns = 0, busy_ns = 0, all_ns = 0;
	uint32_t i;

	for (i = 0; i < sim->thread_count; i++)
		ran_ns += sim_thread_run_ns(sim, sim->threads[i]);
	for (i = 0; i < sim->cpu_count; i++) {
		const struct sim_cpu *cpu = &sim->cpus[i];

		busy_ns += cpu->busy_ns;
		if (cpu->online && cpu->curr)
			busy_ns += sim->now_ns - cpu->since_ns;
		all_ns += cpu->busy_ns + cpu->idle_ns + cpu->offline_ns + sim->now_ns -
			  cpu->since_ns;
	}
	same(sim, "time-sum", "all threads", "run time", ran_ns, busy_ns);
	same(sim, "time-sum", "all CPUs", "time", all_ns, sim->now_ns * sim->cpu_count);
}

/* ---- states -----------------------------------------------------------------------------------*/

static void check_ready(struct sim *sim, const struct sim_thread *t)
{
	if (!t->queued || !t->cpu)
		sim_fail(sim, "state-ready: %s waits in no queue", t->name);
	else if (!sim_may_run(t, t->cpu))
		sim_fail(sim, "state-ready: %s waits for CPU %" PRIu32 ", which it may not use",
			 t->name, t->cpu->id);
}

static void check_running(struct sim *sim, const struct sim_thread *t)
{
	if (!t->cpu || t->cpu->curr != t)
		sim_fail(sim, "state-running: %s runs on no CPU", t->name);
	else if (!t->cpu->online)
		sim_fail(sim, "state-running: %s runs on CPU %" PRIu32 ", which is offline",
			 t->name, t->cpu->id);
	else if (!sim_may_run(t, t->cpu) && !t->cpu->resched.heap_at)
		sim_fail(sim, "state-running: %s may not run on CPU %" PRIu32, t->name,
			 t->cpu->id);
	else if (t->queued)
		sim_fail(sim, "state-running: %s runs and waits in a queue", t->name);
}

static void check_class(struct sim *sim, const struct sim_thread *t)
{
	if (t->klass < PVS_CLASS_BELOW || t->klass > PVS_CLASS_CRITICAL)
		sim_fail(sim, "class: %s has class %u", t->name, t->klass);
	else if (t->rank >= PVS_RANKS || (t->rank && !check_boosted(t->klass)))
		sim_fail(sim, "class: %s has rank %u in class %u", t->name, t->rank, t->klass);
	else if (!t->weight_q10 || t->weight_q10 > 1024 ||
		 (t->klass != PVS_CLASS_BELOW && t->weight_q10 != 1024))
		sim_fail(sim, "class: %s weighs %" PRIu32 " of 1024 in class %u", t->name,
			 t->weight_q10, t->klass);
	else if (!t->vcpu && t->klass != PVS_CLASS_BASELINE)
		sim_fail(sim, "class: %s is no vCPU and has class %u", t->name, t->klass);
}

static void check_vcpu(struct sim *sim, const struct sim_thread *t)
{
	const struct sim_vcpu *v = t->vcpu;
	const struct sim_task *task = v->curr;

	if (v->thread != t)
		sim_fail(sim, "state-vcpu: %s is not the thread of its vCPU", t->name);
	if (task && task->vcpu != v)
		sim_fail(sim, "state-vcpu: %s runs %s, which is on another vCPU", t->name,
			 task->name);
	if (task && task->state != SIM_TASK_RUNNING)
		sim_fail(sim, "state-vcpu: %s runs %s, which does not run", t->name, task->name);
}

static void check_thread(struct sim *sim, const struct sim_thread *t)
{
	switch (t->state) {
	case SIM_READY:
		check_ready(sim, t);
		break;
	case SIM_RUNNING:
		check_running(sim, t);
		break;
	default:
		if (t->queued)
			sim_fail(sim, "state-blocked: %s sleeps in a queue", t->name);
	}
	if (t->state != SIM_BLOCKED && t->wake.heap_at)
		sim_fail(sim, "state-wake: %s is awake and a wake-up is in flight", t->name);
	check_class(sim, t);
	if (t->vcpu)
		check_vcpu(sim, t);
}

static void check_cpu(struct sim *sim, const struct sim_cpu *cpu, const struct check_cpu *seen)
{
	if (cpu->curr && cpu->curr->state != SIM_RUNNING)
		sim_fail(sim, "state-cpu: %s has CPU %" PRIu32 " and does not run", cpu->curr->name,
			 cpu->id);
	if (cpu->curr && cpu->curr->cpu != cpu)
		sim_fail(sim, "state-cpu: %s has CPU %" PRIu32 " and is on another",
			 cpu->curr->name, cpu->id);
	if (cpu->curr && !cpu->online)
		sim_fail(sim, "state-cpu: CPU %" PRIu32 " is offline and runs %s", cpu->id,
			 cpu->curr->name);
	if (cpu->level >= cpu->level_count)
		sim_fail(sim, "state-cpu: CPU %" PRIu32 " has no level %" PRIu32, cpu->id,
			 cpu->level);
	if (seen->traced != (cpu->curr ? cpu->curr->id : SIM_NO_THREAD))
		sim_fail(sim, "trace: thread %" PRIu32 " runs on CPU %" PRIu32
			 " by the trace, not %s", seen->traced, cpu->id,
			 cpu->curr ? cpu->curr->name : "nobody");
	if (seen->switches != cpu->switches)
		sim_fail(sim, "counters: CPU %" PRIu32 " counts %" PRIu64 " switches of %" PRIu64,
			 cpu->id, cpu->switches, seen->switches);
}

static void check_queue(struct sim *sim)
{
	const char *wrong = sim_queue_wrong(&sim->queue, sim->now_ns);

	if (wrong)
		sim_fail(sim, "queue: %s", wrong);
}

/* ---- the trace --------------------------------------------------------------------------------*/

static void traced_run(struct sim *sim, struct check_cpu *cpu, const struct sim_record *r)
{
	if (cpu->traced != SIM_NO_THREAD)
		sim_fail(sim, "trace: CPU %u is given to thread %" PRIu32
			 " and not taken from %" PRIu32, r->cpu, r->a, cpu->traced);
	cpu->traced = r->a;
	cpu->switches++;
}

static void traced_stop(struct sim *sim, struct check_cpu *cpu, struct check_thread *t,
			const struct sim_record *r)
{
	if (cpu->traced != r->a)
		sim_fail(sim, "trace: CPU %u is taken from thread %" PRIu32
			 ", which has not got it", r->cpu, r->a);
	cpu->traced = SIM_NO_THREAD;
	if (r->b == SIM_STOP_PREEMPTED || r->b == SIM_STOP_SLICE)
		t->preempted++;
	if (r->b == SIM_STOP_YIELDED)
		check_fair_disturbed(sim, r->a);
}

static void see_new(struct sim *sim);

static void watch(void *ctx, const struct sim_record *r)
{
	struct sim *sim = ctx;
	struct check *c = check_of(sim);

	pass(sim, c);
	if (sim->thread_count > c->thread_count)
		see_new(sim);
	if (r->at_ns != sim->now_ns)
		sim_fail(sim, "trace: a record of another time");
	check_count_record(sim, r);
	switch (r->type) {
	case SIM_T_RUN:
		traced_run(sim, &c->cpus[r->cpu], r);
		break;
	case SIM_T_STOP:
		traced_stop(sim, &c->cpus[r->cpu], &c->threads[r->a], r);
		break;
	case SIM_T_WAKE:
		c->threads[r->a].wakeups++;
		break;
	case SIM_T_YIELD:
		check_fair_disturbed(sim, r->a);
		if (r->b != SIM_NO_THREAD)
			check_fair_disturbed(sim, r->b);
		break;
	default:
		break;
	}
}

/* ---- what is seen -----------------------------------------------------------------------------*/

/* Threads made since the last look; they are on no CPU and have no past. */
static void see_new(struct sim *sim)
{
	struct check *c = check_of(sim);

	if (sim->thread_count > c->thread_room) {
		c->thread_room = sim->thread_room;
		c->threads = get(c->threads, c->thread_room, sizeof(*c->threads));
	}
	while (c->thread_count < sim->thread_count) {
		const struct sim_thread *t = sim->threads[c->thread_count];
		struct check_thread *seen = &c->threads[c->thread_count];

		memset(seen, 0, sizeof(*seen));
		seen->state = SIM_BLOCKED;
		seen->begin_ns = sim->now_ns;
		seen->klass = t->klass;
		seen->weight = check_weight(t);
		seen->restored_by_ns = SIM_NEVER;
		check_fair_new(sim, c->thread_count);
		c->thread_count++;
	}
}

static void see(struct sim *sim, struct check *c)
{
	uint32_t i;

	for (i = 0; i < c->thread_count; i++) {
		const struct sim_thread *t = sim->threads[i];
		struct check_thread *seen = &c->threads[i];

		seen->state = t->state;
		seen->cpu = t->cpu;
		seen->klass = t->klass;
		seen->reason = t->reason;
		seen->weight = check_weight(t);
	}
	for (i = 0; i < sim->cpu_count; i++) {
		c->cpus[i].curr = sim->cpus[i].curr;
		c->cpus[i].online = sim->cpus[i].online;
	}
	c->skew_ns = sim->clock_skew_ns;
}

/* Everything, from the beginning. */
static void check_all(struct sim *sim, struct check *c)
{
	uint32_t i;

	for (i = 0; i < c->thread_count; i++) {
		const struct sim_thread *t = sim->threads[i];

		check_thread_time(sim, t, &c->threads[i]);
		check_thread(sim, t);
		if (t->preempted != c->threads[i].preempted ||
		    t->wakeups != c->threads[i].wakeups)
			sim_fail(sim, "counters: %s counts %" PRIu64 " preemptions of %" PRIu64
				 ", %" PRIu64 " wake-ups of %" PRIu64, t->name, t->preempted,
				 c->threads[i].preempted, t->wakeups, c->threads[i].wakeups);
	}
	for (i = 0; i < sim->cpu_count; i++) {
		check_cpu_time(sim, &sim->cpus[i], &c->cpus[i]);
		check_cpu(sim, &sim->cpus[i], &c->cpus[i]);
	}
	check_sums(sim);
}

void sim_check_event(struct sim *sim)
{
	struct check *c = check_of(sim);

	pass(sim, c);
	if (sim->thread_count > c->thread_count)
		see_new(sim);
	c->events++;
	if (c->at_once++ > AT_ONCE_MAX)
		sim_fail(sim, "progress: %u events and no time has passed", AT_ONCE_MAX);
	if (c->thread_count <= CHECK_PAIRS_MAX || c->events % CHECK_SPARSE == 0)
		check_all(sim, c);
	if (c->events % CHECK_SPARSE == 0)
		check_queue(sim);
	check_boost_event(sim);
	check_fair_event(sim);
	see(sim, c);
}

void sim_check_init(struct sim *sim)
{
	struct check *c = calloc(1, sizeof(*c));
	uint32_t i;

	if (!c)
		abort();
	sim->check_data = c;
	c->cpus = get(NULL, sim->cpu_count, sizeof(*c->cpus));
	memset(c->cpus, 0, sim->cpu_count * sizeof(*c->cpus));
	for (i = 0; i < sim->cpu_count; i++)
		c->cpus[i].traced = SIM_NO_THREAD;
	c->vm_count = sim->vm_count;
	c->vm_boost = get(NULL, sim->vm_count + 1, sizeof(*c->vm_boost));
	memset(c->vm_boost, 0, (sim->vm_count + 1) * sizeof(*c->vm_boost));
	c->generation = get(NULL, sim->vm_count + 1, sizeof(*c->generation));
	for (i = 0; i < sim->vm_count; i++)
		c->generation[i] = sim->vms[i].generation;
	sim->trace.watch = watch;
	sim->trace.watch_ctx = sim;
	check_boost_init(sim);
	check_fair_init(sim);
	check_count_init(sim);
	see_new(sim);
	see(sim, c);
}

void sim_check_end(struct sim *sim)
{
	struct check *c = check_of(sim);

	pass(sim, c);
	check_all(sim, c);
	check_queue(sim);
	check_boost_end(sim);
	check_count_end(sim);
}

void sim_check_free(struct sim *sim)
{
	struct check *c = check_of(sim);

	if (!c)
		return;
	sim->trace.watch = NULL;
	free(c->threads);
	free(c->cpus);
	free(c->vm_boost);
	free(c->generation);
	free(c->pair_run);
	check_count_free(sim);
	free(c);
	sim->check_data = NULL;
}
