/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads and processes to work on, and bounded waiting.
 */
#ifndef BENCH_H
#define BENCH_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <cmocka.h>

#include "kvm_private.h"

/* Long on any machine; reached only by what is broken. */
#define PATIENCE_MS 20000

/* A thread that computes in short pieces until told to end. */
struct worker {
	pthread_t thread;
	int tid;
	int stop;
	int busy;           /* 1: all the time; 0: sleeps until asked */
	void *(*task)(void *); /* run once when asked */
	void *task_arg;
	int ask;
	int done;
};

void worker_start(struct worker *w, int busy);
void worker_stop(struct worker *w);
/* Runs `task` on the worker's thread and waits for its end. */
void worker_do(struct worker *w, void *(*task)(void *), void *arg);

/* A process with one busy thread, its main thread. Ends with us. */
pid_t victim_start(void);
void victim_end(pid_t pid);

/* What the kernel says of a thread; fails the test if it says nothing. */
struct pvs_kvm_attr attr_of(int tid);
/* 1: it became as `want` (see pvs_kvm_attr_same) before patience ran out. */
int becomes(int tid, const struct pvs_kvm_attr *want);
int is_boosted(const struct pvs_kvm_attr *baseline, const struct pvs_kvm_attr *now);
void sleep_ms(unsigned ms);

extern const struct pvs_decision decide_task;
extern const struct pvs_decision decide_critical;
extern const struct pvs_decision decide_below;
extern const struct pvs_decision decide_baseline;

/* With the argument "nobody": becomes nobody, or ends the program as skipped. Call it first. */
void bench_begin(int argc, char **argv);

/* Skips the test that asks, with a line that says why. */
#define skip_because(...)                    \
	do {                                 \
		printf("skipped: ");         \
		printf(__VA_ARGS__);         \
		printf("\n");                \
		skip();                      \
	} while (0)

#endif
