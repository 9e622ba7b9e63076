// SPDX-License-Identifier: BSD-2-Clause
/* fields.c - the schema's tables, and how a value is read and written by its row. */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include "fields.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

#define HOUR_NS (3600 * SIM_S) /* nothing that is simulated is longer */
#define HZ_MAX 1000000u

/* ---- words ------------------------------------------------------------------------------------*/

const char *const sim_urgency_names[] = { /* PVS_URGENCY_* */
	"unspecified", "idle", "background", "normal", "interactive", "real-time", NULL
};

const char *const sim_liar_names[] = { /* enum sim_liar */
	"honest", "silent", "always-critical", "flip", "kick-storm", "irq-storm", "wait-nobody",
	"util-max", "stale-epoch", "malformed", "dont-desched", NULL
};

const char *const sim_fault_names[] = { /* enum sim_fault_kind */
	"clock-jump", "late-timers", "lost-kicks", "unplug", "reset", "migrate", "cpu-offline", NULL
};

const char *const sim_profile_names[] = { /* PVS_PROFILE_* */
	"default", "measure-only", "desktop-audio", "server-overcommit", "mobile-dvfs", NULL
};

const char *const sim_defect_names[] = { /* SIM_DEFECT_*, by bit */
	"no-deboost", "free-boost", "sampled", "no-storm", "no-vm-cap", "no-rate", "deaf",
	"no-restore", "no-epoch", "no-yield", NULL
};

static const char *const dvfs_names[] = {"off", "host", "guest", NULL};

size_t sim_names_count(const char *const *names)
{
	size_t n = 0;

	while (names[n])
		n++;
	return n;
}

/* ---- tables -----------------------------------------------------------------------------------*/

#define AT(type, member) ((uint32_t)offsetof(struct type, member))
#define ROWS(name, text, table)                                                                    \
	const struct sim_fields name = {.what = text,                                              \
					.rows = table,                                             \
					.count = sizeof(table) / sizeof((table)[0])}

#define S(member) .offset = AT(sim_scenario, member)
static const struct sim_field scenario_rows[] = {
	{.key = "scenario", .type = SIM_F_OTHER, .required = 1},
	{.key = "source", .type = SIM_F_TEXT, .required = 1, S(source)},
	{.key = "claim", .type = SIM_F_TEXT, .required = 1, S(claim)},
	{.key = "quick", .type = SIM_F_OTHER},
	{.key = "seed", .type = SIM_F_U64, .min = 1, .otherwise = 1, S(seed)},
	{.key = "duration", .type = SIM_F_TIME, .required = 1, .min = SIM_US, .max = HOUR_NS,
	 S(duration_ns)},
	{.key = "warmup", .type = SIM_F_TIME, .max = HOUR_NS, S(warmup_ns)},
	{.key = "quiet", .type = SIM_F_TIME, .max = HOUR_NS, S(quiet_ns)},
	{.key = "machine", .type = SIM_F_OTHER, .required = 1},
	{.key = "host-tasks", .type = SIM_F_OTHER},
	{.key = "vms", .type = SIM_F_OTHER},
	{.key = "devices", .type = SIM_F_OTHER},
	{.key = "faults", .type = SIM_F_OTHER},
	{.key = "params", .type = SIM_F_OTHER},
	{.key = "config", .type = SIM_F_OTHER},
	{.key = "runs", .type = SIM_F_OTHER, .required = 1},
	{.key = "off", .type = SIM_F_OTHER},
	{.key = "verdict", .type = SIM_F_OTHER},
	{.key = "figures", .type = SIM_F_OTHER},
};
#undef S
ROWS(sim_fields_scenario, "a scenario", scenario_rows);

#define S(member) .offset = AT(sim_machine_spec, member)
static const struct sim_field machine_rows[] = {
	{.key = "cpus", .type = SIM_F_U32, .min = 1, .max = SIM_CPUS_MAX, S(cpus)},
	{.key = "costs", .type = SIM_F_OTHER},
	{.key = "clusters", .type = SIM_F_OTHER},
	{.key = "tick-hz", .type = SIM_F_U32, .max = 10000, S(tick_hz)},
	{.key = "dvfs", .type = SIM_F_ENUM, .names = dvfs_names, S(dvfs)},
};
#undef S
ROWS(sim_fields_machine, "the machine", machine_rows);

/* The defaults of costs are sim_costs_default()'s; all are written. */
#define COST(name, member)                                                                         \
	{.key = name, .type = SIM_F_TIME, .max = SIM_S, .otherwise = UINT64_MAX,                   \
	 .offset = AT(sim_costs, member)}
static const struct sim_field cost_rows[] = {
	COST("switch", switch_ns),     COST("ipi", ipi_ns),
	COST("exit", exit_ns),         COST("hypercall", hypercall_ns),
	COST("mmio-user", mmio_user_ns), COST("vipi", vipi_ns),
	COST("inject", inject_ns),     COST("wake", wake_ns),
	COST("knob", knob_ns),         COST("look", look_ns),
	COST("migrate", migrate_ns),   COST("timer-slack", timer_slack_ns),
};
ROWS(sim_fields_costs, "costs", cost_rows);

#define S(member) .offset = AT(sim_cluster_spec, member)
static const struct sim_field cluster_rows[] = {
	{.key = "cpus", .type = SIM_F_U32, .required = 1, .min = 1, .max = SIM_CPUS_MAX, S(cpus)},
	{.key = "capacity", .type = SIM_F_U32, .min = 1, .max = 1024, .otherwise = 1024,
	 S(capacity)},
	{.key = "levels", .type = SIM_F_OTHER},
	{.key = "idle-mw", .type = SIM_F_U32, .max = 1000000, S(idle_mw)},
};
#undef S
ROWS(sim_fields_cluster, "a cluster", cluster_rows);

#define S(member) .offset = AT(sim_level, member)
static const struct sim_field level_rows[] = {
	{.key = "khz", .type = SIM_F_U32, .required = 1, .min = 1, .max = 20000000, S(khz)},
	{.key = "speed", .type = SIM_F_U32, .max = 1024, S(speed)},
	{.key = "power-mw", .type = SIM_F_U32, .required = 1, .max = 1000000, S(power_mw)},
};
#undef S
ROWS(sim_fields_level, "a level", level_rows);

#define S(member) .offset = AT(sim_task_spec, member)
static const struct sim_field task_rows[] = {
	{.key = "name", .type = SIM_F_NAME, .required = 1, S(name)},
	{.key = "count", .type = SIM_F_U32, .min = 1, .max = 4096, .otherwise = 1, S(count)},
	{.key = "vcpu", .type = SIM_F_U32, .max = SIM_VCPUS_MAX - 1, S(vcpu)},
	{.key = "pinned", .type = SIM_F_BOOL, S(pinned)},
	{.key = "urgency", .type = SIM_F_OTHER},
	{.key = "weight", .type = SIM_F_U32, .min = 1, .max = 1 << 20, .otherwise = 1024,
	 S(weight)},
	{.key = "rt", .type = SIM_F_U32, .max = 99, S(rt_prio)},
	{.key = "slice", .type = SIM_F_TIME32, .max = SIM_S, S(slice_ns)},
	{.key = "window", .type = SIM_F_TIME_US, .max = 4000000, S(window_us)},
	{.key = "start", .type = SIM_F_TIME, .max = HOUR_NS, S(start_ns)},
	{.key = "stop", .type = SIM_F_TIME, .max = HOUR_NS, S(stop_ns)},
	{.key = "deadline", .type = SIM_F_TIME, .max = HOUR_NS, S(deadline_ns)},
	{.key = "affinity", .type = SIM_F_CPUS, S(affinity)},
	{.key = "program", .type = SIM_F_OTHER, .required = 1},
};
#undef S
ROWS(sim_fields_task, "a task", task_rows);

#define S(member) .offset = AT(sim_vm_spec, member)
static const struct sim_field vm_rows[] = {
	{.key = "name", .type = SIM_F_NAME, .required = 1, S(name)},
	{.key = "count", .type = SIM_F_U32, .max = SIM_VMS_MAX, .otherwise = 1, S(count)},
	{.key = "vcpus", .type = SIM_F_U32, .min = 1, .max = SIM_VCPUS_MAX, S(vcpus)},
	{.key = "weight", .type = SIM_F_U32, .min = 1, .max = 1 << 20, .otherwise = 1024,
	 S(weight)},
	{.key = "entitlement", .type = SIM_F_SHARE, .max = 65536, S(entitlement_q16)},
	{.key = "rt", .type = SIM_F_U32, .max = 99, S(rt_prio)},
	{.key = "affinity", .type = SIM_F_CPUS, S(affinity)},
	{.key = "pin", .type = SIM_F_BOOL, S(pin)},
	{.key = "liar", .type = SIM_F_OTHER},
	{.key = "tick-hz", .type = SIM_F_U32, .max = 10000, S(guest_hz)},
	{.key = "tick-work", .type = SIM_F_TIME, .max = SIM_S, S(tick_work_ns)},
	{.key = "irq-work", .type = SIM_F_TIME, .max = SIM_S, S(irq_work_ns)},
	{.key = "slice", .type = SIM_F_TIME, .min = SIM_US, .max = SIM_S, .otherwise = 3 * SIM_MS,
	 S(guest_slice_ns)},
	{.key = "halt-poll", .type = SIM_F_OTHER},
	{.key = "hint-cost", .type = SIM_F_TIME, .max = SIM_S, S(hint_cost_ns)},
	{.key = "hint-rate", .type = SIM_F_U32, .max = HZ_MAX, S(hint_rate_hz)},
	{.key = "ple-window", .type = SIM_F_TIME32, .max = SIM_S, S(ple_window_ns)},
	{.key = "locks", .type = SIM_F_U32, .max = 65536, S(locks)},
	{.key = "tasks", .type = SIM_F_OTHER},
	{.key = "rt-app", .type = SIM_F_OTHER},
};
#undef S
ROWS(sim_fields_vm, "a VM", vm_rows);

#define S(member) .offset = AT(sim_vm_spec, member)
static const struct sim_field liar_rows[] = {
	{.key = "kind", .type = SIM_F_ENUM, .required = 1, .names = sim_liar_names, S(liar)},
	{.key = "every", .type = SIM_F_TIME, .max = HOUR_NS, S(liar_ns)},
};
ROWS(sim_fields_liar, "liar", liar_rows);

static const struct sim_field poll_rows[] = {
	{.key = "time", .type = SIM_F_TIME, .required = 1, .max = SIM_S, S(halt_poll_ns)},
	{.key = "grow", .type = SIM_F_BOOL, S(halt_poll_grow)},
};
#undef S
ROWS(sim_fields_poll, "halt-poll", poll_rows);

#define S(member) .offset = AT(sim_device_spec, member)
static const struct sim_field device_rows[] = {
	{.key = "name", .type = SIM_F_NAME, .required = 1, S(name)},
	{.key = "vm", .type = SIM_F_NAME, .required = 1, .min = 1, S(vm)},
	{.key = "vcpu", .type = SIM_F_OTHER},
	{.key = "mailbox", .type = SIM_F_OTHER},
	{.key = "start", .type = SIM_F_TIME, .max = HOUR_NS, S(start_ns)},
	{.key = "stop", .type = SIM_F_TIME, .max = HOUR_NS, S(stop_ns)},
	{.key = "burst", .type = SIM_F_U32, .max = 65536, S(burst)},
	{.key = "every", .type = SIM_F_DIST, .required = 1, .min = 1, S(every)},
};
#undef S
ROWS(sim_fields_device, "a device", device_rows);

#define S(member) .offset = AT(sim_fault_spec, member)
static const struct sim_field fault_rows[] = {
	{.key = "kind", .type = SIM_F_ENUM, .required = 1, .names = sim_fault_names, S(kind)},
	{.key = "vm", .type = SIM_F_NAME, .min = 1, S(vm)},
	{.key = "target", .type = SIM_F_U32, .max = SIM_VCPUS_MAX - 1, S(target)},
	{.key = "at", .type = SIM_F_TIME, .required = 1, .max = HOUR_NS, S(at_ns)},
	{.key = "for", .type = SIM_F_TIME, .max = HOUR_NS, S(for_ns)},
	{.key = "value", .type = SIM_F_SIGNED, S(value)},
};
#undef S
ROWS(sim_fields_fault, "a fault", fault_rows);

static const struct sim_field run_rows[] = {
	{.key = "policy", .type = SIM_F_OTHER, .required = 1},
	{.key = "defects", .type = SIM_F_OTHER},
	{.key = "params", .type = SIM_F_OTHER},
	{.key = "set", .type = SIM_F_OTHER},
};
ROWS(sim_fields_run, "a run", run_rows);

/* ---- values -----------------------------------------------------------------------------------*/

static const char *kind_name(const struct sim_node *node)
{
	static const char *const names[] = {"a plain value", "a list", "a map"};

	return names[node->kind];
}

const char *sim_scalar(struct sim_reader *r, const struct sim_node *node, const char *want)
{
	if (node->kind == SIM_NODE_SCALAR)
		return node->text;
	sim_error(&r->errors, node, "%s%s%s is %s, expected %s", node->key ? "`" : "",
		  node->key ? node->key : "this", node->key ? "`" : "", kind_name(node), want);
	return NULL;
}

int sim_is_map(struct sim_reader *r, const struct sim_node *node, const char *what)
{
	if (node && node->kind != SIM_NODE_MAP)
		sim_error(&r->errors, node, "%s is %s, expected a map of keys", what,
			  kind_name(node));
	return node && node->kind == SIM_NODE_MAP;
}

int sim_is_list(struct sim_reader *r, const struct sim_node *node, const char *what)
{
	if (node && node->kind != SIM_NODE_LIST)
		sim_error(&r->errors, node, "%s is %s, expected a list", what, kind_name(node));
	return node && node->kind == SIM_NODE_LIST;
}

static void wrong(struct sim_reader *r, const struct sim_node *node, const char *want)
{
	if (node->key)
		sim_error(&r->errors, node, "`%s: %.60s`, expected %s", node->key, node->text,
			  want);
	else
		sim_error(&r->errors, node, "`%.60s`, expected %s", node->text, want);
}

int sim_number(struct sim_reader *r, const struct sim_node *node, uint64_t min, uint64_t max,
	       uint64_t *value)
{
	const char *text = sim_scalar(r, node, SIM_WANT_NUMBER);
	char want[96];

	if (!text)
		return 0;
	if (!sim_read_number(text, value)) {
		wrong(r, node, SIM_WANT_NUMBER);
		return 0;
	}
	if (*value < min || *value > max) {
		snprintf(want, sizeof(want), "a number from %" PRIu64 " to %" PRIu64, min, max);
		wrong(r, node, want);
		return 0;
	}
	return 1;
}

int sim_word(struct sim_reader *r, const struct sim_node *node, const char *word,
	     const char *const *names, const char *what)
{
	size_t i, count = sim_names_count(names);
	const char *near;

	for (i = 0; i < count; i++)
		if (!strcmp(word, names[i]))
			return (int)i;
	near = sim_nearest(word, names, count);
	if (near)
		sim_error(&r->errors, node, "there is no %s `%.60s`, expected `%s`?", what, word,
			  near);
	else
		sim_error(&r->errors, node, "there is no %s `%.60s`, expected one of %s, %s, ...",
			  what, word, names[0], count > 1 ? names[1] : "");
	return -1;
}

/* dots: `guest.2`, one of several that a `count` makes */
static int is_name(const char *text, int dots)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_' &&
		    !(dots && text[i] == '.'))
			return 0;
	return i > 0 && i < SIM_NAME - 8 && text[0] != '-';
}

/* Is the number that was read within the row's bounds? */
static int in_range(struct sim_reader *r, const struct sim_field *f, const struct sim_node *node,
		    uint64_t value, uint64_t largest)
{
	uint64_t max = f->max ? f->max : largest;
	char low[SIM_UNIT_TEXT], high[SIM_UNIT_TEXT], want[2 * SIM_UNIT_TEXT + 32];

	if (value >= f->min && value <= max)
		return 1;
	if (f->type == SIM_F_TIME || f->type == SIM_F_TIME32)
		snprintf(want, sizeof(want), "a duration from %s to %s",
			 sim_duration_text(f->min, low), sim_duration_text(max, high));
	else
		snprintf(want, sizeof(want), "a number from %" PRIu64 " to %" PRIu64, f->min, max);
	wrong(r, node, want);
	return 0;
}

static int read_time_field(struct sim_reader *r, const struct sim_field *f,
			   const struct sim_node *node, const char *text, void *at)
{
	uint64_t value;

	if (!sim_read_duration(text, &value)) {
		wrong(r, node, SIM_WANT_DURATION);
		return 0;
	}
	if (f->type == SIM_F_TIME_US)
		value /= SIM_US;
	if (!in_range(r, f, node, value, f->type == SIM_F_TIME ? UINT64_MAX >> 1 : UINT32_MAX))
		return 0;
	if (f->type == SIM_F_TIME)
		*(uint64_t *)at = value;
	else
		*(uint32_t *)at = (uint32_t)value;
	return 1;
}

static int read_number_field(struct sim_reader *r, const struct sim_field *f,
			     const struct sim_node *node, const char *text, void *at)
{
	static const uint64_t largest[] = {[SIM_F_U64] = UINT64_MAX, [SIM_F_U32] = UINT32_MAX,
					   [SIM_F_U8] = UINT8_MAX, [SIM_F_SHARE] = UINT32_MAX};
	int share = f->type == SIM_F_SHARE;
	uint64_t value;

	if (share ? !sim_read_share(text, 65536, &value) : !sim_read_number(text, &value)) {
		wrong(r, node, share ? SIM_WANT_SHARE : SIM_WANT_NUMBER);
		return 0;
	}
	if (share && f->max && value > f->max) {
		wrong(r, node, "a share of at most 100%");
		return 0;
	}
	if (!in_range(r, f, node, value, largest[f->type]))
		return 0;
	if (f->type == SIM_F_U64)
		*(uint64_t *)at = value;
	else if (f->type == SIM_F_U8)
		*(uint8_t *)at = (uint8_t)value;
	else
		*(uint32_t *)at = (uint32_t)value;
	return 1;
}

static int read_text_field(struct sim_reader *r, const struct sim_field *f,
			   const struct sim_node *node, const char *text, void *at)
{
	char *copy;

	if (f->type == SIM_F_NAME) {
		if (!is_name(text, f->min != 0)) {
			wrong(r, node, "a name: up to 31 letters, digits, - and _");
			return 0;
		}
		strcpy(at, text);
		return 1;
	}
	if (!*text) {
		wrong(r, node, "some text");
		return 0;
	}
	copy = strdup(text);
	if (!copy)
		return 0;
	free(*(char **)at);
	*(char **)at = copy;
	return 1;
}

static int read_word_field(struct sim_reader *r, const struct sim_field *f,
			   const struct sim_node *node, const char *text, void *at)
{
	int value;

	if (f->type == SIM_F_ENUM) {
		value = sim_word(r, node, text, f->names, f->key);
		if (value < 0)
			return 0;
	} else if (!sim_read_bool(text, &value)) {
		wrong(r, node, "yes or no");
		return 0;
	}
	*(uint8_t *)at = (uint8_t)value;
	return 1;
}

/* Durations with a sign, drawn durations and sets of CPUs. */
static int read_rich_field(struct sim_reader *r, const struct sim_field *f,
			   const struct sim_node *node, const char *text, void *at)
{
	const char *want;
	int ok;

	if (f->type == SIM_F_SIGNED) {
		want = "a duration such as 5ms or -3ms";
		ok = sim_read_signed_duration(text, at);
	} else if (f->type == SIM_F_CPUS) {
		want = SIM_WANT_CPUS;
		ok = sim_read_cpus(text, at);
	} else {
		want = SIM_WANT_DIST;
		ok = sim_read_dist(text, at);
		if (ok && f->min && ((struct sim_dist *)at)->a < f->min) {
			want = "more than 0";
			ok = 0;
		}
	}
	if (!ok)
		wrong(r, node, want);
	return ok;
}

int sim_field_read(struct sim_reader *r, const struct sim_field *f, const struct sim_node *node,
		   void *object)
{
	void *at = (char *)object + f->offset;
	const char *text = sim_scalar(r, node, "a plain value");

	if (!text)
		return 0;
	switch (f->type) {
	case SIM_F_U64:
	case SIM_F_U32:
	case SIM_F_U8:
	case SIM_F_SHARE:
		return read_number_field(r, f, node, text, at);
	case SIM_F_TIME:
	case SIM_F_TIME32:
	case SIM_F_TIME_US:
		return read_time_field(r, f, node, text, at);
	case SIM_F_NAME:
	case SIM_F_TEXT:
		return read_text_field(r, f, node, text, at);
	case SIM_F_BOOL:
	case SIM_F_ENUM:
		return read_word_field(r, f, node, text, at);
	default:
		return read_rich_field(r, f, node, text, at);
	}
}

void sim_fields_default(const struct sim_fields *fields, void *object)
{
	size_t i;

	for (i = 0; i < fields->count; i++) {
		const struct sim_field *f = &fields->rows[i];
		void *at = (char *)object + f->offset;

		if (f->otherwise == UINT64_MAX)
			continue;
		switch (f->type) {
		case SIM_F_U64:
		case SIM_F_TIME:
		case SIM_F_CPUS:
			*(uint64_t *)at = f->otherwise;
			break;
		case SIM_F_U32:
		case SIM_F_TIME32:
		case SIM_F_TIME_US:
		case SIM_F_SHARE:
			*(uint32_t *)at = (uint32_t)f->otherwise;
			break;
		case SIM_F_U8:
		case SIM_F_BOOL:
		case SIM_F_ENUM:
			*(uint8_t *)at = (uint8_t)f->otherwise;
			break;
		default: /* zero is the default of all others */
			break;
		}
	}
}

static void unknown_key(struct sim_reader *r, const struct sim_fields *fields,
			const struct sim_node *node)
{
	const char *names[32], *near;
	size_t i;

	for (i = 0; i < fields->count && i < 32; i++)
		names[i] = fields->rows[i].key;
	near = sim_nearest(node->key, names, i);
	if (near)
		sim_error(&r->errors, node, "%s has no `%.60s`, expected `%s`?", fields->what,
			  node->key, near);
	else
		sim_error(&r->errors, node, "%s has no `%.60s`, expected one of %s, %s, ...",
			  fields->what, node->key, names[0], names[1]);
}

void sim_fields_read(struct sim_reader *r, const struct sim_fields *fields,
		     const struct sim_node *map, void *object)
{
	const struct sim_node *node;
	size_t i;

	sim_fields_default(fields, object);
	for (node = map->first; node; node = node->next) {
		for (i = 0; i < fields->count; i++)
			if (!strcmp(node->key, fields->rows[i].key))
				break;
		if (i == fields->count)
			unknown_key(r, fields, node);
		else if (fields->rows[i].type != SIM_F_OTHER)
			sim_field_read(r, &fields->rows[i], node, object);
	}
	for (i = 0; i < fields->count; i++)
		if (fields->rows[i].required && !sim_tree_get(map, fields->rows[i].key))
			sim_error(&r->errors, map, "%s has no `%s`, expected one", fields->what,
				  fields->rows[i].key);
}

/* ---- writing ----------------------------------------------------------------------------------*/

void sim_text_write(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", file);
		else if ((unsigned char)*text < ' ')
			fprintf(file, "\\x%02x", (unsigned int)(unsigned char)*text);
		else
			fputc(*text, file);
	}
	fputc('"', file);
}

static uint64_t stored(const struct sim_field *f, const void *at)
{
	switch (f->type) {
	case SIM_F_U64:
	case SIM_F_TIME:
	case SIM_F_SIGNED:
	case SIM_F_CPUS:
		return *(const uint64_t *)at;
	case SIM_F_U32:
	case SIM_F_TIME32:
	case SIM_F_TIME_US:
	case SIM_F_SHARE:
		return *(const uint32_t *)at;
	default:
		return *(const uint8_t *)at;
	}
}

static void write_share(FILE *file, uint32_t q16)
{
	/* 65536 parts in 10^9: nine digits read back */
	fprintf(file, "%u.%09u", q16 >> 16,
		(uint32_t)(((uint64_t)(q16 & 0xffff) * 1000000000u + 32768) >> 16));
}

static void write_value(const struct sim_field *f, const void *at, FILE *file)
{
	char buffer[SIM_UNIT_TEXT];

	switch (f->type) {
	case SIM_F_TIME:
	case SIM_F_TIME32:
		fputs(sim_duration_text(stored(f, at), buffer), file);
		break;
	case SIM_F_TIME_US:
		fputs(sim_duration_text(stored(f, at) * SIM_US, buffer), file);
		break;
	case SIM_F_SIGNED: {
		int64_t value = *(const int64_t *)at;

		fprintf(file, "%s%s", value < 0 ? "-" : "",
			sim_duration_text(value < 0 ? -(uint64_t)value : (uint64_t)value, buffer));
		break;
	}
	case SIM_F_DIST:
		fputs(sim_dist_text(at, buffer), file);
		break;
	case SIM_F_CPUS:
		/* quotes: a comma ends a value in { } */
		fprintf(file, "\"%s\"", sim_cpus_text(*(const uint64_t *)at, buffer));
		break;
	case SIM_F_NAME:
		fprintf(file, "\"%s\"", (const char *)at);
		break;
	case SIM_F_TEXT:
		sim_text_write(file, *(char *const *)at ? *(char *const *)at : "-");
		break;
	case SIM_F_SHARE:
		write_share(file, (uint32_t)stored(f, at));
		break;
	case SIM_F_BOOL:
		fputs(stored(f, at) ? "yes" : "no", file);
		break;
	case SIM_F_ENUM:
		fputs(f->names[stored(f, at)], file);
		break;
	default:
		fprintf(file, "%" PRIu64, stored(f, at));
		break;
	}
}

static int is_default(const struct sim_field *f, const void *at)
{
	if (f->required)
		return 0;
	if (f->type == SIM_F_NAME || f->type == SIM_F_TEXT)
		return f->type == SIM_F_NAME ? !*(const char *)at : !*(char *const *)at;
	return stored(f, at) == f->otherwise;
}

uint32_t sim_fields_write(const struct sim_fields *fields, const void *object, FILE *file,
			  const char *first, const char *before)
{
	uint32_t written = 0;
	size_t i;

	for (i = 0; i < fields->count; i++) {
		const struct sim_field *f = &fields->rows[i];
		const void *at = (const char *)object + f->offset;

		if (f->type == SIM_F_OTHER || is_default(f, at))
			continue;
		fprintf(file, "%s%s: ", written++ ? before : first, f->key);
		write_value(f, at, file);
	}
	return written;
}
