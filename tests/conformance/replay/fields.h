/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fields.h - the ops of the language and the numbers of their fields. tables.c has their names;
 * abi/spec/vectors.md what they mean.
 */
#ifndef PVS_REPLAY_FIELDS_H
#define PVS_REPLAY_FIELDS_H

#include "replay.h"

/* Who runs an op: pvs_replay_exec() (replaceable), or this program in every environment. */
enum replay_side { REPLAY_SIDE_HOST, REPLAY_SIDE_SETUP, REPLAY_SIDE_GUEST, REPLAY_SIDE_GENERATE };

enum replay_kind {
	/* the host: exec.c */
	RK_VM = 0,
	RK_CHOICE,
	RK_FACTS,
	RK_VCPU,
	RK_SLOT,
	RK_VALIDATE,
	RK_STEP,
	RK_POST,
	RK_SAVE,
	RK_SAVED,
	RK_RESTORE,
	RK_PREEMPTS,
	RK_COUNTERS,
	/* done once, natively: setup.c */
	RK_CONFIG = 32,
	RK_HEADER,
	RK_TERMS,
	/* the guest: guest.c */
	RK_G_BIND = 48,
	RK_G_READY,
	RK_G_UNBIND,
	RK_G_ONLINE,
	RK_G_OFFLINE,
	RK_G_PUBLISH,
	RK_G_RETRACT,
	RK_G_CRIT,
	RK_G_IRQ_ENTER,
	RK_G_IRQ_LEAVE,
	RK_G_IRQ_ACK,
	RK_G_WAIT,
	RK_G_PEND,
	RK_G_PEND_CLEAR,
	RK_G_BOUNDS,
	RK_G_APPLIED,
	RK_G_EPOCH,
	RK_G_COUNTERS,
	RK_G_SAYS,
	/* many of the others: generate.c */
	RK_GENERATE = 80
};

/* ---- values of ops --------------------------------------------------------------------------- */

enum { VM_CAPS, VM_SLOTS, VM_GENERATION, VM_OFFERED, VM_ACCEPT };
enum { CHOICE_MAJOR, CHOICE_MINOR, CHOICE_GENERATION, CHOICE_FEATURES, CHOICE_COMMAND,
       CHOICE_HEADER };

/* The words of a slot; `step` and `vcpu` take them too. */
enum { W_INTENT, W_CRIT, W_IRQ, W_WAIT, W_BOUNDS, W_LIFE, W_PENDING, W_ONLINE, W_COUNT };

enum { STEP_ARG = W_COUNT, STEP_NOW, STEP_DT, STEP_RUN, STEP_RAN, STEP_WAITS, STEP_WAITED,
       STEP_NESTED, STEP_CAPS, STEP_GRANULARITY, STEP_ENTITLEMENT };

enum { SAVED_VERSION, SAVED_SHARE, SAVED_BOOST_LEFT, SAVED_IRQ_LEFT, SAVED_NORMAL_LEFT, SAVED_LOW,
       SAVED_LOW_BEFORE, SAVED_BOOSTED, SAVED_BOOSTS, SAVED_DENIALS, SAVED_OVERRUNS,
       SAVED_MALFORMED, SAVED_LATCHES, SAVED_RESERVED, SAVED_COUNT };

enum { HEADER_AT, HEADER_SIZE, HEADER_VALUE };
enum { TERMS_FEATURES, TERMS_GENERATION, TERMS_SLOTS, TERMS_ACTIVE };

enum { GEN_SEED, GEN_STEPS, GEN_VCPUS, GEN_PROFILE };
enum { GEN_WHOLE, GEN_SPLIT }; /* profiles */

enum { GB_WANTED, GB_BYTES };
enum { GI_UTIL, GI_UTIL_VALID, GI_URGENCY, GI_LEVEL, GI_WAKE, GI_WAKE_LEVEL, GI_WAKE_VALID, GI_IDLE,
       GI_WINDOW };
enum { GC_SET, GC_CLEAR };
enum { GW_KIND, GW_TARGET, GW_EPOCH };
enum { GP_URGENCY, GP_LEVEL };
enum { GU_FLOOR, GU_CEIL };
enum { GS_APPLIED, GS_TICKET, GS_RUN, GS_SEQ, GS_BOOSTS };

/* Values of `config`: the index of the pvs_u32 in struct pvs_config; the last is the profile. */
#define CONFIG_AT(field) (__builtin_offsetof(struct pvs_config, field) / 4u)
#define CONFIG_PROFILE 63u

/* ---- values of results ----------------------------------------------------------------------- */

enum { RN_CHANGED, RN_STATUS, RN_REASON, RN_OFFERED, RN_FEATURES, RN_COUNT };

enum { RS_CLASS, RS_RANK, RS_REASON, RS_THROTTLE, RS_FLAGS, RS_WEIGHT, RS_YIELD, RS_PERF,
       RS_RECHECK, RS_RING, RS_MALFORMED, RS_SAYS, RS_APPLIED, RS_TICKET, RS_RUN, RS_PERF_WORD,
       RS_WINDOW_LEFT, RS_BOOST_LEFT, RS_COUNT };

enum { RH_ONLINE, RH_MALFORMED, RH_URGENCY, RH_LEVEL, RH_IDLE, RH_WAKE_VALID, RH_WAKE,
       RH_WAKE_LEVEL, RH_UTIL_VALID, RH_UTIL, RH_FLOOR, RH_CEIL, RH_WINDOW, RH_SEQ, RH_CRIT,
       RH_IRQ, RH_ACK, RH_KIND, RH_TARGET, RH_EPOCH, RH_MASK, RH_PENDING, RH_COUNT };

enum { RC_SEQ, RC_BOOSTS, RC_DENIALS, RC_OVERRUNS, RC_MALFORMED, RC_BOOSTED, RC_COUNT };

/* rc, and the words of the slot the guest has left */
enum { RG_RC, RG_INTENT, RG_CRIT, RG_IRQ, RG_WAIT, RG_BOUNDS, RG_LIFE, RG_PENDING, RG_COUNT };
enum { RGEN_STEPS, RGEN_DIGEST, RGEN_COUNT };
enum { RB_RC, RB_ACCEPTED, RB_MINOR, RB_ECHO, RB_COMMAND, RB_REASON, RB_COUNT };

#endif /* PVS_REPLAY_FIELDS_H */
