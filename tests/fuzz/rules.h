/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules.h - what must hold whatever the input was. Written from the specification and the public
 * headers; what the engine keeps to itself is read through pvs_state_save().
 */
#ifndef FUZZ_RULES_H
#define FUZZ_RULES_H

#include "fuzz.h"

#include <pvs/pvs.h>

/* Every field of a hint is in range, and says nothing for which no feature was accepted. */
void rules_hint(const struct pvs_hint *hint, const struct pvs_terms *terms,
		const struct pvs_snapshot *snap);

/* One vCPU watched over a run: what it was before a step, and what it may have used in all. */
struct watched {
	struct pvs_vcpu vcpu;
	struct pvs_saved before;
	uint64_t now_ns;       /* of the last step */
	uint64_t run_ns;
	uint64_t gained_ns;    /* most that both accounts can have been given since `start` */
	uint64_t rounded_ns;   /* most that rounding can have taken off what was paid */
	struct pvs_saved start;
	int started;           /* the two clocks above are of a step */
	int was_attached;      /* before the step */
	int forgiven;          /* overdrawn beyond what is kept: the sums end here */
	uint8_t klass;         /* of the last decision */
};

/* From here on, the sums begin anew: after init and restore. */
void rules_begin(struct watched *w);

/* To be called around each pvs_step() on w->vcpu. */
void rules_before_step(struct watched *w);
void rules_after_step(struct watched *w, const struct pvs_config *cfg, const struct pvs_vm *vm,
		      const struct pvs_io *io);

/* What the host has written to the slot, and that it wrote nothing else. */
void rules_slot(const struct pvs_slot *before, const struct pvs_slot *after,
		const struct pvs_vm *vm, const struct pvs_decision *decision);

/* A restored state gives nothing that a fresh one does not give. */
void rules_restored(const struct pvs_vcpu *v, const struct pvs_config *cfg);

#endif /* FUZZ_RULES_H */
