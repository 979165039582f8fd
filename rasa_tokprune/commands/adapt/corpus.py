"""What adapters are trained on: texts, and labelled tasks."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Collection, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.tasks import read_examples, read_texts

# label -> its texts
Task = Mapping[str, Sequence[str]]

HELD_OUT_SHARE = 0.03
_LEAST_TEXTS = 12
_MOST_SENTENCES = 8
_DIGEST_SIZE = 8


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Texts without labels, and tasks with them.

    Attributes:
        texts: Sorted, without repetitions.
        tasks: By name; labels with fewer than two texts are left out.
    """

    texts: Tuple[str, ...]
    tasks: Mapping[str, Task]

    @classmethod
    def read(cls, texts: Sequence[Path], tasks: Mapping[str, Path]) -> Corpus:
        """Reads text files (one text a line), Rasa YAML without its labels, and labelled tasks.

        Raises:
            ConfigError: If a file cannot be read, or nothing is in any.
        """
        read = {name: _read_task(name, path) for name, path in tasks.items()}
        collected = {text for task in read.values() for own in task.values() for text in own}
        for path in texts:
            collected.update(read_texts(path))
        if not collected:
            raise ConfigError("there is no text to train on; give a text file or a task")
        return cls(tuple(sorted(collected)), _usable(read))

    def with_concatenations(self, n_texts: int, seed: int) -> Corpus:
        """Returns a corpus with `n_texts` long ones more: 2 to 8 of its texts in a row."""
        rng = np.random.default_rng(seed)
        n_parts = rng.integers(2, _MOST_SENTENCES + 1, size=n_texts)
        chosen = [rng.integers(len(self.texts), size=count) for count in n_parts]
        joined = {" ".join(self.texts[index] for index in own) for own in chosen}
        return dataclasses.replace(self, texts=tuple(sorted({*self.texts, *joined})))

    def without(self, texts: Collection[str]) -> Corpus:
        """Returns a corpus without some texts.

        Raises:
            ConfigError: If no other is there.
        """
        rest = tuple(text for text in self.texts if text not in texts)
        if not rest:
            raise ConfigError("every text to train on is one to judge by; give others")
        tasks = {
            name: {
                label: [each for each in own if each not in texts] for label, own in task.items()
            }
            for name, task in self.tasks.items()
        }
        return Corpus(rest, _usable(tasks))

    def split(self) -> Tuple[Corpus, Corpus]:
        """Returns a corpus without the texts that are held out, and those.

        A hash of the text decides, however it is typed: what one training held out, another one
        does not train on either, whatever its seed and its data. At least one text is held out.

        Raises:
            ConfigError: If there are too few texts to learn from.
        """
        if len(self.texts) < _LEAST_TEXTS:
            raise ConfigError(
                f"{len(self.texts)} texts are too few to learn from; give at least "
                f"{_LEAST_TEXTS}, better some thousands, with --texts"
            )
        out = {text for text in self.texts if is_held_out(text)}
        out = out or {min(self.texts, key=_hash)}
        parts = []
        for wanted in (False, True):
            tasks = {
                name: {
                    label: [text for text in own if (text in out) is wanted]
                    for label, own in task.items()
                }
                for name, task in self.tasks.items()
            }
            texts = tuple(text for text in self.texts if (text in out) is wanted)
            parts.append(Corpus(texts, _usable(tasks)))
        return parts[0], parts[1]


def is_held_out(text: str) -> bool:
    """Returns whether no training learns from a text."""
    return _hash(text) < HELD_OUT_SHARE * 256**_DIGEST_SIZE


def _hash(text: str) -> int:
    words = " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:_DIGEST_SIZE], "big")


def _usable(tasks: Mapping[str, Task]) -> Dict[str, Task]:
    """Leaves out labels of fewer than two texts and tasks of fewer than two labels."""
    pairs = {
        name: {label: own for label, own in task.items() if len(own) > 1}
        for name, task in tasks.items()
    }
    return {name: task for name, task in pairs.items() if len(task) > 1}


def _read_task(name: str, path: Path) -> Task:
    task: Dict[str, List[str]] = {}
    texts, labels, _ = read_examples(path)
    for text, label in zip(texts, labels):
        task.setdefault(label, []).append(text)
    if not _usable({name: task}):
        raise ConfigError(
            f"task '{name}': '{path}' holds fewer than two intents with two examples each; give it "
            f"as unlabelled text"
        )
    return task
