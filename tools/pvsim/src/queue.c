/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.c - the queue of timers: a heap with four children to a node, keys beside the pointers;
 * each timer knows its place, so that re-arming and disarming need no search. Ties are broken by
 * the order of arming: no order is left to chance.
 *
 * What fires leaves its place at the top open: nearly always its handler arms something, which is
 * put there and sinks, in place of two searches for a place. Until then the key at the top is that
 * of what has fired, before all others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

#define CHILDREN 4u

static int before(const struct sim_entry *a, const struct sim_entry *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	return a->order < b->order;
}

static void put(struct sim_queue *q, const struct sim_entry *e, uint32_t at)
{
	q->heap[at] = *e;
	e->timer->heap_at = at + 1;
}

/* It goes up from the free place `at`. Returns where it stops. */
static uint32_t rise(struct sim_queue *q, const struct sim_entry *e, uint32_t at)
{
	while (at) {
		uint32_t parent = (at - 1) / CHILDREN;

		if (!before(e, &q->heap[parent]))
			break;
		put(q, &q->heap[parent], at);
		at = parent;
	}
	put(q, e, at);
	return at;
}

static void sink(struct sim_queue *q, const struct sim_entry *e, uint32_t at)
{
	for (;;) {
		uint32_t child = CHILDREN * at + 1, end = child + CHILDREN, least = child;

		if (child >= q->count)
			break;
		if (end > q->count)
			end = q->count;
		while (++child < end)
			if (before(&q->heap[child], &q->heap[least]))
				least = child;
		if (!before(&q->heap[least], e))
			break;
		put(q, &q->heap[least], at);
		at = least;
	}
	put(q, e, at);
}

static void place(struct sim_queue *q, struct sim_entry e, uint32_t at)
{
	if (rise(q, &e, at) == at)
		sink(q, &e, at);
}

/* Nobody took the open place at the top. */
static void close_top(struct sim_queue *q)
{
	struct sim_entry last;

	q->open = 0;
	last = q->heap[--q->count];
	if (q->count)
		sink(q, &last, 0);
}

static void make_room(struct sim_queue *q)
{
	uint32_t room = q->room ? 2 * q->room : 64;
	struct sim_entry *heap = realloc(q->heap, room * sizeof(*heap));

	if (!heap) {
		fputs("pvsim: out of memory\n", stderr);
		abort();
	}
	q->heap = heap;
	q->room = room;
}

void sim_queue_arm(struct sim_queue *q, struct sim_timer *t, uint64_t at_ns)
{
	struct sim_entry e = { at_ns, q->next_order, t };

	if (at_ns == SIM_NEVER) {
		sim_queue_disarm(q, t);
		return;
	}
	q->next_order++;
	t->at_ns = at_ns;
	if (t->heap_at) {
		place(q, e, t->heap_at - 1);
	} else if (q->open) {
		q->open = 0;
		sink(q, &e, 0);
	} else {
		if (q->count == q->room)
			make_room(q);
		rise(q, &e, q->count++);
	}
}

void sim_queue_disarm(struct sim_queue *q, struct sim_timer *t)
{
	uint32_t at = t->heap_at;

	if (!at)
		return;
	t->heap_at = 0;
	if (!q->heap) /* all are disarmed (sim_queue_free) */
		return;
	if (--q->count != at - 1)
		place(q, q->heap[q->count], at - 1);
}

struct sim_timer *sim_queue_pop_before(struct sim_queue *q, uint64_t until_ns)
{
	struct sim_timer *first;

	if (q->open)
		close_top(q);
	if (!q->count || q->heap[0].at_ns >= until_ns)
		return NULL;
	first = q->heap[0].timer;
	first->heap_at = 0;
	q->fired++;
	q->open = 1;
	return first;
}

const char *sim_queue_wrong(const struct sim_queue *q, uint64_t now_ns)
{
	uint32_t i;

	for (i = q->open; i < q->count; i++) {
		const struct sim_entry *e = &q->heap[i];

		if (e->timer->heap_at != i + 1)
			return "a timer does not know its place";
		if (e->at_ns != e->timer->at_ns)
			return "a timer is queued for another time than its own";
		if (i && before(e, &q->heap[(i - 1) / CHILDREN]))
			return "a timer is behind one that is later";
		if (e->at_ns < now_ns)
			return "a timer should have fired";
	}
	return NULL;
}

/* Timers are not looked at: those of a caller may be gone. */
void sim_queue_free(struct sim_queue *q)
{
	free(q->heap);
	q->heap = NULL;
	q->count = 0;
	q->room = 0;
	q->open = 0;
}
