# SPDX-License-Identifier: BSD-2-Clause
"""
The initramfs, byte for byte the same wherever it is made.

Written here rather than by cpio(1): sorted names, all owners 0, all times 0, inode numbers by
position. It is not compressed, because the emulated CPU would have to unpack it.

An image is two archives in a row, as the kernel allows: the fixed part (busybox, modules, VMM,
guest, init) and the list of cells to run, padded to a fixed size so that a longer list does not
shift everything that boots after it.
"""

import stat

from .common import LAB, LabError

HEADER = "070701"
TRAILER = "TRAILER!!!"
JOBS_SIZE = 64 << 10  # bytes of /jobs and /padding together
APPLETS = ("sh", "cat", "echo", "mount", "insmod", "poweroff", "sleep", "stty", "timeout", "dmesg")

# Reads /jobs: one cell a line, "name timeout command...". Results go to the second serial port as
# "@begin name", whatever the command prints, "@end name status". Nothing but the console log
# goes to the first. `sleep` lets the kernel's deferred boot work end before the first cell.
INIT = """#!/bin/sh
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t debugfs none /sys/kernel/debug
mount -t tmpfs none /tmp
stty -F /dev/ttyS1 raw -echo
exec 3>/dev/ttyS1
for module in irqbypass kvm kvm-amd; do
	[ -e /lib/$module.ko ] && { insmod /lib/$module.ko || echo "@insmod $module failed" >&3; }
done
sleep 6
while read -r name limit command; do
	[ -n "$name" ] || continue
	echo "@begin $name" >&3
	timeout -s KILL "$limit" $command >&3 </dev/null
	echo "@end $name $?" >&3
done </jobs
echo "@done" >&3
sleep 0.1
poweroff -f
"""


def entry(name, mode, data=b"", inode=1, rdev=(0, 0)):
    """One member of a newc archive."""
    path = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(path), 0)
    head = HEADER.encode() + b"".join(b"%08x" % field for field in fields)
    return pad4(head + path) + pad4(data)


def pad4(data):
    return data + b"\0" * (-len(data) % 4)


def archive(members):
    """A newc archive of {path: (mode, bytes, rdev)}; parent directories are added."""
    whole = dict(members)
    for path in members:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            whole.setdefault("/".join(parts[:depth]), (stat.S_IFDIR | 0o755, b"", (0, 0)))
    out = b"".join(entry(path, mode, data, inode + 1, rdev)
                   for inode, (path, (mode, data, rdev)) in enumerate(sorted(whole.items())))
    return out + entry(TRAILER, 0)


def program(data):
    return (stat.S_IFREG | 0o755, data, (0, 0))


def directory():
    return (stat.S_IFDIR | 0o755, b"", (0, 0))


def base_members(busybox, modules, programs, init=INIT):
    """The fixed part: {path: member}. `programs` is {name in /bin: bytes}."""
    members = {name: directory() for name in ("proc", "sys", "dev", "tmp", "run", "root")}
    members["dev/console"] = (stat.S_IFCHR | 0o600, b"", (5, 1))
    members["init"] = program(init.encode())
    members["bin/busybox"] = program(busybox)
    for applet in APPLETS:
        members[f"bin/{applet}"] = (stat.S_IFLNK | 0o777, b"busybox", (0, 0))
    for name, data in programs.items():
        members[f"bin/{name}"] = program(data)
    for name, data in modules.items():
        members[f"lib/{name}.ko"] = program(data)
    return members


def jobs_file(jobs):
    """The list of cells: (name, limit in seconds, command line) each."""
    text = "".join(f"{name} {limit} {command}\n" for name, limit, command in jobs).encode()
    if len(text) > JOBS_SIZE:
        raise LabError(f"the list of cells takes {len(text)} bytes, at most {JOBS_SIZE}")
    return text


def build_base(manifest, programs):
    """The fixed part, as bytes. `programs` is {name in /bin: bytes}."""
    modules = {path.stem: path.read_bytes() for path in sorted((LAB / "modules").glob("*.ko"))}
    busybox = (LAB / manifest["busybox"]["binary"]).read_bytes()
    return archive(base_members(busybox, modules, programs))


def with_jobs(base, jobs, path):
    """The image of one boot: the fixed part and its list of cells."""
    text = jobs_file(jobs)
    plain = stat.S_IFREG | 0o644
    jobs_part = archive({"jobs": (plain, text, (0, 0)),
                         "padding": (plain, b"\n" * (JOBS_SIZE - len(text)), (0, 0))})
    path.write_bytes(base + jobs_part)
    return path
