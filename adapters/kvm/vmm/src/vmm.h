/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmm.h - a small VMM on /dev/kvm, the worked example for VMM authors.
 *
 * Read in this order: main.c (what happens, top to bottom), vm.c and vcpu.c (a virtual machine,
 * with the region as a memory slot and doorbells that never leave the kernel), control.c (the
 * library at work: one thread, one loop, one struct pvs_host for each VM), report.c (JSON).
 *
 * Functions that can fail return 0, or -1 after they have said on stderr what went wrong.
 */
#ifndef VMM_H
#define VMM_H

#include <pvs/adapter.h>
#include <pvs/kvm.h>
#include <pvs/vmm_guest.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include <uv.h>

struct kvm_run;

#define VMM_VMS_MAX   32u
#define VMM_NAME_SIZE 16u
#define VMM_CPU_ANY   (-1)

/* What is done with the hints. */
enum vmm_mode {
	VMM_OFF,       /* no library: every vCPU an ordinary thread */
	VMM_STATIC_RT, /* no library: VMs marked rt=1 run at a real-time priority, always */
	VMM_ON,        /* the library decides */
	VMM_MEASURE,   /* the library decides and counts, and changes nothing */
};

enum vmm_samples {
	VMM_SAMPLES_NONE,
	VMM_SAMPLES_HIST,
	VMM_SAMPLES_RAW,
};

/* ---- options.c ------------------------------------------------------------------------------- */

struct vm_options {
	char name[VMM_NAME_SIZE];
	enum pvs_vmm_work work;
	unsigned vcpus;
	int cpu;             /* all vCPUs of it are pinned here; VMM_CPU_ANY: nowhere */
	bool rt;             /* VMM_STATIC_RT raises it */
	bool hints;          /* the guest speaks */
	uint64_t period_ns;
	uint64_t work_ns;    /* per period */
	uint64_t held_ns;
	uint64_t outside_ns;
	uint64_t spin_ns;
	uint64_t refill_ns;
	uint64_t ring_ns;
	uint32_t level;
	uint32_t window_us;
};

struct vmm_options {
	enum vmm_mode mode;
	enum vmm_samples samples;
	const char *image;   /* file of the guest image */
	const char *json;    /* file of the report, "-" = stdout */
	uint64_t warmup_ns;
	uint64_t run_ns;     /* the measured interval */
	uint64_t seed;
	uint32_t insns_per_us;    /* undisturbed speed of the guest's loop; 0 = measure it here */
	uint32_t entitlement_q16; /* of each vCPU; 0 = by how many vCPUs share its CPU */
	bool entitlement_learned; /* none is configured: the library learns it */
	bool host_check;
	struct pvs_config config;
	unsigned vm_count;
	struct vm_options vms[VMM_VMS_MAX];
};

/* 0; 1 when there is nothing left to do (--help); -1. */
int options_parse(struct vmm_options *options, int argc, char **argv);
const char *options_mode_name(enum vmm_mode mode);
const char *options_work_name(enum pvs_vmm_work work);

/* ---- vcpu.c ---------------------------------------------------------------------------------- */

/* Why a vCPU runs no more. */
enum vcpu_end {
	VCPU_RUNS,
	VCPU_DONE,     /* its workload ended */
	VCPU_FAULT,    /* the guest reported an exception */
	VCPU_SHUTDOWN, /* triple fault */
	VCPU_ERROR,    /* KVM could not go on */
	VCPU_END_COUNT,
};

/* Everything that is counted, at one moment. */
struct vcpu_sample {
	uint64_t run_ns;  /* CPU time of the thread */
	uint64_t wait_ns; /* runnable, but not running */
	uint64_t work;
	uint64_t burned;
	struct pvs_vcpu core;
};

/* The doorbell of one vCPU; control.c. */
struct bell {
	int fd;             /* eventfd, signalled by KVM */
	uv_poll_t poll;
	uint64_t opens_ns;  /* not looked at before this time */
	bool shut;
	uint64_t rings;
	uint64_t storms;
};

struct vcpu {
	struct vm *vm;
	unsigned index;
	int fd;
	struct kvm_run *run;
	size_t run_size;

	pthread_t thread;
	bool started;
	pid_t tid;
	clockid_t clock;
	sem_t go;            /* posted when the vCPU may enter the guest */
	atomic_bool stop;
	atomic_int end;      /* enum vcpu_end */
	int detail;          /* VCPU_FAULT: vector; VCPU_ERROR: KVM's exit reason */

	struct pvs_kvm_thread knobs; /* what the library turns */
	uint32_t entitlement_q16;
	struct bell bell;
	struct vcpu_sample from;
	struct vcpu_sample to;
};

int vcpu_create(struct vcpu *vcpu, struct vm *vm, unsigned index);
void vcpu_destroy(struct vcpu *vcpu);

/* The thread starts, pins itself and waits for `go`. */
int vcpu_start(struct vcpu *vcpu);
/* Tells the adapter how the vCPU is taken out of the guest. */
void vcpu_kick_setup(struct vcpu *vcpu);
/* It leaves the guest and ends, whatever the guest does. Asking does not wait for that. */
void vcpu_ask_to_stop(struct vcpu *vcpu);
void vcpu_stop(struct vcpu *vcpu);

/* The guest's time stamp counter, now. */
int vcpu_tsc(const struct vcpu *vcpu, uint64_t *tsc);
int vcpu_tsc_khz(const struct vcpu *vcpu, uint32_t *khz);

void vcpu_sample(const struct vcpu *vcpu, struct vcpu_sample *sample);

/* ---- vm.c ------------------------------------------------------------------------------------ */

struct vm {
	struct vmm *vmm;
	const struct vm_options *options;
	int fd;
	unsigned char *ram;
	size_t ram_size;
	void *region;
	size_t region_size;
	unsigned vcpu_count;
	struct vcpu *vcpus;

	/* the library's side of it */
	struct pvs_host host;
	struct pvs_host_vcpu *host_vcpus;
	struct pvs_kvm_vm timer;
	uint64_t armed_ns;   /* the library wants to look again then */
};

int vm_create(struct vm *vm, struct vmm *vmm, const struct vm_options *options);
void vm_destroy(struct vm *vm);

/* Fills the boot block: the guests may run, and all begin their work `start_ns` from now. */
int vm_boot(struct vm *vm, uint64_t start_ns);

/* The result area and samples of a vCPU. The guest writes there: read, never believe. */
const volatile struct pvs_vmm_result *vm_result(const struct vm *vm, unsigned index);
const volatile uint32_t *vm_samples(const struct vm *vm, unsigned index, uint32_t offset);

/* ---- control.c ------------------------------------------------------------------------------- */

struct control {
	uv_loop_t loop;
	uv_poll_t ended_poll;  /* of ended_fd: a vCPU runs no more */
	int ended_fd;          /* eventfd */
	uv_signal_t terminate[2];
	uv_prepare_t prepare;  /* sets the clock before the loop waits */
	uv_poll_t clock_poll;  /* of clock_fd: everything that is to happen at a time */
	int clock_fd;
	uint64_t clock_ns;     /* what it is set to, 0 = not */
	uint64_t start_ns;     /* CLOCK_MONOTONIC */
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t from_cpu_ns;  /* CPU time of the control thread */
	uint64_t to_cpu_ns;
	uint64_t wakeups;      /* callbacks run */
	bool realtime;
	bool library;          /* hosts are open */
	bool began;            /* the measured interval has begun */
	bool complete;         /* ... and ended in time */
};

/* Runs the machines to their end. */
int control_run(struct vmm *vmm);

/* From a vCPU thread: it has ended. */
void control_vcpu_ended(struct vcpu *vcpu);

/* ---- report.c -------------------------------------------------------------------------------- */

int report_write(const struct vmm *vmm);

/* ---- main.c ---------------------------------------------------------------------------------- */

struct vmm {
	struct vmm_options options;
	int kvm_fd;
	size_t run_size;            /* of struct kvm_run's mapping */
	struct kvm_cpuid2 *cpuid;   /* what KVM supports */
	unsigned char *image;
	size_t image_size;
	uint32_t loops_per_ms;
	struct pvs_kvm knobs;       /* the adapter, once for the process */
	sem_t started;              /* a vCPU thread is ready for `go` */
	struct control control;
	struct vm vms[VMM_VMS_MAX];
	unsigned vm_count;
};

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* "pvs-vmm: <what>: <errno>" on stderr; -1. */
int fail(const char *what);

#endif /* VMM_H */
