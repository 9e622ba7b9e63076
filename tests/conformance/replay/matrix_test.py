#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The matrix is red when it should be."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts" / "conformance"))
import conformance  # noqa: E402
import environments  # noqa: E402


def row(name, **changes):
    return {"name": name, "ok": True, "skipped": False, "digest": "0x1", "vectors": 300,
            "steps": 60000, "generated": 50000, "why": "", "seconds": 0.1, **changes}


def matrix(**changes):
    """All environments in order, the last one changed."""
    rows = [row(name) for name in environments.NAMES]
    rows[-1].update(changes)
    return rows


class Judge(unittest.TestCase):
    def problems(self, rows, allow_skipped=False):
        return conformance.judge(rows, allow_skipped, complete=True)

    def test_all_equal_is_green(self):
        self.assertEqual(self.problems(matrix()), [])

    def test_another_digest_is_red(self):
        self.assertEqual(self.problems(matrix(digest="0x2")), ["the digests differ"])

    def test_other_counts_are_red(self):
        self.assertEqual(self.problems(matrix(steps=59999)), ["the counts differ"])

    def test_a_skipped_environment_is_red(self):
        skipped = matrix(ok=False, skipped=True, digest="")
        self.assertEqual(self.problems(skipped), ["bpf was skipped"])
        self.assertEqual(self.problems(skipped, allow_skipped=True), [])

    def test_a_red_environment_is_red_even_if_skipping_is_allowed(self):
        self.assertEqual(self.problems(matrix(ok=False, digest=""), allow_skipped=True),
                         ["bpf is red"])

    def test_nothing_is_red(self):
        self.assertIn("nothing ran", self.problems([]))

    def test_few_vectors_are_red(self):
        rows = [row(name, vectors=299) for name in environments.NAMES]
        self.assertEqual(self.problems(rows), ["fewer than 300 vectors"])

    def test_few_drawn_steps_are_red(self):
        rows = [row(name, generated=49999) for name in environments.NAMES]
        self.assertEqual(self.problems(rows), ["fewer than 50000 generated steps"])

    def test_figures_name_what_ran(self):
        figures = conformance.figures_of(matrix(ok=False, skipped=True, digest=""))
        self.assertEqual(figures["environments"], list(environments.NAMES[:-1]))
        self.assertEqual(figures["environments_skipped"], 1)
        self.assertEqual(figures["digests_distinct"], 1)


class Parts(unittest.TestCase):
    def test_figures_of_others_are_merged_and_their_failures_count(self):
        with tempfile.TemporaryDirectory() as directory:
            parts = Path(directory) / "parts"
            parts.mkdir()
            (parts / "a.json").write_text(json.dumps({"model_steps": 7, "failures": 0}))
            (parts / "b.json").write_text(json.dumps({"seeded_faults": 30, "failures": 1}))
            figures, failures = conformance.parts(Path(directory))
        self.assertEqual(figures, {"model_steps": 7, "seeded_faults": 30})
        self.assertEqual(failures, ["parts/b.json reports failures"])


class Outcomes(unittest.TestCase):
    def test_the_last_line_of_figures_counts(self):
        text = ("digest=0x0000000000000001 vectors=1 steps=2 mismatches=3\nnoise\n"
                "digest=0x0000000000000002 vectors=4 steps=5 mismatches=0 generated=6\n")
        outcome = environments.outcome_of(text)
        self.assertEqual((outcome.digest, outcome.steps, outcome.generated),
                         ("0x0000000000000002", 5, 6))

    def test_no_figures_are_red(self):
        self.assertRaises(environments.Red, environments.outcome_of, "digest=1")

    def test_all_ten_environments_have_a_name(self):
        self.assertEqual(set(environments.NAMES),
                         {"host-gcc", "host-clang", "i386", "aarch64", "riscv64", "s390x",
                          "bare-x86-64", "nested-guest", "kernel-module", "bpf"})


if __name__ == "__main__":
    unittest.main()
