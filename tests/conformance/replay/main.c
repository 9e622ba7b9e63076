/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The replayer as a program.
 *
 *	replay [-t] [-g] [-q] FILE...
 *
 * Replays the vectors of the files in the order given and prints one line of figures. Every line
 * that does not hold is named on stderr. Exit status: 0 when all held.
 *	-t  also prints each op line with its result line, "OP -> RESULT", those of `generate` too
 *	-g  also prints "FILE:LINE digest=0x..." for each `generate` line
 *	-q  names no lines
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

static struct pvs_replay replay;
static int trace, digests, quiet;

void pvs_replay_observe(struct pvs_replay *r)
{
	if (trace)
		printf("%s -> %s\n", pvs_replay_op_line(r), pvs_replay_result(r));
}

static void complain(const char *path, unsigned int number, int rc)
{
	if (quiet)
		return;
	fflush(stdout);
	fprintf(stderr, "%s:%u: %s (vector %s)\n\t%s\n\t-> %s\n", path, number,
		rc == REPLAY_E_MISMATCH ? "not as expected" : "not in the language", replay.vector,
		pvs_replay_op_line(&replay), pvs_replay_result(&replay));
}

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[2 * REPLAY_LINE_MAX];
	unsigned int number = 0;

	if (!f) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), f)) {
		int rc = pvs_replay_line(&replay, line, (pvs_u32)strlen(line));

		number++;
		if (rc)
			complain(path, number, rc);
		if (trace && !strncmp(line, "vector", 6))
			printf("%s", line);
		if (digests && !strncmp(line, "generate", 8))
			printf("%s:%u %s\n", path, number, pvs_replay_result(&replay));
	}
	fclose(f);
	return 0;
}

int main(int argc, char **argv)
{
	struct pvs_replay_summary sum;
	char report[256];
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		trace |= strchr(argv[i], 't') != NULL;
		digests |= strchr(argv[i], 'g') != NULL;
		quiet |= strchr(argv[i], 'q') != NULL;
	}
	if (i == argc) {
		fprintf(stderr, "usage: replay [-t] [-g] [-q] FILE...\n");
		return 2;
	}
	pvs_replay_init(&replay);
	for (; i < argc; i++)
		if (replay_file(argv[i]))
			return 2;
	pvs_replay_end(&replay, &sum);
	pvs_replay_report(&replay, report, sizeof(report));
	printf("%s\n", report);
	return sum.mismatches || !sum.vectors;
}
