/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every bit of every guest word, alone: data in exactly one place, or malformed. The table below is
 * the layout page of abi/spec in numbers, not in the names that the engine uses.
 */
#include "../core/world.h"

#include <string.h>

#define GEN 0x654321u
#define LIFE_ON (1u | (pvs_u64)GEN << 8)
#define SPLIT (1u << 14)
#define NO_FEATURE 0u
#define TORN 16u /* of flags */

enum word { INTENT, CRIT, IRQ, PENDING, WORDS };

struct field {
	enum word word;
	unsigned shift, bits;
	pvs_u64 max;
	pvs_u64 feature; /* 0: always */
	size_t member;   /* of struct pvs_hint */
	unsigned size;   /* of the member; 0: `flag` in flags */
	unsigned flag;
};

#define IN(member) offsetof(struct pvs_hint, member), sizeof(((struct pvs_hint *)0)->member), 0
#define FLAG(flag) offsetof(struct pvs_hint, flags), 0, flag

static const struct field fields[] = {
	{ INTENT, 0, 11, 1024, 1u << 0, IN(util) },
	{ INTENT, 11, 4, 5, NO_FEATURE, IN(urgency) },
	{ INTENT, 15, 4, 15, NO_FEATURE, IN(level) },
	{ INTENT, 19, 4, 5, 1u << 1, IN(wake_urgency) },
	{ INTENT, 23, 4, 15, 1u << 1, IN(wake_level) },
	{ INTENT, 27, 1, 1, NO_FEATURE, FLAG(2) },
	{ INTENT, 32, 16, 65535, 1u << 2, IN(window_us) },
	{ INTENT, 48, 1, 1, 1u << 0, FLAG(4) },
	{ INTENT, 49, 1, 1, 1u << 1, FLAG(8) },
	{ INTENT, 52, 8, 255, NO_FEATURE, IN(seq) },
	{ CRIT, 0, 4, 15, 1u << 4, IN(crit) },
	{ IRQ, 0, 3, 7, 1u << 6, IN(irq) },
	{ IRQ, 8, 16, 65535, 1u << 7, IN(irq_ack) },
	{ PENDING, 0, 8, 0x5f, 1u << 3, IN(pending) },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static const pvs_u8 malformed_bit[WORDS] = { 0x01, 0x02, 0x04, 0x40 };

static const struct pvs_hint nothing = { .flags = 1, .util_ceil = 1024 };

static struct pvs_snapshot snap;
static struct pvs_terms terms;
static struct pvs_hint before, hint;

static int fresh(void **state)
{
	(void)state;
	memset(&snap, 0, sizeof(snap));
	memset(&terms, 0, sizeof(terms));
	snap.life = LIFE_ON;
	terms.generation = GEN;
	terms.slot_count = 1024;
	terms.active = 1;
	before = nothing;
	return 0;
}

static void put(enum word word, pvs_u64 value)
{
	if (word == INTENT)
		snap.intent = value;
	else if (word == CRIT)
		snap.crit = value;
	else if (word == IRQ)
		snap.irq = value;
	else
		snap.pending = value;
}

/* What a hint is when one field alone has a value. */
static struct pvs_hint with(const struct field *f, pvs_u64 value)
{
	struct pvs_hint wanted = nothing;
	pvs_u8 byte = (pvs_u8)value;
	pvs_u16 half = (pvs_u16)value;

	if (!f->size)
		wanted.flags |= (pvs_u8)f->flag;
	else if (f->size == 1)
		memcpy((char *)&wanted + f->member, &byte, 1);
	else
		memcpy((char *)&wanted + f->member, &half, 2);
	return wanted;
}

static const struct field *field_of(enum word word, unsigned bit)
{
	unsigned i;

	for (i = 0; i < FIELDS; i++)
		if (fields[i].word == word && bit >= fields[i].shift &&
		    bit < fields[i].shift + fields[i].bits)
			return &fields[i];
	return NULL;
}

static void assert_hint(const struct pvs_hint *wanted)
{
	pvs_validate(&snap, &terms, &before, &hint);
	assert_memory_equal(&hint, wanted, sizeof(hint));
}

static void assert_malformed(pvs_u8 words)
{
	struct pvs_hint wanted = nothing;

	wanted.malformed = words;
	assert_hint(&wanted);
}

/* Each bit of each word but those in `left_out`, under the features agreed on. */
static void assert_each_bit(pvs_u64 left_out)
{
	unsigned word, bit;

	for (word = 0; word < WORDS; word++) {
		for (bit = 0; bit < 64; bit++) {
			const struct field *f = field_of((enum word)word, bit);
			pvs_u64 value = (pvs_u64)1 << bit;
			struct pvs_hint wanted;

			if (value & left_out)
				continue;
			put((enum word)word, value);
			if (f && (!f->feature || (terms.features & f->feature)) &&
			    value >> f->shift <= f->max) {
				wanted = with(f, value >> f->shift);
				assert_hint(&wanted);
			} else {
				assert_malformed(malformed_bit[word]);
			}
		}
		put((enum word)word, 0);
	}
}

static void words__each_bit_is_data_of_one_field_or_malformed(void **state)
{
	unsigned feature;

	(void)state;
	for (feature = 0; feature < 14; feature++) {
		terms.features = (pvs_u64)1 << feature;
		assert_each_bit(0);
	}
	terms.features = (1u << 14) - 1u;
	assert_each_bit(0);
}

static void words__in_halves_each_bit_but_the_tags_is_the_same(void **state)
{
	const pvs_u64 tags = 0xf0000000f0000000ull;
	unsigned feature;

	(void)state;
	for (feature = 0; feature < 14; feature++) {
		terms.features = SPLIT | (pvs_u64)1 << feature;
		assert_each_bit(tags);
	}
	terms.features = SPLIT | ((1u << 14) - 1u);
	assert_each_bit(tags);
}

static void words__each_field_ends_at_its_largest_value(void **state)
{
	unsigned i;

	(void)state;
	terms.features = (1u << 14) - 1u;
	for (i = 0; i < FIELDS; i++) {
		struct pvs_hint wanted = with(&fields[i], fields[i].max);

		put(fields[i].word, fields[i].max << fields[i].shift);
		assert_hint(&wanted);
		if ((fields[i].max + 1) >> fields[i].bits == 0) {
			put(fields[i].word, (fields[i].max + 1) << fields[i].shift);
			assert_malformed(malformed_bit[fields[i].word]);
		}
		put(fields[i].word, 0);
	}
}

/* Data of a wait word by its kind: bits of the target and above, besides the kind itself. */
static int wait_has(unsigned kind, unsigned bit)
{
	if (kind == 1 || kind == 2)
		return (bit >= 4 && bit < 20) || (bit >= 32 && bit < 48);
	return kind == 3 && ((bit >= 4 && bit < 20) || bit >= 32);
}

static void words__each_bit_of_a_wait_is_data_or_malformed_by_its_kind(void **state)
{
	unsigned kind, bit;

	(void)state;
	terms.features = 1u << 8;
	for (kind = 0; kind < 16; kind++) {
		for (bit = 4; bit < 64; bit++) {
			pvs_u64 value = (pvs_u64)1 << bit;
			struct pvs_hint wanted = nothing;

			snap.wait = kind | value;
			/* bits 14..19: a target that no region has */
			if (!wait_has(kind, bit) || (bit >= 14 && bit < 20)) {
				assert_malformed(0x08);
				continue;
			}
			wanted.wait_kind = (pvs_u8)kind;
			if (kind == 3 && bit < 20) {
				assert_malformed(0x08); /* several, but nobody */
				snap.wait |= (pvs_u64)1 << 32;
				wanted.wait_mask = 1;
			}
			if (bit < 20)
				wanted.wait_target = (pvs_u16)(1u << (bit - 4));
			else if (kind == 3)
				wanted.wait_mask = 1u << (bit - 32);
			else
				wanted.wait_epoch = (pvs_u16)(1u << (bit - 32));
			assert_hint(&wanted);
		}
	}
	terms.features = ((1u << 14) - 1u) & ~(1u << 8);
	snap.wait = 4;
	assert_malformed(0x08);
}

static void words__a_wait_names_one_of_the_slots_there_are(void **state)
{
	struct pvs_hint wanted = nothing;

	(void)state;
	terms.features = 1u << 8;
	terms.slot_count = 5;
	snap.wait = 1 | 4 << 4;
	wanted.wait_kind = 1;
	wanted.wait_target = 4;
	assert_hint(&wanted);
	snap.wait = 1 | 5 << 4;
	assert_malformed(0x08);
}

static void words__both_halves_of_split_words_carry_the_tag(void **state)
{
	pvs_u64 tags;
	unsigned bit;

	(void)state;
	terms.features = SPLIT | 1u << 8;
	for (bit = 0; bit < 4; bit++) {
		struct pvs_hint wanted = nothing;

		tags = ((pvs_u64)1 << (28 + bit)) | ((pvs_u64)1 << (60 + bit));
		snap.intent = tags;
		snap.wait = tags;
		assert_hint(&nothing);
		snap.wait = tags | 3; /* tags name nobody */
		assert_malformed(0x08);
		snap.wait = tags | 3 | (pvs_u64)1 << 32;
		wanted.wait_kind = 3;
		wanted.wait_mask = 1;
		assert_hint(&wanted);
		snap.wait = 0;
		snap.intent = (pvs_u64)1 << (28 + bit);
		before.level = 7;
		wanted = nothing;
		wanted.level = 7;
		wanted.flags |= TORN;
		assert_hint(&wanted);
		snap.intent = (pvs_u64)1 << (60 + bit);
		assert_hint(&wanted);
		before = nothing;
	}
	/* four bits of the mask are tag */
	snap.intent = 0;
	snap.wait = 3 | (pvs_u64)0x0fffffff << 32;
	pvs_validate(&snap, &terms, &before, &hint);
	assert_int_equal(hint.wait_mask, 0x0fffffff);
}

/* A previous hint with something in each member that a torn word keeps. */
static struct pvs_hint full_hint(void)
{
	struct pvs_hint full = { .flags = 1 | 2 | 4 | 8, .urgency = 5, .level = 11,
				 .wake_urgency = 4, .wake_level = 9, .util = 777,
				 .window_us = 4321, .seq = 200, .util_ceil = 1024, .wait_kind = 3,
				 .wait_target = 14, .wait_epoch = 4711, .wait_mask = 0x1234567 };

	return full;
}

static void words__a_torn_word_keeps_all_that_it_said(void **state)
{
	struct pvs_hint wanted = full_hint();

	(void)state;
	wanted.flags |= TORN;
	terms.features = SPLIT | ((1u << 14) - 1u);
	before = full_hint();
	before.crit = before.irq = before.pending = 1; /* those never tear: not kept */
	before.malformed = 0x7f;
	before.irq_ack = before.util_floor = 3;
	before.util_ceil = 5;
	snap.intent = (pvs_u64)1 << 28;
	snap.wait = (pvs_u64)1 << 60;
	assert_hint(&wanted);
	hint = before; /* and in place */
	pvs_validate(&snap, &terms, &hint, &hint);
	assert_memory_equal(&hint, &wanted, sizeof(hint));
	/* flags are kept one by one */
	before.flags = 1 | 2;
	wanted.flags = 1 | 2 | TORN;
	assert_hint(&wanted);
	before.flags = 4;
	wanted.flags = 1 | 4 | TORN;
	assert_hint(&wanted);
	before.flags = 8;
	wanted.flags = 1 | 8 | TORN;
	assert_hint(&wanted);
	/* a word that has arrived keeps nothing */
	snap.intent = 0;
	snap.wait = 0;
	assert_hint(&nothing);
}

static void words__bounds_are_two_numbers_in_order(void **state)
{
	unsigned bit;

	(void)state;
	terms.features = 1u << 10;
	for (bit = 0; bit < 64; bit++) {
		struct pvs_hint wanted = nothing;

		snap.util_bounds = (pvs_u64)1 << bit;
		wanted.util_ceil = (pvs_u16)(1u << ((bit - 11) & 15));
		if (bit >= 11 && bit < 22)
			assert_hint(&wanted);
		else
			assert_malformed(0x10);
	}
	snap.util_bounds = 1024u | 1024u << 11;
	pvs_validate(&snap, &terms, &before, &hint);
	assert_int_equal(hint.util_floor, 1024);
	assert_int_equal(hint.util_ceil, 1024);
	assert_int_equal(hint.malformed, 0);
	snap.util_bounds = 0u | 1025u << 11;
	assert_malformed(0x10);
	snap.util_bounds = 8u | 7u << 11;
	assert_malformed(0x10);
	terms.features = ~(1u << 10) & ((1u << 14) - 1u);
	snap.util_bounds = 7u << 11;
	assert_malformed(0x10);
}

static void words__each_bit_of_life_matters(void **state)
{
	const struct pvs_hint gone = { .util_ceil = 1024 };
	struct pvs_hint bad = gone;
	unsigned bit;

	(void)state;
	bad.malformed = 0x20;
	snap.intent = 1u << 15;
	for (bit = 0; bit < 64; bit++) {
		snap.life = LIFE_ON ^ ((pvs_u64)1 << bit);
		assert_hint(bit == 0 || (bit >= 8 && bit < 32) ? &gone : &bad);
	}
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(words__each_bit_is_data_of_one_field_or_malformed),
		unit(words__in_halves_each_bit_but_the_tags_is_the_same),
		unit(words__each_field_ends_at_its_largest_value),
		unit(words__each_bit_of_a_wait_is_data_or_malformed_by_its_kind),
		unit(words__a_wait_names_one_of_the_slots_there_are),
		unit(words__both_halves_of_split_words_carry_the_tag),
		unit(words__a_torn_word_keeps_all_that_it_said),
		unit(words__bounds_are_two_numbers_in_order),
		unit(words__each_bit_of_life_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
