// SPDX-License-Identifier: BSD-2-Clause
/*
 * measure.c - the rows of a run. Sums that only grow are taken twice, when the warm-up is over and
 * at the end; what tasks measured, and histograms, begin anew after the warm-up.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define PPM 1000000u
/* A thread that was blocked for less than this part of the time always wanted a CPU. */
#define ALWAYS_PART 500u

struct thread_sums {
	uint64_t run_ns, wait_ns, boosted_ns, preempted, wakeups, migrations;
};

struct cpu_sums {
	uint64_t busy_ns, idle_ns, energy_nj, switches, migrations, ipis;
};

struct measure {
	uint64_t from_ns;
	uint32_t thread_count, cpu_count;
	struct thread_sums *threads;
	struct cpu_sums *cpus;
};

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		abort();
	return memory;
}

/* ---- the two looks ----------------------------------------------------------------------------*/

static struct thread_sums thread_sums(const struct sim *sim, const struct sim_thread *t)
{
	struct thread_sums s = {
		.run_ns = sim_thread_run_ns(sim, t),
		.wait_ns = sim_thread_wait_ns(sim, t),
		.boosted_ns = t->boosted_ns,
		.preempted = t->preempted,
		.wakeups = t->wakeups,
		.migrations = t->migrations,
	};

	return s;
}

static struct cpu_sums cpu_sums(const struct sim_cpu *cpu)
{
	struct cpu_sums s = {
		.busy_ns = cpu->busy_ns,
		.idle_ns = cpu->idle_ns,
		.energy_nj = cpu->energy_nj,
		.switches = cpu->switches,
		.migrations = cpu->migrations_in,
		.ipis = cpu->ipis,
	};

	return s;
}

static void settle_all(struct sim *sim)
{
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++)
		sim_settle(sim, &sim->cpus[i]);
}

static void begin_anew(struct sim *sim)
{
	uint32_t i;

	for (i = 0; i < sim->task_count; i++)
		memset(&sim->tasks[i]->stats, 0, sizeof(sim->tasks[i]->stats));
	for (i = 0; i < sim->thread_count; i++) {
		if (sim->threads[i]->waits)
			memset(sim->threads[i]->waits, 0, sizeof(*sim->threads[i]->waits));
		sim->threads[i]->wait_max_ns = 0;
	}
}

void sim_measure_begin(struct sim *sim)
{
	struct measure *m = zeroed(1, sizeof(*m));
	uint32_t i;

	sim_measure_free(sim);
	sim->measure_data = m;
	settle_all(sim);
	m->from_ns = sim->now_ns;
	m->thread_count = sim->thread_count;
	m->cpu_count = sim->cpu_count;
	m->threads = zeroed(m->thread_count, sizeof(*m->threads));
	m->cpus = zeroed(m->cpu_count, sizeof(*m->cpus));
	for (i = 0; i < m->thread_count; i++)
		m->threads[i] = thread_sums(sim, sim->threads[i]);
	for (i = 0; i < m->cpu_count; i++)
		m->cpus[i] = cpu_sums(&sim->cpus[i]);
	begin_anew(sim);
}

void sim_measure_free(struct sim *sim)
{
	struct measure *m = sim->measure_data;

	if (!m)
		return;
	free(m->threads);
	free(m->cpus);
	free(m);
	sim->measure_data = NULL;
}

/* What came since the warm-up. */
static struct thread_sums thread_since(const struct sim *sim, const struct sim_thread *t)
{
	const struct measure *m = sim->measure_data;
	struct thread_sums s = thread_sums(sim, t);

	if (m && t->id < m->thread_count) {
		s.run_ns -= m->threads[t->id].run_ns;
		s.wait_ns -= m->threads[t->id].wait_ns;
		s.boosted_ns -= m->threads[t->id].boosted_ns;
		s.preempted -= m->threads[t->id].preempted;
		s.wakeups -= m->threads[t->id].wakeups;
		s.migrations -= m->threads[t->id].migrations;
	}
	return s;
}

static struct cpu_sums cpu_since(const struct sim *sim, const struct sim_cpu *cpu)
{
	const struct measure *m = sim->measure_data;
	struct cpu_sums s = cpu_sums(cpu);

	if (m && cpu->id < m->cpu_count) {
		s.busy_ns -= m->cpus[cpu->id].busy_ns;
		s.idle_ns -= m->cpus[cpu->id].idle_ns;
		s.energy_nj -= m->cpus[cpu->id].energy_nj;
		s.switches -= m->cpus[cpu->id].switches;
		s.migrations -= m->cpus[cpu->id].migrations;
		s.ipis -= m->cpus[cpu->id].ipis;
	}
	return s;
}

static uint64_t measured_ns(const struct sim *sim)
{
	const struct measure *m = sim->measure_data;
	uint64_t ns = sim->now_ns - (m ? m->from_ns : 0);

	return ns ? ns : 1;
}

/* part / whole in millionths; part up to 2^63. */
static uint64_t ppm(uint64_t part, uint64_t whole)
{
	if (!whole)
		return 0;
	while (part > UINT64_MAX / PPM) {
		part >>= 1;
		whole >>= 1;
	}
	return whole ? (part * PPM + whole / 2) / whole : 0;
}

/* ---- tasks ------------------------------------------------------------------------------------*/

static void hist_row(struct sim *sim, const struct sim_hist *h, const char *vm, const char *task,
		     const char *what)
{
	if (h->count)
		sim_result_hist(sim->result, h, "task.%s/%s.%s", vm, task, what);
}

static void task_rows(struct sim *sim, const struct sim_task *task, const char *vm,
		      const char *name)
{
	const struct sim_task_stats *s = &task->stats;
	struct sim_result *r = sim->result;

	sim_result_add(r, SIM_COUNT, s->jobs, "task.%s/%s.jobs", vm, name);
	sim_result_add(r, SIM_COUNT, s->misses, "task.%s/%s.misses", vm, name);
	sim_result_add(r, SIM_COUNT, s->loops, "task.%s/%s.loops", vm, name);
	sim_result_add(r, SIM_NS, s->work_ns, "task.%s/%s.work", vm, name);
	hist_row(sim, &s->wakeup, vm, name, "wakeup");
	hist_row(sim, &s->response, vm, name, "response");
	if (!task->vm)
		return;
	sim_result_add(r, SIM_NS, s->spin_ns, "task.%s/%s.spin", vm, name);
	sim_result_add(r, SIM_COUNT, s->lock_taken, "task.%s/%s.locks", vm, name);
	sim_result_add(r, SIM_COUNT, s->held_preempted, "task.%s/%s.held_preempted", vm, name);
	hist_row(sim, &s->lock, vm, name, "lock");
	hist_row(sim, &s->ipi, vm, name, "ipi");
}

/* A task has rows of its own, and is in the sums of all that come of one line of the scenario. */
static void measure_task(struct sim *sim, const struct sim_task *task)
{
	const char *vm = task->vm ? task->vm->name : "host";
	const char *vms = task->vm && task->vm->spec ? task->vm->spec->name : vm;
	const char *names = task->spec ? task->spec->name : task->name;
	int one_vm = !strcmp(vm, vms), one_task = !strcmp(task->name, names);

	task_rows(sim, task, vm, task->name);
	if (!one_task)
		task_rows(sim, task, vm, names);
	if (!one_vm)
		task_rows(sim, task, vms, names);
}

/* ---- threads and VMs --------------------------------------------------------------------------*/

static void thread_rows(struct sim *sim, const struct sim_thread *t, const char *path)
{
	struct thread_sums s = thread_since(sim, t);
	struct sim_result *r = sim->result;
	uint64_t ns = measured_ns(sim);

	sim_result_add(r, SIM_NS, s.run_ns, "%s.run", path);
	sim_result_add(r, SIM_NS, s.wait_ns, "%s.wait", path);
	sim_result_add(r, SIM_PPM, ppm(s.run_ns, ns * sim->cpu_count), "%s.share", path);
	sim_result_add(r, SIM_PPM, ppm(s.run_ns, ns), "%s.cpus", path);
	sim_result_add(r, SIM_NS, s.boosted_ns, "%s.boosted", path);
	sim_result_add(r, SIM_COUNT, s.preempted, "%s.preempted", path);
	sim_result_add(r, SIM_COUNT, s.wakeups, "%s.wakeups", path);
	sim_result_add(r, SIM_COUNT, s.migrations, "%s.migrations", path);
	if (t->waits && t->waits->count)
		sim_result_hist(r, t->waits, "%s.waits", path);
}

static void vm_rows(struct sim *sim, const struct sim_vm *vm, const char *name)
{
	char path[SIM_NAME + 8];
	uint32_t i;

	snprintf(path, sizeof(path), "vm.%.40s", name);
	for (i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpus[i].thread)
			thread_rows(sim, vm->vcpus[i].thread, path);
}

static void measure_threads(struct sim *sim)
{
	char path[2 * SIM_NAME];
	uint32_t i;

	for (i = 0; i < sim->vm_count; i++) {
		const struct sim_vm *vm = &sim->vms[i];

		vm_rows(sim, vm, vm->name);
		if (vm->spec && strcmp(vm->spec->name, vm->name))
			vm_rows(sim, vm, vm->spec->name);
	}
	for (i = 0; i < sim->task_count; i++) {
		const struct sim_task *task = sim->tasks[i];

		if (task->vm || !task->thread)
			continue;
		snprintf(path, sizeof(path), "task.host/%s", task->name);
		thread_rows(sim, task->thread, path);
		if (!task->spec || !strcmp(task->spec->name, task->name))
			continue;
		snprintf(path, sizeof(path), "task.host/%s", task->spec->name);
		thread_rows(sim, task->thread, path);
	}
}

/* ---- fairness ---------------------------------------------------------------------------------*/

/*
 * Who always wanted a CPU, and may use the same ones, is to get time by weight. A VM counts as one:
 * the sum of its vCPUs. Nobody can use more than one CPU at a time, so what the heavy ones cannot
 * use is the others' (water filling).
 */
struct wanter {
	uint64_t affinity;
	const void *owner;   /* a VM, or a host task's thread */
	uint64_t run_ns, weight, vcpus;
	uint64_t due_ns;
	int full;            /* gets all that it can use */
};

static int always_wanted(const struct sim *sim, const struct sim_thread *t)
{
	struct thread_sums s = thread_since(sim, t);
	uint64_t ns = measured_ns(sim), awake_ns = s.run_ns + s.wait_ns;

	return awake_ns >= ns || ns - awake_ns <= ns / ALWAYS_PART;
}

/* A VM of which one vCPU slept now and then is not compared at all. */
static int vm_always_wanted(const struct sim *sim, const struct sim_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->vcpu_count; i++)
		if (!vm->vcpus[i].thread || !always_wanted(sim, vm->vcpus[i].thread))
			return 0;
	return 1;
}

static uint32_t collect_wanters(struct sim *sim, struct wanter *w)
{
	uint32_t i, n, count = 0;

	for (i = 0; i < sim->thread_count; i++) {
		const struct sim_thread *t = sim->threads[i];
		const struct sim_vm *vm = t->vcpu ? t->vcpu->vm : NULL;
		const void *owner = vm ? (const void *)vm : (const void *)t;

		if (t->rt_prio || t->idle_policy ||
		    !(vm ? vm_always_wanted(sim, vm) : always_wanted(sim, t)))
			continue;
		for (n = 0; n < count; n++)
			if (w[n].owner == owner && w[n].affinity == t->affinity)
				break;
		if (n == count) {
			memset(&w[n], 0, sizeof(w[n]));
			w[n].owner = owner;
			w[n].affinity = t->affinity;
			count++;
		}
		w[n].run_ns += thread_since(sim, t).run_ns;
		w[n].weight += t->weight;
		w[n].vcpus++;
	}
	return count;
}

/* What is due to those of one affinity: all of them got `run_ns` together. */
static void fill_water(struct wanter *w, uint32_t count, uint64_t affinity, uint64_t ns)
{
	uint64_t left_ns = 0, weight = 0;
	uint32_t i;
	int again = 1;

	for (i = 0; i < count; i++) {
		if (w[i].affinity == affinity) {
			left_ns += w[i].run_ns;
			weight += w[i].weight;
		}
	}
	while (again && weight) {
		uint64_t base_ns = left_ns, base_weight = weight;

		again = 0;
		for (i = 0; i < count; i++) {
			if (w[i].affinity != affinity || w[i].full)
				continue;
			w[i].due_ns = base_ns / base_weight * w[i].weight +
				      base_ns % base_weight * w[i].weight / base_weight;
			if (w[i].due_ns < w[i].vcpus * ns)
				continue;
			w[i].due_ns = w[i].vcpus * ns;
			w[i].full = 1;
			left_ns -= left_ns < w[i].due_ns ? left_ns : w[i].due_ns;
			weight -= w[i].weight;
			again = 1;
		}
	}
}

static void measure_fairness(struct sim *sim)
{
	struct wanter *w = zeroed(sim->thread_count, sizeof(*w));
	uint32_t count = collect_wanters(sim, w), i;
	uint64_t worst = 0, error;

	for (i = 0; i < count; i++)
		if (!w[i].due_ns)
			fill_water(w, count, w[i].affinity, measured_ns(sim));
	for (i = 0; i < count; i++) {
		error = w[i].run_ns > w[i].due_ns ? w[i].run_ns - w[i].due_ns :
						    w[i].due_ns - w[i].run_ns;
		if (ppm(error, w[i].due_ns) > worst)
			worst = ppm(error, w[i].due_ns);
	}
	free(w);
	sim_result_set(sim->result, SIM_PPM, worst, "host.fairness_error");
	sim_result_set(sim->result, SIM_COUNT, count, "host.always_wanted");
}

/* ---- CPUs -------------------------------------------------------------------------------------*/

static void measure_cpus(struct sim *sim)
{
	struct sim_result *r = sim->result;
	uint32_t i;

	for (i = 0; i < sim->cpu_count; i++) {
		struct cpu_sums s = cpu_since(sim, &sim->cpus[i]);

		sim_result_set(r, SIM_NS, s.busy_ns, "cpu.%u.busy", i);
		sim_result_set(r, SIM_NS, s.idle_ns, "cpu.%u.idle", i);
		sim_result_add(r, SIM_NS, s.busy_ns, "host.busy");
		sim_result_add(r, SIM_NS, s.idle_ns, "host.idle");
		sim_result_add(r, SIM_NJ, s.energy_nj, "host.energy");
		sim_result_add(r, SIM_COUNT, s.switches, "host.switches");
		sim_result_add(r, SIM_COUNT, s.migrations, "host.migrations");
		sim_result_add(r, SIM_COUNT, s.ipis, "host.ipis");
	}
	sim_result_set(r, SIM_NS, measured_ns(sim), "host.measured");
}

void sim_measure(struct sim *sim)
{
	uint32_t i;

	settle_all(sim);
	for (i = 0; i < sim->task_count; i++)
		measure_task(sim, sim->tasks[i]);
	measure_threads(sim);
	measure_cpus(sim);
	measure_fairness(sim);
	if (sim->policy->role->report)
		sim->policy->role->report(sim);
	if (sim->policy->yielder->report)
		sim->policy->yielder->report(sim);
}
