/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/baremetal.h - the guest shim on 64-bit Arm without an operating system.
 *
 * The names are those of the x86-64 port, so that a program changes its include path and little
 * else. A CPU enters _start of start.S at EL1 with the MMU off, which is how PSCI starts CPUs and
 * how boot loaders start kernels; x0 is the address of a struct pvs_bm_start. The three answers a
 * port has to give:
 *
 *   Where is the region?    at a guest-physical address that the boot loader hands over
 *   Which events publish?   halt (pvs_bm_idle), timer interrupt enter and leave (by itself),
 *                           what runs next (pvs_bm_run), a wake-up of another CPU (pvs_bm_wake)
 *   How does the doorbell ring?   a 32-bit store to its address
 *
 * A CPU knows itself by the affinity fields of MPIDR_EL1: its slot is the one whose `ident` says
 * the same. The timer is the generic timer's virtual one; interrupts come by a GICv3.
 */
#ifndef PVS_BAREMETAL_H
#define PVS_BAREMETAL_H

#include <pvs/guest.h>

/* The only interrupts in use: numbers of the GIC (BSA: PPI 27 is the virtual timer). */
#define PVS_BM_INTID_WAKE  1u
#define PVS_BM_INTID_TIMER 27u

/* How PSCI is called (Arm DEN0022). */
#define PVS_BM_PSCI_HVC 0u
#define PVS_BM_PSCI_SMC 1u

/* What the boot loader knows and the guest does not. */
struct pvs_bm_platform {
	pvs_u64 region_gpa;   /* header, slots right behind it; 0 = there is no region */
	pvs_u64 region_bytes; /* of header and slots together */
	pvs_u64 ram_gpa;      /* memory, mapped write-back in whole gigabytes, region included; */
	pvs_u64 ram_bytes;    /* all the rest of the first 512 GB is mapped as devices */
	pvs_u64 gicd_gpa;     /* GICv3: distributor, */
	pvs_u64 gicr_gpa;     /* and redistributors, 128 KB for each CPU */
	pvs_u32 psci;         /* PVS_BM_PSCI_* */
	pvs_u32 reserved;
};

/* With what a CPU starts. It must stay until pvs_bm_main() has been entered. */
struct pvs_bm_start {
	pvs_u64 stack_top;                      /* 16-byte aligned; offset 0, known to start.S */
	pvs_u64 index;                          /* the first argument of pvs_bm_main() */
	pvs_u64 argument;                       /* the second */
	const struct pvs_bm_platform *platform; /* offset 24 */
};

/* One CPU. TPIDR_EL1 points at its own. */
struct pvs_bm_cpu {
	const struct pvs_bm_platform *platform;
	/* Called in interrupt context when the timer has fired; may be NULL. */
	void (*on_timer)(struct pvs_bm_cpu *cpu);
	volatile pvs_u64 fired_count; /* when the timer interrupt began; 0 = none since armed */
	pvs_u64 mpidr;                /* affinity fields, the others zero */
	pvs_u32 index;                /* as started; the slot's own from pvs_bm_online() on */
	pvs_u32 online;               /* `vcpu` is open: hints are published */
	struct pvs_guest *guest;
	struct pvs_guest_vcpu vcpu;
};

/* ---- boot ------------------------------------------------------------------------------------ */

/*
 * The image's own entry, called by start.S on each CPU: memory mapped one to one and cached,
 * interrupts off. Must not return.
 */
void pvs_bm_main(pvs_u64 index, pvs_u64 argument);

/* The image's own end: an exception it did not expect, with ESR_EL1. Must not return. */
void pvs_bm_fault(pvs_u64 syndrome);

/* Per-CPU pointer, interrupt controller and timer of the calling CPU. Interrupts stay off. */
void pvs_bm_cpu_start(struct pvs_bm_cpu *cpu, pvs_u32 index,
		      const struct pvs_bm_platform *platform);

/* Starts another CPU at _start, named by the affinity fields of its MPIDR. 0, or what PSCI said. */
pvs_s64 pvs_bm_cpu_on(const struct pvs_bm_platform *platform, pvs_u64 mpidr,
		      const struct pvs_bm_start *start);

/* Turns the machine off. Returns only when PSCI refuses. */
void pvs_bm_system_off(const struct pvs_bm_platform *platform);

/*
 * Binds to the region and rings, on one CPU, once. PVS_GUEST_OK: now wait for pvs_guest_ready();
 * else what pvs_guest_bind() said. PVS_GUEST_STATE: the machine has no region.
 */
int pvs_bm_bind(struct pvs_guest *g, const struct pvs_bm_platform *platform,
		pvs_u64 features_wanted);

/*
 * Opens the calling CPU's slot: the one whose `ident` has its MPIDR; where the host names no slot
 * at all, the one of its index. PVS_GUEST_INVALID when others are named and it is not; else as
 * pvs_guest_vcpu_online().
 */
int pvs_bm_online(struct pvs_bm_cpu *cpu, struct pvs_guest *g);

/* ---- events ---------------------------------------------------------------------------------- */

/* Publishes what runs from here on. Rings when the host asked for it. */
void pvs_bm_run(struct pvs_bm_cpu *cpu, const struct pvs_guest_intent *intent);

/*
 * Nothing to run: publishes `intent` (with idle and what the next wake-up is for), then halts
 * until an interrupt has been handled. Interrupts are off before and after.
 */
void pvs_bm_idle(struct pvs_bm_cpu *cpu, const struct pvs_guest_intent *intent);

/* Halts without a word until an interrupt has been handled. Interrupts off before and after. */
void pvs_bm_halt(void);

/* Queues work of this urgency on another CPU: pends it there, and sends an interrupt. */
void pvs_bm_wake(struct pvs_bm_cpu *cpu, pvs_u32 index, pvs_u64 mpidr, pvs_u32 urgency,
		 pvs_u32 level);

/* Rings the doorbell of slot `index`. No effect without PVS_F_KICK. */
void pvs_bm_ring(const struct pvs_guest *g, pvs_u32 index);

/* ---- time ------------------------------------------------------------------------------------ */

/* Arms the one-shot timer for an absolute value of the counter; the past fires at once. */
void pvs_bm_timer_at(struct pvs_bm_cpu *cpu, pvs_u64 count);

pvs_u64 pvs_bm_ns_to_count(pvs_u64 ns);
pvs_u64 pvs_bm_count_to_ns(pvs_u64 count);

static inline pvs_u64 pvs_bm_count(void)
{
	pvs_u64 count;

	/* ISB: without it the counter may be read ahead of what stands before (Arm ARM, D11.2) */
	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count) : : "memory");
	return count;
}

static inline void pvs_bm_irq_on(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

static inline void pvs_bm_irq_off(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
}

#endif /* PVS_BAREMETAL_H */
