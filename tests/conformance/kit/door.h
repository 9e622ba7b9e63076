/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * door.h - ops of the door that are not in the language of the vectors: the memory itself, a whole
 * host, and whether the guest would yield. docs/conformance.md says what they mean.
 */
#ifndef PVS_KIT_DOOR_H
#define PVS_KIT_DOOR_H

#include "../replay/format.h"
#include "../replay/parse.h"
#include "../replay/replay.h"

/* Fills in what the language calls things. Once, before anything else. */
void door_ops_init(void);

/* The op of this name, or NULL if the language of the vectors may have it. */
const struct replay_kind_info *door_op_named(struct replay_word name);

/* A new world: whatever host there was is gone, without a word. */
void door_forget(void);

/* Runs one op. 0, or -1 when it cannot be run. */
int door_exec(const struct pvs_replay *r, const struct replay_op *op, struct replay_result *res);

#endif /* PVS_KIT_DOOR_H */
