"""Rows are kept once, and a stopped measurement finds them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.conftest import latency_row
from benchmarks.rows import RowStore, append_row, machine_of, measured, read_rows, write_rows
from rasa_tokprune.errors import ConfigError


def test_store_resumes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "latency.jsonl"
    RowStore(path).add([latency_row("a", 8, 1.0), latency_row("a", 16, 2.0)])
    store = RowStore(path)
    assert store.has(latency_row("a", 8, 99.0))
    assert not store.has(latency_row("b", 8, 1.0))
    assert not store.has(latency_row("a", 8, 1.0, threads=2))
    store.add([latency_row("a", 8, 3.0)])
    assert [row["median_ms"] for row in read_rows(path)] == [3.0, 2.0]
    assert read_rows(path) == store.rows()


def test_force_measures_again(tmp_path: Path) -> None:
    path = tmp_path / "latency.jsonl"
    RowStore(path).add([latency_row("a", 8, 1.0)])
    assert not RowStore(path, force=True).has(latency_row("a", 8, 1.0))


def test_rows_of_another_machine_stay(tmp_path: Path) -> None:
    path = tmp_path / "latency.jsonl"
    old = latency_row("a", 8, 1.0)
    new = latency_row("a", 8, 0.5)
    new["environment"] = {**old["environment"], "flags": ["avx2", "avx512_vnni", "amx_int8"]}
    assert machine_of(old) == "A CPU"
    assert machine_of(new) == "A CPU with AMX and AVX-512 VNNI"
    RowStore(path, machine=machine_of(old)).add([old])
    store = RowStore(path, machine=machine_of(new))
    asked = {key: value for key, value in new.items() if key != "environment"}
    assert not store.has(asked)
    store.add([new])
    assert store.has(asked)
    assert RowStore(path, machine=machine_of(old)).rows() == [old, new]


def test_damaged_line(tmp_path: Path) -> None:
    path = tmp_path / "latency.jsonl"
    path.write_text('{"a": 1}\n[2]\n')
    with pytest.raises(ConfigError, match="line 2: expected a JSON object"):
        read_rows(path)
    path.write_text("{\n")
    with pytest.raises(ConfigError, match="line 1 is not JSON"):
        read_rows(path)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no rows to read in '.*absent.jsonl'"):
        read_rows(tmp_path / "absent.jsonl")


def test_rows_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    write_rows([{"a": 1}], path)
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_rows([{"a": 2}, {"a": path}], path)
    assert read_rows(path) == [{"a": 1}]


def test_appended_rows_are_measured(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert measured(path, "task") == set()
    for row in ({"task": "a", "config": 1}, {"task": "b", "config": 2}):
        append_row(row, path)
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_row({"task": float("nan")}, path)
    assert measured(path, "task", "config") == {("a", 1), ("b", 2)}
