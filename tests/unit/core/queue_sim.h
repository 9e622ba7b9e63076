/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One CPU, a run queue and a few vCPUs, in virtual time: no clock, no chance, whole numbers. What
 * is simulated is the host around libpvsched; the order is the library's.
 */
#ifndef QUEUE_SIM_H
#define QUEUE_SIM_H

#include <pvs/pvs.h>
#include <pvs/queue.h>

#define SIM_US 1000ull
#define SIM_MS (1000 * SIM_US)
#define SIM_SEC (1000 * SIM_MS)
#define SIM_VCPUS 40

struct sim_vcpu {
	/* set before sim_run() */
	pvs_u64 run_ns;   /* works for so long, then sleeps; 0 = never sleeps */
	pvs_u64 sleep_ns; /* for so long */
	pvs_u64 period_ns;/* instead of sleep_ns: work comes at this pace, and piles up */
	pvs_u64 boost_ns; /* of each piece of work, the first so much is boosted; ~0 = all */
	pvs_u64 irq_ns;   /* beside its work, interrupts boost it for so much run time each */
	pvs_u64 irq_period_ns; /* ... and come at this pace; 0 = none */
	pvs_u8 klass;     /* what it claims then */
	pvs_u8 rank;
	pvs_u32 below_q10;/* weight factor it asks for otherwise; 0 = none */

	/* results */
	pvs_u64 got_ns;
	pvs_u64 worst_ns; /* longest from when work came until it was begun */
	pvs_u64 pieces;   /* of work begun */
	pvs_u64 irq_worst_ns; /* longest from an interrupt until it ran */
	pvs_u64 irq_missed;   /* interrupts that came before the last one was done */

	/* the simulation's own */
	struct pvs_entity e;
	pvs_u64 done_ns;  /* of the piece of work at hand */
	pvs_u64 at_ns;    /* asleep or parked until then */
	pvs_u64 due_ns;   /* when the work at hand has come */
	pvs_u64 turn;     /* order of arrival among equal keys */
	pvs_u64 irq_at_ns;   /* the next interrupt */
	pvs_u64 irq_left_ns; /* boosted run time of the last one */
	pvs_u64 irq_due_ns;  /* when it came; ~0 = it has run */
	int begun;        /* the work at hand */
};

struct sim {
	struct pvs_config cfg;
	struct pvs_queue q;
	pvs_u64 now_ns;
	pvs_u64 slice_ns;
	pvs_u64 idle_ns;
	pvs_u64 turns;
	int count;
	int current; /* -1: idle */
	pvs_u64 ran_ns; /* of the slice at hand */
	struct sim_vcpu v[SIM_VCPUS];
};

/* An empty CPU with slices of 1 ms. `base` is where the queue's virtual time begins. */
void sim_init(struct sim *s, pvs_u64 base);
/* One more vCPU, asleep; its behaviour is set in what is returned. */
struct sim_vcpu *sim_add(struct sim *s, pvs_u32 weight);
/* Lets it go on for so long. */
void sim_run(struct sim *s, pvs_u64 ns);

#endif /* QUEUE_SIM_H */
