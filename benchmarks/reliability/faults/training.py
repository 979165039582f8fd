"""`rasa train nlu` in a process of its own: as another user, on a small disk."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from benchmarks.reliability.faults import bot
from benchmarks.tables import ROOT

_TIMEOUT_S = 500
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclasses.dataclass(frozen=True)
class Trained:
    """How a `rasa train nlu` ended."""

    code: int
    printed: str

    def line(self, pattern: str) -> str:
        """Returns the last line that a pattern is found in, blank if there is none."""
        lines = [_COLOUR.sub("", line).strip() for line in self.printed.splitlines()]
        found = [line for line in lines if re.search(pattern, line)]
        return found[-1] if found else ""


def train(folder: Path, prefix: Sequence[str] = (), **changed: Optional[str]) -> Trained:
    """Trains a bot; `changed` are variables of the environment, None removes one."""
    return end_of(begin_training(folder, prefix, **changed))


def begin_training(
    folder: Path, prefix: Sequence[str], **changed: Optional[str]
) -> subprocess.Popen[str]:
    """Starts what `train` does."""
    for name in ("tmp", bot.CACHE):
        (folder / name).mkdir(exist_ok=True)
    given: Dict[str, Optional[str]] = {**os.environ, **bot.variables(folder), **changed}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    given["PYTHONPATH"] = os.pathsep.join(paths)
    return subprocess.Popen(
        [*prefix, sys.executable, "-W", "ignore", "-m", "rasa", *bot.arguments_of_training()],
        cwd=folder,
        env={name: value for name, value in given.items() if value is not None},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end_of(process: subprocess.Popen[str]) -> Trained:
    """Waits for a training, and kills one that takes too long."""
    try:
        printed, _ = process.communicate(timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, _ = process.communicate()
    return Trained(process.returncode, printed)


def as_user(number: int, folder: Path) -> List[str]:
    """Returns what stands in front of a command so that another user runs it, who owns a folder.

    Where Python lies in a folder of root's, it is shown to that user in a mount namespace.
    """
    for path in (folder, *folder.rglob("*")):
        os.chown(path, number, number)
    become = f'exec setpriv --reuid={number} --regid={number} --clear-groups "$@"'
    base = Path(sys.base_prefix).resolve()
    closed = [parent for parent in reversed(base.parents) if not parent.stat().st_mode & 1]
    if not closed:
        return ["bash", "-c", become, "-"]
    seen = folder.parent / "python"
    seen.mkdir(exist_ok=True)
    show = (
        f"mount --bind {base} {seen} && mount -t tmpfs -o mode=755 tmpfs {closed[0]} && "
        f"mkdir -p {base} && mount --bind {seen} {base} && {become}"
    )
    return ["unshare", "-m", "bash", "-c", show, "-"]


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int, options: str = "") -> Iterator[None]:
    """Mounts an empty file system of so many megabytes at a folder."""
    folder.mkdir(exist_ok=True)
    size = f"size={megabytes}m{options}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
