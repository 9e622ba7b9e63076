/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fair_queue.h - EEVDF on one CPU: who is eligible, and of those, whose virtual deadline is first.
 *
 *   virtual time  ns of CPU time of an entity of weight 1024 (nice 0); a heavier one's runs slower
 *   V             the weighted average of the virtual times of all that want the CPU
 *   lag           V less an entity's virtual time: what it is owed
 *   eligible      its lag is not negative
 *
 * Knows no simulator: it is driven by numbers, and tested so.
 */
#ifndef SIM_FAIR_QUEUE_H
#define SIM_FAIR_QUEUE_H

#include <stdint.h>

#define FAIR_NICE_0 1024u

struct fair_entity {
	int64_t vruntime, deadline;
	int64_t protected_until; /* virtual: it is not preempted before (RUN_TO_PARITY) */
	int64_t lag;             /* kept while it is away */
	int64_t rel_deadline;    /* the same, of its deadline; 0 = a new one when it comes back */
	uint64_t slice_ns;
	uint64_t rest;           /* of the division by its weight */
	uint32_t weight;
	uint8_t queued;          /* it waits in the queue */
	uint8_t delayed;         /* ... but is blocked: it goes when its negative lag is paid */
	uint8_t custom;          /* its slice is its own */
	void *owner;
};

struct fair_queue {
	struct fair_entity **by_deadline; /* those that wait; of equal ones the first come first */
	uint32_t count, room;
	uint32_t delayed, custom;         /* so many of these; custom ones with the one that runs */
	int64_t base;                     /* virtual times are summed up as differences from it */
	int64_t sum;                      /* of weight * (vruntime - base), of those that wait */
	uint64_t load;                    /* of weights, of those that wait */
	struct fair_entity *curr;         /* runs, and is not in by_deadline; NULL: nobody fair */
	struct fair_entity *prev;         /* ran just now and was put back */
	struct fair_entity *next;         /* buddy: the next one, if it is eligible */
	uint64_t base_slice_ns, tick_ns;
	uint8_t run_to_parity;
};

/* Wall ns into virtual ns of this entity, and back. */
uint64_t fair_virtual(const struct fair_entity *e, uint64_t ns);
uint64_t fair_wall(const struct fair_entity *e, uint64_t virtual_ns);

int64_t fair_average(const struct fair_queue *q);
int fair_eligible(const struct fair_queue *q, const struct fair_entity *e);
/* V less its virtual time, within what is kept of it. */
int64_t fair_lag(const struct fair_queue *q, const struct fair_entity *e);
uint64_t fair_lag_max(const struct fair_queue *q, const struct fair_entity *e);
int fair_protected(const struct fair_entity *e);

/* It comes: from its kept lag to a virtual time and deadline. Not yet in the queue. */
void fair_place(struct fair_queue *q, struct fair_entity *e);
/* It waits from here on, at its virtual time. */
void fair_add(struct fair_queue *q, struct fair_entity *e);
/* It waits no longer, and keeps its virtual time. */
void fair_remove(struct fair_queue *q, struct fair_entity *e);
/* It goes for now (from the queue, or it is curr): keeps its lag, and its deadline if asked to. */
void fair_leave(struct fair_queue *q, struct fair_entity *e, int keep_deadline);

/* The first eligible one, buddies and a protected prev or curr before; NULL when nobody is there.
 * Stays where it is. */
struct fair_entity *fair_first(const struct fair_queue *q);
/* It runs from here on: out of the queue, and protected for a slice. */
void fair_run(struct fair_queue *q, struct fair_entity *e);
/* curr has run. */
void fair_charge(struct fair_queue *q, uint64_t ran_ns);
/* curr's virtual time moves on, and its deadline with it. */
void fair_advance(struct fair_queue *q, uint64_t virtual_ns);
/* curr is put back. */
void fair_put(struct fair_queue *q);
/* curr gives up what is left until its deadline, if it is eligible (yield). */
void fair_forfeit(struct fair_queue *q);
/* `e` has woken up and waits: whether curr, with its shorter slice or not, has to go. */
int fair_wakeup_preempts(struct fair_queue *q, struct fair_entity *e);
/* Another weight: of one that is in no queue, and of curr. */
void fair_set_weight(struct fair_entity *e, uint32_t weight);
void fair_reweight(struct fair_queue *q, uint32_t weight);
/* Wall time until curr's protection or deadline ends; UINT64_MAX when nobody runs. */
uint64_t fair_left(const struct fair_queue *q);
void fair_free(struct fair_queue *q);

#endif /* SIM_FAIR_QUEUE_H */
