/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the other tests of the shim do not look at closely: what is left of old contents, each bit
 * of a mask, each status of a refusal, and how often memory is touched.
 */
#include "../guest/region.h"

#include <string.h>

#define WHOLE (PVS_F_ALL & ~PVS_F_SPLIT_WORDS)
#define JUNK 0xa5

static unsigned int loads, stores, halves, swaps, races_to_lose;

pvs_u64 access_load(const volatile void *p, unsigned int size)
{
	pvs_u64 value = 0;

	loads++;
	memcpy(&value, (const void *)(uintptr_t)p, size);
	return value;
}

void access_store(volatile void *p, pvs_u64 value, unsigned int size)
{
	stores++;
	halves += size == 4;
	memcpy((void *)(uintptr_t)p, &value, size);
}

int access_swap(volatile void *p, pvs_u32 expect, pvs_u32 desired)
{
	pvs_u32 now;

	swaps++;
	memcpy(&now, (const void *)(uintptr_t)p, sizeof(now));
	if (races_to_lose) { /* somebody else was faster, and raised it */
		races_to_lose--;
		now++;
		memcpy((void *)(uintptr_t)p, &now, sizeof(now));
	}
	if (now != expect)
		return 0;
	memcpy((void *)(uintptr_t)p, &desired, sizeof(desired));
	return 1;
}

static void forget_counts(void)
{
	loads = 0;
	stores = 0;
	halves = 0;
	swaps = 0;
}

/* Nonzero bytes of what should be empty. */
static unsigned int dirt(const void *memory, size_t bytes)
{
	const unsigned char *byte = memory;
	unsigned int found = 0;

	while (bytes--)
		found += *byte++ != 0;
	return found;
}

/* ---- binding ------------------------------------------------------------------------------- */

static void bind__a_failure_leaves_nothing_of_what_was_there(void **state)
{
	struct region *r = region_new(WHOLE);

	(void)state;
	memset(&r->guest, JUNK, sizeof(r->guest));
	r->header.magic++;
	assert_int_equal(region_bind(r, WHOLE), PVS_GUEST_MAGIC);
	assert_int_equal(dirt(&r->guest, sizeof(r->guest)), 0);
	region_free(r);
}

static void bind__the_guests_line_is_written_whole(void **state)
{
	struct region *r = region_new(WHOLE);

	(void)state;
	memset(&r->header.guest_major, JUNK, PVS_LINE_SIZE);
	assert_int_equal(region_bind(r, WHOLE), PVS_GUEST_KICK);
	assert_int_equal(r->header.guest_major, PVS_ABI_MAJOR);
	assert_int_equal(r->header.guest_minor, PVS_ABI_MINOR);
	assert_int_equal(r->header.guest_generation, REGION_GENERATION);
	assert_int_equal(r->header.features_accepted, WHOLE);
	assert_int_equal(r->header.guest_command, PVS_CMD_ACCEPT);
	assert_int_equal(r->header.guest_reserved0, 0);
	assert_int_equal(dirt(r->header.guest_reserved1, sizeof(r->header.guest_reserved1)), 0);
	region_free(r);
}

static void bind__leaving_takes_every_slot_offline(void **state)
{
	struct region *r = region_active(WHOLE);
	unsigned int i;

	(void)state;
	for (i = 0; i < REGION_SLOTS; i++)
		region_slot(r, i)->life = ~(pvs_u64)0;
	assert_int_equal(pvs_guest_unbind(&r->guest), PVS_GUEST_KICK);
	for (i = 0; i < REGION_SLOTS; i++)
		assert_int_equal(region_slot(r, i)->life, 0);
	region_free(r);
}

/* ---- a vCPU comes online --------------------------------------------------------------------- */

static void assert_online_is_clean(pvs_u64 features)
{
	struct region *r = region_active(features);
	struct pvs_slot *slot = region_slot(r, 2);
	struct pvs_guest_vcpu v;

	memset(&v, JUNK, sizeof(v));
	memset(slot, JUNK, PVS_LINE_SIZE);
	slot->crit = slot->irq = slot->util_bounds = 3; /* their upper halves are never written */
	forget_counts();
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 2, &v), PVS_GUEST_OK);
	assert_int_equal(slot->intent | slot->crit | slot->irq | slot->wait | slot->util_bounds, 0);
	assert_int_equal(slot->life & 0xffffffffu, 1 | REGION_GENERATION << 8);
	/* a word is stored whole, unless both sides know that it is not */
	assert_int_equal(halves, features & PVS_F_SPLIT_WORDS ? 8 : 0);
	assert_int_equal(stores, features & PVS_F_SPLIT_WORDS ? 8 : 6);
	assert_int_equal(v.intent | v.seq | v.crit | v.irq | v.wait | v.wait_tag, 0);
	assert_int_equal(v.slot_count, REGION_SLOTS);
	assert_int_equal(v.features, features);
	region_free(r);
}

static void online__a_vcpu_begins_with_nothing_said(void **state)
{
	(void)state;
	assert_online_is_clean(WHOLE);
	assert_online_is_clean(PVS_F_ALL);
	assert_online_is_clean(PVS_F_UTIL);
	assert_online_is_clean(PVS_F_SPLIT_WORDS);
}

static void online__each_feature_opens_its_own_bits(void **state)
{
	static const struct {
		pvs_u64 feature;
		pvs_u64 bits;
	} rows[] = {
		{ 0, 0x0000000008078000ull | 0x7800 },
		{ PVS_F_UTIL, 0x00010000080787ffull | 0x7800 },
		{ PVS_F_WAKE, 0x000200000fff8000ull | 0x7800 },
		{ PVS_F_WINDOW, 0x0000ffff08078000ull | 0x7800 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct region *r = region_active(rows[i].feature);

		assert_int_equal(pvs_guest_store_intent(&r->vcpu, ~(pvs_u64)0), PVS_GUEST_OK);
		assert_true(region_slot(r, 1)->intent == (rows[i].bits | (pvs_u64)1 << 52));
		region_free(r);
	}
}

static void online__taking_back_leaves_the_sequence_alone(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	assert_int_equal(pvs_guest_store_intent(&r->vcpu, ~(pvs_u64)0), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_retract(&r->vcpu), PVS_GUEST_OK);
	assert_true(region_slot(r, 1)->intent == (pvs_u64)2 << 52);
	region_free(r);
}

/* ---- bells ----------------------------------------------------------------------------- */

static int say(struct region *r, unsigned int urgency, unsigned int level, int idle)
{
	struct pvs_guest_intent in = { .urgency = (pvs_u8)urgency, .level = (pvs_u8)level,
				       .idle = (pvs_u8)idle };

	return pvs_guest_publish(&r->vcpu, &in);
}

static void bell__levels_ring_none(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	region_slot(r, 1)->applied = PVS_APPLIED_KICK_RAISE | PVS_APPLIED_KICK_DEBOOST;
	assert_int_equal(say(r, PVS_URGENCY_NORMAL, 0, 0), PVS_GUEST_OK);
	assert_int_equal(say(r, PVS_URGENCY_NORMAL, 15, 0), PVS_GUEST_OK);
	assert_int_equal(say(r, PVS_URGENCY_NORMAL, 1, 0), PVS_GUEST_OK);
	assert_int_equal(say(r, PVS_URGENCY_INTERACTIVE, 0, 0), PVS_GUEST_KICK);
	region_free(r);
}

static void bell__after_idle_what_was_said_before_does_not_count(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	region_slot(r, 1)->applied = PVS_APPLIED_KICK_RAISE | PVS_APPLIED_KICK_DEBOOST;
	say(r, PVS_URGENCY_REALTIME, 0, 1);
	assert_int_equal(say(r, PVS_URGENCY_INTERACTIVE, 0, 0), PVS_GUEST_KICK);
	say(r, PVS_URGENCY_IDLE, 0, 1);
	assert_int_equal(say(r, PVS_URGENCY_NORMAL, 0, 0), PVS_GUEST_OK);
	say(r, PVS_URGENCY_REALTIME, 0, 1);
	assert_int_equal(say(r, PVS_URGENCY_NORMAL, 0, 0), PVS_GUEST_OK);
	say(r, PVS_URGENCY_NORMAL, 0, 1);
	assert_int_equal(say(r, PVS_URGENCY_BACKGROUND, 0, 0), PVS_GUEST_KICK);
	region_slot(r, 1)->applied = PVS_APPLIED_KICK_RAISE;
	say(r, PVS_URGENCY_NORMAL, 0, 1);
	assert_int_equal(say(r, PVS_URGENCY_BACKGROUND, 0, 0), PVS_GUEST_OK);
	region_free(r);
}

static void bell__where_none_is_wanted_a_word_is_one_load_and_one_store(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	forget_counts();
	assert_int_equal(say(r, PVS_URGENCY_REALTIME, 0, 0), PVS_GUEST_OK);
	assert_int_equal(loads, 1);
	assert_int_equal(stores, 1);
	region_free(r);
}

/* ---- what was not accepted ----------------------------------------------------------- */

static void gate__without_its_feature_a_call_says_state_and_stores_nothing(void **state)
{
	struct region *r = region_active(WHOLE & ~(PVS_F_CRIT | PVS_F_GRANT | PVS_F_PENDING));

	(void)state;
	forget_counts();
	assert_int_equal(pvs_guest_crit(&r->vcpu, PVS_CRIT_ALL, 0), PVS_GUEST_STATE);
	assert_int_equal(pvs_guest_pend(&r->guest, 1, 5, 5), PVS_GUEST_STATE);
	assert_int_equal(pvs_guest_pend_clear(&r->vcpu), PVS_GUEST_STATE);
	assert_int_equal(stores + swaps, 0);
	region_free(r);
}

static void gate__tickets_need_their_own_feature(void **state)
{
	struct region *r = region_active(WHOLE & ~PVS_F_IRQ_TICKET);

	(void)state;
	region_slot(r, 1)->irq_ticket = 77;
	pvs_guest_irq_ack(&r->vcpu);
	assert_int_equal(region_slot(r, 1)->irq, 0);
	region_free(r);
	r = region_active(WHOLE);
	region_slot(r, 1)->irq_ticket = 0xabcd0077;
	pvs_guest_irq_ack(&r->vcpu);
	assert_int_equal(region_slot(r, 1)->irq, 0x0077u << 8);
	region_free(r);
}

static void gate__counters_that_cannot_be_read_are_zero(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_guest_counters out;

	(void)state;
	memset(&region_slot(r, 1)->ident, JUNK, PVS_LINE_SIZE); /* an odd sequence */
	memset(&out, JUNK, sizeof(out));
	assert_int_equal(pvs_guest_counters(&r->vcpu, &out), PVS_GUEST_NOT_READY);
	assert_int_equal(dirt(&out, sizeof(out)), 0);
	memset(&out, JUNK, sizeof(out));
	r->vcpu.features = 0;
	assert_int_equal(pvs_guest_counters(&r->vcpu, &out), PVS_GUEST_STATE);
	assert_int_equal(dirt(&out, sizeof(out)), 0);
	region_free(r);
}

/* ---- pending --------------------------------------------------------------------------- */

static void pending__what_is_there_already_is_not_stored_again(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	assert_int_equal(pvs_guest_pend(&r->guest, 1, 4, 2), PVS_GUEST_OK);
	forget_counts();
	assert_int_equal(pvs_guest_pend(&r->guest, 1, 4, 2), PVS_GUEST_OK);
	assert_int_equal(swaps, 0);
	assert_int_equal(pvs_guest_pend(&r->guest, 1, 4, 3), PVS_GUEST_OK);
	assert_int_equal(swaps, 1);
	assert_int_equal(region_slot(r, 1)->pending, 0x43);
	region_free(r);
}

static void pending__an_empty_word_is_cleared_without_a_store(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	forget_counts();
	region_slot(r, 1)->applied = PVS_APPLIED_KICK_DEBOOST | PVS_CLASS_TASK;
	assert_int_equal(pvs_guest_pend_clear(&r->vcpu), PVS_GUEST_OK);
	assert_int_equal(swaps, 0);
	region_slot(r, 1)->pending = 0x50;
	assert_int_equal(pvs_guest_pend_clear(&r->vcpu), PVS_GUEST_KICK);
	assert_int_equal(swaps, 1);
	assert_int_equal(region_slot(r, 1)->pending, 0);
	region_free(r);
}

static void pending__who_raises_it_meanwhile_stands(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	region_slot(r, 1)->applied = PVS_APPLIED_KICK_DEBOOST | PVS_CLASS_TASK;
	region_slot(r, 1)->pending = 0x40;
	races_to_lose = 1;
	assert_int_equal(pvs_guest_pend_clear(&r->vcpu), PVS_GUEST_OK);
	assert_int_equal(region_slot(r, 1)->pending, 0x41);
	races_to_lose = 7;
	assert_int_equal(pvs_guest_pend(&r->guest, 1, 5, 0), PVS_GUEST_OK);
	assert_int_equal(region_slot(r, 1)->pending, 0x50);
	races_to_lose = 8;
	assert_int_equal(pvs_guest_pend(&r->guest, 1, 5, 15), PVS_GUEST_NOT_READY);
	assert_int_equal(region_slot(r, 1)->pending, 0x58);
	region_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bind__a_failure_leaves_nothing_of_what_was_there),
		cmocka_unit_test(bind__the_guests_line_is_written_whole),
		cmocka_unit_test(bind__leaving_takes_every_slot_offline),
		cmocka_unit_test(online__a_vcpu_begins_with_nothing_said),
		cmocka_unit_test(online__each_feature_opens_its_own_bits),
		cmocka_unit_test(online__taking_back_leaves_the_sequence_alone),
		cmocka_unit_test(bell__levels_ring_none),
		cmocka_unit_test(bell__after_idle_what_was_said_before_does_not_count),
		cmocka_unit_test(bell__where_none_is_wanted_a_word_is_one_load_and_one_store),
		cmocka_unit_test(gate__without_its_feature_a_call_says_state_and_stores_nothing),
		cmocka_unit_test(gate__tickets_need_their_own_feature),
		cmocka_unit_test(gate__counters_that_cannot_be_read_are_zero),
		cmocka_unit_test(pending__what_is_there_already_is_not_stored_again),
		cmocka_unit_test(pending__who_raises_it_meanwhile_stands),
		cmocka_unit_test(pending__an_empty_word_is_cleared_without_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
