/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvs/null.h - the adapter that touches nothing: it records what it was told, and its clock is
 * what the caller sets. For tests, simulators and for reading: it is the smallest whole adapter.
 *
 *	struct pvs_null null = { 0 };
 *	struct pvs_null_vcpu vcpu = { .null = &null };
 *	struct pvs_host_args args = { .ops = &pvs_null_ops, .ctx = &null, ... };
 *	pvs_host_attach(&host, 0, &vcpu, 0);
 */
#ifndef PVS_NULL_ADAPTER_H
#define PVS_NULL_ADAPTER_H

#include <pvs/adapter.h>

/* Decisions kept for each vCPU; older ones are overwritten. A power of two. */
#define PVS_NULL_RECORDS 64u

/* One host. Times are the caller's to set, at any time. */
struct pvs_null {
	pvs_u64 now_ns;
	pvs_u32 timer_granularity_ns;
	pvs_u64 armed_at_ns; /* what `arm` was told last; 0 = never called */
	pvs_u64 arms;        /* calls of each operation */
};

/* One vCPU, and what became of it. */
struct pvs_null_vcpu {
	struct pvs_null *null;
	/* set by the caller */
	pvs_u64 run_ns;
	pvs_u64 wait_ns;
	pvs_u32 entitlement_q16;
	pvs_u8 nested;
	/* faults: the status each operation returns, PVS_OK = works. Stay until changed. */
	int fail_capture;
	int fail_apply;
	int fail_restore;
	int fail_now;
	int fail_kick;
	/* the record */
	int captured;
	pvs_u8 klass;        /* in force; PVS_CLASS_BASELINE when restored */
	pvs_u32 weight_q10;  /* in force, 1024 when restored */
	pvs_u64 captures;
	pvs_u64 applies;     /* apply() calls, failed ones too */
	pvs_u64 restores;
	pvs_u64 samples;
	pvs_u64 kicks;
	struct pvs_decision records[PVS_NULL_RECORDS]; /* number n is at n % PVS_NULL_RECORDS */
};

/* `ctx` of a vCPU is a struct pvs_null_vcpu, of the host a struct pvs_null. */
extern const struct pvs_adapter_ops pvs_null_ops;

/* The decision applied last, or NULL. Context: any. O(1). */
const struct pvs_decision *pvs_null_last(const struct pvs_null_vcpu *v);

#endif /* PVS_NULL_ADAPTER_H */
