"""The structures of the C library, as src/model.h has them."""

from __future__ import annotations

import ctypes
from typing import Dict, Tuple

import numpy as np

from rasa_tokprune.encoder.checkpoint.weights import LINEAR_LAYERS, NORMS
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind


class Linear(ctypes.Structure):
    """A matrix product; see src/matmul.h."""

    _fields_ = (
        ("weight", ctypes.c_void_p),
        ("scale", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("n_in", ctypes.c_int32),
        ("n_out", ctypes.c_int32),
    )


Norm = ctypes.c_void_p * 2


class Layer(ctypes.Structure):
    """The weights of a layer."""

    _fields_ = (*((name, Linear) for name in LINEAR_LAYERS), *((name, Norm) for name in NORMS))


class Model(ctypes.Structure):
    """An encoder."""

    _fields_ = (
        ("n_layers", ctypes.c_int32),
        ("hidden", ctypes.c_int32),
        ("wide", ctypes.c_int32),
        ("n_heads", ctypes.c_int32),
        ("activation", ctypes.c_int32),
        ("pooling", ctypes.c_int32),
        ("normalizes", ctypes.c_int32),
        ("n_words", ctypes.c_int32),
        ("n_positions", ctypes.c_int32),
        ("epsilon", ctypes.c_float),
        ("words", ctypes.c_void_p),
        ("positions", ctypes.c_void_p),
        ("embedding_norm", Norm),
        ("layers", ctypes.POINTER(Layer)),
    )


class _Plan(ctypes.Structure):
    _fields_ = (
        ("kept_layers", ctypes.c_void_p),
        ("n_kept_layers", ctypes.c_int32),
        ("thresholds", ctypes.c_void_p),
        ("is_absolute", ctypes.c_int32),
        ("is_freezing", ctypes.c_int32),
    )


class NativePlan:
    """A pruning plan as the library reads it."""

    def __init__(self, plan: PruningPlan) -> None:
        """Copies the plan; its minimum length is the caller's to mind."""
        self.n_layers = plan.n_layers
        self._layers = np.array(plan.kept_layers, dtype=np.int32)
        self._thresholds = np.array(plan.thresholds, dtype=np.float64)
        self.structure = _Plan(
            self._layers.ctypes.data,
            len(self._layers),
            self._thresholds.ctypes.data,
            plan.kind is ThresholdKind.ABSOLUTE,
            plan.mode is PruneMode.FREEZE and bool(plan.pruned_layers),
        )
        self.reference = ctypes.byref(self.structure)
        self.scratch_sizes: Dict[Tuple[int, int], int] = {}
