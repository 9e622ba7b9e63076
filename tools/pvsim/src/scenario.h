/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenario.h - a scenario as plain data: read from a file (YAML; docs/pvsim.md has the schema),
 * made by the swarm, or made of an rt-app file; and written back to a file.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdio.h>

#include <pvs/config.h>

#include "guest.h"
#include "machine.h"

struct sim_machine_spec {
	uint32_t cpus;
	struct sim_costs costs;         /* defaults filled in */
	uint32_t cluster_count;         /* 0: all CPUs have capacity 1024 and one level */
	struct sim_cluster_spec {
		uint32_t cpus;
		uint32_t capacity;
		uint32_t level_count;
		struct sim_level levels[SIM_LEVELS_MAX];
		uint32_t idle_mw;
	} clusters[4];
	uint32_t tick_hz;               /* 0: the scheduler's own */
	uint8_t dvfs;                   /* 0: highest level always; 1: host's own utilisation;
					 * 2: asked for by guests through the library, too */
};

enum sim_fault_kind {
	SIM_FAULT_CLOCK_JUMP,   /* the host's clock as roles see it jumps by value ns (signed) */
	SIM_FAULT_LATE_TIMERS,  /* all role timers are late by up to value ns, for `for_ns` */
	SIM_FAULT_LOST_KICKS,   /* doorbells get lost, for `for_ns` */
	SIM_FAULT_UNPLUG,       /* vCPU `target` of `vm` goes offline, and is back after for_ns */
	SIM_FAULT_RESET,        /* `vm` is reset */
	SIM_FAULT_MIGRATE,      /* `vm` is migrated to another host: saved, restored, bound anew */
	SIM_FAULT_CPU_OFFLINE,  /* host CPU `target` goes offline, and comes back after for_ns */
	SIM_FAULT_KINDS
};

struct sim_fault_spec {
	uint8_t kind;
	char vm[SIM_NAME];
	uint32_t target;
	uint64_t at_ns, for_ns;
	int64_t value;
};

/* `params: {fair.base-slice: 3ms}`: of models; known names and ranges are in params.c. */
struct sim_param_spec {
	char name[SIM_NAME];
	uint64_t value;
};

/* One run that a verdict may speak of: `with` is the subject. */
struct sim_run_spec {
	char name[SIM_NAME];    /* with, base, rt, ... */
	char policy[SIM_NAME];
	uint32_t defects;
	uint32_t param_count;   /* in place of, or besides, those of the scenario */
	struct sim_param_spec *params;
	uint32_t set_count;     /* `set: {vms.noisy.count: 0}`: for this run the file is read */
	char **sets;            /* anew with these: "path=value", as --set has them */
};

struct sim_assert_spec {
	char *text;             /* `with.task.g/cyclic.wakeup.mean * 10 <= base.task...` */
	uint32_t line;
};

struct sim_figure_spec {    /* `figures: {cyclictest_avg_gain: base.x / with.x}` */
	char name[SIM_NAME];
	char *text;
	uint32_t line;
};

#define SIM_VMS_MAX 64u

struct sim_scenario {
	char name[64];
	char *source, *claim, *path;
	uint64_t seed, duration_ns, warmup_ns; /* nothing is measured before warmup_ns */
	uint64_t quiet_ns;      /* the last part: faults and lies have stopped */
	struct sim_machine_spec machine;
	uint32_t host_task_count;
	struct sim_task_spec *host_tasks;
	uint32_t vm_count;      /* specs; each may have a count */
	struct sim_vm_spec *vms;
	uint32_t device_count;
	struct sim_device_spec *devices;
	uint32_t fault_count;
	struct sim_fault_spec *faults;
	uint32_t param_count;
	struct sim_param_spec *params;
	uint32_t config_profile;/* PVS_PROFILE_* ... */
	uint32_t config_count;  /* ... and fields of struct pvs_config by name */
	struct sim_param_spec *config;
	uint32_t run_count;     /* runs[0] is the subject, `with` */
	struct sim_run_spec *runs;
	struct sim_run_spec off;/* what takes the place of the subject to see the verdict go red */
	uint32_t assert_count;
	struct sim_assert_spec *asserts;
	uint32_t figure_count;
	struct sim_figure_spec *figures;
	int quick;              /* 1: among those that `./run test` runs */
};

/*
 * Reads and checks a file; `sets` are "path=value" that take the place of what it says. NULL when
 * there is an error: *errors has all of them, each as "file:line: what, expected ...", one a line
 * (free() it).
 */
struct sim_scenario *sim_scenario_read(const char *path, char *const *sets, uint32_t set_count,
				       char **errors);
/* The same of a text in memory; `name` takes the place of the file's name. */
struct sim_scenario *sim_scenario_parse(const char *name, const char *text, size_t size,
					char *const *sets, uint32_t set_count, char **errors);
/* Writes a file that reads back equal. 0, or -errno. */
int sim_scenario_write(const struct sim_scenario *s, FILE *file);
/* Frees what it points to and itself: all of it is from malloc(). NULL is allowed. */
void sim_scenario_free(struct sim_scenario *s);
/* What a run of it is made with: the profile, the fields that `config:` sets, checked. 0, or -1 and
 * a message. (params.c) */
int sim_scenario_config(const struct sim_scenario *s, struct pvs_config *config, char *error,
			size_t error_size);

#endif /* SIM_SCENARIO_H */
