/* SPDX-License-Identifier: BSD-2-Clause */
/* yield_none.c - a host without pause-loop exits: who spins, spins on. */
#include "role.h"

const struct sim_yielder sim_yield_none = {
	.name = "none",
	.what = "a vCPU that spins is not seen; one that yields goes behind the others",
	.leaves_out = "nothing",
};
