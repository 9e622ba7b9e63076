/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

static struct pvs_choice good(void)
{
	return (struct pvs_choice){ .major = PVS_ABI_MAJOR, .minor = PVS_ABI_MINOR,
				    .generation = 1, .features = PVS_F_UTIL,
				    .command = PVS_CMD_ACCEPT };
}

static pvs_u32 refusal(const struct pvs_choice *c)
{
	return pvs_negotiate(c, PVS_F_ALL & ~PVS_F_WINDOW, 1);
}

static void negotiate__refuses_in_the_fixed_order(void **state)
{
	struct pvs_choice c = good();

	(void)state;
	assert_int_equal(refusal(&c), PVS_REFUSE_NONE);
	c.command = 9;
	assert_int_equal(refusal(&c), PVS_REFUSE_COMMAND);
	c.features |= PVS_F_GRANT;
	assert_int_equal(refusal(&c), PVS_REFUSE_DEPENDENCY);
	c.features |= PVS_F_WINDOW;
	assert_int_equal(refusal(&c), PVS_REFUSE_NOT_OFFERED);
	c.generation = 2;
	assert_int_equal(refusal(&c), PVS_REFUSE_GENERATION);
	c.minor = PVS_ABI_MINOR + 1;
	assert_int_equal(refusal(&c), PVS_REFUSE_MINOR);
	c.major = PVS_ABI_MAJOR + 1;
	assert_int_equal(refusal(&c), PVS_REFUSE_MAJOR);
}

static void negotiate__wants_each_dependency(void **state)
{
	static const pvs_u64 needs[][2] = { { PVS_F_GRANT, PVS_F_CRIT },
					    { PVS_F_IRQ_TICKET, PVS_F_IRQ },
					    { PVS_F_UTIL_BOUNDS, PVS_F_UTIL } };
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct pvs_choice c = good();

		c.features = needs[i][0];
		assert_int_equal(refusal(&c), PVS_REFUSE_DEPENDENCY);
		c.features |= needs[i][1];
		assert_int_equal(refusal(&c), PVS_REFUSE_NONE);
	}
}

static void negotiate__goes_through_accept_reset_and_accept_again(void **state)
{
	struct pvs_choice c = good();
	struct pvs_vm vm;

	(void)state;
	pvs_vm_init(&vm, PVS_CAP_SETS_PERF, 1, 4);
	assert_int_equal(vm.status, PVS_STATUS_OFFERED);
	c.command = PVS_CMD_NONE;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 0);
	c.command = PVS_CMD_ACCEPT;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status, PVS_STATUS_ACTIVE);
	assert_int_equal(vm.terms.features, PVS_F_UTIL);
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 0);
	c.features |= PVS_F_WAIT;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status, PVS_STATUS_REFUSED);
	assert_int_equal(vm.status_reason, PVS_REFUSE_NOT_OFFERED);
	assert_int_equal(vm.terms.features, 0);
	c.minor++;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status_reason, PVS_REFUSE_MINOR);
	c.command = PVS_CMD_RESET;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status, PVS_STATUS_OFFERED);
	c = good();
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status, PVS_STATUS_ACTIVE);
	c.features = PVS_F_UTIL | PVS_F_WINDOW;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	c.command = PVS_CMD_NONE;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status, PVS_STATUS_OFFERED);
}

static void negotiate__offers_only_what_the_host_can_do(void **state)
{
	(void)state;
	assert_true(pvs_features_for(0) & PVS_F_WAKE);
	assert_false(pvs_features_for(0) & (PVS_F_CRIT | PVS_F_KICK | PVS_F_UTIL | PVS_F_WAIT));
	assert_true(pvs_features_for(PVS_CAP_SETS_PERF) & PVS_F_UTIL);
	assert_true(pvs_features_for(PVS_CAP_CAN_KICK) & PVS_F_KICK);
	assert_true(pvs_features_for(PVS_CAP_SEES_PREEMPT) & PVS_F_CRIT);
	assert_true(pvs_features_for(~0u) == PVS_F_ALL);
}

/* Each feature beyond those that every host has, and all it lives from. */
static const struct {
	pvs_u64 feature;
	pvs_u32 caps;
} needs[] = {
	{ PVS_F_UTIL, PVS_CAP_SETS_PERF },
	{ PVS_F_UTIL_BOUNDS, PVS_CAP_SETS_PERF },
	{ PVS_F_PERF, PVS_CAP_TELLS_PERF },
	{ PVS_F_WAIT, PVS_CAP_CAN_YIELD },
	{ PVS_F_CRIT, PVS_CAP_SEES_PREEMPT },
	{ PVS_F_IRQ, PVS_CAP_SEES_PREEMPT },
	{ PVS_F_RUN_EPOCH, PVS_CAP_SEES_PREEMPT },
	{ PVS_F_GRANT, PVS_CAP_SEES_PREEMPT | PVS_CAP_CAN_DEFER },
	{ PVS_F_IRQ_TICKET, PVS_CAP_SEES_PREEMPT | PVS_CAP_SEES_INJECT },
	{ PVS_F_KICK, PVS_CAP_CAN_KICK },
};

static void negotiate__offers_each_feature_with_what_it_lives_from(void **state)
{
	const unsigned all_caps = PVS_CAP_IRQ_WINDOW * 2 - 1;
	pvs_u64 known = 0;
	pvs_u32 caps;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		known |= needs[i].feature;
		for (caps = 0; caps <= all_caps; caps++)
			assert_int_equal((pvs_features_for(caps) & needs[i].feature) != 0,
					 (caps & needs[i].caps) == needs[i].caps);
	}
	assert_true((pvs_features_for(0) | known) == PVS_F_ALL);
	assert_false(pvs_features_for(0) & known);
}

static void vm_init__clamps_slot_count_and_generation(void **state)
{
	struct pvs_vm vm;

	(void)state;
	pvs_vm_init(&vm, 0, 0xff000001u, 0);
	assert_int_equal(vm.terms.slot_count, 1);
	assert_int_equal(vm.terms.generation, 1);
	pvs_vm_init(&vm, 0, 1, PVS_SLOT_COUNT_MAX + 1);
	assert_int_equal(vm.terms.slot_count, PVS_SLOT_COUNT_MAX);
}

static void version__is_that_of_the_header(void **state)
{
	(void)state;
	assert_string_equal(pvs_version(), PVS_VERSION_STRING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(negotiate__refuses_in_the_fixed_order),
		cmocka_unit_test(negotiate__wants_each_dependency),
		cmocka_unit_test(negotiate__goes_through_accept_reset_and_accept_again),
		cmocka_unit_test(negotiate__offers_only_what_the_host_can_do),
		cmocka_unit_test(negotiate__offers_each_feature_with_what_it_lives_from),
		cmocka_unit_test(vm_init__clamps_slot_count_and_generation),
		cmocka_unit_test(version__is_that_of_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
