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
#define PVS_OR32(p, bits) __sync_fetch_and_or((p), (bits))
#define PVS_XCHG32(p, v) __sync_lock_test_and_set((p), (v))

#endif
