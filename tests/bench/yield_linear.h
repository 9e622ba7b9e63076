/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hosts do today when a vCPU spins: look at one vCPU after the other, from behind the one
 * chosen last, until one can be yielded to. Written from a description of KVM's kvm_vcpu_on_spin()
 * as of Linux 7.3; none of its code is here. As there, vCPUs are found by their number in a tree
 * with nodes of 64; what that tree costs beside the walk itself is left out, and so is everything
 * that a host has to do for a candidate before it can know whether to yield to it.
 */
#ifndef PVS_BENCH_YIELD_LINEAR_H
#define PVS_BENCH_YIELD_LINEAR_H

#include <pvs/pvs.h>

#define LINEAR_NOBODY 0xffffffffu

struct linear_vcpu {
	pvs_u8 ready;        /* runnable, and not running */
	pvs_u8 preempted;    /* because it lost its CPU */
	pvs_u8 in_kernel;    /* when it lost it */
	pvs_u8 blocking;     /* about to sleep */
	pvs_u8 interrupt;    /* has one pending */
	pvs_u8 in_spin_loop; /* has yielded itself, and has not run since */
	pvs_u8 dy_eligible;  /* ... and it is its turn all the same: every second look */
};

#define LINEAR_FANOUT 64u

struct linear_node {
	pvs_u32 shift; /* of the number, before it is an index into `slot` */
	void *slot[LINEAR_FANOUT];
};

struct linear {
	pvs_u32 count;
	pvs_u32 last_boosted;
	struct linear_vcpu *vcpu; /* for who has one at hand, and need not look for it */
	struct linear_node *root;
	struct linear_node node[1u + PVS_YIELD_SLOTS / LINEAR_FANOUT];
};

/* `memory`: `count` vCPUs. */
void linear_init(struct linear *l, struct linear_vcpu *memory, pvs_u32 count);
void linear_waits(struct linear *l, pvs_u32 slot, pvs_u32 flags); /* PVS_WAITS_* */
void linear_runs(struct linear *l, pvs_u32 slot);
/* Whom `slot` yields to if it spins in its kernel, or LINEAR_NOBODY. Each yield succeeds. */
pvs_u32 linear_choose(struct linear *l, pvs_u32 slot);

#endif /* PVS_BENCH_YIELD_LINEAR_H */
