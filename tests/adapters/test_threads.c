/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads of our own process: boosted, put back, left alone.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000ull

struct scene {
	struct pvs_kvm kvm;
	struct worker worker;
	struct pvs_kvm_thread thread;
	struct pvs_kvm_attr before;
};

static void open_with(struct scene *s, const struct pvs_kvm_options *options, int busy)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(pvs_kvm_open(&s->kvm, options), PVS_OK);
	assert_int_equal(pvs_kvm_control_enter(&s->kvm), PVS_OK);
	worker_start(&s->worker, busy);
	/* Born of a real-time thread with RESET_ON_FORK: an ordinary one. */
	s->before = attr_of(s->worker.tid);
	assert_int_equal(s->before.policy, POLICY_NORMAL);
	assert_int_equal(pvs_kvm_thread_open(&s->thread, &s->kvm, getpid(), s->worker.tid),
			 PVS_OK);
}

static void open_scene(struct scene *s, int busy)
{
	open_with(s, NULL, busy);
	if (!pvs_kvm_can_boost(&s->kvm)) {
		worker_stop(&s->worker);
		skip_because("no way to boost a thread here: %s", s->kvm.reason);
	}
}

static void capture(struct scene *s)
{
	assert_int_equal(pvs_kvm_ops.capture(&s->thread), PVS_OK);
}

static void close_scene(struct scene *s)
{
	worker_stop(&s->worker);
	pvs_kvm_thread_close(&s->thread);
	pvs_kvm_close(&s->kvm);
}

static void assert_attr(int tid, const struct pvs_kvm_attr *want)
{
	struct pvs_kvm_attr now = attr_of(tid);

	now.flags = want->flags; /* RESET_ON_FORK may stay where nobody may clear it */
	assert_memory_equal(&now, want, sizeof(now));
}

/* ---- there and back -------------------------------------------------------------------------- */

static void boost__and_restore_bring_back_exactly_what_was(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	/* Not the defaults: a slice of its own, a nice, batch. */
	s.before.policy = POLICY_BATCH;
	s.before.nice = 3;
	s.before.runtime_ns = (s.kvm.range.knobs & PVS_KVM_KNOB_SLICE) ? 5 * MS : 0;
	assert_int_equal(pvs_kvm_attr_set(s.worker.tid, &s.before), 0);
	s.before = attr_of(s.worker.tid);
	capture(&s);
	assert_attr(s.worker.tid, &s.before);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_task), PVS_OK);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_below), PVS_OK);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_task), PVS_OK);
	assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_OK);
	assert_attr(s.worker.tid, &s.before);
	assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_OK);
	close_scene(&s);
}

static void boost__is_really_one(void **state)
{
	struct pvs_kvm_attr now;
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
	now = attr_of(s.worker.tid);
	assert_true(is_boosted(&s.before, &now));
	assert_true(now.flags & FLAG_RESET_ON_FORK);
	assert_int_equal(s.thread.baseline.runtime_ns, 0);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_baseline), PVS_OK);
	assert_attr(s.worker.tid, &s.before);
	assert_int_equal(s.thread.changed, 0);
	close_scene(&s);
}

static void boost__keeps_the_control_thread_above(void **state)
{
	struct pvs_kvm_attr control, now;
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	if (!s.kvm.control_ready) {
		close_scene(&s);
		skip_because("real-time is not permitted here");
	}
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
	control = attr_of(0);
	now = attr_of(s.worker.tid);
	assert_int_equal(control.policy, POLICY_FIFO);
	assert_true(control.priority > now.priority);
	close_scene(&s);
	control = attr_of(0);
	assert_int_equal(control.policy, POLICY_NORMAL);
}

static void real_time__is_used_only_below_a_control_thread(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	pvs_kvm_control_leave(&s.kvm);
	capture(&s);
	assert_false(s.thread.range.knobs & PVS_KVM_KNOB_RT);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
	assert_int_equal(attr_of(s.worker.tid).policy, POLICY_NORMAL);
	close_scene(&s);
}

static void each_knob_alone__there_and_back(void **state)
{
	static const pvs_u32 knobs[] = { PVS_KVM_KNOB_RT, PVS_KVM_KNOB_NICE, PVS_KVM_KNOB_BELOW,
					 PVS_KVM_KNOB_SLICE, PVS_KVM_KNOB_UCLAMP };
	struct pvs_decision d = decide_critical;
	unsigned tried = 0;
	size_t i;

	(void)state;
	d.perf_q10 = 700;
	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		struct pvs_kvm_options options = { .knobs = knobs[i] };
		struct scene s;

		open_with(&s, &options, 0);
		assert_int_equal(s.kvm.range.knobs & ~knobs[i], 0);
		if (s.kvm.range.knobs) {
			tried++;
			capture(&s);
			assert_int_equal(pvs_kvm_ops.apply(&s.thread, knobs[i] == PVS_KVM_KNOB_BELOW
								      ? &decide_below : &d),
					 PVS_OK);
			assert_int_equal(s.thread.changed, 1);
			assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_OK);
			assert_attr(s.worker.tid, &s.before);
		}
		close_scene(&s);
	}
	print_message("%u knobs of %zu are permitted here\n", tried, i);
}

static void counters_only__turns_nothing(void **state)
{
	struct pvs_kvm_options options = { .counters_only = 1 };
	struct scene s;

	(void)state;
	open_with(&s, &options, 0);
	assert_int_equal(s.kvm.range.knobs, 0);
	assert_int_equal(pvs_kvm_can_boost(&s.kvm), 0);
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_below), PVS_OK);
	assert_attr(s.worker.tid, &s.before);
	close_scene(&s);
}

static void close__restores(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
	pvs_kvm_thread_close(&s.thread);
	assert_attr(s.worker.tid, &s.before);
	close_scene(&s);
}

/* ---- not ours -------------------------------------------------------------------------------- */

static void foreign_change__is_seen_and_left_alone(void **state)
{
	struct pvs_kvm_attr theirs;
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
	theirs = s.before;
	theirs.policy = POLICY_BATCH;
	theirs.nice = 7;
	theirs.flags = FLAG_RESET_ON_FORK;
	assert_int_equal(pvs_kvm_attr_set(s.worker.tid, &theirs), 0);
	theirs = attr_of(s.worker.tid);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_task), PVS_E_FOREIGN);
	assert_attr(s.worker.tid, &theirs);
	assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_OK);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_task), PVS_E_STATE);
	assert_attr(s.worker.tid, &theirs);
	/* Asked again, we take what is there for the baseline. */
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_task), PVS_OK);
	assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_OK);
	assert_attr(s.worker.tid, &theirs);
	close_scene(&s);
}

static void foreign_change__during_a_boost_survives_the_restore(void **state)
{
	struct pvs_kvm_attr theirs;
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
	theirs = s.before;
	theirs.nice = 9;
	theirs.flags = FLAG_RESET_ON_FORK;
	assert_int_equal(pvs_kvm_attr_set(s.worker.tid, &theirs), 0);
	theirs = attr_of(s.worker.tid);
	assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_E_FOREIGN);
	assert_attr(s.worker.tid, &theirs);
	close_scene(&s);
}

static void real_time_thread__is_not_taken(void **state)
{
	struct pvs_kvm_attr fifo = { .policy = POLICY_FIFO, .priority = 1 };
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	if (pvs_kvm_attr_set(s.worker.tid, &fifo)) {
		close_scene(&s);
		skip_because("real-time is not permitted here");
	}
	assert_int_equal(pvs_kvm_ops.capture(&s.thread), PVS_E_NO_SUPPORT);
	assert_int_equal(attr_of(s.worker.tid).policy, POLICY_FIFO);
	close_scene(&s);
}

static void thread_that_ended__is_gone(void **state)
{
	struct pvs_facts facts = { 0 };
	struct pvs_kvm_thread other;
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_task), PVS_OK);
	worker_stop(&s.worker);
	assert_int_equal(pvs_kvm_ops.now(&s.thread, &facts, 1), PVS_E_GONE);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_E_GONE);
	assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_OK);
	pvs_kvm_thread_close(&s.thread);
	assert_int_equal(pvs_kvm_thread_open(&other, &s.kvm, getpid(), s.worker.tid), PVS_E_GONE);
	pvs_kvm_close(&s.kvm);
}

/* A process that has used up its descriptors, as a busy VMM may for a while. */
static void without_descriptors(const struct rlimit *usual, int without)
{
	struct rlimit none = *usual;

	if (without)
		none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void a_passing_shortage__leaves_no_thread_boosted(void **state)
{
	struct pvs_kvm_attr before;
	struct rlimit usual;
	struct scene s;
	int with_file;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	for (with_file = 1; with_file >= 0; with_file--) {
		open_scene(&s, 0);
		before = attr_of(s.worker.tid);
		capture(&s);
		assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_task), PVS_OK);
		if (!with_file) {
			close(s.thread.schedstat_fd);
			s.thread.schedstat_fd = -1;
		}
		without_descriptors(&usual, 1);
		assert_int_equal(pvs_kvm_ops.restore(&s.thread), with_file ? PVS_OK : PVS_E_HOST);
		without_descriptors(&usual, 0);
		assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_OK);
		assert_attr(s.worker.tid, &before);
		close_scene(&s);
	}
}

static void another_thread_with_the_same_number__is_not_touched(void **state)
{
	struct pvs_kvm_attr boosted;
	struct scene s;

	(void)state;
	open_scene(&s, 0);
	capture(&s);
	assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_task), PVS_OK);
	boosted = attr_of(s.worker.tid);
	close(s.thread.schedstat_fd); /* which cannot be mistaken */
	s.thread.schedstat_fd = -1;
	s.thread.start_time++;
	assert_int_equal(pvs_kvm_ops.restore(&s.thread), PVS_E_GONE);
	assert_attr(s.worker.tid, &boosted);
	assert_int_equal(pvs_kvm_ops.capture(&s.thread), PVS_E_GONE);
	close_scene(&s);
}

/* ---- inheritance ----------------------------------------------------------------------------- */

/* In the boosted thread: a child process, and its scheduling. */
static void *fork_and_ask(void *arg)
{
	struct pvs_kvm_attr *child_attr = arg;
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return NULL;
	pid = fork();
	if (!pid) {
		struct pvs_kvm_attr own;

		if (pvs_kvm_attr_get(0, &own) || write(ends[1], &own, sizeof(own)) < 0)
			_exit(1);
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], child_attr, sizeof(*child_attr)) != (ssize_t)sizeof(*child_attr))
		memset(child_attr, 0xff, sizeof(*child_attr));
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return NULL;
}

static void *ask_self(void *arg)
{
	if (pvs_kvm_attr_get(0, arg))
		memset(arg, 0xff, sizeof(struct pvs_kvm_attr));
	return NULL;
}

static void *thread_and_ask(void *arg)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, ask_self, arg))
		pthread_join(thread, NULL);
	return NULL;
}

static void children_of_a_boosted_thread__are_not_boosted(void **state)
{
	void *(*const births[])(void *) = { fork_and_ask, thread_and_ask };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct pvs_kvm_attr child;
		struct scene s;

		open_scene(&s, 0);
		capture(&s);
		assert_int_equal(pvs_kvm_ops.apply(&s.thread, &decide_critical), PVS_OK);
		memset(&child, 0xff, sizeof(child));
		worker_do(&s.worker, births[i], &child);
		assert_int_equal(child.policy, POLICY_NORMAL);
		assert_int_equal(child.nice, 0);
		assert_int_equal(child.runtime_ns, s.kvm.range.slice_own_ns);
		close_scene(&s);
	}
}

/* ---- clocks, timer, kick --------------------------------------------------------------------- */

static pvs_u64 monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (pvs_u64)ts.tv_sec * 1000u * MS + (pvs_u64)ts.tv_nsec;
}

static void clock__counts_run_time_of_a_busy_thread(void **state)
{
	struct pvs_facts a = { 0 }, b = { 0 };
	pvs_u64 before_ns, after_ns;
	unsigned waited;
	struct scene s;

	(void)state;
	open_with(&s, NULL, 1);
	before_ns = monotonic_ns();
	assert_int_equal(pvs_kvm_ops.now(&s.thread, &a, PVS_SAMPLE_RUN_WAIT), PVS_OK);
	for (waited = 0; waited < PATIENCE_MS && b.run_ns < a.run_ns + 10 * MS; waited += 5) {
		sleep_ms(5);
		assert_int_equal(pvs_kvm_ops.now(&s.thread, &b, PVS_SAMPLE_RUN_WAIT), PVS_OK);
	}
	assert_true(b.run_ns >= a.run_ns + 10 * MS);
	/* Not b.now_ns - a.now_ns: the two clocks are not read in the same instant. */
	after_ns = monotonic_ns();
	assert_true(after_ns - before_ns >= b.run_ns - a.run_ns);
	assert_true(b.wait_ns >= a.wait_ns);
	assert_int_equal(b.timer_granularity_ns, 50000);
	close_scene(&s);
}

static int readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void timer__fires_once_armed_and_not_when_disarmed(void **state)
{
	struct pvs_facts facts = { 0 };
	struct pvs_kvm_vm vm;
	struct pvs_kvm kvm;

	(void)state;
	assert_int_equal(pvs_kvm_open(&kvm, NULL), PVS_OK);
	assert_int_equal(pvs_kvm_vm_open(&vm, &kvm), PVS_OK);
	assert_int_equal(pvs_kvm_ops.now(&vm, &facts, 0), PVS_OK);
	assert_false(readable(vm.timer_fd, 0));
	assert_int_equal(pvs_kvm_ops.arm(&vm, facts.now_ns + MS), PVS_OK);
	assert_true(readable(vm.timer_fd, PATIENCE_MS));
	pvs_kvm_vm_timer_ack(&vm);
	assert_false(readable(vm.timer_fd, 0));
	pvs_kvm_vm_timer_ack(&vm); /* nothing to read: does not block */
	/* A time that has passed is now. */
	assert_int_equal(pvs_kvm_ops.arm(&vm, 0), PVS_OK);
	assert_true(readable(vm.timer_fd, PATIENCE_MS));
	assert_int_equal(pvs_kvm_ops.arm(&vm, PVS_NEVER), PVS_OK);
	assert_false(readable(vm.timer_fd, 20));
	pvs_kvm_vm_close(&vm);
	pvs_kvm_close(&kvm);
}

static int kicked;

static void on_kick(int sig)
{
	(void)sig;
	__atomic_store_n(&kicked, 1, __ATOMIC_RELEASE);
}

static void kick__signals_the_thread_and_sets_the_flag(void **state)
{
	struct sigaction action = { .sa_handler = on_kick };
	volatile pvs_u8 flag = 0;
	unsigned waited;
	struct scene s;

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	open_with(&s, NULL, 0);
	assert_int_equal(pvs_kvm_ops.kick(&s.thread), PVS_E_NO_SUPPORT);
	s.thread.kick_signal = SIGUSR1;
	s.thread.immediate_exit = &flag;
	assert_int_equal(pvs_kvm_ops.kick(&s.thread), PVS_OK);
	assert_int_equal(flag, 1);
	for (waited = 0; waited < PATIENCE_MS && !__atomic_load_n(&kicked, __ATOMIC_ACQUIRE);
	     waited++)
		sleep_ms(1);
	assert_int_equal(kicked, 1);
	worker_stop(&s.worker);
	assert_int_equal(pvs_kvm_ops.kick(&s.thread), PVS_E_GONE);
	pvs_kvm_thread_close(&s.thread);
	pvs_kvm_close(&s.kvm);
}

/* ---- all together ---------------------------------------------------------------------------- */

static void liar_guest(struct pvs_region_header *header)
{
	struct pvs_slot *slot = (struct pvs_slot *)(void *)((unsigned char *)header +
							    PVS_HEADER_SIZE);

	header->guest_major = PVS_ABI_MAJOR;
	header->guest_minor = PVS_ABI_MINOR;
	header->guest_generation = header->generation;
	header->features_accepted = PVS_F_COUNTERS;
	header->guest_command = PVS_CMD_ACCEPT;
	slot->intent = PVS_PUT(PVS_URGENCY_REALTIME, PVS_INTENT_CLASS_SHIFT,
			       PVS_INTENT_CLASS_BITS) | PVS_PUT(1, PVS_INTENT_SEQ_SHIFT, 8);
	slot->life = PVS_LIFE_ONLINE | ((pvs_u64)header->generation << PVS_LIFE_GEN_SHIFT);
}

/* A vCPU that says "real-time" and never stops computing is boosted, and the timer ends it. */
static void host__boosts_a_liar_and_ends_it(void **state)
{
	struct pvs_region_header *header = aligned_alloc(4096, pvs_host_region_size(1));
	struct pvs_host_args args = { .ops = &pvs_kvm_ops, .region = header, .slot_count = 1 };
	struct pvs_host_vcpu vcpu;
	struct pvs_kvm_vm vm;
	struct pvs_host host;
	unsigned timers;
	struct scene s;

	(void)state;
	open_scene(&s, 1);
	assert_int_equal(pvs_kvm_vm_open(&vm, &s.kvm), PVS_OK);
	args.ctx = &vm;
	args.vcpus = &vcpu;
	args.caps = pvs_kvm_caps(&s.kvm);
	assert_int_equal(pvs_host_init(&host, &args), PVS_OK);
	assert_int_equal(pvs_host_attach(&host, 0, &s.thread, 0), PVS_OK);
	liar_guest(header);
	for (timers = 0; timers < 20000 && !vcpu.core.overruns && !vcpu.core.denials; timers++) {
		assert_true(readable(vm.timer_fd, PATIENCE_MS));
		pvs_kvm_vm_timer_ack(&vm);
		pvs_host_timer(&host);
	}
	assert_true(vcpu.core.boosts > 0);
	assert_true(vcpu.core.overruns || vcpu.core.denials);
	assert_true(header->vm_boosts > 0);
	pvs_host_close(&host);
	assert_attr(s.worker.tid, &s.before);
	assert_int_equal(host.counters.errors, 0);
	pvs_kvm_vm_close(&vm);
	close_scene(&s);
	free(header);
}

static void options__out_of_range_are_refused(void **state)
{
	static const struct pvs_kvm_options bad[] = {
		{ .knobs = PVS_KVM_KNOB_ALL + 1u },
		{ .rt_base = 81 },
		{ .timer_granularity_ns = 999 },
		{ .timer_granularity_ns = 10000001 },
		{ .entitlement_q16 = 65537 },
		{ .guard_slots = 65537 },
	};
	struct pvs_kvm kvm;
	size_t i;

	(void)state;
	assert_int_equal(pvs_kvm_open(NULL, NULL), PVS_E_INVALID);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pvs_kvm_open(&kvm, &bad[i]), PVS_E_RANGE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boost__and_restore_bring_back_exactly_what_was),
		cmocka_unit_test(boost__is_really_one),
		cmocka_unit_test(boost__keeps_the_control_thread_above),
		cmocka_unit_test(real_time__is_used_only_below_a_control_thread),
		cmocka_unit_test(each_knob_alone__there_and_back),
		cmocka_unit_test(counters_only__turns_nothing),
		cmocka_unit_test(close__restores),
		cmocka_unit_test(foreign_change__is_seen_and_left_alone),
		cmocka_unit_test(foreign_change__during_a_boost_survives_the_restore),
		cmocka_unit_test(real_time_thread__is_not_taken),
		cmocka_unit_test(thread_that_ended__is_gone),
		cmocka_unit_test(a_passing_shortage__leaves_no_thread_boosted),
		cmocka_unit_test(another_thread_with_the_same_number__is_not_touched),
		cmocka_unit_test(children_of_a_boosted_thread__are_not_boosted),
		cmocka_unit_test(clock__counts_run_time_of_a_busy_thread),
		cmocka_unit_test(timer__fires_once_armed_and_not_when_disarmed),
		cmocka_unit_test(kick__signals_the_thread_and_sets_the_flag),
		cmocka_unit_test(host__boosts_a_liar_and_ends_it),
		cmocka_unit_test(options__out_of_range_are_refused),
	};

	bench_begin(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
