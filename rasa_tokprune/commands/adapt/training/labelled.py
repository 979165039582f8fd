"""Labelled texts of several tasks, drawn for one step of contrast."""

from __future__ import annotations

from typing import Dict, List, Mapping, Tuple

import numpy as np

from rasa_tokprune.commands.adapt.corpus import Task
from rasa_tokprune.fewshot.names import readable_name

_NAME_SHARE = 0.3


def draw_labelled(
    tasks: Mapping[str, Task], n_tasks: int, n_labels: int, n_texts: int, rng: np.random.Generator
) -> Tuple[List[str], List[int], List[int]]:
    """Returns texts, sometimes the name too, of some labels of some tasks.

    A task is as likely as the square root of its number of labels: large ones say more, and small
    ones are not forgotten.

    Args:
        tasks: To draw of.
        n_tasks: How many, at most.
        n_labels: Labels of each, at most.
        n_texts: Texts of each label, at most.
        rng: Decides.

    Returns:
        Texts, the number of each one's label and of each one's task; no two tasks share a label.
    """
    names = sorted(tasks)
    sizes = np.sqrt([len(tasks[name]) for name in names])
    chosen = rng.choice(len(names), min(n_tasks, len(names)), replace=False, p=sizes / sizes.sum())
    texts: List[str] = []
    labels: List[int] = []
    owners: List[int] = []
    numbers: Dict[Tuple[int, str], int] = {}
    for number in chosen.tolist():
        task = tasks[names[number]]
        for label in rng.permutation(sorted(task))[:n_labels].tolist():
            rows = rng.permutation(len(task[label]))[:n_texts]
            own = [task[label][row] for row in rows]
            name = readable_name(label)
            if name and rng.random() < _NAME_SHARE:
                own.append(name)
            texts += own
            labels += [numbers.setdefault((number, label), len(numbers))] * len(own)
            owners += [number] * len(own)
    return texts, labels, owners
