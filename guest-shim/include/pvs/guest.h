/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/guest.h - the guest shim, portable part: what an OS calls to say what its vCPUs need.
 *
 * It depends on pvs/abi.h and the compiler only: no libc, no allocation, no lock, no writable
 * static. The OS finds the region (guest-shim/os/...) and tells which of its events publish.
 * Publishing is one store; nothing here causes an exit. Where a doorbell would help, the
 * function returns PVS_GUEST_KICK and the OS port rings it.
 *
 * The life of a port (docs/porting.md has the whole):
 *
 *   pvs_guest_bind -> ring -> pvs_guest_ready until OK -> on each vCPU: pvs_guest_vcpu_online
 *     -> pvs_guest_publish and the other words, for ever -> pvs_guest_vcpu_offline
 *     -> pvs_guest_unbind -> ring
 *
 * The host is not trusted: what it wrote is loaded once, checked, copied; a word it keeps changing
 * is never a loop without bound, an index or an address here. Functions on a vCPU that is not
 * online do nothing. "Context: owning vCPU" means: only that vCPU, so its words need no lock.
 */
#ifndef PVS_GUEST_H
#define PVS_GUEST_H

#include <pvs/abi.h>

/* Return values; the negative ones are those of pvs/status.h. */
#define PVS_GUEST_OK         0
#define PVS_GUEST_KICK       1      /* done; ring the doorbell of this slot when convenient */
#define PVS_GUEST_YIELD      2      /* done; yield to the host now (pvs_guest_crit() alone) */
#define PVS_GUEST_INVALID    (-1)   /* an argument is NULL, misaligned or out of its domain */
#define PVS_GUEST_STATE      (-3)   /* not bound, not active, or the feature was not accepted */
#define PVS_GUEST_MAGIC      (-100) /* this memory is not a region */
#define PVS_GUEST_VERSION    (-101) /* no version in common */
#define PVS_GUEST_LAYOUT     (-102) /* a size, stride, count or generation is impossible */
#define PVS_GUEST_REFUSED    (-103) /* the host said no, or lacks a feature this guest must have */
#define PVS_GUEST_NOT_READY  (-104) /* not yet: ask again later */
#define PVS_GUEST_GENERATION (-105) /* the region was given a new life: bind anew */

/* One region as the guest sees it: everything taken from the host is a checked private copy. */
struct pvs_guest {
	volatile struct pvs_region_header *header;
	volatile unsigned char *slots; /* slot 0; never computed from `header` */
	pvs_u64 features;              /* PVS_F_* accepted */
	pvs_u64 kick_addr;             /* by kick_kind; stays valid after unbind */
	pvs_u32 kick_kind;             /* PVS_KICK_*; NONE: there is nothing to ring */
	pvs_u32 slot_stride;           /* bytes, power of two, 256..4096 */
	pvs_u32 slot_count;            /* 1..PVS_SLOT_COUNT_MAX */
	pvs_u32 generation;            /* 24 bits */
	pvs_u32 status_reason;         /* PVS_REFUSE_*, after PVS_GUEST_REFUSED */
	pvs_u32 window_min_us;         /* limits of the header: for information, not checked */
	pvs_u32 grant_max_us;
	pvs_u32 hint_rate_hz;
};

/*
 * One vCPU of it: its slot and the last words stored there, so that nothing is read back. Zeroed
 * memory is a vCPU that is not online. Its owner alone writes it.
 */
struct pvs_guest_vcpu {
	volatile struct pvs_slot *slot; /* NULL while not online */
	const volatile pvs_u64 *bell;   /* does the host want a bell? Its `applied` word, or with
					 * PVS_F_SPLIT_WORDS one that says: not that simple */
	pvs_u64 intent;                 /* without tags */
	pvs_u64 seq;                    /* sequence of `intent`, in the top byte */
	pvs_u64 crit;
	volatile pvs_u64 irq;           /* an NMI may come between any two instructions */
	pvs_u64 wait;                   /* without tags */
	pvs_u64 features;               /* PVS_F_* accepted */
	pvs_u64 intent_mask;            /* bits of `intent` that these features allow */
	pvs_u32 slot_count;
	pvs_u32 wait_tag;               /* PVS_F_SPLIT_WORDS: tag of the last `wait` */
};

/* What a vCPU needs now. Zero is "no statement". Fields of features not accepted are left out. */
struct pvs_guest_intent {
	pvs_u16 util;         /* 0..1024 of the maximum capability */
	pvs_u16 window_us;    /* boost window asked for, us of run time, 0 = none */
	pvs_u8 urgency;       /* PVS_URGENCY_* of what runs now */
	pvs_u8 level;         /* 0..15 */
	pvs_u8 wake_urgency;  /* PVS_URGENCY_* of what the next wake-up is for */
	pvs_u8 wake_level;    /* 0..15 */
	pvs_u8 idle;          /* 1: about to halt */
	pvs_u8 util_valid;    /* 1: util is a statement */
	pvs_u8 wake_valid;    /* 1: wake_urgency and wake_level are */
	pvs_u8 reserved;
};

/*
 * Binds to a region: checks what the host wrote (magic, major, sizes, stride, count), copies it,
 * zeroes the guest's words of all slots, and writes the choice: those of `features_wanted` that
 * are offered, each with the feature it needs; a feature whose need is not offered is left out.
 * PVS_F_SPLIT_WORDS is a must: when wanted and not offered, binding is REFUSED. A guest that
 * cannot store 64 bits at once must want it; a 32-bit build of the shim always does.
 *
 * `header` is 64-byte aligned; `slots` may lie anywhere, aligned to the stride the host uses (a
 * page is always enough), and `slots_bytes` is what the OS has mapped there: a count that does
 * not fit is a LAYOUT error.
 *
 * Returns PVS_GUEST_KICK: ring, when kick_kind is not NONE, then poll pvs_guest_ready(). Any
 * other value is an error, nothing is bound and *g is zeroed: INVALID, MAGIC, VERSION, LAYOUT,
 * REFUSED, or NOT_READY, which has two cases. DISABLED: the host has withdrawn; try later, *g is
 * zeroed. Else an earlier kernel's binding was found and RESET was written: kick_kind and
 * kick_addr are set; ring and bind again once the host has seen it. Context: one CPU, no vCPU
 * online. O(slot_count).
 */
int pvs_guest_bind(struct pvs_guest *g, volatile struct pvs_region_header *header,
		   volatile void *slots, pvs_u64 slots_bytes, pvs_u64 features_wanted);

/*
 * Has the host answered? PVS_GUEST_OK (active), NOT_READY, REFUSED (g->status_reason),
 * GENERATION (bind anew; vCPUs offline first) or STATE (not bound). To be asked now and then (a
 * tick of one CPU is enough) while bound, because migration renegotiates. Context: serialised by
 * the caller. O(1).
 */
int pvs_guest_ready(struct pvs_guest *g);

/*
 * Opens slot `index` for the calling vCPU and marks it online. PVS_GUEST_OK; INVALID (NULL or
 * index >= slot_count) or STATE (pvs_guest_ready() would not say OK), and *v is not online.
 * Context: the owning vCPU. O(1).
 */
int pvs_guest_vcpu_online(const struct pvs_guest *g, pvs_u32 index, struct pvs_guest_vcpu *v);

/*
 * Takes everything back and marks the slot offline (CPU hotplug). Idempotent. Context: the owning
 * vCPU, or any other once it has stopped. O(1).
 */
void pvs_guest_vcpu_offline(struct pvs_guest_vcpu *v);

/*
 * Publishes what this vCPU needs: one 64-bit store, no exit, sequence advanced. Values out of
 * range are clamped; `in` is not kept. Returns PVS_GUEST_KICK when the host asked to be told of
 * this change, PVS_GUEST_OK when not, STATE when not online. No kick is asked for when the vCPU
 * is going idle: the halt is a checkpoint. Context: owning vCPU, task context, not re-entered.
 * O(1). A word prepared by pvs_guest_intent_word() is stored in at most 15 instructions by
 * pvs_guest_store_intent() (pvs/guest_inline.h).
 */
int pvs_guest_publish(struct pvs_guest_vcpu *v, const struct pvs_guest_intent *in);

/* Takes the statement back: as publishing zero. Context and result as publish. O(1). */
int pvs_guest_retract(struct pvs_guest_vcpu *v);

/*
 * Builds an intent word without sequence; to be prepared once and stored often. Values out of
 * range are clamped. Context: any. O(1).
 */
pvs_u64 pvs_guest_intent_word(const struct pvs_guest_intent *in);

/*
 * Sets `set` and clears `clear` (PVS_CRIT_*; others are ignored; a bit in both is set): one
 * store. Returns PVS_GUEST_YIELD when this has cleared the last bit and the host has put a
 * preemption off for it (PVS_F_GRANT, G-24): yield to the host, by the platform's own means, as
 * soon as that is possible; a yield tells all that a ring would. Else PVS_GUEST_KICK when nothing
 * urgent is left and the host asked to be told, else PVS_GUEST_OK; STATE when not online or
 * without PVS_F_CRIT, and nothing is stored. Context: owning vCPU, task context. O(1).
 */
int pvs_guest_crit(struct pvs_guest_vcpu *v, pvs_u64 set, pvs_u64 clear);

/*
 * Enters interrupt context: sets the bit (PVS_IRQ_*) and returns the word found, which the same
 * nesting level hands to pvs_guest_irq_leave(). The interrupt bits come back as they were found;
 * an acknowledgement made in between stays. Without PVS_F_IRQ nothing is stored; enter returns 0.
 * Leave returns PVS_GUEST_KICK when nothing urgent is left and the host asked to be told, else
 * PVS_GUEST_OK; STATE without PVS_F_IRQ. Context: owning vCPU with maskable interrupts off for the
 * call (they are, on entry and exit); an NMI may come at any instruction. O(1).
 */
pvs_u64 pvs_guest_irq_enter(struct pvs_guest_vcpu *v, pvs_u64 bit);
int pvs_guest_irq_leave(struct pvs_guest_vcpu *v, pvs_u64 found);

/*
 * Acknowledges the interrupt ticket last published by the host. Nothing without
 * PVS_F_IRQ_TICKET. Context: owning vCPU, maskable interrupts off, never from an NMI. O(1).
 */
void pvs_guest_irq_ack(struct pvs_guest_vcpu *v);

/*
 * Says whom this vCPU waits for. `kind` PVS_WAIT_*; `target` a slot index; `epoch_or_mask` the
 * target's pvs_guest_run_epoch() when the wait began (LOCK, IPI) or, for IPI_MANY, a bit for each
 * slot target..target+31 (+27 with PVS_F_SPLIT_WORDS). What cannot be said (unknown kind, slot
 * out of range, bit that does not fit) becomes PVS_WAIT_ANY; an empty mask and PVS_WAIT_NONE end
 * the wait. Nothing without PVS_F_WAIT. Context: owning vCPU, task context. One store. O(1).
 */
void pvs_guest_wait(struct pvs_guest_vcpu *v, pvs_u32 kind, pvs_u32 target, pvs_u32 epoch_or_mask);

/*
 * 1 when this vCPU should yield to the host where it would spin, for its CPU is one that others
 * wait for (G-25): to be asked before each round of spinning, after pvs_guest_wait() has said for
 * whom. Else 0, also when not online or without PVS_F_WAIT. Context: owning vCPU. One load. O(1).
 */
int pvs_guest_should_yield(const struct pvs_guest_vcpu *v);

/*
 * Another slot's run epoch, 16 bits (odd = not running); 0 when not bound, without
 * PVS_F_RUN_EPOCH or out of range. Untrusted, for hints only. Context: any. O(1).
 */
pvs_u32 pvs_guest_run_epoch(const struct pvs_guest *g, pvs_u32 index);

/*
 * Tells the host that a task of this urgency was queued on slot `index` by another vCPU: raises
 * the slot's `pending` word (compare-and-swap maximum, at most 8 tries). Values out of range are
 * clamped. PVS_GUEST_OK; INVALID (index); STATE (not bound, or PVS_F_PENDING not accepted);
 * NOT_READY when others raised the word at each try. Context: any vCPU, any context. O(1).
 */
int pvs_guest_pend(const struct pvs_guest *g, pvs_u32 index, pvs_u32 urgency, pvs_u32 level);

/*
 * The owner has seen its queue: clears `pending`, but for what is raised during the call. Returns
 * as pvs_guest_irq_leave(), STATE without PVS_F_PENDING. Context: owning vCPU, task context, after
 * it has published what it runs now, else the host sees a gap. O(1).
 */
int pvs_guest_pend_clear(struct pvs_guest_vcpu *v);

/*
 * Utilisation bounds, 0..1024 each, floor <= ceil; clamped (floor gives way). Both zero: no
 * bounds. Nothing without PVS_F_UTIL_BOUNDS. Context: owning vCPU, task context. One store. O(1).
 */
void pvs_guest_util_bounds(struct pvs_guest_vcpu *v, pvs_u32 floor, pvs_u32 ceil);

/*
 * The host's `applied` word for this vCPU (PVS_APPLIED_*), 0 when not online; untrusted, for
 * hints only. Context: any. O(1).
 */
pvs_u64 pvs_guest_applied(const struct pvs_guest_vcpu *v);

/* Guest-visible counters of one vCPU, read consistently; they wrap. Untrusted. */
struct pvs_guest_counters {
	pvs_u64 boosts;
	pvs_u64 denials;
	pvs_u64 overruns;
	pvs_u64 malformed;
	pvs_u64 boosted_ns;
};

/*
 * PVS_GUEST_OK; NOT_READY after 8 tries against a host that keeps writing; STATE when not online
 * or PVS_F_COUNTERS was not accepted; *out is zeroed then. Context: any. O(1).
 */
int pvs_guest_counters(const struct pvs_guest_vcpu *v, struct pvs_guest_counters *out);

/*
 * Lets go of the region: marks every slot offline and writes RESET; the host returns everything
 * to baseline. The calling CPU's vCPU goes offline first; others must have stopped (a later
 * publish of theirs is without effect). *g is zeroed but for kick_kind and kick_addr. Returns
 * PVS_GUEST_KICK, or STATE when not bound, so a second call is harmless. Context: one CPU,
 * interrupts may be off (kexec, crash). O(slot_count).
 */
int pvs_guest_unbind(struct pvs_guest *g);

#endif /* PVS_GUEST_H */
