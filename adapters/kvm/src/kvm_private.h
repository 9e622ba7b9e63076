/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this adapter share:
 *   attr.c     sched_getattr, sched_setattr, and when two attributes are the same
 *   plan.c     decision -> attributes: pure
 *   probe.c    which knobs have a way back, on a thread of our own
 *   journal.c  what was changed, in memory that outlives us
 *   guard.c    the process that reads it then
 *   thread.c   one vCPU thread: identity, clocks, capture, apply, restore
 *   kvm.c      options, capabilities, control thread, timer, the operations table
 *   quality.c  is /dev/kvm any good? quality_<machine>.c has the guest
 *
 * attr.c, and of journal.c and proc.c what the guard uses, call nothing but system calls: the
 * guard is forked from a process that may have had other threads.
 */
#ifndef PVS_KVM_PRIVATE_H
#define PVS_KVM_PRIVATE_H

#include <pthread.h>

#include <pvs/kvm.h>

/* ---- attr.c --------------------------------------------------------------------------------- */

/* include/uapi/linux/sched.h */
#define POLICY_NORMAL   0u
#define POLICY_FIFO     1u
#define POLICY_RR       2u
#define POLICY_BATCH    3u
#define POLICY_IDLE     5u
#define POLICY_DEADLINE 6u
#define POLICY_EXT      7u

#define FLAG_RESET_ON_FORK 0x01u
#define FLAG_UTIL_MIN      0x20u
#define FLAG_UTIL_MAX      0x40u
#define UTIL_RESET         0xffffffffu /* back to the default, Linux 5.11 */

#define NICE_MIN (-20)
#define NICE_MAX 19

/* The shortest slice that fair.c takes (Linux 6.12 and later). */
#define SLICE_MIN_NS 100000u

/* 0 or an errno. */
int pvs_kvm_attr_get(int tid, struct pvs_kvm_attr *out);
int pvs_kvm_attr_set(int tid, const struct pvs_kvm_attr *attr);
/* errno -> PVS_E_*. */
int pvs_kvm_status(int err);
int pvs_kvm_attr_is_fair(const struct pvs_kvm_attr *a);
/* 1: what the kernel reports (`now`) is what `set` made it. RESET_ON_FORK does not count. */
int pvs_kvm_attr_same(const struct pvs_kvm_attr *now, const struct pvs_kvm_attr *set);
/* Sets `attr`; keeps RESET_ON_FORK where the kernel will not let us clear it. 0 or an errno. */
int pvs_kvm_attr_put_back(int tid, const struct pvs_kvm_attr *attr);

/* ---- plan.c --------------------------------------------------------------------------------- */

/* What `decision` makes of a thread with this baseline and range. */
void pvs_kvm_plan(const struct pvs_kvm_attr *baseline, const struct pvs_kvm_range *range,
		  const struct pvs_decision *decision, struct pvs_kvm_attr *out);

/* ---- probe.c -------------------------------------------------------------------------------- */

/* Probes on a thread of our own that has `baseline` (NULL: its own). Of `wanted` knobs, those with
 * a way back are put into *range. 0 or an errno (no thread, or the baseline itself is refused). */
int pvs_kvm_probe(const struct pvs_kvm_attr *baseline, pvs_u32 wanted, pvs_u32 rt_base,
		  struct pvs_kvm_range *range);

/* ---- proc.c --------------------------------------------------------------------------------- */

/* Start time of a thread in clock ticks since boot. 0 or an errno; ESRCH when it is gone. */
int pvs_kvm_start_time(int pid, int tid, pvs_u64 *out);
/* The numbers of /proc/<pid>/task/<tid>/schedstat: ns run, ns waited. 0 or an errno. */
int pvs_kvm_schedstat_open(int pid, int tid, int *fd);
int pvs_kvm_schedstat_read(int fd, pvs_u64 *run_ns, pvs_u64 *wait_ns);

/* ---- journal.c ------------------------------------------------------------------------------ */

#define JOURNAL_ACTIVE 0x1u /* something other than the baseline may be set */
#define JOURNAL_ATTR_0 0x2u /* attr[0] may be what is set */
#define JOURNAL_ATTR_1 0x4u /* attr[1] may be what is set */

struct pvs_kvm_entry {
	pvs_u32 owner; /* 1: in use; taken and given by compare-and-swap */
	pvs_u32 state; /* JOURNAL_*; everything else is written before its bit */
	pvs_s32 pid;
	pvs_s32 tid;
	pvs_u64 start_time;
	pvs_u32 newer; /* the place intended last; only the writer asks */
	pvs_u32 reserved;
	struct pvs_kvm_attr baseline;
	struct pvs_kvm_attr attr[2];
};

struct pvs_kvm_journal {
	pvs_u32 count;
	pvs_u32 reserved;
	struct pvs_kvm_entry entries[];
};

struct pvs_kvm_journal *pvs_kvm_journal_new(pvs_u32 count);
void pvs_kvm_journal_free(struct pvs_kvm_journal *j);
/* Index of an entry for this thread, or -1. The baseline is written before the first intent. */
int pvs_kvm_journal_take(struct pvs_kvm_journal *j, const struct pvs_kvm_thread *t);
void pvs_kvm_journal_give(struct pvs_kvm_journal *j, int index);
/* Before sched_setattr(): `attr` is what will be set. After it: `attr` is what is set, or 0 = the
 * call failed and what was set before still is. */
void pvs_kvm_journal_intend(struct pvs_kvm_journal *j, int index, const struct pvs_kvm_attr *attr);
void pvs_kvm_journal_commit(struct pvs_kvm_journal *j, int index, int done);
/* The thread is at its baseline, or not ours any more. */
void pvs_kvm_journal_clear(struct pvs_kvm_journal *j, int index);
/* Puts every active thread back that is still the same thread with what we set. */
void pvs_kvm_journal_restore_all(struct pvs_kvm_journal *j);

/* ---- guard.c -------------------------------------------------------------------------------- */

struct pvs_kvm_guard {
	struct pvs_kvm_journal *journal;
	int alive_fd;      /* write end of the pipe whose only reader is the guard */
	int pid;
	int owner_pid;     /* who forked it: a child of ours must not speak for us */
	pvs_u32 rt_priority; /* of the guard, 0 = fair */
	pvs_u64 forks;     /* guards started so far */
	pthread_mutex_t lock; /* of the start */
};

/* Makes guard and journal. PVS_OK, NO_SPACE (memory) or HOST. */
int pvs_kvm_guard_open(struct pvs_kvm *kvm);
/* PVS_OK when a guard is there; starts another if the last one has died. */
int pvs_kvm_guard_ensure(struct pvs_kvm_guard *g);
void pvs_kvm_guard_close(struct pvs_kvm *kvm);

/* ---- thread.c ------------------------------------------------------------------------------- */

int pvs_kvm_capture(void *ctx);
int pvs_kvm_apply(void *ctx, const struct pvs_decision *decision);
int pvs_kvm_restore(void *ctx);
int pvs_kvm_sample(const struct pvs_kvm_thread *t, struct pvs_facts *facts, int sample);

/* ---- quality_*.c ---------------------------------------------------------------------------- */

/* Runs the guest loop and the native one, in a process of its own, and writes what it found. It
 * may hang: the caller has a deadline. */
void pvs_kvm_quality_measure(struct pvs_kvm_quality *q, pvs_u64 deadline_ns);
pvs_u64 pvs_kvm_clock_ns(void);

#endif /* PVS_KVM_PRIVATE_H */
