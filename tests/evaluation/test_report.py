"""Tables and plots come from rows alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from rasa_tokprune.encoder import break_even as packaged
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.evaluation.bench.break_even import (
    NEVER,
    break_even_lengths,
    write_break_even,
)
from rasa_tokprune.evaluation.bench.exponent import fit_exponent
from rasa_tokprune.evaluation.bench.report import tables, write_report
from rasa_tokprune.evaluation.bench.rows import RowStore

Rows = List[Dict[str, Any]]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"


def test_tables(rows: Rows) -> None:
    found = tables(rows)
    assert "| ours:onnx:int8:off | 1.00 / 2.00 (10.0x) |" in found["bench_latency"]
    assert "| onnxruntime:int8 | 4.00 / 8.00 (5.0x) |" in found["bench_messages"]
    assert "onnxruntime:int8: a kind" in found["bench_messages"]
    line = "| ours:onnx:int8:freeze | -50 (0.70) | 25 (0.70) | 0 (0.70) | 25 (0.70) |"
    assert line in found["bench_pruning"]
    assert "| onnx int8 | freeze | 64 tokens |  |" in found["bench_break_even"]
    assert "| onnxruntime:int8 | 250 | 2,500 | 5.0x |" in found["bench_throughput"]
    assert "| bert-base | ours:torch:fp32 | 1 | 1,3 | 0.3 | 40 |" in found["bench_shapes"]
    assert "| fit | 1 | 1e+04 | 1e+06 | 2.00 | 2.00 |" in found["bench_scaling"]
    assert "TokPruneIntentClassifier (prune: off) | 80.0 |" in found["bench_rasa"]
    assert "| 550 | 50 |" in found["bench_rasa"]
    assert found["bench_avx2"] == "Not measured yet."
    of_rows = set(found) - {"bench_break_even", "bench_avx2", "bench_start"}
    assert all("A CPU" in found[name] for name in of_rows)


def test_tables_without_rows() -> None:
    assert set(tables([]).values()) == {"Not measured yet."}


def test_report_fills_the_document(rows: Rows, tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    RowStore(tmp_path / "bench_all.jsonl").add(rows)
    written = write_report(tmp_path, document, tmp_path / "plots")
    assert "| onnx int8 | freeze | 64 tokens |" in document.read_text(encoding="utf-8")
    names = {"bench_latency.png", "bench_throughput.png", "bench_shapes.png", "bench_scaling.png"}
    assert {path.name for path in written} == {"benchmarks.md", *names}
    assert all(path.stat().st_size for path in written)
    for plot in names:
        assert f"({plot})" in document.read_text(encoding="utf-8")


def test_report_without_rows_or_markers(rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no rows in"):
        write_report(tmp_path, tmp_path / "a.md", tmp_path)
    RowStore(tmp_path / "bench_all.jsonl").add(rows)
    (tmp_path / "a.md").write_text("# No tables\n")
    with pytest.raises(ConfigError, match="no place for the table 'bench_latency'"):
        write_report(tmp_path, tmp_path / "a.md", tmp_path)


def test_break_even(rows: Rows, tmp_path: Path) -> None:
    # 16 tokens are faster pruned, but 32 are not: what counts is from which length on.
    assert break_even_lengths(rows, plan="freeze") == {"onnx int8": 64}
    assert break_even_lengths(rows, plan="freeze", threads=2) == {}
    slower = [dict(row, median_ms=99.0) if "freeze" in row["engine"] else row for row in rows
              if "engine" in row]  # fmt: skip
    assert break_even_lengths(slower, plan="freeze") == {"onnx int8": None}
    path = tmp_path / "break_even.json"
    path.write_text(json.dumps({"min_tokens": {"torch fp32": 48, "onnx int8": 1}}))
    write_break_even({"onnx int8": 64, "onnx fp32": None}, path)
    table = {"torch fp32": 48, "onnx int8": 64, "onnx fp32": NEVER}
    assert json.loads(path.read_text()) == {"min_tokens": table}


def test_break_even_has_the_format_the_package_reads(rows: Rows, tmp_path: Path) -> None:
    path = tmp_path / "break_even.json"
    write_break_even(packaged.read_table(), path)
    assert json.loads(path.read_text())["min_tokens"] == packaged.read_table()


def test_exponent_of_known_data() -> None:
    sizes = np.array([1.0, 10.0, 100.0])
    assert fit_exponent(sizes, 3 * sizes**1.5) == pytest.approx(1.5)
    assert fit_exponent(sizes, [7.0, 7.0, 7.0]) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ConfigError, match="two different sizes"):
        fit_exponent([8, 8], [1.0, 2.0])
    with pytest.raises(ConfigError, match="must be positive"):
        fit_exponent([1, 2], [0.0, 1.0])
