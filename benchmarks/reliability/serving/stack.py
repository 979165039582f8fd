"""Rasa, Redis and nginx as processes that end with this one, whatever happens to it."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from benchmarks.machine import thread_variables
from benchmarks.rasa.processes import RasaProcessError
from benchmarks.tables import ROOT
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.threads import SANIC_WORKERS

START_TIMEOUT_S = 300.0
_END_TIMEOUT_S = 30.0
# A training is one request.
_PATIENCE_S = 540.0
_SHOWN = 2000
_PR_SET_PDEATHSIG = 1
_HOST = "127.0.0.1"


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
        if _found(name) is None:
            raise ConfigError(f"'{name}' is missing; install it, on Debian: apt-get install {name}")


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
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
            preexec_fn=_end_with_parent,
        )
    try:
        while not is_ready(port):
            if process.poll() is not None or time.perf_counter() - start > START_TIMEOUT_S:
                printed = log.read_text(encoding="utf-8", errors="replace")[-_SHOWN:]
                raise RasaProcessError(f"{' '.join(command)} did not start:\n{printed}")
            time.sleep(0.1)
        yield Running(process, port, log, time.perf_counter() - start)
    finally:
        _end(process)


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[Running]:
    """Runs a Redis of its own that keeps nothing on disk."""
    need("redis-server")
    port = free_port()
    options = ["--port", str(port), "--bind", _HOST, "--save", "", "--appendonly", "no"]
    command = [str(_found("redis-server")), *options, "--dir", str(folder)]
    with running(command, folder, port, _listens) as server:
        yield server


@contextlib.contextmanager
def rasa_server(
    folder: Path,
    model: Optional[Path],
    *,
    workers: int = 1,
    endpoints: Optional[Path] = None,
    variables: Optional[Mapping[str, str]] = None,
    prefix: Sequence[str] = (),
) -> Iterator[Running]:
    """Runs `rasa run --enable-api` with the REST channel, one thread in each worker.

    Args:
        folder: Where it runs and writes its log.
        model: Archive; None if the endpoints name a model server.
        workers: Of Sanic; more than one need endpoints with a shared lock store.
        endpoints: endpoints.yml.
        variables: Of its environment.
        prefix: A command in front, such as one that enters a group.
    """
    port = free_port()
    credentials = folder / "credentials.yml"
    credentials.write_text("rest:\n", encoding="utf-8")
    command = [*prefix, sys.executable, "-m", "rasa", "run", "--enable-api", "-i", _HOST]
    command += ["--port", str(port), "--credentials", str(credentials)]
    command += ["--model", str(model)] if model is not None else []
    command += ["--endpoints", str(endpoints)] if endpoints is not None else []
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = {
        **thread_variables(1),
        SANIC_WORKERS: str(workers),
        "PYTHONPATH": os.pathsep.join(paths),
        "LOG_LEVEL": "WARNING",
        "HF_HUB_OFFLINE": "1",
    }
    with running(command, folder, port, _has_model, {**own, **(variables or {})}) as server:
        yield server


def store_endpoints(path: Path, redis_port: int, **more: Mapping[str, object]) -> Path:
    """Writes endpoints.yml with lock and tracker store in Redis, and returns its path."""
    import rasa.shared.utils.io

    shared = {"type": "redis", "url": "localhost", "port": redis_port}
    stores: Dict[str, Mapping[str, object]] = {
        "lock_store": {**shared, "db": 1},
        "tracker_store": {**shared, "db": 0},
    }
    rasa.shared.utils.io.write_yaml({**stores, **more}, path)
    return path


@contextlib.contextmanager
def nginx_server(folder: Path, ports: Sequence[int]) -> Iterator[Running]:
    """Runs nginx with the lines of docs/deployment.md, in front of servers on this machine."""
    need("nginx")
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(proxy_lines(folder, port, ports), encoding="utf-8")
    command = [str(_found("nginx")), "-c", str(configuration), "-p", str(folder)]
    with running([*command, "-g", "daemon off;"], folder, port, _listens) as server:
        yield server


def proxy_lines(folder: Path, port: int, ports: Sequence[int]) -> str:
    """Returns nginx's configuration: what the document says, with these addresses.

    Raises:
        ConfigError: If the document's lines do not name addresses where these could stand.
    """
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    found = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    lines = found[1] if found else ""
    servers = "".join(f"    server {_HOST}:{each};\n" for each in ports)
    lines, n_servers = re.subn(r"(    server 10\.[\d.]+:5005;\n)+", servers, lines)
    lines, n_listens = re.subn(r"listen 80;", f"listen {_HOST}:{port};", lines)
    if n_servers != 1 or n_listens != 1:
        raise ConfigError("docs/deployment.md has no nginx block with two servers and listen 80")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    own = f"access_log off;\nerror_log {folder}/nginx-error.log;\n{paths}"
    # As root, nginx would hand its workers to another user, who cannot read the folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    return f"{user}pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{own}{lines}}}\n"


def request(
    port: int, method: str, path: str, body: bytes, kind: str = "application/json"
) -> bytes:
    """Sends one request to a server on this machine and returns the content of its answer.

    Raises:
        RasaProcessError: If it answers with an error.
    """
    connection = http.client.HTTPConnection(_HOST, port, timeout=_PATIENCE_S)
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


def _found(program: str) -> Optional[str]:
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def _end_with_parent() -> None:
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


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((_HOST, port)) == 0


def _has_model(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(_HOST, port, timeout=10)
        connection.request("GET", "/status")
        return connection.getresponse().status == http.HTTPStatus.OK
    return False
