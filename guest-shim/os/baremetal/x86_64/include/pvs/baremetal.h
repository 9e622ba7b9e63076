/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/baremetal.h - the guest shim on x86-64 without an operating system.
 *
 * The boot loader (here: the VMM) enters _start of start.S on each vCPU in long mode, with memory
 * mapped one to one, a stack, and interrupts off. What is different about this "OS" fits in three
 * answers, and they are all that a port has to give:
 *
 *   Where is the region?    at a guest-physical address that the boot loader hands over
 *   Which events publish?   halt (pvs_bm_idle), timer interrupt enter and leave (by itself),
 *                           what runs next (pvs_bm_run), a wake-up of another vCPU (pvs_bm_wake)
 *   How does the doorbell ring?   a 32-bit OUT, or a store
 *
 * The timer is the local APIC's, in x2APIC mode: TSC deadline where there is one, else one-shot.
 */
#ifndef PVS_BAREMETAL_H
#define PVS_BAREMETAL_H

#include <pvs/guest.h>

/* The only interrupt vectors in use. Everything below 32 is an exception and ends the vCPU. */
#define PVS_BM_VECTOR_TIMER    0x40
#define PVS_BM_VECTOR_WAKE     0x41
#define PVS_BM_VECTOR_SPURIOUS 0xff

/* What the boot loader knows and the guest does not. */
struct pvs_bm_platform {
	pvs_u64 region_gpa;     /* header, slots right behind it; 0 = there is no region */
	pvs_u64 region_bytes;   /* of header and slots together */
	pvs_u32 tsc_khz;        /* of the guest's TSC */
	pvs_u32 apic_timer_khz; /* of the local APIC timer, for machines without TSC deadline */
};

/* One vCPU. %gs:0 points at its own. */
struct pvs_bm_cpu {
	struct pvs_bm_cpu *self;
	const struct pvs_bm_platform *platform;
	/* Called in interrupt context when the timer has fired; may be NULL. */
	void (*on_timer)(struct pvs_bm_cpu *cpu);
	volatile pvs_u64 fired_tsc; /* when the last timer interrupt began; 0 = since armed, none */
	pvs_u32 index;
	pvs_u32 has_deadline;       /* TSC-deadline mode */
	pvs_u32 online;             /* `vcpu` is open: hints are published */
	pvs_u32 reserved;
	struct pvs_guest *guest;
	struct pvs_guest_vcpu vcpu;
};

/* ---- boot ------------------------------------------------------------------------------------ */

/*
 * The image's own entry, called by start.S on each vCPU with what the boot loader passed in
 * %rdi and %rsi. Must not return.
 */
void pvs_bm_main(pvs_u64 index, pvs_u64 boot_gpa);

/* The image's own end: an exception the image did not expect. Must not return. */
void pvs_bm_fault(pvs_u64 vector);

/* Interrupt table, per-CPU pointer, x2APIC and timer of the calling vCPU. Interrupts stay off. */
void pvs_bm_cpu_start(struct pvs_bm_cpu *cpu, pvs_u32 index,
		      const struct pvs_bm_platform *platform);

/*
 * Binds to the region and rings, on one vCPU, once. PVS_GUEST_OK: now wait for pvs_guest_ready();
 * else what pvs_guest_bind() said. PVS_GUEST_STATE: the machine has no region.
 */
int pvs_bm_bind(struct pvs_guest *g, const struct pvs_bm_platform *platform,
		pvs_u64 features_wanted);

/* Opens the calling vCPU's slot. As pvs_guest_vcpu_online(). */
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

/* Queues work of this urgency on another vCPU: pends it there, and sends an interrupt. */
void pvs_bm_wake(struct pvs_bm_cpu *cpu, pvs_u32 index, pvs_u32 apic_id, pvs_u32 urgency,
		 pvs_u32 level);

/* Rings the doorbell of slot `index`. No effect without PVS_F_KICK. */
void pvs_bm_ring(const struct pvs_guest *g, pvs_u32 index);

/* ---- time ------------------------------------------------------------------------------------ */

/* Arms the one-shot timer for an absolute TSC value; a time in the past fires at once. */
void pvs_bm_timer_at(struct pvs_bm_cpu *cpu, pvs_u64 tsc);

pvs_u64 pvs_bm_ns_to_tsc(const struct pvs_bm_platform *platform, pvs_u64 ns);
pvs_u64 pvs_bm_tsc_to_ns(const struct pvs_bm_platform *platform, pvs_u64 tsc);

static inline pvs_u64 pvs_bm_tsc(void)
{
	pvs_u32 low;
	pvs_u32 high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return ((pvs_u64)high << 32) | low;
}

static inline void pvs_bm_irq_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void pvs_bm_irq_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void pvs_bm_out32(pvs_u16 port, pvs_u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

#endif /* PVS_BAREMETAL_H */
