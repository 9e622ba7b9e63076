/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <string.h>

#define GENERATION 7u

void refuse(struct world *w, pvs_u64 features)
{
	struct pvs_choice choice = { .major = PVS_ABI_MAJOR,
				     .minor = PVS_ABI_MINOR,
				     .generation = GENERATION,
				     .command = PVS_CMD_ACCEPT };

	choice.features = w->vm.features_offered & ~(features | PVS_F_SPLIT_WORDS);
	assert_int_equal(pvs_vm_negotiate(&w->vm, &choice), 1);
}

void world_init(struct world *w, pvs_u32 caps)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(pvs_config_profile(PVS_PROFILE_DEFAULT, &w->cfg), PVS_OK);
	w->cfg.look_cost_ns = 0; /* exact sums; a few tests have looks that cost */
	configure(w);
	pvs_vm_init(&w->vm, caps, GENERATION, 1);
	refuse(w, 0);
	pvs_vcpu_init(&w->v, &w->cfg);
	w->slot.life = PVS_LE64(PVS_LIFE_ONLINE | PVS_PUT(GENERATION, PVS_LIFE_GEN_SHIFT, 24));
	w->io.facts.now_ns = 1000 * MS;
	w->io.facts.caps = caps;
	w->io.facts.wait_known = (caps & PVS_CAP_SEES_WAIT) != 0;
	w->io.facts.entitlement_q16 = THIRD_Q16;
	w->io.facts.timer_granularity_ns = 50 * US;
	step(w, PVS_EV_ATTACH);
}

void run_for(struct world *w, pvs_u64 ns)
{
	w->io.facts.now_ns += ns;
	w->io.facts.run_ns += ns;
}

void wait_for(struct world *w, pvs_u64 ns)
{
	w->io.facts.now_ns += ns;
	w->io.facts.wait_ns += ns;
}

void sleep_for(struct world *w, pvs_u64 ns)
{
	w->io.facts.now_ns += ns;
}

void say(struct world *w, pvs_u64 intent)
{
	w->seq++;
	w->slot.intent = PVS_LE64(intent | PVS_PUT(w->seq, PVS_INTENT_SEQ_SHIFT, 8));
}

void say_urgency(struct world *w, pvs_u32 urgency)
{
	say(w, PVS_PUT(urgency, PVS_INTENT_CLASS_SHIFT, 4));
}

void say_idle(struct world *w, pvs_u32 wake_urgency)
{
	say(w, PVS_PUT(1, PVS_INTENT_IDLE_SHIFT, 1) | PVS_PUT(1, PVS_INTENT_WAKE_VALID_SHIFT, 1) |
		       PVS_PUT(wake_urgency, PVS_INTENT_WAKE_CLASS_SHIFT, 4));
}

void configure(struct world *w)
{
	int free_looks = !w->cfg.look_cost_ns;

	pvs_config_resolve(&w->cfg);
	if (!free_looks)
		return;
	w->cfg.boost_open_ns -= w->cfg.look_earned_ns;
	w->cfg.look_cost_ns = 0;
	w->cfg.look_earned_ns = 0;
}

/* The engine keeps the earned time at which an account is full again. */
static pvs_s64 left_of(pvs_u64 span_ns, pvs_u64 used_ns, pvs_u32 share_q10)
{
	return ((pvs_s64)span_ns - (pvs_s64)used_ns) * (pvs_s64)share_q10 / 1024;
}

static pvs_u64 used_of(pvs_u64 span_ns, pvs_s64 left_ns, pvs_u32 share_q10)
{
	return (pvs_u64)((pvs_s64)span_ns - left_ns * 1024 / (pvs_s64)share_q10);
}

static pvs_u64 missing(const struct world *w, pvs_u64 full_at_ns)
{
	return full_at_ns > w->v.earned_ns ? full_at_ns - w->v.earned_ns : 0;
}

pvs_s64 boost_left(const struct world *w)
{
	return left_of(w->cfg.boost_span_ns, missing(w, w->v.boost_full_at_ns),
		       w->cfg.boost_share_q10);
}

void set_boost_left(struct world *w, pvs_s64 ns)
{
	w->v.boost_full_at_ns = w->v.earned_ns + used_of(w->cfg.boost_span_ns, ns,
							 w->cfg.boost_share_q10);
}

pvs_s64 irq_left(const struct world *w)
{
	return left_of(w->cfg.irq_span_ns, missing(w, w->v.irq_full_at_ns), w->cfg.irq_share_q10);
}

void set_irq_left(struct world *w, pvs_s64 ns)
{
	w->v.irq_full_at_ns = w->v.earned_ns + used_of(w->cfg.irq_span_ns, ns,
						       w->cfg.irq_share_q10);
}

pvs_s64 low(const struct world *w)
{
	return left_of(w->cfg.boost_span_ns, w->v.high_ns, w->cfg.boost_share_q10);
}

pvs_s64 low_before(const struct world *w)
{
	return left_of(w->cfg.boost_span_ns, w->v.high_before_ns, w->cfg.boost_share_q10);
}

void set_low(struct world *w, pvs_s64 low_ns, pvs_s64 low_before_ns)
{
	w->v.high_ns = used_of(w->cfg.boost_span_ns, low_ns, w->cfg.boost_share_q10);
	w->v.high_before_ns = used_of(w->cfg.boost_span_ns, low_before_ns, w->cfg.boost_share_q10);
}

void owe(struct world *w, pvs_s64 ns)
{
	w->v.normal_left_ns = -ns;
	w->v.paying = ns > (pvs_s64)w->cfg.debt_start_ns;
	w->v.settled_clock_ns = w->v.clock_ns;
	w->v.settled_ran_ns = w->v.ran_ns;
}

unsigned step(struct world *w, pvs_u32 event)
{
	w->io.event.type = (pvs_u16)event;
	pvs_step(&w->v, &w->vm, &w->cfg, &w->slot, &w->io);
	w->io.event.type = PVS_EV_POLL;
	return w->io.decision.klass;
}

unsigned tell(struct world *w, pvs_u32 event, pvs_u32 arg)
{
	unsigned klass;

	w->io.event.arg = arg;
	klass = step(w, event);
	w->io.event.arg = 0;
	return klass;
}

int applied_has(const struct world *w, pvs_u64 bit)
{
	return (PVS_LE64(w->slot.applied) & bit) != 0;
}

unsigned look(struct world *w)
{
	return step(w, PVS_EV_POLL);
}

unsigned ring(struct world *w)
{
	return step(w, PVS_EV_KICK);
}
