"""A group of processes with a CPU quota, where Linux lets this user make one."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Iterator, Optional, Tuple

from rasa_tokprune.machine.limits import CGROUP

_PERIOD_US = 100_000
# Seconds that a group whose last process has just ended may still be in use.
_PATIENCE_S = 5.0


@contextlib.contextmanager
def group_with_quota(cores: float, root: Path = CGROUP) -> Iterator[Optional[Path]]:
    """Makes a group that gets time for so many cores; yields its file of processes.

    Args:
        cores: Such as 0.5.
        root: Where the groups are mounted.

    Yields:
        The file that a process writes its number to in order to enter; None where groups cannot
        be made.
    """
    is_second = (root / "cgroup.controllers").is_file()
    folder = (root if is_second else root / "cpu") / f"rasa_tokprune_{os.getpid()}"
    quota = int(cores * _PERIOD_US)
    settings: Tuple[Tuple[str, str], ...] = (("cpu.max", f"{quota} {_PERIOD_US}"),)
    if not is_second:
        settings = (("cpu.cfs_period_us", str(_PERIOD_US)), ("cpu.cfs_quota_us", str(quota)))
    try:
        folder.mkdir()
    except OSError:
        yield None
        return
    try:
        yield folder / "cgroup.procs" if _is_set(folder, settings) else None
    finally:
        _remove(folder)


def throttled_share(entrance: Path) -> float:
    """Returns the share of periods in which a group used up its quota and had to wait.

    Args:
        entrance: What `group_with_quota` yields.
    """
    lines = (entrance.parent / "cpu.stat").read_text(encoding="ascii").splitlines()
    counts = {name: int(value) for name, value in map(str.split, lines)}
    return counts["nr_throttled"] / max(1, counts["nr_periods"])


def _is_set(folder: Path, settings: Tuple[Tuple[str, str], ...]) -> bool:
    try:
        for name, value in settings:
            (folder / name).write_text(value, encoding="ascii")
    except OSError:
        return False
    return True


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while folder.is_dir():
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(0.1)
