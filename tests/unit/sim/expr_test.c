/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions of verdicts: what they are worth, and what is said when they are wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "expr.h"

/* Two runs: `base` waits ten times as long as `with`. */
struct world {
	struct sim_result with, base;
	struct sim_expr_run runs[2];
	struct sim_expr_env env;
};

static void fill(struct sim_result *r, uint64_t factor)
{
	struct sim_hist h;
	uint64_t i;

	sim_result_init(r);
	memset(&h, 0, sizeof(h));
	for (i = 1; i <= 100; i++)
		sim_hist_add(&h, i * 1000 * factor);
	sim_result_hist(r, &h, "task.%s/%s.wakeup", "g", "cyclic");
	sim_result_set(r, SIM_COUNT, 7 * factor, "task.g/cyclic.misses");
	sim_result_set(r, SIM_PPM, 250000, "vm.g.share");
	sim_result_set(r, SIM_NJ, 5000000, "host.energy");
	sim_result_set(r, SIM_NS, 3000000, "vm.web-server.run");
}

static int make_world(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	fill(&w.with, 1);
	fill(&w.base, 10);
	w.runs[0].name = "with";
	w.runs[0].result = &w.with;
	w.runs[1].name = "base";
	w.runs[1].result = &w.base;
	w.env.run_count = 2;
	w.env.runs = w.runs;
	*state = &w;
	return 0;
}

static int free_world(void **state)
{
	struct world *w = *state;

	sim_result_free(&w->with);
	sim_result_free(&w->base);
	return 0;
}

static double value_of(void **state, const char *text)
{
	const struct world *w = *state;
	struct sim_expr_value value;
	char error[SIM_EXPR_ERROR] = "";

	if (sim_expr(text, &w->env, &value, error, sizeof(error)) < 0)
		fail_msg("`%s`: %s", text, error);
	return value.value;
}

static void assert_near(void **state, const char *text, double expected)
{
	double value = value_of(state, text);

	if (fabs(value - expected) > 1e-9 * fmax(1, fabs(expected)))
		fail_msg("`%s` is %.12g, expected %.12g", text, value, expected);
}

static void assert_error(void **state, const char *text, const char *part)
{
	const struct world *w = *state;
	struct sim_expr_value value;
	char error[SIM_EXPR_ERROR] = "";

	if (sim_expr(text, &w->env, &value, error, sizeof(error)) == 0)
		fail_msg("`%s` is %g, expected an error", text, value.value);
	if (!strstr(error, part))
		fail_msg("`%s` says `%s`, expected `%s` in it", text, error, part);
}

static void numbers_have_units(void **state)
{
	assert_near(state, "5", 5);
	assert_near(state, "1.5us", 1500);
	assert_near(state, "2ms", 2e6);
	assert_near(state, "3s", 3e9);
	assert_near(state, "25%", 0.25);
	assert_near(state, "400ppm", 0.0004);
	assert_near(state, "12k", 12000);
}

static void products_come_before_sums(void **state)
{
	assert_near(state, "2 + 3 * 4", 14);
	assert_near(state, "(2 + 3) * 4", 20);
	assert_near(state, "20 / 2 / 5", 2);
	assert_near(state, "10 - 4 - 3", 3);
	assert_near(state, "-2 * 3", -6);
	assert_near(state, "2 - -3", 5);
}

static void functions_take_the_extreme(void **state)
{
	assert_near(state, "min(3, 1, 2)", 1);
	assert_near(state, "max(3us, 1ms)", 1e6);
	assert_near(state, "abs(2 - 5)", 3);
	assert_near(state, "max(min(1, 2), 0.5)", 1);
}

static void comparisons_are_one_or_zero(void **state)
{
	assert_near(state, "1 < 2", 1);
	assert_near(state, "2 <= 2", 1);
	assert_near(state, "2 < 2", 0);
	assert_near(state, "3 != 3", 0);
	assert_near(state, "3 == 3", 1);
	assert_near(state, "3 > 2 && 2 > 3", 0);
	assert_near(state, "3 > 2 || 2 > 3", 1);
	assert_near(state, "1 > 2 || 2 > 1 && 3 > 2", 1);
}

static void rows_of_runs_are_read(void **state)
{
	assert_near(state, "with.task.g/cyclic.misses", 7);
	assert_near(state, "base.task.g/cyclic.misses - with.task.g/cyclic.misses", 63);
	assert_near(state, "with.task.g/cyclic.wakeup.max", 100000);
	assert_near(state, "with.task.g/cyclic.wakeup.mean", 50500);
	assert_near(state, "with.task.g/cyclic.wakeup.count", 100);
	assert_near(state, "base.task.g/cyclic.wakeup.mean / with.task.g/cyclic.wakeup.mean", 10);
	assert_near(state, "base.task.g/cyclic.wakeup.mean >= 10 * with.task.g/cyclic.wakeup.mean",
		    1);
}

static void names_keep_their_hyphens(void **state)
{
	assert_near(state, "with.vm.web-server.run", 3e6);
	assert_near(state, "with.vm.web-server.run - 1ms", 2e6);
	assert_near(state, "base.vm.web-server.run/with.vm.web-server.run", 1);
	assert_near(state, "base.task.g/cyclic.misses-with.task.g/cyclic.misses", 63);
}

static void shares_are_fractions(void **state)
{
	assert_near(state, "with.vm.g.share", 0.25);
	assert_near(state, "with.vm.g.share <= 26%", 1);
	assert_near(state, "abs(with.vm.g.share - 25%) / 25%", 0);
	assert_error(state, "with.vm.g.share <= 260000", "a share compared with a large number");
	assert_error(state, "260000 >= with.vm.g.share", "a share compared with a large number");
	assert_near(state, "with.vm.g.share <= 64", 1);
	assert_near(state, "with.task.g/cyclic.misses + 100 <= 300", 1);
	assert_near(state, "100 * with.vm.g.share <= 300", 1);
}

static void kinds_must_agree(void **state)
{
	assert_error(state, "with.task.g/cyclic.wakeup.p99 <= 5", "a time and a bare number");
	assert_error(state, "5us + 3", "the sum of a time and a bare number");
	assert_error(state, "min(5us, with.host.energy)", "of one kind");
	assert_near(state, "with.task.g/cyclic.wakeup.p99 > 0", 1);
	assert_near(state, "with.task.g/cyclic.wakeup.count == 100", 1);
	assert_near(state, "6us / 2us == 3", 1);
	assert_near(state, "2us * 3 == 6us", 1);
	assert_error(state, "2us * 3us == 6us", "of another kind of value and a time");
	assert_error(state, "min(5us, 3)", "the extreme of a time and a bare number");
	assert_near(state, "with.host.energy / with.vm.web-server.run > 0", 1);
}

static void what_is_not_there_is_an_error(void **state)
{
	assert_error(state, "with.task.g/cyclik.misses", "expected `task.g/cyclic.misses`?");
	assert_error(state, "wiht.task.g/cyclic.misses", "expected `with`?");
	assert_error(state, "with.task.g/cyclic.wakeup", "no row");
	assert_error(state, "with.task.g/cyclic.wakeup.p98", "no row");
	assert_error(state, "task", "no run `task`");
}

static void what_is_not_finished_is_an_error(void **state)
{
	assert_error(state, "", "the expression ends");
	assert_error(state, "1 +", "the expression ends");
	assert_error(state, "(1 + 2", "no `)`");
	assert_error(state, "min(1, 2", "no `)`");
	assert_error(state, "1 2", "left over");
	assert_error(state, "5 parsec", "left over");
	assert_error(state, "5parsec", "no unit `parsec`");
	assert_error(state, "sqrt(4)", "no function `sqrt`");
	assert_error(state, "1 / 0", "division by 0");
	assert_error(state, "1 && 2 > 1", "expected comparisons");
	assert_error(state, "@", "expected a value");
}

static void values_are_told_with_their_unit(void **state)
{
	char text[96];

	(void)state;
	assert_string_equal(sim_expr_text(1500, 1, 0, text), "1.50us");
	assert_string_equal(sim_expr_text(-1500, 1, 0, text), "-1.50us");
	assert_string_equal(sim_expr_text(2.5e6, 0, 1, text), "2.5mJ");
	assert_string_equal(sim_expr_text(1500, 0, 0, text), "1500");
	assert_string_equal(sim_expr_text(0.12345, 0, 0, text), "0.1235");
	assert_string_equal(sim_expr_text(7, 1, 1, text), "7");
}

static void depth_has_an_end(void **state)
{
	char deep[600];

	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_error(state, deep, "too deep");
	memset(deep, '-', sizeof(deep) - 1);
	assert_error(state, deep, "too deep");
}

static void the_first_false_comparison_is_told(void **state)
{
	const struct world *w = *state;
	struct sim_expr_value value;
	char error[SIM_EXPR_ERROR];

	assert_int_equal(sim_expr("1 < 2 && 5 < 4 && 1 < 9", &w->env, &value, error,
				  sizeof(error)), 0);
	assert_true(value.truth);
	assert_true(value.left == 5 && value.right == 4);
	assert_string_equal(value.relation, "<");
	assert_int_equal(sim_expr("1 < 2 && 3 < 4", &w->env, &value, error, sizeof(error)), 0);
	assert_true(value.left == 3 && value.right == 4);
}

static void a_check_alone_needs_no_rows(void **state)
{
	const struct world *w = *state;
	struct sim_expr_env env = w->env;
	struct sim_expr_value value;
	char error[SIM_EXPR_ERROR];

	env.check_only = 1;
	assert_int_equal(sim_expr("with.what.ever / base.x <= 5us", &env, &value, error,
				  sizeof(error)), 0);
	assert_int_equal(sim_expr("wit.what.ever <= 5us", &env, &value, error, sizeof(error)),
			 -1);
}

/* Every beginning of an expression is an error or a value, and never more than that. */
static void every_beginning_is_survived(void **state)
{
	static const char text[] =
		"max(base.task.g/cyclic.wakeup.p99, 5us) >= 10.5 * (with.task.g/cyclic.wakeup.max"
		" - -3ms) / 25% && abs(with.vm.g.share - 25%) < 400ppm || 1 != 2";
	const struct world *w = *state;
	struct sim_expr_value value;
	char part[sizeof(text)], error[SIM_EXPR_ERROR];
	size_t i, cut;

	for (i = 0; i < sizeof(text); i++) {
		memcpy(part, text, i);
		part[i] = '\0';
		(void)sim_expr(part, &w->env, &value, error, sizeof(error));
		for (cut = 0; cut < i; cut += 7)
			(void)sim_expr(part + cut, &w->env, &value, error, sizeof(error));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_have_units, make_world, free_world),
		cmocka_unit_test_setup_teardown(products_come_before_sums, make_world, free_world),
		cmocka_unit_test_setup_teardown(functions_take_the_extreme, make_world, free_world),
		cmocka_unit_test_setup_teardown(comparisons_are_one_or_zero, make_world,
						free_world),
		cmocka_unit_test_setup_teardown(rows_of_runs_are_read, make_world, free_world),
		cmocka_unit_test_setup_teardown(names_keep_their_hyphens, make_world, free_world),
		cmocka_unit_test_setup_teardown(shares_are_fractions, make_world, free_world),
		cmocka_unit_test_setup_teardown(kinds_must_agree, make_world, free_world),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_an_error, make_world,
						free_world),
		cmocka_unit_test_setup_teardown(what_is_not_finished_is_an_error, make_world,
						free_world),
		cmocka_unit_test(values_are_told_with_their_unit),
		cmocka_unit_test_setup_teardown(depth_has_an_end, make_world, free_world),
		cmocka_unit_test_setup_teardown(the_first_false_comparison_is_told, make_world,
						free_world),
		cmocka_unit_test_setup_teardown(a_check_alone_needs_no_rows, make_world,
						free_world),
		cmocka_unit_test_setup_teardown(every_beginning_is_survived, make_world,
						free_world),
	};

	return cmocka_run_group_tests_name("expressions of verdicts", tests, NULL, NULL);
}
