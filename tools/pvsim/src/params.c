// SPDX-License-Identifier: BSD-2-Clause
/*
 * params.c - the table of parameters of models, and of fields of the config. A model that reads a
 * parameter with sim_param() has a row here; tests/unit/sim sees to that.
 */
#define _POSIX_C_SOURCE 200809L /* strdup */

#include "params.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvs/status.h>

#include "fields.h"
#include "units.h"

#define TIME(name, value, low, high, text) {name, SIM_PARAM_TIME, value, low, high, text}
#define NUMBER(name, value, low, high, text) {name, SIM_PARAM_NUMBER, value, low, high, text}
#define SWITCH(name, value, text) {name, SIM_PARAM_SWITCH, value, 0, 1, text}

static const struct sim_param_type params[] = {
	TIME("rr.slice", 10 * SIM_MS, SIM_US, SIM_S, "how long a turn is (the comparison with "
	     "formulas sets it)"),
	TIME("credit1.timeslice", 30 * SIM_MS, SIM_MS, SIM_S,
	     "credits are handed out each (CSCHED_DEFAULT_TSLICE_MS, Xen 4.20)"),
	TIME("credit1.tick", 10 * SIM_MS, SIM_MS, SIM_S,
	     "accounting tick (CSCHED_TICKS_PER_TSLICE 3, Xen 4.20)"),
	TIME("credit1.ratelimit", SIM_MS, 0, 100 * SIM_MS, "sched_ratelimit_us, Xen 4.20"),
	SWITCH("credit1.boost", 1, "a vCPU that wakes with credit left goes first (Xen 4.20)"),
	SWITCH("credit1.accounting", 0, "1: who runs at the tick pays for all of it (Xen before "
	       "accurate accounting)"),
	NUMBER("credit2.runqueue-cpus", 16, 1, SIM_CPUS_MAX, "CPUs that share a run queue"),
	TIME("credit2.credit-init", 10 * SIM_MS, SIM_MS, SIM_S,
	     "credit at a reset (CSCHED2_CREDIT_INIT, Xen 4.20)"),
	TIME("credit2.carryover", 500 * SIM_US, 0, SIM_S,
	     "credit kept over a reset (CSCHED2_CARRYOVER_MAX; seed 003 says 2 ms)"),
	TIME("credit2.min-timer", 500 * SIM_US, SIM_US, SIM_S, "CSCHED2_MIN_TIMER, Xen 4.20"),
	TIME("credit2.ratelimit", SIM_MS, 0, 100 * SIM_MS, "sched_ratelimit_us, Xen 4.20"),
	TIME("credit2.migrate-resist", 500 * SIM_US, 0, SIM_S,
	     "CSCHED2_MIGRATE_RESIST, Xen 4.20"),
	SWITCH("credit2.inflight", 1, "a slice ends at the credit of who was just descheduled, too "
	       "(Xen 4.20, ae648e9f80); 0: 4.17"),
	TIME("fair.base-slice", 2100 * SIM_US, 10 * SIM_US, SIM_S,
	     "0.7 ms x (1 + log2 CPUs), this is for 4 CPUs (Linux 7.3)"),
	TIME("fair.tick", 4 * SIM_MS, 100 * SIM_US, 100 * SIM_MS, "of the host, in place of "
	     "machine.tick-hz (CONFIG_HZ=250)"),
	TIME("fair.migration-cost", 500 * SIM_US, 0, SIM_S,
	     "a thread that ran so lately is not pulled (sysctl_sched_migration_cost)"),
	TIME("fair.balance", 64 * SIM_MS, SIM_US, SIM_S,
	     "between two looks of a busy CPU for others' threads: 16 ms x CPUs, this is for 4"),
	TIME("fair.server-runtime", 50 * SIM_MS, 0, SIM_S,
	     "of each second, for fair threads below real-time ones (the fair server)"),
	NUMBER("fair.lazy", 1, 0, 2, "wake-ups preempt at once (0), at the next tick if from "
	       "another CPU (1), always at the next tick (2)"),
	SWITCH("fair.delay-dequeue", 1, "a thread that sleeps stays until its lag is used up "
	       "(DELAY_DEQUEUE)"),
	SWITCH("fair.hrtick", 1, "a slice ends on time, not at the next tick (HRTICK)"),
	SWITCH("fair.nice-boost", 0, "a boost is a weight instead of a real-time class"),
	SWITCH("fair.run-to-parity", 1, "who runs is protected to the end of its slice "
	       "(RUN_TO_PARITY)"),
	SWITCH("kvm.apicv", 1, "pending interrupts of vCPUs that wait are seen by the host"),
	SWITCH("v2.fixed", 0, "seed 004 v2 with its debounce reachable (linux-facts 1.3)"),
	SWITCH("yield.strict", 0, "libpvsched's yield without the relaxed round"),
	NUMBER("yield.transfer", 0, 0, 3, "what a yielder gives: nothing (1), it pays (2), "
	       "credit to the target (3); 0: as the host's scheduler likes it"),
	TIME("owning.look", 300, 0, SIM_MS, "what a look costs in the kernel or hypervisor"),
	TIME("central.poll", 20 * SIM_US, SIM_US, SIM_S, "between two polls of all regions"),
	NUMBER("rank.queue-cpus", 16, 1, SIM_CPUS_MAX, "CPUs that share a run queue"),
	TIME("rank.slice", 3 * SIM_MS, 10 * SIM_US, SIM_S, "how long a vCPU runs before it is "
	     "sorted again"),
	TIME("rank.ratelimit", 500 * SIM_US, 0, 100 * SIM_MS, "a vCPU at baseline runs at least so "
	     "long"),
	TIME("dvfs.update", SIM_MS, 10 * SIM_US, SIM_S, "between two changes of a level"),
	TIME("dvfs.half-life", 32 * SIM_MS, SIM_MS, SIM_S, "of utilisation (LOAD_AVG_PERIOD, "
	     "Linux)"),
	NUMBER("dvfs.headroom", 1280, 1024, 4096, "utilisation x this / 1024 is asked for "
	       "(schedutil's 1.25)"),
	SWITCH("dvfs.uclamp", 0, "guests' utilisation is a floor of the host's, not a sum"),
};

#define PARAMS (sizeof(params) / sizeof(params[0]))

const struct sim_param_type *sim_param_type_at(size_t index)
{
	return index < PARAMS ? &params[index] : NULL;
}

#define FIELD(name, unit) {#name, (uint32_t)offsetof(struct pvs_config, name), unit}

static const struct sim_config_type config_types[] = {
	FIELD(flags, 'c'),
	FIELD(boost_share_q10, 'q'),
	FIELD(boost_burst_ns, 'n'),
	FIELD(boost_resume_ns, 'n'),
	FIELD(grant_max_ns, 'n'),
	FIELD(irq_share_q10, 'q'),
	FIELD(irq_burst_ns, 'n'),
	FIELD(credit_max_ns, 'n'),
	FIELD(debt_start_ns, 'n'),
	FIELD(debt_max_ns, 'n'),
	FIELD(vm_share_q10, 'q'),
	FIELD(vm_burst_ns, 'n'),
	FIELD(vm_quantum_ns, 'n'),
	FIELD(stale_ns, 'n'),
	FIELD(raise_min_ns, 'n'),
	FIELD(malformed_min_ns, 'n'),
	FIELD(level_hold_ns, 'n'),
	FIELD(pay_weight_q10, 'q'),
	FIELD(below_weight_q10, 'q'),
	FIELD(recheck_min_ns, 'n'),
	FIELD(poll_ns, 'n'),
	FIELD(quiet_poll_ns, 'n'),
	FIELD(urgent_poll_ns, 'n'),
	FIELD(kick_min_ns, 'n'),
	FIELD(look_cost_ns, 'n'),
	FIELD(dt_max_ns, 'n'),
	FIELD(ticket_max_ns, 'n'),
	FIELD(storm_window_ns, 'n'),
	FIELD(storm_share_q10, 'q'),
	FIELD(storm_rate_hz, 'c'),
	FIELD(storm_burst, 'c'),
	FIELD(storm_hold_ns, 'n'),
	FIELD(defer_ns, 'n'),
};

#define CONFIGS (sizeof(config_types) / sizeof(config_types[0]))

const struct sim_config_type *sim_config_type_at(size_t index)
{
	return index < CONFIGS ? &config_types[index] : NULL;
}

/* ---- params: ----------------------------------------------------------------------------------*/

static const struct sim_param_type *find_param(struct sim_reader *r, const struct sim_node *node)
{
	const char *names[PARAMS], *near;
	size_t i;

	for (i = 0; i < PARAMS; i++) {
		names[i] = params[i].name;
		if (!strcmp(node->key, params[i].name))
			return &params[i];
	}
	near = sim_nearest(node->key, names, PARAMS);
	if (near)
		sim_error(&r->errors, node, "no model has a parameter `%.60s`, expected `%s`?",
			  node->key, near);
	else
		sim_error(&r->errors, node, "no model has a parameter `%.60s`, expected one that "
			  "`pvsim models` lists", node->key);
	return NULL;
}

static int read_param(struct sim_reader *r, const struct sim_param_type *type,
		      const struct sim_node *node, uint64_t *value)
{
	struct sim_field field = {.key = type->name, .min = type->min, .max = type->max};
	uint8_t yes = 0;

	if (type->unit == SIM_PARAM_SWITCH) {
		field.type = SIM_F_BOOL;
		if (!sim_field_read(r, &field, node, &yes))
			return 0;
		*value = yes;
		return 1;
	}
	field.type = type->unit == SIM_PARAM_TIME ? SIM_F_TIME : SIM_F_U64;
	return sim_field_read(r, &field, node, value);
}

void sim_params_read(struct sim_reader *r, const struct sim_node *map,
		     struct sim_param_spec **specs, uint32_t *count)
{
	const struct sim_param_type *type;
	const struct sim_node *node;

	if (!sim_is_map(r, map, "params") || !map->count)
		return;
	*specs = calloc(map->count, sizeof(**specs));
	if (!*specs)
		return;
	for (node = map->first; node; node = node->next) {
		struct sim_param_spec *spec = &(*specs)[*count];

		type = find_param(r, node);
		if (!type || !read_param(r, type, node, &spec->value))
			continue;
		snprintf(spec->name, sizeof(spec->name), "%s", type->name);
		(*count)++;
	}
}

void sim_params_write(FILE *file, const struct sim_param_spec *specs, uint32_t count)
{
	char buffer[SIM_UNIT_TEXT];
	uint32_t i;
	size_t n;

	fputs("{", file);
	for (i = 0; i < count; i++) {
		for (n = 0; n < PARAMS; n++)
			if (!strcmp(params[n].name, specs[i].name))
				break;
		fprintf(file, "%s%s: ", i ? ", " : "", specs[i].name);
		if (n < PARAMS && params[n].unit == SIM_PARAM_TIME)
			fputs(sim_duration_text(specs[i].value, buffer), file);
		else
			fprintf(file, "%" PRIu64, specs[i].value);
	}
	fputs("}\n", file);
}

/* ---- config: ----------------------------------------------------------------------------------*/

static pvs_u32 *config_field(struct pvs_config *config, const struct sim_config_type *type)
{
	return (pvs_u32 *)(void *)((char *)config + type->offset);
}

static int set_config(struct pvs_config *config, const struct sim_param_spec *spec)
{
	size_t i;

	for (i = 0; i < CONFIGS; i++) {
		if (!strcmp(config_types[i].name, spec->name)) {
			*config_field(config, &config_types[i]) = (pvs_u32)spec->value;
			return 0;
		}
	}
	return -1;
}

int sim_scenario_config(const struct sim_scenario *s, struct pvs_config *config, char *error,
			size_t error_size)
{
	struct pvs_config_error wrong;
	uint32_t i;

	if (pvs_config_profile(s->config_profile, config) != PVS_OK) {
		snprintf(error, error_size, "there is no profile %u", s->config_profile);
		return -1;
	}
	for (i = 0; i < s->config_count; i++) {
		if (set_config(config, &s->config[i]) < 0) {
			snprintf(error, error_size, "the config has no field `%s`",
				 s->config[i].name);
			return -1;
		}
	}
	pvs_config_resolve(config);
	if (pvs_config_check(config, &wrong) != PVS_OK) {
		snprintf(error, error_size, "`%s: %u`, expected %u to %u", wrong.field,
			 wrong.value, wrong.min, wrong.max);
		return -1;
	}
	return 0;
}

static const struct sim_config_type *find_config(struct sim_reader *r, const struct sim_node *node)
{
	const char *names[CONFIGS + 1], *near;
	size_t i;

	for (i = 0; i < CONFIGS; i++) {
		names[i] = config_types[i].name;
		if (!strcmp(node->key, config_types[i].name))
			return &config_types[i];
	}
	names[CONFIGS] = "profile";
	near = sim_nearest(node->key, names, CONFIGS + 1);
	if (near)
		sim_error(&r->errors, node, "the config has no field `%.60s`, expected `%s`?",
			  node->key, near);
	else
		sim_error(&r->errors, node, "the config has no field `%.60s`, expected one of "
			  "struct pvs_config", node->key);
	return NULL;
}

/* Durations or nanoseconds, shares or 1/1024, counts. */
static int read_config(struct sim_reader *r, const struct sim_config_type *type,
		       const struct sim_node *node, uint64_t *value)
{
	const char *text = sim_scalar(r, node, "a number");
	int ok;

	if (!text)
		return 0;
	ok = sim_read_number(text, value);
	if (!ok && type->unit == 'n')
		ok = sim_read_duration(text, value);
	else if (!ok && type->unit == 'q')
		ok = sim_read_share(text, 1024, value);
	if (ok && *value <= UINT32_MAX)
		return 1;
	sim_error(&r->errors, node, "`%s: %.40s`, expected %s", node->key, text,
		  type->unit == 'n' ? SIM_WANT_DURATION " below 4s" :
		  type->unit == 'q' ? "a share such as 25%, or 1/1024s such as 256" :
		  SIM_WANT_NUMBER);
	return 0;
}

/* The line of the field that a message begins with; or the first. */
static const struct sim_node *config_named(const struct sim_node *map, const char *error)
{
	const struct sim_node *node;
	size_t length;

	for (node = map->first; node; node = node->next) {
		length = strlen(node->key);
		if (!strncmp(error + 1, node->key, length) && error[1 + length] == ':')
			return node;
	}
	return map->first;
}

void sim_config_read(struct sim_reader *r, const struct sim_node *map)
{
	const struct sim_config_type *type;
	struct sim_scenario *s = r->s;
	const struct sim_node *node;
	struct pvs_config config;
	char error[160];
	int profile;

	if (!sim_is_map(r, map, "config") || !map->count)
		return;
	s->config = calloc(map->count, sizeof(*s->config));
	if (!s->config)
		return;
	for (node = map->first; node; node = node->next) {
		struct sim_param_spec *spec = &s->config[s->config_count];

		if (!strcmp(node->key, "profile")) {
			const char *text = sim_scalar(r, node, "a profile");

			profile = text ? sim_word(r, node, text, sim_profile_names, "profile") : -1;
			s->config_profile = profile < 0 ? 0 : (uint32_t)profile;
			continue;
		}
		type = find_config(r, node);
		if (!type || !read_config(r, type, node, &spec->value))
			continue;
		snprintf(spec->name, sizeof(spec->name), "%s", type->name);
		s->config_count++;
	}
	/* All of them together: what one may be depends on others. */
	if (sim_scenario_config(s, &config, error, sizeof(error)) < 0)
		sim_error(&r->errors, config_named(map, error), "%s", error);
}

void sim_config_write(FILE *file, const struct sim_scenario *s, const char *before)
{
	uint32_t i;

	fprintf(file, "%s{profile: %s", before, sim_profile_names[s->config_profile]);
	for (i = 0; i < s->config_count; i++)
		fprintf(file, ", %s: %" PRIu64, s->config[i].name, s->config[i].value);
	fputs("}\n", file);
}
