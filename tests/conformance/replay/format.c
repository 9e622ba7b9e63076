/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results become lines. This text, and nothing else, is what environments are compared by.
 */
#include "format.h"

static int is_one_bit(pvs_u64 value)
{
	return value && !(value & (value - 1u));
}

static void put_flags(struct replay_text *line, const struct replay_name *names, pvs_u64 value)
{
	const char *between = "";

	if (!value)
		replay_put(line, "none");
	for (; names && names->name && value; names++) {
		if (!is_one_bit(names->value) || !(value & names->value))
			continue;
		replay_put(line, between);
		replay_put(line, names->name);
		between = "|";
		value &= ~names->value;
	}
	if (value) {
		replay_put(line, between);
		replay_put_hex(line, value, 1);
	}
}

static void put_value(struct replay_text *line, const struct replay_field *field, pvs_u64 value)
{
	const struct replay_name *names = field->names;

	if (field->type == RT_FLAGS) {
		put_flags(line, names, value);
		return;
	}
	for (; names && names->name; names++)
		if (names->value == value) {
			replay_put(line, names->name);
			return;
		}
	if (field->type == RT_X)
		replay_put_hex(line, value, 1);
	else if (field->type == RT_S)
		replay_put_s64(line, value);
	else
		replay_put_u64(line, value);
}

void replay_format(const struct replay_field *out, const struct replay_result *result,
		   struct replay_text *line)
{
	const char *between = "";

	if (!result->count) {
		replay_put(line, "ok");
		return;
	}
	for (; out->name; out++) {
		if (out->to >= result->count)
			continue;
		replay_put(line, between);
		replay_put(line, out->name);
		replay_put(line, "=");
		put_value(line, out, result->value[out->to]);
		between = " ";
	}
}
