/* SPDX-License-Identifier: BSD-2-Clause */
#include "racing.h"

#include "world.h"

#include <string.h>

#define USER PVS_WAITS_PREEMPTED
#define CRIT (PVS_WAITS_PREEMPTED | PVS_WAITS_CRIT)

static struct pvs_yield y;

/* What another CPU does, once, when this CPU comes to change `word`. */
static struct {
	const void *word;
	int after;
	void (*act)(struct pvs_yield *y, pvs_u32 slot);
	pvs_u32 slot;
} other;

static void race(const void *word, int after)
{
	if (!other.act || word != other.word || after != other.after)
		return;
	other.word = NULL;
	other.act(&y, other.slot);
}

void racing_before(const void *word)
{
	race(word, 0);
}

void racing_after(const void *word)
{
	race(word, 1);
}

static void other_cpu(const void *word, int after, void (*act)(struct pvs_yield *, pvs_u32),
		      pvs_u32 slot)
{
	other.word = word;
	other.after = after;
	other.act = act;
	other.slot = slot;
}

static int fresh(void **state)
{
	static const struct pvs_yield_config defaults;

	(void)state;
	memset(&other, 0, sizeof(other));
	return pvs_yield_init(&y, &defaults, PVS_YIELD_SLOTS) != PVS_OK;
}

static void waits_as_user(struct pvs_yield *yield, pvs_u32 slot)
{
	pvs_yield_waits(yield, slot, USER);
}

static void waits_with_interrupt(struct pvs_yield *yield, pvs_u32 slot)
{
	pvs_yield_waits(yield, slot, USER | PVS_WAITS_INTERRUPT);
}

static pvs_u32 chosen(pvs_u32 *reason)
{
	struct pvs_hint silent = { 0 };
	struct pvs_yield_ask ask = { 0 };
	struct pvs_yield_choice choice;

	pvs_yield_choose(&y, 3, &silent, &ask, &choice);
	*reason = choice.reason;
	return choice.target;
}

static void assert_chosen(pvs_u32 target, pvs_u32 reason)
{
	pvs_u32 why;

	assert_int_equal(chosen(&why), target);
	assert_int_equal(why, reason);
}

static void yield__a_summary_is_mended_when_somebody_joins_while_it_is_cleared(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, USER);
	other_cpu(&y.summary, 0, waits_as_user, 11);
	pvs_yield_runs(&y, 10); /* between its last look at the word and the summary */
	assert_null(other.word);
	assert_int_equal(y.word[3 * PVS_YIELD_WORDS], 1 << 11); /* the fourth set */
	assert_int_equal(y.summary, (pvs_u64)1 << 3 * PVS_YIELD_WORDS);
	assert_chosen(11, PVS_YIELD_USER);
}

/* As two that leave one word at once may leave it behind; nobody else would ever clear it. */
static void yield__a_summary_that_promises_nobody_is_mended_by_a_choice(void **state)
{
	(void)state;
	y.summary |= 1; /* the first word of pending interrupts */
	pvs_yield_waits(&y, 11, USER);
	assert_chosen(11, PVS_YIELD_RELAXED);
	assert_int_equal(y.summary, (pvs_u64)1 << 3 * PVS_YIELD_WORDS);
	assert_chosen(11, PVS_YIELD_USER);
}

static void yield__a_summary_is_mended_while_somebody_joins(void **state)
{
	(void)state;
	y.summary |= 1;
	pvs_yield_waits(&y, 10, USER);
	other_cpu(&y.summary, 0, waits_with_interrupt, 11);
	assert_chosen(10, PVS_YIELD_RELAXED);
	assert_null(other.word);
	assert_int_equal(y.summary & 1, 1);
	assert_chosen(11, PVS_YIELD_INTERRUPT);
}

static void yield__a_summary_is_mended_for_interrupts_too(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, PVS_WAITS_INTERRUPT);
	other_cpu(&y.summary, 0, waits_with_interrupt, 11);
	pvs_yield_runs(&y, 10);
	assert_null(other.word);
	assert_chosen(11, PVS_YIELD_INTERRUPT);
}

static void yield__a_summary_is_mended_when_flags_are_replaced(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, USER);
	other_cpu(&y.summary, 0, waits_as_user, 11);
	pvs_yield_waits(&y, 10, CRIT);
	assert_null(other.word);
	assert_chosen(10, PVS_YIELD_CRIT);
	pvs_yield_runs(&y, 10);
	assert_chosen(11, PVS_YIELD_USER);
}

static void yield__an_interrupt_that_comes_as_the_vcpu_begins_to_run_leaves_nothing(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, USER);
	/* it runs before the bit is there, so it does not see it */
	other_cpu(&y.word[0], 0, pvs_yield_runs, 10);
	pvs_yield_interrupt(&y, 10);
	assert_null(other.word);
	assert_int_equal(y.word[0], 0);
	assert_int_equal(y.summary, 0);
	/* or just after */
	pvs_yield_waits(&y, 10, USER);
	other_cpu(&y.summary, 1, pvs_yield_runs, 10);
	pvs_yield_interrupt(&y, 10);
	assert_int_equal(y.word[0], 0);
	assert_int_equal(y.summary, 0);
}

static void yield__an_interrupt_that_goes_leaves_others_pending(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, USER);
	pvs_yield_waits(&y, 11, USER | PVS_WAITS_INTERRUPT);
	other_cpu(&y.word[0], 0, pvs_yield_runs, 10);
	pvs_yield_interrupt(&y, 10);
	assert_chosen(11, PVS_YIELD_INTERRUPT);
	/* and mends the summary if one comes while it is cleared */
	pvs_yield_runs(&y, 11);
	pvs_yield_waits(&y, 10, USER);
	other_cpu(&y.word[0], 0, pvs_yield_runs, 10);
	pvs_yield_interrupt(&y, 10);
	assert_int_equal(y.summary, 0);
}

static void yield__who_leaves_neighbours_leaves_the_summary(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, USER | PVS_WAITS_INTERRUPT);
	pvs_yield_waits(&y, 11, USER | PVS_WAITS_INTERRUPT);
	pvs_yield_waits(&y, 12, USER | PVS_WAITS_INTERRUPT);
	other_cpu(&y.summary, 0, waits_as_user, 13); /* never: the summary is not touched */
	pvs_yield_runs(&y, 10);
	assert_non_null(other.word);
	other.word = NULL;
	pvs_yield_waits(&y, 11, CRIT);
	assert_chosen(12, PVS_YIELD_INTERRUPT);
	pvs_yield_runs(&y, 12);
	assert_chosen(11, PVS_YIELD_CRIT);
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(yield__a_summary_is_mended_when_somebody_joins_while_it_is_cleared),
		unit(yield__a_summary_that_promises_nobody_is_mended_by_a_choice),
		unit(yield__a_summary_is_mended_while_somebody_joins),
		unit(yield__a_summary_is_mended_for_interrupts_too),
		unit(yield__a_summary_is_mended_when_flags_are_replaced),
		unit(yield__an_interrupt_that_comes_as_the_vcpu_begins_to_run_leaves_nothing),
		unit(yield__an_interrupt_that_goes_leaves_others_pending),
		unit(yield__who_leaves_neighbours_leaves_the_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
