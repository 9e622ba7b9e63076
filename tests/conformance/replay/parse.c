/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines become ops. Whatever is not exactly in the language is refused: a vector that is not
 * understood must not pass.
 */
#include "parse.h"

static const struct replay_name *named(const struct replay_name *names, struct replay_word text)
{
	for (; names && names->name; names++)
		if (replay_same(text, names->name))
			return names;
	return 0;
}

/* Up to `c`; *rest is what follows it. */
static struct replay_word until(struct replay_word *rest, char c)
{
	struct replay_word w = { rest->at, 0 };

	while (w.len < rest->len && w.at[w.len] != c)
		w.len++;
	rest->at += w.len;
	rest->len -= w.len;
	if (rest->len) {
		rest->at++;
		rest->len--;
	}
	return w;
}

static int parse_flags(const struct replay_field *field, struct replay_word text, pvs_u64 *value)
{
	*value = 0;
	if (replay_same(text, "none"))
		return 0;
	while (text.len) {
		struct replay_word one = until(&text, '|');
		const struct replay_name *name = named(field->names, one);
		pvs_u64 bits;

		if (name)
			bits = name->value;
		else if (replay_number(one, &bits))
			return -1;
		*value |= bits;
	}
	return 0;
}

int replay_parse_value(const struct replay_field *field, struct replay_word text, pvs_u64 *value)
{
	const struct replay_name *name;

	if (!text.len)
		return -1;
	if (field->type == RT_FLAGS)
		return parse_flags(field, text, value);
	name = named(field->names, text);
	if (name) {
		*value = name->value;
		return 0;
	}
	if (*text.at == '-' && field->type != RT_S)
		return -1;
	return replay_number(text, value);
}

/* The field called `name`: the word up to its length. */
static const struct replay_field *field_named(const struct replay_field *fields,
					      struct replay_word name)
{
	for (; fields->name; fields++)
		if (fields->name[0] == name.at[0] && replay_same(name, fields->name))
			return fields;
	return 0;
}

/* "a:b,c:d": a << 32 | b each, in the values from 0 on. */
static int parse_list(struct replay_word text, struct replay_op *op)
{
	while (text.len) {
		struct replay_word one = until(&text, ',');
		struct replay_word first = until(&one, ':');
		pvs_u64 high, low;

		if (op->listed >= REPLAY_VALUES || replay_number(first, &high) ||
		    replay_number(one, &low) || (high >> 32) || (low >> 32))
			return -1;
		op->value[op->listed++] = (high << 32) | low;
	}
	return op->listed ? 0 : -1;
}

static int parse_field(const struct replay_field *fields, struct replay_word text,
		       struct replay_op *op)
{
	struct replay_word name = until(&text, '=');
	const struct replay_field *field;
	pvs_u64 value;

	if (!name.len)
		return -1;
	field = field_named(fields, name);
	if (field && field->type == RT_LIST)
		return parse_list(text, op);
	if (!field || replay_parse_value(field, text, &value))
		return -1;
	if (field->bits < 64u && (value >> field->bits))
		return -1;
	if (!((op->given >> field->to) & 1u))
		op->value[field->to] = 0;
	op->given |= (pvs_u64)1 << field->to;
	op->value[field->to] |= value << field->shift;
	if (field->again)
		op->value[field->to] |= value << field->again;
	return 0;
}

static int parse_index(const struct replay_name *names, pvs_u32 max, struct replay_word text,
		       pvs_u32 *index)
{
	const struct replay_name *name = named(names, text);
	pvs_u64 value;

	if (name)
		value = name->value;
	else if (replay_number(text, &value))
		return -1;
	if (value > max)
		return -1;
	*index = (pvs_u32)value;
	return 0;
}

int replay_parse_op(const struct replay_kind_info *info, struct replay_word rest,
		    struct replay_op *op)
{
	struct replay_word word;
	pvs_u32 i;

	op->kind = info->kind;
	op->a = 0;
	op->b = 0;
	op->listed = 0;
	op->given = 0;
	if (info->in->type == RT_LIST)
		for (i = 0; i < REPLAY_VALUES; i++)
			op->value[i] = 0;
	if (info->indices > 0 && parse_index(0, info->a_max, replay_next(&rest), &op->a))
		return -1;
	if (info->indices > 1 &&
	    parse_index(info->b_names, info->b_max, replay_next(&rest), &op->b))
		return -1;
	for (word = replay_next(&rest); word.len; word = replay_next(&rest))
		if (parse_field(info->in, word, op))
			return -1;
	return 0;
}

const struct replay_kind_info *replay_kind_named(struct replay_word name)
{
	const struct replay_kind_info *info;

	for (info = replay_kinds; info->name; info++)
		if (replay_same(name, info->name))
			return info;
	return 0;
}

static int at_most(const struct replay_field *field, pvs_u64 a, pvs_u64 b)
{
	if (field->type == RT_S)
		return (pvs_s64)a <= (pvs_s64)b;
	return a <= b;
}

int replay_expect(const struct replay_field *out, const struct replay_result *result,
		  struct replay_word text)
{
	struct replay_word name = { text.at, 0 };
	const struct replay_field *field;
	pvs_u64 got, wanted;

	while (name.len < text.len && ((text.at[name.len] >= 'a' && text.at[name.len] <= 'z') ||
				       text.at[name.len] == '_'))
		name.len++;
	if (!name.len || name.len + 1u >= text.len)
		return -1;
	field = field_named(out, name);
	if (!field || field->to >= result->count)
		return -1;
	text.at += name.len + 1u;
	text.len -= name.len + 1u;
	if (replay_parse_value(field, text, &wanted))
		return -1;
	got = result->value[field->to];
	switch (name.at[name.len]) {
	case '=':
		return got == wanted;
	case '~':
		return (got & wanted) == wanted;
	case '!':
		return !(got & wanted);
	case '<':
		return at_most(field, got, wanted);
	case '>':
		return at_most(field, wanted, got);
	default:
		return -1;
	}
}
