"""Servers as processes that end with this one, whatever happens to it."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator, List, Mapping, Optional, Sequence

from benchmarks.rasa.processes import RasaProcessError
from rasa_tokprune.errors import ConfigError

HOST = "127.0.0.1"
_START_TIMEOUT_S = 300.0
_END_TIMEOUT_S = 30.0
# A training is one request.
_PATIENCE_S = 540.0
_SHOWN = 2000
_PR_SET_PDEATHSIG = 1


@dataclasses.dataclass(frozen=True)
class Running:
    """A server.

    Attributes:
        process: Its first process, which leads a group of its own.
        port: Where it listens, on this machine only.
        log: What it printed.
        start_s: Seconds until it answered.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    start_s: float

    @property
    def pid(self) -> int:
        """Number of its first process."""
        return self.process.pid

    def printed(self) -> str:
        """Returns what it printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def need(*programs: str) -> None:
    """Raises ConfigError if a program is not installed; nginx lies where users have no path."""
    for name in programs:
        if find_program(name) is None:
            raise ConfigError(f"'{name}' is missing; install it, on Debian: apt-get install {name}")


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str],
    folder: Path,
    port: int,
    is_ready: Callable[[int], bool],
    variables: Optional[Mapping[str, str]] = None,
) -> Iterator[Running]:
    """Runs a server until the block ends, then ends every process of its group.

    Raises:
        RasaProcessError: If it ends, or does not answer in time; with the end of what it printed.
    """
    log = folder / f"{Path(command[0]).name}-{port}.log"
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(variables or {})},
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    try:
        while not is_ready(port):
            if process.poll() is not None or time.perf_counter() - start > _START_TIMEOUT_S:
                printed = log.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
                raise RasaProcessError(f"{' '.join(command)} did not start:\n{printed}")
            time.sleep(0.1)
        yield Running(process, port, log, time.perf_counter() - start)
    finally:
        _end(process)


def request(
    port: int, method: str, path: str, body: bytes, kind: str = "application/json"
) -> bytes:
    """Sends one request to a server on this machine and returns the content of its answer.

    Raises:
        RasaProcessError: If it answers with an error.
    """
    connection = http.client.HTTPConnection(HOST, port, timeout=_PATIENCE_S)
    connection.request(method, path, body, {"Content-Type": kind})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise RasaProcessError(f"{method} {path}: status {answer.status}, {content[:_SHOWN]!r}")
    return content


def group_of(pid: int) -> List[int]:
    """Returns a process and all below it."""
    found = [pid]
    for number in found:
        for task in Path(f"/proc/{number}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(each) for each in task.read_text(encoding="ascii").split()]
    return found


def find_program(program: str) -> Optional[str]:
    """Returns where a program lies, also in the folders that only root has in its path."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def end_with_parent() -> None:
    """Lets the system end this process when the one that started it dies, even by kill -9."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks a process to end and, after a while, kills what is left of its group."""
    members = group_of(process.pid)
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_END_TIMEOUT_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for number in members:  # one that left the group
        if number != process.pid and Path(f"/proc/{number}").exists():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
    process.wait()
