"""Runs packed sentences through the torch forward pass."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, Optional

import torch

from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.backends.batch import ForwardResult, PackedTokens
from rasa_tokprune.encoder.backends.torch.forward import forward
from rasa_tokprune.encoder.backends.torch.threads import watch_forks
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.encoder.plans.plan import PruningPlan

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

    def run(
        self, tokens: PackedTokens, plan: PruningPlan, *, needs_states: bool = True
    ) -> ForwardResult:
        """Runs the encoder; see `Runner`."""
        with torch.inference_mode():
            states, pruned_after = forward(
                self._weights,
                self._spec,
                plan,
                **packed_tensors(tokens, self._device),
            )
            return ForwardResult(states.float().cpu().numpy(), pruned_after.cpu().numpy())


def packed_tensors(tokens: PackedTokens, device: str) -> Dict[str, Any]:
    """Returns packed sentences as `forward` takes them."""
    names = ("ids", "position_ids", "is_protected", "lengths")
    return {name: torch.tensor(getattr(tokens, name), device=device) for name in names}


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
