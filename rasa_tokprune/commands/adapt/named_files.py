"""NAME=FILE, as tasks and judges are given."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Sequence, Tuple

from rasa_tokprune.errors import ConfigError

Named = Tuple[Tuple[str, str], ...]


def named_files(option: str, given: Sequence[str]) -> Named:
    """Returns name and absolute path of each NAME=FILE.

    Raises:
        ConfigError: If one is written otherwise, or a name stands twice.
    """
    found: Dict[str, str] = {}
    for entry in given:
        name, equals, path = entry.partition("=")
        if not (name and equals and path) or name in found:
            raise ConfigError(f"{option} must be NAME=FILE, each name once; got '{entry}'")
        found[name] = str(Path(path).expanduser().resolve())
    return tuple(found.items())
