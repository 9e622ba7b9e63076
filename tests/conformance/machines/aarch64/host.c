/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host, at EL2: writes the region, keeps the engine's state, and calls pvs_step() where the
 * guest comes to it. Interrupts and the timer are the guest's own.
 */
#include "host.h"

#define READ(name) __extension__ ({ \
	pvs_u64 value_; \
	__asm__ volatile("mrs %0, " #name : "=r"(value_) : : "memory"); \
	value_; \
})
#define WRITE(name, value) \
	__asm__ volatile("msr " #name ", %0" : : "r"((pvs_u64)(value)) : "memory")

/* Translation tables: blocks of 1 GB, devices in the first, memory in the second (Arm ARM, D8). */
#define TABLE_ENTRIES  512u
#define BLOCK_SHIFT    30
#define EL2_DEVICE     0x0405u /* valid, accessed, attribute 1 */
#define EL2_MEMORY     0x0701u /* and inner shareable, attribute 0 */
#define STAGE2_DEVICE  0x04c1u /* valid, accessed, read and write, nGnRnE */
#define STAGE2_MEMORY  0x07fdu /* and inner shareable, write-back */
#define MAIR_EL2_VALUE 0x00ffu
#define TCR_EL2_VALUE  0x80823519u /* 39 bits, cached walks, 40-bit addresses */
#define VTCR_VALUE     0x80023559u /* the same, and the first level is 1 */
#define SCTLR_EL2_ON   0x30c51835u
#define SCTLR_EL1_OFF  0x30d00800u
#define HCR_VALUE      PVS_U64(0, 0x80002001u) /* stage 2, AArch64, WFI comes here */
#define CPTR_NO_TRAP   0x33ffu
#define TIMER_NO_TRAP  3u
#define SRE_ALL        0xfu
#define SPSR_EL1H      0x3c5u /* EL1 with its own stack pointer, everything masked */

#define EC_SHIFT       26
#define EC_WFX         0x01u
#define EC_HVC         0x16u
#define EC_DATA_ABORT  0x24u
#define ISS_VALID      (1u << 24)
#define ISS_WRITE      (1u << 6)
#define ISS_SIZE(esr)  ((esr) >> 22 & 3u)
#define ISS_REG(esr)   ((esr) >> 16 & 31u)
#define SIZE_WORD      2u
#define REG_ZERO       31u

#define PSCI_CPU_ON     0xc4000003u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_REFUSED    0xffffffffu

#define GENERATION     7u
/* Nobody else wants its CPUs, so no preemption goes unseen: `irq` and `crit` are offered. */
#define CAPS           (PVS_CAP_SEES_WAKE | PVS_CAP_SEES_PREEMPT | PVS_CAP_CAN_KICK)
#define GRANULARITY_NS 1000u
#define ENTITLEMENT    65536u /* a CPU of its own */

extern const pvs_u8 _start[];
extern const pvs_u8 host_entry_secondary[];
pvs_u64 host_main(pvs_u64 cpu);
void host_trap(pvs_u64 *x);
void host_die(void);

pvs_u8 host_stacks[HOST_CPUS][HOST_STACK_BYTES] __attribute__((aligned(16)));
volatile struct host_seen host_seen[HOST_CPUS];

static pvs_u64 el2_table[TABLE_ENTRIES] __attribute__((aligned(4096)));
static pvs_u64 stage2_table[TABLE_ENTRIES] __attribute__((aligned(4096)));
pvs_u8 guest_stacks[HOST_CPUS][HOST_STACK_BYTES] __attribute__((aligned(16)));

static const struct pvs_bm_platform platform = {
	.region_gpa = HOST_REGION_GPA,
	.region_bytes = HOST_REGION_BYTES,
	.ram_gpa = HOST_RAM_GPA,
	.ram_bytes = HOST_RAM_BYTES,
	.gicd_gpa = HOST_GICD_GPA,
	.gicr_gpa = HOST_GICR_GPA,
	.psci = PVS_BM_PSCI_HVC,
};
static struct pvs_bm_start first_start;

static struct {
	struct pvs_config config;
	struct pvs_vm vm;
	struct pvs_vcpu vcpu[HOST_CPUS]; /* by slot */
	struct pvs_io io[HOST_CPUS];
	pvs_u64 entered_ns[HOST_CPUS];
	pvs_u64 run_ns[HOST_CPUS];
	pvs_u64 entry[HOST_CPUS];        /* of a CPU that the guest starts */
	pvs_u64 context[HOST_CPUS];
} host;

static volatile struct pvs_region_header *header(void)
{
	return (volatile struct pvs_region_header *)(pvs_u64)HOST_REGION_GPA;
}

static struct pvs_slot *slot_at(pvs_u32 index)
{
	return (struct pvs_slot *)(HOST_REGION_GPA + PVS_HEADER_SIZE +
				   (pvs_u64)index * HOST_SLOT_STRIDE);
}

/* Slots are named the other way round, so that a guest that only counts finds the wrong one. */
static pvs_u32 slot_of_cpu(pvs_u64 cpu)
{
	return HOST_CPUS - 1u - (pvs_u32)cpu;
}

static pvs_u64 this_cpu(void)
{
	return READ(mpidr_el1) & 0xffu;
}

static pvs_s64 psci(pvs_u64 function, pvs_u64 target, pvs_u64 entry, pvs_u64 context)
{
	register pvs_u64 x0 __asm__("x0") = function;
	register pvs_u64 x1 __asm__("x1") = target;
	register pvs_u64 x2 __asm__("x2") = entry;
	register pvs_u64 x3 __asm__("x3") = context;

	__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : :
			 "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			 "x15", "x16", "x17", "memory");
	return (pvs_s64)x0;
}

void host_die(void)
{
	const char *text = "FAIL host: unexpected exception\n";

	while (*text)
		*(volatile pvs_u32 *)(pvs_u64)HOST_UART_GPA = (pvs_u8)*text++;
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}

/* ---- the region ------------------------------------------------------------------------------ */

static void write_region(void)
{
	volatile struct pvs_region_header *h = header();
	pvs_u32 i;

	h->abi_major = PVS_ABI_MAJOR;
	h->abi_minor = PVS_ABI_MINOR;
	h->header_size = PVS_HEADER_SIZE;
	h->slot_size = PVS_SLOT_SIZE;
	h->slot_stride = HOST_SLOT_STRIDE;
	h->slot_count = HOST_CPUS;
	h->generation = GENERATION;
	h->features_offered = host.vm.features_offered;
	h->kick_kind = PVS_KICK_MMIO;
	h->kick_addr = HOST_BELL_GPA;
	for (i = 0; i < HOST_CPUS; i++)
		slot_at(slot_of_cpu(i))->ident = PVS_IDENT_PRESENT |
						 (pvs_u64)i << PVS_IDENT_ARCH_SHIFT;
	h->magic = PVS_REGION_MAGIC;
}

static void look_at_choice(void)
{
	volatile struct pvs_region_header *h = header();
	struct pvs_choice choice = {
		.major = h->guest_major,
		.minor = h->guest_minor,
		.generation = h->guest_generation,
		.features = h->features_accepted,
		.command = h->guest_command,
	};

	if (pvs_vm_negotiate(&host.vm, &choice)) {
		h->status_reason = host.vm.status_reason;
		h->status = host.vm.status;
	}
}

/* ---- checkpoints ----------------------------------------------------------------------------- */

static void step(pvs_u32 slot, pvs_u32 event)
{
	struct pvs_io *io = &host.io[slot];

	io->event.type = (pvs_u16)event;
	io->event.arg = 0;
	io->facts.now_ns = pvs_bm_count_to_ns(pvs_bm_count());
	io->facts.run_ns = host.run_ns[slot];
	io->facts.caps = CAPS;
	io->facts.entitlement_q16 = ENTITLEMENT;
	io->facts.timer_granularity_ns = GRANULARITY_NS;
	pvs_step(&host.vcpu[slot], &host.vm, &host.config, slot_at(slot), io);
	host_seen[slot].klass = io->decision.klass;
}

static void ring(pvs_u32 slot)
{
	look_at_choice();
	if (slot < HOST_CPUS) {
		host_seen[slot].rings++;
		step(slot, PVS_EV_KICK);
	}
}

static void halt(pvs_u32 slot)
{
	host_seen[slot].halts++;
	step(slot, PVS_EV_HALT);
	__asm__ volatile("dsb sy; wfi" : : : "memory");
	step(slot, PVS_EV_WAKE);
	host_seen[slot].wake_klass = host.io[slot].decision.klass;
	host_seen[slot].wake_reason = host.io[slot].decision.reason;
}

static pvs_u64 call_psci(const pvs_u64 *x)
{
	if (x[0] == PSCI_SYSTEM_OFF)
		return (pvs_u64)psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	if (x[0] != PSCI_CPU_ON || x[1] >= HOST_CPUS)
		return PSCI_REFUSED;
	host.entry[x[1]] = x[2];
	host.context[x[1]] = x[3];
	__asm__ volatile("dsb sy" : : : "memory");
	return (pvs_u64)psci(PSCI_CPU_ON, x[1], (pvs_u64)host_entry_secondary, x[1]);
}

static int is_bell(pvs_u32 esr)
{
	pvs_u64 ipa = (READ(hpfar_el2) & ~(pvs_u64)0xf) << 8 | (READ(far_el2) & 0xfffu);

	return (esr & ISS_VALID) && (esr & ISS_WRITE) && ISS_SIZE(esr) == SIZE_WORD &&
	       ipa == HOST_BELL_GPA;
}

/* A trap of the guest; x is its registers. */
void host_trap(pvs_u64 *x)
{
	pvs_u32 slot = slot_of_cpu(this_cpu());
	pvs_u32 esr = (pvs_u32)READ(esr_el2);

	host.run_ns[slot] += pvs_bm_count_to_ns(pvs_bm_count()) - host.entered_ns[slot];
	switch (esr >> EC_SHIFT) {
	case EC_WFX:
		halt(slot);
		WRITE(elr_el2, READ(elr_el2) + 4u);
		break;
	case EC_HVC:
		x[0] = call_psci(x);
		break;
	case EC_DATA_ABORT:
		if (!is_bell(esr))
			host_die();
		ring(ISS_REG(esr) == REG_ZERO ? 0 : (pvs_u32)x[ISS_REG(esr)]);
		WRITE(elr_el2, READ(elr_el2) + 4u);
		break;
	default:
		host_die();
	}
	host.entered_ns[slot] = pvs_bm_count_to_ns(pvs_bm_count());
}

/* ---- start ----------------------------------------------------------------------------------- */

static void begin(void)
{
	pvs_u32 i;

	el2_table[0] = EL2_DEVICE;
	el2_table[1] = (pvs_u64)1 << BLOCK_SHIFT | EL2_MEMORY;
	stage2_table[0] = STAGE2_DEVICE;
	stage2_table[1] = (pvs_u64)1 << BLOCK_SHIFT | STAGE2_MEMORY;

	pvs_config_profile(PVS_PROFILE_DEFAULT, &host.config);
	pvs_vm_init(&host.vm, CAPS, GENERATION, HOST_CPUS);
	for (i = 0; i < HOST_CPUS; i++)
		pvs_vcpu_init(&host.vcpu[i], &host.config);
	write_region();

	first_start.stack_top = (pvs_u64)guest_stacks[1];
	first_start.index = 0;
	first_start.argument = (pvs_u64)&platform;
	first_start.platform = &platform;
	host.entry[0] = (pvs_u64)_start;
	host.context[0] = (pvs_u64)&first_start;
}

/* Own translation on, and the guest's world: host.S leaves for it with x0. */
static void prepare_cpu(pvs_u64 cpu)
{
	WRITE(mair_el2, MAIR_EL2_VALUE);
	WRITE(tcr_el2, TCR_EL2_VALUE);
	WRITE(ttbr0_el2, (pvs_u64)el2_table);
	WRITE(vtcr_el2, VTCR_VALUE);
	WRITE(vttbr_el2, (pvs_u64)stage2_table);
	WRITE(hcr_el2, HCR_VALUE);
	WRITE(cptr_el2, CPTR_NO_TRAP);
	WRITE(cnthctl_el2, TIMER_NO_TRAP);
	WRITE(cntvoff_el2, 0);
	WRITE(s3_4_c12_c9_5, SRE_ALL); /* ICC_SRE_EL2 */
	WRITE(vpidr_el2, READ(midr_el1));
	WRITE(vmpidr_el2, READ(mpidr_el1));
	__asm__ volatile("dsb ish; tlbi alle2; tlbi vmalls12e1; dsb ish; isb" : : : "memory");
	WRITE(sctlr_el2, SCTLR_EL2_ON);
	WRITE(sctlr_el1, SCTLR_EL1_OFF);
	WRITE(spsr_el2, SPSR_EL1H);
	WRITE(elr_el2, host.entry[cpu]);
	__asm__ volatile("isb" : : : "memory");
}

pvs_u64 host_main(pvs_u64 cpu)
{
	if (cpu == 0)
		begin();
	prepare_cpu(cpu);
	step(slot_of_cpu(cpu), PVS_EV_ATTACH);
	host.entered_ns[slot_of_cpu(cpu)] = pvs_bm_count_to_ns(pvs_bm_count());
	return host.context[cpu];
}
