"""Writes a decision into a Rasa message."""

from __future__ import annotations

from typing import List, Tuple

from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE

# Intent and confidence.
Ranked = Tuple[str, float]

INTENT_RANKING_KEY = "intent_ranking"


def with_fallback(ranking: List[Ranked]) -> List[Ranked]:
    """Puts `nlu_fallback` first if the best intent is below one half."""
    best = ranking[0][1] if ranking else 0.0
    if best >= OPERATING_CONFIDENCE:
        return ranking
    others = [entry for entry in ranking if entry[0] != DEFAULT_NLU_FALLBACK_INTENT_NAME]
    return [(DEFAULT_NLU_FALLBACK_INTENT_NAME, 1.0 - best), *others]


def set_ranking(message: Message, ranking: List[Ranked]) -> None:
    """Writes Rasa's dictionaries; builtin types only, they become JSON."""
    entries = [
        {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: confidence}
        for name, confidence in ranking
    ]
    best = {INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}
    message.set(INTENT, dict(entries[0]) if entries else best, add_to_output=True)
    message.set(INTENT_RANKING_KEY, entries, add_to_output=True)
