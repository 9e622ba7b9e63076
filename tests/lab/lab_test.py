#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The lab in two boots: one seed twice, side by side, and every byte compared. In it: audio with and
without the library, measure-only, and guests that flood, flip and die.

Writes build/report/lab-test.json. Exit status 77 and one line "skipped: ..." without packages.
"""

import argparse
import json
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True  # nothing but sources beside the sources
sys.path.insert(0, str(REPO / "scripts" / "lab"))

import lab as command  # noqa: E402
from pvslab import figures, machine, packages, results, scenarios  # noqa: E402
from pvslab.common import EXIT_FAIL, EXIT_SKIP, REPORT, LabError, Unavailable  # noqa: E402

SEED = 7
NOISE = ("garbage", "flip", "stale")
# Of the emulated CPU, for the thread in which the library runs, beside a guest that does its
# worst: thousands of statements and doorbells a second.
CONTROL_COST_MAX = 0.03


class Checks:
    """Named statements; a false one is red."""

    def __init__(self):
        self.red = []
        self.count = 0

    def that(self, holds, name, found=""):
        self.count += 1
        print(f"{'ok  ' if holds else 'FAIL'} {name}{f' ({found})' if found != '' else ''}")
        if not holds:
            self.red.append(name)


def vm_of(report, name):
    return next(vm for vm in report["vms"] if vm["name"] == name)


def check_audio(checks, rows):
    """The library shortens the wait, and takes no work from the neighbours."""
    off, on, measure = (rows[mode] for mode in ("off", "on", "measure"))
    p99 = {mode: figures.percentile(row.audible().latency_ns, 99) for mode, row in rows.items()}
    checks.that(p99["on"] * 2 < p99["off"], "audio__p99_at_least_halves_with_the_library",
                f"{p99['off']} -> {p99['on']} ns")
    checks.that(p99["measure"] * 2 > p99["off"], "measure_only__leaves_the_latency_as_it_is",
                f"{p99['off']} and {p99['measure']} ns")
    work = figures.ratio(on.burner_units(), off.burner_units())
    checks.that(work > 0.94, "audio__burners_complete_their_work", f"{work:.3f}")
    samples = {len(row.audible().latency_ns) for row in (off, on, measure)}
    checks.that(min(samples) > 300, "audio__every_period_is_sampled", sorted(samples))


def check_measure(checks, report):
    """It decides and counts, and turns no knob."""
    steps = sum(vm["host"]["steps"] for vm in report["vms"])
    applies = sum(vm["host"]["applies"] for vm in report["vms"])
    checks.that(steps > 0, "measure_only__decides", f"{steps} steps")
    checks.that(applies == 0, "measure_only__turns_no_knob", f"{applies} applies")


def check_noise(checks, noise, report):
    """The VMM lives, the counters tell, the neighbours get their share, the way back works."""
    bad = vm_of(report, "noise")
    vcpu = bad["vcpus"][0]
    checks.that(report["complete"], f"{noise}__the_vmm_lives_to_the_end")
    errors = sum(vm["host"]["errors"] + vm["host"]["foreign"] for vm in report["vms"])
    checks.that(errors == 0, f"{noise}__no_knob_fails", errors)
    if noise == "stale":
        checks.that(vcpu["end"] == "shutdown", "stale__the_guest_died", vcpu["end"])
        checks.that(vcpu["boosts"] > 0 and bad["host"]["restores"] > 0,
                    "stale__was_boosted_and_went_back_to_the_baseline",
                    f"{vcpu['boosts']} boosts, {bad['host']['restores']} restores")
    elif noise == "flip":
        checks.that(vcpu["malformed"] > 0, "flip__malformed_words_are_counted",
                    vcpu["malformed"])
    else:
        # After garbage in the header there is no common language, and words do not count at all.
        counted = vcpu["malformed"] + vcpu["storms"]
        checks.that(counted > 0, "garbage__malformed_words_or_storms_are_counted", counted)
    burner = vm_of(report, "burn")["vcpus"][0]["run_ns"]
    part = figures.ratio(burner, vcpu["run_ns"])
    checks.that(part > 0.95, f"{noise}__wins_nothing_over_its_neighbour", f"{part:.3f}")
    cost = report["control"]["cpu_ns"] / report["measured_ns"]
    checks.that(cost < CONTROL_COST_MAX, f"{noise}__costs_the_host_little", f"{cost:.3f} CPU")
    audio = vm_of(report, "audio")["vcpus"][0]
    checks.that(audio["misses"] == 0, f"{noise}__the_honest_audio_misses_nothing",
                audio["misses"])


def check_all(checks, boots):
    first, again = boots
    checks.that(figures.same_bytes(first.digest, again.digest), "same_seed__same_bytes")
    table = figures.Table()
    reports = {}
    for cell in first.cells:
        results.add_report(table, cell, first.results[cell.name])
        reports[cell.variant, cell.mode] = first.results[cell.name]
    short = scenarios.Variant("short")
    check_audio(checks, {mode: table.row(short, mode) for mode in ("off", "on", "measure")})
    check_measure(checks, reports[short, "measure"])
    for noise in NOISE:
        check_noise(checks, noise, reports[scenarios.Variant("noise", (("noise", noise),)), "on"])


def run(options):
    start = time.monotonic()
    manifest = packages.fetch(command.say)
    lab = machine.Lab(manifest, options.vmm, options.guest)
    lab.check()
    cells = [cell for name in ("short", "noise") for cell in scenarios.load(name).cells([SEED])]
    boots = [machine.Boot(SEED, cells, tag) for tag in ("test", "test-again")]
    command.say(packages.describe(manifest))
    command.run_boots(lab, boots, reuse=False)
    checks = Checks()
    check_all(checks, boots)
    REPORT.mkdir(parents=True, exist_ok=True)
    (REPORT / "lab-test.json").write_text(json.dumps({
        "figures": {"lab_ran": 1, "lab_checks": checks.count, "lab_red": len(checks.red),
                    "lab_s": round(time.monotonic() - start, 1)},
        "red": checks.red, "machine": packages.describe(manifest)}, indent=1) + "\n")
    return EXIT_FAIL if checks.red else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vmm", type=Path, required=True)
    parser.add_argument("--guest", type=Path, required=True)
    options = parser.parse_args()
    try:
        return run(options)
    except Unavailable as reason:
        print(f"skipped: {reason}")
        return EXIT_SKIP
    except LabError as error:
        print(f"lab: {error}")
        return EXIT_FAIL


if __name__ == "__main__":
    sys.exit(main())
