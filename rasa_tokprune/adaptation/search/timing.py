"""Measured time of plans, by length, side by side."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np
from tqdm import tqdm

from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.encoder.backends import AUTO
from rasa_tokprune.evaluation.bench.latency import exact_conditions

LENGTHS = (8, 16, 32, 64, 128, 256)
_REPETITIONS = 40
_WARM_UP = 3


def time_plans(
    model: str, plans: Sequence[PruningPlan], messages: Sequence[str], show_progress: bool
) -> List[Dict[str, Any]]:
    """Returns the median time of encoding one text, for each plan and length.

    One thread, batch size 1, the fastest number format and engine here. Every plan encodes the
    same text before the next text comes, so that what disturbs one disturbs all.

    Args:
        model: Folder or hub id.
        plans: What to compare.
        messages: Their words make the texts.
        show_progress: Whether to show a progress bar.

    Returns:
        Rows with `fingerprint` of the plan, `tokens`, `median_ms`, `precision` and `backend`.
    """
    encoders = [
        load_encoder(model, prune=plan, precision=AUTO, num_threads=1, adapter="off")
        for plan in plans
    ]
    folder = encoders[0].folder
    rows = []
    for condition in tqdm(
        exact_conditions(messages, Path(str(folder)), LENGTHS),
        desc="Timing",
        disable=not show_progress,
    ):
        texts = [call[0] for call in condition.calls]
        spent = np.empty((_REPETITIONS + _WARM_UP, len(encoders)))
        for repetition in range(len(spent)):
            text = texts[repetition % len(texts)]
            for index, encoder in enumerate(encoders):
                start = time.perf_counter()
                encoder.encode([text])
                spent[repetition, index] = time.perf_counter() - start
        medians = np.median(spent[_WARM_UP:], axis=0) * 1000
        rows += [
            {
                "fingerprint": plan.fingerprint(),
                "tokens": condition.key["tokens"],
                "median_ms": float(median),
                "precision": encoder.model.precision.value,
                "backend": encoder.model.backend.value,
            }
            for plan, encoder, median in zip(plans, encoders, medians)
        ]
    return rows
