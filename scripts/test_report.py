#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turns what `./run test` left in the report directory into test.json and the closing line.

usage: test_report.py REPORT_DIR [FAILED_STAGE...]

A test is one CMocka case, or one ctest entry where that is not a CMocka program. `passed` and
`skipped` count the gcc build (stages quick and rest), so that no test counts twice; `failed`
counts every stage, and a stage that failed without a failing test counts as one.
"""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

GCC_STAGES = ("quick", "rest")
SANITIZER_STAGES = ("asan", "tsan")
FINDING = re.compile(
    r"ERROR: (?:Address|Leak)Sanitizer|WARNING: ThreadSanitizer|: runtime error: ")
CMOCKA = re.compile(r"^\[  (PASSED|FAILED|SKIPPED) ?\s*\] (\d+) test\(s\)", re.MULTILINE)
REASON = re.compile(r"^skipped: (.*)$", re.MULTILINE)


def count_case(case):
    """(passed, failed, skipped, output) of one <testcase>."""
    output = "".join(element.text or "" for element in case.iter("system-out"))
    status = case.get("status")
    skipped = case.find("skipped")
    # A program that was not built is "not run" too: that is no skip.
    if skipped is not None and skipped.get("message", "").startswith("SKIP_"):
        return 0, 0, 1, output
    counts = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for kind, number in CMOCKA.findall(output):
        counts[kind] += int(number)
    if not any(counts.values()):
        counts["PASSED" if status == "run" else "FAILED"] = 1
    if status != "run" and not counts["FAILED"]:
        counts["FAILED"] = 1
    return counts["PASSED"], counts["FAILED"], counts["SKIPPED"], output


def read_stage(path):
    """Totals of one ctest run, with the reasons of what was skipped."""
    totals = {"passed": 0, "failed": 0, "skipped": 0, "findings": 0, "reasons": [], "red": []}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        passed, failed, skipped, output = count_case(case)
        totals["passed"] += passed
        totals["failed"] += failed
        totals["skipped"] += skipped
        totals["findings"] += len(FINDING.findall(output))
        if failed:
            totals["red"].append(case.get("name"))
        if skipped:
            reason = REASON.search(output)
            totals["reasons"].append(
                f"{case.get('name')}: {reason.group(1) if reason else 'no reason given'}")
    return totals


def load(path):
    """The object in a JSON file, or {} when nothing wrote it."""
    return json.loads(path.read_text()) if path.exists() else {}


def figures_of(report, stages):
    """The flat object `figures` of test.json."""
    coverage = load(report / "coverage.json")
    clauses = load(report / "clauses.json").get("figures", {})
    lab = load(report / "lab-test.json").get("figures", {})
    return {
        "tests": sum(stages[name]["passed"] for name in GCC_STAGES if name in stages),
        "core_line_cov": coverage.get("line_percent", 0),
        "core_branch_cov": coverage.get("branch_percent", 0),
        "clauses_total": clauses.get("clauses_total", 0),
        "clauses_covered": clauses.get("clauses_covered", 0),
        "lab_ran": lab.get("lab_ran", 0),
        "sanitizer_findings": sum(
            stages[name]["findings"] for name in SANITIZER_STAGES if name in stages),
    }


def main():
    report = Path(sys.argv[1])
    red_stages = sys.argv[2:]
    stages = {path.stem.removeprefix("ctest-"): read_stage(path)
              for path in sorted(report.glob("ctest-*.xml"))}
    figures = figures_of(report, stages)
    failed = sum(stage["failed"] for stage in stages.values())
    failed += sum(1 for name in red_stages if not stages.get(name, {}).get("failed"))
    skipped = sum(stages[name]["skipped"] for name in GCC_STAGES if name in stages)

    (report / "test.json").write_text(json.dumps({
        "figures": figures,
        "failed": failed,
        "skipped": skipped,
        "failed_stages": red_stages,
        "stages": stages,
    }, indent=1, sort_keys=True) + "\n")

    print("\n== result")
    for name, stage in stages.items():
        print(f"{name:8} {stage['passed']:5} passed {stage['failed']:3} failed "
              f"{stage['skipped']:3} skipped")
        for reason in stage["reasons"]:
            print(f"         skipped {reason}")
        for test in stage["red"]:
            print(f"         failed  {test}")
    for name in red_stages:
        print(f"stage {name} failed")
    for name, value in figures.items():
        print(f"{name} = {value}")
    print(f"{figures['tests']} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
