#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What threads in the lab print becomes costs, and a table that can be compared."""

import unittest

import lab_path  # noqa: F401
from pvslab import calibration


def samples(p50, count=10, mean=None):
    return {"count": count, "mean": mean or p50, "p50": p50, "p90": p50 + 1, "p99": p50 + 2,
            "max": p50 + 3}


def thread(name, nice=0, share_ppm=500000, waits=1000, wakeups=None, irqs=0, switches=0):
    out = {"name": name, "nice": nice, "slice_ns": 0, "share_ppm": share_ppm,
           "waits": samples(waits), "irqs": samples(irqs), "switches": samples(switches)}
    if wakeups:
        out["wakeups"] = samples(wakeups)
    return out


def report(*threads):
    return {"measured_ns": 1000000000, "release": "7.3", "features": "HRTICK PLACE_LAG ",
            "preempt": "full (lazy) ", "base_slice_ns": "700000", "threads": list(threads)}


def reports():
    alone = thread("a", irqs=3800)
    alone["waits"] = samples(9000, count=5, mean=9000)
    return {
        "alone": report(alone),
        "trio": report(*(thread(n, switches=s) for n, s in (("a", 5600), ("b", 5700),
                                                            ("c", 9999)))),
        "wake": report(thread("light", wakeups=6600), thread("hog")),
        "hogs": report(thread("a"), thread("nice5", nice=5)),
        "periodic": report(thread("cyclic", wakeups=500000), thread("a")),
        "mixed": report(thread("short", wakeups=7000), thread("minus5", nice=-5)),
    }


MANIFEST = {"kernel": {"suite": "trixie", "version": "7.3.4-1"}, "qemu": {"version": "10"}}


class Costs(unittest.TestCase):
    def test_switch_is_the_median_of_threads_and_wake_the_rest(self):
        costs = calibration.costs(reports())
        self.assertEqual(costs["switch_ns"], 5700)
        self.assertEqual(costs["wake_ns"], 900)
        self.assertEqual(costs["tick_ns"], 3800)

    def test_background_is_what_takes_the_cpu_from_a_lone_thread(self):
        costs = calibration.costs(reports())
        self.assertEqual(costs["background_period_ns"], 200000000)
        self.assertEqual(costs["background_run_ns"], 9000 - 5700)


class Reduced(unittest.TestCase):
    def setUp(self):
        self.reduced = calibration.reduce(reports(), MANIFEST, "2026-11-22")

    def test_sleepers_are_told_by_wake_ups_and_hogs_by_waits(self):
        threads = self.reduced["scenarios"]["periodic"]["threads"]
        self.assertNotIn("waits", threads["cyclic"])
        self.assertNotIn("wakeups", threads["a"])

    def test_nice_becomes_the_weight_of_the_fair_class(self):
        self.assertEqual(
            self.reduced["scenarios"]["mixed"]["threads"]["minus5"]["weight"], 3121)

    def test_values_has_every_share_and_quantile(self):
        values = calibration.values(self.reduced)
        self.assertEqual(len(values), 6 * 5)
        self.assertEqual(values["periodic.cyclic.wakeups.max"], 500003)

    def test_table_has_a_line_for_each_thread(self):
        self.assertEqual(len(calibration.table(self.reduced).splitlines()), 3 + 6)


class Boots(unittest.TestCase):
    def test_every_scenario_runs_once(self):
        cells = [cell.name for boot in calibration.boots() for cell in boot.cells]
        self.assertEqual(sorted(cells), sorted({"alone", "trio", "wake", *calibration.SCENARIOS}))


if __name__ == "__main__":
    unittest.main()
