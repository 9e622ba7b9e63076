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
	PVS_REASON_DEDICATED = 26,   /* it has a CPU of its own: nothing to move */
	/* interrupts */
	PVS_REASON_TICKET = 27,      /* an interrupt was delivered and not acknowledged yet */
	PVS_REASON_STORM = 28,       /* too many or too costly: deliveries do not boost */
	/* decision.defer, after EV_PREEMPT */
	PVS_REASON_DEFERRED = 29,    /* a critical section: the preemption is put off */
	PVS_REASON_DEFER_SPENT = 30, /* it was, once in this scheduling episode */
	PVS_REASON_OUTRANKED = 31,   /* not against a higher class */
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
	PVS_EV_PREEMPT = 6,   /* the host is about to preempt it; arg = class of who would run */
	PVS_EV_INJECT = 7,    /* an interrupt is delivered; arg = vector or PVS_VECTOR_UNKNOWN, in
			       * the low 16 bits; above them how many deliveries, 0 = 1 */
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

#define PVS_VECTOR_UNKNOWN 0xffffu
/* pvs_vcpu.inbox: event bits below, the number of posted EV_INJECT from here on. */
#define PVS_INBOX_INJECT_SHIFT 32

/* Ranks among boosted vCPUs: 0..PVS_RANKS-1, more is better. */
#define PVS_RANKS 8u

/*
 * One vCPU. Zeroed memory is a detached vCPU; pvs_vcpu_init() makes it ready.
 *
 * Three clocks of its own, which start at 0 and never step back: `clock_ns` (wall time as far as
 * it can be believed), `ran_ns` (run time) and `earned_ns` (entitled time: wall time times the
 * configured share). What lasts is kept as the clock at which it ends, so that the passing of
 * time costs nothing.
 */
struct pvs_vcpu {
	/* What every step touches comes first: short offsets are smaller code. */
	pvs_u8 klass;            /* PVS_CLASS_* decided last */
	pvs_u8 rank;             /* 0..PVS_RANKS-1, of a boosted class */
	pvs_u8 reason;           /* enum pvs_reason of that */
	pvs_u8 throttle;         /* PVS_THROTTLE_* */
	pvs_u8 gate;             /* DETACHED, FOREIGN, OUTSIDE: out of our hands; else 0 */
	pvs_u8 boost_empty;      /* latched until boost_resume_ns */
	pvs_u8 irq_empty;
	pvs_u8 paying;           /* below baseline until normal_left_ns is back */
	pvs_u8 on_irq;           /* the boost is charged to the interrupt account */
	pvs_u8 grant_full;       /* latched until grant_used_ns is repaid */
	pvs_u8 muted;            /* the guest yielded: urgency counts again with the next seq */
	pvs_u8 asleep;           /* between EV_HALT and EV_WAKE */
	pvs_u8 suspect;          /* raise_ok_ns is for a malformed word */
	pvs_u8 learning;         /* at baseline for long enough to learn the share */
	pvs_u8 started;          /* attached: its clocks are valid */
	pvs_u8 still;            /* it said nothing new since the last look */
	pvs_u8 window_known;     /* window_seq is that of the last window */
	pvs_u8 window_seq;
	pvs_u8 storm;            /* deliveries do not boost */
	pvs_u8 deferred;         /* a preemption was put off in this scheduling episode */
	pvs_u8 granted;          /* and the guest has not cleared its critical bits yet */
	pvs_u8 crit_mask;        /* without IRQS_OFF after EV_IRQ_WINDOW, whatever the word says */
	pvs_u8 contended;        /* facts of the last decision */
	pvs_u8 dedicated;
	pvs_u16 ticket;          /* the last one, 1..65535; 0 = none yet */
	pvs_u16 ticket_vector;   /* its vector; PVS_VECTOR_UNKNOWN */
	pvs_u16 run_epoch;       /* odd = not running */
	pvs_u16 cpu_gen;         /* +1 with each EV_MIGRATE */

	struct pvs_hint hint;    /* the last one */

	pvs_u64 clock_ns;
	pvs_u64 ran_ns;
	pvs_u64 earned_ns;

	/* the host's clocks when last seen, ns */
	pvs_u64 now_ns;
	pvs_u64 run_ns;
	pvs_u64 wait_ns;

	/* Accounts. Full again when earned_ns gets here; used is what is still missing. */
	pvs_u64 boost_full_at_ns;
	pvs_u64 irq_full_at_ns;
	pvs_s64 normal_left_ns;  /* unused share kept (> 0) or boosted time owed (< 0), ns */
	pvs_u64 high_ns;         /* most that was missing in this hold period, earned ... */
	pvs_u64 high_before_ns;  /* ... and in the one before it */
	pvs_u64 hold_end_ns;     /* clock */

	/* the share it gets when nobody is boosted, learned at baseline */
	pvs_u64 share_run_ns;
	pvs_u64 share_wait_ns;
	pvs_u64 share_end_ns;    /* clock: until then it counts, also above the configured one */

	/* the episode at hand */
	pvs_u64 grant_used_ns;   /* boosted run time, less the rest taken since */
	pvs_u64 settled_clock_ns;/* the normal account knows what happened until then */
	pvs_u64 settled_ran_ns;
	pvs_u64 window_end_ns;   /* ran */
	pvs_u64 stale_end_ns;    /* ran: this hint counts until then */
	pvs_u64 ticket_end_ns;   /* ran: the open ticket closes by itself; 0 = none open */
	pvs_u64 raise_ok_ns;     /* clock: the next raise */
	pvs_u64 urgent_end_ns;   /* clock: until then it counts as urgent now and then */
	pvs_u64 storm_end_ns;    /* clock: end of the window in which deliveries are summed */
	pvs_u64 boosted_ns;      /* counter: run time charged as boosted */
	pvs_s64 reserved_ns;     /* of the VM's cap, not used yet */
	pvs_u64 count_seq;       /* of the slot's counters, even */

	pvs_u64 inbox;           /* posted events: a bit each; above, how many deliveries */
	pvs_u64 perf_word;       /* for the guest: capacity, current performance, contention */

	pvs_u32 share_q16;       /* learned share of a CPU, 0 = not known yet */

	/* counters, in the order of pvs/counters.h; they wrap */
	pvs_u32 boosts;          /* the first four: see the ABI */
	pvs_u32 denials;
	pvs_u32 overruns;
	pvs_u32 malformed;
	pvs_u32 tickets;         /* deliveries that opened one */
	pvs_u32 storms;          /* storms that began */
	pvs_u32 deferrals;       /* preemptions put off */
	pvs_u32 reasons[PVS_REASON_COUNT]; /* how often each reason was given */

	pvs_u32 storm_count;     /* deliveries in this window */
	pvs_u32 storm_ns;        /* boosted by tickets in this window */
	pvs_u32 calm_ns;         /* how long deliveries have been below half */
	pvs_u32 weight_q10;      /* of the last decision */
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
