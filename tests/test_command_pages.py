"""Each command's page, docs/commands/NAME.md, has every option of the command, with its default."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Dict, List

import pytest

from rasa_tokprune import cli
from tests.real_data import ROOT

PAGES = ROOT / "docs" / "commands"
# The head of a table of options, and one of its rows: | `--option VALUE` | default | meaning |
_HEAD = "| option | default | meaning |"
_ROW = re.compile(r"^\| *(?P<names>`[^|]+`) *\|(?P<default>[^|]*)\|(?P<meaning>.+)\|$")


def actions_of(command: str) -> Dict[str, argparse.Action]:
    """Returns what a command can be given: options by their long names, others by what is shown."""
    parser = argparse.ArgumentParser()
    cli.COMMANDS[command].add_arguments(parser)
    found = {}
    for action in parser._actions:
        if action.dest != "help":
            shown = action.metavar if isinstance(action.metavar, str) else action.dest
            found[action.option_strings[-1] if action.option_strings else shown] = action
    return found


def rows_of(path: Path) -> Dict[str, List[str]]:
    """Returns default and meaning of every option in a page's tables, by the option's name."""
    rows: Dict[str, List[str]] = {}
    is_table = False
    for line in path.read_text(encoding="utf-8").splitlines():
        is_table = line == _HEAD or (is_table and line.startswith("|"))
        row = _ROW.match(line) if is_table else None
        for name in re.findall(r"`([^`\s]+)[^`]*`", row["names"]) if row is not None else ():
            assert name not in rows, f"{path.name}: {name} stands there twice"
            rows[name] = [row["default"].strip(), row["meaning"]]
    return rows


def shown_default(action: argparse.Action) -> str:
    """Returns what a page has to say of a default; nothing where the parser does not know it."""
    said = re.search(r"default: (\d\S*?)(?:[;)]|$)", action.help or "")
    if said is not None:
        return said[1]
    return str(action.default) if isinstance(action.default, (str, float, Path)) else ""


pages = pytest.mark.parametrize(
    "command", [name for name in cli.COMMANDS if (PAGES / f"{name}.md").is_file()]
)


@pytest.mark.parametrize("command", list(cli.COMMANDS))
def test_every_command_has_a_page(command: str) -> None:
    text = (PAGES / f"{command}.md").read_text(encoding="utf-8")
    assert re.match(rf"# `?(rasa-tokprune )?{command}`?\n", text)
    assert f"rasa-tokprune {command}" in "".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL))


@pages
def test_a_page_has_every_option_and_no_other(command: str) -> None:
    assert set(rows_of(PAGES / f"{command}.md")) == set(actions_of(command))


@pages
def test_a_page_says_the_defaults_that_the_parser_has(command: str) -> None:
    rows = rows_of(PAGES / f"{command}.md")
    for name, action in actions_of(command).items():
        assert shown_default(action) in rows[name][0].replace("`", ""), f"{command} {name}"
        assert (rows[name][0] == "required") == (action.required and bool(action.option_strings))
