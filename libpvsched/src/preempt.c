/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * About to be preempted: a critical section may put it off, for a bounded time, once per
 * scheduling episode, never against a higher class and never with an empty account. (Linux' rseq
 * slice extension does the same for a thread, for 5 to 50 us.)
 */
#include "stage.h"

/* PREEMPT_OFF alone is no reason: a guest kernel has it in half of its life. */
#define DEFERS ((pvs_u32)(PVS_CRIT_LOCK_HELD | PVS_CRIT_IRQS_OFF | PVS_CRIT_DONT_DESCHED))

/* PVS_REASON_DEFERRED, or why not; PVS_REASON_NONE when nothing asks for it. */
static pvs_u32 defer(const struct pvs_vcpu *v, const struct pvs_vm *vm,
		     const struct pvs_config *cfg, const struct pvs_io *io)
{
	if (!(vm->terms.features & PVS_F_GRANT) || !(io->facts.caps & PVS_CAP_CAN_DEFER) ||
	    v->gate || v->asleep || !(v->hint.crit & v->crit_mask & DEFERS))
		return PVS_REASON_NONE;
	if (v->ran_ns >= v->stale_end_ns)
		return PVS_REASON_STALE;
	if (v->deferred)
		return PVS_REASON_DEFER_SPENT;
	if (io->event.arg > v->klass)
		return PVS_REASON_OUTRANKED;
	if (v->boost_empty)
		return PVS_REASON_BOOST_EMPTY;
	if (cfg->defer_ns < io->facts.timer_granularity_ns)
		return PVS_REASON_TOO_SHORT;
	return PVS_REASON_DEFERRED;
}

/* After the decision about its class: put the preemption off, or let it happen. */
PVS_STAGE void pvs_preempt(struct pvs_vcpu *v, const struct pvs_vm *vm,
			   const struct pvs_config *cfg, struct pvs_io *io)
{
	struct pvs_decision *d = &io->decision;
	pvs_u32 reason = defer(v, vm, cfg, io);

	d->defer = (pvs_u8)reason;
	if (reason)
		v->reasons[reason & (PVS_REASON_COUNT - 1u)]++;
	v->granted = reason == PVS_REASON_DEFERRED;
	if (!v->granted) {
		v->run_epoch |= 1u; /* it does not run from here on */
		return;
	}
	v->deferred = 1;
	v->deferrals++;
	d->flags |= PVS_DECISION_DEFER;
	d->recheck_at_ns = pvs_min64(d->recheck_at_ns, io->facts.now_ns + cfg->defer_ns);
}
