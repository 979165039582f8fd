"""Files derived from a checkpoint, such as 8-bit weights: made once, kept in the user's cache."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import structlog

logger = structlog.get_logger(__name__)

CACHE_VARIABLE = "RASA_TOKPRUNE_CACHE"


def cache_folder() -> Path:
    """Returns where they are kept: $RASA_TOKPRUNE_CACHE, or rasa_tokprune in the user's cache."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "rasa_tokprune"


def store(content: bytes, path: Path) -> bool:
    """Writes a file whole or not at all; returns whether it could be written.

    Without it the next start only takes longer.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            temporary = file.name
            file.write(content)
        os.replace(temporary, path)
    except OSError as error:
        logger.warning("rasa_tokprune.not_cached", path=str(path), error=str(error))
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return False
    return True
