/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd.h - the commands of pvsim, and what they share: options, progress, runs, processes.
 */
#ifndef SIM_CMD_H
#define SIM_CMD_H

#include <stdio.h>

#include "report.h"
#include "sim.h"

/* Exit codes. */
#define CMD_GREEN 0
#define CMD_RED   1 /* a verdict is red, an invariant does not hold */
#define CMD_USAGE 2 /* wrong options, a wrong scenario, a file that cannot be read or written */

int cmd_run(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_models(int argc, char **argv);
int cmd_rtapp(int argc, char **argv);
int cmd_swarm(int argc, char **argv);

/* ---- options ----------------------------------------------------------------------------------*/

struct cmd_list {
	uint32_t count;
	char **items;   /* of argv */
};

enum cmd_kind { CMD_FLAG, CMD_TEXT, CMD_NUMBER, CMD_LIST };

struct cmd_option {
	const char *name;  /* without -- */
	enum cmd_kind kind;
	void *at;          /* int, const char *, uint64_t or struct cmd_list */
	const char *arg;   /* as help says it; NULL for flags */
	const char *help;
};

struct cmd {
	const char *name, *args, *what;
	const struct cmd_option *options; /* ends with a name of NULL */
	uint32_t files_min;               /* as many file names must come */
	const char *notes;
};

/* 0; 1 when --help was asked for and is printed; -1 after an error, which is printed. What is not
 * an option is put into files. Free files->items and all lists. */
int cmd_parse(const struct cmd *cmd, int argc, char **argv, struct cmd_list *files);

/* What was typed, to be typed again: `pvsim` and the arguments, quoted where a shell wants it. */
void cmd_line(char *text, size_t size, int argc, char **argv);

/* ---- runs -------------------------------------------------------------------------------------*/

/* Reads a scenario; prints what is wrong and returns NULL. */
struct sim_scenario *cmd_load(const char *path, const struct cmd_list *sets);

/* One run of a scenario, and what belongs to it. */
struct cmd_made {
	struct sim_scenario *own;      /* read anew, when the run sets something; else NULL */
	struct sim_run_spec run;       /* borrowed pointers */
	struct sim_param_spec *params; /* those of the run and of what it took the place of */
	char **sets;
	struct sim *sim;
};

/* The run of this name, NULL if there is none. */
const struct sim_run_spec *cmd_find_run(const struct sim_scenario *s, const char *name);
/*
 * Makes it; 0, or -1 and a message. `instead`: NULL, or what takes the place of the run (`off:`):
 * its policy and defects, and its params and sets before those of the run.
 */
int cmd_make(struct cmd_made *made, const struct sim_scenario *s, const struct cmd_list *sets,
	     const struct sim_run_spec *run, const struct sim_run_spec *instead,
	     const struct sim_options *options, char *error, size_t error_size);
void cmd_unmake(struct cmd_made *made);

/* Progress of a run on a terminal; nothing when stderr is none, or quiet. */
struct cmd_progress {
	char what[96];
	int shown;
};
void cmd_progress(struct sim_options *options, struct cmd_progress *p, const char *what, int quiet);
void cmd_progress_end(struct cmd_progress *p);

/* All of an assertion list. 1 when all hold; *falsified: so many are false (an error is not). */
int cmd_assert(const struct sim_scenario *s, uint32_t run_count, const char *const *names,
	       const struct sim_result *const *results, struct sim_report_assert *asserts,
	       uint32_t *falsified);
void cmd_figures(const struct sim_scenario *s, uint32_t run_count, const char *const *names,
		 const struct sim_result *const *results, struct sim_report_figure *figures);

/* A result through a pipe to the parent, and back. 0, or -1. */
int cmd_result_write(const struct sim_result *r, FILE *file);
int cmd_result_read(struct sim_result *r, FILE *file);
/* The rows as a JSON object's members. */
struct sim_json;
void cmd_result_json(struct sim_json *j, const char *key, const struct sim_result *r);

/* How much of the model is true to the machine: printed under every table. */
void cmd_print_gap(FILE *file);

/* ---- many at once -----------------------------------------------------------------------------*/

/*
 * work(0 .. count-1), each in a process of its own, `jobs` at a time (0: as many as there are
 * CPUs). What it writes comes to done() in the order of the indices; ok: it ended well. Returns
 * how many did not.
 */
struct cmd_pool {
	void (*work)(void *ctx, uint32_t index, FILE *out);
	void (*done)(void *ctx, uint32_t index, FILE *in, int ok);
	void *ctx;
	uint32_t count, jobs;
	const char *what;  /* for progress; NULL: none */
};
uint32_t cmd_pool(const struct cmd_pool *pool);

/* ---- who is boosted ---------------------------------------------------------------------------*/

/* A task that asks for more than the baseline, at any time. */
int cmd_asks(const struct sim_task_spec *task);
int cmd_vm_asks(const struct sim_vm_spec *vm);

/* What a run did for those that ask and for the others. Free with cmd_summary_free(). */
struct cmd_summary {
	struct sim_hist *boosted;     /* latency of tasks that ask: response, or wake-up */
	struct sim_hist *bystanders;  /* of those that do not ... */
	struct sim_hist *waits;       /* ... and each time a bystander VM or host task waited */
	uint64_t boosted_jobs, boosted_misses, jobs, misses;
	uint64_t boosted_work_ns, work_ns;
	double decisions;             /* in a second */
};
void cmd_summary(const struct sim_scenario *s, const struct sim_result *r,
		 struct cmd_summary *sum);
void cmd_summary_free(struct cmd_summary *sum);

#endif /* SIM_CMD_H */
