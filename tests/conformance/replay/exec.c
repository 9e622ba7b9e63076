/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One op of a host: plain data in, plain data out, all calls of the engine. It obeys the rules for
 * BPF programs (constant bounds, masked indices, no pointers in what is kept), because in one
 * environment it is one.
 */
#include "fields.h"

#define GIVEN(op, f) (((op)->given >> (f)) & 1u)

/* The value, or 0 when the line does not give it. */
PVS_INLINE pvs_u64 op_value_of(const struct replay_op *op, pvs_u32 f)
{
	return GIVEN(op, f) ? op->value[f] : 0u;
}

/* `i`, which the parser has checked, as an index that a verifier can follow; `n` a power of two. */
PVS_INLINE pvs_u32 op_bounded(pvs_u32 i, pvs_u32 n)
{
	PVS_OPT(i);
	return i & (n - 1u);
}

PVS_INLINE pvs_u32 op_index_of(pvs_u32 i)
{
	return op_bounded(i, REPLAY_VCPUS);
}

PVS_INLINE pvs_u32 op_save_of(pvs_u32 i)
{
	return op_bounded(i, REPLAY_SAVES);
}

/* A point in time as a distance from now. */
PVS_INLINE pvs_u64 op_ahead(pvs_u64 at_ns, pvs_u64 now_ns)
{
	return at_ns == PVS_NEVER ? PVS_NEVER : at_ns - now_ns;
}

#include "exec_decide.c"
#include "exec_yield.c"
#include "exec_perf.c"
#include "exec_queue.c"

REPLAY_EXEC_API int pvs_replay_exec(struct replay_world *w, const struct replay_op *op,
				    struct replay_result *res)
{
	res->kind = op->kind;
	res->count = 0;
	if (op->kind < RK_YIELD_FIRST)
		return run_decide(w, op, res);
	if (op->kind < RK_PERF_FIRST)
		return run_yield(w, op, res);
	if (op->kind < RK_QUEUE_FIRST)
		return run_perf(w, op, res);
	return run_queue(w, op, res);
}
