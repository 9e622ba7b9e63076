/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvs/kvm.h - the adapter for Linux/KVM from user space: it turns scheduling knobs of vCPU threads,
 * those of its own process (a VMM) or of others (a daemon).
 *
 * In order of a VMM's life:
 *
 *	pvs_kvm_open(&kvm, NULL);              early, before guest memory: probes the knobs
 *	pvs_kvm_vm_open(&vm, &kvm);            for each VM: a timer, vm.timer_fd
 *	args.ops = &pvs_kvm_ops; args.ctx = &vm; args.caps = pvs_kvm_caps(&kvm) | own ones;
 *	pvs_host_init(&host, &args);
 *	pvs_kvm_control_enter(&kvm);           in the control thread: it must outrank the boosted
 *	pvs_kvm_thread_open(&thread, &kvm, getpid(), tid);
 *	pvs_host_attach(&host, index, &thread, apic_id);
 *	... vm.timer_fd readable: pvs_kvm_vm_timer_ack(&vm); pvs_host_timer(&host); ...
 *	pvs_host_close(&host); pvs_kvm_thread_close(&thread); pvs_kvm_vm_close(&vm);
 *	pvs_kvm_close(&kvm);
 *
 * A knob is used only if the way back from it was really walked, on a thread of our own, under the
 * credentials at hand. What a decision becomes:
 *
 *	TASK, CRITICAL   SCHED_FIFO (KNOB_RT): eight ranks each, CRITICAL above TASK; else nice
 *	                 (KNOB_NICE), and the shortest slice (KNOB_SLICE)
 *	BASELINE         what was captured
 *	BELOW            the nice that weighs weight_q10 of the baseline (KNOB_BELOW), else baseline
 *	perf_q10         util_min (KNOB_UCLAMP)
 *
 * SCHED_FLAG_RESET_ON_FORK is set with every change and is no part of the baseline: without
 * CAP_SYS_NICE nobody can clear it again, and all it does at baseline is keep children modest.
 *
 * Threads of our own process need no guard: they die with us. For a thread of another process,
 * pvs_kvm_thread_open() starts a helper process (the guard) which outlives us, even a SIGKILL, and
 * then puts every thread we had changed back. It is forked, so: open the first foreign thread
 * early, or madvise(MADV_DONTFORK) what is large. If the guard dies, the next change forks
 * another one first; if that fails, no change is made (PVS_E_HOST).
 *
 * Threads: pvs_kvm_open/close/control_* are for one thread; a struct pvs_kvm_thread is serialised
 * by its owner; different ones may be used at the same time. Functions return PVS_OK or PVS_E_*.
 */
#ifndef PVS_KVM_H
#define PVS_KVM_H

#include <pvs/adapter.h>

/* What can be turned, and back. */
#define PVS_KVM_KNOB_RT     0x01u /* SCHED_FIFO */
#define PVS_KVM_KNOB_NICE   0x02u /* nice above the baseline */
#define PVS_KVM_KNOB_BELOW  0x04u /* nice below the baseline, to 19 */
#define PVS_KVM_KNOB_SLICE  0x08u /* EEVDF slice, Linux 6.12 and later */
#define PVS_KVM_KNOB_UCLAMP 0x10u /* util_min */
#define PVS_KVM_KNOB_ALL    0x1fu

#define PVS_KVM_REASON_SIZE 160u

/* Zero means the default. */
struct pvs_kvm_options {
	pvs_u32 knobs;                /* of these, what is permitted; 0 = all */
	int counters_only;            /* 1: probe and use nothing */
	pvs_u32 rt_base;              /* lowest SCHED_FIFO priority used, 1..80, default 10: 17
				       * priorities from here, below the kernel's interrupt
				       * threads (50) */
	pvs_u32 timer_granularity_ns; /* 1 us..10 ms, default 50 us: hrtimer and a wake-up */
	pvs_u32 entitlement_q16;      /* configured share of one CPU for each vCPU; 0 = learned */
	pvs_u32 guard_slots;          /* threads of other processes at most, 1..65536, def. 1024 */
};

/* The kernel's struct sched_attr, version 1 (56 bytes); <linux/sched/types.h> of older kernels
 * cannot be included beside <sched.h>. */
struct pvs_kvm_attr {
	pvs_u32 size;
	pvs_u32 policy;
	pvs_u64 flags;
	pvs_s32 nice;
	pvs_u32 priority;
	pvs_u64 runtime_ns; /* fair policies: slice, 0 = the scheduler's own */
	pvs_u64 deadline_ns;
	pvs_u64 period_ns;
	pvs_u32 util_min;
	pvs_u32 util_max;
};

/* What the probe found. */
struct pvs_kvm_range {
	pvs_u32 knobs;        /* PVS_KVM_KNOB_* */
	pvs_u32 rt_base;      /* lowest priority for boosts */
	pvs_u32 rt_levels;    /* 2..16 priorities from there; the control thread is one above */
	pvs_s32 nice_best;    /* best nice with a way back, -20..18 */
	pvs_u64 slice_own_ns; /* what the kernel reports for a thread without a slice of its own;
			       * 0 before Linux 6.12 */
};

struct pvs_kvm_guard; /* private */

/* One for a process. */
struct pvs_kvm {
	struct pvs_kvm_options options; /* resolved */
	struct pvs_kvm_range range;
	struct pvs_kvm_guard *guard;    /* NULL until a foreign thread is opened */
	int privileged;                 /* CAP_SYS_NICE: limits of other processes do not matter */
	int control_ready;              /* pvs_kvm_control_enter() succeeded */
	struct pvs_kvm_attr control_before;
	char reason[PVS_KVM_REASON_SIZE]; /* one line: what is used and why not the rest */
};

/* One for a VM: `ctx` of its struct pvs_host. */
struct pvs_kvm_vm {
	struct pvs_kvm *kvm;
	int timer_fd; /* readable when pvs_host_timer() is due: CLOCK_MONOTONIC, non-blocking */
};

/* One for a vCPU thread: `ctx` of the vCPU. */
struct pvs_kvm_thread {
	struct pvs_kvm *kvm;
	int pid;
	int tid;
	pvs_u64 start_time;     /* of the thread since boot, clock ticks: with tid its identity */
	int schedstat_fd;       /* dies with the thread: reads say ESRCH */
	int clock;              /* clockid_t of the thread's CPU clock; 0 = of another process */
	int perf_fd;            /* task-clock event of a thread of another process, or -1 */
	int other_process;
	int captured;
	struct pvs_kvm_range range;   /* what may be done to this thread */
	struct pvs_kvm_attr baseline;
	struct pvs_kvm_attr set;      /* what we last set; equals baseline when we did not */
	int changed;                  /* `set` is not the baseline */
	int journal;                  /* entry of the guard, -1 = none */
	/* may be filled in by the owner after pvs_kvm_thread_open(), for `kick` */
	int kick_signal;              /* signal whose handler does nothing, 0 = cannot be kicked */
	volatile pvs_u8 *immediate_exit; /* of the vCPU's struct kvm_run, or NULL */
};

/* `ctx` of a vCPU is a struct pvs_kvm_thread, of the host a struct pvs_kvm_vm. */
extern const struct pvs_adapter_ops pvs_kvm_ops;

/* Probes what can be turned; changes nothing that lasts. INVALID, RANGE (options) or HOST; that
 * nothing can be turned is no error. `options` may be NULL. About 1 ms; starts, ends a thread. */
int pvs_kvm_open(struct pvs_kvm *kvm, const struct pvs_kvm_options *options);

/* Ends the guard; every thread must be closed. Idempotent. */
void pvs_kvm_close(struct pvs_kvm *kvm);

/* PVS_CAP_*: SEES_WAIT and SETS_PERF as probed. O(1). */
pvs_u32 pvs_kvm_caps(const struct pvs_kvm *kvm);

/* 1 if any knob can raise a thread; if not, run the host measure-only: a boost that changes
 * nothing would still be charged to the guest. With RT, only after pvs_kvm_control_enter(). O(1) */
int pvs_kvm_can_boost(const struct pvs_kvm *kvm);

/*
 * Makes the calling thread outrank the vCPUs it boosts (SCHED_FIFO, one above): else a busy boosted
 * vCPU on its CPU would keep the timer that ends the boost from running. Without it, threads
 * captured later do without KNOB_RT. PVS_OK, also when RT is not used; PERM; HOST.
 */
int pvs_kvm_control_enter(struct pvs_kvm *kvm);

/* Undoes it, from the same thread. Idempotent. */
void pvs_kvm_control_leave(struct pvs_kvm *kvm);

/* Makes the timer of a VM. PVS_OK or HOST. */
int pvs_kvm_vm_open(struct pvs_kvm_vm *vm, struct pvs_kvm *kvm);
void pvs_kvm_vm_close(struct pvs_kvm_vm *vm);

/* Call when timer_fd is readable, before pvs_host_timer(). */
void pvs_kvm_vm_timer_ack(struct pvs_kvm_vm *vm);

/*
 * Takes a thread, of this process or another; changes nothing yet. With a foreign pid it starts
 * the guard if there is none. PVS_OK, GONE, PERM, NO_SPACE (guard_slots) or HOST.
 *
 * CPU time is exact for threads of this process. The kernel does not show the CPU clock of other
 * processes' threads (EINVAL): theirs is a perf task-clock event where that is permitted, else
 * /proc/<pid>/task/<tid>/schedstat, which is behind by up to a tick while the thread runs; then the
 * granularity reported for it is a tick, and short boosts are refused.
 */
int pvs_kvm_thread_open(struct pvs_kvm_thread *thread, struct pvs_kvm *kvm, int pid, int tid);

/* Restores if need be and lets go. Idempotent. */
void pvs_kvm_thread_close(struct pvs_kvm_thread *thread);

/* ---- is /dev/kvm any good? ------------------------------------------------------------------- */

/* A guest loop slower than native by more than this is refused. Hardware is at 1.0, nested
 * emulation (QEMU's TCG with nested SVM) too; a KVM that interprets is at 100 and more. */
#define PVS_KVM_SLOWDOWN_MAX 10.0

struct pvs_kvm_quality {
	double slowdown;    /* time per guest loop iteration / native; 0 = not measured */
	pvs_u64 iterations; /* measured */
	char reason[PVS_KVM_REASON_SIZE]; /* one line, also when it is good */
};

/*
 * Opens /dev/kvm, runs a small guest loop in a child process and compares it with the same loop
 * natively. PVS_OK: good. NO_SUPPORT: absent, wedges or crawls. PERM. HOST. Never longer than 2 s,
 * whatever the machine does. Call it before guest memory is mapped (it forks).
 */
int pvs_kvm_probe_kvm(struct pvs_kvm_quality *quality);

#endif /* PVS_KVM_H */
