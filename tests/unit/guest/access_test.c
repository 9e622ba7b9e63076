/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the shim touches memory, load by load and store by store: widths, counts, places, and what
 * it makes of a host that writes in between.
 */
#include "region.h"

#include <string.h>

#define LOG_MAX 512u

enum kind { LOAD, STORE, SWAP };

static struct {
	struct {
		enum kind kind;
		const volatile unsigned char *at;
		unsigned int size;
	} log[LOG_MAX];
	unsigned int count;
	/* called after each access, not from within itself */
	void (*hook)(enum kind kind, volatile void *p, void *arg);
	void *arg;
	int in_hook;
} access_state;

static void forget_log(void)
{
	memset(&access_state, 0, sizeof(access_state));
}

static int fresh(void **state)
{
	(void)state;
	forget_log();
	return 0;
}

static void note(enum kind kind, const volatile void *p, unsigned int size)
{
	if (access_state.in_hook)
		return;
	assert_true(access_state.count < LOG_MAX);
	assert_int_equal((uintptr_t)p % size, 0);
	access_state.log[access_state.count].kind = kind;
	access_state.log[access_state.count].at = p;
	access_state.log[access_state.count].size = size;
	access_state.count++;
}

static void after(enum kind kind, const volatile void *p)
{
	if (!access_state.hook || access_state.in_hook)
		return;
	access_state.in_hook = 1;
	access_state.hook(kind, (volatile void *)(uintptr_t)p, access_state.arg);
	access_state.in_hook = 0;
}

pvs_u64 access_load(const volatile void *p, unsigned int size)
{
	pvs_u64 value = 0;

	note(LOAD, p, size);
	memcpy(&value, (const void *)(uintptr_t)p, size);
	after(LOAD, p);
	return value;
}

void access_store(volatile void *p, pvs_u64 value, unsigned int size)
{
	note(STORE, p, size);
	memcpy((void *)(uintptr_t)p, &value, size);
	after(STORE, p);
}

int access_swap(volatile void *p, pvs_u32 expect, pvs_u32 desired)
{
	pvs_u32 now;

	note(SWAP, p, 4);
	memcpy(&now, (const void *)(uintptr_t)p, 4);
	if (now == expect)
		memcpy((void *)(uintptr_t)p, &desired, 4);
	after(SWAP, p);
	return now == expect;
}

/* Runs everything a port can call, once. */
static void whole_life(struct region *r, pvs_u64 features)
{
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_REALTIME, .window_us = 9 };
	struct pvs_guest_counters c;
	pvs_u64 found;

	assert_int_equal(region_bind(r, features), PVS_GUEST_KICK);
	r->header.status = PVS_STATUS_ACTIVE;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 1, &r->vcpu), PVS_GUEST_OK);
	(void)pvs_guest_publish(&r->vcpu, &in);
	(void)pvs_guest_retract(&r->vcpu);
	pvs_guest_crit(&r->vcpu, PVS_CRIT_ALL, 0);
	found = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	pvs_guest_irq_ack(&r->vcpu);
	pvs_guest_irq_leave(&r->vcpu, found);
	pvs_guest_wait(&r->vcpu, PVS_WAIT_LOCK, 2, pvs_guest_run_epoch(&r->guest, 2));
	(void)pvs_guest_pend(&r->guest, 1, 5, 5);
	pvs_guest_pend_clear(&r->vcpu);
	pvs_guest_util_bounds(&r->vcpu, 1, 2);
	(void)pvs_guest_applied(&r->vcpu);
	(void)pvs_guest_should_yield(&r->vcpu);
	(void)pvs_guest_counters(&r->vcpu, &c);
	pvs_guest_vcpu_offline(&r->vcpu);
	assert_int_equal(pvs_guest_unbind(&r->guest), PVS_GUEST_KICK);
}

/* Line of the header or of a slot this address lies in, and whether the guest may write there. */
static int guest_line(struct region *r, const volatile unsigned char *p)
{
	uintptr_t header = (uintptr_t)&r->header, slots = (uintptr_t)r->slots, at = (uintptr_t)p;

	if (at >= header && at < header + PVS_HEADER_SIZE)
		return (at - header) / PVS_LINE_SIZE == 2;
	if (at >= slots && at < slots + REGION_SLOTS * PVS_SLOT_SIZE)
		return (at - slots) % PVS_SLOT_SIZE / PVS_LINE_SIZE < 2;
	return 0;
}

static unsigned int stores_at(const volatile void *p)
{
	unsigned int i, n = 0;

	for (i = 0; i < access_state.count; i++)
		n += access_state.log[i].kind != LOAD && access_state.log[i].at == p;
	return n;
}

/* ---- PVS-G-01 -------------------------------------------------------------------------------- */

static void PVS_G_01__ok_a_statement_is_one_store_of_the_whole_word(void **state)
{
	struct region *r = region_active(PVS_F_ALL & ~PVS_F_SPLIT_WORDS);
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_REALTIME };
	unsigned int i, stores = 0;

	(void)state;
	forget_log();
	assert_int_equal(pvs_guest_publish(&r->vcpu, &in), PVS_GUEST_OK);
	for (i = 0; i < access_state.count; i++) {
		assert_int_equal(access_state.log[i].size, 8);
		stores += access_state.log[i].kind != LOAD;
	}
	assert_int_equal(stores, 1);
	assert_int_equal(stores_at(&region_slot(r, 1)->intent), 1);
	region_free(r);
}

static void PVS_G_01__ok_every_word_is_stored_whole_by_one_store(void **state)
{
	struct region *r = region_active(PVS_F_ALL & ~PVS_F_SPLIT_WORDS);
	struct pvs_slot *s = region_slot(r, 1);
	unsigned int i;

	(void)state;
	forget_log();
	pvs_guest_crit(&r->vcpu, PVS_CRIT_ALL, 0);
	(void)pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	pvs_guest_wait(&r->vcpu, PVS_WAIT_ANY, 0, 0);
	pvs_guest_util_bounds(&r->vcpu, 1, 2);
	assert_int_equal(access_state.count, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(access_state.log[i].size, 8);
	assert_int_equal(stores_at(&s->crit) + stores_at(&s->irq) + stores_at(&s->wait) +
				 stores_at(&s->util_bounds),
			 4);
	region_free(r);
}

static void PVS_G_01__bad_no_store_leaves_the_lines_of_the_guest(void **state)
{
	static const pvs_u64 features[] = { 0, PVS_F_ALL & ~PVS_F_SPLIT_WORDS, PVS_F_ALL };
	unsigned int i, k;

	(void)state;
	for (k = 0; k < sizeof(features) / sizeof(features[0]); k++) {
		struct region *r = region_new(features[k]);

		forget_log();
		whole_life(r, features[k]);
		assert_true(access_state.count > 20);
		for (i = 0; i < access_state.count; i++)
			if (access_state.log[i].kind != LOAD)
				assert_true(guest_line(r, access_state.log[i].at));
		region_free(r);
	}
}

static void PVS_G_01__bad_no_word_of_its_own_is_read_back(void **state)
{
	struct region *r = region_new(PVS_F_ALL);
	unsigned int i;

	(void)state;
	forget_log();
	whole_life(r, PVS_F_ALL);
	for (i = 0; i < access_state.count; i++)
		if (access_state.log[i].kind == LOAD &&
		    access_state.log[i].at != (unsigned char *)&region_slot(r, 1)->pending)
			assert_false(guest_line(r, access_state.log[i].at));
	region_free(r);
}

/* ---- PVS-G-02 -------------------------------------------------------------------------------- */

static void PVS_G_02__ok_each_field_of_the_header_is_loaded_once(void **state)
{
	struct region *r = region_new(PVS_F_ALL);
	unsigned int i, k;

	(void)state;
	forget_log();
	assert_int_equal(region_bind(r, PVS_F_ALL), PVS_GUEST_KICK);
	for (i = 0; i < access_state.count; i++)
		for (k = 0; k < i; k++)
			assert_false(access_state.log[i].kind == LOAD &&
				     access_state.log[k].kind == LOAD &&
				     access_state.log[i].at == access_state.log[k].at);
	region_free(r);
}

/* A host that changes each word as soon as it was read. */
static void scribble(enum kind kind, volatile void *p, void *arg)
{
	struct region *r = arg;
	uintptr_t offset = (uintptr_t)p - (uintptr_t)&r->header;

	if (kind == LOAD && offset < 2 * PVS_LINE_SIZE)
		memset((unsigned char *)&r->header + offset, 0xff,
		       offset == offsetof(struct pvs_region_header, abi_major) ||
				       offset == offsetof(struct pvs_region_header, abi_minor) ?
			       2 :
			       4);
}

static void PVS_G_02__bad_a_host_that_changes_what_was_checked_gains_nothing(void **state)
{
	struct region *r = region_new(PVS_F_UTIL);

	(void)state;
	forget_log();
	access_state.hook = scribble;
	access_state.arg = r;
	assert_int_equal(region_bind(r, PVS_F_ALL & ~PVS_F_SPLIT_WORDS), PVS_GUEST_KICK);
	assert_int_equal(r->guest.slot_count, REGION_SLOTS);
	assert_int_equal(r->guest.slot_stride, PVS_SLOT_SIZE);
	assert_int_equal(r->guest.generation, REGION_GENERATION);
	assert_int_equal(r->header.features_accepted, PVS_F_UTIL);
	assert_int_equal(r->header.slot_count, 0xffffffffu);
	region_free(r);
}

/* ---- PVS-G-07: an NMI at every access -------------------------------------------------------- */

static void nmi(enum kind kind, volatile void *p, void *arg)
{
	struct region *r = arg;
	pvs_u64 before = region_slot(r, 1)->irq;
	pvs_u64 found = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_NMI);

	(void)kind;
	(void)p;
	assert_int_equal(region_slot(r, 1)->irq & PVS_IRQ_NMI, PVS_IRQ_NMI);
	pvs_guest_irq_leave(&r->vcpu, found);
	assert_int_equal(region_slot(r, 1)->irq, before);
}

static void PVS_G_07__ok_an_nmi_between_any_two_accesses_leaves_no_trace(void **state)
{
	struct region *r = region_active(PVS_F_IRQ | PVS_F_IRQ_TICKET);
	struct pvs_slot *s = region_slot(r, 1);
	pvs_u64 soft, hard;

	(void)state;
	forget_log();
	access_state.hook = nmi;
	access_state.arg = r;
	s->irq_ticket = 3;
	soft = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_SOFTIRQ);
	hard = pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	pvs_guest_irq_ack(&r->vcpu);
	assert_int_equal(s->irq, PVS_IRQ_SOFTIRQ | PVS_IRQ_HARDIRQ | 3u << PVS_IRQ_ACK_SHIFT);
	pvs_guest_irq_leave(&r->vcpu, hard);
	assert_int_equal(s->irq, PVS_IRQ_SOFTIRQ | 3u << PVS_IRQ_ACK_SHIFT);
	pvs_guest_irq_leave(&r->vcpu, soft);
	assert_int_equal(s->irq, 3u << PVS_IRQ_ACK_SHIFT);
	region_free(r);
}

/* ---- PVS-G-11 -------------------------------------------------------------------------------- */

static unsigned int torn_seen;

static void look_for_torn(enum kind kind, volatile void *p, void *arg)
{
	struct region *r = arg;
	pvs_u64 w = region_slot(r, 1)->intent;

	(void)p;
	if (kind == STORE && ((w >> 28) & 15) != (w >> 60))
		torn_seen++;
}

static void PVS_G_11__ok_halves_are_stored_as_halves_and_the_tear_shows(void **state)
{
	struct region *r = region_active(PVS_F_ALL);
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_REALTIME, .window_us = 77 };
	unsigned char *intent = (unsigned char *)&region_slot(r, 1)->intent;
	unsigned int i;

	(void)state;
	forget_log();
	torn_seen = 0;
	access_state.hook = look_for_torn;
	access_state.arg = r;
	assert_int_equal(pvs_guest_publish(&r->vcpu, &in), PVS_GUEST_OK);
	assert_int_equal(stores_at(intent), 1);
	assert_int_equal(stores_at(intent + 4), 1);
	for (i = 0; i < access_state.count; i++)
		if (access_state.log[i].kind == STORE)
			assert_int_equal(access_state.log[i].size, 4);
	assert_int_equal(torn_seen, 1);
	region_free(r);
}

static void PVS_G_11__bad_no_store_of_an_online_vcpu_is_wider_than_a_half(void **state)
{
	struct region *r = region_active(PVS_F_ALL);
	struct pvs_guest_intent in = { .urgency = PVS_URGENCY_REALTIME };
	unsigned int i;

	(void)state;
	forget_log();
	(void)pvs_guest_publish(&r->vcpu, &in);
	pvs_guest_crit(&r->vcpu, PVS_CRIT_ALL, 0);
	(void)pvs_guest_irq_enter(&r->vcpu, PVS_IRQ_HARDIRQ);
	pvs_guest_irq_ack(&r->vcpu);
	pvs_guest_wait(&r->vcpu, PVS_WAIT_ANY, 0, 0);
	pvs_guest_util_bounds(&r->vcpu, 1, 2);
	(void)pvs_guest_pend(&r->guest, 1, 5, 5);
	pvs_guest_vcpu_offline(&r->vcpu);
	for (i = 0; i < access_state.count; i++)
		if (access_state.log[i].kind != LOAD)
			assert_int_equal(access_state.log[i].size, 4);
	region_free(r);
}

/* ---- PVS-G-16: races on `pending` ------------------------------------------------------------ */

/* Another vCPU changes the word between load and swap: `arg` is the list of what it writes. */
static void race(enum kind kind, volatile void *p, void *arg)
{
	pvs_u64 **next = arg;

	if (kind == LOAD && **next)
		*(volatile pvs_u64 *)p = *(*next)++;
}

static int pend_in_race(struct region *r, pvs_u64 *others)
{
	forget_log();
	access_state.hook = race;
	access_state.arg = &others;
	return pvs_guest_pend(&r->guest, 1, PVS_URGENCY_REALTIME, 0);
}

static void PVS_G_16__ok_a_lost_race_is_run_again(void **state)
{
	struct region *r = region_active(PVS_F_PENDING);
	pvs_u64 lower[] = { 0x41, 0x42, 0 };
	pvs_u64 higher[] = { 0x55, 0 };

	(void)state;
	assert_int_equal(pend_in_race(r, lower), PVS_GUEST_OK);
	assert_int_equal(region_slot(r, 1)->pending, 0x50);
	region_slot(r, 1)->pending = 0;
	assert_int_equal(pend_in_race(r, higher), PVS_GUEST_OK);
	assert_int_equal(region_slot(r, 1)->pending, 0x55);
	region_free(r);
}

static void PVS_G_16__bad_a_word_that_never_rests_is_given_up(void **state)
{
	struct region *r = region_active(PVS_F_PENDING);
	pvs_u64 restless[] = { 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 0 };

	(void)state;
	assert_int_equal(pend_in_race(r, restless), PVS_GUEST_NOT_READY);
	assert_int_equal(access_state.count, 16);
	region_free(r);
}

static void PVS_G_16__bad_clearing_does_not_lose_what_was_queued_meanwhile(void **state)
{
	struct region *r = region_active(PVS_F_PENDING);
	pvs_u64 newer[] = { 0x5f, 0 }, *others = newer;

	(void)state;
	region_slot(r, 1)->pending = 0x40;
	forget_log();
	access_state.hook = race;
	access_state.arg = &others;
	pvs_guest_pend_clear(&r->vcpu);
	assert_int_equal(region_slot(r, 1)->pending, 0x5f);
	region_free(r);
}

/* ---- PVS-G-19: a host that writes while the counters are read -------------------------------- */

static void bump(enum kind kind, volatile void *p, void *arg)
{
	struct region *r = arg;
	struct pvs_slot *s = region_slot(r, 1);

	(void)kind;
	if (p == (volatile void *)&s->boosts && s->count_seq < 1000) {
		s->count_seq += 2;
		s->boosts++;
		s->denials++;
	}
}

static void PVS_G_19__bad_counters_that_moved_while_read_are_read_again(void **state)
{
	struct region *r = region_active(PVS_F_COUNTERS);
	struct pvs_slot *s = region_slot(r, 1);
	struct pvs_guest_counters c;

	(void)state;
	forget_log();
	access_state.hook = bump;
	access_state.arg = r;
	s->count_seq = 998;
	assert_int_equal(pvs_guest_counters(&r->vcpu, &c), PVS_GUEST_OK);
	assert_true(c.boosts == 1 && c.denials == 1);
	/* and never for ever */
	s->count_seq = 0;
	forget_log();
	access_state.hook = bump;
	access_state.arg = r;
	assert_int_equal(pvs_guest_counters(&r->vcpu, &c), PVS_GUEST_NOT_READY);
	assert_int_equal(access_state.count, 8 * 7);
	region_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			PVS_G_01__ok_a_statement_is_one_store_of_the_whole_word, fresh),
		cmocka_unit_test_setup(PVS_G_01__ok_every_word_is_stored_whole_by_one_store, fresh),
		cmocka_unit_test_setup(PVS_G_01__bad_no_store_leaves_the_lines_of_the_guest, fresh),
		cmocka_unit_test_setup(PVS_G_01__bad_no_word_of_its_own_is_read_back, fresh),
		cmocka_unit_test_setup(PVS_G_02__ok_each_field_of_the_header_is_loaded_once, fresh),
		cmocka_unit_test_setup(
			PVS_G_02__bad_a_host_that_changes_what_was_checked_gains_nothing, fresh),
		cmocka_unit_test_setup(
			PVS_G_07__ok_an_nmi_between_any_two_accesses_leaves_no_trace, fresh),
		cmocka_unit_test_setup(
			PVS_G_11__ok_halves_are_stored_as_halves_and_the_tear_shows, fresh),
		cmocka_unit_test_setup(
			PVS_G_11__bad_no_store_of_an_online_vcpu_is_wider_than_a_half, fresh),
		cmocka_unit_test_setup(PVS_G_16__ok_a_lost_race_is_run_again, fresh),
		cmocka_unit_test_setup(PVS_G_16__bad_a_word_that_never_rests_is_given_up, fresh),
		cmocka_unit_test_setup(
			PVS_G_16__bad_clearing_does_not_lose_what_was_queued_meanwhile, fresh),
		cmocka_unit_test_setup(
			PVS_G_19__bad_counters_that_moved_while_read_are_read_again, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
