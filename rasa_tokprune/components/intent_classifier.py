"""The Rasa intent classifier. Its import path is stored in trained models: never move it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Text, Tuple, Type

import rasa.shared.utils.io
import structlog
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import (
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RESPONSE_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.config import ENCODER_DEFAULTS, EncoderSettings
from rasa_tokprune.components.config_checks import check_ranking_length
from rasa_tokprune.components.encoder_access import (
    check_fingerprint,
    check_version,
    fingerprint_addon,
    is_placeholder,
    open_encoder,
    provenance,
    read_if_stored,
    restore_encoder,
    store_encoder,
)
from rasa_tokprune.components.errors import as_rasa_errors
from rasa_tokprune.components.features import text_embeddings
from rasa_tokprune.encoder.cache import CacheInfo
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.fewshot import PrototypeClassifier, load_prototypes, save_prototypes

logger = structlog.get_logger(__name__)

INTENT_RANKING_KEY = "intent_ranking"
RANKING_LENGTH = "ranking_length"
DEFAULT_RANKING_LENGTH = 10
# Texts after which the cache's hit rate is logged; then after ten times as many, and so on.
FIRST_CACHE_REPORT = 1000


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TokPruneIntentClassifier(IntentClassifier, GraphComponent):
    """Classifies intents by prototypes of token-pruned sentence embeddings.

    Needs no other component. After a `TokPruneFeaturizer` with the same encoder it reuses
    that one's vectors instead of encoding again.
    """

    @classmethod
    def required_components(cls) -> List[Type]:
        """Returns nothing: the classifier reads the text itself."""
        return []

    @staticmethod
    def required_packages() -> List[Text]:
        """Returns the packages whose versions decide the embeddings."""
        return ["tokenizers", "safetensors"]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Returns the flat default configuration; see docs/configuration.md."""
        return {**ENCODER_DEFAULTS, RANKING_LENGTH: DEFAULT_RANKING_LENGTH}

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """Checks the configuration and returns what Rasa's cache key would miss."""
        if is_placeholder(config):
            return None
        with as_rasa_errors(cls.__name__):
            settings, _ = cls._check_config(config)
            return fingerprint_addon(settings)

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TokPruneIntentClassifier:
        """Returns an untrained classifier."""
        return cls(config, model_storage, resource)

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        encoder: Optional[Encoder] = None,
        prototypes: Optional[PrototypeClassifier] = None,
    ) -> None:
        """Checks the configuration; without prototypes every answer is no intent."""
        with as_rasa_errors(type(self).__name__):
            self._settings, self._ranking_length = self._check_config(config)
        self._model_storage = model_storage
        self._resource = resource
        self._encoder = encoder
        self._prototypes = prototypes
        self._next_cache_report = FIRST_CACHE_REPORT

    def train(self, training_data: TrainingData) -> Resource:
        """Fits one prototype per intent, or per full key of a retrieval intent, and stores them."""
        examples = [
            example
            for example in training_data.intent_examples
            if example.get(INTENT) and (example.get(TEXT) or "").strip()
        ]
        if not examples:
            rasa.shared.utils.io.raise_warning(
                f"{type(self).__name__}: the training data holds no example with an intent; "
                f"every message will be classified as no intent."
            )
            self._prototypes = None
            return self._resource
        with as_rasa_errors(type(self).__name__):
            encoder = self._encoder or open_encoder(self._settings, may_download=True)
            is_quiet = rasa.shared.utils.io.is_logging_disabled()
            embeddings = text_embeddings(examples, encoder, show_progress=not is_quiet)
            prototypes = PrototypeClassifier.fit(
                embeddings,
                labels=[example.get(INTENT) for example in examples],
                keys=[
                    example.get(INTENT_RESPONSE_KEY) or example.get(INTENT) for example in examples
                ],
            )
            self._persist(encoder, prototypes)
        self._encoder, self._prototypes = encoder, prototypes
        logger.info(
            "tokprune_intent_classifier.trained",
            examples=len(examples),
            intents=len(prototypes.classes),
            prototypes=len(prototypes.keys),
            plan=encoder.plan.name,
        )
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Sets intent and intent ranking of every message."""
        if self._prototypes is None or self._encoder is None:
            for message in messages:
                self._set_ranking(message, [])
            return messages
        embeddings = text_embeddings(messages, self._encoder)
        for message, embedding in zip(messages, embeddings):
            has_content = bool(embedding.any())
            ranking = self._prototypes.rank(embedding) if has_content else []
            self._set_ranking(message, ranking)
        self._report_cache(self._encoder.cache_info())
        return messages

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TokPruneIntentClassifier:
        """Returns the trained classifier; an untrained one if nothing was stored.

        Raises:
            TokPruneComponentError: If the stored prototypes belong to another encoder, plan or
                major version of this package.
        """
        with read_if_stored(model_storage, resource) as folder, as_rasa_errors(cls.__name__):
            if folder is None:  # a bot without intents
                return cls(config, model_storage, resource)
            prototypes, stored = load_prototypes(folder)
            check_version(stored.get("plugin_version", "unknown"))
            encoder = restore_encoder(cls._check_config(config)[0], folder)
            check_fingerprint(encoder, stored.get("encoder_fingerprint", "unknown"))
        return cls(config, model_storage, resource, encoder, prototypes)

    def _persist(self, encoder: Encoder, prototypes: PrototypeClassifier) -> None:
        with self._model_storage.write_to(self._resource) as folder:
            save_prototypes(prototypes, folder, provenance(encoder))
            store_encoder(encoder, self._settings, folder)

    def _report_cache(self, info: CacheInfo) -> None:
        if info.max_size and info.hits + info.misses >= self._next_cache_report:
            self._next_cache_report *= 10
            logger.info(
                "tokprune_intent_classifier.cache",
                texts=info.hits + info.misses,
                hit_rate=round(info.hit_rate, 3),
                size=info.size,
            )

    def _set_ranking(self, message: Message, ranking: List[Any]) -> None:
        """Writes Rasa's dictionaries; builtin types only, they become JSON."""
        entries = [
            {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: confidence}
            for name, confidence in ranking
        ]
        shown = entries[: self._ranking_length] if self._ranking_length else entries
        best = {INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}
        message.set(INTENT, dict(entries[0]) if entries else best, add_to_output=True)
        message.set(INTENT_RANKING_KEY, shown, add_to_output=True)

    @classmethod
    def _check_config(cls, config: Dict[Text, Any]) -> Tuple[EncoderSettings, int]:
        settings = EncoderSettings.from_config(config, [RANKING_LENGTH])
        return settings, check_ranking_length(config, DEFAULT_RANKING_LENGTH)
