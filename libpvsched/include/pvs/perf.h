/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/perf.h - how fast a CPU should run for the vCPUs on it, and which CPU is big enough.
 *
 * A guest's utilisation (0..1024 of the most capable CPU at its highest performance) adds to
 * whatever else a CPU has to do; that is why a clamp of one thread cannot stand for it (seed 001,
 * "uclamp_min is not additive"). A domain is what utilisation adds up on: one CPU, or a group of
 * CPUs that is treated as one. Its vCPUs are put in at wake-up or enqueue, changed when their
 * statement changes, moved at migration and taken out when they block.
 *
 *   pvs_decision.perf_q10, bounds -> pvs_perf_put() -> sum, floors, ceilings
 *     -> headroom, once -> clamps -> rate limit -> level of the table -> host's knob
 *
 * All state is the caller's, plain data without pointers (a BPF map value). The arithmetic is
 * normative: abi/spec/policy-perf.md. No clock is read and nothing is called.
 */
#ifndef PVS_PERF_H
#define PVS_PERF_H

#include <pvs/config.h>
#include <pvs/status.h>

/* What the guest driver of virtual-cpufreq accepts: 1..64 entries, 1 = no table (any value). */
#define PVS_PERF_LEVELS 64u

/* The margin of the kernel's schedutil and of its fits_capacity(): a quarter more. */
#define PVS_PERF_MARGIN_Q10 1280u

/* Floors and ceilings are kept in steps of 16, rounded up: 64 counters instead of 1024. */
#define PVS_PERF_STEPS 64u
#define PVS_PERF_STEP_SHIFT 4

struct pvs_perf_config {
	pvs_u32 headroom_q10; /* what the sum is multiplied by, 1024..4096, default 1280 (1.25x,
			       * schedutil). 1024 where the host adds its own margin to what it
			       * is told: sched_ext targets always, uclamp before Linux 6.8 */
	pvs_u32 max_q10;      /* guests never ask for more than this, 1..1024, default 1024 */
	pvs_u32 up_min_ns;    /* after a change, until the next one upwards, 1 ns..1 s, default
			       * 500 us: late is slow for the guest, so sooner than down; mobile
			       * kernels split the limit for this reason */
	pvs_u32 down_min_ns;  /* the same downwards, 1 ns..1 s, default 1 ms (schedutil's limit
			       * where a driver names no latency; also the guest driver's) */
};

struct pvs_perf_level {
	pvs_u32 capacity; /* 1..1024, more than the level before */
	pvs_u32 value;    /* the host's own number for it (kHz), 1.., not less than before */
};

/* The levels of one domain. With one level there is no table: any value 1..value is possible. */
struct pvs_perf_table {
	pvs_u32 count; /* 1..PVS_PERF_LEVELS */
	pvs_u32 reserved;
	struct pvs_perf_level level[PVS_PERF_LEVELS];
};

/* A domain. Zeroed memory is not one: pvs_perf_init(). 832 bytes. */
struct pvs_perf_domain {
	pvs_u64 changed_ns;    /* when target_q10 last changed */
	pvs_u64 value_q10;     /* host's units per unit of capacity, of the highest level */
	pvs_u64 floors;        /* bit i: floor[i] != 0; bit 0 is the highest step */
	pvs_u64 ceilings;      /* bit i: ceiling[i] != 0 */
	pvs_u32 sum;           /* utilisation of all members */
	pvs_u32 members;
	pvs_u32 target_q10;    /* what was last let through */
	pvs_u32 level;         /* ... and its level */
	pvs_u32 started;       /* 1: changed_ns means something */
	pvs_u32 reserved;
	pvs_u16 floor[PVS_PERF_STEPS];   /* members with a floor in this step */
	pvs_u16 ceiling[PVS_PERF_STEPS];
	struct pvs_perf_table table;     /* unused levels: PVS_PERF_UNUSED */
};

#define PVS_PERF_MEMBERS_MAX 65535u
#define PVS_PERF_UNUSED 0xffffffffu

/* What one vCPU asks of its domain. */
struct pvs_perf_ask {
	pvs_u16 util;    /* 0..1024; more counts as 1024 */
	pvs_u16 floor;   /* 0..1024; 0 = none */
	pvs_u16 ceiling; /* 0..1024; 0 = none; below the floor it counts as the floor */
	pvs_u16 flags;   /* PVS_PERF_ASK_* */
};

/* util has the margin of the guest's own governor in it (virtual-cpufreq: the guest's schedutil
 * computes set_perf); it is taken out, so that headroom is applied exactly once. */
#define PVS_PERF_ASK_MARGIN 0x1u

/* What one vCPU has put into a domain; kept by the caller with the vCPU. Zeroed = nothing. */
struct pvs_perf_member {
	pvs_u16 util;
	pvs_u8 floor;   /* step + 1, 0 = none */
	pvs_u8 ceiling; /* step + 1, 0 = none */
	pvs_u8 in;      /* 1: it is in a domain */
	pvs_u8 reserved[3];
};

/* out.flags */
#define PVS_PERF_CHANGED  0x1u /* target_q10, level or value differ from the last result */
#define PVS_PERF_LIMITED  0x2u /* a change is due but must wait: ask again at recheck_at_ns */
#define PVS_PERF_OVERLOAD 0x4u /* more is wanted than the highest level has: place elsewhere */

struct pvs_perf_result {
	pvs_u32 flags;
	pvs_u32 wish_q10;   /* before rate limit and table, 0..1024 */
	pvs_u32 target_q10; /* util_min of a uclamp, or sched_ext's cpuperf target, 0..1024 */
	pvs_u32 level;      /* index into the table */
	pvs_u32 value;      /* the host's own number for it */
	pvs_u32 reserved;
	pvs_u64 recheck_at_ns; /* when to call again if nothing happens; ~0 = no need */
};

/* Candidates for placement. */
#define PVS_PERF_CPUS 64u

struct pvs_perf_cpu {
	pvs_u16 capacity; /* 0..1024; 0 = not to be used */
	pvs_u16 reserved;
	pvs_u32 sum;      /* utilisation already on it, without the vCPU in question */
};

struct pvs_perf_cpus {
	pvs_u32 count; /* 0..PVS_PERF_CPUS */
	pvs_u32 reserved;
	struct pvs_perf_cpu cpu[PVS_PERF_CPUS];
};

#define PVS_PERF_NO_CPU 0xffffffffu

/* Replaces each zero by its default. Idempotent. Context: any. O(1). */
PVS_API void pvs_perf_resolve(struct pvs_perf_config *cfg);

/*
 * Checks a resolved config: PVS_OK, or PVS_E_RANGE with *err (may be NULL) naming the first bad
 * field in declaration order. Context: any. O(1).
 */
PVS_API int pvs_perf_check(const struct pvs_perf_config *cfg, struct pvs_config_error *err);

/*
 * Makes *d an empty domain with these levels (copied). PVS_OK; or PVS_E_RANGE: the count is not
 * 1..64, a capacity is not 1..1024 or not above the one before, a value is 0 or below the one
 * before; then *d is not usable. Context: any, serialised per domain. O(64), one division.
 */
PVS_API int pvs_perf_init(struct pvs_perf_domain *d, const struct pvs_perf_table *table);

/*
 * Puts the vCPU into the domain, or replaces what it put in before. PVS_OK, or PVS_E_NO_SPACE
 * (65535 members): then nothing has changed. A member is in one domain at a time: pvs_perf_move().
 * Context: any (interrupts may be off), serialised per domain. O(1).
 */
PVS_API int pvs_perf_put(struct pvs_perf_domain *d, struct pvs_perf_member *m,
			 const struct pvs_perf_ask *ask);

/* Takes out exactly what it put in; nothing if it is in none. As pvs_perf_put(). O(1). */
PVS_API void pvs_perf_remove(struct pvs_perf_domain *d, struct pvs_perf_member *m);

/* Moves it with what it put in. PVS_OK, or PVS_E_NO_SPACE: then it is in neither. Context: any,
 * serialised with both domains. O(1). */
PVS_API int pvs_perf_move(struct pvs_perf_domain *from, struct pvs_perf_domain *to,
			  struct pvs_perf_member *m);

/*
 * What the domain's members want, 0..1024: min(sum * headroom, 1024), at most the highest ceiling,
 * at least the highest floor, at most max_q10. 0 when it is empty or nothing is stated. Several
 * CPUs that share one clock have a domain each; the clock follows the highest of their wishes.
 * Context: any. O(1).
 */
PVS_API pvs_u32 pvs_perf_wish(const struct pvs_perf_domain *d, const struct pvs_perf_config *cfg);

/*
 * Moves the domain to what is wanted now, as far as the rate limit lets it, and says what to apply.
 * `wish_q10` is pvs_perf_wish() of it, or the highest of all domains that share its clock. `now_ns`
 * is monotonic; a step back counts as no time. Context: any, serialised per domain. O(1).
 */
PVS_API void pvs_perf_update(struct pvs_perf_domain *d, const struct pvs_perf_config *cfg,
			     pvs_u32 wish_q10, pvs_u64 now_ns, struct pvs_perf_result *out);

/* The lowest level with at least this capacity, else the highest. Context: any. O(1): 6 steps. */
PVS_API pvs_u32 pvs_perf_level_for(const struct pvs_perf_domain *d, pvs_u32 capacity);

/*
 * The capacity that a value of the host's unit stands for (what a guest wrote to set_perf): that of
 * the lowest level whose value is enough, else of the highest; without a table in proportion,
 * rounded up, 1..1024; 0 for 0. Context: any. O(1): 6 steps; one division without a table.
 */
PVS_API pvs_u32 pvs_perf_capacity_of(const struct pvs_perf_domain *d, pvs_u32 value);

/*
 * The `perf` word of a slot (PVS_PERF_* of abi.h): capacity of its CPU, current performance and
 * contention are clamped to 1024, generation to 16 bits (+1 when the vCPU changed CPUs).
 * Context: any. O(1).
 */
PVS_API pvs_u64 pvs_perf_word(pvs_u32 capacity, pvs_u32 speed, pvs_u32 contention,
			      pvs_u32 generation);

/* Share of time it was runnable and did not run, 0..1024, rounded down; 0 if both are 0. Context:
 * any. O(1), one division. */
PVS_API pvs_u32 pvs_perf_contention(pvs_u64 run_ns, pvs_u64 wait_ns);

/*
 * Which CPU for a vCPU of this utilisation (0..1024, more counts as 1024): the smallest on which
 * (sum + util) * 1280 < capacity * 1024 (the kernel's fits_capacity()); if there is none, the
 * biggest. Between equal capacities the one with the smaller sum, then the lowest index.
 * PVS_PERF_NO_CPU if no capacity is above 0. Context: any. O(64), no division.
 */
PVS_API pvs_u32 pvs_perf_fit(const struct pvs_perf_cpus *cpus, pvs_u32 util);

#endif /* PVS_PERF_H */
