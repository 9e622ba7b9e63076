/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * pvs/port.h - everything about the compiler and the place the core runs in, in one file.
 *
 * The core asks its host for no function at all. What differs between C11 user space, a kernel,
 * Xen and BPF is how memory is read once, how a word is changed atomically, and what the
 * compiler or the verifier has to be told. A host overrides a macro by defining it first.
 */
#ifndef PVS_PORT_H
#define PVS_PORT_H

#include <pvs/abi.h>

#ifndef PVS_NULL
#define PVS_NULL ((void *)0)
#endif

/* A small function of a header or a stage. BPF needs it inlined; elsewhere it is only faster, and
 * who asks for small code gets it. */
#ifndef PVS_INLINE
#if defined(__OPTIMIZE_SIZE__) && !defined(__bpf__)
#define PVS_INLINE static inline __attribute__((__unused__))
#else
#define PVS_INLINE static inline __attribute__((always_inline))
#endif
#endif

/* A function the library exports. In one translation unit (BPF, amalgamation): static. */
#ifndef PVS_API
#define PVS_API __attribute__((visibility("default")))
#endif

/* A function one stage offers to the others, not exported. */
#ifndef PVS_STAGE
#define PVS_STAGE __attribute__((visibility("hidden")))
#endif

/* A function that its caller jumps to: inlined, it would cost registers where it is not taken. */
#ifndef PVS_APART
#if defined(__bpf__)
#define PVS_APART static
#else
#define PVS_APART static __attribute__((__noinline__))
#endif
#endif

/* A constant table. clang 14 puts small ones where libbpf cannot find them: name the section. */
#ifndef PVS_TAB
#if defined(__bpf__)
#define PVS_TAB __attribute__((section(".rodata")))
#else
#define PVS_TAB
#endif
#endif

/* Hide a value from the optimiser, so that the mask or test behind it stays in the code. */
#ifndef PVS_OPT
#if defined(__bpf__)
#define PVS_OPT(x) __asm__ volatile("" : "+r"(x))
#else
#define PVS_OPT(x) ((void)0)
#endif
#endif

/*
 * Copies a constant struct. clang 14's back end for BPF turns a copy whose source it can see into
 * immediate stores and loses the stores before it on the way; from an address it cannot see, it
 * copies.
 */
#define PVS_COPY(to, constant) \
	do { \
		const __typeof__(constant) *from_ = &(constant); \
		PVS_OPT(from_); \
		*(to) = *from_; \
	} while (0)

/* A loop with a constant bound. BPF may define it as bpf_for. `i` is declared by the caller. */
#ifndef PVS_FOR
#define PVS_FOR(i, n) for ((i) = 0; (i) < (n); (i)++)
#endif

/* Unsigned 64-bit division by a number that is not 0; never on a hot path. A kernel without
 * __udivdi3 overrides it. */
#ifndef PVS_DIV64
#define PVS_DIV64(a, b) ((a) / (b))
#endif

#ifndef PVS_BARRIER
#define PVS_BARRIER() __asm__ volatile("" : : : "memory")
#endif

/* ---- shared memory: one aligned load or store of the whole word, little-endian ------------- */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define PVS_LE16(x) __builtin_bswap16(x)
#define PVS_LE32(x) __builtin_bswap32(x)
#define PVS_LE64(x) __builtin_bswap64(x)
#else
#define PVS_LE16(x) (x)
#define PVS_LE32(x) (x)
#define PVS_LE64(x) (x)
#endif

#ifndef PVS_LOAD64
#define PVS_LOAD64(p) PVS_LE64(*(const volatile pvs_u64 *)(p))
#define PVS_LOAD32(p) PVS_LE32(*(const volatile pvs_u32 *)(p))
#define PVS_LOAD16(p) PVS_LE16(*(const volatile pvs_u16 *)(p))
#define PVS_STORE64(p, v) (*(volatile pvs_u64 *)(p) = PVS_LE64((pvs_u64)(v)))
#define PVS_STORE32(p, v) (*(volatile pvs_u32 *)(p) = PVS_LE32((pvs_u32)(v)))
#define PVS_STORE16(p, v) (*(volatile pvs_u16 *)(p) = (pvs_u16)PVS_LE16((pvs_u16)(v)))
#endif

/* ---- atomics on private memory: only what BPF has too --------------------------------------- */

#ifndef PVS_CAS64
#define PVS_CAS64(p, expect, desired) __sync_val_compare_and_swap((p), (expect), (desired))
#define PVS_OR32(p, bits) __sync_fetch_and_or((p), (bits))
#define PVS_XCHG32(p, v) __sync_lock_test_and_set((p), (v))
#endif

/* Bits of a word that several CPUs change, in order with what is before and after. BPF orders an
 * operation only if its result is used. */
#ifndef PVS_OR64
#if defined(__bpf__)
#define PVS_OR64(p, bits)                                               \
	do {                                                            \
		pvs_u64 before_ = __sync_fetch_and_or((p), (bits));     \
		PVS_OPT(before_);                                       \
	} while (0)
#define PVS_AND64(p, bits)                                              \
	do {                                                            \
		pvs_u64 before_ = __sync_fetch_and_and((p), (bits));    \
		PVS_OPT(before_);                                       \
	} while (0)
#else
#define PVS_OR64(p, bits) ((void)__sync_fetch_and_or((p), (bits)))
#define PVS_AND64(p, bits) ((void)__sync_fetch_and_and((p), (bits)))
#endif
#define PVS_ADD32(p, n) ((void)__sync_fetch_and_add((p), (n)))
#endif

/* A word in private memory that another CPU may be changing: one load, one store, no order. */
#ifndef PVS_PEEK
#if defined(__SANITIZE_THREAD__) /* the same, said so that the sanitizer knows it is meant */
#define PVS_PEEK(type, p) __atomic_load_n((const type *)(p), __ATOMIC_RELAXED)
#define PVS_POKE(type, p, v) __atomic_store_n((type *)(p), (type)(v), __ATOMIC_RELAXED)
#else
#define PVS_PEEK(type, p) (*(const volatile type *)(p))
#define PVS_POKE(type, p, v) (*(volatile type *)(p) = (type)(v))
#endif
#endif

/* ---- bits ------------------------------------------------------------------------------------ */

/* Zeros below the lowest one bit of `x`, which is not 0: 0..63. Without a branch or a library.
 * Context: any. O(1). */
PVS_INLINE pvs_u32 pvs_zeros_below(pvs_u64 x)
{
	pvs_u64 n = (x & (0u - x)) - 1u;

	n -= (n >> 1) & PVS_U64(0x55555555u, 0x55555555u);
	n = (n & PVS_U64(0x33333333u, 0x33333333u)) +
	    ((n >> 2) & PVS_U64(0x33333333u, 0x33333333u));
	n = (n + (n >> 4)) & PVS_U64(0x0f0f0f0fu, 0x0f0f0f0fu);
	return (pvs_u32)((n * PVS_U64(0x01010101u, 0x01010101u)) >> 56);
}

/* The same by one instruction where the compiler has it without a library (not BPF, not riscv). */
#ifndef PVS_CTZ64
#if defined(__x86_64__) || defined(__aarch64__)
#define PVS_CTZ64(x) ((pvs_u32)__builtin_ctzll(x))
#else
#define PVS_CTZ64(x) pvs_zeros_below(x)
#endif
#endif

/* ---- fields of a word ------------------------------------------------------------------------ */

#define PVS_MASK(bits) ((((pvs_u64)1) << (bits)) - 1u)
#define PVS_GET(word, shift, bits) ((pvs_u32)(((word) >> (shift)) & PVS_MASK(bits)))
#define PVS_PUT(value, shift, bits) (((pvs_u64)(value) & PVS_MASK(bits)) << (shift))

#endif /* PVS_PORT_H */
