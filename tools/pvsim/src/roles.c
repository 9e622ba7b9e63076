/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * roles.c - what the roles that run libpvsched share.
 *
 * The library is used as any host would use it: struct pvs_host for region, negotiation,
 * checkpoints and baseline, the null adapter below it. What the null adapter is told is made so in
 * the machine; its clocks are the machine's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "roles.h"

#define PAGE 4096u
#define WEIGHT_ONE 1024u

static void *zeroed(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		abort();
	return p;
}

/* ---- configuration ----------------------------------------------------------------------------*/

/* Numbers of defects are those with which the rule has no effect. */
static void spoil_config(struct pvs_config *c, uint32_t defects)
{
	if (defects & SIM_DEFECT_NO_STORM) {
		c->storm_share_q10 = 1024;
		c->storm_rate_hz = 1000000;
		c->storm_burst = 65535;
		c->irq_share_q10 = 1024;
		c->irq_burst_ns = 10 * SIM_MS;
	}
	if (defects & SIM_DEFECT_NO_VM_CAP) {
		c->vm_share_q10 = 65536;
		c->vm_burst_ns = SIM_S;
	}
	if (defects & SIM_DEFECT_NO_RATE) {
		c->raise_min_ns = 1;
		c->kick_min_ns = SIM_US;
		c->look_cost_ns = 1;
		c->recheck_min_ns = SIM_US;
	}
	pvs_config_resolve(c);
}

/* Once the warm-up is over, what was counted before it does not count. */
static void warm_fires(struct sim *sim, struct sim_timer *timer)
{
	struct roles *r = timer->owner;
	uint32_t i;

	if (r->warmed)
		r->warmed(sim);
	for (i = 0; i < r->vm_count; i++) {
		struct role_vm *rvm = r->vms[i];

		rvm->warm = rvm->past;
		pvs_counters_add(&rvm->warm, &rvm->host.totals);
		rvm->warm_host = rvm->past_host;
		rvm->warm_host.steps += rvm->host.counters.steps;
		rvm->warm_host.quiet += rvm->host.counters.quiet;
		rvm->warm_host.applies += rvm->host.counters.applies;
		rvm->warm_host.restores += rvm->host.counters.restores;
	}
}

struct roles *roles_init(struct sim *sim, const struct pvs_adapter_ops *ops, uint32_t caps)
{
	struct roles *r = zeroed(1, sizeof(*r));

	r->ops = ops;
	r->caps = caps;
	r->config = sim->config;
	spoil_config(&r->config, sim->defects);
	sim->role_data = r;
	if (sim->scenario->warmup_ns) {
		r->warm.owner = r;
		r->warm.fire = warm_fires;
		sim_arm(sim, &r->warm, sim->scenario->warmup_ns);
	}
	return r;
}

void roles_free(struct sim *sim)
{
	struct roles *r = roles_of(sim);
	uint32_t i, k;

	if (!r)
		return;
	for (i = 0; i < r->vm_count; i++) {
		for (k = 0; k < r->vms[i]->vm->vcpu_count; k++)
			free(r->vms[i]->vcpus[k].own);
		free(r->vms[i]->vcpus);
		free(r->vms[i]->cores);
		free(r->vms[i]->region);
		free(r->vms[i]);
	}
	free(r->vms);
	free(r->own);
	free(r);
	sim->role_data = NULL;
}

/* ---- operations -------------------------------------------------------------------------------*/

int roles_capture(void *ctx)
{
	return pvs_null_ops.capture(ctx);
}

static const struct pvs_decision at_baseline = {
	.klass = PVS_CLASS_BASELINE,
	.reason = PVS_REASON_DETACHED,
	.weight_q10 = WEIGHT_ONE,
};

int roles_restore(void *ctx)
{
	struct role_vcpu *rv = ctx;

	if (!(rv->sim->defects & SIM_DEFECT_NO_RESTORE)) {
		sim_disarm(rv->sim, &rv->knob);
		sim_disarm(rv->sim, &rv->stuck);
		sim_dvfs_ask(rv->sim, rv->v, 0);
		sim_set_class(rv->sim, rv->v->thread, PVS_CLASS_BASELINE, 0, WEIGHT_ONE,
			      at_baseline.reason);
	}
	return pvs_null_ops.restore(ctx);
}

/* Run time as the host's accounts have it. */
static uint64_t told_run_ns(const struct role_vcpu *rv)
{
	const struct sim_thread *t = rv->v->thread;
	uint64_t run_ns = sim_thread_run_ns(rv->sim, t);

	if (rv->sim->defects & SIM_DEFECT_SAMPLED)
		return rv->sampled_ns;
	if (rv->sim->defects & SIM_DEFECT_FREE_BOOST) {
		run_ns -= t->boosted_ns;
		if (t->state == SIM_RUNNING && t->klass > PVS_CLASS_BASELINE)
			run_ns -= rv->sim->now_ns - t->since_ns;
	}
	return run_ns;
}

int roles_now(void *ctx, struct pvs_facts *facts, int sample)
{
	struct role_vm *rvm = ctx;
	struct role_vcpu *rv = ctx;

	if (sample != PVS_SAMPLE_CLOCK)
		rvm = rv->rvm;
	rvm->null.now_ns = sim_clock_ns(rvm->sim);
	rvm->null.timer_granularity_ns = roles_of(rvm->sim)->granularity_ns;
	if (sample == PVS_SAMPLE_CLOCK)
		return pvs_null_ops.now(&rvm->null, facts, sample);
	rv->null.run_ns = told_run_ns(rv);
	rv->null.wait_ns = sim_thread_wait_ns(rv->sim, rv->v->thread);
	/* Nothing of what a nested guest's host sees is looked at: as if it were deaf. */
	rv->null.nested = (rv->sim->defects & SIM_DEFECT_DEAF) != 0;
	return pvs_null_ops.now(ctx, facts, sample);
}

int roles_kick(void *ctx)
{
	return pvs_null_ops.kick(ctx);
}

/* ---- decisions --------------------------------------------------------------------------------*/

static uint64_t boosted_run_ns(const struct role_vcpu *rv)
{
	return sim_thread_run_ns(rv->sim, rv->v->thread) - rv->raised_run_ns;
}

/* SIM_DEFECT_NO_DEBOOST: the boost goes on until it has used a whole account. */
static int stays_boosted(struct role_vcpu *rv, const struct pvs_decision *d)
{
	uint64_t burst_ns = roles_of(rv->sim)->config.boost_burst_ns, used_ns;

	if (!(rv->sim->defects & SIM_DEFECT_NO_DEBOOST))
		return 0;
	if (d->klass > PVS_CLASS_BASELINE || rv->v->thread->klass <= PVS_CLASS_BASELINE)
		return 0;
	used_ns = boosted_run_ns(rv);
	if (used_ns >= burst_ns)
		return 0;
	rv->turn = *d;
	sim_arm(rv->sim, &rv->stuck, rv->sim->now_ns + burst_ns - used_ns);
	return 1;
}

void roles_set(struct role_vcpu *rv, const struct pvs_decision *d)
{
	struct sim_thread *t = rv->v->thread;

	if (rv->rvm->keep || stays_boosted(rv, d))
		return;
	sim_disarm(rv->sim, &rv->stuck);
	if (d->klass > PVS_CLASS_BASELINE && t->klass <= PVS_CLASS_BASELINE)
		rv->raised_run_ns = sim_thread_run_ns(rv->sim, t);
	sim_set_class(rv->sim, t, d->klass, d->rank, d->weight_q10, d->reason);
}

static void stuck_fires(struct sim *sim, struct sim_timer *timer)
{
	struct role_vcpu *rv = timer->owner;

	(void)sim;
	roles_set(rv, &rv->turn);
}

static void note_denial(struct role_vcpu *rv, const struct pvs_decision *d)
{
	const struct sim_thread *t = rv->v->thread;

	if (!d->throttle) {
		rv->reason_seen = 0;
		return;
	}
	if (rv->reason_seen == d->reason)
		return;
	rv->reason_seen = d->reason;
	sim_note(rv->sim, SIM_T_DENIED, t->cpu ? t->cpu->id : 0, t->id, d->reason, d->throttle);
}

void roles_step(struct role_vcpu *rv, uint32_t type, uint32_t arg)
{
	struct pvs_host_vcpu *core = roles_core(rv);

	if (!core->attached)
		return;
	(void)pvs_host_event(&rv->rvm->host, rv->v->index, type, arg);
	if (!(core->decision.flags & PVS_DECISION_MEASURE))
		note_denial(rv, &core->decision);
}

void roles_perf(struct role_vcpu *rv, const struct pvs_decision *d)
{
	const struct pvs_vcpu *core = &roles_core(rv)->core;

	if (!d->perf_q10 && (core->asleep || (core->hint.flags & PVS_HINT_IDLE)))
		sim_dvfs_rest(rv->sim, rv->v);
	else
		sim_dvfs_ask(rv->sim, rv->v, d->perf_q10);
}

int roles_changed(const struct role_vcpu *rv)
{
	const struct pvs_host_vcpu *core = roles_core(rv);
	struct pvs_snapshot now;

	pvs_snapshot(core->slot, &now);
	return memcmp(&now, &core->seen, sizeof(now)) != 0;
}

void roles_arm(struct sim *sim, struct sim_timer *timer, uint64_t at_ns)
{
	uint64_t late_ns = roles_of(sim)->late_ns;

	if (at_ns == PVS_NEVER) {
		sim_disarm(sim, timer);
		return;
	}
	at_ns = at_ns > sim_clock_ns(sim) ? at_ns - sim_clock_ns(sim) : 0;
	if (late_ns)
		at_ns += sim_rng_below(&sim->rng, late_ns + 1);
	sim_arm(sim, timer, sim->now_ns + at_ns + sim_fault_late_ns(sim));
}

static void comes_sooner(struct sim *sim, struct sim_timer *timer, uint64_t ns)
{
	uint64_t left_ns;

	if (!timer->heap_at)
		return;
	left_ns = timer->at_ns - sim->now_ns;
	sim_arm(sim, timer, sim->now_ns + (left_ns > ns ? left_ns - ns : 0));
}

void roles_clock_ahead(struct sim *sim, uint64_t ns)
{
	struct roles *r = roles_of(sim);
	uint32_t i, k;

	for (i = 0; r && i < r->vm_count; i++) {
		comes_sooner(sim, &r->vms[i]->timer, ns);
		for (k = 0; k < r->vms[i]->vm->vcpu_count; k++)
			comes_sooner(sim, &r->vms[i]->vcpus[k].look, ns);
	}
}

/* ---- vCPUs ------------------------------------------------------------------------------------*/

static void attach(struct role_vcpu *rv)
{
	struct pvs_host_vcpu *core = roles_core(rv);

	if (core->attached || !rv->rvm->up || !rv->v->thread)
		return;
	(void)pvs_host_attach(&rv->rvm->host, rv->v->index, &rv->null, rv->v->index);
}

struct role_vcpu *roles_vcpu(struct sim *sim, struct sim_vcpu *v)
{
	struct role_vcpu *rv = v->role;

	(void)sim;
	if (!rv || !rv->rvm->up)
		return NULL;
	if (v->online)
		attach(rv);
	return rv;
}

int roles_plug(struct role_vcpu *rv, uint32_t type)
{
	if (type == PVS_EV_ATTACH) {
		attach(rv);
		return 1;
	}
	if (type == PVS_EV_DETACH) {
		pvs_host_detach(&rv->rvm->host, rv->v->index);
		sim_disarm(rv->sim, &rv->look);
		return 1;
	}
	return 0;
}

/*
 * The guest begins anew: a new generation, and everybody at baseline. With SIM_DEFECT_NO_RESTORE
 * what is applied stays.
 */
void roles_reset(struct role_vcpu *rv)
{
	struct role_vm *rvm = rv->rvm;

	rvm->keep = (rv->sim->defects & SIM_DEFECT_NO_RESTORE) != 0;
	if (rv->v->index == 0) {
		rvm->vm->generation = ++rvm->generation;
		pvs_host_reset(&rvm->host, rvm->generation);
	}
	roles_step(rv, PVS_EV_RESET, 0);
	rvm->keep = 0;
}

/* ---- VMs --------------------------------------------------------------------------------------*/

static struct role_vm *make_vm(struct sim *sim, struct sim_vm *vm)
{
	struct roles *r = roles_of(sim);
	struct role_vm *rvm = zeroed(1, sizeof(*rvm));
	uint32_t i;

	r->vms = realloc(r->vms, (r->vm_count + 1) * sizeof(*r->vms));
	if (!r->vms)
		abort();
	r->vms[r->vm_count++] = rvm;
	rvm->sim = sim;
	rvm->vm = vm;
	rvm->cores = zeroed(vm->vcpu_count, sizeof(*rvm->cores));
	rvm->vcpus = zeroed(vm->vcpu_count, sizeof(*rvm->vcpus));
	rvm->region_size = pvs_host_region_size(vm->vcpu_count);
	rvm->region = aligned_alloc(PAGE, rvm->region_size);
	if (!rvm->region)
		abort();
	for (i = 0; i < vm->vcpu_count; i++) {
		struct role_vcpu *rv = &rvm->vcpus[i];

		rv->null.null = &rvm->null;
		rv->null.entitlement_q16 = vm->spec->entitlement_q16;
		rv->sim = sim;
		rv->v = &vm->vcpus[i];
		rv->rvm = rvm;
		rv->stuck.owner = rv->look.owner = rv->knob.owner = rv;
		rv->stuck.fire = stuck_fires;
		rv->v->role = rv;
	}
	vm->role = rvm;
	return rvm;
}

/* What the source of a migration saved is there again; a reset does not refill an account. */
static void restore_accounts(struct role_vm *rvm)
{
	uint32_t i;

	for (i = 0; i < rvm->vm->vcpu_count; i++) {
		const struct role_vcpu *rv = &rvm->vcpus[i];
		struct pvs_host_vcpu *core = &rvm->cores[i];

		if (!rv->has_saved)
			continue;
		if (pvs_state_restore(&core->core, &rvm->host.config, &rv->saved) != PVS_OK)
			sim_fail(rvm->sim, "%s: a saved state is refused", rvm->vm->name);
		pvs_counters_read(&core->core, &core->counted);
	}
}

void roles_vm_up(struct sim *sim, struct sim_vm *vm)
{
	struct roles *r = roles_of(sim);
	struct role_vm *rvm = vm->role ? vm->role : make_vm(sim, vm);
	uint64_t cap_ns = rvm->host.vm.cap_ns;
	struct pvs_host_args args = {
		.ops = r->ops,
		.ctx = rvm,
		.config = &r->config,
		.region = rvm->region,
		.vcpus = rvm->cores,
		.slot_count = vm->vcpu_count,
		.caps = r->caps,
		.kick_kind = PVS_KICK_HYPERCALL,
		.kick_addr = 1,
	};
	uint32_t i;

	if (rvm->up)
		roles_vm_down(sim, vm);
	args.generation = ++rvm->generation;
	if (pvs_host_init(&rvm->host, &args) != PVS_OK) {
		sim_fail(sim, "%s: the library refuses the host", vm->name);
		return;
	}
	rvm->host.vm.cap_ns = cap_ns;
	restore_accounts(rvm);
	rvm->up = 1;
	vm->generation = rvm->generation;
	vm->header = rvm->host.header;
	vm->slots = rvm->host.slots;
	vm->slots_bytes = rvm->region_size - PVS_HEADER_SIZE;
	for (i = 0; i < vm->vcpu_count; i++)
		(void)roles_vcpu(sim, &vm->vcpus[i]);
}

static void add_host(struct pvs_host_counters *sum, const struct pvs_host_counters *more)
{
	sum->steps += more->steps;
	sum->quiet += more->quiet;
	sum->applies += more->applies;
	sum->restores += more->restores;
	sum->errors += more->errors;
	sum->foreign += more->foreign;
	sum->gone += more->gone;
	sum->timers += more->timers;
	sum->posts += more->posts;
}

void roles_vm_down(struct sim *sim, struct sim_vm *vm)
{
	struct role_vm *rvm = vm->role;
	uint32_t i;

	if (!rvm || !rvm->up)
		return;
	pvs_host_close(&rvm->host);
	rvm->up = 0;
	for (i = 0; i < vm->vcpu_count; i++) {
		struct role_vcpu *rv = &rvm->vcpus[i];

		pvs_state_save(&rvm->cores[i].core, &rv->saved);
		rv->has_saved = 1;
		rv->bell_shut = 0;
		rv->bell_opens_ns = 0;
		sim_disarm(sim, &rv->look);
		sim_disarm(sim, &rv->knob);
	}
	sim_disarm(sim, &rvm->timer);
	pvs_counters_add(&rvm->past, &rvm->host.totals);
	add_host(&rvm->past_host, &rvm->host.counters);
	memset(&rvm->host.totals, 0, sizeof(rvm->host.totals));
	memset(&rvm->host.counters, 0, sizeof(rvm->host.counters));
}

/* ---- for yielders -----------------------------------------------------------------------------*/

int roles_hint(struct sim *sim, struct sim_vcpu *v, struct pvs_hint *hint)
{
	const struct role_vcpu *rv = v->role;
	const struct pvs_host_vcpu *core;
	const struct pvs_host *host;
	struct pvs_snapshot snap;

	memset(hint, 0, sizeof(*hint));
	if (!sim->policy->role->speaks || !rv || !rv->rvm->up)
		return 0;
	host = &rv->rvm->host;
	if (!host->vm.terms.active || (sim->defects & SIM_DEFECT_DEAF))
		return 0;
	core = &host->vcpus[v->index];
	pvs_snapshot(core->slot, &snap);
	if (core->terms_seen == host->terms_count && !memcmp(&snap, &core->seen, sizeof(snap)))
		*hint = core->core.hint;
	else
		pvs_validate(&snap, &host->vm.terms, &core->core.hint, hint);
	if (sim->defects & SIM_DEFECT_NO_EPOCH)
		hint->wait_epoch = (pvs_u16)roles_epoch(sim, v->vm, hint->wait_target);
	return 1;
}

uint32_t roles_epoch(struct sim *sim, struct sim_vm *vm, uint32_t index)
{
	const struct role_vm *rvm = vm->role;

	if (!sim->policy->role->speaks || !rvm || !rvm->up || index >= vm->vcpu_count)
		return 0;
	if (!(rvm->host.vm.terms.features & PVS_F_RUN_EPOCH))
		return 0;
	return rvm->cores[index].core.run_epoch;
}

/* ---- report -----------------------------------------------------------------------------------*/

static const char *const reason_names[PVS_REASON_COUNT] = {
	"none", "offline", "below", "idle", "urgent", "wake", "armed", "pending", "window", "crit",
	"irq", "kick", "yield", "boost_empty", "irq_empty", "vm_cap", "grant_max", "rate",
	"malformed", "stale", "too_short", "payback", "foreign", "detached", "outside", "brief",
	"dedicated", "ticket", "storm", "deferred", "defer_spent", "outranked",
};

/* What has grown since the warm-up. */
static void counted(const struct role_vm *rvm, struct pvs_counters *c)
{
	uint32_t i;

	*c = rvm->past;
	pvs_counters_add(c, &rvm->host.totals);
	c->boosted_ns -= rvm->warm.boosted_ns;
	c->boosts -= rvm->warm.boosts;
	c->denials -= rvm->warm.denials;
	c->overruns -= rvm->warm.overruns;
	c->malformed -= rvm->warm.malformed;
	c->tickets -= rvm->warm.tickets;
	c->storms -= rvm->warm.storms;
	c->deferrals -= rvm->warm.deferrals;
	for (i = 0; i < PVS_REASON_COUNT; i++)
		c->reasons[i] -= rvm->warm.reasons[i];
}

void roles_row(struct sim *sim, const struct role_vm *rvm, enum sim_unit unit, uint64_t value,
	       const char *name)
{
	sim_result_add(sim->result, unit, value, "pvs.%s", name);
	sim_result_add(sim->result, unit, value, "pvs.%s.%s", rvm->vm->name, name);
}

static void report_vm(struct sim *sim, const struct role_vm *rvm)
{
	struct pvs_host_counters host = rvm->past_host;
	struct pvs_counters c;
	char name[48];
	uint32_t i;

	counted(rvm, &c);
	add_host(&host, &rvm->host.counters);
	roles_row(sim, rvm, SIM_COUNT, c.boosts, "boosts");
	roles_row(sim, rvm, SIM_COUNT, c.denials, "denials");
	roles_row(sim, rvm, SIM_COUNT, c.overruns, "overruns");
	roles_row(sim, rvm, SIM_NS, c.boosted_ns, "boosted_ns");
	roles_row(sim, rvm, SIM_COUNT, c.malformed, "malformed");
	roles_row(sim, rvm, SIM_COUNT, c.tickets, "tickets");
	roles_row(sim, rvm, SIM_COUNT, c.storms, "storms");
	roles_row(sim, rvm, SIM_COUNT, c.deferrals, "deferrals");
	roles_row(sim, rvm, SIM_COUNT, host.steps - rvm->warm_host.steps, "steps");
	roles_row(sim, rvm, SIM_COUNT, host.quiet - rvm->warm_host.quiet, "quiet");
	roles_row(sim, rvm, SIM_COUNT, host.applies - rvm->warm_host.applies, "applies");
	roles_row(sim, rvm, SIM_COUNT, host.restores - rvm->warm_host.restores, "restores");
	for (i = 0; i < PVS_REASON_COUNT; i++) {
		if (!c.reasons[i])
			continue;
		snprintf(name, sizeof(name), "reason.%s", reason_names[i]);
		roles_row(sim, rvm, SIM_COUNT, c.reasons[i], name);
	}
}

void roles_report(struct sim *sim)
{
	struct roles *r = roles_of(sim);
	uint32_t i;

	for (i = 0; i < r->vm_count; i++)
		report_vm(sim, r->vms[i]);
}
