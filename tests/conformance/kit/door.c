/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pvs-door: this project's implementation behind the line protocol of docs/conformance.md. An op
 * line comes in on stdin, its result line goes out on stdout, at once.
 *
 *	pvs-door            speaks until stdin ends
 *	pvs-door --where    names the file the engine's functions come from, and ends
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "door.h"

static struct pvs_replay replay;

static struct replay_word words_of(const char *line)
{
	struct replay_word w = { line, (pvs_u32)strcspn(line, "#\r\n") };

	return w;
}

/* One op that only the door has; the answer is in `out`. */
static void run_own(const struct replay_kind_info *info, struct replay_word rest,
		    struct replay_text *out)
{
	static struct replay_op op;
	static struct replay_result result;

	memset(&op, 0, sizeof(op));
	if (replay_parse_op(info, rest, &op))
		replay_put(out, "syntax");
	else if (door_exec(&replay, &op, &result))
		replay_put(out, "error");
	else
		replay_format(info->out, &result, out);
}

static void run_line(const char *line)
{
	static char answer[REPLAY_LINE_MAX];
	struct replay_word rest = words_of(line);
	struct replay_word name = replay_next(&rest);
	const struct replay_kind_info *own = door_op_named(name);
	struct replay_text out;

	if (!name.len || replay_same(name, "="))
		return;
	if (own) {
		replay_text_open(&out, answer, sizeof(answer));
		run_own(own, rest, &out);
		puts(answer);
		return;
	}
	(void)pvs_replay_line(&replay, line, (pvs_u32)strlen(line));
	if (replay_same(name, "vector"))
		door_forget();
	else
		puts(pvs_replay_result(&replay));
}

/* Which file the dynamic linker took the engine from. */
static int tell_where(void)
{
	Dl_info info;

	if (!dladdr(dlsym(RTLD_DEFAULT, "pvs_step"), &info) || !info.dli_fname)
		return 1;
	puts(info.dli_fname);
	return 0;
}

int main(int argc, char **argv)
{
	char line[2 * REPLAY_LINE_MAX];

	if (argc == 2 && !strcmp(argv[1], "--where"))
		return tell_where();
	if (argc != 1) {
		fprintf(stderr, "usage: pvs-door [--where]\n");
		return 2;
	}
	door_ops_init();
	pvs_replay_init(&replay);
	run_line("vector door");
	while (fgets(line, sizeof(line), stdin)) {
		run_line(line);
		fflush(stdout);
	}
	return 0;
}
