"""`rasa-tokprune explain` on a trained Rasa model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable, List

import pytest

from rasa_tokprune.cli import main
from tests.bots_on_disk import write_nlu

pytestmark = pytest.mark.thorough

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
    assert f"{best['confidence']:.3f}  {best['intent']}\n" in text
    assert f"'{best['nearest_example']}', similarity {best['similarity']:.3f}" in text
    assert f"{first['margin']:+.2f} to the operating point" in text
    assert "the message has no content" in text
    assert "a number under a token: pruned after that layer" in text


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


CORRECTOR = """
from typing import Any, Dict, List, Text

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_TOKENIZER, is_trainable=False)
class Corrector(GraphComponent):
    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "Corrector":
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            message.set("text", message.get("text").replace("helo", "hello"))
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data
"""


@pytest.fixture
def corrected(
    train_nlu: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Returns a model whose pipeline begins with a component of the working folder."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "spelling.py").write_text(CORRECTOR)
    monkeypatch.chdir(tmp_path / "bot")
    monkeypatch.syspath_prepend(str(tmp_path / "bot"))
    archive = train_nlu([{"name": "spelling.Corrector"}, CLASSIFIER])
    monkeypatch.delitem(sys.modules, "spelling")
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(tmp_path / "bot")])
    return archive


def test_the_text_explained_is_the_one_the_classifier_gets(
    corrected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["explain", "--model", corrected, "--json", "helo there", "hello there"]) == 0
    wrong, right = map(json.loads, capsys.readouterr().out.splitlines())
    assert wrong == right
    assert right["text"] == "hello there"


def test_a_component_that_is_not_found_is_one_line(
    corrected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refusal: Callable[[List[str]], str],
) -> None:
    monkeypatch.chdir(tmp_path)
    line = refusal(["explain", "--model", corrected, "hello"])
    assert "cannot be used" in line
    assert "spelling" in line


def test_a_model_that_may_not_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Callable[[List[str]], str]
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("rasa_tokprune.commands.explain.model.os.stat", refuse)
    line = refusal(["explain", "--model", str(tmp_path), "hello"])
    assert line.endswith(f"'{tmp_path}' cannot be read: Permission denied")


def test_a_model_that_learned_no_intent(
    train_nlu: Callable[..., str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    nlu = write_nlu(tmp_path / "invisible.yml", {"nothing": ["\u2060\u2800"]})
    archive = train_nlu([CLASSIFIER], nlu=nlu)
    line = refusal(["explain", "--model", archive, "hello"])
    assert "the classifier is not trained" in line


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "utf-8"])
def test_json_is_json_on_every_terminal(train_nlu: Callable[..., str], encoding: str) -> None:
    archive = train_nlu([CLASSIFIER])
    text = "hello \N{THUMBS UP SIGN} caf\N{LATIN SMALL LETTER E WITH ACUTE} \x9b\u202e"
    for options in (["--json"], []):
        code = "import sys; from rasa_tokprune.cli import main; sys.exit(main())"
        result = subprocess.run(
            [sys.executable, "-c", code, "explain", "--model", archive, *options, text],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert result.returncode == 0, result.stderr
        shown = result.stdout.decode(encoding)
        assert "\x9b" not in shown
        assert "\u202e" not in shown
        if options:
            assert json.loads(shown)["text"] == text
