"""What pooling asks of torch."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rasa_tokprune.encoder.pooling import SMALLEST_NORM, ArrayOperations


def _sums(states: Tensor, lengths: np.ndarray) -> Tensor:
    sums = states.new_zeros(len(lengths), states.shape[1])
    return sums.index_add(0, _sentence_of_row(states, lengths), states)


def _maxima(states: Tensor, lengths: np.ndarray) -> Tensor:
    return torch.stack([part.amax(dim=0) for part in states.split(lengths.tolist())])


def _sentence_of_row(states: Tensor, lengths: np.ndarray) -> Tensor:
    return torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths)).to(states.device)


def operations(device: str) -> ArrayOperations:
    """Returns torch's operations on tensors of a device; gradients flow through them."""
    return ArrayOperations(
        sums=_sums,
        maxima=_maxima,
        column=lambda numbers: torch.from_numpy(numbers).to(device, torch.float32)[:, None],
        concatenate=lambda tensors: torch.cat(tuple(tensors), dim=1),
        normalize=lambda rows: F.normalize(rows, dim=1, eps=SMALLEST_NORM),
    )
