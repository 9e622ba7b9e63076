/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A port in one file. It compiles as it stands and runs against a host made of memory
 * (tests/unit/guest/template_test.c); what an OS has to fill in is marked "OS:".
 */
#include "port.h"

#include <pvs/guest_inline.h>

#include "os.h"

/* OS: leave out what the OS cannot say truthfully; offer nothing it does not keep up to date. */
#define WANTED (PVS_F_UTIL | PVS_F_WAKE | PVS_F_PENDING | PVS_F_CRIT | PVS_F_GRANT | PVS_F_IRQ | \
		PVS_F_IRQ_TICKET | PVS_F_WAIT | PVS_F_RUN_EPOCH | PVS_F_KICK | PVS_F_COUNTERS)

/* The host answers at its next look; after so long it is not going to. */
#define ANSWER_MAX_MS 100u

#define HEADER_BYTES ((pvs_u64)PVS_HEADER_SIZE)

/* OS: per-CPU data. The shim has no state of its own; here a static array does. */
static struct pvs_guest region;
static struct pvs_guest_vcpu vcpus[OS_CPUS_MAX];
static pvs_u32 slot_of[OS_CPUS_MAX];

static struct pvs_guest_vcpu *this_vcpu(void)
{
	return &vcpus[os_this_cpu()];
}

/* ---- the doorbell ---------------------------------------------------------------------------- */

static void ring(pvs_u32 slot)
{
	switch (region.kick_kind) {
	case PVS_KICK_PIO:
		os_out32(region.kick_addr, slot);
		break;
	case PVS_KICK_MMIO:
		os_mmio32(region.kick_addr, slot);
		break;
	case PVS_KICK_HYPERCALL:
		os_hypercall(region.kick_addr, slot);
		break;
	default:
		break; /* the host looks on its own */
	}
}

static void ring_if(int status)
{
	if (status == PVS_GUEST_KICK)
		ring(slot_of[os_this_cpu()]);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int wait_for_answer(void)
{
	int status = pvs_guest_ready(&region);
	pvs_u32 ms;

	for (ms = 0; status == PVS_GUEST_NOT_READY && ms < ANSWER_MAX_MS; ms++) {
		os_pause_1ms();
		status = pvs_guest_ready(&region);
	}
	return status;
}

/* A kernel before this one may have left its binding: then bind says NOT_READY and has reset it. */
static int bind_region(volatile unsigned char *at, pvs_u64 bytes)
{
	int status = PVS_GUEST_NOT_READY;
	pvs_u32 ms;

	for (ms = 0; status == PVS_GUEST_NOT_READY && ms < ANSWER_MAX_MS; ms++) {
		status = pvs_guest_bind(&region, (volatile struct pvs_region_header *)
						 (volatile void *)at,
					at + HEADER_BYTES, bytes - HEADER_BYTES, WANTED);
		ring(0);
		if (status == PVS_GUEST_NOT_READY)
			os_pause_1ms();
	}
	return status;
}

int port_boot(void)
{
	pvs_u64 bytes = 0;
	volatile unsigned char *at = (volatile unsigned char *)os_map_region(&bytes);
	int status;

	if (!at || bytes <= HEADER_BYTES)
		return PVS_GUEST_STATE;
	status = bind_region(at, bytes);
	if (status == PVS_GUEST_KICK)
		status = wait_for_answer();
	/* OS: one line of log; a guest without a region is an ordinary guest. */
	return status;
}

/* The slot whose `ident` names this CPU; the slot of the same number where the host says none. */
static pvs_u32 find_slot(pvs_u32 cpu)
{
	pvs_u32 wanted = os_arch_id(cpu);
	pvs_u32 i;

	for (i = 0; i < region.slot_count; i++) {
		const volatile struct pvs_slot *s =
			(const volatile struct pvs_slot *)(const volatile void *)
			(region.slots + (__UINTPTR_TYPE__)i * region.slot_stride);
		pvs_u64 ident = PVS_GUEST_LOAD64(&s->ident);

		if (!(ident & PVS_IDENT_PRESENT))
			continue;
		if ((pvs_u32)(ident >> PVS_IDENT_ARCH_SHIFT) == wanted)
			return i;
	}
	return cpu;
}

int port_cpu_up(void)
{
	pvs_u32 cpu = os_this_cpu();

	slot_of[cpu] = find_slot(cpu);
	return pvs_guest_vcpu_online(&region, slot_of[cpu], &vcpus[cpu]);
}

void port_cpu_down(void)
{
	pvs_guest_vcpu_offline(this_vcpu());
}

int port_tick(void)
{
	return pvs_guest_ready(&region) == PVS_GUEST_GENERATION;
}

void port_end(void)
{
	if (pvs_guest_unbind(&region) == PVS_GUEST_KICK)
		ring(0);
}

/* ---- scheduling ------------------------------------------------------------------------------ */

/*
 * OS: the urgency is a matter of what the task is for, so it comes from the task's class: deadline
 * and real-time classes REALTIME; what a person waits for (audio, input, compositor) INTERACTIVE;
 * batch BACKGROUND; idle class IDLE; everything else NORMAL. Do not pass priorities through.
 */
void port_switch(const struct port_task *next)
{
	struct pvs_guest_intent in = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

	in.urgency = next->urgency;
	in.level = next->level;
	in.util = next->util;
	in.util_valid = next->util != 0;
	ring_if(pvs_guest_publish(this_vcpu(), &in));
	ring_if(pvs_guest_pend_clear(this_vcpu()));
}

void port_idle(const struct port_task *next_timer)
{
	struct pvs_guest_intent in = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

	in.idle = 1;
	if (next_timer) {
		in.wake_valid = 1;
		in.wake_urgency = next_timer->urgency;
		in.wake_level = next_timer->level;
	}
	(void)pvs_guest_publish(this_vcpu(), &in); /* going idle never rings */
	/* OS: halt with interrupts on, now. The handler or the next switch says what it is for. */
}

void port_queued_on(pvs_u32 cpu, const struct port_task *task)
{
	(void)pvs_guest_pend(&region, slot_of[cpu], task->urgency, task->level);
	/* OS: send the interrupt; it is what makes the host look at that CPU. */
}

/* ---- interrupts ------------------------------------------------------------------------------ */

pvs_u64 port_irq_enter(pvs_u64 context)
{
	return pvs_guest_irq_enter(this_vcpu(), context);
}

void port_irq_handled(void)
{
	pvs_guest_irq_ack(this_vcpu());
}

void port_irq_leave(pvs_u64 found)
{
	ring_if(pvs_guest_irq_leave(this_vcpu(), found));
}

/* ---- locks ----------------------------------------------------------------------------------- */

void port_lock(void)
{
	(void)pvs_guest_crit(this_vcpu(), PVS_CRIT_LOCK_HELD, 0);
}

/* OS: a yield may have to wait until preemption is possible again; then it comes first there. */
void port_unlock(void)
{
	int status = pvs_guest_crit(this_vcpu(), 0, PVS_CRIT_LOCK_HELD);

	if (status == PVS_GUEST_YIELD)
		os_yield_to_host();
	ring_if(status);
}

void port_spin_begin(pvs_u32 holder)
{
	pvs_u32 slot;

	if (holder == PORT_UNKNOWN) {
		pvs_guest_wait(this_vcpu(), PVS_WAIT_ANY, 0, 0);
		return;
	}
	slot = slot_of[holder];
	pvs_guest_wait(this_vcpu(), PVS_WAIT_LOCK, slot, pvs_guest_run_epoch(&region, slot));
}

/* OS: one round of spinning; a yield to the host too if it takes long. */
void port_spin(void)
{
	if (pvs_guest_should_yield(this_vcpu()))
		os_yield_to_host();
}

void port_spin_end(void)
{
	pvs_guest_wait(this_vcpu(), PVS_WAIT_NONE, 0, 0);
}
