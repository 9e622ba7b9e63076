/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fair_queue.c - EEVDF (Stoica and Abdel-Wahab 1995) with what Linux 7.3 adds: lag that is kept
 * over a sleep, slice protection, buddies, delayed dequeue. Written from descriptions.
 *
 * An array sorted by deadline: with the tens of entities that a CPU has, a walk to the first
 * eligible one costs less than an augmented tree, and moving a few pointers less than balancing.
 * Sums are exact integers, so one is always eligible: the one with the least virtual time.
 */
#include "fair_queue.h"

#include <stdlib.h>
#include <string.h>

/* Differences of virtual times stay below this: times a weight (88761 at most, nice -20) and some
 * thousand entities, sums stay within 63 bits. */
#define SPAN_MAX ((int64_t)1 << 32)

#define ROOM_FIRST 16u

uint64_t fair_virtual(const struct fair_entity *e, uint64_t ns)
{
	return e->weight == FAIR_NICE_0 ? ns : ns * FAIR_NICE_0 / e->weight;
}

uint64_t fair_wall(const struct fair_entity *e, uint64_t virtual_ns)
{
	return e->weight == FAIR_NICE_0 ? virtual_ns :
	       (virtual_ns * e->weight + FAIR_NICE_0 - 1u) / FAIR_NICE_0;
}

static int64_t weighted(const struct fair_queue *q, const struct fair_entity *e)
{
	return (e->vruntime - q->base) * (int64_t)e->weight;
}

static int64_t sum_of_all(const struct fair_queue *q)
{
	return q->curr ? q->sum + weighted(q, q->curr) : q->sum;
}

static int64_t load_of_all(const struct fair_queue *q)
{
	return (int64_t)(q->curr ? q->load + q->curr->weight : q->load);
}

int64_t fair_average(const struct fair_queue *q)
{
	int64_t load = load_of_all(q);
	int64_t sum = sum_of_all(q);

	if (!load)
		return q->base;
	if (sum < 0)
		sum -= load - 1; /* down, so that V is not ahead of what is exact */
	return q->base + sum / load;
}

int fair_eligible(const struct fair_queue *q, const struct fair_entity *e)
{
	return sum_of_all(q) >= (e->vruntime - q->base) * load_of_all(q);
}

/* V of those that wait alone: where curr stops being eligible. */
static int64_t average_of_waiting(const struct fair_queue *q)
{
	int64_t load = (int64_t)q->load;
	int64_t sum = q->sum;

	if (!load)
		return q->base;
	if (sum < 0)
		sum -= load - 1;
	return q->base + sum / load;
}

/* The longest or shortest slice of all; only who has custom ones pays for the walk. */
static uint64_t slice_of_all(const struct fair_queue *q, int longest)
{
	uint64_t found = q->curr ? q->curr->slice_ns : 0;
	uint32_t i;

	if (!q->custom)
		return q->base_slice_ns;
	for (i = 0; i < q->count; i++) {
		uint64_t slice = q->by_deadline[i]->slice_ns;

		if (!found || (longest ? slice > found : slice < found))
			found = slice;
	}
	return found ? found : q->base_slice_ns;
}

uint64_t fair_lag_max(const struct fair_queue *q, const struct fair_entity *e)
{
	uint64_t slice = slice_of_all(q, 1);

	if (e->slice_ns > slice)
		slice = e->slice_ns;
	return fair_virtual(e, slice + q->tick_ns);
}

static int64_t clamp(int64_t value, int64_t most)
{
	if (value > most)
		return most;
	return value < -most ? -most : value;
}

int64_t fair_lag(const struct fair_queue *q, const struct fair_entity *e)
{
	return clamp(fair_average(q) - e->vruntime, (int64_t)fair_lag_max(q, e));
}

int fair_protected(const struct fair_entity *e)
{
	return e->vruntime < e->protected_until;
}

static void rebase(struct fair_queue *q, int64_t to)
{
	q->sum -= (to - q->base) * (int64_t)q->load;
	q->base = to;
}

/* ---- coming and going ------------------------------------------------------------------------ */

/*
 * Its lag is to be the same after it has come, and coming moves V towards it: so it is placed
 * farther away, by (load + weight) / load.
 */
void fair_place(struct fair_queue *q, struct fair_entity *e)
{
	int64_t load = load_of_all(q);
	int64_t now = fair_average(q);
	int64_t lag = 0;

	rebase(q, now);
	if (load && e->lag)
		lag = clamp(clamp(e->lag, SPAN_MAX) * (load + (int64_t)e->weight) / load, SPAN_MAX);
	e->vruntime = now - lag;
	e->deadline = e->vruntime + (e->rel_deadline ? e->rel_deadline :
				     (int64_t)fair_virtual(e, e->slice_ns));
	e->rel_deadline = 0;
	e->protected_until = e->vruntime;
}

static void make_room(struct fair_queue *q)
{
	uint32_t room = q->room ? 2u * q->room : ROOM_FIRST;
	struct fair_entity **more = realloc(q->by_deadline, room * sizeof(struct fair_entity *));

	if (!more)
		abort();
	q->by_deadline = more;
	q->room = room;
}

void fair_add(struct fair_queue *q, struct fair_entity *e)
{
	uint32_t at = q->count;

	if (q->count == q->room)
		make_room(q);
	while (at && q->by_deadline[at - 1u]->deadline > e->deadline) {
		q->by_deadline[at] = q->by_deadline[at - 1u];
		at--;
	}
	q->by_deadline[at] = e;
	q->count++;
	e->queued = 1;
	q->custom += e->custom;
	q->sum += weighted(q, e);
	q->load += e->weight;
	if (e->vruntime - q->base > SPAN_MAX)
		rebase(q, fair_average(q));
}

/* Where it is: the first of its deadline by halving, then one by one. */
static uint32_t place_of(const struct fair_queue *q, const struct fair_entity *e)
{
	uint32_t low = 0;
	uint32_t high = q->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2u;

		if (q->by_deadline[middle]->deadline < e->deadline)
			low = middle + 1u;
		else
			high = middle;
	}
	while (q->by_deadline[low] != e)
		low++;
	return low;
}

void fair_remove(struct fair_queue *q, struct fair_entity *e)
{
	uint32_t at = place_of(q, e);

	q->count--;
	for (; at < q->count; at++)
		q->by_deadline[at] = q->by_deadline[at + 1u];
	e->queued = 0;
	q->delayed -= e->delayed;
	e->delayed = 0;
	q->custom -= e->custom;
	q->sum -= weighted(q, e);
	q->load -= e->weight;
	if (q->prev == e)
		q->prev = NULL;
	if (q->next == e)
		q->next = NULL;
}

void fair_leave(struct fair_queue *q, struct fair_entity *e, int keep_deadline)
{
	int64_t lag = fair_lag(q, e);

	/* Who stayed only to pay owes no more than before, and gets nothing for having waited too
	 * long. */
	if (e->delayed && lag < e->lag)
		lag = e->lag;
	if (e->delayed && lag > 0)
		lag = 0;
	e->lag = lag;
	e->rel_deadline = keep_deadline && !e->delayed ? e->deadline - e->vruntime : 0;
	if (e->queued) {
		fair_remove(q, e);
		return;
	}
	if (e == q->curr) {
		q->custom -= e->custom;
		/* V goes on from here, also when nobody is left. */
		rebase(q, fair_average(q));
		q->curr = NULL;
	}
}

void fair_put(struct fair_queue *q)
{
	struct fair_entity *e = q->curr;

	q->custom -= e->custom;
	q->curr = NULL;
	fair_add(q, e);
	q->prev = e;
}

/* ---- who is next ------------------------------------------------------------------------------*/

/* The first eligible one by deadline; obey: buddies, and who ran and is protected, before. */
static struct fair_entity *first_of(const struct fair_queue *q, int obey)
{
	struct fair_entity *ran = q->curr ? q->curr : q->prev;
	int64_t sum = sum_of_all(q);
	int64_t load = load_of_all(q);
	uint32_t i;

	if (obey && q->next && fair_eligible(q, q->next))
		return q->next;
	if (obey && ran && fair_protected(ran) && fair_eligible(q, ran))
		return ran;
	for (i = 0; i < q->count; i++) {
		struct fair_entity *e = q->by_deadline[i];

		if (sum < (e->vruntime - q->base) * load)
			continue;
		if (q->curr && q->curr->deadline < e->deadline && fair_eligible(q, q->curr))
			return q->curr;
		return e;
	}
	return q->curr;
}

struct fair_entity *fair_first(const struct fair_queue *q)
{
	return first_of(q, 1);
}

/* Until its deadline; while others have shorter slices, only as long as it is eligible. */
static void protect(struct fair_queue *q, struct fair_entity *e)
{
	uint64_t slice = q->run_to_parity ? slice_of_all(q, 0) : q->base_slice_ns;
	int64_t until;

	e->protected_until = e->deadline;
	if (slice >= e->slice_ns)
		return;
	until = average_of_waiting(q) + 1;
	if (until < e->protected_until)
		e->protected_until = until;
}

void fair_run(struct fair_queue *q, struct fair_entity *e)
{
	int went_on = q->prev == e;

	if (e->queued)
		fair_remove(q, e);
	q->prev = NULL;
	q->curr = e;
	q->custom += e->custom;
	/* Who is picked again keeps the protection it had, or had no longer. */
	if (!went_on)
		protect(q, e);
}

static void renew_deadline(struct fair_entity *e)
{
	e->deadline = e->vruntime + (int64_t)fair_virtual(e, e->slice_ns);
}

void fair_charge(struct fair_queue *q, uint64_t ran_ns)
{
	struct fair_entity *e = q->curr;

	if (e->weight == FAIR_NICE_0) {
		e->vruntime += (int64_t)ran_ns;
	} else {
		uint64_t total = ran_ns * FAIR_NICE_0 + e->rest;

		e->vruntime += (int64_t)(total / e->weight);
		e->rest = total % e->weight;
	}
	if (e->vruntime >= e->deadline)
		renew_deadline(e);
}

void fair_advance(struct fair_queue *q, uint64_t virtual_ns)
{
	struct fair_entity *e = q->curr;
	int64_t most = SPAN_MAX;

	e->vruntime += virtual_ns < (uint64_t)most ? (int64_t)virtual_ns : most;
	renew_deadline(e);
}

void fair_forfeit(struct fair_queue *q)
{
	struct fair_entity *e = q->curr;

	if (q->next == e)
		q->next = NULL;
	if (!q->count || !fair_eligible(q, e))
		return;
	e->vruntime = e->deadline;
	renew_deadline(e);
}

/* Others than curr have come: it is protected for the shortest slice from here on, at most. */
static void shorten_protection(struct fair_queue *q)
{
	struct fair_entity *curr = q->curr;
	int64_t from = fair_average(q), until;

	if (curr->vruntime < from)
		from = curr->vruntime;
	until = from + (int64_t)fair_virtual(curr, slice_of_all(q, 0));
	if (until < curr->protected_until)
		curr->protected_until = until;
}

/* A shorter slice is a wish for latency: who has it, and is eligible, does not wait for the end of
 * a longer one. */
int fair_wakeup_preempts(struct fair_queue *q, struct fair_entity *e)
{
	struct fair_entity *curr = q->curr, *first;
	int is_short = e->slice_ns < curr->slice_ns;

	while ((first = first_of(q, !is_short)) && first->delayed)
		fair_leave(q, first, 0);
	if (first == e || (is_short && fair_eligible(q, e))) {
		if (fair_protected(curr))
			curr->protected_until = curr->vruntime;
		if (is_short && !(q->next && q->next->slice_ns < e->slice_ns))
			q->next = e;
		return 1;
	}
	if (q->run_to_parity)
		shorten_protection(q);
	return 0;
}

void fair_set_weight(struct fair_entity *e, uint32_t weight)
{
	if (e->weight && e->weight != weight) {
		e->lag = e->lag * (int64_t)e->weight / (int64_t)weight;
		e->rel_deadline = 0;
		e->rest = 0;
	}
	e->weight = weight;
}

/* Its lag in CPU time, and its place before its deadline, stay what they were. */
void fair_reweight(struct fair_queue *q, uint32_t weight)
{
	struct fair_entity *e = q->curr;
	int64_t now = fair_average(q);
	int64_t lag = (now - e->vruntime) * (int64_t)e->weight / (int64_t)weight;
	int64_t left = (e->deadline - e->vruntime) * (int64_t)e->weight / (int64_t)weight;

	if (weight == e->weight)
		return;
	e->rest = 0;
	e->weight = weight;
	e->vruntime = now - clamp(lag, SPAN_MAX);
	e->deadline = e->vruntime + left;
	e->protected_until = e->vruntime;
}

uint64_t fair_left(const struct fair_queue *q)
{
	const struct fair_entity *e = q->curr;

	if (!e)
		return UINT64_MAX;
	if (fair_protected(e))
		return fair_wall(e, (uint64_t)(e->protected_until - e->vruntime));
	return fair_wall(e, (uint64_t)(e->deadline - e->vruntime));
}

void fair_free(struct fair_queue *q)
{
	free(q->by_deadline);
	memset(q, 0, sizeof(*q));
}
