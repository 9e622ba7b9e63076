/* SPDX-License-Identifier: BSD-2-Clause */
#include "region.h"

#include <stdlib.h>
#include <string.h>

struct region *region_new(pvs_u64 features)
{
	struct region *r = aligned_alloc(4096, sizeof(*r));

	assert_non_null(r);
	memset(r, 0, sizeof(*r));
	r->header.magic = PVS_REGION_MAGIC;
	r->header.abi_major = PVS_ABI_MAJOR;
	r->header.abi_minor = PVS_ABI_MINOR;
	r->header.header_size = PVS_HEADER_SIZE;
	r->header.slot_size = PVS_SLOT_SIZE;
	r->header.slot_stride = PVS_SLOT_SIZE;
	r->header.slot_count = REGION_SLOTS;
	r->header.generation = REGION_GENERATION;
	r->header.features_offered = features;
	r->header.status = PVS_STATUS_OFFERED;
	r->header.window_min_us = 50;
	r->header.grant_max_us = 3000;
	r->header.hint_rate_hz = 10000;
	r->header.kick_kind = PVS_KICK_PIO;
	r->header.kick_addr = 0x5057;
	return r;
}

void region_free(struct region *r)
{
	free(r);
}

struct pvs_slot *region_slot(struct region *r, unsigned int index)
{
	return (struct pvs_slot *)(void *)(r->slots + (size_t)index * PVS_SLOT_SIZE);
}

int region_bind(struct region *r, pvs_u64 features)
{
	return pvs_guest_bind(&r->guest, &r->header, r->slots, sizeof(r->slots), features);
}

struct region *region_active(pvs_u64 features)
{
	struct region *r = region_new(features);

	assert_int_equal(region_bind(r, features), PVS_GUEST_KICK);
	r->header.status = PVS_STATUS_ACTIVE;
	assert_int_equal(pvs_guest_ready(&r->guest), PVS_GUEST_OK);
	assert_int_equal(pvs_guest_vcpu_online(&r->guest, 1, &r->vcpu), PVS_GUEST_OK);
	return r;
}
