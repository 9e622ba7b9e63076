/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * result.h - what a run measured: named rows, histograms among them. Verdicts, tables, reports,
 * sweeps and the search of `pvsim tune` read nothing else.
 *
 * Names are paths: `vm.NAME.x`, `task.VM/NAME.x` (host tasks: `task.host/NAME.x`), `cpu.N.x`,
 * `host.x`, `pvs.x`; docs/pvsim.md lists them. Tasks and VMs with a count are also summed under
 * their common name.
 */
#ifndef SIM_RESULT_H
#define SIM_RESULT_H

#include "engine.h"

enum sim_unit { SIM_COUNT, SIM_NS, SIM_PPM, SIM_NJ };

struct sim_row {
	char name[104];
	uint32_t hash;         /* of it */
	uint8_t unit;          /* enum sim_unit */
	uint64_t value;        /* when there is no histogram */
	struct sim_hist *hist; /* owned; .mean .p50 .p90 .p99 .p999 .max .min .count .sum of it */
};

struct sim_result {
	char scenario[64], policy[32];
	uint64_t seed, until_ns;
	uint64_t hash, events, records;
	uint32_t count, room;
	struct sim_row *rows;
};

void sim_result_init(struct sim_result *r);
void sim_result_free(struct sim_result *r);
/* Sets a row, or adds to the one of this name. The name is made printf-like. */
void sim_result_set(struct sim_result *r, enum sim_unit unit, uint64_t value, const char *name, ...)
	__attribute__((format(printf, 4, 5)));
void sim_result_add(struct sim_result *r, enum sim_unit unit, uint64_t value, const char *name, ...)
	__attribute__((format(printf, 4, 5)));
/* Merges a histogram into the row of this name. */
void sim_result_hist(struct sim_result *r, const struct sim_hist *h, const char *name, ...)
	__attribute__((format(printf, 3, 4)));
/* The row, NULL if there is none. */
const struct sim_row *sim_result_row(const struct sim_result *r, const char *name);
/* The value of a name; of a histogram with a suffix (`task.g/cyclic.wakeup.p99`). 1 if there is
 * one. */
int sim_result_get(const struct sim_result *r, const char *name, double *value);

/* measure.c: begin() when the warm-up is over (sim->now_ns == warmup_ns; never called: everything
 * is measured), sim_measure() at the end of a run: settles the CPUs, asks role and yielder for
 * their rows (->report) and fills sim->result. */
struct sim;
void sim_measure_begin(struct sim *sim);
void sim_measure(struct sim *sim);
void sim_measure_free(struct sim *sim);

#endif /* SIM_RESULT_H */
