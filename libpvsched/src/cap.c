/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The VM's cap on boosted time, one 64-bit word changed by several vCPUs at once.
 *
 * The word is a time: when it is in the past the cap is untouched, when it is `capacity` ahead of
 * now nothing is left. Refill is the passing of time, so taking is one compare-and-swap. A lost
 * race is tried again a bounded number of times and then counts as "nothing left" (taking) or is
 * forgotten (refund): every failure is to the guest's disadvantage, never to its neighbours'.
 *
 * Tolerance: a vCPU takes `vm_quantum_ns` ahead and settles what it overran at its next
 * checkpoint, so n boosted vCPUs can exceed the cap by n times the distance of two checkpoints.
 */
#include "stage.h"

#define CAP_TRIES 4u
/* What all vCPUs of a VM together can have overrun: 1024 of them, by a grant of some ms each. */
#define CAP_DEBT_MAX_NS PVS_U64(2u, 0x540be400u) /* 10 s */

static pvs_u64 wall_cost(const struct pvs_config *cfg, pvs_u64 boost_ns)
{
	return (boost_ns * cfg->vm_cost_q10) >> 10;
}

/* Moves the word `cost` ahead of now or of where it stands. 0: over the limit, or races lost. */
static int advance(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 now_ns, pvs_u64 cost,
		   pvs_u64 limit)
{
	pvs_u64 ahead_max = cfg->vm_burst_wall_ns + CAP_DEBT_MAX_NS;
	pvs_u32 i;

	PVS_FOR(i, CAP_TRIES) {
		pvs_u64 seen = PVS_PEEK(pvs_u64, &vm->cap_ns);
		/* Farther ahead, it is the clock that has stepped back. */
		pvs_u64 base = pvs_min64(pvs_max64(seen, now_ns), now_ns + ahead_max);
		pvs_u64 next = base + cost;

		if (next > limit) {
			/* Kept, or it would be as far ahead until the clock is there again. */
			if (base < seen)
				(void)PVS_CAS64(&vm->cap_ns, seen, base);
			return 0;
		}
		if (PVS_CAS64(&vm->cap_ns, seen, next) == seen)
			return 1;
	}
	return 0;
}

/* One quantum. */
PVS_STAGE int pvs_cap_take(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 now_ns)
{
	return advance(vm, cfg, now_ns, cfg->vm_quantum_wall_ns, now_ns + cfg->vm_burst_wall_ns);
}

/* Time already used: charged whether there is enough left or not. */
PVS_STAGE void pvs_cap_charge(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 now_ns,
			      pvs_u64 boost_ns)
{
	pvs_u64 cost = wall_cost(cfg, boost_ns);

	if (!advance(vm, cfg, now_ns, cost, PVS_NEVER))
		(void)PVS_ADD64(&vm->cap_ns, cost);
}

PVS_STAGE void pvs_cap_refund(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 boost_ns)
{
	pvs_u64 cost = wall_cost(cfg, boost_ns);
	pvs_u32 i;

	PVS_FOR(i, CAP_TRIES) {
		pvs_u64 seen = PVS_PEEK(pvs_u64, &vm->cap_ns);

		if (PVS_CAS64(&vm->cap_ns, seen, pvs_less64(seen, cost)) == seen)
			return;
	}
}
