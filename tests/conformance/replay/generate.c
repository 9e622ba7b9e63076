/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws op lines from a seed. abi/spec/vectors.md ("generate") says which number decides what, in
 * the order in which it is drawn; an independent implementation draws the same lines.
 */
#include "generate.h"

enum { MODE_MIXED, MODE_STORM, MODE_LIAR, MODE_SLEEPY, MODE_COUNT };

static void draw_life(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 64);

	if (x == 0)
		replay_put_field(t, "online", 0);
	else if (x <= 8)
		replay_put_field(t, "online", 1);
	else if (x == 9 && replay_draw(g, 4) == 0)
		replay_put_hex_field(t, "life", replay_random(g) >> 32);
}

static void draw_statement(struct replay_generator *g, struct replay_text *t)
{
	static const pvs_u8 urgency[8] = { 0, 1, 2, 3, 4, 4, 5, 5 };
	static const pvs_u32 window[8] = { 0, 0, 0, 0, 0, 200, 2000, 65535 };
	pvs_u32 x;

	replay_put_field(t, "urgency", urgency[replay_draw(g, 8)]);
	replay_put_field(t, "level", replay_draw(g, 16));
	if (replay_draw(g, 8) == 0)
		replay_put_field(t, "idle", 1);
	if (replay_draw(g, 2) == 0) {
		replay_put_field(t, "util", replay_draw(g, 1025));
		replay_put_field(t, "util_valid", 1);
	}
	if (replay_draw(g, 2) == 0) {
		replay_put_field(t, "wake", replay_draw(g, 6));
		replay_put_field(t, "wake_level", replay_draw(g, 16));
		replay_put_field(t, "wake_valid", 1);
	}
	x = replay_draw(g, 8);
	if (window[x])
		replay_put_field(t, "window", window[x]);
	if (replay_draw(g, 8) != 0)
		g->seq[g->v] = (g->seq[g->v] + 1u) & 255u;
	replay_put_field(t, "seq", g->seq[g->v]);
	if (g->profile == GEN_SPLIT) {
		replay_put_field(t, "tag", g->seq[g->v] & 15u);
		if (replay_draw(g, 16) == 0)
			replay_put_hex_field(t, "intent", 1u << PVS_INTENT_TAG_LO_SHIFT);
	}
}

/* A vCPU that says it is urgent, for ever, or (sleepy) until it sleeps. */
static void draw_single_minded(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 sleepy = g->mode == MODE_SLEEPY && replay_draw(g, 2) == 0;

	replay_put_field(t, "urgency", sleepy ? 0 : 5);
	replay_put_field(t, "idle", sleepy);
	replay_put_field(t, "wake", 5);
	replay_put_field(t, "wake_valid", 1);
	g->seq[g->v] = (g->seq[g->v] + 1u) & 255u;
	replay_put_field(t, "seq", g->seq[g->v]);
	if (g->profile == GEN_SPLIT)
		replay_put_field(t, "tag", g->seq[g->v] & 15u);
}

static void draw_intent(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 64);

	if (g->mode >= MODE_LIAR) {
		if (x < 24)
			draw_single_minded(g, t);
	} else if (x == 0 && replay_draw(g, 4) == 0) {
		replay_put_hex_field(t, "intent", replay_random(g));
	} else if (x < 24) {
		draw_statement(g, t);
	}
}

static void draw_crit(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 32);

	if (x == 0 && replay_draw(g, 4) == 0)
		replay_put_hex_field(t, "crit", replay_draw(g, 256));
	else if (x < 6)
		replay_put_hex_field(t, "crit", replay_draw(g, 16));
	else if (x < 14)
		replay_put_field(t, "crit", 0);
}

/* Mostly what the host has said, at times anything. */
static pvs_u32 draw_known(struct replay_generator *g, pvs_u32 said)
{
	return replay_draw(g, 4) == 0 ? replay_draw(g, 65536) : said;
}

static void draw_irq(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 32);

	if (x == 0 && replay_draw(g, 4) == 0) {
		replay_put_hex_field(t, "irq", replay_draw(g, 256));
	} else if (x < 6) {
		replay_put_hex_field(t, "irq", replay_draw(g, 8));
		replay_put_field(t, "ack", draw_known(g, g->ticket[g->v]));
	} else if (x < 16) {
		replay_put_field(t, "irq", 0);
		replay_put_field(t, "ack", g->ticket[g->v]);
	}
}

static void draw_wait(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 32);
	pvs_u32 kind, target;

	if (x == 0 && replay_draw(g, 4) == 0) {
		replay_put_hex_field(t, "wait", replay_random(g));
		return;
	}
	if (x >= 10)
		return;
	kind = x < 6 ? replay_draw(g, 5) : PVS_WAIT_NONE;
	replay_put_field(t, "kind", kind);
	if (kind == PVS_WAIT_LOCK || kind == PVS_WAIT_IPI) {
		target = replay_draw(g, g->vcpus);
		replay_put_field(t, "target", target);
		replay_put_field(t, "epoch", draw_known(g, g->run[target]));
	} else if (kind == PVS_WAIT_IPI_MANY) {
		replay_put_field(t, "target", replay_draw(g, g->vcpus));
		replay_put_hex_field(t, "mask", replay_draw(g, 65536));
	}
	if (g->profile == GEN_SPLIT)
		replay_put_field(t, "wait_tag", replay_draw(g, 16));
}

static void draw_bounds(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 64);
	pvs_u32 floor;

	if (x == 0 && replay_draw(g, 4) == 0) {
		replay_put_hex_field(t, "bounds", replay_draw(g, 1u << 23));
	} else if (x < 4) {
		floor = replay_draw(g, 1025);
		replay_put_field(t, "floor", floor);
		replay_put_field(t, "ceil", floor + replay_draw(g, 1025u - floor));
	} else if (x < 8) {
		replay_put_field(t, "bounds", 0);
	}
}

static void draw_pending(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 32);

	if (x == 0 && replay_draw(g, 4) == 0) {
		replay_put_hex_field(t, "pending", replay_draw(g, 256));
	} else if (x < 4) {
		replay_put_field(t, "pend", replay_draw(g, 6));
		replay_put_field(t, "pend_level", replay_draw(g, 16));
	} else if (x < 14) {
		replay_put_field(t, "pending", 0);
	}
}

/* ---- time ------------------------------------------------------------------------------------ */

void replay_draw_time(struct replay_generator *g, struct replay_text *t)
{
	static const pvs_u32 dts[16] = {
		0,      1,      1000,   10000,   20000,   50000,   100000,  100000,
		250000, 250000, 500000, 1000000, 1000000, 2000000, 5000000, 300000000,
	};
	pvs_u32 x = replay_draw(g, g->mode == MODE_STORM ? 6u : 16u);
	pvs_u32 dt = dts[x] + replay_draw(g, 1000);
	pvs_u32 ran;

	if (replay_draw(g, 128) == 0)
		replay_put(t, " dt=-1ms");
	else
		replay_put_field(t, "dt", dt);
	x = replay_draw(g, 8);
	if (g->mode == MODE_LIAR || x > 3)
		ran = dt;
	else if (x == 3)
		ran = dt << 1;
	else
		ran = x ? dt >> 1 : 0u;
	replay_put_field(t, "ran", ran);
	if (replay_draw(g, 4) == 0)
		replay_put_field(t, "waited", dt > ran ? dt - ran : 0u);
	if (replay_draw(g, 64) == 0)
		replay_put_field(t, "nested", 1);
}

static void draw_facts(struct replay_generator *g, struct replay_text *t)
{
	static const pvs_u32 shares[4] = { 0, 65536, 32768, 6554 };
	static const pvs_u32 granularities[4] = { 0, 1000, 50000, 1000000 };

	if (replay_draw(g, 16) == 0)
		replay_put_field(t, "contended", 1);
	if (replay_draw(g, 64) == 0)
		replay_put_field(t, "dedicated", 1);
	if (replay_draw(g, 8) == 0) {
		replay_put_field(t, "capacity", replay_draw(g, 1100));
		replay_put_field(t, "current", replay_draw(g, 1100));
		replay_put_field(t, "contention", replay_draw(g, 1100));
	}
	if (replay_draw(g, 256) == 0)
		replay_put_hex_field(t, "caps", replay_draw(g, 2048));
	if (replay_draw(g, 256) == 0)
		replay_put_field(t, "entitlement", shares[replay_draw(g, 4)]);
	if (replay_draw(g, 256) == 0)
		replay_put_field(t, "granularity", granularities[replay_draw(g, 4)]);
}

/* ---- lines ----------------------------------------------------------------------------------- */

void replay_put_event(struct replay_text *t, pvs_u32 event)
{
	const struct replay_name *name = replay_kind_of(RK_STEP)->b_names;

	while (name->name && name->value != event)
		name++;
	replay_put(t, " ");
	if (name->name)
		replay_put(t, name->name);
	else
		replay_put_u64(t, event);
}

pvs_u32 replay_draw_event(struct replay_generator *g)
{
	/* of 128, by the number of the event */
	static const pvs_u8 weights[21] = { 10, 12, 3, 4, 12, 3, 8, 10, 4, 3, 4,
					    4,  3,  8, 6, 3, 8,  20, 1, 1, 1 };
	pvs_u32 x, event = 0;

	if (g->mode == MODE_STORM && replay_draw(g, 4) != 0)
		return PVS_EV_INJECT;
	if (g->mode == MODE_LIAR && replay_draw(g, 2) == 0)
		return PVS_EV_TICK;
	x = replay_draw(g, 128);
	while (x >= weights[event]) {
		x -= weights[event];
		event++;
	}
	return event;
}

static void begin(struct replay_text *t, const char *op, pvs_u32 v)
{
	replay_put(t, op);
	replay_put(t, " ");
	replay_put_u64(t, v);
}

/* Before the step: an agreement, or something posted. */
static void draw_before(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 64);

	if (g->agree) {
		replay_put(t, "choice");
		g->agree = 0;
	} else if (x < 8) {
		begin(t, "post", replay_draw(g, g->vcpus));
		replay_put_event(t, replay_draw(g, 22));
	} else if (x == 8 && replay_draw(g, 8) == 0) {
		replay_put(t, "choice command=reset");
		g->agree = 1;
	}
	if (replay_draw(g, 128) == 0)
		g->mode = replay_draw(g, MODE_COUNT);
}

static void draw_step(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 event;

	g->v = g->mode == MODE_STORM ? 0u : replay_draw(g, g->vcpus);
	event = replay_draw_event(g);
	begin(t, "step", g->v);
	replay_put_event(t, event);
	if (replay_draw(g, 4) == 0)
		replay_put_field(t, "arg", replay_draw(g, 256));
	replay_draw_time(g, t);
	draw_facts(g, t);
	draw_life(g, t);
	draw_intent(g, t);
	draw_crit(g, t);
	draw_irq(g, t);
	draw_wait(g, t);
	draw_bounds(g, t);
	draw_pending(g, t);
}

/* After the step: a look at what is remembered, or a move to another host. */
static void draw_after(struct replay_generator *g, struct replay_text *t)
{
	pvs_u32 x = replay_draw(g, 64);

	if (x < 3) {
		begin(t, "save", g->v);
		replay_put_number(t, replay_draw(g, REPLAY_SAVES));
		return;
	}
	if (x == 3 && replay_draw(g, 4) == 0) {
		begin(t, "restore", g->v);
		replay_put_number(t, replay_draw(g, REPLAY_SAVES));
	} else if (x < 8) {
		begin(t, "preempts", g->v);
		replay_put_number(t, replay_draw(g, g->vcpus));
	} else if (x == 8) {
		begin(t, replay_draw(g, 2) ? "tally" : "counters", g->v);
	} else if (x == 9) {
		begin(t, "validate", g->v);
	}
}

int replay_gen_line(struct replay_generator *g, pvs_u32 part, struct replay_text *line)
{
	if (g->profile > GEN_SPLIT) {
		if (!part)
			replay_gen_engine(g, line);
		return !part;
	}
	if (part == 0)
		draw_before(g, line);
	else if (part == 1)
		draw_step(g, line);
	else if (part == 2)
		draw_after(g, line);
	return part < 3;
}

void replay_gen_result(struct replay_generator *g, const struct replay_op *op,
		       const struct replay_result *res)
{
	if (op->kind >= RK_QUEUE_FIRST && op->kind <= RK_Q_DEQUEUE)
		replay_gen_queued(g, op, res);
	if (op->kind != RK_STEP)
		return;
	g->ticket[op->a] = (pvs_u32)res->value[RS_TICKET] & 0xffffu;
	g->run[op->a] = (pvs_u32)res->value[RS_RUN] & 0xffffu;
}

void replay_gen_open(struct replay_generator *g, const struct replay_op *op)
{
	pvs_u32 i;

	g->random = op->value[GEN_SEED];
	g->vcpus = (op->given >> GEN_VCPUS) & 1u ? (pvs_u32)op->value[GEN_VCPUS] : 1u;
	g->profile = (op->given >> GEN_PROFILE) & 1u ? (pvs_u32)op->value[GEN_PROFILE] : 0u;
	g->mode = MODE_MIXED;
	g->agree = 0;
	g->v = 0;
	for (i = 0; i < REPLAY_VCPUS; i++) {
		g->seq[i] = 0;
		g->ticket[i] = 0;
		g->run[i] = 0;
		g->place[i] = 0;
	}
}
