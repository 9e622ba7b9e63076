/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A compare-and-swap that loses as many races as a test asks for.
 */
#ifndef LOSING_CAS_H
#define LOSING_CAS_H

extern unsigned races_to_lose;
unsigned long long losing_cas64(unsigned long long *p, unsigned long long expect,
				unsigned long long desired);

#define PVS_CAS64(p, expect, desired) losing_cas64((p), (expect), (desired))
#define PVS_ADD64(p, n) __sync_fetch_and_add((p), (n))
#define PVS_XCHG64(p, v) __sync_lock_test_and_set((p), (v))

#endif
