/* SPDX-License-Identifier: BSD-2-Clause */
#include "yield_linear.h"

#include <string.h>

/* The vCPU with this number, or NULL. */
static struct linear_vcpu *find(const struct linear *l, pvs_u32 number)
{
	const struct linear_node *node = l->root;
	void *entry = NULL;

	if (number >> node->shift >= LINEAR_FANOUT)
		return NULL;
	for (;;) {
		entry = node->slot[number >> node->shift & (LINEAR_FANOUT - 1u)];
		if (!entry || !node->shift)
			return entry;
		node = entry;
	}
}

void linear_init(struct linear *l, struct linear_vcpu *memory, pvs_u32 count)
{
	struct linear_node *inner = &l->node[PVS_YIELD_SLOTS / LINEAR_FANOUT];
	pvs_u32 i;

	memset(memory, 0, count * sizeof(*memory));
	memset(l, 0, sizeof(*l));
	l->count = count;
	l->vcpu = memory;
	inner->shift = 6;
	for (i = 0; i < count; i++) {
		struct linear_node *leaf = &l->node[i / LINEAR_FANOUT];

		leaf->slot[i % LINEAR_FANOUT] = &memory[i];
		inner->slot[i / LINEAR_FANOUT] = leaf;
	}
	l->root = count > LINEAR_FANOUT ? inner : &l->node[0];
}

void linear_waits(struct linear *l, pvs_u32 slot, pvs_u32 flags)
{
	struct linear_vcpu *v = &l->vcpu[slot];

	v->ready = 1;
	v->preempted = (flags & PVS_WAITS_PREEMPTED) != 0;
	v->in_kernel = (flags & PVS_WAITS_KERNEL) != 0;
	v->interrupt = (flags & PVS_WAITS_INTERRUPT) != 0;
}

void linear_runs(struct linear *l, pvs_u32 slot)
{
	struct linear_vcpu *v = &l->vcpu[slot];

	v->ready = 0;
	v->preempted = 0;
	v->in_spin_loop = 0;
	v->dy_eligible = 0;
}

/* A vCPU that spins itself is taken at every second look only. */
static int eligible(struct linear_vcpu *v)
{
	int now = !v->in_spin_loop || v->dy_eligible;

	if (v->in_spin_loop)
		v->dy_eligible = !v->dy_eligible;
	return now;
}

pvs_u32 linear_choose(struct linear *l, pvs_u32 slot)
{
	struct linear_vcpu *self = &l->vcpu[slot];
	pvs_u32 at = l->last_boosted;
	pvs_u32 i;

	if (l->count < 2u)
		return LINEAR_NOBODY;
	self->in_spin_loop = 1;
	for (i = 0; i < l->count; i++) {
		struct linear_vcpu *v;

		if (++at == l->count)
			at = 0;
		if (at == slot)
			continue;
		v = find(l, at);
		if (!v)
			continue;
		if (!*(volatile pvs_u8 *)&v->ready)
			continue;
		if (v->blocking && !v->interrupt)
			continue;
		if (*(volatile pvs_u8 *)&v->preempted && !v->interrupt && !v->in_kernel)
			continue;
		if (!eligible(v))
			continue;
		l->last_boosted = at;
		return at;
	}
	self->in_spin_loop = 0;
	self->dy_eligible = 0;
	return LINEAR_NOBODY;
}
