/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * role_central.c - the owning role, and a host CPU that does nothing but look at the regions: each
 * `central.poll` (20 us) at all vCPUs that run or wait. So a statement counts soon after it is
 * made, without any exit, doorbell or timer (the shape of scx_central). Who has to give a CPU up is
 * told by an interrupt.
 *
 * The last CPU is the one. No thread runs there: it is taken out of their affinities when the run
 * begins, unless it is the only one they have. A machine of one CPU is polled from outside.
 */
#include <stdlib.h>

#include "roles.h"

#define POLL_NS (20 * SIM_US)
/* Reading a line that another CPU has written: about 100 ns across a die. */
#define SCAN_NS 100u
/* Looking whole: as LOOK_NS of role_owning.c. */
#define LOOK_NS 300u

/* What role_owning.c keeps comes first. */
struct central {
	uint64_t look_ns;
	uint64_t poll_ns;
	struct sim_cpu *cpu;
	struct sim_timer timer;
	int reserved; /* the CPU is out of all affinities */
	uint64_t polls, looks;
};

static struct central *central_of(const struct sim *sim)
{
	return roles_of(sim)->own;
}

static void reserve(struct sim *sim, struct central *c)
{
	uint64_t all = sim->cpu_count < 64 ? (UINT64_C(1) << sim->cpu_count) - 1 : UINT64_MAX;
	uint64_t others = all & ~(UINT64_C(1) << c->cpu->id);
	uint32_t i;

	c->reserved = 1;
	for (i = 0; i < sim->thread_count; i++)
		if (sim->threads[i]->affinity & others)
			sim_set_affinity(sim, sim->threads[i], sim->threads[i]->affinity & others);
}

/* 1: it was looked at whole. */
static int look_at(struct sim *sim, struct role_vcpu *rv)
{
	const struct pvs_host_vcpu *core = roles_core(rv);
	struct sim_thread *t = rv->v->thread;

	if (!core->attached || t->state == SIM_BLOCKED)
		return 0;
	if (!roles_changed(rv) && (core->settled || core->recheck_at_ns > sim_clock_ns(sim)))
		return 0;
	if (t->state == SIM_RUNNING)
		sim_settle(sim, t->cpu);
	role_owning_look(rv, PVS_EV_POLL, 0);
	return 1;
}

static void poll_fires(struct sim *sim, struct sim_timer *timer)
{
	struct central *c = timer->owner;
	struct roles *r = roles_of(sim);
	uint64_t took_ns = 0;
	uint32_t i, k;

	if (!c->reserved)
		reserve(sim, c);
	sim->acting = c->cpu;
	c->polls++;
	for (i = 0; i < r->vm_count; i++) {
		if (!r->vms[i]->up)
			continue;
		for (k = 0; k < r->vms[i]->vm->vcpu_count; k++) {
			took_ns += SCAN_NS;
			if (look_at(sim, &r->vms[i]->vcpus[k])) {
				took_ns += LOOK_NS;
				c->looks++;
			}
		}
	}
	sim_arm(sim, timer, sim->now_ns + (took_ns > c->poll_ns ? took_ns : c->poll_ns));
}

static void central_init(struct sim *sim)
{
	struct central *c = calloc(1, sizeof(*c));
	struct roles *r;

	if (!c)
		abort();
	role_owning_init(sim);
	r = roles_of(sim);
	c->look_ns = *(uint64_t *)r->own;
	free(r->own);
	r->own = c;
	c->poll_ns = sim_param(sim, "central.poll", POLL_NS);
	c->cpu = &sim->cpus[sim->cpu_count - 1];
	c->timer.owner = c;
	c->timer.fire = poll_fires;
	sim_arm(sim, &c->timer, 0);
}

static void central_report(struct sim *sim)
{
	const struct central *c = central_of(sim);

	roles_report(sim);
	sim_result_set(sim->result, SIM_COUNT, c->polls, "pvs.polls");
	sim_result_set(sim->result, SIM_COUNT, c->looks, "pvs.looks");
}

const struct sim_role sim_role_central = {
	.name = "central",
	.what = "owning, and a CPU of its own looks at all vCPUs each 20 us",
	.leaves_out = "the dedicated CPU's own power and its cache traffic: it counts as idle",
	.speaks = 1,
	.init = central_init,
	.free = roles_free,
	.vm_up = roles_vm_up,
	.vm_down = roles_vm_down,
	.event = role_owning_event,
	.defer = role_owning_defer,
	.report = central_report,
};
