// SPDX-License-Identifier: BSD-2-Clause
/* scenario_read.c - a file -> a tree -> a checked scenario. docs/pvsim.md has the schema. */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "fields.h"
#include "role.h"
#include "rtapp.h"
#include "units.h"

#define FILE_MAX (4u << 20) /* bytes of a scenario */
#define POLICIES_MAX 64u

/* Room for as many as a list or map has; NULL for none. */
static void *room_for(const struct sim_node *node, size_t size)
{
	return node && node->count ? calloc(node->count, size) : NULL;
}

/* ---- machine ----------------------------------------------------------------------------------*/

static void read_levels(struct sim_reader *r, const struct sim_node *list,
			struct sim_cluster_spec *cluster)
{
	const struct sim_node *node;
	uint32_t top_khz = 0, i;

	if (!sim_is_list(r, list, "levels"))
		return;
	if (list->count > SIM_LEVELS_MAX) {
		sim_error(&r->errors, list, "%u levels, expected at most %u", list->count,
			  SIM_LEVELS_MAX);
		return;
	}
	for (node = list->first; node; node = node->next) {
		struct sim_level *level = &cluster->levels[cluster->level_count];

		if (!sim_is_map(r, node, "a level"))
			continue;
		sim_fields_read(r, &sim_fields_level, node, level);
		if (level->khz <= top_khz)
			sim_error(&r->errors, node, "`khz: %u` after %u, expected levels in "
				  "ascending order", level->khz, top_khz);
		top_khz = level->khz;
		cluster->level_count++;
	}
	/* a level's speed is its part of the highest frequency unless it says otherwise */
	for (i = 0; i < cluster->level_count && top_khz; i++) {
		struct sim_level *level = &cluster->levels[i];

		if (!level->speed)
			level->speed = (uint32_t)((uint64_t)cluster->capacity * level->khz /
						  top_khz);
		if (!level->speed)
			level->speed = 1;
	}
}

static void read_clusters(struct sim_reader *r, const struct sim_node *list,
			  struct sim_machine_spec *m)
{
	const struct sim_node *node;
	uint32_t cpus = 0;

	if (!sim_is_list(r, list, "clusters"))
		return;
	if (list->count > sizeof(m->clusters) / sizeof(m->clusters[0])) {
		sim_error(&r->errors, list, "%u clusters, expected at most 4", list->count);
		return;
	}
	for (node = list->first; node; node = node->next) {
		struct sim_cluster_spec *cluster = &m->clusters[m->cluster_count];

		if (!sim_is_map(r, node, "a cluster"))
			continue;
		sim_fields_read(r, &sim_fields_cluster, node, cluster);
		read_levels(r, sim_tree_get(node, "levels"), cluster);
		cpus += cluster->cpus;
		m->cluster_count++;
	}
	if (!m->cpus)
		m->cpus = cpus;
	if (cpus != m->cpus)
		sim_error(&r->errors, list, "clusters of %u CPUs, expected %u as `cpus` says", cpus,
			  m->cpus);
}

static void read_machine(struct sim_reader *r, const struct sim_node *map,
			 struct sim_machine_spec *m)
{
	const struct sim_node *costs;
	uint32_t before = r->errors.count;

	if (!sim_is_map(r, map, "machine"))
		return;
	sim_fields_read(r, &sim_fields_machine, map, m);
	costs = sim_tree_get(map, "costs");
	if (sim_is_map(r, costs, "costs"))
		sim_fields_read(r, &sim_fields_costs, costs, &m->costs);
	read_clusters(r, sim_tree_get(map, "clusters"), m);
	if (r->errors.count == before && (!m->cpus || m->cpus > SIM_CPUS_MAX)) {
		sim_error(&r->errors, map, "a machine of %u CPUs, expected 1 to %u", m->cpus,
			  SIM_CPUS_MAX);
		m->cpus = 0;
	}
}

/* ---- VMs --------------------------------------------------------------------------------------*/

static void read_liar(struct sim_reader *r, const struct sim_node *node, struct sim_vm_spec *vm)
{
	int kind;

	if (!node)
		return;
	if (node->kind == SIM_NODE_SCALAR) {
		kind = sim_word(r, node, node->text, sim_liar_names, "liar");
		vm->liar = kind < 0 ? 0 : (uint8_t)kind;
	} else if (sim_is_map(r, node, "liar")) {
		sim_fields_read(r, &sim_fields_liar, node, vm);
	}
}

static void read_halt_poll(struct sim_reader *r, const struct sim_node *node,
			   struct sim_vm_spec *vm)
{
	if (!node)
		return;
	if (node->kind == SIM_NODE_SCALAR)
		sim_field_read(r, &sim_fields_poll.rows[0], node, vm);
	else if (sim_is_map(r, node, "halt-poll"))
		sim_fields_read(r, &sim_fields_poll, node, vm);
}

/* Tasks from a file of rt-app, which is looked for where the scenario is. */
static void read_rtapp(struct sim_reader *r, const struct sim_node *node, struct sim_vm_spec *vm)
{
	const char *text = node ? sim_scalar(r, node, "a file of rt-app") : NULL;
	const char *slash = strrchr(r->s->path ? r->s->path : "", '/');
	char path[1024], error[512];

	if (!text)
		return;
	if (*text == '/' || !slash)
		snprintf(path, sizeof(path), "%s", text);
	else
		snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - r->s->path), r->s->path,
			 text);
	if (sim_rtapp_read(path, vm, error, sizeof(error)) < 0)
		sim_error(&r->errors, node, "`rt-app`: %s", error);
}

static void read_vm(struct sim_reader *r, const struct sim_node *map, struct sim_vm_spec *vm)
{
	uint32_t before = r->errors.count;
	uint64_t cpus = r->s->machine.cpus;
	const struct sim_node *rtapp = sim_tree_get(map, "rt-app");

	sim_fields_read(r, &sim_fields_vm, map, vm);
	read_liar(r, sim_tree_get(map, "liar"), vm);
	read_halt_poll(r, sim_tree_get(map, "halt-poll"), vm);
	if (!vm->vcpus && !rtapp && sim_tree_get(map, "vcpus") == NULL)
		sim_error(&r->errors, map, "a VM has no `vcpus`, expected one");
	if (r->errors.count == before && !rtapp && !sim_tree_get(map, "tasks"))
		sim_error(&r->errors, map, "VM `%s` has no `tasks`, expected some", vm->name);
	read_rtapp(r, rtapp, vm);
	if (!vm->vcpus)
		vm->vcpus = SIM_VCPUS_MAX; /* that is an error by now; say no more for its tasks */
	sim_tasks_read(r, sim_tree_get(map, "tasks"), vm, &vm->tasks, &vm->task_count);
	if (!sim_tree_get(map, "locks"))
		vm->locks = sim_tasks_locks(vm->tasks, vm->task_count);
	else if (vm->locks < sim_tasks_locks(vm->tasks, vm->task_count))
		sim_error(&r->errors, sim_tree_get(map, "locks"), "tasks take lock %u, expected "
			  "`locks: %u` or more", sim_tasks_locks(vm->tasks, vm->task_count) - 1,
			  sim_tasks_locks(vm->tasks, vm->task_count));
	if (cpus && cpus < 64 && vm->affinity >> cpus)
		sim_error(&r->errors, map, "affinity of VM `%s` names CPUs that are not there, "
			  "expected 0 to %u", vm->name, (uint32_t)cpus - 1);
}

static void free_tasks(struct sim_vm_spec *vm)
{
	free(vm->tasks);
	vm->tasks = NULL;
	vm->task_count = 0;
}

static void read_vms(struct sim_reader *r, const struct sim_node *list)
{
	struct sim_scenario *s = r->s;
	const struct sim_node *node;
	uint32_t i, all = 0;

	if (!sim_is_list(r, list, "vms"))
		return;
	s->vms = room_for(list, sizeof(*s->vms));
	for (node = list->first; node && s->vms; node = node->next) {
		struct sim_vm_spec *vm = &s->vms[s->vm_count];

		if (!sim_is_map(r, node, "a VM"))
			continue;
		memset(vm, 0, sizeof(*vm));
		read_vm(r, node, vm);
		for (i = 0; i < s->vm_count; i++)
			if (!strcmp(s->vms[i].name, vm->name))
				sim_error(&r->errors, node, "a second VM `%s`, expected another "
					  "name", vm->name);
		if (!strcmp(vm->name, "host"))
			sim_error(&r->errors, node, "a VM called `host`, expected another name: "
				  "tasks of the host have that one");
		/* `count: 0` is how a run leaves a VM out */
		if (!vm->count)
			free_tasks(vm);
		else
			s->vm_count++;
		all += vm->count;
	}
	if (all > SIM_VMS_MAX)
		sim_error(&r->errors, list, "%u VMs, expected at most %u", all, SIM_VMS_MAX);
}

/* The VM that a device or fault names: `guest`, or `guest.1` when there are several of it. NULL
 * when there is none; *left_out when there would be one if its `count` were not 0. */
static const struct sim_vm_spec *find_vm(const struct sim_scenario *s, const struct sim_node *vms,
					 const char *name, int *left_out)
{
	const struct sim_node *node, *given;
	size_t length;
	uint32_t i;

	for (i = 0; i < s->vm_count; i++) {
		const struct sim_vm_spec *vm = &s->vms[i];
		uint64_t n;

		length = strlen(vm->name);
		if (!strcmp(vm->name, name))
			return vm;
		if (!strncmp(vm->name, name, length) && name[length] == '.' &&
		    sim_read_number(name + length + 1, &n) && n < vm->count)
			return vm;
	}
	*left_out = 0;
	for (node = vms ? vms->first : NULL; node; node = node->next) {
		given = sim_tree_get(node, "name");
		length = given && given->kind == SIM_NODE_SCALAR ? strlen(given->text) : 0;
		for (i = 0; i < s->vm_count && length; i++)
			if (!strcmp(s->vms[i].name, given->text))
				length = 0; /* it is there */
		if (length && !strncmp(given->text, name, length) &&
		    (!name[length] || name[length] == '.'))
			*left_out = 1;
	}
	return NULL;
}

/* Is there such a VM? 1: yes; 0: it is left out, or an error. */
static int check_vm(struct sim_reader *r, const struct sim_node *root, const struct sim_node *map,
		    const char *name, uint32_t vcpu)
{
	const struct sim_node *vms = sim_tree_get(root, "vms");
	const struct sim_vm_spec *vm;
	int left_out = 0;

	vm = find_vm(r->s, vms && vms->kind == SIM_NODE_LIST ? vms : NULL, name, &left_out);
	if (!vm && !left_out)
		sim_error(&r->errors, map, "there is no VM `%s`, expected the name of one", name);
	if (vm && vcpu < SIM_IPI_RANDOM && vcpu >= vm->vcpus)
		sim_error(&r->errors, map, "VM `%s` has no vCPU %u, expected 0 to %u", name, vcpu,
			  vm->vcpus - 1);
	return vm != NULL;
}

/* ---- devices, faults --------------------------------------------------------------------------*/

static void read_devices(struct sim_reader *r, const struct sim_node *root,
			 const struct sim_node *list)
{
	struct sim_scenario *s = r->s;
	const struct sim_node *node, *value;
	uint64_t n;

	if (!sim_is_list(r, list, "devices"))
		return;
	s->devices = room_for(list, sizeof(*s->devices));
	for (node = list->first; node && s->devices; node = node->next) {
		struct sim_device_spec *d = &s->devices[s->device_count];

		if (!sim_is_map(r, node, "a device"))
			continue;
		memset(d, 0, sizeof(*d));
		sim_fields_read(r, &sim_fields_device, node, d);
		value = sim_tree_get(node, "vcpu");
		if (value && value->kind == SIM_NODE_SCALAR && !strcmp(value->text, "random"))
			d->vcpu = SIM_IPI_RANDOM;
		else if (value && sim_number(r, value, 0, SIM_VCPUS_MAX - 1, &n))
			d->vcpu = (uint32_t)n;
		value = sim_tree_get(node, "mailbox");
		d->mailbox = SIM_NO_MAILBOX;
		if (value && sim_number(r, value, 0, 1023, &n))
			d->mailbox = (uint32_t)n;
		if (!d->vm[0] || check_vm(r, root, node, d->vm, d->vcpu))
			s->device_count++;
	}
}

static void check_fault(struct sim_reader *r, const struct sim_node *node,
			const struct sim_fault_spec *f)
{
	int of_vm = f->kind == SIM_FAULT_UNPLUG || f->kind == SIM_FAULT_RESET ||
		    f->kind == SIM_FAULT_MIGRATE;

	if (of_vm && !f->vm[0])
		sim_error(&r->errors, node, "`%s` without a VM, expected `vm`",
			  sim_fault_names[f->kind]);
	if (f->kind == SIM_FAULT_CPU_OFFLINE && f->target >= r->s->machine.cpus)
		sim_error(&r->errors, node, "there is no CPU %u, expected 0 to %u", f->target,
			  r->s->machine.cpus - 1);
	if (f->kind == SIM_FAULT_LATE_TIMERS && f->value < 0)
		sim_error(&r->errors, node, "timers late by less than 0, expected 0 or more");
}

static void read_faults(struct sim_reader *r, const struct sim_node *root,
			const struct sim_node *list)
{
	struct sim_scenario *s = r->s;
	const struct sim_node *node;

	if (!sim_is_list(r, list, "faults"))
		return;
	s->faults = room_for(list, sizeof(*s->faults));
	for (node = list->first; node && s->faults; node = node->next) {
		struct sim_fault_spec *f = &s->faults[s->fault_count];

		if (!sim_is_map(r, node, "a fault"))
			continue;
		memset(f, 0, sizeof(*f));
		sim_fields_read(r, &sim_fields_fault, node, f);
		check_fault(r, node, f);
		if (!f->vm[0] || check_vm(r, root, node, f->vm,
					  f->kind == SIM_FAULT_UNPLUG ? f->target : 0))
			s->fault_count++;
	}
}

/* ---- runs -------------------------------------------------------------------------------------*/

static void read_policy(struct sim_reader *r, const struct sim_node *node, char *policy)
{
	const char *text = sim_scalar(r, node, "the name of a policy");
	const char *names[POLICIES_MAX + 1];
	uint32_t i;

	if (!text)
		return;
	for (i = 0; i < POLICIES_MAX && sim_policy_at(i); i++)
		names[i] = sim_policy_at(i)->name;
	names[i] = NULL;
	if (sim_word(r, node, text, names, "policy") >= 0)
		snprintf(policy, SIM_NAME, "%s", text);
}

static void read_defects(struct sim_reader *r, const struct sim_node *list, uint32_t *defects)
{
	const struct sim_node *node;
	const char *text;
	int bit;

	if (!sim_is_list(r, list, "defects"))
		return;
	for (node = list->first; node; node = node->next) {
		text = sim_scalar(r, node, "the name of a defect");
		bit = text ? sim_word(r, node, text, sim_defect_names, "defect") : -1;
		if (bit >= 0)
			*defects |= 1u << bit;
	}
}

/* `set:` of a run: kept as text, and read again by itself when the run is made. */
static void read_sets(struct sim_reader *r, const struct sim_node *map, struct sim_run_spec *run)
{
	const struct sim_node *node;
	const char *text;
	size_t size;

	if (!sim_is_map(r, map, "set"))
		return;
	run->sets = room_for(map, sizeof(*run->sets));
	for (node = map->first; node && run->sets; node = node->next) {
		text = sim_scalar(r, node, "a plain value");
		if (!text)
			continue;
		if (!strncmp(node->key, "runs", 4) || !strncmp(node->key, "off", 3)) {
			sim_error(&r->errors, node, "a run that sets `%.40s`, expected something "
				  "of the scenario", node->key);
			continue;
		}
		size = strlen(node->key) + strlen(text) + 2;
		run->sets[run->set_count] = malloc(size);
		if (run->sets[run->set_count])
			snprintf(run->sets[run->set_count++], size, "%s=%s", node->key, text);
	}
}

static void read_run(struct sim_reader *r, const struct sim_node *node, struct sim_run_spec *run)
{
	const struct sim_node *policy;

	snprintf(run->name, sizeof(run->name), "%.31s", node->key);
	if (node->kind == SIM_NODE_SCALAR) {
		read_policy(r, node, run->policy);
		return;
	}
	if (!sim_is_map(r, node, "a run"))
		return;
	sim_fields_read(r, &sim_fields_run, node, run);
	policy = sim_tree_get(node, "policy");
	if (policy)
		read_policy(r, policy, run->policy);
	read_defects(r, sim_tree_get(node, "defects"), &run->defects);
	sim_params_read(r, sim_tree_get(node, "params"), &run->params, &run->param_count);
	read_sets(r, sim_tree_get(node, "set"), run);
}

static int is_run_name(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
			return 0;
	return i && i < 32 && isalpha((unsigned char)name[0]) && strcmp(name, "min") &&
	       strcmp(name, "max") && strcmp(name, "abs") && strcmp(name, "off");
}

static void read_runs(struct sim_reader *r, const struct sim_node *map)
{
	struct sim_scenario *s = r->s;
	const struct sim_node *node;
	struct sim_run_spec first;
	uint32_t i;

	if (!sim_is_map(r, map, "runs"))
		return;
	s->runs = room_for(map, sizeof(*s->runs));
	for (node = map->first; node && s->runs; node = node->next) {
		if (!is_run_name(node->key))
			sim_error(&r->errors, node, "a run called `%.40s`, expected letters, "
				  "digits, - and _, a letter first", node->key);
		read_run(r, node, &s->runs[s->run_count++]);
	}
	for (i = 0; i < s->run_count && strcmp(s->runs[i].name, "with"); i++)
		;
	if (i == s->run_count) {
		sim_error(&r->errors, map, "no run is called `with`, expected the subject of the "
			  "verdict under that name");
		return;
	}
	/* the subject is the first; the others keep their order */
	first = s->runs[i];
	memmove(&s->runs[1], &s->runs[0], i * sizeof(s->runs[0]));
	s->runs[0] = first;
}

/* ---- verdict ----------------------------------------------------------------------------------*/

static void check_expression(struct sim_reader *r, const struct sim_node *node, const char *text,
			     int truth)
{
	struct sim_expr_run runs[32];
	struct sim_expr_env env = {.runs = runs, .check_only = 1};
	struct sim_expr_value value;
	char error[SIM_EXPR_ERROR];

	while (env.run_count < r->s->run_count && env.run_count < 32) {
		runs[env.run_count].name = r->s->runs[env.run_count].name;
		runs[env.run_count].result = NULL;
		env.run_count++;
	}
	if (sim_expr(text, &env, &value, error, sizeof(error)) < 0)
		sim_error(&r->errors, node, "%s", error);
	else if (truth && !value.truth)
		sim_error(&r->errors, node, "`%.60s` is a value, expected a comparison", text);
}

static void read_verdict(struct sim_reader *r, const struct sim_node *list)
{
	struct sim_scenario *s = r->s;
	const struct sim_node *node;
	const char *text;

	if (!sim_is_list(r, list, "verdict"))
		return;
	s->asserts = room_for(list, sizeof(*s->asserts));
	for (node = list->first; node && s->asserts; node = node->next) {
		text = sim_scalar(r, node, "a comparison");
		if (!text)
			continue;
		check_expression(r, node, text, 1);
		s->asserts[s->assert_count].text = strdup(text);
		s->asserts[s->assert_count++].line = node->line;
	}
}

static void read_figures(struct sim_reader *r, const struct sim_node *map)
{
	struct sim_scenario *s = r->s;
	const struct sim_node *node;
	const char *text;

	if (!sim_is_map(r, map, "figures"))
		return;
	s->figures = room_for(map, sizeof(*s->figures));
	for (node = map->first; node && s->figures; node = node->next) {
		struct sim_figure_spec *f = &s->figures[s->figure_count];

		text = sim_scalar(r, node, "an expression");
		if (!text)
			continue;
		if (strlen(node->key) >= sizeof(f->name)) {
			sim_error(&r->errors, node, "a name of %u letters, expected at most %u",
				  (uint32_t)strlen(node->key), SIM_NAME - 1);
			continue;
		}
		check_expression(r, node, text, 0);
		strcpy(f->name, node->key);
		f->text = strdup(text);
		f->line = node->line;
		s->figure_count++;
	}
}

/* ---- all of it --------------------------------------------------------------------------------*/

static void read_head(struct sim_reader *r, const struct sim_node *root)
{
	const struct sim_node *name = sim_tree_get(root, "scenario");
	const struct sim_node *quick = sim_tree_get(root, "quick");
	const char *text;

	text = name ? sim_scalar(r, name, "a name") : NULL;
	if (text && (!*text || strlen(text) >= sizeof(r->s->name)))
		sim_error(&r->errors, name, "`scenario`, expected a name of 1 to %u letters",
			  (uint32_t)sizeof(r->s->name) - 1);
	else if (text)
		strcpy(r->s->name, text);
	text = quick ? sim_scalar(r, quick, "yes or no") : NULL;
	if (text && !sim_read_bool(text, &r->s->quick))
		sim_error(&r->errors, quick, "`quick: %.20s`, expected yes or no", text);
}

static void check_times(struct sim_reader *r, const struct sim_node *root)
{
	const struct sim_scenario *s = r->s;
	const struct sim_node *node;
	uint32_t i;

	if (!s->duration_ns)
		return;
	if (s->warmup_ns >= s->duration_ns || s->quiet_ns >= s->duration_ns ||
	    s->warmup_ns + s->quiet_ns >= s->duration_ns) {
		node = sim_tree_get(root, s->warmup_ns ? "warmup" : "quiet");
		sim_error(&r->errors, node ? node : root, "`warmup` and `quiet` leave nothing of "
			  "`duration`, expected less");
	}
	node = sim_tree_get(root, "faults");
	for (i = 0; i < s->fault_count; i++)
		if (node && s->faults[i].at_ns > s->duration_ns - s->quiet_ns)
			sim_error(&r->errors, node, "fault %u begins after the end or in the quiet "
				  "part, expected it before", i);
}

static void read_root(struct sim_reader *r, const struct sim_node *root)
{
	const struct sim_node *off = sim_tree_get(root, "off");
	struct sim_scenario *s = r->s;

	sim_costs_default(&s->machine.costs);
	sim_fields_read(r, &sim_fields_scenario, root, s);
	read_head(r, root);
	read_machine(r, sim_tree_get(root, "machine"), &s->machine);
	sim_tasks_read(r, sim_tree_get(root, "host-tasks"), NULL, &s->host_tasks,
		       &s->host_task_count);
	read_vms(r, sim_tree_get(root, "vms"));
	read_devices(r, root, sim_tree_get(root, "devices"));
	read_faults(r, root, sim_tree_get(root, "faults"));
	sim_params_read(r, sim_tree_get(root, "params"), &s->params, &s->param_count);
	sim_config_read(r, sim_tree_get(root, "config"));
	read_runs(r, sim_tree_get(root, "runs"));
	if (off)
		read_run(r, off, &s->off);
	read_verdict(r, sim_tree_get(root, "verdict"));
	read_figures(r, sim_tree_get(root, "figures"));
	check_times(r, root);
	if (s->assert_count && !off)
		sim_error(&r->errors, sim_tree_get(root, "verdict"), "a verdict and no `off`, "
			  "expected what turns it red");
	if (!s->vm_count && !s->host_task_count && r->errors.count == 0)
		sim_error(&r->errors, root, "nothing runs, expected `vms` or `host-tasks`");
}

struct sim_scenario *sim_scenario_parse(const char *name, const char *text, size_t size,
					char *const *sets, uint32_t set_count, char **errors)
{
	struct sim_reader r = {.s = calloc(1, sizeof(struct sim_scenario))};
	struct sim_node *root;
	uint32_t i;

	*errors = NULL;
	if (!r.s)
		return NULL;
	root = sim_tree_parse(name, text, size, &r.errors);
	if (root && root->kind != SIM_NODE_MAP)
		sim_error(&r.errors, root, "the file is not a map, expected `scenario: name` and "
			  "so on");
	for (i = 0; root && i < set_count && !r.errors.count; i++)
		sim_tree_set(root, sets[i], &r.errors);
	r.s->path = strdup(name);
	if (root && !r.errors.count)
		read_root(&r, root);
	sim_tree_free(root);
	if (!r.errors.count)
		return r.s;
	sim_scenario_free(r.s);
	*errors = r.errors.text;
	return NULL;
}

static char *read_all(const char *path, size_t *size, char *error, size_t error_size)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;

	*size = 0;
	if (file)
		text = malloc(FILE_MAX);
	if (text) {
		*size = fread(text, 1, FILE_MAX, file);
		if (ferror(file) || *size == FILE_MAX) {
			snprintf(error, error_size, "%s: %s\n", path,
				 ferror(file) ? strerror(errno) : "larger than 4 MiB");
			free(text);
			text = NULL;
		}
	} else {
		snprintf(error, error_size, "%s: %s\n", path, strerror(errno));
	}
	if (file)
		fclose(file);
	return text;
}

struct sim_scenario *sim_scenario_read(const char *path, char *const *sets, uint32_t set_count,
				       char **errors)
{
	struct sim_scenario *s;
	char error[512];
	size_t size;
	char *text = read_all(path, &size, error, sizeof(error));

	if (!text) {
		*errors = strdup(error);
		return NULL;
	}
	s = sim_scenario_parse(path, text, size, sets, set_count, errors);
	free(text);
	return s;
}

static void free_run(struct sim_run_spec *run)
{
	uint32_t i;

	for (i = 0; i < run->set_count; i++)
		free(run->sets[i]);
	free(run->sets);
	free(run->params);
}

void sim_scenario_free(struct sim_scenario *s)
{
	uint32_t i;

	if (!s)
		return;
	for (i = 0; i < s->vm_count; i++)
		free(s->vms[i].tasks);
	for (i = 0; i < s->run_count; i++)
		free_run(&s->runs[i]);
	free_run(&s->off);
	for (i = 0; i < s->assert_count; i++)
		free(s->asserts[i].text);
	for (i = 0; i < s->figure_count; i++)
		free(s->figures[i].text);
	free(s->source);
	free(s->claim);
	free(s->path);
	free(s->host_tasks);
	free(s->vms);
	free(s->devices);
	free(s->faults);
	free(s->params);
	free(s->config);
	free(s->runs);
	free(s->asserts);
	free(s->figures);
	free(s);
}
