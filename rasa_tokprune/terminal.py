"""Texts of users on a terminal: shown, never obeyed."""

from __future__ import annotations

import io
import re
import sys

# What moves a cursor, changes colours, ends a line or turns one around.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Returns a line with control characters escaped, as Python writes them."""
    return CONTROL.sub(lambda found: repr(found.group())[1:-1], text)


def print_anything() -> None:
    """Lets this process print every character; escaped where the terminal's encoding has none."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
