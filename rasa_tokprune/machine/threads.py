"""How many threads an encoder may take."""

from __future__ import annotations

import os

SANIC_WORKERS = "SANIC_WORKERS"


def n_server_workers() -> int:
    """Returns the workers of Rasa's server, 1 if their number is not set."""
    workers = os.environ.get(SANIC_WORKERS, "1")
    return max(1, int(workers)) if workers.isdigit() else 1


def available_threads() -> int:
    """Returns the cores this process may use, shared out among Rasa's server workers."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) // n_server_workers())
