/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fair_balance.c - which CPU: for who wakes up, for who waits while another CPU has nothing to do,
 * and now and then for who shares a busier CPU than others do.
 */
#include "fair_host.h"

/* Weights of all that want this CPU; a real-time thread counts as one of nice 0. */
static uint64_t load_of(const struct sim_cpu *cpu)
{
	const struct fair_rq *rq = fair_rq_of(cpu);
	uint64_t load = rq->fair.load + (uint64_t)rq->rt_count * FAIR_NICE_0;

	if (rq->curr)
		load += rq->curr->where == FAIR_RUNS ? rq->curr->e.weight : FAIR_NICE_0;
	return load;
}

/* An idle CPU of these, `from` first, then the ones after it; NULL: none. */
static struct sim_cpu *idle_cpu(struct sim *sim, const struct sim_thread *t, uint32_t from)
{
	uint64_t idle = fair_data_of(sim)->idle & t->affinity;
	uint64_t later = idle & ~(((uint64_t)1 << from) - 1u);

	while (idle) {
		uint32_t id = (uint32_t)__builtin_ctzll(later ? later : idle);

		if (sim->cpus[id].online)
			return &sim->cpus[id];
		idle &= ~((uint64_t)1 << id);
		later &= ~((uint64_t)1 << id);
	}
	return NULL;
}

static struct sim_cpu *least_loaded(struct sim *sim, const struct sim_thread *t)
{
	struct sim_cpu *best = NULL;
	uint64_t least = UINT64_MAX, load;
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];

		if (!sim_may_run(t, cpu))
			continue;
		load = load_of(cpu);
		if (load < least) {
			least = load;
			best = cpu;
		}
	}
	return best;
}

struct sim_cpu *fair_select(struct sim *sim, const struct sim_thread *t)
{
	struct fair_thread *f = fair_of(t);
	struct sim_cpu *prev = t->cpu, *cpu;

	/* It has never left its queue. */
	if (f->e.delayed && sim_may_run(t, f->on))
		return f->on;
	cpu = idle_cpu(sim, t, prev ? prev->id : 0);
	if (cpu)
		return cpu;
	if (f->placed && prev && sim_may_run(t, prev))
		return prev;
	return least_loaded(sim, t);
}

/* One that waits there and may come here, the last by deadline; it ran there too recently to have
 * a cold cache: it stays. */
static struct sim_thread *movable(struct sim *sim, const struct sim_cpu *from,
				  const struct sim_cpu *to, uint64_t weight_max)
{
	const struct fair_queue *q = &fair_rq_of(from)->fair;
	uint64_t hot_ns = fair_data_of(sim)->migration_cost_ns;
	uint32_t i;

	for (i = q->count; i > 0; i--) {
		struct fair_thread *f = q->by_deadline[i - 1u]->owner;

		if (f->e.delayed || f->e.weight > weight_max || !sim_may_run(f->t, to))
			continue;
		if (f->ran_at_ns && sim->now_ns - f->ran_at_ns < hot_ns)
			continue;
		return f->t;
	}
	return NULL;
}

/* The CPU with the largest load that has somebody waiting. */
static struct sim_cpu *busiest(struct sim *sim, const struct sim_cpu *but, uint64_t *load)
{
	struct sim_cpu *found = NULL;
	uint32_t i;

	*load = 0;
	for (i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];
		uint64_t its;

		if (cpu == but || !fair_waiting(fair_rq_of(cpu)))
			continue;
		its = load_of(cpu);
		if (its > *load) {
			*load = its;
			found = cpu;
		}
	}
	return found;
}

void fair_newidle(struct sim *sim, struct sim_cpu *cpu)
{
	struct sim_thread *t;
	struct sim_cpu *from;
	uint64_t load;
	uint32_t i;

	if (!fair_data_of(sim)->fair_waiting)
		return;
	from = busiest(sim, cpu, &load);
	t = from ? movable(sim, from, cpu, UINT64_MAX) : NULL;
	for (i = 0; !t && i < sim->cpu_count; i++) {
		from = &sim->cpus[i];
		if (from != cpu && fair_waiting(fair_rq_of(from)))
			t = movable(sim, from, cpu, UINT64_MAX);
	}
	if (t)
		sim_migrate(sim, t, cpu);
}

/* Somebody waits here while another CPU is idle. */
static void push_to_idle(struct sim *sim, struct sim_cpu *cpu)
{
	uint64_t idle = fair_data_of(sim)->idle;

	while (idle && fair_waiting(fair_rq_of(cpu))) {
		struct sim_cpu *to = &sim->cpus[__builtin_ctzll(idle)];
		struct sim_thread *t = to->online ? movable(sim, cpu, to, UINT64_MAX) : NULL;

		idle &= idle - 1u;
		if (!t)
			continue;
		sim_migrate(sim, t, to);
		sim_resched(sim, to, cpu);
	}
}

void fair_balance_tick(struct sim *sim, struct sim_cpu *cpu)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	uint64_t ours = load_of(cpu), theirs;
	struct sim_thread *t;
	struct sim_cpu *from;

	if (fair_waiting(rq) && fair_data_of(sim)->idle)
		push_to_idle(sim, cpu);
	if (sim->now_ns < rq->balance_at_ns || !fair_data_of(sim)->balance_ns)
		return;
	rq->balance_at_ns = sim->now_ns + fair_data_of(sim)->balance_ns;
	from = busiest(sim, cpu, &theirs);
	if (!from || theirs <= ours)
		return;
	/* Only who does not make this CPU the busier one. */
	t = movable(sim, from, cpu, (theirs - ours) / 2u);
	if (t)
		sim_migrate(sim, t, cpu);
}
