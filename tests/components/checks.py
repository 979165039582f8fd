"""Small steps that many component tests take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector

# What Rasa's own selector says when it has not been trained.
NOTHING = {
    "response": {
        "responses": None,
        "confidence": 0.0,
        "intent_response_key": None,
        "utter_action": "utter_None",
    },
    "ranking": [],
}


def edit_json(path: Path, change: Callable[[Dict[str, Any]], Any]) -> None:
    """Changes the content of a JSON file in place."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def one_line(error: pytest.ExceptionInfo[RasaException]) -> str:
    """Returns the message of an error after checking that it is one line."""
    message = str(error.value)
    assert "\n" not in message
    return message


def parse(classifier: TokPruneIntentClassifier, *texts: Any) -> List[Message]:
    """Returns one processed message per text."""
    return classifier.process([Message({TEXT: text}) for text in texts])


def names(message: Message) -> List[str]:
    """Returns the intents of a message's ranking, in its order."""
    return [entry["name"] for entry in message.get("intent_ranking")]


def select(component: TokPruneResponseSelector, *texts: Any) -> List[Dict[str, Any]]:
    """Returns what a selector writes on one message per text."""
    messages = component.process([Message({TEXT: text}) for text in texts])
    return [message.get("response_selector") for message in messages]


def keys(selection: Dict[str, Any]) -> List[str]:
    """Returns the full keys of one selector's ranking, in its order."""
    return [entry["intent_response_key"] for entry in selection["ranking"]]
