/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenario files: what is read, what is said of wrong ones, and that what is written reads back. */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scenario.h"
#include "units.h"

/* Every line has a number that the tests below name. */
static const char good[] =
	"scenario: everything\n"                                          /* 1 */
	"source: \"a test\"\n"
	"claim: \"all keys are read\"\n"
	"quick: yes\n"
	"seed: 7\n"                                                       /* 5 */
	"duration: 2s\n"
	"warmup: 100ms\n"
	"quiet: 200ms\n"
	"machine:\n"
	"  cpus: 4\n"                                                     /* 10 */
	"  costs: {switch: 1500ns, timer-slack: 50us}\n"
	"  clusters:\n"
	"    - {cpus: 3, capacity: 400, idle-mw: 5, levels: [{khz: 600000, power-mw: 90}]}\n"
	"    - {cpus: 1, levels: [{khz: 1000000, power-mw: 300}, {khz: 2000000, power-mw: 900}]}\n"
	"  dvfs: host\n"                                                  /* 15 */
	"host-tasks:\n"
	"  - {name: stress, count: 8, program: [run: 1s]}\n"
	"vms:\n"
	"  - name: guest\n"
	"    count: 2\n"                                                  /* 20 */
	"    vcpus: 4\n"
	"    affinity: 0-2,3\n"
	"    entitlement: 25%\n"
	"    liar: {kind: flip, every: 10us}\n"
	"    halt-poll: {time: 200us, grow: yes}\n"                       /* 25 */
	"    tasks:\n"
	"      - {name: cyclic, urgency: real-time/3, window: 50us, program: [period: 500us, run: "
	"5..10us]}\n"
	"      - name: x\n"
	"        weight: 1024\n"
	"        deadline: 3ms\n"                                         /* 30 */
	"        program:\n"
	"          - until: {every: 10ms, at: 9.5ms}\n"
	"          - lock: 3\n"
	"          - run: 10us or 1ms at 5%\n"
	"          - unlock: 3\n"                                         /* 35 */
	"          - ipi: {to: all, wait: yes}\n"
	"          - sleep: exp 100us\n"
	"          - repeat: {from: 1, times: 5}\n"
	"          - done\n"
	"          - irqs: off\n"                                         /* 40 */
	"          - irqs: on\n"
	"          - move: random\n"
	"          - urgency: interactive/2\n"
	"          - hint: 4\n"
	"devices:\n"                                                      /* 45 */
	"  - {name: nic, vm: guest, vcpu: random, every: exp 100us}\n"
	"faults:\n"
	"  - {kind: clock-jump, at: 1s, value: -3ms}\n"
	"  - {kind: reset, vm: guest.1, at: 1s}\n"
	"params: {fair.base-slice: 2.1ms, credit1.boost: no}\n"           /* 50 */
	"config: {profile: desktop-audio, boost_share_q10: 25%, grant_max_ns: 2ms}\n"
	"runs:\n"
	"  base: fair\n"
	"  with: pvs-advisory\n"
	"  rt: {policy: static-rt, set: {vms.guest.vcpus: 2}}\n"          /* 55 */
	"off: {policy: fair, defects: [no-deboost, deaf]}\n"
	"verdict:\n"
	"  - base.task.guest/cyclic.wakeup.mean >= 10 * with.task.guest/cyclic.wakeup.mean\n"
	"figures:\n"
	"  gain: base.task.guest/cyclic.wakeup.mean / with.task.guest/cyclic.wakeup.mean\n";

#define SETS_MAX 8u

static struct sim_scenario *parse_sets(const char *text, const char *const *sets, uint32_t count,
				       char **errors)
{
	char *copies[SETS_MAX] = {NULL};
	struct sim_scenario *s;
	uint32_t i;

	assert_true(count <= SETS_MAX);
	for (i = 0; i < count; i++)
		copies[i] = strdup(sets[i]);
	s = sim_scenario_parse("test.yaml", text, strlen(text), copies, count, errors);
	for (i = 0; i < count; i++)
		free(copies[i]);
	return s;
}

static struct sim_scenario *must_parse(const char *text)
{
	char *errors = NULL;
	struct sim_scenario *s = parse_sets(text, NULL, 0, &errors);

	if (!s)
		fail_msg("%s", errors ? errors : "no memory");
	return s;
}

static char *written(const struct sim_scenario *s)
{
	FILE *file = tmpfile();
	char *text;
	long size;

	assert_non_null(file);
	assert_int_equal(sim_scenario_write(s, file), 0);
	size = ftell(file);
	text = calloc(1, (size_t)size + 1);
	assert_non_null(text);
	rewind(file);
	assert_int_equal(fread(text, 1, (size_t)size, file), size);
	fclose(file);
	return text;
}

static void all_keys_are_read(void **state)
{
	struct sim_scenario *s = must_parse(good);
	const struct sim_step *steps = s->vms[0].tasks[1].steps;

	(void)state;
	assert_string_equal(s->name, "everything");
	assert_int_equal(s->seed, 7);
	assert_int_equal(s->duration_ns, 2 * SIM_S);
	assert_int_equal(s->quiet_ns, 200 * SIM_MS);
	assert_int_equal(s->quick, 1);
	assert_int_equal(s->machine.costs.switch_ns, 1500);
	assert_int_equal(s->machine.cluster_count, 2);
	assert_int_equal(s->machine.clusters[1].capacity, 1024);
	assert_int_equal(s->machine.clusters[1].levels[0].speed, 512);
	assert_int_equal(s->machine.clusters[0].levels[0].speed, 400);
	assert_int_equal(s->machine.dvfs, 1);
	assert_int_equal(s->host_tasks[0].count, 8);
	assert_int_equal(s->vms[0].count, 2);
	assert_int_equal(s->vms[0].affinity, 15);
	assert_int_equal(s->vms[0].entitlement_q16, 16384);
	assert_int_equal(s->vms[0].liar, SIM_FLIP);
	assert_int_equal(s->vms[0].liar_ns, 10 * SIM_US);
	assert_int_equal(s->vms[0].halt_poll_grow, 1);
	assert_int_equal(s->vms[0].locks, 4);
	assert_int_equal(s->vms[0].tasks[0].urgency, PVS_URGENCY_REALTIME);
	assert_int_equal(s->vms[0].tasks[0].level, 3);
	assert_int_equal(s->vms[0].tasks[0].window_us, 50);
	assert_int_equal(s->vms[0].tasks[1].urgency, PVS_URGENCY_NORMAL);
	assert_int_equal(steps[0].op, SIM_OP_UNTIL);
	assert_int_equal(steps[0].dist.a, 10 * SIM_MS);
	assert_int_equal(steps[0].arg2, 9500 * SIM_US);
	assert_int_equal(steps[2].dist.kind, SIM_DIST_CHOICE);
	assert_int_equal(steps[2].dist.a, SIM_MS);
	assert_int_equal(steps[2].dist.b, 10 * SIM_US);
	assert_int_equal(steps[2].dist.p_q16, 3277);
	assert_int_equal(steps[4].arg, SIM_IPI_ALL);
	assert_int_equal(steps[4].arg2, 1);
	assert_int_equal(steps[9].op, SIM_OP_IRQSON);
	assert_int_equal(s->devices[0].vcpu, SIM_IPI_RANDOM);
	assert_int_equal(s->devices[0].mailbox, SIM_NO_MAILBOX);
	assert_int_equal(s->faults[0].value, -3 * (int64_t)SIM_MS);
	assert_int_equal(s->params[0].value, 2100 * SIM_US);
	assert_int_equal(s->params[1].value, 0);
	assert_int_equal(s->config_profile, PVS_PROFILE_DESKTOP_AUDIO);
	assert_int_equal(s->config[0].value, 256);
	assert_int_equal(s->off.defects, 0x41);
	assert_int_equal(s->asserts[0].line, 58);
	sim_scenario_free(s);
}

static void the_subject_is_the_first_run(void **state)
{
	struct sim_scenario *s = must_parse(good);

	(void)state;
	assert_string_equal(s->runs[0].name, "with");
	assert_string_equal(s->runs[1].name, "base");
	assert_string_equal(s->runs[2].name, "rt");
	assert_string_equal(s->runs[2].sets[0], "vms.guest.vcpus=2");
	sim_scenario_free(s);
}

static void a_machine_may_have_64_cpus(void **state)
{
	static const char text[] =
		"scenario: x\nsource: x\nclaim: x\nduration: 1s\nmachine: {cpus: 64}\n"
		"vms:\n"
		"  - name: g\n    vcpus: 1\n    affinity: 63\n    tasks:\n"
		"      - {name: t, urgency: real-time, program: [run: 1s]}\n"
		"runs: {with: fair}\n";
	struct sim_scenario *s = must_parse(text), *again;
	char *copy = written(s);

	(void)state;
	again = must_parse(copy);
	assert_true(again->vms[0].affinity == 1ull << 63);
	assert_int_equal(again->vms[0].tasks[0].urgency, PVS_URGENCY_REALTIME);
	assert_int_equal(again->vms[0].tasks[0].level, 0);
	free(copy);
	sim_scenario_free(s);
	sim_scenario_free(again);
}

static void the_config_is_resolved(void **state)
{
	struct sim_scenario *s = must_parse(good);
	struct pvs_config config;
	char error[160];

	(void)state;
	assert_int_equal(sim_scenario_config(s, &config, error, sizeof(error)), 0);
	assert_int_equal(config.boost_share_q10, 256);
	assert_int_equal(config.grant_max_ns, 2 * SIM_MS);
	sim_scenario_free(s);
}

static void what_is_written_reads_back_equal(void **state)
{
	struct sim_scenario *s = must_parse(good), *again;
	char *text = written(s), *text_again;
	uint32_t i;

	(void)state;
	again = must_parse(text);
	text_again = written(again);
	assert_string_equal(text, text_again);
	assert_memory_equal(&s->machine, &again->machine, sizeof(s->machine));
	assert_memory_equal(s->host_tasks, again->host_tasks, sizeof(*s->host_tasks));
	for (i = 0; i < s->vms[0].task_count; i++)
		assert_memory_equal(&s->vms[0].tasks[i], &again->vms[0].tasks[i],
				    sizeof(s->vms[0].tasks[i]));
	assert_memory_equal(s->devices, again->devices, sizeof(*s->devices));
	assert_memory_equal(s->faults, again->faults, 2 * sizeof(*s->faults));
	assert_memory_equal(s->params, again->params, 2 * sizeof(*s->params));
	assert_memory_equal(s->config, again->config, 2 * sizeof(*s->config));
	free(text);
	free(text_again);
	sim_scenario_free(s);
	sim_scenario_free(again);
}

/* ---- wrong files ------------------------------------------------------------------------------*/

/* `good` with one thing changed, and what is said of it. */
static const struct wrong {
	const char *from, *to, *message;
} wrongs[] = {
	{"seed: 7", "sede: 7", "test.yaml:5: a scenario has no `sede`, expected `seed`?"},
	{"seed: 7", "seed: 0", "test.yaml:5: `seed: 0`, expected a number from 1 to"},
	{"seed: 7", "seed: x", "test.yaml:5: `seed: x`, expected a whole number"},
	{"seed: 7", "seed: [7]", "test.yaml:5: `seed` is a list, expected"},
	{"seed: 7", "seed: 7\nseed: 8", "test.yaml:6: `seed` comes twice"},
	{"duration: 2s", "duration: 2", "test.yaml:6: `duration: 2`, expected a duration"},
	{"duration: 2s", "duration: 2 parsec", "test.yaml:6: `duration: 2 parsec`, expected"},
	{"duration: 2s\n", "", "test.yaml:1: a scenario has no `duration`, expected one"},
	{"warmup: 100ms", "warmup: 3s", "test.yaml:7: `warmup` and `quiet` leave nothing"},
	{"  cpus: 4", "  cpus: 65", "test.yaml:10: `cpus: 65`, expected a number from 1 to 64"},
	{"  cpus: 4", "  cpus: 5", "test.yaml:12: clusters of 4 CPUs, expected 5"},
	{"switch: 1500ns", "swich: 1us", "test.yaml:11: costs has no `swich`, expected `switch`?"},
	{"khz: 1000000", "khz: 3000000", "test.yaml:14: `khz: 2000000` after 3000000, expected"},
	{"dvfs: host", "dvfs: hots", "test.yaml:15: there is no dvfs `hots`, expected `host`?"},
	{"program: [run: 1s]", "program: [lock: 1, run: 1s]",
	 "test.yaml:17: `lock` in a task of the host"},
	{"program: [run: 1s]", "program: [done]", "test.yaml:17: no time goes by"},
	{"program: [run: 1s]", "program: run", "test.yaml:17: program is a plain value"},
	{"name: stress, ", "", "test.yaml:17: a task has no `name`, expected one"},
	{"name: stress", "name: a/b", "test.yaml:17: `name: a/b`, expected a name"},
	{"name: guest\n", "name: host\n", "test.yaml:19: a VM called `host`"},
	{"    vcpus: 4\n", "    vcpu: 4\n", "test.yaml:21: a VM has no `vcpu`, expected `vcpus`?"},
	{"    vcpus: 4\n", "", "test.yaml:19: a VM has no `vcpus`, expected one"},
	{"affinity: 0-2,3", "affinity: 0-9", "test.yaml:19: affinity of VM `guest` names CPUs"},
	{"affinity: 0-2,3", "affinity: 3-0", "test.yaml:22: `affinity: 3-0`, expected CPUs"},
	{"entitlement: 25%", "entitlement: 100%", NULL},
	{"entitlement: 25%", "entitlement: 100.01%", "expected a share of at most 100%"},
	{"name: stress", "name: a123456789b123456789c123456789d", NULL},
	{"name: stress", "name: a123456789b123456789c123456789de", "expected a name: up to 31"},
	{"name: stress", "name: -x", "test.yaml:17: `name: -x`, expected a name"},
	{"name: stress", "name: ''", "test.yaml:17: `name: `, expected a name"},
	{"  base: fair\n", "  base: fair\n  an_other-1: rr\n", NULL},
	{"  base: fair\n", "  base: fair\n  an/other: rr\n", "test.yaml:54: a run called `an/o"},
	{"  base: fair\n", "  base: fair\n  1st: rr\n", "test.yaml:54: a run called `1st`"},
	{"value: -3ms", "value: -soon", "test.yaml:48: `value: -soon`, expected a duration such"},
	{"wait: yes", "wait: maybe", "test.yaml:36: `wait`, expected yes or no"},
	{"lock: 3", "lock: 1024", "test.yaml:33: `lock: 1024`, expected a number from 0 to 1023"},
	{"unlock: 3", "lock: 3", "test.yaml:31: step 3 takes lock 3, which it has"},
	{"entitlement: 25%", "entitlement: 125%",
	 "test.yaml:23: `entitlement: 125%`, expected a share of at most 100%"},
	{"kind: flip", "kind: flop", "test.yaml:24: there is no kind `flop`"},
	{"kind: flip", "kind: flop", "expected `flip`?"},
	{"grow: yes", "grow: maybe", "test.yaml:25: `grow: maybe`, expected yes or no"},
	{"real-time/3", "realtime/3", "test.yaml:27: there is no urgency `realtime`, expected "
				      "`real-time`?"},
	{"real-time/3", "real-time/16", "test.yaml:27: the level in `real-time/16`"},
	{"period: 500us, run", "perod: 500us, run",
	 "test.yaml:27: there is no step `perod`, expected `period`?"},
	{"5..10us", "10..5us", "test.yaml:27: `run: 10..5us`, expected a duration such as"},
	{"{every: 10ms, at: 9.5ms}", "{every: 10ms}", "test.yaml:32: until has no `at`, expected"},
	{"unlock: 3", "done", "test.yaml:31: lock 3 is still held at the end"},
	{"unlock: 3", "unlock: -3", "test.yaml:35: `unlock: -3`, expected a whole number"},
	{"to: all", "to: 9", "test.yaml:28: step 4 names vCPU 9, expected 0 to 3"},
	{"to: all", "to: al", "test.yaml:36: `al`, expected random, all or the number"},
	{"{from: 1, times: 5}", "{from: 9, times: 5}", "test.yaml:31: step 6 repeats from step 9"},
	{"          - done\n", "          - done: 1\n", "test.yaml:39: a value for `done`"},
	{"irqs: off", "irqs: of", "test.yaml:40: `irqs: of`, expected off or on"},
	{"vm: guest, vcpu", "vm: guets, vcpu", "test.yaml:46: there is no VM `guets`"},
	{"every: exp 100us", "every: exp", "test.yaml:46: `every: exp`, expected a duration"},
	{"vcpu: random, every", "vcpu: 4, every", "test.yaml:46: VM `guest` has no vCPU 4"},
	{"at: 1s, value", "at: 9s, value", "test.yaml:47: fault 0 begins after the end"},
	{"kind: reset, vm: guest.1", "kind: reset", "test.yaml:49: `reset` without a VM"},
	{"vm: guest.1", "vm: guest.2", "test.yaml:49: there is no VM `guest.2`"},
	{"fair.base-slice", "fair.base-slize",
	 "test.yaml:50: no model has a parameter `fair.base-slize`, expected `fair.base-slice`?"},
	{"fair.base-slice: 2.1ms", "fair.base-slice: 2h",
	 "test.yaml:50: `fair.base-slice: 2h`, expected a duration"},
	{"boost_share_q10", "boost_shere_q10",
	 "test.yaml:51: the config has no field `boost_shere_q10`, expected `boost_share_q10`?"},
	{"boost_share_q10: 25%", "boost_share_q10: 2000",
	 "test.yaml:51: `boost_share_q10: 2000`, expected 1 to 1024"},
	{"desktop-audio", "desktop-radio", "test.yaml:51: there is no profile `desktop-radio`"},
	{"  cpus: 4\n", "", NULL}, /* the clusters say how many */
	{"cpus: 4\n", "cpus: 0\n", "test.yaml:10: `cpus: 0`, expected a number from 1 to 64"},
	{"warmup: 100ms", "warmup: 2s", "test.yaml:7: `warmup` and `quiet` leave nothing"},
	{"warmup: 100ms", "warmup: 1800ms", "test.yaml:7: `warmup` and `quiet` leave nothing"},
	{"warmup: 100ms", "warmup: 1799ms", NULL},
	{"scenario: everything", "scenario: \"\"", "test.yaml:1: `scenario`, expected a name"},
	{"run: 1s]}", "run: 1s], stop: 1s, start: 1s}", "test.yaml:17: `stop` is not after"},
	{"run: 1s]}", "run: 1s], stop: 1s, start: 999ms}", NULL},
	{"run: 1s]}", "run: 1s], urgency: idle}", "test.yaml:17: `urgency` or `window` of a task"},
	{"run: 1s]}", "run: 1s], window: 1ms}", "test.yaml:17: `urgency` or `window` of a task"},
	{"run: 1s]}", "run: 1s], rt: 100}", "test.yaml:17: `rt: 100`, expected a number from 0"},
	{"program: [run: 1s]", "program: [[run: 1s]]", "test.yaml:17: a step, expected"},
	{"program: [run: 1s]", "program: [{run: 1s, sleep: 1s}]", "test.yaml:17: a step, expected"},
	{"name: cyclic,", "name: cyclic, vcpu: 4,", "test.yaml:27: task `cyclic` on vCPU 4"},
	{"name: cyclic,", "name: cyclic, vcpu: 3,", NULL},
	{"name: cyclic,", "name: cyclic, rt: 3,", "test.yaml:27: `rt` of a guest's task"},
	{"name: cyclic,", "name: x,", "test.yaml:28: a second task `x`"},
	{"{kind: flip, every: 10us}", "silent", NULL},
	{"{kind: flip, every: 10us}", "silnt", "test.yaml:24: there is no liar `silnt`"},
	{"{time: 200us, grow: yes}", "50us", NULL},
	{"{time: 200us, grow: yes}", "soon", "test.yaml:25: `halt-poll: soon`, expected"},
	{"kind: clock-jump, at: 1s, value: -3ms", "kind: late-timers, at: 1s, value: -3ms",
	 "test.yaml:48: timers late by less than 0"},
	{"kind: clock-jump, at: 1s, value: -3ms", "kind: late-timers, at: 1s, value: 0", NULL},
	{"kind: clock-jump, at: 1s, value: -3ms", "kind: cpu-offline, at: 1s, target: 4",
	 "test.yaml:48: there is no CPU 4, expected 0 to 3"},
	{"kind: clock-jump, at: 1s, value: -3ms", "kind: cpu-offline, at: 1s, target: 3", NULL},
	{"kind: clock-jump, at: 1s, value: -3ms", "kind: unplug, vm: guest, at: 1s, target: 4",
	 "test.yaml:48: VM `guest` has no vCPU 4"},
	{"grant_max_ns: 2ms", "grant_max_ns: 5s", "test.yaml:51: `grant_max_ns: 5s`, expected"},
	{"grant_max_ns: 2ms", "grant_max_ns: much", "test.yaml:51: `grant_max_ns: much`, expected"},
	{"    affinity: 0-2,3\n", "    affinity: 0-2,3\n    locks: 3\n",
	 "test.yaml:23: tasks take lock 3, expected `locks: 4`"},
	{"    affinity: 0-2,3\n", "    affinity: 0-2,3\n    locks: 4\n", NULL},
	{"set: {vms.guest.vcpus: 2}", "set: {runs.with: fair}", "test.yaml:55: a run that sets"},
	{"  base: fair\n", "  off: fair\n", "test.yaml:53: a run called `off`"},
	{"  base: fair\n", "  max: fair\n", "test.yaml:53: a run called `max`"},
	{"base: fair", "base: fare", "test.yaml:53: there is no policy `fare`, expected `fair`?"},
	{"with: pvs-advisory", "wiht: pvs-advisory", "test.yaml:52: no run is called `with`"},
	{"deaf]", "def]", "test.yaml:56: there is no defect `def`, expected `deaf`?"},
	{"off: {policy: fair, defects: [no-deboost, deaf]}\n", "",
	 "test.yaml:56: a verdict and no `off`"},
	{"base.task.guest/cyclic.wakeup.mean >=", "bas.task.guest/cyclic.wakeup.mean >=",
	 "test.yaml:58: there is no run `bas`, expected `base`?"},
	{" >= 10 * with", " + 10 * with", "is a value, expected a comparison"},
	{"  gain: base", "  gain: 3 > base", NULL}, /* a figure may be yes or no */
	{"  gain: base", "  gain: 3 + > base", "test.yaml:60: `> base"},
	{"claim: \"all", "claim: &x \"all", NULL},
	{"claim: \"all keys are read\"", "claim: *x", "test.yaml:3: an alias"},
	{"machine:\n", "machine\n", "test.yaml:10: not YAML: "},
	{"seed: 7\n", "seed: 7\n---\n", "test.yaml:6: a second document"},
};

static char *changed(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	size_t size = sizeof(good) + strlen(to);
	char *text = malloc(size);

	assert_non_null(text);
	if (!at)
		fail_msg("`%s` is not in the good file", from);
	snprintf(text, size, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	return text;
}

static void wrong_files_are_told_of_with_their_line(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *w = &wrongs[i];
		char *text = changed(w->from, w->to), *errors = NULL;
		struct sim_scenario *s = parse_sets(text, NULL, 0, &errors);

		if (!w->message && !s)
			fail_msg("`%s`: `%s`, expected no error", w->to, errors);
		if (w->message && s)
			fail_msg("`%s` instead of `%s` is taken for right", w->to, w->from);
		if (w->message && (!errors || !strstr(errors, w->message)))
			fail_msg("`%s` instead of `%s`:\n%sexpected\n%s", w->to, w->from,
				 errors ? errors : "nothing\n", w->message);
		sim_scenario_free(s);
		free(errors);
		free(text);
	}
}

static void an_empty_file_is_wrong(void **state)
{
	static const char *const texts[] = {"", "\n", "# nothing\n", "a list", "- 1\n"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *errors = NULL;

		assert_null(parse_sets(texts[i], NULL, 0, &errors));
		assert_non_null(errors);
		assert_non_null(strstr(errors, "test.yaml:"));
		free(errors);
	}
}

static void many_errors_have_an_end(void **state)
{
	char text[8000] = "scenario: x\n", *errors = NULL;
	size_t length = strlen(text), lines = 0, i;

	(void)state;
	for (i = 0; i < 200; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
					   "unknown-key-%zu: 1\n", i);
	assert_null(parse_sets(text, NULL, 0, &errors));
	for (i = 0; errors[i]; i++)
		lines += errors[i] == '\n';
	assert_int_equal(lines, 20);
	free(errors);
}

/* ---- path=value -------------------------------------------------------------------------------*/

static void sets_take_the_place_of_what_the_file_says(void **state)
{
	const char *sets[] = {"duration=5s", "vms.guest.tasks.x.count=3", "vms.0.vcpus=2",
			      "params.credit2.carryover=2ms", "machine.costs.look=1us",
			      "vms.guest.tasks.cyclic.program=[period: 1ms, run: 3us]"};
	char *errors = NULL;
	struct sim_scenario *s = parse_sets(good, sets, 6, &errors);

	(void)state;
	if (!s)
		fail_msg("%s", errors);
	assert_int_equal(s->duration_ns, 5 * SIM_S);
	assert_int_equal(s->vms[0].tasks[1].count, 3);
	assert_int_equal(s->vms[0].vcpus, 2);
	assert_int_equal(s->param_count, 3);
	assert_int_equal(s->machine.costs.look_ns, SIM_US);
	assert_int_equal(s->vms[0].tasks[0].steps[0].dist.a, SIM_MS);
	sim_scenario_free(s);
}

static void a_vm_is_left_out_by_a_count_of_zero(void **state)
{
	const char *sets[] = {"vms.guest.count=0"};
	char *errors = NULL;
	struct sim_scenario *s = parse_sets(good, sets, 1, &errors);

	(void)state;
	if (!s)
		fail_msg("%s", errors);
	assert_int_equal(s->vm_count, 0);
	assert_int_equal(s->device_count, 0);
	assert_int_equal(s->fault_count, 1);
	sim_scenario_free(s);
}

static void wrong_sets_are_told_of(void **state)
{
	static const char *const sets[] = {"duration", "=5s", "vms.nobody.vcpus=2",
					   "duration.x=2", "vms.guest.vcpus=0",
					   "vms.guest.vcpsu=1", "seed={"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		const char *one[1] = {sets[i]};
		char *errors = NULL;

		assert_null(parse_sets(good, one, 1, &errors));
		if (!errors || strncmp(errors, sets[i], strlen(sets[i])))
			fail_msg("`%s`: %s", sets[i], errors ? errors : "nothing");
		free(errors);
	}
}

/* ---- files that are broken off ----------------------------------------------------------------*/

/* A file of which the end is missing, or a piece in the middle, or a byte of which is another: an
 * error or a scenario, never more than that. */
static void broken_files_are_survived(void **state)
{
	size_t size = sizeof(good) - 1, i;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	for (i = 0; i <= size; i++) {
		char *errors = NULL;

		sim_scenario_free(sim_scenario_parse("test.yaml", good, i, NULL, 0, &errors));
		free(errors);
	}
	for (i = 0; i < size; i++) {
		static const char bytes[] = {'\0', ':', '-', '{', ']', '"', '9', '\n', '\t',
					     '\xff'};
		char *errors = NULL;

		memcpy(text, good, size);
		text[i] = bytes[i % sizeof(bytes)];
		sim_scenario_free(sim_scenario_parse("test.yaml", text, size, NULL, 0, &errors));
		free(errors);
		errors = NULL;
		memcpy(text, good, i);
		memcpy(text + i, good + (i + size) / 2, size - (i + size) / 2);
		sim_scenario_free(sim_scenario_parse("test.yaml", text,
						     i + size - (i + size) / 2, NULL, 0, &errors));
		free(errors);
	}
	free(text);
}

static void deep_files_are_survived(void **state)
{
	char text[4096], *errors = NULL;

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_null(parse_sets(text, NULL, 0, &errors));
	assert_non_null(strstr(errors, "too deep"));
	free(errors);
}

/* ---- units ------------------------------------------------------------------------------------*/

static void durations_are_exact(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} right[] = {{"0", 0}, {"0s", 0}, {"1ns", 1}, {"1.5us", 1500}, {"0.001ms", 1000},
		     {"2.000000001s", 2000000001}, {" 3 ms ", 3000000}, {"1min", 60 * SIM_S}};
	static const char *const wrong[] = {"", "5", "us", "1.5ns", "-1us", "1us x", "1.us",
					    "1e3us", "99999999999999999999s", "1.0000000001s"};
	uint64_t ns;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		if (!sim_read_duration(right[i].text, &ns) || ns != right[i].ns)
			fail_msg("`%s`", right[i].text);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (sim_read_duration(wrong[i], &ns))
			fail_msg("`%s` is %llu", wrong[i], (unsigned long long)ns);
}

static void drawn_durations_read_back(void **state)
{
	static const char *const texts[] = {"5us", "5..10us", "5us..1ms", "exp 3.5ms",
					    "10us or 1ms at 5%", "1s or 0 at 0.01%",
					    "0..100ns", "7ns or 9ns at 100%"};
	char buffer[SIM_UNIT_TEXT];
	struct sim_dist d, again;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!sim_read_dist(texts[i], &d))
			fail_msg("`%s` is not read", texts[i]);
		if (!sim_read_dist(sim_dist_text(&d, buffer), &again))
			fail_msg("`%s` became `%s`", texts[i], buffer);
		assert_int_equal(d.kind, again.kind);
		assert_true(d.a == again.a && d.b == again.b && d.p_q16 == again.p_q16);
	}
	assert_false(sim_read_dist("10us or 1ms", &d));
	assert_false(sim_read_dist("10us or 1ms at 500%", &d));
	assert_false(sim_read_dist("5..", &d));
	assert_false(sim_read_dist("..5us", &d));
	assert_false(sim_read_dist("exp", &d));
}

static void shares_read_back(void **state)
{
	char text[32];
	uint64_t value;
	uint32_t q16;

	(void)state;
	for (q16 = 0; q16 <= 65536; q16++) {
		snprintf(text, sizeof(text), "%u.%09u", q16 >> 16,
			 (uint32_t)(((uint64_t)(q16 & 0xffff) * 1000000000u + 32768) >> 16));
		assert_true(sim_read_share(text, 65536, &value));
		assert_int_equal(value, q16);
	}
	assert_true(sim_read_share("12.5%", 1024, &value));
	assert_int_equal(value, 128);
	assert_false(sim_read_share("x%", 1024, &value));
	assert_false(sim_read_share("1000000%", 65536, &value));
}

static void times_for_people_have_three_digits(void **state)
{
	static const struct {
		double ns;
		const char *text;
	} cases[] = {{0, "0"}, {7, "7.00ns"}, {999, "999ns"}, {1000, "1.00us"}, {12345, "12.3us"},
		     {999999, "1.00ms"}, {1.5e9, "1.50s"}, {123e9, "123s"}, {99.96e3, "100us"}};
	char buffer[SIM_UNIT_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(sim_short_time(cases[i].ns, buffer), cases[i].text);
	assert_string_equal(sim_duration_text(0, buffer), "0s");
	assert_string_equal(sim_duration_text(2000, buffer), "2us");
	assert_string_equal(sim_duration_text(2001, buffer), "2001ns");
	assert_string_equal(sim_duration_text(60 * SIM_S, buffer), "60s");
}

static void sets_of_cpus_read_back(void **state)
{
	static const uint64_t masks[] = {1, 2, 0x8000000000000000ull, 0xf, 0x5555555555555555ull,
					 0xaaaaaaaaaaaaaaaaull, 0xff00ff, 0x7fffffffffffffffull};
	char buffer[SIM_UNIT_TEXT];
	uint64_t mask;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		assert_true(sim_read_cpus(sim_cpus_text(masks[i], buffer), &mask));
		assert_true(mask == masks[i]);
	}
	assert_false(sim_read_cpus("64", &mask));
	assert_false(sim_read_cpus("0-", &mask));
	assert_false(sim_read_cpus("0,,1", &mask));
	assert_false(sim_read_cpus("", &mask));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys_are_read),
		cmocka_unit_test(the_subject_is_the_first_run),
		cmocka_unit_test(the_config_is_resolved),
		cmocka_unit_test(a_machine_may_have_64_cpus),
		cmocka_unit_test(what_is_written_reads_back_equal),
		cmocka_unit_test(wrong_files_are_told_of_with_their_line),
		cmocka_unit_test(an_empty_file_is_wrong),
		cmocka_unit_test(many_errors_have_an_end),
		cmocka_unit_test(sets_take_the_place_of_what_the_file_says),
		cmocka_unit_test(a_vm_is_left_out_by_a_count_of_zero),
		cmocka_unit_test(wrong_sets_are_told_of),
		cmocka_unit_test(broken_files_are_survived),
		cmocka_unit_test(deep_files_are_survived),
		cmocka_unit_test(durations_are_exact),
		cmocka_unit_test(drawn_durations_read_back),
		cmocka_unit_test(shares_read_back),
		cmocka_unit_test(times_for_people_have_three_digits),
		cmocka_unit_test(sets_of_cpus_read_back),
	};

	return cmocka_run_group_tests_name("scenario files", tests, NULL, NULL);
}
