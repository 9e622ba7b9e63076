/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.h - a line becomes an op; an expectation is compared with a result.
 */
#ifndef PVS_REPLAY_PARSE_H
#define PVS_REPLAY_PARSE_H

#include "tables.h"
#include "text.h"

/* Reads a value the way `field` is written. 0, or -1. */
int replay_parse_value(const struct replay_field *field, struct replay_word text, pvs_u64 *value);

/* Fills *op from the words behind the op's name. 0, or -1: not in the language. */
int replay_parse_op(const struct replay_kind_info *info, struct replay_word rest,
		    struct replay_op *op);

/* The op called `name`, or NULL. */
const struct replay_kind_info *replay_kind_named(struct replay_word name);

/*
 * Compares one expectation ("class=task", "flags~changed", "flags!measure", "recheck<1ms",
 * "rank>1") with a result: 1 holds, 0 does not, -1 is none.
 */
int replay_expect(const struct replay_field *out, const struct replay_result *result,
		  struct replay_word text);

#endif /* PVS_REPLAY_PARSE_H */
