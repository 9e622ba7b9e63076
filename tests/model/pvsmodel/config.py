# SPDX-License-Identifier: BSD-2-Clause
"""policy.md section 2: the configuration."""

from .numbers import U32
from .wire import E_INVALID, E_RANGE, OK

# P-2.1: field, min, max, preset.
FIELDS = (
    ("flags", 0, 1, 0),
    ("boost_share_q10", 1, 1024, 256),
    ("boost_burst_ns", 50_000, 100_000_000, 4_000_000),
    ("boost_resume_ns", 1_000, 100_000_000, 0),
    ("grant_max_ns", 5_000, 100_000_000, 3_000_000),
    ("irq_share_q10", 1, 1024, 102),
    ("irq_burst_ns", 10_000, 10_000_000, 1_000_000),
    ("credit_max_ns", 1, 1_000_000_000, 2_000_000),
    ("debt_start_ns", 1_000, 1_000_000_000, 1_000_000),
    ("debt_max_ns", 1_000_000, 4_000_000_000, 1_000_000_000),
    ("vm_share_q10", 1, 65_536, 512),
    ("vm_burst_ns", 100_000, 1_000_000_000, 20_000_000),
    ("vm_quantum_ns", 10_000, 10_000_000, 500_000),
    ("stale_ns", 1_000_000, 4_000_000_000, 100_000_000),
    ("raise_min_ns", 1, 1_000_000_000, 100_000),
    ("malformed_min_ns", 1, 1_000_000_000, 10_000_000),
    ("level_hold_ns", 1_000_000, 4_000_000_000, 1_000_000_000),
    ("pay_weight_q10", 1, 1023, 512),
    ("below_weight_q10", 1, 1023, 15),
    ("recheck_min_ns", 1_000, 100_000_000, 250_000),
    ("poll_ns", 100_000, 1_000_000_000, 10_000_000),
    ("quiet_poll_ns", 100_000, 4_000_000_000, 100_000_000),
    ("urgent_poll_ns", 100_000, 1_000_000_000, 1_000_000),
    ("kick_min_ns", 1_000, 1_000_000_000, 10_000_000),
    ("look_cost_ns", 1, 1_000_000, 15_000),
    ("dt_max_ns", 1_000_000, 4_000_000_000, 1_000_000_000),
    ("ticket_max_ns", 10_000, 100_000_000, 1_000_000),
    ("storm_window_ns", 1_000_000, 1_000_000_000, 10_000_000),
    ("storm_share_q10", 1, 1024, 102),
    ("storm_rate_hz", 100, 1_000_000, 20_000),
    ("storm_burst", 1, 65_535, 64),
    ("storm_hold_ns", 1_000_000, 4_000_000_000, 100_000_000),
    ("defer_ns", 1_000, 1_000_000, 50_000),
)
NAMES = tuple(row[0] for row in FIELDS)
NUMBER = {name: number for number, name in enumerate(NAMES)}
DERIVED = ("decision_flags", "vm_cost_q10", "vm_quantum_wall_ns", "vm_burst_wall_ns",
           "boost_cost_q10", "irq_cost_q10", "look_earned_ns", "boost_span_ns", "boost_open_ns",
           "irq_span_ns", "irq_open_ns", "storm_count_max", "storm_cost_ns")
MEASURE_ONLY = 1

# P-2.6.
PROFILES = (
    ("default", {}),
    ("measure_only", {"flags": MEASURE_ONLY}),
    ("desktop_audio", {"boost_share_q10": 341, "boost_burst_ns": 6_000_000, "vm_share_q10": 1024}),
    ("server_overcommit", {"boost_share_q10": 128, "boost_burst_ns": 2_000_000,
                           "grant_max_ns": 1_000_000, "vm_share_q10": 256,
                           "vm_burst_ns": 10_000_000}),
    ("mobile_dvfs", {"boost_burst_ns": 8_000_000, "grant_max_ns": 6_000_000, "poll_ns": 16_000_000,
                     "quiet_poll_ns": 250_000_000, "urgent_poll_ns": 4_000_000}),
)


class Config:
    """A configuration and what is derived from it."""

    __slots__ = NAMES + DERIVED

    def __init__(self, **fields):
        for name in NAMES:
            setattr(self, name, fields.get(name, 0))

    def copy(self):
        """Another one with the same fields; derived values come with resolve()."""
        return Config(**{name: getattr(self, name) for name in NAMES})

    def resolve(self):
        """P-2.2 to P-2.4."""
        for name, _, _, preset in FIELDS:
            if getattr(self, name) == 0:
                setattr(self, name, preset)
        if self.boost_resume_ns == 0:
            self.boost_resume_ns = self.boost_burst_ns - self.boost_burst_ns // 8
        self._derive()
        return self

    def _derive(self):
        self.decision_flags = 2 if self.flags & MEASURE_ONLY else 0
        self.vm_cost_q10 = _cost(self.vm_share_q10)
        self.vm_quantum_wall_ns = self.vm_quantum_ns * self.vm_cost_q10 >> 10
        self.vm_burst_wall_ns = self.vm_burst_ns * self.vm_cost_q10 >> 10
        self.boost_cost_q10 = _cost(self.boost_share_q10)
        self.irq_cost_q10 = _cost(self.irq_share_q10)
        self.look_earned_ns = self.look_cost_ns * self.boost_cost_q10 >> 10
        self.boost_span_ns = _earned(self.boost_burst_ns, self.boost_share_q10)
        resume = min(self.boost_resume_ns, self.boost_burst_ns)
        self.boost_open_ns = min(self.boost_span_ns - _earned(resume, self.boost_share_q10)
                                 + self.look_earned_ns, self.boost_span_ns - 1)
        self.irq_span_ns = _earned(self.irq_burst_ns, self.irq_share_q10)
        self.irq_open_ns = self.irq_span_ns // 2
        per_window = self.storm_rate_hz * self.storm_window_ns // 1_000_000_000
        self.storm_count_max = (per_window + self.storm_burst) & U32
        self.storm_cost_ns = (self.storm_window_ns * self.storm_share_q10 >> 10) & U32

    def check(self):
        """P-2.5: (result, field number from 0, value, min, max)."""
        for number, (name, low, high, _) in enumerate(FIELDS):
            value = getattr(self, name)
            if not low <= value <= high:
                return E_RANGE, number, value, low, high
        for name, high in (("boost_resume_ns", self.boost_burst_ns),
                           ("look_cost_ns", self.boost_resume_ns - 1),
                           ("debt_start_ns", self.debt_max_ns - 1),
                           ("vm_quantum_ns", self.vm_burst_ns)):
            value = getattr(self, name)
            if not 1 <= value <= high:
                return E_RANGE, NUMBER[name], value, 1, high
        return OK, 0, 0, 0, 0


def _cost(share_q10):
    return ((1_048_576 + share_q10 - 1) & U32) // share_q10


def _earned(ns, share_q10):
    return ns * 1024 // share_q10


def profile(number):
    """P-2.6: the profile of this number, or E_INVALID."""
    if number >= len(PROFILES):
        return E_INVALID
    return Config(**PROFILES[number][1]).resolve()
