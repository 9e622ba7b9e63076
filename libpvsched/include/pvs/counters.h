/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/counters.h - what the engine has counted: of a vCPU, and summed for a VM and the system.
 *
 * A vCPU's own counters (pvs/state.h) have 32 bits and wrap; these have 64. A host keeps one
 * struct for each vCPU, which pvs_counters_collect() brings up to date now and then, and one for
 * each sum it wants; pvs_counters_add() sums sums. Zeroed memory is "nothing yet".
 */
#ifndef PVS_COUNTERS_H
#define PVS_COUNTERS_H

#include <pvs/state.h>

struct pvs_counters {
	pvs_u64 boosted_ns; /* run time charged as boosted */
	pvs_u64 boosts;     /* raises applied */
	pvs_u64 denials;    /* raises refused */
	pvs_u64 overruns;   /* boosts that emptied their account */
	pvs_u64 malformed;  /* malformed words seen */
	pvs_u64 tickets;    /* interrupt tickets opened */
	pvs_u64 storms;     /* storms that began */
	pvs_u64 deferrals;  /* preemptions put off */
	pvs_u64 reasons[PVS_REASON_COUNT]; /* decisions by enum pvs_reason, those that were new */
};

/*
 * Sets *out to what stands in *v: all that it counted since pvs_vcpu_init() or what it was
 * restored with, modulo 2^32 but for boosted_ns. Context: as pvs_decide(). O(1).
 */
PVS_API void pvs_counters_read(const struct pvs_vcpu *v, struct pvs_counters *out);

/*
 * Brings `seen`, the host's struct for this vCPU, up to date with *v, and adds what is new to
 * *sum. Exact as long as no counter grows by 2^32 between two calls; a wrap is no step back.
 * Returns 1 when something grew that a guest may read of its VM (boosts, denials, overruns,
 * malformed, boosted_ns), else 0. Context: serialised for *v (as pvs_decide()), `seen` and *sum.
 * O(1).
 */
PVS_API int pvs_counters_collect(const struct pvs_vcpu *v, struct pvs_counters *seen,
				 struct pvs_counters *sum);

/* Adds *more to *sum. Context: any, serialised for *sum. O(1). */
PVS_API void pvs_counters_add(struct pvs_counters *sum, const struct pvs_counters *more);

#endif /* PVS_COUNTERS_H */
