# SPDX-License-Identifier: BSD-2-Clause
"""What the drivers in this directory share: building images, running QEMU, the summary line."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but sources beside the sources
HERE = Path(__file__).resolve().parent
REPO = HERE.parents[2]
sys.path.insert(0, str(REPO / "scripts" / "lab"))

from pvslab.common import (BUILD, EXIT_FAIL, EXIT_SKIP, LabError, Unavailable,  # noqa: E402
                           locked)

WORK = BUILD / "machines"
REPLAY = REPO / "tests" / "conformance" / "replay"
VECTORS = REPO / "abi" / "vectors"
INCLUDES = ("abi/include", "libpvsched/include", "guest-shim/include")
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wdeclaration-after-statement", "-Wvla",
            "-Wstrict-prototypes", "-Werror")
# An image without an operating system: nothing of the compiler's own, no vector registers.
FREESTANDING = ("-O2", "-ffreestanding", "-fno-builtin", "-fno-pic", "-fno-pie",
                "-mgeneral-regs-only", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
                "-fno-strict-aliasing", f"-ffile-prefix-map={REPO}=.", "-nostdlib", "-static",
                "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,--no-warn-rwx-segments")
SUMMARY = re.compile(r"digest=0x[0-9a-f]{16} vectors=\d+ steps=\d+ .*\bmismatches=(\d+).*")


def tool(*names):
    """The first of these programs that this machine has."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise Unavailable(f"no {names[0]} on this machine")


def includes(*more):
    return [f"-I{REPO / path}" for path in (*INCLUDES, *more)]


def listed_sources(layer):
    """The sources that sources.cmake of a layer names, which is what every build takes."""
    text = (REPO / layer / "sources.cmake").read_text()
    return [REPO / layer / name for name in re.findall(r"^\s+(src/\S+?\.c)\b", text, re.MULTILINE)]


def core_sources():
    return listed_sources("libpvsched")


def guest_sources():
    return listed_sources("guest-shim")


def replay_sources(without=()):
    """The replayer, as its own list names it."""
    names = [line.strip() for line in (REPLAY / "replay.list").read_text().splitlines()]
    return [REPLAY / name for name in names
            if name and not name.startswith("#") and name not in without]


def vector_files():
    """All vectors, in the order in which they count."""
    found = sorted(VECTORS.glob("*.vec"), key=lambda path: path.name)
    if not found:
        raise LabError(f"no vectors in {VECTORS.relative_to(REPO)}")
    return found


def joined(texts):
    """One text of several, each of which ends with its last line."""
    return b"".join(text if text.endswith(b"\n") or not text else text + b"\n" for text in texts)


def vectors(work):
    """All vectors in one file."""
    path = work / "vectors"
    path.write_bytes(joined(one.read_bytes() for one in vector_files()))
    return path


def run(argv, timeout_s=120, expected=0, **kwargs):
    """Standard output of a command; LabError with its last words when it fails."""
    try:
        done = subprocess.run([str(word) for word in argv], text=True, capture_output=True,
                              timeout=timeout_s, check=False, errors="replace",
                              stdin=subprocess.DEVNULL, **kwargs)
    except subprocess.TimeoutExpired as error:
        words = (error.stdout or b"").decode(errors="replace").strip().splitlines()
        raise LabError(f"{Path(argv[0]).name}: no end within {timeout_s} s"
                       f"{': ' + words[-1] if words else ''}") from None
    if done.returncode != expected:
        sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        raise LabError(f"{Path(argv[0]).name} ended with {done.returncode}")
    return done.stdout


def compile_image(compiler, output, sources, flags):
    """One command, one image. It takes seconds, so it is made anew each time."""
    output.parent.mkdir(parents=True, exist_ok=True)
    run([compiler, *WARNINGS, *FREESTANDING, *flags, "-o", output, *sources])
    return output


def line_of(text):
    """The replayer's line in what a machine has printed."""
    found = [match.group(0) for match in map(SUMMARY.search, text.splitlines()) if match]
    if not found:
        sys.stderr.write(text[-4000:])
        raise LabError("the replayer has not come to its end")
    return found[-1]


def summary(text):
    """That line: shown, and judged."""
    line = line_of(text)
    print(line)
    return 0 if SUMMARY.search(line).group(1) == "0" else EXIT_FAIL


def main(body):
    """Runs a driver: 0, 1, or 77 and one line that says why not."""
    try:
        with locked(WORK / Path(sys.argv[0]).stem):
            status = body(WORK / Path(sys.argv[0]).stem)
    except Unavailable as reason:
        print(f"skipped: {reason}")
        status = EXIT_SKIP
    except LabError as error:
        print(f"{Path(sys.argv[0]).stem}: {error}")
        status = EXIT_FAIL
    sys.exit(status)
