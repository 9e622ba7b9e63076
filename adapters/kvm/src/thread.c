/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vCPU thread: who it is, what time it used, and its baseline, kept and given back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kvm_private.h"

/* include/linux/posix-timers.h: the clock of one thread, its precise form (CPUCLOCK_SCHED). */
#define CPUCLOCK_THREAD 4
#define CPUCLOCK_SCHED 2
#define NS_PER_S 1000000000u

/* No limit matters to these: their way back, probed once, is open from every baseline. */
#define KNOBS_OF_EVERYBODY (PVS_KVM_KNOB_SLICE | PVS_KVM_KNOB_UCLAMP)

/* ---- identity and clocks --------------------------------------------------------------------- */

/*
 * PVS_OK: it is still the thread that was opened. PVS_E_GONE only when that is certain: who takes a
 * passing shortage (of descriptors, of memory) for its death leaves a boosted thread behind. An
 * open file of it names it for good, needs no further descriptor, and says ESRCH once it has ended.
 */
static int identify(const struct pvs_kvm_thread *t)
{
	pvs_u64 start_time, unused;
	int err;

	if (t->schedstat_fd >= 0)
		return pvs_kvm_status(pvs_kvm_schedstat_read(t->schedstat_fd, &unused, &unused));
	err = pvs_kvm_start_time(t->pid, t->tid, &start_time);
	if (err)
		return pvs_kvm_status(err);
	return start_time == t->start_time ? PVS_OK : PVS_E_GONE;
}

static int thread_clock(int tid)
{
	return (int)(~(unsigned int)tid << 3) | CPUCLOCK_THREAD | CPUCLOCK_SCHED;
}

static int read_clock(int clock, pvs_u64 *ns)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts))
		return errno;
	*ns = (pvs_u64)ts.tv_sec * NS_PER_S + (pvs_u64)ts.tv_nsec;
	return 0;
}

/* A software event: exact, needs no counter hardware, costs an interrupt to the CPU when read. */
static int task_clock_open(int tid)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.type = PERF_TYPE_SOFTWARE;
	attr.size = sizeof(attr);
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	attr.exclude_kernel = 1; /* a matter of permission: the clock counts both */
	attr.exclude_hv = 1;
	return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static int open_clocks(struct pvs_kvm_thread *t)
{
	pvs_u64 run_ns;
	int err = pvs_kvm_schedstat_open(t->pid, t->tid, &t->schedstat_fd);

	if (err == EMFILE || err == ENFILE)
		return PVS_E_HOST;
	if (!t->other_process) {
		t->clock = thread_clock(t->tid);
		return pvs_kvm_status(read_clock(t->clock, &run_ns) ? ESRCH : 0);
	}
	t->perf_fd = task_clock_open(t->tid);
	return t->perf_fd < 0 && t->schedstat_fd < 0 ? PVS_E_NO_SUPPORT : PVS_OK;
}

int pvs_kvm_sample(const struct pvs_kvm_thread *t, struct pvs_facts *facts, int sample)
{
	int by_schedstat = !t->clock && t->perf_fd < 0;
	pvs_u64 run_ns = 0;
	int err;

	/* Reading the file costs four times as much as the clock: 2.8 against 0.7 us (lab). */
	if (t->schedstat_fd >= 0 && (sample == PVS_SAMPLE_RUN_WAIT || by_schedstat)) {
		err = pvs_kvm_schedstat_read(t->schedstat_fd, &run_ns, &facts->wait_ns);
		if (err)
			return pvs_kvm_status(err);
		facts->wait_known = 1;
	}
	if (t->clock)
		return read_clock(t->clock, &facts->run_ns) ? PVS_E_GONE : PVS_OK;
	if (by_schedstat)
		facts->run_ns = run_ns;
	else if (read(t->perf_fd, &facts->run_ns, sizeof(facts->run_ns)) !=
		 (ssize_t)sizeof(facts->run_ns))
		return PVS_E_HOST;
	return PVS_OK;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int open_foreign(struct pvs_kvm_thread *t)
{
	int err = pvs_kvm_guard_open(t->kvm);

	if (err != PVS_OK)
		return err;
	t->journal = pvs_kvm_journal_take(t->kvm->guard->journal, t);
	return t->journal < 0 ? PVS_E_NO_SPACE : PVS_OK;
}

int pvs_kvm_thread_open(struct pvs_kvm_thread *t, struct pvs_kvm *kvm, int pid, int tid)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->kvm = kvm;
	t->pid = pid;
	t->tid = tid;
	t->schedstat_fd = -1;
	t->perf_fd = -1;
	t->journal = -1;
	t->other_process = pid != getpid();
	err = pvs_kvm_status(pvs_kvm_start_time(pid, tid, &t->start_time));
	if (err == PVS_OK)
		err = open_clocks(t);
	if (err == PVS_OK && t->other_process)
		err = open_foreign(t);
	if (err != PVS_OK)
		pvs_kvm_thread_close(t);
	return err;
}

void pvs_kvm_thread_close(struct pvs_kvm_thread *t)
{
	if (!t->kvm)
		return;
	if (t->changed)
		(void)pvs_kvm_restore(t);
	/* What could not be put back stays on the guard's list: it tries again when we end. */
	if (t->journal >= 0 && !t->changed)
		pvs_kvm_journal_give(t->kvm->guard->journal, t->journal);
	close_fd(&t->schedstat_fd);
	close_fd(&t->perf_fd);
	t->journal = -1;
	t->captured = 0;
	t->kvm = NULL;
}

/* ---- capture --------------------------------------------------------------------------------- */

/* Limits of the thread's process, not of ours, decide about its way back. */
static int limits_suffice(const struct pvs_kvm_thread *t)
{
	static const int resources[] = { RLIMIT_NICE, RLIMIT_RTPRIO };
	size_t i;

	if (!t->other_process || t->kvm->privileged)
		return 1;
	for (i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		struct rlimit theirs;
		struct rlimit ours;

		if (prlimit(t->pid, (enum __rlimit_resource)resources[i], NULL, &theirs) ||
		    getrlimit((enum __rlimit_resource)resources[i], &ours) ||
		    theirs.rlim_cur < ours.rlim_cur)
			return 0;
	}
	return 1;
}

/* A slice that is the scheduler's own is written as 0: put back, it follows the scheduler. */
static int read_baseline(struct pvs_kvm_thread *t)
{
	struct pvs_kvm_attr now;
	int err = pvs_kvm_attr_get(t->tid, &now);

	if (!err && now.runtime_ns == t->kvm->range.slice_own_ns)
		now.runtime_ns = 0;
	/* The same attributes again change nothing, and are refused if any change would be. Who
	 * changes nothing at all need not know. */
	if (!err && t->kvm->range.knobs)
		err = pvs_kvm_attr_set(t->tid, &now);
	if (err)
		return pvs_kvm_status(err);
	now.flags &= FLAG_RESET_ON_FORK;
	t->baseline = now;
	return PVS_OK;
}

static int find_range(struct pvs_kvm_thread *t)
{
	pvs_u32 wanted = t->kvm->range.knobs;
	struct pvs_kvm_attr probed = t->baseline;

	if (!limits_suffice(t))
		wanted &= KNOBS_OF_EVERYBODY;
	if (!t->kvm->control_ready)
		wanted &= ~(pvs_u32)PVS_KVM_KNOB_RT;
	if (pvs_kvm_probe(&probed, wanted, t->kvm->options.rt_base, &t->range)) {
		/* A baseline that we cannot give to ourselves, we could not give back. */
		t->range.knobs = wanted & KNOBS_OF_EVERYBODY;
	}
	t->range.slice_own_ns = t->kvm->range.slice_own_ns;
	return t->kvm->range.knobs && !t->range.knobs ? PVS_E_PERM : PVS_OK;
}

static const struct pvs_decision at_baseline = { .klass = PVS_CLASS_BASELINE };

int pvs_kvm_capture(void *ctx)
{
	struct pvs_kvm_thread *t = ctx;
	struct pvs_kvm_attr home;
	int err;

	if (t->changed)
		return PVS_E_STATE;
	err = read_baseline(t);
	if (err != PVS_OK)
		return err;
	err = identify(t);
	if (err != PVS_OK)
		return err;
	/* Real-time already: there is nothing to add, and nothing we may take away. */
	if (!pvs_kvm_attr_is_fair(&t->baseline) && t->baseline.policy != POLICY_IDLE)
		return PVS_E_NO_SUPPORT;
	err = find_range(t);
	if (err != PVS_OK)
		return err;
	pvs_kvm_plan(&t->baseline, &t->range, &at_baseline, &home);
	t->set = home;
	t->captured = 1;
	if (t->journal >= 0)
		t->kvm->guard->journal->entries[t->journal].baseline = home;
	return PVS_OK;
}

/* ---- apply, restore -------------------------------------------------------------------------- */

static int let_go(struct pvs_kvm_thread *t, int why)
{
	if (t->journal >= 0)
		pvs_kvm_journal_clear(t->kvm->guard->journal, t->journal);
	t->captured = 0;
	t->changed = 0;
	return why;
}

/* Still the thread we know, with what we last set? */
static int verify(struct pvs_kvm_thread *t)
{
	struct pvs_kvm_attr now;
	int err;

	err = identify(t);
	if (err != PVS_OK)
		return err == PVS_E_GONE ? let_go(t, err) : err;
	err = pvs_kvm_attr_get(t->tid, &now);
	if (err)
		return err == ESRCH ? let_go(t, PVS_E_GONE) : pvs_kvm_status(err);
	if (!pvs_kvm_attr_same(&now, &t->set))
		return let_go(t, PVS_E_FOREIGN);
	return PVS_OK;
}

static int is_home(const struct pvs_kvm_thread *t, const struct pvs_kvm_attr *attr)
{
	struct pvs_kvm_attr home;

	pvs_kvm_plan(&t->baseline, &t->range, &at_baseline, &home);
	return !memcmp(&home, attr, sizeof(home));
}

static int change(struct pvs_kvm_thread *t, struct pvs_kvm_attr *want)
{
	struct pvs_kvm_journal *journal = t->journal >= 0 ? t->kvm->guard->journal : NULL;
	int home = is_home(t, want);
	int err;

	if (journal)
		pvs_kvm_journal_intend(journal, t->journal, want);
	if (home) {
		err = pvs_kvm_attr_put_back(t->tid, want);
	} else {
		struct pvs_kvm_attr boosted = *want;

		boosted.flags |= FLAG_RESET_ON_FORK;
		err = pvs_kvm_attr_set(t->tid, &boosted);
	}
	if (journal)
		pvs_kvm_journal_commit(journal, t->journal, !err);
	if (err == ESRCH)
		return let_go(t, PVS_E_GONE);
	if (err)
		return pvs_kvm_status(err);
	t->set = *want;
	t->changed = !home;
	if (home && journal)
		pvs_kvm_journal_clear(journal, t->journal);
	return PVS_OK;
}

int pvs_kvm_apply(void *ctx, const struct pvs_decision *decision)
{
	struct pvs_kvm_thread *t = ctx;
	struct pvs_kvm_attr want;
	int err;

	if (!t->captured)
		return PVS_E_STATE;
	err = verify(t);
	if (err != PVS_OK)
		return err;
	pvs_kvm_plan(&t->baseline, &t->range, decision, &want);
	if (t->journal >= 0 && !is_home(t, &want)) {
		err = pvs_kvm_guard_ensure(t->kvm->guard);
		if (err != PVS_OK)
			return err;
	}
	if (!memcmp(&want, &t->set, sizeof(want)))
		return PVS_OK;
	return change(t, &want);
}

int pvs_kvm_restore(void *ctx)
{
	struct pvs_kvm_thread *t = ctx;
	struct pvs_kvm_attr home;
	int err;

	if (!t->captured || !t->changed)
		return PVS_OK;
	err = verify(t);
	if (err != PVS_OK)
		return err;
	pvs_kvm_plan(&t->baseline, &t->range, &at_baseline, &home);
	return change(t, &home);
}
