#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What directed yield costs, in instructions, beside the linear scan that hosts do today.

usage: yield_bench.py BUILD_DIR RESULT_JSON

Counted by valgrind's callgrind while a function of the one or the other runs: whole contention
traces, with the upkeep that makes a choice cheap, and single choices at their worst.
"""
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SIZES = (2, 8, 64, 256, 1024)
ROUNDS = 1000
FUNCTIONS = {
    "ours": ("pvs_yield_waits", "pvs_yield_runs", "pvs_yield_ipi", "pvs_yield_eoi",
             "pvs_yield_choose"),
    "linear": ("linear_waits", "linear_runs", "linear_choose"),
}
RANKS = 10  # choices that `yield_trace worst` makes
TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)
CHOICES = re.compile(r"choices (\d+) found (\d+)")


def callgrind(program, functions, arguments, dumps=()):
    """Instruction counts, one for each dump and one for the rest, and what the program said."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out"
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
             *[f"--toggle-collect={name}" for name in functions],
             *[f"--dump-after={name}" for name in dumps], program, *map(str, arguments)],
            check=True, capture_output=True, text=True)
        counts = [int(TOTAL.search(path.read_text()).group(1))
                  for path in Path(directory).glob("out*")]
    return counts, run.stdout


def trace(program, kind, engine, vcpus):
    """Instructions of one trace, and how many choices were in it."""
    counts, said = callgrind(program, FUNCTIONS[engine], (kind, engine, vcpus, ROUNDS))
    choices, found = map(int, CHOICES.search(said).groups())
    if not found:
        sys.exit(f"yield_bench: {kind} {engine} {vcpus}: nobody was found")
    return sum(counts), choices


def worst(program, kind):
    """Instructions of the most expensive choice of this kind."""
    counts, _ = callgrind(program, ["pvs_yield_choose"], [kind], ["pvs_yield_choose"])
    counts = [count for count in counts if count]
    if len(counts) != RANKS:
        sys.exit(f"yield_bench: {kind}: {len(counts)} choices, not {RANKS}")
    return max(counts)


def main():
    program, result = Path(sys.argv[1]) / "tests/bench/yield_trace", Path(sys.argv[2])
    with ThreadPoolExecutor(2) as pool:
        runs = {(kind, engine, size): pool.submit(trace, program, kind, engine, size)
                for kind in ("one", "many") for size in SIZES for engine in FUNCTIONS}
        figures = {"yield_1024_instr": worst(program, "worst"),
                   "yield_1024_instr_in_vain": worst(program, "vain")}
        for kind, name in (("one", "yield_trace_ratio"), ("many", "yield_many_ratio")):
            for size in SIZES:
                ours, choices = runs[kind, "ours", size].result()
                linear, _ = runs[kind, "linear", size].result()
                figures[f"{name}_{size}"] = round(ours / linear, 3)
                figures[f"{name.replace('ratio', 'ours')}_{size}"] = round(ours / choices, 1)
                figures[f"{name.replace('ratio', 'linear')}_{size}"] = round(linear / choices, 1)
    result.write_text(json.dumps({"figures": figures}, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name} = {value}")


main()
