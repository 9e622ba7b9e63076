/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

static unsigned applied_class(const struct world *w)
{
	return PVS_GET(PVS_LE64(w->slot.applied), PVS_APPLIED_CLASS_SHIFT, PVS_APPLIED_CLASS_BITS);
}

static void step__tells_the_guest_what_was_applied(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	look(&w);
	assert_int_equal(applied_class(&w), PVS_CLASS_BASELINE);
	say(&w, PVS_PUT(700, PVS_INTENT_WINDOW_SHIFT, 16));
	look(&w);
	assert_int_equal(applied_class(&w), PVS_CLASS_TASK);
	assert_int_equal(PVS_LE64(w.slot.window_left), 700ull | 4000ull << PVS_LEFT_BOOST_SHIFT);
	set_boost_left(&w, -5);
	look(&w);
	assert_int_equal(PVS_LE64(w.slot.window_left) >> PVS_LEFT_BOOST_SHIFT, 0);
	assert_int_equal(PVS_GET(PVS_LE64(w.slot.applied), PVS_APPLIED_THROTTLE_SHIFT, 8),
			 PVS_THROTTLE_BOOST_EMPTY);
}

static int asks(const struct world *w, pvs_u64 bit)
{
	return (PVS_LE64(w->slot.applied) & bit) != 0;
}

static void step__asks_for_kicks_only_where_they_help(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	look(&w);
	assert_true(asks(&w, PVS_APPLIED_KICK_RAISE));
	assert_false(asks(&w, PVS_APPLIED_KICK_DEBOOST));
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	assert_true(asks(&w, PVS_APPLIED_KICK_DEBOOST));
	assert_false(asks(&w, PVS_APPLIED_KICK_RAISE));
	say_idle(&w, PVS_URGENCY_REALTIME);
	look(&w); /* armed: costs nothing until it runs */
	assert_false(asks(&w, PVS_APPLIED_KICK_DEBOOST));
	w.slot.intent = 0;
	w.slot.pending = PVS_LE64(0x50ull);
	look(&w);
	assert_true(asks(&w, PVS_APPLIED_KICK_DEBOOST));
	w.slot.pending = 0;
	step(&w, PVS_EV_RUN_LEAVE);
	assert_false(asks(&w, PVS_APPLIED_KICK_RAISE));
	step(&w, PVS_EV_RUN_ENTER);
	assert_true(asks(&w, PVS_APPLIED_KICK_RAISE));
	say_urgency(&w, PVS_URGENCY_REALTIME);
	sleep_for(&w, 1 * MS);
	ring(&w);
	say_urgency(&w, PVS_URGENCY_NORMAL);
	look(&w); /* urgent now and then: looked at often anyway */
	assert_false(asks(&w, PVS_APPLIED_KICK_RAISE));
	sleep_for(&w, w.cfg.level_hold_ns);
	look(&w);
	assert_true(asks(&w, PVS_APPLIED_KICK_RAISE));
	step(&w, PVS_EV_DETACH);
	assert_false(asks(&w, PVS_APPLIED_KICK_RAISE));
}

static void step__asks_nothing_of_a_throttled_or_kickless_guest(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.v.boost_empty = 1;
	set_boost_left(&w, 0);
	look(&w);
	assert_false(asks(&w, PVS_APPLIED_KICK_RAISE));
	world_init(&w, CAPS_USER);
	w.v.grant_full = 1;
	w.v.grant_used_ns = 1 * MS;
	look(&w);
	assert_false(asks(&w, PVS_APPLIED_KICK_RAISE));
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	w.v.raise_ok_ns = w.v.clock_ns + 1 * MS;
	look(&w);
	assert_false(asks(&w, PVS_APPLIED_KICK_RAISE));
	world_init(&w, CAPS_USER & ~PVS_CAP_CAN_KICK);
	look(&w);
	assert_false(asks(&w, PVS_APPLIED_KICK_RAISE));
	world_init(&w, CAPS_OWNER);
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	look(&w);
	assert_true(asks(&w, PVS_APPLIED_KICK_DEBOOST));
	w.slot.crit = 0;
	w.slot.irq = PVS_LE64(PVS_IRQ_NMI);
	look(&w);
	assert_true(asks(&w, PVS_APPLIED_KICK_DEBOOST));
}

static void step__counters_are_published_when_accepted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	ring(&w);
	run_for(&w, 1 * MS);
	look(&w);
	assert_int_equal(PVS_LE64(w.slot.boosts), 1);
	assert_int_equal(PVS_LE64(w.slot.boosted_ns), 1 * MS);
	assert_int_equal(PVS_LE64(w.slot.count_seq), 6); /* three steps, even */
	w.vm.terms.features &= ~PVS_F_COUNTERS;
	run_for(&w, 1 * MS);
	look(&w);
	assert_int_equal(PVS_LE64(w.slot.boosted_ns), 1 * MS);
}

static void step__host_words_are_never_read_back(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	look(&w);
	w.slot.applied = ~0ull;
	w.slot.count_seq = PVS_LE64(12345ull);
	w.slot.window_left = ~0ull;
	w.slot.boosts = ~0ull;
	look(&w);
	assert_int_equal(applied_class(&w), PVS_CLASS_BASELINE);
	assert_int_equal(PVS_LE64(w.slot.boosts), 0);
	assert_int_equal(PVS_LE64(w.slot.count_seq), 6);
	assert_int_equal(w.v.boosts, 0);
}

static void step__window_left_saturates(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.v.window_end_ns = w.v.ran_ns + 5000000000000ull;
	pvs_publish_status(&w.v, &w.vm, &w.cfg, &w.slot);
	assert_int_equal(PVS_LE64(w.slot.window_left) & 0xffffffffu, 0xffffffffu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(step__tells_the_guest_what_was_applied),
		cmocka_unit_test(step__asks_for_kicks_only_where_they_help),
		cmocka_unit_test(step__asks_nothing_of_a_throttled_or_kickless_guest),
		cmocka_unit_test(step__counters_are_published_when_accepted),
		cmocka_unit_test(step__host_words_are_never_read_back),
		cmocka_unit_test(step__window_left_saturates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
