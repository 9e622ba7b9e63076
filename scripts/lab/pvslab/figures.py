# SPDX-License-Identifier: BSD-2-Clause
"""
What the measurements mean. Pure functions: numbers in, numbers out (tests/lab/unit).

Words: a *cell* is one run of the VMM; a *row* is the cells of one variant and mode, pooled over
all seeds; *share* is a VM's part of the CPU time which all VMs of a row got together.
"""

import math
from dataclasses import dataclass, field

AUDIBLE = ("audio", "mixed")     # works that have deadlines
HOSTILE_SCENARIOS = ("liar", "pulse")
TRUTHFUL = "burn"                # what the hostile VM does when it tells the truth
# A ratio with nothing below the line: as bad as anything, but still a number in JSON.
RATIO_MAX = 1e6


def percentile(values, percent):
    """Nearest rank: the smallest value that at least `percent` of all values do not exceed."""
    if not values:
        return 0
    ordered = sorted(values)
    rank = math.ceil(len(ordered) * percent / 100)
    return ordered[max(rank, 1) - 1]


def ratio(with_it, without):
    """with / without; 1 when both are 0."""
    if without == 0:
        return 1.0 if with_it == 0 else RATIO_MAX
    return with_it / without


def fair_shares(demands, capacity):
    """
    Max-min fair: nobody gets more than it asks for, and what is left over is divided equally
    among those who ask for more (water-filling). {name: demand} -> {name: share}.
    """
    shares = {}
    left = capacity
    waiting = sorted(demands, key=lambda name: (demands[name], name))
    while waiting:
        level = left / len(waiting)
        name = waiting.pop(0)
        shares[name] = min(demands[name], level)
        left -= shares[name]
    return shares


@dataclass
class VmTotals:
    """One VM of a row: sums over vCPUs and seeds."""
    name: str
    work: str
    role: str = ""
    run_ns: int = 0
    wait_ns: int = 0
    units: int = 0        # completed work: periods, units of 10 us, or lock rounds
    burned: int = 0       # mixed: units beside the periods
    periods: int = 0
    misses: int = 0
    latency_ns: list = field(default_factory=list)   # timer deadline to handler
    response_ns: list = field(default_factory=list)  # timer deadline to work complete
    boosts: int = 0
    denials: int = 0
    overruns: int = 0
    malformed: int = 0
    boosted_ns: int = 0

    def add(self, other):
        for key in ("run_ns", "wait_ns", "units", "burned", "periods", "misses", "latency_ns",
                    "response_ns", "boosts", "denials", "overruns", "malformed", "boosted_ns"):
            setattr(self, key, getattr(self, key) + getattr(other, key))


@dataclass
class Row:
    """The cells of one variant and mode, over all seeds."""
    variant: object
    mode: str
    seeds: list = field(default_factory=list)
    window_ns: int = 0
    control_ns: int = 0  # CPU time of the thread in which the library runs
    vms: dict = field(default_factory=dict)  # name -> VmTotals

    @property
    def run_ns(self):
        return sum(vm.run_ns for vm in self.vms.values())

    def share(self, name):
        return ratio(self.vms[name].run_ns, self.run_ns)

    def audible(self):
        """The VM with deadlines, if there is one."""
        return next((vm for vm in self.vms.values() if vm.work in AUDIBLE), None)

    def hostile(self):
        return next((vm for vm in self.vms.values() if vm.role == "hostile"), None)

    def burner_units(self):
        return sum(vm.units for vm in self.vms.values() if vm.work == "burn")


class Table:
    """All rows of a measurement."""

    def __init__(self):
        self.rows = {}

    def add(self, variant, mode, seed, window_ns, vms, control_ns=0):
        row = self.rows.setdefault((variant, mode), Row(variant, mode))
        row.seeds.append(seed)
        row.window_ns += window_ns
        row.control_ns += control_ns
        for vm in vms:
            if vm.name in row.vms:
                row.vms[vm.name].add(vm)
            else:
                row.vms[vm.name] = vm

    def row(self, variant, mode):
        return self.rows.get((variant, mode))

    def variants(self, scenario):
        return list(dict.fromkeys(v for v, _ in self.rows if v.scenario == scenario))

    def pairs(self, scenario, mode, baseline="off"):
        """[(row, baseline row)] of the variants that have both."""
        found = [(self.row(v, mode), self.row(v, baseline)) for v in self.variants(scenario)]
        return [(row, base) for row, base in found if row and base]

    def truthful(self, variant):
        """The variant in which the hostile VM tells the truth."""
        return next((v for v in self.variants(variant.scenario)
                     if v.get("hostile") == TRUTHFUL), None)


def worst(values, pick=max):
    """The worst of some values, None when there are none."""
    values = list(values)
    return pick(values) if values else None


def is_starved_by_design(row):
    """Static priority for a liar: the audio VM may never run, and that is the result."""
    return row.mode == "static-rt" and row.hostile() is not None and row.hostile().work != TRUTHFUL


def samples_min(table):
    """Samples of the least sampled row with deadlines."""
    return worst((len(row.audible().latency_ns) for row in table.rows.values()
                  if row.audible() and not is_starved_by_design(row)), min)


def baseline_misses(table):
    """Deadlines missed without the library by the audio VM, all periods together."""
    rows = [table.row(v, "off") for v in table.variants("audio")]
    return sum(row.audible().misses for row in rows if row)


def latency_ratio(table, scenario, percent, mode="on", baseline="off"):
    """Wake-up latency at a percentile, with / without, of the worst period."""
    return worst(ratio(percentile(row.audible().latency_ns, percent),
                       percentile(base.audible().latency_ns, percent))
                 for row, base in table.pairs(scenario, mode, baseline))


def burner_work_ratio(table):
    """Completed work of the burners beside the audio VM, with / without, of the worst period."""
    return worst((ratio(row.burner_units(), base.burner_units())
                  for row, base in table.pairs("audio", "on")), min)


def misses_ratio(table, scenario):
    return worst(ratio(row.audible().misses, base.audible().misses)
                 for row, base in table.pairs(scenario, "on"))


def locks_ratio(table, only_for_ever=False):
    """Completed lock rounds, with / without: the worse of waiters that halt and that spin on."""
    return worst((ratio(sum(vm.units for vm in row.vms.values()),
                        sum(vm.units for vm in base.vms.values()))
                  for row, base in table.pairs("locks", "on")
                  if row.variant.get("spin_us") == 0 or not only_for_ever), min)


def fair_run_ns(row, reference):
    """
    What each VM of a row is entitled to: the max-min fair division of the CPU time that all VMs
    got in the reference (everybody truthful, library off). A VM with deadlines asks for what
    it used, here or in the reference, whichever is more; everybody else asks for everything.
    """
    scale = ratio(row.window_ns, reference.window_ns)
    demands = {}
    for vm in row.vms.values():
        demands[vm.name] = math.inf
        if vm.work == "audio":
            demands[vm.name] = max(vm.run_ns, reference.vms[vm.name].run_ns * scale)
    return fair_shares(demands, reference.run_ns * scale)


def hostile_rows(table, mode="on"):
    """[(row with the hostile VM, the same VM truthful, the same and library off)]."""
    out = []
    for scenario in HOSTILE_SCENARIOS:
        for variant in table.variants(scenario):
            truth = table.truthful(variant)
            if variant == truth or not truth:
                continue
            found = (table.row(variant, mode), table.row(truth, mode), table.row(truth, "off"))
            if all(found):
                out.append(found)
    return out


def share_excess(row, reference):
    """By how much the hostile VM got more than its fair share, as a part of that share."""
    fair = fair_run_ns(row, reference)
    hostile = row.hostile()
    return ratio(hostile.run_ns, fair[hostile.name]) - 1


def share_loss(row, reference):
    """By how much the worst-off honest VM got less than its fair share."""
    fair = fair_run_ns(row, reference)
    return max(1 - ratio(vm.run_ns, fair[vm.name]) for vm in row.vms.values()
               if vm is not row.hostile())


def slowdown(row, reference):
    """How many times longer the worst-off honest burner needs for the same work."""
    scale = ratio(row.window_ns, reference.window_ns)
    return worst(ratio(reference.vms[vm.name].units * scale, vm.units)
                 for vm in row.vms.values() if vm.work == "burn" and vm.role != "hostile")


def static_rt_host_worst_ratio(table):
    """
    What static priority does to everyone else: by how much it slows the worst-off bystander when
    whoever says that it is urgent gets real-time priority, against no priorities at all.
    """
    return worst(slowdown(row, reference)
                 for row, _, reference in hostile_rows(table, "static-rt"))


def fairness(table):
    """For each VM beside a hostile one: what it got, and what it was entitled to, in CPU time."""
    out = []
    for mode in ("static-rt", "on"):
        for row, _, reference in hostile_rows(table, mode):
            fair = fair_run_ns(row, reference)
            out += [{"scenario": row.variant.scenario, "mode": mode, "vm": vm.name,
                     "work": vm.work, "run_ns": vm.run_ns, "fair_ns": round(fair[vm.name]),
                     "excess": round(ratio(vm.run_ns, fair[vm.name]) - 1, 4)}
                    for vm in row.vms.values()]
    return out


def honest_p99_ratio(table):
    """p99 of the honest audio VM beside a liar, against the same beside the truthful VM."""
    return worst(ratio(percentile(row.audible().latency_ns, 99),
                       percentile(truth.audible().latency_ns, 99))
                 for row, truth, _ in hostile_rows(table))


def figures(table, deterministic=None, cold_s=None, warm_s=None):
    """The flat object of demo.json. None: was not measured."""
    hostile = hostile_rows(table)
    return {
        "samples_min": samples_min(table),
        "baseline_misses": baseline_misses(table),
        "audio_p99_ratio": latency_ratio(table, "audio", 99),
        "audio_worst_ratio": latency_ratio(table, "audio", 100),
        "audio_p99_vs_static_rt": latency_ratio(table, "audio", 99, baseline="static-rt"),
        "burner_work_ratio": burner_work_ratio(table),
        "mixed_misses_ratio": misses_ratio(table, "mixed"),
        "locks_ratio": locks_ratio(table),
        "locks_spinning_ratio": locks_ratio(table, only_for_ever=True),
        "liar_share_excess": worst(share_excess(row, ref) for row, _, ref in hostile),
        "victim_share_loss": worst(share_loss(row, ref) for row, _, ref in hostile),
        "honest_p99_beside_liar_ratio": honest_p99_ratio(table),
        "static_rt_host_worst_ratio": static_rt_host_worst_ratio(table),
        "deterministic": deterministic,
        "cold_s": cold_s,
        "warm_s": warm_s,
    }


# name: (relation, limit, what it means). A figure without a limit is for contrast.
THRESHOLDS = {
    "samples_min": (">=", 2000, "wake-ups measured in each cell, all seeds together, at least"),
    "baseline_misses": (">=", 50, "deadlines missed without the library: there is a problem"),
    "audio_p99_ratio": ("<=", 0.10, "audio wake-up latency, 99th percentile, with / without"),
    "audio_worst_ratio": ("<=", 0.25, "audio wake-up latency, worst case, with / without"),
    "audio_p99_vs_static_rt": ("<=", 1.5, "the same 99th percentile against static priority"),
    "burner_work_ratio": (">=", 0.97, "work the other VMs complete, with / without"),
    "mixed_misses_ratio": ("<=", 1.0, "missed deadlines of the mixed VM, with / without"),
    "locks_ratio": (">=", 0.98, "critical sections completed, with / without, the worse row"),
    "locks_spinning_ratio": (None, None, "the same where waiters never halt: a coarse count"),
    "liar_share_excess": ("<=", 0.03, "what a lying VM gains, as a part of its fair share"),
    "victim_share_loss": ("<=", 0.03, "what its neighbours lose, as a part of theirs"),
    "honest_p99_beside_liar_ratio": ("<=", 1.5, "honest audio beside a liar / beside the truth"),
    "static_rt_host_worst_ratio": (None, None,
                                   "a bystander is so many times slower with static priority"),
    "deterministic": ("==", True, "the same seed twice gives the same bytes"),
    "cold_s": (None, 480, "seconds from nothing (aim: 480)"),
    "warm_s": (None, 240, "seconds with packages and build in place (aim: 240)"),
}


def holds(name, value):
    """True, False, or None when there is no limit."""
    relation, limit, _ = THRESHOLDS[name]
    if relation is None:
        return None
    if value is None:
        return False
    return {">=": value >= limit, "<=": value <= limit, "==": value == limit}[relation]


def judge(values):
    """[{name, value, relation, limit, pass, says}] in the order of THRESHOLDS."""
    return [{"name": name, "value": values[name], "relation": relation, "limit": limit,
             "pass": holds(name, values[name]), "says": says}
            for name, (relation, limit, says) in THRESHOLDS.items()]


def same_bytes(first, second):
    """Determinism: two digests of one boot, and what they cover is everything it printed."""
    return bool(first) and first == second
