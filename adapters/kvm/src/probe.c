/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which knobs can be turned, and back: found out by doing it. Each knob has a thread of its own,
 * which ends afterwards, so that a way that turns out to be one-way strands nobody.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "kvm_private.h"

#define RT_LEVELS_MAX 16u /* eight ranks, TASK and CRITICAL */
#define RT_LEVELS_MIN 2u  /* CRITICAL above TASK */
#define SELF 0
/* Any slice that no kernel has as its own: base slices are multiples of 0.7 ms. */
#define SLICE_TRIED_NS 333000u
#define UTIL_TRIED 300u

struct probe {
	const struct pvs_kvm_attr *baseline; /* NULL: as the thread was born */
	struct pvs_kvm_attr home;            /* what it has on this thread */
	struct pvs_kvm_range *range;
	pvs_u32 rt_base;
	int err;                             /* errno: not even the baseline can be had */
	void (*knob)(struct probe *p);
};

static int try_set(const struct pvs_kvm_attr *away)
{
	struct pvs_kvm_attr now;

	return !pvs_kvm_attr_set(SELF, away) && !pvs_kvm_attr_get(SELF, &now) &&
	       pvs_kvm_attr_same(&now, away);
}

static int came_back(const struct pvs_kvm_attr *home)
{
	struct pvs_kvm_attr now;

	return !pvs_kvm_attr_put_back(SELF, home) && !pvs_kvm_attr_get(SELF, &now) &&
	       pvs_kvm_attr_same(&now, home);
}

static struct pvs_kvm_attr away_from(const struct probe *p)
{
	struct pvs_kvm_attr away = p->home;

	away.flags |= FLAG_RESET_ON_FORK; /* as in earnest: not everybody can clear it */
	return away;
}

/* Seventeen priorities from the base, or as many as there are: the highest is the control
 * thread's, the rest is for boosts. */
static void knob_rt(struct probe *p)
{
	struct pvs_kvm_attr away = away_from(p);
	pvs_u32 top = p->rt_base + RT_LEVELS_MAX;

	away.policy = POLICY_FIFO;
	away.nice = 0;
	away.runtime_ns = 0;
	for (; top > RT_LEVELS_MIN; top--) {
		away.priority = top;
		if (try_set(&away))
			break;
	}
	if (top <= RT_LEVELS_MIN || !came_back(&p->home))
		return;
	p->range->rt_levels = top > RT_LEVELS_MAX ? RT_LEVELS_MAX : top - 1u;
	p->range->rt_base = top - p->range->rt_levels;
	p->range->knobs |= PVS_KVM_KNOB_RT;
}

static void knob_nice(struct probe *p)
{
	struct pvs_kvm_attr away = away_from(p);

	if (away.policy == POLICY_IDLE)
		away.policy = POLICY_NORMAL;
	for (away.nice = NICE_MIN; away.nice < p->home.nice; away.nice++) {
		if (!try_set(&away))
			continue;
		if (came_back(&p->home)) {
			p->range->nice_best = away.nice;
			p->range->knobs |= PVS_KVM_KNOB_NICE;
		}
		return;
	}
}

/* SCHED_IDLE would be lower still, but its way back needs the same right. */
static void knob_below(struct probe *p)
{
	struct pvs_kvm_attr away = away_from(p);

	away.nice = NICE_MAX;
	if (p->home.nice < NICE_MAX && try_set(&away) && came_back(&p->home))
		p->range->knobs |= PVS_KVM_KNOB_BELOW;
}

static void knob_slice(struct probe *p)
{
	struct pvs_kvm_attr away = away_from(p);

	away.runtime_ns = SLICE_TRIED_NS;
	if (pvs_kvm_attr_is_fair(&p->home) && try_set(&away) && came_back(&p->home))
		p->range->knobs |= PVS_KVM_KNOB_SLICE;
}

static void knob_uclamp(struct probe *p)
{
	struct pvs_kvm_attr away = away_from(p);
	struct pvs_kvm_attr home = p->home;
	struct pvs_kvm_attr now;

	away.flags |= FLAG_UTIL_MIN;
	away.util_min = UTIL_TRIED;
	home.flags |= FLAG_UTIL_MIN;
	home.util_min = UTIL_RESET;
	if (try_set(&away) && came_back(&home) && !pvs_kvm_attr_get(SELF, &now) &&
	    now.util_min == p->home.util_min)
		p->range->knobs |= PVS_KVM_KNOB_UCLAMP;
}

/* What the kernel reports for a thread that has no slice of its own. */
static void learn_slice(struct probe *p)
{
	struct pvs_kvm_attr now;

	if (!pvs_kvm_attr_is_fair(&p->home))
		return;
	p->home.runtime_ns = 0;
	if (!pvs_kvm_attr_set(SELF, &p->home) && !pvs_kvm_attr_get(SELF, &now))
		p->range->slice_own_ns = now.runtime_ns;
}

static void *probe_thread(void *arg)
{
	struct probe *p = arg;

	if (p->baseline) {
		p->home = *p->baseline;
		p->err = pvs_kvm_attr_put_back(SELF, &p->home);
	} else {
		p->err = pvs_kvm_attr_get(SELF, &p->home);
		p->home.runtime_ns = 0;
	}
	if (!p->err)
		p->knob(p);
	return NULL;
}

static int run(struct probe *p, void (*knob)(struct probe *p))
{
	pthread_t thread;
	int err;

	p->knob = knob;
	err = pthread_create(&thread, NULL, probe_thread, p);
	if (err)
		return err;
	pthread_join(thread, NULL);
	return p->err;
}

int pvs_kvm_probe(const struct pvs_kvm_attr *baseline, pvs_u32 wanted, pvs_u32 rt_base,
		  struct pvs_kvm_range *range)
{
	static const struct {
		pvs_u32 bit;
		void (*knob)(struct probe *p);
	} knobs[] = {
		{ PVS_KVM_KNOB_RT, knob_rt },
		{ PVS_KVM_KNOB_NICE, knob_nice },
		{ PVS_KVM_KNOB_BELOW, knob_below },
		{ PVS_KVM_KNOB_SLICE, knob_slice },
		{ PVS_KVM_KNOB_UCLAMP, knob_uclamp },
	};
	struct probe p = { .baseline = baseline, .range = range, .rt_base = rt_base };
	size_t i;
	int err;

	memset(range, 0, sizeof(*range));
	err = run(&p, learn_slice);
	for (i = 0; !err && i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		if (wanted & knobs[i].bit)
			err = run(&p, knobs[i].knob);
	}
	return err;
}
