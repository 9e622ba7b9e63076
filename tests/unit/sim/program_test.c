/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs, step by step. */
#include "guest_world.h"

static void a_run_takes_its_time_and_so_does_a_sleep(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" MACHINE(1)
	      "host-tasks:\n"
	      "  - {name: t, program: [run: 3ms, sleep: 7ms, done]}\n");
	assert_int_equal(row(&w, "task.host/t.work"), 300 * SIM_MS);
	assert_int_equal(row(&w, "task.host/t.loops"), 99);
	assert_int_equal(hist(&w, "task.host/t.wakeup")->max, 0);
	world_end(&w);
}

static void a_period_ends_a_job_and_begins_the_next(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" MACHINE(1)
	      "host-tasks:\n"
	      "  - {name: t, start: 1ms, program: [period: 10ms, run: 4ms]}\n");
	assert_int_equal(row(&w, "task.host/t.jobs"), 100);
	assert_int_equal(row(&w, "task.host/t.misses"), 0);
	assert_int_equal(hist(&w, "task.host/t.response")->min, 4 * SIM_MS);
	assert_int_equal(hist(&w, "task.host/t.response")->max, 4 * SIM_MS);
	world_end(&w);
}

static void periods_that_are_overrun_are_missed_each(void **state)
{
	struct guest_world w;

	(void)state;
	/* a job of 25 ms, from 0 to 25: late itself, and those of 10 and 20 have no job */
	world(&w, "fifo", "duration: 299ms\n" MACHINE(1)
	      "host-tasks:\n"
	      "  - {name: t, program: [period: 10ms, run: 25ms]}\n");
	assert_int_equal(row(&w, "task.host/t.jobs"), 10);
	assert_int_equal(row(&w, "task.host/t.misses"), 30);
	world_end(&w);
}

static void a_deadline_counts_in_place_of_the_period(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 99ms\n" MACHINE(1)
	      "host-tasks:\n"
	      "  - {name: t, deadline: 3ms, program: [period: 10ms, run: 4ms]}\n"
	      "  - {name: u, start: 5ms, deadline: 4ms, program: [period: 10ms, run: 4ms]}\n");
	assert_int_equal(row(&w, "task.host/t.misses"), 10);
	assert_int_equal(row(&w, "task.host/u.misses"), 0);
	world_end(&w);
}

static void until_computes_up_to_its_phase(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 100ms\n" MACHINE(1)
	      "host-tasks:\n"
	      "  - {name: t, program: [until: {every: 10ms, at: 9500us}, sleep: 600us]}\n");
	/* from 0 to 9.5 ms, then from 0.1 ms of each */
	assert_int_equal(row(&w, "task.host/t.work"), 95 * SIM_MS - 9 * 100 * SIM_US);
	world_end(&w);
}

static void loops_within_loops_count_for_themselves(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" MACHINE(1)
	      "host-tasks:\n"
	      "  - {name: t, program: [run: 1ms, repeat: {from: 0, times: 3}, run: 10ms,\n"
	      "     repeat: {from: 0, times: 2}, stop]}\n");
	assert_int_equal(row(&w, "task.host/t.work"), 26 * SIM_MS);
	world_end(&w);
}

static void nothing_is_done_after_the_stop(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 100ms\n" MACHINE(2)
	      "host-tasks:\n"
	      "  - {name: t, start: 10ms, stop: 35ms, program: [run: 1s]}\n"
	      "  - {name: u, stop: 35ms, program: [run: 10ms]}\n");
	assert_int_equal(row(&w, "task.host/t.work"), 25 * SIM_MS);
	assert_int_equal(row(&w, "task.host/u.work"), 35 * SIM_MS);
	world_end(&w);
}

static void nothing_counts_before_the_warm_up_is_over(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\nwarmup: 500ms\n" MACHINE(1)
	      "host-tasks:\n"
	      "  - {name: t, program: [period: 10ms, run: 4ms]}\n");
	assert_int_equal(row(&w, "task.host/t.jobs"), 50);
	assert_int_equal(row(&w, "task.host/t.work"), 200 * SIM_MS);
	world_end(&w);
}

#define TWO_VCPUS MACHINE(2) "vms:\n  - name: g\n    vcpus: 2\n    pin: yes\n    tasks:\n"

static void a_signal_is_not_lost_and_wakes_who_waits(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 100ms\n" TWO_VCPUS
	      "      - {name: s, vcpu: 0, pinned: yes, program: [run: 1ms, signal: 0]}\n"
	      "      - {name: w, vcpu: 1, pinned: yes, start: 50ms, program: [wait: 0, done]}\n");
	/* 50 that had come before it began, and 49 or 50 since */
	assert_in_range(row(&w, "task.g/w.jobs"), 99, 100);
	assert_in_range(hist(&w, "task.g/w.wakeup")->max, 0, 10);
	world_end(&w);
}

static void requests_are_served_in_order_and_are_as_old_as_they_are(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" MACHINE(1)
	      "vms:\n  - name: g\n    vcpus: 1\n    tasks:\n"
	      "      - {name: r, program: [recv: 0, run: 2ms, done]}\n"
	      "devices:\n"
	      "  - {name: d, vm: g, mailbox: 0, every: 10ms, burst: 3}\n");
	assert_int_equal(row(&w, "task.g/r.jobs"), 3 * 99);
	assert_in_range(hist(&w, "task.g/r.response")->min, 2 * SIM_MS, 2 * SIM_MS + 10);
	assert_in_range(hist(&w, "task.g/r.response")->max, 6 * SIM_MS, 6 * SIM_MS + 10);
	world_end(&w);
}

static void a_lock_is_one_s_at_a_time(void **state)
{
	struct guest_world w;
	uint64_t held;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" TWO_VCPUS
	      "      - {name: t, count: 2, pinned: yes,\n"
	      "         program: [lock: 0, run: 1ms, unlock: 0, done]}\n");
	held = row(&w, "task.g/t.locks");
	assert_in_range(held, 999, 1001);
	/* who waits spins all the time */
	assert_in_range(row(&w, "task.g/t.spin"), 998 * SIM_MS, SIM_S);
	/* the one that came first has it next: neither waits for two */
	assert_in_range(hist(&w, "task.g/t.lock")->max, 0, SIM_MS + 1);
	world_end(&w);
}

static void a_spinner_that_does_not_run_is_passed_over(void **state)
{
	struct guest_world w;

	(void)state;
	/* vCPU 0 holds the lock; 1 came first but its CPU is taken from it; 2 came later */
	world(&w, "fair", "duration: 100ms\n" MACHINE(3)
	      "host-tasks:\n"
	      "  - {name: rt, rt: 50, affinity: 1, start: 10ms, stop: 60ms, program: [run: 1s]}\n"
	      "vms:\n  - name: g\n    vcpus: 3\n    pin: yes\n    tasks:\n"
	      "      - {name: a, vcpu: 0, pinned: yes,\n"
	      "         program: [lock: 0, run: 20ms, unlock: 0, stop]}\n"
	      "      - {name: b, vcpu: 1, pinned: yes, start: 1ms,\n"
	      "         program: [lock: 0, unlock: 0, stop]}\n"
	      "      - {name: c, vcpu: 2, pinned: yes, start: 2ms,\n"
	      "         program: [lock: 0, run: 5ms, unlock: 0, stop]}\n");
	assert_in_range(hist(&w, "task.g/c.lock")->max, 18 * SIM_MS - 10, 18 * SIM_MS + 10);
	assert_in_range(hist(&w, "task.g/b.lock")->max, 59 * SIM_MS - 10, 59 * SIM_MS + 10);
	world_end(&w);
}

static void who_sends_and_waits_waits_for_the_last_answer(void **state)
{
	struct guest_world w;

	(void)state;
	/* vCPU 2 has its interrupts off until 30 ms */
	world(&w, "fifo", "duration: 100ms\n" MACHINE(3)
	      "vms:\n  - name: g\n    vcpus: 3\n    pin: yes\n    irq-work: 1ms\n    tasks:\n"
	      "      - {name: a, vcpu: 0, pinned: yes, start: 10ms,\n"
	      "         program: [ipi: {to: all, wait: yes}, stop]}\n"
	      "      - {name: c, vcpu: 2, pinned: yes,\n"
	      "         program: [irqs: off, run: 30ms, irqs: on, run: 1s]}\n");
	assert_int_equal(hist(&w, "task.g/a.ipi")->count, 1);
	assert_in_range(hist(&w, "task.g/a.ipi")->max, 19 * SIM_MS, 21 * SIM_MS + 10);
	world_end(&w);
}

static void who_does_not_wait_goes_on(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 100ms\n" TWO_VCPUS
	      "      - {name: a, vcpu: 0, pinned: yes, program: [ipi: 1, run: 1ms, done]}\n");
	assert_int_equal(row(&w, "task.g/a.jobs"), 99);
	assert_int_equal(row(&w, "task.g/a.spin"), 0);
	world_end(&w);
}

static void a_task_that_holds_a_lock_and_loses_its_cpu_is_counted(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fair", "duration: 100ms\n" MACHINE(1)
	      "host-tasks:\n"
	      "  - {name: rt, rt: 50, program: [sleep: 10ms, run: 1ms]}\n"
	      "vms:\n  - name: g\n    vcpus: 1\n    tasks:\n"
	      "      - {name: a, program: [lock: 0, run: 1s, unlock: 0]}\n");
	assert_int_equal(row(&w, "task.g/a.held_preempted"), 9);
	world_end(&w);
}

static void one_seed_is_one_run_and_another_is_another(void **state)
{
	static const char body[] = "duration: 100ms\n" MACHINE(1)
		"host-tasks:\n  - {name: t, program: [run: exp 1ms, sleep: 10..500us]}\n";
	struct guest_world a, b;
	struct sim *c;
	struct sim_options other = { .policy = "fair", .seed = 2 };
	char error[256];

	(void)state;
	world(&a, "fair", body);
	world(&b, "fair", body);
	assert_int_equal(a.sim->result->hash, b.sim->result->hash);
	c = sim_new(a.scenario, &other, error, sizeof(error));
	assert_non_null(c);
	assert_int_equal(sim_run(c, &other), 0);
	assert_int_not_equal(a.sim->result->hash, c->result->hash);
	sim_free(c);
	world_end(&a);
	world_end(&b);
}

static void a_task_more_does_not_change_what_the_others_draw(void **state)
{
	struct guest_world a, b;

	(void)state;
	world(&a, "fair", "duration: 1s\n" MACHINE(2)
	      "host-tasks:\n"
	      "  - {name: t, affinity: 0, program: [run: exp 1ms, sleep: 1ms, done]}\n");
	world(&b, "fair", "duration: 1s\n" MACHINE(2)
	      "host-tasks:\n  - {name: a, affinity: 1, program: [run: exp 3ms]}\n"
	      "  - {name: t, affinity: 0, program: [run: exp 1ms, sleep: 1ms, done]}\n");
	assert_int_equal(row(&a, "task.host/t.work"), row(&b, "task.host/t.work"));
	world_end(&a);
	world_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_takes_its_time_and_so_does_a_sleep),
		cmocka_unit_test(a_period_ends_a_job_and_begins_the_next),
		cmocka_unit_test(periods_that_are_overrun_are_missed_each),
		cmocka_unit_test(a_deadline_counts_in_place_of_the_period),
		cmocka_unit_test(until_computes_up_to_its_phase),
		cmocka_unit_test(loops_within_loops_count_for_themselves),
		cmocka_unit_test(nothing_is_done_after_the_stop),
		cmocka_unit_test(nothing_counts_before_the_warm_up_is_over),
		cmocka_unit_test(a_signal_is_not_lost_and_wakes_who_waits),
		cmocka_unit_test(requests_are_served_in_order_and_are_as_old_as_they_are),
		cmocka_unit_test(a_lock_is_one_s_at_a_time),
		cmocka_unit_test(a_spinner_that_does_not_run_is_passed_over),
		cmocka_unit_test(who_sends_and_waits_waits_for_the_last_answer),
		cmocka_unit_test(who_does_not_wait_goes_on),
		cmocka_unit_test(a_task_that_holds_a_lock_and_loses_its_cpu_is_counted),
		cmocka_unit_test(one_seed_is_one_run_and_another_is_another),
		cmocka_unit_test(a_task_more_does_not_change_what_the_others_draw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
