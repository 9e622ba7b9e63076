#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
How many instructions an event costs, counted by callgrind, with invariants off.

    instructions.py --pvsim PROGRAM [--json FILE] [--limit N]

Counted is what happens inside of sim_run(): engine, machine, scheduler, guests, the library's
decisions, measuring. What a run costs whatever its length (the results at its end) is left out by
taking the difference of a long and a short one. `instr_per_event` is the mean over all cases, each
of them weighing the same; `instr_per_event_worst` is the largest of them.
Events per second are by the clock, without callgrind; they depend on the machine.

Exit status 0 when instr_per_event is at most the limit (2000), else 1.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "tests" / "sim" / "scenarios"
LIMIT = 2000
TRIAL_MS = 1000      # of virtual time: how many events a case has
EVENTS = 150_000     # of the long run; the short one is a quarter of it
TIMED_MORE = 10      # as many times more events when there is no callgrind
LONGEST_MS = 3_600_000

# What each is about: many decisions, many vCPUs, spinning, storms of hints, each host model.
CASES = (
    ("cyclictest-500", None),
    ("cyclictest-500", "fair"),
    ("cyclictest-500", "pvs-central"),
    ("audio-2ms", "pvs-owning"),
    ("overcommit-dedup-4vm", None),
    ("overcommit-dedup-4vm", "fair-yield"),
    ("overcommit-dbench-4vm", "pvsched-v3"),
    ("hostile-hint-flipping", "pvs-owning"),
    ("hostile-interrupt-storm", None),
    ("xen-mixed-audio-36", None),
    ("xen-mixed-audio-36", "credit1"),
    ("xen-mixed-audio-36", "credit2"),
    ("placement", None),
)


def fail(text):
    sys.exit(f"instructions.py: {text}")


def command(pvsim, case, duration_ms, out):
    name, policy = case
    argv = [pvsim, "run", SCENARIOS / f"{name}.yaml", "--quiet", "--json", out,
            "--set", f"duration={duration_ms}ms", "--set", "warmup=0s", "--set", "quiet=0s"]
    return [str(word) for word in (*argv, *(("--policy", policy) if policy else ()))]


def run(argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        fail(f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stderr


def events_of(path):
    return json.loads(Path(path).read_text())["result"]["events"]


def duration_of(pvsim, case, directory):
    """Virtual time, in ms, in which about as many events happen as are to be counted."""
    out = Path(directory) / "run.json"
    run(command(pvsim, case, TRIAL_MS, out))
    return max(10, TRIAL_MS * EVENTS // events_of(out))


def count(pvsim, case, duration_ms, directory):
    """Instructions and events of one run."""
    out = Path(directory) / "run.json"
    valgrind = ["valgrind", "--tool=callgrind", "--toggle-collect=sim_run",
                f"--callgrind-out-file={directory}/callgrind.out"]
    said = run(valgrind + command(pvsim, case, duration_ms, out))
    collected = re.search(r"Collected\s*:\s*(\d+)", said)
    if not collected or not int(collected.group(1)):
        fail(f"callgrind has counted nothing:\n{said}")
    return int(collected.group(1)), events_of(out)


def rate(pvsim, case, duration_ms, directory):
    """Events, and the seconds they took."""
    out = Path(directory) / "run.json"
    began = time.monotonic()
    run(command(pvsim, case, min(TIMED_MORE * duration_ms, LONGEST_MS), out))
    return events_of(out), time.monotonic() - began


def measure(pvsim):
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for case in CASES:
            duration_ms = duration_of(pvsim, case, directory)
            instructions, events = count(pvsim, case, duration_ms, directory)
            short = count(pvsim, case, max(1, duration_ms // 4), directory)
            instructions, events = instructions - short[0], events - short[1]
            timed_events, seconds = rate(pvsim, case, duration_ms, directory)
            rows.append({
                "scenario": case[0], "policy": case[1] or "with", "events": events,
                "instr_per_event": round(instructions / events),
                "events_per_second": round(timed_events / seconds),
            })
            print(f"{case[0]:<26}{case[1] or 'with':<14}{events:>9} events"
                  f"{rows[-1]['instr_per_event']:>7} instructions each"
                  f"{rows[-1]['events_per_second'] / 1e6:>7.2f} M events/s", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--pvsim", default=str(ROOT / "build/release/tools/pvsim/pvsim"))
    parser.add_argument("--json", help="where the figures go")
    parser.add_argument("--limit", type=int, default=LIMIT)
    options = parser.parse_args()
    rows = measure(options.pvsim)
    figures = {
        "instr_per_event": round(sum(row["instr_per_event"] for row in rows) / len(rows)),
        "instr_per_event_worst": max(row["instr_per_event"] for row in rows),
        "events_per_second": round(sum(row["events_per_second"] for row in rows) / len(rows)),
        "cases": rows,
    }
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")
    print(f"instr_per_event {figures['instr_per_event']} (worst "
          f"{figures['instr_per_event_worst']}), {figures['events_per_second']} events/s")
    return 0 if figures["instr_per_event"] <= options.limit else 1


if __name__ == "__main__":
    sys.exit(main())
