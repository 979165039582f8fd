"""The Rasa featurizer. Its import path is stored in trained models: never move it."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Text, Type

import numpy as np
import rasa.shared.utils.io
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import DENSE_FEATURIZABLE_ATTRIBUTES, FEATURIZER_CLASS_ALIAS, TOKENS_NAMES
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.constants import (
    ACTION_TEXT,
    FEATURE_TYPE_SENTENCE,
    FEATURE_TYPE_SEQUENCE,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from tqdm import tqdm

from rasa_tokprune.components.alignment import align_to_words
from rasa_tokprune.components.config.checks import check_alias
from rasa_tokprune.components.config.encoder import ENCODER_DEFAULTS, EncoderSettings
from rasa_tokprune.components.encoder_access import (
    open_encoder,
    read_if_stored,
    restore_encoder,
    store_encoder,
)
from rasa_tokprune.components.errors import as_rasa_errors
from rasa_tokprune.components.features import TokPruneFeatures
from rasa_tokprune.components.fingerprint import fingerprint_addon, is_placeholder
from rasa_tokprune.components.ranking import is_payload, read_intents, store_intents
from rasa_tokprune.encoder.encoder import EncodedText, Encoder
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.monitoring.watch import watch

# Texts whose token states are held in memory at once during training.
_CHUNK_SIZE = 256


class _Field(NamedTuple):
    """One attribute of one message that gets features."""

    message: Message
    attribute: Text
    text: Text
    words: List[Token]


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class TokPruneFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds dense features of a token-pruned sentence encoder to text and responses.

    Sequence features: one row per word of the pipeline's tokenizer. Sentence features: the
    encoder's sentence embedding.
    """

    @classmethod
    def required_components(cls) -> List[Type]:
        """Returns the components that must stand before this one: any tokenizer."""
        return [Tokenizer]

    @staticmethod
    def required_packages() -> List[Text]:
        """Returns the packages whose versions decide the features."""
        return ["tokenizers", "safetensors"]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        """Returns the flat default configuration; see docs/components/featurizer.md."""
        return {**DenseFeaturizer.get_default_config(), **ENCODER_DEFAULTS}

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        """Raises InvalidConfigException if a key or a value is wrong."""
        with as_rasa_errors(cls.__name__):
            cls._check_config(config)

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """Checks the configuration and returns what Rasa's cache key would miss."""
        if is_placeholder(config):
            return None
        with as_rasa_errors(cls.__name__):
            return fingerprint_addon(cls._check_config(config))

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TokPruneFeaturizer:
        """Returns a featurizer with the configured encoder."""
        return cls(config, model_storage, resource, execution_context)

    def __init__(
        self,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        encoder: Optional[Encoder] = None,
        intents: Sequence[str] = (),
    ) -> None:
        """Checks the configuration; without `encoder` opens the configured one."""
        super().__init__(execution_context.node_name, config)
        with as_rasa_errors(type(self).__name__):
            self._settings = self._check_config(config)
            self._encoder = encoder or open_encoder(self._settings, may_download=True)
        self._model_storage = model_storage
        self._resource = resource
        self._intents = intents

    def train(self, training_data: TrainingData) -> Resource:
        """Stores which encoder, and if asked the encoder itself; there is nothing to fit."""
        self._intents = sorted(training_data.intents)
        with (
            self._model_storage.write_to(self._resource) as folder,
            as_rasa_errors(type(self).__name__),
        ):
            store_encoder(self._encoder, self._settings, folder)
            store_intents(self._intents, folder)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds features to text, responses and bot utterances of all training examples."""
        fields = _fields(training_data.training_examples, DENSE_FEATURIZABLE_ATTRIBUTES)
        self._featurize(fields, is_training=True)
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        """Adds features to the messages' texts; zeros to payloads, which Rasa answers itself."""
        texts = []
        for field in _fields(messages, (TEXT, ACTION_TEXT)):
            if is_payload(field.text, self._intents):
                self._add_nothing(field)
            else:
                texts.append(field)
        self._featurize(texts, is_training=False)
        return messages

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> TokPruneFeaturizer:
        """Returns the featurizer with the encoder of the training.

        Raises:
            TokPruneComponentError: If the encoder found here is another one.
        """
        encoder, intents = None, []
        with read_if_stored(model_storage, resource) as folder, as_rasa_errors(cls.__name__):
            if folder is not None:
                encoder = restore_encoder(cls._check_config(config), folder)
                encoder = watch(cls.__name__).encoder(encoder)
                intents = read_intents(folder)
        return cls(config, model_storage, resource, execution_context, encoder, intents)

    @classmethod
    def _check_config(cls, config: Dict[Text, Any]) -> EncoderSettings:
        check_alias(config.get(FEATURIZER_CLASS_ALIAS))
        if config.get("prune") == AUTO:
            raise ConfigError(
                f"prune: {AUTO} compares answers, which a featurizer does not give; set it on "
                f"TokPruneIntentClassifier, or name a plan here"
            )
        return EncoderSettings.from_config(config, [FEATURIZER_CLASS_ALIAS])

    def _featurize(self, fields: List[_Field], is_training: bool) -> None:
        by_text: Dict[Text, List[_Field]] = {}
        for field in fields:
            by_text.setdefault(field.text, []).append(field)
        texts = sorted(by_text, key=len)
        is_quiet = not is_training or rasa.shared.utils.io.is_logging_disabled()
        n_cut = 0
        with tqdm(total=len(texts), desc="Encoding", disable=is_quiet) as progress:
            for start in range(0, len(texts), _CHUNK_SIZE):
                chunk = texts[start : start + _CHUNK_SIZE]
                for text, encoded in zip(chunk, self._encoder.encode_detailed(chunk)):
                    n_cut += encoded.tokens.is_truncated
                    for field in by_text[text]:
                        self._add_encoded(field, encoded)
                progress.update(len(chunk))
        if n_cut and is_training:
            rasa.shared.utils.io.raise_warning(
                f"{type(self).__name__}: {n_cut} of {len(texts)} training texts are longer than "
                f"max_length ({self._encoder.max_length} tokens); the rest of each is not read "
                f"and its words get zero vectors."
            )

    def _add_encoded(self, field: _Field, encoded: EncodedText) -> None:
        spans = np.array([(word.start, word.end) for word in field.words])
        sequence = align_to_words(encoded.states, encoded.tokens.offsets, spans)
        # The model's vector of an empty text would look like content to classifiers.
        sentence = encoded.embedding * np.float32(encoded.tokens.has_content)
        self._add_features(field, sequence, sentence, encoded.tokens.readable_share)

    def _add_nothing(self, field: _Field) -> None:
        """Gives a payload the features of a text without content."""
        sequence = np.zeros((len(field.words), self._encoder.hidden_size), dtype=np.float32)
        sentence = np.zeros(self._encoder.embedding_size, dtype=np.float32)
        self._add_features(field, sequence, sentence, 0.0)

    def _add_features(
        self, field: _Field, sequence: np.ndarray, sentence: np.ndarray, readable: float
    ) -> None:
        for kind, array in (
            (FEATURE_TYPE_SEQUENCE, sequence),
            (FEATURE_TYPE_SENTENCE, sentence[None]),
        ):
            features = TokPruneFeatures(
                array,
                kind,
                field.attribute,
                self._identifier,
                self._encoder.fingerprint,
                field.text,
                readable,
            )
            field.message.add_features(features)


def _fields(messages: List[Message], attributes: Any) -> List[_Field]:
    """Returns what can get features: an attribute with text and at least one word."""
    return [
        _Field(
            message, attribute, str(message.get(attribute)), message.get(TOKENS_NAMES[attribute])
        )
        for message in messages
        for attribute in attributes
        if message.get(attribute) is not None and message.get(TOKENS_NAMES[attribute])
    ]
