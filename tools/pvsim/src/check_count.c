/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_count.c - what a run reports is what was seen of it: the rows of the result against the
 * second book, and the library's counters against each other. Only of runs that are measured from
 * their beginning.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

/* The value of a row, 0 if there is none: nothing was counted. */
static uint64_t row(const struct sim *sim, const char *name)
{
	const struct sim_row *r = sim_result_row(sim->result, name);

	return r ? r->value : 0;
}

static void equal(struct sim *sim, const char *name, uint64_t seen)
{
	uint64_t told = row(sim, name);

	if (told != seen)
		sim_fail(sim, "counters: %s says %" PRIu64 ", seen were %" PRIu64, name, told,
			 seen);
}

static void check_host(struct sim *sim, const struct check *c)
{
	uint64_t busy_ns = 0, idle_ns = 0, switches = 0;
	char name[64];
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++) {
		busy_ns += c->cpus[i].busy_ns;
		idle_ns += c->cpus[i].idle_ns;
		switches += c->cpus[i].switches;
		snprintf(name, sizeof(name), "cpu.%" PRIu32 ".busy", i);
		equal(sim, name, c->cpus[i].busy_ns);
	}
	equal(sim, "host.busy", busy_ns);
	equal(sim, "host.idle", idle_ns);
	equal(sim, "host.switches", switches);
}

static void check_vm(struct sim *sim, const struct check *c, const struct sim_vm *vm)
{
	struct { const char *what; uint64_t seen; } rows[] = {
		{ "run", 0 }, { "wait", 0 }, { "boosted", 0 }, { "preempted", 0 }, { "wakeups", 0 },
	};
	char name[64];
	uint32_t i;

	for (i = 0; i < vm->vcpu_count; i++) {
		const struct check_thread *seen = &c->threads[vm->vcpus[i].thread->id];

		rows[0].seen += seen->run_ns;
		rows[1].seen += seen->wait_ns;
		rows[2].seen += seen->boosted_ns;
		rows[3].seen += seen->preempted;
		rows[4].seen += seen->wakeups;
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(name, sizeof(name), "vm.%s.%s", vm->name, rows[i].what);
		equal(sim, name, rows[i].seen);
	}
}

static uint64_t all_reasons(const struct sim *sim)
{
	static const char prefix[] = "pvs.reason.";
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < sim->result->count; i++)
		if (!strncmp(sim->result->rows[i].name, prefix, sizeof(prefix) - 1))
			sum += sim->result->rows[i].value;
	return sum;
}

/* Each boost and each denial has a reason, each reason a decision, and each boost its time. */
static void check_library(struct sim *sim, const struct check *c)
{
	uint64_t boosts = row(sim, "pvs.boosts"), denials = row(sim, "pvs.denials");
	uint64_t reasons = all_reasons(sim), steps = row(sim, "pvs.steps");
	uint64_t told_ns = row(sim, "pvs.boosted_ns"), seen_ns = 0, open_ns = 0;
	uint32_t i;

	if (boosts + denials > reasons || reasons > steps)
		sim_fail(sim, "counters: %" PRIu64 " boosts and %" PRIu64 " denials, %" PRIu64
			 " reasons, %" PRIu64 " decisions", boosts, denials, reasons, steps);
	if (sim->config.flags & PVS_CONFIG_MEASURE_ONLY)
		return;
	for (i = 0; i < c->thread_count; i++) {
		if (!sim->threads[i]->vcpu)
			continue;
		seen_ns += c->threads[i].boosted_ns;
		/* what nobody has looked at yet; or what was lost when it was plugged out */
		open_ns += sim->config.grant_max_ns + c->overshoot_ns;
	}
	open_ns += (boosts + 1) * c->turn_ns;
	if (told_ns > seen_ns + open_ns || seen_ns > told_ns + open_ns)
		sim_fail(sim, "counters: %" PRIu64 " ns were boosted, the accounts know of %"
			 PRIu64, seen_ns, told_ns);
}

void check_count_end(struct sim *sim)
{
	const struct check *c = check_of(sim);
	uint32_t i;

	if (sim->scenario->warmup_ns)
		return;
	check_host(sim, c);
	for (i = 0; i < sim->vm_count; i++)
		check_vm(sim, c, &sim->vms[i]);
	if (c->budgets)
		check_library(sim, c);
}
