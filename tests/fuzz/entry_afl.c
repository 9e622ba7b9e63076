/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For AFL++, built by one of its compilers: many inputs in one process, through shared memory.
 */
#pragma GCC diagnostic ignored "-Wpedantic" /* its macros are GNU C */

#include "fuzz.h"

#include <string.h>
#include <unistd.h>

#define INPUTS_PER_PROCESS 10000u

__AFL_FUZZ_INIT();

int main(void)
{
	/* A copy of its own size, so that reading behind the end is seen. */
	static uint8_t copy[FUZZ_INPUT_MAX];
	const uint8_t *input;

	__AFL_INIT();
	input = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(INPUTS_PER_PROCESS)) {
		size_t size = (size_t)__AFL_FUZZ_TESTCASE_LEN;

		if (size > FUZZ_INPUT_MAX)
			size = FUZZ_INPUT_MAX;
		memcpy(copy + FUZZ_INPUT_MAX - size, input, size);
		fuzz_one(copy + FUZZ_INPUT_MAX - size, size);
	}
	return 0;
}
