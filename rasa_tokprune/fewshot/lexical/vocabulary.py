"""From a text to a sparse vector of TF-IDF weights."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections import Counter
from typing import Dict, NamedTuple, Sequence, Tuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.lexical.ngrams import ngrams

# N-grams times classes that are kept, the most frequent ones: under 1 MB of weights.
_MAX_WEIGHTS = 400_000
_MIN_NGRAMS = 1000


class SparseVector(NamedTuple):
    """The known n-grams of one message, by weight.

    Attributes:
        columns: Numbers of the n-grams, (n_known,) ascending.
        values: Their weights, (n_known,) float32. The squares of all n-grams' weights, unknown
            ones included, add up to 1.
    """

    columns: np.ndarray
    values: np.ndarray


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """N-grams and how much each tells.

    Attributes:
        ngrams: Ascending, (n_ngrams,).
        idf: Inverse document frequency of each, (n_ngrams,) float32.
        unknown_idf: Of those that no example holds.
    """

    ngrams: Tuple[str, ...]
    idf: np.ndarray
    unknown_idf: float

    def __post_init__(self) -> None:
        """Checks that the parts fit together, as damaged files may not."""
        if (
            self.idf.shape != (len(self.ngrams),)
            or not all(isinstance(each, str) for each in self.ngrams)
            or not (np.isfinite(self.idf).all() and 0 < self.unknown_idf < math.inf)
        ):
            raise ConfigError(
                f"the lexical view is damaged: {len(self.ngrams)} n-grams, {self.idf.shape} weights"
            )

    @classmethod
    def fit(cls, texts: Sequence[str], n_way: int) -> Tuple[Vocabulary, csr_matrix]:
        """Returns the vocabulary of some texts, and their vectors, (n_texts, n_ngrams) float32.

        Args:
            texts: Of the support set.
            n_way: Number of classes; with more of them fewer n-grams are kept.
        """
        vectorizer = TfidfVectorizer(analyzer=ngrams, sublinear_tf=True, dtype=np.float32)
        try:
            rows = vectorizer.fit_transform(texts)
        except ValueError:  # no text has any
            empty = csr_matrix((len(texts), 0), dtype=np.float32)
            return cls((), np.zeros(0, dtype=np.float32), 1.0), empty
        frequencies = np.bincount(rows.indices, minlength=rows.shape[1])
        n_kept = max(_MIN_NGRAMS, _MAX_WEIGHTS // n_way)
        kept = np.sort(np.argsort(-frequencies, kind="stable")[:n_kept])
        names = vectorizer.get_feature_names_out()
        unknown_idf = math.log(1 + len(texts)) + 1
        vocabulary = cls(tuple(names[kept].tolist()), vectorizer.idf_[kept], unknown_idf)
        rows = csr_matrix(rows[:, kept])
        rows.sort_indices()
        return vocabulary, rows

    @functools.cached_property
    def _numbers(self) -> Dict[str, int]:
        return {ngram: number for number, ngram in enumerate(self.ngrams)}

    def vector(self, text: str) -> SparseVector:
        """Returns the vector of a text, as `TfidfVectorizer` would make it with unknown n-grams."""
        known, unknown, numbers = [], 0.0, self._numbers
        for ngram, count in Counter(ngrams(text)).items():
            number, weight = numbers.get(ngram), 1.0 + math.log(count)
            if number is None:
                unknown += (weight * self.unknown_idf) ** 2
            else:
                known.append((number, weight))
        known.sort()
        columns = np.array([number for number, _ in known], dtype=np.int64)
        values = np.array([weight for _, weight in known], dtype=np.float32) * self.idf[columns]
        norm = math.sqrt(float(values @ values) + unknown)
        return SparseVector(columns, values / norm if norm else values)


def row_vector(rows: csr_matrix, number: int) -> SparseVector:
    """Returns one row of vectors, (n_texts, n_ngrams)."""
    start, end = rows.indptr[number], rows.indptr[number + 1]
    return SparseVector(rows.indices[start:end], rows.data[start:end])
