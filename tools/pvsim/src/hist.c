/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hist.c - histograms with 32 buckets in each power of two. Below 32 a bucket is one value; from
 * there on bucket 32 (k - 4) + j holds those with highest bit k and the next five bits j.
 */
#include "engine.h"

#define SUB_BITS 5u
#define VALUE_MAX ((1ull << 40) - 1)

static uint32_t bucket_of(uint64_t value)
{
	unsigned top;

	if (value < SIM_HIST_SUB)
		return (uint32_t)value;
	top = 63u - (unsigned)__builtin_clzll(value);
	return SIM_HIST_SUB * (top - SUB_BITS + 1) +
	       (uint32_t)(value >> (top - SUB_BITS) & (SIM_HIST_SUB - 1));
}

uint64_t sim_hist_lower(uint32_t bucket)
{
	uint32_t power = bucket / SIM_HIST_SUB;
	uint64_t sub = bucket % SIM_HIST_SUB;

	return power ? (SIM_HIST_SUB + sub) << (power - 1) : sub;
}

void sim_hist_add(struct sim_hist *h, uint64_t value)
{
	if (value > VALUE_MAX)
		value = VALUE_MAX;
	if (!h->count || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->sum += value;
	h->bucket[bucket_of(value)]++;
}

void sim_hist_merge(struct sim_hist *h, const struct sim_hist *other)
{
	uint32_t i;

	if (!other->count)
		return;
	if (!h->count || other->min < h->min)
		h->min = other->min;
	if (other->max > h->max)
		h->max = other->max;
	h->count += other->count;
	h->sum += other->sum;
	for (i = 0; i < SIM_HIST_BUCKETS; i++)
		h->bucket[i] += other->bucket[i];
}

/* How many of `count` are at least so many millionths of it; the product may be beyond 64 bits. */
static uint64_t rank_of(uint64_t count, uint32_t q_ppm)
{
	uint64_t whole = count / 1000000, part = count % 1000000;
	uint64_t rank = whole * q_ppm + (part * q_ppm + 999999) / 1000000;

	if (!rank)
		return 1;
	return rank < count ? rank : count;
}

uint64_t sim_hist_quantile(const struct sim_hist *h, uint32_t q_ppm)
{
	uint64_t rank, seen = 0, upper;
	uint32_t i;

	if (!h->count)
		return 0;
	rank = rank_of(h->count, q_ppm);
	for (i = 0; i < SIM_HIST_BUCKETS - 1; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			break;
	}
	upper = sim_hist_lower(i + 1) - 1;
	return upper < h->max ? upper : h->max;
}

uint64_t sim_hist_mean(const struct sim_hist *h)
{
	return h->count ? h->sum / h->count : 0;
}
