/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine alone: bodies of our own on the schedulers that are simplest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

/* What a body of ours does: works, sleeps, for ever; or never sleeps. */
struct script {
	uint64_t work_ns, sleep_ns;
	uint64_t left_ns, done_ns, wakes;
	uint64_t late_ns; /* the last wake-up until it ran */
	uint64_t due_ns;
	int asleep, yields;
	struct sim_timer timer;
	struct sim_thread *thread;
};

static uint64_t script_next(struct sim *sim, struct sim_thread *t)
{
	struct script *s = t->ctx;

	if (s->asleep)
		return SIM_WORK_BLOCK;
	if (s->due_ns) {
		s->late_ns = sim->now_ns - s->due_ns;
		s->due_ns = 0;
	}
	if (s->left_ns)
		return s->left_ns;
	if (s->yields) {
		s->left_ns = s->work_ns;
		return SIM_WORK_YIELD;
	}
	if (!s->sleep_ns)
		return SIM_WORK_SPIN;
	s->asleep = 1;
	s->due_ns = sim->now_ns + s->sleep_ns;
	sim_arm(sim, &s->timer, s->due_ns);
	return SIM_WORK_BLOCK;
}

static void script_did(struct sim *sim, struct sim_thread *t, uint64_t work_ns)
{
	struct script *s = t->ctx;

	(void)sim;
	s->done_ns += work_ns;
	if (s->left_ns)
		s->left_ns -= work_ns;
}

static void script_wakes(struct sim *sim, struct sim_timer *timer)
{
	struct script *s = timer->owner;

	s->asleep = 0;
	s->left_ns = s->work_ns;
	s->wakes++;
	sim_wake(sim, s->thread);
}

static const struct sim_body script_body = { .next = script_next, .did = script_did };

static struct sim_scenario scenario;
static struct sim_options options;
static struct sim *sim;

static void begin(const char *policy, uint32_t cpus)
{
	char error[200];

	memset(&scenario, 0, sizeof(scenario));
	memset(&options, 0, sizeof(options));
	scenario.seed = 1;
	scenario.duration_ns = SIM_S;
	scenario.machine.cpus = cpus;
	options.policy = policy;
	sim = sim_new(&scenario, &options, error, sizeof(error));
	assert_non_null(sim);
}

static struct sim_thread *add(struct script *s, const char *name)
{
	s->thread = sim_thread_new(sim, name, &script_body, s);
	s->timer.owner = s;
	s->timer.fire = script_wakes;
	s->left_ns = s->work_ns;
	sim_thread_start(sim, s->thread);
	sim_wake(sim, s->thread);
	return s->thread;
}

static void two_hogs_share_a_cpu(void **state)
{
	struct script a = { 0 }, b = { 0 };

	(void)state;
	begin("rr", 1);
	add(&a, "a");
	add(&b, "b");
	assert_int_equal(sim_run(sim, &options), 0);
	assert_int_equal(a.done_ns + b.done_ns, SIM_S);
	assert_true(a.done_ns > 495 * SIM_MS && b.done_ns > 495 * SIM_MS);
	assert_int_equal(sim->cpus[0].busy_ns, SIM_S);
	assert_int_equal(a.thread->run_ns + sim_thread_wait_ns(sim, a.thread), SIM_S);
	sim_free(sim);
}

static void a_sleeper_runs_when_it_wakes(void **state)
{
	struct script a = { .work_ns = 100 * SIM_US, .sleep_ns = 900 * SIM_US };

	(void)state;
	begin("fifo", 1);
	add(&a, "a");
	assert_int_equal(sim_run(sim, &options), 0);
	assert_int_equal(a.wakes, 999);
	assert_int_equal(a.done_ns, 1000 * 100 * SIM_US);
	assert_int_equal(a.late_ns, 0);
	assert_int_equal(sim->cpus[0].busy_ns + sim->cpus[0].idle_ns, SIM_S);
	sim_free(sim);
}

static void costs_are_paid_before_work(void **state)
{
	struct script a = { .work_ns = 100 * SIM_US, .sleep_ns = 900 * SIM_US };

	(void)state;
	begin("fifo", 1);
	sim->costs.switch_ns = 2000;
	sim->costs.wake_ns = 1000;
	add(&a, "a");
	assert_int_equal(sim_run(sim, &options), 0);
	/* asked 1 us + 2 us after it was due; a round takes 1 + 2 + 100 + 900 us */
	assert_int_equal(a.late_ns, 3000);
	assert_int_equal(a.wakes, SIM_S / (1003 * SIM_US));
	assert_in_range(sim->cpus[0].busy_ns, 102 * SIM_US * a.wakes, 102 * SIM_US * (a.wakes + 1));
	sim_free(sim);
}

static void a_slow_cpu_does_less_work(void **state)
{
	struct script a = { 0 };

	(void)state;
	begin("fifo", 1);
	sim->cpus[0].levels[0].speed = 333;
	add(&a, "a");
	assert_int_equal(sim_run(sim, &options), 0);
	assert_in_range(a.done_ns, SIM_S * 333 / 1024 - 1, SIM_S * 333 / 1024);
	sim_free(sim);
}

static void steps_are_not_lost_on_a_slow_cpu(void **state)
{
	struct script a = { .work_ns = 10007, .sleep_ns = 3 };

	(void)state;
	begin("fifo", 1);
	sim->cpus[0].levels[0].speed = 777;
	add(&a, "a");
	assert_int_equal(sim_run(sim, &options), 0);
	assert_in_range(a.done_ns, 10007 * a.wakes, 10007 * (a.wakes + 1));
	sim_free(sim);
}

static void overhead_delays_and_is_charged(void **state)
{
	struct script a = { 0 };

	(void)state;
	begin("fifo", 1);
	add(&a, "a");
	a.thread->overhead_ns = 0;
	sim_overhead(sim, a.thread, 5 * SIM_MS);
	assert_int_equal(sim_run(sim, &options), 0);
	assert_int_equal(a.thread->run_ns, SIM_S);
	assert_int_equal(a.done_ns, SIM_S - 5 * SIM_MS);
	sim_free(sim);
}

static void an_offline_cpu_hands_over_what_it_has(void **state)
{
	struct script a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	begin("rr", 2);
	add(&a, "a");
	add(&b, "b");
	add(&c, "c");
	scenario.duration_ns = 100 * SIM_MS;
	sim->until_ns = 100 * SIM_MS;
	assert_int_equal(sim_run(sim, &options), 0);
	sim_cpu_online(sim, &sim->cpus[1], 0);
	sim->until_ns = SIM_S;
	assert_int_equal(sim_run(sim, &options), 0);
	assert_int_equal(sim->cpus[1].offline_ns, 900 * SIM_MS);
	assert_int_equal(sim->cpus[0].busy_ns, SIM_S);
	assert_true(a.done_ns > 300 * SIM_MS);
	assert_true(b.done_ns > 300 * SIM_MS);
	assert_true(c.done_ns > 300 * SIM_MS);
	sim_free(sim);
}

/* Bound to a CPU that goes: runs elsewhere, whether it runs, waits or sleeps then. */
static void who_has_no_cpu_left_gets_any(void **state)
{
	static const char *const policies[] = {
		"rr", "fair", "credit1", "credit2", "pvs-owning",
	};
	struct script bound[3];
	uint32_t i, k;

	(void)state;
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		memset(bound, 0, sizeof(bound));
		bound[2].work_ns = SIM_MS;
		bound[2].sleep_ns = 10 * SIM_MS;
		begin(policies[i], 2);
		for (k = 0; k < 3; k++)
			add(&bound[k], "bound")->affinity = 2;
		sim->until_ns = 100 * SIM_MS;
		assert_int_equal(sim_run(sim, &options), 0);
		assert_int_equal(sim->cpus[0].busy_ns, 0);
		sim_cpu_online(sim, &sim->cpus[1], 0);
		sim->until_ns = SIM_S;
		assert_int_equal(sim_run(sim, &options), 0);
		assert_true(sim->cpus[0].busy_ns > 890 * SIM_MS);
		assert_true(bound[0].done_ns > 300 * SIM_MS);
		assert_true(bound[1].done_ns > 300 * SIM_MS);
		assert_true(bound[2].wakes > 10);
		sim_free(sim);
	}
}

static void a_clock_that_is_set_back_does_not_wrap(void **state)
{
	(void)state;
	begin("fifo", 1);
	sim->clock_skew_ns -= 3600 * SIM_S;
	assert_true(sim_clock_ns(sim) < SIM_CLOCK_BASE_NS);
	sim_free(sim);
}

static void who_yields_goes_behind_the_others(void **state)
{
	struct script a = { .work_ns = 1 * SIM_MS, .yields = 1 }, b = { .work_ns = 1 * SIM_MS,
		.yields = 1 };

	(void)state;
	begin("rr", 1);
	add(&a, "a");
	add(&b, "b");
	assert_int_equal(sim_run(sim, &options), 0);
	assert_in_range(a.done_ns, 499 * SIM_MS, 501 * SIM_MS);
	assert_in_range(sim->cpus[0].switches, 999, 1001);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_hogs_share_a_cpu),
		cmocka_unit_test(a_sleeper_runs_when_it_wakes),
		cmocka_unit_test(costs_are_paid_before_work),
		cmocka_unit_test(a_slow_cpu_does_less_work),
		cmocka_unit_test(steps_are_not_lost_on_a_slow_cpu),
		cmocka_unit_test(overhead_delays_and_is_charged),
		cmocka_unit_test(an_offline_cpu_hands_over_what_it_has),
		cmocka_unit_test(who_has_no_cpu_left_gets_any),
		cmocka_unit_test(a_clock_that_is_set_back_does_not_wrap),
		cmocka_unit_test(who_yields_goes_behind_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
