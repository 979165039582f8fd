"""Engines really run in processes of their own; what is measured is not measured again."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

from benchmarks.engines.worker_process import WorkerError, WorkerProcess, WorkerSettings
from benchmarks.latency import comparison
from benchmarks.latency.comparison import Comparison, Condition, compare, summarize
from benchmarks.latency.latency import exact_conditions, measure_latency
from benchmarks.rows import RowStore
from rasa_tokprune.errors import ConfigError

OFF, DROP, IMPOSSIBLE = "ours:torch:fp32:off", "ours:torch:fp32:drop-0.5-0", "ours:torch:int8:off"


@pytest.fixture
def settings(tiny_bert: Path, tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(tiny_bert, tmp_path / "work")


@pytest.mark.thorough
def test_engines_are_measured_once(
    settings: WorkerSettings,
    messages: List[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "latency.jsonl"
    options = {"model": "tiny", "repetitions": 3, "lengths": (8, 16)}
    measure_latency(messages, [OFF, DROP, IMPOSSIBLE], settings, RowStore(path), **options)
    assert "precision 'int8' does not run on backend 'torch'" in capsys.readouterr().out

    rows = RowStore(path).rows()
    exact = {(r["engine"], r["tokens"]): r for r in rows if r["kind"] == "exact"}
    assert set(exact) == {(engine, n) for engine in (OFF, DROP) for n in (8, 16)}
    assert {r["bucket"] for r in rows if r["kind"] == "messages"} == {"<=8", "9-16"}
    for row in rows:
        assert 0 < row["median_ms"] <= row["p95_ms"]
        assert (row["n"], row["threads"], row["batch_size"]) == (3, 1, 1)
        assert row["environment"]["versions"]["torch"]
        assert str(settings.folder) not in str(row)
    assert exact[OFF, 16]["cost"] == 1.0
    # 14 content tokens, 7 dropped (ceil(.5 * 13)) after the first of 4 layers.
    assert exact[DROP, 16]["cost"] == pytest.approx((16 + 3 * 9) / (4 * 16))

    monkeypatch.setattr(comparison, "WorkerProcess", None)  # no process may start
    measure_latency(messages, [OFF, DROP], settings, RowStore(path), **options)
    with pytest.raises(TypeError, match="not callable"):
        measure_latency(messages, [OFF], settings, RowStore(path, force=True), **options)


@pytest.mark.thorough
def test_worker_answers_over_a_clean_pipe(settings: WorkerSettings) -> None:
    with WorkerProcess([OFF, DROP], settings) as worker:
        assert set(worker.report) == {OFF, DROP}
        assert min(worker.seconds(OFF, ["hello there"], n_warm_calls=2)) > 0
        assert worker.costs(OFF, ["hello there"]) == [1.0]
        first, second = (worker.embeddings(name, ["hello there"])[0] for name in (OFF, DROP))
        assert len(first) == 32
        assert first != second
        with pytest.raises(WorkerError, match="ended with code 1: KeyError"):
            worker.seconds("another", ["hello"])


def test_nothing_can_be_built(settings: WorkerSettings, tmp_path: Path) -> None:
    condition = Condition({"tokens": 3}, (("hello",),))
    asked = Comparison({"benchmark": "latency"}, [[IMPOSSIBLE]], [condition], repetitions=1)
    with pytest.raises(ConfigError, match="none of the engines"):
        compare(asked, settings, RowStore(tmp_path / "rows.jsonl"))
    many = WorkerSettings(settings.folder, settings.work, threads=10_000)
    with pytest.raises(ConfigError, match="threads must be in"):
        compare(asked, many, RowStore(tmp_path / "rows.jsonl"))


def test_conditions_and_summary(tiny_bert: Path, messages: List[str]) -> None:
    (condition,) = exact_conditions(messages, tiny_bert, [8])
    assert condition.key == {"kind": "exact", "tokens": 8}
    assert all(len(call) == 1 for call in condition.calls)
    assert summarize([0.001, 0.003, 0.002]) == {
        "median_ms": 2.0,
        "p95_ms": pytest.approx(2.9),
        "n": 3,
    }
