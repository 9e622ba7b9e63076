// SPDX-License-Identifier: BSD-2-Clause
/* result.c - named rows. */
#include "result.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_result_init(struct sim_result *r)
{
	memset(r, 0, sizeof(*r));
}

void sim_result_free(struct sim_result *r)
{
	uint32_t i;

	for (i = 0; i < r->count; i++)
		free(r->rows[i].hist);
	free(r->rows);
	r->rows = NULL;
	r->count = r->room = 0;
}

/* FNV-1a: names differ at their ends, and there may be thousands of them. */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static struct sim_row *find(const struct sim_result *r, const char *name)
{
	uint32_t hash = hash_of(name), i;

	for (i = 0; i < r->count; i++)
		if (r->rows[i].hash == hash && !strcmp(r->rows[i].name, name))
			return &r->rows[i];
	return NULL;
}

/* The row of this name, made when there is none. */
static struct sim_row *row_of(struct sim_result *r, enum sim_unit unit, const char *name,
			      va_list args)
{
	struct sim_row *row, *rows;
	char text[sizeof(row->name)];

	vsnprintf(text, sizeof(text), name, args);
	row = find(r, text);
	if (row)
		return row;
	if (r->count == r->room) {
		uint32_t room = r->room ? 2 * r->room : 64;

		rows = realloc(r->rows, room * sizeof(*rows));
		if (!rows)
			abort();
		r->rows = rows;
		r->room = room;
	}
	row = &r->rows[r->count++];
	memset(row, 0, sizeof(*row));
	memcpy(row->name, text, sizeof(text));
	row->hash = hash_of(text);
	row->unit = (uint8_t)unit;
	return row;
}

void sim_result_set(struct sim_result *r, enum sim_unit unit, uint64_t value, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	row_of(r, unit, name, args)->value = value;
	va_end(args);
}

void sim_result_add(struct sim_result *r, enum sim_unit unit, uint64_t value, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	row_of(r, unit, name, args)->value += value;
	va_end(args);
}

void sim_result_hist(struct sim_result *r, const struct sim_hist *h, const char *name, ...)
{
	struct sim_row *row;
	va_list args;

	va_start(args, name);
	row = row_of(r, SIM_NS, name, args);
	va_end(args);
	if (!row->hist)
		row->hist = calloc(1, sizeof(*row->hist));
	if (!row->hist)
		abort();
	sim_hist_merge(row->hist, h);
}

const struct sim_row *sim_result_row(const struct sim_result *r, const char *name)
{
	return find(r, name);
}

static int suffix_value(const struct sim_hist *h, const char *suffix, double *value)
{
	static const struct {
		const char *name;
		uint32_t ppm;
	} quantiles[] = {{"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p999", 999000}};
	size_t i;

	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		if (!strcmp(suffix, quantiles[i].name)) {
			*value = (double)sim_hist_quantile(h, quantiles[i].ppm);
			return 1;
		}
	}
	if (!strcmp(suffix, "count"))
		*value = (double)h->count;
	else if (!strcmp(suffix, "sum"))
		*value = (double)h->sum;
	else if (!strcmp(suffix, "min"))
		*value = h->count ? (double)h->min : 0;
	else if (!strcmp(suffix, "max"))
		*value = (double)h->max;
	else if (!strcmp(suffix, "mean"))
		*value = h->count ? (double)h->sum / (double)h->count : 0;
	else
		return 0;
	return 1;
}

int sim_result_get(const struct sim_result *r, const char *name, double *value)
{
	const char *dot = strrchr(name, '.');
	const struct sim_row *row = find(r, name);
	char base[sizeof(row->name)];

	if (row && !row->hist) {
		*value = row->unit == SIM_PPM ? (double)row->value / 1e6 : (double)row->value;
		return 1;
	}
	if (row || !dot || (size_t)(dot - name) >= sizeof(base))
		return 0;
	snprintf(base, sizeof(base), "%.*s", (int)(dot - name), name);
	row = find(r, base);
	return row && row->hist && suffix_value(row->hist, dot + 1, value);
}
