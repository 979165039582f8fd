"""The bots that nobody trained on: what each learns from, and what it is asked."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from rasa_tokprune.commands.adapt.judges import N_SHOT, read_set, strangers_of
from rasa_tokprune.texts.tasks import Task, read_examples, read_oos, sample_shots

# The draw that `benchmarks.accuracy.unseen` counts as its first.
SEED = 0


@dataclasses.dataclass(frozen=True)
class Bot:
    """One bot.

    Attributes:
        name: Of the set or task, as other questions' rows name it.
        texts: Examples.
        labels: Intent of each.
        query: Messages to answer.
        answers: Their intents.
        strangers: Messages out of its scope; empty if the set has none.
    """

    name: str
    texts: List[str]
    labels: List[str]
    query: List[str]
    answers: List[str]
    strangers: List[str]


def bot_of_task(task: Task, n_shot: Optional[int] = None) -> Bot:
    """Returns the bot of a task.

    Args:
        task: Training data, test messages, perhaps messages out of scope.
        n_shot: Examples an intent; None takes all its training data.
    """
    texts, labels, _ = read_examples(task.train)
    rows = sample_shots(labels, n_shot, SEED)
    texts, labels = ([part[row] for row in rows] for part in (texts, labels))
    query, answers, _ = read_examples(task.test)
    strangers = read_oos(task.oos) if task.oos else []
    return Bot(task.name, texts, labels, query, answers, strangers)


def drawn_bots(files: Sequence[Tuple[str, Path]]) -> List[Bot]:
    """Returns a five-shot bot of each labelled set, as `benchmarks.accuracy.unseen` draws them.

    Out of scope are messages of the other sets, so all sets must be given for the same strangers.
    """
    sets = [read_set(name, path) for name, path in files]
    bots = []
    for own in sets:
        rows = sample_shots(own.labels, N_SHOT, SEED)
        texts, labels = ([part[row] for row in rows] for part in (own.support, own.labels))
        strangers = strangers_of(own, sets)
        bots.append(Bot(own.name, texts, labels, own.query, own.answers, strangers))
    return bots
