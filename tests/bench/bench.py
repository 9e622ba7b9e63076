#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counts the instructions of the hot paths, one call at a time, under valgrind's callgrind.

usage: bench.py BUILD_DIR RESULT_JSON

Instructions, not seconds: the same on a busy machine. Callgrind writes one file for each return
from the function; the sum in each is the cost of one call with everything beneath it.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PERIODS = 100
PATHS = {
    "publish": "pvs_guest_publish",
    "publish_prepared": "store_prepared",
    "decide": "pvs_decide",
    "step": "pvs_step",
}
TOTAL = re.compile(r"^(?:totals|summary): (\d+)$", re.MULTILINE)


def costs(program, function):
    """Instructions of each call of `function`, sorted."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out"
        subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
             f"--toggle-collect={function}", f"--dump-after={function}", program, str(PERIODS)],
            check=True, capture_output=True)
        counts = [int(TOTAL.search(path.read_text()).group(1))
                  for path in Path(directory).glob("out.*")]
    return sorted(count for count in counts if count)


def main():
    build, result = Path(sys.argv[1]), Path(sys.argv[2])
    figures = {}
    for name, function in PATHS.items():
        counts = costs(build / "tests/bench/pvs_bench", function)
        if len(counts) < PERIODS:
            sys.exit(f"bench: {function} was seen {len(counts)} times only")
        figures[f"{name}_instr"] = round(sum(counts) / len(counts), 1)
        figures[f"{name}_instr_p99"] = counts[len(counts) * 99 // 100]
        figures[f"{name}_calls"] = len(counts)
    result.write_text(json.dumps({"figures": figures}, indent=1) + "\n")
    for name, value in figures.items():
        print(f"{name} = {value}")


main()
