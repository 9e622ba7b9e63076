/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host does once, outside of its fast path: configurations, and placing raw bytes for the
 * golden images.
 */
#include "sides.h"

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
	default:
		return -1;
	}
}
