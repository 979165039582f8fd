"""Where results go: folders and files tried before the work and not after it, JSON in a line."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Iterator, Optional, TextIO, Union

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


def prepare_file(option: str, path: Optional[Path], *inputs: Union[str, Path, None]) -> None:
    """Makes sure that a file of results can be written, before the work that it is for.

    Args:
        option: Named in the error.
        path: The file; None if there is to be none.
        *inputs: What the command reads, none of which it may overwrite.

    Raises:
        ConfigError: If it is a folder or one of the inputs, or its folder cannot be written to.
    """
    if path is None:
        return
    if path.is_dir():
        raise ConfigError(f"{option}: '{path}' is a folder; name a file")
    if path.exists():
        for each in inputs:
            if each is not None and os.path.exists(each) and path.samefile(each):
                raise ConfigError(f"{option}: '{path}' is what is read; name another file")
    make_folder(option, path.resolve().parent)


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
    except BrokenPipeError:  # of stdout or stderr; see `until_pipes_close`
        raise
    except OSError as error:
        raise ConfigError(f"{option}: '{path}' cannot be written: {error.strerror}") from error


def json_text(value: Any, encoding: str = "utf-8") -> str:
    """Returns a JSON value in one line; arrays and numbers of numpy are JSON's.

    Args:
        value: The value.
        encoding: What it lacks is escaped; of UTF-8 that is half of a surrogate pair.

    Raises:
        ConfigError: If it holds what JSON does not have.
    """
    line = json.dumps(value, ensure_ascii=False, default=_of_numpy)
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        line = json.dumps(value, default=_of_numpy)
    return line


def _of_numpy(value: Any) -> Any:
    """Returns what components of others leave in a message as Python's own."""
    if not hasattr(value, "tolist"):
        raise ConfigError(f"a value of type '{type(value).__name__}' cannot become JSON")
    return value.tolist()
