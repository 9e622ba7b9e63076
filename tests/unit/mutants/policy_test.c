/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits of the policy, each at the last value on either side: what a decision says, what the slot
 * says, and what the counters and a saved state say.
 */
#include "../core/world.h"

#include <string.h>

/* Sees wake-ups, so that urgency counts at once, but leaves the queue to the host. */
#define CAPS_SEES (PVS_CAP_SEES_WAKE | PVS_CAP_SEES_PREEMPT | PVS_CAP_SEES_INJECT | \
		   PVS_CAP_CAN_DEFER | PVS_CAP_CAN_KICK | PVS_CAP_SEES_WAIT)
#define WHOLE_CPU 65536u

static struct world w;

static int fresh(void **state)
{
	(void)state;
	world_init(&w, CAPS_SEES);
	w.io.facts.entitlement_q16 = WHOLE_CPU;
	return 0;
}

static struct pvs_saved saved(void)
{
	struct pvs_saved out;

	pvs_state_save(&w.v, &out);
	return out;
}

/* The vCPU comes from somewhere else: attached, with these accounts. */
static void move_in(const struct pvs_saved *in)
{
	assert_int_equal(pvs_state_restore(&w.v, &w.cfg, in), PVS_OK);
	step(&w, PVS_EV_ATTACH);
}

static struct pvs_saved nothing_used(void)
{
	struct pvs_saved out;

	memset(&out, 0, sizeof(out));
	out.version = PVS_SAVED_VERSION;
	return out;
}

static void be_urgent(void)
{
	say_urgency(&w, PVS_URGENCY_REALTIME);
}

static void be_normal(void)
{
	say_urgency(&w, PVS_URGENCY_NORMAL);
}

static unsigned deliver(pvs_u32 vector, pvs_u32 count)
{
	w.io.event.arg = vector | count << 16;
	step(&w, PVS_EV_INJECT);
	w.io.event.arg = 0;
	return w.io.decision.klass;
}

static void acknowledge(void)
{
	w.slot.irq = w.slot.irq_ticket << PVS_IRQ_ACK_SHIFT;
}

/* ---- the learned share ------------------------------------------------------------------- */

static void share__is_learned_from_exactly_64_ms(void **state)
{
	(void)state;
	be_normal();
	run_for(&w, 1);
	look(&w); /* from here on */
	run_for(&w, 32000000);
	wait_for(&w, 31999999);
	look(&w);
	assert_int_equal(saved().share_q16, 0);
	wait_for(&w, 1);
	look(&w);
	assert_int_equal(saved().share_q16, 32768);
	/* and anew */
	run_for(&w, 16000000);
	wait_for(&w, 47999999);
	look(&w);
	assert_int_equal(saved().share_q16, 32768);
	wait_for(&w, 1);
	look(&w);
	assert_int_equal(saved().share_q16, 16384);
}

static void share__is_learned_anew_on_another_cpu(void **state)
{
	(void)state;
	be_normal();
	run_for(&w, 1);
	look(&w);
	run_for(&w, 30000000);
	wait_for(&w, 30000000);
	look(&w);
	step(&w, PVS_EV_MIGRATE);
	run_for(&w, 32000000);
	wait_for(&w, 32000000);
	look(&w); /* says only that it learns from here on */
	assert_int_equal(saved().share_q16, 0);
	run_for(&w, 16000000);
	wait_for(&w, 48000000);
	look(&w);
	assert_int_equal(saved().share_q16, 16384);
}

static void share__below_1_256_is_not_restored(void **state)
{
	static const pvs_u32 cases[][2] = {
		{ 0, 0 }, { 1, 256 }, { 254, 256 }, { 255, 256 }, { 256, 256 }, { 257, 257 },
		{ 65535, 65535 }, { 65536, 65536 }, { 65537, 65536 },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pvs_saved in = nothing_used();

		in.share_q16 = cases[i][0];
		move_in(&in);
		assert_int_equal(saved().share_q16, cases[i][1]);
	}
}

/* ---- debts ----------------------------------------------------------------------------- */

/* A boost that takes no time begins and ends: what is owed is looked at. */
static unsigned after_a_boost(pvs_s64 owed_ns)
{
	struct pvs_saved in = nothing_used();

	in.normal_left_ns = -owed_ns;
	move_in(&in);
	be_urgent();
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	be_normal();
	return look(&w);
}

static void debt__is_paid_back_from_one_more_than_its_start(void **state)
{
	(void)state;
	assert_int_equal(after_a_boost(w.cfg.debt_start_ns), PVS_CLASS_BASELINE);
	assert_int_equal(after_a_boost(w.cfg.debt_start_ns + 1), PVS_CLASS_BELOW);
}

static void debt__is_paid_when_nothing_is_left_of_it(void **state)
{
	(void)state;
	assert_int_equal(after_a_boost(5000000), PVS_CLASS_BELOW);
	sleep_for(&w, 4999999);
	assert_int_equal(look(&w), PVS_CLASS_BELOW);
	sleep_for(&w, 1);
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
}

/* ---- accounts ------------------------------------------------------------------------------ */

static unsigned reason_with_used(pvs_u64 boost_used_ns, pvs_u32 latches)
{
	struct pvs_saved in = nothing_used();

	in.boost_used_ns = boost_used_ns;
	in.latches = latches;
	be_normal();
	move_in(&in);
	be_urgent();
	look(&w);
	return w.io.decision.reason;
}

static void account__closes_at_nothing_left_and_opens_where_it_says(void **state)
{
	pvs_u64 span = w.cfg.boost_span_ns, open = w.cfg.boost_open_ns;

	(void)state;
	w.io.facts.timer_granularity_ns = 0;
	assert_int_equal(reason_with_used(span - 1, 0), PVS_REASON_URGENT);
	assert_int_equal(reason_with_used(span, 0), PVS_REASON_BOOST_EMPTY);
	assert_int_equal(reason_with_used(open, 1), PVS_REASON_URGENT);
	assert_int_equal(reason_with_used(open + 1, 1), PVS_REASON_BOOST_EMPTY);
}

static unsigned reason_with_irq_used(pvs_u64 irq_used_ns, pvs_u32 latches)
{
	struct pvs_saved in = nothing_used();

	in.irq_used_ns = irq_used_ns;
	in.latches = latches;
	w.slot.irq = 0;
	be_normal();
	move_in(&in);
	w.slot.irq = PVS_IRQ_HARDIRQ;
	look(&w);
	return w.io.decision.reason;
}

static void account__the_same_of_interrupts(void **state)
{
	pvs_u64 span = w.cfg.irq_span_ns, open = w.cfg.irq_open_ns;

	(void)state;
	w.io.facts.timer_granularity_ns = 0;
	assert_int_equal(reason_with_irq_used(span - 1, 0), PVS_REASON_IRQ);
	assert_int_equal(reason_with_irq_used(span, 0), PVS_REASON_IRQ_EMPTY);
	assert_int_equal(reason_with_irq_used(open, 2), PVS_REASON_IRQ);
	assert_int_equal(reason_with_irq_used(open + 1, 2), PVS_REASON_IRQ_EMPTY);
}

static void account__what_a_task_did_not_empty_is_no_overrun_of_it(void **state)
{
	struct pvs_saved in = nothing_used();

	(void)state;
	in.irq_used_ns = w.cfg.irq_span_ns;
	be_urgent();
	move_in(&in); /* boosted from the first look on */
	assert_int_equal(w.io.decision.klass, PVS_CLASS_TASK);
	look(&w);
	assert_int_equal(saved().latches, 2);
	assert_int_equal(saved().overruns, 0);
}

/* The longest boost there is: asleep, for months, armed. */
static void sleep_armed(pvs_u64 ns)
{
	w.cfg.dt_max_ns = 4000000000u;
	say_idle(&w, PVS_URGENCY_REALTIME);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	while (ns > 4000000000u) {
		sleep_for(&w, 4000000000u);
		look(&w);
		ns -= 4000000000u;
	}
	sleep_for(&w, ns);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
}

static void account__a_boost_of_days_is_still_worth_its_share(void **state)
{
	struct pvs_saved in = nothing_used();

	(void)state;
	in.share_q16 = 65536;
	move_in(&in);
	sleep_armed((pvs_u64)1 << 48);
	run_for(&w, 1000);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_int_equal(saved().normal_left_ns, 0);
	be_normal();
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(w.v.normal_left_ns, w.cfg.credit_max_ns);
}

/* ---- raises ----------------------------------------------------------------------------- */

static void raise__a_malformed_word_is_forgiven_with_the_raise_after_it(void **state)
{
	(void)state;
	w.slot.crit = ~(pvs_u64)0;
	look(&w);
	w.slot.crit = 0;
	be_urgent();
	sleep_for(&w, w.cfg.malformed_min_ns - 1);
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_MALFORMED);
	sleep_for(&w, 1);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	be_normal();
	look(&w);
	be_urgent();
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_RATE);
}

static void raise__each_reason_is_counted_by_its_own_number(void **state)
{
	static const pvs_u32 seen[] = { PVS_REASON_URGENT, PVS_REASON_NONE, PVS_REASON_RATE,
					PVS_REASON_OUTSIDE, PVS_REASON_DETACHED,
					PVS_REASON_MALFORMED };
	pvs_u32 wanted[PVS_REASON_COUNT];
	unsigned i;

	(void)state;
	memcpy(wanted, w.v.reasons, sizeof(wanted));
	be_urgent();
	look(&w);
	be_normal();
	look(&w);
	be_urgent();
	look(&w);
	step(&w, PVS_EV_RUN_LEAVE);
	step(&w, PVS_EV_DETACH);
	w.slot.crit = ~(pvs_u64)0;
	step(&w, PVS_EV_ATTACH);
	for (i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		wanted[seen[i]]++;
	assert_memory_equal(w.v.reasons, wanted, sizeof(wanted));
}

/* ---- the cap ------------------------------------------------------------------------------- */

static void cap__a_nanosecond_in_hand_is_still_in_hand(void **state)
{
	pvs_u64 taken;

	(void)state;
	be_urgent();
	look(&w);
	taken = w.vm.cap_ns;
	run_for(&w, w.cfg.vm_quantum_ns - 1);
	assert_int_equal(look(&w), PVS_CLASS_TASK);
	assert_true(w.vm.cap_ns == taken);
	be_normal();
	look(&w);
	assert_true(w.vm.cap_ns == taken - (w.cfg.vm_cost_q10 >> 10)); /* and given back */
	be_urgent();
	sleep_for(&w, w.cfg.raise_min_ns);
	look(&w);
	taken = w.vm.cap_ns;
	run_for(&w, w.cfg.vm_quantum_ns);
	look(&w);
	assert_true(w.vm.cap_ns > taken);
}

static void cap__what_was_overrun_is_charged_once_when_nothing_is_left(void **state)
{
	pvs_u64 full;

	(void)state;
	be_urgent();
	look(&w);
	run_for(&w, w.cfg.vm_quantum_ns + 1000);
	full = w.io.facts.now_ns + w.cfg.vm_burst_wall_ns;
	w.vm.cap_ns = full;
	look(&w);
	assert_decided(&w, PVS_CLASS_BASELINE, PVS_REASON_VM_CAP);
	assert_true(w.vm.cap_ns == full + 1000ull * w.cfg.vm_cost_q10 / 1024);
}

/* ---- tickets and storms -------------------------------------------------------------------- */

static void ticket__is_closed_before_anything_has_run(void **state)
{
	(void)state;
	assert_int_equal(deliver(0x31, 0), PVS_CLASS_CRITICAL);
	acknowledge();
	assert_int_equal(look(&w), PVS_CLASS_BASELINE);
	assert_int_equal(deliver(0x31, 0), PVS_CLASS_BASELINE); /* too soon */
	sleep_for(&w, w.cfg.raise_min_ns);
	assert_int_equal(look(&w), PVS_CLASS_CRITICAL);
	w.io.event.arg = 0x30;
	step(&w, PVS_EV_EOI);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_CRITICAL);
	w.io.event.arg = 0x31;
	step(&w, PVS_EV_EOI);
	assert_int_equal(w.io.decision.klass, PVS_CLASS_BASELINE);
	assert_int_equal(w.v.tickets, 2);
}

static void ticket__numbers_go_from_65535_to_1(void **state)
{
	pvs_u32 i;

	(void)state;
	for (i = 1; i <= 65540; i++) {
		deliver(0x40, 0);
		assert_int_equal(w.slot.irq_ticket, i <= 65535 ? i : i - 65535);
	}
	assert_int_equal(w.v.tickets, 65540);
}

static int storms(void)
{
	return w.io.decision.throttle == PVS_THROTTLE_STORM;
}

static void storm__begins_with_one_delivery_too_many(void **state)
{
	(void)state;
	assert_int_equal(w.cfg.storm_count_max, 264); /* 20 000 a second in 10 ms, and 64 */
	deliver(0x31, 264);
	assert_false(storms());
	deliver(0x31, 1);
	assert_true(storms());
	assert_int_equal(w.v.storms, 1);
	deliver(0x31, 1);
	assert_int_equal(w.v.storms, 1);
	/* posted ones count as many */
	assert_int_equal(fresh(NULL), 0);
	while (w.v.inbox >> PVS_INBOX_INJECT_SHIFT < 264)
		pvs_post(&w.v, PVS_EV_INJECT);
	look(&w);
	assert_false(storms());
	pvs_post(&w.v, PVS_EV_INJECT);
	look(&w);
	assert_true(storms());
}

/* Windows of 10 ms with so many deliveries each; how many until the storm is over. */
static unsigned windows_of(pvs_u32 count)
{
	unsigned i;

	for (i = 0; i < 40; i++) {
		sleep_for(&w, 10 * MS);
		deliver(0x31, count);
		if (!storms())
			return i;
	}
	return i;
}

static void storm__ends_after_it_was_below_half_for_long_enough(void **state)
{
	(void)state;
	sleep_for(&w, 500 * MS); /* a calm before it does not count */
	deliver(0x31, 265);
	assert_true(storms());
	assert_int_equal(windows_of(132), 10); /* its own window is not one of the ten */
	assert_int_equal(fresh(NULL), 0);
	deliver(0x31, 265);
	assert_int_equal(windows_of(133), 40);
	assert_true(storms());
	assert_int_equal(windows_of(132), 10); /* the window before was not calm */
	assert_int_equal(w.v.storms, 1);
}

/* An open ticket for exactly this run time, then another delivery in the same window. */
static int storms_after(pvs_u64 ns)
{
	sleep_for(&w, 20 * MS);
	deliver(0x31, 0);
	assert_int_equal(w.io.decision.reason, PVS_REASON_TICKET);
	run_for(&w, ns);
	deliver(0x31, 0);
	return storms();
}

static void storm__is_judged_by_cost_too(void **state)
{
	pvs_u64 cost = w.cfg.storm_cost_ns;
	unsigned i;

	(void)state;
	assert_int_equal(cost, 996093); /* 102/1024 of 10 ms */
	w.cfg.ticket_max_ns = 50 * MS;
	w.cfg.irq_burst_ns = 10 * MS;
	configure(&w);
	for (i = 0; i < 3; i++) {
		assert_false(storms_after(cost)); /* each window begins with nothing */
		acknowledge();
		look(&w);
	}
	assert_true(storms_after(cost + 1));
	acknowledge();
	/* that it cost so much makes its own window no calm one, with two deliveries */
	assert_int_equal(windows_of(1), 10);
}

/* ---- preemption ------------------------------------------------------------------------------ */

static void defer__is_counted_with_its_reason(void **state)
{
	pvs_u32 wanted[PVS_REASON_COUNT];

	(void)state;
	w.slot.crit = PVS_CRIT_LOCK_HELD;
	look(&w);
	memcpy(wanted, w.v.reasons, sizeof(wanted));
	step(&w, PVS_EV_PREEMPT);
	assert_int_equal(w.io.decision.defer, PVS_REASON_DEFERRED);
	assert_int_equal(w.v.deferrals, 1);
	step(&w, PVS_EV_PREEMPT);
	assert_int_equal(w.io.decision.defer, PVS_REASON_DEFER_SPENT);
	assert_int_equal(w.v.deferrals, 1);
	step(&w, PVS_EV_PICK);
	step(&w, PVS_EV_PREEMPT);
	assert_int_equal(w.v.deferrals, 2);
	wanted[PVS_REASON_DEFERRED] += 2;
	wanted[PVS_REASON_DEFER_SPENT]++;
	w.slot.crit = 0;
	look(&w);
	step(&w, PVS_EV_PREEMPT); /* nothing asks for it: nothing is counted */
	wanted[PVS_REASON_NONE]++; /* for the class */
	assert_memory_equal(w.v.reasons, wanted, sizeof(wanted));
}

/* ---- beginnings ------------------------------------------------------------------------------ */

static void init__does_not_depend_on_what_was_there(void **state)
{
	struct pvs_vm vm, clean_vm;
	struct pvs_vcpu v, clean;

	(void)state;
	memset(&vm, 0xa5, sizeof(vm));
	memset(&clean_vm, 0, sizeof(clean_vm));
	pvs_vm_init(&vm, CAPS_SEES, 9, 4);
	pvs_vm_init(&clean_vm, CAPS_SEES, 9, 4);
	assert_memory_equal(&vm, &clean_vm, sizeof(vm));
	assert_true(vm.cap_ns == 0 && vm.terms.reserved == 0);
	assert_true(vm.status == PVS_STATUS_OFFERED && vm.status_reason == PVS_REFUSE_NONE);
	memset(&v, 0xa5, sizeof(v));
	memset(&clean, 0, sizeof(clean));
	pvs_vcpu_init(&v, &w.cfg);
	pvs_vcpu_init(&clean, &w.cfg);
	assert_memory_equal(&v, &clean, sizeof(v));
	assert_int_equal(v.klass, PVS_CLASS_BASELINE);
	assert_int_equal(v.reason, PVS_REASON_DETACHED);
	assert_int_equal(v.weight_q10, 1024);
	assert_int_equal(v.hint.util_ceil, 1024);
	assert_int_equal(v.ticket_vector, PVS_VECTOR_UNKNOWN);
	assert_int_equal(v.crit_mask, PVS_CRIT_ALL);
	assert_true(v.storm_end_ns == w.cfg.storm_window_ns);
	assert_true(v.hold_end_ns == w.cfg.level_hold_ns);
	assert_int_equal(v.run_epoch & 1, 1);
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(share__is_learned_from_exactly_64_ms),
		unit(share__is_learned_anew_on_another_cpu),
		unit(share__below_1_256_is_not_restored),
		unit(debt__is_paid_back_from_one_more_than_its_start),
		unit(debt__is_paid_when_nothing_is_left_of_it),
		unit(account__closes_at_nothing_left_and_opens_where_it_says),
		unit(account__the_same_of_interrupts),
		unit(account__what_a_task_did_not_empty_is_no_overrun_of_it),
		unit(account__a_boost_of_days_is_still_worth_its_share),
		unit(raise__a_malformed_word_is_forgiven_with_the_raise_after_it),
		unit(raise__each_reason_is_counted_by_its_own_number),
		unit(cap__a_nanosecond_in_hand_is_still_in_hand),
		unit(cap__what_was_overrun_is_charged_once_when_nothing_is_left),
		unit(ticket__is_closed_before_anything_has_run),
		unit(ticket__numbers_go_from_65535_to_1),
		unit(storm__begins_with_one_delivery_too_many),
		unit(storm__ends_after_it_was_below_half_for_long_enough),
		unit(storm__is_judged_by_cost_too),
		unit(defer__is_counted_with_its_reason),
		unit(init__does_not_depend_on_what_was_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
