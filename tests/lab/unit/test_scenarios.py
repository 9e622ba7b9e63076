#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Scenarios become command lines; cells become boots; reports become cells."""

import unittest

import lab_path  # noqa: F401
from pvslab import machine, scenarios
from pvslab.common import LabError
from pvslab.scenarios import Scenario

DATA = {"title": "t", "says": "s", "modes": ["off", "on"], "periods": 100,
        "axis": {"period_us": [2000, 4000]}, "quick": {"period_us": [4000]},
        "vm": [{"name": "a", "work": "audio", "period_us": "@period_us", "rt": 1},
               {"name": "b", "work": "burn"}]}


def cells(**changes):
    return list(Scenario("x", DATA | changes).cells([1, 2]))


def frame(name, body='{"a": 1}', status=0, end=None):
    return f"@begin {name}\r\n{body}\r\n@end {end or name} {status}\r\n"


class Cells(unittest.TestCase):
    def test_one_for_each_value_mode_and_seed(self):
        self.assertEqual(len(cells()), 2 * 2 * 2)
        self.assertEqual(len(set(cell.name for cell in cells())), 8)

    def test_an_axis_fills_in_the_vm_and_the_length(self):
        first = cells()[0]
        self.assertIn("name=a,work=audio,cpu=0,period_us=2000", first.arguments())
        self.assertEqual(first.seconds, 0.2)

    def test_a_period_can_have_its_own_length(self):
        own = cells(periods={"2000": 300, "4000": 50})
        self.assertEqual({cell.seconds for cell in own}, {0.6, 0.2})

    def test_priority_is_given_only_where_it_counts(self):
        static = [c for c in cells(modes=["static-rt", "on"]) if "rt=1" in " ".join(c.arguments())]
        self.assertEqual({c.mode for c in static}, {"static-rt"})

    def test_who_lies_gets_the_priority_it_claims_and_who_tells_the_truth_does_not(self):
        for variant in scenarios.load("liar").variants():
            rt = [vm["rt"] for vm in scenarios.load("liar").vms(variant) if vm.get("role")]
            self.assertEqual(rt, [int(variant.get("hostile") == "liar")])

    def test_quick_replaces_the_axis(self):
        quick = list(Scenario("x", DATA).cells([1], quick=True))
        self.assertEqual({cell.variant.get("period_us") for cell in quick}, {4000})

    def test_unknown_keys_and_modes_are_refused(self):
        with self.assertRaises(LabError):
            Scenario("x", DATA | {"colour": 1})
        with self.assertRaises(LabError):
            Scenario("x", DATA | {"modes": ["turbo"]})

    def test_every_scenario_of_the_project_makes_cells(self):
        for name in scenarios.names():
            self.assertTrue(list(scenarios.load(name).cells([1])), name)

    def test_the_demo_has_enough_samples_in_every_cell(self):
        for quick in (False, True):
            chosen, seeds, scale, _ = scenarios.load_plan(quick)
            for scenario in chosen:
                for variant in scenario.variants(quick):
                    periods = [vm["period_us"] for vm in scenario.vms(variant)
                               if "period_us" in vm]
                    for period_us in periods:
                        recorded = scenario.seconds(variant, scale, quick) * 1e6 / period_us
                        # a cell may lose two periods at its ends
                        self.assertGreaterEqual((recorded - 2) * len(seeds), 2000, variant.label())


class Boots(unittest.TestCase):
    def test_every_cell_runs_once_and_seeds_are_never_mixed(self):
        boots = scenarios.boots(cells(), 1)
        self.assertEqual(sorted(c.name for boot in boots for c in boot),
                         sorted(c.name for c in cells()))
        for boot in boots:
            self.assertEqual(len({cell.seed for cell in boot}), 1)

    def test_the_modes_of_a_variant_share_a_boot(self):
        boots = scenarios.boots(cells(), 0.1)
        for variant in {cell.variant for cell in cells()}:
            homes = {i for i, boot in enumerate(boots) for c in boot
                     if c.variant == variant and c.seed == 1}
            self.assertEqual(len(homes), 1)

    def test_equal_commands_are_measured_once(self):
        twice = cells() + [scenarios.Cell(scenarios.Variant("y"), c.mode, c.seed, c.seconds,
                                          c.vms) for c in cells()]
        self.assertEqual(len(scenarios.distinct(twice)), len(cells()))

    def test_the_longest_boot_comes_first(self):
        lengths = [scenarios.duration(boot) for boot in scenarios.boots(cells(), 0.5)]
        self.assertEqual(lengths, sorted(lengths, reverse=True))


class Results(unittest.TestCase):
    def setUp(self):
        self.cells = cells()[:2]
        self.names = [cell.name for cell in self.cells]

    def test_frames_are_read_with_either_line_end(self):
        text = "".join(frame(name) for name in self.names)
        for body in (text, text.replace("\r", "")):
            self.assertEqual(machine.parse_results(body, self.cells),
                             {name: {"a": 1} for name in self.names})

    def test_a_missing_cell_is_an_error(self):
        with self.assertRaisesRegex(LabError, "no result"):
            machine.parse_results(frame(self.names[0]), self.cells)

    def test_a_failed_cell_is_an_error(self):
        with self.assertRaisesRegex(LabError, "status 9"):
            machine.parse_results(frame(self.names[0], status=9), self.cells)

    def test_damaged_output_is_an_error(self):
        with self.assertRaisesRegex(LabError, "JSON"):
            machine.parse_results(frame(self.names[0], body='{"a": '), self.cells)
        with self.assertRaisesRegex(LabError, "closed by"):
            machine.parse_results(frame(self.names[0], end="other"), self.cells)


if __name__ == "__main__":
    unittest.main()
