/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PVS-H-01, load by load and store by store.
 */
#include "../unit/core/world.h"

#include <string.h>

#define LOG_MAX 128u

static struct {
	const volatile unsigned char *loads[LOG_MAX], *stores[LOG_MAX];
	unsigned int load_count, store_count;
	int scribble; /* a guest that changes each word as soon as it was read */
	const volatile void *rising; /* a word that only grows, and what it was stored last */
	pvs_u64 risen;
} seen;

pvs_u64 host_load(const volatile void *p, unsigned int size)
{
	pvs_u64 value = 0;

	assert_true(seen.load_count < LOG_MAX);
	assert_int_equal((uintptr_t)p % size, 0);
	seen.loads[seen.load_count++] = p;
	memcpy(&value, (const void *)(uintptr_t)p, size);
	if (seen.scribble)
		memset((void *)(uintptr_t)p, 0xff, size);
	return value;
}

void host_store(volatile void *p, pvs_u64 value, unsigned int size)
{
	assert_true(seen.store_count < LOG_MAX);
	assert_int_equal((uintptr_t)p % size, 0);
	seen.stores[seen.store_count++] = p;
	if (p == seen.rising) { /* a reader may have seen any of them */
		assert_true(value > seen.risen);
		seen.risen = value;
	}
	memcpy((void *)(uintptr_t)p, &value, size);
}

static void boosted_world(struct world *w)
{
	memset(&seen, 0, sizeof(seen));
	world_init(w, CAPS_OWNER);
	say_urgency(w, PVS_URGENCY_REALTIME);
	memset(&seen, 0, sizeof(seen));
}

static void PVS_H_01__ok_a_checkpoint_loads_each_word_of_the_guest_once(void **state)
{
	struct world w;
	unsigned int i, k;

	(void)state;
	boosted_world(&w);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_int_equal(seen.load_count, 7);
	for (i = 0; i < seen.load_count; i++) {
		assert_true(seen.loads[i] >= (unsigned char *)&w.slot &&
			    seen.loads[i] <= (unsigned char *)&w.slot.pending);
		for (k = 0; k < i; k++)
			assert_ptr_not_equal(seen.loads[i], seen.loads[k]);
	}
}

static void PVS_H_01__ok_a_checkpoint_stores_to_its_own_lines_only(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	boosted_world(&w);
	look(&w);
	assert_in_range(seen.store_count, 2, 12);
	for (i = 0; i < seen.store_count; i++)
		assert_true(seen.stores[i] >= (unsigned char *)&w.slot.applied &&
			    seen.stores[i] < (unsigned char *)(&w.slot + 1));
}

static void PVS_H_23__ok_the_sequence_of_the_counters_rises_with_each_store(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	boosted_world(&w);
	seen.rising = &w.slot.count_seq;
	seen.risen = w.slot.count_seq;
	for (i = 0; i < 3; i++) {
		seen.load_count = seen.store_count = 0;
		look(&w);
	}
	assert_true(seen.risen == w.slot.count_seq);
}

static void PVS_H_01__bad_a_word_changed_after_it_was_read_is_not_seen(void **state)
{
	struct world w;

	(void)state;
	boosted_world(&w);
	seen.scribble = 1;
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_int_equal(w.v.malformed, 0);
	assert_int_equal(w.io.hint.urgency, PVS_URGENCY_REALTIME);
	assert_true(w.slot.intent == ~0ull);
}

static void PVS_H_01__bad_what_a_guest_writes_into_the_hosts_lines_is_never_read(void **state)
{
	struct world w, scribbled;
	unsigned int i;

	(void)state;
	boosted_world(&w);
	boosted_world(&scribbled);
	for (i = 0; i < 30; i++) {
		memset((unsigned char *)&scribbled.slot + 2 * PVS_LINE_SIZE, (int)(i * 37),
		       2 * PVS_LINE_SIZE);
		memset(&seen, 0, sizeof(seen));
		run_for(&w, 200 * US);
		run_for(&scribbled, 200 * US);
		assert_int_equal(look(&w), look(&scribbled));
		assert_memory_equal(&w.v, &scribbled.v, sizeof(w.v));
	}
	assert_true(w.slot.applied == scribbled.slot.applied);
	assert_true(w.slot.count_seq == scribbled.slot.count_seq);
}

static void PVS_H_01__ok_the_choice_is_loaded_once_field_by_field(void **state)
{
	static struct pvs_region_header header;
	struct pvs_choice choice;
	unsigned int i, k;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	header.guest_major = 1;
	header.guest_minor = 2;
	header.guest_generation = 3;
	header.features_accepted = 4;
	header.guest_command = 5;
	seen.scribble = 1;
	pvs_snapshot_choice(&header, &choice);
	assert_int_equal(seen.load_count, 5);
	for (i = 0; i < 5; i++)
		for (k = 0; k < i; k++)
			assert_ptr_not_equal(seen.loads[i], seen.loads[k]);
	assert_true(choice.major == 1 && choice.minor == 2 && choice.generation == 3 &&
		    choice.features == 4 && choice.command == 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_H_01__ok_a_checkpoint_loads_each_word_of_the_guest_once),
		cmocka_unit_test(PVS_H_01__ok_a_checkpoint_stores_to_its_own_lines_only),
		cmocka_unit_test(PVS_H_23__ok_the_sequence_of_the_counters_rises_with_each_store),
		cmocka_unit_test(PVS_H_01__bad_a_word_changed_after_it_was_read_is_not_seen),
		cmocka_unit_test(
			PVS_H_01__bad_what_a_guest_writes_into_the_hosts_lines_is_never_read),
		cmocka_unit_test(PVS_H_01__ok_the_choice_is_loaded_once_field_by_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
