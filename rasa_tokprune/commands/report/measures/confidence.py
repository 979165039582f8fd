"""How far the bot's confidence can be trusted: calibration and coverage."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Mapping, Optional, Sequence

from rasa_tokprune.commands.evaluate.predictions import Predictions, rounded
from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE


@dataclasses.dataclass(frozen=True)
class Trust:
    """What confidences are worth, on messages whose right intent is known.

    Attributes:
        n_messages: Messages in scope.
        n_oos: Messages out of scope.
        accuracy: Share of the messages in scope whose best intent is right.
        ece: Calibration error, in [0, 1].
        answered: Share of the messages in scope that reach the operating point.
        right_of_answered: Share of those that is right; None if none is answered.
        oos_rejected: Share of the messages out of scope that is rejected; None without any.
        oos_auroc: Chance that a message in scope has the higher confidence; None without any.
        oos_from: Where the messages out of scope are from.
        bins: Calibration: `from`, `to`, `count`, `confidence`, `accuracy` of each tenth.
        curve: `threshold`, `coverage`, `accuracy`, `out_of_scope_recall` of each hundredth.
    """

    n_messages: int
    n_oos: int
    accuracy: float
    ece: float
    answered: float
    right_of_answered: Optional[float]
    oos_rejected: Optional[float]
    oos_auroc: Optional[float]
    oos_from: str
    bins: List[Dict[str, Any]]
    curve: List[Dict[str, Any]]


def measure_trust(
    answers: Sequence[Answer],
    oos_labels: Sequence[str],
    training: Mapping[str, Any],
    *,
    is_held_out: bool,
) -> Optional[Trust]:
    """Returns what confidences are worth; None if no message in scope has a right intent.

    Args:
        answers: To labelled messages.
        oos_labels: Intents that mean out-of-scope.
        training: The training report. For messages held out, where the bot has no example out of
            scope, its estimate stands in: intents left out.
        is_held_out: Whether the answers are those of the cross-validation.
    """
    inside = [each for each in answers if each.intent not in oos_labels]
    outside = [each for each in answers if each.intent in oos_labels]
    if not inside:
        return None
    predictions = Predictions(
        answers=[str(each.intent) for each in inside],
        predicted=[each.predicted for each in inside],
        confidences=[each.confidence for each in inside],
        is_rejected=[_is_rejected(each, oos_labels) for each in inside],
        oos_confidences=[_in_scope(each, oos_labels) for each in outside],
        oos_is_rejected=[_is_rejected(each, oos_labels) for each in outside],
        in_scope_confidences=[_in_scope(each, oos_labels) for each in inside],
    )
    measures, curve = predictions.measures(), list(map(rounded, predictions.curve()))
    source = "the bot's own out-of-scope examples" if outside else ""
    auroc, recall = measures.get("oos_auroc"), measures.get("oos_recall")
    if is_held_out and not outside and training["oos_auroc"] is not None:
        # No message out of scope is known: what intents left out would get.
        auroc, source = training["oos_auroc"], str(training["oos_auroc_from"])
        for entry, estimate in zip(curve, training["curve"]):
            entry["out_of_scope_recall"] = estimate["out_of_scope_recall"]
        recall = _at_operating_point(training["curve"])["out_of_scope_recall"]
    at = _at_operating_point(curve)
    return Trust(
        n_messages=len(inside),
        n_oos=len(outside),
        accuracy=measures["accuracy"],
        ece=measures["ece"],
        answered=1.0 - measures["in_scope_rejection"],
        right_of_answered=at["accuracy"],
        oos_rejected=recall,
        oos_auroc=auroc,
        oos_from=source,
        bins=list(map(rounded, predictions.calibration())),
        curve=curve,
    )


def _at_operating_point(curve: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return min(curve, key=lambda entry: abs(entry["threshold"] - OPERATING_CONFIDENCE))


def _in_scope(answer: Answer, oos_labels: Sequence[str]) -> float:
    """Returns the confidence that a message is in scope."""
    return 1.0 - answer.confidence if answer.predicted in oos_labels else answer.confidence


def _is_rejected(answer: Answer, oos_labels: Sequence[str]) -> bool:
    return answer.predicted in oos_labels or not answer.is_accepted
