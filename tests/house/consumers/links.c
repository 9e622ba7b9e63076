/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows that an exported target's headers are found and that its libraries link. */
#include <pvs/abi.h>

int main(void)
{
	return sizeof(struct pvs_slot) == PVS_SLOT_SIZE ? 0 : 1;
}
