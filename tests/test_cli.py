"""The command line tells what is installed."""

from __future__ import annotations

import pytest

import rasa_tokprune
from rasa_tokprune.cli import main


def test_plans_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plans"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(
        line.split() == ["paper", "6", "drop", "0", "-", "0.3", "after", "1"] for line in lines
    )
    assert any(line.startswith("gentle") for line in lines)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"rasa-tokprune {rasa_tokprune.__version__}\n"


def test_no_command_shows_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "plans" in capsys.readouterr().out
