"""What of the NLU data to look at: intents, confusions, labels, repetitions, outliers."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.commands.report.bot import Bot
from rasa_tokprune.fewshot.metrics import f1_by_class
from rasa_tokprune.fewshot.report import FEW_EXAMPLES

# An outlier is less like its own intent than this, and than its intent's other examples by so many
# robust standard deviations; intents of fewer examples have no spread to speak of.
_OUTLIER_COSINE, _OUTLIER_DEVIATIONS, _LEAST_FOR_OUTLIERS = 0.5, 2.5, 6
_MAX_ENTRIES = 100
# A normal distribution's standard deviation in its median absolute deviations.
_MAD_TO_SD = 1.4826


@dataclasses.dataclass(frozen=True)
class IntentRow:
    """An intent.

    Attributes:
        intent: Its name.
        n_examples: Examples it has.
        f1: F1 of its held-out examples, in [0, 1]; None if none could be held out.
        test_f1: F1 on the test messages; None if there are none of it.
        confused_with: What its messages are taken for most often; '' for nothing.
        n_confused: How often.
        is_oos: Whether it means out-of-scope.
    """

    intent: str
    n_examples: int
    f1: Optional[float]
    test_f1: Optional[float]
    confused_with: str
    n_confused: int
    is_oos: bool


@dataclasses.dataclass(frozen=True)
class Findings:
    """What to look at in the NLU data.

    Attributes:
        intents: Weak ones first, those without a score last.
        confused: Pairs of intents, most often confused first: `intent`, `other`, `n` times the one
            is taken for the other, `back` times the other way, `example` taken for `other`, and
            `example_of_predicted`, the example of that nearest to it.
        kinds: Entries of each kind of finding, as the training report has them, and `outliers`.
        counts: How many there are of each kind, with those that are not listed.
    """

    intents: List[IntentRow]
    confused: List[Dict[str, Any]]
    kinds: Dict[str, List[Dict[str, Any]]]
    counts: Dict[str, int]

    @property
    def few(self) -> List[IntentRow]:
        """Intents with too few examples, fewest first."""
        few = [row for row in self.intents if row.n_examples < FEW_EXAMPLES]
        return sorted(few, key=lambda row: (row.n_examples, row.intent))


def find(bot: Bot, training: Mapping[str, Any], test_answers: Sequence[Answer]) -> Findings:
    """Returns what to look at in a bot's NLU data.

    Args:
        bot: The bot.
        training: Its training report.
        test_answers: To test messages; may be empty.
    """
    kinds = {
        kind: list(training[kind])
        for kind in ("contradictions", "suspicious_labels", "near_duplicates", "duplicates")
    }
    counts = {kind: int(training[f"n_{kind}"]) for kind in kinds}
    outliers = _outliers(bot)
    kinds["outliers"], counts["outliers"] = outliers[:_MAX_ENTRIES], len(outliers)
    intents = _intents(bot, training, test_answers)
    return Findings(intents, _pairs(training["confused"]), kinds, counts)


def _intents(
    bot: Bot, training: Mapping[str, Any], test_answers: Sequence[Answer]
) -> List[IntentRow]:
    f1 = {entry["intent"]: entry["f1"] for entry in training["intents"]}
    targets = np.array([str(each.intent) for each in test_answers])
    predicted = np.array([str(each.predicted) for each in test_answers])
    test_f1 = dict(f1_by_class(targets, predicted)) if len(targets) else {}
    worst: Dict[str, Dict[str, Any]] = {}
    for entry in training["confused"]:  # most often first
        worst.setdefault(entry["intent"], entry)
    oos = {bot.support.classes[number] for number in bot.fitted.classifier.oos_classes}
    rows = [
        IntentRow(
            intent=intent,
            n_examples=bot.examples.labels.count(intent),
            f1=f1.get(intent),
            test_f1=test_f1.get(intent),
            confused_with=worst.get(intent, {}).get("predicted", ""),
            n_confused=worst.get(intent, {}).get("n", 0),
            is_oos=intent in oos,
        )
        for intent in bot.support.classes
    ]
    return sorted(rows, key=lambda row: (row.f1 is None, row.f1 or 0.0, row.intent))


def _pairs(confused: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Returns each pair of intents once, with both counts."""
    pairs: Dict[frozenset, Dict[str, Any]] = {}
    for entry in confused:
        key = frozenset((entry["intent"], entry["predicted"]))
        if key in pairs:
            pairs[key]["back"] += entry["n"]
        else:
            pairs[key] = {**entry, "other": entry["predicted"], "back": 0}
    return sorted(pairs.values(), key=lambda pair: -(pair["n"] + pair["back"]))


def _outliers(bot: Bot) -> List[Dict[str, Any]]:
    """Returns examples that resemble no other of their intent, the strangest first."""
    support, found = bot.support, []
    for number, intent in enumerate(support.classes):
        rows = np.flatnonzero((support.targets == number) & ~support.is_name)
        if len(rows) < _LEAST_FOR_OUTLIERS or number in bot.fitted.classifier.oos_classes:
            continue
        cosines = support.embeddings[rows] @ support.embeddings[rows].T
        np.fill_diagonal(cosines, -1.0)
        nearest = cosines.max(axis=1)
        middle = float(np.median(nearest))
        spread = max(_MAD_TO_SD * float(np.median(np.abs(nearest - middle))), 0.02)
        most = min(_OUTLIER_COSINE, middle - _OUTLIER_DEVIATIONS * spread)
        for place in np.flatnonzero(nearest < most):
            other = rows[int(cosines[place].argmax())]
            found.append(
                {
                    "text": bot.texts[support.sources[rows[place]]],
                    "intent": intent,
                    "other_text": bot.texts[support.sources[other]],
                    "similarity": round(float(nearest[place]), 3),
                }
            )
    return sorted(found, key=lambda entry: entry["similarity"])
