"""How many threads an encoder may take."""

from __future__ import annotations

import os

from rasa_tokprune.machine.limits import cpu_quota

SANIC_WORKERS = "SANIC_WORKERS"


def n_server_workers() -> int:
    """Returns the workers of Rasa's server, 1 if their number is not set."""
    workers = os.environ.get(SANIC_WORKERS, "1")
    return max(1, int(workers)) if workers.isdigit() else 1


def available_threads() -> int:
    """Returns the cores this process gets time for, shared out among Rasa's server workers.

    More threads than a container's quota would use it up and then all stand still.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = cpu_quota()
    usable = (cores or 1) if quota is None else min(cores or 1, int(quota))
    return max(1, usable // n_server_workers())
