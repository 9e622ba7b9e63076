/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <string.h>

#define GRAN 1600000u /* ns; divisible by 16 */
#define A 10u
#define B 20u
#define C 30u

static struct pvs_yield y;
static struct pvs_transfer_facts facts;
static struct pvs_transfer out;

static void vm_with(pvs_u32 transfer)
{
	struct pvs_yield_config cfg = { .transfer = transfer };

	assert_int_equal(pvs_yield_init(&y, &cfg, 64), PVS_OK);
	memset(&facts, 0, sizeof(facts));
	facts.now_ns = 1000 * MS;
	facts.granularity_ns = GRAN;
	facts.queued = 2;
	facts.lag_max_ns = 3000000;
}

static int penalising(void **state)
{
	(void)state;
	vm_with(PVS_TRANSFER_PENALISE);
	return 0;
}

static int crediting(void **state)
{
	(void)state;
	vm_with(PVS_TRANSFER_CREDIT);
	return 0;
}

static pvs_u32 give(pvs_u32 yielder, pvs_u32 target)
{
	memset(&out, 0x5a, sizeof(out));
	pvs_transfer(&y, yielder, target, &facts, &out);
	assert_int_equal(out.penalty_ns && out.credit_ns, 0);
	return out.reason;
}

/* ---- whoever --------------------------------------------------------------------------------- */

static void transfer__off_gives_nothing(void **state)
{
	(void)state;
	vm_with(0); /* the default */
	facts.gap_ns = 1000000;
	assert_int_equal(give(A, B), PVS_TRANSFER_NONE);
	assert_int_equal(out.penalty_ns, 0);
	assert_int_equal(out.credit_ns, 0);
	assert_int_equal(out.resched, 0);
	assert_int_equal(y.transfers[PVS_TRANSFER_NONE], 1);
}

static void transfer__nobody_gets_nothing(void **state)
{
	(void)state;
	assert_int_equal(give(A, A), PVS_TRANSFER_NOBODY);
	assert_int_equal(give(A, 64), PVS_TRANSFER_NOBODY);
	assert_int_equal(give(64, A), PVS_TRANSFER_NOBODY);
	assert_int_equal(give(A, PVS_NO_TARGET), PVS_TRANSFER_NOBODY);
	assert_int_equal(out.penalty_ns, 0);
	assert_int_equal(y.transfers[PVS_TRANSFER_NOBODY], 4);
}

static void transfer__alone_on_a_queue_nothing_is_due(void **state)
{
	(void)state;
	facts.queued = 1;
	assert_int_equal(give(A, B), PVS_TRANSFER_ALONE);
	facts.queued = 0;
	assert_int_equal(give(A, B), PVS_TRANSFER_ALONE);
	assert_int_equal(out.penalty_ns, 0);
	/* and it does not use the limit up */
	facts.queued = 2;
	assert_int_equal(give(A, B), PVS_TRANSFER_BASE);
}

/* ---- penalty --------------------------------------------------------------------------------- */

static void transfer__the_penalty_is_the_gap_and_a_bit_more(void **state)
{
	(void)state;
	facts.gap_ns = 1000009;
	assert_int_equal(give(A, B), PVS_TRANSFER_PENALTY);
	assert_int_equal(out.penalty_ns, GRAN + 1000009 + 100000);
	assert_int_equal(out.resched, 0);
}

static void transfer__the_penalty_is_capped_by_queue_length(void **state)
{
	static const struct {
		pvs_u32 queued;
		pvs_u32 sixteenths;
	} rows[] = { { 2, 96 }, { 3, 64 }, { 4, 40 }, { 5, 40 }, { 6, 40 }, { 7, 32 }, { 8, 32 },
		     { 9, 24 }, { 10, 24 }, { 11, 24 }, { 12, 24 }, { 13, 16 }, { 14, 16 },
		     { 15, 16 }, { 16, 16 }, { 1000, 16 }, { 0xffffffffu, 16 } };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		penalising(state);
		facts.queued = rows[i].queued;
		facts.gap_ns = 0x7fffffffffffffffll;
		assert_int_equal(give(A, B), PVS_TRANSFER_PENALTY);
		assert_int_equal(out.penalty_ns, GRAN / 16 * rows[i].sixteenths);
	}
}

static void transfer__a_target_that_is_not_behind_costs_less(void **state)
{
	static const struct {
		pvs_u32 queued;
		pvs_u32 sixteenths;
	} rows[] = { { 2, 16 }, { 3, 15 }, { 4, 10 }, { 5, 10 }, { 6, 10 }, { 7, 8 }, { 8, 8 },
		     { 9, 6 }, { 10, 6 }, { 11, 6 }, { 12, 6 }, { 13, 4 }, { 14, 4 }, { 15, 4 },
		     { 16, 4 }, { 1000, 4 } };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		penalising(state);
		facts.queued = rows[i].queued;
		assert_int_equal(give(A, B), PVS_TRANSFER_BASE);
		assert_int_equal(out.penalty_ns, GRAN / 16 * rows[i].sixteenths);
		facts.gap_ns = -1;
		assert_int_equal(give(B, A), PVS_TRANSFER_BASE);
		assert_int_equal(out.penalty_ns, GRAN / 16 * rows[i].sixteenths);
		facts.gap_ns = 1;
		assert_int_equal(give(C, A), PVS_TRANSFER_PENALTY);
	}
}

static void transfer__a_granularity_without_measure_is_cut(void **state)
{
	(void)state;
	facts.granularity_ns = 0xffffffffu;
	facts.gap_ns = 0x7fffffffffffffffll;
	assert_int_equal(give(A, B), PVS_TRANSFER_PENALTY);
	assert_int_equal(out.penalty_ns, 6ull * PVS_GRANULARITY_MAX_NS);
	facts.granularity_ns = PVS_GRANULARITY_MAX_NS + 1;
	facts.gap_ns = 0;
	give(B, C);
	assert_int_equal(out.penalty_ns, PVS_GRANULARITY_MAX_NS);
	facts.granularity_ns = 0;
	give(C, A);
	assert_int_equal(out.penalty_ns, 0);
}

/* ---- limit ----------------------------------------------------------------------------------- */

static void transfer__a_yielder_pays_once_in_six_milliseconds(void **state)
{
	(void)state;
	assert_int_equal(give(A, B), PVS_TRANSFER_BASE);
	facts.now_ns += 6 * MS;
	assert_int_equal(give(A, B), PVS_TRANSFER_LIMITED);
	assert_int_equal(out.penalty_ns, 0);
	assert_int_equal(give(A, C), PVS_TRANSFER_LIMITED);
	facts.now_ns += 1;
	assert_int_equal(give(A, B), PVS_TRANSFER_BASE);
	facts.now_ns += 6 * MS;
	assert_int_equal(give(A, B), PVS_TRANSFER_LIMITED);
}

static void transfer__the_limit_is_each_yielders_own(void **state)
{
	(void)state;
	assert_int_equal(give(A, B), PVS_TRANSFER_BASE);
	assert_int_equal(give(C, B), PVS_TRANSFER_BASE);
	assert_int_equal(give(A, B), PVS_TRANSFER_LIMITED);
}

static void transfer__a_clock_that_steps_back_starts_the_limit_anew(void **state)
{
	(void)state;
	assert_int_equal(give(A, B), PVS_TRANSFER_BASE);
	facts.now_ns -= 1;
	assert_int_equal(give(A, B), PVS_TRANSFER_LIMITED);
	facts.now_ns -= 900 * MS;
	assert_int_equal(give(A, B), PVS_TRANSFER_LIMITED);
	facts.now_ns += 6 * MS;
	assert_int_equal(give(A, B), PVS_TRANSFER_LIMITED);
	facts.now_ns += 1;
	assert_int_equal(give(A, B), PVS_TRANSFER_BASE);
}

static void transfer__the_first_moment_of_a_clock_counts_too(void **state)
{
	(void)state;
	facts.now_ns = 0;
	assert_int_equal(give(A, B), PVS_TRANSFER_BASE);
	assert_int_equal(give(A, B), PVS_TRANSFER_LIMITED);
}

/* ---- ping-pong ------------------------------------------------------------------------------- */

static void transfer__a_yield_back_at_once_pays_the_gap_only(void **state)
{
	(void)state;
	facts.gap_ns = 2 * GRAN;
	assert_int_equal(give(A, B), PVS_TRANSFER_PENALTY);
	assert_int_equal(out.penalty_ns, GRAN + 2 * GRAN + 2 * GRAN / 10);
	facts.now_ns += 300 * US;
	assert_int_equal(give(B, A), PVS_TRANSFER_PING_PONG);
	assert_int_equal(out.penalty_ns, 2 * GRAN);
}

static void transfer__a_small_gap_back_pays_a_granularity(void **state)
{
	(void)state;
	give(A, B);
	facts.gap_ns = 5;
	assert_int_equal(give(B, A), PVS_TRANSFER_PING_PONG);
	assert_int_equal(out.penalty_ns, GRAN);
}

static void transfer__a_yield_back_never_exceeds_the_cap(void **state)
{
	(void)state;
	give(A, B);
	facts.queued = 20;
	facts.gap_ns = 100 * (pvs_s64)GRAN;
	assert_int_equal(give(B, A), PVS_TRANSFER_PING_PONG);
	assert_int_equal(out.penalty_ns, GRAN);
}

static void transfer__the_debounce_ends_after_600_us(void **state)
{
	(void)state;
	facts.now_ns = 1024 * 1000000ull;
	facts.gap_ns = 2 * GRAN;
	give(A, B);
	give(C, B);
	facts.now_ns += 600 * US / 1024 * 1024 + 1023;
	assert_int_equal(give(B, A), PVS_TRANSFER_PING_PONG);
	vm_with(PVS_TRANSFER_PENALISE);
	facts.now_ns = 1024 * 1000000ull;
	facts.gap_ns = 2 * GRAN;
	give(A, B);
	facts.now_ns += (600 * US / 1024 + 1) * 1024;
	assert_int_equal(give(B, A), PVS_TRANSFER_PENALTY);
}

static void transfer__only_the_last_target_yields_back(void **state)
{
	(void)state;
	facts.gap_ns = 2 * GRAN;
	give(A, B);
	give(A, C);
	assert_int_equal(give(B, A), PVS_TRANSFER_PENALTY);
	assert_int_equal(give(C, A), PVS_TRANSFER_PING_PONG);
}

static void transfer__a_yield_that_was_limited_counts_for_the_debounce(void **state)
{
	(void)state;
	facts.gap_ns = 2 * GRAN;
	give(A, B);
	facts.now_ns += 5 * MS;
	assert_int_equal(give(A, B), PVS_TRANSFER_LIMITED);
	facts.now_ns += 300 * US;
	assert_int_equal(give(B, A), PVS_TRANSFER_PING_PONG);
}

static void transfer__a_clock_that_steps_back_is_no_ping_pong(void **state)
{
	(void)state;
	facts.gap_ns = 2 * GRAN;
	give(A, B);
	facts.now_ns -= 1 * MS;
	assert_int_equal(give(B, A), PVS_TRANSFER_PENALTY);
}

static void transfer__yields_are_timed_in_48_bits(void **state)
{
	(void)state;
	facts.gap_ns = 2 * GRAN;
	facts.now_ns = ((1ull << 48) + 5) << 10;
	give(A, B);
	facts.now_ns += 1 << 10;
	assert_int_equal(give(B, A), PVS_TRANSFER_PING_PONG);
	facts.now_ns += 1ull << (47 + 10);
	assert_int_equal(give(C, B), PVS_TRANSFER_PENALTY);
	assert_int_equal(give(A, B), PVS_TRANSFER_PENALTY);
}

static void transfer__a_removed_vcpu_leaves_nothing_to_the_next(void **state)
{
	(void)state;
	facts.gap_ns = 2 * GRAN;
	facts.now_ns = 1000;
	give(A, 0);
	pvs_yield_removed(&y, A);
	assert_int_equal(give(0, A), PVS_TRANSFER_PENALTY);
	assert_int_equal(give(A, 0), PVS_TRANSFER_PING_PONG);
}

static void transfer__a_removed_vcpu_starts_without_a_past(void **state)
{
	(void)state;
	facts.gap_ns = 2 * GRAN;
	give(A, B);
	pvs_yield_removed(&y, A);
	assert_int_equal(give(B, A), PVS_TRANSFER_PENALTY);
	assert_int_equal(give(A, C), PVS_TRANSFER_PENALTY);
}

/* ---- credit ---------------------------------------------------------------------------------- */

static void transfer__a_credit_fills_the_lag_up_to_the_margin(void **state)
{
	(void)state;
	facts.lag_ns = -1000000;
	assert_int_equal(give(A, B), PVS_TRANSFER_CREDITED);
	assert_int_equal(out.credit_ns, GRAN + 1000000);
	assert_int_equal(out.penalty_ns, 0);
	facts.queued = 13;
	facts.lag_ns = GRAN / 4 - 1;
	assert_int_equal(give(A, B), PVS_TRANSFER_CREDITED);
	assert_int_equal(out.credit_ns, 1);
	facts.lag_ns = GRAN / 4;
	assert_int_equal(give(A, B), PVS_TRANSFER_ENOUGH);
	assert_int_equal(out.credit_ns, 0);
}

static void transfer__a_credit_stays_inside_the_legal_lag(void **state)
{
	(void)state;
	facts.lag_max_ns = GRAN / 2;
	assert_int_equal(give(A, B), PVS_TRANSFER_CREDITED);
	assert_int_equal(out.credit_ns, GRAN / 2);
	facts.lag_ns = -0x7fffffffffffffffll - 1; /* no scheduler owes that */
	assert_int_equal(give(A, B), PVS_TRANSFER_CREDITED);
	assert_int_equal(out.credit_ns, GRAN);
	facts.lag_ns = 0x7fffffffffffffffll;
	assert_int_equal(give(A, B), PVS_TRANSFER_ENOUGH);
	facts.lag_max_ns = 0;
	facts.lag_ns = -5;
	assert_int_equal(give(A, B), PVS_TRANSFER_ENOUGH);
}

static void transfer__credits_are_not_limited_but_reschedules_are(void **state)
{
	(void)state;
	assert_int_equal(give(A, B), PVS_TRANSFER_CREDITED);
	assert_int_equal(out.resched, 1);
	assert_int_equal(give(A, B), PVS_TRANSFER_CREDITED);
	assert_int_equal(out.resched, 0);
	assert_int_equal(give(B, A), PVS_TRANSFER_CREDITED);
	assert_int_equal(out.resched, 1);
	facts.now_ns += 6 * MS + 1;
	facts.lag_ns = GRAN;
	assert_int_equal(give(A, B), PVS_TRANSFER_ENOUGH);
	assert_int_equal(out.resched, 1);
}

#define penalty(f) cmocka_unit_test_setup(f, penalising)
#define credit(f) cmocka_unit_test_setup(f, crediting)

int main(void)
{
	const struct CMUnitTest tests[] = {
		penalty(transfer__off_gives_nothing),
		penalty(transfer__nobody_gets_nothing),
		penalty(transfer__alone_on_a_queue_nothing_is_due),
		penalty(transfer__the_penalty_is_the_gap_and_a_bit_more),
		penalty(transfer__the_penalty_is_capped_by_queue_length),
		penalty(transfer__a_target_that_is_not_behind_costs_less),
		penalty(transfer__a_granularity_without_measure_is_cut),
		penalty(transfer__a_yielder_pays_once_in_six_milliseconds),
		penalty(transfer__the_limit_is_each_yielders_own),
		penalty(transfer__a_clock_that_steps_back_starts_the_limit_anew),
		penalty(transfer__the_first_moment_of_a_clock_counts_too),
		penalty(transfer__a_yield_back_at_once_pays_the_gap_only),
		penalty(transfer__a_small_gap_back_pays_a_granularity),
		penalty(transfer__a_yield_back_never_exceeds_the_cap),
		penalty(transfer__the_debounce_ends_after_600_us),
		penalty(transfer__only_the_last_target_yields_back),
		penalty(transfer__a_yield_that_was_limited_counts_for_the_debounce),
		penalty(transfer__a_clock_that_steps_back_is_no_ping_pong),
		penalty(transfer__yields_are_timed_in_48_bits),
		penalty(transfer__a_removed_vcpu_leaves_nothing_to_the_next),
		penalty(transfer__a_removed_vcpu_starts_without_a_past),
		credit(transfer__a_credit_fills_the_lag_up_to_the_margin),
		credit(transfer__a_credit_stays_inside_the_legal_lag),
		credit(transfer__credits_are_not_limited_but_reschedules_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
