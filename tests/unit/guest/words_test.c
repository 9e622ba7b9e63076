/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words of a slot: what the shim makes of a port's calls, bit by bit.
 */
#include "region.h"

#include <string.h>

#define WHOLE (PVS_F_ALL & ~PVS_F_SPLIT_WORDS)
#define BITS(shift, bits) ((((pvs_u64)1 << (bits)) - 1) << (shift))
#define GET(word, shift, bits) (((word) >> (shift)) & (((pvs_u64)1 << (bits)) - 1))
#define TAG_LO(word) GET(word, PVS_INTENT_TAG_LO_SHIFT, PVS_TAG_BITS)
#define TAG_HI(word) GET(word, PVS_INTENT_TAG_HI_SHIFT, PVS_TAG_BITS)

/* Everything at its highest legal value. */
static const struct pvs_guest_intent full = {
	.util = PVS_UTIL_MAX,
	.window_us = 0xffff,
	.urgency = PVS_URGENCY_REALTIME,
	.level = PVS_LEVEL_MAX,
	.wake_urgency = PVS_URGENCY_REALTIME,
	.wake_level = PVS_LEVEL_MAX,
	.idle = 1,
	.util_valid = 1,
	.wake_valid = 1,
};

static pvs_u64 intent_of(struct region *r, const struct pvs_guest_intent *in)
{
	assert_int_equal(pvs_guest_publish(&r->vcpu, in), PVS_GUEST_OK);
	return region_slot(r, 1)->intent;
}

/* ---- intent ---------------------------------------------------------------------------------- */

static void PVS_G_04__ok_every_class_and_level_is_said(void **state)
{
	struct region *r = region_active(0);
	unsigned int urgency, level;

	(void)state;
	for (urgency = 0; urgency <= PVS_URGENCY_MAX; urgency++)
		for (level = 0; level <= PVS_LEVEL_MAX; level++) {
			struct pvs_guest_intent in = { .urgency = (pvs_u8)urgency,
						       .level = (pvs_u8)level };
			pvs_u64 w = intent_of(r, &in);

			assert_int_equal(w & ~BITS(PVS_INTENT_SEQ_SHIFT, PVS_INTENT_SEQ_BITS),
					 ((pvs_u64)urgency << 11) | ((pvs_u64)level << 15));
		}
	region_free(r);
}

static void PVS_G_04__bad_class_and_level_out_of_range_are_clamped(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_guest_intent in = { .urgency = 6, .level = 16, .wake_urgency = 255,
				       .wake_level = 255, .wake_valid = 2 };
	pvs_u64 w = intent_of(r, &in);

	(void)state;
	assert_int_equal(GET(w, PVS_INTENT_CLASS_SHIFT, 4), PVS_URGENCY_MAX);
	assert_int_equal(GET(w, PVS_INTENT_LEVEL_SHIFT, 4), PVS_LEVEL_MAX);
	assert_int_equal(GET(w, PVS_INTENT_WAKE_CLASS_SHIFT, 4), PVS_URGENCY_MAX);
	assert_int_equal(GET(w, PVS_INTENT_WAKE_LEVEL_SHIFT, 4), PVS_LEVEL_MAX);
	assert_int_equal(GET(w, PVS_INTENT_RSVD_SHIFT, PVS_INTENT_RSVD_BITS), 0);
	region_free(r);
}

static void PVS_G_05__ok_utilisation_is_said_with_its_valid_bit(void **state)
{
	static const pvs_u16 utils[] = { 0, 1, 512, 1023, 1024 };
	struct region *r = region_active(PVS_F_UTIL);
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(utils) / sizeof(utils[0]); i++) {
		struct pvs_guest_intent in = { .util = utils[i], .util_valid = 1 };
		pvs_u64 w = intent_of(r, &in);

		assert_int_equal(GET(w, PVS_INTENT_UTIL_SHIFT, PVS_INTENT_UTIL_BITS), utils[i]);
		assert_int_equal(GET(w, PVS_INTENT_UTIL_VALID_SHIFT, 1), 1);
	}
	region_free(r);
}

static void PVS_G_05__bad_more_than_everything_is_everything(void **state)
{
	struct region *r = region_active(PVS_F_UTIL);
	struct pvs_guest_intent in = { .util = 1025, .util_valid = 0x80 };
	pvs_u64 w = intent_of(r, &in);

	(void)state;
	assert_int_equal(GET(w, PVS_INTENT_UTIL_SHIFT, PVS_INTENT_UTIL_BITS), 1024);
	assert_int_equal(GET(w, PVS_INTENT_UTIL_VALID_SHIFT, 1), 1);
	in.util = 0xffff;
	w = intent_of(r, &in);
	assert_int_equal(GET(w, PVS_INTENT_UTIL_SHIFT, PVS_INTENT_UTIL_BITS), 1024);
	region_free(r);
}

static void PVS_G_12__ok_wake_urgency_is_said_with_its_valid_bit(void **state)
{
	struct region *r = region_active(PVS_F_WAKE);
	struct pvs_guest_intent in = { .idle = 1, .wake_valid = 1,
				       .wake_urgency = PVS_URGENCY_REALTIME, .wake_level = 9 };
	pvs_u64 w = intent_of(r, &in);

	(void)state;
	assert_int_equal(GET(w, PVS_INTENT_WAKE_CLASS_SHIFT, 4), PVS_URGENCY_REALTIME);
	assert_int_equal(GET(w, PVS_INTENT_WAKE_LEVEL_SHIFT, 4), 9);
	assert_int_equal(GET(w, PVS_INTENT_WAKE_VALID_SHIFT, 1), 1);
	assert_int_equal(GET(w, PVS_INTENT_IDLE_SHIFT, 1), 1);
	region_free(r);
}

static void PVS_G_12__bad_without_the_feature_no_wake_bit_is_said(void **state)
{
	struct region *r = region_active(WHOLE & ~PVS_F_WAKE);
	pvs_u64 w = intent_of(r, &full);

	(void)state;
	assert_int_equal(GET(w, PVS_INTENT_WAKE_CLASS_SHIFT, 8), 0);
	assert_int_equal(GET(w, PVS_INTENT_WAKE_VALID_SHIFT, 1), 0);
	region_free(r);
}

static void PVS_G_13__ok_each_statement_advances_the_sequence_by_one(void **state)
{
	struct region *r = region_active(PVS_F_WINDOW);
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_INTERACTIVE, .window_us = 700 };
	unsigned int i;

	(void)state;
	for (i = 1; i <= 600; i++) {
		pvs_u64 w = intent_of(r, &in);

		assert_int_equal(GET(w, PVS_INTENT_SEQ_SHIFT, 8), i & 0xff);
		assert_int_equal(GET(w, PVS_INTENT_WINDOW_SHIFT, 16), 700);
	}
	region_free(r);
}

static void PVS_G_13__bad_a_sequence_in_a_prepared_word_does_not_count(void **state)
{
	struct region *r = region_active(WHOLE);
	pvs_u64 word = pvs_guest_intent_word(&full) |
		       BITS(PVS_INTENT_SEQ_SHIFT, PVS_INTENT_SEQ_BITS) |
		       BITS(PVS_INTENT_RSVD_SHIFT, PVS_INTENT_RSVD_BITS);

	(void)state;
	assert_int_equal(pvs_guest_store_intent(&r->vcpu, word), PVS_GUEST_OK);
	assert_int_equal(GET(region_slot(r, 1)->intent, PVS_INTENT_SEQ_SHIFT, 8), 1);
	assert_int_equal(GET(region_slot(r, 1)->intent, PVS_INTENT_RSVD_SHIFT, 2), 0);
	region_free(r);
}

static void PVS_G_13__bad_without_the_feature_no_window_is_said(void **state)
{
	struct region *r = region_active(WHOLE & ~PVS_F_WINDOW);

	(void)state;
	assert_int_equal(GET(intent_of(r, &full), PVS_INTENT_WINDOW_SHIFT, 16), 0);
	region_free(r);
}

static void PVS_G_14__ok_idle_is_said(void **state)
{
	struct region *r = region_active(0);
	struct pvs_guest_intent in = { .idle = 1 };

	(void)state;
	assert_int_equal(GET(intent_of(r, &in), PVS_INTENT_IDLE_SHIFT, 1), 1);
	region_free(r);
}

static void PVS_G_14__bad_the_next_statement_ends_idle(void **state)
{
	struct region *r = region_active(0);
	struct pvs_guest_intent in = { .idle = 0x40 };

	(void)state;
	assert_int_equal(GET(intent_of(r, &in), PVS_INTENT_IDLE_SHIFT, 1), 1);
	assert_int_equal(pvs_guest_retract(&r->vcpu), PVS_GUEST_OK);
	assert_int_equal(GET(region_slot(r, 1)->intent, PVS_INTENT_IDLE_SHIFT, 1), 0);
	region_free(r);
}

/* ---- gating -------------------------------------------------------------------------------- */

static void PVS_G_17__ok_what_was_accepted_is_said(void **state)
{
	struct region *r = region_active(WHOLE);
	pvs_u64 w = intent_of(r, &full);

	(void)state;
	assert_int_equal(w, pvs_guest_intent_word(&full) | ((pvs_u64)1 << PVS_INTENT_SEQ_SHIFT));
	region_free(r);
}

static void PVS_G_17__bad_nothing_is_said_that_was_not_accepted(void **state)
{
	struct region *r = region_active(0);
	struct pvs_slot *s = region_slot(r, 1);
	pvs_u64 w = intent_of(r, &full);

	(void)state;
	assert_int_equal(w, ((pvs_u64)PVS_URGENCY_REALTIME << PVS_INTENT_CLASS_SHIFT) |
				    ((pvs_u64)PVS_LEVEL_MAX << PVS_INTENT_LEVEL_SHIFT) |
				    ((pvs_u64)1 << PVS_INTENT_IDLE_SHIFT) |
				    ((pvs_u64)1 << PVS_INTENT_SEQ_SHIFT));
	pvs_guest_crit(&r->vcpu, PVS_CRIT_ALL, 0);
	pvs_guest_irq_leave(&r->vcpu, pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_BITS_ALL) | 7);
	s->irq_ticket = 5;
	pvs_guest_irq_ack(&r->vcpu);
	pvs_guest_wait(&r->vcpu, PVS_WAIT_ANY, 0, 0);
	pvs_guest_util_bounds(&r->vcpu, 1, 2);
	assert_int_equal(pvs_guest_pend(&r->guest, 1, 5, 5), PVS_GUEST_STATE);
	assert_int_equal(s->crit | s->irq | s->wait | s->util_bounds | s->pending, 0);
	region_free(r);
}

/* ---- crit ---------------------------------------------------------------------------------- */

static void PVS_G_06__ok_bits_are_set_and_cleared_one_by_one(void **state)
{
	struct region *r = region_active(PVS_F_CRIT);
	volatile pvs_u64 *crit = &region_slot(r, 1)->crit;

	(void)state;
	pvs_guest_crit(&r->vcpu, PVS_CRIT_LOCK_HELD, 0);
	assert_int_equal(*crit, PVS_CRIT_LOCK_HELD);
	pvs_guest_crit(&r->vcpu, PVS_CRIT_PREEMPT_OFF | PVS_CRIT_IRQS_OFF, 0);
	assert_int_equal(*crit, PVS_CRIT_LOCK_HELD | PVS_CRIT_PREEMPT_OFF | PVS_CRIT_IRQS_OFF);
	pvs_guest_crit(&r->vcpu, PVS_CRIT_DONT_DESCHED, PVS_CRIT_LOCK_HELD);
	assert_int_equal(*crit, PVS_CRIT_ALL & ~PVS_CRIT_LOCK_HELD);
	pvs_guest_crit(&r->vcpu, PVS_CRIT_LOCK_HELD, PVS_CRIT_ALL);
	assert_int_equal(*crit, PVS_CRIT_LOCK_HELD);
	pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL);
	assert_int_equal(*crit, 0);
	region_free(r);
}

static void PVS_G_06__bad_unknown_bits_are_not_said(void **state)
{
	struct region *r = region_active(PVS_F_CRIT);

	(void)state;
	pvs_guest_crit(&r->vcpu, ~(pvs_u64)0, 0);
	assert_int_equal(region_slot(r, 1)->crit, PVS_CRIT_ALL);
	region_free(r);
}

/* ---- irq ----------------------------------------------------------------------------------- */

static void PVS_G_07__ok_nested_levels_restore_what_they_found(void **state)
{
	struct region *r = region_active(PVS_F_IRQ | PVS_F_IRQ_TICKET);
	volatile pvs_u64 *irq = &region_slot(r, 1)->irq;
	pvs_u64 soft, hard, nmi;

	(void)state;
	soft = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_SOFTIRQ);
	assert_int_equal(*irq, PVS_IRQ_SOFTIRQ);
	hard = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	assert_int_equal(*irq, PVS_IRQ_SOFTIRQ | PVS_IRQ_HARDIRQ);
	nmi = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_NMI);
	assert_int_equal(*irq, PVS_IRQ_BITS_ALL);
	pvs_guest_irq_leave(&r->vcpu, nmi);
	assert_int_equal(*irq, PVS_IRQ_SOFTIRQ | PVS_IRQ_HARDIRQ);
	pvs_guest_irq_leave(&r->vcpu, hard);
	assert_int_equal(*irq, PVS_IRQ_SOFTIRQ);
	pvs_guest_irq_leave(&r->vcpu, soft);
	assert_int_equal(*irq, 0);
	region_free(r);
}

static void PVS_G_07__bad_an_inner_level_of_the_same_kind_does_not_end_the_outer(void **state)
{
	struct region *r = region_active(PVS_F_IRQ);
	volatile pvs_u64 *irq = &region_slot(r, 1)->irq;
	pvs_u64 outer, inner;

	(void)state;
	outer = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	inner = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ | (pvs_u64)0xf0);
	pvs_guest_irq_leave(&r->vcpu, inner);
	assert_int_equal(*irq, PVS_IRQ_HARDIRQ);
	pvs_guest_irq_leave(&r->vcpu, outer);
	assert_int_equal(*irq, 0);
	region_free(r);
}

static void PVS_G_08__ok_the_ack_is_the_ticket_last_seen(void **state)
{
	struct region *r = region_active(PVS_F_IRQ | PVS_F_IRQ_TICKET);
	struct pvs_slot *s = region_slot(r, 1);
	pvs_u64 found;

	(void)state;
	found = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	s->irq_ticket = 0xbeef;
	pvs_guest_irq_ack(&r->vcpu);
	assert_int_equal(s->irq, PVS_IRQ_HARDIRQ | ((pvs_u64)0xbeef << PVS_IRQ_ACK_SHIFT));
	pvs_guest_irq_leave(&r->vcpu, found);
	assert_int_equal(s->irq, (pvs_u64)0xbeef << PVS_IRQ_ACK_SHIFT);
	region_free(r);
}

static void PVS_G_08__bad_a_ticket_of_more_than_16_bits_does_not_spill(void **state)
{
	struct region *r = region_active(PVS_F_IRQ | PVS_F_IRQ_TICKET);
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	s->irq_ticket = ~(pvs_u64)0;
	pvs_guest_irq_ack(&r->vcpu);
	assert_int_equal(s->irq, (pvs_u64)0xffff << PVS_IRQ_ACK_SHIFT);
	region_free(r);
}

static void PVS_G_08__bad_leaving_an_nmi_does_not_take_an_ack_back(void **state)
{
	struct region *r = region_active(PVS_F_IRQ | PVS_F_IRQ_TICKET);
	struct pvs_slot *s = region_slot(r, 1);
	pvs_u64 hard, nmi;

	(void)state;
	hard = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	s->irq_ticket = 7;
	pvs_guest_irq_ack(&r->vcpu);
	s->irq_ticket = 8; /* delivered meanwhile, not acknowledged */
	nmi = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_NMI);
	pvs_guest_irq_leave(&r->vcpu, nmi);
	pvs_guest_irq_leave(&r->vcpu, hard);
	assert_int_equal(s->irq, (pvs_u64)7 << PVS_IRQ_ACK_SHIFT);
	region_free(r);
}

/* ---- wait ---------------------------------------------------------------------------------- */

static pvs_u64 wait_of(struct region *r, pvs_u32 kind, pvs_u32 target, pvs_u32 value)
{
	pvs_guest_wait(&r->vcpu, kind, target, value);
	return region_slot(r, 1)->wait;
}

static void PVS_G_09__ok_each_kind_has_its_form(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	assert_true(wait_of(r, PVS_WAIT_LOCK, 3, 0x1234) ==
		    (PVS_WAIT_LOCK | (3u << 4) | ((pvs_u64)0x1234 << 32)));
	assert_true(wait_of(r, PVS_WAIT_IPI, 2, 0xabcd5678) ==
		    (PVS_WAIT_IPI | (2u << 4) | ((pvs_u64)0x5678 << 32)));
	assert_true(wait_of(r, PVS_WAIT_IPI_MANY, 0, 0xf) ==
		    (PVS_WAIT_IPI_MANY | ((pvs_u64)0xf << 32)));
	assert_true(wait_of(r, PVS_WAIT_IPI_MANY, 2, 0x3) ==
		    (PVS_WAIT_IPI_MANY | (2u << 4) | ((pvs_u64)0x3 << 32)));
	assert_true(wait_of(r, PVS_WAIT_ANY, 3, 0x1234) == PVS_WAIT_ANY);
	assert_true(wait_of(r, PVS_WAIT_NONE, 3, 0x1234) == 0);
	assert_true(wait_of(r, PVS_WAIT_IPI_MANY, 1, 0) == 0);
	region_free(r);
}

static void PVS_G_09__bad_whom_it_cannot_name_is_anybody(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	assert_true(wait_of(r, PVS_WAIT_LOCK, REGION_SLOTS, 0) == PVS_WAIT_ANY);
	assert_true(wait_of(r, PVS_WAIT_IPI, 0xffffffffu, 0) == PVS_WAIT_ANY);
	assert_true(wait_of(r, PVS_WAIT_IPI_MANY, REGION_SLOTS, 1) == PVS_WAIT_ANY);
	assert_true(wait_of(r, PVS_WAIT_IPI_MANY, 0, 0x10) == PVS_WAIT_ANY);
	assert_true(wait_of(r, PVS_WAIT_IPI_MANY, 3, 0x2) == PVS_WAIT_ANY);
	assert_true(wait_of(r, PVS_WAIT_KIND_MAX + 1, 0, 0) == PVS_WAIT_ANY);
	assert_true(wait_of(r, 0xffffffffu, 0, 0) == PVS_WAIT_ANY);
	region_free(r);
}

static void PVS_G_09__ok_the_widest_mask_fits(void **state)
{
	struct region *r = region_new(PVS_F_WAIT);

	(void)state;
	r->header.slot_count = 16;
	assert_int_equal(region_bind(r, PVS_F_WAIT), PVS_GUEST_KICK);
	r->header.status = PVS_STATUS_ACTIVE;
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 1, &r->vcpu), PVS_GUEST_OK);
	r->vcpu.slot_count = 1024;
	assert_true(wait_of(r, PVS_WAIT_IPI_MANY, 992, 0xffffffffu) >> 32 == 0xffffffffu);
	assert_true(wait_of(r, PVS_WAIT_IPI_MANY, 993, 0xffffffffu) == PVS_WAIT_ANY);
	region_free(r);
}

static void PVS_G_26__ok_the_run_epoch_of_another_slot_is_read(void **state)
{
	struct region *r = region_active(PVS_F_RUN_EPOCH);

	(void)state;
	region_slot(r, 3)->run = 0x1235;
	assert_int_equal(pvs_guest_run_epoch(&r->guest, 3), 0x1235);
	region_free(r);
}

static void PVS_G_26__bad_no_epoch_without_feature_slot_or_sense(void **state)
{
	struct region *r = region_active(PVS_F_RUN_EPOCH);

	(void)state;
	region_slot(r, 3)->run = ~(pvs_u64)0;
	region_slot(r, REGION_SLOTS)->run = 1;
	assert_int_equal(pvs_guest_run_epoch(&r->guest, 3), 0xffff);
	assert_int_equal(pvs_guest_run_epoch(&r->guest, REGION_SLOTS), 0);
	assert_int_equal(pvs_guest_run_epoch(&r->guest, 0xffffffffu), 0);
	r->guest.features = 0;
	assert_int_equal(pvs_guest_run_epoch(&r->guest, 3), 0);
	region_free(r);
}

/* ---- pending ------------------------------------------------------------------------------- */

static void PVS_G_16__ok_pending_only_rises_until_its_owner_has_looked(void **state)
{
	struct region *r = region_active(PVS_F_PENDING);
	volatile pvs_u64 *pending = &region_slot(r, 1)->pending;

	(void)state;
	assert_int_equal(pvs_guest_pend(&r->guest, 1, PVS_URGENCY_INTERACTIVE, 3), PVS_GUEST_OK);
	assert_int_equal(*pending, 0x43);
	assert_int_equal(pvs_guest_pend(&r->guest, 1, PVS_URGENCY_NORMAL, 15), PVS_GUEST_OK);
	assert_int_equal(*pending, 0x43);
	assert_int_equal(pvs_guest_pend(&r->guest, 1, PVS_URGENCY_INTERACTIVE, 4), PVS_GUEST_OK);
	assert_int_equal(*pending, 0x44);
	pvs_guest_pend_clear(&r->vcpu);
	assert_int_equal(*pending, 0);
	pvs_guest_pend_clear(&r->vcpu);
	assert_int_equal(*pending, 0);
	region_free(r);
}

static void PVS_G_16__bad_pending_is_clamped_and_stays_in_its_slot(void **state)
{
	struct region *r = region_active(PVS_F_PENDING);
	unsigned char before[sizeof(r->slots)];

	(void)state;
	assert_int_equal(pvs_guest_pend(&r->guest, 2, 0xffffffffu, 0xffffffffu), PVS_GUEST_OK);
	assert_int_equal(region_slot(r, 2)->pending, 0x5f);
	memcpy(before, r->slots, sizeof(before));
	assert_int_equal(pvs_guest_pend(&r->guest, REGION_SLOTS, 5, 5), PVS_GUEST_INVALID);
	assert_memory_equal(before, r->slots, sizeof(before));
	region_free(r);
}

/* ---- util_bounds --------------------------------------------------------------------------- */

static void PVS_G_15__ok_bounds_are_said(void **state)
{
	struct region *r = region_active(PVS_F_UTIL | PVS_F_UTIL_BOUNDS);
	volatile pvs_u64 *bounds = &region_slot(r, 1)->util_bounds;

	(void)state;
	pvs_guest_util_bounds(&r->vcpu, 100, 900);
	assert_int_equal(*bounds, 100 | (900 << 11));
	pvs_guest_util_bounds(&r->vcpu, 1024, 1024);
	assert_int_equal(*bounds, 1024 | (1024 << 11));
	pvs_guest_util_bounds(&r->vcpu, 0, 0);
	assert_int_equal(*bounds, 0);
	region_free(r);
}

static void PVS_G_15__bad_bounds_out_of_range_or_order_are_clamped(void **state)
{
	struct region *r = region_active(PVS_F_UTIL | PVS_F_UTIL_BOUNDS);
	volatile pvs_u64 *bounds = &region_slot(r, 1)->util_bounds;

	(void)state;
	pvs_guest_util_bounds(&r->vcpu, 2000, 0xffffffffu);
	assert_int_equal(*bounds, 1024 | (1024 << 11));
	pvs_guest_util_bounds(&r->vcpu, 900, 100);
	assert_int_equal(*bounds, 100 | (100 << 11));
	region_free(r);
}

/* ---- split words --------------------------------------------------------------------------- */

static void PVS_G_11__ok_both_halves_carry_the_same_new_tag(void **state)
{
	struct region *r = region_active(PVS_F_ALL);
	struct pvs_slot *s = region_slot(r, 1);
	unsigned int i;

	(void)state;
	for (i = 1; i <= 40; i++) {
		pvs_u64 tagless = ~(BITS(28, 4) | BITS(60, 4));
		pvs_u64 w = intent_of(r, &full);

		assert_int_equal(TAG_LO(w), i & 15);
		assert_int_equal(TAG_HI(w), i & 15);
		assert_true((w & tagless) ==
			    (pvs_guest_intent_word(&full) | ((pvs_u64)i << PVS_INTENT_SEQ_SHIFT)));
		w = wait_of(r, PVS_WAIT_LOCK, 2, 0xffff);
		assert_int_equal(TAG_LO(w), i & 15);
		assert_int_equal(TAG_HI(w), i & 15);
		assert_true((w & tagless) == (PVS_WAIT_LOCK | 2u << 4 | (pvs_u64)0xffff << 32));
	}
	assert_int_equal(s->intent >> 60, 40 & 15);
	region_free(r);
}

static void PVS_G_11__ok_words_of_one_half_need_no_tag(void **state)
{
	struct region *r = region_active(PVS_F_ALL);
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	assert_int_equal(s->life >> PVS_LIFE_GEN_SHIFT, REGION_GENERATION);
	pvs_guest_crit(&r->vcpu, PVS_CRIT_ALL, 0);
	assert_int_equal(s->crit, PVS_CRIT_ALL);
	(void)pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	assert_int_equal(s->irq, PVS_IRQ_HARDIRQ);
	pvs_guest_util_bounds(&r->vcpu, 5, 6);
	assert_int_equal(s->util_bounds, 5 | 6 << 11);
	pvs_guest_vcpu_offline(&r->vcpu);
	assert_int_equal(s->life | s->crit | s->irq | s->util_bounds | s->intent | s->wait, 0);
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 1, &r->vcpu), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_unbind(&r->guest), PVS_GUEST_KICK);
	assert_int_equal(s->life, 0);
	region_free(r);
}

static void PVS_G_11__bad_a_host_without_split_words_is_not_bound(void **state)
{
	struct region *r = region_new(PVS_F_ALL & ~PVS_F_SPLIT_WORDS);
	struct pvs_region_header before = r->header;

	(void)state;
	assert_int_equal(region_bind(r, PVS_F_SPLIT_WORDS), PVS_GUEST_REFUSED);
	assert_memory_equal(&before, &r->header, sizeof(before));
	assert_null((void *)r->guest.header);
	region_free(r);
}

static void PVS_G_11__bad_a_mask_that_would_meet_the_tag_is_anybody(void **state)
{
	struct region *r = region_active(PVS_F_ALL);
	const pvs_u64 tagless = ~(BITS(28, 4) | BITS(60, 4));

	(void)state;
	r->vcpu.slot_count = 64;
	assert_true((wait_of(r, PVS_WAIT_IPI_MANY, 0, 0x0fffffffu) & tagless) ==
		    (PVS_WAIT_IPI_MANY | (pvs_u64)0x0fffffffu << 32));
	assert_true((wait_of(r, PVS_WAIT_IPI_MANY, 0, 0x10000000u) & tagless) == PVS_WAIT_ANY);
	region_free(r);
}

/* ---- doorbell ------------------------------------------------------------------------------ */

static int publish(struct region *r, unsigned int urgency, unsigned int idle)
{
	struct pvs_guest_intent in = { .urgency = (pvs_u8)urgency, .idle = (pvs_u8)idle };

	return pvs_guest_publish(&r->vcpu, &in);
}

static void PVS_G_20__ok_a_kick_is_due_when_the_host_asked_for_this_change(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	s->applied = PVS_APPLIED_KICK_RAISE;
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_KICK);
	/* asked or not, the statement is the same */
	assert_true(s->intent == ((pvs_u64)PVS_URGENCY_REALTIME << PVS_INTENT_CLASS_SHIFT |
				  (pvs_u64)1 << PVS_INTENT_SEQ_SHIFT));
	s->applied = PVS_APPLIED_KICK_DEBOOST;
	assert_int_equal(publish(r, PVS_URGENCY_INTERACTIVE, 0), PVS_GUEST_KICK);
	assert_int_equal(publish(r, PVS_URGENCY_UNSPECIFIED, 0), PVS_GUEST_KICK);
	assert_int_equal(publish(r, PVS_URGENCY_IDLE, 0), PVS_GUEST_KICK);
	s->applied |= PVS_APPLIED_KICK_RAISE;
	assert_int_equal(publish(r, PVS_URGENCY_BACKGROUND, 0), PVS_GUEST_KICK);
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_KICK);
	assert_int_equal(pvs_guest_retract(&r->vcpu), PVS_GUEST_KICK);
	region_free(r);
}

static void PVS_G_20__bad_no_kick_that_the_host_did_not_ask_for(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_OK);
	s->applied = PVS_APPLIED_KICK_RAISE;
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_OK);
	assert_int_equal(publish(r, PVS_URGENCY_NORMAL, 0), PVS_GUEST_OK);
	s->applied = PVS_APPLIED_KICK_DEBOOST | ~(PVS_APPLIED_KICK_RAISE |
						  PVS_APPLIED_DONT_BOTHER);
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_OK);
	assert_int_equal(publish(r, PVS_URGENCY_UNSPECIFIED, 1), PVS_GUEST_OK);
	region_free(r);
}

static void PVS_G_20__bad_no_kick_without_the_feature(void **state)
{
	struct region *r = region_active(WHOLE & ~PVS_F_KICK);

	(void)state;
	region_slot(r, 1)->applied = ~PVS_APPLIED_DONT_BOTHER;
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_retract(&r->vcpu), PVS_GUEST_OK);
	region_free(r);
}

static void PVS_G_20__ok_a_vcpu_woken_for_less_than_it_is_boosted_for_says_so(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_slot *s = region_slot(r, 1);
	struct pvs_guest_intent armed = { .idle = 1, .wake_valid = 1,
					  .wake_urgency = PVS_URGENCY_REALTIME };

	(void)state;
	s->applied = PVS_CLASS_TASK | PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_KICK_RAISE;
	/* armed for real-time and woken for it: nothing changes on either side */
	assert_int_equal(pvs_guest_publish(&r->vcpu, &armed), PVS_GUEST_OK);
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_OK);
	/* armed for real-time and woken for something else */
	assert_int_equal(pvs_guest_publish(&r->vcpu, &armed), PVS_GUEST_OK);
	assert_int_equal(publish(r, PVS_URGENCY_NORMAL, 0), PVS_GUEST_KICK);
	/* the boost of the time before idle is still there, because idle does not kick */
	assert_int_equal(publish(r, PVS_URGENCY_UNSPECIFIED, 1), PVS_GUEST_OK);
	assert_int_equal(publish(r, PVS_URGENCY_NORMAL, 0), PVS_GUEST_KICK);
	s->applied = PVS_CLASS_BASELINE | PVS_APPLIED_KICK_DEBOOST;
	assert_int_equal(publish(r, PVS_URGENCY_UNSPECIFIED, 1), PVS_GUEST_OK);
	assert_int_equal(publish(r, PVS_URGENCY_NORMAL, 0), PVS_GUEST_OK);
	/* it should have been armed and is not */
	s->applied = PVS_CLASS_BASELINE | PVS_APPLIED_KICK_RAISE;
	assert_int_equal(pvs_guest_publish(&r->vcpu, &armed), PVS_GUEST_OK);
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_KICK);
	region_free(r);
}

static void PVS_G_20__ok_the_end_of_the_last_urgent_thing_is_told(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_slot *s = region_slot(r, 1);
	pvs_u64 found;

	(void)state;
	s->applied = PVS_CLASS_CRITICAL | PVS_APPLIED_KICK_DEBOOST;
	assert_int_equal(pvs_guest_crit(&r->vcpu, PVS_CRIT_LOCK_HELD, 0), PVS_GUEST_OK);
	found = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_irq_leave(&r->vcpu, found), PVS_GUEST_KICK);
	assert_int_equal(pvs_guest_pend(&r->guest, 1, PVS_URGENCY_REALTIME, 0), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_pend_clear(&r->vcpu), PVS_GUEST_KICK);
	assert_int_equal(pvs_guest_pend_clear(&r->vcpu), PVS_GUEST_OK);
	region_free(r);
}

static void PVS_G_20__bad_the_end_of_something_is_not_the_end_of_all(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	/* nobody asked; or not boosted; or no effect */
	s->applied = PVS_CLASS_CRITICAL;
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	s->applied = PVS_CLASS_BASELINE | PVS_APPLIED_KICK_DEBOOST;
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	s->applied = PVS_CLASS_CRITICAL | PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_DONT_BOTHER;
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	/* the running task is urgent by itself, or the vCPU is about to halt */
	s->applied = PVS_CLASS_CRITICAL | PVS_APPLIED_KICK_DEBOOST;
	assert_int_equal(publish(r, PVS_URGENCY_INTERACTIVE, 0), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	assert_int_equal(publish(r, PVS_URGENCY_UNSPECIFIED, 1), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	region_free(r);
}

static void PVS_G_24__ok_a_granted_vcpu_yields_with_its_last_critical_bit(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	s->applied = PVS_CLASS_CRITICAL | PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_GRANTED;
	assert_int_equal(pvs_guest_crit(&r->vcpu, PVS_CRIT_LOCK_HELD | PVS_CRIT_IRQS_OFF, 0),
			 PVS_GUEST_OK);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_LOCK_HELD), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_IRQS_OFF), PVS_GUEST_YIELD);
	assert_true(s->crit == 0); /* the host finds it cleared when the yield arrives */
	/* also if the task is urgent by itself, or the vCPU says that it goes idle */
	(void)publish(r, PVS_URGENCY_REALTIME, 0);
	(void)pvs_guest_crit(&r->vcpu, PVS_CRIT_DONT_DESCHED, 0);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_YIELD);
	(void)publish(r, PVS_URGENCY_UNSPECIFIED, 1);
	(void)pvs_guest_crit(&r->vcpu, PVS_CRIT_DONT_DESCHED, 0);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_YIELD);
	region_free(r);
}

static void PVS_G_24__bad_nobody_yields_who_was_not_granted_anything(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	/* a host that says so all the time: only the end of a critical section counts */
	s->applied = ~0ull & ~(pvs_u64)(PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_KICK_RAISE);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_crit(&r->vcpu, PVS_CRIT_LOCK_HELD, 0), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_crit(&r->vcpu, PVS_CRIT_PREEMPT_OFF, PVS_CRIT_LOCK_HELD),
			 PVS_GUEST_OK);
	/* one that says all but that */
	s->applied = ~(pvs_u64)(PVS_APPLIED_GRANTED | PVS_APPLIED_KICK_DEBOOST);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	region_free(r);
	/* and one that was not asked to */
	r = region_active(WHOLE & ~PVS_F_GRANT);
	region_slot(r, 1)->applied = PVS_APPLIED_GRANTED;
	(void)pvs_guest_crit(&r->vcpu, PVS_CRIT_LOCK_HELD, 0);
	assert_int_equal(pvs_guest_crit(&r->vcpu, 0, PVS_CRIT_ALL), PVS_GUEST_OK);
	region_free(r);
}

static void PVS_G_25__ok_where_spinning_is_a_waste_a_vcpu_yields(void **state)
{
	struct region *r = region_active(WHOLE);
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	pvs_guest_wait(&r->vcpu, PVS_WAIT_LOCK, 2, 0);
	s->applied = PVS_CLASS_BASELINE;
	assert_int_equal(pvs_guest_should_yield(&r->vcpu), 0);
	s->applied = PVS_CLASS_BASELINE | PVS_APPLIED_YIELD_SPIN;
	assert_int_equal(pvs_guest_should_yield(&r->vcpu), 1);
	s->applied = PVS_CLASS_BASELINE;
	assert_int_equal(pvs_guest_should_yield(&r->vcpu), 0);
	region_free(r);
}

static void PVS_G_25__bad_without_wait_or_offline_it_spins_as_ever(void **state)
{
	struct region *r = region_active(WHOLE & ~PVS_F_WAIT);
	struct pvs_guest_vcpu nobody = { 0 };

	(void)state;
	region_slot(r, 1)->applied = ~0ull;
	assert_int_equal(pvs_guest_should_yield(&r->vcpu), 0);
	assert_int_equal(pvs_guest_should_yield(&nobody), 0);
	region_free(r);
	r = region_active(WHOLE);
	region_slot(r, 1)->applied = ~(pvs_u64)PVS_APPLIED_YIELD_SPIN; /* unknown bits are zero */
	assert_int_equal(pvs_guest_should_yield(&r->vcpu), 0);
	region_free(r);
}

static void PVS_G_23__ok_hints_may_go_on_when_they_have_no_effect(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	region_slot(r, 1)->applied = PVS_APPLIED_DONT_BOTHER;
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_OK);
	assert_int_equal(GET(region_slot(r, 1)->intent, PVS_INTENT_CLASS_SHIFT, 4),
			 PVS_URGENCY_REALTIME);
	assert_true(pvs_guest_applied(&r->vcpu) & PVS_APPLIED_DONT_BOTHER);
	region_free(r);
}

static void PVS_G_23__bad_no_doorbell_for_hints_without_effect(void **state)
{
	struct region *r = region_active(WHOLE);

	(void)state;
	region_slot(r, 1)->applied = PVS_APPLIED_DONT_BOTHER | PVS_APPLIED_KICK_RAISE |
				     PVS_APPLIED_KICK_DEBOOST;
	assert_int_equal(publish(r, PVS_URGENCY_REALTIME, 0), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_retract(&r->vcpu), PVS_GUEST_OK);
	region_free(r);
}

/* ---- counters ------------------------------------------------------------------------------ */

static void PVS_G_19__ok_counters_are_read_when_the_host_is_not_writing(void **state)
{
	struct region *r = region_active(PVS_F_COUNTERS);
	struct pvs_slot *s = region_slot(r, 1);
	struct pvs_guest_counters c;

	(void)state;
	s->count_seq = 4;
	s->boosts = 1;
	s->denials = 2;
	s->overruns = 3;
	s->malformed = 4;
	s->boosted_ns = (pvs_u64)5 << 40;
	assert_int_equal(pvs_guest_counters(&r->vcpu, &c), PVS_GUEST_OK);
	assert_true(c.boosts == 1 && c.denials == 2 && c.overruns == 3 && c.malformed == 4);
	assert_true(c.boosted_ns == (pvs_u64)5 << 40);
	region_free(r);
}

static void PVS_G_19__bad_a_host_that_never_ends_writing_is_given_up(void **state)
{
	struct region *r = region_active(PVS_F_COUNTERS);
	struct pvs_slot *s = region_slot(r, 1);
	struct pvs_guest_counters c;

	(void)state;
	s->count_seq = 5;
	s->boosts = 1;
	assert_int_equal(pvs_guest_counters(&r->vcpu, &c), PVS_GUEST_NOT_READY);
	assert_true(c.boosts == 0);
	r->vcpu.features = 0;
	s->count_seq = 6;
	c.boosts = 9;
	assert_int_equal(pvs_guest_counters(&r->vcpu, &c), PVS_GUEST_STATE);
	assert_true(c.boosts == 0);
	region_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_G_04__ok_every_class_and_level_is_said),
		cmocka_unit_test(PVS_G_04__bad_class_and_level_out_of_range_are_clamped),
		cmocka_unit_test(PVS_G_05__ok_utilisation_is_said_with_its_valid_bit),
		cmocka_unit_test(PVS_G_05__bad_more_than_everything_is_everything),
		cmocka_unit_test(PVS_G_12__ok_wake_urgency_is_said_with_its_valid_bit),
		cmocka_unit_test(PVS_G_12__bad_without_the_feature_no_wake_bit_is_said),
		cmocka_unit_test(PVS_G_13__ok_each_statement_advances_the_sequence_by_one),
		cmocka_unit_test(PVS_G_13__bad_a_sequence_in_a_prepared_word_does_not_count),
		cmocka_unit_test(PVS_G_13__bad_without_the_feature_no_window_is_said),
		cmocka_unit_test(PVS_G_14__ok_idle_is_said),
		cmocka_unit_test(PVS_G_14__bad_the_next_statement_ends_idle),
		cmocka_unit_test(PVS_G_17__ok_what_was_accepted_is_said),
		cmocka_unit_test(PVS_G_17__bad_nothing_is_said_that_was_not_accepted),
		cmocka_unit_test(PVS_G_06__ok_bits_are_set_and_cleared_one_by_one),
		cmocka_unit_test(PVS_G_06__bad_unknown_bits_are_not_said),
		cmocka_unit_test(PVS_G_07__ok_nested_levels_restore_what_they_found),
		cmocka_unit_test(
			PVS_G_07__bad_an_inner_level_of_the_same_kind_does_not_end_the_outer),
		cmocka_unit_test(PVS_G_08__ok_the_ack_is_the_ticket_last_seen),
		cmocka_unit_test(PVS_G_08__bad_a_ticket_of_more_than_16_bits_does_not_spill),
		cmocka_unit_test(PVS_G_08__bad_leaving_an_nmi_does_not_take_an_ack_back),
		cmocka_unit_test(PVS_G_09__ok_each_kind_has_its_form),
		cmocka_unit_test(PVS_G_09__bad_whom_it_cannot_name_is_anybody),
		cmocka_unit_test(PVS_G_09__ok_the_widest_mask_fits),
		cmocka_unit_test(PVS_G_26__ok_the_run_epoch_of_another_slot_is_read),
		cmocka_unit_test(PVS_G_26__bad_no_epoch_without_feature_slot_or_sense),
		cmocka_unit_test(PVS_G_16__ok_pending_only_rises_until_its_owner_has_looked),
		cmocka_unit_test(PVS_G_16__bad_pending_is_clamped_and_stays_in_its_slot),
		cmocka_unit_test(PVS_G_15__ok_bounds_are_said),
		cmocka_unit_test(PVS_G_15__bad_bounds_out_of_range_or_order_are_clamped),
		cmocka_unit_test(PVS_G_11__ok_both_halves_carry_the_same_new_tag),
		cmocka_unit_test(PVS_G_11__ok_words_of_one_half_need_no_tag),
		cmocka_unit_test(PVS_G_11__bad_a_host_without_split_words_is_not_bound),
		cmocka_unit_test(PVS_G_11__bad_a_mask_that_would_meet_the_tag_is_anybody),
		cmocka_unit_test(PVS_G_20__ok_a_kick_is_due_when_the_host_asked_for_this_change),
		cmocka_unit_test(PVS_G_20__bad_no_kick_that_the_host_did_not_ask_for),
		cmocka_unit_test(PVS_G_20__bad_no_kick_without_the_feature),
		cmocka_unit_test(PVS_G_20__ok_a_vcpu_woken_for_less_than_it_is_boosted_for_says_so),
		cmocka_unit_test(PVS_G_20__ok_the_end_of_the_last_urgent_thing_is_told),
		cmocka_unit_test(PVS_G_20__bad_the_end_of_something_is_not_the_end_of_all),
		cmocka_unit_test(PVS_G_24__ok_a_granted_vcpu_yields_with_its_last_critical_bit),
		cmocka_unit_test(PVS_G_24__bad_nobody_yields_who_was_not_granted_anything),
		cmocka_unit_test(PVS_G_25__ok_where_spinning_is_a_waste_a_vcpu_yields),
		cmocka_unit_test(PVS_G_25__bad_without_wait_or_offline_it_spins_as_ever),
		cmocka_unit_test(PVS_G_23__ok_hints_may_go_on_when_they_have_no_effect),
		cmocka_unit_test(PVS_G_23__bad_no_doorbell_for_hints_without_effect),
		cmocka_unit_test(PVS_G_19__ok_counters_are_read_when_the_host_is_not_writing),
		cmocka_unit_test(PVS_G_19__bad_a_host_that_never_ends_writing_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
