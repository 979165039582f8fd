"""What the intent classifier answers (M8, M9)."""

from __future__ import annotations

import json
import random
from typing import Any, Callable, List

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.resource import Resource
from rasa.nlu.classifiers.fallback_classifier import FallbackClassifier
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.fewshot import load_prototypes
from tests.components.checks import names, parse

Make = Callable[..., Any]
NO_INTENT = {"name": None, "confidence": 0.0}
INTENTS = {"greet", "bye", "thank+bye", "address", "faq"}
NO_CONTENT = ["", "   ", "\n\t ", "\x00\x01\x07", "\u200b", None]


def test_it_finds_the_intents_of_its_own_examples(
    trained: TokPruneIntentClassifier, training_data: TrainingData
) -> None:
    examples = training_data.intent_examples
    messages = parse(trained, *[example.get(TEXT) for example in examples])
    pairs = zip([message.get(INTENT)["name"] for message in messages], examples)
    n_right = sum(found == example.get(INTENT) for found, example in pairs)
    # A tiny random encoder may confuse one example or another.
    assert n_right >= len(examples) - 3


def test_ranking_is_sorted_and_starts_with_the_intent(trained: TokPruneIntentClassifier) -> None:
    for message in parse(trained, "hello", "where is it", "see you"):
        ranking = message.get("intent_ranking")
        confidences = [entry["confidence"] for entry in ranking]
        assert ranking[0] == message.get(INTENT)
        assert confidences == sorted(confidences, reverse=True)
        assert all(0 <= confidence <= 1 for confidence in confidences)
        assert sum(confidences) <= 1 + 1e-9
        assert set(names(message)) == INTENTS


def test_output_is_builtin_types_that_become_json(trained: TokPruneIntentClassifier) -> None:
    for message in parse(trained, "hello", "", None):
        output = message.as_dict(only_output_properties=True)
        assert set(output) >= {"intent", "intent_ranking"}
        json.dumps(output)
        for entry in [output["intent"], *output["intent_ranking"]]:
            assert set(entry) == {"name", "confidence"}
            assert type(entry["confidence"]) is float
            assert type(entry["name"]) in (str, type(None))


@pytest.mark.parametrize(("length", "shown"), [(0, 5), (1, 1), (3, 3), (10, 5)])
def test_ranking_length(create: Make, training_data: TrainingData, length: int, shown: int) -> None:
    classifier = create(TokPruneIntentClassifier, ranking_length=length)
    classifier.train(training_data)
    message = parse(classifier, "good morning")[0]
    assert len(message.get("intent_ranking")) == shown
    assert message.get("intent_ranking")[0] == message.get(INTENT)


@pytest.mark.parametrize("text", NO_CONTENT, ids=repr)
def test_text_without_content_is_no_intent(trained: TokPruneIntentClassifier, text: Any) -> None:
    before, blank, after = parse(trained, "hello there", text, "see you")
    alone = [parse(trained, other)[0].get(INTENT)["name"] for other in ("hello there", "see you")]
    assert blank.get(INTENT) == NO_INTENT
    assert blank.get("intent_ranking") == []
    neighbours = [message.get(INTENT)["name"] for message in (before, after)]
    assert neighbours == alone, "neighbours are not disturbed"


@pytest.mark.parametrize("text", NO_CONTENT, ids=repr)
def test_fallback_classifier_takes_text_without_content(
    trained: TokPruneIntentClassifier, text: Any
) -> None:
    fallback = FallbackClassifier(FallbackClassifier.get_default_config())
    message = fallback.process(parse(trained, text))[0]
    assert message.get(INTENT)["name"] == "nlu_fallback"
    assert names(message) == ["nlu_fallback"]


def test_retrieval_intents_are_answered_by_their_parent(
    trained: TokPruneIntentClassifier, stored: Make
) -> None:
    for message in parse(trained, "where is my parcel", "what does shipping cost"):
        assert set(names(message)) == INTENTS, "no full key among them"
        assert message.get(INTENT_RESPONSE_KEY) is None, "that is the ResponseSelector's job"
    prototypes, _ = load_prototypes(stored(TokPruneIntentClassifier))
    keys = INTENTS - {"faq"} | {"faq/parcel", "faq/shipping"}
    assert set(prototypes.keys) == keys
    assert set(prototypes.classes) == INTENTS


def test_combined_intents_are_one_label(trained: TokPruneIntentClassifier) -> None:
    found = names(parse(trained, "thanks a lot, goodbye")[0])
    assert "thank+bye" in found
    assert "thank" not in found


def test_a_bot_with_one_intent(create: Make) -> None:
    classifier = create(TokPruneIntentClassifier)
    texts = ["hello there", "good morning"]
    classifier.train(TrainingData([Message.build(text, intent="greet") for text in texts]))
    own, other = parse(classifier, "hello there", "12345 ? ; 12345")
    assert names(own) == names(other) == ["greet"]
    # There is nothing to tell it apart from: confidence says how alike the examples it is.
    assert 0.5 < own.get(INTENT)["confidence"] <= 1
    assert 0 <= other.get(INTENT)["confidence"] <= 1


@pytest.mark.parametrize("examples", [[], [Message.build("  ", intent="greet")]])
def test_a_bot_without_intents(create: Make, load: Make, examples: List[Message]) -> None:
    classifier = create(TokPruneIntentClassifier)
    with pytest.warns(UserWarning, match="no example with an intent"):
        resource = classifier.train(TrainingData(examples))
    assert resource == Resource("TokPruneIntentClassifier")
    for component in (classifier, load(TokPruneIntentClassifier)):
        message = parse(component, "hello")[0]
        assert message.get(INTENT) == NO_INTENT
        assert message.get("intent_ranking") == []


def shuffled_ranking(create: Make, data: TrainingData, seed: int) -> List[Any]:
    examples = list(data.training_examples)
    random.Random(seed).shuffle(examples)
    classifier = create(TokPruneIntentClassifier)
    classifier.train(TrainingData(examples))
    return parse(classifier, "where is my order")[0].get("intent_ranking")


@pytest.mark.parametrize("seed", range(3))
def test_order_of_examples_does_not_change_the_ranking(
    create: Make, trained: TokPruneIntentClassifier, training_data: TrainingData, seed: int
) -> None:
    shuffled = shuffled_ranking(create, training_data, seed)
    message = parse(trained, "where is my order")[0]
    assert names(message) == [entry["name"] for entry in shuffled]


@pytest.mark.parametrize("seed", range(3))
def test_order_of_examples_does_not_change_confidences(
    create: Make, trained: TokPruneIntentClassifier, training_data: TrainingData, seed: int
) -> None:
    # Else moving a line of nlu.yml moves messages over the fallback threshold.
    shuffled = shuffled_ranking(create, training_data, seed)
    ranking = parse(trained, "where is my order")[0].get("intent_ranking")
    confidences = [entry["confidence"] for entry in ranking]
    assert [entry["confidence"] for entry in shuffled] == pytest.approx(confidences, abs=1e-3)


def test_training_is_deterministic_and_leaves_the_data_alone(
    create: Make, trained: TokPruneIntentClassifier, training_data: TrainingData
) -> None:
    before = training_data.fingerprint()
    again = create(TokPruneIntentClassifier)
    again.train(training_data)
    assert training_data.fingerprint() == before
    texts = ["hello", "where is my order"]
    for one, other in zip(parse(trained, *texts), parse(again, *texts)):
        assert one.get("intent_ranking") == other.get("intent_ranking")


def test_answers_do_not_depend_on_the_batch(trained: TokPruneIntentClassifier) -> None:
    texts = ["hello", "where is my parcel and when will it arrive", "see you soon"]
    for text, together in zip(texts, parse(trained, *texts)):
        alone = parse(trained, text)[0]
        assert names(alone) == names(together)
        assert alone.get(INTENT)["confidence"] == pytest.approx(
            together.get(INTENT)["confidence"], abs=1e-5
        )


def test_loaded_component_answers_the_same(trained: TokPruneIntentClassifier, load: Make) -> None:
    texts = ["hello", "where is my order", "", "see you"]
    loaded = load(TokPruneIntentClassifier)
    for one, other in zip(parse(trained, *texts), parse(loaded, *texts)):
        assert one.get(INTENT) == other.get(INTENT)
        assert one.get("intent_ranking") == other.get("intent_ranking")


def test_finetuning_refits_on_all_data(
    trained: TokPruneIntentClassifier,
    training_data: TrainingData,
    config_of: Make,
    model_storage: Any,
    load: Make,
) -> None:
    context = ExecutionContext(GraphSchema({}), is_finetuning=True, node_name="train_test0")
    config = config_of(TokPruneIntentClassifier)
    resource = Resource("TokPruneIntentClassifier")
    tuned = TokPruneIntentClassifier.load(config, model_storage, resource, context)
    assert parse(tuned, "refund")[0].get(INTENT) == parse(trained, "refund")[0].get(INTENT)
    refund = Message.build("can I talk about the refund", intent="bye")
    more = TrainingData([*training_data.training_examples, refund])
    assert tuned.train(more) == resource

    def confidence_in_bye(component: TokPruneIntentClassifier) -> float:
        ranking = parse(component, "can I talk about the refund")[0].get("intent_ranking")
        return {entry["name"]: entry["confidence"] for entry in ranking}["bye"]

    for component in (tuned, load(TokPruneIntentClassifier)):
        assert confidence_in_bye(component) > confidence_in_bye(trained) + 0.05
