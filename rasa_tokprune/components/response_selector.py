"""The Rasa response selector. Its import path is stored in trained models: never move it."""

from __future__ import annotations

import re
import warnings
from typing import Any, Dict, List, Optional, Text, Tuple, Type

import rasa.shared.utils.io
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import RESPONSE_SELECTOR_DEFAULT_INTENT
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.config.encoder import ENCODER_DEFAULTS, EncoderSettings
from rasa_tokprune.components.config.selection import SELECTION_DEFAULTS, SelectionSettings
from rasa_tokprune.components.encoder_access import open_encoder, read_if_stored
from rasa_tokprune.components.errors import as_rasa_errors
from rasa_tokprune.components.features import messages_of
from rasa_tokprune.components.fingerprint import fingerprint_addon, is_placeholder
from rasa_tokprune.components.ranking import is_payload, rank
from rasa_tokprune.components.selection import Responses, set_selection
from rasa_tokprune.components.trained import Restored, restore_trained, store_trained
from rasa_tokprune.components.training import (
    Learner,
    labelled_examples,
    shown,
    train_prototypes,
)
from rasa_tokprune.components.training_log import log_training
from rasa_tokprune.errors import did_you_mean
from rasa_tokprune.monitoring.watch import Watch

LEARNER = Learner("TokPruneResponseSelector", "tokprune_response_selector", INTENT_RESPONSE_KEY)
# How Rasa's validator begins when a bot has retrieval intents and its own class is not there.
_WRONG_WARNING = "You have defined training data with examples for training a response selector"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TokPruneResponseSelector(GraphComponent):
    """Selects responses of retrieval intents by prototypes of token-pruned sentence embeddings.

    Needs no other component. After a `TokPruneFeaturizer` or `TokPruneIntentClassifier` with the
    same encoder it reuses that one's vectors instead of encoding again.
    """

    @classmethod
    def required_components(cls) -> List[Type]:
        """Returns nothing: the selector reads the text itself.

        Rasa asks this of the components of a pipeline right before it compares the pipeline with
        the training data. There it looks for its own class alone, and would tell the user to add
        a ResponseSelector beside this one.
        """
        warnings.filterwarnings("ignore", message=re.escape(_WRONG_WARNING))
        return []

    @staticmethod
    def required_packages() -> List[Text]:
        """Returns the packages whose versions decide the embeddings."""
        return ["tokenizers", "safetensors"]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Returns the flat default configuration; see docs/components/response-selector.md."""
        return {**ENCODER_DEFAULTS, **SELECTION_DEFAULTS}

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """Checks the configuration and returns what Rasa's cache key would miss."""
        if is_placeholder(config):
            return None
        with as_rasa_errors(cls.__name__):
            return fingerprint_addon(cls._check_config(config)[0])

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TokPruneResponseSelector:
        """Returns an untrained selector."""
        return cls(config, model_storage, resource)

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        restored: Optional[Restored] = None,
        responses: Optional[Responses] = None,
    ) -> None:
        """Checks the configuration; without prototypes nothing is ever selected."""
        with as_rasa_errors(type(self).__name__):
            self._settings, self._selection = self._check_config(config)
        self._model_storage = model_storage
        self._resource = resource
        self._encoder = None if restored is None else restored.encoder
        self._prototypes = None if restored is None else restored.prototypes
        self._watch = Watch() if restored is None else restored.watch
        self._responses = responses or Responses([], [], {})

    def train(self, training_data: TrainingData) -> Resource:
        """Fits prototypes of the full retrieval keys and stores them with their responses."""
        intent = self._selection.retrieval_intent
        labelled = [
            example
            for example in labelled_examples(training_data)
            if example.get(INTENT_RESPONSE_KEY) and intent in (None, example.get(INTENT))
        ]
        self._prototypes, self._responses = None, Responses.of(training_data, [])
        if not labelled:
            _warn_of_nothing(intent, self._responses.retrieval_intents)
            return self._resource
        with as_rasa_errors(type(self).__name__):
            encoder = self._encoder or open_encoder(self._settings, may_download=True)
            trained = train_prototypes(labelled, encoder, self._selection.decisions, LEARNER)
            if trained is None:
                return self._resource
            responses = Responses.of(training_data, trained.classifier.classes)
            _warn_of_missing(trained.classifier.classes, responses)
            with self._model_storage.write_to(self._resource) as folder:
                store_trained(trained, encoder, self._settings, folder)
                responses.save(folder)
        self._encoder, self._prototypes = encoder, trained.classifier
        self._responses = responses
        log_training(trained, encoder, LEARNER)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Sets the selected response and the ranking of every message."""
        selector = self._selection.retrieval_intent or RESPONSE_SELECTOR_DEFAULT_INTENT
        for message in messages:
            set_selection(message, selector, [], self._responses)
        if self._prototypes is None or self._encoder is None:
            return messages
        length = self._selection.decisions.ranking_length or None
        # Rasa drops what was selected for a payload.
        names = self._responses.intents
        asked = [message for message in messages if not is_payload(message.get(TEXT), names)]
        rankings = rank(self._prototypes, messages_of(asked, self._encoder), length)
        for message, ranking in zip(asked, self._watch.rankings(rankings)):
            set_selection(message, selector, ranking, self._responses)
        self._watch.cache(self._encoder)
        return messages

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TokPruneResponseSelector:
        """Returns the trained selector; an untrained one if nothing was stored.

        Raises:
            TokPruneComponentError: If the stored prototypes belong to another encoder, plan or
                major version of this package.
        """
        with read_if_stored(model_storage, resource) as folder, as_rasa_errors(cls.__name__):
            if folder is None:  # a bot without retrieval intents
                return cls(config, model_storage, resource)
            restored = restore_trained(cls._check_config(config)[0], folder, cls.__name__)
            responses = Responses.load(folder)
        return cls(config, model_storage, resource, restored, responses)

    @classmethod
    def _check_config(cls, config: Dict[Text, Any]) -> Tuple[EncoderSettings, SelectionSettings]:
        settings = EncoderSettings.from_config(config, list(SELECTION_DEFAULTS))
        return settings, SelectionSettings.from_config(config)


def _warn_of_nothing(intent: Optional[str], known: List[str]) -> None:
    wanted = "a retrieval intent" if intent is None else f"retrieval_intent '{intent}'"
    advice = did_you_mean(intent, known) if intent is not None else ""
    rasa.shared.utils.io.raise_warning(
        f"TokPruneResponseSelector: the training data holds no example of {wanted}, such as "
        f"'{intent or 'faq'}/ask_name'; no response will be selected.{advice}"
    )


def _warn_of_missing(keys: Tuple[str, ...], responses: Responses) -> None:
    missing = [f"utter_{key}" for key in keys if f"utter_{key}" not in responses.by_action]
    if missing:
        rasa.shared.utils.io.raise_warning(
            f"TokPruneResponseSelector: {len(missing)} of {len(keys)} retrieval keys have no "
            f"response: {shown(missing)}. Add them to the domain's responses."
        )
