/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that lie, flood and die. All of them burn their CPU meanwhile, and count it. */
#include "workload.h"

#define WINDOW_MAX_US 65535u
#define FLIP_NS       4000u
/* A pulse waits at most this many times its refill time for the host's word that it is full. */
#define REFILL_PATIENCE 4u

static void burn_unit(struct lab_cpu *lab)
{
	pvs_vmm_spin(lab_loops(lab, PVS_VMM_UNIT_US * 1000u));
	lab->result->work++;
}

/* Everything that can be claimed in the words of this vCPU. */
static void claim(struct lab_cpu *lab, int idle)
{
	struct pvs_guest_intent all = { 0 };

	if (!lab->cpu.online)
		return;
	all.util = PVS_UTIL_MAX;
	all.util_valid = 1;
	all.window_us = WINDOW_MAX_US;
	all.urgency = PVS_URGENCY_REALTIME;
	all.level = PVS_LEVEL_MAX;
	all.wake_valid = 1;
	all.wake_urgency = PVS_URGENCY_REALTIME;
	all.wake_level = PVS_LEVEL_MAX;
	all.idle = (pvs_u8)idle;
	lab_say(lab, &all);
	pvs_guest_crit(&lab->cpu.vcpu, PVS_CRIT_ALL, 0);
	pvs_guest_wait(&lab->cpu.vcpu, PVS_WAIT_ANY, 0, 0);
	pvs_guest_util_bounds(&lab->cpu.vcpu, PVS_UTIL_MAX, PVS_UTIL_MAX);
}

static void claim_nothing(struct lab_cpu *lab)
{
	struct pvs_guest_intent none = { 0 };

	if (!lab->cpu.online)
		return;
	lab_say(lab, &none);
	pvs_guest_crit(&lab->cpu.vcpu, 0, PVS_CRIT_ALL);
	pvs_guest_wait(&lab->cpu.vcpu, PVS_WAIT_NONE, 0, 0);
	pvs_guest_util_bounds(&lab->cpu.vcpu, 0, 0);
}

static void pend_on_all(struct lab_cpu *lab)
{
	pvs_u32 index;

	if (!lab->cpu.online)
		return;
	for (index = 0; index < lab->boot->vcpu_count; index++)
		pvs_guest_pend(lab->cpu.guest, index, PVS_URGENCY_REALTIME, PVS_LEVEL_MAX);
}

/* Rings when it is time to, and says when it is time again. */
static pvs_u64 ring_if_due(struct lab_cpu *lab, pvs_u64 due_tsc)
{
	pvs_u64 now_tsc = pvs_bm_tsc();

	if (!lab->cpu.online || lab->boot->ring_ns == 0 || now_tsc < due_tsc)
		return due_tsc;
	pvs_bm_ring(lab->cpu.guest, lab->cpu.index);
	return now_tsc + lab_tsc(lab, lab->boot->ring_ns);
}

void lab_liar(struct lab_cpu *lab)
{
	pvs_u64 ring_tsc = 0;
	pvs_u32 turn;

	if (lab->cpu.online)
		pvs_guest_irq_enter(&lab->cpu.vcpu, PVS_IRQ_HARDIRQ | PVS_IRQ_SOFTIRQ);
	for (turn = 0;; turn++) {
		claim(lab, (int)(turn & 1));
		pend_on_all(lab);
		ring_tsc = ring_if_due(lab, ring_tsc);
		burn_unit(lab);
	}
}

/* ---- pulse ----------------------------------------------------------------------------------- */

static pvs_u32 boost_left_us(const struct lab_cpu *lab)
{
	return (pvs_u32)(lab->cpu.vcpu.slot->window_left >> PVS_LEFT_BOOST_SHIFT);
}

/* Says nothing until its clock says "refilled" and the host's word does not contradict: nothing
 * came in any more. Returns what the account holds. */
static void wait_for_refill(struct lab_cpu *lab)
{
	pvs_u64 refill_tsc = lab_tsc(lab, lab->boot->refill_ns);
	pvs_u64 begin_tsc = pvs_bm_tsc();
	pvs_u64 waited_tsc = 0;
	pvs_u32 before_us = lab->cpu.online ? boost_left_us(lab) : 0;
	pvs_u32 left_us;
	pvs_u32 rounds = 0;

	claim_nothing(lab);
	while (rounds < REFILL_PATIENCE) {
		burn_unit(lab);
		waited_tsc = pvs_bm_tsc() - begin_tsc;
		if (waited_tsc < refill_tsc * (rounds + 1))
			continue;
		rounds++;
		left_us = lab->cpu.online ? boost_left_us(lab) : 0;
		if (left_us <= before_us)
			break;
		before_us = left_us;
	}
}

static int throttled(const struct lab_cpu *lab)
{
	pvs_u64 applied = pvs_guest_applied(&lab->cpu.vcpu);
	pvs_u32 throttle = (pvs_u32)(applied >> PVS_APPLIED_THROTTLE_SHIFT) & 0xffu;

	return (throttle & (PVS_THROTTLE_BOOST_EMPTY | PVS_THROTTLE_VM_CAP |
			    PVS_THROTTLE_GRANT_MAX)) != 0;
}

void lab_pulse(struct lab_cpu *lab)
{
	pvs_u64 refill_tsc = lab_tsc(lab, lab->boot->refill_ns);
	pvs_u64 begin_tsc;

	for (;;) {
		wait_for_refill(lab);
		if (!lab->cpu.online)
			continue;
		begin_tsc = pvs_bm_tsc();
		claim(lab, 0);
		pvs_bm_ring(lab->cpu.guest, lab->cpu.index);
		do {
			burn_unit(lab);
			claim(lab, 0);
		} while (!throttled(lab) && pvs_bm_tsc() - begin_tsc < refill_tsc);
		lab->result->claims++;
		lab->result->claim_ns += lab_ns(lab, pvs_bm_tsc() - begin_tsc);
	}
}

/* ---- noise ----------------------------------------------------------------------------------- */

/* Slot and header words are 64 bits; a guest can store into all of them, its own or not. */
static void store_garbage(struct lab_cpu *lab)
{
	const struct pvs_guest *g = lab->cpu.guest;
	pvs_u64 dice = lab_random(lab);
	pvs_u64 word = lab_random(lab);
	volatile pvs_u64 *slot = (volatile pvs_u64 *)
		(g->slots + (dice >> 8) % g->slot_count * g->slot_stride);
	volatile pvs_u64 *header = (volatile pvs_u64 *)g->header;

	switch (dice & 7) {
	case 0:
		header[2 * PVS_LINE_SIZE / 8 + (dice >> 32) % 8] = word;
		break;
	case 1:
		header[(dice >> 32) % (PVS_HEADER_SIZE / 8)] = word;
		break;
	case 2:
		slot[(dice >> 32) % (PVS_SLOT_SIZE / 8)] = word;
		break;
	case 3:
		slot[PVS_LINE_SIZE / 8] = word; /* pending */
		break;
	default:
		slot[(dice >> 32) % 8] = word;
		break;
	}
}

void lab_garbage(struct lab_cpu *lab)
{
	pvs_u64 ring_tsc = 0;
	pvs_u64 dice;

	for (;;) {
		dice = lab_random(lab);
		pvs_vmm_spin(dice % (lab_loops(lab, 20000) + 1));
		lab->result->work++;
		if (!lab->cpu.online)
			continue;
		store_garbage(lab);
		ring_tsc = ring_if_due(lab, ring_tsc);
		/* now and then a life word the host believes, so that the rest is looked at */
		if ((dice >> 60) == 0)
			pvs_guest_vcpu_online(lab->cpu.guest, lab->cpu.index, &lab->cpu.vcpu);
	}
}

void lab_flip(struct lab_cpu *lab)
{
	pvs_u64 loops = lab_loops(lab, FLIP_NS);
	pvs_u64 ring_tsc = 0;
	volatile pvs_u64 *intent;

	for (;;) {
		claim(lab, 0);
		pvs_vmm_spin(loops);
		if (lab->cpu.online) {
			intent = &lab->cpu.vcpu.slot->intent;
			*intent |= PVS_U64(1u << (PVS_INTENT_RSVD_SHIFT - 32), 0);
		}
		pvs_vmm_spin(loops);
		ring_tsc = ring_if_due(lab, ring_tsc);
		lab->result->work++;
	}
}

static void claim_until(struct lab_cpu *lab, pvs_u64 tsc)
{
	while (pvs_bm_tsc() < tsc) {
		claim(lab, 0);
		burn_unit(lab);
	}
}

/* An interrupt without an interrupt table: the processor shuts down. */
static void die(void)
{
	static const struct {
		pvs_u16 limit;
		pvs_u16 base[4];
	} nothing = { 0, { 0, 0, 0, 0 } };

	__asm__ volatile("lidt %0; int3" : : "m"(nothing));
}

void lab_stale(struct lab_cpu *lab)
{
	pvs_u64 third_tsc = (lab->to_tsc - lab->from_tsc) / 3;
	pvs_u64 life;

	claim_until(lab, lab->from_tsc + third_tsc);
	if (lab->cpu.online) {
		life = lab->cpu.vcpu.slot->life;
		lab->cpu.vcpu.slot->life = life + (PVS_U64(0, 1) << PVS_LIFE_GEN_SHIFT);
		claim_until(lab, lab->from_tsc + 2 * third_tsc);
		lab->cpu.vcpu.slot->life = life;
	}
	claim_until(lab, lab->to_tsc - third_tsc / 2);
	die();
}
