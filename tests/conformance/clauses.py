#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Which clauses of abi/spec have the tests they need.

A clause is a paragraph that begins with `**PVS-H-07** (implemented)`; the state is `implemented`,
`later, issue N` or `withdrawn`. A test of it is a CMocka test function PVS_H_07__ok_... (the
clause is kept) or PVS_H_07__bad_... (it holds against a peer that breaks it) anywhere under
tests/, defined and registered. Every implemented clause needs one of each; a test of an unknown
clause is an error.

    clauses.py ROOT [--report FILE] [--list]
"""
import argparse
import json
import pathlib
import re
import sys

CLAUSE = re.compile(r"^\*\*PVS-([GH])-(\d\d)\*\* \(([^)]*)\)", re.M)
STATE = re.compile(r"implemented|later, issue \d+|withdrawn")
DEFINED = re.compile(r"^static void (PVS_([GH])_(\d\d)__(ok|bad)_\w+)\(void \*\*", re.M)
REGISTERED = re.compile(r"cmocka_unit_test\w*\(\s*(PVS_\w+)")
LOOKS_LIKE = re.compile(r"\bPVS_[GH]_\d+__\w+")


def read_clauses(root, errors):
    clauses = {}
    for page in sorted((root / "abi/spec").glob("*.md")):
        for side, number, state in CLAUSE.findall(page.read_text()):
            name = f"PVS-{side}-{number}"
            if page.name == "README.md":
                errors.append(f"{page.name}: {name}: a clause in the introduction")
            if name in clauses:
                errors.append(f"{page.name}: {name} is there twice")
            if not STATE.fullmatch(state):
                errors.append(f"{page.name}: {name}: unknown state '{state}'")
            clauses[name] = state
    return clauses


def read_tests(root, errors):
    """{clause: {"ok": [names], "bad": [names]}}"""
    tests = {}
    for path in sorted((root / "tests").rglob("*.c")):
        text = path.read_text(errors="replace")
        registered = set(REGISTERED.findall(text))
        defined = set()
        for name, side, number, kind in DEFINED.findall(text):
            defined.add(name)
            if name not in registered:
                errors.append(f"{path.relative_to(root)}: {name} is never run")
                continue
            clause = tests.setdefault(f"PVS-{side}-{number}", {"ok": [], "bad": []})
            clause[kind].append(name)
        for name in sorted(set(LOOKS_LIKE.findall(text)) - defined):
            errors.append(f"{path.relative_to(root)}: {name} is not named PVS_x_nn__ok_... or "
                          "__bad_..., or is not a test")
    return tests


def check_images(root, clauses, errors):
    for path in sorted((root / "abi/golden").glob("*.region")):
        for name in re.findall(r"^clause (\S+)", path.read_text(), re.M):
            if name not in clauses:
                errors.append(f"{path.relative_to(root)}: {name} is not in abi/spec")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--report", type=pathlib.Path, help="write the figures to this JSON file")
    parser.add_argument("--list", action="store_true", help="print every clause with its tests")
    args = parser.parse_args()

    errors = []
    clauses = read_clauses(args.root, errors)
    tests = read_tests(args.root, errors)
    check_images(args.root, clauses, errors)
    if not clauses:
        errors.append("no clause found")
    for name in sorted(set(tests) - set(clauses)):
        errors.append(f"{name} has tests and is not in abi/spec")

    covered = 0
    implemented = sorted(name for name in clauses if clauses[name] == "implemented")
    for name in implemented:
        missing = [kind for kind in ("ok", "bad") if not tests.get(name, {}).get(kind)]
        covered += not missing
        for kind in missing:
            errors.append(f"{name} has no test {name.replace('-', '_')}__{kind}_...")

    if args.list:
        for name, state in sorted(clauses.items()):
            print(f"{name} ({state})")
            for kind in ("ok", "bad"):
                for test in tests.get(name, {}).get(kind, []):
                    print(f"    {test}")
    if args.report:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        figures = {"clauses_total": len(implemented), "clauses_covered": covered,
                   "clauses_later": sum(s.startswith("later") for s in clauses.values())}
        detail = {name: {"state": clauses[name], **tests.get(name, {"ok": [], "bad": []})}
                  for name in sorted(clauses)}
        args.report.write_text(json.dumps({"figures": figures, "clauses": detail}, indent=1) + "\n")
    for error in errors:
        print(f"clauses: {error}", file=sys.stderr)
    print(f"clauses: {covered} of {len(implemented)} implemented ones have their tests")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
