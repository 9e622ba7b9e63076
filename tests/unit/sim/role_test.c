/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Roles, the rank scheduler, the library's yields and performance levels: each by a small scenario,
 * and by the defect that turns its rule off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dvfs.h"
#include "roles.h"
#include "sim.h"

static struct sim_scenario *scenario;
static struct sim *sim;
static struct sim_options options;

/* ---- running ----------------------------------------------------------------------------------*/

#define HEAD "scenario: t\nsource: s\nclaim: c\nruns: {with: fair}\n"

static void finish(void)
{
	sim_free(sim);
	sim_scenario_free(scenario);
	sim = NULL;
	scenario = NULL;
}

static int teardown(void **state)
{
	(void)state;
	finish();
	return 0;
}

/* A scenario from its text, with a policy and defects; not run yet. */
static void load(const char *text, const char *policy, uint32_t defects)
{
	char error[200], *errors = NULL, *whole;
	size_t size = strlen(HEAD) + strlen(text) + 1;

	finish();
	whole = malloc(size);
	assert_non_null(whole);
	snprintf(whole, size, "%s%s", HEAD, text);
	scenario = sim_scenario_parse("test", whole, size - 1, NULL, 0, &errors);
	free(whole);
	if (!scenario)
		fail_msg("%s", errors);
	free(errors);
	memset(&options, 0, sizeof(options));
	options.policy = policy;
	options.defects = defects;
	options.checking = defects == 0;
	sim = sim_new(scenario, &options, error, sizeof(error));
	if (!sim)
		fail_msg("%s", error);
}

static void run(const char *text, const char *policy, uint32_t defects)
{
	load(text, policy, defects);
	if (sim_run(sim, &options))
		fail_msg("%s", sim->failure);
}

static double value(const char *row)
{
	double v;

	if (!sim_result_get(sim->result, row, &v))
		fail_msg("there is no row %s", row);
	return v;
}

/* The next event; 0 = there is none before that. */
static int step(uint64_t until_ns)
{
	struct sim_timer *timer = sim_queue_pop_before(&sim->queue, until_ns);

	if (!timer)
		return 0;
	sim->now_ns = timer->at_ns;
	timer->fire(sim, timer);
	return 1;
}

/* ---- a VM that is urgent beside others --------------------------------------------------------*/

#define AUDIO                                                                                      \
	"duration: 3s\nwarmup: 100ms\nmachine: {cpus: 1}\n"                                        \
	"host-tasks: [{name: hog, count: 3, program: [run: 1s]}]\n"                                \
	"vms: [{name: g, vcpus: 1, tasks: [{name: a, vcpu: 0, urgency: real-time,"                 \
	" program: [period: 10ms, run: 400us]}]}]\n"

static void a_host_without_a_role_has_no_region(void **state)
{
	(void)state;
	run(AUDIO, "fair", 0);
	assert_null(sim->vms[0].header);
	assert_true(value("task.g/a.wakeup.mean") > 100000);
}

static void an_owning_host_boosts_at_the_wake_up(void **state)
{
	(void)state;
	run(AUDIO, "pvs-owning", 0);
	assert_true(value("task.g/a.wakeup.max") < 20000);
	assert_true(value("pvs.boosts") > 200);
	assert_true(value("pvs.g.boosted_ns") > 100e6);
}

static void an_advisory_host_arms_the_boost_of_a_sleeper(void **state)
{
	(void)state;
	run(AUDIO, "pvs-advisory", 0);
	assert_true(value("task.g/a.wakeup.p99") < 20000);
	assert_true(value("pvs.reason.armed") > 0);
}

static void deaf_hosts_boost_nobody(void **state)
{
	static const char *const policies[] = { "pvs-owning", "pvs-advisory", "pvs-central",
						"pvsched-v3" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		run(AUDIO, policies[i], SIM_DEFECT_DEAF);
		assert_true(value("vm.g.boosted") == 0);
	}
}

static void measuring_decides_and_applies_nothing(void **state)
{
	(void)state;
	run(AUDIO "config: {profile: measure-only}\n", "pvs-owning", 0);
	assert_true(value("vm.g.boosted") == 0);
	assert_true(value("pvs.boosts") > 200);
	run(AUDIO "config: {profile: measure-only}\n", "pvs-advisory", 0);
	assert_true(value("vm.g.boosted") == 0);
	assert_true(value("pvs.reason.armed") > 0);
	assert_true(value("pvs.applies") == 0);
}

/* ---- the knob of an advisory host -------------------------------------------------------------*/

static void a_knob_has_an_effect_only_after_it_was_turned(void **state)
{
	struct role_vcpu *rv;
	struct sim_thread *t;
	uint64_t at_ns;

	(void)state;
	load(AUDIO "params: {}\n", "pvs-advisory", 0);
	scenario->duration_ns = 20 * SIM_MS;
	sim_free(sim);
	sim = sim_new(scenario, &options, (char[200]){ 0 }, 200);
	assert_non_null(sim);
	rv = sim->vms[0].vcpus[0].role;
	t = rv->v->thread;
	/* until the first decision is made; then the class has not changed yet */
	while (!rv->null.applies)
		assert_true(step(SIM_S));
	assert_int_equal(t->klass, PVS_CLASS_BASELINE);
	assert_int_equal(rv->null.klass, PVS_CLASS_TASK);
	at_ns = sim->now_ns + sim->costs.knob_ns;
	while (t->klass == PVS_CLASS_BASELINE)
		assert_true(step(SIM_S));
	assert_true(sim->now_ns >= at_ns);
	assert_true(sim->now_ns < at_ns + 100 * SIM_US);
}

/* ---- rank -------------------------------------------------------------------------------------*/

static void shares_follow_weights_on_a_shared_queue(void **state)
{
	(void)state;
	run("duration: 10s\nwarmup: 1s\nmachine: {cpus: 2}\n"
	    "host-tasks:\n  - {name: light, count: 4, weight: 1024, program: [run: 1s]}\n"
	    "  - {name: heavy, count: 2, weight: 2048, program: [run: 1s]}\n",
	    "pvs-owning", 0);
	assert_true(value("task.host/heavy.run") / value("task.host/light.run") > 0.99);
	assert_true(value("task.host/heavy.run") / value("task.host/light.run") < 1.01);
}

static void threads_stay_on_the_cpus_they_may_use(void **state)
{
	(void)state;
	run("duration: 2s\nmachine: {cpus: 4}\n"
	    "host-tasks:\n  - {name: here, count: 3, affinity: 1, program: [run: 1s]}\n"
	    "  - {name: there, count: 3, affinity: 2-3, program: [run: 1s]}\n"
	    "  - {name: half, affinity: 0, program: [run: 1ms, sleep: 1ms]}\n",
	    "pvs-owning", 0);
	assert_true(value("cpu.0.busy") < 1.05e9);
	assert_true(value("cpu.1.idle") < 1e6);
	assert_true(value("task.host/here.run") < 2.001e9);
	assert_true(value("task.host/there.run") > 3.99e9);
}

static void an_idle_cpu_takes_who_was_preempted_elsewhere(void **state)
{
	static const char *const stops[] = { "a", "b" };
	char text[600];
	size_t i;

	(void)state;
	/* one of two hogs stops; if the other one is where the VM is, it has to leave */
	for (i = 0; i < 2; i++) {
		snprintf(text, sizeof(text),
			 "duration: 2s\nwarmup: 1s\nmachine: {cpus: 2}\nhost-tasks:\n"
			 "  - {name: a, %s program: [run: 1s]}\n"
			 "  - {name: b, %s program: [run: 1s]}\n"
			 "vms: [{name: g, vcpus: 1, affinity: 0, tasks: [{name: t, vcpu: 0,"
			 " urgency: real-time, program: [period: 10ms, run: 400us]}]}]\n",
			 *stops[i] == 'a' ? "stop: 500ms," : "",
			 *stops[i] == 'b' ? "stop: 500ms," : "");
		run(text, "pvs-owning", 0);
		assert_true(value("task.host/a.run") + value("task.host/b.run") > 0.999e9);
	}
}

static void a_liar_gets_its_share_and_no_more(void **state)
{
	static const char text[] =
		"duration: 5s\nwarmup: 500ms\nmachine: {cpus: 1}\n"
		"host-tasks: [{name: hog, count: 3, program: [run: 1s]}]\n"
		"vms: [{name: g, vcpus: 1, liar: always-critical, tasks: [{name: a, vcpu: 0,"
		" program: [run: 1s]}]}]\n";
	const struct sim_thread *t;
	uint64_t charged_ns;

	(void)state;
	run(text, "pvs-owning", 0);
	assert_true(value("vm.g.run") < 4.5e9 * 0.27);
	assert_true(value("pvs.overruns") > 0);
	/* the queue has charged what the thread has run boosted, until its account was empty */
	t = sim->vms[0].vcpus[0].thread;
	charged_ns = ((const struct pvs_entity *)t->entity)->boosted_ns;
	assert_true(charged_ns > t->boosted_ns * 7 / 10 && charged_ns <= t->boosted_ns);
	run(text, "pvs-owning", SIM_DEFECT_FREE_BOOST);
	assert_true(value("vm.g.run") > 4.5e9 * 0.5);
}

/* ---- defects ----------------------------------------------------------------------------------*/

/* Urgent now and then, and a burner in the same vCPU. */
#define MIXED                                                                                      \
	"duration: 3s\nwarmup: 100ms\nmachine: {cpus: 1}\n"                                        \
	"host-tasks: [{name: hog, count: 2, program: [run: 1s]}]\n"                                \
	"vms: [{name: g, vcpus: 1, tasks: [{name: a, vcpu: 0, urgency: real-time,"                 \
	" program: [period: 20ms, run: 200us]}, {name: b, vcpu: 0, program: [run: 1s]}]}]\n"

static void a_boost_ends_with_its_reason(void **state)
{
	double boosted;

	(void)state;
	run(MIXED, "pvs-owning", 0);
	boosted = value("vm.g.boosted");
	run(MIXED, "pvs-owning", SIM_DEFECT_NO_DEBOOST);
	assert_true(value("vm.g.boosted") > 3 * boosted);
}

static void sampled_run_time_is_wrong(void **state)
{
	double right;

	(void)state;
	run(AUDIO, "pvs-owning", 0);
	right = value("pvs.boosted_ns");
	run(AUDIO, "pvs-owning", SIM_DEFECT_SAMPLED);
	assert_true(value("pvs.boosted_ns") > 1.5 * right || value("pvs.boosted_ns") < right / 2);
}

static void rings_are_looked_at_as_often_as_it_helps(void **state)
{
	static const char text[] =
		"duration: 2s\nmachine: {cpus: 2}\n"
		"vms: [{name: g, vcpus: 1, liar: {kind: kick-storm, every: 50us}, tasks:"
		" [{name: a, vcpu: 0, program: [run: 1s]}]}]\n";

	(void)state;
	run(text, "pvs-advisory", 0);
	assert_true(value("pvs.steps") < 1000);
	run(text, "pvs-advisory", SIM_DEFECT_NO_RATE);
	assert_true(value("pvs.steps") > 10000);
}

static void interrupt_storms_boost_no_more(void **state)
{
	static const char text[] =
		"duration: 2s\nmachine: {cpus: 1}\n"
		"host-tasks: [{name: hog, count: 2, program: [run: 1s]}]\n"
		"vms: [{name: g, vcpus: 1, liar: {kind: irq-storm, every: 40us},"
		" irq-work: 30us, tasks:"
		" [{name: a, vcpu: 0, program: [run: 1s]}]}]\n";
	double boosted;

	(void)state;
	run(text, "pvs-owning", 0);
	boosted = value("vm.g.boosted");
	assert_true(value("pvs.storms") + value("pvs.overruns") > 0);
	run(text, "pvs-owning", SIM_DEFECT_NO_STORM);
	assert_true(value("vm.g.boosted") > 1.3 * boosted);
}

static void many_vcpus_have_one_cap(void **state)
{
	static const char text[] =
		"duration: 2s\nmachine: {cpus: 8}\n"
		"host-tasks: [{name: hog, count: 8, program: [run: 1s]}]\n"
		"vms: [{name: g, vcpus: 8, liar: always-critical, tasks: [{name: a, count: 8,"
		" vcpu: 0, pinned: true, program: [run: 1s]}]}]\nconfig: {vm_share_q10: 64}\n";
	double boosted;

	(void)state;
	run(text, "pvs-owning", 0);
	boosted = value("vm.g.boosted");
	assert_true(boosted < 2e9 * 64 / 1024 + 60e6);
	run(text, "pvs-owning", SIM_DEFECT_NO_VM_CAP);
	assert_true(value("vm.g.boosted") > 2 * boosted);
}

/* ---- reset and migration ----------------------------------------------------------------------*/

#define BOOSTED_HOG                                                                                \
	"duration: 300ms\nmachine: {cpus: 1}\n"                                                    \
	"host-tasks: [{name: hog, count: 1, program: [run: 1s]}]\n"                                \
	"vms: [{name: g, vcpus: 1, tasks: [{name: a, vcpu: 0, urgency: real-time,"                 \
	" program: [period: 50ms, run: 2ms]}]}]\n"

/* Runs until the vCPU is boosted; 0 when it never is. */
static int until_boosted(void)
{
	const struct sim_thread *t = sim->vms[0].vcpus[0].thread;

	while (t->klass <= PVS_CLASS_BASELINE || t->state != SIM_RUNNING ||
	       sim->now_ns < 100 * SIM_MS)
		if (!step(300 * SIM_MS))
			return 0;
	return 1;
}

static void a_migration_restores_the_baseline_and_keeps_the_accounts(void **state)
{
	static const char *const policies[] = { "pvs-owning", "pvs-advisory" };
	struct role_vcpu *rv;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		uint64_t left_ns;
		const struct pvs_host_vcpu *core;

		load(BOOSTED_HOG, policies[i], 0);
		assert_true(until_boosted());
		rv = sim->vms[0].vcpus[0].role;
		core = roles_core(rv);
		sim_settle(sim, rv->v->thread->cpu);
		sim->policy->role->vm_down(sim, &sim->vms[0]);
		assert_int_equal(rv->v->thread->klass, PVS_CLASS_BASELINE);
		left_ns = pvs_boost_left(&core->core, &rv->rvm->host.config);
		assert_true(left_ns < rv->rvm->host.config.boost_burst_ns);
		sim->policy->role->vm_up(sim, &sim->vms[0]);
		assert_int_equal(rv->v->thread->klass, PVS_CLASS_BASELINE);
		/* but for the look that attaching is */
		assert_true(pvs_boost_left(&core->core, &rv->rvm->host.config) <= left_ns);
		assert_int_equal(PVS_LOAD32(&sim->vms[0].header->generation), 2);
	}
}

static void without_restoring_a_migration_leaves_the_boost(void **state)
{
	(void)state;
	load(BOOSTED_HOG, "pvs-owning", SIM_DEFECT_NO_RESTORE);
	assert_true(until_boosted());
	sim->policy->role->vm_down(sim, &sim->vms[0]);
	assert_true(sim->vms[0].vcpus[0].thread->klass > PVS_CLASS_BASELINE);
}

static void a_reset_takes_the_boost_back(void **state)
{
	const struct sim_thread *t;

	(void)state;
	load(BOOSTED_HOG, "pvs-owning", 0);
	assert_true(until_boosted());
	t = sim->vms[0].vcpus[0].thread;
	sim_vm_reset(sim, &sim->vms[0]);
	assert_int_equal(t->klass, PVS_CLASS_BASELINE);
	load(BOOSTED_HOG, "pvs-owning", SIM_DEFECT_NO_RESTORE);
	assert_true(until_boosted());
	t = sim->vms[0].vcpus[0].thread;
	sim_vm_reset(sim, &sim->vms[0]);
	assert_true(t->klass > PVS_CLASS_BASELINE);
}

static void hints_count_again_after_a_migration(void **state)
{
	(void)state;
	run(AUDIO "faults: [{kind: migrate, vm: g, at: 1s}, {kind: reset, vm: g, at: 2s}]\n",
	    "pvs-owning", 0);
	assert_true(value("pvs.boosts") > 250);
	assert_true(value("task.g/a.wakeup.p99") < 20000);
}

/* ---- budgets ----------------------------------------------------------------------------------*/

static void pvsched_v3_lets_a_liar_boost_half_of_the_time(void **state)
{
	static const char text[] =
		"duration: 5s\nmachine: {cpus: 1}\n"
		"host-tasks: [{name: hog, count: 3, program: [run: 1s]}]\n"
		"vms: [{name: g, vcpus: 1, liar: always-critical, tasks: [{name: a, vcpu: 0,"
		" program: [run: 1s]}]}]\n";

	(void)state;
	run(text, "pvsched-v3", 0);
	assert_true(value("vm.g.boosted") > 5e9 * 0.4);
	assert_true(value("vm.g.boosted") < 5e9 * 0.6);
	/* 2 ms of a critical section, repaid by as much, again and again */
	assert_true(value("pvs.overruns") > 100);
}

/* ---- yields -----------------------------------------------------------------------------------*/

static void spinners_yield_to_whom_they_wait_for(void **state)
{
	/* locks are held for long, and there are twice as many vCPUs as CPUs */
#define SPINNERS                                                                                   \
	"duration: 2s\nmachine: {cpus: 2}\n"                                                       \
	"vms: [{name: g, vcpus: 4, locks: 1, tasks: [{name: t, count: 4, vcpu: 0,"                 \
	" pinned: true, program: [run: 50us, lock: 0, run: 200us, unlock: 0]}]}]\n"
	static const char text[] = SPINNERS;
	static const char unboosted[] = SPINNERS "config: {profile: measure-only}\n";
	/* one that waits for nobody, and lock holders that are not boosted */
	static const char other[] =
		"duration: 2s\nmachine: {cpus: 2}\n"
		"vms: [{name: g, vcpus: 4, locks: 3, tasks: ["
		"{name: a, vcpu: 0, pinned: true, program: [lock: 0, run: 5ms, unlock: 0]},"
		"{name: b, vcpu: 1, pinned: true, program: [lock: 1, run: 5ms, unlock: 1]},"
		"{name: c, vcpu: 2, pinned: true, program: [run: 5ms]},"
		"{name: y, vcpu: 3, pinned: true, program: [run: 20us, yield]}]}]\n"
		"config: {profile: measure-only}\n";
	double loops;

	(void)state;
	run(text, "pvs-owning", 0);
	loops = value("task.g/t.loops");
	assert_true(value("yield.named") > 0);
	assert_true(value("yield.named") > value("yield.user"));
	run(text, "fair", 0);
	assert_true(loops > 1.5 * value("task.g/t.loops"));
	loops = value("task.g/t.loops");
	run(unboosted, "pvs-owning", 0);
	assert_true(value("task.g/t.loops") > 1.5 * loops);
	run(other, "pvs-owning", 0);
	assert_true(value("yield.crit") > value("yield.user"));
}

/* ---- central ----------------------------------------------------------------------------------*/

static void a_central_cpu_sees_what_nobody_told(void **state)
{
	/* urgent in the middle of its work, without any exit */
	static const char text[] =
		"duration: 2s\nmachine: {cpus: 2}\n"
		"host-tasks: [{name: hog, count: 2, program: [run: 1s]}]\n"
		"vms: [{name: g, vcpus: 1, tasks: [{name: a, vcpu: 0, program:"
		" [urgency: real-time, run: 300us, urgency: normal, run: 7ms]}]}]\n";
	double seen;

	(void)state;
	run(text, "pvs-owning", 0);
	seen = value("pvs.reason.urgent");
	run(text, "pvs-central", 0);
	assert_true(value("pvs.reason.urgent") > 2 * seen);
	assert_true(value("pvs.polls") > 90000);
	/* nothing runs on the CPU that polls */
	assert_true(value("cpu.1.busy") < 1e6);
}

/* ---- performance ------------------------------------------------------------------------------*/

#define LEVELS                                                                                     \
	"clusters: [{cpus: 1, levels: [{khz: 500000, power-mw: 100}, {khz: 1000000,"              \
	" power-mw: 300}, {khz: 2000000, power-mw: 1500}]}]"

static void levels_follow_what_runs(void **state)
{
	(void)state;
	run("duration: 2s\nwarmup: 500ms\nmachine: {dvfs: host, " LEVELS "}\n"
	    "host-tasks: [{name: hog, program: [run: 1s]}]\n", "fair", 0);
	assert_int_equal(sim->cpus[0].level, 2);
	run("duration: 2s\nwarmup: 500ms\nmachine: {dvfs: host, " LEVELS "}\n"
	    "host-tasks: [{name: part, program: [period: 10ms, run: 1ms]}]\n", "fair", 0);
	assert_int_equal(sim->cpus[0].level, 0);
}

static void what_a_guest_says_counts_at_once(void **state)
{
	static const char text[] =
		"duration: 1s\nwarmup: 100ms\nmachine: {dvfs: guest, " LEVELS "}\n"
		"vms: [{name: g, vcpus: 1, liar: util-max, tasks: [{name: a, vcpu: 0,"
		" program: [period: 50ms, run: 2ms]}]}]\n";
	double slow;

	(void)state;
	run(text, "pvs-owning", SIM_DEFECT_DEAF);
	slow = value("task.g/a.response.mean");
	run(text, "pvs-owning", 0);
	assert_true(value("task.g/a.response.mean") < 0.7 * slow);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_host_without_a_role_has_no_region),
		TEST(an_owning_host_boosts_at_the_wake_up),
		TEST(an_advisory_host_arms_the_boost_of_a_sleeper),
		TEST(deaf_hosts_boost_nobody),
		TEST(measuring_decides_and_applies_nothing),
		TEST(a_knob_has_an_effect_only_after_it_was_turned),
		TEST(shares_follow_weights_on_a_shared_queue),
		TEST(threads_stay_on_the_cpus_they_may_use),
		TEST(an_idle_cpu_takes_who_was_preempted_elsewhere),
		TEST(a_liar_gets_its_share_and_no_more),
		TEST(a_boost_ends_with_its_reason),
		TEST(sampled_run_time_is_wrong),
		TEST(rings_are_looked_at_as_often_as_it_helps),
		TEST(interrupt_storms_boost_no_more),
		TEST(many_vcpus_have_one_cap),
		TEST(a_migration_restores_the_baseline_and_keeps_the_accounts),
		TEST(without_restoring_a_migration_leaves_the_boost),
		TEST(a_reset_takes_the_boost_back),
		TEST(hints_count_again_after_a_migration),
		TEST(pvsched_v3_lets_a_liar_boost_half_of_the_time),
		TEST(spinners_yield_to_whom_they_wait_for),
		TEST(a_central_cpu_sees_what_nobody_told),
		TEST(levels_follow_what_runs),
		TEST(what_a_guest_says_counts_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
