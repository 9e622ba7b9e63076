/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - the host's hardware and what it runs: CPUs and threads.
 *
 *   body (a vCPU's guest, or a host task)  what a thread does when it has a CPU
 *   machine                                who runs where, for how long, at what cost
 *   scheduler (sched.h)                    who is next
 *   role (role.h)                          what is made of the guest's hints
 *
 * The machine owns the state of a thread, all clocks and all costs. A scheduler keeps its queues
 * and says who is next; a role changes a thread's class. Neither starts or stops anything itself.
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include "engine.h"

#define SIM_CPUS_MAX 64u
#define SIM_LEVELS_MAX 16u
#define SIM_NAME 40u

struct sim_cpu;
struct sim_thread;
struct sim_vcpu;

/* ---- costs ------------------------------------------------------------------------------------*/

/* What things cost, in ns of CPU time at full capability. Defaults and sources in machine.c. */
struct sim_costs {
	uint64_t switch_ns;     /* context switch, paid by who comes in */
	uint64_t ipi_ns;        /* from one host CPU to another, in flight */
	uint64_t exit_ns;       /* guest -> hypervisor -> guest */
	uint64_t hypercall_ns;  /* the same with an answer */
	uint64_t mmio_user_ns;  /* answered in user space */
	uint64_t vipi_ns;       /* a virtual IPI, paid by the sender */
	uint64_t inject_ns;     /* an interrupt delivered, paid by the receiver */
	uint64_t wake_ns;       /* a blocked thread woken, until it is on a queue */
	uint64_t knob_ns;       /* an advisory host turns its knob (sched_setattr) */
	uint64_t look_ns;       /* a checkpoint: snapshot, decide */
	uint64_t migrate_ns;    /* a cold cache after a change of CPU */
	uint64_t timer_slack_ns;/* timers of the host are late by up to this */
};

/* The defaults, with their sources. */
void sim_costs_default(struct sim_costs *costs);

/* ---- CPUs -------------------------------------------------------------------------------------*/

struct sim_level {
	uint32_t khz;
	uint32_t speed;    /* work per ns, in 1/1024 of the most capable CPU at its highest level */
	uint32_t power_mw; /* while busy at this level */
};

struct sim_cpu {
	uint32_t id;
	uint32_t capacity; /* 1..1024: speed at the highest level */
	uint32_t level;
	uint32_t level_count;
	struct sim_level levels[SIM_LEVELS_MAX]; /* ascending */
	uint32_t idle_mw;
	uint8_t online;
	uint8_t resched_pending; /* an IPI is in flight, or a decision is due */
	uint8_t ticking;

	struct sim_thread *curr; /* NULL: idle */
	uint64_t curr_since_ns;  /* its run time is charged up to here */
	uint64_t work_from_ns;   /* its body has been told of the work done up to here */
	uint64_t overhead_until_ns; /* it does no work before: switch and other costs */
	uint64_t step_work;      /* asked for by its body, less what is done; or SPIN */
	uint32_t work_rest;      /* of the work done, in 1/1024 ns */
	uint8_t asking;          /* its body is being asked */
	uint64_t slice_end_ns;
	struct sim_timer step;   /* the body's step or the slice ends */
	struct sim_timer resched;
	struct sim_timer tick;

	/* sums; they always add up to the time since the start */
	uint64_t busy_ns, idle_ns, offline_ns;
	uint64_t since_ns;       /* those are of now at this time */
	uint64_t energy_nj;      /* mW * us */
	uint64_t switches, migrations_in, ipis;
	void *rq;                /* the scheduler's */
};

/* ---- threads ----------------------------------------------------------------------------------*/

enum sim_state { SIM_BLOCKED, SIM_READY, SIM_RUNNING };

/* What a body wants next, instead of an amount of work. */
#define SIM_WORK_BLOCK (UINT64_MAX - 1) /* nothing to do: it blocks until sim_wake() */
#define SIM_WORK_YIELD (UINT64_MAX - 2) /* it lets others go first */
#define SIM_WORK_SPIN  (UINT64_MAX - 3) /* it works on until sim_poke() says otherwise */

struct sim_body {
	/* It has a CPU: what it does from now on; asked again when that is done, when it gets a
	 * CPU again, and after sim_poke(). Amount of work, in ns at full capability (1 or more), or
	 * SIM_WORK_*. May wake others, never itself. */
	uint64_t (*next)(struct sim *sim, struct sim_thread *t);
	/* It has done this much of it. */
	void (*did)(struct sim *sim, struct sim_thread *t, uint64_t work_ns);
	/* It gets (1) or loses (0) a CPU; why: SIM_STOP_*. May be NULL. */
	void (*runs)(struct sim *sim, struct sim_thread *t, int on, uint32_t why);
};

struct sim_thread {
	uint32_t id;             /* place in sim->threads */
	char name[SIM_NAME];
	enum sim_state state;
	struct sim_cpu *cpu;     /* where it runs or waits, or ran last; NULL before that */
	struct sim_cpu *ran_on;  /* where it ran last */
	uint8_t queued;          /* it is in its scheduler's queue */
	uint8_t poked;           /* its body is to be asked again */
	uint64_t affinity;       /* bit n: may run on CPU n */
	uint32_t weight;         /* of the host's scheduler, 1024 = nice 0 */
	uint32_t slice_ns;       /* wish for a fair host, 0 = its base slice */
	uint8_t rt_prio;         /* static real-time: 1..99, 0 = not */
	uint8_t idle_policy;     /* 1: SCHED_IDLE */
	uint8_t cap_q8;          /* reserved, 0 */

	const struct sim_body *body;
	void *ctx;               /* the body's */
	struct sim_vcpu *vcpu;   /* NULL: a host task */

	/* what a role made of it: PVS_CLASS_* and so on; baseline when there is none */
	uint8_t klass, rank, reason;
	uint32_t weight_q10;
	uint64_t boost_since_ns;

	uint64_t overhead_ns;    /* to be spent before its body goes on */
	uint64_t asked_ns, work_ns; /* ever: by sim_overhead(); told to its body */
	uint64_t since_ns;       /* in this state */
	uint64_t run_ns, wait_ns, blocked_ns; /* up to since_ns; sim_thread_run_ns() is of now */
	uint64_t boosted_ns;     /* of run_ns, above baseline */
	uint64_t preempted, wakeups, migrations;
	struct sim_hist *waits;  /* each time it waited for a CPU */
	uint64_t wait_max_ns;
	struct sim_timer wake;   /* a wake-up in flight */
	void *entity;            /* the scheduler's */
};

/* A new thread, blocked, on no CPU. Whoever makes it fills in affinity, weight, rt_prio and vcpu,
 * then calls sim_thread_start() once, which attaches it to the scheduler, and sim_wake(). */
struct sim_thread *sim_thread_new(struct sim *sim, const char *name, const struct sim_body *body,
				  void *ctx);
void sim_thread_start(struct sim *sim, struct sim_thread *t);

/* ---- what bodies, schedulers and roles may do -------------------------------------------------*/

/* It becomes runnable; nothing if it is. Takes costs.wake_ns in flight. */
void sim_wake(struct sim *sim, struct sim_thread *t);
/* What its body would answer has changed (an interrupt came, a lock is free): asks again if it
 * runs. */
void sim_poke(struct sim *sim, struct sim_thread *t);
/* The CPU decides anew: at once when `from` is the same CPU or NULL, else after an IPI. */
void sim_resched(struct sim *sim, struct sim_cpu *cpu, const struct sim_cpu *from);
/* The thread is charged for this much CPU time before its body goes on. */
void sim_overhead(struct sim *sim, struct sim_thread *t, uint64_t ns);
/* A role decided: class, rank, weight. Tells the scheduler, which may resched. */
void sim_set_class(struct sim *sim, struct sim_thread *t, uint32_t klass, uint32_t rank,
		   uint32_t weight_q10, uint32_t reason);
/* A waiting thread goes to another CPU's queue (load balancing, hotplug). */
void sim_migrate(struct sim *sim, struct sim_thread *t, struct sim_cpu *to);
/* Another performance level for a CPU. */
void sim_set_level(struct sim *sim, struct sim_cpu *cpu, uint32_t level);
void sim_cpu_online(struct sim *sim, struct sim_cpu *cpu, int online);
/* Other CPUs it may use from now on. */
void sim_set_affinity(struct sim *sim, struct sim_thread *t, uint64_t affinity);

/* sim.c's: the CPUs of the scenario. */
void sim_machine_init(struct sim *sim);
void sim_machine_free(struct sim *sim);

uint64_t sim_thread_run_ns(const struct sim *sim, const struct sim_thread *t);
uint64_t sim_thread_wait_ns(const struct sim *sim, const struct sim_thread *t);
/* Its current CPU's time is charged and its body told, up to now. */
void sim_settle(struct sim *sim, struct sim_cpu *cpu);

static inline int sim_may_run(const struct sim_thread *t, const struct sim_cpu *cpu)
{
	return cpu->online && (t->affinity >> cpu->id & 1);
}

#endif /* SIM_MACHINE_H */
