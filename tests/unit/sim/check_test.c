/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each invariant holds in an honest run, and fails when the machine, a host or the library does
 * what it forbids: the fault is put in by a timer in the middle of a run, or as a defect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roles.h"
#include "swarm.h"

#define FAULT_NS (50 * SIM_MS)

static const char world[] =
	"scenario: world\n"
	"source: test\n"
	"claim: test\n"
	"duration: 400ms\n"
	"quiet: 100ms\n"
	"machine: {cpus: 1}\n"
	"host-tasks:\n"
	"  - {name: hog, program: [run: 1s]}\n"
	"vms:\n"
	"  - name: vm\n"
	"    vcpus: 2\n"
	"    tasks:\n"
	"      - {name: burn, vcpu: 0, pinned: yes, stop: 300ms, program: [run: 10ms]}\n"
	"      - {name: beat, vcpu: 1, pinned: yes, urgency: real-time, stop: 300ms,\n"
	"         program: [period: 5ms, run: 200us]}\n"
	"runs:\n"
	"  with: fair\n";

static struct sim_scenario *scenario;
static struct sim *sim;
static struct sim_options options;
static struct sim_timer fault;

static void begin(const char *policy, uint32_t defects)
{
	char error[200], *errors = NULL;

	scenario = sim_scenario_parse("world", world, sizeof(world) - 1, NULL, 0, &errors);
	if (!scenario)
		fail_msg("%s", errors);
	options = (struct sim_options){ .policy = policy, .defects = defects, .checking = 1 };
	sim = sim_new(scenario, &options, error, sizeof(error));
	assert_non_null(sim);
}

static void fault_at(uint64_t at_ns, void (*fire)(struct sim *s, struct sim_timer *t))
{
	fault = (struct sim_timer){ .fire = fire };
	sim_arm(sim, &fault, at_ns);
}

static void end(void)
{
	sim_free(sim);
	sim_scenario_free(scenario);
}

/* Runs to the end; the invariant of this name is the one that fails, NULL = none. */
static void expect(const char *name)
{
	sim_run(sim, &options);
	if (!name && sim->failure[0])
		fail_msg("%s", sim->failure);
	if (name && (strncmp(sim->failure, name, strlen(name)) ||
		     sim->failure[strlen(name)] != ':'))
		fail_msg("expected %s, got '%s'", name, sim->failure);
	end();
}

static void breaks(const char *policy, void (*fire)(struct sim *s, struct sim_timer *t),
		   const char *name)
{
	begin(policy, 0);
	fault_at(FAULT_NS, fire);
	expect(name);
}

static struct sim_thread *thread_in(const struct sim *s, enum sim_state state)
{
	uint32_t i;

	for (i = 0; i < s->thread_count; i++)
		if (s->threads[i]->state == state)
			return s->threads[i];
	fail_msg("no thread is in state %d", state);
	return NULL;
}

static struct sim_thread *vcpu_thread(const struct sim *s, uint32_t index)
{
	return s->vms[0].vcpus[index].thread;
}

/* ---- honest -----------------------------------------------------------------------------------*/

static void nothing_fails_under_any_policy(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; sim_policy_at(i); i++) {
		begin(sim_policy_at(i)->name, 0);
		expect(NULL);
	}
}

/* ---- time -------------------------------------------------------------------------------------*/

static void add_run_time(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->threads[0]->run_ns++;
}

static void add_boosted_time(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->threads[0]->boosted_ns++;
}

static void lose_sleep(struct sim *s, struct sim_timer *t)
{
	(void)t;
	thread_in(s, SIM_BLOCKED)->blocked_ns--;
}

static void add_busy_time(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->cpus[0].busy_ns++;
}

static void never_end(struct sim *s, struct sim_timer *t)
{
	sim_arm(s, t, s->now_ns);
}

static void a_nanosecond_too_much_is_noticed(void **state)
{
	(void)state;
	breaks("fair", add_run_time, "time-thread");
	breaks("fair", add_boosted_time, "time-thread");
	breaks("fair", lose_sleep, "time-thread");
	breaks("fair", add_busy_time, "time-cpu");
}

static void time_must_pass(void **state)
{
	(void)state;
	breaks("fair", never_end, "progress");
}

/* ---- states -----------------------------------------------------------------------------------*/

static void lose_from_queue(struct sim *s, struct sim_timer *t)
{
	(void)t;
	thread_in(s, SIM_READY)->queued = 0;
}

static void wait_where_it_may_not(struct sim *s, struct sim_timer *t)
{
	(void)t;
	thread_in(s, SIM_READY)->affinity = 2;
}

static void run_two(struct sim *s, struct sim_timer *t)
{
	struct sim_thread *second = thread_in(s, SIM_READY);

	(void)t;
	second->state = SIM_RUNNING;
	second->wait_ns += s->now_ns - second->since_ns;
	second->since_ns = s->now_ns;
	second->queued = 0;
}

static void sleep_in_queue(struct sim *s, struct sim_timer *t)
{
	(void)t;
	thread_in(s, SIM_BLOCKED)->queued = 1;
}

static void wake_twice(struct sim *s, struct sim_timer *t)
{
	struct sim_thread *awake = thread_in(s, SIM_READY);

	(void)t;
	sim_arm(s, &awake->wake, s->now_ns + 1);
}

static void run_a_task_of_another(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->vms[0].vcpus[1].curr = s->vms[0].vcpus[0].curr;
}

static void states_fit_together(void **state)
{
	(void)state;
	breaks("fair", lose_from_queue, "state-ready");
	breaks("fair", wait_where_it_may_not, "state-ready");
	breaks("fair", run_two, "state-running");
	breaks("fair", sleep_in_queue, "state-blocked");
	breaks("fair", wake_twice, "state-wake");
	breaks("fair", run_a_task_of_another, "state-vcpu");
}

static void boost_the_host(struct sim *s, struct sim_timer *t)
{
	uint32_t i;

	(void)t;
	for (i = 0; i < s->thread_count; i++)
		if (!s->threads[i]->vcpu)
			s->threads[i]->klass = PVS_CLASS_TASK;
}

static void weigh_too_much(struct sim *s, struct sim_timer *t)
{
	(void)t;
	vcpu_thread(s, 0)->weight_q10 = 2048;
}

static void classes_have_a_form(void **state)
{
	(void)state;
	breaks("fair", boost_the_host, "class");
	breaks("fair", weigh_too_much, "class");
}

/* ---- counters and trace -----------------------------------------------------------------------*/

static void count_a_switch(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->cpus[0].switches++;
}

static void count_a_preemption(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->threads[0]->preempted++;
}

static void tell_a_lie(struct sim *s, struct sim_timer *t)
{
	(void)t;
	sim_note(s, SIM_T_STOP, 0, thread_in(s, SIM_RUNNING)->id, SIM_STOP_BLOCKED, 0);
}

static void spoil_the_queue(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->queue.heap[s->queue.count - 1].timer->heap_at = 1;
}

static void counters_and_trace_tell_what_happened(void **state)
{
	(void)state;
	breaks("fair", count_a_switch, "counters");
	breaks("fair", count_a_preemption, "counters");
	breaks("fair", tell_a_lie, "trace");
}

static void the_queue_is_a_heap(void **state)
{
	(void)state;
	breaks("fair", spoil_the_queue, "queue");
}

/* ---- budgets ----------------------------------------------------------------------------------*/

/* A scenario of the collection, with something in place of its subject. */
static void run_file(const char *name, const char *policy, uint32_t defects, const char *invariant)
{
	char path[300], error[200], *errors = NULL;

	snprintf(path, sizeof(path), "%s/%s.yaml", SIM_SCENARIOS, name);
	scenario = sim_scenario_read(path, NULL, 0, &errors);
	if (!scenario)
		fail_msg("%s", errors);
	options = (struct sim_options){ .policy = policy, .defects = defects, .checking = 1,
					.duration_ns = SIM_S };
	sim = sim_new(scenario, &options, error, sizeof(error));
	assert_non_null(sim);
	expect(invariant);
}

static void a_boost_that_costs_nothing_is_noticed(void **state)
{
	(void)state;
	run_file("hostile-always-critical", "pvs-owning", 0, NULL);
	run_file("hostile-always-critical", "pvs-owning", SIM_DEFECT_FREE_BOOST, "budget-grant");
}

static void a_vm_without_a_cap_is_noticed(void **state)
{
	(void)state;
	run_file("hostile-colluding", "pvs-owning", 0, NULL);
	run_file("hostile-colluding", "pvs-owning", SIM_DEFECT_NO_VM_CAP, "budget-vm");
}

/* Some seed of the first ones fails with this defect by this invariant. */
static void some_seed_fails(uint32_t defects, const char *name)
{
	struct sim_swarm_result result;
	uint64_t seed;

	for (seed = 1; seed <= 400; seed++) {
		struct sim_scenario *s = sim_swarm_scenario(seed, "pvs-owning");

		sim_swarm_run(s, defects, &result);
		sim_swarm_free(s);
		if (!strncmp(result.failure, name, strlen(name)))
			return;
	}
	fail_msg("no seed fails by %s", name);
}

static void accounts_that_see_samples_alone_are_noticed(void **state)
{
	(void)state;
	some_seed_fails(SIM_DEFECT_SAMPLED, "budget-task");
}

static void a_boost_that_nobody_ends_is_noticed(void **state)
{
	(void)state;
	some_seed_fails(SIM_DEFECT_NO_DEBOOST, "budget-grant");
}

static void a_boost_that_outlives_its_vcpu_is_noticed(void **state)
{
	(void)state;
	some_seed_fails(SIM_DEFECT_NO_RESTORE, "restored");
}

static void boost_a_sleeper(struct sim *s, struct sim_timer *t)
{
	(void)t;
	sim_set_class(s, vcpu_thread(s, 1), PVS_CLASS_TASK, 0, 1024, PVS_REASON_URGENT);
}

static void who_has_nothing_to_do_is_at_baseline_in_the_end(void **state)
{
	(void)state;
	begin("pvs-owning", 0);
	fault_at(380 * SIM_MS, boost_a_sleeper);
	expect("liveness");
}

static void measure_only_boosts_nobody(void **state)
{
	(void)state;
	begin("pvs-advisory", 0);
	sim->config.flags |= PVS_CONFIG_MEASURE_ONLY;
	fault_at(FAULT_NS, boost_a_sleeper);
	expect("measure-only");
}

/* ---- what is reported -------------------------------------------------------------------------*/

static struct sim_role proud_role;
static struct sim_policy proud_policy;
static const char *proud_of;

static void proud_report(struct sim *s)
{
	sim_role_owning.report(s);
	sim_result_add(s->result, SIM_COUNT, 1000000000, "%s", proud_of);
}

static void a_report_of_too_much(const char *name)
{
	begin("pvs-owning", 0);
	proud_of = name;
	proud_role = sim_role_owning;
	proud_role.report = proud_report;
	proud_policy = *sim->policy;
	proud_policy.role = &proud_role;
	sim->policy = &proud_policy;
	expect("counters");
}

static void what_is_reported_was_seen(void **state)
{
	(void)state;
	a_report_of_too_much("pvs.boosts");
	a_report_of_too_much("pvs.reason.urgent");
	a_report_of_too_much("pvs.boosted_ns");
	a_report_of_too_much("host.switches");
	a_report_of_too_much("vm.vm.run");
	a_report_of_too_much("cpu.0.busy");
}

/* ---- recounts ---------------------------------------------------------------------------------*/

static void pay_for_nothing(struct sim *s, struct sim_timer *t)
{
	(void)t;
	thread_in(s, SIM_RUNNING)->asked_ns += 1000;
}

static void work_for_nothing(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->threads[0]->work_ns++;
}

static void costs_are_paid_with_time(void **state)
{
	(void)state;
	breaks("fair", pay_for_nothing, "time-work");
	breaks("pvs-owning", work_for_nothing, "time-work");
}

static struct sim_task *beat_of(const struct sim *s)
{
	uint32_t i;

	for (i = 0; i < s->task_count; i++)
		if (!strcmp(s->tasks[i]->name, "beat"))
			return s->tasks[i];
	fail_msg("no such task");
	return NULL;
}

static void forget_a_miss(struct sim *s, struct sim_timer *t)
{
	(void)t;
	beat_of(s)->stats.misses--;
}

static void shift_a_response(struct sim *s, struct sim_timer *t)
{
	struct sim_hist *h = &beat_of(s)->stats.response;
	uint32_t i;

	(void)t;
	for (i = SIM_HIST_BUCKETS - 1; i >= 8; i--)
		h->bucket[i] = h->bucket[i - 8];
	h->max *= 2;
}

static void lose_a_wait(struct sim *s, struct sim_timer *t)
{
	(void)t;
	s->threads[0]->waits->sum--;
}

static void jobs_and_waits_are_counted_again(void **state)
{
	(void)state;
	breaks("fair", forget_a_miss, "recount");
	breaks("fair", lose_a_wait, "recount");
	begin("fair", 0);
	fault_at(350 * SIM_MS, shift_a_response);
	expect("recount");
}

/* ---- hosts as they are ------------------------------------------------------------------------*/

static uint64_t told(const char *name)
{
	const struct sim_row *r = sim_result_row(sim->result, name);

	return r ? r->value : 0;
}

static void looks_of_an_owning_host_are_paid_for(void **state)
{
	uint64_t paid_ns = 0;
	uint32_t i;

	(void)state;
	begin("pvs-owning", 0);
	assert_int_equal(sim_run(sim, &options), 0);
	for (i = 0; i < 2; i++)
		paid_ns += vcpu_thread(sim, i)->asked_ns;
	assert_true(told("pvs.steps") > 100);
	/* 300 ns each; the first ones, at boot, are not its vCPUs' */
	assert_true(paid_ns >= 300 * (told("pvs.steps") - 10));
	end();
}

static uint64_t latest_ns;

static void note_lateness(struct sim *s, struct sim_timer *t)
{
	uint64_t late_ns = s->now_ns - FAULT_NS - t->arg;

	if (late_ns > latest_ns)
		latest_ns = late_ns;
}

static void arm_many(struct sim *s, struct sim_timer *t)
{
	static struct sim_timer timers[200];
	uint32_t i;

	(void)t;
	memset(timers, 0, sizeof(timers));
	for (i = 0; i < 200; i++) {
		timers[i].fire = note_lateness;
		timers[i].arg = i * 1000;
		roles_arm(s, &timers[i], sim_clock_ns(s) + i * 1000);
	}
}

static void timers_of_hosts_in_user_space_are_late(void **state)
{
	(void)state;
	latest_ns = 0;
	begin("pvs-advisory", 0);
	fault_at(FAULT_NS, arm_many);
	assert_int_equal(sim_run(sim, &options), 0);
	assert_in_range(latest_ns, sim->costs.timer_slack_ns / 2, sim->costs.timer_slack_ns);
	end();
}

static struct sim_sched spied_sched;
static struct sim_policy spied_policy;
static uint64_t ticks, boosted_seen_ns, boosted_told_ns;

static int spied_tick(struct sim *s, struct sim_cpu *cpu)
{
	ticks++;
	return sim_sched_fair.tick(s, cpu);
}

/* An entity of the rank scheduler begins with that of the library. */
static void spied_charge(struct sim *s, struct sim_cpu *cpu, struct sim_thread *t, uint64_t ran_ns)
{
	const struct pvs_entity *e = t->entity;
	uint64_t before_ns = e->boosted_ns;

	boosted_seen_ns += e->boosted ? ran_ns : 0;
	sim_sched_rank.charge(s, cpu, t, ran_ns);
	boosted_told_ns += e->boosted_ns - before_ns;
}

static void spy(const struct sim_sched *sched)
{
	spied_sched = *sched;
	spied_policy = *sim->policy;
	spied_policy.sched = &spied_sched;
	sim->policy = &spied_policy;
}

static void a_busy_cpu_has_every_tick(void **state)
{
	(void)state;
	ticks = 0;
	begin("fair", 0);
	spy(&sim_sched_fair);
	spied_sched.tick = spied_tick;
	assert_int_equal(sim_run(sim, &options), 0);
	assert_int_equal(sim->cpus[0].idle_ns / SIM_MS, 0);
	assert_in_range(ticks, scenario->duration_ns / sim->tick_ns - 1,
			scenario->duration_ns / sim->tick_ns);
	end();
}

static void boosted_time_is_charged_in_full(void **state)
{
	(void)state;
	boosted_seen_ns = boosted_told_ns = 0;
	begin("pvs-owning", 0);
	spy(&sim_sched_rank);
	spied_sched.charge = spied_charge;
	sim_run(sim, &options);
	assert_true(boosted_seen_ns > 5 * SIM_MS);
	assert_int_equal(boosted_told_ns, boosted_seen_ns);
	end();
}

/* ---- fairness ---------------------------------------------------------------------------------*/

static struct sim_sched unfair_sched;
static struct sim_policy unfair_policy;
static uint32_t turns, every;

/* Round robin; but the burner gets one of `every` turns only, 0 = none. */
static struct sim_thread *unfair_pick(struct sim *s, struct sim_cpu *cpu)
{
	struct sim_thread *t = sim_sched_rr.pick(s, cpu), *other;

	if (t != vcpu_thread(s, 0) || (every && turns++ % every == 0))
		return t;
	other = sim_sched_rr.pick(s, cpu);
	sim_sched_rr.enqueue(s, cpu, t, SIM_ENQ_SLICE);
	return other;
}

static uint64_t no_bound(struct sim *s)
{
	(void)s;
	return SIM_NEVER;
}

static void unfair(uint32_t every_turns, uint64_t (*bound)(struct sim *s), const char *name)
{
	begin("rr", 0);
	turns = 0;
	every = every_turns;
	unfair_sched = sim_sched_rr;
	unfair_sched.pick = unfair_pick;
	unfair_sched.fairness_bound = bound;
	unfair_policy = *sim->policy;
	unfair_policy.sched = &unfair_sched;
	sim->policy = &unfair_policy;
	expect(name);
}

static void who_never_gets_a_turn_starves(void **state)
{
	(void)state;
	unfair(1, no_bound, NULL);
	unfair(0, no_bound, "starved");
}

static void half_of_the_turns_are_not_fair(void **state)
{
	(void)state;
	unfair(1, sim_sched_rr.fairness_bound, NULL);
	unfair(2, sim_sched_rr.fairness_bound, "fairness");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_fails_under_any_policy),
		cmocka_unit_test(a_nanosecond_too_much_is_noticed),
		cmocka_unit_test(time_must_pass),
		cmocka_unit_test(states_fit_together),
		cmocka_unit_test(classes_have_a_form),
		cmocka_unit_test(counters_and_trace_tell_what_happened),
		cmocka_unit_test(the_queue_is_a_heap),
		cmocka_unit_test(a_boost_that_costs_nothing_is_noticed),
		cmocka_unit_test(a_vm_without_a_cap_is_noticed),
		cmocka_unit_test(accounts_that_see_samples_alone_are_noticed),
		cmocka_unit_test(a_boost_that_nobody_ends_is_noticed),
		cmocka_unit_test(a_boost_that_outlives_its_vcpu_is_noticed),
		cmocka_unit_test(who_has_nothing_to_do_is_at_baseline_in_the_end),
		cmocka_unit_test(measure_only_boosts_nobody),
		cmocka_unit_test(what_is_reported_was_seen),
		cmocka_unit_test(costs_are_paid_with_time),
		cmocka_unit_test(jobs_and_waits_are_counted_again),
		cmocka_unit_test(looks_of_an_owning_host_are_paid_for),
		cmocka_unit_test(timers_of_hosts_in_user_space_are_late),
		cmocka_unit_test(a_busy_cpu_has_every_tick),
		cmocka_unit_test(boosted_time_is_charged_in_full),
		cmocka_unit_test(who_never_gets_a_turn_starves),
		cmocka_unit_test(half_of_the_turns_are_not_fair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
