#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The conformance matrix: all vectors in all environments, one digest, or red.

usage: conformance.py [--allow-skipped] [--quick] [--report DIRECTORY] [NAME...]
"""
import argparse
import json
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
import environments  # noqa: E402
from environments import NAMES, ROOT, Red, Skipped  # noqa: E402

# What the project promises of its vectors (issue 3).
VECTORS_MIN = 300
GENERATED_MIN = 50000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--allow-skipped", action="store_true",
                        help="an environment this machine cannot run is not red")
    parser.add_argument("--quick", action="store_true", help="one build of each host compiler")
    parser.add_argument("--report", type=Path, default=ROOT / "build" / "report")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown environment: {', '.join(sorted(unknown))}")
    return chosen


def one(name, quick):
    """A row of the matrix."""
    began = time.monotonic()
    row = {"name": name, "ok": False, "skipped": False, "digest": "", "vectors": 0, "steps": 0,
           "generated": 0, "why": ""}
    try:
        outcome = environments.run(name, quick)
        row.update(ok=True, digest=outcome.digest, vectors=outcome.vectors, steps=outcome.steps,
                   generated=outcome.generated)
    except Skipped as reason:
        row.update(skipped=True, why=str(reason))
    except Red as reason:
        row.update(why=str(reason))
    except (OSError, environments.subprocess.SubprocessError) as reason:
        row.update(why=f"{type(reason).__name__}: {reason}")
    row["seconds"] = round(time.monotonic() - began, 1)
    return row


def show(row):
    state = "ok" if row["ok"] else "skipped" if row["skipped"] else "RED"
    print(f"{row['name']:<14} {row['vectors']:>8} {row['steps']:>9}  {row['digest'] or '-':<18} "
          f" {row['seconds']:>6.1f} s  {state}", flush=True)
    if row["why"]:
        print("    " + row["why"].replace("\n", "\n    "), flush=True)


def parts(report):
    """Figures of the other parts of the proof: the model, the kit."""
    figures, failures = {}, []
    for path in sorted((report / "parts").glob("*.json")):
        found = json.loads(path.read_text())
        if found.pop("failures", 0):
            failures.append(f"parts/{path.name} reports failures")
        figures.update(found)
    return figures, failures


def judge(rows, allow_skipped, complete):
    """Why this matrix is red; nothing when it is not."""
    ran = [row for row in rows if row["ok"]]
    problems = [f"{row['name']} is red" for row in rows if not row["ok"] and not row["skipped"]]
    if not allow_skipped:
        problems += [f"{row['name']} was skipped" for row in rows if row["skipped"]]
    if len({row["digest"] for row in ran}) > 1:
        problems.append("the digests differ")
    if len({(row["vectors"], row["steps"]) for row in ran}) > 1:
        problems.append("the counts differ")
    if complete and ran and ran[0]["vectors"] < VECTORS_MIN:
        problems.append(f"fewer than {VECTORS_MIN} vectors")
    if complete and ran and ran[0]["generated"] < GENERATED_MIN:
        problems.append(f"fewer than {GENERATED_MIN} generated steps")
    if not ran:
        problems.append("nothing ran")
    return problems


def figures_of(rows):
    ran = [row for row in rows if row["ok"]]
    return {
        "environments": [row["name"] for row in ran],
        "environments_skipped": sum(row["skipped"] for row in rows),
        "digests_distinct": len({row["digest"] for row in ran}),
        "vectors": min((row["vectors"] for row in ran), default=0),
        "steps": min((row["steps"] for row in ran), default=0),
        "steps_generated": max((row["generated"] for row in ran), default=0),
    }


def main():
    chosen = arguments()
    names = chosen.names or NAMES
    before = environments.input_fingerprint()
    print(f"{'environment':<14} {'vectors':>8} {'steps':>9}  {'digest':<18}  {'time':>8}")
    rows = []
    for name in names:
        rows.append(one(name, chosen.quick))
        show(rows[-1])
    more, failures = parts(chosen.report)
    problems = judge(rows, chosen.allow_skipped, not chosen.names) + failures
    if environments.input_fingerprint() != before:
        problems.append("sources or vectors were changed while the matrix ran: run it again")
    chosen.report.mkdir(parents=True, exist_ok=True)
    report = {"figures": {**figures_of(rows), **more}, "ok": not problems, "problems": problems,
              "matrix": rows}
    name = "conformance.json" if not chosen.names else "conformance-part.json"
    (chosen.report / name).write_text(json.dumps(report, indent=1) + "\n")
    for problem in problems:
        print(f"conformance: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
