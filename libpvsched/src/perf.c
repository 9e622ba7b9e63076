/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Performance domains: utilisation adds up, floors and ceilings do not (the highest counts), and
 * the host changes its level no more often than it likes.
 *
 * Why the highest of all floors and ceilings: it is what uclamp does with the tasks of a run queue.
 * A floor must hold for whoever asked for it; and were the lowest ceiling to count, one vCPU that
 * wants to be slow would slow down its neighbours.
 */
#include "stage.h"
#include <pvs/perf.h>

#define ONE 1024u
#define PERF_HALVINGS 6u /* of 64 levels */
#define US 1000u
#define MS (1000u * US)
#define SEC (1000u * MS)

/* ---- configuration -------------------------------------------------------------------------- */

/* In declaration order. */
static const struct pvs_field perf_fields[] = {
	{ "headroom_q10", ONE, 4u * ONE, PVS_PERF_MARGIN_Q10 },
	{ "max_q10", 1, ONE, ONE },
	{ "up_min_ns", 1, SEC, 500u * US },
	{ "down_min_ns", 1, SEC, 1u * MS },
};

PVS_API void pvs_perf_resolve(struct pvs_perf_config *cfg)
{
	pvs_fields_resolve(&cfg->headroom_q10, perf_fields, PVS_FIELDS(perf_fields));
}

PVS_API int pvs_perf_check(const struct pvs_perf_config *cfg, struct pvs_config_error *err)
{
	return pvs_fields_check(&cfg->headroom_q10, perf_fields, PVS_FIELDS(perf_fields), err);
}

/* 1 if a < b, both below 2^63. Without a branch, for loops that a verifier walks path by path. */
static pvs_u32 perf_less(pvs_u64 a, pvs_u64 b)
{
	return (pvs_u32)((a - b) >> 63);
}

/* ---- members -------------------------------------------------------------------------------- */

static pvs_u32 perf_clamp(pvs_u32 value)
{
	return value < ONE ? value : ONE;
}

/* 0 for none, else 1..64: the step that holds this bound, rounded up. */
static pvs_u8 perf_step(pvs_u32 bound)
{
	return (pvs_u8)((perf_clamp(bound) + PVS_MASK(PVS_PERF_STEP_SHIFT)) >>
			PVS_PERF_STEP_SHIFT);
}

static void perf_count(pvs_u64 *used, pvs_u16 *counts, pvs_u32 step, int add)
{
	pvs_u32 i = PVS_PERF_STEPS - step; /* the highest has the lowest bit */

	if (!step)
		return;
	PVS_OPT(i);
	i &= PVS_PERF_STEPS - 1u;
	if (add)
		counts[i]++;
	else if (counts[i])
		counts[i]--;
	if (counts[i])
		*used |= (pvs_u64)1 << i;
	else
		*used &= ~((pvs_u64)1 << i);
}

/* The bound that the highest step in use stands for, or 0. */
static pvs_u32 perf_highest(pvs_u64 used)
{
	return used ? (PVS_PERF_STEPS - PVS_CTZ64(used)) << PVS_PERF_STEP_SHIFT : 0u;
}

/* Into the sums, or out of them: never below zero. */
static void perf_apply(struct pvs_perf_domain *d, const struct pvs_perf_member *m, int add)
{
	d->sum = add ? d->sum + m->util : (pvs_u32)pvs_less64(d->sum, m->util);
	d->members = add ? d->members + 1u : (pvs_u32)pvs_less64(d->members, 1u);
	perf_count(&d->floors, d->floor, m->floor, add);
	perf_count(&d->ceilings, d->ceiling, m->ceiling, add);
}

/* Into a domain that has room for it. */
static int perf_enter(struct pvs_perf_domain *d, struct pvs_perf_member *m)
{
	if (d->members >= PVS_PERF_MEMBERS_MAX)
		return PVS_E_NO_SPACE;
	m->in = 1;
	perf_apply(d, m, 1);
	return PVS_OK;
}

/* 4/5, rounded up: times 1.25 it is never less than it was. */
static pvs_u32 perf_bare(pvs_u32 util)
{
	return (util * 4u + 4u) / 5u;
}

PVS_API void pvs_perf_remove(struct pvs_perf_domain *d, struct pvs_perf_member *m)
{
	if (!m->in)
		return;
	m->in = 0;
	perf_apply(d, m, 0);
}

PVS_API int pvs_perf_put(struct pvs_perf_domain *d, struct pvs_perf_member *m,
			 const struct pvs_perf_ask *ask)
{
	pvs_u32 util = perf_clamp(ask->util);
	pvs_u32 ceiling = ask->ceiling ? ask->ceiling : ONE;

	pvs_perf_remove(d, m); /* so there is room for it, if it was in */
	if (ask->flags & PVS_PERF_ASK_MARGIN)
		util = perf_bare(util);
	m->util = (pvs_u16)util;
	m->floor = perf_step(ask->floor);
	m->ceiling = perf_step(ceiling > ask->floor ? ceiling : ask->floor);
	return perf_enter(d, m);
}

PVS_API int pvs_perf_move(struct pvs_perf_domain *from, struct pvs_perf_domain *to,
			  struct pvs_perf_member *m)
{
	if (!m->in)
		return PVS_OK;
	pvs_perf_remove(from, m);
	return perf_enter(to, m);
}

/* ---- the table ------------------------------------------------------------------------------ */

/* Copies level i of the table, or one that is never chosen. Returns what is wrong with it. */
static pvs_u32 perf_copy_level(struct pvs_perf_domain *d, const struct pvs_perf_table *table,
			       pvs_u32 i, struct pvs_perf_level *last)
{
	struct pvs_perf_level *to = &d->table.level[i];
	pvs_u32 capacity = table->level[i].capacity;
	pvs_u32 value = table->level[i].value;
	pvs_u32 wrong = perf_less(capacity, last->capacity + 1u) | perf_less(ONE, capacity) |
			perf_less(value, last->value);

	to->capacity = PVS_PERF_UNUSED;
	to->value = PVS_PERF_UNUSED;
	if (i >= table->count)
		return 0;
	to->capacity = last->capacity = capacity;
	to->value = last->value = value;
	return wrong;
}

PVS_API int pvs_perf_init(struct pvs_perf_domain *d, const struct pvs_perf_table *table)
{
	struct pvs_perf_level last = { 0, 1 };
	pvs_u32 wrong = 0;
	pvs_u32 i;

	if (!table->count || table->count > PVS_PERF_LEVELS)
		return PVS_E_RANGE;
	d->changed_ns = 0;
	d->floors = 0;
	d->ceilings = 0;
	d->sum = 0;
	d->members = 0;
	d->target_q10 = 0;
	d->level = 0;
	d->started = 0;
	d->reserved = 0;
	d->table.count = table->count;
	d->table.reserved = 0;
	PVS_FOR(i, PVS_PERF_LEVELS) {
		d->floor[i] = 0;
		d->ceiling[i] = 0;
		wrong |= perf_copy_level(d, table, i, &last);
	}
	if (wrong)
		return PVS_E_RANGE;
	d->value_q10 = PVS_DIV64(((pvs_u64)last.value << 10) + last.capacity - 1u, last.capacity);
	return PVS_OK;
}

static const struct pvs_perf_level *perf_level(const struct pvs_perf_domain *d, pvs_u32 i)
{
	PVS_OPT(i);
	return &d->table.level[i & (PVS_PERF_LEVELS - 1u)];
}

/* How many of the first 63 levels are too low: the last one has to do. By halves, because a sum of
 * 64 comparisons has more paths than a verifier will walk. */
static pvs_u32 perf_too_low(const struct pvs_perf_domain *d, pvs_u32 wanted, int by_value)
{
	pvs_u32 low = 0;
	pvs_u32 i;

	PVS_FOR(i, PERF_HALVINGS) {
		pvs_u32 half = (PVS_PERF_LEVELS / 2u) >> i;
		const struct pvs_perf_level *level = perf_level(d, low + half - 1u);

		if ((by_value ? level->value : level->capacity) < wanted)
			low += half;
	}
	return low;
}

PVS_API pvs_u32 pvs_perf_level_for(const struct pvs_perf_domain *d, pvs_u32 capacity)
{
	pvs_u32 low = perf_too_low(d, perf_clamp(capacity), 0);

	return low < d->table.count ? low : d->table.count - 1u;
}

PVS_API pvs_u32 pvs_perf_capacity_of(const struct pvs_perf_domain *d, pvs_u32 value)
{
	const struct pvs_perf_level *top = perf_level(d, d->table.count - 1u);

	if (!value)
		return 0;
	if (value >= top->value)
		return top->capacity;
	if (d->table.count == 1u)
		return (pvs_u32)PVS_DIV64((pvs_u64)value * top->capacity + top->value - 1u,
					  top->value);
	return perf_level(d, perf_too_low(d, value, 1))->capacity;
}

/* ---- from what is wanted to what is done ---------------------------------------------------- */

PVS_API pvs_u32 pvs_perf_wish(const struct pvs_perf_domain *d, const struct pvs_perf_config *cfg)
{
	pvs_u64 wish = ((pvs_u64)d->sum * cfg->headroom_q10) >> 10;

	if (d->ceilings)
		wish = pvs_min64(wish, perf_highest(d->ceilings));
	wish = pvs_max64(wish, perf_highest(d->floors));
	return (pvs_u32)pvs_min64(wish, cfg->max_q10);
}

/* What can be given of a wish: a level's capacity, or without a table the wish itself. */
static pvs_u32 perf_target(const struct pvs_perf_domain *d, pvs_u32 wish, pvs_u32 level)
{
	pvs_u32 capacity = perf_level(d, level)->capacity;

	if (!wish || (d->table.count == 1u && wish < capacity))
		return wish;
	return capacity;
}

static pvs_u32 perf_value(const struct pvs_perf_domain *d)
{
	pvs_u32 top = perf_level(d, d->level)->value;
	pvs_u64 value = (d->value_q10 * d->target_q10 + PVS_MASK(10)) >> 10;

	if (d->table.count > 1u)
		return top;
	return (pvs_u32)pvs_max64(pvs_min64(value, top), 1u);
}

/* Nanoseconds until a change in this direction is allowed. */
static pvs_u64 perf_wait(const struct pvs_perf_domain *d, const struct pvs_perf_config *cfg,
			pvs_u32 target, pvs_u64 now_ns)
{
	pvs_u32 limit = target > d->target_q10 ? cfg->up_min_ns : cfg->down_min_ns;

	return d->started ? pvs_less64(limit, pvs_less64(now_ns, d->changed_ns)) : 0u;
}

PVS_API void pvs_perf_update(struct pvs_perf_domain *d, const struct pvs_perf_config *cfg,
			     pvs_u32 wish_q10, pvs_u64 now_ns, struct pvs_perf_result *out)
{
	pvs_u32 wish = perf_clamp(wish_q10);
	pvs_u32 level = pvs_perf_level_for(d, wish);
	pvs_u32 target = perf_target(d, wish, level);
	pvs_u64 wait = target == d->target_q10 ? 0u : perf_wait(d, cfg, target, now_ns);

	out->flags = wish > perf_level(d, level)->capacity ? PVS_PERF_OVERLOAD : 0u;
	out->recheck_at_ns = PVS_NEVER;
	if (wait) {
		out->flags |= PVS_PERF_LIMITED;
		out->recheck_at_ns = now_ns + wait;
	} else if (target != d->target_q10 || !d->started) {
		out->flags |= PVS_PERF_CHANGED;
		d->target_q10 = target;
		d->level = level;
		d->changed_ns = now_ns;
		d->started = 1;
	}
	out->wish_q10 = wish;
	out->target_q10 = d->target_q10;
	out->level = d->level;
	out->value = perf_value(d);
	out->reserved = 0;
}

/* ---- what the guest sees, and where a vCPU fits --------------------------------------------- */

PVS_API pvs_u64 pvs_perf_word(pvs_u32 capacity, pvs_u32 speed, pvs_u32 contention,
			      pvs_u32 generation)
{
	return PVS_PUT(perf_clamp(capacity), PVS_PERF_CAPACITY_SHIFT, PVS_PERF_BITS) |
	       PVS_PUT(perf_clamp(speed), PVS_PERF_CURRENT_SHIFT, PVS_PERF_BITS) |
	       PVS_PUT(perf_clamp(contention), PVS_PERF_CONTENTION_SHIFT, PVS_PERF_BITS) |
	       PVS_PUT(generation, PVS_PERF_GEN_SHIFT, PVS_PERF_GEN_BITS);
}

PVS_API pvs_u32 pvs_perf_contention(pvs_u64 run_ns, pvs_u64 wait_ns)
{
	/* Room for the shift: 2^50 ns are 13 days. */
	pvs_u32 down = (run_ns | wait_ns) >> 50 ? 16u : 0u;
	pvs_u64 wait = wait_ns >> down;
	pvs_u64 sum = (run_ns >> down) + wait;

	return sum ? (pvs_u32)PVS_DIV64(wait << 10, sum) : 0u;
}

/*
 * How good a CPU is for what it is asked to take: the higher, the better; usable from 2^48. One
 * that fits before one that does not; then the smallest of those, the largest of these; then the
 * emptiest.
 */
static pvs_u64 perf_merit(const struct pvs_perf_cpu *cpu, pvs_u32 util)
{
	pvs_u64 need = ((pvs_u64)cpu->sum + perf_clamp(util)) * PVS_PERF_MARGIN_Q10;
	pvs_u64 fits = perf_less(need, (pvs_u64)cpu->capacity * ONE);
	pvs_u64 by_capacity = cpu->capacity ^ (fits * 0xffffu); /* the other way round */
	pvs_u64 usable = perf_less(0, cpu->capacity);

	return fits << 49 | usable << 48 | by_capacity << 32 | (0xffffffffu - cpu->sum);
}

PVS_API pvs_u32 pvs_perf_fit(const struct pvs_perf_cpus *cpus, pvs_u32 util)
{
	pvs_u32 found = PVS_PERF_NO_CPU;
	pvs_u64 best = PVS_MASK(48);
	pvs_u64 merit;
	pvs_u32 i;

	PVS_FOR(i, PVS_PERF_CPUS) {
		/* which of the CPUs it was must not become a path of its own for a verifier */
		PVS_OPT(found);
		PVS_OPT(best);
		if (i >= cpus->count)
			break;
		merit = perf_merit(&cpus->cpu[i], util);
		if (merit > best) {
			best = merit;
			found = i;
		}
	}
	return found;
}
