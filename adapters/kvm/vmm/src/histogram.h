/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of 32 bits, described: exact order statistics, and a histogram that can be added to
 * others. Up to 64 every value has a bucket of its own; from there on each power of two has 64, so
 * that the middle of a bucket is off by less than 0.8 %.
 */
#ifndef VMM_HISTOGRAM_H
#define VMM_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 1728u /* (32 - 6 + 1) * 64 */

unsigned histogram_bucket(uint32_t value);
/* The middle of a bucket. */
uint32_t histogram_value(unsigned bucket);

/* Ascending, in place. */
void samples_sort(uint32_t *samples, size_t count);
/* Nearest rank of sorted samples: the smallest that per_mille of them do not exceed. 0 of none. */
uint32_t samples_quantile(const uint32_t *sorted, size_t count, unsigned per_mille);
uint32_t samples_mean(const uint32_t *samples, size_t count);

#endif /* VMM_HISTOGRAM_H */
