/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard: a process that outlives us and puts threads of other processes back.
 *
 * It is a fork without exec that calls nothing but system calls; it keeps two descriptors (a pidfd
 * of ours, and a pipe whose write end only we hold), has a session of its own and every signal
 * blocked, so that neither Ctrl-C nor a signal to our process group takes it along. It sleeps
 * until we end or close the pipe, walks the journal once, and ends.
 *
 * What it cannot survive: SIGKILL of its own while we live is noticed at the next change (the
 * pipe has lost its reader) and mended by another guard; SIGKILL of both at once is not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kvm_private.h"

#define KEPT_PIPE 0
#define KEPT_PIDFD 1
#define FIRST_CLOSED 2
#define FDS_MAX_OLD 65536 /* closed one by one before Linux 5.9 */
#define END_WAIT_MS 1000
#define START_WAIT_MS 1000
#define NS_PER_MS 1000000

/* The two pipes of a start: the guard reads from `alive` all its life, and says once in `ready`
 * that it is out of reach. */
struct ends {
	int alive[2];
	int ready[2];
};

/* ---- in the guard ---------------------------------------------------------------------------- */

static void close_rest(void)
{
	int fd;

	if (!syscall(SYS_close_range, FIRST_CLOSED, ~0u, 0))
		return;
	for (fd = FIRST_CLOSED; fd < FDS_MAX_OLD; fd++)
		close(fd);
}

/* Sets up the two descriptors it keeps as 0 and 1. */
static void keep_fds(int pipe_fd, int pidfd)
{
	int high_pipe = fcntl(pipe_fd, F_DUPFD, FIRST_CLOSED);
	int high_pidfd = pidfd >= 0 ? fcntl(pidfd, F_DUPFD, FIRST_CLOSED) : -1;

	dup2(high_pipe, KEPT_PIPE);
	if (high_pidfd >= 0)
		dup2(high_pidfd, KEPT_PIDFD);
	else
		close(KEPT_PIDFD);
	close_rest();
}

static void guard_main(const struct pvs_kvm_guard *g, const struct ends *ends, int pidfd)
{
	struct pollfd fds[2] = { { .fd = KEPT_PIPE, .events = POLLIN },
				 { .fd = pidfd >= 0 ? KEPT_PIDFD : -1, .events = POLLIN } };

	setsid();
	prctl(PR_SET_NAME, "pvs-guard", 0, 0, 0);
	if (chdir("/"))
		fds[0].revents = 0; /* it only keeps a file system busy */
	if (write(ends->ready[1], "r", 1) != 1)
		syscall(SYS_exit_group, 1);
	keep_fds(ends->alive[0], pidfd);
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	pvs_kvm_journal_restore_all(g->journal);
	syscall(SYS_exit_group, 0);
}

/* ---- in its owner ---------------------------------------------------------------------------- */

static void block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

/*
 * A fork without an exit signal: neither a SIGCHLD nor a wait(-1) of the program we live in sees
 * the guard. With all arguments zero the order in which machines take them does not matter.
 */
static int fork_guard(struct pvs_kvm_guard *g, const struct ends *ends)
{
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	sigset_t before;
	int pid;

	block_signals(&before);
	pid = (int)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (!pid)
		guard_main(g, ends, pidfd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pidfd >= 0)
		close(pidfd);
	return pid;
}

/* Boosted vCPUs must not keep it from its one duty, nor from its start. Where this is not
 * permitted, they are not real-time either. */
static void raise_guard(const struct pvs_kvm_guard *g)
{
	struct pvs_kvm_attr attr = {
		.policy = POLICY_FIFO, .priority = g->rt_priority, .flags = FLAG_RESET_ON_FORK
	};

	if (g->rt_priority)
		(void)pvs_kvm_attr_set(g->pid, &attr);
}

/* 1: it has a session of its own, and our death no longer takes it along. */
static int is_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;
	int n;

	do {
		n = poll(&p, 1, START_WAIT_MS);
	} while (n < 0 && errno == EINTR);
	return n == 1 && read(fd, &byte, 1) == 1;
}

static int start_with(struct pvs_kvm_guard *g, struct ends *ends)
{
	int ready = 0;

	g->pid = fork_guard(g, ends);
	close(ends->alive[0]);
	close(ends->ready[1]);
	if (g->pid > 0) {
		raise_guard(g);
		ready = is_ready(ends->ready[0]);
	}
	close(ends->ready[0]);
	if (!ready) {
		close(ends->alive[1]); /* a guard that comes late finds that and ends */
		return PVS_E_HOST;
	}
	g->alive_fd = ends->alive[1];
	g->forks++;
	return PVS_OK;
}

static int start(struct pvs_kvm_guard *g)
{
	struct ends ends;

	if (pipe2(ends.alive, O_CLOEXEC))
		return PVS_E_HOST;
	if (pipe2(ends.ready, O_CLOEXEC)) {
		close(ends.alive[0]);
		close(ends.alive[1]);
		return PVS_E_HOST;
	}
	return start_with(g, &ends);
}

/* The guard holds the only read end: without it, the write end reports an error. */
static int is_alive(const struct pvs_kvm_guard *g)
{
	struct pollfd fd = { .fd = g->alive_fd };

	return g->alive_fd >= 0 && poll(&fd, 1, 0) == 0;
}

static void forget(struct pvs_kvm_guard *g)
{
	if (g->alive_fd >= 0)
		close(g->alive_fd);
	g->alive_fd = -1;
}

int pvs_kvm_guard_open(struct pvs_kvm *kvm)
{
	struct pvs_kvm_guard *g;

	if (kvm->guard)
		return pvs_kvm_guard_ensure(kvm->guard);
	g = calloc(1, sizeof(*g));
	if (!g)
		return PVS_E_NO_SPACE;
	g->alive_fd = -1;
	g->pid = -1;
	g->owner_pid = getpid();
	pthread_mutex_init(&g->lock, NULL);
	if (kvm->range.knobs & PVS_KVM_KNOB_RT)
		g->rt_priority = kvm->range.rt_base + kvm->range.rt_levels;
	g->journal = pvs_kvm_journal_new(kvm->options.guard_slots);
	if (!g->journal || start(g) != PVS_OK) {
		if (g->journal)
			pvs_kvm_journal_free(g->journal);
		free(g);
		return PVS_E_HOST;
	}
	kvm->guard = g;
	return PVS_OK;
}

int pvs_kvm_guard_ensure(struct pvs_kvm_guard *g)
{
	int err = PVS_OK;

	if (g->owner_pid != getpid())
		return PVS_E_STATE;
	pthread_mutex_lock(&g->lock);
	if (!is_alive(g)) {
		forget(g);
		if (g->pid > 0)
			waitpid(g->pid, NULL, WNOHANG | __WALL);
		err = start(g);
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}

/* Waits for its orderly end, within bounds. */
static void reap(int pid)
{
	struct timespec pause = { .tv_nsec = NS_PER_MS };
	int i;

	for (i = 0; i < END_WAIT_MS; i++) {
		if (waitpid(pid, NULL, WNOHANG | __WALL))
			return;
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

void pvs_kvm_guard_close(struct pvs_kvm *kvm)
{
	struct pvs_kvm_guard *g = kvm->guard;

	if (!g)
		return;
	kvm->guard = NULL;
	forget(g);
	if (g->owner_pid == getpid() && g->pid > 0)
		reap(g->pid);
	pvs_kvm_journal_free(g->journal);
	pthread_mutex_destroy(&g->lock);
	free(g);
}
