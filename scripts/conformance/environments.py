# SPDX-License-Identifier: BSD-2-Clause
"""Environments that are programs: the replayer built by this compiler for that processor."""
import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "conformance"
REPLAY = ROOT / "tests" / "conformance" / "replay"
VECTORS = ROOT / "abi" / "vectors"
MACHINES = ROOT / "tests" / "conformance" / "machines"
INCLUDES = ("abi/include", "libpvsched/include", "guest-shim/include")
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wvla", "-Wdeclaration-after-statement",
         "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror")
LIMIT_S = 600
EXIT_SKIP = 77
SUMMARY = re.compile(r"digest=(0x[0-9a-f]{16}) vectors=(\d+) steps=(\d+) mismatches=(\d+)"
                     r"(?: generated=(\d+))?")

# Every optimisation level sees other undefined behaviour; the sanitizers see the rest.
BUILDS = {
    "O0": ("-O0", "-g"),
    "O2": ("-O2",),
    "O3": ("-O3",),
    "Os": ("-Os",),
    "asan": ("-O1", "-g", "-fsanitize=address", "-fno-omit-frame-pointer"),
    "ubsan": ("-O1", "-g", "-fsanitize=undefined", "-fno-sanitize-recover=all"),
}

# The engine as one unit (src/unity.c) in these builds, stage by stage in the others: both shapes.
ONE_UNIT = {"O3", "Os", "asan"}
UNITY = ("-DPVS_UNITY_EXPORTED",)

# Compiler and emulator of each foreign processor, and the Debian packages they come in.
FOREIGN = {
    "i386": ("i686-linux-gnu-gcc", "qemu-i386"),
    "aarch64": ("aarch64-linux-gnu-gcc", "qemu-aarch64"),
    "riscv64": ("riscv64-linux-gnu-gcc", "qemu-riscv64"),
    "s390x": ("s390x-linux-gnu-gcc", "qemu-s390x"),
}

# The shim of a 32-bit guest always asks for split words. The vectors are of guests that store 64
# bits at once, which this one thread on i386 does as well as any.
SHIM_ON_32_BITS = ("-U__SIZEOF_POINTER__", "-D__SIZEOF_POINTER__=8",
                   "-Wno-builtin-macro-redefined")

HOSTS = ("host-gcc", "host-clang")
BOOTED = ("bare-x86-64", "nested-guest", "kernel-module", "bpf")
NAMES = (*HOSTS, *FOREIGN, *BOOTED)


class Skipped(Exception):
    """This machine cannot run the environment."""


class Red(Exception):
    """The environment ran and is wrong, or could not be built."""


@dataclass
class Outcome:
    """What one run of the vectors said."""
    digest: str
    vectors: int
    steps: int
    mismatches: int
    generated: int


def vector_files():
    """The vectors in the order that counts."""
    return sorted(VECTORS.glob("*.vec"), key=lambda path: path.name)


def input_fingerprint():
    """Of all that the matrix is about: sources and vectors."""
    return fingerprint([path.read_bytes() for path in vector_files()])


def listed(layer):
    """Sources that sources.cmake of a layer names."""
    text = (ROOT / layer / "sources.cmake").read_text()
    return [ROOT / layer / name for name in re.findall(r"^\s+(src/\S+?\.c)\b", text, re.MULTILINE)]


def replay_sources():
    """The replayer and its program."""
    names = [line.strip() for line in (REPLAY / "replay.list").read_text().splitlines()]
    return [REPLAY / name for name in (*names, "main.c") if name and not name.startswith("#")]


def fingerprint(flags):
    """Of everything that is compiled, and how."""
    digest = hashlib.sha256(repr(flags).encode())
    for layer in (*INCLUDES, "libpvsched/src", "guest-shim/src", "tests/conformance/replay"):
        for path in sorted((ROOT / layer).rglob("*.[ch]")):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def command(argv, **kwargs):
    """Runs a command; Red with its last words when it fails."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, timeout=LIMIT_S,
                          check=False, **kwargs)
    if done.returncode:
        words = (done.stdout + done.stderr).strip()[-3000:]
        raise Red(f"{Path(argv[0]).name} ended with {done.returncode}\n{words}")
    return done.stdout


def core_sources(flags):
    """The engine stage by stage, or as one unit."""
    if UNITY[0] in flags:
        return [ROOT / "libpvsched" / "src" / "unity.c"]
    return listed("libpvsched")


def compile_all(compiler, directory, flags):
    """Objects of all sources, in parallel."""
    jobs = []
    for path in (*core_sources(flags), *listed("guest-shim"), *replay_sources()):
        target = directory / (str(path.relative_to(ROOT)).replace("/", "-")[:-2] + ".o")
        special = SHIM_ON_32_BITS if "i686" in compiler and path.name == "bind.c" else ()
        jobs.append((target, [compiler, *FLAGS, *flags, *special,
                              *(f"-I{ROOT / name}" for name in INCLUDES),
                              "-c", path, "-o", target]))
    running = []
    width = os.cpu_count() or 2
    for target, argv in jobs:
        running.append(subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True))
        while len(running) >= width:
            finish(running.pop(0))
    for one in running:
        finish(one)
    return [target for target, _ in jobs]


def finish(process):
    """Waits for one compiler."""
    output, _ = process.communicate(timeout=LIMIT_S)
    if process.returncode:
        raise Red(f"compiler: {output.strip()[-3000:]}")


def build(name, compiler, flags, static=False):
    """The replayer's program; built only when something has changed. Returns its path."""
    if not shutil.which(compiler):
        raise Skipped(f"no {compiler} on this machine")
    directory = WORK / name
    program = directory / "replay"
    stamp = directory / "stamp"
    print_of = fingerprint((compiler, flags, static, FLAGS))
    if program.exists() and stamp.exists() and stamp.read_text() == print_of:
        return program
    directory.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    objects = compile_all(compiler, directory, flags)
    command([compiler, *flags, *(["-static"] if static else []), "-o", program, *objects])
    stamp.write_text(print_of)
    return program


def outcome_of(text):
    """The figures in what an environment has printed."""
    found = list(SUMMARY.finditer(text))
    if not found:
        raise Red(f"no figures in: {text.strip()[-1000:]}")
    last = found[-1]
    return Outcome(last[1], int(last[2]), int(last[3]), int(last[4]), int(last[5] or 0))


def replay(argv):
    """Runs a program of the replayer on all vectors."""
    done = subprocess.run([str(word) for word in (*argv, *vector_files())], capture_output=True,
                          text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=LIMIT_S,
                          check=False)
    if done.returncode not in (0, 1):
        raise Red(f"ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    outcome = outcome_of(done.stdout)
    if outcome.mismatches:
        raise Red(f"{outcome.mismatches} mismatches\n{done.stderr.strip()[:3000]}")
    if done.returncode:
        raise Red(f"ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return outcome


def run_host(name, builds=BUILDS):
    """One compiler, all builds, one digest."""
    compiler = name.removeprefix("host-")
    seen = {}
    for label, flags in builds.items():
        try:
            shape = UNITY if label in ONE_UNIT else ()
            seen[label] = replay([build(f"{name}-{label}", compiler, (*flags, *shape))])
        except Red as error:
            raise Red(f"-{label}: {error}") from None
    digests = {outcome.digest for outcome in seen.values()}
    if len(digests) != 1:
        raise Red("builds differ: " + ", ".join(f"{k} {v.digest}" for k, v in seen.items()))
    return next(iter(seen.values()))


def run_foreign(name):
    """A foreign processor, emulated."""
    compiler, emulator = FOREIGN[name]
    if not shutil.which(emulator):
        raise Skipped(f"no {emulator} on this machine")
    return replay([emulator, build(name, compiler, ("-O2", *UNITY), static=True)])


def run_booted(name):
    """A machine's driver."""
    driver = MACHINES / f"{name}.py"
    if not driver.exists():
        raise Red(f"{driver.relative_to(ROOT)} is missing")
    try:
        done = subprocess.run(["python3", str(driver)], capture_output=True, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, timeout=LIMIT_S,
                              check=False)
    except subprocess.TimeoutExpired:
        raise Red(f"no end within {LIMIT_S} s") from None
    if done.returncode == EXIT_SKIP:
        raise Skipped(done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "skipped")
    if done.returncode:
        raise Red((done.stdout + done.stderr).strip()[-3000:])
    outcome = outcome_of(done.stdout)
    if outcome.mismatches:
        raise Red(f"{outcome.mismatches} mismatches")
    return outcome


def run(name, quick=False):
    """Runs the environment of this name: an Outcome, or Skipped or Red."""
    if name in HOSTS:
        return run_host(name, {"O2": BUILDS["O2"]} if quick else BUILDS)
    return run_foreign(name) if name in FOREIGN else run_booted(name)
