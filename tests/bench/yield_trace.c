/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A contention trace, the same for our sets and for the linear scan: what callgrind counts while
 * the functions of one of them run is its cost, upkeep and choices together (yield_bench.py).
 *
 *   yield_trace one  ENGINE VCPUS ROUNDS   one vCPU can be yielded to, at a uniform position
 *   yield_trace many ENGINE VCPUS ROUNDS   half of them can
 *   yield_trace worst                      each rank at its most expensive, with 1024 vCPUs
 *   yield_trace vain                       the same, with all before it looked at for nothing
 *
 * The trace does not depend on what is chosen: who gets the CPU next is the host's own business.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yield_linear.h"

#define SEED 0x9e3779b97f4a7c15ull
#define SPINS_MAX 4u /* vCPUs that find the same lock taken */
#define IPI_ONE_IN 8u /* spins that wait for the answer to an IPI */
#define VECTOR 251u  /* of a function call to other CPUs */
#define CS_NS 100000ull

enum engine { OURS, LINEAR };

static struct {
	struct pvs_yield sets;
	struct linear linear;
	struct linear_vcpu vcpus[PVS_YIELD_SLOTS];
	pvs_u8 waits[PVS_YIELD_SLOTS];
	enum engine engine;
	pvs_u32 count;
	pvs_u64 now_ns;
	pvs_u64 random;
	unsigned long choices;
	unsigned long found;
} trace;

/* xorshift64*, Vigna 2016 */
static pvs_u32 below(pvs_u32 limit)
{
	trace.random ^= trace.random >> 12;
	trace.random ^= trace.random << 25;
	trace.random ^= trace.random >> 27;
	return (pvs_u32)(((trace.random * 0x2545f4914f6cdd1dull) >> 32) % limit);
}

static void waits(pvs_u32 slot, pvs_u32 flags)
{
	trace.waits[slot] = 1;
	if (trace.engine == OURS)
		pvs_yield_waits(&trace.sets, slot, flags);
	else
		linear_waits(&trace.linear, slot, flags);
}

static void runs(pvs_u32 slot)
{
	trace.waits[slot] = 0;
	if (trace.engine == OURS)
		pvs_yield_runs(&trace.sets, slot);
	else
		linear_runs(&trace.linear, slot);
}

/* The linear scan knows nothing of IPIs, and does nothing for them. */
static void ipi(pvs_u32 sender, pvs_u32 target)
{
	if (trace.engine == OURS)
		pvs_yield_ipi(&trace.sets, sender, target, VECTOR, trace.now_ns);
}

static void eoi(pvs_u32 slot)
{
	if (trace.engine == OURS)
		pvs_yield_eoi(&trace.sets, slot, VECTOR);
}

static pvs_u32 choose(pvs_u32 slot)
{
	static const struct pvs_hint silent;
	struct pvs_yield_ask ask = { .now_ns = trace.now_ns };
	struct pvs_yield_choice choice;
	pvs_u32 target;

	if (trace.engine == OURS) {
		pvs_yield_choose(&trace.sets, slot, &silent, &ask, &choice);
		target = choice.target;
	} else {
		target = linear_choose(&trace.linear, slot);
	}
	trace.choices++;
	trace.found += target < trace.count;
	return target;
}

static pvs_u32 other_than(pvs_u32 slot)
{
	return (slot + 1u + below(trace.count - 1u)) % trace.count;
}

/* A lock's holder loses its CPU; others find the lock taken and yield; the last one gives its CPU
 * to the holder, and gets one again when the holder is done. */
static void one(void)
{
	pvs_u32 holder = below(trace.count);
	pvs_u32 spins = 1u + below(SPINS_MAX);
	pvs_u32 spinner = 0;
	int interrupted = 0;

	trace.now_ns += CS_NS;
	waits(holder, PVS_WAITS_PREEMPTED | PVS_WAITS_KERNEL);
	while (spins--) {
		spinner = other_than(holder);
		if (!below(IPI_ONE_IN)) {
			ipi(spinner, holder);
			interrupted = 1;
		}
		if (choose(spinner) != holder) {
			fprintf(stderr, "not the only one that waits\n");
			exit(1);
		}
		if (spins)
			runs(spinner); /* back in the guest: the holder's CPU was not free yet */
	}
	waits(spinner, PVS_WAITS_PREEMPTED | PVS_WAITS_KERNEL);
	runs(holder);
	if (interrupted)
		eoi(holder);
	runs(spinner);
}

/* One vCPU that waits (or one that runs). */
static pvs_u32 any(int waiting)
{
	pvs_u32 slot = below(trace.count);

	while (trace.waits[slot] != waiting)
		slot = (slot + 1u) % trace.count;
	return slot;
}

/* Two vCPUs on each CPU: a context switch, and somebody spins. */
static void many(void)
{
	static const pvs_u32 where[4] = { 0, PVS_WAITS_KERNEL, PVS_WAITS_KERNEL,
					  PVS_WAITS_KERNEL | PVS_WAITS_CRIT };
	pvs_u32 out = any(0);
	pvs_u32 in = any(1);
	pvs_u32 spins = 1u + below(SPINS_MAX);

	trace.now_ns += CS_NS;
	waits(out, PVS_WAITS_PREEMPTED | where[below(4)]);
	runs(in);
	while (spins--) {
		pvs_u32 spinner = any(0);

		if (!below(IPI_ONE_IN))
			ipi(spinner, other_than(spinner));
		(void)choose(spinner);
		runs(spinner);
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: yield_trace one|many ours|linear VCPUS ROUNDS | worst | vain\n");
	return 2;
}

static void prepare(pvs_u32 count)
{
	static const struct pvs_yield_config defaults;

	if (pvs_yield_init(&trace.sets, &defaults, count) != PVS_OK)
		exit(usage());
	linear_init(&trace.linear, trace.vcpus, count);
	memset(trace.waits, 0, sizeof(trace.waits));
	trace.count = count;
	trace.random = SEED;
	trace.now_ns = 1000000000ull;
}

/* ---- the worst cases of a choice ------------------------------------------------------------- */

#define YIELDER 1023u
#define LOW 5u /* the only candidate, before the cursor in the cursor's own word */

static void ask_once(const struct pvs_hint *hint, pvs_u32 reason)
{
	struct pvs_yield_ask ask = { .now_ns = trace.now_ns };
	struct pvs_yield_choice choice;

	pvs_yield_choose(&trace.sets, YIELDER, hint, &ask, &choice);
	if (choice.reason != reason) {
		fprintf(stderr, "worst: reason %u, not %u\n", choice.reason, reason);
		exit(1);
	}
}

/* Four live IPIs to vCPUs that do not wait. */
static void send_in_vain(void)
{
	pvs_u32 i;

	for (i = 0; i < PVS_YIELD_IPIS; i++)
		pvs_yield_ipi(&trace.sets, YIELDER, 500u + i, VECTOR, trace.now_ns);
}

/* The ranks that are sets, and the relaxed round: one candidate, before the cursor. */
static void worst_sets(const struct pvs_hint *hint, int vain)
{
	static const pvs_u32 flags[] = { PVS_WAITS_PREEMPTED | PVS_WAITS_INTERRUPT,
					 PVS_WAITS_PREEMPTED | PVS_WAITS_CRIT,
					 PVS_WAITS_PREEMPTED | PVS_WAITS_KERNEL,
					 PVS_WAITS_PREEMPTED, 0 };
	pvs_u32 i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		prepare(PVS_YIELD_SLOTS);
		if (vain)
			send_in_vain();
		if (i < PVS_YIELD_SETS)
			trace.sets.cursor[i] = LOW + 1u;
		trace.sets.cursor_relaxed = LOW + 1u;
		pvs_yield_waits(&trace.sets, LOW, flags[i]);
		ask_once(hint, PVS_YIELD_INTERRUPT + i);
	}
	prepare(PVS_YIELD_SLOTS);
	if (vain)
		send_in_vain();
	ask_once(hint, PVS_YIELD_NOBODY);
}

static void worst_receiver(const struct pvs_hint *hint)
{
	prepare(PVS_YIELD_SLOTS);
	send_in_vain();
	pvs_yield_waits(&trace.sets, 503u, PVS_WAITS_PREEMPTED);
	ask_once(hint, PVS_YIELD_RECEIVER);
}

/* The ranks that the guest names. */
static void worst_named(struct pvs_hint hint)
{
	prepare(PVS_YIELD_SLOTS);
	/* a mask in two words, the candidate before the cursor */
	trace.sets.cursor_many = 959;
	pvs_yield_waits(&trace.sets, 931u, PVS_WAITS_PREEMPTED);
	ask_once(&hint, PVS_YIELD_NAMED_MANY);
	hint.wait_kind = PVS_WAIT_LOCK;
	hint.wait_target = 931;
	ask_once(&hint, PVS_YIELD_NAMED);
	hint.wait_kind = PVS_WAIT_ANY;
	pvs_yield_waits(&trace.sets, LOW, PVS_WAITS_PREEMPTED | PVS_WAITS_CRIT);
	trace.sets.cursor[1] = LOW + 1u;
	ask_once(&hint, PVS_YIELD_HOLDER);
}

/* Each rank on its own; with `vain`, after everything before it was looked at for nothing. */
static void worst(int vain)
{
	struct pvs_hint silent = { 0 };
	struct pvs_hint many = { .wait_kind = PVS_WAIT_IPI_MANY, .wait_target = 930,
				 .wait_mask = 0xffffffffu };
	/* a name that says nothing any more */
	struct pvs_hint stale = { .wait_kind = PVS_WAIT_LOCK, .wait_target = 930, .wait_epoch = 4 };

	worst_sets(vain ? &stale : &silent, vain);
	worst_receiver(vain ? &stale : &silent);
	worst_named(many);
}

int main(int argc, char **argv)
{
	unsigned long rounds;
	int lone;

	if (argc == 2 && (!strcmp(argv[1], "worst") || !strcmp(argv[1], "vain"))) {
		worst(!strcmp(argv[1], "vain"));
		return 0;
	}
	if (argc != 5)
		return usage();
	lone = !strcmp(argv[1], "one");
	trace.engine = strcmp(argv[2], "ours") ? LINEAR : OURS;
	prepare((pvs_u32)strtoul(argv[3], NULL, 0));
	rounds = strtoul(argv[4], NULL, 0);
	if (trace.count < 2)
		return usage();
	if (!lone) {
		pvs_u32 i;

		for (i = 0; i < trace.count; i += 2)
			waits(i, PVS_WAITS_PREEMPTED | PVS_WAITS_KERNEL);
	}
	while (rounds--) {
		if (lone)
			one();
		else
			many();
	}
	printf("choices %lu found %lu\n", trace.choices, trace.found);
	return 0;
}
