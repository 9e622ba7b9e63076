/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pvs/pvs.h>

#define US 1000ull
#define MS (1000 * US)
#define NEVER (~0ull)

static struct pvs_perf_config cfg;
static struct pvs_perf_domain d;
static struct pvs_perf_table table;
static struct pvs_perf_result out;

/* Capacities 256, 512, 768, 1024 at 400, 800, 1200, 1600 MHz. */
static int four_levels(void **state)
{
	unsigned i;

	(void)state;
	memset(&cfg, 0, sizeof(cfg));
	pvs_perf_resolve(&cfg);
	memset(&table, 0, sizeof(table));
	table.count = 4;
	for (i = 0; i < 4; i++) {
		table.level[i].capacity = 256 * (i + 1);
		table.level[i].value = 400000 * (i + 1);
	}
	memset(&d, 0x5a, sizeof(d));
	return pvs_perf_init(&d, &table);
}

static int no_table(void **state)
{
	four_levels(state);
	table.count = 1;
	table.level[0].capacity = 1000;
	table.level[0].value = 3000000;
	memset(&d, 0x5a, sizeof(d));
	return pvs_perf_init(&d, &table);
}

static struct pvs_perf_ask ask_of(unsigned util, unsigned floor, unsigned ceiling)
{
	struct pvs_perf_ask ask = { .util = (pvs_u16)util, .floor = (pvs_u16)floor,
				    .ceiling = (pvs_u16)ceiling };

	return ask;
}

static void put(struct pvs_perf_member *m, unsigned util, unsigned floor, unsigned ceiling)
{
	struct pvs_perf_ask ask = ask_of(util, floor, ceiling);

	assert_int_equal(pvs_perf_put(&d, m, &ask), PVS_OK);
}

static pvs_u32 wish(void)
{
	return pvs_perf_wish(&d, &cfg);
}

/* ---- configuration -------------------------------------------------------------------------- */

static void config__zero_means_default(void **state)
{
	struct pvs_config_error err;

	(void)state;
	assert_int_equal(cfg.headroom_q10, 1280);
	assert_int_equal(cfg.max_q10, 1024);
	assert_int_equal(cfg.up_min_ns, 500 * US);
	assert_int_equal(cfg.down_min_ns, 1 * MS);
	assert_int_equal(pvs_perf_check(&cfg, &err), PVS_OK);
	cfg.headroom_q10 = 1024; /* what is set stays */
	pvs_perf_resolve(&cfg);
	assert_int_equal(cfg.headroom_q10, 1024);
}

static void config__check_names_the_bad_field_and_its_range(void **state)
{
	static const struct {
		const char *name;
		pvs_u32 min, max;
	} rows[] = {
		{ "headroom_q10", 1024, 4096 },
		{ "max_q10", 1, 1024 },
		{ "up_min_ns", 1, 1000000000 },
		{ "down_min_ns", 1, 1000000000 },
	};
	pvs_u32 *const field[] = { &cfg.headroom_q10, &cfg.max_q10, &cfg.up_min_ns,
				   &cfg.down_min_ns };
	struct pvs_config_error err;
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++) {
		pvs_u32 kept = *field[i];

		*field[i] = rows[i].min - 1;
		assert_int_equal(pvs_perf_check(&cfg, &err), PVS_E_RANGE);
		assert_string_equal(err.field, rows[i].name);
		assert_int_equal(err.value, rows[i].min - 1);
		assert_int_equal(err.min, rows[i].min);
		assert_int_equal(err.max, rows[i].max);
		*field[i] = rows[i].max + 1;
		assert_int_equal(pvs_perf_check(&cfg, NULL), PVS_E_RANGE);
		*field[i] = rows[i].min;
		assert_int_equal(pvs_perf_check(&cfg, &err), PVS_OK);
		*field[i] = rows[i].max;
		assert_int_equal(pvs_perf_check(&cfg, &err), PVS_OK);
		*field[i] = kept;
	}
}

static void domain__begins_the_same_in_whatever_memory(void **state)
{
	struct pvs_perf_domain clean;

	(void)state;
	memset(&clean, 0, sizeof(clean));
	assert_int_equal(pvs_perf_init(&clean, &table), PVS_OK);
	assert_memory_equal(&clean, &d, sizeof(d));
	assert_int_equal(d.target_q10, 0);
	assert_int_equal(d.level, 0);
	assert_int_equal(d.changed_ns, 0);
	assert_int_equal(d.reserved, 0);
	assert_int_equal(d.table.reserved, 0);
}

/* ---- sum ------------------------------------------------------------------------------------ */

static void domain__utilisation_adds_up_and_gets_headroom_once(void **state)
{
	struct pvs_perf_member a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(wish(), 0);
	put(&a, 200, 0, 0);
	put(&b, 300, 0, 0);
	assert_int_equal(d.sum, 500);
	assert_int_equal(wish(), 625); /* 500 * 1.25, not 200 * 1.25 * 1.25 + ... */
	cfg.headroom_q10 = 1024;
	assert_int_equal(wish(), 500);
	pvs_perf_remove(&d, &a);
	assert_int_equal(wish(), 300);
}

static void domain__sum_may_exceed_a_cpu_but_the_wish_does_not(void **state)
{
	struct pvs_perf_member m[4] = { { 0 } };
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++)
		put(&m[i], 65535, 0, 0); /* counts as 1024 */
	assert_int_equal(d.sum, 4096);
	assert_int_equal(wish(), 1024);
	cfg.max_q10 = 700;
	assert_int_equal(wish(), 700);
	for (i = 0; i < 4; i++)
		pvs_perf_remove(&d, &m[i]);
	assert_int_equal(d.sum, 0);
	assert_int_equal(d.members, 0);
}

static void member__put_again_replaces(void **state)
{
	struct pvs_perf_member m = { 0 };

	(void)state;
	put(&m, 200, 100, 900);
	put(&m, 50, 0, 0);
	assert_int_equal(d.sum, 50);
	assert_int_equal(d.members, 1);
	assert_true(d.floors == 0);
	assert_int_equal(wish(), 62);
}

static void member__remove_gives_back_exactly_what_was_put_in(void **state)
{
	struct pvs_perf_domain empty = d;
	struct pvs_perf_member m[60] = { { 0 } };
	pvs_u32 seed = 1;
	unsigned i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		struct pvs_perf_member *one = &m[(seed >> 8) % 60];

		seed = seed * 1664525u + 1013904223u;
		if (seed >> 30)
			put(one, (seed >> 4) % 1100, (seed >> 9) % 1100, (seed >> 14) % 1100);
		else
			pvs_perf_remove(&d, one);
	}
	assert_true(d.members > 0);
	for (i = 0; i < 60; i++)
		pvs_perf_remove(&d, &m[i]);
	assert_memory_equal(&d, &empty, sizeof(d));
}

static void member__remove_twice_is_once(void **state)
{
	struct pvs_perf_member a = { 0 }, b = { 0 };

	(void)state;
	put(&a, 200, 64, 0);
	put(&b, 300, 64, 0);
	pvs_perf_remove(&d, &a);
	pvs_perf_remove(&d, &a);
	assert_int_equal(d.sum, 300);
	assert_int_equal(d.members, 1);
	assert_int_equal(d.floor[60], 1); /* the fourth step of 64 */
}

static void domain__never_goes_below_zero(void **state)
{
	struct pvs_perf_member stranger = { .util = 500, .floor = 4, .ceiling = 7, .in = 1 };

	(void)state;
	pvs_perf_remove(&d, &stranger); /* was never in this one */
	assert_int_equal(d.sum, 0);
	assert_int_equal(d.members, 0);
	assert_int_equal(d.floor[60], 0);
	assert_int_equal(d.ceiling[57], 0);
	assert_int_equal(wish(), 0);
}

static void domain__full_refuses_and_changes_nothing(void **state)
{
	struct pvs_perf_member in = { 0 }, more = { 0 };
	struct pvs_perf_ask ask = ask_of(100, 0, 0);
	struct pvs_perf_domain other;

	(void)state;
	put(&in, 10, 0, 0);
	other = d;
	d.members = PVS_PERF_MEMBERS_MAX;
	assert_int_equal(pvs_perf_put(&d, &more, &ask), PVS_E_NO_SPACE);
	assert_int_equal(more.in, 0);
	assert_int_equal(d.sum, 10);
	put(&in, 20, 0, 0); /* who is in may change */
	assert_int_equal(d.sum, 20);
	d.members = PVS_PERF_MEMBERS_MAX - 1;
	assert_int_equal(pvs_perf_put(&d, &more, &ask), PVS_OK);
	in.util = 10;
	assert_int_equal(pvs_perf_move(&other, &d, &in), PVS_E_NO_SPACE);
	assert_int_equal(in.in, 0);
	assert_int_equal(other.sum, 0);
}

static void member__moves_with_what_it_put_in(void **state)
{
	struct pvs_perf_domain to;
	struct pvs_perf_member m = { 0 };

	(void)state;
	assert_int_equal(pvs_perf_init(&to, &table), PVS_OK);
	assert_int_equal(pvs_perf_move(&d, &to, &m), PVS_OK); /* in none */
	assert_int_equal(to.members, 0);
	put(&m, 333, 100, 0);
	assert_int_equal(m.in, 1);
	assert_int_equal(pvs_perf_move(&d, &to, &m), PVS_OK);
	assert_int_equal(d.sum, 0);
	assert_true(d.floors == 0);
	assert_int_equal(to.sum, 333);
	assert_int_equal(pvs_perf_wish(&to, &cfg), 416);
	assert_int_equal(m.in, 1);
}

static void member__margin_of_the_guest_is_taken_out(void **state)
{
	struct pvs_perf_member m = { 0 };
	struct pvs_perf_ask ask = ask_of(1000, 0, 0);
	unsigned util;

	(void)state;
	ask.flags = PVS_PERF_ASK_MARGIN;
	assert_int_equal(pvs_perf_put(&d, &m, &ask), PVS_OK);
	assert_int_equal(d.sum, 800);
	assert_int_equal(wish(), 1000);
	ask.flags = 0x2; /* means nothing */
	pvs_perf_put(&d, &m, &ask);
	assert_int_equal(d.sum, 1000);
	ask.flags = PVS_PERF_ASK_MARGIN;
	/* there and back: never less, at most one more */
	for (util = 0; util <= 1024; util++) {
		ask.util = (pvs_u16)util;
		pvs_perf_put(&d, &m, &ask);
		assert_true(wish() >= util && wish() <= util + 1);
	}
}

/* ---- floors and ceilings -------------------------------------------------------------------- */

static void bounds__highest_floor_counts_without_headroom(void **state)
{
	struct pvs_perf_member a = { 0 }, b = { 0 };

	(void)state;
	put(&a, 10, 512, 0);
	put(&b, 10, 256, 0);
	assert_int_equal(wish(), 512);
	pvs_perf_remove(&d, &a);
	assert_int_equal(wish(), 256);
	pvs_perf_remove(&d, &b);
	assert_int_equal(wish(), 0);
}

static void bounds__floor_counts_for_one_that_states_no_utilisation(void **state)
{
	struct pvs_perf_member a = { 0 };

	(void)state;
	put(&a, 0, 1, 0);
	assert_int_equal(wish(), 16); /* in steps of 16, up */
	put(&a, 0, 16, 0);
	assert_int_equal(wish(), 16);
	put(&a, 0, 17, 0);
	assert_int_equal(wish(), 32);
	put(&a, 0, 1024, 0);
	assert_int_equal(wish(), 1024);
	put(&a, 0, 65535, 0);
	assert_int_equal(wish(), 1024);
}

static void bounds__highest_ceiling_counts(void **state)
{
	struct pvs_perf_member a = { 0 }, b = { 0 };

	(void)state;
	put(&a, 800, 0, 320);
	assert_int_equal(wish(), 320);
	put(&b, 100, 0, 640);
	assert_int_equal(wish(), 640);
	put(&b, 100, 0, 0); /* no ceiling of its own: nobody is held down */
	assert_int_equal(wish(), 1024);
	pvs_perf_remove(&d, &b);
	assert_int_equal(wish(), 320);
}

static void bounds__ceiling_below_the_floor_is_the_floor(void **state)
{
	struct pvs_perf_member a = { 0 };

	(void)state;
	put(&a, 1000, 640, 320);
	assert_int_equal(wish(), 640);
}

static void bounds__each_step_is_found(void **state)
{
	struct pvs_perf_member a = { 0 }, b = { 0 };
	unsigned i, j;

	(void)state;
	for (i = 1; i <= 64; i++) {
		put(&a, 0, 16 * i, 0);
		for (j = 1; j <= 64; j++) {
			put(&b, 0, 16 * j, 0);
			assert_int_equal(wish(), 16 * (i > j ? i : j));
		}
	}
}

/* ---- table ---------------------------------------------------------------------------------- */

static void table__bad_ones_are_refused(void **state)
{
	struct pvs_perf_table bad = table;

	(void)state;
	bad.count = 0;
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_E_RANGE);
	bad.count = 65;
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_E_RANGE);
	bad = table;
	bad.level[0].capacity = 0;
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_E_RANGE);
	bad = table;
	bad.level[3].capacity = 1025;
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_E_RANGE);
	bad = table;
	bad.level[2].capacity = bad.level[1].capacity;
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_E_RANGE);
	bad = table;
	bad.level[0].value = 0;
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_E_RANGE);
	bad = table;
	bad.level[2].value = bad.level[1].value - 1;
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_E_RANGE);
	bad.level[2].value = bad.level[1].value; /* equal values are a host's own business */
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_OK);
	bad.level[0].value = 1;
	assert_int_equal(pvs_perf_init(&d, &bad), PVS_OK);
}

static void table__lowest_level_that_is_enough(void **state)
{
	(void)state;
	assert_int_equal(pvs_perf_level_for(&d, 0), 0);
	assert_int_equal(pvs_perf_level_for(&d, 256), 0);
	assert_int_equal(pvs_perf_level_for(&d, 257), 1);
	assert_int_equal(pvs_perf_level_for(&d, 512), 1);
	assert_int_equal(pvs_perf_level_for(&d, 513), 2);
	assert_int_equal(pvs_perf_level_for(&d, 1024), 3);
	assert_int_equal(pvs_perf_level_for(&d, 0xffffffffu), 3);
}

static void table__every_length_is_searched_rightly(void **state)
{
	unsigned count, i, capacity;

	(void)state;
	for (count = 1; count <= 64; count++) {
		table.count = count;
		for (i = 0; i < count; i++) {
			table.level[i].capacity = 15 * (i + 1);
			table.level[i].value = 1000 * (i + 1);
		}
		assert_int_equal(pvs_perf_init(&d, &table), PVS_OK);
		for (capacity = 0; capacity <= 1024; capacity++) {
			unsigned want = capacity ? (capacity + 14) / 15 - 1 : 0;

			if (want > count - 1)
				want = count - 1;
			assert_int_equal(pvs_perf_level_for(&d, capacity), want);
		}
	}
}

static void table__value_of_a_guest_is_a_capacity(void **state)
{
	(void)state;
	assert_int_equal(pvs_perf_capacity_of(&d, 0), 0);
	assert_int_equal(pvs_perf_capacity_of(&d, 1), 256);
	assert_int_equal(pvs_perf_capacity_of(&d, 400000), 256);
	assert_int_equal(pvs_perf_capacity_of(&d, 400001), 512);
	assert_int_equal(pvs_perf_capacity_of(&d, 1200001), 1024);
	assert_int_equal(pvs_perf_capacity_of(&d, 0xffffffffu), 1024);
}

static void no_table__any_value_in_proportion(void **state)
{
	(void)state;
	assert_int_equal(pvs_perf_capacity_of(&d, 0), 0);
	assert_int_equal(pvs_perf_capacity_of(&d, 1), 1);
	assert_int_equal(pvs_perf_capacity_of(&d, 1500000), 500);
	assert_int_equal(pvs_perf_capacity_of(&d, 1500001), 501);
	assert_int_equal(pvs_perf_capacity_of(&d, 3000000), 1000);
	assert_int_equal(pvs_perf_capacity_of(&d, 4000000), 1000);
}

/* ---- update --------------------------------------------------------------------------------- */

static void update__says_level_value_and_target(void **state)
{
	(void)state;
	memset(&out, 0x5a, sizeof(out));
	pvs_perf_update(&d, &cfg, 600, 1 * MS, &out);
	assert_int_equal(out.flags, PVS_PERF_CHANGED);
	assert_int_equal(out.reserved, 0);
	assert_int_equal(d.started, 1);
	assert_int_equal(out.wish_q10, 600);
	assert_int_equal(out.target_q10, 768);
	assert_int_equal(out.level, 2);
	assert_int_equal(out.value, 1200000);
	assert_true(out.recheck_at_ns == NEVER);
	pvs_perf_update(&d, &cfg, 700, 1 * MS, &out); /* the same level */
	assert_int_equal(out.flags, 0);
	assert_int_equal(out.wish_q10, 700);
	assert_int_equal(out.target_q10, 768);
}

static void update__first_one_is_told_even_if_nothing_is_wanted(void **state)
{
	(void)state;
	pvs_perf_update(&d, &cfg, 0, 0, &out);
	assert_int_equal(out.flags, PVS_PERF_CHANGED);
	assert_int_equal(out.target_q10, 0);
	assert_int_equal(out.level, 0);
	assert_int_equal(out.value, 400000);
	pvs_perf_update(&d, &cfg, 0, 5 * MS, &out);
	assert_int_equal(out.flags, 0);
}

static void update__up_and_down_wait_their_own_time(void **state)
{
	(void)state;
	pvs_perf_update(&d, &cfg, 500, 10 * MS, &out);
	assert_int_equal(out.level, 1);
	pvs_perf_update(&d, &cfg, 1024, 10 * MS + 500 * US - 1, &out);
	assert_int_equal(out.flags, PVS_PERF_LIMITED);
	assert_int_equal(out.level, 1);
	assert_int_equal(out.target_q10, 512);
	assert_int_equal(out.value, 800000);
	assert_int_equal(out.wish_q10, 1024);
	assert_true(out.recheck_at_ns == 10 * MS + 500 * US);
	pvs_perf_update(&d, &cfg, 1024, 10 * MS + 500 * US, &out);
	assert_int_equal(out.flags, PVS_PERF_CHANGED);
	assert_int_equal(out.level, 3);

	pvs_perf_update(&d, &cfg, 100, 11 * MS + 500 * US - 1, &out);
	assert_int_equal(out.flags, PVS_PERF_LIMITED);
	assert_true(out.recheck_at_ns == 11 * MS + 500 * US);
	pvs_perf_update(&d, &cfg, 1024, 11 * MS + 500 * US - 1, &out); /* it thought better of it */
	assert_int_equal(out.flags, 0);
	assert_true(out.recheck_at_ns == NEVER);
	pvs_perf_update(&d, &cfg, 100, 11 * MS + 500 * US, &out);
	assert_int_equal(out.flags, PVS_PERF_CHANGED);
	assert_int_equal(out.level, 0);
}

static void update__a_clock_that_steps_back_counts_as_no_time(void **state)
{
	(void)state;
	pvs_perf_update(&d, &cfg, 500, 10 * MS, &out);
	pvs_perf_update(&d, &cfg, 1024, 2 * MS, &out);
	assert_int_equal(out.flags, PVS_PERF_LIMITED);
	assert_true(out.recheck_at_ns == 2 * MS + 500 * US);
}

static void update__overload_is_told_where_the_highest_level_is_too_low(void **state)
{
	(void)state;
	table.count = 2; /* a small CPU: 512 is all it has */
	table.level[0].value = 123456;
	assert_int_equal(pvs_perf_init(&d, &table), PVS_OK);
	pvs_perf_update(&d, &cfg, 100, 0, &out);
	assert_int_equal(out.value, 123456);
	pvs_perf_update(&d, &cfg, 512, 5 * MS, &out);
	assert_int_equal(out.flags, PVS_PERF_CHANGED);
	assert_int_equal(out.value, 800000);
	pvs_perf_update(&d, &cfg, 513, 9 * MS, &out);
	assert_int_equal(out.flags, PVS_PERF_OVERLOAD);
	assert_int_equal(out.target_q10, 512);
	pvs_perf_update(&d, &cfg, 99999, 9 * MS, &out);
	assert_int_equal(out.wish_q10, 1024);
}

static void update__without_a_table_the_target_is_the_wish(void **state)
{
	(void)state;
	pvs_perf_update(&d, &cfg, 0, 0, &out);
	assert_int_equal(out.target_q10, 0);
	assert_int_equal(out.value, 1); /* the guest driver's range is 1..max */
	pvs_perf_update(&d, &cfg, 500, 1 * MS, &out);
	assert_int_equal(out.target_q10, 500);
	assert_int_equal(out.value, 1500000);
	pvs_perf_update(&d, &cfg, 501, 3 * MS, &out);
	assert_int_equal(out.flags, PVS_PERF_CHANGED);
	assert_int_equal(out.value, 1503000);
	pvs_perf_update(&d, &cfg, 1000, 5 * MS, &out);
	assert_int_equal(out.value, 3000000);
	assert_int_equal(out.flags, PVS_PERF_CHANGED);
	pvs_perf_update(&d, &cfg, 1024, 7 * MS, &out);
	assert_int_equal(out.flags, PVS_PERF_OVERLOAD);
	assert_int_equal(out.target_q10, 1000);
	assert_int_equal(out.value, 3000000);
}

static void no_table__the_largest_value_is_safe(void **state)
{
	(void)state;
	table.level[0].capacity = 1;
	table.level[0].value = 0xffffffffu;
	assert_int_equal(pvs_perf_init(&d, &table), PVS_OK);
	pvs_perf_update(&d, &cfg, 1024, 0, &out);
	assert_int_equal(out.value, 0xffffffffu);
	assert_int_equal(out.target_q10, 1);
	table.level[0].capacity = 1024;
	assert_int_equal(pvs_perf_init(&d, &table), PVS_OK);
	pvs_perf_update(&d, &cfg, 1024, 0, &out);
	assert_int_equal(out.value, 0xffffffffu);
	assert_int_equal(pvs_perf_capacity_of(&d, 0xfffffffeu), 1024);
}

static void no_table__values_are_rounded_up(void **state)
{
	(void)state;
	table.level[0].capacity = 1023;
	table.level[0].value = 1024;
	assert_int_equal(pvs_perf_init(&d, &table), PVS_OK);
	pvs_perf_update(&d, &cfg, 1022, 0, &out);
	assert_int_equal(out.value, 1024); /* 1026 / 1024 a step: rounded up once for all ... */
	pvs_perf_update(&d, &cfg, 100, 5 * MS, &out);
	assert_int_equal(out.value, 101); /* ... and 100.2 */
	assert_int_equal(pvs_perf_capacity_of(&d, 1023), 1023); /* 1022.001 */
}

/* ---- what the guest sees, and placement ----------------------------------------------------- */

static void word__has_its_fields_clamped(void **state)
{
	pvs_u64 word = pvs_perf_word(1024, 700, 33, 0x12345);

	(void)state;
	assert_int_equal(PVS_GET(word, PVS_PERF_CAPACITY_SHIFT, PVS_PERF_BITS), 1024);
	assert_int_equal(PVS_GET(word, PVS_PERF_CURRENT_SHIFT, PVS_PERF_BITS), 700);
	assert_int_equal(PVS_GET(word, PVS_PERF_CONTENTION_SHIFT, PVS_PERF_BITS), 33);
	assert_int_equal(PVS_GET(word, PVS_PERF_GEN_SHIFT, PVS_PERF_GEN_BITS), 0x2345);
	assert_int_equal(word & ~(PVS_MASK(22) | (PVS_MASK(11) << 32) | (PVS_MASK(16) << 48)), 0);
	word = pvs_perf_word(1025, 0xffffffffu, 2048, 0);
	assert_true(word == ((1024ull << 32) | (1024u << 11) | 1024u));
}

static void contention__is_the_share_of_waiting(void **state)
{
	(void)state;
	assert_int_equal(pvs_perf_contention(0, 0), 0);
	assert_int_equal(pvs_perf_contention(3 * MS, 1 * MS), 256);
	assert_int_equal(pvs_perf_contention(0, 1), 1024);
	assert_int_equal(pvs_perf_contention(1, 0), 0);
	assert_int_equal(pvs_perf_contention((1ull << 50) - 1, 1ull << 49), 341);
	assert_int_equal(pvs_perf_contention(NEVER, NEVER), 512);
	/* a 1024th of all; from 2^50 on, 16 bits of each are cut off, and it may be less */
	assert_int_equal(pvs_perf_contention(1023 * ((1ull << 40) + 65535), (1ull << 40) + 65535),
			 1);
	assert_int_equal(pvs_perf_contention(1023 * ((1ull << 41) + 65535), (1ull << 41) + 65535),
			 0);
	assert_int_equal(pvs_perf_contention(1023 * ((1ull << 41) + 65536), (1ull << 41) + 65536),
			 1);
	assert_int_equal(pvs_perf_contention(1023 * ((1ull << 41) + 32768), (1ull << 41) + 32768),
			 0);
	assert_int_equal(pvs_perf_contention(0, NEVER), 1024);
	assert_int_equal(pvs_perf_contention(NEVER, 0), 0);
}

/* Two little, one medium, one big; what is on them is 0 unless said otherwise. */
static struct pvs_perf_cpus unequal(void)
{
	struct pvs_perf_cpus cpus = { .count = 4 };

	cpus.cpu[0].capacity = 1024;
	cpus.cpu[1].capacity = 250;
	cpus.cpu[2].capacity = 250;
	cpus.cpu[3].capacity = 600;
	return cpus;
}

static void fit__smallest_that_is_big_enough(void **state)
{
	struct pvs_perf_cpus cpus = unequal();

	(void)state;
	assert_int_equal(pvs_perf_fit(&cpus, 0), 1);
	assert_int_equal(pvs_perf_fit(&cpus, 199), 1); /* 199 * 1280 < 250 * 1024 */
	assert_int_equal(pvs_perf_fit(&cpus, 200), 3); /* exactly 1.25: not less */
	assert_int_equal(pvs_perf_fit(&cpus, 479), 3);
	assert_int_equal(pvs_perf_fit(&cpus, 480), 0);
}

static void fit__what_is_on_a_cpu_counts(void **state)
{
	struct pvs_perf_cpus cpus = unequal();

	(void)state;
	cpus.cpu[1].sum = 150;
	assert_int_equal(pvs_perf_fit(&cpus, 49), 2); /* both fit: the emptier one */
	cpus.cpu[2].sum = 150;
	assert_int_equal(pvs_perf_fit(&cpus, 49), 1); /* equal: the lowest index */
	assert_int_equal(pvs_perf_fit(&cpus, 50), 3);
	cpus.cpu[3].sum = 0xffffffffu;
	assert_int_equal(pvs_perf_fit(&cpus, 50), 0);
}

static void fit__biggest_if_none_is_big_enough(void **state)
{
	struct pvs_perf_cpus cpus = unequal();

	(void)state;
	assert_int_equal(pvs_perf_fit(&cpus, 1024), 0);
	assert_int_equal(pvs_perf_fit(&cpus, 65535), 0); /* counts as 1024 */
	cpus.cpu[2].capacity = 1024;
	assert_int_equal(pvs_perf_fit(&cpus, 1000), 0);
	cpus.cpu[0].sum = 1;
	assert_int_equal(pvs_perf_fit(&cpus, 1000), 2);
}

static void fit__skips_cpus_that_are_not_to_be_used(void **state)
{
	struct pvs_perf_cpus cpus = unequal();

	(void)state;
	cpus.cpu[1].capacity = 0;
	cpus.cpu[2].capacity = 0;
	assert_int_equal(pvs_perf_fit(&cpus, 10), 3);
	cpus.count = 1;
	assert_int_equal(pvs_perf_fit(&cpus, 10), 0);
	cpus.count = 0;
	assert_int_equal(pvs_perf_fit(&cpus, 10), PVS_PERF_NO_CPU);
	cpus.count = 1;
	cpus.cpu[0].capacity = 0;
	assert_int_equal(pvs_perf_fit(&cpus, 10), PVS_PERF_NO_CPU);
	cpus.cpu[0].capacity = 1;
	assert_int_equal(pvs_perf_fit(&cpus, 10), 0);
	cpus = unequal();
	cpus.cpu[63].capacity = 20;
	cpus.count = 64;
	assert_int_equal(pvs_perf_fit(&cpus, 10), 63);
	cpus.count = 65; /* more than there is room for: no further than that */
	assert_int_equal(pvs_perf_fit(&cpus, 10), 63);
}

static void fit__compares_all_numbers_there_are(void **state)
{
	struct pvs_perf_cpus cpus = { .count = 2 };

	(void)state;
	cpus.cpu[0].capacity = 1001; /* both fit */
	cpus.cpu[1].capacity = 1000;
	assert_int_equal(pvs_perf_fit(&cpus, 100), 1);
	cpus.cpu[0].capacity = 40000;
	cpus.cpu[1].capacity = 10000;
	assert_int_equal(pvs_perf_fit(&cpus, 100), 1);
	cpus.cpu[0].capacity = 60000;
	cpus.cpu[0].sum = 0xffffffffu; /* this one does not */
	assert_int_equal(pvs_perf_fit(&cpus, 100), 1);
	cpus.cpu[1].capacity = 60000;
	cpus.cpu[1].sum = 0xfffffffeu; /* neither does */
	assert_int_equal(pvs_perf_fit(&cpus, 100), 1);
	cpus.cpu[1].capacity = 59999;
	cpus.cpu[1].sum = 60000;
	assert_int_equal(pvs_perf_fit(&cpus, 100), 0);
}

#define FOUR(test) cmocka_unit_test_setup(test, four_levels)
#define ONE(test) cmocka_unit_test_setup(test, no_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FOUR(config__zero_means_default),
		FOUR(config__check_names_the_bad_field_and_its_range),
		FOUR(domain__begins_the_same_in_whatever_memory),
		FOUR(domain__utilisation_adds_up_and_gets_headroom_once),
		FOUR(domain__sum_may_exceed_a_cpu_but_the_wish_does_not),
		FOUR(member__put_again_replaces),
		FOUR(member__remove_gives_back_exactly_what_was_put_in),
		FOUR(member__remove_twice_is_once),
		FOUR(domain__never_goes_below_zero),
		FOUR(domain__full_refuses_and_changes_nothing),
		FOUR(member__moves_with_what_it_put_in),
		FOUR(member__margin_of_the_guest_is_taken_out),
		FOUR(bounds__highest_floor_counts_without_headroom),
		FOUR(bounds__floor_counts_for_one_that_states_no_utilisation),
		FOUR(bounds__highest_ceiling_counts),
		FOUR(bounds__ceiling_below_the_floor_is_the_floor),
		FOUR(bounds__each_step_is_found),
		FOUR(table__bad_ones_are_refused),
		FOUR(table__lowest_level_that_is_enough),
		FOUR(table__every_length_is_searched_rightly),
		FOUR(table__value_of_a_guest_is_a_capacity),
		ONE(no_table__any_value_in_proportion),
		FOUR(update__says_level_value_and_target),
		FOUR(update__first_one_is_told_even_if_nothing_is_wanted),
		FOUR(update__up_and_down_wait_their_own_time),
		FOUR(update__a_clock_that_steps_back_counts_as_no_time),
		FOUR(update__overload_is_told_where_the_highest_level_is_too_low),
		ONE(update__without_a_table_the_target_is_the_wish),
		ONE(no_table__the_largest_value_is_safe),
		ONE(no_table__values_are_rounded_up),
		FOUR(word__has_its_fields_clamped),
		FOUR(contention__is_the_share_of_waiting),
		FOUR(fit__smallest_that_is_big_enough),
		FOUR(fit__what_is_on_a_cpu_counts),
		FOUR(fit__biggest_if_none_is_big_enough),
		FOUR(fit__compares_all_numbers_there_are),
		FOUR(fit__skips_cpus_that_are_not_to_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
