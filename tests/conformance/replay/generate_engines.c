/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drawn lines for the engines beside pvs_decide() and for the guest (abi/spec/vectors.md, V-9.5 and
 * what follows it).
 */
#include "generate.h"

static void begin(struct replay_text *t, const char *op, pvs_u32 a)
{
	replay_put(t, op);
	replay_put_number(t, a);
}

static void draw_dt(struct replay_generator *g, struct replay_text *t)
{
	static const pvs_u32 dts[8] = { 0, 0, 0, 1000, 10000, 100000, 700000, 20000000 };
	pvs_u32 dt = dts[replay_draw(g, 8)];

	replay_put_field(t, "dt", dt + replay_draw(g, 1000));
}

/* Of any size: so many bits, then that many. */
static pvs_u64 draw_any(struct replay_generator *g, pvs_u32 bits)
{
	pvs_u32 down = replay_draw(g, bits);

	return (replay_random(g) >> (64u - bits)) >> down;
}

/* ---- yield ----------------------------------------------------------------------------------- */

/* Half of the time one of the first eight: they meet again. */
static pvs_u32 draw_slot(struct replay_generator *g)
{
	if (replay_draw(g, 2) == 0)
		return replay_draw(g, g->vcpus);
	return replay_draw(g, g->vcpus < 8u ? g->vcpus : 8u);
}

static void draw_signed(struct replay_generator *g, struct replay_text *t, const char *name)
{
	static const pvs_u32 sizes[6] = { 0, 1000, 100000, 1000000, 6000000, 50000000 };
	pvs_u32 negative = replay_draw(g, 2);
	pvs_u32 size = sizes[replay_draw(g, 6)];

	replay_put(t, " ");
	replay_put(t, name);
	replay_put(t, negative ? "=-" : "=");
	replay_put_u64(t, size + replay_draw(g, 1000));
}

static void draw_choose(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 kind = replay_draw(g, 5);

	replay_put_field(t, "kind", kind);
	if (kind == PVS_WAIT_NONE || kind == PVS_WAIT_ANY)
		return;
	replay_put_field(t, "target", draw_slot(g));
	if (kind == PVS_WAIT_IPI_MANY) {
		replay_put_hex_field(t, "mask", replay_random(g) >> 32);
		return;
	}
	replay_put_field(t, "epoch", replay_draw(g, 4));
	replay_put_field(t, "run_epoch", replay_draw(g, 4));
}

static void draw_transfer(struct replay_generator *g, struct replay_text *t)
{
	static const pvs_u32 lags[4] = { 0, 1000000, 3000000, 10000000 };
	static const pvs_u32 granularities[4] = { 0, 700000, 2800000, 600000000 };

	replay_put_number(t, draw_slot(g));
	draw_signed(g, t, "gap");
	draw_signed(g, t, "lag");
	replay_put_field(t, "lag_max", lags[replay_draw(g, 4)]);
	replay_put_field(t, "granularity", granularities[replay_draw(g, 4)]);
	replay_put_field(t, "queued", replay_draw(g, 4));
}

static void draw_yield(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 a = draw_slot(g);
	pvs_u32 x = replay_draw(g, 32);

	if (x < 10) {
		begin(t, "yield_waits", a);
		replay_put_hex_field(t, "flags", replay_draw(g, 32));
	} else if (x < 14) {
		begin(t, "yield_runs", a);
	} else if (x == 14) {
		begin(t, "yield_blocks", a);
	} else if (x == 15) {
		begin(t, replay_draw(g, 8) == 0 ? "yield_removed" : "yield_runs", a);
	} else if (x < 18) {
		begin(t, "yield_interrupt", a);
	} else if (x < 21) {
		begin(t, "yield_ipi", a);
		replay_put_number(t, draw_slot(g));
		replay_put_field(t, "vector", replay_draw(g, 4));
	} else if (x == 21) {
		begin(t, "yield_eoi", a);
		replay_put_field(t, "vector", replay_draw(g, 4));
	} else if (x < 29) {
		begin(t, "yield_choose", a);
		draw_choose(g, t);
	} else if (x < 31) {
		begin(t, "yield_transfer", a);
		draw_transfer(g, t);
	} else {
		replay_put(t, "yield_counts");
		return;
	}
	draw_dt(g, t);
}

/* ---- performance ----------------------------------------------------------------------------- */

/* place[m]: 1 + the domain that member m is in, 0: none */
static void draw_put(struct replay_generator *g, struct replay_text *t, pvs_u32 m)
{
	pvs_u32 d = g->place[m] ? g->place[m] - 1u : replay_draw(g, REPLAY_DOMAINS);

	begin(t, "perf_put", d);
	replay_put_number(t, m);
	replay_put_field(t, "util", replay_draw(g, 1100));
	if (replay_draw(g, 4) == 0)
		replay_put_field(t, "floor", replay_draw(g, 1100));
	if (replay_draw(g, 4) == 0)
		replay_put_field(t, "ceiling", replay_draw(g, 1100));
	replay_put_field(t, "flags", replay_draw(g, 2));
	g->place[m] = d + 1u;
}

static void draw_figure(struct replay_generator *g, struct replay_text *t, pvs_u32 d)
{
	switch (replay_draw(g, 5)) {
	case 0:
		begin(t, "perf_wish", d);
		break;
	case 1:
		begin(t, "perf_level", d);
		replay_put_field(t, "capacity", replay_draw(g, 1100));
		break;
	case 2:
		begin(t, "perf_capacity", d);
		replay_put_field(t, "value", replay_draw(g, 4000000));
		break;
	case 3:
		replay_put(t, "perf_contention");
		replay_put_field(t, "run", draw_any(g, 64));
		replay_put_field(t, "wait", draw_any(g, 64));
		break;
	default:
		replay_put(t, "perf_word");
		replay_put_field(t, "capacity", replay_draw(g, 1100));
		replay_put_field(t, "current", replay_draw(g, 1100));
		replay_put_field(t, "contention", replay_draw(g, 1100));
		replay_put_field(t, "generation", replay_draw(g, 70000));
	}
}

static void draw_fit(struct replay_generator *g, struct replay_text *t)
{
	static const pvs_u32 capacities[4] = { 0, 446, 871, 1024 };
	pvs_u32 i, count;

	begin(t, "perf_fit", replay_draw(g, 1100));
	count = 1u + replay_draw(g, 8);
	for (i = 0; i < count; i++) {
		replay_put(t, i ? "," : " cpus=");
		replay_put_u64(t, capacities[replay_draw(g, 4)]);
		replay_put(t, ":");
		replay_put_u64(t, replay_draw(g, 1100));
	}
}

static void draw_perf(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 m = replay_draw(g, REPLAY_VCPUS);
	pvs_u32 x = replay_draw(g, 16);
	pvs_u32 to;

	if (x < 7 || (x < 10 && !g->place[m])) {
		draw_put(g, t, m);
	} else if (x == 7) {
		begin(t, "perf_remove", g->place[m] - 1u);
		replay_put_number(t, m);
		g->place[m] = 0;
	} else if (x < 10) {
		to = replay_draw(g, REPLAY_DOMAINS);
		begin(t, "perf_move", g->place[m] - 1u);
		replay_put_number(t, m);
		replay_put_field(t, "to", to);
		g->place[m] = to + 1u;
	} else if (x < 14) {
		begin(t, "perf_update", replay_draw(g, REPLAY_DOMAINS));
		draw_dt(g, t);
	} else if (x == 14) {
		draw_figure(g, t, replay_draw(g, REPLAY_DOMAINS));
	} else {
		draw_fit(g, t);
	}
}

/* ---- queue ----------------------------------------------------------------------------------- */

/* place[e]: bit 0 the queue it belongs to, bit 1: it is in there */
#define PLACE_IN 2u

static void draw_ask(struct replay_generator *g, struct replay_text *t)
{
	static const pvs_u8 classes[8] = { 2, 2, 2, 1, 3, 3, 4, 3 };
	static const pvs_u32 factors[4] = { 0, 1024, 512, 15 };

	replay_put_field(t, "class", classes[replay_draw(g, 8)]);
	replay_put_field(t, "rank", replay_draw(g, 8));
	replay_put_field(t, "weight", factors[replay_draw(g, 4)]);
}

static void begin_queue(struct replay_text *t, const char *op, pvs_u32 e, pvs_u32 b)
{
	begin(t, op, e);
	replay_put_number(t, b);
}

static void draw_out(struct replay_generator *g, struct replay_text *t, pvs_u32 e, pvs_u32 q)
{
	pvs_u32 x = replay_draw(g, 16);
	pvs_u32 to;

	if (x < 10) {
		begin_queue(t, "enqueue", e, q);
		draw_ask(g, t);
	} else if (x < 12) {
		to = replay_draw(g, REPLAY_QUEUES);
		begin_queue(t, "queue_migrate", e, q);
		replay_put_field(t, "to", to);
		g->place[e] = to;
	} else if (x == 12) {
		begin_queue(t, "entity_weight", e, q);
		replay_put_field(t, "weight", draw_any(g, 17));
	} else if (x == 13) {
		begin_queue(t, "entity_cap", e, q);
		replay_put_field(t, "cap", draw_any(g, 17));
	} else {
		begin_queue(t, x == 14 ? "pick" : "queue_share", e, q);
	}
}

static void draw_in(struct replay_generator *g, struct replay_text *t, pvs_u32 e, pvs_u32 q)
{
	static const pvs_u32 runs[8] = { 0,       1000,    50000,    300000,
					 1000000, 3000000, 10000000, 100000000 };
	pvs_u32 x = replay_draw(g, 16);
	pvs_u32 ran;

	if (x < 5) {
		begin_queue(t, "pick", e, q);
		draw_ask(g, t);
	} else if (x < 10) {
		ran = runs[replay_draw(g, 8)];
		ran += replay_draw(g, 1000);
		begin_queue(t, "charge", e, q);
		replay_put_field(t, "ran", ran);
		replay_put_field(t, "dt", ran);
	} else if (x < 12) {
		begin_queue(t, "enqueue", e, q);
		draw_ask(g, t);
	} else if (x == 12) {
		begin_queue(t, "dequeue", e, q);
	} else if (x == 13) {
		begin_queue(t, "queue_limit", e, q);
	} else if (x == 14) {
		begin_queue(t, "queue_preempts", e, replay_draw(g, g->vcpus));
	} else {
		begin_queue(t, "queue_before", e, replay_draw(g, g->vcpus));
	}
}

static void draw_queue(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 e = replay_draw(g, g->vcpus);
	pvs_u32 q = g->place[e] & 1u;

	if (g->place[e] & PLACE_IN)
		draw_in(g, t, e, q);
	else
		draw_out(g, t, e, q);
}

void replay_gen_queued(struct replay_generator *g, const struct replay_op *op,
		       const struct replay_result *res)
{
	pvs_u32 q = op->b & 1u;

	if (op->kind == RK_Q_ENQUEUE)
		g->place[op->a] = res->value[RQ_RC] == PVS_QUEUE_GO ? q | PLACE_IN : q;
	else if (op->kind == RK_Q_DEQUEUE ||
		 (op->kind == RK_Q_PICK && res->value[RQ_RC] == PVS_QUEUE_PARK))
		g->place[op->a] = q;
}

/* ---- guest ----------------------------------------------------------------------------------- */

static void draw_publish(struct replay_generator *g, struct replay_text *t)
{
	replay_put_field(t, "urgency", replay_draw(g, 8));
	replay_put_field(t, "level", replay_draw(g, 20));
	replay_put_field(t, "util", replay_draw(g, 1100));
	replay_put_field(t, "util_valid", replay_draw(g, 3));
	replay_put_field(t, "wake", replay_draw(g, 8));
	replay_put_field(t, "wake_level", replay_draw(g, 20));
	replay_put_field(t, "wake_valid", replay_draw(g, 2));
	replay_put_field(t, "idle", replay_draw(g, 8) == 0);
	replay_put_field(t, "window", replay_draw(g, 4) == 0 ? replay_draw(g, 65536) : 0u);
}

static void draw_seldom(struct replay_generator *g, struct replay_text *t, pvs_u32 v)
{
	static const char *const ops[12] = {
		"guest_irq_ack",  "guest_irq_ack", "guest_retract", "guest_pend_clear",
		"guest_pend_clear", "guest_applied", "guest_epoch", "guest_counters",
		"guest_offline",  "guest_online",  "guest_online",  "guest_online",
	};
	pvs_u32 x = replay_draw(g, 16);

	if (x < 12) {
		begin(t, ops[x], v);
	} else if (x == 12) {
		replay_put(t, "guest_ready");
	} else {
		begin(t, "guest_bounds", v);
		replay_put_field(t, "floor", replay_draw(g, 1100));
		replay_put_field(t, "ceil", replay_draw(g, 1100));
	}
}

static void draw_guest(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 v = replay_draw(g, g->vcpus);
	pvs_u32 x = replay_draw(g, 16);

	if (x < 4) {
		begin(t, "guest_publish", v);
		draw_publish(g, t);
	} else if (x == 4) {
		begin(t, "guest_crit", v);
		replay_put_field(t, "set", replay_draw(g, 16));
		replay_put_field(t, "clear", replay_draw(g, 16));
	} else if (x == 5) {
		begin(t, "guest_irq_enter", v);
		replay_put_field(t, "bit", replay_draw(g, 8));
	} else if (x == 6) {
		begin(t, "guest_irq_leave", v);
	} else if (x == 7) {
		begin(t, "guest_wait", v);
		replay_put_field(t, "kind", replay_draw(g, 6));
		replay_put_field(t, "target", replay_draw(g, g->vcpus + 2u));
		replay_put_hex_field(t, "mask", draw_any(g, 32));
	} else if (x == 8) {
		begin(t, "guest_pend", replay_draw(g, g->vcpus));
		replay_put_field(t, "urgency", replay_draw(g, 8));
		replay_put_field(t, "level", replay_draw(g, 20));
	} else if (x < 11) {
		draw_seldom(g, t, v);
	} else {
		begin(t, "step", v);
		replay_put_event(t, replay_draw_event(g));
		replay_draw_time(g, t);
	}
}

void replay_gen_engine(struct replay_generator *g, struct replay_text *t)
{
	switch (g->profile) {
	case GEN_YIELD:
		draw_yield(g, t);
		break;
	case GEN_PERF:
		draw_perf(g, t);
		break;
	case GEN_QUEUE:
		draw_queue(g, t);
		break;
	default:
		draw_guest(g, t);
	}
}
