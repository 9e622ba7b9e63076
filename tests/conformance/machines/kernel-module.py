#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The replayer in a kernel module: built against this Debian's own kernel headers with the kernel's
own rules, loaded into that kernel in an emulated machine.
"""

import json
import os
import re
import shutil

import linux
import machine
from machine import HERE, LabError, Unavailable
from pvslab import packages
from pvslab.common import LAB, locked, write_if_changed

MANIFEST_FORMAT = 2
ABI = re.compile(r"linux-headers-([0-9][^ ]*-cloud-amd64)$")
SCRIPT = """insmod /lib/pvs_replay.ko
dmesg | sed -n 's/.*pvs_replay: digest/digest/p'"""


# ---- kernel and headers -------------------------------------------------------------------------

def headers_of(apt, package, version):
    """The headers and what they depend on that is headers as well."""
    text = apt.cache("show", f"{package}={version}")
    depends = re.search(r"^Depends: (.*)$", text, re.MULTILINE).group(1)
    names = re.findall(r"\b(linux-(?:headers|kbuild)-[^ ,]+)(?: \(= ([^)]+)\))?", depends)
    known = apt.versions(packages.own_suite())
    return [(package, version)] + [(name, exact or known[name]) for name, exact in names]


def fetch_kernel(home):
    """Unpacks the newest kernel of this Debian whose headers are there too."""
    own = packages.own_suite()
    apt = packages.open_suites(own)
    versions = apt.versions(own)
    names = [name for name in versions if ABI.match(name)]
    for name in packages.newest_first(names, versions):
        abi = ABI.match(name).group(1)
        kernel = f"linux-image-{abi}"
        if kernel not in versions:
            continue
        packages.unpack(apt.download(packages.kernel_packages(kernel, abi, versions)),
                        home / "kernel")
        packages.unpack(apt.download(headers_of(apt, name, versions[name])), home / "headers")
        image = packages.find_one(home / "kernel", f"boot/vmlinuz-{abi}",
                                  f"usr/lib/modules/{abi}/vmlinuz")
        if not image:
            raise LabError(f"{kernel} holds no kernel")
        relocate(home / "headers")
        return {"format": MANIFEST_FORMAT, "home": str(home), "abi": abi,
                "image": str(image.relative_to(home)), "version": versions[name]}
    raise Unavailable(f"the mirror has no kernel with headers for {own}")


def relocate(root):
    """
    Headers are made for /usr/src and /usr/lib. They are not installed: links and the two names of
    directories in makefiles get to point below `root`.
    """
    for path in (root / "usr/src").iterdir():
        for link in (one for one in path.rglob("*") if one.is_symlink()):
            target = os.readlink(link)
            if target.startswith("/usr/"):
                link.unlink()
                link.symlink_to(f"{root}{target}")
        makefile = path / "Makefile"
        if makefile.exists() and not makefile.is_symlink():
            text = makefile.read_text()
            write_if_changed(makefile, text.replace(" /usr/src/", f" {root}/usr/src/").encode())


def kernel(home):
    """What is unpacked in `home`; fetched when it is not there, or was there under another name."""
    manifest = home / "manifest.json"
    with locked(LAB):
        if manifest.exists():
            known = json.loads(manifest.read_text())
            if known.get("format") == MANIFEST_FORMAT and known.get("home") == str(home):
                return known
        known = fetch_kernel(home)
        write_if_changed(manifest, (json.dumps(known, indent=1) + "\n").encode())
        return known


# ---- the module ---------------------------------------------------------------------------------

def write_source(work):
    """
    A directory as kbuild wants it: all sources side by side, by links whose names begin with the
    part they come from.
    """
    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    parts = {"replay": machine.replay_sources(), "core": machine.core_sources(),
             "guest": machine.guest_sources(),
             "main": [HERE / "kernel/module.c", HERE / "vectors.S"]}
    objects = []
    for part, paths in parts.items():
        for path in paths:
            name = f"{part}_{path.name}"
            (source / name).symlink_to(path)
            objects.append(name.rsplit(".", 1)[0] + ".o")
    flags = machine.includes("libpvsched/src", "guest-shim/src", "tests/conformance/replay")
    (source / "Kbuild").write_text(
        f"obj-m := pvs_replay.o\npvs_replay-y := {' '.join(objects)}\n"
        f"ccflags-y := {' '.join(flags)} -Werror\n"
        f'AFLAGS_main_vectors.o := -DPVS_VECTORS=\\"{machine.vectors(work)}\\"\n')
    return source


def build(work, home, abi):
    source = write_source(work)
    machine.run([machine.tool("make"), "-s", f"-j{os.cpu_count() or 1}",
                 "-C", home / f"headers/usr/src/linux-headers-{abi}", f"M={source}",
                 "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"])
    return source / "pvs_replay.ko"


def body(work):
    home = LAB / "module-kernel"
    known = kernel(home)
    module = build(work, home, known["abi"])
    print(f"Linux {known['abi']}, package {known['version']}")
    return machine.summary(linux.boot(work, linux.lab_packages(), home / known["image"], SCRIPT,
                                      {"pvs_replay": module.read_bytes()}))


machine.main(body)
