/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "queue_sim.h"

#define NEVER (~0ull)

void sim_init(struct sim *s, pvs_u64 base)
{
	memset(s, 0, sizeof(*s));
	pvs_config_profile(PVS_PROFILE_DEFAULT, &s->cfg);
	pvs_queue_init(&s->q);
	s->q.base = base;
	s->slice_ns = 1 * SIM_MS;
	s->current = -1;
}

struct sim_vcpu *sim_add(struct sim *s, pvs_u32 weight)
{
	struct sim_vcpu *v = &s->v[s->count++];

	pvs_entity_init(&v->e, &s->cfg, weight);
	v->klass = PVS_CLASS_BASELINE;
	v->irq_due_ns = NEVER;
	return v;
}

static struct pvs_queue_ask ask_of(const struct sim *s, const struct sim_vcpu *v)
{
	struct pvs_queue_ask ask = { .now_ns = s->now_ns, .klass = PVS_CLASS_BASELINE };

	if (v->done_ns < v->boost_ns || v->irq_left_ns) {
		ask.klass = v->klass;
		ask.rank = v->rank;
	} else if (v->below_q10) {
		ask.klass = PVS_CLASS_BELOW;
		ask.weight_q10 = v->below_q10;
	}
	return ask;
}

static void enqueue(struct sim *s, struct sim_vcpu *v)
{
	struct pvs_queue_ask ask = ask_of(s, v);

	v->turn = s->turns++;
	if (pvs_queue_enqueue(&s->q, &s->cfg, &v->e, &ask) == PVS_QUEUE_PARK)
		v->at_ns = v->e.park_ns;
}

static void wake_all(struct sim *s)
{
	int i;

	for (i = 0; i < s->count; i++) {
		struct sim_vcpu *v = &s->v[i];

		if (v->e.state != PVS_ENTITY_OUT || v->at_ns > s->now_ns)
			continue;
		enqueue(s, v);
	}
}

/* Interrupts that are due; one may come for a vCPU that waits, which the host then queues anew. */
static void interrupt_all(struct sim *s)
{
	int i;

	for (i = 0; i < s->count; i++) {
		struct sim_vcpu *v = &s->v[i];
		struct pvs_queue_ask ask;

		if (!v->irq_period_ns || v->irq_at_ns > s->now_ns)
			continue;
		v->irq_missed += v->irq_left_ns != 0;
		v->irq_left_ns = v->irq_ns;
		v->irq_due_ns = s->now_ns;
		v->irq_at_ns += v->irq_period_ns;
		ask = ask_of(s, v);
		if (i == s->current)
			pvs_queue_pick(&s->q, &s->cfg, &v->e, &ask);
		else if (v->e.state == PVS_ENTITY_QUEUED)
			enqueue(s, v);
	}
}

static struct sim_vcpu *lowest(struct sim *s)
{
	struct sim_vcpu *best = 0;
	int i;

	for (i = 0; i < s->count; i++) {
		struct sim_vcpu *v = &s->v[i];

		if (v->e.state != PVS_ENTITY_QUEUED)
			continue;
		if (!best || pvs_key_before(v->e.key, best->e.key) ||
		    (v->e.key == best->e.key && v->turn < best->turn))
			best = v;
	}
	return best;
}

static void pick(struct sim *s)
{
	struct sim_vcpu *v;

	while (s->current < 0 && (v = lowest(s))) {
		struct pvs_queue_ask ask = ask_of(s, v);
		int said = pvs_queue_pick(&s->q, &s->cfg, &v->e, &ask);

		if (said == PVS_QUEUE_PARK)
			v->at_ns = v->e.park_ns;
		if (said == PVS_QUEUE_AGAIN)
			v->turn = s->turns++;
		if (said == PVS_QUEUE_GO)
			s->current = (int)(v - s->v);
	}
	s->ran_ns = 0;
}

static pvs_u64 next_event(const struct sim *s)
{
	pvs_u64 next = NEVER;
	int i;

	for (i = 0; i < s->count; i++) {
		if (s->v[i].e.state == PVS_ENTITY_OUT && s->v[i].at_ns < next)
			next = s->v[i].at_ns;
		if (s->v[i].irq_period_ns && s->v[i].irq_at_ns < next)
			next = s->v[i].irq_at_ns;
	}
	return next;
}

static void note_begin(const struct sim *s, struct sim_vcpu *v)
{
	pvs_u64 waited = s->now_ns - v->due_ns;

	if (v->irq_due_ns != NEVER && s->now_ns - v->irq_due_ns > v->irq_worst_ns)
		v->irq_worst_ns = s->now_ns - v->irq_due_ns;
	v->irq_due_ns = NEVER;
	if (v->begun)
		return;
	v->begun = 1;
	v->pieces++;
	if (waited > v->worst_ns)
		v->worst_ns = waited;
}

/* The work at hand is done: sleep until the next comes, if it is not there already. */
static void finish(struct sim *s, struct sim_vcpu *v)
{
	v->done_ns = 0;
	v->begun = 0;
	v->due_ns = v->period_ns ? v->due_ns + v->period_ns : s->now_ns + v->sleep_ns;
	v->at_ns = v->due_ns;
	pvs_queue_dequeue(&s->q, &v->e);
	s->current = -1;
}

static pvs_u64 least(pvs_u64 a, pvs_u64 b)
{
	return a < b ? a : b;
}

/* Runs the current vCPU to the next event, and puts it where it then belongs. */
static void run_current(struct sim *s, pvs_u64 end)
{
	struct sim_vcpu *v = &s->v[s->current];
	pvs_u64 dt = least(s->slice_ns - s->ran_ns, end - s->now_ns);
	struct sim_vcpu *head;
	int over; /* what boosted it */

	note_begin(s, v);
	dt = least(dt, next_event(s) - s->now_ns);
	dt = least(dt, pvs_queue_limit_ns(&s->q, &s->cfg, &v->e, s->now_ns));
	if (v->run_ns)
		dt = least(dt, v->run_ns - v->done_ns);
	if (v->done_ns < v->boost_ns)
		dt = least(dt, v->boost_ns - v->done_ns);
	if (v->irq_left_ns)
		dt = least(dt, v->irq_left_ns);
	s->now_ns += dt;
	s->ran_ns += dt;
	v->done_ns += dt;
	v->got_ns += dt;
	over = v->done_ns == v->boost_ns || v->irq_left_ns == dt;
	v->irq_left_ns -= least(dt, v->irq_left_ns);
	pvs_queue_charge(&s->q, &s->cfg, &v->e, (pvs_u32)dt, s->now_ns);
	if (v->run_ns && v->done_ns >= v->run_ns) {
		finish(s, v);
		return;
	}
	wake_all(s);
	interrupt_all(s);
	head = lowest(s);
	if (s->ran_ns >= s->slice_ns || over ||
	    pvs_queue_limit_ns(&s->q, &s->cfg, &v->e, s->now_ns) <= SIM_US ||
	    (head && pvs_queue_preempts(&head->e, &v->e))) {
		enqueue(s, v);
		s->current = -1;
	}
}

void sim_run(struct sim *s, pvs_u64 ns)
{
	pvs_u64 end = s->now_ns + ns;

	while (s->now_ns < end) {
		wake_all(s);
		interrupt_all(s);
		if (s->current < 0)
			pick(s);
		if (s->current >= 0) {
			run_current(s, end);
		} else {
			pvs_u64 next = least(next_event(s), end);

			s->idle_ns += next - s->now_ns;
			s->now_ns = next;
		}
	}
}
