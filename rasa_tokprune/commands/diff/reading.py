"""What a bot makes of one message, as far as two bots are compared."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Mapping, Optional, Tuple

from rasa_tokprune.fewshot.certificate.outcome import FALLBACK

KINDS = ("action", "intent", "entities", "answer")

Entity = Tuple[Tuple[str, Any], ...]
# Which extractor found an entity, and how sure it was, changes nothing for the bot.
_ENTITY_KEYS = ("entity", "start", "end", "value", "role", "group")


@dataclasses.dataclass(frozen=True)
class Reading:
    """What a bot makes of a message.

    Attributes:
        action: The intent that it takes, or FALLBACK.
        intent: The best intent, whether or not it is taken; None if there is none.
        confidence: Of that intent, in [0, 1].
        entities: What it found in the text, in order of place.
        answer: The retrieval intent in full, `faq/shipping`, where the bot takes one.
    """

    action: str
    intent: Optional[str]
    confidence: float
    entities: Tuple[Entity, ...] = ()
    answer: Optional[str] = None

    def changes(self, new: Reading) -> List[str]:
        """Returns in which of KINDS another reading of the same message differs.

        An answer counts where both bots give one: else the action says it all.
        """
        changed = [kind for kind in KINDS[:3] if getattr(self, kind) != getattr(new, kind)]
        both = self.answer is not None and new.answer is not None
        return [*changed, "answer"] if both and self.answer != new.answer else changed

    def is_right(self, label: str, *, is_fallback_right: bool) -> bool:
        """Returns whether the bot does what a label asks for.

        Args:
            label: An intent, or a retrieval intent in full; then the answer counts too.
            is_fallback_right: Whether a fallback is right as well, as for out-of-scope messages.
        """
        if self.action == FALLBACK:
            return is_fallback_right or label == FALLBACK
        if self.answer is not None and "/" in label:
            return self.answer == label
        return self.action == label.split("/")[0]

    def to_dict(self) -> Dict[str, Any]:
        """Returns it as JSON values."""
        entities = [dict(entity) for entity in self.entities]
        return {**dataclasses.asdict(self), "entities": entities}


def reading_of(parse: Mapping[str, Any], threshold: Optional[float]) -> Reading:
    """Returns what a parse comes to.

    Args:
        parse: Of `TrainedModel.parse`.
        threshold: Confidence under which the bot falls back; None where its FallbackClassifier
            has decided that already.
    """
    taken = parse.get("intent") or {}
    name = taken.get("name")
    best = taken
    if name == FALLBACK:
        others = [each for each in parse.get("intent_ranking") or [] if each["name"] != FALLBACK]
        best = others[0] if others else {}
    confidence = float(best.get("confidence") or 0.0)
    falls_back = name in (None, FALLBACK) or (threshold is not None and confidence < threshold)
    return Reading(
        action=FALLBACK if falls_back else str(name),
        intent=best.get("name"),
        confidence=confidence,
        entities=_entities_of(parse.get("entities") or []),
        answer=None if falls_back else taken.get("full_retrieval_intent_name"),
    )


def _entities_of(found: List[Mapping[str, Any]]) -> Tuple[Entity, ...]:
    entities = [tuple((key, each[key]) for key in _ENTITY_KEYS if key in each) for each in found]
    return tuple(sorted(entities, key=lambda entity: (dict(entity).get("start", 0), repr(entity))))
