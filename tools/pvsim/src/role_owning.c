/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * role_owning.c - libpvsched in a host that owns its run queue: a hypervisor, or a scheduler inside
 * the kernel. It sees wake-ups, preemptions and interrupts, and decides there; what it decides is
 * in force at once.
 *
 * A look costs the vCPU it is for `owning.look` ns. Where nothing can have changed (a tick, a pick
 * right after a wake-up) words that are as they were are not looked at again.
 */
#include <stdlib.h>

#include "roles.h"

/* A decision and the cache misses of a region's slot, ns of the most capable CPU: DESIGN 9 allows
 * 200 instructions; two lines from another CPU's cache are about 2 * 100 ns. */
#define LOOK_NS 300u
/* The end of a boost is a timer of the hypervisor's own: high-resolution timers are late by about
 * as much as an interrupt takes. */
#define GRANULARITY_NS 2000u

#define OWNING_CAPS (PVS_CAP_SEES_WAKE | PVS_CAP_SEES_PREEMPT | PVS_CAP_SEES_INJECT | \
		     PVS_CAP_OWNS_QUEUE | PVS_CAP_CAN_DEFER | PVS_CAP_CAN_KICK | \
		     PVS_CAP_SEES_WAIT | PVS_CAP_TELLS_PERF | PVS_CAP_CAN_YIELD | \
		     PVS_CAP_IRQ_WINDOW)

#define UTIL_ONE 1024u
/* facts.contention is of so much time, at least. */
#define CONTENTION_NS (8 * SIM_MS)

static int owning_apply(void *ctx, const struct pvs_decision *d)
{
	struct role_vcpu *rv = ctx;

	roles_set(rv, d);
	return pvs_null_ops.apply(ctx, d);
}

/* Share of time it waited lately. */
static void contention_of(struct role_vcpu *rv, struct pvs_facts *facts)
{
	uint64_t run_ns = facts->run_ns - rv->seen_run_ns;
	uint64_t wait_ns = sim_thread_wait_ns(rv->sim, rv->v->thread) - rv->seen_wait_ns;

	if (run_ns + wait_ns >= CONTENTION_NS) {
		rv->contention = pvs_perf_contention(run_ns, wait_ns);
		rv->seen_run_ns += run_ns;
		rv->seen_wait_ns += wait_ns;
	}
	facts->contention = (pvs_u16)rv->contention;
}

static int owning_now(void *ctx, struct pvs_facts *facts, int sample)
{
	struct role_vcpu *rv = ctx;
	int err = roles_now(ctx, facts, sample);
	const struct sim_thread *t;

	if (err != PVS_OK || sample == PVS_SAMPLE_CLOCK)
		return err;
	t = rv->v->thread;
	facts->wait_known = 1;
	facts->contended = sim_rank_waiting(rv->sim, t) > 0;
	if (!facts->entitlement_q16)
		facts->entitlement_q16 = sim_rank_share_q16(rv->sim, t);
	if (t->cpu) {
		facts->capacity = (pvs_u16)t->cpu->capacity;
		facts->perf = (pvs_u16)t->cpu->levels[t->cpu->level].speed;
	}
	contention_of(rv, facts);
	return PVS_OK;
}

static const struct pvs_adapter_ops owning_ops = {
	.capture = roles_capture,
	.apply = owning_apply,
	.restore = roles_restore,
	.now = owning_now,
	.kick = roles_kick,
};

/* ---- looking ----------------------------------------------------------------------------------*/

/* Nothing is due for one that sleeps at baseline: its wake-up is a look. */
static void arm_look(struct role_vcpu *rv)
{
	const struct pvs_host_vcpu *core = roles_core(rv);
	uint64_t at_ns = core->recheck_at_ns, now_ns = sim_clock_ns(rv->sim);

	/* A look that found nothing new went no further, and left the time of the next one. */
	if (core->settled && at_ns <= now_ns)
		at_ns = now_ns + core->settled_ns;
	if (rv->v->thread->state == SIM_BLOCKED && core->core.asleep &&
	    core->core.klass <= PVS_CLASS_BASELINE)
		at_ns = PVS_NEVER;
	if (roles_of(rv->sim)->polled)
		at_ns = PVS_NEVER;
	roles_arm(rv->sim, &rv->look, at_ns);
}

static void after_step(struct role_vcpu *rv)
{
	roles_perf(rv, &roles_core(rv)->decision);
	arm_look(rv);
}

void role_owning_look(struct role_vcpu *rv, uint32_t type, uint32_t arg)
{
	roles_step(rv, type, arg);
	after_step(rv);
}

static void pay(struct role_vcpu *rv)
{
	uint64_t *look_ns = roles_of(rv->sim)->own;

	sim_overhead(rv->sim, rv->v->thread, *look_ns);
}

static void look_fires(struct sim *sim, struct sim_timer *timer)
{
	struct role_vcpu *rv = timer->owner;
	struct sim_thread *t = rv->v->thread;

	if (!rv->rvm->up)
		return;
	sim->acting = t->cpu;
	if (t->state == SIM_RUNNING)
		sim_settle(sim, t->cpu);
	pay(rv);
	role_owning_look(rv, PVS_EV_POLL, 0);
}

/* It goes on where it was, and nothing has happened to it: a pick says nothing new. Of a boost the
 * end depends on when it runs. */
static int goes_on(const struct role_vcpu *rv)
{
	const struct pvs_vcpu *core = &roles_core(rv)->core;

	return core->klass <= PVS_CLASS_BASELINE && !(core->run_epoch & 1) && !core->asleep &&
	       !core->deferred && !core->granted && !core->inbox && !roles_changed(rv);
}

/* What this host sees and what a look at it may change. */
static int is_seen(struct role_vcpu *rv, uint32_t type, uint32_t arg)
{
	const struct pvs_host_vcpu *core = roles_core(rv);

	switch (type) {
	case PVS_EV_ENQUEUE: /* said by WAKE or PREEMPT already */
	case PVS_EV_IPI:     /* an event of the yield engine */
	case PVS_EV_SPIN:
		return 0;
	case PVS_EV_PICK:
		return !goes_on(rv);
	case PVS_EV_MIGRATE: /* seen at the pick that follows */
		pvs_host_post(&rv->rvm->host, rv->v->index, type);
		return 0;
	case PVS_EV_TICK:
		return roles_changed(rv);
	case PVS_EV_EOI: /* of the interrupt whose ticket is open */
		return (core->core.ticket_end_ns && arg == core->core.ticket_vector) ||
		       roles_changed(rv);
	case PVS_EV_IRQ_WINDOW: /* it was armed */
		return (core->decision.flags & PVS_DECISION_ARM_IRQ_WINDOW) || roles_changed(rv);
	default:
		return 1;
	}
}

void role_owning_event(struct sim *sim, struct sim_vcpu *v, uint32_t type, uint32_t arg)
{
	struct role_vcpu *rv = roles_vcpu(sim, v);

	if (!rv)
		return;
	if (type == PVS_EV_TICK && (sim->defects & SIM_DEFECT_SAMPLED))
		rv->sampled_ns += sim->tick_ns;
	rv->look.fire = look_fires;
	if (roles_plug(rv, type) || !roles_core(rv)->attached || !is_seen(rv, type, arg))
		return;
	pay(rv);
	if (type == PVS_EV_RESET)
		roles_reset(rv);
	else
		roles_step(rv, type, arg);
	after_step(rv);
}

uint64_t role_owning_defer(struct sim *sim, struct sim_vcpu *v, uint32_t by_class)
{
	struct role_vcpu *rv = roles_vcpu(sim, v);
	const struct pvs_host_vcpu *core;

	if (!rv || !roles_core(rv)->attached)
		return 0;
	core = roles_core(rv);
	/* No critical section, and nobody who could wait for it: there is nothing to ask. */
	if (v->vm->vcpu_count == 1 && !core->core.hint.crit && !roles_changed(rv))
		return 0;
	pay(rv);
	role_owning_look(rv, PVS_EV_PREEMPT, by_class);
	if (!(core->decision.flags & PVS_DECISION_DEFER) ||
	    (core->decision.flags & PVS_DECISION_MEASURE))
		return 0;
	return roles_of(sim)->config.defer_ns;
}

/* ---- the role ---------------------------------------------------------------------------------*/

void role_owning_init(struct sim *sim)
{
	int polled = sim->policy->role == &sim_role_central;
	uint32_t caps = OWNING_CAPS;
	struct roles *r;
	uint64_t *look_ns = malloc(sizeof(*look_ns));

	if (!look_ns)
		abort();
	if (sim_dvfs_by_guests(sim))
		caps |= PVS_CAP_SETS_PERF;
	if (polled)
		caps &= ~PVS_CAP_CAN_KICK; /* nobody has to ring */
	r = roles_init(sim, &owning_ops, caps);
	r->polled = polled;
	*look_ns = sim_param(sim, "owning.look", LOOK_NS);
	r->own = look_ns;
	r->granularity_ns = GRANULARITY_NS;
	/* A look is as cheap as that here; 15 us is what it costs a host in user space. */
	if (r->config.look_cost_ns > *look_ns)
		r->config.look_cost_ns = *look_ns ? (pvs_u32)*look_ns : 1u;
	pvs_config_resolve(&r->config);
}

const struct sim_role sim_role_owning = {
	.name = "owning",
	.what = "libpvsched owns the run queue and sees wake-ups, preemptions and interrupts",
	.leaves_out = "the cost of a sorted queue under contention; locks between CPUs",
	.speaks = 1,
	.init = role_owning_init,
	.free = roles_free,
	.vm_up = roles_vm_up,
	.vm_down = roles_vm_down,
	.event = role_owning_event,
	.defer = role_owning_defer,
	.report = roles_report,
};
