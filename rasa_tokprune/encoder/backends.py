"""Which runtime and which number format an encoder runs on, and what this machine can do."""

from __future__ import annotations

import functools
import importlib.util
import platform
from enum import Enum
from pathlib import Path
from typing import FrozenSet, Tuple

from rasa_tokprune.errors import ConfigError, did_you_mean

AUTO = "auto"


class Backend(str, Enum):
    """A runtime. TORCH is the reference and runs on GPUs; ONNX is the fast one on CPUs."""

    TORCH = "torch"
    ONNX = "onnx"


class Precision(str, Enum):
    """Number format of the matrix products.

    FP32: the original model, to rounding.
    BF16: bfloat16 weights and states; TORCH only.
    INT8: 8-bit weights per output channel, 8-bit activations scaled at run time; ONNX only.
    """

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


_CAN_RUN = {
    Backend.TORCH: (Precision.FP32, Precision.BF16),
    Backend.ONNX: (Precision.FP32, Precision.INT8),
}
# Instructions without which the format is no faster than fp32, or, for 8-bit products on older
# x86 CPUs, saturates.
_FAST_ON = {
    Precision.INT8: {"avx512_vnni", "avx_vnni", "asimddp"},
    Precision.BF16: {"avx512_bf16", "amx_bf16", "bf16"},
}


def choose(backend: str, precision: str, device: str) -> Tuple[Backend, Precision]:
    """Resolves 'auto' to what is fastest here and keeps accuracy.

    Args:
        backend: 'auto', 'torch' or 'onnx'.
        precision: 'auto', 'int8', 'bf16' or 'fp32'.
        device: torch's name of the device; anything but 'cpu' needs torch.

    Raises:
        ConfigError: If the two do not go together, or what they need is not installed.
    """
    for key, value, valid in (("backend", backend, Backend), ("precision", precision, Precision)):
        names = [AUTO, *(item.value for item in valid)]
        if value not in names:
            raise ConfigError(
                f"{key} must be one of {', '.join(names)}; got {value!r}."
                f"{did_you_mean(str(value), names)}"
            )
    chosen = _choose_backend(backend, precision, device)
    if precision == AUTO:
        return chosen, _fastest_precision(chosen, device)
    if Precision(precision) not in _CAN_RUN[chosen]:
        can = ", ".join(item.value for item in _CAN_RUN[chosen])
        hint = _MISSING_ONNX if precision == Precision.INT8 and not has_onnx() else ""
        raise ConfigError(
            f"precision '{precision}' does not run on backend '{chosen.value}' with device "
            f"'{device}'; it runs {can}.{hint}"
        )
    return chosen, Precision(precision)


_MISSING_ONNX = " Backend 'onnx' needs: pip install 'rasa-tokprune[onnx]'"


def _choose_backend(backend: str, precision: str, device: str) -> Backend:
    if backend == Backend.ONNX:
        if device != "cpu":
            raise ConfigError(f"backend 'onnx' runs on the CPU, device is '{device}'; use 'torch'")
        if not has_onnx():
            raise ConfigError(f"backend 'onnx' is not installed.{_MISSING_ONNX}")
        return Backend.ONNX
    if backend == Backend.TORCH or device != "cpu" or precision == Precision.BF16:
        return Backend.TORCH
    return Backend.ONNX if has_onnx() else Backend.TORCH


def _fastest_precision(backend: Backend, device: str) -> Precision:
    fast = Precision.INT8 if backend is Backend.ONNX else Precision.BF16
    if device == "cpu" and cpu_features() & _FAST_ON[fast]:
        return fast
    return Precision.FP32


@functools.lru_cache(maxsize=1)
def has_onnx() -> bool:
    """Returns whether ONNX Runtime and the package that writes its files are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("onnxruntime", "onnx"))


@functools.lru_cache(maxsize=1)
def cpu_features() -> FrozenSet[str]:
    """Returns the CPU's instruction set extensions, by their names in Linux."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.lower().startswith(("flags", "features")):
                return frozenset(line.split(":", 1)[1].split())
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return frozenset({"asimddp"})
    return frozenset()
