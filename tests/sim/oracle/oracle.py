#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Compares pvsim with queueing theory and with independent models in SimPy.

    oracle.py --pvsim PROGRAM [--json FILE] [--formulas] [--set PATH=VALUE]

Each quantity is simulated SEEDS times from different seeds. The mean of these has a confidence
interval of 99.9 % (Student's t), and what is known must lie in it; where pvsim is approximate by
construction (a quantile comes from buckets of 3 %, processor sharing from slices), that is added.
An interval wider than WIDEST of the value would say nothing and is red, too. Two simulations
are compared by the sum of squares of their intervals.

Exit status 0 green, 1 red, 77 when SimPy is missing (the formulas have been compared by then).
"""
import argparse
import json
import math
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import queues  # noqa: E402

HERE = Path(__file__).resolve().parent
SEEDS = 8
STUDENT_T = 5.408        # two-sided 99.9 %, SEEDS - 1 = 7 degrees of freedom
WIDEST = 0.06
BUCKET = 0.032           # sim_hist: 32 buckets in each power of two
SLICE = 0.01             # a slice of 50 us against work of 500 us and more, and its rounding
JOBS = 60000             # of one run in SimPy
UNTIL_MS = 60000
EXIT_SKIP = 77
ARRIVAL_MS, SERVICE_MS = 1.5, 1.0
POPULATION, THINK_MS, WORK_MS = 6, 6.0, 2.0


def exponential(mean):
    return lambda rng: rng.expovariate(1 / mean)


def uneven(rng):
    return 15.5 if rng.random() < 0.1 else 0.5


class Pvsim:
    """Runs the program, keeps what it said."""

    def __init__(self, program, sets=()):
        self.program = program
        self.sets = [word for value in sets for word in ("--set", value)]
        self.known = {}

    def rows(self, scenario, run, seed):
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            done = subprocess.run(
                [self.program, "run", str(HERE / f"{scenario}.yaml"), "--run", run,
                 "--seed", str(seed), "--quiet", "--json", out.name, *self.sets],
                text=True, capture_output=True, check=False)
            if done.returncode != 0:
                raise SystemExit(f"pvsim {scenario}: {(done.stderr or done.stdout).strip()}")
            return json.loads(Path(out.name).read_bytes())["result"]["rows"]

    def run(self, scenario, run):
        """The rows of all seeds."""
        if (scenario, run) not in self.known:
            with ThreadPoolExecutor(2) as pool:
                self.known[scenario, run] = list(pool.map(
                    lambda seed: self.rows(scenario, run, seed), range(1, SEEDS + 1)))
        return self.known[scenario, run]

    def values(self, scenario, run, row, key):
        return [rows[row][key] for rows in self.run(scenario, run)]


def interval(values):
    """Mean, and half the width of its confidence interval."""
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, STUDENT_T * math.sqrt(variance / len(values))


class Checks:
    """Comparisons; a false one is red."""

    def __init__(self):
        self.rows = []

    def compare(self, name, values, known, against, other_half=0.0, systematic=0.0):
        mean, half = interval(values)
        allowed = math.hypot(half, other_half) + systematic * known
        gap = abs(mean - known)
        fine = gap <= allowed and half <= WIDEST * known
        self.rows.append({"name": name, "against": against, "pvsim": mean, "known": known,
                          "gap": gap / known, "allowed": allowed / known, "pass": fine})
        print(f"{'ok ' if fine else 'RED'} {name:<34}{against:<9}{mean:>10.4f}{known:>10.4f}"
              f"{100 * gap / known:>8.2f} %  of {100 * allowed / known:.2f} %")


def response_ms(pvsim, scenario, key="mean"):
    return [value / 1e6 for value in
            pvsim.values(scenario, "with", "task.server/serve.response", key)]


def per_ms(pvsim, scenario, run):
    loops = pvsim.values(scenario, run, "task.host/job.loops", "value")
    spans = pvsim.values(scenario, run, "host.measured", "value")
    return [count * 1e6 / span for count, span in zip(loops, spans)]


def check_formulas(pvsim, checks):
    mm1 = queues.mm1_response(ARRIVAL_MS, SERVICE_MS)
    checks.compare("M/M/1 time in system", response_ms(pvsim, "mm1"), mm1, "formula")
    for key, q in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        checks.compare(f"M/M/1 {key}", response_ms(pvsim, "mm1", key),
                       queues.exponential_quantile(mm1, q), "formula", systematic=BUCKET)
    checks.compare("M/D/1 time in system", response_ms(pvsim, "md1"),
                   queues.md1_response(ARRIVAL_MS, SERVICE_MS), "formula")
    closed = queues.repairman_throughput(POPULATION, THINK_MS, WORK_MS)
    checks.compare("closed, first come: jobs/ms", per_ms(pvsim, "closed", "with"), closed,
                   "formula")
    checks.compare("closed, round robin: jobs/ms", per_ms(pvsim, "closed", "sharing"), closed,
                   "formula", systematic=SLICE)
    checks.compare("uneven, round robin: jobs/ms", per_ms(pvsim, "uneven", "with"), closed,
                   "formula", systematic=SLICE)


def check_simpy(simpy, pvsim, checks):
    def known(function, *arguments):
        return interval([function(simpy, 1000 + seed, *arguments) for seed in range(SEEDS)])

    def compare(name, values, model, systematic=0.0):
        mean, half = model
        checks.compare(name, values, mean, "SimPy", half, systematic)

    compare("M/M/1 time in system", response_ms(pvsim, "mm1"),
            known(queues.open_fifo, ARRIVAL_MS, exponential(SERVICE_MS), JOBS))
    compare("M/D/1 time in system", response_ms(pvsim, "md1"),
            known(queues.open_fifo, ARRIVAL_MS, lambda _rng: SERVICE_MS, JOBS))
    closed = (POPULATION, THINK_MS)
    compare("closed, first come: jobs/ms", per_ms(pvsim, "closed", "with"),
            known(queues.closed_fifo, *closed, exponential(WORK_MS), UNTIL_MS))
    compare("closed, round robin: jobs/ms", per_ms(pvsim, "closed", "sharing"),
            known(queues.closed_sharing, *closed, exponential(WORK_MS), UNTIL_MS), SLICE)
    compare("uneven, first come: jobs/ms", per_ms(pvsim, "uneven", "one-by-one"),
            known(queues.closed_fifo, *closed, uneven, UNTIL_MS))
    compare("uneven, round robin: jobs/ms", per_ms(pvsim, "uneven", "with"),
            known(queues.closed_sharing, *closed, uneven, UNTIL_MS), SLICE)


def import_simpy():
    """SimPy as Debian has it, whichever Python this is; None when it is not installed."""
    for path in (None, "/usr/lib/python3/dist-packages"):
        if path:
            sys.path.append(path)
        try:
            import simpy
            return simpy
        except ImportError:
            continue
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--pvsim", required=True)
    parser.add_argument("--json", help="write the comparisons there")
    parser.add_argument("--formulas", action="store_true", help="without SimPy")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE",
                        help="other queues, for pvsim: to see it go red")
    options = parser.parse_args()
    pvsim, checks = Pvsim(options.pvsim, options.set), Checks()
    check_formulas(pvsim, checks)
    simpy = None if options.formulas else import_simpy()
    if simpy:
        check_simpy(simpy, pvsim, checks)
    red = sum(not row["pass"] for row in checks.rows)
    if options.json:
        Path(options.json).parent.mkdir(parents=True, exist_ok=True)
        Path(options.json).write_text(json.dumps(
            {"oracle_comparisons": len(checks.rows), "oracle_red": red,
             "simpy": getattr(simpy, "__version__", None), "seeds": SEEDS,
             "comparisons": checks.rows}, indent=1) + "\n")
    if red:
        return 1
    if not simpy and not options.formulas:
        print("skipped: python3-simpy3 is not installed")
        return EXIT_SKIP
    return 0


if __name__ == "__main__":
    sys.exit(main())
