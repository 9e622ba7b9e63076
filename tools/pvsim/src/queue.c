/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.c - the queue of timers: a binary heap; each timer knows its place, so that re-arming and
 * disarming need no search. Ties are broken by the order of arming: no order is left to chance.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

static int before(const struct sim_timer *a, const struct sim_timer *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	return a->order < b->order;
}

static void put(struct sim_queue *q, struct sim_timer *t, uint32_t at)
{
	q->heap[at] = t;
	t->heap_at = at + 1;
}

/* `t` goes up from the free place `at`. Returns where it stops. */
static uint32_t rise(struct sim_queue *q, struct sim_timer *t, uint32_t at)
{
	while (at) {
		uint32_t parent = (at - 1) / 2;

		if (!before(t, q->heap[parent]))
			break;
		put(q, q->heap[parent], at);
		at = parent;
	}
	put(q, t, at);
	return at;
}

static void sink(struct sim_queue *q, struct sim_timer *t, uint32_t at)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= q->count)
			break;
		if (child + 1 < q->count && before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!before(q->heap[child], t))
			break;
		put(q, q->heap[child], at);
		at = child;
	}
	put(q, t, at);
}

static void place(struct sim_queue *q, struct sim_timer *t, uint32_t at)
{
	if (rise(q, t, at) == at)
		sink(q, t, at);
}

static void make_room(struct sim_queue *q)
{
	uint32_t room = q->room ? 2 * q->room : 64;
	struct sim_timer **heap = realloc(q->heap, room * sizeof(*heap));

	if (!heap) {
		fputs("pvsim: out of memory\n", stderr);
		abort();
	}
	q->heap = heap;
	q->room = room;
}

void sim_queue_arm(struct sim_queue *q, struct sim_timer *t, uint64_t at_ns)
{
	if (at_ns == SIM_NEVER) {
		sim_queue_disarm(q, t);
		return;
	}
	t->at_ns = at_ns;
	t->order = q->next_order++;
	if (t->heap_at) {
		place(q, t, t->heap_at - 1);
		return;
	}
	if (q->count == q->room)
		make_room(q);
	rise(q, t, q->count++);
}

void sim_queue_disarm(struct sim_queue *q, struct sim_timer *t)
{
	uint32_t at = t->heap_at;
	struct sim_timer *last;

	if (!at)
		return;
	t->heap_at = 0;
	last = q->heap[--q->count];
	if (last != t)
		place(q, last, at - 1);
}

struct sim_timer *sim_queue_pop(struct sim_queue *q)
{
	struct sim_timer *first;

	if (!q->count)
		return NULL;
	first = q->heap[0];
	first->heap_at = 0;
	q->fired++;
	if (--q->count)
		sink(q, q->heap[q->count], 0);
	return first;
}

const struct sim_timer *sim_queue_peek(const struct sim_queue *q)
{
	return q->count ? q->heap[0] : NULL;
}

void sim_queue_free(struct sim_queue *q)
{
	uint32_t i;

	for (i = 0; i < q->count; i++)
		q->heap[i]->heap_at = 0;
	free(q->heap);
	q->heap = NULL;
	q->count = 0;
	q->room = 0;
}
