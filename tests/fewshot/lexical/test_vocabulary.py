"""The vocabulary: TF-IDF as scikit-learn computes it, unknown n-grams counted."""

from __future__ import annotations

import math
from typing import List

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.lexical import vocabulary as vocabulary_module
from rasa_tokprune.fewshot.lexical.ngrams import ngrams
from rasa_tokprune.fewshot.lexical.vocabulary import SparseVector, Vocabulary, row_vector

TEXTS = ["where is my parcel", "my parcel my parcel", "ön kişi", "👍 👍", "再见"]
SOME_TEXTS = st.lists(
    st.lists(
        st.sampled_from(["yes", "no", "hello", "👍", "ön", "谢", "where", "is", "it"]), max_size=7
    ).map(" ".join),
    min_size=1,
    max_size=12,
)


def dense(vector: SparseVector, size: int) -> np.ndarray:
    row = np.zeros(size)
    row[vector.columns] = vector.values
    return row


@given(SOME_TEXTS)
def test_texts_of_known_ngrams_get_the_rows_of_scikit_learn(texts: List[str]) -> None:
    vocabulary, rows = Vocabulary.fit(texts, 2)
    if not any(map(ngrams, texts)):
        assert vocabulary.ngrams == ()
        return
    reference = TfidfVectorizer(analyzer=ngrams, sublinear_tf=True)
    expected = reference.fit_transform(texts).toarray()
    assert vocabulary.ngrams == tuple(reference.get_feature_names_out())
    found = [dense(vocabulary.vector(text), len(vocabulary.ngrams)) for text in texts]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(rows.toarray(), expected, atol=1e-6)
    for number, text in enumerate(texts):
        row, vector = row_vector(rows, number), vocabulary.vector(text)
        np.testing.assert_array_equal(row.columns, vector.columns)
        np.testing.assert_allclose(row.values, vector.values, atol=1e-6)


def test_unknown_ngrams_lower_the_norm_of_the_rest() -> None:
    vocabulary, _ = Vocabulary.fit(TEXTS, 2)
    known, half, none = map(vocabulary.vector, ("parcel", "parcel zebra", "zebra"))
    assert np.linalg.norm(known.values) == pytest.approx(1.0)
    # Beside 'parcel', of two of the five texts, 'zebra' and 'parcel zebra', of none.
    idf, unknown = math.log(6 / 3) + 1, math.log(6) + 1
    (weight,) = half.values
    assert weight == pytest.approx(idf / math.sqrt(idf**2 + 2 * unknown**2))
    assert half.columns.tolist() == known.columns.tolist()
    assert (len(none.columns), len(none.values)) == (0, 0)
    # An unknown one that comes twice counts as a known one would: 1 + log(2).
    (again,) = vocabulary.vector("zebra, parcel, zebra").values
    others = (1 + math.log(2)) ** 2 + 2
    assert again == pytest.approx(idf / math.sqrt(idf**2 + others * unknown**2))


def test_columns_ascend_whatever_the_order_of_words() -> None:
    vocabulary, _ = Vocabulary.fit(TEXTS, 2)
    one, other = map(vocabulary.vector, ("parcel! ön? my", "my! ön? parcel"))
    assert (np.diff(one.columns) > 0).all()
    assert one.columns.tolist() == other.columns.tolist()
    assert one.values.dtype == np.float32


def test_the_order_of_the_texts_changes_nothing() -> None:
    vocabulary, rows = Vocabulary.fit(TEXTS, 2)
    other, other_rows = Vocabulary.fit(TEXTS[::-1], 2)
    assert vocabulary.ngrams == other.ngrams
    assert vocabulary.ngrams == tuple(sorted(vocabulary.ngrams))
    np.testing.assert_array_equal(vocabulary.idf, other.idf)
    np.testing.assert_array_equal(rows.toarray(), other_rows.toarray()[::-1])


def test_with_many_classes_the_most_frequent_ngrams_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vocabulary_module, "_MIN_NGRAMS", 3)
    monkeypatch.setattr(vocabulary_module, "_MAX_WEIGHTS", 60)
    texts = ["a", "a, b", "a, b, c", "a, b, c, d", "e f"]
    every, _ = Vocabulary.fit(texts, 2)
    assert len(every.ngrams) == len({each for text in texts for each in ngrams(text)})
    few, rows = Vocabulary.fit(texts, 12)
    assert few.ngrams == ("a", "a b", "b", "b c", "c")
    assert rows.shape == (5, 5)
    fewest, rows = Vocabulary.fit(texts, 1000)
    assert fewest.ngrams == ("a", "a b", "b")
    assert rows.shape == (5, 3)
    # What is left out is unknown: it counts in the norm.
    assert np.linalg.norm(fewest.vector("a").values) == pytest.approx(1.0)
    assert np.linalg.norm(fewest.vector("a d").values) < 0.5
    np.testing.assert_array_equal(rows.toarray()[4], [0, 0, 0])


def test_shipped_limits_keep_two_megabytes_of_weights_at_most() -> None:
    texts = [f"word{number}" for number in range(6000)]
    for n_way in (2, 100, 400):
        vocabulary, _ = Vocabulary.fit(texts, n_way)
        assert 2 * len(vocabulary.ngrams) * n_way <= 1_000_000
    assert len(Vocabulary.fit(texts, 2)[0].ngrams) == 6000


@pytest.mark.parametrize("texts", [["?"], ["...", " ", "\u2060"], [""]])
def test_texts_without_any_ngram(texts: List[str]) -> None:
    vocabulary, rows = Vocabulary.fit(texts, 2)
    assert (vocabulary.ngrams, rows.shape) == ((), (len(texts), 0))
    assert vocabulary.vector("hello").values.tolist() == []
    assert vocabulary.vector("?").values.tolist() == []


def test_a_text_without_ngrams_among_others_is_an_empty_row() -> None:
    vocabulary, rows = Vocabulary.fit(["hello", "??"], 2)
    assert row_vector(rows, 1).columns.tolist() == []
    assert np.isfinite(vocabulary.vector("??").values).all()


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_has_a_finite_vector_of_norm_one_at_most(text: str) -> None:
    vocabulary, _ = Vocabulary.fit(TEXTS, 2)
    vector = vocabulary.vector(text)
    assert np.isfinite(vector.values).all()
    assert np.linalg.norm(vector.values) <= 1 + 1e-6


@pytest.mark.parametrize(
    ("names", "idf", "unknown"),
    [
        (("a",), [1.0, 1.0], 1.0),
        (("a", 3), [1.0, 1.0], 1.0),
        (("a", "b"), [1.0, np.nan], 1.0),
        (("a", "b"), [[1.0, 1.0]], 1.0),
        (("a", "b"), [1.0, 1.0], 0.0),
        (("a", "b"), [1.0, 1.0], math.inf),
        (("a", "b"), [1.0, 1.0], math.nan),
    ],
)
def test_parts_that_do_not_fit_are_refused(names: tuple, idf: list, unknown: float) -> None:
    with pytest.raises(ConfigError, match="the lexical view is damaged"):
        Vocabulary(names, np.array(idf, dtype=np.float32), unknown)
