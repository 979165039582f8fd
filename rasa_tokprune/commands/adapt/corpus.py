"""What adapters are trained on: texts, labelled tasks, and disturbed copies of both."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.names import readable_name
from rasa_tokprune.texts.tasks import read_examples, read_texts

# label -> its texts
Task = Mapping[str, Sequence[str]]

_MOST_SENTENCES = 8
_NAME_SHARE = 0.3
# Texts encoded in one step are cut from so many batches' worth, sorted by length.
_POOL_BATCHES = 16


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

    def split(self, share: float, seed: int) -> Tuple[Corpus, Corpus]:
        """Returns a corpus without a share of its texts and of each task's labels, and those.

        At least one text is held out; of a task two labels or more, or none where fewer than two
        would remain. What is held out is in no task of the rest.
        """
        rng = np.random.default_rng(seed)
        labelled = {text for task in self.tasks.values() for own in task.values() for text in own}
        # Labelled texts go with their label, lest a label be left with one.
        free = [text for text in self.texts if text not in labelled] or list(self.texts)
        n_out = max(1, round(share * len(free)))
        out = {free[index] for index in rng.permutation(len(free))[:n_out]}
        held_out: Dict[str, Task] = {}
        for name, task in sorted(self.tasks.items()):
            labels = rng.permutation(sorted(task)).tolist()
            n_labels = max(2, round(share * len(labels)))
            if len(labels) - n_labels >= 2:
                held_out[name] = {label: task[label] for label in labels[:n_labels]}
                out |= {text for own in held_out[name].values() for text in own}
        kept = {
            name: {
                label: [text for text in own if text not in out]
                for label, own in task.items()
                if label not in held_out.get(name, {})
            }
            for name, task in self.tasks.items()
        }
        rest = tuple(sorted(set(self.texts) - out))
        return Corpus(rest, _usable(kept)), Corpus(tuple(sorted(out)), held_out)


def _usable(tasks: Mapping[str, Task]) -> Dict[str, Task]:
    """Leaves out labels of fewer than two texts and tasks of fewer than two labels."""
    pairs = {
        name: {label: own for label, own in task.items() if len(own) > 1}
        for name, task in tasks.items()
    }
    return {name: task for name, task in pairs.items() if len(task) > 1}


def text_batches(
    texts: Sequence[str], batch_size: int, seed: int, start: int
) -> Iterator[List[str]]:
    """Yields batches of texts of like length for ever, in an order that seed and step decide.

    Args:
        texts: All texts.
        batch_size: Texts in a batch.
        seed: Of the order.
        start: Batches to leave out: a resumed run goes on where it stopped.
    """
    size = min(batch_size, len(texts))
    per_epoch = len(texts) // size
    epoch = start // per_epoch
    skip = start % per_epoch
    while True:
        rng = np.random.default_rng((seed, epoch))
        order = rng.permutation(len(texts))[: per_epoch * size]
        batches: List[np.ndarray] = []
        for pool in np.split(order, range(size * _POOL_BATCHES, len(order), size * _POOL_BATCHES)):
            pool = pool[np.argsort([len(texts[index]) for index in pool], kind="stable")]
            cut = np.split(pool, range(size, len(pool), size))
            batches += [cut[index] for index in rng.permutation(len(cut))]
        for batch in batches[skip:]:
            yield [texts[index] for index in batch]
        epoch, skip = epoch + 1, 0


def labelled_batch(
    tasks: Mapping[str, Task], n_labels: int, rng: np.random.Generator
) -> Tuple[List[str], List[int]]:
    """Returns two texts, sometimes the name too, of each of some labels of one task.

    All of one task, so that what is told apart lies close together.
    """
    task = tasks[str(rng.choice(sorted(tasks)))]
    chosen = rng.permutation(sorted(task))[:n_labels]
    texts: List[str] = []
    targets: List[int] = []
    for target, label in enumerate(chosen.tolist()):
        own = [task[label][index] for index in rng.permutation(len(task[label]))[:2]]
        name = readable_name(label)
        if name and rng.random() < _NAME_SHARE:
            own.append(name)
        texts += own
        targets += [target] * len(own)
    return texts, targets


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
