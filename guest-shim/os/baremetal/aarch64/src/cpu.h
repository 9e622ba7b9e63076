/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Private to the bare-metal port: the processor and its interrupt controller. */
#ifndef PVS_BM_CPU_H
#define PVS_BM_CPU_H

#include <pvs/baremetal.h>

/* Every system register the port touches is read and written by its name. */
#define PVS_BM_READ(name) __extension__ ({ \
	pvs_u64 value_; \
	__asm__ volatile("mrs %0, " #name : "=r"(value_) : : "memory"); \
	value_; \
})
#define PVS_BM_WRITE(name, value) \
	__asm__ volatile("msr " #name ", %0" : : "r"((pvs_u64)(value)) : "memory")

/* MPIDR_EL1: Aff3 in bits 39:32, Aff2 to Aff0 in 23:0. */
#define PVS_BM_AFFINITY PVS_U64(0xffu, 0x00ffffffu)

/* mmu.c, from start.S: one to one, cached. CPU 0 comes first and makes the table. */
void pvs_bm_mmu_on(const struct pvs_bm_platform *platform, pvs_u64 index);

/* gic.c */
void pvs_bm_gic_start(const struct pvs_bm_platform *platform, pvs_u64 mpidr);
pvs_u32 pvs_bm_gic_take(void);
void pvs_bm_gic_end(pvs_u32 intid);
void pvs_bm_gic_send(pvs_u64 mpidr, pvs_u32 intid);

/* port.c, from start.S */
void pvs_bm_interrupt(struct pvs_bm_cpu *cpu);

#endif /* PVS_BM_CPU_H */
