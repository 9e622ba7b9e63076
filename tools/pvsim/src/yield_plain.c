/* SPDX-License-Identifier: BSD-2-Clause */
/* yield_plain.c - who spins goes behind the others of its CPU, whoever they are. */
#include "sched_fair.h"
#include "sim.h"

static struct sim_vcpu *plain_choose(struct sim *sim, struct sim_vcpu *from, int kernel)
{
	(void)kernel;
	sim_fair_exits(sim, from->thread);
	return from; /* to itself: to nobody in particular */
}

const struct sim_yielder sim_yield_plain = {
	.name = "plain",
	.what = "a vCPU that spins yields to nobody in particular, as on Xen",
	.leaves_out = "nothing",
	.choose = plain_choose,
};
