"""Rasa's commands as processes of their own; `train nlu` and `run` with their memory."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Dict, Iterator, List, Mapping, Optional, Sequence

from benchmarks.machine import started_on, thread_variables
from benchmarks.tables import ROOT
from rasa_tokprune.errors import TokPruneError
from rasa_tokprune.machine.environment import usable_cores

_START_TIMEOUT_S = 300.0
# Characters of what a failed process printed.
_SHOWN = 2000
_MEMORY_LINES = {
    "status": {"VmRSS": "rss_mb"},
    "smaps_rollup": {"Pss": "pss_mb", "Anonymous": "anonymous_mb"},
}


class RasaProcessError(TokPruneError):
    """A Rasa process failed."""


def run_module(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    variables: Optional[Mapping[str, str]] = None,
) -> str:
    """Runs a Python module in a folder and returns what it printed.

    Args:
        module: Such as rasa, or one of this repository.
        arguments: Its command line.
        folder: Where it runs.
        variables: Of its environment, beside those of this process.

    Raises:
        RasaProcessError: If it fails; with the end of what it printed.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {"RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **settings, "PYTHONPATH": os.pathsep.join(paths), **(variables or {})},
    )
    if result.returncode != 0:
        printed = f"{result.stdout}\n{result.stderr}"[-_SHOWN:]
        raise RasaProcessError(f"{module} {' '.join(arguments)} failed:\n{printed}")
    return result.stdout


@dataclasses.dataclass(frozen=True)
class Training:
    """One `rasa train nlu`.

    Attributes:
        seconds: Wall time, start-up and imports included.
        peak_mb: Highest resident memory of the process (and at least the caller's own).
        model_mb: Size of the model archive.
    """

    seconds: float
    peak_mb: float
    model_mb: float


def train_nlu(folder: Path, data: Path, threads: int) -> Training:
    """Trains with the config.yml of a folder; the archive is `folder`/models/model.tar.gz.

    Raises:
        RasaProcessError: If it fails; with the end of what it printed.
    """
    options = ["--config", "config.yml", "--nlu", str(data.resolve())]
    options += ["--out", "models", "--fixed-model-name", "model"]
    if (folder / "domain.yml").is_file():
        options += ["--domain", "domain.yml"]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = _start(["train", "nlu", *options], folder, threads, output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RasaProcessError(f"rasa train nlu failed:\n{_end_of(output)}")
    archive = folder / "models" / "model.tar.gz"
    return Training(seconds, usage.ru_maxrss / 1024, archive.stat().st_size / 1e6)


@dataclasses.dataclass(frozen=True)
class Server:
    """A running `rasa run --enable-api`."""

    pid: int
    port: int

    def memory(self) -> Dict[str, float]:
        """Returns megabytes: resident, proportional share, anonymous (not mapped files)."""
        found: Dict[str, float] = {}
        for file, names in _MEMORY_LINES.items():
            path = Path(f"/proc/{self.pid}/{file}")
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                for name, field in names.items():
                    match = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
                    if match:
                        found[field] = int(match.group(1)) / 1024
        return found


@contextlib.contextmanager
def running_server(folder: Path, threads: int) -> Iterator[Server]:
    """Runs the model that `train_nlu` left in a folder; ends the server at the end.

    Raises:
        RasaProcessError: If it does not answer in time.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--model", "models/model.tar.gz", "--port", str(port), "-i", "127.0.0.1"]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = _start(["run", "--enable-api", *options], folder, threads, output)
        try:
            _wait_until_ready(process, port, output)
            yield Server(process.pid, port)
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def client_cores(threads: int) -> List[int]:
    """Returns the cores a server of so many threads leaves to clients; all if it leaves none."""
    return usable_cores()[threads:] or usable_cores()


def _start(
    arguments: Sequence[str], folder: Path, threads: int, output: IO[str]
) -> subprocess.Popen[bytes]:
    with started_on(usable_cores()[:threads]):
        return subprocess.Popen(
            [sys.executable, "-m", "rasa", *arguments],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **thread_variables(threads)},
        )


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, output: IO[str]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RasaProcessError(f"rasa run ended:\n{_end_of(output)}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/status")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        time.sleep(0.2)
    raise RasaProcessError(f"rasa run did not answer within {_START_TIMEOUT_S:.0f} s")


def _end_of(output: IO[str]) -> str:
    output.seek(0)
    return output.read()[-_SHOWN:]
