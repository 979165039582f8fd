"""Sentence vectors on Rasa messages, marked with the encoder that made them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Text, Tuple

import numpy as np
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.encoder.cache import Reading
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.fewshot import Messages
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts

# Texts -> embeddings, and the share of each text that can be read.
Read = Callable[[Sequence[str]], Tuple[np.ndarray, np.ndarray]]
# Attribute of a message object: what its text was encoded to, by the encoder's fingerprint. Other
# components, Rasa's fingerprints and what a parse returns look at a message's data and features.
_READINGS = "_tokprune_readings"
# Of Rasa, which has no name for them in all of its versions: where its cache is, and how large.
_CACHE_FOLDER, _CACHE_SIZE = "RASA_CACHE_DIRECTORY", "RASA_MAX_CACHE_SIZE"
_DEFAULT_CACHE = ".rasa/cache"
# In Rasa's cache. Files of so many encoders are kept, and in a file other texts up to this number.
_KEPT_FOLDER, _KEPT_ENCODERS, _KEPT_TEXTS = "rasa_tokprune", 6, 50_000


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
    messages: Sequence[Message], encoder: Encoder, read: Optional[Read] = None
) -> Messages:
    """Returns both views of the messages' texts.

    Vectors that a component with the same encoder left on a message are reused, unless one in
    between changed the text; the others are encoded in one go, and left there in turn. Text without
    content (blank, only control characters) and absent text give zeros.

    Args:
        messages: Any number.
        encoder: What encodes.
        read: What encodes in its place, such as `read_kept`.
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
        found = encoder.read(own, zero_blank=True) if read is None else read(own)
        embeddings[missing], readable[missing] = found
        for row in missing:
            reading = Reading(embeddings[row], float(readable[row]))
            _readings_on(messages[row])[encoder.fingerprint] = (texts[row], reading)
    return Messages(embeddings, texts, readable)


def read_kept(
    texts: Sequence[str], encoder: Encoder, show_progress: bool
) -> Tuple[np.ndarray, np.ndarray]:
    """Returns what `Encoder.read` does; training examples that were encoded before are not again.

    Their embeddings lie in Rasa's cache, if a bot has one, by the encoder's fingerprint and the
    text's hash: a bot that gained ten examples encodes ten.
    """
    store = EmbeddingStore(_kept_folder())
    progress_name = "Encoding" if show_progress else None
    found = embed_texts(encoder, texts, store, progress_name, most=_KEPT_TEXTS)
    store.keep_latest(_KEPT_ENCODERS)
    return np.stack([found[text] for text in texts]), encoder.readable_shares(texts)


def _kept_folder() -> Optional[Path]:
    """Returns where embeddings are kept; None for a bot without Rasa's cache."""
    cache = Path(os.environ.get(_CACHE_FOLDER, _DEFAULT_CACHE))
    is_off = os.environ.get(_CACHE_SIZE, "").strip() in ("0", "0.0")
    return None if is_off or not cache.is_dir() else cache / _KEPT_FOLDER


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
