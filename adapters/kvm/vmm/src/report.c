/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report. The same run gives the same bytes: no wall-clock time, no addresses, no thread ids.
 * README.md describes each member.
 */
#include "histogram.h"
#include "json.h"
#include "vmm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "pvs-vmm/1"

static const char *const end_names[VCPU_END_COUNT] = {
	[VCPU_RUNS] = "ran",		[VCPU_DONE] = "done",	[VCPU_FAULT] = "fault",
	[VCPU_SHUTDOWN] = "shutdown",	[VCPU_ERROR] = "error",
};

/* enum pvs_reason, in words. */
static const char *const reason_names[PVS_REASON_COUNT] = {
	[PVS_REASON_NONE] = "none",		  [PVS_REASON_OFFLINE] = "offline",
	[PVS_REASON_BELOW] = "below",		  [PVS_REASON_IDLE] = "idle",
	[PVS_REASON_URGENT] = "urgent",		  [PVS_REASON_WAKE] = "wake",
	[PVS_REASON_ARMED] = "armed",		  [PVS_REASON_PENDING] = "pending",
	[PVS_REASON_WINDOW] = "window",		  [PVS_REASON_CRIT] = "crit",
	[PVS_REASON_IRQ] = "irq",		  [PVS_REASON_KICK] = "kick",
	[PVS_REASON_YIELD] = "yield",		  [PVS_REASON_BOOST_EMPTY] = "boost_empty",
	[PVS_REASON_IRQ_EMPTY] = "irq_empty",	  [PVS_REASON_VM_CAP] = "vm_cap",
	[PVS_REASON_GRANT_MAX] = "grant_max",	  [PVS_REASON_RATE] = "rate",
	[PVS_REASON_MALFORMED] = "malformed",	  [PVS_REASON_STALE] = "stale",
	[PVS_REASON_TOO_SHORT] = "too_short",	  [PVS_REASON_PAYBACK] = "payback",
	[PVS_REASON_FOREIGN] = "foreign",	  [PVS_REASON_DETACHED] = "detached",
	[PVS_REASON_OUTSIDE] = "outside",	  [PVS_REASON_BRIEF] = "brief",
	[PVS_REASON_DEDICATED] = "dedicated",	  [PVS_REASON_TICKET] = "ticket",
	[PVS_REASON_STORM] = "storm",		  [PVS_REASON_DEFERRED] = "deferred",
	[PVS_REASON_DEFER_SPENT] = "defer_spent", [PVS_REASON_OUTRANKED] = "outranked",
};

/* ---- samples --------------------------------------------------------------------------------- */

static void write_histogram(struct json *json, const uint32_t *sorted, size_t count)
{
	size_t begin = 0;
	size_t end;

	json_open(json, "hist", '[');
	while (begin < count) {
		unsigned bucket = histogram_bucket(sorted[begin]);

		for (end = begin; end < count && histogram_bucket(sorted[end]) == bucket; end++)
			;
		json_open(json, NULL, '[');
		json_number(json, NULL, histogram_value(bucket));
		json_number(json, NULL, end - begin);
		json_close(json, ']');
		begin = end;
	}
	json_close(json, ']');
}

static void write_raw(struct json *json, const volatile uint32_t *samples, size_t count)
{
	size_t i;

	json_open(json, "raw", '[');
	for (i = 0; i < count; i++)
		json_number(json, NULL, samples[i]);
	json_close(json, ']');
}

static int write_samples(struct json *json, const char *name, const struct vcpu *vcpu,
			 uint32_t offset)
{
	const volatile uint32_t *samples = vm_samples(vcpu->vm, vcpu->index, offset);
	enum vmm_samples how = vcpu->vm->vmm->options.samples;
	uint64_t said = vm_result(vcpu->vm, vcpu->index)->samples;
	size_t count = said < PVS_VMM_SAMPLES_MAX ? (size_t)said : PVS_VMM_SAMPLES_MAX;
	uint32_t *sorted = calloc(count + 1, sizeof(*sorted));
	size_t i;

	if (!sorted)
		return fail("samples");
	for (i = 0; i < count; i++)
		sorted[i] = samples[i];
	samples_sort(sorted, count);

	json_open(json, name, '{');
	json_number(json, "p50", samples_quantile(sorted, count, 500));
	json_number(json, "p90", samples_quantile(sorted, count, 900));
	json_number(json, "p99", samples_quantile(sorted, count, 990));
	json_number(json, "p999", samples_quantile(sorted, count, 999));
	json_number(json, "max", count ? sorted[count - 1] : 0);
	json_number(json, "mean", samples_mean(sorted, count));
	if (how == VMM_SAMPLES_HIST)
		write_histogram(json, sorted, count);
	if (how == VMM_SAMPLES_RAW)
		write_raw(json, samples, count);
	json_close(json, '}');
	free(sorted);
	return 0;
}

/* ---- a vCPU ---------------------------------------------------------------------------------- */

static void write_reasons(struct json *json, const struct vcpu *vcpu)
{
	unsigned i;

	json_open(json, "reasons", '{');
	for (i = 0; i < PVS_REASON_COUNT; i++) {
		uint32_t count = vcpu->to.core.reasons[i] - vcpu->from.core.reasons[i];

		if (count && reason_names[i])
			json_number(json, reason_names[i], count);
	}
	json_close(json, '}');
}

/* What the library did to it in the measured interval. */
static void write_policy(struct json *json, const struct vcpu *vcpu)
{
	const struct pvs_vcpu *from = &vcpu->from.core;
	const struct pvs_vcpu *to = &vcpu->to.core;

	json_number(json, "boosts", (uint32_t)(to->boosts - from->boosts));
	json_number(json, "denials", (uint32_t)(to->denials - from->denials));
	json_number(json, "overruns", (uint32_t)(to->overruns - from->overruns));
	json_number(json, "malformed", (uint32_t)(to->malformed - from->malformed));
	json_number(json, "boosted_ns", to->boosted_ns - from->boosted_ns);
	json_number(json, "tickets", (uint32_t)(to->tickets - from->tickets));
	json_number(json, "irq_storms", (uint32_t)(to->storms - from->storms));
	json_number(json, "deferrals", (uint32_t)(to->deferrals - from->deferrals));
	json_number(json, "boost_left_ns", pvs_boost_left(to, &vcpu->vm->vmm->options.config));
	json_signed(json, "normal_left_ns", to->normal_left_ns);
	json_number(json, "share_q16", to->share_q16);
	json_number(json, "rings", vcpu->bell.rings);
	json_number(json, "storms", vcpu->bell.storms);
	write_reasons(json, vcpu);
}

static void write_echoes(struct json *json, const volatile struct pvs_vmm_result *result)
{
	uint64_t count = result->echo_count;
	uint64_t i;

	json_open(json, "echoes", '[');
	for (i = 0; i < count && i < PVS_VMM_ECHOES_MAX; i++) {
		const volatile struct pvs_vmm_echo *echo = &result->echo[i];

		json_open(json, NULL, '{');
		json_hex(json, "intent", echo->intent);
		json_hex(json, "applied", echo->applied);
		json_hex(json, "window_left", echo->window_left);
		json_number(json, "boosts", echo->boosts);
		json_number(json, "denials", echo->denials);
		json_number(json, "malformed", echo->malformed);
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* What the workload counted by itself, as far as it has such a thing. */
static int write_workload(struct json *json, const struct vcpu *vcpu)
{
	const volatile struct pvs_vmm_result *result = vm_result(vcpu->vm, vcpu->index);

	json_number(json, "work", vcpu->to.work - vcpu->from.work);
	switch (vcpu->vm->options->work) {
	case PVS_VMM_AUDIO:
	case PVS_VMM_MIXED:
		json_number(json, "burned", vcpu->to.burned - vcpu->from.burned);
		json_number(json, "periods", result->periods);
		json_number(json, "misses", result->misses);
		json_number(json, "samples", result->samples);
		return write_samples(json, "wake_ns", vcpu, PVS_VMM_WAKE_OFFSET) ||
		       write_samples(json, "done_ns", vcpu, PVS_VMM_DONE_OFFSET);
	case PVS_VMM_LOCKS:
		json_number(json, "lock_contended", result->lock_contended);
		json_number(json, "lock_halts", result->lock_halts);
		json_number(json, "lock_wait_max_ns", result->lock_wait_max_ns);
		return 0;
	case PVS_VMM_PULSE:
		json_number(json, "claims", result->claims);
		json_number(json, "claim_ns", result->claim_ns);
		return 0;
	case PVS_VMM_PROBE:
		write_echoes(json, result);
		return 0;
	default:
		return 0;
	}
}

static int write_vcpu(struct json *json, const struct vcpu *vcpu)
{
	const volatile struct pvs_vmm_result *result = vm_result(vcpu->vm, vcpu->index);
	int end = atomic_load(&vcpu->end);
	int status;

	json_open(json, NULL, '{');
	json_number(json, "index", vcpu->index);
	json_text(json, "end", end_names[end]);
	json_signed(json, "end_detail", vcpu->detail);
	json_number(json, "guest_state", result->state);
	json_signed(json, "bind_status", result->bind_status);
	json_hex(json, "features", result->features);
	json_number(json, "publishes", result->publishes);
	json_number(json, "run_ns", vcpu->to.run_ns - vcpu->from.run_ns);
	json_number(json, "wait_ns", vcpu->to.wait_ns - vcpu->from.wait_ns);
	status = write_workload(json, vcpu);
	if (vcpu->vm->vmm->control.library)
		write_policy(json, vcpu);
	json_close(json, '}');
	return status;
}

/* ---- a VM, and all of them ------------------------------------------------------------------- */

/* From the attach on, not of the measured interval alone. */
static void write_host(struct json *json, const struct pvs_host *host)
{
	const struct pvs_host_counters *counters = &host->counters;

	json_open(json, "host", '{');
	json_number(json, "steps", counters->steps);
	json_number(json, "quiet", counters->quiet);
	json_number(json, "applies", counters->applies);
	json_number(json, "restores", counters->restores);
	json_number(json, "errors", counters->errors);
	json_number(json, "foreign", counters->foreign);
	json_number(json, "gone", counters->gone);
	json_number(json, "timers", counters->timers);
	json_number(json, "posts", counters->posts);
	json_close(json, '}');
}

static int write_vm(struct json *json, const struct vm *vm)
{
	const struct vm_options *options = vm->options;
	unsigned i;
	int status = 0;

	json_open(json, NULL, '{');
	json_text(json, "name", options->name);
	json_text(json, "work", options_work_name(options->work));
	json_signed(json, "cpu", options->cpu);
	json_bool(json, "rt", options->rt);
	json_bool(json, "hints", options->hints);
	if (options->work == PVS_VMM_AUDIO || options->work == PVS_VMM_MIXED) {
		json_number(json, "period_ns", options->period_ns);
		json_number(json, "work_ns", options->work_ns);
	}
	if (vm->vmm->control.library)
		write_host(json, &vm->host);
	json_open(json, "vcpus", '[');
	for (i = 0; i < vm->vcpu_count && status == 0; i++)
		status = write_vcpu(json, &vm->vcpus[i]);
	json_close(json, ']');
	json_close(json, '}');
	return status;
}

static void write_control(struct json *json, const struct vmm *vmm)
{
	const struct control *control = &vmm->control;

	json_open(json, "control", '{');
	json_bool(json, "realtime", control->realtime);
	json_number(json, "cpu_ns", control->to_cpu_ns - control->from_cpu_ns);
	json_number(json, "wakeups", control->wakeups);
	json_text(json, "knobs", vmm->knobs.reason);
	json_close(json, '}');
}

int report_write(const struct vmm *vmm)
{
	const struct vmm_options *options = &vmm->options;
	bool to_stdout = strcmp(options->json, "-") == 0;
	struct json json = { .file = to_stdout ? stdout : fopen(options->json, "w") };
	unsigned i;
	int status = 0;

	if (!json.file)
		return fail(options->json);
	json_open(&json, NULL, '{');
	json_text(&json, "schema", SCHEMA);
	json_text(&json, "mode", options_mode_name(options->mode));
	json_number(&json, "seed", options->seed);
	json_bool(&json, "complete", vmm->control.complete);
	json_number(&json, "warmup_ns", options->warmup_ns);
	json_number(&json, "measured_ns", vmm->control.to_ns - vmm->control.from_ns);
	json_number(&json, "loops_per_ms", vmm->loops_per_ms);
	write_control(&json, vmm);
	json_open(&json, "vms", '[');
	for (i = 0; i < vmm->vm_count && status == 0; i++)
		status = write_vm(&json, &vmm->vms[i]);
	json_close(&json, ']');
	json_close(&json, '}');
	if (fflush(json.file) != 0 || ferror(json.file))
		status = fail(options->json);
	if (!to_stdout && fclose(json.file) != 0)
		status = fail(options->json);
	return status;
}
