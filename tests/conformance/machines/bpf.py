#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The engine as BPF, verified and run by real kernels: this machine's, where it permits that, and the
lab's, in an emulated machine. User space reads and writes the lines. Both must agree.
"""

import subprocess
import sys

import linux
import machine
from machine import EXIT_SKIP, HERE, LabError, Unavailable
from pvslab.common import LAB

BPF_FLAGS = ("--target=bpf", "-mcpu=v3", "-O2", "-g", "-std=gnu11", "-fno-builtin", "-Wall",
             "-Wextra", "-Werror")
LIMIT_S = 120
SCRIPT = "bpf-replay /replay.bpf.o {vectors}"


def build(work):
    """(program, BPF object)"""
    directory = HERE / "bpf"
    headers = machine.includes("libpvsched/src", "guest-shim/src", "tests/conformance/replay")
    program, thing = work / "bpf-replay", work / "replay.bpf.o"
    work.mkdir(parents=True, exist_ok=True)
    machine.run([machine.tool("clang"), *BPF_FLAGS, *headers, f"-I{directory}", "-c",
                 directory / "replay.bpf.c", "-o", thing])
    machine.run([machine.tool("gcc"), *machine.WARNINGS, "-O2", "-D_GNU_SOURCE", *headers,
                 f"-I{directory}", "-static", "-o", program, directory / "main.c",
                 *machine.replay_sources(without=["exec.c"]), *machine.core_sources(),
                 *machine.guest_sources(), "-lbpf", "-lelf", "-lz"])
    return program, thing


def on_this_kernel(program, thing, vectors):
    """What the program says here, or None where this machine does not let it."""
    done = subprocess.run([program, thing, *vectors], text=True, capture_output=True, check=False,
                          timeout=LIMIT_S)
    if done.returncode == EXIT_SKIP:
        print(f"this kernel: {done.stdout.strip()}", file=sys.stderr)
        return None
    sys.stderr.write(done.stderr[-4000:])
    return done.stdout


def in_the_lab(work, program, thing, vectors):
    manifest = linux.lab_packages()
    names = [f"vectors/{path.name}" for path in vectors]
    files = {name: path.read_bytes() for name, path in zip(names, vectors)}
    script = SCRIPT.format(vectors=" ".join(f"/{name}" for name in names))
    return linux.boot(work, manifest, LAB / manifest["kernel"]["boot"], script, None,
                      {"bpf-replay": program.read_bytes()},
                      files | {"replay.bpf.o": thing.read_bytes()})


def body(work):
    program, thing = build(work)
    vectors = machine.vector_files()
    here = on_this_kernel(program, thing, vectors)
    try:
        lab = in_the_lab(work, program, thing, vectors)
    except Unavailable as reason:
        if here is None:
            raise
        print(f"the lab's kernel: skipped: {reason}", file=sys.stderr)
        return machine.summary(here)
    if here is not None and machine.line_of(here) != machine.line_of(lab):
        print(f"this kernel:      {machine.line_of(here)}", file=sys.stderr)
        raise LabError("two kernels, two results")
    return machine.summary(lab)


machine.main(body)
