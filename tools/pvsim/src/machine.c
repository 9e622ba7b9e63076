/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - CPUs run threads: time is charged, work is done, costs are paid, and at each decision
 * the scheduler is asked who is next.
 *
 *   timer fires -> settle (charge, did) -> decide (put back, pick, start) -> go_on (pay, next)
 *
 * Nothing here calls a body while another one is being asked: wake-ups, pokes and decisions are
 * timers, also when they are due at once.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* A body may be asked so often in a row without doing any work; more is a bug of its program. */
#define ASKED_MAX 4096u

/* A vCPU that is worth less at its pick than in the queue is put back so often. */
#define PICKS_MAX 4u

void sim_costs_default(struct sim_costs *costs)
{
	*costs = (struct sim_costs){
		.switch_ns = 1070,     /* thread switch, i7 11th gen (field.md 3.1) */
		.ipi_ns = 1500,        /* reschedule IPI, 1-2 us (field.md 3.3) */
		.exit_ns = 638,        /* MMIO answered in the kernel, arm64 (field.md 3.1) */
		.hypercall_ns = 408,   /* arm64 (field.md 3.1) */
		.mmio_user_ns = 2306,  /* arm64 (field.md 3.1) */
		.vipi_ns = 1697,       /* IPI to another vCPU, arm64 (field.md 3.1) */
		.inject_ns = 638,      /* as an exit */
		.wake_ns = 1400,       /* futex wake to another CPU, low end (field.md 3.2) */
		.knob_ns = 452,        /* sched_setattr FIFO <-> OTHER (field.md 3.2) */
		.look_ns = 200,        /* DESIGN 9: the decision's budget on a core of 1 GHz */
		.migrate_ns = 3000,    /* refilling a first-level cache over the interconnect */
		.timer_slack_ns = 50000, /* timerslack_ns of a Linux thread by default */
	};
}

/* ---- clocks -----------------------------------------------------------------------------------*/

static uint64_t wall_of(const struct sim_cpu *cpu, uint64_t work_ns)
{
	uint32_t speed = cpu->levels[cpu->level].speed;

	if (speed == 1024)
		return work_ns;
	return (work_ns * 1024 + speed - 1) / speed;
}

/* How much work the CPU has done for its thread since it was last asked; the rest is kept. */
static uint64_t work_since(struct sim *sim, struct sim_cpu *cpu)
{
	uint64_t from = cpu->work_from_ns, work;
	uint32_t speed = cpu->levels[cpu->level].speed;

	if (from < cpu->overhead_until_ns)
		from = cpu->overhead_until_ns;
	if (from >= sim->now_ns)
		return 0;
	cpu->work_from_ns = sim->now_ns;
	if (speed == 1024)
		return sim->now_ns - from;
	work = (sim->now_ns - from) * speed + cpu->work_rest;
	cpu->work_rest = (uint32_t)(work & 1023);
	return work >> 10;
}

static void account_cpu(struct sim *sim, struct sim_cpu *cpu)
{
	uint64_t ns = sim->now_ns - cpu->since_ns;

	if (!ns)
		return;
	cpu->since_ns = sim->now_ns;
	if (!cpu->online) {
		cpu->offline_ns += ns;
		return;
	}
	if (cpu->curr) {
		cpu->busy_ns += ns;
		cpu->energy_nj += ns * cpu->levels[cpu->level].power_mw / 1000;
	} else {
		cpu->idle_ns += ns;
		cpu->energy_nj += ns * cpu->idle_mw / 1000;
	}
}

/* The running thread's time is charged up to now. */
static void charge(struct sim *sim, struct sim_cpu *cpu)
{
	struct sim_thread *t = cpu->curr;
	uint64_t ran_ns;

	account_cpu(sim, cpu);
	if (!t)
		return;
	ran_ns = sim->now_ns - cpu->curr_since_ns;
	if (!ran_ns)
		return;
	cpu->curr_since_ns = sim->now_ns;
	t->since_ns = sim->now_ns;
	t->run_ns += ran_ns;
	if (t->klass > PVS_CLASS_BASELINE)
		t->boosted_ns += ran_ns;
	sim->policy->sched->charge(sim, cpu, t, ran_ns);
}

/* The body is told what it has done. */
static void tell_body(struct sim *sim, struct sim_cpu *cpu)
{
	struct sim_thread *t = cpu->curr;
	uint64_t work;

	if (!t || cpu->asking)
		return;
	work = work_since(sim, cpu);
	if (!work || !cpu->step_work)
		return;
	if (cpu->step_work < SIM_WORK_SPIN) {
		if (work > cpu->step_work)
			work = cpu->step_work;
		cpu->step_work -= work;
	}
	t->work_ns += work;
	t->body->did(sim, t, work);
}

void sim_settle(struct sim *sim, struct sim_cpu *cpu)
{
	charge(sim, cpu);
	tell_body(sim, cpu);
}

uint64_t sim_thread_run_ns(const struct sim *sim, const struct sim_thread *t)
{
	if (t->state == SIM_RUNNING)
		return t->run_ns + (sim->now_ns - t->since_ns);
	return t->run_ns;
}

uint64_t sim_thread_wait_ns(const struct sim *sim, const struct sim_thread *t)
{
	if (t->state == SIM_READY)
		return t->wait_ns + (sim->now_ns - t->since_ns);
	return t->wait_ns;
}

/* ---- where to ---------------------------------------------------------------------------------*/

/*
 * The scheduler's choice. Who may use no CPU that is online any more may use all of them from now
 * on, as on Linux when CPUs are unplugged (select_fallback_rq, cpuset_cpus_allowed_fallback).
 */
static struct sim_cpu *select_cpu(struct sim *sim, struct sim_thread *t)
{
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++)
		if (sim_may_run(t, &sim->cpus[i]))
			return sim->policy->sched->select(sim, t);
	t->affinity = UINT64_MAX;
	return sim->policy->sched->select(sim, t);
}

/* ---- telling others ---------------------------------------------------------------------------*/

static void tell_role(struct sim *sim, struct sim_thread *t, uint32_t type, uint32_t arg)
{
	if (t->vcpu && sim->policy->role->event)
		sim->policy->role->event(sim, t->vcpu, type, arg);
}

static void note_yielder(struct sim *sim, struct sim_thread *t, enum sim_yield_note what,
			 uint32_t arg)
{
	if (t->vcpu && sim->policy->yielder->note)
		sim->policy->yielder->note(sim, t->vcpu, what, arg);
}

/* What the host knows of a vCPU that waits for a CPU. */
static uint32_t waits_flags(const struct sim_thread *t, uint32_t why)
{
	uint32_t flags = 0;

	if (!t->vcpu)
		return 0;
	if (why != SIM_STOP_BLOCKED)
		flags |= PVS_WAITS_PREEMPTED;
	if (t->vcpu->in_kernel)
		flags |= PVS_WAITS_KERNEL;
	if (t->vcpu->irq_pending)
		flags |= PVS_WAITS_INTERRUPT;
	return flags;
}

/* ---- decisions --------------------------------------------------------------------------------*/

/* Arms the decision, unless an earlier one is due. */
static void decide_at(struct sim *sim, struct sim_cpu *cpu, uint64_t at_ns)
{
	if (cpu->resched.heap_at && cpu->resched.at_ns <= at_ns)
		return;
	sim_arm(sim, &cpu->resched, at_ns);
}

void sim_resched(struct sim *sim, struct sim_cpu *cpu, const struct sim_cpu *from)
{
	uint64_t at_ns = sim->now_ns;

	if (from && from != cpu) {
		at_ns += sim->costs.ipi_ns;
		cpu->ipis++;
	}
	decide_at(sim, cpu, at_ns);
}

/* How long the running vCPU may put a preemption off. */
static uint64_t deferral(struct sim *sim, struct sim_cpu *cpu, uint32_t by_class)
{
	const struct sim_role *role = sim->policy->role;

	if (!role->defer || !cpu->curr || !cpu->curr->vcpu)
		return 0;
	return role->defer(sim, cpu->curr->vcpu, by_class);
}

/* `t` waits on this CPU: does it take it from who runs? */
static void check_preempt(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	uint64_t defer_ns;

	if (!cpu->curr) {
		sim_resched(sim, cpu, sim->acting);
		return;
	}
	charge(sim, cpu);
	if (!sim->policy->sched->preempts(sim, cpu, t))
		return;
	defer_ns = deferral(sim, cpu, t->klass);
	if (defer_ns)
		decide_at(sim, cpu, sim->now_ns + defer_ns);
	else
		sim_resched(sim, cpu, sim->acting);
}

static void enqueue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t, uint32_t flags)
{
	/* who runs there is charged before: queues are ordered by what everybody has had */
	if (cpu->curr != t)
		charge(sim, cpu);
	t->cpu = cpu;
	sim->policy->sched->enqueue(sim, cpu, t, flags);
	t->queued = 1;
}

static void dequeue(struct sim *sim, struct sim_thread *t)
{
	charge(sim, t->cpu);
	sim->policy->sched->dequeue(sim, t->cpu, t);
	t->queued = 0;
}

/* It waits for a CPU from now on. */
static void becomes_ready(struct sim *sim, struct sim_thread *t)
{
	if (t->state == SIM_BLOCKED)
		t->blocked_ns += sim->now_ns - t->since_ns;
	t->state = SIM_READY;
	t->since_ns = sim->now_ns;
}

static void end_wait(struct sim *sim, struct sim_thread *t)
{
	uint64_t waited_ns = sim->now_ns - t->since_ns;

	t->wait_ns += waited_ns;
	if (sim->now_ns >= sim->scenario->warmup_ns) {
		sim_hist_add(t->waits, waited_ns);
		if (waited_ns > t->wait_max_ns)
			t->wait_max_ns = waited_ns;
	}
}

/* Takes the CPU from its thread. Its step stays armed: who is next arms his own in its place. */
static void stop(struct sim *sim, struct sim_cpu *cpu, uint32_t why)
{
	struct sim_thread *t = cpu->curr;

	sim_settle(sim, cpu);
	cpu->curr = NULL;
	cpu->step_work = 0;
	sim_note(sim, SIM_T_STOP, cpu->id, t->id, why, 0);
	if (t->body->runs)
		t->body->runs(sim, t, 0, why);
	/* What it still had to pay it pays when it runs again. */
	if (cpu->overhead_until_ns > sim->now_ns)
		t->overhead_ns += cpu->overhead_until_ns - sim->now_ns;
	t->since_ns = sim->now_ns;
	if (why == SIM_STOP_BLOCKED) {
		t->state = SIM_BLOCKED;
		note_yielder(sim, t, SIM_Y_BLOCKS, 0);
		return;
	}
	t->state = SIM_READY;
	if (why == SIM_STOP_PREEMPTED || why == SIM_STOP_SLICE)
		t->preempted++;
	note_yielder(sim, t, SIM_Y_WAITS, waits_flags(t, why));
}

static void arm_tick(struct sim *sim, struct sim_cpu *cpu)
{
	uint64_t tick_ns = sim->tick_ns;

	if (tick_ns && !cpu->tick.heap_at)
		sim_arm(sim, &cpu->tick, (sim->now_ns / tick_ns + 1) * tick_ns);
}

static void set_slice(struct sim *sim, struct sim_cpu *cpu)
{
	const struct sim_sched *sched = sim->policy->sched;
	uint64_t slice_ns = SIM_NEVER;

	if (sched->slice)
		slice_ns = sched->slice(sim, cpu, cpu->curr);
	cpu->slice_end_ns = slice_ns > SIM_NEVER - sim->now_ns ? SIM_NEVER : sim->now_ns + slice_ns;
}

/* Gives the CPU to a thread that was READY. */
static void start(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	uint64_t overhead_ns = sim->costs.switch_ns + t->overhead_ns;

	account_cpu(sim, cpu);
	end_wait(sim, t);
	if (t->cpu != cpu || (t->ran_on && t->ran_on != cpu)) {
		t->migrations++;
		cpu->migrations_in++;
		overhead_ns += sim->costs.migrate_ns;
	}
	t->cpu = cpu;
	t->ran_on = cpu;
	t->overhead_ns = 0;
	t->state = SIM_RUNNING;
	t->since_ns = sim->now_ns;
	cpu->curr = t;
	cpu->curr_since_ns = sim->now_ns;
	cpu->work_from_ns = sim->now_ns;
	cpu->work_rest = 0;
	cpu->step_work = 0;
	cpu->overhead_until_ns = sim->now_ns + wall_of(cpu, overhead_ns);
	cpu->switches++;
	sim_note(sim, SIM_T_RUN, cpu->id, t->id, t->klass, t->reason);
	note_yielder(sim, t, SIM_Y_RUNS, 0);
	if (t->body->runs)
		t->body->runs(sim, t, 1, 0);
	arm_tick(sim, cpu);
}

/* The scheduler's choice, asked again when the role says that it is worth less than it was. */
static struct sim_thread *pick(struct sim *sim, struct sim_cpu *cpu)
{
	const struct sim_sched *sched = sim->policy->sched;
	struct sim_thread *t;
	uint32_t tries, klass;

	for (tries = 0;; tries++) {
		t = sched->pick(sim, cpu);
		if (!t)
			return NULL;
		t->queued = 0;
		t->cpu = cpu;
		klass = t->klass;
		tell_role(sim, t, PVS_EV_PICK, 0);
		if (t->klass >= klass || tries == PICKS_MAX)
			return t;
		enqueue(sim, cpu, t, SIM_ENQ_PREEMPTED);
	}
}

static void go_on(struct sim *sim, struct sim_cpu *cpu);

/*
 * Decides anew. Who runs goes back to the queue and may be picked again: then nothing has happened
 * to it but the charge.
 */
static void decide(struct sim *sim, struct sim_cpu *cpu, uint32_t why)
{
	struct sim_thread *prev = cpu->curr, *next;
	uint64_t since_ns;

	sim_settle(sim, cpu);
	sim_disarm(sim, &cpu->resched);
	if (!cpu->online)
		return;
	if (prev) {
		/* Its state is "waits" for scheduler and role, and no longer if it stays. */
		since_ns = prev->since_ns;
		prev->state = SIM_READY;
		tell_role(sim, prev, PVS_EV_ENQUEUE, 0);
		enqueue(sim, cpu, prev, why == SIM_STOP_SLICE ? SIM_ENQ_SLICE : SIM_ENQ_PREEMPTED);
		next = pick(sim, cpu);
		if (next == prev) {
			prev->state = SIM_RUNNING;
			prev->since_ns = since_ns;
			set_slice(sim, cpu);
			go_on(sim, cpu);
			return;
		}
		prev->state = SIM_RUNNING;
		stop(sim, cpu, why);
	} else {
		next = pick(sim, cpu);
	}
	if (!next) {
		sim_disarm(sim, &cpu->step);
		return;
	}
	start(sim, cpu, next);
	set_slice(sim, cpu);
	go_on(sim, cpu);
}

/* It has given its CPU up by itself: who is next? */
static void leave(struct sim *sim, struct sim_cpu *cpu, uint32_t why)
{
	const struct sim_sched *sched = sim->policy->sched;
	struct sim_thread *t = cpu->curr, *next;

	charge(sim, cpu);
	if (why == SIM_STOP_BLOCKED) {
		tell_role(sim, t, PVS_EV_HALT, 0);
		if (sched->block)
			sched->block(sim, cpu, t);
	}
	stop(sim, cpu, why);
	if (why == SIM_STOP_YIELDED) {
		tell_role(sim, t, PVS_EV_ENQUEUE, 0);
		enqueue(sim, cpu, t, SIM_ENQ_YIELDED);
	}
	sim_disarm(sim, &cpu->resched);
	next = pick(sim, cpu);
	if (!next) {
		sim_disarm(sim, &cpu->step);
		return;
	}
	start(sim, cpu, next);
	set_slice(sim, cpu);
}

/* ---- what the running thread does -------------------------------------------------------------*/

/* Arms the end of the step, of the overhead or of the slice, whichever is first. */
static void arm_step(struct sim *sim, struct sim_cpu *cpu)
{
	uint64_t at_ns = cpu->slice_end_ns, from_ns = sim->now_ns, end_ns;

	if (from_ns < cpu->overhead_until_ns)
		from_ns = cpu->overhead_until_ns;
	if (cpu->step_work < SIM_WORK_SPIN) {
		end_ns = from_ns + wall_of(cpu, cpu->step_work);
		/* work done in part of a nanosecond: one more settles it */
		if (end_ns == sim->now_ns)
			end_ns++;
		if (end_ns < at_ns)
			at_ns = end_ns;
	}
	sim_arm(sim, &cpu->step, at_ns);
}

static void take_overhead(struct sim *sim, struct sim_cpu *cpu)
{
	struct sim_thread *t = cpu->curr;
	uint64_t from_ns = cpu->overhead_until_ns;

	if (from_ns < sim->now_ns)
		from_ns = sim->now_ns;
	if (t->overhead_ns)
		cpu->overhead_until_ns = from_ns + wall_of(cpu, t->overhead_ns);
	t->overhead_ns = 0;
}

/* What is to be paid is paid first; 1: it is being paid. */
static int pays(struct sim *sim, struct sim_cpu *cpu)
{
	take_overhead(sim, cpu);
	if (cpu->overhead_until_ns <= sim->now_ns)
		return 0;
	cpu->step_work = 0;
	arm_step(sim, cpu);
	return 1;
}

/*
 * The running thread goes on: its body is asked until there is work to do, or nobody to do any.
 * Whoever gets the CPU pays for the switch before it is asked.
 */
static void go_on(struct sim *sim, struct sim_cpu *cpu)
{
	struct sim_thread *t;
	uint32_t asked;
	uint64_t work;

	for (asked = 0; asked < ASKED_MAX; asked++) {
		t = cpu->curr;
		if (!t || pays(sim, cpu))
			return;
		t->poked = 0;
		cpu->asking = 1;
		work = t->body->next(sim, t);
		cpu->asking = 0;
		if (work == SIM_WORK_YIELD) {
			leave(sim, cpu, SIM_STOP_YIELDED);
			continue;
		}
		if (t->poked)
			continue;
		if (work == SIM_WORK_BLOCK) {
			/* it pays, then it is asked once more, and sleeps */
			if (t->overhead_ns)
				continue;
			leave(sim, cpu, SIM_STOP_BLOCKED);
			continue;
		}
		take_overhead(sim, cpu);
		cpu->step_work = work;
		cpu->work_from_ns = sim->now_ns;
		arm_step(sim, cpu);
		return;
	}
	sim_fail(sim, "%s: its program does nothing, for ever", t->name);
}

static void step_fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_cpu *cpu = timer->owner;
	uint64_t defer_ns;

	sim->acting = cpu;
	sim_settle(sim, cpu);
	if (!cpu->curr)
		return;
	if (sim->now_ns >= cpu->slice_end_ns) {
		defer_ns = deferral(sim, cpu, PVS_CLASS_BASELINE);
		if (!defer_ns) {
			decide(sim, cpu, SIM_STOP_SLICE);
			return;
		}
		cpu->slice_end_ns = sim->now_ns + defer_ns;
	}
	if (cpu->step_work && cpu->step_work < SIM_WORK_SPIN && !cpu->curr->poked)
		arm_step(sim, cpu); /* it is not done with what it said last */
	else
		go_on(sim, cpu);
}

static void resched_fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_cpu *cpu = timer->owner;

	sim->acting = cpu;
	decide(sim, cpu, SIM_STOP_PREEMPTED);
}

static void tick_fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_cpu *cpu = timer->owner;
	const struct sim_sched *sched = sim->policy->sched;
	uint64_t defer_ns;

	if (!cpu->curr || !cpu->online)
		return; /* no tick while it is idle; the next start arms it */
	sim->acting = cpu;
	sim_settle(sim, cpu);
	arm_tick(sim, cpu);
	tell_role(sim, cpu->curr, PVS_EV_TICK, 0);
	if (!sched->tick || !sched->tick(sim, cpu))
		return;
	defer_ns = deferral(sim, cpu, PVS_CLASS_BASELINE);
	decide_at(sim, cpu, sim->now_ns + defer_ns);
}

/* ---- wake-ups ---------------------------------------------------------------------------------*/

static void wake_fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_thread *t = timer->owner;
	struct sim_cpu *cpu;

	if (t->state != SIM_BLOCKED)
		return;
	sim->acting = timer->arg ? &sim->cpus[timer->arg - 1] : NULL;
	tell_role(sim, t, PVS_EV_WAKE, 0);
	becomes_ready(sim, t);
	t->wakeups++;
	note_yielder(sim, t, SIM_Y_WAITS, waits_flags(t, SIM_STOP_BLOCKED));
	cpu = select_cpu(sim, t);
	sim_note(sim, SIM_T_WAKE, cpu->id, t->id, 0, 0);
	tell_role(sim, t, PVS_EV_ENQUEUE, 0);
	enqueue(sim, cpu, t, SIM_ENQ_WAKE);
	check_preempt(sim, cpu, t);
}

void sim_wake(struct sim *sim, struct sim_thread *t)
{
	if (t->state != SIM_BLOCKED) {
		/* it may be on its way to sleep: asked again, it sees what it was woken for */
		sim_poke(sim, t);
		return;
	}
	if (t->wake.heap_at)
		return;
	t->wake.arg = sim->acting ? sim->acting->id + 1 : 0;
	sim_arm(sim, &t->wake, sim->now_ns + sim->costs.wake_ns);
}

void sim_poke(struct sim *sim, struct sim_thread *t)
{
	if (t->state != SIM_RUNNING)
		return;
	t->poked = 1;
	if (!t->cpu->asking)
		sim_arm(sim, &t->cpu->step, sim->now_ns);
}

void sim_overhead(struct sim *sim, struct sim_thread *t, uint64_t ns)
{
	t->overhead_ns += ns;
	t->asked_ns += ns;
	if (t->state == SIM_RUNNING)
		sim_poke(sim, t);
}

/* ---- changes ----------------------------------------------------------------------------------*/

void sim_set_class(struct sim *sim, struct sim_thread *t, uint32_t klass, uint32_t rank,
		   uint32_t weight_q10, uint32_t reason)
{
	const struct sim_sched *sched = sim->policy->sched;
	int queued = t->queued;

	t->reason = (uint8_t)reason;
	if (t->klass == klass && t->rank == rank && t->weight_q10 == weight_q10)
		return;
	if (t->state == SIM_RUNNING)
		charge(sim, t->cpu);
	if (queued)
		dequeue(sim, t);
	if (klass > PVS_CLASS_BASELINE && t->klass <= PVS_CLASS_BASELINE)
		t->boost_since_ns = sim->now_ns;
	t->klass = (uint8_t)klass;
	t->rank = (uint8_t)rank;
	t->weight_q10 = weight_q10;
	sim_note(sim, SIM_T_CLASS, t->cpu ? t->cpu->id : 0, t->id,
		 klass | rank << 8 | reason << 16, weight_q10);
	if (sched->reclass)
		sched->reclass(sim, t);
	if (queued) {
		enqueue(sim, t->cpu, t, SIM_ENQ_PREEMPTED);
		check_preempt(sim, t->cpu, t);
	} else if (t->state == SIM_RUNNING) {
		/* worth more or less than before: others may be next, or the slice be another */
		sim_resched(sim, t->cpu, sim->acting);
	}
}

void sim_migrate(struct sim *sim, struct sim_thread *t, struct sim_cpu *to)
{
	if (!t->queued || t->cpu == to)
		return;
	dequeue(sim, t);
	tell_role(sim, t, PVS_EV_MIGRATE, to->id);
	enqueue(sim, to, t, SIM_ENQ_MIGRATED);
}

void sim_set_level(struct sim *sim, struct sim_cpu *cpu, uint32_t level)
{
	if (level >= cpu->level_count || level == cpu->level)
		return;
	sim_settle(sim, cpu);
	cpu->level = level;
	sim_note(sim, SIM_T_LEVEL, cpu->id, 0, level, cpu->levels[level].speed);
	if (cpu->curr && !cpu->asking && cpu->step.heap_at)
		sim_arm(sim, &cpu->step, sim->now_ns);
}

/* Sends a waiting thread to a CPU that it may run on. */
static void place_anew(struct sim *sim, struct sim_thread *t)
{
	struct sim_cpu *to = select_cpu(sim, t);

	if (t->queued) {
		sim_migrate(sim, t, to);
	} else {
		tell_role(sim, t, PVS_EV_MIGRATE, to->id);
		enqueue(sim, to, t, SIM_ENQ_MIGRATED);
	}
	check_preempt(sim, to, t);
}

void sim_cpu_online(struct sim *sim, struct sim_cpu *cpu, int online)
{
	struct sim_thread *t = cpu->curr;
	uint32_t i;

	sim_settle(sim, cpu);
	if (!!cpu->online == !!online)
		return;
	if (online) {
		cpu->online = 1;
		sim_resched(sim, cpu, NULL);
		return;
	}
	if (t)
		stop(sim, cpu, SIM_STOP_PREEMPTED);
	cpu->online = 0;
	sim_disarm(sim, &cpu->step);
	sim_disarm(sim, &cpu->resched);
	sim_disarm(sim, &cpu->tick);
	if (t)
		place_anew(sim, t);
	for (i = 0; i < sim->thread_count; i++)
		if (sim->threads[i]->queued && sim->threads[i]->cpu == cpu)
			place_anew(sim, sim->threads[i]);
}

void sim_set_affinity(struct sim *sim, struct sim_thread *t, uint64_t affinity)
{
	t->affinity = affinity;
	if (t->queued && !sim_may_run(t, t->cpu))
		place_anew(sim, t);
	else if (t->state == SIM_RUNNING && !sim_may_run(t, t->cpu))
		sim_resched(sim, t->cpu, sim->acting);
}

int sim_vcpu_yields(struct sim *sim, struct sim_vcpu *v, uint32_t type, int kernel)
{
	const struct sim_policy *policy = sim->policy;
	struct sim_vcpu *to;

	charge(sim, v->thread->cpu);
	tell_role(sim, v->thread, type, 0);
	if (!policy->yielder->choose || (sim->defects & SIM_DEFECT_NO_YIELD))
		return type == PVS_EV_YIELD;
	to = policy->yielder->choose(sim, v, kernel);
	sim_note(sim, SIM_T_YIELD, v->thread->cpu->id, v->thread->id,
		 to ? to->thread->id : SIM_NO_THREAD, 0);
	if (!to)
		return type == PVS_EV_YIELD;
	if (to == v)
		return 1;
	if (policy->yielder->transfer)
		policy->yielder->transfer(sim, v, to);
	if (!policy->sched->yield_to)
		return 1;
	return policy->sched->yield_to(sim, v->thread, to->thread) || type == PVS_EV_YIELD;
}

/* ---- making -----------------------------------------------------------------------------------*/

struct sim_thread *sim_thread_new(struct sim *sim, const char *name, const struct sim_body *body,
				  void *ctx)
{
	struct sim_thread *t = calloc(1, sizeof(*t));

	if (sim->thread_count == sim->thread_room) {
		sim->thread_room = sim->thread_room ? 2 * sim->thread_room : 64;
		sim->threads = realloc(sim->threads, sim->thread_room * sizeof(sim->threads[0]));
	}
	t->waits = calloc(1, sizeof(*t->waits));
	t->entity = calloc(1, sim->policy->sched->entity_size + 1);
	if (!sim->threads || !t->waits || !t->entity)
		abort();
	t->id = sim->thread_count;
	sim->threads[sim->thread_count++] = t;
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->body = body;
	t->ctx = ctx;
	t->state = SIM_BLOCKED;
	t->affinity = UINT64_MAX;
	t->weight = 1024;
	t->weight_q10 = 1024;
	t->klass = PVS_CLASS_BASELINE;
	t->since_ns = sim->now_ns;
	t->wake.owner = t;
	t->wake.fire = wake_fires;
	return t;
}

void sim_thread_start(struct sim *sim, struct sim_thread *t)
{
	if (sim->policy->sched->attach)
		sim->policy->sched->attach(sim, t);
}

/* The CPUs of the scenario: in clusters, or all the same. */
void sim_machine_init(struct sim *sim)
{
	const struct sim_machine_spec *m = &sim->scenario->machine;
	uint32_t i, cluster = 0, left = m->cluster_count ? m->clusters[0].cpus : 0;

	sim->costs = m->costs;
	sim->cpu_count = m->cpus;
	sim->cpus = calloc(m->cpus, sizeof(*sim->cpus));
	sim->tick_ns = m->tick_hz ? SIM_S / m->tick_hz : sim->policy->sched->tick_ns;
	for (i = 0; i < m->cpus; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];

		cpu->id = i;
		cpu->online = 1;
		cpu->capacity = 1024;
		cpu->level_count = 1;
		cpu->levels[0] = (struct sim_level){ .khz = 1000000, .speed = 1024 };
		if (m->cluster_count) {
			while (!left && cluster + 1 < m->cluster_count)
				left = m->clusters[++cluster].cpus;
			left--;
			cpu->capacity = m->clusters[cluster].capacity;
			cpu->level_count = m->clusters[cluster].level_count;
			memcpy(cpu->levels, m->clusters[cluster].levels, sizeof(cpu->levels));
			cpu->idle_mw = m->clusters[cluster].idle_mw;
		}
		cpu->level = cpu->level_count - 1;
		cpu->step.owner = cpu->resched.owner = cpu->tick.owner = cpu;
		cpu->step.fire = step_fires;
		cpu->resched.fire = resched_fires;
		cpu->tick.fire = tick_fires;
		cpu->rq = calloc(1, sim->policy->sched->rq_size + 1);
		if (!cpu->rq)
			abort();
	}
}

void sim_machine_free(struct sim *sim)
{
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++)
		free(sim->cpus[i].rq);
	free(sim->cpus);
	for (i = 0; i < sim->thread_count; i++) {
		free(sim->threads[i]->waits);
		free(sim->threads[i]->entity);
		free(sim->threads[i]);
	}
	free(sim->threads);
}
