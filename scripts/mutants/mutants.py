#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Mutation testing of core and shim: is there a test that notices each small fault?

    mutants.py [--count N] [--seed S] [--only REGEX] [--root DIR] [--report FILE]

Tries every mutant there is, or with --count N so many of them, drawn by the seed, with some of each
operator.

A mutant is one change of one file by a named operator (operators.py). It is killed when a unit
test, a conformance test or the vectors fail with it, crash, or take far more time than they should.
A mutant that does not compile is none. All others count, also those that change nothing anybody
could see; each survivor has its reason in survivors.txt, or is unexplained.

Exit status: 0 when enough are killed and every survivor is explained.
"""
import argparse
import json
import os
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from queue import Empty, Queue

sys.dont_write_bytecode = True  # nothing but sources beside the sources
sys.path.insert(0, str(Path(__file__).resolve().parent))

import survivors  # noqa: E402
from builder import Bench, Build, BuildError  # noqa: E402
from operators import OPERATORS, in_order, mutants_of  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
COUNT_LEAST = 400
RATIO_LEAST = 0.95
SEED = 3
NICE = 10


def files_of(root):
    """The files that are mutated: every source of core and shim, and their inline functions."""
    names = [path for directory in ("libpvsched/src", "guest-shim/src")
             for path in sorted((root / directory).glob("*.[ch]")) if path.name != "unity.c"]
    names.append(root / "guest-shim/include/pvs/guest_inline.h")
    return [str(path.relative_to(root)) for path in names]


class Order:
    """Which test to try first: what killed most for its time, in this file, then anywhere."""

    def __init__(self):
        self.lock = threading.Lock()
        self.kills = Counter()
        self.tries = Counter()
        self.seconds = Counter()

    def sort(self, path, programs):
        """The tests, the most promising one first."""
        with self.lock:
            return sorted(programs, key=lambda program: (-self._worth(path, program.name),
                                                         program.cpu_s, program.name))

    def _worth(self, path, name):
        here, anywhere = (path, name), (None, name)
        kills = self.kills[here] + 0.05 * (self.kills[anywhere] + 1) / (self.tries[anywhere] + 1)
        time_s = self.seconds[here] + self.seconds[anywhere] / (self.tries[anywhere] + 1) + 0.001
        return kills / time_s

    def learn(self, path, name, killed, seconds):
        """What became of one try."""
        with self.lock:
            for key in ((path, name), (None, name)):
                self.kills[key] += killed
                self.tries[key] += 1
                self.seconds[key] += seconds


class Run:
    """All mutants of a tree, tried by several workers."""

    def __init__(self, build, texts):
        self.build = build
        self.texts = texts
        self.order = Order()
        self.queue = Queue()
        self.results = []  # (position, mutant, killer or None)
        self.broken = 0    # did not compile
        self.same = set()  # keys of mutants whose code is what it was
        self.lock = threading.Lock()
        self.want = 0
        self.error = None

    def go(self, mutants, want, jobs):
        """Tries mutants in their order until `want` of them did compile."""
        self.want = want
        for place in enumerate(mutants):
            self.queue.put(place)
        workers = [threading.Thread(target=self._work, args=(number,)) for number in range(jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if self.error:
            raise self.error
        # Workers may have finished one more than wanted: which one is no matter of luck.
        self.results = [(mutant, killer) for _, mutant, killer in sorted(
            self.results, key=lambda result: result[0])[:want]]

    def _work(self, number):
        try:
            bench = Bench(self.build, number)
            while not self.error:
                with self.lock:
                    if len(self.results) >= self.want:
                        return
                self._try(bench, *self.queue.get_nowait())
        except Empty:
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _try(self, bench, position, mutant):
        bench.mutate(mutant.path, mutant.apply(self.texts[mutant.path]))
        try:
            outcome, killer = self._kill(bench, mutant)
        finally:
            bench.restore(mutant.path)
        with self.lock:
            if outcome == "broken":
                self.broken += 1
                return
            if outcome == "same":
                self.same.add(mutant.key)
            self.results.append((position, mutant, killer))
            done = len(self.results)
            if done % 50 == 0:
                killed = sum(1 for *_, by in self.results if by)
                print(f"{done} mutants, {killed} killed", flush=True)

    def _kill(self, bench, mutant):
        """(what it is, the test that killed it or None)"""
        try:
            preload, same = bench.preload(mutant.path)
        except BuildError:
            return "broken", None
        programs = bench.concerned(mutant.path)
        if same:  # no test can tell, but one that compiles the source in another way
            programs = [program for program in programs if bench.own(program, mutant.path)]
        for program in self.order.sort(mutant.path, programs):
            start = time.monotonic()
            try:
                executable = bench.executable(program, mutant.path)
            except BuildError:
                return "broken", None
            killed = not self.build.passes(program, executable, preload)
            self.order.learn(mutant.path, program.name, killed, time.monotonic() - start)
            if killed:
                return "alive", program.name
        return ("same" if same else "alive"), None


def sources_of(root, only):
    """(texts, mutants) of the files whose path matches `only`."""
    texts, mutants = {}, []
    for path in files_of(root):
        texts[path] = (root / path).read_text()
        if re.search(only, path):
            mutants += mutants_of(path, texts[path])
    return texts, mutants


def report_of(run, arguments, known, seconds):
    """The object that mutants.json holds, and the lines for people."""
    results = sorted(run.results, key=lambda result: (result[0].path, result[0].start,
                                                      result[0].operator))
    killed = sum(1 for _, killer in results if killer)
    alive = [mutant for mutant, killer in results if not killer]
    explained, unexplained = survivors.explain(alive, run.same, known)
    tried = Counter(mutant.operator for mutant, _ in results)
    deaths = Counter(mutant.operator for mutant, killer in results if killer)
    figures = {
        "mutants": len(results),
        "killed": killed,
        "killed_ratio": round(killed / max(1, len(results)), 4),
        "survivors": len(alive),
        "survivors_unexplained": len(unexplained),
        "operators": len(tried),
        "seconds": round(seconds),
    }
    whole = {
        "figures": figures,
        "seed": arguments.seed,
        "operators": {name: {"mutants": tried[name], "killed": deaths[name]} for name in OPERATORS},
        "files": {path: {"mutants": count, "killed": sum(
            1 for mutant, killer in results if killer and mutant.path == path)}
                  for path, count in sorted(Counter(m.path for m, _ in results).items())},
        "killers": dict(Counter(killer for _, killer in results if killer).most_common()),
        "survivors": [{"file": mutant.path, "line": mutant.line,
                       "function": mutant.function, "operator": mutant.operator,
                       "before": mutant.before, "after": mutant.after,
                       "reason": explained.get(mutant.key)} for mutant in alive],
    }
    return whole


def lines_of(whole):
    """The report for people."""
    yield "mutants killed   operator"
    for name, row in whole["operators"].items():
        yield f"{row['mutants']:7d} {row['killed']:6d}   {name}"
    yield ""
    yield "mutants killed   file"
    for name, row in whole["files"].items():
        yield f"{row['mutants']:7d} {row['killed']:6d}   {name}"
    yield ""
    yield "survivors"
    for one in whole["survivors"]:
        yield f"  {one['file']}:{one['line']}: {one['function']}: {one['operator']}"
        yield f"    - {one['before']}"
        yield f"    + {one['after']}"
        yield f"    {one['reason'] or 'UNEXPLAINED'}"
    yield ""
    yield ", ".join(f"{name} {value}" for name, value in whole["figures"].items())


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, help="so many of them, drawn; default: all")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="files whose path matches this")
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args(words)


def main():
    arguments = parse(sys.argv[1:])
    root = arguments.root.resolve()
    report = arguments.report or root / "build/report/mutants.json"
    os.nice(NICE)
    start = time.monotonic()
    texts, mutants = sources_of(root, arguments.only)
    want = arguments.count or len(mutants)
    build = Build(root, root / "build/mutants", arguments.jobs)
    try:
        build.prepare()
        print(f"{len(mutants)} mutants known, {len(build.programs)} tests, "
              f"ready after {time.monotonic() - start:.0f} s", flush=True)
        run = Run(build, texts)
        run.go(in_order(mutants, want, arguments.seed), want, arguments.jobs)
    except BuildError as error:
        sys.exit(f"mutants: {error}")

    known = survivors.read(Path(__file__).with_name("survivors.txt"))
    whole = report_of(run, arguments, known, time.monotonic() - start)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(whole, indent=1) + "\n")
    lines = "\n".join(lines_of(whole)) + "\n"
    report.with_suffix(".txt").write_text(lines)
    print(lines, end="")
    if not arguments.only:
        for key in survivors.outdated(known, mutants):
            print(f"survivors.txt speaks of what is not there any more: {key}")
    print(f"{run.broken} more did not compile; {report}")
    figures = whole["figures"]
    good = figures["killed_ratio"] >= RATIO_LEAST and not figures["survivors_unexplained"]
    if not arguments.only and figures["mutants"] < COUNT_LEAST:
        good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
