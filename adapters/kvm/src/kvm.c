/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process: options, what it can do, the control thread, timers; and the operations.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "kvm_private.h"

#define RT_BASE_DEFAULT 10u
#define RT_BASE_MAX 80u
#define GRANULARITY_DEFAULT_NS 50000u
#define GRANULARITY_MIN_NS 1000u
#define GRANULARITY_MAX_NS 10000000u
#define GUARD_SLOTS_DEFAULT 1024u
#define GUARD_SLOTS_MAX 65536u
#define ENTITLEMENT_MAX 65536u
#define ALL_USERS 4294967295u /* length of the one line of the first user namespace's uid_map */
#define NS_PER_S 1000000000u
#define SELF 0

/* ---- options --------------------------------------------------------------------------------- */

static int resolve(struct pvs_kvm_options *o)
{
	if (!o->knobs)
		o->knobs = PVS_KVM_KNOB_ALL;
	if (o->counters_only)
		o->knobs = 0;
	if (!o->rt_base)
		o->rt_base = RT_BASE_DEFAULT;
	if (!o->timer_granularity_ns)
		o->timer_granularity_ns = GRANULARITY_DEFAULT_NS;
	if (!o->guard_slots)
		o->guard_slots = GUARD_SLOTS_DEFAULT;
	if ((o->knobs & ~PVS_KVM_KNOB_ALL) || o->rt_base > RT_BASE_MAX ||
	    o->timer_granularity_ns < GRANULARITY_MIN_NS ||
	    o->timer_granularity_ns > GRANULARITY_MAX_NS ||
	    o->guard_slots > GUARD_SLOTS_MAX || o->entitlement_q16 > ENTITLEMENT_MAX)
		return PVS_E_RANGE;
	return PVS_OK;
}

/* CAP_SYS_NICE counts for the scheduler only in the first user namespace. */
static int in_first_user_namespace(void)
{
	unsigned int inside = 1;
	unsigned int outside = 1;
	unsigned int count = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");
	int n;

	if (!f)
		return 0;
	n = fscanf(f, "%u %u %u", &inside, &outside, &count);
	fclose(f);
	return n == 3 && !inside && !outside && count == ALL_USERS;
}

static int is_privileged(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	memset(data, 0, sizeof(data));
	if (syscall(SYS_capget, &header, data))
		return 0;
	return ((data[0].effective >> CAP_SYS_NICE) & 1u) && in_first_user_namespace();
}

/* One line for a log. */
static void describe(struct pvs_kvm *kvm)
{
	const struct pvs_kvm_range *r = &kvm->range;
	char rt[48] = "no real-time (RLIMIT_RTPRIO)";
	char nice[32] = "no nice (RLIMIT_NICE)";

	if (kvm->options.counters_only) {
		snprintf(kvm->reason, sizeof(kvm->reason), "counters only, as asked for");
		return;
	}
	if (r->knobs & PVS_KVM_KNOB_RT)
		snprintf(rt, sizeof(rt), "SCHED_FIFO %u..%u", r->rt_base,
			 r->rt_base + r->rt_levels - 1u);
	if (r->knobs & PVS_KVM_KNOB_NICE)
		snprintf(nice, sizeof(nice), "nice %d", r->nice_best);
	snprintf(kvm->reason, sizeof(kvm->reason), "%s; %s; %s; %s; %s", rt, nice,
		 (r->knobs & PVS_KVM_KNOB_BELOW) ? "below: nice 19"
						 : "no way back from below",
		 (r->knobs & PVS_KVM_KNOB_SLICE) ? "slices" : "no slices (Linux 6.12)",
		 (r->knobs & PVS_KVM_KNOB_UCLAMP) ? "util_min" : "no util_min (kernel)");
}

int pvs_kvm_open(struct pvs_kvm *kvm, const struct pvs_kvm_options *options)
{
	int err;

	if (!kvm)
		return PVS_E_INVALID;
	memset(kvm, 0, sizeof(*kvm));
	if (options)
		kvm->options = *options;
	err = resolve(&kvm->options);
	if (err != PVS_OK)
		return err;
	kvm->privileged = is_privileged();
	if (pvs_kvm_probe(NULL, kvm->options.knobs, kvm->options.rt_base, &kvm->range))
		return PVS_E_HOST;
	describe(kvm);
	return PVS_OK;
}

void pvs_kvm_close(struct pvs_kvm *kvm)
{
	pvs_kvm_control_leave(kvm);
	pvs_kvm_guard_close(kvm);
}

pvs_u32 pvs_kvm_caps(const struct pvs_kvm *kvm)
{
	pvs_u32 caps = 0;

	if (!access("/proc/self/schedstat", R_OK))
		caps |= PVS_CAP_SEES_WAIT;
	if (kvm->range.knobs & PVS_KVM_KNOB_UCLAMP)
		caps |= PVS_CAP_SETS_PERF;
	return caps;
}

int pvs_kvm_can_boost(const struct pvs_kvm *kvm)
{
	pvs_u32 raising = PVS_KVM_KNOB_NICE | PVS_KVM_KNOB_SLICE;

	if (kvm->control_ready)
		raising |= PVS_KVM_KNOB_RT;
	return (kvm->range.knobs & raising) != 0;
}

/* ---- the control thread ---------------------------------------------------------------------- */

int pvs_kvm_control_enter(struct pvs_kvm *kvm)
{
	struct pvs_kvm_attr attr = { .policy = POLICY_FIFO, .flags = FLAG_RESET_ON_FORK };
	int err;

	if (!(kvm->range.knobs & PVS_KVM_KNOB_RT) || kvm->control_ready)
		return PVS_OK;
	err = pvs_kvm_attr_get(SELF, &kvm->control_before);
	if (err)
		return pvs_kvm_status(err);
	if (kvm->control_before.runtime_ns == kvm->range.slice_own_ns)
		kvm->control_before.runtime_ns = 0;
	attr.priority = kvm->range.rt_base + kvm->range.rt_levels;
	/* Real-time and above us already: better than anything we would do. */
	if ((kvm->control_before.policy == POLICY_FIFO ||
	     kvm->control_before.policy == POLICY_RR) &&
	    kvm->control_before.priority >= attr.priority)
		attr = kvm->control_before;
	err = pvs_kvm_attr_set(SELF, &attr);
	if (err)
		return pvs_kvm_status(err);
	kvm->control_ready = 1;
	return PVS_OK;
}

void pvs_kvm_control_leave(struct pvs_kvm *kvm)
{
	if (!kvm->control_ready)
		return;
	kvm->control_ready = 0;
	(void)pvs_kvm_attr_put_back(SELF, &kvm->control_before);
}

/* ---- the timer of a VM ----------------------------------------------------------------------- */

int pvs_kvm_vm_open(struct pvs_kvm_vm *vm, struct pvs_kvm *kvm)
{
	vm->kvm = kvm;
	vm->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return vm->timer_fd < 0 ? PVS_E_HOST : PVS_OK;
}

void pvs_kvm_vm_close(struct pvs_kvm_vm *vm)
{
	if (vm->timer_fd >= 0)
		close(vm->timer_fd);
	vm->timer_fd = -1;
}

void pvs_kvm_vm_timer_ack(struct pvs_kvm_vm *vm)
{
	pvs_u64 expirations;

	if (read(vm->timer_fd, &expirations, sizeof(expirations)) < 0)
		return; /* it was re-armed meanwhile: nothing to read */
}

/* ---- operations ------------------------------------------------------------------------------ */

pvs_u64 pvs_kvm_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (pvs_u64)ts.tv_sec * NS_PER_S + (pvs_u64)ts.tv_nsec;
}

/* Length of a scheduler tick: the step of the coarse clock. */
static pvs_u32 tick_ns(void)
{
	struct timespec ts;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &ts) ? GRANULARITY_MAX_NS : (pvs_u32)ts.tv_nsec;
}

static int kvm_now(void *ctx, struct pvs_facts *facts, int sample)
{
	const struct pvs_kvm_thread *t = ctx;
	const struct pvs_kvm_vm *vm = ctx;

	facts->now_ns = pvs_kvm_clock_ns();
	if (sample == PVS_SAMPLE_CLOCK) {
		facts->timer_granularity_ns = vm->kvm->options.timer_granularity_ns;
		return PVS_OK;
	}
	facts->timer_granularity_ns = t->kvm->options.timer_granularity_ns;
	if (t->other_process && t->perf_fd < 0 && tick_ns() > facts->timer_granularity_ns)
		facts->timer_granularity_ns = tick_ns();
	facts->entitlement_q16 = t->kvm->options.entitlement_q16;
	return pvs_kvm_sample(t, facts, sample);
}

static int kvm_arm(void *ctx, pvs_u64 at_ns)
{
	const struct pvs_kvm_vm *vm = ctx;
	struct itimerspec when;

	memset(&when, 0, sizeof(when));
	if (at_ns != PVS_NEVER) {
		if (!at_ns)
			at_ns = 1; /* zero would disarm */
		when.it_value.tv_sec = (time_t)(at_ns / NS_PER_S);
		when.it_value.tv_nsec = (long)(at_ns % NS_PER_S);
	}
	return timerfd_settime(vm->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) ? PVS_E_HOST : PVS_OK;
}

/* The flag first: a vCPU that is about to enter sees it, one that is in gets the signal. */
static int kvm_kick(void *ctx)
{
	const struct pvs_kvm_thread *t = ctx;

	if (!t->kick_signal)
		return PVS_E_NO_SUPPORT;
	if (t->immediate_exit)
		__atomic_store_n(t->immediate_exit, 1, __ATOMIC_SEQ_CST);
	return syscall(SYS_tgkill, t->pid, t->tid, t->kick_signal) ? PVS_E_GONE : PVS_OK;
}

const struct pvs_adapter_ops pvs_kvm_ops = {
	.capture = pvs_kvm_capture,
	.apply = pvs_kvm_apply,
	.restore = pvs_kvm_restore,
	.now = kvm_now,
	.arm = kvm_arm,
	.kick = kvm_kick,
};
