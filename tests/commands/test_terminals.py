"""Every command's output survives any terminal: encodings, no colour, few columns, closed pipes."""

from __future__ import annotations

import argparse
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

import pytest

from rasa_tokprune.cli import COMMANDS, PURPOSES, main
from rasa_tokprune.commands.arguments import GROUPS
from rasa_tokprune.encoder import PruningPlan
from tests.bots_on_disk import write_nlu
from tests.checkpoints import N_LAYERS
from tests.plans import write_plan
from tests.real_data import ROOT

# Names that many encodings lack, with what would move a cursor.
INTENT = "caf\u00e9_\u03b1\x1b[31m"
SAID = [
    "when will it arrive",
    "where is my \u0437\u0430\u043a\u0430\u0437",
    "track it",
    "is it sent",
]
TERMINALS: List[Dict[str, str]] = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1", "NO_COLOR": "1"},
    {"PYTHONIOENCODING": "cp1252", "TERM": "dumb"},
    {"COLUMNS": "40"},
]
DOCUMENT = (ROOT / "docs" / "commands" / "index.md").read_text(encoding="utf-8").splitlines()
# What shows results without a training: the others show theirs by the same methods of Screen.
QUICK = ("plans", "evaluate", "certify", "bench", "export")


def run(words: Sequence[str], cwd: Path, **changes: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs a command in a process of its own."""
    names = ("PYTHONIOENCODING", "NO_COLOR", "COLUMNS", "TERM")
    environment = {key: value for key, value in os.environ.items() if key not in names}
    environment.update(changes.pop("env", {}))
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **changes}
    call = [
        sys.executable,
        "-c",
        "import sys; from rasa_tokprune.cli import main; sys.exit(main())",
    ]
    return subprocess.run([*call, *words], cwd=cwd, env=environment, **options)


@pytest.fixture
def calls(tiny_bert: Path, tmp_path: Path) -> Dict[str, List[str]]:
    """Returns a call of each command in `QUICK`, on a tiny bot with a strange intent."""
    bot = {INTENT: SAID, "deny": ["no", "no thanks", "never", "not at all"]}
    nlu, plan = (
        str(write_nlu(tmp_path / "nlu.yml", bot)),
        str(write_plan(tmp_path / "p\u03b1.json")),
    )
    skipping = tmp_path / "skip.json"
    PruningPlan(N_LAYERS, (0.0,) * N_LAYERS, kept_layers=(0, 2), name="skip").save(skipping)
    model = ["--model", str(tiny_bert)]
    return {
        "plans": [],
        "evaluate": [
            "--task", "caf\u00e9_\u03b1", nlu, nlu, "--models", str(tiny_bert), "--no-plots",
            "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "results"),
        ],
        "certify": ["--train", nlu, "--prune", plan, *model, "--results", str(tmp_path / "kept")],
        "bench": [nlu, *model, "--prune", plan, "--repetitions", "3", "--backends", "auto"],
        "export": [
            *model, "--prune", str(skipping), "--out", str(tmp_path / "out\u03b1"),
        ],
    }  # fmt: skip


class Terminal(io.TextIOWrapper):
    """A terminal of some encoding, whose bytes are kept."""

    def __init__(self, encoding: str) -> None:
        self.written = io.BytesIO()
        super().__init__(self.written, encoding, write_through=True, newline="")

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("terminal", TERMINALS, ids=lambda own: "-".join(own.values()))
def test_every_command_survives(
    name: str,
    terminal: Dict[str, str],
    calls: Dict[str, List[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in {"TERM": "xterm", **terminal}.items():
        monkeypatch.setenv(variable, value)
    encoding = terminal.get("PYTHONIOENCODING", "utf-8")
    out = Terminal(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert main([name, *calls[name], "--quiet"]) in (0, 1)
    text = out.written.getvalue().decode(encoding)
    assert text.strip()
    assert "\x1b[31m" not in text.replace("\x1b[31mover", "").replace("\x1b[31mNot", "")
    if "NO_COLOR" in terminal or "TERM" in terminal:
        assert not re.search("\x1b\\[[0-9;]*3[0-9]m", text)
    if "COLUMNS" in terminal and name in ("plans", "certify"):
        rows = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in text.splitlines()]
        # Lines of prose are wrapped by the terminal itself.
        assert all(len(row) <= 40 for row in rows if "  " in row)


@pytest.mark.parametrize("name", QUICK)
def test_json_alone_stands_on_stdout(
    name: str, calls: Dict[str, List[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Terminal("ascii")
    monkeypatch.setattr(sys, "stdout", out)
    main([name, *calls[name], "--json"])
    rows = [json.loads(line) for line in out.written.getvalue().decode("ascii").splitlines()]
    assert rows
    (documented,) = (line for line in DOCUMENT if line.startswith(f"| `{name}` |"))
    named = set(re.findall(r"`(\w+)`", documented))
    for row in rows:
        assert set(row) <= named


@pytest.mark.thorough
@pytest.mark.parametrize("name", QUICK)
def test_a_pipe_closed_early_is_no_error(
    name: str, calls: Dict[str, List[str]], tmp_path: Path
) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = run([name, *calls[name], "--quiet"], tmp_path, stdout=write)
    finally:
        os.close(write)
    assert done.returncode == 141
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--help"], 0), (["plans", "--help"], 0), (["plans"], 141), ([], 2)],
    ids=["--help", "plans --help", "plans", "nothing"],
)
def test_help_into_a_closed_pipe_is_no_error(words: List[str], code: int, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = run(words, tmp_path, stdout=write)
    finally:
        os.close(write)
    assert done.stderr == b""
    # From Python 3.11 on argparse prints help without a word of a pipe that is closed.
    assert done.returncode in (141, code)


def test_a_terminal_without_colour_gets_none(tmp_path: Path) -> None:
    assert b"\x1b[" in _on_terminal(tmp_path, TERM="xterm")
    assert b"\x1b[" not in _on_terminal(tmp_path, TERM="dumb")


def _on_terminal(cwd: Path, **environment: str) -> bytes:
    ours, its = pty.openpty()
    try:
        run(["plans"], cwd, stdout=its, env=environment)
        os.close(its)
        return b"".join(iter(lambda: _read(ours), b""))
    finally:
        os.close(ours)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed and everything is read
        return b""


def parsers() -> Iterator[Any]:
    for name, command in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=name)
        command.add_arguments(parser)
        yield pytest.param(parser, id=name)


@pytest.mark.parametrize("parser", parsers())
def test_every_command_has_the_same_options_and_groups(parser: argparse.ArgumentParser) -> None:
    options = {option for action in parser._actions for option in action.option_strings}
    assert {"--quiet", "--json"} <= options
    titles = [group.title for group in parser._action_groups[2:]]
    assert titles == [title for title in GROUPS if title in titles]
    own = [action for action in parser._actions if action.dest != "help"]
    grouped = [action for group in parser._action_groups[2:] for action in group._group_actions]
    assert {action.dest for action in own} == {action.dest for action in grouped}


@pytest.mark.parametrize("parser", parsers())
def test_every_command_says_what_it_does_in_one_sentence(parser: argparse.ArgumentParser) -> None:
    text = str(parser.description)
    assert text.endswith(".")
    assert ". " not in text


@pytest.mark.parametrize("parser", parsers())
def test_what_stands_for_a_value_says_what_it_is(parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:
        if action.nargs == 0:
            continue
        shown = action.metavar if isinstance(action.metavar, str) else "".join(action.metavar or ())
        assert shown, f"{parser.prog} {action.option_strings}"
        assert shown == shown.upper()
        if action.type is int:
            assert shown in ("N", "SEED")
        if action.type is float:
            assert shown == "X"
        if action.type is Path:
            assert shown in ("FILE", "FOLDER", "PATH", "BOT", "NLU", "OLD", "NEW")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_purpose_and_an_example_that_is_understood(name: str) -> None:
    command = COMMANDS[name]
    assert command.purpose in PURPOSES
    assert command.example.startswith(f"rasa-tokprune {name}")
    parser = argparse.ArgumentParser(prog=name)
    command.add_arguments(parser)
    parser.parse_args(command.example.replace('"', "").split()[2:])
