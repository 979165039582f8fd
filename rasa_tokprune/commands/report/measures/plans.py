"""Accuracy and latency of the bot under several plans, on its own messages."""

from __future__ import annotations

import dataclasses
from typing import List, Optional, Sequence

import numpy as np

from rasa_tokprune.commands.bench.timing import time_in_turn
from rasa_tokprune.commands.evaluate.task_data import Examples
from rasa_tokprune.commands.report.bot import Bot
from rasa_tokprune.commands.report.encoders import Setting, StoredEncoder
from rasa_tokprune.commands.report.material import Material
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.fewshot import CONTENT_FREE_TEXTS, embed_names
from rasa_tokprune.fewshot.calibration.held_out import hold_out
from rasa_tokprune.fewshot.certificate import TrainingSet, answers_of
from rasa_tokprune.fewshot.messages import Messages
from rasa_tokprune.fewshot.support import NO_SOURCE
from rasa_tokprune.fewshot.views import fit_views
from rasa_tokprune.texts.lengths import sample

# Messages that are timed, each by every plan.
N_TIMED = 200
# Beyond so many examples only one fold of them is held out for each plan.
MOST_HELD_OUT = 5000
_SEED = 0
# Half the width of a 95% interval, in standard errors.
_SPREAD = 1.96


@dataclasses.dataclass(frozen=True)
class PlanPoint:
    """A plan, measured.

    Attributes:
        plan: Its name.
        is_chosen: Whether it is the bot's own.
        accuracy: Share of the messages in scope whose best intent is right, in [0, 1]; None if
            nothing could be held out.
        n_messages: Messages that it is measured on.
        gain: Accuracy less that of the bot's own plan, on the same messages.
        spread: `gain` lies within this of its true value, with 95% confidence.
        p50_ms: Median time to encode a message, by itself, on one thread.
        p95_ms: What 95% of the messages stay below.
        cost: Token-layers as a share of the un-pruned encoder's, in (0, 1].
    """

    plan: str
    is_chosen: bool
    accuracy: Optional[float]
    n_messages: int
    gain: float
    spread: float
    p50_ms: float
    p95_ms: float
    cost: float

    @property
    def is_different(self) -> bool:
        """Whether its accuracy differs from the chosen plan's by more than chance."""
        return abs(self.gain) > self.spread


def measure_plans(
    bot: Bot,
    material: Material,
    settings: Sequence[Setting],
    encoders: Sequence[StoredEncoder],
    names: Sequence[str],
    screen: Screen,
) -> List[PlanPoint]:
    """Returns a point for each plan, the cheapest last.

    Accuracy is that on the test messages, or else of the cross-validation, whose folds are the
    same for every plan.

    Args:
        bot: The bot under its own plan, which is the first one.
        material: Its messages.
        settings: Settings of each plan.
        encoders: What encodes with each.
        names: Name of each plan.
        screen: Shows progress.
    """
    bar = screen.progress(encoders, "Trying plans")
    is_right = [_is_right(bot, material, encoder) for encoder in bar]
    messages = material.test or material.examples
    texts = sample(messages.texts, N_TIMED, _SEED)
    # A server answers one message at a time.
    single = [setting.open(num_threads=1) for setting in settings]
    milliseconds = 1e3 * time_in_turn(single, texts, N_TIMED, not screen.quiet)
    points = [
        _point(name, number == 0, is_right[number], is_right[0], own, encoder, texts)
        for number, (name, own, encoder) in enumerate(zip(names, milliseconds.T, single))
    ]
    return sorted(points, key=lambda point: -point.cost)


def _point(
    name: str,
    is_chosen: bool,
    is_right: np.ndarray,
    is_right_own: np.ndarray,
    milliseconds: np.ndarray,
    encoder: Encoder,
    texts: Sequence[str],
) -> PlanPoint:
    differences = is_right.astype(float) - is_right_own
    n = len(differences)
    encoded = encoder.encode_detailed(list(dict.fromkeys(texts)))
    return PlanPoint(
        plan=name,
        is_chosen=is_chosen,
        accuracy=float(is_right.mean()) if n else None,
        n_messages=n,
        gain=float(differences.mean()) if n else 0.0,
        spread=_SPREAD * float(differences.std()) / n**0.5 if n else 0.0,
        p50_ms=float(np.median(milliseconds)),
        p95_ms=float(np.percentile(milliseconds, 95)),
        cost=float(np.mean([each.cost for each in encoded])),
    )


def _is_right(bot: Bot, material: Material, encoder: StoredEncoder) -> np.ndarray:
    """Returns whether the bot with an encoder answers each message in scope rightly, (n,) bool."""
    is_own = encoder is bot.encoder
    if material.test is None and is_own and len(bot.examples.labels) <= MOST_HELD_OUT:
        answers = sorted(bot.held_out_answers(), key=lambda answer: answer.example)
        inside = [each for each in answers if each.intent not in material.oos_labels]
        return np.array([answer.is_right for answer in inside], dtype=bool)
    own = bot.examples
    examples = own if is_own else _encoded_by(encoder, bot)
    if material.test is not None:
        return _right_on_test(examples, material.test, encoder)
    return _right_held_out(examples, bot)


def _encoded_by(encoder: StoredEncoder, bot: Bot) -> TrainingSet:
    """Returns the bot's examples as another encoder sees them; none is left out."""
    own = bot.examples
    keys = own.keys or own.labels
    return dataclasses.replace(
        own,
        messages=Messages.encoded(bot.texts, encoder),
        names=None if own.names is None else embed_names(keys, encoder.encode),
        content_free=encoder.encode(CONTENT_FREE_TEXTS),
    )


def _right_on_test(examples: TrainingSet, test: Examples, encoder: StoredEncoder) -> np.ndarray:
    views = fit_views(examples.support, examples.lexical_weight)
    found = answers_of(views, examples.support.classes, Messages.encoded(test.texts, encoder))
    oos = examples.oos_labels
    pairs = [(own, label) for own, label in zip(found, test.labels) if label not in oos]
    return np.array([own == label for own, label in pairs], dtype=bool)


def _right_held_out(examples: TrainingSet, bot: Bot) -> np.ndarray:
    """Returns whether each example in scope is answered rightly by the other folds, in order."""
    support = examples.support
    folds = bot.fold_of[support.sources]
    folds[support.sources == NO_SOURCE] = -1
    if len(examples.labels) > MOST_HELD_OUT:
        folds[folds > 0] = -1
    held_out = hold_out(support, folds, examples.lexical_weight)
    oos = support.oos_numbers(examples.oos_labels)
    rows = np.argsort(support.sources[held_out.rows])
    rows = rows[~np.isin(support.targets[held_out.rows[rows]], oos)]
    is_right = held_out.class_scores.argmax(axis=1) == support.targets[held_out.rows]
    return np.asarray(is_right[rows], dtype=bool)
