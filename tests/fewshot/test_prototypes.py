"""Prototypes and confidences; numbers a reader can check by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import PrototypeClassifier, prototypes
from rasa_tokprune.fewshot.calibration.temperature import PRIOR_TEMPERATURE, fit_temperature
from rasa_tokprune.fewshot.prototypes import (
    REFINEMENT_C,
    advantage_of,
    mean_prototypes,
    normalize_rows,
    refine_prototypes,
)


def clusters(
    n_way: int, n_shot: int, *, noise: float = 0.5, dimension: int = 64, seed: int = 0
) -> tuple[np.ndarray, list[str], np.ndarray, list[str]]:
    """Returns support embeddings and labels, query embeddings and labels."""
    rng = np.random.default_rng(seed)
    centers = normalize_rows(rng.normal(size=(n_way, dimension)))
    spread = noise / np.sqrt(dimension)
    support = np.repeat(centers, n_shot, axis=0)
    query = np.repeat(centers, 20, axis=0)
    names = [f"intent_{number:03}" for number in range(n_way)]
    return (
        support + spread * 2 * rng.normal(size=support.shape),
        [name for name in names for _ in range(n_shot)],
        query + spread * 2 * rng.normal(size=query.shape),
        [name for name in names for _ in range(20)],
    )


def test_prototype_is_the_unit_length_mean_of_unit_vectors() -> None:
    support = np.array([[2.0, 0.0], [0.0, 5.0], [0.0, -3.0]])
    prototypes = mean_prototypes(support, np.array([0, 0, 1]), n_way=2)
    np.testing.assert_allclose(prototypes, [[np.sqrt(0.5), np.sqrt(0.5)], [0.0, -1.0]])


def test_similarity_is_the_cosine_to_the_nearest_prototype_of_a_class() -> None:
    support = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    classifier = PrototypeClassifier.fit(
        support, ["faq", "faq", "greet"], keys=["faq/a", "faq/b", "greet"]
    )
    assert classifier.classes == ("faq", "greet")
    assert classifier.keys == ("faq/a", "faq/b", "greet")
    similarity = classifier.similarity(np.array([[0.0, 2.0], [-3.0, 4.0]]))
    np.testing.assert_allclose(similarity, [[1.0, 0.0], [0.8, 0.6]], atol=1e-6)


def test_refined_prototypes_separate_where_means_do_not() -> None:
    # Class b is long along an axis on which class a lies closer to b's mean.
    support = normalize_rows(
        np.array([[1.0, 0.2, 0.5], [1.0, 0.1, -0.5], [1.0, -0.2, 3.0], [1.0, -0.2, -0.1]])
    )
    targets = np.array([0, 0, 1, 1])
    weights, biases = refine_prototypes(support, targets, n_way=2)
    assert (support @ weights.T + biases).argmax(axis=1).tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(weights[0], -weights[1], atol=1e-5)


@pytest.mark.parametrize(("n_way", "n_shot"), [(2, 1), (7, 3), (40, 5)])
def test_refinement_finds_scikit_learns_minimum(n_way: int, n_shot: int) -> None:
    support, labels, query, _ = clusters(n_way, n_shot)
    support = normalize_rows(support)
    targets = np.unique(labels, return_inverse=True)[1]
    # Of two classes scikit-learn has one weight row, the difference of ours: half the penalty.
    reference = LogisticRegression(
        C=REFINEMENT_C * (2 if n_way == 2 else 1), class_weight="balanced", max_iter=5000, tol=1e-9
    ).fit(support, targets)
    expected = reference.predict_proba(query)
    weights, biases = refine_prototypes(support, targets, n_way)
    found = softmax(query @ weights.T + biases, axis=1)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_a_large_class_leaves_the_others_as_unsure_as_they_were() -> None:
    support, labels, query, _ = clusters(5, 30)
    targets = np.unique(labels, return_inverse=True)[1]
    kept = np.concatenate(
        [np.flatnonzero(targets == 0), *(np.flatnonzero(targets == n)[:3] for n in range(1, 5))]
    )
    support, targets = normalize_rows(support[kept]), targets[kept]
    # By hand: sizes 30, 3, 3, 3, 3, of which 5 / (1/30 + 4/3) = 3.66 is the harmonic mean.
    penalised = 5 * 5 / (1 / 30 + 4 / 3)
    reference = LogisticRegression(
        C=REFINEMENT_C * penalised / len(targets),
        class_weight="balanced",
        max_iter=5000,
        tol=1e-9,
    ).fit(support, targets)
    weights, biases = refine_prototypes(support, targets, 5)
    found = softmax(query @ weights.T + biases, axis=1)
    np.testing.assert_allclose(found, reference.predict_proba(query), atol=0.01)


def test_only_what_is_much_larger_than_usual_has_an_advantage() -> None:
    found = advantage_of(np.array([0, 60, 72, 75, 78, 79]))  # 60, 12, 3, 3 and 1 examples
    np.testing.assert_allclose(found, [0.15 * np.log(60 / 12), 0, 0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("n_way", [2, 20, 150])
def test_confidence_means_the_same_whatever_the_number_of_intents(n_way: int) -> None:
    support, labels, query, answers = clusters(n_way, 8, noise=0.8)
    classifier = PrototypeClassifier.fit(support, labels)
    confidences = classifier.predict_proba(query)
    assert confidences.min() >= 0
    assert confidences.sum(axis=1).max() <= 1 + 1e-9
    accuracy = np.mean([a == b for a, b in zip(classifier.predict(query), answers)])
    assert accuracy > 0.6
    assert abs(confidences.max(axis=1).mean() - accuracy) < 0.1


def test_one_example_per_class_works() -> None:
    support, labels, query, answers = clusters(10, 1, noise=0.3)
    classifier = PrototypeClassifier.fit(support, labels)
    assert classifier.temperature == PRIOR_TEMPERATURE
    assert np.mean([a == b for a, b in zip(classifier.predict(query), answers)]) > 0.9


def test_lone_class_is_confident_of_its_own_and_not_of_others() -> None:
    support, labels, query, _ = clusters(1, 5)
    classifier = PrototypeClassifier.fit(support, labels)
    stranger = np.random.default_rng(9).normal(size=(5, 64))
    assert classifier.predict_proba(query).min() > 0.5
    assert classifier.predict_proba(stranger).max() < 0.5


def test_lone_class_of_several_keys() -> None:
    support, keys, query, _ = clusters(3, 5)
    classifier = PrototypeClassifier.fit(support, ["faq"] * len(keys), keys)
    assert len(classifier.keys) == 3
    stranger = np.random.default_rng(9).normal(size=(20, 64))
    own, other = classifier.predict_proba(query), classifier.predict_proba(stranger)
    assert own.shape == (len(query), 1)
    assert np.mean(own > 0.5) > 0.9
    assert np.mean(other > 0.5) < 0.1


def test_order_of_examples_does_not_matter_to_the_answer() -> None:
    support, labels, query, _ = clusters(6, 6)
    shuffled = np.random.default_rng(3).permutation(len(labels))
    first = PrototypeClassifier.fit(support, labels)
    second = PrototypeClassifier.fit(support[shuffled], [labels[i] for i in shuffled])
    assert first.classes == second.classes
    assert first.predict(query) == second.predict(query)
    np.testing.assert_allclose(first.prototypes, second.prototypes, atol=1e-6)


def test_rank_is_descending_and_complete() -> None:
    support, labels, query, _ = clusters(5, 4)
    ranking = PrototypeClassifier.fit(support, labels).rank(query[0])
    confidences = [confidence for _, confidence in ranking]
    assert {name for name, _ in ranking} == set(labels)
    assert confidences == sorted(confidences, reverse=True)
    assert all(type(confidence) is float for confidence in confidences)


def test_temperature_sharpens_right_and_flattens_wrong_logits() -> None:
    targets = np.arange(200) % 4
    right = 0.3 * np.eye(4)[targets]
    wrong = np.where(np.arange(200)[:, None] % 3 == 0, np.roll(right, 1, axis=1), right) * 30
    assert fit_temperature(right, targets) < PRIOR_TEMPERATURE
    assert fit_temperature(wrong, targets) > PRIOR_TEMPERATURE
    assert fit_temperature(np.zeros((0, 4)), np.zeros(0, dtype=int)) == PRIOR_TEMPERATURE


def test_few_perfect_examples_do_not_make_certainty() -> None:
    targets = np.array([0, 1])
    temperature = fit_temperature(0.5 * np.eye(2), targets)
    assert PRIOR_TEMPERATURE / 2 < temperature < PRIOR_TEMPERATURE


@pytest.mark.parametrize(
    ("embeddings", "labels", "keys", "message"),
    [
        (np.zeros((0, 3)), [], None, "at least one, got 0 embeddings"),
        (np.ones((2, 3)), ["a"], None, "got 2 embeddings, 1 labels"),
        (np.ones((2, 3)), ["a", "b"], ["k"], "1 keys"),
        (np.ones((2, 3)), ["a", "b"], ["k", "k"], "key 'k' belongs to both 'a' and 'b'"),
        (np.full((2, 3), np.nan), ["a", "b"], None, "NaN or infinite"),
    ],
)
def test_wrong_support_sets(
    embeddings: np.ndarray, labels: list[str], keys: list[str] | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        PrototypeClassifier.fit(embeddings, labels, keys)


def test_very_many_examples_are_refined_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, labels, _, _ = clusters(5, 20, noise=1.0)
    targets = np.unique(labels, return_inverse=True)[1]
    rows = normalize_rows(embeddings)
    start = mean_prototypes(rows, targets, 5)
    whole = refine_prototypes(rows, targets, 5, start)
    monkeypatch.setattr(prototypes, "_MOST_LOGITS", 5 * 7)
    for own in (rows, csr_matrix(rows.astype(np.float32))):
        for one, other in zip(whole, refine_prototypes(own, targets, 5, start)):
            np.testing.assert_allclose(one, other, atol=0.02)
