/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* The bare-metal port: where the region is, which events publish, how the doorbell rings. */
#include "apic.h"

#define NS_PER_MS 1000000u

void pvs_bm_timer_interrupt(struct pvs_bm_cpu *cpu);
void pvs_bm_wake_interrupt(struct pvs_bm_cpu *cpu);

/* ---- boot ------------------------------------------------------------------------------------ */

void pvs_bm_cpu_start(struct pvs_bm_cpu *cpu, pvs_u32 index, const struct pvs_bm_platform *platform)
{
	cpu->self = cpu;
	cpu->platform = platform;
	cpu->index = index;
	pvs_bm_gs_set(cpu);
	pvs_bm_idt_load();
	cpu->has_deadline = pvs_bm_apic_start();
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

int pvs_bm_online(struct pvs_bm_cpu *cpu, struct pvs_guest *g)
{
	int status = pvs_guest_vcpu_online(g, cpu->index, &cpu->vcpu);

	if (status == PVS_GUEST_OK) {
		cpu->guest = g;
		cpu->online = 1;
	}
	return status;
}

/* ---- events ---------------------------------------------------------------------------------- */

void pvs_bm_ring(const struct pvs_guest *g, pvs_u32 index)
{
	if (g->kick_kind == PVS_KICK_PIO)
		pvs_bm_out32((pvs_u16)g->kick_addr, index);
	else if (g->kick_kind == PVS_KICK_MMIO)
		*(volatile pvs_u32 *)g->kick_addr = index;
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
	/* STI takes effect behind the next instruction: no wake-up falls between the two. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

void pvs_bm_idle(struct pvs_bm_cpu *cpu, const struct pvs_guest_intent *intent)
{
	pvs_bm_run(cpu, intent);
	pvs_bm_halt();
}

void pvs_bm_wake(struct pvs_bm_cpu *cpu, pvs_u32 index, pvs_u32 apic_id, pvs_u32 urgency,
		 pvs_u32 level)
{
	if (cpu->online)
		pvs_guest_pend(cpu->guest, index, urgency, level);
	pvs_bm_apic_send(apic_id, PVS_BM_VECTOR_WAKE);
}

/* ---- interrupts, called from start.S --------------------------------------------------------- */

static pvs_u64 interrupt_enter(struct pvs_bm_cpu *cpu)
{
	pvs_u64 found;

	if (!cpu->online)
		return 0;
	found = pvs_guest_irq_enter(&cpu->vcpu, PVS_IRQ_HARDIRQ);
	pvs_guest_irq_ack(&cpu->vcpu);
	return found;
}

static void interrupt_leave(struct pvs_bm_cpu *cpu, pvs_u64 found)
{
	if (cpu->online)
		pvs_guest_irq_leave(&cpu->vcpu, found);
}

void pvs_bm_timer_interrupt(struct pvs_bm_cpu *cpu)
{
	pvs_u64 now_tsc = pvs_bm_tsc();
	pvs_u64 found = interrupt_enter(cpu);

	cpu->fired_tsc = now_tsc;
	pvs_bm_apic_eoi();
	if (cpu->on_timer)
		cpu->on_timer(cpu);
	interrupt_leave(cpu, found);
}

void pvs_bm_wake_interrupt(struct pvs_bm_cpu *cpu)
{
	pvs_u64 found = interrupt_enter(cpu);

	pvs_bm_apic_eoi();
	if (cpu->online)
		pvs_guest_pend_clear(&cpu->vcpu);
	interrupt_leave(cpu, found);
}

/* ---- time ------------------------------------------------------------------------------------ */

pvs_u64 pvs_bm_ns_to_tsc(const struct pvs_bm_platform *platform, pvs_u64 ns)
{
	return ns * platform->tsc_khz / NS_PER_MS;
}

pvs_u64 pvs_bm_tsc_to_ns(const struct pvs_bm_platform *platform, pvs_u64 tsc)
{
	return tsc * NS_PER_MS / platform->tsc_khz;
}

void pvs_bm_timer_at(struct pvs_bm_cpu *cpu, pvs_u64 tsc)
{
	const struct pvs_bm_platform *platform = cpu->platform;
	pvs_u64 now_tsc;
	pvs_u64 ticks = 1;

	cpu->fired_tsc = 0;
	if (cpu->has_deadline) {
		pvs_bm_apic_deadline(tsc ? tsc : 1); /* 0 would disarm */
		return;
	}
	now_tsc = pvs_bm_tsc();
	if (tsc > now_tsc)
		ticks = (tsc - now_tsc) * platform->apic_timer_khz / platform->tsc_khz;
	pvs_bm_apic_oneshot(ticks ? ticks : 1);
}
