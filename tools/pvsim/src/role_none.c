/* SPDX-License-Identifier: BSD-2-Clause */
/* role_none.c - a host that takes no notice of hints: there is no region, so guests say nothing. */
#include "role.h"

#include "guest.h"

static void none_vm_up(struct sim *sim, struct sim_vm *vm)
{
	(void)sim;
	vm->header = NULL;
	vm->slots = NULL;
	vm->slots_bytes = 0;
}

static void none_vm_down(struct sim *sim, struct sim_vm *vm)
{
	(void)sim;
	(void)vm;
}

static void none_event(struct sim *sim, struct sim_vcpu *v, uint32_t type, uint32_t arg)
{
	(void)sim;
	(void)v;
	(void)type;
	(void)arg;
}

const struct sim_role sim_role_none = {
	.name = "none",
	.what = "takes no notice of guests: the baseline",
	.leaves_out = "nothing: there is nothing",
	.vm_up = none_vm_up,
	.vm_down = none_vm_down,
	.event = none_event,
};
