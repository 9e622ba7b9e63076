/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program.c - programs, one step after the other, for guest and host tasks alike.
 *
 * Steps that take no time are done at once, until one takes some. A spinlock is a word that is
 * tested and set: whoever sees it free first has it. Of those who spin when it is released the one
 * that came first has it, if its vCPU runs: one whose vCPU does not run sees nothing, and is passed
 * over (this is what Linux does in a guest without paravirtual locks: virt_spin_lock()).
 *
 * Left out: what a lock word costs when it moves from cache to cache; readers and writers.
 */
#include "guest_inner.h"

/* So many steps without any time in between cost 1 ns: no program stands still. */
#define FREE_STEPS_MAX 256u

static struct sim_world *world_of(const struct sim *sim, const struct sim_task *task)
{
	return task->vm ? &sim_gm(task->vm)->world : &sim_guests(sim)->host;
}

static struct sim_thread *thread_of(const struct sim_task *task)
{
	return task->vm ? task->vcpu->thread : task->thread;
}

static const struct sim_step *step_of(const struct sim_task *task)
{
	return &task->spec->steps[task->pc];
}

/* The step is done. */
static void advance(struct sim_task *task)
{
	task->mid = 0;
	task->pc++;
	if (task->pc == task->spec->step_count) {
		task->pc = 0;
		task->looped = 1;
	}
}

/* ---- time -------------------------------------------------------------------------------------*/

/* A thread of the host is woken when that suits the host, unless it is real-time. */
static uint64_t slack(struct sim *sim, const struct sim_task *task)
{
	if (task->vm || task->spec->rt_prio || !sim->costs.timer_slack_ns ||
	    task->urgency == PVS_URGENCY_REALTIME)
		return 0;
	return sim_rng_below(&sim->rng, sim->costs.timer_slack_ns + 1);
}

static uint64_t sleep_until(struct sim *sim, struct sim_task *task, uint64_t at_ns)
{
	task->mid = 1;
	task->ready_ns = at_ns;
	task->state = SIM_TASK_SLEEPING;
	sim_arm(sim, &task->timer, at_ns + slack(sim, task));
	if (task->vm)
		sim_guest_sleep(sim, task);
	return SIM_WORK_BLOCK;
}

/* Sleeps in somebody's list. */
static uint64_t sleep_for(struct sim *sim, struct sim_task *task, struct sim_list *l)
{
	task->mid = 1;
	task->state = SIM_TASK_SLEEPING;
	sim_list_add(l, task);
	if (task->vm)
		sim_guest_sleep(sim, task);
	return SIM_WORK_BLOCK;
}

static uint64_t do_run(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	(void)sim;
	if (!task->mid) {
		task->mid = 1;
		task->left_ns = sim_dist_draw(&step->dist, &task->rng);
	}
	if (task->left_ns)
		return task->left_ns;
	advance(task);
	return 0;
}

static uint64_t do_sleep(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	uint64_t ns;

	if (task->mid) {
		advance(task);
		return 0;
	}
	ns = sim_dist_draw(&step->dist, &task->rng);
	if (!ns) {
		advance(task);
		return 0;
	}
	return sleep_until(sim, task, sim->now_ns + ns);
}

/*
 * The next multiple, counted from when the task began. Periods that have gone by meanwhile were
 * missed, each of them; the task goes on with the next one.
 */
static uint64_t do_period(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	uint64_t phase_ns, due_ns, period_ns = step->dist.a ? step->dist.a : 1;

	if (task->mid) {
		advance(task);
		return 0;
	}
	phase_ns = task->spec->start_ns % period_ns;
	due_ns = sim->now_ns < phase_ns ? phase_ns :
		 phase_ns + (sim->now_ns - phase_ns + period_ns - 1) / period_ns * period_ns;
	task->period_ns = period_ns;
	if (task->in_job) {
		sim_job_end(sim, task);
		if (due_ns <= task->due_ns)
			due_ns = task->due_ns + period_ns;
		sim_job_missed(sim, task, (due_ns - task->due_ns - 1) / period_ns);
	}
	sim_job_begin(task, due_ns);
	if (due_ns > sim->now_ns)
		return sleep_until(sim, task, due_ns);
	advance(task);
	return 0;
}

static uint64_t do_until(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	uint64_t every_ns = step->dist.a ? step->dist.a : 1;

	if (!task->mid) {
		task->mid = 1;
		task->until_ns = sim->now_ns / every_ns * every_ns + step->arg2;
		if (task->until_ns <= sim->now_ns)
			task->until_ns += every_ns;
		sim_arm(sim, &task->timer, task->until_ns);
	}
	if (sim->now_ns < task->until_ns)
		return SIM_WORK_SPIN;
	sim_disarm(sim, &task->timer);
	advance(task);
	return 0;
}

/* ---- spinning ---------------------------------------------------------------------------------*/

static void spin_begins(struct sim *sim, struct sim_task *task, uint32_t what, uint32_t on)
{
	struct sim_thread *t = thread_of(task);

	task->mid = 1;
	task->spinning = (uint8_t)what;
	task->spin_from_ns = sim->now_ns;
	sim_note(sim, SIM_T_SPIN, sim_cpu_of(t), t->id, on, 0);
	if (task->vm)
		sim_hint_waits(sim, task->vcpu);
}

static void spin_ends(struct sim *sim, struct sim_task *task, struct sim_hist *h)
{
	struct sim_thread *t = thread_of(task);
	uint64_t ns = sim->now_ns - task->spin_from_ns;

	if (task->spinning) {
		sim_note(sim, SIM_T_SPUN, sim_cpu_of(t), t->id, 0, ns);
		task->spinning = 0;
		if (task->vm)
			sim_hint_waits_no_more(sim, task->vcpu);
	}
	if (sim_measured(sim))
		sim_hist_add(h, ns);
}

static void has_lock(struct sim *sim, struct sim_task *task)
{
	task->locks_held++;
	if (task->vm)
		sim_hint_crit(sim, task->vcpu, PVS_CRIT_LOCK_HELD, 0);
	if (sim_measured(sim))
		task->stats.lock_taken++;
	advance(task);
}

static uint64_t do_lock(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	struct sim_lock *lock = &world_of(sim, task)->locks[step->arg];

	if (!task->mid)
		task->spin_from_ns = sim->now_ns;
	if (lock->holder && lock->holder != task) {
		if (!task->mid) {
			sim_list_add(&lock->spinners, task);
			spin_begins(sim, task, SIM_SPINS_LOCK, step->arg);
		}
		return SIM_WORK_SPIN;
	}
	if (task->spinning && !lock->holder)
		sim_list_remove(&lock->spinners, task);
	lock->holder = task;
	spin_ends(sim, task, &task->stats.lock);
	has_lock(sim, task);
	return 0;
}

/* Who spins for it on a CPU, and came first, has it at once. */
static void hand_over(struct sim *sim, struct sim_lock *lock)
{
	struct sim_task *task;

	lock->holder = NULL;
	for (task = lock->spinners.first; task; task = task->next) {
		if (task->state != SIM_TASK_RUNNING || thread_of(task)->state != SIM_RUNNING)
			continue;
		if (task->vm && task->vcpu->in_irq)
			continue; /* its vCPU runs, but not what spins */
		sim_list_remove(&lock->spinners, task);
		lock->holder = task;
		sim_poke(sim, thread_of(task));
		return;
	}
}

static uint64_t do_unlock(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	struct sim_lock *lock = &world_of(sim, task)->locks[step->arg];

	advance(task);
	if (lock->holder != task)
		return 0;
	hand_over(sim, lock);
	task->locks_held--;
	if (task->vm && !task->locks_held)
		sim_hint_crit(sim, task->vcpu, 0, PVS_CRIT_LOCK_HELD);
	return 0;
}

static uint64_t do_ipi(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	if (!task->vm) {
		advance(task);
		return 0;
	}
	if (!task->mid) {
		task->spin_from_ns = sim->now_ns;
		task->answers_left = sim_guest_ipi(sim, task, step->arg, (int)(step->arg2 & 1));
		if (!(step->arg2 & 1)) {
			advance(task);
			return 0;
		}
		if (task->answers_left)
			spin_begins(sim, task, SIM_SPINS_IPI, step->arg);
	}
	if (task->answers_left)
		return SIM_WORK_SPIN;
	spin_ends(sim, task, &task->stats.ipi);
	advance(task);
	return 0;
}

/* ---- semaphores and requests ------------------------------------------------------------------*/

static uint64_t do_signal(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	struct sim_sem *sem = &world_of(sim, task)->sems[step->arg];
	struct sim_task *waiter = sim_list_take(&sem->waiters);

	advance(task);
	if (!waiter) {
		sem->count++;
		return 0;
	}
	waiter->ready_ns = sim->now_ns;
	sim_task_wake(sim, waiter, task->vcpu);
	return 0;
}

static uint64_t do_wait(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	struct sim_sem *sem = &world_of(sim, task)->sems[step->arg];

	if (!task->mid && !sem->count)
		return sleep_for(sim, task, &sem->waiters);
	if (!task->mid)
		sem->count--;
	advance(task);
	return 0;
}

static uint64_t do_recv(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	struct sim_box *box = &world_of(sim, task)->boxes[step->arg];

	if (!task->mid) {
		if (!box->count)
			return sleep_for(sim, task, &box->waiters);
		sim_job_begin(task, box->at_ns[box->head]);
		box->head = (box->head + 1) % box->room;
		box->count--;
	}
	advance(task);
	return 0;
}

/* ---- the rest ---------------------------------------------------------------------------------*/

static uint64_t do_done(struct sim *sim, struct sim_task *task)
{
	sim_job_end(sim, task);
	advance(task);
	/* Of a program without periods or requests the next one begins where this one ended. */
	task->due_ns = sim->now_ns;
	return 0;
}

static uint64_t do_repeat(struct sim_task *task, const struct sim_step *step)
{
	uint32_t here = task->pc;

	task->repeated[here]++;
	if (task->repeated[here] < step->dist.a) {
		task->mid = 0;
		task->pc = step->arg;
		return 0;
	}
	task->repeated[here] = 0;
	advance(task);
	return 0;
}

static uint64_t do_yield(struct sim *sim, struct sim_task *task)
{
	advance(task);
	if (!task->vm)
		return SIM_WORK_YIELD;
	sim_overhead(sim, task->vcpu->thread, sim->costs.hypercall_ns);
	return sim_guest_yields(sim, task->vcpu, PVS_EV_YIELD) ? SIM_WORK_YIELD : 0;
}

static uint64_t do_urgency(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	task->urgency = (uint8_t)(step->arg >> 4);
	task->level = (uint8_t)(step->arg & 15);
	advance(task);
	if (task->vm) {
		sim_g(task->vcpu)->resched = 1;
		sim_hint_publish(sim, task->vcpu, 0);
	}
	return 0;
}

static uint64_t do_hint(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	uint64_t n;

	advance(task);
	for (n = 0; task->vm && n < (step->dist.a ? step->dist.a : 1); n++)
		sim_hint_publish(sim, task->vcpu, 1);
	return 0;
}

static uint64_t do_irqs(struct sim *sim, struct sim_task *task, int off)
{
	advance(task);
	task->irqs_off = (uint8_t)off;
	if (task->vm)
		sim_guest_irqs(sim, task->vcpu, off);
	return 0;
}

static uint64_t do_move(struct sim *sim, struct sim_task *task, const struct sim_step *step)
{
	struct sim_vcpu *from = task->vcpu;

	advance(task);
	if (!task->vm)
		return 0;
	sim_guest_move(sim, task, step->arg);
	return task->vcpu == from ? 0 : SIM_WORK_BLOCK;
}

static uint64_t do_stop(struct sim *sim, struct sim_task *task)
{
	task->state = SIM_TASK_STOPPED;
	sim_disarm(sim, &task->timer);
	return SIM_WORK_BLOCK;
}

static uint64_t do_step(struct sim *sim, struct sim_task *task)
{
	const struct sim_step *step = step_of(task);

	switch ((enum sim_op)step->op) {
	case SIM_OP_RUN: return do_run(sim, task, step);
	case SIM_OP_SLEEP: return do_sleep(sim, task, step);
	case SIM_OP_PERIOD: return do_period(sim, task, step);
	case SIM_OP_UNTIL: return do_until(sim, task, step);
	case SIM_OP_LOCK: return do_lock(sim, task, step);
	case SIM_OP_UNLOCK: return do_unlock(sim, task, step);
	case SIM_OP_IPI: return do_ipi(sim, task, step);
	case SIM_OP_SIGNAL: return do_signal(sim, task, step);
	case SIM_OP_WAIT: return do_wait(sim, task, step);
	case SIM_OP_RECV: return do_recv(sim, task, step);
	case SIM_OP_DONE: return do_done(sim, task);
	case SIM_OP_YIELD: return do_yield(sim, task);
	case SIM_OP_REPEAT: return do_repeat(task, step);
	case SIM_OP_URGENCY: return do_urgency(sim, task, step);
	case SIM_OP_HINT: return do_hint(sim, task, step);
	case SIM_OP_IRQSOFF: return do_irqs(sim, task, 1);
	case SIM_OP_IRQSON: return do_irqs(sim, task, 0);
	case SIM_OP_MOVE: return do_move(sim, task, step);
	case SIM_OP_STOP: return do_stop(sim, task);
	}
	return do_stop(sim, task);
}

/* It is over for good when it holds nothing that others wait for. */
static int is_over(const struct sim *sim, const struct sim_task *task)
{
	if (!task->spec->step_count)
		return 1;
	return task->spec->stop_ns && sim->now_ns >= task->spec->stop_ns && !task->locks_held &&
	       !task->irqs_off && !task->spinning;
}

/* An interrupt, or another task, has a better right now. */
static int others_first(const struct sim_task *task)
{
	const struct sim_gvcpu *g = task->vcpu->guest;

	return (g->pending && !task->irqs_off) ||
	       (g->resched && sim_guest_preemptible(task->vcpu));
}

/* It is asked again when it is to stop. */
static uint64_t until_stop(const struct sim *sim, const struct sim_task *task, uint64_t work)
{
	uint64_t stop_ns = task->spec->stop_ns;

	if (!stop_ns || work >= SIM_WORK_SPIN || stop_ns <= sim->now_ns)
		return work;
	return work < stop_ns - sim->now_ns ? work : stop_ns - sim->now_ns;
}

uint64_t sim_program_next(struct sim *sim, struct sim_task *task)
{
	uint32_t steps;
	uint64_t work;

	for (steps = 0; steps < FREE_STEPS_MAX; steps++) {
		if (is_over(sim, task))
			return do_stop(sim, task);
		work = do_step(sim, task);
		if (task->looped) {
			task->looped = 0;
			if (sim_measured(sim))
				task->stats.loops++;
		}
		if (work)
			return until_stop(sim, task, work);
		if (task->vm && others_first(task))
			return 0;
	}
	return 1;
}

void sim_program_did(struct sim *sim, struct sim_task *task, uint64_t work_ns)
{
	if (task->spinning) {
		if (sim_measured(sim))
			task->stats.spin_ns += work_ns;
		return;
	}
	if (sim_measured(sim))
		task->stats.work_ns += work_ns;
	if (task->mid && step_of(task)->op == SIM_OP_RUN)
		task->left_ns -= work_ns < task->left_ns ? work_ns : task->left_ns;
}
