/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later */
/*
 * Binding to a region and letting it go. The only file that reads the header; each field is
 * loaded once, into private memory, and checked there.
 */
#include "shim.h"

#include <pvs/abi_assert.h>

/* What must be right before anything of a region is believed. */
struct seen {
	pvs_u64 magic;
	pvs_u64 offered;
	pvs_u32 major;
	pvs_u32 minor;
	pvs_u32 header_size;
	pvs_u32 slot_size;
	pvs_u32 stride;
	pvs_u32 count;
	pvs_u32 generation;
	pvs_u32 status;
};

static void look(const volatile struct pvs_region_header *h, struct seen *s)
{
	s->magic = PVS_GUEST_LOAD64(&h->magic);
	s->offered = PVS_GUEST_LOAD64(&h->features_offered);
	s->major = PVS_GUEST_LOAD16(&h->abi_major);
	s->minor = PVS_GUEST_LOAD16(&h->abi_minor);
	s->header_size = PVS_GUEST_LOAD32(&h->header_size);
	s->slot_size = PVS_GUEST_LOAD32(&h->slot_size);
	s->stride = PVS_GUEST_LOAD32(&h->slot_stride);
	s->count = PVS_GUEST_LOAD32(&h->slot_count);
	s->generation = PVS_GUEST_LOAD32(&h->generation);
	s->status = PVS_GUEST_LOAD32(&h->status);
}

static int check(const struct seen *s, pvs_u64 slots_bytes)
{
	if (s->magic != PVS_REGION_MAGIC)
		return PVS_GUEST_MAGIC;
	if (s->major != PVS_ABI_MAJOR)
		return PVS_GUEST_VERSION;
	if (s->header_size < PVS_HEADER_SIZE)
		return PVS_GUEST_LAYOUT;
	if (s->stride < PVS_SLOT_STRIDE_MIN || s->stride > PVS_SLOT_STRIDE_MAX)
		return PVS_GUEST_LAYOUT;
	if (s->stride & (s->stride - 1u))
		return PVS_GUEST_LAYOUT;
	if (s->slot_size < PVS_SLOT_SIZE || s->slot_size > s->stride)
		return PVS_GUEST_LAYOUT;
	if (s->count < 1u || s->count > PVS_SLOT_COUNT_MAX)
		return PVS_GUEST_LAYOUT;
	/* at most 1024 * 4096: no overflow */
	if ((pvs_u64)s->count * s->stride > slots_bytes)
		return PVS_GUEST_LAYOUT;
	if (s->generation & ~PVS_GENERATION_MASK)
		return PVS_GUEST_LAYOUT;
	return PVS_GUEST_OK;
}

/* `feature` comes with the one it needs, or not at all. */
static pvs_u64 with_need(pvs_u64 features, pvs_u64 feature, pvs_u64 need, pvs_u64 offered)
{
	if (!(features & feature))
		return features;
	return (offered & need) ? features | need : features & ~feature;
}

static pvs_u64 choose(pvs_u64 wanted, pvs_u64 offered)
{
	pvs_u64 f = wanted & offered & PVS_F_ALL;

	f = with_need(f, PVS_F_GRANT, PVS_F_CRIT, offered);
	f = with_need(f, PVS_F_IRQ_TICKET, PVS_F_IRQ, offered);
	f = with_need(f, PVS_F_UTIL_BOUNDS, PVS_F_UTIL, offered);
	return f;
}

static void forget(struct pvs_guest *g)
{
	g->header = PVS_SHIM_NULL;
	g->slots = PVS_SHIM_NULL;
	g->features = 0;
	g->slot_stride = 0;
	g->slot_count = 0;
	g->generation = 0;
	g->status_reason = 0;
	g->window_min_us = 0;
	g->grant_max_us = 0;
	g->hint_rate_hz = 0;
}

/* The doorbell, when there is one and this guest knows its kind. */
static void take_doorbell(struct pvs_guest *g, const volatile struct pvs_region_header *h,
			  pvs_u64 offered)
{
	pvs_u32 kind = PVS_GUEST_LOAD32(&h->kick_kind);

	if (!(offered & PVS_F_KICK) || kind > PVS_KICK_HYPERCALL)
		return;
	g->kick_kind = kind;
	g->kick_addr = PVS_GUEST_LOAD64(&h->kick_addr);
}

/* What an earlier kernel left must not speak when the host looks again. */
static void silence(const struct pvs_guest *g)
{
	volatile struct pvs_slot *s;
	pvs_u32 i;

	for (i = 0; i < g->slot_count; i++) {
		s = pvs_shim_slot(g, i);
		PVS_GUEST_STORE64(&s->life, 0);
		PVS_GUEST_STORE64(&s->intent, 0);
		PVS_GUEST_STORE64(&s->crit, 0);
		PVS_GUEST_STORE64(&s->irq, 0);
		PVS_GUEST_STORE64(&s->wait, 0);
		PVS_GUEST_STORE64(&s->util_bounds, 0);
		PVS_GUEST_STORE64(&s->pending, 0);
	}
}

static void write_choice(const struct pvs_guest *g, pvs_u32 minor)
{
	volatile struct pvs_region_header *h = g->header;
	pvs_u32 i;

	PVS_GUEST_STORE16(&h->guest_major, PVS_ABI_MAJOR);
	PVS_GUEST_STORE16(&h->guest_minor, pvs_shim_min(minor, PVS_ABI_MINOR));
	PVS_GUEST_STORE32(&h->guest_generation, g->generation);
	PVS_GUEST_STORE64(&h->features_accepted, g->features);
	PVS_GUEST_STORE32(&h->guest_reserved0, 0);
	for (i = 0; i < sizeof(h->guest_reserved1) / sizeof(h->guest_reserved1[0]); i++)
		PVS_GUEST_STORE64(&h->guest_reserved1[i], 0);
	/* the host reads the rest of the line when it sees the command */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	PVS_GUEST_STORE32(&h->guest_command, PVS_CMD_ACCEPT);
}

int pvs_guest_bind(struct pvs_guest *g, volatile struct pvs_region_header *header,
		   volatile void *slots, pvs_u64 slots_bytes, pvs_u64 features_wanted)
{
	struct seen s;
	int rc;

	if (!g)
		return PVS_GUEST_INVALID;
	forget(g);
	g->kick_kind = PVS_KICK_NONE;
	g->kick_addr = 0;
	if (!header || !slots || ((__UINTPTR_TYPE__)header & (PVS_LINE_SIZE - 1u)))
		return PVS_GUEST_INVALID;

	look(header, &s);
	rc = check(&s, slots_bytes);
	if (rc)
		return rc;
	if ((__UINTPTR_TYPE__)slots & (s.stride - 1u))
		return PVS_GUEST_INVALID;
#if __SIZEOF_POINTER__ < 8
	features_wanted |= PVS_F_SPLIT_WORDS;
#endif
	if (features_wanted & ~s.offered & PVS_F_SPLIT_WORDS)
		return PVS_GUEST_REFUSED;
	if (s.status == PVS_STATUS_DISABLED)
		return PVS_GUEST_NOT_READY;
	take_doorbell(g, header, s.offered);
	/* a status of a later version counts as OFFERED (G-18) */
	if (s.status == PVS_STATUS_ACTIVE || s.status == PVS_STATUS_REFUSED) {
		PVS_GUEST_STORE32(&header->guest_command, PVS_CMD_RESET);
		return PVS_GUEST_NOT_READY;
	}

	g->header = header;
	g->slots = (volatile unsigned char *)slots;
	g->slot_stride = s.stride;
	g->slot_count = s.count;
	g->generation = s.generation;
	g->features = choose(features_wanted, s.offered);
	g->window_min_us = PVS_GUEST_LOAD32(&header->window_min_us);
	g->grant_max_us = PVS_GUEST_LOAD32(&header->grant_max_us);
	g->hint_rate_hz = PVS_GUEST_LOAD32(&header->hint_rate_hz);
	silence(g);
	write_choice(g, s.minor);
	return PVS_GUEST_KICK;
}

int pvs_shim_status(const struct pvs_guest *g, pvs_u32 *reason)
{
	pvs_u32 status;

	if (!g->header)
		return PVS_GUEST_STATE;
	if (PVS_GUEST_LOAD32(&g->header->generation) != g->generation)
		return PVS_GUEST_GENERATION;
	status = PVS_GUEST_LOAD32(&g->header->status);
	if (status == PVS_STATUS_ACTIVE)
		return PVS_GUEST_OK;
	if (status == PVS_STATUS_DISABLED)
		return PVS_GUEST_GENERATION;
	if (status != PVS_STATUS_REFUSED)
		return PVS_GUEST_NOT_READY;
	*reason = PVS_GUEST_LOAD32(&g->header->status_reason);
	return PVS_GUEST_REFUSED;
}

int pvs_guest_ready(struct pvs_guest *g)
{
	return pvs_shim_status(g, &g->status_reason);
}

int pvs_guest_unbind(struct pvs_guest *g)
{
	pvs_u32 i;

	if (!g->header)
		return PVS_GUEST_STATE;
	for (i = 0; i < g->slot_count; i++)
		pvs_shim_store(&pvs_shim_slot(g, i)->life, 0, g->features);
	PVS_GUEST_STORE32(&g->header->guest_command, PVS_CMD_RESET);
	forget(g);
	return PVS_GUEST_KICK;
}
