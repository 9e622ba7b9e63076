/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - reading and writing lines without a libc.
 */
#ifndef PVS_REPLAY_TEXT_H
#define PVS_REPLAY_TEXT_H

#include <pvs/port.h>

/* A part of a line; not NUL-terminated. */
struct replay_word {
	const char *at;
	pvs_u32 len;
};

/* A line being written; what does not fit is left out, and the NUL always fits. */
struct replay_text {
	char *at;
	pvs_u32 size;
	pvs_u32 len;
};

void replay_text_open(struct replay_text *t, char *at, pvs_u32 size);
void replay_put(struct replay_text *t, const char *s);
void replay_put_word(struct replay_text *t, struct replay_word w);
void replay_put_u64(struct replay_text *t, pvs_u64 value);
void replay_put_s64(struct replay_text *t, pvs_u64 value);
void replay_put_hex(struct replay_text *t, pvs_u64 value, pvs_u32 digits);

int replay_same(struct replay_word w, const char *s);
int replay_blank(char c);
/* The next word of *rest, which is shortened by it; len 0 at the end. */
struct replay_word replay_next(struct replay_word *rest);
/*
 * A number: decimal or 0x hexadecimal, '-' before it (two's complement), one of ns us ms s behind
 * it (times 1, 10^3, 10^6, 10^9). 0, or -1 when it is none or does not fit into 64 bits.
 */
int replay_number(struct replay_word w, pvs_u64 *value);

#endif /* PVS_REPLAY_TEXT_H */
