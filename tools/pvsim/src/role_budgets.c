/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * role_budgets.c - what pvsched v3 makes of hints (research/field.md 1.3), spoken in our words.
 *
 * Hints are read at the host's own points: exits, wake-ups, preemption, the tick; nobody wakes up
 * to look. A critical section or interrupt context becomes FIFO 60, guest real-time a FIFO of at
 * most 50, the rest stays as it is; idle and background go below. Two debts: 2 ms for critical
 * sections, 500 ms for all boosts. Boosted time adds, other time repays 1:1, and who is at a limit
 * stays at baseline until the debt is zero.
 *
 * A liar may so run boosted half of the time; nobody else's share is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "roles.h"

#define CS_MAX_NS    (2 * SIM_MS)
#define TOTAL_MAX_NS (500 * SIM_MS)
#define WEIGHT_ONE   1024u
#define WEIGHT_BELOW 15u /* nice 19 */
#define RANK_CRIT    7u
/* Guest real-time levels 0..15 are 35..50 on the host: eight ranks of two. */
#define LEVELS_PER_RANK 2u
/* kernel hrtimer; the timer that ends a boost has no slack */
#define GRANULARITY_NS 1000u

#define BUDGET_CAPS (PVS_CAP_SEES_WAKE | PVS_CAP_SEES_PREEMPT | PVS_CAP_SEES_INJECT | \
		     PVS_CAP_CAN_KICK)

struct budget {
	struct role_vcpu *rv;
	struct pvs_hint hint;
	uint64_t seen_ns, run_ns;       /* debts are of this time, and of this run time */
	uint64_t cs_ns, total_ns;       /* debts */
	uint8_t cs_full, total_full;    /* latches */
	uint8_t klass, reason;
	uint8_t ticket_open;            /* an interrupt was injected and not acknowledged */
	uint16_t ticket;
	struct sim_timer limit;         /* a debt reaches its limit */
	uint64_t boosts, denials, overruns, boosted_ns;
};

/* ---- negotiation ------------------------------------------------------------------------------*/

static void negotiate(struct budget *b)
{
	struct pvs_host *h = &b->rv->rvm->host;
	struct pvs_choice choice;

	pvs_snapshot_choice(h->header, &choice);
	if (!pvs_vm_negotiate(&h->vm, &choice))
		return;
	PVS_STORE32(&h->header->status_reason, h->vm.status_reason);
	PVS_STORE32(&h->header->status, h->vm.status);
}

/* ---- debts ------------------------------------------------------------------------------------*/

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Time has passed: what ran boosted is owed, what did not is repaid. */
static void settle(struct budget *b)
{
	const struct sim_thread *t = b->rv->v->thread;
	uint64_t run_ns = sim_thread_run_ns(b->rv->sim, t), boosted_ns = 0, other_ns;
	uint64_t wall_ns = b->rv->sim->now_ns - b->seen_ns;

	if (b->klass > PVS_CLASS_BASELINE)
		b->boosted_ns += run_ns - b->run_ns;
	if (b->klass > PVS_CLASS_BASELINE && !(b->rv->sim->defects & SIM_DEFECT_FREE_BOOST))
		boosted_ns = run_ns - b->run_ns;
	other_ns = less(wall_ns, boosted_ns);
	if (b->klass == PVS_CLASS_CRITICAL)
		b->cs_ns += boosted_ns;
	else
		b->cs_ns = less(b->cs_ns, wall_ns);
	b->total_ns = less(b->total_ns + boosted_ns, other_ns);
	b->seen_ns = b->rv->sim->now_ns;
	b->run_ns = run_ns;
	if (b->cs_ns >= CS_MAX_NS && !b->cs_full) {
		b->cs_full = 1;
		b->overruns += b->klass == PVS_CLASS_CRITICAL;
	}
	if (b->total_ns >= TOTAL_MAX_NS && !b->total_full) {
		b->total_full = 1;
		b->overruns += b->klass > PVS_CLASS_BASELINE;
	}
	if (!b->cs_ns)
		b->cs_full = 0;
	if (!b->total_ns)
		b->total_full = 0;
}

/* ---- the map ----------------------------------------------------------------------------------*/

static void ask_task(const struct budget *b, struct pvs_decision *d)
{
	const struct pvs_hint *x = &b->hint;
	uint32_t urgency = x->urgency, level = x->level;

	if (b->rv->v->thread->state != SIM_RUNNING && (x->flags & PVS_HINT_IDLE)) {
		/* the word of a sleeper is about its next wake-up */
		urgency = x->flags & PVS_HINT_WAKE_VALID ? x->wake_urgency : PVS_URGENCY_NORMAL;
		level = x->wake_level;
	}
	if ((uint32_t)(x->pending >> 4) > urgency) {
		urgency = x->pending >> 4;
		level = x->pending & 15u;
	}
	if (urgency == PVS_URGENCY_REALTIME) {
		d->klass = PVS_CLASS_TASK;
		d->rank = (pvs_u8)(level / LEVELS_PER_RANK);
		d->reason = PVS_REASON_URGENT;
	} else if (urgency == PVS_URGENCY_IDLE || urgency == PVS_URGENCY_BACKGROUND) {
		d->klass = PVS_CLASS_BELOW;
		d->weight_q10 = WEIGHT_BELOW;
		d->reason = PVS_REASON_BELOW;
	}
}

static void want(struct budget *b, struct pvs_decision *d)
{
	memset(d, 0, sizeof(*d));
	d->klass = PVS_CLASS_BASELINE;
	d->weight_q10 = WEIGHT_ONE;
	if (!(b->hint.flags & PVS_HINT_ONLINE))
		return;
	ask_task(b, d);
	if (b->hint.crit || b->hint.irq || b->ticket_open) {
		d->klass = PVS_CLASS_CRITICAL;
		d->rank = RANK_CRIT;
		d->weight_q10 = WEIGHT_ONE;
		d->reason = b->ticket_open ? PVS_REASON_TICKET
			    : b->hint.irq  ? PVS_REASON_IRQ
					   : PVS_REASON_CRIT;
	}
}

/* A ceiling: what asks for less than baseline gets it in any case. */
static void limit(struct budget *b, struct pvs_decision *d)
{
	if (d->klass == PVS_CLASS_CRITICAL && b->cs_full) {
		d->klass = PVS_CLASS_BASELINE;
		d->rank = 0;
		ask_task(b, d);
		if (d->klass <= PVS_CLASS_BASELINE)
			d->reason = PVS_REASON_GRANT_MAX;
		d->throttle = PVS_THROTTLE_GRANT_MAX;
	}
	if (d->klass > PVS_CLASS_BASELINE && b->total_full) {
		d->klass = PVS_CLASS_BASELINE;
		d->rank = 0;
		d->reason = PVS_REASON_BOOST_EMPTY;
		d->throttle = PVS_THROTTLE_BOOST_EMPTY;
	}
}

/* What the guest may know of it; it is asked to ring when its urgency is over. */
static void publish(const struct budget *b, const struct pvs_decision *d)
{
	struct pvs_slot *slot = b->rv->rvm->cores[b->rv->v->index].slot;
	uint64_t word = d->klass | (uint64_t)d->throttle << PVS_APPLIED_THROTTLE_SHIFT;

	if (d->klass > PVS_CLASS_BASELINE)
		word |= PVS_APPLIED_KICK_DEBOOST;
	PVS_STORE64(&slot->applied, word);
	if (b->rv->rvm->host.vm.terms.features & PVS_F_IRQ_TICKET)
		PVS_STORE64(&slot->irq_ticket, b->ticket);
}

/* A timer ends a boost when its debt is at the limit. */
static void arm_limit(struct budget *b)
{
	uint64_t left_ns = less(TOTAL_MAX_NS, b->total_ns);

	if (b->klass <= PVS_CLASS_BASELINE || b->rv->v->thread->state != SIM_RUNNING) {
		sim_disarm(b->rv->sim, &b->limit);
		return;
	}
	if (b->klass == PVS_CLASS_CRITICAL && less(CS_MAX_NS, b->cs_ns) < left_ns)
		left_ns = less(CS_MAX_NS, b->cs_ns);
	sim_arm(b->rv->sim, &b->limit, b->rv->sim->now_ns + left_ns + GRANULARITY_NS);
}

static void look(struct budget *b)
{
	struct pvs_host *h = &b->rv->rvm->host;
	struct sim_thread *t = b->rv->v->thread;
	struct pvs_snapshot snap;
	struct pvs_decision d;

	negotiate(b);
	settle(b);
	pvs_snapshot(b->rv->rvm->cores[b->rv->v->index].slot, &snap);
	if (!(b->rv->sim->defects & SIM_DEFECT_DEAF))
		pvs_validate(&snap, &h->vm.terms, &b->hint, &b->hint);
	if (b->ticket_open && b->hint.irq_ack == b->ticket)
		b->ticket_open = 0;
	want(b, &d);
	limit(b, &d);
	if (d.klass > PVS_CLASS_BASELINE && b->klass <= PVS_CLASS_BASELINE)
		b->boosts++;
	if (d.throttle && d.reason != b->reason)
		b->denials++;
	b->klass = d.klass;
	b->reason = d.reason;
	publish(b, &d);
	sim_set_class(b->rv->sim, t, d.klass, d.rank, d.weight_q10, d.reason);
	arm_limit(b);
}

static void limit_fires(struct sim *sim, struct sim_timer *timer)
{
	struct budget *b = timer->owner;

	sim->acting = b->rv->v->thread->cpu;
	sim_overhead(sim, b->rv->v->thread, sim->costs.exit_ns); /* the timer forces an exit */
	look(b);
}

/* ---- the role ---------------------------------------------------------------------------------*/

static void to_baseline(struct budget *b)
{
	settle(b);
	b->klass = PVS_CLASS_BASELINE;
	b->ticket_open = 0;
	memset(&b->hint, 0, sizeof(b->hint));
	sim_disarm(b->rv->sim, &b->limit);
	if (!(b->rv->sim->defects & SIM_DEFECT_NO_RESTORE))
		sim_set_class(b->rv->sim, b->rv->v->thread, PVS_CLASS_BASELINE, 0, WEIGHT_ONE,
			      PVS_REASON_DETACHED);
}

static void budgets_event(struct sim *sim, struct sim_vcpu *v, uint32_t type, uint32_t arg)
{
	struct role_vcpu *rv = v->role;
	struct budget *b = rv ? rv->own : NULL;

	(void)arg;
	if (!b || !rv->rvm->up)
		return;
	switch (type) {
	case PVS_EV_DETACH:
	case PVS_EV_RESET:
		to_baseline(b);
		return;
	case PVS_EV_RUN_LEAVE: /* device emulation runs at baseline */
		settle(b);
		b->klass = PVS_CLASS_BASELINE;
		sim_set_class(sim, v->thread, PVS_CLASS_BASELINE, 0, WEIGHT_ONE,
			      PVS_REASON_OUTSIDE);
		return;
	case PVS_EV_INJECT:
		b->ticket = b->ticket == UINT16_MAX ? 1 : (uint16_t)(b->ticket + 1);
		b->ticket_open = 1;
		break;
	case PVS_EV_IPI:
	case PVS_EV_EOI:
	case PVS_EV_SPIN:
	case PVS_EV_PICK:
	case PVS_EV_MIGRATE:
		return; /* no exit, or nothing that it looks at */
	default:
		break;
	}
	look(b);
}

/* The library is there for its region and its words: it decides nothing. */
static int no_apply(void *ctx, const struct pvs_decision *d)
{
	(void)ctx;
	(void)d;
	return PVS_OK;
}

/* What was counted before the end of the warm-up does not count. */
static void budgets_warmed(struct sim *sim)
{
	const struct roles *r = roles_of(sim);
	uint32_t i, k;

	for (i = 0; i < r->vm_count; i++) {
		for (k = 0; k < r->vms[i]->vm->vcpu_count; k++) {
			struct budget *b = r->vms[i]->vcpus[k].own;

			settle(b);
			b->boosts = b->denials = b->overruns = b->boosted_ns = 0;
		}
	}
}

static void budgets_init(struct sim *sim)
{
	static const struct pvs_adapter_ops ops = {
		.capture = roles_capture,
		.apply = no_apply,
		.restore = roles_restore,
		.now = roles_now,
	};
	struct roles *r = roles_init(sim, &ops, BUDGET_CAPS);

	r->granularity_ns = GRANULARITY_NS;
	r->warmed = budgets_warmed;
	r->config.flags |= PVS_CONFIG_MEASURE_ONLY;
	pvs_config_resolve(&r->config);
}

static void budgets_vm_up(struct sim *sim, struct sim_vm *vm)
{
	uint32_t i;

	roles_vm_up(sim, vm);
	for (i = 0; i < vm->vcpu_count; i++) {
		struct role_vcpu *rv = vm->vcpus[i].role;
		struct budget *b = rv->own;

		if (b)
			continue;
		b = calloc(1, sizeof(*b));
		if (!b)
			abort();
		b->rv = rv;
		b->klass = PVS_CLASS_BASELINE;
		b->limit.owner = b;
		b->limit.fire = limit_fires;
		rv->own = b;
	}
}

static void budgets_vm_down(struct sim *sim, struct sim_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->vcpu_count; i++) {
		struct role_vcpu *rv = vm->vcpus[i].role;

		if (rv && rv->own)
			to_baseline(rv->own);
	}
	roles_vm_down(sim, vm);
}

static void budgets_report(struct sim *sim)
{
	const struct roles *r = roles_of(sim);
	uint32_t i, k;

	for (i = 0; i < r->vm_count; i++) {
		const struct sim_vm *vm = r->vms[i]->vm;

		for (k = 0; k < vm->vcpu_count; k++) {
			const struct role_vcpu *rv = vm->vcpus[k].role;
			const struct budget *b = rv->own;

			roles_row(sim, rv->rvm, SIM_COUNT, b->boosts, "boosts");
			roles_row(sim, rv->rvm, SIM_COUNT, b->denials, "denials");
			roles_row(sim, rv->rvm, SIM_COUNT, b->overruns, "overruns");
			roles_row(sim, rv->rvm, SIM_NS, b->boosted_ns, "boosted_ns");
		}
	}
}

const struct sim_role sim_role_budgets = {
	.name = "budgets",
	.what = "pvsched v3: critical section FIFO 60, real-time FIFO up to 50, two debts",
	.leaves_out = "its grace when idle; its own page format; NMI; DEADLINE",
	.speaks = 1,
	.init = budgets_init,
	.free = roles_free,
	.vm_up = budgets_vm_up,
	.vm_down = budgets_vm_down,
	.event = budgets_event,
	.report = budgets_report,
};
