/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sides.h - ops that run natively in every environment, and the generator.
 */
#ifndef PVS_REPLAY_SIDES_H
#define PVS_REPLAY_SIDES_H

#include "tables.h"
#include "text.h"

/* A world before its first op: default configuration, one vCPU's worth of nothing agreed. */
void replay_world_clear(struct replay_world *w);

/* setup.c: what a host does once. 0, or -1: a value is out of its range. */
int replay_exec_setup(struct replay_world *w, const struct replay_op *op,
		      struct replay_result *res);

/* guest.c: what the guest does to the world's header and slots. 0, or -1. */
int replay_exec_guest(struct replay_world *w, struct replay_guest *g, const struct replay_op *op,
		      struct replay_result *res);

/* generate.c: op lines drawn from a seed. */
void replay_gen_open(struct replay_generator *g, const struct replay_op *op);
/* Draws line number `part` (0, 1, ...) of a step, maybe an empty one; 0: the step has no more. */
int replay_gen_line(struct replay_generator *g, pvs_u32 part, struct replay_text *line);
/* Tells the generator what came of the line it drew last. */
void replay_gen_result(struct replay_generator *g, const struct replay_op *op,
		       const struct replay_result *res);

#endif /* PVS_REPLAY_SIDES_H */
