/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Stage 1. The only file that reads guest memory. Each word is loaded exactly once.
 */
#include <pvs/snapshot.h>

PVS_API void pvs_snapshot(const struct pvs_slot *slot, struct pvs_snapshot *out)
{
	out->intent = PVS_LOAD64(&slot->intent);
	out->crit = PVS_LOAD64(&slot->crit);
	out->irq = PVS_LOAD64(&slot->irq);
	out->wait = PVS_LOAD64(&slot->wait);
	out->util_bounds = PVS_LOAD64(&slot->util_bounds);
	out->life = PVS_LOAD64(&slot->life);
	out->pending = PVS_LOAD64(&slot->pending);
}

PVS_API void pvs_snapshot_choice(const struct pvs_region_header *header, struct pvs_choice *out)
{
	out->major = PVS_LOAD16(&header->guest_major);
	out->minor = PVS_LOAD16(&header->guest_minor);
	out->generation = PVS_LOAD32(&header->guest_generation);
	out->features = PVS_LOAD64(&header->features_accepted);
	out->command = PVS_LOAD32(&header->guest_command);
}
