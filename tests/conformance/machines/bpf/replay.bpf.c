/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The replayer's engine side as a BPF program: one run is one op. World, op and result are the
 * value of a map that user space has mapped.
 */
#include "unity.c"
#define REPLAY_EXEC_API static __attribute__((unused))
#include "world.h"
#include "exec.c"

/* What bpf_helpers.h expects of the kernel's types, without the kernel's headers. */
typedef pvs_u8 __u8;
typedef pvs_u16 __u16;
typedef pvs_u32 __u32;
typedef pvs_u64 __u64;
typedef pvs_s32 __s32;
typedef pvs_s64 __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u16 __sum16;
typedef __u32 __wsum;
enum { BPF_MAP_TYPE_ARRAY = 2, BPF_F_MMAPABLE = 1024 }; /* linux/bpf.h, ABI of the kernel */
#include <bpf/bpf_helpers.h>

char replay_license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct shared_world);
} worlds SEC(".maps");

/*
 * One program for each group of ops, because a verifier's patience is counted by program. `result`
 * is begun as pvs_replay_exec() does it, which no program here is.
 */
#define OPS(name, run) \
	SEC("syscall") \
	int name(void *ctx) \
	{ \
		__u32 key = 0; \
		struct shared_world *w = bpf_map_lookup_elem(&worlds, &key); \
\
		(void)ctx; \
		if (!w) \
			return -1; \
		w->result.kind = w->op.kind; \
		w->result.count = 0; \
		return run(&w->world, &w->op, &w->result); \
	}

OPS(decide, run_decide)
OPS(yield, run_yield)
OPS(perf, run_perf)
OPS(queue, run_queue)
