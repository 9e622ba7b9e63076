/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Periodic work on a fixed grid: `audio` sleeps between two periods, `mixed` burns. A period is
 * missed when its work is not complete at the next point of the grid. Whoever is late goes on with
 * the period that has begun last, at once, and has missed all before it.
 */
#include "workload.h"

#define UTIL_MAX 1024u

static pvs_u16 util(const struct lab_cpu *lab)
{
	const struct pvs_vmm_boot *boot = lab->boot;

	return (pvs_u16)(boot->work_ns * UTIL_MAX / (boot->period_ns ? boot->period_ns : 1));
}

/* What the audio task is, while it runs. */
static struct pvs_guest_intent urgent(const struct lab_cpu *lab)
{
	struct pvs_guest_intent intent = { 0 };

	intent.urgency = PVS_URGENCY_REALTIME;
	intent.level = (pvs_u8)lab->boot->level;
	intent.window_us = (pvs_u16)lab->boot->window_us;
	intent.util = util(lab);
	intent.util_valid = 1;
	return intent;
}

/* Nothing to do until the next period, and that will be urgent. */
static struct pvs_guest_intent asleep(const struct lab_cpu *lab)
{
	struct pvs_guest_intent intent = { 0 };

	intent.idle = 1;
	intent.wake_valid = 1;
	intent.wake_urgency = PVS_URGENCY_REALTIME;
	intent.wake_level = (pvs_u8)lab->boot->level;
	intent.util = util(lab);
	intent.util_valid = 1;
	return intent;
}

/* The grid begins somewhere in the first period: another seed, another phase. */
static void grid_start(struct lab_cpu *lab)
{
	lab->period_tsc = lab_tsc(lab, lab->boot->period_ns);
	if (lab->period_tsc == 0)
		lab->period_tsc = 1;
	lab->work_loops = lab_loops(lab, lab->boot->work_ns);
	lab->due_tsc = lab->start_tsc + lab->period_tsc + lab_random(lab) % lab->period_tsc;
}

static int recorded(const struct lab_cpu *lab, pvs_u64 due_tsc)
{
	return due_tsc >= lab->from_tsc && due_tsc < lab->to_tsc;
}

/* One period is over: takes its samples, and moves on to the period that is due next. */
static void period_end(struct lab_cpu *lab, pvs_u64 began_tsc, pvs_u64 done_tsc)
{
	volatile struct pvs_vmm_result *result = lab->result;
	pvs_u64 sample = result->samples;
	/* KVM fires a timer slightly early rather than late: that is no delay. */
	pvs_u64 late_tsc = began_tsc > lab->due_tsc ? began_tsc - lab->due_tsc : 0;

	if (recorded(lab, lab->due_tsc)) {
		result->periods++;
		if (sample < PVS_VMM_SAMPLES_MAX) {
			lab->wake_ns[sample] = (pvs_u32)lab_ns(lab, late_tsc);
			lab->done_ns[sample] = (pvs_u32)lab_ns(lab, done_tsc - lab->due_tsc);
			result->samples = sample + 1;
		}
	}
	result->work++;

	lab->due_tsc += lab->period_tsc;
	if (done_tsc < lab->due_tsc)
		return;
	result->misses += (pvs_u64)recorded(lab, lab->due_tsc - lab->period_tsc);
	while (done_tsc - lab->due_tsc >= lab->period_tsc) {
		result->periods += (pvs_u64)recorded(lab, lab->due_tsc);
		result->misses += (pvs_u64)recorded(lab, lab->due_tsc);
		lab->due_tsc += lab->period_tsc;
	}
}

void lab_audio(struct lab_cpu *lab)
{
	struct pvs_guest_intent run = urgent(lab);
	struct pvs_guest_intent idle = asleep(lab);

	grid_start(lab);
	for (;;) {
		pvs_bm_timer_at(&lab->cpu, lab->due_tsc);
		lab_say(lab, &idle);
		while (lab->cpu.fired_tsc == 0)
			pvs_bm_halt();
		lab_say(lab, &run);
		pvs_vmm_spin(lab->work_loops);
		period_end(lab, lab->cpu.fired_tsc, pvs_bm_tsc());
	}
}

/* The audio task of `mixed`: it preempts the burner, so it runs where the timer interrupt does. */
static void mixed_timer(struct pvs_bm_cpu *cpu)
{
	struct lab_cpu *lab = (struct lab_cpu *)cpu;
	struct pvs_guest_intent run = urgent(lab);
	struct pvs_guest_intent burn = { 0 };

	lab_say(lab, &run);
	pvs_vmm_spin(lab->work_loops);
	period_end(lab, cpu->fired_tsc, pvs_bm_tsc());

	burn.urgency = PVS_URGENCY_NORMAL;
	lab_say(lab, &burn);
	pvs_bm_timer_at(cpu, lab->due_tsc);
}

void lab_mixed(struct lab_cpu *lab)
{
	grid_start(lab);
	lab->cpu.on_timer = mixed_timer;
	pvs_bm_timer_at(&lab->cpu, lab->due_tsc);
	pvs_bm_irq_on();
	lab_burn(lab);
}
