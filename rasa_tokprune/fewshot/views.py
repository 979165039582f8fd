"""The two views of a message, its embedding and its n-grams, behind one score."""

from __future__ import annotations

import dataclasses
from typing import Optional

import numpy as np

from rasa_tokprune.fewshot.head import PrototypeHead, Scores
from rasa_tokprune.fewshot.lexical.view import LexicalView
from rasa_tokprune.fewshot.lexical.vocabulary import row_vector
from rasa_tokprune.fewshot.support import SupportSet

# Weight of the lexical view in every bot; chosen by benchmarks.decisions.choices. Choosing it for
# each bot, on messages held out, was measured too and gave nothing (docs/accuracy.md).
DEFAULT_WEIGHT = 0.5


@dataclasses.dataclass(frozen=True)
class Views:
    """What was fitted on a support set, or on part of one.

    Attributes:
        head: On embeddings.
        lexical: On n-grams; None goes without them.
    """

    head: PrototypeHead
    lexical: Optional[LexicalView]

    def score(self, query: np.ndarray, text: Optional[str] = None, readable: float = 1.0) -> Scores:
        """Scores one query.

        Args:
            query: Unit-length embedding, or zeros, (d,) float32.
            text: What was embedded; None leaves the lexical view out.
            readable: Share of it that the encoder can read, in [0, 1].
        """
        if self.lexical is None or text is None:
            return self.head.score(query)
        vector = self.lexical.vocabulary.vector(text)
        return self.head.score(query, self.lexical.evidence(vector, readable))

    def score_example(self, support: SupportSet, row: int) -> Scores:
        """Scores one example of a support set."""
        query = support.embeddings[row]
        if self.lexical is None or support.lexical is None:
            return self.head.score(query)
        vector = row_vector(support.lexical.rows, row)
        return self.head.score(query, self.lexical.evidence(vector, float(support.readable[row])))


def fit_views(
    support: SupportSet,
    lexical_weight: Optional[float] = None,
    stays: Optional[np.ndarray] = None,
) -> Views:
    """Fits both views; those of a part number its classes and prototypes anew.

    Args:
        support: The support set.
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
        stays: The part to fit on, (n_examples,) bool; None: all.
    """
    if stays is None:
        stays = np.ones(len(support.embeddings), dtype=bool)
    present, prototype_of = np.unique(support.prototype_of[stays], return_inverse=True)
    classes, class_of = np.unique(support.class_of[present], return_inverse=True)
    weight = DEFAULT_WEIGHT if lexical_weight is None else lexical_weight
    content_free = None if weight == 0 else support.content_free
    head = PrototypeHead.fit(support.embeddings[stays], prototype_of, class_of, content_free)
    if support.lexical is None or weight == 0:
        return Views(head, None)
    lexical = LexicalView.fit(
        support.lexical.vocabulary,
        support.lexical.rows[np.flatnonzero(stays)],
        class_of[prototype_of],
        len(classes),
        weight,
        support.lexical.shared,
    )
    return Views(head, lexical)
