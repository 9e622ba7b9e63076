/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.c - small guest operating systems: VMs, vCPUs, tasks on them, interrupts.
 *
 * Each vCPU has a queue of its own. Who is next there: real-time tasks by level and then in the
 * order in which they came; then tasks that are interactive, normal or unspecified by virtual run
 * time (weights, slices of guest_slice_ns); then background ones, then idle ones, the same way. A
 * task that wakes takes the vCPU from one of a lower class (or level) at once, and from one of its
 * own when that is WAKE_LEAD_NS ahead. A vCPU that holds a spinlock, spins, or has its interrupts
 * off does not change tasks; interrupts come between unless they are off.
 *
 * Tasks that are not pinned wake on an idle vCPU if there is one, else where they were; a vCPU
 * that would go idle takes one that waits elsewhere.
 *
 * Left out: balancing of loads, bandwidth control inside of the guest, threaded interrupts,
 * what a change of tasks costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_inner.h"

/* A task that wakes preempts one of its class when it has had so much less. */
#define WAKE_LEAD_NS SIM_MS
/* Where a task that slept comes in: so far before the others, at most. */
#define SLEEPER_LEAD_NS (3 * SIM_MS)
/* Pause-loop exits: 4096 cycles of 3.1 GHz (kvm's ple_window); twice as long after each one
 * (ple_window_grow = 2), anew when the vCPU gets a CPU. */
#define PLE_WINDOW_NS 1300u
#define PLE_WINDOW_MAX_NS (1ull << 30)
#define GUEST_SLICE_NS (3 * SIM_MS)
/* Halt polling as in kvm: begins with this, doubles, and falls back to nothing. */
#define POLL_START_NS (10 * SIM_US)
/* Nobody else waits for the CPU: looked at so often while polling. */
#define POLL_STEP_NS (10 * SIM_US)

/* ---- sets -------------------------------------------------------------------------------------*/

static uint32_t ctz(uint64_t word)
{
	return (uint32_t)__builtin_ctzll(word);
}

int sim_first_bit(const uint64_t *set)
{
	int i;

	for (i = 0; i < (int)SIM_SET_WORDS; i++)
		if (set[i])
			return 64 * i + (int)ctz(set[i]);
	return -1;
}

static int has_bit(const uint64_t *set, uint32_t n)
{
	return (int)(set[n / 64] >> (n % 64) & 1);
}

/* ---- telling ----------------------------------------------------------------------------------*/

void sim_guest_tell(struct sim *sim, struct sim_vcpu *v, uint32_t type, uint32_t arg)
{
	if (!sim->policy->role->event)
		return;
	if (v->thread->state == SIM_RUNNING)
		sim_settle(sim, v->thread->cpu);
	sim->policy->role->event(sim, v, type, arg);
}

static void note_yielder(struct sim *sim, struct sim_vcpu *v, enum sim_yield_note what,
			 uint32_t arg)
{
	if (sim->policy->yielder->note)
		sim->policy->yielder->note(sim, v, what, arg);
}

int sim_guest_yields(struct sim *sim, struct sim_vcpu *v, uint32_t type)
{
	struct sim_task *task = v->curr;

	v->yield_asked = 0;
	return sim_vcpu_yields(sim, v, type,
			       !task || task->spinning || task->locks_held || task->irqs_off);
}

/* ---- the queue of a vCPU ----------------------------------------------------------------------*/

static enum sim_guest_class class_of(const struct sim_task *task)
{
	switch (task->urgency) {
	case PVS_URGENCY_REALTIME: return SIM_G_REALTIME;
	case PVS_URGENCY_BACKGROUND: return SIM_G_BACKGROUND;
	case PVS_URGENCY_IDLE: return SIM_G_IDLE;
	default: return SIM_G_FAIR;
	}
}

/* Does `a`, which comes, run before `b`, which is there? */
static int goes_before(const struct sim_task *a, const struct sim_task *b)
{
	enum sim_guest_class ca = class_of(a), cb = class_of(b);

	if (ca != cb)
		return ca < cb;
	if (ca == SIM_G_REALTIME)
		return a->level > b->level;
	return a->vruntime < b->vruntime;
}

static int preempts(const struct sim_task *a, const struct sim_task *curr)
{
	enum sim_guest_class ca = class_of(a), cb = class_of(curr);

	if (ca != cb)
		return ca < cb;
	if (ca == SIM_G_REALTIME)
		return a->level > curr->level;
	return a->vruntime + WAKE_LEAD_NS < curr->vruntime;
}

int sim_guest_preemptible(const struct sim_vcpu *v)
{
	const struct sim_task *task = v->curr;

	return !task || (!task->locks_held && !task->spinning && !task->irqs_off);
}

static void insert(struct sim_vcpu *v, struct sim_task *task)
{
	struct sim_gvcpu *g = sim_g(v);
	struct sim_task **at = &g->queue;

	while (*at && !goes_before(task, *at))
		at = &(*at)->next;
	task->next = *at;
	*at = task;
	if (!g->queued++)
		sim_set_bit(sim_gm(v->vm)->loaded, v->index);
}

static void taken(struct sim_vcpu *v)
{
	if (!--sim_g(v)->queued)
		sim_clear_bit(sim_gm(v->vm)->loaded, v->index);
}

static struct sim_task *take_first(struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);
	struct sim_task *task = g->queue;

	if (!task)
		return NULL;
	g->queue = task->next;
	task->next = NULL;
	taken(v);
	return task;
}

/* The tasks here have had so much: who comes in is compared with that. */
static uint64_t *floor_of(struct sim_vcpu *v, const struct sim_task *task)
{
	return &sim_g(v)->min_vruntime[class_of(task)];
}

void sim_guest_enqueue(struct sim *sim, struct sim_vcpu *v, struct sim_task *task, int woken)
{
	uint64_t floor = *floor_of(v, task);

	(void)sim;
	task->state = SIM_TASK_READY;
	if (woken && task->vruntime + SLEEPER_LEAD_NS < floor)
		task->vruntime = floor - SLEEPER_LEAD_NS;
	insert(v, task);
	if (v->curr && preempts(task, v->curr))
		sim_g(v)->resched = 1;
}

/* To another vCPU, whose virtual time is another. */
static void change_vcpu(struct sim *sim, struct sim_task *task, struct sim_vcpu *to)
{
	uint64_t from_floor = *floor_of(task->vcpu, task), to_floor = *floor_of(to, task);

	if (task->vruntime > from_floor)
		task->vruntime = to_floor + (task->vruntime - from_floor);
	else if (to_floor > from_floor - task->vruntime)
		task->vruntime = to_floor - (from_floor - task->vruntime);
	else
		task->vruntime = 0;
	sim_util_move(sim, task, to);
	task->vcpu = to;
}

/* One that waits on another vCPU and is not pinned there. */
static struct sim_task *steal_from(struct sim *sim, struct sim_vcpu *v, struct sim_vcpu *from)
{
	struct sim_task **at, *task;

	for (at = &sim_g(from)->queue; *at; at = &(*at)->next) {
		task = *at;
		if (task->spec->pinned || task->spinning || task->locks_held)
			continue;
		*at = task->next;
		task->next = NULL;
		taken(from);
		change_vcpu(sim, task, v);
		return task;
	}
	return NULL;
}

static struct sim_task *steal(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvm *gm = sim_gm(v->vm);
	struct sim_task *task;
	uint32_t i;
	uint64_t left;

	if (!gm->free_tasks)
		return NULL;
	for (i = 0; i < SIM_SET_WORDS; i++) {
		for (left = gm->loaded[i]; left; left &= left - 1) {
			task = steal_from(sim, v, &v->vm->vcpus[64 * i + ctz(left)]);
			if (task)
				return task;
		}
	}
	return NULL;
}

/* ---- who runs on a vCPU -----------------------------------------------------------------------*/

static uint64_t slice_of(const struct sim_vcpu *v)
{
	return v->vm->spec->guest_slice_ns ? v->vm->spec->guest_slice_ns : GUEST_SLICE_NS;
}

static void arm_tick(struct sim *sim, struct sim_vcpu *v)
{
	uint32_t hz = v->vm->spec->guest_hz;
	uint64_t tick_ns = hz ? SIM_S / hz : 0;

	if (tick_ns && !sim_g(v)->tick.heap_at)
		sim_arm(sim, &sim_g(v)->tick, (sim->now_ns / tick_ns + 1) * tick_ns);
}

static void grow_poll(struct sim_vcpu *v, uint64_t slept_ns)
{
	struct sim_gvcpu *g = sim_g(v);
	uint64_t max_ns = v->vm->spec->halt_poll_ns;

	if (!v->vm->spec->halt_poll_grow || slept_ns <= g->poll_ns)
		return;
	if (slept_ns > max_ns) {
		g->poll_ns = 0;
		return;
	}
	g->poll_ns = g->poll_ns ? 2 * g->poll_ns : POLL_START_NS;
	if (g->poll_ns > max_ns)
		g->poll_ns = max_ns;
}

static void leave_idle(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);

	if (!v->halted)
		return;
	v->halted = 0;
	v->polling = 0;
	sim_disarm(sim, &g->poll);
	sim_clear_bit(sim_gm(v->vm)->idle, v->index);
	grow_poll(v, sim->now_ns - g->halted_ns);
	arm_tick(sim, v);
}

/* Another task, or none, runs here from now on. */
static void set_curr(struct sim *sim, struct sim_vcpu *v, struct sim_task *task)
{
	struct sim_gvcpu *g = sim_g(v);
	struct sim_task *before = v->curr;

	sim_util_update(sim, v);
	v->curr = task;
	g->resched = 0;
	if (!task)
		return;
	task->state = SIM_TASK_RUNNING;
	g->slice_left_ns = slice_of(v);
	if (task->vruntime > *floor_of(v, task))
		*floor_of(v, task) = task->vruntime;
	if (task == before)
		return;
	sim_util_resumes(sim, task);
	sim_note(sim, SIM_T_TASK, sim_cpu_of(v->thread), v->thread->id, task->id, 0);
	sim_hint_publish(sim, v, 1);
}

/* It waits now, and could run where nothing does: that vCPU is woken, and takes it. */
static void call_idle(struct sim *sim, struct sim_vcpu *v, const struct sim_task *task)
{
	int index = sim_first_bit(sim_gm(v->vm)->idle);

	if (task->spec->pinned || index < 0)
		return;
	sim_overhead(sim, v->thread, sim->costs.vipi_ns);
	sim_vcpu_interrupt(sim, &v->vm->vcpus[index], SIM_VECTOR_RESCHED);
}

static void schedule(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_task *prev = v->curr, *next;
	struct sim_gvcpu *g = sim_g(v);

	if (prev && (!g->queue || !goes_before(g->queue, prev))) {
		/* a slice is over, or it was not what it seemed to be: it goes on */
		g->resched = 0;
		if (!g->slice_left_ns)
			g->slice_left_ns = slice_of(v);
		return;
	}
	next = take_first(v);
	if (!next)
		next = steal(sim, v);
	if (prev) {
		prev->state = SIM_TASK_READY;
		insert(v, prev);
		call_idle(sim, v, prev);
	}
	if (next || prev)
		set_curr(sim, v, next);
}

/* ---- interrupts -------------------------------------------------------------------------------*/

void sim_vcpu_interrupt(struct sim *sim, struct sim_vcpu *v, uint32_t vector)
{
	struct sim_gvcpu *g = sim_g(v);

	vector %= SIM_VECTORS;
	if (!v->online)
		return;
	if (g->pending >> vector & 1)
		return; /* one is pending: they are the same */
	g->pending |= (uint64_t)1 << vector;
	v->irq_pending = 1;
	sim_note(sim, SIM_T_IRQ, sim_cpu_of(v->thread), v->thread->id, vector, 0);
	note_yielder(sim, v, SIM_Y_INTERRUPT, vector);
	sim_guest_tell(sim, v, PVS_EV_INJECT, vector);
	if (v->thread->state == SIM_RUNNING)
		sim_poke(sim, v->thread);
	else
		sim_wake(sim, v->thread);
}

static uint64_t handler_work(const struct sim *sim, const struct sim_vcpu *v, uint32_t vector)
{
	const struct sim_vm_spec *spec = v->vm->spec;

	return sim->costs.inject_ns + 1 +
	       (vector == SIM_VECTOR_TICK ? spec->tick_work_ns : spec->irq_work_ns);
}

static void handler_begins(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);

	leave_idle(sim, v);
	g->vector = 63u - (uint32_t)__builtin_clzll(g->pending);
	g->pending &= ~((uint64_t)1 << g->vector);
	v->irq_pending = g->pending != 0;
	v->in_irq = 1;
	g->irq_left_ns = handler_work(sim, v, g->vector);
	if (v->shim.slot)
		g->irq_found = pvs_guest_irq_enter(&v->shim, PVS_IRQ_HARDIRQ);
}

/* It is seen by those that spin for it. */
static void answer(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);
	struct sim_vcpu *from;
	int index;

	while ((index = sim_first_bit(g->callers)) >= 0) {
		sim_clear_bit(g->callers, (uint32_t)index);
		from = &v->vm->vcpus[index];
		if (!from->curr || !from->curr->answers_left)
			continue;
		if (!--from->curr->answers_left)
			sim_poke(sim, from->thread);
	}
}

static void wake_expired(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_task *task;

	while ((task = sim_list_take(&sim_g(v)->expired)))
		sim_task_wake(sim, task, v);
}

static void handle(struct sim *sim, struct sim_vcpu *v, uint32_t vector)
{
	if (vector == SIM_VECTOR_CALL) {
		answer(sim, v);
	} else if (vector == SIM_VECTOR_TIMER) {
		wake_expired(sim, v);
	} else if (vector == SIM_VECTOR_TICK) {
		arm_tick(sim, v);
		sim_util_update(sim, v);
		sim_hint_tick(sim, v);
	} else if (vector >= SIM_VECTOR_DEVICE &&
		   vector < SIM_VECTOR_DEVICE + SIM_VECTOR_DEVICES) {
		sim_devices_handle(sim, v, vector);
	}
}

static void handler_ends(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);
	int rc;

	handle(sim, v, g->vector);
	/* the controller is told inside of the handler: what was woken is not yet what runs */
	note_yielder(sim, v, SIM_Y_EOI, g->vector);
	sim_guest_tell(sim, v, PVS_EV_EOI, g->vector);
	v->in_irq = 0;
	if (v->shim.slot) {
		if (v->vm->spec->liar != SIM_IRQ_STORM || !sim_lies(sim, v->vm))
			pvs_guest_irq_ack(&v->shim);
		rc = pvs_guest_irq_leave(&v->shim, g->irq_found);
		/* what follows says more, and rings if it must: the switch, or the next handler (an
		 * upcall takes all that is pending, and one timer has all that is due) */
		if (g->pending || (sim_guest_preemptible(v) && (g->resched || !v->curr)))
			rc = PVS_GUEST_OK;
		sim_hint_ring(sim, v, rc);
	}
}

void sim_guest_irqs(struct sim *sim, struct sim_vcpu *v, int off)
{
	if (off) {
		sim_hint_crit(sim, v, PVS_CRIT_IRQS_OFF, 0);
		return;
	}
	sim_hint_crit(sim, v, 0, PVS_CRIT_IRQS_OFF);
	if (sim_g(v)->pending)
		sim_guest_tell(sim, v, PVS_EV_IRQ_WINDOW, 0);
}

/* ---- wake-ups and moves -----------------------------------------------------------------------*/

static void counts_as_sleeper(struct sim_task *task, int sleeps)
{
	struct sim_gvcpu *g = sim_g(task->vcpu);
	uint32_t key;

	if (sleeps) {
		task->sleeps_as = (uint8_t)(task->urgency << 4 | task->level);
		key = task->sleeps_as % 96u;
		if (!g->sleepers[key]++)
			g->sleeping[key / 64] |= (uint64_t)1 << (key % 64);
		return;
	}
	key = task->sleeps_as % 96u;
	if (g->sleepers[key] && !--g->sleepers[key])
		g->sleeping[key / 64] &= ~((uint64_t)1 << (key % 64));
}

void sim_guest_sleep(struct sim *sim, struct sim_task *task)
{
	(void)sim;
	counts_as_sleeper(task, 1);
}

void sim_guest_expired(struct sim *sim, struct sim_task *task)
{
	sim_list_add(&sim_g(task->vcpu)->expired, task);
	sim_vcpu_interrupt(sim, task->vcpu, SIM_VECTOR_TIMER);
}

/* `task` was queued on `to` by `from`: an interrupt if it is to be seen at once. */
static void tell_vcpu(struct sim *sim, struct sim_vcpu *to, struct sim_task *task,
		      struct sim_vcpu *from)
{
	if (to == from)
		return;
	if (from && to->vm->shim.header)
		(void)pvs_guest_pend(&to->vm->shim, to->index, task->urgency, task->level);
	if (!to->curr || sim_g(to)->resched) {
		if (from)
			sim_overhead(sim, from->thread, sim->costs.vipi_ns);
		sim_vcpu_interrupt(sim, to, SIM_VECTOR_RESCHED);
	} else if (to->thread->state == SIM_RUNNING) {
		sim_poke(sim, to->thread); /* its tick would find that slices count now */
	}
}

static struct sim_vcpu *place(const struct sim_task *task)
{
	struct sim_gvm *gm = sim_gm(task->vm);
	int index;

	if (task->spec->pinned || has_bit(gm->idle, task->vcpu->index))
		return task->vcpu;
	index = sim_first_bit(gm->idle);
	return index < 0 ? task->vcpu : &task->vm->vcpus[index];
}

void sim_guest_wake(struct sim *sim, struct sim_task *task, struct sim_vcpu *from)
{
	struct sim_vcpu *to = place(task);

	counts_as_sleeper(task, 0);
	if (from && !task->spec->pinned && !from->curr && !sim_g(from)->queued)
		to = from; /* who takes the interrupt has nothing else to do */
	if (to != task->vcpu)
		change_vcpu(sim, task, to);
	sim_guest_enqueue(sim, to, task, 1);
	tell_vcpu(sim, to, task, from);
}

static struct sim_vcpu *random_other(struct sim_vcpu *v, struct sim_rng *rng)
{
	struct sim_vm *vm = v->vm;
	uint32_t i, n, others = 0;

	for (i = 0; i < vm->vcpu_count; i++)
		others += &vm->vcpus[i] != v && vm->vcpus[i].online;
	if (!others)
		return NULL;
	n = (uint32_t)sim_rng_below(rng, others);
	for (i = 0; i < vm->vcpu_count; i++)
		if (&vm->vcpus[i] != v && vm->vcpus[i].online && !n--)
			return &vm->vcpus[i];
	return NULL;
}

static uint32_t call(struct sim *sim, struct sim_vcpu *from, struct sim_vcpu *to, int wait)
{
	if (!to || to == from || !to->online)
		return 0;
	if (wait)
		sim_set_bit(sim_g(to)->callers, from->index);
	sim_guest_tell(sim, from, PVS_EV_IPI, to->index);
	if (sim->policy->yielder->ipi)
		sim->policy->yielder->ipi(sim, from, to, SIM_VECTOR_CALL);
	sim_vcpu_interrupt(sim, to, SIM_VECTOR_CALL);
	return 1;
}

/* To many it is one exit, as with kvm's hypercall for that. */
uint32_t sim_guest_ipi(struct sim *sim, struct sim_task *task, uint32_t to, int wait)
{
	struct sim_vcpu *v = task->vcpu;
	struct sim_vm *vm = v->vm;
	uint32_t i, sent = 0;

	if (to == SIM_IPI_ALL) {
		for (i = 0; i < vm->vcpu_count; i++)
			sent += call(sim, v, &vm->vcpus[i], wait);
	} else if (to == SIM_IPI_RANDOM) {
		sent = call(sim, v, random_other(v, &task->rng), wait);
	} else if (to < vm->vcpu_count) {
		sent = call(sim, v, &vm->vcpus[to], wait);
	}
	if (sent)
		sim_overhead(sim, v->thread, sim->costs.vipi_ns);
	return wait ? sent : 0;
}

void sim_guest_move(struct sim *sim, struct sim_task *task, uint32_t to)
{
	struct sim_vcpu *from = task->vcpu, *v = NULL;

	if (to == SIM_IPI_RANDOM)
		v = random_other(from, &task->rng);
	else if (to < from->vm->vcpu_count)
		v = &from->vm->vcpus[to];
	if (!v || v == from || !v->online || !sim_guest_preemptible(from))
		return;
	set_curr(sim, from, NULL);
	change_vcpu(sim, task, v);
	sim_guest_enqueue(sim, v, task, 0);
	tell_vcpu(sim, v, task, from);
}

/* ---- the vCPU's body --------------------------------------------------------------------------*/

static int others_wait(const struct sim *sim, const struct sim_thread *self)
{
	uint32_t i;

	for (i = 0; i < sim->thread_count; i++)
		if (sim->threads[i] != self && sim->threads[i]->state == SIM_READY &&
		    sim->threads[i]->cpu == self->cpu)
			return 1;
	return 0;
}

static uint64_t poll_for(const struct sim *sim, const struct sim_vcpu *v)
{
	const struct sim_vm_spec *spec = v->vm->spec;

	if (spec->halt_poll_ns)
		return spec->halt_poll_grow ? sim_g(v)->poll_ns : spec->halt_poll_ns;
	/* kvm's default, halt_poll_ns = 200000 */
	return sim->policy->flags & SIM_POLICY_POLL_IDLE ? 200 * SIM_US : 0;
}

static void poll_fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_vcpu *v = timer->owner;

	sim_poke(sim, v->thread);
}

/* The host polls for it, as long as nobody else wants the CPU, before it lets it sleep. */
static uint64_t poll(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);
	uint64_t end_ns = g->halted_ns + poll_for(sim, v), at_ns;

	if (sim->now_ns >= end_ns || others_wait(sim, v->thread)) {
		v->polling = 0;
		sim_disarm(sim, &g->poll);
		return SIM_WORK_BLOCK;
	}
	at_ns = sim->now_ns + POLL_STEP_NS < end_ns ? sim->now_ns + POLL_STEP_NS : end_ns;
	v->polling = 1;
	sim_arm(sim, &g->poll, at_ns);
	return SIM_WORK_SPIN;
}

static uint64_t idle(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);

	if (!v->halted) {
		v->halted = 1;
		v->polling = 0;
		g->halted_ns = sim->now_ns;
		sim_set_bit(sim_gm(v->vm)->idle, v->index);
		sim_disarm(sim, &g->tick);
		sim_note(sim, SIM_T_TASK, sim_cpu_of(v->thread), v->thread->id, SIM_NO_TASK, 0);
		sim_util_update(sim, v);
		sim_hint_publish(sim, v, 1);
	}
	return poll(sim, v);
}

static uint64_t ple_window(const struct sim_vcpu *v)
{
	return v->vm->spec->ple_window_ns ? v->vm->spec->ple_window_ns : PLE_WINDOW_NS;
}

/* One round of spinning; when it is over the host sees it. */
static uint64_t spin(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);

	if (g->round_left_ns && g->round_left_ns != g->window_ns)
		return g->round_left_ns; /* in the middle of one */
	if (!g->round_left_ns) {
		g->window_ns *= 2;
		if (g->window_ns > PLE_WINDOW_MAX_NS)
			g->window_ns = PLE_WINDOW_MAX_NS;
		g->round_left_ns = g->window_ns;
		sim_overhead(sim, v->thread, sim->costs.exit_ns);
		if (sim_guest_yields(sim, v, PVS_EV_SPIN))
			return SIM_WORK_YIELD;
	} else if (v->shim.slot && pvs_guest_should_yield(&v->shim) && !g->polled) {
		g->polled = 1; /* once in a round */
		sim_overhead(sim, v->thread, sim->costs.hypercall_ns);
		if (sim_guest_yields(sim, v, PVS_EV_YIELD))
			return SIM_WORK_YIELD;
	}
	return g->round_left_ns;
}

/* Somebody else of its class waits: then slices count. */
static uint64_t in_slice(const struct sim_vcpu *v, uint64_t work)
{
	const struct sim_gvcpu *g = sim_g(v);

	if (!g->queue || class_of(g->queue) != class_of(v->curr) ||
	    class_of(v->curr) == SIM_G_REALTIME || !g->slice_left_ns)
		return work;
	return work < g->slice_left_ns ? work : g->slice_left_ns;
}

/* What the task does next; 0 = the vCPU is to decide anew. */
static uint64_t run_task(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_task *task = v->curr;
	uint64_t work;

	if (task->woken)
		sim_task_runs(sim, task);
	work = sim_program_next(sim, task);
	if (task->state == SIM_TASK_SLEEPING || task->state == SIM_TASK_STOPPED) {
		set_curr(sim, v, NULL);
		return 0;
	}
	if (v->curr != task || work == SIM_WORK_BLOCK || !work)
		return 0;
	if (work == SIM_WORK_YIELD)
		return work;
	if (task->spinning)
		return spin(sim, v);
	if (sim_g(v)->asks_yield) {
		sim_g(v)->asks_yield = 0;
		if (sim_guest_yields(sim, v, PVS_EV_SPIN))
			return SIM_WORK_YIELD;
	}
	return in_slice(v, work);
}

static void go_offline(struct sim *sim, struct sim_vcpu *v);

static uint64_t vcpu_next(struct sim *sim, struct sim_thread *t)
{
	struct sim_vcpu *v = t->vcpu;
	struct sim_gvcpu *g = sim_g(v);
	uint64_t work;

	for (;;) {
		if (!v->online)
			return SIM_WORK_BLOCK;
		if (g->vmm_left_ns)
			return g->vmm_left_ns;
		if (v->in_vmm) {
			v->in_vmm = 0;
			sim_guest_tell(sim, v, PVS_EV_RUN_ENTER, 0);
		}
		sim_hint_open(sim, v);
		if (v->in_irq) {
			if (g->irq_left_ns)
				return g->irq_left_ns;
			handler_ends(sim, v);
			continue;
		}
		if (g->pending && !(v->curr && v->curr->irqs_off)) {
			handler_begins(sim, v);
			continue;
		}
		if (sim_guest_preemptible(v)) {
			if (g->dying) {
				go_offline(sim, v);
				continue;
			}
			if (v->yield_asked && sim_guest_yields(sim, v, PVS_EV_YIELD))
				return SIM_WORK_YIELD;
			if (!v->curr || g->resched) {
				if (g->queue)
					leave_idle(sim, v);
				schedule(sim, v);
			}
		}
		if (!v->curr)
			return idle(sim, v);
		leave_idle(sim, v);
		work = run_task(sim, v);
		if (work)
			return work;
	}
}

static void vcpu_did(struct sim *sim, struct sim_thread *t, uint64_t work_ns)
{
	struct sim_vcpu *v = t->vcpu;
	struct sim_gvcpu *g = sim_g(v);
	struct sim_task *task = v->curr;

	if (g->vmm_left_ns) {
		g->vmm_left_ns -= work_ns < g->vmm_left_ns ? (uint32_t)work_ns : g->vmm_left_ns;
		return;
	}
	if (v->in_irq) {
		g->irq_left_ns -= work_ns < g->irq_left_ns ? work_ns : g->irq_left_ns;
		return;
	}
	if (!task)
		return;
	sim_program_did(sim, task, work_ns);
	task->vruntime += work_ns * 1024 / task->weight;
	if (task->spinning) {
		g->polled = 0;
		g->round_left_ns -= work_ns < g->round_left_ns ? work_ns : g->round_left_ns;
	}
	if (work_ns < g->slice_left_ns) {
		g->slice_left_ns -= work_ns;
		return;
	}
	g->slice_left_ns = 0;
	if (g->queue && class_of(task) != SIM_G_REALTIME)
		g->resched = 1;
}

static void vcpu_runs(struct sim *sim, struct sim_thread *t, int on, uint32_t why)
{
	struct sim_vcpu *v = t->vcpu;
	struct sim_gvcpu *g = sim_g(v);
	struct sim_task *task = v->curr;

	if (on) {
		g->window_ns = g->round_left_ns = ple_window(v);
		g->polled = 0;
		return;
	}
	v->polling = 0;
	sim_disarm(sim, &g->poll);
	v->in_kernel = !task || v->in_irq || task->spinning || task->locks_held || task->irqs_off;
	if (task && task->locks_held && sim_measured(sim) &&
	    (why == SIM_STOP_PREEMPTED || why == SIM_STOP_SLICE))
		task->stats.held_preempted++;
}

const struct sim_body sim_vcpu_body = {
	.next = vcpu_next,
	.did = vcpu_did,
	.runs = vcpu_runs,
};

/* ---- hotplug ----------------------------------------------------------------------------------*/

static struct sim_vcpu *other_online(struct sim_vcpu *v)
{
	uint32_t i;

	for (i = 0; i < v->vm->vcpu_count; i++)
		if (&v->vm->vcpus[i] != v && v->vm->vcpus[i].online &&
		    !sim_g(&v->vm->vcpus[i])->dying)
			return &v->vm->vcpus[i];
	return NULL;
}

/* All tasks go elsewhere, pinned ones too. */
static void move_tasks(struct sim *sim, struct sim_vcpu *v, struct sim_vcpu *to)
{
	struct sim_gvm *gm = sim_gm(v->vm);
	struct sim_task *task;
	uint32_t i;

	if (v->curr) {
		task = v->curr;
		set_curr(sim, v, NULL);
		change_vcpu(sim, task, to);
		sim_guest_enqueue(sim, to, task, 0);
	}
	while ((task = take_first(v))) {
		change_vcpu(sim, task, to);
		sim_guest_enqueue(sim, to, task, 0);
	}
	while ((task = sim_list_take(&sim_g(v)->expired)))
		sim_list_add(&sim_g(to)->expired, task);
	for (i = 0; i < gm->task_count; i++) {
		task = sim->tasks[gm->first_task + i];
		if (task->vcpu != v)
			continue;
		if (task->state == SIM_TASK_SLEEPING)
			counts_as_sleeper(task, 0);
		change_vcpu(sim, task, to);
		if (task->state == SIM_TASK_SLEEPING)
			counts_as_sleeper(task, 1);
	}
}

static void go_offline(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_vcpu *to = other_online(v);
	struct sim_gvcpu *g = sim_g(v);

	g->dying = 0;
	if (!to)
		return;
	leave_idle(sim, v);
	move_tasks(sim, v, to);
	answer(sim, v);
	g->pending = 0;
	v->irq_pending = 0;
	sim_disarm(sim, &g->tick);
	sim_clear_bit(sim_gm(v->vm)->idle, v->index);
	pvs_guest_vcpu_offline(&v->shim);
	v->online = 0;
	note_yielder(sim, v, SIM_Y_GONE, 0);
	sim_guest_tell(sim, v, PVS_EV_DETACH, 0);
	sim_vcpu_interrupt(sim, to, SIM_VECTOR_TIMER);
	sim_vcpu_interrupt(sim, to, SIM_VECTOR_RESCHED);
}

void sim_vcpu_hotplug(struct sim *sim, struct sim_vcpu *v, int online)
{
	struct sim_gvcpu *g = sim_g(v);

	if (!online) {
		if (!v->online || !other_online(v))
			return;
		g->dying = 1; /* goes when it holds nothing */
		sim_vcpu_interrupt(sim, v, SIM_VECTOR_RESCHED);
		return;
	}
	g->dying = 0;
	if (v->online)
		return;
	v->online = 1;
	v->halted = 0;
	arm_tick(sim, v);
	sim_guest_tell(sim, v, PVS_EV_ATTACH, 0);
	sim_wake(sim, v->thread);
}

/* ---- beginning --------------------------------------------------------------------------------*/

/* Tasks are where the scenario says, and begin when it says. */
static void place_tasks(struct sim *sim, struct sim_vm *vm)
{
	struct sim_gvm *gm = sim_gm(vm);
	struct sim_task *task;
	uint32_t i;

	for (i = 0; i < gm->task_count; i++) {
		task = sim->tasks[gm->first_task + i];
		sim_task_begin(task);
		task->vcpu = &vm->vcpus[task->home % vm->vcpu_count];
		if (!task->vcpu->online)
			task->vcpu = other_online(task->vcpu);
		counts_as_sleeper(task, 1);
		task->ready_ns = gm->boot_ns + task->spec->start_ns;
		sim_arm(sim, &task->timer, task->ready_ns);
	}
}

static void boot_fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_vm *vm = timer->owner;
	uint32_t i;

	sim_gm(vm)->boot_ns = sim->now_ns;
	place_tasks(sim, vm);
	sim_liar_boot(sim, vm);
	for (i = 0; i < vm->vcpu_count; i++) {
		if (!vm->vcpus[i].online)
			continue;
		arm_tick(sim, &vm->vcpus[i]);
		sim_wake(sim, vm->vcpus[i].thread);
	}
}

/* A vCPU without anything on it. */
static void clear_vcpu(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);

	sim_disarm(sim, &g->tick);
	sim_disarm(sim, &g->poll);
	sim_disarm(sim, &g->lie);
	g->queue = NULL;
	g->queued = 0;
	memset(g->min_vruntime, 0, sizeof(g->min_vruntime));
	g->resched = g->dying = g->asks_yield = g->lying = 0;
	g->pending = g->irq_left_ns = 0;
	memset(g->callers, 0, sizeof(g->callers));
	g->vmm_left_ns = 0;
	g->expired = (struct sim_list){ 0 };
	memset(g->sleepers, 0, sizeof(g->sleepers));
	memset(g->sleeping, 0, sizeof(g->sleeping));
	memset(&g->util, 0, sizeof(g->util));
	g->hint_ok_ns = 0;
	g->said_util = 0;
	memset(&v->shim, 0, sizeof(v->shim));
	v->halted = v->polling = v->in_vmm = v->in_irq = 0;
	v->irq_pending = v->yield_asked = 0;
	v->curr = NULL;
}

/* The guest's memory is as at power-on; the host's view of it is not touched here. */
void sim_vm_reset(struct sim *sim, struct sim_vm *vm)
{
	struct sim_gvm *gm = sim_gm(vm);
	uint32_t i;

	for (i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i].thread->state == SIM_RUNNING)
			sim_settle(sim, vm->vcpus[i].thread->cpu);
	for (i = 0; i < gm->task_count; i++) {
		sim_disarm(sim, &sim->tasks[gm->first_task + i]->timer);
		sim_task_begin(sim->tasks[gm->first_task + i]);
	}
	sim_world_clear(&gm->world);
	memset(gm->idle, 0, sizeof(gm->idle));
	memset(gm->loaded, 0, sizeof(gm->loaded));
	for (i = 0; i < vm->vcpu_count; i++) {
		clear_vcpu(sim, &vm->vcpus[i]);
		sim_guest_tell(sim, &vm->vcpus[i], PVS_EV_RESET, 0);
		sim_poke(sim, vm->vcpus[i].thread);
	}
	sim_hint_forget(vm);
	sim_arm(sim, &gm->boot, sim->now_ns);
}

void sim_vm_rebind(struct sim *sim, struct sim_vm *vm)
{
	uint32_t i;

	sim_hint_forget(vm);
	/* who runs binds anew at once, the others when they run */
	for (i = 0; i < vm->vcpu_count; i++)
		sim_poke(sim, vm->vcpus[i].thread);
}

void sim_guest_lose_kicks(struct sim *sim, int on)
{
	sim_guests(sim)->lose_kicks = (uint8_t)on;
}

/* ---- making -----------------------------------------------------------------------------------*/

static void tick_fires(struct sim *sim, struct sim_timer *timer)
{
	sim_vcpu_interrupt(sim, timer->owner, SIM_VECTOR_TICK);
}

/* vCPU n on the n-th of the CPUs that the VM may use. */
static uint64_t affinity_of(const struct sim *sim, const struct sim_vm_spec *spec, uint32_t index)
{
	uint64_t all = sim->cpu_count < 64 ? ((uint64_t)1 << sim->cpu_count) - 1 : UINT64_MAX;
	uint64_t mask = spec->affinity & all ? spec->affinity & all : all;
	uint32_t n;

	if (!spec->pin)
		return mask;
	for (n = index % (uint32_t)__builtin_popcountll(mask); n; n--)
		mask &= mask - 1;
	return mask & (~mask + 1);
}

static void make_vcpu(struct sim *sim, struct sim_vm *vm, uint32_t index)
{
	const struct sim_vm_spec *spec = vm->spec;
	struct sim_vcpu *v = &vm->vcpus[index];
	struct sim_gvcpu *g = calloc(1, sizeof(*g));
	char name[SIM_NAME];
	struct sim_thread *t;

	if (!g)
		abort();
	snprintf(name, sizeof(name), "%.*s/%u", (int)sizeof(name) - 12, vm->name, index);
	t = sim_thread_new(sim, name, &sim_vcpu_body, v);
	t->vcpu = v;
	t->affinity = affinity_of(sim, spec, index);
	t->weight = spec->weight ? spec->weight : 1024;
	if (sim->policy->flags & SIM_POLICY_STATIC_RT)
		t->rt_prio = (uint8_t)spec->rt_prio;
	v->vm = vm;
	v->index = index;
	v->thread = t;
	v->online = 1;
	v->guest = g;
	g->tick.owner = g->poll.owner = g->lie.owner = v;
	g->tick.fire = tick_fires;
	g->poll.fire = poll_fires;
	g->window_ns = g->round_left_ns = ple_window(v);
	sim_rng_seed(&g->rng, sim->seed, sim_stream(vm->name, name));
	sim_thread_start(sim, t);
}

static void make_tasks(struct sim *sim, struct sim_vm *vm)
{
	const struct sim_vm_spec *spec = vm->spec;
	struct sim_gvm *gm = sim_gm(vm);
	struct sim_task *task;
	uint32_t i, n;

	gm->first_task = sim->task_count;
	sim_world_fit(&gm->world, spec->tasks, spec->task_count);
	for (i = 0; i < spec->task_count; i++) {
		for (n = 0; n < (spec->tasks[i].count ? spec->tasks[i].count : 1); n++) {
			task = sim_task_new(sim, &spec->tasks[i], vm, n);
			task->home = spec->tasks[i].vcpu + n;
			gm->free_tasks += !spec->tasks[i].pinned;
			task->vcpu = &vm->vcpus[task->home % vm->vcpu_count];
		}
	}
	gm->task_count = sim->task_count - gm->first_task;
}

static void make_vm(struct sim *sim, const struct sim_vm_spec *spec, uint32_t copy)
{
	const struct sim_role *role = sim->policy->role;
	struct sim_vm *vm = &sim->vms[sim->vm_count];
	struct sim_gvm *gm = calloc(1, sizeof(*gm));
	uint32_t i;

	vm->id = sim->vm_count++;
	if (spec->count > 1)
		snprintf(vm->name, sizeof(vm->name), "%.*s.%u", (int)sizeof(vm->name) - 12,
			 spec->name, copy);
	else
		snprintf(vm->name, sizeof(vm->name), "%s", spec->name);
	vm->spec = spec;
	vm->generation = 1;
	vm->vcpu_count = spec->vcpus ? spec->vcpus : 1;
	vm->vcpus = calloc(vm->vcpu_count, sizeof(*vm->vcpus));
	vm->yielder = calloc(1, sim->policy->yielder->vm_size + 1);
	if (!gm || !vm->vcpus || !vm->yielder)
		abort();
	vm->guest = gm;
	gm->boot.owner = vm;
	gm->boot.fire = boot_fires;
	for (i = 0; i < vm->vcpu_count; i++)
		make_vcpu(sim, vm, i);
	make_tasks(sim, vm);
	if (role->vm_up)
		role->vm_up(sim, vm);
	if (sim->policy->yielder->vm_up)
		sim->policy->yielder->vm_up(sim, vm);
	sim_arm(sim, &gm->boot, 0);
}

void sim_guest_init(struct sim *sim)
{
	const struct sim_scenario *s = sim->scenario;
	uint32_t i, n, count = 0;

	sim->guest_data = calloc(1, sizeof(struct sim_guests));
	for (i = 0; i < s->vm_count; i++)
		count += s->vms[i].count ? s->vms[i].count : 1;
	sim->vms = calloc(count + 1, sizeof(*sim->vms));
	if (!sim->guest_data || !sim->vms)
		abort();
	for (i = 0; i < s->vm_count; i++)
		for (n = 0; n < (s->vms[i].count ? s->vms[i].count : 1); n++)
			make_vm(sim, &s->vms[i], n);
	sim_host_tasks_init(sim);
	sim_devices_init(sim);
}

void sim_guest_free(struct sim *sim)
{
	uint32_t i, j;

	for (i = 0; i < sim->vm_count; i++) {
		struct sim_vm *vm = &sim->vms[i];

		for (j = 0; j < vm->vcpu_count; j++)
			free(vm->vcpus[j].guest);
		sim_world_free(&sim_gm(vm)->world);
		free(sim_gm(vm)->devices);
		free(vm->guest);
		free(vm->yielder);
		free(vm->vcpus);
	}
	free(sim->vms);
	for (i = 0; i < sim->task_count; i++)
		free(sim->tasks[i]);
	free(sim->tasks);
	if (sim->guest_data) {
		sim_world_free(&sim_guests(sim)->host);
		free(sim_guests(sim)->devices);
		free(sim->guest_data);
	}
}
