"""Starts are timed in fresh processes, with and without stored weights."""

from __future__ import annotations

from pathlib import Path

from rasa_tokprune.evaluation.bench.rows import RowStore
from rasa_tokprune.evaluation.bench.start import measure_start, start_table


def test_start(tiny_bert: Path, tmp_path: Path) -> None:
    store = RowStore(tmp_path / "bench_start.jsonl")
    examples = [["hello there", "greet"], ["where is my parcel", "track"], ["hi", "greet"]]
    settings = {"folder": tiny_bert, "task": "tiny", "threads": 1, "repetitions": 1}
    measure_start(examples, ["onnx:int8"], store, **settings)
    measure_start(examples, ["onnx:int8"], store, **settings)  # nothing is left to do
    rows = store.rows()
    assert [row["kind"] for row in rows] == ["new", "stored"]
    assert all(row["load_ms"] > 0 and row["train_ms"] > 0 for row in rows)
    assert "| onnx int8 | stored |" in start_table(rows)
    assert "tiny, 3 examples, 1 thread(s)." in start_table(rows)
