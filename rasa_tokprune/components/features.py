"""Sentence vectors on Rasa messages, marked with the encoder that made them."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence, Text, Tuple

import numpy as np
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.encoder.cache import Reading
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.fewshot import Messages

# Attribute of a message object: what its text was encoded to, by the encoder's fingerprint. Other
# components, Rasa's fingerprints and what a parse returns look at a message's data and features.
_READINGS = "_tokprune_readings"


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
        readable: float,
    ) -> None:
        """Adds to Rasa's Features the encoder's fingerprint and what was encoded.

        Args:
            features: As for `Features`.
            feature_type: As for `Features`.
            attribute: As for `Features`.
            origin: As for `Features`.
            encoder_fingerprint: Of the encoder with its plan.
            text: What it encoded.
            readable: Share of it that the encoder can read, in [0, 1].
        """
        super().__init__(features, feature_type, attribute, origin)
        self.encoder_fingerprint = encoder_fingerprint
        self.text = text
        self.readable = readable


def messages_of(
    messages: Sequence[Message], encoder: Encoder, show_progress: bool = False
) -> Messages:
    """Returns both views of the messages' texts.

    Vectors that a component with the same encoder left on a message are reused, unless one in
    between changed the text; the others are encoded in one go, and left there in turn. Text without
    content (blank, only control characters) and absent text give zeros.
    """
    texts = [message.get(TEXT) or "" for message in messages]
    embeddings = np.zeros((len(messages), encoder.embedding_size), dtype=np.float32)
    readable = np.zeros(len(messages))
    missing: List[int] = []
    for row, message in enumerate(messages):
        known = _known_reading(message, encoder.fingerprint)
        if known is None:
            missing.append(row)
        else:
            embeddings[row], readable[row] = known
    if missing:
        own = [texts[row] for row in missing]
        embeddings[missing], readable[missing] = encoder.read(
            own, show_progress=show_progress, zero_blank=True
        )
        for row in missing:
            reading = Reading(embeddings[row], float(readable[row]))
            _readings_on(messages[row])[encoder.fingerprint] = (texts[row], reading)
    return Messages(embeddings, texts, readable)


def _readings_on(message: Message) -> Dict[str, Tuple[str, Reading]]:
    """Returns the texts and what they were read as that lie on a message, by encoder."""
    readings: Dict[str, Tuple[str, Reading]] = vars(message).setdefault(_READINGS, {})
    return readings


def _known_reading(message: Message, encoder_fingerprint: str) -> Optional[Reading]:
    for features in message.features:
        if (
            isinstance(features, TokPruneFeatures)
            and features.encoder_fingerprint == encoder_fingerprint
            and features.attribute == TEXT
            and features.text == message.get(TEXT)
            and features.type == FEATURE_TYPE_SENTENCE
        ):
            return Reading(np.asarray(features.features[0]), features.readable)
    text, reading = _readings_on(message).get(encoder_fingerprint, ("", None))
    return reading if text == (message.get(TEXT) or "") else None
