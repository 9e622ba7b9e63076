/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the three files of adapters/common share: region.c (the header page), step.c (one
 * checkpoint of one vCPU), host.c (the functions of adapter.h).
 */
#ifndef PVS_HOST_PRIVATE_H
#define PVS_HOST_PRIVATE_H

#include <pvs/adapter.h>

/* region.c */
void pvs_region_write(struct pvs_host *h, const struct pvs_host_args *args,
		      pvs_u32 granularity_ns);
void pvs_region_status(const struct pvs_host *h, pvs_u32 status);
void pvs_region_generation(const struct pvs_host *h);
void pvs_region_ident(struct pvs_slot *slot, int present, pvs_u32 arch_id);
void pvs_region_totals(struct pvs_host *h);

/* step.c */
int pvs_host_step(struct pvs_host *h, struct pvs_host_vcpu *v, pvs_u32 type, pvs_u32 arg);
int pvs_host_quiet(const struct pvs_host *h, const struct pvs_host_vcpu *v);
int pvs_host_restore(struct pvs_host *h, struct pvs_host_vcpu *v);
void pvs_host_arm(struct pvs_host *h, pvs_u64 at_ns);

#endif /* PVS_HOST_PRIVATE_H */
