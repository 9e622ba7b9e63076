#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares the independent model with the engine, line by line.

    compare.py --replay PROGRAM [--report FILE]    boundaries in all combinations, then drawn steps
    compare.py --replay PROGRAM --only PIECE       one piece again, as a mismatch has named it

PROGRAM is the replayer of vectors (abi/spec/vectors.md), the engine compiled into it. Both sides
are given the same op lines and must answer with the same result lines. The work is cut into pieces,
each of which begins a world of its own: `boundary:FAMILY:FIRST` and `drawn:SEED`.
"""
import argparse
import importlib
import json
import multiprocessing
import os
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from boundaries import FAMILIES  # noqa: E402
from pvsmodel import config, draws, perf, yielding  # noqa: E402
from pvsmodel.world import World  # noqa: E402

CASES_IN_PIECE = 1000
STEPS_IN_PIECE = 2500
# With these, two million are compared; a nightly run may ask for more.
DRAWN_PIECES = 440
SHOWN = 5
BEFORE_SHOWN = 6
LIMIT_S = 300


class Piece:
    """The lines of a piece, and what the model makes of them."""

    def __init__(self, name):
        self.name = name
        self.lines = []
        self.results = []
        self.decisions = 0
        self.world = World()

    def run(self, line):
        """One more line, through the model."""
        result = self.world.run(line)
        self.lines.append(line)
        self.results.append(result)
        self.decisions += line.startswith("step ")
        return result

    def text(self):
        """As the file of vectors that the other side reads."""
        return "\n".join((f"vector {self.name}", *self.lines, ""))


def boundary_piece(name):
    """Cases of a family."""
    _, family, first = name.split(":")
    family = FAMILIES[family]
    piece = Piece(name)
    for line in family.setup():
        piece.run(line)
    for index in range(int(first), min(int(first) + CASES_IN_PIECE, len(family))):
        for line in family.lines(index):
            piece.run(line)
    return piece


# ---- drawn pieces: the worlds are drawn too -----------------------------------------------------

def drawn_fields(chance, fields, share):
    """Some fields of a configuration, at their limits or anywhere between."""
    words = []
    for name, low, high, preset in fields:
        if chance.random() >= share:
            continue
        value = chance.choice((low, low + 1, high, high - 1, preset, preset * 2, preset // 2,
                               low + (high - low >> chance.randrange(30))))
        words.append(f"{name}={min(max(value, low), high)}")
    return " ".join(words)


def begin_whole(piece, chance, split):
    """A host, its terms and some vCPUs."""
    piece.run(f"config profile={chance.randrange(len(config.PROFILES))}")
    piece.run("config " + drawn_fields(chance, config.FIELDS, chance.choice((0, 0.05, 0.3))))
    caps = chance.choice((0x7FF, 0x7FF, 0x7F7, 0x7FE, chance.randrange(0x800)))
    vcpus = chance.choice((1, 2, 4, 16))
    some = chance.randrange(1 << 14)
    accept = "all" if split else chance.choice(("whole", "whole", "whole", some))
    piece.run(f"vm caps={caps:#x} slots={chance.choice((vcpus, vcpus, 16))}"
              f" generation={chance.randrange(1 << 24)} accept={accept}")
    for v in range(vcpus):
        piece.run(f"vcpu {v} online=1")
        piece.run(f"step {v} attach now={chance.choice((0, 1, 1 << 40, (1 << 64) - 10**9))}")
    return vcpus


def begin_guest(piece, chance):
    """A host and a guest that has bound to it."""
    caps = chance.choice((0x7FF, 0x7FF, chance.randrange(0x800)))
    vcpus = chance.choice((1, 2, 4, 16))
    piece.run(f"vm caps={caps:#x} slots={vcpus} generation={chance.randrange(1 << 24)}")
    piece.run(f"guest_bind wanted={chance.choice(('all', 'whole', chance.randrange(1 << 15)))}")
    piece.run("choice header=1")
    for v in range(vcpus):
        piece.run(f"guest_online {v}")
        piece.run(f"step {v} attach now=1s")
    return vcpus


def begin_yield(piece, chance):
    """A VM whose vCPUs yield."""
    vcpus = chance.choice((1, 2, 3, 8, 64, 65, 1024))
    names = {"ipi_window_ns": "ipi_window", "transfer_min_ns": "transfer_min",
             "debounce_ns": "debounce"}
    drawn = [row for row in yielding.FIELDS if row[0] not in ("reserved", "transfer")]
    words = drawn_fields(chance, drawn, 0.4) + f" transfer={chance.choice((1, 2, 2, 3, 3))}"
    for long, short in names.items():
        words = words.replace(long, short)
    piece.run(f"yield_vm slots={max(vcpus - chance.randrange(2), 1)} {words}")
    return vcpus


def begin_perf(piece, chance):
    """Domains with tables."""
    words = drawn_fields(chance, perf.FIELDS, 0.3)
    for unit in ("_q10", "_ns"):
        words = words.replace(unit, "")
    piece.run(f"perf_config {words}")
    for domain in range(4):
        capacities = sorted(chance.sample(range(1, 1025), chance.choice((1, 1, 2, 5, 64))))
        values = sorted(chance.randrange(1, 4_000_000) for _ in capacities)
        levels = ",".join(f"{c}:{v}" for c, v in zip(capacities, values))
        # A line of the language has at most 1000 bytes.
        if len(levels) < 900:
            piece.run(f"perf_domain {domain} levels={levels}")
    return 1


def begin_queue(piece, chance):
    """Entities of all weights."""
    piece.run("config " + drawn_fields(chance, config.FIELDS, chance.choice((0, 0.2))))
    entities = chance.choice((2, 4, 16))
    for e in range(entities):
        weight = chance.choice((0, 1, 2, 256, 65535, 65536, chance.randrange(65536)))
        cap = chance.choice(("", "", "cap=1", f"cap={chance.randrange(70000)}"))
        piece.run(f"entity {e} {chance.randrange(2)} weight={weight} {cap}")
    return entities


_PROFILES = (draws.WHOLE,) * 9 + (draws.SPLIT,) * 3 + (
    draws.YIELD, draws.YIELD, draws.PERF, draws.QUEUE, draws.QUEUE, draws.GUEST)


def drawn_piece(name):
    """Drawn lines in a drawn world."""
    seed = int(name.split(":")[1])
    chance = random.Random(f"world {seed}")
    piece = Piece(name)
    profile = _PROFILES[seed % len(_PROFILES)]
    if profile in (draws.WHOLE, draws.SPLIT):
        vcpus = begin_whole(piece, chance, profile == draws.SPLIT)
    else:
        begin = {draws.YIELD: begin_yield, draws.PERF: begin_perf, draws.QUEUE: begin_queue,
                 draws.GUEST: begin_guest}[profile]
        vcpus = begin(piece, chance)
    lines = draws.source(profile, seed, vcpus).lines
    for _ in range(STEPS_IN_PIECE):
        lines(piece.run)
    return piece


# ---- the other side -----------------------------------------------------------------------------

def make(name):
    """The piece of this name."""
    return {"boundary": boundary_piece, "drawn": drawn_piece}[name.partition(":")[0]](name)


def answers(replay, piece):
    """What the replayer makes of the lines: 'op -> result' for each."""
    done = subprocess.run([replay, "-t", "/dev/stdin"], input=piece.text(), capture_output=True,
                          text=True, timeout=LIMIT_S, check=False)
    lines = done.stdout.splitlines()
    if len(lines) != len(piece.lines) + 2:
        raise RuntimeError(f"{piece.name}: {len(piece.lines)} lines in, {len(lines) - 2} out, ended"
                           f" with {done.returncode}: {done.stderr.strip()[-500:]}")
    return lines[1:-1]


def differences(piece, lines):
    """Numbers of lines whose results are not the same."""
    return [number for number, (line, result) in enumerate(zip(lines, piece.results))
            if line.partition(" -> ")[2] != result]


def explain(piece, lines, number):
    """A mismatch, and what came before it."""
    engine = lines[number].partition(" -> ")[2]
    model = piece.results[number]
    told = dict(word.partition("=")[::2] for word in engine.split())
    own = dict(word.partition("=")[::2] for word in model.split())
    fields = [f"{name}: engine {told.get(name)}, model {own.get(name)}"
              for name in {**told, **own} if told.get(name) != own.get(name)]
    text = [f"{piece.name}, line {number + 1}: {piece.lines[number]}", *fields]
    text += ["before it:"]
    text += [f"    {lines[n]}" for n in range(max(number - BEFORE_SHOWN, 0), number)]
    return "\n  ".join(text)


def compare(job):
    """One piece: (name, lines, decisions, mismatches, explanations)."""
    replay, name, flips = job
    flip(flips)
    piece = make(name)
    lines = answers(replay, piece)
    wrong = differences(piece, lines)
    return (name, len(piece.lines), piece.decisions, len(wrong),
            [explain(piece, lines, number) for number in wrong[:1]])


def flip(flips):
    """Puts faults into the model: MODULE.NAME=VALUE."""
    for text in flips:
        where, _, value = text.partition("=")
        module, _, name = where.rpartition(".")
        module = importlib.import_module("pvsmodel." + module)
        getattr(module, name)
        setattr(module, name, int(value, 0))


def boundary_names(decides):
    """All pieces of the families that decide, or of the others."""
    return [f"boundary:{name}:{first}" for name, family in FAMILIES.items()
            if family.decides == decides for first in range(0, len(family), CASES_IN_PIECE)]


class Totals:
    """What has been compared."""

    def __init__(self):
        self.lines = self.decisions = self.mismatches = 0
        self.pieces = []

    def add(self, outcome, options):
        """One piece is done."""
        name, lines, decisions, mismatches, explanations = outcome
        self.lines += lines
        self.decisions += decisions
        self.mismatches += mismatches
        if mismatches:
            self.pieces.append(name)
        if mismatches and len(self.pieces) <= SHOWN:
            print(*explanations, sep="\n")
            print(f"  again: {again(options, name)}\n", flush=True)


def again(options, name):
    """The command that compares one piece again."""
    flips = "".join(f" --flip {text}" for text in options.flip)
    return f"{sys.argv[0]} --replay {options.replay} --only {name}{flips}"


def run(names, options):
    """Compares pieces, as many at a time as there are processors."""
    totals = Totals()
    began, used = time.monotonic(), children_s()
    jobs = [(options.replay, name, options.flip) for name in names]
    with multiprocessing.Pool(options.jobs) as pool:
        for outcome in pool.imap_unordered(compare, jobs):
            totals.add(outcome, options)
        pool.close()
        pool.join()
    totals.seconds = round(time.monotonic() - began, 1)
    totals.cpu_seconds = round(children_s() - used, 1)
    return totals


def children_s():
    """Processor time of all children that have ended: the model's workers and the engine."""
    used = os.times()
    return used.children_user + used.children_system


def report(boundary, others, drawn, options):
    """What there is to say, and the figures."""
    mismatches = boundary.mismatches + others.mismatches + drawn.mismatches
    figures = {
        "model_steps": boundary.decisions + others.lines + drawn.lines,
        "model_mismatches": mismatches,
        "model_boundary_decisions": boundary.decisions, "model_boundary_s": boundary.seconds,
        "model_boundary_cpu_s": boundary.cpu_seconds,
        "model_drawn_steps": drawn.lines, "model_drawn_s": drawn.seconds,
        "model_drawn_cpu_s": drawn.cpu_seconds,
        "model_engine_lines": others.lines, "failures": mismatches,
        "model_seed_first": options.seed, "model_seed_last": options.seed + options.pieces - 1,
    }
    print(f"boundaries: {boundary.decisions} decisions in {boundary.lines} lines,"
          f" {boundary.mismatches} mismatches, {boundary.seconds} s"
          f" ({boundary.cpu_seconds} s of processors)")
    print(f"boundaries of other engines: {others.lines} lines, {others.mismatches} mismatches,"
          f" {others.seconds} s ({others.cpu_seconds} s of processors)")
    print(f"drawn: seeds {options.seed}..{options.seed + options.pieces - 1},"
          f" {drawn.lines} steps, {drawn.mismatches} mismatches, {drawn.seconds} s"
          f" ({drawn.cpu_seconds} s of processors)")
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if mismatches else 0


def main():
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replay", required=True, help="program with the engine")
    parser.add_argument("--report", type=Path, help="JSON file for the figures")
    parser.add_argument("--seed", type=int, default=1, help="first seed of drawn pieces")
    parser.add_argument("--pieces", type=int, default=DRAWN_PIECES, help="how many drawn pieces")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", metavar="PIECE", default=[])
    parser.add_argument("--flip", action="append", metavar="MODULE.NAME=VALUE", default=[],
                        help="a fault in the model, to see it found")
    options = parser.parse_args()
    if options.only:
        totals = run(options.only, options)
        print(f"{totals.lines} lines, {totals.mismatches} mismatches")
        return 1 if totals.mismatches else 0
    boundary = run(boundary_names(True), options)
    others = run(boundary_names(False), options)
    drawn = run([f"drawn:{seed}" for seed in range(options.seed, options.seed + options.pieces)],
                options)
    return report(boundary, others, drawn, options)


if __name__ == "__main__":
    sys.exit(main())
