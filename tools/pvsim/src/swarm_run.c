/* SPDX-License-Identifier: BSD-2-Clause */
/* swarm_run.c - runs one scenario of the swarm, and shrinks one that fails. */
#define _POSIX_C_SOURCE 200809L /* fork() */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "swarm.h"

/* A second of virtual time takes less than one of ours; this is an endless loop. */
#define HANGS_S 20u
#define SHRINK_RUNS_MAX 600u

int sim_swarm_run(const struct sim_scenario *s, uint32_t defects, struct sim_swarm_result *result)
{
	struct sim_options options = { .checking = 1, .defects = defects };
	char error[200] = "";
	struct sim *sim = sim_new(s, &options, error, sizeof(error));

	memset(result, 0, sizeof(*result));
	result->seed = s->seed;
	if (!sim) {
		snprintf(result->failure, sizeof(result->failure), "setup: %s", error);
		return -1;
	}
	sim_run(sim, &options);
	result->hash = sim->trace.hash;
	result->events = sim->queue.fired;
	result->failed_ns = sim->failure_ns;
	snprintf(result->failure, sizeof(result->failure), "%s", sim->failure);
	sim_free(sim);
	return result->failure[0] ? -1 : 0;
}

/* Reads all of it, or fails. */
static int read_all(int fd, void *to, size_t size)
{
	size_t have = 0;
	ssize_t n;

	while (have < size) {
		n = read(fd, (char *)to + have, size - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	return 0;
}

static void run_child(const struct sim_scenario *s, uint32_t defects, int fd)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sim_swarm_result result;
	uint32_t i;

	/* Nobody who handles them is meant here. */
	for (i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], SIG_DFL);
	alarm(HANGS_S);
	sim_swarm_run(s, defects, &result);
	if (write(fd, &result, sizeof(result)) != (ssize_t)sizeof(result))
		_exit(1);
	_exit(0);
}

int sim_swarm_start(struct sim_swarm_job *job, const struct sim_scenario *s, uint32_t defects)
{
	int fds[2];

	fflush(NULL);
	if (pipe(fds))
		return -1;
	job->seed = s->seed;
	job->pid = fork();
	if (job->pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	if (!job->pid) {
		close(fds[0]);
		run_child(s, defects, fds[1]);
	}
	close(fds[1]);
	job->fd = fds[0];
	return 0;
}

int sim_swarm_finish(struct sim_swarm_job *job, struct sim_swarm_result *result)
{
	int status = 0, got = read_all(job->fd, result, sizeof(*result));

	close(job->fd);
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!got)
		return result->failure[0] ? -1 : 0;
	memset(result, 0, sizeof(*result));
	result->seed = job->seed;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(result->failure, sizeof(result->failure), "hangs: no end after %u s",
			 HANGS_S);
	else
		snprintf(result->failure, sizeof(result->failure), "crash: status %d", status);
	return -1;
}

int sim_swarm_fork(const struct sim_scenario *s, uint32_t defects, struct sim_swarm_result *result)
{
	struct sim_swarm_job job;

	if (!sim_swarm_start(&job, s, defects))
		return sim_swarm_finish(&job, result);
	memset(result, 0, sizeof(*result));
	result->seed = s->seed;
	snprintf(result->failure, sizeof(result->failure), "setup: %s", strerror(errno));
	return -1;
}

int sim_swarm_same(const char *failure, const char *other)
{
	size_t n = strcspn(failure, ":");

	return n == strcspn(other, ":") && !strncmp(failure, other, n);
}

/* ---- shrinking --------------------------------------------------------------------------------*/

struct shrink {
	struct sim_scenario *s;
	uint32_t defects, runs;
	struct sim_swarm_result *best;
	uint32_t gone; /* in this round */
};

/* Whether a file of it could be read: each lock has its unlock, each program takes time, ... */
static int is_valid(const struct sim_scenario *s)
{
	struct sim_scenario *read = NULL;
	char *text = NULL, *errors = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return 0;
	if (!sim_scenario_write(s, file) && !fflush(file))
		read = sim_scenario_parse(s->name, text, size, NULL, 0, &errors);
	fclose(file);
	free(text);
	free(errors);
	sim_scenario_free(read);
	return read != NULL;
}

/* Whether it still fails as it did. */
static int still_fails(struct shrink *k)
{
	struct sim_swarm_result now;

	if (k->runs >= SHRINK_RUNS_MAX || !is_valid(k->s))
		return 0;
	k->runs++;
	sim_swarm_fork(k->s, k->defects, &now);
	if (!now.failure[0] || !sim_swarm_same(k->best->failure, now.failure))
		return 0;
	*k->best = now;
	k->gone++;
	return 1;
}

static void shrink_steps(struct shrink *k, struct sim_task_spec *t)
{
	struct sim_step saved;
	uint32_t i;

	for (i = t->step_count; i-- > 0;) {
		size_t behind = (t->step_count - i - 1) * sizeof(saved);

		saved = t->steps[i];
		memmove(&t->steps[i], &t->steps[i + 1], behind);
		t->step_count--;
		if (still_fails(k))
			continue;
		memmove(&t->steps[i + 1], &t->steps[i], behind);
		t->steps[i] = saved;
		t->step_count++;
	}
}

/* Takes each of an array's elements away, the last first; those that are needed come back. */
static void shrink_array(struct shrink *k, void *array, uint32_t *count, size_t size,
			 void (*forget)(const void *element))
{
	unsigned char saved[sizeof(struct sim_vm_spec) + sizeof(struct sim_task_spec)];
	uint32_t i;

	for (i = *count; i-- > 0;) {
		unsigned char *at = (unsigned char *)array + i * size;
		size_t behind = (*count - i - 1) * size;

		memcpy(saved, at, size);
		memmove(at, at + size, behind);
		--*count;
		if (still_fails(k)) {
			if (forget)
				forget(saved);
			continue;
		}
		memmove(at + size, at, behind);
		memcpy(at, saved, size);
		++*count;
	}
}

static void forget_vm(const void *element)
{
	struct sim_vm_spec vm;

	memcpy(&vm, element, sizeof(vm));
	free(vm.tasks);
}

/* Another value, if it fails with that, too. */
static void try_u32(struct shrink *k, uint32_t *field, uint32_t value)
{
	uint32_t was = *field;

	if (was == value)
		return;
	*field = value;
	if (!still_fails(k))
		*field = was;
}

static void try_u8(struct shrink *k, uint8_t *field, uint8_t value)
{
	uint8_t was = *field;

	if (was == value)
		return;
	*field = value;
	if (!still_fails(k))
		*field = was;
}

static void try_u64(struct shrink *k, uint64_t *field, uint64_t value)
{
	uint64_t was = *field;

	if (was == value)
		return;
	*field = value;
	if (!still_fails(k))
		*field = was;
}

static void shrink_task(struct shrink *k, struct sim_task_spec *t)
{
	shrink_steps(k, t);
	try_u32(k, &t->count, 1);
	try_u64(k, &t->start_ns, 0);
	try_u32(k, &t->window_us, 0);
	try_u64(k, &t->affinity, 0);
	try_u32(k, &t->rt_prio, 0);
	try_u32(k, &t->weight, 1024);
}

static void shrink_vm(struct shrink *k, struct sim_vm_spec *vm)
{
	uint32_t i;

	shrink_array(k, vm->tasks, &vm->task_count, sizeof(vm->tasks[0]), NULL);
	for (i = 0; i < vm->task_count; i++)
		shrink_task(k, &vm->tasks[i]);
	while (vm->vcpus > 1) {
		uint32_t was = vm->vcpus;

		try_u32(k, &vm->vcpus, was - 1);
		if (vm->vcpus == was)
			break;
	}
	try_u8(k, &vm->liar, SIM_HONEST);
	try_u32(k, &vm->guest_hz, 0);
	try_u64(k, &vm->halt_poll_ns, 0);
	try_u64(k, &vm->hint_cost_ns, 0);
	try_u32(k, &vm->hint_rate_hz, 0);
	try_u32(k, &vm->entitlement_q16, 0);
	try_u32(k, &vm->rt_prio, 0);
	try_u64(k, &vm->affinity, 0);
	try_u8(k, &vm->pin, 0);
	try_u32(k, &vm->weight, 1024);
}

static void shrink_machine(struct shrink *k, struct sim_machine_spec *m)
{
	struct sim_costs defaults, was = m->costs;

	try_u32(k, &m->cluster_count, 0);
	if (!m->cluster_count) {
		try_u8(k, &m->dvfs, 0);
		while (m->cpus > 1) {
			uint32_t cpus = m->cpus;

			try_u32(k, &m->cpus, cpus - 1);
			if (m->cpus == cpus)
				break;
		}
	}
	try_u32(k, &m->tick_hz, 0);
	sim_costs_default(&defaults);
	if (!memcmp(&was, &defaults, sizeof(was)))
		return;
	m->costs = defaults;
	if (!still_fails(k))
		m->costs = was;
}

static void shrink_round(struct shrink *k)
{
	struct sim_scenario *s = k->s;
	uint32_t i;

	/* What fails early needs no more time; what fails at the end does. */
	if (k->best->failed_ns + SIM_US < s->duration_ns && !s->quiet_ns)
		try_u64(k, &s->duration_ns, k->best->failed_ns + SIM_US);
	shrink_array(k, s->faults, &s->fault_count, sizeof(*s->faults), NULL);
	shrink_array(k, s->devices, &s->device_count, sizeof(*s->devices), NULL);
	shrink_array(k, s->host_tasks, &s->host_task_count, sizeof(*s->host_tasks), NULL);
	if (s->vm_count > 1)
		shrink_array(k, s->vms, &s->vm_count, sizeof(*s->vms), forget_vm);
	for (i = 0; i < s->vm_count; i++)
		shrink_vm(k, &s->vms[i]);
	for (i = 0; i < s->host_task_count; i++)
		shrink_task(k, &s->host_tasks[i]);
	shrink_machine(k, &s->machine);
	shrink_array(k, s->config, &s->config_count, sizeof(*s->config), NULL);
	shrink_array(k, s->params, &s->param_count, sizeof(*s->params), NULL);
	try_u32(k, &s->config_profile, PVS_PROFILE_DEFAULT);
}

uint32_t sim_swarm_shrink(struct sim_scenario *s, uint32_t defects,
			  struct sim_swarm_result *result)
{
	struct shrink k = { .s = s, .defects = defects, .best = result };

	try_u64(&k, &s->quiet_ns, 0);
	do {
		k.gone = 0;
		shrink_round(&k);
	} while (k.gone && k.runs < SHRINK_RUNS_MAX);
	return k.runs;
}
