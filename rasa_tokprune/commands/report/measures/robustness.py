"""How many answers stay when messages are typed or phrased otherwise."""

from __future__ import annotations

import dataclasses
from typing import Callable, Dict, List, Mapping, Sequence

import numpy as np

from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.commands.report.bot import Bot

# Messages that are changed, and changed answers that are shown of each kind.
N_MESSAGES = 300
_N_SHOWN = 6
_SEED = 0


@dataclasses.dataclass(frozen=True)
class Kind:
    """One way to change messages.

    Attributes:
        name: What is changed.
        n_changed: Messages that it changes.
        kept: Share of those that the bot acts on as before, in [0, 1]; 1 if there are none.
        right_before: Share of them whose best intent is right as they were written.
        right_after: The same, changed.
        flips: Some whose answer changes: `text`, `changed`, `intent`, `before`, `after`, `source`.
    """

    name: str
    n_changed: int
    kept: float
    right_before: float
    right_after: float
    flips: List[Dict[str, str]]


def measure_robustness(
    bot: Bot, answers: Sequence[Answer], kinds: Mapping[str, Callable[[str], str]]
) -> List[Kind]:
    """Returns what becomes of a sample of messages under each kind of change.

    Args:
        bot: The bot; an example of it, changed, is answered by a bot trained without it.
        answers: To labelled messages.
        kinds: From `changes`.
    """
    rng = np.random.default_rng(_SEED)
    chosen = rng.permutation(len(answers))[:N_MESSAGES]
    sample = [answers[number] for number in np.sort(chosen)]
    return [_measure(bot, sample, name, change) for name, change in kinds.items()]


def _measure(bot: Bot, sample: Sequence[Answer], name: str, change: Callable[[str], str]) -> Kind:
    pairs = [(each, text) for each in sample if (text := change(each.text)) != each.text]
    before = [each for each, _ in pairs]
    after = bot.answers(
        [text for _, text in pairs],
        name,
        [each.intent for each in before],
        [each.example for each in before],
    )
    flips = [
        {
            "text": old.text,
            "changed": new.text,
            "intent": str(old.intent),
            "before": old.action,
            "after": new.action,
            "source": old.source,
        }
        for old, new in zip(before, after)
        if old.action != new.action
    ]
    return Kind(
        name=name,
        n_changed=len(pairs),
        kept=1.0 - len(flips) / len(pairs) if pairs else 1.0,
        right_before=_share(before),
        right_after=_share(after),
        flips=flips[:_N_SHOWN],
    )


def _share(answers: Sequence[Answer]) -> float:
    return float(np.mean([each.is_right for each in answers])) if answers else 0.0
