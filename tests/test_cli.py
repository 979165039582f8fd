"""The command line tells what is installed."""

from __future__ import annotations

import argparse
from typing import Callable, Sequence

import pytest

import rasa_tokprune
from rasa_tokprune.cli import COMMANDS, main


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


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["plans", "light"], "rasa-tokprune plans: unexpected argument 'light'."),
        (["explain"], "rasa-tokprune explain: the following arguments are required: MESSAGE."),
        (
            ["report", "data", "--agaist", "off"],
            "rasa-tokprune report: unexpected option '--agaist'. Did you mean '--against'?",
        ),
        (["--zzz"], "rasa-tokprune: unexpected option '--zzz'."),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: Sequence[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    called = line.partition(":")[0]
    assert capsys.readouterr().err == f"{line} '{called} --help' says what it takes\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_text_and_says_its_default(name: str) -> None:
    parser = argparse.ArgumentParser(prog=name)
    COMMANDS[name].add_arguments(parser)
    for action in parser._actions:
        assert action.help, f"{name} {action.option_strings or action.dest}"
        if action.default not in (None, False, argparse.SUPPRESS, []):
            assert "default" in action.help, f"{name} {action.option_strings}"


def test_what_the_system_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, refusal: Callable[[Sequence[str]], str]
) -> None:
    def refuse(arguments: argparse.Namespace) -> None:
        raise PermissionError(13, "Permission denied", "/some/folder")

    monkeypatch.setattr("rasa_tokprune.commands.plans.command.run", refuse)
    assert refusal(["plans"]) == "rasa-tokprune plans: '/some/folder': Permission denied"
