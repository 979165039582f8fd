"""Low-rank adapters: small changes of an encoder's weights, added when the encoder is loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Tuple

import numpy as np
from safetensors.numpy import save

from rasa_tokprune.encoder.checkpoint.tensor_file import read_with_metadata
from rasa_tokprune.encoder.checkpoint.weights import (
    LINEAR_LAYERS,
    NORMS,
    Affine,
    EncoderWeights,
    LayerWeights,
)
from rasa_tokprune.errors import AdapterMisfitError, CheckpointError, ConfigError
from rasa_tokprune.machine.stored import write_whole

_ABOUT = "rasa_tokprune"


@dataclasses.dataclass(frozen=True)
class Adapter:
    """What is added to the weights of one encoder.

    Source: Hu et al., "LoRA" (2021), equation 3, with alpha = rank; biases and norms are changed
    in full.

    Attributes:
        name: Short name for logs.
        encoder_identity: Identity of the checkpoint it was trained for.
        tensors: For a linear layer `L.layer` of shape (n_out, n_in) the factors `L.layer.down`,
            (rank, n_in), and `L.layer.up`, (n_out, rank); for every bias and norm of layer L what
            is added, such as `L.qkv.bias` or `L.output_norm.weight`. What is left out stays.
        provenance: Where it comes from: data, seed, licences and the like.
    """

    name: str
    encoder_identity: str
    tensors: Mapping[str, np.ndarray]
    provenance: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Hash of the tensors."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.tensors.items()):
            digest.update(f"{name} {tensor.dtype} {tensor.shape}\n".encode())
            digest.update(np.ascontiguousarray(tensor).tobytes())
        return digest.hexdigest()

    @property
    def changed_layers(self) -> Tuple[int, ...]:
        """Layers that it changes, ascending."""
        numbers = {name.split(".")[0] for name in self.tensors}
        return tuple(sorted(int(number) for number in numbers if number.isdigit()))

    def scaled(self, strength: float) -> Adapter:
        """Returns the adapter with a share of its changes.

        A weaker change keeps more of the original model where nothing was learned. Source:
        Wortsman et al., "Robust fine-tuning of zero-shot models" (2022), equation 1.

        Args:
            strength: 0 changes nothing, 1 is the adapter as it was trained.
        """
        tensors = {
            # A product is scaled by one of its factors.
            name: tensor
            if name.endswith(".down")
            else (tensor.astype(np.float32) * strength).astype(tensor.dtype)
            for name, tensor in self.tensors.items()
        }
        return dataclasses.replace(self, tensors=tensors)

    def check_fits(self, encoder_identity: str) -> None:
        """Raises ConfigError if the adapter was trained for another encoder."""
        if encoder_identity != self.encoder_identity:
            raise AdapterMisfitError(
                f"adapter '{self.name}' was trained for another encoder (identity "
                f"{self.encoder_identity[:12]}, this one has {encoder_identity[:12]}); make one "
                f"for this encoder with rasa-tokprune adapt, or set adapter: off"
            )

    def save(self, path: Path) -> None:
        """Writes the adapter to a safetensors file.

        Raises:
            ConfigError: If it cannot be written.
        """
        about = {
            "name": self.name,
            "encoder_identity": self.encoder_identity,
            "provenance": dict(self.provenance),
        }
        try:
            write_whole(save(dict(self.tensors), metadata={_ABOUT: json.dumps(about)}), path)
        except OSError as error:
            raise ConfigError(
                f"adapter '{path}' cannot be written: {error.strerror}; check that there is space "
                f"and permission"
            ) from error

    @classmethod
    def load(cls, path: Path) -> Adapter:
        """Reads an adapter from a safetensors file.

        Raises:
            ConfigError: If it is not there, damaged, or no adapter.
        """
        try:
            tensors, metadata = read_with_metadata(path)
            adapter = cls(tensors=tensors, **json.loads(metadata[_ABOUT]))
        except CheckpointError as error:
            raise ConfigError(f"adapter: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"'{path}' is not an adapter: its metadata lack '{_ABOUT}'; "
                f"make one with rasa-tokprune adapt"
            ) from error
        for name, tensor in tensors.items():
            if tensor.dtype not in (np.float16, np.float32) or not np.isfinite(tensor).all():
                raise ConfigError(f"adapter '{path}' is damaged: '{name}' holds no finite numbers")
        return adapter


def add_adapter(weights: EncoderWeights, adapter: Adapter) -> EncoderWeights:
    """Returns weights with an adapter merged in: inference costs what it cost.

    Raises:
        ConfigError: If the adapter is for an encoder of other sizes.
    """
    places = {place for number in range(len(weights.layers)) for place in _places(number)}
    for name in adapter.tensors:
        if name not in places:
            raise ConfigError(f"adapter '{adapter.name}': the encoder has no place for '{name}'")
    layers = tuple(
        dataclasses.replace(layer, **dict(_added(layer, number, adapter)))
        for number, layer in enumerate(weights.layers)
    )
    return dataclasses.replace(weights, layers=layers)


def _places(number: int) -> Iterator[str]:
    for name in (*LINEAR_LAYERS, *NORMS):
        yield f"{number}.{name}.bias"
        yield from (f"{number}.{name}.{part}" for part in ("weight", "down", "up"))


def _added(layer: LayerWeights, number: int, adapter: Adapter) -> Iterator[Tuple[str, Affine]]:
    for name in (*LINEAR_LAYERS, *NORMS):
        own: Affine = getattr(layer, name)
        found = _parts(adapter, f"{number}.{name}")
        if not found:
            continue
        weight, bias = own.weight, own.bias
        try:
            if "down" in found or "up" in found:
                weight = weight + found["up"] @ found["down"]
            if "weight" in found:
                weight = weight + found["weight"]
            bias = bias + found.get("bias", np.float32(0))
        except (KeyError, ValueError) as error:
            raise _misfit(adapter, f"{number}.{name}") from error
        if (weight.shape, bias.shape) != (own.weight.shape, own.bias.shape):
            raise _misfit(adapter, f"{number}.{name}")
        yield name, Affine(weight, bias)


def _parts(adapter: Adapter, place: str) -> Dict[str, Any]:
    names = {part: f"{place}.{part}" for part in ("down", "up", "weight", "bias")}
    return {
        part: adapter.tensors[name].astype(np.float32)
        for part, name in names.items()
        if name in adapter.tensors
    }


def _misfit(adapter: Adapter, place: str) -> ConfigError:
    return ConfigError(
        f"adapter '{adapter.name}' does not fit this encoder at '{place}'; it was trained for "
        f"another one (identity {adapter.encoder_identity[:12]})"
    )
