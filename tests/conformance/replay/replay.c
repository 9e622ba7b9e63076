/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The replayer: line by line, op by op, one digest.
 */
#include "format.h"
#include "parse.h"
#include "sides.h"

/* FNV-1a, 64 bits: draft-eastlake-fnv, section 5. */
#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x00000100000001b3ull

static void add_byte(pvs_u64 *digest, char c)
{
	*digest = (*digest ^ (unsigned char)c) * FNV_PRIME;
}

static void add_line(pvs_u64 *digest, const char *line)
{
	while (*line)
		add_byte(digest, *line++);
	add_byte(digest, '\n');
}

static void clear_guest(struct replay_guest *g)
{
	unsigned char *bytes = (unsigned char *)g;
	pvs_u32 i;

	for (i = 0; i < sizeof(*g); i++)
		bytes[i] = 0;
}

void pvs_replay_init_at(struct pvs_replay *r, struct replay_world *world, struct replay_op *op,
			struct replay_result *result)
{
	r->world = world;
	r->op = op;
	r->result = result;
	r->digest = FNV_BASIS;
	r->line_number = 0;
	r->vectors = 0;
	r->steps = 0;
	r->generated = 0;
	r->expectations = 0;
	r->mismatches = 0;
	r->first_bad = 0;
	r->has_result = 0;
	r->generating = 0;
	r->vector[0] = 0;
	r->line[0] = 0;
	r->out[0] = 0;
	op->given = 0;
	result->count = 0;
	clear_guest(&r->guest);
	replay_world_clear(world);
}

void pvs_replay_init(struct pvs_replay *r)
{
	pvs_replay_init_at(r, &r->own_world, &r->own_op, &r->own_result);
}

/* ---- one op ---------------------------------------------------------------------------------- */

static int execute(struct pvs_replay *r, const struct replay_kind_info *info)
{
	switch (info->side) {
	case REPLAY_SIDE_HOST:
		return pvs_replay_exec(r->world, r->op, r->result);
	case REPLAY_SIDE_SETUP:
		return replay_exec_setup(r->world, r->op, r->result);
	default:
		return replay_exec_guest(r->world, &r->guest, r->op, r->result);
	}
}

/* The result line stands in r->out: it is counted, and shown to the environment. */
static void conclude(struct pvs_replay *r)
{
	add_line(&r->digest, r->out);
	if (r->generating)
		add_line(&r->gen.digest, r->out);
	r->has_result = 1;
	pvs_replay_observe(r);
}

static int fail(struct pvs_replay *r, const char *what)
{
	struct replay_text out;

	replay_text_open(&out, r->out, sizeof(r->out));
	replay_put(&out, what);
	r->result->count = 0;
	conclude(r);
	r->has_result = 0;
	return REPLAY_E_SYNTAX;
}

/* Runs the op in r->line, but for `generate`. */
static int run_op(struct pvs_replay *r, const struct replay_kind_info *info,
		  struct replay_word rest)
{
	struct replay_text out;

	if (replay_parse_op(info, rest, r->op))
		return fail(r, "syntax");
	r->steps++;
	if (execute(r, info))
		return fail(r, "error");
	replay_text_open(&out, r->out, sizeof(r->out));
	replay_format(info->out, r->result, &out);
	conclude(r);
	return REPLAY_OK;
}

static struct replay_word keep_line(struct pvs_replay *r, struct replay_word text)
{
	struct replay_text line;
	struct replay_word kept;

	replay_text_open(&line, r->line, sizeof(r->line));
	replay_put_word(&line, text);
	kept.at = r->line;
	kept.len = line.len;
	return kept;
}

/* One drawn line. */
static int run_drawn(struct pvs_replay *r, pvs_u32 len)
{
	struct replay_word rest = { r->line, len };
	const struct replay_kind_info *info = replay_kind_named(replay_next(&rest));
	int rc = info ? run_op(r, info, rest) : REPLAY_E_SYNTAX;

	if (!rc)
		replay_gen_result(&r->gen, r->op, r->result);
	return rc;
}

static int run_generate(struct pvs_replay *r, const struct replay_kind_info *info,
			struct replay_word rest)
{
	struct replay_text line;
	pvs_u32 steps, i, part;
	int rc = REPLAY_OK;

	if (replay_parse_op(info, rest, r->op) || !((r->op->given >> GEN_STEPS) & 1u))
		return fail(r, "syntax");
	steps = (pvs_u32)r->op->value[GEN_STEPS];
	replay_gen_open(&r->gen, r->op);
	if (r->gen.vcpus < 1u || r->gen.profile >= GEN_COUNT ||
	    r->gen.vcpus > (r->gen.profile == GEN_YIELD ? PVS_YIELD_SLOTS : REPLAY_VCPUS))
		return fail(r, "error");
	r->gen.digest = FNV_BASIS;
	r->generating = 1;
	for (i = 0; i < steps && !rc; i++) {
		for (part = 0; !rc; part++) {
			replay_text_open(&line, r->line, sizeof(r->line));
			if (!replay_gen_line(&r->gen, part, &line))
				break;
			if (line.len)
				rc = run_drawn(r, line.len);
		}
	}
	r->generating = 0;
	if (rc)
		return rc;
	r->generated += steps;
	r->result->kind = RK_GENERATE;
	r->result->count = RGEN_COUNT;
	r->result->value[RGEN_STEPS] = steps;
	r->result->value[RGEN_DIGEST] = r->gen.digest;
	replay_text_open(&line, r->line, sizeof(r->line));
	replay_put(&line, "generate");
	replay_text_open(&line, r->out, sizeof(r->out));
	replay_format(info->out, r->result, &line);
	conclude(r);
	return REPLAY_OK;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static int check(struct pvs_replay *r, struct replay_word rest)
{
	const struct replay_kind_info *info = replay_kind_of(r->result->kind);
	struct replay_word one = replay_next(&rest);
	int rc = REPLAY_OK;

	if (!r->has_result || !info || !one.len)
		return REPLAY_E_SYNTAX;
	/* an op without result fields can only be expected to work */
	if (!r->result->count && replay_same(one, "ok"))
		return REPLAY_OK;
	for (; one.len; one = replay_next(&rest)) {
		int holds = replay_expect(info->out, r->result, one);

		if (holds < 0)
			return REPLAY_E_SYNTAX;
		r->expectations++;
		if (!holds)
			rc = REPLAY_E_MISMATCH;
	}
	return rc;
}

static int begin_vector(struct pvs_replay *r, struct replay_word rest)
{
	struct replay_word name = replay_next(&rest);
	struct replay_text out;

	if (!name.len || replay_next(&rest).len)
		return REPLAY_E_SYNTAX;
	replay_text_open(&out, r->vector, sizeof(r->vector));
	replay_put_word(&out, name);
	r->vectors++;
	r->has_result = 0;
	clear_guest(&r->guest);
	replay_world_clear(r->world);
	return REPLAY_OK;
}

/* Splits "op -> expectations"; *text is what is before. */
static struct replay_word expectations_of(struct replay_word *text)
{
	struct replay_word after = { text->at + text->len, 0 };
	pvs_u32 i;

	for (i = 0; i + 1u < text->len; i++) {
		if (text->at[i] != '-' || text->at[i + 1u] != '>')
			continue;
		after.at = text->at + i + 2u;
		after.len = text->len - i - 2u;
		text->len = i;
		break;
	}
	while (text->len && replay_blank(text->at[text->len - 1u]))
		text->len--;
	return after;
}

static int run_line(struct pvs_replay *r, struct replay_word text)
{
	struct replay_word expected = expectations_of(&text);
	struct replay_word rest = keep_line(r, text);
	const struct replay_kind_info *info = replay_kind_named(replay_next(&rest));
	int rc;

	if (!info || !r->vector[0] || text.len >= REPLAY_LINE_MAX)
		return fail(r, "syntax");
	if (info->kind == RK_GENERATE)
		rc = run_generate(r, info, rest);
	else
		rc = run_op(r, info, rest);
	if (!rc && expected.len)
		rc = check(r, expected);
	return rc;
}

static struct replay_word trimmed(const char *line, pvs_u32 len)
{
	struct replay_word text = { line, 0 };

	while (text.len < len && line[text.len] != '#')
		text.len++;
	while (text.len && replay_blank(text.at[text.len - 1u]))
		text.len--;
	while (text.len && replay_blank(*text.at)) {
		text.at++;
		text.len--;
	}
	return text;
}

int pvs_replay_line(struct pvs_replay *r, const char *line, pvs_u32 len)
{
	struct replay_word text = trimmed(line, len);
	struct replay_word rest = text;
	struct replay_word first = replay_next(&rest);
	int rc = REPLAY_OK;

	r->line_number++;
	if (!first.len)
		return rc;
	if (replay_same(first, "vector"))
		rc = begin_vector(r, rest);
	else if (replay_same(first, "="))
		rc = check(r, rest);
	else
		rc = run_line(r, text);
	if (rc) {
		r->mismatches++;
		if (!r->first_bad)
			r->first_bad = r->line_number;
	}
	return rc;
}

int pvs_replay_text(struct pvs_replay *r, const char *text, pvs_u64 len)
{
	int worst = REPLAY_OK;

	while (len) {
		pvs_u64 n = 0;
		int rc;

		while (n < len && text[n] != '\n')
			n++;
		rc = pvs_replay_line(r, text, (pvs_u32)n);
		if (rc && !worst)
			worst = rc;
		n += n < len;
		text += n;
		len -= n;
	}
	return worst;
}

/* ---- what came of it ------------------------------------------------------------------------- */

const char *pvs_replay_op_line(const struct pvs_replay *r)
{
	return r->line;
}

const char *pvs_replay_result(const struct pvs_replay *r)
{
	return r->out;
}

void pvs_replay_end(const struct pvs_replay *r, struct pvs_replay_summary *out)
{
	out->digest = r->digest;
	out->vectors = r->vectors;
	out->steps = r->steps;
	out->generated = r->generated;
	out->expectations = r->expectations;
	out->mismatches = r->mismatches;
	out->first_bad = r->first_bad;
}

pvs_u32 pvs_replay_report(const struct pvs_replay *r, char *out, pvs_u32 size)
{
	struct replay_text t;

	replay_text_open(&t, out, size);
	replay_put(&t, "digest=");
	replay_put_hex(&t, r->digest, 16);
	replay_put(&t, " vectors=");
	replay_put_u64(&t, r->vectors);
	replay_put(&t, " steps=");
	replay_put_u64(&t, r->steps);
	replay_put(&t, " mismatches=");
	replay_put_u64(&t, r->mismatches);
	replay_put(&t, " generated=");
	replay_put_u64(&t, r->generated);
	replay_put(&t, " first_bad=");
	replay_put_u64(&t, r->first_bad);
	return t.len;
}
