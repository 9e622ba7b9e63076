/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_json.h - writes JSON that may stand inside of a page: every character that means something
 * to HTML is escaped, and what is not UTF-8 is replaced.
 */
#ifndef SIM_REPORT_JSON_H
#define SIM_REPORT_JSON_H

#include <stdint.h>
#include <stdio.h>

struct sim_json {
	FILE *file;
	int follows; /* 1: a comma comes before the next value */
};

/* `key` is NULL inside of an array, and for the outermost value. `kind` is '{' or '['. */
void sim_json_open(struct sim_json *j, const char *key, char kind);
void sim_json_close(struct sim_json *j, char kind);
void sim_json_text(struct sim_json *j, const char *key, const char *text); /* NULL: null */
void sim_json_u64(struct sim_json *j, const char *key, uint64_t value);
void sim_json_i64(struct sim_json *j, const char *key, int64_t value);
void sim_json_double(struct sim_json *j, const char *key, double value); /* not finite: null */
void sim_json_null(struct sim_json *j, const char *key);

/* The characters of a string, escaped, without the quotes. */
void sim_json_escape(FILE *file, const char *text);

#endif /* SIM_REPORT_JSON_H */
