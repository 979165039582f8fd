"""Remembers the embeddings of the latest texts: bots hear the same words again and again."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from typing import NamedTuple, Optional

import numpy as np


@dataclasses.dataclass(frozen=True)
class CacheInfo:
    """How a cache has served.

    Attributes:
        hits: Texts answered from it.
        misses: Texts that had to be encoded.
        size: Texts it holds.
        max_size: Texts it can hold.
    """

    hits: int
    misses: int
    size: int
    max_size: int

    @property
    def hit_rate(self) -> float:
        """Share of texts answered from the cache, 0.0 before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else 0.0


class Reading(NamedTuple):
    """What an encoder makes of one text.

    Attributes:
        embedding: (embedding_size,) float32.
        readable: Share of the text that the vocabulary knows, in [0, 1].
    """

    embedding: np.ndarray
    readable: float


# Longer texts are not remembered: they hardly come twice, and would decide what the cache weighs.
_LONGEST = 500


class EmbeddingCache:
    """Text -> reading, least recently used out first, of short texts; thread-safe."""

    def __init__(self, max_size: int) -> None:
        """Makes an empty cache for `max_size` texts, at least 1."""
        self._max_size = max_size
        self._readings: OrderedDict[str, Reading] = OrderedDict()
        self._lock = threading.Lock()
        self._hits = self._misses = 0

    def get(self, text: str) -> Optional[Reading]:
        """Returns what a text was read as, or None."""
        with self._lock:
            found = self._readings.get(text)
            if found is None:
                self._misses += 1
                return None
            self._hits += 1
            self._readings.move_to_end(text)
            return found

    def put(self, text: str, reading: Reading) -> None:
        """Remembers a copy of a reading."""
        if len(text) > _LONGEST:
            return
        with self._lock:
            self._readings[text] = Reading(reading.embedding.copy(), reading.readable)
            self._readings.move_to_end(text)
            if len(self._readings) > self._max_size:
                self._readings.popitem(last=False)

    def info(self) -> CacheInfo:
        """Returns how often it could answer."""
        with self._lock:
            return CacheInfo(self._hits, self._misses, len(self._readings), self._max_size)
