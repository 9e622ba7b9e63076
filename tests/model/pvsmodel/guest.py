# SPDX-License-Identifier: BSD-2-Clause
"""negotiation.md and guest-words.md: what a guest stores; vectors.md section 8.

The guest works on the region as the host has laid it out: a header of bytes and slots of words. It
keeps its own copy of all it has said and of all it has bound to.

The clauses leave a guest some freedom, which results that must agree cannot. It is read like this:

- Sequence numbers and tags are 0 when a slot comes online and grow by one with each value.
- Features are accepted as far as they are wanted and offered, with what they need as far as that is
  offered; what lacks its need is left out.
- A bit that is set and cleared at once is set. A floor above the ceiling becomes the ceiling. What
  is too large is the largest, an urgency or a level too. A mask of nobody is a wait for nobody.
- "Rose" and "fell" are of the urgency, where UNSPECIFIED stands with NORMAL; leaving idle, of the
  class it asks for against TASK if the class in `applied` is boosted, else BASELINE.
- "Nothing urgent is left" looks at the critical bits, the interrupt bits and the statement, which
  must be neither idle nor urgent, and rings only while the class in `applied` is boosted. That bits
  that were clear are cleared is no hindrance; of `pending` something must have been there.
- `pending` stays as it is when a slot comes online, and is zeroed when it goes offline.
"""

from .header import (COMMAND, ECHO, FEATURES_ACCEPTED, FEATURES_OFFERED, GENERATION, GUEST_LINE,
                     GUEST_MAJOR, GUEST_MINOR, HEADER_BYTES, MAGIC, MAJOR, MINOR, REASON,
                     SLOT_BYTES, SLOT_COUNT, SLOT_STRIDE, STATUS)
from .language import (BOUNDS_WORD, CRIT_WORD, INTENT_WORD, IRQ_WORD, LIFE_WORD, PENDING_WORD,
                       WAIT_WORD)
from .numbers import U16
from .wire import (ABI_MAJOR, ABI_MINOR, ACTIVE, BACKGROUND, BASELINE, BELOW, CMD_ACCEPT,
                   CMD_RESET, DISABLED, DONT_BOTHER, E_INVALID, E_STATE, F_ALL, F_COUNTERS, F_CRIT,
                   F_GRANT, F_IRQ, F_IRQ_TICKET, F_KICK, F_PENDING, F_RUN_EPOCH, F_SPLIT_WORDS,
                   F_UTIL, F_UTIL_BOUNDS, F_WAIT, F_WAKE, F_WINDOW, GENERATION_MASK, GRANTED,
                   HEADER_SIZE, IDLE, INTERACTIVE, KICK_DEBOOST, KICK_RAISE, LIFE_ONLINE, NEEDS,
                   NORMAL, OK, REALTIME, REFUSED, REGION_MAGIC, SLOT_COUNT_MAX, SLOT_SIZE, TASK,
                   UNSPECIFIED, UTIL_MAX, WAIT_ANY, WAIT_IPI, WAIT_IPI_MANY, WAIT_LOCK, WAIT_NONE)

KICK, YIELD = 1, 2
(E_MAGIC, E_VERSION, E_LAYOUT, E_REFUSED, E_NOT_READY, E_GENERATION) = range(-100, -106, -1)
LEVEL_MAX = 15
STRIDE_MAX = 4096
VCPUS = 16
CRIT_ALL = 0xF
IRQ_ALL = 7
SPLIT_MASK_BITS = 28


class Vcpu:
    """What a guest knows of one of its vCPUs."""

    __slots__ = ("online", "slot", "seq", "intent_tag", "wait_tag", "urgency", "idle", "crit",
                 "irq", "ack", "found")

    def __init__(self):
        self.online = False
        self.slot = None
        self.found = 0
        self.begin()

    def begin(self):
        """Nothing is said yet."""
        self.seq = self.intent_tag = self.wait_tag = 0
        self.urgency = UNSPECIFIED
        self.idle = self.crit = self.irq = self.ack = 0


class Guest:
    """One guest, and the region it sees."""

    def __init__(self, header, slots):
        self.header = header
        self.slots = slots
        self.bound = False
        self.reason = 0
        self.features = self.generation = self.slot_count = 0
        self.stride = SLOT_SIZE
        self.vcpus = [Vcpu() for _ in range(VCPUS)]

    def slot_of(self, n):
        """Slot n where the stride puts it."""
        return self.slots[n * self.stride // SLOT_SIZE]

    # ---- negotiation ---------------------------------------------------------------------------

    def bind(self, wanted, mapped):
        """PVS-G-02, 03, 22."""
        self.bound = False
        self.reason = 0
        header = self.header
        rc = self._judge_offer(mapped)
        if rc != OK:
            return rc
        offered = header.get(FEATURES_OFFERED)
        if wanted & F_SPLIT_WORDS and not offered & F_SPLIT_WORDS:
            return E_REFUSED
        status = header.get(STATUS)
        if status == DISABLED:
            return E_NOT_READY
        if status in (ACTIVE, REFUSED):
            header.put(COMMAND, CMD_RESET)
            return E_NOT_READY

        self.bound = True
        self.features = _choose(wanted & F_ALL, offered)
        self.generation = header.get(GENERATION)
        self.slot_count = header.get(SLOT_COUNT)
        self.stride = header.get(SLOT_STRIDE)
        for n in range(self.slot_count):
            self.slot_of(n).words[:] = [0] * 7
        header.clear(GUEST_LINE)
        header.put(GUEST_MAJOR, ABI_MAJOR)
        header.put(GUEST_MINOR, min(header.get(MINOR), ABI_MINOR))
        header.put(ECHO, self.generation)
        header.put(FEATURES_ACCEPTED, self.features)
        header.put(COMMAND, CMD_ACCEPT)
        return KICK

    def _judge_offer(self, mapped):
        """PVS-G-02."""
        header = self.header
        if header.get(MAGIC) != REGION_MAGIC:
            return E_MAGIC
        if header.get(MAJOR) != ABI_MAJOR:
            return E_VERSION
        stride, count = header.get(SLOT_STRIDE), header.get(SLOT_COUNT)
        sound = (header.get(HEADER_BYTES) >= HEADER_SIZE
                 and SLOT_SIZE <= stride <= STRIDE_MAX and stride & stride - 1 == 0
                 and SLOT_SIZE <= header.get(SLOT_BYTES) <= stride
                 and 1 <= count <= SLOT_COUNT_MAX and count * stride <= mapped
                 and header.get(GENERATION) <= GENERATION_MASK)
        return OK if sound else E_LAYOUT

    def ready(self):
        """Has the host answered? PVS-G-18, 21."""
        if not self.bound:
            return E_STATE
        status = self.header.get(STATUS)
        if self.header.get(GENERATION) != self.generation or status == DISABLED:
            return E_GENERATION
        if status == REFUSED:
            self.reason = self.header.get(REASON)
            return E_REFUSED
        return OK if status == ACTIVE else E_NOT_READY

    def unbind(self):
        """PVS-G-22."""
        if not self.bound:
            return E_STATE
        for n in range(self.slot_count):
            self.slot_of(n).words[LIFE_WORD] = 0
        for vcpu in self.vcpus:
            vcpu.online = False
        self.header.put(COMMAND, CMD_RESET)
        self.bound = False
        self.reason = 0
        return KICK

    # ---- life ----------------------------------------------------------------------------------

    def online(self, n):
        """PVS-G-10."""
        if not self.bound or self.ready() != OK:
            return E_STATE
        if n >= self.slot_count:
            return E_INVALID
        vcpu = self.vcpus[n]
        vcpu.begin()
        vcpu.online = True
        vcpu.slot = self.slot_of(n)
        words = vcpu.slot.words
        words[INTENT_WORD:LIFE_WORD] = [0] * 5
        words[LIFE_WORD] = LIFE_ONLINE | self.generation << 8
        return OK

    def offline(self, n):
        """PVS-G-10."""
        vcpu = self.vcpus[n]
        if vcpu.online:
            vcpu.slot.words[:] = [0] * 7
            vcpu.online = False
            vcpu.begin()
        return OK

    # ---- words ---------------------------------------------------------------------------------

    def publish(self, n, said):
        """PVS-G-04, 05, 12, 13, 14, 17, 20."""
        vcpu = self.vcpus[n]
        if not vcpu.online:
            return E_STATE
        urgency = min(said.get("urgency", 0), REALTIME)
        idle = int(said.get("idle", 0) != 0)
        vcpu.seq = vcpu.seq + 1 & 0xFF
        word = (urgency << 11 | min(said.get("level", 0), LEVEL_MAX) << 15 | idle << 27
                | vcpu.seq << 52)
        if self.features & F_UTIL:
            word |= min(said.get("util", 0), UTIL_MAX) | (said.get("util_valid", 0) != 0) << 48
        if self.features & F_WAKE:
            word |= (min(said.get("wake", 0), REALTIME) << 19
                     | min(said.get("wake_level", 0), LEVEL_MAX) << 23
                     | (said.get("wake_valid", 0) != 0) << 49)
        if self.features & F_WINDOW:
            word |= said.get("window", 0) << 32
        if self.features & F_SPLIT_WORDS:
            vcpu.intent_tag = vcpu.intent_tag + 1 & 0xF
            word |= vcpu.intent_tag << 28 | vcpu.intent_tag << 60
        vcpu.slot.words[INTENT_WORD] = word
        rings = self._rings_for(vcpu, urgency, idle)
        vcpu.urgency = urgency
        vcpu.idle = idle
        return KICK if rings else OK

    def _rings_for(self, vcpu, urgency, idle):
        """PVS-G-20, 23: does this statement ring?"""
        applied = vcpu.slot.applied
        if not self.features & F_KICK or applied & DONT_BOTHER or idle:
            return False
        if vcpu.idle:
            before = TASK if applied & 7 >= TASK else BASELINE
            after = _class_of(urgency)
        else:
            before, after = _order(vcpu.urgency), _order(urgency)
        return bool(applied & KICK_RAISE and after > before
                    or applied & KICK_DEBOOST and after < before)

    def _rings_after(self, vcpu):
        """PVS-G-20: something has ended; is nothing urgent left?"""
        applied = vcpu.slot.applied
        return bool(self.features & F_KICK and applied & KICK_DEBOOST and applied & 7 >= TASK
                    and not applied & DONT_BOTHER and not vcpu.crit and not vcpu.irq
                    and not vcpu.idle and vcpu.urgency < INTERACTIVE)

    def crit(self, n, to_set, to_clear):
        """PVS-G-06, 24."""
        vcpu = self.vcpus[n]
        if not vcpu.online or not self.features & F_CRIT:
            return E_STATE
        before = vcpu.crit
        vcpu.crit = (before & ~to_clear | to_set) & CRIT_ALL
        vcpu.slot.words[CRIT_WORD] = vcpu.crit
        if vcpu.crit:
            return OK
        if before and self.features & F_GRANT and vcpu.slot.applied & GRANTED:
            return YIELD
        return KICK if self._rings_after(vcpu) else OK

    def irq_enter(self, n, bits):
        """PVS-G-07."""
        vcpu = self.vcpus[n]
        vcpu.found = vcpu.irq
        if vcpu.online and self.features & F_IRQ:
            vcpu.irq |= bits & IRQ_ALL
            self._store_irq(vcpu)

    def irq_leave(self, n):
        """PVS-G-07."""
        vcpu = self.vcpus[n]
        if not vcpu.online or not self.features & F_IRQ:
            return E_STATE
        vcpu.irq = vcpu.found
        self._store_irq(vcpu)
        return KICK if self._rings_after(vcpu) else OK

    def irq_ack(self, n):
        """PVS-G-08."""
        vcpu = self.vcpus[n]
        if vcpu.online and self.features & F_IRQ_TICKET:
            vcpu.ack = vcpu.slot.irq_ticket & U16
            self._store_irq(vcpu)

    @staticmethod
    def _store_irq(vcpu):
        vcpu.slot.words[IRQ_WORD] = vcpu.irq | vcpu.ack << 8

    def wait(self, n, kind, target, value):
        """PVS-G-09."""
        vcpu = self.vcpus[n]
        if not vcpu.online or not self.features & F_WAIT:
            return
        word = self._wait_word(kind, target, value)
        if self.features & F_SPLIT_WORDS:
            vcpu.wait_tag = vcpu.wait_tag + 1 & 0xF
            word |= vcpu.wait_tag << 28 | vcpu.wait_tag << 60
        vcpu.slot.words[WAIT_WORD] = word

    def _wait_word(self, kind, target, value):
        if kind in (WAIT_NONE, WAIT_ANY):
            return kind
        if kind in (WAIT_LOCK, WAIT_IPI) and target < self.slot_count:
            return kind | target << 4 | (value & U16) << 32
        if kind == WAIT_IPI_MANY:
            if value == 0:
                return WAIT_NONE
            narrow = self.features & F_SPLIT_WORDS and value >> SPLIT_MASK_BITS
            if not narrow and target + value.bit_length() <= self.slot_count:
                return kind | target << 4 | value << 32
        return WAIT_ANY

    def pend(self, n, urgency, level):
        """PVS-G-16."""
        if not self.bound or not self.features & F_PENDING:
            return E_STATE
        if n >= self.slot_count:
            return E_INVALID
        words = self.slot_of(n).words
        value = min(urgency, REALTIME) << 4 | min(level, LEVEL_MAX)
        words[PENDING_WORD] = max(words[PENDING_WORD], value)
        return OK

    def pend_clear(self, n):
        """PVS-G-16."""
        vcpu = self.vcpus[n]
        if not vcpu.online or not self.features & F_PENDING:
            return E_STATE
        before = vcpu.slot.words[PENDING_WORD]
        vcpu.slot.words[PENDING_WORD] = 0
        return KICK if before and self._rings_after(vcpu) else OK

    def bounds(self, n, floor, ceiling):
        """PVS-G-15."""
        vcpu = self.vcpus[n]
        if not vcpu.online or not self.features & F_UTIL_BOUNDS:
            return
        ceiling = min(ceiling, UTIL_MAX)
        vcpu.slot.words[BOUNDS_WORD] = min(floor, ceiling) | ceiling << 11

    # ---- what the host says --------------------------------------------------------------------

    def applied(self, n):
        """The word, 0 for who is not online."""
        vcpu = self.vcpus[n]
        return vcpu.slot.applied if vcpu.online else 0

    def epoch(self, n):
        """PVS-G-26."""
        if not self.bound or not self.features & F_RUN_EPOCH or n >= self.slot_count:
            return 0
        return self.slot_of(n).run & U16

    def counters(self, n):
        """PVS-G-19: the result and five counters."""
        vcpu = self.vcpus[n]
        if not vcpu.online or not self.features & F_COUNTERS:
            return E_STATE, 0, 0, 0, 0, 0
        slot = vcpu.slot
        if slot.count_seq & 1:
            return E_NOT_READY, 0, 0, 0, 0, 0
        return OK, slot.boosts, slot.denials, slot.overruns, slot.malformed, slot.boosted_ns


def _choose(wanted, offered):
    """PVS-G-03: what is wanted and offered, with what that needs if it is offered too."""
    accepted = wanted & offered
    for feature, need in NEEDS:
        if accepted & feature:
            accepted |= need & offered
    for feature, need in NEEDS:
        if not accepted & need:
            accepted &= ~feature
    return accepted


def _order(urgency):
    """Urgencies from little to much; no statement is worth what NORMAL is."""
    return NORMAL if urgency == UNSPECIFIED else urgency


def _class_of(urgency):
    """PVS-H-10."""
    if urgency >= INTERACTIVE:
        return TASK
    return BELOW if urgency in (IDLE, BACKGROUND) else BASELINE
