/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each field of a saved state goes out and comes back by itself, inside its own bounds.
 */
#include "../core/world.h"

#include <string.h>

static struct world w;

static int fresh(void **state)
{
	(void)state;
	world_init(&w, CAPS_USER);
	return 0;
}

/* A number for each field, all different and all inside their bounds. */
static struct pvs_saved distinct(void)
{
	struct pvs_saved saved;

	memset(&saved, 0, sizeof(saved));
	saved.version = PVS_SAVED_VERSION;
	saved.share_q16 = 20001;
	saved.boost_used_ns = 30002;
	saved.irq_used_ns = 40003;
	saved.normal_left_ns = -50004;
	saved.high_ns = 60005;
	saved.high_before_ns = 70006;
	saved.boosted_ns = 80007;
	saved.boosts = 9;
	saved.denials = 10;
	saved.overruns = 11;
	saved.malformed = 12;
	return saved;
}

static void saved__what_went_in_comes_out_again(void **state)
{
	unsigned latches;

	(void)state;
	for (latches = 0; latches < 8; latches++) {
		struct pvs_saved in = distinct();
		struct pvs_saved out;
		struct pvs_vcpu v;

		in.latches = latches;
		memset(&v, 0xa5, sizeof(v));
		memset(&out, 0xa5, sizeof(out));
		assert_int_equal(pvs_state_restore(&v, &w.cfg, &in), PVS_OK);
		pvs_state_save(&v, &out);
		assert_memory_equal(&out, &in, sizeof(in));
	}
}

/* One field of 64 bits at `value` comes back as `wanted`. */
static void assert_clamped(size_t offset, pvs_u64 value, pvs_u64 wanted)
{
	struct pvs_saved in = distinct();
	struct pvs_saved out;
	struct pvs_vcpu v;
	pvs_u64 got;

	memcpy((char *)&in + offset, &value, sizeof(value));
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &in), PVS_OK);
	pvs_state_save(&v, &out);
	memcpy(&got, (char *)&out + offset, sizeof(got));
	assert_true(got == wanted);
}

static void saved__each_account_has_its_own_bounds(void **state)
{
	const pvs_u64 debt = (pvs_u64)-(pvs_s64)w.cfg.debt_max_ns;
	const size_t normal = offsetof(struct pvs_saved, normal_left_ns);
	const struct {
		size_t offset;
		pvs_u64 max;
	} accounts[] = {
		{ offsetof(struct pvs_saved, boost_used_ns), 2 * w.cfg.boost_span_ns },
		{ offsetof(struct pvs_saved, irq_used_ns), 2 * w.cfg.irq_span_ns },
		{ offsetof(struct pvs_saved, high_ns), 2 * w.cfg.boost_span_ns },
		{ offsetof(struct pvs_saved, high_before_ns), 2 * w.cfg.boost_span_ns },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		assert_clamped(accounts[i].offset, accounts[i].max, accounts[i].max);
		assert_clamped(accounts[i].offset, accounts[i].max + 1, accounts[i].max);
		assert_clamped(accounts[i].offset, ~0ull, accounts[i].max);
		assert_clamped(accounts[i].offset, 0, 0);
	}
	assert_clamped(normal, debt, debt);
	assert_clamped(normal, debt - 1, debt);
	assert_clamped(normal, 0, 0);
	assert_clamped(normal, 1, 0);
}

static void saved__an_unknown_share_stays_unknown(void **state)
{
	struct pvs_saved in = distinct();
	struct pvs_vcpu v;

	(void)state;
	in.share_q16 = 0;
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &in), PVS_OK);
	assert_int_equal(v.share_q16, 0);
	in.share_q16 = 65537;
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &in), PVS_OK);
	assert_int_equal(v.share_q16, 65536);
}

static void saved__a_refused_state_leaves_a_fresh_vcpu(void **state)
{
	struct pvs_saved in = distinct();
	struct pvs_vcpu v, wanted;
	unsigned bit;

	(void)state;
	pvs_vcpu_init(&wanted, &w.cfg);
	for (bit = 0; bit < 32; bit++) {
		in = distinct();
		in.reserved = 1u << bit;
		memset(&v, 0xa5, sizeof(v));
		assert_int_equal(pvs_state_restore(&v, &w.cfg, &in), PVS_E_SAVED);
		assert_memory_equal(&v, &wanted, sizeof(v));
		in = distinct();
		in.latches = 1u << bit;
		assert_int_equal(pvs_state_restore(&v, &w.cfg, &in),
				 bit < 3 ? PVS_OK : PVS_E_SAVED);
	}
	in = distinct();
	in.version = PVS_SAVED_VERSION - 1;
	assert_int_equal(pvs_state_restore(&v, &w.cfg, &in), PVS_E_SAVED);
}

#define unit(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(saved__what_went_in_comes_out_again),
		unit(saved__each_account_has_its_own_bounds),
		unit(saved__an_unknown_share_stays_unknown),
		unit(saved__a_refused_state_leaves_a_fresh_vcpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
