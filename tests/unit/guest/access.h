/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access.h - the shim compiled so that each of its loads and stores of shared memory goes through
 * the test, which counts them and plays a host, or an interrupt, in between.
 */
#ifndef PVS_TEST_ACCESS_H
#define PVS_TEST_ACCESS_H

#include <pvs/abi.h>

pvs_u64 access_load(const volatile void *p, unsigned int size);
void access_store(volatile void *p, pvs_u64 value, unsigned int size);
int access_swap(volatile void *p, pvs_u32 expect, pvs_u32 desired);

#define PVS_GUEST_LOAD16(p) ((pvs_u16)access_load((p), 2))
#define PVS_GUEST_LOAD32(p) ((pvs_u32)access_load((p), 4))
#define PVS_GUEST_LOAD64(p) access_load((p), 8)
#define PVS_GUEST_STORE16(p, v) access_store((p), (v), 2)
#define PVS_GUEST_STORE32(p, v) access_store((p), (v), 4)
#define PVS_GUEST_STORE64(p, v) access_store((p), (v), 8)
#define PVS_GUEST_STORE_HALF(p, v) access_store((p), (v), 4)
#define PVS_GUEST_SWAP_HALF(p, expect, desired) access_swap((p), (expect), (desired))

#endif /* PVS_TEST_ACCESS_H */
