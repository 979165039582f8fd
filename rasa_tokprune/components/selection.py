"""Writes a selected response into a Rasa message, under the keys of Rasa's own ResponseSelector."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from rasa.nlu.constants import (
    RESPONSE_SELECTOR_PREDICTION_KEY,
    RESPONSE_SELECTOR_PROPERTY_NAME,
    RESPONSE_SELECTOR_RANKING_KEY,
    RESPONSE_SELECTOR_RESPONSES_KEY,
    RESPONSE_SELECTOR_RETRIEVAL_INTENTS,
    RESPONSE_SELECTOR_UTTER_ACTION_KEY,
)
from rasa.shared.constants import UTTER_PREFIX
from rasa.shared.nlu.constants import INTENT_RESPONSE_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.ranking import Ranked
from rasa_tokprune.errors import StorageError

RESPONSES_FILE = "responses.json"


@dataclasses.dataclass(frozen=True)
class Responses:
    """What can be answered.

    Attributes:
        intents: All of the bot.
        retrieval_intents: Those of them that have full keys, whichever this selector answers.
        by_action: The variants of each response, by `utter_faq/ask_name`.
    """

    intents: List[str]
    retrieval_intents: List[str]
    by_action: Dict[str, List[Dict[str, Any]]]

    @classmethod
    def of(cls, training_data: TrainingData, keys: Sequence[str]) -> Responses:
        """Returns the responses to full retrieval keys; those without any are left out."""
        actions = sorted({f"{UTTER_PREFIX}{key}" for key in keys})
        found = {action: training_data.responses.get(action) for action in actions}
        return cls(
            sorted(intent for intent in training_data.intents if intent),
            sorted(intent for intent in training_data.retrieval_intents if intent),
            {action: list(responses) for action, responses in found.items() if responses},
        )

    def to(self, key: str) -> List[Dict[str, Any]]:
        """Returns the responses to a full retrieval key; without any, as Rasa does, the key."""
        return self.by_action.get(f"{UTTER_PREFIX}{key}") or [{TEXT: key}]

    def save(self, folder: Path) -> None:
        """Writes them to a component's folder.

        Raises:
            StorageError: If the folder cannot be written.
        """
        try:
            # YAML knows dates, JSON does not.
            text = json.dumps(dataclasses.asdict(self), indent=1, default=str)
            (folder / RESPONSES_FILE).write_text(text, encoding="utf-8")
        except OSError as error:
            raise StorageError(
                f"responses cannot be written to '{folder}': {error.strerror}; "
                f"check that there is space and permission to write"
            ) from error

    @classmethod
    def load(cls, folder: Path) -> Responses:
        """Reads what `save` wrote.

        Raises:
            StorageError: If it is missing or damaged.
        """
        path = folder / RESPONSES_FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            intents, retrieval_intents = (
                [str(intent) for intent in content[kind]]
                for kind in ("intents", "retrieval_intents")
            )
            by_action = {
                str(action): [dict(response) for response in responses]
                for action, responses in content["by_action"].items()
            }
            return cls(intents, retrieval_intents, by_action)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StorageError(
                f"'{path}' cannot be read ({type(error).__name__}: {error}); train again"
            ) from error


def set_selection(
    message: Message, selector: str, ranking: Sequence[Ranked], known: Responses
) -> None:
    """Writes Rasa's dictionaries beside those of other selectors; they become JSON.

    Args:
        message: Is changed.
        selector: Its key in the output: the retrieval intent, or `default`.
        ranking: Full retrieval keys, best first; of nothing, nothing is selected.
        known: What can be answered.
    """
    key: Optional[str]
    key, confidence = ranking[0] if ranking else (None, 0.0)
    entries = [{PREDICTED_CONFIDENCE_KEY: own, INTENT_RESPONSE_KEY: name} for name, own in ranking]
    prediction = {
        RESPONSE_SELECTOR_RESPONSES_KEY: None if key is None else known.to(key),
        PREDICTED_CONFIDENCE_KEY: confidence,
        INTENT_RESPONSE_KEY: key,
        RESPONSE_SELECTOR_UTTER_ACTION_KEY: f"{UTTER_PREFIX}{key}",  # 'utter_None': as Rasa says it
    }
    properties = dict(message.get(RESPONSE_SELECTOR_PROPERTY_NAME) or {})
    # An untrained selector knows of no intents; another one may.
    if known.retrieval_intents or RESPONSE_SELECTOR_RETRIEVAL_INTENTS not in properties:
        properties[RESPONSE_SELECTOR_RETRIEVAL_INTENTS] = list(known.retrieval_intents)
    properties[selector] = {
        RESPONSE_SELECTOR_PREDICTION_KEY: prediction,
        RESPONSE_SELECTOR_RANKING_KEY: entries,
    }
    message.set(RESPONSE_SELECTOR_PROPERTY_NAME, properties, add_to_output=True)
