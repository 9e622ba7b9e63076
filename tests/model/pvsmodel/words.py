# SPDX-License-Identifier: BSD-2-Clause
"""policy.md section 4: the words of a slot become a hint."""

from .wire import (F_CRIT, F_IRQ, F_IRQ_TICKET, F_PENDING, F_SPLIT_WORDS, F_UTIL, F_UTIL_BOUNDS,
                   F_WAIT, F_WAKE, F_WINDOW, LIFE_ONLINE, M_BOUNDS, M_CRIT, M_INTENT, M_IRQ,
                   M_LIFE, M_PENDING, M_WAIT, REALTIME, UTIL_MAX, WAIT_ANY, WAIT_IPI,
                   WAIT_IPI_MANY, WAIT_LOCK)
from .numbers import U16, U64

# P-4.1: flags of a hint.
ONLINE, IDLE, UTIL_VALID, WAKE_VALID, TORN = 1, 2, 4, 8, 16

TAGS = 0xF << 28 | 0xF << 60
_INTENT_ALWAYS = 0xF << 11 | 0xF << 15 | 1 << 27 | 0xFF << 52
_INTENT_WITH = ((F_UTIL, 0x7FF | 1 << 48), (F_WAKE, 0xF << 19 | 0xF << 23 | 1 << 49),
                (F_WINDOW, 0xFFFF << 32), (F_SPLIT_WORDS, TAGS))
_WAIT_KIND = 0xF
_WAIT_TARGET = 0xFFFF << 4
_WAIT_EPOCH = 0xFFFF << 32
_WAIT_MASK = 0xFFFFFFFF << 32
_LIFE = LIFE_ONLINE | 0xFFFFFF << 8


class Hint:
    """P-4.1. A new one is the empty hint."""

    __slots__ = ("flags", "urgency", "level", "wake_urgency", "wake_level", "pending", "crit",
                 "irq", "irq_ack", "util", "util_floor", "util_ceil", "window_us", "seq",
                 "malformed", "wait_kind", "wait_target", "wait_epoch", "wait_mask")

    def __init__(self):
        self.flags = self.urgency = self.level = self.wake_urgency = self.wake_level = 0
        self.pending = self.crit = self.irq = self.irq_ack = 0
        self.util = self.util_floor = 0
        self.util_ceil = UTIL_MAX
        self.window_us = self.seq = self.malformed = 0
        self.wait_kind = self.wait_target = self.wait_epoch = self.wait_mask = 0


def intent_allowed(features):
    """P-4.5: bits of `intent` that these features allow."""
    allowed = _INTENT_ALWAYS
    for feature, bits in _INTENT_WITH:
        if features & feature:
            allowed |= bits
    return allowed


def validate(words, terms, before):
    """P-4.2 to P-4.10. `words` in the order of the spec; `terms` is a Vm; `before` a hint."""
    intent, crit, irq, wait, bounds, life, pending = words
    hint = Hint()
    if not terms.active:
        return hint
    if life & ~_LIFE:
        hint.malformed = M_LIFE
        return hint
    if not life & LIFE_ONLINE or life >> 8 != terms.generation:
        return hint

    hint.flags = ONLINE
    features = terms.features
    split = features & F_SPLIT_WORDS
    if split and (intent >> 28 ^ intent >> 60) & 0xF:
        _keep_intent(hint, before)
    else:
        _take_intent(hint, intent, terms.intent_refused, before)
    if wait:
        if split and (wait >> 28 ^ wait >> 60) & 0xF:
            hint.wait_kind = before.wait_kind
            hint.wait_target = before.wait_target
            hint.wait_epoch = before.wait_epoch
            hint.wait_mask = before.wait_mask
        else:
            _take_wait(hint, wait, features, terms.slot_count)
    if crit:
        if crit > 0xF or not features & F_CRIT:
            hint.malformed |= M_CRIT
        else:
            hint.crit = crit
    if irq:
        allowed = (7 if features & F_IRQ else 0) | (U16 << 8 if features & F_IRQ_TICKET else 0)
        if irq & ~allowed:
            hint.malformed |= M_IRQ
        else:
            hint.irq = irq & 7
            hint.irq_ack = irq >> 8
    if pending:
        if pending > 0xFF or not features & F_PENDING or pending >> 4 > REALTIME:
            hint.malformed |= M_PENDING
        else:
            hint.pending = pending
    if bounds:
        floor = bounds & 0x7FF
        ceiling = bounds >> 11 & 0x7FF
        if (not features & F_UTIL_BOUNDS or bounds >> 22 or floor > ceiling
                or ceiling > UTIL_MAX):
            hint.malformed |= M_BOUNDS
        else:
            hint.util_floor = floor
            hint.util_ceil = ceiling
    return hint


def _keep_intent(hint, before):
    """P-4.4: a torn `intent` says what it said before."""
    hint.flags |= before.flags & (IDLE | UTIL_VALID | WAKE_VALID) | TORN
    hint.urgency = before.urgency
    hint.level = before.level
    hint.wake_urgency = before.wake_urgency
    hint.wake_level = before.wake_level
    hint.util = before.util
    hint.window_us = before.window_us
    hint.seq = before.seq


def _take_intent(hint, word, refused, before):
    """P-4.5."""
    util = word & 0x7FF
    urgency = word >> 11 & 0xF
    wake = word >> 19 & 0xF
    if word & refused or util > UTIL_MAX or urgency > REALTIME or wake > REALTIME:
        hint.malformed |= M_INTENT
        hint.seq = before.seq
        return
    hint.util = util
    hint.urgency = urgency
    hint.level = word >> 15 & 0xF
    hint.wake_urgency = wake
    hint.wake_level = word >> 23 & 0xF
    hint.window_us = word >> 32 & U16
    hint.seq = word >> 52 & 0xFF
    hint.flags |= ((word >> 27 & 1) * IDLE | (word >> 48 & 1) * UTIL_VALID
                   | (word >> 49 & 1) * WAKE_VALID)


def _take_wait(hint, word, features, slot_count):
    """P-4.6, of a word that is not 0."""
    kind = word & 0xF
    target = word >> 4 & U16
    used = _WAIT_KIND
    if kind in (WAIT_LOCK, WAIT_IPI):
        used |= _WAIT_TARGET | _WAIT_EPOCH
    elif kind == WAIT_IPI_MANY:
        used |= _WAIT_TARGET | _WAIT_MASK
    if features & F_SPLIT_WORDS:
        used |= TAGS
    mask = word >> 32
    if features & F_SPLIT_WORDS:
        mask &= 0xFFFFFFF
    if (not features & F_WAIT or kind > WAIT_ANY or word & ~used & U64 or target >= slot_count
            or kind == WAIT_IPI_MANY and (mask == 0 or mask >> (slot_count - target))):
        hint.malformed |= M_WAIT
        return
    hint.wait_kind = kind
    hint.wait_target = target
    if kind == WAIT_IPI_MANY:
        hint.wait_mask = mask
    else:
        hint.wait_epoch = word >> 32 & U16
