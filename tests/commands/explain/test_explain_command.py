"""`rasa-tokprune explain` on a trained Rasa model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, List

import pytest

from rasa_tokprune.cli import main

CLASSIFIER = {"name": "rasa_tokprune.TokPruneIntentClassifier"}


def test_a_trained_model_is_explained(
    train_nlu: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    archive = train_nlu([CLASSIFIER])
    capsys.readouterr()
    assert main(["explain", "--model", archive, "--json", "hello there", " "]) == 0
    first, blank = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["text"] == "hello there"
    assert len(first["intents"]) == 2
    assert {token["layer"] for token in first["tokens"]} <= {None, 1}
    assert blank["intents"] == []
    # The folder stands for its newest archive; lines to read hold the same.
    assert main(["explain", "--model", str(Path(archive).parent), "hello there", " "]) == 0
    text = capsys.readouterr().out
    best = first["intents"][0]
    assert f"{best['intent']}, confidence {best['confidence']:.3f}" in text
    assert f"'{best['nearest_example']}', similarity {best['similarity']:.3f}" in text
    assert f"{first['margin']:+.2f} to the operating point" in text
    assert "the message has no content" in text
    assert "pruned after layer 1" in text


def test_a_model_without_our_classifier(
    train_nlu: Callable[..., str], refusal: Callable[[List[str]], str]
) -> None:
    archive = train_nlu([{"name": "WhitespaceTokenizer"}, {"name": "KeywordIntentClassifier"}])
    line = refusal(["explain", "--model", archive, "hello"])
    assert "holds no TokPruneIntentClassifier" in line


def test_a_damaged_model(tmp_path: Path, refusal: Callable[[List[str]], str]) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    assert "cannot be used" in refusal(["explain", "--model", str(tmp_path), "hello"])


def test_no_model(tmp_path: Path, refusal: Callable[[List[str]], str]) -> None:
    line = refusal(["explain", "--model", str(tmp_path / "none"), "hello"])
    assert "there is no trained model at" in line
