"""Sets of many domains are split once and for all."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy.unseen import read_set
from tests.bots_on_disk import write_nlu


def test_examples_and_messages_to_answer_are_never_the_same(tmp_path: Path) -> None:
    texts = {name: [f"{name} number {row}" for row in range(40)] for name in ("a", "b")}
    path = write_nlu(tmp_path / "nlu.yml", {**texts, "alone": ["only one"]})
    own = read_set("any", path)
    assert own == read_set("any", path)
    assert not set(own.support) & set(own.query)
    assert {*own.support, *own.query} == {*texts["a"], *texts["b"]}, "a label needs both parts"
    assert set(own.labels) == set(own.answers) == {"a", "b"}
    assert all(text.startswith(label) for text, label in zip(own.support, own.labels))
    assert all(text.startswith(label) for text, label in zip(own.query, own.answers))
