#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The report of `./run sim` goes red when a figure does, when one is missing, and when a verdict
rests on too little."""
import contextlib
import io
import math
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "sim"))

import sim  # noqa: E402

GOOD = {
    "scenarios": 30, "scenarios_green": 30, "scenarios_red_without": 30, "calibration_gap": 0.2,
    "cyclictest_avg_gain": 10, "cyclictest_worst_gain": 5, "cyclictest_worst_us": 13999.0,
    "cyclictest_worst_vs_static_rt": 1.5, "host_worst_ratio": 1.3,
    "xen_mixed_misses_without": 50, "xen_mixed_misses_with": 0, "xen_share_error": 0.05,
    "tick_steal_excess": 0.02, "hostile_p99_bound_held": True, "overcommit_2vm_ratio": 1.001,
    "overcommit_min_ratio": 0.98, "ecs_preempted_ratio": 0.15, "instr_per_event": 2000,
    "swarm_seeds": 1000, "swarm_failures": 0, "trace_hashes_distinct": 1,
    "oracle_comparisons": 14, "oracle_red": 0,
}
BAD = {
    "scenarios": 24, "scenarios_green": 29, "scenarios_red_without": 29, "calibration_gap": 0.251,
    "cyclictest_avg_gain": 9.9, "cyclictest_worst_gain": 4.9, "cyclictest_worst_us": 14000,
    "cyclictest_worst_vs_static_rt": 1.51, "host_worst_ratio": 1.31,
    "xen_mixed_misses_without": 49, "xen_mixed_misses_with": 1, "xen_share_error": 0.051,
    "tick_steal_excess": 0.021, "hostile_p99_bound_held": False, "overcommit_2vm_ratio": 1.0,
    "overcommit_min_ratio": 0.979, "ecs_preempted_ratio": 0.151, "instr_per_event": 2001,
    "swarm_seeds": 999, "swarm_failures": 1, "trace_hashes_distinct": 2,
    "oracle_comparisons": 13, "oracle_red": 1,
}


def judged(figures, quick=False):
    with contextlib.redirect_stdout(io.StringIO()):
        return sim.judge(figures, quick)


def scenario(name="s", figures=None, texts=(), misses=None, samples=100):
    return {"name": name, "figures": figures or {}, "samples": samples, "baseline_misses": misses,
            "asserts": [{"text": text, "without_holds": holds, "without_error": None}
                        for text, holds in texts]}


class Limits(unittest.TestCase):
    def test_what_keeps_every_limit_is_green(self):
        self.assertEqual(judged(GOOD), [])

    def test_every_limit_is_known_here(self):
        self.assertEqual(set(GOOD), set(sim.LIMITS))
        self.assertEqual(set(BAD), set(sim.LIMITS))

    def test_each_figure_can_be_red(self):
        for name, value in BAD.items():
            red = judged({**GOOD, name: value})
            self.assertIn(name, red)
            if name != "scenarios":
                self.assertEqual(red, [name])

    def test_each_figure_that_is_missing_is_red(self):
        for name in GOOD:
            figures = dict(GOOD)
            del figures[name]
            self.assertIn(name, judged(figures))

    def test_what_is_no_number_is_red(self):
        self.assertEqual(judged({**GOOD, "overcommit_min_ratio": math.nan}),
                         ["overcommit_min_ratio"])
        self.assertEqual(judged({**GOOD, "xen_mixed_misses_with": math.nan}),
                         ["xen_mixed_misses_with"])

    def test_quick_says_nothing_of_what_it_leaves_out(self):
        self.assertEqual(judged({"scenarios": 4, "scenarios_green": 4, "scenarios_red_without": 4,
                                 "swarm_failures": 0}, quick=True), [])
        self.assertEqual(judged({"scenarios": 4, "scenarios_green": 3, "scenarios_red_without": 4},
                                quick=True), ["scenarios_green"])


class Scenarios(unittest.TestCase):
    def collected(self, *values):
        figures = {}
        sim.collect([scenario(figures=value) for value in values], figures)
        return figures

    def test_of_several_scenarios_the_worst_counts(self):
        self.assertEqual(self.collected({"overcommit_min_ratio": 1.1},
                                        {"overcommit_min_ratio": 0.9},
                                        {"overcommit_min_ratio": 1.2})["overcommit_min_ratio"], 0.9)
        self.assertEqual(self.collected({"tick_steal_excess": -0.1},
                                        {"tick_steal_excess": 0.1})["tick_steal_excess"], 0.1)
        self.assertEqual(self.collected({"xen_mixed_misses_with": 0},
                                        {"xen_mixed_misses_with": 3})["xen_mixed_misses_with"], 3)
        for order in ((1, 0), (0, 1)):
            self.assertIs(self.collected(*({"hostile_p99_bound_held": value} for value in order))
                          ["hostile_p99_bound_held"], False)

    def test_a_figure_that_could_not_be_had_is_red_wherever_it_is(self):
        for values in ((None, 1.0), (1.0, None)):
            figures = self.collected(*({"overcommit_min_ratio": value} for value in values))
            self.assertIn("overcommit_min_ratio", judged({**GOOD, **figures}))

    def test_misses_are_a_claim_where_a_verdict_rests_on_them(self):
        self.assertTrue(sim.claims_misses(scenario(
            texts=[("base.task.a/b.misses >= 50", True), ("with.vm.a.share > 1%", False)])))
        self.assertTrue(sim.claims_misses(scenario(texts=[("with.task.a/b.misses == 0", False)])))
        self.assertFalse(sim.claims_misses(scenario(
            texts=[("with.task.a/b.misses == 0", True), ("with.vm.a.share > 1%", False)])))
        self.assertFalse(sim.claims_misses(scenario(texts=[("with.vm.a.share > 1%", False)])))


if __name__ == "__main__":
    unittest.main()
