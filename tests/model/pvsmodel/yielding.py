# SPDX-License-Identifier: BSD-2-Clause
"""policy-yield.md sections 1 to 5: whom a yield goes to.

The text looks at every vCPU each time. So does this, but for two numbers kept beside the slots: one
set of bits for each rank, which Python holds in one integer of any length.
"""

from .numbers import U16, U32
from .wire import (E_INVALID, E_RANGE, OK, SLOT_COUNT_MAX, WAIT_ANY, WAIT_IPI, WAIT_IPI_MANY,
                   WAIT_LOCK)

# PY-1.1: field, min, max, preset.
FIELDS = (
    ("flags", 0, 1, 0),
    ("ipi_window_ns", 1_024, 1_000_000_000, 50_000_000),
    ("transfer", 1, 3, 1),
    ("transfer_min_ns", 1_000, 1_000_000_000, 6_000_000),
    ("debounce_ns", 1_024, 100_000_000, 600_000),
    ("reserved", 0, 0, 0),
)
STRICT = 1
PREEMPTED, F_CRIT, F_KERNEL, F_INTERRUPT, SPINNING = (1 << n for n in range(5))
CHOICES = ("nobody", "named", "named_many", "holder", "receiver", "interrupt", "crit", "kernel",
           "user", "relaxed")
(NOBODY, NAMED, NAMED_MANY, HOLDER, RECEIVER, INTERRUPT, CRIT, KERNEL, USER,
 RELAXED) = range(10)
TURNS = (INTERRUPT, CRIT, KERNEL, USER)
NO_TARGET = U32
REMEMBERED = 4
MANY = 32


class YieldConfig:
    """PY-1.1."""

    __slots__ = tuple(row[0] for row in FIELDS)

    def __init__(self, **fields):
        for name, _, _, preset in FIELDS:
            setattr(self, name, fields.get(name, 0) or preset)

    def check(self):
        """OK or E_RANGE."""
        fits = all(low <= getattr(self, name) <= high for name, low, high, _ in FIELDS)
        return OK if fits else E_RANGE


class YieldSlot:
    """PY-2.2; None is none. `sent` holds (receiver, vector, tick)."""

    __slots__ = ("waits", "flags", "interrupt", "spins", "sent", "sent_last", "senders",
                 "receiver", "limit", "pair")

    def __init__(self):
        self.waits = self.interrupt = self.spins = False
        self.flags = self.sent_last = 0
        self.forget()

    def forget(self):
        """PY-3.4, the second half."""
        self.sent = [None] * REMEMBERED
        self.senders = [None] * REMEMBERED
        self.limit = self.pair = None
        self.receiver = 0


class YieldVm:
    """PY-2.1."""

    def __init__(self, cfg, slot_count):
        self.cfg = cfg
        self.slot_count = slot_count
        self.window = cfg.ipi_window_ns >> 10
        self.debounce = cfg.debounce_ns >> 10
        self.slots = [YieldSlot() for _ in range(slot_count)]
        self.ranks = dict.fromkeys((*TURNS, RELAXED), 0)
        self.cursors = dict.fromkeys((*TURNS, RELAXED), 0)
        self.cursor_many = 0
        self.choices = [0] * len(CHOICES)
        self.transfers = [0] * 9
        self.stale = 0

    # ---- section 3: events ---------------------------------------------------------------------

    def waits(self, n, flags):
        """PY-3.1."""
        if n >= self.slot_count:
            return
        slot = self.slots[n]
        slot.waits = True
        slot.flags = flags | (SPINNING if slot.spins else 0)
        slot.interrupt = bool(flags & F_INTERRUPT)
        self._rank(n)

    def runs(self, n):
        """PY-3.2; also of one that blocks."""
        if n >= self.slot_count:
            return
        slot = self.slots[n]
        slot.waits = slot.spins = False
        self._rank(n)

    def interrupt(self, n):
        """PY-3.3."""
        if n < self.slot_count and self.slots[n].waits:
            self.slots[n].interrupt = True
            self._rank(n)

    def removed(self, n):
        """PY-3.4."""
        if n >= self.slot_count:
            return
        self.runs(n)
        self.slots[n].forget()

    def ipi(self, sender, target, vector, now):
        """PY-3.5."""
        if sender >= self.slot_count or target >= self.slot_count or sender == target:
            return
        slot = self.slots[sender]
        slot.sent[target % REMEMBERED] = (target, vector & 0xFF, tick(now))
        slot.sent_last = tick(now)
        self.slots[target].senders[sender % REMEMBERED] = sender

    def eoi(self, n, vector):
        """PY-3.6."""
        if n >= self.slot_count:
            return
        for sender in self.slots[n].senders:
            if sender is None:
                continue
            sent = self.slots[sender].sent
            entry = sent[n % REMEMBERED]
            if entry is not None and entry[:2] == (n, vector):
                sent[n % REMEMBERED] = None

    # ---- section 4: ranks ----------------------------------------------------------------------

    def _rank(self, n):
        """PY-4.1."""
        slot = self.slots[n]
        flags = slot.flags
        preempted = slot.waits and flags & PREEMPTED and not flags & SPINNING
        crit = preempted and flags & F_CRIT
        kernel = preempted and flags & F_KERNEL and not crit
        member = {INTERRUPT: slot.waits and slot.interrupt, CRIT: crit, KERNEL: kernel,
                  USER: preempted and not crit and not kernel, RELAXED: slot.waits}
        for rank, is_in in member.items():
            if is_in:
                self.ranks[rank] |= 1 << n
            else:
                self.ranks[rank] &= ~(1 << n)

    def _turn(self, rank):
        """PY-4.2."""
        members = self.ranks[rank]
        if not members:
            return None
        start = self.cursors[rank] % SLOT_COUNT_MAX
        later = members >> start
        target = start + _lowest(later) if later else _lowest(members)
        self.cursors[rank] = target + 1
        return target

    # ---- section 5: choice ---------------------------------------------------------------------

    def choose(self, yielder, hint, now, target_epoch):
        """PY-5.1, PY-5.2: (target, reason, relaxed, stale); `hint` has the four `wait_` fields."""
        if yielder >= self.slot_count:
            return NO_TARGET, NOBODY, 0, 0
        if self.slots[yielder].waits:
            self.runs(yielder)
        target, reason, stale = self._find(yielder, hint, now, target_epoch)
        if target is None:
            target = NO_TARGET
        else:
            self.slots[yielder].spins = True
        self.choices[reason] = self.choices[reason] + 1 & U32
        self.stale = self.stale + stale & U32
        return target, reason, int(reason == RELAXED), stale

    def _find(self, yielder, hint, now, target_epoch):
        target, reason, stale = None, NOBODY, 0
        if hint.wait_kind in (WAIT_LOCK, WAIT_IPI):
            reason = NAMED
            target, stale = self._named(hint, target_epoch)
        elif hint.wait_kind == WAIT_IPI_MANY:
            reason = NAMED_MANY
            target = self._named_many(hint)
        elif hint.wait_kind == WAIT_ANY:
            reason = HOLDER
            target = self._turn(CRIT)
        if target is None and reason in (NAMED, NAMED_MANY) and not stale:
            return None, NOBODY, stale
        if target is None:
            reason = RECEIVER
            target = self._receiver(self.slots[yielder], tick(now))
        for rank in TURNS:
            if target is None:
                reason = rank
                target = self._turn(rank)
        if target is None and not self.cfg.flags & STRICT:
            reason = RELAXED
            target = self._turn(RELAXED)
        return target, NOBODY if target is None else reason, stale

    def _named(self, hint, target_epoch):
        """PY-5.3: the target and whether the name is stale."""
        target = hint.wait_target
        if target >= self.slot_count:
            return None, 0
        if (hint.wait_epoch ^ target_epoch) & U16 & ~1:
            return None, 1
        return (target if self.slots[target].waits else None), 0

    def _named_many(self, hint):
        """PY-5.4."""
        first = hint.wait_target
        if first >= self.slot_count:
            return None
        named = self.ranks[RELAXED] >> first & hint.wait_mask
        if not named:
            return None
        d = self.cursor_many - first
        later = named >> d if 0 <= d < MANY else 0
        target = self.cursor_many + _lowest(later) if later else first + _lowest(named)
        self.cursor_many = target + 1
        return target

    def _receiver(self, slot, now):
        """PY-5.5."""
        if not self._recent(now, slot.sent_last):
            slot.sent = [None] * REMEMBERED
        for n in range(REMEMBERED):
            p = (slot.receiver + n) % REMEMBERED
            entry = slot.sent[p]
            if entry and self.slots[entry[0]].waits and self._recent(now, entry[2]):
                slot.receiver = (p + 1) % REMEMBERED
                return entry[0]
        return None

    def _recent(self, now, then):
        """PY-1.3."""
        return (now - then + self.window & U32) <= 2 * self.window


def tick(ns):
    """PY-1.3."""
    return ns >> 10 & U32


def _lowest(bits):
    return (bits & -bits).bit_length() - 1


def make(fields, slot_count):
    """PY-1.2: the result, and the VM if that is OK."""
    if not 1 <= slot_count <= SLOT_COUNT_MAX:
        return E_INVALID, None
    cfg = YieldConfig(**fields)
    rc = cfg.check()
    return rc, YieldVm(cfg, slot_count) if rc == OK else None
