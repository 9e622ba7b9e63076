/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The language as tables. A new event, reason, field of the configuration or op is a row here;
 * scripts/conformance/coverage.py compares the names with the enums of the headers.
 */
#include "tables.h"

#define END { 0, 0 }
#define MINUS(n) (0u - (pvs_u64)(n))

static const struct replay_name caps[] = {
	{ "sees_wake", PVS_CAP_SEES_WAKE },
	{ "sees_preempt", PVS_CAP_SEES_PREEMPT },
	{ "sees_inject", PVS_CAP_SEES_INJECT },
	{ "owns_queue", PVS_CAP_OWNS_QUEUE },
	{ "can_defer", PVS_CAP_CAN_DEFER },
	{ "can_kick", PVS_CAP_CAN_KICK },
	{ "sees_wait", PVS_CAP_SEES_WAIT },
	{ "sets_perf", PVS_CAP_SETS_PERF },
	{ "tells_perf", PVS_CAP_TELLS_PERF },
	{ "can_yield", PVS_CAP_CAN_YIELD },
	{ "irq_window", PVS_CAP_IRQ_WINDOW },
	{ "all", 0x7ff },
	END
};

static const struct replay_name features[] = {
	{ "util", PVS_F_UTIL },
	{ "wake", PVS_F_WAKE },
	{ "window", PVS_F_WINDOW },
	{ "pending", PVS_F_PENDING },
	{ "crit", PVS_F_CRIT },
	{ "grant", PVS_F_GRANT },
	{ "irq", PVS_F_IRQ },
	{ "irq_ticket", PVS_F_IRQ_TICKET },
	{ "wait", PVS_F_WAIT },
	{ "run_epoch", PVS_F_RUN_EPOCH },
	{ "util_bounds", PVS_F_UTIL_BOUNDS },
	{ "perf", PVS_F_PERF },
	{ "kick", PVS_F_KICK },
	{ "counters", PVS_F_COUNTERS },
	{ "split_words", PVS_F_SPLIT_WORDS },
	{ "all", PVS_F_ALL },
	{ "whole", PVS_F_ALL & ~PVS_F_SPLIT_WORDS },
	END
};

static const struct replay_name events[] = {
	{ "poll", PVS_EV_POLL },
	{ "wake", PVS_EV_WAKE },
	{ "enqueue", PVS_EV_ENQUEUE },
	{ "pick", PVS_EV_PICK },
	{ "run_enter", PVS_EV_RUN_ENTER },
	{ "run_leave", PVS_EV_RUN_LEAVE },
	{ "preempt", PVS_EV_PREEMPT },
	{ "inject", PVS_EV_INJECT },
	{ "irq_window", PVS_EV_IRQ_WINDOW },
	{ "ipi", PVS_EV_IPI },
	{ "eoi", PVS_EV_EOI },
	{ "spin", PVS_EV_SPIN },
	{ "yield", PVS_EV_YIELD },
	{ "kick", PVS_EV_KICK },
	{ "halt", PVS_EV_HALT },
	{ "migrate", PVS_EV_MIGRATE },
	{ "tick", PVS_EV_TICK },
	{ "attach", PVS_EV_ATTACH },
	{ "detach", PVS_EV_DETACH },
	{ "reset", PVS_EV_RESET },
	{ "foreign", PVS_EV_FOREIGN },
	END
};

static const struct replay_name reasons[] = {
	{ "none", PVS_REASON_NONE },
	{ "offline", PVS_REASON_OFFLINE },
	{ "below", PVS_REASON_BELOW },
	{ "idle", PVS_REASON_IDLE },
	{ "urgent", PVS_REASON_URGENT },
	{ "wake", PVS_REASON_WAKE },
	{ "armed", PVS_REASON_ARMED },
	{ "pending", PVS_REASON_PENDING },
	{ "window", PVS_REASON_WINDOW },
	{ "crit", PVS_REASON_CRIT },
	{ "irq", PVS_REASON_IRQ },
	{ "kick", PVS_REASON_KICK },
	{ "yield", PVS_REASON_YIELD },
	{ "boost_empty", PVS_REASON_BOOST_EMPTY },
	{ "irq_empty", PVS_REASON_IRQ_EMPTY },
	{ "vm_cap", PVS_REASON_VM_CAP },
	{ "grant_max", PVS_REASON_GRANT_MAX },
	{ "rate", PVS_REASON_RATE },
	{ "malformed", PVS_REASON_MALFORMED },
	{ "stale", PVS_REASON_STALE },
	{ "too_short", PVS_REASON_TOO_SHORT },
	{ "payback", PVS_REASON_PAYBACK },
	{ "foreign", PVS_REASON_FOREIGN },
	{ "detached", PVS_REASON_DETACHED },
	{ "outside", PVS_REASON_OUTSIDE },
	{ "brief", PVS_REASON_BRIEF },
	{ "dedicated", PVS_REASON_DEDICATED },
	{ "ticket", PVS_REASON_TICKET },
	{ "storm", PVS_REASON_STORM },
	{ "deferred", PVS_REASON_DEFERRED },
	{ "defer_spent", PVS_REASON_DEFER_SPENT },
	{ "outranked", PVS_REASON_OUTRANKED },
	END
};

static const struct replay_name classes[] = {
	{ "no_class", PVS_CLASS_NONE },
	{ "below", PVS_CLASS_BELOW },
	{ "baseline", PVS_CLASS_BASELINE },
	{ "task", PVS_CLASS_TASK },
	{ "critical", PVS_CLASS_CRITICAL },
	END
};

static const struct replay_name throttles[] = {
	{ "boost_empty", PVS_THROTTLE_BOOST_EMPTY },
	{ "irq_empty", PVS_THROTTLE_IRQ_EMPTY },
	{ "vm_cap", PVS_THROTTLE_VM_CAP },
	{ "grant_max", PVS_THROTTLE_GRANT_MAX },
	{ "storm", PVS_THROTTLE_STORM },
	{ "rate", PVS_THROTTLE_RATE },
	{ "malformed", PVS_THROTTLE_MALFORMED },
	{ "stale", PVS_THROTTLE_STALE },
	END
};

static const struct replay_name decision_flags[] = {
	{ "changed", PVS_DECISION_CHANGED },
	{ "measure", PVS_DECISION_MEASURE },
	{ "release", PVS_DECISION_RELEASE },
	{ "sample", PVS_DECISION_SAMPLE },
	{ "malformed", PVS_DECISION_MALFORMED },
	{ "defer", PVS_DECISION_DEFER },
	{ "arm_irq_window", PVS_DECISION_ARM_IRQ_WINDOW },
	{ "sample_wait", PVS_DECISION_SAMPLE_WAIT },
	END
};

static const struct replay_name says[] = {
	{ "granted", PVS_APPLIED_GRANTED },
	{ "kick_deboost", PVS_APPLIED_KICK_DEBOOST },
	{ "kick_raise", PVS_APPLIED_KICK_RAISE },
	{ "yield_spin", PVS_APPLIED_YIELD_SPIN },
	{ "dont_bother", PVS_APPLIED_DONT_BOTHER },
	END
};

static const struct replay_name urgencies[] = {
	{ "unspecified", PVS_URGENCY_UNSPECIFIED },
	{ "idle", PVS_URGENCY_IDLE },
	{ "background", PVS_URGENCY_BACKGROUND },
	{ "normal", PVS_URGENCY_NORMAL },
	{ "interactive", PVS_URGENCY_INTERACTIVE },
	{ "realtime", PVS_URGENCY_REALTIME },
	END
};

static const struct replay_name crits[] = {
	{ "lock", PVS_CRIT_LOCK_HELD },
	{ "preempt_off", PVS_CRIT_PREEMPT_OFF },
	{ "irqs_off", PVS_CRIT_IRQS_OFF },
	{ "dont_desched", PVS_CRIT_DONT_DESCHED },
	END
};

static const struct replay_name irqs[] = {
	{ "hardirq", PVS_IRQ_HARDIRQ },
	{ "softirq", PVS_IRQ_SOFTIRQ },
	{ "nmi", PVS_IRQ_NMI },
	END
};

static const struct replay_name waits[] = {
	{ "none", PVS_WAIT_NONE },
	{ "lock", PVS_WAIT_LOCK },
	{ "ipi", PVS_WAIT_IPI },
	{ "ipi_many", PVS_WAIT_IPI_MANY },
	{ "any", PVS_WAIT_ANY },
	END
};

static const struct replay_name words[] = {
	{ "intent", PVS_WORD_INTENT },
	{ "crit", PVS_WORD_CRIT },
	{ "irq", PVS_WORD_IRQ },
	{ "wait", PVS_WORD_WAIT },
	{ "bounds", PVS_WORD_BOUNDS },
	{ "life", PVS_WORD_LIFE },
	{ "pending", PVS_WORD_PENDING },
	END
};

static const struct replay_name statuses[] = {
	{ "offered", PVS_STATUS_OFFERED },
	{ "active", PVS_STATUS_ACTIVE },
	{ "refused", PVS_STATUS_REFUSED },
	{ "disabled", PVS_STATUS_DISABLED },
	END
};

static const struct replay_name refusals[] = {
	{ "none", PVS_REFUSE_NONE },
	{ "major", PVS_REFUSE_MAJOR },
	{ "minor", PVS_REFUSE_MINOR },
	{ "generation", PVS_REFUSE_GENERATION },
	{ "not_offered", PVS_REFUSE_NOT_OFFERED },
	{ "dependency", PVS_REFUSE_DEPENDENCY },
	{ "command", PVS_REFUSE_COMMAND },
	END
};

static const struct replay_name commands[] = {
	{ "none", PVS_CMD_NONE },
	{ "accept", PVS_CMD_ACCEPT },
	{ "reset", PVS_CMD_RESET },
	END
};

/* Return values of either side: pvs/status.h, pvs/guest.h. */
static const struct replay_name codes[] = {
	{ "ok", 0 },
	{ "kick", 1 },
	{ "yield", 2 },
	{ "invalid", MINUS(1) },
	{ "range", MINUS(2) },
	{ "state", MINUS(3) },
	{ "no_space", MINUS(4) },
	{ "magic", MINUS(100) },
	{ "version", MINUS(101) },
	{ "layout", MINUS(102) },
	{ "refused", MINUS(103) },
	{ "not_ready", MINUS(104) },
	{ "generation", MINUS(105) },
	{ "saved", MINUS(106) },
	END
};

static const struct replay_name targets[] = { { "none", PVS_NO_TARGET }, END };
static const struct replay_name times[] = { { "never", ~(pvs_u64)0 }, END };

static const struct replay_name profiles[] = {
	{ "default", PVS_PROFILE_DEFAULT },
	{ "measure_only", PVS_PROFILE_MEASURE_ONLY },
	{ "desktop_audio", PVS_PROFILE_DESKTOP_AUDIO },
	{ "server_overcommit", PVS_PROFILE_SERVER_OVERCOMMIT },
	{ "mobile_dvfs", PVS_PROFILE_MOBILE_DVFS },
	END
};

static const struct replay_name config_flags[] = {
	{ "measure_only", PVS_CONFIG_MEASURE_ONLY },
	END
};

static const struct replay_name yield_flags[] = { { "strict", PVS_YIELD_STRICT }, END };

static const struct replay_name transfers[] = {
	{ "off", PVS_TRANSFER_OFF },
	{ "penalise", PVS_TRANSFER_PENALISE },
	{ "credit", PVS_TRANSFER_CREDIT },
	END
};

static const struct replay_name waiting[] = {
	{ "preempted", PVS_WAITS_PREEMPTED },
	{ "crit", PVS_WAITS_CRIT },
	{ "kernel", PVS_WAITS_KERNEL },
	{ "interrupt", PVS_WAITS_INTERRUPT },
	{ "spinning", PVS_WAITS_SPINNING },
	END
};

static const struct replay_name ranks[] = {
	{ "nobody", PVS_YIELD_NOBODY },
	{ "named", PVS_YIELD_NAMED },
	{ "named_many", PVS_YIELD_NAMED_MANY },
	{ "holder", PVS_YIELD_HOLDER },
	{ "receiver", PVS_YIELD_RECEIVER },
	{ "interrupt", PVS_YIELD_INTERRUPT },
	{ "crit", PVS_YIELD_CRIT },
	{ "kernel", PVS_YIELD_KERNEL },
	{ "user", PVS_YIELD_USER },
	{ "relaxed", PVS_YIELD_RELAXED },
	END
};

static const struct replay_name given[] = {
	{ "none", PVS_TRANSFER_NONE },
	{ "nobody", PVS_TRANSFER_NOBODY },
	{ "alone", PVS_TRANSFER_ALONE },
	{ "limited", PVS_TRANSFER_LIMITED },
	{ "penalty", PVS_TRANSFER_PENALTY },
	{ "base", PVS_TRANSFER_BASE },
	{ "ping_pong", PVS_TRANSFER_PING_PONG },
	{ "credited", PVS_TRANSFER_CREDITED },
	{ "enough", PVS_TRANSFER_ENOUGH },
	END
};

static const struct replay_name perf_asks[] = { { "margin", PVS_PERF_ASK_MARGIN }, END };

static const struct replay_name perf_flags[] = {
	{ "changed", PVS_PERF_CHANGED },
	{ "limited", PVS_PERF_LIMITED },
	{ "overload", PVS_PERF_OVERLOAD },
	END
};

static const struct replay_name cpus[] = { { "none", PVS_PERF_NO_CPU }, END };

/* What enqueue and pick say. */
static const struct replay_name verdicts[] = {
	{ "go", PVS_QUEUE_GO },
	{ "again", PVS_QUEUE_AGAIN },
	{ "park", PVS_QUEUE_PARK },
	{ "state", MINUS(3) },
	END
};

/* ---- inputs ---------------------------------------------------------------------------------- */

#define U(name, to) { name, 0, RT_U, to, 0, 64, 0, { 0 } }
#define S(name, to) { name, 0, RT_S, to, 0, 64, 0, { 0 } }
#define X(name, to) { name, 0, RT_X, to, 0, 64, 0, { 0 } }
#define U32(name, to) { name, 0, RT_U, to, 0, 32, 0, { 0 } }
#define BIT(name, to) { name, 0, RT_U, to, 0, 1, 0, { 0 } }
#define NAMED(name, to, names) { name, names, RT_U, to, 0, 64, 0, { 0 } }
#define FLAGS(name, to, names) { name, names, RT_FLAGS, to, 0, 64, 0, { 0 } }
#define PART(name, to, shift, bits, names, type) { name, names, type, to, shift, bits, 0, { 0 } }
#define TAGS(name, to) { name, 0, RT_U, to, PVS_INTENT_TAG_LO_SHIFT, PVS_TAG_BITS, \
			 PVS_INTENT_TAG_HI_SHIFT, { 0 } }
#define LAST { 0, 0, 0, 0, 0, 0, 0, { 0 } }

#define INTENT(name, field, names) \
	PART(name, W_INTENT, PVS_INTENT_##field##_SHIFT, PVS_INTENT_##field##_BITS, names, RT_U)
#define PVS_INTENT_IDLE_BITS 1
#define PVS_INTENT_UTIL_VALID_BITS 1
#define PVS_INTENT_WAKE_VALID_BITS 1

/* Words of a slot: whole, or by their fields; fields of one word on a line make up one value. */
#define WORD_FIELDS \
	X("intent", W_INTENT), X("wait", W_WAIT), X("bounds", W_BOUNDS), X("life", W_LIFE), \
	X("pending", W_PENDING), \
	FLAGS("crit", W_CRIT, crits), FLAGS("irq", W_IRQ, irqs), \
	PART("ack", W_IRQ, PVS_IRQ_ACK_SHIFT, PVS_IRQ_ACK_BITS, 0, RT_U), \
	INTENT("util", UTIL, 0), INTENT("util_valid", UTIL_VALID, 0), \
	INTENT("urgency", CLASS, urgencies), INTENT("level", LEVEL, 0), \
	INTENT("wake", WAKE_CLASS, urgencies), INTENT("wake_level", WAKE_LEVEL, 0), \
	INTENT("wake_valid", WAKE_VALID, 0), INTENT("idle", IDLE, 0), \
	INTENT("window", WINDOW, 0), INTENT("seq", SEQ, 0), TAGS("tag", W_INTENT), \
	PART("kind", W_WAIT, PVS_WAIT_KIND_SHIFT, PVS_WAIT_KIND_BITS, waits, RT_U), \
	PART("target", W_WAIT, PVS_WAIT_TARGET_SHIFT, PVS_WAIT_TARGET_BITS, 0, RT_U), \
	PART("epoch", W_WAIT, PVS_WAIT_EPOCH_SHIFT, PVS_WAIT_EPOCH_BITS, 0, RT_U), \
	PART("mask", W_WAIT, PVS_WAIT_MASK_SHIFT, PVS_WAIT_MASK_BITS, 0, RT_X), \
	TAGS("wait_tag", W_WAIT), \
	PART("floor", W_BOUNDS, PVS_BOUNDS_FLOOR_SHIFT, PVS_BOUNDS_BITS, 0, RT_U), \
	PART("ceil", W_BOUNDS, PVS_BOUNDS_CEIL_SHIFT, PVS_BOUNDS_BITS, 0, RT_U), \
	PART("pend", W_PENDING, PVS_PENDING_CLASS_SHIFT, 4, urgencies, RT_U), \
	PART("pend_level", W_PENDING, PVS_PENDING_LEVEL_SHIFT, 4, 0, RT_U), \
	BIT("online", W_ONLINE)

#define FACT_FIELDS \
	U("now", STEP_NOW), FLAGS("caps", STEP_CAPS, caps), U32("granularity", STEP_GRANULARITY), \
	U32("entitlement", STEP_ENTITLEMENT)

static const struct replay_field nothing[] = { LAST };
static const struct replay_field word_fields[] = { WORD_FIELDS, LAST };
static const struct replay_field facts_in[] = { FACT_FIELDS, LAST };
static const struct replay_field step_in[] = {
	U32("arg", STEP_ARG), S("dt", STEP_DT), U("run", STEP_RUN), S("ran", STEP_RAN),
	U("waits", STEP_WAITS), S("waited", STEP_WAITED), BIT("nested", STEP_NESTED),
	BIT("contended", STEP_CONTENDED), BIT("dedicated", STEP_DEDICATED),
	PART("capacity", STEP_CAPACITY, 0, 16, 0, RT_U),
	PART("current", STEP_CURRENT, 0, 16, 0, RT_U),
	PART("contention", STEP_CONTENTION, 0, 16, 0, RT_U), FACT_FIELDS, WORD_FIELDS, LAST
};

static const struct replay_field vm_in[] = {
	FLAGS("caps", VM_CAPS, caps), U32("slots", VM_SLOTS), U32("generation", VM_GENERATION),
	FLAGS("offered", VM_OFFERED, features), FLAGS("accept", VM_ACCEPT, features), LAST
};

static const struct replay_field choice_in[] = {
	PART("major", CHOICE_MAJOR, 0, 16, 0, RT_U), PART("minor", CHOICE_MINOR, 0, 16, 0, RT_U),
	U32("generation", CHOICE_GENERATION), FLAGS("features", CHOICE_FEATURES, features),
	PART("command", CHOICE_COMMAND, 0, 32, commands, RT_U), BIT("header", CHOICE_HEADER), LAST
};

#define SAVED_FIELDS \
	U32("version", SAVED_VERSION), U32("share", SAVED_SHARE), \
	U("boost_used", SAVED_BOOST_USED), U("irq_used", SAVED_IRQ_USED), \
	S("normal_left", SAVED_NORMAL_LEFT), U("high", SAVED_HIGH), \
	U("high_before", SAVED_HIGH_BEFORE), U("boosted_ns", SAVED_BOOSTED), \
	U32("boosts", SAVED_BOOSTS), U32("denials", SAVED_DENIALS), \
	U32("overruns", SAVED_OVERRUNS), U32("malformed", SAVED_MALFORMED), \
	PART("latches", SAVED_LATCHES, 0, 32, 0, RT_X), U32("reserved", SAVED_RESERVED)

static const struct replay_field saved_fields[] = { SAVED_FIELDS, LAST };

#define CONFIG(field) U32(#field, CONFIG_AT(field))

static const struct replay_field config_in[] = {
	NAMED("profile", CONFIG_PROFILE, profiles),
	PART("flags", CONFIG_AT(flags), 0, 32, config_flags, RT_FLAGS),
	CONFIG(boost_share_q10), CONFIG(boost_burst_ns), CONFIG(boost_resume_ns),
	CONFIG(grant_max_ns), CONFIG(irq_share_q10), CONFIG(irq_burst_ns), CONFIG(credit_max_ns),
	CONFIG(debt_start_ns), CONFIG(debt_max_ns), CONFIG(vm_share_q10), CONFIG(vm_burst_ns),
	CONFIG(vm_quantum_ns), CONFIG(stale_ns), CONFIG(raise_min_ns), CONFIG(malformed_min_ns),
	CONFIG(level_hold_ns), CONFIG(pay_weight_q10), CONFIG(below_weight_q10),
	CONFIG(recheck_min_ns), CONFIG(poll_ns), CONFIG(quiet_poll_ns), CONFIG(urgent_poll_ns),
	CONFIG(kick_min_ns), CONFIG(look_cost_ns), CONFIG(dt_max_ns), CONFIG(ticket_max_ns),
	CONFIG(storm_window_ns), CONFIG(storm_share_q10), CONFIG(storm_rate_hz),
	CONFIG(storm_burst), CONFIG(storm_hold_ns), CONFIG(defer_ns),
	LAST
};

static const struct replay_field header_in[] = {
	X("at", HEADER_AT), U("size", HEADER_SIZE), X("value", HEADER_VALUE), LAST
};

static const struct replay_field terms_in[] = {
	FLAGS("features", TERMS_FEATURES, features), U32("generation", TERMS_GENERATION),
	U32("slots", TERMS_SLOTS), BIT("active", TERMS_ACTIVE), LAST
};

static const struct replay_field yield_vm_in[] = {
	U32("slots", YV_SLOTS), PART("flags", YV_FLAGS, 0, 32, yield_flags, RT_FLAGS),
	U32("ipi_window", YV_IPI_WINDOW), PART("transfer", YV_TRANSFER, 0, 32, transfers, RT_U),
	U32("transfer_min", YV_TRANSFER_MIN), U32("debounce", YV_DEBOUNCE), LAST
};

#define TIME_FIELDS U("now", T_NOW), S("dt", T_DT)

static const struct replay_field time_in[] = { TIME_FIELDS, LAST };
static const struct replay_field waits_in[] = {
	PART("flags", YW_FLAGS, 0, 32, waiting, RT_FLAGS), TIME_FIELDS, LAST
};
static const struct replay_field vector_in[] = {
	U32("vector", YI_VECTOR), TIME_FIELDS, LAST
};
static const struct replay_field choose_in[] = {
	PART("kind", YC_WAIT, PVS_WAIT_KIND_SHIFT, PVS_WAIT_KIND_BITS, waits, RT_U),
	PART("target", YC_WAIT, PVS_WAIT_TARGET_SHIFT, 10, 0, RT_U),
	PART("epoch", YC_WAIT, PVS_WAIT_EPOCH_SHIFT, PVS_WAIT_EPOCH_BITS, 0, RT_U),
	PART("mask", YC_WAIT, PVS_WAIT_MASK_SHIFT, PVS_WAIT_MASK_BITS, 0, RT_X),
	U32("run_epoch", YC_RUN_EPOCH), TIME_FIELDS, LAST
};
static const struct replay_field transfer_in[] = {
	S("gap", YT_GAP), S("lag", YT_LAG), U32("lag_max", YT_LAG_MAX),
	U32("granularity", YT_GRANULARITY), U32("queued", YT_QUEUED), TIME_FIELDS, LAST
};

static const struct replay_field perf_config_in[] = {
	U32("headroom", PC_HEADROOM), U32("max", PC_MAX), U32("up_min", PC_UP),
	U32("down_min", PC_DOWN), LAST
};
static const struct replay_field list_in[] = {
	{ "levels", 0, RT_LIST, 0, 0, 64, 0, { 0 } }, LAST
};
static const struct replay_field fit_in[] = {
	{ "cpus", 0, RT_LIST, 0, 0, 64, 0, { 0 } }, LAST
};
static const struct replay_field put_in[] = {
	PART("util", PP_UTIL, 0, 16, 0, RT_U), PART("floor", PP_FLOOR, 0, 16, 0, RT_U),
	PART("ceiling", PP_CEILING, 0, 16, 0, RT_U),
	PART("flags", PP_FLAGS, 0, 16, perf_asks, RT_FLAGS), TIME_FIELDS, LAST
};
static const struct replay_field perf_move_in[] = { PART("to", PP_TO, 0, 2, 0, RT_U), LAST };
static const struct replay_field update_in[] = { U32("wish", PP_WISH), TIME_FIELDS, LAST };
static const struct replay_field level_in[] = { U32("capacity", PP_CAPACITY), LAST };
static const struct replay_field capacity_in[] = { U32("value", PP_VALUE), LAST };
static const struct replay_field perf_word_in[] = {
	U32("capacity", PP_CAPACITY), U32("current", PP_CURRENT),
	U32("contention", PP_CONTENTION), U32("generation", PP_GENERATION), LAST
};
static const struct replay_field contention_in[] = { U("run", PP_RUN), U("wait", PP_WAIT), LAST };

static const struct replay_field entity_in[] = {
	U32("weight", QQ_WEIGHT), U32("cap", QQ_CAP), TIME_FIELDS, LAST
};
static const struct replay_field ask_in[] = {
	PART("class", QQ_CLASS, 0, 8, classes, RT_U), PART("rank", QQ_RANK, 0, 3, 0, RT_U),
	U32("weight", QQ_FACTOR), TIME_FIELDS, LAST
};
static const struct replay_field charge_in[] = { U32("ran", QQ_RAN), TIME_FIELDS, LAST };
static const struct replay_field queue_move_in[] = {
	PART("to", QQ_TO, 0, 1, 0, RT_U), TIME_FIELDS, LAST
};

static const struct replay_name draws[] = {
	{ "whole", GEN_WHOLE }, { "split", GEN_SPLIT }, { "yield", GEN_YIELD },
	{ "perf", GEN_PERF }, { "queue", GEN_QUEUE }, { "guest", GEN_GUEST }, END
};
static const struct replay_field generate_in[] = {
	X("seed", GEN_SEED), U32("steps", GEN_STEPS), U32("vcpus", GEN_VCPUS),
	NAMED("profile", GEN_PROFILE, draws), LAST
};
static const struct replay_field generate_out[] = {
	U("steps", RGEN_STEPS), X("digest", RGEN_DIGEST), LAST
};

static const struct replay_field guest_bind_in[] = {
	FLAGS("wanted", GB_WANTED, features), U("bytes", GB_BYTES), LAST
};
static const struct replay_field guest_publish_in[] = {
	PART("util", GI_UTIL, 0, 16, 0, RT_U), PART("util_valid", GI_UTIL_VALID, 0, 8, 0, RT_U),
	PART("urgency", GI_URGENCY, 0, 8, urgencies, RT_U), PART("level", GI_LEVEL, 0, 8, 0, RT_U),
	PART("wake", GI_WAKE, 0, 8, urgencies, RT_U),
	PART("wake_level", GI_WAKE_LEVEL, 0, 8, 0, RT_U),
	PART("wake_valid", GI_WAKE_VALID, 0, 8, 0, RT_U), PART("idle", GI_IDLE, 0, 8, 0, RT_U),
	PART("window", GI_WINDOW, 0, 16, 0, RT_U), LAST
};
static const struct replay_field guest_crit_in[] = {
	FLAGS("set", GC_SET, crits), FLAGS("clear", GC_CLEAR, crits), LAST
};
static const struct replay_field guest_irq_in[] = { FLAGS("bit", 0, irqs), LAST };
static const struct replay_field guest_wait_in[] = {
	PART("kind", GW_KIND, 0, 32, waits, RT_U), U32("target", GW_TARGET), U32("epoch", GW_EPOCH),
	PART("mask", GW_EPOCH, 0, 32, 0, RT_X), LAST
};
static const struct replay_field guest_pend_in[] = {
	PART("urgency", GP_URGENCY, 0, 32, urgencies, RT_U), U32("level", GP_LEVEL), LAST
};
static const struct replay_field guest_bounds_in[] = {
	U32("floor", GU_FLOOR), U32("ceil", GU_CEIL), LAST
};
static const struct replay_field guest_says_in[] = {
	X("applied", GS_APPLIED), U("ticket", GS_TICKET), U("run", GS_RUN), U("seq", GS_SEQ),
	U("boosts", GS_BOOSTS), LAST
};

/* ---- results --------------------------------------------------------------------------------- */

#define CODE(name, to) { name, codes, RT_S, to, 0, 64, 0, { 0 } }

static const struct replay_field agreed_out[] = {
	U("changed", RN_CHANGED), NAMED("status", RN_STATUS, statuses),
	NAMED("reason", RN_REASON, refusals), FLAGS("offered", RN_OFFERED, features),
	FLAGS("features", RN_FEATURES, features), LAST
};

static const struct replay_field step_out[] = {
	NAMED("class", RS_CLASS, classes), U("rank", RS_RANK), NAMED("reason", RS_REASON, reasons),
	FLAGS("throttle", RS_THROTTLE, throttles), FLAGS("flags", RS_FLAGS, decision_flags),
	U("weight", RS_WEIGHT), NAMED("defer", RS_DEFER, reasons), U("perf", RS_PERF),
	NAMED("recheck", RS_RECHECK, times), NAMED("ring", RS_RING, times),
	FLAGS("malformed", RS_MALFORMED, words), FLAGS("says", RS_SAYS, says),
	X("applied", RS_APPLIED), U("ticket", RS_TICKET), U("run", RS_RUN),
	X("perf_word", RS_PERF_WORD), U("window_left", RS_WINDOW_LEFT),
	U("boost_left", RS_BOOST_LEFT), LAST
};

static const struct replay_field hint_out[] = {
	U("online", RH_ONLINE), FLAGS("malformed", RH_MALFORMED, words),
	NAMED("urgency", RH_URGENCY, urgencies), U("level", RH_LEVEL), U("idle", RH_IDLE),
	U("wake_valid", RH_WAKE_VALID), NAMED("wake", RH_WAKE, urgencies),
	U("wake_level", RH_WAKE_LEVEL), U("util_valid", RH_UTIL_VALID), U("util", RH_UTIL),
	U("floor", RH_FLOOR), U("ceil", RH_CEIL), U("window", RH_WINDOW), U("seq", RH_SEQ),
	FLAGS("crit", RH_CRIT, crits), FLAGS("irq", RH_IRQ, irqs), U("ack", RH_ACK),
	NAMED("kind", RH_KIND, waits), U("target", RH_TARGET), U("epoch", RH_EPOCH),
	X("mask", RH_MASK), X("pending", RH_PENDING), LAST
};

static const struct replay_field restored_out[] = { CODE("rc", 0), LAST };
static const struct replay_field order_out[] = { S("order", 0), LAST };
static const struct replay_field accounts_out[] = { U("boost_left", 0), LAST };

static const struct replay_field counters_out[] = {
	U("seq", RC_SEQ), U("boosts", RC_BOOSTS), U("denials", RC_DENIALS),
	U("overruns", RC_OVERRUNS), U("malformed", RC_MALFORMED), U("boosted_ns", RC_BOOSTED), LAST
};

#define TALLY(name, reason) U(name, RT_REASONS + PVS_REASON_##reason)

static const struct replay_field tally_out[] = {
	U("tickets", RT_TICKETS), U("storms", RT_STORMS), U("deferrals", RT_DEFERRALS),
	TALLY("no_reason", NONE), TALLY("offline", OFFLINE), TALLY("below", BELOW),
	TALLY("idle", IDLE), TALLY("urgent", URGENT), TALLY("wake", WAKE),
	TALLY("armed", ARMED), TALLY("pending", PENDING), TALLY("window", WINDOW),
	TALLY("crit", CRIT), TALLY("irq", IRQ), TALLY("kick", KICK), TALLY("yield", YIELD),
	TALLY("boost_empty", BOOST_EMPTY), TALLY("irq_empty", IRQ_EMPTY),
	TALLY("vm_cap", VM_CAP), TALLY("grant_max", GRANT_MAX), TALLY("rate", RATE),
	TALLY("malformed", MALFORMED), TALLY("stale", STALE), TALLY("too_short", TOO_SHORT),
	TALLY("payback", PAYBACK), TALLY("foreign", FOREIGN), TALLY("detached", DETACHED),
	TALLY("outside", OUTSIDE), TALLY("brief", BRIEF), TALLY("dedicated", DEDICATED),
	TALLY("ticket", TICKET), TALLY("storm", STORM), TALLY("deferred", DEFERRED),
	TALLY("defer_spent", DEFER_SPENT), TALLY("outranked", OUTRANKED), LAST
};

/* `field` is the index in struct pvs_config of the field that is wrong; named like the inputs. */
static const struct replay_field config_out[] = {
	CODE("rc", 0), U("field", 1), U("min", 2), U("max", 3), LAST
};

static const struct replay_field choose_out[] = {
	NAMED("target", RY_TARGET, targets), NAMED("reason", RY_REASON, ranks),
	U("relaxed", RY_RELAXED), U("stale", RY_STALE), LAST
};
static const struct replay_field transfer_out[] = {
	U("penalty", RYT_PENALTY), U("credit", RYT_CREDIT), NAMED("reason", RYT_REASON, given),
	U("resched", RYT_RESCHED), LAST
};
static const struct replay_field yield_counts_out[] = {
	U("nobody", 0), U("named", 1), U("named_many", 2), U("holder", 3), U("receiver", 4),
	U("interrupt", 5), U("crit", 6), U("kernel", 7), U("user", 8), U("relaxed", 9),
	U("gave_none", RYC_TRANSFERS), U("gave_nobody", RYC_TRANSFERS + 1),
	U("alone", RYC_TRANSFERS + 2), U("limited", RYC_TRANSFERS + 3),
	U("penalty", RYC_TRANSFERS + 4), U("base", RYC_TRANSFERS + 5),
	U("ping_pong", RYC_TRANSFERS + 6), U("credited", RYC_TRANSFERS + 7),
	U("enough", RYC_TRANSFERS + 8), U("stale", RYC_STALE), LAST
};

static const struct replay_field domain_out[] = {
	CODE("rc", RP_RC), U("sum", RP_SUM), U("members", RP_MEMBERS), LAST
};
static const struct replay_field update_out[] = {
	FLAGS("flags", RPU_FLAGS, perf_flags), U("wish", RPU_WISH), U("target", RPU_TARGET),
	U("level", RPU_LEVEL), U("value", RPU_VALUE), NAMED("recheck", RPU_RECHECK, times), LAST
};
static const struct replay_field wish_out[] = { U("wish", 0), LAST };
static const struct replay_field level_out[] = { U("level", 0), LAST };
static const struct replay_field capacity_out[] = { U("capacity", 0), LAST };
static const struct replay_field word_out[] = { X("word", 0), LAST };
static const struct replay_field share_out[] = { U("share", 0), LAST };
static const struct replay_field cpu_out[] = { NAMED("cpu", 0, cpus), LAST };

/* Virtual times are told by their distance from the queue's base. */
static const struct replay_field entity_out[] = {
	{ "rc", verdicts, RT_S, RQ_RC, 0, 64, 0, { 0 } }, X("key", RQ_KEY),
	U("bucket", RQ_BUCKET), U("boosted", RQ_BOOSTED), U("empty", RQ_EMPTY),
	NAMED("park", RQ_PARK, times), S("age", RQ_AGE), S("used", RQ_USED), X("base", RQ_BASE),
	U("boosted_ns", RQ_BOOSTED_NS), U("waiting", RQ_WAITING), U("running", RQ_RUNNING), LAST
};
static const struct replay_field limit_out[] = { NAMED("limit", 0, times), LAST };

static const struct replay_field guest_out[] = {
	CODE("rc", RG_RC), X("intent", RG_INTENT), X("crit", RG_CRIT), X("irq", RG_IRQ),
	X("wait", RG_WAIT), X("bounds", RG_BOUNDS), X("life", RG_LIFE), X("pending", RG_PENDING),
	LAST
};

static const struct replay_field bind_out[] = {
	CODE("rc", RB_RC), FLAGS("accepted", RB_ACCEPTED, features), U("minor", RB_MINOR),
	U("echo", RB_ECHO), NAMED("command", RB_COMMAND, commands),
	NAMED("reason", RB_REASON, refusals), LAST
};

static const struct replay_field guest_read_out[] = { X("value", 0), LAST };
static const struct replay_field guest_counters_out[] = {
	CODE("rc", 0), U("boosts", 1), U("denials", 2), U("overruns", 3), U("malformed", 4),
	U("boosted_ns", 5), LAST
};

/* ---- ops ------------------------------------------------------------------------------------- */

#define VCPUS (REPLAY_VCPUS - 1u)
#define SLOTS (PVS_YIELD_SLOTS - 1u)
#define DOMAINS (REPLAY_DOMAINS - 1u)
#define QUEUES (REPLAY_QUEUES - 1u)
#define ENTITIES (REPLAY_ENTITIES - 1u)

#define HOST(name, in, out, indices, a_max, b_max, kind) \
	{ name, in, out, 0, a_max, b_max, indices, REPLAY_SIDE_HOST, kind, 0 }
#define EVENT(name, in, out, kind) \
	{ name, in, out, events, VCPUS, 255, 2, REPLAY_SIDE_HOST, kind, 0 }
#define SETUP(name, in, out, indices, a_max, kind) \
	{ name, in, out, 0, a_max, 0, indices, REPLAY_SIDE_SETUP, kind, 0 }
#define GUEST(name, in, out, indices, kind) \
	{ name, in, out, 0, VCPUS, 0, indices, REPLAY_SIDE_GUEST, kind, 0 }

const struct replay_kind_info replay_kinds[] = {
	EVENT("step", step_in, step_out, RK_STEP),
	EVENT("post", nothing, nothing, RK_POST),
	HOST("slot", word_fields, nothing, 1, VCPUS, 0, RK_SLOT),
	HOST("vm", vm_in, agreed_out, 0, 0, 0, RK_VM),
	HOST("choice", choice_in, agreed_out, 0, 0, 0, RK_CHOICE),
	HOST("facts", facts_in, nothing, 0, 0, 0, RK_FACTS),
	HOST("vcpu", word_fields, accounts_out, 1, VCPUS, 0, RK_VCPU),
	HOST("validate", word_fields, hint_out, 1, VCPUS, 0, RK_VALIDATE),
	HOST("save", nothing, saved_fields, 2, VCPUS, REPLAY_SAVES - 1u, RK_SAVE),
	HOST("saved", saved_fields, nothing, 1, REPLAY_SAVES - 1u, 0, RK_SAVED),
	HOST("restore", nothing, restored_out, 2, VCPUS, REPLAY_SAVES - 1u, RK_RESTORE),
	HOST("preempts", nothing, order_out, 2, VCPUS, VCPUS, RK_PREEMPTS),
	HOST("counters", nothing, counters_out, 1, VCPUS, 0, RK_COUNTERS),
	HOST("tally", nothing, tally_out, 1, VCPUS, 0, RK_TALLY),

	SETUP("yield_vm", yield_vm_in, restored_out, 0, 0, RK_YIELD_VM),
	HOST("yield_waits", waits_in, nothing, 1, SLOTS, 0, RK_Y_WAITS),
	HOST("yield_runs", time_in, nothing, 1, SLOTS, 0, RK_Y_RUNS),
	HOST("yield_blocks", time_in, nothing, 1, SLOTS, 0, RK_Y_BLOCKS),
	HOST("yield_removed", time_in, nothing, 1, SLOTS, 0, RK_Y_REMOVED),
	HOST("yield_interrupt", time_in, nothing, 1, SLOTS, 0, RK_Y_INTERRUPT),
	HOST("yield_ipi", vector_in, nothing, 2, SLOTS, SLOTS, RK_Y_IPI),
	HOST("yield_eoi", vector_in, nothing, 1, SLOTS, 0, RK_Y_EOI),
	HOST("yield_choose", choose_in, choose_out, 1, SLOTS, 0, RK_Y_CHOOSE),
	HOST("yield_transfer", transfer_in, transfer_out, 2, SLOTS, 0xffffffffu, RK_Y_TRANSFER),
	HOST("yield_counts", nothing, yield_counts_out, 0, 0, 0, RK_Y_COUNTS),

	SETUP("perf_config", perf_config_in, config_out, 0, 0, RK_PERF_CONFIG),
	SETUP("perf_domain", list_in, restored_out, 1, DOMAINS, RK_PERF_DOMAIN),
	HOST("perf_put", put_in, domain_out, 2, DOMAINS, VCPUS, RK_P_PUT),
	HOST("perf_remove", time_in, domain_out, 2, DOMAINS, VCPUS, RK_P_REMOVE),
	HOST("perf_move", perf_move_in, domain_out, 2, DOMAINS, VCPUS, RK_P_MOVE),
	HOST("perf_wish", nothing, wish_out, 1, DOMAINS, 0, RK_P_WISH),
	HOST("perf_update", update_in, update_out, 1, DOMAINS, 0, RK_P_UPDATE),
	HOST("perf_level", level_in, level_out, 1, DOMAINS, 0, RK_P_LEVEL),
	HOST("perf_capacity", capacity_in, capacity_out, 1, DOMAINS, 0, RK_P_CAPACITY),
	HOST("perf_word", perf_word_in, word_out, 0, 0, 0, RK_P_WORD),
	HOST("perf_contention", contention_in, share_out, 0, 0, 0, RK_P_CONTENTION),
	HOST("perf_fit", fit_in, cpu_out, 1, 0xffffffffu, 0, RK_P_FIT),

	HOST("queue", time_in, nothing, 1, QUEUES, 0, RK_Q_QUEUE),
	HOST("entity", entity_in, entity_out, 2, ENTITIES, QUEUES, RK_Q_ENTITY),
	HOST("entity_weight", entity_in, entity_out, 2, ENTITIES, QUEUES, RK_Q_WEIGHT),
	HOST("entity_cap", entity_in, entity_out, 2, ENTITIES, QUEUES, RK_Q_CAP),
	HOST("enqueue", ask_in, entity_out, 2, ENTITIES, QUEUES, RK_Q_ENQUEUE),
	HOST("pick", ask_in, entity_out, 2, ENTITIES, QUEUES, RK_Q_PICK),
	HOST("charge", charge_in, entity_out, 2, ENTITIES, QUEUES, RK_Q_CHARGE),
	HOST("dequeue", time_in, entity_out, 2, ENTITIES, QUEUES, RK_Q_DEQUEUE),
	HOST("queue_migrate", queue_move_in, entity_out, 2, ENTITIES, QUEUES, RK_Q_MIGRATE),
	HOST("queue_limit", time_in, limit_out, 2, ENTITIES, QUEUES, RK_Q_LIMIT),
	HOST("queue_preempts", nothing, order_out, 2, ENTITIES, ENTITIES, RK_Q_PREEMPTS),
	HOST("queue_before", nothing, order_out, 2, ENTITIES, ENTITIES, RK_Q_BEFORE),
	HOST("queue_share", time_in, share_out, 2, ENTITIES, QUEUES, RK_Q_SHARE),

	SETUP("config", config_in, config_out, 0, 0, RK_CONFIG),
	SETUP("header", header_in, nothing, 0, 0, RK_HEADER),
	SETUP("terms", terms_in, nothing, 0, 0, RK_TERMS),
	GUEST("guest_bind", guest_bind_in, bind_out, 0, RK_G_BIND),
	GUEST("guest_ready", nothing, bind_out, 0, RK_G_READY),
	GUEST("guest_unbind", nothing, bind_out, 0, RK_G_UNBIND),
	GUEST("guest_online", nothing, guest_out, 1, RK_G_ONLINE),
	GUEST("guest_offline", nothing, guest_out, 1, RK_G_OFFLINE),
	GUEST("guest_publish", guest_publish_in, guest_out, 1, RK_G_PUBLISH),
	GUEST("guest_retract", nothing, guest_out, 1, RK_G_RETRACT),
	GUEST("guest_crit", guest_crit_in, guest_out, 1, RK_G_CRIT),
	GUEST("guest_irq_enter", guest_irq_in, guest_out, 1, RK_G_IRQ_ENTER),
	GUEST("guest_irq_leave", nothing, guest_out, 1, RK_G_IRQ_LEAVE),
	GUEST("guest_irq_ack", nothing, guest_out, 1, RK_G_IRQ_ACK),
	GUEST("guest_wait", guest_wait_in, guest_out, 1, RK_G_WAIT),
	GUEST("guest_pend", guest_pend_in, guest_out, 1, RK_G_PEND),
	GUEST("guest_pend_clear", nothing, guest_out, 1, RK_G_PEND_CLEAR),
	GUEST("guest_bounds", guest_bounds_in, guest_out, 1, RK_G_BOUNDS),
	GUEST("guest_applied", nothing, guest_read_out, 1, RK_G_APPLIED),
	GUEST("guest_epoch", nothing, guest_read_out, 1, RK_G_EPOCH),
	GUEST("guest_counters", nothing, guest_counters_out, 1, RK_G_COUNTERS),
	GUEST("guest_says", guest_says_in, nothing, 1, RK_G_SAYS),
	{ "generate", generate_in, generate_out, 0, 0, 0, 0, REPLAY_SIDE_GENERATE, RK_GENERATE, 0 },
	{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
};

const struct replay_kind_info *replay_kind_of(pvs_u32 kind)
{
	const struct replay_kind_info *info;

	for (info = replay_kinds; info->name; info++)
		if (info->kind == kind)
			return info;
	return 0;
}
