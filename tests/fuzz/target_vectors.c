/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vectors: text for the replayer (tests/conformance/replay). Whatever the text, it is refused or
 * run; a result that was printed is understood when it is read back, and is the same again.
 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "replay.h"

#define LINES_MAX 200u

static struct pvs_replay replay __attribute__((aligned(4096)));

static int holds(const char *line, size_t length, const char *word)
{
	size_t size = strlen(word);
	size_t i;

	for (i = 0; i + size <= length; i++) {
		if (!memcmp(line + i, word, size))
			return 1;
	}
	return 0;
}

static void printable(const char *text)
{
	size_t i;

	FUZZ_RULE("vectors: a line without an end", memchr(text, 0, REPLAY_LINE_MAX));
	for (i = 0; text[i]; i++)
		FUZZ_RULE("vectors: a result that is no text", text[i] >= ' ' && text[i] <= '~');
}

/* What was printed holds when it is read as an expectation of the same result. */
static void read_back(void)
{
	char line[REPLAY_LINE_MAX + 4];
	struct pvs_replay_summary before;
	struct pvs_replay_summary after;
	int length;

	pvs_replay_end(&replay, &before);
	length = snprintf(line, sizeof(line), "= %s", pvs_replay_result(&replay));
	if (!strcmp(line, "= ok"))
		return;
	FUZZ_RULE("vectors: a result is not read back",
		  pvs_replay_line(&replay, line, (pvs_u32)length) == REPLAY_OK);
	pvs_replay_end(&replay, &after);
	FUZZ_RULE("vectors: reading back changes the digest", before.digest == after.digest);
}

static void take(const char *line, size_t length)
{
	struct pvs_replay_summary before;
	struct pvs_replay_summary after;
	int status;

	if (holds(line, length, "generate"))
		return; /* it runs for as long as it says */
	pvs_replay_end(&replay, &before);
	status = pvs_replay_line(&replay, line, (pvs_u32)length);
	pvs_replay_end(&replay, &after);
	if (FUZZ_CANARY(status == REPLAY_OK && holds(line, length, "=00")))
		status = REPLAY_E_SYNTAX;
	FUZZ_RULE("vectors: status", status == REPLAY_OK || status == REPLAY_E_SYNTAX ||
		  status == REPLAY_E_MISMATCH);
	FUZZ_RULE("vectors: what is refused is counted",
		  (status == REPLAY_OK) == (after.mismatches == before.mismatches));
	FUZZ_RULE("vectors: more than one step a line", after.steps - before.steps <= 1u);
	printable(pvs_replay_result(&replay));
	if (status == REPLAY_OK && after.steps != before.steps)
		read_back();
}

void fuzz_one(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	unsigned int lines = 0;

	if (size > FUZZ_INPUT_MAX)
		size = FUZZ_INPUT_MAX;
	pvs_replay_init(&replay);
	while (size && lines++ < LINES_MAX) {
		const char *end = memchr(at, '\n', size);
		size_t length = end ? (size_t)(end - at) : size;

		take(at, length);
		if (end)
			length++;
		at += length;
		size -= length;
	}
}
