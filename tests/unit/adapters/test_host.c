/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine every advisory host shares: region, negotiation, checkpoints, counters.
 */
#include "fixture.h"

#include <string.h>

/* ---- the region ------------------------------------------------------------------------------ */

static void region_size__is_whole_pages(void **state)
{
	(void)state;
	assert_int_equal(pvs_host_region_size(1), 8192);
	assert_int_equal(pvs_host_region_size(16), 8192);
	assert_int_equal(pvs_host_region_size(17), 12288);
	assert_int_equal(pvs_host_region_size(PVS_SLOT_COUNT_MAX), 4096 + 1024 * 256);
}

static void init__rejects_arguments_it_cannot_work_with(void **state)
{
	struct pvs_adapter_ops ops = pvs_null_ops;
	struct pvs_host_args good;
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	good = f.args;
#define REJECTS(field, value)                                                          \
	do {                                                                           \
		f.args = good;                                                         \
		f.args.field = (value);                                                \
		assert_int_equal(pvs_host_init(&f.host, &f.args), PVS_E_INVALID);      \
	} while (0)
	assert_int_equal(pvs_host_init(NULL, &f.args), PVS_E_INVALID);
	assert_int_equal(pvs_host_init(&f.host, NULL), PVS_E_INVALID);
	REJECTS(ops, NULL);
	REJECTS(region, NULL);
	REJECTS(region, (unsigned char *)good.region + 64);
	REJECTS(vcpus, NULL);
	REJECTS(slot_count, 0);
	REJECTS(slot_count, PVS_SLOT_COUNT_MAX + 1u);
	ops.capture = NULL;
	REJECTS(ops, &ops);
	ops = pvs_null_ops;
	ops.apply = NULL;
	REJECTS(ops, &ops);
	ops = pvs_null_ops;
	ops.restore = NULL;
	REJECTS(ops, &ops);
	ops = pvs_null_ops;
	ops.now = NULL;
	REJECTS(ops, &ops);
#undef REJECTS
	fixture_free(&f);
}

static void init__takes_a_host_without_timer_and_kick(void **state)
{
	struct pvs_adapter_ops ops = pvs_null_ops;
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	ops.arm = NULL;
	ops.kick = NULL;
	f.args.ops = &ops;
	fixture_start(&f);
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_OK);
	assert_int_equal(pvs_host_kick(&f.host, 0), PVS_E_NO_SUPPORT);
	assert_int_equal(f.null.arms, 0);
	pvs_host_close(&f.host);
	fixture_free(&f);
}

static void init__rejects_a_config_out_of_range(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	f.config.boost_share_q10 = 1025;
	assert_int_equal(pvs_host_init(&f.host, &f.args), PVS_E_RANGE);
	f.args.config = NULL;
	assert_int_equal(pvs_host_init(&f.host, &f.args), PVS_OK);
	fixture_free(&f);
}

static void init__publishes_identity_offer_and_limits(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	f.null.timer_granularity_ns = 50001;
	fixture_start(&f);
	assert_true(f.header->magic == PVS_REGION_MAGIC);
	assert_int_equal(f.header->abi_major, PVS_ABI_MAJOR);
	assert_int_equal(f.header->abi_minor, PVS_ABI_MINOR);
	assert_int_equal(f.header->header_size, PVS_HEADER_SIZE);
	assert_int_equal(f.header->slot_size, PVS_SLOT_SIZE);
	assert_int_equal(f.header->slot_stride, PVS_SLOT_SIZE);
	assert_int_equal(f.header->slot_count, VCPUS);
	assert_int_equal(f.header->generation, GENERATION);
	assert_true(f.header->features_offered == pvs_features_for(CAPS_USER));
	assert_int_equal(f.header->status, PVS_STATUS_OFFERED);
	assert_int_equal(f.header->window_min_us, 51);
	assert_int_equal(f.header->grant_max_us, f.host.config.grant_max_ns / 1000);
	assert_int_equal(f.header->hint_rate_hz, 1000000000u / f.host.config.raise_min_ns);
	assert_int_equal(f.header->kick_kind, PVS_KICK_PIO);
	assert_int_equal(f.header->kick_addr, 0x510);
	/* Nothing of what the memory held before is left. */
	assert_int_equal(f.header->guest_command, PVS_CMD_NONE);
	assert_true(f.slots[VCPUS - 1].life == 0);
	fixture_free(&f);
}

static void init__names_no_doorbell_without_the_capability(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, PVS_CAP_SEES_WAIT);
	fixture_start(&f);
	assert_int_equal(f.header->kick_kind, PVS_KICK_NONE);
	assert_int_equal(f.header->kick_addr, 0);
	assert_false((f.header->features_offered & PVS_F_KICK) != 0);
	fixture_free(&f);
}

/* ---- attach and detach ----------------------------------------------------------------------- */

static void attach__captures_and_says_which_cpu_the_slot_is(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	fixture_start(&f);
	assert_int_equal(pvs_host_attach(&f.host, 1, &f.nulls[1], 33), PVS_OK);
	assert_int_equal(f.nulls[1].captures, 1);
	assert_true(f.slots[1].ident == (PVS_IDENT_PRESENT | (33ull << PVS_IDENT_ARCH_SHIFT)));
	assert_true(f.slots[0].ident == 0);
	pvs_host_detach(&f.host, 1);
	assert_true(f.slots[1].ident == 0);
	fixture_free(&f);
}

static void attach__refuses_a_bad_index_and_a_second_time(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	assert_int_equal(pvs_host_attach(&f.host, VCPUS, &f.nulls[0], 0), PVS_E_INVALID);
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_E_STATE);
	assert_int_equal(f.nulls[0].captures, 1);
	fixture_free(&f);
}

static void detach__restores_once_and_is_idempotent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	pvs_host_detach(&f.host, 0);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.nulls[0].restores, 1);
	pvs_host_detach(&f.host, 0);
	pvs_host_detach(&f.host, VCPUS);
	assert_int_equal(f.nulls[0].restores, 1);
	assert_int_equal(f.host.applied_count, 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_STATE);
	fixture_free(&f);
}

static void detach__does_not_refill_the_accounts(void **state)
{
	struct fixture f;
	pvs_u64 left_ns;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	runs(&f, 0, 1 * MS);
	pvs_host_detach(&f.host, 0);
	left_ns = pvs_boost_left(&f.vcpus[0].core, &f.host.config);
	assert_true(left_ns < f.host.config.boost_burst_ns);
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_OK);
	assert_true(pvs_boost_left(&f.vcpus[0].core, &f.host.config) == left_ns);
	fixture_free(&f);
}

static void close__restores_all_disarms_and_disables(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	boost_vcpu(&f, 1);
	pvs_host_close(&f.host);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.nulls[1].klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.header->status, PVS_STATUS_DISABLED);
	assert_true(f.null.armed_at_ns == PVS_NEVER);
	fixture_free(&f);
}

/* ---- negotiation ----------------------------------------------------------------------------- */

static void negotiation__is_seen_by_any_poll_and_kick(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	fixture_start(&f);
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_OK);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.header->status, PVS_STATUS_OFFERED);
	guest_accept(&f, PVS_F_KICK);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.header->status, PVS_STATUS_ACTIVE);
	guest_reset(&f);
	assert_int_equal(kick_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.header->status, PVS_STATUS_OFFERED);
	fixture_free(&f);
}

static void negotiation__publishes_why_it_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	fixture_start(&f);
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_OK);
	guest_accept(&f, PVS_F_GRANT);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.header->status, PVS_STATUS_REFUSED);
	assert_int_equal(f.header->status_reason, PVS_REFUSE_NOT_OFFERED);
	guest_accept(&f, 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.header->status, PVS_STATUS_ACTIVE);
	assert_int_equal(f.header->status_reason, PVS_REFUSE_NONE);
	fixture_free(&f);
}

static void guest_reset__puts_every_boosted_vcpu_to_baseline_at_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	boost_vcpu(&f, 1);
	guest_reset(&f);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.nulls[1].klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.host.applied_count, 0);
	fixture_free(&f);
}

static void host_reset__renegotiates_and_keeps_the_vm_cap(void **state)
{
	struct fixture f;
	pvs_u64 cap_ns;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	runs(&f, 0, 100 * US);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	cap_ns = f.host.vm.cap_ns;
	assert_true(cap_ns != 0);
	pvs_host_reset(&f.host, GENERATION + 1);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.header->generation, GENERATION + 1);
	assert_int_equal(f.header->status, PVS_STATUS_OFFERED);
	assert_true(f.host.vm.cap_ns != 0);
	/* The old choice names the old generation. */
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.header->status, PVS_STATUS_REFUSED);
	assert_int_equal(f.header->status_reason, PVS_REFUSE_GENERATION);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	guest_accept(&f, f.header->features_offered & ~PVS_F_SPLIT_WORDS);
	guest_online(&f, 0);
	boost_vcpu(&f, 0);
	fixture_free(&f);
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static void event__rejects_what_has_a_function_of_its_own(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	assert_int_equal(pvs_host_event(&f.host, 0, PVS_EV_ATTACH, 0), PVS_E_INVALID);
	assert_int_equal(pvs_host_event(&f.host, 0, PVS_EV_DETACH, 0), PVS_E_INVALID);
	assert_int_equal(pvs_host_event(&f.host, 0, PVS_EV_FOREIGN, 0), PVS_E_INVALID);
	assert_int_equal(pvs_host_event(&f.host, 0, PVS_EV_COUNT, 0), PVS_E_INVALID);
	assert_int_equal(pvs_host_event(&f.host, VCPUS, PVS_EV_POLL, 0), PVS_E_INVALID);
	pvs_host_detach(&f.host, 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_STATE);
	fixture_free(&f);
}

static void boost__is_applied_once_while_nothing_changes(void **state)
{
	struct fixture f;
	pvs_u64 applies;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	applies = f.nulls[0].applies;
	runs(&f, 0, 100 * US);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_TASK);
	assert_int_equal(f.nulls[0].applies, applies);
	fixture_free(&f);
}

static void boost__ends_with_the_hint(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	assert_int_equal(f.host.applied_count, 1);
	sleeps(&f, 10 * MS);
	guest_says(&f, 0, PVS_URGENCY_NORMAL);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_BASELINE);
	assert_int_equal(f.host.applied_count, 0);
	fixture_free(&f);
}

static void measure_only__touches_nothing_and_counts(void **state)
{
	struct fixture f;

	(void)state;
	fixture_prepare(&f, CAPS_USER);
	f.config.flags = PVS_CONFIG_MEASURE_ONLY;
	fixture_start(&f);
	guest_accept(&f, PVS_F_COUNTERS);
	guest_online(&f, 0);
	assert_int_equal(pvs_host_attach(&f.host, 0, &f.nulls[0], 0), PVS_OK);
	guest_says(&f, 0, PVS_URGENCY_REALTIME);
	assert_int_equal(kick_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.vcpus[0].decision.klass, PVS_CLASS_TASK);
	assert_int_equal(f.header->vm_boosts, 1);
	f.nulls[0].fail_now = PVS_E_HOST;
	assert_int_equal(poll_vcpu(&f, 0), PVS_E_HOST);
	f.nulls[0].fail_now = PVS_OK;
	pvs_host_close(&f.host);
	assert_int_equal(f.nulls[0].applies, 0);
	assert_int_equal(f.nulls[0].restores, 0);
	fixture_free(&f);
}

static void performance__is_applied_when_it_changes_on_a_host_that_can(void **state)
{
	pvs_u64 half = PVS_PUT(512, PVS_INTENT_UTIL_SHIFT, PVS_INTENT_UTIL_BITS) |
		       (1ull << PVS_INTENT_UTIL_VALID_SHIFT);
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER | PVS_CAP_SETS_PERF);
	sleeps(&f, 20 * MS);
	guest_says_word(&f, 0, half);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].applies, 1);
	assert_int_equal(pvs_null_last(&f.nulls[0])->perf_q10, 512);
	assert_int_equal(f.host.applied_count, 1);
	sleeps(&f, 20 * MS);
	guest_says_word(&f, 0, half);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].applies, 1);
	sleeps(&f, 20 * MS);
	guest_says_word(&f, 0, 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].applies, 2);
	assert_int_equal(pvs_null_last(&f.nulls[0])->perf_q10, 0);
	assert_int_equal(f.host.applied_count, 0);
	fixture_free(&f);
}

static void post__is_seen_at_the_next_poll_though_no_word_changed(void **state)
{
	struct fixture f;
	pvs_u64 steps;

	(void)state;
	fixture_init(&f, CAPS_USER);
	steps = f.host.counters.steps;
	pvs_host_post(&f.host, 0, PVS_EV_INJECT);
	pvs_host_post(&f.host, VCPUS, PVS_EV_INJECT);
	pvs_host_post(&f.host, 0, PVS_EV_DETACH);
	assert_int_equal(f.host.counters.posts, 1);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.host.counters.steps, steps + 1);
	fixture_free(&f);
}

static void kick__reaches_the_machine(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	assert_int_equal(pvs_host_kick(&f.host, 1), PVS_OK);
	assert_int_equal(f.nulls[1].kicks, 1);
	f.nulls[1].fail_kick = PVS_E_GONE;
	assert_int_equal(pvs_host_kick(&f.host, 1), PVS_E_GONE);
	assert_int_equal(pvs_host_kick(&f.host, VCPUS), PVS_E_INVALID);
	pvs_host_detach(&f.host, 1);
	assert_int_equal(pvs_host_kick(&f.host, 1), PVS_E_STATE);
	fixture_free(&f);
}

/* ---- quiet polls ----------------------------------------------------------------------------- */

static void quiet_poll__samples_no_clock_and_takes_no_step(void **state)
{
	struct fixture f;
	pvs_u64 samples, steps, quiet;

	(void)state;
	fixture_init(&f, CAPS_USER);
	samples = f.nulls[0].samples;
	steps = f.host.counters.steps;
	quiet = f.host.counters.quiet;
	sleeps(&f, 5 * MS);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].samples, samples);
	assert_int_equal(f.host.counters.steps, steps);
	assert_int_equal(f.host.counters.quiet, quiet + 1);
	fixture_free(&f);
}

static void quiet_poll__ends_with_any_word(void **state)
{
	struct fixture f;
	pvs_u64 *words[7];
	pvs_u64 steps;
	int i;

	(void)state;
	fixture_init(&f, CAPS_USER);
	words[0] = &f.slots[0].intent;
	words[1] = &f.slots[0].crit;
	words[2] = &f.slots[0].irq;
	words[3] = &f.slots[0].wait;
	words[4] = &f.slots[0].util_bounds;
	words[5] = &f.slots[0].pending;
	words[6] = &f.slots[0].life;
	for (i = 0; i < 7; i++) {
		steps = f.host.counters.steps;
		*words[i] ^= 1ull << 63;
		assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
		assert_int_equal(f.host.counters.steps, steps + 1);
	}
	fixture_free(&f);
}

static void quiet_poll__does_not_count_a_malformed_word_again(void **state)
{
	struct fixture f;
	pvs_u64 malformed;

	(void)state;
	fixture_init(&f, CAPS_USER);
	f.slots[0].util_bounds = ~0ull;
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	malformed = f.host.totals.malformed;
	assert_true(malformed > 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.host.totals.malformed, malformed);
	fixture_free(&f);
}

static void quiet_poll__is_not_for_events_boosts_or_nested_guests(void **state)
{
	struct fixture f;
	pvs_u64 quiet;

	(void)state;
	fixture_init(&f, CAPS_USER);
	quiet = f.host.counters.quiet;
	assert_int_equal(kick_vcpu(&f, 0), PVS_OK);
	boost_vcpu(&f, 0);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.host.counters.quiet, quiet);
	/* What was not looked at while nested is looked at afterwards, changed or not. */
	f.nulls[1].nested = 1;
	assert_int_equal(kick_vcpu(&f, 1), PVS_OK);
	assert_int_equal(poll_vcpu(&f, 1), PVS_OK);
	assert_int_equal(f.host.counters.quiet, quiet);
	fixture_free(&f);
}

static void quiet_poll__ends_when_the_terms_change(void **state)
{
	struct fixture f;
	pvs_u64 steps;

	(void)state;
	fixture_init(&f, CAPS_USER);
	guest_accept(&f, PVS_F_KICK);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	steps = f.host.counters.steps;
	assert_int_equal(poll_vcpu(&f, 1), PVS_OK);
	assert_true(f.host.counters.steps > steps);
	steps = f.host.counters.steps;
	assert_int_equal(poll_vcpu(&f, 1), PVS_OK);
	assert_int_equal(f.host.counters.steps, steps);
	fixture_free(&f);
}

static void run_time_before_a_boost__is_not_charged_to_it(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	/* Busy at baseline for half a second, and every poll of it is quiet. */
	runs(&f, 0, 500 * MS);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	guest_says(&f, 0, PVS_URGENCY_REALTIME);
	assert_int_equal(kick_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.nulls[0].klass, PVS_CLASS_TASK);
	runs(&f, 0, 300 * US);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.vcpus[0].core.boosted_ns, 300 * US);
	fixture_free(&f);
}

/* ---- counters -------------------------------------------------------------------------------- */

static void counters__are_summed_over_vcpus_in_the_header(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	boost_vcpu(&f, 0);
	boost_vcpu(&f, 1);
	runs(&f, 0, 200 * US);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	runs(&f, 1, 300 * US);
	assert_int_equal(poll_vcpu(&f, 1), PVS_OK);
	assert_int_equal(f.header->vm_boosts, 2);
	assert_int_equal(f.header->vm_boosted_ns, 500 * US);
	assert_true(f.header->vm_boosted_ns ==
		    f.slots[0].boosted_ns + f.slots[1].boosted_ns);
	assert_int_equal(f.header->vm_count_seq % 2, 0);
	assert_true(f.header->vm_count_seq > 0);
	fixture_free(&f);
}

static void counters__stay_unwritten_until_they_are_accepted(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	guest_accept(&f, f.header->features_offered & ~(PVS_F_SPLIT_WORDS | PVS_F_COUNTERS));
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	memset(&f.header->vm_count_seq, 0, PVS_LINE_SIZE);
	boost_vcpu(&f, 0);
	assert_int_equal(f.header->vm_count_seq, 0);
	assert_int_equal(f.header->vm_boosts, 0);
	guest_accept(&f, f.header->features_offered & ~PVS_F_SPLIT_WORDS);
	assert_int_equal(poll_vcpu(&f, 0), PVS_OK);
	assert_int_equal(f.header->vm_boosts, 1);
	fixture_free(&f);
}

static void counters__go_on_when_the_cores_wrap(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, CAPS_USER);
	f.vcpus[0].core.boosts = 0xffffffffu;
	f.vcpus[0].counted.boosts = 0xffffffffu;
	f.host.totals.boosts = 0xffffffffu;
	boost_vcpu(&f, 0);
	assert_int_equal(f.vcpus[0].core.boosts, 0);
	assert_true(f.host.totals.boosts == 0x100000000ull);
	fixture_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(region_size__is_whole_pages),
		cmocka_unit_test(init__rejects_arguments_it_cannot_work_with),
		cmocka_unit_test(init__takes_a_host_without_timer_and_kick),
		cmocka_unit_test(init__rejects_a_config_out_of_range),
		cmocka_unit_test(init__publishes_identity_offer_and_limits),
		cmocka_unit_test(init__names_no_doorbell_without_the_capability),
		cmocka_unit_test(attach__captures_and_says_which_cpu_the_slot_is),
		cmocka_unit_test(attach__refuses_a_bad_index_and_a_second_time),
		cmocka_unit_test(detach__restores_once_and_is_idempotent),
		cmocka_unit_test(detach__does_not_refill_the_accounts),
		cmocka_unit_test(close__restores_all_disarms_and_disables),
		cmocka_unit_test(negotiation__is_seen_by_any_poll_and_kick),
		cmocka_unit_test(negotiation__publishes_why_it_refused),
		cmocka_unit_test(guest_reset__puts_every_boosted_vcpu_to_baseline_at_once),
		cmocka_unit_test(host_reset__renegotiates_and_keeps_the_vm_cap),
		cmocka_unit_test(event__rejects_what_has_a_function_of_its_own),
		cmocka_unit_test(boost__is_applied_once_while_nothing_changes),
		cmocka_unit_test(boost__ends_with_the_hint),
		cmocka_unit_test(measure_only__touches_nothing_and_counts),
		cmocka_unit_test(performance__is_applied_when_it_changes_on_a_host_that_can),
		cmocka_unit_test(post__is_seen_at_the_next_poll_though_no_word_changed),
		cmocka_unit_test(kick__reaches_the_machine),
		cmocka_unit_test(quiet_poll__samples_no_clock_and_takes_no_step),
		cmocka_unit_test(quiet_poll__ends_with_any_word),
		cmocka_unit_test(quiet_poll__does_not_count_a_malformed_word_again),
		cmocka_unit_test(quiet_poll__is_not_for_events_boosts_or_nested_guests),
		cmocka_unit_test(quiet_poll__ends_when_the_terms_change),
		cmocka_unit_test(run_time_before_a_boost__is_not_charged_to_it),
		cmocka_unit_test(counters__are_summed_over_vcpus_in_the_header),
		cmocka_unit_test(counters__stay_unwritten_until_they_are_accepted),
		cmocka_unit_test(counters__go_on_when_the_cores_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
