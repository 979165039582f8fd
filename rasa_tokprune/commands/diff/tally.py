"""Counts what changed from one model to another, message by message."""

from __future__ import annotations

import collections
from typing import Any, Counter, Dict, List, Optional, Sequence, Tuple

import numpy as np
from scipy.stats import binomtest

from rasa_tokprune.commands.diff.log import Entry
from rasa_tokprune.commands.diff.reading import KINDS, Reading
from rasa_tokprune.fewshot.certificate import flip_bound
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK

BECAME, STOPPED = "became_fallback", "stopped_fallback"
ANY = "any"
COUNTED = (*KINDS, BECAME, STOPPED, ANY)
BOTH, LOST, GAINED, NEITHER = "both", "lost", "gained", "neither"
# Of the interval that is shown; gates go by a one-sided bound of the same confidence.
CONFIDENCE = 0.95
_QUANTILES = (0.05, 0.5, 0.95)
_LARGE_SHIFT = 0.1


class Tally:
    """What was counted; a message counts as often as it occurs in the log."""

    def __init__(self, n_examples: int) -> None:
        """Starts with nothing.

        Args:
            n_examples: Messages that are kept for each pair of actions.
        """
        self.n_messages = 0
        self.n_texts = 0
        self.counts: Counter[str] = collections.Counter()
        self.right: Counter[str] = collections.Counter()
        self._n_examples = n_examples
        self._pairs: Counter[Tuple[str, str]] = collections.Counter()
        self._examples: Dict[Tuple[str, str], List[str]] = {}
        self._of_action: Counter[str] = collections.Counter()
        self._shifts: List[float] = []
        self._weights: List[int] = []

    def add(self, entry: Entry, old: Reading, new: Reading) -> List[str]:
        """Counts a message and returns in which of KINDS it changed."""
        self.n_messages += entry.count
        self.n_texts += 1
        self._of_action[old.action] += entry.count
        changes = old.changes(new)
        kinds = list(changes)
        if changes:
            kinds.append(ANY)
        if "action" in changes:
            pair = (old.action, new.action)
            self._pairs[pair] += entry.count
            examples = self._examples.setdefault(pair, [])
            if len(examples) < self._n_examples:
                examples.append(entry.text)
            if FALLBACK in pair:
                kinds.append(STOPPED if old.action == FALLBACK else BECAME)
        for kind in kinds:
            self.counts[kind] += entry.count
        if old.intent is not None and old.intent == new.intent:
            self._shifts.append(new.confidence - old.confidence)
            self._weights.append(entry.count)
        return changes

    def add_label(self, entry: Entry, *, is_old_right: bool, is_new_right: bool) -> None:
        """Counts which model is right."""
        kind = {(True, True): BOTH, (True, False): LOST, (False, True): GAINED}.get(
            (is_old_right, is_new_right), NEITHER
        )
        self.right[kind] += entry.count

    def of(self, kind: str) -> int:
        """Returns how many messages changed in one of COUNTED, or were LOST."""
        return self.right[kind] if kind == LOST else self.counts[kind]

    def to_dict(self) -> Dict[str, Any]:
        """Returns everything as JSON values."""
        return {
            "messages": self.n_messages,
            "different_messages": self.n_texts,
            "changed": {kind: share_of(self.of(kind), self.n_messages) for kind in COUNTED},
            "actions": self.actions(),
            "by_intent": self._by_intent(),
            "confidence": self._confidence(),
            "labels": self._labels(),
        }

    def actions(self) -> List[Dict[str, Any]]:
        """Returns the pairs of actions that changed, the most frequent first."""
        return [
            {"old": old, "new": new, "messages": n, "examples": self._examples[old, new]}
            for (old, new), n in self._pairs.most_common()
        ]

    def _by_intent(self) -> List[Dict[str, Any]]:
        """Returns for each action of the old model how much of it changed, the most first."""
        changed: Counter[str] = collections.Counter()
        for (old, _), count in self._pairs.items():
            changed[old] += count
        return [
            {"old": action, **share_of(changed[action], n)}
            for action, n in sorted(
                self._of_action.items(), key=lambda item: (-changed[item[0]], -item[1], item[0])
            )
        ]

    def _confidence(self) -> Optional[Dict[str, Any]]:
        """Returns how confidence moved where the top intent stayed; None if it nowhere did."""
        if not self._shifts:
            return None
        shifts, weights = np.array(self._shifts), np.array(self._weights)
        order = np.argsort(shifts)
        cumulated = np.cumsum(weights[order]) / weights.sum()
        places = np.minimum(np.searchsorted(cumulated, _QUANTILES), len(order) - 1)
        low, median, high = (float(shifts[order[place]]) for place in places)
        is_large = np.abs(shifts) > _LARGE_SHIFT
        return {
            "same_intent": int(weights.sum()),
            "mean_shift": float(np.average(shifts, weights=weights)),
            "shift_5%": low,
            "median_shift": median,
            "shift_95%": high,
            f"moved_over_{_LARGE_SHIFT}": int(weights[is_large].sum()),
        }

    def _labels(self) -> Optional[Dict[str, Any]]:
        """Returns which model is right how often; None without labels."""
        if not self.right:
            return None
        lost, gained = self.right[LOST], self.right[GAINED]
        decided = lost + gained
        return {
            **{kind: self.right[kind] for kind in (BOTH, LOST, GAINED, NEITHER)},
            "old_accuracy": (self.right[BOTH] + lost) / self.n_messages,
            "new_accuracy": (self.right[BOTH] + gained) / self.n_messages,
            # McNemar's test, exact: how likely so uneven a split is if neither model is better.
            "p_value": float(binomtest(gained, decided).pvalue) if decided else 1.0,
        }


def share_of(n_changed: int, n_messages: int) -> Dict[str, Any]:
    """Returns a count with its share, the share's interval and its one-sided bound.

    The interval is Clopper and Pearson's, two-sided; see `flip_bound`, which is its upper end.
    """
    one_side = (1 + CONFIDENCE) / 2
    return {
        "messages": n_changed,
        "of": n_messages,
        "share": n_changed / n_messages,
        "low": 1 - flip_bound(n_messages - n_changed, n_messages, one_side),
        "high": flip_bound(n_changed, n_messages, one_side),
        "bound": flip_bound(n_changed, n_messages, CONFIDENCE),
    }


def gates_of(
    limits: Sequence[Tuple[str, float]], tally: Tally, *, use_bound: bool
) -> List[Dict[str, Any]]:
    """Returns for each limited kind of change what is held to the limit, and whether it passed.

    Args:
        limits: Kinds of change with the largest share of each.
        tally: What was counted.
        use_bound: Whether the one-sided upper bound is held to the limit, not the share.
    """
    key = "bound" if use_bound else "share"
    gates = []
    for kind, limit in limits:
        held = share_of(tally.of(kind), tally.n_messages)[key]
        gate = {"kind": kind, "limit": limit, "held": held, "by_bound": use_bound}
        gates.append({**gate, "passed": held <= limit})
    return gates
