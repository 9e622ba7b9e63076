/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ops of the directed yield. Part of exec.c.
 */

static void op_take_time(struct replay_world *w, const struct replay_op *op)
{
	if (GIVEN(op, T_NOW))
		w->now_ns = op->value[T_NOW];
	if (GIVEN(op, T_DT))
		w->now_ns += op->value[T_DT];
}

/* The `wait` fields of a hint, as validation takes them from a word that is in order. */
static void op_wait_hint(struct pvs_hint *hint, pvs_u64 word)
{
	pvs_u32 kind = PVS_GET(word, PVS_WAIT_KIND_SHIFT, PVS_WAIT_KIND_BITS);

	hint->wait_kind = (pvs_u8)kind;
	hint->wait_target = (pvs_u16)(PVS_GET(word, PVS_WAIT_TARGET_SHIFT, PVS_WAIT_TARGET_BITS) &
				      (PVS_SLOT_COUNT_MAX - 1u));
	hint->wait_epoch = 0;
	hint->wait_mask = 0;
	if (kind == PVS_WAIT_IPI_MANY)
		hint->wait_mask = PVS_GET(word, PVS_WAIT_MASK_SHIFT, PVS_WAIT_MASK_BITS);
	else
		hint->wait_epoch = (pvs_u16)PVS_GET(word, PVS_WAIT_EPOCH_SHIFT,
						    PVS_WAIT_EPOCH_BITS);
}

static void run_choose(struct replay_world *w, const struct replay_op *op,
			struct replay_result *res)
{
	op_wait_hint(&w->hint, op_value_of(op, YC_WAIT));
	w->yield_ask.now_ns = w->now_ns;
	w->yield_ask.target_epoch = (pvs_u32)op_value_of(op, YC_RUN_EPOCH);
	w->yield_ask.reserved = 0;
	pvs_yield_choose(&w->yield, op->a, &w->hint, &w->yield_ask, &w->yield_choice);
	res->value[RY_TARGET] = w->yield_choice.target;
	res->value[RY_REASON] = w->yield_choice.reason;
	res->value[RY_RELAXED] = w->yield_choice.relaxed;
	res->value[RY_STALE] = w->yield_choice.stale;
	res->count = RY_COUNT;
}

static void run_transfer(struct replay_world *w, const struct replay_op *op,
			  struct replay_result *res)
{
	struct pvs_transfer_facts *facts = &w->transfer_facts;

	facts->now_ns = w->now_ns;
	facts->gap_ns = (pvs_s64)op_value_of(op, YT_GAP);
	facts->lag_ns = (pvs_s64)op_value_of(op, YT_LAG);
	facts->lag_max_ns = (pvs_u32)op_value_of(op, YT_LAG_MAX);
	facts->granularity_ns = (pvs_u32)op_value_of(op, YT_GRANULARITY);
	facts->queued = (pvs_u32)op_value_of(op, YT_QUEUED);
	facts->reserved = 0;
	pvs_transfer(&w->yield, op->a, op->b, facts, &w->transfer);
	res->value[RYT_PENALTY] = w->transfer.penalty_ns;
	res->value[RYT_CREDIT] = w->transfer.credit_ns;
	res->value[RYT_REASON] = w->transfer.reason;
	res->value[RYT_RESCHED] = w->transfer.resched;
	res->count = RYT_COUNT;
}

static void run_yield_counts(const struct replay_world *w, struct replay_result *res)
{
	pvs_u32 i;

	PVS_FOR(i, PVS_YIELD_REASON_COUNT)
		res->value[RYC_CHOICES + i] = w->yield.counts[i];
	PVS_FOR(i, PVS_TRANSFER_REASON_COUNT)
		res->value[RYC_TRANSFERS + i] = w->yield.transfers[i];
	res->value[RYC_STALE] = w->yield.stale;
	res->count = RYC_COUNT;
}

static int run_yield(struct replay_world *w, const struct replay_op *op,
		      struct replay_result *res)
{
	struct pvs_yield *y = &w->yield;

	op_take_time(w, op);
	switch (op->kind) {
	case RK_Y_WAITS:
		pvs_yield_waits(y, op->a, (pvs_u32)op_value_of(op, YW_FLAGS));
		break;
	case RK_Y_RUNS:
		pvs_yield_runs(y, op->a);
		break;
	case RK_Y_BLOCKS:
		pvs_yield_blocks(y, op->a);
		break;
	case RK_Y_REMOVED:
		pvs_yield_removed(y, op->a);
		break;
	case RK_Y_INTERRUPT:
		pvs_yield_interrupt(y, op->a);
		break;
	case RK_Y_IPI:
		pvs_yield_ipi(y, op->a, op->b, (pvs_u32)op_value_of(op, YI_VECTOR), w->now_ns);
		break;
	case RK_Y_EOI:
		pvs_yield_eoi(y, op->a, (pvs_u32)op_value_of(op, YI_VECTOR));
		break;
	case RK_Y_CHOOSE:
		run_choose(w, op, res);
		break;
	case RK_Y_TRANSFER:
		run_transfer(w, op, res);
		break;
	case RK_Y_COUNTS:
		run_yield_counts(w, res);
		break;
	default:
		return -1;
	}
	return 0;
}
