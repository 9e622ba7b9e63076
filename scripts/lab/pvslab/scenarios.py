# SPDX-License-Identifier: BSD-2-Clause
"""Scenarios are data (tests/lab/scenarios); here they become cells: one command line each."""

import itertools
import tomllib
from dataclasses import dataclass, field

from .common import DEMO_PLAN, SCENARIOS, LabError

MODES = ("off", "static-rt", "on", "measure")
WARMUP_MS = 200
# Guest-visible keys of a VM, in the order in which they are written.
VM_KEYS = ("name", "work", "vcpus", "cpu", "rt", "hints", "period_us", "duty", "held_us",
           "outside_us", "spin_us", "refill_us", "ring_us", "level", "window_us")
HOSTILE_WORKS = ("liar", "pulse")
SCENARIO_KEYS = {"title", "says", "modes", "periods", "seconds", "quick_seconds", "axis",
                 "quick", "vm", "options", "hidden"}


@dataclass(frozen=True)
class Variant:
    """A scenario with a value for each of its axes."""
    scenario: str
    axis: tuple = ()  # of (name, value)

    def get(self, name, default=None):
        return dict(self.axis).get(name, default)

    def label(self):
        return " ".join([self.scenario] + [f"{name}={value}" for name, value in self.axis])


@dataclass
class Cell:
    """One run of the VMM. Cells with equal commands are the same measurement, taken once."""
    variant: Variant
    mode: str
    seed: int
    seconds: float
    vms: list = field(default_factory=list)  # of dict
    options: tuple = ()

    @property
    def name(self):
        parts = [self.variant.scenario] + [f"{n}-{v}" for n, v in self.variant.axis]
        return "/".join(parts + [self.mode, f"seed-{self.seed}"])

    def arguments(self):
        """The VMM's command line, without the program and the image."""
        out = ["--mode", self.mode, "--seconds", f"{self.seconds:.3f}",
               "--warmup-ms", str(WARMUP_MS), "--seed", str(self.seed), "--samples", "raw"]
        out += list(self.options)
        keys = [key for key in VM_KEYS if key != "rt" or self.mode == "static-rt"]
        for vm in self.vms:
            out += ["--vm", ",".join(f"{key}={vm[key]}" for key in keys if key in vm)]
        return out


class Scenario:
    """One file of tests/lab/scenarios."""

    def __init__(self, name, data):
        unknown = set(data) - SCENARIO_KEYS
        if unknown:
            raise LabError(f"scenario {name}: unknown key {sorted(unknown)[0]}")
        self.name = name
        self.title = data["title"]
        self.says = data["says"]
        self.modes = data["modes"]
        self.hidden = data.get("hidden", False)
        self.data = data
        for mode in self.modes:
            if mode not in MODES:
                raise LabError(f"scenario {name}: unknown mode {mode}")

    def axes(self, quick):
        axes = dict(self.data.get("axis", {}))
        if quick:
            axes.update(self.data.get("quick", {}))
        return axes

    def variants(self, quick=False):
        axes = self.axes(quick)
        for values in itertools.product(*axes.values()):
            yield Variant(self.name, tuple(zip(axes, values)))

    def vms(self, variant):
        """The VMs of a variant, all on CPU 0 unless they say otherwise."""
        out = []
        for vm in self.data["vm"]:
            filled = {"cpu": 0} | {key: self.value(value, variant) for key, value in vm.items()}
            if filled.get("rt") == "if-hostile":
                filled["rt"] = int(filled["work"] in HOSTILE_WORKS)
            out.append(filled)
        return out

    def value(self, value, variant):
        if isinstance(value, str) and value.startswith("@"):
            return dict(variant.axis)[value[1:]]
        return value

    def seconds(self, variant, scale=1.0, quick=False):
        if "periods" in self.data:
            period_us = max(vm["period_us"] for vm in self.vms(variant) if "period_us" in vm)
            periods = self.data["periods"]
            if isinstance(periods, dict):
                periods = periods[str(period_us)]
            return periods * scale * period_us / 1e6
        seconds = self.data["quick_seconds"] if quick and "quick_seconds" in self.data \
            else self.data["seconds"]
        return seconds * scale

    def cells(self, seeds, modes=None, quick=False, scale=1.0):
        """All cells, the modes of a variant one after the other."""
        for seed in seeds:
            for variant in self.variants(quick):
                for mode in modes or self.modes:
                    yield Cell(variant, mode, seed, round(self.seconds(variant, scale, quick), 3),
                               self.vms(variant), tuple(self.data.get("options", ())))


def names():
    return sorted(path.stem for path in SCENARIOS.glob("*.toml"))


def load(name):
    path = SCENARIOS / f"{name}.toml"
    if not path.exists():
        raise LabError(f"no scenario '{name}'; there are: {', '.join(names())}")
    return Scenario(name, tomllib.loads(path.read_text()))


def load_plan(quick):
    """What the demo measures: (scenarios, seeds, scale, seconds of one boot)."""
    plan = tomllib.loads(DEMO_PLAN.read_text())
    chosen = plan | (plan.get("quick", {}) if quick else {})
    return ([load(name) for name in chosen["scenarios"]], chosen["seeds"],
            chosen.get("scale", 1.0), plan["boot_seconds"])


def distinct(cells):
    """[(cell to run, cells that share its result)]: equal commands are run once."""
    groups = {}
    for cell in cells:
        groups.setdefault(tuple(cell.arguments()), []).append(cell)
    return [(group[0], group) for group in groups.values()]


def boots(cells, boot_seconds):
    """
    Cells as lists for one boot each, longest list first. One boot has one seed; the modes of a
    variant stay together, so that they are compared under the same kernel.
    """
    by_seed = {}
    for cell in cells:
        by_seed.setdefault(cell.seed, {}).setdefault(cell.variant, []).append(cell)
    out = []
    for blocks in by_seed.values():
        blocks = sorted(blocks.values(), key=duration, reverse=True)
        total = sum(duration(block) for block in blocks)
        count = max(1, min(len(blocks), round(total / boot_seconds)))
        parts = [[] for _ in range(count)]
        for block in blocks:
            min(parts, key=duration).extend(block)
        out += [part for part in parts if part]
    return sorted(out, key=duration, reverse=True)


def duration(cells):
    """Virtual seconds, starts and warm-up included."""
    return sum(cell.seconds + WARMUP_MS / 1000 + 0.2 for cell in cells)
