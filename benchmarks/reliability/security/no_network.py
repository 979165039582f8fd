"""Answers messages with every socket refused; writes no_network.jsonl.

A bot's components and commands run first in a process whose `socket.socket` raises, then, on Linux,
in a network namespace that has no network at all.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, List, NoReturn, Optional, Sequence, Tuple

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.faults import bot
from benchmarks.rows import Row, append_row
from rasa_tokprune.machine.environment import environment

BACKENDS = ("native", "onnx", "torch")
_INSIDE = "inside"
_MODULE = "benchmarks.reliability.security.no_network"


def forbid_sockets() -> List[str]:
    """Makes every socket that Python opens from now on an error; returns what is then tried."""
    import socket

    tried: List[str] = []

    class Forbidden(socket.socket):
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            tried.append(f"{arguments}")
            raise OSError("no sockets here")

    def refuse(*arguments: Any, **_: Any) -> NoReturn:
        tried.append(f"{arguments}")
        raise OSError("no sockets here")

    socket.socket = Forbidden  # type: ignore[misc]
    socket.create_connection = refuse
    socket.getaddrinfo = refuse
    return tried


def answer_without_sockets(backend: str) -> int:
    """Trains, answers and explains in a folder with no socket; returns how many were tried."""
    import os

    import rasa.model_training  # Rasa's imports may look at what the machine is called

    from rasa_tokprune.commands.trained_model.access import open_model
    from rasa_tokprune.encoder import load_encoder

    os.environ.pop("HF_HUB_OFFLINE", None)
    tried = forbid_sockets()
    precision = "int8" if backend == "native" else "fp32"
    load_encoder(backend=backend, precision=precision).encode(list(bot.MESSAGES))
    training = rasa.model_training.train_nlu("config.yml", "data", "models")
    if training is None:
        return -1
    with open_model(Path(training)) as model:
        parses = model.parse(bot.MESSAGES)
    return len(tried) if len(parses) == len(bot.MESSAGES) else -1


def try_in(backend: str, how: str, prefix: Sequence[str]) -> Row:
    """Returns what a process saw that trained and answered with a backend."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "bot"
        bot.write_bot(folder, config=f"backend: {backend}")
        command = [*prefix, sys.executable, "-W", "ignore", "-m", _MODULE, _INSIDE, backend]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        last = (ended.stdout.splitlines() or [""])[-1]
    n_sockets = int(last.rpartition(" ")[2]) if last.startswith("sockets tried: ") else None
    is_right = ended.returncode == 0 and n_sockets == 0
    row = {"backend": backend, "how": how, "code": ended.returncode, "n_sockets": n_sockets}
    return {**row, "n_messages": len(bot.MESSAGES), "is_right": is_right}


def measure(arguments: argparse.Namespace) -> None:
    """Tries the backends; rows are written as they come."""
    arguments.out.unlink(missing_ok=True)
    ways: List[Tuple[str, List[str]]] = [("sockets refused", [])]
    if shutil.which("unshare"):
        ways.append(("sockets refused, no network", ["unshare", "-rn"]))
    else:
        print("left out, unshare (util-linux) makes it: a machine without a network")
    for backend in BACKENDS[: arguments.n]:
        for how, prefix in ways:
            print(f"{backend}, {how}")
            row = try_in(backend, how, prefix)
            append_row({**row, "environment": environment()}, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "no_network.jsonl")
    made.add_argument("--n", type=int, default=len(BACKENDS), help="only so many backends")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    if sys.argv[1:2] == [_INSIDE]:
        print(f"sockets tried: {answer_without_sockets(sys.argv[2])}")
        sys.exit(0)
    sys.exit(main())
