"""The C library and its structures; see src/encoder.c."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any, List, Mapping, Optional, Tuple

import numpy as np

from rasa_tokprune.encoder.backends.choice import library_path
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import LINEAR_LAYERS, NORMS
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind
from rasa_tokprune.errors import ConfigError

_ACTIVATIONS = {
    "gelu": 1,
    "gelu_new": 1,
    "gelu_pytorch_tanh": 1,
    "relu": 2,
    "silu": 3,
    "tanh": 4,
}
_ALIGNMENT = 64
# What tokprune_version() returns: raise both when a structure or an argument changes.
_VERSION = 1


class _Linear(ctypes.Structure):
    _fields_ = (
        ("weight", ctypes.c_void_p),
        ("scale", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("n_in", ctypes.c_int32),
        ("n_out", ctypes.c_int32),
    )


_Norm = ctypes.c_void_p * 2


class _Layer(ctypes.Structure):
    _fields_ = (*((name, _Linear) for name in LINEAR_LAYERS), *((name, _Norm) for name in NORMS))


class _Model(ctypes.Structure):
    _fields_ = (
        ("n_layers", ctypes.c_int32),
        ("hidden", ctypes.c_int32),
        ("wide", ctypes.c_int32),
        ("n_heads", ctypes.c_int32),
        ("activation", ctypes.c_int32),
        ("epsilon", ctypes.c_float),
        ("embedding_norm", _Norm),
        ("layers", ctypes.POINTER(_Layer)),
    )


class _Plan(ctypes.Structure):
    _fields_ = (
        ("kept_layers", ctypes.c_void_p),
        ("n_kept_layers", ctypes.c_int32),
        ("thresholds", ctypes.c_void_p),
        ("is_absolute", ctypes.c_int32),
        ("is_freezing", ctypes.c_int32),
    )


@functools.cache
def _load(path: Path) -> Any:
    library = ctypes.CDLL(str(path))
    if not hasattr(library, "tokprune_version") or library.tokprune_version() != _VERSION:
        raise ConfigError(
            f"'{path.name}' was built from other sources than this package; install it again"
        )
    pointer, count = ctypes.c_void_p, ctypes.c_int32
    library.tokprune_scratch_size.argtypes = [pointer, pointer, count]
    library.tokprune_scratch_size.restype = ctypes.c_size_t
    library.tokprune_encode.argtypes = [pointer, pointer, count, *[pointer] * 6]
    library.tokprune_encode.restype = None
    return library


class NativePlan:
    """A pruning plan as the library reads it."""

    def __init__(self, plan: PruningPlan) -> None:
        """Copies the plan; its minimum length is the caller's to mind."""
        self._layers = np.array(plan.kept_layers, dtype=np.int32)
        self._thresholds = np.array(plan.thresholds, dtype=np.float64)
        self.structure = _Plan(
            self._layers.ctypes.data,
            len(self._layers),
            self._thresholds.ctypes.data,
            plan.kind is ThresholdKind.ABSOLUTE,
            plan.mode is PruneMode.FREEZE and bool(plan.pruned_layers),
        )


class NativeModel:
    """An encoder's packed weights as the library reads them; read-only, thread-safe."""

    def __init__(self, packed: Mapping[str, np.ndarray], spec: EncoderSpec) -> None:
        """Points at packed weights, from `pack_weights`, and keeps them alive."""
        self._packed, self._spec = packed, spec
        path = library_path()
        if path is None:
            raise ConfigError("backend 'native' was not built for this machine")
        self._library = _load(path)
        self._layers = (_Layer * spec.n_layers)()
        for number in range(spec.n_layers):
            for name, (n_in, n_out) in _shapes(spec):
                linear = _Linear(*self._pointers(f"{number}.{name}", "weight", "scale", "bias"))
                linear.n_in, linear.n_out = n_in, n_out
                setattr(self._layers[number], name, linear)
            for name in NORMS:
                pointers = self._pointers(f"{number}.{name}", "scale", "shift")
                setattr(self._layers[number], name, _Norm(*pointers))
        self._model = _Model(
            spec.n_layers,
            spec.hidden_size,
            spec.intermediate_size,
            spec.n_heads,
            _ACTIVATIONS[spec.activation],
            spec.layer_norm_eps,
            _Norm(*self._pointers("embedding_norm", "scale", "shift")),
            self._layers,
        )

    def scratch_size(self, plan: NativePlan, n_tokens: int) -> int:
        """Returns the bytes of scratch memory that a sentence needs."""
        model, structure = ctypes.byref(self._model), ctypes.byref(plan.structure)
        return int(self._library.tokprune_scratch_size(model, structure, n_tokens)) + _ALIGNMENT

    def encode(
        self,
        plan: NativePlan,
        embeddings: np.ndarray,
        is_protected: np.ndarray,
        bias: Optional[np.ndarray],
        scratch: np.ndarray,
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Encodes one sentence; other Python threads run meanwhile.

        Args:
            plan: What to prune.
            embeddings: Sums of the embedding tables, (n_tokens, hidden_size) float32.
            is_protected: Tokens that are never pruned, (n_tokens,) bool.
            bias: MPNet's bias, (n_heads, n_tokens, n_tokens) float32, or None.
            scratch: At least `scratch_size` bytes, used by nobody else meanwhile.

        Returns:
            Last states, (n_tokens, hidden_size) float32, and the layer after which each token was
            pruned, -1 if kept, (n_tokens,) int32.
        """
        n_tokens = len(embeddings)
        states = np.empty_like(embeddings)
        pruned_after = np.empty(n_tokens, dtype=np.int32)
        start = scratch.ctypes.data
        self._library.tokprune_encode(
            ctypes.byref(self._model),
            ctypes.byref(plan.structure),
            n_tokens,
            embeddings.ctypes.data,
            is_protected.ctypes.data,
            None if bias is None else bias.ctypes.data,
            start + -start % _ALIGNMENT,
            states.ctypes.data,
            pruned_after.ctypes.data,
        )
        return states, pruned_after

    def _pointers(self, prefix: str, *names: str) -> List[int]:
        return [self._packed[f"{prefix}.{name}"].ctypes.data for name in names]


def _shapes(spec: EncoderSpec) -> List[Tuple[str, Tuple[int, int]]]:
    """Returns (n_in, n_out) of a layer's multiplications."""
    h, wide = spec.hidden_size, spec.intermediate_size
    return list(zip(LINEAR_LAYERS, ((h, 3 * h), (h, h), (h, wide), (wide, h))))
