"""Reads safetensors weights into the plain structure every backend uses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Iterable, List, Optional, Tuple

import numpy as np

from rasa_tokprune.encoder.checkpoint.modules import read_json, transformer_folder
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.tensor_file import map_tensors
from rasa_tokprune.errors import CheckpointError

# numpy.ndarray as read, torch.Tensor where the torch backend has moved them.
Array = Any

# In front of the tensors of a layer, behind whatever prefix the checkpoint uses.
LAYER_PREFIX = "encoder.layer.{}."
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

    weight: Array
    bias: Array


# The parts of a layer, by their names in `LayerWeights`: products with a matrix, and norms.
LINEAR_LAYERS = ("qkv", "attention_out", "feed_forward_in", "feed_forward_out")
NORMS = ("attention_norm", "output_norm")


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
class EmbeddingWeights:
    """The tables that make the first hidden states; mapped from their file, not copied.

    Attributes:
        words: (vocab_size, hidden_size).
        positions: (max_positions, hidden_size).
        token_type: (hidden_size,) of segment 0, or None (MPNet).
        relative_bias: (n_buckets, n_heads) of MPNet's attention, or None.
    """

    words: Array
    positions: Array
    token_type: Optional[Array]
    relative_bias: Optional[Array]


@dataclasses.dataclass(frozen=True)
class EncoderWeights:
    """All weights of an encoder, float32.

    Attributes:
        embeddings: Embedding tables.
        embedding_norm: Norm after the embeddings.
        layers: Transformer layers.
    """

    embeddings: EmbeddingWeights
    embedding_norm: Affine
    layers: Tuple[LayerWeights, ...]


def load_weights(folder: Path, spec: EncoderSpec) -> EncoderWeights:
    """Loads and checks the weights of the checkpoint in `folder`.

    Raises:
        CheckpointError: If files are missing or damaged, tensors are missing or have the
            wrong shape, or a weight is not finite.
    """
    reader = _Reader(folder)
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
        for prefix in (LAYER_PREFIX.format(layer) for layer in range(spec.n_layers))
    )
    return EncoderWeights(
        embeddings=_embeddings(reader, spec),
        embedding_norm=reader.affine("embeddings.LayerNorm", (h,)),
        layers=layers,
    )


def load_embeddings(folder: Path, spec: EncoderSpec) -> EmbeddingWeights:
    """Maps the embedding tables alone; values are not looked at before they are used.

    Raises:
        CheckpointError: If files are missing or damaged, or shapes are wrong.
    """
    return _embeddings(_Reader(folder, check_values=False), spec)


def load_dense(folder: Path, spec: EncoderSpec) -> Tuple[Affine, ...]:
    """Loads the dense layers after pooling; a layer without bias has zeros.

    Raises:
        CheckpointError: As `load_weights`.
    """
    return tuple(_load_dense(folder / dense.folder) for dense in spec.dense)


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


def name_prefix(names: Iterable[str]) -> str:
    """Returns what stands in front of a checkpoint's names of tensors: 'bert.', or nothing."""
    found = [name for name in names if name.endswith(_WORD_EMBEDDINGS)]
    return found[0][: -len(_WORD_EMBEDDINGS)] if found else ""


class _Reader:
    """Looks tensors up by name, whatever prefix the checkpoint uses, and checks them."""

    def __init__(self, folder: Path, check_values: bool = True, base: Optional[Path] = None):
        paths = weight_files(transformer_folder(folder) if base is None else base)
        self._shards = [map_tensors(path) for path in paths]
        self._folder, self._check_values = folder, check_values
        self._prefix = name_prefix(name for shard in self._shards for name in shard)

    def __contains__(self, name: str) -> bool:
        return any(self._prefix + name in shard for shard in self._shards)

    def _find(self, name: str) -> Optional[np.ndarray]:
        for shard in self._shards:
            if self._prefix + name in shard:
                return shard[self._prefix + name]
        return None

    def tensor(self, name: str, shape: Optional[Tuple[int, ...]] = None) -> np.ndarray:
        tensor = self._find(name)
        if tensor is None and name.endswith(("LayerNorm.weight", "LayerNorm.bias")):
            # Checkpoints converted from early TensorFlow ones.
            old = name.replace("LayerNorm.weight", "LayerNorm.gamma")
            tensor = self._find(old.replace("LayerNorm.bias", "LayerNorm.beta"))
        if tensor is None:
            raise CheckpointError(f"weights in '{self._folder}' lack '{self._prefix + name}'")
        if shape is not None and tuple(tensor.shape) != shape:
            raise CheckpointError(
                f"'{name}' in '{self._folder}' has shape {tuple(tensor.shape)}; "
                f"config.json asks for {shape}"
            )
        if self._check_values and not np.isfinite(tensor).all():
            raise CheckpointError(
                f"'{name}' in '{self._folder}' holds NaN or infinite values; "
                f"the checkpoint is damaged, fetch it again"
            )
        return tensor

    def affine(self, name: str, shape: Tuple[int, ...]) -> Affine:
        return Affine(self.tensor(f"{name}.weight", shape), self.tensor(f"{name}.bias", shape[:1]))


def _embeddings(reader: _Reader, spec: EncoderSpec) -> EmbeddingWeights:
    mpnet, h = spec.architecture == "mpnet", spec.hidden_size
    return EmbeddingWeights(
        words=reader.tensor(_WORD_EMBEDDINGS, (spec.vocab_size, h)),
        positions=reader.tensor("embeddings.position_embeddings.weight", (spec.max_positions, h)),
        token_type=None if mpnet else reader.tensor("embeddings.token_type_embeddings.weight")[0],
        relative_bias=reader.tensor(_RELATIVE_BIAS, (spec.n_buckets, spec.n_heads))
        if mpnet
        else None,
    )


def _join(parts: List[Affine]) -> Affine:
    return Affine(
        np.concatenate([p.weight for p in parts]), np.concatenate([p.bias for p in parts])
    )


def _load_dense(folder: Path) -> Affine:
    reader = _Reader(folder, base=folder)
    weight = reader.tensor("linear.weight")
    if "linear.bias" not in reader:
        return Affine(weight, np.zeros(len(weight), dtype=np.float32))
    return Affine(weight, reader.tensor("linear.bias", (len(weight),)))
