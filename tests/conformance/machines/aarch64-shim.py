#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The bare-metal port of the shim for 64-bit Arm, at work: two CPUs under QEMU, the engine as their
host at EL2. Each statement is a line, PASS or FAIL.
"""

import re

import machine
from machine import EXIT_FAIL, HERE, REPO, LabError

PORT = REPO / "guest-shim/os/baremetal/aarch64"
BOARD = ("-M", "virt,gic-version=3,virtualization=on", "-cpu", "cortex-a57", "-smp", "2",
         "-m", "256M", "-accel", "tcg", "-display", "none", "-nodefaults", "-monitor", "none",
         "-no-reboot", "-serial", "stdio")
BOOT_LIMIT_S = 60


def body(work):
    qemu = machine.tool("qemu-system-aarch64")
    compiler = machine.tool("aarch64-linux-gnu-gcc")
    directory = HERE / "aarch64"
    image = machine.compile_image(
        compiler, work / "image.elf",
        [directory / "host.S", directory / "host.c", directory / "guest.c",
         *sorted((PORT / "src").glob("*.[Sc]")), *machine.guest_sources(),
         *machine.core_sources()],
        ["-mstrict-align", "-mno-outline-atomics", f"-Wl,-T,{directory / 'image.ld'}",
         f"-I{PORT / 'include'}", *machine.includes("libpvsched/src")])
    said = machine.run([qemu, *BOARD, "-kernel", image], BOOT_LIMIT_S)
    print(said, end="")
    if not re.search(r"^END failed=", said, re.MULTILINE):
        raise LabError("the image has not come to its end")
    return EXIT_FAIL if re.search(r"^FAIL|^END failed=[^0]", said, re.MULTILINE) else 0


machine.main(body)
