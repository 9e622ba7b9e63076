# SPDX-License-Identifier: BSD-2-Clause
"""policy.md section 13: what a step writes into the slot."""

from .numbers import U32, U64
from .wire import (DONT_BOTHER, F_COUNTERS, F_IRQ_TICKET, F_KICK, F_PERF, F_RUN_EPOCH, F_WAIT,
                   GRANTED, KICK_DEBOOST, KICK_RAISE, R_CRIT, R_IRQ, R_PENDING, R_TICKET, R_URGENT,
                   TASK, YIELD_SPIN)

_ENDS_IN_GUEST = frozenset((R_URGENT, R_PENDING, R_CRIT, R_IRQ, R_TICKET))


class Slot:
    """The words of a slot: the guest's seven, in the order of the spec, and the host's."""

    __slots__ = ("words", "applied", "irq_ticket", "run", "perf", "window_left", "count_seq",
                 "boosts", "denials", "overruns", "malformed", "boosted_ns")

    def __init__(self):
        self.words = [0] * 7
        self.applied = self.irq_ticket = self.run = self.perf = self.window_left = 0
        self.count_seq = self.boosts = self.denials = self.overruns = 0
        self.malformed = self.boosted_ns = 0


def boost_left(vcpu):
    """P-13.2."""
    cfg = vcpu.cfg
    if vcpu.boost_used >= cfg.boost_span_ns:
        return 0
    return (cfg.boost_span_ns - vcpu.boost_used) * cfg.boost_share_q10 >> 10


def write_status(vcpu, features, slot):
    """P-13.1 to P-13.4."""
    applied = vcpu.klass | vcpu.throttle << 8
    if vcpu.granted:
        applied |= GRANTED
    if features & F_KICK:
        if vcpu.klass >= TASK:
            if vcpu.reason in _ENDS_IN_GUEST:
                applied |= KICK_DEBOOST
        elif not (vcpu.gate or vcpu.dedicated or vcpu.throttle or vcpu.boost_empty
                  or vcpu.grant_full or vcpu.urgent_lately > vcpu.clock):
            applied |= KICK_RAISE
    if vcpu.contended and features & F_WAIT:
        applied |= YIELD_SPIN
    if vcpu.dedicated:
        applied |= DONT_BOTHER
    slot.applied = applied

    window = (vcpu.window - vcpu.ran) // 1000 if vcpu.window > vcpu.ran else 0
    slot.window_left = min(window, U32) | min(boost_left(vcpu) // 1000, U32) << 32
    if features & F_IRQ_TICKET:
        slot.irq_ticket = vcpu.ticket_no
    if features & F_RUN_EPOCH:
        slot.run = vcpu.run_epoch
    if features & F_PERF:
        slot.perf = vcpu.perf_word
    if features & F_COUNTERS:
        vcpu.count_seq = vcpu.count_seq + 2 & U64
        slot.boosts = vcpu.boosts
        slot.denials = vcpu.denials
        slot.overruns = vcpu.overruns
        slot.malformed = vcpu.malformed
        slot.boosted_ns = vcpu.boosted_ns
        slot.count_seq = vcpu.count_seq
