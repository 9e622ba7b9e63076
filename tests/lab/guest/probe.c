/* SPDX-License-Identifier: BSD-2-Clause */
/* Says a fixed sequence of things and writes down what the host answers to each. */
#include "workload.h"

#define STEP_NS 20000000u

#define CLASS(urgency) ((pvs_u64)(urgency) << PVS_INTENT_CLASS_SHIFT)

/* Statements, in the order in which they are made. A raw word is stored as it stands. */
static const struct step {
	struct pvs_guest_intent intent;
	pvs_u64 raw;
	int sleep; /* 1: halt until the next step, 0: burn */
} steps[] = {
	{ .intent = { .urgency = PVS_URGENCY_NORMAL } },
	{ .intent = { .urgency = PVS_URGENCY_REALTIME, .level = 8 } },
	{ .intent = { .urgency = PVS_URGENCY_BACKGROUND } },
	{ .intent = { .idle = 1, .wake_valid = 1, .wake_urgency = PVS_URGENCY_REALTIME,
		      .wake_level = 8 }, .sleep = 1 },
	{ .intent = { .urgency = PVS_URGENCY_INTERACTIVE, .window_us = 1000 } },
	{ .raw = CLASS(PVS_URGENCY_MAX + 1u) },
	{ .raw = CLASS(PVS_URGENCY_REALTIME) | PVS_U64(1u << (PVS_INTENT_RSVD_SHIFT - 32), 0) },
	{ .intent = { .urgency = PVS_URGENCY_NORMAL } },
};

static void make(struct lab_cpu *lab, const struct step *step)
{
	if (!lab->cpu.online)
		return;
	if (step->raw)
		lab->cpu.vcpu.slot->intent = step->raw;
	else
		lab_say(lab, &step->intent);
	pvs_bm_ring(lab->cpu.guest, lab->cpu.index);
}

static void write_down(struct lab_cpu *lab, volatile struct pvs_vmm_echo *echo)
{
	struct pvs_guest_counters counters = { 0 };

	if (!lab->cpu.online)
		return;
	pvs_guest_counters(&lab->cpu.vcpu, &counters);
	echo->intent = lab->cpu.vcpu.slot->intent;
	echo->applied = pvs_guest_applied(&lab->cpu.vcpu);
	echo->window_left = lab->cpu.vcpu.slot->window_left;
	echo->boosts = counters.boosts;
	echo->denials = counters.denials;
	echo->malformed = counters.malformed;
}

void lab_probe(struct lab_cpu *lab)
{
	pvs_u64 step_tsc = lab_tsc(lab, STEP_NS);
	pvs_u64 due_tsc = lab->start_tsc;
	pvs_u32 index;

	for (index = 0; index < sizeof(steps) / sizeof(steps[0]); index++) {
		due_tsc += step_tsc;
		make(lab, &steps[index]);
		if (steps[index].sleep)
			lab_sleep_until(lab, due_tsc);
		while (pvs_bm_tsc() < due_tsc) {
			pvs_vmm_spin(lab_loops(lab, PVS_VMM_UNIT_US * 1000u));
			lab->result->work++;
		}
		write_down(lab, &lab->result->echo[index]);
		lab->result->echo_count = index + 1;
	}
}
