/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads.h - threads of a test: started together, joined, and how much each is to do.
 */
#ifndef PVS_TEST_THREADS_H
#define PVS_TEST_THREADS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "world.h"

/* Under the thread sanitizer a step costs some twenty times as much. */
#if defined(__SANITIZE_THREAD__)
#define ROUNDS(n) ((n) / 10)
#else
#define ROUNDS(n) (n)
#endif

#define THREADS_MAX 8

struct crew {
	pthread_t thread[THREADS_MAX];
	unsigned int count;
	atomic_uint waiting; /* for the last one to be there */
};

static inline void crew_start(struct crew *c, void *(*work)(void *), void *argument)
{
	assert_true(c->count < THREADS_MAX);
	assert_int_equal(pthread_create(&c->thread[c->count++], NULL, work, argument), 0);
}

/* Each thread, first of all: nobody begins before `count` are there. */
static inline void crew_meet(struct crew *c, unsigned int count)
{
	atomic_fetch_add(&c->waiting, 1);
	while (atomic_load(&c->waiting) < count)
		sched_yield();
}

static inline void crew_join(struct crew *c)
{
	while (c->count)
		assert_int_equal(pthread_join(c->thread[--c->count], NULL), 0);
	atomic_store(&c->waiting, 0);
}

#endif /* PVS_TEST_THREADS_H */
