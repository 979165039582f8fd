"""Sentence vectors on Rasa messages, marked with the encoder that made them."""

from __future__ import annotations

from typing import List, Optional, Sequence, Text

import numpy as np
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.fewshot import Messages


class TokPruneFeatures(Features):
    """Features that know which encoder, plan and length made them."""

    def __init__(
        self,
        features: np.ndarray,
        feature_type: Text,
        attribute: Text,
        origin: Text,
        encoder_fingerprint: str,
        text: str,
    ) -> None:
        """Adds to Rasa's Features the encoder's fingerprint and the text that was encoded."""
        super().__init__(features, feature_type, attribute, origin)
        self.encoder_fingerprint = encoder_fingerprint
        self.text = text


def messages_of(
    messages: Sequence[Message], encoder: Encoder, show_progress: bool = False
) -> Messages:
    """Returns both views of the messages' texts; see `text_embeddings`."""
    texts = [message.get(TEXT) or "" for message in messages]
    embeddings = text_embeddings(messages, encoder, show_progress)
    return Messages(embeddings, texts, encoder.readable_shares(texts))


def text_embeddings(
    messages: Sequence[Message], encoder: Encoder, show_progress: bool = False
) -> np.ndarray:
    """Returns one sentence embedding per message's text, (n_messages, embedding_size).

    Vectors that a TokPruneFeaturizer with the same encoder left on a message are reused, unless a
    component in between changed the text; the others are encoded in one go. Text without content
    (blank, only control characters) and absent text give zeros.
    """
    embeddings = np.zeros((len(messages), encoder.embedding_size), dtype=np.float32)
    missing: List[int] = []
    for row, message in enumerate(messages):
        known = _known_embedding(message, encoder.fingerprint)
        if known is None:
            missing.append(row)
        else:
            embeddings[row] = known
    if missing:
        texts = [messages[row].get(TEXT) or "" for row in missing]
        embeddings[missing] = encoder.encode(texts, show_progress=show_progress, zero_blank=True)
    return embeddings


def _known_embedding(message: Message, encoder_fingerprint: str) -> Optional[np.ndarray]:
    for features in message.features:
        if (
            isinstance(features, TokPruneFeatures)
            and features.encoder_fingerprint == encoder_fingerprint
            and features.attribute == TEXT
            and features.text == message.get(TEXT)
            and features.type == FEATURE_TYPE_SENTENCE
        ):
            return np.asarray(features.features[0])
    return None
