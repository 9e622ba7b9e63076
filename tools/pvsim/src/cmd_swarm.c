/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_swarm.c - `pvsim swarm`: random scenarios with invariants on, on all cores. Each seed runs in
 * a process of its own: a crash is a failure of that seed and of no other.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime() */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "swarm.h"

#define JOBS_MAX 64u
#define FAILURES_SHOWN 5u

int cmd_swarm(int argc, char **argv);

struct swarm {
	uint64_t from, seeds;
	uint32_t jobs, defects;
	const char *policy, *out, *json;
	int single, verbose, shrink, hashes;
	/* so far */
	uint64_t next, done, events, failures;
	struct timespec began;
};

static const char usage[] =
	"pvsim swarm: random machines, guests, liars, devices and faults, with invariants on\n"
	"\n"
	"  pvsim swarm [--seeds N] [--from S] [--jobs J] [--policy NAME] [--defect NAME]...\n"
	"              [--out DIR] [--json FILE] [--hashes] [--no-shrink]\n"
	"  pvsim swarm --seed S [--verbose]   one of them again\n"
	"\n"
	"  --seeds N      so many, default 1000\n"
	"  --from S       the first one, default 1\n"
	"  --jobs J       processes at a time, default: one for each CPU\n"
	"  --policy NAME  always this one; default: a random one for each seed\n"
	"  --defect NAME  puts a defect back, to see an invariant fail\n"
	"  --out DIR      where shrunk scenarios of failing seeds go, default: here\n"
	"  --json FILE    the numbers, for machines\n"
	"  --hashes       prints the hash of each seed's trace\n"
	"  --no-shrink    failing seeds are not shrunk\n"
	"  --verbose      prints the scenario of --seed, too\n"
	"\n"
	"Exit status: 0 no invariant failed, 1 one did, 2 wrong usage.\n";

static const struct { const char *name; uint32_t flag; } defects[] = {
	{ "no-deboost", SIM_DEFECT_NO_DEBOOST }, { "free-boost", SIM_DEFECT_FREE_BOOST },
	{ "sampled", SIM_DEFECT_SAMPLED }, { "no-storm", SIM_DEFECT_NO_STORM },
	{ "no-vm-cap", SIM_DEFECT_NO_VM_CAP }, { "no-rate", SIM_DEFECT_NO_RATE },
	{ "deaf", SIM_DEFECT_DEAF }, { "no-restore", SIM_DEFECT_NO_RESTORE },
	{ "no-epoch", SIM_DEFECT_NO_EPOCH }, { "no-yield", SIM_DEFECT_NO_YIELD },
};

/* ---- options ----------------------------------------------------------------------------------*/

static int wrong(const char *what, const char *value)
{
	fprintf(stderr, "pvsim swarm: %s: '%s'\n%s", what, value, usage);
	return -1;
}

static int number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-')
		return wrong("not a number", text);
	return 0;
}

static int take_defect(struct swarm *w, const char *name)
{
	uint32_t i;

	for (i = 0; i < sizeof(defects) / sizeof(defects[0]); i++) {
		if (!strcmp(defects[i].name, name)) {
			w->defects |= defects[i].flag;
			return 0;
		}
	}
	return wrong("no such defect", name);
}

/* Options without a value: 1 if it was one. */
static int take_switch(struct swarm *w, const char *option)
{
	if (!strcmp(option, "--verbose"))
		w->verbose = 1;
	else if (!strcmp(option, "--hashes"))
		w->hashes = 1;
	else if (!strcmp(option, "--no-shrink"))
		w->shrink = 0;
	else
		return 0;
	return 1;
}

static int take_option(struct swarm *w, const char *option, const char *value)
{
	uint64_t jobs;

	if (!strcmp(option, "--seeds"))
		return number(value, &w->seeds);
	if (!strcmp(option, "--from"))
		return number(value, &w->from);
	if (!strcmp(option, "--seed")) {
		w->single = 1;
		w->seeds = 1;
		return number(value, &w->from);
	}
	if (!strcmp(option, "--jobs")) {
		if (number(value, &jobs) || !jobs || jobs > JOBS_MAX)
			return wrong("so many jobs cannot be", value);
		w->jobs = (uint32_t)jobs;
		return 0;
	}
	if (!strcmp(option, "--policy")) {
		w->policy = value;
		return sim_policy_find(value) ? 0 : wrong("no such policy", value);
	}
	if (!strcmp(option, "--defect"))
		return take_defect(w, value);
	if (!strcmp(option, "--out"))
		w->out = value;
	else if (!strcmp(option, "--json"))
		w->json = value;
	else
		return wrong("no such option", option);
	return 0;
}

static int take_options(struct swarm *w, int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int i;

	*w = (struct swarm){ .from = 1, .seeds = 1000, .shrink = 1, .out = "." };
	w->jobs = cpus < 1 ? 1 : cpus > (long)JOBS_MAX ? JOBS_MAX : (uint32_t)cpus;
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			fputs(usage, stdout);
			return 1;
		}
		if (take_switch(w, argv[i]))
			continue;
		if (i + 1 == argc)
			return wrong("no such option, or its value is missing", argv[i]);
		if (take_option(w, argv[i], argv[i + 1]))
			return -1;
		i++;
	}
	w->next = w->from;
	return 0;
}

/* ---- what is printed --------------------------------------------------------------------------*/

static double seconds(const struct swarm *w)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - w->began.tv_sec) +
	       (double)(now.tv_nsec - w->began.tv_nsec) / 1e9;
}

static void progress(const struct swarm *w)
{
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%" PRIu64 "/%" PRIu64 " seeds, %" PRIu64
		" failed, %.1f M events, %.0f s ",
		w->done, w->seeds, w->failures, (double)w->events / 1e6,
		seconds(w));
	if (w->done == w->seeds)
		fputc('\n', stderr);
}

/* The shrunk scenario goes to a file; its path, or "" when it cannot be written. */
static void write_shrunk(const struct swarm *w, const struct sim_scenario *s, char *path,
			 size_t size)
{
	FILE *file;

	snprintf(path, size, "%s/%s.yaml", w->out, s->name);
	file = fopen(path, "w");
	if (!file || sim_scenario_write(s, file)) {
		fprintf(stderr, "pvsim swarm: %s: %s\n", path, strerror(errno));
		path[0] = 0;
	}
	if (file)
		fclose(file);
}

static void replay_command(const struct swarm *w, uint64_t seed)
{
	uint32_t i;

	printf("  again:  pvsim swarm --seed %" PRIu64 " --verbose", seed);
	if (w->policy)
		printf(" --policy %s", w->policy);
	for (i = 0; i < sizeof(defects) / sizeof(defects[0]); i++)
		if (w->defects & defects[i].flag)
			printf(" --defect %s", defects[i].name);
	printf("\n");
}

static void tell_failure(struct swarm *w, const struct sim_swarm_result *failed)
{
	struct sim_scenario *s = sim_swarm_scenario(failed->seed, w->policy);
	struct sim_swarm_result shrunk = *failed;
	char path[512] = "";
	uint32_t runs;

	printf("seed %" PRIu64 ", %s: at %" PRIu64 " ns: %s\n", failed->seed, s->runs[0].policy,
	       failed->failed_ns, failed->failure);
	replay_command(w, failed->seed);
	if (w->shrink && w->failures <= FAILURES_SHOWN) {
		runs = sim_swarm_shrink(s, w->defects, &shrunk);
		s->runs[0].defects = w->defects;
		write_shrunk(w, s, path, sizeof(path));
		if (path[0])
			printf("  shrunk: %s (%" PRIu32 " runs): %s\n", path, runs, shrunk.failure);
	}
	fflush(stdout);
	sim_swarm_free(s);
}

static void tell_result(struct swarm *w, const struct sim_swarm_result *result)
{
	w->done++;
	w->events += result->events;
	if (w->hashes)
		printf("%" PRIu64 " %016" PRIx64 " %" PRIu64 "\n", result->seed, result->hash,
		       result->events);
	if (result->failure[0]) {
		w->failures++;
		tell_failure(w, result);
	}
	progress(w);
}

static int write_json(const struct swarm *w)
{
	double s = seconds(w);
	FILE *file = fopen(w->json, "w");

	if (!file) {
		fprintf(stderr, "pvsim swarm: %s: %s\n", w->json, strerror(errno));
		return -1;
	}
	fprintf(file, "{\"swarm_seeds\": %" PRIu64 ", \"swarm_failures\": %" PRIu64
		", \"swarm_events\": %" PRIu64 ", \"swarm_seconds\": %.1f}\n",
		w->done, w->failures, w->events, s);
	return fclose(file);
}

/* ---- many at a time ---------------------------------------------------------------------------*/

/* The next seed in a free place; 0 when there are no more. */
static int start_next(struct swarm *w, struct sim_swarm_job *job)
{
	struct sim_scenario *s;

	if (w->next >= w->from + w->seeds)
		return 0;
	s = sim_swarm_scenario(w->next++, w->policy);
	if (sim_swarm_start(job, s, w->defects)) {
		perror("pvsim swarm");
		exit(2);
	}
	sim_swarm_free(s);
	return 1;
}

static void run_all(struct swarm *w)
{
	struct sim_swarm_job jobs[JOBS_MAX];
	struct pollfd fds[JOBS_MAX];
	struct sim_swarm_result result;
	uint32_t i, running = 0;

	for (i = 0; i < w->jobs; i++) {
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
		if (start_next(w, &jobs[i])) {
			fds[i].fd = jobs[i].fd;
			running++;
		}
	}
	while (running) {
		if (poll(fds, w->jobs, -1) < 0)
			continue;
		for (i = 0; i < w->jobs; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			sim_swarm_finish(&jobs[i], &result);
			fds[i].fd = start_next(w, &jobs[i]) ? jobs[i].fd : -1;
			running -= fds[i].fd < 0;
			tell_result(w, &result);
		}
	}
}

int cmd_swarm(int argc, char **argv)
{
	struct swarm w;
	struct sim_scenario *s;
	int taken = take_options(&w, argc, argv);

	if (taken)
		return taken < 0 ? 2 : 0;
	clock_gettime(CLOCK_MONOTONIC, &w.began);
	if (w.single && w.verbose) {
		s = sim_swarm_scenario(w.from, w.policy);
		sim_scenario_write(s, stdout);
		sim_swarm_free(s);
	}
	run_all(&w);
	printf("%" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64 " events, %.1f s\n", w.done,
	       w.failures, w.events, seconds(&w));
	if (w.json && write_json(&w))
		return 2;
	return w.failures ? 1 : 0;
}
