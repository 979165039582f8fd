"""Whether files are those that were written: their sha256 is recorded beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Dict, Iterable, Optional

from rasa_tokprune.errors import ConfigError, os_error_line

# In the form of `sha256sum`, which also makes it anew.
CHECKSUM_FILE = "SHA256SUMS"


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Records the sha256 of files of a folder.

    Raises:
        OSError: If one cannot be read, or the record cannot be written.
    """
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in sorted(names)]
    (folder / CHECKSUM_FILE).write_text("".join(lines), encoding="utf-8")


def changed_file(folder: Path) -> Optional[str]:
    """Returns the name of a recorded file that is not as it was; None if all are, or none is.

    Raises:
        OSError: If one cannot be read.
        ValueError: If the record is damaged.
    """
    recorded = _recorded(folder)
    return next((name for name in recorded if _sha256(folder / name) != recorded[name]), None)


def check_shipped(path: Path) -> None:
    """Compares a file of the package with the sha256 that was recorded when it was built.

    What has no record is taken as it is: a library that was compiled in place by hand.

    Raises:
        ConfigError: If it is another file, or one of the two cannot be read.
    """
    try:
        expected = _recorded(path.parent).get(path.name)
        actual = expected and _sha256(path)
    except OSError as error:
        raise ConfigError(f"{os_error_line(error)}; install the package again") from error
    except ValueError as error:
        raise ConfigError(
            f"'{path.parent / CHECKSUM_FILE}' is damaged: {error}; install the package again"
        ) from error
    if actual != expected:
        raise ConfigError(
            f"'{path}' is not the file that was built: its sha256 is {str(actual)[:12]}..., "
            f"{CHECKSUM_FILE} beside it says {str(expected)[:12]}...; install the package again, "
            f"or, if you built this file yourself, make {CHECKSUM_FILE} anew with sha256sum"
        )


def _recorded(folder: Path) -> Dict[str, str]:
    """Returns the sha256 of files by name; nothing where none was recorded."""
    try:
        lines = (folder / CHECKSUM_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    parts = [line.partition(" ") for line in lines]
    return {name.strip().lstrip("*"): digest.lower() for digest, _, name in parts}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
