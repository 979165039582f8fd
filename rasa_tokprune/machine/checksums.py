"""Whether binary files that came with the package are those that were built."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Dict

from rasa_tokprune.errors import ConfigError

# Beside the files, in the form of `sha256sum`, which also makes it anew.
CHECKSUM_FILE = "SHA256SUMS"


def check_shipped(path: Path) -> None:
    """Compares a file with the sha256 that was recorded for it when it was built.

    What has no record is taken as it is: a library that was compiled in place by hand.

    Raises:
        ConfigError: If it is another file, or one of the two cannot be read.
    """
    expected = _recorded(path.parent).get(path.name)
    if expected is None:
        return
    try:
        actual = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigError(f"'{path}' cannot be read: {error.strerror}") from error
    if actual != expected:
        raise ConfigError(
            f"'{path}' is not the file that was built: its sha256 is {actual[:12]}..., "
            f"{CHECKSUM_FILE} beside it says {expected[:12]}...; install the package again, or, if "
            f"you built this file yourself, make {CHECKSUM_FILE} anew with sha256sum"
        )


@functools.lru_cache(maxsize=8)
def _recorded(folder: Path) -> Dict[str, str]:
    """Returns the sha256 of files by name; nothing where none was recorded."""
    path = folder / CHECKSUM_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"'{path}' cannot be read: {error}; install the package again") from error
    found = {}
    for line in lines:
        digest, _, name = line.partition(" ")
        found[name.strip().lstrip("*")] = digest.lower()
    return found
