"""Texts of users are shown on a terminal, never obeyed, whatever its encoding."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rasa_tokprune.terminal import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 👍, é, 退款", "plain, 👍, é, 退款"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\tb\nc\r\x07", "a\\tb\\nc\\r\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202eevil\u2028", "\\u202eevil\\u2028"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


_MAIN = "import sys; from rasa_tokprune.cli import main; sys.exit(main())"


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "utf-8"])
def test_every_command_prints_in_every_encoding(encoding: str) -> None:
    train = "\N{THUMBS UP SIGN}\N{LATIN SMALL LETTER E WITH ACUTE}.yml".encode() + b"\xe9"
    arguments = ["certify", "--train", os.fsdecode(train), "--prune", "off"]
    result = subprocess.run(
        [sys.executable, "-c", _MAIN, *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )
    assert result.returncode == 2
    assert b"Traceback" not in result.stderr
    assert result.stderr.count(b"\n") == 1
