"""Whether this user may read or write a path; where not, where exactly that ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import List, Optional


def first_denied(path: Path, *, write: bool = False) -> Optional[Path]:
    """Returns where this user's permission ends on the way to a path; None if it does not.

    A path that is not there counts as one to be made: its nearest folder above must allow that,
    if it is to be written. Nothing is changed.

    Args:
        path: A file or a folder.
        write: Whether it is to be written, too.
    """
    way = _way(path)
    for step in way:
        try:
            mode = os.stat(step).st_mode
        except PermissionError:
            return step.parent
        except OSError:  # not there, or a file in the place of a folder
            return step.parent if write and not os.access(step.parent, os.W_OK | os.X_OK) else None
        is_last = step == way[-1]
        wanted = os.R_OK if is_last else 0
        if stat.S_ISDIR(mode):
            wanted |= os.X_OK
        if write and is_last:
            wanted |= os.W_OK
        if wanted and not os.access(step, wanted):
            return step
    return None


def denial(path: Path, *, write: bool = False) -> str:
    """Returns a path and why this user may not read, or write, it.

    Such as: "'/data': permission denied; it belongs to root (rwx------), this user is 1000".
    """
    if write and _is_read_only(path):
        return f"'{path}': read-only file system"
    try:
        status = os.stat(path)
    except OSError:
        return f"'{path}': permission denied"
    user = f", this user is {_name_of(os.geteuid())}" if hasattr(os, "geteuid") else ""
    owner = f"{_name_of(status.st_uid)} ({stat.filemode(status.st_mode)[1:]})"
    return f"'{path}': permission denied; it belongs to {owner}{user}"


def _is_read_only(path: Path) -> bool:
    try:
        return hasattr(os, "statvfs") and bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _name_of(number: int) -> str:
    """Returns a user's name, or the number where there is no name."""
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)


def _way(path: Path) -> List[Path]:
    """Returns the folders that lead to a path, from the top, and the path itself."""
    whole = Path(os.path.abspath(path))
    return [*reversed(whole.parents), whole]
