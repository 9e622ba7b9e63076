/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that publishes while its host looks: what the host takes was said by one statement. And
 * the other way round, the counters.
 */
#include "threads.h"

#include <sched.h>
#include <string.h>

#include <pvs/guest.h>

#define STATEMENTS ROUNDS(300000u)
#define PATIENCE 100000000u /* steps */
#define WAKERS 3u
#define GENERATION 3u

struct shared {
	struct pvs_region_header header;
	struct pvs_slot slot;
} __attribute__((aligned(4096)));

struct pair {
	struct shared *memory;
	struct pvs_guest guest;
	struct pvs_guest_vcpu vcpu;
	struct pvs_vm vm;
	struct crew crew;
	atomic_int ended;
	atomic_uint waker;
	atomic_uint reads; /* of counters, by the guest */
	struct pvs_saved counted; /* by the host, at its end */
};

static struct shared memory;

static void pair_init(struct pair *p, pvs_u64 features)
{
	struct pvs_region_header *h = &memory.header;
	struct pvs_choice choice;

	memset(&memory, 0, sizeof(memory));
	memset(p, 0, sizeof(*p));
	p->memory = &memory;
	pvs_vm_init(&p->vm, CAPS_OWNER, GENERATION, 1);
	p->vm.features_offered |= features;
	h->magic = PVS_LE64(PVS_REGION_MAGIC);
	h->abi_minor = PVS_LE16(PVS_ABI_MINOR);
	h->header_size = PVS_LE32(PVS_HEADER_SIZE);
	h->slot_size = PVS_LE32(PVS_SLOT_SIZE);
	h->slot_stride = PVS_LE32(PVS_SLOT_SIZE);
	h->slot_count = PVS_LE32(1);
	h->generation = PVS_LE32(GENERATION);
	h->features_offered = PVS_LE64(p->vm.features_offered);
	assert_int_equal(pvs_guest_bind(&p->guest, h, &memory.slot, sizeof(memory.slot), features),
			 PVS_GUEST_KICK);
	pvs_snapshot_choice(h, &choice);
	assert_int_equal(pvs_vm_negotiate(&p->vm, &choice), 1);
	h->status = PVS_LE32(PVS_STATUS_ACTIVE);
	assert_int_equal(pvs_guest_vcpu_online(&p->guest, 0, &p->vcpu), PVS_GUEST_OK);
}

/* ---- intent and wait ------------------------------------------------------------------------- */

/* Both halves of the two words say the same number, each in its way. */
static void *publish_numbers(void *argument)
{
	struct pair *p = argument;
	struct pvs_guest_intent in;
	unsigned int n;

	memset(&in, 0, sizeof(in));
	in.util_valid = 1;
	for (n = 1; n <= STATEMENTS; n++) {
		in.util = (pvs_u16)(n % (PVS_UTIL_MAX + 1u));
		in.level = (pvs_u8)(n & PVS_LEVEL_MAX);
		in.window_us = in.util;
		(void)pvs_guest_publish(&p->vcpu, &in);
		pvs_guest_wait(&p->vcpu, PVS_WAIT_LOCK, 0, 0);
		pvs_guest_wait(&p->vcpu, PVS_WAIT_NONE, 0, 0);
		(void)pvs_guest_crit(&p->vcpu, PVS_CRIT_LOCK_HELD, 0);
		(void)pvs_guest_crit(&p->vcpu, 0, PVS_CRIT_LOCK_HELD);
	}
	atomic_store(&p->ended, 1);
	return NULL;
}

static void take_whole_statements(struct pair *p)
{
	struct pvs_hint hint = { .util_ceil = PVS_UTIL_MAX };
	struct pvs_snapshot snap;

	crew_start(&p->crew, publish_numbers, p);
	while (!atomic_load(&p->ended)) {
		pvs_snapshot(&p->memory->slot, &snap);
		pvs_validate(&snap, &p->vm.terms, &hint, &hint);
		assert_int_equal(hint.malformed, 0);
		assert_true(hint.flags & PVS_HINT_ONLINE);
		assert_int_equal(hint.window_us, hint.util);
	}
	crew_join(&p->crew);
	pvs_snapshot(&p->memory->slot, &snap);
	pvs_validate(&snap, &p->vm.terms, &hint, &hint);
	assert_int_equal(hint.util, STATEMENTS % (PVS_UTIL_MAX + 1u));
	assert_int_equal(hint.seq, (pvs_u8)STATEMENTS);
}

static void PVS_G_01__ok_host_takes_whole_words_while_the_guest_writes(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, PVS_F_UTIL | PVS_F_WINDOW | PVS_F_WAIT | PVS_F_CRIT);
	take_whole_statements(&p);
}

static void PVS_G_11__ok_host_takes_no_mixture_of_halves(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, PVS_F_UTIL | PVS_F_WINDOW | PVS_F_WAIT | PVS_F_CRIT | PVS_F_SPLIT_WORDS);
	take_whole_statements(&p);
}

/* ---- pending --------------------------------------------------------------------------------- */

static void *raise_pending(void *argument)
{
	struct pair *p = argument;
	pvs_u32 level = 1u + atomic_fetch_add(&p->waker, 1);
	unsigned int n;
	int status;

	crew_meet(&p->crew, WAKERS);
	for (n = 0; n < STATEMENTS / 3u; n++) {
		status = pvs_guest_pend(&p->guest, 0, PVS_URGENCY_INTERACTIVE, level);
		assert_true(status == PVS_GUEST_OK || status == PVS_GUEST_NOT_READY);
	}
	atomic_fetch_add(&p->ended, 1);
	return NULL;
}

/* The owner takes what it sees until all have ended; then each raise stands or was taken. */
static void PVS_G_16__ok_wakers_raise_while_the_owner_clears(void **state)
{
	struct pvs_hint hint = { .util_ceil = PVS_UTIL_MAX };
	struct pvs_snapshot snap;
	struct pair p;
	unsigned int i;

	(void)state;
	pair_init(&p, PVS_F_PENDING);
	for (i = 0; i < WAKERS; i++)
		crew_start(&p.crew, raise_pending, &p);
	while (atomic_load(&p.ended) < (int)WAKERS) {
		pvs_snapshot(&p.memory->slot, &snap);
		pvs_validate(&snap, &p.vm.terms, &hint, &hint);
		assert_int_equal(hint.malformed, 0);
		assert_true(!hint.pending ||
			    hint.pending >> PVS_PENDING_CLASS_SHIFT == PVS_URGENCY_INTERACTIVE);
		assert_true((hint.pending & 0xfu) <= WAKERS);
		assert_true(pvs_guest_pend_clear(&p.vcpu) >= 0);
	}
	crew_join(&p.crew);
	assert_int_equal(pvs_guest_pend(&p.guest, 0, PVS_URGENCY_NORMAL, 0), PVS_GUEST_OK);
	pvs_snapshot(&p.memory->slot, &snap);
	assert_true(snap.pending >= PVS_URGENCY_NORMAL << PVS_PENDING_CLASS_SHIFT);
	assert_true(pvs_guest_pend_clear(&p.vcpu) >= 0);
	pvs_snapshot(&p.memory->slot, &snap);
	assert_int_equal(snap.pending, 0);
}

/* ---- counters -------------------------------------------------------------------------------- */

/* A vCPU whose counters move with each step. */
static void *step_and_publish(void *argument)
{
	struct pair *p = argument;
	struct pvs_config cfg;
	struct pvs_vcpu v;
	struct pvs_io io;
	unsigned int i;

	assert_int_equal(pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg), PVS_OK);
	pvs_vcpu_init(&v, &cfg);
	memset(&io, 0, sizeof(io));
	io.facts.caps = CAPS_OWNER;
	io.event.type = PVS_EV_ATTACH;
	/* However late the reader gets its CPU, it has read something meanwhile. */
	for (i = 0; i < STATEMENTS / 3u || (!atomic_load(&p->reads) && i < PATIENCE); i++) {
		if (i >= STATEMENTS / 3u)
			sched_yield();
		io.facts.now_ns += 1 * MS;
		io.facts.run_ns += 300 * US;
		pvs_step(&v, &p->vm, &cfg, &p->memory->slot, &io);
		io.event.type = PVS_EV_KICK;
	}
	pvs_state_save(&v, &p->counted);
	atomic_store(&p->ended, 1);
	return NULL;
}

static void PVS_G_19__ok_a_guest_reads_counters_that_only_grow(void **state)
{
	struct pvs_guest_counters last;
	struct pvs_guest_counters now;
	struct pvs_guest_intent in;
	struct pair p;

	(void)state;
	pair_init(&p, PVS_F_COUNTERS);
	memset(&last, 0, sizeof(last));
	memset(&in, 0, sizeof(in));
	crew_start(&p.crew, step_and_publish, &p);
	while (!atomic_load(&p.ended)) {
		in.urgency = in.urgency ? PVS_URGENCY_UNSPECIFIED : PVS_URGENCY_REALTIME;
		(void)pvs_guest_publish(&p.vcpu, &in);
		if (pvs_guest_counters(&p.vcpu, &now) != PVS_GUEST_OK)
			continue;
		assert_true(now.boosts >= last.boosts && now.denials >= last.denials);
		assert_true(now.boosted_ns >= last.boosted_ns);
		assert_int_equal(now.malformed, 0);
		last = now;
		atomic_fetch_add(&p.reads, 1);
	}
	crew_join(&p.crew);
	assert_true(atomic_load(&p.reads) > 0);
	assert_int_equal(pvs_guest_counters(&p.vcpu, &now), PVS_GUEST_OK);
	assert_int_equal(now.boosts, p.counted.boosts);
	assert_int_equal(now.denials, p.counted.denials);
	assert_int_equal(now.boosted_ns, p.counted.boosted_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(PVS_G_01__ok_host_takes_whole_words_while_the_guest_writes),
		cmocka_unit_test(PVS_G_11__ok_host_takes_no_mixture_of_halves),
		cmocka_unit_test(PVS_G_16__ok_wakers_raise_while_the_owner_clears),
		cmocka_unit_test(PVS_G_19__ok_a_guest_reads_counters_that_only_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
