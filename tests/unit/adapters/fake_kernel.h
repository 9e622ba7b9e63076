/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's permission rules, in a page: what sched_setattr() would say to a thread with
 * these limits on that kernel. It answers in place of the kernel (the linker's --wrap), so
 * that every combination can be tried on any machine, without root.
 *
 * The rules are those of user_check_sched_setscheduler() and __sched_setscheduler(), Linux 6.1 to
 * 7.3, kernel/sched/.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include "kvm_private.h"

struct fake_kernel {
	/* set by the test */
	int cap_sys_nice;
	unsigned rlimit_nice;   /* 20 - nice: 1..40, 0 = none */
	unsigned rlimit_rtprio;
	int has_slices;         /* Linux 6.12 */
	int has_uclamp;
	pvs_s32 birth_nice;     /* of every thread that was not set yet */
	unsigned other_nice;    /* limits of other processes, as prlimit() tells */
	unsigned other_rtprio;
	int prlimit_fails;      /* errno, 0 = works */
	int set_fails;          /* errno of every sched_setattr(), 0 = by the rules */
	/* counted */
	unsigned sets;          /* calls that changed something */
};

extern struct fake_kernel fake;

#define FAKE_SLICE_OWN_NS 1400000u

/* Forgets all threads; no rights, slices, no uclamp. */
void fake_reset(void);
/* As if another process had called it, with every right. */
void fake_foreign_set(int tid, const struct pvs_kvm_attr *attr);

#endif
