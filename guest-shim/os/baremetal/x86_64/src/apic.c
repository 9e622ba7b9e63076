/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/* Interrupt table and local APIC of one vCPU (Intel SDM volume 3, chapters 6 and 10). */
#include "apic.h"

#define MSR_TSC_DEADLINE  0x6e0u
#define MSR_APIC_BASE     0x01bu
#define APIC_BASE_X2APIC  0x400u
#define APIC_BASE_ENABLE  0x800u
#define MSR_GS_BASE       0xc0000101u

/* x2APIC registers are MSRs from 0x800 on. */
#define X2APIC_TPR        0x808u
#define X2APIC_EOI        0x80bu
#define X2APIC_SPURIOUS   0x80fu
#define X2APIC_ICR        0x830u
#define X2APIC_LVT_TIMER  0x832u
#define X2APIC_INITIAL    0x838u
#define X2APIC_DIVIDE     0x83eu

#define SPURIOUS_ENABLE   0x100u
#define LVT_ONE_SHOT      0x00000u
#define LVT_TSC_DEADLINE  0x40000u
#define DIVIDE_BY_1       0xbu

#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)

#define GATE_COUNT        256u
#define GATE_INTERRUPT    0x8eu /* present, ring 0, 64-bit interrupt gate */
#define CODE_SELECTOR     8u
#define FAULT_COUNT       32u
#define FAULT_STUB_BYTES  16u

struct gate {
	pvs_u16 offset_low;
	pvs_u16 selector;
	pvs_u8 ist;
	pvs_u8 type;
	pvs_u16 offset_middle;
	pvs_u32 offset_high;
	pvs_u32 reserved;
};

struct table_pointer {
	pvs_u16 limit;
	pvs_u64 base;
} __attribute__((packed));

extern const pvs_u8 pvs_bm_entry_timer[];
extern const pvs_u8 pvs_bm_entry_wake[];
extern const pvs_u8 pvs_bm_entry_spurious[];
extern const pvs_u8 pvs_bm_entry_faults[];

/* One table for all vCPUs: each writes the same bytes before it loads it. */
static struct gate idt[GATE_COUNT] __attribute__((aligned(16)));

static void wrmsr(pvs_u32 msr, pvs_u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((pvs_u32)value), "d"((pvs_u32)(value >> 32))
			 : "memory");
}

static pvs_u64 rdmsr(pvs_u32 msr)
{
	pvs_u32 low;
	pvs_u32 high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return ((pvs_u64)high << 32) | low;
}

static pvs_u32 cpuid_1_ecx(void)
{
	pvs_u32 eax = 1;
	pvs_u32 ebx;
	pvs_u32 ecx = 0;
	pvs_u32 edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ecx;
}

static void gate_set(pvs_u32 vector, const pvs_u8 *entry)
{
	pvs_u64 offset = (pvs_u64)entry;
	struct gate *gate = &idt[vector];

	gate->offset_low = (pvs_u16)offset;
	gate->selector = CODE_SELECTOR;
	gate->ist = 0;
	gate->type = GATE_INTERRUPT;
	gate->offset_middle = (pvs_u16)(offset >> 16);
	gate->offset_high = (pvs_u32)(offset >> 32);
	gate->reserved = 0;
}

void pvs_bm_idt_load(void)
{
	struct table_pointer pointer;
	pvs_u32 vector;

	for (vector = 0; vector < FAULT_COUNT; vector++)
		gate_set(vector, pvs_bm_entry_faults + vector * FAULT_STUB_BYTES);
	gate_set(PVS_BM_VECTOR_TIMER, pvs_bm_entry_timer);
	gate_set(PVS_BM_VECTOR_WAKE, pvs_bm_entry_wake);
	gate_set(PVS_BM_VECTOR_SPURIOUS, pvs_bm_entry_spurious);

	pointer.limit = (pvs_u16)(sizeof(idt) - 1);
	pointer.base = (pvs_u64)idt;
	__asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

void pvs_bm_gs_set(const void *base)
{
	wrmsr(MSR_GS_BASE, (pvs_u64)base);
}

pvs_u32 pvs_bm_apic_start(void)
{
	pvs_u32 deadline = cpuid_1_ecx() & CPUID_1_ECX_TSC_DEADLINE;

	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	wrmsr(X2APIC_SPURIOUS, SPURIOUS_ENABLE | PVS_BM_VECTOR_SPURIOUS);
	wrmsr(X2APIC_TPR, 0);
	wrmsr(X2APIC_DIVIDE, DIVIDE_BY_1);
	wrmsr(X2APIC_LVT_TIMER, (deadline ? LVT_TSC_DEADLINE : LVT_ONE_SHOT) | PVS_BM_VECTOR_TIMER);
	return deadline != 0;
}

void pvs_bm_apic_eoi(void)
{
	wrmsr(X2APIC_EOI, 0);
}

void pvs_bm_apic_send(pvs_u32 apic_id, pvs_u32 vector)
{
	wrmsr(X2APIC_ICR, ((pvs_u64)apic_id << 32) | vector);
}

void pvs_bm_apic_deadline(pvs_u64 tsc)
{
	wrmsr(MSR_TSC_DEADLINE, tsc);
}

void pvs_bm_apic_oneshot(pvs_u64 ticks)
{
	wrmsr(X2APIC_INITIAL, ticks > 0xffffffffu ? 0xffffffffu : ticks);
}
