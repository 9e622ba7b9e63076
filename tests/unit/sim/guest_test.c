/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests: who runs on a vCPU, interrupts, what is said to the host, liars, polling. */
#include "guest_world.h"

#define ONE_VCPU MACHINE(1) "vms:\n  - name: g\n    vcpus: 1\n    tasks:\n"
/* A host that sets performance levels listens to utilisation. */
#define TUNED(n) "machine: {cpus: " #n ", dvfs: guest, " FREE_COSTS "}\n"
#define TWO_VCPUS MACHINE(2) "vms:\n  - name: g\n    vcpus: 2\n    pin: yes\n    tasks:\n"

/* ---- who runs ---------------------------------------------------------------------------------*/

static void real_time_tasks_run_by_level(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" ONE_VCPU
	      "      - {name: lo, urgency: real-time/1, program: [period: 10ms, run: 2ms]}\n"
	      "      - {name: hi, urgency: real-time/9, program: [period: 10ms, run: 2ms]}\n"
	      "      - {name: burn, program: [run: 1s]}\n");
	assert_int_equal(hist(&w, "task.g/hi.response")->max, 2 * SIM_MS + 1);
	assert_int_equal(hist(&w, "task.g/lo.response")->max, 4 * SIM_MS + 1);
	assert_in_range(row(&w, "task.g/burn.work"), 595 * SIM_MS, 605 * SIM_MS);
	world_end(&w);
}

static void a_wake_up_by_a_task_of_a_lower_class_is_seen_at_once(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" ONE_VCPU
	      "      - {name: hi, urgency: real-time, program: [wait: 0, run: 1ms, done]}\n"
	      "      - {name: lo, program: [run: 9ms, signal: 0]}\n");
	assert_in_range(hist(&w, "task.g/hi.wakeup")->max, 0, 1);
	assert_int_equal(row(&w, "task.g/hi.jobs"), 99);
	world_end(&w);
}

static void weights_share_a_vcpu(void **state)
{
	struct guest_world w;
	uint64_t a, b;

	(void)state;
	world(&w, "fifo", "duration: 3s\n" ONE_VCPU
	      "      - {name: a, pinned: yes, weight: 2048, program: [run: 1s]}\n"
	      "      - {name: b, pinned: yes, weight: 1024, program: [run: 1s]}\n");
	a = row(&w, "task.g/a.work");
	b = row(&w, "task.g/b.work");
	assert_in_range(a, 2 * b - 8 * SIM_MS, 2 * b + 8 * SIM_MS);
	world_end(&w);
}

static void background_runs_when_nothing_else_does(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" ONE_VCPU
	      "      - {name: bg, urgency: background, program: [run: 1s]}\n"
	      "      - {name: id, urgency: idle, program: [run: 1s]}\n"
	      "      - {name: n, program: [run: 3ms, sleep: 7ms]}\n");
	assert_in_range(row(&w, "task.g/n.work"), 299 * SIM_MS, 300 * SIM_MS);
	assert_in_range(row(&w, "task.g/bg.work"), 699 * SIM_MS, 701 * SIM_MS);
	assert_int_equal(row(&w, "task.g/id.work"), 0);
	world_end(&w);
}

static void a_task_that_is_not_pinned_goes_where_nothing_runs(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 1s\n" TWO_VCPUS
	      "      - {name: a, vcpu: 0, program: [run: 1s]}\n"
	      "      - {name: b, vcpu: 0, program: [run: 1s]}\n");
	assert_in_range(row(&w, "task.g/b.work"), 999 * SIM_MS, SIM_S);
	world_end(&w);
	world(&w, "fifo", "duration: 1s\n" TWO_VCPUS
	      "      - {name: a, vcpu: 0, pinned: yes, program: [run: 1s]}\n"
	      "      - {name: b, vcpu: 0, pinned: yes, program: [run: 1s]}\n");
	assert_in_range(row(&w, "task.g/b.work"), 490 * SIM_MS, 510 * SIM_MS);
	world_end(&w);
}

static void a_vcpu_that_would_sleep_takes_what_waits_elsewhere(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 100ms\n" TWO_VCPUS
	      "      - {name: a, vcpu: 0, pinned: yes, program: [run: 1s]}\n"
	      "      - {name: b, vcpu: 1, pinned: yes, program: [run: 20ms, stop]}\n"
	      "      - {name: c, vcpu: 0, program: [run: 1s]}\n");
	/* c shares vCPU 0 for 20 ms, and has vCPU 1 for itself from then on */
	assert_in_range(row(&w, "task.g/c.work"), 85 * SIM_MS, 95 * SIM_MS);
	world_end(&w);
}

static void a_task_moves_where_its_program_says(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 10ms\n" TWO_VCPUS
	      "      - {name: a, vcpu: 0, pinned: yes, program: [run: 1ms, move: 1, run: 1s]}\n");
	assert_int_equal(task(&w, "a")->vcpu->index, 1);
	assert_in_range(row(&w, "task.g/a.work"), 9 * SIM_MS, 10 * SIM_MS);
	world_end(&w);
}

static void no_task_changes_while_a_lock_is_held(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 99ms\n" ONE_VCPU
	      "      - {name: hi, urgency: real-time, program: [period: 10ms, run: 1ms]}\n"
	      "      - {name: lo, program: [lock: 0, run: 7ms, unlock: 0]}\n");
	/* it waits for the end of what is locked */
	assert_in_range(hist(&w, "task.g/hi.wakeup")->max, 4 * SIM_MS, 7 * SIM_MS + 10);
	world_end(&w);
}

/* ---- interrupts -------------------------------------------------------------------------------*/

static void an_interrupt_costs_and_waits_while_they_are_off(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 999ms\n" MACHINE(1)
	      "vms:\n  - name: g\n    vcpus: 1\n    irq-work: 1ms\n    tasks:\n"
	      "      - {name: burn, program: [run: 1s]}\n"
	      "devices:\n  - {name: d, vm: g, every: 10ms}\n");
	assert_in_range(row(&w, "task.g/burn.work"), 999 * SIM_MS - 100 * (SIM_MS + 2),
			999 * SIM_MS - 99 * SIM_MS);
	world_end(&w);
	world(&w, "fifo", "duration: 1s\n" MACHINE(1)
	      "vms:\n  - name: g\n    vcpus: 1\n    tasks:\n"
	      "      - {name: r, urgency: real-time, program: [recv: 0, done]}\n"
	      "      - {name: off, program: [irqs: off, run: 20ms, irqs: on, sleep: 1ms]}\n"
	      "devices:\n  - {name: d, vm: g, mailbox: 0, every: 7ms}\n");
	assert_in_range(hist(&w, "task.g/r.wakeup")->max, 13 * SIM_MS, 20 * SIM_MS + 10);
	world_end(&w);
}

static void the_tick_costs_while_there_is_work(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fifo", "duration: 999ms\n" MACHINE(1)
	      "vms:\n  - name: g\n    vcpus: 1\n    tick-hz: 100\n    tick-work: 1ms\n    tasks:\n"
	      "      - {name: burn, stop: 499ms, program: [run: 1s]}\n");
	/* 50 ticks, and none once it is idle */
	assert_in_range(row(&w, "task.g/burn.work"), 449 * SIM_MS, 451 * SIM_MS);
	assert_in_range(row(&w, "vm.g.run"), 498 * SIM_MS, 501 * SIM_MS);
	world_end(&w);
}

/* ---- what is said -----------------------------------------------------------------------------*/

static uint64_t word(const volatile uint64_t *p)
{
	const volatile unsigned char *b = (const volatile unsigned char *)p;
	uint64_t value = 0;
	int i;

	for (i = 7; i >= 0; i--)
		value = value << 8 | b[i];
	return value;
}

#define WORD(w, vcpu, field) \
	word((const volatile uint64_t *)&((struct pvs_slot *)(void *) \
	     ((unsigned char *)(w)->sim->vms[0].slots + (vcpu) * PVS_SLOT_SIZE))->field)

static uint32_t bits(uint64_t value, unsigned int shift, unsigned int count)
{
	return (uint32_t)(value >> shift & ((1u << count) - 1));
}

static uint32_t class_said(const struct guest_world *w, uint32_t vcpu)
{
	return bits(WORD(w, vcpu, intent), PVS_INTENT_CLASS_SHIFT, PVS_INTENT_CLASS_BITS);
}

static uint32_t looks;

static void look_at_urgency(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct guest_world *w = ctx;
	uint64_t intent, phase_ns = now_ns % (10 * SIM_MS);

	(void)until_ns;
	if (now_ns < 20 * SIM_MS || phase_ns != SIM_MS / 2)
		return;
	intent = WORD(w, 0, intent);
	looks++;
	/* in the first ms of each 10 the real-time task runs */
	assert_int_equal(class_said(w, 0), PVS_URGENCY_REALTIME);
	assert_int_equal(bits(intent, PVS_INTENT_LEVEL_SHIFT, 4), 7);
	assert_int_equal(bits(intent, PVS_INTENT_WINDOW_SHIFT, 16), 300);
	/* vCPU 1 sleeps, and says for whom it will wake */
	intent = WORD(w, 1, intent);
	assert_int_equal(bits(intent, PVS_INTENT_IDLE_SHIFT, 1), 1);
	assert_int_equal(bits(intent, PVS_INTENT_WAKE_VALID_SHIFT, 1), 1);
	assert_int_equal(bits(intent, PVS_INTENT_WAKE_CLASS_SHIFT, 4), PVS_URGENCY_INTERACTIVE);
}

static void a_guest_says_what_it_runs_and_what_it_sleeps_for(void **state)
{
	struct guest_world w;

	(void)state;
	looks = 0;
	world_make(&w, "pvs-owning", "duration: 200ms\n" TWO_VCPUS
	      "      - {name: rt, vcpu: 0, pinned: yes, urgency: real-time/7, window: 300us,\n"
	      "         program: [period: 10ms, run: 1ms]}\n"
	      "      - {name: burn, vcpu: 0, pinned: yes, program: [run: 1s]}\n"
	      "      - {name: ui, vcpu: 1, pinned: yes, urgency: interactive, start: 5ms,\n"
	      "         program: [period: 10ms, run: 1ms]}\n"
	      "      - {name: bg, vcpu: 1, pinned: yes, urgency: background, start: 8ms,\n"
	      "         program: [period: 10ms, run: 100us]}\n");
	world_watch(&w, SIM_MS / 2, look_at_urgency);
	assert_int_equal(looks, 18);
	world_end(&w);
}

static void look_at_util(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct guest_world *w = ctx;

	(void)until_ns;
	if (now_ns < 300 * SIM_MS)
		return;
	looks++;
	assert_in_range(bits(WORD(w, 0, intent), PVS_INTENT_UTIL_SHIFT, 11), 430, 600);
	assert_in_range(bits(WORD(w, 1, intent), PVS_INTENT_UTIL_SHIFT, 11), 1010, 1024);
}

static void utilisation_is_that_of_the_last_tens_of_milliseconds(void **state)
{
	struct guest_world w;

	(void)state;
	looks = 0;
	world_make(&w, "pvs-owning", "duration: 500ms\n" TUNED(2)
	      "vms:\n  - name: g\n    vcpus: 2\n    pin: yes\n    tick-hz: 1000\n    tasks:\n"
	      "      - {name: half, vcpu: 0, pinned: yes, program: [run: 2ms, sleep: 2ms]}\n"
	      "      - {name: all, vcpu: 1, pinned: yes, program: [run: 1s]}\n");
	world_watch(&w, SIM_MS, look_at_util);
	assert_true(looks > 100);
	world_end(&w);
}

static void look_at_crit(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct guest_world *w = ctx;
	uint64_t phase_ns = now_ns % (10 * SIM_MS);

	(void)until_ns;
	if (now_ns < 20 * SIM_MS)
		return;
	if (phase_ns == SIM_MS) /* the lock is held */
		assert_int_equal(WORD(w, 0, crit), PVS_CRIT_LOCK_HELD);
	else if (phase_ns == 3 * SIM_MS)
		assert_int_equal(WORD(w, 0, crit), PVS_CRIT_IRQS_OFF);
	else if (phase_ns == 6 * SIM_MS)
		assert_int_equal(WORD(w, 0, crit), 0);
	else
		return;
	looks++;
}

static void critical_sections_are_said(void **state)
{
	struct guest_world w;

	(void)state;
	looks = 0;
	world_make(&w, "pvs-owning", "duration: 200ms\n" ONE_VCPU
	      "      - {name: t, program: [period: 10ms, lock: 0, run: 2ms, unlock: 0,\n"
	      "         irqs: off, run: 2ms, irqs: on, run: 4ms]}\n");
	world_watch(&w, SIM_MS, look_at_crit);
	assert_int_equal(looks, 3 * 18);
	world_end(&w);
}

static void look_at_wait(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct guest_world *w = ctx;
	uint64_t wait = WORD(w, 1, wait), phase_ns = now_ns % (10 * SIM_MS);

	(void)until_ns;
	if (now_ns < 20 * SIM_MS || phase_ns % (5 * SIM_MS) != 3 * SIM_MS)
		return;
	looks++;
	if (phase_ns == 8 * SIM_MS) {
		assert_int_equal(wait, 0);
		return;
	}
	assert_int_equal(bits(wait, PVS_WAIT_KIND_SHIFT, 4), PVS_WAIT_LOCK);
	assert_int_equal(bits(wait, PVS_WAIT_TARGET_SHIFT, 16), 0);
	/* of a moment ago: the host may have picked it anew since */
	assert_in_range((bits(WORD(w, 0, run), 0, 16) - bits(wait, PVS_WAIT_EPOCH_SHIFT, 16)) &
			0xffff, 0, 16);
}

static void who_spins_says_for_whom(void **state)
{
	struct guest_world w;

	(void)state;
	looks = 0;
	world_make(&w, "pvs-owning", "duration: 100ms\n" TWO_VCPUS
	      "      - {name: a, vcpu: 0, pinned: yes,\n"
	      "         program: [period: 10ms, lock: 0, run: 5ms, unlock: 0]}\n"
	      "      - {name: b, vcpu: 1, pinned: yes, start: 1ms,\n"
	      "         program: [period: 10ms, lock: 0, run: 10us, unlock: 0]}\n");
	world_watch(&w, SIM_MS, look_at_wait);
	assert_int_equal(looks, 16);
	world_end(&w);
}

static void a_guest_on_a_host_that_does_not_listen_runs_as_well(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fair", "duration: 100ms\n" ONE_VCPU
	      "      - {name: t, urgency: real-time, program: [period: 10ms, run: 1ms]}\n");
	assert_null(w.sim->vms[0].header);
	assert_null(w.sim->vms[0].vcpus[0].shim.slot);
	assert_int_equal(row(&w, "task.g/t.jobs"), 9);
	world_end(&w);
}

static uint32_t hints_seen;
static uint32_t last_util;

static void count_hints(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct guest_world *w = ctx;
	uint32_t util = bits(WORD(w, 0, intent), PVS_INTENT_UTIL_SHIFT, 11);

	(void)now_ns;
	(void)until_ns;
	hints_seen += util != last_util;
	last_util = util;
}

static void utilisation_is_said_no_more_often_than_allowed(void **state)
{
	struct guest_world w;

	(void)state;
	hints_seen = last_util = 0;
	world_make(&w, "pvs-owning", "duration: 1s\n" TUNED(1)
	      "vms:\n  - name: g\n    vcpus: 1\n    tick-hz: 1000\n    hint-rate: 10\n    tasks:\n"
	      "      - {name: t, program: [run: exp 5ms, sleep: exp 5ms]}\n");
	world_watch(&w, SIM_MS, count_hints);
	assert_in_range(hints_seen, 5, 11);
	world_end(&w);
}

static void hints_that_are_exits_cost_what_they_cost(void **state)
{
	static const char *const costs[] = { "0ns", "100us" };
	struct guest_world w;
	uint64_t run_ns[2];
	char text[600];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "duration: 1s\n" MACHINE(1)
			 "vms:\n  - name: g\n    vcpus: 1\n    hint-cost: %s\n    tasks:\n"
			 "      - name: t\n        urgency: real-time\n"
			 "        program: [period: 10ms, run: 1ms]\n",
			 costs[i]);
		world(&w, "pvs-owning", text);
		run_ns[i] = row(&w, "vm.g.run");
		world_end(&w);
	}
	/* one statement in each period: what it runs; it says that it is idle when it halts */
	assert_in_range(run_ns[1] - run_ns[0], 98 * 100 * SIM_US, 102 * 100 * SIM_US);
}

/* ---- liars ------------------------------------------------------------------------------------*/

static void (*lie_check)(struct guest_world *w);

static void look_at_liar(void *ctx, uint64_t now_ns, uint64_t until_ns)
{
	struct guest_world *w = ctx;

	if (now_ns > 50 * SIM_MS && now_ns < 150 * SIM_MS)
		lie_check(w);
	if (now_ns > 151 * SIM_MS && now_ns < until_ns) {
		/* honest again */
		assert_int_equal(class_said(w, 0), PVS_URGENCY_NORMAL);
		assert_int_equal(WORD(w, 0, crit), 0);
		assert_int_equal(WORD(w, 0, wait), 0);
		assert_int_equal(WORD(w, 0, util_bounds), 0);
		assert_int_equal(WORD(w, 0, irq) & PVS_IRQ_BITS_ALL, 0);
	}
}

static void lies(const char *kind, void (*check)(struct guest_world *w))
{
	struct guest_world w;
	char text[600];

	snprintf(text, sizeof(text), "duration: 200ms\nquiet: 50ms\n" TUNED(1)
		 "vms:\n  - name: g\n    vcpus: 2\n    tick-hz: 250\n"
		 "    liar: {kind: %s, every: 100us}\n    tasks:\n"
		 "      - {name: burn, count: 2, pinned: yes, program: [run: 1s]}\n", kind);
	lie_check = check;
	looks = 0;
	world_make(&w, "pvs-owning", text);
	world_watch(&w, 1300 * SIM_US, look_at_liar);
	assert_true(looks > 10);
	world_end(&w);
}

static void says_all_is_critical(struct guest_world *w)
{
	assert_int_equal(class_said(w, 0), PVS_URGENCY_REALTIME);
	assert_int_equal(WORD(w, 0, crit), PVS_CRIT_ALL);
	looks++;
}

static void says_util_is_full(struct guest_world *w)
{
	assert_int_equal(bits(WORD(w, 0, intent), PVS_INTENT_UTIL_SHIFT, 11), 1024);
	looks++;
}

static void says_dont(struct guest_world *w)
{
	assert_int_equal(WORD(w, 0, crit), PVS_CRIT_DONT_DESCHED);
	looks++;
}

static void names_nobody(struct guest_world *w)
{
	assert_int_equal(bits(WORD(w, 0, wait), PVS_WAIT_TARGET_SHIFT, 16), 0xffff);
	looks++;
}

static void names_the_past(struct guest_world *w)
{
	uint64_t wait = WORD(w, 0, wait);
	uint32_t now = bits(WORD(w, 1, run), 0, 16);
	uint32_t then = bits(wait, PVS_WAIT_EPOCH_SHIFT, 16);

	assert_int_equal(bits(wait, PVS_WAIT_TARGET_SHIFT, 16), 1);
	assert_in_range((now - then) & 0xffff, 900, 1100);
	looks++;
}

static uint64_t last_word;

static void changes_its_mind(struct guest_world *w)
{
	uint64_t now = WORD(w, 0, intent);

	looks += now != last_word;
	last_word = now;
}

static void liars_lie_and_are_honest_in_the_quiet_part(void **state)
{
	(void)state;
	lies("always-critical", says_all_is_critical);
	lies("util-max", says_util_is_full);
	lies("dont-desched", says_dont);
	lies("wait-nobody", names_nobody);
	lies("stale-epoch", names_the_past);
	lies("malformed", changes_its_mind);
	lies("flip", changes_its_mind);
}

static void storms_are_as_frequent_as_they_are_said_to_be(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fair", "duration: 1s\n" MACHINE(1)
	      "vms:\n  - name: g\n    vcpus: 1\n    irq-work: 10us\n"
	      "    liar: {kind: irq-storm, every: 100us}\n    tasks:\n"
	      "      - {name: burn, program: [run: 1s]}\n");
	/* ten thousand handlers */
	assert_in_range(row(&w, "task.g/burn.work"), 899 * SIM_MS, 901 * SIM_MS);
	world_end(&w);
}

static void a_silent_guest_does_not_bind(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "pvs-owning", "duration: 100ms\n" MACHINE(1)
	      "vms:\n  - name: g\n    vcpus: 1\n    liar: silent\n    tasks:\n"
	      "      - {name: burn, program: [run: 1s]}\n");
	assert_non_null(w.sim->vms[0].header);
	assert_null(w.sim->vms[0].vcpus[0].shim.slot);
	world_end(&w);
}

/* ---- polling and spinning ---------------------------------------------------------------------*/

static void a_halted_vcpu_polls_while_nobody_waits(void **state)
{
	struct guest_world w;

	(void)state;
	world(&w, "fair", "duration: 1s\n" MACHINE(1)
	      "vms:\n  - name: g\n    vcpus: 1\n    halt-poll: 5ms\n    tasks:\n"
	      "      - {name: t, program: [period: 10ms, run: 1ms]}\n");
	assert_in_range(row(&w, "vm.g.run"), 590 * SIM_MS, 606 * SIM_MS);
	world_end(&w);
	world(&w, "fair", "duration: 1s\n" MACHINE(1)
	      "host-tasks:\n  - {name: h, program: [run: 1s]}\n"
	      "vms:\n  - name: g\n    vcpus: 1\n    halt-poll: 5ms\n    tasks:\n"
	      "      - {name: t, program: [period: 10ms, run: 1ms]}\n");
	assert_in_range(row(&w, "vm.g.run"), 95 * SIM_MS, 110 * SIM_MS);
	world_end(&w);
}

static void a_spinner_exits_less_often_the_longer_it_spins(void **state)
{
	struct guest_world w;

	(void)state;
	/* 20 ms at 1.3 us, 2.6, 5.2, ...: 14 exits of 638 ns, one hold each */
	world(&w, "fifo", "duration: 100ms\nmachine: {cpus: 2, costs: {exit: 1us, switch: 0ns, "
	      "wake: 0ns, inject: 0ns, migrate: 0ns, timer-slack: 0ns}}\n"
	      "vms:\n  - name: g\n    vcpus: 2\n    pin: yes\n    tasks:\n"
	      "      - {name: a, vcpu: 0, pinned: yes,\n"
	      "         program: [lock: 0, run: 20ms, unlock: 0, stop]}\n"
	      "      - {name: b, vcpu: 1, pinned: yes, start: 10us,\n"
	      "         program: [lock: 0, unlock: 0, stop]}\n");
	assert_in_range(hist(&w, "task.g/b.lock")->max - row(&w, "task.g/b.spin"), 10 * SIM_US,
			20 * SIM_US);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_time_tasks_run_by_level),
		cmocka_unit_test(a_wake_up_by_a_task_of_a_lower_class_is_seen_at_once),
		cmocka_unit_test(weights_share_a_vcpu),
		cmocka_unit_test(background_runs_when_nothing_else_does),
		cmocka_unit_test(a_task_that_is_not_pinned_goes_where_nothing_runs),
		cmocka_unit_test(a_vcpu_that_would_sleep_takes_what_waits_elsewhere),
		cmocka_unit_test(a_task_moves_where_its_program_says),
		cmocka_unit_test(no_task_changes_while_a_lock_is_held),
		cmocka_unit_test(an_interrupt_costs_and_waits_while_they_are_off),
		cmocka_unit_test(the_tick_costs_while_there_is_work),
		cmocka_unit_test(a_guest_says_what_it_runs_and_what_it_sleeps_for),
		cmocka_unit_test(utilisation_is_that_of_the_last_tens_of_milliseconds),
		cmocka_unit_test(critical_sections_are_said),
		cmocka_unit_test(who_spins_says_for_whom),
		cmocka_unit_test(a_guest_on_a_host_that_does_not_listen_runs_as_well),
		cmocka_unit_test(utilisation_is_said_no_more_often_than_allowed),
		cmocka_unit_test(hints_that_are_exits_cost_what_they_cost),
		cmocka_unit_test(liars_lie_and_are_honest_in_the_quiet_part),
		cmocka_unit_test(storms_are_as_frequent_as_they_are_said_to_be),
		cmocka_unit_test(a_silent_guest_does_not_bind),
		cmocka_unit_test(a_halted_vcpu_polls_while_nobody_waits),
		cmocka_unit_test(a_spinner_exits_less_often_the_longer_it_spins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
