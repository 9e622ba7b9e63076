/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: two run queues of a host and the vCPUs on them. The host is one that keeps the contract:
 * it sorts by key, runs the first, charges what it runs and puts it back.
 */
#include "fuzz.h"

#include <string.h>

#include <pvs/pvs.h>

#define OPS_MAX 300u
#define QUEUES 2u
#define ENTITIES 6u
#define CLOCK_MAX_NS ((uint64_t)1 << 60)
#define LIMIT_MIN_NS 1000u /* pvs_queue_limit_ns() */

struct world {
	struct pvs_config cfg;
	struct pvs_queue queue[QUEUES];
	struct pvs_entity entity[ENTITIES];
	unsigned int where[ENTITIES]; /* the queue it is on or was last */
	uint64_t run_ns[ENTITIES];
	uint64_t since_ns[ENTITIES];  /* running and not charged since */
	unsigned int again[QUEUES];   /* sent back in a row */
	uint64_t now_ns;
};

/* ---- rules ---------------------------------------------------------------------------------- */

static void queue_rules(const struct world *w, unsigned int q)
{
	uint32_t waiting = 0;
	uint32_t running = 0;
	uint64_t weight = 0;
	unsigned int i;

	for (i = 0; i < ENTITIES; i++) {
		const struct pvs_entity *e = &w->entity[i];

		if (w->where[i] != q || e->state == PVS_ENTITY_OUT)
			continue;
		waiting += e->state == PVS_ENTITY_QUEUED;
		running += e->state == PVS_ENTITY_RUNNING;
		weight += e->counted;
	}
	FUZZ_RULE("queue: how many wait", w->queue[q].waiting == waiting);
	FUZZ_RULE("queue: how many run", w->queue[q].running == running);
	FUZZ_RULE("queue: weight of all", w->queue[q].weight == weight);
}

static void entity_rules(const struct world *w, unsigned int i)
{
	const struct pvs_entity *e = &w->entity[i];

	FUZZ_RULE("queue: state", e->state <= PVS_ENTITY_RUNNING);
	FUZZ_RULE("queue: bucket", e->bucket <= 16u);
	FUZZ_RULE("queue: class", e->klass <= PVS_CLASS_CRITICAL && e->rank < PVS_RANKS);
	FUZZ_RULE("queue: boosted more than it ran", e->boosted_ns <= w->run_ns[i]);
	FUZZ_RULE("queue: weight", e->weight <= PVS_WEIGHT_MAX);
	if (e->state != PVS_ENTITY_OUT) {
		uint32_t share = pvs_queue_share_q16(&w->queue[w->where[i]], e);

		FUZZ_RULE("queue: share", share >= 1u && share <= 65536u);
	}
}

/* ---- operations ----------------------------------------------------------------------------- */

static void take_ask(const struct world *w, struct pvs_queue_ask *ask, struct fuzz_input *in)
{
	unsigned int word = fuzz_u16(in);

	memset(ask, 0, sizeof(*ask));
	ask->now_ns = w->now_ns;
	ask->klass = (pvs_u8)(PVS_CLASS_BELOW + word % 4u);
	ask->rank = word >> 2 & (PVS_RANKS - 1u);
	ask->weight_q10 = ask->klass == PVS_CLASS_BELOW ? 1u + (word >> 5) % 1023u : 1024u;
}

static void charge(struct world *w, unsigned int i)
{
	struct pvs_entity *e = &w->entity[i];
	uint64_t ran = w->now_ns - w->since_ns[i];

	if (e->state != PVS_ENTITY_RUNNING)
		return;
	if (ran > PVS_QUEUE_RUN_MAX_NS)
		ran = PVS_QUEUE_RUN_MAX_NS;
	pvs_queue_charge(&w->queue[w->where[i]], &w->cfg, e, (pvs_u32)ran, w->now_ns);
	w->run_ns[i] += ran;
	w->since_ns[i] = w->now_ns;
}

static void enqueue(struct world *w, unsigned int i, unsigned int q, struct fuzz_input *in)
{
	struct pvs_entity *e = &w->entity[i];
	struct pvs_queue_ask ask;
	int said;

	if (e->state == PVS_ENTITY_OUT && w->where[i] != q) {
		FUZZ_RULE("queue: may migrate when out",
			  pvs_queue_migrate(&w->queue[w->where[i]], &w->queue[q], &w->cfg, e) ==
			  PVS_OK);
		w->where[i] = q;
	}
	charge(w, i);
	take_ask(w, &ask, in);
	said = pvs_queue_enqueue(&w->queue[w->where[i]], &w->cfg, e, &ask);
	FUZZ_RULE("queue: enqueue says go or park", said == PVS_QUEUE_GO || said == PVS_QUEUE_PARK);
	FUZZ_RULE("queue: queued when told to go",
		  (said == PVS_QUEUE_GO) == (e->state == PVS_ENTITY_QUEUED));
	FUZZ_RULE("queue: parked without a cap", said == PVS_QUEUE_GO ||
		  (e->cap_q16 && e->park_ns > w->now_ns && e->state == PVS_ENTITY_OUT));
}

static unsigned int first_of(const struct world *w, unsigned int q)
{
	unsigned int first = ENTITIES;
	unsigned int i;

	for (i = 0; i < ENTITIES; i++) {
		if (w->where[i] != q || w->entity[i].state != PVS_ENTITY_QUEUED)
			continue;
		if (first == ENTITIES ||
		    pvs_key_before(w->entity[i].key, w->entity[first].key))
			first = i;
	}
	return first;
}

static void pick(struct world *w, unsigned int q, struct fuzz_input *in)
{
	unsigned int i = first_of(w, q);
	struct pvs_queue_ask ask;
	int said;

	if (i == ENTITIES)
		return;
	take_ask(w, &ask, in);
	said = pvs_queue_pick(&w->queue[q], &w->cfg, &w->entity[i], &ask);
	w->again[q] = said == PVS_QUEUE_AGAIN ? w->again[q] + 1u : 0;
	FUZZ_RULE("queue: sent back without end", w->again[q] <= PVS_QUEUE_RETRIES);
	switch (said) {
	case PVS_QUEUE_GO:
		FUZZ_RULE("queue: picked and not running",
			  w->entity[i].state == PVS_ENTITY_RUNNING);
		w->since_ns[i] = w->now_ns;
		break;
	case PVS_QUEUE_AGAIN:
		FUZZ_RULE("queue: sent back and not queued",
			  w->entity[i].state == PVS_ENTITY_QUEUED);
		break;
	default:
		FUZZ_RULE("queue: pick says something unknown", said == PVS_QUEUE_PARK);
		FUZZ_RULE("queue: parked and still there",
			  w->entity[i].state == PVS_ENTITY_OUT &&
			  w->entity[i].park_ns > w->now_ns);
		break;
	}
}

/* A running one asks whether it may go on. */
static void go_on(struct world *w, unsigned int i, struct fuzz_input *in)
{
	struct pvs_entity *e = &w->entity[i];
	struct pvs_queue_ask ask;
	int was_out;
	int said;

	if (e->state == PVS_ENTITY_QUEUED)
		return;
	was_out = e->state == PVS_ENTITY_OUT;
	charge(w, i);
	take_ask(w, &ask, in);
	said = pvs_queue_pick(&w->queue[w->where[i]], &w->cfg, e, &ask);
	FUZZ_RULE("queue: one that is out was picked", was_out == (said == PVS_E_STATE));
	if (said != PVS_QUEUE_GO) {
		FUZZ_RULE("queue: goes on and is neither", e->state == PVS_ENTITY_OUT);
		return;
	}
	w->again[w->where[i]] = 0; /* one runs: the count begins anew */
	FUZZ_RULE("queue: runs too short", pvs_queue_limit_ns(&w->queue[w->where[i]], &w->cfg, e,
							      w->now_ns) >= LIMIT_MIN_NS);
}

static void leave(struct world *w, unsigned int i)
{
	charge(w, i);
	pvs_queue_dequeue(&w->queue[w->where[i]], &w->entity[i]);
	FUZZ_RULE("queue: dequeued and still in", w->entity[i].state == PVS_ENTITY_OUT);
	pvs_queue_dequeue(&w->queue[w->where[i]], &w->entity[i]);
}

static void compare(const struct world *w)
{
	unsigned int i;
	unsigned int k;

	for (i = 0; i < ENTITIES; i++) {
		for (k = 0; k < ENTITIES; k++)
			FUZZ_RULE("queue: preempts whom it does not precede",
				  !pvs_queue_preempts(&w->entity[i], &w->entity[k]) ||
				  pvs_key_before(w->entity[i].key, w->entity[k].key));
	}
}

static void operate(struct world *w, struct fuzz_input *in)
{
	unsigned int op = fuzz_u8(in);
	unsigned int i = (op >> 4 & 7u) % ENTITIES;
	unsigned int q = op >> 7;

	if (w->now_ns < CLOCK_MAX_NS)
		w->now_ns += fuzz_duration_ns(in);
	switch (op & 15u) {
	case 0:
		charge(w, i);
		if (w->entity[i].state != PVS_ENTITY_QUEUED)
			pvs_entity_set_weight(&w->queue[w->where[i]], &w->cfg, &w->entity[i],
					      fuzz_u32(in));
		break;
	case 1:
		charge(w, i);
		pvs_entity_set_cap(&w->entity[i], fuzz_u16(in));
		break;
	case 2:
		leave(w, i);
		break;
	case 3:
		go_on(w, i, in);
		break;
	case 4:
		charge(w, i);
		if (FUZZ_CANARY(w->entity[i].empty && w->entity[i].parked))
			w->queue[w->where[i]].weight++;
		break;
	case 5:
		compare(w);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		enqueue(w, i, q, in);
		break;
	default:
		pick(w, q, in);
		break;
	}
	entity_rules(w, i);
	queue_rules(w, 0);
	queue_rules(w, 1);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input_of(data, size);
	struct world w;
	unsigned int i;

	memset(&w, 0, sizeof(w));
	(void)pvs_config_profile(PVS_PROFILE_DEFAULT, &w.cfg);
	w.cfg.boost_share_q10 = 1u + fuzz_u16(&in) % 1024u;
	w.now_ns = 1000000000u;
	for (i = 0; i < QUEUES; i++)
		pvs_queue_init(&w.queue[i]);
	for (i = 0; i < ENTITIES; i++) {
		pvs_entity_init(&w.entity[i], &w.cfg, fuzz_u16(&in));
		pvs_entity_set_cap(&w.entity[i], fuzz_u8(&in) & 1u ? fuzz_u16(&in) : 0);
	}
	for (i = 0; i < OPS_MAX && in.left; i++)
		operate(&w, &in);
}
