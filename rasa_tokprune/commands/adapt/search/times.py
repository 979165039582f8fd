"""Measured time of plans, by length, next to what they cost in token-layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from rasa_tokprune.commands.bench.timing import time_in_turn
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.cost import plan_cost
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.texts.lengths import texts_by_length

LENGTHS = (8, 16, 32, 64, 128, 256)
_REPETITIONS = 40


def time_plans(
    model: str,
    plans: Sequence[PruningPlan],
    messages: Sequence[str],
    show_progress: bool,
    repetitions: int = _REPETITIONS,
) -> List[Dict[str, Any]]:
    """Returns the median time of encoding one text, for each plan and length.

    One thread, batch size 1, the fastest number format and engine here.

    Args:
        model: Folder or hub id.
        plans: What to compare.
        messages: Their words make the texts.
        show_progress: Whether to show a progress bar.
        repetitions: Timed texts for each plan and length.

    Returns:
        Rows with `plan` and its `fingerprint`, `tokens`, `median_ms`, `cost` (token-layers, as a
        share of the un-pruned encoder's), `precision` and `backend`.
    """
    encoders = [
        load_encoder(model, prune=plan, precision=AUTO, num_threads=1, adapter=OFF)
        for plan in plans
    ]
    by_length = texts_by_length(messages, Path(str(encoders[0].folder)), LENGTHS)
    rows = []
    for n_tokens, texts in tqdm(by_length.items(), desc="Timing", disable=not show_progress):
        medians = np.median(time_in_turn(encoders, texts, repetitions), axis=0) * 1000
        rows += [
            {
                "plan": plan.name,
                "fingerprint": plan.fingerprint(),
                "tokens": n_tokens,
                "median_ms": float(median),
                "cost": plan_cost(plan, n_tokens, *_costs_of(encoder)),
                "precision": encoder.model.precision.value,
                "backend": encoder.model.backend.value,
            }
            for plan, encoder, median in zip(plans, encoders, medians)
        ]
    return rows


def _costs_of(encoder: Encoder) -> Tuple[int, float]:
    """Returns special tokens of a text, and what a frozen token costs."""
    return int(encoder.tokenize(["a"])[0].is_special.sum()), encoder.model.spec.kv_share
