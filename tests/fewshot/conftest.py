"""Made-up support sets."""

from __future__ import annotations

from typing import Callable, List, Tuple

import numpy as np
import pytest

Labelled = Tuple[np.ndarray, List[str]]


@pytest.fixture
def around() -> Callable[..., Labelled]:
    """Returns a function: number of classes, examples of each, noise -> embeddings and labels.

    Classes of one seed have the same centres, whatever `draw` says; so two draws are a support
    set and messages of the same bot.
    """

    def make(
        n_way: int, n_shot: int, *, noise: float = 1.0, draw: int = 0, size: int = 48
    ) -> Labelled:
        centres = np.random.default_rng(7).normal(size=(n_way, size))
        spread = np.random.default_rng([draw, n_shot]).normal(size=(n_way, n_shot, size))
        embeddings = (centres[:, None] + noise * spread).reshape(-1, size).astype(np.float32)
        return embeddings, [f"intent_{i:03}" for i in range(n_way) for _ in range(n_shot)]

    return make
