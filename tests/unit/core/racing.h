/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic operations between which a test lets another CPU do something: yield.c is compiled with
 * this in front.
 */
#ifndef RACING_H
#define RACING_H

/* Called with the word's address before each change of a shared word. */
void racing_before(const void *word);
/* ... and after it. */
void racing_after(const void *word);

#define PVS_OR64(p, bits)                                \
	do {                                             \
		racing_before(p);                        \
		(void)__sync_fetch_and_or((p), (bits));  \
		racing_after(p);                         \
	} while (0)
#define PVS_AND64(p, bits)                               \
	do {                                             \
		racing_before(p);                        \
		(void)__sync_fetch_and_and((p), (bits)); \
		racing_after(p);                         \
	} while (0)
#define PVS_ADD32(p, n) ((void)__sync_fetch_and_add((p), (n)))

#endif
