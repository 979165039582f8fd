"""Messages as the few-shot classifier sees them: embedded, and as they were written."""

from __future__ import annotations

import dataclasses
from typing import Iterator, Optional, Protocol, Sequence, Tuple, Union

import numpy as np

# A message of which the encoder reads less is one that it cannot read.
HARDLY_READABLE = 0.5
# Pieces of a word on average; 1.1 to 1.3 in English bots, 2 and more in languages that the encoder
# was not trained on.
MANY_PIECES = 1.8
# Messages that are decided together, and numbers in a matrix of messages and prototypes: more would
# leave the processor's caches, and take memory.
_MOST_MESSAGES, _MOST_NUMBERS = 256, 1_000_000


class TextEncoder(Protocol):
    """What makes embeddings, such as `rasa_tokprune.Encoder`."""

    def encode(self, texts: Sequence[str], *, zero_blank: bool = False) -> np.ndarray:
        """Returns embeddings, (n_texts, d)."""

    def read(
        self, texts: Sequence[str], *, zero_blank: bool = False
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Returns embeddings, (n_texts, d), and the share of each that it can read, (n_texts,)."""


@dataclasses.dataclass(frozen=True)
class Messages:
    """Some messages.

    Attributes:
        embeddings: (n_messages, d), any scale; zeros stand for a message without content.
        texts: (n_messages,); None leaves the lexical view out.
        readable: Share of each text that the encoder can read, in [0, 1], (n_messages,); None: all
            of it.
    """

    embeddings: np.ndarray
    texts: Optional[Sequence[str]] = None
    readable: Optional[np.ndarray] = None

    @classmethod
    def encoded(cls, texts: Sequence[str], encoder: TextEncoder) -> Messages:
        """Returns texts with their embeddings; zeros where there is no content."""
        embeddings, readable = encoder.read(texts, zero_blank=True)
        return cls(embeddings, list(texts), readable)

    def __len__(self) -> int:
        """Returns the number of messages."""
        return len(self.embeddings)

    def take(self, rows: Union[np.ndarray, slice]) -> Messages:
        """Returns some of them, by their numbers."""
        texts: Optional[Sequence[str]] = None
        if self.texts is not None:
            if isinstance(rows, slice):
                texts = self.texts[rows]
            else:
                texts = [self.texts[row] for row in rows]
        readable = None if self.readable is None else self.readable[rows]
        return Messages(self.embeddings[rows], texts, readable)

    @property
    def shares(self) -> np.ndarray:
        """Share of each message that the encoder can read, in [0, 1], (n_messages,)."""
        return np.ones(len(self)) if self.readable is None else np.asarray(self.readable)

    def text(self, row: int) -> Optional[str]:
        """Returns the text of a message, if there are texts."""
        return None if self.texts is None else self.texts[row]

    def readable_share(self, row: int) -> float:
        """Returns the share of a message that the encoder can read."""
        return 1.0 if self.readable is None else float(self.readable[row])


def parts(n_messages: int, n_columns: int) -> Iterator[slice]:
    """Yields parts of some messages that are small enough to be worked on together.

    Args:
        n_messages: How many there are.
        n_columns: Numbers that each of them takes in a matrix.
    """
    size = min(_MOST_MESSAGES, max(1, _MOST_NUMBERS // n_columns))
    for start in range(0, n_messages, size):
        yield slice(start, min(start + size, n_messages))
