/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For environments that have nothing to do between two ops.
 */
#include "replay.h"

void pvs_replay_observe(struct pvs_replay *r)
{
	(void)r;
}
