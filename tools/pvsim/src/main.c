// SPDX-License-Identifier: BSD-2-Clause
/* main.c - pvsim: which command. */
#include <stdio.h>
#include <string.h>

#include <pvs/pvs.h>

#include "cmd.h"
#include "tree.h"

static const struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *what;
} commands[] = {
	{"run", cmd_run, "runs one scenario and prints what it measured"},
	{"verify", cmd_verify, "runs scenarios with the library and without, and judges them"},
	{"check", cmd_check, "says whether scenario files are right, without running them"},
	{"compare", cmd_compare, "runs one scenario under several policies, side by side"},
	{"sweep", cmd_sweep, "runs one scenario over ranges of parameters, on all CPUs"},
	{"tune", cmd_tune, "searches libpvsched's config for the best of several scenarios"},
	{"swarm", cmd_swarm, "random scenarios with all invariants on; shrinks what fails"},
	{"rtapp", cmd_rtapp, "prints a workload of rt-app as a scenario"},
	{"models", cmd_models, "lists policies, models, what they leave out, and parameters"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *file)
{
	size_t i;

	fprintf(file, "usage: pvsim COMMAND ...\n\n"
		      "A deterministic simulator of hosts and guests around libpvsched.\n\n");
	for (i = 0; i < COMMANDS; i++)
		fprintf(file, "  %-9s %s\n", commands[i].name, commands[i].what);
	fprintf(file, "\n`pvsim COMMAND --help` says more, `pvsim --version` which this is.\n"
		      "Exit codes: 0 green, 1 red (a verdict or an invariant), 2 wrong usage or a "
		      "wrong\nscenario, or what cannot be written.\n");
}

/* What could not be printed was not said: neither green nor red. */
static int finish(int result)
{
	if (!fflush(stdout) && !ferror(stdout))
		return result;
	perror("pvsim: standard output");
	return CMD_USAGE;
}

int main(int argc, char **argv)
{
	const char *names[COMMANDS], *near;
	size_t i;

	if (argc < 2) {
		usage(stderr);
		return CMD_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return finish(CMD_GREEN);
	}
	if (!strcmp(argv[1], "--version")) {
		printf("pvsim %s\n", PVS_VERSION_STRING);
		return finish(CMD_GREEN);
	}
	for (i = 0; i < COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i].name))
			return finish(commands[i].main(argc - 1, argv + 1));
		names[i] = commands[i].name;
	}
	near = sim_nearest(argv[1], names, COMMANDS);
	fprintf(stderr, "pvsim: there is no command `%s`%s%s%s\n", argv[1],
		near ? ", expected `" : "; see pvsim --help", near ? near : "", near ? "`?" : "");
	return CMD_USAGE;
}
