"""Forked copies of a process that has Rasa imported: each does one thing and ends, or is killed."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Callable, Mapping

_POLL_S = 0.001
LOG = "log.txt"


def warm_up(folder: Path, *functions: Callable[[], None]) -> None:
    """Imports what some functions import, each called once in a process of its own first.

    Args:
        folder: Where they are called.
        functions: What children are going to do.
    """
    for function in functions:
        names = folder / "modules.txt"
        run(functools.partial(_list_modules, function, names), folder, {"TMPDIR": str(folder)})
        for name in names.read_text(encoding="utf-8").split():
            with contextlib.suppress(Exception):  # what can only be imported as a part of another
                importlib.import_module(name)


def _list_modules(function: Callable[[], None], out: Path) -> None:
    try:
        function()
    finally:
        out.write_text("\n".join(sys.modules), encoding="utf-8")


def start(function: Callable[[], None], folder: Path, variables: Mapping[str, str]) -> int:
    """Forks a process that calls a function in a folder; returns its number.

    What it prints goes to LOG in the folder. Its exit code is that of `sys.exit`, or 1 after an
    error.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        output = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for stream in (1, 2):
            os.dup2(output, stream)
        sys.stdout = sys.stderr = open(1, "w", closefd=False)  # noqa: SIM115
        os.environ.update(variables)
        Path(os.environ["TMPDIR"]).mkdir(exist_ok=True)
        tempfile.tempdir = os.environ["TMPDIR"]
        function()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(child: int, timeout_s: float = 300.0) -> int:
    """Returns a process's exit code, minus the number of the signal that ended it.

    One that runs longer is killed.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    return kill(child)


def run(function: Callable[[], None], folder: Path, variables: Mapping[str, str]) -> int:
    """Calls a function in a forked process; returns its exit code."""
    return wait(start(function, folder, variables))


def kill(child: int) -> int:
    """Kills a process at once, as `kill -9` does; returns its exit code."""
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_when(child: int, is_time: Callable[[], bool]) -> int:
    """Kills a process as soon as something is so; returns its exit code, 0 if it ended before."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if is_time():
            return kill(child)
        time.sleep(_POLL_S)
