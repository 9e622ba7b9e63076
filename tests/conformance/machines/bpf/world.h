/* SPDX-License-Identifier: BSD-2-Clause */
/* What both sides of a BPF program see: the value of one map, mapped into user space. */
#ifndef PVS_MACHINES_BPF_WORLD_H
#define PVS_MACHINES_BPF_WORLD_H

#include "replay.h"

struct shared_world {
	struct replay_world world; /* aligned to a page, as the map's value is */
	struct replay_op op;
	struct replay_result result;
};

#endif /* PVS_MACHINES_BPF_WORLD_H */
