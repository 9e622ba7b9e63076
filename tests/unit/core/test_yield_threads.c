/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several CPUs change the sets at the same time: no bit is lost, none is left. Few slots, all in
 * one word, so that it is fought for and often becomes empty; and many rounds, because what goes
 * wrong is mended by what comes next.
 */
#include "world.h"

#include <pthread.h>
#include <string.h>

#define THREADS 4u
#define SLOTS 8u
#define STEPS 400u
#define ROUNDS 1500u
#define VECTOR 251u

static struct pvs_yield y;
static pthread_barrier_t meeting; /* of all CPUs and the one that checks */

struct cpu {
	pthread_t thread;
	pvs_u32 number;
	pvs_u64 random;
	pvs_u64 now_ns;
	unsigned long found;
	unsigned long wrong; /* choices that no host could use */
};

/* xorshift64*, Vigna 2016 */
static pvs_u32 below(struct cpu *cpu, pvs_u32 limit)
{
	cpu->random ^= cpu->random >> 12;
	cpu->random ^= cpu->random << 25;
	cpu->random ^= cpu->random >> 27;
	return (pvs_u32)(((cpu->random * 0x2545f4914f6cdd1dull) >> 32) % limit);
}

static pvs_u32 own_slot(struct cpu *cpu)
{
	return below(cpu, SLOTS / THREADS) * THREADS + cpu->number;
}

static void choose(struct cpu *cpu)
{
	struct pvs_hint hint = { .wait_kind = (pvs_u8)below(cpu, PVS_WAIT_KIND_MAX + 1u),
				 .wait_target = (pvs_u16)below(cpu, SLOTS), .wait_mask = ~0u };
	struct pvs_yield_ask ask = { .now_ns = cpu->now_ns };
	struct pvs_transfer_facts facts = { .now_ns = cpu->now_ns, .queued = 2,
					    .granularity_ns = 1000000 };
	struct pvs_yield_choice choice;
	struct pvs_transfer transfer;
	pvs_u32 yielder = own_slot(cpu);

	pvs_yield_choose(&y, yielder, &hint, &ask, &choice);
	pvs_transfer(&y, yielder, choice.target, &facts, &transfer);
	cpu->found += choice.target < SLOTS;
	cpu->wrong += choice.target == yielder ||
		      (choice.target >= SLOTS && choice.target != PVS_NO_TARGET);
}

static void one_step(struct cpu *cpu)
{
	pvs_u32 what = below(cpu, 100);
	pvs_u32 slot = own_slot(cpu);

	cpu->now_ns += below(cpu, 100000);
	if (what < 35)
		pvs_yield_waits(&y, slot, below(cpu, PVS_WAITS_ALL + 1u));
	else if (what < 65)
		pvs_yield_runs(&y, slot);
	else if (what < 80)
		pvs_yield_interrupt(&y, below(cpu, SLOTS));
	else if (what < 84)
		pvs_yield_ipi(&y, slot, below(cpu, SLOTS), VECTOR, cpu->now_ns);
	else if (what < 87)
		pvs_yield_eoi(&y, slot, VECTOR);
	else if (what < 88)
		pvs_yield_removed(&y, slot);
	else
		choose(cpu);
}

static void *run(void *arg)
{
	pvs_u32 round;
	pvs_u32 i;

	for (round = 0; round < ROUNDS; round++) {
		(void)pthread_barrier_wait(&meeting);
		for (i = 0; i < STEPS; i++)
			one_step(arg);
		(void)pthread_barrier_wait(&meeting);
	}
	return NULL;
}

/* Nobody is doing anything: what is remembered must be right. */
static void assert_sets_agree(void)
{
	pvs_u32 i;

	for (i = 0; i < PVS_YIELD_SETS * PVS_YIELD_WORDS; i++) {
		assert_int_equal(y.word[i] != 0, y.summary >> i & 1);
		assert_int_equal(y.word[i] & ~y.waiting[i % PVS_YIELD_WORDS], 0);
	}
	for (i = 0; i < SLOTS; i++) {
		pvs_u32 place = y.slot[i].place;

		assert_int_equal(place != 0, y.waiting[i / 64] >> i % 64 & 1);
		if (place && place < PVS_YIELD_SETS)
			assert_int_equal(y.word[place * PVS_YIELD_WORDS + i / 64] >> i % 64 & 1, 1);
	}
}

static void yield__no_bit_is_lost_and_none_is_left_among_several_cpus(void **state)
{
	static const struct pvs_yield_config cfg = { .transfer = PVS_TRANSFER_PENALISE };
	static struct cpu cpus[THREADS];
	unsigned long found = 0;
	pvs_u32 i;

	(void)state;
	assert_int_equal(pvs_yield_init(&y, &cfg, SLOTS), PVS_OK);
	assert_int_equal(pthread_barrier_init(&meeting, NULL, THREADS + 1u), 0);
	for (i = 0; i < THREADS; i++) {
		cpus[i].number = i;
		cpus[i].random = 0x9e3779b97f4a7c15ull * (i + 1);
		assert_int_equal(pthread_create(&cpus[i].thread, NULL, run, &cpus[i]), 0);
	}
	for (i = 0; i < ROUNDS; i++) {
		(void)pthread_barrier_wait(&meeting);
		(void)pthread_barrier_wait(&meeting);
		assert_sets_agree(); /* before they meet again */
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(cpus[i].thread, NULL), 0);
		assert_int_equal(cpus[i].wrong, 0);
		found += cpus[i].found;
	}
	assert_true(found > ROUNDS);
	for (i = 0; i < SLOTS; i++)
		pvs_yield_runs(&y, i);
	assert_int_equal(y.summary, 0);
	assert_sets_agree();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yield__no_bit_is_lost_and_none_is_left_among_several_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
