"""Sentence vectors on Rasa messages, marked with the encoder that made them."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Text, Tuple

import numpy as np
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.fewshot import Messages

# Attribute of a message object: what its text was encoded to, by the encoder's fingerprint. Other
# components, Rasa's fingerprints and what a parse returns look at a message's data and features.
_VECTORS = "_tokprune_vectors"


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

    Vectors that a component with the same encoder left on a message are reused, unless one in
    between changed the text; the others are encoded in one go, and left there in turn. Text without
    content (blank, only control characters) and absent text give zeros.
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
        for row, text in zip(missing, texts):
            _vectors_on(messages[row])[encoder.fingerprint] = (text, embeddings[row])
    return embeddings


def _vectors_on(message: Message) -> Dict[str, Tuple[str, np.ndarray]]:
    """Returns the texts and their vectors that lie on a message, by encoder."""
    vectors: Dict[str, Tuple[str, np.ndarray]] = vars(message).setdefault(_VECTORS, {})
    return vectors


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
    text, embedding = _vectors_on(message).get(encoder_fingerprint, ("", None))
    return embedding if text == (message.get(TEXT) or "") else None
