/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * faults.c - what goes wrong, when the scenario says so.
 */
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "roles.h"

struct fault {
	const struct sim_fault_spec *spec;
	struct sim_timer begin, end;
};

/* sim->fault_data */
struct faults {
	uint32_t count;
	struct fault *list;
	uint64_t late_ns; /* timers of roles are late by up to this */
	struct sim_rng rng;
};

#define STREAM_FAULTS UINT64_C(0x6661756c7473)

uint64_t sim_fault_late_ns(struct sim *sim)
{
	struct faults *f = sim->fault_data;

	if (!f || !f->late_ns)
		return 0;
	return sim_rng_below(&f->rng, f->late_ns + 1);
}

/* Each VM of that name; all copies of one with a count. */
static int is_meant(const struct sim_vm *vm, const struct sim_fault_spec *spec)
{
	return strcmp(vm->name, spec->vm) == 0 || strcmp(vm->spec->name, spec->vm) == 0;
}

static void plug(struct sim *sim, const struct sim_fault_spec *spec, int online)
{
	uint32_t i;

	for (i = 0; i < sim->vm_count; i++)
		if (is_meant(&sim->vms[i], spec) && spec->target < sim->vms[i].vcpu_count)
			sim_vcpu_hotplug(sim, &sim->vms[i].vcpus[spec->target], online);
}

/* Saved on one host and restored on the other: what the role keeps of it goes along. */
static void migrate(struct sim *sim, struct sim_vm *vm)
{
	const struct sim_role *role = sim->policy->role;
	uint32_t i;

	for (i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i].thread->state == SIM_RUNNING)
			sim_settle(sim, vm->vcpus[i].thread->cpu);
	if (role->vm_down)
		role->vm_down(sim, vm);
	vm->generation = (vm->generation + 1) & PVS_GENERATION_MASK;
	if (role->vm_up)
		role->vm_up(sim, vm);
	sim_vm_rebind(sim, vm);
}

static void each_vm(struct sim *sim, const struct sim_fault_spec *spec)
{
	uint32_t i;

	for (i = 0; i < sim->vm_count; i++) {
		if (!is_meant(&sim->vms[i], spec))
			continue;
		if (spec->kind == SIM_FAULT_RESET)
			sim_vm_reset(sim, &sim->vms[i]);
		else
			migrate(sim, &sim->vms[i]);
	}
}

static void cpu_online(struct sim *sim, const struct sim_fault_spec *spec, int online)
{
	uint32_t i, others = 0;

	if (spec->target >= sim->cpu_count)
		return;
	for (i = 0; i < sim->cpu_count; i++)
		others += i != spec->target && sim->cpus[i].online;
	if (others)
		sim_cpu_online(sim, &sim->cpus[spec->target], online);
}

static void jump(struct sim *sim, int64_t ns)
{
	sim->clock_skew_ns += (uint64_t)ns;
	if (ns > 0)
		roles_clock_ahead(sim, (uint64_t)ns);
}

/* on = 1: it begins; 0: it is over. */
static void apply(struct sim *sim, const struct sim_fault_spec *spec, int on)
{
	struct faults *f = sim->fault_data;

	switch ((enum sim_fault_kind)spec->kind) {
	case SIM_FAULT_CLOCK_JUMP:
		jump(sim, on ? spec->value : -spec->value);
		break;
	case SIM_FAULT_LATE_TIMERS:
		f->late_ns = on && spec->value > 0 ? (uint64_t)spec->value : 0;
		break;
	case SIM_FAULT_LOST_KICKS:
		sim_guest_lose_kicks(sim, on);
		break;
	case SIM_FAULT_UNPLUG:
		plug(sim, spec, !on);
		break;
	case SIM_FAULT_RESET:
	case SIM_FAULT_MIGRATE:
		if (on)
			each_vm(sim, spec);
		break;
	case SIM_FAULT_CPU_OFFLINE:
		cpu_online(sim, spec, !on);
		break;
	case SIM_FAULT_KINDS:
		break;
	}
}

static void begins(struct sim *sim, struct sim_timer *timer)
{
	struct fault *fault = timer->owner;

	sim_note(sim, SIM_T_FAULT, 0, fault->spec->kind, fault->spec->target,
		 (uint64_t)fault->spec->value);
	apply(sim, fault->spec, 1);
	if (fault->spec->for_ns)
		sim_arm(sim, &fault->end, sim->now_ns + fault->spec->for_ns);
}

static void ends(struct sim *sim, struct sim_timer *timer)
{
	struct fault *fault = timer->owner;

	apply(sim, fault->spec, 0);
}

void sim_faults_init(struct sim *sim)
{
	const struct sim_scenario *s = sim->scenario;
	struct faults *f = calloc(1, sizeof(*f));
	uint32_t i;

	if (!f)
		abort();
	sim->fault_data = f;
	f->list = calloc((size_t)s->fault_count + 1, sizeof(*f->list));
	if (!f->list)
		abort();
	f->count = s->fault_count;
	sim_rng_seed(&f->rng, sim->seed, STREAM_FAULTS);
	for (i = 0; i < f->count; i++) {
		f->list[i].spec = &s->faults[i];
		f->list[i].begin.owner = f->list[i].end.owner = &f->list[i];
		f->list[i].begin.fire = begins;
		f->list[i].end.fire = ends;
		sim_arm(sim, &f->list[i].begin, s->faults[i].at_ns);
	}
}

void sim_faults_free(struct sim *sim)
{
	struct faults *f = sim->fault_data;

	if (!f)
		return;
	free(f->list);
	free(f);
	sim->fault_data = NULL;
}
