"""Real Rasa training and parsing, in this process, with the tiny encoder and few epochs."""

from __future__ import annotations

import asyncio
import json
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import rasa.model_training
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.shared.core.events import ActionExecuted
from rasa.shared.data import TrainingType
from rasa.shared.exceptions import InvalidConfigException

from tests.bots_on_disk import BOT

pytestmark = pytest.mark.thorough

FEATURIZER = "rasa_tokprune.TokPruneFeaturizer"
CLASSIFIER = "rasa_tokprune.TokPruneIntentClassifier"
TEXTS = ["hello there", "", "\U0001f600", "change the address of order 12345", "x" * 3000]
# Tracing TensorFlow's graphs takes longer than running such small networks step by step.
QUICK = {"epochs": 1, "run_eagerly": True}
SMALL_DIET = {
    **QUICK,
    "number_of_transformer_layers": 1,
    "transformer_size": 16,
    "number_of_attention_heads": 2,
}
INTENTS = {"greet", "bye", "thank+bye", "address", "faq", "nlu_fallback"}


@pytest.mark.parametrize(
    "pipeline",
    [
        pytest.param([{"name": CLASSIFIER}], id="classifier alone"),
        pytest.param(
            [{"name": CLASSIFIER}, {"name": "FallbackClassifier"}], id="classifier and fallback"
        ),
        pytest.param(
            [
                {"name": "WhitespaceTokenizer"},
                {"name": FEATURIZER, "alias": "tokprune"},
                {"name": CLASSIFIER},
                {"name": "RegexEntityExtractor"},
            ],
            id="featurizer and classifier",
        ),
        pytest.param(
            [
                {"name": "WhitespaceTokenizer"},
                {"name": FEATURIZER},
                {"name": "LogisticRegressionClassifier", "max_iter": 20},
            ],
            id="logistic regression",
        ),
        pytest.param(
            [
                {"name": "WhitespaceTokenizer"},
                {"name": FEATURIZER},
                {"name": "SklearnIntentClassifier", "max_cross_validation_folds": 2},
            ],
            id="sklearn",
        ),
        pytest.param(
            [
                {"name": "WhitespaceTokenizer"},
                {"name": "CountVectorsFeaturizer"},
                {"name": FEATURIZER, "alias": "tokprune"},
                {"name": "DIETClassifier", **SMALL_DIET},
                {"name": "ResponseSelector", **QUICK, "featurizers": ["tokprune"]},
            ],
            id="DIET and ResponseSelector",
        ),
        pytest.param(
            [
                {"name": "WhitespaceTokenizer"},
                {"name": FEATURIZER, "alias": "tokprune"},
                {"name": "DIETClassifier", **SMALL_DIET},
                # The responses' own features; without a transformer Rasa cannot use any.
                {"name": "ResponseSelector", "use_text_as_label": True, **SMALL_DIET},
            ],
            id="DIET on our features only",
        ),
    ],
)
def test_pipelines_train_and_parse(
    train_nlu: Callable[..., str], pipeline: List[Dict[str, Any]]
) -> None:
    agent = Agent.load(train_nlu(pipeline))
    for text in TEXTS:
        parsed = asyncio.run(agent.parse_message(text))
        json.dumps(parsed)
        assert parsed["intent"]["name"] in INTENTS | {None}
        assert 0 <= parsed["intent"]["confidence"] <= 1
    if pipeline[-1]["name"] == "ResponseSelector":
        assert parsed["response_selector"]["default"]["ranking"]


def test_our_pipeline_finds_its_own_examples(train_nlu: Callable[..., str]) -> None:
    agent = Agent.load(train_nlu([{"name": CLASSIFIER}]))
    examples = {
        "hello there": "greet",
        "goodbye": "bye",
        "where is my parcel": "faq",
        "do you ship to Switzerland": "faq",
        "please change the delivery address of 777": "address",
    }
    found = [asyncio.run(agent.parse_message(text))["intent"]["name"] for text in examples]
    # A tiny random encoder confuses one or the other.
    assert sum(name == intent for name, intent in zip(found, examples.values())) >= 3
    assert asyncio.run(agent.parse_message("  \n "))["intent"]["name"] is None


def test_wrong_settings_stop_before_any_training(
    write_config: Callable[..., Path], tmp_path: Path, count_forward: List[int]
) -> None:
    config = write_config([{"name": CLASSIFIER, "quantile": 1.5}])
    with pytest.raises(InvalidConfigException, match=r"quantile must be in \[0, 1\), got 1.5"):
        rasa.model_training.train_nlu(str(config), str(BOT / "nlu.yml"), str(tmp_path))
    assert count_forward == []


def test_finetuning(train_nlu: Callable[..., str], tmp_path: Path) -> None:
    pipeline = [
        {"name": "WhitespaceTokenizer"},
        {"name": FEATURIZER},
        {"name": CLASSIFIER},
    ]
    first = train_nlu(pipeline)
    more = tmp_path / "more.yml"
    content = (BOT / "nlu.yml").read_text(encoding="utf-8")
    more.write_text(content.replace("- see you\n", "- see you\n      - my refund please\n"))
    tuned = train_nlu(pipeline, nlu=more, model_to_finetune=first)

    def confidence_in_bye(model: str) -> float:
        parsed = asyncio.run(Agent.load(model).parse_message("my refund please"))
        return {item["name"]: item["confidence"] for item in parsed["intent_ranking"]}["bye"]

    assert confidence_in_bye(tuned) > confidence_in_bye(first) + 0.05


def test_short_names_through_the_importer(train_nlu: Callable[..., str]) -> None:
    # That the importer is what makes them known is shown in test_import.py, in a new process.
    importers = [{"name": "rasa_tokprune.importer.TokPruneImporter"}]
    pipeline = [
        {"name": "WhitespaceTokenizer"},
        {"name": "TokPruneFeaturizer"},
        {"name": "TokPruneIntentClassifier"},
    ]
    agent = Agent.load(train_nlu(pipeline, importers=importers))
    assert asyncio.run(agent.parse_message("good morning"))["intent"]["name"] in INTENTS


@pytest.mark.slow
def test_an_end_to_end_bot_trains_and_answers(rasa_train: Callable[..., Any]) -> None:
    pipeline = [
        {"name": "WhitespaceTokenizer"},
        {"name": FEATURIZER, "alias": "tokprune"},
        {"name": CLASSIFIER},
    ]
    policies = [{"name": "TEDPolicy", **QUICK, "max_history": 3}]
    data = [BOT / name for name in ("nlu.yml", "stories.yml", "e2e_stories.yml")]
    result = rasa_train(pipeline, data=data, policies=policies)
    agent = Agent.load(result.model)
    assert agent.processor.model_metadata.training_type is TrainingType.END_TO_END
    for text in ("hello there", "\U0001f600", "can I talk to a human being"):
        asyncio.run(agent.handle_message(UserMessage(text, sender_id=text)))
        tracker = asyncio.run(agent.processor.get_tracker(text))
        assert tracker.latest_message.text == text
        assert tracker.latest_message.intent["name"] in INTENTS
        predicted = [e for e in tracker.events if isinstance(e, ActionExecuted) and e.policy]
        assert any("TEDPolicy" in event.policy for event in predicted)


def test_two_fallbacks_are_warned_about_when_the_model_is_loaded(
    train_nlu: Callable[..., str],
) -> None:
    ours = {"name": CLASSIFIER, "emit_fallback": True}
    both = train_nlu([ours, {"name": "FallbackClassifier", "threshold": 0.5}])
    with pytest.warns(UserWarning, match="remove one of the two"):
        Agent.load(both)
    alone = train_nlu([ours])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Agent.load(alone)
    assert not any("remove one of the two" in str(each.message) for each in caught)
