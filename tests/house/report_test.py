#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `./run test` says at its end, from ctest results made here."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPORT = Path(__file__).resolve().parents[2] / "scripts" / "test_report.py"
GREEN = "[  PASSED  ] 3 test(s).\n"
RED = "[  PASSED  ] 2 test(s).\n[  FAILED  ] 1 test(s), listed below:\n"
PARTLY = "[  PASSED  ] 1 test(s).\n[  SKIPPED ] 2 test(s), listed below:\nskipped: no reason\n"


def case(name, status, output):
    """One <testcase> as ctest writes it; `status` may be the message of a test not run."""
    skipped = ""
    if status not in ("run", "fail"):
        skipped, status = f'<skipped message="{status}"/>', "notrun"
    return (f'<testcase name="{name}" status="{status}">{skipped}'
            f"<system-out>{output}</system-out></testcase>")


class Report(unittest.TestCase):
    """Each test fills a report directory and looks at the result."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = Path(directory.name)

    def stage(self, name, *cases):
        (self.place / f"ctest-{name}.xml").write_text(
            f"<testsuite>{''.join(cases)}</testsuite>")

    def report(self, *failed_stages):
        """(exit status, last line, test.json)"""
        done = subprocess.run([sys.executable, REPORT, self.place, *failed_stages],
                              capture_output=True, text=True, check=False)
        return (done.returncode, done.stdout.splitlines()[-1],
                json.loads((self.place / "test.json").read_text()))

    def test_counts_cases_and_is_green(self):
        self.stage("quick", case("a", "run", GREEN), case("script", "run", "fine"))
        status, last, result = self.report()
        self.assertEqual((status, last), (0, "4 passed, 0 failed, 0 skipped"))
        self.assertEqual(result["figures"]["tests"], 4)

    def test_does_not_count_the_same_tests_of_other_builds(self):
        self.stage("quick", case("a", "run", GREEN))
        self.stage("clang", case("a", "run", GREEN))
        self.assertEqual(self.report()[1], "3 passed, 0 failed, 0 skipped")

    def test_is_red_for_a_failed_case_in_any_build(self):
        self.stage("quick", case("a", "run", GREEN))
        self.stage("tsan", case("a", "fail", RED))
        status, last, _ = self.report("tsan")
        self.assertEqual((status, last), (1, "3 passed, 1 failed, 0 skipped"))

    def test_is_red_for_a_crash_without_any_words(self):
        self.stage("quick", case("a", "fail", ""))
        self.assertEqual(self.report("quick")[:2], (1, "0 passed, 1 failed, 0 skipped"))

    def test_is_red_for_a_crash_after_passed_cases(self):
        self.stage("quick", case("a", "fail", GREEN))
        self.assertEqual(self.report("quick")[:2], (1, "3 passed, 1 failed, 0 skipped"))

    def test_is_red_for_a_stage_that_failed_without_a_test(self):
        self.stage("quick", case("a", "run", GREEN))
        self.assertEqual(self.report("coverage")[:2], (1, "3 passed, 1 failed, 0 skipped"))

    def test_is_red_for_a_program_that_was_not_built(self):
        self.stage("quick", case("a", "Unable to find executable", ""))
        self.assertEqual(self.report("quick")[:2], (1, "0 passed, 1 failed, 0 skipped"))

    def test_reports_a_skip_with_its_reason(self):
        self.stage("rest", case("lab", "SKIP_RETURN_CODE=77", "skipped: no packages\n"),
                   case("a", "run", PARTLY))
        status, last, result = self.report()
        self.assertEqual((status, last), (0, "1 passed, 0 failed, 3 skipped"))
        self.assertIn("lab: no packages", result["stages"]["rest"]["reasons"])

    def test_counts_what_sanitizers_say(self):
        self.stage("asan", case("a", "fail", "x.c:1:2: runtime error: overflow\n"))
        self.assertEqual(self.report("asan")[2]["figures"]["sanitizer_findings"], 1)

    def test_takes_the_figures_of_others(self):
        self.stage("quick", case("a", "run", GREEN))
        (self.place / "clauses.json").write_text(
            json.dumps({"figures": {"clauses_total": 9, "clauses_covered": 8}}))
        (self.place / "lab-test.json").write_text(json.dumps({"figures": {"lab_ran": 1}}))
        (self.place / "coverage.json").write_text(
            json.dumps({"line_percent": 99.5, "branch_percent": 98}))
        self.assertEqual(self.report()[2]["figures"], {
            "tests": 3, "core_line_cov": 99.5, "core_branch_cov": 98, "clauses_total": 9,
            "clauses_covered": 8, "lab_ran": 1, "sanitizer_findings": 0})


if __name__ == "__main__":
    unittest.main()
