/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_access.h - the engine compiled so that each of its loads and stores of shared memory goes
 * through the test.
 */
#ifndef PVS_TEST_HOST_ACCESS_H
#define PVS_TEST_HOST_ACCESS_H

#include <pvs/abi.h>

pvs_u64 host_load(const volatile void *p, unsigned int size);
void host_store(volatile void *p, pvs_u64 value, unsigned int size);

#define PVS_LOAD64(p) host_load((p), 8)
#define PVS_LOAD32(p) ((pvs_u32)host_load((p), 4))
#define PVS_LOAD16(p) ((pvs_u16)host_load((p), 2))
#define PVS_STORE64(p, v) host_store((p), (v), 8)
#define PVS_STORE32(p, v) host_store((p), (v), 4)
#define PVS_STORE16(p, v) host_store((p), (v), 2)

#endif /* PVS_TEST_HOST_ACCESS_H */
