/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_fifo.c - first come, first served, and round robin: the two hosts that queueing theory has
 * formulas for. One queue for each CPU; neither looks at weights, classes or priorities.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define RR_SLICE_NS (10 * SIM_MS) /* the default of `rr.slice` */

struct fifo_rq {
	struct sim_thread *first, *last;
	uint32_t count;
};

struct fifo_entity {
	struct sim_thread *next, *prev;
	uint64_t ran_ns; /* of its slice */
};

struct fifo_data {
	uint64_t slice_ns;
};

static struct fifo_entity *entity_of(const struct sim_thread *t)
{
	return t->entity;
}

static struct fifo_rq *rq_of(const struct sim_cpu *cpu)
{
	return cpu->rq;
}

static uint64_t slice_of(const struct sim *sim)
{
	const struct fifo_data *data = sim->sched_data;

	return data->slice_ns;
}

static void make_data(struct sim *sim, uint64_t slice_ns)
{
	struct fifo_data *data = calloc(1, sizeof(*data));

	if (!data) {
		fputs("pvsim: out of memory\n", stderr);
		abort();
	}
	data->slice_ns = slice_ns;
	sim->sched_data = data;
}

static void fifo_init(struct sim *sim)
{
	make_data(sim, SIM_NEVER);
}

static void rr_init(struct sim *sim)
{
	make_data(sim, sim_param(sim, "rr.slice", RR_SLICE_NS));
}

static void fifo_free(struct sim *sim)
{
	free(sim->sched_data);
	sim->sched_data = NULL;
}

static void fifo_attach(struct sim *sim, struct sim_thread *t)
{
	(void)sim;
	(void)t;
}

/* How many want this CPU. */
static uint32_t load_of(const struct sim_cpu *cpu)
{
	return rq_of(cpu)->count + (cpu->curr != NULL);
}

static struct sim_cpu *fifo_select(struct sim *sim, struct sim_thread *t)
{
	struct sim_cpu *best = NULL;
	uint32_t i;

	if (t->cpu && sim_may_run(t, t->cpu))
		best = t->cpu;
	for (i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];

		if (best && !load_of(best))
			break;
		if (sim_may_run(t, cpu) && (!best || load_of(cpu) < load_of(best)))
			best = cpu;
	}
	return best;
}

static void insert(struct fifo_rq *rq, struct sim_thread *t, struct sim_thread *after)
{
	struct fifo_entity *e = entity_of(t);

	e->prev = after;
	e->next = after ? entity_of(after)->next : rq->first;
	if (e->next)
		entity_of(e->next)->prev = t;
	else
		rq->last = t;
	if (after)
		entity_of(after)->next = t;
	else
		rq->first = t;
	rq->count++;
}

static void fifo_dequeue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	struct fifo_rq *rq = rq_of(cpu);
	struct fifo_entity *e = entity_of(t);

	(void)sim;
	if (e->prev)
		entity_of(e->prev)->next = e->next;
	else
		rq->first = e->next;
	if (e->next)
		entity_of(e->next)->prev = e->prev;
	else
		rq->last = e->prev;
	e->next = NULL;
	e->prev = NULL;
	rq->count--;
}

/* Who was only interrupted goes on first; everybody else goes behind those who wait, and has a
 * whole slice again. */
static void fifo_enqueue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t, uint32_t flags)
{
	struct fifo_rq *rq = rq_of(cpu);
	struct fifo_entity *e = entity_of(t);

	if (flags & SIM_ENQ_PREEMPTED && e->ran_ns < slice_of(sim)) {
		insert(rq, t, NULL);
		return;
	}
	e->ran_ns = 0;
	insert(rq, t, rq->last);
}

static struct sim_thread *fifo_pick(struct sim *sim, struct sim_cpu *cpu)
{
	struct sim_thread *t = rq_of(cpu)->first;

	if (t)
		fifo_dequeue(sim, cpu, t);
	return t;
}

static void fifo_charge(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t, uint64_t ran_ns)
{
	(void)sim;
	(void)cpu;
	entity_of(t)->ran_ns += ran_ns;
}

static void fifo_block(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	(void)sim;
	(void)cpu;
	entity_of(t)->ran_ns = 0;
}

static uint64_t rr_slice(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	uint64_t slice = slice_of(sim), ran = entity_of(t)->ran_ns;

	(void)cpu;
	return ran < slice ? slice - ran : 1;
}

static int fifo_preempts(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	(void)sim;
	(void)t;
	return cpu->curr == NULL;
}

static int fifo_yield_to(struct sim *sim, struct sim_thread *from, struct sim_thread *to)
{
	(void)from;
	if (to->state != SIM_READY)
		return 0;
	fifo_dequeue(sim, to->cpu, to);
	insert(rq_of(to->cpu), to, NULL);
	return 1;
}

/* Two that always want the one CPU there is differ by a slice, if they weigh the same; across CPUs
 * nothing is promised. */
static uint64_t rr_fairness_bound(struct sim *sim)
{
	uint32_t i;

	if (sim->cpu_count != 1)
		return SIM_NEVER;
	for (i = 1; i < sim->thread_count; i++)
		if (sim->threads[i]->weight != sim->threads[0]->weight)
			return SIM_NEVER;
	return sim->thread_count ? slice_of(sim) * 1024 / sim->threads[0]->weight : SIM_NEVER;
}

const struct sim_sched sim_sched_fifo = {
	.name = "fifo",
	.what = "first come, first served, a queue for each CPU (M/M/1, M/D/1)",
	.leaves_out = "weights, classes, priorities, preemption, load balancing after the wake-up",
	.rq_size = sizeof(struct fifo_rq),
	.entity_size = sizeof(struct fifo_entity),
	.init = fifo_init,
	.free = fifo_free,
	.attach = fifo_attach,
	.select = fifo_select,
	.enqueue = fifo_enqueue,
	.dequeue = fifo_dequeue,
	.pick = fifo_pick,
	.charge = fifo_charge,
	.block = fifo_block,
	.preempts = fifo_preempts,
	.yield_to = fifo_yield_to,
};

const struct sim_sched sim_sched_rr = {
	.name = "rr",
	.what = "round robin with one slice for all (rr.slice), a queue for each CPU",
	.leaves_out = "weights, classes, priorities, wake-up preemption, load balancing",
	.rq_size = sizeof(struct fifo_rq),
	.entity_size = sizeof(struct fifo_entity),
	.init = rr_init,
	.free = fifo_free,
	.attach = fifo_attach,
	.select = fifo_select,
	.enqueue = fifo_enqueue,
	.dequeue = fifo_dequeue,
	.pick = fifo_pick,
	.charge = fifo_charge,
	.block = fifo_block,
	.slice = rr_slice,
	.preempts = fifo_preempts,
	.yield_to = fifo_yield_to,
	.fairness_bound = rr_fairness_bound,
};
