/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expr.h - expressions of verdicts and figures over the rows of runs.
 *
 *   base.task.g/cyclic.wakeup.mean >= 10 * with.task.g/cyclic.wakeup.mean
 *
 * Numbers may have a unit (ns us ms s % ppm k M); names are RUN.ROW, where - and / belong to the
 * name unless there is a space before them; + - * / ( ) <= >= < > == != && || min() max() abs().
 * Times are ns, shares are fractions (1 = all of it). What is compared or added must be of one
 * kind: a time with a bare number is an error.
 */
#ifndef SIM_EXPR_H
#define SIM_EXPR_H

#include "result.h"

#define SIM_EXPR_ERROR 200u

struct sim_expr_run {
	const char *name;
	const struct sim_result *result;
};

struct sim_expr_env {
	uint32_t run_count;
	const struct sim_expr_run *runs;
	int check_only;    /* rows are taken to be there, whatever they are called */
};

struct sim_expr_value {
	double value;      /* of a comparison: 1 or 0 */
	uint8_t truth;     /* it is a comparison, or several */
	int8_t time;       /* exponent of ns in its unit: 1 = a time; -1 = a rate */
	int8_t energy;     /* the same of nJ */
	/* of the first comparison that does not hold, else of the last */
	double left, right;
	char relation[4];  /* "" = there is none */
};

/* 0, or -1 and a message. */
int sim_expr(const char *text, const struct sim_expr_env *env, struct sim_expr_value *value,
	     char *error, size_t error_size);

/* A value for people, with its unit. */
const char *sim_expr_text(double value, int time, int energy, char *buffer);

#endif /* SIM_EXPR_H */
