"""`rasa-tokprune diff`: two models, one log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest

from rasa_tokprune.cli import main
from tests.bots_on_disk import BOT, write_nlu
from tests.commands.asked import FakeModel, parse_of, use_models

CITY = {"entity": "city", "start": 0, "end": 4, "value": "rome"}
OLD = {
    "hello": parse_of("hello", "greet", 0.9),
    "bye": parse_of("bye", "goodbye", 0.8),
    "rome": parse_of("rome", "inform", 0.7, entities=[CITY]),
    "when": parse_of("when", "faq", 0.9, answer="faq/when"),
}
NEW = {
    **OLD,
    "bye": parse_of("bye", "nlu_fallback", 0.5, below=[("goodbye", 0.4)]),
    "rome": parse_of("rome", "inform", 0.7),
    "when": parse_of("when", "faq", 0.9, answer="faq/where"),
}


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Dict[str, FakeModel]:
    models = {"old": FakeModel(OLD, Path("old.tar.gz")), "new": FakeModel(NEW, Path("new.tar.gz"))}
    use_models(monkeypatch, "diff", models)
    return models


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    texts = ["hello"] * 5 + ["", "bye", "rome", " hello ", "when", "\x1b[31mwhat\u202e", "bye"]
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def call(log: Path, *options: str) -> List[str]:
    return ["diff", "old", "new", "--log", str(log), "--quiet", *options]


def result_of(log: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    main(call(log, "--json", *options))
    return json.loads(capsys.readouterr().out)


def test_one_model_given_twice_is_remarked_on(
    monkeypatch: pytest.MonkeyPatch, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = FakeModel(OLD, Path("old.tar.gz"))
    use_models(monkeypatch, "diff", {"old": model, "new": model})
    assert main(["diff", "old", "new", "--log", str(log), "--json"]) == 0
    said = capsys.readouterr()
    assert "OLD and NEW are the same model, 'old.tar.gz': nothing can differ" in said.err
    assert json.loads(said.out)["changed"]["any"]["messages"] == 0


def test_what_changed(
    models: Dict[str, FakeModel], log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = result_of(log, capsys)
    assert found["messages"] == 11
    assert found["different_messages"] == 5
    counts = {kind: share["messages"] for kind, share in found["changed"].items()}
    assert counts == {
        "action": 2, "intent": 0, "entities": 1, "answer": 1,
        "became_fallback": 2, "stopped_fallback": 0, "any": 4,
    }  # fmt: skip
    # Each different message once, the most frequent first.
    assert models["old"].asked[0][:2] == ["hello", "bye"]
    assert len(models["old"].asked[0]) == 5
    assert found["gates"] == []


def test_what_is_shown(
    models: Dict[str, FakeModel], log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(call(log)) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    lines = shown.out.splitlines()
    assert lines[0] == "old.tar.gz -> new.tar.gz"
    assert lines[1] == "11 messages, 5 different"
    assert any(line.split()[:4] == ["another", "action", "2", "18.18%"] for line in lines)
    assert any(line.split() == ["goodbye", "(fallback)", "bye", "2"] for line in lines)
    assert all(line == line.rstrip() for line in lines)
    models["new"].table = {**NEW, "\x1b[31mwhat\u202e": parse_of("what", "greet", 0.9)}
    main(call(log))
    assert "\\x1b[31mwhat\\u202e" in capsys.readouterr().out


def test_changed_messages_are_written(
    models: Dict[str, FakeModel], log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "changed.jsonl"
    assert main(call(log, "--out", str(out))) == 0
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(row["text"], row["count"], row["changed"]) for row in rows] == [
        ("bye", 2, ["action"]), ("rome", 1, ["entities"]), ("when", 1, ["answer"]),
    ]  # fmt: skip
    assert rows[0]["old"]["action"] == "goodbye"
    assert rows[0]["new"] == {
        "action": "nlu_fallback", "intent": "goodbye", "confidence": 0.4, "entities": [],
        "answer": None,
    }  # fmt: skip
    assert rows[1]["old"]["entities"] == [CITY]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--max-changed", "0.2"], 0),
        (["--max-changed", "0.18"], 1),
        (["--max-changed", "0.2", "--bound"], 1),
        (["--max-changed", "0.2", "--max-entities", "0"], 1),
        (["--max-fallback", "0.1"], 1),
        (["--max-answers", "0.1"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_gates_decide_the_exit_code(
    models: Dict[str, FakeModel], log: Path, options: List[str], code: int
) -> None:
    assert main(call(log, *options)) == code


def test_labels_say_which_model_is_right(
    models: Dict[str, FakeModel], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = write_nlu(
        tmp_path / "test.yml",
        {"greet": ["hello"], "goodbye": ["bye"], "faq/where": ["when"], "out_of_scope": ["ufo"]},
    )
    found = result_of(labelled, capsys)["labels"]
    assert [found[kind] for kind in ("both", "lost", "gained", "neither")] == [2, 1, 1, 0]
    assert main(call(labelled, "--max-lost", "0.25")) == 0
    assert "the old one alone" in capsys.readouterr().out
    assert main(call(labelled, "--max-lost", "0.2")) == 1


def test_a_model_without_fallback_falls_back_under_the_threshold(
    models: Dict[str, FakeModel], log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models["old"].fallback_threshold = None
    found = result_of(log, capsys, "--threshold", "0.85")
    assert "confidence under 0.85" in found["old"]["fallback"]
    assert found["new"]["fallback"] == "FallbackClassifier, threshold 0.5"
    # 'bye' (0.8) falls back with both now, 'rome' (0.7) with the old one alone.
    assert found["changed"]["action"]["messages"] == 1
    assert found["changed"]["stopped_fallback"]["messages"] == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--max-changed", "2"], "--max-changed must be a share in [0, 1], got 2.0"),
        (["--max-lost", "0.1"], "--max-lost needs labelled messages"),
        (["--bound"], "--bound needs a limit, such as --max-changed 0.02"),
        (["--threshold", "-1"], "--threshold must be in [0, 1], got -1.0"),
        (["--examples", "-1"], "--examples must be a number from 0, got -1"),
        (["--batch-size", "0"], "--batch-size must be a number from 1, got 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be(
    models: Dict[str, FakeModel],
    log: Path,
    options: List[str],
    says: str,
    refusal: Callable[[Sequence[str]], str],
) -> None:
    assert says in refusal(call(log, *options))


def test_a_log_without_messages(
    models: Dict[str, FakeModel], tmp_path: Path, refusal: Callable[[Sequence[str]], str]
) -> None:
    (tmp_path / "log.txt").write_text("\n \n")
    assert "holds no message" in refusal(call(tmp_path / "log.txt"))


@pytest.mark.thorough
@pytest.mark.needs("rasa")
def test_two_trained_models(
    train_nlu: Callable[..., str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    refusal: Callable[[Sequence[str]], str],
) -> None:
    classifier = {"name": "rasa_tokprune.TokPruneIntentClassifier"}
    old = train_nlu([classifier])
    tokenizer = {"name": "WhitespaceTokenizer"}
    new = train_nlu([tokenizer, {"name": "KeywordIntentClassifier"}])
    log = str(BOT / "nlu.yml")
    capsys.readouterr()
    # A model is like itself, and folders stand for their newest archive.
    folder = str(Path(old).parent)
    assert main(["diff", old, folder, "--log", log, "--max-changed", "0", "--quiet"]) == 0
    assert main(["diff", old, new, "--log", log, "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [found[which]["model"] for which in ("old", "new")] == [old, new]
    labels = found["labels"]
    counted = sum(labels[kind] for kind in ("both", "lost", "gained", "neither"))
    assert counted == found["messages"] == found["different_messages"]
    # A pipeline of keywords knows an example by the keyword that is all of it.
    assert labels["both"] + labels["gained"] > counted / 2
    (tmp_path / "broken.tar.gz").write_bytes(b"none")
    broken = str(tmp_path / "broken.tar.gz")
    assert f"'{broken}' cannot be used" in refusal(["diff", old, broken, "--log", log])
    assert "NEW: there is no trained model" in refusal(["diff", old, "none", "--log", log])
