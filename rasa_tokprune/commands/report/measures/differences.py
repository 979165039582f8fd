"""Where a second model answers otherwise: which messages, by which intents."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional, Sequence

from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK

# Messages that are listed; the counts are of all.
MOST_LISTED = 500


@dataclasses.dataclass(frozen=True)
class Differences:
    """How the answers of two models differ.

    Attributes:
        second: Name of the second model.
        messages: Which messages were compared, in words.
        n_messages: How many.
        n_changed: How many of them the second model acts on otherwise.
        n_labelled: Messages whose right intent is known.
        right_before: How many of those the first model acts on rightly.
        right_after: How many of those the second does.
        by_intent: For each action of the first model: `intent`, `n`, `n_changed` and `most_often`,
            what the second does instead.
        rows: Changed messages: `text`, `source`, `intent`, `before`, `after`, `confidence_before`,
            `confidence_after`, and `verdict`: better, worse or other.
    """

    second: str
    messages: str
    n_messages: int
    n_changed: int
    n_labelled: int
    right_before: int
    right_after: int
    by_intent: List[Dict[str, Any]]
    rows: List[Dict[str, Any]]


def compare(
    first: Sequence[Answer],
    second: Sequence[Answer],
    oos_labels: Sequence[str],
    name: str,
    messages: str,
) -> Differences:
    """Returns how two models' answers to the same messages differ.

    Args:
        first: Answers of the first model.
        second: Answers of the second one, in the same order.
        oos_labels: Intents that mean out-of-scope: to fall back is right there.
        name: Of the second model.
        messages: Which messages these are, in words.
    """
    rows: List[Dict[str, Any]] = []
    groups: Dict[str, List[Optional[str]]] = {}
    for old, new in zip(first, second):
        is_changed = old.action != new.action
        groups.setdefault(old.action, []).append(new.action if is_changed else None)
        if is_changed:
            rows.append(
                {
                    "text": old.text,
                    "source": old.source,
                    "intent": old.intent,
                    "before": old.action,
                    "after": new.action,
                    "confidence_before": round(old.confidence, 3),
                    "confidence_after": round(new.confidence, 3),
                    "verdict": _verdict(old, new, oos_labels),
                }
            )
    labelled = [each for each in zip(first, second) if each[0].intent is not None]
    rows.sort(key=lambda row: -max(row["confidence_before"], row["confidence_after"]))
    return Differences(
        second=name,
        messages=messages,
        n_messages=len(first),
        n_changed=len(rows),
        n_labelled=len(labelled),
        right_before=sum(_is_right(old, oos_labels) for old, _ in labelled),
        right_after=sum(_is_right(new, oos_labels) for _, new in labelled),
        by_intent=_by_intent(groups),
        rows=rows[:MOST_LISTED],
    )


def _is_right(answer: Answer, oos_labels: Sequence[str]) -> bool:
    if answer.intent in oos_labels:
        return answer.action == FALLBACK or answer.action in oos_labels
    return answer.action == answer.intent


def _verdict(old: Answer, new: Answer, oos_labels: Sequence[str]) -> str:
    was_right, is_right = (
        old.intent is not None and _is_right(each, oos_labels) for each in (old, new)
    )
    return "other" if was_right == is_right else "better" if is_right else "worse"


def _by_intent(groups: Dict[str, List[Optional[str]]]) -> List[Dict[str, Any]]:
    entries = []
    for intent, changed in groups.items():
        others = [action for action in changed if action is not None]
        most = max(set(others), key=lambda action: (others.count(action), action), default="")
        entries.append(
            {
                "intent": intent,
                "n": len(changed),
                "n_changed": len(others),
                "most_often": most,
            }
        )
    return sorted(entries, key=lambda entry: (-entry["n_changed"], entry["intent"]))
