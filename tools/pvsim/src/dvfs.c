/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dvfs.c - performance levels. Once in `dvfs.update` (1 ms, the rate limit of schedutil where a
 * driver names none) the host looks what each thread has run and sets the level of each clock.
 *
 * The host's own view is a decaying average of running time, scaled by the speed it ran at (PELT:
 * half-life 32 ms). What waits or sleeps decays, so a thread that has just come to a CPU looks
 * small, and a guest task that moves from one vCPU to another looks new on each: that is what a
 * guest can tell better. With `dvfs: 2` what it says counts in place of the average of its vCPU,
 * and adds up (pvs_perf_put()). `dvfs.uclamp: 1` makes it a floor of the CPU instead, as a clamp of
 * the vCPU thread would: the largest one counts, and nothing adds up.
 */
#include <stdlib.h>
#include <string.h>

#include "dvfs.h"
#include "sim.h"

#define UPDATE_NS SIM_MS
#define ONE 1024u
/* 2^-(1/1024) in 1/2^32: one step of the decay. */
#define STEP_Q32 4292061010u
#define STEPS 1024u           /* of one half-life */
#define HALF_LIFE_NS (32 * SIM_MS) /* LOAD_AVG_PERIOD of Linux */
#define UTIL_SHIFT 20         /* of the average */
#define DOMAINS_MAX 4u        /* clusters of a scenario */

struct dvfs_thread {
	uint64_t util;           /* 0..1024 << UTIL_SHIFT */
	uint64_t run_ns;         /* seen so far */
	uint64_t asked;          /* by its guest, << UTIL_SHIFT; 0 = no statement */
	int rests;               /* ... before it went to sleep: it fades */
	struct pvs_perf_member member;
	uint32_t on;             /* CPU + 1 whose domain it is in, 0 = none */
};

struct dvfs {
	struct sim_timer timer;
	uint64_t update_ns, half_ns, seen_ns;
	uint32_t guests, uclamp;
	uint32_t decay_q32[STEPS + 1];
	struct pvs_perf_config config;
	struct pvs_perf_domain *cpus;       /* one for each CPU: what adds up on it */
	uint32_t clock[SIM_CPUS_MAX];       /* of each CPU */
	uint32_t clock_count;
	struct pvs_perf_domain clocks[DOMAINS_MAX]; /* levels of each clock */
	uint32_t unequal;
	uint32_t count, room;
	struct dvfs_thread *threads;        /* [thread id] */
	uint64_t changes, asks;
};

static struct dvfs *dvfs_of(const struct sim *sim)
{
	return sim->dvfs_data;
}

int sim_dvfs_by_guests(const struct sim *sim)
{
	return sim->scenario->machine.dvfs == 2;
}

/* ---- the average ------------------------------------------------------------------------------*/

/* 2^-(ns / half-life) in 1/2^32, at most one less than one. */
static uint64_t decay(const struct dvfs *d, uint64_t ns)
{
	uint64_t halves = ns / d->half_ns;
	uint64_t step = ns % d->half_ns * STEPS / d->half_ns;

	return halves > 31 ? 0 : (uint64_t)d->decay_q32[step] >> halves;
}

/* It has run for ran_ns of passed_ns at this speed. */
static void average(const struct dvfs *d, struct dvfs_thread *dt, uint64_t ran_ns,
		    uint64_t passed_ns, uint32_t speed)
{
	uint64_t keep = decay(d, passed_ns);
	uint64_t now;

	if (ran_ns > passed_ns)
		ran_ns = passed_ns;
	now = ((ran_ns * speed) << 10) / passed_ns << (UTIL_SHIFT - 10);
	dt->util = (dt->util >> 8) * keep >> 24;
	dt->util += (now >> 8) * ((UINT64_C(1) << 32) - keep) >> 24;
}

static struct dvfs_thread *thread_of(struct sim *sim, const struct sim_thread *t)
{
	struct dvfs *d = dvfs_of(sim);
	uint32_t room = d->room ? d->room : 64;

	while (room <= t->id)
		room *= 2;
	if (room > d->room) {
		d->threads = realloc(d->threads, room * sizeof(*d->threads));
		if (!d->threads)
			abort();
		memset(&d->threads[d->room], 0, (room - d->room) * sizeof(*d->threads));
		d->room = room;
	}
	return &d->threads[t->id];
}

static uint32_t util_of(const struct dvfs_thread *dt)
{
	return (uint32_t)(dt->util >> UTIL_SHIFT);
}

static uint16_t asked_of(const struct dvfs_thread *dt)
{
	return (uint16_t)(dt->asked >> UTIL_SHIFT);
}

/* ---- domains ----------------------------------------------------------------------------------*/

/* What a thread adds to its CPU. */
static void put(struct dvfs *d, const struct sim_thread *t, struct dvfs_thread *dt)
{
	struct pvs_perf_ask ask = { .util = (pvs_u16)util_of(dt) };

	if (!t->cpu)
		return;
	if (d->guests && dt->asked) {
		if (d->uclamp && t->state != SIM_BLOCKED)
			ask.floor = asked_of(dt);
		else if (!d->uclamp)
			ask.util = asked_of(dt);
	}
	if (dt->on && dt->on != t->cpu->id + 1)
		pvs_perf_remove(&d->cpus[dt->on - 1], &dt->member);
	dt->on = t->cpu->id + 1;
	(void)pvs_perf_put(&d->cpus[t->cpu->id], &dt->member, &ask);
}

/* Each clock follows the highest wish of its CPUs. */
static void set_levels(struct sim *sim)
{
	struct dvfs *d = dvfs_of(sim);
	struct pvs_perf_result result;
	uint32_t wish[DOMAINS_MAX] = { 0 }, i, w;

	for (i = 0; i < sim->cpu_count; i++) {
		w = pvs_perf_wish(&d->cpus[i], &d->config);
		if (w > wish[d->clock[i]])
			wish[d->clock[i]] = w;
	}
	for (i = 0; i < d->clock_count; i++)
		pvs_perf_update(&d->clocks[i], &d->config, wish[i], sim->now_ns, &result);
	for (i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];
		uint32_t level = d->clocks[d->clock[i]].level;

		if (cpu->level == level)
			continue;
		d->changes++;
		sim_set_level(sim, cpu, level);
	}
}

static void update_thread(struct sim *sim, const struct sim_thread *t, uint64_t passed_ns)
{
	struct dvfs *d = dvfs_of(sim);
	struct dvfs_thread *dt = thread_of(sim, t);
	uint64_t run_ns = sim_thread_run_ns(sim, t);
	uint32_t speed = t->cpu ? t->cpu->levels[t->cpu->level].speed : ONE;

	average(d, dt, run_ns - dt->run_ns, passed_ns, speed);
	dt->run_ns = run_ns;
	if (dt->rests)
		dt->asked = (dt->asked >> 8) * decay(d, passed_ns) >> 24;
	put(d, t, dt);
}

static void update_fires(struct sim *sim, struct sim_timer *timer)
{
	struct dvfs *d = timer->owner;
	uint64_t passed_ns = sim->now_ns - d->seen_ns;
	uint32_t i;

	d->seen_ns = sim->now_ns;
	if (passed_ns) {
		for (i = 0; i < sim->thread_count; i++)
			update_thread(sim, sim->threads[i], passed_ns);
		set_levels(sim);
	}
	sim_arm(sim, timer, sim->now_ns + d->update_ns);
}

/* ---- calls ------------------------------------------------------------------------------------*/

void sim_dvfs_ask(struct sim *sim, struct sim_vcpu *v, uint32_t perf_q10)
{
	struct dvfs *d = dvfs_of(sim);
	struct dvfs_thread *dt;

	if (!d || !d->guests || !v->thread)
		return;
	dt = thread_of(sim, v->thread);
	dt->rests = 0;
	if (dt->asked == (uint64_t)perf_q10 << UTIL_SHIFT)
		return;
	dt->asked = (uint64_t)perf_q10 << UTIL_SHIFT;
	d->asks++;
	put(d, v->thread, dt);
	set_levels(sim);
}

void sim_dvfs_rest(struct sim *sim, struct sim_vcpu *v)
{
	if (dvfs_of(sim) && v->thread)
		thread_of(sim, v->thread)->rests = 1;
}

uint32_t sim_dvfs_util(const struct sim *sim, const struct sim_thread *t)
{
	const struct dvfs *d = dvfs_of(sim);
	const struct dvfs_thread *dt;

	if (!d || t->id >= d->room)
		return 0;
	dt = &d->threads[t->id];
	return d->guests && dt->asked ? asked_of(dt) : util_of(dt);
}

struct sim_cpu *sim_dvfs_fit(struct sim *sim, const struct sim_thread *t)
{
	struct dvfs *d = dvfs_of(sim);
	struct dvfs_thread *dt;
	struct pvs_perf_cpus cpus;
	uint32_t i, at;

	if (!d || !d->unequal || !d->guests)
		return NULL;
	dt = thread_of(sim, t);
	if (!sim_dvfs_util(sim, t))
		return NULL;
	memset(&cpus, 0, sizeof(cpus));
	cpus.count = sim->cpu_count;
	for (i = 0; i < sim->cpu_count; i++) {
		if (!sim_may_run(t, &sim->cpus[i]))
			continue;
		cpus.cpu[i].capacity = (pvs_u16)sim->cpus[i].capacity;
		cpus.cpu[i].sum = d->cpus[i].sum;
		if (dt->on == i + 1)
			cpus.cpu[i].sum -= dt->member.util;
	}
	at = pvs_perf_fit(&cpus, sim_dvfs_util(sim, t));
	return at == PVS_PERF_NO_CPU ? NULL : &sim->cpus[at];
}

/* ---- making -----------------------------------------------------------------------------------*/

static void make_table(const struct sim_cpu *cpu, struct pvs_perf_table *table)
{
	uint32_t i;

	memset(table, 0, sizeof(*table));
	table->count = cpu->level_count;
	for (i = 0; i < cpu->level_count; i++) {
		table->level[i].capacity = cpu->levels[i].speed;
		table->level[i].value = cpu->levels[i].khz ? cpu->levels[i].khz : i + 1;
	}
}

/* Which CPUs share a clock, and what its levels are. */
static int make_domains(struct sim *sim, struct dvfs *d)
{
	const struct sim_machine_spec *m = &sim->scenario->machine;
	struct pvs_perf_table table;
	uint32_t i, cluster = 0, left = m->cluster_count ? m->clusters[0].cpus : sim->cpu_count;

	for (i = 0; i < sim->cpu_count; i++) {
		while (!left && cluster + 1 < m->cluster_count)
			left = m->clusters[++cluster].cpus;
		left--;
		d->clock[i] = cluster;
		d->unequal |= sim->cpus[i].capacity != sim->cpus[0].capacity;
		make_table(&sim->cpus[i], &table);
		if (pvs_perf_init(&d->cpus[i], &table) != PVS_OK)
			return -1;
		d->clocks[cluster] = d->cpus[i];
	}
	d->clock_count = cluster + 1;
	return 0;
}

static void make_decay(struct dvfs *d)
{
	uint64_t value = UINT32_MAX;
	uint32_t i;

	for (i = 0; i <= STEPS; i++) {
		d->decay_q32[i] = (uint32_t)value;
		value = value * STEP_Q32 >> 32;
	}
}

void sim_dvfs_init(struct sim *sim)
{
	struct dvfs *d;

	if (!sim->scenario->machine.dvfs)
		return;
	d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	d->cpus = calloc(sim->cpu_count, sizeof(*d->cpus));
	if (!d->cpus)
		abort();
	sim->dvfs_data = d;
	d->update_ns = sim_param(sim, "dvfs.update", UPDATE_NS);
	d->half_ns = sim_param(sim, "dvfs.half-life", HALF_LIFE_NS);
	d->guests = sim_dvfs_by_guests(sim);
	d->uclamp = (uint32_t)sim_param(sim, "dvfs.uclamp", 0);
	d->config.headroom_q10 = (pvs_u32)sim_param(sim, "dvfs.headroom", 1280);
	pvs_perf_resolve(&d->config);
	make_decay(d);
	if (pvs_perf_check(&d->config, NULL) != PVS_OK || make_domains(sim, d))
		sim_fail(sim, "the performance levels of a cluster are not ascending");
	d->timer.owner = d;
	d->timer.fire = update_fires;
	sim_arm(sim, &d->timer, d->update_ns);
}

void sim_dvfs_free(struct sim *sim)
{
	struct dvfs *d = dvfs_of(sim);

	if (!d)
		return;
	free(d->cpus);
	free(d->threads);
	free(d);
	sim->dvfs_data = NULL;
}
