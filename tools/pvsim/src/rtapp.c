/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtapp.c - workloads of rt-app as tasks of a guest.
 *
 * Taken over, times in us:
 *
 *   run            computes, at the capability of the most capable CPU
 *   sleep          sleeps
 *   timer          waits for the next multiple of its period since the task began; a period that
 *                  went by is missed (rt-app's mode "absolute"; its default, "relative", would
 *                  begin a new row of periods); which timer it is (`ref`) does not matter
 *   lock, unlock   a mutex on which tasks sleep: semaphores, given free by a task of its own
 *   wait           gives the mutex back, waits for the condition, takes the mutex
 *   signal         wakes one that waits; when nobody does, the next one does not wait (rt-app's
 *                  condition would forget it)
 *   suspend, resume  by name
 *   loop, phases, delay, instance; cpus: one = pinned there, more = begins on the first
 *   policy, priority  OTHER and nice = normal and its weight, BATCH = background, IDLE = idle,
 *                  FIFO and RR = real-time with level priority * 15 / 99, DEADLINE = real-time/15
 *                  with deadline dl-deadline
 *
 * Without a meaning here and passed over: `global` (but for default_policy) and `resources`.
 * Everything else is an error, with its line: what is not modelled must not look as if it were.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "rtapp.h"

#define DEPTH_MAX 16u
#define NAMES_MAX 64u
#define FILE_MAX (4u << 20)
#define TIME_MAX_US 3600000000ll /* an hour */

/* ---- a tree that keeps keys that come twice ---------------------------------------------------*/

enum kind { SCALAR, LIST, MAP };

struct node {
	enum kind kind;
	uint32_t line;
	char *key, *text;
	struct node *first, *last, *next, *up;
};

/* What is being read, and the first error. */
struct reader {
	const char *path;
	char *error;
	size_t size;
	int failed;
	struct node *root, *in;
	char *key;              /* the next value's */
	uint32_t depth;
	/* what the tasks become */
	struct sim_task_spec *tasks;
	uint32_t count, cpus;
	char names[NAMES_MAX][SIM_NAME]; /* of semaphores, with their kind before it */
	uint32_t name_count;
	const char *default_policy;
};

static void fail(struct reader *r, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void fail(struct reader *r, uint32_t line, const char *format, ...)
{
	va_list args;
	int length;

	if (r->failed)
		return;
	r->failed = 1;
	length = snprintf(r->error, r->size, "%s:%u: ", r->path, line);
	if (length < 0 || (size_t)length >= r->size)
		return;
	va_start(args, format);
	vsnprintf(r->error + length, r->size - (size_t)length, format, args);
	va_end(args);
}

static void *made(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p)
		abort();
	return p;
}

static char *copied(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

static struct node *add(struct reader *r, enum kind kind, uint32_t line)
{
	struct node *n = made(1, sizeof(*n));

	n->kind = kind;
	n->line = line;
	n->key = r->key;
	n->up = r->in;
	r->key = NULL;
	if (!r->in)
		r->root = n;
	else if (r->in->last)
		r->in->last = r->in->last->next = n;
	else
		r->in->first = r->in->last = n;
	return n;
}

static void free_tree(struct node *n)
{
	struct node *next;

	while (n) {
		next = n->next;
		free_tree(n->first);
		free(n->key);
		free(n->text);
		free(n);
		n = next;
	}
}

static void scalar(struct reader *r, const yaml_event_t *e, uint32_t line)
{
	const char *text = (const char *)e->data.scalar.value;

	if (r->in && r->in->kind == MAP && !r->key)
		r->key = copied(text);
	else
		add(r, SCALAR, line)->text = copied(text);
}

static void begin(struct reader *r, enum kind kind, uint32_t line)
{
	if (r->in && r->in->kind == MAP && !r->key) {
		fail(r, line, "a list or map as a key, expected a name");
		return;
	}
	if (r->depth++ == DEPTH_MAX) {
		fail(r, line, "too deep, expected at most %u levels", DEPTH_MAX);
		return;
	}
	r->in = add(r, kind, line);
}

static void take_event(struct reader *r, const yaml_event_t *e)
{
	uint32_t line = (uint32_t)e->start_mark.line + 1;

	switch (e->type) {
	case YAML_SCALAR_EVENT:
		scalar(r, e, line);
		break;
	case YAML_MAPPING_START_EVENT:
		begin(r, MAP, line);
		break;
	case YAML_SEQUENCE_START_EVENT:
		begin(r, LIST, line);
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->in = r->in->up;
		r->depth--;
		break;
	case YAML_ALIAS_EVENT:
		fail(r, line, "an alias, expected JSON");
		break;
	default:
		break;
	}
}

/* Comments and tabs become spaces, lines stay where they are. */
static void clean(char *text, size_t length)
{
	size_t i;
	int string = 0, block = 0, line = 0;

	for (i = 0; i < length; i++) {
		if (text[i] == '\n') {
			line = 0;
			continue;
		}
		if (block && text[i] == '*' && i + 1 < length && text[i + 1] == '/') {
			text[i] = text[i + 1] = ' ';
			block = 0;
		} else if (block || line || (text[i] == '\t' && !string)) {
			text[i] = ' ';
		} else if (string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				string = 0;
		} else if (text[i] == '"') {
			string = 1;
		} else if (text[i] == '/' && i + 1 < length && text[i + 1] == '*') {
			text[i] = text[i + 1] = ' ';
			block = 1;
		} else if (text[i] == '/' && i + 1 < length && text[i + 1] == '/') {
			text[i] = ' ';
			line = 1;
		}
	}
}

static void parse(struct reader *r, const char *text, size_t length)
{
	yaml_parser_t parser;
	yaml_event_t event;
	int over = 0;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	while (!over && !r->failed) {
		if (!yaml_parser_parse(&parser, &event)) {
			fail(r, (uint32_t)parser.problem_mark.line + 1, "%s, expected JSON",
			     parser.problem ? parser.problem : "not to be read");
			break;
		}
		over = event.type == YAML_STREAM_END_EVENT ||
		       event.type == YAML_DOCUMENT_END_EVENT;
		take_event(r, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	free(r->key);
	r->key = NULL;
}

static struct node *get(const struct node *map, const char *key)
{
	struct node *n;

	for (n = map ? map->first : NULL; n; n = n->next)
		if (n->key && strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

/* ---- values -----------------------------------------------------------------------------------*/

static int64_t number(struct reader *r, const struct node *n, int64_t min, int64_t max)
{
	char *end = NULL;
	long long value;

	if (n->kind != SCALAR) {
		fail(r, n->line, "`%s`, expected a number", n->key ? n->key : "it");
		return min;
	}
	errno = 0;
	value = strtoll(n->text, &end, 10);
	if (end == n->text || *end || errno || value < min || value > max) {
		fail(r, n->line, "`%s: %s`, expected a number from %lld to %lld",
		     n->key ? n->key : "it", n->text, (long long)min, (long long)max);
		return min;
	}
	return value;
}

static int64_t number_of(struct reader *r, const struct node *map, const char *key, int64_t min,
			 int64_t max, int64_t otherwise)
{
	const struct node *n = get(map, key);

	return n ? number(r, n, min, max) : otherwise;
}

static uint64_t time_ns(struct reader *r, const struct node *n)
{
	return (uint64_t)number(r, n, 0, TIME_MAX_US) * SIM_US;
}

/* Mutexes 'm', conditions 'c', suspended threads 't': each is a semaphore. */
static uint32_t semaphore(struct reader *r, const struct node *n, char kind)
{
	char name[SIM_NAME];
	uint32_t i;

	if (!n || n->kind != SCALAR) {
		fail(r, n ? n->line : 1, "`%s`, expected a name", n && n->key ? n->key : "it");
		return 0;
	}
	snprintf(name, sizeof(name), "%c%.*s", kind, (int)sizeof(name) - 2, n->text);
	for (i = 0; i < r->name_count; i++)
		if (strcmp(r->names[i], name) == 0)
			return i;
	if (r->name_count == NAMES_MAX) {
		fail(r, n->line, "more than %u mutexes, conditions and threads", NAMES_MAX);
		return 0;
	}
	memcpy(r->names[r->name_count], name, sizeof(name));
	return r->name_count++;
}

/* ---- events -----------------------------------------------------------------------------------*/

static struct sim_step *step(struct reader *r, struct sim_task_spec *task, uint32_t line,
			     enum sim_op op)
{
	static struct sim_step nowhere;

	if (task->step_count == SIM_STEPS_MAX) {
		fail(r, line, "task `%s` has more than %u steps", task->name, SIM_STEPS_MAX);
		return &nowhere;
	}
	task->steps[task->step_count].op = (uint8_t)op;
	return &task->steps[task->step_count++];
}

static void semaphore_step(struct reader *r, struct sim_task_spec *task, const struct node *n,
			   enum sim_op op, char kind)
{
	uint32_t line = n ? n->line : 1, sem = semaphore(r, n, kind);

	step(r, task, line, op)->arg = sem;
}

static void timed_step(struct reader *r, struct sim_task_spec *task, const struct node *n,
		       enum sim_op op)
{
	struct sim_dist *d = &step(r, task, n->line, op)->dist;

	d->kind = SIM_DIST_CONST;
	d->a = time_ns(r, n);
}

static void timer_step(struct reader *r, struct sim_task_spec *task, const struct node *n)
{
	const struct node *period = get(n, "period");

	if (n->kind != MAP || !period) {
		fail(r, n->line, "`%s`, expected {\"ref\": NAME, \"period\": MICROSECONDS}",
		     n->key);
		return;
	}
	timed_step(r, task, period, SIM_OP_PERIOD);
	if (!task->steps[task->step_count - 1].dist.a)
		fail(r, period->line, "`period: 0`, expected 1 or more");
}

static void wait_steps(struct reader *r, struct sim_task_spec *task, const struct node *n)
{
	const struct node *cond = get(n, "ref"), *mutex = get(n, "mutex");

	if (n->kind != MAP || !cond || !mutex) {
		fail(r, n->line, "`%s`, expected {\"ref\": NAME, \"mutex\": NAME}", n->key);
		return;
	}
	semaphore_step(r, task, mutex, SIM_OP_SIGNAL, 'm');
	semaphore_step(r, task, cond, SIM_OP_WAIT, 'c');
	semaphore_step(r, task, mutex, SIM_OP_WAIT, 'm');
}

/* rt-app takes any key that begins so: `run`, `run1`, `run_more`. The longest one counts. */
static int is(const struct node *n, const char *word)
{
	return strncmp(n->key, word, strlen(word)) == 0;
}

/* 1: it was an event, or an error. */
static int read_event(struct reader *r, struct sim_task_spec *task, const struct node *n)
{
	static const char *const unknown[] = { "runtime", "broad", "sync", "barrier", "mem",
					       "iorun", "yield", "fork" };
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		if (!is(n, unknown[i]))
			continue;
		fail(r, n->line, "`%s` is not modelled, expected run, sleep, timer, lock, unlock, "
		     "wait, signal, suspend or resume", n->key);
		return 1;
	}
	if (is(n, "run"))
		timed_step(r, task, n, SIM_OP_RUN);
	else if (is(n, "sleep"))
		timed_step(r, task, n, SIM_OP_SLEEP);
	else if (is(n, "timer"))
		timer_step(r, task, n);
	else if (is(n, "lock"))
		semaphore_step(r, task, n, SIM_OP_WAIT, 'm');
	else if (is(n, "unlock"))
		semaphore_step(r, task, n, SIM_OP_SIGNAL, 'm');
	else if (is(n, "wait"))
		wait_steps(r, task, n);
	else if (is(n, "signal"))
		semaphore_step(r, task, n, SIM_OP_SIGNAL, 'c');
	else if (is(n, "suspend"))
		semaphore_step(r, task, n, SIM_OP_WAIT, 't');
	else if (is(n, "resume"))
		semaphore_step(r, task, n, SIM_OP_SIGNAL, 't');
	else
		return 0;
	return 1;
}

static void loop_from(struct reader *r, struct sim_task_spec *task, uint32_t line, uint32_t from,
		      int64_t times)
{
	struct sim_step *s;

	if (times <= 1 || task->step_count == from)
		return;
	s = step(r, task, line, SIM_OP_REPEAT);
	s->arg = from;
	s->dist.a = (uint64_t)times;
}

static void read_phase(struct reader *r, struct sim_task_spec *task, const struct node *phase)
{
	uint32_t from = task->step_count;
	const struct node *n;

	if (phase->kind != MAP) {
		fail(r, phase->line, "phase `%s`, expected events", phase->key);
		return;
	}
	for (n = phase->first; n; n = n->next)
		if (strcmp(n->key, "loop") != 0 && !read_event(r, task, n))
			fail(r, n->line, "`%s` in a phase, expected `loop` or an event", n->key);
	loop_from(r, task, phase->line, from, number_of(r, phase, "loop", 1, 1000000000, 1));
}

/* ---- tasks ------------------------------------------------------------------------------------*/

/* A weight for each nice from -20: 1024 at 0, a factor of 1.25 each; thousandths, rounded. */
static uint32_t weight_of_nice(int64_t nice)
{
	uint64_t weight = 1024000;

	for (; nice > 0; nice--)
		weight = (weight * 4 + 2) / 5;
	for (; nice < 0; nice++)
		weight = (weight * 5 + 2) / 4;
	return (uint32_t)((weight + 500) / 1000);
}

static void real_time(struct sim_task_spec *task, uint32_t level)
{
	task->urgency = PVS_URGENCY_REALTIME;
	task->level = (uint8_t)level;
}

static void read_policy(struct reader *r, struct sim_task_spec *task, const struct node *map)
{
	const struct node *n = get(map, "policy"), *deadline = get(map, "dl-deadline");
	const char *policy = n && n->kind == SCALAR ? n->text : r->default_policy;
	uint32_t line = n ? n->line : map->line;

	task->urgency = PVS_URGENCY_NORMAL;
	if (strcmp(policy, "SCHED_OTHER") == 0) {
		task->weight = weight_of_nice(number_of(r, map, "priority", -20, 19, 0));
	} else if (strcmp(policy, "SCHED_BATCH") == 0) {
		task->urgency = PVS_URGENCY_BACKGROUND;
		task->weight = weight_of_nice(number_of(r, map, "priority", -20, 19, 0));
	} else if (strcmp(policy, "SCHED_IDLE") == 0) {
		task->urgency = PVS_URGENCY_IDLE;
	} else if (strcmp(policy, "SCHED_FIFO") == 0 || strcmp(policy, "SCHED_RR") == 0) {
		real_time(task, (uint32_t)number_of(r, map, "priority", 1, 99, 10) * 15 / 99);
	} else if (strcmp(policy, "SCHED_DEADLINE") == 0) {
		real_time(task, PVS_LEVEL_MAX);
		if (deadline)
			task->deadline_ns = time_ns(r, deadline);
	} else {
		fail(r, line, "policy `%s`, expected SCHED_OTHER, BATCH, IDLE, FIFO, RR or "
		     "DEADLINE", policy);
	}
}

static void read_cpus(struct reader *r, struct sim_task_spec *task, const struct node *n)
{
	const struct node *cpu;
	uint32_t count = 0, at;

	if (!n)
		return;
	if (n->kind != LIST || !n->first) {
		fail(r, n->line, "`cpus`, expected a list of numbers");
		return;
	}
	for (cpu = n->first; cpu; cpu = cpu->next) {
		at = (uint32_t)number(r, cpu, 0, SIM_VCPUS_MAX - 1);
		if (!count++)
			task->vcpu = at;
		if (at >= r->cpus)
			r->cpus = at + 1;
	}
	task->pinned = count == 1;
}

/* Keys of a task that are not events. */
static int is_property(const char *key)
{
	static const char *const properties[] = {
		"loop", "phases", "delay", "instance", "policy", "priority", "cpus", "dl-runtime",
		"dl-period", "dl-deadline",
	};
	size_t i;

	for (i = 0; i < sizeof(properties) / sizeof(properties[0]); i++)
		if (strcmp(key, properties[i]) == 0)
			return 1;
	return 0;
}

static void read_program(struct reader *r, struct sim_task_spec *task, const struct node *map)
{
	const struct node *phases = get(map, "phases"), *n;
	int64_t times = number_of(r, map, "loop", -1, 1000000000, -1);

	for (n = map->first; n && !r->failed; n = n->next) {
		if (is_property(n->key))
			continue;
		if (!read_event(r, task, n))
			fail(r, n->line, "`%s` of a task is not known or not modelled", n->key);
		else if (phases)
			fail(r, n->line, "`%s` beside `phases`, expected it in one", n->key);
	}
	if (phases && phases->kind != MAP)
		fail(r, phases->line, "`phases`, expected {NAME: {events}}");
	for (n = phases ? phases->first : NULL; n && !r->failed; n = n->next)
		read_phase(r, task, n);
	if (r->failed)
		return;
	if (!task->step_count || !times) {
		fail(r, map->line, "task `%s` does nothing, expected events", task->name);
		return;
	}
	if (times < 0)
		return;
	loop_from(r, task, map->line, 0, times);
	step(r, task, map->line, SIM_OP_STOP);
}

static void read_task(struct reader *r, const struct node *map)
{
	struct sim_task_spec *task;

	if (map->kind != MAP) {
		fail(r, map->line, "task `%s`, expected its events", map->key);
		return;
	}
	task = &r->tasks[r->count++];
	snprintf(task->name, sizeof(task->name), "%.*s", (int)sizeof(task->name) - 1, map->key);
	task->count = (uint32_t)number_of(r, map, "instance", 1, 4096, 1);
	task->start_ns = (uint64_t)number_of(r, map, "delay", 0, TIME_MAX_US, 0) * SIM_US;
	task->weight = 1024;
	read_policy(r, task, map);
	read_cpus(r, task, get(map, "cpus"));
	read_program(r, task, map);
}

/* Time goes by in each program: else the guest would stand still. */
static void check_time(struct reader *r, const struct sim_task_spec *task, uint32_t line)
{
	uint32_t i;

	for (i = 0; i < task->step_count; i++)
		if (task->steps[i].op != SIM_OP_SIGNAL && task->steps[i].op != SIM_OP_REPEAT &&
		    (task->steps[i].dist.a || task->steps[i].op == SIM_OP_WAIT ||
		     task->steps[i].op == SIM_OP_STOP))
			return;
	fail(r, line, "no time goes by in task `%s`, expected run, sleep or timer", task->name);
}

/* Mutexes are free when all begins. */
static void add_mutexes(struct reader *r, uint32_t line)
{
	struct sim_task_spec *task = NULL;
	uint32_t i;

	for (i = 0; i < r->name_count; i++) {
		if (r->names[i][0] != 'm')
			continue;
		if (!task) {
			task = &r->tasks[r->count++];
			snprintf(task->name, sizeof(task->name), "rt-app-mutexes");
			task->count = 1;
			task->weight = 1024;
			real_time(task, PVS_LEVEL_MAX);
		}
		step(r, task, line, SIM_OP_SIGNAL)->arg = i;
	}
	if (task)
		step(r, task, line, SIM_OP_STOP);
}

static void read_root(struct reader *r)
{
	const struct node *tasks = get(r->root, "tasks"), *n;
	const struct node *policy = get(get(r->root, "global"), "default_policy");
	uint32_t count = 0;

	if (!r->root || r->root->kind != MAP || !tasks || tasks->kind != MAP || !tasks->first) {
		fail(r, r->root ? r->root->line : 1, "no `tasks`, expected {\"tasks\": {...}}");
		return;
	}
	r->default_policy = policy && policy->kind == SCALAR ? policy->text : "SCHED_OTHER";
	for (n = r->root->first; n; n = n->next)
		if (n != tasks && strcmp(n->key, "global") != 0 && strcmp(n->key, "resources") != 0)
			fail(r, n->line, "`%s`, expected global, resources or tasks", n->key);
	for (n = tasks->first; n; n = n->next)
		count++;
	r->tasks = made(count + 1, sizeof(*r->tasks)); /* and one for mutexes */
	for (n = tasks->first; n && !r->failed; n = n->next) {
		read_task(r, n);
		if (!r->failed)
			check_time(r, &r->tasks[r->count - 1], n->line);
	}
	if (!r->failed)
		add_mutexes(r, tasks->line);
}

/* Two tasks of one name would be one in the results. */
static void check_names(struct reader *r, const struct sim_vm_spec *vm)
{
	uint32_t i, j;

	for (i = 0; i < r->count; i++) {
		for (j = 0; j < i; j++)
			if (strcmp(r->tasks[i].name, r->tasks[j].name) == 0)
				fail(r, 1, "a second task `%s`, expected another name",
				     r->tasks[i].name);
		for (j = 0; j < vm->task_count; j++)
			if (strcmp(r->tasks[i].name, vm->tasks[j].name) == 0)
				fail(r, 1, "the VM has a task `%s`, expected another name",
				     r->tasks[i].name);
	}
	if (vm->vcpus && r->cpus > vm->vcpus)
		fail(r, 1, "`cpus` names vCPU %u, expected 0 to %u as the VM has", r->cpus - 1,
		     vm->vcpus - 1);
}

static void take_over(struct reader *r, struct sim_vm_spec *vm)
{
	uint32_t all = vm->task_count + r->count;
	struct sim_task_spec *tasks = made(all, sizeof(*tasks));

	if (vm->task_count)
		memcpy(tasks, vm->tasks, vm->task_count * sizeof(*tasks));
	memcpy(tasks + vm->task_count, r->tasks, r->count * sizeof(*tasks));
	free(vm->tasks);
	vm->tasks = tasks;
	vm->task_count = all;
	if (!vm->vcpus)
		vm->vcpus = r->cpus ? r->cpus : 1;
}

int sim_rtapp_parse(const char *name, const char *text, size_t length, struct sim_vm_spec *vm,
		    char *error, size_t size)
{
	struct reader r = { .path = name, .error = error, .size = size };
	char *copy = made(length + 1, 1);

	memcpy(copy, text, length);
	clean(copy, length);
	parse(&r, copy, length);
	if (!r.failed)
		read_root(&r);
	if (!r.failed)
		check_names(&r, vm);
	if (!r.failed)
		take_over(&r, vm);
	free(r.tasks);
	free_tree(r.root);
	free(copy);
	return r.failed ? -1 : 0;
}

int sim_rtapp_read(const char *path, struct sim_vm_spec *vm, char *error, size_t size)
{
	char *text = made(FILE_MAX, 1);
	FILE *file = fopen(path, "rb");
	size_t length = 0;
	int rc = -1;

	if (file)
		length = fread(text, 1, FILE_MAX, file);
	if (!file || ferror(file))
		snprintf(error, size, "%s: %s", path, strerror(errno));
	else if (length == FILE_MAX)
		snprintf(error, size, "%s: larger than %u bytes", path, FILE_MAX);
	else
		rc = sim_rtapp_parse(path, text, length, vm, error, size);
	if (file)
		fclose(file);
	free(text);
	return rc;
}
