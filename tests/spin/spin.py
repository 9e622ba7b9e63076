#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Checks one Promela model exhaustively: spin.py MODEL WORK_DIRECTORY [FAULT].

Without FAULT no assertion may fail in any interleaving. With it (a macro of the model that
puts a mistake in) one must: a model that cannot fail shows nothing.
"""
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

DEPTH = 1_000_000
MEMORY_MB = 1500


def run(command, work):
    """What a command printed; a failing one ends the check."""
    done = subprocess.run([str(word) for word in command], cwd=work, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def number(pattern, text):
    """The number that a line of pan's report gives."""
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        sys.exit(f"no '{pattern}' in the report:\n{text}")
    return int(float(found.group(1)))


def main():
    model, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    fault = sys.argv[3] if len(sys.argv) > 3 else None
    if not shutil.which("spin"):
        print("skipped: spin is missing")
        sys.exit(77)
    if fault and not re.search(rf"^#ifn?def {fault}$", model.read_text(), re.MULTILINE):
        sys.exit(f"{model.name} knows no {fault}")

    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    began = time.monotonic()
    run(["spin", "-a", *([f"-D{fault}"] if fault else []), model], work)
    run(["gcc", "-O2", "-w", "-DSAFETY", f"-DMEMLIM={MEMORY_MB}", "-o", "pan", "pan.c"], work)
    report = run(["./pan", f"-m{DEPTH}"], work)
    errors = number(r"errors: (\d+)", report)
    states = number(r"^\s*([\d.e+]+) states, stored", report)
    print(f"{model.stem}{' with ' + fault if fault else ''}: {states} states, {errors} errors, "
          f"{time.monotonic() - began:.1f} s")
    if fault:
        sys.exit(0 if errors and "assertion violated" in report else f"not caught\n{report}")
    if errors or "max search depth too small" in report or "out of memory" in report:
        sys.exit(report)


main()
