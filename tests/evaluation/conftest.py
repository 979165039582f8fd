"""Made-up rows of every benchmark, messages the tiny checkpoints know, and a small bot."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np
import pytest
from rasa.shared.utils.io import write_yaml

from rasa_tokprune.encoder import Encoder
from tests.conftest import CORPUS

ENVIRONMENT = {
    "cpu": "A CPU",
    "flags": ["avx2"],
    "cores": 2,
    "versions": {"torch": "2.1"},
    "date": "2026-01-02",
}

SHIPPING = ["where is my parcel", "when will my parcel arrive", "is the parcel on its way"]
REFUND = ["I want my money back", "refund the order please", "can I get a refund"]
HELLO = ["hello there", "hello hello", "good morning to you"]
TRAIN = {"shipping": SHIPPING, "refund": REFUND, "hello": HELLO}
OOS = ["sing me a song", "who won the cup"]


@pytest.fixture
def messages() -> List[str]:
    return [*CORPUS, "hello", "refund"]


def latency_row(engine: str, tokens: int, median_ms: float, **fields: Any) -> Dict[str, Any]:
    row = {"benchmark": "latency", "model": "m", "engine": engine, "threads": 1, "batch_size": 1}
    row.update(kind="exact", tokens=tokens, median_ms=median_ms, p95_ms=2 * median_ms, n=5)
    return {**row, "environment": ENVIRONMENT, **fields}


@pytest.fixture
def rows() -> List[Dict[str, Any]]:
    """Pruning saves time from 32 tokens on; everything else is a round number."""
    made = []
    for tokens, off, freeze in ((8, 1.0, 1.5), (16, 2.0, 1.5), (32, 4.0, 4.0), (64, 8.0, 6.0)):
        made.append(latency_row("sentence-transformers", tokens, 10.0))
        made.append(latency_row("ours:onnx:int8:off", tokens, off, cost=1.0))
        made.append(latency_row("ours:onnx:int8:freeze", tokens, freeze, cost=0.7))
    for engine, ms in (("sentence-transformers", 20.0), ("onnxruntime:int8", 4.0)):
        made.append(latency_row(engine, 0, ms, kind="messages", bucket="9-16", variant="a kind"))
        speed = {"benchmark": "throughput", "n_texts": 100, "n_tokens_mean": 10.0}
        made.append(latency_row(engine, 0, ms * 100, kind="all", **speed))
    for plan, ms in (("off", 10.0), ("drop-0.3-1,3", 6.0), ("drop-0.5-1,3", 5.0)):
        engine = f"ours:torch:fp32:{plan}"
        made.append(latency_row(engine, 64, ms, benchmark="shapes", model="bert-base"))
    for n_examples in (100, 1000):
        fields = {"benchmark": "scaling", "kind": "examples", "n_way": 77}
        made.append(latency_row("fit", 0, n_examples**2, n_examples=n_examples, **fields))
    return [*made, *rasa_rows()]


def rasa_rows() -> List[Dict[str, Any]]:
    clients = {"p50_ms": 2.0, "p95_ms": 3.0, "requests_per_s": 400.0, "n": 10}
    common = {"benchmark": "rasa", "task": "bot", "threads": 1, "environment": ENVIRONMENT}
    common.update(clients_1=clients, clients_8=clients, train_peak_mb=600.0, model_mb=1.0)
    keyword = {"pipeline": "keyword", "settings": {}, "rss_mb": 500.0, "accuracy": None}
    ours = {"pipeline": "tokprune", "settings": {"prune": "off"}, "rss_mb": 550.0, "accuracy": 0.8}
    return [{**common, **own, "train_s": 12.0} for own in (keyword, ours)]


def write_nlu(path: Path, intents: Mapping[str, Sequence[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nlu = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}
        for intent, texts in intents.items()
    ]
    write_yaml({"version": "3.1", "nlu": nlu}, path)
    return path


@pytest.fixture
def options(tiny_bert: Path, tmp_path: Path) -> List[str]:
    places = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    return ["evaluate", "--models", str(tiny_bert), *places]


@pytest.fixture
def quick(options: List[str]) -> List[str]:
    return [*options, "--quiet", "--no-plots"]


@pytest.fixture
def bot(tmp_path: Path) -> List[str]:
    """Four test messages, word for word from the training data; one has another's intent."""
    test = {"shipping": SHIPPING[:2], "hello": [HELLO[0], REFUND[0]]}
    train = write_nlu(tmp_path / "data" / "nlu.yml", TRAIN)
    return ["--train", str(train), "--test", str(write_nlu(tmp_path / "test.yml", test))]


@pytest.fixture
def oos_file(tmp_path: Path) -> Path:
    path = tmp_path / "oos.txt"
    path.write_text("\n\n".join(OOS), encoding="utf-8")
    return path


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """Returns a list that gets every text an encoder encodes."""
    texts: List[str] = []
    original = Encoder.encode

    def encode(self: Encoder, given: Sequence[str], **settings: Any) -> np.ndarray:
        texts.extend(given)
        return original(self, given, **settings)

    monkeypatch.setattr(Encoder, "encode", encode)
    return texts
