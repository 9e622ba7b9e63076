/* SPDX-License-Identifier: BSD-2-Clause */
/* In a file of its own, so that the compiler can neither inline it nor give it another name. */
#include <pvs/guest_inline.h>

#include "prepared.h"

int store_prepared(struct pvs_guest_vcpu *v, pvs_u64 word)
{
	return pvs_guest_store_intent(v, word);
}
