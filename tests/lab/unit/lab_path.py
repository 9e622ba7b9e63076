# SPDX-License-Identifier: BSD-2-Clause
"""Lets the unit tests import the lab."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing but sources beside the sources
REPO = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPO / "scripts" / "lab"))
