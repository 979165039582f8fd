"""Reads safetensors weights into the plain structure the forward pass uses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import torch
from safetensors import SafetensorError  # type: ignore[attr-defined]
from safetensors.torch import load_file
from torch import Tensor

from rasa_tokprune.encoder.modules import read_json, transformer_folder
from rasa_tokprune.encoder.spec import EncoderSpec
from rasa_tokprune.errors import CheckpointError

_BERT_LAYER = "encoder.layer.{}."
# Our name -> the checkpoint's name, relative to the layer; query, key and value are joined.
_BERT_NAMES = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "feed_forward_in": "intermediate.dense",
    "feed_forward_out": "output.dense",
    "output_norm": "output.LayerNorm",
}
_MPNET_NAMES = {
    **_BERT_NAMES,
    "query": "attention.attn.q",
    "key": "attention.attn.k",
    "value": "attention.attn.v",
    "attention_out": "attention.attn.o",
    "attention_norm": "attention.LayerNorm",
}
LAYER_NAMES = {
    "bert": _BERT_NAMES,
    "roberta": _BERT_NAMES,
    "xlm-roberta": _BERT_NAMES,
    "mpnet": _MPNET_NAMES,
}
_WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
_RELATIVE_BIAS = "encoder.relative_attention_bias.weight"


@dataclasses.dataclass(frozen=True)
class Affine:
    """Weight (out, in) and bias (out,) of a linear layer, or scale and shift of a norm."""

    weight: Tensor
    bias: Tensor


@dataclasses.dataclass(frozen=True)
class LayerWeights:
    """One transformer layer; `qkv` holds query, key and value, (3 * hidden, hidden)."""

    qkv: Affine
    attention_out: Affine
    attention_norm: Affine
    feed_forward_in: Affine
    feed_forward_out: Affine
    output_norm: Affine


@dataclasses.dataclass(frozen=True)
class EncoderWeights:
    """All weights of an encoder, float32 on one device.

    Attributes:
        word_embeddings: (vocab_size, hidden_size).
        position_embeddings: (max_positions, hidden_size).
        token_type_embedding: (hidden_size,) of segment 0, or None (MPNet).
        embedding_norm: Norm after the embeddings.
        layers: Transformer layers.
        relative_bias: (n_buckets, n_heads), MPNet only.
        dense: Dense layers after pooling; a layer without bias has zeros.
    """

    word_embeddings: Tensor
    position_embeddings: Tensor
    token_type_embedding: Optional[Tensor]
    embedding_norm: Affine
    layers: Tuple[LayerWeights, ...]
    relative_bias: Optional[Tensor] = None
    dense: Tuple[Affine, ...] = ()


def load_weights(folder: Path, spec: EncoderSpec, device: str = "cpu") -> EncoderWeights:
    """Loads and checks the weights of the checkpoint in `folder`.

    Raises:
        CheckpointError: If files are missing or damaged, tensors are missing or have the
            wrong shape, or a weight is not finite.
    """
    tensors: Dict[str, Tensor] = {}
    for path in weight_files(transformer_folder(folder)):
        tensors.update(_read(path))
    reader = _Reader(tensors, folder, device)
    names = LAYER_NAMES[spec.architecture]
    h, wide = spec.hidden_size, spec.intermediate_size
    layers = tuple(
        LayerWeights(
            qkv=_join(
                [reader.affine(prefix + names[n], (h, h)) for n in ("query", "key", "value")]
            ),
            attention_out=reader.affine(prefix + names["attention_out"], (h, h)),
            attention_norm=reader.affine(prefix + names["attention_norm"], (h,)),
            feed_forward_in=reader.affine(prefix + names["feed_forward_in"], (wide, h)),
            feed_forward_out=reader.affine(prefix + names["feed_forward_out"], (h, wide)),
            output_norm=reader.affine(prefix + names["output_norm"], (h,)),
        )
        for prefix in (_BERT_LAYER.format(layer) for layer in range(spec.n_layers))
    )
    mpnet = spec.architecture == "mpnet"
    token_types = None if mpnet else reader.tensor("embeddings.token_type_embeddings.weight")[0]
    return EncoderWeights(
        word_embeddings=reader.tensor(_WORD_EMBEDDINGS, (spec.vocab_size, h)),
        position_embeddings=reader.tensor(
            "embeddings.position_embeddings.weight", (spec.max_positions, h)
        ),
        token_type_embedding=token_types,
        embedding_norm=reader.affine("embeddings.LayerNorm", (h,)),
        layers=layers,
        relative_bias=reader.tensor(_RELATIVE_BIAS, (spec.n_buckets, spec.n_heads))
        if mpnet
        else None,
        dense=tuple(_load_dense(folder / dense.folder, device) for dense in spec.dense),
    )


def weight_files(folder: Path) -> List[Path]:
    """Returns the safetensors files of a checkpoint, one or several shards."""
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        raise CheckpointError(
            f"'{folder}' holds no model.safetensors; only safetensors weights are read. "
            f"Convert other formats with save_pretrained(..., safe_serialization=True)"
        )
    shards = sorted(set(read_json(index).get("weight_map", {}).values()))
    for shard in shards:
        if not (folder / shard).is_file():
            raise CheckpointError(f"'{folder / shard}' is missing; '{index}' names it")
    return [folder / shard for shard in shards]


class _Reader:
    """Looks tensors up by name, whatever prefix the checkpoint uses, and checks them."""

    def __init__(self, tensors: Dict[str, Tensor], folder: Path, device: str) -> None:
        self._tensors, self._folder, self._device = tensors, folder, device
        found = [name for name in tensors if name.endswith(_WORD_EMBEDDINGS)]
        self._prefix = found[0][: -len(_WORD_EMBEDDINGS)] if found else ""

    def tensor(self, name: str, shape: Optional[Tuple[int, ...]] = None) -> Tensor:
        tensor = self._tensors.get(self._prefix + name)
        if tensor is None and name.endswith(("LayerNorm.weight", "LayerNorm.bias")):
            # Checkpoints converted from early TensorFlow ones.
            old = name.replace("LayerNorm.weight", "LayerNorm.gamma")
            tensor = self._tensors.get(
                self._prefix + old.replace("LayerNorm.bias", "LayerNorm.beta")
            )
        if tensor is None:
            raise CheckpointError(f"weights in '{self._folder}' lack '{self._prefix + name}'")
        if shape is not None and tuple(tensor.shape) != shape:
            raise CheckpointError(
                f"'{name}' in '{self._folder}' has shape {tuple(tensor.shape)}; "
                f"config.json asks for {shape}"
            )
        tensor = tensor.to(device=self._device, dtype=torch.float32)
        if not torch.isfinite(tensor).all():
            raise CheckpointError(
                f"'{name}' in '{self._folder}' holds NaN or infinite values; "
                f"the checkpoint is damaged, fetch it again"
            )
        return tensor

    def affine(self, name: str, shape: Tuple[int, ...]) -> Affine:
        return Affine(self.tensor(f"{name}.weight", shape), self.tensor(f"{name}.bias", shape[:1]))


def _read(path: Path) -> Dict[str, Tensor]:
    try:
        return load_file(str(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"'{path}' is not a readable safetensors file ({error}); "
            f"it may be truncated, fetch it again"
        ) from error


def _join(parts: List[Affine]) -> Affine:
    return Affine(torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts]))


def _load_dense(folder: Path, device: str) -> Affine:
    path = weight_files(folder)[0]
    tensors = _read(path)
    reader = _Reader(tensors, folder, device)
    weight = reader.tensor("linear.weight")
    if "linear.bias" not in tensors:
        return Affine(weight, torch.zeros(len(weight), device=device))
    return Affine(weight, reader.tensor("linear.bias", (len(weight),)))
