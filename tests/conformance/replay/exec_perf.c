/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ops of the performance domains. Part of exec.c.
 */

static void op_report_domain(const struct pvs_perf_domain *d, int rc, struct replay_result *res)
{
	res->value[RP_RC] = (pvs_u64)(pvs_s64)rc;
	res->value[RP_SUM] = d->sum;
	res->value[RP_MEMBERS] = d->members;
	res->count = RP_COUNT;
}

static void op_one_value(struct replay_result *res, pvs_u64 value)
{
	res->value[0] = value;
	res->count = 1;
}

static int run_put(struct replay_world *w, const struct replay_op *op,
		    struct pvs_perf_domain *d)
{
	struct pvs_perf_ask *ask = &w->perf_ask;

	ask->util = (pvs_u16)op_value_of(op, PP_UTIL);
	ask->floor = (pvs_u16)op_value_of(op, PP_FLOOR);
	ask->ceiling = (pvs_u16)op_value_of(op, PP_CEILING);
	ask->flags = (pvs_u16)op_value_of(op, PP_FLAGS);
	return pvs_perf_put(d, &w->member[op_index_of(op->b)], ask);
}

static void run_update(struct replay_world *w, const struct replay_op *op,
			struct pvs_perf_domain *d, struct replay_result *res)
{
	struct pvs_perf_result *r = &w->perf_result;
	pvs_u32 wish = GIVEN(op, PP_WISH) ? (pvs_u32)op->value[PP_WISH]
					  : pvs_perf_wish(d, &w->perf_cfg);

	pvs_perf_update(d, &w->perf_cfg, wish, w->now_ns, r);
	res->value[RPU_FLAGS] = r->flags;
	res->value[RPU_WISH] = r->wish_q10;
	res->value[RPU_TARGET] = r->target_q10;
	res->value[RPU_LEVEL] = r->level;
	res->value[RPU_VALUE] = r->value;
	res->value[RPU_RECHECK] = op_ahead(r->recheck_at_ns, w->now_ns);
	res->count = RPU_COUNT;
}

static void run_fit(struct replay_world *w, const struct replay_op *op,
		     struct replay_result *res)
{
	pvs_u32 i;

	w->cpus.count = op->listed;
	w->cpus.reserved = 0;
	PVS_FOR(i, PVS_PERF_CPUS) {
		w->cpus.cpu[i].capacity = (pvs_u16)(op->value[i] >> 32);
		w->cpus.cpu[i].reserved = 0;
		w->cpus.cpu[i].sum = (pvs_u32)op->value[i];
	}
	op_one_value(res, pvs_perf_fit(&w->cpus, op->a));
}

static int run_perf(struct replay_world *w, const struct replay_op *op,
		     struct replay_result *res)
{
	struct pvs_perf_domain *d = &w->domain[op_bounded(op->a, REPLAY_DOMAINS)];
	struct pvs_perf_domain *to;
	int rc;

	if (op->kind != RK_P_FIT)
		op_take_time(w, op);
	switch (op->kind) {
	case RK_P_PUT:
		rc = run_put(w, op, d);
		op_report_domain(d, rc, res);
		break;
	case RK_P_REMOVE:
		pvs_perf_remove(d, &w->member[op_index_of(op->b)]);
		op_report_domain(d, PVS_OK, res);
		break;
	case RK_P_MOVE:
		to = &w->domain[op_bounded((pvs_u32)op_value_of(op, PP_TO), REPLAY_DOMAINS)];
		rc = pvs_perf_move(d, to, &w->member[op_index_of(op->b)]);
		op_report_domain(to, rc, res);
		break;
	case RK_P_WISH:
		op_one_value(res, pvs_perf_wish(d, &w->perf_cfg));
		break;
	case RK_P_UPDATE:
		run_update(w, op, d, res);
		break;
	case RK_P_LEVEL:
		op_one_value(res, pvs_perf_level_for(d, (pvs_u32)op_value_of(op, PP_CAPACITY)));
		break;
	case RK_P_CAPACITY:
		op_one_value(res, pvs_perf_capacity_of(d, (pvs_u32)op_value_of(op, PP_VALUE)));
		break;
	case RK_P_WORD:
		op_one_value(res, pvs_perf_word((pvs_u32)op_value_of(op, PP_CAPACITY),
					     (pvs_u32)op_value_of(op, PP_CURRENT),
					     (pvs_u32)op_value_of(op, PP_CONTENTION),
					     (pvs_u32)op_value_of(op, PP_GENERATION)));
		break;
	case RK_P_CONTENTION:
		op_one_value(res, pvs_perf_contention(op_value_of(op, PP_RUN),
						      op_value_of(op, PP_WAIT)));
		break;
	case RK_P_FIT:
		run_fit(w, op, res);
		break;
	default:
		return -1;
	}
	return 0;
}
