/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header page of a region, from the host's side. Words are written, never read back.
 */
#include <stdatomic.h>
#include <string.h>

#include "host.h"

#define NS_PER_US 1000u
#define NS_PER_S  1000000000u

static pvs_u32 us_up(pvs_u32 ns)
{
	return ns / NS_PER_US + (ns % NS_PER_US != 0);
}

/* Limits worth knowing: they follow from the configuration and from the host's timer. */
static void write_limits(const struct pvs_host *h, const struct pvs_host_args *args,
			 pvs_u32 granularity_ns)
{
	struct pvs_region_header *p = h->header;
	int kick = (args->caps & PVS_CAP_CAN_KICK) != 0;
	pvs_u32 rate_hz = PVS_RATE_UNLIMITED;

	if (h->config.raise_min_ns)
		rate_hz = NS_PER_S / h->config.raise_min_ns;
	PVS_STORE32(&p->window_min_us, us_up(granularity_ns));
	PVS_STORE32(&p->grant_max_us, h->config.grant_max_ns / NS_PER_US);
	PVS_STORE32(&p->hint_rate_hz, rate_hz);
	PVS_STORE32(&p->kick_kind, kick ? args->kick_kind : PVS_KICK_NONE);
	PVS_STORE64(&p->kick_addr, kick ? args->kick_addr : 0u);
}

void pvs_region_write(struct pvs_host *h, const struct pvs_host_args *args, pvs_u32 granularity_ns)
{
	struct pvs_region_header *p = h->header;

	memset(p, 0, (size_t)pvs_host_region_size(h->slot_count));
	PVS_STORE16(&p->abi_major, PVS_ABI_MAJOR);
	PVS_STORE16(&p->abi_minor, PVS_ABI_MINOR);
	PVS_STORE32(&p->header_size, PVS_HEADER_SIZE);
	PVS_STORE32(&p->slot_size, PVS_SLOT_SIZE);
	PVS_STORE32(&p->slot_stride, h->slot_stride);
	PVS_STORE32(&p->slot_count, h->slot_count);
	PVS_STORE64(&p->features_offered, h->vm.features_offered);
	write_limits(h, args, granularity_ns);
	pvs_region_generation(h);
	pvs_region_status(h, h->vm.status);
	/* The magic comes last: who finds it finds the rest. */
	atomic_thread_fence(memory_order_release);
	PVS_STORE64(&p->magic, PVS_REGION_MAGIC);
}

void pvs_region_status(const struct pvs_host *h, pvs_u32 status)
{
	PVS_STORE32(&h->header->status_reason, h->vm.status_reason);
	PVS_STORE32(&h->header->status, status);
}

void pvs_region_generation(const struct pvs_host *h)
{
	PVS_STORE32(&h->header->generation, h->vm.terms.generation);
}

void pvs_region_ident(struct pvs_slot *slot, int present, pvs_u32 arch_id)
{
	pvs_u64 word = PVS_PUT(arch_id, PVS_IDENT_ARCH_SHIFT, PVS_IDENT_ARCH_BITS);

	PVS_STORE64(&slot->ident, present ? word | PVS_IDENT_PRESENT : 0u);
}

/* As much as a guest that did not accept COUNTERS needs to know: nothing. */
void pvs_region_totals(struct pvs_host *h)
{
	struct pvs_region_header *p = h->header;
	const struct pvs_counters *t = &h->totals;

	if (!(h->vm.terms.features & PVS_F_COUNTERS))
		return;
	h->totals_seq += 2u;
	PVS_STORE64(&p->vm_count_seq, h->totals_seq - 1u);
	atomic_thread_fence(memory_order_release);
	PVS_STORE64(&p->vm_boosts, t->boosts);
	PVS_STORE64(&p->vm_denials, t->denials);
	PVS_STORE64(&p->vm_overruns, t->overruns);
	PVS_STORE64(&p->vm_malformed, t->malformed);
	PVS_STORE64(&p->vm_boosted_ns, t->boosted_ns);
	atomic_thread_fence(memory_order_release);
	PVS_STORE64(&p->vm_count_seq, h->totals_seq);
}
