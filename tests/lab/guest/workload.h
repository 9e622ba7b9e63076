/* SPDX-License-Identifier: BSD-2-Clause */
/* The lab's guest image: one vCPU as its workload sees it. */
#ifndef PVS_LAB_WORKLOAD_H
#define PVS_LAB_WORKLOAD_H

#include <pvs/baremetal.h>
#include <pvs/vmm_guest.h>

struct lab_cpu {
	struct pvs_bm_cpu cpu; /* first: what the port hands to on_timer */
	const struct pvs_vmm_boot *boot;
	volatile struct pvs_vmm_result *result;
	volatile pvs_u32 *wake_ns;
	volatile pvs_u32 *done_ns;
	pvs_u64 random;      /* state of lab_random() */
	pvs_u64 start_tsc;   /* the workload begins */
	pvs_u64 from_tsc;    /* the recorded interval */
	pvs_u64 to_tsc;
	/* audio and mixed: the grid of periods */
	pvs_u64 due_tsc;     /* deadline of the timer at hand */
	pvs_u64 period_tsc;
	pvs_u64 work_loops;
	pvs_u32 asleep; /* its last word was "idle" */
};

/* Each workload is endless, but for those that end by themselves and return. */
void lab_audio(struct lab_cpu *lab);
void lab_mixed(struct lab_cpu *lab);
void lab_burn(struct lab_cpu *lab);
void lab_locks(struct lab_cpu *lab);
void lab_liar(struct lab_cpu *lab);
void lab_pulse(struct lab_cpu *lab);
void lab_garbage(struct lab_cpu *lab);
void lab_flip(struct lab_cpu *lab);
void lab_stale(struct lab_cpu *lab);
void lab_probe(struct lab_cpu *lab);

/* ---- helpers, main.c ------------------------------------------------------------------------- */

/* Turns of the loop that take `ns` of undisturbed CPU, at least one. */
pvs_u64 lab_loops(const struct lab_cpu *lab, pvs_u64 ns);

pvs_u64 lab_tsc(const struct lab_cpu *lab, pvs_u64 ns);
pvs_u64 lab_ns(const struct lab_cpu *lab, pvs_u64 tsc);

/* 64 random bits of this vCPU, the same for the same seed. */
pvs_u64 lab_random(struct lab_cpu *lab);

/* Sleeps, silently, until this value of the TSC. */
void lab_sleep_until(struct lab_cpu *lab, pvs_u64 tsc);

/* Publishes, counted. */
void lab_say(struct lab_cpu *lab, const struct pvs_guest_intent *intent);

#endif /* PVS_LAB_WORKLOAD_H */
