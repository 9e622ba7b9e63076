/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random traces, each choice compared with one made the slow way: every vCPU looked at for every
 * rank. PVS_SEED repeats a run.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 40000u
#define SEED_DEFAULT 1u
#define VECTORS 3u
#define WINDOW_TICKS (50 * MS / 1024)

/* One vCPU of the slow one. */
struct slow_vcpu {
	int waits;
	int interrupt;
	pvs_u32 flags;
	int spins;
	struct {
		int live;
		pvs_u32 target;
		pvs_u32 vector;
		pvs_u64 tick;
	} sent[4];
	pvs_u32 first_receiver;
	pvs_u64 last_tick;
};

static struct {
	struct slow_vcpu v[PVS_YIELD_SLOTS];
	pvs_u32 count;
	pvs_u32 cursor[PVS_YIELD_REASON_COUNT];
} slow;

static struct pvs_yield y;
static pvs_u64 now_ns;
static pvs_u64 random_state;
static unsigned long seen[PVS_YIELD_REASON_COUNT];

/* xorshift64*, Vigna 2016 */
static pvs_u32 below(pvs_u32 limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (pvs_u32)(((random_state * 0x2545f4914f6cdd1dull) >> 32) % limit);
}

/* ---- the slow one -------------------------------------------------------------------------- */

static int slow_recent(pvs_u64 tick)
{
	pvs_s64 age = (pvs_s64)(now_ns / 1024 - tick);

	return age <= (pvs_s64)WINDOW_TICKS && age >= -(pvs_s64)WINDOW_TICKS;
}

static int in_rank(const struct slow_vcpu *v, pvs_u32 reason)
{
	int preempted = (v->flags & PVS_WAITS_PREEMPTED) && !(v->flags & PVS_WAITS_SPINNING);
	int crit = preempted && (v->flags & PVS_WAITS_CRIT);
	int kernel = preempted && !crit && (v->flags & PVS_WAITS_KERNEL);

	if (!v->waits)
		return 0;
	switch (reason) {
	case PVS_YIELD_INTERRUPT:
		return v->interrupt;
	case PVS_YIELD_CRIT:
		return crit;
	case PVS_YIELD_KERNEL:
		return kernel;
	case PVS_YIELD_USER:
		return preempted && !crit && !kernel;
	default:
		return 1;
	}
}

static pvs_u32 slow_turn(pvs_u32 cursor, pvs_u32 reason)
{
	pvs_u32 i;

	for (i = 0; i < PVS_YIELD_SLOTS; i++) {
		pvs_u32 slot = (slow.cursor[cursor] + i) % PVS_YIELD_SLOTS;

		if (slot < slow.count && in_rank(&slow.v[slot], reason)) {
			slow.cursor[cursor] = slot + 1;
			return slot;
		}
	}
	return PVS_NO_TARGET;
}

static pvs_u32 slow_many(const struct pvs_hint *hint)
{
	pvs_u32 base = hint->wait_target;
	pvs_u32 first = slow.cursor[PVS_YIELD_NAMED_MANY] - base;
	pvs_u32 i;

	if (first > 31)
		first = 0;
	for (i = 0; i < 32; i++) {
		pvs_u32 bit = (first + i) % 32;

		if (!(hint->wait_mask >> bit & 1) || base + bit >= slow.count ||
		    !slow.v[base + bit].waits)
			continue;
		slow.cursor[PVS_YIELD_NAMED_MANY] = base + bit + 1;
		return base + bit;
	}
	return PVS_NO_TARGET;
}

static pvs_u32 slow_receiver(struct slow_vcpu *v)
{
	pvs_u32 i;

	if (!slow_recent(v->last_tick))
		memset(v->sent, 0, sizeof(v->sent));
	for (i = 0; i < 4; i++) {
		pvs_u32 at = (v->first_receiver + i) % 4;

		if (!v->sent[at].live || !slow.v[v->sent[at].target].waits ||
		    !slow_recent(v->sent[at].tick))
			continue;
		v->first_receiver = at + 1;
		return v->sent[at].target;
	}
	return PVS_NO_TARGET;
}

static pvs_u32 slow_named(const struct pvs_hint *hint, pvs_u32 epoch, pvs_u32 *reason)
{
	switch (hint->wait_kind) {
	case PVS_WAIT_LOCK:
	case PVS_WAIT_IPI:
		*reason = PVS_YIELD_NAMED;
		if (hint->wait_epoch / 2 != epoch / 2 || hint->wait_target >= slow.count ||
		    !slow.v[hint->wait_target].waits)
			return PVS_NO_TARGET;
		return hint->wait_target;
	case PVS_WAIT_IPI_MANY:
		*reason = PVS_YIELD_NAMED_MANY;
		return slow_many(hint);
	case PVS_WAIT_ANY:
		*reason = PVS_YIELD_HOLDER;
		return slow_turn(PVS_YIELD_CRIT, PVS_YIELD_CRIT);
	default:
		return PVS_NO_TARGET;
	}
}

/* It names somebody that, as far as that is said, has not run since. */
static int slow_is_named(const struct pvs_hint *hint, pvs_u32 epoch)
{
	if (hint->wait_kind == PVS_WAIT_IPI_MANY)
		return 1;
	return (hint->wait_kind == PVS_WAIT_LOCK || hint->wait_kind == PVS_WAIT_IPI) &&
	       (hint->wait_epoch / 2 == epoch / 2 || hint->wait_target >= slow.count);
}

static pvs_u32 slow_choose(pvs_u32 yielder, const struct pvs_hint *hint, pvs_u32 epoch,
			   pvs_u32 *reason)
{
	struct slow_vcpu *v = &slow.v[yielder];
	pvs_u32 target;

	if (v->waits)
		v->spins = 0;
	v->waits = 0;
	target = slow_named(hint, epoch, reason);
	if (target == PVS_NO_TARGET && slow_is_named(hint, epoch)) {
		*reason = PVS_YIELD_NOBODY;
		return target;
	}
	if (target == PVS_NO_TARGET) {
		*reason = PVS_YIELD_RECEIVER;
		target = slow_receiver(v);
	}
	while (target == PVS_NO_TARGET && *reason < PVS_YIELD_RELAXED) {
		++*reason;
		target = slow_turn(*reason, *reason);
	}
	if (target == PVS_NO_TARGET)
		*reason = PVS_YIELD_NOBODY;
	else
		v->spins = 1;
	return target;
}

/* ---- both ---------------------------------------------------------------------------------- */

static void step_choose(void)
{
	pvs_u32 yielder = below(slow.count);
	struct pvs_hint hint = { 0 };
	struct pvs_yield_ask ask = { .now_ns = now_ns };
	struct pvs_yield_choice choice;
	pvs_u32 reason;
	pvs_u32 target;

	hint.wait_kind = (pvs_u8)below(PVS_WAIT_KIND_MAX + 2u);
	if (below(2))
		hint.wait_kind = PVS_WAIT_NONE;
	hint.wait_target = (pvs_u16)below(slow.count + 2u);
	hint.wait_epoch = (pvs_u16)below(4);
	hint.wait_mask = below(0x10000u) << 16 | below(0x10000u);
	ask.target_epoch = below(4);
	target = slow_choose(yielder, &hint, ask.target_epoch, &reason);
	pvs_yield_choose(&y, yielder, &hint, &ask, &choice);
	assert_int_equal(choice.target, target);
	assert_int_equal(choice.reason, reason);
	assert_int_equal(choice.relaxed, reason == PVS_YIELD_RELAXED);
	assert_int_not_equal(choice.target, yielder);
	seen[reason]++;
}

static void step_waits(void)
{
	pvs_u32 slot = below(slow.count);
	pvs_u32 flags = below(PVS_WAITS_ALL + 1u);
	struct slow_vcpu *v = &slow.v[slot];

	if (below(4))
		flags &= ~PVS_WAITS_INTERRUPT;
	pvs_yield_waits(&y, slot, flags);
	v->waits = 1;
	v->interrupt = (flags & PVS_WAITS_INTERRUPT) != 0;
	v->flags = flags | (v->spins ? PVS_WAITS_SPINNING : 0u);
}

static void step_runs(void)
{
	pvs_u32 slot = below(slow.count);

	pvs_yield_runs(&y, slot);
	slow.v[slot].waits = 0;
	slow.v[slot].spins = 0;
}

static void step_interrupt(void)
{
	pvs_u32 slot = below(slow.count);

	pvs_yield_interrupt(&y, slot);
	if (slow.v[slot].waits)
		slow.v[slot].interrupt = 1;
}

static void step_ipi(void)
{
	pvs_u32 sender = below(slow.count);
	pvs_u32 target = below(slow.count);
	pvs_u32 vector = 250 + below(VECTORS);

	pvs_yield_ipi(&y, sender, target, vector, now_ns);
	if (sender == target)
		return;
	slow.v[sender].sent[target % 4].live = 1;
	slow.v[sender].sent[target % 4].target = target;
	slow.v[sender].sent[target % 4].vector = vector;
	slow.v[sender].sent[target % 4].tick = now_ns / 1024;
	slow.v[sender].last_tick = now_ns / 1024;
}

/* Which senders a receiver still knows is the fast one's own business: asked for, not modelled. */
static void step_eoi(void)
{
	pvs_u32 slot = below(slow.count);
	pvs_u32 vector = 250 + below(VECTORS);
	pvs_u32 i;

	for (i = 0; i < 4; i++) {
		pvs_u32 sender = y.slot[slot].from[i];

		if (!sender)
			continue;
		sender--;
		if (slow.v[sender].sent[slot % 4].target == slot &&
		    slow.v[sender].sent[slot % 4].vector == vector)
			slow.v[sender].sent[slot % 4].live = 0;
	}
	pvs_yield_eoi(&y, slot, vector);
}

static void step_removed(void)
{
	pvs_u32 slot = below(slow.count);

	pvs_yield_removed(&y, slot);
	memset(&slow.v[slot], 0, sizeof(slow.v[slot]));
}

static void one_step(void)
{
	pvs_u32 what = below(100);

	now_ns += below(20 * 1000 * 1000);
	if (!below(50))
		now_ns -= below(90 * 1000 * 1000);
	if (what < 40)
		step_choose();
	else if (what < 60)
		step_waits();
	else if (what < 75)
		step_runs();
	else if (what < 80)
		step_interrupt();
	else if (what < 95)
		step_ipi();
	else if (what < 99)
		step_eoi();
	else
		step_removed();
}

static void compare(pvs_u32 count, pvs_u32 steps)
{
	static const struct pvs_yield_config defaults;

	memset(&slow, 0, sizeof(slow));
	slow.count = count;
	now_ns = 1000 * MS;
	assert_int_equal(pvs_yield_init(&y, &defaults, count), PVS_OK);
	while (steps--)
		one_step();
}

static void yield__agrees_with_looking_at_everybody(void **state)
{
	static const pvs_u32 counts[] = { 1, 2, 3, 8, 33, 63, 64, 65, 100, 128, 500, 1023, 1024 };
	const char *text = getenv("PVS_SEED");
	pvs_u32 i;

	(void)state;
	random_state = text ? strtoull(text, NULL, 0) : 0;
	if (!random_state)
		random_state = SEED_DEFAULT;
	print_message("PVS_SEED=%llu\n", random_state);
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		compare(counts[i], counts[i] < 500 ? STEPS : STEPS / 4);
	for (i = 0; i < PVS_YIELD_REASON_COUNT; i++)
		assert_true(seen[i] > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yield__agrees_with_looking_at_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
