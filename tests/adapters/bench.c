/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "bench.h"

#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_MS 2
#define NOBODY 65534u
#define PIECE 20000

const struct pvs_decision decide_task = { .klass = PVS_CLASS_TASK, .rank = 3, .weight_q10 = 1024 };
const struct pvs_decision decide_critical = { .klass = PVS_CLASS_CRITICAL, .rank = 7,
					      .weight_q10 = 1024 };
const struct pvs_decision decide_below = { .klass = PVS_CLASS_BELOW, .weight_q10 = 15 };
const struct pvs_decision decide_baseline = { .klass = PVS_CLASS_BASELINE, .weight_q10 = 1024 };

void sleep_ms(unsigned ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

void bench_begin(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "nobody"))
		return;
	if (geteuid() || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY)) {
		printf("skipped: needs root to become nobody\n");
		exit(77);
	}
	/* A change of user makes /proc/self root's; as after an exec, it is ours again. */
	prctl(PR_SET_DUMPABLE, 1);
}

static void compute(void)
{
	volatile unsigned n;

	for (n = 0; n < PIECE; n++)
		;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		if (__atomic_exchange_n(&w->ask, 0, __ATOMIC_ACQ_REL)) {
			w->task(w->task_arg);
			__atomic_store_n(&w->done, 1, __ATOMIC_RELEASE);
		}
		if (w->busy)
			compute();
		else
			sleep_ms(1);
	}
	return NULL;
}

void worker_start(struct worker *w, int busy)
{
	*w = (struct worker){ .busy = busy };
	assert_int_equal(pthread_create(&w->thread, NULL, worker_main, w), 0);
	while (!__atomic_load_n(&w->tid, __ATOMIC_ACQUIRE))
		sleep_ms(1);
}

void worker_stop(struct worker *w)
{
	unsigned waited;

	__atomic_store_n(&w->stop, 1, __ATOMIC_RELEASE);
	pthread_join(w->thread, NULL);
	/* A thread is joined a moment before the kernel forgets its number. */
	for (waited = 0; waited < PATIENCE_MS && !tgkill(getpid(), w->tid, 0); waited++)
		sleep_ms(1);
}

void worker_do(struct worker *w, void *(*task)(void *), void *arg)
{
	w->task = task;
	w->task_arg = arg;
	w->done = 0;
	__atomic_store_n(&w->ask, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&w->done, __ATOMIC_ACQUIRE))
		sleep_ms(1);
}

pid_t victim_start(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		compute();
}

void victim_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

struct pvs_kvm_attr attr_of(int tid)
{
	struct pvs_kvm_attr a;

	assert_int_equal(pvs_kvm_attr_get(tid, &a), 0);
	return a;
}

int becomes(int tid, const struct pvs_kvm_attr *want)
{
	unsigned waited;

	for (waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
		struct pvs_kvm_attr now = attr_of(tid);

		if (pvs_kvm_attr_same(&now, want) && now.runtime_ns == want->runtime_ns)
			return 1;
		sleep_ms(PAUSE_MS);
	}
	return 0;
}

int is_boosted(const struct pvs_kvm_attr *baseline, const struct pvs_kvm_attr *now)
{
	if (now->policy == POLICY_FIFO)
		return baseline->policy != POLICY_FIFO;
	return now->nice < baseline->nice || now->runtime_ns == SLICE_MIN_NS;
}
