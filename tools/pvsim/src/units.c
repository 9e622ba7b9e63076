// SPDX-License-Identifier: BSD-2-Clause
/* units.c - durations, shares and sets of CPUs as text, in integers. */
#include "units.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A decimal number is read as digits and a power of ten; so many of the latter at most. */
#define FRACTION_MAX 9u
#define TEN_TO_9 1000000000ull
#define Q16_ONE 65536u

static const struct unit {
	const char *name;
	uint64_t ns;
} time_units[] = {
	{"ns", 1}, {"us", SIM_US}, {"ms", SIM_MS}, {"s", SIM_S}, {"min", 60 * SIM_S},
};

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Digits with an optional fraction, as whole and billionths. NULL when there is no digit or the
 * number is too large. */
static const char *read_decimal(const char *p, uint64_t *whole, uint64_t *billionths)
{
	uint32_t digits = 0;

	if (!isdigit((unsigned char)*p))
		return NULL;
	*whole = 0;
	*billionths = 0;
	for (; isdigit((unsigned char)*p); p++) {
		if (*whole > (UINT64_MAX - 9) / 10)
			return NULL;
		*whole = *whole * 10 + (uint64_t)(*p - '0');
	}
	/* `5..10us`: the dots of a range are not those of a fraction */
	if (*p != '.' || !isdigit((unsigned char)p[1]))
		return p;
	for (p++; isdigit((unsigned char)*p); p++) {
		if (digits++ == FRACTION_MAX)
			return NULL;
		*billionths = *billionths * 10 + (uint64_t)(*p - '0');
	}
	for (; digits < FRACTION_MAX; digits++)
		*billionths *= 10;
	return p;
}

/* whole.billionths x unit; 0 when that is too large, or no whole number. */
static int scale(uint64_t whole, uint64_t billionths, uint64_t unit, uint64_t *value)
{
	if (unit && whole > (UINT64_MAX >> 1) / unit)
		return 0;
	if (billionths && unit > UINT64_MAX / TEN_TO_9)
		return 0;
	if (billionths * unit % TEN_TO_9)
		return 0;
	*value = whole * unit + billionths * unit / TEN_TO_9;
	return 1;
}

static const char *read_unit(const char *p, uint64_t *ns)
{
	size_t i, length = 0;

	while (isalpha((unsigned char)p[length]))
		length++;
	for (i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
		if (strlen(time_units[i].name) == length &&
		    !strncmp(p, time_units[i].name, length)) {
			*ns = time_units[i].ns;
			return p + length;
		}
	}
	return NULL;
}

/* `5us`; or `5`, when a unit is handed in. The unit that was read is handed out. */
static const char *read_time(const char *p, uint64_t *unit, uint64_t *ns)
{
	uint64_t whole, billionths, own = *unit;
	const char *end = read_decimal(p, &whole, &billionths);

	if (!end)
		return NULL;
	end = skip_space(end);
	if (isalpha((unsigned char)*end)) {
		const char *after = read_unit(end, &own);

		/* `10us or ...` has a unit, `0 at ...` needs none: that is for the caller to see */
		end = after ? after : end;
	}
	if (!whole && !billionths && !own)
		own = 1; /* 0 is 0 in any unit */
	if (!own || !scale(whole, billionths, own, ns))
		return NULL;
	*unit = own;
	return end;
}

int sim_read_number(const char *text, uint64_t *value)
{
	const char *p = skip_space(text);
	uint64_t whole, billionths;

	p = read_decimal(p, &whole, &billionths);
	if (!p || billionths || *skip_space(p))
		return 0;
	*value = whole;
	return 1;
}

int sim_read_duration(const char *text, uint64_t *ns)
{
	uint64_t unit = 0, value;
	const char *p = read_time(skip_space(text), &unit, &value);

	if (!p || *skip_space(p))
		return 0;
	*ns = value;
	return 1;
}

int sim_read_signed_duration(const char *text, int64_t *ns)
{
	const char *p = skip_space(text);
	int negative = *p == '-';
	uint64_t value;

	if (!sim_read_duration(p + negative, &value) || value > INT64_MAX)
		return 0;
	*ns = negative ? -(int64_t)value : (int64_t)value;
	return 1;
}

/* `..10us` after `5`: the first number has the unit of the second, unless it has its own. */
static int read_range(const char *text, struct sim_dist *dist)
{
	const char *dots = strstr(text, ".."), *p;
	uint64_t unit = 0, low_unit;

	p = read_time(skip_space(dots + 2), &unit, &dist->b);
	if (!p || *skip_space(p))
		return 0;
	low_unit = unit;
	p = read_time(skip_space(text), &low_unit, &dist->a);
	if (!p || skip_space(p) != dots || dist->a > dist->b)
		return 0;
	dist->kind = SIM_DIST_UNIFORM;
	return 1;
}

/* `or 1ms at 5%` after `10us`. */
static int read_choice(const char *p, struct sim_dist *dist)
{
	uint64_t unit = 0, share;

	p = read_time(skip_space(p + 2), &unit, &dist->a);
	if (!p)
		return 0;
	p = skip_space(p);
	if (strncmp(p, "at ", 3) || !sim_read_share(p + 3, Q16_ONE, &share) || share > Q16_ONE)
		return 0;
	dist->kind = SIM_DIST_CHOICE;
	dist->p_q16 = (uint32_t)share;
	return 1;
}

int sim_read_dist(const char *text, struct sim_dist *dist)
{
	struct sim_dist d = {.kind = SIM_DIST_CONST};
	const char *p = skip_space(text);
	uint64_t unit = 0;
	int ok;

	if (!strncmp(p, "exp ", 4)) {
		d.kind = SIM_DIST_EXP;
		ok = sim_read_duration(p + 4, &d.a);
	} else if (strstr(p, "..")) {
		ok = read_range(p, &d);
	} else {
		p = read_time(p, &unit, &d.a);
		p = p ? skip_space(p) : NULL;
		ok = p && !*p;
		if (p && !strncmp(p, "or ", 3)) {
			d.b = d.a;
			ok = read_choice(p, &d);
		}
	}
	if (ok)
		*dist = d;
	return ok;
}

int sim_read_share(const char *text, uint64_t one, uint64_t *value)
{
	uint64_t whole, billionths, parts;
	const char *p = read_decimal(skip_space(text), &whole, &billionths);
	uint64_t hundred = 1;

	if (!p)
		return 0;
	p = skip_space(p);
	if (*p == '%') {
		hundred = 100;
		p = skip_space(p + 1);
	}
	/* in billionths of the whole; 0.0000005 % is small enough to be lost */
	if (*p || whole > 100000)
		return 0;
	parts = (whole * TEN_TO_9 + billionths) / hundred;
	if (one > UINT32_MAX || parts > 1000 * TEN_TO_9)
		return 0;
	/* parts <= 10^12 and one < 2^32 do not fit in one product: by the whole and the rest */
	*value = parts / TEN_TO_9 * one + (parts % TEN_TO_9 * one + TEN_TO_9 / 2) / TEN_TO_9;
	return 1;
}

static const char *read_cpu(const char *p, uint32_t *cpu)
{
	uint32_t n = 0;

	if (!isdigit((unsigned char)*p))
		return NULL;
	for (; isdigit((unsigned char)*p); p++) {
		n = n * 10 + (uint32_t)(*p - '0');
		if (n > 63)
			return NULL;
	}
	*cpu = n;
	return p;
}

int sim_read_cpus(const char *text, uint64_t *mask)
{
	const char *p = skip_space(text);
	uint64_t all = 0;

	if (!strcmp(p, "all")) {
		*mask = 0;
		return 1;
	}
	for (;;) {
		uint32_t low, high;

		p = read_cpu(skip_space(p), &low);
		if (!p)
			return 0;
		high = low;
		if (*p == '-')
			p = read_cpu(p + 1, &high);
		if (!p || high < low)
			return 0;
		for (; low <= high; low++)
			all |= 1ull << low;
		p = skip_space(p);
		if (*p != ',')
			break;
		p++;
	}
	if (*p)
		return 0;
	*mask = all;
	return 1;
}

int sim_read_bool(const char *text, int *value)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
			*value = !strcmp(text, yes[i]);
			return 1;
		}
	}
	return 0;
}

/* ---- as text ----------------------------------------------------------------------------------*/

const char *sim_duration_text(uint64_t ns, char *buffer)
{
	size_t i = 3; /* s; minutes are for people to write */

	while (i && ns % time_units[i].ns)
		i--;
	if (!ns)
		i = 3;
	snprintf(buffer, SIM_UNIT_TEXT, "%llu%s", (unsigned long long)(ns / time_units[i].ns),
		 time_units[i].name);
	return buffer;
}

/* A part of 65536 as a per cent with as many digits as it takes to read it back. */
static void share_text(uint32_t q16, char *buffer, size_t size)
{
	uint64_t billionths = ((uint64_t)q16 * TEN_TO_9 + Q16_ONE / 2) / Q16_ONE;

	snprintf(buffer, size, "%u.%07u%%", (uint32_t)(billionths / 10000000),
		 (uint32_t)(billionths % 10000000));
}

const char *sim_dist_text(const struct sim_dist *dist, char *buffer)
{
	char a[SIM_UNIT_TEXT], b[SIM_UNIT_TEXT], share[24];

	sim_duration_text(dist->a, a);
	sim_duration_text(dist->b, b);
	switch (dist->kind) {
	case SIM_DIST_UNIFORM:
		snprintf(buffer, SIM_UNIT_TEXT, "%.30s..%.30s", a, b);
		break;
	case SIM_DIST_EXP:
		snprintf(buffer, SIM_UNIT_TEXT, "exp %.30s", a);
		break;
	case SIM_DIST_CHOICE:
		share_text(dist->p_q16, share, sizeof(share));
		snprintf(buffer, SIM_UNIT_TEXT, "%.26s or %.26s at %s", b, a, share);
		break;
	default:
		snprintf(buffer, SIM_UNIT_TEXT, "%.30s", a);
		break;
	}
	return buffer;
}

const char *sim_cpus_text(uint64_t mask, char *buffer)
{
	size_t length = 0;
	uint32_t low = 0, high;

	if (!mask || mask == UINT64_MAX)
		return strcpy(buffer, "all");
	while (low < 64 && length + 8 < SIM_UNIT_TEXT) {
		if (!(mask >> low & 1)) {
			low++;
			continue;
		}
		for (high = low; high < 63 && (mask >> (high + 1) & 1); high++)
			;
		length += (size_t)snprintf(buffer + length, SIM_UNIT_TEXT - length,
					   high > low ? "%s%u-%u" : "%s%u", length ? "," : "",
					   low, high);
		low = high + 1;
	}
	return buffer;
}

const char *sim_short_time(double ns, char *buffer)
{
	static const struct {
		double above, unit;
		const char *name;
	} steps[] = {{1e9, 1e9, "s"}, {1e6, 1e6, "ms"}, {1e3, 1e3, "us"}, {0, 1, "ns"}};
	size_t i = 0;
	double v;

	if (ns == 0)
		return strcpy(buffer, "0");
	while (i < 3 && ns < 0.9995 * steps[i].above)
		i++;
	v = ns / steps[i].unit;
	snprintf(buffer, SIM_UNIT_TEXT, v < 9.995 ? "%.2f%s" : v < 99.95 ? "%.1f%s" : "%.0f%s", v,
		 steps[i].name);
	return buffer;
}
