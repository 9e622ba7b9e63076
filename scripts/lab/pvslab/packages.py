# SPDX-License-Identifier: BSD-2-Clause
"""
Kernel, QEMU and busybox, by apt, unpacked beside the build.

The mirror is the one this machine's own apt is set up with: `apt-get update --print-uris` names it
without touching the network. A side configuration (own list of sources, own index, own archive
directory) then asks that mirror for the suites the lab wants, and apt's signatures vouch for
every byte. Nothing is installed: packages are unpacked with `dpkg -x` under build/lab.
"""

import ctypes
import ctypes.util
import json
import lzma
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from .common import LAB, LabError, Unavailable, locked, write_if_changed

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MANIFEST = LAB / "manifest.json"
MANIFEST_FORMAT = 5

# (suite, pattern of the abi name): first hit whose configuration fits is taken, newest first.
KERNELS = (
    ("trixie-backports", r"[0-9.]+\+deb[0-9]+-cloud-amd64"),
    ("trixie", r"[0-9.]+\+deb[0-9]+-cloud-amd64"),
    ("bookworm-backports", r"[0-9.]+\+?[a-z0-9.]*-cloud-amd64"),
    ("bookworm", r"[0-9.]+-[0-9]+-cloud-amd64"),
)
# QEMU 10 boots every kernel above; 7.2 corrupts 6.12 now and then, so the newer suite is first.
QEMU_SUITES = ("{own}-backports", "{own}")
QEMU_PACKAGES = ("qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios")
MODULES = ("irqbypass", "kvm", "kvm-amd")
# What the index is searched for.
WANTED = ("linux-", "qemu-system-", "seabios", "busybox")
# What a kernel must have been built with. sched_ext only from 6.12: wanted, and reported.
KERNEL_NEEDS = ("CONFIG_KVM_AMD=m", "CONFIG_SERIAL_8250_CONSOLE=y", "CONFIG_UCLAMP_TASK=y")
KERNEL_WANTS = ("CONFIG_SCHED_CLASS_EXT=y", "CONFIG_DEBUG_INFO_BTF=y")


def debian_mirror(print_uris):
    """The base URI of the Debian archive in the output of `apt-get update --print-uris`."""
    own = re.compile(r"'([^' ]+?)/+dists/[^/' ]+/InRelease'")
    bases = [m.group(1) for m in own.finditer(print_uris)]
    for base in bases:
        if base.rstrip("/").endswith("/debian"):
            return base
    raise Unavailable("apt is not set up with a Debian archive (no .../debian source found)")


def run_text(argv, **kwargs):
    """Output of a command; LabError with its last words when it fails."""
    done = subprocess.run(argv, text=True, capture_output=True, check=False, **kwargs)
    if done.returncode != 0:
        words = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise LabError(f"{Path(argv[0]).name} {argv[-1]}: {words[-1] if words else 'failed'}")
    return done.stdout


def own_suite():
    """The code name of the Debian release that runs here."""
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        text = ""
    found = re.search(r"^VERSION_CODENAME=\"?([a-z]+)", text, re.MULTILINE)
    if not found:
        raise Unavailable("not a Debian release (no VERSION_CODENAME in /etc/os-release)")
    return found.group(1)


class Apt:
    """apt with a life of its own under build/lab/apt/NAME, that knows these suites only."""

    def __init__(self, name, suites):
        for tool in ("apt-get", "apt-cache", "dpkg", "dpkg-deb"):
            if not shutil.which(tool):
                raise Unavailable(
                    f"{tool} not found: the lab takes its packages from a Debian mirror")
        self.home = LAB / "apt" / name
        self.suites = suites
        self.archives = LAB / "apt" / "archives"
        lists = self.home / "lists"
        for path in (self.archives / "partial", lists / "partial"):
            path.mkdir(parents=True, exist_ok=True)
        self.options = [
            "-o", f"Dir::Etc::sourcelist={self.home}/sources.list",
            "-o", "Dir::Etc::sourceparts=/dev/null",
            "-o", "Dir::Etc::preferencesparts=/dev/null",
            "-o", f"Dir::State::Lists={lists}",
            "-o", f"Dir::Cache={self.home}/cache",
            "-o", f"Dir::Cache::archives={self.archives}",
            "-o", "APT::Architecture=amd64",
            "-o", "Acquire::Languages=none",
            "-o", "Acquire::Retries=2",
            "-o", "APT::Get::List-Cleanup=false",
            "-o", f"APT::Sandbox::User={'root' if os.geteuid() == 0 else ''}",
            "-o", "Debug::NoLocking=true",
        ]

    def configure(self):
        """Writes the side list of sources from the machine's own mirror."""
        base = debian_mirror(run_text(["apt-get", "update", "--print-uris"]))
        signed = f" [signed-by={KEYRING}]" if KEYRING.exists() else ""
        text = "".join(f"deb{signed} {base} {suite} main\n" for suite in self.suites)
        write_if_changed(self.home / "sources.list", text.encode())

    def get(self, *args, **kwargs):
        return run_text(["apt-get", *self.options, *args], **kwargs)

    def cache(self, *args):
        return run_text(["apt-cache", *self.options, *args])

    def update(self):
        """Fetches the indexes. Some suites may be missing from a mirror; none may not."""
        done = subprocess.run(["apt-get", *self.options, "update"], text=True,
                              capture_output=True, check=False)
        lists = list((self.home / "lists").glob("*_Packages*"))
        if not lists:
            raise Unavailable("no network: this machine's Debian mirror cannot be reached")

    def versions(self, suite):
        """{package: version} of a suite, of those that matter here, from its index."""
        found = {}
        for index in (self.home / "lists").glob(f"*_dists_{suite}_main_binary-amd64_Packages*"):
            name = None
            for line in read_index(index):
                if line.startswith("Package: "):
                    name = line[9:] if line.startswith(WANTED, 9) else None
                elif line.startswith("Version: ") and name:
                    if name not in found or version_less(found[name], line[9:]):
                        found[name] = line[9:]
        return found

    def download(self, wanted):
        """Fetches (package, version) pairs; returns the .deb files. Cached by file name."""
        missing = [f"{name}={version}" for name, version in wanted
                   if not self.archive(name, version)]
        if missing:
            self.get("download", *missing, cwd=self.archives)
        found = [self.archive(name, version) for name, version in wanted]
        if not all(found):
            raise LabError(f"apt-get download {' '.join(missing)}: a file is missing")
        return found

    def archive(self, name, version):
        """The downloaded file of a package, or None."""
        return find_one(self.archives, f"{name}_{version.replace(':', '%3a')}_*.deb")


def open_suites(*suites):
    """An Apt that knows these suites, its index fresh."""
    apt = Apt("+".join(suites), suites)
    apt.configure()
    apt.update()
    return apt


def read_index(path):
    """Lines of a Packages file in whatever compression apt left it."""
    if path.suffix == "":
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    helper = "/usr/lib/apt/apt-helper"
    return run_text([helper, "cat-file", str(path)]).splitlines()


def version_less(left, right):
    done = subprocess.run(["dpkg", "--compare-versions", left, "lt", right], check=False)
    return done.returncode == 0


def newest_first(names, versions):
    """Package names by version, newest first."""
    out = []
    for name in names:
        at = 0
        while at < len(out) and version_less(versions[name], versions[out[at]]):
            at += 1
        out.insert(at, name)
    return out


def unpack(debs, root):
    """dpkg -x of every package into a fresh directory, atomically."""
    scratch = root.with_name(root.name + ".new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for deb in debs:
        run_text(["dpkg-deb", "-x", str(deb), str(scratch)])
    shutil.rmtree(root, ignore_errors=True)
    scratch.rename(root)


def kernel_candidates():
    """Yields (apt, suite, image package, abi name, versions), in order of preference."""
    for suite, pattern in KERNELS:
        apt = open_suites(suite)
        versions = apt.versions(suite)
        image = re.compile(r"linux-image-(" + pattern + r")$")
        names = [name for name in versions if image.match(name)]
        for name in newest_first(names, versions):
            yield apt, suite, name, image.match(name).group(1), versions


def kernel_packages(name, abi, versions):
    """The image and the packages it is split into in newer suites."""
    parts = [f"linux-{part}-{abi}" for part in ("binary", "modules", "base")]
    return [(name, versions[name])] + [(part, versions[part]) for part in parts if part in versions]


def kernel_config(root, abi):
    for path in (root / f"usr/lib/modules/{abi}/config", root / f"boot/config-{abi}"):
        if path.exists():
            return path.read_text()
    return ""


def find_one(root, *patterns):
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            return path
    return None


def fetch_kernel(say):
    """Unpacks the first kernel that fits. Returns its part of the manifest."""
    for apt, suite, name, abi, versions in kernel_candidates():
        version = versions[name]
        say(f"kernel: {name} {version} ({suite})")
        root = LAB / "root-kernel"
        unpack(apt.download(kernel_packages(name, abi, versions)), root)
        config = kernel_config(root, abi).splitlines()
        missing = [need for need in KERNEL_NEEDS if need not in config]
        image = find_one(root, f"usr/lib/modules/{abi}/vmlinuz", f"boot/vmlinuz-{abi}")
        if missing or not image:
            say(f"  does not fit: {', '.join(missing) or 'no image'}; next")
            continue
        return {"suite": suite, "package": name, "version": version, "abi": abi,
                "image": str(image.relative_to(LAB)),
                "has": [want for want in KERNEL_WANTS if want in config]}
    raise Unavailable("no suite of the mirror has a kernel that fits")


def qemu_missing_libraries(apt, wanted):
    """What apt would have to install for QEMU to start on this machine, besides `wanted`."""
    pinned = [f"{name}={version}" for name, version in wanted]
    text = apt.get("install", "--simulate", "--no-install-recommends", "-y",
                   "--allow-downgrades", "--allow-change-held-packages", *pinned)
    names = {name for name, _ in wanted}
    found = re.findall(r"^Inst (\S+) (?:\[[^]]*\] )?\((\S+) ", text, re.MULTILINE)
    return [(name.split(":")[0], version) for name, version in found if name not in names]


def fetch_qemu(apt, own, say):
    base = apt.versions(own)
    for suite in (text.format(own=own) for text in QEMU_SUITES):
        versions = apt.versions(suite)
        if QEMU_PACKAGES[0] not in versions:
            continue
        wanted = [(name, versions.get(name, base.get(name))) for name in QEMU_PACKAGES]
        say(f"qemu: {wanted[0][1]} ({suite})")
        extra = qemu_missing_libraries(apt, wanted)
        root = LAB / "root-qemu"
        unpack(apt.download(wanted + extra), root)
        return {"suite": suite, "version": wanted[0][1],
                "libraries": [f"{name} {version}" for name, version in extra]}
    raise Unavailable("no suite of the mirror has qemu-system-x86")


def fetch_busybox(apt, own, say):
    version = apt.versions(own).get("busybox-static")
    if not version:
        raise Unavailable("the mirror has no busybox-static")
    say(f"busybox: {version}")
    root = LAB / "root-busybox"
    unpack(apt.download([("busybox-static", version)]), root)
    busybox = find_one(root, "bin/busybox", "usr/bin/busybox")
    if not busybox:
        raise LabError("busybox-static holds no busybox")
    return {"version": version, "binary": str(busybox.relative_to(LAB))}


MODULE_SIGNED = b"~Module signature appended~\n"


def plain_module(path):
    """
    A kernel module's bytes without compression and without signature: an emulated CPU needs
    three seconds to check it, and apt has vouched for the package. The kernel only notes a taint.
    """
    data = path.read_bytes()
    if path.suffix == ".xz":
        data = lzma.decompress(data)
    elif path.suffix == ".zst":
        data = zstd_decompress(data)
    if data.endswith(MODULE_SIGNED):
        # struct module_signature: 12 bytes, the last four the big-endian length of the signature
        end = len(data) - len(MODULE_SIGNED)
        data = data[:end - 12 - int.from_bytes(data[end - 4:end], "big")]
    return data


def zstd_decompress(data):
    """One zstd frame (dpkg itself needs libzstd, so every Debian has it)."""
    lib = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    lib.ZSTD_decompress.restype = ctypes.c_size_t
    lib.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t,
                                    ctypes.c_char_p, ctypes.c_size_t]
    lib.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t
    lib.ZSTD_findFrameCompressedSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    frame = lib.ZSTD_findFrameCompressedSize(data, len(data))
    if lib.ZSTD_isError(ctypes.c_size_t(frame)):
        raise LabError("not a zstd frame")
    room = 256 << 20  # no kernel is larger unpacked
    out = ctypes.create_string_buffer(room)
    size = lib.ZSTD_decompress(out, room, data[:frame], frame)
    if lib.ZSTD_isError(ctypes.c_size_t(size)):
        raise LabError("damaged zstd frame")
    return out.raw[:size]


def plain_kernel(image):
    """
    The ELF inside a bzImage. QEMU starts it directly (PVH), which saves emulating seconds of
    decompression. None when it is packed in a way unknown here: then the bzImage is booted.
    """
    data = image.read_bytes()
    for magic, unpacker in ((b"\x28\xb5\x2f\xfd", zstd_decompress),):
        at = data.find(magic)
        while at >= 0:
            try:
                elf = unpacker(data[at:])
            except LabError:
                elf = b""
            if elf.startswith(b"\x7fELF") and b"Xen\x00" in elf:
                return elf
            at = data.find(magic, at + 1)
    return None


def prepare(manifest):
    """Unpacks modules and kernel once."""
    kernel = manifest["kernel"]
    root = LAB / "root-kernel"
    for name in MODULES:
        found = find_one(root, f"usr/lib/modules/{kernel['abi']}/kernel/**/{name}.ko*",
                         f"lib/modules/{kernel['abi']}/kernel/**/{name}.ko*")
        if found:
            write_if_changed(LAB / "modules" / f"{name}.ko", plain_module(found))
        elif name != "irqbypass":  # built in since 6.14 in some configurations
            raise LabError(f"the kernel packages hold no module {name}")
    elf = plain_kernel(LAB / kernel["image"])
    if elf:
        write_if_changed(LAB / "vmlinux", elf)
        kernel["boot"] = "vmlinux"
    else:
        kernel["boot"] = kernel["image"]


def load_manifest():
    """The manifest of an earlier fetch, if everything it names is still there."""
    if not MANIFEST.exists():
        return None
    manifest = json.loads(MANIFEST.read_text())
    if manifest.get("format") != MANIFEST_FORMAT:
        return None
    needed = [LAB / manifest["kernel"]["boot"], LAB / manifest["busybox"]["binary"],
              LAB / "modules" / "kvm-amd.ko", LAB / "root-qemu/usr/bin/qemu-system-x86_64"]
    return manifest if all(path.exists() for path in needed) else None


def fetch(say=print, refresh=False):
    """Everything the lab boots with. Idempotent; without network once it has run."""
    with locked(LAB):
        return fetch_locked(say, refresh)


def fetch_locked(say, refresh):
    manifest = None if refresh else load_manifest()
    if manifest:
        return manifest
    say("lab packages, from this machine's own Debian mirror:")
    start = time.monotonic()
    own = own_suite()
    kernel = fetch_kernel(say)
    apt = open_suites(own, f"{own}-backports")
    manifest = {"format": MANIFEST_FORMAT, "kernel": kernel,
                "qemu": fetch_qemu(apt, own, say), "busybox": fetch_busybox(apt, own, say)}
    prepare(manifest)
    manifest["fetch_s"] = round(time.monotonic() - start, 1)
    write_if_changed(MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    return manifest


def describe(manifest):
    kernel, qemu = manifest["kernel"], manifest["qemu"]
    has = ", ".join(w.split("=")[0].removeprefix("CONFIG_").lower() for w in kernel["has"])
    return (f"Linux {kernel['version']} ({kernel['suite']}; {has or 'no sched_ext, no BTF'}), "
            f"QEMU {qemu['version']} ({qemu['suite']})")
