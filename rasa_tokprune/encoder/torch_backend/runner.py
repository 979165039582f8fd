"""Runs packed sentences through the torch forward pass."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Optional

import torch

from rasa_tokprune.encoder.backends import Precision
from rasa_tokprune.encoder.batch import ForwardResult, PackedTokens
from rasa_tokprune.encoder.plan import PruningPlan
from rasa_tokprune.encoder.torch_backend.forward import forward
from rasa_tokprune.encoder.torch_backend.threads import watch_forks
from rasa_tokprune.encoder.weight_source import WeightSource

_DTYPES = {Precision.FP32: torch.float32, Precision.BF16: torch.bfloat16}


class TorchRunner:
    """A model's weights as tensors on one device."""

    def __init__(
        self,
        source: WeightSource,
        device: str,
        precision: Precision,
    ) -> None:
        """Loads the weights.

        Raises:
            CheckpointError: If they are missing or damaged.
        """
        watch_forks()
        self._spec, self._device = source.spec, device
        self._weights = to_device(source.load(), device, _DTYPES[precision])

    def prepare(self, plan: PruningPlan, folder: Optional[Path] = None) -> None:
        """Does nothing: all plans run on the same weights."""

    def run(self, tokens: PackedTokens, plan: PruningPlan) -> ForwardResult:
        """Runs the encoder; see `Runner`."""
        with torch.inference_mode():
            states, pruned_after = forward(
                self._weights,
                self._spec,
                plan,
                ids=self._tensor(tokens.ids),
                position_ids=self._tensor(tokens.position_ids),
                is_protected=self._tensor(tokens.is_protected),
                lengths=self._tensor(tokens.lengths),
            )
            return ForwardResult(states.float().cpu().numpy(), pruned_after.cpu().numpy())

    def _tensor(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device)


def to_device(weights: Any, device: str, dtype: torch.dtype) -> Any:
    """Returns a copy of a structure of arrays with every array as a tensor."""
    if dataclasses.is_dataclass(weights):
        fields = {f.name: getattr(weights, f.name) for f in dataclasses.fields(weights)}
        moved = {name: to_device(value, device, dtype) for name, value in fields.items()}
        return dataclasses.replace(weights, **moved)  # type: ignore[type-var]
    if isinstance(weights, tuple):
        return tuple(to_device(item, device, dtype) for item in weights)
    if weights is None:
        return None
    return torch.from_numpy(weights).to(device=device, dtype=dtype)
