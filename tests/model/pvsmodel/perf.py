# SPDX-License-Identifier: BSD-2-Clause
"""policy-perf.md: performance domains and placement."""

from .numbers import NEVER, U16, U64, less
from .wire import E_NO_SPACE, E_RANGE, OK

# PP-1.1: field, min, max, preset.
FIELDS = (
    ("headroom_q10", 1024, 4096, 1280),
    ("max_q10", 1, 1024, 1024),
    ("up_min_ns", 1, 1_000_000_000, 500_000),
    ("down_min_ns", 1, 1_000_000_000, 1_000_000),
)
CAPACITY_MAX = 1024
LEVELS_MAX = 64
STEPS = 64
STEP = 16
MEMBERS_MAX = 65535
FIT_MARGIN = 1280
CPUS_MAX = 64
CPU_NONE = (1 << 32) - 1
CONTENTION_LIMIT = 1 << 50
CHANGED, LIMITED, OVERLOAD = 1, 2, 4
MARGIN = 1


class PerfConfig:
    """PP-1.1."""

    __slots__ = tuple(row[0] for row in FIELDS)

    def __init__(self, **fields):
        for name, _, _, preset in FIELDS:
            setattr(self, name, fields.get(name, 0) or preset)

    def check(self):
        """(result, number of the field, min, max)."""
        for number, (name, low, high, _) in enumerate(FIELDS):
            if not low <= getattr(self, name) <= high:
                return E_RANGE, number, low, high
        return OK, 0, 0, 0


class Member:
    """PP-3.1."""

    __slots__ = ("domain", "util", "floor", "ceiling")

    def __init__(self):
        self.domain = None
        self.util = self.floor = self.ceiling = 0


class Domain:
    """PP-2.1; `levels` is a list of (capacity, value)."""

    __slots__ = ("levels", "sum", "members", "floors", "ceilings", "target", "level", "started",
                 "changed_ns")

    def __init__(self, levels):
        self.levels = levels
        self.sum = self.members = 0
        self.floors = [0] * (STEPS + 1)
        self.ceilings = [0] * (STEPS + 1)
        self.target = self.level = self.started = self.changed_ns = 0

    def check(self):
        """PP-2.2."""
        if not 1 <= len(self.levels) <= LEVELS_MAX:
            return E_RANGE
        capacity_before, value_before = 0, 1
        for capacity, value in self.levels:
            if not capacity_before < capacity <= CAPACITY_MAX or value < value_before:
                return E_RANGE
            capacity_before, value_before = capacity, value
        return OK

    def level_for(self, capacity):
        """PP-2.3."""
        capacity = min(capacity, CAPACITY_MAX)
        for number, (has, _) in enumerate(self.levels):
            if has >= capacity:
                return number
        return len(self.levels) - 1

    def capacity_of(self, value):
        """PP-2.4."""
        if value == 0:
            return 0
        top_capacity, top_value = self.levels[-1]
        if value >= top_value:
            return top_capacity
        if len(self.levels) == 1:
            return (value * top_capacity + top_value - 1) // top_value
        return next(capacity for capacity, at in self.levels if at >= value)

    # ---- members -------------------------------------------------------------------------------

    def put(self, member, util, floor, ceiling, margin):
        """PP-3.2."""
        if member.domain is None and self.members == MEMBERS_MAX:
            return E_NO_SPACE
        remove(member)
        u = min(util, CAPACITY_MAX)
        if margin:
            u = (u * 4 + 4) // 5
        ceiling = max(ceiling or CAPACITY_MAX, floor)
        member.util = u
        member.floor = _step(floor)
        member.ceiling = _step(ceiling)
        self._enter(member)
        return OK

    def _enter(self, member):
        """PP-3.3."""
        member.domain = self
        self.sum += member.util
        self.members += 1
        if member.floor:
            self.floors[member.floor] += 1
        if member.ceiling:
            self.ceilings[member.ceiling] += 1

    def take_over(self, member):
        """PP-3.5: a member moves here."""
        if member.domain is None:
            return OK
        remove(member)
        if self.members == MEMBERS_MAX:
            return E_NO_SPACE
        self._enter(member)
        return OK

    # ---- wish and update -----------------------------------------------------------------------

    def wish(self, cfg):
        """PP-4.1."""
        w = min(self.sum * cfg.headroom_q10 >> 10, CAPACITY_MAX)
        ceiling = _highest(self.ceilings)
        if ceiling:
            w = min(w, STEP * ceiling)
        floor = _highest(self.floors)
        if floor:
            w = max(w, STEP * floor)
        return min(w, cfg.max_q10)

    def update(self, cfg, wish, now):
        """PP-5.1, PP-5.2: (flags, wish, target, level, value, recheck_at_ns)."""
        w = min(wish, CAPACITY_MAX)
        n = self.level_for(w)
        top_capacity = self.levels[-1][0]
        if w == 0 or len(self.levels) == 1 and w < top_capacity:
            t = w
        else:
            t = self.levels[n][0]
        flags = OVERLOAD if w > self.levels[n][0] else 0
        wait = 0
        if t != self.target and self.started:
            limit = cfg.up_min_ns if t > self.target else cfg.down_min_ns
            wait = less(limit, less(now, self.changed_ns))
        recheck = NEVER
        if wait:
            flags |= LIMITED
            recheck = now + wait & U64
        elif t != self.target or not self.started:
            flags |= CHANGED
            self.target = t
            self.level = n
            self.changed_ns = now
            self.started = 1
        return flags, w, self.target, self.level, self._value(), recheck

    def _value(self):
        if len(self.levels) > 1:
            return self.levels[self.level][1]
        top_capacity, top_value = self.levels[-1]
        v = (top_value * 1024 + top_capacity - 1) // top_capacity
        return max(min(v * self.target + 1023 >> 10, top_value), 1)


def remove(member):
    """PP-3.4."""
    domain = member.domain
    if domain is None:
        return
    member.domain = None
    domain.sum = less(domain.sum, member.util)
    domain.members = less(domain.members, 1)
    for counts, number in ((domain.floors, member.floor), (domain.ceilings, member.ceiling)):
        if number:
            counts[number] = less(counts[number], 1)


def _step(x):
    return (min(x, CAPACITY_MAX) + STEP - 1) // STEP


def _highest(counts):
    return max((number for number, count in enumerate(counts) if count), default=0)


def perf_word(capacity, current, contention, generation):
    """PP-6.1, P-12.14."""
    return (min(capacity, CAPACITY_MAX) | min(current, CAPACITY_MAX) << 11
            | min(contention, CAPACITY_MAX) << 32 | (generation & U16) << 48)


def contention_of(run, wait):
    """PP-6.2."""
    if run >= CONTENTION_LIMIT or wait >= CONTENTION_LIMIT:
        run >>= 16
        wait >>= 16
    return wait * 1024 // (run + wait) if run + wait else 0


def fit(util, cpus):
    """PP-7.1, PP-7.2; `cpus` is a list of (capacity, sum)."""
    util = min(util, CAPACITY_MAX)
    real = [(capacity, total, number) for number, (capacity, total) in enumerate(cpus[:CPUS_MAX])
            if capacity]
    fitting = [cpu for cpu in real if (cpu[1] + util) * FIT_MARGIN < cpu[0] * 1024]
    if fitting:
        return min(fitting)[2]
    return min(((-capacity, total, number) for capacity, total, number in real),
               default=(0, 0, CPU_NONE))[2]
