/* SPDX-License-Identifier: BSD-2-Clause */
/* Endless work: alone, and around a lock that all vCPUs share. */
#include "workload.h"

/* A spinning vCPU looks at the lock this often. Between two PAUSEs it turns the loop, since each
 * PAUSE ends a translated block and a spinning guest would cost the emulator most of its time. */
#define SPIN_LOOPS 8u

void lab_burn(struct lab_cpu *lab)
{
	struct pvs_guest_intent normal = { 0 };
	pvs_u64 loops = lab_loops(lab, PVS_VMM_UNIT_US * 1000u);
	int counts = lab->boot->work != PVS_VMM_MIXED; /* there, the handler counts periods */

	normal.urgency = PVS_URGENCY_NORMAL;
	if (counts)
		lab_say(lab, &normal);
	for (;;) {
		pvs_vmm_spin(loops);
		if (counts)
			lab->result->work++;
		else
			lab->result->burned++;
	}
}

/* ---- locks ----------------------------------------------------------------------------------- */

/*
 * A ticket lock, and who holds it. Each word has a line of its own. Whoever has waited long enough
 * halts (as Linux guests do): `halted` says so, by ticket.
 */
static struct {
	volatile pvs_u32 next __attribute__((aligned(64)));
	volatile pvs_u32 serving __attribute__((aligned(64)));
	volatile pvs_u32 holder __attribute__((aligned(64)));
	/* index of the vCPU that sleeps for this ticket, plus 1; 0 = it does not */
	volatile pvs_u32 halted[PVS_VMM_VCPUS_MAX] __attribute__((aligned(64)));
} ticket_lock;

static volatile pvs_u32 *halted_of(pvs_u32 ticket)
{
	return &ticket_lock.halted[ticket % PVS_VMM_VCPUS_MAX];
}

/* Interrupts are off until HLT: the wake-up of an unlocker that saw the word is not lost; one that
 * did not see it had served the ticket before. */
static void halt_for(struct lab_cpu *lab, pvs_u32 ticket)
{
	static const struct pvs_guest_intent asleep = { .idle = 1 };

	*halted_of(ticket) = lab->cpu.index + 1;
	__sync_synchronize();
	pvs_bm_run(&lab->cpu, &asleep);
	lab->asleep = 1; /* to be taken back behind the lock, not under it */
	while (ticket_lock.serving != ticket)
		pvs_bm_halt();
	*halted_of(ticket) = 0;
	lab->result->lock_halts++;
}

static void wait_for(struct lab_cpu *lab, pvs_u32 ticket)
{
	pvs_u64 since_tsc = pvs_bm_tsc();
	pvs_u64 patience_tsc = lab_tsc(lab, lab->boot->spin_ns);
	pvs_u64 waited_ns;
	pvs_u32 holder = ticket_lock.holder;

	lab->result->lock_contended++;
	if (lab->cpu.online)
		pvs_guest_wait(&lab->cpu.vcpu, PVS_WAIT_LOCK, holder,
			       pvs_guest_run_epoch(lab->cpu.guest, holder));
	while (ticket_lock.serving != ticket) {
		__asm__ volatile("pause");
		pvs_vmm_spin(SPIN_LOOPS);
		if (patience_tsc && pvs_bm_tsc() - since_tsc >= patience_tsc)
			halt_for(lab, ticket);
	}
	if (lab->cpu.online)
		pvs_guest_wait(&lab->cpu.vcpu, PVS_WAIT_NONE, 0, 0);

	waited_ns = lab_ns(lab, pvs_bm_tsc() - since_tsc);
	if (waited_ns > lab->result->lock_wait_max_ns)
		lab->result->lock_wait_max_ns = waited_ns;
}

static pvs_u32 lock(struct lab_cpu *lab)
{
	pvs_u32 ticket = __sync_fetch_and_add(&ticket_lock.next, 1);

	if (ticket_lock.serving != ticket)
		wait_for(lab, ticket);
	ticket_lock.holder = lab->cpu.index;
	if (lab->cpu.online)
		pvs_guest_crit(&lab->cpu.vcpu, PVS_CRIT_LOCK_HELD, 0);
	return ticket;
}

static void unlock(struct lab_cpu *lab, pvs_u32 ticket)
{
	pvs_u32 sleeper;

	ticket_lock.serving = ticket + 1;
	__sync_synchronize();
	if (lab->cpu.online)
		pvs_guest_crit(&lab->cpu.vcpu, 0, PVS_CRIT_LOCK_HELD);
	sleeper = *halted_of(ticket + 1);
	if (sleeper) /* the APIC id is the index */
		pvs_bm_wake(&lab->cpu, sleeper - 1, sleeper - 1, PVS_URGENCY_NORMAL, 0);
}

void lab_locks(struct lab_cpu *lab)
{
	struct pvs_guest_intent normal = { 0 };
	pvs_u64 held_loops = lab_loops(lab, lab->boot->held_ns);
	pvs_u64 outside_loops = lab_loops(lab, lab->boot->outside_ns);
	pvs_u32 ticket;

	normal.urgency = PVS_URGENCY_NORMAL;
	lab_say(lab, &normal);
	for (;;) {
		ticket = lock(lab);
		pvs_vmm_spin(held_loops);
		unlock(lab, ticket);
		if (lab->asleep) {
			lab->asleep = 0;
			pvs_bm_run(&lab->cpu, &normal);
		}
		lab->result->work++;
		pvs_vmm_spin(outside_loops);
	}
}
