/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The region as memory, and a whole host: the adapters' common part with the null adapter, on the
 * header and the slots of the replayer's world, so that guest ops and `slot` reach it too.
 */
#include "door.h"

#include <stddef.h>

#include <pvs/null.h>

enum door_kind {
	DK_PEEK = 1, DK_POKE, DK_PEEK_HEADER, DK_OPEN, DK_ATTACH, DK_DETACH, DK_EVENT, DK_FOREIGN,
	DK_RESET, DK_CLOSE, DK_COUNTERS, DK_SHOULD_YIELD
};

enum { D_AT, D_VALUE };
enum { D_SLOTS, D_CAPS, D_GENERATION, D_MEASURE };
enum { D_ID };
enum { D_ARG, D_DT, D_RAN };

/* What every op of the host answers with: of the header, and of the vCPU named. */
enum { DR_RC, DR_STATUS, DR_REASON, DR_OFFERED, DR_FEATURES, DR_GENERATION, DR_CLASS, DR_WEIGHT,
       DR_IDENT, DR_COUNT };

#define FIELD(name, type, to) { name, 0, type, to, 0, 64, 0, { 0 } }
#define LAST { 0, 0, 0, 0, 0, 0, 0, { 0 } }
#define GIVEN(op, f) (((op)->given >> (f)) & 1u)

static const struct replay_field nothing[] = { LAST };
static const struct replay_field peek_in[] = { FIELD("at", RT_X, D_AT), LAST };
static const struct replay_field poke_in[] = {
	FIELD("at", RT_X, D_AT), FIELD("value", RT_X, D_VALUE), LAST
};
static const struct replay_field peek_out[] = { FIELD("value", RT_X, 0), LAST };
static const struct replay_field yes_out[] = { FIELD("value", RT_U, 0), LAST };
static struct replay_field open_in[] = {
	FIELD("slots", RT_U, D_SLOTS), FIELD("caps", RT_FLAGS, D_CAPS),
	FIELD("generation", RT_U, D_GENERATION), FIELD("measure", RT_U, D_MEASURE), LAST
};
static const struct replay_field attach_in[] = { FIELD("id", RT_U, D_ID), LAST };
static const struct replay_field event_in[] = {
	FIELD("arg", RT_U, D_ARG), FIELD("dt", RT_U, D_DT), FIELD("ran", RT_U, D_RAN), LAST
};
static const struct replay_field reset_in[] = { FIELD("generation", RT_U, D_GENERATION), LAST };
static struct replay_field host_out[] = {
	FIELD("rc", RT_S, DR_RC), FIELD("status", RT_U, DR_STATUS),
	FIELD("reason", RT_U, DR_REASON), FIELD("offered", RT_FLAGS, DR_OFFERED),
	FIELD("features", RT_FLAGS, DR_FEATURES), FIELD("generation", RT_U, DR_GENERATION),
	FIELD("class", RT_U, DR_CLASS), FIELD("weight", RT_U, DR_WEIGHT),
	FIELD("ident", RT_X, DR_IDENT), LAST
};
static const struct replay_field counters_out[] = {
	FIELD("seq", RT_U, 0), FIELD("boosts", RT_U, 1), FIELD("denials", RT_U, 2),
	FIELD("overruns", RT_U, 3), FIELD("malformed", RT_U, 4), FIELD("boosted_ns", RT_U, 5), LAST
};

#define OP(name, in, out, indices, kind) \
	{ name, in, out, 0, REPLAY_VCPUS - 1u, 255, indices, REPLAY_SIDE_SETUP, kind, 0 }

static struct replay_kind_info ops[] = {
	OP("peek", peek_in, peek_out, 1, DK_PEEK),
	OP("poke", poke_in, nothing, 1, DK_POKE),
	OP("peek_header", peek_in, peek_out, 0, DK_PEEK_HEADER),
	OP("host_open", open_in, host_out, 0, DK_OPEN),
	OP("host_attach", attach_in, host_out, 1, DK_ATTACH),
	OP("host_detach", nothing, host_out, 1, DK_DETACH),
	OP("host_event", event_in, host_out, 2, DK_EVENT),
	OP("host_foreign", nothing, host_out, 1, DK_FOREIGN),
	OP("host_reset", reset_in, host_out, 0, DK_RESET),
	OP("host_close", nothing, host_out, 0, DK_CLOSE),
	OP("host_counters", nothing, counters_out, 0, DK_COUNTERS),
	OP("guest_should_yield", nothing, yes_out, 1, DK_SHOULD_YIELD),
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
};

static struct {
	struct pvs_host host;
	struct pvs_host_vcpu vcpus[REPLAY_VCPUS];
	struct pvs_null null;
	struct pvs_null_vcpu threads[REPLAY_VCPUS];
	int open;
} house;

/* ---- names ----------------------------------------------------------------------------------- */

static const struct replay_name *names_in(const struct replay_field *fields, const char *name)
{
	struct replay_word w = { name, 0 };

	while (name[w.len])
		w.len++;
	for (; fields->name; fields++)
		if (replay_same(w, fields->name))
			return fields->names;
	return 0;
}

void door_ops_init(void)
{
	static const struct replay_word vm_name = { "vm", 2 }, step_name = { "step", 4 };
	static const struct replay_word bind_name = { "guest_bind", 10 };
	const struct replay_kind_info *vm = replay_kind_named(vm_name);
	const struct replay_kind_info *step = replay_kind_named(step_name);
	struct replay_kind_info *op;

	for (op = ops; op->name; op++)
		if (op->kind == DK_EVENT)
			op->b_names = step->b_names;
	open_in[D_CAPS].names = names_in(vm->in, "caps");
	host_out[DR_RC].names = names_in(replay_kind_named(bind_name)->out, "rc");
	host_out[DR_STATUS].names = names_in(vm->out, "status");
	host_out[DR_REASON].names = names_in(vm->out, "reason");
	host_out[DR_OFFERED].names = names_in(vm->out, "offered");
	host_out[DR_FEATURES].names = host_out[DR_OFFERED].names;
	host_out[DR_CLASS].names = names_in(step->out, "class");
}

const struct replay_kind_info *door_op_named(struct replay_word name)
{
	const struct replay_kind_info *op;

	for (op = ops; op->name; op++)
		if (replay_same(name, op->name))
			return op;
	return 0;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static int exec_peek(const unsigned char *page, pvs_u64 size, const struct replay_op *op,
		     struct replay_result *res)
{
	pvs_u64 at = op->value[D_AT];
	pvs_u32 i;

	if (!GIVEN(op, D_AT) || at > size - 8u)
		return -1;
	res->value[0] = 0;
	for (i = 0; i < 8u; i++)
		res->value[0] |= (pvs_u64)page[at + i] << (8u * i);
	res->count = 1;
	return 0;
}

static int exec_poke(unsigned char *page, pvs_u64 size, const struct replay_op *op)
{
	pvs_u64 at = op->value[D_AT];
	pvs_u32 i;

	if (!GIVEN(op, D_AT) || !GIVEN(op, D_VALUE) || at > size - 8u)
		return -1;
	for (i = 0; i < 8u; i++)
		page[at + i] = (unsigned char)(op->value[D_VALUE] >> (8u * i));
	return 0;
}

/* ---- a whole host ---------------------------------------------------------------------------- */

void door_forget(void)
{
	unsigned char *bytes = (unsigned char *)&house;
	size_t i;

	for (i = 0; i < sizeof(house); i++)
		bytes[i] = 0;
}

static int open_host(struct replay_world *w, const struct replay_op *op)
{
	struct pvs_host_args args = { .ops = &pvs_null_ops, .ctx = &house.null,
				      .region = &w->header, .vcpus = house.vcpus,
				      .slot_count = 1, .generation = 1,
				      .kick_kind = PVS_KICK_PIO, .kick_addr = 0x5057 };
	struct pvs_config config;
	pvs_u32 i;

	if (GIVEN(op, D_SLOTS))
		args.slot_count = (pvs_u32)op->value[D_SLOTS];
	if (GIVEN(op, D_GENERATION))
		args.generation = (pvs_u32)op->value[D_GENERATION];
	if (GIVEN(op, D_CAPS))
		args.caps = (pvs_u32)op->value[D_CAPS];
	if (args.slot_count > REPLAY_VCPUS)
		return PVS_E_INVALID;
	door_forget();
	(void)pvs_config_profile(GIVEN(op, D_MEASURE) && op->value[D_MEASURE] ?
					 PVS_PROFILE_MEASURE_ONLY : PVS_PROFILE_DEFAULT, &config);
	args.config = &config;
	house.null.now_ns = 1000000000u;
	for (i = 0; i < REPLAY_VCPUS; i++)
		house.threads[i].null = &house.null;
	house.open = !pvs_host_init(&house.host, &args);
	return house.open ? PVS_OK : PVS_E_INVALID;
}

static int host_event(const struct replay_op *op)
{
	if (GIVEN(op, D_DT))
		house.null.now_ns += op->value[D_DT];
	if (GIVEN(op, D_RAN))
		house.threads[op->a].run_ns += op->value[D_RAN];
	return pvs_host_event(&house.host, op->a, op->b,
			      GIVEN(op, D_ARG) ? (pvs_u32)op->value[D_ARG] : 0u);
}

static int exec_host(struct replay_world *w, const struct replay_op *op)
{
	if (op->kind == DK_OPEN)
		return open_host(w, op);
	if (!house.open)
		return PVS_E_STATE;
	switch (op->kind) {
	case DK_ATTACH:
		return pvs_host_attach(&house.host, op->a, &house.threads[op->a],
				       (pvs_u32)op->value[D_ID]);
	case DK_DETACH:
		pvs_host_detach(&house.host, op->a);
		return PVS_OK;
	case DK_EVENT:
		return host_event(op);
	case DK_FOREIGN:
		house.threads[op->a].fail_apply = PVS_E_FOREIGN;
		return PVS_OK;
	case DK_RESET:
		pvs_host_reset(&house.host, (pvs_u32)op->value[D_GENERATION]);
		return PVS_OK;
	default:
		pvs_host_close(&house.host);
		return PVS_OK;
	}
}

static void report_host(const struct replay_world *w, const struct replay_op *op, int rc,
			struct replay_result *res)
{
	const struct pvs_region_header *h = &w->header;
	const struct pvs_null_vcpu *thread = &house.threads[op->a];

	res->value[DR_RC] = (pvs_u64)(pvs_s64)rc;
	res->value[DR_STATUS] = PVS_LOAD32(&h->status);
	res->value[DR_REASON] = PVS_LOAD32(&h->status_reason);
	res->value[DR_OFFERED] = PVS_LOAD64(&h->features_offered);
	res->value[DR_FEATURES] = house.host.vm.terms.features;
	res->value[DR_GENERATION] = PVS_LOAD32(&h->generation);
	res->value[DR_CLASS] = thread->captured ? thread->klass : (pvs_u64)PVS_CLASS_BASELINE;
	res->value[DR_WEIGHT] = thread->captured ? thread->weight_q10 : 1024u;
	res->value[DR_IDENT] = PVS_LOAD64(&w->slot[op->a].ident);
	res->count = DR_COUNT;
}

static void report_counters(const struct replay_world *w, struct replay_result *res)
{
	const struct pvs_region_header *h = &w->header;

	res->value[0] = PVS_LOAD64(&h->vm_count_seq);
	res->value[1] = PVS_LOAD64(&h->vm_boosts);
	res->value[2] = PVS_LOAD64(&h->vm_denials);
	res->value[3] = PVS_LOAD64(&h->vm_overruns);
	res->value[4] = PVS_LOAD64(&h->vm_malformed);
	res->value[5] = PVS_LOAD64(&h->vm_boosted_ns);
	res->count = 6;
}

int door_exec(const struct pvs_replay *r, const struct replay_op *op, struct replay_result *res)
{
	struct replay_world *w = r->world;

	res->count = 0;
	switch (op->kind) {
	case DK_PEEK:
		return exec_peek((const unsigned char *)&w->slot[op->a], PVS_SLOT_SIZE, op, res);
	case DK_POKE:
		return exec_poke((unsigned char *)&w->slot[op->a], PVS_SLOT_SIZE, op);
	case DK_PEEK_HEADER:
		return exec_peek((const unsigned char *)&w->header, PVS_HEADER_SIZE, op, res);
	case DK_COUNTERS:
		report_counters(w, res);
		return 0;
	case DK_SHOULD_YIELD:
		res->value[0] = pvs_guest_should_yield(&r->guest.vcpu[op->a]) != 0;
		res->count = 1;
		return 0;
	default:
		report_host(w, op, exec_host(w, op), res);
		return 0;
	}
}
