# SPDX-License-Identifier: BSD-2-Clause
"""Numbers of the wire format (layout.md, pvs/abi.h) and of policy.md section 17."""

ABI_MAJOR, ABI_MINOR = 0, 1
REGION_MAGIC = int.from_bytes(b"PVSREGN0", "little")
HEADER_SIZE = 4096
SLOT_SIZE = 256
SLOT_COUNT_MAX = 1024
GENERATION_MASK = 0xFFFFFF

# Features.
FEATURES = ("util", "wake", "window", "pending", "crit", "grant", "irq", "irq_ticket", "wait",
            "run_epoch", "util_bounds", "perf", "kick", "counters", "split_words")
(F_UTIL, F_WAKE, F_WINDOW, F_PENDING, F_CRIT, F_GRANT, F_IRQ, F_IRQ_TICKET, F_WAIT, F_RUN_EPOCH,
 F_UTIL_BOUNDS, F_PERF, F_KICK, F_COUNTERS, F_SPLIT_WORDS) = (1 << n for n in range(15))
F_ALL = (1 << 15) - 1
NEEDS = ((F_GRANT, F_CRIT), (F_IRQ_TICKET, F_IRQ), (F_UTIL_BOUNDS, F_UTIL))

# Negotiation.
STATUSES = ("offered", "active", "refused", "disabled")
OFFERED, ACTIVE, REFUSED, DISABLED = range(4)
REFUSALS = ("none", "major", "minor", "generation", "not_offered", "dependency", "command")
(REFUSE_NONE, REFUSE_MAJOR, REFUSE_MINOR, REFUSE_GENERATION, REFUSE_NOT_OFFERED,
 REFUSE_DEPENDENCY, REFUSE_COMMAND) = range(7)
COMMANDS = ("none", "accept", "reset")
CMD_NONE, CMD_ACCEPT, CMD_RESET = range(3)
KICK_NONE, KICK_PIO, KICK_MMIO, KICK_HYPERCALL = range(4)

# Urgencies.
URGENCIES = ("unspecified", "idle", "background", "normal", "interactive", "realtime")
UNSPECIFIED, IDLE, BACKGROUND, NORMAL, INTERACTIVE, REALTIME = range(6)
UTIL_MAX = 1024

# Guest words.
CRIT_LOCK_HELD, CRIT_PREEMPT_OFF, CRIT_IRQS_OFF, CRIT_DONT_DESCHED = 1, 2, 4, 8
CRIT_NAMES = ("lock", "preempt_off", "irqs_off", "dont_desched")
IRQ_NAMES = ("hardirq", "softirq", "nmi")
WAITS = ("none", "lock", "ipi", "ipi_many", "any")
WAIT_NONE, WAIT_LOCK, WAIT_IPI, WAIT_IPI_MANY, WAIT_ANY = range(5)
LIFE_ONLINE = 1
WORDS = ("intent", "crit", "irq", "wait", "bounds", "life", "pending")
(M_INTENT, M_CRIT, M_IRQ, M_WAIT, M_BOUNDS, M_LIFE, M_PENDING) = (1 << n for n in range(7))

# Host words.
CLASSES = ("no_class", "below", "baseline", "task", "critical")
CLASS_NONE, BELOW, BASELINE, TASK, CRITICAL = range(5)
THROTTLES = ("boost_empty", "irq_empty", "vm_cap", "grant_max", "storm", "rate", "malformed",
             "stale")
(T_BOOST_EMPTY, T_IRQ_EMPTY, T_VM_CAP, T_GRANT_MAX, T_STORM, T_RATE, T_MALFORMED,
 T_STALE) = (1 << n for n in range(8))
GRANTED, KICK_DEBOOST, KICK_RAISE, YIELD_SPIN, DONT_BOTHER = (1 << n for n in (16, 24, 25, 26, 27))

# P-17.1: events.
EVENTS = ("poll", "wake", "enqueue", "pick", "run_enter", "run_leave", "preempt", "inject",
          "irq_window", "ipi", "eoi", "spin", "yield", "kick", "halt", "migrate", "tick", "attach",
          "detach", "reset", "foreign")
(POLL, WAKE, ENQUEUE, PICK, RUN_ENTER, RUN_LEAVE, PREEMPT, INJECT, IRQ_WINDOW, IPI, EOI, SPIN,
 YIELD, KICK, HALT, MIGRATE, TICK, ATTACH, DETACH, RESET, FOREIGN) = range(21)
EVENT_COUNT = 21

# P-17.2: reasons.
REASONS = ("none", "offline", "below", "idle", "urgent", "wake", "armed", "pending", "window",
           "crit", "irq", "kick", "yield", "boost_empty", "irq_empty", "vm_cap", "grant_max",
           "rate", "malformed", "stale", "too_short", "payback", "foreign", "detached", "outside",
           "brief", "dedicated", "ticket", "storm", "deferred", "defer_spent", "outranked")
(R_NONE, R_OFFLINE, R_BELOW, R_IDLE, R_URGENT, R_WAKE, R_ARMED, R_PENDING, R_WINDOW, R_CRIT, R_IRQ,
 R_KICK, R_YIELD, R_BOOST_EMPTY, R_IRQ_EMPTY, R_VM_CAP, R_GRANT_MAX, R_RATE, R_MALFORMED, R_STALE,
 R_TOO_SHORT, R_PAYBACK, R_FOREIGN, R_DETACHED, R_OUTSIDE, R_BRIEF, R_DEDICATED, R_TICKET, R_STORM,
 R_DEFERRED, R_DEFER_SPENT, R_OUTRANKED) = range(32)

# P-17.3: capabilities.
CAPS = ("sees_wake", "sees_preempt", "sees_inject", "owns_queue", "can_defer", "can_kick",
        "sees_wait", "sets_perf", "tells_perf", "can_yield", "irq_window")
(SEES_WAKE, SEES_PREEMPT, SEES_INJECT, OWNS_QUEUE, CAN_DEFER, CAN_KICK, SEES_WAIT, SETS_PERF,
 TELLS_PERF, CAN_YIELD, CAN_ARM_IRQ_WINDOW) = (1 << n for n in range(11))

# P-17.4: flags of a decision.
FLAGS = ("changed", "measure", "release", "sample", "malformed", "defer", "arm_irq_window",
         "sample_wait")
(D_CHANGED, D_MEASURE, D_RELEASE, D_SAMPLE, D_MALFORMED, D_DEFER, D_ARM_IRQ_WINDOW,
 D_SAMPLE_WAIT) = (1 << n for n in range(8))

# P-17.5: results.
OK, E_INVALID, E_RANGE, E_SAVED = 0, -1, -2, -106
E_STATE = -3
E_NO_SPACE = -4
