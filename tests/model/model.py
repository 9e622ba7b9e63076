#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The independent model as a command.

    model.py                    op lines on stdin, one result line for each on stdout
    model.py --vectors FILE...  replays vectors with what they expect; prints the digest
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from pvsmodel.vectors import Tally, replay  # noqa: E402
from pvsmodel.world import World  # noqa: E402


def speak(source, sink):
    """The line protocol; `vector NAME` begins a new world, it and what is expected say nothing."""
    world = World()
    for line in source:
        line = line.partition("#")[0].partition(" -> ")[0].strip()
        if line.startswith("vector "):
            world = World()
        elif line and not line.startswith("= "):
            sink.write(world.run(line) + "\n")
            sink.flush()


def replay_files(paths):
    """Vectors, in the order of their names."""
    tally = Tally()
    for path in sorted(paths, key=lambda path: path.name.encode()):
        replay(path, path.read_text(encoding="ascii"), tally)
    for mismatch in tally.mismatches[:20]:
        print(mismatch, file=sys.stderr)
    print(f"digest={tally.digest:#018x} vectors={tally.vectors} steps={tally.steps}"
          f" mismatches={len(tally.mismatches)}")
    return 1 if tally.mismatches else 0


def main():
    """See above."""
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--vectors", nargs="+", metavar="FILE", type=Path)
    options = options.parse_args()
    if options.vectors:
        return replay_files(options.vectors)
    speak(sys.stdin, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
