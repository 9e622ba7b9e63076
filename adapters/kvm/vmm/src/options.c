/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line. A VM is one argument: a list of key=value. */
#include "vmm.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_names[] = {
	[VMM_OFF] = "off",
	[VMM_STATIC_RT] = "static-rt",
	[VMM_ON] = "on",
	[VMM_MEASURE] = "measure",
};

static const char *const samples_names[] = {
	[VMM_SAMPLES_NONE] = "none",
	[VMM_SAMPLES_HIST] = "hist",
	[VMM_SAMPLES_RAW] = "raw",
};

static const char *const work_names[] = {
	[PVS_VMM_AUDIO] = "audio",     [PVS_VMM_MIXED] = "mixed", [PVS_VMM_BURN] = "burn",
	[PVS_VMM_LOCKS] = "locks",     [PVS_VMM_LIAR] = "liar",	  [PVS_VMM_PULSE] = "pulse",
	[PVS_VMM_GARBAGE] = "garbage", [PVS_VMM_FLIP] = "flip",	  [PVS_VMM_STALE] = "stale",
	[PVS_VMM_PROBE] = "probe",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char usage[] =
	"usage: pvs-vmm --guest IMAGE --vm KEY=VALUE,... [--vm ...] [option...]\n"
	"       pvs-vmm --host-check\n"
	"\n"
	"  --guest FILE          the guest image (flat binary)\n"
	"  --vm LIST             a virtual machine:\n"
	"      name=TEXT         how the report calls it (default: work and number)\n"
	"      work=WORD         audio mixed burn locks liar pulse garbage flip stale probe\n"
	"      vcpus=N           1..32 (default 1)\n"
	"      cpu=N             pin all its vCPUs to this CPU (default: anywhere)\n"
	"      rt=0|1            raised by --mode static-rt (default 0)\n"
	"      hints=0|1         the guest speaks to the host (default 1)\n"
	"      period_us=N       audio, mixed (default 10000)\n"
	"      duty=N            audio, mixed: work per period, percent (default 5)\n"
	"      held_us=N         locks: in the critical section (default 5)\n"
	"      outside_us=N      locks: outside of it (default 20)\n"
	"      spin_us=N         locks: a waiter halts after this (default 0: it spins for ever)\n"
	"      refill_us=N       pulse: silence between claims (default 64000)\n"
	"      ring_us=N         liar, garbage, flip: between two doorbells (default 1000)\n"
	"      level=N           0..15, of urgent statements (default 8)\n"
	"      window_us=N       boost window asked for (default 0: none)\n"
	"  --mode WORD           off, static-rt, on, measure (default on)\n"
	"  --config LIST         the library's numbers: field=value,...\n"
	"  --entitlement WHAT    auto (by vCPUs per CPU), learned, or a share in 1/65536\n"
	"  --seconds S           measured interval (default 1)\n"
	"  --warmup-ms N         before it (default 200)\n"
	"  --seed N              (default 1)\n"
	"  --insns-per-us N      undisturbed speed of the guest's loop (default 250: emulation\n"
	"                        with -icount shift=2); 0 measures it on this machine\n"
	"  --samples WORD        in the report: none, hist, raw (default hist)\n"
	"  --json FILE           the report (default -)\n"
	"  --host-check          is this machine's KVM good enough? exit 0, or 77 and the reason\n";

const char *options_mode_name(enum vmm_mode mode)
{
	return mode_names[mode];
}

const char *options_work_name(enum pvs_vmm_work work)
{
	return work_names[work];
}

static int bad(const char *what, const char *value)
{
	fprintf(stderr, "pvs-vmm: %s: '%s'\n", what, value ? value : "");
	return -1;
}

static int parse_word(const char *const *words, size_t count, const char *text, int *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (text && strcmp(words[i], text) == 0) {
			*out = (int)i;
			return 0;
		}
	}
	return -1;
}

static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;
	unsigned long long number;

	if (!text || *text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno || *end || number < min || number > max)
		return -1;
	*out = number;
	return 0;
}

/* Seconds with a fraction, in nanoseconds: digits only, so that no rounding differs. */
static int parse_seconds(const char *text, uint64_t *ns)
{
	char whole[12];
	const char *dot = strchr(text, '.');
	size_t digits = dot ? (size_t)(dot - text) : strlen(text);
	uint64_t seconds;
	uint64_t unit = NS_PER_S;

	if (digits >= sizeof(whole))
		return -1;
	memcpy(whole, text, digits);
	whole[digits] = '\0';
	if (parse_number(whole, 0, 3600, &seconds) != 0)
		return -1;
	*ns = seconds * NS_PER_S;
	for (dot = dot ? dot + 1 : ""; *dot; dot++) {
		if (*dot < '0' || *dot > '9')
			return -1;
		unit /= 10;
		*ns += unit * (uint64_t)(*dot - '0');
	}
	return *ns ? 0 : -1;
}

/* ---- numbers of the policy ------------------------------------------------------------------- */

#define FIELD(name) { #name, offsetof(struct pvs_config, name) }

static const struct {
	const char *name;
	size_t offset;
} config_fields[] = {
	FIELD(flags),
	FIELD(boost_share_q10), FIELD(boost_burst_ns), FIELD(boost_resume_ns), FIELD(grant_max_ns),
	FIELD(irq_share_q10), FIELD(irq_burst_ns),
	FIELD(credit_max_ns), FIELD(debt_start_ns), FIELD(debt_max_ns),
	FIELD(vm_share_q10), FIELD(vm_burst_ns), FIELD(vm_quantum_ns),
	FIELD(stale_ns), FIELD(raise_min_ns), FIELD(malformed_min_ns),
	FIELD(level_hold_ns), FIELD(pay_weight_q10), FIELD(below_weight_q10),
	FIELD(recheck_min_ns), FIELD(poll_ns), FIELD(quiet_poll_ns), FIELD(urgent_poll_ns),
	FIELD(kick_min_ns), FIELD(look_cost_ns),
	FIELD(dt_max_ns),
	FIELD(ticket_max_ns), FIELD(storm_window_ns), FIELD(storm_share_q10), FIELD(storm_rate_hz),
	FIELD(storm_burst), FIELD(storm_hold_ns),
	FIELD(defer_ns),
};

/* A number that is new there belongs into the table; what follows `reserved0` is derived. */
_Static_assert(offsetof(struct pvs_config, reserved0) == COUNT(config_fields) * sizeof(pvs_u32),
	       "--config knows every number of the policy");

static int set_config(struct pvs_config *config, const char *key, const char *value)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < COUNT(config_fields); i++) {
		if (strcmp(config_fields[i].name, key) != 0)
			continue;
		if (parse_number(value, 0, UINT32_MAX, &number) != 0)
			return bad(key, value);
		*(pvs_u32 *)((char *)config + config_fields[i].offset) = (pvs_u32)number;
		return 0;
	}
	return bad("--config: unknown field", key);
}

static int check_config(struct pvs_config *config)
{
	struct pvs_config_error error;

	pvs_config_resolve(config);
	if (pvs_config_check(config, &error) == PVS_OK)
		return 0;
	fprintf(stderr, "pvs-vmm: --config: %s=%u is not in %u..%u\n", error.field, error.value,
		error.min, error.max);
	return -1;
}

/* ---- machines -------------------------------------------------------------------------------- */

/* A number of a VM: where it goes, in which range, and what it is multiplied by. */
struct vm_number {
	const char *key;
	uint64_t min;
	uint64_t max;
	uint64_t unit;
	uint64_t *out;
};

static int set_vm_name(struct vm_options *vm, const char *value)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t length = value ? strlen(value) : 0;

	if (length == 0 || length >= sizeof(vm->name))
		return bad("--vm name", value);
	if (strspn(value, allowed) != length)
		return bad("--vm name", value);
	memcpy(vm->name, value, length + 1);
	return 0;
}

static int set_vm(struct vm_options *vm, uint64_t *duty, const char *key, const char *value)
{
	uint64_t vcpus = vm->vcpus;
	uint64_t cpu = (uint64_t)vm->cpu;
	uint64_t rt = vm->rt;
	uint64_t hints = vm->hints;
	uint64_t level = vm->level;
	uint64_t window_us = vm->window_us;
	const struct vm_number numbers[] = {
		{ "vcpus", 1, PVS_VMM_VCPUS_MAX, 1, &vcpus },
		{ "cpu", 0, 1023, 1, &cpu },
		{ "rt", 0, 1, 1, &rt },
		{ "hints", 0, 1, 1, &hints },
		{ "level", 0, PVS_LEVEL_MAX, 1, &level },
		{ "window_us", 0, 65535, 1, &window_us },
		{ "duty", 1, 99, 1, duty },
		{ "period_us", 100, 1000000, NS_PER_US, &vm->period_ns },
		{ "held_us", 0, 1000000, NS_PER_US, &vm->held_ns },
		{ "outside_us", 0, 1000000, NS_PER_US, &vm->outside_ns },
		{ "spin_us", 0, 1000000, NS_PER_US, &vm->spin_ns },
		{ "refill_us", 1, 10000000, NS_PER_US, &vm->refill_ns },
		{ "ring_us", 0, 1000000, NS_PER_US, &vm->ring_ns },
	};
	int work;
	size_t i;

	if (strcmp(key, "name") == 0)
		return set_vm_name(vm, value);
	if (strcmp(key, "work") == 0) {
		if (parse_word(work_names, COUNT(work_names), value, &work) != 0)
			return bad("--vm work", value);
		vm->work = (enum pvs_vmm_work)work;
		return 0;
	}
	for (i = 0; i < COUNT(numbers); i++) {
		if (strcmp(numbers[i].key, key) != 0)
			continue;
		if (parse_number(value, numbers[i].min, numbers[i].max, numbers[i].out) != 0)
			return bad(key, value);
		*numbers[i].out *= numbers[i].unit;
		break;
	}
	if (i == COUNT(numbers))
		return bad("--vm: unknown key", key);
	vm->vcpus = (unsigned)vcpus;
	vm->cpu = (int)cpu;
	vm->rt = rt != 0;
	vm->hints = hints != 0;
	vm->level = (uint32_t)level;
	vm->window_us = (uint32_t)window_us;
	return 0;
}

/* Splits "key=value,key=value" in place; NULL at the end. */
static char *next_pair(char **list, char **value)
{
	char *key = strsep(list, ",");

	if (!key)
		return NULL;
	*value = strchr(key, '=');
	if (*value)
		*(*value)++ = '\0';
	return key;
}

static int add_vm(struct vmm_options *options, char *list)
{
	struct vm_options *vm = &options->vms[options->vm_count];
	uint64_t duty = 5;
	char *value;
	char *key;

	if (options->vm_count == VMM_VMS_MAX)
		return bad("too many --vm", list);
	*vm = (struct vm_options){
		.work = PVS_VMM_BURN,
		.vcpus = 1,
		.cpu = VMM_CPU_ANY,
		.hints = true,
		.period_ns = 10 * NS_PER_MS,
		.held_ns = 5 * NS_PER_US,
		.outside_ns = 20 * NS_PER_US,
		.refill_ns = 64 * NS_PER_MS,
		.ring_ns = 1 * NS_PER_MS,
		.level = 8,
	};
	while ((key = next_pair(&list, &value)) != NULL) {
		if (set_vm(vm, &duty, key, value) != 0)
			return -1;
	}
	vm->work_ns = vm->period_ns * duty / 100;
	if (!vm->name[0])
		snprintf(vm->name, sizeof(vm->name), "%s%u", work_names[vm->work],
			 options->vm_count % VMM_VMS_MAX);
	options->vm_count++;
	return 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

enum option_id {
	OPT_GUEST = 1,
	OPT_VM,
	OPT_MODE,
	OPT_CONFIG,
	OPT_ENTITLEMENT,
	OPT_SECONDS,
	OPT_WARMUP,
	OPT_SEED,
	OPT_INSNS,
	OPT_SAMPLES,
	OPT_JSON,
	OPT_HOST_CHECK,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "guest", required_argument, NULL, OPT_GUEST },
	{ "vm", required_argument, NULL, OPT_VM },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "entitlement", required_argument, NULL, OPT_ENTITLEMENT },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "warmup-ms", required_argument, NULL, OPT_WARMUP },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "insns-per-us", required_argument, NULL, OPT_INSNS },
	{ "samples", required_argument, NULL, OPT_SAMPLES },
	{ "json", required_argument, NULL, OPT_JSON },
	{ "host-check", no_argument, NULL, OPT_HOST_CHECK },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int set_entitlement(struct vmm_options *options, const char *text)
{
	uint64_t number = 0;

	options->entitlement_learned = strcmp(text, "learned") == 0;
	if (!options->entitlement_learned && strcmp(text, "auto") != 0 &&
	    parse_number(text, 1, 65536, &number) != 0)
		return bad("--entitlement", text);
	options->entitlement_q16 = (uint32_t)number;
	return 0;
}

static int set_configs(struct pvs_config *config, char *list)
{
	char *value;
	char *key;

	while ((key = next_pair(&list, &value)) != NULL) {
		if (set_config(config, key, value) != 0)
			return -1;
	}
	return 0;
}

static int set_option(struct vmm_options *options, int id, char *text)
{
	uint64_t number = 0;
	int word = 0;

	switch (id) {
	case OPT_GUEST:
		options->image = text;
		return 0;
	case OPT_JSON:
		options->json = text;
		return 0;
	case OPT_VM:
		return add_vm(options, text);
	case OPT_CONFIG:
		return set_configs(&options->config, text);
	case OPT_ENTITLEMENT:
		return set_entitlement(options, text);
	case OPT_HOST_CHECK:
		options->host_check = true;
		return 0;
	case OPT_MODE:
		if (parse_word(mode_names, COUNT(mode_names), text, &word) != 0)
			return bad("--mode", text);
		options->mode = (enum vmm_mode)word;
		return 0;
	case OPT_SAMPLES:
		if (parse_word(samples_names, COUNT(samples_names), text, &word) != 0)
			return bad("--samples", text);
		options->samples = (enum vmm_samples)word;
		return 0;
	case OPT_SECONDS:
		return parse_seconds(text, &options->run_ns) ? bad("--seconds", text) : 0;
	case OPT_SEED:
		return parse_number(text, 0, UINT64_MAX, &options->seed) ? bad("--seed", text) : 0;
	case OPT_WARMUP:
		if (parse_number(text, 0, 3600000, &number) != 0)
			return bad("--warmup-ms", text);
		options->warmup_ns = number * NS_PER_MS;
		return 0;
	case OPT_INSNS:
		if (parse_number(text, 0, 100000, &number) != 0)
			return bad("--insns-per-us", text);
		options->insns_per_us = (uint32_t)number;
		return 0;
	case OPT_HELP:
		fputs(usage, stdout);
		return 1;
	default:
		return bad("see --help; unknown option or missing value", "");
	}
}

int options_parse(struct vmm_options *options, int argc, char **argv)
{
	int id;
	int result;

	*options = (struct vmm_options){
		.mode = VMM_ON,
		.samples = VMM_SAMPLES_HIST,
		.json = "-",
		.warmup_ns = 200 * NS_PER_MS,
		.run_ns = NS_PER_S,
		.seed = 1,
		.insns_per_us = 250,
	};
	optind = 1;
	opterr = 0;
	while ((id = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		result = set_option(options, id, optarg);
		if (result != 0)
			return result;
	}
	if (optind < argc)
		return bad("not an option", argv[optind]);
	if (options->host_check)
		return 0;
	if (!options->image)
		return bad("--guest is missing; see --help", "");
	if (options->vm_count == 0)
		return bad("--vm is missing; see --help", "");
	return check_config(&options->config);
}
