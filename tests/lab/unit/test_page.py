#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The report: complete in itself, and honest about what is red. The numbers here are invented."""

import re
import unittest
import xml.etree.ElementTree as ElementTree

import lab_path  # noqa: F401
from pvslab import figures, page, results, scenarios, svg


def report_of(cell):
    """What the VMM would say about a cell, roughly."""
    window_ns = int(cell.seconds * 1e9)
    vms = []
    for vm in cell.vms:
        vcpu = {"end": "ran", "end_detail": 0, "run_ns": window_ns // len(cell.vms), "wait_ns": 0,
                "work": 1000}
        if "period_us" in vm:
            delay = 40_000 if cell.mode != "off" else 900_000
            raw = [delay + 100 * i for i in range(20)]
            vcpu |= {"periods": 20, "misses": 3, "samples": 20, "wake_ns": {"raw": raw},
                     "done_ns": {"raw": raw}, "burned": 5}
        vms.append({"name": vm["name"], "work": vm["work"], "vcpus": [vcpu] * vm.get("vcpus", 1)})
    return {"schema": results.SCHEMA, "mode": cell.mode, "seed": cell.seed, "complete": True,
            "measured_ns": window_ns, "vms": vms}


def build():
    chosen, seeds, scale, _ = scenarios.load_plan(quick=True)
    table = figures.Table()
    for scenario in chosen:
        for cell in scenario.cells(seeds, None, True, scale):
            results.add_report(table, cell, report_of(cell))
    judged = figures.judge(figures.figures(table, True, 1.0, 1.0))
    return table, {"figures": {item["name"]: item["value"] for item in judged},
                   "thresholds": judged, "red": ["<samples>"], "quick": True, "real_time": False,
                   "seeds": seeds, "notes": ["a & b"], "rows": results.summaries(table, chosen),
                   "environment": {"kernel": "K", "kernel_short": "K", "machine": "M",
                                   "guests": "G", "took": "T"}}


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table, cls.report = build()
        cls.html = page.render(cls.report, cls.table)

    def test_needs_neither_network_nor_script(self):
        self.assertNotRegex(self.html, r"(src|href)=|<script|@import|url\(")
        links = set(re.findall(r"https?://[^\"' ]+", self.html))
        self.assertLessEqual(links, {"http://www.w3.org/2000/svg"})

    def test_every_drawing_is_well_formed(self):
        drawings = re.findall(r"<svg.*?</svg>", self.html, re.DOTALL)
        self.assertGreater(len(drawings), 4)
        for drawing in drawings:
            ElementTree.fromstring(drawing)

    def test_every_figure_and_what_is_red_is_shown(self):
        for name in figures.THRESHOLDS:
            self.assertIn(f"<code>{name}</code>", self.html)
        self.assertIn("&lt;samples&gt;", self.html)
        self.assertIn("a &amp; b", self.html)

    def test_the_same_results_give_the_same_page(self):
        self.assertEqual(self.html, page.render(self.report, self.table))

    def test_every_row_is_printed(self):
        text = results.text_table(self.report["rows"])
        self.assertEqual(text.count("\n  "), len(self.report["rows"]))


class Reports(unittest.TestCase):
    def setUp(self):
        self.cell = next(scenarios.load("audio").cells([1]))
        self.report = report_of(self.cell)

    def refused(self, **changes):
        with self.assertRaises(results.LabError):
            results.check_report(self.cell, self.report | changes)

    def test_a_good_one_is_taken(self):
        results.check_report(self.cell, self.report)

    def test_one_that_cannot_be_believed_is_refused(self):
        self.refused(schema="other/1")
        self.refused(seed=99)
        self.refused(mode="on")
        self.refused(complete=False)

    def test_periods_that_a_starved_guest_never_began_are_misses(self):
        vcpu = {"end": "ran", "run_ns": 0, "wait_ns": 0, "work": 0, "periods": 0, "misses": 0}
        vm = {"name": "a", "work": "audio", "period_ns": 10_000_000, "vcpus": [vcpu]}
        total = results.vm_totals(vm, "", 1_000_000_000)
        self.assertEqual((total.periods, total.misses), (98, 98))
        vcpu |= {"periods": 99, "misses": 3}
        total = results.vm_totals(vm, "", 1_000_000_000)
        self.assertEqual((total.periods, total.misses), (99, 3))

    def test_a_guest_fault_is_refused(self):
        self.report["vms"][0]["vcpus"][0]["end"] = "fault"
        self.refused()


class Words(unittest.TestCase):
    def test_times_have_three_digits_at_most(self):
        for ns, shown in ((950, "950 ns"), (1500, "1.5 µs"), (31_900, "31.9 µs"),
                          (340_000, "340 µs"), (999_990, "1 ms"), (14_000_000, "14 ms"),
                          (2_000_000_000, "2 s")):
            self.assertEqual(svg.duration(ns), shown)

    def test_the_axis_covers_every_value_with_ticks_at_powers_of_ten(self):
        scale = svg.LogScale([30_000, 12_000_000], 0, 100)
        self.assertEqual(scale.decades(), [10**5, 10**6, 10**7])
        self.assertGreater(scale.at(30_000), 0)
        self.assertLess(scale.at(12_000_000), 100)
        step = scale.at(10**6) - scale.at(10**5)
        self.assertAlmostEqual(scale.at(10**7) - scale.at(10**6), step)

    def test_labels_of_marks_neither_leave_the_drawing_nor_overlap(self):
        scale = svg.LogScale([1_000, 90_000_000], 150, 600)
        marks = {"typical": 80_000_000, "1 in 100": 85_000_000, "worst": 90_000_000}
        found = re.findall(r'<text x="([0-9.]+)"[^>]*>([^<]*)', "".join(
            svg.strip_marks(marks, scale, 50, "#000")))
        self.assertEqual(len(found), 3)
        for (x, label), (after, _) in zip(found, found[1:] + [(svg.WIDTH, "")]):
            self.assertLess(float(x) + 6.5 * len(label), float(after))


if __name__ == "__main__":
    unittest.main()
