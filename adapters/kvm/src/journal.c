/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was changed on threads of other processes, in memory shared with the guard.
 *
 * It must be right whenever its writer dies, between any two instructions. So: what is going to be
 * set is written down before it is set, into the one of two places that does not hold what is set
 * now; and each place counts only with its bit in `state`. The reader takes a thread for ours if
 * it has either. The reader runs only after the writer's death (or after its orderly end), so that
 * the order in which one CPU sees another's stores is not the question; the compiler's is.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "kvm_private.h"

static size_t size_of(pvs_u32 count)
{
	return sizeof(struct pvs_kvm_journal) + count * sizeof(struct pvs_kvm_entry);
}

struct pvs_kvm_journal *pvs_kvm_journal_new(pvs_u32 count)
{
	struct pvs_kvm_journal *j = mmap(NULL, size_of(count), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (j == MAP_FAILED)
		return NULL;
	j->count = count;
	return j;
}

void pvs_kvm_journal_free(struct pvs_kvm_journal *j)
{
	munmap(j, size_of(j->count));
}

static pvs_u32 state_of(const struct pvs_kvm_entry *e)
{
	return __atomic_load_n(&e->state, __ATOMIC_ACQUIRE);
}

static void set_state(struct pvs_kvm_entry *e, pvs_u32 state)
{
	__atomic_store_n(&e->state, state, __ATOMIC_SEQ_CST);
}

int pvs_kvm_journal_take(struct pvs_kvm_journal *j, const struct pvs_kvm_thread *t)
{
	pvs_u32 i;

	for (i = 0; i < j->count; i++) {
		struct pvs_kvm_entry *e = &j->entries[i];

		if (!__sync_bool_compare_and_swap(&e->owner, 0u, 1u))
			continue;
		set_state(e, 0);
		e->pid = t->pid;
		e->tid = t->tid;
		e->start_time = t->start_time;
		return (int)i;
	}
	return -1;
}

void pvs_kvm_journal_give(struct pvs_kvm_journal *j, int index)
{
	set_state(&j->entries[index], 0);
	__atomic_store_n(&j->entries[index].owner, 0u, __ATOMIC_RELEASE);
}

/* The place that does not hold what is set now. */
static pvs_u32 free_place(pvs_u32 state)
{
	return (state & JOURNAL_ATTR_0) ? 1u : 0u;
}

void pvs_kvm_journal_intend(struct pvs_kvm_journal *j, int index, const struct pvs_kvm_attr *attr)
{
	struct pvs_kvm_entry *e = &j->entries[index];
	pvs_u32 state = state_of(e);
	pvs_u32 place = free_place(state);

	e->attr[place] = *attr;
	e->newer = place;
	set_state(e, state | JOURNAL_ACTIVE | (JOURNAL_ATTR_0 << place));
}

void pvs_kvm_journal_commit(struct pvs_kvm_journal *j, int index, int done)
{
	struct pvs_kvm_entry *e = &j->entries[index];
	pvs_u32 state = state_of(e);

	/* Only one place is in use: nothing was set before, and the bit is that of the new. */
	if ((state & (JOURNAL_ATTR_0 | JOURNAL_ATTR_1)) != (JOURNAL_ATTR_0 | JOURNAL_ATTR_1)) {
		set_state(e, done ? state : 0u);
		return;
	}
	/* Both: `newer` says which of them was intended last. */
	set_state(e, JOURNAL_ACTIVE | (JOURNAL_ATTR_0 << (done ? e->newer : 1u - e->newer)));
}

void pvs_kvm_journal_clear(struct pvs_kvm_journal *j, int index)
{
	set_state(&j->entries[index], 0);
}

static void put_back(struct pvs_kvm_entry *e)
{
	pvs_u32 state = state_of(e);
	struct pvs_kvm_attr now;
	pvs_u64 start_time;
	pvs_u32 place;
	int ours = 0;

	if (!(state & JOURNAL_ACTIVE))
		return;
	if (pvs_kvm_start_time(e->pid, e->tid, &start_time) || start_time != e->start_time ||
	    pvs_kvm_attr_get(e->tid, &now))
		return;
	for (place = 0; place < 2u; place++) {
		if (state & (JOURNAL_ATTR_0 << place))
			ours |= pvs_kvm_attr_same(&now, &e->attr[place]);
	}
	if (ours)
		(void)pvs_kvm_attr_put_back(e->tid, &e->baseline);
	set_state(e, 0);
}

void pvs_kvm_journal_restore_all(struct pvs_kvm_journal *j)
{
	pvs_u32 i;

	for (i = 0; i < j->count; i++)
		put_back(&j->entries[i]);
}
