/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.h - what runs: programs, tasks, and small guest operating systems that put tasks on vCPUs
 * and say through the real guest shim (pvs/guest.h) what these need.
 */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include <pvs/guest.h>

#include "machine.h"

#define SIM_VCPUS_MAX 256u /* of one VM */

/* ---- programs ---------------------------------------------------------------------------------*/

/* A program is a list of steps that repeats for ever; guest and host tasks have the same ones. */
enum sim_op {
	SIM_OP_RUN,      /* computes for `dist`, at full capability */
	SIM_OP_SLEEP,    /* sleeps for `dist` */
	SIM_OP_PERIOD,   /* sleeps until the next multiple of dist.a: ends a job, begins one */
	SIM_OP_UNTIL,    /* computes until `arg2` ns after a multiple of dist.a, host time */
	SIM_OP_LOCK,     /* takes spinlock `arg` of its VM: spins until it has it */
	SIM_OP_UNLOCK,
	SIM_OP_IPI,      /* to vCPU `arg` (or SIM_IPI_*) of its VM; `arg2` & 1: spins until all have
			  * answered */
	SIM_OP_SIGNAL,   /* adds 1 to semaphore `arg` of its VM */
	SIM_OP_WAIT,     /* sleeps until it can take 1 from it */
	SIM_OP_RECV,     /* sleeps until a request is in mailbox `arg`: begins a job as old as it */
	SIM_OP_DONE,     /* ends the job: one more completed; response time is recorded */
	SIM_OP_YIELD,    /* gives its vCPU's CPU away (SCHEDOP_yield, hypercall) */
	SIM_OP_REPEAT,   /* back to step `arg` until it has done so dist.a times */
	SIM_OP_URGENCY,  /* its urgency is `arg` (class << 4 | level) from here on */
	SIM_OP_HINT,     /* publishes once more, whatever has changed (dist.a times in a row) */
	SIM_OP_IRQSOFF,  /* interrupts off ... */
	SIM_OP_IRQSON,   /* ... and on */
	SIM_OP_MOVE,     /* to vCPU `arg` (SIM_IPI_RANDOM: any) of its VM */
	SIM_OP_STOP      /* never again */
};

#define SIM_IPI_RANDOM 0xfffeu /* any other vCPU that is online */
#define SIM_IPI_ALL    0xffffu /* all others */

struct sim_step {
	uint8_t op;
	uint32_t arg;
	uint64_t arg2;
	struct sim_dist dist;
};

#define SIM_STEPS_MAX 32u

/* A task as a scenario describes it. */
struct sim_task_spec {
	char name[SIM_NAME];
	uint32_t count;       /* so many of it: name.0, name.1 ... when more than 1 */
	uint32_t vcpu;        /* where it begins; the n-th on vcpu + n (modulo) */
	uint8_t pinned;       /* 1: it stays there */
	uint8_t urgency;      /* PVS_URGENCY_*: what the guest's scheduler knows, and says */
	uint8_t level;
	uint8_t nice_weight_known;
	uint32_t weight;      /* in its guest or on the host, 1024 = nice 0 */
	uint32_t rt_prio;     /* host tasks alone: SCHED_FIFO */
	uint32_t slice_ns;    /* ... and their wish for a fair host, 0 = its base slice */
	uint32_t window_us;   /* boost window it asks for, 0 = none */
	uint64_t start_ns;    /* first step at this time */
	uint64_t stop_ns;     /* no steps after it, 0 = never */
	uint64_t deadline_ns; /* of a job; 0 = its period */
	uint64_t affinity;    /* host tasks: host CPUs, 0 = all */
	uint32_t step_count;
	struct sim_step steps[SIM_STEPS_MAX];
};

/* What is measured of a task. */
struct sim_task_stats {
	uint64_t jobs, misses, loops;
	uint64_t work_ns;         /* computed, in ns at full capability */
	uint64_t spin_ns;         /* of its vCPU's CPU time */
	uint64_t lock_taken;
	uint64_t held_preempted;  /* its vCPU lost the CPU while it held a lock */
	struct sim_hist wakeup;   /* from when it should run to when it does */
	struct sim_hist response; /* from when its job began to when it was done */
	struct sim_hist lock;     /* from asking for a lock to having it */
	struct sim_hist ipi;      /* from sending to the last answer */
};

/* Half after 32 ms of 1.024 us steps, as Linux tracks utilisation. */
struct sim_util {
	uint64_t value; /* 0..1024, times 1 << 20 */
	uint64_t at_ns; /* of the clock of its vCPU */
};

#define SIM_SPINS_LOCK 1u
#define SIM_SPINS_IPI  2u

enum sim_task_state { SIM_TASK_READY, SIM_TASK_RUNNING, SIM_TASK_SLEEPING, SIM_TASK_STOPPED };

struct sim_task {
	uint32_t id;            /* place in sim->tasks */
	char name[SIM_NAME];
	const struct sim_task_spec *spec;
	struct sim_vm *vm;      /* NULL: a host task */
	struct sim_vcpu *vcpu;  /* where it is */
	struct sim_thread *thread; /* host tasks */
	enum sim_task_state state;
	uint8_t urgency, level;
	uint8_t spinning;       /* SIM_SPINS_*, 0 = not */
	uint8_t irqs_off;
	uint8_t mid;            /* its step has begun */
	uint8_t woken;          /* and has not run since */
	uint8_t in_job;
	uint8_t looped;         /* it has just begun its program anew */
	uint8_t sleeps_as;      /* urgency << 4 | level */
	uint32_t locks_held;
	uint32_t home;          /* vCPU of its beginning, modulo their number */
	uint32_t weight;
	uint32_t pc;
	uint32_t repeated[SIM_STEPS_MAX];
	uint64_t left_ns;       /* of a RUN step */
	uint64_t until_ns;      /* end of an UNTIL step */
	uint64_t period_ns;     /* of its last PERIOD step */
	uint64_t vruntime;      /* in its guest */
	uint64_t due_ns;        /* its job began (or should have) */
	uint64_t ready_ns;      /* it has been ready since; for `wakeup` */
	uint64_t spin_from_ns;
	uint64_t answers_left;
	struct sim_util util;
	struct sim_rng rng;
	struct sim_timer timer;
	struct sim_task *next;  /* in whatever list it waits */
	struct sim_task_stats stats;
};

/* ---- VMs --------------------------------------------------------------------------------------*/

/* Whether what the guest says is true. */
enum sim_liar {
	SIM_HONEST,
	SIM_SILENT,          /* has no shim: says nothing */
	SIM_ALWAYS_CRITICAL, /* real-time, level 15, every critical bit, all the time */
	SIM_FLIP,            /* its urgency goes up and down each liar_ns */
	SIM_KICK_STORM,      /* rings its doorbell each liar_ns */
	SIM_IRQ_STORM,       /* interrupts itself each liar_ns and never acknowledges */
	SIM_WAIT_NOBODY,     /* says it waits for a vCPU that is not there, and spins */
	SIM_UTIL_MAX,        /* util 1024, always */
	SIM_STALE_EPOCH,     /* names targets with epochs long gone */
	SIM_MALFORMED,       /* random words */
	SIM_DONT_DESCHED     /* asks never to be preempted */
};

struct sim_vm_spec {
	char name[SIM_NAME];
	uint32_t count;          /* so many of it */
	uint32_t vcpus;
	uint32_t weight;         /* of each vCPU on the host, 1024 = nice 0 */
	uint32_t entitlement_q16;/* configured share of a CPU for each vCPU; 0 = not configured */
	uint32_t rt_prio;        /* under a static real-time policy */
	uint64_t affinity;       /* host CPUs, 0 = all */
	uint8_t pin;             /* 1: vCPU n on host CPU n modulo their number */
	uint8_t liar;            /* enum sim_liar */
	uint64_t liar_ns;
	uint32_t guest_hz;       /* its tick while it is not idle, 0 = tickless */
	uint64_t tick_work_ns;   /* what a tick costs it */
	uint64_t irq_work_ns;    /* what an interrupt handler costs it */
	uint64_t guest_slice_ns; /* of its own scheduler, default 3 ms */
	uint64_t halt_poll_ns;   /* host polls before a halted vCPU blocks; 0 = not */
	uint8_t halt_poll_grow;  /* 1: adapts, as kvm does */
	uint64_t hint_cost_ns;   /* publishing costs it this (hypercall, MMIO); 0 = a store */
	uint32_t hint_rate_hz;   /* at most so many utilisation hints a second, 0 = no limit */
	uint32_t ple_window_ns;  /* until the host sees it spin; 0 = 1.3 us (4096 cycles) */
	uint32_t locks;          /* spinlocks it has */
	uint32_t task_count;
	struct sim_task_spec *tasks;
};

/* Interrupts that come from outside: requests for a mailbox, or noise. */
struct sim_device_spec {
	char name[SIM_NAME];
	char vm[SIM_NAME];
	uint32_t vcpu;           /* SIM_IPI_RANDOM: any */
	uint32_t mailbox;        /* SIM_NO_MAILBOX: noise */
	uint64_t start_ns, stop_ns;
	uint32_t burst;          /* so many at once, 0 = 1 */
	struct sim_dist every;
};

#define SIM_NO_MAILBOX 0xffffffffu

struct sim_vcpu {
	struct sim_vm *vm;
	uint32_t index;
	struct sim_thread *thread;
	struct pvs_guest_vcpu shim;
	uint8_t online;
	uint8_t halted;        /* its guest has nothing to do */
	uint8_t polling;       /* and the host polls for it */
	uint8_t in_kernel;     /* as the host would see it when it is preempted */
	uint8_t in_vmm;        /* a device is being emulated in user space */
	uint8_t in_irq;
	uint8_t irq_pending;   /* an interrupt waits for it */
	uint8_t yield_asked;   /* the host put a preemption off: yield when the section is over */
	struct sim_task *curr; /* guest task, NULL: idle */
	void *guest;           /* guest.c's own: run queue, pending interrupts, ... */
	void *role;            /* the role's own */
	void *yield;           /* the yielder's own */
};

struct sim_vm {
	uint32_t id;
	char name[SIM_NAME];
	const struct sim_vm_spec *spec;
	uint32_t vcpu_count;
	struct sim_vcpu *vcpus;
	struct pvs_region_header *header; /* set by role->vm_up(); NULL: nobody listens */
	void *slots;
	uint64_t slots_bytes;
	struct pvs_guest shim;
	uint32_t generation;
	void *guest;           /* guest.c's own: locks, semaphores, mailboxes */
	void *role;
	void *yielder;
};

/* What the machine and roles call. */
void sim_guest_init(struct sim *sim);   /* makes VMs, vCPUs, tasks and devices of the scenario */
void sim_guest_free(struct sim *sim);
extern const struct sim_body sim_vcpu_body;
extern const struct sim_body sim_host_task_body;
/* Reset: the guest begins anew. Rebind: it goes on after a migration, hints are bound anew. */
void sim_vm_reset(struct sim *sim, struct sim_vm *vm);
void sim_vm_rebind(struct sim *sim, struct sim_vm *vm);
void sim_vcpu_hotplug(struct sim *sim, struct sim_vcpu *v, int online);
/* An interrupt for a vCPU: from a device, an IPI, a kick that was not lost. */
void sim_vcpu_interrupt(struct sim *sim, struct sim_vcpu *v, uint32_t vector);
/* Doorbells get lost from now on (1) or not (0). */
void sim_guest_lose_kicks(struct sim *sim, int on);

#endif /* SIM_GUEST_H */
