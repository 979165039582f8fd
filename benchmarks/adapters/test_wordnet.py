"""Texts of WordNet: definitions and examples out of the files of its database."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

from benchmarks.adapters import wordnet
from benchmarks.conftest import Refusal

# Laid out as in WordNet 3.0; the words are ours.
LICENCE = "  1 This is the licence | it is no gloss\n"
ENTRIES = {
    "data.noun": '1 06 n 01 parcel 0 000 | a thing sent by post; box; "the parcel came late"\n',
    "data.verb": '2 29 v 01 send 0 000 01 + 08 00 | cause to go; "send it home"; "Send!"\n',
    "data.adj": "3 00 a 01 late 0 000 | after the time agreed\n",
    "data.adv": '4 02 r 01 soon 0 000 | "he will soon be here"\n',
}
EXAMPLES = {"the parcel came late", "send it home", "he will soon be here"}
DEFINITIONS = {"a thing sent by post", "cause to go", "after the time agreed"}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    for name, entry in ENTRIES.items():
        (tmp_path / name).write_text(LICENCE + entry, encoding="utf-8")
    return tmp_path


def test_examples_and_definitions_become_lines(database: Path) -> None:
    out = database / "texts.txt"
    assert wordnet.main([str(database), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8").splitlines() == sorted(EXAMPLES | DEFINITIONS)


def test_some_are_drawn_by_the_seed(database: Path) -> None:
    glosses = wordnet.read_glosses(database)
    drawn = [set(wordnet.wordnet_texts(glosses, 2, 1, seed)) for seed in (0, 0, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len({frozenset(texts) for texts in drawn}) > 1
    assert all((len(own & EXAMPLES), len(own & DEFINITIONS)) == (2, 1) for own in drawn)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "data.noun' cannot be read; the folder must be"),
        (["--seed", "-1"], "--seed must be at least 0"),
        (["--examples", "0", "--definitions", "0"], "there is no text to take"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    database: Path, refusal: Refusal, options: List[str], problem: str
) -> None:
    folder = database if options else database / "elsewhere"
    out = database / "texts.txt"
    assert problem in refusal(wordnet.main, [str(folder), "--out", str(out), *options])
    assert not out.exists()


def test_a_file_that_cannot_be_written(database: Path, refusal: Refusal) -> None:
    line = refusal(wordnet.main, [str(database), "--out", str(database)])
    assert "--out: cannot write" in line
