"""Weights as the C library reads them: 8 bits, in the order of its dot products."""

from __future__ import annotations

from typing import Dict

import numpy as np

from rasa_tokprune.encoder.backends.quantize import quantize_per_channel
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import LINEAR_LAYERS, NORMS, Affine, EncoderWeights

# The library works on vectors of this many numbers.
LANES = 16
_PRODUCTS_AT_ONCE = 4


def pack_weights(weights: EncoderWeights, spec: EncoderSpec) -> Dict[str, np.ndarray]:
    """Returns named arrays: `L.layer.weight`, `.scale`, `.bias` and `L.norm.scale`, `.shift`.

    A weight matrix (n_out, n_in) becomes (n_out / 16, n_in / 4, 16, 4) uint8, shifted by 128. The
    queries' part is divided by the square root of the head size.
    """
    packed: Dict[str, np.ndarray] = {}
    _pack_norm(packed, "embedding_norm", weights.embedding_norm)
    for number, layer in enumerate(weights.layers):
        for name in LINEAR_LAYERS:
            _pack_linear(packed, f"{number}.{name}", getattr(layer, name))
        queries = slice(0, spec.hidden_size)
        factor = np.float32((spec.hidden_size // spec.n_heads) ** -0.5)
        packed[f"{number}.qkv.scale"][queries] *= factor
        packed[f"{number}.qkv.bias"][queries] *= factor
        for name in NORMS:
            _pack_norm(packed, f"{number}.{name}", getattr(layer, name))
    return packed


def _pack_linear(packed: Dict[str, np.ndarray], name: str, layer: Affine) -> None:
    integers, scale = quantize_per_channel(layer.weight)
    n_out, n_in = integers.shape
    blocks = integers.reshape(
        n_out // LANES, LANES, n_in // _PRODUCTS_AT_ONCE, _PRODUCTS_AT_ONCE
    ).transpose(0, 2, 1, 3)
    packed[f"{name}.weight"] = (blocks.astype(np.int16) + 128).astype(np.uint8, order="C")
    packed[f"{name}.scale"] = scale
    packed[f"{name}.bias"] = np.array(layer.bias, dtype=np.float32)


def _pack_norm(packed: Dict[str, np.ndarray], name: str, norm: Affine) -> None:
    packed[f"{name}.scale"] = np.array(norm.weight, dtype=np.float32)
    packed[f"{name}.shift"] = np.array(norm.bias, dtype=np.float32)
