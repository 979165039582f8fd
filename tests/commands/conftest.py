"""A small bot, the quick options of `evaluate`, and a record of what is encoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Sequence

import numpy as np
import pytest

from rasa_tokprune.encoder import Encoder
from tests.bots_on_disk import HELLO, OOS, REFUND, SHIPPING, TRAIN, write_nlu


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
