"""Messages without content: the bots drawn, what is counted, the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import pytest

from benchmarks.conftest import Refusal
from benchmarks.robustness import content_free
from benchmarks.robustness.content_free import measure
from benchmarks.robustness.small_bots import ORDINARY, SMALL_TALK, SmallBot, small_bots
from benchmarks.robustness.small_talk import CONTENT_FREE, HELD_OUT, WORDINGS
from benchmarks.robustness.tables import content_free_table
from benchmarks.rows import read_rows
from rasa_tokprune.encoder import load_encoder
from tests.bots_on_disk import write_nlu


@pytest.fixture
def intents(tmp_path: Path) -> Path:
    """A folder with a labelled file of nine intents, one of which is small talk."""
    texts = {f"ask_{number}": [f"{number} {each}" for each in range(12)] for number in range(8)}
    write_nlu(tmp_path / "judge" / "set.yml", {**texts, "greetings": ["hallo"] * 20})
    return tmp_path / "judge"


def test_own_messages_are_all_different() -> None:
    for wording in WORDINGS.values():
        assert list(wording) == list(HELD_OUT)
        written = [
            text for part in (wording, HELD_OUT) for texts in part.values() for text in texts
        ]
        assert len(set(written)) == len(written)
        assert {len(texts) for texts in wording.values()} == {8}
    nothing = [text for texts in CONTENT_FREE.values() for text in texts]
    assert len(set(nothing)) == len(nothing) >= 60


def test_bots_are_small_and_never_asked_their_examples(intents: Path) -> None:
    bots = list(small_bots(sorted(intents.glob("*.yml"))))
    assert {len(set(bot.labels)) for bot in bots} == {4, 6, 8, 10, 12}
    for bot in bots:
        assert len(bot.texts) == bot.shots * len(set(bot.labels))
        assert "greetings" not in bot.labels
        asked = [pair for pairs in bot.held_out.values() for pair in pairs]
        assert not {text for text, _ in asked} & set(bot.texts)
        assert {intent for _, intent in asked} == set(bot.labels)


def test_a_file_of_too_few_intents_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    options = ["--prune", "off", "--out", str(tmp_path / "rows.jsonl")]
    line = refusal(content_free.main, ["--intents", str(tmp_path), *options])
    assert "no labelled files" in line
    write_nlu(tmp_path / "set.yml", {"one": ["a text"] * 20})
    assert "holds 0 intents" in refusal(content_free.main, ["--intents", str(tmp_path), *options])


def test_what_is_answered_is_counted(tiny_bert: Path) -> None:
    held_out = {SMALL_TALK: [("hello", "greet")], ORDINARY: []}
    # Whose examples are the very messages: all are answered.
    texts = [text for own in CONTENT_FREE.values() for text in own]
    bot = SmallBot(
        "nonsense",
        1,
        [*texts, "hello", "hello there"],
        ["x"] * len(texts) + ["greet"] * 2,
        held_out,
    )
    row = measure(bot, load_encoder(str(tiny_bert)))
    assert row["in_scope"][ORDINARY] == {"n": 0, "lost": 0, "right": 0}
    assert row["in_scope"][SMALL_TALK]["n"] == 1
    counts = row["content_free"]
    assert sum(each["answered"] for each in counts.values()) == len(row["answers"])
    assert {kind: each["n"] for kind, each in counts.items()} == {
        kind: len(own) for kind, own in CONTENT_FREE.items()
    }


def test_table(content_free_rows: List[Dict[str, Any]]) -> None:
    lines = content_free_table(content_free_rows).splitlines()
    assert lines[0].startswith("| plan | views | answered % | mash % | filler % | in scope")
    assert lines[2:] == [
        "| `off` | both | 12.5 | 50.0 | 0.0 | 25.0 | 100.0 |",
        "| `off` | embedding | 2.5 | 10.0 | 0.0 | 25.0 | 100.0 |",
    ]


@pytest.mark.thorough
def test_the_command_measures_every_plan_and_weight(
    tiny_bert: Path, intents: Path, tmp_path: Path
) -> None:
    out = tmp_path / "rows.jsonl"
    options = ["--intents", str(intents), "--prune", "off", "default", "--lexical-weight", "0"]
    assert content_free.main([*options, "--model", str(tiny_bert), "--out", str(out)]) == 0
    rows = read_rows(out)
    assert len(rows) == 2 * 2 * 15
    assert {row["lexical_weight"] for row in rows} == {None, 0.0}
    assert all(row["environment"]["cores"] for row in rows)
