/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm_private.h"

_Static_assert(sizeof(struct pvs_kvm_attr) == 56, "SCHED_ATTR_SIZE_VER1");

int pvs_kvm_attr_get(int tid, struct pvs_kvm_attr *out)
{
	memset(out, 0, sizeof(*out));
	return syscall(SYS_sched_getattr, tid, out, sizeof(*out), 0) ? errno : 0;
}

int pvs_kvm_attr_set(int tid, const struct pvs_kvm_attr *attr)
{
	struct pvs_kvm_attr copy = *attr; /* the kernel may write its size into it */

	copy.size = sizeof(copy);
	return syscall(SYS_sched_setattr, tid, &copy, 0) ? errno : 0;
}

int pvs_kvm_status(int err)
{
	switch (err) {
	case 0:
		return PVS_OK;
	case ESRCH:
	case ENOENT:
		return PVS_E_GONE;
	case EPERM:
	case EACCES:
		return PVS_E_PERM;
	case EOPNOTSUPP:
	case ENOSYS:
		return PVS_E_NO_SUPPORT;
	default:
		return PVS_E_HOST;
	}
}

int pvs_kvm_attr_is_fair(const struct pvs_kvm_attr *a)
{
	return a->policy == POLICY_NORMAL || a->policy == POLICY_BATCH || a->policy == POLICY_EXT;
}

static int has_nice(const struct pvs_kvm_attr *a)
{
	return pvs_kvm_attr_is_fair(a) || a->policy == POLICY_IDLE;
}

/* A slice is compared only if we set one: without, the kernel reports its own, which changes with
 * the number of CPUs. */
static int same_slice(const struct pvs_kvm_attr *now, const struct pvs_kvm_attr *set)
{
	return !pvs_kvm_attr_is_fair(set) || !set->runtime_ns ||
	       now->runtime_ns == set->runtime_ns;
}

/* The same for util_min: only a request we made. */
static int same_util(const struct pvs_kvm_attr *now, const struct pvs_kvm_attr *set)
{
	return !(set->flags & FLAG_UTIL_MIN) || set->util_min == UTIL_RESET ||
	       now->util_min == set->util_min;
}

int pvs_kvm_attr_same(const struct pvs_kvm_attr *now, const struct pvs_kvm_attr *set)
{
	if (now->policy != set->policy || now->priority != set->priority)
		return 0;
	if (has_nice(set) && now->nice != set->nice)
		return 0;
	return same_slice(now, set) && same_util(now, set);
}

int pvs_kvm_attr_put_back(int tid, const struct pvs_kvm_attr *attr)
{
	struct pvs_kvm_attr kept = *attr;
	int err = pvs_kvm_attr_set(tid, attr);

	if (err != EPERM || (attr->flags & FLAG_RESET_ON_FORK))
		return err;
	kept.flags |= FLAG_RESET_ON_FORK;
	return pvs_kvm_attr_set(tid, &kept);
}
