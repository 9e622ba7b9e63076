/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

static void snapshot__copies_each_word_of_the_slot(void **state)
{
	struct pvs_slot slot = { .intent = PVS_LE64(1ull), .crit = PVS_LE64(2ull),
				 .irq = PVS_LE64(3ull), .wait = PVS_LE64(4ull),
				 .util_bounds = PVS_LE64(5ull), .life = PVS_LE64(6ull),
				 .pending = PVS_LE64(7ull) };
	struct pvs_snapshot snap;

	(void)state;
	pvs_snapshot(&slot, &snap);
	assert_int_equal(snap.intent, 1);
	assert_int_equal(snap.crit, 2);
	assert_int_equal(snap.irq, 3);
	assert_int_equal(snap.wait, 4);
	assert_int_equal(snap.util_bounds, 5);
	assert_int_equal(snap.life, 6);
	assert_int_equal(snap.pending, 7);
}

static void snapshot__copies_the_guests_choice(void **state)
{
	static struct pvs_region_header header;
	struct pvs_choice choice;

	(void)state;
	header.guest_major = PVS_LE16(3);
	header.guest_minor = PVS_LE16(4);
	header.guest_generation = PVS_LE32(5u);
	header.features_accepted = PVS_LE64(6ull);
	header.guest_command = PVS_LE32(7u);
	pvs_snapshot_choice(&header, &choice);
	assert_int_equal(choice.major, 3);
	assert_int_equal(choice.minor, 4);
	assert_int_equal(choice.generation, 5);
	assert_int_equal(choice.features, 6);
	assert_int_equal(choice.command, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot__copies_each_word_of_the_slot),
		cmocka_unit_test(snapshot__copies_the_guests_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
