"""Many messages at once: the answers of one at a time, bit for bit, and in little memory."""

from __future__ import annotations

import tracemalloc
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest

from rasa_tokprune.fewshot import Messages, PrototypeClassifier
from rasa_tokprune.fewshot import messages as messages_module
from rasa_tokprune.fewshot.decision import Decision
from rasa_tokprune.fewshot.head import PrototypeHead
from rasa_tokprune.fewshot.messages import parts
from rasa_tokprune.fewshot.prototypes import products, unit_rows

Around = Callable[..., Tuple[np.ndarray, List[str]]]
SIZES = (1, 2, 33, 256)
WORDS = ["yes", "no", "where", "is", "my", "parcel", "👍", "再见", "refund", "hello", "w0", "w1"]


def texts_of(n_texts: int, seed: int) -> List[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(0, 6))) for _ in range(n_texts)]


def bot(kind: str, around: Around) -> PrototypeClassifier:
    """Returns a classifier of intents of several clusters and one of many examples, or few."""
    if kind in ("one intent", "two intents"):
        embeddings, labels = around(int(kind == "two intents") + 1, 4)
        return PrototypeClassifier.fit(embeddings, labels, texts=texts_of(len(labels), 1))
    embeddings, labels = around(15, 30, noise=1.4)
    many, _ = around(1, 150, noise=1.4, draw=2)
    labels = [f"{int(label[-3:]) % 12:02}" for label in labels] + ["large"] * 150
    embeddings = np.concatenate((embeddings, many))
    given: Dict[str, Any] = {"content_free": np.random.default_rng(3).normal(size=(20, 48))}
    if kind != "embeddings":
        given["texts"] = texts_of(len(labels), 0)  # many of them of several intents
        given["readable"] = np.random.default_rng(1).choice([0.0, 0.4, 0.8, 1.0], len(labels))
    if kind == "out-of-scope":
        given["oos_labels"] = ["03", "07"]
    classifier = PrototypeClassifier.fit(embeddings, labels, **given)
    assert len(classifier.head.class_of) > len(classifier.classes)
    assert np.ptp(np.diff(classifier.head.starts)) > 50, "of very different sizes"
    return classifier


def asked_of(around: Around) -> Messages:
    """Returns messages near intents and far from all, blank ones and unreadable ones among them."""
    near, _ = around(15, 16, noise=1.6, draw=1)
    far = np.random.default_rng(4).normal(size=(50, 48))
    embeddings = np.concatenate((near, far, np.zeros((10, 48)))).astype(np.float32)
    rng = np.random.default_rng(5)
    embeddings = embeddings[rng.permutation(len(embeddings))]
    readable = rng.choice([0.0, 0.3, 0.5, 0.9, 1.0, 1.0, 1.0], len(embeddings))
    readable[~embeddings.any(axis=1)] = 0.0
    return Messages(embeddings, texts_of(len(embeddings), 6), readable)


def assert_same(one: Decision, other: Decision) -> None:
    assert (one.answer, one.margin) == (other.answer, other.margin)
    np.testing.assert_array_equal(one.order, other.order)
    np.testing.assert_array_equal(one.confidences, other.confidences)
    for name in ("class_scores", "in_scope", "nearest", "similarity"):
        np.testing.assert_array_equal(getattr(one.scores, name), getattr(other.scores, name))


@pytest.mark.parametrize(
    "kind", ["embeddings", "both views", "out-of-scope", "one intent", "two intents"]
)
def test_many_are_answered_as_one(kind: str, around: Around) -> None:
    classifier, asked = bot(kind, around), asked_of(around)
    assert len(asked) == 300
    alone = [
        classifier.decide(asked.embeddings[row], asked.text(row), asked.readable_share(row))
        for row in range(len(asked))
    ]
    for size in SIZES:
        for start in range(0, len(asked), size):
            own = asked.take(np.arange(start, min(start + size, len(asked))))
            for decision, expected in zip(classifier.decisions(own), alone[start:]):
                assert_same(decision, expected)
    found = list(classifier.decisions(asked))
    assert len(found) == len(asked)
    for decision, expected in zip(found, alone):
        assert_same(decision, expected)
    rankings = list(classifier.rankings(asked, 3))
    for row, ranking in enumerate(rankings):
        given = {"text": asked.text(row), "readable": asked.readable_share(row)}
        assert ranking == classifier.rank(asked.embeddings[row], 3, **given)
        assert all(type(confidence) is float for _, confidence in ranking)


def test_the_bot_of_the_test_is_no_easy_one(around: Around) -> None:
    classifier, asked = bot("out-of-scope", around), asked_of(around)
    assert classifier.lexical is not None
    remarks = [
        classifier.lexical.remark(text, classifier.lexical.vocabulary.vector(text), readable)
        for text, readable in zip(asked.texts or (), asked.shares)
    ]
    assert any(remark.is_shared for remark in remarks)
    assert any(remark.says_nothing for remark in remarks)
    decisions = list(classifier.decisions(asked))
    best = {classifier.classes[each.order[0]] for each in decisions}
    assert {"03", "07"} & best
    assert len(best) > 6
    assert {each.is_accepted for each in decisions} == {True, False}


def test_without_texts_or_shares(around: Around) -> None:
    classifier, asked = bot("both views", around), asked_of(around)
    for given in (Messages(asked.embeddings), Messages(asked.embeddings, asked.texts)):
        for row, decision in enumerate(classifier.decisions(given)):
            assert_same(decision, classifier.decide(given.embeddings[row], given.text(row)))


def test_products_do_not_depend_on_how_many_there_are() -> None:
    rng = np.random.default_rng(0)
    for n_rows, size in ((1, 384), (7, 384), (150, 384), (33, 48), (5, 6)):
        rows = rng.normal(size=(n_rows, size)).astype(np.float32)
        queries = unit_rows(rng.normal(size=(40, size)))
        found = products(rows, queries)
        np.testing.assert_allclose(found, queries @ rows.T, atol=1e-5)
        for number, query in enumerate(queries):
            np.testing.assert_array_equal(found[number], rows @ query)
            np.testing.assert_array_equal(products(rows, query[None])[0], found[number])


def test_a_zero_row_stays_zero() -> None:
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)
    assert rows.dtype == np.float32


def test_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages_module, "_MOST_MESSAGES", 4)
    monkeypatch.setattr(messages_module, "_MOST_NUMBERS", 12)
    assert list(parts(0, 3)) == []
    assert list(parts(9, 3)) == [slice(0, 4), slice(4, 8), slice(8, 9)]
    assert list(parts(3, 6)) == [slice(0, 2), slice(2, 3)]
    assert list(parts(2, 100)) == [slice(0, 1), slice(1, 2)], "one at a time at least"


def test_a_batch_on_a_hundred_thousand_examples_takes_little_memory() -> None:
    n_way, n_shot, size = 1000, 100, 8
    rng = np.random.default_rng(0)
    prototypes = unit_rows(rng.normal(size=(n_way, size)))
    head = PrototypeHead(
        class_of=np.arange(n_way),
        prototypes=prototypes,
        weights=8 * prototypes,
        biases=np.zeros(n_way, dtype=np.float32),
        starts=np.arange(0, n_way * n_shot + 1, n_shot),
        examples=unit_rows(rng.normal(size=(n_way * n_shot, size))),
        tightness=np.full(n_way * n_shot, 0.6, dtype=np.float32),
        rows=np.arange(n_way * n_shot),
        advantage=np.zeros(n_way, dtype=np.float32),
        content_free=prototypes[:0],
    )
    queries = unit_rows(rng.normal(size=(256, size)))
    tracemalloc.start()
    head.score(queries)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # All cosines to all examples would take 100 MB.
    assert peak < 30e6
