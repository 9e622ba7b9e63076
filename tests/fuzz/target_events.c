/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events: a life of two vCPUs of one VM. Each operation is an event with facts, words that the
 * guest writes, a posted event, a save and restore, a new negotiation or a change of facts. Each
 * input runs twice, on memory that held other rubbish, and must take the same decisions.
 */
#include "rules.h"

#include <string.h>

#define OPS_MAX 400u
#define VCPUS 2u
#define GENERATION 0x77u
#define START_NS 1000000000u
/* Far beyond any uptime, and a clock that wraps is none. */
#define CLOCK_MAX_NS ((uint64_t)1 << 62)

enum op {
	OP_EVENT,   /* half of all numbers beyond the last are this too */
	OP_SAY,     /* a well-formed statement with a new sequence */
	OP_WORD,    /* any word, any bits */
	OP_POST,
	OP_FACTS,
	OP_SAVE,    /* save, damage perhaps, restore */
	OP_CHOICE,  /* the guest chooses anew */
	OP_CLOCK,   /* a clock jumps, or steps back */
	OP_PREEMPTS,
	OP_COUNT
};

struct side {
	struct watched w;
	struct pvs_slot slot;
	struct pvs_facts facts;
	uint8_t seq;
	uint64_t ticket;  /* published last */
	uint8_t deferred; /* a preemption, and it has not been picked since */
};

struct world {
	struct pvs_config cfg;
	struct pvs_vm vm;
	struct side side[VCPUS];
	struct pvs_io io;
	uint64_t digest;
	int rubbish;
};

/* What was decided, without what lies between the fields. */
static void digest_decision(struct world *w)
{
	const struct pvs_decision *d = &w->io.decision;
	const uint64_t words[] = { d->klass, d->rank, d->reason, d->throttle, d->flags,
				   d->weight_q10, d->perf_q10, d->defer, d->recheck_at_ns,
				   d->ring_at_ns };

	w->digest = fuzz_digest(w->digest, words, sizeof(words));
}

/* Put off once in an episode, for a bounded time, and the guest is told. */
static void preemption_rules(const struct world *w, struct side *s)
{
	const struct pvs_decision *d = &w->io.decision;
	int granted = (PVS_LE64(s->slot.applied) & PVS_APPLIED_GRANTED) != 0;

	if (w->io.event.type == PVS_EV_PICK)
		s->deferred = 0;
	if (!(d->flags & PVS_DECISION_DEFER))
		return;
	FUZZ_RULE("preempt: put off unasked", w->io.event.type == PVS_EV_PREEMPT &&
		  (w->vm.terms.features & PVS_F_GRANT));
	FUZZ_RULE("preempt: put off for long",
		  d->recheck_at_ns - w->io.facts.now_ns <= w->cfg.defer_ns);
	FUZZ_RULE("preempt: put off in silence", granted);
	FUZZ_RULE("preempt: put off twice", !s->deferred);
	s->deferred = 1;
}

/* The epoch is odd while the vCPU does not run; a delivery has a ticket of its own. */
static void word_rules(const struct world *w, const struct side *s, const struct pvs_slot *before)
{
	uint64_t features = w->vm.terms.features;
	uint32_t odd = PVS_LE64(s->slot.run) & 1u;
	uint32_t type = w->io.event.type;

	FUZZ_RULE("slot: an epoch nobody agreed on",
		  (features & PVS_F_RUN_EPOCH) || before->run == s->slot.run);
	FUZZ_RULE("slot: a ticket nobody agreed on",
		  (features & PVS_F_IRQ_TICKET) || before->irq_ticket == s->slot.irq_ticket);
	if (features & PVS_F_RUN_EPOCH) {
		if (type == PVS_EV_RUN_ENTER || type == PVS_EV_PICK)
			FUZZ_RULE("slot: it runs and the epoch is odd", !odd);
		if (type == PVS_EV_HALT || type == PVS_EV_RUN_LEAVE || type == PVS_EV_DETACH)
			FUZZ_RULE("slot: it does not run and the epoch is even", odd);
	}
	if ((features & PVS_F_IRQ_TICKET) && type == PVS_EV_INJECT && !w->io.facts.nested)
		FUZZ_RULE("slot: a delivery without a ticket", s->slot.irq_ticket &&
			  s->slot.irq_ticket != s->ticket);
}

static void step(struct world *w, struct side *s, struct fuzz_input *in)
{
	struct pvs_slot before = s->slot;

	memset(&w->io, w->rubbish, sizeof(w->io));
	w->io.event.type = fuzz_u8(in) % (PVS_EV_COUNT + 1u);
	w->io.event.reserved = 0;
	w->io.event.arg = fuzz_u8(in);
	w->io.facts = s->facts;
	rules_before_step(&s->w);
	pvs_step(&s->w.vcpu, &w->vm, &w->cfg, &s->slot, &w->io);
	if (FUZZ_CANARY(w->io.event.type == PVS_EV_MIGRATE &&
			w->io.decision.klass >= PVS_CLASS_TASK &&
			pvs_boost_left(&s->w.vcpu, &w->cfg) < w->cfg.boost_burst_ns / 2u))
		s->w.vcpu.boost_full_at_ns = 0;
	rules_after_step(&s->w, &w->cfg, &w->vm, &w->io);
	rules_slot(&before, &s->slot, &w->vm, &w->io.decision);
	preemption_rules(w, s);
	word_rules(w, s, &before);
	s->ticket = s->slot.irq_ticket;
	digest_decision(w);
	w->digest = fuzz_digest(w->digest, &s->slot, sizeof(s->slot));
}

static void advance(pvs_u64 *clock, uint64_t ns)
{
	if (*clock < CLOCK_MAX_NS)
		*clock += ns;
}

/* Time passes: a part of it running, a part waiting, the rest asleep. */
static void pass(struct side *s, struct fuzz_input *in)
{
	uint64_t dt = fuzz_duration_ns(in);
	uint64_t run = (dt * fuzz_u8(in)) >> 8;
	uint64_t wait = ((dt - run) * fuzz_u8(in)) >> 8;

	advance(&s->facts.now_ns, dt);
	advance(&s->facts.run_ns, run);
	advance(&s->facts.wait_ns, wait);
}

static void say(struct side *s, struct fuzz_input *in)
{
	uint16_t word = fuzz_u16(in);
	uint64_t intent = PVS_PUT(word % 6u, PVS_INTENT_CLASS_SHIFT, PVS_INTENT_CLASS_BITS) |
			  PVS_PUT(word >> 4, PVS_INTENT_LEVEL_SHIFT, PVS_INTENT_LEVEL_BITS);

	if (word & 0x100u)
		intent |= PVS_PUT(1, PVS_INTENT_IDLE_SHIFT, 1);
	if (word & 0x200u)
		intent |= PVS_PUT(1, PVS_INTENT_WAKE_VALID_SHIFT, 1) |
			  PVS_PUT(word >> 12, PVS_INTENT_WAKE_CLASS_SHIFT, 2) |
			  PVS_PUT(1, PVS_INTENT_WAKE_CLASS_SHIFT + 2, 1);
	if (word & 0x400u)
		intent |= PVS_PUT(fuzz_u16(in), PVS_INTENT_WINDOW_SHIFT, PVS_INTENT_WINDOW_BITS);
	s->seq++;
	s->slot.intent = PVS_LE64(intent | PVS_PUT(s->seq, PVS_INTENT_SEQ_SHIFT,
						   PVS_INTENT_SEQ_BITS));
}

static void write_word(struct side *s, struct fuzz_input *in)
{
	switch (fuzz_u8(in) % 7u) {
	case 0:
		s->slot.intent = PVS_LE64(fuzz_u64(in));
		break;
	case 1:
		s->slot.crit = PVS_LE64(fuzz_u8(in));
		break;
	case 2:
		s->slot.irq = PVS_LE64(fuzz_u32(in));
		break;
	case 3:
		s->slot.wait = PVS_LE64(fuzz_u64(in));
		break;
	case 4:
		s->slot.util_bounds = PVS_LE64(fuzz_u32(in));
		break;
	case 5:
		s->slot.life = PVS_LE64(fuzz_u32(in));
		break;
	default:
		s->slot.pending = PVS_LE64(fuzz_u8(in));
		break;
	}
}

static void new_facts(struct side *s, struct fuzz_input *in)
{
	s->facts.entitlement_q16 = fuzz_u16(in);
	s->facts.timer_granularity_ns = fuzz_u16(in);
	s->facts.nested = fuzz_u8(in) & 1u;
	s->facts.wait_known = fuzz_u8(in) & 1u;
	s->facts.contended = fuzz_u8(in) & 1u;
	s->facts.dedicated = fuzz_u8(in) == 0xffu;
	s->facts.capacity = fuzz_u16(in);
	s->facts.perf = fuzz_u16(in);
	s->facts.contention = fuzz_u16(in);
}

/* A migration; on the way the state may be changed by who holds it. */
static void save_and_restore(struct world *w, struct side *s, struct fuzz_input *in)
{
	struct pvs_saved saved;
	unsigned int damage = fuzz_u8(in);
	int status;

	pvs_state_save(&s->w.vcpu, &saved);
	if (damage) {
		size_t at = fuzz_u8(in) % (sizeof(saved) / 8u) * 8u;
		uint64_t word = fuzz_u64(in);

		memcpy((unsigned char *)&saved + at, &word, sizeof(word));
	}
	memset(&s->w.vcpu, w->rubbish, sizeof(s->w.vcpu));
	status = pvs_state_restore(&s->w.vcpu, &w->cfg, &saved);
	FUZZ_RULE("restore: refuses what was saved", damage || status == PVS_OK);
	rules_restored(&s->w.vcpu, &w->cfg);
	rules_begin(&s->w);
	s->deferred = 0;
	s->ticket = 0; /* tickets begin anew */
}

static void choose(struct world *w, struct fuzz_input *in)
{
	struct pvs_choice choice = { PVS_ABI_MAJOR, PVS_ABI_MINOR, GENERATION, 0, PVS_CMD_ACCEPT };

	choice.command = fuzz_u8(in) % 4u;
	choice.features = fuzz_u16(in) & w->vm.features_offered;
	(void)pvs_vm_negotiate(&w->vm, &choice);
}

static void jump(struct side *s, struct fuzz_input *in)
{
	unsigned int which = fuzz_u8(in);
	uint64_t ns = fuzz_duration_ns(in) << (which >> 4);
	pvs_u64 *clock = (which & 3u) == 0 ? &s->facts.now_ns :
			  (which & 3u) == 1 ? &s->facts.run_ns : &s->facts.wait_ns;

	if (which & 4u)
		advance(clock, ns);
	else
		*clock -= ns < *clock ? ns : *clock;
}

static void compare(const struct world *w)
{
	int one = pvs_preempts(&w->side[0].w.vcpu, &w->side[1].w.vcpu);
	int other = pvs_preempts(&w->side[1].w.vcpu, &w->side[0].w.vcpu);

	FUZZ_RULE("preempts: both go first", one == -other);
}

static void operate(struct world *w, struct fuzz_input *in)
{
	unsigned int op = fuzz_u8(in);
	struct side *s = &w->side[op >> 7];

	switch ((op & 0x7fu) % (2u * OP_COUNT)) {
	case OP_SAY:
		say(s, in);
		break;
	case OP_WORD:
		write_word(s, in);
		break;
	case OP_POST:
		s->deferred = 0; /* it may be told that it was picked */
		pvs_post(&s->w.vcpu, fuzz_u8(in) % (PVS_EV_COUNT + 3u));
		break;
	case OP_FACTS:
		new_facts(s, in);
		break;
	case OP_SAVE:
		save_and_restore(w, s, in);
		break;
	case OP_CHOICE:
		choose(w, in);
		break;
	case OP_CLOCK:
		jump(s, in);
		break;
	case OP_PREEMPTS:
		compare(w);
		break;
	default:
		pass(s, in);
		step(w, s, in);
		break;
	}
}

/* A few numbers of the config, put in range by what the check says. */
static void take_config(struct pvs_config *cfg, struct fuzz_input *in)
{
	unsigned int few = fuzz_u8(in) & 7u;
	unsigned int i;

	(void)pvs_config_profile(PVS_PROFILE_DEFAULT, cfg);
	for (i = 0; i < few; i++) {
		struct pvs_config with = *cfg;
		size_t at = fuzz_u8(in) % (sizeof(with) / sizeof(pvs_u32)) * sizeof(pvs_u32);
		uint32_t value = fuzz_u32(in);

		memcpy((unsigned char *)&with + at, &value, sizeof(value));
		pvs_config_resolve(&with);
		if (pvs_config_check(&with, NULL) == PVS_OK)
			*cfg = with;
	}
}

static void begin(struct world *w, int rubbish, struct fuzz_input *in)
{
	uint32_t caps = fuzz_u16(in);
	struct pvs_choice choice = { PVS_ABI_MAJOR, PVS_ABI_MINOR, GENERATION, 0, PVS_CMD_ACCEPT };
	unsigned int i;

	memset(w, rubbish, sizeof(*w));
	w->rubbish = rubbish;
	w->digest = FUZZ_DIGEST_START;
	take_config(&w->cfg, in);
	pvs_vm_init(&w->vm, caps, GENERATION, VCPUS);
	choice.features = w->vm.features_offered & ~PVS_F_SPLIT_WORDS;
	(void)pvs_vm_negotiate(&w->vm, &choice);
	for (i = 0; i < VCPUS; i++) {
		struct side *s = &w->side[i];

		memset(&s->slot, 0, sizeof(s->slot));
		memset(&s->facts, 0, sizeof(s->facts));
		s->seq = 0;
		s->deferred = 0;
		s->ticket = 0;
		s->facts.caps = caps;
		s->facts.now_ns = START_NS;
		s->facts.entitlement_q16 = 65536u / 3u;
		s->facts.timer_granularity_ns = 50000u;
		s->slot.life = PVS_LE64(PVS_LIFE_ONLINE | PVS_PUT(GENERATION, PVS_LIFE_GEN_SHIFT,
								  PVS_LIFE_GEN_BITS));
		pvs_vcpu_init(&s->w.vcpu, &w->cfg);
		pvs_post(&s->w.vcpu, PVS_EV_ATTACH);
		rules_begin(&s->w);
	}
}

static uint64_t live(const uint8_t *data, size_t size, int rubbish)
{
	struct fuzz_input in = fuzz_input_of(data, size);
	struct world w;
	unsigned int i;

	begin(&w, rubbish, &in);
	for (i = 0; i < OPS_MAX && in.left; i++)
		operate(&w, &in);
	return w.digest;
}

void fuzz_one(const uint8_t *data, size_t size)
{
	uint64_t once = live(data, size, 0);

	FUZZ_RULE("decision: depends on what memory held", live(data, size, 0xa5) == once);
}
