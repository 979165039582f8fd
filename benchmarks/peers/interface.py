"""What a peer must do."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Protocol, Sequence, Tuple

# Intent, None if it finds none, and confidence: higher is surer, on any scale.
Answer = Tuple[Optional[str], float]


class Peer(Protocol):
    """One way to find the intent of a message. It learns in one process and answers in another."""

    def fit(self, texts: Sequence[str], labels: Sequence[str], folder: Path) -> None:
        """Learns from examples and leaves in an empty folder what `load` needs."""

    def load(self, folder: Path) -> None:
        """Gets ready to answer."""

    def answer(self, text: str) -> Answer:
        """Returns the likeliest intent of a message, also where the peer would hold it back."""
