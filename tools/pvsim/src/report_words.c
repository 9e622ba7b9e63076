/* SPDX-License-Identifier: BSD-2-Clause */
/* report_words.c - reasons and classes in words, for who has not read pvs/state.h. */
#include "report.h"
#include "report_lanes.h"

static const struct sim_words reasons[PVS_REASON_COUNT] = {
	[PVS_REASON_NONE] = { "none", "says nothing: as the host is configured" },
	[PVS_REASON_OFFLINE] = { "offline", "its slot is offline" },
	[PVS_REASON_BELOW] = { "below", "asked for less than usual" },
	[PVS_REASON_IDLE] = { "idle", "going to sleep, or asleep" },
	[PVS_REASON_URGENT] = { "urgent", "runs something urgent" },
	[PVS_REASON_WAKE] = { "wake", "woken for something urgent" },
	[PVS_REASON_ARMED] = { "armed", "boosted in advance, for its next wake-up" },
	[PVS_REASON_PENDING] = { "pending", "another vCPU has queued something urgent for it" },
	[PVS_REASON_WINDOW] = { "window", "asked for a window of time" },
	[PVS_REASON_CRIT] = { "crit", "in a critical section" },
	[PVS_REASON_IRQ] = { "irq", "handles an interrupt" },
	[PVS_REASON_KICK] = { "kick", "the guest said it is over: kick" },
	[PVS_REASON_YIELD] = { "yield", "the guest said it is over: yield" },
	[PVS_REASON_BOOST_EMPTY] = { "boost_empty", "denied: its boost account is empty" },
	[PVS_REASON_IRQ_EMPTY] = { "irq_empty", "denied: its interrupt account is empty" },
	[PVS_REASON_VM_CAP] = { "vm_cap", "denied: its VM is at its limit" },
	[PVS_REASON_GRANT_MAX] = { "grant_max", "ended: one boost lasted too long" },
	[PVS_REASON_RATE] = { "rate", "denied: asked too often" },
	[PVS_REASON_MALFORMED] = { "malformed", "denied: what it said made no sense" },
	[PVS_REASON_STALE] = { "stale", "what it said is too old" },
	[PVS_REASON_TOO_SHORT] = { "too_short", "denied: too little is left to be worth it" },
	[PVS_REASON_PAYBACK] = { "payback", "pays boosted time back" },
	[PVS_REASON_FOREIGN] = { "foreign", "somebody else changed it: hands off" },
	[PVS_REASON_DETACHED] = { "detached", "not attached" },
	[PVS_REASON_OUTSIDE] = { "outside", "in the VMM, not in the guest" },
	[PVS_REASON_BRIEF] = { "brief", "was urgent too briefly to help" },
	[PVS_REASON_DEDICATED] = { "dedicated", "has a CPU of its own" },
	[PVS_REASON_TICKET] = { "ticket", "an interrupt was delivered to it" },
	[PVS_REASON_STORM] = { "storm", "denied: too many interrupts" },
	[PVS_REASON_DEFERRED] = { "deferred", "in a critical section: its preemption is put off" },
	[PVS_REASON_DEFER_SPENT] = { "defer_spent", "its preemption was put off once already" },
	[PVS_REASON_OUTRANKED] = { "outranked", "somebody more urgent is there" },
};

const struct sim_words *sim_reason_words(uint32_t reason)
{
	static const struct sim_words unknown = { "unknown", "for a reason of its own" };

	return reason < PVS_REASON_COUNT && reasons[reason].key ? &reasons[reason] : &unknown;
}
