/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_fair.c - a host like Linux 7.3: one flat EEVDF queue for each CPU (fair_queue.c), with
 * SCHED_FIFO above it (fair_rt.c) and load balancing beside it (fair_balance.c). Here they are put
 * together, and what a role decided is turned into this host's knobs as the KVM adapter does it: a
 * boost is SCHED_FIFO of some priority, or nice and a short slice; below baseline is nice.
 */
#include <stdlib.h>
#include <string.h>

#include "fair_host.h"
#include "sched_fair.h"

/* Linux 7.3 kernel/sched/fair.c: 0.7 ms * (1 + ilog2(CPUs)), of 8 CPUs at most. */
#define BASE_SLICE_UNIT_NS 700000u
#define BASE_SLICE_CPUS_MAX 8u
#define MIGRATION_COST_NS (500 * SIM_US)  /* sysctl_sched_migration_cost */
#define BALANCE_NS_PER_CPU (16 * SIM_MS)  /* busy_factor 16, and 1 ms for each CPU of the domain */
#define SERVER_RUNTIME_NS (50 * SIM_MS)   /* the fair server: 50 ms in each ... */
#define SERVER_PERIOD_NS SIM_S            /* ... second */
#define TICK_NS (4 * SIM_MS)              /* 250 Hz */
#define HRTICK_MIN_NS (10 * SIM_US)       /* no high-resolution tick is armed for less */
#define HRTICK_SAME_NS (5 * SIM_US)       /* nor again for so little a difference */
#define IDLE_WEIGHT 3u                    /* SCHED_IDLE */
#define WEIGHT_MIN 2u
#define WEIGHT_MAX 88761u                 /* nice -20 */

/* The KVM adapter's: priorities 10..25, levels 0..15 of rank and class, nice -20..19, and 0.1 ms,
 * the shortest slice there is. */
#define BOOST_PRIO 10u
#define BOOST_LEVELS 16u
#define BOOST_RANKS (BOOST_LEVELS / 2u)
#define BOOST_SLICE_NS 100000u
#define NICE_SPAN 39

#define LAZY_OFF 0    /* fair wake-ups preempt at once */
#define LAZY_REMOTE 1 /* at the next tick or exit, if the wake-up came from another CPU */
#define LAZY_ALL 2    /* ... wherever it came from */

/* ---- what the role decided, as knobs ---------------------------------------------------------*/

static uint32_t boost_level(const struct sim_thread *t)
{
	uint32_t rank = t->rank < BOOST_RANKS ? t->rank : BOOST_RANKS - 1u;

	return t->klass == PVS_CLASS_CRITICAL ? BOOST_RANKS + rank : rank;
}

static int is_boosted(const struct sim_thread *t)
{
	return t->klass >= PVS_CLASS_TASK;
}

static uint8_t prio_of(const struct sim *sim, const struct sim_thread *t)
{
	uint32_t prio = t->rt_prio;

	if (is_boosted(t) && !fair_data_of(sim)->nice_boost && prio < BOOST_PRIO + boost_level(t))
		prio = BOOST_PRIO + boost_level(t);
	return (uint8_t)prio;
}

/* One step of nice is a factor of 5/4. */
static uint64_t nicer(uint64_t weight, uint32_t steps)
{
	uint64_t w = weight << 16;

	while (steps--)
		w = w * 5u / 4u;
	return w >> 16;
}

static uint64_t less_nice(uint64_t weight, uint32_t steps)
{
	uint64_t w = weight << 16;

	while (steps--)
		w = w * 4u / 5u;
	return w >> 16;
}

/* Steps that take `from` down to `to`, to the nearest: the last one is not taken if it ends farther
 * below than its beginning is above. */
static uint32_t steps_down(uint64_t from, uint64_t to)
{
	uint64_t w = from << 16;
	uint32_t steps = 0;

	while (w * 9u / 10u > to << 16 && steps < NICE_SPAN) {
		w = w * 4u / 5u;
		steps++;
	}
	return steps;
}

static uint32_t weight_of(const struct sim *sim, const struct sim_thread *t)
{
	uint64_t weight = t->weight ? t->weight : FAIR_NICE_0;
	uint32_t span;

	if (t->idle_policy && !is_boosted(t))
		return IDLE_WEIGHT;
	if (t->klass == PVS_CLASS_BELOW) {
		weight = less_nice(weight, steps_down(FAIR_NICE_0, t->weight_q10));
	} else if (is_boosted(t) && fair_data_of(sim)->nice_boost) {
		span = steps_down(WEIGHT_MAX, weight);
		weight = nicer(weight, (span * (boost_level(t) + 1u) + BOOST_LEVELS - 1u) /
				       BOOST_LEVELS);
	}
	if (weight < WEIGHT_MIN)
		return WEIGHT_MIN;
	return weight > WEIGHT_MAX ? WEIGHT_MAX : (uint32_t)weight;
}

static uint64_t slice_of(const struct sim *sim, const struct sim_thread *t)
{
	const struct fair_data *data = fair_data_of(sim);

	if (is_boosted(t) && data->nice_boost)
		return BOOST_SLICE_NS;
	return t->slice_ns ? t->slice_ns : data->base_slice_ns;
}

/* ---- beginning and end -----------------------------------------------------------------------*/

static uint64_t default_base_slice(const struct sim *sim)
{
	uint32_t cpus = sim->cpu_count < BASE_SLICE_CPUS_MAX ? sim->cpu_count : BASE_SLICE_CPUS_MAX;
	uint64_t factor = 1;

	while (cpus >>= 1)
		factor++;
	return factor * BASE_SLICE_UNIT_NS;
}

static void fair_init(struct sim *sim)
{
	struct fair_data *data = calloc(1, sizeof(*data));
	uint32_t i;

	if (!data)
		abort();
	sim->sched_data = data;
	sim->tick_ns = sim_param(sim, "fair.tick", sim->tick_ns);
	data->base_slice_ns = sim_param(sim, "fair.base-slice", default_base_slice(sim));
	data->migration_cost_ns = sim_param(sim, "fair.migration-cost", MIGRATION_COST_NS);
	data->balance_ns = sim_param(sim, "fair.balance", sim->cpu_count * BALANCE_NS_PER_CPU);
	data->server_runtime_ns = sim_param(sim, "fair.server-runtime", SERVER_RUNTIME_NS);
	data->server_period_ns = SERVER_PERIOD_NS;
	data->lazy = (uint8_t)sim_param(sim, "fair.lazy", LAZY_REMOTE);
	data->delay = (uint8_t)sim_param(sim, "fair.delay-dequeue", 1);
	data->hrtick = (uint8_t)sim_param(sim, "fair.hrtick", 1);
	data->nice_boost = (uint8_t)sim_param(sim, "fair.nice-boost", 0);
	for (i = 0; i < sim->cpu_count; i++) {
		struct fair_queue *q = &fair_rq_of(&sim->cpus[i])->fair;

		data->idle |= (uint64_t)1 << i;
		q->base_slice_ns = data->base_slice_ns;
		q->tick_ns = sim->tick_ns ? sim->tick_ns : TICK_NS;
		q->run_to_parity = (uint8_t)sim_param(sim, "fair.run-to-parity", 1);
	}
}

static void fair_host_free(struct sim *sim)
{
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++)
		fair_free(&fair_rq_of(&sim->cpus[i])->fair);
	free(sim->sched_data);
	sim->sched_data = NULL;
}

static void set_slice(struct sim *sim, struct fair_thread *f)
{
	f->e.slice_ns = slice_of(sim, f->t);
	f->e.custom = f->e.slice_ns != fair_data_of(sim)->base_slice_ns;
}

static void fair_attach(struct sim *sim, struct sim_thread *t)
{
	struct fair_thread *f = fair_of(t);

	f->t = t;
	f->e.owner = f;
	f->e.weight = weight_of(sim, t);
	f->prio = prio_of(sim, t);
	set_slice(sim, f);
}

/* ---- queues ----------------------------------------------------------------------------------*/

static void wait_fair(struct sim *sim, struct fair_rq *rq, struct fair_thread *f)
{
	fair_add(&rq->fair, &f->e);
	f->where = FAIR_WAITS;
	fair_data_of(sim)->fair_waiting++;
}

/* Who runs, and may be put back or go away. */
static void put_curr(struct sim *sim, struct fair_rq *rq, uint32_t flags)
{
	struct fair_thread *f = rq->curr;

	rq->curr = NULL;
	f->ran_at_ns = sim->now_ns;
	if (f->where == RT_RUNS) {
		fair_rt_add(sim, rq, f, !(flags & SIM_ENQ_YIELDED));
		return;
	}
	if (flags & SIM_ENQ_YIELDED)
		fair_forfeit(&rq->fair);
	fair_put(&rq->fair);
	f->where = FAIR_WAITS;
	fair_data_of(sim)->fair_waiting++;
}

/* It runs, or is blocked but still in the queue, and leaves both for good. */
static void detach(struct sim *sim, struct fair_rq *rq, struct fair_thread *f)
{
	if (rq->curr == f) {
		rq->curr = NULL;
		f->ran_at_ns = sim->now_ns;
	}
	if (f->where == FAIR_RUNS || f->e.delayed)
		fair_leave(&rq->fair, &f->e, 0);
	f->where = FAIR_AWAY;
}

/* It is blocked, was left in the queue to pay for what it had too much, and is awake again. */
static int wake_delayed(struct sim *sim, struct fair_rq *rq, struct fair_thread *f)
{
	if (!f->e.delayed)
		return 0;
	if (fair_rq_of(f->on) != rq || f->prio || fair_lag(&rq->fair, &f->e) > 0) {
		detach(sim, fair_rq_of(f->on), f);
		return 0;
	}
	f->e.delayed = 0;
	rq->fair.delayed--;
	f->where = FAIR_WAITS;
	fair_data_of(sim)->fair_waiting++;
	return 1;
}

/*
 * The timer of a slice (HRTICK), as Linux 7.3 has it: armed for the virtual deadline of who gets
 * the CPU if others are there, and when others come while it is not armed. Who is picked again
 * after it has fired goes on without: until the next tick, a wake-up, or its end.
 */
static void arm_hrtick(struct sim *sim, struct fair_rq *rq)
{
	const struct fair_entity *curr = rq->fair.curr;
	uint64_t left_ns, at_ns, was_ns = rq->hrtick_at_ns;

	if (!curr || !rq->fair.count || !fair_data_of(sim)->hrtick)
		return;
	left_ns = fair_wall(curr, (uint64_t)(curr->deadline - curr->vruntime));
	at_ns = sim->now_ns + (left_ns > HRTICK_MIN_NS ? left_ns : HRTICK_MIN_NS);
	if (was_ns > sim->now_ns && at_ns <= was_ns + HRTICK_SAME_NS &&
	    was_ns <= at_ns + HRTICK_SAME_NS)
		return;
	rq->hrtick_at_ns = at_ns;
}

/* Somebody waits for this CPU from now on. */
static void update_hrtick(struct sim *sim, struct sim_cpu *cpu)
{
	struct fair_rq *rq = fair_rq_of(cpu);

	if (rq->hrtick_at_ns > sim->now_ns)
		return;
	arm_hrtick(sim, rq);
	if (rq->hrtick_at_ns <= sim->now_ns || rq->hrtick_at_ns >= cpu->slice_end_ns)
		return;
	cpu->slice_end_ns = rq->hrtick_at_ns;
	/* who spins without an end has no step that is armed */
	if (!cpu->step.heap_at || cpu->step.at_ns > cpu->slice_end_ns)
		sim_arm(sim, &cpu->step, cpu->slice_end_ns);
}

static void fair_enqueue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t, uint32_t flags)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	struct fair_thread *f = fair_of(t);

	fair_data_of(sim)->idle &= ~((uint64_t)1 << cpu->id);
	if (rq->curr == f) {
		put_curr(sim, rq, flags);
		return;
	}
	if (f->where == FAIR_RUNS || f->where == RT_RUNS)
		detach(sim, fair_rq_of(f->on), f); /* its CPU has gone offline */
	if (flags & SIM_ENQ_WAKE)
		f->woken_here = sim->acting ? sim->acting == cpu : t->ran_on == cpu;
	else
		f->woken_here = 0;
	if (!wake_delayed(sim, rq, f)) {
		if (f->prio) {
			fair_rt_add(sim, rq, f, 0);
		} else {
			fair_place(&rq->fair, &f->e);
			wait_fair(sim, rq, f);
			update_hrtick(sim, cpu);
		}
	}
	f->on = cpu;
}

static void fair_dequeue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	struct fair_thread *f = fair_of(t);

	if (f->where == RT_WAITS) {
		fair_rt_remove(sim, rq, f);
		return;
	}
	fair_leave(&rq->fair, &f->e, 1);
	f->where = FAIR_AWAY;
	fair_data_of(sim)->fair_waiting--;
}

static void fair_block(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	struct fair_thread *f = fair_of(t);

	if (f->where == FAIR_RUNS && fair_data_of(sim)->delay && fair_waiting(rq) &&
	    !fair_eligible(&rq->fair, &f->e)) {
		rq->curr = NULL;
		f->ran_at_ns = sim->now_ns;
		f->e.lag = fair_lag(&rq->fair, &f->e);
		fair_put(&rq->fair);
		rq->fair.prev = NULL;
		f->e.delayed = 1;
		rq->fair.delayed++;
		f->where = FAIR_AWAY;
		return;
	}
	detach(sim, rq, f);
}

/* ---- who is next -----------------------------------------------------------------------------*/

/* Fair threads have waited so long for real-time ones that their server lets them go first. */
static int serves_fair(const struct sim *sim, struct fair_rq *rq)
{
	const struct fair_data *data = fair_data_of(sim);

	if (sim->now_ns < rq->serve_until_ns)
		return 1;
	if (!rq->starved_since_ns)
		rq->starved_since_ns = sim->now_ns;
	if (!data->server_runtime_ns ||
	    sim->now_ns - rq->starved_since_ns < data->server_period_ns - data->server_runtime_ns)
		return 0;
	rq->serve_until_ns = sim->now_ns + data->server_runtime_ns;
	rq->starved_since_ns = 0;
	return 1;
}

static struct sim_thread *run_rt(struct sim *sim, struct fair_rq *rq)
{
	struct fair_thread *f = rq->rt_first;

	fair_rt_remove(sim, rq, f);
	f->where = RT_RUNS;
	rq->curr = f;
	rq->fair.prev = NULL;
	return f->t;
}

static struct sim_thread *run_fair(struct sim *sim, struct fair_rq *rq)
{
	struct fair_entity *e;
	struct fair_thread *f;

	while ((e = fair_first(&rq->fair)) && e->delayed)
		fair_leave(&rq->fair, e, 0); /* it has paid */
	if (!e)
		return NULL;
	rq->switched = rq->fair.prev != e;
	fair_run(&rq->fair, e);
	fair_data_of(sim)->fair_waiting--;
	f = e->owner;
	f->where = FAIR_RUNS;
	f->placed = 1;
	rq->curr = f;
	rq->starved_since_ns = 0;
	return f->t;
}

static struct sim_thread *fair_pick(struct sim *sim, struct sim_cpu *cpu)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	struct sim_thread *t;

	rq->lazy = 0;
	if (fair_data_of(sim)->rt_waiting)
		fair_rt_pull(sim, cpu);
	if (rq->rt_first && !(fair_waiting(rq) && serves_fair(sim, rq))) {
		t = run_rt(sim, rq);
		fair_rt_push(sim, cpu);
		return t;
	}
	t = run_fair(sim, rq);
	if (!t) {
		fair_newidle(sim, cpu);
		t = run_fair(sim, rq);
	}
	if (!t) {
		fair_data_of(sim)->idle |= (uint64_t)1 << cpu->id;
		rq->hrtick_at_ns = 0;
	}
	return t;
}

static void fair_charge_curr(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t,
			     uint64_t ran_ns)
{
	(void)sim;
	if (fair_of(t)->where == FAIR_RUNS)
		fair_charge(&fair_rq_of(cpu)->fair, ran_ns);
}

static uint64_t fair_slice(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	uint64_t left_ns = SIM_NEVER;

	if (fair_of(t)->where == FAIR_RUNS) {
		if (rq->switched)
			arm_hrtick(sim, rq);
		rq->switched = 0;
		if (rq->hrtick_at_ns > sim->now_ns)
			left_ns = rq->hrtick_at_ns - sim->now_ns;
	}
	if (rq->rt_first && sim->now_ns < rq->serve_until_ns &&
	    rq->serve_until_ns - sim->now_ns < left_ns)
		left_ns = rq->serve_until_ns - sim->now_ns;
	return left_ns;
}

/* A fair thread against a fair one. */
static int fair_beats(struct fair_rq *rq, struct fair_thread *f)
{
	const struct sim_thread *curr = rq->curr->t;

	if (curr->idle_policy != f->t->idle_policy && !is_boosted(curr) && !is_boosted(f->t))
		return curr->idle_policy;
	return fair_wakeup_preempts(&rq->fair, &f->e);
}

static int fair_preempts(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	const struct fair_data *data = fair_data_of(sim);
	struct fair_rq *rq = fair_rq_of(cpu);
	struct fair_thread *f = fair_of(t);

	if (!rq->curr)
		return 1;
	if (f->prio) {
		if (sim->now_ns < rq->serve_until_ns && rq->curr->where == FAIR_RUNS)
			return 0;
		/* if it is not for this CPU, the decision sends it to another one */
		return f->prio > rq->curr->prio || fair_rt_lower(sim, cpu, f);
	}
	if (rq->curr->where != FAIR_RUNS)
		return 0;
	/* who runs is looked at, too: its slice may have been over for long */
	if (!fair_beats(rq, f) && (rq->fair.count < 2 || fair_protected(&rq->curr->e)))
		return 0;
	if (data->lazy == LAZY_OFF || (data->lazy == LAZY_REMOTE && f->woken_here))
		return 1;
	rq->lazy = 1;
	return 0;
}

static int fair_tick(struct sim *sim, struct sim_cpu *cpu)
{
	struct fair_rq *rq = fair_rq_of(cpu);
	const struct fair_queue *q = &rq->fair;

	fair_balance_tick(sim, cpu);
	if (!rq->curr)
		return 0;
	if (rq->curr->where == RT_RUNS)
		return fair_waiting(rq) && serves_fair(sim, rq);
	if (rq->lazy)
		return 1;
	return q->count > q->delayed && !fair_protected(q->curr);
}

/* ---- changes ---------------------------------------------------------------------------------*/

/* It runs, and was or is fair. */
static void reclass_running(struct sim *sim, struct fair_rq *rq, struct fair_thread *f)
{
	struct fair_queue *q = &rq->fair;
	uint32_t weight = weight_of(sim, f->t);

	if (f->where == FAIR_RUNS && f->prio) {
		fair_leave(q, &f->e, 0);
		f->where = RT_RUNS;
		return;
	}
	if (f->where == RT_RUNS && !f->prio) {
		set_slice(sim, f);
		fair_set_weight(&f->e, weight);
		fair_place(q, &f->e);
		fair_run(q, &f->e);
		f->where = FAIR_RUNS;
		f->placed = 1;
		return;
	}
	if (f->where == FAIR_RUNS) {
		q->custom -= f->e.custom;
		set_slice(sim, f);
		q->custom += f->e.custom;
		fair_reweight(q, weight);
	}
}

static void fair_reclass(struct sim *sim, struct sim_thread *t)
{
	struct fair_thread *f = fair_of(t);

	f->prio = prio_of(sim, t);
	if (f->where == FAIR_RUNS || f->where == RT_RUNS) {
		reclass_running(sim, fair_rq_of(f->on), f);
		return;
	}
	if (f->e.delayed)
		detach(sim, fair_rq_of(f->on), f);
	set_slice(sim, f);
	fair_set_weight(&f->e, weight_of(sim, t));
}

static struct sim_cpu *fair_select_any(struct sim *sim, struct sim_thread *t)
{
	return fair_of(t)->prio ? fair_rt_select(sim, t) : fair_select(sim, t);
}

/* ---- yields ----------------------------------------------------------------------------------*/

static int both_fair(const struct sim_thread *from, const struct sim_thread *to)
{
	return fair_of(from)->where == FAIR_RUNS && fair_of(to)->where == FAIR_WAITS;
}

static int fair_yield_to(struct sim *sim, struct sim_thread *from, struct sim_thread *to)
{
	struct sim_cpu *there = fair_of(to)->on;

	if (!both_fair(from, to))
		return 0;
	fair_rq_of(there)->fair.next = &fair_of(to)->e;
	if (there != from->cpu)
		sim_resched(sim, there, from->cpu);
	return 1;
}

static int is_fair_host(const struct sim *sim)
{
	return sim->policy->sched == &sim_sched_fair;
}

int sim_fair_can_yield(const struct sim *sim, const struct sim_thread *from,
		       const struct sim_thread *to)
{
	return is_fair_host(sim) ? both_fair(from, to) : to->state == SIM_READY;
}

struct sim_fair_limit *sim_fair_limit(struct sim *sim, struct sim_cpu *cpu)
{
	return is_fair_host(sim) ? &fair_rq_of(cpu)->limit : NULL;
}

int sim_fair_view(struct sim *sim, struct sim_thread *from, struct sim_thread *to,
		  struct sim_fair_view *view)
{
	const struct fair_thread *f, *g;
	const struct fair_queue *q;

	memset(view, 0, sizeof(*view));
	if (!is_fair_host(sim) || !both_fair(from, to))
		return 0;
	f = fair_of(from);
	g = fair_of(to);
	q = &fair_rq_of(g->on)->fair;
	view->same_queue = f->on == g->on;
	if (view->same_queue)
		view->gap_ns = g->e.vruntime - f->e.vruntime;
	view->lag_ns = fair_lag(q, &g->e);
	view->lag_max_ns = (uint32_t)fair_lag_max(q, &g->e);
	view->granularity_ns = (uint32_t)fair_virtual(&f->e, q->base_slice_ns);
	view->queued = q->count - q->delayed + (q->curr != NULL);
	return 1;
}

void sim_fair_penalise(struct sim *sim, struct sim_thread *t, uint64_t virtual_ns)
{
	if (is_fair_host(sim) && fair_of(t)->where == FAIR_RUNS)
		fair_advance(&fair_rq_of(fair_of(t)->on)->fair, virtual_ns);
}

void sim_fair_credit(struct sim *sim, struct sim_thread *t, uint64_t lag_ns)
{
	struct fair_thread *f;
	struct fair_queue *q;
	uint64_t most;
	int was_next;

	if (!is_fair_host(sim) || fair_of(t)->where != FAIR_WAITS)
		return;
	f = fair_of(t);
	q = &fair_rq_of(f->on)->fair;
	was_next = q->next == &f->e;
	fair_leave(q, &f->e, 1);
	most = fair_lag_max(q, &f->e);
	if (lag_ns > 2u * most)
		lag_ns = 2u * most;
	f->e.lag += (int64_t)lag_ns;
	if (f->e.lag > (int64_t)most)
		f->e.lag = (int64_t)most;
	fair_place(q, &f->e);
	fair_add(q, &f->e);
	if (was_next)
		q->next = &f->e;
}

void sim_fair_force(struct sim *sim, struct sim_thread *t, const struct sim_thread *from)
{
	struct fair_queue *q;

	if (!is_fair_host(sim) || fair_of(t)->where != FAIR_WAITS)
		return;
	q = &fair_rq_of(fair_of(t)->on)->fair;
	if (q->curr)
		q->curr->protected_until = q->curr->vruntime;
	sim_resched(sim, fair_of(t)->on, from->cpu);
}

void sim_fair_exits(struct sim *sim, const struct sim_thread *t)
{
	if (is_fair_host(sim) && t->cpu && fair_rq_of(t->cpu)->lazy)
		sim_resched(sim, t->cpu, NULL);
}

/* Lag is bounded by the longest slice and a tick, for each of the two; a light thread's virtual
 * time runs faster. Nothing is promised across CPUs. */
static uint64_t fair_bound(struct sim *sim)
{
	uint64_t most_ns = 0;
	uint32_t i;

	if (sim->cpu_count != 1)
		return SIM_NEVER;
	for (i = 0; i < sim->thread_count; i++) {
		const struct fair_thread *f = fair_of(sim->threads[i]);
		uint64_t ns = f->e.slice_ns > fair_data_of(sim)->base_slice_ns ?
			      f->e.slice_ns : fair_data_of(sim)->base_slice_ns;

		ns = fair_virtual(&f->e, ns + fair_rq_of(&sim->cpus[0])->fair.tick_ns);
		if (ns > most_ns)
			most_ns = ns;
	}
	return 2u * most_ns;
}

const struct sim_sched sim_sched_fair = {
	.name = "fair",
	.what = "Linux 7.3: flat EEVDF with lag, slices, lazy preemption; SCHED_FIFO above it",
	.leaves_out = "cgroup weights, NUMA and cache domains, wake affinity, the deadline class",
	.rq_size = sizeof(struct fair_rq),
	.entity_size = sizeof(struct fair_thread),
	.tick_ns = TICK_NS,
	.init = fair_init,
	.free = fair_host_free,
	.attach = fair_attach,
	.select = fair_select_any,
	.enqueue = fair_enqueue,
	.dequeue = fair_dequeue,
	.pick = fair_pick,
	.charge = fair_charge_curr,
	.block = fair_block,
	.slice = fair_slice,
	.preempts = fair_preempts,
	.tick = fair_tick,
	.reclass = fair_reclass,
	.yield_to = fair_yield_to,
	.fairness_bound = fair_bound,
};
