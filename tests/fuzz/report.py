#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Adds up what fuzz.py left behind each program: report.py BUILD_DIR OUTPUT.

Red when a finding or a missing canary got past the tests, or when the budget was not kept.
"""
import json
import sys
from pathlib import Path

PRESETS = ("fuzz", "afl")
CPU_BUDGET_S = 330  # five minutes, and a tenth for a machine that is busy


def main():
    build, output = Path(sys.argv[1]), Path(sys.argv[2])
    runs = [json.loads(path.read_text()) for preset in PRESETS
            for path in sorted((build / preset / "tests" / "fuzz").glob("fuzz_*.json"))]
    canaries = [run for run in runs if run["canary"]]
    honest = [run for run in runs if not run["canary"]]
    figures = {
        "fuzz_targets": len({run["target"] for run in honest}),
        "fuzz_inputs": sum(run["inputs"] for run in honest),
        "fuzz_findings": sum(run["findings"] for run in honest),
        "fuzz_canaries": len(canaries),
        "fuzz_canaries_found": sum(run["findings"] > 0 for run in canaries),
        "fuzz_cpu_s": round(sum(run["cpu_s"] for run in runs)),
    }
    output.write_text(json.dumps({"figures": figures, "runs": runs}, indent=1) + "\n")
    print(", ".join(f"{name} {value}" for name, value in figures.items()))
    if not runs or figures["fuzz_findings"] or figures["fuzz_cpu_s"] > CPU_BUDGET_S:
        sys.exit(1)
    if figures["fuzz_canaries_found"] < figures["fuzz_canaries"]:
        sys.exit(1)


main()
