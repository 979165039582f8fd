"""Results of jobs on disk, by what was computed: a killed run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from rasa_tokprune.machine.stored import store

Result = Dict[str, Any]


def job_key(name: str, arguments: Mapping[str, Any]) -> str:
    """Returns the hash of a job: its kind, with version, and all that it is given.

    Args:
        name: Kind and version, such as 'trial-1'; raise the version when its meaning changes.
        arguments: JSON values. A file counts by its content only if its hash is among them.
    """
    content = json.dumps([name, arguments], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


class ResultStore:
    """A folder with one JSON file for each finished job."""

    def __init__(self, folder: Optional[Path]) -> None:
        """Opens a folder, which need not exist; None keeps nothing."""
        self._folder = folder

    def read(self, key: str) -> Optional[Result]:
        """Returns a finished job's result; None if there is none, or it is damaged."""
        if self._folder is None:
            return None
        try:
            found = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def write(self, key: str, result: Result) -> None:
        """Keeps a result; the file is written whole or not at all."""
        if self._folder is not None:
            store(json.dumps(result).encode(), self._folder / f"{key}.json")
