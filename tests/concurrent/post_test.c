/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvs_post() from several threads while the owner decides.
 */
#include "threads.h"

#define ROUNDS_MAX ROUNDS(20000u)
#define POSTERS 3u
/* Turns of waiting before others get the CPU: a machine may have fewer than there are threads. */
#define PATIENCE 200u

/* In each round all post at the same moment; one posts what shows, the others what does not. */
struct mail {
	struct world w;
	struct crew crew;
	atomic_uint posted;  /* rounds whose post that shows has returned */
	atomic_uint seen;    /* rounds whose effect the owner has seen: the sign for the next */
	atomic_uint poster;
	unsigned int event;  /* what shows ... */
	unsigned int undo;   /* ... what takes it back ... */
	unsigned int reason; /* ... and how it shows */
};

static void wait_for_sign(struct mail *m, unsigned int round)
{
	unsigned int turns = 0;

	while (atomic_load(&m->seen) + 1u < round) {
		if (++turns % PATIENCE == 0)
			sched_yield();
	}
}

static void *post_each_round(void *argument)
{
	static const unsigned int silent[] = { PVS_EV_TICK, PVS_EV_POLL, PVS_EV_COUNT + 7u };
	struct mail *m = argument;
	unsigned int me = atomic_fetch_add(&m->poster, 1);
	unsigned int round;

	crew_meet(&m->crew, POSTERS);
	for (round = 1; round <= ROUNDS_MAX; round++) {
		wait_for_sign(m, round);
		if (me) {
			pvs_post(&m->w.v, silent[(round + me) % 3u]);
			continue;
		}
		pvs_post(&m->w.v, m->event);
		atomic_store(&m->posted, round);
	}
	return NULL;
}

/* What was posted before a decision begins has been seen when it ends. */
static void see_each_post(struct mail *m)
{
	unsigned int handled = 0;
	unsigned int i;

	m->w.io.facts.now_ns += 1 * MS;
	for (i = 0; i < POSTERS; i++)
		crew_start(&m->crew, post_each_round, m);
	while (handled < ROUNDS_MAX) {
		unsigned int posted = atomic_load(&m->posted);

		m->w.io.facts.now_ns += 10 * US;
		look(&m->w);
		if (posted == handled) {
			if (++i % PATIENCE == 0)
				sched_yield();
			continue;
		}
		assert_int_equal(m->w.io.decision.reason, m->reason);
		step(&m->w, m->undo);
		handled = posted;
		atomic_store(&m->seen, handled);
	}
	crew_join(&m->crew);
}

static void post__leaving_the_guest_is_never_lost(void **state)
{
	static struct mail m;

	(void)state;
	world_init(&m.w, CAPS_OWNER);
	m.event = PVS_EV_RUN_LEAVE;
	m.undo = PVS_EV_RUN_ENTER;
	m.reason = PVS_REASON_OUTSIDE;
	see_each_post(&m);
}

static void post__a_detach_is_never_lost(void **state)
{
	static struct mail m;

	(void)state;
	world_init(&m.w, CAPS_OWNER);
	m.event = PVS_EV_DETACH;
	m.undo = PVS_EV_ATTACH;
	m.reason = PVS_REASON_DETACHED;
	see_each_post(&m);
}

static void post__a_foreign_change_is_never_lost(void **state)
{
	static struct mail m;

	(void)state;
	world_init(&m.w, CAPS_USER);
	m.event = PVS_EV_FOREIGN;
	m.undo = PVS_EV_ATTACH;
	m.reason = PVS_REASON_FOREIGN;
	see_each_post(&m);
}

/* ---- injections are counted ------------------------------------------------------------------ */

struct storm {
	struct world w;
	struct crew crew;
	atomic_uint ended;
};

static void *post_injections(void *argument)
{
	struct storm *s = argument;
	unsigned int i;

	crew_meet(&s->crew, POSTERS);
	for (i = 0; i < ROUNDS_MAX; i++) {
		pvs_post(&s->w.v, PVS_EV_INJECT);
		pvs_post(&s->w.v, PVS_EV_TICK);
	}
	atomic_fetch_add(&s->ended, 1);
	return NULL;
}

static void post__each_injection_counts_once(void **state)
{
	static struct storm s;
	unsigned int i;

	(void)state;
	world_init(&s.w, CAPS_OWNER);
	assert_true(s.w.vm.terms.features & PVS_F_IRQ_TICKET);
	s.w.v.storm_count = 0;
	for (i = 0; i < POSTERS; i++)
		crew_start(&s.crew, post_injections, &s);
	/* time stands still, so that all are counted in one window */
	while (atomic_load(&s.ended) < POSTERS) {
		look(&s.w);
		if (++i % PATIENCE == 0)
			sched_yield();
	}
	crew_join(&s.crew);
	look(&s.w);
	assert_int_equal(s.w.v.storm_count, POSTERS * ROUNDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(post__leaving_the_guest_is_never_lost),
		cmocka_unit_test(post__a_detach_is_never_lost),
		cmocka_unit_test(post__a_foreign_change_is_never_lost),
		cmocka_unit_test(post__each_injection_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
