/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay_state.h - the inside of struct pvs_replay: sized here so that a caller can own one, read
 * and written by the replayer alone.
 */
#ifndef PVS_REPLAY_STATE_H
#define PVS_REPLAY_STATE_H

#include <pvs/guest.h>

/* A `generate` line at work (abi/spec/vectors.md). */
struct replay_generator {
	pvs_u64 random; /* state of splitmix64 */
	pvs_u64 digest; /* FNV-1a 64 of its result lines alone */
	pvs_u32 vcpus;
	pvs_u32 profile;
	pvs_u32 mode;
	pvs_u32 agree;  /* the next step begins with a new agreement */
	pvs_u32 v;      /* vCPU of the step at hand */
	pvs_u32 seq[REPLAY_VCPUS];    /* of the last intent drawn */
	pvs_u32 ticket[REPLAY_VCPUS]; /* `ticket` of the last result */
	pvs_u32 run[REPLAY_VCPUS];    /* `run` of the last result */
	pvs_u32 place[REPLAY_VCPUS];  /* where a member or an entity is */
};

/* The guest's side: it has pointers, so it is not part of the world. */
struct replay_guest {
	struct pvs_guest guest;
	struct pvs_guest_vcpu vcpu[REPLAY_VCPUS];
	pvs_u64 found[REPLAY_VCPUS]; /* what irq_enter found */
};

struct pvs_replay {
	struct replay_world *world;
	struct replay_op *op;
	struct replay_result *result;
	pvs_u64 digest;
	pvs_u32 line_number;
	pvs_u32 vectors;
	pvs_u32 steps;
	pvs_u32 generated;
	pvs_u32 expectations;
	pvs_u32 mismatches;
	pvs_u32 first_bad;
	pvs_u32 has_result;      /* a result stands that an `=` line may speak of */
	pvs_u32 generating;
	pvs_u32 reserved;
	char vector[64];         /* name of the vector at hand */
	char line[REPLAY_LINE_MAX];
	char out[REPLAY_LINE_MAX];
	struct replay_generator gen;
	struct replay_guest guest;
	struct replay_op own_op;
	struct replay_result own_result;
	struct replay_world own_world;
};

_Static_assert(sizeof(struct pvs_replay) <= 512u * 1024u, "a replayer fits into a small kernel");

#endif /* PVS_REPLAY_STATE_H */
