/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is /dev/kvm any good? Whatever it is, the answer comes soon and in one line.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
/* The promise is two seconds; a loaded machine may look at the clock late. */
#define BOUND_NS 10000000000ull
#define SKIP 77

static void probe__answers_in_time_and_in_one_line(void **state)
{
	pvs_u64 start_ns = pvs_kvm_clock_ns();
	struct pvs_kvm_quality q;
	int err = pvs_kvm_probe_kvm(&q);

	(void)state;
	assert_true(pvs_kvm_clock_ns() - start_ns < BOUND_NS);
	print_message("%s\n", q.reason);
	assert_true(strlen(q.reason) > 10);
	assert_null(strchr(q.reason, '\n'));
	if (err == PVS_OK) {
		assert_true(q.slowdown > 0 && q.slowdown <= PVS_KVM_SLOWDOWN_MAX);
		assert_true(q.iterations > 0);
	} else {
		assert_true(err == PVS_E_NO_SUPPORT || err == PVS_E_PERM);
		assert_true(q.slowdown <= 0 || q.slowdown > PVS_KVM_SLOWDOWN_MAX);
	}
}

static void probe__leaves_no_child_behind(void **state)
{
	struct pvs_kvm_quality q;

	(void)state;
	(void)pvs_kvm_probe_kvm(&q);
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

/* Runs in a child with a changed world; its exit status is the answer. */
static int answer_in_child(int (*change)(void), int status, const char *word)
{
	pid_t pid = fork();
	int result;

	assert_true(pid >= 0);
	if (!pid) {
		struct pvs_kvm_quality q;

		if (change())
			_exit(SKIP);
		if (pvs_kvm_probe_kvm(&q) != status || !strstr(q.reason, word)) {
			fprintf(stderr, "got: %s\n", q.reason);
			_exit(1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_true(WIFEXITED(result));
	return WEXITSTATUS(result);
}

static int hide_dev(void)
{
	return unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("none", "/dev", "tmpfs", 0, NULL);
}

static void probe__says_that_there_is_no_kvm(void **state)
{
	int result = answer_in_child(hide_dev, PVS_E_NO_SUPPORT, "not there");

	(void)state;
	if (result == SKIP)
		skip_because("hiding /dev needs root and mount namespaces");
	assert_int_equal(result, 0);
}

static int lose_permission(void)
{
	return access("/dev/kvm", F_OK) || setresgid(NOBODY, NOBODY, NOBODY) ||
	       setresuid(NOBODY, NOBODY, NOBODY) || !access("/dev/kvm", R_OK | W_OK);
}

static void probe__says_that_it_may_not(void **state)
{
	int result = answer_in_child(lose_permission, PVS_E_PERM, "no permission");

	(void)state;
	if (result == SKIP)
		skip_because("/dev/kvm is absent, or open to everybody, or we are not root");
	assert_int_equal(result, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe__answers_in_time_and_in_one_line),
		cmocka_unit_test(probe__leaves_no_child_behind),
		cmocka_unit_test(probe__says_that_there_is_no_kvm),
		cmocka_unit_test(probe__says_that_it_may_not),
	};

	bench_begin(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
