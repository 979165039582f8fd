"""Where results go: folders tried before the work and not after it, files."""

from __future__ import annotations

import tempfile
from pathlib import Path

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
