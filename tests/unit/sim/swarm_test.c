/* SPDX-License-Identifier: BSD-2-Clause */
/* Random scenarios: one number makes one, a file of it is the same, and what fails is shrunk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swarm.h"

#define SEEDS 40u
#define TEXT_MAX 65536u

static char texts[2][TEXT_MAX];

static const char *text_of(const struct sim_scenario *s, char *text)
{
	FILE *file = tmpfile();
	size_t size;

	assert_non_null(file);
	assert_int_equal(sim_scenario_write(s, file), 0);
	rewind(file);
	size = fread(text, 1, TEXT_MAX - 1, file);
	text[size] = 0;
	fclose(file);
	return text;
}

static void a_seed_is_a_scenario_and_another_is_another(void **state)
{
	struct sim_scenario *a = sim_swarm_scenario(3, NULL), *b = sim_swarm_scenario(3, NULL);
	struct sim_scenario *c = sim_swarm_scenario(4, NULL);

	(void)state;
	assert_string_equal(text_of(a, texts[0]), text_of(b, texts[1]));
	assert_string_not_equal(text_of(a, texts[0]), text_of(c, texts[1]));
	sim_swarm_free(a);
	sim_swarm_free(b);
	sim_swarm_free(c);
}

static void no_invariant_fails(void **state)
{
	struct sim_swarm_result result;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++) {
		struct sim_scenario *s = sim_swarm_scenario(seed, NULL);

		if (sim_swarm_run(s, 0, &result))
			fail_msg("seed %llu: %s", (unsigned long long)seed, result.failure);
		assert_true(result.events > 0);
		sim_swarm_free(s);
	}
}

static void looking_changes_nothing(void **state)
{
	struct sim_scenario *s = sim_swarm_scenario(5, "pvs-owning");
	struct sim_options options = { 0 };
	struct sim_swarm_result result;
	char error[200];
	struct sim *sim = sim_new(s, &options, error, sizeof(error));

	(void)state;
	assert_non_null(sim);
	assert_int_equal(sim_run(sim, &options), 0);
	assert_int_equal(sim_swarm_run(s, 0, &result), 0);
	assert_true(sim->trace.hash == result.hash);
	sim_free(sim);
	sim_swarm_free(s);
}

static void a_written_scenario_runs_the_same(void **state)
{
	struct sim_swarm_result one, other;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= SEEDS; seed++) {
		struct sim_scenario *s = sim_swarm_scenario(seed, NULL), *read;
		char *errors = NULL;

		text_of(s, texts[0]);
		read = sim_scenario_parse(s->name, texts[0], strlen(texts[0]), NULL, 0, &errors);
		if (!read)
			fail_msg("%s", errors);
		sim_swarm_run(s, 0, &one);
		sim_swarm_run(read, 0, &other);
		if (one.hash != other.hash)
			fail_msg("seed %llu reads back as another", (unsigned long long)seed);
		sim_scenario_free(read);
		sim_swarm_free(s);
	}
}

static void a_crash_is_a_failure_like_others(void **state)
{
	struct sim_scenario *s = sim_swarm_scenario(1, NULL);
	struct sim_vm_spec *vms = s->vms;
	struct sim_swarm_result result;

	(void)state;
	s->vms = (struct sim_vm_spec *)(uintptr_t)64;
	assert_int_equal(sim_swarm_fork(s, 0, &result), -1);
	assert_int_equal(strncmp(result.failure, "crash:", 6), 0);
	assert_true(result.seed == s->seed);
	s->vms = vms;
	sim_swarm_free(s);
}

static void failures_are_told_apart_by_their_invariant(void **state)
{
	(void)state;
	assert_true(sim_swarm_same("budget-task: a 1", "budget-task: b 2"));
	assert_false(sim_swarm_same("budget-task: a 1", "budget-all: a 1"));
	assert_false(sim_swarm_same("budget: a", "budget-all: a"));
}

static uint32_t size_of(const struct sim_scenario *s)
{
	uint32_t size = s->host_task_count + s->device_count + s->fault_count + s->config_count, i;

	for (i = 0; i < s->vm_count; i++)
		size += s->vms[i].vcpus + s->vms[i].task_count;
	return size + s->machine.cpus;
}

static void a_shrunk_scenario_is_smaller_and_fails_the_same(void **state)
{
	struct sim_swarm_result result, shrunk, again;
	struct sim_scenario *s = NULL;
	uint64_t seed;
	uint32_t size, runs;

	(void)state;
	for (seed = 1; !s && seed < 200; seed++) {
		s = sim_swarm_scenario(seed, "pvs-owning");
		if (sim_swarm_fork(s, SIM_DEFECT_FREE_BOOST, &result) && size_of(s) > 15)
			break;
		sim_swarm_free(s);
		s = NULL;
	}
	assert_non_null(s);
	size = size_of(s);
	shrunk = result;
	runs = sim_swarm_shrink(s, SIM_DEFECT_FREE_BOOST, &shrunk);
	assert_true(runs > 0);
	assert_true(2 * size_of(s) < size);
	assert_int_equal(sim_swarm_run(s, SIM_DEFECT_FREE_BOOST, &again), -1);
	assert_true(sim_swarm_same(result.failure, again.failure));
	assert_string_equal(shrunk.failure, again.failure);
	assert_int_equal(sim_swarm_run(s, 0, &again), 0);
	sim_swarm_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_is_a_scenario_and_another_is_another),
		cmocka_unit_test(no_invariant_fails),
		cmocka_unit_test(looking_changes_nothing),
		cmocka_unit_test(a_written_scenario_runs_the_same),
		cmocka_unit_test(a_crash_is_a_failure_like_others),
		cmocka_unit_test(failures_are_told_apart_by_their_invariant),
		cmocka_unit_test(a_shrunk_scenario_is_smaller_and_fails_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
