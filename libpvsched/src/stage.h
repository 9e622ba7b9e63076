/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * stage.h - what the stages of one decision offer to each other, in the order they run.
 */
#ifndef PVS_STAGE_H
#define PVS_STAGE_H

#include <pvs/pvs.h>

/* What a hint is worth before the accounts are asked. */
struct pvs_want {
	pvs_u8 klass;  /* PVS_CLASS_* */
	pvs_u8 reason; /* enum pvs_reason */
	pvs_u8 on_irq; /* paid from the interrupt account */
	pvs_u8 urgent; /* the guest asks for a boost, whether it gets one or not */
	pvs_u8 denied; /* enum pvs_reason why not, or 0 */
	pvs_u8 spins;  /* it may be spinning for another vCPU, for all this host can see */
	pvs_u8 reserved[2];
};

/* account.c: time has passed; move it between the accounts. */
PVS_STAGE void pvs_account(struct pvs_vcpu *v, const struct pvs_config *cfg,
			   const struct pvs_facts *facts);

/* boost.c: take events and hint, and say what class they ask for. */
PVS_STAGE void pvs_take_event(struct pvs_vcpu *v, pvs_u32 type);
PVS_STAGE void pvs_take_hint(struct pvs_vcpu *v, const struct pvs_config *cfg,
			     const struct pvs_io *io);
PVS_STAGE void pvs_boost_want(const struct pvs_vcpu *v, pvs_u32 caps, struct pvs_want *want);

/* limit.c: what the accounts allow of it. */
PVS_STAGE void pvs_limit(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			 const struct pvs_facts *facts, struct pvs_want *want);
PVS_STAGE pvs_u8 pvs_rank(const struct pvs_vcpu *v, const struct pvs_config *cfg);

/* cap.c: the VM's cap, shared by its vCPUs. */
PVS_STAGE int pvs_cap_take(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 now_ns,
			   pvs_u64 boost_ns);
PVS_STAGE void pvs_cap_charge(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 now_ns,
			      pvs_u64 boost_ns);
PVS_STAGE void pvs_cap_refund(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 boost_ns);

PVS_INLINE int pvs_boosted(pvs_u32 klass)
{
	return klass >= PVS_CLASS_TASK;
}

PVS_INLINE pvs_u64 pvs_min64(pvs_u64 a, pvs_u64 b)
{
	return a < b ? a : b;
}

PVS_INLINE pvs_u64 pvs_max64(pvs_u64 a, pvs_u64 b)
{
	return a > b ? a : b;
}

/* a - b, or 0 */
PVS_INLINE pvs_u64 pvs_less64(pvs_u64 a, pvs_u64 b)
{
	return a > b ? a - b : 0u;
}

#endif /* PVS_STAGE_H */
