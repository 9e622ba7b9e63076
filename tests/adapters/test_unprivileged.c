/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same without privileges: no knob is used whose way back is not permitted.
 *
 * Each case runs in a child that has the limits of the case and, when the test is root, becomes
 * nobody. Without CAP_SYS_RESOURCE limits can only be lowered, so that the cases that need some are
 * skipped; tests/unit/adapters/test_knobs.c has them all, with a kernel that is played.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534u
#define SKIP 77
#define PRIVILEGED_KNOBS (PVS_KVM_KNOB_RT | PVS_KVM_KNOB_NICE | PVS_KVM_KNOB_BELOW)
/* RLIMIT_NICE counts from 1 = nice 19 to 40 = nice -20. */
#define NICE_LIMIT(nice) (20u - (unsigned)(nice))

struct limits {
	unsigned nice;
	unsigned rtprio;
	int start_nice;
};

/* In the child: what is wrong is its exit status, a line number. */
#define EXPECT(condition)                                                             \
	do {                                                                          \
		if (!(condition)) {                                                   \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__,    \
				#condition);                                          \
			_exit(1);                                                     \
		}                                                                     \
	} while (0)

static void become_nobody(const struct limits *l)
{
	struct rlimit nice = { l->nice, l->nice };
	struct rlimit rtprio = { l->rtprio, l->rtprio };

	if (setpriority(PRIO_PROCESS, 0, l->start_nice) || setrlimit(RLIMIT_NICE, &nice) ||
	    setrlimit(RLIMIT_RTPRIO, &rtprio))
		_exit(SKIP);
	if (geteuid())
		return;
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		_exit(SKIP);
	EXPECT(setuid(0));
	/* A change of user makes /proc/self root's; as after an exec, it is ours again. */
	prctl(PR_SET_DUMPABLE, 1);
}

static void run_as_nobody(const struct limits *l, void (*play)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		become_nobody(l);
		play();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == SKIP)
		skip_because("raising these limits needs CAP_SYS_RESOURCE");
	assert_int_equal(WEXITSTATUS(status), 0);
}

struct scene {
	struct pvs_kvm kvm;
	struct worker worker;
	struct pvs_kvm_thread thread;
	struct pvs_kvm_attr before;
};

static void open_scene(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	EXPECT(pvs_kvm_open(&s->kvm, NULL) == PVS_OK);
	EXPECT(pvs_kvm_control_enter(&s->kvm) == PVS_OK);
	worker_start(&s->worker, 0);
	s->before = attr_of(s->worker.tid);
	EXPECT(pvs_kvm_thread_open(&s->thread, &s->kvm, getpid(), s->worker.tid) == PVS_OK);
	EXPECT(pvs_kvm_ops.capture(&s->thread) == PVS_OK);
}

static int at_home(const struct scene *s)
{
	struct pvs_kvm_attr now = attr_of(s->worker.tid);

	now.flags = s->before.flags;
	return !memcmp(&now, &s->before, sizeof(now));
}

static void come_home(struct scene *s)
{
	EXPECT(pvs_kvm_ops.restore(&s->thread) == PVS_OK);
	EXPECT(at_home(s));
	worker_stop(&s->worker);
	pvs_kvm_thread_close(&s->thread);
	pvs_kvm_close(&s->kvm);
}

/* ---- cases ----------------------------------------------------------------------------------- */

static void play_nothing_permitted(void)
{
	struct pvs_kvm_attr now;
	struct scene s;

	open_scene(&s);
	EXPECT(!(s.kvm.range.knobs & PRIVILEGED_KNOBS));
	EXPECT(!s.kvm.privileged);
	EXPECT(!s.kvm.control_ready);
	/* A slice needs no right, where the kernel has them. */
	EXPECT(!s.kvm.range.slice_own_ns == !(s.kvm.range.knobs & PVS_KVM_KNOB_SLICE));
	EXPECT(pvs_kvm_ops.apply(&s.thread, &decide_below) == PVS_OK);
	EXPECT(at_home(&s));
	EXPECT(pvs_kvm_ops.apply(&s.thread, &decide_critical) == PVS_OK);
	now = attr_of(s.worker.tid);
	EXPECT(now.policy == s.before.policy && now.nice == s.before.nice);
	come_home(&s);
}

static void nobody__without_limits_has_no_knob_without_a_way_back(void **state)
{
	struct limits l = { 0, 0, 0 };

	(void)state;
	run_as_nobody(&l, play_nothing_permitted);
}

static void play_below(void)
{
	struct scene s;

	open_scene(&s);
	EXPECT((s.kvm.range.knobs & PRIVILEGED_KNOBS) == PVS_KVM_KNOB_BELOW);
	EXPECT(pvs_kvm_ops.apply(&s.thread, &decide_below) == PVS_OK);
	EXPECT(attr_of(s.worker.tid).nice == 19);
	come_home(&s);
}

static void nobody__with_a_nice_limit_goes_below_and_back(void **state)
{
	struct limits l = { NICE_LIMIT(0), 0, 0 };

	(void)state;
	run_as_nobody(&l, play_below);
}

static void nobody__one_short_of_the_limit_does_not_go_below(void **state)
{
	struct limits l = { NICE_LIMIT(1), 0, 0 };

	(void)state;
	run_as_nobody(&l, play_nothing_permitted);
}

static void play_nice(void)
{
	struct scene s;

	open_scene(&s);
	EXPECT(s.kvm.range.knobs & PVS_KVM_KNOB_NICE);
	EXPECT(s.kvm.range.nice_best == -5);
	EXPECT(pvs_kvm_ops.apply(&s.thread, &decide_critical) == PVS_OK);
	EXPECT(attr_of(s.worker.tid).nice == -5);
	come_home(&s);
}

static void nobody__raises_nice_as_far_as_the_limit(void **state)
{
	struct limits l = { NICE_LIMIT(-5), 0, 0 };

	(void)state;
	run_as_nobody(&l, play_nice);
}

/* Its nice was given by somebody with more rights: down is easy, up again is not permitted. */
static void nobody__does_not_lower_a_nice_it_could_not_give_back(void **state)
{
	struct limits l = { NICE_LIMIT(0), 0, -10 };

	(void)state;
	run_as_nobody(&l, play_nothing_permitted);
}

static void play_real_time(void)
{
	struct scene s;

	open_scene(&s);
	if (!(s.kvm.range.knobs & PVS_KVM_KNOB_RT))
		_exit(SKIP); /* a group without real-time time */
	EXPECT(s.kvm.range.rt_base == 1 && s.kvm.range.rt_levels == 4);
	EXPECT(attr_of(0).priority == 5);
	EXPECT(pvs_kvm_ops.apply(&s.thread, &decide_critical) == PVS_OK);
	EXPECT(attr_of(s.worker.tid).policy == POLICY_FIFO);
	EXPECT(attr_of(s.worker.tid).priority == 4);
	EXPECT(pvs_kvm_ops.apply(&s.thread, &decide_task) == PVS_OK);
	EXPECT(attr_of(s.worker.tid).priority == 1);
	EXPECT(pvs_kvm_ops.apply(&s.thread, &decide_below) == PVS_OK);
	EXPECT(at_home(&s));
	come_home(&s);
}

static void nobody__with_a_real_time_limit_uses_the_priorities_there_are(void **state)
{
	struct limits l = { 0, 5, 0 };

	(void)state;
	run_as_nobody(&l, play_real_time);
}

static void play_too_little_real_time(void)
{
	struct pvs_kvm kvm;

	EXPECT(pvs_kvm_open(&kvm, NULL) == PVS_OK);
	EXPECT(!(kvm.range.knobs & PVS_KVM_KNOB_RT));
	pvs_kvm_close(&kvm);
}

static void nobody__needs_three_priorities_for_real_time(void **state)
{
	struct limits l = { 0, 2, 0 };

	(void)state;
	run_as_nobody(&l, play_too_little_real_time);
}

/* A thread of another process of the same user, whose limits are lower than ours. */
static void play_lower_limits(void)
{
	struct rlimit none = { 0, 0 };
	struct pvs_kvm_thread thread;
	pid_t victim = victim_start();
	struct pvs_kvm kvm;

	EXPECT(!prlimit(victim, RLIMIT_NICE, &none, NULL));
	EXPECT(pvs_kvm_open(&kvm, NULL) == PVS_OK);
	EXPECT(kvm.range.knobs & PVS_KVM_KNOB_BELOW);
	EXPECT(pvs_kvm_thread_open(&thread, &kvm, victim, victim) == PVS_OK);
	if (pvs_kvm_ops.capture(&thread) == PVS_OK) {
		EXPECT(!(thread.range.knobs & PRIVILEGED_KNOBS));
		EXPECT(pvs_kvm_ops.apply(&thread, &decide_below) == PVS_OK);
		EXPECT(attr_of(victim).nice == 0);
	}
	pvs_kvm_thread_close(&thread);
	pvs_kvm_close(&kvm);
	victim_end(victim);
}

static void limits_of_the_other_process__decide_about_its_way_back(void **state)
{
	struct limits l = { NICE_LIMIT(0), 0, 0 };

	(void)state;
	run_as_nobody(&l, play_lower_limits);
}

static void play_somebody_else(void)
{
	struct pvs_kvm_thread thread;
	struct pvs_kvm_attr before, now;
	struct pvs_kvm kvm;
	int err;

	before = attr_of(getppid());
	EXPECT(pvs_kvm_open(&kvm, NULL) == PVS_OK);
	err = pvs_kvm_thread_open(&thread, &kvm, getppid(), getppid());
	if (err == PVS_OK) {
		EXPECT(pvs_kvm_ops.capture(&thread) == PVS_E_PERM);
		EXPECT(pvs_kvm_ops.apply(&thread, &decide_task) == PVS_E_STATE);
		pvs_kvm_thread_close(&thread);
	}
	now = attr_of(getppid());
	EXPECT(!memcmp(&before, &now, sizeof(now)));
	pvs_kvm_close(&kvm);
}

static void nobody__may_not_touch_a_thread_of_somebody_else(void **state)
{
	struct limits l = { 0, 0, 0 };

	(void)state;
	if (geteuid())
		skip_because("needs root to have somebody else");
	run_as_nobody(&l, play_somebody_else);
}

/* Without any right a slice can be changed on a thread of the same user, and the guard can put it
 * back: it has the rights we had. */
static void play_guard(void)
{
	struct pvs_kvm_attr before, now;
	pid_t victim = victim_start();
	pid_t helper;

	before = attr_of(victim);
	helper = fork();
	if (!helper) {
		struct pvs_kvm_thread thread;
		struct pvs_kvm kvm;

		if (pvs_kvm_open(&kvm, NULL) || !pvs_kvm_can_boost(&kvm))
			_exit(SKIP);
		EXPECT(pvs_kvm_thread_open(&thread, &kvm, victim, victim) == PVS_OK);
		EXPECT(pvs_kvm_ops.capture(&thread) == PVS_OK);
		EXPECT(pvs_kvm_ops.apply(&thread, &decide_task) == PVS_OK);
		now = attr_of(victim);
		EXPECT(is_boosted(&before, &now));
		kill(getpid(), SIGKILL);
	} else {
		int status;

		EXPECT(waitpid(helper, &status, 0) == helper);
		if (WIFEXITED(status)) {
			victim_end(victim);
			_exit(WEXITSTATUS(status));
		}
	}
	EXPECT(becomes(victim, &before));
	victim_end(victim);
}

static void nobody__has_a_guard_too(void **state)
{
	struct limits l = { 0, 0, 0 };

	(void)state;
	run_as_nobody(&l, play_guard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody__without_limits_has_no_knob_without_a_way_back),
		cmocka_unit_test(nobody__with_a_nice_limit_goes_below_and_back),
		cmocka_unit_test(nobody__one_short_of_the_limit_does_not_go_below),
		cmocka_unit_test(nobody__raises_nice_as_far_as_the_limit),
		cmocka_unit_test(nobody__does_not_lower_a_nice_it_could_not_give_back),
		cmocka_unit_test(nobody__with_a_real_time_limit_uses_the_priorities_there_are),
		cmocka_unit_test(nobody__needs_three_priorities_for_real_time),
		cmocka_unit_test(limits_of_the_other_process__decide_about_its_way_back),
		cmocka_unit_test(nobody__may_not_touch_a_thread_of_somebody_else),
		cmocka_unit_test(nobody__has_a_guard_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
