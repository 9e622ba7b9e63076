/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.h - what a target is, how it reads its input, and how it complains.
 *
 * A target is one function that takes any bytes at all. libFuzzer, AFL++ and a plain program that
 * replays files (entry_*.c) call the same one. It returns when every rule held and ends the
 * process when one did not.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include <pvs/abi.h>

/* No input is longer: what a fuzzer adds beyond is not read. */
#define FUZZ_INPUT_MAX 4096u

/* The target of this program. `data` may be NULL when `size` is 0. */
void fuzz_one(const uint8_t *data, size_t size);

/* Says which rule is broken, and where, and aborts: what all fuzzers take for a finding. */
_Noreturn void fuzz_broken(const char *rule, const char *file, int line);

#define FUZZ_RULE(rule, holds)                                      \
	do {                                                        \
		if (!(holds))                                       \
			fuzz_broken((rule), __FILE__, __LINE__);    \
	} while (0)

/*
 * A defect put in on purpose, in programs built to see whether it is found. It sits between a
 * stage and the rules that judge it, so that the library itself stays as it is shipped.
 */
#ifdef PVS_FUZZ_CANARY
#define FUZZ_CANARY(condition) (condition)
#else
#define FUZZ_CANARY(condition) 0
#endif

/* What is left of the input; beyond its end everything reads as zero. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

static inline struct fuzz_input fuzz_input_of(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size > FUZZ_INPUT_MAX ? FUZZ_INPUT_MAX : size };

	return in;
}

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
	uint16_t low = fuzz_u8(in);

	return (uint16_t)(low | fuzz_u8(in) << 8);
}

static inline uint32_t fuzz_u32(struct fuzz_input *in)
{
	uint32_t low = fuzz_u16(in);

	return low | (uint32_t)fuzz_u16(in) << 16;
}

static inline uint64_t fuzz_u64(struct fuzz_input *in)
{
	uint64_t low = fuzz_u32(in);

	return low | (uint64_t)fuzz_u32(in) << 32;
}

/* A duration from two bytes: 0 ns to more than an hour, dense where it is short. */
static inline uint64_t fuzz_duration_ns(struct fuzz_input *in)
{
	uint16_t word = fuzz_u16(in);

	return (uint64_t)(word & 0x7ffu) << (word >> 11);
}

/* FNV-1a, 64 bits, over the bytes of an object without padding. */
#define FUZZ_DIGEST_START PVS_U64(0xcbf29ce4u, 0x84222325u)

static inline uint64_t fuzz_digest(uint64_t digest, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	size_t i;

	for (i = 0; i < size; i++)
		digest = (digest ^ at[i]) * PVS_U64(0x100u, 0x000001b3u);
	return digest;
}

#endif /* FUZZ_H */
