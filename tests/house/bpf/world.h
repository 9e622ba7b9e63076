/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * world.h - all that one step of the engine reads and writes, as the value of a BPF map.
 */
#ifndef PVS_HOUSE_WORLD_H
#define PVS_HOUSE_WORLD_H

#include <pvs/pvs.h>

struct world {
	struct pvs_slot slot;
	struct pvs_vcpu vcpu;
	struct pvs_vm vm;
	struct pvs_io io;
	struct pvs_config config;
};

#endif /* PVS_HOUSE_WORLD_H */
