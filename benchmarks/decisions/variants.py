"""What was tried and not taken, to be measured against what was."""

from __future__ import annotations

import dataclasses
from typing import List, Sequence

import numpy as np

from rasa_tokprune.fewshot.answer import Answer, best_answer
from rasa_tokprune.fewshot.lexical.ngrams import ngrams, words


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


def character_ngrams(text: str) -> List[str]:
    """Returns 2 to 5 neighbouring characters within words, as scikit-learn's `char_wb`."""
    return [
        padded[start : start + size]
        for padded in (f" {word} " for word in words(text))
        for size in range(2, 6)
        for start in range(max(1, len(padded) - size + 1))
    ]


def words_and_characters(text: str) -> List[str]:
    """Returns word n-grams and, marked, character n-grams."""
    return [*ngrams(text), *(f"\t{each}" for each in character_ngrams(text))]
