/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing lines. There is no 64-bit division in it: some kernels have none.
 */
#include "text.h"

static const pvs_u64 powers[] = {
	10000000000000000000ull, 1000000000000000000ull, 100000000000000000ull,
	10000000000000000ull,    1000000000000000ull,    100000000000000ull,
	10000000000000ull,       1000000000000ull,       100000000000ull,
	10000000000ull,          1000000000ull,          100000000ull,
	10000000ull,             1000000ull,             100000ull,
	10000ull,                1000ull,                100ull,
	10ull,                   1ull,
};

#define POWERS (sizeof(powers) / sizeof(powers[0]))

void replay_text_open(struct replay_text *t, char *at, pvs_u32 size)
{
	t->at = at;
	t->size = size;
	t->len = 0;
	at[0] = 0;
}

static void put_char(struct replay_text *t, char c)
{
	if (t->len + 1u >= t->size)
		return;
	t->at[t->len++] = c;
	t->at[t->len] = 0;
}

void replay_put(struct replay_text *t, const char *s)
{
	while (*s)
		put_char(t, *s++);
}

void replay_put_word(struct replay_text *t, struct replay_word w)
{
	pvs_u32 i;

	for (i = 0; i < w.len; i++)
		put_char(t, w.at[i]);
}

void replay_put_u64(struct replay_text *t, pvs_u64 value)
{
	int begun = 0;
	pvs_u32 i;

	for (i = 0; i < POWERS; i++) {
		char digit = '0';

		while (value >= powers[i]) {
			value -= powers[i];
			digit++;
		}
		begun |= digit != '0' || i == POWERS - 1u;
		if (begun)
			put_char(t, digit);
	}
}

void replay_put_s64(struct replay_text *t, pvs_u64 value)
{
	if (value >> 63) {
		put_char(t, '-');
		value = 0u - value;
	}
	replay_put_u64(t, value);
}

/* With at least `digits` digits. */
void replay_put_hex(struct replay_text *t, pvs_u64 value, pvs_u32 digits)
{
	pvs_u32 i = 16;

	replay_put(t, "0x");
	while (i > 1u && i > digits && !(value >> (4u * (i - 1u))))
		i--;
	while (i--)
		put_char(t, "0123456789abcdef"[(value >> (4u * i)) & 15u]);
}

int replay_same(struct replay_word w, const char *s)
{
	pvs_u32 i;

	for (i = 0; i < w.len; i++)
		if (w.at[i] != s[i] || !s[i])
			return 0;
	return !s[i];
}

int replay_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct replay_word replay_next(struct replay_word *rest)
{
	struct replay_word w;

	while (rest->len && replay_blank(*rest->at)) {
		rest->at++;
		rest->len--;
	}
	w.at = rest->at;
	w.len = 0;
	while (rest->len && !replay_blank(*rest->at)) {
		rest->at++;
		rest->len--;
		w.len++;
	}
	return w;
}

static int digit_of(char c, pvs_u32 base, pvs_u32 *digit)
{
	if (c >= '0' && c <= '9')
		*digit = (pvs_u32)(c - '0');
	else if (base == 16u && c >= 'a' && c <= 'f')
		*digit = (pvs_u32)(c - 'a') + 10u;
	else
		return -1;
	return 0;
}

/* What the unit behind a number multiplies it by, 0 if it is none. */
static pvs_u32 unit_of(struct replay_word w)
{
	if (!w.len || replay_same(w, "ns"))
		return 1u;
	if (replay_same(w, "us"))
		return 1000u;
	if (replay_same(w, "ms"))
		return 1000000u;
	return replay_same(w, "s") ? 1000000000u : 0u;
}

/* value * by + add in 64 bits; -1 when it does not fit. */
static int scale(pvs_u64 *value, pvs_u32 by, pvs_u32 add)
{
	pvs_u64 low = (*value & 0xffffffffu) * by + add;
	pvs_u64 high = (*value >> 32) * by + (low >> 32);

	if (high >> 32)
		return -1;
	*value = (high << 32) | (low & 0xffffffffu);
	return 0;
}

int replay_number(struct replay_word w, pvs_u64 *value)
{
	pvs_u32 base = 10, digits = 0, digit;
	int negative = 0;

	*value = 0;
	if (w.len && *w.at == '-') {
		negative = 1;
		w.at++;
		w.len--;
	}
	if (w.len > 2u && w.at[0] == '0' && w.at[1] == 'x') {
		base = 16;
		w.at += 2;
		w.len -= 2;
	}
	while (w.len && !digit_of(*w.at, base, &digit)) {
		if (scale(value, base, digit))
			return -1;
		digits++;
		w.at++;
		w.len--;
	}
	if (!digits || !unit_of(w) || (base == 16u && w.len))
		return -1;
	if (scale(value, unit_of(w), 0))
		return -1;
	if (negative)
		*value = 0u - *value;
	return 0;
}
