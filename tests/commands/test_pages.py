"""The pages of commands name every option, and their examples can be called."""

from __future__ import annotations

import argparse
import re
from typing import Callable

import pytest

from rasa_tokprune.commands.diff.arguments import add_diff
from rasa_tokprune.commands.parse.arguments import add_parse
from tests.real_data import ROOT

PAGES = {"parse": add_parse, "diff": add_diff}
_OPTION = re.compile(r"^\| (`.+?`(?:, `.+?`)*) \|", re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_every_option(name: str) -> None:
    page = (ROOT / "docs" / "commands" / f"{name}.md").read_text(encoding="utf-8")
    table = page.split("## Options")[1].split("\n## ")[0]
    named = {word.split()[0] for cell in _OPTION.findall(table)
             for word in re.findall(r"`([^`]+)`", cell)}  # fmt: skip
    add: Callable[[argparse.ArgumentParser], None] = PAGES[name]
    parser = argparse.ArgumentParser()
    add(parser)
    there = {
        action.option_strings[-1] if action.option_strings else str(action.metavar)
        for action in parser._actions
        if action.dest != "help"
    }
    assert named == there


@pytest.mark.parametrize("name", PAGES)
def test_examples_can_be_called(name: str) -> None:
    page = (ROOT / "docs" / "commands" / f"{name}.md").read_text(encoding="utf-8")
    calls = re.findall(rf"^rasa-tokprune {name} ((?:.*\\\n)*.*)$", page, re.MULTILINE)
    assert calls
    parser = argparse.ArgumentParser()
    PAGES[name](parser)
    for call in calls:
        parser.parse_args(call.replace("\\\n", " ").split())
