/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dvfs.h - performance levels of the host's CPUs, and which CPU is big enough.
 *
 * `machine.dvfs`: 0 = always the highest level; 1 = what the host sees threads run, as schedutil
 * does; 2 = also what guests say, through pvs/perf.h.
 */
#ifndef SIM_DVFS_H
#define SIM_DVFS_H

#include "machine.h"

/* 1: what guests say of their utilisation counts. */
int sim_dvfs_by_guests(const struct sim *sim);
/* A decision says how much performance a vCPU needs, 0..1024; 0 = no statement. */
void sim_dvfs_ask(struct sim *sim, struct sim_vcpu *v, uint32_t perf_q10);
/* It sleeps now: what it said last fades, as the utilisation of a sleeper does. */
void sim_dvfs_rest(struct sim *sim, struct sim_vcpu *v);
/* The CPU that fits this thread by its utilisation, of those it may run on; NULL where all CPUs are
 * equal, where nothing is known of it, or where nobody keeps utilisation (dvfs 0). */
struct sim_cpu *sim_dvfs_fit(struct sim *sim, const struct sim_thread *t);
/* Utilisation of a thread as the host sees it, 0..1024. */
uint32_t sim_dvfs_util(const struct sim *sim, const struct sim_thread *t);

#endif /* SIM_DVFS_H */
