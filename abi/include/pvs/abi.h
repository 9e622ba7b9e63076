/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/abi.h - the memory a guest and its host share, version 0 (draft).
 *
 * This header is the layout and nothing else: no function, no inline code, no dependency. It
 * compiles alone as C89, C99, C11 and C++17, so any kernel can take it. The normative text, with a
 * numbered clause for each rule, is abi/spec/; "G-nn" and "H-nn" below are its clauses.
 *
 * The region is one header page and one slot for each possible vCPU:
 *
 *      +--------------------+  struct pvs_region_header, 4096 bytes
 *      | header             |
 *      +--------------------+  struct pvs_slot, 256 bytes used, `slot_stride` apart
 *      | slot 0             |
 *      | slot 1 ...         |
 *      +--------------------+
 *
 * Rules of the layout (H-01, G-01): little-endian; natural alignment; no implicit padding; each
 * 64-byte line has one writing side; each word is loaded and stored whole and has one writing
 * context; no meaning depends on the order in which two words become visible.
 *
 * Every field is commented as: what, unit, range; [writer -> reader]; since version.
 */
#ifndef PVS_ABI_H
#define PVS_ABI_H

/*
 * Fixed-width types. A host that has its own (a kernel, Xen, BPF) defines PVS_HAVE_TYPES and the
 * six names before it includes anything from here.
 */
#ifndef PVS_HAVE_TYPES
#define PVS_HAVE_TYPES
typedef unsigned char pvs_u8;
typedef unsigned short pvs_u16;
typedef unsigned int pvs_u32;
typedef int pvs_s32;
#if defined(__GNUC__)
__extension__ typedef unsigned long long pvs_u64;
__extension__ typedef long long pvs_s64;
#else
typedef unsigned long long pvs_u64;
typedef long long pvs_s64;
#endif
#endif

/* A constant of 64 bits that C89 accepts: two halves, no LL suffix. */
#define PVS_U64(hi, lo) (((pvs_u64)(hi) << 32) | (pvs_u64)(lo))

/* ---- version and identity ------------------------------------------------------------------ */

/* Draft: version 0 makes no promise. It freezes as 1.0 once in-kernel and Xen engines use it. */
#define PVS_ABI_MAJOR 0u
#define PVS_ABI_MINOR 1u

/* The bytes "PVSREGN0" in memory order, read as a little-endian word. */
#define PVS_REGION_MAGIC PVS_U64(0x304e4745u, 0x52535650u)

#define PVS_LINE_SIZE 64u
#define PVS_HEADER_SIZE 4096u
#define PVS_SLOT_SIZE 256u
/* A slot never crosses a 4 KiB page: the stride is a power of two, 256 to 4096 bytes (H-06). */
#define PVS_SLOT_STRIDE_MIN 256u
#define PVS_SLOT_STRIDE_MAX 4096u
/* One word of the `wait` line can name any vCPU; the core's yield sets are sized for 1024. */
#define PVS_SLOT_COUNT_MAX 1024u

/* ---- features (a bit each in features_offered and features_accepted) ------------------------ */

#define PVS_F_UTIL          PVS_U64(0, 1u << 0)  /* intent.util is read */
#define PVS_F_WAKE          PVS_U64(0, 1u << 1)  /* intent.wake_* is read: armed boosts */
#define PVS_F_WINDOW        PVS_U64(0, 1u << 2)  /* intent.window_us is honoured */
#define PVS_F_PENDING       PVS_U64(0, 1u << 3)  /* the `pending` word is read */
#define PVS_F_CRIT          PVS_U64(0, 1u << 4)  /* the `crit` word is read */
#define PVS_F_GRANT         PVS_U64(0, 1u << 5)  /* a preemption may be deferred; needs CRIT */
#define PVS_F_IRQ           PVS_U64(0, 1u << 6)  /* the interrupt bits of `irq` are read */
#define PVS_F_IRQ_TICKET    PVS_U64(0, 1u << 7)  /* interrupt tickets and acks; needs IRQ */
#define PVS_F_WAIT          PVS_U64(0, 1u << 8)  /* the `wait` word directs yields */
#define PVS_F_RUN_EPOCH     PVS_U64(0, 1u << 9)  /* the host keeps `run` */
#define PVS_F_UTIL_BOUNDS   PVS_U64(0, 1u << 10) /* the `util_bounds` word is read; needs UTIL */
#define PVS_F_PERF          PVS_U64(0, 1u << 11) /* the host keeps `perf` */
#define PVS_F_KICK          PVS_U64(0, 1u << 12) /* there is a doorbell: kick_kind, kick_addr */
#define PVS_F_COUNTERS      PVS_U64(0, 1u << 13) /* the host keeps the guest-visible counters */
#define PVS_F_SPLIT_WORDS   PVS_U64(0, 1u << 14) /* guest stores 32-bit halves with tags (G-11) */
#define PVS_F_ALL           PVS_U64(0, (1u << 15) - 1u) /* every bit this version defines */

/* ---- region header ------------------------------------------------------------------------- */

/* status: what became of the negotiation. The reason codes are stable and checked in this order. */
#define PVS_STATUS_OFFERED  0u /* the host waits for a guest */
#define PVS_STATUS_ACTIVE   1u /* the guest's choice is accepted; slots are read */
#define PVS_STATUS_REFUSED  2u /* see status_reason; the guest may reset and try again */
#define PVS_STATUS_DISABLED 3u /* the host has withdrawn (detach, migration): renegotiate */

#define PVS_REFUSE_NONE           0u
#define PVS_REFUSE_MAJOR          1u /* guest_major is not the host's */
#define PVS_REFUSE_MINOR          2u /* guest_minor is above the host's */
#define PVS_REFUSE_GENERATION     3u /* the echo is not the current generation */
#define PVS_REFUSE_NOT_OFFERED    4u /* a feature was accepted that was not offered */
#define PVS_REFUSE_DEPENDENCY     5u /* a feature lacks one it needs */
#define PVS_REFUSE_COMMAND        6u /* guest_command holds no known value */

/* guest_command: what the guest wants of the host. */
#define PVS_CMD_NONE   0u
#define PVS_CMD_ACCEPT 1u /* the choice in this line is complete */
#define PVS_CMD_RESET  2u /* forget me: baseline, back to OFFERED (kexec, suspend, shutdown) */

/* kick_kind: how the guest rings the doorbell of its slot. The value written is the slot index. */
#define PVS_KICK_NONE      0u
#define PVS_KICK_PIO       1u /* 32-bit write to I/O port kick_addr (x86) */
#define PVS_KICK_MMIO      2u /* 32-bit write to guest-physical address kick_addr */
#define PVS_KICK_HYPERCALL 3u /* hypercall number kick_addr, first argument the slot index */

/* "Unlimited" in hint_rate_hz. */
#define PVS_RATE_UNLIMITED 0u

struct pvs_region_header {
	/* line 0: identity [host -> guest], constant while `generation` is. */
	pvs_u64 magic;            /* PVS_REGION_MAGIC. Since 0. */
	pvs_u16 abi_major;        /* layout version; unequal means no common language. Since 0. */
	pvs_u16 abi_minor;        /* additions; a guest may choose this or less. Since 0. */
	pvs_u32 header_size;      /* bytes, PVS_HEADER_SIZE or more. Since 0. */
	pvs_u32 slot_size;        /* bytes in use of a slot, PVS_SLOT_SIZE or more. Since 0. */
	pvs_u32 slot_stride;      /* bytes from slot to slot, power of two, 256..4096. Since 0. */
	pvs_u32 slot_count;       /* slots, 1..PVS_SLOT_COUNT_MAX. Since 0. */
	pvs_u32 generation;       /* 24 bits; changes when all must be renegotiated. Since 0. */
	pvs_u64 features_offered; /* PVS_F_*: what this host really can do. Since 0. */
	pvs_u32 status;           /* PVS_STATUS_*. Since 0. */
	pvs_u32 status_reason;    /* PVS_REFUSE_*, 0 unless REFUSED. Since 0. */
	pvs_u64 host_reserved0[2];/* zero. */

	/* line 1: limits worth knowing [host -> guest]. */
	pvs_u32 window_min_us;    /* shortest boost window that has an effect, us. Since 0. */
	pvs_u32 grant_max_us;     /* longest boost in one go, us of run time. Since 0. */
	pvs_u32 hint_rate_hz;     /* raises a second looked at per vCPU; 0 = unlimited. Since 0. */
	pvs_u32 kick_kind;        /* PVS_KICK_*. Since 0. */
	pvs_u64 kick_addr;        /* port, guest-physical address or hypercall number. Since 0. */
	pvs_u64 host_reserved1[5];/* zero. */

	/* line 2: the guest's choice [guest -> host]; read when guest_command says so. */
	pvs_u16 guest_major;      /* Since 0. */
	pvs_u16 guest_minor;      /* 0..abi_minor. Since 0. */
	pvs_u32 guest_generation; /* echo of `generation`. Since 0. */
	pvs_u64 features_accepted;/* a subset of features_offered. Since 0. */
	pvs_u32 guest_command;    /* PVS_CMD_*. Since 0. */
	pvs_u32 guest_reserved0;  /* zero. */
	pvs_u64 guest_reserved1[5]; /* zero. */

	/* line 3: counters of the whole VM [host -> guest], valid while vm_count_seq is even and
	 * equal before and after the reads. */
	pvs_u64 vm_count_seq;     /* odd while the host writes the line. Since 0. */
	pvs_u64 vm_boosts;        /* raises applied. Since 0. */
	pvs_u64 vm_denials;       /* raises refused. Since 0. */
	pvs_u64 vm_overruns;      /* boosts ended by an empty account. Since 0. */
	pvs_u64 vm_malformed;     /* malformed words seen. Since 0. */
	pvs_u64 vm_boosted_ns;    /* run time charged as boosted, ns. Since 0. */
	pvs_u64 vm_reserved[2];   /* zero. */

	pvs_u8 reserved[PVS_HEADER_SIZE - 4u * PVS_LINE_SIZE]; /* zero. */
};

/* ---- urgency (G-04) ------------------------------------------------------------------------ */

#define PVS_URGENCY_UNSPECIFIED 0u /* no statement: baseline */
#define PVS_URGENCY_IDLE        1u /* runs only when nothing else wants the CPU */
#define PVS_URGENCY_BACKGROUND  2u /* below baseline */
#define PVS_URGENCY_NORMAL      3u /* baseline */
#define PVS_URGENCY_INTERACTIVE 4u /* a person waits */
#define PVS_URGENCY_REALTIME    5u /* a deadline */
#define PVS_URGENCY_MAX         PVS_URGENCY_REALTIME
#define PVS_LEVEL_MAX           15u /* within a class, more is more urgent */

#define PVS_UTIL_MAX 1024u /* the whole of the most capable CPU at its highest performance */

/* ---- guest words --------------------------------------------------------------------------- */
/*
 * Each field is given as shift and width in bits. With PVS_F_SPLIT_WORDS, bits 31:28 and 63:60 of
 * `intent` and `wait` carry one tag of 4 bits; without it they are zero in `intent` and data in
 * `wait` (the upper four bits of its mask).
 */

/* intent [owning vCPU, task context -> host] */
#define PVS_INTENT_UTIL_SHIFT        0  /* 0..1024 of the maximum capability; with UTIL_VALID */
#define PVS_INTENT_UTIL_BITS         11
#define PVS_INTENT_CLASS_SHIFT       11 /* PVS_URGENCY_*: what runs now */
#define PVS_INTENT_CLASS_BITS        4
#define PVS_INTENT_LEVEL_SHIFT       15 /* 0..15 */
#define PVS_INTENT_LEVEL_BITS        4
#define PVS_INTENT_WAKE_CLASS_SHIFT  19 /* PVS_URGENCY_*: what the next wake-up is for */
#define PVS_INTENT_WAKE_CLASS_BITS   4
#define PVS_INTENT_WAKE_LEVEL_SHIFT  23 /* 0..15 */
#define PVS_INTENT_WAKE_LEVEL_BITS   4
#define PVS_INTENT_IDLE_SHIFT        27 /* 1: nothing to run; the vCPU is about to halt */
#define PVS_INTENT_TAG_LO_SHIFT      28
#define PVS_INTENT_WINDOW_SHIFT      32 /* boost window asked for, us of run time; 0 = none */
#define PVS_INTENT_WINDOW_BITS       16
#define PVS_INTENT_UTIL_VALID_SHIFT  48 /* 1: util is a statement */
#define PVS_INTENT_WAKE_VALID_SHIFT  49 /* 1: wake_class and wake_level are a statement */
#define PVS_INTENT_RSVD_SHIFT        50 /* zero */
#define PVS_INTENT_RSVD_BITS         2
#define PVS_INTENT_SEQ_SHIFT         52 /* +1 with each statement; a window starts at a new one */
#define PVS_INTENT_SEQ_BITS          8
#define PVS_INTENT_TAG_HI_SHIFT      60
#define PVS_TAG_BITS                 4

/* crit [owning vCPU, task context -> host] */
#define PVS_CRIT_LOCK_HELD    PVS_U64(0, 1u << 0) /* holds a lock others may spin on */
#define PVS_CRIT_PREEMPT_OFF  PVS_U64(0, 1u << 1) /* the guest's preemption is disabled */
#define PVS_CRIT_IRQS_OFF     PVS_U64(0, 1u << 2) /* interrupts are masked */
#define PVS_CRIT_DONT_DESCHED PVS_U64(0, 1u << 3) /* the guest asks not to be descheduled */
#define PVS_CRIT_ALL          PVS_U64(0, (1u << 4) - 1u)

/* irq [owning vCPU, interrupt context -> host]; nested writers restore what they found (G-07) */
#define PVS_IRQ_HARDIRQ       PVS_U64(0, 1u << 0)
#define PVS_IRQ_SOFTIRQ       PVS_U64(0, 1u << 1)
#define PVS_IRQ_NMI           PVS_U64(0, 1u << 2)
#define PVS_IRQ_BITS_ALL      PVS_U64(0, (1u << 3) - 1u)
#define PVS_IRQ_ACK_SHIFT     8  /* the irq_ticket last acknowledged; NMI never touches it */
#define PVS_IRQ_ACK_BITS      16

/* wait [owning vCPU -> host] */
#define PVS_WAIT_KIND_SHIFT   0 /* PVS_WAIT_* */
#define PVS_WAIT_KIND_BITS    4
#define PVS_WAIT_TARGET_SHIFT 4 /* slot index of the target (LOCK, IPI), or of bit 0 of the mask */
#define PVS_WAIT_TARGET_BITS  16
#define PVS_WAIT_RSVD_SHIFT   20 /* zero */
#define PVS_WAIT_RSVD_BITS    8
#define PVS_WAIT_TAG_LO_SHIFT 28
#define PVS_WAIT_EPOCH_SHIFT  32 /* LOCK, IPI: the target's run epoch when the wait began */
#define PVS_WAIT_EPOCH_BITS   16
#define PVS_WAIT_MASK_SHIFT   32 /* IPI_MANY: slots target..target+31 (+27 with SPLIT_WORDS) */
#define PVS_WAIT_MASK_BITS    32
#define PVS_WAIT_TAG_HI_SHIFT 60
#define PVS_WAIT_NONE     0u
#define PVS_WAIT_LOCK     1u /* for the holder of a lock */
#define PVS_WAIT_IPI      2u /* for the receiver of an interrupt I sent */
#define PVS_WAIT_IPI_MANY 3u /* for several receivers */
#define PVS_WAIT_ANY      4u /* for somebody I cannot name */
#define PVS_WAIT_KIND_MAX PVS_WAIT_ANY

/* util_bounds [owning vCPU -> host]; floor <= ceiling <= 1024; all zero = no bounds */
#define PVS_BOUNDS_FLOOR_SHIFT 0
#define PVS_BOUNDS_CEIL_SHIFT  11
#define PVS_BOUNDS_BITS        11

/* life [owning vCPU -> host] */
#define PVS_LIFE_ONLINE     PVS_U64(0, 1u << 0) /* this slot speaks for a running vCPU */
#define PVS_LIFE_GEN_SHIFT  8 /* echo of `generation`; any other value: the slot is ignored */
#define PVS_LIFE_GEN_BITS   24
#define PVS_GENERATION_MASK 0x00ffffffu

/* pending [any vCPU of this guest -> host]: urgency of a task queued here by another vCPU */
#define PVS_PENDING_LEVEL_SHIFT 0 /* 0..15 */
#define PVS_PENDING_CLASS_SHIFT 4 /* PVS_URGENCY_*; the byte compares as (class, level) */
#define PVS_PENDING_BITS        8

/* ---- host words ---------------------------------------------------------------------------- */

/* applied [host -> owning vCPU] */
#define PVS_APPLIED_CLASS_SHIFT   0 /* PVS_CLASS_*, or 0: nothing applied yet */
#define PVS_APPLIED_CLASS_BITS    3
#define PVS_APPLIED_THROTTLE_SHIFT 8 /* PVS_THROTTLE_*: why the last raise was cut or refused */
#define PVS_APPLIED_THROTTLE_BITS 8
#define PVS_APPLIED_GRANTED       PVS_U64(0, 1u << 16) /* a preemption was deferred: yield soon */
#define PVS_APPLIED_KICK_DEBOOST  PVS_U64(0, 1u << 24) /* ring the doorbell when urgency drops */
#define PVS_APPLIED_KICK_RAISE    PVS_U64(0, 1u << 25) /* ring it when urgency rises */
#define PVS_APPLIED_YIELD_SPIN    PVS_U64(0, 1u << 26) /* yield instead of spinning */
#define PVS_APPLIED_DONT_BOTHER   PVS_U64(0, 1u << 27) /* hints have no effect (dedicated CPUs) */

/* The scheduling class a vCPU has on the host. Numbers are wire format: never reused. */
#define PVS_CLASS_NONE     0u
#define PVS_CLASS_BELOW    1u /* below baseline: asked for, or paying back */
#define PVS_CLASS_BASELINE 2u /* as the host was configured */
#define PVS_CLASS_TASK     3u /* boosted for an urgent task */
#define PVS_CLASS_CRITICAL 4u /* boosted for a short critical section or an interrupt */

#define PVS_THROTTLE_BOOST_EMPTY 0x01u /* the vCPU's boost account is empty */
#define PVS_THROTTLE_IRQ_EMPTY   0x02u /* its interrupt account is empty */
#define PVS_THROTTLE_VM_CAP      0x04u /* the VM's cap is reached */
#define PVS_THROTTLE_GRANT_MAX   0x08u /* one boost lasted too long */
#define PVS_THROTTLE_STORM       0x10u /* interrupt storm: deliveries do not boost */
#define PVS_THROTTLE_RATE        0x20u /* hints change too often */
#define PVS_THROTTLE_MALFORMED   0x40u /* a word was malformed */
#define PVS_THROTTLE_STALE       0x80u /* the hint is old */

/* irq_ticket [host -> owning vCPU] */
#define PVS_TICKET_BITS 16 /* 0 = none yet */

/* run [host -> other vCPUs]: odd while the vCPU is not running; +1 with each change */
#define PVS_RUN_EPOCH_BITS 16

/* perf [host -> owning vCPU] */
#define PVS_PERF_CAPACITY_SHIFT   0  /* of the CPU it runs on, 0..1024 */
#define PVS_PERF_CURRENT_SHIFT    11 /* current performance, 0..1024 */
#define PVS_PERF_BITS             11
#define PVS_PERF_CONTENTION_SHIFT 32 /* share of time it waited lately, 0..1024 */
#define PVS_PERF_GEN_SHIFT        48 /* +1 when the vCPU changed CPUs */
#define PVS_PERF_GEN_BITS         16

/* window_left [host -> owning vCPU] */
#define PVS_LEFT_WINDOW_SHIFT 0  /* us of the current window */
#define PVS_LEFT_BOOST_SHIFT  32 /* us in the boost account */
#define PVS_LEFT_BITS         32

/* ident [host -> guest]: which guest CPU this slot is */
#define PVS_IDENT_PRESENT    PVS_U64(0, 1u << 0)
#define PVS_IDENT_ARCH_SHIFT 32 /* APIC id, MPIDR Aff, hart id...: the guest's own name */
#define PVS_IDENT_ARCH_BITS  32

struct pvs_slot {
	/* line 0 [owning vCPU -> host] */
	pvs_u64 intent;      /* task context. Since 0. */
	pvs_u64 crit;        /* task context. Since 0. */
	pvs_u64 irq;         /* interrupt context. Since 0. */
	pvs_u64 wait;        /* task context. Since 0. */
	pvs_u64 util_bounds; /* task context. Since 0. */
	pvs_u64 life;        /* at bind, offline, unbind. Since 0. */
	pvs_u64 guest_reserved[2]; /* zero. */

	/* line 1 [any vCPU of the guest -> host] */
	pvs_u64 pending;     /* compare-and-swap only. Since 0. */
	pvs_u64 shared_reserved[7]; /* zero. */

	/* line 2 [host -> guest] */
	pvs_u64 applied;     /* Since 0. */
	pvs_u64 irq_ticket;  /* Since 0. */
	pvs_u64 run;         /* Since 0. */
	pvs_u64 perf;        /* Since 0. */
	pvs_u64 window_left; /* Since 0. */
	pvs_u64 host_reserved[3]; /* zero. */

	/* line 3 [host -> guest], counters under count_seq as in the header */
	pvs_u64 ident;       /* Since 0. */
	pvs_u64 count_seq;   /* odd while the host writes the counters. Since 0. */
	pvs_u64 boosts;      /* raises applied. Since 0. */
	pvs_u64 denials;     /* raises refused. Since 0. */
	pvs_u64 overruns;    /* boosts ended by an empty account. Since 0. */
	pvs_u64 malformed;   /* malformed words seen. Since 0. */
	pvs_u64 boosted_ns;  /* run time charged as boosted, ns. Since 0. */
	pvs_u64 cold_reserved; /* zero. */
};

#endif /* PVS_ABI_H */
