/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shim_access.h - the guest shim compiled so that each access to shared memory goes through the
 * target, which watches the bounds and plays a host that changes its words at any moment.
 */
#ifndef FUZZ_SHIM_ACCESS_H
#define FUZZ_SHIM_ACCESS_H

#include <pvs/abi.h>

pvs_u64 shim_load(const volatile void *p, unsigned int size);
void shim_store(volatile void *p, pvs_u64 value, unsigned int size);
int shim_swap(volatile void *p, pvs_u32 expect, pvs_u32 desired);

#define PVS_GUEST_LOAD16(p) ((pvs_u16)shim_load((p), 2))
#define PVS_GUEST_LOAD32(p) ((pvs_u32)shim_load((p), 4))
#define PVS_GUEST_LOAD64(p) shim_load((p), 8)
#define PVS_GUEST_STORE16(p, v) shim_store((p), (v), 2)
#define PVS_GUEST_STORE32(p, v) shim_store((p), (v), 4)
#define PVS_GUEST_STORE64(p, v) shim_store((p), (v), 8)
#define PVS_GUEST_STORE_HALF(p, v) shim_store((p), (v), 4)
#define PVS_GUEST_SWAP_HALF(p, expect, desired) shim_swap((p), (expect), (desired))

#endif /* FUZZ_SHIM_ACCESS_H */
