"""Files derived from a checkpoint, such as 8-bit weights: made once, kept in the user's cache."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Iterator, Optional

import structlog

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

logger = structlog.get_logger(__name__)

CACHE_VARIABLE = "RASA_TOKPRUNE_CACHE"
# What is being written. A process that is killed leaves it behind; the next that writes removes it.
_PREFIX, _PARTIAL = ".", ".partial"
# Whoever makes such a file locks it within this time; without locks, has finished it by then.
_UNLOCKED_S, _UNFINISHED_S = 0.1, 3600.0


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
    try:
        write_whole(content, path)
    except OSError as error:
        logger.warning("rasa_tokprune.not_cached", path=str(path), error=str(error))
        return False
    return True


def write_whole(content: bytes, path: Path) -> None:
    """Writes a file whole or not at all, whenever this process ends.

    Raises:
        OSError: If it cannot be written.
    """
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=_PREFIX, suffix=_PARTIAL, delete=False
        ) as file:
            temporary = file.name
            _lock(file)
            file.write(content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _remove_abandoned(folder: Path) -> None:
    """Removes what processes that were killed had begun to write."""
    for path in folder.glob(f"{_PREFIX}*{_PARTIAL}"):
        with contextlib.suppress(OSError), path.open("r+b") as file:
            age = time.time() - os.stat(path).st_mtime
            if age > (_UNFINISHED_S if fcntl is None else _UNLOCKED_S):
                _lock(file)  # an error as long as its writer lives
                path.unlink()


def _lock(file: IO[Any]) -> None:
    """Locks a file for as long as it is open; raises OSError if another has done so."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _umask() -> int:
    """Returns the mask of this process; asking for it is setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
