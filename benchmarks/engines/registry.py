"""The engines by name, what they need, and which are measured by default."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
from typing import Dict, List, Optional, Sequence, Tuple

from benchmarks.engines.settings import Engine, EngineSettings
from benchmarks.rows import Rows, distinct
from rasa_tokprune.errors import ConfigError, did_you_mean

_PACKAGE = "benchmarks.engines"
OURS = "ours"
# Embeddings of all engines are compared with this one's.
REFERENCE = "sentence-transformers"


@dataclasses.dataclass(frozen=True)
class EngineKind:
    """One family of engines.

    Attributes:
        module: Module of this package with `build(settings)` and, where `is_prepared`,
            `prepare(settings)`.
        needs: Packages it imports.
        is_prepared: True if graphs are made in a process of their own first.
    """

    module: str
    needs: Tuple[str, ...] = ()
    is_prepared: bool = False


_EXPORT = ("torch", "transformers", "onnx", "onnxruntime")
KINDS: Dict[str, EngineKind] = {
    REFERENCE: EngineKind("sentence_transformer", ("sentence_transformers",)),
    "sentence-transformers:bf16": EngineKind("sentence_transformer", ("sentence_transformers",)),
    "onnxruntime:fp32": EngineKind("onnxruntime_bert", _EXPORT, is_prepared=True),
    "onnxruntime:int8": EngineKind("onnxruntime_bert", _EXPORT, is_prepared=True),
    "openvino:bf16": EngineKind("openvino_bert", (*_EXPORT, "openvino"), is_prepared=True),
    "openvino:int8": EngineKind("openvino_bert", (*_EXPORT, "openvino"), is_prepared=True),
}
_OURS = EngineKind("ours")
# What the shipped plan `gentle` does to long texts, here at every length.
MILD = "freeze-0.3-1"
OURS_DEFAULT = (
    *(f"ours:native:int8:{plan}" for plan in ("off", "light", "freeze", "drop", MILD)),
    *(f"ours:onnx:int8:{plan}" for plan in ("off", "freeze", "drop", MILD)),
    *(f"ours:onnx:fp32:{plan}" for plan in ("off", MILD)),
    *(f"ours:torch:bf16:{plan}" for plan in ("off", MILD)),
    *(f"ours:torch:fp32:{plan}" for plan in ("off", MILD)),
)
DEFAULT = (*KINDS, *OURS_DEFAULT)


def kind_of(name: str) -> EngineKind:
    """Returns an engine's family.

    Raises:
        ConfigError: If there is no engine of that name.
    """
    if name in KINDS:
        return KINDS[name]
    if name.split(":")[0] == OURS and 3 <= len(name.split(":")) <= 4:
        return _OURS
    raise ConfigError(
        f"no engine '{name}'.{did_you_mean(name, DEFAULT)} Engines: {', '.join(KINDS)}, and "
        f"ours:BACKEND:PRECISION:PLAN with a plan such as off, freeze, drop, a shipped plan's "
        f"name, drop-0.3-1 (mode, quantile, layers) or a file ending in .json"
    )


def check_engines(names: Sequence[str]) -> None:
    """Refuses unknown engines and engines whose packages are not installed.

    Raises:
        ConfigError: With the nearest valid name, or with what to install.
    """
    for name in names:
        package = missing_package(name)
        if package:
            raise ConfigError(
                f"engine '{name}' needs the package '{package}', which is not installed: "
                f"uv sync --group benchmarks"
            )


def missing_package(name: str) -> Optional[str]:
    """Returns the first package an engine needs that is not installed, else None."""
    for package in kind_of(name).needs:
        if importlib.util.find_spec(package) is None:
            return package
    return None


def build(settings: EngineSettings) -> Engine:
    """Builds an engine; imports its libraries."""
    module = importlib.import_module(f"{_PACKAGE}.{kind_of(settings.name).module}")
    engine: Engine = module.build(settings)
    return engine


def prepare(settings: EngineSettings) -> None:
    """Makes the graphs an engine needs, if they are not there yet."""
    kind = kind_of(settings.name)
    if kind.is_prepared:
        importlib.import_module(f"{_PACKAGE}.{kind.module}").prepare(settings)


def label(name: str) -> str:
    """Returns an engine's name for rows and tables: of a plan file only the stem."""
    parts = name.split(":", 3)
    if len(parts) == 4 and parts[3].endswith(".json"):
        parts[3] = parts[3].replace("\\", "/").rsplit("/", 1)[-1][: -len(".json")]
    return ":".join(parts)


def engines_of(rows: Rows) -> List[str]:
    """Returns the engines of rows in reading order: the peers, then ours."""
    known = {name: number for number, name in enumerate(DEFAULT)}
    return sorted(distinct(rows, "engine"), key=lambda name: (known.get(name, len(known)), name))
