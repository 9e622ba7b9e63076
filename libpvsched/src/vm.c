/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * A VM and its vCPUs come into being, and agree with the guest on what is spoken.
 */
#include "stage.h"

/* A feature is offered when the host has one of the capabilities it lives from, and when this
 * version of the core does something with it. */
PVS_API pvs_u64 pvs_features_for(pvs_u32 caps)
{
	/* Needs no more than a look at the page now and then. */
	pvs_u64 f = PVS_F_WAKE | PVS_F_WINDOW | PVS_F_PENDING | PVS_F_COUNTERS | PVS_F_SPLIT_WORDS;

	if (caps & PVS_CAP_SETS_PERF)
		f |= PVS_F_UTIL | PVS_F_UTIL_BOUNDS;
	if (caps & PVS_CAP_TELLS_PERF)
		f |= PVS_F_PERF;
	if (caps & PVS_CAP_CAN_YIELD)
		f |= PVS_F_WAIT;
	/* A critical section is over before a host that does not see preemption looks. */
	if (caps & PVS_CAP_SEES_PREEMPT) {
		f |= PVS_F_CRIT | PVS_F_IRQ | PVS_F_RUN_EPOCH;
		if (caps & PVS_CAP_CAN_DEFER)
			f |= PVS_F_GRANT;
		if (caps & PVS_CAP_SEES_INJECT)
			f |= PVS_F_IRQ_TICKET;
	}
	if (caps & PVS_CAP_CAN_KICK)
		f |= PVS_F_KICK;
	return f;
}

PVS_API void pvs_vm_init(struct pvs_vm *vm, pvs_u32 caps, pvs_u32 generation, pvs_u32 slot_count)
{
	if (slot_count < 1u)
		slot_count = 1u;
	if (slot_count > PVS_SLOT_COUNT_MAX)
		slot_count = PVS_SLOT_COUNT_MAX;
	vm->cap_ns = 0;
	vm->features_offered = pvs_features_for(caps);
	vm->terms.features = 0;
	vm->terms.generation = generation & PVS_GENERATION_MASK;
	vm->terms.slot_count = slot_count;
	vm->terms.active = 0;
	vm->terms.reserved = 0;
	vm->status = PVS_STATUS_OFFERED;
	vm->status_reason = PVS_REFUSE_NONE;
}

static int set_status(struct pvs_vm *vm, pvs_u32 status, pvs_u32 reason, pvs_u64 features)
{
	int changed = vm->status != status || vm->status_reason != reason ||
		      vm->terms.features != features;

	vm->status = status;
	vm->status_reason = reason;
	vm->terms.features = features;
	vm->terms.active = status == PVS_STATUS_ACTIVE;
	return changed;
}

PVS_API int pvs_vm_negotiate(struct pvs_vm *vm, const struct pvs_choice *choice)
{
	pvs_u32 reason;

	if (choice->command == PVS_CMD_NONE && vm->status == PVS_STATUS_OFFERED)
		return 0;
	if (choice->command == PVS_CMD_NONE || choice->command == PVS_CMD_RESET)
		return set_status(vm, PVS_STATUS_OFFERED, PVS_REFUSE_NONE, 0);
	reason = pvs_negotiate(choice, vm->features_offered, vm->terms.generation);
	if (reason != PVS_REFUSE_NONE)
		return set_status(vm, PVS_STATUS_REFUSED, reason, 0);
	return set_status(vm, PVS_STATUS_ACTIVE, PVS_REFUSE_NONE, choice->features);
}

PVS_API void pvs_vcpu_init(struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	__builtin_memset(v, 0, sizeof(*v));
	v->hold_end_ns = cfg->level_hold_ns;
	v->storm_end_ns = cfg->storm_window_ns;
	v->crit_mask = PVS_CRIT_ALL;
	v->run_epoch = 1;
	v->gate = PVS_REASON_DETACHED;
	v->ticket_vector = PVS_VECTOR_UNKNOWN;
	v->hint.util_ceil = PVS_UTIL_MAX;
	v->klass = PVS_CLASS_BASELINE;
	v->weight_q10 = 1024u;
	v->reason = PVS_REASON_DETACHED;
}
