"""Times encoders in turn on the same texts, so that what disturbs one disturbs all."""

from __future__ import annotations

import time
from typing import Sequence

import numpy as np
from tqdm import tqdm

from rasa_tokprune.encoder import Encoder

_WARM_UP = 3


def time_in_turn(
    encoders: Sequence[Encoder], texts: Sequence[str], n_timed: int, show_progress: bool = False
) -> np.ndarray:
    """Returns the seconds of encoding one text at a time, (n_timed, n_encoders).

    Every encoder encodes a text before the next text comes.

    Args:
        encoders: What is compared.
        texts: Taken one after the other, again from the first if there are fewer than `n_timed`.
        n_timed: Timed texts; some untimed ones come first.
        show_progress: Whether to show a progress bar.
    """
    spent = np.empty((n_timed + _WARM_UP, len(encoders)))
    for row in tqdm(range(len(spent)), desc="Timing", disable=not show_progress):
        text = [texts[row % len(texts)]]
        for column, encoder in enumerate(encoders):
            start = time.perf_counter()
            encoder.encode(text)
            spent[row, column] = time.perf_counter() - start
    return spent[_WARM_UP:]
