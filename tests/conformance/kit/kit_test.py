#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the kit: verdicts, protocol violations, exit status, and its own checks.

    kit_test.py PVS-CONFORMANCE PVS-DOOR
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
PROGRAM, DOOR = (pathlib.Path(word) for word in sys.argv[1:3])
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from pvskit import checks, judge, language  # noqa: E402

DATA = {"spec": ROOT / "abi/spec", "checks": HERE / "checks", "vectors": ROOT / "abi/vectors"}
# A check the fake implementations below are asked; its second op is the one they answer badly.
CHECK = "H10_classes_of_urgency"

# An implementation that passes everything on to the real one, but for what `edit` does.
FAKE = """
import os, subprocess, sys, time
door = subprocess.Popen([{door!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
steps = 0
for line in sys.stdin:
    door.stdin.write(line)
    door.stdin.flush()
    if line.startswith("vector "):
        continue
    answer = door.stdout.readline().rstrip()
    op = line.split()[0]
    steps += op == "step"
{edit}
    print(answer, flush=True)
"""


def run(*words, fake=None, **options):
    """(exit status, standard output, document) of the program, against a fake if one is given."""
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory) / "report.json"
        command = [str(DOOR)]
        if fake is not None:
            script = pathlib.Path(directory) / "fake.py"
            edit = textwrap.indent(textwrap.dedent(fake), "    ")
            script.write_text(FAKE.format(door=str(DOOR), edit=edit))
            command = [sys.executable, str(script)]
        done = subprocess.run(
            [sys.executable, str(PROGRAM), "--json", str(report), *words, "--",
             *options.get("command", command)], capture_output=True, text=True, check=False)
        document = json.loads(report.read_text()) if report.exists() else None
    return done.returncode, done.stdout + done.stderr, document


def verdict(fake, *more):
    """(exit status, verdict, why) of CHECK against a fake."""
    status, text, document = run("--check", CHECK, *more, fake=fake)
    assert document, text
    check = document["clauses"]["PVS-H-10"]["checks"][0]
    return status, check["verdict"], check["why"]


class Verdicts(unittest.TestCase):
    def test_what_conforms_is_a_success(self):
        self.assertEqual(verdict("")[:2], (0, "Success"))

    def test_a_wrong_answer_is_a_failure(self):
        status, name, _ = verdict("answer = answer.replace('class=below', 'class=task')")
        self.assertEqual((status, name), (1, "Failure"))

    def test_an_op_that_is_not_known_is_a_skip(self):
        for answer in ("unsupported", "? unsupported", "unsupported: no such op"):
            status, name, why = verdict(f"if op == 'step': answer = {answer!r}")
            self.assertEqual((status, name), (0, "Skip"))
            self.assertIn("step", why)

    def test_a_skip_is_red_when_all_must_run(self):
        fake = "if op == 'step': answer = 'unsupported'"
        self.assertEqual(verdict(fake, "--all-must-run")[:2], (1, "Skip"))

    def test_syntax_to_a_line_of_the_language_is_an_error(self):
        self.assertEqual(verdict("if steps == 2: answer = 'syntax'")[:2], (1, "Error"))

    def test_syntax_to_an_op_of_the_door_is_a_skip(self):
        status, text, document = run(
            "--clauses", "PVS-H-36", fake="if 'host_' in op: answer = 'syntax'")
        self.assertEqual(status, 0, text)
        self.assertEqual(document["clauses"]["PVS-H-36"]["verdict"], "Skip")

    def test_nonsense_is_an_error(self):
        for answer in ("hello", "class=purple", "class=", "= =", "class"):
            status, name, _ = verdict(f"if steps == 2: answer = {answer!r}")
            self.assertEqual((status, name), (1, "Error"), answer)

    def test_a_missing_field_is_an_error(self):
        status, name, why = verdict("if steps == 2: answer = answer.partition(' ')[2]")
        self.assertEqual((status, name), (1, "Error"))
        self.assertIn("class", why)

    def test_a_crash_is_an_error(self):
        status, name, why = verdict("if steps == 2: os.abort()")
        self.assertEqual((status, name), (1, "Error"))
        self.assertIn("SIGABRT", why)

    def test_an_early_end_is_an_error(self):
        status, name, why = verdict("if steps == 2: sys.exit('no more today')")
        self.assertEqual((status, name), (1, "Error"))
        self.assertIn("no more today", why)

    def test_silence_is_an_error(self):
        status, name, why = verdict("if steps == 2: time.sleep(60)", "--timeout", "1")
        self.assertEqual((status, name), (1, "Error"))
        self.assertIn("time", why)

    def test_a_line_too_many_is_an_error(self):
        status, name, why = verdict("if steps == 2: print('class=below')")
        self.assertEqual((status, name), (1, "Error"))

    def test_a_line_too_many_at_the_end_is_an_error(self):
        status, name, why = verdict("if op == 'barrier': print('ok')")
        self.assertEqual((status, name), (1, "Error"))
        self.assertIn("step", why)

    def test_a_line_without_end_is_an_error(self):
        status, name, _ = verdict(
            "if steps == 2: sys.stdout.write('x' * 5000); sys.stdout.flush(); time.sleep(60)")
        self.assertEqual((status, name), (1, "Error"))

    def test_a_command_that_is_not_there_is_said_once(self):
        status, text, _ = run("--check", CHECK, command=["/nonexistent/implementation"])
        self.assertEqual(status, 2)
        self.assertIn("cannot start", text)

    def test_after_a_crash_the_next_check_runs_anew(self):
        status, text, document = run(
            "--clauses", "PVS-H-10,PVS-H-18",
            fake="if 'background' in line: os.abort()")
        self.assertEqual(status, 1)
        found = {name: one["verdict"] for name, one in document["clauses"].items()}
        self.assertEqual(found, {"PVS-H-10": "Error", "PVS-H-18": "Success"}, text)


class Reports(unittest.TestCase):
    def test_a_failure_says_all_a_person_needs(self):
        _, text, _ = run("--clauses", "PVS-H-11",
                         fake="answer = answer.replace('class=below', 'class=baseline')")
        for words in ("Failure  PVS-H-11", "must always be honoured", "expected  class=below",
                      "got       class=baseline", "--check H11_less_is_always_given -v -- "):
            self.assertIn(words, text)

    def test_the_command_of_a_failure_repeats_it(self):
        _, text, _ = run("--clauses", "PVS-H-36", command=["sh", "-c", "exit 3"])
        self.assertIn("exit status 3", text)
        again = re.search(r"again +pvs-conformance (.*)", text)[1]
        done = subprocess.run(f"{sys.executable} {PROGRAM} {again}", shell=True, check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("exit status 3", done.stdout)

    def test_roles_and_patterns_select(self):
        _, _, document = run("--role", "guest", "--clauses", "PVS-*")
        self.assertTrue(all(name.startswith("PVS-G-") for name in document["clauses"]))
        _, _, document = run("--role", "host", "--clauses", "PVS-?-1?")
        self.assertTrue(all(name.startswith("PVS-H-1") for name in document["clauses"]))

    def test_what_selects_nothing_is_an_error(self):
        self.assertEqual(run("--clauses", "PVS-X-99")[0], 2)
        self.assertEqual(run("--check", "no_such_check")[0], 2)

    def test_op_lines_can_be_had_and_run_by_hand(self):
        shown = subprocess.run([sys.executable, PROGRAM, "--show", CHECK], capture_output=True,
                               text=True, check=True).stdout
        answers = subprocess.run([DOOR], input=shown, capture_output=True, text=True, check=True)
        self.assertEqual(len(answers.stdout.splitlines()), len(shown.splitlines()) - 1)


class Page(unittest.TestCase):
    """docs/conformance.md: what it shows is what happens."""

    def test_each_command_prints_what_the_page_says(self):
        page = (ROOT / "docs/conformance.md").read_text()
        environment = {**os.environ, "PATH": f"{DOOR.parent}:{PROGRAM.parent}:{os.environ['PATH']}"}
        blocks = re.findall(r"```console\n(.*?)```", page, re.S)
        self.assertGreaterEqual(len(blocks), 4)
        for block in blocks:
            for command, printed in re.findall(r"^\$ (.*)\n((?:[^$].*\n|\n)*)", block, re.M):
                done = subprocess.run(command, shell=True, cwd=ROOT, env=environment, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      check=False)
                self.assertEqual(done.stdout, printed, command)


class Own(unittest.TestCase):
    """The checks of the kit."""

    def setUp(self):
        self.clauses = checks.load(DATA)

    def test_every_clause_has_a_check(self):
        for name, clause in self.clauses.items():
            if clause.state != "withdrawn":
                self.assertTrue(clause.checks, f"{name} has no check")

    def test_a_check_is_named_after_its_first_clause(self):
        for name, clause in self.clauses.items():
            for check in clause.checks:
                if not name.startswith("policy/"):
                    wanted = check.clauses[0][4:].replace("-", "") + "_"
                    self.assertTrue(check.name.startswith(wanted), check.name)

    def test_every_check_expects_something(self):
        for clause in self.clauses.values():
            for check in clause.checks:
                self.assertTrue(any(line.expected for line in check.lines), check.name)

    def test_one_side_needs_no_op_of_the_other(self):
        for name, clause in self.clauses.items():
            for check in clause.checks:
                ops = {line.op.split()[0] for line in check.lines}
                if name.startswith("PVS-G-"):
                    extra = {op for op in ops if not op.startswith("guest_")}
                    self.assertLessEqual(extra, {"header", "slot", "peek", "poke", "peek_header"},
                                         check.name)
                elif name.startswith("PVS-H-"):
                    self.assertFalse([op for op in ops if op.startswith("guest_")], check.name)

    def test_names_are_those_of_the_door(self):
        """The values of names: each is sent, and must come back as it was sent."""
        lines = ["vector names", "vm offered=all generation=1 slots=4"]
        lines += [f"choice features={name}" for name in language.FEATURES]
        lines += [f"validate 0 online=1 urgency={name}" for name in language.URGENCIES]
        done = subprocess.run([DOOR], input="\n".join(lines) + "\n", capture_output=True,
                              text=True, check=True)
        for line, answer in zip(lines[2:], done.stdout.splitlines()[1:]):
            fields = language.fields_of(answer)
            name = line.rpartition("=")[2]
            field = "features" if "choice" in line else "urgency"
            if fields.get("status") != "refused" and fields.get("online") != "0":
                self.assertEqual(language.value_of(fields[field], language.names_of("", field)),
                                 language.value_of(name, language.names_of("", field)))

    def test_expectations(self):
        fields = language.fields_of("class=task order=-1 flags=changed|0x100 recheck=never")
        for expectation, wanted in (("class=task", True), ("class>task", True),
                                    ("class<baseline", False), ("class=3", True),
                                    ("order=-1", True), ("order<0", True), ("order>0", False),
                                    ("flags~changed", True), ("flags!0x100", False),
                                    ("recheck=never", True), ("recheck>1s", True)):
            self.assertEqual(language.holds("step", fields, expectation, {}), wanted, expectation)
        with self.assertRaises(KeyError):
            language.holds("step", fields, "rank=1", {})
        with self.assertRaises(language.BadLine):
            language.holds("step", fields, "class=purple", {})

    def test_the_worst_verdict_counts(self):
        self.assertEqual(judge.worst(["Success", "Skip"]), "Success")
        self.assertEqual(judge.worst(["Success", "Failure", "Skip"]), "Failure")
        self.assertEqual(judge.worst([]), "Skip")


unittest.main(argv=sys.argv[:1])
