"""A bot trained whole, and without each fold of its examples: what it does with messages."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Set

import numpy as np
import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import Messages, PrototypeClassifier
from rasa_tokprune.fewshot.calibration import calibrate
from rasa_tokprune.fewshot.certificate import TrainingSet, count_flips, outcomes_of, training_set
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK

Around = Callable[..., Any]
WORDS = ["order", "refund", "parcel", "hello", "invoice", "address", "size", "colour"]


def texts_of(labels: Sequence[str]) -> List[str]:
    """Returns texts that share a word where their labels are the same."""
    return [f"{WORDS[int(label[-3:]) % len(WORDS)]} number {n}" for n, label in enumerate(labels)]


def training(embeddings: np.ndarray, labels: Sequence[str], **fields: Any) -> TrainingSet:
    return TrainingSet(Messages(embeddings, texts_of(labels)), labels, **fields)


def test_the_whole_classifier_is_the_one_that_is_trained(around: Around) -> None:
    embeddings, labels = around(6, 8, noise=1.5)
    names = {"intent_000": embeddings[0], "absent": embeddings[1]}
    fields: Dict[str, Any] = {
        "names": names,
        "content_free": -embeddings[:3],
        "oos_labels": ["intent_005"],
        "target_in_scope_rejection": 0.2,
        "lexical_weight": 0.7,
    }
    own = training(embeddings, labels, **fields)
    expected = PrototypeClassifier.fit(embeddings, labels, texts=texts_of(labels), **fields)
    queries = Messages(around(6, 4, noise=1.5, draw=1)[0], ["where is order 7"] * 24)
    confidences = expected.predict_proba(queries)
    np.testing.assert_array_equal(own.classifier.predict_proba(queries), confidences)
    found = outcomes_of(own.classifier, queries)
    assert [each and each.intent for each in found] == expected.predict(queries)
    assert [bool(each and each.is_accepted) for each in found] == [
        row.max() >= 0.5 for row in confidences
    ]
    actions = {each.action for each in found if each}
    assert FALLBACK in actions, "noise this large leaves some messages below the operating point"
    assert len(actions) > 2


def test_a_message_without_content_has_no_outcome(around: Around) -> None:
    embeddings, labels = around(3, 4)
    queries = Messages(np.stack([embeddings[0], np.zeros_like(embeddings[0])]))
    first, nothing = outcomes_of(training(embeddings, labels).classifier, queries)
    assert first is not None
    assert nothing is None


def test_the_same_embeddings_never_flip(around: Around) -> None:
    embeddings, labels = around(12, 6, noise=1.7)
    found, again = (training(own, labels).out_of_fold() for own in (embeddings, embeddings.copy()))
    certificate = count_flips("same", found, again, 0.02)
    assert (certificate.n_flips, certificate.n_other_intents, certificate.n_messages) == (0, 0, 72)
    assert FALLBACK in {each.action for each in found if each}


def test_an_answer_does_not_know_its_own_message(around: Around) -> None:
    embeddings, labels = around(6, 6, noise=0.5)
    wrong = labels.index("intent_000")
    relabelled = ["intent_003" if row == wrong else label for row, label in enumerate(labels)]
    bot = TrainingSet(Messages(embeddings), relabelled)
    found = bot.out_of_fold()[wrong]
    assert found is not None
    assert found.intent == "intent_000", "its neighbours say so, its own label does not"
    lone = [*labels[:-1], "alone"]
    assert TrainingSet(Messages(embeddings), lone).out_of_fold()[-1] is None
    one_each = TrainingSet(Messages(embeddings[::6]), labels[::6])
    assert one_each.out_of_fold() == [None] * 6


def test_nothing_of_its_own_fold_decides_the_operating_point(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings, labels = around(5, 10, noise=1.5)
    bot = training(embeddings, labels, names={"intent_000": embeddings[0]})
    held: List[List[Set[int]]] = []

    def record(ways: Sequence[Any], *rest: Any) -> Any:
        held.append([set(bot.support.sources[way.rows].tolist()) for way in ways])
        return calibrate.fit_confidences(ways, *rest)

    monkeypatch.setattr(training_set, "fit_confidences", record)
    bot.out_of_fold()
    everybody = set(range(50))
    folds = [everybody - alone for alone, _ in held]
    assert sorted(map(len, folds)) == [10] * 5
    assert set.union(*folds) == everybody
    for own, (_, with_paraphrases) in zip(folds, held):
        assert with_paraphrases == everybody - own
        assert [labels[row] for row in own].count("intent_000") == 2, "two of each intent's ten"


def test_an_outcome_is_that_of_scores_and_map_fitted_without_its_fold(around: Around) -> None:
    embeddings, labels = around(5, 10, noise=1.6)
    bot = TrainingSet(Messages(embeddings), labels)
    found = bot.out_of_fold()
    own = np.arange(50) % 10 % 5 == 2  # every intent's examples are dealt in turn
    rest = PrototypeClassifier.fit(embeddings[~own], [labels[row] for row in np.flatnonzero(~own)])
    expected = rest.predict(embeddings[own])
    assert [found[row].intent for row in np.flatnonzero(own)] == expected  # type: ignore[union-attr]


def test_more_noise_flips_more(around: Around) -> None:
    embeddings, labels = around(12, 8, noise=1.5)
    names = {"intent_000": embeddings[0], "absent": embeddings[1]}
    reference = training(embeddings, labels, names=names).out_of_fold()
    rng = np.random.default_rng(1)
    rates = []
    for scale in (0.02, 0.3, 1.0):
        noise = rng.normal(size=embeddings.shape) * scale * embeddings.std()
        served = training(embeddings + noise, labels, names=names).out_of_fold()
        rates.append(count_flips("noisy", reference, served, 0.02).n_flips)
    assert rates[0] < rates[1] < rates[2]


def test_out_of_scope_intents_are_an_action_of_their_own(around: Around) -> None:
    embeddings, labels = around(4, 8, noise=0.4)
    bot = training(embeddings, labels, oos_labels=["intent_003", "absent"])
    actions = [each and each.action for each in bot.out_of_fold()]
    assert actions.count("intent_003") >= 7
    with pytest.raises(ConfigError, match="oos_intents names all classes"):
        training(embeddings, labels, oos_labels=sorted(set(labels))).out_of_fold()
