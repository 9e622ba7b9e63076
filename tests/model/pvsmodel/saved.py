# SPDX-License-Identifier: BSD-2-Clause
"""policy.md section 14: save and restore."""

from .numbers import clamp, less
from .policy import EPISODE_MAX, SHARE_MIN, SHARE_ONE, Vcpu
from .wire import E_SAVED, OK, TASK

VERSION = 2
# Fields of a record in their order, by their names in vectors.md V-4.9.
FIELDS = ("version", "share", "boost_used", "irq_used", "normal_left", "high", "high_before",
          "boosted_ns", "boosts", "denials", "overruns", "malformed", "latches", "reserved")
_LATCHES = 7


def empty_record():
    """A record of zeros."""
    return dict.fromkeys(FIELDS, 0)


def save(vcpu):
    """P-14.1, P-14.2."""
    normal = vcpu.normal
    if vcpu.klass >= TASK or vcpu.paying:
        earned = min(vcpu.unsettled, EPISODE_MAX) * vcpu.share >> 16
        normal -= less(vcpu.unsettled_run, earned)
    return {"version": VERSION, "share": vcpu.share, "boost_used": vcpu.boost_used,
            "irq_used": vcpu.irq_used, "normal_left": normal, "high": vcpu.high,
            "high_before": vcpu.high_before, "boosted_ns": vcpu.boosted_ns,
            "boosts": vcpu.boosts, "denials": vcpu.denials, "overruns": vcpu.overruns,
            "malformed": vcpu.malformed,
            "latches": vcpu.boost_empty | vcpu.irq_empty << 1 | vcpu.paying << 2, "reserved": 0}


def restore(record, cfg):
    """P-14.3: the result and the vCPU."""
    vcpu = Vcpu(cfg)
    latches = record["latches"]
    if record["version"] != VERSION or latches & ~_LATCHES or record["reserved"]:
        return E_SAVED, vcpu
    share = record["share"]
    vcpu.share = clamp(share, SHARE_MIN, SHARE_ONE) if share else 0
    vcpu.boost_used = min(record["boost_used"], 2 * cfg.boost_span_ns)
    vcpu.high = min(record["high"], 2 * cfg.boost_span_ns)
    vcpu.high_before = min(record["high_before"], 2 * cfg.boost_span_ns)
    vcpu.irq_used = min(record["irq_used"], 2 * cfg.irq_span_ns)
    vcpu.normal = clamp(record["normal_left"], -cfg.debt_max_ns, 0)
    for name in ("boosted_ns", "boosts", "denials", "overruns", "malformed"):
        setattr(vcpu, name, record[name])
    vcpu.boost_empty = int(latches & 1 or vcpu.boost_used >= cfg.boost_span_ns)
    vcpu.irq_empty = int(latches >> 1 & 1 or vcpu.irq_used >= cfg.irq_span_ns)
    vcpu.paying = latches >> 2 & 1
    return OK, vcpu
