/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bare-metal port of the shim at work on two CPUs, in a machine whose host is the engine. It
 * prints one line for each statement, PASS or FAIL, and at last "END failed=0".
 */
#include "host.h"

#define NS_PER_MS   1000000u
#define PATIENCE_NS 2000000000u
#define FEATURES    (PVS_F_ALL & ~PVS_F_SPLIT_WORDS)
#define SECOND_CPU  1u
#define EC_BRK      0x3cu
#define EC_SHIFT    26

static struct pvs_guest guest;
static struct pvs_bm_cpu cpus[HOST_CPUS];
static struct pvs_bm_start second_start;
static const struct pvs_bm_platform *platform;
static pvs_u32 failed;
static int faulted;

static volatile struct {
	pvs_u64 irq_word;    /* of the slot, while the timer's handler ran */
	pvs_u32 ready;       /* the second CPU is about to halt */
	pvs_u32 woken;       /* and was woken */
	pvs_u32 gone;        /* and is offline */
} shared;

/* ---- output ---------------------------------------------------------------------------------- */

static void put(const char *text)
{
	while (*text)
		*(volatile pvs_u32 *)(pvs_u64)HOST_UART_GPA = (pvs_u8)*text++;
}

static void check(int holds, const char *name)
{
	put(holds ? "PASS " : "FAIL ");
	put(name);
	put("\n");
	failed += !holds;
}

static void end(void)
{
	put(failed ? "END failed=1\n" : "END failed=0\n");
	pvs_bm_system_off(platform);
	for (;;)
		pvs_bm_halt();
}

/* Without them gcc has no way to copy or clear a struct. */
void *memset(void *to, int byte, __SIZE_TYPE__ bytes)
{
	volatile pvs_u8 *at = to;

	while (bytes--)
		*at++ = (pvs_u8)byte;
	return to;
}

void *memcpy(void *to, const void *from, __SIZE_TYPE__ bytes)
{
	volatile pvs_u8 *at = to;
	const pvs_u8 *source = from;

	while (bytes--)
		*at++ = *source++;
	return to;
}

/* Waits until *word is not 0; gives up in the end. */
static pvs_u32 wait_for(const volatile pvs_u32 *word)
{
	pvs_u64 until = pvs_bm_count() + pvs_bm_ns_to_count(PATIENCE_NS);

	while (!*word && pvs_bm_count() < until)
		;
	return *word;
}

static pvs_u32 applied_class(const struct pvs_bm_cpu *cpu)
{
	return (pvs_u32)(pvs_guest_applied(&cpu->vcpu) >> PVS_APPLIED_CLASS_SHIFT) &
	       ((1u << PVS_APPLIED_CLASS_BITS) - 1u);
}

/* ---- the second CPU -------------------------------------------------------------------------- */

static void second(struct pvs_bm_cpu *cpu)
{
	const struct pvs_guest_intent nothing = { .idle = 1 };

	pvs_bm_cpu_start(cpu, SECOND_CPU, platform);
	pvs_bm_online(cpu, &guest);
	shared.ready = 1;
	pvs_bm_idle(cpu, &nothing);
	shared.woken = 1;
	pvs_guest_vcpu_offline(&cpu->vcpu);
	cpu->online = 0;
	shared.gone = 1;
	for (;;)
		pvs_bm_halt();
}

/* ---- the first CPU --------------------------------------------------------------------------- */

static void binds(struct pvs_bm_cpu *cpu)
{
	struct pvs_bm_platform elsewhere = *platform;
	int status;

	elsewhere.region_gpa = HOST_REGION_GPA + 0x10000u;
	check(pvs_bm_bind(&guest, &elsewhere, FEATURES) == PVS_GUEST_MAGIC,
	      "bind__refuses_memory_that_holds_no_region");
	elsewhere.region_gpa = 0;
	check(pvs_bm_bind(&guest, &elsewhere, FEATURES) == PVS_GUEST_STATE,
	      "bind__says_that_a_machine_has_no_region");
	check(pvs_bm_online(cpu, &guest) < 0 && !cpu->online, "online__needs_a_binding");

	status = pvs_bm_bind(&guest, platform, FEATURES);
	check(status == PVS_GUEST_OK && guest.slot_count == HOST_CPUS,
	      "bind__finds_the_region_at_its_address");
	check(host_seen[0].rings == 1, "bind__rings_by_a_store_that_comes_to_the_host");
	check(pvs_guest_ready(&guest) == PVS_GUEST_OK, "ready__follows_the_hosts_answer");
	check(pvs_bm_online(cpu, &guest) == PVS_GUEST_OK && cpu->index == 1,
	      "online__takes_the_slot_that_is_named_after_the_mpidr");
}

static void publishes(struct pvs_bm_cpu *cpu)
{
	const struct pvs_guest_intent urgent = {
		.urgency = PVS_URGENCY_REALTIME, .level = 5, .util = 300, .util_valid = 1,
	};
	const struct pvs_guest_intent normal = { .urgency = PVS_URGENCY_NORMAL };
	pvs_u32 rings;

	/* It is online now: the host says what it wants to hear. */
	pvs_bm_ring(&guest, cpu->index);
	rings = host_seen[cpu->index].rings;
	pvs_bm_run(cpu, &urgent);
	check(host_seen[cpu->index].rings == rings + 1, "run__rings_when_urgency_rises");
	check(applied_class(cpu) == PVS_CLASS_TASK, "run__is_boosted_by_the_engine");
	pvs_bm_run(cpu, &normal);
	check(host_seen[cpu->index].rings == rings + 2, "run__rings_when_urgency_drops");
	check(applied_class(cpu) == PVS_CLASS_BASELINE, "run__is_not_boosted_any_more");
}

static void on_timer(struct pvs_bm_cpu *cpu)
{
	shared.irq_word = cpu->vcpu.slot->irq;
}

static void idles(struct pvs_bm_cpu *cpu)
{
	const struct pvs_guest_intent idle = {
		.idle = 1, .wake_valid = 1, .wake_urgency = PVS_URGENCY_REALTIME,
	};
	/* far enough ahead that a busy machine's emulator halts before it is due */
	pvs_u64 due = pvs_bm_count() + pvs_bm_ns_to_count(100u * NS_PER_MS);
	pvs_u32 halts = host_seen[cpu->index].halts;

	cpu->on_timer = on_timer;
	pvs_bm_timer_at(cpu, due);
	while (!cpu->fired_count && pvs_bm_count() < due + pvs_bm_ns_to_count(PATIENCE_NS))
		pvs_bm_idle(cpu, &idle);
	check(cpu->fired_count >= due, "idle__ends_with_the_timer_and_not_before");
	check(host_seen[cpu->index].halts > halts, "idle__is_a_halt_the_host_sees");
	check(host_seen[cpu->index].wake_klass == PVS_CLASS_TASK,
	      "idle__wakes_with_the_urgency_it_announced");
	check((shared.irq_word & PVS_IRQ_BITS_ALL) == PVS_IRQ_HARDIRQ,
	      "interrupt__is_told_while_it_runs");
	check((cpu->vcpu.slot->irq & PVS_IRQ_BITS_ALL) == 0, "interrupt__is_taken_back_at_its_end");
}

static void wakes(struct pvs_bm_cpu *cpu)
{
	const struct pvs_guest_intent normal = { .urgency = PVS_URGENCY_NORMAL };
	volatile struct host_seen *other = &host_seen[0];

	pvs_bm_run(cpu, &normal);
	check(pvs_bm_cpu_on(platform, SECOND_CPU, &second_start) == 0, "psci__starts_another_cpu");
	check(wait_for(&shared.ready) && cpus[SECOND_CPU].index == 0,
	      "psci__the_other_cpu_finds_its_own_slot");
	wait_for(&other->halts);
	pvs_bm_wake(cpu, cpus[SECOND_CPU].index, SECOND_CPU, PVS_URGENCY_INTERACTIVE, 3);
	check(wait_for(&shared.woken) != 0, "wake__interrupts_the_other_cpu");
	check(other->wake_klass == PVS_CLASS_TASK && other->wake_reason == PVS_REASON_PENDING,
	      "wake__is_urgent_by_the_pending_word");
	wait_for(&shared.gone);
	check(cpus[SECOND_CPU].vcpu.slot == 0, "offline__closes_the_slot");
}

static void leaves(struct pvs_bm_cpu *cpu)
{
	pvs_guest_vcpu_offline(&cpu->vcpu);
	cpu->online = 0;
	check(pvs_guest_unbind(&guest) == PVS_GUEST_KICK, "unbind__wants_a_ring");
	pvs_bm_ring(&guest, 0);
	check(((volatile struct pvs_region_header *)platform->region_gpa)->status ==
	      PVS_STATUS_OFFERED, "unbind__gives_the_region_back");
}

void pvs_bm_fault(pvs_u64 syndrome)
{
	check(!faulted++ && syndrome >> EC_SHIFT == EC_BRK, "fault__ends_in_the_images_own_hands");
	end();
}

void pvs_bm_main(pvs_u64 index, pvs_u64 argument)
{
	struct pvs_bm_cpu *cpu = &cpus[index % HOST_CPUS];

	if (index == SECOND_CPU)
		second(cpu);
	platform = (const struct pvs_bm_platform *)argument;
	second_start.stack_top = (pvs_u64)(guest_stacks + SECOND_CPU + 1);
	second_start.index = SECOND_CPU;
	second_start.platform = platform;

	pvs_bm_cpu_start(cpu, 0, platform);
	binds(cpu);
	publishes(cpu);
	idles(cpu);
	wakes(cpu);
	leaves(cpu);
	__asm__ volatile("brk #0");
	end();
}
