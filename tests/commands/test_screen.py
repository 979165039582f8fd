"""One look for all commands: results on stdout, the rest on stderr, JSON in any encoding."""

from __future__ import annotations

import io
import json
import sys
from typing import Any, Callable

import pytest

from rasa_tokprune.commands.screen import Screen, bar, styled

STRANGE = {"text": "caf\u00e9 \U0001f600 \x1b[31m\x9b \u202e\u2028 \ud800"}
WORDS = ["a", "very", "long", "cell", "indeed"]


@pytest.fixture
def stdout_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], io.BytesIO]:
    """Returns a function: encoding -> what is written to a stdout of that encoding."""

    def replace(encoding: str) -> io.BytesIO:
        buffer = io.BytesIO()
        stream = io.TextIOWrapper(
            buffer, encoding, errors="backslashreplace", write_through=True, newline=""
        )
        monkeypatch.setattr(sys, "stdout", stream)
        return buffer

    return replace


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_json_stays_json_in_every_encoding(stdout_in: Any, encoding: str) -> None:
    written = stdout_in(encoding)
    Screen(is_json=True).json(STRANGE)
    line = written.getvalue().decode(encoding)
    assert line.count("\n") == len(line.splitlines()) == 1
    assert not set("\x1b\x9b\u202e") & set(line)
    assert json.loads(line) == STRANGE


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
def test_columns_are_straight_in_every_encoding(stdout_in: Any, encoding: str) -> None:
    written = stdout_in(encoding)
    rows = [["caf\u00e9 \u03b1", "1"], ["tea", "22"]]
    Screen().table(["drink", "n"], rows)
    lines = written.getvalue().decode(encoding).splitlines()
    assert {len(line) for line in lines} == {len(lines[0])}


def test_a_table_sets_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().table(["name", "n"], [["a", "1"], ["bcdef", "22"]])
    assert capsys.readouterr().out.splitlines() == ["name    n", "a       1", "bcdef  22"]


def test_a_table_in_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(is_markdown=True).table(["name", "n"], [["a|b", "1"]])
    assert capsys.readouterr().out.splitlines() == ["| name | n |", "|---|--:|", "| a\\|b | 1 |"]


@pytest.mark.parametrize("width", [10, 40])
def test_a_screen_too_narrow_gets_row_after_row(
    capsys: pytest.CaptureFixture[str], width: int
) -> None:
    screen = Screen()
    screen._out.width = width
    columns = ["first", "second", "third", "fourth", "fifth"]
    screen.table(columns, [["a" * 12] * 5, ["b" * 12] * 5])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert "" in lines  # between the rows
    text = "".join("".join(lines).split())
    assert text.count("a") == text.count("b") == 60  # no name of a column has one


def test_a_long_cell_is_folded_before_the_table_is_given_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    screen._out.width = 40
    screen.table(["name", "what"], [["x", " ".join(WORDS * 3)]], n_left=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "what"]
    assert len(lines) > 2
    assert max(map(len, lines)) <= 40


@pytest.mark.parametrize(("share", "shown"), [(0, "...."), (0.5, "##.."), (1, "####"), (2, "####")])
def test_bars_are_plain_characters(share: float, shown: str) -> None:
    assert bar(share, 4) == shown


def test_quiet_leaves_results_and_failures(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(quiet=True)
    screen.remark("a remark")
    with screen.working("Loading"):
        pass
    list(screen.progress([1], "Going"))
    screen.line("a result")
    screen.failure("a limit does not hold")
    captured = capsys.readouterr()
    assert captured.out == "a result\n"
    assert captured.err == "a limit does not hold\n"


def test_what_goes_on_is_said_on_terminals_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen().working("Loading"):
        pass
    assert capsys.readouterr() == ("", "")


def test_styles_escape_and_say_nothing_else() -> None:
    assert styled("a\x1b[31mb", "bad").plain == "a\\x1b[31mb"
