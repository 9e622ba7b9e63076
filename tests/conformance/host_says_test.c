/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host says back: abi/spec/host-rules.md, by the engine, and by the adapters' common part
 * with the null adapter where the header page or the life of a host is meant.
 */
#include "../unit/core/world.h"

#include <stdlib.h>
#include <string.h>

#include <pvs/guest.h>
#include <pvs/null.h>

#define BIT(n) ((pvs_u64)1 << (n))
#define URGENT ((pvs_u64)PVS_URGENCY_REALTIME << PVS_INTENT_CLASS_SHIFT)
#define SLOTS 3u
#define GENERATION 7u
#define REGION_BYTES 8192u

/* Bits of `applied` this version defines. */
#define APPLIED_DEFINED 0x0f01ff07ull

/* ---- the engine ----------------------------------------------------------------------------- */

static pvs_u64 applied(const struct world *w)
{
	return PVS_LE64(w->slot.applied);
}

static void PVS_H_21__ok_class_and_reason_are_said(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	assert_int_equal(PVS_GET(applied(&w), PVS_APPLIED_CLASS_SHIFT, 3), PVS_CLASS_BASELINE);
	say(&w, URGENT);
	ring(&w);
	assert_int_equal(PVS_GET(applied(&w), PVS_APPLIED_CLASS_SHIFT, 3), PVS_CLASS_TASK);
	assert_int_equal(PVS_GET(applied(&w), PVS_APPLIED_THROTTLE_SHIFT, 8), 0);
	say(&w, 0);
	look(&w);
	say(&w, URGENT);
	ring(&w);
	assert_int_equal(PVS_GET(applied(&w), PVS_APPLIED_CLASS_SHIFT, 3), PVS_CLASS_BASELINE);
	assert_int_equal(PVS_GET(applied(&w), PVS_APPLIED_THROTTLE_SHIFT, 8), PVS_THROTTLE_RATE);
}

static void PVS_H_21__bad_whatever_the_guest_writes_no_undefined_bit_is_said(void **state)
{
	struct world w;
	unsigned int bit;

	(void)state;
	world_init(&w, CAPS_OWNER);
	for (bit = 0; bit < 64; bit++) {
		w.slot.intent = BIT(bit);
		w.slot.crit = BIT(63 - bit);
		w.slot.irq = BIT(bit) | 1;
		w.slot.pending = BIT(bit & 7);
		run_for(&w, 1 * MS);
		look(&w);
		assert_true((applied(&w) & ~APPLIED_DEFINED) == 0);
		assert_in_range(PVS_GET(applied(&w), 0, 3), PVS_CLASS_BELOW, PVS_CLASS_CRITICAL);
	}
}

static void PVS_H_22__ok_window_and_account_are_said_in_us(void **state)
{
	struct world w;
	pvs_u64 left;

	(void)state;
	world_init(&w, CAPS_OWNER);
	say(&w, 1000ull << PVS_INTENT_WINDOW_SHIFT);
	look(&w);
	run_for(&w, 400 * US);
	look(&w);
	left = PVS_LE64(w.slot.window_left);
	assert_int_equal(PVS_GET(left, PVS_LEFT_WINDOW_SHIFT, PVS_LEFT_BITS), 600);
	assert_int_equal(PVS_GET(left, PVS_LEFT_BOOST_SHIFT, PVS_LEFT_BITS),
			 boost_left(&w) / 1000);
	assert_true(boost_left(&w) > 0);
}

static void PVS_H_22__bad_an_overdrawn_account_is_said_as_empty(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_OWNER);
	set_boost_left(&w, -5 * (pvs_s64)MS);
	look(&w);
	assert_true(PVS_LE64(w.slot.window_left) == 0);
}

static void PVS_H_23__ok_counters_are_kept_under_an_even_sequence(void **state)
{
	struct world w;
	pvs_u64 seq;

	(void)state;
	world_init(&w, CAPS_OWNER);
	seq = PVS_LE64(w.slot.count_seq);
	say(&w, URGENT);
	ring(&w);
	run_for(&w, 300 * US);
	w.slot.intent |= PVS_LE64(BIT(PVS_INTENT_RSVD_SHIFT));
	look(&w);
	assert_true(PVS_LE64(w.slot.count_seq) == seq + 4);
	assert_true((seq & 1) == 0);
	assert_true(PVS_LE64(w.slot.boosts) == 1);
	assert_true(PVS_LE64(w.slot.malformed) == 1);
	assert_true(PVS_LE64(w.slot.boosted_ns) == 300 * US);
}

static void PVS_H_23__bad_without_the_feature_they_are_left_alone(void **state)
{
	struct world w;
	struct pvs_slot before;

	(void)state;
	world_init(&w, CAPS_OWNER);
	w.vm.terms.features &= ~PVS_F_COUNTERS;
	before = w.slot;
	say(&w, URGENT);
	ring(&w);
	assert_memory_equal(&before.ident, &w.slot.ident, PVS_LINE_SIZE);
}

static void PVS_H_29__ok_a_bell_is_asked_for_when_it_is_of_use(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	look(&w);
	assert_true(applied(&w) & PVS_APPLIED_KICK_RAISE);
	assert_false(applied(&w) & PVS_APPLIED_KICK_DEBOOST);
	say(&w, URGENT);
	assert_int_equal(ring(&w), PVS_CLASS_TASK);
	assert_true(applied(&w) & PVS_APPLIED_KICK_DEBOOST);
	assert_false(applied(&w) & PVS_APPLIED_KICK_RAISE);
}

static void PVS_H_29__bad_no_bell_without_the_feature_or_while_throttled(void **state)
{
	const pvs_u64 bells = PVS_APPLIED_KICK_RAISE | PVS_APPLIED_KICK_DEBOOST;
	struct world w;

	(void)state;
	world_init(&w, CAPS_USER);
	refuse(&w, PVS_F_KICK);
	look(&w);
	assert_false(applied(&w) & bells);
	say(&w, URGENT);
	ring(&w);
	assert_false(applied(&w) & bells);

	world_init(&w, CAPS_USER);
	set_boost_left(&w, -1000);
	say(&w, URGENT);
	ring(&w);
	assert_int_equal(PVS_GET(applied(&w), PVS_APPLIED_THROTTLE_SHIFT, 8),
			 PVS_THROTTLE_BOOST_EMPTY);
	assert_false(applied(&w) & bells);
}

/* ---- a whole host --------------------------------------------------------------------------- */

struct house {
	unsigned char region[REGION_BYTES] __attribute__((aligned(4096)));
	struct pvs_host host;
	struct pvs_host_vcpu vcpus[SLOTS];
	struct pvs_null null;
	struct pvs_null_vcpu threads[SLOTS];
	struct pvs_guest guest;
	struct pvs_guest_vcpu guest_vcpu; /* of slot 1 */
};

static struct pvs_region_header *header(struct house *h)
{
	return (struct pvs_region_header *)(void *)h->region;
}

static struct pvs_slot *slot(struct house *h, unsigned int index)
{
	return (struct pvs_slot *)(void *)(h->region + PVS_HEADER_SIZE +
					   (size_t)index * PVS_SLOT_SIZE);
}

static struct house *house_new(void)
{
	struct house *h = aligned_alloc(4096, (sizeof(*h) + 4095) & ~(size_t)4095);
	struct pvs_host_args args = { .ops = &pvs_null_ops, .slot_count = SLOTS,
				      .caps = CAPS_USER, .generation = GENERATION,
				      .kick_kind = PVS_KICK_PIO, .kick_addr = 0x5057 };
	unsigned int i;

	assert_non_null(h);
	memset(h, 0xee, sizeof(*h));
	memset(&h->null, 0, sizeof(h->null));
	memset(h->threads, 0, sizeof(h->threads));
	memset(&h->guest, 0, sizeof(h->guest));
	h->null.now_ns = 1000 * MS;
	args.ctx = &h->null;
	args.region = h->region;
	args.vcpus = h->vcpus;
	assert_true(pvs_host_region_size(SLOTS) == REGION_BYTES);
	assert_int_equal(pvs_host_init(&h->host, &args), PVS_OK);
	for (i = 0; i < SLOTS; i++) {
		h->threads[i].null = &h->null;
		h->threads[i].entitlement_q16 = THIRD_Q16;
		assert_int_equal(pvs_host_attach(&h->host, i, &h->threads[i], 0x100 + i), PVS_OK);
	}
	return h;
}

static int bind_guest(struct house *h)
{
	int rc = pvs_guest_bind(&h->guest, header(h), h->region + PVS_HEADER_SIZE,
				REGION_BYTES - PVS_HEADER_SIZE, PVS_F_ALL & ~PVS_F_SPLIT_WORDS);

	(void)pvs_host_event(&h->host, 1, PVS_EV_KICK, 1);
	return rc;
}

/* A guest is bound, vCPU 1 online and boosted. */
static struct house *house_boosted(void)
{
	struct house *h = house_new();
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_REALTIME };

	assert_int_equal(bind_guest(h), PVS_GUEST_KICK);
	assert_int_equal(pvs_guest_ready(&h->guest), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_vcpu_online(&h->guest, 1, &h->guest_vcpu), PVS_GUEST_OK);
	(void)pvs_host_event(&h->host, 1, PVS_EV_POLL, 0);
	assert_int_equal(pvs_guest_publish(&h->guest_vcpu, &in), PVS_GUEST_KICK);
	h->null.now_ns += 1 * MS;
	assert_int_equal(pvs_host_event(&h->host, 1, PVS_EV_KICK, 1), PVS_OK);
	assert_int_equal(h->threads[1].klass, PVS_CLASS_TASK);
	return h;
}

static void PVS_H_06__ok_a_guest_finds_the_layout_sound(void **state)
{
	struct house *h = house_new();
	const struct pvs_region_header *p = header(h);

	(void)state;
	assert_int_equal(p->slot_stride & (p->slot_stride - 1), 0);
	assert_in_range(p->slot_stride, PVS_SLOT_STRIDE_MIN, PVS_SLOT_STRIDE_MAX);
	assert_in_range(p->slot_size, PVS_SLOT_SIZE, p->slot_stride);
	assert_int_equal(p->slot_count, SLOTS);
	assert_int_equal(p->header_size, PVS_HEADER_SIZE);
	assert_int_equal(bind_guest(h), PVS_GUEST_KICK);
	assert_int_equal(pvs_guest_ready(&h->guest), PVS_GUEST_OK);
	free(h);
}

static void PVS_H_06__bad_a_scribbled_header_moves_no_slot(void **state)
{
	struct house *h = house_boosted();

	(void)state;
	header(h)->slot_stride = 0;
	header(h)->slot_count = 0xffffffffu;
	header(h)->slot_size = 0xffffffffu;
	h->null.now_ns += 1 * MS;
	(void)pvs_guest_retract(&h->guest_vcpu);
	assert_int_equal(pvs_host_event(&h->host, 1, PVS_EV_KICK, 1), PVS_OK);
	assert_int_equal(h->threads[1].klass, PVS_CLASS_BASELINE);
	assert_int_equal(PVS_GET(PVS_LE64(slot(h, 1)->applied), 0, 3), PVS_CLASS_BASELINE);
	assert_int_equal(pvs_host_event(&h->host, SLOTS, PVS_EV_KICK, 0), PVS_E_INVALID);
	free(h);
}

static void PVS_H_06__bad_a_count_out_of_range_is_not_offered(void **state)
{
	struct pvs_vm vm;

	(void)state;
	pvs_vm_init(&vm, 0, GENERATION, 0);
	assert_int_equal(vm.terms.slot_count, 1);
	pvs_vm_init(&vm, 0, GENERATION, PVS_SLOT_COUNT_MAX + 1);
	assert_int_equal(vm.terms.slot_count, PVS_SLOT_COUNT_MAX);
	pvs_vm_init(&vm, 0, 0xffffffffu, 1);
	assert_int_equal(vm.terms.generation, PVS_GENERATION_MASK);
}

static void PVS_H_05__ok_the_reset_of_a_guest_ends_its_boost(void **state)
{
	struct house *h = house_boosted();

	(void)state;
	assert_int_equal(pvs_guest_unbind(&h->guest), PVS_GUEST_KICK);
	assert_int_equal(pvs_host_event(&h->host, 0, PVS_EV_KICK, 0), PVS_OK);
	assert_int_equal(h->threads[1].klass, PVS_CLASS_BASELINE);
	assert_int_equal(header(h)->status, PVS_STATUS_OFFERED);
	/* the next kernel gets the same */
	assert_int_equal(bind_guest(h), PVS_GUEST_KICK);
	assert_int_equal(pvs_guest_ready(&h->guest), PVS_GUEST_OK);
	free(h);
}

static void PVS_H_04__bad_a_guest_refused_while_boosted_is_at_baseline(void **state)
{
	struct house *h = house_boosted();

	(void)state;
	header(h)->guest_major = PVS_ABI_MAJOR + 1;
	(void)pvs_host_event(&h->host, 0, PVS_EV_KICK, 0);
	assert_int_equal(header(h)->status, PVS_STATUS_REFUSED);
	assert_int_equal(header(h)->status_reason, PVS_REFUSE_MAJOR);
	assert_int_equal(h->threads[1].klass, PVS_CLASS_BASELINE);
	assert_int_equal(pvs_guest_ready(&h->guest), PVS_GUEST_REFUSED);
	free(h);
}

static void PVS_H_35__ok_a_host_that_goes_says_so(void **state)
{
	struct house *h = house_boosted();

	(void)state;
	pvs_host_close(&h->host);
	assert_int_equal(header(h)->status, PVS_STATUS_DISABLED);
	assert_int_equal(pvs_guest_ready(&h->guest), PVS_GUEST_GENERATION);
	free(h);
}

static void PVS_H_35__bad_a_host_that_goes_leaves_nobody_boosted(void **state)
{
	struct house *h = house_boosted();
	unsigned int i;

	(void)state;
	pvs_host_close(&h->host);
	for (i = 0; i < SLOTS; i++)
		assert_int_equal(h->threads[i].klass, PVS_CLASS_BASELINE);
	assert_int_equal(h->threads[1].restores, 1);
	free(h);
}

static void PVS_H_36__ok_an_attached_slot_names_its_cpu(void **state)
{
	struct house *h = house_new();
	pvs_u64 ident = PVS_LE64(slot(h, 2)->ident);

	(void)state;
	assert_true(ident & PVS_IDENT_PRESENT);
	assert_int_equal(PVS_GET(ident, PVS_IDENT_ARCH_SHIFT, PVS_IDENT_ARCH_BITS), 0x102);
	free(h);
}

static void PVS_H_36__bad_a_detached_slot_names_nobody(void **state)
{
	struct house *h = house_new();

	(void)state;
	pvs_host_detach(&h->host, 2);
	assert_true(slot(h, 2)->ident == 0);
	assert_true(slot(h, 1)->ident != 0);
	free(h);
}

static void PVS_H_37__ok_the_header_has_the_sums(void **state)
{
	struct house *h = house_boosted();

	(void)state;
	h->null.now_ns += 1 * MS;
	h->threads[1].run_ns += 200 * US;
	(void)pvs_guest_retract(&h->guest_vcpu);
	(void)pvs_host_event(&h->host, 1, PVS_EV_KICK, 1);
	assert_true(PVS_LE64(header(h)->vm_boosts) == 1);
	assert_true(PVS_LE64(header(h)->vm_boosted_ns) == 200 * US);
	assert_true((PVS_LE64(header(h)->vm_count_seq) & 1) == 0);
	free(h);
}

static void PVS_H_37__bad_what_a_guest_writes_there_is_not_summed(void **state)
{
	struct house *h = house_boosted();

	(void)state;
	header(h)->vm_boosts = ~0ull;
	header(h)->vm_count_seq = 12345;
	slot(h, 1)->boosts = ~0ull;
	slot(h, 1)->count_seq = 12345;
	h->null.now_ns += 1 * MS;
	slot(h, 1)->intent = ~0ull;
	(void)pvs_host_event(&h->host, 1, PVS_EV_KICK, 1);
	assert_true(PVS_LE64(header(h)->vm_boosts) == 1);
	assert_true(PVS_LE64(header(h)->vm_malformed) == 1);
	assert_true((PVS_LE64(header(h)->vm_count_seq) & 1) == 0);
	assert_true(PVS_LE64(slot(h, 1)->boosts) == 1);
	assert_true((PVS_LE64(slot(h, 1)->count_seq) & 1) == 0);
	free(h);
}

static void PVS_H_46__ok_a_new_generation_is_offered_and_can_be_chosen(void **state)
{
	struct house *h = house_boosted();

	(void)state;
	pvs_guest_vcpu_offline(&h->guest_vcpu);
	pvs_host_reset(&h->host, GENERATION + 1);
	assert_int_equal(header(h)->generation, GENERATION + 1);
	assert_int_equal(header(h)->status, PVS_STATUS_OFFERED);
	assert_int_equal(pvs_guest_ready(&h->guest), PVS_GUEST_GENERATION);
	assert_int_equal(bind_guest(h), PVS_GUEST_KICK);
	assert_int_equal(pvs_guest_ready(&h->guest), PVS_GUEST_OK);
	free(h);
}

static void PVS_H_46__bad_the_old_generation_speaks_no_more(void **state)
{
	struct house *h = house_boosted();

	(void)state;
	pvs_host_reset(&h->host, GENERATION + 1);
	assert_int_equal(h->threads[1].klass, PVS_CLASS_BASELINE);
	/* a guest that has not noticed */
	(void)pvs_guest_retract(&h->guest_vcpu);
	slot(h, 1)->intent = PVS_LE64(URGENT | BIT(PVS_INTENT_SEQ_SHIFT + 5));
	h->null.now_ns += 1 * MS;
	(void)pvs_host_event(&h->host, 1, PVS_EV_KICK, 1);
	assert_int_equal(h->threads[1].klass, PVS_CLASS_BASELINE);
	assert_int_equal(header(h)->status, PVS_STATUS_REFUSED);
	assert_int_equal(header(h)->status_reason, PVS_REFUSE_GENERATION);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_H_21__ok_class_and_reason_are_said),
		cmocka_unit_test(PVS_H_21__bad_whatever_the_guest_writes_no_undefined_bit_is_said),
		cmocka_unit_test(PVS_H_22__ok_window_and_account_are_said_in_us),
		cmocka_unit_test(PVS_H_22__bad_an_overdrawn_account_is_said_as_empty),
		cmocka_unit_test(PVS_H_23__ok_counters_are_kept_under_an_even_sequence),
		cmocka_unit_test(PVS_H_23__bad_without_the_feature_they_are_left_alone),
		cmocka_unit_test(PVS_H_29__ok_a_bell_is_asked_for_when_it_is_of_use),
		cmocka_unit_test(PVS_H_29__bad_no_bell_without_the_feature_or_while_throttled),
		cmocka_unit_test(PVS_H_06__ok_a_guest_finds_the_layout_sound),
		cmocka_unit_test(PVS_H_06__bad_a_scribbled_header_moves_no_slot),
		cmocka_unit_test(PVS_H_06__bad_a_count_out_of_range_is_not_offered),
		cmocka_unit_test(PVS_H_05__ok_the_reset_of_a_guest_ends_its_boost),
		cmocka_unit_test(PVS_H_04__bad_a_guest_refused_while_boosted_is_at_baseline),
		cmocka_unit_test(PVS_H_35__ok_a_host_that_goes_says_so),
		cmocka_unit_test(PVS_H_35__bad_a_host_that_goes_leaves_nobody_boosted),
		cmocka_unit_test(PVS_H_36__ok_an_attached_slot_names_its_cpu),
		cmocka_unit_test(PVS_H_36__bad_a_detached_slot_names_nobody),
		cmocka_unit_test(PVS_H_37__ok_the_header_has_the_sums),
		cmocka_unit_test(PVS_H_37__bad_what_a_guest_writes_there_is_not_summed),
		cmocka_unit_test(PVS_H_46__ok_a_new_generation_is_offered_and_can_be_chosen),
		cmocka_unit_test(PVS_H_46__bad_the_old_generation_speaks_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
