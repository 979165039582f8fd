"""What `rasa-tokprune adapt` learns from, what it holds out, what it is judged by."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Set

import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.commands.adapt import recipe
from rasa_tokprune.commands.adapt.corpus import Corpus, is_held_out
from rasa_tokprune.commands.adapt.training.loop import AdapterTraining
from rasa_tokprune.texts.tasks import read_texts
from tests.bots_on_disk import write_nlu
from tests.checkpoints import CORPUS
from tests.commands.adapt.conftest import SHOP

pytestmark = pytest.mark.thorough

Provenance = Callable[[str], Dict[str, Any]]
# Messages of which the hash of some is held out.
LOG = [f"{text} number {number:02}" for text in CORPUS[:4] for number in range(40)]
MORE = [f"number {number:03} {text}" for text in CORPUS[4:] for number in range(40)]
BANK = {
    word: [f"{word} the card {thing}" for thing in ("now", "please", "today", "again", "at home")]
    for word in ("cancel", "send", "find")
}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> List[Dict[str, Corpus]]:
    """Returns a list that gets what each training learns from and what it holds out."""
    found: List[Dict[str, Corpus]] = []

    class Watched(AdapterTraining):
        def __init__(self, student: Any, encoder: Any, targets: Any, *given: Any, **own: Any):
            found.append({"train": given[0], "held_out": given[1]})
            super().__init__(student, encoder, targets, *given, **own)

    monkeypatch.setattr(recipe, "AdapterTraining", Watched)
    return found


def texts_of(corpus: Corpus) -> Set[str]:
    labelled = (text for task in corpus.tasks.values() for own in task.values() for text in own)
    return {*corpus.texts, *labelled}


def mentions(texts: Set[str], wanted: Set[str]) -> Iterator[str]:
    """Yields what is in texts, or in one that was made of several."""
    for text in texts:
        yield from (each for each in wanted if each in text)


def test_no_training_learns_what_another_held_out(
    arguments: List[str], tmp_path: Path, trained: List[Dict[str, Corpus]]
) -> None:
    (tmp_path / "log.txt").write_text("\n".join(LOG), encoding="utf-8")
    (tmp_path / "more.txt").write_text("\n".join(MORE), encoding="utf-8")
    folder = tmp_path / "tasks"
    write_nlu(folder / "bank.yml", BANK)
    log = str(tmp_path / "log.txt")
    start = str(tmp_path / "own" / "adapter.safetensors")
    assert main(arguments) == 0
    others = [
        ["--seed", "7"], ["--texts", str(tmp_path / "more.txt"), log], ["--task", str(folder)],
        ["--start", start], ["--concatenations", "400"],
    ]  # fmt: skip
    for number, changes in enumerate(others):
        assert main([*arguments, "--out", str(tmp_path / f"other{number}"), *changes]) == 0
    held_out = {text for text in trained[0]["held_out"].texts if text in LOG}
    assert held_out == set(filter(is_held_out, LOG))
    assert len(held_out) > 1
    assert len(trained) == 1 + len(others)
    for own in trained:
        learned, watched = texts_of(own["train"]), texts_of(own["held_out"])
        assert not list(mentions(learned, held_out))
        assert held_out <= watched
        assert len(learned) > 150
        # Long texts are made of their own side.
        assert not list(mentions(watched, learned & set(LOG)))


def test_what_judges_is_never_trained_on(
    arguments: List[str], tmp_path: Path, trained: List[Dict[str, Corpus]], provenance: Provenance
) -> None:
    # The judge's messages are in the log and in a task too; its file has no name that tells.
    judged = [text for own in BANK.values() for text in own]
    (tmp_path / "log.txt").write_text("\n".join([*LOG, *judged]), encoding="utf-8")
    judge = write_nlu(tmp_path / "judge.txt", BANK)
    task = write_nlu(tmp_path / "task.yml", {**BANK, "parcel": SHOP["parcel"], "x": CORPUS[:2]})
    own = ["--task", f"bot={task}", "--judge", f"bank={judge}", "--concatenations", "300"]
    assert main([*arguments, *own]) == 0
    for part in trained[0].values():
        assert not list(mentions(texts_of(part), set(judged)))
    assert set(trained[0]["train"].tasks["bot"]) == {"parcel", "x"}
    assert provenance("own")["judges"] == "bank"


def test_too_few_texts_beside_those_that_judge_are_refused(
    arguments: List[str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    judged = [text for own in BANK.values() for text in own]
    (tmp_path / "log.txt").write_text("\n".join([*judged, "one more"]), encoding="utf-8")
    judge = write_nlu(tmp_path / "judge.yml", BANK)
    line = refusal([*arguments, "--judge", f"bank={judge}"])
    assert "5 texts are too few to learn from" in line  # the task's four, and one
    same = refusal([*arguments, "--leave", "shop", "--texts", str(judge), "--judge", f"b={judge}"])
    assert "every text to train on is one to judge by" in same


def test_a_training_keeps_what_judges_say_is_best(
    arguments: List[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    history: Callable[[str], List[Dict[str, Any]]],
    provenance: Provenance,
) -> None:
    folder = tmp_path / "judges"
    write_nlu(folder / "bank.yml", BANK)
    write_nlu(
        folder / "other.yml", {f"{w} it": [f"it {t}" for t in own] for w, own in BANK.items()}
    )
    write_nlu(folder / "third.yml", {"a": LOG[:20], "b": LOG[40:60]})
    assert main([*arguments, "--judge", str(folder), "--check-every", "2"]) == 0
    looks = history("own")
    for entry in looks:
        assert list(entry["sets"]) == ["bank", "other", "third"]
        for name in ("accuracy", "oos_auroc", "ece", "mash_answered"):
            assert 0 <= entry[name] <= 1
        weighted = 0.6 * entry["accuracy"] + 0.3 * entry["oos_auroc"]
        assert entry["judged"] == pytest.approx(weighted - 0.1 * entry["mash_answered"])
    first = [entry["judged"] for entry in looks if entry["stage"] == "distillation"]
    # The second stage goes on from the best of the first.
    (anew,) = (e["judged"] for e in looks if (e["stage"], e["step"]) == ("contrast", 0))
    assert anew == pytest.approx(max(first), abs=0.02)  # kept in half precision
    said = provenance("own")["held_out"]
    assert said.startswith(f"distillation: judged {first[0]:.4f} before, {max(first):.4f} after")
    assert provenance("own")["judges"] == "bank, other, third"
    assert "mean of the judges" in capsys.readouterr().out.lower()


def test_a_folder_of_tasks_without_some(
    arguments: List[str], tmp_path: Path, trained: List[Dict[str, Corpus]], provenance: Provenance
) -> None:
    folder = tmp_path / "tasks"
    write_nlu(folder / "bank.yml", BANK)
    write_nlu(folder / "post.yml", SHOP)
    mine = tmp_path / "mine.txt"
    mine.write_text("\n".join(f"of the bank {n}" for n in range(9)), encoding="utf-8")
    place = arguments.index("--texts") + 1
    own = [*arguments[:place], f"bank={mine}", *arguments[place:], "--task", str(folder)]
    assert main(own) == 0
    assert main([*own, "--leave", "bank", "shop", "--out", str(tmp_path / "less")]) == 0
    # One of the bank's fifteen is held out.
    assert list(filter(is_held_out, read_texts(folder / "bank.yml"))) == ["send the card today"]
    assert provenance("own")["tasks"] == (
        "bank (3 labels, 14 texts), post (2 labels, 4 texts), shop (2 labels, 4 texts)"
    )
    assert provenance("less")["tasks"] == "post (2 labels, 4 texts)"
    assert provenance("less")["text_files"] == "log.txt"
    bank = {*read_texts(folder / "bank.yml"), *read_texts(mine)}
    assert bank <= texts_of(trained[0]["train"]) | texts_of(trained[0]["held_out"])
    for part in trained[1].values():
        assert not list(mentions(texts_of(part), bank))
