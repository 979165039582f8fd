"""Redis, Rasa and nginx, set up as docs/deployment.md says."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import sys
from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional, Sequence

from benchmarks.machine import thread_variables
from benchmarks.reliability.serving.running import (
    HOST,
    Running,
    find_program,
    free_port,
    need,
    running,
)
from benchmarks.tables import ROOT
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.threads import SANIC_WORKERS


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[Running]:
    """Runs a Redis of its own that keeps nothing on disk."""
    need("redis-server")
    port = free_port()
    options = ["--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no"]
    command = [str(find_program("redis-server")), *options, "--dir", str(folder)]
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
    port: Optional[int] = None,
) -> Iterator[Running]:
    """Runs `rasa run --enable-api` with the REST channel, one thread in each worker.

    Args:
        folder: Where it runs and writes its log.
        model: Archive; None if the endpoints name a model server.
        workers: Of Sanic; more than one need endpoints with a shared lock store.
        endpoints: endpoints.yml.
        variables: Of its environment.
        prefix: A command in front, such as one that enters a group.
        port: Where it listens; default: any that is free.
    """
    port = free_port() if port is None else port
    credentials = folder / "credentials.yml"
    credentials.write_text("rest:\n", encoding="utf-8")
    command = [*prefix, sys.executable, "-m", "rasa", "run", "--enable-api", "-i", HOST]
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
    command = [str(find_program("nginx")), "-c", str(configuration), "-p", str(folder)]
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
    servers = "".join(f"    server {HOST}:{each}\\g<2>;\n" for each in ports)
    lines, n_servers = re.subn(r"(    server 10\.[\d.]+:5005([^;]*);\n)+", servers, lines)
    lines, n_listens = re.subn(r"listen 80;", f"listen {HOST}:{port};", lines)
    if n_servers != 1 or n_listens != 1:
        raise ConfigError("docs/deployment.md has no nginx block with two servers and listen 80")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    own = f"access_log off;\nerror_log {folder}/nginx-error.log;\n{paths}"
    # As root, nginx would hand its workers to another user, who cannot read the folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    return f"{user}pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{own}{lines}}}\n"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _has_model(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        connection.request("GET", "/status")
        return connection.getresponse().status == http.HTTPStatus.OK
    return False
