/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of results: by name, summed, merged; and what is measured of a whole run. */
#define _POSIX_C_SOURCE 200809L /* ftruncate, fileno */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd.h"
#include "sim.h"

static double value_of(const struct sim_result *r, const char *name)
{
	double value = 0;

	if (!sim_result_get(r, name, &value))
		fail_msg("there is no row `%s`", name);
	return value;
}

static void rows_are_set_and_added_by_name(void **state)
{
	struct sim_result r;
	double value;

	(void)state;
	sim_result_init(&r);
	sim_result_set(&r, SIM_COUNT, 5, "pvs.%s", "boosts");
	sim_result_add(&r, SIM_COUNT, 3, "pvs.boosts");
	sim_result_add(&r, SIM_NS, 8, "host.busy");
	sim_result_set(&r, SIM_PPM, 250000, "vm.g.share");
	assert_int_equal(r.count, 3);
	assert_true(value_of(&r, "pvs.boosts") == 8);
	assert_true(value_of(&r, "vm.g.share") == 0.25);
	sim_result_set(&r, SIM_COUNT, 1, "pvs.boosts");
	assert_true(value_of(&r, "pvs.boosts") == 1);
	assert_false(sim_result_get(&r, "pvs.boost", &value));
	assert_false(sim_result_get(&r, "pvs.boosts.p99", &value));
	assert_null(sim_result_row(&r, "host"));
	sim_result_free(&r);
}

static void histograms_are_merged_and_read_by_their_ends(void **state)
{
	struct sim_result r;
	struct sim_hist h;
	double value;
	uint64_t i;

	(void)state;
	sim_result_init(&r);
	memset(&h, 0, sizeof(h));
	for (i = 1; i <= 1000; i++)
		sim_hist_add(&h, i);
	sim_result_hist(&r, &h, "task.%s/%s.wakeup", "g", "t");
	sim_result_hist(&r, &h, "task.g/t.wakeup");
	assert_int_equal(r.count, 1);
	assert_true(value_of(&r, "task.g/t.wakeup.count") == 2000);
	assert_true(value_of(&r, "task.g/t.wakeup.sum") == 1001000);
	assert_true(value_of(&r, "task.g/t.wakeup.mean") == 500.5);
	assert_true(value_of(&r, "task.g/t.wakeup.min") == 1);
	assert_true(value_of(&r, "task.g/t.wakeup.max") == 1000);
	value = value_of(&r, "task.g/t.wakeup.p50");
	assert_true(value >= 500 && value <= 520);
	value = value_of(&r, "task.g/t.wakeup.p999");
	assert_true(value >= 999 && value <= 1000);
	assert_false(sim_result_get(&r, "task.g/t.wakeup", &value));
	assert_false(sim_result_get(&r, "task.g/t.wakeup.p95", &value));
	sim_result_free(&r);
}

static void results_go_through_a_file_and_back(void **state)
{
	struct sim_result r, again;
	struct sim_hist h;
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	sim_result_init(&r);
	memset(&h, 0, sizeof(h));
	sim_hist_add(&h, 77);
	sim_result_hist(&r, &h, "vm.g.waits");
	sim_result_set(&r, SIM_COUNT, 9, "pvs.boosts");
	r.hash = 0x1234;
	assert_int_equal(cmd_result_write(&r, file), 0);
	rewind(file);
	assert_int_equal(cmd_result_read(&again, file), 0);
	assert_int_equal(again.hash, 0x1234);
	assert_true(value_of(&again, "vm.g.waits.max") == 77);
	assert_true(value_of(&again, "pvs.boosts") == 9);
	sim_result_free(&again);
	/* a pipe that ends early is an error, not a crash */
	rewind(file);
	assert_int_equal(ftruncate(fileno(file), sizeof(r) + 40), 0);
	assert_int_equal(cmd_result_read(&again, file), -1);
	sim_result_free(&again);
	sim_result_free(&r);
	fclose(file);
}

/* ---- whole runs -------------------------------------------------------------------------------*/

static struct sim *run(const char *text)
{
	struct sim_options options = {.checking = 1};
	char *errors = NULL, error[512];
	struct sim_scenario *s;
	struct sim *sim;

	s = sim_scenario_parse("test.yaml", text, strlen(text), NULL, 0, &errors);
	if (!s)
		fail_msg("%s", errors);
	sim = sim_new(s, &options, error, sizeof(error));
	if (!sim)
		fail_msg("%s", error);
	if (sim_run(sim, &options) < 0)
		fail_msg("%s", sim->failure);
	return sim;
}

static void done(struct sim *sim)
{
	const struct sim_scenario *s = sim->scenario;

	sim_free(sim);
	sim_scenario_free((struct sim_scenario *)(uintptr_t)s);
}

#define HEAD "scenario: x\nsource: test\nclaim: test\n"

static void only_what_comes_after_the_warm_up_counts(void **state)
{
	struct sim *sim = run(HEAD
		"duration: 3s\nwarmup: 1s\nmachine: {cpus: 1}\n"
		"host-tasks:\n"
		"  - {name: tick, program: [period: 10ms, run: 1ms]}\n"
		"  - {name: early, stop: 500ms, program: [run: 1ms, done]}\n"
		"runs: {with: fair}\n");
	const struct sim_result *r = sim->result;
	double jobs = value_of(r, "task.host/tick.jobs");

	(void)state;
	assert_true(value_of(r, "host.measured") == 2e9);
	assert_true(jobs >= 199 && jobs <= 201);
	assert_true(value_of(r, "task.host/early.jobs") == 0);
	assert_true(value_of(r, "task.host/early.run") == 0);
	assert_true(value_of(r, "cpu.0.busy") + value_of(r, "cpu.0.idle") == 2e9);
	assert_true(value_of(r, "host.busy") > 0.19e9 && value_of(r, "host.busy") < 0.22e9);
	assert_true(value_of(r, "task.host/tick.wakeup.count") == jobs ||
		    value_of(r, "task.host/tick.wakeup.count") == jobs + 1 ||
		    value_of(r, "task.host/tick.wakeup.count") == jobs - 1);
	done(sim);
}

static void members_of_a_count_are_summed_under_their_name(void **state)
{
	struct sim *sim = run(HEAD
		"duration: 1s\nmachine: {cpus: 2}\n"
		"vms:\n"
		"  - {name: g, count: 2, vcpus: 2, tasks: [{name: t, count: 2, program: [run: 1ms, "
		"done]}]}\n"
		"runs: {with: fair}\n");
	const struct sim_result *r = sim->result;

	(void)state;
	assert_true(value_of(r, "task.g/t.jobs") ==
		    value_of(r, "task.g.0/t.0.jobs") + value_of(r, "task.g.0/t.1.jobs") +
		    value_of(r, "task.g.1/t.0.jobs") + value_of(r, "task.g.1/t.1.jobs"));
	assert_true(value_of(r, "task.g.0/t.jobs") ==
		    value_of(r, "task.g.0/t.0.jobs") + value_of(r, "task.g.0/t.1.jobs"));
	assert_true(value_of(r, "vm.g.run") ==
		    value_of(r, "vm.g.0.run") + value_of(r, "vm.g.1.run"));
	assert_true(value_of(r, "vm.g.cpus") > 1.98 && value_of(r, "vm.g.cpus") <= 2.0);
	assert_true(value_of(r, "vm.g.share") > 0.99 && value_of(r, "vm.g.share") <= 1.0);
	done(sim);
}

static void fairness_is_by_weight_and_nobody_has_more_than_one_cpu(void **state)
{
	/* heavy can use one CPU alone; the other three share the second one: 2 : 1 : 1 */
	struct sim *sim = run(HEAD
		"duration: 20s\nwarmup: 1s\nmachine: {cpus: 2}\n"
		"host-tasks:\n"
		"  - {name: heavy, weight: 1048576, program: [run: 1s]}\n"
		"  - {name: two, weight: 2048, program: [run: 1s]}\n"
		"  - {name: one, count: 2, program: [run: 1s]}\n"
		"  - {name: sleeper, program: [period: 100ms, run: 10us]}\n"
		"runs: {with: fair}\n");

	(void)state;
	assert_true(value_of(sim->result, "host.always_wanted") == 4);
	assert_true(value_of(sim->result, "host.fairness_error") < 0.05);
	done(sim);
}

static void a_host_that_takes_no_notice_of_weights_is_unfair(void **state)
{
	struct sim *sim = run(HEAD
		"duration: 2s\nmachine: {cpus: 1}\n"
		"host-tasks:\n"
		"  - {name: two, weight: 2048, program: [run: 1s]}\n"
		"  - {name: one, program: [run: 1s]}\n"
		"runs: {with: rr}\n");
	double error = value_of(sim->result, "host.fairness_error");

	(void)state;
	/* 1/2 instead of 1/3 is half too much */
	assert_true(error > 0.45 && error < 0.55);
	done(sim);
}

static void fairness_is_of_vms_and_not_of_their_vcpus(void **state)
{
	/* two busy VMs of equal weight on one CPU: 3 vCPUs against 1 that weighs as much */
	struct sim *sim = run(HEAD
		"duration: 4s\nwarmup: 1s\nmachine: {cpus: 2}\n"
		"vms:\n"
		"  - {name: a, vcpus: 3, affinity: 0, tasks: [{name: t, count: 3, pinned: yes, "
		"program: [run: 1s]}]}\n"
		"  - {name: b, vcpus: 1, weight: 3072, affinity: 0, tasks: [{name: t, program: "
		"[run: 1s]}]}\n"
		"  - {name: c, vcpus: 1, affinity: 1, tasks: [{name: t, program: [run: 1s]}]}\n"
		"  - {name: d, vcpus: 2, affinity: 1, tasks: [{name: t, program: [run: 1s]}]}\n"
		"runs: {with: fair}\n");

	(void)state;
	/* d has a vCPU that sleeps, so it is not compared, and c has nobody to be compared with */
	assert_true(value_of(sim->result, "host.always_wanted") == 3);
	assert_true(value_of(sim->result, "host.fairness_error") < 0.02);
	assert_true(value_of(sim->result, "vm.a.cpus") > 0.48);
	assert_true(value_of(sim->result, "vm.b.cpus") > 0.48);
	done(sim);
}

static void a_run_is_repeated_exactly(void **state)
{
	static const char text[] = HEAD
		"duration: 500ms\nmachine: {cpus: 2}\n"
		"vms:\n"
		"  - name: g\n    vcpus: 3\n    tasks:\n"
		"      - {name: a, urgency: real-time, program: [period: 1ms, run: 5..50us]}\n"
		"      - {name: b, count: 3, program: [run: exp 300us, lock: 0, run: 10us, "
		"unlock: 0, ipi: {to: random, wait: yes}]}\n"
		"runs: {with: pvs-owning}\n";
	struct sim *a = run(text), *b = run(text);
	uint32_t i;

	(void)state;
	assert_true(a->result->hash == b->result->hash);
	assert_int_equal(a->result->count, b->result->count);
	for (i = 0; i < a->result->count; i++) {
		assert_string_equal(a->result->rows[i].name, b->result->rows[i].name);
		assert_true(a->result->rows[i].value == b->result->rows[i].value);
	}
	done(a);
	done(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_set_and_added_by_name),
		cmocka_unit_test(histograms_are_merged_and_read_by_their_ends),
		cmocka_unit_test(results_go_through_a_file_and_back),
		cmocka_unit_test(only_what_comes_after_the_warm_up_counts),
		cmocka_unit_test(members_of_a_count_are_summed_under_their_name),
		cmocka_unit_test(fairness_is_by_weight_and_nobody_has_more_than_one_cpu),
		cmocka_unit_test(a_host_that_takes_no_notice_of_weights_is_unfair),
		cmocka_unit_test(fairness_is_of_vms_and_not_of_their_vcpus),
		cmocka_unit_test(a_run_is_repeated_exactly),
	};

	return cmocka_run_group_tests_name("rows of results", tests, NULL, NULL);
}
