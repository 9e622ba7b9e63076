/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of another process, and the death of who changed them.
 *
 * Three processes: the test; a victim, whose thread is boosted; a helper, which boosts it and is
 * killed. The helper is a fork of the test and talks over a pipe.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLS 25 /* at random moments of a helper that changes the victim all the time */

#define FLICKERS 32u
#define FLICKER_REST_US 300u

/* What the helper says once the victim is boosted. */
struct report {
	int status;    /* PVS_OK, or what failed */
	int guard_pid;
	int foreign_children; /* 1: wait(-1) saw the guard */
};

struct helper {
	pid_t pid;
	int from; /* reports */
	int to;   /* one byte: go on */
};

struct helper_kit {
	struct pvs_kvm kvm;
	struct pvs_kvm_thread thread;
	pid_t victim;
	int out;
	int in;
};

static void say(struct helper_kit *k, int status)
{
	struct report r = { .status = status };

	if (k->kvm.guard)
		r.guard_pid = k->kvm.guard->pid;
	r.foreign_children = waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
	if (write(k->out, &r, sizeof(r)) != (ssize_t)sizeof(r))
		_exit(3);
}

static int wait_go(struct helper_kit *k)
{
	char byte;

	return read(k->in, &byte, 1) == 1;
}

static int begin(struct helper_kit *k)
{
	int err = pvs_kvm_open(&k->kvm, NULL);

	if (err == PVS_OK)
		err = pvs_kvm_control_enter(&k->kvm);
	if (err == PVS_OK && !pvs_kvm_can_boost(&k->kvm))
		err = PVS_E_PERM;
	if (err == PVS_OK)
		err = pvs_kvm_thread_open(&k->thread, &k->kvm, k->victim, k->victim);
	if (err == PVS_OK)
		err = pvs_kvm_ops.capture(&k->thread);
	return err;
}

static int begin_boosted(struct helper_kit *k)
{
	int err = begin(k);

	return err == PVS_OK ? pvs_kvm_ops.apply(&k->thread, &decide_critical) : err;
}

static void start_helper(struct helper *h, pid_t victim, void (*play)(struct helper_kit *))
{
	int up[2], down[2];

	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	h->pid = fork();
	assert_true(h->pid >= 0);
	if (!h->pid) {
		struct helper_kit k = { .victim = victim, .out = up[1], .in = down[0] };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(up[0]);
		close(down[1]);
		play(&k);
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	h->from = up[0];
	h->to = down[1];
}

static struct report hear(struct helper *h)
{
	struct report r = { .status = PVS_E_HOST };

	assert_int_equal(read(h->from, &r, sizeof(r)), sizeof(r));
	return r;
}

static void end_helper(struct helper *h, int sig)
{
	if (sig)
		kill(h->pid, sig);
	waitpid(h->pid, NULL, 0);
	close(h->from);
	close(h->to);
}

static int exists(int pid)
{
	return !kill(pid, 0);
}

/* Ended, whether or not the first process of this machine has noticed. */
static int has_ended(int pid)
{
	char path[64], text[256] = "";
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 1;
	at = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	fclose(f);
	return !at || at[2] == 'Z';
}

static int ends(int pid)
{
	unsigned waited;

	for (waited = 0; waited < PATIENCE_MS && !has_ended(pid); waited += 2)
		sleep_ms(2);
	return has_ended(pid);
}

struct scene {
	pid_t victim;
	struct pvs_kvm_attr before;
	struct helper helper;
	struct report first;
};

static void open_scene(struct scene *s, void (*play)(struct helper_kit *))
{
	memset(s, 0, sizeof(*s));
	s->victim = victim_start();
	s->before = attr_of(s->victim);
	start_helper(&s->helper, s->victim, play);
	s->first = hear(&s->helper);
	if (s->first.status == PVS_E_PERM) {
		end_helper(&s->helper, SIGKILL);
		victim_end(s->victim);
		skip_because("boosting a thread of another process is not permitted here");
	}
	assert_int_equal(s->first.status, PVS_OK);
}

static void assert_boosted(const struct scene *s)
{
	struct pvs_kvm_attr now = attr_of(s->victim);

	assert_true(is_boosted(&s->before, &now));
}

/* ---- plays ----------------------------------------------------------------------------------- */

static void boost_and_stay(struct helper_kit *k)
{
	say(k, begin_boosted(k));
	while (wait_go(k))
		say(k, pvs_kvm_ops.apply(&k->thread, &decide_task));
}

static void boost_and_exit(struct helper_kit *k)
{
	say(k, begin_boosted(k));
	wait_go(k);
	exit(0); /* without any of the functions that would restore */
}

static void boost_and_exec(struct helper_kit *k)
{
	say(k, begin_boosted(k));
	wait_go(k);
	execl("/bin/sleep", "sleep", "1000", (char *)NULL);
	_exit(4);
}

static void boost_and_close(struct helper_kit *k)
{
	say(k, begin_boosted(k));
	wait_go(k);
	pvs_kvm_thread_close(&k->thread);
	pvs_kvm_close(&k->kvm);
	say(k, PVS_OK);
	wait_go(k);
}

/* A grandchild that holds copies of all our descriptors must not keep the guard waiting. */
static void boost_with_an_heir(struct helper_kit *k)
{
	int err = begin_boosted(k);
	pid_t heir = fork();

	if (!heir) {
		sleep_ms(PATIENCE_MS * 2);
		_exit(0);
	}
	say(k, err);
	while (wait_go(k))
		say(k, heir);
}

static void flicker(struct helper_kit *k)
{
	static const struct pvs_decision *const decisions[] = {
		&decide_critical, &decide_below, &decide_task, &decide_baseline
	};
	int err = begin(k);
	unsigned i;

	say(k, err);
	for (i = 0; err == PVS_OK; i++) {
		err = pvs_kvm_ops.apply(&k->thread, decisions[i % 4u]);
		/* Two real-time threads and two CPUs: others want to live, too. */
		if (i % FLICKERS == 0)
			usleep(FLICKER_REST_US);
	}
	_exit(5);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void sigkill_of_the_helper__puts_the_victim_back(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_stay);
	assert_boosted(&s);
	assert_int_equal(s.first.foreign_children, 0);
	end_helper(&s.helper, SIGKILL);
	assert_true(becomes(s.victim, &s.before));
	assert_true(ends(s.first.guard_pid));
	victim_end(s.victim);
}

static void sigkill_of_the_helpers_group__puts_the_victim_back(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_stay);
	/* The guard is in no group and no session of the helper's. */
	assert_int_equal(getpgid(s.first.guard_pid), s.first.guard_pid);
	kill(s.first.guard_pid, SIGTERM);
	kill(s.first.guard_pid, SIGINT);
	kill(s.first.guard_pid, SIGHUP);
	sleep_ms(20);
	assert_true(exists(s.first.guard_pid));
	assert_boosted(&s);
	end_helper(&s.helper, SIGKILL);
	assert_true(becomes(s.victim, &s.before));
	victim_end(s.victim);
}

static void guard__outranks_the_boosted(void **state)
{
	struct pvs_kvm_attr boosted, guard;
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_stay);
	boosted = attr_of(s.victim);
	guard = attr_of(s.first.guard_pid);
	end_helper(&s.helper, SIGKILL);
	assert_true(becomes(s.victim, &s.before));
	victim_end(s.victim);
	if (boosted.policy != POLICY_FIFO)
		skip_because("real-time is not permitted here");
	assert_int_equal(guard.policy, POLICY_FIFO);
	assert_true(guard.priority > boosted.priority);
}

static void sigkill_at_any_moment__puts_the_victim_back(void **state)
{
	unsigned i;

	(void)state;
	srandom(1);
	for (i = 0; i < KILLS; i++) {
		struct scene s;

		open_scene(&s, flicker);
		usleep((unsigned)random() % 5000u);
		end_helper(&s.helper, SIGKILL);
		assert_true(ends(s.first.guard_pid));
		assert_true(becomes(s.victim, &s.before));
		victim_end(s.victim);
	}
}

static void exit_without_closing__puts_the_victim_back(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_exit);
	assert_boosted(&s);
	assert_int_equal(write(s.helper.to, "g", 1), 1);
	end_helper(&s.helper, 0);
	assert_true(becomes(s.victim, &s.before));
	victim_end(s.victim);
}

static void exec_of_the_helper__puts_the_victim_back(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_exec);
	assert_boosted(&s);
	assert_int_equal(write(s.helper.to, "g", 1), 1);
	assert_true(becomes(s.victim, &s.before));
	end_helper(&s.helper, SIGKILL);
	victim_end(s.victim);
}

static void heir_of_the_helper__does_not_keep_the_guard_waiting(void **state)
{
	struct report r;
	struct scene s;

	(void)state;
	open_scene(&s, boost_with_an_heir);
	assert_int_equal(write(s.helper.to, "g", 1), 1);
	r = hear(&s.helper);
	assert_true(r.status > 0);
	assert_boosted(&s);
	end_helper(&s.helper, SIGKILL);
	assert_true(exists(r.status));
	assert_true(becomes(s.victim, &s.before));
	kill(r.status, SIGKILL);
	victim_end(s.victim);
}

static void orderly_close__restores_and_ends_the_guard(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_close);
	assert_int_equal(write(s.helper.to, "g", 1), 1);
	assert_int_equal(hear(&s.helper).status, PVS_OK);
	assert_true(becomes(s.victim, &s.before));
	assert_false(exists(s.first.guard_pid));
	end_helper(&s.helper, SIGKILL);
	victim_end(s.victim);
}

static void sigkill_of_the_guard__is_mended_at_the_next_change(void **state)
{
	struct report r;
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_stay);
	kill(s.first.guard_pid, SIGKILL);
	sleep_ms(20);
	assert_boosted(&s);
	assert_int_equal(write(s.helper.to, "g", 1), 1);
	r = hear(&s.helper);
	assert_int_equal(r.status, PVS_OK);
	assert_true(r.guard_pid != s.first.guard_pid);
	assert_true(exists(r.guard_pid));
	assert_int_equal(r.foreign_children, 0);
	assert_boosted(&s);
	end_helper(&s.helper, SIGKILL);
	assert_true(becomes(s.victim, &s.before));
	victim_end(s.victim);
}

static void foreign_change__survives_the_death_of_the_helper(void **state)
{
	struct pvs_kvm_attr theirs;
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_stay);
	theirs = s.before;
	theirs.nice = 6;
	theirs.flags = FLAG_RESET_ON_FORK;
	assert_int_equal(pvs_kvm_attr_set(s.victim, &theirs), 0);
	theirs = attr_of(s.victim);
	end_helper(&s.helper, SIGKILL);
	assert_true(ends(s.first.guard_pid));
	assert_true(becomes(s.victim, &theirs));
	victim_end(s.victim);
}

static void death_of_the_victim__is_told_and_harms_nobody(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, boost_and_stay);
	victim_end(s.victim);
	assert_int_equal(write(s.helper.to, "g", 1), 1);
	assert_int_equal(hear(&s.helper).status, PVS_E_GONE);
	end_helper(&s.helper, SIGKILL);
	assert_true(ends(s.first.guard_pid));
}

static void clock_of_another_process__counts(void **state)
{
	struct pvs_facts a = { 0 }, b = { 0 };
	struct pvs_kvm_thread thread;
	pid_t victim = victim_start();
	struct pvs_kvm kvm;
	unsigned waited;

	(void)state;
	assert_int_equal(pvs_kvm_open(&kvm, NULL), PVS_OK);
	assert_int_equal(pvs_kvm_thread_open(&thread, &kvm, victim, victim), PVS_OK);
	assert_int_equal(pvs_kvm_ops.now(&thread, &a, PVS_SAMPLE_RUN_WAIT), PVS_OK);
	for (waited = 0; waited < PATIENCE_MS && b.run_ns < a.run_ns + 20000000u; waited += 5) {
		sleep_ms(5);
		assert_int_equal(pvs_kvm_ops.now(&thread, &b, PVS_SAMPLE_RUN_WAIT), PVS_OK);
	}
	assert_true(b.run_ns >= a.run_ns + 20000000u);
	assert_true(b.timer_granularity_ns >= kvm.options.timer_granularity_ns);
	print_message("clock of another process: %s\n",
		      thread.perf_fd >= 0 ? "task-clock event" : "schedstat");
	victim_end(victim);
	assert_int_equal(pvs_kvm_ops.now(&thread, &b, PVS_SAMPLE_RUN_WAIT), PVS_E_GONE);
	pvs_kvm_thread_close(&thread);
	pvs_kvm_close(&kvm);
}

static void journal_that_is_full__refuses_another_thread(void **state)
{
	struct pvs_kvm_options options = { .guard_slots = 1 };
	struct pvs_kvm_thread one, two;
	pid_t victim = victim_start();
	struct pvs_kvm kvm;

	(void)state;
	assert_int_equal(pvs_kvm_open(&kvm, &options), PVS_OK);
	assert_int_equal(pvs_kvm_thread_open(&one, &kvm, victim, victim), PVS_OK);
	assert_int_equal(pvs_kvm_thread_open(&two, &kvm, victim, victim), PVS_E_NO_SPACE);
	pvs_kvm_thread_close(&one);
	assert_int_equal(pvs_kvm_thread_open(&two, &kvm, victim, victim), PVS_OK);
	pvs_kvm_thread_close(&two);
	pvs_kvm_close(&kvm);
	victim_end(victim);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sigkill_of_the_helper__puts_the_victim_back),
		cmocka_unit_test(sigkill_of_the_helpers_group__puts_the_victim_back),
		cmocka_unit_test(guard__outranks_the_boosted),
		cmocka_unit_test(sigkill_at_any_moment__puts_the_victim_back),
		cmocka_unit_test(exit_without_closing__puts_the_victim_back),
		cmocka_unit_test(exec_of_the_helper__puts_the_victim_back),
		cmocka_unit_test(heir_of_the_helper__does_not_keep_the_guard_waiting),
		cmocka_unit_test(orderly_close__restores_and_ends_the_guard),
		cmocka_unit_test(sigkill_of_the_guard__is_mended_at_the_next_change),
		cmocka_unit_test(foreign_change__survives_the_death_of_the_helper),
		cmocka_unit_test(death_of_the_victim__is_told_and_harms_nobody),
		cmocka_unit_test(clock_of_another_process__counts),
		cmocka_unit_test(journal_that_is_full__refuses_another_thread),
	};

	bench_begin(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
