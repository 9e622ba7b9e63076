#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How the drivers judge what a machine has printed, and what they build."""

import contextlib
import io
import unittest

import machine
from machine import EXIT_FAIL, LabError

GOOD = "digest=0x00000000000000ff vectors=3 steps=40 mismatches=0 generated=7 first_bad=0"
BAD = GOOD.replace("mismatches=0", "mismatches=12")


class Summary(unittest.TestCase):
    def judge(self, text):
        with contextlib.redirect_stdout(io.StringIO()) as shown, \
                contextlib.redirect_stderr(io.StringIO()):
            return machine.summary(text), shown.getvalue()

    def test_is_shown_and_green_without_a_mismatch(self):
        self.assertEqual(self.judge(f"boot\n{GOOD}\n@status 0\n"), (0, GOOD + "\n"))

    def test_is_red_with_one(self):
        self.assertEqual(self.judge(BAD), (EXIT_FAIL, BAD + "\n"))

    def test_the_last_line_counts(self):
        self.assertEqual(self.judge(f"{GOOD}\n{BAD}\n")[0], EXIT_FAIL)

    def test_a_machine_that_says_nothing_is_red(self):
        for text in ("", "digest=0x12 vectors=1 steps=1 mismatches=0", GOOD[:40]):
            with self.assertRaises(LabError):
                self.judge(text)


class Sources(unittest.TestCase):
    def test_files_without_a_last_newline_do_not_run_into_the_next(self):
        self.assertEqual(machine.joined([b"a\nb", b"", b"c\n"]), b"a\nb\nc\n")

    def test_every_part_has_some(self):
        for sources in (machine.core_sources(), machine.guest_sources(),
                        machine.replay_sources()):
            self.assertTrue(sources)
            self.assertTrue(all(path.is_file() for path in sources))

    def test_exec_can_be_left_out(self):
        names = {path.name for path in machine.replay_sources(without=["exec.c"])}
        self.assertNotIn("exec.c", names)
        self.assertIn("replay.c", names)


class Commands(unittest.TestCase):
    def test_a_failing_one_is_an_error_with_its_words(self):
        with contextlib.redirect_stderr(io.StringIO()) as words:
            with self.assertRaisesRegex(LabError, "sh ended with 3"):
                machine.run(["sh", "-c", "echo why >&2; exit 3"])
        self.assertEqual(words.getvalue(), "why\n")

    def test_the_expected_status_is_fine(self):
        self.assertEqual(machine.run(["sh", "-c", "echo x; exit 33"], expected=33), "x\n")

    def test_one_that_does_not_end_is_stopped(self):
        with self.assertRaisesRegex(LabError, "no end within"):
            machine.run(["sleep", "60"], timeout_s=0.2)


unittest.main()
