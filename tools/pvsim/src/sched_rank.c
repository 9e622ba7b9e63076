/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_rank.c - the library owns the run queue: pvs/queue.h gives every thread a 64-bit key, and
 * whoever has the lowest one runs. Nothing here knows what a boost is.
 *
 * CPUs of equal capacity that may run the same threads share a queue (up to `rank.queue-cpus`, 16).
 * What waits is kept in an array sorted by key, the first one last, so that a pick is a pop. An
 * idle CPU takes from other queues; a thread that wakes goes to an idle CPU, else where it beats
 * whoever runs by most.
 */
#include <stdlib.h>
#include <string.h>

#include "roles.h"

#define QUEUE_CPUS 16u
/* About what a fair host of a few CPUs gives: 3 ms (Linux's base slice on 8 CPUs is 2.8 ms). */
#define SLICE_NS (3 * SIM_MS)
/* Two that are not boosted change places no sooner: credit2's ratelimit is 1000 us; half of it. */
#define RATELIMIT_NS (500 * SIM_US)
#define TICK_NS (10 * SIM_MS)
/* Who ran here last may go before another one whose turn comes so much sooner, unless that one is
 * boosted: CSCHED2_MIGRATE_RESIST. Looked at are the first few. */
#define RESIST_NS (500 * SIM_US)
/* A yield's target goes first when it has had at most so much more than who is first; a quarter of
 * what the queue lets anybody carry over (credit_max_ns). */
#define YIELD_LEAD_NS (500 * SIM_US)
#define RESIST_LOOK 4u
/* A queue is left for another one whose CPUs have so many fewer threads each, in 1/1024. */
#define BALANCE_Q10 1024u

struct group {
	struct pvs_queue q;
	uint64_t cpus; /* bit n: CPU n */
	uint32_t cpu_count;
	uint32_t count, room;
	struct sim_thread **waiting; /* by key, descending */
};

struct rank {
	uint32_t group_count;
	struct group groups[SIM_CPUS_MAX];
	uint64_t slice_ns, ratelimit_ns;
	uint64_t next_order;
	uint64_t idle; /* bit n: CPU n found nobody at its last decision */
	struct pvs_config config;
};

struct rank_rq {
	struct group *group;
	struct sim_thread *last;  /* who ran here last, or does ... */
	uint64_t picked_ns;       /* ... since */
	struct sim_thread *next;  /* somebody yielded to it */
	struct sim_thread *skip;  /* it yielded: others first */
	struct sim_timer limited; /* the rate limit is over, and somebody waits for that */
};

struct rank_entity {
	struct pvs_entity e;
	struct group *group; /* where it is, or was last */
	uint64_t order;
};

static struct rank *rank_of(const struct sim *sim)
{
	return sim->sched_data;
}

static struct rank_rq *rq_of(const struct sim_cpu *cpu)
{
	return cpu->rq;
}

static struct rank_entity *entity_of(const struct sim_thread *t)
{
	return t->entity;
}

static const struct pvs_config *config_of(const struct sim *sim)
{
	return &rank_of(sim)->config;
}

static struct pvs_queue_ask ask_of(const struct sim *sim, const struct sim_thread *t)
{
	struct pvs_queue_ask ask = {
		.now_ns = sim->now_ns,
		.weight_q10 = t->weight_q10,
		.klass = t->klass,
		.rank = t->rank,
	};

	/* A real-time task of the host is above all guests, and has no account. */
	if (t->rt_prio)
		ask.klass = PVS_CLASS_BASELINE;
	return ask;
}

/* ---- groups -----------------------------------------------------------------------------------*/

/* A bit for each reason to tell two CPUs apart: who may run there. */
static uint64_t affinities(const struct sim *sim, const struct sim_cpu *cpu)
{
	const struct sim_scenario *s = sim->scenario;
	uint64_t bits = 0, all = UINT64_MAX;
	uint32_t i;

	if (sim->cpu_count < 64)
		all = (UINT64_C(1) << sim->cpu_count) - 1;
	for (i = 0; i < s->vm_count; i++) {
		uint64_t a = s->vms[i].affinity & all;

		if (s->vms[i].pin)
			return UINT64_C(1) << 63 | cpu->id;
		if (a && a != all && (a >> cpu->id & 1))
			bits |= UINT64_C(1) << (i & 31);
	}
	for (i = 0; i < s->host_task_count; i++) {
		uint64_t a = s->host_tasks[i].affinity & all;

		if (a && a != all && (a >> cpu->id & 1))
			bits |= UINT64_C(1) << (32 + (i & 15));
	}
	/* The CPU that polls runs nothing. */
	if (sim->policy->role == &sim_role_central && cpu->id == sim->cpu_count - 1)
		bits |= UINT64_C(1) << 62;
	return bits;
}

static int same_kind(const struct sim *sim, const struct group *g, const struct sim_cpu *cpu)
{
	uint32_t first = 0;

	while (!(g->cpus >> first & 1))
		first++;
	return sim->cpus[first].capacity == cpu->capacity &&
	       affinities(sim, &sim->cpus[first]) == affinities(sim, cpu);
}

static void limit_over(struct sim *sim, struct sim_timer *timer)
{
	sim_resched(sim, timer->owner, NULL);
}

static void rank_init(struct sim *sim)
{
	struct rank *r = calloc(1, sizeof(*r));
	uint64_t most = sim_param(sim, "rank.queue-cpus", QUEUE_CPUS);
	uint32_t i, k;

	if (!r)
		abort();
	sim->sched_data = r;
	r->slice_ns = sim_param(sim, "rank.slice", SLICE_NS);
	r->ratelimit_ns = sim_param(sim, "rank.ratelimit", RATELIMIT_NS);
	r->config = sim->config;
	for (i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];
		struct group *g;

		for (k = 0; k < r->group_count; k++)
			if (r->groups[k].cpu_count < most && same_kind(sim, &r->groups[k], cpu))
				break;
		g = &r->groups[k];
		if (k == r->group_count) {
			r->group_count++;
			pvs_queue_init(&g->q);
		}
		g->cpus |= UINT64_C(1) << cpu->id;
		g->cpu_count++;
		rq_of(cpu)->group = g;
		rq_of(cpu)->limited.owner = cpu;
		rq_of(cpu)->limited.fire = limit_over;
		r->idle |= UINT64_C(1) << i;
	}
}

static void rank_free(struct sim *sim)
{
	struct rank *r = rank_of(sim);
	uint32_t i;

	if (!r)
		return;
	for (i = 0; i < r->group_count; i++)
		free(r->groups[i].waiting);
	free(r);
	sim->sched_data = NULL;
}

static void rank_attach(struct sim *sim, struct sim_thread *t)
{
	struct rank_entity *re = entity_of(t);

	pvs_entity_init(&re->e, config_of(sim), t->weight);
}

/* ---- the sorted queue -------------------------------------------------------------------------*/

/* Does a go before b? Among equals, first come, first served. */
static int before(const struct sim_thread *a, const struct sim_thread *b)
{
	const struct rank_entity *ea = entity_of(a), *eb = entity_of(b);

	if (a->rt_prio != b->rt_prio)
		return a->rt_prio > b->rt_prio;
	if (a->rt_prio)
		return ea->order < eb->order;
	if (ea->e.key != eb->e.key)
		return pvs_key_before(ea->e.key, eb->e.key);
	return ea->order < eb->order;
}

static void insert(struct sim *sim, struct group *g, struct sim_thread *t)
{
	uint32_t low = 0, high = g->count;

	if (g->count == g->room) {
		g->room = g->room ? 2 * g->room : 64;
		g->waiting = realloc(g->waiting, g->room * sizeof(struct sim_thread *));
		if (!g->waiting)
			abort();
	}
	entity_of(t)->order = rank_of(sim)->next_order++;
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (before(t, g->waiting[middle]))
			low = middle + 1;
		else
			high = middle;
	}
	memmove(&g->waiting[low + 1], &g->waiting[low],
		(g->count - low) * sizeof(struct sim_thread *));
	g->waiting[low] = t;
	g->count++;
}

static void take_out(struct group *g, struct sim_thread *t)
{
	uint32_t i = g->count;

	while (i && g->waiting[i - 1] != t)
		i--;
	if (!i)
		return;
	memmove(&g->waiting[i - 1], &g->waiting[i], (g->count - i) * sizeof(struct sim_thread *));
	g->count--;
}

static int is_boosted(const struct sim_thread *t)
{
	return t->rt_prio || entity_of(t)->e.bucket < PVS_RANKS * 2;
}

/* Is b's turn so little after a's that it may go first? */
static int nearly(const struct sim_thread *a, const struct sim_thread *b)
{
	const struct pvs_entity *ea = &entity_of(a)->e, *eb = &entity_of(b)->e;

	if (is_boosted(a) || is_boosted(b))
		return 0;
	return eb->key - ea->key < RESIST_NS * PVS_QUEUE_REFERENCE / ea->weight;
}

/* The first one that may run on this CPU, but who has just yielded if there is another one; or one
 * whose cache is warm here. */
static struct sim_thread *first_for(const struct group *g, const struct sim_cpu *cpu)
{
	const struct sim_thread *skip = rq_of(cpu)->skip;
	struct sim_thread *last = NULL, *first = NULL, *t;
	uint32_t i, looked = 0;

	for (i = g->count; i; i--) {
		t = g->waiting[i - 1];
		if (!sim_may_run(t, cpu))
			continue;
		if (t == skip) {
			last = t;
			continue;
		}
		if (!first)
			first = t;
		if (t->ran_on == cpu && (t == first || nearly(first, t)))
			return t;
		if (++looked == RESIST_LOOK || is_boosted(first))
			break;
	}
	return first ? first : last;
}

/* ---- calls of the machine ---------------------------------------------------------------------*/

static int is_idle(const struct sim_cpu *cpu)
{
	return !cpu->curr && !cpu->resched.heap_at;
}

/* Somebody waits here whom an idle CPU could run: it is told; of the same queue rather than of
 * another one. */
static void tell_idle(struct sim *sim, const struct sim_cpu *here, const struct sim_thread *t)
{
	struct rank *r = rank_of(sim);
	uint64_t own = rq_of(here)->group->cpus, left = r->idle & ~(UINT64_C(1) << here->id);
	struct sim_cpu *cpu, *found = NULL;

	while (left) {
		cpu = &sim->cpus[__builtin_ctzll(left)];
		left &= left - 1;
		if (!is_idle(cpu) || !sim_may_run(t, cpu))
			continue;
		if (!found || (own >> cpu->id & 1))
			found = cpu;
		if (own >> found->id & 1)
			break;
	}
	if (found)
		sim_resched(sim, found, here);
}

static void rank_enqueue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t, uint32_t flags)
{
	struct rank_entity *re = entity_of(t);
	struct group *g = rq_of(cpu)->group;
	struct pvs_queue_ask ask = ask_of(sim, t);

	if (flags & SIM_ENQ_YIELDED)
		rq_of(cpu)->skip = t;
	if (re->group && re->group != g) {
		pvs_queue_dequeue(&re->group->q, &re->e);
		(void)pvs_queue_migrate(&re->group->q, &g->q, config_of(sim), &re->e);
	}
	re->group = g;
	/* Nobody has a cap here, so it is never PARK. */
	(void)pvs_queue_enqueue(&g->q, config_of(sim), &re->e, &ask);
	insert(sim, g, t);
	if (g->count > 1 || (cpu->curr && (flags & SIM_ENQ_WAKE)))
		tell_idle(sim, cpu, t);
}

static void rank_dequeue(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	struct rank_entity *re = entity_of(t);

	(void)sim;
	(void)cpu;
	take_out(re->group, t);
	pvs_queue_dequeue(&re->group->q, &re->e);
}

static void rank_block(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	struct rank_entity *re = entity_of(t);

	(void)sim;
	(void)cpu;
	pvs_queue_dequeue(&re->group->q, &re->e);
}

/* Another queue's first one, for a CPU that would be idle. */
static struct sim_thread *from_others(struct sim *sim, const struct sim_cpu *cpu)
{
	struct rank *r = rank_of(sim);
	struct sim_thread *t;
	uint32_t i, own = (uint32_t)(rq_of(cpu)->group - r->groups);

	for (i = 1; i < r->group_count; i++) {
		t = first_for(&r->groups[(own + i) % r->group_count], cpu);
		if (t)
			return t;
	}
	return NULL;
}

/* A target that is so far ahead of who is first has had its turn: two that yield to each other
 * would have the CPU for themselves, and others lose what they cannot carry over. */
static int is_due(const struct sim_thread *first, const struct sim_thread *next)
{
	const struct pvs_entity *ef = &entity_of(first)->e, *en = &entity_of(next)->e;

	if (first == next || is_boosted(next) || en->key <= ef->key)
		return 1;
	return en->key - ef->key < YIELD_LEAD_NS * PVS_QUEUE_REFERENCE / ef->weight;
}

/* Who is next; the target of a yield, unless somebody of a higher class waits. */
static struct sim_thread *choose(struct sim *sim, struct sim_cpu *cpu)
{
	struct rank_rq *rq = rq_of(cpu);
	struct sim_thread *t = first_for(rq->group, cpu), *next = rq->next;

	rq->next = NULL;
	if (next && next->queued && sim_may_run(next, cpu) &&
	    (!t || (!t->rt_prio && t->klass <= next->klass && is_due(t, next))))
		return next;
	return t ? t : from_others(sim, cpu);
}

static struct sim_thread *rank_pick(struct sim *sim, struct sim_cpu *cpu)
{
	struct group *g = rq_of(cpu)->group;
	struct pvs_queue_ask ask;
	struct pvs_entity *e;
	struct sim_thread *t;
	uint32_t tries;

	for (tries = 0; tries <= PVS_QUEUE_RETRIES; tries++) {
		t = choose(sim, cpu);
		if (!t)
			break;
		if (t->cpu != cpu)
			sim_migrate(sim, t, cpu);
		take_out(g, t);
		e = &entity_of(t)->e;
		ask = ask_of(sim, t);
		if (pvs_queue_pick(&g->q, config_of(sim), e, &ask) != PVS_QUEUE_AGAIN)
			break;
		insert(sim, g, t);
	}
	rq_of(cpu)->skip = NULL;
	rank_of(sim)->idle &= ~(UINT64_C(1) << cpu->id);
	rank_of(sim)->idle |= (uint64_t)!t << cpu->id;
	if (t && t != rq_of(cpu)->last)
		rq_of(cpu)->picked_ns = sim->now_ns;
	if (t)
		rq_of(cpu)->last = t;
	sim_disarm(sim, &rq_of(cpu)->limited);
	return t;
}

static int is_free(const struct sim *sim, const struct rank_entity *re)
{
	return (sim->defects & SIM_DEFECT_FREE_BOOST) && re->e.boosted;
}

static void charge(struct sim *sim, struct sim_thread *t, uint64_t ran_ns)
{
	struct rank_entity *re = entity_of(t);
	uint64_t part_ns;

	while (ran_ns) {
		part_ns = ran_ns < PVS_QUEUE_RUN_MAX_NS ? ran_ns : PVS_QUEUE_RUN_MAX_NS;
		pvs_queue_charge(&re->group->q, config_of(sim), &re->e, (pvs_u32)part_ns,
				 sim->now_ns);
		ran_ns -= part_ns;
	}
}

static void rank_charge(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t, uint64_t ran_ns)
{
	(void)cpu;
	if (is_free(sim, entity_of(t)) || (sim->defects & SIM_DEFECT_SAMPLED))
		return;
	charge(sim, t, ran_ns);
}

static uint64_t rank_slice(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	const struct rank_entity *re = entity_of(t);
	uint64_t limit_ns;

	(void)cpu;
	if (t->rt_prio)
		return SIM_NEVER;
	limit_ns = pvs_queue_limit_ns(&re->group->q, config_of(sim), &re->e, sim->now_ns);
	return limit_ns < rank_of(sim)->slice_ns ? limit_ns : rank_of(sim)->slice_ns;
}

static int rank_preempts(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *t)
{
	const struct sim_thread *curr = cpu->curr;
	const struct rank_entity *re = entity_of(t), *rc = entity_of(curr);
	uint64_t until_ns;

	if (t->rt_prio || curr->rt_prio)
		return t->rt_prio > curr->rt_prio;
	if (!pvs_queue_preempts(&re->e, &rc->e))
		return 0;
	if (t->klass > PVS_CLASS_BASELINE || curr->klass != PVS_CLASS_BASELINE)
		return 1;
	until_ns = rq_of(cpu)->picked_ns + rank_of(sim)->ratelimit_ns;
	if (sim->now_ns >= until_ns)
		return 1;
	if (!rq_of(cpu)->limited.heap_at)
		sim_arm(sim, &rq_of(cpu)->limited, until_ns);
	return 0;
}

/* Of one that runs, what it runs as is asked anew; the machine then decides. */
static void rank_reclass(struct sim *sim, struct sim_thread *t)
{
	struct rank_entity *re = entity_of(t);
	struct pvs_queue_ask ask = ask_of(sim, t);

	if (re->e.state == PVS_ENTITY_RUNNING)
		(void)pvs_queue_pick(&re->group->q, config_of(sim), &re->e, &ask);
}

/* ---- where to ---------------------------------------------------------------------------------*/

/* Does CPU a suit it better than b? Idle ones, then those whose thread is worth least. */
static int suits(const struct sim_cpu *a, const struct sim_cpu *b)
{
	if (is_idle(a) || is_idle(b))
		return is_idle(a) && !is_idle(b);
	if (!a->curr || !b->curr)
		return !b->curr; /* somebody is on the way to an idle one */
	return before(b->curr, a->curr);
}

/* Threads for each CPU of the queue, in 1/1024. */
static uint32_t crowd(const struct group *g)
{
	return (g->q.waiting + g->q.running) * 1024 / g->cpu_count;
}

static struct sim_cpu *best_of(struct sim *sim, const struct group *g, const struct sim_thread *t,
			       struct sim_cpu *best)
{
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++) {
		struct sim_cpu *cpu = &sim->cpus[i];

		if (!(g->cpus >> i & 1) || !sim_may_run(t, cpu))
			continue;
		if (!best || suits(cpu, best))
			best = cpu;
	}
	return best;
}

/* Its cache is warm where it ran last: it takes that CPU from one that is not boosted. */
static int stays(const struct sim_thread *t)
{
	const struct sim_thread *curr = t->cpu->curr;

	if (!curr)
		return is_idle(t->cpu);
	return t->klass > PVS_CLASS_BASELINE && !is_boosted(curr) && !curr->rt_prio;
}

/* The queue it was in, unless it is crowded and another one is not. */
static struct sim_cpu *rank_select(struct sim *sim, struct sim_thread *t)
{
	struct rank *r = rank_of(sim);
	struct sim_cpu *best = sim_dvfs_fit(sim, t), *cpu;
	uint32_t i;

	/* CPUs are not equal, and it is known how big a one it needs. */
	if (best)
		return best_of(sim, rq_of(best)->group, t, best);
	if (t->cpu && sim_may_run(t, t->cpu)) {
		if (stays(t))
			return t->cpu;
		best = best_of(sim, rq_of(t->cpu)->group, t, t->cpu);
		if (is_idle(best))
			return best;
	}
	for (i = 0; i < r->group_count; i++) {
		struct group *g = &r->groups[i];

		if (best && rq_of(best)->group == g)
			continue;
		cpu = best_of(sim, g, t, NULL);
		if (!cpu)
			continue;
		if (!best || (is_idle(cpu) && !is_idle(best)) ||
		    crowd(g) + BALANCE_Q10 <= crowd(rq_of(best)->group))
			best = cpu;
	}
	return best;
}

/* ---- ticks and yields -------------------------------------------------------------------------*/

static int rank_tick(struct sim *sim, struct sim_cpu *cpu)
{
	if (sim->defects & SIM_DEFECT_SAMPLED)
		charge(sim, cpu->curr, sim->tick_ns);
	return 0;
}

/* The target is next where the yielder runs, unless somebody of a higher class waits there. */
static int rank_yield_to(struct sim *sim, struct sim_thread *from, struct sim_thread *to)
{
	(void)sim;
	if (!to->queued || !sim_may_run(to, from->cpu))
		return 0;
	rq_of(from->cpu)->next = to;
	return 1;
}

uint32_t sim_rank_share_q16(const struct sim *sim, const struct sim_thread *t)
{
	const struct rank_entity *re = entity_of(t);
	uint64_t share;

	if (sim->policy->sched != &sim_sched_rank || !re->group)
		return 0;
	share = (uint64_t)pvs_queue_share_q16(&re->group->q, &re->e) * re->group->cpu_count;
	return share < 65536 ? (uint32_t)share : 65536;
}

uint32_t sim_rank_waiting(const struct sim *sim, const struct sim_thread *t)
{
	const struct rank_entity *re = entity_of(t);

	if (sim->policy->sched != &sim_sched_rank || !re->group)
		return 0;
	return re->group->q.waiting;
}

const struct sim_sched sim_sched_rank = {
	.name = "rank",
	.what = "libpvsched's queue: start-time fair queueing with a boost account (pvs/queue.h)",
	.leaves_out = "locks of shared queues, caches shared by some of their CPUs; caps",
	.rq_size = sizeof(struct rank_rq),
	.entity_size = sizeof(struct rank_entity),
	.tick_ns = TICK_NS,
	.init = rank_init,
	.free = rank_free,
	.attach = rank_attach,
	.select = rank_select,
	.enqueue = rank_enqueue,
	.dequeue = rank_dequeue,
	.pick = rank_pick,
	.charge = rank_charge,
	.block = rank_block,
	.slice = rank_slice,
	.preempts = rank_preempts,
	.tick = rank_tick,
	.reclass = rank_reclass,
	.yield_to = rank_yield_to,
};
