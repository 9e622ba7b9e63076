/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which knobs are used under which limits on which kernel: only those with a way back. The kernel
 * is played by fake_kernel.c; tests/adapters asks the real one.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_kernel.h"

#define PRIVILEGED_KNOBS (PVS_KVM_KNOB_RT | PVS_KVM_KNOB_NICE | PVS_KVM_KNOB_BELOW)
/* RLIMIT_NICE counts from 1 = nice 19 to 40 = nice -20. */
#define NICE_LIMIT(nice) (20u - (unsigned)(nice))

static const struct pvs_decision task = { .klass = PVS_CLASS_TASK, .weight_q10 = 1024 };
static const struct pvs_decision critical = { .klass = PVS_CLASS_CRITICAL, .rank = 7,
					      .weight_q10 = 1024 };
static const struct pvs_decision below = { .klass = PVS_CLASS_BELOW, .weight_q10 = 15 };
static const struct pvs_decision half = { .klass = PVS_CLASS_BASELINE, .perf_q10 = 512,
					  .weight_q10 = 1024 };

/* The thread at hand is the test's own: the fake tells threads apart by number only. */
struct scene {
	struct pvs_kvm kvm;
	struct pvs_kvm_thread thread;
	struct pvs_kvm_attr before;
};

static struct pvs_kvm_attr now(void)
{
	struct pvs_kvm_attr a;

	assert_int_equal(pvs_kvm_attr_get(gettid(), &a), 0);
	return a;
}

/* Probed under the limits in `fake`; then the control thread is in place, whoever it is. */
static void open_scene(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(pvs_kvm_open(&s->kvm, NULL), PVS_OK);
	s->kvm.control_ready = (s->kvm.range.knobs & PVS_KVM_KNOB_RT) != 0;
	s->before = now();
	assert_int_equal(pvs_kvm_thread_open(&s->thread, &s->kvm, getpid(), gettid()), PVS_OK);
	assert_int_equal(pvs_kvm_ops.capture(&s->thread), PVS_OK);
}

static void apply(struct scene *s, const struct pvs_decision *d)
{
	assert_int_equal(pvs_kvm_ops.apply(&s->thread, d), PVS_OK);
}

static void assert_home(const struct scene *s)
{
	struct pvs_kvm_attr a = now();

	a.flags = s->before.flags;
	assert_memory_equal(&a, &s->before, sizeof(a));
}

static void close_scene(struct scene *s)
{
	assert_int_equal(pvs_kvm_ops.restore(&s->thread), PVS_OK);
	assert_home(s);
	pvs_kvm_thread_close(&s->thread);
	s->kvm.control_ready = 0;
	pvs_kvm_close(&s->kvm);
}

static void no_limits__no_knob_but_the_slice(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	open_scene(&s);
	assert_int_equal(s.kvm.range.knobs, PVS_KVM_KNOB_SLICE);
	apply(&s, &below);
	assert_home(&s);
	apply(&s, &critical);
	assert_int_equal(now().policy, POLICY_NORMAL);
	assert_int_equal(now().nice, 0);
	assert_int_equal(now().runtime_ns, SLICE_MIN_NS);
	close_scene(&s);
}

static void old_kernel__nothing_can_boost(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	fake.has_slices = 0;
	open_scene(&s);
	assert_int_equal(s.kvm.range.knobs, 0);
	assert_int_equal(pvs_kvm_can_boost(&s.kvm), 0);
	fake.sets = 0;
	apply(&s, &critical);
	apply(&s, &below);
	assert_int_equal(fake.sets, 0);
	close_scene(&s);
}

static void nice_limit_of_the_baseline__goes_below_and_back(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	fake.rlimit_nice = NICE_LIMIT(0);
	open_scene(&s);
	assert_int_equal(s.kvm.range.knobs & PRIVILEGED_KNOBS, PVS_KVM_KNOB_BELOW);
	apply(&s, &below);
	assert_int_equal(now().nice, 19);
	close_scene(&s);
}

static void nice_limit_one_short__does_not_go_below(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	fake.rlimit_nice = NICE_LIMIT(1);
	open_scene(&s);
	assert_int_equal(s.kvm.range.knobs & PRIVILEGED_KNOBS, 0);
	apply(&s, &below);
	assert_home(&s);
	close_scene(&s);
}

static void nice_limit_above_the_baseline__is_how_far_nice_goes(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	fake.rlimit_nice = NICE_LIMIT(-5);
	open_scene(&s);
	assert_int_equal(s.kvm.range.nice_best, -5);
	apply(&s, &critical);
	assert_int_equal(now().nice, -5);
	apply(&s, &below);
	assert_int_equal(now().nice, 19);
	close_scene(&s);
}

/* Its nice was given by somebody with more rights: down is easy, up again is not permitted. */
static void baseline_above_the_limit__is_not_lowered(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	fake.rlimit_nice = NICE_LIMIT(0);
	fake.birth_nice = -10;
	open_scene(&s);
	assert_int_equal(s.thread.range.knobs & PRIVILEGED_KNOBS, 0);
	apply(&s, &below);
	assert_home(&s);
	close_scene(&s);
}

/* The process could; this thread of it could not come back. */
static void baseline_of_one_thread_above_the_limit__is_not_lowered(void **state)
{
	struct pvs_kvm_attr better = { .nice = -10 };
	struct scene s;

	(void)state;
	fake_reset();
	fake.rlimit_nice = NICE_LIMIT(0);
	fake_foreign_set(gettid(), &better);
	open_scene(&s);
	assert_true(s.kvm.range.knobs & PVS_KVM_KNOB_BELOW);
	assert_int_equal(s.thread.range.knobs & PRIVILEGED_KNOBS, 0);
	apply(&s, &below);
	assert_home(&s);
	close_scene(&s);
}

static void baseline_of_another_kind__that_no_knob_fits_is_refused(void **state)
{
	struct pvs_kvm_options options = { .knobs = PVS_KVM_KNOB_BELOW };
	struct pvs_kvm_attr better = { .nice = -10 };
	struct pvs_kvm_thread thread;
	struct pvs_kvm kvm;

	(void)state;
	fake_reset();
	fake.rlimit_nice = NICE_LIMIT(0);
	fake_foreign_set(gettid(), &better);
	assert_int_equal(pvs_kvm_open(&kvm, &options), PVS_OK);
	assert_int_equal(kvm.range.knobs, PVS_KVM_KNOB_BELOW);
	assert_int_equal(pvs_kvm_thread_open(&thread, &kvm, getpid(), gettid()), PVS_OK);
	assert_int_equal(pvs_kvm_ops.capture(&thread), PVS_E_PERM);
	pvs_kvm_thread_close(&thread);
	pvs_kvm_close(&kvm);
}

/* What may be done to a thread of another process. */
static pvs_u32 knobs_of_another(void)
{
	pid_t other = fork();
	struct pvs_kvm_thread thread;
	struct pvs_kvm kvm;
	pvs_u32 knobs;

	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_true(other > 0);
	assert_int_equal(pvs_kvm_open(&kvm, NULL), PVS_OK);
	kvm.control_ready = 1;
	assert_int_equal(pvs_kvm_thread_open(&thread, &kvm, other, other), PVS_OK);
	assert_int_equal(pvs_kvm_ops.capture(&thread), PVS_OK);
	knobs = thread.range.knobs;
	pvs_kvm_thread_close(&thread);
	kvm.control_ready = 0;
	pvs_kvm_close(&kvm);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	return knobs;
}

static void limits_of_the_other_process__decide_about_its_way_back(void **state)
{
	const pvs_u32 all = PRIVILEGED_KNOBS | PVS_KVM_KNOB_SLICE;

	(void)state;
	fake_reset();
	fake.rlimit_nice = fake.other_nice = NICE_LIMIT(-5);
	fake.rlimit_rtprio = fake.other_rtprio = 30;
	assert_int_equal(knobs_of_another(), all);
	fake.other_nice--;
	assert_int_equal(knobs_of_another(), PVS_KVM_KNOB_SLICE);
	fake.other_nice++;
	fake.other_rtprio--;
	assert_int_equal(knobs_of_another(), PVS_KVM_KNOB_SLICE);
	fake.other_rtprio += 2;
	assert_int_equal(knobs_of_another(), all);
	fake.prlimit_fails = EPERM;
	assert_int_equal(knobs_of_another(), PVS_KVM_KNOB_SLICE);
	fake.cap_sys_nice = 1;
	assert_int_equal(knobs_of_another(), all);
}

static void rt_limit__gives_the_priorities_there_are(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	fake.rlimit_rtprio = 5;
	open_scene(&s);
	assert_true(s.kvm.range.knobs & PVS_KVM_KNOB_RT);
	assert_int_equal(s.kvm.range.rt_base, 1);
	assert_int_equal(s.kvm.range.rt_levels, 4);
	apply(&s, &critical);
	assert_int_equal(now().policy, POLICY_FIFO);
	assert_int_equal(now().priority, 4);
	apply(&s, &task);
	assert_int_equal(now().priority, 1);
	apply(&s, &below);
	assert_home(&s);
	close_scene(&s);
}

static void rt_limit__at_its_boundaries(void **state)
{
	static const struct {
		unsigned limit, base, levels;
	} cases[] = {
		{ 0, 0, 0 }, { 1, 0, 0 }, { 2, 0, 0 }, { 3, 1, 2 }, { 16, 1, 15 },
		{ 17, 1, 16 }, { 25, 9, 16 }, { 26, 10, 16 }, { 27, 10, 16 }, { 99, 10, 16 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pvs_kvm kvm;

		fake_reset();
		fake.rlimit_rtprio = cases[i].limit;
		assert_int_equal(pvs_kvm_open(&kvm, NULL), PVS_OK);
		assert_int_equal(kvm.range.rt_base, cases[i].base);
		assert_int_equal(kvm.range.rt_levels, cases[i].levels);
		assert_int_equal((kvm.range.knobs & PVS_KVM_KNOB_RT) != 0, cases[i].levels != 0);
		pvs_kvm_close(&kvm);
	}
}

static void all_rights__use_all_knobs(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	fake.cap_sys_nice = 1;
	fake.has_uclamp = 1;
	open_scene(&s);
	assert_int_equal(s.kvm.range.knobs, PVS_KVM_KNOB_ALL);
	assert_int_equal(s.kvm.range.nice_best, -20);
	apply(&s, &critical);
	assert_int_equal(now().priority, 25);
	assert_true(now().flags & FLAG_RESET_ON_FORK);
	close_scene(&s);
	/* With every right, the flag goes as well. */
	assert_int_equal(now().flags, 0);
}

static void uclamp__is_asked_for_and_taken_back_without_any_right(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	fake.has_uclamp = 1;
	open_scene(&s);
	assert_true(s.kvm.range.knobs & PVS_KVM_KNOB_UCLAMP);
	assert_true(pvs_kvm_caps(&s.kvm) & PVS_CAP_SETS_PERF);
	apply(&s, &half);
	assert_int_equal(now().util_min, 512);
	close_scene(&s);
}

static void slice_of_its_own__comes_back(void **state)
{
	struct pvs_kvm_attr own = { .runtime_ns = 3000000 };
	struct scene s;

	(void)state;
	fake_reset();
	fake_foreign_set(gettid(), &own);
	open_scene(&s);
	assert_int_equal(s.thread.baseline.runtime_ns, 3000000);
	apply(&s, &critical);
	assert_int_equal(now().runtime_ns, SLICE_MIN_NS);
	close_scene(&s);
	/* The scheduler's own is not written down as a number: it may change. */
	fake_reset();
	open_scene(&s);
	assert_int_equal(s.thread.baseline.runtime_ns, 0);
	close_scene(&s);
}

static void reset_on_fork__is_given_back_only_to_who_may_clear_it(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	open_scene(&s);
	apply(&s, &critical);
	close_scene(&s);
	assert_int_equal(now().flags, FLAG_RESET_ON_FORK);
}

static void refused_change__leaves_what_was_and_the_next_one_works(void **state)
{
	struct scene s;

	(void)state;
	fake_reset();
	open_scene(&s);
	fake.set_fails = EPERM;
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &critical), PVS_E_PERM);
	fake.set_fails = EINVAL;
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &critical), PVS_E_HOST);
	fake.set_fails = ESRCH;
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &critical), PVS_E_GONE);
	fake.set_fails = 0;
	assert_home(&s);
	assert_int_equal(pvs_kvm_ops.capture(&s.thread), PVS_OK);
	apply(&s, &critical);
	fake.set_fails = EPERM;
	assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_E_PERM);
	assert_int_equal(s.thread.changed, 1);
	fake.set_fails = 0;
	close_scene(&s);
}

static void control_thread__without_a_right_any_more_says_so(void **state)
{
	struct pvs_kvm kvm;

	(void)state;
	fake_reset();
	fake.rlimit_rtprio = 50;
	assert_int_equal(pvs_kvm_open(&kvm, NULL), PVS_OK);
	fake.rlimit_rtprio = 0;
	assert_int_equal(pvs_kvm_control_enter(&kvm), PVS_E_PERM);
	assert_int_equal(kvm.control_ready, 0);
	fake.rlimit_rtprio = 50;
	assert_int_equal(pvs_kvm_control_enter(&kvm), PVS_OK);
	assert_int_equal(now().priority, 26);
	pvs_kvm_control_leave(&kvm);
	assert_int_equal(now().policy, POLICY_NORMAL);
	pvs_kvm_close(&kvm);
}

static void control_thread__that_is_above_already_stays_there(void **state)
{
	struct pvs_kvm_attr high = { .policy = POLICY_RR, .priority = 60 };
	struct pvs_kvm kvm;

	(void)state;
	fake_reset();
	fake.cap_sys_nice = 1;
	assert_int_equal(pvs_kvm_open(&kvm, NULL), PVS_OK);
	fake_foreign_set(gettid(), &high);
	assert_int_equal(pvs_kvm_control_enter(&kvm), PVS_OK);
	assert_int_equal(now().policy, POLICY_RR);
	assert_int_equal(now().priority, 60);
	pvs_kvm_control_leave(&kvm);
	assert_int_equal(now().priority, 60);
	pvs_kvm_close(&kvm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_limits__no_knob_but_the_slice),
		cmocka_unit_test(old_kernel__nothing_can_boost),
		cmocka_unit_test(nice_limit_of_the_baseline__goes_below_and_back),
		cmocka_unit_test(nice_limit_one_short__does_not_go_below),
		cmocka_unit_test(nice_limit_above_the_baseline__is_how_far_nice_goes),
		cmocka_unit_test(baseline_above_the_limit__is_not_lowered),
		cmocka_unit_test(baseline_of_one_thread_above_the_limit__is_not_lowered),
		cmocka_unit_test(baseline_of_another_kind__that_no_knob_fits_is_refused),
		cmocka_unit_test(limits_of_the_other_process__decide_about_its_way_back),
		cmocka_unit_test(rt_limit__gives_the_priorities_there_are),
		cmocka_unit_test(rt_limit__at_its_boundaries),
		cmocka_unit_test(all_rights__use_all_knobs),
		cmocka_unit_test(uclamp__is_asked_for_and_taken_back_without_any_right),
		cmocka_unit_test(slice_of_its_own__comes_back),
		cmocka_unit_test(reset_on_fork__is_given_back_only_to_who_may_clear_it),
		cmocka_unit_test(refused_change__leaves_what_was_and_the_next_one_works),
		cmocka_unit_test(control_thread__without_a_right_any_more_says_so),
		cmocka_unit_test(control_thread__that_is_above_already_stays_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
