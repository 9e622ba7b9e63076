/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/guest.h - the guest shim, portable part: what an OS calls to say what its vCPUs need.
 *
 * It depends on pvs/abi.h and the compiler only: no libc, no allocation, no lock, no writable
 * static. The OS finds the region (guest-shim/os/...) and tells which of its events publish.
 * Publishing is one store; nothing here causes an exit. Where a doorbell would help, the
 * function returns PVS_GUEST_KICK and the OS port rings it.
 */
#ifndef PVS_GUEST_H
#define PVS_GUEST_H

#include <pvs/abi.h>

/* Return values; the negative ones are those of pvs/status.h. */
#define PVS_GUEST_OK        0
#define PVS_GUEST_KICK      1 /* done; ring the doorbell of this slot when convenient */
#define PVS_GUEST_INVALID   (-1)
#define PVS_GUEST_STATE     (-3)
#define PVS_GUEST_MAGIC     (-100)
#define PVS_GUEST_VERSION   (-101)
#define PVS_GUEST_LAYOUT    (-102)
#define PVS_GUEST_REFUSED   (-103)
#define PVS_GUEST_NOT_READY (-104)
#define PVS_GUEST_GENERATION (-105)

/* One region as the guest sees it: everything taken from the host is a checked private copy. */
struct pvs_guest {
	volatile struct pvs_region_header *header;
	volatile unsigned char *slots; /* slot 0; never computed from `header` */
	pvs_u64 features;              /* accepted */
	pvs_u64 kick_addr;
	pvs_u32 kick_kind;
	pvs_u32 slot_stride;
	pvs_u32 slot_count;
	pvs_u32 generation;
	pvs_u32 status_reason;         /* after PVS_GUEST_REFUSED */
	pvs_u32 window_min_us;
	pvs_u32 grant_max_us;
	pvs_u32 hint_rate_hz;
};

/* One vCPU of it: its slot and the last words stored there, so that nothing is read back. */
struct pvs_guest_vcpu {
	volatile struct pvs_slot *slot;
	pvs_u64 intent;
	pvs_u64 crit;
	pvs_u64 irq;
	pvs_u64 wait;
	pvs_u64 features;
	pvs_u32 generation;
	pvs_u32 reserved;
};

/* What a vCPU needs now. Zero is "no statement". */
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
 * chooses `features_wanted` that are offered (dependencies included), and writes the choice.
 * `slots` may lie anywhere; `slots_bytes` is what the OS has mapped there: a count that does not
 * fit is refused. Returns PVS_GUEST_KICK (ring, then poll pvs_guest_ready), or an error and *g is
 * zeroed. Context: one CPU, once. O(1).
 */
int pvs_guest_bind(struct pvs_guest *g, volatile struct pvs_region_header *header,
		   volatile void *slots, pvs_u64 slots_bytes, pvs_u64 features_wanted);

/*
 * Has the host answered? PVS_GUEST_OK (active), NOT_READY, REFUSED (g->status_reason),
 * GENERATION (bind anew) or STATE (not bound). Context: any. O(1).
 */
int pvs_guest_ready(struct pvs_guest *g);

/*
 * Opens slot `index` for the calling vCPU and marks it online. PVS_GUEST_OK or INVALID, STATE.
 * Context: the owning vCPU. O(1).
 */
int pvs_guest_vcpu_online(const struct pvs_guest *g, pvs_u32 index, struct pvs_guest_vcpu *v);

/* Takes everything back and marks the slot offline (CPU hotplug). Context: the owning vCPU, or
 * any other once it has stopped. O(1). */
void pvs_guest_vcpu_offline(struct pvs_guest_vcpu *v);

/*
 * Publishes what this vCPU needs: one 64-bit store, no exit, sequence advanced. Values out of
 * range are clamped. Returns PVS_GUEST_KICK when the host asked to be told of this change, else
 * PVS_GUEST_OK. Context: owning vCPU, task context, not re-entered. At most 15 instructions when
 * inlined with constants (pvs_guest_store_intent).
 */
int pvs_guest_publish(struct pvs_guest_vcpu *v, const struct pvs_guest_intent *in);

/* Takes the statement back: as publishing zero. Context as publish. */
int pvs_guest_retract(struct pvs_guest_vcpu *v);

/* Builds an intent word without sequence; to be prepared once and stored often. Context: any. */
pvs_u64 pvs_guest_intent_word(const struct pvs_guest_intent *in);

/* Sets and clears PVS_CRIT_* bits: one store. Context: owning vCPU, task context. */
void pvs_guest_crit(struct pvs_guest_vcpu *v, pvs_u64 set, pvs_u64 clear);

/*
 * Enters interrupt context: sets the bit (PVS_IRQ_*) and returns the word found, which the same
 * nesting level hands to pvs_guest_irq_leave(). Context: owning vCPU, interrupt context.
 */
pvs_u64 pvs_guest_irq_enter(struct pvs_guest_vcpu *v, pvs_u64 bit);
void pvs_guest_irq_leave(struct pvs_guest_vcpu *v, pvs_u64 found);

/* Acknowledges the interrupt ticket last published by the host. Not from NMI context. */
void pvs_guest_irq_ack(struct pvs_guest_vcpu *v);

/*
 * Says whom this vCPU waits for. `kind` PVS_WAIT_*; `target` a slot index; `epoch` the target's
 * pvs_guest_run_epoch() when the wait began (LOCK, IPI); `mask` for IPI_MANY. Out of range values
 * become PVS_WAIT_ANY. PVS_WAIT_NONE ends it. Context: owning vCPU. One store.
 */
void pvs_guest_wait(struct pvs_guest_vcpu *v, pvs_u32 kind, pvs_u32 target, pvs_u32 epoch_or_mask);

/* Another slot's run epoch (odd = not running); 0 without PVS_F_RUN_EPOCH or out of range. */
pvs_u32 pvs_guest_run_epoch(const struct pvs_guest *g, pvs_u32 index);

/*
 * Tells the host that a task of this urgency was queued on slot `index` by another vCPU: raises
 * the slot's `pending` word (compare-and-swap maximum, bounded tries). Context: any vCPU.
 */
int pvs_guest_pend(const struct pvs_guest *g, pvs_u32 index, pvs_u32 urgency, pvs_u32 level);

/* The owner has seen its queue: clears `pending`. Context: owning vCPU. */
void pvs_guest_pend_clear(struct pvs_guest_vcpu *v);

/* Utilisation bounds, 0..1024 each, floor <= ceil (else clamped). One store. */
void pvs_guest_util_bounds(struct pvs_guest_vcpu *v, pvs_u32 floor, pvs_u32 ceil);

/* The host's `applied` word for this vCPU (PVS_APPLIED_*); untrusted, for hints only. */
pvs_u64 pvs_guest_applied(const struct pvs_guest_vcpu *v);

/* Guest-visible counters, read consistently. */
struct pvs_guest_counters {
	pvs_u64 boosts;
	pvs_u64 denials;
	pvs_u64 overruns;
	pvs_u64 malformed;
	pvs_u64 boosted_ns;
};

/* PVS_GUEST_OK, or NOT_READY after 8 tries against a host that keeps writing. Context: any. */
int pvs_guest_counters(const struct pvs_guest_vcpu *v, struct pvs_guest_counters *out);

/*
 * Lets go of the region: offline the calling CPU's slots first. Writes RESET; the host returns
 * everything to baseline. Idempotent. Callable on one CPU with interrupts off (kexec, crash).
 * Returns PVS_GUEST_KICK or STATE.
 */
int pvs_guest_unbind(struct pvs_guest *g);

#endif /* PVS_GUEST_H */
