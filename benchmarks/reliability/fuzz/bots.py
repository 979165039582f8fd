"""The three components, made and trained as Rasa's graph does it, without Rasa's command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Type

from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
from rasa.shared.nlu.constants import INTENT_RESPONSE_KEY, RESPONSE, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector

COMPONENTS: List[Type[GraphComponent]] = [
    TokPruneFeaturizer,
    TokPruneIntentClassifier,
    TokPruneResponseSelector,
]
_INTENTS = {
    "greet": ["hello there", "good morning", "hello and good morning"],
    "bye": ["goodbye and see you soon", "see you", "thanks a lot, goodbye"],
    "cancel": ["please cancel the order", "I want to cancel my order", "cancel it"],
    "faq/parcel": ["where is my parcel", "when will my parcel arrive"],
    "faq/shipping": ["do you ship to Switzerland", "what does shipping cost"],
}


def training_data() -> TrainingData:
    """Returns a few examples of intents, and of a retrieval intent with its responses."""
    examples = []
    for intent, texts in _INTENTS.items():
        for text in texts:
            example = Message.build(text, intent=intent)
            if "/" in intent:
                example.set(INTENT_RESPONSE_KEY, intent)
                example.set(RESPONSE, f"An answer to {intent}.")
            examples.append(example)
    keys = [intent for intent in _INTENTS if "/" in intent]
    return TrainingData(
        examples, responses={f"utter_{key}": [{"text": f"An answer to {key}."}] for key in keys}
    )


def make(component: Type[GraphComponent], folder: Path, config: Dict[str, Any]) -> Any:
    """Returns an untrained component; `config` is merged over its defaults, as in a graph."""
    folder.mkdir(parents=True, exist_ok=True)
    return component.create(
        {**component.get_default_config(), **config},
        LocalModelStorage(folder),
        Resource(component.__name__),
        ExecutionContext(GraphSchema({}), model_id="model", node_name=component.__name__),
    )


class Bot:
    """All three components, trained."""

    def __init__(self, folder: Path, config: Dict[str, Any]) -> None:
        """Trains the components in a folder; all get the same configuration."""
        self.components = [make(each, folder, config) for each in COMPONENTS]
        self._tokenizer = WhitespaceTokenizer(WhitespaceTokenizer.get_default_config())
        for component in self.components:
            component.train(training_data())

    def messages(self, texts: List[str]) -> List[Message]:
        """Returns new messages, tokenized as the featurizer needs them."""
        return self._tokenizer.process([Message({TEXT: text}) for text in texts])

    def process(self, messages: List[Message]) -> List[Message]:
        """Runs messages through the components, one after the other, as a pipeline does."""
        for component in self.components:
            messages = component.process(messages)
        return messages
