/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/yield.h - directed yield: a vCPU spins; which one of its VM should have the CPU instead, and
 * what does it give it?
 *
 * Beside pvs_decide(), not inside: the host tells struct pvs_yield when a vCPU begins and ceases to
 * wait for a CPU, and asks when one spins. Each call is O(1), however many vCPUs there are: sets of
 * bits, a word for 64 vCPUs and a summary word that says which words are not empty.
 *
 *   pvs_yield_waits/runs/blocks/interrupt/ipi/eoi   what the host sees, a few instructions each
 *     -> pvs_yield_choose   whom to yield to, and why
 *     -> pvs_transfer       what the yielder pays, or what the other one is credited
 *
 * Who may call what at the same time: the calls for one vCPU (that name it as `slot`, `sender` or
 * `yielder`) are serialised by the caller, as its run queue's lock does; only
 * pvs_yield_interrupt() may come from anybody at any time. Calls for different vCPUs need no lock.
 * All may be made with interrupts disabled, and none waits. A choice is a hint: who acts on it
 * checks, under the lock it needs for that anyway, that the target still waits.
 *
 * Two published algorithms did not do what they said. Here the ranking is an order and no filter,
 * and the reverse-pair debounce can be reached; abi/spec/policy-yield.md says what was changed.
 */
#ifndef PVS_YIELD_H
#define PVS_YIELD_H

#include <pvs/decide.h>

/* ---- config --------------------------------------------------------------------------------- */

/* flags */
#define PVS_YIELD_STRICT 0x1u /* no relaxed round: nobody rather than somebody of no rank */

/* What the yielder gives: transfer. 0 means the default. */
#define PVS_TRANSFER_OFF      1u /* nothing */
#define PVS_TRANSFER_PENALISE 2u /* the yielder's virtual time moves on (seed 004, v2) */
#define PVS_TRANSFER_CREDIT   3u /* the target's lag is credited (seed 004, v3). That is time out
				  * of nothing: two vCPUs that yield to each other without end leave
				  * bystanders next to nothing (tests/sim, yield-bystander). Only
				  * for hosts whose VMs all have one owner */

/* As struct pvs_config: zero means the default, all fields are pvs_u32. */
struct pvs_yield_config {
	pvs_u32 flags;           /* PVS_YIELD_STRICT, default 0 */
	pvs_u32 ipi_window_ns;   /* how long the receiver of an IPI is one without an EOI,
				  * 1024 ns..1 s, default 50 ms (seed 004) */
	pvs_u32 transfer;        /* PVS_TRANSFER_*, 1..3, default OFF: only a host that knows
				  * virtual time can do one of the others */
	pvs_u32 transfer_min_ns; /* between two penalties of one yielder, or two forced reschedules,
				  * 1 us..1 s, default 6 ms (seed 004) */
	pvs_u32 debounce_ns;     /* a yield back within this is a ping-pong, 1024 ns..100 ms,
				  * default 600 us (seed 004) */
	pvs_u32 reserved;        /* 0 */
};

/* Replaces each zero that means "default" by the default. Idempotent. Context: any. O(1). */
PVS_API void pvs_yield_config_resolve(struct pvs_yield_config *cfg);

/*
 * Checks a resolved config. Returns PVS_OK, or PVS_E_RANGE with *err filled in (err may be NULL)
 * for the first field, in declaration order, that is out of its range. Context: any. O(1).
 */
PVS_API int pvs_yield_config_check(const struct pvs_yield_config *cfg,
				   struct pvs_config_error *err);

/* ---- state ---------------------------------------------------------------------------------- */

#define PVS_YIELD_SLOTS 1024u /* PVS_SLOT_COUNT_MAX */
#define PVS_YIELD_WORDS 16u   /* of 64 slots */
#define PVS_YIELD_SETS  4u    /* ranks that are sets */
#define PVS_YIELD_IPIS  4u    /* receivers remembered of a sender, senders of a receiver */

/* Why a yield goes where it goes: ranks, best first. Report format: numbers are never reused. */
enum pvs_yield_reason {
	PVS_YIELD_NOBODY = 0,    /* nobody waits, or whom the guest names runs: spin on */
	PVS_YIELD_NAMED = 1,     /* the guest named it (LOCK, IPI) and it has not run since */
	PVS_YIELD_NAMED_MANY = 2,/* it is in the mask the guest named (IPI_MANY) */
	PVS_YIELD_HOLDER = 3,    /* the guest waits for ANY; preempted in a critical section */
	PVS_YIELD_RECEIVER = 4,  /* it has an IPI of the yielder that it has not answered */
	PVS_YIELD_INTERRUPT = 5, /* it has an interrupt pending */
	PVS_YIELD_CRIT = 6,      /* preempted in a critical section */
	PVS_YIELD_KERNEL = 7,    /* preempted in its kernel */
	PVS_YIELD_USER = 8,      /* preempted */
	PVS_YIELD_RELAXED = 9,   /* waits for a CPU, no matter why */
	PVS_YIELD_REASON_COUNT = 10
};

/* What a transfer was. Report format: numbers are never reused. */
enum pvs_transfer_reason {
	PVS_TRANSFER_NONE = 0,      /* config: OFF */
	PVS_TRANSFER_NOBODY = 1,    /* no target, or the yielder itself */
	PVS_TRANSFER_ALONE = 2,     /* nobody else is queued there: yielding is enough */
	PVS_TRANSFER_LIMITED = 3,   /* too soon after this yielder's last penalty */
	PVS_TRANSFER_PENALTY = 4,   /* the target is behind: the gap and a bit more, up to a cap */
	PVS_TRANSFER_BASE = 5,      /* the target is not behind: a small penalty */
	PVS_TRANSFER_PING_PONG = 6, /* the target has just yielded to the yielder: the gap only */
	PVS_TRANSFER_CREDITED = 7,  /* the target's lag was below the margin: filled up */
	PVS_TRANSFER_ENOUGH = 8,    /* the target's lag is at the margin or above */
	PVS_TRANSFER_REASON_COUNT = 9
};

/* One vCPU: a cache line. */
struct pvs_yield_slot {
	pvs_u64 sent_to;               /* receivers that did not answer: slot + 1, 16 bits each */
	pvs_u32 sent[PVS_YIELD_IPIS];  /* ... since when, in ticks of 1024 ns */
	pvs_u8 vector[PVS_YIELD_IPIS]; /* ... and what they have to answer */
	pvs_u32 sent_last;             /* when the last of them was sent */
	pvs_u16 from[PVS_YIELD_IPIS];  /* who sent to it: slot + 1; 0 = nobody */
	pvs_u64 limit_ns;              /* its last penalty or reschedule, + 1; 0 = none */
	pvs_u64 pair;                  /* its last transfer: time << 16 | target + 1; 0 = none */
	pvs_u8 place;                  /* 0: waits for no CPU; else its set, or 4 for none */
	pvs_u8 spins;                  /* PVS_WAITS_SPINNING: yielded, and has not run since */
	pvs_u8 sends;                  /* something may be in `sent_to` */
	pvs_u8 receiver;               /* where in `sent_to` to look first */
	pvs_u32 reserved;
};

/*
 * One VM: PVS_YIELD_BYTES bytes of the caller's, in any memory, without pointers. The fields are
 * the engine's own; read `counts` and `transfers`, write nothing. It is not saved and not migrated:
 * pvs_yield_init() and the next events make a new one.
 */
struct pvs_yield {
	pvs_u32 slot_count;
	pvs_u32 flags;          /* of the config */
	pvs_u32 ipi_window;     /* in ticks of 1024 ns */
	pvs_u32 debounce;       /* in ticks of 1024 ns */
	pvs_u32 transfer_min_ns;
	pvs_u32 transfer;       /* PVS_TRANSFER_* */
	pvs_u32 cursor[PVS_YIELD_SETS]; /* the slot behind each set's last choice */
	pvs_u32 cursor_many;            /* the same of named masks ... */
	pvs_u32 cursor_relaxed;         /* ... and of relaxed rounds */
	pvs_u32 counts[PVS_YIELD_REASON_COUNT];       /* choices by reason; wrap */
	pvs_u32 transfers[PVS_TRANSFER_REASON_COUNT]; /* transfers by reason; wrap */
	pvs_u32 stale;                  /* named targets that had run since; wraps */
	pvs_u64 waiting[PVS_YIELD_WORDS]; /* every slot that waits for a CPU */
	/* Those that have a rank, in sets: with an interrupt pending; preempted in a critical
	 * section; in the kernel; elsewhere. 16 words each; bit n of `summary` is set while word n
	 * is not empty, but for a moment. */
	pvs_u64 summary;
	pvs_u64 word[PVS_YIELD_SETS * PVS_YIELD_WORDS];
	struct pvs_yield_slot slot[PVS_YIELD_SLOTS];
};

#define PVS_YIELD_BYTES 66312u

/*
 * Sets *y to a VM with `slot_count` slots, of which none waits. Returns PVS_OK; PVS_E_INVALID for
 * a count that is not 1..1024; or what pvs_yield_config_check() says. `cfg` need not be resolved
 * and is not kept. Context: any, nobody else uses *y. O(size): once in the life of a VM, and when
 * it is reset.
 */
PVS_API int pvs_yield_init(struct pvs_yield *y, const struct pvs_yield_config *cfg,
			   pvs_u32 slot_count);

/* ---- what the host sees --------------------------------------------------------------------- */
/* A slot that is not below slot_count is ignored in each of these. Context: any. O(1). */

/* What is known of a vCPU that waits for a CPU. */
#define PVS_WAITS_PREEMPTED 0x01u /* it lost its CPU; without: it was woken and has not run yet */
#define PVS_WAITS_CRIT      0x02u /* in a critical section (hint.crit: a lock, or preempt-off) */
#define PVS_WAITS_KERNEL    0x04u /* in its kernel */
#define PVS_WAITS_INTERRUPT 0x08u /* an interrupt is pending */
#define PVS_WAITS_SPINNING  0x10u /* it waits for another one itself (hint.wait_kind) */
#define PVS_WAITS_ALL       0x1fu

/* The vCPU is runnable and not running. Called again, the new flags replace the old ones. */
PVS_API void pvs_yield_waits(struct pvs_yield *y, pvs_u32 slot, pvs_u32 flags);

/* The vCPU goes into the guest: after each pvs_yield_waits(), and after a yield that had a target
 * but did not take place. */
PVS_API void pvs_yield_runs(struct pvs_yield *y, pvs_u32 slot);

/* The vCPU blocks (halt). It cannot use a CPU, so for a yield it is as good as running. */
PVS_INLINE void pvs_yield_blocks(struct pvs_yield *y, pvs_u32 slot)
{
	pvs_yield_runs(y, slot);
}

/* The vCPU is gone (offline, unplugged): nothing is remembered of it. */
PVS_API void pvs_yield_removed(struct pvs_yield *y, pvs_u32 slot);

/* An interrupt has become pending for a vCPU, which may or may not wait for a CPU. Any CPU. */
PVS_API void pvs_yield_interrupt(struct pvs_yield *y, pvs_u32 slot);

/*
 * An IPI with one receiver was accepted: fixed delivery, not to the sender itself. Of several IPIs
 * to slots that are equal modulo PVS_YIELD_IPIS only the last is remembered. `vector` 0..255.
 */
PVS_API void pvs_yield_ipi(struct pvs_yield *y, pvs_u32 sender, pvs_u32 target, pvs_u32 vector,
			   pvs_u64 now_ns);

/*
 * The vCPU has ended the interrupt with this vector: IPIs to it with this vector are answered, no
 * others. Only where the host has such exits; elsewhere an IPI counts for ipi_window_ns.
 */
PVS_API void pvs_yield_eoi(struct pvs_yield *y, pvs_u32 slot, pvs_u32 vector);

/* ---- the choice ------------------------------------------------------------------------------ */

struct pvs_yield_ask {
	pvs_u64 now_ns;
	pvs_u32 target_epoch; /* run epoch of hint->wait_target as it is now: the engine keeps none,
			       * pvs_decide() does. 0 where RUN_EPOCH is not offered */
	pvs_u32 reserved;
};

struct pvs_yield_choice {
	pvs_u32 target;  /* slot, or PVS_NO_TARGET */
	pvs_u8 reason;   /* enum pvs_yield_reason */
	pvs_u8 relaxed;  /* 1: of no rank, taken because it waits */
	pvs_u8 stale;    /* 1: the guest named one that has run since */
	pvs_u8 reserved;
};

/*
 * `yielder` spins, yields or waits for the answer to an IPI: says whom to run instead. `hint` is
 * its last one (zeros if it says nothing). Never the yielder itself, which counts as running from
 * here on; and, if there is a target, as spinning until pvs_yield_runs(). Ranks: the order of enum
 * pvs_yield_reason; inside a rank each has its turn. Context: any. O(1): on x86-64 at 1024 vCPUs
 * at most 150 instructions for each rank on its own, 280 if everything before it was in vain.
 */
PVS_API void pvs_yield_choose(struct pvs_yield *y, pvs_u32 yielder, const struct pvs_hint *hint,
			      const struct pvs_yield_ask *ask, struct pvs_yield_choice *out);

/* ---- the transfer ---------------------------------------------------------------------------- */

struct pvs_transfer_facts {
	pvs_u64 now_ns;
	pvs_s64 gap_ns;         /* the target's virtual time less the yielder's */
	pvs_s64 lag_ns;         /* what the target is owed (> 0) or has had too much (< 0) */
	pvs_u32 lag_max_ns;     /* largest lag the host's scheduler allows */
	pvs_u32 granularity_ns; /* a base slice in the virtual time of who is charged; more than
				 * PVS_GRANULARITY_MAX_NS counts as that */
	pvs_u32 queued;         /* on the run queue both are on, both included */
	pvs_u32 reserved;
};

#define PVS_GRANULARITY_MAX_NS 500000000u

struct pvs_transfer {
	pvs_u64 penalty_ns; /* add to the yielder's virtual time (and set its deadline anew) */
	pvs_u64 credit_ns;  /* add to the target's lag */
	pvs_u8 reason;      /* enum pvs_transfer_reason */
	pvs_u8 resched;     /* 1: make the target's CPU choose again now, whatever is protected */
	pvs_u8 reserved[6];
};

/*
 * What `yielder` gives to `target` with a yield that is about to happen. At most one of penalty_ns
 * and credit_ns is not 0. Call it for each yield, before the host's scheduler charges the yielder
 * in a way of its own. Context: any. O(1), no division by a variable.
 */
PVS_API void pvs_transfer(struct pvs_yield *y, pvs_u32 yielder, pvs_u32 target,
			  const struct pvs_transfer_facts *facts, struct pvs_transfer *out);

#endif /* PVS_YIELD_H */
