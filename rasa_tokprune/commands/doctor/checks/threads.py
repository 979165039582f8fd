"""Cores, threads, workers: whether they fit each other."""

from __future__ import annotations

import os
from typing import Iterator, Optional

from rasa_tokprune.commands.doctor.case import Case, settings_of
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.machine.environment import usable_cores
from rasa_tokprune.machine.limits import cpu_quota
from rasa_tokprune.machine.threads import SANIC_WORKERS, available_threads, n_server_workers

# Of the libraries that a bot's server runs on: numpy, torch, ONNX Runtime, TensorFlow.
_VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)  # fmt: skip


def check_cores(case: Case) -> Iterator[Finding]:
    """Yields the cores, and whether a container gets less time than these."""
    cores, quota = len(usable_cores()), cpu_quota()
    of_all = f" of {os.cpu_count()}" if os.cpu_count() != cores else ""
    limited = f", time for {quota:g}" if quota is not None else ""
    yield Finding("cores", f"cores this process may use: {cores}{of_all}{limited}")
    if quota is not None and max(1, quota) < cores:
        fits = max(1, int(quota))
        yield Finding(
            "cpu-quota",
            f"the container gets time for {quota:g} cores but sees {cores}: the encoder goes by "
            f"the quota, TensorFlow and torch take {cores} threads, use it up and are stopped",
            f"Set OMP_NUM_THREADS, TF_INTRA_OP_PARALLELISM_THREADS and "
            f"TF_INTER_OP_PARALLELISM_THREADS to {fits}, or give the container {fits} cores of its "
            f"own (docker run --cpuset-cpus)",
        )


def check_workers(case: Case) -> Iterator[Finding]:
    """Yields the encoder's threads, and whether they and the server's workers fit the cores."""
    cores, workers = len(usable_cores()), os.environ.get(SANIC_WORKERS)
    if workers is not None and not (workers.isdigit() and int(workers) > 0):
        yield Finding(
            "sanic-workers-invalid",
            f"{SANIC_WORKERS} is '{workers}', which counts as 1",
            f"Set {SANIC_WORKERS} to a whole number from 1, or unset it",
        )
    elif n_server_workers() > cores:
        yield Finding(
            "sanic-workers-many",
            f"{SANIC_WORKERS} is {workers} on {cores} cores: workers wait for each other, and each "
            f"holds Rasa in memory",
            f"Set {SANIC_WORKERS} to {cores} at most",
        )
    yield Finding(
        "threads",
        f"threads for many texts: {available_threads()} a server worker (workers: "
        f"{n_server_workers()}); a single message under 16 tokens takes one",
    )
    for component in case.ours():
        settings = settings_of(component)
        if settings is not None and (settings.num_threads or 0) > cores:
            file, line = case.place(component)
            yield Finding(
                "num-threads-many",
                f"num_threads of {component.short} is {settings.num_threads}, on {cores} cores",
                "Leave num_threads out, which shares the cores out",
                file,
                line,
            )


def check_variables(case: Case) -> Iterator[Finding]:
    """Yields the variables that set threads of other libraries."""
    cores = len(usable_cores())
    for name in _VARIABLES:
        value = os.environ.get(name)
        if value is None:
            continue
        number = _whole(value)
        if number is None or number > cores:
            yield Finding(
                "omp-threads-many",
                f"{name} is '{value}' on {cores} cores",
                f"Set {name} to a whole number from 1 to {cores}, or unset it",
            )
        else:
            yield Finding(
                "omp-threads",
                f"{name} is {value}, for DIET, torch and scikit-learn; the C library goes by "
                f"num_threads",
            )


def _whole(value: str) -> Optional[int]:
    return int(value) if value.isdigit() and int(value) > 0 else None
