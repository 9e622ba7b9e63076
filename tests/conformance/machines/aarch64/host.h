/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host of this image, at EL2, and its guest, the bare-metal port, at EL1. The host is the
 * smallest hypervisor that has real checkpoints: a store to the doorbell and a WFI come to it.
 */
#ifndef PVS_MACHINES_HOST_H
#define PVS_MACHINES_HOST_H

#include <pvs/baremetal.h>
#include <pvs/pvs.h>

#define HOST_CPUS        2u
#define HOST_STACK_BYTES 16384u

/* QEMU's machine `virt` (its hw/arm/virt.c is the memory map's source). */
#define HOST_RAM_GPA     0x40000000u
#define HOST_RAM_BYTES   0x10000000u
#define HOST_UART_GPA    0x09000000u
#define HOST_GICD_GPA    0x08000000u
#define HOST_GICR_GPA    0x080a0000u

#define HOST_REGION_GPA  0x48000000u
#define HOST_SLOT_STRIDE 256u
#define HOST_REGION_BYTES (PVS_HEADER_SIZE + HOST_CPUS * HOST_SLOT_STRIDE)
/* No memory there, and nothing mapped: a store comes to the host. */
#define HOST_BELL_GPA    PVS_U64(2u, 0)

/* What the host has seen of one slot: the guest looks at it to check what it has done. */
struct host_seen {
	pvs_u32 rings;
	pvs_u32 halts;
	pvs_u32 klass;       /* of the last decision */
	pvs_u32 wake_klass;  /* of the last one at a wake-up */
	pvs_u32 wake_reason;
};

/* A stack for each CPU of the guest, the first one's first. */
extern pvs_u8 guest_stacks[HOST_CPUS][HOST_STACK_BYTES];
extern volatile struct host_seen host_seen[HOST_CPUS];

#endif /* PVS_MACHINES_HOST_H */
