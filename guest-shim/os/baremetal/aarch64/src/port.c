/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The bare-metal port: where the region is, which events publish, how the doorbell rings. */
#include "cpu.h"

#include <pvs/guest_inline.h>

#define NS_PER_S     1000000000u
#define TIMER_ENABLE 1u
#define NOT_NAMED    0xffffffffu

/* ---- boot ------------------------------------------------------------------------------------ */

void pvs_bm_cpu_start(struct pvs_bm_cpu *cpu, pvs_u32 index, const struct pvs_bm_platform *platform)
{
	cpu->platform = platform;
	cpu->index = index;
	cpu->mpidr = PVS_BM_READ(mpidr_el1) & PVS_BM_AFFINITY;
	PVS_BM_WRITE(tpidr_el1, (pvs_u64)cpu);
	PVS_BM_WRITE(cntv_ctl_el0, 0);
	pvs_bm_gic_start(platform, cpu->mpidr);
}

int pvs_bm_bind(struct pvs_guest *g, const struct pvs_bm_platform *platform,
		pvs_u64 features_wanted)
{
	pvs_u64 gpa = platform->region_gpa;
	int status;

	if (gpa == 0 || platform->region_bytes <= PVS_HEADER_SIZE)
		return PVS_GUEST_STATE;

	status = pvs_guest_bind(g, (volatile struct pvs_region_header *)gpa,
				(volatile void *)(gpa + PVS_HEADER_SIZE),
				platform->region_bytes - PVS_HEADER_SIZE, features_wanted);
	if (status == PVS_GUEST_KICK)
		pvs_bm_ring(g, 0);
	return status < 0 ? status : PVS_GUEST_OK;
}

/* The slot that the host has named after this CPU; `index` where it names none. */
static pvs_u32 slot_of(const struct pvs_guest *g, pvs_u64 mpidr, pvs_u32 index)
{
	pvs_u64 arch_id = (mpidr >> 8 & 0xff000000u) | (mpidr & 0x00ffffffu);
	const volatile struct pvs_slot *slot;
	pvs_u32 found = index;
	pvs_u64 ident;
	pvs_u32 i;

	for (i = 0; i < g->slot_count; i++) {
		slot = (const volatile struct pvs_slot *)(const volatile void *)
			(g->slots + (pvs_u64)i * g->slot_stride);
		ident = PVS_GUEST_LOAD64(&slot->ident);
		if (!(ident & PVS_IDENT_PRESENT))
			continue;
		if (ident >> PVS_IDENT_ARCH_SHIFT == arch_id)
			return i;
		found = NOT_NAMED;
	}
	return found;
}

int pvs_bm_online(struct pvs_bm_cpu *cpu, struct pvs_guest *g)
{
	pvs_u32 index = g->slots ? slot_of(g, cpu->mpidr, cpu->index) : cpu->index;
	int status = pvs_guest_vcpu_online(g, index, &cpu->vcpu);

	if (status == PVS_GUEST_OK) {
		cpu->guest = g;
		cpu->index = index;
		cpu->online = 1;
	}
	return status;
}

/* ---- events ---------------------------------------------------------------------------------- */

void pvs_bm_ring(const struct pvs_guest *g, pvs_u32 index)
{
	if (g->kick_kind != PVS_KICK_MMIO)
		return;
	/* device memory: what was published before must be seen before */
	__asm__ volatile("dsb st" : : : "memory");
	*(volatile pvs_u32 *)g->kick_addr = PVS_GUEST_LE32(index);
}

void pvs_bm_run(struct pvs_bm_cpu *cpu, const struct pvs_guest_intent *intent)
{
	if (!cpu->online)
		return;
	if (pvs_guest_publish(&cpu->vcpu, intent) == PVS_GUEST_KICK)
		pvs_bm_ring(cpu->guest, cpu->index);
}

void pvs_bm_halt(void)
{
	/* WFI ends with an interrupt that is masked too: no wake-up falls between the two. */
	__asm__ volatile("dsb sy; wfi; msr daifclr, #2; isb; msr daifset, #2" : : : "memory");
}

void pvs_bm_idle(struct pvs_bm_cpu *cpu, const struct pvs_guest_intent *intent)
{
	pvs_bm_run(cpu, intent);
	pvs_bm_halt();
}

void pvs_bm_wake(struct pvs_bm_cpu *cpu, pvs_u32 index, pvs_u64 mpidr, pvs_u32 urgency,
		 pvs_u32 level)
{
	if (cpu->online)
		pvs_guest_pend(cpu->guest, index, urgency, level);
	pvs_bm_gic_send(mpidr, PVS_BM_INTID_WAKE);
}

/* ---- interrupts, called from start.S --------------------------------------------------------- */

static void timer_interrupt(struct pvs_bm_cpu *cpu)
{
	cpu->fired_count = pvs_bm_count();
	PVS_BM_WRITE(cntv_ctl_el0, 0); /* its line stays up as long as it is armed */
	__asm__ volatile("isb" : : : "memory");
	if (cpu->on_timer)
		cpu->on_timer(cpu);
}

void pvs_bm_interrupt(struct pvs_bm_cpu *cpu)
{
	pvs_u32 intid = pvs_bm_gic_take();
	pvs_u64 found = 0;

	if (intid != PVS_BM_INTID_TIMER && intid != PVS_BM_INTID_WAKE)
		return; /* spurious */
	if (cpu->online) {
		found = pvs_guest_irq_enter(&cpu->vcpu, PVS_IRQ_HARDIRQ);
		pvs_guest_irq_ack(&cpu->vcpu);
	}
	if (intid == PVS_BM_INTID_TIMER)
		timer_interrupt(cpu);
	else if (cpu->online)
		pvs_guest_pend_clear(&cpu->vcpu);
	pvs_bm_gic_end(intid);
	if (cpu->online)
		pvs_guest_irq_leave(&cpu->vcpu, found);
}

/* ---- time ------------------------------------------------------------------------------------ */

/* Rates up to 1 GHz (Armv8.6) and times of hours: whole seconds and the rest apart. */
pvs_u64 pvs_bm_ns_to_count(pvs_u64 ns)
{
	pvs_u64 hz = PVS_BM_READ(cntfrq_el0);

	return ns / NS_PER_S * hz + ns % NS_PER_S * hz / NS_PER_S;
}

pvs_u64 pvs_bm_count_to_ns(pvs_u64 count)
{
	pvs_u64 hz = PVS_BM_READ(cntfrq_el0);

	return count / hz * NS_PER_S + count % hz * NS_PER_S / hz;
}

void pvs_bm_timer_at(struct pvs_bm_cpu *cpu, pvs_u64 count)
{
	cpu->fired_count = 0;
	PVS_BM_WRITE(cntv_cval_el0, count);
	PVS_BM_WRITE(cntv_ctl_el0, TIMER_ENABLE);
	__asm__ volatile("isb" : : : "memory");
}
