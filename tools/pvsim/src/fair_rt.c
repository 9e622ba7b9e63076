/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fair_rt.c - SCHED_FIFO above the fair class. One priority after the other, first come, first
 * served in each; a thread that cannot run where it is goes where it can (push), and a CPU that
 * becomes less urgent takes one that waits (pull).
 */
#include "fair_host.h"

void fair_rt_add(struct sim *sim, struct fair_rq *rq, struct fair_thread *f, int first)
{
	struct fair_thread **at = &rq->rt_first;

	while (*at && ((*at)->prio > f->prio || (!first && (*at)->prio == f->prio)))
		at = &(*at)->rt_next;
	f->rt_next = *at;
	*at = f;
	f->where = RT_WAITS;
	rq->rt_count++;
	fair_data_of(sim)->rt_waiting++;
}

void fair_rt_remove(struct sim *sim, struct fair_rq *rq, struct fair_thread *f)
{
	struct fair_thread **at = &rq->rt_first;

	while (*at != f)
		at = &(*at)->rt_next;
	*at = f->rt_next;
	f->rt_next = NULL;
	f->where = FAIR_AWAY;
	rq->rt_count--;
	fair_data_of(sim)->rt_waiting--;
}

/* Of who runs: 0 is fair or nobody. */
static uint32_t prio_of(const struct fair_rq *rq)
{
	return rq->curr ? rq->curr->prio : 0;
}

/* ... or will, because it waits. */
static uint32_t claimed_prio(const struct fair_rq *rq)
{
	uint32_t prio = prio_of(rq);

	return rq->rt_first && rq->rt_first->prio > prio ? rq->rt_first->prio : prio;
}

/* The least urgent CPU it may run on that is less urgent than it: idle, then fair, then lower. */
static struct sim_cpu *least_urgent(struct sim *sim, const struct sim_thread *t, uint32_t prio)
{
	struct sim_cpu *best = NULL;
	uint32_t i, claim, least = prio * 2u;

	for (i = 0; i < sim->cpu_count && least; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];
		const struct fair_rq *rq = fair_rq_of(cpu);

		if (!sim_may_run(t, cpu))
			continue;
		claim = claimed_prio(rq) * 2u + (rq->curr != NULL);
		if (claim < least) {
			least = claim;
			best = cpu;
		}
	}
	return best;
}

struct sim_cpu *fair_rt_select(struct sim *sim, const struct sim_thread *t)
{
	uint32_t prio = fair_of(t)->prio;
	struct sim_cpu *prev = t->cpu, *cpu;

	if (prev && sim_may_run(t, prev) && claimed_prio(fair_rq_of(prev)) < prio)
		return prev;
	cpu = least_urgent(sim, t, prio);
	return cpu ? cpu : fair_select(sim, t);
}

struct sim_cpu *fair_rt_lower(struct sim *sim, const struct sim_cpu *cpu,
			      const struct fair_thread *f)
{
	struct sim_cpu *to = least_urgent(sim, f->t, f->prio);

	return to == cpu ? NULL : to;
}

void fair_rt_push(struct sim *sim, struct sim_cpu *cpu)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	struct fair_thread *f = rq->rt_first;

	while (f) {
		struct fair_thread *next = f->rt_next;
		struct sim_cpu *to = fair_rt_lower(sim, cpu, f);

		if (to) {
			sim_migrate(sim, f->t, to);
			sim_resched(sim, to, cpu);
		}
		f = next;
	}
}

void fair_rt_pull(struct sim *sim, struct sim_cpu *cpu)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	uint32_t i, best_prio = rq->rt_first ? rq->rt_first->prio : 0;
	struct fair_thread *best = NULL, *f;

	if (fair_data_of(sim)->rt_waiting == rq->rt_count)
		return;
	for (i = 0; i < sim->cpu_count; i++) {
		const struct fair_rq *from = fair_rq_of(&sim->cpus[i]);

		if (from == rq)
			continue;
		for (f = from->rt_first; f && f->prio > best_prio; f = f->rt_next) {
			/* above who runs there: it is about to have that CPU */
			if (f->prio > prio_of(from) || !sim_may_run(f->t, cpu))
				continue;
			best = f;
			best_prio = f->prio;
		}
	}
	if (best)
		sim_migrate(sim, best->t, cpu);
}
