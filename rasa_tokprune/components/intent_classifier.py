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
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.auto_plan import (
    ChosenPlan,
    choose_plan,
    read_messages,
    store_certificate,
)
from rasa_tokprune.components.config.decisions import DECISION_DEFAULTS, DecisionSettings
from rasa_tokprune.components.config.encoder import ENCODER_DEFAULTS, EncoderSettings
from rasa_tokprune.components.encoder_access import open_encoder, read_if_stored
from rasa_tokprune.components.errors import as_rasa_errors
from rasa_tokprune.components.features import messages_of
from rasa_tokprune.components.fingerprint import fingerprint_addon, is_placeholder
from rasa_tokprune.components.ranking import (
    Ranked,
    is_payload,
    rank,
    set_ranking,
    warn_of_two_fallbacks,
    with_fallback,
)
from rasa_tokprune.components.shadow.compare import Shadow
from rasa_tokprune.components.shadow.stored import (
    restore_shadow,
    store_un_pruned,
    train_un_pruned,
)
from rasa_tokprune.components.trained import Restored, restore_trained, store_trained
from rasa_tokprune.components.training import (
    Learner,
    labelled_examples,
    train_prototypes,
)
from rasa_tokprune.components.training_log import log_training
from rasa_tokprune.encoder.cache import CacheInfo
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.errors import StorageError
from rasa_tokprune.explanation import explain
from rasa_tokprune.monitoring.watch import Watch

logger = structlog.get_logger(__name__)

LEARNER = Learner("TokPruneIntentClassifier", "tokprune_intent_classifier", INTENT)
EXPLANATION_KEY = "intent_explanation"
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
        """Returns the flat default configuration; see docs/components/intent-classifier.md."""
        return {**ENCODER_DEFAULTS, **DECISION_DEFAULTS}

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """Checks the configuration and returns what Rasa's cache key would miss."""
        if is_placeholder(config):
            return None
        with as_rasa_errors(cls.__name__):
            settings, decisions = cls._check_config(config)
            return fingerprint_addon(settings, read_messages(decisions.certify_on))

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
        restored: Optional[Restored] = None,
        shadow: Optional[Shadow] = None,
    ) -> None:
        """Checks the configuration; without prototypes every answer is no intent."""
        with as_rasa_errors(type(self).__name__):
            self._settings, self._decisions = self._check_config(config)
        self._model_storage = model_storage
        self._resource = resource
        self._encoder = None if restored is None else restored.encoder
        self._prototypes = None if restored is None else restored.prototypes
        self._examples = [] if restored is None else restored.examples
        self._watch = Watch() if restored is None else restored.watch
        self._shadow = shadow
        self._next_cache_report = FIRST_CACHE_REPORT

    def train(self, training_data: TrainingData) -> Resource:
        """Fits prototypes and confidences, cross-validates them and stores everything."""
        labelled = labelled_examples(training_data)
        self._prototypes = None
        if not labelled:
            rasa.shared.utils.io.raise_warning(
                "TokPruneIntentClassifier: the training data holds no example with an intent; "
                "every message will be classified as no intent."
            )
            return self._resource
        with as_rasa_errors(type(self).__name__):
            encoder, chosen = self._encoder_to_train(labelled)
            trained = train_prototypes(labelled, encoder, self._decisions, LEARNER)
            if trained is None:
                return self._resource
            un_pruned = train_un_pruned(labelled, encoder, self._settings, self._decisions)
            with self._model_storage.write_to(self._resource) as folder:
                store_trained(trained, encoder, self._settings, folder)
                store_certificate(chosen, folder)
                store_un_pruned(un_pruned, folder)
        self._encoder, self._prototypes = encoder, trained.classifier
        self._examples = trained.texts
        log_training(trained, encoder, LEARNER, None if chosen is None else str(chosen))
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        """Sets intent and intent ranking of every message."""
        for message in messages:
            self._answer(message, [])
        if self._prototypes is None or self._encoder is None:
            return messages
        length, explains = self._decisions.ranking_length or None, self._decisions.explain
        names = self._prototypes.classes
        asked = [each for each in messages if explains or not is_payload(each.get(TEXT), names)]
        ranked = rank(self._prototypes, messages_of(asked, self._encoder), length)
        rankings = list(self._watch.rankings(ranked))
        for message, ranking in zip(asked, rankings):
            self._answer(message, ranking)
            if explains:
                explanation = self.explain(message.get(TEXT) or "")
                message.set(EXPLANATION_KEY, explanation, add_to_output=True)
        if self._shadow is not None:
            self._shadow.ask([each.get(TEXT) or "" for each in asked], rankings)
        self._watch.cache(self._encoder)
        self._report_cache(self._encoder.cache_info())
        return messages

    def explain(self, text: str) -> Dict[Text, Any]:
        """Returns why a message is answered as it is; see `rasa_tokprune.explain`.

        Raises:
            TokPruneComponentError: If the classifier is not trained.
        """
        with as_rasa_errors(type(self).__name__):
            if self._prototypes is None or self._encoder is None:
                raise StorageError("the classifier is not trained, so it has nothing to explain")
            return explain(text, self._encoder, self._prototypes, self._examples)

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
        if config.get("emit_fallback"):
            warn_of_two_fallbacks(execution_context.graph_schema)
        with read_if_stored(model_storage, resource) as folder, as_rasa_errors(cls.__name__):
            if folder is None:  # a bot without intents
                return cls(config, model_storage, resource)
            settings, decisions = cls._check_config(config)
            restored = restore_trained(settings, folder, cls.__name__)
            shadow = restore_shadow(decisions, settings, restored.encoder, folder, restored.watch)
        return cls(config, model_storage, resource, restored, shadow)

    def _encoder_to_train(self, examples: List[Message]) -> Tuple[Encoder, Optional[ChosenPlan]]:
        """Returns the encoder, and with `prune: auto` why it is that one."""
        if self._encoder is not None:  # finetuning goes on with the encoder of the training
            return self._encoder, None
        if self._settings.prune != AUTO:
            return open_encoder(self._settings, may_download=True), None
        chosen = choose_plan(examples, self._settings, self._decisions)
        return chosen.encoder, chosen

    def _answer(self, message: Message, ranking: List[Ranked]) -> None:
        set_ranking(message, with_fallback(ranking) if self._decisions.emit_fallback else ranking)

    def _report_cache(self, info: CacheInfo) -> None:
        if info.max_size and info.hits + info.misses >= self._next_cache_report:
            self._next_cache_report *= 10
            logger.info(
                "tokprune_intent_classifier.cache",
                texts=info.hits + info.misses,
                hit_rate=round(info.hit_rate, 3),
                size=info.size,
            )

    @classmethod
    def _check_config(cls, config: Dict[Text, Any]) -> Tuple[EncoderSettings, DecisionSettings]:
        settings = EncoderSettings.from_config(config, list(DECISION_DEFAULTS))
        return settings, DecisionSettings.from_config(config)
