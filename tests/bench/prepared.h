/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PVS_BENCH_PREPARED_H
#define PVS_BENCH_PREPARED_H

#include <pvs/guest.h>

/* What a guest does that has prepared its words: one inlined store, in a function of its own. */
int store_prepared(struct pvs_guest_vcpu *v, pvs_u64 word);

#endif /* PVS_BENCH_PREPARED_H */
