/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One checkpoint of one vCPU on an advisory host: facts, the core, and what the machine says to the
 * decision.
 */
#include <string.h>

#include "host.h"

void pvs_host_arm(struct pvs_host *h, pvs_u64 at_ns)
{
	h->armed_at_ns = at_ns;
	if (h->ops->arm && h->ops->arm(h->ctx, at_ns) != PVS_OK)
		h->counters.errors++;
}

/* ---- the machine ----------------------------------------------------------------------------- */

static void set_applied(struct pvs_host *h, struct pvs_host_vcpu *v, int applied)
{
	if (applied && !v->applied)
		h->applied_count++;
	else if (!applied && v->applied)
		h->applied_count--;
	v->applied = applied;
}

/* One counter of a vCPU, whose low half `seen` has; 1 when it has grown. */
static int sum_one(pvs_u32 counter, pvs_u64 *seen, pvs_u64 *sum)
{
	pvs_u32 more = counter - (pvs_u32)*seen;

	*seen += more;
	*sum += more;
	return more != 0u;
}

/*
 * What this step has counted. As pvs_counters_collect(), but of the reasons only those that a step
 * can count: all forty would cost more than the decision.
 */
static void sum_up(struct pvs_host *h, struct pvs_host_vcpu *v, const struct pvs_decision *d)
{
	const struct pvs_vcpu *core = &v->core;
	struct pvs_counters *seen = &v->counted, *sum = &h->totals;
	pvs_u64 boosted_ns = core->boosted_ns - seen->boosted_ns;
	int told = boosted_ns != 0u;

	seen->boosted_ns += boosted_ns;
	sum->boosted_ns += boosted_ns;
	told |= sum_one(core->boosts, &seen->boosts, &sum->boosts);
	told |= sum_one(core->denials, &seen->denials, &sum->denials);
	told |= sum_one(core->overruns, &seen->overruns, &sum->overruns);
	told |= sum_one(core->malformed, &seen->malformed, &sum->malformed);
	(void)sum_one(core->tickets, &seen->tickets, &sum->tickets);
	(void)sum_one(core->storms, &seen->storms, &sum->storms);
	(void)sum_one(core->deferrals, &seen->deferrals, &sum->deferrals);
	(void)sum_one(core->reasons[d->reason], &seen->reasons[d->reason],
		      &sum->reasons[d->reason]);
	(void)sum_one(core->reasons[d->defer], &seen->reasons[d->defer], &sum->reasons[d->defer]);
	if (told)
		pvs_region_totals(h);
}

static void run_core(struct pvs_host *h, struct pvs_host_vcpu *v, struct pvs_io *io)
{
	pvs_step(&v->core, &h->vm, &h->config, v->slot, io);
	v->seen = io->snap;
	sum_up(h, v, &io->decision);
}

/* Facts and decision of an event that changes nothing on the machine: time stands still. */
static void tell_core(struct pvs_host *h, struct pvs_host_vcpu *v, pvs_u32 type)
{
	struct pvs_io io;

	memset(&io, 0, sizeof(io));
	io.event.type = (pvs_u16)type;
	io.facts.caps = h->caps;
	io.facts.now_ns = v->core.now_ns;
	io.facts.run_ns = v->core.run_ns;
	io.facts.wait_ns = v->core.wait_ns;
	run_core(h, v, &io);
	v->decision = io.decision;
}

/* The thread is out of our hands: somebody else changed it, or it has ended. */
static int lose(struct pvs_host *h, struct pvs_host_vcpu *v, int why)
{
	set_applied(h, v, 0);
	v->recheck_at_ns = PVS_NEVER;
	v->settled = 0;
	if (why == PVS_E_FOREIGN) {
		v->foreign = 1;
		h->counters.foreign++;
		tell_core(h, v, PVS_EV_FOREIGN);
		return why;
	}
	v->attached = 0;
	h->counters.gone++;
	tell_core(h, v, PVS_EV_DETACH);
	pvs_region_ident(v->slot, 0, 0);
	return why;
}

int pvs_host_restore(struct pvs_host *h, struct pvs_host_vcpu *v)
{
	int err;

	if (!v->applied)
		return PVS_OK;
	h->counters.restores++;
	err = h->ops->restore(v->ctx);
	if (err == PVS_E_FOREIGN || err == PVS_E_GONE)
		return lose(h, v, err);
	if (err == PVS_OK) {
		set_applied(h, v, 0);
		return PVS_OK;
	}
	/* It is still in force: tried again at each look, and when the thread is closed. */
	h->counters.errors++;
	v->settled = 0;
	if (v->attached)
		v->recheck_at_ns = v->core.now_ns + h->config.poll_ns;
	return err;
}

/*
 * A knob that will not turn. The vCPU goes to its baseline, and the core is told that the boost is
 * over, so that nobody is charged for what is not there; the guest's next statement tries again.
 */
static int fail(struct pvs_host *h, struct pvs_host_vcpu *v, int err)
{
	if (err == PVS_E_FOREIGN || err == PVS_E_GONE)
		return lose(h, v, err);
	h->counters.errors++;
	(void)pvs_host_restore(h, v);
	if (v->attached && !v->foreign)
		tell_core(h, v, PVS_EV_YIELD);
	return err;
}

/* Performance wanted, on a host that can set it. It is no part of PVS_DECISION_CHANGED. */
static pvs_u32 perf_of(const struct pvs_host *h, const struct pvs_decision *d)
{
	return (h->caps & PVS_CAP_SETS_PERF) ? d->perf_q10 : 0u;
}

static int needs_knob(const struct pvs_host *h, const struct pvs_decision *d)
{
	return d->klass != PVS_CLASS_BASELINE || perf_of(h, d);
}

static int must_apply(const struct pvs_host *h, const struct pvs_host_vcpu *v,
		      const struct pvs_decision *d)
{
	if (d->flags & PVS_DECISION_MEASURE)
		return 0;
	if (v->applied && !needs_knob(h, d))
		return 1; /* also again, if it failed before */
	if (d->flags & PVS_DECISION_CHANGED)
		return needs_knob(h, d);
	return perf_of(h, d) != perf_of(h, &v->decision);
}

static int apply(struct pvs_host *h, struct pvs_host_vcpu *v, const struct pvs_decision *d)
{
	int err;

	h->counters.applies++;
	set_applied(h, v, 1); /* half done is not undone: if it fails, restore decides */
	err = h->ops->apply(v->ctx, d);
	if (err != PVS_OK)
		return fail(h, v, err);
	set_applied(h, v, needs_knob(h, d));
	return PVS_OK;
}

/* ---- the step -------------------------------------------------------------------------------- */

/*
 * The last decision needs nothing but an eye on the words: baseline, no clock that matters, and
 * no time at which the core wants to be asked but the poll's. While a nested guest runs the words
 * were not looked at, so that an unchanged word says nothing.
 */
static int is_settled(const struct pvs_host *h, const struct pvs_io *io)
{
	const struct pvs_decision *d = &io->decision;

	return d->klass == PVS_CLASS_BASELINE && !d->throttle && !io->facts.nested &&
	       !(d->flags & (PVS_DECISION_SAMPLE | PVS_DECISION_RELEASE)) &&
	       d->recheck_at_ns - io->facts.now_ns >= h->config.poll_ns;
}

int pvs_host_quiet(const struct pvs_host *h, const struct pvs_host_vcpu *v)
{
	struct pvs_snapshot now;

	/* Rare looks are whole ones: that nothing changed for so long may mean something. */
	if (!v->settled || v->settled_ns > h->config.poll_ns || v->terms_seen != h->terms_count ||
	    __atomic_load_n(&v->core.inbox, __ATOMIC_RELAXED))
		return 0;
	pvs_snapshot(v->slot, &now);
	return !memcmp(&now, &v->seen, sizeof(now));
}

/* The clocks; every step samples them, because any step can change the class, and from there on
 * run time up to now would be charged to the new one. */
static int get_facts(struct pvs_host *h, struct pvs_host_vcpu *v, struct pvs_facts *facts)
{
	int err;

	facts->run_ns = v->core.run_ns;
	facts->wait_ns = v->core.wait_ns;
	err = h->ops->now(v->ctx, facts,
			  (v->decision.flags & PVS_DECISION_SAMPLE_WAIT) ? PVS_SAMPLE_RUN_WAIT
								       : PVS_SAMPLE_RUN);
	facts->caps = h->caps;
	if (err == PVS_OK)
		return PVS_OK;
	v->recheck_at_ns = PVS_NEVER; /* without a clock there is no next time: an event's turn */
	v->settled = 0;
	return fail(h, v, err);
}

int pvs_host_step(struct pvs_host *h, struct pvs_host_vcpu *v, pvs_u32 type, pvs_u32 arg)
{
	struct pvs_io io;
	int err;

	memset(&io, 0, sizeof(io));
	err = get_facts(h, v, &io.facts);
	if (err != PVS_OK)
		return err;
	io.event.type = (pvs_u16)type;
	io.event.arg = arg;
	h->counters.steps++;
	run_core(h, v, &io);
	v->terms_seen = h->terms_count;
	v->settled = is_settled(h, &io);
	v->settled_ns = io.decision.recheck_at_ns - io.facts.now_ns;
	v->recheck_at_ns = io.decision.recheck_at_ns;

	if (io.decision.flags & PVS_DECISION_RELEASE)
		err = pvs_host_restore(h, v);
	else if (must_apply(h, v, &io.decision))
		err = apply(h, v, &io.decision);
	if (err != PVS_OK)
		return err;
	v->decision = io.decision;
	if (v->recheck_at_ns < h->armed_at_ns)
		pvs_host_arm(h, v->recheck_at_ns);
	return PVS_OK;
}
