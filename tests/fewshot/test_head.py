"""The head: scores by hand, clusters, names, the shortlist."""

from __future__ import annotations

from typing import Callable, Optional, Tuple

import numpy as np
import pytest

from rasa_tokprune.fewshot import PrototypeClassifier, SupportSet
from rasa_tokprune.fewshot import head as head_module
from rasa_tokprune.fewshot.answer import Scores
from rasa_tokprune.fewshot.head import PrototypeHead
from rasa_tokprune.fewshot.lexical.view import Evidence


def head_of(support: SupportSet) -> PrototypeHead:
    return PrototypeHead.fit(support.embeddings, support.prototype_of, support.class_of)


def score(
    head: PrototypeHead,
    query: np.ndarray,
    logits: Optional[np.ndarray] = None,
    readable: float = 1.0,
) -> Scores:
    """Scores one query, and the logits of its words where there are some."""
    evidence = None
    if logits is not None:
        evidence = Evidence(logits[None], np.array([readable], dtype=np.float32))
    (scores,) = head.score(query[None], evidence).each()
    return scores


def test_scores_by_hand() -> None:
    support = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]])
    head = head_of(SupportSet.of(support, ["a", "a", "b"]))
    query = np.array([0.8, 0.6], dtype=np.float32)
    scores = score(head, query)
    logits = head.weights @ query + head.biases
    nearest = 0.6 * 0.8 + 0.8 * 0.6  # 0.96, to the second example
    assert scores.similarity[0] == pytest.approx(nearest, abs=1e-3)
    assert scores.nearest[0] in np.flatnonzero((head.examples @ query) > 0.95)
    assert scores.class_scores[0] == pytest.approx(logits[0] + 2 * nearest, abs=1e-2)
    # The example's own nearest neighbour lies at cosine 0.6.
    mean = query @ np.array([1.6, 0.8]) / np.sqrt(1.6**2 + 0.8**2)
    expected = logits[0] + 2 * (mean + nearest + (nearest - 0.6))
    assert scores.in_scope[0] == pytest.approx(expected, abs=2e-2)
    # The lone example of b has no neighbour: the typical tightness, 0.6, stands in.
    assert scores.in_scope[1] == pytest.approx(logits[1] + 2 * (-0.6 - 0.6 - 1.2), abs=2e-2)


def test_a_shortlist_gives_what_looking_everywhere_gives(
    around: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = head_of(SupportSet.of(*around(60, 6, noise=1.5)))
    query, _ = around(60, 3, noise=1.5, draw=1)
    query = query / np.linalg.norm(query, axis=1, keepdims=True)
    short = [score(head, each) for each in query]
    monkeypatch.setattr(head_module, "_N_SHORTLIST", 60)
    full = [score(head, each) for each in query]
    same = [s.class_scores.argmax() == f.class_scores.argmax() for s, f in zip(short, full)]
    assert np.mean(same) >= 0.99
    for one, other in zip(short, full):
        seen = one.nearest >= 0
        assert seen.sum() == 5
        np.testing.assert_allclose(one.in_scope[seen], other.in_scope[seen], rtol=1e-5)
        np.testing.assert_array_equal(one.nearest[seen], other.nearest[seen])
        # Nothing beyond the shortlist overtakes it.
        assert one.class_scores[~seen].max() <= one.class_scores[seen].max()


def test_an_intent_of_two_clusters_gets_two_prototypes(around: Callable) -> None:
    embeddings, labels = around(6, 8, noise=0.7)
    merged = [f"topic_{int(label[-3:]) // 2}" for label in labels]
    support = SupportSet.of(embeddings, merged)
    assert np.bincount(support.class_of).tolist() == [2, 2, 2]
    for prototype in range(6):  # no cluster mixes two of the original intents
        members = support.sources[support.prototype_of == prototype]
        assert len({labels[member] for member in members}) == 1
    query, answers = around(6, 20, noise=0.7, draw=1)
    found = PrototypeClassifier.fit(embeddings, merged).predict(query)
    expected = [f"topic_{int(answer[-3:]) // 2}" for answer in answers]
    assert np.mean([a == b for a, b in zip(found, expected)]) > 0.95


def test_one_cluster_stays_one_prototype(around: Callable) -> None:
    assert SupportSet.of(*around(5, 20, noise=1.0)).class_of.tolist() == [0, 1, 2, 3, 4]


def test_a_telling_name_is_one_more_example_and_a_random_one_is_not(around: Callable) -> None:
    embeddings, labels = around(12, 4)
    centres = embeddings.reshape(12, 4, -1).mean(axis=1)
    stranger = np.random.default_rng(5).normal(size=48)
    names = {f"intent_{i:03}": centres[i] for i in range(11)}
    names["intent_011"] = -centres[11] + 0.1 * stranger
    support = SupportSet.of(embeddings, labels, None, names)
    named = support.targets[support.is_name]
    assert sorted(named.tolist()) == list(range(11))
    assert (support.sources[~support.is_name] >= 0).all()
    without = SupportSet.of(embeddings, labels, None, {})
    assert not without.is_name.any()


def test_names_help_where_there_is_one_example(around: Callable) -> None:
    embeddings, labels = around(30, 1, noise=1.6)
    query, answers = around(30, 20, noise=1.6, draw=1)
    named, _ = around(30, 1, noise=0.8, draw=2)
    names = dict(zip(labels, named))
    accuracies = [
        np.mean(np.array(PrototypeClassifier.fit(embeddings, labels, names=each).predict(query))
                == np.array(answers))
        for each in ({}, names)
    ]  # fmt: skip
    assert accuracies[1] > accuracies[0] + 0.05


def test_of_a_large_intent_a_hundred_examples_are_looked_at(around: Callable) -> None:
    embeddings, labels = around(3, 400, noise=1.5)
    head = head_of(SupportSet.of(embeddings, labels))
    assert np.diff(head.starts).tolist() == [100, 100, 100]
    assert len(set(head.rows.tolist())) == 300
    query, answers = around(3, 50, noise=1.5, draw=1)
    found = PrototypeClassifier.fit(embeddings, labels).predict(query)
    assert np.mean([a == b for a, b in zip(found, answers)]) > 0.95


def scores_of_embedding(head: PrototypeHead, query: np.ndarray) -> Scores:
    """Scores a query by its embedding alone, prototype by prototype."""
    logits = head.weights @ query
    logits += head.biases
    near = min(5, len(logits))
    shortlist = np.argpartition(logits, len(logits) - near)[len(logits) - near :]
    cosines, found = np.empty(near, np.float32), np.empty(near, int)
    for place, prototype in enumerate(shortlist):
        own = head.examples[head.starts[prototype] : head.starts[prototype + 1]] @ query
        cosines[place] = own.max()
        found[place] = head.starts[prototype] + own.argmax()
    scores = logits + 2.0 * cosines.min() - 1e-3
    scores[shortlist] = logits[shortlist] + 2.0 * cosines
    in_scope = logits[shortlist] + 2.0 * (
        2 * cosines - head.tightness[found] + head.prototypes[shortlist] @ query
    )
    expected = Scores(
        np.full(head.n_way, -np.inf, dtype=np.float32),
        np.full(head.n_way, np.nan),
        np.full(head.n_way, -1),
        np.full(head.n_way, np.nan),
    )
    for prototype in range(len(logits)):
        target = head.class_of[prototype]
        expected.class_scores[target] = max(expected.class_scores[target], scores[prototype])
    for target in range(head.n_way):
        own = [place for place in range(near) if head.class_of[shortlist[place]] == target]
        if own:
            best = max(own, key=lambda place: scores[shortlist[place]])
            expected.in_scope[target] = in_scope[best]
            expected.nearest[target] = found[best]
            expected.similarity[target] = cosines[best]
    return expected


def assert_equal_scores(one: Scores, other: Scores) -> None:
    for name in ("class_scores", "in_scope", "nearest", "similarity"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.fixture
def many(around: Callable) -> Tuple[PrototypeHead, np.ndarray]:
    """Returns a head of twelve classes, three of two clusters, and queries."""
    embeddings, labels = around(15, 6, noise=1.2)
    merged = [f"{int(label[-3:]) % 12:02}" for label in labels]
    head = head_of(SupportSet.of(embeddings, merged))
    assert len(head.class_of) == 15
    query, _ = around(15, 2, noise=1.2, draw=1)
    return head, query / np.linalg.norm(query, axis=1, keepdims=True)


def test_without_words_the_embedding_alone_is_scored(
    many: Tuple[PrototypeHead, np.ndarray],
) -> None:
    head, queries = many
    nothing = np.zeros(12, dtype=np.float32)
    for query in queries:
        expected = scores_of_embedding(head, query)
        assert_equal_scores(score(head, query), expected)
        assert_equal_scores(score(head, query, nothing), expected)


def test_a_class_far_from_the_embedding_can_win_by_words(
    many: Tuple[PrototypeHead, np.ndarray],
) -> None:
    head, queries = many
    for query in queries:
        plain = score(head, query)
        last = int(plain.class_scores.argmin())
        assert plain.nearest[last] == -1, "beyond the embedding's shortlist"
        logits = np.zeros(12, dtype=np.float32)
        logits[last] = 40.0
        scores = score(head, query, logits)
        assert scores.class_scores.argmax() == last
        assert scores.nearest[last] >= 0
        assert np.isfinite(scores.in_scope[last])
        # Words lift class score and in-scope score of a class alike, by what they say.
        best = int(plain.class_scores.argmax())
        logits = np.zeros(12, dtype=np.float32)
        logits[best] = 3.0
        lifted = score(head, query, logits)
        for name in ("class_scores", "in_scope"):
            before, after = getattr(plain, name)[best], getattr(lifted, name)[best]
            assert after == pytest.approx(before + 3, abs=1e-4)


def test_a_message_that_cannot_be_read_goes_by_words_alone(
    many: Tuple[PrototypeHead, np.ndarray],
) -> None:
    head, queries = many
    logits = np.random.default_rng(0).normal(size=12).astype(np.float32)
    for query in queries:
        scores = score(head, query, logits, 0.0)
        # Classes beyond the shortlist lie behind by so little that they cannot tie.
        np.testing.assert_allclose(scores.class_scores, logits, atol=1.1e-3)
        assert scores.class_scores.argmax() == logits.argmax()
        seen = ~np.isnan(scores.in_scope)
        np.testing.assert_allclose(scores.in_scope[seen], logits[seen], atol=1e-5)


def test_what_is_read_by_half_counts_half(many: Tuple[PrototypeHead, np.ndarray]) -> None:
    head, queries = many
    nothing = np.zeros(12, dtype=np.float32)
    for query in queries:
        plain, half = score(head, query), score(head, query, nothing, 0.5)
        seen = plain.nearest >= 0
        np.testing.assert_allclose(half.class_scores[seen], plain.class_scores[seen] / 2, atol=1e-4)
        np.testing.assert_allclose(half.in_scope[seen], plain.in_scope[seen] / 2, atol=1e-4)


def test_what_is_nearer_to_a_message_without_content_loses_in_scope_score() -> None:
    examples = np.eye(4, dtype=np.float32)[:2]
    nothing = np.eye(4, dtype=np.float32)[2:3]
    arguments = (examples, np.array([0, 1]), np.array([0, 1]))
    plain, warned = PrototypeHead.fit(*arguments), PrototypeHead.fit(*arguments, nothing)
    near_example = np.array([0.8, 0.0, 0.6, 0.0], dtype=np.float32)
    near_nothing = np.array([0.6, 0.0, 0.8, 0.0], dtype=np.float32)
    np.testing.assert_array_equal(
        score(warned, near_example).in_scope[0], score(plain, near_example).in_scope[0]
    )
    lost = score(plain, near_nothing).in_scope - score(warned, near_nothing).in_scope
    # 20 times what it is nearer to that than to the example: 0.8 against 0.6, and 0.0.
    np.testing.assert_allclose(lost, [4.0, 16.0], atol=0.02)
    for query in (near_example, near_nothing):
        np.testing.assert_array_equal(
            score(warned, query).class_scores, score(plain, query).class_scores
        )
