"""The messages that two models are compared on: each once, with how often it occurs."""

from __future__ import annotations

import collections
import dataclasses
from pathlib import Path
from typing import Counter, FrozenSet, List, Optional, Tuple

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import find_oos_labels
from rasa_tokprune.texts.messages import STDIN, MessageFile
from rasa_tokprune.texts.tasks import is_training_data, read_examples


@dataclasses.dataclass(frozen=True)
class Entry:
    """A message of a log.

    Attributes:
        text: The message.
        count: How often it occurs.
        label: Its intent, or retrieval intent in full; None in a log without labels.
    """

    text: str
    count: int
    label: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class Log:
    """Messages, the most frequent first.

    Attributes:
        entries: Each different one.
        oos_labels: Labels that mean out-of-scope, so that a fallback is right too.
    """

    entries: Tuple[Entry, ...]
    oos_labels: FrozenSet[str] = frozenset()

    @property
    def is_labelled(self) -> bool:
        """True if every message says what is right."""
        return self.entries[0].label is not None


def is_labelled_file(name: str) -> bool:
    """Returns whether a log is Rasa training data, whose messages have labels."""
    return name != STDIN and is_training_data(Path(name))


def read_log(file: MessageFile) -> Log:
    """Returns the messages of a log; blank ones are left out.

    Raises:
        ConfigError: If it cannot be read or holds no message.
    """
    counts: Counter[str] = collections.Counter(
        text for message in file.read() if (text := message.text.strip())
    )
    if not counts:
        raise ConfigError(f"--log: '{file.name}' holds no message; give one a line")
    return Log(tuple(Entry(text, count) for text, count in counts.most_common()))


def read_labelled(path: Path) -> Log:
    """Returns the messages of Rasa NLU YAML with their labels.

    Raises:
        ConfigError: If it cannot be read or holds no message.
    """
    texts, _, keys = read_examples(path)
    counts = collections.Counter(zip((text.strip() for text in texts), keys))
    entries: List[Entry] = [
        Entry(text, count, label) for (text, label), count in counts.most_common()
    ]
    return Log(tuple(entries), frozenset(find_oos_labels(sorted(set(keys)))))
