/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * region.h - a host in a few lines: memory laid out as a region, and a guest bound to it.
 */
#ifndef PVS_TEST_REGION_H
#define PVS_TEST_REGION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pvs/guest_inline.h>

#define REGION_SLOTS 4u
#define REGION_GENERATION 0x5a5a5au

/* Header page, then the slots at the smallest stride; zeroes where the host wrote nothing. */
struct region {
	struct pvs_region_header header __attribute__((aligned(4096)));
	unsigned char slots[4096] __attribute__((aligned(4096)));
	struct pvs_guest guest;
	struct pvs_guest_vcpu vcpu; /* of slot 1 */
};

/* A region with REGION_SLOTS slots that offers `features` and waits for a guest. */
struct region *region_new(pvs_u64 features);
void region_free(struct region *r);

struct pvs_slot *region_slot(struct region *r, unsigned int index);

/* Binds the guest, wanting `features`; the result of pvs_guest_bind(). */
int region_bind(struct region *r, pvs_u64 features);

/* Offered, bound, active, and vCPU 1 online: `features` are both offered and wanted. */
struct region *region_active(pvs_u64 features);

#endif /* PVS_TEST_REGION_H */
