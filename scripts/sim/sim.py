#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
What the simulator says: every figure with its limit, in build/report/sim.json.

    sim.py [--quick] [--jobs N] [--pvsim PROGRAM]

Verifies all of tests/sim/scenarios (green with the library, red without), runs random worlds with
invariants on, counts instructions, compares trace hashes over compilers and architectures, and
holds the fair host against real threads. --quick: the scenarios that say `quick: yes`, 100 worlds,
and the calibration; figures of what was left out are missing, not red.

Exit status 0 when every limit is kept, else 1.
"""
import argparse
import json
import math
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
REPORT = ROOT / "build" / "report"
SCENARIOS = ROOT / "tests" / "sim" / "scenarios"
SCENARIOS_MIN = 25
MISSES_MIN = 50  # of a run, where misses are the claim
SEEDS = 1000
SEEDS_QUICK = 100
GAP_TOLERANCE = 0.002  # of what pvsim prints and what is measured

# Figures with limits. Those that several scenarios have are judged by the worst of them.
LIMITS = {
    "scenarios": (">=", SCENARIOS_MIN),
    "scenarios_green": ("== scenarios", None),
    "scenarios_red_without": ("== scenarios", None),
    "calibration_gap": ("<=", 0.25),
    "cyclictest_avg_gain": (">=", 10),
    "cyclictest_worst_gain": (">=", 5),
    "cyclictest_worst_us": ("<", 14000),
    "cyclictest_worst_vs_static_rt": ("<=", 1.5),
    "host_worst_ratio": ("<=", 1.3),
    "xen_mixed_misses_without": (">=", MISSES_MIN),
    "xen_mixed_misses_with": ("==", 0),
    "xen_share_error": ("<=", 0.05),
    "tick_steal_excess": ("<=", 0.02),
    "hostile_p99_bound_held": ("is", True),
    "overcommit_2vm_ratio": (">", 1.0),
    "overcommit_min_ratio": (">=", 0.98),
    "ecs_preempted_ratio": ("<=", 0.15),
    "oracle_comparisons": (">=", 14),
    "oracle_red": ("==", 0),
    "instr_per_event": ("<=", 2000),
    "swarm_seeds": (">=", SEEDS),
    "swarm_failures": ("==", 0),
    "trace_hashes_distinct": ("==", 1),
}
# Reported, without a limit.
REPORTED = ("events_per_second", "instr_per_event_worst", "swarm_events", "trace_hash_builds")


class StepError(Exception):
    """A step did not say what it should have."""


def run(command, **more):
    return subprocess.run([str(word) for word in command], check=False, **more)


def load(path):
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise StepError(f"{path}: {error}") from error


# ---- steps --------------------------------------------------------------------------------------

def step_scenarios(options, figures, report):
    files = sorted(SCENARIOS.glob("*.yaml"))
    if options.quick:
        files = [f for f in files if re.search(r"^quick: *(yes|true|on)", f.read_text(), re.M)]
    if not files:
        raise StepError("there are no scenarios")
    out = REPORT / "sim-verify.json"
    out.unlink(missing_ok=True)
    done = run([options.pvsim, "verify", *[f.relative_to(ROOT) for f in files], "--quiet",
                "--json", out, *(["--jobs", options.jobs] if options.jobs else [])], cwd=ROOT)
    if done.returncode not in (0, 1):
        raise StepError(f"pvsim verify ended with {done.returncode}")
    scenarios = load(out)["scenarios"]
    report["scenarios"] = scenarios
    figures["scenarios"] = len(scenarios)
    figures["scenarios_green"] = sum(s["green"] for s in scenarios)
    figures["scenarios_red_without"] = sum(s["red_without"] for s in scenarios)
    collect(scenarios, figures)
    thin = []
    for s in scenarios:
        if not s["samples"]:
            thin.append(f"{s['name']}: its verdict rests on no samples")
        if s["name"].startswith("hostile-") and "hostile_p99_bound_held" not in s["figures"]:
            thin.append(f"{s['name']}: no figure hostile_p99_bound_held")
        if claims_misses(s) and s["baseline_misses"] < MISSES_MIN:
            thin.append(f"{s['name']}: {s['baseline_misses']} misses at most in a run, "
                        f"expected {MISSES_MIN} or more")
    return thin


def claims_misses(scenario):
    """Whether the verdict compares misses of another run, or is red without by misses alone."""
    other = re.compile(r"\b(?!with\.)[\w-]+\.task\.[^ ]*\.misses\b")
    false = [a for a in scenario["asserts"] if not a["without_holds"] and not a["without_error"]]
    return (any(other.search(a["text"]) for a in scenario["asserts"]) or
            bool(false) and all(".misses" in a["text"] for a in false))


def worse(name, one, other):
    """The one further on the wrong side of its limit."""
    relation, limit = LIMITS[name]
    if relation in ("<=", "<"):
        return max(one, other)
    if relation == "==":
        return max(one, other, key=lambda value: abs(value - limit))
    return min(one, other)


def collect(scenarios, figures):
    """Figures of scenarios that have a limit."""
    for scenario in scenarios:
        for name, value in scenario["figures"].items():
            if name not in LIMITS:
                continue
            if value is None:
                value = math.nan
            if LIMITS[name][0] == "is":
                figures[name] = figures.get(name, True) and value == 1
            elif name in figures and not math.isnan(value):
                figures[name] = worse(name, figures[name], value)
            else:
                figures[name] = value


def step_swarm(options, figures, report):
    out = REPORT / "sim-swarm.json"
    out.unlink(missing_ok=True)
    shrunk = REPORT / "swarm"
    shrunk.mkdir(exist_ok=True)
    done = run([options.pvsim, "swarm", "--seeds", SEEDS_QUICK if options.quick else SEEDS,
                "--json", out, "--out", shrunk,
                *(["--jobs", options.jobs] if options.jobs else [])], cwd=ROOT)
    if done.returncode not in (0, 1):
        raise StepError(f"pvsim swarm ended with {done.returncode}")
    swarm = load(out)
    report["swarm"] = swarm
    for name in ("swarm_seeds", "swarm_failures", "swarm_events"):
        if not (options.quick and name == "swarm_seeds"):
            figures[name] = swarm[name]
    return []


def helper(options, name, figures, report, wanted, script=None):
    """A script beside this one (or elsewhere), that writes its figures as JSON."""
    script = script or HERE / f"{name}.py"
    out = REPORT / f"sim-{name}.json"
    out.unlink(missing_ok=True)
    if not script.exists():
        raise StepError(f"{script.relative_to(ROOT)} is missing")
    done = run([sys.executable, script, "--pvsim", options.pvsim, "--json", out], cwd=ROOT)
    if not out.exists():
        raise StepError(f"{script.name} ended with {done.returncode} and wrote nothing")
    result = load(out)
    report[name] = result
    for key in wanted:
        if key in result:
            figures[key] = result[key]
    return [] if done.returncode == 0 else [f"{script.name} ended with {done.returncode}"]


def step_instructions(options, figures, report):
    return helper(options, "instructions", figures, report,
                  ("instr_per_event", "instr_per_event_worst", "events_per_second"))


def step_hashes(options, figures, report):
    return helper(options, "hashes", figures, report,
                  ("trace_hashes_distinct", "trace_hash_builds"))


def step_oracle(options, figures, report):
    """Queues beside formulas and SimPy: each must lie in its confidence interval."""
    return helper(options, "oracle", figures, report, ("oracle_comparisons", "oracle_red"),
                  ROOT / "tests" / "sim" / "oracle" / "oracle.py")


def step_calibration(options, figures, report):
    problems = helper(options, "calibrate", figures, report, ("calibration_gap",))
    source = (ROOT / "tools" / "pvsim" / "src" / "calibration.c").read_text()
    printed = re.search(r"#define GAP_PPM (\d+)", source)
    gap = figures.get("calibration_gap")
    if not printed:
        problems.append("calibration.c has no GAP_PPM that reports could print")
    elif gap is not None and abs(int(printed.group(1)) / 1e6 - gap) > GAP_TOLERANCE:
        problems.append(f"reports print a gap of {int(printed.group(1)) / 1e6:.4f} "
                        f"(calibration.c), measured is {gap:.4f}")
    return problems


# ---- limits -------------------------------------------------------------------------------------

def kept(name, value, figures):
    relation, limit = LIMITS[name]
    if relation == "== scenarios":
        return value == figures.get("scenarios")
    if relation == "is":
        return value is limit
    if isinstance(value, float) and math.isnan(value):
        return False
    return {"<=": value <= limit, "<": value < limit, ">=": value >= limit, ">": value > limit,
            "==": value == limit}[relation]


def limit_text(name):
    relation, limit = LIMITS[name]
    return relation if limit is None else f"{relation} {limit}"


def value_text(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    return "missing" if value is None else str(value)


def judge(figures, quick):
    """The table, and the names of figures that are not as they should be."""
    red = []
    print(f"\n{'figure':<34}{'value':>14}  limit")
    for name in LIMITS:
        value = figures.get(name)
        if value is None and quick:
            continue
        if quick and name == "scenarios":
            print(f"{name:<34}{value_text(value):>14}  (quick)")
            continue
        good = value is not None and kept(name, value, figures)
        if not good:
            red.append(name)
        print(f"{name:<34}{value_text(value):>14}  {limit_text(name)}{'' if good else '   RED'}")
    for name in REPORTED:
        if name in figures:
            print(f"{name:<34}{value_text(figures[name]):>14}")
    return red


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a part of it, in a minute or so")
    parser.add_argument("--jobs", type=int, default=0, help="processes at a time")
    parser.add_argument("--pvsim", default=str(ROOT / "build/release/tools/pvsim/pvsim"))
    options = parser.parse_args(arguments)
    options.pvsim = str(Path(options.pvsim).resolve())
    if not Path(options.pvsim).exists():
        parser.error(f"{options.pvsim} is missing; ./run sim builds it")
    return options


def without_nan(value):
    """JSON has no NaN."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def main(arguments=None):
    options = options_of(arguments)
    REPORT.mkdir(parents=True, exist_ok=True)
    steps = {"scenarios": step_scenarios, "calibration": step_calibration, "swarm": step_swarm}
    if not options.quick:
        steps |= {"oracle": step_oracle, "instructions": step_instructions,
                  "hashes": step_hashes}
    figures, report, problems, seconds = {}, {}, [], {}
    for name, step in steps.items():
        print(f"-- {name}", flush=True)
        began = time.monotonic()
        try:
            problems += step(options, figures, report)
        except (StepError, KeyError) as error:
            problems.append(f"{name}: {error}")
        seconds[name] = round(time.monotonic() - began, 1)
    red = judge(figures, options.quick)
    for problem in problems:
        print(f"problem: {problem}")
    report |= {
        "figures": {name: without_nan(value) for name, value in figures.items()},
        "limits": {name: limit_text(name) for name in LIMITS},
        "red": red, "problems": problems, "quick": options.quick, "seconds": seconds,
    }
    (REPORT / "sim.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"\n{'RED' if red or problems else 'green'}: build/report/sim.json, "
          f"{sum(seconds.values()):.0f} s")
    return 1 if red or problems else 0


if __name__ == "__main__":
    sys.exit(main())
