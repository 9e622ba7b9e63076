/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * stage.h - what the stages of one decision offer to each other, in the order they run.
 */
#ifndef PVS_STAGE_H
#define PVS_STAGE_H

#include <pvs/pvs.h>

#ifndef PVS_ADD64
#define PVS_ADD64(p, n) __sync_fetch_and_add((p), (n))
#define PVS_XCHG64(p, v) __sync_lock_test_and_set((p), (v))
#endif

/* What is known about the step at hand; each stage adds to it. (32 bits each: the compiler keeps
 * them in registers.) */
struct pvs_now {
	pvs_u64 dt_ns;   /* account: wall time since the last step, as far as it can be believed */
	pvs_u64 run_ns;  /* account: run time since the last step */
	pvs_u64 left_ns; /* limit: run time until the account that pays is empty */
	pvs_u32 caps;    /* PVS_CAP_* that mean something to this guest */
	pvs_u32 klass;   /* boost, limit: PVS_CLASS_* */
	pvs_u32 reason;  /* boost, limit: enum pvs_reason of that */
	pvs_u32 on_irq;  /* boost, limit: paid from the interrupt account */
	pvs_u32 urgent;  /* boost: the guest asks for more than baseline, granted or not */
	pvs_u32 denied;  /* boost, limit: enum pvs_reason why not, or 0 */
	pvs_u32 entitled_q16; /* decide: its share of a CPU when the step began, never 0 */
	pvs_u32 fresh;   /* boost: the sequence is not that of the last look */
};

/* fields.c: a configuration's field, by name and range. */
struct pvs_field {
	const char *name;
	pvs_u32 min;
	pvs_u32 max;
	pvs_u32 preset; /* what zero stands for */
};

#define PVS_FIELDS(rows) ((pvs_u32)(sizeof(rows) / sizeof((rows)[0])))

PVS_STAGE void pvs_fields_resolve(pvs_u32 *values, const struct pvs_field *rows, pvs_u32 count);
PVS_STAGE int pvs_field_check(const struct pvs_field *row, pvs_u32 value,
			      struct pvs_config_error *err);
PVS_STAGE int pvs_fields_check(const pvs_u32 *values, const struct pvs_field *rows, pvs_u32 count,
			       struct pvs_config_error *err);

/* account.c: time has passed; move it between the accounts. */
PVS_STAGE void pvs_account(struct pvs_vcpu *v, const struct pvs_config *cfg,
			   const struct pvs_facts *facts, struct pvs_now *now);
PVS_STAGE void pvs_settle_normal(struct pvs_vcpu *v, const struct pvs_config *cfg,
				 const struct pvs_facts *facts);

/* event.c: what happened, posted or told. */
PVS_STAGE void pvs_take_events(struct pvs_vcpu *v, const struct pvs_vm *vm,
			       const struct pvs_config *cfg, const struct pvs_io *io);

/* irq.c: deliveries and their tickets. */
PVS_STAGE void pvs_irq_inject(struct pvs_vcpu *v, const struct pvs_config *cfg, pvs_u32 vector,
			      pvs_u32 count);
PVS_STAGE void pvs_irq_eoi(struct pvs_vcpu *v, pvs_u32 vector);

/* boost.c: take the hint, and say what class it asks for. */
PVS_STAGE void pvs_boost(struct pvs_vcpu *v, const struct pvs_config *cfg,
			 const struct pvs_io *io, struct pvs_now *now);
PVS_STAGE void pvs_forget_hint(struct pvs_vcpu *v);

/* limit.c: what the accounts allow of it. */
PVS_STAGE void pvs_limit(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			 const struct pvs_facts *facts, struct pvs_now *now);
PVS_STAGE pvs_u32 pvs_rank(const struct pvs_vcpu *v, const struct pvs_config *cfg);

/* cap.c: the VM's cap, shared by its vCPUs. */
PVS_STAGE int pvs_cap_take(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 now_ns);
PVS_STAGE void pvs_cap_charge(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 now_ns,
			      pvs_u64 boost_ns);
PVS_STAGE void pvs_cap_refund(struct pvs_vm *vm, const struct pvs_config *cfg, pvs_u64 boost_ns);

/* preempt.c: may the preemption that is about to happen wait? */
PVS_STAGE void pvs_preempt(struct pvs_vcpu *v, const struct pvs_vm *vm,
			   const struct pvs_config *cfg, struct pvs_io *io);

/* Conditions that are rarely true; the compiler keeps them out of the way. */
#define PVS_RARE(x) __builtin_expect(!!(x), 0)

PVS_INLINE int pvs_boosted(pvs_u32 klass)
{
	return klass >= PVS_CLASS_TASK;
}

PVS_INLINE int pvs_urgent(pvs_u32 urgency)
{
	return urgency >= PVS_URGENCY_INTERACTIVE;
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

PVS_INLINE pvs_u64 pvs_part_q10(pvs_u64 ns, pvs_u32 share_q10)
{
	return (ns * share_q10) >> 10;
}

/* A hint that says nothing. */
PVS_INLINE void pvs_hint_clear(struct pvs_hint *hint)
{
	__builtin_memset(hint, 0, sizeof(*hint));
	hint->util_ceil = PVS_UTIL_MAX;
}

/* What is missing in an account, in earned time. */
PVS_INLINE pvs_u64 pvs_used(pvs_u64 full_at_ns, pvs_u64 earned_ns)
{
	return pvs_less64(full_at_ns, earned_ns);
}

/* What the configuration grants of a CPU. A host that does not say grants what it has been seen to
 * give, and all of a CPU until then. */
PVS_INLINE pvs_u32 pvs_entitled_q16(const struct pvs_vcpu *v, const struct pvs_facts *facts)
{
	if (facts->entitlement_q16 - 1u < 65536u)
		return facts->entitlement_q16;
	return !facts->entitlement_q16 && v->share_q16 ? v->share_q16 : 65536u;
}

#endif /* PVS_STAGE_H */
