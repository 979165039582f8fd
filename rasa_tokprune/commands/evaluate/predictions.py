"""What a pipeline answered, and what that says of it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Dict, List, Optional

import numpy as np

from rasa_tokprune.fewshot.metrics import (
    N_BINS,
    auroc,
    bin_of,
    coverage_curve,
    expected_calibration_error,
    macro_f1,
)


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Answers of one pipeline to in-scope and out-of-scope messages.

    Attributes:
        answers: The right intent of each in-scope message, (n_in,).
        predicted: The intent found for each, (n_in,).
        confidences: Top confidence of each, (n_in,).
        is_rejected: Whether its FallbackClassifier took each back, (n_in,).
        oos_confidences: Confidence that each out-of-scope message is in scope, (n_out,): the top
            one, if no intent means out-of-scope.
        oos_is_rejected: Whether each of those was taken back, (n_out,).
        in_scope_confidences: Confidence that each in-scope message is in scope, (n_in,): less than
            `confidences` where the intent found means out-of-scope. None if no intent does.
    """

    answers: List[str]
    predicted: List[Optional[str]]
    confidences: List[float]
    is_rejected: List[bool]
    oos_confidences: List[float]
    oos_is_rejected: List[bool]
    in_scope_confidences: Optional[List[float]] = None

    @property
    def is_right(self) -> np.ndarray:
        """Whether each in-scope answer is right, (n_in,) bool."""
        return np.array([a == b for a, b in zip(self.answers, self.predicted)], dtype=bool)

    @property
    def scope_confidences(self) -> np.ndarray:
        """Confidence that each in-scope message is in scope, (n_in,)."""
        own = self.in_scope_confidences
        return np.array(self.confidences if own is None else own)

    def measures(self) -> Dict[str, Any]:
        """Returns accuracy, macro F1, calibration error and, with out-of-scope messages, AUROC.

        Shares of rejected messages are those of the pipeline's own FallbackClassifier.
        """
        confidences, oos = np.array(self.confidences), np.array(self.oos_confidences)
        is_right = self.is_right
        measures: Dict[str, Any] = {
            "n_test": len(self.answers),
            "accuracy": float(is_right.mean()),
            "macro_f1": macro_f1(np.array(self.answers), np.array(self.predicted, dtype=str)),
            "ece": expected_calibration_error(confidences, is_right),
            "in_scope_rejection": float(np.mean(self.is_rejected)),
            "right_rejection": _mean(np.array(self.is_rejected)[is_right]),
            "n_oos": len(oos),
        }
        if len(oos):
            measures["oos_auroc"] = auroc(self.scope_confidences, oos)
            measures["oos_recall"] = float(np.mean(self.oos_is_rejected))
            measures["oos_confidence_07"] = float(np.mean(oos >= 0.7))
        return measures

    def curve(self) -> List[Dict[str, float]]:
        """Returns coverage, accuracy and out-of-scope recall by threshold."""
        oos = np.array(self.oos_confidences)
        return coverage_curve(self.scope_confidences, self.is_right, oos)

    def calibration(self) -> List[Dict[str, float]]:
        """Returns the bins of the calibration error.

        Each has its bounds `from` and `to`, the `count` of in-scope messages, their mean
        `confidence` and their `accuracy`, both NaN in an empty bin.
        """
        confidences, is_right = np.array(self.confidences), self.is_right
        bins = bin_of(confidences)
        entries = []
        for number in range(N_BINS):
            inside = bins == number
            entries.append(
                {
                    "from": number / N_BINS,
                    "to": (number + 1) / N_BINS,
                    "count": int(inside.sum()),
                    "confidence": _mean_or_nan(confidences[inside]),
                    "accuracy": _mean_or_nan(is_right[inside]),
                }
            )
        return entries


def _mean(values: np.ndarray) -> Optional[float]:
    return float(values.mean()) if len(values) else None


def _mean_or_nan(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def rounded(entry: Dict[str, float]) -> Dict[str, Optional[float]]:
    """Returns an entry of a curve as JSON can hold it: five digits, null for NaN."""
    return {key: None if math.isnan(value) else round(value, 5) for key, value in entry.items()}
