/* SPDX-License-Identifier: BSD-2-Clause */
#include "histogram.h"

#include <stdlib.h>

#define SUB_BITS 6
#define SUB_COUNT (1u << SUB_BITS)

unsigned histogram_bucket(uint32_t value)
{
	unsigned exponent;

	if (value < SUB_COUNT)
		return value;
	exponent = 31u - (unsigned)__builtin_clz(value);
	return (exponent - SUB_BITS + 1) * SUB_COUNT +
	       ((value >> (exponent - SUB_BITS)) & (SUB_COUNT - 1));
}

uint32_t histogram_value(unsigned bucket)
{
	unsigned shift;

	if (bucket < SUB_COUNT)
		return bucket;
	shift = bucket / SUB_COUNT - 1;
	return ((SUB_COUNT + bucket % SUB_COUNT) << shift) + ((1u << shift) >> 1);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void samples_sort(uint32_t *samples, size_t count)
{
	qsort(samples, count, sizeof(*samples), compare);
}

uint32_t samples_quantile(const uint32_t *sorted, size_t count, unsigned per_mille)
{
	size_t rank = (count * per_mille + 999) / 1000;

	if (count == 0)
		return 0;
	return sorted[rank > 0 ? rank - 1 : 0];
}

uint32_t samples_mean(const uint32_t *samples, size_t count)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < count; i++)
		sum += samples[i];
	return count ? (uint32_t)(sum / count) : 0;
}
