/* SPDX-License-Identifier: BSD-2-Clause */
/* What people see: the page and the trace for Perfetto, of a run made by hand (report_world.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report_json.h"
#include "report_lanes.h"
#include "report_world.h"

#define PAGE_MAX (3u << 20)

struct both {
	struct world_scenario s;
	struct world base, with;
	struct sim *runs[2];
	const char *names[2];
	struct sim_report report;
};

static int set_up(void **state)
{
	struct both *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	world_scenario(&b->s);
	world_make(&b->base, &b->s, 0);
	world_make(&b->with, &b->s, 1);
	b->runs[0] = &b->with.sim;
	b->runs[1] = &b->base.sim;
	b->names[0] = "with";
	b->names[1] = "base";
	b->report.scenario = &b->s.scenario;
	b->report.run_count = 2;
	b->report.runs = b->runs;
	b->report.names = b->names;
	b->report.command = "pvsim compare mixed.yaml --html page.html";
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct both *b = *state;

	world_free(&b->base);
	world_free(&b->with);
	free(b);
	return 0;
}

/* A file of this test's own directory, read whole; free() it. */
static char *read_back(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text;
	long size;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_true(size > 0);
	rewind(file);
	text = calloc(1, (size_t)size + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
	fclose(file);
	remove(path);
	return text;
}

static char *page_of(const struct both *b)
{
	static const char path[] = "report_test.page.html";

	assert_int_equal(sim_report_html(path, &b->report), 0);
	return read_back(path);
}

static uint32_t count_of(const char *text, const char *what)
{
	uint32_t count = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		count++;
	return count;
}

/* ---- JSON -------------------------------------------------------------------------------------*/

static void escaped(const char *text, const char *expected)
{
	char shown[200] = "";
	FILE *file = tmpfile();

	assert_non_null(file);
	sim_json_escape(file, text);
	rewind(file);
	shown[fread(shown, 1, sizeof(shown) - 1, file)] = 0;
	fclose(file);
	assert_string_equal(shown, expected);
}

static void what_means_something_to_html_or_json_is_escaped(void **state)
{
	(void)state;
	escaped("plain name-1.x", "plain name-1.x");
	escaped("</script>", "\\u003c\\u002fscript\\u003e");
	escaped("\"a\\b\"\n&'", "\\u0022a\\u005cb\\u0022\\u000a\\u0026\\u0027");
}

static void what_is_not_utf8_is_replaced(void **state)
{
	(void)state;
	escaped("\xc2\xb5s", "\xc2\xb5s");
	escaped("\xe2\x82\xac \xf0\x9f\x8e\xb5", "\xe2\x82\xac \xf0\x9f\x8e\xb5");
	escaped("a\xff", "a\\ufffd");
	escaped("\xc3", "\\ufffd");              /* cut off */
	escaped("\xc0\xaf", "\\ufffd\\ufffd");   /* too long a form of a slash */
	escaped("\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd");
	escaped("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"); /* half of a pair */
}

/* ---- the page ---------------------------------------------------------------------------------*/

static void a_name_cannot_end_the_script_it_stands_in(void **state)
{
	struct both *b = *state;
	char *plain = page_of(b), *page;
	uint32_t ends = count_of(plain, "</script");

	snprintf(b->s.scenario.name, sizeof(b->s.scenario.name), "</script><b>&");
	b->s.scenario.claim = (char *)"</script><script>alert(1)</script><!--";
	snprintf(b->with.vms[0].name, SIM_NAME, "</ScRiPt>");
	snprintf(b->with.rows[4].name, sizeof(b->with.rows[4].name), "pvs.</script>");
	page = page_of(b);
	assert_int_equal(count_of(page, "</script"), ends);
	assert_null(strstr(page, "</ScRiPt"));
	assert_null(strstr(page, "<!--\""));
	assert_non_null(strstr(page, "<title>pvsim: &#60;/script&#62;&#60;b&#62;&#38;</title>"));
	free(plain);
	free(page);
}

static void the_page_loads_nothing(void **state)
{
	char *page = page_of(*state);

	assert_null(strstr(page, "src="));
	assert_null(strstr(page, "@import"));
	assert_null(strstr(page, "<link"));
	assert_null(strstr(page, "https:"));
	free(page);
}

static void the_baseline_comes_first_and_then_the_library(void **state)
{
	char *page = page_of(*state);
	const char *base = strstr(page, "\"name\":\"base\",\"policy\":\"credit2\"");
	const char *with = strstr(page, "\"name\":\"with\",\"policy\":\"pvs-owning\"");

	assert_non_null(base);
	assert_non_null(with);
	assert_true(base < with);
	assert_non_null(strstr(page, "\"base\":0,\"subject\":1"));
	free(page);
}

static void a_run_named_base_is_the_baseline_whatever_it_does(void **state)
{
	struct both *b = *state;
	char *page;

	b->names[0] = "base"; /* the one that hears */
	b->names[1] = "other";
	page = page_of(b);
	assert_true(strstr(page, "\"name\":\"base\",\"policy\":\"pvs-owning\"") <
		    strstr(page, "\"name\":\"other\",\"policy\":\"credit2\""));
	free(page);
}

static void without_a_name_the_first_that_hears_nothing_is_the_baseline(void **state)
{
	struct both *b = *state;
	const struct sim_policy *policies[2] = { &b->with.policy, &b->base.policy };
	const char *names[2] = { "pvs-owning", "credit2" };

	const struct sim_scenario *s = &b->s.scenario;

	assert_int_equal(sim_report_base(s, 2, names, policies), 1);
	assert_int_equal(sim_report_base(s, 1, names, policies), -1);
	b->base.policy.flags = SIM_POLICY_STATIC_RT;
	policies[0] = &b->base.policy;
	policies[1] = &b->with.policy;
	assert_int_equal(sim_report_base(s, 2, names, policies), 1); /* the last */
	b->s.vms[1].liar = SIM_ALWAYS_CRITICAL;
	assert_int_equal(sim_report_base(s, 2, names, policies), -1);
}

static void of_several_of_a_name_the_sum_is_shown(void **state)
{
	char *page = page_of(*state);

	assert_non_null(strstr(page, "\"task.busy\\u002fhog.work\":["));
	assert_null(strstr(page, "task.busy.3"));
	free(page);
}

static void the_gap_to_a_real_host_is_in_every_page(void **state)
{
	char *page = page_of(*state);

	assert_int_equal(count_of(page, "\"gap_ppm\":"), 1);
	free(page);
}

static void runs_without_records_make_a_page(void **state)
{
	struct both *b = *state;
	char *page;

	sim_trace_free(&b->base.sim.trace);
	sim_trace_free(&b->with.sim.trace);
	page = page_of(b);
	assert_null(strstr(page, "\"spans\":"));
	assert_non_null(strstr(page, "\"rows\":"));
	free(page);
}

static void no_runs_at_all_make_a_page(void **state)
{
	struct both *b = *state;
	char *page;

	b->report.run_count = 0;
	page = page_of(b);
	assert_non_null(strstr(page, "\"runs\":[]"));
	assert_non_null(strstr(page, "\"base\":-1,\"subject\":-1"));
	free(page);
}

static void a_single_run_has_nothing_to_be_compared_with(void **state)
{
	struct both *b = *state;
	char *page;

	b->report.run_count = 1;
	page = page_of(b);
	assert_non_null(strstr(page, "\"base\":-1,\"subject\":0"));
	free(page);
}

static void a_figure_that_is_not_a_number_is_null(void **state)
{
	struct sim_report_figure figures[2] = { { .name = "none", .text = "a / b" },
						{ .name = "half", .text = "c" } };
	struct both *b = *state;
	char *page;

	figures[0].value = (double)INFINITY;
	figures[1].value = 0.5;
	b->report.figures = figures;
	b->report.figure_count = 2;
	page = page_of(b);
	assert_non_null(strstr(page, "\"text\":\"a \\u002f b\",\"value\":null"));
	assert_non_null(strstr(page, "\"text\":\"c\",\"value\":0.5"));
	free(page);
}

/* A trace in which something happens each microsecond. */
static void fill_trace(struct sim *sim, uint32_t room)
{
	uint64_t now = 0;
	uint32_t i, thread;

	sim_trace_free(&sim->trace);
	sim_trace_keep(&sim->trace, room, 0, sim->now_ns);
	for (i = 0; i + 4 < room; i += 4) {
		thread = i / 4 % WORLD_THREADS;
		sim_trace_add(&sim->trace, now, SIM_T_RUN, 0, thread, PVS_CLASS_BASELINE, 0);
		sim_trace_add(&sim->trace, now + 900, SIM_T_KICK, 0, 0, 0, 0);
		sim_trace_add(&sim->trace, now + 900, SIM_T_MISS, 0, 0, 0, 390 * SIM_MS + i);
		sim_trace_add(&sim->trace, now + 1000, SIM_T_STOP, 0, thread, SIM_STOP_SLICE, 0);
		now += 1000;
	}
}

static void the_page_stays_small_however_long_the_trace_is(void **state)
{
	struct both *b = *state;
	char *page;

	fill_trace(&b->base.sim, 1u << 20);
	fill_trace(&b->with.sim, 1u << 20);
	page = page_of(b);
	assert_true(strlen(page) > PAGE_MAX / 6);
	assert_true(strlen(page) < PAGE_MAX);
	free(page);
}

static void a_place_that_cannot_be_written_is_said(void **state)
{
	const struct both *b = *state;

	assert_true(sim_report_html("no/such/directory/page.html", &b->report) < 0);
	assert_true(sim_report_perfetto("no/such/directory/trace.json", b->runs[0]) < 0);
}

/* ---- lanes ------------------------------------------------------------------------------------*/

static void nobody_is_in_two_places_and_no_cpu_has_two(void **state)
{
	struct both *b = *state;
	uint64_t cpu_until[2] = { 0, 0 }, thread_until[WORLD_THREADS] = { 0 }, ran_ns = 0, i;
	struct sim_lanes lanes;

	assert_int_equal(sim_lanes_make(&lanes, &b->with.sim, 0, b->with.sim.now_ns), 0);
	assert_true(lanes.count > 100);
	for (i = 0; i < lanes.count; i++) {
		const struct sim_span *s = &lanes.spans[i];

		assert_true(s->until_ns > s->from_ns);
		assert_true(thread_until[s->thread] <= s->from_ns);
		thread_until[s->thread] = s->until_ns;
		if (s->kind != SIM_SPAN_RUNS)
			continue;
		assert_true(cpu_until[s->cpu] <= s->from_ns);
		cpu_until[s->cpu] = s->until_ns;
		ran_ns += s->until_ns - s->from_ns;
	}
	/* both CPUs are never idle in this world */
	assert_true(ran_ns == 2 * b->with.sim.now_ns);
	sim_lanes_free(&lanes);
}

static const struct sim_span *span_of(const struct sim_lanes *lanes, uint32_t thread,
				      uint64_t at_ns)
{
	uint64_t i;

	for (i = 0; i < lanes->count; i++)
		if (lanes->spans[i].thread == thread && lanes->spans[i].from_ns <= at_ns &&
		    lanes->spans[i].until_ns > at_ns)
			return &lanes->spans[i];
	return NULL;
}

static void a_window_knows_what_was_so_before_it(void **state)
{
	struct both *b = *state;
	struct sim *sim = &b->base.sim;
	struct sim_lanes lanes;

	sim_trace_free(&sim->trace);
	sim_trace_keep(&sim->trace, 64, 0, 100);
	sim_trace_add(&sim->trace, 10, SIM_T_RUN, 0, 1, 3, PVS_REASON_WAKE);
	sim_trace_add(&sim->trace, 50, SIM_T_STOP, 0, 1, SIM_STOP_BLOCKED, 0);
	sim_trace_add(&sim->trace, 60, SIM_T_RUN, 0, 2, PVS_CLASS_BASELINE, 0);
	sim_trace_add(&sim->trace, 70, SIM_T_WAKE, 1, 3, 0, 0);
	sim_trace_add(&sim->trace, 80, SIM_T_STOP, 1, 4, SIM_STOP_SLICE, 0);
	sim->now_ns = 100;
	assert_int_equal(sim_lanes_make(&lanes, sim, 20, 90), 0);
	/* 1 ran, as what it was when it got the CPU; 2 had waited, 3 had slept, 4 had run */
	assert_int_equal(span_of(&lanes, 1, 20)->kind, SIM_SPAN_RUNS);
	assert_int_equal(span_of(&lanes, 1, 20)->klass, 3);
	assert_int_equal(span_of(&lanes, 1, 20)->reason, PVS_REASON_WAKE);
	assert_int_equal(span_of(&lanes, 1, 20)->stop, SIM_STOP_BLOCKED + 1);
	assert_null(span_of(&lanes, 1, 55));
	assert_int_equal(span_of(&lanes, 2, 20)->kind, SIM_SPAN_WAITS);
	assert_null(span_of(&lanes, 3, 20));
	assert_int_equal(span_of(&lanes, 3, 75)->kind, SIM_SPAN_WAITS);
	assert_int_equal(span_of(&lanes, 4, 20)->kind, SIM_SPAN_RUNS);
	assert_int_equal(span_of(&lanes, 4, 20)->cpu, 1);
	/* cut to the window */
	assert_int_equal(span_of(&lanes, 1, 20)->from_ns, 20);
	assert_int_equal(span_of(&lanes, 2, 80)->until_ns, 90);
	sim_lanes_free(&lanes);
}

static void a_window_ends_where_the_records_do(void **state)
{
	struct both *b = *state;
	struct sim *sim = &b->base.sim;
	struct sim_lanes lanes;

	sim_trace_free(&sim->trace);
	sim_trace_keep(&sim->trace, 2, 0, 100);
	sim_trace_add(&sim->trace, 10, SIM_T_RUN, 0, 1, PVS_CLASS_BASELINE, 0);
	sim_trace_add(&sim->trace, 40, SIM_T_WAKE, 0, 2, 0, 0);
	sim_trace_add(&sim->trace, 50, SIM_T_STOP, 0, 1, SIM_STOP_BLOCKED, 0); /* no room */
	assert_int_equal(sim_lanes_make(&lanes, sim, 0, 100), 0);
	assert_int_equal(lanes.until_ns, 40);
	assert_int_equal(span_of(&lanes, 1, 30)->until_ns, 40);
	sim_lanes_free(&lanes);
}

static void who_no_record_tells_of_is_as_it_was_left(void **state)
{
	struct both *b = *state;
	struct sim *sim = &b->base.sim;
	struct sim_lanes lanes;

	sim_trace_free(&sim->trace);
	sim_trace_keep(&sim->trace, 64, 0, 100);
	sim->threads[5]->state = SIM_READY;
	sim->threads[5]->cpu = &b->base.cpus[1];
	sim->threads[6]->state = SIM_READY;
	sim->threads[6]->since_ns = 200;
	assert_int_equal(sim_lanes_make(&lanes, sim, 20, 90), 0);
	assert_int_equal(span_of(&lanes, 5, 50)->kind, SIM_SPAN_WAITS);
	assert_null(span_of(&lanes, 6, 50));
	assert_int_equal(lanes.count, 1);
	sim_lanes_free(&lanes);
}

/* ---- where to look ----------------------------------------------------------------------------*/

static void the_worst_miss_of_the_task_in_the_verdict_is_shown(void **state)
{
	struct both *b = *state;
	struct sim_focus focus = { 0 };
	uint64_t from_ns, until_ns;

	sim_focus_look(&focus, &b->base.sim);
	assert_true(focus.found && focus.missed);
	assert_int_equal(focus.task, 0);
	assert_int_equal(focus.thread, 0);
	assert_true(focus.value_ns >= 16 * SIM_MS);
	assert_true(focus.at_ns - focus.due_ns == focus.value_ns + 16 * SIM_MS);
	sim_focus_window(&focus, &b->base.sim, &from_ns, &until_ns);
	assert_true(from_ns < focus.due_ns && until_ns > focus.at_ns);
	assert_true(until_ns - from_ns < 400 * SIM_MS);
}

static void a_larger_latency_of_somebody_else_is_not(void **state)
{
	struct both *b = *state;
	struct sim_focus focus = { 0 };

	sim_trace_add(&b->base.sim.trace, SIM_S, SIM_T_LATENCY, 0, 3, 4, 900 * SIM_MS);
	sim_trace_add(&b->base.sim.trace, SIM_S, SIM_T_MISS, 0, 0, 4, 900 * SIM_MS);
	sim_focus_look(&focus, &b->base.sim);
	assert_int_equal(focus.task, 0);
}

static void what_comes_before_the_warm_up_is_not_looked_at(void **state)
{
	struct both *b = *state;
	struct sim_focus focus = { 0 };

	b->s.scenario.warmup_ns = 10 * SIM_S;
	sim_focus_look(&focus, &b->base.sim);
	assert_false(focus.found);
}

/* ---- Perfetto ---------------------------------------------------------------------------------*/

static void a_trace_tells_the_speed_of_a_little_cpu(void **state)
{
	struct both *b = *state;
	char *text;

	b->with.cpus[1].level_count = 1;
	b->with.cpus[1].levels[0].speed = 360;
	assert_int_equal(sim_report_perfetto("report_test.speed.json", &b->with.sim), 0);
	text = read_back("report_test.speed.json");
	assert_non_null(strstr(text, "\"CPU 1 speed \\u002f 1024\""));
	assert_null(strstr(text, "\"CPU 0 speed"));
	free(text);
}

static void a_trace_names_its_lanes_and_is_in_order(void **state)
{
	struct both *b = *state;
	unsigned long long us, frac, last = 0, now;
	const char *at;
	char *text;

	assert_int_equal(sim_report_perfetto("report_test.trace.json", &b->with.sim), 0);
	text = read_back("report_test.trace.json");
	assert_non_null(strstr(text, "\"name\":\"VM audio\""));
	assert_non_null(strstr(text, "\"name\":\"CPU 1\""));
	assert_non_null(strstr(text, "\"cat\":\"boosted\""));
	assert_non_null(strstr(text, "\"name\":\"boosted vCPUs\""));
	for (at = strstr(text, "\"ts\":"); at; at = strstr(at + 1, "\"ts\":")) {
		assert_int_equal(sscanf(at, "\"ts\":%llu.%llu", &us, &frac), 2);
		now = us * 1000 + frac;
		assert_true(now >= last);
		last = now;
	}
	assert_true(last > SIM_S);
	free(text);
}

int main(void)
{
#define REPORT_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_means_something_to_html_or_json_is_escaped),
		cmocka_unit_test(what_is_not_utf8_is_replaced),
		REPORT_TEST(a_name_cannot_end_the_script_it_stands_in),
		REPORT_TEST(the_page_loads_nothing),
		REPORT_TEST(the_baseline_comes_first_and_then_the_library),
		REPORT_TEST(a_run_named_base_is_the_baseline_whatever_it_does),
		REPORT_TEST(without_a_name_the_first_that_hears_nothing_is_the_baseline),
		REPORT_TEST(of_several_of_a_name_the_sum_is_shown),
		REPORT_TEST(the_gap_to_a_real_host_is_in_every_page),
		REPORT_TEST(runs_without_records_make_a_page),
		REPORT_TEST(no_runs_at_all_make_a_page),
		REPORT_TEST(a_single_run_has_nothing_to_be_compared_with),
		REPORT_TEST(a_figure_that_is_not_a_number_is_null),
		REPORT_TEST(the_page_stays_small_however_long_the_trace_is),
		REPORT_TEST(a_place_that_cannot_be_written_is_said),
		REPORT_TEST(nobody_is_in_two_places_and_no_cpu_has_two),
		REPORT_TEST(a_window_knows_what_was_so_before_it),
		REPORT_TEST(a_window_ends_where_the_records_do),
		REPORT_TEST(who_no_record_tells_of_is_as_it_was_left),
		REPORT_TEST(the_worst_miss_of_the_task_in_the_verdict_is_shown),
		REPORT_TEST(a_larger_latency_of_somebody_else_is_not),
		REPORT_TEST(what_comes_before_the_warm_up_is_not_looked_at),
		REPORT_TEST(a_trace_tells_the_speed_of_a_little_cpu),
		REPORT_TEST(a_trace_names_its_lanes_and_is_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
