#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Pages and traces as pvsim writes them: whole, consistent, and in need of nothing else.

Usage: pages_test.py PVSIM SCENARIO
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PVSIM, SCENARIO = "", ""
PAGE_MAX = 3 << 20
RUNS, WAITS = 0, 1
PID_CPUS = 1


def pvsim(*arguments):
    return subprocess.run([PVSIM, *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=300)


def spans_of(run):
    """The flat list of a run, as dicts with absolute times."""
    flat, start, out = run["spans"], 0, []
    for at in range(0, len(flat), 8):
        start += flat[at]
        out.append({"from": start, "until": start + flat[at + 1], "thread": flat[at + 2],
                    "cpu": flat[at + 3], "kind": flat[at + 4] & 1, "class": flat[at + 5],
                    "reason": flat[at + 6], "task": flat[at + 7]})
    return out


class Page(unittest.TestCase):
    """`pvsim compare --html`."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as where:
            path = Path(where) / "page.html"
            done = pvsim("compare", SCENARIO, "--html", path)
            assert path.exists(), done.stderr
            cls.text = path.read_text(encoding="utf-8")
        found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', cls.text,
                           re.DOTALL)
        assert len(found) == 1
        cls.data = json.loads(found[0])

    def test_it_is_one_file_of_a_bounded_size(self):
        self.assertLess(len(self.text.encode()), PAGE_MAX)
        for foreign in (r"\bsrc\s*=", r"<link\b", "@import", r"\burl\((?!#)", r"\bfetch\(",
                        "XMLHttpRequest", r"https?://(?!www\.w3\.org/)"):
            self.assertIsNone(re.search(foreign, self.text), foreign)

    def test_its_json_cannot_end_the_script(self):
        body = self.text.split('id="data">', 1)[1].split("</script>", 1)[0]
        self.assertNotIn("<", body)
        self.assertNotIn(">", body)

    def test_it_says_which_run_is_compared_with_which(self):
        data = self.data
        self.assertEqual(data["format"], 1)
        self.assertGreaterEqual(len(data["runs"]), 2)
        self.assertEqual(data["base"], 0)
        self.assertEqual(data["subject"], 1)
        self.assertIn("gap_ppm", data)
        self.assertTrue(data["scenario"]["claim"])
        self.assertIn("scenario:", data["scenario"]["file"])

    def test_quantiles_are_in_order_and_curves_end_at_the_worst(self):
        seen = 0
        for run in self.data["runs"]:
            for name, hist in run["hists"].items():
                order = [hist[key] for key in ("min", "p50", "p90", "p99", "p999", "max")]
                self.assertEqual(order, sorted(order), name)
                values, below = hist["curve"][::2], hist["curve"][1::2]
                self.assertEqual(values, sorted(values), name)
                self.assertEqual(below, sorted(below), name)
                self.assertEqual(below[-1], hist["count"], name)
                self.assertEqual(values[-1], hist["max"], name)
                seen += 1
        self.assertGreater(seen, 0)

    def test_nobody_is_in_two_places_and_no_cpu_has_two(self):
        for run in self.data["runs"]:
            free, idle = {}, {}
            for span in spans_of(run):
                self.assertLess(span["from"], span["until"])
                self.assertLessEqual(free.get(span["thread"], 0), span["from"])
                free[span["thread"]] = span["until"]
                if span["kind"] == RUNS:
                    self.assertLessEqual(idle.get(span["cpu"], 0), span["from"])
                    idle[span["cpu"]] = span["until"]
            self.assertTrue(free, run["policy"])

    def test_what_spans_and_marks_name_is_there(self):
        window = self.data["window"]
        for run in self.data["runs"]:
            for span in spans_of(run):
                self.assertLess(span["thread"], len(window["threads"]))
                self.assertLess(span["task"], len(window["tasks"]))
                self.assertLess(span["cpu"], self.data["scenario"]["cpus"])
                self.assertLess(span["reason"], len(self.data["reasons"]))
                self.assertLessEqual(span["until"], window["length"])

    def test_models_say_what_they_leave_out(self):
        models = self.data["models"]
        self.assertTrue(models)
        for model in models:
            if model["kind"] == "scheduler":
                self.assertTrue(model["leaves_out"], model["name"])


@unittest.skipUnless(shutil.which("node"), "skipped: no node to run the script of a page")
class Script(unittest.TestCase):
    """What the script of a page makes of its data, without a browser (page_dom.js)."""

    def read(self, *arguments):
        """The words of the page that a command writes, and how many of each element it has."""
        with tempfile.TemporaryDirectory() as where:
            path = Path(where) / "page.html"
            done = pvsim(*arguments, "--html", path)
            self.assertTrue(path.exists(), done.stderr)
            shown = subprocess.run(["node", Path(__file__).with_name("page_dom.js"), path],
                                   capture_output=True, encoding="utf-8", check=False,
                                   timeout=120)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        counts = dict(re.findall(r"^COUNT (\S+) (\d+)$", shown.stdout, re.MULTILINE))
        return shown.stdout, {name: int(count) for name, count in counts.items()}

    def test_a_stranger_reads_what_went_wrong_and_what_the_library_did(self):
        words, counts = self.read("compare", SCENARIO)
        self.assertRegex(words, r"player misses [\d,]+ of [\d,]+ deadlines under credit2; "
                                "with pvs-owning: none")
        self.assertRegex(words, r"Under credit2 it waits [\d.]+ ms for a CPU, while \d+ others")
        self.assertRegex(words, r"With pvs-owning it waits [\d.]+ µs for a CPU.*boosted \(")
        self.assertIn("✓ holds: 2 of 2 checks", words)
        self.assertIn("deadline missed", words)
        self.assertIn("What everybody gets", words)
        self.assertGreater(counts["rect"], 50)
        self.assertEqual(counts["h3"], 3)  # two timelines, and the library's decisions

    def test_a_page_of_one_run_has_a_picture(self):
        words, counts = self.read("run", SCENARIO, "--run", "base")
        self.assertIn("✗ player waits", words)
        self.assertGreater(counts["rect"], 20)

    def test_a_sweep_is_a_map(self):
        words, _ = self.read("sweep", SCENARIO, "--over", "machine.cpus=1,2", "--over",
                             "seed=1,2", "--show", "base.task.audio/player.misses")
        self.assertIn("What if it were different?", words)
        self.assertIn("machine.cpus", words)


class Trace(unittest.TestCase):
    """`pvsim run --perfetto`."""

    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as where:
            path = Path(where) / "trace.json"
            done = pvsim("run", SCENARIO, "--perfetto", path)
            assert path.exists(), done.stderr
            cls.text = path.read_text(encoding="utf-8")
        cls.events = json.loads(cls.text)["traceEvents"]

    def test_events_are_in_order(self):
        times = [event["ts"] for event in self.events if event["ph"] != "M"]
        self.assertGreater(len(times), 100)
        self.assertEqual(times, sorted(times))

    def test_every_lane_is_named_once(self):
        names = [(event["pid"], event["tid"]) for event in self.events
                 if event["ph"] == "M" and event["name"] == "thread_name"]
        self.assertEqual(len(names), len(set(names)))
        processes = [event["pid"] for event in self.events
                     if event["ph"] == "M" and event["name"] == "process_name"]
        self.assertEqual(len(processes), len(set(processes)))
        used = {(event["pid"], event["tid"]) for event in self.events if event["ph"] == "X"}
        self.assertFalse(used - set(names))
        self.assertFalse({pid for pid, _ in used} - set(processes))

    def test_slices_are_whole_and_do_not_overlap(self):
        self.assertFalse({event["ph"] for event in self.events} - set("XiCM"))
        free = {}
        for event in self.events:
            if event["ph"] != "X":
                continue
            lane = event["pid"], event["tid"]
            self.assertGreaterEqual(event["dur"], 0)
            start, end = round(event["ts"] * 1000), round((event["ts"] + event["dur"]) * 1000)
            self.assertLessEqual(free.get(lane, 0), start, event)
            free[lane] = end

    def test_a_cpu_lane_says_who_runs(self):
        slices = [event for event in self.events if event["ph"] == "X"]
        self.assertTrue(any(event["pid"] == PID_CPUS for event in slices))
        self.assertTrue(any(event["pid"] > PID_CPUS for event in slices))
        self.assertTrue(all(event["name"] for event in slices))

    def test_it_is_the_same_each_time(self):
        with tempfile.TemporaryDirectory() as where:
            path = Path(where) / "again.json"
            pvsim("run", SCENARIO, "--perfetto", path)
            self.assertEqual(path.read_text(encoding="utf-8"), self.text)


if __name__ == "__main__":
    PVSIM, SCENARIO = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
