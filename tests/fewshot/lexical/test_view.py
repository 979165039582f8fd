"""The lexical view: scikit-learn's regression, two ways to find it, what n-grams add."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.lexical import view as view_module
from rasa_tokprune.fewshot.lexical.view import LexicalView
from rasa_tokprune.fewshot.lexical.vocabulary import Vocabulary

EXAMPLES = {
    "affirm": ["yes", "yes please", "👍", "sure thing", "yes that is right"],
    "deny": ["no", "no thanks", "👎"],
    "greet": ["hello", "hello there", "good morning", "hi there", "hi", "good evening to you"],
    "track": ["where is my parcel", "track my parcel", "is my parcel on its way"],
}
TEXTS = [text for texts in EXAMPLES.values() for text in texts]
TARGETS = np.repeat(np.arange(4), [len(texts) for texts in EXAMPLES.values()])
QUERIES = ["yes", "no", "👎", "good day", "where is it", "hello my parcel", "please no", "zebra"]


def fitted(weight: float = 0.5, targets: np.ndarray = TARGETS, n_way: int = 4) -> LexicalView:
    vocabulary, rows = Vocabulary.fit(TEXTS, n_way)
    return LexicalView.fit(vocabulary, rows, targets, n_way, weight)


def logits_of(view: LexicalView, texts: List[str]) -> np.ndarray:
    return np.stack([view.logits(view.vocabulary.vector(text)) for text in texts])


def test_the_weights_are_those_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_module, "_MAX_STEPS", 1000)
    monkeypatch.setattr(view_module, "_JITTER", 1e-9)
    vocabulary, rows = Vocabulary.fit(TEXTS, 4)
    # Its penalty counts examples, ours as many as in classes of one size.
    counted = 4 / np.mean(1 / np.bincount(TARGETS)) / len(TARGETS)
    reference = LogisticRegression(
        C=20 * counted, class_weight="balanced", tol=1e-8, max_iter=10_000
    )
    reference.fit(rows.toarray().astype(np.float64), TARGETS)
    view = LexicalView.fit(vocabulary, rows, TARGETS, 4, 0.5)
    np.testing.assert_allclose(view.weights, reference.coef_.T, atol=0.02)
    assert np.abs(view.weights).max() > 1, "the tolerance is small against the weights"


def test_ten_steps_rank_as_the_minimum_does(monkeypatch: pytest.MonkeyPatch) -> None:
    short = logits_of(fitted(), TEXTS + QUERIES[:-1])
    monkeypatch.setattr(view_module, "_MAX_STEPS", 1000)
    full = logits_of(fitted(), TEXTS + QUERIES[:-1])
    np.testing.assert_array_equal(short.argmax(axis=1), full.argmax(axis=1))
    np.testing.assert_array_equal(short.argmax(axis=1)[: len(TEXTS)], TARGETS)


def test_both_ways_to_solve_it_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    by_similarity = fitted().weights
    monkeypatch.setattr(view_module, "_MAX_KERNEL", 0)
    np.testing.assert_allclose(by_similarity, fitted().weights, atol=0.02)


@pytest.mark.parametrize("max_kernel", [0, 3000])
def test_ngrams_that_no_example_holds_weigh_nothing(
    max_kernel: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_module, "_MAX_KERNEL", max_kernel)
    vocabulary, rows = Vocabulary.fit(TEXTS, 4)
    stays = np.array(["👎" not in text for text in TEXTS])
    view = LexicalView.fit(vocabulary, rows[np.flatnonzero(stays)], TARGETS[stays], 4, 0.5)
    assert (view.weights[vocabulary.ngrams.index("👎")] == 0).all()
    assert (view.weights[vocabulary.ngrams.index("no")] != 0).all()


def test_a_message_of_unknown_words_is_no_evidence_for_any_class() -> None:
    view = fitted()
    for text in ("zebra", "?!", ""):
        evidence = view.evidence([view.vocabulary.vector(text)], np.zeros(1))
        np.testing.assert_array_equal(evidence.logits, np.zeros((1, 4)))


@pytest.mark.parametrize("readable", [0.0, 0.4, 1.0])
def test_contributions_add_up_to_the_evidence(readable: float) -> None:
    view = fitted()
    for text in [*QUERIES, "yes yes 👍 where is my parcel, yes"]:
        evidence = view.evidence([view.vocabulary.vector(text)], np.array([readable]))
        for number in range(4):
            parts = view.contributions(text, number, readable)
            assert sum(parts.values()) == pytest.approx(float(evidence.logits[0, number]), abs=1e-5)
    words = view.contributions("zebra hello 👍", 2)
    assert sorted(words) == ["hello", "👍"]
    assert words["hello"] > 0 > words["👍"]


def test_what_the_encoder_cannot_read_goes_to_the_words() -> None:
    view = fitted(weight=0.5)
    vector = view.vocabulary.vector("yes")
    plain = view.logits(vector)
    for readable, scale in ((1.0, 0.5), (0.75, 0.75), (0.0, 1.5)):
        evidence = view.evidence([vector], np.array([readable]))
        assert evidence.dense_weights.tolist() == [readable]
        np.testing.assert_allclose(evidence.logits[0], scale * plain, rtol=1e-6)


def test_weights_are_of_half_precision() -> None:
    weights = fitted().weights
    np.testing.assert_array_equal(weights.astype(np.float16).astype(np.float32), weights)


def test_classes_count_alike_whatever_their_size() -> None:
    # 'shared' stands once in each class; it says nothing for the one with many examples.
    texts = ["shared alpha", *["beta"] * 30, "shared beta"]
    vocabulary, rows = Vocabulary.fit(texts, 2)
    view = LexicalView.fit(vocabulary, rows, np.array([0] + [1] * 31), 2, 0.5)
    evidence = view.logits(vocabulary.vector("shared"))
    assert evidence[0] > evidence[1], "one of one, not one of 31"


@pytest.mark.parametrize(
    ("texts", "n_way"), [(["hello", "hi"], 1), (["?", "!", "..."], 3), (["", "?"], 1)]
)
def test_without_classes_or_ngrams_there_is_no_evidence(texts: List[str], n_way: int) -> None:
    vocabulary, rows = Vocabulary.fit(texts, n_way)
    view = LexicalView.fit(vocabulary, rows, np.arange(len(texts)) % n_way, n_way, 0.5)
    for text in (*texts, "hello"):
        np.testing.assert_array_equal(view.logits(vocabulary.vector(text)), np.zeros(n_way))


def test_it_is_deterministic() -> None:
    np.testing.assert_array_equal(fitted().weights, fitted().weights)


def test_many_equal_examples_are_solved(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["yes"] * 40 + ["no"] * 2
    rows = csr_matrix(np.array([[1.0, 0.0, 0.0]] * 40 + [[0.0, 1.0, 0.0]] * 2, dtype=np.float32))
    wide = csr_matrix((rows.data, rows.indices, rows.indptr), shape=(len(texts), 50))
    vocabulary = Vocabulary(tuple(map(str, range(50))), np.ones(50, dtype=np.float32), 1.0)
    view = LexicalView.fit(vocabulary, wide, np.array([0] * 40 + [1] * 2), 2, 0.5)
    np.testing.assert_allclose(view.weights[0], -view.weights[0][::-1], atol=1e-2)
    assert view.weights[0, 0] > 1
    assert view.weights[1, 1] > 1


def parts() -> Tuple[Vocabulary, Dict[str, Any]]:
    vocabulary = Vocabulary(("a", "b"), np.ones(2, dtype=np.float32), 1.0)
    return vocabulary, {"weights": np.zeros((2, 3), dtype=np.float32), "weight": 0.5}


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.zeros((3, 3))},
        {"weights": np.zeros(2)},
        {"weights": np.full((2, 3), np.nan)},
        {"weights": np.full((2, 3), np.inf)},
        {"weight": 0.0},
        {"weight": -1.0},
        {"weight": np.inf},
        {"weight": np.nan},
    ],
)
def test_damaged_parts_are_refused(changes: Dict[str, Any]) -> None:
    vocabulary, fields = parts()
    LexicalView(vocabulary, **fields)
    with pytest.raises(ConfigError, match="the lexical view is damaged: 2 n-grams"):
        LexicalView(vocabulary, **{**fields, **changes})
