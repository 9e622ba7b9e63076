// SPDX-License-Identifier: BSD-2-Clause
/* scenario_write.c - a scenario as a file that reads back equal. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "fields.h"
#include "units.h"

static void write_cluster(FILE *file, const struct sim_cluster_spec *cluster)
{
	uint32_t i;

	fputs("    - ", file);
	sim_fields_write(&sim_fields_cluster, cluster, file, "", "\n      ");
	fputs(cluster->level_count ? "\n      levels:\n" : "\n", file);
	for (i = 0; i < cluster->level_count; i++) {
		fputs("        - {", file);
		sim_fields_write(&sim_fields_level, &cluster->levels[i], file, "", ", ");
		fputs("}\n", file);
	}
}

static void write_machine(FILE *file, const struct sim_machine_spec *m)
{
	uint32_t i;

	fputs("machine:", file);
	sim_fields_write(&sim_fields_machine, m, file, "\n  ", "\n  ");
	fputs("\n  costs:", file);
	sim_fields_write(&sim_fields_costs, &m->costs, file, "\n    ", "\n    ");
	fputs(m->cluster_count ? "\n  clusters:\n" : "\n", file);
	for (i = 0; i < m->cluster_count; i++)
		write_cluster(file, &m->clusters[i]);
}

static void write_vm(FILE *file, const struct sim_vm_spec *vm)
{
	uint32_t i;

	fputs("  - ", file);
	sim_fields_write(&sim_fields_vm, vm, file, "", "\n    ");
	if (vm->liar || vm->liar_ns) {
		fputs("\n    liar: {", file);
		sim_fields_write(&sim_fields_liar, vm, file, "", ", ");
		fputc('}', file);
	}
	if (vm->halt_poll_ns || vm->halt_poll_grow) {
		fputs("\n    halt-poll: {", file);
		sim_fields_write(&sim_fields_poll, vm, file, "", ", ");
		fputc('}', file);
	}
	fputs(vm->task_count ? "\n    tasks:\n" : "\n    tasks: []\n", file);
	for (i = 0; i < vm->task_count; i++)
		sim_task_write(file, &vm->tasks[i], "      ");
}

static void write_device(FILE *file, const struct sim_device_spec *d)
{
	fputs("  - {", file);
	sim_fields_write(&sim_fields_device, d, file, "", ", ");
	if (d->vcpu == SIM_IPI_RANDOM)
		fputs(", vcpu: random", file);
	else
		fprintf(file, ", vcpu: %u", d->vcpu);
	if (d->mailbox != SIM_NO_MAILBOX)
		fprintf(file, ", mailbox: %u", d->mailbox);
	fputs("}\n", file);
}

static void write_run(FILE *file, const struct sim_run_spec *run, const char *indent,
		      const char *name)
{
	uint32_t i, written = 0;

	fprintf(file, "%s%s:\n%s  policy: %s\n", indent, name, indent, run->policy);
	if (run->defects) {
		fprintf(file, "%s  defects: [", indent);
		for (i = 0; sim_defect_names[i]; i++)
			if (run->defects >> i & 1)
				fprintf(file, "%s%s", written++ ? ", " : "", sim_defect_names[i]);
		fputs("]\n", file);
	}
	if (run->param_count) {
		fprintf(file, "%s  params: ", indent);
		sim_params_write(file, run->params, run->param_count);
	}
	if (run->set_count)
		fprintf(file, "%s  set:\n", indent);
	for (i = 0; i < run->set_count; i++) {
		const char *equals = strchr(run->sets[i], '=');

		fprintf(file, "%s    %.*s: ", indent, (int)(equals - run->sets[i]),
			run->sets[i]);
		sim_text_write(file, equals + 1);
		fputc('\n', file);
	}
}

static void write_lists(FILE *file, const struct sim_scenario *s)
{
	uint32_t i;

	if (s->host_task_count)
		fputs("host-tasks:\n", file);
	for (i = 0; i < s->host_task_count; i++)
		sim_task_write(file, &s->host_tasks[i], "  ");
	if (s->vm_count)
		fputs("vms:\n", file);
	for (i = 0; i < s->vm_count; i++)
		write_vm(file, &s->vms[i]);
	if (s->device_count)
		fputs("devices:\n", file);
	for (i = 0; i < s->device_count; i++)
		write_device(file, &s->devices[i]);
	if (s->fault_count)
		fputs("faults:\n", file);
	for (i = 0; i < s->fault_count; i++) {
		fputs("  - {", file);
		sim_fields_write(&sim_fields_fault, &s->faults[i], file, "", ", ");
		fputs("}\n", file);
	}
}

static void write_verdict(FILE *file, const struct sim_scenario *s)
{
	uint32_t i;

	if (s->assert_count)
		fputs("verdict:\n", file);
	for (i = 0; i < s->assert_count; i++) {
		fputs("  - ", file);
		sim_text_write(file, s->asserts[i].text);
		fputc('\n', file);
	}
	if (s->figure_count)
		fputs("figures:\n", file);
	for (i = 0; i < s->figure_count; i++) {
		fprintf(file, "  %s: ", s->figures[i].name);
		sim_text_write(file, s->figures[i].text);
		fputc('\n', file);
	}
}

int sim_scenario_write(const struct sim_scenario *s, FILE *file)
{
	uint32_t i;

	fputs("scenario: ", file);
	sim_text_write(file, s->name);
	fputc('\n', file);
	sim_fields_write(&sim_fields_scenario, s, file, "", "\n");
	fputs(s->quick ? "\nquick: yes\n" : "\n", file);
	write_machine(file, &s->machine);
	write_lists(file, s);
	if (s->param_count) {
		fputs("params: ", file);
		sim_params_write(file, s->params, s->param_count);
	}
	if (s->config_profile || s->config_count)
		sim_config_write(file, s, "config: ");
	fputs("runs:\n", file);
	for (i = 0; i < s->run_count; i++)
		write_run(file, &s->runs[i], "  ", s->runs[i].name);
	if (s->off.policy[0])
		write_run(file, &s->off, "", "off");
	write_verdict(file, s);
	return ferror(file) ? -EIO : 0;
}
