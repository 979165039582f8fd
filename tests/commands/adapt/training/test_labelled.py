"""Labelled texts of several tasks, drawn for one step."""

from __future__ import annotations

from collections import Counter
from typing import Dict, List, Tuple

import numpy as np
import pytest

from rasa_tokprune.commands.adapt.training.labelled import draw_labelled


def task(name: str, n_labels: int, n_texts: int = 6) -> Dict[str, List[str]]:
    """Labels have the same names in every task; texts say where they come from."""
    return {f"label_{n}": [f"{name} {n} {k}" for k in range(n_texts)] for n in range(n_labels)}


TASKS = {name: task(name, size) for name, size in (("shop", 5), ("bank", 3), ("post", 7))}
NAMES = {f"label {n}" for n in range(10)}


def draw(
    n_tasks: int = 3, n_labels: int = 4, n_texts: int = 3, seed: int = 0
) -> Tuple[List[str], List[int], List[int]]:
    rng = np.random.default_rng(seed)
    return draw_labelled(TASKS, n_tasks, n_labels, n_texts, rng)


def test_labels_of_two_tasks_are_never_one() -> None:
    for seed in range(20):
        texts, labels, owners = draw(seed=seed)
        assert len(set(owners)) == 3
        of_label = dict(zip(labels, owners))
        for text, label, owner in zip(texts, labels, owners):
            assert of_label[label] == owner
            if text not in NAMES:
                assert text.split()[0] == sorted(TASKS)[owner]
        written = {
            (owner, text.split()[1]): label for text, label, owner in zip(texts, labels, owners)
        }
        assert sorted(written.values()) == list(range(len(written)))


def test_as_many_labels_and_texts_as_asked_for() -> None:
    texts, labels, owners = draw(n_labels=4, n_texts=3)
    sizes = {
        name: len({label for label, owner in zip(labels, owners) if owner == n})
        for n, name in enumerate(sorted(TASKS))
    }
    assert sizes == {"bank": 3, "post": 4, "shop": 4}
    for label in set(labels):
        own = [text for text, other in zip(texts, labels) if other == label]
        messages = [text for text in own if text not in NAMES]
        assert len(messages) == len(set(messages)) == 3
        # Its name, if it is there, is that of the label.
        assert [text for text in own if text in NAMES] in ([], [f"label {messages[0].split()[1]}"])


@pytest.mark.parametrize(("n_tasks", "found"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_no_task_twice(n_tasks: int, found: int) -> None:
    _, _, owners = draw(n_tasks=n_tasks)
    blocks = [owner for owner, before in zip(owners, [None, *owners]) if owner != before]
    assert len(blocks) == len(set(blocks)) == found


def test_a_label_with_fewer_texts_gives_all() -> None:
    texts, _, _ = draw(n_tasks=1, n_labels=1, n_texts=100)
    assert len(set(texts) - NAMES) == 6


def test_a_task_is_as_likely_as_the_root_of_its_labels() -> None:
    tasks = {"small": task("small", 4), "large": task("large", 64)}  # 2 against 8
    rng = np.random.default_rng(0)
    n_draws = 4000
    drawn = Counter(draw_labelled(tasks, 1, 1, 1, rng)[0][0].split()[0] for _ in range(n_draws))
    # Five standard deviations: 5 * sqrt(0.2 * 0.8 / 4000) = 0.032.
    assert drawn["small"] / n_draws == pytest.approx(0.2, abs=0.032)


def test_names_come_with_three_labels_of_ten() -> None:
    rng = np.random.default_rng(0)
    n_named = sum(len(draw_labelled(TASKS, 1, 1, 2, rng)[0]) == 3 for _ in range(2000))
    assert n_named / 2000 == pytest.approx(0.3, abs=0.05)


def test_a_name_without_a_word_is_no_text() -> None:
    tasks = {"numbers": {"1": ["one", "eins"], "2": ["two", "zwei"]}}
    for seed in range(30):
        texts, _, _ = draw_labelled(tasks, 1, 2, 2, np.random.default_rng(seed))
        assert sorted(texts) == ["eins", "one", "two", "zwei"]
