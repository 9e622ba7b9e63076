/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ops of the rank for hosts that own their run queue. Part of exec.c.
 */

static void op_report_entity(const struct replay_world *w, const struct pvs_queue *q,
			  const struct pvs_entity *e, struct replay_result *res)
{
	pvs_u64 *v = res->value;

	v[RQ_KEY] = e->key - q->base;
	v[RQ_BUCKET] = e->bucket;
	v[RQ_BOOSTED] = e->boosted;
	v[RQ_EMPTY] = e->empty;
	v[RQ_PARK] = e->parked ? e->park_ns - w->now_ns : PVS_NEVER;
	v[RQ_AGE] = e->vtime - q->base;
	v[RQ_USED] = e->boost - q->base;
	v[RQ_BASE] = q->base;
	v[RQ_BOOSTED_NS] = e->boosted_ns;
	v[RQ_WAITING] = q->waiting;
	v[RQ_RUNNING] = q->running;
	res->count = RQ_COUNT;
}

static void op_queue_ask(struct replay_world *w, const struct replay_op *op)
{
	struct pvs_queue_ask *ask = &w->queue_ask;

	ask->now_ns = w->now_ns;
	ask->weight_q10 = (pvs_u32)op_value_of(op, QQ_FACTOR);
	ask->klass = GIVEN(op, QQ_CLASS) ? (pvs_u8)op->value[QQ_CLASS] : PVS_CLASS_BASELINE;
	ask->rank = (pvs_u8)op_value_of(op, QQ_RANK);
	ask->reserved[0] = 0;
	ask->reserved[1] = 0;
}

#define NO_OP (-1000)

/* Ops that change an entity in a queue; what it has become is the result. */
static int op_change_entity(struct replay_world *w, const struct replay_op *op, struct pvs_queue *q,
			 struct pvs_entity *e)
{
	struct pvs_queue *to;
	int rc = PVS_OK;

	switch (op->kind) {
	case RK_Q_ENTITY:
		pvs_entity_init(e, &w->cfg, (pvs_u32)op_value_of(op, QQ_WEIGHT));
		if (GIVEN(op, QQ_CAP))
			pvs_entity_set_cap(e, (pvs_u32)op->value[QQ_CAP]);
		break;
	case RK_Q_WEIGHT:
		pvs_entity_set_weight(q, &w->cfg, e, (pvs_u32)op_value_of(op, QQ_WEIGHT));
		break;
	case RK_Q_CAP:
		pvs_entity_set_cap(e, (pvs_u32)op_value_of(op, QQ_CAP));
		break;
	case RK_Q_ENQUEUE:
		rc = pvs_queue_enqueue(q, &w->cfg, e, &w->queue_ask);
		break;
	case RK_Q_PICK:
		rc = pvs_queue_pick(q, &w->cfg, e, &w->queue_ask);
		break;
	case RK_Q_CHARGE:
		pvs_queue_charge(q, &w->cfg, e, (pvs_u32)op_value_of(op, QQ_RAN), w->now_ns);
		break;
	case RK_Q_DEQUEUE:
		pvs_queue_dequeue(q, e);
		break;
	case RK_Q_MIGRATE:
		to = &w->queue[op_bounded((pvs_u32)op_value_of(op, QQ_TO), REPLAY_QUEUES)];
		rc = pvs_queue_migrate(q, to, &w->cfg, e);
		break;
	default:
		return NO_OP;
	}
	return rc;
}

static int run_queue(struct replay_world *w, const struct replay_op *op,
		      struct replay_result *res)
{
	struct pvs_entity *e = &w->entity[op_bounded(op->a, REPLAY_ENTITIES)];
	struct pvs_queue *q = &w->queue[op_bounded(op->b, REPLAY_QUEUES)];
	const struct pvs_entity *other = &w->entity[op_bounded(op->b, REPLAY_ENTITIES)];
	int rc;

	op_take_time(w, op);
	op_queue_ask(w, op);
	switch (op->kind) {
	case RK_Q_QUEUE:
		pvs_queue_init(&w->queue[op_bounded(op->a, REPLAY_QUEUES)]);
		break;
	case RK_Q_LIMIT:
		op_one_value(res, pvs_queue_limit_ns(q, &w->cfg, e, w->now_ns));
		break;
	case RK_Q_PREEMPTS:
		op_one_value(res, (pvs_u64)(pvs_s64)pvs_queue_preempts(e, other));
		break;
	case RK_Q_BEFORE:
		op_one_value(res, (pvs_u64)(pvs_s64)pvs_key_before(e->key, other->key));
		break;
	case RK_Q_SHARE:
		/* one that was never made, or in a queue that was made anew: a share of nothing */
		if (!(q->weight - e->counted + e->weight))
			return -1;
		op_one_value(res, pvs_queue_share_q16(q, e));
		break;
	default:
		rc = op_change_entity(w, op, q, e);
		if (rc == NO_OP)
			return -1;
		res->value[RQ_RC] = (pvs_u64)(pvs_s64)rc;
		op_report_entity(w, q, e, res);
	}
	return 0;
}
