/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "fake_kernel.h"

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 256
#define SLICE_MAX_NS 100000000u
#define FLAGS_KNOWN (FLAG_RESET_ON_FORK | FLAG_UTIL_MIN | FLAG_UTIL_MAX)

struct fake_kernel fake;

static struct fake_thread {
	int tid;
	struct pvs_kvm_attr attr; /* nice is kept through real-time policies */
} threads[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __wrap_getrlimit(int resource, struct rlimit *out);
int __wrap_prlimit(pid_t pid, int resource, const struct rlimit *in, struct rlimit *out);

int __wrap_getrlimit(int resource, struct rlimit *out)
{
	out->rlim_cur = resource == RLIMIT_NICE ? fake.rlimit_nice : fake.rlimit_rtprio;
	return 0;
}

int __wrap_prlimit(pid_t pid, int resource, const struct rlimit *in, struct rlimit *out)
{
	(void)pid;
	(void)in;
	if (fake.prlimit_fails) {
		errno = fake.prlimit_fails;
		return -1;
	}
	out->rlim_cur = resource == RLIMIT_NICE ? fake.other_nice : fake.other_rtprio;
	return 0;
}

void fake_reset(void)
{
	memset(threads, 0, sizeof(threads));
	fake = (struct fake_kernel){ .has_slices = 1 };
}

static struct pvs_kvm_attr *thread_of(int tid)
{
	int i;

	if (!tid)
		tid = gettid();
	for (i = 0; i < THREADS - 1 && threads[i].tid && threads[i].tid != tid; i++)
		;
	if (!threads[i].tid) {
		threads[i].tid = tid;
		threads[i].attr = (struct pvs_kvm_attr){
			.nice = fake.birth_nice,
			.runtime_ns = fake.has_slices ? FAKE_SLICE_OWN_NS : 0,
			.util_max = fake.has_uclamp ? 1024 : 0,
		};
	}
	return &threads[i].attr;
}

static int is_rt(pvs_u32 policy)
{
	return policy == POLICY_FIFO || policy == POLICY_RR;
}

static int can_nice(pvs_s32 nice)
{
	return (unsigned)(NICE_MAX + 1 - nice) <= fake.rlimit_nice;
}

static int may(const struct pvs_kvm_attr *now, const struct pvs_kvm_attr *want)
{
	if (fake.cap_sys_nice)
		return 1;
	if (pvs_kvm_attr_is_fair(want) && want->nice < now->nice && !can_nice(want->nice))
		return 0;
	if (is_rt(want->policy)) {
		if (want->policy != now->policy && !fake.rlimit_rtprio)
			return 0;
		if (want->priority > now->priority && want->priority > fake.rlimit_rtprio)
			return 0;
	}
	if (now->policy == POLICY_IDLE && want->policy != POLICY_IDLE && !can_nice(now->nice))
		return 0;
	return !(now->flags & FLAG_RESET_ON_FORK) || (want->flags & FLAG_RESET_ON_FORK);
}

static void set(struct pvs_kvm_attr *now, const struct pvs_kvm_attr *want)
{
	struct pvs_kvm_attr before = *now;

	now->policy = want->policy;
	now->flags = want->flags & FLAG_RESET_ON_FORK;
	now->priority = is_rt(want->policy) ? want->priority : 0;
	if (pvs_kvm_attr_is_fair(want)) {
		now->nice = want->nice;
		if (fake.has_slices)
			now->runtime_ns = want->runtime_ns ? want->runtime_ns : FAKE_SLICE_OWN_NS;
		if (now->runtime_ns && now->runtime_ns < SLICE_MIN_NS)
			now->runtime_ns = SLICE_MIN_NS;
		if (now->runtime_ns > SLICE_MAX_NS)
			now->runtime_ns = SLICE_MAX_NS;
	}
	if (want->flags & FLAG_UTIL_MIN)
		now->util_min = want->util_min == UTIL_RESET ? 0 : want->util_min;
	fake.sets += memcmp(&before, now, sizeof(before)) != 0;
}

static int set_attr(int tid, const struct pvs_kvm_attr *want)
{
	struct pvs_kvm_attr *now = thread_of(tid);

	if (fake.set_fails)
		return fake.set_fails;
	if ((want->flags & ~(pvs_u64)FLAGS_KNOWN) || want->nice < NICE_MIN ||
	    want->nice > NICE_MAX || is_rt(want->policy) != (want->priority != 0))
		return EINVAL;
	if ((want->flags & FLAG_UTIL_MIN) && !fake.has_uclamp)
		return EOPNOTSUPP;
	if (!may(now, want))
		return EPERM;
	set(now, want);
	return 0;
}

static void get_attr(int tid, struct pvs_kvm_attr *out)
{
	*out = *thread_of(tid);
	out->size = sizeof(*out);
	if (is_rt(out->policy)) {
		out->nice = 0;
		out->runtime_ns = 0;
	}
}

void fake_foreign_set(int tid, const struct pvs_kvm_attr *attr)
{
	set(thread_of(tid), attr);
}

/* Of every call the adapter makes. */
static int arguments_of(long number)
{
	switch (number) {
	case SYS_exit_group:
		return 1;
	case SYS_capget:
	case SYS_pidfd_open:
		return 2;
	case SYS_sched_setattr:
	case SYS_close_range:
	case SYS_tgkill:
		return 3;
	case SYS_sched_getattr:
		return 4;
	default: /* clone, perf_event_open */
		return 5;
	}
}

long __wrap_syscall(long number, ...)
{
	long a[5] = { 0 };
	va_list ap;
	int err = 0;
	int i;

	va_start(ap, number);
	for (i = 0; i < arguments_of(number); i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (number) {
	case SYS_sched_setattr:
		pthread_mutex_lock(&lock);
		err = set_attr((int)a[0], (const struct pvs_kvm_attr *)a[1]);
		pthread_mutex_unlock(&lock);
		break;
	case SYS_sched_getattr:
		pthread_mutex_lock(&lock);
		get_attr((int)a[0], (struct pvs_kvm_attr *)a[1]);
		pthread_mutex_unlock(&lock);
		break;
	case SYS_capget:
		((struct __user_cap_data_struct *)a[1])->effective =
			fake.cap_sys_nice ? 1u << CAP_SYS_NICE : 0;
		break;
	default:
		return __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
	}
	if (!err)
		return 0;
	errno = err;
	return -1;
}
