/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - the record of what happened, and its hash. The hash is arithmetic on the values of the
 * fields, never on their bytes: every machine gets the same one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

/* Fractions of the square root of 2 and of the golden ratio, odd. */
#define HASH_SEED 0x6a09e667f3bcc909ull
#define HASH_FACTOR 0x9e3779b97f4a7c15ull

void sim_trace_init(struct sim_trace *t)
{
	t->hash = HASH_SEED;
	t->total = 0;
	t->kept = NULL;
	t->count = 0;
	t->room = 0;
	t->from_ns = 0;
	t->until_ns = 0;
	t->watch = NULL;
	t->watch_ctx = NULL;
}

void sim_trace_keep(struct sim_trace *t, uint64_t room, uint64_t from_ns, uint64_t until_ns)
{
	free(t->kept);
	t->kept = NULL;
	t->count = 0;
	t->room = room;
	t->from_ns = from_ns;
	t->until_ns = until_ns;
	if (!room)
		return;
	/* Zeroed pages cost nothing until they are written. */
	t->kept = calloc(room, sizeof(*t->kept));
	if (!t->kept) {
		fputs("pvsim: out of memory for the trace\n", stderr);
		abort();
	}
}

static uint64_t mix(uint64_t hash, uint64_t field)
{
	hash = (hash ^ field) * HASH_FACTOR;
	return hash << 29 | hash >> 35;
}

void sim_trace_add(struct sim_trace *t, uint64_t at_ns, enum sim_trace_type type, uint32_t cpu,
		   uint32_t a, uint32_t b, uint64_t v)
{
	uint64_t hash = t->hash;
	struct sim_record r;

	hash = mix(hash, at_ns);
	hash = mix(hash, v);
	hash = mix(hash, (uint64_t)a << 32 | b);
	hash = mix(hash, (uint64_t)type << 16 | (cpu & 0xffff));
	t->hash = hash;
	t->total++;
	if (!t->kept && !t->watch)
		return;
	r = (struct sim_record){ .at_ns = at_ns, .v = v, .a = a, .b = b, .cpu = (uint16_t)cpu,
				 .type = (uint8_t)type };
	if (t->watch)
		t->watch(t->watch_ctx, &r);
	if (t->count < t->room && at_ns >= t->from_ns && at_ns < t->until_ns)
		t->kept[t->count++] = r;
}

void sim_trace_free(struct sim_trace *t)
{
	free(t->kept);
	t->kept = NULL;
	t->count = 0;
	t->room = 0;
}
