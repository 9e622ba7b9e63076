/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shim compiled as on a guest of the other byte order: everything it reads is swapped, and
 * everything it writes, access by access. (Cross builds run the other tests on such a machine.)
 */
#include "region.h"

#define SWAP16(x) __builtin_bswap16((pvs_u16)(x))
#define SWAP32(x) __builtin_bswap32((pvs_u32)(x))
#define SWAP64(x) __builtin_bswap64((pvs_u64)(x))

static struct region *swapped_new(pvs_u64 features)
{
	struct region *r = region_new(SWAP64(features));

	r->header.magic = SWAP64(PVS_REGION_MAGIC);
	r->header.abi_major = SWAP16(PVS_ABI_MAJOR);
	r->header.abi_minor = SWAP16(PVS_ABI_MINOR);
	r->header.header_size = SWAP32(PVS_HEADER_SIZE);
	r->header.slot_size = SWAP32(PVS_SLOT_SIZE);
	r->header.slot_stride = SWAP32(PVS_SLOT_SIZE);
	r->header.slot_count = SWAP32(REGION_SLOTS);
	r->header.generation = SWAP32(REGION_GENERATION);
	assert_int_equal(region_bind(r, features), PVS_GUEST_KICK);
	r->header.status = SWAP32(PVS_STATUS_ACTIVE);
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 1, &r->vcpu), PVS_GUEST_OK);
	return r;
}

static void PVS_G_01__ok_a_guest_of_the_other_byte_order_swaps(void **state)
{
	struct region *r = swapped_new(PVS_F_UTIL | PVS_F_PENDING | PVS_F_CRIT);
	struct pvs_guest_intent in = { .util = 1, .util_valid = 1 };
	struct pvs_slot *s = region_slot(r, 1);

	(void)state;
	assert_int_equal(r->header.guest_major, SWAP16(PVS_ABI_MAJOR));
	assert_int_equal(r->header.guest_minor, SWAP16(PVS_ABI_MINOR));
	assert_int_equal(r->header.guest_generation, SWAP32(REGION_GENERATION));
	assert_true(r->header.features_accepted ==
		    SWAP64(PVS_F_UTIL | PVS_F_PENDING | PVS_F_CRIT));
	assert_int_equal(r->header.guest_command, SWAP32(PVS_CMD_ACCEPT));
	assert_int_equal(pvs_guest_publish(&r->vcpu, &in), PVS_GUEST_OK);
	assert_true(s->intent == SWAP64(1 | (pvs_u64)1 << 48 | (pvs_u64)1 << 52));
	assert_true(s->life ==
		    SWAP64(PVS_LIFE_ONLINE | (pvs_u64)REGION_GENERATION << PVS_LIFE_GEN_SHIFT));
	pvs_guest_crit(&r->vcpu, PVS_CRIT_LOCK_HELD, 0);
	assert_true(s->crit == SWAP64(PVS_CRIT_LOCK_HELD));
	region_free(r);
}

static void PVS_G_11__ok_the_low_half_comes_first_in_either_byte_order(void **state)
{
	struct region *r = swapped_new(PVS_F_SPLIT_WORDS | PVS_F_WINDOW | PVS_F_CRIT);
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_IDLE, .window_us = 2 };
	const pvs_guest_half *half = (const pvs_guest_half *)&region_slot(r, 1)->intent;

	(void)state;
	assert_int_equal(pvs_guest_publish(&r->vcpu, &in), PVS_GUEST_OK);
	assert_int_equal(half[0], SWAP32(1u << 28 | PVS_URGENCY_IDLE << 11));
	assert_int_equal(half[1], SWAP32(1u << 28 | 1u << 20 | 2));
	pvs_guest_crit(&r->vcpu, PVS_CRIT_LOCK_HELD, 0);
	half = (const pvs_guest_half *)&region_slot(r, 1)->crit;
	assert_int_equal(half[0], SWAP32(PVS_CRIT_LOCK_HELD));
	assert_int_equal(half[1], 0);
	region_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_G_01__ok_a_guest_of_the_other_byte_order_swaps),
		cmocka_unit_test(PVS_G_11__ok_the_low_half_comes_first_in_either_byte_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
