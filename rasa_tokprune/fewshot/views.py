"""The two views of a message, its embedding and its n-grams, behind one score."""

from __future__ import annotations

import dataclasses
from typing import Iterable, Iterator, List, Optional, Sequence

import numpy as np

from rasa_tokprune.fewshot.answer import Scores
from rasa_tokprune.fewshot.head import PrototypeHead
from rasa_tokprune.fewshot.lexical.view import LexicalView, Remark
from rasa_tokprune.fewshot.lexical.vocabulary import SparseVector, row_vector
from rasa_tokprune.fewshot.messages import Messages, parts
from rasa_tokprune.fewshot.support import SupportSet

# Weight of the lexical view in every bot; chosen by benchmarks.decisions.choices. Choosing it for
# each bot, on messages held out, was measured too and gave nothing (docs/accuracy.md).
DEFAULT_WEIGHT = 0.5
_NO_WORDS = Remark(says_nothing=False, is_shared=False)


@dataclasses.dataclass(frozen=True)
class Views:
    """What was fitted on a support set, or on part of one.

    Attributes:
        head: On embeddings.
        lexical: On n-grams; None goes without them.
    """

    head: PrototypeHead
    lexical: Optional[LexicalView]

    def vectors(self, texts: Optional[Sequence[str]]) -> Optional[List[SparseVector]]:
        """Returns the n-grams of each text; None where the lexical view is left out."""
        if self.lexical is None or texts is None:
            return None
        return [self.lexical.vocabulary.vector(text) for text in texts]

    def score(
        self, queries: np.ndarray, vectors: Optional[Sequence[SparseVector]], readable: np.ndarray
    ) -> Scores:
        """Scores some queries; see `PrototypeHead.score`.

        Args:
            queries: Unit-length embeddings, or zeros, (n_queries, d) float32.
            vectors: N-grams of each; None leaves the lexical view out.
            readable: Share of each that the encoder can read, in [0, 1], (n_queries,).
        """
        if self.lexical is None or vectors is None:
            return self.head.score(queries)
        return self.head.score(queries, self.lexical.evidence(vectors, readable))

    def remarks(
        self, messages: Messages, vectors: Optional[Sequence[SparseVector]]
    ) -> Iterable[Remark]:
        """Returns what is to be known of the words of each message, whose n-grams are given."""
        if self.lexical is None or vectors is None or messages.texts is None:
            return [_NO_WORDS] * len(messages)
        return map(self.lexical.remark, messages.texts, vectors, messages.shares.tolist())

    def score_messages(self, messages: Messages) -> Iterator[Scores]:
        """Yields the scores of each message, of unit length or zeros."""
        for part in parts(len(messages), len(self.head.class_of)):
            own = messages.take(part)
            yield from self.score(own.embeddings, self.vectors(own.texts), own.shares).each()

    def score_examples(self, support: SupportSet, rows: np.ndarray) -> Iterator[Scores]:
        """Yields the scores of some examples of a support set."""
        for part in parts(len(rows), len(self.head.class_of)):
            own, vectors = rows[part], None
            if support.lexical is not None:
                vectors = [row_vector(support.lexical.rows, row) for row in own]
            yield from self.score(support.embeddings[own], vectors, support.readable[own]).each()


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
