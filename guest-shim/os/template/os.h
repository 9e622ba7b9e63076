/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * os.h - what the template takes from the operating system it is ported to. Replace each by what
 * the OS has; none of them is called on a hot path but os_this_cpu().
 */
#ifndef PVS_TEMPLATE_OS_H
#define PVS_TEMPLATE_OS_H

#include <pvs/abi.h>

/* As many as the OS was built for. */
#define OS_CPUS_MAX 64u

/*
 * Where is the region? From the device tree, ACPI, the command line, a PCI BAR: see
 * abi/spec/bindings.md. Maps it read-write, write-back, for as long as the OS runs. Returns its
 * address and *bytes, header page included, or a null pointer.
 */
volatile void *os_map_region(pvs_u64 *bytes);

/* The calling CPU, 0.., by which its slot is found; preemption is off. */
pvs_u32 os_this_cpu(void);
/* What the host calls this CPU: APIC id, MPIDR affinity, hart id. */
pvs_u32 os_arch_id(pvs_u32 cpu);

/* The doorbells; those that the platform lacks do nothing. */
void os_out32(pvs_u64 port, pvs_u32 value);
void os_mmio32(pvs_u64 guest_physical, pvs_u32 value);
void os_hypercall(pvs_u64 number, pvs_u32 argument);
/* Gives the CPU to the host's other vCPUs for a moment: KVM_HC_SCHED_YIELD, diag 0x9c, H_CONFER,
 * SCHEDOP_yield, a halt that is over at once: what the platform has. */
void os_yield_to_host(void);

/* Waits about a millisecond, at boot. */
void os_pause_1ms(void);

#endif /* PVS_TEMPLATE_OS_H */
