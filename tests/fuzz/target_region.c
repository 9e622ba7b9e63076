/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * region: what a guest wrote, byte for byte. The input is the guest's line of the header and then
 * any number of states of one slot's guest words, with the time that passes between them.
 */
#include "rules.h"

#include <string.h>

#define STATES_MAX 64u
#define GENERATION 0x00a5c3u
/* First byte: help an input past the door, so that what lies behind is reached too. */
#define HELP_CHOICE 0x01u
#define HELP_LIFE   0x02u
#define HELP_TAGS   0x04u

struct world {
	struct pvs_config cfg;
	struct pvs_vm vm;
	struct watched w;
	struct pvs_region_header header;
	struct pvs_slot slot;
	struct pvs_io io;
	uint8_t help;
};

static void take_choice(struct world *w, struct fuzz_input *in)
{
	struct pvs_choice choice;
	uint32_t reason;
	int changed;

	w->header.guest_major = fuzz_u16(in);
	w->header.guest_minor = fuzz_u16(in);
	w->header.guest_generation = fuzz_u32(in);
	w->header.features_accepted = fuzz_u16(in);
	w->header.guest_command = fuzz_u8(in);
	if (w->help & HELP_CHOICE) {
		w->header.guest_major = PVS_LE16(PVS_ABI_MAJOR);
		w->header.guest_generation = PVS_LE32(GENERATION);
		w->header.guest_command = PVS_LE32(PVS_CMD_ACCEPT);
		w->header.features_accepted &= PVS_LE64(w->vm.features_offered);
	}
	pvs_snapshot_choice(&w->header, &choice);
	reason = pvs_negotiate(&choice, w->vm.features_offered, w->vm.terms.generation);
	changed = pvs_vm_negotiate(&w->vm, &choice);
	FUZZ_RULE("negotiation: accepted what was refused",
		  w->vm.status != PVS_STATUS_ACTIVE || reason == PVS_REFUSE_NONE);
	FUZZ_RULE("negotiation: features that were not offered",
		  !(w->vm.terms.features & ~w->vm.features_offered));
	FUZZ_RULE("negotiation: features without an agreement",
		  w->vm.status == PVS_STATUS_ACTIVE || !w->vm.terms.features);
	FUZZ_RULE("negotiation: agreed in silence", changed || w->vm.status == PVS_STATUS_OFFERED);
}

/* Both tags of a split word become those of its low half. */
static uint64_t equal_tags(uint64_t word)
{
	uint64_t tag = PVS_GET(word, PVS_INTENT_TAG_LO_SHIFT, PVS_TAG_BITS);

	word &= ~PVS_PUT(0xfu, PVS_INTENT_TAG_HI_SHIFT, PVS_TAG_BITS);
	return word | PVS_PUT(tag, PVS_INTENT_TAG_HI_SHIFT, PVS_TAG_BITS);
}

static void take_words(struct world *w, struct fuzz_input *in)
{
	uint64_t life;

	w->slot.intent = PVS_LE64(fuzz_u64(in));
	w->slot.crit = PVS_LE64(fuzz_u16(in));
	w->slot.irq = PVS_LE64(fuzz_u32(in));
	w->slot.wait = PVS_LE64(fuzz_u64(in));
	w->slot.util_bounds = PVS_LE64(fuzz_u32(in));
	life = fuzz_u32(in);
	w->slot.pending = PVS_LE64(fuzz_u16(in));
	if (w->help & HELP_LIFE)
		life = PVS_LIFE_ONLINE | PVS_PUT(GENERATION, PVS_LIFE_GEN_SHIFT, PVS_LIFE_GEN_BITS);
	if (w->help & HELP_TAGS) {
		w->slot.intent = PVS_LE64(equal_tags(PVS_LE64(w->slot.intent)));
		w->slot.wait = PVS_LE64(equal_tags(PVS_LE64(w->slot.wait)));
	}
	w->slot.life = PVS_LE64(life);
}

static void look(struct world *w)
{
	struct pvs_slot before = w->slot;

	pvs_snapshot(&w->slot, &w->io.snap);
	pvs_validate(&w->io.snap, &w->vm.terms, &w->w.vcpu.hint, &w->io.hint);
	if (FUZZ_CANARY(w->io.hint.malformed == PVS_WORD_BOUNDS && !w->io.hint.pending &&
			w->io.hint.crit == PVS_CRIT_LOCK_HELD))
		w->io.hint.util_floor = PVS_UTIL_MAX + 1u;
	rules_hint(&w->io.hint, &w->vm.terms, &w->io.snap);
	rules_before_step(&w->w);
	pvs_decide(&w->w.vcpu, &w->vm, &w->cfg, &w->io);
	pvs_publish_status(&w->w.vcpu, &w->vm, &w->cfg, &w->slot);
	rules_after_step(&w->w, &w->cfg, &w->vm, &w->io);
	rules_slot(&before, &w->slot, &w->vm, &w->io.decision);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input_of(data, size);
	struct world w;
	unsigned int i;

	memset(&w, 0, sizeof(w));
	w.help = fuzz_u8(&in);
	w.io.facts.caps = fuzz_u16(&in);
	w.io.facts.wait_known = 1;
	w.io.facts.now_ns = 1000000000u;
	(void)pvs_config_profile(PVS_PROFILE_DEFAULT, &w.cfg);
	pvs_vm_init(&w.vm, w.io.facts.caps, GENERATION, 1u + fuzz_u16(&in) % PVS_SLOT_COUNT_MAX);
	take_choice(&w, &in);
	pvs_vcpu_init(&w.w.vcpu, &w.cfg);
	rules_begin(&w.w);
	w.io.event.type = PVS_EV_ATTACH;
	for (i = 0; i < STATES_MAX && in.left; i++) {
		take_words(&w, &in);
		look(&w);
		w.io.event.type = fuzz_u8(&in) % PVS_EV_COUNT;
		w.io.facts.now_ns += fuzz_duration_ns(&in);
		w.io.facts.run_ns += fuzz_duration_ns(&in);
	}
}
