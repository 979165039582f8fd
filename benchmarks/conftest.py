"""Made-up rows of the benchmarks, and messages the tiny checkpoints know."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest

from benchmarks import tables
from tests.checkpoints import CORPUS

ENVIRONMENT = {
    "cpu": "A CPU",
    "flags": ["avx2"],
    "cores": 2,
    "versions": {"torch": "2.1"},
    "date": "2026-01-02",
}
Rows = List[Dict[str, Any]]
Refusal = Callable[[Callable[[Sequence[str]], int], Sequence[str]], str]


@pytest.fixture
def messages() -> List[str]:
    return [*CORPUS, "hello", "refund"]


def engine_row(engine: str, median_ms: float, **fields: Any) -> Dict[str, Any]:
    row = {"benchmark": "latency", "model": "m", "engine": engine, "threads": 1, "batch_size": 1}
    row.update(median_ms=median_ms, p95_ms=2 * median_ms, n=5, environment=ENVIRONMENT)
    return {**row, **fields}


def latency_row(engine: str, tokens: int, median_ms: float, **fields: Any) -> Dict[str, Any]:
    return engine_row(engine, median_ms, kind="exact", tokens=tokens, **fields)


@pytest.fixture
def latency_rows() -> Rows:
    """Pruning saves time from 32 tokens on; everything else is a round number."""
    made = []
    for tokens, off, freeze in ((8, 1.0, 1.5), (16, 2.0, 1.5), (32, 4.0, 4.0), (64, 8.0, 6.0)):
        made.append(latency_row("sentence-transformers", tokens, 10.0))
        made.append(latency_row("ours:onnx:int8:off", tokens, off, cost=1.0))
        made.append(latency_row("ours:onnx:int8:freeze", tokens, freeze, cost=0.7))
    about = {"kind": "messages", "bucket": "9-16", "variant": "a kind"}
    for engine, ms in (("sentence-transformers", 20.0), ("onnxruntime:int8", 4.0)):
        made.append(engine_row(engine, ms, **about))
    return made


@pytest.fixture
def throughput_rows() -> Rows:
    about = {"benchmark": "throughput", "n_texts": 100, "n_tokens_mean": 10.0}
    engines = (("sentence-transformers", 2000.0), ("onnxruntime:int8", 400.0))
    return [engine_row(engine, ms, **about) for engine, ms in engines]


@pytest.fixture
def shape_rows() -> Rows:
    plans = (("off", 10.0), ("drop-0.3-1,3", 6.0), ("drop-0.5-1,3", 5.0))
    about = {"benchmark": "shapes", "model": "bert-base"}
    return [latency_row(f"ours:torch:fp32:{plan}", 64, ms, **about) for plan, ms in plans]


@pytest.fixture
def growth_rows() -> Rows:
    about = {"benchmark": "scaling", "kind": "examples", "n_way": 77}
    return [engine_row("fit", float(n) ** 2, n_examples=n, **about) for n in (100, 1000)]


@pytest.fixture
def server_rows() -> Rows:
    clients = {"p50_ms": 2.0, "p95_ms": 3.0, "requests_per_s": 400.0, "n": 10}
    common = {"benchmark": "rasa", "task": "bot", "threads": 1, "environment": ENVIRONMENT}
    common.update(clients_1=clients, clients_8=clients, train_peak_mb=600.0, model_mb=1.0)
    keyword = {"pipeline": "keyword", "settings": {}, "rss_mb": 500.0, "accuracy": None}
    ours = {"pipeline": "tokprune", "settings": {"prune": "off"}, "rss_mb": 550.0, "accuracy": 0.8}
    return [{**common, **own, "train_s": 12.0} for own in (keyword, ours)]


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Refusal:
    """Returns a function: a module's `main`, arguments -> the one clear line that refuses them."""

    def refuse(main: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> str:
        capsys.readouterr()
        assert main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("python -m benchmarks.")
        return line

    return refuse


@dataclasses.dataclass(frozen=True)
class Repository:
    """A folder that `python -m benchmarks.tables` takes for this repository."""

    root: Path

    def write_rows(self, question: str, name: str, rows: Sequence[Dict[str, Any]]) -> Path:
        path = self.root / "benchmarks" / question / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    def write_document(self, name: str, *markers: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        places = (f"Text\n<!-- table:{marker} -->\n<!-- end table -->\n" for marker in markers)
        path.write_text("".join(places), encoding="utf-8")
        return path


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    return Repository(tmp_path)
