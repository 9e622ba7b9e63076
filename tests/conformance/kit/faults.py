#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Breaks our own engine in one way at a time (faults.toml) and lets the kit find it.

    faults.py --compiler CC --work DIRECTORY --parts ARCHIVE... [--report FILE] [NAME...]

Each fault is one source compiled anew with one thing wrong, linked in front of the archives. It is
caught when a check of the clause it names has the verdict Failure. Red: a fault that is not
caught, one whose text is not found in its source, or a clause group without any.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE))

from pvskit import checks, judge, peer  # noqa: E402

FAULTS_MIN = 30  # issue 3
INCLUDES = ("abi/include", "libpvsched/include", "libpvsched/src", "guest-shim/include",
            "guest-shim/src", "adapters/common/include", "adapters/common/src",
            "adapters/null/include", "tests/conformance/kit")
FLAGS = ("-std=c11", "-O1", "-w", "-fPIC")
TIMEOUT_S = 20
DATA = {"spec": ROOT / "abi/spec", "checks": HERE / "checks", "vectors": ROOT / "abi/vectors"}


class Stale(Exception):
    """The text of a fault is not in its source any more."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--compiler", default="cc")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--parts", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--report", type=pathlib.Path)
    return parser.parse_intermixed_args()


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(str(word) for word in words)}\n{done.stderr[-2000:]}")


def compiled(chosen, source, target, extra=()):
    includes = [f"-I{ROOT / name}" for name in INCLUDES]
    run(chosen.compiler, *FLAGS, *extra, *includes, "-c", source, "-o", target)
    return target


def broken_source(fault):
    """The text of the source with the fault in it."""
    text = (ROOT / fault["file"]).read_text()
    if text.count(fault["text"]) != 1:
        raise Stale(f"its text stands {text.count(fault['text'])} times in {fault['file']}")
    return text.replace(fault["text"], fault["fault"])


def build(chosen, number, fault, door):
    """The door with this fault."""
    place = chosen.work / f"{number:03}"
    place.mkdir(parents=True)
    source = place / pathlib.Path(fault["file"]).name
    source.write_text(broken_source(fault))
    broken = compiled(chosen, source, place / "fault.o")
    program = place / "pvs-door"
    run(chosen.compiler, "-o", program, door, broken, "-Wl,--start-group", *chosen.parts,
        "-Wl,--end-group", "-ldl")
    return program


def failures(clauses, program):
    """The clauses that have a Failure, of those numbered in the specification."""
    implementation = peer.Peer([str(program)])
    done, found = {}, []
    try:
        for name, clause in clauses.items():
            for check in clause.checks:
                if check.name not in done:
                    done[check.name] = judge.judge(check, implementation, TIMEOUT_S).verdict
            if any(done[check.name] == judge.FAILURE for check in clause.checks):
                found.append(name)
    finally:
        implementation.stop()
    return found


def try_fault(chosen, clauses, number, fault, door):
    """A row of the report."""
    row = {"name": fault["name"], "clause": fault["clause"], "file": fault["file"],
           "caught": False, "failures": [], "why": ""}
    try:
        row["failures"] = failures(clauses, build(chosen, number, fault, door))
        row["caught"] = fault["clause"] in row["failures"]
        row["why"] = "" if row["caught"] else "no check of the clause failed"
    except (Stale, RuntimeError) as error:
        row["why"] = str(error)
    return row


def uncovered(clauses, rows):
    """Groups of clauses (a page of the specification) without a fault."""
    groups = {clause.group for clause in clauses.values()}
    return sorted(groups - {clauses[row["clause"]].group for row in rows})


def main():
    chosen = arguments()
    shutil.rmtree(chosen.work, ignore_errors=True)
    chosen.work.mkdir(parents=True)
    clauses = {name: clause for name, clause in checks.load(DATA).items()
               if name.startswith("PVS-")}
    faults = tomllib.loads((HERE / "faults.toml").read_text())["fault"]
    if chosen.names:
        faults = [fault for fault in faults if fault["name"] in chosen.names]
    door = compiled(chosen, HERE / "door.c", chosen.work / "door.o", ["-D_GNU_SOURCE"])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        rows = list(pool.map(lambda job: try_fault(chosen, clauses, *job, door),
                             enumerate(faults)))
    for row in rows:
        state = "caught" if row["caught"] else "MISSED"
        why = f": {row['why']}" if row["why"] else ""
        print(f"{state}  {row['clause']}  {row['name']}{why}")
    caught = sum(row["caught"] for row in rows)
    named = {row["clause"] for row in rows}
    figures = {"seeded_faults": len(rows), "seeded_faults_caught": caught,
               "seeded_faults_clauses": len(named),
               "clauses_checked": sum(bool(clause.checks) for clause in clauses.values()),
               "kit_checks": len({check.name for clause in clauses.values()
                                  for check in clause.checks}),
               "failures": len(rows) - caught}
    print(f"{caught} of {len(rows)} faults caught, in {len(named)} of {len(clauses)} clauses")
    if chosen.report:
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
        chosen.report.write_text(json.dumps(figures, indent=1) + "\n")
        (chosen.work / "faults.json").write_text(json.dumps(rows, indent=1) + "\n")
    if chosen.names:
        return int(caught < len(rows))
    missing = uncovered(clauses, rows)
    if missing:
        print(f"no fault in: {', '.join(missing)}")
    return int(caught < len(rows) or len(rows) < FAULTS_MIN or bool(missing))


sys.exit(main())
