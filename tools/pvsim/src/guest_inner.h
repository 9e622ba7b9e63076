/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_inner.h - what the files of the guest share: nobody else includes it.
 *
 *   program.c  steps of a program, for guest and host tasks
 *   task.c     tasks, their jobs, and the host tasks' bodies
 *   guest.c    VMs and vCPUs: the guest's scheduler, interrupts, the vCPUs' bodies
 *   hints.c    what an honest guest says through the shim, and when
 *   liar.c     what a dishonest one says
 *   device.c   interrupts from outside
 */
#ifndef SIM_GUEST_INNER_H
#define SIM_GUEST_INNER_H

#include "sim.h"

/* ---- what tasks of one VM (or of the host) share ---------------------------------------------*/

struct sim_list {
	struct sim_task *first, *last; /* by task->next */
};

struct sim_lock {
	struct sim_task *holder;
	struct sim_list spinners; /* in the order in which they came */
};

struct sim_sem {
	uint64_t count;
	struct sim_list waiters;
};

/* Requests that nobody has taken yet: when each came. */
struct sim_box {
	uint64_t *at_ns;
	uint32_t head, count, room;
	uint64_t lost; /* there is room for SIM_BOX_MAX */
	struct sim_list waiters;
};

#define SIM_BOX_MAX 65536u

struct sim_world {
	uint32_t lock_count, sem_count, box_count;
	struct sim_lock *locks;
	struct sim_sem *sems;
	struct sim_box *boxes;
};

void sim_list_add(struct sim_list *l, struct sim_task *task);
struct sim_task *sim_list_take(struct sim_list *l);
void sim_list_remove(struct sim_list *l, struct sim_task *task);
/* Makes room for whatever programs of these tasks name. */
void sim_world_fit(struct sim_world *w, const struct sim_task_spec *tasks, uint32_t count);
void sim_world_clear(struct sim_world *w);
void sim_world_free(struct sim_world *w);
/* A request comes. */
void sim_box_put(struct sim *sim, struct sim_box *box, uint64_t at_ns);
/* Gives requests to those who wait for them; they wake up. */
void sim_box_serve(struct sim *sim, struct sim_box *box, struct sim_vcpu *from);

/* ---- vectors ----------------------------------------------------------------------------------*/

/* One bit each; the higher one is handled first, as on an interrupt controller. */
#define SIM_VECTOR_STORM   16u /* a liar's own */
#define SIM_VECTOR_DEVICE  32u /* the n-th device: 32 + n % 24 */
#define SIM_VECTOR_DEVICES 24u
#define SIM_VECTOR_CALL    60u /* somebody spins until this is answered */
#define SIM_VECTOR_RESCHED 61u
#define SIM_VECTOR_TIMER   62u /* of a task */
#define SIM_VECTOR_TICK    63u
#define SIM_VECTORS        64u

/* ---- guests -----------------------------------------------------------------------------------*/

#define SIM_SET_WORDS (SIM_VCPUS_MAX / 64u)

#define SIM_UTIL_SHIFT 20
/* Half after 32 ms of 1.024 us steps, as the original counts. */
#define SIM_UTIL_HALF_NS (32u << 20)

enum sim_bound { SIM_UNBOUND, SIM_BOUND, SIM_HEARD, SIM_DEAF };

/* The guest scheduler's classes, most urgent first. */
enum sim_guest_class { SIM_G_REALTIME, SIM_G_FAIR, SIM_G_BACKGROUND, SIM_G_IDLE, SIM_G_CLASSES };

struct sim_gvcpu {
	struct sim_task *queue;  /* ready to run, the next one first */
	uint32_t queued;
	uint64_t min_vruntime[SIM_G_CLASSES];
	uint64_t slice_left_ns;
	uint8_t resched;         /* another task is next */
	uint8_t dying;           /* goes offline when it can */
	uint8_t polled;          /* it has polled since it halted */
	uint64_t pending;        /* vectors */
	uint64_t callers[SIM_SET_WORDS]; /* vCPUs that spin for an answer from here */
	uint64_t irq_left_ns;    /* of the handler that runs */
	pvs_u64 irq_found;
	uint32_t vector;         /* that it handles */
	uint32_t vmm_left_ns;    /* until it is back from user space */
	uint64_t round_left_ns;  /* of spinning, until the host sees it */
	uint64_t window_ns;      /* how long a round is: it doubles */
	struct sim_list expired; /* tasks whose timers fired */
	struct sim_timer tick, poll, lie;
	uint64_t poll_ns;        /* what it would poll for */
	uint64_t halted_ns;      /* since when */
	/* who sleeps here, by urgency << 4 | level */
	uint16_t sleepers[96];
	uint64_t sleeping[2];
	/* hints */
	struct sim_util util;
	uint32_t life;           /* of the binding that its shim is of */
	uint64_t hint_ok_ns;     /* the next utilisation hint may be made */
	uint32_t said_util;
	uint8_t flip;            /* a liar's */
	uint8_t lying;           /* its words are a liar's: to be cleared */
	uint8_t asks_yield;      /* a liar's spinning */
	struct sim_rng rng;
};

struct sim_gvm {
	struct sim_world world;
	uint32_t first_task, task_count; /* in sim->tasks */
	uint32_t free_tasks;             /* of them not pinned */
	uint64_t idle[SIM_SET_WORDS];    /* vCPUs that are halted */
	uint64_t loaded[SIM_SET_WORDS];  /* vCPUs with tasks that wait */
	uint8_t bound;                   /* enum sim_bound */
	uint32_t life;                   /* +1 with each binding */
	uint64_t retry_ns;               /* bind or ask again from here on */
	uint64_t boot_ns;                /* tasks begin so long after this */
	struct sim_timer boot;
	uint32_t device_count;
	struct sim_device **devices;
};

struct sim_device {
	const struct sim_device_spec *spec;
	struct sim_vm *vm;
	uint32_t vector;
	struct sim_timer timer;
	struct sim_rng rng;
};

/* sim->guest_data */
struct sim_guests {
	struct sim_world host;
	uint32_t device_count;
	struct sim_device *devices;
	uint8_t lose_kicks;
	uint64_t kicks, kicks_lost;
};

static inline struct sim_gvcpu *sim_g(const struct sim_vcpu *v)
{
	return v->guest;
}

static inline struct sim_gvm *sim_gm(const struct sim_vm *vm)
{
	return vm->guest;
}

static inline struct sim_guests *sim_guests(const struct sim *sim)
{
	return sim->guest_data;
}

static inline int sim_measured(const struct sim *sim)
{
	return sim->now_ns >= sim->scenario->warmup_ns;
}

static inline void sim_set_bit(uint64_t *set, uint32_t n)
{
	set[n / 64] |= (uint64_t)1 << (n % 64);
}

static inline void sim_clear_bit(uint64_t *set, uint32_t n)
{
	set[n / 64] &= ~((uint64_t)1 << (n % 64));
}

/* First member of the set, or -1. */
int sim_first_bit(const uint64_t *set);

static inline uint32_t sim_cpu_of(const struct sim_thread *t)
{
	return t->cpu ? t->cpu->id : 0;
}

/* A stream of random numbers that belongs to a name, whatever else there is. */
uint64_t sim_stream(const char *vm, const char *name);

/* ---- task.c -----------------------------------------------------------------------------------*/

/* A task of a VM, or of the host (vm = NULL): `copy` of spec->count. */
struct sim_task *sim_task_new(struct sim *sim, const struct sim_task_spec *spec,
			      struct sim_vm *vm, uint32_t copy);
void sim_host_tasks_init(struct sim *sim);
/* As it was when it was new. */
void sim_task_begin(struct sim_task *task);
/* A job begins, and should have at `due_ns`; is over (SIM_JOB_*). */
void sim_job_begin(struct sim_task *task, uint64_t due_ns);
void sim_job_end(struct sim *sim, struct sim_task *task);
/* So many periods went by without a job. */
void sim_job_missed(struct sim *sim, struct sim_task *task, uint64_t periods);
/* It runs again after it was woken: how late. */
void sim_task_runs(struct sim *sim, struct sim_task *task);
/* It should run: from wherever it sleeps. `from`: the vCPU that wakes it, NULL = none. */
void sim_task_wake(struct sim *sim, struct sim_task *task, struct sim_vcpu *from);

/* ---- program.c --------------------------------------------------------------------------------*/

/* What it does next: work, SIM_WORK_SPIN (task->spinning: waits for a lock or answers),
 * SIM_WORK_BLOCK (it sleeps, has stopped, or is elsewhere), SIM_WORK_YIELD. */
uint64_t sim_program_next(struct sim *sim, struct sim_task *task);
void sim_program_did(struct sim *sim, struct sim_task *task, uint64_t work_ns);

/* ---- guest.c ----------------------------------------------------------------------------------*/

void sim_guest_wake(struct sim *sim, struct sim_task *task, struct sim_vcpu *from);
/* It sleeps from now on; called for the task that runs. */
void sim_guest_sleep(struct sim *sim, struct sim_task *task);
void sim_guest_expired(struct sim *sim, struct sim_task *task);
/* Steps that only guests have. Answers to wait for. */
uint32_t sim_guest_ipi(struct sim *sim, struct sim_task *task, uint32_t to, int wait);
void sim_guest_move(struct sim *sim, struct sim_task *task, uint32_t to);
int sim_guest_yields(struct sim *sim, struct sim_vcpu *v, uint32_t type);
void sim_guest_irqs(struct sim *sim, struct sim_vcpu *v, int off);
/* Tells the role, and settles before. */
void sim_guest_tell(struct sim *sim, struct sim_vcpu *v, uint32_t type, uint32_t arg);
void sim_guest_enqueue(struct sim *sim, struct sim_vcpu *v, struct sim_task *task, int woken);
int sim_guest_preemptible(const struct sim_vcpu *v);

/* ---- hints.c ----------------------------------------------------------------------------------*/

/* Binds, waits for the host, opens the slot: until that is done. */
void sim_hint_open(struct sim *sim, struct sim_vcpu *v);
void sim_hint_tick(struct sim *sim, struct sim_vcpu *v);
/* Says what runs here now, or that nothing does. `again`: also when nothing is new. */
void sim_hint_publish(struct sim *sim, struct sim_vcpu *v, int again);
void sim_hint_crit(struct sim *sim, struct sim_vcpu *v, pvs_u64 set, pvs_u64 clear);
void sim_hint_waits(struct sim *sim, struct sim_vcpu *v);
void sim_hint_waits_no_more(struct sim *sim, struct sim_vcpu *v);
/* Does what a function of the shim asked for. */
void sim_hint_ring(struct sim *sim, struct sim_vcpu *v, int rc);
void sim_hint_doorbell(struct sim *sim, struct sim_vcpu *v);
/* The clock of a vCPU: it stands while the host lets it wait. */
uint64_t sim_hint_clock(const struct sim *sim, const struct sim_vcpu *v);
/* Utilisation: before `task` (or idle) gives way to another. */
void sim_util_update(const struct sim *sim, struct sim_vcpu *v);
/* It runs again: what it did not run meanwhile counts. */
void sim_util_resumes(const struct sim *sim, struct sim_task *task);
void sim_util_move(struct sim *sim, struct sim_task *task, struct sim_vcpu *to);
void sim_hint_forget(struct sim_vm *vm);

/* ---- liar.c -----------------------------------------------------------------------------------*/

int sim_lies(const struct sim *sim, const struct sim_vm *vm);
void sim_liar_boot(struct sim *sim, struct sim_vm *vm);
/* Instead of the truth. */
void sim_liar_intent(const struct sim *sim, struct sim_vcpu *v, struct pvs_guest_intent *in);
/* After the truth. */
void sim_liar_words(struct sim *sim, struct sim_vcpu *v);

/* ---- device.c ---------------------------------------------------------------------------------*/

void sim_devices_init(struct sim *sim);
/* The handler of `vector` on `v`: requests go to who waits for them. */
void sim_devices_handle(struct sim *sim, struct sim_vcpu *v, uint32_t vector);

#endif /* SIM_GUEST_INNER_H */
