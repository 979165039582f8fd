"""The classifier's own keys: out-of-scope intents, fallback, report, explanations."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Callable, List

import numpy as np
import pytest
from rasa.nlu.classifiers.fallback_classifier import FallbackClassifier, undo_fallback_prediction
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from tests.components.checks import names, parse

Make = Callable[..., Any]
NAME = "TokPruneIntentClassifier"
STRANGE = ["12345 12345 12345", "? ? ? ?", "Austria Switzerland Austria"]


@pytest.fixture
def with_strangers(training_data: TrainingData) -> TrainingData:
    """Returns the tiny bot's data with an intent for what it does not cover."""
    strange = [Message.build(text, intent="out_of_scope") for text in (*STRANGE, "? 12345 ?")]
    return TrainingData([*training_data.training_examples, *strange])


def test_an_out_of_scope_intent_is_found_by_its_name(
    create: Make, with_strangers: TrainingData
) -> None:
    found = create(TokPruneIntentClassifier)
    found.train(with_strangers)
    told = create(TokPruneIntentClassifier, oos_intents=["out_of_scope"])
    told.train(with_strangers)
    plain = create(TokPruneIntentClassifier, oos_intents=[])
    plain.train(with_strangers)
    classes = found._prototypes.classes
    assert [classes[number] for number in found._prototypes.oos_classes] == ["out_of_scope"]
    assert told._prototypes.oos_classes == found._prototypes.oos_classes
    assert plain._prototypes.oos_classes == ()
    answers = [message.get(INTENT) for message in parse(found, *STRANGE, "? 12345 ?")]
    confidences = [each["confidence"] for each in answers if each["name"] == "out_of_scope"]
    assert confidences, "a tiny random encoder knows at least one of its examples again"
    assert min(confidences) >= 0.5


def test_training_goes_on_without_an_out_of_scope_intent_that_has_no_example(
    create: Make, training_data: TrainingData
) -> None:
    # As in a fold of a cross-validation that holds none of its few examples.
    classifier = create(TokPruneIntentClassifier, oos_intents=["gret", "bye"])
    with pytest.warns(UserWarning, match="oos_intents names 'gret', which has no.*'greet'"):
        classifier.train(training_data)
    assert names(parse(classifier, "hello there")[0])[0] == "greet"


def test_a_number_among_the_out_of_scope_intents_is_to_be_quoted(create: Make) -> None:
    with pytest.raises(InvalidConfigException, match=r"got \[404\]. Write numbers .* in quotes"):
        create(TokPruneIntentClassifier, oos_intents=[404])


INVISIBLE = ("\u2800\u2800", "\u3164", "\u115f", "\u200b\u2060", "\u00ad", "\ufe0f", "\u2062")


def test_invisible_characters_are_no_message(create: Make, training_data: TrainingData) -> None:
    classifier = create(TokPruneIntentClassifier)
    examples = [Message.build(text, intent="nothing") for text in ("\u200b", "\u2060\u2800")]
    more = TrainingData([*training_data.training_examples, *examples])
    with pytest.warns(UserWarning, match="2 of .* hold nothing but blank or invis.*: nothing. Del"):
        classifier.train(more)
    known = names(parse(classifier, "hello there")[0])
    assert "nothing" not in known
    assert known
    for message in parse(classifier, *INVISIBLE):
        assert message.get(INTENT) == {"name": None, "confidence": 0.0}


def test_an_intent_of_invisible_examples_alone_is_no_intent(create: Make) -> None:
    classifier = create(TokPruneIntentClassifier)
    with pytest.warns(UserWarning, match="1 of 1 examples hold nothing but blank or invisible"):
        classifier.train(TrainingData([Message.build("\u2060", intent="nothing")]))
    assert names(parse(classifier, "hello")[0]) == []


def test_emit_fallback_is_what_a_fallback_classifier_at_one_half_does(
    create: Make, training_data: TrainingData
) -> None:
    plain, emitting = (
        create(TokPruneIntentClassifier, emit_fallback=flag) for flag in (False, True)
    )
    for classifier in (plain, emitting):
        classifier.train(training_data)
        # A tiny random encoder is sure of nothing; here it is of messages above the median.
        margins = [classifier.explain(text)["margin"] for text in ("hello there", *STRANGE)]
        point = classifier._prototypes.confidence_map.operating_point + float(np.median(margins))
        changed = dataclasses.replace(
            classifier._prototypes.confidence_map, operating_point=point, bend_end=point + 1
        )
        classifier._prototypes = dataclasses.replace(classifier._prototypes, confidence_map=changed)
    settings = {"threshold": 0.5, "ambiguity_threshold": 0.0}
    fallback = FallbackClassifier({**FallbackClassifier.get_default_config(), **settings})
    own = [example.get("text") for example in training_data.intent_examples]
    texts = [*own, *STRANGE, "", "order order order"]
    expected = fallback.process(parse(plain, *texts))
    found = parse(emitting, *texts)
    n_fallback = 0
    for one, other in zip(found, expected):
        assert one.get(INTENT)["name"] == other.get(INTENT)["name"]
        assert names(one) == names(other)[: len(names(one))]
        n_fallback += one.get(INTENT)["name"] == "nlu_fallback"
        if one.get(INTENT)["name"] == "nlu_fallback":
            assert one.get(INTENT)["confidence"] > 0.5, "one minus the best intent's"
        if one.get(INTENT)["name"] == "nlu_fallback" and len(names(one)) > 1:
            undone = undo_fallback_prediction(one.as_dict(only_output_properties=True))
            assert undone["intent"]["name"] == names(one)[1]
    assert 0 < n_fallback < len(texts)


def test_the_report_is_stored(
    trained: TokPruneIntentClassifier, stored: Make, training_data: TrainingData
) -> None:
    report = json.loads((stored(TokPruneIntentClassifier) / "report.json").read_text())
    assert report["n_examples"] == 13
    assert report["n_intents"] == 5
    assert 0 <= report["accuracy"] <= 1
    assert {entry["intent"] for entry in report["intents"]} <= {
        "greet", "bye", "thank+bye", "address", "faq",
    }  # fmt: skip
    texts = {example.get("text") for example in training_data.intent_examples}
    assert report["confused"], "a tiny random encoder confuses something"
    assert {entry["example"] for entry in report["confused"]} <= texts


def test_intents_that_look_the_same_to_the_encoder_still_give_numbers(create: Make) -> None:
    classifier = create(TokPruneIntentClassifier, use_intent_names=False)
    emoji = ["😀", "👋", "🎉", "🍕", "🚀", "🐶", "🌧"]
    examples = [Message.build(text, intent=f"intent {text}") for text in emoji]
    classifier.train(TrainingData(examples))
    for message in parse(classifier, "😀", "hello", "🍕🍕"):
        json.dumps(message.as_dict(only_output_properties=True), allow_nan=False)


def test_fallback_keeps_the_intent_behind_it(create: Make, training_data: TrainingData) -> None:
    untrained = create(TokPruneIntentClassifier, emit_fallback=True)
    assert names(parse(untrained, "hello")[0]) == ["nlu_fallback"]
    classifier = create(TokPruneIntentClassifier, emit_fallback=True, ranking_length=1)
    own = Message.build("? ? ?", intent="nlu_fallback")
    classifier.train(TrainingData([*training_data.training_examples, own]))
    for message in parse(classifier, *STRANGE, "hello"):
        found = names(message)
        assert found.count("nlu_fallback") <= 1
        if found[0] == "nlu_fallback" and message.get(INTENT)["confidence"] < 1:
            assert len(found) <= 2


def test_without_cross_validation_answers_are_the_same_and_no_report_is_stored(
    create: Make, trained: TokPruneIntentClassifier, training_data: TrainingData, stored: Make
) -> None:
    assert (stored(TokPruneIntentClassifier) / "report.json").exists(), "of the first training"
    classifier = create(TokPruneIntentClassifier, cross_validation=False)
    classifier.train(training_data)
    assert not (stored(TokPruneIntentClassifier) / "report.json").exists()
    one, other = parse(trained, "where is my order")[0], parse(classifier, "where is my order")[0]
    assert one.get("intent_ranking") == other.get("intent_ranking")


def test_explanations_are_off_by_default(trained: TokPruneIntentClassifier) -> None:
    output = parse(trained, "hello there")[0].as_dict(only_output_properties=True)
    assert "intent_explanation" not in output


def test_an_explanation_names_examples_and_tokens(
    create: Make, load: Make, training_data: TrainingData
) -> None:
    classifier = create(TokPruneIntentClassifier, explain=True, use_intent_names=False)
    classifier.train(training_data)
    loaded = load(TokPruneIntentClassifier, explain=True, use_intent_names=False)
    texts = {example.get("text"): example.get(INTENT) for example in training_data.intent_examples}
    for component in (classifier, loaded):
        message, blank = parse(component, "good morning", " ")
        output = message.as_dict(only_output_properties=True)
        explanation = output["intent_explanation"]
        json.dumps(output, allow_nan=False)
        best, runner_up = explanation["intents"]
        assert best["intent"] == message.get(INTENT)["name"]
        assert best["confidence"] == pytest.approx(message.get(INTENT)["confidence"], abs=1e-3)
        for entry in (best, runner_up):
            assert texts[entry["nearest_example"]] == entry["intent"]
        assert best["nearest_example"] == "good morning"
        assert best["similarity"] == pytest.approx(1.0, abs=0.01)
        assert explanation["is_accepted"] == (best["confidence"] >= 0.5)
        assert explanation["is_accepted"] == (explanation["margin"] >= 0)
        assert "".join(token["text"] for token in explanation["tokens"]) == "goodmorning"
        assert {token["layer"] for token in explanation["tokens"]} <= {None, 1}
        assert any(token["layer"] == 1 for token in explanation["tokens"])
        assert blank.get("intent_explanation")["intents"] == []
        assert blank.get("intent_explanation")["margin"] is None


def test_an_untrained_classifier_explains_nothing(create: Make) -> None:
    from rasa_tokprune.components.errors import TokPruneComponentError

    with pytest.raises(TokPruneComponentError, match="not trained"):
        create(TokPruneIntentClassifier).explain("hello")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("use_intent_names", "yes", "use_intent_names must be true or false; got 'yes'"),
        ("emit_fallback", 1, "emit_fallback must be true or false; got 1"),
        ("cross_validation", 5, "cross_validation must be true or false; got 5"),
        ("explain", None, "explain must be true or false; got None"),
        ("oos_intents", "oos", r"oos_intents must be a list of intents.*got 'oos'"),
        ("oos_intents", [3], r"oos_intents must be a list of intents.*got \[3\]"),
        ("target_in_scope_rejection", 1.0, r"must be a number in \[0, 1\).*got 1.0"),
        ("target_in_scope_rejection", "5%", r"must be a number in \[0, 1\).*got '5%'"),
        ("target_in_scope_rejection", True, r"must be a number in \[0, 1\).*got True"),
    ],
)
def test_wrong_values_give_one_clear_line(create: Make, key: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidConfigException, match=message) as error:
        create(TokPruneIntentClassifier, **{key: value})
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(NAME)


def test_payloads_that_rasa_answers_are_not_encoded(
    trained: TokPruneIntentClassifier, count_forward: List[int]
) -> None:
    count_forward.clear()
    payloads = ["/greet", '/greet{"name": "A"}', "/bye@0.9", " /greet "]
    for message in parse(trained, *payloads):
        assert message.get(INTENT) == {"name": None, "confidence": 0.0}
    assert not count_forward
    # What only looks like one is a message as any other.
    others = parse(trained, "/other", "/greet you", "/")
    assert sum(count_forward) == 3
    assert all(names(message) for message in others)


def test_payloads_and_huge_messages_leave_the_cache_as_it_is(
    create: Make, training_data: TrainingData
) -> None:
    classifier = create(TokPruneIntentClassifier, cache_size=2)
    classifier.train(training_data)
    parse(classifier, "hello", "goodbye")
    before = classifier._encoder.cache_info()
    for number in range(50):
        parse(classifier, f'/greet{{"name": "{number}"}}', f"hello {number} " * 200)
    parse(classifier, "hello", "goodbye")
    after = classifier._encoder.cache_info()
    assert (after.size, after.hits) == (before.size, before.hits + 2)


def test_a_payload_is_told_apart_in_no_time(trained: TokPruneIntentClassifier) -> None:
    # A pattern that goes back and forth over blanks would take minutes.
    (message,) = parse(trained, "/x" + " " * 200_000 + "y")
    assert names(message)


def test_an_example_that_is_cut_is_warned_about(create: Make, training_data: TrainingData) -> None:
    classifier = create(TokPruneIntentClassifier, max_length=8)
    with pytest.warns(UserWarning, match="training examples are longer than max_length .8 tokens"):
        classifier.train(training_data)
