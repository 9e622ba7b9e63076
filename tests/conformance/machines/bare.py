# SPDX-License-Identifier: BSD-2-Clause
"""The image without an operating system: replayer, engine, shim and vectors in one ELF file."""

import machine
from machine import HERE


def build(work):
    directory = HERE / "bare"
    return machine.compile_image(
        machine.tool("x86_64-linux-gnu-gcc", "gcc"), work / "image.elf",
        [directory / "start.S", directory / "main.c", HERE / "vectors.S",
         *machine.replay_sources(), *machine.core_sources(), *machine.guest_sources()],
        ["-m64", "-mno-red-zone", "-mcmodel=small", "-fcf-protection=none",
         f"-Wl,-T,{directory / 'image.ld'}", f'-DPVS_VECTORS="{machine.vectors(work)}"',
         *machine.includes("libpvsched/src", "guest-shim/src", "tests/conformance/replay")])
