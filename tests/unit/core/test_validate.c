/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <string.h>

#define GEN 9u
#define LIFE_ON (PVS_LIFE_ONLINE | PVS_PUT(GEN, PVS_LIFE_GEN_SHIFT, 24))
#define TAGS(lo, hi) \
	(PVS_PUT(lo, PVS_INTENT_TAG_LO_SHIFT, 4) | PVS_PUT(hi, PVS_INTENT_TAG_HI_SHIFT, 4))

static struct pvs_snapshot snap;
static struct pvs_terms terms;
static struct pvs_hint hint;

static int fresh(void **state)
{
	(void)state;
	memset(&snap, 0, sizeof(snap));
	memset(&hint, 0, sizeof(hint));
	snap.life = LIFE_ON;
	terms.features = PVS_F_ALL & ~PVS_F_SPLIT_WORDS;
	terms.generation = GEN;
	terms.slot_count = 4;
	terms.active = 1;
	return 0;
}

static void validate(void)
{
	pvs_validate(&snap, &terms, &hint, &hint);
}

static unsigned malformed_with_intent(pvs_u64 intent)
{
	snap.intent = intent;
	validate();
	return hint.malformed;
}

static void validate__takes_each_field_of_a_good_intent(void **state)
{
	(void)state;
	snap.intent = PVS_PUT(1024, PVS_INTENT_UTIL_SHIFT, 11) |
		      PVS_PUT(PVS_URGENCY_REALTIME, PVS_INTENT_CLASS_SHIFT, 4) |
		      PVS_PUT(15, PVS_INTENT_LEVEL_SHIFT, 4) |
		      PVS_PUT(PVS_URGENCY_INTERACTIVE, PVS_INTENT_WAKE_CLASS_SHIFT, 4) |
		      PVS_PUT(3, PVS_INTENT_WAKE_LEVEL_SHIFT, 4) |
		      PVS_PUT(1, PVS_INTENT_IDLE_SHIFT, 1) |
		      PVS_PUT(65535, PVS_INTENT_WINDOW_SHIFT, 16) |
		      PVS_PUT(1, PVS_INTENT_UTIL_VALID_SHIFT, 1) |
		      PVS_PUT(1, PVS_INTENT_WAKE_VALID_SHIFT, 1) |
		      PVS_PUT(200, PVS_INTENT_SEQ_SHIFT, 8);
	validate();
	assert_int_equal(hint.malformed, 0);
	assert_int_equal(hint.util, 1024);
	assert_int_equal(hint.urgency, PVS_URGENCY_REALTIME);
	assert_int_equal(hint.level, 15);
	assert_int_equal(hint.wake_urgency, PVS_URGENCY_INTERACTIVE);
	assert_int_equal(hint.wake_level, 3);
	assert_int_equal(hint.window_us, 65535);
	assert_int_equal(hint.seq, 200);
	assert_int_equal(hint.flags, PVS_HINT_ONLINE | PVS_HINT_IDLE | PVS_HINT_UTIL_VALID |
					     PVS_HINT_WAKE_VALID);
}

static void validate__rejects_util_above_1024(void **state)
{
	(void)state;
	assert_int_equal(malformed_with_intent(1025), PVS_WORD_INTENT);
	assert_int_equal(hint.util, 0);
	assert_int_equal(hint.flags, PVS_HINT_ONLINE);
}

static void validate__rejects_unknown_urgency_classes(void **state)
{
	(void)state;
	assert_int_equal(malformed_with_intent(PVS_PUT(6, PVS_INTENT_CLASS_SHIFT, 4)),
			 PVS_WORD_INTENT);
	assert_int_equal(malformed_with_intent(PVS_PUT(6, PVS_INTENT_WAKE_CLASS_SHIFT, 4)),
			 PVS_WORD_INTENT);
	assert_int_equal(hint.urgency, 0);
}

static void validate__rejects_reserved_bits_set(void **state)
{
	(void)state;
	assert_int_equal(malformed_with_intent(PVS_PUT(1, PVS_INTENT_RSVD_SHIFT, 2)),
			 PVS_WORD_INTENT);
	assert_int_equal(malformed_with_intent(TAGS(1, 1)), PVS_WORD_INTENT);
}

static void validate__rejects_bits_of_features_not_accepted(void **state)
{
	(void)state;
	terms.features = 0;
	assert_int_equal(malformed_with_intent(5), PVS_WORD_INTENT);
	assert_int_equal(malformed_with_intent(PVS_PUT(1, PVS_INTENT_WAKE_VALID_SHIFT, 1)),
			 PVS_WORD_INTENT);
	assert_int_equal(malformed_with_intent(PVS_PUT(1, PVS_INTENT_WINDOW_SHIFT, 16)),
			 PVS_WORD_INTENT);
	snap.intent = 0;
	snap.crit = PVS_CRIT_LOCK_HELD;
	snap.irq = PVS_IRQ_NMI;
	snap.wait = PVS_WAIT_ANY;
	snap.util_bounds = PVS_PUT(1, PVS_BOUNDS_CEIL_SHIFT, 11);
	snap.pending = 0x50;
	validate();
	assert_int_equal(hint.malformed, PVS_WORD_CRIT | PVS_WORD_IRQ | PVS_WORD_WAIT |
						 PVS_WORD_BOUNDS | PVS_WORD_PENDING);
	assert_int_equal(hint.crit, 0);
	assert_int_equal(hint.pending, 0);
}

static void validate__a_malformed_word_does_not_touch_the_others(void **state)
{
	(void)state;
	snap.crit = PVS_CRIT_ALL + 1;
	snap.irq = PVS_IRQ_SOFTIRQ | PVS_PUT(0xabcd, PVS_IRQ_ACK_SHIFT, 16);
	snap.intent = PVS_PUT(PVS_URGENCY_NORMAL, PVS_INTENT_CLASS_SHIFT, 4);
	validate();
	assert_int_equal(hint.malformed, PVS_WORD_CRIT);
	assert_int_equal(hint.crit, 0);
	assert_int_equal(hint.irq, PVS_IRQ_SOFTIRQ);
	assert_int_equal(hint.irq_ack, 0xabcd);
	assert_int_equal(hint.urgency, PVS_URGENCY_NORMAL);
}

static void validate__takes_critical_bits(void **state)
{
	(void)state;
	snap.crit = PVS_CRIT_ALL;
	validate();
	assert_int_equal(hint.crit, PVS_CRIT_ALL);
}

static void validate__ignores_a_slot_that_is_offline_or_of_another_generation(void **state)
{
	(void)state;
	snap.intent = PVS_PUT(PVS_URGENCY_REALTIME, PVS_INTENT_CLASS_SHIFT, 4);
	snap.life = LIFE_ON & ~PVS_LIFE_ONLINE;
	validate();
	assert_int_equal(hint.flags, 0);
	assert_int_equal(hint.urgency, 0);
	assert_int_equal(hint.malformed, 0);
	snap.life = PVS_LIFE_ONLINE | PVS_PUT(GEN + 1, PVS_LIFE_GEN_SHIFT, 24);
	validate();
	assert_int_equal(hint.flags, 0);
	snap.life = LIFE_ON;
	terms.active = 0;
	validate();
	assert_int_equal(hint.flags, 0);
	terms.active = 1;
	snap.life = LIFE_ON | 2;
	validate();
	assert_int_equal(hint.flags, 0);
	assert_int_equal(hint.malformed, PVS_WORD_LIFE);
}

static void validate__takes_each_kind_of_wait(void **state)
{
	(void)state;
	snap.wait = PVS_WAIT_LOCK | PVS_PUT(3, PVS_WAIT_TARGET_SHIFT, 16) |
		    PVS_PUT(0x1234, PVS_WAIT_EPOCH_SHIFT, 16);
	validate();
	assert_int_equal(hint.malformed, 0);
	assert_int_equal(hint.wait_kind, PVS_WAIT_LOCK);
	assert_int_equal(hint.wait_target, 3);
	assert_int_equal(hint.wait_epoch, 0x1234);
	snap.wait = PVS_WAIT_IPI | PVS_PUT(1, PVS_WAIT_TARGET_SHIFT, 16);
	validate();
	assert_int_equal(hint.wait_kind, PVS_WAIT_IPI);
	terms.slot_count = 32;
	snap.wait = PVS_WAIT_IPI_MANY | PVS_PUT(0xf0000001u, PVS_WAIT_MASK_SHIFT, 32);
	validate();
	assert_int_equal(hint.wait_kind, PVS_WAIT_IPI_MANY);
	assert_int_equal(hint.wait_mask, 0xf0000001u);
	snap.wait = PVS_WAIT_ANY;
	validate();
	assert_int_equal(hint.wait_kind, PVS_WAIT_ANY);
	assert_int_equal(hint.malformed, 0);
}

static void validate__rejects_waits_that_mean_nothing(void **state)
{
	static const pvs_u64 bad[] = {
		PVS_WAIT_KIND_MAX + 1,
		PVS_WAIT_LOCK | (4ull << PVS_WAIT_TARGET_SHIFT),  /* no such slot */
		PVS_WAIT_LOCK | (1ull << 48),                     /* above the epoch */
		PVS_WAIT_ANY | (1ull << PVS_WAIT_TARGET_SHIFT),   /* any has no target */
		PVS_WAIT_LOCK | (1ull << PVS_WAIT_RSVD_SHIFT),
		1ull << PVS_WAIT_MASK_SHIFT,                      /* kind none with a mask */
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snap.wait = bad[i];
		validate();
		assert_int_equal(hint.malformed, PVS_WORD_WAIT);
		assert_int_equal(hint.wait_kind, PVS_WAIT_NONE);
	}
}

static void validate__takes_util_bounds_in_order_only(void **state)
{
	(void)state;
	snap.util_bounds = 0;
	validate();
	assert_int_equal(hint.util_floor, 0);
	assert_int_equal(hint.util_ceil, 1024);
	snap.util_bounds = PVS_PUT(100, 0, 11) | PVS_PUT(200, 11, 11);
	validate();
	assert_int_equal(hint.util_floor, 100);
	assert_int_equal(hint.util_ceil, 200);
	snap.util_bounds = PVS_PUT(201, 0, 11) | PVS_PUT(200, 11, 11);
	validate();
	assert_int_equal(hint.malformed, PVS_WORD_BOUNDS);
	assert_int_equal(hint.util_ceil, 1024);
	snap.util_bounds = PVS_PUT(1, 0, 11) | PVS_PUT(1025, 11, 11);
	validate();
	assert_int_equal(hint.malformed, PVS_WORD_BOUNDS);
	snap.util_bounds = 1ull << 22;
	validate();
	assert_int_equal(hint.malformed, PVS_WORD_BOUNDS);
}

static void validate__a_mask_names_somebody_and_nobody_who_does_not_exist(void **state)
{
	static const struct {
		pvs_u32 target, mask, malformed;
	} rows[] = {
		{ 0, 0x1, 0 },		     { 0, 0xf, 0 },
		{ 0, 0x10, PVS_WORD_WAIT },  { 0, 0x80000001u, PVS_WORD_WAIT },
		{ 3, 0x1, 0 },		     { 3, 0x2, PVS_WORD_WAIT },
		{ 0, 0, PVS_WORD_WAIT },     { 4, 0x1, PVS_WORD_WAIT },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snap.wait = PVS_WAIT_IPI_MANY |
			    PVS_PUT(rows[i].target, PVS_WAIT_TARGET_SHIFT, 16) |
			    PVS_PUT(rows[i].mask, PVS_WAIT_MASK_SHIFT, 32);
		validate();
		assert_int_equal(hint.malformed, rows[i].malformed);
		assert_int_equal(hint.wait_mask, rows[i].malformed ? 0 : rows[i].mask);
	}
	/* the last of 32 slots, and the last but one bit above it */
	terms.slot_count = 32;
	snap.wait = PVS_WAIT_IPI_MANY | PVS_PUT(0x80000000u, PVS_WAIT_MASK_SHIFT, 32);
	validate();
	assert_int_equal(hint.malformed, 0);
	terms.slot_count = 31;
	validate();
	assert_int_equal(hint.malformed, PVS_WORD_WAIT);
}

static void validate__takes_pending_and_rejects_unknown_classes(void **state)
{
	(void)state;
	snap.pending = 0x5f;
	validate();
	assert_int_equal(hint.pending, 0x5f);
	snap.pending = 0x60;
	validate();
	assert_int_equal(hint.malformed, PVS_WORD_PENDING);
	snap.pending = 0x100;
	validate();
	assert_int_equal(hint.malformed, PVS_WORD_PENDING);
	assert_int_equal(hint.pending, 0);
}

static void validate__keeps_the_previous_hint_of_a_torn_word(void **state)
{
	(void)state;
	terms.features = PVS_F_ALL;
	snap.intent = PVS_PUT(PVS_URGENCY_REALTIME, PVS_INTENT_CLASS_SHIFT, 4) | TAGS(3, 3) |
		      PVS_PUT(1, PVS_INTENT_IDLE_SHIFT, 1);
	snap.wait = PVS_WAIT_LOCK | PVS_PUT(2, PVS_WAIT_TARGET_SHIFT, 16) | TAGS(5, 5);
	validate();
	assert_int_equal(hint.malformed, 0);
	assert_int_equal(hint.wait_target, 2);
	assert_int_equal(hint.wait_epoch, 0);
	snap.intent = TAGS(3, 4);
	snap.wait = TAGS(6, 5);
	validate();
	assert_int_equal(hint.malformed, 0);
	assert_int_equal(hint.urgency, PVS_URGENCY_REALTIME);
	assert_int_equal(hint.flags, PVS_HINT_ONLINE | PVS_HINT_IDLE | PVS_HINT_TORN);
	assert_int_equal(hint.wait_kind, PVS_WAIT_LOCK);
	assert_int_equal(hint.wait_target, 2);
	snap.intent = TAGS(4, 4);
	terms.slot_count = 28;
	snap.wait = PVS_WAIT_IPI_MANY | PVS_PUT(0x0fffffff, PVS_WAIT_MASK_SHIFT, 32) | TAGS(5, 5);
	validate();
	assert_int_equal(hint.urgency, 0);
	assert_int_equal(hint.wait_mask, 0x0fffffff);
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(validate__takes_each_field_of_a_good_intent),
		unit(validate__rejects_util_above_1024),
		unit(validate__rejects_unknown_urgency_classes),
		unit(validate__rejects_reserved_bits_set),
		unit(validate__rejects_bits_of_features_not_accepted),
		unit(validate__a_malformed_word_does_not_touch_the_others),
		unit(validate__takes_critical_bits),
		unit(validate__ignores_a_slot_that_is_offline_or_of_another_generation),
		unit(validate__takes_each_kind_of_wait),
		unit(validate__rejects_waits_that_mean_nothing),
		unit(validate__takes_util_bounds_in_order_only),
		unit(validate__a_mask_names_somebody_and_nobody_who_does_not_exist),
		unit(validate__takes_pending_and_rejects_unknown_classes),
		unit(validate__keeps_the_previous_hint_of_a_torn_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
