"""Labelled tasks: a support set, a test, perhaps out-of-scope messages."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import List, Optional, Tuple

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.lines import read_lines


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

    Raises:
        ConfigError: If it cannot be read or holds no example with an intent.
    """
    from rasa.shared.data import get_data_files, is_nlu_file
    from rasa.shared.exceptions import RasaException
    from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
    from rasa.shared.nlu.training_data.loading import load_data
    from rasa.shared.nlu.training_data.training_data import TrainingData

    try:
        files = get_data_files([str(path)], is_nlu_file) if path.is_dir() else [str(path)]
        # Merged as Rasa does: what stands in two files is one example.
        merged = TrainingData().merge(*(load_data(file) for file in sorted(files)))
        examples = merged.intent_examples
    except (RasaException, ValueError, OSError) as error:
        raise ConfigError(f"'{path}' is not Rasa training data: {error}") from error
    pairs = [e for e in examples if e.get(INTENT) and (e.get(TEXT) or "").strip()]
    if not pairs:
        raise ConfigError(f"'{path}' holds no example with an intent; give Rasa NLU YAML")
    labels = [e.get(INTENT) for e in pairs]
    keys = [e.get(INTENT_RESPONSE_KEY) or e.get(INTENT) for e in pairs]
    return [e.get(TEXT) for e in pairs], labels, keys


def is_training_data(path: Path) -> bool:
    """Returns whether a path is Rasa training data, a folder or YAML, not one message a line."""
    return path.is_dir() or path.suffix in (".yml", ".yaml")


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
