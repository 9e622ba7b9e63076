/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which words count: the first part of abi/spec/host-rules.md, and abi/spec/negotiation.md from
 * the host's side, against the engine itself.
 */
#include "../unit/core/world.h"

#include <string.h>

#define BIT(n) ((pvs_u64)1 << (n))
#define GENERATION 7u
#define SLOTS 32u
#define LIFE (PVS_LIFE_ONLINE | (pvs_u64)GENERATION << PVS_LIFE_GEN_SHIFT)
#define WHOLE (PVS_F_ALL & ~PVS_F_SPLIT_WORDS)

/* Validates one slot under `features`, 32 slots, generation 7. */
static struct pvs_hint hint_of(const struct pvs_snapshot *snap, pvs_u64 features)
{
	struct pvs_terms terms = { .features = features, .generation = GENERATION,
				   .slot_count = SLOTS, .active = 1 };
	struct pvs_hint before, out;

	memset(&before, 0, sizeof(before));
	pvs_validate(snap, &terms, &before, &out);
	return out;
}

static struct pvs_choice choice_of(pvs_u64 features)
{
	struct pvs_choice c = { .major = PVS_ABI_MAJOR, .minor = PVS_ABI_MINOR,
				.generation = GENERATION, .command = PVS_CMD_ACCEPT };

	c.features = features;
	return c;
}

/* ---- PVS-H-02 -------------------------------------------------------------------------------- */

static void PVS_H_02__ok_what_a_host_can_do_is_offered(void **state)
{
	const pvs_u64 needs_nothing = PVS_F_WAKE | PVS_F_WINDOW | PVS_F_PENDING;
	const pvs_u64 needs_sight = PVS_F_CRIT | PVS_F_IRQ | PVS_F_RUN_EPOCH;

	(void)state;
	assert_true((pvs_features_for(0) & needs_nothing) == needs_nothing);
	assert_true((pvs_features_for(PVS_CAP_SEES_PREEMPT) & needs_sight) == needs_sight);
	assert_true(pvs_features_for(PVS_CAP_SETS_PERF) & PVS_F_UTIL);
	assert_true(pvs_features_for(PVS_CAP_SETS_PERF) & PVS_F_UTIL_BOUNDS);
	assert_true(pvs_features_for(PVS_CAP_TELLS_PERF) & PVS_F_PERF);
	assert_true(pvs_features_for(PVS_CAP_CAN_YIELD) & PVS_F_WAIT);
	assert_true(pvs_features_for(PVS_CAP_SEES_PREEMPT | PVS_CAP_CAN_DEFER) & PVS_F_GRANT);
	assert_true(pvs_features_for(PVS_CAP_SEES_PREEMPT | PVS_CAP_SEES_INJECT) &
		    PVS_F_IRQ_TICKET);
	assert_true(pvs_features_for(PVS_CAP_CAN_KICK) & PVS_F_KICK);
}

static void PVS_H_02__bad_what_a_host_cannot_do_is_not_offered(void **state)
{
	pvs_u32 caps;

	(void)state;
	for (caps = 0; caps < 0x800; caps++) {
		pvs_u64 f = pvs_features_for(caps);

		assert_true((f & ~PVS_F_ALL) == 0);
		if (!(caps & PVS_CAP_SETS_PERF))
			assert_true((f & (PVS_F_UTIL | PVS_F_UTIL_BOUNDS)) == 0);
		if (!(caps & PVS_CAP_TELLS_PERF))
			assert_true((f & PVS_F_PERF) == 0);
		if (!(caps & PVS_CAP_CAN_YIELD))
			assert_true((f & PVS_F_WAIT) == 0);
		if (!(caps & PVS_CAP_SEES_PREEMPT))
			assert_true((f & (PVS_F_CRIT | PVS_F_IRQ | PVS_F_RUN_EPOCH | PVS_F_GRANT |
					  PVS_F_IRQ_TICKET)) == 0);
		if (!(caps & PVS_CAP_CAN_DEFER))
			assert_true((f & PVS_F_GRANT) == 0);
		if (!(caps & PVS_CAP_SEES_INJECT))
			assert_true((f & PVS_F_IRQ_TICKET) == 0);
		if (!(caps & PVS_CAP_CAN_KICK))
			assert_true((f & PVS_F_KICK) == 0);
	}
}

/* ---- PVS-H-03 -------------------------------------------------------------------------------- */

static void PVS_H_03__ok_a_choice_without_fault_has_no_reason(void **state)
{
	struct pvs_choice c = choice_of(WHOLE);

	(void)state;
	assert_int_equal(pvs_negotiate(&c, PVS_F_ALL, GENERATION), PVS_REFUSE_NONE);
	c.minor = 0;
	c.features = 0;
	assert_int_equal(pvs_negotiate(&c, 0, GENERATION), PVS_REFUSE_NONE);
}

static void PVS_H_03__bad_of_several_faults_the_first_in_order_is_named(void **state)
{
	pvs_u32 faults;

	(void)state;
	/* fault n is present when bit n is; the lowest one is the reason */
	for (faults = 1; faults < 64; faults++) {
		struct pvs_choice c = choice_of(PVS_F_CRIT);
		pvs_u32 expected = (pvs_u32)__builtin_ctz(faults) + 1;

		if (faults & 1)
			c.major++;
		if (faults & 2)
			c.minor = PVS_ABI_MINOR + 1;
		if (faults & 4)
			c.generation++;
		if (faults & 8)
			c.features |= PVS_F_WAIT;
		if (faults & 16)
			c.features = (c.features & ~PVS_F_CRIT) | PVS_F_GRANT;
		if (faults & 32)
			c.command = 3;
		assert_int_equal(pvs_negotiate(&c, PVS_F_CRIT | PVS_F_GRANT, GENERATION),
				 expected);
	}
}

static void PVS_H_03__bad_every_need_is_checked(void **state)
{
	static const pvs_u64 alone[] = { PVS_F_GRANT, PVS_F_IRQ_TICKET, PVS_F_UTIL_BOUNDS };
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct pvs_choice c = choice_of(alone[i]);

		assert_int_equal(pvs_negotiate(&c, PVS_F_ALL, GENERATION), PVS_REFUSE_DEPENDENCY);
	}
}

/* ---- PVS-H-04, 05 ---------------------------------------------------------------------------- */

static void PVS_H_04__ok_a_passed_choice_is_in_force_as_a_whole(void **state)
{
	struct pvs_vm vm;
	struct pvs_choice c = choice_of(PVS_F_WAKE);

	(void)state;
	pvs_vm_init(&vm, CAPS_OWNER, GENERATION, 4);
	assert_int_equal(vm.status, PVS_STATUS_OFFERED);
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status, PVS_STATUS_ACTIVE);
	assert_int_equal(vm.status_reason, PVS_REFUSE_NONE);
	assert_true(vm.terms.features == PVS_F_WAKE);
	/* twice changes nothing; another choice is judged anew */
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 0);
	c.features = PVS_F_WAKE | PVS_F_CRIT;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_true(vm.terms.features == (PVS_F_WAKE | PVS_F_CRIT));
}

static void PVS_H_04__bad_a_failed_choice_leaves_nothing_in_force(void **state)
{
	struct pvs_vm vm;
	struct pvs_choice c = choice_of(PVS_F_WAKE);

	(void)state;
	pvs_vm_init(&vm, CAPS_OWNER, GENERATION, 4);
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	c.generation--;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status, PVS_STATUS_REFUSED);
	assert_int_equal(vm.status_reason, PVS_REFUSE_GENERATION);
	assert_true(vm.terms.features == 0);
	c.generation++;
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(vm.status, PVS_STATUS_ACTIVE);
}

static void PVS_H_05__ok_after_a_reset_the_same_choice_is_accepted(void **state)
{
	struct pvs_vm vm;
	struct pvs_choice c = choice_of(PVS_F_WAKE);
	struct pvs_choice reset = { .command = PVS_CMD_RESET };
	unsigned int i;

	(void)state;
	pvs_vm_init(&vm, CAPS_OWNER, GENERATION, 4);
	for (i = 0; i < 3; i++) {
		assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
		assert_int_equal(vm.status, PVS_STATUS_ACTIVE);
		assert_int_equal(pvs_vm_negotiate(&vm, &reset), 1);
		assert_int_equal(vm.status, PVS_STATUS_OFFERED);
		assert_true(vm.terms.features == 0);
	}
}

static void PVS_H_05__ok_a_choice_withdrawn_is_a_reset(void **state)
{
	struct pvs_vm vm;
	struct pvs_choice c = choice_of(PVS_F_WAKE);
	struct pvs_choice none = { .command = PVS_CMD_NONE };

	(void)state;
	pvs_vm_init(&vm, CAPS_OWNER, GENERATION, 4);
	assert_int_equal(pvs_vm_negotiate(&vm, &none), 0);
	assert_int_equal(vm.status, PVS_STATUS_OFFERED);
	assert_int_equal(pvs_vm_negotiate(&vm, &c), 1);
	assert_int_equal(pvs_vm_negotiate(&vm, &none), 1);
	assert_int_equal(vm.status, PVS_STATUS_OFFERED);
	assert_true(vm.terms.features == 0);
}

static void PVS_H_05__bad_a_reset_pays_no_debts(void **state)
{
	struct world w;
	pvs_s64 left;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	run_for(&w, 1 * MS);
	look(&w);
	left = boost_left(&w);
	assert_true(left < (pvs_s64)w.cfg.boost_burst_ns);
	w.slot.life = 0;
	assert_int_equal(step(&w, PVS_EV_RESET), PVS_CLASS_BASELINE);
	assert_true(boost_left(&w) == left);
	assert_int_equal(w.v.hint.urgency, 0);
}

/* ---- PVS-H-07 -------------------------------------------------------------------------------- */

static void PVS_H_07__ok_an_online_slot_of_this_generation_counts(void **state)
{
	struct pvs_snapshot s = { .life = LIFE, .crit = PVS_CRIT_LOCK_HELD };
	struct pvs_hint h = hint_of(&s, WHOLE);

	(void)state;
	assert_int_equal(h.flags & PVS_HINT_ONLINE, PVS_HINT_ONLINE);
	assert_int_equal(h.crit, PVS_CRIT_LOCK_HELD);
}

static void PVS_H_07__bad_a_stale_or_offline_slot_is_silent(void **state)
{
	static const pvs_u64 lives[] = { 0, PVS_LIFE_ONLINE, LIFE & ~PVS_LIFE_ONLINE,
					 LIFE + BIT(PVS_LIFE_GEN_SHIFT),
					 LIFE - BIT(PVS_LIFE_GEN_SHIFT) };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		struct pvs_snapshot s = { .life = lives[i], .crit = PVS_CRIT_ALL, .irq = ~0ull,
					  .intent = ~0ull, .pending = 0x5f };
		struct pvs_hint h = hint_of(&s, WHOLE);

		assert_int_equal(h.flags, 0);
		assert_int_equal(h.malformed, 0);
		assert_int_equal(h.crit | h.irq | h.urgency | h.pending, 0);
	}
}

static void PVS_H_07__bad_a_boost_ends_when_its_generation_does(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	w.vm.terms.generation++;
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(w.io.decision.reason, PVS_REASON_OFFLINE);
}

/* ---- PVS-H-08, 34: each word, each bit ------------------------------------------------------ */

/* The words of a snapshot in the order of their PVS_WORD_* bits. */
static pvs_u64 *word_of(struct pvs_snapshot *s, unsigned int index)
{
	pvs_u64 *words[] = { &s->intent, &s->crit, &s->irq, &s->wait,
			     &s->util_bounds, &s->life, &s->pending };

	return words[index];
}

/* Bits a well-formed word may have under all features (without tags), words in PVS_WORD_ order. */
static const pvs_u64 defined_bits[] = {
	0x0ff3ffff0fffffffull,	/* intent */
	0xf,			/* crit */
	0xffff07,		/* irq */
	0xffffffff000fffffull,	/* wait */
	0x3fffff,		/* util_bounds */
	0xffffff01,		/* life */
	0xff,			/* pending */
};

static void PVS_H_08__ok_every_word_at_its_highest_legal_value_is_taken(void **state)
{
	struct pvs_snapshot s = {
		.life = LIFE,
		.intent = PVS_UTIL_MAX | 5ull << 11 | 15ull << 15 | 5ull << 19 | 15ull << 23 |
			  BIT(27) | 0xffffull << 32 | BIT(48) | BIT(49) | 0xffull << 52,
		.crit = PVS_CRIT_ALL,
		.irq = PVS_IRQ_BITS_ALL | 0xffffull << 8,
		.wait = PVS_WAIT_IPI_MANY | 0xffffffffull << 32,
		.util_bounds = 1024 | 1024ull << 11,
		.pending = 0x5f,
	};
	struct pvs_hint h = hint_of(&s, WHOLE);

	(void)state;
	assert_int_equal(h.malformed, 0);
	assert_int_equal(h.util, 1024);
	assert_int_equal(h.urgency, 5);
	assert_int_equal(h.level, 15);
	assert_int_equal(h.wake_urgency, 5);
	assert_int_equal(h.wake_level, 15);
	assert_int_equal(h.window_us, 0xffff);
	assert_int_equal(h.seq, 0xff);
	assert_int_equal(h.crit, 15);
	assert_int_equal(h.irq, 7);
	assert_int_equal(h.irq_ack, 0xffff);
	assert_int_equal(h.wait_target, 0);
	assert_true(h.wait_mask == 0xffffffffu);
	assert_int_equal(h.util_floor, 1024);
	assert_int_equal(h.util_ceil, 1024);
	assert_int_equal(h.pending, 0x5f);
}

static void PVS_H_08__bad_every_undefined_bit_spoils_its_word_alone(void **state)
{
	unsigned int word, bit;

	(void)state;
	for (word = 0; word < 7; word++)
		for (bit = 0; bit < 64; bit++) {
			struct pvs_snapshot s = { .life = LIFE, .pending = 0x43,
						  .crit = PVS_CRIT_LOCK_HELD };
			struct pvs_hint h;

			if (defined_bits[word] & BIT(bit))
				continue;
			*word_of(&s, word) |= BIT(bit);
			h = hint_of(&s, WHOLE);
			assert_int_equal(h.malformed, 1u << word);
			if (word == 5)
				continue; /* without a life nothing else is looked at */
			assert_int_equal(h.crit, word == 1 ? 0 : PVS_CRIT_LOCK_HELD);
			assert_int_equal(h.pending, word == 6 ? 0 : 0x43);
		}
}

static void PVS_H_08__bad_every_value_out_of_range_spoils_its_word(void **state)
{
	static const struct {
		unsigned int word;
		pvs_u64 value;
	} bad[] = {
		{ 0, PVS_UTIL_MAX + 1 },
		{ 0, 2047 },
		{ 0, 6ull << PVS_INTENT_CLASS_SHIFT },
		{ 0, 15ull << PVS_INTENT_CLASS_SHIFT },
		{ 0, 6ull << PVS_INTENT_WAKE_CLASS_SHIFT },
		{ 3, PVS_WAIT_KIND_MAX + 1 },
		{ 3, 15 },
		{ 3, PVS_WAIT_LOCK | 32ull << 4 },	     /* there are 32 slots */
		{ 3, PVS_WAIT_IPI_MANY },		     /* names nobody */
		{ 3, PVS_WAIT_IPI_MANY | 31ull << 4 | BIT(33) },
		{ 3, PVS_WAIT_IPI | 0xffffull << 4 },
		{ 3, PVS_WAIT_LOCK | BIT(48) },		     /* above the epoch */
		{ 3, PVS_WAIT_ANY | 1ull << 4 },	     /* names somebody */
		{ 3, PVS_WAIT_ANY | BIT(32) },
		{ 3, PVS_WAIT_NONE | BIT(32) },
		{ 4, 1025 | 1025ull << 11 },
		{ 4, 2ull | 1ull << 11 },		     /* floor above ceiling */
		{ 4, 1 },
		{ 6, 0x60 },
		{ 6, 0xff },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pvs_snapshot s = { .life = LIFE };
		struct pvs_hint h;

		*word_of(&s, bad[i].word) = bad[i].value;
		h = hint_of(&s, WHOLE);
		assert_int_equal(h.malformed, 1u << bad[i].word);
		assert_int_equal(h.urgency | h.util | h.wait_kind | h.pending | h.util_floor, 0);
		assert_int_equal(h.util_ceil, PVS_UTIL_MAX);
	}
}

static void PVS_H_08__bad_a_malformed_word_is_counted_and_ends_at_baseline(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	w.slot.intent |= PVS_LE64(BIT(PVS_INTENT_RSVD_SHIFT));
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(w.v.malformed, 1);
	assert_true(w.io.decision.flags & PVS_DECISION_MALFORMED);
}

static void PVS_H_34__ok_an_accepted_feature_is_read(void **state)
{
	struct pvs_snapshot s = { .life = LIFE, .crit = PVS_CRIT_LOCK_HELD };

	(void)state;
	assert_int_equal(hint_of(&s, PVS_F_CRIT).crit, PVS_CRIT_LOCK_HELD);
	assert_int_equal(hint_of(&s, PVS_F_CRIT).malformed, 0);
}

static void PVS_H_34__bad_a_feature_not_accepted_is_malformed_and_without_effect(void **state)
{
	static const struct {
		pvs_u64 feature, value;
		unsigned int word;
	} gated[] = {
		{ PVS_F_UTIL, 100, 0 },
		{ PVS_F_UTIL, BIT(PVS_INTENT_UTIL_VALID_SHIFT), 0 },
		{ PVS_F_WAKE, 5ull << PVS_INTENT_WAKE_CLASS_SHIFT, 0 },
		{ PVS_F_WAKE, 1ull << PVS_INTENT_WAKE_LEVEL_SHIFT, 0 },
		{ PVS_F_WAKE, BIT(PVS_INTENT_WAKE_VALID_SHIFT), 0 },
		{ PVS_F_WINDOW, 1ull << PVS_INTENT_WINDOW_SHIFT, 0 },
		{ PVS_F_CRIT, PVS_CRIT_LOCK_HELD, 1 },
		{ PVS_F_IRQ, PVS_IRQ_HARDIRQ, 2 },
		{ PVS_F_IRQ_TICKET, 1ull << PVS_IRQ_ACK_SHIFT, 2 },
		{ PVS_F_WAIT, PVS_WAIT_ANY, 3 },
		{ PVS_F_UTIL_BOUNDS, 1024ull << PVS_BOUNDS_CEIL_SHIFT, 4 },
		{ PVS_F_PENDING, 0x50, 6 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(gated) / sizeof(gated[0]); i++) {
		struct pvs_snapshot s = { .life = LIFE };
		struct pvs_hint h, quiet = hint_of(&s, WHOLE);

		*word_of(&s, gated[i].word) = gated[i].value;
		assert_int_equal(hint_of(&s, WHOLE).malformed, 0);
		h = hint_of(&s, WHOLE & ~gated[i].feature);
		assert_int_equal(h.malformed, 1u << gated[i].word);
		h.malformed = 0;
		assert_memory_equal(&h, &quiet, sizeof(h));
	}
}

/* ---- PVS-H-09 -------------------------------------------------------------------------------- */

static void PVS_H_09__ok_after_the_rest_a_sound_word_raises_again(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, BIT(PVS_INTENT_RSVD_SHIFT));
	look(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	sleep_for(&w, w.cfg.malformed_min_ns);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
}

static void PVS_H_09__bad_a_sound_word_right_after_a_malformed_one_waits(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, BIT(PVS_INTENT_RSVD_SHIFT));
	look(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	sleep_for(&w, w.cfg.malformed_min_ns - 1);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_MALFORMED);
}

/* ---- PVS-H-20 -------------------------------------------------------------------------------- */

static void PVS_H_20__ok_halves_with_equal_tags_are_a_word(void **state)
{
	pvs_u64 tags = 9ull << PVS_INTENT_TAG_LO_SHIFT | 9ull << PVS_INTENT_TAG_HI_SHIFT;
	struct pvs_snapshot s = { .life = LIFE,
				  .intent = tags | 5ull << PVS_INTENT_CLASS_SHIFT,
				  .wait = tags | PVS_WAIT_IPI_MANY | 0x0fffffffull << 32 };
	struct pvs_hint h = hint_of(&s, PVS_F_ALL);

	(void)state;
	assert_int_equal(h.malformed, 0);
	assert_int_equal(h.urgency, PVS_URGENCY_REALTIME);
	assert_int_equal(h.wait_kind, PVS_WAIT_IPI_MANY);
	assert_true(h.wait_mask == 0x0fffffffu);
}

static void PVS_H_20__bad_a_torn_word_says_what_it_said_before(void **state)
{
	struct pvs_terms terms = { .features = PVS_F_ALL, .generation = GENERATION,
				   .slot_count = 4, .active = 1 };
	struct pvs_snapshot s = { .life = LIFE,
				  .intent = 1ull << PVS_INTENT_TAG_LO_SHIFT,
				  .wait = 3ull << PVS_WAIT_TAG_HI_SHIFT | PVS_WAIT_ANY };
	struct pvs_hint before = { .urgency = 4, .level = 3, .seq = 77, .window_us = 9,
				   .wait_kind = PVS_WAIT_LOCK, .wait_target = 2,
				   .wait_epoch = 5 };
	struct pvs_hint h;

	(void)state;
	pvs_validate(&s, &terms, &before, &h);
	assert_int_equal(h.malformed, 0);
	assert_int_equal(h.urgency, 4);
	assert_int_equal(h.level, 3);
	assert_int_equal(h.seq, 77);
	assert_int_equal(h.window_us, 9);
	assert_int_equal(h.wait_kind, PVS_WAIT_LOCK);
	assert_int_equal(h.wait_target, 2);
	assert_int_equal(h.wait_epoch, 5);
}

static void PVS_H_20__bad_tags_of_a_guest_that_does_not_split_are_malformed(void **state)
{
	struct pvs_snapshot s = { .life = LIFE,
				  .intent = 9ull << PVS_INTENT_TAG_LO_SHIFT |
					    9ull << PVS_INTENT_TAG_HI_SHIFT };

	(void)state;
	assert_int_equal(hint_of(&s, WHOLE).malformed, PVS_WORD_INTENT);
}

/* ---- PVS-H-28 -------------------------------------------------------------------------------- */

static void PVS_H_28__ok_the_outer_words_count_again_after_the_nested_guest(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.io.facts.nested = 1;
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	w.io.facts.nested = 0;
	assert_int_equal(look(&w), PVS_CLASS_TASK);
}

static void PVS_H_28__bad_words_during_a_nested_guest_are_neither_believed_nor_blamed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	w.io.facts.nested = 1;
	w.slot.intent = ~0ull;
	w.slot.life = 0;
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_int_equal(w.v.malformed, 0);
	assert_false(w.io.decision.flags & PVS_DECISION_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_H_02__ok_what_a_host_can_do_is_offered),
		cmocka_unit_test(PVS_H_02__bad_what_a_host_cannot_do_is_not_offered),
		cmocka_unit_test(PVS_H_03__ok_a_choice_without_fault_has_no_reason),
		cmocka_unit_test(PVS_H_03__bad_of_several_faults_the_first_in_order_is_named),
		cmocka_unit_test(PVS_H_03__bad_every_need_is_checked),
		cmocka_unit_test(PVS_H_04__ok_a_passed_choice_is_in_force_as_a_whole),
		cmocka_unit_test(PVS_H_04__bad_a_failed_choice_leaves_nothing_in_force),
		cmocka_unit_test(PVS_H_05__ok_after_a_reset_the_same_choice_is_accepted),
		cmocka_unit_test(PVS_H_05__ok_a_choice_withdrawn_is_a_reset),
		cmocka_unit_test(PVS_H_05__bad_a_reset_pays_no_debts),
		cmocka_unit_test(PVS_H_07__ok_an_online_slot_of_this_generation_counts),
		cmocka_unit_test(PVS_H_07__bad_a_stale_or_offline_slot_is_silent),
		cmocka_unit_test(PVS_H_07__bad_a_boost_ends_when_its_generation_does),
		cmocka_unit_test(PVS_H_08__ok_every_word_at_its_highest_legal_value_is_taken),
		cmocka_unit_test(PVS_H_08__bad_every_undefined_bit_spoils_its_word_alone),
		cmocka_unit_test(PVS_H_08__bad_every_value_out_of_range_spoils_its_word),
		cmocka_unit_test(PVS_H_08__bad_a_malformed_word_is_counted_and_ends_at_baseline),
		cmocka_unit_test(PVS_H_34__ok_an_accepted_feature_is_read),
		cmocka_unit_test(
			PVS_H_34__bad_a_feature_not_accepted_is_malformed_and_without_effect),
		cmocka_unit_test(PVS_H_09__ok_after_the_rest_a_sound_word_raises_again),
		cmocka_unit_test(PVS_H_09__bad_a_sound_word_right_after_a_malformed_one_waits),
		cmocka_unit_test(PVS_H_20__ok_halves_with_equal_tags_are_a_word),
		cmocka_unit_test(PVS_H_20__bad_a_torn_word_says_what_it_said_before),
		cmocka_unit_test(PVS_H_20__bad_tags_of_a_guest_that_does_not_split_are_malformed),
		cmocka_unit_test(PVS_H_28__ok_the_outer_words_count_again_after_the_nested_guest),
		cmocka_unit_test(
			PVS_H_28__bad_words_during_a_nested_guest_are_neither_believed_nor_blamed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
