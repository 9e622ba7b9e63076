#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
pvsim's command line as people meet it: exit codes, messages, the same answer with any number of
processes; and that help, manual page, completion, docs/pvsim.md and the table of parameters say
what the program does.

    cli_test.py PVSIM SOURCE_DIRECTORY
"""
import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PVSIM = ""
ROOT = Path()
COMMANDS = ("run", "check", "verify", "compare", "sweep", "tune", "swarm", "rtapp", "models")
SCENARIO = """\
scenario: small
source: "a test"
claim: "a test"
duration: 300ms
warmup: 50ms
machine: {cpus: 2}
host-tasks:
  - {name: stress, count: 4, program: [run: 1s]}
vms:
  - name: guest
    vcpus: 2
    tasks:
      - {name: cyclic, urgency: real-time, program: [period: 1ms, run: 10..20us]}
runs:
  base: fair
  with: pvs-owning
off: fair
verdict:
  - base.task.guest/cyclic.wakeup.mean >= 2 * with.task.guest/cyclic.wakeup.mean
figures:
  gain: base.task.guest/cyclic.wakeup.mean / with.task.guest/cyclic.wakeup.mean
"""


def pvsim(*arguments, cwd=None):
    return subprocess.run([PVSIM, *map(str, arguments)], capture_output=True, text=True,
                          check=False, cwd=cwd)


class WithScenario(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = Path(holder.name)
        self.file = self.directory / "small.yaml"
        self.file.write_text(SCENARIO)

    def changed(self, old, new):
        self.assertIn(old, SCENARIO)
        path = self.directory / "changed.yaml"
        path.write_text(SCENARIO.replace(old, new))
        return path


class ExitCodes(WithScenario):
    def test_a_green_verdict_is_0(self):
        done = pvsim("verify", self.file)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("green with the library, red without", done.stdout)

    def test_a_verdict_that_is_red_is_1(self):
        done = pvsim("verify", self.changed(">= 2 *", ">= 1000000 *"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("RED with the library", done.stdout)

    def test_a_verdict_that_cannot_be_red_is_1(self):
        done = pvsim("verify", self.changed(">= 2 *", ">= 0.0001 *"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("NOT RED without", done.stdout)

    def test_a_row_that_is_not_there_without_is_not_red(self):
        done = pvsim("verify", self.changed(
            "base.task.guest/cyclic.wakeup.mean >= 2 * with.task.guest/cyclic.wakeup.mean",
            "with.pvs.boosts > 0"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("NOT RED without", done.stdout)

    def test_a_wrong_scenario_is_2(self):
        for command in ("run", "check", "verify", "compare", "tune"):
            done = pvsim(command, self.changed("duration: 300ms", "duration: 300"))
            self.assertEqual(done.returncode, 2, command)
            self.assertIn("changed.yaml:4: `duration: 300`, expected a duration", done.stderr)

    def test_wrong_usage_is_2(self):
        for words in ([], ["fly"], ["run"], ["run", self.file, "--fly"], ["run", "/nowhere.yaml"],
                      ["run", self.file, "--policy", "fare"], ["run", self.file, "--seed", "x"],
                      ["run", self.file, "--run", "nobody"], ["sweep", self.file],
                      ["compare", self.file, "--policy", "fair,fare"],
                      ["tune", self.file, "--field", "x=1..2"],
                      ["run", self.file, "--json", "/nowhere/x.json"]):
            done = pvsim(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertTrue(done.stderr, words)

    def test_what_was_meant_is_said(self):
        self.assertIn("expected `verify`?", pvsim("verfy").stderr)
        self.assertIn("expected --policy?", pvsim("run", self.file, "--polcy", "x").stderr)

    def test_a_list_of_no_policies_is_said_to_be_one(self):
        done = pvsim("compare", self.file, "--policy", ",,,")
        self.assertEqual(done.returncode, 2)
        self.assertIn("names nothing", done.stderr)

    def test_what_cannot_be_printed_is_2(self):
        for words in (["run", self.file, "--rows"], ["compare", self.file], ["models"],
                      ["--help"], ["--version"], ["verify", self.file]):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run([PVSIM, *map(str, words)], stdout=full, check=False,
                                      stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("standard output", done.stderr)

    def test_traces_of_several_runs_need_a_file(self):
        done = pvsim("compare", self.file, "--perfetto", "/dev/null")
        self.assertEqual(done.returncode, 2)
        self.assertIn("is no file", done.stderr)
        self.assertEqual(pvsim("compare", self.file, "--quiet", "--perfetto",
                               self.directory / "x.json").returncode, 0)
        self.assertEqual(sorted(path.name for path in self.directory.glob("x*")),
                         ["x.base.json", "x.with.json"])

    def test_a_program_that_takes_no_time_is_refused(self):
        for program in ("[run: 0s]", "[run: 0us, sleep: 0s]", "[run: 0..0us]"):
            done = pvsim("check", self.changed("[run: 1s]", program))
            self.assertEqual(done.returncode, 2, program)
            self.assertIn("changed.yaml:8: no time goes by in this program", done.stderr)
        done = pvsim("check", self.changed("[run: 1s]", "[run: 0s, sleep: 1ms]"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_wrong_number_of_cpus_is_said_once(self):
        for number in ("65", "0"):
            done = pvsim("check", self.changed("{cpus: 2}", "{cpus: %s}" % number))
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count("changed.yaml:6"), 1, done.stderr)
            self.assertIn("expected a number from 1 to 64", done.stderr)

    def test_the_version_is_that_of_the_library(self):
        header = (ROOT / "libpvsched/include/pvs/pvs.h").read_text()
        version = re.search(r'PVS_VERSION_STRING "(.*)"', header).group(1)
        self.assertEqual(pvsim("--version").stdout, f"pvsim {version}\n")

    def test_help_is_0(self):
        self.assertEqual(pvsim("--help").returncode, 0)
        for command in COMMANDS:
            self.assertEqual(pvsim(command, "--help").returncode, 0, command)


class Results(WithScenario):
    def test_the_number_of_processes_changes_nothing(self):
        for words in (["verify", self.file, "--json"],
                      ["sweep", self.file, "--quiet", "--over", "config.grant_max_ns=1ms,3ms",
                       "--over", "vms.guest.vcpus=1,2,3", "--show",
                       "with.task.guest/cyclic.wakeup.p99", "--json"],
                      ["tune", self.file, "--quiet", "--budget", "12", "--json"]):
            texts = []
            for jobs in ("1", "3"):
                out = self.directory / f"{jobs}.json"
                done = pvsim(*words, out, "--jobs", jobs)
                self.assertEqual(done.returncode, 0, done.stderr)
                texts.append(out.read_text())
            self.assertEqual(*texts)
            json.loads(texts[0])

    def test_a_run_is_repeated_and_a_seed_changes_it(self):
        first = pvsim("run", self.file).stdout
        self.assertEqual(first, pvsim("run", self.file).stdout)
        self.assertNotEqual(first, pvsim("run", self.file, "--seed", "2").stdout)

    def test_set_is_as_if_the_file_said_so(self):
        there = pvsim("run", self.changed("run: 10..20us", "run: 30us"), "--rows").stdout
        here = pvsim("run", self.file, "--rows", "--set",
                     "vms.guest.tasks.cyclic.program=[period: 1ms, run: 30us]").stdout
        self.assertEqual(there, here)

    def test_a_run_may_set_something_for_itself(self):
        path = self.changed("  base: fair\n", "  base: {policy: fair, set: "
                                              "{vms.guest.count: 0}}\n")
        self.assertNotIn("vm.guest", pvsim("run", path, "--run", "base", "--rows").stdout)
        self.assertIn("vm.guest", pvsim("run", path, "--rows").stdout)

    def test_off_is_a_run(self):
        off = pvsim("run", self.file, "--run", "off", "--rows").stdout
        self.assertEqual(off, pvsim("run", self.file, "--run", "base", "--rows").stdout)

    def test_compare_prints_those_that_ask_and_the_bystanders(self):
        done = pvsim("compare", self.file, "--policy", "fair,pvs-advisory,pvs-owning")
        self.assertEqual(done.returncode, 0, done.stderr)
        asked, rest = done.stdout.split("BYSTANDERS")
        self.assertIn("cyclic in VM guest", asked)
        self.assertIn("stress on the host", rest)
        for word in ("p50", "p90", "p99", "p99.9", "worst"):
            self.assertIn(word, asked)
            self.assertIn(word, rest)
        for word in ("IN SHORT", "unfair by", "<- 100% of work"):
            self.assertIn(word, asked)
        for word in ("energy", "DECISIONS OF LIBPVSCHED", "asleep", "SHARES"):
            self.assertIn(word, rest)

    def test_every_table_says_how_far_the_model_is_calibrated(self):
        for words in (["run", self.file], ["compare", self.file],
                      ["sweep", self.file, "--over", "seed=1,2", "--show",
                       "with.vm.guest.share"], ["tune", self.file, "--budget", "2"]):
            self.assertIn("real threads", pvsim(*words).stdout, words)

    def test_a_sweep_names_points_that_fail(self):
        done = pvsim("sweep", self.file, "--over", "vms.guest.vcpus=1,0", "--show",
                     "with.vm.guest.share")
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 of 2 points failed", done.stderr)


    def test_a_workload_of_rt_app_becomes_a_scenario(self):
        workload = self.directory / "video.json"
        workload.write_text('{"tasks": {"decode": {"policy": "SCHED_FIFO", "priority": 50, '
                            '"loop": -1, "run": 2000, "timer": {"ref": "t", "period": 16667}}}}')
        done = pvsim("rtapp", workload, "--cpus", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.directory / "video.yaml"
        path.write_text(done.stdout)
        self.assertIn("task.guest/decode", pvsim("run", path).stdout)
        workload.write_text('{"tasks": {"x": {"fly": 3}}}')
        self.assertEqual(pvsim("rtapp", workload).returncode, 2)
        # and by its name in a VM
        workload.write_text('{"tasks": {"more": {"run": 2000, "sleep": 1000}}}')
        other = self.changed("    vcpus: 2\n", "    vcpus: 2\n    rt-app: video.json\n")
        self.assertIn("task.guest/more", pvsim("run", other).stdout)


class Words(unittest.TestCase):
    """What is written about the program, against the program."""

    def options(self, command):
        return set(re.findall(r"--([a-z-]+)", pvsim(command, "--help").stdout)) - {"help"}

    def test_the_manual_page_has_every_command_and_option(self):
        page = (ROOT / "docs/man/pvsim.1").read_text()
        for command in COMMANDS:
            self.assertIn(f".It Cm {command}\n", page)
            synopsis = re.search(rf"^\.Nm\n\.Cm {command}\n((?:\.(?!Nm|Sh).*\n)*)", page, re.M)
            named = set(re.findall(r"Fl -([a-z-]+)", synopsis.group(1)))
            self.assertEqual(named, self.options(command), command)

    def test_the_completion_has_every_command(self):
        text = (ROOT / "tools/pvsim/completion/pvsim.bash").read_text()
        listed = re.search(r"list='([^']*)'", text).group(1).split()
        self.assertEqual(set(listed), {*COMMANDS, "--help", "--version"})

    def completed(self, *words):
        script = (f". {ROOT}/tools/pvsim/completion/pvsim.bash; COMP_WORDS=(\"$@\"); "
                  "COMP_CWORD=$(($# - 1)); _pvsim; printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "-euc", script, "-", PVSIM, *words], check=True,
                              capture_output=True, text=True)
        return done.stdout.split()

    def test_the_completion_completes(self):
        self.assertEqual(self.completed("ver"), ["verify"])
        self.assertEqual(self.completed("run", "--perf"), ["--perfetto"])
        self.assertIn("pvs-owning", self.completed("run", "a.yaml", "--policy", ""))
        self.assertEqual(self.completed("compare", "a.yaml", "--policy", "fair,pvs-own"),
                         ["fair,pvs-owning"])

    def test_the_documentation_has_every_key_policy_and_word(self):
        page = (ROOT / "docs/pvsim.md").read_text()
        source = (ROOT / "tools/pvsim/src/fields.c").read_text()
        keys = set(re.findall(r'\.key = "([a-z-]+)"', source))
        keys |= set(re.findall(r'COST\("([a-z-]+)"', source))
        for table in ("liar", "fault", "profile", "defect", "urgency"):
            words = re.search(rf"sim_{table}_names\[\] = {{(.*?)NULL", source, re.S).group(1)
            if table != "profile":
                keys |= set(re.findall(r'"([a-z-]+)"', words))
        steps = (ROOT / "tools/pvsim/src/scenario_tasks.c").read_text()
        keys |= set(re.findall(r'\{"([a-z]+)", SIM_OP_', steps))
        models = pvsim("models").stdout
        keys |= set(re.findall(r"^  ([a-z0-9-]+) .*\n +=", models, re.M))
        missing = [key for key in sorted(keys) if not re.search(rf"\b{key}\b", page)]
        self.assertEqual(missing, [])

    def test_every_parameter_that_a_model_reads_is_in_the_table(self):
        read = set()
        for path in (ROOT / "tools/pvsim/src").glob("*.c"):
            read |= set(re.findall(r'sim_param\(\w+,\s*"([a-z0-9.-]+)"', path.read_text()))
        table = (ROOT / "tools/pvsim/src/params.c").read_text()
        known = set(re.findall(r'\b(?:TIME|NUMBER|SWITCH)\("([a-z0-9.-]+)"', table))
        self.assertEqual(read - known, set(), "read by a model, not in params.c")
        self.assertEqual(known - read, set(), "in params.c, read by no model")

    def test_every_model_says_what_it_leaves_out(self):
        models = pvsim("models").stdout.split("\nMODELS\n")[1].split("\nPARAMETERS")[0]
        parts = re.split(r"^  (?=scheduler|role|yielder)", models, flags=re.M)[1:]
        self.assertGreaterEqual(len(parts), 14)
        for part in parts:
            self.assertIn("leaves out:", part)

    def test_every_field_of_the_config_can_be_set(self):
        header = (ROOT / "libpvsched/include/pvs/config.h").read_text()
        body = re.search(r"struct pvs_config \{(.*?)Derived by", header, re.S).group(1)
        fields = set(re.findall(r"pvs_u32 (\w+);", body)) - {"reserved0"}
        table = (ROOT / "tools/pvsim/src/params.c").read_text()
        self.assertEqual(set(re.findall(r"FIELD\((\w+),", table)) - {"name"}, fields)


class Files(unittest.TestCase):
    def test_all_scenarios_of_the_tree_are_right(self):
        files = sorted((ROOT / "tests/sim").rglob("*.yaml"))
        self.assertTrue(files)
        done = pvsim("check", "--quiet", *files)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    PVSIM, ROOT = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]).resolve()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
