/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ops of pvs_step() and what is around it. Part of exec.c.
 */
/* What the guest reads of the agreement. */
static void op_show_vm(struct replay_world *w)
{
	struct pvs_region_header *h = &w->header;

	PVS_STORE64(&h->magic, PVS_REGION_MAGIC);
	PVS_STORE16(&h->abi_major, PVS_ABI_MAJOR);
	PVS_STORE16(&h->abi_minor, PVS_ABI_MINOR);
	PVS_STORE32(&h->header_size, PVS_HEADER_SIZE);
	PVS_STORE32(&h->slot_size, PVS_SLOT_SIZE);
	PVS_STORE32(&h->slot_stride, PVS_SLOT_SIZE);
	PVS_STORE32(&h->slot_count, w->vm.terms.slot_count);
	PVS_STORE32(&h->generation, w->vm.terms.generation);
	PVS_STORE64(&h->features_offered, w->vm.features_offered);
	PVS_STORE32(&h->status, w->vm.status);
	PVS_STORE32(&h->status_reason, w->vm.status_reason);
	PVS_STORE32(&h->kick_kind, PVS_KICK_HYPERCALL);
	PVS_STORE64(&h->kick_addr, 1u);
}

static void op_report_vm(const struct replay_world *w, pvs_u64 changed, struct replay_result *res)
{
	res->value[RN_CHANGED] = changed;
	res->value[RN_STATUS] = w->vm.status;
	res->value[RN_REASON] = w->vm.status_reason;
	res->value[RN_OFFERED] = w->vm.features_offered;
	res->value[RN_FEATURES] = w->vm.terms.features;
	res->count = RN_COUNT;
}

static void run_vm(struct replay_world *w, const struct replay_op *op, struct replay_result *res)
{
	pvs_u64 changed = 0;

	if (GIVEN(op, VM_CAPS))
		w->caps = (pvs_u32)op->value[VM_CAPS];
	pvs_vm_init(&w->vm, w->caps,
		    GIVEN(op, VM_GENERATION) ? (pvs_u32)op->value[VM_GENERATION] : 1u,
		    GIVEN(op, VM_SLOTS) ? (pvs_u32)op->value[VM_SLOTS] : 1u);
	if (GIVEN(op, VM_OFFERED))
		w->vm.features_offered = op->value[VM_OFFERED];
	if (GIVEN(op, VM_ACCEPT)) {
		w->choice.major = PVS_ABI_MAJOR;
		w->choice.minor = PVS_ABI_MINOR;
		w->choice.generation = w->vm.terms.generation;
		w->choice.features = op->value[VM_ACCEPT] & w->vm.features_offered;
		w->choice.command = PVS_CMD_ACCEPT;
		changed = (pvs_u64)pvs_vm_negotiate(&w->vm, &w->choice);
	}
	op_show_vm(w);
	op_report_vm(w, changed, res);
}

static void run_choice(struct replay_world *w, const struct replay_op *op,
			struct replay_result *res)
{
	struct pvs_choice *c = &w->choice;
	pvs_u64 changed;

	c->major = PVS_ABI_MAJOR;
	c->minor = PVS_ABI_MINOR;
	c->generation = w->vm.terms.generation;
	c->features = w->vm.features_offered;
	c->command = PVS_CMD_ACCEPT;
	if (GIVEN(op, CHOICE_HEADER) && op->value[CHOICE_HEADER])
		pvs_snapshot_choice(&w->header, c);
	if (GIVEN(op, CHOICE_MAJOR))
		c->major = (pvs_u16)op->value[CHOICE_MAJOR];
	if (GIVEN(op, CHOICE_MINOR))
		c->minor = (pvs_u16)op->value[CHOICE_MINOR];
	if (GIVEN(op, CHOICE_GENERATION))
		c->generation = (pvs_u32)op->value[CHOICE_GENERATION];
	if (GIVEN(op, CHOICE_FEATURES))
		c->features = op->value[CHOICE_FEATURES];
	if (GIVEN(op, CHOICE_COMMAND))
		c->command = (pvs_u32)op->value[CHOICE_COMMAND];
	changed = (pvs_u64)pvs_vm_negotiate(&w->vm, c);
	PVS_STORE32(&w->header.status, w->vm.status);
	PVS_STORE32(&w->header.status_reason, w->vm.status_reason);
	op_report_vm(w, changed, res);
}

static void op_take_facts(struct replay_world *w, const struct replay_op *op)
{
	if (GIVEN(op, STEP_NOW))
		w->now_ns = op->value[STEP_NOW];
	if (GIVEN(op, STEP_CAPS))
		w->caps = (pvs_u32)op->value[STEP_CAPS];
	if (GIVEN(op, STEP_GRANULARITY))
		w->timer_granularity_ns = (pvs_u32)op->value[STEP_GRANULARITY];
	if (GIVEN(op, STEP_ENTITLEMENT))
		w->entitlement_q16 = (pvs_u32)op->value[STEP_ENTITLEMENT];
}

static void op_take_words(struct replay_world *w, const struct replay_op *op, pvs_u32 i)
{
	struct pvs_slot *slot = &w->slot[i];

	if (GIVEN(op, W_INTENT))
		PVS_STORE64(&slot->intent, op->value[W_INTENT]);
	if (GIVEN(op, W_CRIT))
		PVS_STORE64(&slot->crit, op->value[W_CRIT]);
	if (GIVEN(op, W_IRQ))
		PVS_STORE64(&slot->irq, op->value[W_IRQ]);
	if (GIVEN(op, W_WAIT))
		PVS_STORE64(&slot->wait, op->value[W_WAIT]);
	if (GIVEN(op, W_BOUNDS))
		PVS_STORE64(&slot->util_bounds, op->value[W_BOUNDS]);
	if (GIVEN(op, W_LIFE))
		PVS_STORE64(&slot->life, op->value[W_LIFE]);
	if (GIVEN(op, W_PENDING))
		PVS_STORE64(&slot->pending, op->value[W_PENDING]);
	if (GIVEN(op, W_ONLINE))
		PVS_STORE64(&slot->life,
			    op->value[W_ONLINE] ? PVS_LIFE_ONLINE |
				    PVS_PUT(w->vm.terms.generation, PVS_LIFE_GEN_SHIFT,
					    PVS_LIFE_GEN_BITS) : 0u);
}

/* A vCPU as new, in a slot as new; its clocks begin at 0. */
static void run_vcpu(struct replay_world *w, const struct replay_op *op,
		      struct replay_result *res)
{
	pvs_u32 i = op_index_of(op->a);
	pvs_u64 *words = (pvs_u64 *)(void *)&w->slot[i];
	pvs_u32 k;

	PVS_FOR(k, sizeof(struct pvs_slot) / 8u)
		words[k] = 0;
	w->run_ns[i] = 0;
	w->wait_ns[i] = 0;
	pvs_vcpu_init(&w->vcpu[i], &w->cfg);
	op_take_words(w, op, i);
	res->value[0] = pvs_boost_left(&w->vcpu[i], &w->cfg);
	res->count = 1;
}

static void run_validate(struct replay_world *w, const struct replay_op *op,
			  struct replay_result *res)
{
	pvs_u32 i = op_index_of(op->a);
	const struct pvs_hint *h = &w->hint;
	pvs_u64 *v = res->value;

	op_take_words(w, op, i);
	pvs_snapshot(&w->slot[i], &w->snap);
	pvs_validate(&w->snap, &w->vm.terms, &w->vcpu[i].hint, &w->hint);
	v[RH_ONLINE] = (h->flags & PVS_HINT_ONLINE) != 0;
	v[RH_MALFORMED] = h->malformed;
	v[RH_URGENCY] = h->urgency;
	v[RH_LEVEL] = h->level;
	v[RH_IDLE] = (h->flags & PVS_HINT_IDLE) != 0;
	v[RH_WAKE_VALID] = (h->flags & PVS_HINT_WAKE_VALID) != 0;
	v[RH_WAKE] = h->wake_urgency;
	v[RH_WAKE_LEVEL] = h->wake_level;
	v[RH_UTIL_VALID] = (h->flags & PVS_HINT_UTIL_VALID) != 0;
	v[RH_UTIL] = h->util;
	v[RH_FLOOR] = h->util_floor;
	v[RH_CEIL] = h->util_ceil;
	v[RH_WINDOW] = h->window_us;
	v[RH_SEQ] = h->seq;
	v[RH_CRIT] = h->crit;
	v[RH_IRQ] = h->irq;
	v[RH_ACK] = h->irq_ack;
	v[RH_KIND] = h->wait_kind;
	v[RH_TARGET] = h->wait_target;
	v[RH_EPOCH] = h->wait_epoch;
	v[RH_MASK] = h->wait_mask;
	v[RH_PENDING] = h->pending;
	res->count = RH_COUNT;
}

static void op_step_facts(struct replay_world *w, const struct replay_op *op, pvs_u32 i)
{
	struct pvs_facts *facts = &w->io.facts;

	op_take_facts(w, op);
	if (GIVEN(op, STEP_DT))
		w->now_ns += op->value[STEP_DT];
	if (GIVEN(op, STEP_RUN))
		w->run_ns[i] = op->value[STEP_RUN];
	if (GIVEN(op, STEP_RAN))
		w->run_ns[i] += op->value[STEP_RAN];
	if (GIVEN(op, STEP_WAITS))
		w->wait_ns[i] = op->value[STEP_WAITS];
	if (GIVEN(op, STEP_WAITED))
		w->wait_ns[i] += op->value[STEP_WAITED];
	facts->now_ns = w->now_ns;
	facts->run_ns = w->run_ns[i];
	facts->wait_ns = w->wait_ns[i];
	facts->caps = w->caps;
	facts->entitlement_q16 = w->entitlement_q16;
	facts->timer_granularity_ns = w->timer_granularity_ns;
	facts->nested = GIVEN(op, STEP_NESTED) && op->value[STEP_NESTED];
	facts->wait_known = GIVEN(op, STEP_WAITS) || GIVEN(op, STEP_WAITED);
	facts->contended = GIVEN(op, STEP_CONTENDED) && op->value[STEP_CONTENDED];
	facts->dedicated = GIVEN(op, STEP_DEDICATED) && op->value[STEP_DEDICATED];
	facts->capacity = (pvs_u16)(GIVEN(op, STEP_CAPACITY) ? op->value[STEP_CAPACITY] : 0u);
	facts->perf = (pvs_u16)(GIVEN(op, STEP_CURRENT) ? op->value[STEP_CURRENT] : 0u);
	facts->contention = (pvs_u16)(GIVEN(op, STEP_CONTENTION) ? op->value[STEP_CONTENTION] : 0u);
}

#define OP_SAYS (PVS_APPLIED_GRANTED | PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_KICK_RAISE | \
	      PVS_APPLIED_YIELD_SPIN | PVS_APPLIED_DONT_BOTHER)

static void op_report_step(const struct replay_world *w, pvs_u32 i, struct replay_result *res)
{
	const struct pvs_decision *d = &w->io.decision;
	const struct pvs_slot *slot = &w->slot[i];
	pvs_u64 left = PVS_LOAD64(&slot->window_left);
	pvs_u64 *v = res->value;

	v[RS_CLASS] = d->klass;
	v[RS_RANK] = d->rank;
	v[RS_REASON] = d->reason;
	v[RS_THROTTLE] = d->throttle;
	v[RS_FLAGS] = d->flags;
	v[RS_WEIGHT] = d->weight_q10;
	v[RS_DEFER] = d->defer;
	v[RS_PERF] = d->perf_q10;
	v[RS_RECHECK] = op_ahead(d->recheck_at_ns, w->now_ns);
	v[RS_RING] = op_ahead(d->ring_at_ns, w->now_ns);
	v[RS_MALFORMED] = w->io.hint.malformed;
	v[RS_APPLIED] = PVS_LOAD64(&slot->applied);
	v[RS_SAYS] = v[RS_APPLIED] & OP_SAYS;
	v[RS_TICKET] = PVS_LOAD64(&slot->irq_ticket);
	v[RS_RUN] = PVS_LOAD64(&slot->run);
	v[RS_PERF_WORD] = PVS_LOAD64(&slot->perf);
	v[RS_WINDOW_LEFT] = PVS_GET(left, PVS_LEFT_WINDOW_SHIFT, PVS_LEFT_BITS);
	v[RS_BOOST_LEFT] = PVS_GET(left, PVS_LEFT_BOOST_SHIFT, PVS_LEFT_BITS);
	res->count = RS_COUNT;
}

static void run_step(struct replay_world *w, const struct replay_op *op,
		      struct replay_result *res)
{
	pvs_u32 i = op_index_of(op->a);

	op_take_words(w, op, i);
	op_step_facts(w, op, i);
	w->io.event.type = (pvs_u16)op->b;
	w->io.event.reserved = 0;
	w->io.event.arg = GIVEN(op, STEP_ARG) ? (pvs_u32)op->value[STEP_ARG] : 0u;
	pvs_step(&w->vcpu[i], &w->vm, &w->cfg, &w->slot[i], &w->io);
	op_report_step(w, i, res);
}

static void run_save(struct replay_world *w, const struct replay_op *op,
		      struct replay_result *res)
{
	struct pvs_saved *s = &w->saved[op_save_of(op->b)];
	pvs_u64 *v = res->value;

	pvs_state_save(&w->vcpu[op_index_of(op->a)], s);
	v[SAVED_VERSION] = s->version;
	v[SAVED_SHARE] = s->share_q16;
	v[SAVED_BOOST_USED] = s->boost_used_ns;
	v[SAVED_IRQ_USED] = s->irq_used_ns;
	v[SAVED_NORMAL_LEFT] = (pvs_u64)s->normal_left_ns;
	v[SAVED_HIGH] = s->high_ns;
	v[SAVED_HIGH_BEFORE] = s->high_before_ns;
	v[SAVED_BOOSTED] = s->boosted_ns;
	v[SAVED_BOOSTS] = s->boosts;
	v[SAVED_DENIALS] = s->denials;
	v[SAVED_OVERRUNS] = s->overruns;
	v[SAVED_MALFORMED] = s->malformed;
	v[SAVED_LATCHES] = s->latches;
	v[SAVED_RESERVED] = s->reserved;
	res->count = SAVED_COUNT;
}

#define TAKE(field, value_index, type) \
	do { \
		if (GIVEN(op, value_index)) \
			s->field = (type)op->value[value_index]; \
	} while (0)

/* Changes a saved state: the way it travels is not trusted. */
static void run_saved(struct replay_world *w, const struct replay_op *op)
{
	struct pvs_saved *s = &w->saved[op_save_of(op->a)];

	TAKE(version, SAVED_VERSION, pvs_u32);
	TAKE(share_q16, SAVED_SHARE, pvs_u32);
	TAKE(boost_used_ns, SAVED_BOOST_USED, pvs_u64);
	TAKE(irq_used_ns, SAVED_IRQ_USED, pvs_u64);
	TAKE(normal_left_ns, SAVED_NORMAL_LEFT, pvs_s64);
	TAKE(high_ns, SAVED_HIGH, pvs_u64);
	TAKE(high_before_ns, SAVED_HIGH_BEFORE, pvs_u64);
	TAKE(boosted_ns, SAVED_BOOSTED, pvs_u64);
	TAKE(boosts, SAVED_BOOSTS, pvs_u32);
	TAKE(denials, SAVED_DENIALS, pvs_u32);
	TAKE(overruns, SAVED_OVERRUNS, pvs_u32);
	TAKE(malformed, SAVED_MALFORMED, pvs_u32);
	TAKE(latches, SAVED_LATCHES, pvs_u32);
	TAKE(reserved, SAVED_RESERVED, pvs_u32);
}

static void run_counters(const struct replay_world *w, const struct replay_op *op,
			  struct replay_result *res)
{
	const struct pvs_slot *slot = &w->slot[op_index_of(op->a)];

	res->value[RC_SEQ] = PVS_LOAD64(&slot->count_seq);
	res->value[RC_BOOSTS] = PVS_LOAD64(&slot->boosts);
	res->value[RC_DENIALS] = PVS_LOAD64(&slot->denials);
	res->value[RC_OVERRUNS] = PVS_LOAD64(&slot->overruns);
	res->value[RC_MALFORMED] = PVS_LOAD64(&slot->malformed);
	res->value[RC_BOOSTED] = PVS_LOAD64(&slot->boosted_ns);
	res->count = RC_COUNT;
}

static void run_tally(const struct replay_world *w, const struct replay_op *op,
		      struct replay_result *res)
{
	const struct pvs_vcpu *v = &w->vcpu[op_index_of(op->a)];
	pvs_u32 i;

	res->value[RT_TICKETS] = v->tickets;
	res->value[RT_STORMS] = v->storms;
	res->value[RT_DEFERRALS] = v->deferrals;
	PVS_FOR(i, PVS_REASON_COUNT)
		res->value[RT_REASONS + i] = v->reasons[i];
	res->count = RT_TALLY_COUNT;
}

static int run_decide(struct replay_world *w, const struct replay_op *op,
		       struct replay_result *res)
{
	switch (op->kind) {
	case RK_VM:
		run_vm(w, op, res);
		break;
	case RK_CHOICE:
		run_choice(w, op, res);
		break;
	case RK_FACTS:
		op_take_facts(w, op);
		break;
	case RK_VCPU:
		run_vcpu(w, op, res);
		break;
	case RK_SLOT:
		op_take_words(w, op, op_index_of(op->a));
		break;
	case RK_VALIDATE:
		run_validate(w, op, res);
		break;
	case RK_STEP:
		run_step(w, op, res);
		break;
	case RK_POST:
		pvs_post(&w->vcpu[op_index_of(op->a)], op->b);
		break;
	case RK_SAVE:
		run_save(w, op, res);
		break;
	case RK_SAVED:
		run_saved(w, op);
		break;
	case RK_RESTORE:
		res->value[0] = (pvs_u64)(pvs_s64)pvs_state_restore(
			&w->vcpu[op_index_of(op->a)], &w->cfg, &w->saved[op_save_of(op->b)]);
		res->count = 1;
		break;
	case RK_PREEMPTS:
		res->value[0] = (pvs_u64)(pvs_s64)pvs_preempts(&w->vcpu[op_index_of(op->a)],
							      &w->vcpu[op_index_of(op->b)]);
		res->count = 1;
		break;
	case RK_COUNTERS:
		run_counters(w, op, res);
		break;
	case RK_TALLY:
		run_tally(w, op, res);
		break;
	default:
		return -1;
	}
	return 0;
}
