/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generate.h - what the two files of the generator share.
 */
#ifndef PVS_REPLAY_GENERATE_H
#define PVS_REPLAY_GENERATE_H

#include "sides.h"

/* splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
PVS_INLINE pvs_u64 replay_random(struct replay_generator *g)
{
	pvs_u64 z;

	g->random += 0x9e3779b97f4a7c15ull;
	z = g->random;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* 0..n-1: the upper half of a number, scaled. */
PVS_INLINE pvs_u32 replay_draw(struct replay_generator *g, pvs_u32 n)
{
	return (pvs_u32)(((replay_random(g) >> 32) * n) >> 32);
}

PVS_INLINE void replay_put_number(struct replay_text *t, pvs_u32 value)
{
	replay_put(t, " ");
	replay_put_u64(t, value);
}

PVS_INLINE void replay_put_field(struct replay_text *t, const char *name, pvs_u64 value)
{
	replay_put(t, " ");
	replay_put(t, name);
	replay_put(t, "=");
	replay_put_u64(t, value);
}

PVS_INLINE void replay_put_hex_field(struct replay_text *t, const char *name, pvs_u64 value)
{
	replay_put(t, " ");
	replay_put(t, name);
	replay_put(t, "=");
	replay_put_hex(t, value, 1);
}

/* generate.c */
void replay_put_event(struct replay_text *t, pvs_u32 event);
pvs_u32 replay_draw_event(struct replay_generator *g);
void replay_draw_time(struct replay_generator *g, struct replay_text *t);

/* generate_engines.c: one line of the profiles behind `split`. */
void replay_gen_engine(struct replay_generator *g, struct replay_text *t);
/* What became of an entity. */
void replay_gen_queued(struct replay_generator *g, const struct replay_op *op,
		       const struct replay_result *res);

#endif /* PVS_REPLAY_GENERATE_H */
