"""A wheel of this package, as a bot's repository holds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.tables import ROOT

# Says what a Python has installed.
ENVIRONMENT = """
import json
from rasa_tokprune.machine.environment import environment
print(json.dumps(environment()))
"""


def build_wheel(folder: Path) -> None:
    """Builds the package as it is in this repository and puts its wheel into a folder."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", str(ROOT)]
    subprocess.run([*command, "-w", str(folder)], check=True)
