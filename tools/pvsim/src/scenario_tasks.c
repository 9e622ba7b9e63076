// SPDX-License-Identifier: BSD-2-Clause
/* scenario_tasks.c - tasks and their programs: read, checked, written. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "units.h"

#define CHANNELS_MAX 1024u /* locks, semaphores and mailboxes of a VM, from 0 */

/* What the value of a step is. */
enum step_value {
	VALUE_NONE,    /* the step is a word of its own */
	VALUE_DIST,
	VALUE_PERIOD,
	VALUE_UNTIL,
	VALUE_CHANNEL,
	VALUE_IPI,
	VALUE_REPEAT,
	VALUE_URGENCY,
	VALUE_TIMES,
	VALUE_IRQS,
	VALUE_MOVE
};

static const struct step_type {
	const char *key;
	uint8_t op, value;
	uint8_t host;    /* host tasks have it, too */
	uint8_t passes;  /* time may pass in it */
} step_types[] = {
	{"run", SIM_OP_RUN, VALUE_DIST, 1, 1},
	{"sleep", SIM_OP_SLEEP, VALUE_DIST, 1, 1},
	{"period", SIM_OP_PERIOD, VALUE_PERIOD, 1, 1},
	{"until", SIM_OP_UNTIL, VALUE_UNTIL, 1, 1},
	{"lock", SIM_OP_LOCK, VALUE_CHANNEL, 0, 0},
	{"unlock", SIM_OP_UNLOCK, VALUE_CHANNEL, 0, 0},
	{"ipi", SIM_OP_IPI, VALUE_IPI, 0, 0},
	{"signal", SIM_OP_SIGNAL, VALUE_CHANNEL, 1, 0},
	{"wait", SIM_OP_WAIT, VALUE_CHANNEL, 1, 1},
	{"recv", SIM_OP_RECV, VALUE_CHANNEL, 0, 1},
	{"done", SIM_OP_DONE, VALUE_NONE, 1, 0},
	{"yield", SIM_OP_YIELD, VALUE_NONE, 1, 0},
	{"repeat", SIM_OP_REPEAT, VALUE_REPEAT, 1, 0},
	{"urgency", SIM_OP_URGENCY, VALUE_URGENCY, 0, 0},
	{"hint", SIM_OP_HINT, VALUE_TIMES, 0, 0},
	{"irqs", SIM_OP_IRQSOFF, VALUE_IRQS, 0, 0},
	{"move", SIM_OP_MOVE, VALUE_MOVE, 0, 0},
	{"stop", SIM_OP_STOP, VALUE_NONE, 1, 1},
};
#define STEP_TYPES (sizeof(step_types) / sizeof(step_types[0]))

/* ---- steps ------------------------------------------------------------------------------------*/

static const struct sim_field dist_field = {.key = "dist", .type = SIM_F_DIST};
static const struct sim_field period_field = {.key = "period", .type = SIM_F_TIME, .min = SIM_US,
					      .max = 3600 * SIM_S};

#define AT(member) ((uint32_t)offsetof(struct sim_step, member))
static const struct sim_field until_rows[] = {
	{.key = "every", .type = SIM_F_TIME, .required = 1, .min = SIM_US, .max = 3600 * SIM_S,
	 .offset = AT(dist) + (uint32_t)offsetof(struct sim_dist, a)},
	{.key = "at", .type = SIM_F_TIME, .required = 1, .max = 3600 * SIM_S, .offset = AT(arg2)},
};
static const struct sim_fields until_fields = {"until", until_rows, 2};

static const struct sim_field repeat_rows[] = {
	{.key = "from", .type = SIM_F_U32, .required = 1, .max = SIM_STEPS_MAX - 1,
	 .offset = AT(arg)},
	{.key = "times", .type = SIM_F_U64, .required = 1, .min = 1, .max = 1000000000,
	 .offset = AT(dist) + (uint32_t)offsetof(struct sim_dist, a)},
};
static const struct sim_fields repeat_fields = {"repeat", repeat_rows, 2};

static const struct sim_field ipi_rows[] = {
	{.key = "to", .type = SIM_F_OTHER, .required = 1},
	{.key = "wait", .type = SIM_F_OTHER},
};
static const struct sim_fields ipi_fields = {"ipi", ipi_rows, 2};
#undef AT

/* `random`, `all` (where it makes sense) or the number of a vCPU. */
static void read_target(struct sim_reader *r, const struct sim_node *node, int all, uint32_t *arg)
{
	const char *text = sim_scalar(r, node, "a vCPU");
	uint64_t n;

	if (!text)
		return;
	if (!strcmp(text, "random"))
		*arg = SIM_IPI_RANDOM;
	else if (all && !strcmp(text, "all"))
		*arg = SIM_IPI_ALL;
	else if (sim_read_number(text, &n) && n < SIM_VCPUS_MAX)
		*arg = (uint32_t)n;
	else
		sim_error(&r->errors, node, "`%.40s`, expected random%s or the number of a vCPU",
			  text, all ? ", all" : "");
}

static void read_ipi(struct sim_reader *r, const struct sim_node *node, struct sim_step *step)
{
	const struct sim_node *to, *wait;
	int waits = 0;

	if (node->kind == SIM_NODE_SCALAR) {
		read_target(r, node, 1, &step->arg);
		return;
	}
	if (!sim_is_map(r, node, "ipi"))
		return;
	sim_fields_read(r, &ipi_fields, node, step);
	to = sim_tree_get(node, "to");
	wait = sim_tree_get(node, "wait");
	if (to)
		read_target(r, to, 1, &step->arg);
	if (wait) {
		if (wait->kind != SIM_NODE_SCALAR || !sim_read_bool(wait->text, &waits))
			sim_error(&r->errors, wait, "`wait`, expected yes or no");
		step->arg2 = waits ? 1 : 0;
	}
}

/* `real-time/3`: class and level. 1 when it is right. */
static int read_urgency(struct sim_reader *r, const struct sim_node *node, uint8_t *urgency,
			uint8_t *level)
{
	const char *text = sim_scalar(r, node, "an urgency such as real-time/3");
	char word[24];
	size_t length;
	uint64_t n = 0;
	int at;

	if (!text)
		return 0;
	length = strcspn(text, "/");
	snprintf(word, sizeof(word), "%.*s", (int)(length < 23 ? length : 23), text);
	at = sim_word(r, node, word, sim_urgency_names, "urgency");
	if (at < 0)
		return 0;
	if (text[length] && (!sim_read_number(text + length + 1, &n) || n > 15)) {
		sim_error(&r->errors, node, "the level in `%.40s`, expected 0 to 15", text);
		return 0;
	}
	*urgency = (uint8_t)at;
	*level = (uint8_t)n;
	return 1;
}

static void read_irqs(struct sim_reader *r, const struct sim_node *node, struct sim_step *step)
{
	const char *text = sim_scalar(r, node, "off or on");

	if (text && !strcmp(text, "on"))
		step->op = SIM_OP_IRQSON;
	else if (text && strcmp(text, "off"))
		sim_error(&r->errors, node, "`irqs: %.40s`, expected off or on", text);
}

static void read_value(struct sim_reader *r, const struct step_type *type,
		       const struct sim_node *node, struct sim_step *step)
{
	uint64_t n = 0;
	uint8_t urgency, level;

	switch ((enum step_value)type->value) {
	case VALUE_DIST:
		sim_field_read(r, &dist_field, node, &step->dist);
		break;
	case VALUE_PERIOD:
		sim_field_read(r, &period_field, node, &step->dist.a);
		break;
	case VALUE_UNTIL:
		if (sim_is_map(r, node, "until"))
			sim_fields_read(r, &until_fields, node, step);
		break;
	case VALUE_CHANNEL:
		if (sim_number(r, node, 0, CHANNELS_MAX - 1, &n))
			step->arg = (uint32_t)n;
		break;
	case VALUE_IPI:
		read_ipi(r, node, step);
		break;
	case VALUE_REPEAT:
		if (sim_is_map(r, node, "repeat"))
			sim_fields_read(r, &repeat_fields, node, step);
		break;
	case VALUE_URGENCY:
		if (read_urgency(r, node, &urgency, &level))
			step->arg = (uint32_t)urgency << 4 | level;
		break;
	case VALUE_TIMES:
		if (sim_number(r, node, 1, 1000000, &n))
			step->dist.a = n;
		break;
	case VALUE_IRQS:
		read_irqs(r, node, step);
		break;
	case VALUE_MOVE:
		read_target(r, node, 0, &step->arg);
		break;
	case VALUE_NONE:
		break;
	}
}

static const struct step_type *find_type(struct sim_reader *r, const struct sim_node *node,
					 const char *key)
{
	const char *names[STEP_TYPES], *near;
	size_t i;

	for (i = 0; i < STEP_TYPES; i++) {
		names[i] = step_types[i].key;
		if (!strcmp(key, step_types[i].key))
			return &step_types[i];
	}
	near = sim_nearest(key, names, STEP_TYPES);
	if (near)
		sim_error(&r->errors, node, "there is no step `%.40s`, expected `%s`?", key, near);
	else
		sim_error(&r->errors, node, "there is no step `%.40s`, expected run, sleep, "
			  "period, ...", key);
	return NULL;
}

/* `run: 5us` is a map of one key, `done` a word. */
static void read_step(struct sim_reader *r, const struct sim_node *node, int host,
		      struct sim_step *step)
{
	const struct step_type *type;
	const char *key;

	if (node->kind == SIM_NODE_LIST || (node->kind == SIM_NODE_MAP && node->count != 1)) {
		sim_error(&r->errors, node, "a step, expected `key: value` or a word, one a step");
		return;
	}
	key = node->kind == SIM_NODE_MAP ? node->first->key : node->text;
	type = find_type(r, node, key);
	if (!type)
		return;
	step->op = type->op;
	if (host && !type->host)
		sim_error(&r->errors, node, "`%s` in a task of the host, expected a step that "
			  "needs no VM", key);
	if ((type->value == VALUE_NONE) != (node->kind == SIM_NODE_SCALAR)) {
		sim_error(&r->errors, node, type->value == VALUE_NONE ?
			  "a value for `%s`, expected the word alone" :
			  "`%s` alone, expected a value after it", key);
		return;
	}
	if (type->value != VALUE_NONE)
		read_value(r, type, node->first, step);
}

static int passes_time(uint8_t op)
{
	size_t i;

	for (i = 0; i < STEP_TYPES; i++)
		if (step_types[i].op == op)
			return step_types[i].passes;
	return 0;
}

/* Time may pass in this step, for all that is known of it. */
static int step_passes(const struct sim_step *step)
{
	if (step->op == SIM_OP_RUN || step->op == SIM_OP_SLEEP)
		return step->dist.a || step->dist.b;
	return passes_time(step->op);
}

/* What is wrong with a program as a whole: it would go round without time going by, or take a lock
 * that it has. */
static void check_program(struct sim_reader *r, const struct sim_node *list,
			  const struct sim_task_spec *task)
{
	uint32_t i, held = SIM_NO_MAILBOX;
	int passes = 0;

	for (i = 0; i < task->step_count; i++) {
		const struct sim_step *step = &task->steps[i];

		passes |= step_passes(step);
		if (step->op == SIM_OP_REPEAT && step->arg > i)
			sim_error(&r->errors, list, "step %u repeats from step %u, expected one "
				  "before it", i, step->arg);
		if (step->op == SIM_OP_LOCK && held == step->arg)
			sim_error(&r->errors, list, "step %u takes lock %u, which it has, expected "
				  "an unlock before it", i, step->arg);
		if (step->op == SIM_OP_LOCK)
			held = step->arg;
		if (step->op == SIM_OP_UNLOCK && held == step->arg)
			held = SIM_NO_MAILBOX;
	}
	if (held != SIM_NO_MAILBOX)
		sim_error(&r->errors, list, "lock %u is still held at the end, expected `unlock: "
			  "%u`", held, held);
	if (!passes)
		sim_error(&r->errors, list, "no time goes by in this program, expected run, sleep, "
			  "period, until, wait, recv or stop");
}

static void read_program(struct sim_reader *r, const struct sim_node *list, int host,
			 struct sim_task_spec *task)
{
	const struct sim_node *node;
	uint32_t before = r->errors.count;

	if (!sim_is_list(r, list, "program"))
		return;
	if (list->count > SIM_STEPS_MAX) {
		sim_error(&r->errors, list, "%u steps, expected at most %u", list->count,
			  SIM_STEPS_MAX);
		return;
	}
	for (node = list->first; node; node = node->next)
		read_step(r, node, host, &task->steps[task->step_count++]);
	if (r->errors.count == before)
		check_program(r, list, task);
}

/* ---- tasks ------------------------------------------------------------------------------------*/

static void check_task(struct sim_reader *r, const struct sim_node *map,
		       const struct sim_vm_spec *vm, const struct sim_task_spec *task)
{
	uint32_t i;

	if (vm && task->vcpu >= vm->vcpus)
		sim_error(&r->errors, map, "task `%s` on vCPU %u, expected 0 to %u", task->name,
			  task->vcpu, vm->vcpus - 1);
	if (vm && task->rt_prio)
		sim_error(&r->errors, map, "`rt` of a guest's task, expected `urgency`");
	if (!vm && (task->urgency != PVS_URGENCY_NORMAL || task->window_us))
		sim_error(&r->errors, map, "`urgency` or `window` of a task of the host, expected "
			  "`weight` or `rt`");
	if (task->stop_ns && task->stop_ns <= task->start_ns)
		sim_error(&r->errors, map, "`stop` is not after `start`, expected a later time");
	for (i = 0; vm && i < task->step_count; i++) {
		const struct sim_step *step = &task->steps[i];

		if ((step->op == SIM_OP_IPI || step->op == SIM_OP_MOVE) &&
		    step->arg < SIM_IPI_RANDOM && step->arg >= vm->vcpus)
			sim_error(&r->errors, map, "step %u names vCPU %u, expected 0 to %u", i,
				  step->arg, vm->vcpus - 1);
	}
}

static void read_task(struct sim_reader *r, const struct sim_node *map,
		      const struct sim_vm_spec *vm, struct sim_task_spec *task)
{
	const struct sim_node *node;
	uint32_t before = r->errors.count;

	task->urgency = PVS_URGENCY_NORMAL;
	sim_fields_read(r, &sim_fields_task, map, task);
	task->nice_weight_known = sim_tree_get(map, "weight") != NULL;
	node = sim_tree_get(map, "urgency");
	if (node)
		read_urgency(r, node, &task->urgency, &task->level);
	node = sim_tree_get(map, "program");
	if (node)
		read_program(r, node, !vm, task);
	if (r->errors.count == before)
		check_task(r, map, vm, task);
}

void sim_tasks_read(struct sim_reader *r, const struct sim_node *list,
		    const struct sim_vm_spec *vm, struct sim_task_spec **tasks, uint32_t *count)
{
	const struct sim_node *node;
	struct sim_task_spec *room;
	uint32_t i;

	if (!sim_is_list(r, list, vm ? "tasks" : "host-tasks") || !list->count)
		return;
	/* behind those that came from a file of rt-app */
	room = realloc(*tasks, (*count + list->count) * sizeof(*room));
	if (!room)
		return;
	memset(&room[*count], 0, list->count * sizeof(*room));
	*tasks = room;
	for (node = list->first; node; node = node->next) {
		struct sim_task_spec *task = &(*tasks)[*count];

		if (!sim_is_map(r, node, "a task"))
			continue;
		read_task(r, node, vm, task);
		for (i = 0; i < *count; i++)
			if (!strcmp((*tasks)[i].name, task->name))
				sim_error(&r->errors, node, "a second task `%s`, expected another "
					  "name", task->name);
		(*count)++;
	}
}

uint32_t sim_tasks_locks(const struct sim_task_spec *tasks, uint32_t count)
{
	uint32_t locks = 0, i, n;

	for (i = 0; i < count; i++)
		for (n = 0; n < tasks[i].step_count; n++)
			if (tasks[i].steps[n].op == SIM_OP_LOCK && tasks[i].steps[n].arg >= locks)
				locks = tasks[i].steps[n].arg + 1;
	return locks;
}

/* ---- writing ----------------------------------------------------------------------------------*/

static void write_target(FILE *file, uint32_t arg)
{
	if (arg == SIM_IPI_RANDOM)
		fputs("random", file);
	else if (arg == SIM_IPI_ALL)
		fputs("all", file);
	else
		fprintf(file, "%u", arg);
}

static void write_urgency(FILE *file, uint32_t urgency, uint32_t level)
{
	fputs(sim_urgency_names[urgency], file);
	if (level)
		fprintf(file, "/%u", level);
}

static void write_value(FILE *file, const struct step_type *type, const struct sim_step *step)
{
	char buffer[SIM_UNIT_TEXT];

	switch ((enum step_value)type->value) {
	case VALUE_DIST:
		fputs(sim_dist_text(&step->dist, buffer), file);
		break;
	case VALUE_PERIOD:
		fputs(sim_duration_text(step->dist.a, buffer), file);
		break;
	case VALUE_UNTIL:
		sim_fields_write(&until_fields, step, file, "{", ", ");
		fputc('}', file);
		break;
	case VALUE_CHANNEL:
		fprintf(file, "%u", step->arg);
		break;
	case VALUE_IPI:
		fputs("{to: ", file);
		write_target(file, step->arg);
		fprintf(file, ", wait: %s}", step->arg2 & 1 ? "yes" : "no");
		break;
	case VALUE_REPEAT:
		sim_fields_write(&repeat_fields, step, file, "{", ", ");
		fputc('}', file);
		break;
	case VALUE_URGENCY:
		write_urgency(file, step->arg >> 4, step->arg & 15);
		break;
	case VALUE_TIMES:
		fprintf(file, "%" PRIu64, step->dist.a);
		break;
	case VALUE_IRQS:
		fputs(step->op == SIM_OP_IRQSON ? "on" : "off", file);
		break;
	case VALUE_MOVE:
		write_target(file, step->arg);
		break;
	case VALUE_NONE:
		break;
	}
}

static void write_step(FILE *file, const struct sim_step *step)
{
	uint8_t op = step->op == SIM_OP_IRQSON ? SIM_OP_IRQSOFF : step->op;
	size_t i;

	for (i = 0; i < STEP_TYPES; i++)
		if (step_types[i].op == op)
			break;
	if (i == STEP_TYPES)
		return;
	fputs(step_types[i].key, file);
	if (step_types[i].value == VALUE_NONE)
		return;
	fputs(": ", file);
	write_value(file, &step_types[i], step);
}

void sim_task_write(FILE *file, const struct sim_task_spec *task, const char *indent)
{
	char before[32];
	uint32_t i;

	snprintf(before, sizeof(before), "\n%s  ", indent);
	fprintf(file, "%s- ", indent);
	sim_fields_write(&sim_fields_task, task, file, "", before);
	if (task->nice_weight_known && task->weight == 1024)
		fprintf(file, "%sweight: 1024", before);
	if (task->urgency != PVS_URGENCY_NORMAL || task->level) {
		fprintf(file, "%surgency: ", before);
		write_urgency(file, task->urgency, task->level);
	}
	fprintf(file, "%sprogram:\n", before);
	for (i = 0; i < task->step_count; i++) {
		fprintf(file, "%s  - ", indent);
		write_step(file, &task->steps[i]);
		fputc('\n', file);
	}
}
