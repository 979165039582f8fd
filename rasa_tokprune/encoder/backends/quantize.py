"""Weights to 8 bits."""

from __future__ import annotations

from typing import Tuple

import numpy as np

_LARGEST = 127


def quantize_per_channel(weight: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Rounds every output channel to its own symmetric 8-bit scale.

    Args:
        weight: (n_out, n_in) float32.

    Returns:
        Integers in [-127, 127], (n_out, n_in) int8, and the scale of each channel, (n_out,)
        float32, so that integers * scale is the nearest to `weight`.
    """
    scale = np.abs(weight).max(axis=1) / _LARGEST
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    integers = np.rint(weight / scale[:, None]).astype(np.int8)
    return integers, scale
