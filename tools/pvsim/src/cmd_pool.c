// SPDX-License-Identifier: BSD-2-Clause
/* cmd_pool.c - runs side by side: a process each, what they say through pipes, in order. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"

#define JOBS_MAX 256u
#define CHUNK 65536u

/* One that runs, or has run and waits for its turn to be told of. */
struct job {
	pid_t pid;
	int fd;
	int state;       /* 0: not begun, 1: runs, 2: over */
	int ok;
	char *text;
	size_t length, room;
};

static uint32_t default_jobs(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 1 ? 1 : cpus > JOBS_MAX ? JOBS_MAX : (uint32_t)cpus;
}

static void child(const struct cmd_pool *pool, uint32_t index, int fd)
{
	FILE *out = fdopen(fd, "wb");
	int failed;

	if (!out)
		_exit(1);
	pool->work(pool->ctx, index, out);
	failed = ferror(out) || fclose(out);
	_exit(failed ? 1 : 0);
}

static int begin(const struct cmd_pool *pool, struct job *job, uint32_t index)
{
	int ends[2];

	if (pipe(ends) < 0)
		return -1;
	fflush(NULL);
	job->pid = fork();
	if (job->pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (!job->pid) {
		close(ends[0]);
		child(pool, index, ends[1]);
	}
	close(ends[1]);
	job->fd = ends[0];
	job->state = 1;
	return 0;
}

static void end(struct job *job)
{
	int status = 0;

	close(job->fd);
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	job->ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	job->state = 2;
}

/* Some more of what it says; its end when there is no more. */
static void hear(struct job *job)
{
	ssize_t got;

	if (job->length + CHUNK > job->room) {
		size_t room = 2 * job->room + CHUNK;
		char *text = realloc(job->text, room);

		if (!text)
			abort();
		job->text = text;
		job->room = room;
	}
	got = read(job->fd, job->text + job->length, CHUNK);
	if (got > 0)
		job->length += (size_t)got;
	else if (got == 0 || errno != EINTR)
		end(job);
}

/* Waits until one of those that run says something or ends. */
static void wait_for_some(struct job *jobs, uint32_t from, uint32_t until)
{
	struct pollfd fds[JOBS_MAX];
	uint32_t which[JOBS_MAX], count = 0, i;

	for (i = from; i < until; i++) {
		if (jobs[i].state != 1 || count == JOBS_MAX)
			continue;
		fds[count].fd = jobs[i].fd;
		fds[count].events = POLLIN;
		fds[count].revents = 0;
		which[count++] = i;
	}
	if (!count || poll(fds, count, -1) < 0)
		return;
	for (i = 0; i < count; i++)
		if (fds[i].revents)
			hear(&jobs[which[i]]);
}

static uint32_t running(const struct job *jobs, uint32_t from, uint32_t until)
{
	uint32_t count = 0, i;

	for (i = from; i < until; i++)
		count += jobs[i].state == 1;
	return count;
}

/* Hands over what is over, in order. Returns how many failed. */
static uint32_t tell(const struct cmd_pool *pool, struct job *jobs, uint32_t *told)
{
	uint32_t failed = 0;

	while (*told < pool->count && jobs[*told].state == 2) {
		struct job *job = &jobs[*told];
		FILE *in = job->length ? fmemopen(job->text, job->length, "rb") : NULL;

		pool->done(pool->ctx, *told, in, job->ok && in);
		failed += !(job->ok && in);
		if (in)
			fclose(in);
		free(job->text);
		job->text = NULL;
		++*told;
	}
	return failed;
}

uint32_t cmd_pool(const struct cmd_pool *pool)
{
	uint32_t most = pool->jobs ? pool->jobs : default_jobs(), begun = 0, told = 0, failed = 0;
	struct job *jobs = calloc(pool->count ? pool->count : 1, sizeof(*jobs));
	int terminal = pool->what && isatty(STDERR_FILENO);

	if (!jobs)
		abort();
	if (most > JOBS_MAX)
		most = JOBS_MAX;
	while (told < pool->count) {
		while (begun < pool->count && running(jobs, told, begun) < most) {
			if (begin(pool, &jobs[begun], begun) < 0)
				jobs[begun].state = 2;
			begun++;
		}
		wait_for_some(jobs, told, begun);
		failed += tell(pool, jobs, &told);
		if (terminal)
			fprintf(stderr, "\r%s: %u of %u ", pool->what, told, pool->count);
	}
	if (terminal)
		fprintf(stderr, "\r\033[K");
	free(jobs);
	return failed;
}
