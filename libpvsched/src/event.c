/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * What happened since the last look: first what others have posted, then what the caller tells.
 */
#include "stage.h"

PVS_API void pvs_post(struct pvs_vcpu *v, pvs_u32 event_type)
{
	pvs_u32 type = event_type < PVS_EV_COUNT ? event_type : PVS_EV_POLL;

	if (type == PVS_EV_INJECT)
		(void)PVS_ADD64(&v->inbox, (pvs_u64)1 << PVS_INBOX_INJECT_SHIFT);
	else
		PVS_OR64(&v->inbox, (pvs_u64)1 << type);
}

/* Perhaps another thread, with clocks of its own: time begins now. */
static void attach(struct pvs_vcpu *v)
{
	if (!v->started) {
		v->settled_clock_ns = v->clock_ns;
		v->settled_ran_ns = v->ran_ns;
	}
	v->started = 1;
	v->learning = 0;
	v->gate = 0;
	v->asleep = 0;
	v->window_known = 0;
	pvs_forget_hint(v);
}

/* The epoch is odd while the vCPU is not running. */
PVS_INLINE void runs(struct pvs_vcpu *v)
{
	v->run_epoch = (pvs_u16)(v->run_epoch + (v->run_epoch & 1u));
}

PVS_INLINE void stops(struct pvs_vcpu *v)
{
	v->run_epoch = (pvs_u16)(v->run_epoch | 1u);
}

/* A new scheduling episode: a preemption may be put off once more. */
static void picked(struct pvs_vcpu *v)
{
	runs(v);
	v->asleep = 0; /* whoever runs does not sleep, in whatever order it was told */
	v->deferred = 0;
	v->granted = 0;
}

/* Another CPU: what it gives this vCPU has to be learned anew. */
static void migrate(struct pvs_vcpu *v)
{
	v->cpu_gen++;
	v->learning = 0;
	v->share_run_ns = 0;
	v->share_wait_ns = 0;
}

static void let_go(struct pvs_vcpu *v, pvs_u32 gate)
{
	stops(v);
	v->started = 0;
	v->gate = (pvs_u8)gate;
}

/* In the VMM or in the guest, as long as it is ours. */
static void enter(struct pvs_vcpu *v)
{
	runs(v);
	v->asleep = 0;
	if (v->gate == PVS_REASON_OUTSIDE)
		v->gate = 0;
}

static void leave(struct pvs_vcpu *v)
{
	stops(v);
	if (!v->gate)
		v->gate = PVS_REASON_OUTSIDE;
}

/* The argument of EV_INJECT is the vector; of a posted one, the count above it. */
#define INJECTS_MAX 0xffffu
#define INJECTS(vector, count) ((pvs_u32)(vector) | ((pvs_u32)(count) << 16))

/* A delivery opens a ticket if the guest has agreed to close it; not while it runs a guest of its
 * own, which would be asked to acknowledge what it never sees. */
static void inject(struct pvs_vcpu *v, const struct pvs_vm *vm, const struct pvs_config *cfg,
		   const struct pvs_io *io, pvs_u32 arg)
{
	pvs_u32 count = arg >> 16;

	if ((vm->terms.features & PVS_F_IRQ_TICKET) && !io->facts.nested)
		pvs_irq_inject(v, cfg, arg & 0xffffu, count ? count : 1u);
}

/* Types without a case mean: look again. */
PVS_INLINE void take(struct pvs_vcpu *v, const struct pvs_vm *vm, const struct pvs_config *cfg,
		     const struct pvs_io *io, struct pvs_event ev)
{
	switch (ev.type) {
	case PVS_EV_WAKE:
		v->asleep = 0;
		v->muted = 0;
		break;
	case PVS_EV_PICK:
		picked(v);
		break;
	case PVS_EV_RUN_ENTER:
		enter(v);
		break;
	case PVS_EV_RUN_LEAVE:
		leave(v);
		break;
	case PVS_EV_INJECT:
		inject(v, vm, cfg, io, ev.arg);
		break;
	case PVS_EV_IRQ_WINDOW:
		v->crit_mask = (pvs_u8)~PVS_CRIT_IRQS_OFF;
		break;
	case PVS_EV_EOI:
		pvs_irq_eoi(v, ev.arg);
		break;
	case PVS_EV_YIELD:
		v->muted = 1;
		break;
	case PVS_EV_HALT:
		stops(v);
		v->asleep = 1;
		v->window_end_ns = 0; /* a window is void after idle */
		break;
	case PVS_EV_MIGRATE:
		migrate(v);
		break;
	case PVS_EV_ATTACH:
		attach(v);
		break;
	case PVS_EV_DETACH:
		let_go(v, PVS_REASON_DETACHED);
		break;
	case PVS_EV_RESET:
		pvs_forget_hint(v);
		break;
	case PVS_EV_FOREIGN:
		let_go(v, PVS_REASON_FOREIGN);
		break;
	default:
		break;
	}
}

/* Posted events carry no argument but for how many deliveries there were. */
static void take_posted(struct pvs_vcpu *v, const struct pvs_vm *vm, const struct pvs_config *cfg,
			const struct pvs_io *io)
{
	pvs_u64 posted = PVS_XCHG64(&v->inbox, 0u);
	pvs_u32 injects = (pvs_u32)pvs_min64(posted >> PVS_INBOX_INJECT_SHIFT, INJECTS_MAX);
	pvs_u32 bits = (pvs_u32)posted | (injects ? 1u << PVS_EV_INJECT : 0u);
	pvs_u32 i;

	PVS_FOR(i, PVS_EV_COUNT) {
		struct pvs_event ev = { 0, 0, PVS_VECTOR_UNKNOWN };

		if (!bits)
			break;
		ev.type = (pvs_u16)PVS_CTZ64(bits);
		if (ev.type == PVS_EV_INJECT)
			ev.arg = INJECTS(PVS_VECTOR_UNKNOWN, injects);
		take(v, vm, cfg, io, ev);
		bits &= bits - 1u;
	}
}

/*
 * Posted events first, in the order of their numbers: one word cannot tell in which order they were
 * posted, and the numbers are such that the later one of a pair is the one that is safe when it
 * comes last (leave after enter, halt after wake, detach after attach). Then the caller's own.
 */
PVS_STAGE void pvs_take_events(struct pvs_vcpu *v, const struct pvs_vm *vm,
			       const struct pvs_config *cfg, const struct pvs_io *io)
{
	if (PVS_RARE(PVS_PEEK(pvs_u64, &v->inbox)))
		take_posted(v, vm, cfg, io);
	take(v, vm, cfg, io, io->event);
}
