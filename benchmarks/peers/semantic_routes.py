"""semantic-router: each intent is a route, its examples are the route's utterances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping, Sequence

from benchmarks.peers.interface import Answer

_FILE = "routes.json"


class SemanticRoutes:
    """`IndexedRouter` with a local encoder; everything else is the library's default.

    Its `fit` is left out: that maps scores to probabilities on held-out messages, of which a
    few-shot bot has none, and never changes which route comes first.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Takes the key `model`, a folder."""
        self._model = settings["model"]
        self._router: Any = None

    def fit(self, texts: Sequence[str], labels: Sequence[str], folder: Path) -> None:
        """Builds the router once, as every start does, and keeps its routes."""
        by_label: dict[str, list[str]] = {}
        for text, label in zip(texts, labels):
            by_label.setdefault(label, []).append(text)
        self._build(by_label)
        (folder / _FILE).write_text(json.dumps(by_label), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Builds the router; it embeds the utterances."""
        self._build(json.loads((folder / _FILE).read_text(encoding="utf-8")))

    def answer(self, text: str) -> Answer:
        """Returns the first route and its score."""
        choice = self._router(text)
        return choice.name, float(choice.confidence)

    def _build(self, by_label: Mapping[str, Sequence[str]]) -> None:
        from semantic_router import IndexedRouter, Route
        from semantic_router.encoders import HuggingFaceEncoder

        routes = [Route(name=name, utterances=list(own)) for name, own in by_label.items()]
        self._router = IndexedRouter(encoder=HuggingFaceEncoder(name=self._model), routes=routes)


def build(settings: Mapping[str, Any]) -> SemanticRoutes:
    """Returns the peer."""
    return SemanticRoutes(settings)
