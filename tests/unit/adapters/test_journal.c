/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal, and what a reader makes of it if its writer dies at any point. The thread is the
 * test's own: slices need no privilege, so this runs for everybody; where the kernel has none it
 * is skipped.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "kvm_private.h"

#define SLICE_HOME_NS 700000u
#define SLICE_1_NS 200000u
#define SLICE_2_NS 300000u
#define SLICE_FOREIGN_NS 400000u

static struct pvs_kvm_attr with_slice(pvs_u64 ns)
{
	struct pvs_kvm_attr a;

	assert_int_equal(pvs_kvm_attr_get(0, &a), 0);
	a.runtime_ns = ns;
	return a;
}

static void set_slice(pvs_u64 ns)
{
	struct pvs_kvm_attr a = with_slice(ns);

	assert_int_equal(pvs_kvm_attr_set(0, &a), 0);
}

static pvs_u64 slice(void)
{
	struct pvs_kvm_attr a;

	assert_int_equal(pvs_kvm_attr_get(0, &a), 0);
	return a.runtime_ns;
}

struct scene {
	struct pvs_kvm_journal *journal;
	struct pvs_kvm_thread thread;
	struct pvs_kvm_entry *entry;
	int index;
};

static void setup(struct scene *s)
{
	s->journal = pvs_kvm_journal_new(2);
	assert_non_null(s->journal);
	s->thread = (struct pvs_kvm_thread){ .pid = getpid(), .tid = gettid() };
	assert_int_equal(pvs_kvm_start_time(getpid(), gettid(), &s->thread.start_time), 0);
	s->index = pvs_kvm_journal_take(s->journal, &s->thread);
	assert_int_equal(s->index, 0);
	s->entry = &s->journal->entries[0];
	s->entry->baseline = with_slice(SLICE_HOME_NS);
	set_slice(SLICE_HOME_NS);
}

static void intend(struct scene *s, pvs_u64 ns)
{
	struct pvs_kvm_attr a = with_slice(ns);

	pvs_kvm_journal_intend(s->journal, s->index, &a);
}

/* The writer dies here. */
static pvs_u64 slice_after_death(struct scene *s)
{
	pvs_kvm_journal_restore_all(s->journal);
	assert_int_equal(s->entry->state, 0);
	pvs_kvm_journal_free(s->journal);
	return slice();
}

static void death_before_the_first_change__leaves_the_baseline(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	assert_int_equal(slice_after_death(&s), SLICE_HOME_NS);
}

static void death_between_change_and_commit__is_put_back(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	set_slice(SLICE_1_NS);
	assert_int_equal(slice_after_death(&s), SLICE_HOME_NS);
}

static void death_before_a_second_change__is_put_back(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	set_slice(SLICE_1_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 1);
	intend(&s, SLICE_2_NS);
	assert_int_equal(slice_after_death(&s), SLICE_HOME_NS);
}

static void death_after_a_second_change__is_put_back(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	set_slice(SLICE_1_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 1);
	intend(&s, SLICE_2_NS);
	set_slice(SLICE_2_NS);
	assert_int_equal(slice_after_death(&s), SLICE_HOME_NS);
}

static void death_amid_writing_an_intent__still_knows_the_last_one(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	set_slice(SLICE_1_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 1);
	/* The other place holds rubbish, and its bit is not set. */
	s.entry->attr[1] = with_slice(SLICE_FOREIGN_NS);
	assert_int_equal(slice_after_death(&s), SLICE_HOME_NS);
}

static void second_commit__forgets_the_first_attribute(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	set_slice(SLICE_1_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 1);
	intend(&s, SLICE_2_NS);
	set_slice(SLICE_2_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 1);
	/* Somebody else sets what we had once set: it is theirs. */
	set_slice(SLICE_1_NS);
	assert_int_equal(slice_after_death(&s), SLICE_1_NS);
	set_slice(0);
}

static void failed_change__keeps_what_was_set_before(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	set_slice(SLICE_1_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 1);
	intend(&s, SLICE_2_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 0);
	assert_int_equal(s.entry->state, JOURNAL_ACTIVE | JOURNAL_ATTR_0);
	assert_int_equal(slice_after_death(&s), SLICE_HOME_NS);
}

static void failed_first_change__leaves_nothing_to_put_back(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 0);
	assert_int_equal(s.entry->state, 0);
	set_slice(SLICE_1_NS);
	assert_int_equal(slice_after_death(&s), SLICE_1_NS);
	set_slice(0);
}

static void foreign_change__is_left_alone(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	set_slice(SLICE_1_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 1);
	set_slice(SLICE_FOREIGN_NS);
	assert_int_equal(slice_after_death(&s), SLICE_FOREIGN_NS);
	set_slice(0);
}

static void another_thread_with_the_same_number__is_left_alone(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	intend(&s, SLICE_1_NS);
	set_slice(SLICE_1_NS);
	pvs_kvm_journal_commit(s.journal, s.index, 1);
	s.entry->start_time++;
	pvs_kvm_journal_restore_all(s.journal);
	assert_int_equal(slice(), SLICE_1_NS);
	pvs_kvm_journal_free(s.journal);
	set_slice(0);
}

static void take__fails_when_full_and_works_again_after_give(void **state)
{
	struct scene s;

	(void)state;
	setup(&s);
	assert_int_equal(pvs_kvm_journal_take(s.journal, &s.thread), 1);
	assert_int_equal(pvs_kvm_journal_take(s.journal, &s.thread), -1);
	pvs_kvm_journal_give(s.journal, 0);
	assert_int_equal(pvs_kvm_journal_take(s.journal, &s.thread), 0);
	pvs_kvm_journal_free(s.journal);
	set_slice(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(death_before_the_first_change__leaves_the_baseline),
		cmocka_unit_test(death_between_change_and_commit__is_put_back),
		cmocka_unit_test(death_before_a_second_change__is_put_back),
		cmocka_unit_test(death_after_a_second_change__is_put_back),
		cmocka_unit_test(death_amid_writing_an_intent__still_knows_the_last_one),
		cmocka_unit_test(second_commit__forgets_the_first_attribute),
		cmocka_unit_test(failed_change__keeps_what_was_set_before),
		cmocka_unit_test(failed_first_change__leaves_nothing_to_put_back),
		cmocka_unit_test(foreign_change__is_left_alone),
		cmocka_unit_test(another_thread_with_the_same_number__is_left_alone),
		cmocka_unit_test(take__fails_when_full_and_works_again_after_give),
	};
	struct pvs_kvm_range range;

	if (pvs_kvm_probe(NULL, PVS_KVM_KNOB_SLICE, 1, &range) || !range.knobs) {
		printf("skipped: this kernel has no slices of a thread's own (Linux 6.12)\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
