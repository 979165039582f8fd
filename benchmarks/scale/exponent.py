"""How a cost grows: the slope of a straight line through its logarithms."""

from __future__ import annotations

from typing import Sequence

import numpy as np

from rasa_tokprune.errors import ConfigError


def fit_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Returns k of cost ~ size ** k by least squares on logarithms.

    Args:
        sizes: At least two different positive numbers, (n,).
        costs: Positive numbers, (n,).

    Raises:
        ConfigError: If there are too few points or one is not positive.
    """
    if len(sizes) != len(costs) or len(set(sizes)) < 2:
        raise ConfigError(
            f"an exponent needs two different sizes and as many costs, got sizes {list(sizes)} "
            f"and costs {list(costs)}"
        )
    if min(*sizes, *costs) <= 0:
        raise ConfigError(f"sizes and costs must be positive, got {list(sizes)}, {list(costs)}")
    slope, _ = np.polyfit(np.log(sizes), np.log(costs), deg=1)
    return float(slope)
