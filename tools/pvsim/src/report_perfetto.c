/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_perfetto.c - a run as trace events (the JSON that chrome://tracing and Perfetto's page
 * open): the host's CPUs are one process, each VM is one, and host tasks are one.
 *
 * Events are in the order of their time. Slices are complete events, so none is left open.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "report_json.h"
#include "report_lanes.h"

/* Process and thread ids: the same in each run of a scenario. */
#define PID_CPUS 1u
#define PID_HOST_TASKS 2u
#define PID_VMS 10u

struct out {
	struct sim_json json;
	const struct sim *sim;
	uint32_t *boosted;      /* of each VM: vCPUs above baseline */
	uint8_t *above;         /* of each thread: it is one of them */
};

static uint32_t pid_of(const struct sim_thread *t)
{
	return t->vcpu ? PID_VMS + t->vcpu->vm->id : PID_HOST_TASKS;
}

static uint32_t tid_of(const struct sim_thread *t)
{
	return 1 + (t->vcpu ? t->vcpu->index : t->id);
}

/* Microseconds with three digits: exact, and no floating point. */
static void put_us(struct out *o, const char *key, uint64_t ns)
{
	fprintf(o->json.file, ",\"%s\":%" PRIu64 ".%03" PRIu64, key, ns / 1000, ns % 1000);
}

static void begin(struct out *o, const char *phase, uint32_t pid, uint32_t tid, const char *name)
{
	sim_json_open(&o->json, NULL, '{');
	sim_json_text(&o->json, "ph", phase);
	sim_json_u64(&o->json, "pid", pid);
	sim_json_u64(&o->json, "tid", tid);
	sim_json_text(&o->json, "name", name);
}

static void end(struct out *o)
{
	sim_json_close(&o->json, '{');
	fputc('\n', o->json.file);
}

/* ---- names ------------------------------------------------------------------------------------*/

static void name_it(struct out *o, const char *what, uint32_t pid, uint32_t tid, const char *name)
{
	begin(o, "M", pid, tid, what);
	put_us(o, "ts", 0);
	sim_json_open(&o->json, "args", '{');
	sim_json_text(&o->json, "name", name);
	sim_json_close(&o->json, '{');
	end(o);
}

static void name_all(struct out *o)
{
	const struct sim *sim = o->sim;
	char name[SIM_NAME + 16];
	uint32_t i;

	name_it(o, "process_name", PID_CPUS, 0, "host CPUs");
	for (i = 0; i < sim->cpu_count; i++) {
		snprintf(name, sizeof(name), "CPU %u", i);
		name_it(o, "thread_name", PID_CPUS, i + 1, name);
	}
	name_it(o, "process_name", PID_HOST_TASKS, 0, "host tasks");
	for (i = 0; i < sim->vm_count; i++) {
		snprintf(name, sizeof(name), "VM %s", sim->vms[i].name);
		name_it(o, "process_name", PID_VMS + sim->vms[i].id, 0, name);
	}
	for (i = 0; i < sim->thread_count; i++) {
		const struct sim_thread *t = sim->threads[i];

		if (t->vcpu)
			snprintf(name, sizeof(name), "vCPU %u", t->vcpu->index);
		else
			snprintf(name, sizeof(name), "%s", t->name);
		name_it(o, "thread_name", pid_of(t), tid_of(t), name);
	}
}

/* ---- slices -----------------------------------------------------------------------------------*/

static const char *task_name(const struct sim *sim, uint32_t task)
{
	return task < sim->task_count ? sim->tasks[task]->name : NULL;
}

static void put_slice(struct out *o, const struct sim_span *s, uint32_t pid, uint32_t tid,
		      const char *name)
{
	begin(o, "X", pid, tid, name);
	put_us(o, "ts", s->from_ns);
	put_us(o, "dur", s->until_ns - s->from_ns);
	sim_json_text(&o->json, "cat", s->kind == SIM_SPAN_WAITS ? "waits" :
		      s->klass > PVS_CLASS_BASELINE ? "boosted" : "runs");
	sim_json_open(&o->json, "args", '{');
	sim_json_u64(&o->json, "cpu", s->cpu);
	sim_json_u64(&o->json, "class", s->klass);
	sim_json_text(&o->json, "reason", sim_reason_words(s->reason)->words);
	if (task_name(o->sim, s->task))
		sim_json_text(&o->json, "task", task_name(o->sim, s->task));
	if (s->spins)
		sim_json_u64(&o->json, "spins", 1);
	sim_json_close(&o->json, '{');
	end(o);
}

static void put_span(struct out *o, const struct sim_span *s)
{
	const struct sim_thread *t = o->sim->threads[s->thread];
	const char *task = task_name(o->sim, s->task);

	if (s->kind == SIM_SPAN_WAITS) {
		put_slice(o, s, pid_of(t), tid_of(t), "waits for a CPU");
		return;
	}
	if (s->cpu < o->sim->cpu_count)
		put_slice(o, s, PID_CPUS, s->cpu + 1u, t->name);
	put_slice(o, s, pid_of(t), tid_of(t), task ? task : "runs");
}

/* ---- instants and counters --------------------------------------------------------------------*/

static void put_instant(struct out *o, const struct sim_record *r, const char *name)
{
	const struct sim *sim = o->sim;
	const struct sim_thread *t;
	uint32_t id = r->a;

	if (r->type == SIM_T_MISS)
		id = sim_miss_thread(sim, (uint64_t)(r - sim->trace.kept));
	t = id < sim->thread_count ? sim->threads[id] : NULL;
	begin(o, "i", t ? pid_of(t) : PID_CPUS, t ? tid_of(t) : 0, name);
	put_us(o, "ts", r->at_ns);
	sim_json_text(&o->json, "s", t ? "t" : "g");
	sim_json_open(&o->json, "args", '{');
	sim_json_u64(&o->json, "what", r->b);
	sim_json_u64(&o->json, "value", r->v);
	if (r->type == SIM_T_MISS && task_name(sim, r->b))
		sim_json_text(&o->json, "task", task_name(sim, r->b));
	if (r->type == SIM_T_DENIED)
		sim_json_text(&o->json, "reason", sim_reason_words(r->b)->words);
	sim_json_close(&o->json, '{');
	end(o);
}

static void put_counter(struct out *o, uint64_t at_ns, uint32_t pid, const char *name,
			uint64_t value)
{
	begin(o, "C", pid, 0, name);
	put_us(o, "ts", at_ns);
	sim_json_open(&o->json, "args", '{');
	sim_json_u64(&o->json, "value", value);
	sim_json_close(&o->json, '{');
	end(o);
}

static void put_speed(struct out *o, uint64_t at_ns, uint32_t cpu, uint64_t speed)
{
	char name[40];

	snprintf(name, sizeof(name), "CPU %u speed / 1024", cpu);
	put_counter(o, at_ns, PID_CPUS, name, speed);
}

/* Of CPUs that are not as fast as any, and never change. */
static void put_fixed_speeds(struct out *o)
{
	const struct sim_trace *trace = &o->sim->trace;
	uint32_t c, speed;
	uint64_t i;

	for (c = 0; c < o->sim->cpu_count; c++) {
		const struct sim_cpu *cpu = &o->sim->cpus[c];

		speed = cpu->level_count ? cpu->levels[cpu->level].speed : 1024;
		for (i = 0; i < trace->count; i++)
			if (trace->kept[i].type == SIM_T_LEVEL && trace->kept[i].cpu == c)
				break;
		if (i == trace->count && speed != 1024)
			put_speed(o, trace->from_ns, c, speed);
	}
}

static void count_boosted(struct out *o, const struct sim_record *r)
{
	const struct sim_thread *t;
	uint8_t above = (r->b & 0xff) > PVS_CLASS_BASELINE;

	if (r->a >= o->sim->thread_count)
		return;
	t = o->sim->threads[r->a];
	if (!t->vcpu || o->above[r->a] == above)
		return;
	o->above[r->a] = above;
	o->boosted[t->vcpu->vm->id] += above ? 1 : UINT32_MAX;
	put_counter(o, r->at_ns, pid_of(t), "boosted vCPUs", o->boosted[t->vcpu->vm->id]);
}

static void put_record(struct out *o, const struct sim_record *r)
{
	switch (r->type) {
	case SIM_T_MISS:
		put_instant(o, r, "deadline missed");
		break;
	case SIM_T_IRQ:
		put_instant(o, r, "interrupt");
		break;
	case SIM_T_KICK:
		put_instant(o, r, "kick");
		break;
	case SIM_T_YIELD:
		put_instant(o, r, "yield");
		break;
	case SIM_T_DENIED:
		put_instant(o, r, "boost denied");
		break;
	case SIM_T_FAULT:
		begin(o, "i", PID_CPUS, 0, "fault");
		put_us(o, "ts", r->at_ns);
		sim_json_text(&o->json, "s", "g");
		end(o);
		break;
	case SIM_T_CLASS:
		count_boosted(o, r);
		break;
	case SIM_T_LEVEL:
		put_speed(o, r->at_ns, r->cpu, r->v);
		break;
	default:
		break;
	}
}

/* Two sequences by time, spans and records, made one. */
static void put_events(struct out *o, const struct sim_lanes *lanes)
{
	const struct sim_trace *trace = &o->sim->trace;
	uint64_t s = 0, r = 0;

	while (s < lanes->count || r < trace->count) {
		if (r == trace->count ||
		    (s < lanes->count && lanes->spans[s].from_ns <= trace->kept[r].at_ns))
			put_span(o, &lanes->spans[s++]);
		else
			put_record(o, &trace->kept[r++]);
	}
}

static int write_trace(FILE *file, const struct sim *sim)
{
	struct out o = { .json = { .file = file }, .sim = sim };
	struct sim_lanes lanes;
	int error = sim_lanes_make(&lanes, sim, sim->trace.from_ns,
				   sim->trace.until_ns < sim->now_ns ? sim->trace.until_ns
								     : sim->now_ns);

	if (error)
		return error;
	o.boosted = calloc(sim->vm_count + 1u, sizeof(*o.boosted));
	o.above = calloc(sim->thread_count + 1u, sizeof(*o.above));
	if (o.boosted && o.above) {
		fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", file);
		name_all(&o);
		put_fixed_speeds(&o);
		put_events(&o, &lanes);
		fputs("]}\n", file);
	} else {
		error = -ENOMEM;
	}
	free(o.boosted);
	free(o.above);
	sim_lanes_free(&lanes);
	return error;
}

int sim_report_perfetto(const char *path, struct sim *sim)
{
	FILE *file = fopen(path, "w");
	int error;

	if (!file)
		return errno ? -errno : -EIO;
	error = write_trace(file, sim);
	if (ferror(file) && !error)
		error = -EIO;
	if (fclose(file) && !error)
		error = -EIO;
	return error;
}
