/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/abi_assert.h - what pvs/abi.h must come out as, checked by the compiler that includes this.
 *
 * Include it once in each port: every size and every offset of the wire layout is compared with
 * the number in the specification (abi/spec/layout.md), so a compiler, a pragma or a pair of
 * substituted types that would change the layout ends the build. It generates no code. It
 * compiles as C89 (an array of negative size is the error), C99, C11 and C++17.
 */
#ifndef PVS_ABI_ASSERT_H
#define PVS_ABI_ASSERT_H

#include <pvs/abi.h>

#if defined(__GNUC__)
#define PVS_OFFSETOF(type, field) __builtin_offsetof(type, field)
#else
#include <stddef.h>
#define PVS_OFFSETOF(type, field) offsetof(type, field)
#endif

#if defined(__cplusplus) && __cplusplus >= 201103L
#define PVS_STATIC_ASSERT(name, condition) static_assert(condition, #name)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define PVS_STATIC_ASSERT(name, condition) _Static_assert(condition, #name)
#else
#define PVS_STATIC_ASSERT(name, condition) \
	typedef char pvs_assert_##name[(condition) ? 1 : -1]
#endif

/* The field of `struct pvs_<part>` lies at this offset and has this size, in bytes. */
#define PVS_ASSERT_FIELD(part, field, offset, size) \
	PVS_STATIC_ASSERT(part##_##field, \
			  PVS_OFFSETOF(struct pvs_##part, field) == (offset) && \
			  sizeof(((struct pvs_##part *)0)->field) == (size))

/* ---- types -------------------------------------------------------------------------------- */

PVS_STATIC_ASSERT(u8, sizeof(pvs_u8) == 1 && (pvs_u8)-1 > 0);
PVS_STATIC_ASSERT(u16, sizeof(pvs_u16) == 2 && (pvs_u16)-1 > 0);
PVS_STATIC_ASSERT(u32, sizeof(pvs_u32) == 4 && (pvs_u32)-1 > 0);
PVS_STATIC_ASSERT(u64, sizeof(pvs_u64) == 8 && (pvs_u64)-1 > 0);
PVS_STATIC_ASSERT(s32, sizeof(pvs_s32) == 4 && (pvs_s32)-1 < 0);
PVS_STATIC_ASSERT(s64, sizeof(pvs_s64) == 8 && (pvs_s64)-1 < 0);

/* ---- struct pvs_region_header ------------------------------------------------------------- */

PVS_STATIC_ASSERT(header_size, sizeof(struct pvs_region_header) == PVS_HEADER_SIZE);
PVS_ASSERT_FIELD(region_header, magic, 0, 8);
PVS_ASSERT_FIELD(region_header, abi_major, 8, 2);
PVS_ASSERT_FIELD(region_header, abi_minor, 10, 2);
PVS_ASSERT_FIELD(region_header, header_size, 12, 4);
PVS_ASSERT_FIELD(region_header, slot_size, 16, 4);
PVS_ASSERT_FIELD(region_header, slot_stride, 20, 4);
PVS_ASSERT_FIELD(region_header, slot_count, 24, 4);
PVS_ASSERT_FIELD(region_header, generation, 28, 4);
PVS_ASSERT_FIELD(region_header, features_offered, 32, 8);
PVS_ASSERT_FIELD(region_header, status, 40, 4);
PVS_ASSERT_FIELD(region_header, status_reason, 44, 4);
PVS_ASSERT_FIELD(region_header, host_reserved0, 48, 16);

PVS_ASSERT_FIELD(region_header, window_min_us, 64, 4);
PVS_ASSERT_FIELD(region_header, grant_max_us, 68, 4);
PVS_ASSERT_FIELD(region_header, hint_rate_hz, 72, 4);
PVS_ASSERT_FIELD(region_header, kick_kind, 76, 4);
PVS_ASSERT_FIELD(region_header, kick_addr, 80, 8);
PVS_ASSERT_FIELD(region_header, host_reserved1, 88, 40);

PVS_ASSERT_FIELD(region_header, guest_major, 128, 2);
PVS_ASSERT_FIELD(region_header, guest_minor, 130, 2);
PVS_ASSERT_FIELD(region_header, guest_generation, 132, 4);
PVS_ASSERT_FIELD(region_header, features_accepted, 136, 8);
PVS_ASSERT_FIELD(region_header, guest_command, 144, 4);
PVS_ASSERT_FIELD(region_header, guest_reserved0, 148, 4);
PVS_ASSERT_FIELD(region_header, guest_reserved1, 152, 40);

PVS_ASSERT_FIELD(region_header, vm_count_seq, 192, 8);
PVS_ASSERT_FIELD(region_header, vm_boosts, 200, 8);
PVS_ASSERT_FIELD(region_header, vm_denials, 208, 8);
PVS_ASSERT_FIELD(region_header, vm_overruns, 216, 8);
PVS_ASSERT_FIELD(region_header, vm_malformed, 224, 8);
PVS_ASSERT_FIELD(region_header, vm_boosted_ns, 232, 8);
PVS_ASSERT_FIELD(region_header, vm_reserved, 240, 16);

PVS_ASSERT_FIELD(region_header, reserved, 256, 3840);

/* ---- struct pvs_slot ---------------------------------------------------------------------- */

PVS_STATIC_ASSERT(slot_size, sizeof(struct pvs_slot) == PVS_SLOT_SIZE);
PVS_ASSERT_FIELD(slot, intent, 0, 8);
PVS_ASSERT_FIELD(slot, crit, 8, 8);
PVS_ASSERT_FIELD(slot, irq, 16, 8);
PVS_ASSERT_FIELD(slot, wait, 24, 8);
PVS_ASSERT_FIELD(slot, util_bounds, 32, 8);
PVS_ASSERT_FIELD(slot, life, 40, 8);
PVS_ASSERT_FIELD(slot, guest_reserved, 48, 16);

PVS_ASSERT_FIELD(slot, pending, 64, 8);
PVS_ASSERT_FIELD(slot, shared_reserved, 72, 56);

PVS_ASSERT_FIELD(slot, applied, 128, 8);
PVS_ASSERT_FIELD(slot, irq_ticket, 136, 8);
PVS_ASSERT_FIELD(slot, run, 144, 8);
PVS_ASSERT_FIELD(slot, perf, 152, 8);
PVS_ASSERT_FIELD(slot, window_left, 160, 8);
PVS_ASSERT_FIELD(slot, host_reserved, 168, 24);

PVS_ASSERT_FIELD(slot, ident, 192, 8);
PVS_ASSERT_FIELD(slot, count_seq, 200, 8);
PVS_ASSERT_FIELD(slot, boosts, 208, 8);
PVS_ASSERT_FIELD(slot, denials, 216, 8);
PVS_ASSERT_FIELD(slot, overruns, 224, 8);
PVS_ASSERT_FIELD(slot, malformed, 232, 8);
PVS_ASSERT_FIELD(slot, boosted_ns, 240, 8);
PVS_ASSERT_FIELD(slot, cold_reserved, 248, 8);

/* ---- constants that hang together --------------------------------------------------------- */

PVS_STATIC_ASSERT(stride, PVS_SLOT_STRIDE_MIN == PVS_SLOT_SIZE &&
		  PVS_SLOT_STRIDE_MAX == PVS_HEADER_SIZE);
PVS_STATIC_ASSERT(features, PVS_F_SPLIT_WORDS == (PVS_F_ALL >> 1) + 1u);
PVS_STATIC_ASSERT(intent_low, PVS_INTENT_UTIL_SHIFT == 0 &&
		  PVS_INTENT_CLASS_SHIFT == PVS_INTENT_UTIL_SHIFT + PVS_INTENT_UTIL_BITS &&
		  PVS_INTENT_LEVEL_SHIFT == PVS_INTENT_CLASS_SHIFT + PVS_INTENT_CLASS_BITS &&
		  PVS_INTENT_WAKE_CLASS_SHIFT == PVS_INTENT_LEVEL_SHIFT + PVS_INTENT_LEVEL_BITS &&
		  PVS_INTENT_WAKE_LEVEL_SHIFT ==
			  PVS_INTENT_WAKE_CLASS_SHIFT + PVS_INTENT_WAKE_CLASS_BITS &&
		  PVS_INTENT_IDLE_SHIFT ==
			  PVS_INTENT_WAKE_LEVEL_SHIFT + PVS_INTENT_WAKE_LEVEL_BITS &&
		  PVS_INTENT_TAG_LO_SHIFT == PVS_INTENT_IDLE_SHIFT + 1 &&
		  PVS_INTENT_TAG_LO_SHIFT + PVS_TAG_BITS == 32);
PVS_STATIC_ASSERT(intent_high, PVS_INTENT_WINDOW_SHIFT == 32 &&
		  PVS_INTENT_UTIL_VALID_SHIFT == PVS_INTENT_WINDOW_SHIFT + PVS_INTENT_WINDOW_BITS &&
		  PVS_INTENT_WAKE_VALID_SHIFT == PVS_INTENT_UTIL_VALID_SHIFT + 1 &&
		  PVS_INTENT_RSVD_SHIFT == PVS_INTENT_WAKE_VALID_SHIFT + 1 &&
		  PVS_INTENT_SEQ_SHIFT == PVS_INTENT_RSVD_SHIFT + PVS_INTENT_RSVD_BITS &&
		  PVS_INTENT_TAG_HI_SHIFT == PVS_INTENT_SEQ_SHIFT + PVS_INTENT_SEQ_BITS &&
		  PVS_INTENT_TAG_HI_SHIFT + PVS_TAG_BITS == 64);
PVS_STATIC_ASSERT(wait, PVS_WAIT_TARGET_SHIFT == PVS_WAIT_KIND_SHIFT + PVS_WAIT_KIND_BITS &&
		  PVS_WAIT_RSVD_SHIFT == PVS_WAIT_TARGET_SHIFT + PVS_WAIT_TARGET_BITS &&
		  PVS_WAIT_TAG_LO_SHIFT == PVS_WAIT_RSVD_SHIFT + PVS_WAIT_RSVD_BITS &&
		  PVS_WAIT_MASK_SHIFT + PVS_WAIT_MASK_BITS == 64 &&
		  PVS_WAIT_TAG_HI_SHIFT == PVS_INTENT_TAG_HI_SHIFT &&
		  PVS_WAIT_TAG_LO_SHIFT == PVS_INTENT_TAG_LO_SHIFT);
PVS_STATIC_ASSERT(life, PVS_LIFE_GEN_SHIFT + PVS_LIFE_GEN_BITS == 32 &&
		  PVS_GENERATION_MASK == ((pvs_u64)1 << PVS_LIFE_GEN_BITS) - 1u);
PVS_STATIC_ASSERT(pending, PVS_PENDING_CLASS_SHIFT == PVS_PENDING_LEVEL_SHIFT + 4 &&
		  PVS_LEVEL_MAX == 15u && PVS_PENDING_BITS == 8);

#endif /* PVS_ABI_ASSERT_H */
