/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's scheduler switches between a task that is urgent and one that is not, and says so each
 * time. What that costs it depends on what the host has asked for:
 *
 *   bench_publish quiet TIMES   no bell is asked for
 *   bench_publish deaf TIMES    one is, but not for such a change
 *   bench_publish bell TIMES    one is, for this very change: the guest is told to ring
 *
 * Each change is stored once as a prepared word (store_prepared) and once from its parts
 * (pvs_guest_publish).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "prepared.h"

static struct pair pair;

/* What the host says when it wants to hear of a raise, or of the end of a boost. */
static pvs_u64 asked(const char *how, int to_urgent)
{
	if (!strcmp(how, "quiet"))
		return 0;
	if (!strcmp(how, "deaf"))
		return to_urgent ? PVS_APPLIED_KICK_DEBOOST : PVS_APPLIED_KICK_RAISE;
	return to_urgent ? PVS_APPLIED_KICK_RAISE : PVS_APPLIED_KICK_DEBOOST;
}

int main(int argc, char **argv)
{
	const struct pvs_guest_intent task[2] = {
		{ .urgency = PVS_URGENCY_NORMAL, .level = 3 },
		{ .urgency = PVS_URGENCY_REALTIME, .level = 3, .window_us = 500 },
	};
	const pvs_u64 word[2] = { pvs_guest_intent_word(&task[0]),
				  pvs_guest_intent_word(&task[1]) };
	unsigned long times = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long n, rings = 0;

	if (!times || pair_agree(&pair)) {
		fprintf(stderr, "usage: bench_publish quiet|deaf|bell TIMES\n");
		return 1;
	}
	store_prepared(&pair.guest_vcpu, word[0]);
	for (n = 0; n < times; n++) {
		pair.slot.applied = asked(argv[1], 1);
		rings += store_prepared(&pair.guest_vcpu, word[1]) == PVS_GUEST_KICK;
		pair.slot.applied = asked(argv[1], 0);
		rings += pvs_guest_publish(&pair.guest_vcpu, &task[0]) == PVS_GUEST_KICK;
		pair.slot.applied = asked(argv[1], 1);
		rings += pvs_guest_publish(&pair.guest_vcpu, &task[1]) == PVS_GUEST_KICK;
		pair.slot.applied = asked(argv[1], 0);
		rings += store_prepared(&pair.guest_vcpu, word[0]) == PVS_GUEST_KICK;
	}
	printf("%lu changes, %lu rings\n", 4u * times, rings);
	return rings == (strcmp(argv[1], "bell") ? 0u : 4u * times) ? 0 : 1;
}
