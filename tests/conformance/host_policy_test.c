/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the words are worth, and the limits: abi/spec/host-rules.md against the engine itself.
 */
#include "../unit/core/world.h"

#include <string.h>

#define BIT(n) ((pvs_u64)1 << (n))
#define URGENT ((pvs_u64)PVS_URGENCY_REALTIME << PVS_INTENT_CLASS_SHIFT)

/*
 * A host whose vCPU is entitled to a whole CPU: it never owes anything, so that what ends its
 * boosts is the limit under test.
 */
static void debtless_init(struct world *w)
{
	world_init(w, CAPS_OWNER);
	w->io.facts.entitlement_q16 = 65536;
}

/* Runs boosted, looked at every 100 us, for at most `ns`; how long the boost lasted. */
static pvs_u64 boosted_run(struct world *w, pvs_u64 ns)
{
	pvs_u64 ran = 0;

	while (ran < ns && w->io.decision.klass >= PVS_CLASS_TASK) {
		run_for(w, 100 * US);
		ran += 100 * US;
		w->seq++;
		look(w);
	}
	return ran;
}

/* ---- PVS-H-10, 11 ---------------------------------------------------------------------------- */

static void PVS_H_10__ok_each_class_asks_for_its_own(void **state)
{
	static const unsigned int klass[] = { PVS_CLASS_BASELINE, PVS_CLASS_BELOW,
					      PVS_CLASS_BELOW,	  PVS_CLASS_BASELINE,
					      PVS_CLASS_TASK,	  PVS_CLASS_TASK };
	unsigned int urgency;

	(void)state;
	for (urgency = 0; urgency <= PVS_URGENCY_MAX; urgency++) {
		struct world w;

		world_init(&w, CAPS_OWNER);
		say_urgency(&w, urgency);
		assert_int_equal(look(&w), klass[urgency]);
	}
}

static void PVS_H_10__bad_a_lower_wish_does_not_hide_a_higher_one(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_urgency(&w, PVS_URGENCY_IDLE);
	w.slot.crit = PVS_LE64(PVS_CRIT_LOCK_HELD);
	assert_int_equal(look(&w), PVS_CLASS_CRITICAL);
	w.slot.crit = 0;
	w.slot.pending = PVS_LE64(0x50);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	w.slot.pending = 0;
	assert_int_equal(look(&w), PVS_CLASS_BELOW);
}

static void PVS_H_11__ok_less_is_given_to_whoever_asks(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_urgency(&w, PVS_URGENCY_BACKGROUND);
	assert_int_equal(look(&w), PVS_CLASS_BELOW);
	assert_int_equal(w.io.decision.reason, PVS_REASON_BELOW);
}

static void PVS_H_11__bad_throttled_a_guest_still_gets_less(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	set_boost_left(&w, -1000);
	w.v.boost_empty = 1;
	w.v.raise_ok_ns = w.v.clock_ns + 100 * MS;
	w.v.suspect = 1;
	w.v.grant_full = 1;
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	say_urgency(&w, PVS_URGENCY_IDLE);
	assert_int_equal(look(&w), PVS_CLASS_BELOW);
}

/* ---- PVS-H-12: accounts --------------------------------------------------------------------- */

static void PVS_H_12__ok_a_rested_account_boosts_again(void **state)
{
	struct world w;

	(void)state;
	debtless_init(&w);
	w.cfg.grant_max_ns = 100 * MS;
	w.cfg.vm_burst_ns = 1000 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	look(&w);
	boosted_run(&w, 50 * MS);
	assert_int_equal(w.io.decision.reason, PVS_REASON_BOOST_EMPTY);
	/* it gets a quarter of the CPU: refill takes four times as long */
	say(&w, BIT(PVS_INTENT_IDLE_SHIFT));
	sleep_for(&w, 4 * (pvs_u64)w.cfg.boost_resume_ns + 1 * MS);
	look(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
}

static void PVS_H_12__bad_an_empty_account_ends_the_boost_whatever_is_said(void **state)
{
	struct world w;
	pvs_u64 ran;
	unsigned int i;

	(void)state;
	debtless_init(&w);
	w.cfg.grant_max_ns = 100 * MS;
	w.cfg.vm_burst_ns = 1000 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	look(&w);
	ran = boosted_run(&w, 50 * MS);
	/* the burst, and what came in meanwhile */
	assert_true(ran >= w.cfg.boost_burst_ns && ran < 2 * (pvs_u64)w.cfg.boost_burst_ns);
	assert_int_equal(w.v.overruns, 1);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_BOOST_EMPTY);
	assert_int_equal(PVS_GET(PVS_LE64(w.slot.applied), PVS_APPLIED_THROTTLE_SHIFT, 8),
			 PVS_THROTTLE_BOOST_EMPTY);
	/* latched: a little refill is not enough, and nothing it says helps */
	for (i = 0; i < 20; i++) {
		wait_for(&w, 100 * US);
		say_urgency(&w, PVS_URGENCY_REALTIME);
		w.slot.crit = PVS_LE64(i & 1 ? PVS_CRIT_ALL : 0);
		assert_true(look(&w) < PVS_CLASS_TASK);
	}
}

/* ---- PVS-H-48: boosts move time -------------------------------------------------------------- */

static void PVS_H_48__ok_what_was_borrowed_is_paid_back(void **state)
{
	struct world w;
	pvs_u64 paid = 0;

	(void)state;
	world_init(&w, CAPS_OWNER & ~PVS_CAP_OWNS_QUEUE);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
	/* 2.4 ms run in the time in which its third would have been 0.8 ms */
	assert_true(boosted_run(&w, 2400 * US) == 2400 * US);
	say(&w, 0);
	assert_int_equal(look(&w), PVS_CLASS_BELOW);
	assert_int_equal(w.io.decision.reason, PVS_REASON_PAYBACK);
	while (look(&w) == PVS_CLASS_BELOW && paid < 100 * MS) {
		wait_for(&w, 100 * US);
		paid += 100 * US;
	}
	/* the 1.6 ms too many, at a third of a CPU */
	assert_in_range(paid, 4700 * US, 4900 * US);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_BASELINE);
}

static void PVS_H_48__bad_running_on_does_not_pay(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w, CAPS_OWNER & ~PVS_CAP_OWNS_QUEUE);
	say(&w, URGENT);
	ring(&w);
	boosted_run(&w, 2400 * US);
	say(&w, 0);
	for (i = 0; i < 100; i++) {
		run_for(&w, 100 * US);
		assert_int_equal(look(&w), PVS_CLASS_BELOW);
	}
}

/* Its queue charges boosted time as it passes: to weigh it less as well would charge it twice. */
static void PVS_H_48__ok_an_owning_host_charges_in_its_queue(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, URGENT);
	ring(&w);
	boosted_run(&w, 2400 * US);
	say(&w, 0);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_true(w.v.normal_left_ns < -(pvs_s64)w.cfg.debt_start_ns);
}

/* ---- PVS-H-13: window ----------------------------------------------------------------------- */

static void PVS_H_13__ok_a_window_lasts_its_run_time(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, 1000ull << PVS_INTENT_WINDOW_SHIFT);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_int_equal(w.io.decision.reason, PVS_REASON_WINDOW);
	wait_for(&w, 5 * MS); /* not run time */
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	run_for(&w, 999 * US);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	run_for(&w, 1 * US);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
}

static void PVS_H_13__bad_the_same_sequence_starts_no_second_window(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, 1000ull << PVS_INTENT_WINDOW_SHIFT);
	look(&w);
	run_for(&w, 1000 * US);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	sleep_for(&w, 20 * MS);
	w.seq--; /* the same number, a longer window */
	say(&w, 2000ull << PVS_INTENT_WINDOW_SHIFT);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	say(&w, 2000ull << PVS_INTENT_WINDOW_SHIFT);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
}

static void PVS_H_13__bad_idle_ends_a_window(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, 1000ull << PVS_INTENT_WINDOW_SHIFT);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	step(&w, PVS_EV_HALT);
	step(&w, PVS_EV_WAKE);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	sleep_for(&w, 1 * MS);
	say(&w, 1000ull << PVS_INTENT_WINDOW_SHIFT | BIT(PVS_INTENT_IDLE_SHIFT));
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
}

/* ---- PVS-H-14: staleness -------------------------------------------------------------------- */

static void PVS_H_14__ok_a_hint_that_is_said_again_stays_fresh(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.stale_ns = 1 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	look(&w);
	run_for(&w, 999 * US);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	run_for(&w, 999 * US);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
}

static void PVS_H_14__bad_an_old_hint_boosts_no_more(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.stale_ns = 1 * MS;
	configure(&w);
	say_urgency(&w, PVS_URGENCY_REALTIME);
	look(&w);
	run_for(&w, 1 * MS);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_STALE);
}

/* ---- PVS-H-15, 16: idle and wake ------------------------------------------------------------- */

static void PVS_H_15__ok_awake_the_running_urgency_counts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
}

static void PVS_H_15__bad_idle_the_running_urgency_asks_for_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say(&w, URGENT | BIT(PVS_INTENT_IDLE_SHIFT));
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(w.io.decision.reason, PVS_REASON_IDLE);
}

static void PVS_H_16__ok_a_wake_up_for_something_urgent_is_boosted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say_idle(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(step(&w, PVS_EV_HALT), PVS_CLASS_BASELINE);
	assert_int_equal(step(&w, PVS_EV_WAKE), PVS_CLASS_TASK);
	assert_int_equal(w.io.decision.reason, PVS_REASON_WAKE);
}

static void PVS_H_16__ok_a_host_that_sees_no_wake_ups_arms_and_charges_run_time_only(void **state)
{
	struct world w;
	pvs_s64 left;

	(void)state;
	world_init(&w, CAPS_USER);
	say_idle(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_int_equal(w.io.decision.reason, PVS_REASON_ARMED);
	left = boost_left(&w);
	sleep_for(&w, 500 * MS);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_true(boost_left(&w) >= left);
	assert_true(w.v.boosted_ns == 0);
}

static void PVS_H_16__bad_without_valid_bit_or_urgency_nothing_is_armed(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say_idle(&w, PVS_URGENCY_NORMAL);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	say(&w, BIT(PVS_INTENT_IDLE_SHIFT) | 5ull << PVS_INTENT_WAKE_CLASS_SHIFT);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	/* not idle: the wake urgency is about later */
	say(&w, BIT(PVS_INTENT_WAKE_VALID_SHIFT) | 5ull << PVS_INTENT_WAKE_CLASS_SHIFT);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
}

/* ---- PVS-H-17, 18, 19: pending, crit, irq ---------------------------------------------------- */

static void PVS_H_17__ok_what_others_queued_counts(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.slot.pending = PVS_LE64(0x53);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_int_equal(w.io.decision.reason, PVS_REASON_PENDING);
	w.slot.pending = 0;
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
}

static void PVS_H_17__bad_others_cannot_make_it_less_than_it_is(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	w.slot.pending = PVS_LE64(0x1f);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
}

static void PVS_H_18__ok_each_critical_bit_asks(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 0; bit < 4; bit++) {
		struct world w;

		world_init(&w, CAPS_OWNER);
		w.slot.crit = PVS_LE64(BIT(bit));
		assert_int_equal(look(&w), PVS_CLASS_CRITICAL);
		assert_int_equal(w.io.decision.reason, PVS_REASON_CRIT);
	}
}

static void PVS_H_18__bad_a_critical_section_is_not_longer_than_the_accounts(void **state)
{
	struct world w;

	(void)state;
	debtless_init(&w);
	w.slot.crit = PVS_LE64(PVS_CRIT_ALL);
	look(&w);
	assert_true(boosted_run(&w, 100 * MS) < 100 * MS);
	assert_true(w.io.decision.klass <= PVS_CLASS_BASELINE);
	assert_int_not_equal(w.io.decision.throttle, 0);
}

static void PVS_H_19__ok_interrupts_are_paid_from_their_own_account(void **state)
{
	struct world w;
	pvs_s64 before;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_HARDIRQ);
	assert_int_equal(look(&w), PVS_CLASS_CRITICAL);
	assert_int_equal(w.io.decision.reason, PVS_REASON_IRQ);
	before = boost_left(&w);
	run_for(&w, 300 * US);
	look(&w);
	assert_true(boost_left(&w) >= before);
	assert_true(irq_left(&w) < (pvs_s64)w.cfg.irq_burst_ns);
}

static void PVS_H_19__bad_an_interrupt_without_end_empties_it(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.slot.irq = PVS_LE64(PVS_IRQ_BITS_ALL);
	look(&w);
	assert_true(boosted_run(&w, 10 * MS) < 2 * (pvs_u64)w.cfg.irq_burst_ns);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_IRQ_EMPTY);
	assert_int_equal(w.v.overruns, 1);
}

/* ---- PVS-H-24, 25, 26: cap, grant, rate ----------------------------------------------------- */

static void PVS_H_24__ok_below_the_cap_every_vcpu_is_boosted(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
	assert_true(boosted_run(&w, 1 * MS) == 1 * MS);
}

static void PVS_H_24__bad_many_together_do_not_pass_the_cap(void **state)
{
	struct world w;
	struct pvs_vcpu vcpus[64];
	unsigned int i, boosted = 0;

	(void)state;
	world_init(&w, CAPS_OWNER);
	/* all at the same moment: each takes a quantum, and the burst has so many */
	for (i = 0; i < 64; i++) {
		pvs_vcpu_init(&vcpus[i], &w.cfg);
		w.v = vcpus[i];
		step(&w, PVS_EV_ATTACH);
		say(&w, URGENT);
		boosted += look(&w) == PVS_CLASS_TASK;
	}
	assert_int_equal(boosted, w.cfg.vm_burst_ns / w.cfg.vm_quantum_ns);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_VM_CAP);
}

static void PVS_H_25__ok_a_rested_vcpu_gets_its_whole_grant_again(void **state)
{
	struct world w;
	pvs_u64 first;

	(void)state;
	debtless_init(&w);
	say(&w, URGENT);
	ring(&w);
	first = boosted_run(&w, 100 * MS);
	assert_int_equal(w.io.decision.reason, PVS_REASON_GRANT_MAX);
	say(&w, BIT(PVS_INTENT_IDLE_SHIFT));
	sleep_for(&w, 500 * MS);
	look(&w);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
	assert_true(boosted_run(&w, 100 * MS) == first);
	assert_true(first == w.cfg.grant_max_ns);
}

static void PVS_H_25__bad_saying_it_again_does_not_make_it_longer(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	debtless_init(&w);
	say(&w, URGENT);
	ring(&w);
	for (i = 0; i < w.cfg.grant_max_ns / (100 * US); i++) {
		run_for(&w, 100 * US);
		say(&w, URGENT | 1000ull << PVS_INTENT_WINDOW_SHIFT);
		look(&w);
	}
	assert_true(w.io.decision.klass < PVS_CLASS_TASK);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_GRANT_MAX);
	say(&w, URGENT);
	sleep_for(&w, w.cfg.grant_max_ns / 2);
	assert_true(look(&w) < PVS_CLASS_TASK);
}

static void PVS_H_26__ok_raises_far_enough_apart_are_all_made(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (i = 1; i <= 10; i++) {
		say(&w, URGENT);
		assert_int_equal(ring(&w), PVS_CLASS_TASK);
		say(&w, 0);
		assert_int_equal(look(&w), PVS_CLASS_BASELINE);
		assert_int_equal(w.v.boosts, i);
		sleep_for(&w, w.cfg.raise_min_ns);
	}
}

static void PVS_H_26__bad_a_flipping_hint_raises_no_more_often(void **state)
{
	struct world w;
	unsigned int i;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (i = 0; i < 1000; i++) {
		say(&w, i & 1 ? 0 : URGENT);
		look(&w);
		sleep_for(&w, w.cfg.raise_min_ns / 50);
	}
	assert_true(w.v.boosts <= 1000 / 50 + 1);
	say(&w, URGENT);
	w.v.raise_ok_ns = w.v.clock_ns + w.cfg.raise_min_ns;
	look(&w);
	assert_int_equal(w.io.decision.throttle, PVS_THROTTLE_RATE);
}

/* ---- PVS-H-27, 30: it is over --------------------------------------------------------------- */

static void PVS_H_27__ok_back_in_the_guest_its_words_count_again(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
	assert_int_equal(step(&w, PVS_EV_RUN_LEAVE), PVS_CLASS_BASELINE);
	sleep_for(&w, 1 * MS);
	assert_int_equal(step(&w, PVS_EV_RUN_ENTER), PVS_CLASS_TASK);
}

static void PVS_H_27__bad_outside_detached_or_foreign_no_word_boosts(void **state)
{
	static const unsigned int over[] = { PVS_EV_RUN_LEAVE, PVS_EV_DETACH, PVS_EV_FOREIGN };
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct world w;

		world_init(&w, CAPS_USER);
		say(&w, URGENT);
		assert_int_equal(ring(&w), PVS_CLASS_TASK);
		assert_int_equal(step(&w, over[i]), PVS_CLASS_BASELINE);
		sleep_for(&w, 1 * MS);
		say(&w, URGENT);
		w.slot.crit = 0;
		w.slot.pending = PVS_LE64(0x5f);
		assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	}
}

static void PVS_H_30__ok_something_new_counts_after_a_yield(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, URGENT);
	ring(&w);
	assert_int_equal(step(&w, PVS_EV_YIELD), PVS_CLASS_BASELINE);
	sleep_for(&w, 1 * MS);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
}

static void PVS_H_30__bad_what_was_said_before_a_yield_boosts_no_more(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
	assert_int_equal(step(&w, PVS_EV_YIELD), PVS_CLASS_BASELINE);
	sleep_for(&w, 5 * MS);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(w.io.decision.reason, PVS_REASON_YIELD);
}

/* ---- PVS-H-31, 32, 33: state, measuring, time ------------------------------------------------ */

static void PVS_H_31__ok_accounts_and_counters_survive(void **state)
{
	struct world w;
	struct pvs_saved saved;
	struct pvs_vcpu other;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, URGENT);
	ring(&w);
	run_for(&w, 1 * MS);
	say(&w, 0);
	look(&w);
	assert_true(w.v.normal_left_ns < 0);
	w.v.boost_empty = 1;
	w.v.paying = 1;
	pvs_state_save(&w.v, &saved);
	assert_int_equal(pvs_state_restore(&other, &w.cfg, &saved), PVS_OK);
	assert_true(other.boost_empty && other.paying && !other.irq_empty);
	assert_true(pvs_boost_left(&other, &w.cfg) == pvs_boost_left(&w.v, &w.cfg));
	assert_true(other.normal_left_ns == w.v.normal_left_ns);
	assert_int_equal(other.boosts, 1);
	assert_true(other.boosted_ns == 1 * MS);
}

static void PVS_H_31__bad_a_forged_state_is_no_gift(void **state)
{
	struct world w;
	struct pvs_saved saved;
	struct pvs_vcpu fresh, forged;

	(void)state;
	world_init(&w, CAPS_OWNER);
	pvs_vcpu_init(&fresh, &w.cfg);
	pvs_state_save(&fresh, &saved);
	/* what is missing is unsigned: no number stands for more than full */
	saved.normal_left_ns = 1ll << 60;
	assert_int_equal(pvs_state_restore(&forged, &w.cfg, &saved), PVS_OK);
	assert_true(forged.normal_left_ns == fresh.normal_left_ns);
	assert_memory_equal(&forged, &fresh, sizeof(fresh));
	saved.boost_used_ns = saved.irq_used_ns = saved.high_ns = saved.high_before_ns = ~0ull;
	assert_int_equal(pvs_state_restore(&forged, &w.cfg, &saved), PVS_OK);
	assert_true(pvs_boost_left(&forged, &w.cfg) == 0);
	assert_true(forged.boost_full_at_ns <= 2 * w.cfg.boost_span_ns);
	assert_true(forged.irq_full_at_ns <= 2 * w.cfg.irq_span_ns);
	saved.version++;
	assert_int_equal(pvs_state_restore(&forged, &w.cfg, &saved), PVS_E_SAVED);
	assert_memory_equal(&forged, &fresh, sizeof(fresh));
	saved.version--;
	saved.latches = 8;
	assert_int_equal(pvs_state_restore(&forged, &w.cfg, &saved), PVS_E_SAVED);
	assert_memory_equal(&forged, &fresh, sizeof(fresh));
}

static void PVS_H_32__ok_measure_only_decides_and_counts_as_ever(void **state)
{
	struct world w, measured;

	(void)state;
	world_init(&w, CAPS_OWNER);
	world_init(&measured, CAPS_OWNER);
	measured.cfg.flags |= PVS_CONFIG_MEASURE_ONLY;
	configure(&measured);
	say(&w, URGENT);
	say(&measured, URGENT);
	assert_int_equal(look(&measured), look(&w));
	assert_int_equal(measured.v.boosts, 1);
	assert_int_equal(measured.io.decision.reason, w.io.decision.reason);
}

static void PVS_H_32__bad_no_measured_decision_is_to_be_applied(void **state)
{
	struct world w;
	unsigned int urgency;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.cfg.flags |= PVS_CONFIG_MEASURE_ONLY;
	configure(&w);
	for (urgency = 0; urgency <= PVS_URGENCY_MAX; urgency++) {
		say_urgency(&w, urgency);
		look(&w);
		assert_true(w.io.decision.flags & PVS_DECISION_MEASURE);
	}
}

static void PVS_H_33__ok_time_that_passes_refills(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	set_boost_left(&w, 0);
	sleep_for(&w, 12 * MS);
	look(&w);
	/* a third of a CPU, a quarter of that */
	assert_in_range(boost_left(&w), 990 * US, 1000 * US);
}

static void PVS_H_33__bad_a_clock_that_steps_or_jumps_gives_and_takes_nothing(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, URGENT);
	ring(&w);
	set_boost_left(&w, 1 * MS);
	w.io.facts.now_ns -= 500 * MS;
	w.io.facts.run_ns = 0;
	look(&w);
	assert_true(boost_left(&w) == 1 * MS);
	/* a leap of a century is one dt_max_ns */
	set_boost_left(&w, -(1ll << 40));
	w.io.facts.now_ns += 3155760000ull * 1000 * MS;
	look(&w);
	assert_true(boost_left(&w) < 0);
	w.io.facts.run_ns = ~0ull;
	look(&w);
	assert_true(w.v.boosted_ns <= w.cfg.dt_max_ns);
}

/* ---- PVS-H-40: utilisation ------------------------------------------------------------------ */

static void PVS_H_40__ok_utilisation_is_handed_on(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, 700 | BIT(PVS_INTENT_UTIL_VALID_SHIFT));
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 700);
}

static void PVS_H_40__bad_without_the_valid_bit_it_is_no_statement(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, 700);
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 0);
	say(&w, 1025 | BIT(PVS_INTENT_UTIL_VALID_SHIFT));
	look(&w);
	assert_int_equal(w.io.decision.perf_q10, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_H_10__ok_each_class_asks_for_its_own),
		cmocka_unit_test(PVS_H_10__bad_a_lower_wish_does_not_hide_a_higher_one),
		cmocka_unit_test(PVS_H_11__ok_less_is_given_to_whoever_asks),
		cmocka_unit_test(PVS_H_11__bad_throttled_a_guest_still_gets_less),
		cmocka_unit_test(PVS_H_12__ok_a_rested_account_boosts_again),
		cmocka_unit_test(PVS_H_12__bad_an_empty_account_ends_the_boost_whatever_is_said),
		cmocka_unit_test(PVS_H_48__ok_what_was_borrowed_is_paid_back),
		cmocka_unit_test(PVS_H_48__bad_running_on_does_not_pay),
		cmocka_unit_test(PVS_H_48__ok_an_owning_host_charges_in_its_queue),
		cmocka_unit_test(PVS_H_13__ok_a_window_lasts_its_run_time),
		cmocka_unit_test(PVS_H_13__bad_the_same_sequence_starts_no_second_window),
		cmocka_unit_test(PVS_H_13__bad_idle_ends_a_window),
		cmocka_unit_test(PVS_H_14__ok_a_hint_that_is_said_again_stays_fresh),
		cmocka_unit_test(PVS_H_14__bad_an_old_hint_boosts_no_more),
		cmocka_unit_test(PVS_H_15__ok_awake_the_running_urgency_counts),
		cmocka_unit_test(PVS_H_15__bad_idle_the_running_urgency_asks_for_nothing),
		cmocka_unit_test(PVS_H_16__ok_a_wake_up_for_something_urgent_is_boosted),
		cmocka_unit_test(
			PVS_H_16__ok_a_host_that_sees_no_wake_ups_arms_and_charges_run_time_only),
		cmocka_unit_test(PVS_H_16__bad_without_valid_bit_or_urgency_nothing_is_armed),
		cmocka_unit_test(PVS_H_17__ok_what_others_queued_counts),
		cmocka_unit_test(PVS_H_17__bad_others_cannot_make_it_less_than_it_is),
		cmocka_unit_test(PVS_H_18__ok_each_critical_bit_asks),
		cmocka_unit_test(PVS_H_18__bad_a_critical_section_is_not_longer_than_the_accounts),
		cmocka_unit_test(PVS_H_19__ok_interrupts_are_paid_from_their_own_account),
		cmocka_unit_test(PVS_H_19__bad_an_interrupt_without_end_empties_it),
		cmocka_unit_test(PVS_H_24__ok_below_the_cap_every_vcpu_is_boosted),
		cmocka_unit_test(PVS_H_24__bad_many_together_do_not_pass_the_cap),
		cmocka_unit_test(PVS_H_25__ok_a_rested_vcpu_gets_its_whole_grant_again),
		cmocka_unit_test(PVS_H_25__bad_saying_it_again_does_not_make_it_longer),
		cmocka_unit_test(PVS_H_26__ok_raises_far_enough_apart_are_all_made),
		cmocka_unit_test(PVS_H_26__bad_a_flipping_hint_raises_no_more_often),
		cmocka_unit_test(PVS_H_27__ok_back_in_the_guest_its_words_count_again),
		cmocka_unit_test(PVS_H_27__bad_outside_detached_or_foreign_no_word_boosts),
		cmocka_unit_test(PVS_H_30__ok_something_new_counts_after_a_yield),
		cmocka_unit_test(PVS_H_30__bad_what_was_said_before_a_yield_boosts_no_more),
		cmocka_unit_test(PVS_H_31__ok_accounts_and_counters_survive),
		cmocka_unit_test(PVS_H_31__bad_a_forged_state_is_no_gift),
		cmocka_unit_test(PVS_H_32__ok_measure_only_decides_and_counts_as_ever),
		cmocka_unit_test(PVS_H_32__bad_no_measured_decision_is_to_be_applied),
		cmocka_unit_test(PVS_H_33__ok_time_that_passes_refills),
		cmocka_unit_test(PVS_H_33__bad_a_clock_that_steps_or_jumps_gives_and_takes_nothing),
		cmocka_unit_test(PVS_H_40__ok_utilisation_is_handed_on),
		cmocka_unit_test(PVS_H_40__bad_without_the_valid_bit_it_is_no_statement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
