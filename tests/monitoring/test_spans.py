"""Spans carry numbers, and are there only where OpenTelemetry is."""

from __future__ import annotations

import contextlib
import sys
import types
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import pytest

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.monitoring import spans
from rasa_tokprune.monitoring.exposition import ADDRESS_VARIABLE, serve_once
from rasa_tokprune.monitoring.watch import watch


class Tracer:
    """Stands in for OpenTelemetry's: keeps what was written on its spans."""

    def __init__(self) -> None:
        self.written: List[Tuple[str, Dict[str, Any]]] = []

    @contextlib.contextmanager
    def start_as_current_span(self, name: str) -> Iterator[Any]:
        attributes: Dict[str, Any] = {}
        yield types.SimpleNamespace(set_attribute=attributes.__setitem__)
        self.written.append((name, attributes))


@pytest.fixture
def tracer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracer]:
    """Puts a tracer where OpenTelemetry's API would be found."""
    found = Tracer()
    trace = types.SimpleNamespace(get_tracer=lambda name: found)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)  # type: ignore[arg-type]
    monkeypatch.setattr(spans, "is_installed", lambda name: True)
    monkeypatch.delenv(ADDRESS_VARIABLE, raising=False)
    serve_once.cache_clear()
    spans.tracer.cache_clear()
    yield found
    spans.tracer.cache_clear()


def test_a_decision_is_a_span_of_numbers(tracer: Tracer) -> None:
    rankings = iter([[("greet", 0.9)], [("bye", 0.3)], []])
    assert len(list(watch("TokPruneIntentClassifier").rankings(rankings))) == 3
    ((name, attributes),) = tracer.written
    assert name == spans.DECIDE_SPAN
    assert attributes == {
        "rasa_tokprune.component": "TokPruneIntentClassifier",
        "rasa_tokprune.messages": 3,
        "rasa_tokprune.below_operating_point": 2,
    }


def test_a_forward_pass_is_a_span_of_numbers(
    tracer: Tracer, tiny_bert: Path, plan_path: Path
) -> None:
    tiny_encoder = load_encoder(str(tiny_bert), prune=plan_path, precision="auto")
    watched = watch("TokPruneFeaturizer").encoder(tiny_encoder)
    text = "where is the nearest shop that sells tea"
    (expected,) = tiny_encoder.encode_detailed([text])
    assert (watched.encode([text])[0] == expected.embedding).all()
    ((name, attributes),) = tracer.written
    assert name == spans.ENCODE_SPAN
    assert attributes == {
        "rasa_tokprune.component": "TokPruneFeaturizer",
        "rasa_tokprune.texts": 1,
        "rasa_tokprune.tokens": len(expected.tokens),
        "rasa_tokprune.tokens_kept": int((expected.pruned_after == -1).sum()),
    }
    assert all(text not in str(value) for value in attributes.values())


def test_a_package_of_that_name_without_an_api_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(spans, "is_installed", lambda name: True)
    monkeypatch.setattr(spans.importlib, "import_module", missing)
    spans.tracer.cache_clear()
    assert spans.tracer() is None
    with spans.span(spans.ENCODE_SPAN) as opened:
        assert opened is None
    spans.tracer.cache_clear()
