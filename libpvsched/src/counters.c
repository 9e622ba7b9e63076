/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Counters of 64 bits, for hosts and people. No decision depends on them.
 */
#include "stage.h"

#include <pvs/counters.h>

PVS_API void pvs_counters_read(const struct pvs_vcpu *v, struct pvs_counters *out)
{
	pvs_u32 i;

	out->boosted_ns = v->boosted_ns;
	out->boosts = v->boosts;
	out->denials = v->denials;
	out->overruns = v->overruns;
	out->malformed = v->malformed;
	out->tickets = v->tickets;
	out->storms = v->storms;
	out->deferrals = v->deferrals;
	PVS_FOR(i, PVS_REASON_COUNT)
		out->reasons[i] = v->reasons[i];
}

/* The low half of `seen` is what the counter was. Returns by how much it has grown since. */
static pvs_u32 grow(pvs_u64 *seen, pvs_u64 *sum, pvs_u32 now)
{
	pvs_u32 more = now - (pvs_u32)*seen;

	*seen += more;
	*sum += more;
	return more;
}

PVS_API int pvs_counters_collect(const struct pvs_vcpu *v, struct pvs_counters *seen,
				 struct pvs_counters *sum)
{
	pvs_u64 boosted_ns = v->boosted_ns - seen->boosted_ns;
	pvs_u32 told = boosted_ns != 0;
	pvs_u32 i;

	seen->boosted_ns += boosted_ns;
	sum->boosted_ns += boosted_ns;
	told |= grow(&seen->boosts, &sum->boosts, v->boosts);
	told |= grow(&seen->denials, &sum->denials, v->denials);
	told |= grow(&seen->overruns, &sum->overruns, v->overruns);
	told |= grow(&seen->malformed, &sum->malformed, v->malformed);
	(void)grow(&seen->tickets, &sum->tickets, v->tickets);
	(void)grow(&seen->storms, &sum->storms, v->storms);
	(void)grow(&seen->deferrals, &sum->deferrals, v->deferrals);
	PVS_FOR(i, PVS_REASON_COUNT)
		(void)grow(&seen->reasons[i], &sum->reasons[i], v->reasons[i]);
	return told != 0;
}

PVS_API void pvs_counters_add(struct pvs_counters *sum, const struct pvs_counters *more)
{
	pvs_u32 i;

	sum->boosted_ns += more->boosted_ns;
	sum->boosts += more->boosts;
	sum->denials += more->denials;
	sum->overruns += more->overruns;
	sum->malformed += more->malformed;
	sum->tickets += more->tickets;
	sum->storms += more->storms;
	sum->deferrals += more->deferrals;
	PVS_FOR(i, PVS_REASON_COUNT)
		sum->reasons[i] += more->reasons[i];
}
