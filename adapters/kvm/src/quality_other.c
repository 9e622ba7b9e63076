/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine for which there is no self-test guest: nothing is measured, and that is what it says.
 */
#include <stdio.h>

#include "kvm_private.h"

void pvs_kvm_quality_measure(struct pvs_kvm_quality *q, pvs_u64 deadline_ns)
{
	(void)deadline_ns;
	(void)snprintf(q->reason, sizeof(q->reason),
		       "/dev/kvm: no self-test for this machine type");
}
