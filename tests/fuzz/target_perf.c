/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf: two performance domains and the vCPUs that come, change, move and go. What a domain holds
 * is always the sum of what its members put in, and what it asks for follows from that.
 */
#include "fuzz.h"

#include <string.h>

#include <pvs/pvs.h>

#define OPS_MAX 300u
#define DOMAINS 2u
#define MEMBERS 8u
#define OUT DOMAINS /* in no domain */
#define CLOCK_MAX_NS ((uint64_t)1 << 62)

struct world {
	struct pvs_perf_config cfg;
	struct pvs_perf_domain domain[DOMAINS];
	struct pvs_perf_table table[DOMAINS];
	struct pvs_perf_member member[MEMBERS];
	struct pvs_perf_ask ask[MEMBERS];
	unsigned int where[MEMBERS];
	struct pvs_perf_result last[DOMAINS];
	uint64_t changed_ns[DOMAINS];
	int changed[DOMAINS];
	uint64_t now_ns;
};

/* ---- what is asked for ---------------------------------------------------------------------- */

static uint32_t clamped(uint32_t value)
{
	return value < PVS_UTIL_MAX ? value : PVS_UTIL_MAX;
}

/* Policy-perf 3.2: the margin is taken out, a ceiling is never below its floor, steps of 16. */
static uint32_t util_of(const struct pvs_perf_ask *ask)
{
	uint32_t util = clamped(ask->util);

	return ask->flags & PVS_PERF_ASK_MARGIN ? (util * 4u + 4u) / 5u : util;
}

static uint32_t stepped(uint32_t value)
{
	return (clamped(value) + 15u) / 16u * 16u;
}

static uint32_t ceiling_of(const struct pvs_perf_ask *ask)
{
	uint32_t ceiling = ask->ceiling ? ask->ceiling : PVS_UTIL_MAX;

	return ceiling < ask->floor ? ask->floor : ceiling;
}

static uint32_t wish_of(const struct world *w, unsigned int d)
{
	uint64_t sum = 0;
	uint32_t floor = 0;
	uint32_t ceiling = 0;
	uint32_t wish;
	unsigned int i;

	for (i = 0; i < MEMBERS; i++) {
		if (w->where[i] != d)
			continue;
		sum += util_of(&w->ask[i]);
		if (stepped(w->ask[i].floor) > floor)
			floor = stepped(w->ask[i].floor);
		if (stepped(ceiling_of(&w->ask[i])) > ceiling)
			ceiling = stepped(ceiling_of(&w->ask[i]));
	}
	sum = (sum * w->cfg.headroom_q10) >> 10;
	wish = sum < PVS_UTIL_MAX ? (uint32_t)sum : PVS_UTIL_MAX;
	if (ceiling && wish > ceiling)
		wish = ceiling;
	if (wish < floor)
		wish = floor;
	return wish < w->cfg.max_q10 ? wish : w->cfg.max_q10;
}

static void domain_rules(const struct world *w, unsigned int d)
{
	uint32_t members = 0;
	uint32_t sum = 0;
	unsigned int i;

	for (i = 0; i < MEMBERS; i++) {
		FUZZ_RULE("perf: a member knows whether it is in",
			  w->member[i].in == (w->where[i] != OUT));
		if (w->where[i] == d) {
			sum += w->member[i].util;
			members++;
		}
	}
	FUZZ_RULE("perf: the sum is that of its members", w->domain[d].sum == sum);
	FUZZ_RULE("perf: the number of members", w->domain[d].members == members);
	FUZZ_RULE("perf: the wish follows from the members",
		  pvs_perf_wish(&w->domain[d], &w->cfg) == wish_of(w, d));
}

/* ---- operations ----------------------------------------------------------------------------- */

static void put(struct world *w, unsigned int i, unsigned int d, struct fuzz_input *in)
{
	int status;

	/* in one domain at a time */
	if (w->where[i] != OUT && w->where[i] != d)
		pvs_perf_remove(&w->domain[w->where[i]], &w->member[i]);
	w->ask[i].util = fuzz_u16(in);
	w->ask[i].floor = fuzz_u16(in) & 0x7ffu;
	w->ask[i].ceiling = fuzz_u16(in) & 0x7ffu;
	w->ask[i].flags = fuzz_u8(in) & PVS_PERF_ASK_MARGIN;
	status = pvs_perf_put(&w->domain[d], &w->member[i], &w->ask[i]);
	FUZZ_RULE("perf: there is room", status == PVS_OK);
	w->where[i] = d;
}

static void leave(struct world *w, unsigned int i, unsigned int d)
{
	/* from where it is; and once more, which does nothing */
	if (w->where[i] != OUT)
		d = w->where[i];
	pvs_perf_remove(&w->domain[d], &w->member[i]);
	w->where[i] = OUT;
	pvs_perf_remove(&w->domain[d], &w->member[i]);
}

static void move(struct world *w, unsigned int i)
{
	unsigned int from = w->where[i] == OUT ? 0 : w->where[i];
	unsigned int to = 1u - from;

	FUZZ_RULE("perf: there is room to move to",
		  pvs_perf_move(&w->domain[from], &w->domain[to], &w->member[i]) == PVS_OK);
	if (w->where[i] == OUT)
		return;
	w->where[i] = to;
	if (FUZZ_CANARY(w->ask[i].floor > 1008u && w->ask[i].util == w->ask[i].floor))
		w->domain[from].sum += w->member[i].util;
}

static void update_limits(const struct world *w, unsigned int d,
			  const struct pvs_perf_result *now)
{
	const struct pvs_perf_result *before = &w->last[d];
	uint64_t since = w->now_ns - w->changed_ns[d];
	uint32_t limit = now->target_q10 > before->target_q10 ? w->cfg.up_min_ns :
			 w->cfg.down_min_ns;

	FUZZ_RULE("perf: says when something changed", !w->changed[d] ||
		  (now->target_q10 != before->target_q10) == !!(now->flags & PVS_PERF_CHANGED));
	FUZZ_RULE("perf: changes too often", !w->changed[d] ||
		  now->target_q10 == before->target_q10 || since >= limit);
	FUZZ_RULE("perf: asks again in time", now->flags & PVS_PERF_LIMITED ?
		  now->recheck_at_ns > w->now_ns : now->recheck_at_ns == PVS_NEVER);
}

static void update(struct world *w, unsigned int d, struct fuzz_input *in)
{
	uint32_t wish = pvs_perf_wish(&w->domain[d], &w->cfg);
	const struct pvs_perf_table *t = &w->table[d];
	struct pvs_perf_result now;

	if (fuzz_u8(in) & 1u)
		wish = fuzz_u16(in); /* of another domain on the same clock */
	if (w->now_ns < CLOCK_MAX_NS)
		w->now_ns += fuzz_duration_ns(in);
	pvs_perf_update(&w->domain[d], &w->cfg, wish, w->now_ns, &now);
	FUZZ_RULE("perf: target", now.target_q10 <= PVS_UTIL_MAX);
	FUZZ_RULE("perf: level", now.level < t->count);
	FUZZ_RULE("perf: value", now.value && now.value <= t->level[t->count - 1u].value);
	FUZZ_RULE("perf: the level is high enough", now.level == t->count - 1u ||
		  t->level[now.level].capacity >= now.target_q10);
	FUZZ_RULE("perf: flags", !(now.flags & ~(PVS_PERF_CHANGED | PVS_PERF_LIMITED |
						  PVS_PERF_OVERLOAD)));
	update_limits(w, d, &now);
	if (now.flags & PVS_PERF_CHANGED) {
		w->changed[d] = 1;
		w->changed_ns[d] = w->now_ns;
	}
	w->last[d] = now;
}

/* The rule of placement, by looking at all of them. */
static uint32_t fit_of(const struct pvs_perf_cpus *cpus, uint32_t util)
{
	uint32_t best = PVS_PERF_NO_CPU;
	int best_fits = 0;
	uint32_t i;

	for (i = 0; i < cpus->count && i < PVS_PERF_CPUS; i++) {
		const struct pvs_perf_cpu *c = &cpus->cpu[i];
		int fits = ((uint64_t)c->sum + util) * 1280u < (uint64_t)c->capacity * 1024u;
		const struct pvs_perf_cpu *b = &cpus->cpu[best == PVS_PERF_NO_CPU ? i : best];
		int better = best == PVS_PERF_NO_CPU || fits > best_fits;

		if (!c->capacity)
			continue;
		if (!better && fits == best_fits)
			better = c->capacity == b->capacity ? c->sum < b->sum :
				 fits ? c->capacity < b->capacity : c->capacity > b->capacity;
		if (better) {
			best = i;
			best_fits = fits;
		}
	}
	return best;
}

static void place(struct fuzz_input *in)
{
	struct pvs_perf_cpus cpus;
	uint32_t util = fuzz_u16(in);
	uint32_t i;

	memset(&cpus, 0, sizeof(cpus));
	cpus.count = fuzz_u8(in) % (PVS_PERF_CPUS + 2u);
	for (i = 0; i < PVS_PERF_CPUS && in->left; i++) {
		cpus.cpu[i].capacity = fuzz_u16(in) & 0x7ffu;
		cpus.cpu[i].sum = fuzz_u16(in);
	}
	FUZZ_RULE("perf: the CPU that fits", pvs_perf_fit(&cpus, util) ==
		  fit_of(&cpus, clamped(util)));
}

static void translate(const struct world *w, unsigned int d, struct fuzz_input *in)
{
	uint32_t capacity = fuzz_u16(in);
	uint32_t value = fuzz_u32(in);
	uint64_t word;

	FUZZ_RULE("perf: level for a capacity",
		  pvs_perf_level_for(&w->domain[d], capacity) < w->table[d].count);
	FUZZ_RULE("perf: capacity of a value",
		  pvs_perf_capacity_of(&w->domain[d], value) <= PVS_UTIL_MAX);
	FUZZ_RULE("perf: contention",
		  pvs_perf_contention(fuzz_u64(in), fuzz_u64(in)) <= PVS_UTIL_MAX);
	word = pvs_perf_word(capacity, value, fuzz_u32(in), fuzz_u32(in));
	FUZZ_RULE("perf: unknown bits of the word",
		  !(word & (PVS_PUT(0x3ffu, 22, 10) | PVS_PUT(0x1fu, 43, 5))));
	FUZZ_RULE("perf: fields of the word",
		  PVS_GET(word, PVS_PERF_CAPACITY_SHIFT, PVS_PERF_BITS) <= PVS_UTIL_MAX &&
		  PVS_GET(word, PVS_PERF_CURRENT_SHIFT, PVS_PERF_BITS) <= PVS_UTIL_MAX &&
		  PVS_GET(word, PVS_PERF_CONTENTION_SHIFT, PVS_PERF_BITS) <= PVS_UTIL_MAX);
}

static void operate(struct world *w, struct fuzz_input *in)
{
	unsigned int op = fuzz_u8(in);
	unsigned int i = op >> 4 & (MEMBERS - 1u);
	unsigned int d = op >> 7;

	switch (op & 7u) {
	case 0:
	case 1:
		put(w, i, d, in);
		break;
	case 2:
		leave(w, i, d);
		break;
	case 3:
		move(w, i);
		break;
	case 4:
		place(in);
		break;
	case 5:
		translate(w, d, in);
		break;
	default:
		update(w, d, in);
		break;
	}
	domain_rules(w, 0);
	domain_rules(w, 1);
}

/* ---- the beginning -------------------------------------------------------------------------- */

static int valid(const struct pvs_perf_table *t)
{
	uint32_t i;

	if (t->count < 1u || t->count > PVS_PERF_LEVELS)
		return 0;
	for (i = 0; i < t->count; i++) {
		const struct pvs_perf_level *l = &t->level[i];

		if (!l->capacity || l->capacity > PVS_UTIL_MAX || !l->value)
			return 0;
		if (i && (l->capacity <= l[-1].capacity || l->value < l[-1].value))
			return 0;
	}
	return 1;
}

/* Levels as distances, so that most tables are good ones. */
static void take_table(struct pvs_perf_table *t, struct fuzz_input *in)
{
	uint32_t capacity = 0;
	uint32_t value = 0;
	uint32_t i;

	memset(t, 0, sizeof(*t));
	t->count = fuzz_u8(in) & 0x7fu;
	for (i = 0; i < PVS_PERF_LEVELS && i < t->count; i++) {
		capacity += 1u + (fuzz_u8(in) & 0x3fu);
		value += fuzz_u16(in);
		t->level[i].capacity = capacity;
		t->level[i].value = value;
	}
}

static void take_domain(struct world *w, unsigned int d, struct fuzz_input *in)
{
	int status;

	take_table(&w->table[d], in);
	status = pvs_perf_init(&w->domain[d], &w->table[d]);
	FUZZ_RULE("perf: which tables are good",
		  status == (valid(&w->table[d]) ? PVS_OK : PVS_E_RANGE));
	if (status == PVS_OK)
		return;
	memset(&w->table[d], 0, sizeof(w->table[d]));
	w->table[d].count = 1;
	w->table[d].level[0].capacity = PVS_UTIL_MAX;
	w->table[d].level[0].value = 3000000u;
	(void)pvs_perf_init(&w->domain[d], &w->table[d]);
}

static void take_config(struct pvs_perf_config *cfg, struct fuzz_input *in)
{
	struct pvs_config_error err = { 0, 0, 0, 0 };

	cfg->headroom_q10 = fuzz_u16(in);
	cfg->max_q10 = fuzz_u16(in);
	cfg->up_min_ns = fuzz_u32(in);
	cfg->down_min_ns = fuzz_u32(in);
	pvs_perf_resolve(cfg);
	if (pvs_perf_check(cfg, &err) == PVS_OK)
		return;
	FUZZ_RULE("perf: the check names what is out of range",
		  err.field && (err.value < err.min || err.value > err.max));
	memset(cfg, 0, sizeof(*cfg));
	pvs_perf_resolve(cfg);
	FUZZ_RULE("perf: the default is refused", pvs_perf_check(cfg, NULL) == PVS_OK);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input_of(data, size);
	static struct world w;
	unsigned int i;

	memset(&w, 0, sizeof(w));
	take_config(&w.cfg, &in);
	for (i = 0; i < DOMAINS; i++)
		take_domain(&w, i, &in);
	for (i = 0; i < MEMBERS; i++)
		w.where[i] = OUT;
	for (i = 0; i < OPS_MAX && in.left; i++)
		operate(&w, &in);
}
