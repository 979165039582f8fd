"""The processor: its instructions, and which build of the C library it runs."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Iterator

from rasa_tokprune.commands.doctor.case import Case
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.encoder.backends.builds import (
    CPU_VARIABLE,
    FOLDER,
    NEEDS,
    candidates,
)
from rasa_tokprune.encoder.backends.choice import has_onnx, is_fast_here
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import install_hint
from rasa_tokprune.machine.cpu import HIDE_VARIABLE
from rasa_tokprune.machine.environment import environment

_AGAIN = "Install it again: pip install --force-reinstall --no-deps . in a clone, or its wheel"


def check_processor(case: Case) -> Iterator[Finding]:
    """Yields the processor and its instructions for 8-bit products."""
    about = environment()
    flags = ", ".join(about["flags"]) or "none that matter here"
    yield Finding("cpu", f"{about['cpu'] or 'a processor without a name'}; instructions: {flags}")
    if not is_fast_here(Precision.INT8):
        yield Finding(
            "cpu-slow",
            "this processor has no instructions for 8-bit products (VNNI, dot product): the C "
            "library runs here with the same answers, but slower",
            "Nothing; docs/builds.md has the times of each build",
        )
    for name in (CPU_VARIABLE, HIDE_VARIABLE):
        if os.environ.get(name):
            yield Finding(
                "cpu-variable",
                f"{name} is set to '{os.environ[name]}': it is for measuring and may slow down",
                f"Unset {name} unless you measure",
            )


def check_builds(case: Case) -> Iterator[Finding]:
    """Yields whether the builds of the C library that `auto` tries can be loaded."""
    try:
        paths = candidates()
    except ConfigError as error:
        yield Finding("build-invalid", str(error), f"Unset {CPU_VARIABLE}")
        return
    if not paths:
        yield _no_library()
        return
    for path in paths:
        name = path.stem.removeprefix("tokprune_")
        try:
            is_allowed = _prepare(path)
        except OSError as error:
            yield Finding(
                "library-broken", f"the C library cannot be loaded: {error}", _AGAIN, str(path)
            )
            return
        except (AttributeError, ConfigError) as error:
            yield Finding(
                "library-broken", f"the C library does not fit: {error}", _AGAIN, str(path)
            )
            return
        if is_allowed:
            return
        yield Finding(
            "build-refused",
            f"the system does not allow the build '{name}' of the C library; the next one is taken",
            "Nothing; the answers are the same",
        )


def _prepare(path: Path) -> bool:
    """Returns whether a build may run here; raises what loading it raises."""
    from rasa_tokprune.encoder.backends.native.library import _load

    return bool(_load(path).tokprune_prepare())


def _no_library() -> Finding:
    machine = platform.machine()
    there = sorted(path.name for path in FOLDER.glob("tokprune_*") if path.is_file())
    if machine not in NEEDS:
        why = f"there is none for processors called '{machine}'"
    elif not there:
        why = "this installation has no file of it"
    else:
        why = f"none of {', '.join(there)} runs on this processor"
    instead = "ONNX Runtime" if has_onnx() else "torch, if that is installed"
    return Finding(
        "no-library",
        f"no build of the C library for this machine: {why}; `auto` takes {instead}",
        f"Install a wheel for this system (docs/builds.md), or: {install_hint('onnxruntime')}",
    )
