#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The lab: real guests on a real kernel, in an emulated machine, in virtual time.

    lab.py fetch                      kernel, QEMU and busybox, unpacked under build/lab
    lab.py run SCENARIO... [options]  a scenario, its table
    lab.py demo [--quick]             all of it: table, demo.json, demo.html
    lab.py run calibration            real threads, for the simulator: calibration-lab.json
    lab.py list                       the scenarios

Exit status: 0 fine, 1 something is red or broken, 77 this machine cannot (one line says why).
"""

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path
from queue import Empty, Queue

sys.dont_write_bytecode = True  # nothing but sources beside the sources
sys.path.insert(0, str(Path(__file__).resolve().parent))

from pvslab import (calibration, figures, machine, packages, page, results,  # noqa: E402
                    scenarios)
from pvslab.common import (BUILD, EXIT_FAIL, EXIT_SKIP, LAB, REPORT, LabError,  # noqa: E402
                           Unavailable)

WORKERS = 2  # boots side by side, at most; each takes one core
TIMES = LAB / "times.json"
CALIBRATION = "calibration"  # no scenario of VMs: `lab.py run calibration`


def say(text=""):
    print(text, flush=True)


# ---- what is measured with ----------------------------------------------------------------------

def find_built(name, given):
    """A program of the build: given, or the newest of build/*."""
    if given:
        path = Path(given)
        if not path.exists():
            raise LabError(f"{path} does not exist")
        return path
    found = [path for preset in ("release", "ci", "dev") for path in (BUILD / preset).glob(
        f"**/{name}") if path.is_file()]
    if not found:
        raise Unavailable(f"{name} has not been built (cmake --preset release; "
                          "cmake --build --preset release)")
    return found[0]


class Progress:
    """One line: what is done, and when it will be over."""

    def __init__(self, total_s):
        self.total_s = total_s
        self.done_s = {}
        self.start = time.monotonic()
        self.lock = threading.Lock()
        self.tty = sys.stdout.isatty()
        self.last = self.start

    def at(self, tag, done_s, text=""):
        with self.lock:
            self.done_s[tag] = done_s
            now = time.monotonic()
            if text or now - self.last >= (1 if self.tty else 20):
                self.last = now
                self.show(now - self.start, text)

    def show(self, elapsed, text):
        part = min(sum(self.done_s.values()) / self.total_s, 1)
        left = elapsed * (1 - part) / part if part > 0.02 else None
        eta = f", {left:.0f} s to go" if left is not None else ""
        line = f"  {100 * part:3.0f} %  {elapsed:.0f} s{eta}  {text}"
        if self.tty:
            print(f"\r{line:<96}", end="", flush=True)
        else:
            say(line.rstrip())

    def end(self):
        if self.tty:
            print("\r" + " " * 96 + "\r", end="", flush=True)


def run_boots(lab, boots, reuse):
    """All boots, WORKERS at a time. The first error ends it."""
    costs = {boot.tag: scenarios.duration(boot.cells) + 6 for boot in boots}
    progress = Progress(sum(costs.values()))
    waiting, errors = Queue(), []
    for boot in boots:
        waiting.put(boot)

    def work():
        while not errors:
            try:
                boot = waiting.get_nowait()
            except Empty:
                return
            try:
                lab.run(boot, lambda n, b=boot: progress.at(
                    b.tag, scenarios.duration(b.cells[:n])), reuse)
                progress.at(boot.tag, costs[boot.tag],
                            f"{boot.tag}: {len(boot.cells)} cells in {boot.wall_s:.0f} s")
            except (LabError, Unavailable, OSError) as error:
                errors.append(error)

    threads = [threading.Thread(target=work)
               for _ in range(min(WORKERS, os.cpu_count() or 1, len(boots)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    progress.end()
    if errors:
        raise errors[0]


def make_boots(cells, boot_seconds):
    """(boots, {cell name: name of the cell whose result it shares})."""
    run = scenarios.distinct(cells)
    parts = scenarios.boots([cell for cell, _ in run], boot_seconds)
    counts = {}
    out = []
    for part in parts:
        seed = part[0].seed
        counts[seed] = counts.get(seed, 0) + 1
        out.append(machine.Boot(seed, part, f"seed-{seed}-{counts[seed]}"))
    return out, {cell.name: first.name for first, group in run for cell in group}


def measure(options, cells, boot_seconds, twice=False):
    """
    Runs cells. Returns (table, deterministic or None, description of the machine). `twice` boots
    the shortest part a second time and compares every byte that came out.
    """
    vmm = find_built("pvs-vmm", options.vmm)
    guest = find_built("pvs-guest.bin", options.guest)
    table = figures.Table()
    if options.host:
        return table, None, measure_on_host(cells, table, vmm, guest)
    manifest = packages.fetch(say)
    lab = machine.Lab(manifest, vmm, guest, options.real_time)
    lab.check()
    boots, stands_for = make_boots(cells, boot_seconds)
    again = None
    if twice and not options.real_time:
        again = machine.Boot(boots[-1].seed, boots[-1].cells, "again")
    say(f"{packages.describe(manifest)}: {len(cells)} measurements, "
        f"{sum(len(boot.cells) for boot in boots)} of them distinct, in {len(boots)} boots")
    run_boots(lab, boots + ([again] if again else []), options.reuse)
    reports = {name: report for boot in boots for name, report in boot.results.items()}
    for cell in cells:
        results.add_report(table, cell, reports[stands_for[cell.name]])
    same = figures.same_bytes(boots[-1].digest, again.digest) if again else None
    options.reused = any(boot.reused for boot in boots)
    return table, same, describe_machine(manifest, options.real_time)


def measure_on_host(cells, table, vmm, guest):
    machine.host_check(vmm)
    run = scenarios.distinct(cells)
    progress = Progress(scenarios.duration(cells))
    for index, (cell, group) in enumerate(run):
        report = machine.run_on_host(cell, vmm, guest)
        for same in group:
            results.add_report(table, same, report)
        progress.at("host", scenarios.duration([c for c, _ in run[:index + 1]]))
    progress.end()
    kernel = os.uname().release
    return {"kernel": f"Linux {kernel}", "kernel_short": f"Linux {kernel}",
            "machine": "this machine, its own KVM"}


def describe_machine(manifest, real_time):
    kernel = manifest["kernel"]
    how = "real time" if real_time else \
        f"instructions counted, {1 << machine.ICOUNT_SHIFT} ns each, virtual time"
    return {"kernel": f"Linux {kernel['version']}, as Debian ships it ({kernel['suite']}), KVM on "
                      "emulated AMD-V",
            "kernel_short": f"Linux {kernel['version'].split('-')[0]}",
            "machine": f"QEMU {manifest['qemu']['version']}, TCG, 1 CPU, {how}"}


# ---- commands -----------------------------------------------------------------------------------

def command_fetch(options):
    manifest = packages.fetch(say, refresh=options.refresh)
    say(packages.describe(manifest))
    return 0


def command_list(_options):
    for name in scenarios.names():
        scenario = scenarios.load(name)
        say(f"{name:<12} {scenario.says}")
    say(f"{CALIBRATION:<12} Real threads on the kernel's fair scheduler: what the simulator is "
        "compared with.")
    return 0


def measure_threads(program, reuse=False):
    """Boots and runs the threads of the calibration. The reduced report."""
    manifest = packages.fetch(say)
    lab = calibration.ThreadLab(manifest, find_built(calibration.PROGRAM, program))
    lab.check()
    boots = calibration.boots()
    run_boots(lab, boots, reuse)
    reports = {name: report for boot in boots for name, report in boot.results.items()}
    return calibration.reduce(reports, manifest, time.strftime("%Y-%m-%d", time.gmtime()))


def command_calibration(options):
    reduced = measure_threads(options.program, options.reuse)
    text = json.dumps(reduced, indent=1) + "\n"
    REPORT.mkdir(parents=True, exist_ok=True)
    for path in (REPORT / "calibration-lab.json", *filter(None, [options.json])):
        Path(path).write_text(text)
        say(f"{path}")
    say(calibration.table(reduced))
    return 0


def command_run(options):
    if not options.scenario:
        return command_list(options)
    if options.scenario == [CALIBRATION]:
        return command_calibration(options)
    chosen = [scenarios.load(name) for name in options.scenario]
    seeds = options.seed or [1]
    cells = [cell for scenario in chosen
             for cell in scenario.cells(seeds, options.mode, options.quick)]
    for cell in cells:
        cell.options += tuple(options.vmm_option)
    table, _, _ = measure(options, cells, boot_seconds=40)
    rows = results.summaries(table, chosen_with_modes(chosen, options.mode))
    say(results.text_table(rows))
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")
    return 0


def chosen_with_modes(chosen, modes):
    for scenario in chosen:
        scenario.modes = modes or scenario.modes
    return chosen


def started_at():
    """When this process began (the shell script before it included), on the monotonic clock."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK")


def seconds_since(start):
    return round(time.clock_gettime(time.CLOCK_BOOTTIME) - start, 1)


def timing(cold, total_s, measure_s):
    """
    (cold_s, warm_s). A run that had to fetch packages is a cold one, and what it took from there
    on is what a warm one takes. The last cold time is remembered: it is no measurement result.
    Without one, it is what a warm run and the fetch took.
    """
    known = json.loads(TIMES.read_text()) if TIMES.exists() else {}
    if cold:
        known["cold_s"] = total_s
        TIMES.write_text(json.dumps(known) + "\n")
    fetch_s = (packages.load_manifest() or {}).get("fetch_s", 0)
    return known.get("cold_s", round(total_s + fetch_s, 1)), measure_s if cold else total_s


def red_list(judged):
    return [f"{item['name']} = {page.shown(item['value'])} "
            f"(must be {item['relation']} {page.shown(item['limit'])})"
            for item in judged if item["pass"] is False]


def demo_notes(options):
    notes = []
    if options.quick:
        notes.append("Quick look (--quick): fewer periods and seeds; `./run demo` measures them "
                     "all.")
    if options.reused:
        notes.append("Some cells are not fresh: --reuse took them from an earlier run.")
    if options.real_time or options.host:
        notes.append("Measured in real time: another run gives other numbers.")
    return notes


def command_demo(options):
    start = started_at()
    cold = packages.load_manifest() is None
    chosen, seeds, scale, boot_seconds = scenarios.load_plan(options.quick)
    if not options.host:
        packages.fetch(say)
    fetched = time.clock_gettime(time.CLOCK_BOOTTIME)
    cells = [cell for scenario in chosen
             for cell in scenario.cells(seeds, None, options.quick, scale)]
    table, same, environment = measure(options, cells, boot_seconds, twice=True)
    total_s, measure_s = seconds_since(start), seconds_since(fetched)
    values = figures.figures(table, same, *timing(cold, total_s, measure_s))
    return report_demo(options, table, values, environment | {
        "guests": "bare-metal x86-64 image with the guest shim (tests/lab/guest)",
        "took": f"{total_s:.0f} s on {os.cpu_count()} cores"}, chosen, seeds)


def report_demo(options, table, values, environment, chosen, seeds):
    judged = figures.judge(values)
    if options.real_time or options.host:
        judged = [item | ({"pass": None} if item["name"] == "deterministic" else {})
                  for item in judged]
    report = {"figures": values, "thresholds": judged, "red": red_list(judged),
              "quick": options.quick, "real_time": options.real_time or options.host,
              "seeds": seeds, "notes": demo_notes(options), "environment": environment,
              "fairness": figures.fairness(table), "rows": results.summaries(table, chosen)}
    REPORT.mkdir(parents=True, exist_ok=True)
    (REPORT / "demo.json").write_text(json.dumps(report, indent=1) + "\n")
    (REPORT / "demo.html").write_text(page.render(report, table))
    say(results.text_table(report["rows"]))
    say()
    for item in judged:
        mark = {True: "ok ", False: "RED", None: "   "}[item["pass"]]
        limit = f"{item['relation']} {page.shown(item['limit'])}" if item["relation"] else ""
        say(f"{mark} {item['name']:<30}{page.shown(item['value']):>12}  {limit:<10}{item['says']}")
    for note in report["notes"]:
        say(f"note: {note}")
    say(f"\n{REPORT / 'demo.html'}")
    if report["red"]:
        say(f"red: {'; '.join(report['red'])}")
    return EXIT_FAIL if report["red"] else 0


def parse(argv):
    parser = argparse.ArgumentParser(prog="lab.py", description=__doc__.strip().splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    fetch = commands.add_parser("fetch", help="packages the lab boots with")
    fetch.add_argument("--refresh", action="store_true", help="ask the mirror again")
    commands.add_parser("list", help="the scenarios")
    run = commands.add_parser("run", help="one scenario or several")
    run.add_argument("scenario", nargs="*")
    run.add_argument("--mode", action="append", choices=scenarios.MODES)
    run.add_argument("--seed", action="append", type=int)
    run.add_argument("--json", help="write the rows there")
    run.add_argument("--vmm-option", action="append", default=[], metavar="TEXT",
                     help="passed to the VMM as it is, e.g. --vmm-option=--config=poll_ns=...")
    demo = commands.add_parser("demo", help="everything, with a report")
    for command in (run, demo):
        command.add_argument("--quick", action="store_true", help="fewer periods")
        command.add_argument("--real-time", action="store_true", help="no instruction counting")
        command.add_argument("--host", action="store_true", help="this machine's KVM, no QEMU")
        command.add_argument("--reuse", action="store_true", help="take results of earlier runs")
        command.add_argument("--vmm", help="the VMM (default: of the build)")
        command.add_argument("--program", help="pvs-calibrate (default: of the build)")
        command.add_argument("--guest", help="the guest image (default: of the build)")
        command.set_defaults(reused=False)
    return parser.parse_args(argv)


def main(argv):
    options = parse(argv)
    try:
        return globals()[f"command_{options.command}"](options)
    except Unavailable as reason:
        say(f"skipped: {reason}")
        return EXIT_SKIP
    except LabError as error:
        say(f"lab: {error}")
        return EXIT_FAIL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
