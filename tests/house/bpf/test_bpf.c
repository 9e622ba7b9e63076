/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * The running kernel's verifier accepts the engine, and BPF and native code take the same
 * decisions, byte for byte, over pseudo-random steps. PVS_SEED repeats a run.
 */
#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "world.h"

#define STEPS 20000
#define LIFE_STEPS 500 /* of one vCPU, until a new one begins without debts */
#define SKIP_STATUS 77 /* SKIP_RETURN_CODE of ctest */
#define SEED_DEFAULT 1u
#define PACKET_BYTES 14 /* the least that a test run of a socket filter takes (ETH_HLEN) */

static struct {
	struct bpf_object *object;
	int program_fd;
	struct world *bpf;    /* the map's value, shared with the kernel */
	struct world native;
	uint64_t random;
} test;

/* xorshift64*, Vigna 2016 */
static uint64_t draw(void)
{
	test.random ^= test.random >> 12;
	test.random ^= test.random << 25;
	test.random ^= test.random >> 27;
	return test.random * 0x2545f4914f6cdd1dull;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)((draw() >> 32) % limit);
}

static uint64_t seed(void)
{
	const char *text = getenv("PVS_SEED");
	uint64_t value = text ? strtoull(text, NULL, 0) : SEED_DEFAULT;

	return value ? value : SEED_DEFAULT;
}

/* Why programs cannot be loaded here, or NULL. A syscall program of two instructions needs the
 * privilege that the engine needs, and cannot be refused for what it does. */
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
	if (fd == -ENOSYS)
		return "this kernel has no bpf(2)";
	return "this kernel does not load BPF programs";
}

static int load(void **state)
{
	struct bpf_map *map;
	void *memory;

	(void)state;
	test.object = bpf_object__open_file(PVS_BPF_OBJECT, NULL);
	if (!test.object || bpf_object__load(test.object))
		return -1;
	test.program_fd = bpf_program__fd(bpf_object__find_program_by_name(test.object, "step"));
	map = bpf_object__find_map_by_name(test.object, "worlds");
	memory = mmap(NULL, sizeof(struct world), PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(map), 0);
	if (memory == MAP_FAILED)
		return -1;
	test.bpf = memory;
	return 0;
}

static int unload(void **state)
{
	(void)state;
	munmap(test.bpf, sizeof(struct world));
	bpf_object__close(test.object);
	return 0;
}

/* A word that is well-formed, random, or random in one bit. */
static uint64_t guest_word(uint64_t well_formed)
{
	switch (below(128)) {
	case 0:
		return draw();
	case 1:
		return well_formed ^ (1ull << below(64));
	default:
		return well_formed;
	}
}

static uint64_t some_intent(void)
{
	return PVS_PUT(below(PVS_UTIL_MAX + 1), PVS_INTENT_UTIL_SHIFT, PVS_INTENT_UTIL_BITS) |
	       PVS_PUT(below(PVS_URGENCY_MAX + 1), PVS_INTENT_CLASS_SHIFT, PVS_INTENT_CLASS_BITS) |
	       PVS_PUT(below(16), PVS_INTENT_LEVEL_SHIFT, PVS_INTENT_LEVEL_BITS) |
	       PVS_PUT(below(PVS_URGENCY_MAX + 1), PVS_INTENT_WAKE_CLASS_SHIFT,
		       PVS_INTENT_WAKE_CLASS_BITS) |
	       PVS_PUT(below(2), PVS_INTENT_IDLE_SHIFT, 1) |
	       PVS_PUT(below(2000), PVS_INTENT_WINDOW_SHIFT, PVS_INTENT_WINDOW_BITS) |
	       PVS_PUT(below(2), PVS_INTENT_UTIL_VALID_SHIFT, 1) |
	       PVS_PUT(below(2), PVS_INTENT_WAKE_VALID_SHIFT, 1) |
	       PVS_PUT(below(256), PVS_INTENT_SEQ_SHIFT, PVS_INTENT_SEQ_BITS);
}

/* Whom it waits for, of the four slots there are. */
static uint64_t some_wait(void)
{
	uint64_t kind = below(PVS_WAIT_KIND_MAX + 1);

	if (kind == PVS_WAIT_LOCK || kind == PVS_WAIT_IPI)
		return kind | below(4) << PVS_WAIT_TARGET_SHIFT |
		       (uint64_t)below(65536) << PVS_WAIT_EPOCH_SHIFT;
	if (kind == PVS_WAIT_IPI_MANY)
		return kind | (uint64_t)(1 + below(15)) << PVS_WAIT_MASK_SHIFT;
	return kind;
}

static void change_guest_words(struct pvs_slot *slot, uint32_t generation)
{
	uint64_t life = PVS_LIFE_ONLINE |
			PVS_PUT(generation, PVS_LIFE_GEN_SHIFT, PVS_LIFE_GEN_BITS);

	slot->intent = guest_word(some_intent());
	slot->crit = guest_word(below(16));
	slot->irq = guest_word((below(2) ? below(8) : 0) |
			       PVS_PUT(below(4) ? slot->irq_ticket : below(65536),
				       PVS_IRQ_ACK_SHIFT, PVS_IRQ_ACK_BITS));
	slot->wait = guest_word(some_wait());
	slot->util_bounds = guest_word(below(2) ? 0 : below(512) |
				       (uint64_t)(512 + below(513)) << PVS_BOUNDS_CEIL_SHIFT);
	slot->pending = guest_word(below(6) << PVS_PENDING_CLASS_SHIFT);
	slot->life = guest_word(life);
}

/* Any event, but rarely one that ends it all: that would leave little else to see. */
static uint32_t some_event(void)
{
	uint32_t type = below(PVS_EV_COUNT + 1);

	if (type == PVS_EV_DETACH || type == PVS_EV_FOREIGN)
		return below(16) ? PVS_EV_ATTACH : type;
	return type;
}

/* Time and events of one step, the same for both worlds. Time rarely jumps or steps back. */
static void change_inputs(struct world *w)
{
	struct pvs_facts *facts = &w->io.facts;
	uint64_t dt = below(512) ? below(500000) : draw() >> below(64);

	facts->now_ns += below(256) ? dt : 0u - dt;
	facts->run_ns += below(4) ? 0 : dt / (1 + below(4));
	facts->wait_ns += dt / 2;
	if (!below(16))
		facts->caps = below(2048);
	if (!below(64))
		facts->entitlement_q16 = below(65537);
	facts->timer_granularity_ns = below(2) ? 50000 : 4000000;
	facts->nested = !below(32);
	facts->contended = below(2);
	facts->dedicated = !below(64);
	facts->capacity = (uint16_t)below(1100);
	facts->perf = (uint16_t)below(1100);
	facts->contention = (uint16_t)below(1100);
	w->io.event.type = (uint16_t)some_event();
	w->io.event.arg = below(2) ? below(6) : below(256);
	if (!below(8))
		w->vcpu.inbox |= (1u << some_event()) & ((1u << PVS_EV_COUNT) - 1u);
	if (!below(16))
		w->vcpu.inbox += (uint64_t)(below(8) ? 1 : below(400)) << PVS_INBOX_INJECT_SHIFT;
	if (below(3))
		change_guest_words(&w->slot, w->vm.terms.generation);
}

static void begin(uint32_t profile, uint64_t features)
{
	const struct pvs_choice choice = {
		.generation = 7, .features = features, .command = PVS_CMD_ACCEPT,
	};
	struct world *w = &test.native;

	memset(w, 0, sizeof(*w));
	assert_int_equal(pvs_config_profile(profile, &w->config), PVS_OK);
	pvs_vm_init(&w->vm, PVS_CAP_SEES_WAKE | PVS_CAP_SEES_INJECT | PVS_CAP_CAN_KICK, 7, 4);
	w->vm.features_offered = PVS_F_ALL;
	pvs_vm_negotiate(&w->vm, &choice);
	assert_int_equal(w->vm.status, PVS_STATUS_ACTIVE);
	pvs_vcpu_init(&w->vcpu, &w->config);
	w->io.facts.now_ns = 1000000000;
	memcpy(test.bpf, w, sizeof(*w));
}

static void step_both(void)
{
	char packet[PACKET_BYTES] = { 0 };
	struct bpf_test_run_opts options = {
		.sz = sizeof(options), .data_in = packet, .data_size_in = sizeof(packet),
		.repeat = 1,
	};
	struct world *w = &test.native;

	assert_int_equal(bpf_prog_test_run_opts(test.program_fd, &options), 0);
	assert_int_equal(options.retval, 1);
	pvs_step(&w->vcpu, &w->vm, &w->config, &w->slot, &w->io);
}

static void compare(uint32_t profile, uint64_t features)
{
	uint32_t boosts = 0, deferrals = 0, tickets = 0, storms = 0;
	int n;

	test.random = seed();
	for (n = 0; n < STEPS; n++) {
		if (n % LIFE_STEPS == 0)
			begin(profile, features);
		change_inputs(&test.native);
		memcpy(test.bpf, &test.native, sizeof(test.native));
		step_both();
		boosts += test.native.io.decision.klass >= PVS_CLASS_TASK;
		deferrals += (test.native.io.decision.flags & PVS_DECISION_DEFER) != 0;
		tickets += test.native.io.decision.reason == PVS_REASON_TICKET;
		storms += test.native.io.decision.reason == PVS_REASON_STORM;
		if (memcmp(test.bpf, &test.native, sizeof(test.native)) != 0) {
			print_message("step %d of seed %llu\n", n, (unsigned long long)seed());
			assert_memory_equal(&test.bpf->io, &test.native.io, sizeof(struct pvs_io));
			assert_memory_equal(&test.bpf->vcpu, &test.native.vcpu,
					    sizeof(struct pvs_vcpu));
			assert_memory_equal(test.bpf, &test.native, sizeof(test.native));
		}
	}
	/* Nothing would be shown by steps that decide nothing. */
	assert_in_range(boosts, STEPS / 100, STEPS);
	assert_true(deferrals && tickets && storms);
}

static void bpf__decides_the_same_bytes_as_native_code(void **state)
{
	(void)state;
	compare(PVS_PROFILE_DEFAULT, PVS_F_ALL & ~PVS_F_SPLIT_WORDS);
}

static void bpf__agrees_when_words_are_split(void **state)
{
	(void)state;
	compare(PVS_PROFILE_DEFAULT, PVS_F_ALL);
}

static void bpf__agrees_in_measure_only_mode(void **state)
{
	(void)state;
	compare(PVS_PROFILE_MEASURE_ONLY, PVS_F_ALL & ~PVS_F_SPLIT_WORDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bpf__decides_the_same_bytes_as_native_code),
		cmocka_unit_test(bpf__agrees_when_words_are_split),
		cmocka_unit_test(bpf__agrees_in_measure_only_mode),
	};
	const char *reason = unavailable();

	if (reason) {
		printf("skipped: %s\n", reason);
		return SKIP_STATUS;
	}
	/* The set-up loads the program: a verifier that rejects it fails the group. */
	return cmocka_run_group_tests(tests, load, unload);
}
