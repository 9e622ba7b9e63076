/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/state.h - what the core remembers of a vCPU and of a VM. Plain data, owned by the caller,
 * no pointers inside, so that it can live in a BPF map. Fields are the core's own; read them,
 * never write them.
 */
#ifndef PVS_STATE_H
#define PVS_STATE_H

#include <pvs/validate.h>

/* Why a decision is what it is. Wire and report format: numbers are never reused. */
enum pvs_reason {
	/* the class is what the hint asks for */
	PVS_REASON_NONE = 0,      /* no statement: baseline */
	PVS_REASON_OFFLINE = 1,   /* the slot does not speak for a running vCPU: baseline */
	PVS_REASON_BELOW = 2,     /* the guest asked for less than baseline */
	PVS_REASON_IDLE = 3,      /* the vCPU is going to sleep or sleeps: baseline */
	PVS_REASON_URGENT = 4,    /* running urgency */
	PVS_REASON_WAKE = 5,      /* woken for what its wake urgency said */
	PVS_REASON_ARMED = 6,     /* boosted in advance: this host cannot see wake-ups */
	PVS_REASON_PENDING = 7,   /* an urgent task was queued by another vCPU */
	PVS_REASON_WINDOW = 8,    /* a requested window is open */
	PVS_REASON_CRIT = 9,      /* a critical section */
	PVS_REASON_IRQ = 10,      /* interrupt context */
	PVS_REASON_KICK = 11,     /* ended by the guest: kick */
	PVS_REASON_YIELD = 12,    /* ended by the guest: yield */
	/* the class is lower than the hint asks for */
	PVS_REASON_BOOST_EMPTY = 13, /* boost account empty (now, or not yet refilled) */
	PVS_REASON_IRQ_EMPTY = 14,   /* interrupt account empty */
	PVS_REASON_VM_CAP = 15,      /* the VM's cap */
	PVS_REASON_GRANT_MAX = 16,   /* one boost lasted too long */
	PVS_REASON_RATE = 17,        /* raised too recently */
	PVS_REASON_MALFORMED = 18,   /* raised too soon after a malformed word */
	PVS_REASON_STALE = 19,       /* the hint is old */
	PVS_REASON_TOO_SHORT = 20,   /* less is left than the host's timer can enforce */
	PVS_REASON_PAYBACK = 21,     /* below baseline until boosted time is paid back */
	PVS_REASON_FOREIGN = 22,     /* somebody else changed the thread: hands off */
	PVS_REASON_DETACHED = 23,    /* not attached: baseline */
	PVS_REASON_OUTSIDE = 24,     /* in the VMM, not in the guest: baseline */
	PVS_REASON_BRIEF = 25,       /* urgent since the last look only: over before it helps */
	PVS_REASON_COUNT = 32
};

/* What happened. */
enum pvs_event_type {
	PVS_EV_POLL = 0,      /* nothing: look again (own timer, another CPU) */
	PVS_EV_WAKE = 1,      /* it becomes runnable */
	PVS_EV_ENQUEUE = 2,   /* it is put on a run queue */
	PVS_EV_PICK = 3,      /* it is about to run */
	PVS_EV_RUN_ENTER = 4, /* it enters guest mode */
	PVS_EV_RUN_LEAVE = 5, /* it has returned to the VMM: device emulation is never boosted */
	PVS_EV_PREEMPT = 6,   /* the host is about to preempt it */
	PVS_EV_INJECT = 7,    /* an interrupt is delivered; arg = vector */
	PVS_EV_IRQ_WINDOW = 8,/* the guest has re-enabled interrupts */
	PVS_EV_IPI = 9,       /* it sent an IPI; arg = target */
	PVS_EV_EOI = 10,      /* end of interrupt; arg = vector */
	PVS_EV_SPIN = 11,     /* a pause-loop exit */
	PVS_EV_YIELD = 12,    /* the guest yields */
	PVS_EV_KICK = 13,     /* the guest rang its doorbell */
	PVS_EV_HALT = 14,     /* it blocks */
	PVS_EV_MIGRATE = 15,  /* it moves to another CPU */
	PVS_EV_TICK = 16,     /* the host's scheduler tick */
	PVS_EV_ATTACH = 17,   /* from here on, this vCPU is ours to change */
	PVS_EV_DETACH = 18,   /* from here on, it is not */
	PVS_EV_RESET = 19,    /* the guest was reset: forget its hints, keep its debts */
	PVS_EV_FOREIGN = 20,  /* the adapter found that somebody else changed the thread */
	PVS_EV_COUNT = 21
};

/* Ranks among boosted vCPUs: 0..PVS_RANKS-1, more is better. */
#define PVS_RANKS 8u

/* One vCPU. Zeroed memory is a detached vCPU; pvs_vcpu_init() makes it ready. */
struct pvs_vcpu {
	/* the host's clocks when last seen, ns */
	pvs_u64 now_ns;
	pvs_u64 run_ns;
	pvs_u64 wait_ns;

	/* accounts, ns; negative = overdrawn */
	pvs_s64 boost_left_ns;
	pvs_s64 irq_left_ns;
	pvs_s64 normal_left_ns;  /* unused share kept (> 0) or boosted time owed (< 0) */
	pvs_s64 low_ns;          /* least boost_left_ns in this hold period ... */
	pvs_s64 low_before_ns;   /* ... and in the one before it */
	pvs_u64 low_age_ns;      /* age of this hold period */

	/* the share it gets when nobody is boosted, learned at baseline */
	pvs_u64 share_run_ns;
	pvs_u64 share_wait_ns;

	/* durations of the episode at hand, ns */
	pvs_u64 grant_used_ns;   /* boosted run time, less the rest taken since */
	pvs_u64 window_left_ns;
	pvs_u64 stale_left_ns;   /* run time this hint still counts */
	pvs_u64 raise_wait_ns;   /* wall time until the next raise */
	pvs_u64 urgent_left_ns;  /* wall time it still counts as urgent now and then */
	pvs_u64 boosted_ns;      /* counter: run time charged as boosted */
	pvs_s64 reserved_ns;     /* of the VM's cap, not used yet */
	pvs_u64 count_seq;       /* of the slot's counters, even */

	pvs_u32 inbox;           /* posted events, a bit each: pvs_post() */
	pvs_u32 share_q16;       /* learned share of a CPU, 0 = not known yet */
	pvs_u32 boosts;          /* counters: see the ABI */
	pvs_u32 denials;
	pvs_u32 overruns;
	pvs_u32 malformed;

	struct pvs_hint hint;    /* the last one */

	pvs_u8 klass;            /* PVS_CLASS_* decided last */
	pvs_u8 rank;             /* 0..PVS_RANKS-1, of a boosted class */
	pvs_u8 reason;           /* enum pvs_reason of that */
	pvs_u8 throttle;         /* PVS_THROTTLE_* */
	pvs_u8 attached;
	pvs_u8 boost_empty;      /* latched until boost_resume_ns */
	pvs_u8 irq_empty;
	pvs_u8 paying;           /* below baseline until normal_left_ns is back */
	pvs_u8 on_irq;           /* the boost is charged to the interrupt account */
	pvs_u8 grant_full;       /* latched until grant_used_ns is repaid */
	pvs_u8 muted;            /* the guest yielded: urgency counts again with the next seq */
	pvs_u8 asleep;           /* between EV_HALT and EV_WAKE */
	pvs_u8 outside;          /* between EV_RUN_LEAVE and EV_RUN_ENTER */
	pvs_u8 foreign;          /* released for good: until EV_ATTACH */
	pvs_u8 suspect;          /* raise_wait_ns is for a malformed word */
	pvs_u8 learning;         /* at baseline for long enough to learn the share */
	pvs_u8 started;          /* the clocks above are valid */
	pvs_u8 brief;            /* urgent, and was not at the last look */
	pvs_u8 still;            /* it said nothing new since the last look */
	pvs_u8 unused;           /* boosted at the last look, and has not run since */
	pvs_u8 window_known;     /* window_seq is that of the last window */
	pvs_u8 window_seq;
	pvs_u32 weight_q10;      /* of the last decision */

	pvs_u32 reasons[PVS_REASON_COUNT]; /* how often each reason was given; wraps */
};

/* One VM. Several vCPUs change `cap_ns` at the same time, by compare-and-swap. */
struct pvs_vm {
	pvs_u64 cap_ns;      /* the cap as a timestamp: now - cap_ns is what is left, scaled */
	struct pvs_terms terms;
	pvs_u64 features_offered;
	pvs_u32 status;      /* PVS_STATUS_* */
	pvs_u32 status_reason;
};

#endif /* PVS_STATE_H */
