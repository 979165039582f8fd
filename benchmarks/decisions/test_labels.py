"""What is told of labels and names, counted by hand."""

from __future__ import annotations

from typing import Dict, List

import numpy as np

from benchmarks.decisions.labels import THRESHOLDS, measure_labels, measure_names
from benchmarks.decisions.tables import labels_table
from rasa_tokprune.fewshot import Messages
from rasa_tokprune.fewshot.certificate import TrainingSet

AXES = np.eye(4, dtype=np.float32)


class Axes:
    """Embeds a text by its last word's axis; texts of one axis differ a little."""

    ORDER = ("cat", "dog", "cow", "hen")

    def encode(self, texts: List[str], **_: object) -> np.ndarray:
        rows = [AXES[self.ORDER.index(text.split()[-1])] + 0.01 * len(text) for text in texts]
        return np.array(rows, dtype=np.float32)


def test_every_exchange_of_clear_names_is_found() -> None:
    labels = [name for name in Axes.ORDER for _ in range(3)]
    texts = [f"{'a ' * (n % 3)}{label}" for n, label in enumerate(labels)]
    found = measure_names(texts, labels, Axes())  # type: ignore[arg-type]
    assert found["largest_gain"] == 0.0
    assert found["n_found"] == found["n_exchanged"] == 10


def test_exchanged_labels_are_counted_apart() -> None:
    labels = [name for name in Axes.ORDER for _ in range(10)]
    rng = np.random.default_rng(0)
    embeddings = np.repeat(AXES, 10, axis=0) + rng.normal(scale=0.05, size=(40, 4))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    texts = [f"{label} {number}" for number, label in enumerate(labels)]
    messages = Messages(embeddings.astype(np.float32), texts, np.ones(40))
    found = measure_labels(TrainingSet(messages, labels, labels), 0)
    assert found["n_wrong"] == 1  # 3% of 40
    assert found["n_right"] == 39
    for threshold in THRESHOLDS:
        assert 0 <= found[f"wrong_over_{threshold:g}"] <= 1
    assert found["wrong_over_3"] == 1
    assert found["right_over_3"] == 0


def test_shares_are_those_of_all_bots_together() -> None:
    row: Dict[str, object] = {"kind": "labels", "n_wrong": 10, "n_right": 1000}
    rows = [
        {**row, "bot": "a", "wrong_over_3": 9, "right_over_3": 1},
        {**row, "bot": "b", "wrong_over_3": 6, "right_over_3": 4},
        {"bot": "a", "kind": "names", "largest_gain": 0.01, "n_exchanged": 10, "n_found": 9},
    ]
    table = labels_table(rows)
    assert "| 3 | 75.0 | 2.5 | 75.0 |" in table
    assert "Of 10 exchanges of two intents' names 9 are found" in table
    assert "the largest gain is 0.010" in table
