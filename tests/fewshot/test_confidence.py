"""Confidence: calibrated, ordered, with an operating point; out-of-scope evidence."""

from __future__ import annotations

from typing import Callable

import numpy as np
import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import PrototypeClassifier, SupportSet, fit_classifier
from rasa_tokprune.fewshot.confidence import ConfidenceMap, Sample
from rasa_tokprune.fewshot.held_out import assign_folds, hold_out
from rasa_tokprune.fewshot.metrics import auroc, expected_calibration_error


def sample(scores: np.ndarray, is_right: np.ndarray, targets: np.ndarray | None = None) -> Sample:
    targets = np.zeros(len(scores), dtype=int) if targets is None else targets
    return Sample(np.asarray(scores, float), np.asarray(is_right, bool), targets, targets)


def test_the_operating_point_rejects_the_share_of_right_answers_asked_for() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(8, 3, size=4000)
    is_right = rng.random(4000) < 1 / (1 + np.exp(-(scores - 4)))
    for target in (0.02, 0.05, 0.2):
        fitted = ConfidenceMap.fit([sample(scores, is_right)], 1, target)
        confidences = np.array([fitted.confidence(fitted.margin(s, 0)) for s in scores])
        assert np.mean(confidences[is_right] < 0.5) == pytest.approx(target, abs=0.01)


def test_confidence_grows_with_the_score_and_is_one_half_at_the_operating_point() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(6, 2, size=300)
    fitted = ConfidenceMap.fit([sample(scores, scores + rng.normal(size=300) > 4)], 1, 0.05)
    margins = np.linspace(-3000, 3000, 20001)
    confidences = np.array([fitted.confidence(margin) for margin in margins])
    assert fitted.confidence(0.0) == 0.5
    assert (np.diff(confidences) >= 0).all()
    assert confidences.min() >= 0
    assert confidences.max() <= 1


def test_without_messages_to_hold_out_the_prior_decides() -> None:
    fitted = ConfidenceMap.fit([sample(np.zeros(0), np.zeros(0))], 3, 0.05)
    assert (fitted.slope, fitted.intercept) == pytest.approx((0.27, -1.43), abs=1e-3)
    assert fitted.operating_point == pytest.approx(1.43 / 0.27, abs=0.01)
    assert fitted.offsets == (0.0, 0.0, 0.0)


def test_a_few_right_answers_are_no_certainty() -> None:
    fitted = ConfidenceMap.fit([sample(np.full(6, 9.0), np.ones(6))], 1, 0.05)
    assert 0.6 < fitted.confidence(fitted.margin(9.0, 0)) < 0.95


def test_an_intent_with_many_messages_gets_an_operating_point_of_its_own() -> None:
    scores = np.concatenate((np.full(60, 10.0), np.full(60, 6.0), np.full(5, 2.0)))
    targets = np.repeat([0, 1, 2], [60, 60, 5])
    fitted = ConfidenceMap.fit([sample(scores, np.ones(125), targets)], 3, 0.05)
    mean = scores.mean()
    assert fitted.offsets == pytest.approx(
        ((10 - mean) * 60 / 80, (6 - mean) * 60 / 80, 0.0), abs=1e-6
    )
    assert fitted.margin(10.0, 0) < fitted.margin(10.0, 1)


@pytest.mark.parametrize(("n_way", "n_shot"), [(2, 20), (20, 5), (20, 12), (150, 5), (150, 12)])
def test_confidences_are_calibrated_on_new_messages(
    around: Callable, n_way: int, n_shot: int
) -> None:
    classifier = PrototypeClassifier.fit(*around(n_way, n_shot, noise=1.7))
    query, answers = around(n_way, max(10, 1200 // n_way), noise=1.7, draw=1)
    decisions = [classifier.decide(each) for each in query]
    is_right = np.array(
        [classifier.classes[d.order[0]] == answer for d, answer in zip(decisions, answers)]
    )
    confidences = np.array([d.confidences.max() for d in decisions])
    assert 0.5 < is_right.mean() <= 1
    assert expected_calibration_error(confidences, is_right) < 0.12


def test_the_ranking_keeps_the_order_of_the_scores_and_sums_to_one_at_most(
    around: Callable,
) -> None:
    classifier = PrototypeClassifier.fit(*around(20, 5, noise=1.7))
    for each in around(20, 5, noise=2.5, draw=1)[0]:
        decision = classifier.decide(each)
        ranked = decision.confidences[decision.order]
        assert (np.diff(ranked) <= 1e-12).all()
        assert ranked.sum() <= 1 + 1e-9
        assert decision.is_accepted == (ranked[0] >= 0.5)
        scores = decision.scores.class_scores
        assert (np.diff(scores[decision.order]) <= 0).all()


def test_strangers_get_less_confidence(around: Callable) -> None:
    classifier = PrototypeClassifier.fit(*around(20, 8))
    own, _ = around(20, 5, draw=1)
    strangers = np.random.default_rng(3).normal(size=(100, 48))
    confidences = [
        np.array([classifier.decide(each).confidences.max() for each in group])
        for group in (own, strangers)
    ]
    assert auroc(*confidences) > 0.98
    assert np.mean(confidences[1] < 0.5) > 0.9
    assert np.mean(confidences[0] < 0.5) < 0.12


def test_examples_out_of_scope_are_evidence_against(around: Callable) -> None:
    embeddings, labels = around(13, 8, noise=1.3)
    is_oos = np.array([label >= "intent_010" for label in labels])
    with_oos = ["out_of_scope" if oos else label for label, oos in zip(labels, is_oos)]
    plain = PrototypeClassifier.fit(
        embeddings[~is_oos], [label for label, oos in zip(labels, is_oos) if not oos]
    )
    told = PrototypeClassifier.fit(embeddings, with_oos, oos_labels=["out_of_scope", "absent"])
    query, answers = around(13, 20, noise=1.3, draw=1)
    is_stranger = np.array([answer >= "intent_010" for answer in answers])
    accepted = {
        name: np.array([classifier.decide(each).is_accepted for each in query])
        for name, classifier in (("plain", plain), ("told", told))
    }
    assert accepted["told"][is_stranger].mean() < accepted["plain"][is_stranger].mean()
    assert accepted["told"][is_stranger].mean() < 0.1
    assert accepted["told"][~is_stranger].mean() > 0.8
    for each in query[is_stranger][:20]:
        decision = told.decide(each)
        if told.classes[decision.order[0]] == "out_of_scope":
            assert decision.confidences[decision.order[0]] >= 0.5
            assert not decision.is_accepted
            assert told.classes[decision.answer] != "out_of_scope"


def test_nothing_but_out_of_scope_is_refused() -> None:
    with pytest.raises(ConfigError, match="all classes are out-of-scope ones .oos."):
        PrototypeClassifier.fit(np.eye(2), ["oos", "oos"], oos_labels=["oos"])


@pytest.mark.parametrize("target", [-0.1, 1.0])
def test_wrong_target(target: float) -> None:
    with pytest.raises(ConfigError, match=r"target_in_scope_rejection must be in \[0, 1\)"):
        PrototypeClassifier.fit(np.eye(2), ["a", "b"], target_in_scope_rejection=target)


def test_folds_keep_paraphrases_together_and_never_empty_a_class() -> None:
    rng = np.random.default_rng(0)
    topics = rng.normal(size=(6, 30))
    embeddings = np.repeat(topics, 3, axis=0) + 0.05 * rng.normal(size=(18, 30))
    support = SupportSet.of(embeddings, ["a"] * 9 + ["b"] * 9)
    folds = assign_folds(support, 5, 0.9)
    for topic in range(6):
        members = np.isin(support.sources, range(3 * topic, 3 * topic + 3))
        assert len(set(folds[members])) == 1
    apart = assign_folds(support, 5, None)
    for label in (0, 1):
        assert np.bincount(apart[support.targets == label], minlength=5).tolist() in (
            [2, 2, 2, 2, 1], [2, 2, 2, 1, 2], [2, 2, 1, 2, 2], [2, 1, 2, 2, 2], [1, 2, 2, 2, 2],
        )  # fmt: skip
        for fold in range(5):
            assert ((support.targets == label) & (folds != fold)).any()


def test_held_out_scores_are_those_of_a_classifier_fitted_without_the_message() -> None:
    rng = np.random.default_rng(2)
    embeddings = rng.normal(size=(15, 20))
    support = SupportSet.of(embeddings, ["a", "b", "c"] * 5)
    held_out = hold_out(support, 5)
    folds = assign_folds(support, 5, None)
    assert sorted(held_out.rows.tolist()) == list(range(15))
    for place, row in enumerate(held_out.rows):
        others = np.flatnonzero(folds != folds[row])
        labels = [support.classes[target] for target in support.targets[others]]
        refit = PrototypeClassifier.fit(support.embeddings[others], labels)
        expected = refit.head.score(support.embeddings[row]).class_scores
        np.testing.assert_allclose(held_out.class_scores[place], expected, atol=0.02)


def test_only_messages_are_held_out_never_names_or_the_only_example() -> None:
    embeddings = np.random.default_rng(4).normal(size=(5, 16))
    names = {"a": embeddings[0], "b": embeddings[4]}
    support = SupportSet.of(embeddings, ["a", "a", "a", "a", "b"], None, names)
    fitted = fit_classifier(support)
    held = support.sources[fitted.held_out.rows]
    assert sorted(held.tolist()) == [0, 1, 2, 3]
