"""Scores of queries; the best class of one, with out-of-scope classes as evidence against it."""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence

import numpy as np

# How much an out-of-scope class that comes near takes from the in-scope score, and from what
# difference of class scores on; measured on the adaptation splits with 24 examples out of scope.
_OOS_WEIGHT, _OOS_MARGIN = 2.0, 1.0


class Scores(NamedTuple):
    """What the head says of some queries, each a row, or of one.

    Attributes:
        class_scores: (n_queries, n_way), higher is better; (n_way,) for one, as the others.
        in_scope: In-scope score of each class, should it be the answer; NaN for classes that
            were not looked at closely. Higher = in scope.
        nearest: Number of each class's nearest example; -1 where not looked at.
        similarity: Cosine to that example; NaN where not looked at.
    """

    class_scores: np.ndarray
    in_scope: np.ndarray
    nearest: np.ndarray
    similarity: np.ndarray

    def each(self) -> Iterator[Scores]:
        """Yields those of each query."""
        for row in zip(self.class_scores, self.in_scope, self.nearest, self.similarity):
            yield Scores(*row)


class Answer(NamedTuple):
    """The best class of a query.

    Attributes:
        number: The best class that is not out-of-scope.
        in_scope: Its in-scope score, less what out-of-scope classes take from it.
        is_oos: True if an out-of-scope class ranks before it.
    """

    number: int
    in_scope: float
    is_oos: bool


def best_answer(
    class_scores: np.ndarray, in_scope: np.ndarray, oos_classes: Sequence[int]
) -> Answer:
    """Returns the best class of a query; one that is out-of-scope is evidence against it.

    Args:
        class_scores: (n_way,).
        in_scope: In-scope score of each class, NaN where not looked at, (n_way,).
        oos_classes: Numbers of the out-of-scope classes.
    """
    if not oos_classes:
        number = int(class_scores.argmax())
        return Answer(number, float(in_scope[number]), False)
    oos = list(oos_classes)
    allowed = class_scores.copy()
    allowed[oos] = -np.inf
    number = int(allowed.argmax())
    # If nothing was seen of it up close: less than anything that was.
    score = in_scope[number] if not np.isnan(in_scope[number]) else np.nanmin(in_scope)
    excess = float(class_scores[oos].max() - class_scores[number])
    taken = _OOS_WEIGHT * np.logaddexp(0.0, excess + _OOS_MARGIN)
    return Answer(number, float(score - taken), excess > 0)
