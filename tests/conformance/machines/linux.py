# SPDX-License-Identifier: BSD-2-Clause
"""A Linux of Debian's under the lab's QEMU: it runs one script and powers off."""

import machine  # first: it knows where pvslab is
from pvslab import image, packages
from pvslab.common import LAB

BOOT_LIMIT_S = 300
# Nothing but what the script prints goes to the second serial port.
INIT = """#!/bin/sh
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
stty -F /dev/ttyS1 raw -echo
exec >/dev/ttyS1 2>&1
{script}
echo "@status $?"
sleep 0.2
poweroff -f
"""


def lab_packages():
    """Kernel, QEMU and busybox of the lab; fetched when missing."""
    return packages.fetch(lambda _text: None)


def initramfs(path, manifest, script, modules, programs, files):
    busybox = (LAB / manifest["busybox"]["binary"]).read_bytes()
    members = image.base_members(busybox, modules, programs, INIT.format(script=script))
    for name, data in files.items():
        members[name] = image.program(data)
    path.write_bytes(image.archive(members))
    return path


def boot(work, manifest, kernel, script, modules=None, programs=None, files=None):
    """
    Boots `kernel` with these {name: bytes} aboard and runs the script. Returns what it printed.
    Real time, one thread for each emulated CPU: nothing here is measured.
    """
    initrd = initramfs(work / "initramfs", manifest, script, modules or {}, programs or {},
                       files or {})
    root = LAB / "root-qemu"
    share = root / "usr/share"
    libraries = f"{root / 'usr/lib/x86_64-linux-gnu'}:{root / 'lib/x86_64-linux-gnu'}"
    said = machine.run(
        [root / "usr/bin/qemu-system-x86_64", "-L", share / "qemu", "-L", share / "seabios",
         "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", "1G", "-display", "none",
         "-nodefaults", "-no-reboot", "-monitor", "none", "-serial", f"file:{work / 'console'}",
         "-serial", "stdio", "-kernel", kernel, "-initrd", initrd,
         "-append", "console=ttyS0 panic=-1 quiet"],
        BOOT_LIMIT_S, env={"LD_LIBRARY_PATH": libraries})
    initrd.unlink()
    return said.replace("\r\n", "\n")
