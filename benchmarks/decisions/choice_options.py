"""The settings of the few-shot decision that were chosen by measuring, and their options."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Mapping, Sequence, Tuple

from benchmarks.decisions.variants import (
    WithLead,
    character_ngrams,
    words_and_characters,
)
from rasa_tokprune.fewshot.lexical.ngrams import ngrams

# The mean of accuracy and AUROC.
BOTH = "both"
FEWSHOT = "rasa_tokprune.fewshot"
Settings = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Choice:
    """A setting to choose.

    Attributes:
        name: In the table.
        measure: What decides.
        is_lower_better: Whether less of it is better.
        options: What each option sets, "module:name" -> value, by its name in the table.
        for_comparison: Options that are measured but not taken.
        by_worst: Whether the kind of bot decides on which an option does worst, not the mean.
    """

    name: str
    measure: str
    is_lower_better: bool
    options: Mapping[str, Settings]
    for_comparison: Tuple[str, ...] = ()
    by_worst: bool = False


def _numbers(place: str, values: Sequence[float]) -> Dict[str, Settings]:
    return {f"{value:g}": {f"{FEWSHOT}.{place}": value} for value in values}


def _lead(weight: float) -> Settings:
    places = ("calibration.calibrate", "decision", "calibration.held_out")
    return {f"{FEWSHOT}.{place}:best_answer": WithLead(weight) for place in places}


def _ways(*similarities: Any) -> Settings:
    return {f"{FEWSHOT}.calibration.calibrate:PARAPHRASE_SIMILARITIES": similarities}


# What is decided before the prior of the confidence is fitted, and what after.
SCORE_CHOICES = (
    Choice(
        "inverse penalty C", "accuracy", False, _numbers("prototypes:REFINEMENT_C", (5, 10, 20, 40))
    ),
    Choice(
        "nearest example in the class score",
        "accuracy",
        False,
        _numbers("head:_NEAREST_WEIGHT", (0, 1, 2, 3, 4)),
    ),
    Choice(
        "cosines in the in-scope score",
        "oos_auroc",
        False,
        _numbers("head:_COSINE_WEIGHT", (0, 2, 5, 8, 12)),
    ),
    Choice(
        "lead over the second class in the in-scope score",
        "oos_auroc",
        False,
        {f"{weight:g}": _lead(weight) for weight in (0, 0.5, 1, 2)},
    ),
)
# Chosen later than the others, on bots of more domains; those stay as they were chosen.
LEXICAL_CHOICES = (
    Choice(
        "weight of the lexical view",
        BOTH,
        False,
        _numbers("views:DEFAULT_WEIGHT", (0, 0.25, 0.5, 0.75, 1)),
    ),
    Choice(
        "n-grams of the lexical view",
        BOTH,
        False,
        {
            "words and pairs": {f"{FEWSHOT}.lexical.vocabulary:ngrams": ngrams},
            "2 to 5 characters": {f"{FEWSHOT}.lexical.vocabulary:ngrams": character_ngrams},
            "both": {f"{FEWSHOT}.lexical.vocabulary:ngrams": words_and_characters},
        },
    ),
)
CONFIDENCE_CHOICES = (
    Choice(
        "ways to hold out for calibration",
        "ece",
        True,
        {
            "one by one": _ways(None),
            "and with paraphrases (0.85)": _ways(None, 0.85),
            "and with paraphrases (0.7)": _ways(None, 0.7),
            "all three": _ways(None, 0.85, 0.7),
        },
        by_worst=True,
    ),
    Choice(
        "what decides the operating point",
        "rejection_error",
        True,
        {
            "messages held out in every way": {
                f"{FEWSHOT}.calibration.calibrate:_POINT_FROM_LAST_WAY": False
            },
            "in the last way alone": {
                f"{FEWSHOT}.calibration.calibrate:_POINT_FROM_LAST_WAY": True
            },
        },
        by_worst=True,
    ),
    Choice(
        "weight of the prior",
        "ece",
        True,
        _numbers("calibration.confidence:_PRIOR_STRENGTH", (30, 10, 3, 1)),
        by_worst=True,
    ),
    Choice(
        "messages from which a class has its own operating point",
        "rejection_error",
        True,
        {
            "never": {f"{FEWSHOT}.calibration.confidence:_MIN_OWN": 10**9},
            **_numbers("calibration.confidence:_MIN_OWN", (40, 20, 10)),
        },
        # A point of their own is asked for, where the data allow it.
        for_comparison=("never",),
        by_worst=True,
    ),
)
