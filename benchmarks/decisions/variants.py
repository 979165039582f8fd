"""A way of deciding that was tried and not taken, to be measured against the one that was."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np

from rasa_tokprune.fewshot.answer import Answer, best_answer


@dataclasses.dataclass(frozen=True)
class WithLead:
    """`best_answer` with part of the lead over the second class in the in-scope score."""

    weight: float

    def __call__(
        self, class_scores: np.ndarray, in_scope: np.ndarray, oos_classes: Sequence[int]
    ) -> Answer:
        """Returns the best class of a query."""
        answer = best_answer(class_scores, in_scope, oos_classes)
        if len(class_scores) < 2:
            return answer
        second, first = np.partition(class_scores, -2)[-2:]
        return answer._replace(in_scope=answer.in_scope + self.weight * float(first - second))
