/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Counters of 64 bits, for hosts and people. No decision depends on them.
 */
#include "stage.h"

#include <pvs/counters.h>

/* Both structs have the same counters in the same order; `boosted_ns` stands apart. */
#define COUNTERS (7u + PVS_REASON_COUNT)
#define COUNTERS_TOLD 4u /* the first ones, which a guest may read of its VM */

static const pvs_u32 *counters_of(const struct pvs_vcpu *v)
{
	return (const pvs_u32 *)(const void *)((const unsigned char *)v +
					       __builtin_offsetof(struct pvs_vcpu, boosts));
}

static pvs_u64 *sums_of(struct pvs_counters *sum)
{
	return (pvs_u64 *)(void *)sum + 1;
}

PVS_API void pvs_counters_read(const struct pvs_vcpu *v, struct pvs_counters *out)
{
	pvs_u32 i;

	out->boosted_ns = v->boosted_ns;
	PVS_FOR(i, COUNTERS)
		sums_of(out)[i] = counters_of(v)[i];
}

PVS_API int pvs_counters_collect(const struct pvs_vcpu *v, struct pvs_counters *seen,
				 struct pvs_counters *sum)
{
	pvs_u64 boosted_ns = v->boosted_ns - seen->boosted_ns;
	pvs_u64 told = boosted_ns;
	pvs_u32 i;

	seen->boosted_ns += boosted_ns;
	sum->boosted_ns += boosted_ns;
	PVS_FOR(i, COUNTERS) {
		/* The low half of what was seen is what the counter was. */
		pvs_u32 more = counters_of(v)[i] - (pvs_u32)sums_of(seen)[i];

		sums_of(seen)[i] += more;
		sums_of(sum)[i] += more;
		if (i < COUNTERS_TOLD)
			told |= more;
	}
	return told != 0;
}

PVS_API void pvs_counters_add(struct pvs_counters *sum, const struct pvs_counters *more)
{
	const pvs_u64 *from = (const pvs_u64 *)(const void *)more + 1;
	pvs_u32 i;

	sum->boosted_ns += more->boosted_ns;
	PVS_FOR(i, COUNTERS)
		sums_of(sum)[i] += from[i];
}
