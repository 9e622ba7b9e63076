/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small deterministic trace through the hot paths: a guest that works 5 % of a 5.33 ms audio
 * period and is idle for the rest, on a host that sees it halt and wake, with a poll in between and
 * a bad word now and then.
 *
 * usage: bench_trace PERIODS
 */
#include <stdio.h>
#include <stdlib.h>

#include "pair.h"
#include "prepared.h"

#define PERIOD_NS 5333333u
#define WORK_NS (PERIOD_NS / 20u)
#define BAD_WORD_EVERY 64u /* periods */

static struct pair pair;
static unsigned long boosted_steps;

static void step(pvs_u32 event, pvs_u64 run_ns, pvs_u64 wall_ns)
{
	struct pvs_io *io = &pair.io;

	io->event.type = (pvs_u16)event;
	io->facts.run_ns += run_ns;
	io->facts.now_ns += wall_ns;
	pvs_step(&pair.vcpu, &pair.vm, &pair.config, &pair.slot, io);
	boosted_steps += io->decision.klass >= PVS_CLASS_TASK;
}

static void period(unsigned long number)
{
	const struct pvs_guest_intent working = {
		.urgency = PVS_URGENCY_REALTIME, .level = 3, .window_us = 500,
	};
	const struct pvs_guest_intent resting = {
		.idle = 1, .wake_valid = 1, .wake_urgency = PVS_URGENCY_REALTIME, .wake_level = 3,
	};

	step(PVS_EV_WAKE, 0, PERIOD_NS - WORK_NS);
	pvs_guest_publish(&pair.guest_vcpu, &working);
	if (number % BAD_WORD_EVERY == BAD_WORD_EVERY - 1u)
		pair.slot.util_bounds = ~(pvs_u64)0;
	step(PVS_EV_POLL, WORK_NS / 2u, WORK_NS / 2u);
	store_prepared(&pair.guest_vcpu, pvs_guest_intent_word(&resting));
	pair.slot.util_bounds = 0;
	step(PVS_EV_HALT, WORK_NS / 2u, WORK_NS / 2u);
}

int main(int argc, char **argv)
{
	unsigned long periods = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long n;

	if (!periods || pair_agree(&pair)) {
		fprintf(stderr, "usage: bench_trace PERIODS (or there was no agreement)\n");
		return 1;
	}
	step(PVS_EV_ATTACH, 0, 0);
	for (n = 0; n < periods; n++)
		period(n);
	printf("%lu periods, %lu boosted steps\n", periods, boosted_steps);
	/* Woken for a deadline, working for it: two steps of three. */
	return boosted_steps > periods ? 0 : 1;
}
