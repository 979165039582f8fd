"""What the classifier says of queries: from scores to the confidence of every class."""

from __future__ import annotations

import dataclasses
import math
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from rasa_tokprune.fewshot.answer import Answer, Scores, best_answer
from rasa_tokprune.fewshot.calibration.confidence import ConfidenceMap
from rasa_tokprune.fewshot.lexical.view import Remark

# Not chosen by measuring, but so that intents which share an example get one half each. Sharp: only
# what is nearly a tie is held down to 0.5.
_TIE_SHARPNESS = 10.0
# Margin of a message of which neither the encoder nor an n-gram knows anything.
_SAYS_NOTHING = -10.0


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

    def ranking(
        self, classes: Sequence[str], length: Optional[int] = None
    ) -> List[Tuple[str, float]]:
        """Returns classes with their confidence, best first.

        Args:
            classes: Names, (n_way,).
            length: How many; None returns all.
        """
        best = self.order[:length]
        names = [classes[number] for number in best.tolist()]
        return list(zip(names, self.confidences[best].tolist()))


def decisions_of(
    scores: Scores,
    remarks: Iterable[Remark],
    confidence_map: ConfidenceMap,
    temperature: float,
    oos_classes: Sequence[int],
) -> Iterator[Decision]:
    """Yields what the classifier says of each query.

    Args:
        scores: Of the queries, at least one.
        remarks: What is to be known of the words of each.
        confidence_map: See `PrototypeClassifier`, as for the others.
        temperature: See there.
        oos_classes: See there.
    """
    orders = best_first(scores.class_scores, oos_classes)
    answers, margins, tops = [], [], []
    each = list(scores.each())
    for own, order, remark in zip(each, orders, remarks):
        answer = best_answer(own.class_scores, own.in_scope, oos_classes)
        margin = confidence_map.margin(answer)
        if remark.says_nothing:
            margin = min(margin, _SAYS_NOTHING)
        confidence = confidence_map.confidence(margin)
        top = top_confidence(
            own.class_scores, order, answer, confidence, temperature, remark.is_shared
        )
        answers.append(answer.number)
        margins.append(margin)
        tops.append(top)
    confidences = share_out(scores.class_scores, orders[:, 0], tops, temperature)
    return map(Decision, confidences, orders, answers, margins, each)


def best_first(class_scores: np.ndarray, oos_classes: Sequence[int]) -> np.ndarray:
    """Returns class numbers of each query, best first, (n_queries, n_way).

    Args:
        class_scores: (n_queries, n_way).
        oos_classes: Numbers of the out-of-scope classes, which come after what they tie with.
    """
    if not oos_classes:
        return (-class_scores).argsort(axis=1, kind="stable")
    is_oos = np.zeros(class_scores.shape, dtype=bool)
    is_oos[:, oos_classes] = True
    return np.lexsort((is_oos, -class_scores), axis=1)


def top_confidence(
    class_scores: np.ndarray,
    order: np.ndarray,
    answer: Answer,
    confidence: float,
    temperature: float,
    is_shared: bool,
) -> float:
    """Returns the confidence of a query's best class: calibrated, but 0.5 at most in a tie.

    Args:
        class_scores: (n_way,).
        order: Class numbers, best first.
        answer: The best class that is not out-of-scope.
        confidence: Of that.
        temperature: See `PrototypeClassifier`.
        is_shared: Whether the message is an example of several classes.
    """
    if answer.is_oos:
        return 1.0 - confidence
    if is_shared:
        return min(confidence, 0.5)
    if len(order) < 2:
        return confidence
    gap = float(class_scores[order[0]] - class_scores[order[1]])
    return min(confidence, 1.0 / (1.0 + math.exp(-min(_TIE_SHARPNESS * gap / temperature, 700.0))))


def share_out(
    class_scores: np.ndarray, best: np.ndarray, tops: Sequence[float], temperature: float
) -> np.ndarray:
    """Gives each query's best class its confidence, the others shares of the rest.

    Args:
        class_scores: (n_queries, n_way).
        best: Number of the best class of each, (n_queries,).
        tops: Its confidence.
        temperature: See `PrototypeClassifier`.

    Returns:
        (n_queries, n_way), in [0, 1].
    """
    own = np.arange(len(best)), best
    behind = (class_scores - class_scores[own][:, None]).astype(np.float64)
    confidences = np.exp(behind / temperature)
    others = (np.add.reduce(confidences, axis=1) - 1.0).tolist()
    scales = [min(top, (1.0 - top) / rest) if rest > 0 else 0.0 for top, rest in zip(tops, others)]
    confidences *= np.array(scales)[:, None]
    confidences[own] = tops
    return confidences
