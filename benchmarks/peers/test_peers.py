"""A peer learns and answers in processes of its own; what is missing is said."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from benchmarks.conftest import Refusal
from benchmarks.peers import accuracy, costs, environments
from benchmarks.peers.accuracy import available, measure, measures_of
from benchmarks.peers.environments import checkpoint_of, megabytes, python_of
from benchmarks.peers.rasa_pipeline import training_data
from benchmarks.peers.registry import PEERS, PLANS
from benchmarks.peers.sets import Bot, bot_of_task, drawn_bots
from benchmarks.peers.worker import build, serve, versions
from benchmarks.peers.worker_process import PeerError, PeerProcess
from rasa_tokprune.commands.adapt.judges import read_set
from rasa_tokprune.texts.tasks import Task, read_examples, sample_shots

BOT = Bot(
    name="greetings",
    texts=["hello there", "good bye"],
    labels=["greet", "leave"],
    query=["hello", "bye", "hm"],
    answers=["greet", "leave", "leave"],
    strangers=["what is the weather"],
)
# A peer that answers by the first letter.
LETTERS = """
import json

class Letters:
    def __init__(self, settings):
        self._confidence = settings["confidence"]

    def fit(self, texts, labels, folder):
        print("noise on stdout")
        by_letter = {text[0]: label for text, label in zip(texts, labels)}
        (folder / "letters.json").write_text(json.dumps(by_letter))

    def load(self, folder):
        print("noise on stdout")
        self._by_letter = json.loads((folder / "letters.json").read_text())

    def answer(self, text):
        found = self._by_letter.get(text[0])
        return found, self._confidence if found else 0.0

def build(settings):
    return Letters(settings)
"""


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PeerProcess:
    """A peer in a tree of its own, beside the worker."""
    tree = tmp_path / "tree" / "benchmarks" / "peers"
    tree.mkdir(parents=True)
    here = Path(__file__).parent
    for name in ("__init__", "interface", "worker"):
        (tree / f"{name}.py").write_text((here / f"{name}.py").read_text(encoding="utf-8"))
    (tree.parent / "__init__.py").touch()
    (tree / "letters.py").write_text(LETTERS)
    monkeypatch.setattr("benchmarks.peers.worker_process.ROOT", tmp_path / "tree")
    return PeerProcess(Path(sys.executable), "letters", {"confidence": 0.75})


def test_a_peer_learns_and_answers(letters: PeerProcess, tmp_path: Path) -> None:
    folder = tmp_path / "learned"
    folder.mkdir()
    learned = letters.learn(["hello", "bye"], ["greet", "leave"], folder)
    answered = letters.answer(["how", "bye", "nothing"], folder)
    assert answered.answers == [("greet", 0.75), ("leave", 0.75), (None, 0.0)]
    assert len(answered.seconds) == 3
    assert all(second >= 0 for second in answered.seconds)
    assert learned.seconds > 0
    assert learned.peak_mb > 1
    assert answered.versions["numpy"] == versions()["numpy"]


def test_accuracy_of_a_peer(letters: PeerProcess) -> None:
    # "hello" and "hm" are taken for greetings, "bye" starts like no example.
    row = measure(BOT, letters)
    assert row["accuracy"] == pytest.approx(1 / 3)
    assert (row["n_test"], row["n_oos"]) == (3, 1)
    # The stranger has confidence 0, as one of three in scope: two and a half of three pairs.
    assert row["oos_auroc"] == pytest.approx(2.5 / 3)
    assert "numpy" in row["environment"]["versions"]


def test_costs_of_a_peer(letters: PeerProcess) -> None:
    row = costs.measure(BOT, letters)
    assert (row["n_train"], row["n_messages"]) == (2, 3)
    assert 0 < row["p50_ms"] <= row["p95_ms"]
    assert row["load"] >= 0


def test_a_peer_that_fails_says_why(letters: PeerProcess, tmp_path: Path) -> None:
    with pytest.raises(PeerError, match=r"letters does not answer: .*letters\.json"):
        letters.answer(["hello"], tmp_path)
    broken = PeerProcess(letters.python, "nobody", {})
    with pytest.raises(PeerError, match="nobody did not learn: .*nobody"):
        broken.learn(["a"], ["b"], tmp_path)


def test_without_strangers_there_is_no_auroc() -> None:
    found = measures_of(["a", "b"], [("a", 0.9), (None, 0.1)], [])
    assert found["accuracy"] == 0.5
    assert "oos_auroc" not in found


def test_a_peer_without_its_environment_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = available(["setfit", "light"], tmp_path)
    assert list(found) == ["light"]
    assert found["light"].python == Path(sys.executable)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("left out: setfit; its environment is not in")
    assert line.endswith("python -m benchmarks.peers.environments --peers setfit")


def test_interpreters_of_environments(tmp_path: Path) -> None:
    assert python_of(PEERS["setfit"], tmp_path) is None
    python = tmp_path / "setfit" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert python_of(PEERS["setfit"], tmp_path) == python


def test_sizes_count_what_lies_below(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"x" * 2_000_000)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "file")
    assert megabytes([tmp_path]) == pytest.approx(2.0, abs=0.001)
    assert megabytes([tmp_path / "deep" / "file"]) == 2.0


def test_the_converted_checkpoint_goes_into_the_pipeline(tmp_path: Path) -> None:
    kind = PEERS["language_model"]
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "tf_model.h5").touch()
    folder = checkpoint_of(kind, tmp_path)
    (featurizer,) = [c for c in kind.settings(folder)["pipeline"] if "model_weights" in c]
    assert featurizer["name"] == "LanguageModelFeaturizer"
    assert featurizer["model_weights"] == str(tmp_path / "tensorflow")
    assert not PEERS["diet"].needs_model
    assert all(kind.needs_model for name, kind in PEERS.items() if name != "diet")


def test_every_peer_has_a_module_that_builds_without_its_packages() -> None:
    for kind in PEERS.values():
        peer = build(kind.module, kind.settings(Path("model")))
        assert callable(peer.answer)
    assert {PEERS[plan].pipeline[0]["prune"] for plan in PLANS} == set(PLANS)


def test_training_data_is_read_as_it_was_given(tmp_path: Path) -> None:
    texts = ['say "hi"', "a: b # c", "two\nlines", "back\\slash", "ein Gruß 👋", "- dash"]
    labels = ["yes", "no", "1", "a b", "null", "yes"]
    path = tmp_path / "nlu.yml"
    path.write_text(training_data(texts, labels), encoding="utf-8")
    read, intents, _ = read_examples(path)
    expected = {(" ".join(text.split()), label) for text, label in zip(texts, labels)}
    assert set(zip(read, intents)) == expected


def test_draws_are_those_of_the_other_rows(tmp_path: Path) -> None:
    names = ["one", "two"]
    for name in names:
        by_label = [(label, [f"{name} {label} {n}" for n in range(30)]) for label in "abc"]
        lines = [
            f"- intent: {label}\n  examples: |\n" + "".join(f"    - {text}\n" for text in own)
            for label, own in by_label
        ]
        (tmp_path / name).with_suffix(".yml").write_text(
            'version: "3.1"\nnlu:\n' + "".join(lines), encoding="utf-8"
        )
    files = [(name, tmp_path / f"{name}.yml") for name in names]
    first, second = drawn_bots(files)
    own = read_set(*files[0])
    rows = sample_shots(own.labels, 5, 0)
    assert first.texts == [own.support[row] for row in rows]
    assert len(first.texts) == 15
    assert not {*first.texts} & {*first.query}
    assert {*first.strangers} <= {*second.query}
    task = Task("one", files[0][1], files[1][1])
    assert len(bot_of_task(task).texts) == 90
    assert len(bot_of_task(task, 5).texts) == 15


def test_the_worker_speaks_lines(tmp_path: Path) -> None:
    class Fixed:
        def load(self, folder: Path) -> None:
            self.folder = folder

        def answer(self, text: str) -> Any:
            return "greet", 0.5

    answers = io.StringIO()
    request = io.StringIO(json.dumps({"texts": ["a", "b"], "n_warm": 1}) + "\n")
    serve(Fixed(), tmp_path, request, answers)  # type: ignore[arg-type]
    ready, found = (json.loads(line) for line in answers.getvalue().splitlines())
    assert "versions" in ready
    assert found["answers"] == [["greet", 0.5], ["greet", 0.5]]


def test_measured_peers_are_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, letters: PeerProcess
) -> None:
    done: List[str] = []

    def count(bot: Bot, process: PeerProcess) -> Dict[str, Any]:
        done.append(bot.name)
        return {"accuracy": 1.0, "load": 9.0}

    (tmp_path / "nlu.yml").write_text(training_data(["a b", "c d"], ["x", "y"]), encoding="utf-8")
    out = tmp_path / "rows.jsonl"
    for module in (accuracy, costs):
        monkeypatch.setattr(module, "measure", count)
        monkeypatch.setattr(module, "available", lambda names, folder: {"light": letters})
    monkeypatch.setattr(costs, "pin", lambda threads: None)
    nlu = str(tmp_path / "nlu.yml")
    arguments = ["--out", str(out), "--peers", "light", "--task", "bot", nlu, nlu]
    assert accuracy.main(arguments) == 0
    assert accuracy.main(arguments) == 0
    assert done == ["bot"]
    # What was measured beside other programs is measured again, and replaced.
    out.unlink()
    for _ in range(2):
        assert costs.main(["--out", str(out), "--peers", "light"]) == 0
    assert done == ["bot", "example_bot", "example_bot"]
    assert len(out.read_text().splitlines()) == 1


def test_refusals(refusal: Refusal, tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path / "rows.jsonl"), "--drawn", "no_file"]
    assert "expected NAME=FILE with a file that exists, got 'no_file'" in refusal(
        accuracy.main, arguments
    )
    assert environments.parser().prog == "python -m benchmarks.peers.environments"
