# SPDX-License-Identifier: BSD-2-Clause
"""
Runs cells: inside an emulated machine, or on this one.

Deterministic: one thread, instructions counted (`-icount`), seed and clock fixed, so that the same
image gives the same bytes, however busy this machine is. Real time: no counting.
"""

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import image
from .common import LAB, LabError, Unavailable, locked, sha256

# 2^0 virtual ns for each instruction, an emulated CPU of 1000 MIPS: a halt and a wake-up take 18 us
# of it. With shift=2 they take 73 us, half as much as the shortest audio period works.
ICOUNT_SHIFT = 0
INSNS_PER_US = 1000 >> ICOUNT_SHIFT
MEMORY = "512M"
CLOCK = "base=2026-01-01,clock=vm"
# The scheduler is as Debian ships it: nothing here tunes it.
APPEND = "console=ttyS0 panic=-1 quiet"
BOOT_WALL_S = 120          # patience for a boot on a loaded machine
WALL_PER_VIRTUAL_S = 20    # ... and for a virtual second
CELL_SLACK_S = 20          # virtual seconds a cell may take beyond its own


@dataclass
class Boot:
    """One machine, one seed, several cells."""
    seed: int
    cells: list
    tag: str
    results: dict = field(default_factory=dict)  # cell name -> parsed report
    digest: str = ""
    wall_s: float = 0.0
    reused: bool = False


class Lab:
    """Everything that stays the same from boot to boot."""

    def __init__(self, manifest, vmm, guest, real_time=False):
        self.manifest = manifest
        self.real_time = real_time
        self.base = image.build_base(
            manifest, {"pvs-vmm": vmm.read_bytes(), "guest.bin": guest.read_bytes()})
        self.qemu = LAB / "root-qemu" / "usr/bin/qemu-system-x86_64"
        self.kernel = LAB / manifest["kernel"]["boot"]
        self.key = sha256(self.base, json.dumps(manifest | {"fetch_s": 0}, sort_keys=True),
                          "real" if real_time else "icount")

    def command(self, cell):
        """What the init script runs."""
        insns = "0" if self.real_time else str(INSNS_PER_US)
        return " ".join(["/bin/pvs-vmm", "--guest", "/bin/guest.bin", "--insns-per-us", insns,
                         *cell.arguments(), "--json", "-"])

    def jobs(self, cells):
        return [(cell.name, int(cell.seconds * 3) + CELL_SLACK_S, self.command(cell))
                for cell in cells]

    def arguments(self, seed, initrd, console, results):
        share = LAB / "root-qemu" / "usr/share"
        accel = ["-accel", "tcg,thread=single", "-icount", f"shift={ICOUNT_SHIFT},sleep=off",
                 "-rtc", CLOCK]
        if self.real_time:
            accel = ["-accel", "tcg,thread=multi", "-rtc", "base=2026-01-01"]
        return [str(self.qemu), "-L", str(share / "qemu"), "-L", str(share / "seabios"),
                *accel, "-seed", str(seed), "-cpu", "max", "-smp", "1", "-m", MEMORY,
                "-display", "none", "-nodefaults", "-no-reboot", "-monitor", "none",
                "-chardev", f"file,id=console,path={console}", "-serial", "chardev:console",
                "-chardev", f"file,id=results,path={results}", "-serial", "chardev:results",
                "-kernel", str(self.kernel), "-initrd", str(initrd), "-append", APPEND]

    def environment(self):
        root = LAB / "root-qemu"
        dirs = [root / "usr/lib/x86_64-linux-gnu", root / "lib/x86_64-linux-gnu"]
        return os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, dirs))}

    def check(self):
        """The emulator starts at all: else one line."""
        done = subprocess.run([str(self.qemu), "--version"], env=self.environment(), text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr or "no reason").splitlines()[0]
            raise Unavailable(f"QEMU does not start: {reason}")

    def boot_digest(self, boot):
        """Names a boot by everything that goes into it."""
        return sha256(self.key, str(boot.seed), APPEND, repr(self.jobs(boot.cells)))

    def run(self, boot, on_progress=None, reuse=False):
        """Boots, runs the cells, fills boot.results. LabError when the machine misbehaves."""
        home = LAB / "results" / f"{boot.tag}-{self.boot_digest(boot)[:16]}"
        results, console = home / "results", home / "console"
        done = home / "complete"
        with locked(home):
            if reuse and done.exists():
                boot.reused = True
            else:
                for path in (results, console, done):
                    path.unlink(missing_ok=True)
                self.boot_once(boot, home, console, results, on_progress)
                done.touch()
            raw = results.read_bytes()
            boot.results = parse_results(raw.decode(errors="replace"), boot.cells, console)
            boot.digest = sha256(raw, console.read_bytes())
        return boot

    def boot_once(self, boot, home, console, results, on_progress):
        initrd = image.with_jobs(self.base, self.jobs(boot.cells), home / "initramfs")
        limit_s = BOOT_WALL_S + WALL_PER_VIRTUAL_S * sum(cell.seconds + 1 for cell in boot.cells)
        start = time.monotonic()
        with (home / "qemu.log").open("wb") as log:
            process = subprocess.Popen(
                self.arguments(boot.seed, initrd, console, results), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self.environment(), start_new_session=True)
            try:
                watch(process, results, start + limit_s, on_progress)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                initrd.unlink(missing_ok=True)
        boot.wall_s = time.monotonic() - start
        if process.returncode != 0:
            words = (home / "qemu.log").read_text(errors="replace").strip().splitlines()
            raise LabError(f"QEMU ended with {process.returncode}: "
                           f"{words[-1] if words else tail(console)}")


def watch(process, results, deadline, on_progress):
    """Waits for the end, tells how many cells are complete."""
    known = -1
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise LabError(f"no end in sight: killed; see {results.parent}")
        if on_progress and results.exists():
            complete = results.read_bytes().count(b"@end ")
            if complete != known:
                known = complete
                on_progress(complete)
        time.sleep(0.2)


def tail(path, lines=3):
    if not path.exists():
        return "no output"
    return " | ".join(path.read_text(errors="replace").strip().splitlines()[-lines:])


FRAME = re.compile(r"^@begin (\S+)\n(.*?)^@end (\S+) (\d+)\n", re.MULTILINE | re.DOTALL)


def parse_results(text, cells, console=None):
    """{cell name: report}. Every cell must have ended well."""
    text = text.replace("\r\n", "\n")
    out = {}
    for name, body, end, status in FRAME.findall(text):
        if name != end:
            raise LabError(f"cell {name}: frame closed by {end}")
        if status != "0":
            where = f"; console: {tail(console)}" if console else ""
            raise LabError(f"cell {name}: the VMM ended with status {status}{where}")
        try:
            out[name] = json.loads(body)
        except json.JSONDecodeError as error:
            raise LabError(f"cell {name}: not JSON: {error}") from None
    missing = [cell.name for cell in cells if cell.name not in out]
    if missing:
        where = f"; console: {tail(console)}" if console else ""
        raise LabError(f"cell {missing[0]} has no result{where}")
    return out


def host_check(vmm):
    """This machine's own KVM: fine, or one line that says why not."""
    if not Path("/dev/kvm").exists():
        raise Unavailable("no /dev/kvm on this machine")
    try:
        done = subprocess.run([str(vmm), "--host-check"], text=True, capture_output=True,
                              timeout=60, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable("this machine's KVM is too slow: its self-test took a minute") from None
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip().splitlines()
        reason = words[0].removeprefix("skipped: ") if words else "its self-test failed"
        raise Unavailable(f"this machine's KVM is not good enough: {reason}")


def run_on_host(cell, vmm, guest):
    """One cell without QEMU. Its report."""
    argv = [str(vmm), "--guest", str(guest), "--insns-per-us", "0", *cell.arguments(),
            "--json", "-"]
    try:
        done = subprocess.run(argv, text=True, capture_output=True, check=False,
                              timeout=cell.seconds * 3 + CELL_SLACK_S)
    except subprocess.TimeoutExpired:
        raise LabError(f"cell {cell.name}: no end in sight") from None
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise LabError(f"cell {cell.name}: {words[-1] if words else done.returncode}")
    return json.loads(done.stdout)
