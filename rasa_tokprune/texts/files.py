"""The files that a job reads: it must find the same ones wherever it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

from rasa_tokprune.encoder.checkpoint.find import file_sha256
from rasa_tokprune.errors import ConfigError


def absolute(name: str) -> str:
    """Returns the absolute path of what exists here; names and hub ids stay as they are."""
    path = Path(name).expanduser()
    return str(path.resolve()) if name and path.exists() else name


def is_folder(model: str) -> bool:
    """Returns whether a model is given by its folder, not by a hub id or ''."""
    return bool(model) and Path(model).expanduser().is_dir()


def hash_files(paths: Sequence[str]) -> str:
    """Returns one hash of the content of files, '' of none.

    Raises:
        ConfigError: If one cannot be read.
    """
    hashes = []
    for path in map(Path, paths):
        own = (
            sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        )
        try:
            hashes += [file_sha256(each) for each in own]
        except OSError as error:
            raise ConfigError(f"'{path}' cannot be read: {error.strerror}") from error
    return " ".join(hashes)
