# SPDX-License-Identifier: BSD-2-Clause
"""Where things are, and the two ways in which the lab says no."""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("PVS_BUILD_DIR", REPO / "build"))
LAB = BUILD / "lab"
REPORT = BUILD / "report"
SCENARIOS = REPO / "tests" / "lab" / "scenarios"
DEMO_PLAN = REPO / "tests" / "lab" / "demo.toml"

EXIT_FAIL = 1
EXIT_SKIP = 77  # what ctest and automake call "skipped"


class Unavailable(Exception):
    """This machine cannot run the lab; the text says why, in one line."""


class LabError(Exception):
    """The lab ran and something is wrong; the text says what."""


@contextlib.contextmanager
def locked(directory):
    """One process at a time in this directory; others wait. It is made when missing."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sha256(*parts):
    """One hex digest over strings, bytes and the contents of paths."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            part = part.read_bytes()
        elif isinstance(part, str):
            part = part.encode()
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def write_if_changed(path, data):
    """Keeps the mtime of a file whose bytes stay the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_bytes() == data:
        return False
    scratch = path.with_name(path.name + ".new")
    scratch.write_bytes(data)
    scratch.replace(path)
    return True
