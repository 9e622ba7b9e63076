/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Interrupts. Delivering one opens a ticket, which asks for a boost until the guest acknowledges
 * it: also, and above all, for a vCPU that is runnable but waits. A ticket that nobody closes
 * closes by itself.
 *
 * A storm is judged by cost and by count: when the boosts that tickets opened cost more than a part
 * of a window, or deliveries come faster than a rate, they do not boost any more until both have
 * stayed below half for a while. The vCPU is not otherwise punished, but that each look is charged
 * (look_cost_ns): a host that looks at each delivery anyway sets that low.
 */
#include "stage.h"

/* The window is over: was it calm? Time after it without any delivery is calm anyway. */
static void next_window(struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	pvs_u64 calm_ns = v->clock_ns - v->storm_end_ns;

	if (v->storm_count <= cfg->storm_count_max / 2u && v->storm_ns <= cfg->storm_cost_ns / 2u)
		calm_ns += (pvs_u64)v->calm_ns + cfg->storm_window_ns;
	v->calm_ns = (pvs_u32)pvs_min64(calm_ns, cfg->storm_hold_ns);
	if (v->calm_ns >= cfg->storm_hold_ns)
		v->storm = 0;
	v->storm_count = 0;
	v->storm_ns = 0;
	v->storm_end_ns = v->clock_ns + cfg->storm_window_ns;
}

PVS_STAGE void pvs_irq_inject(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u32 vector,
			      pvs_u32 count)
{
	if (v->clock_ns >= v->storm_end_ns)
		next_window(v, cfg);
	v->storm_count += count;
	if (v->storm_count > cfg->storm_count_max || v->storm_ns > cfg->storm_cost_ns) {
		v->storms += !v->storm;
		v->storm = 1; /* and this window is not a calm one */
	}
	/* 16 bits, never 0 */
	v->ticket = (pvs_u16)(v->ticket == 0xffffu ? 1u : v->ticket + 1u);
	v->ticket_vector = (pvs_u16)vector;
	v->ticket_end_ns = v->ran_ns + cfg->ticket_max_ns;
	v->tickets++;
}

/* A host that sees the end of the interrupt need not wait for the guest to say so. */
PVS_STAGE void pvs_irq_eoi(struct pvs_vcpu *v, pvs_u32 vector)
{
	if (vector == v->ticket_vector && vector != PVS_VECTOR_UNKNOWN)
		v->ticket_end_ns = 0;
}
