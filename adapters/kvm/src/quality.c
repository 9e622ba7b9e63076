/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is /dev/kvm any good? A child process runs the guest; if the machine wedges it so thoroughly
 * that not even SIGKILL ends it, it is left behind and we still have our answer in time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kvm_private.h"

/* What the child may take, and how much longer we wait: together below two seconds. */
#define MEASURE_NS 1200000000u
#define ANSWER_MS 1600
#define REAP_MS 200
#define NS_PER_MS 1000000

#define REASON(q, ...) (void)snprintf((q)->reason, sizeof((q)->reason), __VA_ARGS__)

static int check_device(struct pvs_kvm_quality *q)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return PVS_OK;
	}
	if (errno == EACCES || errno == EPERM) {
		REASON(q, "/dev/kvm: no permission (is the user in group kvm?)");
		return PVS_E_PERM;
	}
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		REASON(q, "/dev/kvm: not there (no hardware virtualisation, or kvm not loaded)");
	else
		REASON(q, "/dev/kvm: %s", strerror(errno));
	return PVS_E_NO_SUPPORT;
}

/* Without an exit signal, as the guard: a wait(-1) of the program around us never sees it. */
static int start_child(int *answer_fd)
{
	struct pvs_kvm_quality q;
	int ends[2];
	int pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = (int)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (!pid) {
		memset(&q, 0, sizeof(q));
		pvs_kvm_quality_measure(&q, pvs_kvm_clock_ns() + MEASURE_NS);
		if (write(ends[1], &q, sizeof(q)) != (ssize_t)sizeof(q))
			syscall(SYS_exit_group, 1);
		syscall(SYS_exit_group, 0);
	}
	close(ends[1]);
	*answer_fd = ends[0];
	if (pid < 0)
		close(ends[0]);
	return pid;
}

static int read_answer(int fd, struct pvs_kvm_quality *q)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct pvs_kvm_quality answer;
	pvs_u64 end_ns = pvs_kvm_clock_ns() + (pvs_u64)ANSWER_MS * NS_PER_MS;
	int ready;

	do {
		pvs_u64 now_ns = pvs_kvm_clock_ns();

		ready = poll(&pfd, 1, now_ns < end_ns ? (int)((end_ns - now_ns) / NS_PER_MS) : 0);
	} while (ready < 0 && errno == EINTR);
	if (ready != 1 || read(fd, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		return 0;
	*q = answer;
	q->reason[sizeof(q->reason) - 1] = 0;
	return 1;
}

static void end_child(int pid)
{
	struct timespec pause = { .tv_nsec = NS_PER_MS };
	int i;

	kill(pid, SIGKILL);
	for (i = 0; i < REAP_MS && !waitpid(pid, NULL, WNOHANG | __WALL); i++)
		nanosleep(&pause, NULL);
}

static int judge(struct pvs_kvm_quality *q)
{
	if (q->slowdown <= 0) {
		if (!q->reason[0])
			REASON(q, "/dev/kvm: the guest did not get anywhere");
		return PVS_E_NO_SUPPORT;
	}
	if (q->slowdown > PVS_KVM_SLOWDOWN_MAX) {
		REASON(q, "/dev/kvm: guest code runs %.0f times slower than native: software KVM",
		       q->slowdown);
		return PVS_E_NO_SUPPORT;
	}
	REASON(q, "/dev/kvm: good, guest code takes %.2f of the native time", q->slowdown);
	return PVS_OK;
}

int pvs_kvm_probe_kvm(struct pvs_kvm_quality *q)
{
	int answer_fd = -1;
	int answered;
	int pid;
	int err;

	if (!q)
		return PVS_E_INVALID;
	memset(q, 0, sizeof(*q));
	err = check_device(q);
	if (err != PVS_OK)
		return err;
	pid = start_child(&answer_fd);
	if (pid < 0) {
		REASON(q, "/dev/kvm: no process for the self-test: %s", strerror(errno));
		return PVS_E_HOST;
	}
	answered = read_answer(answer_fd, q);
	close(answer_fd);
	end_child(pid);
	if (!answered) {
		REASON(q, "/dev/kvm: the self-test guest hung and had to be killed");
		return PVS_E_NO_SUPPORT;
	}
	return judge(q);
}
