/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hints.c - what a guest says of itself, through the real shim (pvs/guest.h), as a port would: at
 * each change of tasks, before it halts, at its tick, around locks and spinning.
 *
 * A tick that finds nothing but another utilisation says so at most hint_rate_hz times a second.
 * Where hints are not stores (hint_cost_ns) each statement costs that, and one that says nothing
 * new is not made.
 */
#include "guest_inner.h"

/* How often a guest that has no answer yet looks again. */
#define ASK_AGAIN_NS SIM_MS

/* ---- utilisation ------------------------------------------------------------------------------*/

/* 2^(-i/32) in 1/65536 */
static const uint32_t fading[33] = {
	65536, 64132, 62757, 61413, 60097, 58809, 57549, 56316, 55109, 53928, 52773,
	51642, 50535, 49452, 48393, 47356, 46341, 45348, 44376, 43425, 42495, 41584,
	40693, 39821, 38968, 38133, 37316, 36516, 35734, 34968, 34219, 33486, 32768,
};

#define FADE_STEP_NS (SIM_UTIL_HALF_NS / 32)

/* What is left of 65536 after so long. */
static uint32_t fade(uint64_t ns)
{
	uint64_t halves = ns / SIM_UTIL_HALF_NS, rest = ns % SIM_UTIL_HALF_NS;
	uint32_t i = (uint32_t)(rest / FADE_STEP_NS), step;

	if (halves >= 16)
		return 0;
	step = (uint32_t)((fading[i] - fading[i + 1]) * (rest % FADE_STEP_NS) / FADE_STEP_NS);
	return (fading[i] - step) >> halves;
}

/* It has been so long; `busy` is what it did all the time, 0..1024. */
static void age(struct sim_util *u, uint64_t now_ns, uint64_t busy)
{
	uint64_t left;

	if (now_ns <= u->at_ns)
		return;
	left = fade(now_ns - u->at_ns);
	u->value = (u->value * left + (busy << SIM_UTIL_SHIFT) * (65536 - left)) >> 16;
	u->at_ns = now_ns;
}

uint64_t sim_hint_clock(const struct sim *sim, const struct sim_vcpu *v)
{
	return sim->now_ns - sim_thread_wait_ns(sim, v->thread);
}

/* As a guest knows it that can tell how fast its CPU is. */
static uint64_t speed_of(const struct sim_vcpu *v)
{
	const struct sim_cpu *cpu = v->thread->cpu;

	return cpu ? cpu->levels[cpu->level].speed : 1024;
}

void sim_util_update(const struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);
	uint64_t now_ns = sim_hint_clock(sim, v), busy = v->curr ? speed_of(v) : 0;

	/* too short to matter: the sums would lose what is below their last digit */
	if (now_ns < g->util.at_ns + SIM_US)
		return;
	age(&g->util, now_ns, busy);
	if (v->curr)
		age(&v->curr->util, now_ns, busy);
}

void sim_util_resumes(const struct sim *sim, struct sim_task *task)
{
	age(&task->util, sim_hint_clock(sim, task->vcpu), 0);
}

void sim_util_move(struct sim *sim, struct sim_task *task, struct sim_vcpu *to)
{
	struct sim_gvcpu *from = sim_g(task->vcpu);

	sim_util_update(sim, task->vcpu);
	sim_util_update(sim, to);
	age(&task->util, sim_hint_clock(sim, task->vcpu), 0);
	from->util.value -= task->util.value < from->util.value ? task->util.value :
			    from->util.value;
	sim_g(to)->util.value += task->util.value;
	task->util.at_ns = sim_hint_clock(sim, to);
}

/* ---- binding ----------------------------------------------------------------------------------*/

void sim_hint_forget(struct sim_vm *vm)
{
	struct sim_gvm *gm = sim_gm(vm);
	uint32_t i;

	gm->bound = SIM_UNBOUND;
	gm->retry_ns = 0;
	gm->life++;
	vm->shim.header = NULL;
	for (i = 0; i < vm->vcpu_count; i++)
		vm->vcpus[i].shim.slot = NULL;
}

static void bind(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_vm *vm = v->vm;
	struct sim_gvm *gm = sim_gm(vm);
	int rc;

	if (!vm->header || vm->spec->liar == SIM_SILENT) {
		gm->bound = SIM_DEAF;
		return;
	}
	rc = pvs_guest_bind(&vm->shim, vm->header, vm->slots, vm->slots_bytes, PVS_F_ALL &
			    ~PVS_F_SPLIT_WORDS);
	gm->retry_ns = sim->now_ns + ASK_AGAIN_NS;
	if (rc == PVS_GUEST_KICK)
		gm->bound = SIM_BOUND;
	else if (rc != PVS_GUEST_NOT_READY)
		gm->bound = SIM_DEAF;
	if (rc == PVS_GUEST_KICK || rc == PVS_GUEST_NOT_READY)
		sim_hint_doorbell(sim, v);
}

static void ask(struct sim *sim, struct sim_vm *vm)
{
	struct sim_gvm *gm = sim_gm(vm);
	int rc = pvs_guest_ready(&vm->shim);

	if (rc == PVS_GUEST_OK)
		gm->bound = SIM_HEARD;
	else if (rc == PVS_GUEST_REFUSED)
		gm->bound = SIM_DEAF;
	else if (rc != PVS_GUEST_NOT_READY)
		sim_hint_forget(vm);
	else
		gm->retry_ns = sim->now_ns + ASK_AGAIN_NS;
}

void sim_hint_open(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvm *gm = sim_gm(v->vm);

	if (v->shim.slot || gm->bound == SIM_DEAF)
		return;
	if (gm->bound == SIM_UNBOUND && sim->now_ns >= gm->retry_ns)
		bind(sim, v);
	if (gm->bound == SIM_BOUND)
		ask(sim, v->vm);
	if (gm->bound != SIM_HEARD ||
	    pvs_guest_vcpu_online(&v->vm->shim, v->index, &v->shim) != PVS_GUEST_OK)
		return;
	if (v->curr && v->curr->locks_held)
		sim_hint_crit(sim, v, PVS_CRIT_LOCK_HELD, 0);
	if (v->curr && v->curr->irqs_off)
		sim_hint_crit(sim, v, PVS_CRIT_IRQS_OFF, 0);
	sim_hint_publish(sim, v, 1);
}

/* ---- ringing ----------------------------------------------------------------------------------*/

void sim_hint_doorbell(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_guests *guests = sim_guests(sim);
	int in_user = v->vm->shim.kick_kind == PVS_KICK_MMIO;

	sim_note(sim, SIM_T_KICK, sim_cpu_of(v->thread), v->thread->id, 0, 0);
	guests->kicks++;
	if (guests->lose_kicks) {
		guests->kicks_lost++;
	} else {
		sim_guest_tell(sim, v, PVS_EV_KICK, 0);
	}
	if (!in_user) {
		sim_overhead(sim, v->thread, sim->costs.exit_ns);
		return;
	}
	sim_guest_tell(sim, v, PVS_EV_RUN_LEAVE, 0);
	v->in_vmm = 1;
	sim_g(v)->vmm_left_ns += (uint32_t)sim->costs.mmio_user_ns + 1;
	sim_poke(sim, v->thread);
}

void sim_hint_ring(struct sim *sim, struct sim_vcpu *v, int rc)
{
	if (rc == PVS_GUEST_KICK)
		sim_hint_doorbell(sim, v);
	else if (rc == PVS_GUEST_YIELD)
		v->yield_asked = 1;
}

/* ---- statements -------------------------------------------------------------------------------*/

/* The most urgent of those that sleep here; -1 = nobody does. */
static int next_wake(const struct sim_gvcpu *g)
{
	int word;

	for (word = 1; word >= 0; word--)
		if (g->sleeping[word])
			return 64 * word + 63 - __builtin_clzll(g->sleeping[word]);
	return -1;
}

static uint32_t util_of(const struct sim_vcpu *v)
{
	uint64_t util = sim_g(v)->util.value >> SIM_UTIL_SHIFT;

	return util > PVS_UTIL_MAX ? PVS_UTIL_MAX : (uint32_t)util;
}

/* To ask for less than baseline while somebody urgent sleeps here would delay him: until the vCPU
 * runs again he cannot say that he has been woken. */
static uint32_t urgency_now(const struct sim_task *task, int wake)
{
	int asks_less = task->urgency == PVS_URGENCY_IDLE ||
			task->urgency == PVS_URGENCY_BACKGROUND;

	if (asks_less && wake >> 4 > (int)PVS_URGENCY_NORMAL)
		return PVS_URGENCY_NORMAL;
	return task->urgency;
}

static void truth(const struct sim_vcpu *v, struct pvs_guest_intent *in)
{
	const struct sim_gvcpu *g = sim_g(v);
	const struct sim_task *task = v->curr;
	int wake = next_wake(g);

	*in = (struct pvs_guest_intent){ .util = (pvs_u16)g->said_util, .util_valid = 1 };
	if (task) {
		in->urgency = (pvs_u8)urgency_now(task, wake);
		in->level = task->level;
		in->window_us = (pvs_u16)(task->spec->window_us > 65535 ? 65535 :
					  task->spec->window_us);
		return;
	}
	in->idle = 1;
	if (wake >= 0) {
		in->wake_valid = 1;
		in->wake_urgency = (pvs_u8)(wake >> 4);
		in->wake_level = (pvs_u8)(wake & 15);
	}
}

/* Utilisation is said as often as that is allowed. 1: there is a new value. */
static int new_util(const struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);
	uint32_t hz = v->vm->spec->hint_rate_hz, util = util_of(v);

	if (sim->now_ns < g->hint_ok_ns || util == g->said_util)
		return 0;
	g->said_util = util;
	g->hint_ok_ns = hz ? sim->now_ns + SIM_S / hz : 0;
	return 1;
}

/* What others have queued here has been seen: it runs, or there was nothing; unless they have just
 * done so. */
static void queue_seen(struct sim_vcpu *v)
{
	if (v->curr || !v->irq_pending)
		(void)pvs_guest_pend_clear(&v->shim);
}

void sim_hint_publish(struct sim *sim, struct sim_vcpu *v, int again)
{
	struct pvs_guest_intent in;
	pvs_u64 word;
	int fresh;

	if (!v->shim.slot)
		return;
	fresh = new_util(sim, v);
	truth(v, &in);
	if (in.idle && v->vm->spec->hint_cost_ns) {
		queue_seen(v);
		return; /* the halt is an exit, too, and says as much */
	}
	if (sim_lies(sim, v->vm))
		sim_liar_intent(sim, v, &in);
	if (!again || v->vm->spec->hint_cost_ns) {
		word = pvs_guest_intent_word(&in) & v->shim.intent_mask;
		if (!fresh && word == (v->shim.intent & v->shim.intent_mask)) {
			queue_seen(v);
			return;
		}
	}
	if (v->vm->spec->hint_cost_ns)
		sim_overhead(sim, v->thread, v->vm->spec->hint_cost_ns);
	sim_hint_ring(sim, v, pvs_guest_publish(&v->shim, &in));
	queue_seen(v);
	if (sim_lies(sim, v->vm))
		sim_liar_words(sim, v);
	if (v->vm->spec->hint_cost_ns) /* an exit: the host is there anyway, and looks */
		sim_guest_tell(sim, v, PVS_EV_KICK, 0);
}

/* Once in a while: is the host still the one that was bound to? */
void sim_hint_tick(struct sim *sim, struct sim_vcpu *v)
{
	if (sim_gm(v->vm)->bound == SIM_HEARD && pvs_guest_ready(&v->vm->shim) != PVS_GUEST_OK)
		sim_hint_forget(v->vm);
	sim_hint_publish(sim, v, 0);
}

void sim_hint_crit(struct sim *sim, struct sim_vcpu *v, pvs_u64 set, pvs_u64 clear)
{
	int rc;

	if (!v->shim.slot)
		return;
	rc = pvs_guest_crit(&v->shim, set, clear);
	sim_hint_ring(sim, v, rc);
}

/* ---- whom it waits for ------------------------------------------------------------------------*/

static void waits_for_lock(struct sim *sim, struct sim_vcpu *v, const struct sim_step *step)
{
	const struct sim_lock *lock = &sim_gm(v->vm)->world.locks[step->arg];
	uint32_t holder;

	(void)sim;
	if (!lock->holder) {
		pvs_guest_wait(&v->shim, PVS_WAIT_ANY, 0, 0);
		return;
	}
	holder = lock->holder->vcpu->index;
	pvs_guest_wait(&v->shim, PVS_WAIT_LOCK, holder,
		       pvs_guest_run_epoch(&v->vm->shim, holder));
}

/* Those that have not answered, as far as the word can name them. */
static void waits_for_answers(struct sim_vcpu *v)
{
	const struct sim_vm *vm = v->vm;
	uint32_t i, first = 0, count = 0, mask = 0;

	for (i = 0; i < vm->vcpu_count; i++) {
		const struct sim_gvcpu *g = vm->vcpus[i].guest;

		if (!(g->callers[v->index / 64] >> (v->index % 64) & 1))
			continue;
		if (!count++)
			first = i;
		if (i - first < 32)
			mask |= 1u << (i - first);
	}
	if (count == 1)
		pvs_guest_wait(&v->shim, PVS_WAIT_IPI, first,
			       pvs_guest_run_epoch(&vm->shim, first));
	else if (count)
		pvs_guest_wait(&v->shim, PVS_WAIT_IPI_MANY, first, mask);
}

void sim_hint_waits(struct sim *sim, struct sim_vcpu *v)
{
	const struct sim_task *task = v->curr;

	if (!v->shim.slot || !task)
		return;
	if (task->spinning == SIM_SPINS_LOCK)
		waits_for_lock(sim, v, &task->spec->steps[task->pc]);
	else if (task->spinning == SIM_SPINS_IPI)
		waits_for_answers(v);
}

void sim_hint_waits_no_more(struct sim *sim, struct sim_vcpu *v)
{
	(void)sim;
	if (v->shim.slot)
		pvs_guest_wait(&v->shim, PVS_WAIT_NONE, 0, 0);
}
