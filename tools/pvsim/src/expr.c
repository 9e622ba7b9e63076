// SPDX-License-Identifier: BSD-2-Clause
/* expr.c - a recursive descent over an expression that evaluates as it goes. */
#include "expr.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"
#include "units.h"

#define DEPTH_MAX 64u
#define NAME_MAX_LENGTH 160u

/* A value on the way: with what is known of its kind. */
struct val {
	double v;
	int8_t time, energy;
	uint8_t truth;
	uint8_t any;       /* of no kind: 0, or a row that is only checked */
	uint8_t bare;      /* a number without a unit */
	uint8_t share;     /* a row that is a fraction */
};

struct parser {
	const char *text, *p;
	const struct sim_expr_env *env;
	uint32_t depth;
	char *error;
	size_t error_size;
	int failed;
	/* the comparison to be told of: the first that does not hold, else the last */
	double left, right;
	const char *relation;
	int told;
	int8_t told_time, told_energy;
};

static struct val fail(struct parser *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static struct val fail(struct parser *e, const char *format, ...)
{
	struct val none = {.any = 1};
	va_list args;

	if (!e->failed) {
		va_start(args, format);
		vsnprintf(e->error, e->error_size, format, args);
		va_end(args);
	}
	e->failed = 1;
	return none;
}

static void skip(struct parser *e)
{
	while (isspace((unsigned char)*e->p))
		e->p++;
}

static int eat(struct parser *e, const char *token)
{
	skip(e);
	if (strncmp(e->p, token, strlen(token)))
		return 0;
	e->p += strlen(token);
	return 1;
}

static const char *kind_text(const struct val *v)
{
	if (v->time == 1 && !v->energy)
		return "a time";
	if (v->energy == 1 && !v->time)
		return "an energy";
	return v->time || v->energy ? "another kind of value" : "a bare number";
}

/* Both are of one kind, which becomes that of a. */
static void same_kind(struct parser *e, struct val *a, const struct val *b, const char *what)
{
	if (a->any && !b->any) {
		a->time = b->time;
		a->energy = b->energy;
		a->any = 0;
		return;
	}
	if (b->any || (a->time == b->time && a->energy == b->energy))
		return;
	fail(e, "%s of %s and %s, expected two of one kind (write 5us, 3ms)", what, kind_text(a),
	     kind_text(b));
}

static struct val or_(struct parser *e);

/* ---- numbers and rows -------------------------------------------------------------------------*/

static struct val number(struct parser *e)
{
	static const struct {
		const char *name;
		double factor;
		int8_t time;
	} units[] = {{"ns", 1, 1},   {"us", 1e3, 1}, {"ms", 1e6, 1},  {"s", 1e9, 1},
		     {"%", 0.01, 0}, {"ppm", 1e-6, 0}, {"k", 1e3, 0}, {"M", 1e6, 0}};
	struct val v = {.bare = 1};
	char *end;
	size_t i, length = 0;

	v.v = strtod(e->p, &end);
	e->p = end;
	v.any = v.v == 0;
	if (*e->p == '%')
		length = 1;
	while (isalpha((unsigned char)e->p[length]) && *e->p != '%')
		length++;
	if (!length)
		return v;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strlen(units[i].name) == length && !strncmp(units[i].name, e->p, length)) {
			v.v *= units[i].factor;
			v.time = units[i].time;
			v.bare = 0;
			e->p += length;
			return v;
		}
	}
	return fail(e, "there is no unit `%.*s`, expected ns, us, ms, s, %%, ppm, k or M",
		    (int)(length < 20 ? length : 20), e->p);
}

static struct val unknown_run(struct parser *e, const char *name, size_t length)
{
	const char *names[64], *near;
	char word[64];
	uint32_t i;

	snprintf(word, sizeof(word), "%.*s", (int)(length < 63 ? length : 63), name);
	for (i = 0; i < e->env->run_count && i < 64; i++)
		names[i] = e->env->runs[i].name;
	near = sim_nearest(word, names, i);
	if (near)
		return fail(e, "there is no run `%s`, expected `%s`?", word, near);
	return fail(e, "there is no run `%s`, expected RUN.ROW with the name of a run", word);
}

/* A row that is not there: which is nearest? */
static struct val unknown_row(struct parser *e, const struct sim_result *r, const char *row)
{
	const char **names = calloc(r->count + 1, sizeof(*names)), *near = NULL;
	char base[NAME_MAX_LENGTH];
	uint32_t i;

	snprintf(base, sizeof(base), "%s", row);
	for (i = 0; names && i < r->count; i++)
		names[i] = r->rows[i].name;
	if (names)
		near = sim_nearest(base, names, r->count);
	free(names);
	if (near)
		return fail(e, "there is no row `%s`, expected `%s`?", row, near);
	return fail(e, "there is no row `%s`, expected one that `pvsim run` prints", row);
}

/* Splits a suffix such as `.p99` off, if the row is a histogram. */
static const struct sim_row *find_row(const struct sim_result *r, const char *name)
{
	const struct sim_row *row = sim_result_row(r, name);
	char base[NAME_MAX_LENGTH];
	const char *dot = strrchr(name, '.');

	if (row || !dot)
		return row;
	snprintf(base, sizeof(base), "%.*s", (int)(dot - name), name);
	return sim_result_row(r, base);
}

static struct val row(struct parser *e, const char *name, size_t length)
{
	const struct sim_expr_run *run = NULL;
	const char *dot = memchr(name, '.', length);
	char path[NAME_MAX_LENGTH];
	const struct sim_row *found;
	struct val v = {0};
	uint32_t i;

	if (length >= NAME_MAX_LENGTH)
		return fail(e, "a name of %u letters, expected fewer", (uint32_t)length);
	for (i = 0; dot && i < e->env->run_count; i++)
		if (strlen(e->env->runs[i].name) == (size_t)(dot - name) &&
		    !strncmp(e->env->runs[i].name, name, (size_t)(dot - name)))
			run = &e->env->runs[i];
	if (!run)
		return unknown_run(e, name, dot ? (size_t)(dot - name) : length);
	snprintf(path, sizeof(path), "%.*s", (int)(length - (size_t)(dot + 1 - name)), dot + 1);
	if (e->env->check_only || !run->result) {
		v.any = 1;
		v.v = 1;
		return v;
	}
	found = find_row(run->result, path);
	if (!found || !sim_result_get(run->result, path, &v.v))
		return unknown_row(e, run->result, path);
	if (strlen(path) > 6 && found->hist && !strcmp(path + strlen(path) - 6, ".count"))
		return v;
	v.time = found->unit == SIM_NS;
	v.energy = found->unit == SIM_NJ;
	v.share = found->unit == SIM_PPM;
	return v;
}

/* min(a, b, ...), max(...), abs(a) */
static struct val call(struct parser *e, const char *name, size_t length)
{
	int is_min = length == 3 && !strncmp(name, "min", 3);
	int is_max = length == 3 && !strncmp(name, "max", 3);
	struct val best, next;

	if (!is_min && !is_max && !(length == 3 && !strncmp(name, "abs", 3)))
		return fail(e, "there is no function `%.*s`, expected min, max or abs",
			    (int)(length < 40 ? length : 40), name);
	best = or_(e);
	if (!is_min && !is_max) {
		best.v = fabs(best.v);
	} else {
		while (!e->failed && eat(e, ",")) {
			next = or_(e);
			same_kind(e, &best, &next, "the extreme");
			if (is_min ? next.v < best.v : next.v > best.v)
				best.v = next.v;
		}
	}
	if (!e->failed && !eat(e, ")"))
		return fail(e, "no `)` after the arguments of `%.*s`", (int)length, name);
	return best;
}

/* Does RUN.ROW begin here? After a / or - without a space before it, this is what tells. */
static int begins_row(const struct parser *e, const char *text)
{
	static const char *const rows[] = {"task.", "vm.", "cpu.", "host.", "pvs.", "yield.",
					   "dvfs."};
	size_t n, length;
	uint32_t i;

	for (i = 0; i < e->env->run_count; i++) {
		length = strlen(e->env->runs[i].name);
		if (strncmp(text, e->env->runs[i].name, length) || text[length] != '.')
			continue;
		for (n = 0; n < sizeof(rows) / sizeof(rows[0]); n++)
			if (!strncmp(text + length + 1, rows[n], strlen(rows[n])))
				return 1;
	}
	return 0;
}

static int in_name(const struct parser *e, const char *name)
{
	char c = *e->p;

	if (isalnum((unsigned char)c) || c == '.' || c == '_')
		return 1;
	return (c == '/' || c == '-') && e->p > name && !begins_row(e, e->p + 1);
}

static struct val primary(struct parser *e)
{
	const char *name;
	size_t length;
	struct val v;

	skip(e);
	if (isdigit((unsigned char)*e->p) || (*e->p == '.' && isdigit((unsigned char)e->p[1])))
		return number(e);
	if (eat(e, "(")) {
		v = or_(e);
		if (!e->failed && !eat(e, ")"))
			return fail(e, "no `)` at `%.20s`", e->p);
		return v;
	}
	if (!isalpha((unsigned char)*e->p)) {
		if (!*e->p)
			return fail(e, "the expression ends, expected a value");
		return fail(e, "`%.20s`, expected a value", e->p);
	}
	for (name = e->p; in_name(e, name); e->p++)
		;
	length = (size_t)(e->p - name);
	if (eat(e, "("))
		return call(e, name, length);
	return row(e, name, length);
}

/* ---- operators --------------------------------------------------------------------------------*/

static struct val unary(struct parser *e)
{
	struct val v;

	if (++e->depth > DEPTH_MAX) {
		v = fail(e, "too deep, expected fewer parentheses");
	} else if (eat(e, "-")) {
		v = unary(e);
		v.v = -v.v;
	} else {
		v = primary(e);
	}
	e->depth--;
	return v;
}

static struct val product(struct parser *e)
{
	struct val a = unary(e), b;

	for (;;) {
		int divide;

		skip(e);
		if (e->failed || (*e->p != '*' && *e->p != '/'))
			return a;
		divide = *e->p++ == '/';
		b = unary(e);
		if (e->failed)
			return a;
		if (divide && b.v == 0 && !e->env->check_only)
			return fail(e, "a division by 0");
		a.v = divide ? a.v / b.v : a.v * b.v;
		a.time = (int8_t)(divide ? a.time - b.time : a.time + b.time);
		a.energy = (int8_t)(divide ? a.energy - b.energy : a.energy + b.energy);
		a.any = a.any || b.any;
		a.bare = a.bare && b.bare;
		a.share = 0;
	}
}

static struct val sum(struct parser *e)
{
	struct val a = product(e), b;

	for (;;) {
		int minus;

		skip(e);
		if (e->failed || (*e->p != '+' && *e->p != '-'))
			return a;
		minus = *e->p++ == '-';
		b = product(e);
		if (e->failed)
			return a;
		same_kind(e, &a, &b, minus ? "the difference" : "the sum");
		a.v = minus ? a.v - b.v : a.v + b.v;
		a.bare = a.bare && b.bare;
		a.share = a.share && b.share;
	}
}

static int holds(const char *relation, double a, double b)
{
	if (!strcmp(relation, "<="))
		return a <= b;
	if (!strcmp(relation, ">="))
		return a >= b;
	if (!strcmp(relation, "=="))
		return a == b;
	if (!strcmp(relation, "!="))
		return a != b;
	return relation[0] == '<' ? a < b : a > b;
}

static struct val comparison(struct parser *e)
{
	static const char *const relations[] = {"<=", ">=", "==", "!=", "<", ">"};
	struct val a = sum(e), b, v = {.truth = 1};
	size_t i;

	for (i = 0; i < 6 && !e->failed; i++)
		if (eat(e, relations[i]))
			break;
	if (e->failed || i == 6)
		return a;
	b = sum(e);
	if (e->failed)
		return a;
	same_kind(e, &a, &b, "a comparison");
	if ((a.share && b.bare && fabs(b.v) > 64) || (b.share && a.bare && fabs(a.v) > 64))
		return fail(e, "a share compared with a large number, expected 5%%, 0.05 or "
			       "50000ppm");
	v.v = holds(relations[i], a.v, b.v);
	if (e->told != 2) {
		e->told = v.v ? 1 : 2;
		e->left = a.v;
		e->right = b.v;
		e->relation = relations[i];
		e->told_time = a.time;
		e->told_energy = a.energy;
	}
	return v;
}

static struct val and_(struct parser *e)
{
	struct val a = comparison(e), b;

	while (!e->failed && eat(e, "&&")) {
		b = comparison(e);
		if (!e->failed && (!a.truth || !b.truth))
			return fail(e, "`&&` of a value, expected comparisons");
		a.v = a.v && b.v;
	}
	return a;
}

static struct val or_(struct parser *e)
{
	struct val a, b;

	if (++e->depth > DEPTH_MAX)
		return fail(e, "too deep, expected fewer parentheses");
	a = and_(e);
	while (!e->failed && eat(e, "||")) {
		b = and_(e);
		if (!e->failed && (!a.truth || !b.truth))
			return fail(e, "`||` of a value, expected comparisons");
		a.v = a.v || b.v;
	}
	e->depth--;
	return a;
}

int sim_expr(const char *text, const struct sim_expr_env *env, struct sim_expr_value *value,
	     char *error, size_t error_size)
{
	struct parser e = {.text = text, .p = text, .env = env, .relation = "", .error = error,
			   .error_size = error_size};
	struct val v = or_(&e);

	memset(value, 0, sizeof(*value));
	skip(&e);
	if (!e.failed && *e.p)
		fail(&e, "`%.30s` is left over, expected an operator or the end", e.p);
	if (e.failed)
		return -1;
	value->value = v.v;
	value->truth = v.truth;
	value->time = v.truth ? e.told_time : v.time;
	value->energy = v.truth ? e.told_energy : v.energy;
	value->left = e.left;
	value->right = e.right;
	snprintf(value->relation, sizeof(value->relation), "%s", v.truth ? e.relation : "");
	return 0;
}

const char *sim_expr_text(double value, int time, int energy, char *buffer)
{
	char number[SIM_UNIT_TEXT];

	if (time == 1 && !energy) {
		snprintf(buffer, SIM_UNIT_TEXT, "%s%s", value < 0 ? "-" : "",
			 sim_short_time(fabs(value), number));
		return buffer;
	}
	if (energy == 1 && !time)
		snprintf(buffer, SIM_UNIT_TEXT, "%.3gmJ", value / 1e6);
	else if (value == floor(value) && fabs(value) < 1e15)
		snprintf(buffer, SIM_UNIT_TEXT, "%.0f", value);
	else
		snprintf(buffer, SIM_UNIT_TEXT, "%.4g", value);
	return buffer;
}
