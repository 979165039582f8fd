"""What a pipeline answered, and what that says of it."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional

import numpy as np

from rasa_tokprune.fewshot.metrics import (
    auroc,
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
        oos_confidences: Top confidence of each out-of-scope message, (n_out,).
        oos_is_rejected: Whether each of those was taken back, (n_out,).
    """

    answers: List[str]
    predicted: List[Optional[str]]
    confidences: List[float]
    is_rejected: List[bool]
    oos_confidences: List[float]
    oos_is_rejected: List[bool]

    @property
    def is_right(self) -> np.ndarray:
        """Whether each in-scope answer is right, (n_in,) bool."""
        return np.array([a == b for a, b in zip(self.answers, self.predicted)], dtype=bool)

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
            measures["oos_auroc"] = auroc(confidences, oos)
            measures["oos_recall"] = float(np.mean(self.oos_is_rejected))
            measures["oos_confidence_07"] = float(np.mean(oos >= 0.7))
        return measures

    def curve(self) -> List[Dict[str, float]]:
        """Returns coverage, accuracy and out-of-scope recall by threshold."""
        oos = np.array(self.oos_confidences)
        return coverage_curve(np.array(self.confidences), self.is_right, oos)


def _mean(values: np.ndarray) -> Optional[float]:
    return float(values.mean()) if len(values) else None
