/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * units.h - numbers as a person writes them: 5us, 1.5ms, 5..10us, exp 100us, 10us or 1ms at 5%,
 * 25%, 0-3,5. Read without floating point, and written so that they read back equal.
 */
#ifndef SIM_UNITS_H
#define SIM_UNITS_H

#include "engine.h"

/* What the functions below expect, for messages. */
#define SIM_WANT_DURATION "a duration such as 5us, 1.5ms or 2s"
#define SIM_WANT_DIST "a duration such as 5us, 5..10us, exp 100us, or 10us or 1ms at 5%"
#define SIM_WANT_SHARE "a share such as 25% or 0.25"
#define SIM_WANT_CPUS "CPUs such as 0-3,5, or all"
#define SIM_WANT_NUMBER "a whole number"

/* All: 1 when all of the text was read, else 0 and nothing is changed. */
int sim_read_number(const char *text, uint64_t *value);
int sim_read_duration(const char *text, uint64_t *ns);
/* May begin with a minus. */
int sim_read_signed_duration(const char *text, int64_t *ns);
int sim_read_dist(const char *text, struct sim_dist *dist);
/* A part of `one`: 25% of 65536 is 16384. Rounded to the nearest. */
int sim_read_share(const char *text, uint64_t one, uint64_t *value);
int sim_read_cpus(const char *text, uint64_t *mask);
int sim_read_bool(const char *text, int *value);

#define SIM_UNIT_TEXT 96u

/* All: the text, in `buffer` of SIM_UNIT_TEXT bytes. */
const char *sim_duration_text(uint64_t ns, char *buffer);
const char *sim_dist_text(const struct sim_dist *dist, char *buffer);
const char *sim_cpus_text(uint64_t mask, char *buffer);
/* For people: three digits, 12.3us; not read back. */
const char *sim_short_time(double ns, char *buffer);

#endif /* SIM_UNITS_H */
