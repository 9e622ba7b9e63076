/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For libFuzzer, and for everything else that speaks its protocol.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_one(data, size);
	return 0;
}
