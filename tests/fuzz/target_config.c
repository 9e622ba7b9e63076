/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: any numbers at all. The check must name the field that is wrong and its range, a config
 * it lets pass is one that every rule holds with, and putting right what it names comes to an end.
 */
#include "rules.h"

#include <string.h>

#define WORDS (sizeof(struct pvs_config) / sizeof(pvs_u32))
#define STEPS 48u
#define GENERATION 9u

struct range {
	const char *field; /* NULL: a word the check does not look at */
	uint32_t min;
	uint32_t max;
};

/* What the check says of each word of the struct, found by asking it. */
static struct range ranges[WORDS];

static void set(struct pvs_config *cfg, size_t word, uint32_t value)
{
	memcpy((unsigned char *)cfg + word * sizeof(value), &value, sizeof(value));
}

static uint32_t get(const struct pvs_config *cfg, size_t word)
{
	uint32_t value;

	memcpy(&value, (const unsigned char *)cfg + word * sizeof(value), sizeof(value));
	return value;
}

static void learn_ranges(void)
{
	struct pvs_config_error err;
	struct pvs_config cfg;
	size_t i;

	if (ranges[0].field)
		return;
	for (i = 0; i < WORDS; i++) {
		(void)pvs_config_profile(PVS_PROFILE_DEFAULT, &cfg);
		FUZZ_RULE("config: the default is refused", !pvs_config_check(&cfg, &err));
		set(&cfg, i, 0xffffffffu);
		if (!pvs_config_check(&cfg, &err))
			continue;
		ranges[i].field = err.field;
		ranges[i].min = err.min;
		ranges[i].max = err.max;
	}
}

static size_t word_of(const char *field)
{
	size_t i;

	for (i = 0; i < WORDS; i++) {
		if (ranges[i].field && !strcmp(ranges[i].field, field))
			return i;
	}
	FUZZ_RULE("config: the check names no field there is", 0);
	return 0;
}

/* Two ways to write numbers: all of them as they come, or a few on top of the defaults. */
static void take_config(struct pvs_config *cfg, struct fuzz_input *in)
{
	unsigned int few = fuzz_u8(in);
	size_t i;

	memset(cfg, 0, sizeof(*cfg));
	if (few == 0xffu) {
		for (i = 0; i < WORDS; i++)
			set(cfg, i, fuzz_u32(in));
	}
	for (i = 0; i < (few & 0xfu); i++) {
		size_t word = fuzz_u8(in) % WORDS;
		unsigned int how = fuzz_u8(in);

		if (how < 0x40u)
			set(cfg, word, ranges[word].min + (how & 1u) - (how >> 1 & 1u));
		else if (how < 0x80u)
			set(cfg, word, ranges[word].max + (how & 1u) - (how >> 1 & 1u));
		else
			set(cfg, word, fuzz_u32(in));
	}
}

static int check(const struct pvs_config *cfg, struct pvs_config_error *err)
{
	int status = pvs_config_check(cfg, err);

	if (FUZZ_CANARY(status && !strcmp(err->field, "vm_quantum_ns") &&
			err->value == err->max + 1u && cfg->flags == PVS_CONFIG_MEASURE_ONLY))
		return PVS_OK;
	return status;
}

/* Puts right what the check names, until it finds nothing more. */
static void mend(struct pvs_config *cfg)
{
	struct pvs_config_error err = { 0, 0, 0, 0 };
	size_t i;
	size_t word;

	for (i = 0; i <= 2 * WORDS; i++) {
		if (!check(cfg, &err))
			return;
		FUZZ_RULE("config: an error without a field", err.field);
		FUZZ_RULE("config: names a value that is in range",
			  err.value < err.min || err.value > err.max);
		FUZZ_RULE("config: an empty range", err.min <= err.max);
		word = word_of(err.field);
		FUZZ_RULE("config: names another value", get(cfg, word) == err.value);
		set(cfg, word, err.value < err.min ? err.min : err.max);
	}
	FUZZ_RULE("config: can never be put right", 0);
}

static void in_range(const struct pvs_config *cfg)
{
	size_t i;

	for (i = 0; i < WORDS; i++) {
		FUZZ_RULE("config: accepted out of range", !ranges[i].field ||
			  (get(cfg, i) >= ranges[i].min && get(cfg, i) <= ranges[i].max));
	}
	FUZZ_RULE("config: an account that never opens again",
		  cfg->boost_resume_ns <= cfg->boost_burst_ns);
	FUZZ_RULE("config: the cap costs nothing", cfg->vm_cost_q10);
}

static void run_with(const struct pvs_config *cfg, struct fuzz_input *in)
{
	struct pvs_choice choice = { PVS_ABI_MAJOR, PVS_ABI_MINOR, GENERATION, 0, PVS_CMD_ACCEPT };
	struct pvs_slot slot;
	struct watched w;
	struct pvs_vm vm;
	struct pvs_io io;
	unsigned int i;

	memset(&slot, 0, sizeof(slot));
	memset(&w, 0, sizeof(w));
	memset(&io, 0, sizeof(io));
	io.facts.caps = fuzz_u16(in);
	io.facts.now_ns = 1000000000u;
	pvs_vm_init(&vm, io.facts.caps, GENERATION, 2);
	choice.features = vm.features_offered & ~PVS_F_SPLIT_WORDS;
	(void)pvs_vm_negotiate(&vm, &choice);
	pvs_vcpu_init(&w.vcpu, cfg);
	rules_begin(&w);
	slot.life = PVS_LE64(PVS_LIFE_ONLINE | PVS_PUT(GENERATION, PVS_LIFE_GEN_SHIFT, 24));
	for (i = 0; i < STEPS; i++) {
		struct pvs_slot before;

		slot.intent = PVS_LE64(PVS_PUT(fuzz_u8(in) % 6u, PVS_INTENT_CLASS_SHIFT, 4) |
				       PVS_PUT(i, PVS_INTENT_SEQ_SHIFT, 8));
		io.event.type = i ? PVS_EV_KICK : PVS_EV_ATTACH;
		before = slot;
		rules_before_step(&w);
		pvs_step(&w.vcpu, &vm, cfg, &slot, &io);
		rules_after_step(&w, cfg, &vm, &io);
		rules_slot(&before, &slot, &vm, &io.decision);
		io.facts.now_ns += fuzz_duration_ns(in);
		io.facts.run_ns += fuzz_duration_ns(in);
	}
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct fuzz_input in = fuzz_input_of(data, size);
	struct pvs_config cfg;
	struct pvs_config again;

	learn_ranges();
	take_config(&cfg, &in);
	pvs_config_resolve(&cfg);
	again = cfg;
	pvs_config_resolve(&again);
	FUZZ_RULE("config: resolving twice differs", !memcmp(&cfg, &again, sizeof(cfg)));
	mend(&cfg);
	pvs_config_resolve(&cfg);
	in_range(&cfg);
	run_with(&cfg, &in);
}
