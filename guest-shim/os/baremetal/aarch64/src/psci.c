/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* CPUs and power, by PSCI (Arm DEN0022): functions 0.2 and later, 64-bit calling convention. */
#include "cpu.h"

#define PSCI_CPU_ON     0xc4000003u
#define PSCI_SYSTEM_OFF 0x84000008u
#define CACHE_LINE_MIN  16u

extern const pvs_u8 _start[];

static pvs_s64 call(const struct pvs_bm_platform *platform, pvs_u64 function, pvs_u64 target,
		    pvs_u64 entry, pvs_u64 context)
{
	register pvs_u64 x0 __asm__("x0") = function;
	register pvs_u64 x1 __asm__("x1") = target;
	register pvs_u64 x2 __asm__("x2") = entry;
	register pvs_u64 x3 __asm__("x3") = context;

	if (platform->psci == PVS_BM_PSCI_SMC)
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : :
				 "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
				 "x14", "x15", "x16", "x17", "memory");
	else
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : :
				 "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
				 "x14", "x15", "x16", "x17", "memory");
	return (pvs_s64)x0;
}

/* The other CPU reads this before its MMU, and with it its cache, is on. */
static void clean(const void *start, pvs_u64 bytes)
{
	pvs_u64 at = (pvs_u64)start & ~(pvs_u64)(CACHE_LINE_MIN - 1u);

	for (; at < (pvs_u64)start + bytes; at += CACHE_LINE_MIN)
		__asm__ volatile("dc cvac, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb sy" : : : "memory");
}

pvs_s64 pvs_bm_cpu_on(const struct pvs_bm_platform *platform, pvs_u64 mpidr,
		      const struct pvs_bm_start *start)
{
	clean(start, sizeof(*start));
	clean(start->platform, sizeof(*start->platform));
	return call(platform, PSCI_CPU_ON, mpidr, (pvs_u64)_start, (pvs_u64)start);
}

void pvs_bm_system_off(const struct pvs_bm_platform *platform)
{
	call(platform, PSCI_SYSTEM_OFF, 0, 0, 0);
}
