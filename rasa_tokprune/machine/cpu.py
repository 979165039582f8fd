"""What instructions this processor has."""

from __future__ import annotations

import functools
import os
import platform
from pathlib import Path
from typing import FrozenSet

HIDE_VARIABLE = "RASA_TOKPRUNE_HIDE_CPU"


@functools.lru_cache(maxsize=1)
def cpu_features() -> FrozenSet[str]:
    """Returns the CPU's instruction set extensions, by their names in Linux.

    Those in $RASA_TOKPRUNE_HIDE_CPU, separated by spaces, count as missing: for measuring what an
    older CPU would do.
    """
    return _cpu_features() - frozenset(os.environ.get(HIDE_VARIABLE, "").split())


def _cpu_features() -> FrozenSet[str]:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.lower().startswith(("flags", "features")):
                return frozenset(line.split(":", 1)[1].split())
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return frozenset({"asimddp"})
    return frozenset()
