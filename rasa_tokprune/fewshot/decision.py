"""What the classifier says of one query: from scores to the confidence of every class."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from rasa_tokprune.fewshot.answer import Answer
from rasa_tokprune.fewshot.head import Scores

# Not chosen by measuring, but so that intents which share an example get one half each. Sharp: only
# what is nearly a tie is held down to 0.5.
_TIE_SHARPNESS = 10.0


@dataclasses.dataclass(frozen=True)
class Decision:
    """What the classifier says of one query.

    Attributes:
        confidences: Of each class, in [0, 1], (n_way,).
        order: Class numbers, best first, (n_way,). Confidences descend along it.
        answer: The best class that is not out-of-scope.
        margin: How far the answer's in-scope score lies above the operating point; its
            confidence is 0.5 at 0.
        scores: What the prototypes said.
    """

    confidences: np.ndarray
    order: np.ndarray
    answer: int
    margin: float
    scores: Scores

    @property
    def is_accepted(self) -> bool:
        """True if the query counts as in scope."""
        return self.margin >= 0


def top_confidence(
    scores: Scores,
    order: np.ndarray,
    answer: Answer,
    confidence: float,
    temperature: float,
    is_shared: bool,
) -> float:
    """Returns the confidence of the best class: calibrated, but 0.5 at most in a tie.

    Args:
        scores: Of all classes.
        order: Class numbers, best first.
        answer: The best class that is not out-of-scope.
        confidence: Of that.
        temperature: See `PrototypeClassifier`.
        is_shared: Whether the message is an example of several classes.
    """
    best = int(order[0])
    if answer.is_oos:
        return 1.0 - confidence
    if is_shared:
        return min(confidence, 0.5)
    if len(order) < 2:
        return confidence
    gap = float(scores.class_scores[best] - scores.class_scores[order[1]])
    return min(confidence, 1.0 / (1.0 + math.exp(-min(_TIE_SHARPNESS * gap / temperature, 700.0))))


def share_out(class_scores: np.ndarray, best: int, top: float, temperature: float) -> np.ndarray:
    """Gives the best class its confidence, the others shares of the rest, (n_way,)."""
    ratios = np.exp((class_scores - class_scores[best]).astype(np.float64) / temperature)
    others = ratios.sum() - 1.0
    scale = min(top, (1.0 - top) / others) if others > 0 else 0.0
    confidences = ratios * scale
    confidences[best] = top
    return np.clip(confidences, 0.0, 1.0)
