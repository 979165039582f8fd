"""Where Prometheus reads the metrics: one HTTP address per machine, however many workers."""

from __future__ import annotations

import functools
import os
import re
import socket
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

import structlog

from rasa_tokprune.errors import ConfigError, os_error_line
from rasa_tokprune.extras import require
from rasa_tokprune.machine.threads import SANIC_WORKERS, n_server_workers

logger = structlog.get_logger(__name__)

# A server's setting, not a model's: it is no key of config.yml.
ADDRESS_VARIABLE = "RASA_TOKPRUNE_METRICS"
# prometheus_client's own: the folder in which the workers of a server share their numbers.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class Address(NamedTuple):
    """Where to listen.

    Attributes:
        host: Name or IPv4 address of an interface.
        port: 0 takes any that is free.
    """

    host: str
    port: int


def asked_address() -> Optional[Address]:
    """Returns where `RASA_TOKPRUNE_METRICS` wants the metrics; None if it is not set.

    Raises:
        ConfigError: If it is no address.
    """
    value = os.environ.get(ADDRESS_VARIABLE, "").strip()
    if not value:
        return None
    found = re.fullmatch(r"(?:([\w.-]+):)?(\d{1,5})", value)
    if found is None or int(found[2]) > 65535:
        raise ConfigError(
            f"{ADDRESS_VARIABLE} must be a port, such as 9464, which all interfaces listen on, or "
            f"an interface and a port, such as 127.0.0.1:9464; got '{value}'"
        )
    return Address(found[1] or "0.0.0.0", int(found[2]))  # noqa: S104


@functools.cache
def serve_once() -> Optional[Tuple[str, int]]:
    """Serves the metrics of this process from now on, if it was asked to; the first call decides.

    What stands in the way is logged in one line and stops no bot.

    Returns:
        Host and port that are listened on; None if metrics are off.
    """
    try:
        address = asked_address()
        if address is None:
            return None
        require("prometheus_client", ADDRESS_VARIABLE)
        server = _bind(address)
    except ConfigError as error:
        logger.warning("rasa_tokprune.no_metrics", reason=str(error))
        return None
    except OSError as error:
        reason = f"{ADDRESS_VARIABLE} cannot be served at {os.environ[ADDRESS_VARIABLE]}"
        hint = "another process may have the port: give this one another, or unset the variable"
        logger.warning(
            "rasa_tokprune.no_metrics", reason=f"{reason}: {os_error_line(error)}; {hint}"
        )
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    host, port = server.server_address[:2]
    logger.info("rasa_tokprune.metrics", host=host, port=port)
    return str(host), port


def _bind(address: Address) -> ThreadingHTTPServer:
    """Returns a server that listens and answers with the metrics of all workers.

    Raises:
        ConfigError: If there are several workers and no folder that they share.
        OSError: If the address or the folder cannot be used.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if n_server_workers() > 1 and not folder:
        raise ConfigError(
            f"{SANIC_WORKERS}={n_server_workers()} workers count for themselves: set "
            f"{FOLDER_VARIABLE} to an empty folder, in which they share their numbers"
        )
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    # prometheus_client looks at the folder when it is imported.
    import prometheus_client
    from prometheus_client.multiprocess import MultiProcessCollector

    from rasa_tokprune.monitoring.meters import meters

    meters()
    registry = prometheus_client.REGISTRY
    if folder:
        registry = prometheus_client.CollectorRegistry()
        MultiProcessCollector(registry)
    kind = _SharedServer if folder else _Server
    return kind((address.host, address.port), prometheus_client.MetricsHandler.factory(registry))


class _Server(ThreadingHTTPServer):
    """A server of one process: a second one is refused the port."""

    daemon_threads = True
    allow_reuse_address = True


class _SharedServer(_Server):
    """A server of one of several workers, which all listen on one port and give the same answer."""

    def server_bind(self) -> None:
        """Binds the port beside the other workers, where the system can."""
        if hasattr(socket, "SO_REUSEPORT"):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()
