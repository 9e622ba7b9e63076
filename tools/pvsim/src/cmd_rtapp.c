// SPDX-License-Identifier: BSD-2-Clause
/* cmd_rtapp.c - `pvsim rtapp`: a workload of rt-app as a scenario, to begin with. */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "rtapp.h"

#define DURATION_NS (10 * SIM_S)
#define WARMUP_NS SIM_S
#define SLICE_NS (3 * SIM_MS) /* of guests, as the schema has it */

/* The part of a path that can be the name of a scenario. */
static void name_of(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strcspn(base, ".");

	snprintf(name, size, "%.*s", (int)(length < size ? length : size - 1), base);
}

static struct sim_scenario *scenario_of(const char *path, uint64_t cpus, char *error, size_t size)
{
	struct sim_scenario *s = calloc(1, sizeof(*s));
	struct sim_vm_spec *vm = calloc(1, sizeof(*vm));
	struct sim_run_spec *runs = calloc(2, sizeof(*runs));

	if (!s || !vm || !runs)
		abort();
	name_of(path, s->name, sizeof(s->name));
	s->source = strdup(path);
	s->claim = strdup("a workload of rt-app beside a busy host");
	s->seed = 1;
	s->duration_ns = DURATION_NS;
	s->warmup_ns = WARMUP_NS;
	sim_costs_default(&s->machine.costs);
	s->vms = vm;
	s->vm_count = 1;
	snprintf(vm->name, sizeof(vm->name), "guest");
	vm->count = 1;
	vm->weight = 1024;
	vm->guest_slice_ns = SLICE_NS;
	s->runs = runs;
	s->run_count = 2;
	snprintf(runs[0].name, sizeof(runs[0].name), "with");
	snprintf(runs[0].policy, sizeof(runs[0].policy), "pvs-owning");
	snprintf(runs[1].name, sizeof(runs[1].name), "base");
	snprintf(runs[1].policy, sizeof(runs[1].policy), "fair");
	if (sim_rtapp_read(path, vm, error, size) < 0) {
		sim_scenario_free(s);
		return NULL;
	}
	s->machine.cpus = (uint32_t)(cpus ? cpus : vm->vcpus < SIM_CPUS_MAX ? vm->vcpus
									   : SIM_CPUS_MAX);
	return s;
}

int cmd_rtapp(int argc, char **argv)
{
	uint64_t cpus = 0;
	const struct cmd_option options[] = {
		{"cpus", CMD_NUMBER, &cpus, "N", "of the host [as many as the VM has vCPUs]"},
		{.name = NULL},
	};
	const struct cmd cmd = {
		.name = "rtapp",
		.args = "FILE.json [options]",
		.what = "Prints a workload of rt-app as a scenario: one VM with its tasks. What is "
			"not\nmodelled is an error. A scenario may also name the file itself: "
			"`rt-app: FILE.json`\nin a VM.",
		.options = options,
		.files_min = 1,
	};
	struct sim_scenario *s = NULL;
	struct cmd_list files;
	char error[512] = "";
	int parsed = cmd_parse(&cmd, argc, argv, &files), result;

	result = parsed > 0 ? CMD_GREEN : CMD_USAGE;
	if (!parsed && cpus > SIM_CPUS_MAX)
		fprintf(stderr, "pvsim rtapp: more than %u CPUs\n", SIM_CPUS_MAX);
	else if (!parsed)
		s = scenario_of(files.items[0], cpus, error, sizeof(error));
	if (error[0])
		fprintf(stderr, "%s\n", error);
	if (s)
		result = sim_scenario_write(s, stdout) < 0 ? CMD_USAGE : CMD_GREEN;
	sim_scenario_free(s);
	free(files.items);
	return result;
}
