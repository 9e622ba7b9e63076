/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directed yields while vCPUs begin and cease to wait on several CPUs.
 */
#include "threads.h"

#include <string.h>

#define CPUS 4u
#define SLOTS 96u /* more than one word */
#define EVENTS ROUNDS(100000u)

struct machine {
	struct pvs_yield yield;
	struct crew crew;
	atomic_uint next;
	atomic_uint chosen; /* targets found */
};

static pvs_u32 draw(pvs_u32 *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void choose(struct machine *m, pvs_u32 yielder, pvs_u64 now_ns)
{
	struct pvs_yield_choice choice;
	struct pvs_yield_ask ask;
	struct pvs_hint hint;

	memset(&hint, 0, sizeof(hint));
	memset(&ask, 0, sizeof(ask));
	ask.now_ns = now_ns;
	pvs_yield_choose(&m->yield, yielder, &hint, &ask, &choice);
	if (choice.target == PVS_NO_TARGET)
		return;
	assert_true(choice.target < SLOTS);
	assert_int_not_equal(choice.target, yielder);
	atomic_fetch_add(&m->chosen, 1);
}

/* A CPU has vCPUs of its own, which it serialises; it interrupts and sends to all. */
static void *be_a_cpu(void *argument)
{
	struct machine *m = argument;
	pvs_u32 me = atomic_fetch_add(&m->next, 1);
	pvs_u32 random = me;
	pvs_u32 i;

	crew_meet(&m->crew, CPUS);
	for (i = 0; i < EVENTS; i++) {
		pvs_u32 word = draw(&random);
		pvs_u32 own = word % (SLOTS / CPUS) * CPUS + me;

		switch (word >> 12 & 7u) {
		case 0:
		case 1:
			pvs_yield_waits(&m->yield, own, word >> 16 & PVS_WAITS_ALL);
			break;
		case 2:
			pvs_yield_interrupt(&m->yield, (word >> 16) % SLOTS);
			break;
		case 3:
			pvs_yield_ipi(&m->yield, own, (word >> 16) % SLOTS, word & 7u, i * 1000u);
			break;
		case 4:
			pvs_yield_eoi(&m->yield, own, word & 7u);
			break;
		case 5:
			pvs_yield_runs(&m->yield, own);
			choose(m, own, i * 1000u);
			break;
		default:
			pvs_yield_runs(&m->yield, own);
			break;
		}
	}
	for (i = me; i < SLOTS; i += CPUS)
		pvs_yield_removed(&m->yield, i);
	return NULL;
}

static void yield__sets_are_right_when_all_is_quiet(void **state)
{
	static struct machine m;
	struct pvs_yield_config cfg;
	struct pvs_yield_choice choice;
	struct pvs_yield_ask ask;
	struct pvs_hint hint;
	unsigned int i;

	(void)state;
	memset(&cfg, 0, sizeof(cfg));
	memset(&hint, 0, sizeof(hint));
	memset(&ask, 0, sizeof(ask));
	assert_int_equal(pvs_yield_init(&m.yield, &cfg, SLOTS), PVS_OK);
	for (i = 0; i < CPUS; i++)
		crew_start(&m.crew, be_a_cpu, &m);
	crew_join(&m.crew);
	assert_true(atomic_load(&m.chosen) > 0);

	/* nobody is left behind, and who comes is found */
	ask.now_ns = 1000000 * MS;
	pvs_yield_choose(&m.yield, 0, &hint, &ask, &choice);
	assert_int_equal(choice.target, PVS_NO_TARGET);
	for (i = 1; i < SLOTS; i++) {
		pvs_yield_waits(&m.yield, i, PVS_WAITS_PREEMPTED | PVS_WAITS_CRIT);
		pvs_yield_choose(&m.yield, 0, &hint, &ask, &choice);
		assert_int_equal(choice.target, i);
		pvs_yield_runs(&m.yield, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yield__sets_are_right_when_all_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
