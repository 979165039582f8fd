"""Texts of users are shown on a terminal, never obeyed, whatever its encoding."""

from __future__ import annotations

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
