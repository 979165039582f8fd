"""Labelled tasks: a support set, a test, perhaps out-of-scope messages."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import List, Optional, Tuple

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.lines import read_lines
from rasa_tokprune.texts.training_data.nlu import (
    is_nlu_json,
    is_nlu_yaml,
    read_nlu_yaml,
    without_repetitions,
)

_YAML = (".yml", ".yaml")


@dataclasses.dataclass(frozen=True)
class Task:
    """One bot to evaluate on.

    Attributes:
        name: Name in results.
        train: Rasa YAML of the support set.
        test: Rasa YAML of the messages to classify.
        oos: Out-of-scope messages, one a line; None if there are none.
    """

    name: str
    train: Path
    test: Path
    oos: Optional[Path] = None

    def __post_init__(self) -> None:
        """Checks that the files are there."""
        for key, path in (("train", self.train), ("test", self.test), ("oos", self.oos)):
            if path is not None and not path.exists():
                raise ConfigError(f"{key} of task '{self.name}': there is no file '{path}'")


def read_examples(path: Path) -> Tuple[List[str], List[str], List[str]]:
    """Returns texts, intents and full keys of a Rasa training data file or folder.

    Files of a folder are merged as Rasa does: what stands in two of them is one example.

    Raises:
        ConfigError: If it cannot be read or holds no example with an intent.
    """
    files = _files_of(path)
    examples = without_repetitions([each for file in files for each in read_nlu_yaml(file)])
    pairs = [each for each in examples if each.intent and each.text.strip()]
    if not pairs:
        raise ConfigError(f"'{path}' holds no example with an intent; give Rasa NLU YAML")
    keys = [each.key or each.intent for each in pairs]
    return [each.text for each in pairs], [each.intent for each in pairs], keys


def _files_of(path: Path) -> List[Path]:
    """Returns the file, or the files of training data in a folder, as Rasa finds them."""
    if not path.is_dir():
        if path.is_file() and not is_nlu_yaml(path):
            raise ConfigError(f"'{path}' is not Rasa training data: it has no key 'nlu'")
        return [path]
    found = [
        Path(os.path.abspath(os.path.join(folder, name)))
        for folder, _, names in os.walk(path, followlinks=True)
        for name in names
    ]
    for each in found:
        if each.suffix == ".json" and is_nlu_json(each):
            raise ConfigError(
                f"'{each}' is training data in JSON, which is not read; "
                f"`rasa data convert nlu --format yaml` makes YAML of it"
            )
    return sorted(each for each in found if each.suffix in _YAML and is_nlu_yaml(each))


def is_training_data(path: Path) -> bool:
    """Returns whether a path is Rasa training data, a folder or YAML, not one message a line."""
    return path.is_dir() or path.suffix in _YAML


def read_texts(path: Path) -> List[str]:
    """Returns the messages of Rasa training data, labels left out, or of a text file's lines.

    Raises:
        ConfigError: If it cannot be read.
    """
    return read_examples(path)[0] if is_training_data(path) else read_lines(path)


def read_oos(path: Path) -> List[str]:
    """Returns out-of-scope messages; see `read_texts`.

    Raises:
        ConfigError: If it cannot be read or holds no message.
    """
    messages = read_texts(path)
    if not messages:
        raise ConfigError(f"'{path}' holds no out-of-scope message; give one a line")
    return messages


def sample_shots(labels: List[str], n_shot: Optional[int], seed: int) -> np.ndarray:
    """Returns the numbers of the examples in a support set of `n_shot` for each intent.

    Args:
        labels: Intent of each example.
        n_shot: Examples per intent; an intent with fewer gives all. None takes everything.
        seed: Chooses which.
    """
    if n_shot is None:
        return np.arange(len(labels))
    rng = np.random.default_rng(seed)
    array = np.array(labels)
    chosen = [
        rng.permutation(np.flatnonzero(array == label))[:n_shot] for label in np.unique(array)
    ]
    return np.sort(np.concatenate(chosen))
