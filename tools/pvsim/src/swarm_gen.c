/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swarm_gen.c - a random scenario from a seed: small machines, since what goes wrong with 64 CPUs
 * goes wrong with two of them, too, and is seen sooner. No expression draws twice: C leaves open
 * which comes first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarm.h"

#define STREAM_SWARM UINT64_C(0x737761726d) /* of random numbers */
#define LOCKS 2u
#define FAULTS_MAX 5u
#define MAILBOXES 2u
#define SEMAPHORES 2u

static uint64_t below(struct sim_rng *r, uint64_t n)
{
	return sim_rng_below(r, n);
}

/* 1 with a probability of n in 100. */
static int percent(struct sim_rng *r, uint32_t n)
{
	return below(r, 100) < n;
}

static uint64_t between(struct sim_rng *r, uint64_t a, uint64_t b)
{
	return a + below(r, b - a + 1);
}

/* Between them, each factor of two as likely as the next. */
static uint64_t scale(struct sim_rng *r, uint64_t a, uint64_t b)
{
	uint32_t doublings = 0;
	uint64_t low;

	while (a << (doublings + 1) <= b)
		doublings++;
	low = a << below(r, doublings + 1);
	return between(r, low, 2 * low - 1 < b ? 2 * low - 1 : b);
}

static void *zeroed(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p) {
		fputs("pvsim: out of memory\n", stderr);
		abort();
	}
	return p;
}

static char *text(const char *s)
{
	char *copy = zeroed(strlen(s) + 1, 1);

	strcpy(copy, s);
	return copy;
}

/* ---- programs ---------------------------------------------------------------------------------*/

static struct sim_dist constant(uint64_t ns)
{
	return (struct sim_dist){ .kind = SIM_DIST_CONST, .a = ns };
}

/* A duration of this order of magnitude. */
static struct sim_dist around(struct sim_rng *r, uint64_t a, uint64_t b)
{
	uint64_t ns = scale(r, a, b);

	switch (below(r, 4)) {
	case 0:
		return (struct sim_dist){ .kind = SIM_DIST_UNIFORM, .a = ns, .b = 2 * ns };
	case 1:
		return (struct sim_dist){ .kind = SIM_DIST_EXP, .a = ns };
	case 2:
		return (struct sim_dist){ .kind = SIM_DIST_CHOICE, .a = 8 * ns, .b = ns,
					  .p_q16 = 65536 / 20 };
	default:
		return constant(ns);
	}
}

static struct sim_step *step(struct sim_task_spec *t, enum sim_op op, uint32_t arg)
{
	struct sim_step *s = &t->steps[t->step_count++];

	s->op = (uint8_t)op;
	s->arg = arg;
	return s;
}

static void run(struct sim_rng *r, struct sim_task_spec *t, uint64_t a, uint64_t b)
{
	step(t, SIM_OP_RUN, 0)->dist = around(r, a, b);
}

static void sleeps(struct sim_rng *r, struct sim_task_spec *t, uint64_t a, uint64_t b)
{
	step(t, SIM_OP_SLEEP, 0)->dist = around(r, a, b);
}

static void burner(struct sim_rng *r, struct sim_task_spec *t)
{
	run(r, t, 100 * SIM_US, 50 * SIM_MS);
	if (percent(r, 20))
		step(t, SIM_OP_YIELD, 0);
}

static void periodic(struct sim_rng *r, struct sim_task_spec *t)
{
	uint64_t period_ns = scale(r, 500 * SIM_US, 40 * SIM_MS);

	step(t, SIM_OP_PERIOD, 0)->dist = constant(period_ns);
	run(r, t, period_ns / 200 + 1, period_ns / 4);
	if (percent(r, 20))
		t->deadline_ns = period_ns / 2;
}

static void sleeper(struct sim_rng *r, struct sim_task_spec *t)
{
	run(r, t, 10 * SIM_US, 5 * SIM_MS);
	sleeps(r, t, 50 * SIM_US, 20 * SIM_MS);
}

static void locker(struct sim_rng *r, struct sim_task_spec *t)
{
	uint32_t lock = (uint32_t)below(r, LOCKS);
	int irqs_off = percent(r, 30);

	run(r, t, 20 * SIM_US, 2 * SIM_MS);
	if (irqs_off)
		step(t, SIM_OP_IRQSOFF, 0);
	step(t, SIM_OP_LOCK, lock);
	run(r, t, 2 * SIM_US, 200 * SIM_US);
	step(t, SIM_OP_UNLOCK, lock);
	if (irqs_off)
		step(t, SIM_OP_IRQSON, 0);
	if (percent(r, 40))
		sleeps(r, t, 50 * SIM_US, 5 * SIM_MS);
}

static void shooter(struct sim_rng *r, struct sim_task_spec *t)
{
	uint32_t to = percent(r, 50) ? SIM_IPI_ALL : SIM_IPI_RANDOM;
	uint64_t wait = percent(r, 70);

	run(r, t, 50 * SIM_US, 5 * SIM_MS);
	step(t, SIM_OP_IPI, to)->arg2 = wait;
	if (percent(r, 30))
		sleeps(r, t, 100 * SIM_US, 5 * SIM_MS);
}

static void server(struct sim_rng *r, struct sim_task_spec *t)
{
	step(t, SIM_OP_RECV, (uint32_t)below(r, MAILBOXES));
	run(r, t, 10 * SIM_US, SIM_MS);
	if (percent(r, 30))
		step(t, SIM_OP_SIGNAL, (uint32_t)below(r, SEMAPHORES));
	step(t, SIM_OP_DONE, 0);
}

static void waiter(struct sim_rng *r, struct sim_task_spec *t)
{
	uint32_t semaphore = (uint32_t)below(r, SEMAPHORES);

	if (percent(r, 50)) {
		step(t, SIM_OP_WAIT, semaphore);
		run(r, t, 10 * SIM_US, SIM_MS);
	} else {
		run(r, t, 100 * SIM_US, 2 * SIM_MS);
		step(t, SIM_OP_SIGNAL, semaphore);
		sleeps(r, t, 100 * SIM_US, 2 * SIM_MS);
	}
}

static uint32_t random_urgency(struct sim_rng *r)
{
	uint32_t level = (uint32_t)below(r, 16);

	return (uint32_t)below(r, PVS_URGENCY_REALTIME + 1) << 4 | level;
}

static void moody(struct sim_rng *r, struct sim_task_spec *t)
{
	step(t, SIM_OP_URGENCY, random_urgency(r));
	run(r, t, 20 * SIM_US, 3 * SIM_MS);
	step(t, SIM_OP_URGENCY, random_urgency(r));
	if (percent(r, 50))
		step(t, SIM_OP_HINT, 0)->dist = constant(between(r, 1, 20));
	run(r, t, 20 * SIM_US, 3 * SIM_MS);
	if (percent(r, 50))
		sleeps(r, t, 20 * SIM_US, 5 * SIM_MS);
}

static void wanderer(struct sim_rng *r, struct sim_task_spec *t)
{
	run(r, t, 50 * SIM_US, 3 * SIM_MS);
	step(t, SIM_OP_REPEAT, 0)->dist = constant(between(r, 2, 5));
	step(t, SIM_OP_MOVE, SIM_IPI_RANDOM);
	sleeps(r, t, 50 * SIM_US, 3 * SIM_MS);
}

static void masked(struct sim_rng *r, struct sim_task_spec *t)
{
	step(t, SIM_OP_IRQSOFF, 0);
	run(r, t, 5 * SIM_US, 300 * SIM_US);
	step(t, SIM_OP_IRQSON, 0);
	run(r, t, 5 * SIM_US, SIM_MS);
	if (percent(r, 50))
		sleeps(r, t, 50 * SIM_US, 5 * SIM_MS);
}

/* Programs that a host task may have, too, come first. */
#define HOST_PROGRAMS 3u
static void (*const programs[])(struct sim_rng *r, struct sim_task_spec *t) = {
	burner, periodic, sleeper, locker, shooter, server, waiter, moody, wanderer, masked,
};
#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* ---- machine ----------------------------------------------------------------------------------*/

static void make_cluster(struct sim_rng *r, struct sim_cluster_spec *c, uint32_t cpus,
			 uint32_t capacity)
{
	uint32_t i;

	c->cpus = cpus;
	c->capacity = capacity;
	c->level_count = (uint32_t)between(r, 1, 4);
	c->idle_mw = (uint32_t)between(r, 1, 50);
	for (i = 0; i < c->level_count; i++) {
		c->levels[i].khz = 2000000 * (i + 1) / c->level_count;
		c->levels[i].speed = capacity * (i + 1) / c->level_count;
		c->levels[i].power_mw = 100 * (i + 1) * (i + 1);
	}
}

static void make_machine(struct sim_rng *r, struct sim_machine_spec *m)
{
	static const uint32_t ticks[] = { 0, 0, 0, 100, 250, 1000 };
	uint32_t big;

	m->cpus = (uint32_t)between(r, 1, 4);
	sim_costs_default(&m->costs);
	if (percent(r, 20))
		m->costs.switch_ns = scale(r, 100, 10000);
	if (percent(r, 20))
		m->costs.ipi_ns = scale(r, 100, 10000);
	if (percent(r, 20))
		m->costs.timer_slack_ns = scale(r, 1000, 200000);
	m->tick_hz = ticks[below(r, 6)];
	if (!percent(r, 25))
		return;
	big = m->cpus > 1 ? (uint32_t)between(r, 1, m->cpus - 1) : 1;
	m->cluster_count = m->cpus > 1 ? 2 : 1;
	make_cluster(r, &m->clusters[0], big, 1024);
	if (m->cpus > 1)
		make_cluster(r, &m->clusters[1], m->cpus - big, (uint32_t)between(r, 200, 900));
	m->dvfs = (uint8_t)below(r, 3);
}

/* Some CPUs, at least one. */
static uint64_t some_cpus(struct sim_rng *r, uint32_t cpus)
{
	return between(r, 1, (1ull << cpus) - 1);
}

/* ---- who runs ---------------------------------------------------------------------------------*/

static void make_host_tasks(struct sim_rng *r, struct sim_scenario *s)
{
	uint32_t i;

	s->host_task_count = (uint32_t)below(r, 4);
	s->host_tasks = zeroed(s->host_task_count, sizeof(*s->host_tasks));
	for (i = 0; i < s->host_task_count; i++) {
		struct sim_task_spec *t = &s->host_tasks[i];
		uint32_t program = (uint32_t)below(r, HOST_PROGRAMS);

		snprintf(t->name, sizeof(t->name), "h%u", i);
		t->count = 1;
		t->urgency = PVS_URGENCY_NORMAL;
		t->weight = 256u << below(r, 4);
		if (percent(r, 20) && program) /* never a burner */
			t->rt_prio = (uint32_t)between(r, 1, 50);
		if (percent(r, 20))
			t->affinity = some_cpus(r, s->machine.cpus);
		programs[program](r, t);
	}
}

static void make_task(struct sim_rng *r, struct sim_scenario *s, struct sim_vm_spec *vm, uint32_t i)
{
	struct sim_task_spec *t = &vm->tasks[i];

	snprintf(t->name, sizeof(t->name), "t%u", i);
	t->count = percent(r, 20) ? 2 : 1;
	t->vcpu = (uint32_t)below(r, vm->vcpus);
	t->pinned = percent(r, 60);
	t->urgency = (uint8_t)below(r, PVS_URGENCY_REALTIME + 1);
	t->level = (uint8_t)below(r, 16);
	t->weight = 256u << below(r, 4);
	if (percent(r, 20))
		t->window_us = (uint32_t)scale(r, 20, 5000);
	if (percent(r, 20))
		t->start_ns = below(r, s->duration_ns / 2);
	t->stop_ns = s->duration_ns - s->quiet_ns;
	if (percent(r, 10))
		t->stop_ns = t->start_ns + scale(r, 10 * SIM_MS, 100 * SIM_MS);
	programs[below(r, PROGRAMS)](r, t);
}

static void make_vm(struct sim_rng *r, struct sim_scenario *s, uint32_t i)
{
	static const uint32_t ticks[] = { 0, 0, 100, 250, 1000 };
	struct sim_vm_spec *vm = &s->vms[i];
	uint32_t n;

	snprintf(vm->name, sizeof(vm->name), "v%u", i);
	vm->count = 1;
	vm->vcpus = (uint32_t)between(r, 1, 4);
	vm->weight = 256u << below(r, 4);
	if (percent(r, 40))
		vm->entitlement_q16 = (uint32_t)scale(r, 2048, 65535);
	if (percent(r, 10))
		vm->rt_prio = (uint32_t)between(r, 1, 20);
	if (percent(r, 15))
		vm->affinity = some_cpus(r, s->machine.cpus);
	vm->pin = !vm->affinity && percent(r, 15);
	if (percent(r, 40))
		vm->liar = (uint8_t)between(r, SIM_SILENT, SIM_DONT_DESCHED);
	vm->liar_ns = scale(r, 20 * SIM_US, 5 * SIM_MS);
	vm->guest_hz = ticks[below(r, 5)];
	vm->tick_work_ns = scale(r, SIM_US, 20 * SIM_US);
	vm->irq_work_ns = scale(r, SIM_US, 20 * SIM_US);
	vm->guest_slice_ns = scale(r, SIM_MS, 8 * SIM_MS);
	if (percent(r, 20))
		vm->halt_poll_ns = scale(r, 10 * SIM_US, 200 * SIM_US);
	vm->halt_poll_grow = percent(r, 50);
	if (percent(r, 20))
		vm->hint_cost_ns = scale(r, 100, 4000);
	if (percent(r, 20))
		vm->hint_rate_hz = (uint32_t)scale(r, 100, 10000);
	if (percent(r, 20))
		vm->ple_window_ns = (uint32_t)scale(r, 1000, 50000);
	vm->locks = LOCKS;
	vm->task_count = (uint32_t)between(r, 0, 5);
	vm->tasks = zeroed(vm->task_count, sizeof(*vm->tasks));
	for (n = 0; n < vm->task_count; n++)
		make_task(r, s, vm, n);
}

static void make_devices(struct sim_rng *r, struct sim_scenario *s)
{
	uint32_t i;

	s->device_count = (uint32_t)below(r, 4);
	s->devices = zeroed(s->device_count, sizeof(*s->devices));
	for (i = 0; i < s->device_count; i++) {
		struct sim_device_spec *d = &s->devices[i];
		const struct sim_vm_spec *vm = &s->vms[below(r, s->vm_count)];

		snprintf(d->name, sizeof(d->name), "d%u", i);
		snprintf(d->vm, sizeof(d->vm), "%s", vm->name);
		d->vcpu = percent(r, 50) ? SIM_IPI_RANDOM : (uint32_t)below(r, vm->vcpus);
		d->mailbox = percent(r, 70) ? (uint32_t)below(r, MAILBOXES) : SIM_NO_MAILBOX;
		d->stop_ns = s->duration_ns - s->quiet_ns;
		d->burst = percent(r, 20) ? (uint32_t)between(r, 2, 8) : 1;
		d->every = around(r, 50 * SIM_US, 20 * SIM_MS);
	}
}

static void make_fault(struct sim_rng *r, struct sim_scenario *s, struct sim_fault_spec *f)
{
	const struct sim_vm_spec *vm = &s->vms[below(r, s->vm_count)];
	uint64_t end_ns = s->duration_ns - s->quiet_ns;

	f->kind = (uint8_t)below(r, SIM_FAULT_KINDS);
	f->at_ns = below(r, end_ns / 2);
	f->for_ns = between(r, SIM_MS, end_ns / 4);
	snprintf(f->vm, sizeof(f->vm), "%s", vm->name);
	switch (f->kind) {
	case SIM_FAULT_CLOCK_JUMP:
		f->value = (int64_t)scale(r, SIM_MS, 2 * SIM_S);
		/* Back, but all of them together not beyond 0: no host's clock is. */
		if (percent(r, 50))
			f->value = -(int64_t)(f->at_ns / (2 * FAULTS_MAX) + 1);
		f->for_ns = 0;
		f->vm[0] = 0;
		break;
	case SIM_FAULT_LATE_TIMERS:
		f->value = (int64_t)scale(r, 10 * SIM_US, SIM_MS);
		f->vm[0] = 0;
		break;
	case SIM_FAULT_LOST_KICKS:
		f->vm[0] = 0;
		break;
	case SIM_FAULT_UNPLUG:
		f->target = (uint32_t)below(r, vm->vcpus);
		break;
	case SIM_FAULT_CPU_OFFLINE:
		f->target = (uint32_t)below(r, s->machine.cpus);
		f->vm[0] = 0;
		break;
	default:
		f->for_ns = 0;
	}
}

/* Somebody must be able to run everywhere else when a CPU goes: then all may run on all. On the
 * last CPU of pvs-central nobody runs. */
static void make_faults(struct sim_rng *r, struct sim_scenario *s)
{
	uint32_t i, offline = 0, idle = !strcmp(s->runs[0].policy, "pvs-central");

	s->fault_count = (uint32_t)below(r, FAULTS_MAX + 1);
	s->faults = zeroed(s->fault_count, sizeof(*s->faults));
	for (i = 0; i < s->fault_count; i++) {
		make_fault(r, s, &s->faults[i]);
		if (s->faults[i].kind != SIM_FAULT_CPU_OFFLINE)
			continue;
		if (idle && s->faults[i].target == s->machine.cpus - 1)
			s->faults[i].target = 0;
		if (offline++ || s->machine.cpus - idle < 2) {
			s->faults[i].kind = SIM_FAULT_LOST_KICKS;
			s->faults[i].target = 0;
		}
	}
	if (!offline)
		return;
	for (i = 0; i < s->vm_count; i++) {
		s->vms[i].affinity = 0;
		s->vms[i].pin = 0;
	}
	for (i = 0; i < s->host_task_count; i++)
		s->host_tasks[i].affinity = 0;
}

/* ---- the policy -------------------------------------------------------------------------------*/

static void add_config(struct sim_scenario *s, const char *name, uint64_t value)
{
	struct sim_param_spec *p = &s->config[s->config_count++];

	snprintf(p->name, sizeof(p->name), "%s", name);
	p->value = value;
}

static void make_config(struct sim_rng *r, struct sim_scenario *s)
{
	static const struct { const char *name; uint32_t min, max; } fields[] = {
		{ "boost_share_q10", 32, 1024 },
		{ "boost_burst_ns", 3000000, 20000000 },
		{ "grant_max_ns", 200000, 10000000 },
		{ "irq_share_q10", 32, 512 },
		{ "irq_burst_ns", 3000000, 10000000 },
		{ "credit_max_ns", 100000, 10000000 },
		{ "debt_start_ns", 100000, 10000000 },
		{ "vm_share_q10", 16, 4096 },
		{ "vm_burst_ns", 1000000, 50000000 },
		{ "vm_quantum_ns", 50000, 1000000 },
		{ "stale_ns", 1000000, 200000000 },
		{ "raise_min_ns", 1, 2000000 },
		{ "malformed_min_ns", 1, 20000000 },
		{ "recheck_min_ns", 20000, 500000 },
		{ "poll_ns", 500000, 20000000 },
		{ "quiet_poll_ns", 1000000, 40000000 },
		{ "kick_min_ns", 10000, 20000000 },
		{ "look_cost_ns", 1, 30000 },
		{ "ticket_max_ns", 50000, 5000000 },
		{ "storm_share_q10", 16, 1024 },
		{ "storm_rate_hz", 1000, 100000 },
		{ "defer_ns", 5000, 100000 },
	};
	uint32_t i;

	s->config_profile = percent(r, 5) ? PVS_PROFILE_MEASURE_ONLY :
			    (uint32_t)below(r, PVS_PROFILE_COUNT);
	s->config = zeroed(sizeof(fields) / sizeof(fields[0]) + 1, sizeof(*s->config));
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		uint64_t value = scale(r, fields[i].min, fields[i].max);

		if (!percent(r, 25))
			continue;
		add_config(s, fields[i].name, value);
		/* The profile's is for its own burst. */
		if (!strcmp(fields[i].name, "boost_burst_ns"))
			add_config(s, "boost_resume_ns", value * 7 / 8);
	}
}

static const char *random_policy(struct sim_rng *r)
{
	static const char *const library[] = { "pvs-advisory", "pvs-owning", "pvs-central",
					       "pvs-yield" };
	uint32_t count = 0;

	if (percent(r, 60))
		return library[below(r, 4)];
	while (sim_policy_at(count))
		count++;
	return sim_policy_at((uint32_t)below(r, count))->name;
}

static void make_run(struct sim_rng *r, struct sim_scenario *s, const char *policy)
{
	const char *chosen = random_policy(r);

	s->run_count = 1;
	s->runs = zeroed(1, sizeof(*s->runs));
	snprintf(s->runs[0].name, sizeof(s->runs[0].name), "with");
	snprintf(s->runs[0].policy, sizeof(s->runs[0].policy), "%s", policy ? policy : chosen);
	if (!percent(r, 25))
		return;
	s->param_count = 1;
	s->params = zeroed(1, sizeof(*s->params));
	snprintf(s->params[0].name, sizeof(s->params[0].name), "fair.base-slice");
	s->params[0].value = scale(r, 700 * SIM_US, 6 * SIM_MS);
}

struct sim_scenario *sim_swarm_scenario(uint64_t seed, const char *policy)
{
	struct sim_scenario *s = zeroed(1, sizeof(*s));
	struct sim_rng rng;
	uint32_t i;

	sim_rng_seed(&rng, seed, STREAM_SWARM);
	snprintf(s->name, sizeof(s->name), "swarm-%llu", (unsigned long long)seed);
	s->source = text("random");
	s->claim = text("no invariant fails");
	s->seed = seed ? seed : 1;
	s->duration_ns = between(&rng, 200, 1000) * SIM_MS;
	s->quiet_ns = s->duration_ns / 3;
	make_run(&rng, s, policy);
	make_machine(&rng, &s->machine);
	make_host_tasks(&rng, s);
	s->vm_count = (uint32_t)between(&rng, 1, 4);
	s->vms = zeroed(s->vm_count, sizeof(*s->vms));
	for (i = 0; i < s->vm_count; i++)
		make_vm(&rng, s, i);
	make_devices(&rng, s);
	make_faults(&rng, s);
	make_config(&rng, s);
	return s;
}

void sim_swarm_free(struct sim_scenario *s)
{
	uint32_t i;

	if (!s)
		return;
	for (i = 0; i < s->vm_count; i++)
		free(s->vms[i].tasks);
	free(s->vms);
	free(s->host_tasks);
	free(s->devices);
	free(s->faults);
	free(s->params);
	free(s->config);
	free(s->runs);
	free(s->source);
	free(s->claim);
	free(s);
}
