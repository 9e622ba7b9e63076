/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host does once, outside of its fast path: configurations, and placing raw bytes for the
 * golden images.
 */
#include "sides.h"

#define ANY_WEIGHT 256u /* Xen's default */

static void clear_engines(struct replay_world *w)
{
	static const struct pvs_perf_table any = { 1, 0, { { PVS_UTIL_MAX, PVS_UTIL_MAX } } };
	static const struct pvs_yield_config preset;
	pvs_u32 i;

	(void)pvs_yield_init(&w->yield, &preset, REPLAY_VCPUS);
	pvs_perf_resolve(&w->perf_cfg);
	for (i = 0; i < REPLAY_DOMAINS; i++)
		(void)pvs_perf_init(&w->domain[i], &any);
	for (i = 0; i < REPLAY_ENTITIES; i++)
		pvs_entity_init(&w->entity[i], &w->cfg, ANY_WEIGHT);
}

void replay_world_clear(struct replay_world *w)
{
	pvs_u64 *words = (pvs_u64 *)(void *)w;
	pvs_u32 i;

	for (i = 0; i < sizeof(*w) / 8u; i++)
		words[i] = 0;
	(void)pvs_config_profile(PVS_PROFILE_DEFAULT, &w->cfg);
	pvs_vm_init(&w->vm, 0, 1, 1);
	for (i = 0; i < REPLAY_VCPUS; i++)
		pvs_vcpu_init(&w->vcpu[i], &w->cfg);
	clear_engines(w);
}

/* Which field of struct pvs_config is called `name`. */
static pvs_u64 config_field(const char *name)
{
	const struct replay_field *field = replay_kind_of(RK_CONFIG)->in;

	for (; field->name; field++) {
		struct replay_word w = { field->name, 0 };

		while (field->name[w.len])
			w.len++;
		if (replay_same(w, name))
			return field->to;
	}
	return REPLAY_VALUES;
}

/* A configuration that is in order is used from here on; any other changes nothing. */
static int exec_config(struct replay_world *w, const struct replay_op *op,
		       struct replay_result *res)
{
	struct pvs_config_error err = { 0, 0, 0, 0 };
	struct pvs_config cfg;
	pvs_u32 *fields = (pvs_u32 *)(void *)&cfg;
	pvs_u32 profile = PVS_PROFILE_DEFAULT;
	pvs_u32 i;
	int rc;

	if ((op->given >> CONFIG_PROFILE) & 1u)
		profile = (pvs_u32)op->value[CONFIG_PROFILE];
	rc = pvs_config_profile(profile, &cfg);
	if (!rc) {
		/* what follows from other fields follows from those given */
		if (!((op->given >> CONFIG_AT(boost_resume_ns)) & 1u))
			cfg.boost_resume_ns = 0;
		for (i = 0; i < sizeof(cfg) / 4u; i++)
			if ((op->given >> i) & 1u)
				fields[i] = (pvs_u32)op->value[i];
		pvs_config_resolve(&cfg);
		rc = pvs_config_check(&cfg, &err);
	}
	res->value[0] = (pvs_u64)(pvs_s64)rc;
	res->value[1] = err.field ? config_field(err.field) : 0u;
	res->value[2] = err.min;
	res->value[3] = err.max;
	res->count = 4;
	if (!rc)
		w->cfg = cfg;
	return 0;
}

/* Little-endian bytes anywhere in the header. */
static int exec_header(struct replay_world *w, const struct replay_op *op)
{
	unsigned char *to = (unsigned char *)&w->header;
	pvs_u64 at = op->value[HEADER_AT];
	pvs_u64 size = op->value[HEADER_SIZE];
	pvs_u32 i;

	if (op->given != 7u || size > 8u || at > PVS_HEADER_SIZE - 8u)
		return -1;
	for (i = 0; i < size; i++)
		to[at + i] = (unsigned char)(op->value[HEADER_VALUE] >> (8u * i));
	return 0;
}

/* What was agreed, said instead of negotiated. */
static void exec_terms(struct replay_world *w, const struct replay_op *op)
{
	struct pvs_terms *terms = &w->vm.terms;

	if (op->given & (1u << TERMS_FEATURES))
		terms->features = op->value[TERMS_FEATURES];
	if (op->given & (1u << TERMS_GENERATION))
		terms->generation = (pvs_u32)op->value[TERMS_GENERATION];
	if (op->given & (1u << TERMS_SLOTS))
		terms->slot_count = (pvs_u32)op->value[TERMS_SLOTS];
	if (op->given & (1u << TERMS_ACTIVE))
		terms->active = (pvs_u32)op->value[TERMS_ACTIVE];
}

static pvs_u32 given_or_0(const struct replay_op *op, pvs_u32 f)
{
	return (op->given >> f) & 1u ? (pvs_u32)op->value[f] : 0u;
}

static void exec_yield_vm(struct replay_world *w, const struct replay_op *op,
			  struct replay_result *res)
{
	struct pvs_yield_config cfg;

	cfg.flags = given_or_0(op, YV_FLAGS);
	cfg.ipi_window_ns = given_or_0(op, YV_IPI_WINDOW);
	cfg.transfer = given_or_0(op, YV_TRANSFER);
	cfg.transfer_min_ns = given_or_0(op, YV_TRANSFER_MIN);
	cfg.debounce_ns = given_or_0(op, YV_DEBOUNCE);
	cfg.reserved = 0;
	res->value[0] = (pvs_u64)(pvs_s64)pvs_yield_init(&w->yield, &cfg,
							given_or_0(op, YV_SLOTS));
	res->count = 1;
}

/* As `config`: one that is not in order changes nothing. `field` counts from 0. */
static void exec_perf_config(struct replay_world *w, const struct replay_op *op,
			     struct replay_result *res)
{
	static const char *const names[] = { "headroom_q10", "max_q10", "up_min_ns",
					     "down_min_ns" };
	struct pvs_config_error err = { 0, 0, 0, 0 };
	struct pvs_perf_config cfg;
	struct replay_word name;
	pvs_u32 i = 0;
	int rc;

	cfg.headroom_q10 = given_or_0(op, PC_HEADROOM);
	cfg.max_q10 = given_or_0(op, PC_MAX);
	cfg.up_min_ns = given_or_0(op, PC_UP);
	cfg.down_min_ns = given_or_0(op, PC_DOWN);
	pvs_perf_resolve(&cfg);
	rc = pvs_perf_check(&cfg, &err);
	if (err.field) {
		name.at = err.field;
		for (name.len = 0; name.at[name.len]; name.len++)
			;
		while (i < 4u && !replay_same(name, names[i]))
			i++;
	}
	res->value[0] = (pvs_u64)(pvs_s64)rc;
	res->value[1] = i;
	res->value[2] = err.min;
	res->value[3] = err.max;
	res->count = 4;
	if (!rc)
		w->perf_cfg = cfg;
}

static void exec_perf_domain(struct replay_world *w, const struct replay_op *op,
			     struct replay_result *res)
{
	struct pvs_perf_table table;
	pvs_u32 i;

	table.count = op->listed;
	table.reserved = 0;
	for (i = 0; i < PVS_PERF_LEVELS; i++) {
		table.level[i].capacity = (pvs_u32)(op->value[i] >> 32);
		table.level[i].value = (pvs_u32)op->value[i];
	}
	res->value[0] = (pvs_u64)(pvs_s64)pvs_perf_init(&w->domain[op->a], &table);
	res->count = 1;
}

int replay_exec_setup(struct replay_world *w, const struct replay_op *op,
		      struct replay_result *res)
{
	res->kind = op->kind;
	res->count = 0;
	switch (op->kind) {
	case RK_CONFIG:
		return exec_config(w, op, res);
	case RK_HEADER:
		return exec_header(w, op);
	case RK_TERMS:
		exec_terms(w, op);
		return 0;
	case RK_YIELD_VM:
		exec_yield_vm(w, op, res);
		return 0;
	case RK_PERF_CONFIG:
		exec_perf_config(w, op, res);
		return 0;
	case RK_PERF_DOMAIN:
		exec_perf_domain(w, op, res);
		return 0;
	default:
		return -1;
	}
}
