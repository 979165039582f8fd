"""Trains a bot where disks are full, homes are missing and hubs do not answer.

Writes surroundings.jsonl. Each training is `rasa train nlu` in a process of its own. Full disks
and read-only homes are small file systems in memory, other users are made with setpriv, a machine
without a network is a network namespace: for these the script has to be run as root, on Linux. What
cannot be made here is left out, and said.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, Optional, Sequence, Tuple

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.faults import bot
from benchmarks.reliability.faults.training import (
    Trained,
    as_user,
    begin_training,
    end_of,
    small_disk,
    train,
)
from benchmarks.rows import Row, append_row
from rasa_tokprune.machine.environment import environment

_FOLDERS = re.compile(r"/(?:[\w.-]+/)+")  # of a path
# Nobody, and a number that has no name and no home.
_NOBODY, _STRANGER = 65534, 54321
_TMPFS = "file system in memory of"


def full_cache(folder: Path) -> Row:
    """Our cache cannot hold the weights."""
    with small_disk(folder / bot.CACHE, 4):
        ended = train(folder)
        left = list(bot.files_of(folder / bot.CACHE))
    return _row(folder, ended, f"{_TMPFS} 4 MB", "trained", "not_cached", is_right=not left)


def full_models(folder: Path) -> Row:
    """The folder of models holds the first one and not the second."""
    with small_disk(folder / bot.MODELS, 1 + _size_of_model(folder)):
        for path in (folder / "first").iterdir():
            shutil.copy(path, folder / bot.MODELS)
        bot.add_examples(folder)
        ended = train(folder)
        whole = [path.name for path in bot.archives(folder) if bot.is_whole(path)]
        row = _row(folder, ended, f"{_TMPFS} one model and 1 MB", "refused", "No space left")
        half = len(bot.archives(folder)) - len(whole)
        return {
            **row,
            "half_archives": half,
            "is_right": row["is_right"] and whole == ["first.tar.gz"],
        }


def _size_of_model(folder: Path) -> int:
    """Trains the first model, kept in `first`; returns its size in megabytes, rounded up."""
    train(folder)
    (folder / bot.MODELS).rename(folder / "first")
    (archive,) = (folder / "first").iterdir()
    return archive.rename(archive.with_name("first.tar.gz")).stat().st_size // 1_000_000 + 1


def full_temporary(folder: Path) -> Row:
    """The folder of temporary files, where Rasa puts what components store, is full."""
    with small_disk(folder / "tmp", 3):
        ended = train(folder)
    return _row(folder, ended, f"{_TMPFS} 3 MB", "refused", "cannot be written: No space")


def read_only_home(folder: Path) -> Row:
    """HOME can be read, not written; no cache is named."""
    home = folder / "home"
    with small_disk(home, 1, ",ro"):
        changed: Dict[str, Optional[str]] = {
            "HOME": str(home),
            "XDG_CACHE_HOME": None,
            "RASA_TOKPRUNE_CACHE": None,
        }
        ended = train(folder, (), **changed)
    return _row(folder, ended, "read-only file system", "trained", "not_cached")


_WITHOUT_HOME = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "RASA_TOKPRUNE_CACHE", "USER", "LOGNAME"))


def no_home(folder: Path) -> Row:
    """A user without name and home, as in many containers; no cache is named."""
    (folder / "plots").mkdir()
    prefix = as_user(_STRANGER, folder)
    ended = train(folder, prefix, MPLCONFIGDIR=str(folder / "plots"), **_WITHOUT_HOME)
    return _row(folder, ended, f"user {_STRANGER}, no HOME, MPLCONFIGDIR set", "trained", "")


def no_home_for_plots(folder: Path) -> Row:
    """The same, and no folder for matplotlib, which Rasa imports: Rasa does not start."""
    ended = train(folder, as_user(_STRANGER, folder), **_WITHOUT_HOME)
    made_by = f"user {_STRANGER}, no HOME"
    return _row(folder, ended, made_by, "refused", "Could not determine home directory")


def cache_of_another(folder: Path) -> Row:
    """The cache belongs to root, who lets nobody in."""
    cache = folder.parent / "cache of root"
    cache.mkdir(mode=0o700)
    prefix = as_user(_NOBODY, folder)
    ended = train(folder, prefix, RASA_TOKPRUNE_CACHE=str(cache), HOME=str(folder))
    return _row(
        folder, ended, f"folder of root (rwx------), user {_NOBODY}", "trained", "not_cached"
    )


def no_hub(folder: Path) -> Row:
    """An encoder that is not here, and no network."""
    config = (folder / "config.yml").read_text(encoding="utf-8")
    model = "    model: somebody/an-encoder\n"
    changed_config = re.sub(r"(TokPrune\w+\n)", rf"\1{model}", config)
    (folder / "config.yml").write_text(changed_config, encoding="utf-8")
    ended = train(folder, ["unshare", "-rn"], HF_HUB_OFFLINE=None, HF_HOME=str(folder / "hub"))
    return _row(folder, ended, "network namespace", "refused", "is not on this machine")


def no_network(folder: Path) -> Row:
    """The default encoder as a package, and no network; nothing says so."""
    ended = train(folder, ["unshare", "-rn"], HF_HUB_OFFLINE=None, HF_HOME=str(folder / "hub"))
    return _row(folder, ended, "network namespace", "trained", "")


def two_at_once(folder: Path) -> Row:
    """Two trainings in one folder, with one cache, at the same time."""
    processes = [begin_training(folder, []) for _ in range(2)]
    both = [end_of(process) for process in processes]
    row = _row(folder, both[0], "two processes", "trained", "")
    whole = [bot.is_whole(path) for path in bot.archives(folder)]
    is_right = [ended.code for ended in both] == [0, 0] and whole == [True, True]
    left = [name for name in bot.files_of(folder / bot.CACHE) if "partial" in name]
    return {**row, "is_right": is_right and not left}


TRIALS: Tuple[Tuple[str, Callable[[Path], Row], bool], ...] = (
    ("our cache is on a full disk", full_cache, True),
    ("the folder of models is on a full disk", full_models, True),
    ("temporary files are on a full disk", full_temporary, True),
    ("the home is read-only", read_only_home, True),
    ("the user has no home", no_home, True),
    ("the user has no home, matplotlib no folder", no_home_for_plots, True),
    ("the cache is another user's", cache_of_another, True),
    ("the hub does not answer, the encoder is not here", no_hub, True),
    ("there is no network, the encoder is here", no_network, True),
    ("two trainings at once in one folder", two_at_once, False),
)


def _row(
    folder: Path,
    ended: Trained,
    made_by: str,
    expected: str,
    pattern: str,
    *,
    is_right: bool = True,
) -> Row:
    archives = bot.archives(folder)
    got = "trained" if ended.code == 0 and archives and bot.is_whole(archives[-1]) else "refused"
    said = ended.line(pattern) if pattern else ""
    said = said.replace(str(folder), "BOT").replace(str(folder.parent), "FOLDER")
    said = _FOLDERS.sub("/", said)
    return {
        "made_by": made_by,
        "expected": expected,
        "got": got,
        "code": ended.code,
        "said": said,
        "is_right": is_right and got == expected and bool(said or not pattern),
        "has_traceback": "Traceback (most recent call last)" in ended.printed,
    }


def measure(arguments: argparse.Namespace) -> None:
    """Tries what was asked for; rows are written as they come."""
    if not arguments.only:
        arguments.out.unlink(missing_ok=True)
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv") is not None
    trials = [each for each in TRIALS if arguments.only in each[0]][: arguments.n]
    for name, trial, needs_root in tqdm(trials, desc="Trials"):
        if needs_root and not is_root:
            tqdm.write(f"left out, root on Linux with setpriv and unshare makes it: {name}")
            continue
        with tempfile.TemporaryDirectory() as parent:
            os.chmod(parent, 0o755)  # noqa: S103
            folder = Path(parent) / "bot"
            bot.write_bot(folder)
            start = time.monotonic()
            row = trial(folder)
            row = {"trial": name, **row, "seconds": time.monotonic() - start}
            append_row({**row, "environment": environment()}, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "surroundings.jsonl")
    made.add_argument("--n", type=int, default=len(TRIALS), help="only the first so many trials")
    made.add_argument("--only", default="", help="only trials whose name has this in it")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
