"""Weights as the C library reads them: 8 bits, in the order of its dot products."""

from __future__ import annotations

from typing import Dict, Mapping, Tuple

import numpy as np

from rasa_tokprune.encoder.backends.quantize import quantize_per_channel
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import LINEAR_LAYERS, NORMS, Affine, EncoderWeights
from rasa_tokprune.errors import CheckpointError

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


def checked(packed: Mapping[str, np.ndarray], spec: EncoderSpec) -> Dict[str, np.ndarray]:
    """Returns the arrays that an encoder needs, each of the type and size the library reads.

    Args:
        packed: As `pack_weights` gives them, perhaps read from a file that somebody changed.
        spec: The encoder.

    Raises:
        CheckpointError: If one is missing or of another type or size.
    """
    found = {}
    for name, (shape, dtype) in _expected(spec).items():
        array = packed.get(name)
        if array is None:
            raise CheckpointError(f"the packed weights lack '{name}'")
        if array.shape != shape or array.dtype != dtype or not array.flags.c_contiguous:
            raise CheckpointError(
                f"the packed weights' '{name}' is {array.dtype} {array.shape}, expected "
                f"{np.dtype(dtype)} {shape}"
            )
        found[name] = array
    return found


def layer_sizes(spec: EncoderSpec) -> Dict[str, Tuple[int, int]]:
    """Returns (n_in, n_out) of a layer's multiplications, by name."""
    h, wide = spec.hidden_size, spec.intermediate_size
    return dict(zip(LINEAR_LAYERS, ((h, 3 * h), (h, h), (h, wide), (wide, h))))


def _expected(spec: EncoderSpec) -> Dict[str, Tuple[Tuple[int, ...], type]]:
    """Returns shape and type of every array by name."""
    norms = ["embedding_norm"]
    found: Dict[str, Tuple[Tuple[int, ...], type]] = {}
    for number in range(spec.n_layers):
        norms += [f"{number}.{name}" for name in NORMS]
        for name, (n_in, n_out) in layer_sizes(spec).items():
            blocks = (n_out // LANES, n_in // _PRODUCTS_AT_ONCE, LANES, _PRODUCTS_AT_ONCE)
            found[f"{number}.{name}.weight"] = blocks, np.uint8
            for part in ("scale", "bias"):
                found[f"{number}.{name}.{part}"] = (n_out,), np.float32
    for norm in norms:
        for part in ("scale", "shift"):
            found[f"{norm}.{part}"] = (spec.hidden_size,), np.float32
    return found


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
