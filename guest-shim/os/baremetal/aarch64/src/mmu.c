/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One table for all CPUs: 512 blocks of 1 GB, each at its own address (Arm ARM, D8). Exclusives,
 * which `pending` needs, want memory that is cached and shareable; without the MMU nothing is.
 */
#include "cpu.h"

#define BLOCKS        512u
#define BLOCK_SHIFT   30

/* A block descriptor: valid, accessed, EL1 only. */
#define BLOCK_VALID   0x401u
#define BLOCK_INNER   0x300u /* inner shareable */
#define BLOCK_MEMORY  0x000u /* attribute 0 */
#define BLOCK_DEVICE  0x004u /* attribute 1 */
#define BLOCK_NO_EXEC PVS_U64(3u << 21, 0)

#define MAIR_VALUE    0x00ffu /* 0: write-back, allocating; 1: device, nGnRnE */
/* TCR_EL1: T0SZ 25 (39 bits), walks write-back and inner shareable, no TTBR1, 40-bit addresses */
#define TCR_T0SZ      25u
#define TCR_WALKS     0x3500u
#define TCR_NO_TTBR1  (1u << 23)
#define TCR_IPS_40    PVS_U64(2u, 0)
#define SCTLR_MMU     0x1005u /* M, C, I */

static pvs_u64 table[BLOCKS] __attribute__((aligned(4096)));

static void make_table(const struct pvs_bm_platform *platform)
{
	pvs_u64 first = platform->ram_gpa >> BLOCK_SHIFT;
	pvs_u64 last = (platform->ram_gpa + platform->ram_bytes - 1u) >> BLOCK_SHIFT;
	volatile pvs_u64 *entry = table;
	pvs_u64 i;

	for (i = 0; i < BLOCKS; i++) {
		if (i >= first && i <= last)
			entry[i] = i << BLOCK_SHIFT | BLOCK_VALID | BLOCK_INNER | BLOCK_MEMORY;
		else
			entry[i] = i << BLOCK_SHIFT | BLOCK_VALID | BLOCK_DEVICE | BLOCK_NO_EXEC;
	}
}

void pvs_bm_mmu_on(const struct pvs_bm_platform *platform, pvs_u64 index)
{
	if (index == 0)
		make_table(platform);
	PVS_BM_WRITE(mair_el1, MAIR_VALUE);
	PVS_BM_WRITE(tcr_el1, TCR_IPS_40 | TCR_NO_TTBR1 | TCR_WALKS | TCR_T0SZ);
	PVS_BM_WRITE(ttbr0_el1, (pvs_u64)table);
	__asm__ volatile("dsb ish; tlbi vmalle1; ic iallu; dsb ish; isb" : : : "memory");
	PVS_BM_WRITE(sctlr_el1, PVS_BM_READ(sctlr_el1) | SCTLR_MMU);
	__asm__ volatile("isb" : : : "memory");
}
