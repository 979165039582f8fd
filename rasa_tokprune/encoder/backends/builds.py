"""Which builds of the C library this CPU can run; native_builds.py compiles them."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Dict, FrozenSet, List, Optional

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.cpu import cpu_features

CPU_VARIABLE = "RASA_TOKPRUNE_CPU"
FOLDER = Path(__file__).parent / "native"
_SUFFIX = {"Linux": ".so", "Darwin": ".dylib", "Windows": ".dll"}
_AVX2 = frozenset({"avx2", "fma", "bmi1", "bmi2", "f16c", "movbe", "abm"})
_AVX512_VNNI = _AVX2 | {
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni"
}  # fmt: skip
_X86: Dict[str, FrozenSet[str]] = {
    "amx": _AVX512_VNNI | {"amx_tile", "amx_int8"},
    "avx512vnni": _AVX512_VNNI,
    "avxvnni": _AVX2 | {"avx_vnni"},
    "avx2": _AVX2,
    "portable": frozenset(),
}
_ARM: Dict[str, FrozenSet[str]] = {
    "i8mm": frozenset({"asimddp", "i8mm"}),
    "dotprod": frozenset({"asimddp"}),
    "portable": frozenset(),
}
# Machine, as Python names it -> builds, fastest first -> what a CPU must have for them, by the
# names of machine/cpu.py.
NEEDS = {"x86_64": _X86, "AMD64": _X86, "aarch64": _ARM, "arm64": _ARM}
_ALIASES = {"vnni": "avx512vnni"}


def runnable_builds() -> Dict[str, Path]:
    """Returns the libraries that are installed and that this CPU can run, fastest first.

    Keys are their instruction sets, as in `NEEDS`. A library may still refuse: the system hands
    out tiles (amx) on request only.
    """
    suffix, found = _SUFFIX.get(platform.system(), ".so"), {}
    for name, needs in NEEDS.get(platform.machine(), {}).items():
        path = FOLDER / f"tokprune_{name}{suffix}"
        if needs <= cpu_features() and path.is_file():
            found[name] = path
    return found


def candidates() -> List[Path]:
    """Returns the libraries to try, in this order; none if there is none for this CPU.

    $RASA_TOKPRUNE_CPU names the one to take, by its instruction set: for tests and for measuring.

    Raises:
        ConfigError: If that one is not among those this CPU can run.
    """
    builds, asked = runnable_builds(), os.environ.get(CPU_VARIABLE, "")
    if not asked:
        return list(builds.values())
    name = _ALIASES.get(asked, asked)
    if name not in builds:
        raise ConfigError(
            f"{CPU_VARIABLE} is '{asked}', a build of the C library that is not here or that this "
            f"CPU cannot run; use one of: {', '.join(builds) or 'none'}"
        )
    return [builds[name]]


def library_path() -> Optional[Path]:
    """Returns the fastest C library for this CPU, None if there is none.

    Raises:
        ConfigError: As `candidates`.
    """
    return next(iter(candidates()), None)
