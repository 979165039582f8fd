"""After a featurizer with the same encoder the classifier does not encode again."""

from __future__ import annotations

from typing import Any, Callable, List

import pytest
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.fewshot import CONTENT_FREE_TEXTS
from tests.components.checks import names, parse

pytestmark = pytest.mark.thorough

Make = Callable[..., Any]


@pytest.mark.parametrize("texts", [["hello there"], ["hello", "where is it", "see you"]])
def test_after_a_featurizer_with_the_same_encoder_it_encodes_nothing(
    create: Make,
    trained: TokPruneIntentClassifier,
    tokenize: Make,
    count_forward: List[int],
    texts: List[str],
) -> None:
    featurizer = create(TokPruneFeaturizer)
    count_forward.clear()
    messages = featurizer.process(tokenize([Message({TEXT: text}) for text in texts]))
    trained.process(messages)
    assert sum(count_forward) == len(texts)
    for text, message in zip(texts, messages):
        alone = parse(trained, text)[0]
        assert names(alone) == names(message)
        for one, other in zip(alone.get("intent_ranking"), message.get("intent_ranking")):
            assert one["confidence"] == pytest.approx(other["confidence"], abs=1e-5)


@pytest.mark.parametrize("other", [{"prune": "off"}, {"quantile": 0.3}, {"max_length": 16}])
def test_features_of_another_plan_or_length_are_not_reused(
    create: Make,
    trained: TokPruneIntentClassifier,
    tokenize: Make,
    count_forward: List[int],
    other: Any,
) -> None:
    featurizer = create(TokPruneFeaturizer, **other)
    count_forward.clear()
    message = featurizer.process(tokenize([Message({TEXT: "please change my order"})]))[0]
    trained.process([message])
    assert sum(count_forward) == 2
    alone = parse(trained, "please change my order")[0]
    assert message.get("intent_ranking") == alone.get("intent_ranking")


def test_training_after_a_featurizer_gives_the_same_prototypes(
    create: Make,
    trained: TokPruneIntentClassifier,
    tokenize: Make,
    training_data: TrainingData,
    count_forward: List[int],
) -> None:
    tokenize(training_data.training_examples)
    create(TokPruneFeaturizer).process_training_data(training_data)
    classifier = create(TokPruneIntentClassifier)
    count_forward.clear()
    classifier.train(training_data)
    warm_up, intent_names = 2, 6  # texts; no message among them
    assert sum(count_forward) <= warm_up + intent_names + len(CONTENT_FREE_TEXTS)
    one, other = parse(trained, "where is my order")[0], parse(classifier, "where is my order")[0]
    assert names(one) == names(other)
    assert one.get(INTENT)["confidence"] == pytest.approx(other.get(INTENT)["confidence"], abs=1e-4)


def test_a_text_changed_behind_the_featurizer_is_encoded_anew(
    create: Make, trained: TokPruneIntentClassifier, tokenize: Make
) -> None:
    featurizer = create(TokPruneFeaturizer)
    message = featurizer.process(tokenize([Message({TEXT: "goodbye and see you soon"})]))[0]
    message.set(TEXT, "hello there")  # a spelling corrector between the two, say
    trained.process([message])
    alone = parse(trained, "hello there")[0]
    assert message.get("intent_ranking") == alone.get("intent_ranking")
