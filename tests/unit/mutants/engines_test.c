/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Performance and rank: small tables, and weights at both ends.
 */
#include "../core/world.h"

#include <string.h>

static void perf__a_table_of_two_levels_gives_their_own_values(void **state)
{
	static const struct {
		pvs_u32 wish, level, value, target;
	} cases[] = {
		{ 0, 0, 700, 0 },     { 1, 0, 700, 300 },    { 300, 0, 700, 300 },
		{ 301, 1, 800, 1024 }, { 1024, 1, 800, 1024 },
	};
	struct pvs_perf_config cfg;
	struct pvs_perf_table table;
	unsigned i;

	(void)state;
	memset(&cfg, 0, sizeof(cfg));
	pvs_perf_resolve(&cfg);
	memset(&table, 0, sizeof(table));
	table.count = 2;
	table.level[0].capacity = 300;
	table.level[0].value = 700; /* in no proportion to the capacities */
	table.level[1].capacity = 1024;
	table.level[1].value = 800;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pvs_perf_domain domain;
		struct pvs_perf_result out;

		assert_int_equal(pvs_perf_init(&domain, &table), PVS_OK);
		pvs_perf_update(&domain, &cfg, cases[i].wish, 1000, &out);
		assert_int_equal(out.level, cases[i].level);
		assert_int_equal(out.value, cases[i].value);
		assert_int_equal(out.target_q10, cases[i].target);
	}
}

static void queue__weights_are_kept_in_range(void **state)
{
	static const pvs_u32 cases[][2] = {
		{ 0, 1 }, { 1, 1 }, { 2, 2 }, { 65534, 65534 }, { 65535, 65535 },
		{ 65536, 65535 }, { 0xffffffffu, 65535 },
	};
	struct pvs_config cfg;
	struct pvs_entity entity;
	struct pvs_queue queue;
	unsigned i;

	(void)state;
	assert_int_equal(pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg), PVS_OK);
	pvs_queue_init(&queue);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pvs_entity_init(&entity, &cfg, cases[i][0]);
		assert_int_equal(entity.base_weight, cases[i][1]);
		pvs_entity_init(&entity, &cfg, 1024);
		pvs_entity_set_weight(&queue, &cfg, &entity, cases[i][0]);
		assert_int_equal(entity.base_weight, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perf__a_table_of_two_levels_gives_their_own_values),
		cmocka_unit_test(queue__weights_are_kept_in_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
