/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * One checkpoint from end to end. If you read one function of this library, read pvs_step().
 */
#include "stage.h"

/* Boosts whose end only the guest knows, and that it can tell by its doorbell. */
static int ends_by_kick(pvs_u32 reason)
{
	const pvs_u32 these = (1u << PVS_REASON_URGENT) | (1u << PVS_REASON_PENDING) |
			      (1u << PVS_REASON_CRIT) | (1u << PVS_REASON_IRQ) |
			      (1u << PVS_REASON_TICKET);

	return (these >> (reason & (PVS_REASON_COUNT - 1u))) & 1u;
}

/* A raise now would be looked at: nothing is throttled, and no boost is there yet. The first one
 * after a quiet time is worth an exit; then the host looks often enough by itself. */
static int raise_welcome(const struct pvs_vcpu *v)
{
	return !v->gate && !v->dedicated && !pvs_boosted(v->klass) && !v->throttle &&
	       !v->boost_empty && !v->grant_full && v->clock_ns >= v->urgent_end_ns;
}

static pvs_u64 applied_word(const struct pvs_vcpu *v, const struct pvs_vm *vm)
{
	pvs_u64 word = PVS_PUT(v->klass, PVS_APPLIED_CLASS_SHIFT, PVS_APPLIED_CLASS_BITS) |
		       PVS_PUT(v->throttle, PVS_APPLIED_THROTTLE_SHIFT, PVS_APPLIED_THROTTLE_BITS);

	if (v->granted)
		word |= PVS_APPLIED_GRANTED;
	if (v->dedicated)
		word |= PVS_APPLIED_DONT_BOTHER;
	if (v->contended && (vm->terms.features & PVS_F_WAIT))
		word |= PVS_APPLIED_YIELD_SPIN;
	if (!(vm->terms.features & PVS_F_KICK))
		return word;
	if (pvs_boosted(v->klass) && ends_by_kick(v->reason))
		word |= PVS_APPLIED_KICK_DEBOOST;
	if (raise_welcome(v))
		word |= PVS_APPLIED_KICK_RAISE;
	return word;
}

static pvs_u64 left_us(pvs_u64 ns)
{
	return pvs_min64(PVS_DIV64(ns, 1000u), PVS_MASK(PVS_LEFT_BITS));
}

PVS_API pvs_u64 pvs_boost_left(const struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	pvs_u64 used = pvs_used(v->boost_full_at_ns, v->earned_ns);

	return pvs_part_q10(pvs_less64(cfg->boost_span_ns, used), cfg->boost_share_q10);
}

/* Words of features that were agreed on; the others stay zero. */
static void publish_features(const struct pvs_vcpu *v, pvs_u64 features, struct pvs_slot *slot)
{
	if (features & PVS_F_IRQ_TICKET)
		PVS_STORE64(&slot->irq_ticket, v->ticket);
	if (features & PVS_F_RUN_EPOCH)
		PVS_STORE64(&slot->run, v->run_epoch);
	if (features & PVS_F_PERF)
		PVS_STORE64(&slot->perf, v->perf_word);
}

/* An odd sequence tells the guest that the line is being written. The plain stores between the
 * two are ordered by the compiler barrier and by nothing else: a reader that sees a mixture has
 * seen counters, not decisions. */
static void publish_counters(const struct pvs_vcpu *v, struct pvs_slot *slot)
{
	pvs_u64 seq = v->count_seq;

	PVS_STORE64(&slot->count_seq, seq - 1u);
	PVS_BARRIER();
	PVS_STORE64(&slot->boosts, v->boosts);
	PVS_STORE64(&slot->denials, v->denials);
	PVS_STORE64(&slot->overruns, v->overruns);
	PVS_STORE64(&slot->malformed, v->malformed);
	PVS_STORE64(&slot->boosted_ns, v->boosted_ns);
	PVS_BARRIER();
	PVS_STORE64(&slot->count_seq, seq);
}

PVS_API void pvs_publish_status(struct pvs_vcpu *v, const struct pvs_vm *vm,
				const struct pvs_config *cfg, struct pvs_slot *slot)
{
	pvs_u64 window_left_ns = pvs_less64(v->window_end_ns, v->ran_ns);

	PVS_STORE64(&slot->applied, applied_word(v, vm));
	PVS_STORE64(&slot->window_left,
		    (left_us(window_left_ns) << PVS_LEFT_WINDOW_SHIFT) |
			    (left_us(pvs_boost_left(v, cfg)) << PVS_LEFT_BOOST_SHIFT));
	publish_features(v, vm->terms.features, slot);
	if (vm->terms.features & PVS_F_COUNTERS) {
		v->count_seq += 2u;
		publish_counters(v, slot);
	}
}

PVS_API void pvs_step(struct pvs_vcpu *v, struct pvs_vm *vm, const struct pvs_config *cfg,
		      struct pvs_slot *slot, struct pvs_io *io)
{
	pvs_snapshot(slot, &io->snap);
	pvs_validate(&io->snap, &vm->terms, &v->hint, &io->hint);
	pvs_decide(v, vm, cfg, io);
	pvs_publish_status(v, vm, cfg, slot);
}
