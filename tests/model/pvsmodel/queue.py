# SPDX-License-Identifier: BSD-2-Clause
"""policy-queue.md: the rank for hosts that own their run queue."""

from .numbers import NEVER, U32, U64, clamp, less
from .wire import BASELINE, CRITICAL, E_STATE, OK, TASK

WEIGHT_MIN, WEIGHT_MAX = 1, 65535
RUN_MAX = U32
CAP_PERIOD = 10_000_000
CAP_MAX = 65536
RETRIES = 4
LIMIT_MIN = 1000
RANKS = 8
FACTOR_ONE = 1024
UNBOOSTED = 16
OUT, QUEUED, RUNNING = range(3)
GO, AGAIN, PARK = range(3)


def before(a, b):
    """PQ-2.1."""
    return (a - b & U64) >> 63 == 1


def ahead(a, b):
    """PQ-2.1."""
    return a - b & U64 if before(b, a) else 0


class Queue:
    """PQ-3.1."""

    __slots__ = ("base", "weight", "waiting", "running", "retries", "requeues", "overruns",
                 "parks")

    def __init__(self):
        for name in self.__slots__:
            setattr(self, name, 0)


class Entity:
    """PQ-3.2."""

    __slots__ = ("cfg", "base_weight", "factor", "weight", "inverse", "klass", "rank", "bucket",
                 "boost_cost", "state", "counted", "placed", "vtime", "boost", "rest", "key",
                 "boosted", "empty", "parked", "park_ns", "cap", "cap_ns", "cap_cost",
                 "boosted_ns", "overruns")

    def __init__(self, cfg, weight):
        for name in self.__slots__:
            setattr(self, name, 0)
        self.cfg = cfg
        self.base_weight = clamp(weight, WEIGHT_MIN, WEIGHT_MAX)
        self.factor = FACTOR_ONE
        self.klass = BASELINE
        self.bucket = UNBOOSTED
        self.boost_cost = ((1 << 20) + cfg.boost_share_q10 - 1) // cfg.boost_share_q10
        self._weigh()

    # ---- section 2: arithmetic -----------------------------------------------------------------

    def _weigh(self):
        """PQ-2.2."""
        self.weight = max(self.base_weight * self.factor >> 10, 1)
        self.inverse = ((1 << 31) + self.weight // 2) // self.weight

    def _virtual(self, ns):
        return ns * self.inverse >> 25

    def _real(self, virtual):
        return virtual * self.weight // 64

    def _cost(self, virtual):
        return virtual * self.boost_cost + 1023 >> 10

    def _span(self):
        return self._cost(self._virtual(self.cfg.boost_burst_ns))

    def _clip(self, queue):
        """PQ-2.4."""
        base = queue.base
        if not self.placed:
            self.placed = 1
            self.vtime = self.boost = base
        least = base - self._virtual(self.cfg.credit_max_ns) & U64
        if before(self.vtime, least):
            self.vtime = least
        most = base + self._virtual(self.cfg.debt_max_ns) & U64
        if before(most, self.vtime):
            self.vtime = most
        if before(self.boost, base):
            self.boost = base
        most = base + self._cost(self._virtual(RUN_MAX)) & U64
        if before(most, self.boost):
            self.boost = most

    def _reweigh(self, queue):
        """PQ-2.5."""
        self._clip(queue)
        base = queue.base
        c = self._real(ahead(base, self.vtime))
        d = self._real(ahead(self.vtime, base))
        b = self._real(ahead(self.boost, base))
        self._weigh()
        self.vtime = base + self._virtual(d) - self._virtual(c) & U64
        self.boost = base + ((b + 1023 >> 10) * self.inverse >> 15) & U64

    # ---- section 3: making ---------------------------------------------------------------------

    def set_weight(self, queue, weight):
        """PQ-3.3."""
        self.base_weight = clamp(weight, WEIGHT_MIN, WEIGHT_MAX)
        self._reweigh(queue)

    def set_cap(self, cap):
        """PQ-3.4."""
        self.cap = min(cap, CAP_MAX)
        self.cap_ns = self.parked = 0
        self.cap_cost = ((1 << 32) + self.cap - 1) // self.cap if self.cap else 0

    def _become(self, queue, state):
        """PQ-3.5."""
        if self.state != OUT:
            queue.weight -= self.counted
            if self.state == QUEUED:
                queue.waiting -= 1
            else:
                queue.running -= 1
        self.state = state
        if state != OUT:
            self.counted = self.weight
            queue.weight += self.counted
            if state == QUEUED:
                queue.waiting += 1
            else:
                queue.running += 1

    # ---- section 4: place ----------------------------------------------------------------------

    def _take(self, queue, klass, rank):
        """PQ-4.1."""
        self.klass = min(klass, CRITICAL)
        self.rank = rank % RANKS
        self._latch(queue)

    def _latch(self, queue):
        """PQ-4.2."""
        used = ahead(self.boost, queue.base)
        span = self._span()
        if self.empty:
            if used <= span // 2:
                self.empty = 0
        elif used >= span:
            self.empty = 1
            self.overruns = self.overruns + 1 & U32
            queue.overruns = queue.overruns + 1 & U32

    def _over_cap(self, queue, now):
        """PQ-4.3."""
        a = less(self.cap_ns, now)
        if a == 0:
            self.parked = 0
        if self.parked:
            return True
        if a < CAP_PERIOD:
            return False
        self.parked = 1
        self.park_ns = self.cap_ns
        queue.parks = queue.parks + 1 & U32
        return True

    def _make_key(self):
        """PQ-4.4."""
        self.bucket = UNBOOSTED
        if self.klass >= TASK and not self.empty:
            self.bucket = RANKS - 1 - self.rank + (RANKS if self.klass == TASK else 0)
        virtual = self.vtime if self.bucket == UNBOOSTED else self.boost
        self.key = (self.bucket << 58) + virtual & U64

    # ---- section 5: calls ----------------------------------------------------------------------

    def enqueue(self, queue, now, klass, rank, weight_q10):
        """PQ-5.1."""
        factor = weight_q10 if 1 <= weight_q10 < FACTOR_ONE else FACTOR_ONE
        if factor != self.factor:
            self.factor = factor
            self._reweigh(queue)
        self._clip(queue)
        self._take(queue, klass, rank)
        if self._over_cap(queue, now):
            self._become(queue, OUT)
            return PARK
        self._make_key()
        self._become(queue, QUEUED)
        return GO

    def pick(self, queue, now, klass, rank):
        """PQ-5.2."""
        if self.state == OUT:
            return E_STATE
        self._take(queue, klass, rank)
        if self._over_cap(queue, now):
            self._become(queue, OUT)
            return PARK
        key = self.key
        self._make_key()
        if self.state == QUEUED and before(key, self.key) and queue.retries < RETRIES:
            queue.retries += 1
            queue.requeues = queue.requeues + 1 & U32
            return AGAIN
        queue.retries = 0
        self.boosted = int(self.bucket < UNBOOSTED)
        self._become(queue, RUNNING)
        return GO

    def charge(self, queue, now, run_ns):
        """PQ-5.3."""
        x = run_ns * self.inverse + self.rest
        w = x >> 25
        self.rest = x & (1 << 25) - 1
        start = self.vtime
        self.vtime = start + w & U64
        if self.boosted:
            if before(self.boost, queue.base):
                self.boost = queue.base
            self.boost = self.boost + self._cost(w) & U64
            self.boosted_ns = self.boosted_ns + run_ns & U64
        if self.cap:
            self.cap_ns = (max(self.cap_ns, less(now, run_ns))
                           + (run_ns * self.cap_cost >> 16)) & U64
        if self.state == RUNNING:
            if queue.waiting == 0:
                queue.base = queue.base + min(ahead(self.vtime, queue.base), 2 * w) & U64
            elif not self.boosted:
                queue.base = queue.base + min(ahead(start, queue.base), w) & U64
        self._clip(queue)
        self._latch(queue)
        if self.empty:
            self.boosted = 0
        if self.state == RUNNING:
            self._make_key()

    def dequeue(self, queue):
        """PQ-5.4."""
        self._become(queue, OUT)

    def migrate(self, queue, other):
        """PQ-5.5."""
        if self.state != OUT:
            return E_STATE
        self._clip(queue)
        self.vtime = self.vtime + other.base - queue.base & U64
        self.boost = self.boost + other.base - queue.base & U64
        return OK

    def limit(self, queue, now):
        """PQ-5.6."""
        n = NEVER
        if self.boosted:
            left = less(self._span(), ahead(self.boost, queue.base))
            n = self._real(left) * self.cfg.boost_share_q10 >> 10
        if self.cap:
            n = min(n, less(CAP_PERIOD, less(self.cap_ns, now)) * self.cap >> 16)
        return max(n, LIMIT_MIN)

    def share(self, queue):
        """PQ-5.8; None for one that is in another queue, of which the text says nothing."""
        counted = self.counted if self.state != OUT else 0
        total = queue.weight - counted + self.weight
        return max((self.weight << 16) // total, 1) if total > 0 else None
