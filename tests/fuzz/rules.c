/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"

#include <string.h>

/* More than twice its capacity is never missing in an account (account.c); the rest is forgiven. */
#define SPANS_MAX 2u
#define SHARE_ONE_Q16 65536u
#define LATCH_BOOST 0x1u
#define LATCH_IRQ 0x2u

/* Bits of `applied`, `window_left` and the others that have a meaning; the rest is zero. */
#define APPLIED_KNOWN                                                                           \
	(PVS_PUT(0x7u, PVS_APPLIED_CLASS_SHIFT, PVS_APPLIED_CLASS_BITS) |                       \
	 PVS_PUT(0xffu, PVS_APPLIED_THROTTLE_SHIFT, PVS_APPLIED_THROTTLE_BITS) |                \
	 PVS_APPLIED_GRANTED | PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_KICK_RAISE |              \
	 PVS_APPLIED_YIELD_SPIN | PVS_APPLIED_DONT_BOTHER)
#define PERF_KNOWN                                                                              \
	(PVS_MASK(2 * PVS_PERF_BITS) | PVS_PUT(PVS_MASK(PVS_PERF_BITS),                         \
	 PVS_PERF_CONTENTION_SHIFT, PVS_PERF_BITS) |                                            \
	 PVS_PUT(PVS_MASK(PVS_PERF_GEN_BITS), PVS_PERF_GEN_SHIFT, PVS_PERF_GEN_BITS))

/* ---- hints ---------------------------------------------------------------------------------- */

static int accepted(const struct pvs_terms *terms, uint64_t feature)
{
	return (terms->features & feature) != 0;
}

static void hint_ranges(const struct pvs_hint *h)
{
	FUZZ_RULE("hint: urgency", h->urgency <= PVS_URGENCY_MAX);
	FUZZ_RULE("hint: wake urgency", h->wake_urgency <= PVS_URGENCY_MAX);
	FUZZ_RULE("hint: level", h->level <= PVS_LEVEL_MAX && h->wake_level <= PVS_LEVEL_MAX);
	FUZZ_RULE("hint: pending", h->pending >> PVS_PENDING_CLASS_SHIFT <= PVS_URGENCY_MAX);
	FUZZ_RULE("hint: crit", !(h->crit & ~PVS_CRIT_ALL));
	FUZZ_RULE("hint: irq", !(h->irq & ~PVS_IRQ_BITS_ALL));
	FUZZ_RULE("hint: util", h->util <= PVS_UTIL_MAX);
	FUZZ_RULE("hint: bounds", h->util_floor <= h->util_ceil && h->util_ceil <= PVS_UTIL_MAX);
	FUZZ_RULE("hint: wait kind", h->wait_kind <= PVS_WAIT_KIND_MAX);
	FUZZ_RULE("hint: flags", !(h->flags & ~(PVS_HINT_ONLINE | PVS_HINT_IDLE |
						PVS_HINT_UTIL_VALID | PVS_HINT_WAKE_VALID |
						PVS_HINT_TORN)));
	FUZZ_RULE("hint: malformed", !(h->malformed & ~0x7fu));
}

/* Of a torn word what was said before stands, also what was agreed with another choice. */
static int torn(const struct pvs_terms *t, uint64_t word)
{
	return accepted(t, PVS_F_SPLIT_WORDS) &&
	       PVS_GET(word, PVS_INTENT_TAG_LO_SHIFT, PVS_TAG_BITS) !=
		       PVS_GET(word, PVS_INTENT_TAG_HI_SHIFT, PVS_TAG_BITS);
}

static void hint_features(const struct pvs_hint *h, const struct pvs_terms *t,
			  const struct pvs_snapshot *snap)
{
	int intent_kept = torn(t, snap->intent);

	FUZZ_RULE("hint: util unasked", intent_kept || accepted(t, PVS_F_UTIL) ||
		  (!h->util && !(h->flags & PVS_HINT_UTIL_VALID)));
	FUZZ_RULE("hint: wake unasked", intent_kept || accepted(t, PVS_F_WAKE) ||
		  (!h->wake_urgency && !(h->flags & PVS_HINT_WAKE_VALID)));
	FUZZ_RULE("hint: window unasked", intent_kept || accepted(t, PVS_F_WINDOW) ||
		  !h->window_us);
	FUZZ_RULE("hint: pending unasked", accepted(t, PVS_F_PENDING) || !h->pending);
	FUZZ_RULE("hint: crit unasked", accepted(t, PVS_F_CRIT) || !h->crit);
	FUZZ_RULE("hint: irq unasked", accepted(t, PVS_F_IRQ) || !h->irq);
	FUZZ_RULE("hint: ack unasked", accepted(t, PVS_F_IRQ_TICKET) || !h->irq_ack);
	FUZZ_RULE("hint: wait unasked", torn(t, snap->wait) || accepted(t, PVS_F_WAIT) ||
		  !h->wait_kind);
	FUZZ_RULE("hint: bounds unasked", accepted(t, PVS_F_UTIL_BOUNDS) ||
		  (!h->util_floor && h->util_ceil == PVS_UTIL_MAX));
}

void rules_hint(const struct pvs_hint *h, const struct pvs_terms *terms,
		const struct pvs_snapshot *snap)
{
	hint_ranges(h);
	FUZZ_RULE("hint: online without terms", terms->active || !(h->flags & PVS_HINT_ONLINE));
	if (!(h->flags & PVS_HINT_ONLINE)) {
		FUZZ_RULE("hint: an offline slot speaks", !h->urgency && !h->wake_urgency &&
			  !h->pending && !h->crit && !h->irq && !h->window_us && !h->wait_kind);
		return;
	}
	FUZZ_RULE("hint: wait target", h->wait_target < terms->slot_count);
	hint_features(h, terms, snap);
}

/* ---- decisions ------------------------------------------------------------------------------ */

static int boosted(unsigned int klass)
{
	return klass >= PVS_CLASS_TASK;
}

static void decision_ranges(const struct pvs_decision *d)
{
	FUZZ_RULE("decision: class", d->klass >= PVS_CLASS_BELOW && d->klass <= PVS_CLASS_CRITICAL);
	FUZZ_RULE("decision: rank", boosted(d->klass) ? d->rank < PVS_RANKS : !d->rank);
	FUZZ_RULE("decision: reason", d->reason < PVS_REASON_COUNT);
	FUZZ_RULE("decision: weight", d->klass == PVS_CLASS_BELOW ?
		  d->weight_q10 >= 1u && d->weight_q10 <= 1023u : d->weight_q10 == 1024u);
	FUZZ_RULE("decision: performance", d->perf_q10 <= PVS_UTIL_MAX);
	FUZZ_RULE("decision: defer", d->defer < PVS_REASON_COUNT &&
		  (d->defer == PVS_REASON_DEFERRED) == !!(d->flags & PVS_DECISION_DEFER));
}

/* P-12.11: what interrupts asked for is looked at 50 us later. */
static uint64_t soonest(const struct pvs_config *cfg, const struct pvs_decision *d)
{
	int irq = d->reason == PVS_REASON_IRQ || d->reason == PVS_REASON_TICKET;

	return irq && cfg->recheck_min_ns > 50000u ? 50000u : cfg->recheck_min_ns;
}

static void decision_times(const struct pvs_config *cfg, const struct pvs_io *io)
{
	const struct pvs_decision *d = &io->decision;

	FUZZ_RULE("decision: asks for the past", d->recheck_at_ns >= io->facts.now_ns);
	FUZZ_RULE("decision: rings in the past", d->ring_at_ns >= io->facts.now_ns);
	if (d->flags & PVS_DECISION_RELEASE) {
		FUZZ_RULE("decision: boosts what it lets go", d->klass == PVS_CLASS_BASELINE);
		FUZZ_RULE("decision: asks for what it let go", d->recheck_at_ns == PVS_NEVER);
		return;
	}
	FUZZ_RULE("decision: asks too soon",
		  d->recheck_at_ns - io->facts.now_ns >= soonest(cfg, d) ||
		  (d->flags & PVS_DECISION_DEFER));
	FUZZ_RULE("decision: never asks again", d->recheck_at_ns != PVS_NEVER);
}

/* Interrupt context pays from the interrupt account, everything else from the boost account. */
static int paid_by_irq(const struct pvs_vcpu *v)
{
	return v->on_irq;
}

static void decision_accounts(const struct watched *w, const struct pvs_config *cfg,
			      const struct pvs_saved *now, const struct pvs_decision *d)
{
	/* where a look costs all but what opens an account again, rounding may open it sooner */
	uint64_t span = cfg->boost_open_ns < cfg->boost_span_ns ? cfg->boost_span_ns :
			cfg->boost_open_ns + 1u;
	int empty = paid_by_irq(&w->vcpu) ?
			now->irq_used_ns >= cfg->irq_span_ns || (now->latches & LATCH_IRQ) :
			now->boost_used_ns >= span || (now->latches & LATCH_BOOST);

	/* an attachment begins with the latches that were restored */
	FUZZ_RULE("accounts: boosted with an empty account",
		  !boosted(d->klass) || !empty || !w->was_attached);
	FUZZ_RULE("accounts: credit above its limit", now->normal_left_ns <= cfg->credit_max_ns);
	/* while a boost goes on, what it owes is not settled and not limited yet */
	FUZZ_RULE("accounts: debt above its limit",
		  w->vcpu.normal_left_ns >= -(pvs_s64)cfg->debt_max_ns);
	FUZZ_RULE("accounts: overdrawn without end",
		  now->boost_used_ns <= SPANS_MAX * cfg->boost_span_ns &&
		  now->irq_used_ns <= SPANS_MAX * cfg->irq_span_ns);
	FUZZ_RULE("accounts: share of more than one CPU", now->share_q16 <= SHARE_ONE_Q16);
}

/* ---- sums over a run ------------------------------------------------------------------------ */

static uint64_t passed(uint64_t before, uint64_t after, uint64_t max)
{
	uint64_t ns = after > before ? after - before : 0;

	return ns < max ? ns : max;
}

/* Entitled time in `dt`: an account is given its share of that. */
static uint64_t earned(const struct pvs_facts *facts, uint64_t dt)
{
	uint64_t share = facts->entitlement_q16;

	if (!share || share > SHARE_ONE_Q16)
		share = SHARE_ONE_Q16;
	return (dt * share) >> 16;
}

/* What is left in both accounts, as run time; negative when overdrawn. */
static pvs_s64 left(const struct pvs_config *cfg, const struct pvs_saved *s)
{
	pvs_s64 boost = (pvs_s64)cfg->boost_span_ns - (pvs_s64)s->boost_used_ns;
	pvs_s64 irq = (pvs_s64)cfg->irq_span_ns - (pvs_s64)s->irq_used_ns;

	return boost * (pvs_s64)cfg->boost_share_q10 / 1024 +
	       irq * (pvs_s64)cfg->irq_share_q10 / 1024;
}

/* Each step rounds a few times, and run time by less than a nanosecond each. */
#define ROUNDED_NS 8u

/* A boost moves a vCPU's own time: neither a step nor all of them together may add any. */
static void sums(struct watched *w, const struct pvs_config *cfg, const struct pvs_io *io,
		 const struct pvs_saved *now)
{
	uint64_t dt = w->started ? passed(w->now_ns, io->facts.now_ns, cfg->dt_max_ns) : 0;
	uint64_t run = w->started ? passed(w->run_ns, io->facts.run_ns, cfg->dt_max_ns) : 0;
	uint64_t gain = earned(&io->facts, dt);
	uint64_t used = now->boosted_ns - w->before.boosted_ns;
	pvs_s64 paid = (pvs_s64)(now->boosted_ns - w->start.boosted_ns);

	FUZZ_RULE("sums: boost account given too much",
		  now->boost_used_ns + gain >= w->before.boost_used_ns);
	FUZZ_RULE("sums: irq account given too much",
		  now->irq_used_ns + gain >= w->before.irq_used_ns);
	FUZZ_RULE("sums: charged for what it did not run",
		  used == (boosted(w->klass) ? run : 0));

	w->gained_ns += (gain * cfg->boost_share_q10 >> 10) + (gain * cfg->irq_share_q10 >> 10);
	w->rounded_ns += ROUNDED_NS;
	if (now->boost_used_ns >= SPANS_MAX * cfg->boost_span_ns ||
	    now->irq_used_ns >= SPANS_MAX * cfg->irq_span_ns)
		w->forgiven = 1;
	FUZZ_RULE("sums: more boosted time than the entitlement allows", w->forgiven ||
		  paid <= left(cfg, &w->start) + (pvs_s64)(w->gained_ns + w->rounded_ns) -
				  left(cfg, now));
}

void rules_begin(struct watched *w)
{
	pvs_state_save(&w->vcpu, &w->start);
	w->gained_ns = 0;
	w->rounded_ns = 0;
	w->forgiven = 0;
	w->started = 0;
	w->klass = PVS_CLASS_BASELINE;
}

void rules_before_step(struct watched *w)
{
	pvs_state_save(&w->vcpu, &w->before);
	w->was_attached = w->vcpu.started;
}

void rules_after_step(struct watched *w, const struct pvs_config *cfg, const struct pvs_vm *vm,
		      const struct pvs_io *io)
{
	struct pvs_saved now;

	pvs_state_save(&w->vcpu, &now);
	if (!io->facts.nested)
		rules_hint(&io->hint, &vm->terms, &io->snap);
	decision_ranges(&io->decision);
	decision_times(cfg, io);
	decision_accounts(w, cfg, &now, &io->decision);
	FUZZ_RULE("decision: measure only", !(cfg->flags & PVS_CONFIG_MEASURE_ONLY) ==
		  !(io->decision.flags & PVS_DECISION_MEASURE));
	FUZZ_RULE("decision: an ended attachment is kept",
		  (io->event.type != PVS_EV_DETACH && io->event.type != PVS_EV_FOREIGN) ||
		  (io->decision.flags & PVS_DECISION_RELEASE));
	sums(w, cfg, io, &now);

	w->now_ns = io->facts.now_ns;
	w->run_ns = io->facts.run_ns;
	w->started = 1;
	w->klass = io->decision.klass;
}

/* ---- shared memory and saved states --------------------------------------------------------- */

static int one_bit_or_none(uint32_t bits)
{
	return !(bits & (bits - 1u));
}

void rules_slot(const struct pvs_slot *before, const struct pvs_slot *after,
		const struct pvs_vm *vm, const struct pvs_decision *d)
{
	uint64_t applied = PVS_LE64(after->applied);
	uint64_t bells = PVS_APPLIED_KICK_DEBOOST | PVS_APPLIED_KICK_RAISE;
	uint32_t throttle = PVS_GET(applied, PVS_APPLIED_THROTTLE_SHIFT, PVS_APPLIED_THROTTLE_BITS);

	FUZZ_RULE("slot: the host wrote a guest's line",
		  !memcmp(before, after, __builtin_offsetof(struct pvs_slot, applied)));
	FUZZ_RULE("slot: reserved words",
		  !memcmp(before->host_reserved, after->host_reserved,
			  sizeof(after->host_reserved)) &&
		  before->cold_reserved == after->cold_reserved && before->ident == after->ident);
	FUZZ_RULE("slot: unknown bits of applied", !(applied & ~APPLIED_KNOWN));
	FUZZ_RULE("slot: class", PVS_GET(applied, PVS_APPLIED_CLASS_SHIFT,
					 PVS_APPLIED_CLASS_BITS) == d->klass);
	FUZZ_RULE("slot: throttle", throttle == d->throttle && one_bit_or_none(throttle));
	FUZZ_RULE("slot: asks for a bell there is not",
		  (vm->terms.features & PVS_F_KICK) || !(applied & bells));
	FUZZ_RULE("slot: unknown bits of run and ticket",
		  !(PVS_LE64(after->irq_ticket) >> PVS_TICKET_BITS) &&
		  !(PVS_LE64(after->run) >> PVS_RUN_EPOCH_BITS));
	FUZZ_RULE("slot: unknown bits of perf", !(PVS_LE64(after->perf) & ~PERF_KNOWN));
	FUZZ_RULE("slot: counters left half written", !(PVS_LE64(after->count_seq) & 1u));
}

void rules_restored(const struct pvs_vcpu *v, const struct pvs_config *cfg)
{
	struct pvs_vcpu fresh;
	struct pvs_saved is;
	struct pvs_saved best;

	pvs_vcpu_init(&fresh, cfg);
	pvs_state_save(&fresh, &best);
	pvs_state_save(v, &is);
	FUZZ_RULE("restore: richer than fresh", is.normal_left_ns <= best.normal_left_ns);
	FUZZ_RULE("restore: closed without end",
		  is.boost_used_ns <= SPANS_MAX * cfg->boost_span_ns &&
		  is.irq_used_ns <= SPANS_MAX * cfg->irq_span_ns &&
		  is.high_ns <= SPANS_MAX * cfg->boost_span_ns &&
		  is.high_before_ns <= SPANS_MAX * cfg->boost_span_ns);
	FUZZ_RULE("restore: share of more than one CPU", is.share_q16 <= SHARE_ONE_Q16);
}
