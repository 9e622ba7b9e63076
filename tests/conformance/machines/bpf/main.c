/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf-replay OBJECT VECTORS...: replays vectors with the engine in the running kernel. Lines are
 * read and written here; each op of a host is one run of a BPF program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "fields.h"
#include "world.h"

#define EXIT_SKIPPED 77

/* The programs of replay.bpf.c, and the kind of op from which on each is the one to run. */
static struct {
	const char *name;
	pvs_u32 first;
	int fd;
} programs[] = {
	{ "queue", RK_QUEUE_FIRST, -1 },
	{ "perf", RK_PERF_FIRST, -1 },
	{ "yield", RK_YIELD_FIRST, -1 },
	{ "decide", 0, -1 },
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

static struct pvs_replay replay;
static struct shared_world *shared;

static int fail(const char *what)
{
	fprintf(stderr, "bpf-replay: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

void pvs_replay_observe(struct pvs_replay *r)
{
	(void)r;
}

/* Instead of exec.c: the program's maps are the arguments. */
int pvs_replay_exec(struct replay_world *w, const struct replay_op *op, struct replay_result *res)
{
	struct bpf_test_run_opts options = { .sz = sizeof(options) };
	size_t i = 0;

	(void)w;
	(void)res;
	while (op->kind < programs[i].first)
		i++;
	if (bpf_prog_test_run_opts(programs[i].fd, &options) != 0)
		return -1;
	return (int)options.retval;
}

/*
 * Why programs cannot be loaded here, or NULL. Two instructions need the privilege that the
 * engine needs, and cannot be refused for what they do.
 */
static const char *unavailable(void)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, /* r0 = 0 */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_load_opts options = {
		.sz = sizeof(options), .prog_flags = BPF_F_SLEEPABLE,
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "probe", "GPL", nothing, 2, &options);

	if (fd >= 0) {
		close(fd);
		return NULL;
	}
	if (fd == -EPERM)
		return "bpf(2) is not permitted here";
	return "this kernel does not load BPF programs";
}

static int load(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	struct bpf_map *map;
	void *memory;
	size_t i;

	if (!object || bpf_object__load(object))
		return fail(path);
	for (i = 0; i < PROGRAMS; i++) {
		program = bpf_object__find_program_by_name(object, programs[i].name);
		if (!program)
			return fail(programs[i].name);
		programs[i].fd = bpf_program__fd(program);
	}
	map = bpf_object__find_map_by_name(object, "worlds");
	if (!map)
		return fail("worlds");
	memory = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map),
		      0);
	if (memory == MAP_FAILED)
		return fail("map");
	shared = memory;
	return EXIT_SUCCESS;
}

static int replay_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	void *text;

	if (fd < 0 || fstat(fd, &info) != 0)
		return fail(path);
	if (info.st_size > 0) {
		text = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (text == MAP_FAILED)
			return fail(path);
		pvs_replay_text(&replay, text, (pvs_u64)info.st_size);
		munmap(text, (size_t)info.st_size);
	}
	close(fd);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct pvs_replay_summary sum;
	const char *reason = unavailable();
	char line[256];
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: bpf-replay OBJECT VECTORS...\n");
		return EXIT_FAILURE;
	}
	if (reason) {
		printf("skipped: %s\n", reason);
		return EXIT_SKIPPED;
	}
	if (load(argv[1]) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	pvs_replay_init_at(&replay, &shared->world, &shared->op, &shared->result);
	for (i = 2; i < argc; i++) {
		if (replay_file(argv[i]) != EXIT_SUCCESS)
			return EXIT_FAILURE;
	}
	pvs_replay_end(&replay, &sum);
	pvs_replay_report(&replay, line, sizeof(line));
	printf("%s\n", line);
	return sum.mismatches ? EXIT_FAILURE : EXIT_SUCCESS;
}
