"""Bots in other languages: their files, what is counted, the table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.languages import languages
from benchmarks.languages.languages import BOTS, LANGUAGES, measure
from benchmarks.languages.tables import languages_table
from benchmarks.rows import read_rows
from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.texts.tasks import read_examples, read_oos


@pytest.mark.parametrize("language", LANGUAGES)
def test_bots_are_alike_and_ask_no_example(language: str) -> None:
    texts, labels, _ = read_examples(BOTS / f"{language}.yml")
    asked, answers, _ = read_examples(BOTS / f"{language}_test.yml")
    strangers = read_oos(BOTS / f"{language}_oos.txt")
    assert set(Counter(labels).values()) == {8}
    assert set(Counter(answers).values()) == {4}
    assert set(labels) == set(answers)
    assert len(set(labels)) == 8
    assert len({*texts, *asked, *strangers}) == 64 + 32 + 12


def test_counts_lie_within_what_was_asked(tiny_bert: Path) -> None:
    row = measure("tr", load_encoder(str(tiny_bert)), None)
    assert (row["n"], row["n_oos"]) == (32, 12)
    assert 0 <= row["right_and_sure"] <= row["right"] <= 32
    assert 0 <= row["oos_answered"] <= 12
    assert 0 <= row["readable"] <= 1


def test_table() -> None:
    row = {"language": "hi", "plan": "off", "readable": 0.955, "n": 32, "n_oos": 12}
    row.update(right=24, right_and_sure=8, oos_answered=3)
    lines = languages_table([{**row, "lexical_weight": w} for w in (0.0, None)]).splitlines()
    assert lines[2:] == [
        "| Hindi | `off` | embedding | 96 | 75 | 25 | 25 |",
        "| Hindi | `off` | both | 96 | 75 | 25 | 25 |",
    ]


@pytest.mark.thorough
def test_the_command_measures_every_bot(tiny_bert: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    assert languages.main(["--model", str(tiny_bert), "--out", str(out)]) == 0
    measured = {(row["language"], row["plan"], row["lexical_weight"]) for row in read_rows(out)}
    assert len(measured) == len(LANGUAGES) * 2 * 2
