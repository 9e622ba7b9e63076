/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * liar.c - guests that do not say the truth: the words they write in place of, or after, those of
 * hints.c; and what they do over and over by a timer, as long as they run.
 *
 * In the last quiet_ns of a scenario everybody is honest, so that one can see whether the host
 * recovers.
 */
#include "guest_inner.h"

/* How often, where the scenario does not say. */
#define LIAR_NS (100 * SIM_US)
/* An epoch from long ago: not the last few, which a race could explain. */
#define STALE_BY 1000u
/* A slot that no region has. */
#define NOBODY 0xffffu

static uint64_t lies_until(const struct sim *sim)
{
	return sim->until_ns - (sim->scenario->quiet_ns < sim->until_ns ?
				sim->scenario->quiet_ns : 0);
}

int sim_lies(const struct sim *sim, const struct sim_vm *vm)
{
	return vm->spec->liar > SIM_SILENT && sim->now_ns < lies_until(sim);
}

/* Words of the region are little-endian on all machines. */
static void put_word(volatile pvs_u64 *at, uint64_t word)
{
	volatile unsigned char *p = (volatile unsigned char *)at;
	unsigned int i;

	for (i = 0; i < 8; i++)
		p[i] = (unsigned char)(word >> (8 * i));
}

void sim_liar_intent(const struct sim *sim, struct sim_vcpu *v, struct pvs_guest_intent *in)
{
	struct sim_gvcpu *g = sim_g(v);

	(void)sim;
	switch ((enum sim_liar)v->vm->spec->liar) {
	case SIM_ALWAYS_CRITICAL:
		in->urgency = in->wake_urgency = PVS_URGENCY_REALTIME;
		in->level = in->wake_level = PVS_LEVEL_MAX;
		in->wake_valid = 1;
		in->window_us = 65535;
		break;
	case SIM_FLIP:
		in->urgency = g->flip ? PVS_URGENCY_REALTIME : PVS_URGENCY_NORMAL;
		in->level = g->flip ? PVS_LEVEL_MAX : 0;
		break;
	case SIM_UTIL_MAX:
		in->util = PVS_UTIL_MAX;
		in->util_valid = 1;
		break;
	default:
		break;
	}
}

static void random_words(struct sim_vcpu *v)
{
	volatile struct pvs_slot *slot = v->shim.slot;
	struct sim_rng *rng = &sim_g(v)->rng;

	put_word(&slot->intent, sim_rng_next(rng));
	put_word(&slot->crit, sim_rng_next(rng));
	put_word(&slot->irq, sim_rng_next(rng));
	put_word(&slot->wait, sim_rng_next(rng));
	put_word(&slot->util_bounds, sim_rng_next(rng));
	put_word(&slot->pending, sim_rng_next(rng));
	put_word(&slot->guest_reserved[0], sim_rng_next(rng));
}

static void wait_word(struct sim_vcpu *v, uint32_t target, uint32_t epoch)
{
	put_word(&v->shim.slot->wait,
		 PVS_WAIT_LOCK | (uint64_t)target << PVS_WAIT_TARGET_SHIFT |
		 (uint64_t)(epoch & 0xffff) << PVS_WAIT_EPOCH_SHIFT);
}

void sim_liar_words(struct sim *sim, struct sim_vcpu *v)
{
	uint32_t other = (v->index + 1) % v->vm->vcpu_count;

	(void)sim;
	if (!v->shim.slot)
		return;
	sim_g(v)->lying = 1;
	switch ((enum sim_liar)v->vm->spec->liar) {
	case SIM_ALWAYS_CRITICAL:
		(void)pvs_guest_crit(&v->shim, PVS_CRIT_ALL, 0);
		(void)pvs_guest_irq_enter(&v->shim, PVS_IRQ_HARDIRQ | PVS_IRQ_NMI);
		break;
	case SIM_DONT_DESCHED:
		(void)pvs_guest_crit(&v->shim, PVS_CRIT_DONT_DESCHED, 0);
		break;
	case SIM_WAIT_NOBODY:
		wait_word(v, NOBODY, 0);
		break;
	case SIM_STALE_EPOCH:
		wait_word(v, other, pvs_guest_run_epoch(&v->vm->shim, other) - STALE_BY);
		break;
	case SIM_MALFORMED:
		random_words(v);
		break;
	default:
		break;
	}
}

/* From here on it says the truth. */
static void repent(struct sim *sim, struct sim_vcpu *v)
{
	pvs_u64 truth = 0;

	sim_g(v)->lying = 0;
	if (!v->shim.slot)
		return;
	if (v->curr && v->curr->locks_held)
		truth |= PVS_CRIT_LOCK_HELD;
	if (v->curr && v->curr->irqs_off)
		truth |= PVS_CRIT_IRQS_OFF;
	put_word(&v->shim.slot->util_bounds, 0);
	put_word(&v->shim.slot->pending, 0);
	put_word(&v->shim.slot->guest_reserved[0], 0);
	pvs_guest_irq_ack(&v->shim);
	(void)pvs_guest_irq_leave(&v->shim, v->in_irq ? PVS_IRQ_HARDIRQ : 0);
	pvs_guest_wait(&v->shim, PVS_WAIT_NONE, 0, 0);
	sim_hint_crit(sim, v, truth, PVS_CRIT_ALL & ~truth);
	sim_hint_publish(sim, v, 1);
}

/* What it does over and over while it has a CPU. */
static void act(struct sim *sim, struct sim_vcpu *v)
{
	struct sim_gvcpu *g = sim_g(v);

	switch ((enum sim_liar)v->vm->spec->liar) {
	case SIM_FLIP:
		g->flip = !g->flip;
		sim_hint_publish(sim, v, 1);
		break;
	case SIM_KICK_STORM:
		if (v->shim.slot)
			sim_hint_doorbell(sim, v);
		break;
	case SIM_WAIT_NOBODY:
	case SIM_STALE_EPOCH:
		/* spins where there is nothing to wait for: the host sees pause-loop exits */
		sim_liar_words(sim, v);
		g->asks_yield = 1;
		sim_overhead(sim, v->thread, sim->costs.exit_ns);
		break;
	default:
		/* said anew, so that it never gets old */
		sim_hint_publish(sim, v, 1);
		break;
	}
}

static void lie_fires(struct sim *sim, struct sim_timer *timer)
{
	struct sim_vcpu *v = timer->owner;
	uint64_t every_ns = v->vm->spec->liar_ns ? v->vm->spec->liar_ns : LIAR_NS;

	if (!sim_lies(sim, v->vm)) {
		repent(sim, v);
		return;
	}
	if (v->vm->spec->liar == SIM_IRQ_STORM) {
		sim_vcpu_interrupt(sim, v, SIM_VECTOR_STORM);
	} else if (v->thread->state == SIM_RUNNING && !v->halted) {
		sim_settle(sim, v->thread->cpu);
		act(sim, v);
	}
	if (sim->now_ns + every_ns < lies_until(sim))
		sim_arm(sim, timer, sim->now_ns + every_ns);
	else
		sim_arm(sim, timer, lies_until(sim));
}

void sim_liar_boot(struct sim *sim, struct sim_vm *vm)
{
	uint32_t i;

	if (!sim_lies(sim, vm))
		return;
	for (i = 0; i < vm->vcpu_count; i++) {
		sim_g(&vm->vcpus[i])->lie.owner = &vm->vcpus[i];
		sim_g(&vm->vcpus[i])->lie.fire = lie_fires;
		/* not all in the same instant */
		sim_arm(sim, &sim_g(&vm->vcpus[i])->lie, sim->now_ns + 1 + i);
	}
}
