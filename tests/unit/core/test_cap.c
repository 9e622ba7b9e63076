/* SPDX-License-Identifier: BSD-2-Clause */
#include "losing_cas.h"

#include "stage.h"

#include "world.h"

unsigned races_to_lose;

/* Somebody else's change gets in first, as often as asked for. */
unsigned long long losing_cas64(unsigned long long *p, unsigned long long expect,
				unsigned long long desired)
{
	if (races_to_lose) {
		races_to_lose--;
		return expect + 1;
	}
	return __sync_val_compare_and_swap(p, expect, desired);
}

static struct pvs_config cfg;
static struct pvs_vm vm;
static const pvs_u64 now = 1000 * MS;

static int fresh(void **state)
{
	(void)state;
	pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg);
	pvs_vm_init(&vm, 0, 1, 1);
	races_to_lose = 0;
	return 0;
}

/* A quantum of this size. */
static int take(pvs_u64 now_ns, pvs_u64 ns)
{
	cfg.vm_quantum_ns = (pvs_u32)ns;
	pvs_config_resolve(&cfg);
	return pvs_cap_take(&vm, &cfg, now_ns);
}

static void cap__gives_its_burst_and_then_nothing(void **state)
{
	(void)state;
	assert_true(take(now, cfg.vm_burst_ns));
	assert_false(take(now, 1000));
}

static void cap__refills_at_its_share(void **state)
{
	(void)state;
	assert_true(take(now, cfg.vm_burst_ns));
	/* half of a CPU: 2 ms of wall time give 1 ms */
	assert_true(take(now + 2 * MS, 1 * MS));
	assert_false(take(now + 2 * MS, 1));
}

static void cap__idle_time_is_kept_up_to_the_burst_only(void **state)
{
	(void)state;
	assert_true(take(now, 1 * MS));
	assert_true(take(now * 1000, cfg.vm_burst_ns));
	assert_false(take(now * 1000, 1));
}

static void cap__refund_gives_back_what_was_taken(void **state)
{
	(void)state;
	assert_true(take(now, cfg.vm_burst_ns));
	pvs_cap_refund(&vm, &cfg, 3 * MS);
	assert_true(take(now, 3 * MS));
	assert_false(take(now, 1));
	pvs_cap_refund(&vm, &cfg, 4000 * MS); /* more than was ever taken */
	assert_int_equal(vm.cap_ns, 0);
}

static void cap__charge_goes_beyond_the_limit(void **state)
{
	(void)state;
	pvs_cap_charge(&vm, &cfg, now, cfg.vm_burst_ns + 5 * MS);
	assert_false(take(now + 10 * MS, 1));
	assert_true(take(now + 11 * MS, 1));
}

static void cap__a_clock_that_steps_back_gives_nothing_extra(void **state)
{
	(void)state;
	assert_true(take(now, 1 * MS));
	assert_false(take(now - 500 * MS, 1));
}

#define DEBT_MAX (10000 * MS) /* cap.c */

static void cap__after_a_step_back_it_refills_from_there_on(void **state)
{
	const pvs_u64 late = now + 3600000 * MS;

	(void)state;
	assert_true(take(late, 1 * MS));
	assert_false(take(now, 1 * MS));
	/* nothing is left, and ten seconds are missing: not an hour */
	assert_false(take(now + DEBT_MAX + 2 * MS - 1, 1 * MS));
	assert_true(take(now + DEBT_MAX + 2 * MS, 1 * MS));
}

/* Many vCPUs that overrun at once owe more than the cap holds, and all of it counts. */
static void cap__debts_beyond_its_capacity_are_not_forgiven(void **state)
{
	pvs_u32 i;

	(void)state;
	for (i = 0; i < 40; i++)
		pvs_cap_charge(&vm, &cfg, now, 3 * MS);
	assert_false(take(now + 40 * 6 * MS - cfg.vm_burst_wall_ns + 2 * MS - 1, 1 * MS));
	assert_true(take(now + 40 * 6 * MS - cfg.vm_burst_wall_ns + 2 * MS, 1 * MS));
}

static void cap__a_charge_after_a_step_back_counts_from_there_on(void **state)
{
	const pvs_u64 late = now + 3600000 * MS;

	(void)state;
	assert_true(take(late, 1 * MS));
	pvs_cap_charge(&vm, &cfg, now, 1 * MS);
	assert_true(vm.cap_ns == now + DEBT_MAX + cfg.vm_burst_wall_ns + 2 * MS);
}

static void cap__exactly_as_much_as_is_left_can_be_taken(void **state)
{
	(void)state;
	assert_true(take(now, 19 * MS));
	assert_false(take(now, 1 * MS + 1));
	assert_true(take(now, 1 * MS));
	assert_true(vm.cap_ns == now + cfg.vm_burst_wall_ns);
}

static void cap__lost_races_are_tried_again_a_few_times(void **state)
{
	(void)state;
	races_to_lose = 3;
	assert_true(take(now, 1 * MS));
	races_to_lose = 4;
	assert_false(take(now, 1 * MS));
}

static void cap__a_charge_is_never_lost_to_a_race(void **state)
{
	pvs_u64 before;

	(void)state;
	assert_true(take(now, 1 * MS));
	before = vm.cap_ns;
	races_to_lose = 4;
	pvs_cap_charge(&vm, &cfg, now, 1 * MS);
	assert_int_equal(vm.cap_ns - before, 2 * MS);
}

static void cap__a_refund_may_be_lost_to_races_but_never_doubled(void **state)
{
	pvs_u64 before;

	(void)state;
	assert_true(take(now, 1 * MS));
	before = vm.cap_ns;
	races_to_lose = 4;
	pvs_cap_refund(&vm, &cfg, 1 * MS);
	assert_int_equal(vm.cap_ns, before);
	races_to_lose = 1;
	pvs_cap_refund(&vm, &cfg, 1 * MS);
	assert_int_equal(before - vm.cap_ns, 2 * MS);
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(cap__gives_its_burst_and_then_nothing),
		unit(cap__refills_at_its_share),
		unit(cap__idle_time_is_kept_up_to_the_burst_only),
		unit(cap__refund_gives_back_what_was_taken),
		unit(cap__charge_goes_beyond_the_limit),
		unit(cap__a_clock_that_steps_back_gives_nothing_extra),
		unit(cap__debts_beyond_its_capacity_are_not_forgiven),
		unit(cap__after_a_step_back_it_refills_from_there_on),
		unit(cap__a_charge_after_a_step_back_counts_from_there_on),
		unit(cap__exactly_as_much_as_is_left_can_be_taken),
		unit(cap__lost_races_are_tried_again_a_few_times),
		unit(cap__a_charge_is_never_lost_to_a_race),
		unit(cap__a_refund_may_be_lost_to_races_but_never_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
