"""`rasa-tokprune parse`: one line in, one line out."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest

from rasa_tokprune.cli import main
from tests.commands.asked import FakeModel, parse_of, use_models

CLASSIFIER = {"name": "rasa_tokprune.TokPruneIntentClassifier"}
TABLE = {"hello": parse_of("hello", "greet", 0.9), "bye": parse_of("bye", "goodbye", 0.8)}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    model = FakeModel(TABLE)
    use_models(monkeypatch, "parse", {"models": model})
    return model


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    path.write_text("hello\n\nbye\nhello\n=1+1\n", encoding="utf-8")
    return path


def lines_of(text: str) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_has_its_answer(
    model: FakeModel, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["parse", str(log), "--batch-size", "2"]) == 0
    shown = capsys.readouterr()
    rows = lines_of(shown.out)
    assert [row["text"] for row in rows] == ["hello", "", "bye", "hello", "=1+1"]
    fallback = "nlu_fallback"
    assert [row["intent"] for row in rows] == ["greet", fallback, "goodbye", "greet", fallback]
    assert model.asked == [["hello", ""], ["bye"], ["=1+1"]]
    assert "5 messages in" in shown.err
    assert main(["parse", str(log), "--quiet", "--json"]) == 0
    shown = capsys.readouterr()
    assert lines_of(shown.out) == rows
    assert shown.err == ""


def test_a_file_is_there_once_it_is_whole(
    model: FakeModel, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "answers.jsonl"
    assert main(["parse", str(log), "--out", str(out), "--quiet"]) == 0
    assert "5" in capsys.readouterr().out
    rows = lines_of(out.read_text(encoding="utf-8"))
    assert len(rows) == 5
    assert list(out.parent.iterdir()) == [out]
    # The fifth line is no UTF-8: what was there stays, what was answered lies beside it.
    log.write_bytes(b"bye\nbye\nbye\nbye\n\xff\n")
    assert main(["parse", str(log), "--out", str(out), "--quiet", "--batch-size", "2"]) == 2
    assert lines_of(out.read_text(encoding="utf-8")) == rows
    assert len(lines_of(Path(f"{out}.part").read_text(encoding="utf-8"))) == 4


def test_the_summary_as_json(
    model: FakeModel, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.csv"
    assert main(["parse", str(log), "--out", str(out), "--quiet", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["messages"] == 5
    assert summary["fallbacks"] == 2
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["hello", "", "bye", "hello", "'=1+1"]


def test_names_of_messages_are_kept(
    model: FakeModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log.csv"
    path.write_text("nr,said\nA1,hello\nA2,bye\n", encoding="utf-8")
    options = ["--text-key", "said", "--id-key", "nr", "--quiet"]
    assert main(["parse", str(path), *options]) == 0
    rows = lines_of(capsys.readouterr().out)
    assert [(row["id"], row["text"]) for row in rows] == [("A1", "hello"), ("A2", "bye")]


def test_rasas_own_form(model: FakeModel, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parse", str(log), "--format", "rasa", "--quiet"]) == 0
    assert lines_of(capsys.readouterr().out)[0] == TABLE["hello"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--batch-size", "0"], "--batch-size must be a number from 1, got 0"),
        (["--ranking", "-1"], "--ranking must be a number from 0, got -1"),
        (["--json", "--format", "csv"], "contradict each other"),
        (["--out", "LOG"], "is what is read; name another file"),
        (["--out", "FOLDER"], "is a folder; name a file"),
        (["--input-format", "jsonl"], "line 1: no JSON"),
        (["--input-format", "csv"], "no column 'text', but 'hello'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be(
    model: FakeModel,
    log: Path,
    tmp_path: Path,
    options: List[str],
    says: str,
    refusal: Callable[[Sequence[str]], str],
) -> None:
    places = {"LOG": str(log), "FOLDER": str(tmp_path)}
    own = [places.get(option, option) for option in options]
    assert says in refusal(["parse", str(log), "--quiet", *own])


@pytest.mark.needs("rasa")
def test_no_model(log: Path, tmp_path: Path, refusal: Callable[[Sequence[str]], str]) -> None:
    line = refusal(["parse", str(log), "--model", str(tmp_path / "none")])
    assert "--model: there is no trained model at" in line


def quiet_tensorflow(**variables: str) -> Dict[str, str]:
    """Returns this environment without what jax, which TensorFlow imports, leaves in it."""
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **variables}


def call(options: Sequence[str], **settings: Any) -> subprocess.CompletedProcess[bytes]:
    settings.setdefault("env", quiet_tensorflow())
    code = "import sys; from rasa_tokprune.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, "parse", *options], capture_output=True, **settings
    )


@pytest.mark.thorough
@pytest.mark.needs("rasa")
def test_stdin_to_stdout_on_every_terminal(train_nlu: Callable[..., str]) -> None:
    archive = train_nlu([CLASSIFIER])
    texts = ["hello there", "caf\xe9 \N{THUMBS UP SIGN}", "", "\x9b\u202e", "/greet"]
    result = call(
        ["-", "--model", archive, "--quiet"],
        input="\n".join(texts).encode(),
        env=quiet_tensorflow(PYTHONIOENCODING="ascii"),
    )
    assert result.returncode == 0, result.stderr
    rows = lines_of(result.stdout.decode("ascii"))
    assert [row["text"] for row in rows] == texts
    assert rows[0]["confidence"] > 0
    # Nothing but answers: what Rasa and its libraries have to say stays unsaid.
    assert result.stderr == b""


@pytest.mark.thorough
@pytest.mark.needs("rasa")
def test_a_reader_that_stops_is_no_error_message(
    train_nlu: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "log.txt"
    path.write_text("".join(f"hello number {number}\n" for number in range(3000)))
    archive = train_nlu([CLASSIFIER])
    code = "import sys; from rasa_tokprune.cli import main; sys.exit(main())"
    words = [sys.executable, "-c", code, "parse", str(path), "--model", archive, "--quiet"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(words, env=quiet_tensorflow(), **pipes)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141
