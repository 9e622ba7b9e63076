# SPDX-License-Identifier: BSD-2-Clause
"""
What the simulator's model of a fair host is compared with: real threads on the lab's kernel.

`pvs-calibrate` (tests/lab/threads) runs in the emulated machine, one CPU, instructions counted. Two
boots side by side, a minute: three scenarios, and three short runs that tell what a context switch,
a wake-up, a timer interrupt and the kernel's own threads cost there.
"""

from dataclasses import dataclass

from . import image, machine
from .common import LAB, sha256

PROGRAM = "pvs-calibrate"
# (scenario, virtual seconds); one list for each boot, equally long.
BOOTS = (
    (("alone", 4), ("trio", 1), ("wake", 1), ("hogs", 8), ("periodic", 12)),
    (("mixed", 24),),
)
SCENARIOS = ("hogs", "periodic", "mixed")
SEED = 1
# DAMON, a monitor of memory accesses, would wake up some ten times a second beside the threads.
APPEND = "damon_stat.enabled=0"
QUANTILES = ("p50", "p90", "p99", "max")
# Weight of a thread in the fair class, by nice (sched_prio_to_weight[] of Linux).
NICE_WEIGHT = {-5: 3121, 0: 1024, 5: 335}


@dataclass
class Cell:
    """One run of the program; what `machine.Boot` wants to know of a cell."""
    scenario: str
    seconds: float

    @property
    def name(self):
        return self.scenario


class ThreadLab(machine.Lab):
    """The lab with other contents: threads instead of VMs, and no module."""

    def __init__(self, manifest, program):
        # Not the initialisation of the base: that one packs VMM, guest and modules.
        # pylint: disable=super-init-not-called
        self.manifest = manifest
        self.real_time = False
        busybox = (LAB / manifest["busybox"]["binary"]).read_bytes()
        self.base = image.archive(
            image.base_members(busybox, {}, {PROGRAM: program.read_bytes()}))
        self.qemu = LAB / "root-qemu" / "usr/bin/qemu-system-x86_64"
        self.kernel = LAB / manifest["kernel"]["boot"]
        self.key = sha256(self.base, manifest["kernel"]["version"], "threads", APPEND)

    def command(self, cell):
        return f"/bin/{PROGRAM} {cell.scenario} {cell.seconds}"

    def arguments(self, seed, initrd, console, results):
        out = super().arguments(seed, initrd, console, results)
        out[-1] += f" {APPEND}"
        return out


def boots():
    return [machine.Boot(SEED, [Cell(name, seconds) for name, seconds in part],
                         f"calibration-{index}") for index, part in enumerate(BOOTS)]


def costs(reports):
    """
    What things take in the emulated machine, ns.

    A switch: from the last look at the clock of who had the CPU to the first of who has it next,
    interrupt, decision and return included. A wake-up: from the due time to the first instruction
    of a thread that takes the CPU at once, without the switch. A tick: a gap in a thread that is
    alone. Background: how often the kernel's own threads have the CPU then, and for how long
    beyond the switch.
    """
    alone = reports["alone"]["threads"][0]
    light = next(t for t in reports["wake"]["threads"] if t["name"] == "light")
    switches = sorted(t["switches"]["p50"] for t in reports["trio"]["threads"])
    switch_ns = switches[len(switches) // 2]
    waits = alone["waits"]
    return {
        "switch_ns": switch_ns,
        "wake_ns": max(light["wakeups"]["p50"] - switch_ns, 0),
        "tick_ns": alone["irqs"]["p50"],
        "ticks_hz": round(alone["irqs"]["count"] * 1e9 / reports["alone"]["measured_ns"]),
        "background_period_ns": reports["alone"]["measured_ns"] // max(waits["count"], 1),
        "background_run_ns": max(waits["mean"] - switch_ns, 1000),
    }


def thread_row(thread):
    """What is compared of a thread: its share, and its waits; wake-ups instead if it sleeps."""
    kind = "wakeups" if "wakeups" in thread else "waits"
    return {"nice": thread["nice"], "weight": NICE_WEIGHT[thread["nice"]],
            "slice_ns": thread["slice_ns"], "share_ppm": thread["share_ppm"],
            kind: thread[kind]}


def reduce(reports, manifest, date):
    """All reports of a measurement as one: what tests/sim/calibration/lab-*.json holds."""
    first = reports["alone"]
    return {
        "kernel": f"Linux {first['release']}, as Debian ships it ({manifest['kernel']['suite']}, "
                  f"{manifest['kernel']['version']})",
        "machine": f"QEMU {manifest['qemu']['version']}, TCG, 1 CPU, 1 virtual ns for each "
                   "instruction",
        "date": date,
        "seed": SEED,
        "features": first["features"].split(),
        "preempt": first["preempt"].strip(),
        "base_slice_ns": int(first["base_slice_ns"]),
        "costs": costs(reports),
        "scenarios": {name: {
            "measured_ns": reports[name]["measured_ns"],
            "threads": {t["name"]: thread_row(t) for t in reports[name]["threads"]},
        } for name in SCENARIOS},
    }


def values(reduced):
    """{name: number} of everything that is compared, flat: for two measurements side by side."""
    out = {}
    for scenario, report in reduced["scenarios"].items():
        for name, thread in report["threads"].items():
            out[f"{scenario}.{name}.share_ppm"] = thread["share_ppm"]
            for kind in ("waits", "wakeups"):
                for quantile in QUANTILES if kind in thread else ():
                    out[f"{scenario}.{name}.{kind}.{quantile}"] = thread[kind][quantile]
    return out


def table(reduced):
    """Text, one line for each thread."""
    lines = [f"{reduced['kernel']}; {reduced['machine']}",
             "costs: " + ", ".join(f"{k} {v}" for k, v in reduced["costs"].items()),
             f"{'scenario':<10}{'thread':<10}{'share':>8}  {'of':<8}{'samples':>8}"
             + "".join(f"{q:>10}" for q in QUANTILES) + "  us"]
    for scenario, report in reduced["scenarios"].items():
        for name, thread in report["threads"].items():
            for kind in ("waits", "wakeups"):
                if kind in thread:
                    numbers = "".join(f"{thread[kind][q] / 1000:>10.1f}" for q in QUANTILES)
                    lines.append(f"{scenario:<10}{name:<10}{thread['share_ppm'] / 1e4:>7.2f}%  "
                                 f"{kind:<8}{thread[kind]['count']:>8}{numbers}")
    return "\n".join(lines)
