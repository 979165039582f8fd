"""What a report is made of: examples, test messages, a log."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

from rasa_tokprune.commands.evaluate.task_data import Examples
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.fewshot import find_oos_labels
from rasa_tokprune.texts.lines import read_lines
from rasa_tokprune.texts.tasks import read_examples

TRAINING, TEST, LOG = "training", "test", "log"
# Folders and files that are called like this in every bot say nothing of which it is.
_COMMON_NAMES = ("data", "nlu", "train", "training", "")


@dataclasses.dataclass(frozen=True)
class Material:
    """All messages of a report.

    Attributes:
        name: Of the bot.
        examples: Its NLU data.
        test: Labelled messages it was not trained on; None if there are none.
        log: Messages of users, each as often as it was sent.
        oos_labels: Intents that mean out-of-scope.
    """

    name: str
    examples: Examples
    test: Optional[Examples]
    log: List[str]
    oos_labels: Tuple[str, ...]


def read_material(
    nlu: Path, test: Optional[Path], log: Optional[Path], oos_intents: Optional[Sequence[str]]
) -> Material:
    """Reads the files of a report.

    Args:
        nlu: NLU data, a file or a folder.
        test: Labelled messages.
        log: One message a line.
        oos_intents: Intents that mean out-of-scope; None finds them by name.

    Raises:
        ConfigError: If a file cannot be used, or an intent of `oos_intents` has no example.
    """
    for option, path in (("NLU", nlu), ("--test", test), ("--log", log)):
        if path is not None and not path.exists():
            raise ConfigError(f"{option}: there is no file or folder '{path}'")
    examples = Examples(*read_examples(nlu))
    known = sorted(set(examples.labels))
    for name in oos_intents or ():
        if name not in known:
            raise ConfigError(
                f"--oos-intents: '{nlu}' has no example of '{name}'.{did_you_mean(name, known)} "
                f"Give an intent of it, or leave the option out"
            )
    oos = tuple(find_oos_labels(known) if oos_intents is None else oos_intents)
    if set(known) <= set(oos):
        raise ConfigError(
            f"NLU: all examples of '{nlu}' are of intents that mean out-of-scope "
            f"({', '.join(oos)}); give examples of at least one other"
        )
    lines = [] if log is None else read_lines(log)
    if log is not None and not lines:
        raise ConfigError(f"--log: '{log}' holds no message; give one a line")
    labelled = None if test is None else Examples(*read_examples(test))
    return Material(_name_of(nlu), examples, labelled, lines, oos)


def _name_of(nlu: Path) -> str:
    """Returns the bot's name: the nearest name on the path that not every bot has."""
    path = nlu.resolve()
    names = [path.stem if path.is_file() else path.name, *(folder.name for folder in path.parents)]
    return next((name for name in names if name.lower() not in _COMMON_NAMES), "bot")
