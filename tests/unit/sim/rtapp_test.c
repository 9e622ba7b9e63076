/* SPDX-License-Identifier: BSD-2-Clause */
/* Workloads of rt-app: what becomes of each event, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rtapp.h"
#include "sim.h"

static char error[256];

static int parse(struct sim_vm_spec *vm, const char *text)
{
	memset(vm, 0, sizeof(*vm));
	error[0] = '\0';
	return sim_rtapp_parse("w.json", text, strlen(text), vm, error, sizeof(error));
}

static void read_or_fail(struct sim_vm_spec *vm, const char *text)
{
	if (parse(vm, text))
		fail_msg("%s", error);
}

static void step_is(const struct sim_task_spec *t, uint32_t at, enum sim_op op, uint32_t arg,
		    uint64_t a)
{
	assert_true(at < t->step_count);
	assert_int_equal(t->steps[at].op, op);
	assert_int_equal(t->steps[at].arg, arg);
	assert_int_equal(t->steps[at].dist.a, a);
}

static void comments_tabs_and_trailing_commas_are_no_obstacle(void **state)
{
	struct sim_vm_spec vm;

	(void)state;
	read_or_fail(&vm, "/* a workload\n of two lines */\n\t{\n"
		     "\t\"global\" : { \"duration\" : 5, \"default_policy\" : \"SCHED_FIFO\" },\n"
		     "\t\"tasks\":{ // one\n"
		     "\t\t\"// no comment\" : {\"run\":1000, \"sleep\" : 2000, \"run\" : 3000,},\n"
		     "\t}\n}\n");
	assert_int_equal(vm.task_count, 1);
	assert_string_equal(vm.tasks[0].name, "// no comment");
	assert_int_equal(vm.vcpus, 1);
	/* a key that comes twice is two events, in their order */
	assert_int_equal(vm.tasks[0].step_count, 3);
	step_is(&vm.tasks[0], 0, SIM_OP_RUN, 0, SIM_MS);
	step_is(&vm.tasks[0], 1, SIM_OP_SLEEP, 0, 2 * SIM_MS);
	step_is(&vm.tasks[0], 2, SIM_OP_RUN, 0, 3 * SIM_MS);
	assert_int_equal(vm.tasks[0].urgency, PVS_URGENCY_REALTIME);
	free(vm.tasks);
}

static void phases_and_loops_become_repeats(void **state)
{
	struct sim_vm_spec vm;
	const struct sim_task_spec *t;

	(void)state;
	read_or_fail(&vm, "{\"tasks\": {\"t\": {\"instance\": 3, \"delay\": 500, \"loop\": 4,\n"
		     " \"phases\": {\n"
		     "  \"light\": {\"loop\": 10, \"run\": 100, \"timer\": {\"ref\": \"tick\", "
		     "\"period\": 1000}},\n"
		     "  \"heavy\": {\"run0\": 700, \"sleep1\": 300}}}}}");
	t = &vm.tasks[0];
	assert_int_equal(t->count, 3);
	assert_int_equal(t->start_ns, 500 * SIM_US);
	step_is(t, 0, SIM_OP_RUN, 0, 100 * SIM_US);
	step_is(t, 1, SIM_OP_PERIOD, 0, SIM_MS);
	step_is(t, 2, SIM_OP_REPEAT, 0, 10);
	step_is(t, 3, SIM_OP_RUN, 0, 700 * SIM_US);
	step_is(t, 4, SIM_OP_SLEEP, 0, 300 * SIM_US);
	step_is(t, 5, SIM_OP_REPEAT, 0, 4);
	step_is(t, 6, SIM_OP_STOP, 0, 0);
	assert_int_equal(t->step_count, 7);
	free(vm.tasks);
}

static void mutexes_conditions_and_threads_are_semaphores(void **state)
{
	struct sim_vm_spec vm;
	const struct sim_task_spec *a, *b, *m;

	(void)state;
	read_or_fail(&vm, "{\"resources\": {\"m\": {\"type\": \"mutex\"}}, \"tasks\": {\n"
		     "\"a\": {\"lock\": \"m\", \"wait\": {\"ref\": \"c\", \"mutex\": \"m\"}, "
		     "\"unlock\": \"m\", \"run\": 10},\n"
		     "\"b\": {\"lock\": \"m\", \"signal\": \"c\", \"unlock\": \"m\", "
		     "\"resume\": \"c\", \"suspend\": \"b\"}}}");
	assert_int_equal(vm.task_count, 3);
	a = &vm.tasks[0];
	b = &vm.tasks[1];
	m = &vm.tasks[2];
	/* m = 0, condition c = 1, thread c = 2, thread b = 3 */
	step_is(a, 0, SIM_OP_WAIT, 0, 0);
	step_is(a, 1, SIM_OP_SIGNAL, 0, 0);
	step_is(a, 2, SIM_OP_WAIT, 1, 0);
	step_is(a, 3, SIM_OP_WAIT, 0, 0);
	step_is(a, 4, SIM_OP_SIGNAL, 0, 0);
	step_is(b, 1, SIM_OP_SIGNAL, 1, 0);
	step_is(b, 3, SIM_OP_SIGNAL, 2, 0);
	step_is(b, 4, SIM_OP_WAIT, 3, 0);
	/* free at the beginning: once, by a task that then stops */
	step_is(m, 0, SIM_OP_SIGNAL, 0, 0);
	step_is(m, 1, SIM_OP_STOP, 0, 0);
	assert_int_equal(m->step_count, 2);
	free(vm.tasks);
}

static void policies_become_urgencies_and_weights(void **state)
{
	struct sim_vm_spec vm;

	(void)state;
	read_or_fail(&vm, "{\"tasks\": {\n"
		     "\"a\": {\"policy\": \"SCHED_OTHER\", \"priority\": 5, \"run\": 1},\n"
		     "\"b\": {\"priority\": -5, \"run\": 1, \"cpus\": [3]},\n"
		     "\"c\": {\"policy\": \"SCHED_RR\", \"priority\": 99, \"run\": 1, "
		     "\"cpus\": [1, 2]},\n"
		     "\"d\": {\"policy\": \"SCHED_IDLE\", \"run\": 1},\n"
		     "\"e\": {\"policy\": \"SCHED_BATCH\", \"run\": 1},\n"
		     "\"f\": {\"policy\": \"SCHED_DEADLINE\", \"dl-runtime\": 1, "
		     "\"dl-period\": 9, \"dl-deadline\": 7, \"run\": 1}}}");
	assert_in_range(vm.tasks[0].weight, 334, 337);   /* 1024 / 1.25^5 */
	assert_in_range(vm.tasks[1].weight, 3120, 3127); /* 1024 * 1.25^5 */
	assert_int_equal(vm.tasks[1].vcpu, 3);
	assert_int_equal(vm.tasks[1].pinned, 1);
	assert_int_equal(vm.tasks[2].urgency, PVS_URGENCY_REALTIME);
	assert_int_equal(vm.tasks[2].level, 15);
	assert_int_equal(vm.tasks[2].vcpu, 1);
	assert_int_equal(vm.tasks[2].pinned, 0);
	assert_int_equal(vm.tasks[3].urgency, PVS_URGENCY_IDLE);
	assert_int_equal(vm.tasks[4].urgency, PVS_URGENCY_BACKGROUND);
	assert_int_equal(vm.tasks[5].deadline_ns, 7 * SIM_US);
	assert_int_equal(vm.vcpus, 4);
	free(vm.tasks);
}

static void tasks_come_behind_those_that_are_there(void **state)
{
	static const char text[] = "{\"tasks\": {\"t\": {\"run\": 1}}}";
	struct sim_vm_spec vm = { .vcpus = 2, .task_count = 1 };

	(void)state;
	vm.tasks = calloc(1, sizeof(*vm.tasks));
	assert_non_null(vm.tasks);
	strcpy(vm.tasks[0].name, "first");
	assert_int_equal(sim_rtapp_parse("w", text, sizeof(text) - 1, &vm, error, sizeof(error)),
			 0);
	assert_int_equal(vm.task_count, 2);
	assert_string_equal(vm.tasks[0].name, "first");
	assert_string_equal(vm.tasks[1].name, "t");
	assert_int_equal(vm.vcpus, 2);
	/* and not a second time */
	assert_int_equal(sim_rtapp_parse("w", text, sizeof(text) - 1, &vm, error, sizeof(error)),
			 -1);
	assert_int_equal(vm.task_count, 2);
	free(vm.tasks);
}

static void refused(const char *text, const char *expected)
{
	struct sim_vm_spec vm;

	assert_int_equal(parse(&vm, text), -1);
	assert_null(vm.tasks);
	if (strncmp(error, expected, strlen(expected)) != 0)
		fail_msg("`%s`, expected `%s...`", error, expected);
}

static void what_is_not_modelled_is_an_error_with_its_line(void **state)
{
	(void)state;
	refused("{\"tasks\": {\"t\": {\n\"run\": 1,\n\"runtime\": 5}}}",
		"w.json:3: `runtime` is not modelled");
	refused("{\"tasks\": {\"t\": {\"barrier\": \"b\"}}}", "w.json:1: `barrier`");
	refused("{\"tasks\": {\"t\": {\"run\": 1,\n\n\"util_min\": 5}}}",
		"w.json:3: `util_min` of a task");
	refused("{\"tasks\": {\"t\": {\"phases\": {\"p\": {\"cpus\": [0], \"run\": 1}}}}}",
		"w.json:1: `cpus` in a phase");
	refused("{\"tasks\": {\"t\": {\"run\": 1, \"phases\": {\"p\": {\"run\": 1}}}}}",
		"w.json:1: `run` beside `phases`");
	refused("{\"tasks\": {\"t\": {\"phases\": [{\"run\": 1}]}}}", "w.json:1: `phases`");
	refused("{\n\"tasks\": {\"t\": {\"run\": \"long\"}}}", "w.json:2: `run: long`");
	refused("{\"tasks\": {\"t\": {\"run\": -1}}}", "w.json:1: `run: -1`");
	refused("{\"tasks\": {\"t\": {\"timer\": {\"ref\": \"x\"}}}}", "w.json:1: `timer`");
	refused("{\"tasks\": {\"t\": {\"timer\": {\"period\": 0}}}}", "w.json:1: `period: 0`");
	refused("{\"tasks\": {\"t\": {\"wait\": \"c\"}}}", "w.json:1: `wait`");
	refused("{\"tasks\": {\"t\": {\"policy\": \"SCHED_EXT\", \"run\": 1}}}",
		"w.json:1: policy `SCHED_EXT`");
	refused("{\"tasks\": {\"t\": {\"run\": 0}}}", "w.json:1: no time goes by");
	refused("{\"tasks\": {\"t\": {\"signal\": \"c\"}}}", "w.json:1: no time goes by");
	refused("{\"tasks\": {\"t\": {\"loop\": 3}}}", "w.json:1: task `t` does nothing");
	refused("{\"tasks\": {\"t\": {\"run\": 1}, \"t\": {\"run\": 1}}}",
		"w.json:1: a second task `t`");
	refused("{\"tusks\": {}}", "w.json:1: no `tasks`");
	refused("{\"tasks\": {\"t\": {\"run\": 1}},\n\"more\": 1}", "w.json:2: `more`");
	refused("{\"tasks\":\n {\"t\": [1}}", "w.json:2: ");
	refused("[]", "w.json:1: no `tasks`");
	refused("", "w.json:1: no `tasks`");
	refused("{\"tasks\": {\"t\": {\"cpus\": 1, \"run\": 1}}}", "w.json:1: `cpus`");
}

static void a_program_too_long_is_an_error(void **state)
{
	char text[2048] = "{\"tasks\": {\"t\": {";
	uint32_t i;

	(void)state;
	for (i = 0; i < SIM_STEPS_MAX + 1; i++)
		strcat(text, "\"run\": 1, ");
	strcat(text, "}}}");
	refused(text, "w.json:1: task `t` has more than");
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
	struct sim_vm_spec vm = { 0 };

	(void)state;
	assert_int_equal(sim_rtapp_read("/no/such/file.json", &vm, error, sizeof(error)), -1);
	assert_non_null(strstr(error, "/no/such/file.json: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_tabs_and_trailing_commas_are_no_obstacle),
		cmocka_unit_test(phases_and_loops_become_repeats),
		cmocka_unit_test(mutexes_conditions_and_threads_are_semaphores),
		cmocka_unit_test(policies_become_urgencies_and_weights),
		cmocka_unit_test(tasks_come_behind_those_that_are_there),
		cmocka_unit_test(what_is_not_modelled_is_an_error_with_its_line),
		cmocka_unit_test(a_program_too_long_is_an_error),
		cmocka_unit_test(a_file_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
