#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Numbers in, numbers out: percentiles, fair shares, ratios and what the demo is judged by."""

import math
import unittest

import lab_path  # noqa: F401
from pvslab import figures
from pvslab.figures import Table, VmTotals, fair_shares, percentile, ratio
from pvslab.scenarios import Variant

MS = 1_000_000
SECOND = 1000 * MS


def audio(run_ms=50, latency=(1000,), misses=0):
    return VmTotals("audio", "audio", run_ns=run_ms * MS, units=10, periods=len(latency),
                    misses=misses, latency_ns=list(latency))


def burner(name, run_ms=475, work="burn", role=""):
    return VmTotals(name, work, role, run_ns=run_ms * MS, units=run_ms * 100)


def hostile_table(liar_ms=475, victim_ms=475, audio_ms=50, p99_beside=2000):
    """A second with a liar, and the same with everybody truthful; 1 s of CPU."""
    table = Table()
    lying = Variant("liar", (("hostile", "liar"),))
    truth = Variant("liar", (("hostile", "burn"),))
    for mode in ("off", "on"):
        table.add(truth, mode, 1, SECOND, [audio(), burner("b1", role="hostile"), burner("b2")])
    table.add(lying, "on", 1, SECOND, [
        audio(audio_ms, [p99_beside]), burner("b1", liar_ms, "liar", "hostile"),
        burner("b2", victim_ms)])
    return table


class Percentile(unittest.TestCase):
    def test_nearest_rank_of_a_hundred(self):
        values = list(range(1, 101))
        for percent in (1, 50, 99, 100):
            self.assertEqual(percentile(values, percent), percent)

    def test_never_between_two_samples(self):
        self.assertEqual(percentile([10, 20], 50), 10)
        self.assertEqual(percentile([10, 20], 51), 20)

    def test_order_does_not_matter_and_zero_is_the_least(self):
        self.assertEqual(percentile([3, 1, 2], 0), 1)
        self.assertEqual(percentile([3, 1, 2], 100), 3)

    def test_of_nothing_is_zero(self):
        self.assertEqual(percentile([], 99), 0)


class Ratio(unittest.TestCase):
    def test_nothing_against_nothing_is_one(self):
        self.assertEqual(ratio(0, 0), 1.0)

    def test_something_against_nothing_is_as_bad_as_it_gets(self):
        self.assertEqual(ratio(1, 0), figures.RATIO_MAX)


class FairShares(unittest.TestCase):
    def test_who_asks_for_little_gets_it_and_the_rest_is_split(self):
        shares = fair_shares({"audio": 0.05, "b1": math.inf, "b2": math.inf}, 1.0)
        self.assertAlmostEqual(shares["audio"], 0.05)
        self.assertAlmostEqual(shares["b1"], 0.475)
        self.assertAlmostEqual(shares["b2"], 0.475)

    def test_all_greedy_get_the_same(self):
        self.assertEqual(set(fair_shares(dict.fromkeys("abcd", math.inf), 1.0).values()), {0.25})

    def test_nobody_gets_more_than_asked_for(self):
        self.assertEqual(fair_shares({"a": 0.1, "b": 0.2}, 1.0), {"a": 0.1, "b": 0.2})

    def test_two_levels(self):
        shares = fair_shares({"a": 0.1, "b": 0.3, "c": 1.0}, 0.9)
        self.assertAlmostEqual(shares["c"], 0.5)

    def test_the_capacity_is_used_up_and_not_exceeded(self):
        shares = fair_shares({"a": 0.5, "b": math.inf, "c": 0.2}, 0.6)
        self.assertAlmostEqual(sum(shares.values()), 0.6)


class Shares(unittest.TestCase):
    def test_a_fair_liar_has_no_excess_and_its_victims_no_loss(self):
        values = figures.figures(hostile_table())
        self.assertAlmostEqual(values["liar_share_excess"], 0)
        self.assertAlmostEqual(values["victim_share_loss"], 0)

    def test_what_the_liar_wins_its_victim_loses(self):
        values = figures.figures(hostile_table(liar_ms=570, victim_ms=380))
        self.assertAlmostEqual(values["liar_share_excess"], 0.2)
        self.assertAlmostEqual(values["victim_share_loss"], 0.2)

    def test_a_starved_audio_vm_counts_as_a_victim(self):
        values = figures.figures(hostile_table(audio_ms=40))
        self.assertAlmostEqual(values["victim_share_loss"], 0.2)

    def test_cpu_time_burnt_by_the_host_is_lost_by_the_victims(self):
        values = figures.figures(hostile_table(liar_ms=451, victim_ms=451))
        self.assertAlmostEqual(values["victim_share_loss"], 24 / 475)

    def test_honest_latency_is_compared_with_the_truthful_vm(self):
        values = figures.figures(hostile_table(p99_beside=3000))
        self.assertAlmostEqual(values["honest_p99_beside_liar_ratio"], 3.0)

    def test_static_priority_slows_the_bystander(self):
        table = hostile_table()
        for says, units in (("liar", (900, 50)), ("burn", (475, 475))):
            table.add(Variant("liar", (("hostile", says),)), "static-rt", 1, SECOND,
                      [audio(), burner("b1", units[0], says, "hostile"), burner("b2", units[1])])
        self.assertAlmostEqual(figures.figures(table)["static_rt_host_worst_ratio"], 9.5)


class AudioFigures(unittest.TestCase):
    def table(self, on_latency, on_units=475):
        table = Table()
        for period in (2670, 5330):
            variant = Variant("audio", (("period_us", period),))
            table.add(variant, "off", 1, SECOND, [audio(latency=[1000] * 98 + [8000, 9000],
                                                        misses=30), burner("b1")])
            table.add(variant, "static-rt", 1, SECOND, [audio(latency=[100] * 100), burner("b1")])
            table.add(variant, "on", 1, SECOND, [audio(latency=on_latency[period]),
                                                 burner("b1", on_units)])
        return table

    def test_the_worst_period_counts(self):
        values = figures.figures(self.table({2670: [100] * 100, 5330: [400] * 100}))
        self.assertAlmostEqual(values["audio_p99_ratio"], 400 / 8000)
        self.assertAlmostEqual(values["audio_worst_ratio"], 400 / 9000)
        self.assertAlmostEqual(values["audio_p99_vs_static_rt"], 4.0)

    def test_one_bad_wake_up_is_the_worst_but_not_the_p99(self):
        bad = [100] * 199 + [9000]
        values = figures.figures(self.table({2670: bad, 5330: bad}))
        self.assertAlmostEqual(values["audio_worst_ratio"], 1.0)
        self.assertAlmostEqual(values["audio_p99_ratio"], 100 / 8000)

    def test_misses_add_up_over_periods_and_samples_take_the_least(self):
        values = figures.figures(self.table({2670: [1] * 40, 5330: [1] * 100}))
        self.assertEqual(values["baseline_misses"], 60)
        self.assertEqual(values["samples_min"], 40)

    def test_work_taken_from_the_burners_shows(self):
        values = figures.figures(self.table({2670: [1], 5330: [1]}, on_units=427.5))
        self.assertAlmostEqual(values["burner_work_ratio"], 0.9)

    def test_an_audio_vm_starved_by_a_static_priority_is_a_result_not_a_gap(self):
        table = self.table({2670: [1] * 100, 5330: [1] * 100})
        lying = Variant("liar", (("hostile", "liar"),))
        table.add(lying, "static-rt", 1, SECOND, [audio(latency=[]), burner("b", 950, "liar",
                                                                            "hostile")])
        self.assertEqual(figures.samples_min(table), 100)
        table.add(lying, "on", 1, SECOND, [audio(latency=[1]), burner("b", 950, "liar",
                                                                      "hostile")])
        self.assertEqual(figures.samples_min(table), 1)

    def test_locks_are_judged_by_the_worse_kind_of_waiter(self):
        self.assertEqual(self.locks(halting=99, spinning=50), (0.5, 0.5))
        self.assertEqual(self.locks(halting=98, spinning=130), (0.98, 1.3))

    @staticmethod
    def locks(halting, spinning):
        table = Table()
        for spin_us, with_it in ((20, halting), (0, spinning)):
            variant = Variant("locks", (("spin_us", spin_us),))
            table.add(variant, "off", 1, SECOND, [VmTotals("l", "locks", units=100)])
            table.add(variant, "on", 1, SECOND, [VmTotals("l", "locks", units=with_it)])
        values = figures.figures(table)
        return values["locks_ratio"], values["locks_spinning_ratio"]

    def test_seeds_are_pooled(self):
        table = Table()
        for seed in (1, 2):
            table.add(Variant("audio"), "off", seed, SECOND, [audio(latency=[seed])])
        row = table.row(Variant("audio"), "off")
        self.assertEqual(row.audible().latency_ns, [1, 2])
        self.assertEqual(row.window_ns, 2 * SECOND)
        self.assertEqual(row.seeds, [1, 2])


class Judging(unittest.TestCase):
    def test_what_was_not_measured_is_red(self):
        self.assertIs(figures.holds("samples_min", None), False)

    def test_limits_are_inclusive(self):
        self.assertTrue(figures.holds("audio_p99_ratio", 0.10))
        self.assertFalse(figures.holds("audio_p99_ratio", 0.1001))
        self.assertTrue(figures.holds("samples_min", 2000))
        self.assertFalse(figures.holds("samples_min", 1999))

    def test_contrast_is_never_red(self):
        self.assertIsNone(figures.holds("static_rt_host_worst_ratio", 1e6))

    def test_every_figure_has_a_verdict(self):
        self.assertEqual(list(figures.figures(Table())), list(figures.THRESHOLDS))
        self.assertEqual(len(figures.judge(figures.figures(Table()))), len(figures.THRESHOLDS))

    def test_two_runs_are_the_same_only_byte_by_byte(self):
        self.assertTrue(figures.same_bytes("ab", "ab"))
        self.assertFalse(figures.same_bytes("ab", "ac"))
        self.assertFalse(figures.same_bytes("", ""))


if __name__ == "__main__":
    unittest.main()
