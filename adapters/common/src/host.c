/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of adapter.h.
 */
#include <string.h>

#include "host.h"

#define PAGE_SIZE 4096u

pvs_u64 pvs_host_region_size(pvs_u32 slot_count)
{
	pvs_u64 size = PVS_HEADER_SIZE + (pvs_u64)slot_count * PVS_SLOT_SIZE;

	return (size + PAGE_SIZE - 1u) & ~(pvs_u64)(PAGE_SIZE - 1u);
}

static int args_valid(const struct pvs_host_args *args)
{
	if (!args->ops || !args->ops->capture || !args->ops->apply || !args->ops->restore ||
	    !args->ops->now || !args->vcpus || !args->region)
		return 0;
	return args->slot_count >= 1 && args->slot_count <= PVS_SLOT_COUNT_MAX &&
	       !((size_t)args->region & (PAGE_SIZE - 1u));
}

static void init_vcpus(struct pvs_host *h)
{
	pvs_u32 i;

	memset(h->vcpus, 0, sizeof(*h->vcpus) * h->slot_count);
	for (i = 0; i < h->slot_count; i++) {
		struct pvs_host_vcpu *v = &h->vcpus[i];

		pvs_vcpu_init(&v->core, &h->config);
		v->slot = (struct pvs_slot *)(void *)(h->slots + (size_t)i * h->slot_stride);
		v->recheck_at_ns = PVS_NEVER;
	}
}

int pvs_host_init(struct pvs_host *h, const struct pvs_host_args *args)
{
	struct pvs_facts facts;
	int err;

	if (!h || !args || !args_valid(args))
		return PVS_E_INVALID;
	memset(h, 0, sizeof(*h));
	if (args->config)
		h->config = *args->config;
	pvs_config_resolve(&h->config);
	if (pvs_config_check(&h->config, NULL) != PVS_OK)
		return PVS_E_RANGE;
	memset(&facts, 0, sizeof(facts));
	err = args->ops->now(args->ctx, &facts, 0);
	if (err != PVS_OK)
		return err;

	h->ops = args->ops;
	h->ctx = args->ctx;
	h->caps = args->caps;
	h->header = args->region;
	h->slots = (unsigned char *)args->region + PVS_HEADER_SIZE;
	h->slot_stride = PVS_SLOT_SIZE;
	h->slot_count = args->slot_count;
	h->vcpus = args->vcpus;
	h->armed_at_ns = PVS_NEVER;
	pvs_vm_init(&h->vm, h->caps, args->generation, h->slot_count);
	pvs_region_write(h, args, facts.timer_granularity_ns);
	init_vcpus(h);
	return PVS_OK;
}

/* ---- attach, detach ------------------------------------------------------------------------- */

static struct pvs_host_vcpu *vcpu_of(struct pvs_host *h, pvs_u32 index)
{
	return h && index < h->slot_count ? &h->vcpus[index] : NULL;
}

int pvs_host_attach(struct pvs_host *h, pvs_u32 index, void *ctx, pvs_u32 arch_id)
{
	struct pvs_host_vcpu *v = vcpu_of(h, index);
	int err;

	if (!v)
		return PVS_E_INVALID;
	if (v->attached)
		return PVS_E_STATE;
	err = h->ops->capture(ctx);
	if (err != PVS_OK)
		return err;
	v->ctx = ctx;
	v->attached = 1;
	v->foreign = 0;
	pvs_region_ident(v->slot, 1, arch_id);
	err = pvs_host_step(h, v, PVS_EV_ATTACH, 0);
	if (err != PVS_OK)
		pvs_host_detach(h, index);
	return err;
}

void pvs_host_detach(struct pvs_host *h, pvs_u32 index)
{
	struct pvs_host_vcpu *v = vcpu_of(h, index);

	if (!v || !v->attached)
		return;
	if (!v->foreign)
		(void)pvs_host_step(h, v, PVS_EV_DETACH, 0);
	/* A step without a clock ends before the restore. */
	if (!v->foreign && v->attached)
		(void)pvs_host_restore(h, v);
	/* What could not be put back is tried once more by whoever closes the thread. */
	if (v->applied)
		h->applied_count--;
	v->applied = 0;
	v->attached = 0;
	v->foreign = 0;
	v->settled = 0;
	v->recheck_at_ns = PVS_NEVER;
	v->ctx = NULL;
	pvs_region_ident(v->slot, 0, 0);
}

void pvs_host_close(struct pvs_host *h)
{
	pvs_u32 i;

	if (!h || !h->vcpus)
		return;
	for (i = 0; i < h->slot_count; i++)
		pvs_host_detach(h, i);
	pvs_region_status(h, PVS_STATUS_DISABLED);
	if (h->armed_at_ns != PVS_NEVER)
		pvs_host_arm(h, PVS_NEVER);
}

/* ---- negotiation ---------------------------------------------------------------------------- */

/* Whoever is boosted was put there under terms that no longer hold. The others see the new ones at
 * their next checkpoint: being below baseline harms nobody else, and a guest may change its mind as
 * often as it can ring. */
static void baseline_for_all(struct pvs_host *h)
{
	pvs_u32 i;

	for (i = 0; i < h->slot_count && h->applied_count; i++) {
		struct pvs_host_vcpu *v = &h->vcpus[i];

		if (v->attached && v->applied && v->core.klass >= PVS_CLASS_TASK)
			(void)pvs_host_step(h, v, PVS_EV_RESET, 0);
	}
}

static void terms_changed(struct pvs_host *h)
{
	h->terms_count++;
	baseline_for_all(h);
	pvs_region_totals(h);
	pvs_region_status(h, h->vm.status);
}

static void negotiate(struct pvs_host *h)
{
	struct pvs_choice choice;

	pvs_snapshot_choice(h->header, &choice);
	if (pvs_vm_negotiate(&h->vm, &choice))
		terms_changed(h);
}

void pvs_host_reset(struct pvs_host *h, pvs_u32 generation)
{
	pvs_u64 cap_ns = h->vm.cap_ns; /* a reset does not refill the VM's cap */

	pvs_vm_init(&h->vm, h->caps, generation, h->slot_count);
	h->vm.cap_ns = cap_ns;
	pvs_region_generation(h);
	terms_changed(h);
}

/* ---- events --------------------------------------------------------------------------------- */

static int of_outside(pvs_u32 type)
{
	return type < PVS_EV_COUNT && type != PVS_EV_ATTACH && type != PVS_EV_DETACH &&
	       type != PVS_EV_FOREIGN;
}

/* An event of an attached vCPU, after the negotiation. Sets *quiet when there was nothing. */
static int take(struct pvs_host *h, struct pvs_host_vcpu *v, pvs_u32 type, pvs_u32 arg, int *quiet)
{
	*quiet = 0;
	if (type == PVS_EV_POLL && pvs_host_quiet(h, v)) {
		h->counters.quiet++;
		*quiet = 1;
		return PVS_OK;
	}
	if (v->terms_seen != h->terms_count) {
		int err = pvs_host_step(h, v, PVS_EV_RESET, 0);

		if (err != PVS_OK)
			return err;
	}
	return pvs_host_step(h, v, type, arg);
}

int pvs_host_event(struct pvs_host *h, pvs_u32 index, pvs_u32 type, pvs_u32 arg)
{
	struct pvs_host_vcpu *v = vcpu_of(h, index);
	int quiet;

	if (!v || !of_outside(type))
		return PVS_E_INVALID;
	if (!v->attached)
		return PVS_E_STATE;
	if (v->foreign)
		return PVS_E_FOREIGN;
	negotiate(h);
	/* The change of terms may have found the thread foreign or gone. */
	if (!v->attached)
		return PVS_E_GONE;
	if (v->foreign)
		return PVS_E_FOREIGN;
	return take(h, v, type, arg, &quiet);
}

void pvs_host_post(struct pvs_host *h, pvs_u32 index, pvs_u32 type)
{
	struct pvs_host_vcpu *v = vcpu_of(h, index);

	if (!v || !of_outside(type))
		return;
	pvs_post(&v->core, type);
	(void)__sync_fetch_and_add(&h->counters.posts, 1u);
}

int pvs_host_kick(struct pvs_host *h, pvs_u32 index)
{
	struct pvs_host_vcpu *v = vcpu_of(h, index);

	if (!v)
		return PVS_E_INVALID;
	if (!v->attached)
		return PVS_E_STATE;
	return h->ops->kick ? h->ops->kick(v->ctx) : PVS_E_NO_SUPPORT;
}

/* Quiet vCPUs are looked at together, on a grid, so that one timer does for all. */
static pvs_u64 next_poll(pvs_u64 every_ns, pvs_u64 now_ns)
{
	return now_ns - now_ns % every_ns + every_ns;
}

static void poll_due(struct pvs_host *h, struct pvs_host_vcpu *v, pvs_u64 now_ns)
{
	int quiet;

	(void)take(h, v, PVS_EV_POLL, 0, &quiet);
	if (v->settled && now_ns != PVS_NEVER)
		v->recheck_at_ns = next_poll(v->settled_ns, now_ns);
}

pvs_u64 pvs_host_timer(struct pvs_host *h)
{
	struct pvs_facts facts;
	pvs_u64 next_ns = PVS_NEVER;
	pvs_u64 now_ns = PVS_NEVER; /* without a clock everything is due */
	pvs_u32 i;

	memset(&facts, 0, sizeof(facts));
	h->counters.timers++;
	if (h->ops->now(h->ctx, &facts, 0) == PVS_OK)
		now_ns = facts.now_ns;
	else
		h->counters.errors++;
	h->armed_at_ns = 0; /* one `arm` at the end, none before */
	negotiate(h);
	for (i = 0; i < h->slot_count; i++) {
		struct pvs_host_vcpu *v = &h->vcpus[i];

		if (!v->attached || v->foreign)
			continue;
		if (v->recheck_at_ns <= now_ns && v->recheck_at_ns != PVS_NEVER)
			poll_due(h, v, now_ns);
		if (v->recheck_at_ns < next_ns)
			next_ns = v->recheck_at_ns;
	}
	pvs_host_arm(h, next_ns);
	return next_ns;
}
