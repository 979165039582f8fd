"""Folders for results, tried before the work and not after it."""

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
