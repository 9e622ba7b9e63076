/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen's schedulers as pvsim models them, with bodies of our own: what their rules say, and what was
 * measured of the real ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim.h"

enum kind {
	HOG,     /* never sleeps */
	SLEEPER, /* sleeps until each multiple of its period, then works */
	MIXED,   /* a hog with a timer: how late is its interrupt? */
	STEALER, /* works until just before each multiple of its period, and sleeps over it */
	LATE,    /* sleeps until its period is over, once, and is a hog from then on */
	YIELDER  /* works, and lets others go first */
};

struct actor {
	enum kind kind;
	uint64_t period_ns, work_ns, left_ns, done_ns;
	uint64_t due_ns;       /* of its wake-up or interrupt; 0: none is due */
	uint64_t irq_ns;       /* to take an interrupt, before anything of it is seen */
	uint64_t jobs, missed;
	struct sim_hist late;
	int asleep;
	struct sim_timer timer;
	struct sim_thread *thread;
};

static struct sim_scenario scenario;
static struct sim_options options;
static struct sim_param_spec params[8];
static struct sim *sim;

/* ---- bodies -----------------------------------------------------------------------------------*/

static void note_late(struct actor *a)
{
	uint64_t late_ns = sim->now_ns - a->due_ns + a->irq_ns;
	const struct sim_cpu *cpu = a->thread->cpu;

	/* it has its CPU; the switch is still to be paid */
	if (cpu->overhead_until_ns > sim->now_ns)
		late_ns += cpu->overhead_until_ns - sim->now_ns;
	a->due_ns = 0;
	a->jobs++;
	a->missed += a->period_ns ? late_ns / a->period_ns : 0;
	sim_hist_add(&a->late, late_ns);
}

static void sleep_until(struct actor *a, uint64_t at_ns)
{
	a->asleep = 1;
	sim_arm(sim, &a->timer, at_ns);
}

/* The next multiple of its period. */
static uint64_t next_of(const struct actor *a)
{
	return (sim->now_ns / a->period_ns + 1) * a->period_ns;
}

static uint64_t actor_next(struct sim *of, struct sim_thread *t)
{
	struct actor *a = t->ctx;

	(void)of;
	if (a->asleep)
		return SIM_WORK_BLOCK;
	if (a->due_ns)
		note_late(a);
	if (a->left_ns)
		return a->left_ns;
	switch (a->kind) {
	case SLEEPER:
		sleep_until(a, next_of(a));
		return SIM_WORK_BLOCK;
	case STEALER:
		if (next_of(a) - sim->now_ns > a->work_ns)
			return next_of(a) - a->work_ns - sim->now_ns;
		sleep_until(a, next_of(a) + 1);
		return SIM_WORK_BLOCK;
	case YIELDER:
		a->left_ns = a->work_ns;
		return SIM_WORK_YIELD;
	default:
		return SIM_WORK_SPIN;
	}
}

static void actor_did(struct sim *of, struct sim_thread *t, uint64_t work_ns)
{
	struct actor *a = t->ctx;

	(void)of;
	a->done_ns += work_ns;
	a->left_ns -= work_ns < a->left_ns ? work_ns : a->left_ns;
}

static void actor_fires(struct sim *of, struct sim_timer *timer)
{
	struct actor *a = timer->owner;

	(void)of;
	if (a->kind == MIXED) {
		/* as the lab's guest does: one after the other */
		if (!a->due_ns)
			a->due_ns = sim->now_ns;
		sim_arm(sim, &a->timer, sim->now_ns + a->period_ns);
		sim_poke(sim, a->thread);
		return;
	}
	a->asleep = 0;
	a->left_ns = a->kind == SLEEPER ? a->work_ns : 0;
	a->due_ns = sim->now_ns;
	sim_wake(sim, a->thread);
}

static const struct sim_body actor_body = { .next = actor_next, .did = actor_did };

/* ---- a run ------------------------------------------------------------------------------------*/

static void set(const char *name, uint64_t value)
{
	struct sim_param_spec *p = &params[scenario.param_count++];

	snprintf(p->name, sizeof(p->name), "%s", name);
	p->value = value;
}

static void prepare(void)
{
	memset(&scenario, 0, sizeof(scenario));
	memset(&options, 0, sizeof(options));
	scenario.params = params;
	scenario.seed = 1;
	scenario.duration_ns = 4 * SIM_S; /* as the lab's runs */
}

static void begin(const char *policy, uint32_t cpus)
{
	char error[200];

	scenario.machine.cpus = cpus;
	options.policy = policy;
	sim = sim_new(&scenario, &options, error, sizeof(error));
	assert_non_null(sim);
}

static void add_weighted(struct actor *a, uint32_t weight)
{
	a->thread = sim_thread_new(sim, "actor", &actor_body, a);
	a->thread->weight = weight;
	a->timer.owner = a;
	a->timer.fire = actor_fires;
	sim_thread_start(sim, a->thread);
	if (a->kind == LATE) {
		sleep_until(a, a->period_ns);
		return;
	}
	if (a->kind == MIXED)
		sim_arm(sim, &a->timer, a->period_ns);
	sim_wake(sim, a->thread);
}

static void add(struct actor *a)
{
	add_weighted(a, 1024);
}

static void run(void)
{
	assert_int_equal(sim_run(sim, &options), 0);
}

static double share(const struct actor *a)
{
	return (double)sim_thread_run_ns(sim, a->thread) / (double)scenario.duration_ns;
}

static void assert_share(const struct actor *a, double least, double most)
{
	if (share(a) < least || share(a) > most)
		fail_msg("share %.4f, not in %.4f..%.4f", share(a), least, most);
}

/* ---- credit2: its rules -----------------------------------------------------------------------*/

static void credit2_shares_by_weight(void **state)
{
	struct actor a = { .kind = HOG }, b = { .kind = HOG }, c = { .kind = HOG };

	(void)state;
	prepare();
	begin("credit2", 1);
	add_weighted(&a, 2048);
	add_weighted(&b, 1024);
	add_weighted(&c, 1024);
	run();
	assert_share(&a, 0.49, 0.51);
	assert_share(&b, 0.24, 0.26);
	assert_share(&c, 0.24, 0.26);
	sim_free(sim);
}

static void credit2_shares_one_queue_among_cpus(void **state)
{
	struct actor hogs[3] = { { .kind = HOG }, { .kind = HOG }, { .kind = HOG } };

	(void)state;
	prepare();
	begin("credit2", 2);
	for (int i = 0; i < 3; i++)
		add(&hogs[i]);
	run();
	for (int i = 0; i < 3; i++)
		assert_share(&hogs[i], 0.64, 0.69);
	assert_int_equal(sim->cpus[0].busy_ns + sim->cpus[1].busy_ns, 2 * scenario.duration_ns);
	sim_free(sim);
}

static void credit2_makes_a_queue_for_each_socket(void **state)
{
	struct actor hogs[4] = { { .kind = HOG }, { .kind = HOG }, { .kind = HOG },
		{ .kind = HOG } };

	(void)state;
	prepare();
	set("credit2.runqueue-cpus", 1);
	begin("credit2", 2);
	for (int i = 0; i < 4; i++)
		add(&hogs[i]);
	run();
	for (int i = 0; i < 4; i++) {
		assert_share(&hogs[i], 0.49, 0.51);
		assert_int_equal(hogs[i].thread->migrations, 0);
	}
	sim_free(sim);
}

/* However long it slept: what it may have saved is one reset's credit and the carry-over. */
static void credit2_carries_little_credit_over_a_reset(void **state)
{
	struct actor late = { .kind = LATE, .period_ns = 2 * SIM_S }, hog = { .kind = HOG };
	uint64_t wait_ns;

	(void)state;
	prepare();
	begin("credit2", 1);
	add(&late);
	add(&hog);
	run();
	wait_ns = hog.thread->wait_max_ns;
	assert_in_range(wait_ns, 1 * SIM_MS, 10600 * SIM_US);
	assert_in_range(sim_thread_run_ns(sim, late.thread), 990 * SIM_MS, 1011 * SIM_MS);
	sim_free(sim);
}

static uint64_t wake_latency_max(uint64_t ratelimit_ns)
{
	struct actor quick = { .kind = SLEEPER, .period_ns = 700 * SIM_US, .work_ns = 20 * SIM_US };
	struct actor hog = { .kind = HOG };
	uint64_t max_ns;

	prepare();
	set("credit2.ratelimit", ratelimit_ns);
	begin("credit2", 1);
	add(&quick);
	add(&hog);
	run();
	max_ns = quick.late.max;
	sim_free(sim);
	return max_ns;
}

static void credit2_rate_limit_delays_a_wake_up(void **state)
{
	(void)state;
	assert_int_equal(wake_latency_max(0), 0);
	/* 680 us after it got the CPU the hog is still protected, and keeps its whole slice */
	assert_in_range(wake_latency_max(SIM_MS), 5 * SIM_MS, 10 * SIM_MS);
}

static void decide_again(struct sim *of, struct sim_timer *timer)
{
	sim_resched(of, &of->cpus[0], NULL);
	sim_arm(of, timer, of->now_ns + 100 * SIM_US);
}

static void credit2_rate_limit_holds_for_decisions_out_of_turn(void **state)
{
	struct actor a = { .kind = HOG }, b = { .kind = HOG };
	struct sim_timer timer = { .fire = decide_again };

	(void)state;
	prepare();
	begin("credit2", 1);
	add(&a);
	add(&b);
	sim_arm(sim, &timer, 1);
	run();
	assert_in_range(sim->cpus[0].switches, 3000, scenario.duration_ns / SIM_MS + 2);
	sim_free(sim);
}

static void credit2_sends_who_was_preempted_to_an_idle_cpu(void **state)
{
	struct actor pinned = { .kind = SLEEPER, .period_ns = 10 * SIM_MS, .work_ns = 3 * SIM_MS };
	struct actor hog = { .kind = HOG };

	(void)state;
	prepare();
	begin("credit2", 2);
	add(&hog);
	add(&pinned);
	sim_set_affinity(sim, pinned.thread, 1);
	run();
	assert_share(&hog, 0.999, 1);
	assert_true(hog.thread->migrations > 0);
	sim_free(sim);
}

static void credit2_yield_lets_others_go_first(void **state)
{
	struct actor yielder = { .kind = YIELDER, .work_ns = 100 * SIM_US }, hog = { .kind = HOG };

	(void)state;
	prepare();
	begin("credit2", 1);
	add(&yielder);
	add(&hog);
	run();
	/* each yield gives the hog at least the minimum time of 0.5 ms */
	assert_true(sim_thread_run_ns(sim, yielder.thread) < scenario.duration_ns / 5);
	assert_true(yielder.done_ns > 0);
	sim_free(sim);
}

static void credit2_wakes_up_on_an_idle_cpu(void **state)
{
	struct actor quick = { .kind = SLEEPER, .period_ns = 700 * SIM_US, .work_ns = 20 * SIM_US };
	struct actor hogs[3] = { { .kind = HOG }, { .kind = HOG }, { .kind = HOG } };

	(void)state;
	prepare();
	begin("credit2", 4);
	add(&quick);
	for (int i = 0; i < 3; i++)
		add(&hogs[i]);
	run();
	assert_int_equal(quick.late.max, 0);
	assert_int_equal(quick.jobs, scenario.duration_ns / (700 * SIM_US));
	sim_free(sim);
}

/* ---- credit2: as measured ---------------------------------------------------------------------*/

/*
 * The lab: Xen in an emulated CPU of 250 MIPS, one pCPU, 4 virtual seconds, a vCPU that never
 * sleeps with a timer of 4.3 ms, and hogs. An interrupt reaches it in 4 us when it runs; a blocked
 * vCPU is woken and runs in 37 us, which is where the cost of a switch is from.
 */
#define LAB_PERIOD_NS (4300 * SIM_US)
#define LAB_IRQ_NS (4 * SIM_US)
#define LAB_SWITCH_NS (33 * SIM_US)

struct lab {
	const char *what;
	uint64_t inflight, ratelimit_us;
	uint32_t hogs;
	enum kind kind;
	uint64_t p50_us, p90_us, p99_us, max_us, missed;
};

static const struct lab measured[] = {
	{ "4.20, one hog", 1, 1000, 1, MIXED, 69, 837, 1011, 1021, 0 },
	{ "4.20, one hog, no rate limit", 1, 0, 1, MIXED, 69, 300, 301, 1729, 0 },
	{ "4.20, two hogs", 1, 1000, 2, MIXED, 652, 1831, 2009, 16956, 0 },
	{ "4.17, one hog", 0, 1000, 1, MIXED, 4, 8596, 9896, 9996, 264 },
	{ "4.20, one hog, blocked audio", 1, 1000, 1, SLEEPER, 37, 37, 37, 60, 0 },
};

static void run_lab(const struct lab *lab, struct actor *mixed)
{
	struct actor hogs[2] = { { .kind = HOG }, { .kind = HOG } };

	prepare();
	set("credit2.inflight", lab->inflight);
	set("credit2.ratelimit", lab->ratelimit_us * SIM_US);
	scenario.machine.costs.switch_ns = LAB_SWITCH_NS;
	begin("credit2", 1);
	for (uint32_t i = 0; i < lab->hogs; i++)
		add(&hogs[i]);
	add(mixed);
	run();
	sim_free(sim);
}

static double gap(const char *what, uint64_t measured_us, uint64_t model_ns)
{
	double model_us = (double)model_ns / 1e3;

	print_message("    %-4s measured %6llu us, model %8.1f us (%+.0f %%)\n", what,
		      (unsigned long long)measured_us, model_us,
		      100 * (model_us - (double)measured_us) / (double)measured_us);
	return model_us / (double)measured_us;
}

/*
 * Medians lie where "runs already" and "waits" meet, and single outliers (17 ms in one case) are
 * not of the rules modelled: they are printed. What is compared is p90, p99 and misses.
 */
static void credit2_is_what_was_measured(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++) {
		const struct lab *lab = &measured[i];
		struct actor mixed = { .kind = lab->kind, .period_ns = LAB_PERIOD_NS,
			.work_ns = SIM_US, .irq_ns = LAB_IRQ_NS };
		double p90, p99;

		run_lab(lab, &mixed);
		print_message("  credit2 %s: missed %llu measured, %llu model\n", lab->what,
			      (unsigned long long)lab->missed, (unsigned long long)mixed.missed);
		gap("p50", lab->p50_us, sim_hist_quantile(&mixed.late, 500000));
		p90 = gap("p90", lab->p90_us, sim_hist_quantile(&mixed.late, 900000));
		p99 = gap("p99", lab->p99_us, sim_hist_quantile(&mixed.late, 990000));
		gap("max", lab->max_us, mixed.late.max);
		assert_true(p90 > 0.4 && p90 < 2.5);
		assert_true(p99 > 0.4 && p99 < 2.5);
		if (lab->missed)
			assert_in_range(mixed.missed, lab->missed / 2, lab->missed * 2);
	}
}

/* What a commit did that nobody measured when it went in: ten times less waiting. */
static void the_change_of_4_20_is_seen(void **state)
{
	struct actor now = { .kind = MIXED, .period_ns = LAB_PERIOD_NS,
			.irq_ns = LAB_IRQ_NS };
	struct actor before = { .kind = MIXED, .period_ns = LAB_PERIOD_NS,
			.irq_ns = LAB_IRQ_NS };

	(void)state;
	run_lab(&measured[0], &now);
	run_lab(&measured[3], &before);
	assert_int_equal(now.missed, 0);
	assert_true(before.missed >= 50);
	assert_true(sim_hist_quantile(&before.late, 990000) >
		    5 * sim_hist_quantile(&now.late, 990000));
}

/* ---- credit1 ----------------------------------------------------------------------------------*/

static void credit1_shares_by_weight(void **state)
{
	struct actor a = { .kind = HOG }, b = { .kind = HOG };

	(void)state;
	for (uint64_t sampled = 0; sampled <= 1; sampled++) {
		prepare();
		set("credit1.accounting", sampled);
		begin("credit1", 1);
		add_weighted(&a, 2048);
		add_weighted(&b, 1024);
		run();
		assert_share(&a, 0.62, 0.71);
		assert_share(&b, 0.29, 0.38);
		sim_free(sim);
	}
}

/*
 * A worker has its CPU for 14 ms of each 30, and never uses up its credit. It is boosted itself
 * until the tick, 10 ms after it woke up; so a boost helps those who wake up in the last 4 ms.
 * How long 60 % wait at most.
 */
static uint64_t latency_beside_a_worker(uint64_t boost)
{
	struct actor quick = { .kind = SLEEPER, .period_ns = 17 * SIM_MS, .work_ns = 20 * SIM_US };
	struct actor worker = { .kind = SLEEPER, .period_ns = 30 * SIM_MS,
		.work_ns = 14 * SIM_MS };
	uint64_t latency_ns;

	prepare();
	set("credit1.boost", boost);
	begin("credit1", 1);
	add(&quick);
	add(&worker);
	run();
	latency_ns = sim_hist_quantile(&quick.late, 600000);
	assert_true(quick.jobs > 200);
	sim_free(sim);
	return latency_ns;
}

static void credit1_boosts_who_wakes_up_until_a_tick(void **state)
{
	(void)state;
	assert_int_equal(latency_beside_a_worker(1), 0);
	assert_in_range(latency_beside_a_worker(0), 1 * SIM_MS, 4 * SIM_MS);
}

static void credit1_takes_work_from_busy_cpus(void **state)
{
	struct actor hogs[4] = { { .kind = HOG }, { .kind = HOG }, { .kind = HOG },
		{ .kind = HOG } };

	(void)state;
	prepare();
	begin("credit1", 2);
	for (int i = 0; i < 3; i++)
		add(&hogs[i]);
	run();
	assert_int_equal(sim->cpus[0].busy_ns + sim->cpus[1].busy_ns, 2 * scenario.duration_ns);
	for (int i = 0; i < 3; i++)
		assert_share(&hogs[i], 0.55, 0.78);
	sim_free(sim);
}

static double stolen(uint64_t sampled, uint32_t defects)
{
	struct actor thief = { .kind = STEALER, .period_ns = 10 * SIM_MS,
		.work_ns = 500 * SIM_US };
	struct actor victim = { .kind = HOG };
	double part;

	prepare();
	set("credit1.accounting", sampled);
	set("credit1.ratelimit", 0); /* Xen 3 had none */
	options.defects = defects;
	begin("credit1", 1);
	add(&thief);
	add(&victim);
	run();
	part = share(&thief);
	sim_free(sim);
	return part;
}

static void sampled_accounting_can_be_robbed(void **state)
{
	(void)state;
	/* "steals 95 %", says the commit that ended it */
	assert_true(stolen(1, 0) > 0.90);
	assert_true(stolen(0, SIM_DEFECT_SAMPLED) > 0.90);
	assert_true(stolen(0, 0) < 0.55);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credit2_shares_by_weight),
		cmocka_unit_test(credit2_shares_one_queue_among_cpus),
		cmocka_unit_test(credit2_makes_a_queue_for_each_socket),
		cmocka_unit_test(credit2_carries_little_credit_over_a_reset),
		cmocka_unit_test(credit2_rate_limit_delays_a_wake_up),
		cmocka_unit_test(credit2_rate_limit_holds_for_decisions_out_of_turn),
		cmocka_unit_test(credit2_sends_who_was_preempted_to_an_idle_cpu),
		cmocka_unit_test(credit2_yield_lets_others_go_first),
		cmocka_unit_test(credit2_wakes_up_on_an_idle_cpu),
		cmocka_unit_test(credit2_is_what_was_measured),
		cmocka_unit_test(the_change_of_4_20_is_seen),
		cmocka_unit_test(credit1_shares_by_weight),
		cmocka_unit_test(credit1_boosts_who_wakes_up_until_a_tick),
		cmocka_unit_test(credit1_takes_work_from_busy_cpus),
		cmocka_unit_test(sampled_accounting_can_be_robbed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
