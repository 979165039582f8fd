"""Whose answers pruning changes: kinds of message, pruned tokens, opposites, tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from benchmarks import tables
from benchmarks.conftest import Repository
from benchmarks.robustness import flips
from benchmarks.robustness.flips import measure
from benchmarks.robustness.kinds import NAMES, kinds, negated
from benchmarks.robustness.tables import (
    TABLES,
    draw_flips,
    kinds_table,
    opposites_table,
    tokens_table,
)
from benchmarks.robustness.tokens import pruned_shares, token_class
from benchmarks.rows import read_rows
from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.texts.tasks import Task
from tests.bots_on_disk import TRAIN, write_nlu
from tests.checkpoints import CORPUS, N_LAYERS


@pytest.mark.parametrize(
    ("kind", "text", "changed"),
    [
        ("as written", "Hi!", "Hi!"),
        ("lower case, no punctuation", "Where's my parcel?", "where's my parcel"),
        ("lower case, no punctuation", "where", None),
        ("capitals", "where", "WHERE"),
        (
            "informal",
            "are you going to cancel it because of me",
            "are ya gonna cancel it cuz of me",
        ),
        ("informal", "cancel", None),
        ("learner's grammar", "where is the parcel", "where parcel"),
        ("negated", "I want a refund", "i do not want a refund"),
        ("negated", "is it there", "is not it there"),
        ("negated", "I do not want it", None),
        ("negated", "cancel the order", "do not cancel the order"),
    ],
)
def test_kinds(kind: str, text: str, changed: str) -> None:
    assert kinds()[kind](text) == changed


def test_every_group_of_names_changes_nothing_but_the_name() -> None:
    texts = [str(kinds()[f"name: {group}"]("where is it")) for group in NAMES]
    assert len(set(texts)) == len(NAMES)
    assert {text.split("is ", 1)[1].split(". ")[1] for text in texts} == {"where is it"}


def test_slips_are_few_and_always_the_same() -> None:
    slip = kinds()["typing slips"]
    changed = slip(CORPUS[0])
    assert changed == slip(CORPUS[0]) != CORPUS[0]
    assert abs(len(str(changed)) - len(CORPUS[0])) <= 2


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("not", "negation"), ("don't@t", "negation"), ("t", "content word"),
        ("5", "number"), ("!", "punctuation"), ("the", "function word"),
        ("refund", "content word"), ("refunding@ing", "further piece"),
    ],
)  # fmt: skip
def test_token_classes(token: str, name: str) -> None:
    text, _, piece = token.partition("@")
    start = len(text) - len(piece) if piece else 0
    assert token_class(text, start, len(text)) == name


def test_pruned_shares_count_what_is_pruned(tiny_bert: Path) -> None:
    plan = PruningPlan(N_LAYERS, (0.0, 0.5, 0.0, 0.0))
    encoder = load_encoder(str(tiny_bert), prune=plan)
    expected = sum(int((each.pruned_after >= 0).sum()) for each in encoder.encode_detailed(CORPUS))
    rows = pruned_shares(encoder, CORPUS)
    for group in ("class", "place"):
        assert sum(row["n_pruned"] for row in rows if row["group"] == group) == expected > 0


@pytest.fixture
def rows(tiny_bert: Path, tmp_path: Path) -> List[Dict[str, Any]]:
    train = write_nlu(tmp_path / "train.yml", TRAIN)
    plan = PruningPlan(N_LAYERS, (0.9, 0.0, 0.0, 0.0))
    encoders = {
        "off": load_encoder(str(tiny_bert)),
        "hard": load_encoder(str(tiny_bert), prune=plan),
    }
    return list(measure(Task("bot", train, train), encoders, n_messages=5))


def test_the_reference_never_differs_from_itself(rows: List[Dict[str, Any]]) -> None:
    own = [row for row in rows if row["plan"] == "off" and "kind" in row]
    assert len(own) >= 12
    assert all(row["flips"] == 0 for row in own)
    (plain,) = (row for row in own if row["kind"] == "as written")
    assert plain["n"] == plain["right"] == 5
    assert all(0 <= row["flips"] <= row["n"] for row in rows if "kind" in row)


def test_tables_and_plot(
    rows: List[Dict[str, Any]],
    repository: Repository,
    tmp_path: Path,
    content_free_rows: List[Dict[str, Any]],
    imbalance_rows: List[Dict[str, Any]],
) -> None:
    lines = kinds_table(rows).splitlines()
    assert lines[0].startswith("| messages | n | `hard` changes % | `off` right % |")
    assert lines[2].startswith("| as written | 5 |")
    assert len(opposites_table(rows).splitlines()) == 4
    assert all(line.count("|") == 5 for line in tokens_table(rows).splitlines())
    repository.write_rows("robustness", "flips.jsonl", rows)
    repository.write_rows("robustness", "content_free.jsonl", content_free_rows)
    repository.write_rows("robustness", "imbalance.jsonl", imbalance_rows)
    document = repository.write_document("docs/robustness.md", *(table.marker for table in TABLES))
    assert tables.main(["robustness"]) == 0
    assert "| as written | 5 |" in document.read_text()
    draw_flips(rows, tmp_path / "flips.png")
    assert (tmp_path / "flips.png").stat().st_size > 0


def test_the_command_measures_every_plan(tiny_bert: Path, tmp_path: Path) -> None:
    train = write_nlu(tmp_path / "train.yml", TRAIN)
    PruningPlan(N_LAYERS, (0.9, 0.0, 0.0, 0.0), name="hard").save(tmp_path / "hard.json")
    options = ["--task", "bot", str(train), str(train), "--messages", "3"]
    options += ["--prune", str(tmp_path / "hard.json"), "--model", str(tiny_bert)]
    assert flips.main([*options, "--out", str(tmp_path / "flips.jsonl")]) == 0
    rows = read_rows(tmp_path / "flips.jsonl")
    assert {row["task"] for row in rows} == {"bot"}
    assert len({row["plan"] for row in rows}) == 2


def test_opposites_are_pairs_of_different_texts() -> None:
    pairs: Callable[[str], Any] = negated
    assert all(pairs(text) != text for text in CORPUS)
