/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replays the images of abi/golden (format: abi/golden/README.md): regions against the guest shim,
 * choices and slots against the engine. The directory is the only argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvs/guest.h>
#include <pvs/pvs.h>

#define LINE_MAX_BYTES 512
#define SLOTS_BYTES 4096u

static const char *directory;

struct image {
	unsigned char header[PVS_HEADER_SIZE] __attribute__((aligned(4096)));
	unsigned char slots[SLOTS_BYTES] __attribute__((aligned(4096)));
	char expect[LINE_MAX_BYTES];
	char clause[LINE_MAX_BYTES];
};

/* "header 020 00ff" or "slot1 028 ...": stores the field. 0 if the line is something else. */
static int place(struct image *m, const char *line)
{
	char digits[32], part[16];
	unsigned int offset, size, i;
	unsigned long long value;
	unsigned char *to;

	if (sscanf(line, "%15s %x %31[0-9a-f]", part, &offset, digits) != 3)
		return 0;
	if (!strcmp(part, "header"))
		to = m->header;
	else if (!strcmp(part, "slot1"))
		to = m->slots + PVS_SLOT_SIZE;
	else
		return 0;
	size = (unsigned int)strlen(digits) / 2;
	value = strtoull(digits, NULL, 16);
	assert_true(size <= 8 && offset % size == 0 && offset + size <= PVS_HEADER_SIZE / 2);
	for (i = 0; i < size; i++)
		to[offset + i] = (unsigned char)(value >> (8 * i));
	return 1;
}

static struct image *load(const char *path)
{
	struct image *m = aligned_alloc(4096, (sizeof(*m) + 4095) & ~(size_t)4095);
	FILE *f = fopen(path, "r");
	char line[LINE_MAX_BYTES];

	assert_non_null(m);
	assert_non_null(f);
	memset(m, 0, sizeof(*m));
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "#\n")] = 0;
		if (!line[0] || place(m, line))
			continue;
		if (sscanf(line, "clause %511s", m->clause) == 1)
			continue;
		if (strncmp(line, "expect ", 7) || m->expect[0])
			fail_msg("%s: cannot read '%s'", path, line);
		memcpy(m->expect, line + 7, strlen(line + 7) + 1);
	}
	fclose(f);
	return m;
}

/* ---- the three kinds of answers: 1 when right ----------------------------------------------- */

static int bind_is_right(struct image *m, const char *expect)
{
	volatile struct pvs_region_header *h = (void *)m->header;
	unsigned long long wanted, accepted;
	struct pvs_guest g;
	int result, rc;

	assert_int_equal(sscanf(expect, "%llx %d %llx", &wanted, &result, &accepted), 3);
	rc = pvs_guest_bind(&g, h, m->slots, SLOTS_BYTES, wanted);
	if (rc != result)
		return 0;
	return rc != PVS_GUEST_KICK || PVS_LE64(h->features_accepted) == accepted;
}

static int choice_is_right(struct image *m, const char *expect)
{
	const struct pvs_region_header *h = (const void *)m->header;
	struct pvs_choice choice;
	unsigned int reason;

	assert_int_equal(sscanf(expect, "%u", &reason), 1);
	pvs_snapshot_choice(h, &choice);
	return pvs_negotiate(&choice, PVS_LE64(h->features_offered), PVS_LE32(h->generation)) ==
	       reason;
}

static int field_of(const struct pvs_hint *h, const char *key, unsigned int *value)
{
	const struct {
		const char *key;
		unsigned int value;
	} fields[] = {
		{ "online", (h->flags & PVS_HINT_ONLINE) != 0 },
		{ "malformed", h->malformed },
		{ "urgency", h->urgency },
		{ "level", h->level },
		{ "wake_urgency", h->wake_urgency },
		{ "wake_level", h->wake_level },
		{ "pending", h->pending },
		{ "crit", h->crit },
		{ "irq", h->irq },
		{ "irq_ack", h->irq_ack },
		{ "util", h->util },
		{ "util_floor", h->util_floor },
		{ "util_ceil", h->util_ceil },
		{ "window_us", h->window_us },
		{ "seq", h->seq },
		{ "wait_kind", h->wait_kind },
		{ "wait_target", h->wait_target },
		{ "wait_epoch", h->wait_epoch },
		{ "wait_mask", h->wait_mask },
	};
	unsigned int i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!strcmp(fields[i].key, key)) {
			*value = fields[i].value;
			return 1;
		}
	return 0;
}

static int hint_is_right(struct image *m, const char *expect)
{
	const struct pvs_region_header *h = (const void *)m->header;
	struct pvs_terms terms = { .features = PVS_LE64(h->features_accepted),
				   .generation = PVS_LE32(h->generation),
				   .slot_count = PVS_LE32(h->slot_count), .active = 1 };
	struct pvs_snapshot snap;
	struct pvs_hint hint;
	unsigned int wanted, value = 0;
	char key[32];
	int used;

	memset(&hint, 0, sizeof(hint));
	pvs_snapshot((const void *)(m->slots + PVS_SLOT_SIZE), &snap);
	pvs_validate(&snap, &terms, &hint, &hint);
	while (sscanf(expect, "%31s %u%n", key, &wanted, &used) == 2) {
		assert_true(field_of(&hint, key, &value));
		if (value != wanted)
			return 0;
		expect += used;
	}
	return 1;
}

static int is_right(struct image *m)
{
	if (!strncmp(m->expect, "bind ", 5))
		return bind_is_right(m, m->expect + 5);
	if (!strncmp(m->expect, "choice ", 7))
		return choice_is_right(m, m->expect + 7);
	if (!strncmp(m->expect, "hint ", 5))
		return hint_is_right(m, m->expect + 5);
	return 0;
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* Calls `check` on each image; returns how many there are. */
static unsigned int for_each(void (*check)(const char *name, struct image *m))
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	unsigned int count = 0;
	char path[4096];

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');
		struct image *m;

		if (!dot || strcmp(dot, ".region"))
			continue;
		assert_true(snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) <
			    (int)sizeof(path));
		m = load(path);
		check(entry->d_name, m);
		free(m);
		count++;
	}
	closedir(dir);
	return count;
}

static void must_be_right(const char *name, struct image *m)
{
	assert_true(m->clause[0]);
	if (!is_right(m))
		fail_msg("%s (%s): expected '%s'", name, m->clause, m->expect);
}

static void golden__every_image_gets_its_answer(void **state)
{
	(void)state;
	assert_true(for_each(must_be_right) >= 60);
}

/* The same image with its last number changed must be found wrong. */
static void must_be_wrong(const char *name, struct image *m)
{
	char *last = strrchr(m->expect, ' ');

	/* what was accepted matters only where binding works */
	if (!strncmp(m->expect, "bind ", 5) && strstr(m->expect, " -1")) {
		*last = 0;
		last = strrchr(m->expect, ' ');
		memcpy(last, " -1 0", 6);
	} else {
		memcpy(last, " 31", 4);
	}
	if (is_right(m))
		fail_msg("%s: '%s' was taken for right", name, m->expect);
}

static void golden__a_wrong_answer_is_found(void **state)
{
	(void)state;
	assert_true(for_each(must_be_wrong) >= 60);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden__every_image_gets_its_answer),
		cmocka_unit_test(golden__a_wrong_answer_is_found),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	directory = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
