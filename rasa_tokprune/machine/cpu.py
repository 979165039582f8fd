"""What instructions this processor has."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
from pathlib import Path
from typing import FrozenSet

HIDE_VARIABLE = "RASA_TOKPRUNE_HIDE_CPU"
# The build of the C library that every x86 CPU runs; on Windows it is asked for the instructions.
_LIBRARY = Path(__file__).parents[1] / "encoder" / "backends" / "native" / "tokprune_portable.dll"
_LONGEST_LIST = 1024
# Names of macOS -> names of Linux; all others are the same but for their case.
_MAC_NAMES = {"lzcnt": "abm", "avx512vnni": "avx512_vnni"}
_MAC_LISTS = ("machdep.cpu.features", "machdep.cpu.leaf7_features", "machdep.cpu.extfeatures")
_MAC_ARM_FLAGS = {"hw.optional.arm.FEAT_I8MM": "i8mm"}


@functools.lru_cache(maxsize=1)
def cpu_features() -> FrozenSet[str]:
    """Returns the CPU's instruction set extensions, by their names in Linux.

    On macOS and Windows those that a build of the C library depends on are known, others may
    count as missing. Those in $RASA_TOKPRUNE_HIDE_CPU, separated by spaces, count as missing: for
    measuring what an older CPU would do.
    """
    return _cpu_features() - frozenset(os.environ.get(HIDE_VARIABLE, "").split())


def _cpu_features() -> FrozenSet[str]:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        return parse_cpuinfo(info.read_text(encoding="utf-8", errors="replace"))
    if platform.system() == "Darwin":
        return mac_arm_features() if platform.machine() == "arm64" else mac_x86_features()
    if platform.system() == "Windows" and _LIBRARY.is_file():
        return library_features(_LIBRARY)
    return frozenset()


def parse_cpuinfo(text: str) -> FrozenSet[str]:
    """Returns the flags in Linux's /proc/cpuinfo, of the first CPU it lists."""
    for line in text.splitlines():
        if line.lower().startswith(("flags", "features")):
            return frozenset(line.split(":", 1)[1].split())
    return frozenset()


def mac_arm_features() -> FrozenSet[str]:
    """Returns what a Mac with ARM has: dot products always, 8-bit matrix products since the M2."""
    found = {name for key, name in _MAC_ARM_FLAGS.items() if any(sysctl(key))}
    return frozenset({"asimddp"} | found)


def mac_x86_features() -> FrozenSet[str]:
    """Returns what a Mac with an Intel CPU has; under Rosetta, what that translates."""
    listed = b" ".join(sysctl(key).rstrip(b"\0") for key in _MAC_LISTS).decode("ascii", "replace")
    return frozenset(_MAC_NAMES.get(name, name) for name in listed.lower().split())


def sysctl(key: str) -> bytes:
    """Returns a value of macOS's kernel as it lies in memory; nothing if there is none."""
    size = ctypes.c_size_t(_LONGEST_LIST)
    value = ctypes.create_string_buffer(size.value)
    ask = ctypes.CDLL(None).sysctlbyname
    failed = ask(key.encode(), value, ctypes.byref(size), None, ctypes.c_size_t(0))
    return b"" if failed else value.raw[: size.value]


def library_features(path: Path) -> FrozenSet[str]:
    """Returns what a build of the C library finds by asking the CPU; see src/cpu.h.

    Nothing if the library cannot be loaded or has no such function.
    """
    try:
        ask = ctypes.CDLL(str(path)).tokprune_cpu_features
    except (OSError, AttributeError):
        return frozenset()
    names = ctypes.create_string_buffer(_LONGEST_LIST)
    ask(names, ctypes.c_size_t(len(names)))
    return frozenset(names.value.decode("ascii").split())
