/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvs/adapter.h - the porting contract, and the part of an advisory host that is the same
 * everywhere.
 *
 * A host is ported by writing at most six operations. Policy is none of their business: they are
 * told a class, a rank and a weight, and turn one knob. struct pvs_host does the rest: region,
 * negotiation, checkpoints, baseline, measure-only, timers.
 *
 * Threads: a struct pvs_host is serialised by its owner (one control thread, or a lock around
 * every call but pvs_host_post()). The operations are called from inside those calls.
 */
#ifndef PVS_ADAPTER_H
#define PVS_ADAPTER_H

#include <pvs/pvs.h>

/* What `now` is asked for: the host's clock; the vCPU's run time too; its wait time too (then it
 * sets facts.wait_known if it can tell). With SAMPLE_CLOCK its `ctx` is the host's. */
#define PVS_SAMPLE_CLOCK    0
#define PVS_SAMPLE_RUN      1
#define PVS_SAMPLE_RUN_WAIT 2

/*
 * The six operations. `ctx` is the pointer given to pvs_host_attach() for that vCPU; for `arm`,
 * and for `now` with sample = 0, it is pvs_host_args.ctx. All return PVS_OK or a negative PVS_E_*.
 */
struct pvs_adapter_ops {
	/* Remember the baseline, and check that the way back to it is permitted (PVS_E_PERM). */
	int (*capture)(void *ctx);
	/* Make the decision so. First check that nobody else changed what we last set:
	 * PVS_E_FOREIGN, and then touch nothing. PVS_E_GONE when the thread has ended. */
	int (*apply)(void *ctx, const struct pvs_decision *decision);
	/* Back to the captured baseline, if what is set is still ours. Idempotent. */
	int (*restore)(void *ctx);
	/* Fill in the clocks, entitlement and granularity, as far as PVS_SAMPLE_* asks; never
	 * caps, which are those of the host. */
	int (*now)(void *ctx, struct pvs_facts *facts, int sample);
	/* Call pvs_host_timer() at this time (absolute, facts.now_ns clock) or soon after. A later
	 * call replaces an earlier one; PVS_NEVER disarms. May be NULL: the owner polls. */
	int (*arm)(void *ctx, pvs_u64 at_ns);
	/* Make the vCPU leave guest mode, so that it reaches a checkpoint: pvs_host_kick(). May be
	 * NULL. */
	int (*kick)(void *ctx);
};

/* One vCPU of a host. Read it, never write it. */
struct pvs_host_vcpu {
	struct pvs_vcpu core;
	struct pvs_slot *slot;
	void *ctx;
	pvs_u64 recheck_at_ns;        /* PVS_NEVER when detached or foreign */
	struct pvs_snapshot seen;     /* the words of the last step */
	struct pvs_decision decision; /* the last one */
	struct pvs_counters counted; /* its counters of the policy, as far as they are summed */
	pvs_u32 terms_seen; /* pvs_host.terms_count of the last step */
	int attached;
	int foreign;  /* released because somebody else changed the thread */
	int applied;  /* something other than the baseline is in force */
	int settled;  /* the last decision needs nothing but an eye on the words ... */
	pvs_u64 settled_ns; /* ... this often */
};

/* Counters of what the host side did; the policy's own are in struct pvs_vcpu. */
struct pvs_host_counters {
	pvs_u64 steps;     /* checkpoints that went through the core */
	pvs_u64 quiet;     /* polls that found nothing new and went no further */
	pvs_u64 applies;   /* knobs turned */
	pvs_u64 restores;
	pvs_u64 errors;    /* operations that failed, foreign and gone aside */
	pvs_u64 foreign;
	pvs_u64 gone;      /* threads found ended */
	pvs_u64 timers;    /* pvs_host_timer() calls */
	pvs_u64 posts;     /* pvs_host_post() calls, approximate under races */
};

struct pvs_host {
	const struct pvs_adapter_ops *ops;
	void *ctx;                       /* for `arm` and the time of day */
	struct pvs_config config;        /* resolved */
	struct pvs_vm vm;
	struct pvs_region_header *header;
	unsigned char *slots;            /* slot 0 */
	pvs_u32 slot_stride;             /* the host's own copy: never read back */
	pvs_u32 slot_count;
	pvs_u32 caps;                    /* PVS_CAP_* */
	pvs_u32 terms_count;             /* +1 with each change of the negotiation */
	pvs_u32 applied_count;           /* vCPUs with `applied` */
	pvs_u64 armed_at_ns;
	struct pvs_counters totals;      /* of all its vCPUs, also those that have gone */
	pvs_u64 totals_seq;              /* of the header's counter line, even */
	struct pvs_host_counters counters;
	struct pvs_host_vcpu *vcpus;     /* slot_count of them, the caller's memory */
};

/* What a host is made of. */
struct pvs_host_args {
	const struct pvs_adapter_ops *ops;
	void *ctx;                       /* for `arm` and the time of day */
	const struct pvs_config *config; /* resolved and checked here; NULL = defaults */
	void *region;                    /* 4096-aligned, PVS_HEADER_SIZE + count * stride bytes */
	struct pvs_host_vcpu *vcpus;     /* slot_count elements, zeroed here */
	pvs_u32 slot_count;              /* 1..PVS_SLOT_COUNT_MAX */
	pvs_u32 caps;                    /* PVS_CAP_* of this host */
	pvs_u32 generation;
	pvs_u32 kick_kind;               /* PVS_KICK_*, with PVS_CAP_CAN_KICK */
	pvs_u64 kick_addr;
};

/* Bytes of region for `slot_count` slots at PVS_SLOT_SIZE stride, a multiple of 4096. */
pvs_u64 pvs_host_region_size(pvs_u32 slot_count);

/* Zeroes and writes the region, resolves the config. PVS_OK, or INVALID, RANGE. */
int pvs_host_init(struct pvs_host *h, const struct pvs_host_args *args);

/* From here on vCPU `index` is ours: captures its baseline. PVS_OK, INVALID, STATE or what
 * `capture` or `now` said. `arch_id` is published in the slot (APIC id, ...). The accounts are
 * those of pvs_host_init(): detaching and attaching does not refill them. */
int pvs_host_attach(struct pvs_host *h, pvs_u32 index, void *ctx, pvs_u32 arch_id);

/* Restores the baseline (unless the thread is foreign or gone) and lets go. Idempotent. */
void pvs_host_detach(struct pvs_host *h, pvs_u32 index);

/* Detaches all and marks the region DISABLED. */
void pvs_host_close(struct pvs_host *h);

/* The guest was reset, or must renegotiate (migration): new generation, baseline for all. The
 * guest's own words are not written: the generation makes them void. */
void pvs_host_reset(struct pvs_host *h, pvs_u32 generation);

/*
 * Something happened to this vCPU now: looks at the negotiation, runs one step and applies what it
 * says. A PVS_EV_POLL that finds the words unchanged and nothing to wait for costs loads only.
 * PVS_OK; INVALID (index; or ATTACH, DETACH, FOREIGN, which have functions of their own); STATE
 * (not attached); FOREIGN or GONE (found now or earlier: it is out of our hands); else what an
 * operation said, and the vCPU is at baseline as far as the machine let us.
 */
int pvs_host_event(struct pvs_host *h, pvs_u32 index, pvs_u32 type, pvs_u32 arg);

/* As pvs_host_event(), from any thread and without any lock; seen at the vCPU's next step. The
 * caller then wakes the owner by its own means. */
void pvs_host_post(struct pvs_host *h, pvs_u32 index, pvs_u32 type);

/* The armed time has come: steps every vCPU that is due and arms the next time. Returns it. */
pvs_u64 pvs_host_timer(struct pvs_host *h);

/* Makes the vCPU come to a checkpoint soon. PVS_OK, INVALID, STATE, NO_SUPPORT or what `kick`
 * said. */
int pvs_host_kick(struct pvs_host *h, pvs_u32 index);

#endif /* PVS_ADAPTER_H */
