/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * roles.h - what the roles that run libpvsched share: a region for each VM, struct pvs_host on top
 * of the null adapter, accounts that survive a reset or migration, defects, and the report.
 */
#ifndef SIM_ROLES_H
#define SIM_ROLES_H

#include <pvs/null.h>

#include "dvfs.h"
#include "sim.h"

struct role_vm;

/* One vCPU. `null` comes first: a pointer to it is the `ctx` of the adapter's operations. */
struct role_vcpu {
	struct pvs_null_vcpu null;
	struct sim *sim;
	struct sim_vcpu *v;
	struct role_vm *rvm;
	struct pvs_saved saved;
	int has_saved;
	uint64_t sampled_ns;      /* SIM_DEFECT_SAMPLED: what ticks saw it run */
	uint64_t raised_run_ns;   /* its run time when it was boosted last */
	uint64_t stuck_ns;        /* SIM_DEFECT_NO_DEBOOST: boosted for nothing, at the end of it */
	struct sim_timer stuck;
	struct sim_timer look;    /* owning: when to look again; advisory: a ring is served */
	struct sim_timer knob;    /* advisory: the knob has been turned */
	struct pvs_decision turn; /* ... to this */
	uint64_t bell_opens_ns;   /* rings before this wait */
	int bell_shut;            /* one waits */
	uint32_t reason_seen;     /* the last denial that was recorded */
	uint64_t seen_run_ns, seen_wait_ns; /* for facts.contention: at the last one */
	uint32_t contention;
	void *own;                /* of one role */
};

/* One VM. */
struct role_vm {
	struct pvs_host host;
	struct pvs_null null;     /* the clock of pvs_null_ops */
	struct sim *sim;
	struct sim_vm *vm;
	struct pvs_host_vcpu *cores;
	struct role_vcpu *vcpus;
	unsigned char *region;
	uint64_t region_size;
	uint32_t generation;
	int up;
	int keep;                 /* SIM_DEFECT_NO_RESTORE, during a reset */
	struct sim_timer timer;   /* advisory: what the host armed */
	struct pvs_counters past; /* of earlier lives */
	struct pvs_host_counters past_host;
	struct pvs_counters warm; /* ... of all until the warm-up was over */
	struct pvs_host_counters warm_host;
};

struct roles {
	const struct pvs_adapter_ops *ops;
	struct pvs_config config; /* with what a defect changes */
	uint32_t caps;
	uint32_t granularity_ns;
	uint64_t late_ns;         /* timers are late by up to this */
	int polled;               /* nobody needs a timer to be looked at again */
	uint32_t vm_count;
	struct role_vm **vms;
	struct sim_timer warm;
	void (*warmed)(struct sim *sim); /* the warm-up is over; may be NULL */
	void *own;                /* of one role */
};

static inline struct roles *roles_of(const struct sim *sim)
{
	return sim->role_data;
}

static inline struct pvs_host_vcpu *roles_core(const struct role_vcpu *rv)
{
	return &rv->rvm->cores[rv->v->index];
}

/* Makes sim->role_data. */
struct roles *roles_init(struct sim *sim, const struct pvs_adapter_ops *ops, uint32_t caps);
void roles_free(struct sim *sim);
void roles_vm_up(struct sim *sim, struct sim_vm *vm);
void roles_vm_down(struct sim *sim, struct sim_vm *vm);
void roles_report(struct sim *sim);
/* Adds to `pvs.NAME` and `pvs.VM.NAME`. */
void roles_row(struct sim *sim, const struct role_vm *rvm, enum sim_unit unit, uint64_t value,
	       const char *name);

/* The role's own of this vCPU, attached if it is there; NULL: none of ours. */
struct role_vcpu *roles_vcpu(struct sim *sim, struct sim_vcpu *v);
/* One event goes through struct pvs_host. */
void roles_step(struct role_vcpu *rv, uint32_t type, uint32_t arg);
/* ATTACH and DETACH. 1: that was all. */
int roles_plug(struct role_vcpu *rv, uint32_t type);
/* The guest was reset: to be called for each vCPU. */
void roles_reset(struct role_vcpu *rv);
/* A decision comes into force: class, rank and weight of the thread. */
void roles_set(struct role_vcpu *rv, const struct pvs_decision *d);
/* What its decision says of performance. */
void roles_perf(struct role_vcpu *rv, const struct pvs_decision *d);
/* 1: the words have changed since the last step. */
int roles_changed(const struct role_vcpu *rv);
/* Arms a timer of the host: `at_ns` is of the host's clock; late as timers are. */
void roles_arm(struct sim *sim, struct sim_timer *timer, uint64_t at_ns);
/* The host's clock is set ahead by this much: what was to happen by it happens sooner. */
void roles_clock_ahead(struct sim *sim, uint64_t ns);

/* Operations that a role's table is made of; `ctx` as in pvs/null.h. */
int roles_capture(void *ctx);
int roles_restore(void *ctx);
int roles_now(void *ctx, struct pvs_facts *facts, int sample);
int roles_kick(void *ctx);

/* The VM's own in terms of yields: its last valid words, terms and run epochs. 1: somebody listens
 * and the guest has agreed. */
int roles_hint(struct sim *sim, struct sim_vcpu *v, struct pvs_hint *hint);
uint32_t roles_epoch(struct sim *sim, struct sim_vm *vm, uint32_t index);

/* sched_rank.c: share of one CPU, 1/65536; threads waiting where it runs. */
uint32_t sim_rank_share_q16(const struct sim *sim, const struct sim_thread *t);
uint32_t sim_rank_waiting(const struct sim *sim, const struct sim_thread *t);

/* role_owning.c: what role_central.c adds to. */
void role_owning_look(struct role_vcpu *rv, uint32_t type, uint32_t arg);
void role_owning_event(struct sim *sim, struct sim_vcpu *v, uint32_t type, uint32_t arg);
uint64_t role_owning_defer(struct sim *sim, struct sim_vcpu *v, uint32_t by_class);
void role_owning_init(struct sim *sim);

#endif /* SIM_ROLES_H */
