/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <string.h>

#include <pvs/counters.h>

#define FIELDS (sizeof(struct pvs_counters) / sizeof(pvs_u64))

/* A vCPU in which each counter is another number. */
static void distinct(struct pvs_vcpu *v, pvs_u32 from)
{
	unsigned i;

	memset(v, 0, sizeof(*v));
	v->boosted_ns = from + 1;
	v->boosts = from + 2;
	v->denials = from + 3;
	v->overruns = from + 4;
	v->malformed = from + 5;
	v->tickets = from + 6;
	v->storms = from + 7;
	v->deferrals = from + 8;
	for (i = 0; i < PVS_REASON_COUNT; i++)
		v->reasons[i] = from + 9 + i;
}

/* Each field of the struct holds its place plus `from`, times `n`. */
static void assert_counted(const struct pvs_counters *c, pvs_u64 from, pvs_u64 n)
{
	pvs_u64 fields[FIELDS];
	unsigned i;

	memcpy(fields, c, sizeof(fields));
	for (i = 0; i < FIELDS; i++)
		assert_true(fields[i] == (from + i + 1) * n);
}

static void counters__each_has_its_own_place(void **state)
{
	struct pvs_counters out;
	struct pvs_vcpu v;

	(void)state;
	distinct(&v, 100);
	memset(&out, 0xa5, sizeof(out));
	pvs_counters_read(&v, &out);
	assert_counted(&out, 100, 1);
}

static void counters__what_is_new_is_collected_once(void **state)
{
	struct pvs_counters seen, vm, system;
	struct pvs_vcpu v;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	memset(&vm, 0, sizeof(vm));
	memset(&system, 0, sizeof(system));
	distinct(&v, 100);
	assert_int_equal(pvs_counters_collect(&v, &seen, &vm), 1);
	assert_counted(&seen, 100, 1);
	assert_counted(&vm, 100, 1);
	assert_int_equal(pvs_counters_collect(&v, &seen, &vm), 0);
	assert_counted(&vm, 100, 1);
	memset(&seen, 0, sizeof(seen)); /* another vCPU that has counted as much */
	assert_int_equal(pvs_counters_collect(&v, &seen, &vm), 1);
	assert_counted(&vm, 100, 2);
	pvs_counters_add(&system, &vm);
	pvs_counters_add(&system, &vm);
	pvs_counters_add(&system, &seen);
	assert_counted(&system, 100, 5);
	assert_counted(&vm, 100, 2);
}

static void counters__a_wrap_is_no_step_back(void **state)
{
	struct pvs_counters seen, vm;
	struct pvs_vcpu v;
	unsigned i;
	pvs_u64 fields[FIELDS];

	(void)state;
	memset(&seen, 0, sizeof(seen));
	memset(&vm, 0, sizeof(vm));
	distinct(&v, 0);
	memset(&v.boosts, 0xff, 4);
	v.boosted_ns = 0xffffffffffull;
	(void)pvs_counters_collect(&v, &seen, &vm);
	v.boosts += 3; /* 2 */
	v.boosted_ns += 3;
	assert_int_equal(pvs_counters_collect(&v, &seen, &vm), 1);
	assert_true(seen.boosts == 0x100000002ull);
	assert_true(vm.boosts == 0x100000002ull);
	assert_true(vm.boosted_ns == 0x10000000002ull);
	v.boosts -= 1; /* nor is a step back more than a step round */
	(void)pvs_counters_collect(&v, &seen, &vm);
	assert_true(seen.boosts == 0x200000001ull);
	memcpy(fields, &vm, sizeof(fields));
	for (i = 2; i < FIELDS; i++)
		assert_true(fields[i] == i + 1);
}

static void counters__says_whether_a_guest_could_see_the_difference(void **state)
{
	struct pvs_counters seen, vm;
	struct pvs_vcpu v, next;
	unsigned i;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	memset(&vm, 0, sizeof(vm));
	distinct(&v, 100);
	(void)pvs_counters_collect(&v, &seen, &vm);
	for (i = 0; i < 8; i++) {
		next = v;
		next.boosted_ns += i == 0;
		next.boosts += i == 1;
		next.denials += i == 2;
		next.overruns += i == 3;
		next.malformed += i == 4;
		next.tickets += i == 5;
		next.storms += i == 6;
		next.deferrals += i == 7;
		next.reasons[i] += 1;
		assert_int_equal(pvs_counters_collect(&next, &seen, &vm), i < 5);
		v = next;
	}
}

static void counters__are_those_of_what_happened(void **state)
{
	struct pvs_counters c;
	struct world w;
	unsigned i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	step(&w, PVS_EV_PICK);
	run_for(&w, 100 * US);
	tell(&w, PVS_EV_PREEMPT, PVS_CLASS_BELOW);
	w.slot.crit = 0;
	for (i = 0; i <= w.cfg.storm_count_max; i++)
		tell(&w, PVS_EV_INJECT, 1);
	w.slot.crit = PVS_LE64(1ull << 40);
	look(&w);
	pvs_counters_read(&w.v, &c);
	assert_int_equal(c.boosted_ns, 100 * US);
	assert_int_equal(c.boosts, 1);
	assert_int_equal(c.denials, 1);
	assert_int_equal(c.malformed, 1);
	assert_int_equal(c.tickets, w.cfg.storm_count_max + 1);
	assert_int_equal(c.storms, 1);
	assert_int_equal(c.deferrals, 1);
	assert_int_equal(c.reasons[PVS_REASON_DEFERRED], 1);
	assert_int_equal(c.reasons[PVS_REASON_CRIT], 1);
	assert_int_equal(c.reasons[PVS_REASON_STORM], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters__each_has_its_own_place),
		cmocka_unit_test(counters__what_is_new_is_collected_once),
		cmocka_unit_test(counters__a_wrap_is_no_step_back),
		cmocka_unit_test(counters__says_whether_a_guest_could_see_the_difference),
		cmocka_unit_test(counters__are_those_of_what_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
