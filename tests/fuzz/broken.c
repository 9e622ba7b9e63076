/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void fuzz_broken(const char *rule, const char *file, int line)
{
	(void)fprintf(stderr, "rule broken: %s (%s:%d)\n", rule, file, line);
	(void)fflush(stderr);
	abort();
}
