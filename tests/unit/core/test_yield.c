/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <string.h>

#define VECTOR 251u
#define OTHER_VECTOR 236u
#define TICK 1024ull /* what IPIs are timed in */
#define WINDOW (50 * MS / TICK)

#define USER PVS_WAITS_PREEMPTED
#define KERNEL (PVS_WAITS_PREEMPTED | PVS_WAITS_KERNEL)
#define CRIT (PVS_WAITS_PREEMPTED | PVS_WAITS_CRIT | PVS_WAITS_KERNEL)
#define WOKEN 0u

static struct pvs_yield y;
static struct pvs_hint hint;
static struct pvs_yield_ask ask;
static struct pvs_yield_choice choice;

static void vm_of(pvs_u32 slot_count, pvs_u32 flags)
{
	struct pvs_yield_config cfg = { .flags = flags };

	memset(&y, 0xa5, sizeof(y));
	assert_int_equal(pvs_yield_init(&y, &cfg, slot_count), PVS_OK);
	memset(&hint, 0, sizeof(hint));
	memset(&ask, 0, sizeof(ask));
	ask.now_ns = 1000 * MS;
}

static int fresh(void **state)
{
	(void)state;
	vm_of(PVS_YIELD_SLOTS, 0);
	return 0;
}

static pvs_u32 chosen_by(pvs_u32 yielder)
{
	memset(&choice, 0x5a, sizeof(choice));
	pvs_yield_choose(&y, yielder, &hint, &ask, &choice);
	return choice.target;
}

#define assert_choice(yielder, target_, reason_)                          \
	do {                                                              \
		assert_int_equal(chosen_by(yielder), (target_));          \
		assert_int_equal(choice.reason, (reason_));               \
	} while (0)

static void wait_for_one(pvs_u32 kind, pvs_u32 target, pvs_u32 epoch)
{
	hint.wait_kind = (pvs_u8)kind;
	hint.wait_target = (pvs_u16)target;
	hint.wait_epoch = (pvs_u16)epoch;
}

static void wait_for_many(pvs_u32 base, pvs_u32 mask)
{
	hint.wait_kind = PVS_WAIT_IPI_MANY;
	hint.wait_target = (pvs_u16)base;
	hint.wait_mask = mask;
}

/* ---- ranks --------------------------------------------------------------------------------- */

static void yield__goes_to_nobody_when_nobody_waits(void **state)
{
	(void)state;
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	assert_int_equal(choice.relaxed, 0);
	assert_int_equal(choice.stale, 0);
	assert_int_equal(choice.reserved, 0);
	assert_int_equal(y.counts[PVS_YIELD_NOBODY], 1);
}

static void yield__prefers_the_vcpu_the_guest_names(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 700, USER);
	pvs_yield_waits(&y, 5, CRIT | PVS_WAITS_INTERRUPT);
	pvs_yield_ipi(&y, 3, 5, VECTOR, ask.now_ns);
	ask.target_epoch = 7;
	wait_for_one(PVS_WAIT_LOCK, 700, 7);
	assert_choice(3, 700, PVS_YIELD_NAMED);
	wait_for_one(PVS_WAIT_IPI, 700, 7);
	assert_choice(3, 700, PVS_YIELD_NAMED);
	assert_int_equal(choice.stale, 0);
	assert_int_equal(y.counts[PVS_YIELD_NAMED], 2);
}

static void yield__ranks_are_an_order_and_no_filter(void **state)
{
	static const pvs_u32 flags[] = { USER | PVS_WAITS_INTERRUPT, CRIT, KERNEL, USER, WOKEN };
	pvs_u32 better;
	pvs_u32 worse;

	(void)state;
	for (better = 0; better < 5; better++) {
		for (worse = better + 1; worse < 5; worse++) {
			/* the worse one is where a scan would find it first */
			vm_of(PVS_YIELD_SLOTS, 0);
			pvs_yield_waits(&y, 10, flags[worse]);
			pvs_yield_waits(&y, 900, flags[better]);
			assert_choice(3, 900, PVS_YIELD_INTERRUPT + better);
			assert_int_equal(choice.relaxed, 0);
			pvs_yield_runs(&y, 900);
			assert_choice(4, 10, PVS_YIELD_INTERRUPT + worse);
			assert_int_equal(choice.relaxed, worse == 4);
		}
	}
}

static void yield__a_receiver_goes_before_a_pending_interrupt(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 1, USER | PVS_WAITS_INTERRUPT);
	pvs_yield_waits(&y, 900, USER);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns);
	assert_choice(3, 900, PVS_YIELD_RECEIVER);
	/* somebody else's receiver is nobody's business */
	assert_choice(4, 1, PVS_YIELD_INTERRUPT);
}

static void yield__who_was_woken_is_for_the_relaxed_round(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 77, WOKEN | PVS_WAITS_CRIT | PVS_WAITS_KERNEL);
	assert_choice(3, 77, PVS_YIELD_RELAXED);
	assert_int_equal(choice.relaxed, 1);
	vm_of(PVS_YIELD_SLOTS, PVS_YIELD_STRICT);
	pvs_yield_waits(&y, 77, WOKEN);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
}

static void yield__who_spins_itself_is_for_the_relaxed_round(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, CRIT | PVS_WAITS_SPINNING);
	assert_choice(3, 10, PVS_YIELD_RELAXED);
	/* unless an interrupt is pending: that does not wait for whom it waits for */
	pvs_yield_waits(&y, 10, CRIT | PVS_WAITS_SPINNING | PVS_WAITS_INTERRUPT);
	assert_choice(3, 10, PVS_YIELD_INTERRUPT);
}

static void yield__who_has_yielded_spins_until_it_runs(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, USER);
	assert_choice(3, 10, PVS_YIELD_USER);
	pvs_yield_waits(&y, 3, CRIT);
	pvs_yield_runs(&y, 10);
	assert_choice(4, 3, PVS_YIELD_RELAXED);
	pvs_yield_runs(&y, 3);
	pvs_yield_waits(&y, 3, CRIT);
	assert_choice(5, 3, PVS_YIELD_CRIT);
}

static void yield__who_found_nobody_does_not_count_as_spinning(void **state)
{
	(void)state;
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	pvs_yield_waits(&y, 3, KERNEL);
	assert_choice(4, 3, PVS_YIELD_KERNEL);
}

static void yield__never_goes_to_the_yielder(void **state)
{
	(void)state;
	/* the host has not said yet that it runs */
	pvs_yield_waits(&y, 3, CRIT | PVS_WAITS_INTERRUPT);
	wait_for_one(PVS_WAIT_LOCK, 3, 0);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	wait_for_many(0, ~0u);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	hint.wait_kind = PVS_WAIT_ANY;
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	assert_int_equal(y.summary, 0);
}

/* ---- whom the guest names ------------------------------------------------------------------ */

static void yield__a_name_is_stale_when_the_named_has_run_since(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 700, USER);
	pvs_yield_waits(&y, 5, CRIT);
	wait_for_one(PVS_WAIT_LOCK, 700, 7); /* it did not run when the wait began */
	ask.target_epoch = 9;                /* it has run, and been preempted again */
	assert_choice(3, 5, PVS_YIELD_CRIT);
	assert_int_equal(choice.stale, 1);
	assert_int_equal(y.stale, 1);
	ask.target_epoch = 7;
	assert_choice(3, 700, PVS_YIELD_NAMED);
	assert_int_equal(choice.stale, 0);
	assert_int_equal(y.stale, 1);
}

static void yield__a_wait_that_began_while_the_named_ran_is_not_stale(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 700, USER);
	wait_for_one(PVS_WAIT_LOCK, 700, 0xfffe);
	ask.target_epoch = 0xffff;
	assert_choice(3, 700, PVS_YIELD_NAMED);
	wait_for_one(PVS_WAIT_LOCK, 700, 6);
	ask.target_epoch = 5; /* from the future: as stale as any other */
	assert_choice(3, 700, PVS_YIELD_USER);
	assert_int_equal(choice.stale, 1);
	/* only 16 bits are an epoch */
	ask.target_epoch = 0x10007;
	assert_choice(3, 700, PVS_YIELD_NAMED);
}

static void yield__without_epochs_a_name_always_counts(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 700, USER);
	wait_for_one(PVS_WAIT_IPI, 700, 0);
	assert_choice(3, 700, PVS_YIELD_NAMED);
}

/* Spinning on is the soonest way to whom it waits for, and costs nobody else his CPU. */
static void yield__while_the_named_vcpu_runs_nobody_else_is_chosen(void **state)
{
	pvs_u32 nobody = y.counts[PVS_YIELD_NOBODY];

	(void)state;
	pvs_yield_waits(&y, 5, CRIT);
	pvs_yield_ipi(&y, 3, 5, VECTOR, ask.now_ns);
	wait_for_one(PVS_WAIT_LOCK, 700, 0);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	wait_for_one(PVS_WAIT_IPI, 700, 0);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	wait_for_many(700, 3);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	assert_int_equal(y.counts[PVS_YIELD_NOBODY], nobody + 3u);
	pvs_yield_waits(&y, 700, USER);
	assert_choice(3, 700, PVS_YIELD_NAMED_MANY);
	pvs_yield_blocks(&y, 700);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	/* who waits for somebody that it cannot name gives way */
	wait_for_one(PVS_WAIT_ANY, 700, 0);
	assert_choice(3, 5, PVS_YIELD_HOLDER);
}

static void yield__a_name_beyond_the_slots_is_nobody(void **state)
{
	(void)state;
	vm_of(100, 0);
	pvs_yield_waits(&y, 5, USER);
	y.slot[100].place = 3; /* nobody's */
	wait_for_one(PVS_WAIT_LOCK, 100, 0);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	wait_for_one(PVS_WAIT_LOCK, 1024 + 5, 0); /* 5, if somebody masked it */
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	wait_for_many(100, ~0u);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	wait_for_many(1024, ~0u);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	assert_int_equal(y.stale, 0);
}

static void yield__an_unknown_kind_names_nobody(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 5, USER);
	wait_for_one(PVS_WAIT_KIND_MAX + 1u, 5, 0);
	assert_choice(3, 5, PVS_YIELD_USER);
}

static void yield__a_mask_names_several_in_turn(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 40, USER);
	pvs_yield_waits(&y, 60, USER);
	pvs_yield_waits(&y, 64, USER); /* in the next word */
	pvs_yield_waits(&y, 71, USER);
	pvs_yield_waits(&y, 72, CRIT); /* just outside */
	wait_for_many(40, 1u << 0 | 1u << 20 | 1u << 24 | 1u << 31 | 1u << 5);
	assert_choice(3, 40, PVS_YIELD_NAMED_MANY);
	assert_choice(3, 60, PVS_YIELD_NAMED_MANY);
	assert_choice(3, 64, PVS_YIELD_NAMED_MANY);
	assert_choice(3, 71, PVS_YIELD_NAMED_MANY);
	assert_choice(3, 40, PVS_YIELD_NAMED_MANY);
	hint.wait_mask = 1u << 5; /* that one runs */
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	/* a turn far away says nothing about this mask */
	wait_for_many(10, 1u << 30 | 1u << 31);
	assert_choice(3, 40, PVS_YIELD_NAMED_MANY);
}

static void yield__mask_bits_beyond_the_slots_are_ignored(void **state)
{
	(void)state;
	vm_of(100, 0);
	pvs_yield_waits(&y, 98, USER);
	y.waiting[1] |= ~(pvs_u64)0 << 36; /* slots 100 and above, which are none */
	wait_for_many(90, 0xffffff00u);
	assert_choice(3, 98, PVS_YIELD_NAMED_MANY);
	assert_choice(3, 98, PVS_YIELD_NAMED_MANY);
	hint.wait_mask = 0xfffffc00u;
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	/* 31 slots are left from here, and from there 32 */
	wait_for_many(69, 1u << 31);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	wait_for_many(69, 1u << 29);
	assert_choice(3, 98, PVS_YIELD_NAMED_MANY);
	wait_for_many(68, 1u << 30);
	assert_choice(3, 98, PVS_YIELD_NAMED_MANY);
}

static void yield__a_mask_ends_with_the_last_slot(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 0, USER);
	pvs_yield_waits(&y, 1023, USER);
	wait_for_many(1000, ~0u);
	assert_choice(3, 1023, PVS_YIELD_NAMED_MANY);
	assert_choice(3, 1023, PVS_YIELD_NAMED_MANY);
	pvs_yield_runs(&y, 1023);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
}

static void yield__any_means_the_preempted_lock_holders(void **state)
{
	(void)state;
	hint.wait_kind = PVS_WAIT_ANY;
	pvs_yield_waits(&y, 5, USER | PVS_WAITS_INTERRUPT);
	pvs_yield_ipi(&y, 3, 5, VECTOR, ask.now_ns);
	assert_choice(3, 5, PVS_YIELD_RECEIVER);
	pvs_yield_waits(&y, 80, CRIT);
	pvs_yield_waits(&y, 800, CRIT);
	assert_choice(3, 80, PVS_YIELD_HOLDER);
	assert_choice(3, 800, PVS_YIELD_HOLDER);
	assert_choice(3, 80, PVS_YIELD_HOLDER);
	hint.wait_kind = PVS_WAIT_NONE;
	assert_choice(4, 5, PVS_YIELD_INTERRUPT);
}

/* ---- IPIs ---------------------------------------------------------------------------------- */

static void yield__receivers_have_their_turns(void **state)
{
	pvs_u32 i;

	(void)state;
	for (i = 0; i < 4; i++) {
		pvs_yield_waits(&y, 100 + i, USER);
		pvs_yield_ipi(&y, 3, 100 + i, VECTOR, ask.now_ns);
	}
	for (i = 0; i < 8; i++)
		assert_choice(3, 100 + i % 4, PVS_YIELD_RECEIVER);
	pvs_yield_runs(&y, 101);
	assert_choice(3, 100, PVS_YIELD_RECEIVER);
	assert_choice(3, 102, PVS_YIELD_RECEIVER);
	assert_choice(3, 103, PVS_YIELD_RECEIVER);
}

static void yield__only_the_last_of_receivers_equal_modulo_four_is_remembered(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 100, USER);
	pvs_yield_waits(&y, 104, USER);
	pvs_yield_ipi(&y, 3, 100, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 3, 104, VECTOR, ask.now_ns);
	assert_choice(3, 104, PVS_YIELD_RECEIVER);
	assert_choice(3, 104, PVS_YIELD_RECEIVER);
}

static void yield__a_receiver_counts_for_the_window(void **state)
{
	(void)state;
	ask.now_ns = 1000 * TICK;
	pvs_yield_waits(&y, 900, USER);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns);
	ask.now_ns += WINDOW * TICK;
	assert_choice(3, 900, PVS_YIELD_RECEIVER);
	ask.now_ns += TICK - 1;
	assert_choice(3, 900, PVS_YIELD_RECEIVER);
	ask.now_ns += 1;
	assert_choice(3, 900, PVS_YIELD_USER);
	/* forgotten, not only passed over */
	ask.now_ns -= 2 * TICK;
	assert_choice(3, 900, PVS_YIELD_USER);
}

static void yield__a_later_ipi_does_not_renew_an_earlier_one(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 900, USER);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns);
	ask.now_ns += 40 * MS;
	pvs_yield_ipi(&y, 3, 901, VECTOR, ask.now_ns);
	assert_choice(3, 900, PVS_YIELD_RECEIVER);
	ask.now_ns += 20 * MS;
	assert_choice(3, 900, PVS_YIELD_USER);
	pvs_yield_waits(&y, 901, USER);
	assert_choice(3, 901, PVS_YIELD_RECEIVER);
}

static void yield__an_ipi_from_a_clock_slightly_ahead_counts(void **state)
{
	(void)state;
	ask.now_ns = 1000000 * TICK;
	pvs_yield_waits(&y, 900, USER);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns + WINDOW * TICK);
	assert_choice(3, 900, PVS_YIELD_RECEIVER);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns + (WINDOW + 1) * TICK);
	assert_choice(3, 900, PVS_YIELD_USER);
	/* the clock wraps around */
	ask.now_ns = 2 * TICK;
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns - 5 * TICK);
	assert_choice(3, 900, PVS_YIELD_RECEIVER);
}

static void yield__the_matching_eoi_answers_an_ipi_and_no_other(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 900, USER);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns);
	pvs_yield_eoi(&y, 900, OTHER_VECTOR); /* its timer */
	assert_choice(3, 900, PVS_YIELD_RECEIVER);
	pvs_yield_eoi(&y, 901, VECTOR); /* somebody else's */
	assert_choice(3, 900, PVS_YIELD_RECEIVER);
	pvs_yield_eoi(&y, 900, VECTOR);
	assert_choice(3, 900, PVS_YIELD_USER);
}

static void yield__an_eoi_leaves_the_receivers_own_ipis_alone(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 700, USER);
	pvs_yield_ipi(&y, 900, 700, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns);
	pvs_yield_eoi(&y, 900, VECTOR);
	assert_choice(900, 700, PVS_YIELD_RECEIVER);
}

static void yield__one_eoi_answers_all_who_sent_that_vector(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 900, USER);
	pvs_yield_ipi(&y, 4, 900, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 5, 900, OTHER_VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 6, 900, VECTOR, ask.now_ns);
	pvs_yield_eoi(&y, 900, VECTOR);
	assert_choice(4, 900, PVS_YIELD_USER);
	assert_choice(6, 900, PVS_YIELD_USER);
	assert_choice(5, 900, PVS_YIELD_RECEIVER);
}

static void yield__an_eoi_does_not_answer_what_took_the_ipis_place(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 904, USER);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 3, 904, VECTOR, ask.now_ns);
	pvs_yield_eoi(&y, 900, VECTOR);
	assert_choice(3, 904, PVS_YIELD_RECEIVER);
}

static void yield__an_eoi_answers_those_it_knows_of_and_no_others(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 900, USER);
	pvs_yield_ipi(&y, 1023, 900, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 3, 900, VECTOR, ask.now_ns); /* takes its place */
	pvs_yield_ipi(&y, 0, 900, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 4, 900, VECTOR, ask.now_ns); /* here as well */
	pvs_yield_eoi(&y, 900, VECTOR);
	pvs_yield_eoi(&y, 900, VECTOR);
	assert_choice(3, 900, PVS_YIELD_USER);
	assert_choice(4, 900, PVS_YIELD_USER);
	assert_choice(1023, 900, PVS_YIELD_RECEIVER);
	assert_choice(0, 900, PVS_YIELD_RECEIVER);
}

static void yield__who_sends_to_itself_or_beyond_the_slots_is_ignored(void **state)
{
	(void)state;
	vm_of(100, 0);
	pvs_yield_ipi(&y, 3, 3, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 3, 100, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 100, 3, VECTOR, ask.now_ns);
	pvs_yield_eoi(&y, 100, VECTOR);
	assert_int_equal(y.slot[3].sends, 0);
	assert_int_equal(y.slot[100].sends, 0);
	assert_int_equal(y.slot[3].from[0], 0);
}

/* ---- turns --------------------------------------------------------------------------------- */

/* Slots that lie in few words, in many, next to each other and at the ends. */
static const pvs_u32 places[] = { 0, 1, 2, 62, 63, 64, 65, 127, 128, 130, 500, 511, 512, 767,
				  768, 958, 959, 960, 1000, 1022, 1023 };
#define PLACES (sizeof(places) / sizeof(places[0]))

static void each_has_its_turn(pvs_u32 flags, pvs_u32 reason)
{
	unsigned seen[PVS_YIELD_SLOTS] = { 0 };
	pvs_u32 i;

	vm_of(PVS_YIELD_SLOTS, 0);
	for (i = 0; i < PLACES; i++)
		pvs_yield_waits(&y, places[i], flags);
	for (i = 0; i < 3 * PLACES; i++) {
		pvs_u32 target = chosen_by(300);

		assert_int_equal(choice.reason, reason);
		assert_int_equal(target, places[i % PLACES]);
		seen[target]++;
	}
	for (i = 0; i < PLACES; i++)
		assert_int_equal(seen[places[i]], 3);
}

static void yield__each_of_n_has_its_turn_within_n_yields(void **state)
{
	(void)state;
	each_has_its_turn(USER | PVS_WAITS_INTERRUPT, PVS_YIELD_INTERRUPT);
	each_has_its_turn(CRIT, PVS_YIELD_CRIT);
	each_has_its_turn(KERNEL, PVS_YIELD_KERNEL);
	each_has_its_turn(USER, PVS_YIELD_USER);
	each_has_its_turn(WOKEN, PVS_YIELD_RELAXED);
}

static void yield__a_better_rank_in_between_costs_nobody_its_turn(void **state)
{
	pvs_u32 i;

	(void)state;
	for (i = 0; i < 4; i++)
		pvs_yield_waits(&y, 100 * i, USER);
	for (i = 0; i < 8; i++) {
		assert_choice(3, 100 * (i % 4), PVS_YIELD_USER);
		pvs_yield_waits(&y, 50 + i, CRIT);
		assert_choice(3, 50 + i, PVS_YIELD_CRIT);
		pvs_yield_runs(&y, 50 + i);
	}
}

/* xorshift32, Marsaglia 2003 */
static pvs_u32 draw(void)
{
	static pvs_u32 random = 1;

	random ^= random << 13;
	random ^= random >> 17;
	random ^= random << 5;
	return random;
}

static void yield__whose_turn_it_is_depends_on_nothing_but_the_last(void **state)
{
	static const pvs_u32 flags[] = { USER | PVS_WAITS_INTERRUPT, CRIT, KERNEL, USER, WOKEN };
	pvs_u32 trial;

	(void)state;
	for (trial = 0; trial < 20000; trial++) {
		pvs_u32 kind = draw() % 5;
		pvs_u32 from = draw() % PVS_YIELD_SLOTS;
		pvs_u32 slots[4];
		pvs_u32 next = 0;
		pvs_u32 i;

		for (i = 0; i < 4; i++) {
			slots[i] = draw() % PVS_YIELD_SLOTS;
			pvs_yield_waits(&y, slots[i], flags[kind]);
			if ((slots[i] - from) % PVS_YIELD_SLOTS <
			    (slots[next] - from) % PVS_YIELD_SLOTS)
				next = i;
		}
		y.cursor[kind % PVS_YIELD_SETS] = from;
		y.cursor_relaxed = from;
		for (i = 0; y.slot[i].place; i++)
			;
		assert_choice(i, slots[next], PVS_YIELD_INTERRUPT + kind);
		pvs_yield_runs(&y, i);
		for (i = 0; i < 4; i++)
			pvs_yield_runs(&y, slots[i]);
	}
}

static void yield__finds_the_only_one_wherever_it_is(void **state)
{
	static const pvs_u32 flags[] = { USER | PVS_WAITS_INTERRUPT, CRIT, KERNEL, USER, WOKEN };
	pvs_u32 kind;
	pvs_u32 at;
	pvs_u32 from;

	(void)state;
	for (kind = 0; kind < 5; kind++) {
		for (at = 0; at < PVS_YIELD_SLOTS; at += 7) {
			pvs_yield_waits(&y, at, flags[kind]);
			for (from = 0; from < PVS_YIELD_SLOTS; from += 61) {
				if (kind < PVS_YIELD_SETS)
					y.cursor[kind] = from;
				y.cursor_relaxed = from;
				assert_choice(at == 1 ? 2 : 1, at, PVS_YIELD_INTERRUPT + kind);
			}
			pvs_yield_runs(&y, at);
		}
	}
}

/* ---- events -------------------------------------------------------------------------------- */

static void yield__new_flags_replace_the_old_ones(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, CRIT | PVS_WAITS_INTERRUPT);
	assert_choice(3, 10, PVS_YIELD_INTERRUPT);
	pvs_yield_waits(&y, 10, KERNEL);
	assert_choice(3, 10, PVS_YIELD_KERNEL);
	pvs_yield_waits(&y, 10, WOKEN);
	assert_choice(3, 10, PVS_YIELD_RELAXED);
	pvs_yield_waits(&y, 10, USER);
	assert_choice(3, 10, PVS_YIELD_USER);
	pvs_yield_runs(&y, 10);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
	assert_int_equal(y.summary, 0);
}

static void yield__unknown_flags_are_ignored(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, USER | ~(pvs_u32)PVS_WAITS_ALL);
	assert_choice(3, 10, PVS_YIELD_USER);
}

static void yield__an_interrupt_raises_who_waits_and_nobody_else(void **state)
{
	(void)state;
	pvs_yield_interrupt(&y, 10);
	assert_int_equal(y.summary, 0);
	pvs_yield_waits(&y, 10, WOKEN);
	pvs_yield_waits(&y, 11, CRIT);
	pvs_yield_interrupt(&y, 10);
	assert_choice(3, 10, PVS_YIELD_INTERRUPT);
	pvs_yield_runs(&y, 10);
	assert_choice(3, 11, PVS_YIELD_CRIT);
	pvs_yield_waits(&y, 10, WOKEN); /* the interrupt was delivered */
	assert_choice(3, 11, PVS_YIELD_CRIT);
}

static void yield__neighbours_stay_when_one_leaves(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, USER | PVS_WAITS_INTERRUPT);
	pvs_yield_waits(&y, 11, USER | PVS_WAITS_INTERRUPT);
	pvs_yield_waits(&y, 12, USER);
	pvs_yield_runs(&y, 10);
	assert_choice(3, 11, PVS_YIELD_INTERRUPT);
	pvs_yield_waits(&y, 11, USER);
	assert_choice(3, 11, PVS_YIELD_USER);
	assert_choice(3, 12, PVS_YIELD_USER);
}

static void yield__a_removed_vcpu_is_forgotten(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 10, CRIT | PVS_WAITS_INTERRUPT);
	pvs_yield_waits(&y, 20, USER);
	pvs_yield_ipi(&y, 10, 20, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 20, 10, VECTOR, ask.now_ns);
	pvs_yield_removed(&y, 10);
	assert_choice(3, 20, PVS_YIELD_USER);
	assert_choice(10, 20, PVS_YIELD_USER);
	pvs_yield_removed(&y, 20);
	pvs_yield_removed(&y, 10);
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
}

static void yield__who_comes_after_a_removed_vcpu_starts_afresh(void **state)
{
	pvs_u32 i;

	(void)state;
	for (i = 0; i < 4; i++)
		pvs_yield_ipi(&y, i, 900, VECTOR, ask.now_ns);
	pvs_yield_ipi(&y, 900, 20, VECTOR, ask.now_ns);
	pvs_yield_removed(&y, 900);
	pvs_yield_waits(&y, 20, USER);
	pvs_yield_waits(&y, 21, USER);
	pvs_yield_waits(&y, 0, USER);
	pvs_yield_ipi(&y, 900, 21, VECTOR, ask.now_ns);
	assert_choice(900, 21, PVS_YIELD_RECEIVER);
	assert_choice(900, 21, PVS_YIELD_RECEIVER);
	/* it has not got what was sent to the other one, so it cannot answer it */
	pvs_yield_eoi(&y, 900, VECTOR);
	pvs_yield_waits(&y, 900, USER);
	for (i = 0; i < 4; i++)
		assert_choice(i, 900, PVS_YIELD_RECEIVER);
}

static void yield__slots_beyond_the_count_are_ignored(void **state)
{
	static struct pvs_yield before;

	(void)state;
	vm_of(64, 0);
	/* what lies there is nobody's */
	memset(&y.slot[64], 1, sizeof(y.slot[64]));
	y.slot[256].sent_to = 65; /* slot[64].from names slot 256: let that have sent to 64 */
	y.slot[256].vector[0] = 1;
	before = y;
	pvs_yield_waits(&y, 64, USER);
	pvs_yield_runs(&y, 64);
	pvs_yield_blocks(&y, 1024);
	pvs_yield_removed(&y, 64);
	pvs_yield_interrupt(&y, 64);
	pvs_yield_ipi(&y, 64, 1, VECTOR, 1);
	pvs_yield_ipi(&y, 1, 64, VECTOR, 1);
	pvs_yield_eoi(&y, 64, 1);
	assert_int_equal(chosen_by(64), PVS_NO_TARGET);
	assert_int_equal(choice.reason, PVS_YIELD_NOBODY);
	assert_memory_equal(&before, &y, sizeof(y));
}

/* ---- summaries ----------------------------------------------------------------------------- */

static void yield__the_relaxed_round_finds_who_is_in_no_summary(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 900, CRIT);
	y.summary = 0; /* for a moment, on another CPU */
	assert_choice(3, 900, PVS_YIELD_RELAXED);
}

static void yield__who_left_while_it_was_looked_for_is_not_chosen(void **state)
{
	(void)state;
	pvs_yield_waits(&y, 900, CRIT);
	pvs_yield_waits(&y, 901, USER);
	y.waiting[900 / 64] &= ~((pvs_u64)1 << 900 % 64); /* the other CPU is that far */
	hint.wait_kind = PVS_WAIT_ANY;
	assert_choice(3, 901, PVS_YIELD_RELAXED);
	y.waiting[900 / 64] = 0;
	assert_choice(3, PVS_NO_TARGET, PVS_YIELD_NOBODY);
}

static void yield__zeros_below_a_bit_are_counted_without_a_branch(void **state)
{
	pvs_u32 i;

	(void)state;
	for (i = 0; i < 64; i++) {
		assert_int_equal(pvs_zeros_below((pvs_u64)1 << i), i);
		assert_int_equal(pvs_zeros_below(~(pvs_u64)0 << i), i);
		assert_int_equal(PVS_CTZ64((pvs_u64)5 << i), i);
	}
}

/* ---- config -------------------------------------------------------------------------------- */

static void yield_config__zeros_are_the_defaults(void **state)
{
	struct pvs_yield_config cfg = { 0 };

	(void)state;
	pvs_yield_config_resolve(&cfg);
	assert_int_equal(cfg.flags, 0);
	assert_int_equal(cfg.ipi_window_ns, 50 * MS);
	assert_int_equal(cfg.transfer, PVS_TRANSFER_OFF);
	assert_int_equal(cfg.transfer_min_ns, 6 * MS);
	assert_int_equal(cfg.debounce_ns, 600 * US);
	assert_int_equal(pvs_yield_config_check(&cfg, NULL), PVS_OK);
	cfg.ipi_window_ns = 7 * MS;
	pvs_yield_config_resolve(&cfg);
	assert_int_equal(cfg.ipi_window_ns, 7 * MS);
}

static void yield_config__names_the_field_out_of_range(void **state)
{
	static const struct {
		const char *name;
		size_t offset;
		pvs_u32 min;
		pvs_u32 max;
	} rows[] = {
		{ "flags", offsetof(struct pvs_yield_config, flags), 0, 1 },
		{ "ipi_window_ns", offsetof(struct pvs_yield_config, ipi_window_ns), 1024,
		  1000000000 },
		{ "transfer", offsetof(struct pvs_yield_config, transfer), 1, 3 },
		{ "transfer_min_ns", offsetof(struct pvs_yield_config, transfer_min_ns), 1000,
		  1000000000 },
		{ "debounce_ns", offsetof(struct pvs_yield_config, debounce_ns), 1024,
		  100000000 },
		{ "reserved", offsetof(struct pvs_yield_config, reserved), 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const pvs_u32 values[] = { rows[i].min - 1, rows[i].min, rows[i].max,
					   rows[i].max + 1 };
		unsigned n;

		for (n = 0; n < 4; n++) {
			struct pvs_yield_config cfg = { 0 };
			struct pvs_config_error err = { 0 };
			int good = n == 1 || n == 2;

			pvs_yield_config_resolve(&cfg);
			memcpy((char *)&cfg + rows[i].offset, &values[n], sizeof(values[n]));
			assert_int_equal(pvs_yield_config_check(&cfg, &err),
					 good ? PVS_OK : PVS_E_RANGE);
			assert_int_equal(pvs_yield_config_check(&cfg, NULL),
					 good ? PVS_OK : PVS_E_RANGE);
			if (good)
				continue;
			assert_string_equal(err.field, rows[i].name);
			assert_int_equal(err.value, values[n]);
			assert_int_equal(err.min, rows[i].min);
			assert_int_equal(err.max, rows[i].max);
		}
	}
}

static void yield_init__refuses_what_it_cannot_keep(void **state)
{
	struct pvs_yield_config cfg = { 0 };

	(void)state;
	assert_int_equal(pvs_yield_init(&y, &cfg, 0), PVS_E_INVALID);
	assert_int_equal(pvs_yield_init(&y, &cfg, 1), PVS_OK);
	assert_int_equal(pvs_yield_init(&y, &cfg, 1024), PVS_OK);
	assert_int_equal(pvs_yield_init(&y, &cfg, 1025), PVS_E_INVALID);
	cfg.debounce_ns = 1;
	assert_int_equal(pvs_yield_init(&y, &cfg, 1), PVS_E_RANGE);
}

static void yield__takes_the_memory_that_is_documented(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct pvs_yield), PVS_YIELD_BYTES);
	assert_int_equal(sizeof(struct pvs_yield_slot), 64);
	assert_int_equal(PVS_YIELD_SLOTS, PVS_SLOT_COUNT_MAX);
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(yield__goes_to_nobody_when_nobody_waits),
		unit(yield__prefers_the_vcpu_the_guest_names),
		unit(yield__ranks_are_an_order_and_no_filter),
		unit(yield__a_receiver_goes_before_a_pending_interrupt),
		unit(yield__who_was_woken_is_for_the_relaxed_round),
		unit(yield__who_spins_itself_is_for_the_relaxed_round),
		unit(yield__who_has_yielded_spins_until_it_runs),
		unit(yield__who_found_nobody_does_not_count_as_spinning),
		unit(yield__never_goes_to_the_yielder),
		unit(yield__a_name_is_stale_when_the_named_has_run_since),
		unit(yield__a_wait_that_began_while_the_named_ran_is_not_stale),
		unit(yield__without_epochs_a_name_always_counts),
		unit(yield__while_the_named_vcpu_runs_nobody_else_is_chosen),
		unit(yield__a_name_beyond_the_slots_is_nobody),
		unit(yield__an_unknown_kind_names_nobody),
		unit(yield__a_mask_names_several_in_turn),
		unit(yield__mask_bits_beyond_the_slots_are_ignored),
		unit(yield__a_mask_ends_with_the_last_slot),
		unit(yield__any_means_the_preempted_lock_holders),
		unit(yield__receivers_have_their_turns),
		unit(yield__only_the_last_of_receivers_equal_modulo_four_is_remembered),
		unit(yield__a_receiver_counts_for_the_window),
		unit(yield__a_later_ipi_does_not_renew_an_earlier_one),
		unit(yield__an_ipi_from_a_clock_slightly_ahead_counts),
		unit(yield__the_matching_eoi_answers_an_ipi_and_no_other),
		unit(yield__an_eoi_leaves_the_receivers_own_ipis_alone),
		unit(yield__one_eoi_answers_all_who_sent_that_vector),
		unit(yield__an_eoi_does_not_answer_what_took_the_ipis_place),
		unit(yield__an_eoi_answers_those_it_knows_of_and_no_others),
		unit(yield__who_sends_to_itself_or_beyond_the_slots_is_ignored),
		unit(yield__each_of_n_has_its_turn_within_n_yields),
		unit(yield__a_better_rank_in_between_costs_nobody_its_turn),
		unit(yield__whose_turn_it_is_depends_on_nothing_but_the_last),
		unit(yield__finds_the_only_one_wherever_it_is),
		unit(yield__new_flags_replace_the_old_ones),
		unit(yield__unknown_flags_are_ignored),
		unit(yield__an_interrupt_raises_who_waits_and_nobody_else),
		unit(yield__neighbours_stay_when_one_leaves),
		unit(yield__a_removed_vcpu_is_forgotten),
		unit(yield__who_comes_after_a_removed_vcpu_starts_afresh),
		unit(yield__slots_beyond_the_count_are_ignored),
		unit(yield__the_relaxed_round_finds_who_is_in_no_summary),
		unit(yield__who_left_while_it_was_looked_for_is_not_chosen),
		unit(yield__zeros_below_a_bit_are_counted_without_a_branch),
		unit(yield_config__zeros_are_the_defaults),
		unit(yield_config__names_the_field_out_of_range),
		unit(yield_init__refuses_what_it_cannot_keep),
		unit(yield__takes_the_memory_that_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
