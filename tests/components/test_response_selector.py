"""What the response selector selects."""

from __future__ import annotations

import json
import random
from typing import Any, Callable, List

import pytest
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.resource import Resource
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.response_selector import TokPruneResponseSelector
from rasa_tokprune.fewshot import load_prototypes
from tests.components.checks import NOTHING, edit_json, keys, one_line, select
from tests.components.examples import RESPONSES

Make = Callable[..., Any]
KEYS = {"faq/parcel", "faq/shipping"}
QUESTIONS = ["where is my parcel", "do you ship to Switzerland"]
NO_CONTENT = ["", "   ", "\x00\x01", "\u200b", None]


@pytest.fixture
def with_chitchat(training_data: TrainingData) -> TrainingData:
    """Returns the tiny bot's data with a second retrieval intent."""
    jokes = [Message.build(text, intent="chitchat/joke") for text in ("joke ?", "tell a joke")]
    names = [Message.build(text, intent="chitchat/name") for text in ("your name", "name please")]
    responses = {
        **training_data.responses,
        "utter_chitchat/joke": [{"text": "Knock."}],
        "utter_chitchat/name": [{"text": "Tiny."}],
    }
    return TrainingData([*training_data.training_examples, *jokes, *names], responses=responses)


def test_it_finds_the_keys_of_its_own_examples(
    selector: TokPruneResponseSelector, training_data: TrainingData
) -> None:
    examples = training_data.response_examples
    found = select(selector, *[example.get(TEXT) for example in examples])
    pairs = zip([keys(each["default"])[0] for each in found], examples)
    assert sum(key == example.get(INTENT_RESPONSE_KEY) for key, example in pairs) >= 3


def test_output_is_that_of_rasas_own_selector(selector: TokPruneResponseSelector) -> None:
    for found in select(selector, *QUESTIONS):
        json.dumps(found)
        assert set(found) == {"all_retrieval_intents", "default"}
        assert found["all_retrieval_intents"] == ["faq"]
        response, ranking = found["default"]["response"], found["default"]["ranking"]
        best = response["intent_response_key"]
        assert response == {
            "responses": [{"text": RESPONSES[best]}],
            "confidence": ranking[0]["confidence"],
            "intent_response_key": ranking[0]["intent_response_key"],
            "utter_action": f"utter_{best}",
        }
        confidences = [entry["confidence"] for entry in ranking]
        assert all(type(confidence) is float for confidence in confidences)
        assert confidences == sorted(confidences, reverse=True)
        assert 0 <= sum(confidences) <= 1 + 1e-9
        assert set(keys(found["default"])) == KEYS


def test_it_is_part_of_the_output_and_leaves_the_intent_alone(
    selector: TokPruneResponseSelector,
) -> None:
    message = Message({TEXT: "where is my parcel"})
    message.set(INTENT, {"name": "faq", "confidence": 1.0}, add_to_output=True)
    output = selector.process([message])[0].as_dict(only_output_properties=True)
    assert set(output) == {"text", "intent", "response_selector"}
    assert output["intent"] == {"name": "faq", "confidence": 1.0}


@pytest.mark.parametrize("text", NO_CONTENT, ids=repr)
def test_a_message_without_content_selects_nothing(
    selector: TokPruneResponseSelector, text: Any
) -> None:
    before, blank, after = select(selector, QUESTIONS[0], text, QUESTIONS[1])
    assert blank["default"] == NOTHING
    assert blank["all_retrieval_intents"] == ["faq"]
    alone = [select(selector, question)[0] for question in QUESTIONS]
    assert [keys(each["default"]) for each in (before, after)] == [
        keys(each["default"]) for each in alone
    ]


@pytest.mark.parametrize("text", ["/greet", "/faq", ' /address{"number": "12345"}'])
def test_a_payload_is_not_encoded(
    selector: TokPruneResponseSelector, load: Make, count_forward: List[int], text: str
) -> None:
    # Rasa answers it behind the pipeline, and drops what a selector says.
    loaded = load(TokPruneResponseSelector)
    count_forward.clear()
    for component in (selector, loaded):
        assert select(component, text)[0]["default"] == NOTHING
    assert count_forward == []
    assert select(selector, "/12345 ?")[0]["default"] != NOTHING, "names no intent"


@pytest.mark.parametrize(("length", "shown"), [(0, 2), (1, 1), (10, 2)])
def test_ranking_length(create: Make, training_data: TrainingData, length: int, shown: int) -> None:
    component = create(TokPruneResponseSelector, ranking_length=length)
    component.train(training_data)
    assert len(select(component, QUESTIONS[0])[0]["default"]["ranking"]) == shown


def test_a_bot_without_retrieval_intents(create: Make, load: Make) -> None:
    component = create(TokPruneResponseSelector)
    data = TrainingData([Message.build("hello there", intent="greet")])
    with pytest.warns(UserWarning, match="no example of a retrieval intent, such as 'faq/ask_n"):
        resource = component.train(data)
    assert resource == Resource("TokPruneResponseSelector")
    for each in (component, load(TokPruneResponseSelector)):
        assert select(each, "hello") == [{"all_retrieval_intents": [], "default": NOTHING}]


def test_a_retrieval_intent_without_examples_names_the_nearest(
    create: Make, training_data: TrainingData
) -> None:
    component = create(TokPruneResponseSelector, retrieval_intent="faqs")
    with pytest.warns(UserWarning, match="retrieval_intent 'faqs'.*Did you mean 'faq'") as caught:
        component.train(training_data)
    assert "\n" not in str(caught[0].message)
    assert select(component, "hello") == [{"all_retrieval_intents": ["faq"], "faqs": NOTHING}]


def test_examples_of_invisible_characters_are_none(create: Make) -> None:
    component = create(TokPruneResponseSelector)
    with pytest.warns(UserWarning, match="1 of 1 examples hold nothing .*faq/blank"):
        component.train(TrainingData([Message.build("\u2060", intent="faq/blank")]))
    assert select(component, "hello")[0]["default"] == NOTHING


def test_a_key_without_a_response_is_warned_of_and_answers_with_its_name(create: Make) -> None:
    component = create(TokPruneResponseSelector)
    examples = [Message.build(text, intent="faq/parcel") for text in ("my parcel", "the parcel")]
    with pytest.warns(UserWarning, match=r"1 of 1 retrieval keys have no response: utter_faq/par"):
        component.train(TrainingData(examples))
    response = select(component, "my parcel")[0]["default"]["response"]
    assert response["responses"] == [{"text": "faq/parcel"}]
    assert response["utter_action"] == "utter_faq/parcel"


def test_several_selectors_answer_beside_each_other(
    build: Make, config_of: Make, model_storage: Any, execution_context: ExecutionContext,
    with_chitchat: TrainingData,
) -> None:  # fmt: skip
    message = Message({TEXT: "tell a joke"})
    for intent in ("chitchat", "faq", None):
        arguments = (
            config_of(TokPruneResponseSelector, retrieval_intent=intent),
            model_storage,
            Resource(f"selector of {intent}"),
            execution_context,
        )
        TokPruneResponseSelector.create(*arguments).train(with_chitchat)
        TokPruneResponseSelector.load(*arguments).process([message])
    found = message.get("response_selector")
    assert set(found) == {"all_retrieval_intents", "chitchat", "faq", "default"}
    assert found["all_retrieval_intents"] == ["chitchat", "faq"]
    chitchat = {"chitchat/joke", "chitchat/name"}
    assert set(keys(found["chitchat"])) == chitchat
    assert set(keys(found["faq"])) == KEYS
    assert set(keys(found["default"])) == KEYS | chitchat


def test_an_untrained_selector_hides_nothing_of_another(
    create: Make, load: Make, selector: TokPruneResponseSelector
) -> None:
    messages = selector.process([Message({TEXT: QUESTIONS[0]})])
    create(TokPruneResponseSelector, retrieval_intent="chitchat").process(messages)
    found = messages[0].get("response_selector")
    assert (found["all_retrieval_intents"], found["chitchat"]) == (["faq"], NOTHING)
    assert set(keys(found["default"])) == KEYS


def test_names_that_say_out_of_scope_are_keys_like_others(create: Make, stored: Make) -> None:
    component = create(TokPruneResponseSelector)
    examples = [Message.build("sing a song", intent="faq/out_of_scope")]
    examples += [Message.build("my parcel", intent="faq/parcel")]
    responses = {f"utter_faq/{key}": [{"text": key}] for key in ("out_of_scope", "parcel")}
    component.train(TrainingData(examples, responses=responses))
    prototypes, _ = load_prototypes(stored(TokPruneResponseSelector))
    assert prototypes.oos_classes == ()
    assert set(prototypes.classes) == {"faq/out_of_scope", "faq/parcel"}


def test_training_is_deterministic_in_any_order_and_leaves_the_data_alone(
    create: Make, selector: TokPruneResponseSelector, training_data: TrainingData
) -> None:
    before = training_data.fingerprint()
    again = create(TokPruneResponseSelector)
    again.train(training_data)
    assert training_data.fingerprint() == before
    assert select(again, *QUESTIONS) == select(selector, *QUESTIONS)
    examples = list(training_data.training_examples)
    random.Random(1).shuffle(examples)
    again.train(TrainingData(examples, responses=training_data.responses))
    for one, other in zip(select(again, *QUESTIONS), select(selector, *QUESTIONS)):
        assert keys(one["default"]) == keys(other["default"])


def test_loaded_component_answers_the_same(selector: TokPruneResponseSelector, load: Make) -> None:
    loaded = load(TokPruneResponseSelector)
    assert select(loaded, *QUESTIONS, "") == select(selector, *QUESTIONS, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("by_action"),
        lambda content: content.pop("intents"),
        lambda content: content.update(by_action=[]),
        lambda content: content.update(by_action={"utter_faq/parcel": ["text"]}),
        lambda content: content.update(retrieval_intents=None),
    ],
)
def test_damaged_responses_give_one_clear_line(
    selector: TokPruneResponseSelector, load: Make, stored: Make, change: Make
) -> None:
    edit_json(stored(TokPruneResponseSelector) / "responses.json", change)
    with pytest.raises(RasaException, match="responses.json' cannot be read") as error:
        load(TokPruneResponseSelector)
    assert "train again" in one_line(error)


def test_finetuning_trains_anew_on_all_data(
    selector: TokPruneResponseSelector,
    training_data: TrainingData,
    config_of: Make,
    model_storage: Any,
) -> None:
    context = ExecutionContext(GraphSchema({}), is_finetuning=True, node_name="train_test0")
    resource = Resource("TokPruneResponseSelector")
    config = config_of(TokPruneResponseSelector)
    tuned = TokPruneResponseSelector.load(config, model_storage, resource, context)
    assert select(tuned, *QUESTIONS) == select(selector, *QUESTIONS)
    refund = [Message.build(text, intent="faq/refund") for text in ("my refund", "refund please")]
    responses = {**training_data.responses, "utter_faq/refund": [{"text": "Soon."}]}
    more = TrainingData([*training_data.training_examples, *refund], responses=responses)
    assert tuned.train(more) == resource
    found = select(tuned, "refund please")[0]["default"]
    assert found["response"]["responses"] == [{"text": "Soon."}]
    assert set(keys(found)) == KEYS | {"faq/refund"}
