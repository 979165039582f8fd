"""Messages held out with both views: their own words say nothing for them."""

from __future__ import annotations

from typing import Callable, List, Tuple

import numpy as np
import pytest

from rasa_tokprune.fewshot import SupportSet, fit_classifier
from rasa_tokprune.fewshot.calibration import held_out
from rasa_tokprune.fewshot.calibration.held_out import (
    assign_folds,
    hold_out,
    leave_intents_out,
    n_folds,
)
from rasa_tokprune.fewshot.views import Views

Around = Callable[..., Tuple[np.ndarray, List[str]]]


def own_words(labels: List[str]) -> List[str]:
    return [f"word{row}" for row in range(len(labels))]


def test_a_word_of_one_example_says_nothing_when_that_is_held_out(around: Around) -> None:
    embeddings, labels = around(6, 5, noise=1.0)
    alone = SupportSet.of(embeddings, labels)
    both = SupportSet.of(embeddings, labels, texts=own_words(labels))
    folds = assign_folds(alone, n_folds(alone))
    without, with_words = hold_out(alone, folds), hold_out(both, folds)
    np.testing.assert_array_equal(without.rows, with_words.rows)
    assert len(without.rows) == 30
    np.testing.assert_array_equal(without.class_scores, with_words.class_scores)
    np.testing.assert_array_equal(without.in_scope, with_words.in_scope)
    # Not held out, they do.
    word_scores = fit_classifier(both).classifier.lexical
    assert word_scores is not None
    assert np.abs(word_scores.weights).max() > 1


def test_words_of_others_do_help(around: Around) -> None:
    embeddings, labels = around(6, 5, noise=3.0)
    alone = SupportSet.of(embeddings, labels)
    both = SupportSet.of(embeddings, labels, texts=[f"{label} please" for label in labels])
    folds = assign_folds(alone, n_folds(alone))
    rates = []
    for support in (alone, both):
        found = hold_out(support, folds)
        rates.append(np.mean(found.class_scores.argmax(axis=1) == support.targets[found.rows]))
    assert rates[0] < 0.8
    assert rates[1] > rates[0] + 0.15


@pytest.mark.parametrize("weight", [None, 2.0])
def test_no_view_is_fitted_on_what_it_scores(
    around: Around, weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings, labels = around(5, 5)
    support = SupportSet.of(embeddings, labels, texts=own_words(labels))
    assert support.lexical is not None
    numbers = {name: place for place, name in enumerate(support.lexical.vocabulary.ngrams)}
    score, seen = held_out._score, []

    def check(views: Views, own: SupportSet, rows: np.ndarray) -> held_out.HeldOut:
        assert views.lexical is not None
        for row in rows:
            column = numbers[f"word{own.sources[row]}"]
            assert (views.lexical.weights[column] == 0).all()
            seen.append(row)
        fitted_on = np.setdiff1d(np.arange(25), rows)
        columns = [numbers[f"word{own.sources[row]}"] for row in fitted_on]
        assert (np.abs(views.lexical.weights[columns]).max(axis=1) > 0).all()
        return score(views, own, rows)

    monkeypatch.setattr(held_out, "_score", check)
    hold_out(support, assign_folds(support, 5), weight)
    assert sorted(seen) == list(range(25))


def test_intents_left_out_have_no_words(around: Around) -> None:
    embeddings, labels = around(6, 4)
    texts = [f"{label} please" for label in labels]
    support = SupportSet.of(embeddings, labels, texts=texts)
    sample = leave_intents_out(support, 3, ())
    assert len(sample.answers) == len(labels)
    assert (sample.answers != sample.targets).all()
    assert np.isfinite(sample.in_scope).all()


def test_messages_held_out_score_no_better_than_new_ones(
    around: Around,
) -> None:
    # Authors' own words: were they seen, messages held out would score far above new ones.
    embeddings, labels = around(10, 8, noise=1.5)
    query, answers = around(10, 8, noise=1.5, draw=1)
    texts = [f"{label} say{row % 11}" for row, label in enumerate(labels)]
    fitted = fit_classifier(SupportSet.of(embeddings, labels, texts=texts))
    new = [
        fitted.classifier.decide(vector, f"{label} say{row % 11}").scores.class_scores.max()
        for row, (vector, label) in enumerate(zip(query, answers))
    ]
    own = fitted.calibration.held_out.class_scores.max(axis=1)
    assert np.mean(own) <= np.mean(new) + 0.1


def test_of_very_many_messages_the_same_share_of_every_class_is_asked(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings, labels = around(6, 20)
    support = SupportSet.of(embeddings, labels)
    folds = assign_folds(support, 2)
    every = hold_out(support, folds)
    monkeypatch.setattr(held_out, "_MOST_ASKED", 30)
    some = hold_out(support, folds)
    assert (len(every.rows), len(some.rows)) == (120, 60)
    np.testing.assert_array_equal(np.bincount(support.targets[some.rows]), [10] * 6)
    known = np.searchsorted(np.sort(every.rows), some.rows)
    order = np.argsort(every.rows)[known]
    np.testing.assert_array_equal(every.class_scores[order], some.class_scores)
    assert len(leave_intents_out(support, 2, ()).targets) == 60
