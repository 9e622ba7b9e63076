#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Real threads once more (a minute or two): with the kernel and QEMU of the checked-in measurement,
the same numbers come out. With others, it says so: `./run lab calibration --json
tests/sim/calibration/lab-7.3.json` renews it.

Writes build/report/calibration-lab.json. Exit status 77 and "skipped: ..." without packages.
"""

import argparse
import json
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True  # nothing but sources beside the sources
sys.path.insert(0, str(REPO / "scripts" / "lab"))

import lab as command  # noqa: E402
from pvslab import calibration  # noqa: E402
from pvslab.common import EXIT_FAIL, EXIT_SKIP, REPORT, LabError, Unavailable  # noqa: E402

REFERENCE = REPO / "tests" / "sim" / "calibration" / "lab-7.3.json"
# Another compiler makes another loop of the same speed, and thereby other phases.
DRIFT_MAX = 0.25


def compare(again):
    """Red lines."""
    reference = json.loads(REFERENCE.read_text())
    if (again["kernel"], again["machine"]) != (reference["kernel"], reference["machine"]):
        command.say(f"measured on {again['kernel']}, {again['machine']}: not the checked-in ones")
        return []
    known, now = calibration.values(reference), calibration.values(again)
    return [f"{name}: {known[name]} is checked in, {now[name]} was measured" for name in known
            if abs(now[name] - known[name]) > DRIFT_MAX * max(known[name], 10000)]


def run(options):
    again = command.measure_threads(options.program)
    REPORT.mkdir(parents=True, exist_ok=True)
    (REPORT / "calibration-lab.json").write_text(json.dumps(again, indent=1) + "\n")
    command.say(calibration.table(again))
    red = compare(again)
    for line in red:
        command.say(f"FAIL {line}")
    return EXIT_FAIL if red else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--program", help="pvs-calibrate")
    try:
        return run(parser.parse_args())
    except Unavailable as reason:
        command.say(f"skipped: {reason}")
        return EXIT_SKIP
    except LabError as error:
        command.say(f"lab: {error}")
        return EXIT_FAIL


if __name__ == "__main__":
    sys.exit(main())
