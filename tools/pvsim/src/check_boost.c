/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_boost.c - budgets, by an accountant of our own. All it knows is which class each vCPU had
 * and when it ran; the library's accounts are not looked at.
 *
 * A budget of `burst` and `share` allows a vCPU, in any window, boosted run time of
 *
 *	burst + share * window + overshoot
 *
 * A level that rises by boosted run time, sinks by share * time and never below 0 is beyond
 * burst + overshoot if and only if some window is beyond that. The share is that of the entitlement
 * (all of one CPU when none is configured: the host's estimate is no more).
 *
 * Two levels are kept: of time in the class of urgent tasks, which the boost account pays for, and
 * of all boosted time: critical sections are paid for by the same account and interrupts by one of
 * their own, and from outside one cannot tell these from those.
 *
 * The overshoot: an account is found empty at a look. One is armed for when the account will be
 * empty; it comes no sooner than recheck_min_ns after the last one, and late by timer slack, faults
 * and a clock that is set back. It comes 2 ms after one that found the vCPU waiting (decide.c), on
 * hosts that do not look again when it is picked. What is
 * run meanwhile is charged, up to a second capacity (account.c); if an overshoot can be more than
 * that, the rest is forgiven each time.
 *
 * One boost ends at grant_max_ns of boosted run time, less what was rested meanwhile: the same with
 * a share of 1 and repaid at rest only. A look that finds rest before the boost in one interval
 * sets one against the other, which a host that sees each pick never has; else it is worth one more
 * grant.
 */
#include <inttypes.h>

#include "check.h"

#define UNUSED_LOOK_NS (2 * SIM_MS) /* decide.c */
#define GRANULARITY_NS (50 * SIM_US) /* coarsest of all roles: role_advisory.c */

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void sink(struct check_level *l, uint64_t ns_q10)
{
	l->used_q10 = l->used_q10 > ns_q10 ? l->used_q10 - ns_q10 : 0;
}

static void rise(struct check_level *l, uint64_t ns)
{
	l->used_q10 += ns << 10;
}

/* The part of a CPU that flows into an account, in 1/1024, rounded up. */
static uint64_t share_of(const struct sim_thread *t, uint32_t share_q10)
{
	uint64_t entitled = t->vcpu->vm->spec->entitlement_q16;

	if (!entitled || entitled > 65536)
		entitled = 65536;
	return (share_q10 * entitled + 65535) >> 16;
}

static void vcpu_time(struct sim *sim, const struct sim_thread *t, struct check_thread *seen,
		      uint64_t dt_ns)
{
	struct check *c = check_of(sim);
	uint64_t share = share_of(t, sim->config.boost_share_q10);

	sink(&seen->task, dt_ns * share);
	sink(&seen->all, dt_ns * (share + share_of(t, sim->config.irq_share_q10)));
	if (seen->state != SIM_RUNNING || !check_boosted(seen->klass)) {
		sink(&seen->grant, dt_ns << 10);
		return;
	}
	rise(&seen->grant, dt_ns);
	rise(&seen->all, dt_ns);
	if (seen->klass == PVS_CLASS_TASK)
		rise(&seen->task, dt_ns);
	rise(&c->vm_boost[t->vcpu->vm->id], dt_ns);
}

void check_boost_time(struct sim *sim, uint64_t dt_ns)
{
	struct check *c = check_of(sim);
	uint32_t i;

	if (!c->budgets)
		return;
	for (i = 0; i < c->vm_count; i++)
		sink(&c->vm_boost[i], dt_ns * sim->config.vm_share_q10);
	for (i = 0; i < c->thread_count; i++)
		if (sim->threads[i]->vcpu)
			vcpu_time(sim, sim->threads[i], &c->threads[i], dt_ns);
}

/* The host's clock has jumped ahead: to the accounts, so much time has passed. */
static void clock_jumped(struct sim *sim, struct check *c)
{
	uint64_t ns = sim->clock_skew_ns - c->skew_ns;
	uint32_t i;

	if (ns >> 63)
		return; /* back: counts as no time */
	for (i = 0; i < c->vm_count; i++)
		sink(&c->vm_boost[i], ns * sim->config.vm_share_q10);
	for (i = 0; i < c->thread_count; i++) {
		const struct sim_thread *t = sim->threads[i];

		if (!t->vcpu)
			continue;
		sink(&c->threads[i].task, ns * share_of(t, sim->config.boost_share_q10));
		sink(&c->threads[i].all, ns * (share_of(t, sim->config.boost_share_q10) +
					       share_of(t, sim->config.irq_share_q10)));
		sink(&c->threads[i].grant, ns << 10);
	}
}

static void within(struct sim *sim, const char *budget, const char *who,
		   const struct check_level *l, uint64_t allowed_ns)
{
	if (l->used_q10 >> 10 > allowed_ns)
		sim_fail(sim, "budget-%s: %s was boosted for %" PRIu64 " ns more than flows back, %"
			 PRIu64 " are allowed", budget, who, l->used_q10 >> 10, allowed_ns);
}

/* A vCPU that is offline is nobody's to boost. */
static void restored(struct sim *sim, const struct sim_thread *t, struct check_thread *seen)
{
	const struct check *c = check_of(sim);

	if (t->vcpu->online || t->klass == PVS_CLASS_BASELINE) {
		seen->restored_by_ns = SIM_NEVER;
		return;
	}
	if (seen->restored_by_ns == SIM_NEVER)
		seen->restored_by_ns = sim->now_ns + c->overshoot_ns;
	if (sim->now_ns > seen->restored_by_ns)
		sim_fail(sim, "restored: %s is offline and has class %u", t->name, t->klass);
}

/* A boost of this class is over: what it overshot beyond a second capacity is nobody's debt. */
static void forgive(const struct check *c, const struct pvs_config *cfg, struct check_thread *seen)
{
	uint32_t burst_ns = seen->klass == PVS_CLASS_CRITICAL ? cfg->irq_burst_ns :
			    cfg->boost_burst_ns;

	if (c->overshoot_ns <= burst_ns)
		return;
	sink(&seen->all, (c->overshoot_ns - burst_ns) << 10);
	if (seen->klass == PVS_CLASS_TASK)
		sink(&seen->task, (c->overshoot_ns - burst_ns) << 10);
}

static void check_vcpu(struct sim *sim, const struct sim_thread *t, struct check_thread *seen)
{
	const struct check *c = check_of(sim);
	const struct pvs_config *cfg = &sim->config;
	uint64_t grant_ns = cfg->grant_max_ns + c->overshoot_ns;

	restored(sim, t, seen);
	if (!check_boosted(t->klass) && !check_boosted(seen->klass))
		return;
	if (cfg->flags & PVS_CONFIG_MEASURE_ONLY)
		sim_fail(sim, "measure-only: %s has class %u", t->name, t->klass);
	if (c->looks_late)
		grant_ns += max64(cfg->grant_max_ns, c->unused_ns);
	within(sim, "task", t->name, &seen->task, cfg->boost_burst_ns + c->overshoot_ns);
	within(sim, "all", t->name, &seen->all,
	       (uint64_t)cfg->boost_burst_ns + cfg->irq_burst_ns + 2 * c->overshoot_ns);
	within(sim, "grant", t->name, &seen->grant, grant_ns);
	if (t->klass != seen->klass)
		forgive(c, cfg, seen);
}

/* It arrived on another host, or begins anew: accounts come with it (pvs_saved), but what it has
 * had of the grant at hand does not. */
static void renewed(const struct sim *sim, struct check *c, const struct sim_vm *vm)
{
	uint32_t i;

	if (c->generation[vm->id] == vm->generation)
		return;
	c->generation[vm->id] = vm->generation;
	for (i = 0; i < c->thread_count; i++)
		if (sim->threads[i]->vcpu && sim->threads[i]->vcpu->vm == vm)
			c->threads[i].grant.used_q10 = 0;
}

static void check_vm(struct sim *sim, const struct sim_vm *vm)
{
	const struct check *c = check_of(sim);
	const struct pvs_config *cfg = &sim->config;
	uint64_t each_ns = cfg->vm_quantum_ns + c->overshoot_ns;

	/* Each may have a quantum in hand, and goes on without one until its next look. */
	each_ns += max64(cfg->grant_max_ns, c->unused_ns);
	within(sim, "vm", vm->name, &c->vm_boost[vm->id],
	       cfg->vm_burst_ns + vm->vcpu_count * each_ns);
}

void check_boost_event(struct sim *sim)
{
	struct check *c = check_of(sim);
	uint32_t i;

	if (!c->budgets)
		return;
	if (sim->clock_skew_ns != c->skew_ns)
		clock_jumped(sim, c);
	for (i = 0; i < c->vm_count; i++)
		renewed(sim, c, &sim->vms[i]);
	for (i = 0; i < c->thread_count; i++)
		if (sim->threads[i]->vcpu)
			check_vcpu(sim, sim->threads[i], &c->threads[i]);
	for (i = 0; i < c->vm_count; i++)
		check_vm(sim, &sim->vms[i]);
}

/* How late a role's look is at most: slack and granularity, faults, the distance of two polls. */
static uint64_t lateness(const struct sim *sim)
{
	const struct sim_scenario *s = sim->scenario;
	uint64_t late_ns = 0, set_back_ns = 0;
	uint32_t i;

	for (i = 0; i < s->fault_count; i++) {
		const struct sim_fault_spec *f = &s->faults[i];

		if (f->kind == SIM_FAULT_LATE_TIMERS && f->value > 0)
			late_ns = max64(late_ns, (uint64_t)f->value);
		if (f->kind == SIM_FAULT_CLOCK_JUMP && f->value < 0)
			set_back_ns += 0 - (uint64_t)f->value;
	}
	late_ns += set_back_ns + max64(sim->costs.timer_slack_ns, GRANULARITY_NS);
	if (sim->policy->role == &sim_role_central)
		late_ns += 4 * sim_param(sim, "central.poll", 20 * SIM_US);
	return late_ns;
}

void check_boost_init(struct sim *sim)
{
	struct check *c = check_of(sim);
	const struct sim_role *role = sim->policy->role;

	c->budgets = role == &sim_role_advisory || role == &sim_role_owning ||
		     role == &sim_role_central;
	c->looks_late = role != &sim_role_owning;
	c->late_ns = lateness(sim);
	c->turn_ns = sim->costs.knob_ns + sim->costs.look_ns + sim->costs.ipi_ns +
		     sim->costs.switch_ns;
	c->unused_ns = c->looks_late ? UNUSED_LOOK_NS : 0;
	c->overshoot_ns = max64(sim->config.recheck_min_ns, c->unused_ns) + c->late_ns +
			  2 * c->turn_ns;
}

/* An honest guest all of whose tasks are over: it wants nothing any more. */
static int is_over(const struct sim *sim, const struct sim_vm *vm)
{
	uint32_t i;

	if (vm->spec->liar > SIM_SILENT || vm->spec->hint_cost_ns)
		return 0; /* where a word costs, the last one may be left unsaid */
	for (i = 0; i < sim->task_count; i++)
		if (sim->tasks[i]->vm == vm && sim->tasks[i]->state != SIM_TASK_STOPPED)
			return 0;
	return 1;
}

/* Faults and lies have stopped, and there is nothing to do: who sleeps is not above baseline. */
void check_boost_end(struct sim *sim)
{
	const struct check *c = check_of(sim);
	uint64_t quiet_ns = sim->scenario->quiet_ns;
	uint32_t i;

	if (!c->budgets || !quiet_ns || sim->now_ns < sim->scenario->duration_ns)
		return;
	for (i = 0; i < c->thread_count; i++) {
		const struct sim_thread *t = sim->threads[i];

		if (!t->vcpu || !is_over(sim, t->vcpu->vm) || t->state != SIM_BLOCKED ||
		    sim->now_ns - t->since_ns < quiet_ns / 2)
			continue;
		if (check_boosted(t->klass))
			sim_fail(sim, "liveness: %s sleeps and still has class %u (reason %u)",
				 t->name, t->klass, t->reason);
	}
}
