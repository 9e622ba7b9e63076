/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The interrupt controller of one CPU (Arm IHI 0069, GICv3), by its system registers. */
#include "cpu.h"

#define GICD_CTLR          0x0000u
#define GICD_CTLR_ENABLE   0x13u /* groups 1, affinity routing */

#define GICR_STRIDE        0x20000u
#define GICR_TYPER         0x0008u
#define GICR_TYPER_LAST    PVS_U64(0, 1u << 4)
#define GICR_WAKER         0x0014u
#define GICR_WAKER_SLEEP   0x2u
#define GICR_WAKER_ASLEEP  0x4u
#define GICR_SGI           0x10000u /* the second frame */
#define GICR_IGROUPR0      (GICR_SGI + 0x0080u)
#define GICR_ISENABLER0    (GICR_SGI + 0x0100u)
#define GICR_IPRIORITYR    (GICR_SGI + 0x0400u)

#define PRIORITY           0x80u
#define PRIORITY_MASK_NONE 0xffu
#define SRE_ENABLE         1u

/* GICv3 registers by their numbers: older assemblers do not know the names. */
#define ICC_PMR_EL1        s3_0_c4_c6_0
#define ICC_SGI1R_EL1      s3_0_c12_c11_5
#define ICC_IAR1_EL1       s3_0_c12_c12_0
#define ICC_EOIR1_EL1      s3_0_c12_c12_1
#define ICC_SRE_EL1        s3_0_c12_c12_5
#define ICC_IGRPEN1_EL1    s3_0_c12_c12_7
#define READ(name)         PVS_BM_READ(name)
#define WRITE(name, value) PVS_BM_WRITE(name, value)

static pvs_u32 load32(pvs_u64 gpa)
{
	return *(volatile pvs_u32 *)gpa;
}

static void store32(pvs_u64 gpa, pvs_u32 value)
{
	*(volatile pvs_u32 *)gpa = value;
}

/* The frame whose affinity is ours; the last one when there is none. */
static pvs_u64 redistributor(const struct pvs_bm_platform *platform, pvs_u64 mpidr)
{
	pvs_u64 affinity = (mpidr >> 8 & 0xff000000u) | (mpidr & 0x00ffffffu);
	pvs_u64 frame = platform->gicr_gpa;
	pvs_u64 type = *(volatile pvs_u64 *)(frame + GICR_TYPER);

	while (type >> 32 != affinity && !(type & GICR_TYPER_LAST)) {
		frame += GICR_STRIDE;
		type = *(volatile pvs_u64 *)(frame + GICR_TYPER);
	}
	return frame;
}

void pvs_bm_gic_start(const struct pvs_bm_platform *platform, pvs_u64 mpidr)
{
	pvs_u32 used = 1u << PVS_BM_INTID_WAKE | 1u << PVS_BM_INTID_TIMER;
	pvs_u64 frame = redistributor(platform, mpidr);

	store32(platform->gicd_gpa + GICD_CTLR, GICD_CTLR_ENABLE);
	store32(frame + GICR_WAKER, load32(frame + GICR_WAKER) & ~GICR_WAKER_SLEEP);
	while (load32(frame + GICR_WAKER) & GICR_WAKER_ASLEEP)
		;
	store32(frame + GICR_IGROUPR0, 0xffffffffu);
	*(volatile pvs_u8 *)(frame + GICR_IPRIORITYR + PVS_BM_INTID_WAKE) = PRIORITY;
	*(volatile pvs_u8 *)(frame + GICR_IPRIORITYR + PVS_BM_INTID_TIMER) = PRIORITY;
	store32(frame + GICR_ISENABLER0, used);

	WRITE(ICC_SRE_EL1, READ(ICC_SRE_EL1) | SRE_ENABLE);
	__asm__ volatile("isb" : : : "memory");
	WRITE(ICC_PMR_EL1, PRIORITY_MASK_NONE);
	WRITE(ICC_IGRPEN1_EL1, 1);
	__asm__ volatile("isb" : : : "memory");
}

pvs_u32 pvs_bm_gic_take(void)
{
	pvs_u32 intid = (pvs_u32)READ(ICC_IAR1_EL1) & 0xffffffu;

	__asm__ volatile("dsb sy" : : : "memory");
	return intid;
}

void pvs_bm_gic_end(pvs_u32 intid)
{
	WRITE(ICC_EOIR1_EL1, intid);
	__asm__ volatile("isb" : : : "memory");
}

void pvs_bm_gic_send(pvs_u64 mpidr, pvs_u32 intid)
{
	pvs_u64 to = (mpidr >> 32 & 0xffu) << 48 | (mpidr >> 16 & 0xffu) << 32 |
		     (mpidr >> 8 & 0xffu) << 16 | (pvs_u64)1 << (mpidr & 0xfu) |
		     (mpidr >> 4 & 0xfu) << 44; /* range selector: sixteens of Aff0 */

	/* what the other CPU is to find must be there before the interrupt is */
	__asm__ volatile("dsb ishst" : : : "memory");
	WRITE(ICC_SGI1R_EL1, to | (pvs_u64)intid << 24);
	__asm__ volatile("isb" : : : "memory");
}
