/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/decide.h - the last stage: state, hint, event, facts and time in; a decision out.
 *
 * The whole flow in one place is pvs_step(). A host that keeps the words elsewhere (BPF arena,
 * a trace) calls its four stages itself.
 */
#ifndef PVS_DECIDE_H
#define PVS_DECIDE_H

#include <pvs/config.h>
#include <pvs/state.h>
#include <pvs/status.h>

/* facts.caps: what this host can see and do. Features are offered by these (pvs_features_for). */
#define PVS_CAP_SEES_WAKE    0x001u /* EV_WAKE and EV_HALT are told */
#define PVS_CAP_SEES_PREEMPT 0x002u /* EV_PREEMPT is told before it happens */
#define PVS_CAP_SEES_INJECT  0x004u /* EV_INJECT is told, also for posted interrupts */
#define PVS_CAP_OWNS_QUEUE   0x008u /* it sorts the run queue itself */
#define PVS_CAP_CAN_DEFER    0x010u /* a preemption can be put off */
#define PVS_CAP_CAN_KICK     0x020u /* the guest has a doorbell */
#define PVS_CAP_SEES_WAIT    0x040u /* it can tell facts.wait_ns when asked to */
#define PVS_CAP_SETS_PERF    0x080u /* performance requests have an effect */
#define PVS_CAP_TELLS_PERF   0x100u /* facts.capacity, perf and contention are told */
#define PVS_CAP_CAN_YIELD    0x200u /* a yield can be directed: pvs/yield.h */
#define PVS_CAP_IRQ_WINDOW   0x400u /* EV_IRQ_WINDOW can be armed */

struct pvs_event {
	pvs_u16 type; /* enum pvs_event_type */
	pvs_u16 reserved;
	pvs_u32 arg;  /* by type */
};

struct pvs_facts {
	pvs_u64 now_ns;  /* the host's monotonic clock; a step back counts as no time */
	pvs_u64 run_ns;  /* cumulative CPU time of the vCPU; a step back counts as none */
	pvs_u64 wait_ns; /* cumulative time runnable but not running; with wait_known */
	pvs_u32 caps;    /* PVS_CAP_* */
	pvs_u32 entitlement_q16; /* configured share of one CPU, 1..65536; 0 = not configured */
	pvs_u32 timer_granularity_ns; /* the host cannot end a boost more exactly than this */
	pvs_u8 nested;   /* 1: the vCPU runs a nested guest; its words are not looked at */
	pvs_u8 wait_known; /* 1: wait_ns is of now */
	pvs_u8 contended;  /* 1: others wait for the CPU it runs on: spinning there is a waste */
	pvs_u8 dedicated;  /* 1: it has a CPU of its own: hints cannot have an effect */
	/* with PVS_CAP_TELLS_PERF, each 0..1024, larger values count as 1024 */
	pvs_u16 capacity;   /* of the CPU it runs on, of the most capable one */
	pvs_u16 perf;       /* its current performance, on the same scale */
	pvs_u16 contention; /* share of time it waited lately */
	pvs_u16 reserved;
};

/* decision.flags */
#define PVS_DECISION_CHANGED  0x01u /* class, rank or weight differ from the last decision */
#define PVS_DECISION_MEASURE  0x02u /* measure-only: apply nothing */
#define PVS_DECISION_RELEASE  0x04u /* restore the baseline and let go (detach, foreign) */
#define PVS_DECISION_SAMPLE   0x08u /* facts.run_ns matters at the next call */
#define PVS_DECISION_MALFORMED 0x10u /* a word was malformed (log it, rate-limited) */
#define PVS_DECISION_DEFER    0x20u /* EV_PREEMPT: put the preemption off until recheck_at_ns */
#define PVS_DECISION_SAMPLE_WAIT 0x80u /* and so does wait_ns, which may cost more to tell */
#define PVS_DECISION_ARM_IRQ_WINDOW 0x40u /* tell me when the guest re-enables interrupts */

#define PVS_NEVER PVS_U64(0xffffffffu, 0xffffffffu)
#define PVS_NO_TARGET 0xffffffffu /* no slot: pvs/yield.h */

struct pvs_decision {
	pvs_u8 klass;    /* PVS_CLASS_BELOW..PVS_CLASS_CRITICAL */
	pvs_u8 rank;     /* 0..PVS_RANKS-1 among vCPUs of the same boosted class; else 0 */
	pvs_u8 reason;   /* enum pvs_reason */
	pvs_u8 throttle; /* PVS_THROTTLE_* */
	pvs_u32 flags;   /* PVS_DECISION_* */
	pvs_u32 weight_q10; /* weight at and below baseline, 1024 = the baseline's own */
	pvs_u32 perf_q10;   /* performance wanted, 0..1024, within the guest's bounds; 0 = no
			     * statement */
	pvs_u8 defer;       /* EV_PREEMPT: enum pvs_reason why put off or not; else 0 */
	pvs_u8 reserved[7];
	pvs_u64 recheck_at_ns; /* call again at this time at the latest, or PVS_NEVER */
	pvs_u64 ring_at_ns;    /* a doorbell before this time cannot change anything */
};

/* What goes in and comes out of one step. Owned by the caller; about 250 bytes. */
struct pvs_io {
	struct pvs_event event;
	struct pvs_facts facts;
	struct pvs_snapshot snap;
	struct pvs_hint hint;
	struct pvs_decision decision;
};

/* Features a host with these capabilities can honestly offer. Context: any. O(1). */
PVS_API pvs_u64 pvs_features_for(pvs_u32 caps);

/* Makes *v a detached vCPU with full accounts. Context: any, serialised per vCPU. O(1). */
PVS_API void pvs_vcpu_init(struct pvs_vcpu *v, const struct pvs_config *cfg);

/*
 * Makes *vm a VM that offers what `caps` allow, in `generation` (24 bits used), with `slot_count`
 * slots (1..PVS_SLOT_COUNT_MAX, clamped). Context: any. O(1).
 */
PVS_API void pvs_vm_init(struct pvs_vm *vm, pvs_u32 caps, pvs_u32 generation, pvs_u32 slot_count);

/*
 * Takes the guest's choice: accepts, refuses or resets, and sets vm->status, status_reason and
 * terms. Returns 1 when the status changed (write it to the header), else 0. Context: serialised
 * per VM. O(1).
 */
PVS_API int pvs_vm_negotiate(struct pvs_vm *vm, const struct pvs_choice *choice);

/*
 * Tells the vCPU something from any context (interrupt delivery, another CPU, a timer): one
 * atomic OR. The next pvs_decide() sees it first. Types without a bit of their own are taken as
 * "look again". Never blocks. O(1).
 */
PVS_API void pvs_post(struct pvs_vcpu *v, pvs_u32 event_type);

/*
 * Decides. io->event, facts and hint in; io->decision out. `cfg` must be resolved and checked.
 * Serialised per vCPU by the caller; vCPUs of one VM may run it at the same time. Context: any,
 * also with interrupts off. O(1), no division but in share learning, no call out.
 */
PVS_API void pvs_decide(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
			struct pvs_io *io);

/*
 * One checkpoint, whole: snapshot -> validate -> decide -> status words. `slot` is the shared
 * slot of this vCPU. Context and cost as pvs_decide(), and 7 loads, at most 12 stores.
 */
PVS_API void pvs_step(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
		      struct pvs_slot *slot, struct pvs_io *io);

/* Writes what the guest may know: applied, window_left and, when COUNTERS is accepted, the
 * counters. The host's words are only ever written. Context: as pvs_decide(). O(1). */
PVS_API void pvs_publish_status(struct pvs_vcpu *v, const struct pvs_vm *vm,
				const struct pvs_config *cfg, struct pvs_slot *slot);

/*
 * Compares two vCPUs that both want one CPU: 1 when `a` goes first, -1 when `b` does, 0 when the
 * host's own order decides. Class, then rank. Context: any. O(1).
 */
PVS_API int pvs_preempts(const struct pvs_vcpu *a, const struct pvs_vcpu *b);

/* ---- save and restore (migration, daemon restart): durations only, never a point in time ---- */

#define PVS_SAVED_VERSION 2u

struct pvs_saved {
	pvs_u32 version; /* PVS_SAVED_VERSION */
	pvs_u32 share_q16;
	/* missing in the accounts, in earned time; see state.h */
	pvs_u64 boost_used_ns;
	pvs_u64 irq_used_ns;
	pvs_s64 normal_left_ns;
	pvs_u64 high_ns;
	pvs_u64 high_before_ns;
	pvs_u64 boosted_ns;
	pvs_u32 boosts;
	pvs_u32 denials;
	pvs_u32 overruns;
	pvs_u32 malformed;
	pvs_u32 latches; /* bit 0 boost_empty, bit 1 irq_empty, bit 2 paying */
	pvs_u32 reserved;
};

/* Run time left in the boost account, ns; 0 when it is empty or overdrawn. Context: as
 * pvs_decide(). O(1). */
PVS_API pvs_u64 pvs_boost_left(const struct pvs_vcpu *v, const struct pvs_config *cfg);

/* Fills *out from *v. Context: as pvs_decide(). O(1). */
PVS_API void pvs_state_save(const struct pvs_vcpu *v, struct pvs_saved *out);

/*
 * Makes *v a detached vCPU with the accounts of *in, each clamped to what `cfg` allows: a saved
 * state can never give more than a fresh one. Returns PVS_OK, or PVS_E_SAVED (unknown version or
 * latches), then *v is as after pvs_vcpu_init(). Context: as pvs_decide(). O(1).
 */
PVS_API int pvs_state_restore(struct pvs_vcpu *v, const struct pvs_config *cfg,
			      const struct pvs_saved *in);

#endif /* PVS_DECIDE_H */
