/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/validate.h - stage 2: words become a hint, or are found malformed.
 */
#ifndef PVS_VALIDATE_H
#define PVS_VALIDATE_H

#include <pvs/snapshot.h>

/* hint.flags */
#define PVS_HINT_ONLINE     0x01u /* the slot speaks for a running vCPU of this generation */
#define PVS_HINT_IDLE       0x02u /* the guest is about to halt */
#define PVS_HINT_UTIL_VALID 0x04u
#define PVS_HINT_WAKE_VALID 0x08u
#define PVS_HINT_TORN       0x10u /* half of `intent` has arrived: it repeats the last one */

/* hint.malformed: a bit for each word that was malformed */
#define PVS_WORD_INTENT  0x01u
#define PVS_WORD_CRIT    0x02u
#define PVS_WORD_IRQ     0x04u
#define PVS_WORD_WAIT    0x08u
#define PVS_WORD_BOUNDS  0x10u
#define PVS_WORD_LIFE    0x20u
#define PVS_WORD_PENDING 0x40u

/* A hint that may be believed to be well-formed, not to be true. All fields are in range. */
struct pvs_hint {
	/* What makes a statement a new one; four bytes that are compared as one. */
	pvs_u8 seq;
	pvs_u8 crit;         /* PVS_CRIT_* */
	pvs_u8 irq;          /* PVS_IRQ_* bits */
	pvs_u8 pending;      /* class << 4 | level of a task queued by another vCPU, 0 = none */

	pvs_u8 flags;
	pvs_u8 urgency;      /* PVS_URGENCY_* of what runs now */
	pvs_u8 level;        /* 0..15 */
	pvs_u8 wake_urgency; /* PVS_URGENCY_*, meaningful with WAKE_VALID */
	pvs_u8 wake_level;
	pvs_u8 malformed;    /* PVS_WORD_* of this snapshot */
	pvs_u8 wait_kind;    /* PVS_WAIT_* */
	pvs_u8 reserved;
	pvs_u16 util;        /* 0..1024, meaningful with UTIL_VALID */
	pvs_u16 util_floor;  /* 0..1024 */
	pvs_u16 util_ceil;   /* 0..1024 */
	pvs_u16 window_us;   /* 0 = none */
	pvs_u16 irq_ack;
	pvs_u16 wait_target; /* < PVS_SLOT_COUNT_MAX */
	pvs_u32 wait_mask;
	pvs_u16 wait_epoch;
	pvs_u16 reserved2;
};

/* What validation depends on. */
struct pvs_terms {
	pvs_u64 features;   /* accepted by the guest and offered by the host */
	pvs_u32 generation; /* of the region */
	pvs_u32 slot_count; /* 1..PVS_SLOT_COUNT_MAX */
	pvs_u32 active;     /* 0: nothing is agreed, and no slot speaks for anybody */
	pvs_u32 reserved;
};

/*
 * Turns `snap` into a hint. A malformed word contributes what it would when zero, its baseline (but
 * for the sequence number, which is kept), and sets its bit in out->malformed; the other words are
 * not affected. With PVS_F_SPLIT_WORDS, a word whose tags differ is torn: it keeps what `previous`
 * says. `previous` may equal `out`.
 * Context: any. Complexity: O(1).
 */
PVS_API void pvs_validate(const struct pvs_snapshot *snap, const struct pvs_terms *terms,
			  const struct pvs_hint *previous, struct pvs_hint *out);

/*
 * The host's answer to a guest's choice, by the fixed order of H-03: PVS_REFUSE_NONE or the first
 * reason. Context: any. O(1).
 */
PVS_API pvs_u32 pvs_negotiate(const struct pvs_choice *choice, pvs_u64 features_offered,
			      pvs_u32 generation);

#endif /* PVS_VALIDATE_H */
