/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binding, negotiation, life: the guest side of abi/spec/layout.md and negotiation.md.
 */
#include "region.h"

#include <stdlib.h>
#include <string.h>

static void assert_zeroed(const struct pvs_guest *g)
{
	assert_null((const void *)g->header);
	assert_null((const void *)g->slots);
	assert_true(g->features == 0);
	assert_true(g->slot_count == 0 && g->slot_stride == 0 && g->generation == 0);
	assert_true(g->status_reason == 0 && g->window_min_us == 0 && g->grant_max_us == 0 &&
		    g->hint_rate_hz == 0);
}

/* Whatever the host wrote, nothing is bound, and nothing was written in return. */
static void assert_bind_fails(struct region *r, int expected)
{
	struct pvs_region_header before = r->header;

	memset(&r->guest, 0xaa, sizeof(r->guest));
	assert_int_equal(region_bind(r, PVS_F_ALL & ~PVS_F_SPLIT_WORDS), expected);
	assert_zeroed(&r->guest);
	assert_int_equal(r->guest.kick_kind, PVS_KICK_NONE);
	assert_memory_equal(&before, &r->header, sizeof(before));
}

/* ---- PVS-G-02: checks before use ------------------------------------------------------------ */

static void PVS_G_02__ok_a_sound_header_is_taken_over(void **state)
{
	struct region *r = region_new(PVS_F_ALL);

	(void)state;
	assert_int_equal(region_bind(r, PVS_F_UTIL | PVS_F_WAKE), PVS_GUEST_KICK);
	assert_ptr_equal((void *)r->guest.header, &r->header);
	assert_ptr_equal((void *)r->guest.slots, r->slots);
	assert_int_equal(r->guest.slot_count, REGION_SLOTS);
	assert_int_equal(r->guest.slot_stride, PVS_SLOT_SIZE);
	assert_int_equal(r->guest.generation, REGION_GENERATION);
	assert_int_equal(r->guest.window_min_us, 50);
	assert_int_equal(r->guest.grant_max_us, 3000);
	assert_int_equal(r->guest.hint_rate_hz, 10000);
	region_free(r);
}

static void PVS_G_02__ok_limits_of_every_size_are_taken(void **state)
{
	static const struct {
		pvs_u32 header_size, slot_size, stride, count;
	} good[] = {
		{ 4096, 256, 256, 1 },	 { 4096, 256, 256, 16 },     { 8192, 256, 512, 8 },
		{ 0xffffffffu, 512, 512, 8 }, { 4096, 4096, 4096, 1 }, { 4096, 256, 4096, 1 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct region *r = region_new(0);

		r->header.header_size = good[i].header_size;
		r->header.slot_size = good[i].slot_size;
		r->header.slot_stride = good[i].stride;
		r->header.slot_count = good[i].count;
		assert_int_equal(region_bind(r, 0), PVS_GUEST_KICK);
		assert_int_equal(r->guest.slot_stride, good[i].stride);
		region_free(r);
	}
}

static void PVS_G_02__bad_magic_ends_the_binding(void **state)
{
	struct region *r = region_new(PVS_F_ALL);
	int bit;

	(void)state;
	for (bit = 0; bit < 64; bit++) {
		r->header.magic = PVS_REGION_MAGIC ^ ((pvs_u64)1 << bit);
		assert_bind_fails(r, PVS_GUEST_MAGIC);
	}
	region_free(r);
}

static void PVS_G_02__bad_major_ends_the_binding(void **state)
{
	struct region *r = region_new(PVS_F_ALL);

	(void)state;
	r->header.abi_major = PVS_ABI_MAJOR + 1;
	assert_bind_fails(r, PVS_GUEST_VERSION);
	r->header.abi_major = 0xffff;
	assert_bind_fails(r, PVS_GUEST_VERSION);
	region_free(r);
}

static void PVS_G_02__bad_sizes_end_the_binding(void **state)
{
	static const struct {
		pvs_u32 header_size, slot_size, stride, count;
	} bad[] = {
		/* header */
		{ 0, 256, 256, 4 },	     { 4095, 256, 256, 4 },
		/* slot: too small, or larger than the way to the next one */
		{ 4096, 0, 256, 4 },	     { 4096, 255, 256, 4 },
		{ 4096, 257, 256, 4 },	     { 4096, 0xffffffffu, 4096, 1 },
		/* stride: nothing, small, not a power of two, large */
		{ 4096, 256, 0, 4 },	     { 4096, 256, 255, 4 },
		{ 4096, 256, 257, 4 },	     { 4096, 256, 3 * 256, 4 },
		{ 4096, 256, 8192, 1 },	     { 4096, 256, 0x80000000u, 1 },
		{ 4096, 256, 4095, 1 },	     { 4096, 256, 128, 4 },
		/* count: none, more than the ABI has, more than is mapped */
		{ 4096, 256, 256, 0 },	     { 4096, 256, 256, 17 },
		{ 4096, 256, 512, 9 },	     { 4096, 256, 4096, 2 },
		{ 4096, 256, 256, 1025 },    { 4096, 256, 256, 0xffffffffu },
		/* count * stride = 2^32: zero for whoever multiplies in 32 bits */
		{ 4096, 256, 4096, 1u << 20 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct region *r = region_new(PVS_F_ALL);

		r->header.header_size = bad[i].header_size;
		r->header.slot_size = bad[i].slot_size;
		r->header.slot_stride = bad[i].stride;
		r->header.slot_count = bad[i].count;
		assert_bind_fails(r, PVS_GUEST_LAYOUT);
		region_free(r);
	}
}

static void PVS_G_02__bad_slot_count_that_lies_is_found_at_the_last_byte(void **state)
{
	struct region *r = region_new(0);

	(void)state;
	r->header.slot_count = 16;
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, r->slots, 16 * 256 - 1, 0),
			 PVS_GUEST_LAYOUT);
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, r->slots, 0, 0), PVS_GUEST_LAYOUT);
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, r->slots, 16 * 256, 0),
			 PVS_GUEST_KICK);
	region_free(r);
}

/* With memory for twice as much as the ABI has, only the limits themselves stand in the way. */
static void PVS_G_02__bad_limits_hold_where_memory_does_not_end(void **state)
{
	const pvs_u64 bytes = 2ull * PVS_SLOT_COUNT_MAX * PVS_SLOT_STRIDE_MAX;
	struct region *r = region_new(0);
	unsigned char *slots = aligned_alloc(2 * PVS_SLOT_STRIDE_MAX, bytes);

	(void)state;
	assert_non_null(slots);
	r->header.slot_count = PVS_SLOT_COUNT_MAX;
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, slots, bytes, 0), PVS_GUEST_KICK);
	r->header.slot_stride = PVS_SLOT_STRIDE_MAX;
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, slots, bytes, 0), PVS_GUEST_KICK);
	r->header.slot_stride = 2 * PVS_SLOT_STRIDE_MAX;
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, slots, bytes, 0), PVS_GUEST_LAYOUT);
	r->header.slot_stride = PVS_SLOT_STRIDE_MAX;
	r->header.slot_count = PVS_SLOT_COUNT_MAX + 1;
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, slots, bytes, 0), PVS_GUEST_LAYOUT);
	free(slots);
	region_free(r);
}

static void PVS_G_02__bad_generation_of_more_than_24_bits_ends_the_binding(void **state)
{
	struct region *r = region_new(PVS_F_ALL);

	(void)state;
	r->header.generation = PVS_GENERATION_MASK + 1;
	assert_bind_fails(r, PVS_GUEST_LAYOUT);
	r->header.generation = PVS_GENERATION_MASK;
	assert_int_equal(region_bind(r, 0), PVS_GUEST_KICK);
	region_free(r);
}

static void bind__rejects_what_the_port_got_wrong(void **state)
{
	struct region *r = region_new(0);
	unsigned int offset;

	(void)state;
	assert_int_equal(pvs_guest_bind(NULL, &r->header, r->slots, 4096, 0), PVS_GUEST_INVALID);
	assert_int_equal(pvs_guest_bind(&r->guest, NULL, r->slots, 4096, 0), PVS_GUEST_INVALID);
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, NULL, 4096, 0), PVS_GUEST_INVALID);
	for (offset = 1; offset < PVS_LINE_SIZE; offset *= 2) {
		void *odd = (unsigned char *)&r->header + offset;

		assert_int_equal(pvs_guest_bind(&r->guest, odd, r->slots, 4096, 0),
				 PVS_GUEST_INVALID);
	}
	for (offset = 1; offset < PVS_SLOT_SIZE; offset *= 2)
		assert_int_equal(pvs_guest_bind(&r->guest, &r->header, r->slots + offset, 2048, 0),
				 PVS_GUEST_INVALID);
	/* slots not on the stride the host uses: one would cross a page */
	r->header.slot_stride = 512;
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, r->slots + 256, 2048, 0),
			 PVS_GUEST_INVALID);
	assert_zeroed(&r->guest);
	region_free(r);
}

static void bind__takes_slots_from_anywhere(void **state)
{
	struct region *r = region_new(0);

	(void)state;
	r->header.slot_count = 1;
	assert_int_equal(pvs_guest_bind(&r->guest, &r->header, r->slots + 2048, 256, 0),
			 PVS_GUEST_KICK);
	r->header.status = PVS_STATUS_ACTIVE;
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 0, &r->vcpu), PVS_GUEST_OK);
	assert_ptr_equal((void *)r->vcpu.slot, region_slot(r, 8));
	region_free(r);
}

/* ---- PVS-G-03: the choice ------------------------------------------------------------------- */

static void PVS_G_03__ok_version_generation_and_features_are_written(void **state)
{
	struct region *r = region_new(PVS_F_UTIL | PVS_F_WAKE | PVS_F_CRIT);

	(void)state;
	r->header.guest_major = 0x5555;
	r->header.guest_reserved0 = 1;
	r->header.guest_reserved1[4] = 1;
	r->header.abi_minor = PVS_ABI_MINOR + 7;
	assert_int_equal(region_bind(r, PVS_F_UTIL | PVS_F_WAKE | PVS_F_WAIT), PVS_GUEST_KICK);
	assert_int_equal(r->header.guest_major, PVS_ABI_MAJOR);
	assert_int_equal(r->header.guest_minor, PVS_ABI_MINOR);
	assert_int_equal(r->header.guest_generation, REGION_GENERATION);
	assert_int_equal(r->header.features_accepted, PVS_F_UTIL | PVS_F_WAKE);
	assert_int_equal(r->header.guest_command, PVS_CMD_ACCEPT);
	assert_int_equal(r->header.guest_reserved0, 0);
	assert_int_equal(r->header.guest_reserved1[4], 0);
	region_free(r);
}

static void PVS_G_03__ok_an_older_host_is_met_at_its_minor(void **state)
{
	struct region *r = region_new(0);

	(void)state;
	r->header.abi_minor = 0;
	assert_int_equal(region_bind(r, 0), PVS_GUEST_KICK);
	assert_int_equal(r->header.guest_minor, 0);
	region_free(r);
}

static void PVS_G_03__ok_a_feature_brings_the_one_it_needs(void **state)
{
	struct region *r = region_new(PVS_F_ALL);

	(void)state;
	assert_int_equal(region_bind(r, PVS_F_GRANT | PVS_F_IRQ_TICKET | PVS_F_UTIL_BOUNDS),
			 PVS_GUEST_KICK);
	assert_int_equal(r->header.features_accepted,
			 PVS_F_GRANT | PVS_F_CRIT | PVS_F_IRQ_TICKET | PVS_F_IRQ |
				 PVS_F_UTIL_BOUNDS | PVS_F_UTIL);
	region_free(r);
}

static void PVS_G_03__bad_a_feature_without_its_need_is_not_accepted(void **state)
{
	struct region *r = region_new(PVS_F_GRANT | PVS_F_IRQ_TICKET | PVS_F_UTIL_BOUNDS);

	(void)state;
	assert_int_equal(region_bind(r, PVS_F_ALL & ~PVS_F_SPLIT_WORDS), PVS_GUEST_KICK);
	assert_int_equal(r->header.features_accepted, 0);
	region_free(r);
}

static void PVS_G_03__bad_unknown_offered_bits_are_left_alone(void **state)
{
	struct region *r = region_new(~(pvs_u64)0);

	(void)state;
	assert_int_equal(region_bind(r, ~(pvs_u64)0), PVS_GUEST_KICK);
	assert_int_equal(r->header.features_accepted, PVS_F_ALL);
	region_free(r);
}

static void PVS_G_03__bad_no_slot_speaks_before_the_host_is_active(void **state)
{
	static const pvs_u32 not_active[] = { PVS_STATUS_OFFERED, PVS_STATUS_REFUSED,
					      PVS_STATUS_DISABLED, 4, 0xffffffffu };
	struct region *r = region_new(PVS_F_ALL);
	unsigned int i;

	(void)state;
	assert_int_equal(region_bind(r, PVS_F_UTIL), PVS_GUEST_KICK);
	for (i = 0; i < sizeof(not_active) / sizeof(not_active[0]); i++) {
		r->header.status = not_active[i];
		memset(&r->vcpu, 0xaa, sizeof(r->vcpu));
		assert_int_equal(pvs_guest_vcpu_online(&r->guest, 0, &r->vcpu), PVS_GUEST_STATE);
		assert_null((void *)r->vcpu.slot);
		assert_int_equal(region_slot(r, 0)->life, 0);
	}
	region_free(r);
}

/* ---- PVS-G-18: what the host says is not trusted --------------------------------------------- */

static void PVS_G_18__ok_known_answers_are_understood(void **state)
{
	struct region *r = region_new(0);

	(void)state;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_STATE);
	assert_int_equal(region_bind(r, 0), PVS_GUEST_KICK);
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_NOT_READY);
	r->header.status = PVS_STATUS_ACTIVE;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_OK);
	r->header.status = PVS_STATUS_REFUSED;
	r->header.status_reason = PVS_REFUSE_MINOR;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_REFUSED);
	assert_int_equal(r->guest.status_reason, PVS_REFUSE_MINOR);
	region_free(r);
}

static void PVS_G_18__bad_unknown_status_is_not_ready(void **state)
{
	struct region *r = region_new(0);

	(void)state;
	assert_int_equal(region_bind(r, 0), PVS_GUEST_KICK);
	r->header.status = 4;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_NOT_READY);
	r->header.status = 0x80000001u;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_NOT_READY);
	region_free(r);
}

static void PVS_G_18__bad_sizes_changed_after_binding_are_not_seen(void **state)
{
	struct region *r = region_new(PVS_F_PENDING);

	(void)state;
	assert_int_equal(region_bind(r, PVS_F_PENDING), PVS_GUEST_KICK);
	r->header.status = PVS_STATUS_ACTIVE;
	r->header.slot_count = 0xffffffffu;
	r->header.slot_stride = 0x40000000u;
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, REGION_SLOTS, &r->vcpu),
			 PVS_GUEST_INVALID);
	assert_int_equal(pvs_guest_pend(&r->guest, REGION_SLOTS, 5, 0), PVS_GUEST_INVALID);
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 3, &r->vcpu), PVS_GUEST_OK);
	assert_ptr_equal((void *)r->vcpu.slot, region_slot(r, 3));
	region_free(r);
}

/* ---- PVS-G-20: the doorbell ------------------------------------------------------------------ */

static void PVS_G_20__ok_a_known_doorbell_is_taken(void **state)
{
	pvs_u32 kind;

	(void)state;
	for (kind = PVS_KICK_NONE; kind <= PVS_KICK_HYPERCALL; kind++) {
		struct region *r = region_new(PVS_F_KICK);

		r->header.kick_kind = kind;
		assert_int_equal(region_bind(r, 0), PVS_GUEST_KICK);
		assert_int_equal(r->guest.kick_kind, kind);
		assert_int_equal(r->guest.kick_addr, 0x5057);
		region_free(r);
	}
}

static void PVS_G_20__bad_unknown_or_unoffered_doorbell_is_not_rung(void **state)
{
	struct region *r = region_new(PVS_F_KICK);

	(void)state;
	r->header.kick_kind = PVS_KICK_HYPERCALL + 1;
	assert_int_equal(region_bind(r, PVS_F_KICK), PVS_GUEST_KICK);
	assert_int_equal(r->guest.kick_kind, PVS_KICK_NONE);
	assert_int_equal(r->guest.kick_addr, 0);
	r->header.kick_kind = PVS_KICK_PIO;
	r->header.features_offered = 0;
	assert_int_equal(region_bind(r, PVS_F_KICK), PVS_GUEST_KICK);
	assert_int_equal(r->guest.kick_kind, PVS_KICK_NONE);
	region_free(r);
}

/* ---- PVS-G-10: life -------------------------------------------------------------------------- */

static void PVS_G_10__ok_a_slot_comes_and_goes_with_its_vcpu(void **state)
{
	struct region *r = region_active(PVS_F_ALL & ~PVS_F_SPLIT_WORDS);
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_REALTIME };
	struct pvs_slot zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	assert_true(region_slot(r, 1)->life ==
		    (PVS_LIFE_ONLINE | ((pvs_u64)REGION_GENERATION << PVS_LIFE_GEN_SHIFT)));
	assert_int_equal(region_slot(r, 0)->life, 0);

	assert_int_equal(pvs_guest_publish(&r->vcpu, &in), PVS_GUEST_OK);
	pvs_guest_crit(&r->vcpu, PVS_CRIT_ALL, 0);
	assert_int_equal(pvs_guest_pend(&r->guest, 1, 5, 15), PVS_GUEST_OK);
	pvs_guest_wait(&r->vcpu, PVS_WAIT_ANY, 0, 0);
	pvs_guest_util_bounds(&r->vcpu, 1, 2);
	(void)pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	pvs_guest_vcpu_offline(&r->vcpu);
	assert_null((void *)r->vcpu.slot);
	assert_memory_equal(region_slot(r, 1), &zero, sizeof(zero));
	pvs_guest_vcpu_offline(&r->vcpu);
	region_free(r);
}

static void PVS_G_10__bad_nothing_is_said_for_a_vcpu_that_is_not_online(void **state)
{
	struct region *r = region_active(PVS_F_ALL & ~PVS_F_SPLIT_WORDS);
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_REALTIME };
	struct pvs_guest_counters c;
	unsigned char before[sizeof(r->slots)];

	(void)state;
	pvs_guest_vcpu_offline(&r->vcpu);
	region_slot(r, 1)->pending = 0x55;
	memcpy(before, r->slots, sizeof(before));
	assert_int_equal(pvs_guest_publish(&r->vcpu, &in), PVS_GUEST_STATE);
	assert_int_equal(pvs_guest_retract(&r->vcpu), PVS_GUEST_STATE);
	pvs_guest_crit(&r->vcpu, PVS_CRIT_ALL, 0);
	assert_int_equal(pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ), 0);
	pvs_guest_irq_leave(&r->vcpu, PVS_IRQ_HARDIRQ);
	pvs_guest_irq_ack(&r->vcpu);
	pvs_guest_wait(&r->vcpu, PVS_WAIT_ANY, 0, 0);
	pvs_guest_util_bounds(&r->vcpu, 1, 2);
	pvs_guest_pend_clear(&r->vcpu);
	assert_int_equal(pvs_guest_applied(&r->vcpu), 0);
	assert_int_equal(pvs_guest_counters(&r->vcpu, &c), PVS_GUEST_STATE);
	assert_memory_equal(before, r->slots, sizeof(before));
	region_free(r);
}

static void PVS_G_10__bad_a_slot_that_does_not_exist_is_not_opened(void **state)
{
	struct region *r = region_active(0);

	(void)state;
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, REGION_SLOTS, &r->vcpu),
			 PVS_GUEST_INVALID);
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 0xffffffffu, &r->vcpu),
			 PVS_GUEST_INVALID);
	assert_int_equal(pvs_guest_vcpu_online(NULL, 0, &r->vcpu), PVS_GUEST_INVALID);
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 0, NULL), PVS_GUEST_INVALID);
	assert_null((void *)r->vcpu.slot);
	region_free(r);
}

/* ---- PVS-G-21: generation ----------------------------------------------------------------- */

static void PVS_G_21__ok_the_generation_bound_to_is_echoed_everywhere(void **state)
{
	struct region *r = region_active(0);

	(void)state;
	assert_int_equal(r->header.guest_generation, REGION_GENERATION);
	assert_int_equal(region_slot(r, 1)->life >> PVS_LIFE_GEN_SHIFT, REGION_GENERATION);
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_OK);
	region_free(r);
}

static void PVS_G_21__bad_a_new_generation_or_a_withdrawn_host_ends_the_binding(void **state)
{
	struct region *r = region_active(0);

	(void)state;
	r->header.generation++;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_GENERATION);
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 0, &r->vcpu), PVS_GUEST_STATE);
	r->header.generation--;
	r->header.status = PVS_STATUS_DISABLED;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_GENERATION);
	/* bound anew it is not, until the host is back */
	assert_bind_fails(r, PVS_GUEST_NOT_READY);
	r->header.status = PVS_STATUS_OFFERED;
	r->header.generation++;
	assert_int_equal(region_bind(r, 0), PVS_GUEST_KICK);
	assert_int_equal(r->header.guest_generation, REGION_GENERATION + 1);
	region_free(r);
}

/* ---- PVS-G-22: reset, kexec ------------------------------------------------------------------ */

static void PVS_G_22__ok_unbind_silences_all_slots_and_says_reset(void **state)
{
	struct region *r = region_active(PVS_F_KICK);
	struct pvs_guest_vcpu other;
	unsigned int i;

	(void)state;
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 3, &other), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_unbind(&r->guest), PVS_GUEST_KICK);
	for (i = 0; i < REGION_SLOTS; i++)
		assert_int_equal(region_slot(r, i)->life, 0);
	assert_int_equal(r->header.guest_command, PVS_CMD_RESET);
	assert_zeroed(&r->guest);
	assert_int_equal(r->guest.kick_kind, PVS_KICK_PIO);
	assert_int_equal(r->guest.kick_addr, 0x5057);
	region_free(r);
}

static void PVS_G_22__ok_the_next_kernel_finds_a_silent_region(void **state)
{
	struct region *r = region_new(PVS_F_ALL);
	unsigned int i, word;

	(void)state;
	/* a kernel that died has left its words, whole generation and all */
	for (i = 0; i < REGION_SLOTS; i++) {
		struct pvs_slot *s = region_slot(r, i);

		s->intent = s->crit = s->irq = s->wait = s->util_bounds = s->pending = 0xff;
		s->life = PVS_LIFE_ONLINE | ((pvs_u64)REGION_GENERATION << PVS_LIFE_GEN_SHIFT);
	}
	assert_int_equal(region_bind(r, 0), PVS_GUEST_KICK);
	for (i = 0; i < REGION_SLOTS; i++)
		for (word = 0; word < PVS_SLOT_SIZE / 8; word++)
			assert_int_equal(((pvs_u64 *)(void *)region_slot(r, i))[word], 0);
	region_free(r);
}

static void PVS_G_22__bad_an_old_binding_is_reset_before_a_new_one(void **state)
{
	static const pvs_u32 taken[] = { PVS_STATUS_ACTIVE, PVS_STATUS_REFUSED };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct region *r = region_new(PVS_F_KICK | PVS_F_UTIL);

		r->header.status = taken[i];
		r->header.guest_command = PVS_CMD_ACCEPT;
		assert_int_equal(region_bind(r, PVS_F_UTIL), PVS_GUEST_NOT_READY);
		assert_zeroed(&r->guest);
		assert_int_equal(r->guest.kick_kind, PVS_KICK_PIO);
		assert_int_equal(r->header.guest_command, PVS_CMD_RESET);
		assert_int_equal(r->header.features_accepted, 0);
		r->header.status = PVS_STATUS_OFFERED;
		assert_int_equal(region_bind(r, PVS_F_UTIL), PVS_GUEST_KICK);
		assert_int_equal(r->header.guest_command, PVS_CMD_ACCEPT);
		region_free(r);
	}
}

static void PVS_G_18__bad_a_status_of_a_later_version_counts_as_offered(void **state)
{
	struct region *r = region_new(PVS_F_UTIL);

	(void)state;
	r->header.status = 9;
	assert_int_equal(region_bind(r, PVS_F_UTIL), PVS_GUEST_KICK);
	assert_int_equal(r->header.guest_command, PVS_CMD_ACCEPT);
	region_free(r);
}

static void PVS_G_22__bad_a_second_unbind_does_nothing(void **state)
{
	struct region *r = region_active(0);
	struct pvs_region_header before;

	(void)state;
	assert_int_equal(pvs_guest_unbind(&r->guest), PVS_GUEST_KICK);
	r->header.guest_command = PVS_CMD_NONE;
	before = r->header;
	assert_int_equal(pvs_guest_unbind(&r->guest), PVS_GUEST_STATE);
	assert_memory_equal(&before, &r->header, sizeof(before));
	region_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_G_02__ok_a_sound_header_is_taken_over),
		cmocka_unit_test(PVS_G_02__ok_limits_of_every_size_are_taken),
		cmocka_unit_test(PVS_G_02__bad_magic_ends_the_binding),
		cmocka_unit_test(PVS_G_02__bad_major_ends_the_binding),
		cmocka_unit_test(PVS_G_02__bad_sizes_end_the_binding),
		cmocka_unit_test(PVS_G_02__bad_slot_count_that_lies_is_found_at_the_last_byte),
		cmocka_unit_test(PVS_G_02__bad_limits_hold_where_memory_does_not_end),
		cmocka_unit_test(PVS_G_02__bad_generation_of_more_than_24_bits_ends_the_binding),
		cmocka_unit_test(bind__rejects_what_the_port_got_wrong),
		cmocka_unit_test(bind__takes_slots_from_anywhere),
		cmocka_unit_test(PVS_G_03__ok_version_generation_and_features_are_written),
		cmocka_unit_test(PVS_G_03__ok_an_older_host_is_met_at_its_minor),
		cmocka_unit_test(PVS_G_03__ok_a_feature_brings_the_one_it_needs),
		cmocka_unit_test(PVS_G_03__bad_a_feature_without_its_need_is_not_accepted),
		cmocka_unit_test(PVS_G_03__bad_unknown_offered_bits_are_left_alone),
		cmocka_unit_test(PVS_G_03__bad_no_slot_speaks_before_the_host_is_active),
		cmocka_unit_test(PVS_G_18__ok_known_answers_are_understood),
		cmocka_unit_test(PVS_G_18__bad_unknown_status_is_not_ready),
		cmocka_unit_test(PVS_G_18__bad_sizes_changed_after_binding_are_not_seen),
		cmocka_unit_test(PVS_G_20__ok_a_known_doorbell_is_taken),
		cmocka_unit_test(PVS_G_20__bad_unknown_or_unoffered_doorbell_is_not_rung),
		cmocka_unit_test(PVS_G_10__ok_a_slot_comes_and_goes_with_its_vcpu),
		cmocka_unit_test(PVS_G_10__bad_nothing_is_said_for_a_vcpu_that_is_not_online),
		cmocka_unit_test(PVS_G_10__bad_a_slot_that_does_not_exist_is_not_opened),
		cmocka_unit_test(PVS_G_21__ok_the_generation_bound_to_is_echoed_everywhere),
		cmocka_unit_test(
			PVS_G_21__bad_a_new_generation_or_a_withdrawn_host_ends_the_binding),
		cmocka_unit_test(PVS_G_22__ok_unbind_silences_all_slots_and_says_reset),
		cmocka_unit_test(PVS_G_22__ok_the_next_kernel_finds_a_silent_region),
		cmocka_unit_test(PVS_G_18__bad_a_status_of_a_later_version_counts_as_offered),
		cmocka_unit_test(PVS_G_22__bad_an_old_binding_is_reset_before_a_new_one),
		cmocka_unit_test(PVS_G_22__bad_a_second_unbind_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
