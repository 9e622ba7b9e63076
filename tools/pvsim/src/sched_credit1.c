/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_credit1.c - a model of Xen's first credit scheduler.
 *
 * Each CPU has a queue in order of priority: BOOST, UNDER (has credit left), OVER. Every 10 ms a
 * tick; every 30 ms, which is also the time slice, all active vCPUs are given credit by their
 * weights. Who wakes up with credit left is boosted until a tick finds it running. An idle CPU, or
 * one with nothing better than OVER, takes work from others.
 *
 * `credit1.accounting: 1` charges a whole tick to who runs at the tick, as Xen 3 did, and nothing
 * to anybody else: who always sleeps at that moment runs for free (arXiv 1103.0759; "95 %" in the
 * commit that ended it). The default charges what was run.
 *
 * Left out: caps and parking, choosing a CPU by topology at a tick, NUMA steps of the balancer,
 * the delayed sort of queues (priorities change at once).
 */
#include <stdlib.h>

#include "sim.h"

#define TIMESLICE_NS (30 * SIM_MS)   /* CSCHED_DEFAULT_TSLICE_MS */
#define TICK_NS      (10 * SIM_MS)   /* CSCHED_TICKS_PER_TSLICE 3 */
#define RATELIMIT_NS (1000 * SIM_US) /* sched_ratelimit_us */

enum { OVER, UNDER, BOOST, PRIORITIES };

struct unit {
	struct sim_thread *thread;
	int64_t credit;      /* ns of CPU time */
	uint64_t start_ns;   /* has its CPU since */
	uint32_t weight;
	uint8_t priority;
	uint8_t queued;
	uint8_t yields;
	uint8_t active;      /* has run: gets credit */
	struct unit *prev, *next;               /* in its queue */
	struct unit *active_prev, *active_next;
};

struct queue {
	struct unit *head, *tail;
};

/* cpu->rq */
struct cpu_data {
	struct queue queue[PRIORITIES];
	struct unit *last;  /* has lost this CPU just now, and could go on */
	uint8_t limited;    /* who runs goes on because of the rate limit alone */
};

struct credit1 {
	uint64_t slice_ns, tick_ns, ratelimit_ns;
	int boost, sampled;
	uint32_t ticks_per_slice, ticks;
	int64_t balance;    /* credit of all active ones after the last accounting */
	struct unit *active;
	struct sim_timer tick;
};

static struct unit *unit_of(const struct sim_thread *t)
{
	return t->entity;
}

static struct cpu_data *data_of(const struct sim_cpu *cpu)
{
	return cpu->rq;
}

/* ---- queues -----------------------------------------------------------------------------------*/

static void queue_append(struct sim_cpu *cpu, struct unit *u)
{
	struct queue *q = &data_of(cpu)->queue[u->priority];

	u->prev = q->tail;
	u->next = NULL;
	if (q->tail)
		q->tail->next = u;
	else
		q->head = u;
	q->tail = u;
	u->queued = 1;
}

static void queue_remove(struct sim_cpu *cpu, struct unit *u)
{
	struct queue *q = &data_of(cpu)->queue[u->priority];

	if (u->prev)
		u->prev->next = u->next;
	else
		q->head = u->next;
	if (u->next)
		u->next->prev = u->prev;
	else
		q->tail = u->prev;
	u->prev = u->next = NULL;
	u->queued = 0;
}

static void set_priority(struct unit *u, uint8_t priority)
{
	int queued = u->queued;

	if (u->priority == priority)
		return;
	if (queued)
		queue_remove(u->thread->cpu, u);
	u->priority = priority;
	if (queued)
		queue_append(u->thread->cpu, u);
}

/* ---- credit -----------------------------------------------------------------------------------*/

static void activate(struct credit1 *c, struct unit *u)
{
	if (u->active)
		return;
	u->active = 1;
	u->active_prev = NULL;
	u->active_next = c->active;
	if (c->active)
		c->active->active_prev = u;
	c->active = u;
}

static void deactivate(struct credit1 *c, struct unit *u)
{
	if (u->active_prev)
		u->active_prev->active_next = u->active_next;
	else
		c->active = u->active_next;
	if (u->active_next)
		u->active_next->active_prev = u->active_prev;
	u->active = 0;
}

/* Its credit after it was given some: what follows for its priority. */
static void judge(struct credit1 *c, struct unit *u)
{
	int64_t most = (int64_t)c->slice_ns;

	if (u->credit < 0) {
		if (u->credit < -most)
			u->credit = -most;
		set_priority(u, OVER);
		return;
	}
	set_priority(u, UNDER);
	if (u->credit > most) {
		/* it does not use what it gets: no more of it, and half to begin with later */
		u->credit /= 2;
		deactivate(c, u);
	}
}

/* Every slice: as much credit as there is CPU time, by weight, nobody more than one CPU's. */
static void account(struct sim *sim, struct credit1 *c)
{
	uint64_t total_ns = 0, weight = 0, left, peak_ns = c->slice_ns;
	struct unit *u, *next;

	for (u = c->active; u; u = u->active_next)
		weight += u->weight;
	if (!weight)
		return;
	for (uint32_t i = 0; i < sim->cpu_count; i++)
		total_ns += sim->cpus[i].online ? c->slice_ns : 0;
	/* a balance below zero is brought back to it */
	if (c->balance < 0)
		total_ns += (uint64_t)-c->balance;
	c->balance = 0;
	left = weight;
	for (u = c->active; u; u = next) {
		uint64_t fair_ns = (total_ns * u->weight + weight - 1) / weight;

		next = u->active_next;
		left -= u->weight;
		if (fair_ns > peak_ns) {
			if (left)
				total_ns += ((fair_ns - peak_ns) * weight + left - 1) / left;
			fair_ns = peak_ns;
		}
		u->credit += (int64_t)fair_ns;
		judge(c, u);
		c->balance += u->credit;
	}
}

/* A tick: who runs now is active, and no longer boosted. */
static void tick_fires(struct sim *sim, struct sim_timer *timer)
{
	struct credit1 *c = timer->owner;

	for (uint32_t i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];
		struct unit *u;

		if (!cpu->curr)
			continue;
		if (!c->sampled)
			sim_settle(sim, cpu);
		u = unit_of(cpu->curr);
		if (u->priority == BOOST)
			set_priority(u, UNDER);
		activate(c, u);
		if (c->sampled)
			u->credit -= (int64_t)c->tick_ns;
	}
	if (++c->ticks >= c->ticks_per_slice) {
		c->ticks = 0;
		account(sim, c);
	}
	sim_arm(sim, &c->tick, (sim->now_ns / c->tick_ns + 1) * c->tick_ns);
}

static void credit1_charge(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t,
			   uint64_t ran_ns)
{
	struct credit1 *c = sim->sched_data;

	(void)cpu;
	if (c->sampled)
		return;
	unit_of(t)->credit -= (int64_t)ran_ns;
	activate(c, unit_of(t));
}

/* ---- begin and end ----------------------------------------------------------------------------*/

static void credit1_init(struct sim *sim)
{
	struct credit1 *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	sim->sched_data = c;
	c->slice_ns = sim_param(sim, "credit1.timeslice", TIMESLICE_NS);
	c->tick_ns = sim_param(sim, "credit1.tick", TICK_NS);
	c->ratelimit_ns = sim_param(sim, "credit1.ratelimit", RATELIMIT_NS);
	c->boost = sim_param(sim, "credit1.boost", 1) != 0;
	c->sampled = sim_param(sim, "credit1.accounting", 0) == 1 ||
		     (sim->defects & SIM_DEFECT_SAMPLED);
	if (!c->tick_ns || c->tick_ns > c->slice_ns)
		c->tick_ns = c->slice_ns;
	c->ticks_per_slice = (uint32_t)(c->slice_ns / c->tick_ns);
	c->tick.owner = c;
	c->tick.fire = tick_fires;
	sim_arm(sim, &c->tick, c->tick_ns);
}

static void credit1_free(struct sim *sim)
{
	free(sim->sched_data);
	sim->sched_data = NULL;
}

static uint32_t weight_of(const struct sim_thread *t)
{
	uint64_t factor = t->weight_q10 ? t->weight_q10 : 1024;
	uint64_t weight = (uint64_t)t->weight * factor / 1024;

	return weight ? (uint32_t)weight : 1;
}

static void credit1_attach(struct sim *sim, struct sim_thread *t)
{
	struct unit *u = unit_of(t);

	(void)sim;
	u->thread = t;
	u->weight = weight_of(t);
	u->priority = UNDER;
}

static void credit1_reclass(struct sim *sim, struct sim_thread *t)
{
	(void)sim;
	unit_of(t)->weight = weight_of(t);
}

/* ---- where it waits ---------------------------------------------------------------------------*/

static int is_idle(const struct sim_cpu *cpu)
{
	return !cpu->curr && !cpu->resched.heap_at;
}

static struct sim_cpu *find_idle(struct sim *sim, const struct sim_thread *t, uint32_t from)
{
	for (uint32_t i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[(from + i) % sim->cpu_count];

		if (sim_may_run(t, cpu) && is_idle(cpu))
			return cpu;
	}
	return NULL;
}

/* Its own CPU, unless that is busy and an idle one would come and take it anyway. */
static struct sim_cpu *credit1_select(struct sim *sim, struct sim_thread *t)
{
	uint32_t from = t->cpu ? t->cpu->id : t->id % sim->cpu_count;
	struct sim_cpu *cpu = find_idle(sim, t, from);

	if (cpu)
		return cpu;
	for (uint32_t i = 0; i < sim->cpu_count; i++) {
		cpu = &sim->cpus[(from + i) % sim->cpu_count];
		if (sim_may_run(t, cpu))
			return cpu;
	}
	return &sim->cpus[from];
}

static void credit1_enqueue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t,
			    uint32_t flags)
{
	const struct credit1 *c = sim->sched_data;
	struct unit *u = unit_of(t);

	if ((flags & SIM_ENQ_WAKE) && u->priority == UNDER && c->boost)
		u->priority = BOOST;
	u->yields = (flags & SIM_ENQ_YIELDED) != 0;
	queue_append(cpu, u);
	if (cpu->curr == t || (flags & SIM_ENQ_YIELDED))
		data_of(cpu)->last = u;
}

static void credit1_dequeue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	(void)sim;
	queue_remove(cpu, unit_of(t));
	if (data_of(cpu)->last == unit_of(t))
		data_of(cpu)->last = NULL;
}

static int credit1_preempts(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	(void)sim;
	return !cpu->curr || unit_of(t)->priority > unit_of(cpu->curr)->priority;
}

/* ---- who is next ------------------------------------------------------------------------------*/

/* The first one of a queue that may run here, other than `but`. */
static struct unit *first_of(const struct sim_cpu *queue_of, int priority,
			     const struct sim_cpu *here, const struct unit *but)
{
	struct unit *u = data_of(queue_of)->queue[priority].head;

	while (u && (u == but || !sim_may_run(u->thread, here)))
		u = u->next;
	return u;
}

/* Somebody who waits elsewhere and is better than `than` (-1: anybody is). */
static struct unit *find_elsewhere(struct sim *sim, const struct sim_cpu *cpu, int than)
{
	for (uint32_t i = 1; i < sim->cpu_count; i++) {
		const struct sim_cpu *peer = &sim->cpus[(cpu->id + i) % sim->cpu_count];

		if (!peer->curr)
			continue; /* it is about to run them itself */
		for (int priority = BOOST; priority > than; priority--) {
			struct unit *u = first_of(peer, priority, cpu, NULL);

			if (u)
				return u;
		}
	}
	return NULL;
}

static struct unit *find_next(struct sim *sim, struct sim_cpu *cpu, struct unit *last)
{
	struct unit *yielder = last && last->yields ? last : NULL;
	struct unit *u = NULL, *other;
	int priority;

	for (priority = BOOST; priority >= OVER && !u; priority--)
		u = first_of(cpu, priority, cpu, yielder);
	if (!u && yielder && sim_may_run(yielder->thread, cpu))
		u = yielder;
	if (u && u->priority > OVER)
		return u;
	other = find_elsewhere(sim, cpu, u ? u->priority : -1);
	return other ? other : u;
}

static struct sim_thread *credit1_pick(struct sim *sim, struct sim_cpu *cpu)
{
	const struct credit1 *c = sim->sched_data;
	struct cpu_data *d = data_of(cpu);
	struct unit *last = d->last, *next;
	struct sim_cpu *idle;

	d->last = NULL;
	d->limited = last && !last->yields && sim_may_run(last->thread, cpu) &&
		     sim->now_ns - last->start_ns < c->ratelimit_ns;
	next = d->limited ? last : find_next(sim, cpu, last);
	if (!next)
		return NULL;
	if (next->thread->cpu != cpu)
		sim_migrate(sim, next->thread, cpu);
	queue_remove(cpu, next);
	next->yields = 0;
	if (next == last)
		return next->thread;
	next->start_ns = sim->now_ns;
	if (last) {
		idle = find_idle(sim, last->thread, cpu->id);
		if (idle && idle != cpu)
			sim_resched(sim, idle, cpu);
	}
	return next->thread;
}

static uint64_t credit1_slice(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	const struct credit1 *c = sim->sched_data;
	uint64_t ran_ns = sim->now_ns - unit_of(t)->start_ns;

	if (data_of(cpu)->limited && ran_ns < c->ratelimit_ns)
		return c->ratelimit_ns - ran_ns;
	return c->slice_ns;
}

const struct sim_sched sim_sched_credit1 = {
	.name = "credit1",
	.what = "Xen credit (credit1.accounting: 1 for the sampled one of Xen 3)",
	.leaves_out = "caps, parking, topology and NUMA steps of the balancer",
	.rq_size = sizeof(struct cpu_data),
	.entity_size = sizeof(struct unit),
	.init = credit1_init,
	.free = credit1_free,
	.attach = credit1_attach,
	.select = credit1_select,
	.enqueue = credit1_enqueue,
	.dequeue = credit1_dequeue,
	.pick = credit1_pick,
	.charge = credit1_charge,
	.slice = credit1_slice,
	.preempts = credit1_preempts,
	.reclass = credit1_reclass,
};
