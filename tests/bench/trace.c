/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small deterministic trace through the hot paths: a guest that works 5 % of a 5.33 ms audio
 * period and is idle for the rest, on a host that sees it halt and wake, with a poll in between and
 * a bad word now and then.
 *
 * usage: pvs_bench PERIODS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvs/guest.h>
#include <pvs/pvs.h>

#include "prepared.h"

#define PERIOD_NS 5333333u
#define WORK_NS (PERIOD_NS / 20u)
#define BAD_WORD_EVERY 64u /* periods */
#define GENERATION 1u

static struct {
	struct pvs_region_header header;
	struct pvs_slot slot;
	struct pvs_config config;
	struct pvs_vm vm;
	struct pvs_vcpu vcpu;
	struct pvs_io io;
	struct pvs_guest guest;
	struct pvs_guest_vcpu guest_vcpu;
	unsigned long boosted_steps;
} bench __attribute__((aligned(4096)));

static void host_offers(void)
{
	const pvs_u32 caps = PVS_CAP_SEES_WAKE | PVS_CAP_CAN_KICK | PVS_CAP_SEES_WAIT;
	struct pvs_region_header *header = &bench.header;

	pvs_config_profile(PVS_PROFILE_DEFAULT, &bench.config);
	pvs_vm_init(&bench.vm, caps, GENERATION, 1);
	pvs_vcpu_init(&bench.vcpu, &bench.config);
	bench.io.facts.caps = caps;
	bench.io.facts.now_ns = PERIOD_NS;

	header->magic = PVS_REGION_MAGIC;
	header->abi_major = PVS_ABI_MAJOR;
	header->abi_minor = PVS_ABI_MINOR;
	header->header_size = PVS_HEADER_SIZE;
	header->slot_size = PVS_SLOT_SIZE;
	header->slot_stride = PVS_SLOT_STRIDE_MIN;
	header->slot_count = 1;
	header->generation = GENERATION;
	header->features_offered = bench.vm.features_offered;
	header->kick_kind = PVS_KICK_PIO;
	bench.slot.ident = PVS_IDENT_PRESENT;
}

/* 0, or a step of the negotiation has failed. */
static int agree(void)
{
	struct pvs_choice choice;

	if (pvs_guest_bind(&bench.guest, &bench.header, &bench.slot, sizeof(bench.slot),
			   PVS_F_WAKE | PVS_F_WINDOW | PVS_F_KICK) < 0)
		return -1;
	pvs_snapshot_choice(&bench.header, &choice);
	pvs_vm_negotiate(&bench.vm, &choice);
	bench.header.status = bench.vm.status;
	if (pvs_guest_ready(&bench.guest) != PVS_GUEST_OK)
		return -1;
	return pvs_guest_vcpu_online(&bench.guest, 0, &bench.guest_vcpu);
}

static void step(pvs_u32 event, pvs_u64 run_ns, pvs_u64 wall_ns)
{
	bench.io.event.type = (pvs_u16)event;
	bench.io.facts.run_ns += run_ns;
	bench.io.facts.now_ns += wall_ns;
	pvs_step(&bench.vcpu, &bench.vm, &bench.config, &bench.slot, &bench.io);
	bench.boosted_steps += bench.io.decision.klass >= PVS_CLASS_TASK;
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
	pvs_guest_publish(&bench.guest_vcpu, &working);
	if (number % BAD_WORD_EVERY == BAD_WORD_EVERY - 1u)
		bench.slot.util_bounds = ~(pvs_u64)0;
	step(PVS_EV_POLL, WORK_NS / 2u, WORK_NS / 2u);
	store_prepared(&bench.guest_vcpu, pvs_guest_intent_word(&resting));
	bench.slot.util_bounds = 0;
	step(PVS_EV_HALT, WORK_NS / 2u, WORK_NS / 2u);
}

int main(int argc, char **argv)
{
	unsigned long periods = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long n;

	host_offers();
	if (!periods || agree() < 0) {
		fprintf(stderr, "pvs_bench: usage: pvs_bench PERIODS, or no agreement\n");
		return 1;
	}
	step(PVS_EV_ATTACH, 0, 0);
	for (n = 0; n < periods; n++)
		period(n);
	printf("%lu periods, %lu boosted steps\n", periods, bench.boosted_steps);
	/* Woken for a deadline, working for it: two steps of three. */
	return bench.boosted_steps > periods ? 0 : 1;
}
