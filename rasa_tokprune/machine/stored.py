"""Files derived from a checkpoint, such as 8-bit weights: made once, kept in the user's cache."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Iterator, Optional

import structlog

logger = structlog.get_logger(__name__)

CACHE_VARIABLE = "RASA_TOKPRUNE_CACHE"


def stored_path(name: str) -> Optional[Path]:
    """Returns where a file is kept: in $RASA_TOKPRUNE_CACHE, or rasa_tokprune in the user's cache.

    None for a user without a home.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        if chosen:
            return Path(chosen).expanduser() / name
        return (Path(base) if base else Path.home() / ".cache") / "rasa_tokprune" / name
    except RuntimeError:
        return None


_is_kept = True


@contextlib.contextmanager
def nothing_stored() -> Iterator[None]:
    """Keeps this process from writing files meanwhile; what is stored already is read."""
    global _is_kept
    before, _is_kept = _is_kept, False
    try:
        yield
    finally:
        _is_kept = before


def is_stored(path: Optional[Path]) -> bool:
    """Returns whether a file is there; one that may not be looked at is not."""
    try:
        return path is not None and path.is_file()
    except OSError:
        return False


def store(content: bytes, path: Optional[Path]) -> bool:
    """Writes a file whole or not at all; returns whether it could be written.

    Without it the next start only takes longer.
    """
    if path is None or not _is_kept:
        return False
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            temporary = file.name
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        logger.warning("rasa_tokprune.not_cached", path=str(path), error=str(error))
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return False
    return True


def _umask() -> int:
    """Returns the mask of this process; asking for it is setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
