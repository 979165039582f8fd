"""Confidence: calibrated, ordered, with an operating point; out-of-scope evidence."""

from __future__ import annotations

import json
from typing import Callable

import numpy as np
import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import PrototypeClassifier, SupportSet, fit_classifier, training_report
from rasa_tokprune.fewshot.answer import Answer
from rasa_tokprune.fewshot.calibration.confidence import ConfidenceMap, Sample
from rasa_tokprune.fewshot.calibration.held_out import assign_folds, hold_out
from rasa_tokprune.fewshot.metrics import auroc, expected_calibration_error


def sample(scores: np.ndarray, is_right: np.ndarray, targets: np.ndarray | None = None) -> Sample:
    targets = np.zeros(len(scores), dtype=int) if targets is None else targets
    nobody = np.zeros(len(scores), dtype=bool)
    return Sample(np.asarray(scores, float), np.asarray(is_right, bool), targets, targets, nobody)


def margin(fitted: ConfidenceMap, score: float, number: int = 0) -> float:
    return fitted.margin(Answer(number, score, is_oos=False))


def test_the_operating_point_rejects_the_share_of_right_answers_asked_for() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(8, 3, size=4000)
    is_right = rng.random(4000) < 1 / (1 + np.exp(-(scores - 4)))
    for target in (0.02, 0.05, 0.2):
        fitted = ConfidenceMap.fit(sample(scores, is_right), 1, target)
        confidences = np.array([fitted.confidence(margin(fitted, s, 0)) for s in scores])
        assert np.mean(confidences[is_right] < 0.5) == pytest.approx(target, abs=0.01)


def test_confidence_grows_with_the_score_and_is_one_half_at_the_operating_point() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(6, 2, size=300)
    fitted = ConfidenceMap.fit(sample(scores, scores + rng.normal(size=300) > 4), 1, 0.05)
    margins = np.linspace(-3000, 3000, 20001)
    confidences = np.array([fitted.confidence(margin) for margin in margins])
    assert fitted.confidence(0.0) == 0.5
    assert (np.diff(confidences) >= 0).all()
    assert confidences.min() >= 0
    assert confidences.max() <= 1


def test_without_messages_to_hold_out_the_prior_decides() -> None:
    fitted = ConfidenceMap.fit(sample(np.zeros(0), np.zeros(0)), 3, 0.05)
    assert (fitted.slope, fitted.intercept) == pytest.approx((0.63, -2.51), abs=1e-3)
    assert fitted.operating_point == pytest.approx(2.51 / 0.63, abs=0.01)
    assert fitted.offsets == (0.0, 0.0, 0.0)


def test_a_few_right_answers_are_no_certainty() -> None:
    fitted = ConfidenceMap.fit(sample(np.full(6, 5.0), np.ones(6)), 1, 0.05)
    assert 0.6 < fitted.confidence(margin(fitted, 5.0, 0)) < 0.95


def test_an_intent_with_many_messages_gets_an_operating_point_of_its_own() -> None:
    scores = np.concatenate((np.full(60, 10.0), np.full(60, 6.0), np.full(5, 2.0)))
    targets = np.repeat([0, 1, 2], [60, 60, 5])
    fitted = ConfidenceMap.fit(sample(scores, np.ones(125), targets), 3, 0.05)
    mean = scores.mean()
    assert fitted.offsets == pytest.approx(
        ((10 - mean) * 60 / 100, (6 - mean) * 60 / 100, 0.0), abs=1e-6
    )
    assert margin(fitted, 10.0, 0) < margin(fitted, 10.0, 1)


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
    assert auroc(confidences[is_right], confidences[~is_right]) > 0.6, "no constant would do"


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
    decisions = [told.decide(each) for each in query[is_stranger]]
    named = [d for d in decisions if told.classes[d.order[0]] == "out_of_scope"]
    assert len(named) > len(decisions) / 2
    for decision in named:
        assert decision.confidences[decision.order[0]] >= 0.5
        assert not decision.is_accepted
        assert decision.margin < 0
        assert told.classes[decision.answer] != "out_of_scope"


def test_nothing_but_out_of_scope_is_refused() -> None:
    with pytest.raises(ConfigError, match="oos_intents names all classes .oos."):
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
    apart = assign_folds(support, 5)
    for label in (0, 1):
        own = np.bincount(apart[support.targets == label], minlength=5)
        assert sorted(own.tolist()) == [1, 2, 2, 2, 2]
        for fold in range(5):
            assert ((support.targets == label) & (folds != fold)).any()


def test_held_out_scores_are_those_of_a_classifier_fitted_without_the_message() -> None:
    rng = np.random.default_rng(2)
    embeddings = rng.normal(size=(15, 20))
    support = SupportSet.of(embeddings, ["a", "b", "c"] * 5)
    folds = assign_folds(support, 5)
    held_out = hold_out(support, folds)
    assert sorted(held_out.rows.tolist()) == list(range(15))
    for place, row in enumerate(held_out.rows):
        others = np.flatnonzero(folds != folds[row])
        labels = [support.classes[target] for target in support.targets[others]]
        refit = PrototypeClassifier.fit(support.embeddings[others], labels)
        expected = refit.head.score(support.embeddings[row : row + 1]).class_scores[0]
        np.testing.assert_allclose(held_out.class_scores[place], expected, atol=0.02)


def test_only_messages_are_held_out_never_names_or_the_only_example() -> None:
    embeddings = np.random.default_rng(4).normal(size=(5, 16))
    names = {"a": embeddings[0], "b": embeddings[4]}
    support = SupportSet.of(embeddings, ["a", "a", "a", "a", "b"], None, names)
    fitted = fit_classifier(support)
    held = support.sources[fitted.calibration.held_out.rows]
    assert sorted(held.tolist()) == [0, 1, 2, 3]


def test_two_intents_that_tie_get_one_half_each(around: Callable) -> None:
    embeddings, labels = around(6, 1)
    twins = PrototypeClassifier.fit(
        np.concatenate((embeddings, embeddings[:1])), [*labels, "twin of intent_000"]
    )
    decision = twins.decide(embeddings[0])
    assert decision.confidences[decision.order[:2]] == pytest.approx([0.5, 0.5], abs=0.02)
    assert twins.decide(embeddings[3]).confidences.max() > 0.7


@pytest.mark.parametrize("n_shot", [1, 3])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_intents_that_cannot_be_told_apart_are_not_fatal(n_shot: int, value: float) -> None:
    embeddings = np.full((12 * n_shot, 8), value)
    labels = [f"intent_{number % 12}" for number in range(12 * n_shot)]
    support = SupportSet.of(embeddings, labels)
    fitted = fit_classifier(support)
    confidences = fitted.classifier.predict_proba(np.eye(8)[:3])
    assert np.isfinite(confidences).all()
    report = training_report(fitted, support, labels)
    json.dumps(report, allow_nan=False)


def test_large_and_tiny_intents_live_together(around: Callable) -> None:
    embeddings, labels = around(12, 60)
    keep = [i for i, label in enumerate(labels) if label < "intent_002" or i % 60 < 2]
    classifier = PrototypeClassifier.fit(embeddings[keep], [labels[i] for i in keep])
    query, answers = around(12, 20, draw=1)
    right = np.array([a == b for a, b in zip(classifier.predict(query), answers)])
    is_tiny = np.array([answer >= "intent_002" for answer in answers])
    assert right[~is_tiny].mean() > 0.9
    assert right[is_tiny].mean() > 0.8


def test_the_report_judges_as_the_classifier_decides(around: Callable) -> None:
    embeddings, labels = around(10, 25, noise=2.0)
    labels = ["oos" if label == "intent_009" else label for label in labels]
    fitted = fit_classifier(SupportSet.of(embeddings, labels), oos_labels=["oos"])
    assert any(fitted.classifier.confidence_map.offsets), "intents of 20 and more have their own"
    confidences = fitted.classifier.confidence_map.confidences(fitted.calibration.oos_sample)
    held_out_first_oos = fitted.calibration.oos_sample.is_oos
    assert held_out_first_oos.any()
    assert confidences[held_out_first_oos].max() < 0.5


def test_no_queries_and_short_rankings(around: Callable) -> None:
    classifier = PrototypeClassifier.fit(*around(5, 2))
    assert classifier.predict_proba(np.zeros((0, 48))).shape == (0, 5)
    assert classifier.predict(np.zeros((0, 48))) == []
    query = around(5, 1, draw=1)[0][0]
    assert classifier.rank(query, 2) == classifier.rank(query)[:2]


@pytest.mark.parametrize("oos", ["a_oos", "z_oos"])
def test_a_message_that_is_in_scope_and_out_of_scope_at_once(around: Callable, oos: str) -> None:
    embeddings, labels = around(4, 1)
    classifier = PrototypeClassifier.fit(
        np.concatenate((embeddings, embeddings[:1])), [*labels, oos], oos_labels=[oos]
    )
    decision = classifier.decide(embeddings[0])
    ranked = decision.confidences[decision.order]
    assert (np.diff(ranked) <= 1e-12).all()
    assert classifier.classes[decision.answer] == "intent_000"
    assert {classifier.classes[number] for number in decision.order[:2]} == {"intent_000", oos}
