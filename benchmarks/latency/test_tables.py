"""Tables and plots of the engines come from rows alone."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import tables
from benchmarks.conftest import Repository, Rows, engine_row
from benchmarks.latency import break_even
from benchmarks.latency.blocks import latest_machine
from benchmarks.latency.break_even import NEVER, break_even_lengths, write_break_even
from benchmarks.latency.savings import break_even_table, pruning_table, shapes_table
from benchmarks.latency.tables import (
    LATENCY_WITHOUT_AVX512,
    TABLES,
    builds_table,
    latency_table,
    start_table,
    throughput_table,
)
from rasa_tokprune.encoder.plans import break_even as packaged


def test_latency(latency_rows: Rows) -> None:
    exact = latency_table(latency_rows, kind="exact")
    assert "| ours:onnx:int8:off | 1.00 / 2.00 (10.0x) |" in exact
    messages = latency_table(latency_rows, kind="messages")
    assert "| onnxruntime:int8 | 4.00 / 8.00 (5.0x) |" in messages
    assert "onnxruntime:int8: a kind" in messages
    older = latency_table(latency_rows, kind="exact", benchmark=LATENCY_WITHOUT_AVX512)
    assert older == "Not measured yet."
    assert all("A CPU" in table for table in (exact, messages))


def test_each_machine_has_a_table_and_the_readme_the_last(latency_rows: Rows) -> None:
    later = {**latency_rows[0]["environment"], "cpu": "B CPU", "date": "2026-02-03"}
    both = [*latency_rows, *({**row, "environment": later} for row in latency_rows)]
    table = latency_table(both, kind="exact")
    assert table.index("B CPU; m, 1 thread:") < table.index("A CPU; m, 1 thread:")
    assert latest_machine(both) == both[len(latency_rows) :]
    assert latest_machine([]) == []


def test_builds() -> None:
    row = engine_row("avx2", 1.5, kind="light", n_texts=2000, n_same=1999)
    assert "| avx2 | light | 1,999 of 2,000 | 1.50 |" in builds_table([row])


def test_savings(latency_rows: Rows, shape_rows: Rows) -> None:
    line = "| ours:onnx:int8:freeze | -50 (0.70) | 25 (0.70) | 0 (0.70) | 25 (0.70) |"
    assert line in pruning_table(latency_rows)
    assert "A CPU" in pruning_table(latency_rows)
    assert "| A CPU | onnx int8 | freeze | 64 tokens |  |" in break_even_table(latency_rows)
    shapes = shapes_table(shape_rows)
    assert "| bert-base | ours:torch:fp32 | 1 | 1,3 | 0.3 | 40 |" in shapes
    assert "A CPU" in shapes


def test_throughput(throughput_rows: Rows) -> None:
    table = throughput_table(throughput_rows)
    assert "| onnxruntime:int8 | 250 | 2,500 | 5.0x |" in table
    assert "A CPU" in table


def test_tables_without_rows() -> None:
    assert {table.render([]) for table in TABLES} == {"Not measured yet."}


def test_the_command_fills_the_documents(
    repository: Repository, latency_rows: Rows, throughput_rows: Rows, shape_rows: Rows
) -> None:
    start = {"engine": "onnx:int8", "kind": "new", "task": "t", "n_examples": 3, "threads": 1}
    start.update(import_ms=1.0, load_ms=2.0, first_ms=3.0, train_ms=4.0)
    rows = {"latency": latency_rows, "throughput": throughput_rows, "shapes": shape_rows}
    build = engine_row("avx2", 1.5, kind="light", n_texts=2000, n_same=1999)
    for name, own in {**rows, "start": [start], "builds": [build]}.items():
        repository.write_rows("latency", f"{name}.jsonl", own)
    for document in {table.document for table in TABLES}:
        markers = [table.marker for table in TABLES if table.document == document]
        repository.write_document(document, *markers)
    assert tables.main(["latency"]) == 0
    text = (repository.root / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "| onnx int8 | freeze | 64 tokens |" in text
    assert start_table([start]) in text
    for name in ("latency", "throughput", "shapes"):
        assert (repository.root / "docs" / f"bench_{name}.png").stat().st_size


def test_break_even(latency_rows: Rows, tmp_path: Path) -> None:
    # 16 tokens are faster pruned, but 32 are not: what counts is from which length on.
    assert break_even_lengths(latency_rows, plan="freeze") == {"onnx int8": 64}
    assert break_even_lengths(latency_rows, plan="freeze", threads=2) == {}
    slower = [
        dict(row, median_ms=99.0) if "freeze" in row["engine"] else row for row in latency_rows
    ]
    assert break_even_lengths(slower, plan="freeze") == {"onnx int8": None}
    path = tmp_path / "break_even.json"
    path.write_text(json.dumps({"min_tokens": {"torch fp32": 48, "onnx int8": 1}}))
    write_break_even({"onnx int8": 64, "onnx fp32": None}, path)
    table = {"torch fp32": 48, "onnx int8": 64, "onnx fp32": NEVER}
    assert json.loads(path.read_text()) == {"min_tokens": table}


def test_break_even_has_the_format_the_package_reads(tmp_path: Path) -> None:
    path = tmp_path / "break_even.json"
    write_break_even(packaged.read_table(), path)
    assert json.loads(path.read_text())["min_tokens"] == packaged.read_table()


def test_the_lengths_are_written_from_the_rows(
    repository: Repository, latency_rows: Rows, tmp_path: Path
) -> None:
    mild = [
        {**row, "engine": row["engine"].replace(":freeze", ":freeze-0.3-1")} for row in latency_rows
    ]
    rows = repository.write_rows("latency", "latency.jsonl", mild)
    out = tmp_path / "break_even.json"
    assert break_even.main(["--rows", str(rows), "--machine", "A CPU", "--out", str(out)]) == 0
    assert json.loads(out.read_text()) == {"min_tokens": {"onnx int8": 64}}


def test_the_package_has_the_measured_lengths(tmp_path: Path) -> None:
    out = tmp_path / "break_even.json"
    assert break_even.main(["--out", str(out)]) == 0
    assert json.loads(out.read_text())["min_tokens"] == packaged.read_table()
