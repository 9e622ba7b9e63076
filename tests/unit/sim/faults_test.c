/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes wrong on purpose, and how guests come out of it. */
#include "guest_world.h"

#define VM(n) MACHINE(n) "vms:\n  - name: g\n    vcpus: 2\n    tick-hz: 250\n    tasks:\n"

static int done_at_80, done_at_120;

static void look_at_plug(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct guest_world *w = ctx;
	const struct sim_vcpu *v = &w->sim->vms[0].vcpus[1];

	(void)until_ns;
	if (now_ns > 50 * SIM_MS && now_ns < 99 * SIM_MS) {
		assert_false(v->online);
		assert_null(v->shim.slot);
		assert_int_equal(task(w, "b")->vcpu->index, 0);
		done_at_80 = 1;
	}
	if (now_ns > 110 * SIM_MS) {
		assert_true(v->online);
		assert_non_null(v->shim.slot);
		done_at_120 = 1;
	}
}

static void a_vcpu_that_is_unplugged_leaves_its_tasks_to_another(void **state)
{
	struct guest_world w;

	(void)state;
	world_make(&w, "pvs-owning", "duration: 200ms\n" VM(2)
	      "      - {name: a, vcpu: 0, pinned: yes, program: [run: 1s]}\n"
	      "      - {name: b, vcpu: 1, pinned: yes, program: [run: 1ms, sleep: 1ms, done]}\n"
	      "      - {name: c, vcpu: 1, pinned: yes, program: [lock: 0, run: 3ms, unlock: 0]}\n"
	      "faults:\n  - {kind: unplug, vm: g, target: 1, at: 40ms, for: 60ms}\n");
	world_watch(&w, 5 * SIM_MS, look_at_plug);
	assert_true(done_at_80 && done_at_120);
	/* it went on meanwhile */
	assert_true(row(&w, "task.g/b.jobs") > 10);
	world_end(&w);
}

static void the_last_vcpu_stays(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "pvs-owning", "duration: 200ms\n" VM(2)
	      "      - {name: a, program: [run: 1ms, done]}\n"
	      "faults:\n  - {kind: unplug, vm: g, target: 1, at: 40ms}\n"
	      "  - {kind: unplug, vm: g, target: 0, at: 60ms}\n");
	assert_true(w.sim->vms[0].vcpus[0].online);
	assert_in_range(row(&w, "task.g/a.jobs"), 198, 200);
	world_end(&w);
}

static void a_reset_begins_anew(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "pvs-owning", "duration: 200ms\n" VM(2)
	      "      - {name: a, vcpu: 0, pinned: yes, program: [run: 30ms, stop]}\n"
	      "      - {name: b, vcpu: 1, pinned: yes, urgency: real-time, start: 20ms,\n"
	      "         program: [lock: 0, run: 1s, unlock: 0]}\n"
	      "      - {name: c, vcpu: 0, pinned: yes, program: [lock: 0, run: 1ms, unlock: 0,\n"
	      "         stop]}\n"
	      "faults:\n  - {kind: reset, vm: g, at: 101ms}\n");
	/* twice: before, and after */
	assert_in_range(row(&w, "task.g/a.work"), 60 * SIM_MS, 60 * SIM_MS);
	assert_int_equal(row(&w, "task.g/b.locks"), 2);
	/* nobody holds what was held before */
	assert_int_equal(row(&w, "task.g/c.locks"), 2);
	/* and it has found the region again */
	assert_non_null(w.sim->vms[0].vcpus[1].shim.slot);
	world_end(&w);
}

static void a_migration_goes_on_and_binds_anew(void **state)
{
	struct guest_world w;
	uint32_t generation;

	(void)state;
	world_make(&w, "pvs-owning", "duration: 200ms\n" VM(2)
	      "      - {name: a, vcpu: 0, pinned: yes, program: [run: 150ms, stop]}\n"
	      "      - {name: b, vcpu: 1, pinned: yes, urgency: real-time,\n"
	      "         program: [run: 1ms, sleep: 1ms]}\n"
	      "faults:\n  - {kind: migrate, vm: g, at: 101ms}\n");
	generation = w.sim->vms[0].generation;
	world_run(&w);
	assert_int_equal(row(&w, "task.g/a.work"), 150 * SIM_MS);
	assert_int_not_equal(w.sim->vms[0].generation, generation);
	assert_int_equal(w.sim->vms[0].shim.generation, w.sim->vms[0].generation);
	assert_non_null(w.sim->vms[0].vcpus[1].shim.slot);
	world_end(&w);
}

/* Boosted when the doorbell says so: how much without it? */
static uint64_t boosts(const char *faults)
{
	struct guest_world w;
	char text[1000];
	uint64_t count;

	snprintf(text, sizeof(text), "duration: 1s\n" MACHINE(1)
		 "host-tasks:\n  - {name: h, count: 2, program: [run: 1s]}\n"
		 "vms:\n  - name: g\n    vcpus: 1\n    tick-hz: 250\n    tasks:\n"
		 "      - {name: a, urgency: real-time, program: [period: 20ms, run: 5ms]}\n"
		 "      - {name: b, program: [run: 1s]}\n%s", faults);
	world(&w, "pvs-advisory", text);
	count = row(&w, "pvs.boosts");
	world_end(&w);
	return count;
}

static void a_kick_that_is_lost_is_not_heard(void **state)
{
	uint64_t all, few;

	(void)state;
	all = boosts("");
	few = boosts("faults:\n  - {kind: lost-kicks, at: 100ms, for: 800ms}\n");
	assert_true(all >= 8);
	assert_true(few < all / 2);
}

static void the_clock_of_roles_jumps_and_is_right_again(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "pvs-owning", "duration: 200ms\n" VM(2)
	      "      - {name: a, urgency: real-time, program: [period: 10ms, run: 1ms]}\n"
	      "faults:\n  - {kind: clock-jump, at: 50ms, value: 5ms}\n"
	      "  - {kind: clock-jump, at: 60ms, value: -3ms}\n"
	      "  - {kind: clock-jump, at: 70ms, for: 10ms, value: -1ms}\n");
	assert_int_equal(w.sim->clock_skew_ns, 2 * SIM_MS);
	world_end(&w);
}

static uint64_t slept_most(const char *faults)
{
	struct guest_world w;
	char text[1000];
	uint64_t late_ns;

	/* a boost of a burner that says it is urgent is ended by the role's timer */
	snprintf(text, sizeof(text), "duration: 1s\n" MACHINE(1)
		 "host-tasks:\n  - {name: h, program: [run: 1s]}\n"
		 "vms:\n  - name: g\n    vcpus: 1\n    tick-hz: 250\n    tasks:\n"
		 "      - {name: a, urgency: real-time, program: [run: 1s]}\n%s", faults);
	world(&w, "pvs-owning", text);
	late_ns = row(&w, "vm.g.boosted");
	world_end(&w);
	return late_ns;
}

static void timers_that_are_late_end_boosts_late(void **state)
{
	uint64_t usual, late;

	(void)state;
	usual = slept_most("");
	late = slept_most("faults:\n  - {kind: late-timers, at: 1ms, for: 900ms, value: 5ms}\n");
	assert_true(usual > 0);
	assert_int_not_equal(usual, late);
}

static void a_cpu_that_goes_offline_comes_back(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fair", "duration: 100ms\n" MACHINE(2)
	      "host-tasks:\n  - {name: h, count: 2, program: [run: 1ms]}\n"
	      "faults:\n  - {kind: cpu-offline, target: 1, at: 20ms, for: 40ms}\n");
	assert_in_range(row(&w, "host.busy"), 159 * SIM_MS, 160 * SIM_MS);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vcpu_that_is_unplugged_leaves_its_tasks_to_another),
		cmocka_unit_test(the_last_vcpu_stays),
		cmocka_unit_test(a_reset_begins_anew),
		cmocka_unit_test(a_migration_goes_on_and_binds_anew),
		cmocka_unit_test(a_kick_that_is_lost_is_not_heard),
		cmocka_unit_test(the_clock_of_roles_jumps_and_is_right_again),
		cmocka_unit_test(timers_that_are_late_end_boosts_late),
		cmocka_unit_test(a_cpu_that_goes_offline_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
