"""Weights back to a checkpoint's file: other layers, all else as it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, Iterator, Sequence, Tuple

import numpy as np
from safetensors import SafetensorError  # type: ignore[attr-defined]
from safetensors.numpy import save_file

from rasa_tokprune.encoder.checkpoint.modules import transformer_folder
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.tensor_file import map_tensors
from rasa_tokprune.encoder.checkpoint.weights import (
    LAYER_NAMES,
    LAYER_PREFIX,
    Affine,
    EncoderWeights,
    LayerWeights,
    name_prefix,
    weight_files,
)
from rasa_tokprune.errors import CheckpointError


def write_layers(
    folder: Path, spec: EncoderSpec, weights: EncoderWeights, kept: Sequence[int], path: Path
) -> None:
    """Writes a checkpoint's weights with other layers; all floating-point numbers as float32.

    Args:
        folder: The checkpoint that names and all other tensors come from.
        spec: Its specification.
        weights: Its layers, changed or not.
        kept: Layers that are written, ascending; they are numbered anew from 0.
        path: The safetensors file.

    Raises:
        CheckpointError: If the checkpoint cannot be read, or the file cannot be written.
    """
    tensors = dict(_all_tensors(folder))
    prefix = name_prefix(tensors) + LAYER_PREFIX
    in_layer = re.compile(re.escape(prefix).replace(r"\{\}", r"(\d+)"))
    numbers = {name: int(found[1]) for name in tensors if (found := in_layer.match(name))}
    written = {name: tensor for name, tensor in tensors.items() if name not in numbers}
    for new, old in enumerate(kept):
        start, renamed = prefix.format(old), prefix.format(new)
        for name in (name for name, number in numbers.items() if number == old):
            written[renamed + _todays(name[len(start) :])] = tensors[name]
        for name, tensor in _layer_tensors(weights.layers[old], LAYER_NAMES[spec.architecture]):
            written[renamed + name] = tensor
    try:
        save_file(
            {name: np.ascontiguousarray(tensor) for name, tensor in written.items()},
            str(path),
            metadata={"format": "pt"},
        )
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"'{path}' cannot be written: {error}") from error


def _all_tensors(folder: Path) -> Iterator[Tuple[str, np.ndarray]]:
    for path in weight_files(transformer_folder(folder)):
        yield from map_tensors(path).items()


def _todays(name: str) -> str:
    """Returns the name that a norm of a checkpoint converted from early TensorFlow has today."""
    return name.replace("Norm.gamma", "Norm.weight").replace("Norm.beta", "Norm.bias")


def _layer_tensors(layer: LayerWeights, names: Dict[str, str]) -> Iterator[Tuple[str, np.ndarray]]:
    """Yields a layer's tensors under the checkpoint's names, relative to the layer."""
    thirds = zip(np.split(layer.qkv.weight, 3), np.split(layer.qkv.bias, 3))
    parts = {name: Affine(*third) for name, third in zip(("query", "key", "value"), thirds)}
    for own, name in names.items():
        part = parts.get(own) or getattr(layer, own)
        yield f"{name}.weight", part.weight
        yield f"{name}.bias", part.bias
