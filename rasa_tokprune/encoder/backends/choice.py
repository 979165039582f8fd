"""Which runtime and which number format an encoder runs on, and what this machine can do."""

from __future__ import annotations

from typing import Tuple

from rasa_tokprune.encoder.backends.builds import library_path
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.formats import AUTO, Backend, Precision
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.extras import install_hint, is_installed, require
from rasa_tokprune.machine.cpu import cpu_features

_CAN_RUN = {
    Backend.TORCH: (Precision.FP32, Precision.BF16),
    Backend.ONNX: (Precision.FP32, Precision.INT8),
    Backend.NATIVE: (Precision.INT8,),
}
# MOST_OF_HEAD in native/src/attention.h.
_WIDEST_HEAD = 512
# Instructions without which the format is no faster than fp32, or, for 8-bit products on older
# x86 CPUs, saturates.
_FAST_ON = {
    Precision.INT8: {"avx512_vnni", "avx_vnni", "asimddp"},
    Precision.BF16: {"avx512_bf16", "amx_bf16", "bf16"},
}


def choose(
    backend: str, precision: str, device: str, spec: EncoderSpec
) -> Tuple[Backend, Precision]:
    """Resolves 'auto' to what is fastest here and keeps accuracy.

    Args:
        backend: 'auto', 'torch', 'onnx' or 'native'.
        precision: 'auto', 'int8', 'bf16' or 'fp32'.
        device: torch's name of the device; anything but 'cpu' needs torch.
        spec: The encoder.

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
    if backend == AUTO:
        chosen = _fastest_backend(precision, device, spec)
        if chosen is Backend.TORCH:
            _require_torch(precision, device)
    else:
        chosen = Backend(backend)
        check_backend(chosen, device)
        _check_sizes(chosen, spec)
    if precision == AUTO:
        return chosen, _fastest_precision(chosen, device)
    if Precision(precision) not in _CAN_RUN[chosen]:
        can = ", ".join(item.value for item in _CAN_RUN[chosen])
        raise ConfigError(
            f"precision '{precision}' does not run on backend '{chosen.value}' with device "
            f"'{device}'; it runs {can}.{'' if has_onnx() else _ONNX_HINT}"
        )
    return chosen, Precision(precision)


_ONNX_HINT = f" For backend 'onnx': {install_hint('onnxruntime')}"
_LEAN = "set backend and precision to 'auto', which take what is installed"


def _fastest_backend(precision: str, device: str, spec: EncoderSpec) -> Backend:
    if device != "cpu" or precision == Precision.BF16:
        return Backend.TORCH
    if precision != Precision.FP32 and library_path() and library_fits(spec):
        return Backend.NATIVE
    return Backend.ONNX if has_onnx() else Backend.TORCH


def _require_torch(precision: str, device: str) -> None:
    """Raises ConfigError if torch, which 'auto' came to, is not installed."""
    if device != "cpu":
        require("torch", f"device '{device}'")
    if precision == Precision.BF16:
        require("torch", "precision 'bf16'", otherwise=_LEAN)
    if not is_installed("torch"):
        is_asked = precision == Precision.FP32
        why = "precision 'fp32'" if is_asked else "this model, which the C library cannot run here,"
        raise ConfigError(
            f"{why} needs torch or onnxruntime, neither of which is installed: "
            f"{install_hint('torch')} or {install_hint('onnxruntime')}"
            f"{f'; or {_LEAN}' if is_asked else ''}"
        )


def check_backend(backend: Backend, device: str) -> None:
    """Raises ConfigError if a backend cannot run here, or not on a device."""
    if backend is Backend.TORCH:
        require("torch", "backend 'torch'", otherwise=_LEAN)
        return
    if device != "cpu":
        raise ConfigError(
            f"backend '{backend.value}' runs on the CPU, device is '{device}'; use 'torch'"
        )
    if backend is Backend.ONNX and not has_onnx():
        raise ConfigError(f"backend 'onnx' is not installed.{_ONNX_HINT}")
    if backend is Backend.NATIVE and library_path() is None:
        raise ConfigError(
            f"backend 'native' was not built for this machine; use 'onnx' or 'torch'.{_ONNX_HINT}"
        )


def _check_sizes(backend: Backend, spec: EncoderSpec) -> None:
    if backend is Backend.NATIVE and not library_fits(spec):
        head = spec.hidden_size // spec.n_heads
        raise ConfigError(
            f"backend 'native' needs hidden_size and intermediate_size in multiples of 16, and "
            f"heads of at most {_WIDEST_HEAD}; this model has {spec.hidden_size}, "
            f"{spec.intermediate_size} and {head}; use 'onnx' or 'torch'"
        )


def _fastest_precision(backend: Backend, device: str) -> Precision:
    if backend is Backend.NATIVE:
        return Precision.INT8
    fast = Precision.INT8 if backend is Backend.ONNX else Precision.BF16
    if device == "cpu" and is_fast_here(fast):
        return fast
    return Precision.FP32


def is_fast_here(precision: Precision) -> bool:
    """Returns whether this CPU has instructions for a format's matrix products."""
    return bool(cpu_features() & _FAST_ON[precision])


def has_onnx() -> bool:
    """Returns whether ONNX Runtime is installed."""
    return is_installed("onnxruntime")


def saturates(backend: Backend, precision: Precision) -> bool:
    """Returns whether 8-bit products lose their largest values on this CPU.

    ONNX Runtime adds pairs of them in 16 bits on x86 CPUs without VNNI.
    """
    is_onnx_int8 = (backend, precision) == (Backend.ONNX, Precision.INT8)
    return is_onnx_int8 and not cpu_features() & _FAST_ON[Precision.INT8]


def library_fits(spec: EncoderSpec) -> bool:
    """Returns whether the C library can run an encoder of these sizes."""
    is_packable = spec.hidden_size % 16 == 0 and spec.intermediate_size % 16 == 0
    return is_packable and spec.hidden_size // spec.n_heads <= _WIDEST_HEAD
