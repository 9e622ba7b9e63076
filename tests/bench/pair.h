/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host with one vCPU and a guest that have agreed on all they need: where measurements begin.
 */
#ifndef PVS_BENCH_PAIR_H
#define PVS_BENCH_PAIR_H

#include <pvs/guest.h>
#include <pvs/pvs.h>

struct pair {
	struct pvs_region_header header __attribute__((aligned(4096)));
	struct pvs_slot slot __attribute__((aligned(4096)));
	struct pvs_config config;
	struct pvs_vm vm;
	struct pvs_vcpu vcpu;
	struct pvs_io io; /* facts of the host, to be moved on by who steps */
	struct pvs_guest guest;
	struct pvs_guest_vcpu guest_vcpu;
};

/* 0, or a step of the negotiation has failed. The vCPU is not attached yet. */
int pair_agree(struct pair *p);

#endif /* PVS_BENCH_PAIR_H */
