"""Growth of memory, huge texts, tables, and two minutes of the real thing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Dict

import pytest

from benchmarks.conftest import ENVIRONMENT, Refusal
from benchmarks.reliability.soak import huge, soak, tables
from benchmarks.rows import read_rows

ABOUT: Dict[str, Any] = {"environment": ENVIRONMENT, "load_average": 1.0}
# Of a server that asks nothing of the machine but what this one asks.
MOST_GROWTH = 0.02


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([100.0] * 8, 0.0),
        ([50.0, 60.0, 100.0, 100.0, 100.0, 100.0, 102.0, 102.0], 0.02),
        ([100.0, 100.0, 100.0, 100.0, 900.0, 100.0, 100.0, 100.0], 0.0),
        ([100.0], 0.0),
    ],
)
def test_growth_is_that_of_the_end(samples: Any, expected: float) -> None:
    assert soak.growth(samples) == pytest.approx(expected)


@pytest.mark.parametrize("kind", huge.KINDS)
def test_a_huge_text_is_as_long_as_it_says(kind: str) -> None:
    assert len(huge.text_of(kind, 5000)) == 5000


def test_tables() -> None:
    row = {"settings": {"minutes": 2.0, "workers": 1}, "n": 9, "wrong": 0, "lost": 0}
    row.update(p50_ms=1.0, p99_ms=2.0, growth=0.001, samples=[{"anonymous_mb": 300.0}])
    text = tables.soak_table([{**row, "kinds": {"payloads": 4, "messages": 5}, **ABOUT}])
    assert "| 2 (a shorter run) | 1 | 9 | 5 messages, 4 payloads | 0 | 0 | 1 | 2 | 300 |" in text
    assert "+0.1%" in text
    times = {"beginning_ms": 1.0, "whole_ms": 2.0, "more_mb": 0.0}
    text = tables.huge_table([{"kind": "emoji", "component": "A", **times, **ABOUT}])
    assert "| emoji | `A` | 1.0 | 2.0 | 0.0 |" in text


def test_one_line_errors(tmp_path: Path, refusal: Refusal) -> None:
    out = ["--out", str(tmp_path / "rows.jsonl")]
    assert "above 0, got 0" in refusal(soak.main, [*out, "--minutes", "0"])
    assert "from 1, got 0" in refusal(huge.main, [*out, "--repetitions", "0"])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_two_minutes_leave_memory_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    # Without huge messages, whose words Rasa holds for a while: what is left has to be flat.
    options = ["--minutes", "2", "--messages", "1100", "--huge-every", "0"]
    assert soak.main([*options, "--out", str(out)]) == 0
    (row,) = read_rows(out)
    assert (row["wrong"], row["lost"]) == (0, 0)
    assert row["growth"] < MOST_GROWTH
    assert row["kinds"]["payloads"] > 0
