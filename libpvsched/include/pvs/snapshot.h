/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/snapshot.h - stage 1: the guest's words, each loaded once, into private memory.
 * Nothing behind this stage ever sees the shared page.
 */
#ifndef PVS_SNAPSHOT_H
#define PVS_SNAPSHOT_H

#include <pvs/port.h>

struct pvs_snapshot {
	pvs_u64 intent;
	pvs_u64 crit;
	pvs_u64 irq;
	pvs_u64 wait;
	pvs_u64 util_bounds;
	pvs_u64 life;
	pvs_u64 pending;
};

/* What the guest wrote in its line of the header. */
struct pvs_choice {
	pvs_u16 major;
	pvs_u16 minor;
	pvs_u32 generation;
	pvs_u64 features;
	pvs_u32 command;
};

/*
 * Copies the words of one slot, each by one aligned 64-bit load. `slot` must be 8-byte aligned
 * memory that stays mapped; its content may change at any time. Context: any, also interrupt.
 * Complexity: 7 loads.
 */
PVS_API void pvs_snapshot(const struct pvs_slot *slot, struct pvs_snapshot *out);

/* Copies the guest's line of the header, each field by one load. Context: any. 5 loads. */
PVS_API void pvs_snapshot_choice(const struct pvs_region_header *header, struct pvs_choice *out);

#endif /* PVS_SNAPSHOT_H */
