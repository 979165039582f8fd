"""A trained model that needs no Rasa: its answers are a table."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

import pytest

Parse = Dict[str, Any]


def parse_of(
    text: str,
    intent: Optional[str],
    confidence: float = 1.0,
    *,
    below: Sequence[Any] = (),
    entities: Sequence[Any] = (),
    answer: Optional[str] = None,
) -> Parse:
    """Returns a parse as Rasa gives it; `below` are name and confidence of the other intents."""
    taken: Dict[str, Any] = {"name": intent, "confidence": confidence}
    others = [{"name": name, "confidence": share} for name, share in below]
    if answer is not None:
        taken["full_retrieval_intent_name"] = answer
    ranking = [dict(taken), *others]
    return {"text": text, "intent": taken, "intent_ranking": ranking, "entities": list(entities)}


@dataclasses.dataclass
class FakeModel:
    """Answers by a table; what is not in it falls back."""

    table: Mapping[str, Parse]
    archive: Path = Path("models/fake.tar.gz")
    model_id: str = "fake"
    fallback_threshold: Optional[float] = 0.5
    asked: List[List[str]] = dataclasses.field(default_factory=list)

    def load(self) -> None:
        """Has nothing to load."""

    def parse(self, texts: Sequence[str]) -> List[Parse]:
        self.asked.append(list(texts))
        unknown = [{"name": "greet", "confidence": 0.2}]
        return [
            self.table.get(text)
            or {**parse_of(text, "nlu_fallback", 0.5, below=[("greet", 0.2)]), "more": unknown}
            for text in texts
        ]


def use_models(
    monkeypatch: pytest.MonkeyPatch, command: str, models: Mapping[str, FakeModel]
) -> None:
    """Lets a command open these models, by path."""

    @contextlib.contextmanager
    def open_model(path: Path, option: str = "--model") -> Iterator[FakeModel]:
        yield models[str(path)]

    monkeypatch.setattr(f"rasa_tokprune.commands.{command}.command.open_model", open_model)
