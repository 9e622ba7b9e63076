/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest does, through the portable shim, to the header and the slots of the world.
 */
#include "sides.h"

#define GIVEN(op, f) (((op)->given >> (f)) & 1u)

/* The world's slots are all the memory the guest has mapped. */
#define SLOT_BYTES (REPLAY_VCPUS * PVS_SLOT_SIZE)

static pvs_u64 value_of(const struct replay_op *op, pvs_u32 f)
{
	return GIVEN(op, f) ? op->value[f] : 0u;
}

static void report_binding(const struct replay_world *w, const struct replay_guest *g, int rc,
			   struct replay_result *res)
{
	const struct pvs_region_header *h = &w->header;

	res->value[RB_RC] = (pvs_u64)(pvs_s64)rc;
	res->value[RB_ACCEPTED] = PVS_LOAD64(&h->features_accepted);
	res->value[RB_MINOR] = PVS_LOAD16(&h->guest_minor);
	res->value[RB_ECHO] = PVS_LOAD32(&h->guest_generation);
	res->value[RB_COMMAND] = PVS_LOAD32(&h->guest_command);
	res->value[RB_REASON] = g->guest.status_reason;
	res->count = RB_COUNT;
}

static void report_slot(const struct replay_world *w, pvs_u32 i, int rc,
			struct replay_result *res)
{
	const struct pvs_slot *s = &w->slot[i];

	res->value[RG_RC] = (pvs_u64)(pvs_s64)rc;
	res->value[RG_INTENT] = PVS_LOAD64(&s->intent);
	res->value[RG_CRIT] = PVS_LOAD64(&s->crit);
	res->value[RG_IRQ] = PVS_LOAD64(&s->irq);
	res->value[RG_WAIT] = PVS_LOAD64(&s->wait);
	res->value[RG_BOUNDS] = PVS_LOAD64(&s->util_bounds);
	res->value[RG_LIFE] = PVS_LOAD64(&s->life);
	res->value[RG_PENDING] = PVS_LOAD64(&s->pending);
	res->count = RG_COUNT;
}

static int publish(struct pvs_guest_vcpu *v, const struct replay_op *op)
{
	struct pvs_guest_intent in;

	in.util = (pvs_u16)value_of(op, GI_UTIL);
	in.window_us = (pvs_u16)value_of(op, GI_WINDOW);
	in.urgency = (pvs_u8)value_of(op, GI_URGENCY);
	in.level = (pvs_u8)value_of(op, GI_LEVEL);
	in.wake_urgency = (pvs_u8)value_of(op, GI_WAKE);
	in.wake_level = (pvs_u8)value_of(op, GI_WAKE_LEVEL);
	in.idle = (pvs_u8)value_of(op, GI_IDLE);
	in.util_valid = (pvs_u8)value_of(op, GI_UTIL_VALID);
	in.wake_valid = (pvs_u8)value_of(op, GI_WAKE_VALID);
	in.reserved = 0;
	return pvs_guest_publish(v, &in);
}

static int bind(struct replay_world *w, struct replay_guest *g, const struct replay_op *op)
{
	pvs_u64 bytes = GIVEN(op, GB_BYTES) ? op->value[GB_BYTES] : SLOT_BYTES;
	pvs_u64 wanted = GIVEN(op, GB_WANTED) ? op->value[GB_WANTED] : PVS_F_ALL;

	return pvs_guest_bind(&g->guest, &w->header, w->slot, bytes, wanted);
}

/* Words of the host as it might have written them, for the guest to read. */
static void says(struct replay_world *w, const struct replay_op *op)
{
	struct pvs_slot *s = &w->slot[op->a];

	if (GIVEN(op, GS_APPLIED))
		PVS_STORE64(&s->applied, op->value[GS_APPLIED]);
	if (GIVEN(op, GS_TICKET))
		PVS_STORE64(&s->irq_ticket, op->value[GS_TICKET]);
	if (GIVEN(op, GS_RUN))
		PVS_STORE64(&s->run, op->value[GS_RUN]);
	if (GIVEN(op, GS_SEQ))
		PVS_STORE64(&s->count_seq, op->value[GS_SEQ]);
	if (GIVEN(op, GS_BOOSTS))
		PVS_STORE64(&s->boosts, op->value[GS_BOOSTS]);
}

static void counters(const struct pvs_guest_vcpu *v, struct replay_result *res)
{
	struct pvs_guest_counters c;

	res->value[0] = (pvs_u64)(pvs_s64)pvs_guest_counters(v, &c);
	res->value[1] = c.boosts;
	res->value[2] = c.denials;
	res->value[3] = c.overruns;
	res->value[4] = c.malformed;
	res->value[5] = c.boosted_ns;
	res->count = 6;
}

/* The ops that leave words in a slot; *rc is what the shim answered. -1: none of them. */
static int exec_words(struct replay_guest *g, const struct replay_op *op, int *rc)
{
	struct pvs_guest_vcpu *v = &g->vcpu[op->a];

	switch (op->kind) {
	case RK_G_ONLINE:
		*rc = pvs_guest_vcpu_online(&g->guest, op->a, v);
		break;
	case RK_G_OFFLINE:
		pvs_guest_vcpu_offline(v);
		break;
	case RK_G_PUBLISH:
		*rc = publish(v, op);
		break;
	case RK_G_RETRACT:
		*rc = pvs_guest_retract(v);
		break;
	case RK_G_CRIT:
		*rc = pvs_guest_crit(v, value_of(op, GC_SET), value_of(op, GC_CLEAR));
		break;
	case RK_G_IRQ_ENTER:
		g->found[op->a] = pvs_guest_irq_enter(v, value_of(op, 0));
		break;
	case RK_G_IRQ_LEAVE:
		*rc = pvs_guest_irq_leave(v, g->found[op->a]);
		break;
	case RK_G_IRQ_ACK:
		pvs_guest_irq_ack(v);
		break;
	case RK_G_WAIT:
		pvs_guest_wait(v, (pvs_u32)value_of(op, GW_KIND), (pvs_u32)value_of(op, GW_TARGET),
			       (pvs_u32)value_of(op, GW_EPOCH));
		break;
	case RK_G_PEND:
		*rc = pvs_guest_pend(&g->guest, op->a, (pvs_u32)value_of(op, GP_URGENCY),
				     (pvs_u32)value_of(op, GP_LEVEL));
		break;
	case RK_G_PEND_CLEAR:
		*rc = pvs_guest_pend_clear(v);
		break;
	case RK_G_BOUNDS:
		pvs_guest_util_bounds(v, (pvs_u32)value_of(op, GU_FLOOR),
				      (pvs_u32)value_of(op, GU_CEIL));
		break;
	default:
		return -1;
	}
	return 0;
}

int replay_exec_guest(struct replay_world *w, struct replay_guest *g, const struct replay_op *op,
		      struct replay_result *res)
{
	int rc = 0;

	res->kind = op->kind;
	res->count = 0;
	switch (op->kind) {
	case RK_G_BIND:
		report_binding(w, g, bind(w, g, op), res);
		return 0;
	case RK_G_READY:
		report_binding(w, g, pvs_guest_ready(&g->guest), res);
		return 0;
	case RK_G_UNBIND:
		report_binding(w, g, pvs_guest_unbind(&g->guest), res);
		return 0;
	case RK_G_APPLIED:
		res->value[0] = pvs_guest_applied(&g->vcpu[op->a]);
		res->count = 1;
		return 0;
	case RK_G_EPOCH:
		res->value[0] = pvs_guest_run_epoch(&g->guest, op->a);
		res->count = 1;
		return 0;
	case RK_G_COUNTERS:
		counters(&g->vcpu[op->a], res);
		return 0;
	case RK_G_SAYS:
		says(w, op);
		return 0;
	default:
		if (exec_words(g, op, &rc))
			return -1;
		report_slot(w, op->a, rc, res);
		return 0;
	}
}
