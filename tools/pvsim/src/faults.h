/* SPDX-License-Identifier: BSD-2-Clause */
/* faults.h - what faults do to others: roles ask before they arm a timer. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include <stdint.h>

struct sim;

/* A role's timer is late by this much now: drawn anew at each call, 0 = it is not. */
uint64_t sim_fault_late_ns(struct sim *sim);

#endif /* SIM_FAULTS_H */
