/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_fair.c - nobody starves, and two that always want a CPU get the same.
 *
 * Starving. What a thread waits is counted but for the time in which its CPU runs somebody who goes
 * first by right: real-time tasks of at least its priority, and boosted vCPUs of its class or a
 * higher one, whose time is bounded by their own budgets (check_boost.c). The rest is at most
 *
 *	(1 + W / w) * ROUNDS * longest slice + what it owes
 *
 * with w its own weight, W that of all that may use its CPU: each proportional-share host here
 * gives everybody a turn within two rounds, a round being a slice of each, longer in proportion to
 * weight; a third is for those that wake up meanwhile and keep their lag or credit, a fourth for
 * costs. What it owes: boosted time is paid for from its own share later (queue.h).
 *
 * Fairness. While two threads wait for or run on one CPU, unboosted, with the same weights as
 * before, the service of each divided by its weight differs by no more than twice the host's bound,
 * which is for two that begin level.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "check.h"

#define ROUNDS 4u
#define FLOOR_NS (5 * SIM_MS)

/* ---- starving ---------------------------------------------------------------------------------*/

static int goes_first(const struct check *c, const struct sim_thread *first,
		      const struct sim_thread *t)
{
	if (first->rt_prio && first->rt_prio >= t->rt_prio)
		return 1;
	return check_boosted(c->threads[first->id].klass) &&
	       c->threads[first->id].klass >= c->threads[t->id].klass;
}

/* The longest turn that this host gives, 0 = it promises nothing. */
static uint64_t longest_slice(const struct sim *sim)
{
	const struct sim_sched *sched = sim->policy->sched;

	/* Who is credited for nothing goes first: two that yield to each other starve a third. */
	if (sim->policy->yielder == &sim_yield_v3)
		return 0;
	if (sched == &sim_sched_rr)
		return sim_param(sim, "rr.slice", 10 * SIM_MS);
	if (sched == &sim_sched_fair)
		return sim_param(sim, "fair.base-slice", 3 * SIM_MS) + 2 * sim->tick_ns;
	if (sched == &sim_sched_credit1)
		return sim_param(sim, "credit1.timeslice", 30 * SIM_MS) +
		       sim_param(sim, "credit1.tick", 10 * SIM_MS);
	if (sched == &sim_sched_credit2)
		return 10 * SIM_MS + sim_param(sim, "credit2.ratelimit", SIM_MS);
	if (sched == &sim_sched_rank)
		return 10 * SIM_MS;
	return 0;
}

static uint64_t starve_bound(const struct sim *sim, const struct sim_thread *t)
{
	const struct check *c = check_of(sim);
	uint64_t weight = 0, slice_ns = c->slice_ns, owed_ns = 0;
	uint32_t i, own = c->threads[t->id].starved_weight;

	for (i = 0; i < c->thread_count; i++) {
		const struct sim_thread *other = sim->threads[i];

		if (!(other->affinity >> t->cpu->id & 1))
			continue;
		weight += other->weight;
		if (other->slice_ns > slice_ns)
			slice_ns = other->slice_ns;
	}
	if (c->budgets)
		owed_ns = (uint64_t)sim->config.boost_burst_ns + sim->config.irq_burst_ns +
			  sim->config.debt_start_ns + sim->config.credit_max_ns;
	return FLOOR_NS + (ROUNDS * slice_ns + owed_ns) * (own + weight) / own;
}

static void starve_time(const struct check *c, const struct sim_thread *t,
			struct check_thread *seen, uint64_t dt_ns, const struct sim_thread *first)
{
	if (!first || !goes_first(c, first, t))
		seen->starved_ns += dt_ns;
	if (seen->weight < seen->starved_weight)
		seen->starved_weight = seen->weight;
}

void check_fair_time(struct sim *sim, uint64_t dt_ns)
{
	struct check *c = check_of(sim);
	uint32_t i;

	for (i = 0; i < c->thread_count; i++) {
		struct check_thread *seen = &c->threads[i];

		if (seen->state == SIM_READY)
			starve_time(c, sim->threads[i], seen, dt_ns, c->cpus[seen->cpu->id].curr);
	}
}

static void check_starving(struct sim *sim, const struct sim_thread *t, struct check_thread *seen)
{
	const struct check *c = check_of(sim);
	uint64_t bound_ns;

	if (t->state != SIM_READY) {
		seen->starved_ns = 0;
		seen->starved_weight = check_weight(t);
		return;
	}
	if (!c->slice_ns || seen->starved_ns <= FLOOR_NS)
		return;
	bound_ns = starve_bound(sim, t);
	if (seen->starved_ns > bound_ns)
		sim_fail(sim, "starved: %s waits on CPU %" PRIu32 " for %" PRIu64 " ns, %" PRIu64
			 " are allowed", t->name, t->cpu->id, seen->starved_ns, bound_ns);
}

/* ---- fairness of pairs ------------------------------------------------------------------------*/

static uint64_t *pair(struct check *c, uint32_t i, uint32_t j)
{
	return &c->pair_run[i * CHECK_PAIRS_MAX + j];
}

/* All pairs with thread `i` begin now. */
static void begin_pairs(struct check *c, uint32_t i)
{
	uint32_t j, count = c->thread_count < CHECK_PAIRS_MAX ? c->thread_count : CHECK_PAIRS_MAX;

	for (j = 0; j < count; j++) {
		*pair(c, i, j) = c->threads[i].run_ns;
		*pair(c, j, i) = c->threads[j].run_ns;
	}
}

void check_fair_disturbed(struct sim *sim, uint32_t i)
{
	struct check *c = check_of(sim);

	if (i < c->thread_count)
		c->threads[i].steady = 0;
	/* Two that yield to each other across CPUs get more credit for moving (credit2: 50 us each
	 * time) than they burn: who waits beside them is promised nothing meanwhile. */
	if (sim->policy->sched == &sim_sched_credit2)
		for (i = 0; i < c->thread_count; i++)
			c->threads[i].starved_ns = 0;
}

/* It wants a CPU, by its weight alone. */
static int is_even(const struct sim_thread *t)
{
	return t->state != SIM_BLOCKED && t->klass == PVS_CLASS_BASELINE && !t->rt_prio &&
	       !t->idle_policy;
}

static int has_changed(const struct sim_thread *t, const struct check_thread *seen)
{
	return seen->state == SIM_BLOCKED || t->cpu != seen->cpu || seen->klass != t->klass ||
	       check_weight(t) != seen->weight;
}

static int64_t service(struct check *c, uint32_t i, uint32_t j)
{
	return (int64_t)((c->threads[i].run_ns - *pair(c, i, j)) * 1024 / c->threads[i].weight);
}

static void compare(struct sim *sim, struct check *c, uint32_t i, uint64_t bound_ns)
{
	uint32_t j;

	for (j = 0; j < c->thread_count && j < CHECK_PAIRS_MAX; j++) {
		int64_t gap;

		if (j == i || !c->threads[j].steady ||
		    sim->threads[j]->cpu != sim->threads[i]->cpu)
			continue;
		gap = service(c, i, j) - service(c, j, i);
		if ((uint64_t)(gap < 0 ? -gap : gap) > bound_ns)
			sim_fail(sim, "fairness: %s had %" PRId64 " ns more than %s, %" PRIu64
				 " are allowed", sim->threads[i]->name, gap, sim->threads[j]->name,
				 bound_ns);
	}
}

/* A gap is largest when the CPU changes hands: between those two and all others. */
static void check_pairs(struct sim *sim, struct check *c)
{
	uint64_t bound_ns = SIM_NEVER;
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++) {
		const struct sim_thread *was = c->cpus[i].curr, *is = sim->cpus[i].curr;

		if (was == is)
			continue;
		if (bound_ns == SIM_NEVER)
			bound_ns = sim->policy->sched->fairness_bound(sim);
		if (bound_ns == SIM_NEVER)
			return;
		if (was && was->id < CHECK_PAIRS_MAX && c->threads[was->id].steady)
			compare(sim, c, was->id, 2 * bound_ns);
		if (is && is->id < CHECK_PAIRS_MAX && c->threads[is->id].steady)
			compare(sim, c, is->id, 2 * bound_ns);
	}
}

void check_fair_new(struct sim *sim, uint32_t i)
{
	struct check *c = check_of(sim);

	c->threads[i].starved_weight = c->threads[i].weight;
}

void check_fair_event(struct sim *sim)
{
	struct check *c = check_of(sim);
	uint32_t i;

	for (i = 0; i < c->thread_count; i++)
		check_starving(sim, sim->threads[i], &c->threads[i]);
	if (!c->pair_run)
		return;
	for (i = 0; i < c->thread_count && i < CHECK_PAIRS_MAX; i++) {
		struct check_thread *seen = &c->threads[i];
		const struct sim_thread *t = sim->threads[i];

		if (!is_even(t)) {
			seen->steady = 0;
		} else if (!seen->steady || has_changed(t, seen)) {
			begin_pairs(c, i);
			seen->steady = 1;
		}
	}
	check_pairs(sim, c);
}

void check_fair_init(struct sim *sim)
{
	struct check *c = check_of(sim);

	c->slice_ns = longest_slice(sim);
	if (!sim->policy->sched->fairness_bound)
		return;
	c->pair_run = calloc((size_t)CHECK_PAIRS_MAX * CHECK_PAIRS_MAX, sizeof(*c->pair_run));
	if (!c->pair_run)
		abort();
}
