# SPDX-License-Identifier: BSD-2-Clause
"""policy.md section 5: features offered, a choice judged and taken; P-3.3: the VM."""

from .numbers import U64, clamp
from .wire import (ABI_MAJOR, ABI_MINOR, ACTIVE, CAN_DEFER, CAN_KICK, CAN_YIELD, CMD_ACCEPT,
                   CMD_NONE, CMD_RESET, F_COUNTERS, F_CRIT, F_GRANT, F_IRQ, F_IRQ_TICKET, F_KICK,
                   F_PENDING, F_PERF, F_RUN_EPOCH, F_SPLIT_WORDS, F_UTIL, F_UTIL_BOUNDS, F_WAIT,
                   F_WAKE, F_WINDOW, GENERATION_MASK, NEEDS, OFFERED, REFUSE_COMMAND,
                   REFUSE_DEPENDENCY, REFUSE_GENERATION, REFUSE_MAJOR, REFUSE_MINOR, REFUSE_NONE,
                   REFUSE_NOT_OFFERED, REFUSED, SEES_INJECT, SEES_PREEMPT, SETS_PERF,
                   SLOT_COUNT_MAX, TELLS_PERF)
from .words import intent_allowed

_OFFERS = (
    (0, F_WAKE | F_WINDOW | F_PENDING | F_COUNTERS | F_SPLIT_WORDS),
    (SETS_PERF, F_UTIL | F_UTIL_BOUNDS),
    (TELLS_PERF, F_PERF),
    (CAN_YIELD, F_WAIT),
    (SEES_PREEMPT, F_CRIT | F_IRQ | F_RUN_EPOCH),
    (SEES_PREEMPT | CAN_DEFER, F_GRANT),
    (SEES_PREEMPT | SEES_INJECT, F_IRQ_TICKET),
    (CAN_KICK, F_KICK),
)


def offer(caps):
    """P-5.1."""
    features = 0
    for needed, offered in _OFFERS:
        if caps & needed == needed:
            features |= offered
    return features


class Vm:
    """P-3.3, and the terms its vCPUs are under."""

    __slots__ = ("cap", "offered", "generation", "slot_count", "active", "status",
                 "status_reason", "features", "intent_refused")

    def __init__(self, offered, generation, slot_count):
        self.cap = 0
        self.offered = offered
        self.generation = generation & GENERATION_MASK
        self.slot_count = clamp(slot_count, 1, SLOT_COUNT_MAX)
        self.active = 0
        self.status = OFFERED
        self.status_reason = REFUSE_NONE
        self.accept(0)

    def accept(self, features):
        """These features are accepted."""
        self.features = features
        self.intent_refused = U64 & ~intent_allowed(features)

    def judge(self, major, minor, generation, features, command):
        """P-5.2."""
        if major != ABI_MAJOR:
            return REFUSE_MAJOR
        if minor > ABI_MINOR:
            return REFUSE_MINOR
        if generation != self.generation:
            return REFUSE_GENERATION
        if features & ~self.offered:
            return REFUSE_NOT_OFFERED
        if any(features & one and not features & need for one, need in NEEDS):
            return REFUSE_DEPENDENCY
        if command != CMD_ACCEPT:
            return REFUSE_COMMAND
        return REFUSE_NONE

    def take(self, major, minor, generation, features, command):
        """P-5.3 to P-5.5; 1 if anything is other than before."""
        if command == CMD_NONE and self.status == OFFERED:
            return 0
        before = (self.status, self.status_reason, self.features)
        refusal = self.judge(major, minor, generation, features, command)
        if command in (CMD_NONE, CMD_RESET):
            after = (OFFERED, REFUSE_NONE, 0)
        elif refusal != REFUSE_NONE:
            after = (REFUSED, refusal, 0)
        else:
            after = (ACTIVE, REFUSE_NONE, features)
        self.status, self.status_reason = after[:2]
        self.accept(after[2])
        self.active = int(self.status == ACTIVE)
        return int(after != before)
