"""The lexical view of a message: evidence for every class from its n-grams alone."""

from __future__ import annotations

import dataclasses
import math
from typing import Dict, FrozenSet, NamedTuple, Sequence

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.sparse import csr_matrix

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.lexical.ngrams import plain_text
from rasa_tokprune.fewshot.lexical.vocabulary import SparseVector, Vocabulary
from rasa_tokprune.fewshot.messages import HARDLY_READABLE
from rasa_tokprune.fewshot.prototypes import START_SCALE, normalize_rows, refine_prototypes

# Examples up to which the regression is solved on their similarities, not on their n-grams.
_MAX_KERNEL = 3000
_JITTER = 1e-5
# Steps after which accuracy no longer moved on bots drawn from the adaptation splits.
_MAX_STEPS = 10


class Evidence(NamedTuple):
    """What the lexical view says of some messages, ready to be added to what embeddings say.

    Attributes:
        logits: Weighted, (n_messages, n_way) float32.
        dense_weights: What the embedding of each counts: the share of the message that the encoder
            can read, in [0, 1], (n_messages,) float32.
    """

    logits: np.ndarray
    dense_weights: np.ndarray


class Remark(NamedTuple):
    """What is to be known of the words of one message, beside what they say for each class.

    Attributes:
        says_nothing: Whether neither the encoder nor the n-grams know what it is about.
        is_shared: Whether it is an example of several classes.
    """

    says_nothing: bool
    is_shared: bool


@dataclasses.dataclass(frozen=True)
class LexicalView:
    """A linear model over n-grams.

    Attributes:
        vocabulary: The n-grams.
        weights: Of each n-gram for each class, (n_ngrams, n_way) float32, of half precision.
        weight: Of its logits, against those of an embedding that the encoder can read; positive.
        shared: Examples that are those of several classes, as `plain_text` gives them.
    """

    vocabulary: Vocabulary
    weights: np.ndarray
    weight: float
    shared: FrozenSet[str] = frozenset()

    def __post_init__(self) -> None:
        """Checks that the parts fit together, as damaged files may not."""
        if (
            self.weights.ndim != 2
            or len(self.weights) != len(self.vocabulary.ngrams)
            or not np.isfinite(self.weights).all()
            or not 0 < self.weight < math.inf
        ):
            raise ConfigError(
                f"the lexical view is damaged: {len(self.vocabulary.ngrams)} n-grams, weights of "
                f"shape {self.weights.shape}, weight {self.weight}"
            )

    @classmethod
    def fit(
        cls,
        vocabulary: Vocabulary,
        rows: csr_matrix,
        targets: np.ndarray,
        n_way: int,
        weight: float,
        shared: FrozenSet[str] = frozenset(),
    ) -> LexicalView:
        """Fits a multinomial logistic regression, classes weighted equally. Deterministic.

        Its biases are left out: in them, words that no example holds speak for the class with the
        most examples.

        Args:
            vocabulary: The n-grams; those that no example holds get no weight.
            rows: Vectors of the examples, (n_examples, n_ngrams).
            targets: Class number of each, (n_examples,), each of 0..n_way-1 at least once.
            n_way: Number of classes.
            weight: See the class.
            shared: See the class.
        """
        weights = _regress(rows, targets, n_way)
        halved = weights.astype(np.float16).astype(np.float32)
        return cls(vocabulary, np.ascontiguousarray(halved), weight, shared)

    def evidence(self, vectors: Sequence[SparseVector], readable: np.ndarray) -> Evidence:
        """Returns what n-grams say for each class.

        What the encoder cannot read is taken from the embedding's weight and given to theirs.

        Args:
            vectors: Of the messages.
            readable: Share of each that the encoder can read, in [0, 1], (n_messages,).
        """
        logits = np.empty((len(vectors), self.weights.shape[1]), dtype=np.float32)
        for row, vector in enumerate(vectors):
            logits[row] = self.logits(vector)
        logits *= self._scale(readable).astype(np.float32)[:, None]
        return Evidence(logits, readable.astype(np.float32))

    def is_shared(self, text: str) -> bool:
        """Returns whether a message is an example of several classes."""
        return bool(self.shared) and plain_text(text) in self.shared

    def remark(self, text: str, vector: SparseVector, readable: float) -> Remark:
        """Returns what is to be known of a message.

        Args:
            text: The message.
            vector: Its n-grams.
            readable: Share of it that the encoder can read, in [0, 1].
        """
        says_nothing = readable <= HARDLY_READABLE and not len(vector.columns)
        return Remark(says_nothing, self.is_shared(text))

    def logits(self, vector: SparseVector) -> np.ndarray:
        """Returns the logit of each class, (n_way,) float32."""
        return np.asarray(vector.values @ self.weights[vector.columns])

    def contributions(self, text: str, number: int, readable: float = 1.0) -> Dict[str, float]:
        """Returns what each known n-gram of a message adds to the score of a class.

        Args:
            text: The message.
            number: Of the class.
            readable: See `evidence`.
        """
        vector = self.vocabulary.vector(text)
        scale = float(self._scale(np.array(readable)))
        added = scale * vector.values * self.weights[vector.columns, number]
        ngrams = (self.vocabulary.ngrams[column] for column in vector.columns)
        return dict(zip(ngrams, added.tolist()))

    def _scale(self, readable: np.ndarray) -> np.ndarray:
        return self.weight + 1.0 - readable


def _regress(rows: csr_matrix, targets: np.ndarray, n_way: int) -> np.ndarray:
    """Returns the weights of n-grams, (n_ngrams, n_way)."""
    if n_way < 2 or not rows.shape[1]:
        return np.zeros((rows.shape[1], n_way))
    if len(targets) <= min(rows.shape[1], _MAX_KERNEL):
        # The weights are sums of examples, so a rotation that keeps the examples' similarities
        # leads to the same ones in as many dimensions as there are examples.
        kernel = (rows @ rows.T).toarray().astype(np.float64)
        factor = cholesky(kernel + _JITTER * np.eye(len(kernel)), lower=True)
        rotated, _ = refine_prototypes(factor, targets, n_way, max_steps=_MAX_STEPS)
        return np.asarray(rows.T @ solve_triangular(factor, rotated.T, trans="T", lower=True))
    indicator = csr_matrix((np.ones(len(targets)), (targets, np.arange(len(targets)))))
    means = normalize_rows((indicator @ rows).toarray())
    start = START_SCALE * (means - means.mean(axis=0))
    weights, _ = refine_prototypes(rows, targets, n_way, start, _MAX_STEPS)
    return weights.T
