"""Where results go: folders tried before the work and not after it, files."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Iterator, TextIO

from rasa_tokprune.errors import ConfigError


def make_folder(option: str, path: Path) -> None:
    """Makes a folder if need be and tries to write there.

    Args:
        option: Named in the error.
        path: The folder.

    Raises:
        ConfigError: If nothing can be written there.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ConfigError(f"{option}: cannot write to '{path}': {error.strerror}") from error


def write_text(content: str, path: Path, option: str = "") -> None:
    """Writes a file of results.

    Args:
        content: All of it.
        path: The file.
        option: Named in the error, if an option named the file.

    Raises:
        ConfigError: If it cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        named = f"{option}: " if option else ""
        raise ConfigError(f"{named}'{path}' cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def whole_file(path: Path, option: str) -> Iterator[TextIO]:
    """Yields a text file in UTF-8 that has its name once it is whole.

    Until then, and for good if the work is stopped, it is called `PATH.part`.

    Args:
        path: The file.
        option: Named in the error.

    Raises:
        ConfigError: If it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise ConfigError(f"{option}: '{path}' cannot be written: {error.strerror}") from error
