# SPDX-License-Identifier: BSD-2-Clause
"""What the checks share: the files of the tree, the layers, and how to report."""
import argparse
import re
import subprocess
import sys
from pathlib import Path

DUAL = "BSD-2-Clause OR GPL-2.0-or-later"
PLAIN = "BSD-2-Clause"

# Include directory -> layer that owns its headers.
LAYERS = ("abi", "libpvsched", "guest-shim", "adapters/common", "adapters/null", "adapters/kvm")


def arguments(**extra):
    """--root, and the options of one check: name and type."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    for option, kind in extra.items():
        parser.add_argument(f"--{option}", type=kind)
    return parser.parse_args()


def files(root):
    """Relative paths of what belongs to the project: tracked, or new and not ignored."""
    done = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False)
    if done.returncode == 0:
        names = [Path(name) for name in done.stdout.split("\0") if name]
        return sorted(name for name in names if (root / name).is_file())
    return sorted(path.relative_to(root) for path in root.rglob("*")
                  if path.is_file() and path.relative_to(root).parts[0] not in ("build", ".git"))


def include_directories(root, layer):
    """The layer's own include directory, and those of its ports and programs."""
    return sorted(path for path in (root / layer).rglob("include") if path.is_dir())


def headers(root, layer):
    """Public headers of a layer, as <pvs/...> names."""
    return sorted({str(path.relative_to(include)) for include in include_directories(root, layer)
                   for path in include.rglob("*.h")})


def listed_sources(root, layer, variable):
    """Paths that `variable` names in the layer's sources.cmake."""
    path = root / layer / "sources.cmake"
    text = path.read_text() if path.exists() else ""
    body = re.search(rf"set\({variable}\s+([^)]*)\)", text)
    return [root / layer / name for name in body.group(1).split()] if body else []


def run(command, **options):
    """(exit status, output) of a command."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    return done.returncode, done.stdout + done.stderr


def finish(problems, summary):
    """Prints what is wrong, or the summary, and exits."""
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problem(s)")
        sys.exit(1)
    print(summary)
    sys.exit(0)
