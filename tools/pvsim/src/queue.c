/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.c - the queue of timers: a heap with four children to a node, keys beside the pointers;
 * each timer knows its place, so that re-arming and disarming need no search. Ties are broken by
 * the order of arming: no order is left to chance.
 *
 * In the heap is only what is due soon. What is due later waits in unordered lists, one for each
 * slot of time, and goes to the heap when its slot begins: most of it is armed anew before.
 *
 * What fires leaves its place at the top open: nearly always its handler arms something, which is
 * put there and sinks, in place of two searches for a place. Until then the key at the top is that
 * of what has fired, before all others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

#define CHILDREN 4u
/* 2^14 ns: with an event each microsecond a handful is in the heap. */
#define SLOT_SHIFT 14

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

/* ---- what is due later ------------------------------------------------------------------------*/

static void link_to(struct sim_timer **list, struct sim_timer *t)
{
	t->heap_at = SIM_TIMER_LATER;
	t->next = *list;
	t->from = list;
	if (t->next)
		t->next->from = &t->next;
	*list = t;
}

static void unlink_it(struct sim_timer *t)
{
	*t->from = t->next;
	if (t->next)
		t->next->from = t->from;
}

/* `slot` is one of those after the heap's. */
static void put_later(struct sim_queue *q, struct sim_timer *t, uint64_t slot)
{
	uint32_t at = (uint32_t)slot % SIM_QUEUE_SLOTS;

	if (slot >= q->end) {
		link_to(&q->beyond, t);
		return;
	}
	q->filled[at / 64] |= UINT64_C(1) << at % 64;
	link_to(&q->later[at], t);
}

static void put_soon(struct sim_queue *q, struct sim_timer *t)
{
	struct sim_entry e = { t->at_ns, t->order, t };

	if (q->open) {
		q->open = 0;
		sink(q, &e, 0);
		return;
	}
	if (q->count == q->room)
		make_room(q);
	rise(q, &e, q->count++);
}

/* The first slot that may have some, or the end. */
static uint64_t next_filled(const struct sim_queue *q)
{
	uint64_t slot = q->slot + 1, bits;

	while (slot < q->end) {
		bits = q->filled[slot / 64 % (SIM_QUEUE_SLOTS / 64)] >> slot % 64;
		if (bits) {
			slot += (uint64_t)__builtin_ctzll(bits);
			break;
		}
		slot = (slot / 64 + 1) * 64;
	}
	return slot < q->end ? slot : q->end;
}

/* All lists are empty but the last one: the slots begin where its first timer is. */
static void begin_anew(struct sim_queue *q)
{
	struct sim_timer *t, *next, *all = q->beyond;
	uint64_t first = UINT64_MAX;

	for (t = all; t; t = t->next)
		if (t->at_ns >> SLOT_SHIFT < first)
			first = t->at_ns >> SLOT_SHIFT;
	q->slot = first - 1;
	q->end = q->slot + SIM_QUEUE_SLOTS;
	q->beyond = NULL;
	for (t = all; t; t = next) {
		next = t->next;
		put_later(q, t, t->at_ns >> SLOT_SHIFT);
	}
}

/* The heap is empty: the next slot begins that has anything. 0: none has. */
static int next_slot(struct sim_queue *q)
{
	struct sim_timer *t, *next;
	uint32_t at;

	while (!q->count) {
		q->slot = next_filled(q);
		if (q->slot == q->end) {
			if (!q->beyond)
				return 0;
			begin_anew(q);
			continue;
		}
		at = (uint32_t)q->slot % SIM_QUEUE_SLOTS;
		t = q->later[at];
		q->later[at] = NULL;
		q->filled[at / 64] &= ~(UINT64_C(1) << at % 64);
		for (; t; t = next) {
			next = t->next;
			put_soon(q, t);
		}
	}
	return 1;
}

/* ---- calls ------------------------------------------------------------------------------------*/

static void take_out(struct sim_queue *q, uint32_t at)
{
	if (--q->count != at)
		place(q, q->heap[q->count], at);
}

void sim_queue_arm(struct sim_queue *q, struct sim_timer *t, uint64_t at_ns)
{
	uint64_t slot = at_ns >> SLOT_SHIFT;
	uint32_t at = t->heap_at;

	if (at_ns == SIM_NEVER) {
		sim_queue_disarm(q, t);
		return;
	}
	t->at_ns = at_ns;
	t->order = q->next_order++;
	if (at == SIM_TIMER_LATER) {
		unlink_it(t);
	} else if (at) {
		if (slot <= q->slot) {
			place(q, (struct sim_entry){ at_ns, t->order, t }, at - 1);
			return;
		}
		take_out(q, at - 1);
	}
	if (slot <= q->slot)
		put_soon(q, t);
	else
		put_later(q, t, slot);
}

void sim_queue_disarm(struct sim_queue *q, struct sim_timer *t)
{
	uint32_t at = t->heap_at;

	if (!at)
		return;
	t->heap_at = 0;
	if (q->gone) /* all are disarmed (sim_queue_free) */
		return;
	if (at == SIM_TIMER_LATER)
		unlink_it(t);
	else
		take_out(q, at - 1);
}

struct sim_timer *sim_queue_pop_before(struct sim_queue *q, uint64_t until_ns)
{
	struct sim_timer *first;

	if (q->open)
		close_top(q);
	if ((!q->count && !next_slot(q)) || q->heap[0].at_ns >= until_ns)
		return NULL;
	first = q->heap[0].timer;
	first->heap_at = 0;
	q->fired++;
	q->open = 1;
	return first;
}

static const char *wrong_later(const struct sim_queue *q, struct sim_timer *const *list,
			       uint64_t now_ns)
{
	const struct sim_timer *t;
	uint64_t slot;

	for (t = *list; t; list = &t->next, t = t->next) {
		slot = t->at_ns >> SLOT_SHIFT;
		if (t->heap_at != SIM_TIMER_LATER || t->from != list)
			return "a timer does not know its place";
		if (slot <= q->slot || t->at_ns < now_ns)
			return "a timer should have fired, or be due soon";
	}
	return NULL;
}

const char *sim_queue_wrong(const struct sim_queue *q, uint64_t now_ns)
{
	const char *wrong = NULL;
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
	for (i = 0; i < SIM_QUEUE_SLOTS && !wrong; i++)
		wrong = wrong_later(q, &q->later[i], now_ns);
	return wrong ? wrong : wrong_later(q, &q->beyond, now_ns);
}

/* Timers are not looked at: those of a caller may be gone. */
void sim_queue_free(struct sim_queue *q)
{
	free(q->heap);
	q->heap = NULL;
	q->gone = 1;
	q->count = 0;
	q->room = 0;
	q->open = 0;
}
