/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <string.h>

#define GENERATION 7u

void world_init(struct world *w, pvs_u32 caps)
{
	struct pvs_choice choice = { .major = PVS_ABI_MAJOR,
				     .minor = PVS_ABI_MINOR,
				     .generation = GENERATION,
				     .command = PVS_CMD_ACCEPT };

	memset(w, 0, sizeof(*w));
	assert_int_equal(pvs_config_profile(PVS_PROFILE_DEFAULT, &w->cfg), PVS_OK);
	w->cfg.look_cost_ns = 0; /* exact sums; one test has looks that cost */
	pvs_vm_init(&w->vm, caps, GENERATION, 1);
	choice.features = w->vm.features_offered & ~PVS_F_SPLIT_WORDS;
	assert_int_equal(pvs_vm_negotiate(&w->vm, &choice), 1);
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

unsigned step(struct world *w, pvs_u32 event)
{
	w->io.event.type = (pvs_u16)event;
	pvs_step(&w->v, &w->vm, &w->cfg, &w->slot, &w->io);
	w->io.event.type = PVS_EV_POLL;
	return w->io.decision.klass;
}

unsigned look(struct world *w)
{
	return step(w, PVS_EV_POLL);
}

unsigned ring(struct world *w)
{
	return step(w, PVS_EV_KICK);
}
