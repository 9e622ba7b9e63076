/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vCPU, its VM, its slot and a clock that only the test moves.
 */
#ifndef WORLD_H
#define WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pvs/pvs.h>

#define US 1000ull
#define MS (1000 * US)
#define THIRD_Q16 21845u /* one third of a CPU */

/* A user-space host: sees nothing but the page, its timers and the doorbell. */
#define CAPS_USER (PVS_CAP_CAN_KICK | PVS_CAP_SEES_WAIT)
/* A host that owns the run queue. */
#define CAPS_OWNER                                                                             \
	(PVS_CAP_SEES_WAKE | PVS_CAP_SEES_PREEMPT | PVS_CAP_SEES_INJECT | PVS_CAP_OWNS_QUEUE | \
	 PVS_CAP_CAN_DEFER | PVS_CAP_CAN_KICK | PVS_CAP_SEES_WAIT | PVS_CAP_SETS_PERF)
/* One that can do all there is. */
#define CAPS_ALL \
	(CAPS_OWNER | PVS_CAP_TELLS_PERF | PVS_CAP_CAN_YIELD | PVS_CAP_IRQ_WINDOW)

struct world {
	struct pvs_config cfg;
	struct pvs_vm vm;
	struct pvs_vcpu v;
	struct pvs_slot slot;
	struct pvs_io io;
	unsigned seq;
};

/* An attached vCPU, online, every feature accepted that `caps` allow. One third of a CPU. */
void world_init(struct world *w, pvs_u32 caps);
/* The guest agrees again, to all that is offered but these. */
void refuse(struct world *w, pvs_u64 features);
/* Time passes while the vCPU runs, waits or sleeps. */
void run_for(struct world *w, pvs_u64 ns);
void wait_for(struct world *w, pvs_u64 ns);
void sleep_for(struct world *w, pvs_u64 ns);
/* The guest speaks: a new sequence. */
void say(struct world *w, pvs_u64 intent);
void say_urgency(struct world *w, pvs_u32 urgency);
void say_idle(struct world *w, pvs_u32 wake_urgency);
/* After w->cfg was changed: what is derived from it. Looks stay free if they are. */
void configure(struct world *w);
/* Accounts as run time; negative = overdrawn. */
pvs_s64 boost_left(const struct world *w);
void set_boost_left(struct world *w, pvs_s64 ns);
pvs_s64 irq_left(const struct world *w);
void set_irq_left(struct world *w, pvs_s64 ns);
/* The least that was left in the boost account in this hold period, and in the one before. */
pvs_s64 low(const struct world *w);
pvs_s64 low_before(const struct world *w);
void set_low(struct world *w, pvs_s64 low_ns, pvs_s64 low_before_ns);
/* It owes this much boosted time from now on. */
void owe(struct world *w, pvs_s64 ns);
/* One checkpoint; returns the class decided. */
unsigned step(struct world *w, pvs_u32 event);
/* The same, with what the event has to say. */
unsigned tell(struct world *w, pvs_u32 event, pvs_u32 arg);
/* Is this bit of the `applied` word set? */
int applied_has(const struct world *w, pvs_u64 bit);
/* step(PVS_EV_KICK): a host that cannot see wake-ups believes urgency at the first look only so */
unsigned ring(struct world *w);
/* step(PVS_EV_POLL) */
unsigned look(struct world *w);

#define assert_decided(w, class_, reason_)                              \
	do {                                                            \
		assert_int_equal((w)->io.decision.klass, (class_));     \
		assert_int_equal((w)->io.decision.reason, (reason_));   \
	} while (0)

#endif
