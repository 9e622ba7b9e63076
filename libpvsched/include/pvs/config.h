/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/config.h - every number of the policy, in one struct.
 *
 * Zero means "the default". pvs_config_resolve() fills the defaults in and must be called once
 * before the struct is handed to the core; pvs_config_check() says which field is wrong and why.
 * All fields that are set are pvs_u32. `_ns` is nanoseconds, `_q10` a share in 1/1024.
 */
#ifndef PVS_CONFIG_H
#define PVS_CONFIG_H

#include <pvs/port.h>

/* flags */
#define PVS_CONFIG_MEASURE_ONLY 0x1u /* decide and count, but let the adapter apply nothing */

struct pvs_config {
	pvs_u32 flags;

	/* The boost account of a vCPU: which part of its own share it may use out of turn. */
	pvs_u32 boost_share_q10;  /* part of the entitlement, 1..1024, default 256 (25 %,
				   * seed 003) */
	pvs_u32 boost_burst_ns;   /* capacity, 50 us..100 ms, default 4 ms: twice the 2 ms critical
				   * budget of pvsched v3, so that a 16 ms audio period at 5 % and
				   * its exits never leave the upper half */
	pvs_u32 boost_resume_ns;  /* an emptied account boosts again from here; 1 us..burst,
				   * default 7/8 of burst: each opening and closing costs the
				   * host some ten looks */
	pvs_u32 grant_max_ns;     /* boosted run time in one go, 5 us..100 ms, default 3 ms
				   * (pvsched v1's preempt-off maximum); rest repays it 1:1, and
				   * once full it must be repaid whole */

	/* The interrupt account: boosts that the host opened or interrupt context asked for. */
	pvs_u32 irq_share_q10;    /* part of the entitlement, 1..1024, default 102 (10 %) */
	pvs_u32 irq_burst_ns;     /* capacity, 10 us..10 ms, default 1 ms */

	/* The normal account: boosted time is taken from here and paid back. */
	pvs_u32 credit_max_ns;    /* unused share kept, 1 ns..1 s, default 2 ms (what credit2
				   * carries over a reset, seed 003) */
	pvs_u32 debt_start_ns;    /* debt from which paying back begins, 1 us..1 s, default 1 ms */
	pvs_u32 debt_max_ns;      /* debt is forgotten beyond this, 1 ms..4 s, default 1 s */

	/* The VM's cap: all vCPUs together. */
	pvs_u32 vm_share_q10;     /* of one CPU, 1..65536, default 512 */
	pvs_u32 vm_burst_ns;      /* capacity, 100 us..1 s, default 20 ms */
	pvs_u32 vm_quantum_ns;    /* reserved at a time, 10 us..10 ms, default 500 us */

	/* Hints. */
	pvs_u32 stale_ns;         /* run time after which an unchanged hint counts no more,
				   * 1 ms..4 s, default 100 ms */
	pvs_u32 raise_min_ns;     /* between two raises of one vCPU, 1 ns..1 s, default 100 us */
	pvs_u32 malformed_min_ns; /* the same after a malformed word, 1 ns..1 s, default 10 ms */

	/* Ranking among boosted vCPUs. */
	pvs_u32 level_hold_ns;    /* how long an emptied account keeps the rank low, 1 ms..4 s,
				   * default 1 s */

	/* Below baseline, as a weight; 1024 is what the vCPU weighs at baseline. */
	pvs_u32 pay_weight_q10;   /* while paying back, 1..1023, default 512. Half repays at least
				   * twice as fast as boost_share_q10 = 256 borrows, without the
				   * gaps that starving it would make */
	pvs_u32 below_weight_q10; /* when the guest asked for less, 1..1023, default 15 (nice 19) */

	/* Asking again. */
	pvs_u32 recheck_min_ns;   /* never sooner, but 50 us after an interrupt's boost,
				   * 1 us..100 ms, default 250 us */
	pvs_u32 poll_ns;          /* hint words are looked at this often without any event,
				   * 100 us..1 s, default 10 ms */
	pvs_u32 quiet_poll_ns;    /* the same at baseline for a guest that rings when it wants more
				   * and whose vCPU sleeps now and then or has no other to wait for,
				   * 100 us..4 s, default 100 ms */
	pvs_u32 urgent_poll_ns;   /* the same for a vCPU that is urgent now and then but never
				   * sleeps, where wake-ups cannot be seen, 100 us..1 s,
				   * default 1 ms */
	pvs_u32 kick_min_ns;      /* doorbells of one vCPU are not looked at more often, but for one
				   * to spare (it is urgent; it is over), 1 us..1 s,
				   * default 10 ms: a look costs the host some 15 us (lab), and a
				   * guest that rings all the time must not delay its neighbours */
	pvs_u32 look_cost_ns;     /* each look is charged to the boost account by this, 1 ns..1 ms,
				   * default 15 us (lab): nobody is looked at for nothing */
	pvs_u32 dt_max_ns;        /* a single step of time counts at most this, 1 ms..4 s,
				   * default 1 s */

	/* Interrupts: a ticket is open from the delivery until the guest's acknowledgement. */
	pvs_u32 ticket_max_ns;    /* run time after which a ticket closes by itself, 10 us..100 ms,
				   * default 1 ms (irq_burst_ns: more is never paid for) */
	pvs_u32 storm_window_ns;  /* deliveries and their cost are summed over this, 1 ms..1 s,
				   * default 10 ms (seed 003) */
	pvs_u32 storm_share_q10;  /* part of the window that boosts opened by tickets may cost,
				   * 1..1024, default 102 (10 %, seed 003) */
	pvs_u32 storm_rate_hz;    /* deliveries a second, 100..1000000, default 20000 */
	pvs_u32 storm_burst;      /* and this many more in one window, 1..65535, default 64 */
	pvs_u32 storm_hold_ns;    /* over when both stayed below half for this long, 1 ms..4 s,
				   * default 100 ms */

	/* About to be preempted. */
	pvs_u32 defer_ns;         /* a critical section puts one preemption off by this,
				   * 1 us..1 ms, default 50 us (the upper end of what rseq slice
				   * extensions grant, 5..50 us) */
	pvs_u32 reserved0;        /* zero */

	/*
	 * Derived by pvs_config_resolve(); never set by hand. Accounts are kept as a backlog in
	 * entitled time ("earned"): what has been used, divided by the account's share.
	 */
	pvs_u32 vm_cost_q10;      /* wall time that one ns of boost costs the VM's cap */
	pvs_u32 boost_cost_q10;   /* earned time that one ns of boost costs */
	pvs_u32 irq_cost_q10;     /* the same, when an interrupt opened it */
	pvs_u32 storm_count_max;  /* deliveries in one window */
	pvs_u32 storm_cost_ns;    /* boosted run time by tickets in one window */
	pvs_u32 decision_flags;   /* PVS_DECISION_* of every decision */
	pvs_u64 vm_quantum_wall_ns; /* wall time of a quantum of the VM's cap ... */
	pvs_u64 vm_burst_wall_ns;   /* ... and of all of it */
	pvs_u64 boost_span_ns;    /* the whole boost account in earned time */
	pvs_u64 boost_open_ns;    /* backlog at which an emptied account opens again */
	pvs_u64 irq_span_ns;
	pvs_u64 irq_open_ns;
	pvs_u64 look_earned_ns;   /* look_cost_ns in earned time */
};

/* Profiles: a config with zeros (= defaults) but for what the use asks for. */
#define PVS_PROFILE_DEFAULT           0u
#define PVS_PROFILE_MEASURE_ONLY      1u /* the safe first deployment */
#define PVS_PROFILE_DESKTOP_AUDIO     2u /* few VMs, a person in front: short work, soon */
#define PVS_PROFILE_SERVER_OVERCOMMIT 3u /* many VMs: locks and throughput, small boosts */
#define PVS_PROFILE_MOBILE_DVFS       4u /* looks wake a CPU: fewer of them, longer bursts */
#define PVS_PROFILE_COUNT             5u

struct pvs_config_error {
	const char *field; /* static string, never NULL after an error */
	pvs_u32 value;
	pvs_u32 min;
	pvs_u32 max;
};

/*
 * Sets *cfg to the profile, resolved. Returns PVS_OK or PVS_E_INVALID (unknown profile).
 * Context: any. Complexity: O(1). No ownership changes hands.
 */
PVS_API int pvs_config_profile(pvs_u32 profile, struct pvs_config *cfg);

/* Replaces each zero that means "default" by the default. Idempotent. Context: any. O(1). */
PVS_API void pvs_config_resolve(struct pvs_config *cfg);

/*
 * Checks a resolved config. Returns PVS_OK, or PVS_E_RANGE with *err filled in (err may be NULL)
 * for the first field, in declaration order, that is out of its range. Context: any. O(1).
 */
PVS_API int pvs_config_check(const struct pvs_config *cfg, struct pvs_config_error *err);

#endif /* PVS_CONFIG_H */
