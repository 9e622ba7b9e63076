/* SPDX-License-Identifier: BSD-2-Clause */
/* policy.c - the names of policies: a scheduler, a role and a yielder each. */
#include <string.h>

#include "role.h"
#include "sched.h"

static const struct sim_policy policies[] = {
	{ "fifo", "first come, first served (for the comparison with formulas)",
	  &sim_sched_fifo, &sim_role_none, &sim_yield_none, 0 },
	{ "rr", "round robin (for the comparison with formulas)",
	  &sim_sched_rr, &sim_role_none, &sim_yield_none, 0 },
	{ "fair", "a fair host that knows nothing of its guests; spinners spin",
	  &sim_sched_fair, &sim_role_none, &sim_yield_none, 0 },
	{ "fair-yield", "a fair host with KVM's directed yield as it is: Linux 7.3 today",
	  &sim_sched_fair, &sim_role_none, &sim_yield_kvm, 0 },
	{ "fair-v2", "a fair host with seed 004 v2: IPI tracking, and the yielder pays",
	  &sim_sched_fair, &sim_role_none, &sim_yield_v2, 0 },
	{ "fair-v3", "a fair host with seed 004 v3: the target of a yield is credited",
	  &sim_sched_fair, &sim_role_none, &sim_yield_v3, 0 },
	{ "static-rt", "vCPUs of VMs with `rt:` are SCHED_FIFO for good",
	  &sim_sched_fair, &sim_role_none, &sim_yield_kvm, SIM_POLICY_STATIC_RT },
	{ "pvsched-v3", "hints become classes within two debts, as pvsched v3 does",
	  &sim_sched_fair, &sim_role_budgets, &sim_yield_kvm, 0 },
	{ "credit1", "Xen's credit scheduler",
	  &sim_sched_credit1, &sim_role_none, &sim_yield_plain, 0 },
	{ "credit2", "Xen's credit2 scheduler",
	  &sim_sched_credit2, &sim_role_none, &sim_yield_plain, 0 },
	{ "pvs-advisory", "libpvsched beside a fair host: a VMM process nudges it",
	  &sim_sched_fair, &sim_role_advisory, &sim_yield_kvm, 0 },
	{ "pvs-yield", "libpvsched beside a fair host, which asks it whom to yield to",
	  &sim_sched_fair, &sim_role_advisory, &sim_yield_pvs, 0 },
	{ "pvs-owning", "libpvsched sorts the run queue: sched_ext, Xen",
	  &sim_sched_rank, &sim_role_owning, &sim_yield_pvs, 0 },
	{ "pvs-central", "libpvsched sorts the run queue, and another CPU polls the regions",
	  &sim_sched_rank, &sim_role_central, &sim_yield_pvs, 0 },
};

const struct sim_policy *sim_policy_at(uint32_t index)
{
	return index < sizeof(policies) / sizeof(policies[0]) ? &policies[index] : NULL;
}

const struct sim_policy *sim_policy_find(const char *name)
{
	const struct sim_policy *p;
	uint32_t i;

	for (i = 0; (p = sim_policy_at(i)); i++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}
