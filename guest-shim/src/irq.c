/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The `irq` word: written in interrupt context, nested.
 *
 * An NMI may come between any two instructions here, and uses the same functions. It leaves the
 * word as it found it, and the private copy is changed before the shared one, so whatever was
 * interrupted goes on to store what it would have stored (G-07).
 */
#include "shim.h"

static void put(struct pvs_guest_vcpu *v, pvs_u64 word)
{
	v->irq = word;
	pvs_shim_store(&v->slot->irq, word, v->features);
}

pvs_u64 pvs_guest_irq_enter(struct pvs_guest_vcpu *v, pvs_u64 bit)
{
	pvs_u64 found;

	if (!pvs_shim_may(v, PVS_F_IRQ))
		return 0;
	found = v->irq;
	put(v, found | (bit & PVS_IRQ_BITS_ALL));
	return found;
}

int pvs_guest_irq_leave(struct pvs_guest_vcpu *v, pvs_u64 found)
{
	if (!pvs_shim_may(v, PVS_F_IRQ))
		return PVS_GUEST_STATE;
	put(v, (v->irq & ~PVS_IRQ_BITS_ALL) | (found & PVS_IRQ_BITS_ALL));
	return pvs_shim_drop_due(v);
}

void pvs_guest_irq_ack(struct pvs_guest_vcpu *v)
{
	pvs_u64 ticket;

	if (!pvs_shim_may(v, PVS_F_IRQ_TICKET))
		return;
	ticket = PVS_GUEST_LOAD64(&v->slot->irq_ticket) & PVS_SHIM_MASK(PVS_TICKET_BITS);
	put(v, (v->irq & PVS_IRQ_BITS_ALL) | PVS_SHIM_PUT(ticket, PVS_IRQ_ACK_SHIFT));
}
