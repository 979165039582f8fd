"""Cores and threads of what is measured, and processors that look older than they are."""

from __future__ import annotations

import contextlib
import os
from typing import Dict, Iterator, Sequence

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.cpu import HIDE_VARIABLE
from rasa_tokprune.machine.environment import usable_cores

# Keeps libraries off AVX-512; ONNX Runtime has no such switch.
WITHOUT_AVX512 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    HIDE_VARIABLE: "avx512_vnni avx512_bf16 avx_vnni",
}


def check_threads(threads: int) -> None:
    """Raises ConfigError if there are fewer cores than threads."""
    n_cores = len(usable_cores())
    if not 1 <= threads <= n_cores:
        raise ConfigError(
            f"threads must be in [1, {n_cores}], the cores this process may use, got {threads}"
        )


def pin(threads: int) -> None:
    """Keeps this process on its first `threads` cores, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, usable_cores()[:threads])


@contextlib.contextmanager
def started_on(cores: Sequence[int]) -> Iterator[None]:
    """Lets processes that are started inside run on these cores only."""
    before = usable_cores()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, before)


def thread_variables(threads: int) -> Dict[str, str]:
    """Returns the environment variables that fix the threads of numeric libraries."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "TF_INTRA_OP_PARALLELISM_THREADS": str(threads),
        "TF_INTER_OP_PARALLELISM_THREADS": str(threads),
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",
    }
