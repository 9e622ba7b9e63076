/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays inputs without any fuzzer: entry_replay FILE-OR-DIRECTORY...
 * Prints how many there were; none at all is an error.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES 4096

static unsigned int replayed;

static void die(const char *what, const char *path)
{
	(void)fprintf(stderr, "%s: %s\n", path, what);
	exit(1);
}

static void replay_file(const char *path)
{
	static uint8_t bytes[FUZZ_INPUT_MAX];
	FILE *file = fopen(path, "rb");
	uint8_t *exact;
	size_t size;

	if (!file)
		die("cannot be opened", path);
	size = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	/* Of its own size, so that a sanitizer sees a read behind the end. */
	exact = malloc(size ? size : 1);
	if (!exact)
		die("no memory", path);
	memcpy(exact, bytes, size);
	fuzz_one(exact, size);
	free(exact);
	replayed++;
}

static void replay_directory(DIR *directory, const char *path)
{
	const struct dirent *entry;
	char name[PATH_BYTES];
	int length;

	for (entry = readdir(directory); entry; entry = readdir(directory)) {
		if (entry->d_name[0] == '.')
			continue;
		length = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (length < 0 || length >= (int)sizeof(name))
			die("path too long", path);
		replay_file(name);
	}
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		DIR *directory = opendir(argv[i]);

		if (!directory) {
			replay_file(argv[i]);
			continue;
		}
		replay_directory(directory, argv[i]);
		(void)closedir(directory);
	}
	fuzz_one(NULL, 0);
	printf("%u inputs replayed\n", replayed);
	return replayed ? 0 : 1;
}
