"""What a bot does with a message: it takes the top intent, or falls back."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.fewshot.classifier import PrototypeClassifier
from rasa_tokprune.fewshot.messages import Messages

# The intent that Rasa's FallbackClassifier puts first. A bot may have examples of it, too.
FALLBACK = "nlu_fallback"


class Outcome(NamedTuple):
    """What a classifier makes of a message.

    Attributes:
        intent: The top intent.
        is_accepted: Whether its confidence reaches the operating point.
    """

    intent: str
    is_accepted: bool

    @property
    def action(self) -> str:
        """The intent the bot acts on; all intents below the operating point are one fallback."""
        return self.intent if self.is_accepted else FALLBACK


def outcomes_of(classifier: PrototypeClassifier, messages: Messages) -> List[Optional[Outcome]]:
    """Returns what becomes of each message, (n_messages,); None of one without content.

    Rasa falls back on messages without content, whatever the encoder.
    """
    found: List[Optional[Outcome]] = []
    has_content = messages.embeddings.any(axis=1).tolist()
    for has, decision in zip(has_content, classifier.decisions(messages)):
        if not has:
            found.append(None)
            continue
        best = int(decision.order[0])
        is_accepted = bool(decision.confidences[best] >= OPERATING_CONFIDENCE)
        found.append(Outcome(classifier.classes[best], is_accepted))
    return found
