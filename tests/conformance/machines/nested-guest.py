#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same image as a KVM guest: QEMU emulates a machine, its Linux runs the image under KVM."""

import bare
import linux
import machine
from machine import HERE
from pvslab.common import LAB

SCRIPT = """for module in irqbypass kvm kvm-amd; do
	[ ! -e /lib/$module.ko ] || insmod /lib/$module.ko
done
kvm-runner /image.elf"""


def body(work):
    image = bare.build(work)
    runner = work / "kvm-runner"
    machine.run([machine.tool("gcc"), *machine.WARNINGS, "-O2", "-D_GNU_SOURCE", "-static",
                 "-o", runner, HERE / "nested/runner.c"])
    manifest = linux.lab_packages()
    modules = {path.stem: path.read_bytes() for path in sorted((LAB / "modules").glob("*.ko"))}
    print(f"under KVM of Linux {manifest['kernel']['version']}")
    return machine.summary(linux.boot(
        work, manifest, LAB / manifest["kernel"]["boot"], SCRIPT, modules,
        {"kvm-runner": runner.read_bytes()}, {"image.elf": image.read_bytes()}))


machine.main(body)
