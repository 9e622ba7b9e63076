#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
One seed, one trace: on every compiler and every processor.

    hashes.py [--json FILE] [--seeds N] [--pvsim PROGRAM]

Builds the simulator without its file reader (tests/sim/hashes) with gcc and clang for this
machine, at several optimisation levels and under the sanitizers, and with the cross compilers for
aarch64 and s390x (big-endian), which qemu-user runs. Each build prints the hash of the trace of the
same random scenarios; all must be equal. Then `pvsim swarm --hashes`, if given, must say the same
as itself when it is run twice.

Exit status 0 when there is one hash for each seed; 77 when a compiler or an emulator is missing.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "hashes" / str(os.getpid())
TREE = WORK / "tree"  # a copy: all builds are of the same sources, whatever is edited meanwhile
PROGRAM = "tests/sim/hashes/hashes.c"
INCLUDES = ("abi/include", "libpvsched/include", "guest-shim/include", "adapters/common/include",
            "adapters/null/include", "tools/pvsim/src")
LAYERS = ("libpvsched", "guest-shim", "adapters/common", "adapters/null")
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-ffunction-sections", "-fdata-sections")
SEEDS = 42
EXIT_SKIP = 77

# Name, compiler, flags, emulator.
BUILDS = (
    ("gcc-O2", "gcc", ("-O2",), None),
    ("gcc-O0", "gcc", ("-O0",), None),
    ("gcc-sanitizers", "gcc", ("-O1", "-g", "-fsanitize=address,undefined",
                               "-fno-sanitize-recover=all"), None),
    ("clang-O2", "clang", ("-O2",), None),
    ("clang-O3", "clang", ("-O3",), None),
    ("aarch64", "aarch64-linux-gnu-gcc", ("-O2",), "qemu-aarch64"),
    ("s390x", "s390x-linux-gnu-gcc", ("-O2",), "qemu-s390x"),
)


def fail(text, status=1):
    print(f"hashes.py: {text}", file=sys.stderr)
    sys.exit(status)


def copy_tree():
    for name in (*INCLUDES, *(f"{layer}/src" for layer in LAYERS), str(Path(PROGRAM).parent)):
        shutil.copytree(ROOT / name, TREE / name, dirs_exist_ok=True)


def listed(layer):
    """Sources that sources.cmake of a layer names."""
    text = (ROOT / layer / "CMakeLists.txt").read_text()
    listing = ROOT / layer / "sources.cmake"
    if listing.exists():
        text += listing.read_text()
    names = dict.fromkeys(re.findall(r"\b(src/\w+\.c)\b", text))
    return [TREE / layer / name for name in names if not name.endswith("unity.c")]


def simulator():
    """All that a run is made of: no commands, no reader of files, no reports."""
    apart = re.compile(r"(main|swarm_run|((cmd|report|scenario|tree|rtapp|expr|units)(_\w+)?))\.c")
    for path in sorted((TREE / "tools/pvsim/src").glob("*.c")):
        if not apart.fullmatch(path.name):
            yield path


def sources():
    return [path for layer in LAYERS for path in listed(layer)] + list(simulator())


def compile_one(argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{argv[0]} ... -o {argv[-1]}\n{(done.stdout + done.stderr)[-2000:]}")


def build(name, compiler, flags):
    """The program of one build; unneeded parts are left out by the linker."""
    directory = WORK / name
    directory.mkdir(parents=True)
    base = [compiler, *FLAGS, *flags, *(f"-I{TREE / path}" for path in INCLUDES)]
    jobs, objects = [], []
    for path in (*sources(), TREE / PROGRAM):
        target = directory / (str(path.relative_to(TREE)).replace("/", "-")[:-2] + ".o")
        jobs.append([*base, "-c", path, "-o", target])
        objects.append(target)
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(compile_one, jobs))
    program = directory / "hashes"
    compile_one([*base, "-static" if compiler.endswith("-linux-gnu-gcc") else "-g", *objects,
                 "-Wl,--gc-sections", "-o", program])
    return program


def run(argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{argv[-3]} ended with {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()


def compare(said):
    """The number of distinct answers, and what differs from the first build."""
    first_name, first = next(iter(said.items()))
    for name, lines in said.items():
        for one, other in zip(first, lines):
            if one != other:
                print(f"{first_name}: {one}\n{name}: {other}")
                break
    return len({tuple(lines) for lines in said.values()})


def missing():
    words = {word for _, compiler, _, emulator in BUILDS for word in (compiler, emulator) if word}
    return sorted(word for word in words if not shutil.which(word))


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--json", help="where the figures go")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--pvsim", help="its swarm must say the same twice")
    options = parser.parse_args()
    if missing():
        fail(f"skipped: {', '.join(missing())} missing", EXIT_SKIP)
    said = {}
    copy_tree()
    try:
        for name, compiler, flags, emulator in BUILDS:
            program = build(name, compiler, flags)
            said[name] = run([*([emulator] if emulator else []), program, 1, options.seeds])
            digest = hashlib.sha256("\n".join(said[name]).encode()).hexdigest()[:16]
            print(f"{name:<16}{digest}  {len(said[name])} scenarios", flush=True)
        if options.pvsim:
            swarm = [options.pvsim, "swarm", "--seeds", options.seeds, "--hashes"]
            twice = [sorted(line for line in run(swarm) if line[:1].isdigit() and
                            "seeds" not in line) for _ in range(2)]
            said_twice = len({tuple(lines) for lines in twice})
            if said_twice != 1:
                fail("pvsim swarm --hashes does not say the same twice")
    except RuntimeError as error:
        fail(error)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    figures = {"trace_hashes_distinct": compare(said), "trace_hash_builds": len(said),
               "trace_hash_scenarios": len(next(iter(said.values()))), "builds": list(said)}
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=1) + "\n")
    print(f"trace_hashes_distinct {figures['trace_hashes_distinct']} over {len(said)} builds")
    return 0 if figures["trace_hashes_distinct"] == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
