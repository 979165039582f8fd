"""Rows are kept once, and a stopped measurement finds them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.evaluation.bench.rows import RowStore, read_folder, read_rows
from tests.evaluation.conftest import latency_row


def test_store_resumes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "bench_latency.jsonl"
    RowStore(path).add([latency_row("a", 8, 1.0), latency_row("a", 16, 2.0)])
    store = RowStore(path)
    assert store.has(latency_row("a", 8, 99.0))
    assert not store.has(latency_row("b", 8, 1.0))
    assert not store.has(latency_row("a", 8, 1.0, threads=2))
    store.add([latency_row("a", 8, 3.0)])
    assert [row["median_ms"] for row in read_rows(path)] == [3.0, 2.0]
    assert read_folder(tmp_path) == store.rows()


def test_force_measures_again(tmp_path: Path) -> None:
    path = tmp_path / "bench_latency.jsonl"
    RowStore(path).add([latency_row("a", 8, 1.0)])
    assert not RowStore(path, force=True).has(latency_row("a", 8, 1.0))


def test_damaged_line(tmp_path: Path) -> None:
    path = tmp_path / "bench_latency.jsonl"
    path.write_text('{"a": 1}\n[2]\n')
    with pytest.raises(ConfigError, match="line 2: expected a JSON object"):
        read_rows(path)
    path.write_text("{\n")
    with pytest.raises(ConfigError, match="line 1 is not JSON"):
        read_rows(path)
