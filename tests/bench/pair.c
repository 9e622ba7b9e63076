/* SPDX-License-Identifier: BSD-2-Clause */
#include "pair.h"

#define GENERATION 1u
#define START_NS 1000000000u

static void host_offers(struct pair *p)
{
	const pvs_u32 caps = PVS_CAP_SEES_WAKE | PVS_CAP_CAN_KICK | PVS_CAP_SEES_WAIT;
	struct pvs_region_header *header = &p->header;

	pvs_config_profile(PVS_PROFILE_DEFAULT, &p->config);
	pvs_vm_init(&p->vm, caps, GENERATION, 1);
	pvs_vcpu_init(&p->vcpu, &p->config);
	p->io.facts.caps = caps;
	p->io.facts.now_ns = START_NS;

	header->magic = PVS_REGION_MAGIC;
	header->abi_major = PVS_ABI_MAJOR;
	header->abi_minor = PVS_ABI_MINOR;
	header->header_size = PVS_HEADER_SIZE;
	header->slot_size = PVS_SLOT_SIZE;
	header->slot_stride = PVS_SLOT_STRIDE_MIN;
	header->slot_count = 1;
	header->generation = GENERATION;
	header->features_offered = p->vm.features_offered;
	header->kick_kind = PVS_KICK_PIO;
	p->slot.ident = PVS_IDENT_PRESENT;
}

int pair_agree(struct pair *p)
{
	struct pvs_choice choice;

	host_offers(p);
	if (pvs_guest_bind(&p->guest, &p->header, &p->slot, sizeof(p->slot),
			   PVS_F_WAKE | PVS_F_WINDOW | PVS_F_KICK) < 0)
		return -1;
	pvs_snapshot_choice(&p->header, &choice);
	pvs_vm_negotiate(&p->vm, &choice);
	p->header.status = p->vm.status;
	if (pvs_guest_ready(&p->guest) != PVS_GUEST_OK)
		return -1;
	return pvs_guest_vcpu_online(&p->guest, 0, &p->guest_vcpu);
}
