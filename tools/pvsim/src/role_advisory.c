/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * role_advisory.c - libpvsched in a VMM process: it does not own the scheduler, it nudges it. What
 * it sees is what adapters/kvm sees: the doorbell, the way out to device emulation and back, and
 * its own timers; no wake-up, no preemption, no interrupt (docs/adr/0006).
 *
 * A real-time control thread looks and turns the knobs. It has a home CPU, where whoever runs pays
 * for it: two switches and `look_ns` for each look, `knob_ns` for each knob; and a knob has an
 * effect only after that.
 */
#include "roles.h"

/* Of adapters/kvm: timer_granularity_ns, unless the machine's timers are later than that. */
#define GRANULARITY_NS 50000u

#define ADVISORY_CAPS (PVS_CAP_SEES_WAIT | PVS_CAP_CAN_KICK)

/* ---- the control thread -----------------------------------------------------------------------*/

/* A real-time thread that sleeps wakes where it ran before. */
static struct sim_cpu *home(const struct role_vm *rvm)
{
	const struct sim *sim = rvm->sim;
	uint64_t allowed = rvm->vm->spec->affinity ? rvm->vm->spec->affinity : UINT64_MAX;
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[(rvm->vm->id + i) % sim->cpu_count];

		if (cpu->online && (allowed >> cpu->id & 1))
			return cpu;
	}
	return &sim->cpus[0];
}

/* Who runs there pays for what has been done since `steps` and `applies`. */
static void pay(struct role_vm *rvm, uint64_t steps, uint64_t applies)
{
	const struct sim_costs *costs = &rvm->sim->costs;
	const struct pvs_host_counters *c = &rvm->host.counters;
	struct sim_cpu *cpu = home(rvm);
	uint64_t ns = 2 * costs->switch_ns;

	ns += (c->steps - steps) * costs->look_ns + (c->applies - applies) * costs->knob_ns;
	if (cpu->curr)
		sim_overhead(rvm->sim, cpu->curr, ns);
}

static void advisory_timer(struct sim *sim, struct sim_timer *timer)
{
	struct role_vm *rvm = timer->owner;
	uint64_t steps = rvm->host.counters.steps, applies = rvm->host.counters.applies;

	if (!rvm->up)
		return;
	sim->acting = home(rvm);
	(void)pvs_host_timer(&rvm->host);
	pay(rvm, steps, applies);
}

static int advisory_arm(void *ctx, pvs_u64 at_ns)
{
	struct role_vm *rvm = ctx;

	rvm->timer.owner = rvm;
	rvm->timer.fire = advisory_timer;
	roles_arm(rvm->sim, &rvm->timer, at_ns);
	return pvs_null_ops.arm(&rvm->null, at_ns);
}

/* ---- knobs ------------------------------------------------------------------------------------*/

static void knob_turned(struct sim *sim, struct sim_timer *timer)
{
	struct role_vcpu *rv = timer->owner;
	struct sim_thread *t = rv->v->thread;

	sim->acting = home(rv->rvm);
	if (t->state == SIM_RUNNING)
		sim_settle(sim, t->cpu);
	roles_perf(rv, &rv->turn);
	roles_set(rv, &rv->turn);
}

static int advisory_apply(void *ctx, const struct pvs_decision *d)
{
	struct role_vcpu *rv = ctx;
	const struct sim_costs *costs = &rv->sim->costs;

	if (rv->rvm->keep)
		return PVS_OK;
	rv->turn = *d;
	rv->knob.fire = knob_turned;
	sim_arm(rv->sim, &rv->knob, rv->sim->now_ns + costs->switch_ns + costs->look_ns +
					    costs->knob_ns);
	return pvs_null_ops.apply(ctx, d);
}

static const struct pvs_adapter_ops advisory_ops = {
	.capture = roles_capture,
	.apply = advisory_apply,
	.restore = roles_restore,
	.now = roles_now,
	.arm = advisory_arm,
	.kick = roles_kick,
};

/* ---- the doorbell -----------------------------------------------------------------------------*/

/* As adapters/kvm/vmm does: one look for kick_min_ns with one to spare, and none while only time
 * can change the answer. Who rings meanwhile is served when the bell opens. */
static void serve_bell(struct role_vcpu *rv)
{
	const struct pvs_host_vcpu *core = roles_core(rv);
	uint64_t now_ns = sim_clock_ns(rv->sim), opens_ns;
	uint64_t steps = rv->rvm->host.counters.steps, applies = rv->rvm->host.counters.applies;

	opens_ns = rv->bell_opens_ns + roles_of(rv->sim)->config.kick_min_ns;
	rv->bell_opens_ns = opens_ns > now_ns ? opens_ns : now_ns;
	roles_step(rv, PVS_EV_KICK, 0);
	pay(rv->rvm, steps, applies);
	if (core->decision.ring_at_ns > rv->bell_opens_ns && core->decision.ring_at_ns != PVS_NEVER)
		rv->bell_opens_ns = core->decision.ring_at_ns;
	if (rv->sim->defects & SIM_DEFECT_NO_RATE)
		rv->bell_opens_ns = 0;
}

static void bell_answered(struct sim *sim, struct sim_timer *timer)
{
	struct role_vcpu *rv = timer->owner;
	struct sim_thread *t = rv->v->thread;

	rv->bell_shut = 0;
	if (!rv->rvm->up)
		return;
	sim->acting = home(rv->rvm);
	if (t->state == SIM_RUNNING)
		sim_settle(sim, t->cpu);
	serve_bell(rv);
}

static void ring(struct role_vcpu *rv)
{
	const struct sim_costs *costs = &rv->sim->costs;
	uint64_t at_ns = sim_clock_ns(rv->sim);

	if (rv->bell_shut)
		return;
	/* At boot nobody is in a hurry, and the guest waits for the answer. */
	if (rv->rvm->host.vm.status != PVS_STATUS_ACTIVE) {
		roles_step(rv, PVS_EV_KICK, 0);
		return;
	}
	rv->bell_shut = 1;
	if (at_ns < rv->bell_opens_ns)
		at_ns = rv->bell_opens_ns;
	at_ns += costs->wake_ns + costs->switch_ns - sim_clock_ns(rv->sim);
	rv->look.fire = bell_answered;
	sim_arm(rv->sim, &rv->look, rv->sim->now_ns + at_ns);
}

/* ---- the role ---------------------------------------------------------------------------------*/

static void advisory_event(struct sim *sim, struct sim_vcpu *v, uint32_t type, uint32_t arg)
{
	struct role_vcpu *rv = roles_vcpu(sim, v);

	if (!rv)
		return;
	if (type == PVS_EV_TICK && (sim->defects & SIM_DEFECT_SAMPLED))
		rv->sampled_ns += sim->tick_ns;
	if (roles_plug(rv, type) || !roles_core(rv)->attached)
		return;
	switch (type) {
	case PVS_EV_KICK:
		ring(rv);
		return;
	case PVS_EV_RUN_ENTER:
	case PVS_EV_RUN_LEAVE: /* the vCPU's own thread does these */
		sim_overhead(sim, v->thread, sim->costs.look_ns);
		roles_step(rv, type, arg);
		return;
	case PVS_EV_RESET:
		roles_reset(rv);
		return;
	default: /* not seen in user space */
		return;
	}
}

static void advisory_init(struct sim *sim)
{
	uint64_t slack_ns = sim->scenario->machine.costs.timer_slack_ns;
	uint32_t caps = ADVISORY_CAPS;
	struct roles *r;

	if (sim_dvfs_by_guests(sim))
		caps |= PVS_CAP_SETS_PERF;
	/* The host's kernel directs yields by the library then, and reads the words itself. */
	if (sim->policy->yielder == &sim_yield_pvs)
		caps |= PVS_CAP_CAN_YIELD;
	r = roles_init(sim, &advisory_ops, caps);
	r->late_ns = slack_ns;
	r->granularity_ns = GRANULARITY_NS;
	if (slack_ns > GRANULARITY_NS)
		r->granularity_ns = (uint32_t)slack_ns;
}

const struct sim_role sim_role_advisory = {
	.name = "advisory",
	.what = "libpvsched beside a scheduler it does not own, in user space: adapters/kvm",
	.leaves_out = "the control thread as a thread: who runs on its home CPU pays for it",
	.speaks = 1,
	.init = advisory_init,
	.free = roles_free,
	.vm_up = roles_vm_up,
	.vm_down = roles_vm_down,
	.event = advisory_event,
	.report = roles_report,
};
