/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a decision becomes on Linux, and when two attributes are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kvm_private.h"

#define LEVELS 16u

static const struct pvs_kvm_attr fair = { .size = 56, .util_max = 1024 };

static const struct pvs_kvm_range everything = {
	.knobs = PVS_KVM_KNOB_ALL, .rt_base = 10, .rt_levels = 16, .nice_best = -20
};

static struct pvs_kvm_range only(pvs_u32 knobs)
{
	struct pvs_kvm_range r = everything;

	r.knobs = knobs;
	return r;
}

static struct pvs_kvm_attr plan(const struct pvs_kvm_attr *baseline, struct pvs_kvm_range range,
				unsigned klass, unsigned rank)
{
	struct pvs_decision d = { .klass = (pvs_u8)klass, .rank = (pvs_u8)rank,
				  .weight_q10 = 1024 };
	struct pvs_kvm_attr out;

	pvs_kvm_plan(baseline, &range, &d, &out);
	return out;
}

static int below_nice(pvs_s32 baseline_nice, pvs_u32 weight_q10)
{
	struct pvs_decision d = { .klass = PVS_CLASS_BELOW, .weight_q10 = weight_q10 };
	struct pvs_kvm_attr baseline = fair;
	struct pvs_kvm_attr out;

	baseline.nice = baseline_nice;
	pvs_kvm_plan(&baseline, &everything, &d, &out);
	return out.nice;
}

static void plan__spreads_ranks_over_consecutive_priorities(void **state)
{
	unsigned rank;

	(void)state;
	for (rank = 0; rank < PVS_RANKS; rank++) {
		struct pvs_kvm_attr a = plan(&fair, everything, PVS_CLASS_TASK, rank);

		assert_int_equal(a.policy, POLICY_FIFO);
		assert_int_equal(a.priority, 10 + rank);
		a = plan(&fair, everything, PVS_CLASS_CRITICAL, rank);
		assert_int_equal(a.priority, 18 + rank);
	}
}

static void plan__keeps_the_order_with_few_priorities(void **state)
{
	struct pvs_kvm_range r = everything;
	pvs_u32 last = 0;
	unsigned level;

	(void)state;
	r.rt_base = 1;
	r.rt_levels = 2;
	for (level = 0; level < LEVELS; level++) {
		struct pvs_kvm_attr a = plan(&fair, r, level < PVS_RANKS ? PVS_CLASS_TASK
									 : PVS_CLASS_CRITICAL,
					     level % PVS_RANKS);

		assert_true(a.priority >= last);
		assert_true(a.priority >= 1 && a.priority <= 2);
		last = a.priority;
	}
	assert_int_equal(plan(&fair, r, PVS_CLASS_TASK, PVS_RANKS - 1).priority, 1);
	assert_int_equal(plan(&fair, r, PVS_CLASS_CRITICAL, 0).priority, 2);
}

static void plan__takes_an_impossible_rank_for_the_highest(void **state)
{
	(void)state;
	assert_int_equal(plan(&fair, everything, PVS_CLASS_TASK, 255).priority, 17);
}

static void plan__boosts_by_nice_and_slice_without_real_time(void **state)
{
	struct pvs_kvm_range r = only(PVS_KVM_KNOB_NICE | PVS_KVM_KNOB_SLICE);
	int last = 0;
	unsigned level;

	(void)state;
	for (level = 0; level < LEVELS; level++) {
		struct pvs_kvm_attr a = plan(&fair, r, level < PVS_RANKS ? PVS_CLASS_TASK
									 : PVS_CLASS_CRITICAL,
					     level % PVS_RANKS);

		assert_int_equal(a.policy, POLICY_NORMAL);
		assert_true(a.nice < last);
		assert_int_equal(a.runtime_ns, SLICE_MIN_NS);
		last = a.nice;
	}
	assert_int_equal(last, -20);
}

static void plan__raises_nice_no_further_than_was_probed(void **state)
{
	struct pvs_kvm_range r = only(PVS_KVM_KNOB_NICE);
	struct pvs_kvm_attr at_best = fair;

	(void)state;
	r.nice_best = -5;
	assert_int_equal(plan(&fair, r, PVS_CLASS_CRITICAL, 7).nice, -5);
	at_best.nice = -5;
	assert_int_equal(plan(&at_best, r, PVS_CLASS_CRITICAL, 7).nice, -5);
}

static void plan__takes_an_idle_thread_out_of_idle_by_nice(void **state)
{
	struct pvs_kvm_attr idle = fair;

	(void)state;
	idle.policy = POLICY_IDLE;
	assert_int_equal(plan(&idle, only(PVS_KVM_KNOB_NICE), PVS_CLASS_TASK, 0).policy,
			 POLICY_NORMAL);
	assert_int_equal(plan(&idle, everything, PVS_CLASS_BELOW, 0).policy, POLICY_IDLE);
}

static void plan__turns_a_weight_into_the_nearest_nice(void **state)
{
	(void)state;
	/* kernel/sched/core.c: nice 3 weighs 526, nice 10 110, nice 18 18, nice 19 15. */
	assert_int_equal(below_nice(0, 1024), 0);
	assert_int_equal(below_nice(0, 512), 3);
	assert_int_equal(below_nice(0, 110), 10);
	assert_int_equal(below_nice(0, 18), 18);
	assert_int_equal(below_nice(0, 15), 19);
	assert_int_equal(below_nice(0, 1), 19);
	assert_int_equal(below_nice(0, 0), 19);
	assert_int_equal(below_nice(10, 512), 13);
	assert_int_equal(below_nice(-20, 15), -1);
}

static void plan__without_a_way_back_stays_at_the_baseline(void **state)
{
	struct pvs_kvm_attr a;

	(void)state;
	a = plan(&fair, only(0), PVS_CLASS_BELOW, 0);
	assert_memory_equal(&a, &fair, sizeof(a));
	a = plan(&fair, only(0), PVS_CLASS_CRITICAL, 7);
	assert_memory_equal(&a, &fair, sizeof(a));
	a = plan(&fair, only(PVS_KVM_KNOB_ALL & ~PVS_KVM_KNOB_UCLAMP), PVS_CLASS_BASELINE, 0);
	assert_memory_equal(&a, &fair, sizeof(a));
}

static void plan__asks_for_performance_within_the_baselines_bounds(void **state)
{
	struct pvs_decision d = { .klass = PVS_CLASS_BASELINE, .perf_q10 = 800 };
	struct pvs_kvm_attr baseline = fair;
	struct pvs_kvm_attr out;

	(void)state;
	pvs_kvm_plan(&baseline, &everything, &d, &out);
	assert_int_equal(out.util_min, 800);
	assert_true(out.flags & FLAG_UTIL_MIN);
	baseline.util_max = 500;
	pvs_kvm_plan(&baseline, &everything, &d, &out);
	assert_int_equal(out.util_min, 500);
	d.perf_q10 = 0;
	pvs_kvm_plan(&baseline, &everything, &d, &out);
	assert_true(out.util_min == UTIL_RESET);
	baseline.util_min = 100;
	pvs_kvm_plan(&baseline, &everything, &d, &out);
	assert_int_equal(out.util_min, 100);
}

static void same__ignores_reset_on_fork_and_the_schedulers_own_slice(void **state)
{
	struct pvs_kvm_attr set = fair;
	struct pvs_kvm_attr now = fair;

	(void)state;
	now.flags = FLAG_RESET_ON_FORK;
	now.runtime_ns = 1400000;
	assert_true(pvs_kvm_attr_same(&now, &set));
	set.runtime_ns = 100000;
	assert_false(pvs_kvm_attr_same(&now, &set));
	now.runtime_ns = 100000;
	assert_true(pvs_kvm_attr_same(&now, &set));
}

static void same__sees_policy_priority_nice_and_util(void **state)
{
	struct pvs_kvm_attr set = fair;
	struct pvs_kvm_attr now = fair;

	(void)state;
	now.nice = 1;
	assert_false(pvs_kvm_attr_same(&now, &set));
	now = fair;
	now.policy = POLICY_BATCH;
	assert_false(pvs_kvm_attr_same(&now, &set));
	now = fair;
	now.util_min = 7;
	assert_true(pvs_kvm_attr_same(&now, &set));
	set.flags = FLAG_UTIL_MIN;
	assert_false(pvs_kvm_attr_same(&now, &set));
	set.util_min = UTIL_RESET;
	assert_true(pvs_kvm_attr_same(&now, &set));
	set = now = fair;
	set.policy = now.policy = POLICY_FIFO;
	set.priority = 10;
	now.priority = 11;
	assert_false(pvs_kvm_attr_same(&now, &set));
	/* The kernel reports no nice of a real-time thread. */
	now.priority = 10;
	set.nice = 5;
	assert_true(pvs_kvm_attr_same(&now, &set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan__spreads_ranks_over_consecutive_priorities),
		cmocka_unit_test(plan__keeps_the_order_with_few_priorities),
		cmocka_unit_test(plan__takes_an_impossible_rank_for_the_highest),
		cmocka_unit_test(plan__boosts_by_nice_and_slice_without_real_time),
		cmocka_unit_test(plan__raises_nice_no_further_than_was_probed),
		cmocka_unit_test(plan__takes_an_idle_thread_out_of_idle_by_nice),
		cmocka_unit_test(plan__turns_a_weight_into_the_nearest_nice),
		cmocka_unit_test(plan__without_a_way_back_stays_at_the_baseline),
		cmocka_unit_test(plan__asks_for_performance_within_the_baselines_bounds),
		cmocka_unit_test(same__ignores_reset_on_fork_and_the_schedulers_own_slice),
		cmocka_unit_test(same__sees_policy_priority_nice_and_util),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
