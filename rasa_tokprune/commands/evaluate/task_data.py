"""The messages of a task, read and sorted into in-scope and out-of-scope ones."""

from __future__ import annotations

import dataclasses
from typing import List, Optional, Sequence, Set, Tuple

import numpy as np

from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.fewshot import find_oos_labels, readable_name
from rasa_tokprune.texts.tasks import Task, read_examples, read_oos


@dataclasses.dataclass(frozen=True)
class Examples:
    """Labelled messages.

    Attributes:
        texts: (n,).
        labels: Intent of each, (n,).
        keys: Full key of each, the intent itself if it is no retrieval intent, (n,).
    """

    texts: List[str]
    labels: List[str]
    keys: List[str]

    def take(self, rows: np.ndarray) -> Examples:
        """Returns the examples with these numbers."""
        chosen = rows.tolist()
        return Examples(
            *([field[row] for row in chosen] for field in (self.texts, self.labels, self.keys))
        )


@dataclasses.dataclass(frozen=True)
class TaskData:
    """A task with its messages.

    Attributes:
        name: Name in results.
        train: What is learned from.
        test: Messages to classify; those whose intent means out-of-scope are not in scope.
        oos_texts: Further out-of-scope messages.
        oos_labels: Intents that mean out-of-scope, of train and test.
    """

    name: str
    train: Examples
    test: Examples
    oos_texts: List[str]
    oos_labels: Tuple[str, ...]

    @property
    def n_oos(self) -> int:
        """Number of out-of-scope messages."""
        return len(self.oos_texts) + sum(label in self.oos_labels for label in self.test.labels)

    @property
    def n_copies(self) -> int:
        """Number of test messages that are a training message too but for case and outer blanks."""
        known = set(map(_plain, self.train.texts))
        return sum(_plain(text) in known for text in self.test.texts)

    def texts(self, use_intent_names: bool) -> List[str]:
        """Returns every text that has to be encoded."""
        names = map(readable_name, self.train.keys) if use_intent_names else ()
        return [*self.train.texts, *self.test.texts, *self.oos_texts, *filter(None, names)]


def read_tasks(tasks: Sequence[Task], oos_intents: Optional[Sequence[str]]) -> List[TaskData]:
    """Reads the messages of tasks.

    Args:
        tasks: Where they are.
        oos_intents: Intents that mean out-of-scope; None finds them by name.

    Raises:
        ConfigError: If a file cannot be used, no task has an intent of `oos_intents`, or a task
            has nothing in scope.
    """
    read = [_read(task, oos_intents) for task in tasks]
    known: Set[str] = set().union(*({*task.train.labels, *task.test.labels} for task in read))
    for name in oos_intents or ():
        if name not in known:
            raise ConfigError(
                f"--oos-intents: no task has an example of '{name}'.{did_you_mean(name, known)} "
                f"Give an intent of the data, or leave the option out"
            )
    return read


def _read(task: Task, oos_intents: Optional[Sequence[str]]) -> TaskData:
    train, test = Examples(*read_examples(task.train)), Examples(*read_examples(task.test))
    labels = {*train.labels, *test.labels}
    found = find_oos_labels(labels) if oos_intents is None else oos_intents
    oos_labels = tuple(name for name in found if name in labels)
    for key, part, path in (("train", train, task.train), ("test", test, task.test)):
        if set(part.labels) <= set(oos_labels):
            raise ConfigError(
                f"{key} of task '{task.name}': all messages of '{path}' are of intents that mean "
                f"out-of-scope ({', '.join(oos_labels)}); give messages of at least one other"
            )
    oos_texts = read_oos(task.oos) if task.oos is not None else []
    return TaskData(task.name, train, test, oos_texts, oos_labels)


def _plain(text: str) -> str:
    return text.strip().casefold()
