/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the VMM that need no KVM: command line, samples, JSON. */
#include "histogram.h"
#include "json.h"
#include "vmm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* last: it takes the name `fail` */

#define ARGS_MAX 16

static struct vmm_options options;

/* Parses one line of words; options_parse() writes into its arguments. */
static int parse(const char *line)
{
	static char copy[512];
	static char program[] = "pvs-vmm";
	char *argv[ARGS_MAX] = { program };
	char *rest = copy;
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	while (argc < ARGS_MAX && (argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	return options_parse(&options, argc, argv);
}

/* ---- command line ---------------------------------------------------------------------------- */

static void options__a_vm_has_every_key_it_was_given(void **state)
{
	const struct vm_options *vm = &options.vms[0];

	(void)state;
	assert_int_equal(parse("--guest g --vm name=a.0,work=audio,vcpus=3,cpu=2,rt=1,hints=0,"
			       "period_us=2670,duty=10,level=15,window_us=65535"), 0);
	assert_int_equal(options.vm_count, 1);
	assert_string_equal(vm->name, "a.0");
	assert_int_equal(vm->work, PVS_VMM_AUDIO);
	assert_int_equal(vm->vcpus, 3);
	assert_int_equal(vm->cpu, 2);
	assert_true(vm->rt);
	assert_false(vm->hints);
	assert_int_equal(vm->period_ns, 2670000);
	assert_int_equal(vm->work_ns, 267000);
	assert_int_equal(vm->level, 15);
	assert_int_equal(vm->window_us, 65535);
}

static void options__a_vm_without_keys_burns_anywhere_and_speaks(void **state)
{
	(void)state;
	assert_int_equal(parse("--guest g --vm work=burn --vm work=locks"), 0);
	assert_string_equal(options.vms[0].name, "burn0");
	assert_string_equal(options.vms[1].name, "locks1");
	assert_int_equal(options.vms[0].cpu, VMM_CPU_ANY);
	assert_int_equal(options.vms[0].vcpus, 1);
	assert_true(options.vms[0].hints);
	assert_false(options.vms[0].rt);
}

static void options__numbers_out_of_range_are_refused(void **state)
{
	static const char *const bad[] = {
		"vcpus=0", "vcpus=33", "vcpus=-1", "vcpus=", "vcpus", "level=16", "window_us=65536",
		"duty=0", "duty=100", "rt=2", "period_us=99", "cpu=x", "work=walk", "name=",
		"name=quote\"", "name=seventeen-letters", "colour=red",
	};
	char line[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "--guest g --vm %s", bad[i]);
		assert_int_equal(parse(line), -1);
	}
}

static void options__seconds_may_have_a_fraction(void **state)
{
	(void)state;
	assert_int_equal(parse("--guest g --vm work=burn --seconds 2.125"), 0);
	assert_int_equal(options.run_ns, 2125000000);
	assert_int_equal(parse("--guest g --vm work=burn --seconds 0"), -1);
	assert_int_equal(parse("--guest g --vm work=burn --seconds 1.x"), -1);
	assert_int_equal(parse("--guest g --vm work=burn --seconds 99999999999999"), -1);
}

static void options__config_sets_fields_and_resolves_the_others(void **state)
{
	struct pvs_config defaults = { 0 };

	(void)state;
	pvs_config_resolve(&defaults);
	assert_int_equal(parse("--guest g --vm work=burn "
			       "--config boost_share_q10=128,poll_ns=200000"),
			 0);
	assert_int_equal(options.config.boost_share_q10, 128);
	assert_int_equal(options.config.poll_ns, 200000);
	assert_int_equal(options.config.grant_max_ns, defaults.grant_max_ns);
}

static void options__config_out_of_range_or_unknown_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse("--guest g --vm work=burn --config boost_share_q10=1025"), -1);
	assert_int_equal(parse("--guest g --vm work=burn --config boost=1"), -1);
	assert_int_equal(parse("--guest g --vm work=burn --config poll_ns"), -1);
}

static void options__every_mode_has_a_name(void **state)
{
	(void)state;
	assert_int_equal(parse("--guest g --vm work=burn --mode off"), 0);
	assert_int_equal(options.mode, VMM_OFF);
	assert_int_equal(parse("--guest g --vm work=burn --mode static-rt"), 0);
	assert_int_equal(options.mode, VMM_STATIC_RT);
	assert_int_equal(parse("--guest g --vm work=burn --mode measure"), 0);
	assert_int_equal(options.mode, VMM_MEASURE);
	assert_int_equal(parse("--guest g --vm work=burn"), 0);
	assert_int_equal(options.mode, VMM_ON);
	assert_int_equal(parse("--guest g --vm work=burn --mode maybe"), -1);
}

static void options__entitlement_is_a_word_or_a_share(void **state)
{
	(void)state;
	assert_int_equal(parse("--guest g --vm work=burn --entitlement learned"), 0);
	assert_true(options.entitlement_learned);
	assert_int_equal(parse("--guest g --vm work=burn --entitlement 65536"), 0);
	assert_int_equal(options.entitlement_q16, 65536);
	assert_int_equal(parse("--guest g --vm work=burn --entitlement 65537"), -1);
}

static void options__without_image_or_vm_nothing_runs(void **state)
{
	(void)state;
	assert_int_equal(parse("--vm work=burn"), -1);
	assert_int_equal(parse("--guest g"), -1);
	assert_int_equal(parse("--guest g --vm work=burn stray"), -1);
	assert_int_equal(parse("--guest g --vm"), -1);
	assert_int_equal(parse("--host-check"), 0);
}

/* ---- samples --------------------------------------------------------------------------------- */

static void histogram__buckets_grow_with_their_values(void **state)
{
	uint32_t value;

	(void)state;
	for (value = 1; value < 200000; value++) {
		unsigned below = histogram_bucket(value - 1);
		unsigned bucket = histogram_bucket(value);

		assert_true(bucket == below || bucket == below + 1);
	}
	assert_int_equal(histogram_bucket(UINT32_MAX), HISTOGRAM_BUCKETS - 1);
}

static void histogram__the_middle_of_a_bucket_is_off_by_less_than_a_percent(void **state)
{
	uint64_t value;

	(void)state;
	for (value = 1; value <= UINT32_MAX; value += value / 97 + 1) {
		uint64_t middle = histogram_value(histogram_bucket((uint32_t)value));
		uint64_t error = middle > value ? middle - value : value - middle;

		assert_true(error * 100 <= value);
	}
}

static void samples__quantiles_are_of_nearest_rank(void **state)
{
	uint32_t samples[100];
	uint32_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		samples[i] = 100 - i;
	samples_sort(samples, 100);
	assert_int_equal(samples_quantile(samples, 100, 500), 50);
	assert_int_equal(samples_quantile(samples, 100, 990), 99);
	assert_int_equal(samples_quantile(samples, 100, 999), 100);
	assert_int_equal(samples_quantile(samples, 100, 0), 1);
	assert_int_equal(samples_quantile(samples, 1, 990), 1);
	assert_int_equal(samples_quantile(samples, 0, 990), 0);
	assert_int_equal(samples_mean(samples, 0), 0);
	assert_int_equal(samples_mean(samples, 4), 2);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json__commas_stand_between_elements_and_nowhere_else(void **state)
{
	char *text = NULL;
	size_t size = 0;
	struct json json = { .file = open_memstream(&text, &size) };

	(void)state;
	json_open(&json, NULL, '{');
	json_number(&json, "a", 1);
	json_open(&json, "b", '[');
	json_number(&json, NULL, 2);
	json_number(&json, NULL, 3);
	json_open(&json, NULL, '[');
	json_close(&json, ']');
	json_open(&json, NULL, '{');
	json_signed(&json, "c", -4);
	json_close(&json, '}');
	json_close(&json, ']');
	json_bool(&json, "d", true);
	json_hex(&json, "e", 255);
	json_close(&json, '}');
	fclose(json.file);
	assert_string_equal(text, "{\n \"a\": 1,\n \"b\": [2,3,[],\n  {\n   \"c\": -4}],\n"
				  " \"d\": true,\n \"e\": \"0xff\"}\n");
	free(text);
}

static void json__text_needs_no_escapes(void **state)
{
	char *text = NULL;
	size_t size = 0;
	struct json json = { .file = open_memstream(&text, &size) };

	(void)state;
	json_text(&json, NULL, "a\"b\\c\nd\377");
	fclose(json.file);
	assert_string_equal(text, "\"a?b?c?d?\"");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options__a_vm_has_every_key_it_was_given),
		cmocka_unit_test(options__a_vm_without_keys_burns_anywhere_and_speaks),
		cmocka_unit_test(options__numbers_out_of_range_are_refused),
		cmocka_unit_test(options__seconds_may_have_a_fraction),
		cmocka_unit_test(options__config_sets_fields_and_resolves_the_others),
		cmocka_unit_test(options__config_out_of_range_or_unknown_is_refused),
		cmocka_unit_test(options__every_mode_has_a_name),
		cmocka_unit_test(options__entitlement_is_a_word_or_a_share),
		cmocka_unit_test(options__without_image_or_vm_nothing_runs),
		cmocka_unit_test(histogram__buckets_grow_with_their_values),
		cmocka_unit_test(histogram__the_middle_of_a_bucket_is_off_by_less_than_a_percent),
		cmocka_unit_test(samples__quantiles_are_of_nearest_rank),
		cmocka_unit_test(json__commas_stand_between_elements_and_nowhere_else),
		cmocka_unit_test(json__text_needs_no_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
