/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random guests on random machines. Seed: PVS_SEED, printed when something is red.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 20000
#define RUNS 8u

struct random {
	pvs_u64 state;
};

/* Steele, Lea, Flood: SplitMix64. */
static pvs_u64 next(struct random *r)
{
	pvs_u64 z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static pvs_u32 below(struct random *r, pvs_u32 n)
{
	return (pvs_u32)(next(r) % n);
}

static pvs_u64 seed_of_run(unsigned run)
{
	const char *text = getenv("PVS_SEED");

	return text ? strtoull(text, NULL, 0) : 1000 + run;
}

static void random_guest(struct fixture *f, struct random *r)
{
	unsigned i = below(r, VCPUS);
	pvs_u64 *words = &f->slots[i].intent;

	switch (below(r, 8)) {
	case 0:
		words[below(r, 8)] = next(r);
		break;
	case 1:
		words[below(r, 6)] ^= 1ull << below(r, 64);
		break;
	case 2:
		guest_says(f, i, below(r, 6));
		break;
	case 3:
		guest_online(f, i);
		break;
	case 4:
		f->slots[i].pending = next(r) & 0xff;
		break;
	case 5:
		f->header->guest_command = below(r, 4);
		break;
	case 6:
		f->header->features_accepted = next(r) & next(r) & PVS_F_ALL;
		break;
	default:
		guest_accept(f, f->header->features_offered & ~PVS_F_SPLIT_WORDS);
		break;
	}
}

static void random_event(struct fixture *f, struct random *r)
{
	unsigned i = below(r, VCPUS);

	switch (below(r, 8)) {
	case 0:
		pvs_host_timer(&f->host);
		break;
	case 1:
		pvs_host_post(&f->host, i, below(r, PVS_EV_COUNT + 2));
		break;
	case 2:
		if (!below(r, 20))
			pvs_host_detach(&f->host, i);
		break;
	case 3:
		(void)pvs_host_attach(&f->host, i, &f->nulls[i], i);
		break;
	case 4:
		if (!below(r, 20))
			pvs_host_reset(&f->host, (pvs_u32)next(r));
		break;
	default:
		(void)pvs_host_event(&f->host, i, below(r, PVS_EV_COUNT), (pvs_u32)next(r));
		break;
	}
}

static int random_status(struct random *r)
{
	static const int statuses[] = { PVS_E_HOST, PVS_E_PERM, PVS_E_FOREIGN, PVS_E_GONE };

	return below(r, 10) ? PVS_OK : statuses[below(r, 4)];
}

static void check(const struct fixture *f, int faults)
{
	pvs_u32 applied = 0;
	unsigned i;

	for (i = 0; i < VCPUS; i++) {
		const struct pvs_host_vcpu *v = &f->vcpus[i];

		applied += v->applied != 0;
		assert_false(v->applied && (!v->attached || v->foreign));
		if (!faults && f->nulls[i].captured)
			assert_true(v->applied || f->nulls[i].klass == PVS_CLASS_BASELINE);
		if (!faults && v->attached)
			assert_int_equal(f->nulls[i].klass, v->core.klass);
	}
	assert_int_equal(applied, f->host.applied_count);
	assert_true(f->header->magic == PVS_REGION_MAGIC);
}

/* A digest of what the machine was told. */
static pvs_u64 play(pvs_u64 seed, int faults)
{
	struct random r = { seed };
	struct fixture f;
	pvs_u64 digest = 0;
	unsigned i;
	int n;

	fixture_init(&f, CAPS_USER);
	for (n = 0; n < ROUNDS; n++) {
		for (i = 0; faults && i < VCPUS; i++) {
			f.nulls[i].fail_apply = random_status(&r);
			f.nulls[i].fail_restore = random_status(&r);
			f.nulls[i].fail_now = random_status(&r);
			f.nulls[i].fail_capture = random_status(&r);
		}
		random_guest(&f, &r);
		runs(&f, below(&r, VCPUS), next(&r) % (2 * MS));
		random_event(&f, &r);
		check(&f, faults);
		for (i = 0; i < VCPUS; i++)
			digest = digest * 31 + f.nulls[i].klass + f.nulls[i].applies;
	}
	pvs_host_close(&f.host);
	for (i = 0; i < VCPUS; i++) {
		assert_int_equal(f.vcpus[i].applied, 0);
		if (!faults)
			assert_int_equal(f.nulls[i].klass, PVS_CLASS_BASELINE);
	}
	assert_true(faults || f.host.counters.errors == 0);
	assert_true(f.host.counters.applies > 0);
	fixture_free(&f);
	return digest;
}

static void play_twice(int faults)
{
	unsigned run;

	for (run = 0; run < RUNS; run++) {
		pvs_u64 seed = seed_of_run(run);

		print_message("PVS_SEED=%llu\n", seed);
		assert_true(play(seed, faults) == play(seed, faults));
	}
}

static void random_guest__never_leaves_the_machine_out_of_step(void **state)
{
	(void)state;
	play_twice(0);
}

static void random_guest__on_a_failing_machine_never_loses_count(void **state)
{
	(void)state;
	play_twice(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_guest__never_leaves_the_machine_out_of_step),
		cmocka_unit_test(random_guest__on_a_failing_machine_never_loses_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
