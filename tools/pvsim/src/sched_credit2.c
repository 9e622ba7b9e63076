/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_credit2.c - a model of Xen's credit2, as of 4.17 and of 4.20.
 *
 * Up to 16 CPUs (a socket) share one run queue, sorted by credit. Credit burns while a vCPU runs,
 * at 1 per ns for the heaviest weight and faster for others; when the best of the queue has none
 * left, all get 10 ms more (a reset). Who wakes up looks for a CPU by its credit (a tickle); who
 * has just begun to run is left alone for 1 ms (the rate limit).
 *
 * The numbers are those of xen/common/sched/credit2.c 4.20.3, read and measured: hog against
 * mixed work on one CPU has p99 1 ms in 4.20 and 10 ms in 4.17. That difference is one commit
 * (ae648e9f80, July 2025): how long a vCPU may run depends on the credit of who was just
 * descheduled, too. `credit2.inflight: 0` takes it back.
 *
 * Left out: caps, soft affinity, balancing between run queues (a vCPU stays where it was put, on
 * the one with the fewest), core scheduling, vCPUs tied to a CPU by the tickle's fast path.
 */
#include <stdlib.h>

#include "sim.h"

#define INIT_NS       (10 * SIM_MS)  /* CSCHED2_CREDIT_INIT */
#define MIN_CREDIT_NS (-10 * (int64_t)SIM_MS) /* CSCHED2_CREDIT_MIN */
#define CARRYOVER_NS  (500 * SIM_US) /* CSCHED2_CARRYOVER_MAX = MIN_TIMER; the mails say 2 ms */
#define MIN_TIMER_NS  (500 * SIM_US)
#define MAX_TIMER_NS  (10 * SIM_MS)
/* A timer's interrupt comes that late: planned to the ns, ties of credit would last for ever. */
#define TIMER_LATE_NS (1 * SIM_US)
#define RATELIMIT_NS  (1000 * SIM_US) /* sched_ratelimit_us */
#define TICKLE_TOLERANCE_NS (50 * SIM_US) /* RATELIMIT_TICKLE_TOLERANCE */
#define MIGRATE_RESIST_NS   (500 * SIM_US)
#define MIGRATE_COMPENSATION_NS (50 * SIM_US)
#define RUNQUEUE_CPUS 16u

#define NO_CPU 0xffffffffu

/* A vCPU, or any other thread. */
struct unit {
	struct sim_thread *thread;
	struct runqueue *rq;
	int64_t credit;      /* ns of the heaviest weight */
	uint64_t residual;   /* of the last burn, in 1/weight ns */
	uint64_t ahead_ns;   /* burned already of the time it will be charged for next */
	uint64_t start_ns;   /* has its CPU since */
	uint32_t weight;
	uint32_t tickled_cpu;/* expected there; NO_CPU */
	uint8_t queued;
	uint8_t yields;
	struct unit *prev, *next;         /* in the queue, by credit */
	struct unit *all_prev, *all_next; /* of the run queue, running and blocked ones too */
};

struct runqueue {
	uint32_t cpu_from, cpu_to; /* its CPUs: from..to-1 */
	uint32_t units;
	uint32_t max_weight;
	uint64_t forgiven_ns;      /* burned below the least there is, or given above the most */
	struct unit *head, *tail;  /* most credit first */
	struct unit *all;
};

struct credit2 {
	uint64_t init_ns, carryover_ns, min_timer_ns, ratelimit_ns, resist_ns;
	int inflight;
	uint32_t rq_count;
	struct runqueue rq[SIM_CPUS_MAX];
};

/* cpu->rq */
struct cpu_data {
	struct runqueue *rq;
	struct unit *last;     /* has lost this CPU just now, and could go on */
	struct unit *inflight; /* the one before, when another was picked */
};

static struct unit *unit_of(const struct sim_thread *t)
{
	return t->entity;
}

static struct cpu_data *data_of(const struct sim_cpu *cpu)
{
	return cpu->rq;
}

/* ---- run queues -------------------------------------------------------------------------------*/

static void credit2_init(struct sim *sim)
{
	struct credit2 *c = calloc(1, sizeof(*c));
	uint64_t cpus = sim_param(sim, "credit2.runqueue-cpus", RUNQUEUE_CPUS);

	if (!c)
		abort();
	sim->sched_data = c;
	c->init_ns = sim_param(sim, "credit2.credit-init", INIT_NS);
	c->carryover_ns = sim_param(sim, "credit2.carryover", CARRYOVER_NS);
	c->min_timer_ns = sim_param(sim, "credit2.min-timer", MIN_TIMER_NS);
	c->ratelimit_ns = sim_param(sim, "credit2.ratelimit", RATELIMIT_NS);
	c->resist_ns = sim_param(sim, "credit2.migrate-resist", MIGRATE_RESIST_NS);
	c->inflight = sim_param(sim, "credit2.inflight", 1) != 0;
	if (cpus == 0 || cpus > SIM_CPUS_MAX)
		cpus = RUNQUEUE_CPUS;
	for (uint32_t i = 0; i < sim->cpu_count; i++) {
		struct runqueue *rq = &c->rq[i / cpus];

		if (i % cpus == 0) {
			rq->cpu_from = i;
			c->rq_count++;
		}
		rq->cpu_to = i + 1;
		data_of(&sim->cpus[i])->rq = rq;
	}
}

static void credit2_free(struct sim *sim)
{
	free(sim->sched_data);
	sim->sched_data = NULL;
}

static void find_max_weight(struct runqueue *rq)
{
	rq->max_weight = 1;
	for (const struct unit *u = rq->all; u; u = u->all_next) {
		if (u->weight > rq->max_weight)
			rq->max_weight = u->weight;
	}
}

static void join(struct runqueue *rq, struct unit *u)
{
	u->rq = rq;
	u->all_prev = NULL;
	u->all_next = rq->all;
	if (rq->all)
		rq->all->all_prev = u;
	rq->all = u;
	rq->units++;
	if (u->weight > rq->max_weight)
		rq->max_weight = u->weight;
}

static void leave(struct unit *u)
{
	struct runqueue *rq = u->rq;

	if (u->all_prev)
		u->all_prev->all_next = u->all_next;
	else
		rq->all = u->all_next;
	if (u->all_next)
		u->all_next->all_prev = u->all_prev;
	rq->units--;
	if (u->weight == rq->max_weight)
		find_max_weight(rq);
}

static int usable(const struct sim *sim, const struct runqueue *rq, const struct sim_thread *t)
{
	for (uint32_t i = rq->cpu_from; i < rq->cpu_to; i++) {
		if (sim_may_run(t, &sim->cpus[i]))
			return 1;
	}
	return 0;
}

/* The run queue with the fewest units for each CPU, among those it may use. */
static struct runqueue *find_home(struct sim *sim, const struct sim_thread *t)
{
	struct credit2 *c = sim->sched_data;
	struct runqueue *best = NULL;

	for (uint32_t i = 0; i < c->rq_count; i++) {
		struct runqueue *rq = &c->rq[i];

		if (!usable(sim, rq, t))
			continue;
		if (!best || (uint64_t)rq->units * (best->cpu_to - best->cpu_from) <
				     (uint64_t)best->units * (rq->cpu_to - rq->cpu_from))
			best = rq;
	}
	return best ? best : &c->rq[0];
}

static uint32_t weight_of(const struct sim_thread *t)
{
	uint64_t factor = t->weight_q10 ? t->weight_q10 : 1024;
	uint64_t weight = (uint64_t)t->weight * factor / 1024;

	return weight ? (uint32_t)weight : 1;
}

static void credit2_attach(struct sim *sim, struct sim_thread *t)
{
	const struct credit2 *c = sim->sched_data;
	struct unit *u = unit_of(t);

	u->thread = t;
	u->credit = (int64_t)c->init_ns;
	u->weight = weight_of(t);
	u->tickled_cpu = NO_CPU;
	join(find_home(sim, t), u);
}

static void credit2_reclass(struct sim *sim, struct sim_thread *t)
{
	struct unit *u = unit_of(t);

	(void)sim;
	if (u->weight == weight_of(t))
		return;
	u->weight = weight_of(t);
	u->residual = 0;
	find_max_weight(u->rq);
}

/* ---- the sorted queue -------------------------------------------------------------------------*/

/* Most credit first; of equals, who came first. */
static void queue_insert(struct unit *u)
{
	struct runqueue *rq = u->rq;
	struct unit *before = rq->tail;

	while (before && before->credit < u->credit)
		before = before->prev;
	u->prev = before;
	u->next = before ? before->next : rq->head;
	if (u->next)
		u->next->prev = u;
	else
		rq->tail = u;
	if (before)
		before->next = u;
	else
		rq->head = u;
	u->queued = 1;
}

static void queue_remove(struct unit *u)
{
	struct runqueue *rq = u->rq;

	if (u->prev)
		u->prev->next = u->next;
	else
		rq->head = u->next;
	if (u->next)
		u->next->prev = u->prev;
	else
		rq->tail = u->prev;
	u->prev = u->next = NULL;
	u->queued = 0;
}

/* ---- credit -----------------------------------------------------------------------------------*/

static void burn(struct unit *u, uint64_t ran_ns)
{
	if (u->weight == u->rq->max_weight) {
		u->credit -= (int64_t)ran_ns;
	} else {
		uint64_t burned = ran_ns * u->rq->max_weight + u->residual;

		u->credit -= (int64_t)(burned / u->weight);
		u->residual = burned % u->weight;
	}
	if (u->credit < MIN_CREDIT_NS) {
		u->rq->forgiven_ns += (uint64_t)(MIN_CREDIT_NS - u->credit);
		u->credit = MIN_CREDIT_NS;
	}
}

static void credit2_charge(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t,
			   uint64_t ran_ns)
{
	struct unit *u = unit_of(t);
	uint64_t done = u->ahead_ns < ran_ns ? u->ahead_ns : ran_ns;

	(void)sim;
	(void)cpu;
	u->ahead_ns -= done;
	burn(u, ran_ns - done);
}

/* Another CPU's thread pays now what it will be charged for later. */
static void burn_ahead(const struct sim *sim, const struct sim_cpu *cpu, struct unit *u)
{
	uint64_t ran_ns = sim->now_ns - cpu->curr_since_ns;

	if (ran_ns <= u->ahead_ns)
		return;
	burn(u, ran_ns - u->ahead_ns);
	u->ahead_ns = ran_ns;
}

/* `best` has the most credit, and none is left: everybody of the run queue gets more. */
static void reset_credit(struct sim *sim, struct runqueue *rq, const struct sim_cpu *here,
			 const struct unit *best)
{
	const struct credit2 *c = sim->sched_data;
	int64_t top = (int64_t)(c->init_ns + c->carryover_ns);
	int64_t more = (int64_t)c->init_ns;

	if (best->credit <= -(int64_t)c->init_ns)
		more *= 2;
	for (uint32_t i = rq->cpu_from; i < rq->cpu_to; i++) {
		const struct sim_cpu *cpu = &sim->cpus[i];

		if (cpu != here && cpu->curr && unit_of(cpu->curr)->rq == rq)
			burn_ahead(sim, cpu, unit_of(cpu->curr));
	}
	for (struct unit *u = rq->all; u; u = u->all_next) {
		u->credit += more;
		if (u->credit <= top)
			continue;
		if (u->thread->state != SIM_BLOCKED)
			rq->forgiven_ns += (uint64_t)(u->credit - top);
		u->credit = top;
	}
}

/* ---- who gives way to a newcomer (tickle) -----------------------------------------------------*/

/* It will decide anew, and is not to be asked for anything else before. */
static int is_tickled(const struct sim_cpu *cpu)
{
	return cpu->resched.heap_at != 0;
}

/* By how much credit `u` beats who runs there; 0 or less: not at all. */
static int64_t tickle_score(const struct sim *sim, const struct sim_cpu *cpu, const struct unit *u)
{
	const struct credit2 *c = sim->sched_data;
	struct unit *runs = unit_of(cpu->curr);
	uint64_t ran_ns = sim->now_ns - runs->start_ns;

	if (ran_ns + TICKLE_TOLERANCE_NS < c->ratelimit_ns)
		return 0;
	burn_ahead(sim, cpu, runs);
	return u->credit - runs->credit - (u->thread->cpu == cpu ? 0 : (int64_t)c->resist_ns);
}

/* The CPU that should decide anew because `u` waits: an idle one, else where it beats most. */
static struct sim_cpu *find_cpu(struct sim *sim, struct unit *u, const struct sim_cpu *but)
{
	const struct runqueue *rq = u->rq;
	uint32_t count = rq->cpu_to - rq->cpu_from;
	uint32_t own = u->thread->cpu ? u->thread->cpu->id : rq->cpu_from;
	struct sim_cpu *best = NULL;
	int64_t best_score = 0;

	if (own < rq->cpu_from || own >= rq->cpu_to)
		own = rq->cpu_from;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = own + i < rq->cpu_to ? own + i : own + i - count;
		struct sim_cpu *cpu = &sim->cpus[id];

		if (cpu != but && sim_may_run(u->thread, cpu) && !cpu->curr &&
		    !is_tickled(cpu))
			return cpu;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = own + i < rq->cpu_to ? own + i : own + i - count;
		struct sim_cpu *cpu = &sim->cpus[id];
		int64_t score;

		if (cpu == but || !sim_may_run(u->thread, cpu) || is_tickled(cpu))
			continue;
		score = tickle_score(sim, cpu, u);
		if (score > best_score) {
			best_score = score;
			best = cpu;
		}
	}
	return best;
}

static struct sim_cpu *credit2_select(struct sim *sim, struct sim_thread *t)
{
	struct unit *u = unit_of(t);
	const struct runqueue *rq = u->rq;
	struct sim_cpu *cpu;

	if (usable(sim, rq, t)) {
		cpu = find_cpu(sim, u, NULL);
		u->tickled_cpu = cpu ? cpu->id : NO_CPU;
		if (cpu)
			return cpu;
		if (t->cpu && data_of(t->cpu)->rq == rq && sim_may_run(t, t->cpu))
			return t->cpu;
	} else {
		rq = find_home(sim, t); /* it joins when it is queued there */
	}
	for (uint32_t i = rq->cpu_from; i < rq->cpu_to; i++) {
		if (sim_may_run(t, &sim->cpus[i]))
			return &sim->cpus[i];
	}
	return &sim->cpus[rq->cpu_from];
}

static int credit2_preempts(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	return !cpu->curr || tickle_score(sim, cpu, unit_of(t)) > 0;
}

/* ---- queueing and picking ---------------------------------------------------------------------*/

static void credit2_enqueue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t,
			    uint32_t flags)
{
	struct unit *u = unit_of(t);
	struct cpu_data *d = data_of(cpu);

	(void)sim;
	if (u->rq != d->rq) {
		leave(u);
		join(d->rq, u);
	}
	u->ahead_ns = 0;
	u->yields = (flags & SIM_ENQ_YIELDED) != 0;
	queue_insert(u);
	if (cpu->curr == t || (flags & SIM_ENQ_YIELDED))
		d->last = u;
}

static void credit2_dequeue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	struct cpu_data *d = data_of(cpu);

	(void)sim;
	queue_remove(unit_of(t));
	if (d->last == unit_of(t))
		d->last = NULL;
	if (d->inflight == unit_of(t))
		d->inflight = NULL;
}

/* Another CPU was told to come for it, and has not yet. */
static int is_expected_elsewhere(const struct sim *sim, const struct unit *u,
				 const struct sim_cpu *cpu)
{
	return u->tickled_cpu != NO_CPU && u->tickled_cpu != cpu->id &&
	       is_tickled(&sim->cpus[u->tickled_cpu]);
}

/* Who runs next; `curr` could go on, NULL: it has blocked. */
static struct unit *find_candidate(const struct sim *sim, const struct sim_cpu *cpu,
				   struct unit *curr)
{
	const struct credit2 *c = sim->sched_data;
	struct unit *u = data_of(cpu)->rq->head;
	int yields = curr && curr->yields;

	if (curr && !yields && sim->now_ns - curr->start_ns < c->ratelimit_ns)
		return curr;
	for (; u; u = u->next) {
		if (u == curr || !sim_may_run(u->thread, cpu) ||
		    is_expected_elsewhere(sim, u, cpu))
			continue;
		if (curr && !yields && u->thread->cpu != cpu &&
		    u->credit < curr->credit + (int64_t)c->resist_ns)
			continue;
		break;
	}
	if (u && (!curr || yields || u->credit > curr->credit))
		return u;
	return curr;
}

static struct sim_thread *credit2_pick(struct sim *sim, struct sim_cpu *cpu)
{
	struct cpu_data *d = data_of(cpu);
	struct unit *curr = d->last;
	struct unit *next, *best;

	d->last = d->inflight = NULL;
	if (curr && !sim_may_run(curr->thread, cpu))
		curr = NULL;
	next = find_candidate(sim, cpu, curr);
	if (!next)
		return NULL;
	best = d->rq->head->credit > next->credit ? d->rq->head : next;
	if (best->credit <= 0)
		reset_credit(sim, d->rq, cpu, best);
	if (next->thread->cpu != cpu) {
		sim_migrate(sim, next->thread, cpu);
		next->credit += (int64_t)MIGRATE_COMPENSATION_NS;
	}
	queue_remove(next);
	next->yields = 0;
	next->tickled_cpu = NO_CPU;
	next->ahead_ns = 0;
	if (next == curr)
		return next->thread;
	next->start_ns = sim->now_ns;
	if (curr) {
		struct sim_cpu *other = find_cpu(sim, curr, cpu);

		d->inflight = curr;
		curr->tickled_cpu = other ? other->id : NO_CPU;
		if (other)
			sim_resched(sim, other, cpu);
	}
	return next->thread;
}

/* Until its credit is that of the next one, or 0; not less than the rate limit. */
static uint64_t credit2_slice(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	const struct credit2 *c = sim->sched_data;
	const struct cpu_data *d = data_of(cpu);
	const struct unit *u = unit_of(t);
	const struct unit *waits = d->rq->head;
	uint64_t ran_ns = sim->now_ns - u->start_ns;
	uint64_t least_ns = c->min_timer_ns;
	int64_t left = u->credit;

	if (!c->inflight && waits && waits == d->inflight)
		waits = waits->next;
	if (waits && waits->credit > 0)
		left -= waits->credit;
	if (c->ratelimit_ns > ran_ns && c->ratelimit_ns - ran_ns > least_ns)
		least_ns = c->ratelimit_ns - ran_ns;
	left = left > 0 ? (int64_t)((uint64_t)left * u->weight / d->rq->max_weight) : 0;
	if ((uint64_t)left < least_ns)
		left = (int64_t)least_ns;
	if ((uint64_t)left > MAX_TIMER_NS)
		left = (int64_t)MAX_TIMER_NS;
	return (uint64_t)left + TIMER_LATE_NS;
}

/*
 * On one CPU, among those that always want it, credits are never further apart than their range,
 * and a slice that is not yet burned; but for what was forgiven at either end, as when yields let
 * somebody run who has no credit left. Nothing is promised where a run queue has several CPUs.
 */
static uint64_t credit2_fairness_bound(struct sim *sim)
{
	const struct credit2 *c = sim->sched_data;
	const struct runqueue *rq = &c->rq[0];
	uint64_t range_ns = c->init_ns + c->carryover_ns - (uint64_t)MIN_CREDIT_NS;

	if (sim->cpu_count > 1)
		return SIM_NEVER;
	return (range_ns + MAX_TIMER_NS + rq->forgiven_ns) * 1024 / rq->max_weight;
}

const struct sim_sched sim_sched_credit2 = {
	.name = "credit2",
	.what = "Xen credit2 (4.20; credit2.inflight: 0 for 4.17)",
	.leaves_out = "caps, soft affinity, balancing between run queues, core scheduling",
	.rq_size = sizeof(struct cpu_data),
	.entity_size = sizeof(struct unit),
	.init = credit2_init,
	.free = credit2_free,
	.attach = credit2_attach,
	.select = credit2_select,
	.enqueue = credit2_enqueue,
	.dequeue = credit2_dequeue,
	.pick = credit2_pick,
	.charge = credit2_charge,
	.slice = credit2_slice,
	.preempts = credit2_preempts,
	.reclass = credit2_reclass,
	.fairness_bound = credit2_fairness_bound,
};
