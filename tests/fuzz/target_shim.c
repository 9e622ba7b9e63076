/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shim: a guest on a hostile host. The host wrote any header at all, and changes its words between
 * any two loads of the shim. Whatever it does, the shim stays inside of what was mapped, writes
 * the guest's words only, and what it writes is well-formed to an honest host.
 */
#include "rules.h"

#include <string.h>

#include <pvs/guest_inline.h>

#define OPS_MAX 200u
#define SLOTS_BYTES_MAX 16384u
/* The words of a slot that the guest writes: lines 0 and 1; of the header: line 2. */
#define SLOT_GUEST_BYTES 128u
#define HEADER_GUEST_AT 128u
#define HEADER_GUEST_BYTES 64u
#define STRIDE_AT __builtin_offsetof(struct pvs_region_header, slot_stride)
#define LOADS_PER_OP_MAX 8192u

struct memory {
	struct pvs_region_header header;
	unsigned char slots[SLOTS_BYTES_MAX];
} __attribute__((aligned(4096)));

static struct memory memory;
static struct pvs_guest guest;
static struct pvs_guest_vcpu vcpu;
static struct fuzz_input in;
static uint32_t slots_bytes;
static uint32_t stride;        /* as the shim has loaded it: it says whose a byte is */
static uint32_t loads;         /* of the call at hand */
static int fickle;             /* the host changes words between loads */

/* ---- the memory between the two -------------------------------------------------------------- */

/* Offset of an access in the slots, or SLOTS_BYTES_MAX when it is in the header. */
static size_t place_of(const volatile void *p, unsigned int size, size_t *header_at)
{
	uintptr_t at = (uintptr_t)p;
	uintptr_t header = (uintptr_t)&memory.header;
	uintptr_t slots = (uintptr_t)memory.slots;

	FUZZ_RULE("shim: unaligned access", !(at & (size - 1u)));
	if (at >= header && at + size <= header + PVS_HEADER_SIZE) {
		*header_at = at - header;
		return SLOTS_BYTES_MAX;
	}
	FUZZ_RULE("shim: outside of what was mapped",
		  at >= slots && at + size <= slots + slots_bytes);
	return at - slots;
}

static void may_write(const volatile void *p, unsigned int size)
{
	size_t header_at = 0;
	size_t at = place_of(p, size, &header_at);

	if (at == SLOTS_BYTES_MAX)
		FUZZ_RULE("shim: wrote the host's part of the header",
			  header_at >= HEADER_GUEST_AT &&
			  header_at + size <= HEADER_GUEST_AT + HEADER_GUEST_BYTES);
	else
		FUZZ_RULE("shim: wrote the host's lines",
			  at % stride + size <= SLOT_GUEST_BYTES);
}

pvs_u64 shim_load(const volatile void *p, unsigned int size)
{
	size_t header_at = 0;
	pvs_u64 value = 0;
	size_t at;
	int hosts;

	if ((vcpu.features & PVS_F_SPLIT_WORDS) && p == vcpu.bell)
		return *vcpu.bell; /* a constant of the shim's own */
	at = place_of(p, size, &header_at);
	hosts = at == SLOTS_BYTES_MAX ? header_at < HEADER_GUEST_AT :
			at % PVS_SLOT_SIZE >= SLOT_GUEST_BYTES;
	FUZZ_RULE("shim: a loop without end", loads++ < LOADS_PER_OP_MAX);
	if (fickle && hosts && in.left && (fuzz_u8(&in) & 0xf0u) == 0xf0u) {
		value = fuzz_u64(&in);
		memcpy((void *)(uintptr_t)p, &value, size);
	}
	value = 0;
	memcpy(&value, (const void *)(uintptr_t)p, size);
	if (at == SLOTS_BYTES_MAX && header_at == STRIDE_AT && value >= PVS_SLOT_STRIDE_MIN)
		stride = (uint32_t)value;
	return value;
}

void shim_store(volatile void *p, pvs_u64 value, unsigned int size)
{
	may_write(p, size);
	memcpy((void *)(uintptr_t)p, &value, size);
}

int shim_swap(volatile void *p, pvs_u32 expect, pvs_u32 desired)
{
	pvs_u32 is;

	may_write(p, sizeof(is));
	memcpy(&is, (const void *)(uintptr_t)p, sizeof(is));
	if (is != expect)
		return 0;
	memcpy((void *)(uintptr_t)p, &desired, sizeof(desired));
	return 1;
}

/* ---- what an honest host makes of it --------------------------------------------------------- */

static void well_formed(const struct pvs_guest *g, const struct pvs_guest_vcpu *v)
{
	struct pvs_hint hint = { .util_ceil = PVS_UTIL_MAX };
	struct pvs_terms terms = { .active = 1 };
	struct pvs_snapshot snap;

	if (!g->header || !v->slot)
		return;
	terms.features = g->features;
	terms.generation = g->generation;
	terms.slot_count = g->slot_count;
	pvs_snapshot((const struct pvs_slot *)(uintptr_t)v->slot, &snap);
	pvs_validate(&snap, &terms, &hint, &hint);
	FUZZ_RULE("shim: wrote a malformed word", !hint.malformed);
	FUZZ_RULE("shim: an online slot is not", hint.flags & PVS_HINT_ONLINE);
	rules_hint(&hint, &terms, &snap);
}

static void bound_rules(const struct pvs_guest *g, uint64_t wanted)
{
	FUZZ_RULE("shim: slots beyond the mapping",
		  (uint64_t)g->slot_count * g->slot_stride <= slots_bytes);
	FUZZ_RULE("shim: stride", g->slot_stride >= PVS_SLOT_STRIDE_MIN &&
		  g->slot_stride <= PVS_SLOT_STRIDE_MAX &&
		  !(g->slot_stride & (g->slot_stride - 1u)));
	FUZZ_RULE("shim: generation", g->generation <= PVS_GENERATION_MASK);
	FUZZ_RULE("shim: features nobody wanted",
		  !(g->features & ~(wanted | PVS_F_CRIT | PVS_F_IRQ | PVS_F_UTIL)));
	FUZZ_RULE("shim: a doorbell of no kind", g->kick_kind <= PVS_KICK_HYPERCALL);
}

static void bind(struct pvs_guest *g)
{
	uint64_t wanted = fuzz_u16(&in);
	struct pvs_choice choice;
	int status;

	status = pvs_guest_bind(g, &memory.header, memory.slots, slots_bytes, wanted);
	FUZZ_RULE("shim: status of bind", status == PVS_GUEST_KICK || status < 0);
	if (status != PVS_GUEST_KICK) {
		FUZZ_RULE("shim: bound after an error", !g->header && !g->slot_count);
		return;
	}
	stride = g->slot_stride;
	if (FUZZ_CANARY(g->slot_count == 5u && g->slot_stride == 512u))
		g->slot_count++;
	bound_rules(g, wanted);
	pvs_snapshot_choice(&memory.header, &choice);
	FUZZ_RULE("shim: an impossible choice",
		  pvs_negotiate(&choice, g->features, g->generation) == PVS_REFUSE_NONE);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void publish(struct pvs_guest_vcpu *v)
{
	struct pvs_guest_intent intent;

	memset(&intent, 0, sizeof(intent));
	intent.util = fuzz_u16(&in);
	intent.window_us = fuzz_u16(&in);
	intent.urgency = fuzz_u8(&in);
	intent.level = fuzz_u8(&in);
	intent.wake_urgency = fuzz_u8(&in);
	intent.wake_level = fuzz_u8(&in);
	intent.idle = fuzz_u8(&in);
	intent.util_valid = fuzz_u8(&in);
	intent.wake_valid = fuzz_u8(&in);
	(void)pvs_guest_publish(v, &intent);
}

static void interrupt(const struct pvs_guest *g, struct pvs_guest_vcpu *v)
{
	uint64_t outer = pvs_guest_irq_enter(v, fuzz_u8(&in));
	uint64_t inner;

	well_formed(g, v);
	if (fuzz_u8(&in) & 1u)
		pvs_guest_irq_ack(v);
	inner = pvs_guest_irq_enter(v, PVS_IRQ_NMI);
	(void)pvs_guest_irq_leave(v, inner);
	(void)pvs_guest_irq_leave(v, outer);
	FUZZ_RULE("shim: an interrupt leaves its bit",
		  !v->slot || (v->irq & PVS_IRQ_BITS_ALL) == (outer & PVS_IRQ_BITS_ALL));
}

static void host_writes(void)
{
	uint32_t at = fuzz_u16(&in);
	uint64_t value = fuzz_u64(&in);

	if (at & 0x8000u) {
		memcpy((unsigned char *)&memory.header + (at & 0x78u), &value, sizeof(value));
		return;
	}
	at = at % SLOTS_BYTES_MAX & ~7u;
	if (at % PVS_SLOT_SIZE >= SLOT_GUEST_BYTES)
		memcpy(memory.slots + at, &value, sizeof(value));
}

static void ask(const struct pvs_guest *g, const struct pvs_guest_vcpu *v)
{
	struct pvs_guest_counters counters;

	(void)pvs_guest_applied(v);
	(void)pvs_guest_counters(v, &counters);
	FUZZ_RULE("shim: epoch", pvs_guest_run_epoch(g, fuzz_u16(&in)) <= 0xffffu);
}

static void operate(struct pvs_guest *g, struct pvs_guest_vcpu *v)
{
	loads = 0;
	switch (fuzz_u8(&in) % 14u) {
	case 0:
		pvs_guest_vcpu_offline(v);
		bind(g);
		break;
	case 1:
		(void)pvs_guest_ready(g);
		break;
	case 2:
		(void)pvs_guest_vcpu_online(g, fuzz_u16(&in), v);
		break;
	case 3:
		pvs_guest_vcpu_offline(v);
		break;
	case 4:
		publish(v);
		break;
	case 5:
		(void)pvs_guest_crit(v, fuzz_u8(&in), fuzz_u8(&in));
		break;
	case 6:
		interrupt(g, v);
		break;
	case 7:
		pvs_guest_wait(v, fuzz_u8(&in) % 6u, fuzz_u16(&in), fuzz_u32(&in));
		break;
	case 8:
		(void)pvs_guest_pend(g, fuzz_u16(&in), fuzz_u8(&in), fuzz_u8(&in));
		break;
	case 9:
		(void)pvs_guest_pend_clear(v);
		break;
	case 10:
		pvs_guest_util_bounds(v, fuzz_u16(&in), fuzz_u16(&in));
		break;
	case 11:
		ask(g, v);
		break;
	case 12:
		pvs_guest_vcpu_offline(v);
		(void)pvs_guest_unbind(g);
		break;
	default:
		host_writes();
		break;
	}
	well_formed(g, v);
}

/* A header that can be bound to, in part or as a whole, and then what the input says. */
static void first_header(void)
{
	struct pvs_region_header *h = &memory.header;
	unsigned int help = fuzz_u8(&in);

	h->magic = PVS_REGION_MAGIC;
	h->abi_minor = PVS_ABI_MINOR;
	h->header_size = PVS_HEADER_SIZE;
	h->slot_size = PVS_SLOT_SIZE;
	h->slot_stride = PVS_SLOT_STRIDE_MIN << (help & 7u);
	h->slot_count = 1u + fuzz_u8(&in) % 64u;
	h->generation = fuzz_u16(&in);
	h->features_offered = fuzz_u16(&in);
	h->kick_kind = help >> 3 & 3u;
	fickle = (help & 0x20u) != 0;
	slots_bytes = fuzz_u16(&in) % (SLOTS_BYTES_MAX + 1u);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	unsigned int i;

	memset(&memory, 0, sizeof(memory));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&guest, 0, sizeof(guest));
	in = fuzz_input_of(data, size);
	stride = PVS_SLOT_STRIDE_MIN;
	loads = 0;
	first_header();
	bind(&guest);
	memory.header.status = PVS_STATUS_ACTIVE;
	for (i = 0; i < OPS_MAX && in.left; i++)
		operate(&guest, &vcpu);
}
