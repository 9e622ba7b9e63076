// SPDX-License-Identifier: BSD-2-Clause
/* cmd_check.c - `pvsim check`: the schema, and nothing else. */
#include <stdlib.h>

#include "cmd.h"

int cmd_check(int argc, char **argv)
{
	struct cmd_list sets = {0}, files;
	int quiet = 0;
	const struct cmd_option options[] = {
		{"set", CMD_LIST, &sets, "PATH=VALUE", "as if the file said so; many times"},
		{"quiet", CMD_FLAG, &quiet, NULL, "prints errors alone"},
		{.name = NULL},
	};
	const struct cmd cmd = {
		.name = "check",
		.args = "FILE...",
		.what = "Says whether scenario files are right; what is wrong is printed as "
			"file:line: what,\nexpected ...",
		.options = options,
		.files_min = 1,
	};
	int parsed = cmd_parse(&cmd, argc, argv, &files), result = CMD_GREEN;
	uint32_t i;

	for (i = 0; !parsed && i < files.count; i++) {
		struct sim_scenario *s = cmd_load(files.items[i], &sets);

		if (!s)
			result = CMD_USAGE;
		else if (!quiet)
			printf("%s: right: %u runs, %u assertions, %u figures\n", files.items[i],
			       s->run_count, s->assert_count, s->figure_count);
		sim_scenario_free(s);
	}
	free(files.items);
	free(sets.items);
	return parsed ? (parsed > 0 ? CMD_GREEN : CMD_USAGE) : result;
}
