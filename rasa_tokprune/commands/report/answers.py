"""What a bot answers to a message."""

from __future__ import annotations

import dataclasses
from typing import Optional

from rasa_tokprune.fewshot.certificate.outcome import FALLBACK
from rasa_tokprune.fewshot.support import NO_SOURCE


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a bot answers to a message.

    Attributes:
        text: The message.
        source: Where it is from: training, test or log.
        intent: The right intent; None if nobody says.
        predicted: The best intent; None for a message without content.
        confidence: Of that, in [0, 1].
        is_accepted: Whether it reaches the operating point.
        example: Number of the example that it is, held out; -1 if it is none.
    """

    text: str
    source: str
    intent: Optional[str]
    predicted: Optional[str]
    confidence: float
    is_accepted: bool
    example: int = NO_SOURCE

    @property
    def action(self) -> str:
        """The intent that the bot acts on; below the operating point the fallback."""
        return self.predicted if self.is_accepted and self.predicted else FALLBACK

    @property
    def is_right(self) -> bool:
        """Whether the best intent is the right one."""
        return self.intent is not None and self.intent == self.predicted
