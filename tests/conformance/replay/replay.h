/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.h - the portable replayer of vectors (abi/spec/vectors.md): lines in, result lines out.
 *
 * No libc, no allocation, no writable static, no float, no 64-bit division: it builds for a
 * program, a kernel module and bare metal alike. Everything is in `struct pvs_replay`, which the
 * caller owns. One line is one operation ("op") and gives one result line; the digest is FNV-1a 64
 * over all result lines, so it is the same wherever the engine decides the same.
 *
 *  line --parse.c--> struct replay_op --exec--> struct replay_result --format.c--> result line
 *  generate.c draws further lines, which go the same way
 *
 * How an environment uses it
 *  1. links (or includes) the files of replay.list and the engine: libpvsched's sources, or its
 *     src/unity.c, and the guest shim's portable sources;
 *  2. defines pvs_replay_observe(), which is called after each op (see below);
 *  3. calls pvs_replay_init(), pvs_replay_text() or pvs_replay_line() for each line of all files
 *     abi/vectors (suffix .vec) in the order of their names, and pvs_replay_end();
 *  4. reports "digest=0x.. vectors=.. steps=.. mismatches=..": pvs_replay_report() writes it.
 *
 * What an environment may replace
 *  pvs_replay_exec(), the only function that calls the engine with the state of a host. exec.c
 *  has it. An environment whose engine runs elsewhere (BPF in a kernel) leaves exec.c out of its
 *  program, puts `world`, `op` and `result` into memory that both sides see (that is why
 *  struct pvs_replay only points to them), and lets the other side run exec.c on them: all three
 *  are plain data of fixed layout without pointers. exec.c obeys the rules for BPF programs.
 *  What a host does once and outside of its fast path (checking a configuration) is in setup.c,
 *  and what the guest does is in guest.c; both run natively in every environment.
 */
#ifndef PVS_REPLAY_H
#define PVS_REPLAY_H

#include <pvs/pvs.h>

#include <pvs/perf.h>
#include <pvs/queue.h>
#include <pvs/yield.h>

/* vCPUs with a state of their own; a power of two. Ops name them 0..REPLAY_VCPUS-1. */
#define REPLAY_VCPUS 16u
/* Saved states one vector may hold. */
#define REPLAY_SAVES 4u
/* Domains of performance, run queues, and who can be in them; powers of two. */
#define REPLAY_DOMAINS 4u
#define REPLAY_QUEUES 2u
#define REPLAY_ENTITIES 16u
/* Longest op line and result line, in bytes, with the NUL. */
#define REPLAY_LINE_MAX 1024u
/* Values of an op or a result: a number for each field of its kind (fields.h). */
#define REPLAY_VALUES 64u

/* One op, parsed. `value[f]` is valid when bit f of `given` is set. */
struct replay_op {
	pvs_u32 kind;  /* enum replay_kind (fields.h) */
	pvs_u32 a;     /* first index of the line (a vCPU), 0 if none */
	pvs_u32 b;     /* second index or number (an event, a vCPU), 0 if none */
	pvs_u32 listed; /* how long the list of the line is (perf_domain, perf_fit), 0 if none */
	pvs_u64 given;
	pvs_u64 value[REPLAY_VALUES];
};

/* What came out: the first `count` values are those of the result fields of this kind. */
struct replay_result {
	pvs_u32 kind;
	pvs_u32 count;
	pvs_u64 value[REPLAY_VALUES];
};

/* Everything the ops of one vector work on. Zeroed by each `vector` line. */
struct replay_world {
	struct pvs_region_header header __attribute__((aligned(4096)));
	struct pvs_slot slot[REPLAY_VCPUS] __attribute__((aligned(4096)));
	struct pvs_config cfg;
	struct pvs_vm vm;
	struct pvs_vcpu vcpu[REPLAY_VCPUS];
	struct pvs_io io;
	struct pvs_snapshot snap;
	struct pvs_hint hint;
	struct pvs_saved saved[REPLAY_SAVES];
	struct pvs_choice choice;
	struct pvs_yield yield;
	struct pvs_yield_ask yield_ask;
	struct pvs_yield_choice yield_choice;
	struct pvs_transfer_facts transfer_facts;
	struct pvs_transfer transfer;
	struct pvs_perf_config perf_cfg;
	struct pvs_perf_domain domain[REPLAY_DOMAINS];
	struct pvs_perf_member member[REPLAY_VCPUS];
	struct pvs_perf_ask perf_ask;
	struct pvs_perf_result perf_result;
	struct pvs_perf_cpus cpus;
	struct pvs_queue queue[REPLAY_QUEUES];
	struct pvs_entity entity[REPLAY_ENTITIES];
	struct pvs_queue_ask queue_ask;
	pvs_u64 now_ns;                    /* facts that stay until a line changes them */
	pvs_u64 run_ns[REPLAY_VCPUS];
	pvs_u64 wait_ns[REPLAY_VCPUS];
	pvs_u32 caps;
	pvs_u32 entitlement_q16;
	pvs_u32 timer_granularity_ns;
	pvs_u32 reserved;
};

/* ---- the interface of an environment --------------------------------------------------------- */

/* Results of pvs_replay_line(), pvs_replay_text(). */
#define REPLAY_OK        0
#define REPLAY_E_SYNTAX   (-1) /* not a line of the language, or a value out of its range */
#define REPLAY_E_MISMATCH (-2) /* the op ran; its result is not what the line expects */

struct pvs_replay_summary {
	pvs_u64 digest;      /* FNV-1a 64 over all result lines, each with its newline */
	pvs_u32 vectors;     /* named cases (`vector` lines) */
	pvs_u32 steps;       /* ops run, those of generated lines among them */
	pvs_u32 generated;   /* steps of `generate` lines alone */
	pvs_u32 expectations;/* result fields compared */
	pvs_u32 mismatches;  /* lines whose result was not the expected one, and syntax errors */
	pvs_u32 first_bad;   /* number of the first such line, counted from 1 over all lines; 0 */
};

struct pvs_replay;

/* Bytes a struct pvs_replay needs, and its alignment is that of struct replay_world (4096) only
 * when its own `world` is used. Static asserts keep it below 512 KiB. */

/* Makes *r ready: no vector, no step, digest of nothing. World, op and result are those of *r. */
void pvs_replay_init(struct pvs_replay *r);

/* The same with world, op and result elsewhere (a map shared with a kernel). `world` must be
 * aligned to 4096 bytes; they stay the caller's and must outlive *r. */
void pvs_replay_init_at(struct pvs_replay *r, struct replay_world *world, struct replay_op *op,
			struct replay_result *result);

/*
 * Takes one line of `len` bytes, without newline (one at its end, and a CR before it, are
 * ignored). A `generate` line runs all its steps in this call.
 */
int pvs_replay_line(struct pvs_replay *r, const char *line, pvs_u32 len);

/* Takes all lines of a text, which may be any part of the vectors that ends at a line's end.
 * REPLAY_OK when all lines were. */
int pvs_replay_text(struct pvs_replay *r, const char *text, pvs_u64 len);

/* The op line executed last, and its result line, NUL-terminated; both stay valid until the next
 * call. An op line of `generate` is the drawn one. */
const char *pvs_replay_op_line(const struct pvs_replay *r);
const char *pvs_replay_result(const struct pvs_replay *r);

/* What has been counted so far. May be called at any time. */
void pvs_replay_end(const struct pvs_replay *r, struct pvs_replay_summary *out);

/*
 * Writes "digest=0x%016x vectors=%u steps=%u mismatches=%u generated=%u first_bad=%u" and a NUL;
 * returns the length. `size` is at least 160.
 */
pvs_u32 pvs_replay_report(const struct pvs_replay *r, char *out, pvs_u32 size);

/* ---- what the environment provides -------------------------------------------------------- */

/*
 * Called after each op with its result in place, also within `generate`. Most environments define
 * it empty; a kernel module gives way here now and then, the host program prints traces.
 */
void pvs_replay_observe(struct pvs_replay *r);

/* One translation unit that includes exec.c defines this as "static". */
#ifndef REPLAY_EXEC_API
#define REPLAY_EXEC_API
#endif

/*
 * Runs one op of the host's fast path on *w. exec.c defines it; see the top of this file. Returns
 * 0, or not 0 when the op could not be run at all (counted as a mismatch).
 */
REPLAY_EXEC_API int pvs_replay_exec(struct replay_world *w, const struct replay_op *op,
				    struct replay_result *res);

#include "replay_state.h"

#endif /* PVS_REPLAY_H */
