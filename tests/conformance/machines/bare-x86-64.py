#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The replayer in an image without an operating system, booted by QEMU's own x86-64 processor."""

import bare
import machine
from pvslab.common import LAB

import linux

EXIT_DONE = 33  # isa-debug-exit: 2 * EXIT_DONE of bare/main.c + 1
LIMIT_S = 300


def body(work):
    image = bare.build(work)
    linux.lab_packages()
    root = LAB / "root-qemu"
    share = root / "usr/share"
    libraries = f"{root / 'usr/lib/x86_64-linux-gnu'}:{root / 'lib/x86_64-linux-gnu'}"
    return machine.summary(machine.run(
        [root / "usr/bin/qemu-system-x86_64", "-L", share / "qemu", "-L", share / "seabios",
         "-accel", "tcg", "-cpu", "max", "-m", "64M", "-display", "none", "-nodefaults",
         "-no-reboot", "-monitor", "none", "-serial", "stdio",
         "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", image],
        LIMIT_S, expected=EXIT_DONE, env={"LD_LIBRARY_PATH": libraries}))


machine.main(body)
