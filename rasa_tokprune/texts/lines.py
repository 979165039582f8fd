"""Text files with one message a line."""

from __future__ import annotations

from pathlib import Path
from typing import List

from rasa_tokprune.errors import ConfigError


def read_lines(path: Path) -> List[str]:
    r"""Returns the messages of a text file in UTF-8, blank lines left out.

    Only \n and \r\n end a message: users' texts hold other characters that end a line for
    Unicode, such as U+2028. A byte order mark is no part of the first one.

    Raises:
        ConfigError: If it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = file.read().split("\n")
    except OSError as error:
        raise ConfigError(f"'{path}' cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(
            f"'{path}' is not a text file in UTF-8: {error}; save it as UTF-8"
        ) from error
    return [line.strip() for line in lines if line.strip()]
