/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lab's guest image: one for all workloads. Each vCPU starts here, binds to the region if it is
 * to speak, sleeps until the common start, and does what the boot block says.
 */
#include "workload.h"

/* The host answers from its control thread: asked every half millisecond, for as long as there
 * is time before the start. */
#define READY_POLL_NS  500000u
#define READY_SLACK_NS 1000000u

static struct lab_cpu lab_cpus[PVS_VMM_VCPUS_MAX];
static struct pvs_bm_platform platform;
static struct pvs_guest guest;
static volatile pvs_u32 negotiated; /* by vCPU 0: 0 not yet, else 1 */
static volatile pvs_s32 negotiation_status;

/* ---- helpers --------------------------------------------------------------------------------- */

pvs_u64 lab_loops(const struct lab_cpu *lab, pvs_u64 ns)
{
	pvs_u64 loops = ns * lab->boot->loops_per_ms / 1000000u;

	return loops ? loops : 1;
}

pvs_u64 lab_tsc(const struct lab_cpu *lab, pvs_u64 ns)
{
	return pvs_bm_ns_to_tsc(lab->cpu.platform, ns);
}

pvs_u64 lab_ns(const struct lab_cpu *lab, pvs_u64 tsc)
{
	return pvs_bm_tsc_to_ns(lab->cpu.platform, tsc);
}

/* splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
pvs_u64 lab_random(struct lab_cpu *lab)
{
	pvs_u64 z = lab->random += PVS_U64(0x9e3779b9u, 0x7f4a7c15u);

	z = (z ^ (z >> 30)) * PVS_U64(0xbf58476du, 0x1ce4e5b9u);
	z = (z ^ (z >> 27)) * PVS_U64(0x94d049bbu, 0x133111ebu);
	return z ^ (z >> 31);
}

void lab_sleep_until(struct lab_cpu *lab, pvs_u64 tsc)
{
	while (pvs_bm_tsc() < tsc) {
		pvs_bm_timer_at(&lab->cpu, tsc);
		pvs_bm_halt();
	}
}

void lab_say(struct lab_cpu *lab, const struct pvs_guest_intent *intent)
{
	pvs_bm_run(&lab->cpu, intent);
	if (lab->cpu.online)
		lab->result->publishes++;
}

/* Without them gcc has no way to copy or clear a struct. */
void *memset(void *to, int byte, __SIZE_TYPE__ bytes)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(byte) : "memory");
	return start;
}

void *memcpy(void *to, const void *from, __SIZE_TYPE__ bytes)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
	return start;
}

/* ---- start ----------------------------------------------------------------------------------- */

static void setup(struct lab_cpu *lab, pvs_u32 index, const struct pvs_vmm_boot *boot)
{
	pvs_u64 area = PVS_VMM_RESULT_GPA + (pvs_u64)index * PVS_VMM_RESULT_STRIDE;

	lab->boot = boot;
	lab->result = (volatile struct pvs_vmm_result *)area;
	lab->wake_ns = (volatile pvs_u32 *)(area + PVS_VMM_WAKE_OFFSET);
	lab->done_ns = (volatile pvs_u32 *)(area + PVS_VMM_DONE_OFFSET);
	lab->random = boot->seed ^ ((pvs_u64)index << 56);
	pvs_bm_cpu_start(&lab->cpu, index, &platform);
	lab->start_tsc = boot->start_tsc[index];
	lab->from_tsc = lab->start_tsc + lab_tsc(lab, boot->warmup_ns);
	lab->to_tsc = lab->from_tsc + lab_tsc(lab, boot->run_ns);
	lab->result->bind_status = 1;
	lab->result->state = PVS_VMM_STATE_BOOTED;
}

/* vCPU 0 negotiates for all of them. */
static void negotiate(struct lab_cpu *lab)
{
	pvs_u64 give_up_tsc = lab->start_tsc - lab_tsc(lab, READY_SLACK_NS);
	int status = pvs_bm_bind(&guest, &platform, PVS_F_ALL & ~PVS_F_SPLIT_WORDS);

	while (status == PVS_GUEST_OK && pvs_bm_tsc() < give_up_tsc) {
		status = pvs_guest_ready(&guest);
		if (status != PVS_GUEST_NOT_READY)
			break;
		status = PVS_GUEST_OK;
		lab_sleep_until(lab, pvs_bm_tsc() + lab_tsc(lab, READY_POLL_NS));
	}
	if (status == PVS_GUEST_OK)
		status = pvs_guest_ready(&guest);
	negotiation_status = status;
	negotiated = 1;
}

static void join(struct lab_cpu *lab)
{
	int status;

	if (lab->cpu.index == 0)
		negotiate(lab);
	while (!negotiated)
		lab_sleep_until(lab, pvs_bm_tsc() + lab_tsc(lab, READY_POLL_NS));

	status = negotiation_status;
	if (status == PVS_GUEST_OK)
		status = pvs_bm_online(&lab->cpu, &guest);
	lab->result->bind_status = status;
	lab->result->features = guest.features;
}

static void work(struct lab_cpu *lab)
{
	switch (lab->boot->work) {
	case PVS_VMM_AUDIO:
		lab_audio(lab);
		break;
	case PVS_VMM_MIXED:
		lab_mixed(lab);
		break;
	case PVS_VMM_BURN:
		lab_burn(lab);
		break;
	case PVS_VMM_LOCKS:
		lab_locks(lab);
		break;
	case PVS_VMM_LIAR:
		lab_liar(lab);
		break;
	case PVS_VMM_PULSE:
		lab_pulse(lab);
		break;
	case PVS_VMM_GARBAGE:
		lab_garbage(lab);
		break;
	case PVS_VMM_FLIP:
		lab_flip(lab);
		break;
	case PVS_VMM_STALE:
		lab_stale(lab);
		break;
	case PVS_VMM_PROBE:
		lab_probe(lab);
		break;
	default:
		break;
	}
}

static void end(pvs_u32 code)
{
	for (;;) {
		pvs_bm_out32(PVS_VMM_PORT_EXIT, code);
		__asm__ volatile("cli; hlt");
	}
}

void pvs_bm_fault(pvs_u64 vector)
{
	end(PVS_VMM_EXIT_FAULT + (pvs_u32)vector);
}

void pvs_bm_main(pvs_u64 index, pvs_u64 boot_gpa)
{
	const struct pvs_vmm_boot *boot = (const struct pvs_vmm_boot *)boot_gpa;
	struct lab_cpu *lab = &lab_cpus[index % PVS_VMM_VCPUS_MAX];

	if (index == 0 || boot->magic == PVS_VMM_BOOT_MAGIC) {
		platform.region_gpa = boot->region_gpa;
		platform.region_bytes = boot->region_bytes;
		platform.tsc_khz = boot->tsc_khz;
		platform.apic_timer_khz = boot->apic_timer_khz;
	}
	setup(lab, (pvs_u32)index, boot);
	if (boot->hints)
		join(lab);
	lab_sleep_until(lab, lab->start_tsc);
	lab->result->state = PVS_VMM_STATE_STARTED;
	work(lab);
	if (lab->cpu.online)
		pvs_guest_vcpu_offline(&lab->cpu.vcpu);
	lab->result->state = PVS_VMM_STATE_DONE;
	end(PVS_VMM_EXIT_DONE);
}
