#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs one fuzz program, bounded, from a fixed seed; see README.md.

usage: fuzz.py libfuzzer|afl PROGRAM TARGET [--canary] [--seconds N] [--runs N] [--seed N]

Without --canary any finding is an error, and its input is printed. With it, the program holds a
defect, and not finding it is the error. Figures go to PROGRAM.json.
"""
import argparse
import base64
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

CORPUS = Path(__file__).resolve().parent / "corpus"
INPUT_MAX = 4096
SEED = 20261122
# How long a run may take and how many inputs it tries, whichever ends first. A count decides, so
# that a run can be repeated; the seconds keep a slow machine in its budget. With a defect to find,
# the count is some ten times what other seeds needed.
LIMITS = {
    ("libfuzzer", False): (60, 250_000),
    ("libfuzzer", True): (180, 8_000_000),
    ("afl", False): (6, 20_000),
    ("afl", True): (180, 2_000_000),
}
# Inputs per second differ; these take some 25 s of a processor each.
RUNS = {"region": 900_000, "shim": 1_500_000, "perf": 1_000_000, "queue": 1_600_000,
        "yield": 400_000, "vectors": 130_000}

BROKEN = re.compile(r"rule broken: (.*) \(")


def cpu_seconds():
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command, seconds, **options):
    """(exit status, output); a fuzzer that does not stop by itself is ended."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=seconds, check=False, **options)
    except subprocess.TimeoutExpired as late:
        return "timeout", (late.stdout or b"").decode(errors="replace")
    return done.returncode, done.stdout.decode(errors="replace")


def run_libfuzzer(args, work):
    """(inputs tried, files with findings, what it printed)"""
    found = work / "found"
    new = work / "new"
    found.mkdir()
    new.mkdir()
    if args.canary and run([args.program, "-runs=0", CORPUS / args.target], 60)[0] != 0:
        sys.exit("the corpus alone finds the defect: that says nothing about the fuzzer")
    status, output = run(
        [args.program, f"-seed={args.seed}", f"-runs={args.runs}", f"-max_len={INPUT_MAX}",
         f"-max_total_time={args.seconds}", "-timeout=10", "-rss_limit_mb=2048",
         "-print_final_stats=1", f"-artifact_prefix={found}/", new, CORPUS / args.target],
        args.seconds + 60)
    tried = re.search(r"stat::number_of_executed_units:\s+(\d+)", output)
    findings = sorted(found.iterdir())
    if status != 0 and not findings:
        print(output)
        sys.exit(f"libFuzzer ended with {status} and left nothing")
    return int(tried.group(1)) if tried else 0, findings, output


def run_afl(args, work):
    """(inputs tried, files with findings, what was printed)"""
    environment = dict(
        os.environ, AFL_NO_UI="1", AFL_SKIP_CPUFREQ="1", AFL_NO_AFFINITY="1", AFL_NO_COLOR="1",
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES="1", AFL_FAST_CAL="1")
    if args.canary:
        environment["AFL_BENCH_UNTIL_CRASH"] = "1"
    limits = ["-V", str(args.seconds), "-E", str(args.runs)]
    status, output = run(
        ["afl-fuzz", "-s", str(args.seed), *limits, "-G", str(INPUT_MAX), "-t", "2000",
         "-i", CORPUS / args.target, "-o", work / "out", "--", args.program],
        args.seconds + 60, env=environment)
    stats = work / "out" / "default" / "fuzzer_stats"
    if not stats.exists():
        print(output)
        sys.exit(f"afl-fuzz ended with {status} and left nothing")
    tried = re.search(r"^execs_done\s+: (\d+)", stats.read_text(), re.MULTILINE)
    directory = work / "out" / "default"
    findings = sorted(path for kind in ("crashes", "hangs") for path in (directory / kind).iterdir()
                      if path.name != "README.txt")
    return int(tried.group(1)), findings, output


def rule_of(args, finding):
    """What the program says of one input: the rule that it breaks."""
    if args.engine == "libfuzzer":
        _, output = run([args.program, finding], 60)
    else:
        with open(finding, "rb") as file:
            done = subprocess.run([args.program], stdin=file, capture_output=True, timeout=60,
                                  check=False)
        output = done.stderr.decode(errors="replace")
    rule = BROKEN.search(output)
    return rule.group(1) if rule else "\n".join(output.splitlines()[:40])


def judge(args, tried, findings, output):
    """Prints the outcome; the exit status."""
    rules = sorted({rule_of(args, finding) for finding in findings})
    if args.canary:
        print(f"canary {'found' if findings else 'NOT FOUND'}: {tried} inputs, {rules}")
        return 0 if findings else 1
    if not findings:
        print(f"{tried} inputs, nothing found")
        return 0
    print(output[-4000:])
    for finding in findings[:5]:
        print(f"finding: {rule_of(args, finding)}")
        print(f"  base64 -d >input: {base64.b64encode(finding.read_bytes()).decode()}")
    return 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=("libfuzzer", "afl"))
    parser.add_argument("program", type=Path)
    parser.add_argument("target")
    parser.add_argument("--canary", action="store_true")
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    seconds, runs = LIMITS[args.engine, args.canary]
    args.seconds = seconds if args.seconds is None else args.seconds
    if args.runs is None:
        args.runs = runs if args.canary or args.engine == "afl" else RUNS.get(args.target, runs)

    work = args.program.with_suffix(".work")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    began = time.monotonic()
    tried, findings, output = (run_libfuzzer if args.engine == "libfuzzer" else run_afl)(args, work)
    figures = {
        "engine": args.engine, "target": args.target, "canary": args.canary, "seed": args.seed,
        "inputs": tried, "findings": len(findings), "cpu_s": round(cpu_seconds(), 1),
        "wall_s": round(time.monotonic() - began, 1),
    }
    args.program.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n")
    sys.exit(judge(args, tried, findings, output))


main()
