"""The student: an encoder with its plan active and low-rank changes that can be trained."""

from __future__ import annotations

import dataclasses
from enum import Enum
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rasa_tokprune.commands.adapt.training.sentences import Sentences, tokenize
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.backends.batch import NEVER_PRUNED
from rasa_tokprune.encoder.backends.torch.forward import forward
from rasa_tokprune.encoder.backends.torch.operations import operations
from rasa_tokprune.encoder.backends.torch.padded import padded_forward
from rasa_tokprune.encoder.backends.torch.runner import packed_tensors, to_device
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import (
    LINEAR_LAYERS,
    NORMS,
    Affine,
    EncoderWeights,
    LayerWeights,
    load_weights,
)
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan
from rasa_tokprune.encoder.pooling import count_pooled, pool
from rasa_tokprune.errors import ConfigError

_TRAINABLE_POOLING = ("mean", "cls")
# Texts that are embedded at a time.
_BATCH = 128


class Importance(str, Enum):
    """What tokens are pruned by: the attention they receive, or a control."""

    ATTENTION = "attention"
    RANDOM = "random"
    INVERSE = "inverse"


class Student(torch.nn.Module):
    """Frozen weights plus trainable changes, through the package's own forward pass.

    Attributes:
        plan: The plan that is active, in training as in use.
        device: torch's name of the device.
        changed: What is trained, by its name in an adapter.
    """

    def __init__(
        self,
        folder: Path,
        spec: EncoderSpec,
        plan: PruningPlan,
        *,
        rank: int,
        seed: int,
        device: str = "cpu",
        precision: Precision = Precision.FP32,
        importance: Importance = Importance.ATTENTION,
    ) -> None:
        """Loads the weights; all changes start at zero, so the student starts as the encoder.

        Args:
            folder: The checkpoint.
            spec: Its specification.
            plan: Pruning and skipped layers.
            rank: Of the change of each matrix.
            seed: Of the random half of each low-rank change.
            device: torch's name of the device.
            precision: BF16 multiplies matrices in 16 bits, several times faster where the
                processor has instructions for it; what is trained stays in 32.
            importance: What tokens are pruned by; other than attention is a control.

        Raises:
            ConfigError: If the encoder pools in a way that is not trained here.
        """
        super().__init__()
        if spec.dense or any(mode not in _TRAINABLE_POOLING for mode in spec.pooling):
            raise ConfigError(
                f"adapters are trained for encoders that pool by {' or '.join(_TRAINABLE_POOLING)} "
                f"without dense layers behind; this one has {', '.join(spec.pooling)} and "
                f"{len(spec.dense)} dense layers"
            )
        self.plan, self.device, self._spec = plan, device, spec
        self._precision = precision
        self._weights: EncoderWeights = to_device(load_weights(folder, spec), device, torch.float32)
        self.changed: Dict[str, torch.nn.Parameter] = {}
        self._reorder = _reorder(importance, seed)
        generator = torch.Generator().manual_seed(seed)
        for number in plan.kept_layers or ():
            self._add_layer(number, rank, generator)

    def _add_layer(self, number: int, rank: int, generator: torch.Generator) -> None:
        layer = self._weights.layers[number]
        for name in LINEAR_LAYERS:
            n_out, n_in = getattr(layer, name).weight.shape
            down = torch.randn(rank, n_in, generator=generator) / rank**0.5
            self._add(f"{number}.{name}.down", down)
            self._add(f"{number}.{name}.up", torch.zeros(n_out, rank))
            self._add(f"{number}.{name}.bias", torch.zeros(n_out))
        for name in NORMS:
            for part in ("weight", "bias"):
                self._add(f"{number}.{name}.{part}", torch.zeros(self._spec.hidden_size))

    def _add(self, name: str, value: Tensor) -> None:
        parameter = torch.nn.Parameter(value.to(self.device))
        self.register_parameter(name.replace(".", "_"), parameter)
        self.changed[name] = parameter

    def changes(self) -> Dict[str, np.ndarray]:
        """Returns the trained changes as an adapter's tensors, in half precision."""
        return {
            name: parameter.detach().cpu().numpy().astype(np.float16)
            for name, parameter in self.changed.items()
        }

    def load_tensors(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Puts changes back, as `changes` returned them."""
        with torch.no_grad():
            for name, parameter in self.changed.items():
                parameter.copy_(torch.from_numpy(tensors[name].astype(np.float32)))

    def load_changes(self, adapter: Adapter) -> None:
        """Goes on from an adapter; its changes of layers that the plan skips are left out.

        Raises:
            ConfigError: If it is of another rank.
        """
        with torch.no_grad():
            for name, parameter in self.changed.items():
                tensor = adapter.tensors.get(name)
                if tensor is None:
                    continue
                if tensor.shape != tuple(parameter.shape):
                    raise ConfigError(
                        f"adapter '{adapter.name}' changes '{name}' by {tensor.shape}, this "
                        f"training by {tuple(parameter.shape)}; go on with the rank it has"
                    )
                parameter.copy_(torch.from_numpy(tensor.astype(np.float32)))

    def forward(self, sentences: Sentences, prunes: bool = True) -> Tensor:
        """Returns the embeddings of tokenized texts, (n_texts, embedding_size), unit length.

        Args:
            sentences: The texts.
            prunes: False runs the same layers on every token.
        """
        plan = self.plan if prunes else self.plan.without_pruning
        packed = sentences.packed
        inputs = packed_tensors(packed, self.device)
        on_cpu = torch.device(self.device).type == "cpu"
        if not on_cpu:
            inputs["lengths"] = torch.from_numpy(packed.lengths)
        half = self._precision is Precision.BF16
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=half):
            run = forward if on_cpu else padded_forward
            states, pruned_after = run(
                self._changed_weights(), self._spec, plan, **inputs, reorder=self._reorder
            )
        states, lengths = states.float(), packed.lengths
        is_pooled = sentences.is_pooled
        if plan.mode is PruneMode.DROP and plan.pruned_layers:  # a GPU is waited for here
            survives = (pruned_after == NEVER_PRUNED).cpu().numpy()
            is_pooled = survives if is_pooled is None else survives & is_pooled
        if is_pooled is not None:
            states = states[torch.from_numpy(is_pooled).to(self.device)]
            lengths = count_pooled(lengths, is_pooled)
        pooled = pool(states, lengths, self._spec, (), operations(self.device))
        return F.normalize(pooled, dim=1)

    def _changed_weights(self) -> EncoderWeights:
        layers = tuple(
            dataclasses.replace(layer, **dict(self._changed(layer, number)))
            if number in (self.plan.kept_layers or ())
            else layer
            for number, layer in enumerate(self._weights.layers)
        )
        return dataclasses.replace(self._weights, layers=layers)

    def _changed(self, layer: LayerWeights, number: int) -> Iterator[Tuple[str, Affine]]:
        own = self.changed
        for name in LINEAR_LAYERS:
            base, place = getattr(layer, name), f"{number}.{name}"
            change = own[f"{place}.up"] @ own[f"{place}.down"]
            yield name, Affine(base.weight + change, base.bias + own[f"{place}.bias"])
        for name in NORMS:
            base, place = getattr(layer, name), f"{number}.{name}"
            yield (
                name,
                Affine(base.weight + own[f"{place}.weight"], base.bias + own[f"{place}.bias"]),
            )


def embed(student: Student, encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
    """Returns a student's embeddings of texts, (n_texts, d), as its plan makes them.

    Args:
        student: The student.
        encoder: Its encoder, un-pruned: it tokenizes.
        texts: Any number.
    """
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    parts: List[np.ndarray] = []
    with torch.no_grad():
        for start in range(0, len(order), _BATCH):
            chosen = [texts[row] for row in order[start : start + _BATCH]]
            sentences = tokenize(encoder, student.plan.drop_end, chosen)
            parts.append(student(sentences).cpu().numpy())
    return np.concatenate(parts)[np.argsort(order, kind="stable")]


def _reorder(importance: Importance, seed: int) -> Optional[Callable[[Tensor], Tensor]]:
    """Returns what a control puts in the place of the attention received."""
    if importance is Importance.RANDOM:
        generator = torch.Generator().manual_seed(seed)
        return lambda received: torch.rand(received.shape, generator=generator).to(received)
    return torch.neg if importance is Importance.INVERSE else None
