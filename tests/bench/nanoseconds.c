/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same paths by the clock. One line for each: its name and the nanoseconds of one call, the
 * median of several runs. They depend on the machine and on what else it does; only ratios of two
 * of them from one run mean something.
 *
 *	bench_ns CALLS
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pair.h"
#include "prepared.h"
#include "yield_linear.h"

#define RUNS 15u /* odd: the median is one of them */
#define LOOK_NS 1000000u
#define VCPUS 1024u

static struct pair pair;
static struct pvs_yield sets;
static struct linear scan;
static struct linear_vcpu scanned[VCPUS];
static pvs_u32 holder = VCPUS / 2u;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void publish_prepared(void)
{
	(void)store_prepared(&pair.guest_vcpu, 0);
}

static void publish_full(void)
{
	static const struct pvs_guest_intent task = { .urgency = PVS_URGENCY_NORMAL, .level = 3 };

	(void)pvs_guest_publish(&pair.guest_vcpu, &task);
}

static void look(void)
{
	pair.io.facts.now_ns += LOOK_NS;
	pair.io.facts.run_ns += LOOK_NS / 4u;
}

static void decide(void)
{
	look();
	pvs_decide(&pair.vcpu, &pair.vm, &pair.config, &pair.io);
}

static void step(void)
{
	look();
	pvs_step(&pair.vcpu, &pair.vm, &pair.config, &pair.slot, &pair.io);
}

/* One vCPU of all waits, never where the search begins. */
static void yield_sets(void)
{
	static const struct pvs_hint silent;
	struct pvs_yield_ask ask = { .now_ns = 1 };
	struct pvs_yield_choice choice;

	pvs_yield_choose(&sets, 0, &silent, &ask, &choice);
	pvs_yield_runs(&sets, holder);
	holder = (holder * 5u + 3u) % (VCPUS - 1u) + 1u;
	pvs_yield_waits(&sets, holder, PVS_WAITS_PREEMPTED | PVS_WAITS_KERNEL);
}

static void yield_linear(void)
{
	(void)linear_choose(&scan, 0);
	linear_runs(&scan, 0);
	linear_runs(&scan, holder);
	holder = (holder * 5u + 3u) % (VCPUS - 1u) + 1u;
	linear_waits(&scan, holder, PVS_WAITS_PREEMPTED | PVS_WAITS_KERNEL);
}

static int larger(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const char *name, void (*call)(void), unsigned long calls)
{
	double run_ns[RUNS];
	unsigned long n;
	pvs_u32 i;

	for (i = 0; i < RUNS; i++) {
		double began_ns = now_ns();

		for (n = 0; n < calls; n++)
			call();
		run_ns[i] = (now_ns() - began_ns) / (double)calls;
	}
	qsort(run_ns, RUNS, sizeof(run_ns[0]), larger);
	printf("%s %.1f\n", name, run_ns[RUNS / 2u]);
}

int main(int argc, char **argv)
{
	static const struct pvs_yield_config defaults;
	unsigned long calls = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;

	if (!calls || pair_agree(&pair) || pvs_yield_init(&sets, &defaults, VCPUS) != PVS_OK) {
		fprintf(stderr, "usage: bench_ns CALLS (or there was no agreement)\n");
		return 1;
	}
	linear_init(&scan, scanned, VCPUS);
	measure("publish_ns", publish_prepared, calls);
	measure("publish_full_ns", publish_full, calls);
	pair.io.event.type = PVS_EV_ATTACH;
	step();
	pair.io.event.type = PVS_EV_POLL;
	measure("decide_ns", decide, calls);
	measure("step_ns", step, calls);
	measure("yield_1024_ns", yield_sets, calls);
	measure("yield_linear_1024_ns", yield_linear, calls);
	return 0;
}
