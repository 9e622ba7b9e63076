/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_lanes.h - spans of time out of the records of a trace: who ran where, who waited, as what.
 * Both pictures, the page's and Perfetto's, are made of them.
 */
#ifndef SIM_REPORT_LANES_H
#define SIM_REPORT_LANES_H

#include "sim.h"

#define SIM_SPAN_RUNS  0u
#define SIM_SPAN_WAITS 1u /* it could run, and does not */

#define SIM_TASK_UNKNOWN 0xfffffffeu /* no record has told which */

struct sim_span {
	uint64_t from_ns, until_ns;
	uint32_t thread;
	uint32_t task;    /* that the vCPU ran; SIM_NO_TASK: none; SIM_TASK_UNKNOWN */
	uint16_t cpu;     /* where it ran, or waited */
	uint8_t kind;     /* SIM_SPAN_* */
	uint8_t klass;    /* PVS_CLASS_* */
	uint8_t reason;   /* PVS_REASON_* */
	uint8_t spins;    /* 1: it ran for nothing, and waited for a lock or an answer */
	uint8_t stop;     /* SIM_STOP_* + 1: how it ended; 0: it became another one */
};

struct sim_lanes {
	uint64_t from_ns, until_ns;
	uint64_t count, room;
	struct sim_span *spans; /* by from_ns, then by their thread */
};

/*
 * Makes the spans that touch from_ns..until_ns, cut to it. Records before from_ns say what was so
 * at from_ns. 0, or -ENOMEM.
 */
int sim_lanes_make(struct sim_lanes *lanes, const struct sim *sim, uint64_t from_ns,
		   uint64_t until_ns);
void sim_lanes_free(struct sim_lanes *lanes);

/* What a report is about: the task, and its worst moment in the kept records. */
struct sim_focus {
	int found;        /* 0: nothing of interest is in the records */
	uint32_t task;    /* SIM_NO_TASK: it is a thread that waited */
	uint32_t thread;
	int missed;       /* 1: value_ns is by how much a deadline was missed; 0: a latency */
	uint64_t value_ns;
	uint64_t at_ns;   /* when it was over */
	uint64_t due_ns;  /* when its job began */
	uint64_t score;   /* how much the scenario speaks of it */
};

/* How much a scenario is about a task: named in its verdict, urgent, with a deadline. */
uint32_t sim_focus_score(const struct sim_scenario *scenario, const struct sim_task *task);
/* Looks through the kept records, and replaces *focus when there is worse; zeroed memory is the
 * beginning. */
void sim_focus_look(struct sim_focus *focus, const struct sim *sim);
/* The thread that the record of a missed deadline is about: trace.kept[i]. */
uint32_t sim_miss_thread(const struct sim *sim, uint64_t i);
/* What to show around it. */
void sim_focus_window(const struct sim_focus *focus, const struct sim *sim, uint64_t *from_ns,
		      uint64_t *until_ns);

/* What a number of enum pvs_reason means. */
struct sim_words {
	const char *key;   /* as in `pvs.reason.KEY` */
	const char *words; /* what became of the vCPU, and why */
};

const struct sim_words *sim_reason_words(uint32_t reason);

#endif /* SIM_REPORT_LANES_H */
