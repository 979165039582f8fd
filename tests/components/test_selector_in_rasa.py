"""Rasa takes the response selector for one of its own: validation, evaluation, actions."""

from __future__ import annotations

import asyncio
import json
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.validation import validate
from rasa.graph_components.validators.default_recipe_validator import DefaultV1RecipeValidator
from rasa.nlu.test import get_eval_data
from rasa.shared.data import TrainingType
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.response_selector import TokPruneResponseSelector
from tests.bots_on_disk import BOT
from tests.components.examples import RESPONSES

SELECTOR = "rasa_tokprune.TokPruneResponseSelector"
CLASSIFIER = "rasa_tokprune.TokPruneIntentClassifier"
KEYS = {"faq/parcel", "faq/shipping"}
QUESTIONS = ["where is my parcel", "do you ship to Switzerland"]


def training_warnings(*names: str) -> List[str]:
    """Returns what Rasa's validator warns of for the tiny bot with a pipeline."""
    config = {"recipe": "default.v1", "language": "en", "pipeline": [{"name": n} for n in names]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        graph = DefaultV1Recipe().graph_config_for_recipe(config, {}, TrainingType.NLU)
        validate(graph)
        data = TrainingData([Message.build(f"where {n}", intent="faq/where") for n in range(2)])
        DefaultV1RecipeValidator(graph.train_schema)._validate_nlu(data)
    return [str(each.message) for each in caught]


def test_rasa_does_not_ask_for_a_second_selector() -> None:
    # That Rasa still does so without ours shows that the text is the one the filter knows.
    asked = [text for text in training_warnings(CLASSIFIER) if "add a 'ResponseSelector'" in text]
    assert len(asked) == 1
    left = training_warnings(CLASSIFIER, SELECTOR)
    assert not any("ResponseSelector" in text for text in left)
    assert any("no response phrase" in t or "add a response phrase" in t for t in left), "others do"


def test_rasa_evaluates_it_as_its_own(
    selector: TokPruneResponseSelector, training_data: TrainingData
) -> None:
    class Processor:
        model_metadata = None

        async def parse_message(self, message: UserMessage, **_: Any) -> Dict[str, Any]:
            parsed = selector.process([Message({TEXT: message.text})])[0]
            parsed.set(INTENT, {"name": "faq", "confidence": 1.0}, add_to_output=True)
            return parsed.as_dict(only_output_properties=True)

    data = TrainingData(training_data.response_examples)
    _, results, _ = asyncio.run(get_eval_data(Processor(), data))
    assert [each.intent_response_key_target for each in results] == [
        example.get(INTENT_RESPONSE_KEY) for example in data.training_examples
    ]
    assert {each.intent_response_key_prediction for each in results} <= KEYS


@pytest.mark.thorough
def test_a_real_training_answers_by_the_retrieval_action(
    rasa_train: Callable[..., Any], tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "version: '3.1'\n"
        "rules:\n"
        "  - rule: questions\n"
        "    steps: [{intent: faq}, {action: utter_faq}]\n"
    )
    pipeline = [{"name": CLASSIFIER}, {"name": SELECTOR, "retrieval_intent": "faq"}]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = rasa_train(
            pipeline, data=[BOT / "nlu.yml", rules], policies=[{"name": "RulePolicy"}]
        )
    assert not any("response selector" in str(each.message) for each in caught)
    agent = Agent.load(result.model)
    parsed = asyncio.run(agent.parse_message(QUESTIONS[0]))
    json.dumps(parsed)
    selected = parsed["response_selector"]["faq"]["response"]
    assert selected["responses"] == [{"text": RESPONSES[selected["intent_response_key"]]}]
    assert parsed["intent"]["name"] == "faq", "one of its own examples"
    answers = asyncio.run(agent.handle_text(QUESTIONS[0]))
    assert [answer["text"] for answer in answers] == [selected["responses"][0]["text"]]
